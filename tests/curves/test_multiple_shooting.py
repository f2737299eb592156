"""Long cycles by multiple shooting, against closed forms and against the equations in one state."""

import pickle

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput
from bifurcate.maps import IteratedMap
from bifurcate.maps.orbit_map import OrbitMap

TURN = 2 * np.pi


def tent_conjugate(k, place=0.4142):
    """A point of a cycle of period k of the logistic map at r = 4: x = sin²(π j/(2^k − 1)), at j/(2^k − 1) ≈ place."""
    return np.sin(np.pi * angle(k, place)) ** 2


def angle(k, place):
    return round(place * (2**k - 1)) / (2**k - 1)


def perturbed_cat(k=0.7):
    """Arnold's cat map, bent by a standard map's sine: it keeps areas, and stretches everywhere."""

    def f(x, k):
        y = x[1] + x[0] + k * np.sin(TURN * x[0]) / TURN
        return np.array([x[0] + y, y])

    def jacobian(x, k):
        c = 1 + k * np.cos(TURN * x[0])
        return np.array([[1 + c, 1.0], [c, 1.0]])

    return bf.Map(f, {"k": k}, jacobian=jacobian, periodic=(1.0, 1.0))


def flashing(rule, **parameters):
    """A rule for all components but the last, beside one that goes from 1 to −1 and back: all cycles have period 2."""

    def f(x, **p):
        return np.append(rule(x[:-1], **p), -x[-1] * (3 - x[-1] ** 2) / 2)

    return bf.Map(f, parameters)


@pytest.mark.parametrize("k", [22, 30, 45])
def test_a_cycle_with_a_multiplier_of_two_to_the_k(k):
    states = np.sin(np.pi * np.mod(angle(k, 0.4142) * 2.0 ** np.arange(k), 1.0)) ** 2
    found = bf.solve(bf.maps.logistic(r=4.0), [tent_conjugate(k)], period=k)
    assert found.cycle is not None and found.residual < 1e-15
    assert abs(abs(found.multipliers[0]) / 2.0**k - 1.0) < 1e-12 * k
    # The states by the formula have lost a bit at every doubling of the angle.
    assert np.abs(found.cycle[:12, 0] - states[:12]).max() < 1e-11


@pytest.mark.parametrize("k", [20, 30, 40])
def test_multipliers_that_span_many_orders_have_the_product_one(k, rng):
    # Areas are kept, so that the multipliers are λ and 1/λ: the small one is right only if both are.
    map = perturbed_cat()
    orbit = bf.orbit(map, rng.uniform(0, 1, 2), 3000).states % 1.0
    apart = np.abs((orbit[k:] - orbit[:-k] + 0.5) % 1.0 - 0.5).max(axis=1)
    for i in np.argsort(apart)[:4].tolist():
        found = bf.solve(map, orbit[i], period=k)
        assert found.cycle is not None and found.residual < 1e-15 * 4
        large, small = found.multipliers.real
        assert abs(large) > 1.5**k and abs(large * small - 1.0) < 1e-12
        apart_by = np.abs((map(found.cycle[-1]) - found.cycle[0] + 0.5) % 1.0 - 0.5)
        assert apart_by.max() < 1e-14


def test_the_cost_is_linear_in_the_period():
    calls = {}
    for k in (16, 32, 64):
        count = [0]

        def f(x, r, count=count):
            count[0] += 1
            return r * x * (1 - x)

        map = bf.Map(f, {"r": 4.0}, jacobian=lambda x, r: np.array([[r * (1 - 2 * x[0])]]))
        found = bf.solve(map, [np.sin(np.pi / 5) ** 2 + 1e-4], period=k, multiple_shooting=True)
        calls[k] = count[0] / max(1, found.iterations)
    assert calls[64] < 5 * calls[16]


