"""Jets against Taylor coefficients in 40 digits by mpmath, and what they must refuse."""

import math

import flint
import mpmath
import numpy as np
import pytest

from bifurcate.proofs.balls import ball, precision
from bifurcate.proofs.jets import Jet, NotEvaluable, Undecided

FUNCTIONS = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "arctan": mpmath.atan,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arcsinh": mpmath.asinh,
    "arctanh": mpmath.atanh,
    "expm1": mpmath.expm1,
    "log1p": mpmath.log1p,
    "log2": lambda t: mpmath.log(t, 2),
    "log10": mpmath.log10,
    "exp2": lambda t: mpmath.mpf(2) ** t,
    "cbrt": mpmath.cbrt,
    "square": lambda t: t * t,
    "reciprocal": lambda t: 1 / t,
    "radians": mpmath.radians,
    "degrees": mpmath.degrees,
}
CENTRE, SLOPE = 0.3125, 2.0  # exact doubles


def series(radius=0.0, order=3):
    zero = flint.arb(0)
    terms = [(ball(CENTRE, radius), {0: flint.arb(1)}), (flint.arb(SLOPE), {}), *[(zero, {})] * (order - 1)]
    return Jet(terms[: order + 1])


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("bits", [53, 128])
def test_coefficients_and_their_slopes_hold_the_taylor_series(name, bits):
    with mpmath.workdps(60), precision(bits):
        found = getattr(np, name)(np.array([series(1e-9), 1.0], dtype=object)[:1])[0]
        taylor = mpmath.taylor(lambda t: FUNCTIONS[name](mpmath.mpf(CENTRE) + t), 0, 4)
        for j in range(4):
            value, slopes = found.coefficient(j)
            exact = flint.arb(str(taylor[j] * SLOPE**j))
            slope = flint.arb(str((j + 1) * taylor[j + 1] * SLOPE**j))
            assert value.overlaps(exact), (j, value, exact)
            assert abs(value - exact) < 1e-6 * (1 + abs(exact))
            assert slopes.get(0, flint.arb(0)).overlaps(slope), (j, slopes, slope)


@pytest.mark.parametrize("exponent", [3, 2, 1, 0, -2, 0.5, 1.7, -0.3])
def test_powers(exponent):
    with mpmath.workdps(60):
        found = series() ** exponent
        taylor = mpmath.taylor(lambda t: (mpmath.mpf(CENTRE) + t) ** mpmath.mpf(exponent), 0, 3)
    for j in range(4):
        assert abs(found.coefficient(j)[0] - flint.arb(str(taylor[j] * SLOPE**j))) < 1e-11 * (1 + abs(taylor[j]))


def test_products_and_quotients_enclose_random_numbers():
    generator = np.random.default_rng(7)
    for _ in range(300):
        a, b = generator.uniform(0.5, 2.0, 2)
        r, s = generator.uniform(0.0, 0.1, 2)
        x, y = Jet([(ball(a, r), {0: flint.arb(1)})]), Jet([(ball(b, s), {1: flint.arb(1)})])
        u, v = a + r * generator.uniform(-1, 1), b + s * generator.uniform(-1, 1)
        for found, number, slopes in (
            (x * y + 1.0, u * v + 1.0, (v, u)),
            ((2.0 - x) / y, (2.0 - u) / v, (-1 / v, (u - 2.0) / v**2)),
            (x**y, u**v, (v * u ** (v - 1), math.log(u) * u**v)),
        ):
            assert found.value.overlaps(ball(number, 1e-14))
            for j in range(2):
                assert found.c[0][1][j].overlaps(ball(slopes[j], 1e-13))


