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
    for g in np.linspace(0.01, 0.7, 14):
        start = 1 - g / 0.8
        lost += [("one", g)] * (len(branches_of(growth(g), "g", [start], (0.005, 1.0)).branches) != 2)
        found = branches_of(growth_beside_another(g), "g", [start, 0.0], (0.005, 1.0))
        lost += [("two", g)] * (len(found.branches) != 2)
    for largest in np.geomspace(0.003, 0.1, 26):
        for g in (0.01, 0.1, 0.3):
            found = branches_of(growth(g), "g", [1 - g / 0.8], (0.005, 1.0), largest)
            lost += [("steps", g, largest)] * (len(found.branches) != 2)
    for a in np.linspace(0.2, 0.9, 14):
        found = branches_of(predator_and_prey(a), "a", [1.0, 0.0], (0.1, 0.95))
        lost += [("predator", a)] * (len(found.branches) != 2)
    assert not lost


@pytest.mark.slow
def test_every_branch_of_a_triple_flip_with_the_symmetry_of_four_units():
    # The kernel is x₁ + … + x₄ = 0 with a cubic term: branches along (3, −1, −1, −1), (1, 1, −1, −1), (1, −1, 0, 0).
    def f(x, r):
        y = r * x * (1 - x)
        return 0.9 * y + 0.1 * np.mean(y)

    for start in (3.08, 3.105):
        ring = bf.trace(bf.cycles(bf.Map(f, {"r": start}), "r", [1 - 1 / start] * 4), {"r": (3.05, 3.2)})
        (flip,) = ring.of("flip")
        assert flip.multiplicity == 3 and abs(flip.parameters["r"] - (2 + 1 / 0.9)) <= flip.error
        kinds = []
        for curve in bf.switches(flip):
            ways = (curve.start - flip.u)[:4]
            kinds.append(tuple(np.round(np.sort(np.abs(ways)) / np.abs(ways).max(), 1)))
        assert sorted(kinds.count(kind) for kind in set(kinds)) == [3, 4, 6]


def _two_at_once(crossing):
    """A branch point in x and a flip in y, both at p = 0, that know nothing of each other."""
    return bf.Map(lambda z, p: np.array([z[0] + 0.3 * crossing(z[0], p), -(1 + p) * z[1] + z[1] ** 3]), {"p": -0.3})


def test_doubled_cycles_of_every_branch_that_crosses_at_the_flip():
    # Doubled cycles have y² = p, beside x = 0 and beside what crosses it: x = p, or x = ±√p.
    for crossing, beside in ((lambda x, p: p * x - x * x, 2), (lambda x, p: p * x - x**3, 3)):
        diagram = bf.explore(bf.cycles(_two_at_once(crossing), "p", [0.0, 0.0]), {"p": (-0.5, 0.4)}, period=2)
        doubled = [branch for branch in diagram.branches if branch.curve.period == 2]
        assert len(doubled) == beside and len(diagram.branches) == 2 + beside and not diagram.doubts
        for branch in doubled:
            assert np.abs(branch["p"] - np.array([point.state[1] for point in branch.points]) ** 2).max() < 1e-9


def test_curves_that_touch_to_third_order_are_two():
    # x = 0 and x = p³
    diagram = bf.explore(
        bf.cycles(bf.Map(lambda x, p: x - 0.3 * x * (x - p**3), {"p": -0.4}), "p", [0.0]), {"p": (-0.5, 0.5)}
    )
    (point,) = diagram.special
    assert abs(point.parameters["p"]) <= point.error and len(diagram.branches) == 2 and not diagram.failures
    ends = sorted(float(branch[i].state[0]) for branch in diagram.branches for i in (0, -1))
    assert np.allclose(ends, [-0.125, 0.0, 0.0, 0.125], atol=1e-9)


@pytest.mark.parametrize(("quadratic", "branches"), [(0.0, 13), (0.7, 7)])
def test_every_branch_of_a_triple_crossing_with_the_symmetry_of_four_units(quadratic, branches):
    # Cubic terms on the kernel x₁ + … + x₄ = 0 have (3³ − 1)/2 branches, quadratic ones 2³ − 1.
    map = bf.Map(lambda x, p: x + 0.2 * (p * x - x**3 + quadratic * x * x) - 0.3 * np.mean(x), {"p": -0.3})
    (point,) = bf.trace(bf.cycles(map, "p", [0.0] * 4), {"p": (-0.5, 0.2)}).of("BP")
    assert point.multiplicity == 3 and abs(point.parameters["p"]) <= point.error < 1e-9
    assert len(bf.switches(point)) == branches