@pytest.mark.parametrize(("r", "period", "kinds"), [(3.7405, 5, ["LP", "PD"]), (3.845, 3, ["LP", "PD"])])
def test_special_points_are_those_of_the_equations_in_one_state(r, period, kinds):
    map = bf.maps.logistic(r=r)
    state = bf.orbit(map, [0.5], 1, transient=4000).states[0]
    bounds = {"r": (3.7, 3.86)}
    one, all_of_them = (
        bf.trace(bf.cycles(map, "r", state, period=period, multiple_shooting=asked), bounds) for asked in (False, True)
    )
    assert isinstance(all_of_them.curve.iterate, OrbitMap) and not isinstance(one.curve.iterate, OrbitMap)
    for kind in kinds:
        a, b = one.first(kind), all_of_them.first(kind)
        assert abs(a.parameters["r"] - b.parameters["r"]) < 1e-10
        assert a.form == b.form and a.state.shape == b.state.shape == (1,)
        (name,) = a.coefficients
        if abs(a.state - b.state) < 1e-8:
            assert abs(a.coefficients[name] - b.coefficients[name]) < 1e-4 * abs(a.coefficients[name])
        assert abs(b.errors[name]) < 1e-3 * abs(b.coefficients[name])
    flip = all_of_them.first("PD")
    doubled = bf.trace(bf.switch(flip), bounds)
    assert doubled.curve.period == 2 * period and isinstance(doubled.curve.iterate, OrbitMap)
    second = bf.trace(bf.switch(one.first("PD")), bounds)
    assert abs(doubled.first("PD").parameters["r"] - second.first("PD").parameters["r"]) < 1e-9
    assert doubled.states.shape[1:] == (1,)
    assert len(doubled.cycle_states(0)) == 2 * period


def test_a_neimark_sacker_point_of_a_two_cycle():
    # The delayed logistic map loses its fixed point at r = 2, with the multipliers e^{±iπ/3}: squared, e^{±2iπ/3}.
    map = flashing(lambda x, r: np.array([r * x[0] * (1 - x[1]), x[0]]), r=1.9)
    curve = bf.cycles(map, "r", [1 - 1 / 1.9, 1 - 1 / 1.9, 1.0], period=2, multiple_shooting=True)
    branch = bf.trace(curve, {"r": (1.8, 2.1)})
    point = branch.first("neimark-sacker")
    assert abs(point.parameters["r"] - 2.0) < 1e-10 and abs(point.angle - 2 * np.pi / 3) < 1e-9
    plain = bf.trace(bf.cycles(map, "r", curve.start[:3], period=2), {"r": (1.8, 2.1)}).first("neimark-sacker")
    for name, value in plain.coefficients.items():
        assert abs(point.coefficients[name] - value) < 1e-5 * abs(value)


def test_a_branch_point_of_a_two_cycle():
    map = flashing(lambda x, mu: x + mu * x - x**3, mu=-0.2)
    branch = bf.trace(bf.cycles(map, "mu", [0.0, 1.0], period=2, multiple_shooting=True), {"mu": (-0.5, 0.5)})
    point = branch.first("branch point")
    assert abs(point.parameters["mu"]) < 1e-9 and point.form == "pitchfork"
    other = bf.trace(bf.switch(point), {"mu": (-0.5, 0.5)})
    assert np.abs(other.states[:, 0] ** 2 - other["mu"]).max() < 1e-9


def test_a_branch_of_cycles_with_large_multipliers_reaches_its_bounds():
    map, k = bf.maps.logistic(r=4.0), 24
    branch = bf.trace(bf.cycles(map, "r", [tent_conjugate(k)], period=k), {"r": (4.0, 4.5)})
    assert branch.stop.last.reason == "bound" and max(point.residual for point in branch) < 1e-11
    assert abs(branch.points[0].multipliers[0]) > 1e6
    again = pickle.loads(pickle.dumps(branch))
    assert np.array_equal(again.states, branch.states)
    found = bf.solve(map, [tent_conjugate(k)], period=k)
    assert bf.cycles(map, "r", found).size == k
    assert np.array_equal(bf.cycles(map, "r", branch[0]).start[:-1], np.ravel(branch[0].unknowns))


def test_saved_solutions_come_back(tmp_path):
    found = bf.solve(bf.maps.logistic(r=4.0), [tent_conjugate(22)], period=22)
    bf.save(found, tmp_path / "solution")
    again = bf.load(tmp_path / "solution")
    assert np.array_equal(again.cycle, found.cycle) and np.array_equal(again.multipliers, found.multipliers)


def test_short_or_tame_cycles_are_solved_for_as_before():
    assert bf.solve(bf.maps.logistic(r=3.5), [0.5], period=4).cycle is None
    assert bf.solve(bf.maps.logistic(r=3.55), [0.5], period=8).cycle is None
    assert not isinstance(bf.cycles(bf.maps.logistic(r=3.55), "r", [0.5], period=16).iterate, OrbitMap)


