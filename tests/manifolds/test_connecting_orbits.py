"""Homoclinic and heteroclinic points and tangencies, against Taylor parametrisations in 40 digits and other tools."""

import dataclasses
import json
import pathlib

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput
from bifurcate.manifolds.connecting_orbit import Half
from bifurcate.manifolds.polygon_meetings import meetings
from bifurcate.manifolds.saddle_direction import saddle_directions
from bifurcate.maps.connection_map import ConnectionMap

VALUES = {
    each["name"]: each
    for each in json.loads((pathlib.Path(__file__).parents[1] / "data/global.json").read_text())["entries"]
}
TURN = 2.0 * np.pi


def henon_orbits(a, b, length, of=(0.6, 0.2), to=None, tolerance=1e-4):
    first = bf.solve(bf.maps.henon(a=a, b=b), list(of))
    second = first if to is None else bf.solve(bf.maps.henon(a=a, b=b), list(to))
    unstable = bf.manifold(first, length=length[0], tolerance=tolerance)
    return bf.connecting_orbits(unstable, bf.manifold(second, stable=True, length=length[1], tolerance=tolerance))


def generalised_henon(alpha, beta, R):
    f = lambda z, alpha, beta, R: np.array([z[1], alpha - beta * z[0] - z[1] ** 2 + R * z[0] * z[1]])  # noqa: E731
    return bf.Map(f, {"alpha": alpha, "beta": beta, "R": R})


def same(found, values, tolerance):
    """Each value is found, and nothing else."""
    return len(found) == len(values) and all(np.abs(found - v).max(axis=-1).min() < tolerance for v in np.array(values))


def test_all_homoclinic_points_of_the_henon_map():
    case = VALUES["homoclinic_henon_1.4"]["value"]
    found = henon_orbits(1.4, 0.3, (4.28, 7.6), tolerance=1e-7)
    assert same(np.array([each.point for each in found]), [row[:2] for row in case], 1e-13)
    assert same(np.array([each.arclengths for each in found]), [row[2:] for row in case], 2e-6)
    assert not found.doubts and all(each.error < 1e-13 and each.is_homoclinic for each in found)
    assert all(np.abs(each.problem.orbit(each.unknowns.ravel(), each.parameters)[-1]).max() < 2.0 for each in found)


def test_the_primary_homoclinic_orbit_is_found_once():
    x = np.array(VALUES["primary_homoclinic_henon_1.4"]["value"])
    found = henon_orbits(1.4, 0.3, (4.28, 7.6))
    (primary,) = [each for each in found.orbits if np.abs(each.point - x).max() < 1e-13]
    # Its image and its preimage on these arcs are points of the same orbit.
    mine = [each.point for each in found if each.number == primary.number]
    henon = bf.maps.henon(a=1.4, b=0.3)
    assert len(mine) == 3 and len(found.orbits) == 6
    assert min(np.abs(henon(x) - each).max() for each in mine) < 1e-12
    assert primary.angle == pytest.approx(0.7105, abs=1e-3)


def test_homoclinic_points_of_the_standard_map_on_the_torus():
    def f(x, k):
        p = x[1] + k * np.sin(x[0])
        return np.mod(np.array([x[0] + p, p]), TURN)

    saddle = bf.solve(bf.Map(f, {"k": 1.5}, periodic=(TURN, TURN)), [0.01, 0.01])
    found = bf.connecting_orbits(bf.manifold(saddle, length=6.5, side=1), bf.manifold(saddle, stable=True, length=6.5))
    wanted = np.array(VALUES["homoclinic_std_1.5_second"]["value"])
    apart = np.array([(each.point - wanted + np.pi) % TURN - np.pi for each in found])
    assert np.abs(apart).max(axis=1).min() < 1e-13
    # By the reversing symmetry there is one on x = π as well, and these two orbits are different.
    on_axis = [each for each in found if abs((each.point[0] - np.pi + np.pi) % TURN - np.pi) < 1e-12]
    assert on_axis and len({each.number for each in found}) >= 2


