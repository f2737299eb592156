"""Orbits in bulk end where and as each does by itself, whatever f makes of a batch."""

import pickle
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput

A = np.array([[0.2, 0.7, 0.1], [0.5, 0.1, 0.4], [0.3, 0.2, 0.5]])


def logistic(x, r):
    return r * x * (1 - x)


def henon(z, a, b):
    return np.array([1 - a * z[0] * z[0] + z[1], b * z[0]])


def coupled(x, r):
    """States of shape (…, 3), the layout "leading"; on (3, m) with m = 3 a batch would be mixed up."""
    return (r * x * (1 - x)) @ A.T


def hyperbola(x, c):
    return c / (x - 1.0)


def root(x, r):
    return np.sqrt(x) - r


def branching(x, r):
    return r * x if x[0] < 0.5 else r * (1 - x)


def deceptive(x, r):
    """Passes any trial with all states below 0.9, and goes wrong as soon as one is above it."""
    return r * x * (1 - x) if np.all(x < 0.9) else 0.1 * x


def one_by_one(map, starts, steps, transient, **columns):
    """The same from bf.orbit, which knows nothing of batches."""
    m = max(len(starts), *(len(c) for c in columns.values()))
    starts = np.broadcast_to(starts, (m, *np.shape(starts)[1:]))
    runs = [
        bf.orbit(map, starts[i], steps, transient=transient, parameters={k: c[i] for k, c in columns.items()})
        for i in range(m)
    ]
    states = np.full((m, steps, *starts.shape[1:]), np.nan)
    for row, run in zip(states, runs):
        if run.steps >= transient:
            row[: len(run.states)] = run.states
    return states, [run.steps for run in runs], tuple(run.end for run in runs)


def same(found, expected):
    states, steps, ends = expected
    return np.array_equal(found.states, states, equal_nan=True) and found.steps.tolist() == steps and found.ends == ends


@pytest.mark.parametrize("transient", [0, 1, 150])
def test_random_rows_end_as_they_do_one_by_one(transient, rng):
    map = bf.Map(logistic, {"r": 2.5})
    starts, r = rng.uniform(-0.5, 1.5, (300, 2)), rng.uniform(0.0, 4.5, 300)
    found = bf.ensemble(map, starts, 40, transient=transient, parameters={"r": r})
    assert found.layout == "trailing" and len(set(found.ends)) == 2
    assert same(found, one_by_one(map, starts, 40, transient, r=r))
    assert found.states.shape == (300, 40, 2) and len(found) == 300


@pytest.mark.parametrize(
    ("f", "parameters", "shape", "domain", "layout"),
    [
        (logistic, {"r": (2.0, 4.2)}, (), None, "trailing"),
        (logistic, {"r": (2.0, 4.2)}, (2, 3), None, "trailing"),
        (henon, {"a": (0.5, 1.6), "b": (0.2, 0.4)}, (2,), None, "trailing"),
        (coupled, {"r": (1.0, 4.5)}, (3,), None, "leading"),
        (hyperbola, {"c": (-4.0, 4.0)}, (2,), lambda x, c: (x - 1.0) ** 2 - 1e-3, "trailing"),
        (coupled, {"r": (1.0, 4.5)}, (3,), lambda x, r: 0.99 - np.max(x, axis=-1), "leading"),
        (root, {"r": (0.0, 0.6)}, (2,), None, "trailing"),
        (branching, {"r": (1.0, 1.9)}, (1,), None, "single"),
        (deceptive, {"r": (3.5, 4.0)}, (1,), None, "single"),
    ],
)
def test_every_layout_yields_the_states_of_single_calls(f, parameters, shape, domain, layout, rng):
    low = {name: pair[0] for name, pair in parameters.items()}
    map = bf.Map(f, low, domain=domain)
    starts = rng.uniform(0.0, 0.5, (60, *shape))
    columns = {name: rng.uniform(*pair, 60) for name, pair in parameters.items()}
    found = bf.ensemble(map, starts, 30, transient=20, parameters=columns)
    assert found.layout == layout
    states, steps, ends = one_by_one(map, starts, 30, 20, **columns)
    assert found.ends == ends and found.steps.tolist() == steps
    # A matrix product of a batch may round otherwise than one of a state; in 49 chaotic steps that grows.
    if f is not coupled:
        assert np.array_equal(found.states, states, equal_nan=True)
    forced = bf.ensemble(map, starts, 30, transient=20, layout="single", parameters=columns)
    assert forced.layout == "single" and same(forced, (states, steps, ends))


def test_a_leading_batch_agrees_step_by_step(rng):
    map = bf.Map(coupled, {"r": 3.0})
    found = bf.ensemble(map, rng.uniform(0.0, 1.0, (50, 3)), 20, parameters={"r": np.linspace(3.0, 3.9, 50)})
    for row, r in zip(found.states, np.linspace(3.0, 3.9, 50)):
        for x, y in pairwise(row):
            assert np.abs(coupled(x, r) - y).max() < 1e-14


