"""Border collisions against the piecewise-linear normal form, whose cycles and multipliers are known in closed form."""

import numpy as np
import pytest

import bifurcate as bf


def skew(left, right, bend=0.0):
    return lambda x, p: p + np.where(x < 0, left * x, right * x) + bend * x**2


def first_border(branch):
    (point,) = branch.of("border")
    return point


PAIRS = [(0.5, -0.5), (0.5, -1.5), (0.5, 1.5), (0.5, 4.0), (-0.6, -1.4), (-0.6, 1.7), (0.2, -7.0), (-3.0, -0.2)]


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize(("unit", "width", "bend"), [(1.0, 1.0, 0.0), (1e5, 1e-3, 0.05), (1e-4, 1e2, -0.1)])
def test_one_dimension(left, right, unit, width, bend):
    f = skew(left, right, bend)
    map = bf.Map(
        lambda x, p: unit * f(x / unit, p / width), {"p": -0.2 * width}, scale=unit, borders=lambda x, p: x / unit
    )
    bounds = {"p": (-0.3 * width, 0.3 * width)}
    branch = bf.trace(bf.cycles(map, "p", [-0.2 * unit / (1 - left)]), bounds)
    point = first_border(branch)
    assert abs(point.parameters["p"]) <= point.error < 1e-12 * width
    found = point.border
    assert found.verdict == ("persistence" if (1 - left) * (1 - right) > 0 else "non-smooth fold")
    assert abs(found.before[0, 0] - left) <= found.error and abs(found.after[0, 0] - right) <= found.error
    assert found.doubling == ("period doubling" if (1 + left) * (1 + right) < 0 else "")
    assert point.form == found.verdict + (" with period doubling" if found.doubling else "")
    periods = [curve.period for curve in bf.switches(point)]
    assert periods == ([2, 1] if found.doubling else [1])
    if found.doubling:
        # To first order its points are (1 + right) p/(1 − left right) and (1 + left) p/(1 − left right).
        side = np.sign((1 + right) / (1 - left * right)) * -1.0
        assert found.side == side
        assert abs(found.doubled_multipliers[0] - left * right) <= 10 * found.error
        doubled = bf.trace(bf.switch(point), bounds)
        assert (np.sign(doubled["p"][:4]) == side).all()
        if not bend:
            inner = doubled.points[3].state[0] / (unit * doubled.points[3].parameters["p"] / width)
            ends = np.array([1 + right, 1 + left]) / (1 - left * right)
            assert np.abs(inner - ends).min() < 1e-9


def test_the_other_side_of_a_fold_is_a_curve():
    map = bf.Map(skew(0.5, 4.0), {"p": -0.5}, borders=lambda x, p: x)
    point = first_border(bf.trace(bf.cycles(map, "p", [-1.0]), {"p": (-1.0, 1.0)}))
    (curve,) = bf.switches(point)
    other = bf.trace(curve, {"p": (-1.0, 1.0)})
    assert np.allclose(other.states[:, 0], -other["p"] / 3.0) and other.stop.last.reason == "bound"


@pytest.mark.parametrize("n", [2, 3, 4, 5])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("given", [False, True])
def test_feigins_rule_in_several_dimensions(n, seed, given):
    # f is A x + p e on one side and A x + c (g·x) + p e on the other: continuous, with the border g·x = 0.
    rng = np.random.default_rng(100 * n + seed)
    A, c, g, e = rng.standard_normal((n, n)) / np.sqrt(n), 2.0 * rng.standard_normal(n), *rng.standard_normal((2, n))
    B = A + np.outer(c, g)
    parts = {"jacobian": lambda x, p: A if g @ x < 0 else B} if given else {}
    map = bf.Map(lambda x, p: A @ x + c * max(g @ x, 0.0) + p * e, {"p": 0.5}, borders=lambda x, p: g @ x, **parts)
    start = 0.5 * np.linalg.solve(np.eye(n) - A, e)
    if g @ start > 0:
        map, start = map.replace(p=-0.5), -start
    point = first_border(bf.trace(bf.cycles(map, "p", start), {"p": (-1.0, 1.0)}))
    assert abs(point.parameters["p"]) <= point.error < 1e-12
    real = np.concatenate([values.real[np.abs(values.imag) < 1e-9] for values in map_sides(A, B)])
    assert point.border.verdict == ("persistence" if np.sum(real > 1) % 2 == 0 else "non-smooth fold")
    assert bool(point.border.doubling) == (np.sum(real < -1) % 2 == 1)
    for found, true in zip(point.border.multipliers, map_sides(A, B), strict=True):
        assert np.allclose(np.sort_complex(found), np.sort_complex(true), atol=1e-6)