def test_a_map_without_homoclinic_points_has_none():
    f = lambda x, a: np.array([2.0 * x[0], 0.5 * x[1] + a * x[0] ** 2])  # noqa: E731
    saddle = bf.solve(bf.Map(f, {"a": 1.0}), [0.0, 0.0])
    found = bf.connecting_orbits(bf.manifold(saddle, length=3.0), bf.manifold(saddle, stable=True, length=3.0))
    assert len(found) == 0 and found.doubts == () and found.orbits == ()


TANGENCIES = {
    "tangency_henon_1.3924": lambda: (henon_orbits(1.4, 0.3, (6.0, 10.0)), "a", (1.38, 1.41)),
    "tangency_henon_minus": lambda: (henon_orbits(1.45, 0.3, (16.0, 40.0), (-1.1, -0.3)), "a", (1.42, 1.46)),
    "crisis_henon_b0.1": lambda: (henon_orbits(1.85, 0.1, (8.0, 12.0), (0.6, 0.1), (-1.1, -0.1)), "a", (1.79, 1.86)),
    "crisis_henon_b0.2": lambda: (henon_orbits(1.66, 0.2, (8.0, 12.0), (0.6, 0.1), (-1.1, -0.1)), "a", (1.6, 1.67)),
}


SLOW = {"tangency_henon_1.3924", "tangency_henon_minus"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in TANGENCIES])
def test_tangencies_of_the_henon_map(name):
    found, free, bounds = TANGENCIES[name]()
    value, errors = VALUES[name]["value"], []
    for orbit in found.orbits:
        for point in bf.trace(bf.connections(orbit, free), {free: bounds}).of("tangency"):
            errors.append(abs(point.parameters[free] - value))
            assert point.error < 1e-13
        if errors and min(errors) < 1e-13:
            break
    assert min(errors) < 1e-13


def test_folds_of_a_homoclinic_orbit_of_the_generalised_henon_map():
    # MatcontM's test run: folds at 0.997 and 1.110, between which the branch oscillates; here it closes.
    saddle = bf.solve(generalised_henon(-0.4, 1.03, -0.1), [-1.62, -1.62])
    unstable = bf.manifold(saddle, length=6.5, side=1)
    found = bf.connecting_orbits(unstable, bf.manifold(saddle, stable=True, length=6.5))
    branch = bf.trace(bf.connections(found.orbits[0], "beta"), {"beta": (0.9, 1.2)})
    folds = sorted(point.parameters["beta"] for point in branch.of("tangency"))
    assert folds == pytest.approx([0.997, 1.110], abs=6e-4)
    assert abs(folds[1] - VALUES["ghm_homoclinic_1.110"]["value"]) < 1e-13
    assert branch.stop.last.reason == "closed" and branch.doubts == ()


def test_folds_of_a_heteroclinic_orbit_between_saddles_with_negative_multipliers():
    m = generalised_henon(0.3, -1.057, -0.5)
    upper, lower = bf.solve(m, [0.46, 0.46]), bf.solve(m, [-0.43, -0.43])
    found = bf.connecting_orbits(bf.manifold(upper, length=3.0, side=1), bf.manifold(lower, stable=True, length=4.0))
    assert not any(orbit.is_homoclinic for orbit in found)
    branch = bf.trace(
        bf.connections(found.orbits[0], "beta"), {"beta": (-1.2, -0.9)}, control=bf.StepControl(largest=0.1)
    )
    folds = sorted(point.parameters["beta"] for point in branch.of("tangency"))
    assert folds == pytest.approx([-1.070, -1.009], abs=6e-4)
    assert abs(folds[1] - VALUES["ghm_heteroclinic_-1.009"]["value"]) < 1e-13
    assert branch.stop.last.reason == "closed"