def test_square_batches_are_told_apart(rng):
    """With as many rows as components a wrong layout has the right shape; only the numbers give it away."""
    map = bf.Map(lambda x, r: r * np.tanh(A @ x), {"r": 1.0})
    starts = rng.uniform(-1.0, 1.0, (3, 3))
    found = bf.ensemble(map, starts, 5, transient=3, parameters={"r": [0.5, 1.0, 2.0]})
    states, _, ends = one_by_one(map, starts, 5, 3, r=[0.5, 1.0, 2.0])
    assert np.abs(found.states - states).max() < 1e-14 and found.ends == ends
    assert found.layout == "trailing"


def test_a_batch_calls_f_once_an_iteration():
    calls = []

    def counted(x, r):
        calls.append(np.shape(x))
        return r * x * (1 - x)

    bf.ensemble(bf.Map(counted, {"r": 2.5}), [[0.3]], 10, transient=191, parameters={"r": np.linspace(2.5, 3.9, 70)})
    batches = [shape for shape in calls if shape == (1, 70)]
    assert len(batches) == 1 + 200  # the trial, and the iterations
    assert len(calls) - len(batches) <= 2 * 70 + 199 + 3  # trial, last iteration, one in every other, first check


def test_starts_that_cannot_go_on_end_at_once():
    map = bf.Map(lambda x, r: r * np.sqrt(x), {"r": 1.0}, domain=lambda x, r: 3.0 - x)
    for layout in (None, "single"):
        found = bf.ensemble(
            map, [[4.0], [-1.0], [1.0], [2.0]], 3, layout=layout, parameters={"r": [1.0, 1.0, 1.0, 1.0]}
        )
        assert found.ends == ("domain", "diverged", "steps", "steps")
        assert found.steps.tolist() == [0, 0, 2, 2]
        assert np.isnan(found.states[0]).all() and found.states[1, 0, 0] == -1.0
        assert np.isnan(found.states[1, 1:]).all()


class Pickling(Executor):
    """Runs tasks at once, after a journey through pickle, as to another process."""

    def __init__(self):
        self.tasks = 0

    def submit(self, fn, /, *args, **kwargs):
        self.tasks += 1
        task, arguments = pickle.loads(pickle.dumps((fn, args)))
        future = Future()
        future.set_result(task(*arguments, **kwargs))
        return future


@pytest.mark.parametrize("f", [logistic, branching])
def test_executors_do_the_same_work(f, rng):
    map = bf.Map(f, {"r": 1.5})
    starts, r = rng.uniform(0.0, 0.9, (100, 1)), rng.uniform(1.0, 2.0, 100)
    here = bf.ensemble(map, starts, 5, transient=60, parameters={"r": r})
    elsewhere = Pickling()
    with ThreadPoolExecutor(2) as threads:
        for executor in (threads, elsewhere):
            there = bf.ensemble(map, starts, 5, transient=60, executor=executor, parameters={"r": r})
            assert np.array_equal(here.states, there.states) and here.ends == there.ends
            assert there.layout == here.layout == ("trailing" if f is logistic else "single")
    assert elsewhere.tasks == (1 if f is logistic else 50)


def test_powers_of_scalars_and_of_arrays_round_alike_enough(rng):
    map = bf.maps.henon()
    a = np.linspace(0.1, 0.3, 50)
    found = bf.ensemble(map, [[0.3, 0.1]], 5, transient=1000, parameters={"a": a})
    x = (-(1 - 0.3) + np.sqrt(0.49 + 4 * a)) / (2 * a)  # the stable fixed point
    assert found.layout == "trailing" and np.abs(found.states[:, :, 0] - x[:, None]).max() < 1e-12


def test_large_ensembles_are_cut_into_blocks(rng):
    map = bf.Map(logistic, {"r": 3.3})
    starts = rng.uniform(0.1, 0.9, (90, 1000))
    found = bf.ensemble(map, starts, 2, transient=3)
    assert found.layout == "trailing" and same(found, one_by_one(map, starts, 2, 3, r=[3.3] * 90))


@pytest.mark.parametrize("observable", [lambda x, r: x[0], lambda x, r: float(x[0]), lambda x, r: r * np.max(x)])
def test_diagrams_are_those_of_single_orbits(observable):
    values = np.linspace(2.5, 4.1, 23)
    seen = bf.orbit_diagram(bf.maps.logistic(), "r", values, [0.3, 0.4], observable, transient=200, samples=7)
    for value, samples, end in zip(values, seen.samples, seen.ends):
        run = bf.orbit(bf.maps.logistic(), [0.3, 0.4], 7, transient=200, parameters={"r": value})
        assert run.end == end
        expected = [observable(x, value) for x in run.states] if end == "steps" else [np.nan] * 7
        assert np.array_equal(samples, expected, equal_nan=True)
    assert {"steps", "diverged"} == set(seen.ends) and seen.layout == "trailing"


