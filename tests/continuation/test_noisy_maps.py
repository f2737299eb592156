"""Maps whose values are wrong by more than rounding: what is said of them must hold all the same."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bifurcate as bf


def chance(x, p):
    """Numbers between −1 and 1 that look random and are the same at the same place."""
    places = np.arange(x.size)
    return np.sin(1e9 * (x @ np.sqrt(1.0 + places)) + 3.3 * np.cos(7.7e8 * x.sum() + 1e9 * p) + 1.7 * places)


def hidden(kind, n, noise, unit, width, seed):
    """A map of n unknowns with a point of a kind at a known parameter, in coordinates of its own; guess, parameter."""
    rng = np.random.default_rng(seed)
    A = np.linalg.qr(rng.standard_normal((n, n)))[0] * np.exp(0.3 * rng.standard_normal(n))
    inverse, offset, bend = np.linalg.inv(A), rng.standard_normal(n), 0.2 * rng.standard_normal(n)
    rates, a = rng.uniform(-0.7, 0.7, n), rng.choice([-1.0, 1.0]) * rng.uniform(0.3, 1.5)
    place, turn = rng.uniform(-0.3, 0.3) * width, np.exp(1j * rng.uniform(0.4, 2.6))

    def out(y):
        z = y.copy()
        z[1:] += bend[1:] * y[0] ** 2
        return unit * (A @ z + offset)

    def f(x, p):
        q, z = (p - place) / width, inverse @ (x / unit - offset)
        z[1:] -= bend[1:] * z[0] ** 2
        y, w = rates * z, z[0]
        if kind == "fold":
            y[0] = w + q + a * w**2
        elif kind == "flip":
            y[0] = -(1.0 + q) * w + 0.3 * w**2 + a * w**3
        elif kind == "branch point":
            y[0] = w + q * w + a * w**2
        elif kind == "pitchfork":
            y[0] = w + q * w + a * w**3
        else:
            w = turn * complex(z[0], z[1])
            w *= 1.0 + q + (a + 0.4j) * abs(w) ** 2
            y[0], y[1] = w.real, w.imag
        return out(y) + noise * max(unit, np.abs(x).max()) * chance(x / unit, p / width)

    start, q = np.zeros(n), -0.25
    if kind == "fold":
        q, start[0] = -0.25 * np.sign(a), -0.5 / np.sqrt(abs(a)) * np.sign(a)
    return bf.Map(f, {"p": place + q * width}, scale=unit, noise=noise or None), out(start), place


CASES = [
    pytest.param(kind, n, noise, unit, width, marks=[pytest.mark.slow] if noise in (1e-6, 1e-11) else [])
    for kind, n in [("fold", 1), ("fold", 4), ("flip", 2), ("branch point", 3), ("pitchfork", 1), ("neimark-sacker", 2)]
    for noise, unit, width in [
        (1e-4, 1.0, 1.0),
        (1e-6, 1e4, 1e-2),
        (1e-8, 1e-3, 1e2),
        (1e-11, 1e2, 1.0),
        (1e-14, 1.0, 10),
    ]
]


@pytest.mark.parametrize(("kind", "n", "noise", "unit", "width"), CASES)
def test_a_known_point_lies_within_the_claimed_error(kind, n, noise, unit, width):
    map, guess, place = hidden(kind, n, noise, unit, width, seed=7)
    bounds = {"p": (place - 0.6 * width, place + 0.5 * width)}
    branch = bf.trace(bf.cycles(map, "p", guess), bounds)
    (point,) = [each for each in branch.special if abs(each.parameters["p"] - place) < 0.1 * width]
    assert point.kind == ("branch point" if kind == "pitchfork" else kind)
    assert abs(point.parameters["p"] - place) <= point.error
    # What is claimed is no idle bound: Newton's method on slopes that are wrong by noise^0.8 places points to that.
    assert point.error <= (100.0 * noise**0.8 + 1e-9) * width
    exact, _, _ = hidden(kind, n, 0.0, unit, width, seed=7)
    (true,) = [
        each
        for each in bf.trace(bf.cycles(exact, "p", guess), bounds).special
        if abs(each.parameters["p"] - place) < 0.1 * width
    ]
    leading = {"fold": "a", "flip": "b", "branch point": "a", "pitchfork": "c", "neimark-sacker": "d"}[kind]
    gap = abs(point.coefficients[leading]) - abs(true.coefficients[leading])
    assert abs(gap) <= point.errors[leading] + true.errors[leading]
    known = {"fold": "fold", "branch point": "transcritical", "pitchfork": "pitchfork"}.get(kind, true.form)
    assert point.form in ("degenerate", known)


def test_a_branch_of_a_noisy_map_costs_a_few_calls_a_point():
    calls = [0]

    def f(x, p):
        calls[0] += 1
        return x + 0.3 * (p + x - x**3) + 1e-8 * chance(x, p)

    branch = bf.trace(bf.cycles(bf.Map(f, {"p": -0.1}, noise=1e-8), "p", [-1.05]), {"p": (-0.5, 1.0)})
    assert (branch["p"].min(), branch["p"].max()) == (-0.5, 1.0)
    assert len(branch.of("fold")) == 2
    for point in branch.of("fold"):
        assert abs(abs(point.parameters["p"]) - 2 / 27**0.5) <= point.error < 1e-6
    assert calls[0] <= 30 * len(branch.points)


def flow(x, p, rtol):
    """The stroboscopic map of x' = p + x − x³ + 0.1 cos 2πt, over one period."""
    return solve_ivp(lambda t, y: p + y - y**3 + 0.1 * np.cos(2 * np.pi * t), (0.0, 1.0), x, rtol=rtol, atol=rtol).y[
        :, -1
    ]


