"""Connecting orbits in three dimensions: a curve and a saddle whose own manifold is a surface."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput


def generalised_henon(z, alpha, beta, r):
    return [z[1], alpha - beta * z[0] - z[1] ** 2 + r * z[0] * z[1]]


def with_third(rate):
    """The generalised Hénon map with a third unknown that neither changes its connecting orbits nor is decoupled."""

    def f(z, alpha, beta, r):
        bend = 0.1 * z[2]
        x = np.array([z[0] - bend, z[1]])
        image = generalised_henon(x, alpha, beta, r)
        third = rate * z[2] + 0.1 * x[0] * z[2]
        return np.array([image[0] + 0.1 * third, image[1], third])

    return bf.Map(f, {"alpha": -0.4, "beta": 1.03, "r": -0.1})


def folds(orbit):
    branch = bf.trace(bf.connections(orbit, "beta"), {"beta": (0.9, 1.2)})
    assert branch.stop.last.reason == "closed" and branch.doubts == ()
    return sorted(point.parameters["beta"] for point in branch.of("tangency"))


def adaptive_control(x, B, C, K):
    y = B * x[0] + K + x[2] * x[1]
    return np.array([x[1], y, x[2] - K * x[1] / (C + x[1] ** 2) * (y - 1)])


# MatcontM's folds of this homoclinic orbit, 0.997 and 1.110, the second one as in tests/data/global.json.
FOLDS = [0.99698, 1.1097631496768]


@pytest.mark.slow
def test_a_curve_to_a_saddle_with_a_stable_surface():
    saddle = bf.solve(with_third(0.2), [-1.62, -1.62, 0.0])
    found = bf.connecting_orbits(bf.manifold(saddle, length=20.0, side=1), saddle)
    assert found.doubts == () and len(found.orbits) == 2
    for point in found:
        images = np.array([saddle.map(x) for x in point.states[:-1]])
        assert np.abs(images - point.states[1:]).max() < 1e-12 and point.error < 1e-12
        assert point.is_homoclinic and np.isnan(point.s) and np.isnan(point.arclengths[1]) and point.stable_half[1] == 0
    assert "arclength " in str(found) and "nan" not in str(found)
    assert folds(found.orbits[0]) == pytest.approx(FOLDS, abs=1e-6)


@pytest.mark.slow
def test_a_saddle_with_an_unstable_surface_to_a_curve():
    saddle = bf.solve(with_third(5.0), [-1.62, -1.62, 0.0])
    found = bf.connecting_orbits(saddle, bf.manifold(saddle, stable=True, length=20.0, side=1))
    assert len(found.orbits) >= 1 and np.isnan(found.points[0].t)
    point = found.points[0]
    images = np.array([saddle.map(x) for x in point.states[:-1]])
    assert np.abs(images - point.states[1:]).max() < 1e-11 and found.points[0].error < 1e-11
    assert folds(point) == pytest.approx(FOLDS, abs=1e-6)


def test_orbits_in_the_plane_are_those_that_two_curves_have():
    saddle = bf.solve(bf.maps.henon(a=1.4, b=0.3), [0.6, 0.2])
    unstable = bf.manifold(saddle, length=8.0, tolerance=1e-3)
    with_curve = bf.connecting_orbits(unstable, bf.manifold(saddle, stable=True, length=2.0, tolerance=1e-3))
    with_saddle = bf.connecting_orbits(unstable, saddle)
    known = np.array([point.point for point in with_curve])
    near = [p for p in with_saddle if np.abs(p.point - saddle.state).max() < 0.05]
    assert near and all(np.abs(known - p.point).max(axis=1).min() < 1e-10 for p in near)


@pytest.mark.slow
def test_between_the_points_of_a_cycle_within_two_folds_that_are_near_each_other():
    # MatcontM's heteroclinic orbit of the adaptive control map. With C as an unknown of Newton's method its states
    # converge to C = 0.09851986, between two folds that are 5e-8 apart.
    m = bf.Map(adaptive_control, {"B": -0.53, "C": 0.09851988, "K": 1.43})
    cycle = bf.solve(m, [0.551, 0.5824, 0.8449], period=3)
    found = bf.connecting_orbits(bf.manifold(cycle, length=1.3571, tolerance=1e-2, side=-1), cycle)
    assert len(found.orbits) == 2 and not found.points[0].is_homoclinic and found.doubts == ()
    branch = bf.trace(bf.connections(found.orbits[0], "C"), {"C": (0.08, 0.12)})
    folds = sorted(p.parameters["C"] for p in branch.of("tangency"))
    assert folds == pytest.approx([0.0985198569, 0.0985199045], abs=1e-10)
    theirs = np.array([[0.627778, 0.602931, 0.738813], [1.205061, 0.656133, 0.250519], [1.571402, 0.586553, 0.054146]])
    # Their states, corrected there, are elsewhere along the same curve.
    points = found.unstable.branches[0].points
    curve = np.column_stack(
        [np.interp(np.linspace(0, len(points) - 1, 5000), np.arange(len(points)), c) for c in points.T]
    )
    assert all(np.linalg.norm(curve - x, axis=1).min() < 0.03 for x in theirs)


def test_the_mesh_of_a_manifold_that_nears_a_sink_stays_small():
    # The unstable half winds into a sink: the image of a mesh is as many points on ever less length.
    f = lambda x, a: np.array([x[0] + 0.3 * x[0] * (1.0 - x[0]), 0.9 * x[1] + a * x[0] ** 2])  # noqa: E731
    saddle = bf.solve(bf.Map(f, {"a": 0.05}), [0.0, 0.0])
    (half,) = bf.manifold(saddle, iterates=60, side=1, tolerance=1e-3).branches
    assert half.reason == "iterates" and len(half.t) < 300
    assert np.abs(half.points[-1] - [1.0, 0.5]).max() < 5e-3  # 0.9^60 away


@pytest.mark.parametrize("words", ["two saddles are given", "2 multipliers outside", "have shapes", "curves among"])
def test_what_does_not_fit_is_refused(words):
    saddle = bf.solve(with_third(0.2), [-1.62, -1.62, 0.0])
    other = bf.solve(with_third(5.0), [-1.62, -1.62, 0.0])
    plane = bf.solve(bf.maps.henon(a=1.4, b=0.3), [0.6, 0.2])
    curve = bf.manifold(saddle, length=0.5)
    given = {
        "two saddles are given": (saddle, saddle),
        "2 multipliers outside": (curve, other),
        "have shapes": (curve, plane),
        "curves among": (curve, bf.manifold(other, stable=True, length=0.5)),
    }[words]
    with pytest.raises(InvalidInput, match=words):
        bf.connecting_orbits(*given)
