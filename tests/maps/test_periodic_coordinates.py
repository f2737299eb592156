"""Maps of the circle and the torus: cycles that wind, copies that are one, loops that close in the lift."""

import dataclasses

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput
from bifurcate.maps.batched_map import batched_map
from bifurcate.maps.batches import BatchRows
from bifurcate.maps.iterated_map import IteratedMap

TURN = 2 * np.pi


def standard(k, reduced=True, turn=TURN):
    """Chirikov's standard map on a torus of period 2π, or of another period; f reduces its values, or does not."""

    def f(x, k):
        a = TURN / turn
        y = x[1] + k * np.sin(a * x[0]) / a
        z = np.array([x[0] + y, y])
        return np.mod(z, turn) if reduced else z

    return bf.Map(f, {"k": k}, periodic=(turn, turn))


def circle(omega=0.5, K=0.9):
    return bf.Map(lambda x, omega, K: x + omega + K / TURN * np.sin(TURN * x), {"omega": omega, "K": K}, periodic=1.0)


@pytest.mark.parametrize("reduced", [True, False])
def test_cycles_of_the_standard_map_are_found_without_copies(reduced, rng):
    # The six points of period 1 and 2 that PeriodicOrbits.jl's test finds: two fixed points and two 2-cycles.
    found = bf.deflate(standard(0.971635, reduced), rng.uniform(0, TURN, (30, 2)), period=2)
    assert sorted(s.period for s in found.solutions) == [1, 1, 2, 2]
    for period in (1, 2):
        for s in found.of(period):
            assert abs(np.prod(s.multipliers) - 1.0) < 1e-9  # areas are kept
    again = bf.deflate(standard(0.971635, reduced), [[0.1, TURN], [TURN, TURN - 0.1], [0.1, 3 * TURN]])
    assert len(again.solutions) == 2  # (0, 0), and (π, 0)


@pytest.mark.parametrize("turn", [TURN, 1.0, 3e4])
@pytest.mark.parametrize("reduced", [True, False])
def test_multipliers_on_the_cut_of_the_coordinates(turn, reduced):
    # At (0, 0) the trace of the derivative is 2 + k, at (π, 0) it is 2 − k: both lie where f reduces its values.
    map = dataclasses.replace(standard(1.5, reduced, turn), scale=turn)
    for x, trace in ((0.0, 3.5), (0.5, 0.5)):
        found = bf.solve(map, [x * turn, 0.0])
        assert abs(found.multipliers.sum() - trace) < 1e-9


def test_a_three_cycle_that_winds_is_followed_across_the_cut():
    branch = bf.trace(bf.cycles(standard(0.971635), "k", [0.0, 1.7774], period=3), {"k": (0.5, 1.5)})
    assert [end.reason for end in branch.stop] == ["bound", "bound"]
    point = branch.points[0]
    x = point.state
    angles = []
    for _ in range(3):
        angles.append(x[0])
        y = x[1] + point.parameters["k"] * np.sin(x[0])
        x = np.array([x[0] + y, y])
    turns = (x - point.state) / TURN
    assert np.abs(turns - np.round(turns)).max() < 1e-9 and np.round(turns[0]) != 0
    product = np.eye(2)
    for angle in angles:
        c = point.parameters["k"] * np.cos(angle)
        product = np.array([[1 + c, 1.0], [c, 1.0]]) @ product
    assert abs(np.trace(product) - point.multipliers.sum()) < 1e-8


def test_the_cycle_of_rotation_number_one_half():
    found = bf.solve(circle(), [0.03], period=2)
    assert abs(found.state[0]) < 1e-10
    assert abs(found.multipliers[0] - (1 - 0.9**2)) < 1e-9


def test_the_edges_of_the_tongue_of_rotation_number_zero():
    # x + Ω + K sin(2πx)/2π = x + n has solutions for |Ω − n| ≤ K/2π; its fixed points form a loop around the circle.
    map = circle(omega=1.05)
    branch = bf.trace(bf.cycles(map, "omega", bf.solve(map, [0.4])), {"omega": (0.5, 1.5)})
    assert branch.stop[1].reason == "closed"
    assert [p.label for p in branch.special].count("LP") == 2
    edges = sorted(p.parameters["omega"] for p in branch.special if p.label == "LP")
    assert np.abs(np.array(edges) - [1 - 0.9 / TURN, 1 + 0.9 / TURN]).max() < 1e-10
    for p in branch.special:
        assert p.form == "fold"


def test_a_loop_in_the_lift_is_one_branch_of_a_diagram():
    map = circle(omega=0.05)
    starts = [bf.cycles(map, "omega", bf.solve(map, [x])) for x in (0.4, 1.4, -3.0, 0.0)]
    diagram = bf.explore(starts, {"omega": (-0.5, 0.5)})
    assert len(diagram.branches) == 1