def test_deflation_with_multiple_shooting_stays_away_from_known_cycles():
    known = [bf.solve(bf.maps.logistic(r=4.0), [tent_conjugate(24, place)], period=24) for place in (0.4142, 0.2718)]
    away = bf.Deflation([s.state for s in known])
    other = bf.solve(bf.maps.logistic(r=4.0), [tent_conjugate(24)], period=24, deflation=away)
    # There are 2²⁴ points of period 24 in [0, 1]: neighbours are about 1e-7 apart.
    assert other.residual < 1e-13 and min(abs(other.state - s.cycle).min() for s in known) > 1e-10


def test_the_equations_of_an_orbit_are_those_of_its_states(rng):
    map = bf.maps.henon()
    x, p = rng.uniform(-0.5, 0.5, (4, 2)), dict(map.parameters)
    equations, iterate = OrbitMap(map, (4, 2), 4), IteratedMap(map, (2,), 4)
    orbit = equations.orbit(x.ravel(), p)
    assert np.array_equal(orbit[1].reshape(4, 2)[1], map(x[0]))
    v = rng.standard_normal(8)
    h = 1e-6
    difference = (equations.orbit(x.ravel() + h * v, p)[1] - equations.orbit(x.ravel() - h * v, p)[1]) / (2 * h)
    assert np.abs(equations.jvp(orbit, v, p) - difference).max() < 1e-8
    J = equations.jacobian(orbit, p)
    M = bf.linalg.shifted(J, 1.0)
    assert np.abs(M @ v - (equations.jvp(orbit, v, p) - v)).max() < 1e-14
    true = np.eye(2)
    for state in x:
        true = iterate._single(state, p) @ true
    assert np.allclose(np.sort(bf.linalg.spectrum(J).values), np.sort(np.linalg.eigvals(true)), rtol=1e-12)
    change = equations.jacobian_derivative(x.ravel(), v[:, None], v, {"a": 0.3}, p)
    ahead, behind = (
        equations._jacobian_along(x.ravel() + t * v, {**p, "a": p["a"] + 0.3 * t}, v[:, None], None) for t in (h, -h)
    )
    assert np.abs(change - (ahead - behind) / (2 * h)).max() < 1e-6


@pytest.mark.parametrize("asked", [1, "yes"])
def test_what_is_refused(asked):
    with pytest.raises(InvalidInput, match="multiple_shooting"):
        bf.solve(bf.maps.logistic(), [0.5], period=8, multiple_shooting=asked)
    with pytest.raises(InvalidInput, match="matrices"):
        bf.solve(bf.maps.logistic(), [0.5], period=8, multiple_shooting=True, method=bf.NewtonKrylov())


def test_domains_and_borders_are_looked_at_in_every_state():
    map = bf.Map(lambda x, a: 1 - a * abs(x), {"a": 1.3}, borders=lambda x, a: x, domain=lambda x, a: x + 2.0)
    x, p = np.array([[0.2], [-0.5], [0.7]]), {"a": 1.3}
    equations = OrbitMap(map, (3, 1), 3)
    orbit = equations.orbit(x.ravel(), p)
    assert equations.margin(orbit, p) == 1.5
    assert np.array_equal(equations.border_signs(orbit, p), [0.2, -0.5, 0.7])


def test_the_least_period_is_found():
    found = bf.solve(bf.maps.logistic(r=4.0), [0.75], period=12, multiple_shooting=True)
    assert found.period == 1 and abs(found.multipliers[0] + 2.0) < 1e-12 and found.note
    states = np.sin(np.pi * np.array([1, 2, 3]) / 7) ** 2
    found = bf.solve(bf.maps.logistic(r=4.0), [states[0] + 1e-7], period=12, multiple_shooting=True)
    assert found.period == 3 and found.cycle.shape == (3, 1) and abs(abs(found.multipliers[0]) - 8.0) < 1e-10


@pytest.mark.parametrize("asked", [False, True])
def test_a_closed_curve_of_two_cycles_is_run_through_once(asked):
    # The circle (x − 1/2)² + p² = 1/16 of fixed points, beside a component that goes from 1 to −1 and back.
    map = flashing(lambda x, p: x + 0.5 * ((x - 0.5) ** 2 + p**2 - 1 / 16), p=0.1)
    curve = bf.cycles(map, "p", [0.7, 1.0], period=2, multiple_shooting=asked)
    branch = bf.trace(curve, {"p": (-1.0, 1.0)})
    assert branch.stop.last.reason == "closed" and [point.label for point in branch.special].count("LP") == 2