IDIOMS = {
    "array": lambda x: np.array([x[1], x[0] * 2.0]),
    "roll": lambda x: np.roll(x, 1),
    "stack": lambda x: np.stack([x[0], x[1]]),
    "concatenate": lambda x: np.concatenate([x[1:], x[:1]]),
    "pad": lambda x: np.pad(x, 1)[:2] + 1.0,
    "where": lambda x: np.where(x > 0.0, x, -x),
    "maximum": lambda x: np.maximum(x, 0.1),
    "minimum": lambda x: np.minimum(x, 5.0),
    "clip": lambda x: np.clip(x, 0.0, 5.0),
    "abs": lambda x: np.abs(x),
    "matmul": lambda x: np.array([[0.5, 0.25], [0.125, 1.0]]) @ x,
    "dot": lambda x: x * x.dot(x),
    "outer": lambda x: np.outer(x, x)[0],
    "einsum": lambda x: np.einsum("i,i->i", x, x),
    "norm": lambda x: x / np.linalg.norm(x),
    "zeros_like": lambda x: np.zeros_like(x) + x[::-1],
    "sum": lambda x: x * x.sum() + x.mean() + np.cumsum(x),
    "prod": lambda x: x * np.prod(x),
    "power": lambda x: np.power(x, 3) + x**2.5,
    "mod": lambda x: (x + 3.0) % 2.0,
    "select": lambda x: np.select([x > 1.0, x > 0.0], [x, 2.0 * x]),
    "outer difference": lambda x: np.subtract.outer(x, x)[0] + x,
    "tensordot": lambda x: np.tensordot(np.eye(2), x, 1),
    "diff": lambda x: np.append(np.diff(x), x[0]),
    "float64 scalars": lambda x: np.float64(2.0) * x + x * np.float32(0.5),
}


@pytest.mark.parametrize("name", IDIOMS)
def test_idioms_of_numpy_mean_the_same_on_jets(name):
    state = np.array([0.375, 1.625])
    jets = np.array([Jet([(ball(v, 1e-10), {})]) for v in state], dtype=object)
    there, found = IDIOMS[name](state), IDIOMS[name](jets)
    assert found.shape == (2,)
    for number, jet in zip(there, found):
        value = jet.value if isinstance(jet, Jet) else flint.arb(float(jet))
        assert abs(value - float(number)) < 1e-8


REFUSED = {
    "math": lambda x: math.exp(x[0]),
    "float": lambda x: float(x[0]),
    "astype": lambda x: x.astype(float),
    "assignment": lambda x: np.zeros(2).__setitem__(0, x[0]),
    "complex": lambda x: np.exp(1j * x),
    "longdouble": lambda x: np.longdouble(0.1) * x[0],
    "truth": lambda x: 1.0 if x[0] else 2.0,
    "index": lambda x: [1, 2, 3][x[0]],
    "infinity": lambda x: x * np.inf,
    "solve": lambda x: np.linalg.solve(np.diag(x), x),
    "fft": lambda x: np.fft.fft(x),
    "interp": lambda x: np.interp(x, [0.0, 1.0], [0.0, 2.0]),
    "isfinite": lambda x: np.isfinite(x),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_loses_the_enclosure_is_refused(name):
    x = np.array([Jet([(ball(0.5), {})]), Jet([(ball(1.5), {})])], dtype=object)
    with pytest.raises((TypeError, NotEvaluable)):
        REFUSED[name](x)


@pytest.mark.parametrize(
    "compare",
    [lambda x: x > 0.5, lambda x: x <= 0.5, lambda x: x == 0.5, lambda x: abs(x - 0.5), lambda x: (x * 2.0) % 1.0],
)
def test_comparisons_that_a_ball_does_not_decide_raise(compare):
    with pytest.raises(Undecided):
        compare(Jet([(ball(0.5, 1e-12), {})]))


def test_comparisons_that_are_decided():
    x = Jet([(ball(0.5, 0.25), {})])
    assert x > 0.2 and x < 0.8 and x >= 0.2 and x != 0.1 and x > 0.1
    assert x.sign() == 1.0 and (x + 3.0).floor() == 3.0