def test_a_doubling_across_the_cut():
    # On the circle x ↦ x + Ω + K sin 2πx / 2π the fixed point with cos 2πx < 0 has the multiplier 1 + K cos 2πx.
    map = circle(omega=0.0, K=1.5)
    branch = bf.trace(bf.cycles(map, "K", [0.5]), {"K": (1.0, 2.5)})
    flip = branch.first("flip")
    assert abs(flip.parameters["K"] - 2.0) < 1e-9
    # x = 1/2 + y: y − (K/2π) sin 2πy; cubic coefficient c = K (2π)²/6, b = c + a²/… with a = 0 here.
    assert abs(flip.coefficients["b"] - 2.0 * TURN**2 / 6) < 1e-5
    doubled = bf.trace(bf.switch(flip), {"K": (1.0, 2.5)})
    assert doubled.curve.period == 2


def test_a_map_of_the_circle_of_degree_two():
    doubling = bf.Map(lambda x: np.mod(2 * x, 1.0), {}, periodic=1.0)
    found = bf.deflate(doubling, np.linspace(0.05, 0.95, 7)[:, None], period=3)
    points = sorted(float(np.mod(s.state[0] + 1e-12, 1.0)) for s in found.solutions)
    assert [s.period for s in found.solutions].count(3) == 2 and len(points) == 3
    assert all(min(abs(7 * x - round(7 * x)) for x in [p]) < 1e-9 for p in points)


@pytest.mark.parametrize("periodic", [-1.0, "x", (1.0, "y"), (0.0,), (np.inf,)])
def test_periods_that_are_refused(periodic):
    with pytest.raises(InvalidInput, match="periodic"):
        bf.Map(lambda x: x, {}, periodic=periodic)


def test_a_coordinate_that_has_no_such_period_is_refused():
    with pytest.raises(InvalidInput, match="not periodic"):
        bf.Map(lambda x: np.sin(x), {}, periodic=3.0).check([0.3])
    with pytest.raises(InvalidInput, match="2 entries"):
        bf.Map(lambda x: x, {}, periodic=(1.0, None)).check([0.3])


@pytest.mark.parametrize("periodic", [1.0, (1.0, None)])
@pytest.mark.parametrize("turns", [0, 1000, -(10**6)])
def test_derivatives_are_those_of_the_reduced_state(periodic, turns):
    # An orbit in the lift may have gone round any number of times: differences must not be longer for that.
    if periodic == 1.0:
        map, x = circle(), np.array([0.3])
        exact = np.array([[1.0 + 0.9 * np.cos(TURN * 0.3)]])
    else:
        map = bf.Map(lambda z: np.array([z[0] + 0.1, np.cos(TURN * z[0]) + 0.5 * z[1]]), {}, periodic=periodic)
        x = np.array([0.3, 0.2])
        exact = np.array([[1.0, 0.0], [-TURN * np.sin(TURN * 0.3), 0.5]])
    x[0] += turns
    allowed = 1e-8 + 1e-12 * abs(turns)  # rounding of the state, over a step of a thousandth
    p = dict(map.parameters)
    assert np.abs(IteratedMap(map, x.shape).jacobian([x, x], p) - exact).max() < allowed
    for v in (*np.eye(len(x)), np.ones(len(x))):
        assert np.abs(map.tangent(x, v, p) - exact @ v).max() < allowed
    batched = batched_map(map, BatchRows(np.tile(x, (3, 1)), p))
    assert np.abs(batched.jacobians(np.tile(x, (3, 1)), p) - exact).max() < allowed


def test_exponents_of_an_orbit_that_goes_round():
    # ln|b cos| has the mean ln(b/2): the second exponent. The first is that of the rotation.
    w = (np.sqrt(5.0) - 1.0) / 2.0
    map = bf.Map(lambda z: np.array([z[0] + w, 0.5 * np.cos(TURN * z[0]) * np.tanh(z[1])]), {}, periodic=(1.0, None))
    found = bf.lyapunov(map, [0.3, 0.0], steps=2000, count=2)
    assert abs(found.values[0]) < 1e-9 and abs(found.values[1] - np.log(0.25)) < 3 * found.errors[1]
    assert abs(bf.lyapunov(map, [0.3, 0.0], steps=2000).values[0]) < 1e-3


@pytest.mark.parametrize("reduced", [True, False])
def test_exponents_over_parameters_do_not_see_the_cut(reduced):
    # Exponents of rotations are 0, at places where the orbit crosses the cut within a difference, too.
    def f(x, a, b):
        y = x + a + b
        return np.mod(y, TURN) if reduced else y

    map = bf.Map(f, {"a": 0.0, "b": 0.1}, periodic=TURN)
    found = bf.parameter_plane(map, {"a": [0.0, 1e-7, 1.0], "b": [TURN / 64, 0.3]}, start=[0.0], exponents=2000)
    assert np.abs(found.exponents).max() < 1e-8
