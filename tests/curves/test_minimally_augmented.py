"""Curves of special points in two parameters: closed forms, and what ends them."""

import numpy as np
import pytest

import bifurcate as bf

BOUNDS = {"beta": (-2.0, 3.0), "alpha": (-5.0, 8.0)}


def fixed_points(map, free, guess, bounds):
    return bf.trace(bf.cycles(map, free, guess), {free: bounds})


def plain(map):
    """The same map without its derivatives."""
    return bf.Map(map.f, dict(map.parameters))


@pytest.mark.parametrize("wrap", [lambda map: map, plain])
@pytest.mark.parametrize("kind, factor", [("flip", 0.75), ("fold", -0.25)])
def test_folds_and_flips_of_henon(kind, factor, wrap):
    branch = fixed_points(wrap(bf.maps.henon(a=0.1, b=0.3)), "a", [1.0, 0.3], (-1.0, 2.0))
    curve = bf.locus(branch.first(kind), free="b")
    assert curve.kind == kind and curve.free == ("a", "b")
    found = bf.trace(curve, {"a": (-2.0, 5.0), "b": (-0.9, 0.9)})
    assert len(found) > 40 and found["b"].min() == -0.9 and found["b"].max() == 0.9
    assert np.abs(found["a"] - factor * (1.0 - found["b"]) ** 2).max() < (1e-10 if wrap is not plain else 1e-8)
    critical = {"flip": -1.0, "fold": 1.0}[kind]
    assert np.abs(found.multipliers - critical).min(axis=1).max() < 1e-9
    assert not found.special and not found.doubts


def test_neimark_sacker_points_of_generalised_henon():
    branch = fixed_points(bf.maps.generalised_henon(2.0, 0.5, -0.5), "beta", [0.9, 0.9], (-0.9, 1.2))
    found = bf.trace(bf.locus(branch.first("NS"), free="alpha"), BOUNDS)
    x = found.states[:, 0]
    assert np.abs(found["beta"] - (1.0 - 0.5 * x)).max() < 1e-10
    assert np.abs(found["alpha"] - (2.0 * x + x**2)).max() < 1e-10
    # λ + 1/λ = −2x + R x, whether the pair is complex or real: beyond ±1 the points are neutral saddles.
    assert np.abs(found["cosine"] - 0.5 * (-2.0 * x - 0.5 * x)).max() < 1e-9
    assert found["cosine"].min() < -1.5 and found["cosine"].max() > 1.5


def test_a_second_parameter_that_does_nothing():
    map = bf.Map(lambda x, r, q: r * x * (1.0 - x) + 0.0 * q, {"r": 2.5, "q": 0.0})
    flip = fixed_points(map, "r", [0.6], (2.0, 3.5)).first("flip")
    found = bf.trace(bf.locus(flip, free="q"), {"r": (2.0, 4.0), "q": (-1.0, 1.0)})
    assert np.abs(found["r"] - 3.0).max() < 1e-9
    assert {found["q"].min(), found["q"].max()} == {-1.0, 1.0}


