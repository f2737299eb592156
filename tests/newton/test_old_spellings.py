"""Old spellings of Newton's method and of deflation: each warns, names the new one, and gives the same."""

import numpy as np
import pytest

import bifurcate as bf


@pytest.mark.parametrize(
    ("old", "new"),
    [("Attempt", "FailedAttempt"), ("Continued", "DeflatedBranches"), ("Deflated", "DeflationResult")],
)
def test_names_of_results(old, new):
    with pytest.warns(DeprecationWarning, match=rf"bifurcate\.{old} is an old spelling .* write bifurcate\.{new}"):
        found = getattr(bf, old)
    assert found is getattr(bf, new)
    assert old not in dir(bf)


def test_options_of_solve_by_position():
    map = bf.maps.logistic(3.3)
    with pytest.warns(DeprecationWarning, match="period=…, method=…"):
        old = bf.solve(map, [0.48], 2, bf.Newton())
    assert old.period == 2 and np.array_equal(old.state, bf.solve(map, [0.48], period=2).state)


def test_options_of_deflate():
    map = bf.maps.logistic(3.84)
    new = bf.deflate(map, [[0.1]], period=3, max_solutions=1)
    with pytest.warns(DeprecationWarning, match="period=…"):
        old = bf.deflate(map, [[0.1]], 3, max_solutions=1)
    assert np.array_equal(old.solutions[0].state, new.solutions[0].state)
    with pytest.warns(DeprecationWarning, match="max_solutions=…"):
        old = bf.deflate(map, [[0.1]], period=3, most=1)
    assert np.array_equal(old.solutions[0].state, new.solutions[0].state)


def test_a_failed_attempt_has_its_guess():
    (attempt,) = bf.deflate(bf.Map(lambda x: x + 1.0 + x**2, {}), [[3.0]]).failures
    with pytest.warns(DeprecationWarning, match=r"write FailedAttempt\.guess"):
        assert attempt.start == attempt.guess == 0


def test_options_of_deflated_continuation():
    map = bf.Map(lambda x, p: x + 0.1 * (x - p) * (x**2 - 2.0 - p**2), {"p": 0.5})
    bounds = {"p": (0.0, 1.0)}
    first = bf.trace(bf.cycles(map, "p", [0.5]), bounds)
    new = bf.deflated_continuation(first, bounds, values=[0.5], max_branches=1)
    with pytest.warns(DeprecationWarning, match="values=…"):
        old = bf.deflated_continuation(first, bounds, [0.5], max_branches=1)
    with pytest.warns(DeprecationWarning, match="max_branches=…"):
        older = bf.deflated_continuation(first, bounds, values=[0.5], most=1)
    assert len(new.branches) == 1
    for each in (old, older):
        assert np.array_equal(each.branches[0].states, new.branches[0].states)