def map_sides(A, B):
    return np.linalg.eigvals(A).astype(complex), np.linalg.eigvals(B).astype(complex)


def test_lozis_map_at_its_border():
    a, b = 1.2, 0.3
    map = bf.Map(lambda z, p: np.array([p - a * abs(z[0]) + z[1], b * z[0]]), {"p": 0.5}, borders=lambda z, p: z[0])
    point = first_border(bf.trace(bf.cycles(map, "p", [0.5 / 1.9, 0.15 / 1.9]), {"p": (-0.6, 1.0)}))
    # The fixed points p/(1 + a − b) and p/(1 − a − b) meet at p = 0; the doubled cycle is born with them, for p > 0.
    assert point.form == "non-smooth fold with period doubling" and point.border.side == 1
    sides = [np.array([[sign * a, 1.0], [b, 0.0]]) for sign in (-1.0, 1.0)]
    assert np.allclose(
        np.sort(point.border.doubled_multipliers.real), np.sort(np.linalg.eigvals(sides[1] @ sides[0]).real), atol=1e-8
    )
    doubled = bf.trace(bf.switch(point), {"p": (-0.6, 1.0)})
    assert doubled["p"].min() > 0.0 and doubled["p"].max() == 1.0
    assert doubled.points[0].stable


def test_a_border_that_a_later_point_of_a_cycle_meets():
    # (x, y) ↦ (y, g(x)) has cycles (x, y) of two fixed points of g; one of them, near 0, meets the border of g.
    g = skew(0.5, -1.5, bend=0.5)
    map = bf.Map(lambda z, p: np.array([z[1], g(z[0], p)]), {"p": -0.2}, borders=lambda z, p: z[0])
    far, near = 2.5 + np.sqrt(6.25 + 0.4), 0.5 - np.sqrt(0.25 + 0.4)
    for start in ([far, near], [near, far]):
        branch = bf.trace(bf.cycles(map, "p", start, period=2), {"p": (-0.25, 0.3)})
        point = first_border(branch)
        assert abs(point.parameters["p"]) <= point.error
        before, after = (sorted(values.real) for values in point.border.multipliers)
        assert np.allclose(before, [0.5, 3.5], atol=1e-7) and np.allclose(after, [-1.5, 3.5], atol=1e-7)
        assert point.border.verdict == "persistence"


@pytest.mark.parametrize(("left", "right", "verdict", "doubling"), [(-1.0, 0.5, "persistence", "degenerate")])
def test_on_a_boundary_of_the_classification(left, right, verdict, doubling):
    map = bf.Map(skew(left, right), {"p": -0.5}, borders=lambda x, p: x)
    point = first_border(bf.trace(bf.cycles(map, "p", [-0.5 / (1 - left)]), {"p": (-1.0, 1.0)}))
    assert (point.border.verdict, point.border.doubling) == (verdict, doubling)


def test_the_tent_map_is_degenerate_where_its_fixed_point_meets_the_top():
    tent = bf.Map(lambda x, r: r * np.minimum(x, 1 - x), {"r": 1.5}, borders=lambda x, r: x - 0.5)
    point = first_border(bf.trace(bf.cycles(tent, "r", [0.6]), {"r": (0.5, 1.9)}))
    assert abs(point.parameters["r"] - 1.0) <= point.error
    assert point.form == "degenerate"  # both multipliers, 1 and −1, lie on the unit circle


def test_an_event_where_f_is_smooth_is_no_collision():
    watched = bf.Map(lambda x, r: r * x * (1 - x), {"r": 2.5}, borders=lambda x, r: x - 0.7)
    point = first_border(bf.trace(bf.cycles(watched, "r", [0.6]), {"r": (1.5, 3.9)}))
    assert abs(point.parameters["r"] - 10 / 3) <= point.error and point.form == "smooth"
    with pytest.raises(bf.errors.InvalidInput, match="smooth"):
        bf.switch(point)


def test_a_collision_survives_a_file(tmp_path):
    map = bf.Map(skew(0.5, -1.5), {"p": -0.5}, borders=lambda x, p: x)
    branch = bf.trace(bf.cycles(map, "p", [-1.0]), {"p": (-1.0, 1.0)})
    form = first_border(branch).form
    bf.save(branch, tmp_path / "branch.npz")
    assert first_border(bf.load(tmp_path / "branch.npz")).form == form == "persistence with period doubling"
