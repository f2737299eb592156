"""Deflated continuation: branches that no switch reaches, each traced once, with failures counted."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput
from bifurcate.executors import process_pool


def circle_and_line(radius=0.5):
    return bf.Map(lambda x, p: x + 0.2 * (x - 2.0) * (x**2 + p**2 - radius**2), {"p": -0.9})


def test_a_disconnected_loop_is_found_and_traced_once():
    bounds = {"p": (-1.0, 1.0)}
    line = bf.trace(bf.cycles(circle_and_line(), "p", [2.0]), bounds)
    found = bf.deflated_continuation(line, bounds, values=7)
    assert len(found.branches) == 1
    loop = found.branches[0]
    assert loop.stop[0].reason == "closed" and np.abs(loop.states[:, 0] ** 2 + loop["p"] ** 2 - 0.25).max() < 1e-8
    assert found.failures and all(attempt.where.startswith("p = ") for attempt in found.failures)


def test_the_window_of_period_three_is_found_from_the_fixed_points():
    bounds = {"r": (3.5, 3.9)}
    fixed = bf.trace(bf.cycles(bf.maps.logistic(3.6), "r", [0.7]), bounds)
    found = bf.deflated_continuation(fixed, bounds, values=[3.7, 3.85], guesses=[[0.15], [0.5]], period=3)
    (third,) = [branch for branch in found.branches if branch.curve.period == 3]
    assert abs(third.first("fold").parameters["r"] - (1 + np.sqrt(8))) < 1e-10
    assert len([branch for branch in found.branches if branch.curve.period == 1]) <= 1  # x = 0


def test_infinitely_many_branches_are_cut_off():
    bounds = {"K": (1.5, 2.5)}
    first = bf.trace(bf.cycles(bf.maps.standard(2.0), "K", [0.0, np.pi]), bounds)
    found = bf.deflated_continuation(first, bounds, values=[2.0], guesses=[[0.1, 0.3], [0.1, 5.0]], max_branches=2)
    assert len(found.branches) == 2
    for branch in found.branches:
        assert np.abs(branch.states[:, 0]).max() < 1e-8 and np.abs(np.sin(branch.states[:, 1])).max() < 1e-8


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bf.deflated_continuation([], {"r": (0, 1)}, values=[0.5]), "branches must be"),
        (
            lambda: bf.deflated_continuation(
                bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2, 3)}), {}, values=3
            ),
            "bounds must give an interval for 'r'",
        ),
    ],
)
def test_unusable_arguments(call, words):
    with pytest.raises(InvalidInput, match=words):
        call()


def test_values_outside_the_bounds_are_refused():
    fixed = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 2.9)})
    with pytest.raises(InvalidInput, match=r"values holds r = 3, outside its bounds"):
        bf.deflated_continuation(fixed, {"r": (2.0, 2.9)}, values=[3.0])


def search_for_three(executor, values=(0.5, 0.7)):
    bounds = {"p": (0.2, 1.0)}
    first = bf.trace(bf.cycles(THREE, "p", [0.5]), bounds)
    return bf.deflated_continuation(first, bounds, values=values, guesses=[[-3.0], [0.0], [3.0]], executor=executor)


def three(x, p):
    return x + 0.1 * (x - p) * (x**2 - 2.0 - p**2)


THREE = bf.Map(three, {"p": 0.5})


def assert_same(found, serial):
    assert len(found.branches) == len(serial.branches) == 2
    for mine, theirs in zip(found.branches, serial.branches):
        assert np.array_equal(mine.states, theirs.states) and np.array_equal(mine["p"], theirs["p"])
    assert found.failures == serial.failures and serial.failures


def test_attempts_on_threads_change_nothing(tmp_path):
    serial = search_for_three(None)
    with ThreadPoolExecutor(2) as threads:
        assert_same(search_for_three(threads), serial)
    with pytest.raises(InvalidInput, match="executor"):
        search_for_three(3)


@pytest.mark.slow
def test_attempts_on_processes_change_nothing():
    serial = search_for_three(None)
    with process_pool(1) as processes:
        assert_same(search_for_three(processes), serial)
