"""Maps in units of the user's choice: normal forms hidden by changes of coordinates, with units over twelve decades."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput

KINDS = {
    "fold": ("fold", lambda y, q, s: y + q + s * y**2),
    "flip": ("flip", lambda y, q, s: -(1 + q) * y + s * y**3),
    "transcritical": ("branch point", lambda y, q, s: y + q * y + s * y**2),
    "pitchfork": ("branch point", lambda y, q, s: y + q * y + s * y**3),
}


def hidden(form, seed, with_jacobian):
    """A normal form with further contracting unknowns, in other coordinates and units; what is known of it."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 4))
    units, origin = 10.0 ** rng.uniform(-6, 6, n), rng.uniform(-10, 10, n)
    unit, zero = 10.0 ** rng.uniform(-6, 6), rng.uniform(-5, 5)
    L = np.eye(n) + 0.3 * rng.standard_normal((n, n))
    bend, lam, pull, s = rng.uniform(-0.3, 0.3, n), rng.uniform(-0.8, 0.8, n), rng.uniform(-0.3, 0.3, n), 0.9

    def f(x, p):
        q, w = p / unit - zero, np.linalg.solve(L, x / units - origin)
        y = w - bend * w[0] ** 2 * (np.arange(n) > 0)
        z = lam * y + pull * y[0] ** 2
        z = np.concatenate([[form(y[0], q, s)], z[1:]])
        return units * (L @ (z + bend * z[0] ** 2 * (np.arange(n) > 0)) + origin)

    def jacobian(x, p):
        steps = [f(x + 1e-60j * unit * e, p).imag / (1e-60 * unit) for unit, e in zip(units, np.eye(n), strict=True)]
        return np.column_stack(steps)

    q = -0.3
    y = np.zeros(n)
    if form is KINDS["fold"][1]:
        y[0] = -np.sqrt(-q / s)
        y[1:] = pull[1:] * y[0] ** 2 / (1 - lam[1:])
    start = units * (L @ (y + bend * y[0] ** 2 * (np.arange(n) > 0)) + origin)
    map = bf.Map(f, {"p": unit * (zero + q)}, jacobian=jacobian if with_jacobian else None)
    rough = units * 10.0 ** rng.uniform(-0.5, 0.5, n)  # a user knows them roughly
    ours = bf.in_units(map, rough, origin=units * origin, parameters={"p": unit})
    return ours, (start - units * origin) / rough, zero


@pytest.mark.parametrize("with_jacobian", [True, False])
@pytest.mark.parametrize("name", KINDS)
def test_hidden_normal_forms_over_twelve_decades_of_units(name, with_jacobian):
    kind, form = KINDS[name]
    for seed in range(6):
        map, start, zero = hidden(form, seed, with_jacobian)
        branch = bf.trace(bf.cycles(map, "p", start), {"p": (zero - 0.4, zero + 0.4)})
        (point,) = branch.of(kind)
        assert [each.kind for each in branch.special] == [kind]
        assert point.form == {"fold": "fold", "flip": "supercritical"}.get(name, name)
        assert abs(point.parameters["p"] - zero) <= 3.0 * point.error < 1e-9


def test_derivatives_domain_borders_and_the_formula_for_proofs():
    def f(x, r, c):
        return np.array([r * x[0] * (1 - x[0] / 1e6) - c * x[0] * x[1], 0.5 * x[1] + c * x[0] * 1e-6])

    def jacobian(x, r, c):
        return np.array([[r * (1 - 2 * x[0] / 1e6) - c * x[1], -c * x[0]], [c * 1e-6, 0.5]])

    map = bf.Map(
        f,
        {"r": 2.0, "c": 0.2},
        jacobian=jacobian,
        jvp=lambda x, v, r, c: jacobian(x, r, c) @ v,
        parameter_derivative=lambda x, name, r, c: (
            np.array([x[0] * (1 - x[0] / 1e6), 0.0]) if name == "r" else np.array([-x[0] * x[1], x[0] * 1e-6])
        ),
        domain=lambda x, r, c: x[0] + 1.0,
        borders=lambda x, r, c: x[1] - 3.0,
        exact=f,
    )
    ours = bf.in_units(map, [1e6, 0.1], origin=[1e5, 0.0], parameters={"c": 0.1})
    assert dict(ours.parameters) == {"r": 2.0, "c": 2.0}
    y = np.array([0.3, 2.0])
    ours.check(y)  # compares derivatives with differences
    x = np.array([1e5 + 0.3e6, 0.2])
    assert np.allclose((f(x, 2.0, 0.2) - [1e5, 0.0]) / [1e6, 0.1], ours.f(y, r=2.0, c=2.0), rtol=1e-14)
    assert np.allclose(ours.exact(y, r=2.0, c=2.0), ours.f(y, r=2.0, c=2.0), rtol=1e-14)
    assert ours.domain(y, r=2.0, c=2.0) == x[0] + 1.0 and ours.borders(y, r=2.0, c=2.0) == x[1] - 3.0


def test_unusable_units_are_refused():
    map = bf.maps.henon(a=0.1, b=0.3)
    for units in (0.0, -1.0, [1.0, np.nan], "x"):
        with pytest.raises(InvalidInput, match="units"):
            bf.in_units(map, units)
    with pytest.raises(InvalidInput, match="'c', which is none of the map's"):
        bf.in_units(map, 1.0, parameters={"c": 1.0})
    with pytest.raises(InvalidInput, match="positive"):
        bf.in_units(map, 1.0, parameters={"a": -1.0})
    with pytest.raises(InvalidInput, match="period"):
        bf.in_units(bf.Map(lambda x, K: x + K * np.sin(x), {"K": 0.5}, periodic=2 * np.pi), 1.0)


def test_a_map_whose_components_have_units_far_apart_is_not_called_noisy():
    def f(x, p):
        y = x / [1e-7, 1e5]
        return np.array([1e-7, 1e5]) * np.array([-(1 + p) * y[0] + y[0] ** 3 + 0.2 * y[1] ** 2, 0.5 * y[1]])

    try:
        branch = bf.trace(bf.cycles(bf.Map(f, {"p": -0.3}), "p", [0.0, 0.0]), {"p": (-0.4, 0.4)})
    except bf.errors.NotConverged as error:
        assert "bf.in_units" in str(error)
    else:
        assert not any("noisy" in doubt for doubt in branch.doubts)