def test_diagrams_with_a_start_for_every_value():
    values = [2.0, 2.5, 3.2]
    seen = bf.orbit_diagram(
        bf.maps.logistic(), "r", values, lambda r: [1 - 1 / r], lambda x, r: x[0], transient=0, samples=2
    )
    assert np.abs(seen.samples - (1 - 1 / np.array(values))[:, None]).max() < 1e-15


def test_the_network_is_iterated_as_it_is():
    net = bf.adaptation.ring(n=8, baseline=(0.8, 0.0), stimulus=(0.8, 1.05), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05)
    start, alpha = net.project(net.initial), np.linspace(0.05, 0.6, 12)
    found = bf.ensemble(net.reduced, start[None], 5, transient=100, parameters={"alpha": alpha})
    states, _, ends = one_by_one(net.reduced, start[None], 5, 100, alpha=alpha)
    assert np.allclose(found.states, states, rtol=1e-9, atol=0, equal_nan=True) and found.ends == ends


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: bf.ensemble(m, 0.5, 3), "starts must have shape"),
        (lambda m: bf.ensemble(m, [[0.5], [np.nan]], 3), "1 numbers in starts are NaN"),
        (lambda m: bf.ensemble(m, [["a"]], 3), "starts must be an array of states"),
        (lambda m: bf.ensemble(m, [[0.5]], 0), "steps is 0"),
        (lambda m: bf.ensemble(m, [[0.5]], 1, transient=-1), "transient is -1"),
        (lambda m: bf.ensemble(m, [[0.5]], 3, parameters={"q": [1.0]}), "has no parameter 'q'"),
        (lambda m: bf.ensemble(m, [[0.5]], 3, parameters={"r": [1.0, np.inf]}), "parameter 'r' must be a finite"),
        (lambda m: bf.ensemble(m, [[0.5]], 3, parameters={"r": [[1.0], [1.0, 2.0]]}), "parameter 'r' must be a finite"),
        (lambda m: bf.ensemble(m, [[0.5]] * 2, 3, parameters={"r": [1.0, 2.0, 3.0]}), r"lengths \[2, 3\]"),
        (lambda m: bf.ensemble(m, [[0.5]], 3, layout="both"), "layout is 'both'"),
        (lambda m: bf.ensemble(bf.Map(branching, {"r": 1.0}), [[0.1], [0.9]], 3, layout="leading"), "not broadcast"),
        (lambda m: bf.ensemble(bf.Map(lambda x, r: x[:1], {"r": 1.0}), [[0.1, 0.2]] * 3, 3), "they must agree"),
        (lambda m: bf.orbit_diagram(m, "r", [], [0.5], lambda x, r: x[0]), "values must be a sequence"),
        (lambda m: bf.orbit_diagram(m, "q", [1.0], [0.5], lambda x, r: x[0]), "has no parameter 'q'"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(InvalidInput, match=words):
        call(bf.maps.logistic())


@pytest.mark.parametrize("buffers", [1, 2])
def test_a_function_may_return_the_same_array_each_time(buffers):
    """What it returned before changes then; the states are those of a function that does not."""
    kept, turn = {}, [0]

    def thrifty(z, a, b):
        turn[0] += 1
        out = kept.setdefault((turn[0] % buffers, z.shape), np.empty(z.shape))
        x, y = z[0], z[1]
        out[1] = x  # before x is read: a function that is given its own array would read this
        out[0] = 1 - a * x * x + y
        out[1] = b * x
        return out

    starts = np.linspace(-0.2, 0.2, 40).reshape(20, 2)
    given = {"a": 1.4, "b": 0.3}
    found = bf.ensemble(bf.Map(thrifty, given), starts, 40)
    expected = bf.ensemble(bf.Map(henon, given), starts, 40)
    assert found.layout == expected.layout == "trailing"
    assert np.array_equal(found.states, expected.states)


def test_an_orbit_that_is_huge_for_one_step_alone_has_diverged_there():
    """x ↦ 1/x comes back from beyond 10¹² scales: what is looked at is every state, not the last of some."""
    starts = np.concatenate([np.linspace(1.0, 2.0, 30), [1e-13]])[:, None]
    found = bf.ensemble(bf.Map(lambda x, r: r / x, {"r": 1.0}), starts, 1, transient=40)
    assert found.layout == "trailing"
    assert found.ends == ("steps",) * 30 + ("diverged",)
    assert found.steps[-1] == 0