def test_the_fold_of_an_ode_solved_to_1e_minus_8():
    coarse = bf.Map(lambda x, p: flow(x, p, 1e-8), {"p": -0.1}, noise=1e-8)
    fine = bf.Map(lambda x, p: flow(x, p, 1e-13), {"p": -0.1})
    folds = [bf.special_point(map.replace(p=0.38), "fold", "p", [-0.58]) for map in (coarse, fine)]
    apart = abs(folds[0].parameters["p"] - folds[1].parameters["p"])
    assert apart <= folds[0].error < 1e-6
    assert abs(folds[0].coefficients["a"] - folds[1].coefficients["a"]) <= folds[0].errors["a"] + folds[1].errors["a"]


def test_an_exact_map_is_followed_as_if_noise_were_unknown_to_the_package():
    def traced(noise):
        calls = [0]

        def f(x, r):
            calls[0] += 1
            return r * x * (1 - x)

        branch = bf.trace(bf.cycles(bf.Map(f, {"r": 2.5}, noise=noise), "r", [0.6]), {"r": (0.5, 3.5)})
        return calls[0], [point.u.tobytes() for point in branch.special], branch.states.tobytes()

    assert traced(None) == traced(0.0)


def test_noise_that_hides_a_sign_leaves_a_point_degenerate():
    # The cubic coefficient 0.01 of this flip is less than the error of a third derivative from values wrong by 1e-4.
    def f(x, p):
        return -(1.0 + p) * x + 0.01 * x**3 + 1e-4 * chance(x, p)

    branch = bf.trace(bf.cycles(bf.Map(f, {"p": -0.3}, noise=1e-4), "p", [0.0]), {"p": (-0.5, 0.5)})
    (flip,) = branch.of("flip")
    assert abs(flip.parameters["p"]) <= flip.error
    assert flip.form == "degenerate"


def test_solutions_are_as_exact_as_noise_allows():
    map = bf.Map(lambda x, r: r * x * (1 - x) + 1e-7 * chance(x, r), {"r": 3.2}, noise=1e-7)
    found = bf.solve(map, [0.5], period=2)
    root = np.sqrt((3.2 - 3) * (3.2 + 1))
    nearest = min(abs(found.state[0] - (3.2 + 1 + sign * root) / 6.4) for sign in (1, -1))
    assert found.period == 2 and nearest < 1e-6


@pytest.mark.parametrize("noise", [-1e-8, 1.0, np.nan, "much", True])
def test_a_level_of_noise_is_a_small_number(noise):
    with pytest.raises(bf.errors.InvalidInput, match="noise"):
        bf.Map(lambda x: x, {}, noise=noise)


@pytest.mark.parametrize("noise", [1e-4, 1e-6, 1e-8, 1e-10])
def test_roughness_that_was_not_declared_is_noticed_and_followed(noise):
    def f(x, p):
        return x + 0.3 * (p + x - x**3) + noise * chance(x, p)

    branch = bf.trace(bf.cycles(bf.Map(f, {"p": -0.1}), "p", [-1.05]), {"p": (-0.5, 1.0)})
    assert (branch["p"].min(), branch["p"].max()) == (-0.5, 1.0)
    assert [point.kind for point in branch.special] == ["fold", "fold"]
    for point in branch.of("fold"):
        assert abs(abs(point.parameters["p"]) - 2 / 27**0.5) <= point.error
    (words,) = branch.doubts
    assert "noisy" in words and "Map(noise=" in words
    assert noise / 4 < branch.curve.iterate.map.noise < 8 * noise


def single_logistic(x, r):
    x, r = np.float32(x), np.float32(r)
    return r * x * (1 - x)


def single_henon(z, a):
    x, y = np.asarray(z, dtype=np.float32)
    return np.array([1 - np.float32(a) * x * x + y, np.float32(0.3) * x])


def single_ricker(x, r):
    x, r = np.float32(x), np.float32(r)
    return x * np.exp(r * (1 - x / np.float32(100.0)))


@pytest.mark.parametrize(
    ("f", "free", "start", "guess", "bounds", "kind", "place"),
    [
        (single_logistic, "r", 2.5, [0.6], (1.5, 3.4), "flip", 3.0),
        (single_henon, "a", 0.1, [0.9, 0.27], (-0.05, 0.6), "flip", 0.75 * 0.7**2),
        (single_ricker, "r", 1.5, [100.0], (0.5, 2.5), "flip", 2.0),
    ],
)
def test_float32_is_recognised_and_named(f, free, start, guess, bounds, kind, place):
    branch = bf.trace(bf.cycles(bf.Map(f, {free: start}), free, guess), {free: bounds})
    assert (branch[free].min(), branch[free].max()) == bounds
    (point,) = branch.special
    assert point.kind == kind and abs(point.parameters[free] - place) <= point.error < 1e-3
    assert "float32" in branch.doubts[0]


def test_a_bent_or_kinked_but_exact_map_is_not_called_noisy():
    bent = bf.Map(lambda x, p: 0.5 * x + p * np.exp(-20.0 * x), {"p": 0.1})
    kinked = bf.Map(lambda x, p: p + 0.5 * np.abs(x - 1e-4), {"p": 0.0})
    for map, guess in ((bent, 0.1), (kinked, 0.0)):
        branch = bf.trace(bf.cycles(map, "p", [guess]), {"p": (-0.001, 0.2)})
        assert not any("noisy" in words for words in branch.doubts)
        assert branch.curve.iterate.map.noise is None