def test_flips_of_a_cycle():
    # The Hénon map's 2-cycle flips where (1 − b)²·… : at b = 0.3 at a = 0.9125; every point is checked by solving anew.
    henon = bf.maps.henon(a=0.5, b=0.3)
    cycle = bf.orbit(henon, [0.9, 0.2], 2, transient=4000).states[0]
    branch = bf.trace(bf.cycles(henon, "a", cycle, period=2), {"a": (0.4, 1.0)})
    found = bf.trace(bf.locus(branch.first("flip"), free="b"), {"a": (0.0, 2.0), "b": (0.0, 0.6)})
    for point in found.points[:: max(1, len(found) // 6)]:
        a, b = point.free
        again = bf.solve(henon.replace(a=a, b=b), point.state, period=2)
        assert np.abs(again.multipliers + 1.0).min() < 1e-7
    at = np.argmin(np.abs(found["b"] - 0.3))
    assert abs(found["a"][at] - 0.9125) < 0.05


def test_double_flips_keep_their_multiplicity():
    n = 6
    branch = fixed_points(bf.maps.logistic_ring(n=n, r=2.5, e=0.3), "r", np.full(n, 0.6), (2.5, 3.4))
    double = next(point for point in branch.of("flip") if point.multiplicity == 2)
    found = bf.trace(bf.locus(double, free="e"), {"r": (2.0, 4.0), "e": (0.05, 0.6)})
    coupling = 1.0 - found["e"] + found["e"] * np.cos(2 * np.pi / n)
    assert np.abs(found["r"] - (2.0 + 1.0 / coupling)).max() < 1e-9
    with pytest.raises(bf.errors.InvalidInput, match="simple"):
        many = bf.Map(
            lambda x, p, q: np.concatenate([-x[:2] * (1 + p) + q * x[2:], -x[2:] * (1 + p) - q * x[:2]]),
            {"p": -0.5, "q": 0.7},
        )
        turning = fixed_points(many, "p", np.zeros(4), (-0.6, 0.2)).first("NS")
        assert turning.multiplicity == 2
        bf.locus(turning, free="q")


def test_branch_points_that_an_invariant_line_holds():
    prey = fixed_points(bf.maps.predator_prey(), "p1", [0.0, 0.0], (0.3, 3.6))
    alive = bf.trace(bf.switch(prey.first("BP")), {"p1": (0.3, 3.6)})
    point = next(p for p in alive.of("BP") if p.parameters["p1"] > 1.5)
    found = bf.trace(bf.locus(point, free="p2"), {"p1": (1.1, 6.0), "p2": (0.12, 0.9)})
    # v grows by 1 − p₃ + p₂ u with u = 1 − 1/p₁.
    assert np.abs(0.9 + found["p2"] * (1.0 - 1.0 / found["p1"]) - 1.0).max() < 1e-11
    assert np.abs(found["unfolding"]).max() < 1e-11 and len(found) > 50


def test_flips_that_meet_a_branch_point_are_no_fold_flips():
    prey = fixed_points(bf.maps.predator_prey(), "p1", [0.0, 0.0], (0.3, 3.6))
    alive = bf.trace(bf.switch(prey.first("BP")), {"p1": (0.3, 3.6)})
    found = bf.trace(bf.locus(alive.first("PD"), free="p2"), {"p1": (2.0, 4.0), "p2": (0.05, 0.9)})
    # At p1 = 3 the predators' multiplier 0.9 + p₂ (1 − 1/p₁) is 1 at p₂ = 0.15: a transcritical point, not a fold.
    assert np.abs(found["p1"] - 3.0).max() < 1e-10 and found.special == ()
    (doubt,) = found.doubts
    assert "p1 = 3, p2 = 0.15 " in doubt and "no fold-flip" in doubt


def test_branch_points_that_nothing_holds_end_with_the_reason_and_live_in_three_parameters():
    map = bf.Map(lambda x, p, q, e: x + p * x - x**2 + q * x**3 + e, {"p": -0.5, "q": 0.2, "e": 0.0})
    point = fixed_points(map, "p", [0.0], (-1.0, 1.0)).first("BP")
    bounds = {"p": (-1.0, 1.0), "e": (-1.0, 1.0), "q": (-1.0, 1.0)}
    alone = bf.trace(bf.locus(point, free="e"), {name: bounds[name] for name in ("p", "e")})
    assert len(alone) == 1 and all(stop.reason == "unfolded" for stop in alone.stop)
    assert "three parameters" in str(alone.stop[0])
    found = bf.trace(bf.locus(point, free=("e", "q")), bounds)
    assert len(found) > 20 and found["q"].max() == 1.0
    assert max(np.abs(found["p"]).max(), np.abs(found["e"]).max()) < 1e-10


def test_matrix_free_and_dense_curves_agree(rng):
    # 220 unknowns known by products only: GMRES, Arnoldi, and no transposed product anywhere.
    n = 220
    mix = rng.standard_normal((n, n)) * 0.3 / np.sqrt(n)

    def f(x, r, c):
        y = mix @ np.tanh(x) + c * x[0]
        y[0] = r * x[0] * (1.0 - x[0]) + 0.1 * c * x[1]
        return y

    def jvp(x, v, r, c):
        w = mix @ (v / np.cosh(x) ** 2) + c * v[0]
        w[0] = r * (1.0 - 2.0 * x[0]) * v[0] + 0.1 * c * v[1]
        return w

    def jacobian(x, r, c):
        J = mix / np.cosh(x) ** 2
        J[:, 0] += c
        J[0] = 0.0
        J[0, 0], J[0, 1] = r * (1.0 - 2.0 * x[0]), 0.1 * c
        return J

    start = np.full(n, 0.1)
    start[0] = 0.6
    curves = []
    for given in ({"jvp": jvp}, {"jvp": jvp, "jacobian": jacobian}):
        map = bf.Map(f, {"r": 2.8, "c": 0.1}, **given)
        branch = fixed_points(map, "r", bf.solve(map, start).state, (2.8, 3.1))
        long = bf.StepControl(first=0.05, largest=0.2)
        curves.append(
            bf.trace(bf.locus(branch.first("flip"), free="c"), {"r": (2.0, 4.0), "c": (-0.1, 0.2)}, control=long)
        )
    free = curves[0]
    for c in (-0.1, 0.2):
        ends = [curve["r"][np.argmin(np.abs(curve["c"] - c))] for curve in curves]
        assert abs(ends[0] - ends[1]) < 1e-8
    for r, c, x in zip(free["r"], free["c"], free.states):
        assert np.abs(np.linalg.eigvals(jacobian(x, r, c)) + 1.0).min() < 1e-8


def test_refusals_name_what_is_allowed():
    branch = fixed_points(bf.maps.henon(a=0.1, b=0.3), "a", [1.0, 0.3], (-1.0, 2.0))
    flip = branch.first("flip")
    for free, word in (
        ("c", "no parameter"),
        ("a", "free already"),
        ((), "two free parameters"),
        (("b", "b"), "already"),
    ):
        with pytest.raises(bf.errors.InvalidInput, match=word):
            bf.locus(flip, free=free)
    with pytest.raises(bf.errors.InvalidInput, match="kind is 'fold'"):
        bf.locus(flip, free="b", kind="fold")
    with pytest.raises(bf.errors.InvalidInput, match="SpecialPoint"):
        bf.locus("flip", free="b")
    with pytest.raises(bf.errors.InvalidInput, match="interval for 'b'"):
        bf.trace(bf.locus(flip, free="b"), {"a": (-1.0, 2.0)})


def test_only_halved_periods_end_a_curve():
    # Through the fixed point's 1:3 resonance (a = 1.25) the area-preserving map's 3-cycle goes on as another one.
    cycles = bf.cycles(bf.maps.henon(a=1.78, b=0.0), "a", [-0.76659237, 0.0], period=3)
    fold = bf.trace(cycles, {"a": (1.7, 1.8)}).first("fold")
    bounds = {"a": (0.5, 2.0), "b": (-1.1, 0.1)}
    strong = bf.trace(bf.locus(fold, "b"), bounds).first("R1")
    found = bf.trace(bf.locus(strong, kind="neimark-sacker"), bounds)
    assert [stop.reason for stop in found.stop] == ["bound", "bound"]


def test_explore_keeps_a_diagram_whose_curves_collapse():
    def f(x, r, e):
        g = r * x * (1.0 - x)
        return (1.0 - e) * g + e * g[::-1]

    branch = fixed_points(bf.Map(f, {"r": 2.8, "e": 0.05}), "r", [0.64, 0.64], (2.5, 3.3))
    diagram = bf.explore(bf.switch(branch.of("flip")[1]), {"r": (2.5, 3.3), "e": (-0.05, 0.2)}, depth=1)
    ends = {stop.reason for each in diagram.branches if each.curve.kind != "cycle" for stop in each.stop}
    assert "collapsed" in ends and len(diagram.branches) == 3


def test_bounds_and_names_of_a_second_parameter_are_checked():
    curve = bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3])
    for b in (3, None, ("x", "y"), (0, 1, 2), (-np.inf, 1.0)):
        with pytest.raises(bf.errors.InvalidInput, match="bounds of 'b'"):
            bf.explore(curve, {"a": (-0.4, 2.0), "b": b})
    with pytest.raises(bf.errors.InvalidInput, match="progress"):
        bf.explore(curve, {"a": (-0.4, 2.0)}, progress=3)
    with pytest.raises(bf.errors.InvalidInput, match="Curve"):
        bf.explore(None, {"a": (-0.4, 2.0)})
    flip = bf.trace(curve, {"a": (-0.4, 2.0)}).first("flip")
    for free in (3, None, ["b", ["c"]]):
        with pytest.raises(bf.errors.InvalidInput, match="free is"):
            bf.locus(flip, free)