@pytest.mark.slow
def test_tangencies_are_followed_in_two_parameters():
    found = henon_orbits(1.85, 0.1, (8.0, 12.0), (0.6, 0.1), (-1.1, -0.1))
    branch = bf.trace(bf.connections(found.orbits[0], "a"), {"a": (1.79, 1.9)})
    curve = bf.trace(bf.locus(branch.first("tangency"), "b"), {"a": (1.5, 2.1), "b": (-0.01, 0.2)})
    ends = sorted([point.parameters["b"], point.parameters["a"]] for point in (curve[0], curve[-1]))
    assert ends[1] == pytest.approx([0.2, VALUES["crisis_henon_b0.2"]["value"]], abs=1e-9)
    # b → 0: the crisis of x ↦ 1 − a x² at a = 2, along a = 2 − 2b + …
    near = np.abs(curve["b"]) < 0.02
    assert near.any() and np.abs(curve["a"][near] - 2.0 + 2.0 * curve["b"][near]).max() < 5.0 * 0.02**2


def test_a_boundary_crisis_is_named_and_another_tangency_is_not():
    found = henon_orbits(1.85, 0.1, (6.0, 12.0), (0.6, 0.1), (-1.1, -0.1))
    point = bf.trace(bf.connections(found.orbits[0], "a"), {"a": (1.79, 1.86)}).first("tangency")
    named = bf.crisis(point)
    assert named.name == "boundary crisis" and named.escaped == (0.0, 1.0) and "boundary crisis" in str(named)
    born = henon_orbits(1.2, 0.3, (2.0, 2.0)).orbits[0]  # the tangle is born: no attractor ends
    other = bf.trace(bf.connections(born, "a"), {"a": (1.1, 1.25)}).first("tangency")
    assert bf.crisis(other, steps=500).name == "" and other.parameters["a"] == pytest.approx(1.1536, abs=1e-3)
    with pytest.raises(InvalidInput, match="no tangency"):
        bf.crisis(bf.special_point(bf.maps.logistic(r=2.9), "flip", free="r", guess=[0.66]))


@pytest.mark.slow
def test_an_interior_crisis_is_named():
    # The window of period 7 ends where its saddle touches the seven pieces of the attractor: the literature has 1.2717.
    saddle = bf.solve(bf.maps.henon(a=1.2725, b=0.3), [-0.9705, 0.3765], period=7)
    unstable = bf.manifold(saddle, length=0.3, side=-1)
    found = bf.connecting_orbits(unstable, bf.manifold(saddle, stable=True, length=0.3, side=-1))
    point = bf.trace(bf.connections(found.orbits[0], "a"), {"a": (1.271, 1.273)}).first("tangency")
    assert point.parameters["a"] == pytest.approx(1.271686, abs=2e-6)
    # Seven pieces below, one above: of direct iteration, without manifolds.
    cells = []
    for a in (1.271, 1.2725):
        states = bf.orbit(bf.maps.henon(a=a, b=0.3), [0.1, 0.1], 20_000, transient=5000).states
        cells.append(len(np.unique((states * [20.0, 60.0]).round(), axis=0)))
    named = bf.crisis(point, distance=6e-4)
    assert cells[1] > 1.5 * cells[0] and named.name == "interior crisis" and named.escaped == (0.0, 0.0)
    assert named.cells[1] > 1.5 * named.cells[0] and "interior crisis" in str(named)


def test_the_derivatives_of_the_boundary_value_problem():
    for orbit in (
        henon_orbits(1.4, 0.3, (2.0, 2.0)).orbits[0],
        henon_orbits(1.85, 0.1, (8.0, 12.0), (0.6, 0.1), (-1.1, -0.1)).orbits[0],
    ):
        problem, x, p = orbit.problem, orbit.unknowns.ravel(), dict(orbit.parameters)
        rng = np.random.default_rng(0)
        moved = x + 1e-6 * rng.standard_normal(len(x))
        G = lambda y, q=p, problem=problem: problem.orbit(y, q)[-1] - y  # noqa: E731
        v = rng.standard_normal(len(x))
        slope = (G(moved + 1e-6 * v) - G(moved - 1e-6 * v)) / 2e-6
        assert np.abs(problem.derivative(moved, p) @ v - slope).max() < 1e-7
        up, down = ({**p, "a": p["a"] + sign * 1e-6} for sign in (1.0, -1.0))
        slope = (G(moved, up) - G(moved, down)) / 2e-6
        assert np.abs(problem.parameter_derivative([moved], p, "a") - slope).max() < 1e-7
        assert isinstance(problem, ConnectionMap) and np.abs(G(x)).max() < 1e-13


