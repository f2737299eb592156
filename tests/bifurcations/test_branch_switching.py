"""Switching at transcritical points leads to the other branch, whatever steps led to the point."""

import numpy as np
import pytest

import bifurcate as bf


def growth(g):
    """x + (0.8 x (1 − x) − g x)/2: x = 0 and x = 1 − g/0.8 cross at g = 0.8."""
    return bf.Map(lambda x, g: x + 0.5 * (0.8 * x * (1 - x) - g * x), {"g": g})


def growth_beside_another(g):
    """The same with a second unknown that takes no part."""
    return bf.Map(lambda x, g: np.array([x[0] + 0.5 * (0.8 * x[0] * (1 - x[0]) - g * x[0]), 0.5 * x[1]]), {"g": g})


def predator_and_prey(a):
    """A predator that lives on a prey at its capacity from a = 0.5 on."""
    return bf.Map(
        lambda z, a: np.array(
            [z[0] + 0.3 * z[0] * (1 - z[0]) - 0.2 * z[0] * z[1], z[1] + 0.2 * z[1] * (a * z[0] - 0.5)]
        ),
        {"a": a},
    )


def branches_of(map, free, start, bounds, largest=0.02):
    control = bf.StepControl(first=min(0.005, largest), largest=largest)
    return bf.explore(bf.cycles(map, free, start), {free: bounds}, control=control)


def test_the_tangent_of_a_branch_point_is_the_branch_s_own():
    for g in (0.01, 0.1, 0.37):
        branch = bf.trace(bf.cycles(growth(g), "g", [1 - g / 0.8]), {"g": (0.005, 1.0)})
        point = branch.first("BP")
        exact = np.array([-1.25, 1.0]) / np.hypot(1.25, 1.0)
        own = point.tangent / np.linalg.norm(point.tangent)
        assert abs(abs(own @ exact) - 1.0) < 1e-12
        other = bf.trace(bf.switch(point), {"g": (0.005, 1.0)})
        assert max(abs(p.state[0]) for p in other.points) < 1e-9  # x = 0


@pytest.mark.parametrize("g", [0.01, 0.12, 0.34, 0.57])
@pytest.mark.parametrize("largest", [0.003, 0.0071, 0.02, 0.0483, 0.1])
def test_both_branches_are_found_with_any_step(g, largest):
    assert len(branches_of(growth(g), "g", [1 - g / 0.8], (0.005, 1.0), largest).branches) == 2


@pytest.mark.slow
def test_both_branches_are_found_from_any_start_with_any_step():
    lost = []
    for g in np.linspace(0.01, 0.7, 26):
        start = 1 - g / 0.8
        lost += [("one", g)] * (len(branches_of(growth(g), "g", [start], (0.005, 1.0)).branches) != 2)
        found = branches_of(growth_beside_another(g), "g", [start, 0.0], (0.005, 1.0))
        lost += [("two", g)] * (len(found.branches) != 2)
    for largest in np.geomspace(0.003, 0.1, 52):
        for g in (0.01, 0.1, 0.3):
            found = branches_of(growth(g), "g", [1 - g / 0.8], (0.005, 1.0), largest)
            lost += [("steps", g, largest)] * (len(found.branches) != 2)
    for a in np.linspace(0.2, 0.9, 26):
        found = branches_of(predator_and_prey(a), "a", [1.0, 0.0], (0.1, 0.95))
        lost += [("predator", a)] * (len(found.branches) != 2)
    assert not lost