@pytest.mark.parametrize(("state", "width"), [(1e-6, 1e4), (1e-4, 1e6), (1e-3, 1e6), (1.0, 1e-3)])
def test_a_cusp_in_any_units(state, width):
    # z ↦ z − (z³ − αz − γ)/10 with x = state · z, a = width · α and b = width · γ, by differences.
    def f(x, a, b):
        z = x / state
        return x - 0.1 * state * (z**3 - a / width * z - b / width)

    map, box = bf.Map(f, {"a": width, "b": 0.0}, scale=state), (-2.0 * width, 2.0 * width)
    for fold in bf.trace(bf.cycles(map, "b", [state]), {"b": box}).of("fold"):
        (cusp,) = bf.trace(bf.locus(fold, "a"), {"a": box, "b": box}).of("cusp")
        assert max(abs(cusp.parameters["a"]), abs(cusp.parameters["b"])) < 1e-8 * width


def test_a_curve_starts_the_same_whatever_rounding_its_start_has(rng):
    # At R1 folds turn in both parameters, and b = −1 all along the Neimark–Sacker points of this conservative map.
    cycles = bf.cycles(bf.maps.henon(a=1.78, b=0.0), "a", [-0.76659237, 0.0], period=3)
    fold = bf.trace(cycles, {"a": (1.7, 1.8)}).first("fold")
    bounds = {"a": (0.5, 2.0), "b": (-1.1, 0.1)}
    curve = bf.locus(bf.trace(bf.locus(fold, "b"), bounds).first("R1"), kind="neimark-sacker")
    for _ in range(4):
        moved = curve.replace(start=curve.start + 1e-15 * rng.standard_normal(len(curve.start)))
        found = bf.trace(moved, bounds)
        assert {point.kind for point in found.special} == {"R1", "R2", "R3", "R4"}
