"""Curves of special points of the Hénon map on b = −1, where it preserves areas: d = 0 along Neimark–Sacker curves."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.curves.step_cache import StepCache

BOUNDS = {"a": (-1.4, 5.0), "b": (-1.2, 0.9)}


@pytest.fixture(scope="module")
def turning():
    # The curve leaves R1, at a = −1, where folds turn: neither parameter moves along it there.
    branch = bf.trace(bf.cycles(bf.maps.henon(a=0.2, b=0.3), "a", [0.6, 0.2]), {"a": (-0.5, 0.25)})
    folds = bf.trace(bf.locus(branch.first("fold"), "b"), {"a": (-1.4, 0.0), "b": (-1.05, 0.4)})
    (curve,) = (each for each in bf.switches(folds.first("R1")) if each.kind == "neimark-sacker")
    return bf.trace(curve, BOUNDS)


def test_a_coefficient_that_vanishes_along_a_curve_is_told_once_and_never_a_point(turning):
    assert not turning.of("chenciner")
    (doubt,) = turning.doubts
    assert "chenciner" in doubt and "degenerate" in doubt
    # On b = −1 the fixed points have κ = −a x.
    for label, a in (("R1", -1.0), ("R4", 0.0), ("R3", 1.25), ("R2", 3.0)):
        assert abs(turning.first(label).parameters["a"] - a) < 1e-10


def test_neutral_saddles_are_followed_to_the_bound_in_steps_of_the_parameters(turning):
    # κ falls to −50 and beyond on one of the curves of 3-cycles; its points are exact all the way.
    ends = []
    for curve in bf.switches(turning.first("R3")):
        found = bf.trace(curve, BOUNDS)
        assert found.stop[1].reason == "bound" and abs(found["a"][-1] - 5.0) < 1e-12
        assert len(found) < 200
        a, b, kappa = found.points[-1].free
        x, J = found.points[-1].state, np.eye(2)
        for _ in range(3):
            J = np.array([[-2.0 * a * x[0], 1.0], [b, 0.0]]) @ J
            x = np.array([1.0 - a * x[0] ** 2 + x[1], b * x[0]])
        assert np.abs(x - found.points[-1].state).max() < 1e-9
        assert abs(np.linalg.det(J) - 1.0) < 1e-8 and abs(np.trace(J) - 2.0 * kappa) < 1e-8 * abs(kappa)
        ends.append(kappa)
    assert min(ends) < -40.0 and max(ends) > 15.0


def test_a_test_function_vanishes_where_it_is_zero_in_a_third_of_many_steps():
    cache = StepCache()
    for step in range(12):
        cache.count_step("d", step % 2 == 0)
        cache.count_step("b", step in (3, 4, 5, 6))
        assert cache.vanishes("d") == (step >= 8) and not cache.vanishes("b")
    assert StepCache(steps=cache.steps).vanishes("d")