def test_orbits_between_cycles():
    # The 2-cycle of the Hénon map at (1.4, .3) and its manifolds: homoclinic orbits of f².
    cycle = bf.solve(bf.maps.henon(a=1.4, b=0.3), [0.97, -0.14], period=2)
    unstable = bf.manifold(cycle, length=3.0)
    found = bf.connecting_orbits(unstable, bf.manifold(cycle, stable=True, length=3.0))
    assert len(found) > 0
    for orbit in found.orbits[:3]:
        x = orbit.states
        image = np.array([cycle.map(cycle.map(z)) for z in x[:-1]])
        assert np.abs(image - x[1:]).max() < 1e-12
        assert max(np.abs(x[0] - orbit.saddles[0]).max(), np.abs(x[-1] - orbit.saddles[1]).max()) < 1e-5


def test_meetings_of_polygons():
    t = np.linspace(0.0, 3.0, 40)
    wave, line = np.column_stack([t, np.sin(np.pi * t)]), np.column_stack([t + 1e-3, 0.0 * t])
    crossings = [each for each in meetings(wave, line, 1e-6) if each.distance == 0.0]
    assert len(crossings) >= 2
    above = np.column_stack([t, 0.0 * t + 1.0 + 1e-3])  # near the crest twice, crossing nowhere
    near = meetings(wave, above, 2e-2)
    assert near and all(each.distance > 0.0 for each in near)


@pytest.mark.parametrize("words", ["unstable is the stable", "other parameters|different parameters", "have shapes"])
def test_what_does_not_belong_together_is_refused(words):
    a = bf.solve(bf.maps.henon(a=1.4, b=0.3), [0.6, 0.2])
    b = bf.solve(bf.maps.henon(a=1.3, b=0.3), [0.6, 0.2])
    solid = bf.solve(bf.Map(lambda x: np.array([2 * x[0], 0.5 * x[1], 0.4 * x[2]]), {}), [0.0, 0.0, 0.0])
    given = {
        "unstable is the stable": (bf.manifold(a, stable=True, length=1.0), bf.manifold(a, stable=True, length=1.0)),
        "other parameters|different parameters": (bf.manifold(a, length=1.0), bf.manifold(b, stable=True, length=1.0)),
        "have shapes": (bf.manifold(solid, length=1.0), bf.manifold(a, stable=True, length=1.0)),
    }[words]
    with pytest.raises(InvalidInput, match=words):
        bf.connecting_orbits(*given)


def test_a_result_from_a_file_goes_on(tmp_path):
    found = henon_orbits(1.4, 0.3, (2.0, 2.0))
    bf.save(found, tmp_path / "orbits.npz")
    again = bf.load(tmp_path / "orbits.npz")
    assert np.array_equal(again.points[0].unknowns, found.points[0].unknowns) and str(again) == str(found)
    first, second = (bf.trace(bf.connections(each.orbits[0], "a"), {"a": (1.39, 1.41)}) for each in (found, again))
    assert np.array_equal(first.states, second.states)


def test_arclength_along_a_half_of_few_points():
    saddle = bf.solve(bf.Map(lambda x, a: np.array([a * x[0], x[1] / 2]), {"a": 2.0}), [0.0, 0.0])
    unstable = bf.manifold(saddle, length=1.0, side=1)  # straight: t is arclength
    for t in np.array([0.0, 1.0]), np.array([0.0, 0.7, 1.0]), np.linspace(0.0, 1.0, 6):
        few = dataclasses.replace(unstable.branches[0], points=np.outer(t, [1.0, 0.0]), t=t, arclength=t)
        half = Half.of(unstable, few, saddle_directions(saddle, stable=False)[0])
        assert half.arclength_at(0.3) == pytest.approx(0.3, abs=1e-12)
