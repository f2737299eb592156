"""Attractors and basins are the same, to the bit, wherever their orbits are iterated."""

from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import cache
from pickle import dumps, loads

import numpy as np
import pytest
from same import difference

import bifurcate as bf
from bifurcate.errors import InvalidInput
from bifurcate.orbits.ensemble import NUMBERS_PER_BATCH

PARTS = -(-2 * 9000 // NUMBERS_PER_BATCH)  # of 9000 states of two numbers, batches at the least


class ThroughPickle(Executor):
    """Runs each call at once, after a journey through pickle, as to another process."""

    def __init__(self):
        self.calls = 0

    def submit(self, work, /, *given):
        self.calls += 1
        work, given = loads(dumps((work, given)))
        future = Future()
        future.set_result(loads(dumps(work(*given))))
        return future


def coupled(x, a, e):
    y = a * x - x**3
    return y + e * (x[::-1] - x)


def branching(x, a, e):
    """The same for one state at a time."""
    return np.array([a * u - float(u) ** 3 + e * (v - u) for u, v in (x, x[::-1])])


def attractors(f, **where):
    return bf.attractors(
        bf.Map(f, {"a": 1.5, "e": 0.05}), [(-1.0, 1.0)] * 2, starts=60 if f is branching else 9000, **where
    )


def basins(f, **where):
    return bf.basins(
        bf.Map(f, {"a": 1.5, "e": 0.05}), {0: (-1, 1), 1: (-1, 1)}, cells=8 if f is branching else 100, **where
    )


def continuation(f, **where):
    map, values = bf.Map(f, {"a": 1.5, "e": 0.0}), [0.9, 1.3, 2.1]
    return bf.attractor_continuation(map, "a", values, [(-1.0, 1.0)] * 2, starts=20, **where)


@cache
def serial(call, f):
    return call(f)


@pytest.mark.parametrize(
    ("call", "f", "calls"),
    [
        (attractors, coupled, PARTS),
        (attractors, branching, 32 + 30),
        (basins, coupled, PARTS),
        (basins, branching, 32 + 32),
        pytest.param(continuation, coupled, 3, marks=pytest.mark.slow),
    ],
)
def test_executors_change_nothing(call, f, calls):
    here, elsewhere = serial(call, f), ThroughPickle()
    assert difference(here, call(f, executor=elsewhere)) is None
    assert elsewhere.calls >= calls > 1
    with ThreadPoolExecutor(2) as threads:
        assert difference(here, call(f, executor=threads)) is None


@pytest.mark.slow
@pytest.mark.parametrize("call", [attractors, basins, continuation])
def test_processes_change_nothing(call):
    assert difference(serial(call, coupled), call(coupled, workers=2)) is None


@pytest.mark.parametrize("call", [attractors, basins, continuation])
def test_places_that_are_none_are_refused(call):
    with pytest.raises(InvalidInput, match="executor is 3; it must be an Executor"):
        call(coupled, executor=3)
    with pytest.raises(InvalidInput, match="workers is 0"):
        call(coupled, workers=0)
