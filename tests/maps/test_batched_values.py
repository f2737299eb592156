"""Differences in one call of f where it broadcasts; where it does not, or only seems to, as by single calls."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.maps.batched_values import BatchedValues
from bifurcate.maps.iterated_map import IteratedMap

N = 12
STATES = np.random.default_rng(3).uniform(0.1, 0.9, (4 * N, N))
A = np.random.default_rng(4).standard_normal((N, N)) / N


def entry_by_entry(x, r):
    return r * x * (1 - x)


def matrix_first(x, r):
    return r * (A @ np.tanh(x))


def matrix_last(x, r):
    return r * (np.tanh(x) @ A.T)


def rolled(x, r):  # of a batch it rolls all states as one
    return r * np.roll(x, 1) * x


def normalised(x, r):  # the norm of all states
    return r * x / np.linalg.norm(x)


def branching(x, r):
    return r * x if x[0] > 0.5 else r * x**2


def with_numbers(x, r):
    return [r * float(value) for value in x]


FUNCTIONS = [entry_by_entry, matrix_first, matrix_last, rolled, normalised, branching, with_numbers]


def counted(f):
    def g(x, r):
        g.calls += 1
        return f(x, r)

    g.calls = 0
    return g


@pytest.mark.parametrize("f", FUNCTIONS)
def test_a_batch_is_what_single_calls_are_or_none(f):
    batches, expected = BatchedValues(), np.array([f(x, 1.5) for x in STATES])
    for _ in range(3):
        found = batches.values(f, STATES, {"r": 1.5})
        assert (found is None) == (f in (rolled, normalised, branching, with_numbers))
        if found is not None:
            assert np.abs(found - expected).max() < 1e-14


def test_a_function_that_stops_to_broadcast_is_found_out():
    def f(x, r):
        return r * x if f.calm else r * x * np.mean(x)

    f.calm, batches = True, BatchedValues()
    assert batches.values(f, STATES, {"r": 1.0}) is not None
    f.calm = False
    assert batches.values(f, STATES, {"r": 1.0}) is None
    f.calm = True
    assert batches.values(f, STATES, {"r": 1.0}) is None  # it is not trusted again


def test_a_function_that_writes_into_its_state_leaves_the_states_alone():
    def f(x, r):
        x *= r
        return x

    kept = STATES.copy()
    BatchedValues().values(f, STATES, {"r": 2.0})
    assert np.array_equal(STATES, kept)


@pytest.mark.parametrize("f", FUNCTIONS[:5])
def test_jacobians_by_differences_are_those_of_complex_steps(f):
    x = STATES[0]
    iterate = IteratedMap(bf.Map(f, {"r": 1.5}), (N,), 2)
    J = iterate.jacobian(iterate.orbit(x, {"r": 1.5}), {"r": 1.5})
    if f is normalised:  # for complex numbers the norm is another function
        size = np.linalg.norm(x)
        once = lambda y, s: 1.5 * (np.eye(N) / s - np.outer(y, y) / s**3)  # noqa: E731
        exact = once(f(x, 1.5), np.linalg.norm(f(x, 1.5))) @ once(x, size)
    else:
        twice = lambda z: f(f(z, 1.5), 1.5)  # noqa: E731
        exact = np.column_stack([twice(x + 1e-30j * e).imag / 1e-30 for e in np.eye(N)])
    assert np.abs(J - exact).max() < 1e-10


def test_a_jacobian_takes_few_calls_where_f_broadcasts():
    f = counted(entry_by_entry)
    iterate, p = IteratedMap(bf.Map(f, {"r": 1.5}), (N,)), {"r": 1.5}
    orbit = iterate.orbit(STATES[0], p)
    iterate.jacobian(orbit, p)
    f.calls = 0
    iterate.jacobian(orbit, p)
    assert f.calls == 2  # one batch, and one state that it is compared at


def test_a_few_products_take_no_jacobian():
    f = counted(rolled)
    iterate, p = IteratedMap(bf.Map(f, {"r": 1.5}), (N,)), {"r": 1.5}
    x, columns = STATES[0], np.eye(N)[:, :2] + 0.5j
    iterate.jacobian_derivative(x, columns, STATES[1], {"r": 1.0}, p)
    several = f.calls
    f.calls = 0
    iterate.jacobian([x, x], p)
    assert several < 4 * 2 * 2 * 4 * 2 and f.calls >= 4 * N
