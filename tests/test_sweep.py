"""A sweep has the same numbers whatever the executor, the order and interruptions, and computes nothing twice."""

import importlib
import itertools
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import numpy as np
import pytest
from same import difference
from swept_functions import (
    counting,
    counting_batch,
    deadly,
    interrupting,
    last_state,
    noisy,
    noisy_batch,
    outcome,
    slow,
)

import bifurcate as bf
from bifurcate.errors import InvalidInput

GRID = {"r": np.linspace(1.0, 3.0, 5), "k": range(5)}


@pytest.fixture(scope="module")
def serial():
    return bf.sweep(noisy, GRID, seed=7)


def test_every_point_is_called_in_the_order_of_the_grid():
    found = bf.sweep(last_state, {"r": [1.0, 2.0, 2.5], "x": [0.1, 0.3]})
    assert found.shape == (3, 2) and len(found) == 6 and all(found.done) and not found.interrupted
    assert found.values == tuple(last_state(r, x) for r in (1.0, 2.0, 2.5) for x in (0.1, 0.3))
    assert np.array_equal(found.array(), np.array(found.values).reshape(3, 2))


def test_a_point_that_fails_is_an_outcome(serial):
    assert [failure.parameters["k"] for failure in serial.failures] == [3] * 5
    assert str(serial.failures[0]) == "r = 1.0, k = 3: ValueError: no value at 1.0"
    assert np.isnan(serial.array("mean")[:, 3]).all() and np.isfinite(serial.array("mean")[:, [0, 1, 2, 4]]).all()
    assert (serial.array("kind")[:, 3] == "").all() and serial.array("both").shape == (5, 5, 2)
    assert "25 points, 25 done, 5 failed" in str(serial)


def test_every_point_has_random_numbers_of_its_own(serial):
    means = serial.array("mean")[:, [0, 1, 2, 4]] - np.linspace(1.0, 3.0, 5)[:, None]
    assert len(set(means.ravel())) == 20
    assert difference(serial, bf.sweep(noisy, GRID, seed=7)) is None
    assert not np.array_equal(serial.array("mean"), bf.sweep(noisy, GRID, seed=8).array("mean"), equal_nan=True)
    # A finer grid has other points, but the seed of an index is what it was.
    assert bf.sweep(noisy, {"r": [1.0], "k": range(5)}, seed=7).values[0]["mean"] == serial.values[0]["mean"]


def test_threads_and_processes_find_the_same(serial):
    with ThreadPoolExecutor(2) as threads:
        assert difference(serial, bf.sweep(noisy, GRID, seed=7, executor=threads)) is None
    assert difference(serial, bf.sweep(noisy, GRID, seed=7, workers=2)) is None


def test_a_lambda_is_swept_on_processes():
    pytest.importorskip("cloudpickle")
    assert bf.sweep(lambda n: n + 1, {"n": [1, 2]}, workers=2).values == (2, 3)


def test_a_process_that_dies_is_replaced_and_its_point_fails(tmp_path):
    found = bf.sweep(partial(deadly, log=str(tmp_path / "log")), {"n": range(12)}, workers=2)
    assert [failure.index for failure in found.failures] == [5]  # and none that was under way beside it
    assert found.values == tuple(None if n == 5 else n for n in range(12))
    assert found.failures[0].error == "3 processes died over it"


def test_a_pool_that_breaks_while_points_are_sent_loses_none(monkeypatch):
    # The process may die between the last look at the pool and the next point that is sent to it.
    sends, breaks = itertools.count(), {2, 5}

    class Breaking(ThreadPoolExecutor):
        def submit(self, *given):
            if next(sends) in breaks:
                raise BrokenProcessPool("a process died")
            return super().submit(*given)

    monkeypatch.setattr(importlib.import_module("bifurcate.sweep"), "process_pool", Breaking)
    found = bf.sweep(last_state, {"r": np.linspace(1.0, 3.0, 40), "x": [0.3]}, workers=2)
    assert found.values == tuple(last_state(r, 0.3) for r in np.linspace(1.0, 3.0, 40)) and next(sends) > 6


def test_a_journal_has_what_arrived(tmp_path):
    log, path = tmp_path / "log", tmp_path / "journal"
    function, grid = partial(counting, log=str(log)), {"n": range(200)}
    whole = bf.sweep(function, grid, journal=path)
    assert len(log.read_text().split()) == 200
    assert difference(whole, bf.sweep(function, grid, journal=path, workers=2)) is None
    assert len(log.read_text().split()) == 200  # nothing was called again
    content = path.read_bytes()
    for share in (0.2, 0.7):
        path.write_bytes(content[: int(share * len(content))])
        log.unlink()
        assert difference(whole, bf.sweep(function, grid, journal=path)) is None
        assert 0 < len(log.read_text().split()) < 200


def test_a_journal_of_another_sweep_is_refused(tmp_path):
    bf.sweep(last_state, {"r": [1.0], "x": [0.5]}, journal=tmp_path / "journal")
    with pytest.raises(InvalidInput, match="with another grid"):
        bf.sweep(last_state, {"r": [2.0], "x": [0.5]}, journal=tmp_path / "journal")
    with pytest.raises(InvalidInput, match="with another function, code"):
        bf.sweep(slow, {"r": [1.0], "x": [0.5]}, journal=tmp_path / "journal")


@pytest.mark.parametrize("workers", [None, 2])
def test_an_interrupted_sweep_keeps_what_arrived_and_goes_on(workers, tmp_path):
    function = partial(interrupting, log=str(tmp_path / "log"), process=os.getpid())
    found = bf.sweep(function, {"n": range(150)}, journal=tmp_path / "journal", workers=workers)
    assert found.interrupted and "interrupted by the user" in str(found)
    assert 0 < sum(found.done) < 150 and all(found.values[n] == n for n in range(150) if found.done[n])
    again = bf.sweep(function, {"n": range(150)}, journal=tmp_path / "journal", workers=workers)
    assert not again.interrupted and all(again.done) and again.values == tuple(range(150))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_network_is_swept_into_a_chart(tmp_path):
    grid = {"alpha": [0.1, 0.5, 1.0], "beta": [-0.3, -0.1]}
    found = bf.sweep(outcome, grid)
    net = bf.adaptation.ring(8, (0.8, 0.0), (0.8, 1.5), alpha=0.5, beta=-0.3, sigma=1 / 6, b=0.05)
    assert found.array("fate")[1, 0] == net.outcome(longest=500).fate.kind
    figure = found.plot("fate").figure
    assert figure.axes[0].get_xlabel() == "alpha" and figure.axes[0].get_ylabel() == "beta"
    bf.save(found, tmp_path / "sweep.npz")
    assert difference(found, bf.load(tmp_path / "sweep.npz")) is None


def test_tables_have_the_parameters_as_columns_and_coordinates(serial):
    frame = serial.to_dataframe()
    assert frame["r"].tolist() == np.repeat(np.linspace(1.0, 3.0, 5), 5).tolist()
    assert frame["k"].tolist() == [*range(5)] * 5
    assert frame.loc[3, "error"] == "ValueError: no value at 1.0" and np.isnan(frame.loc[3, "mean"])
    data = serial.to_xarray()
    assert data["both"].dims == ("r", "k", "both_0")
    assert data["mean"].sel(r=2.0, k=1) == serial.array("mean")[2, 1]
    assert data["kind"].sel(r=1.0, k=0) == "small" and data["error"].sel(k=3).str.contains("no value").all()


def test_plots_of_one_parameter_and_of_two(serial):
    line = bf.sweep(last_state, {"r": np.linspace(1, 3, 9), "x": [0.3]})
    assert line.plot().get_ylabel() == "x"
    assert len(bf.sweep(slow, {"n": [1, 2, 3]}).plot().lines[0].get_xdata()) == 3
    assert serial.plot("kind").figure.legends
    with pytest.raises(InvalidInput, match="plot draws numbers or text"):
        serial.plot("both")
    with pytest.raises(InvalidInput, match="the function returned mean, kind, both"):
        serial.plot()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((3, {"n": [1]}), "function is 3; it must be callable"),
        ((slow, [1, 2]), "grid must be a dict of names"),
        ((slow, {}), "grid is empty"),
        ((slow, {"n": []}), "gives 'n' no values"),
        ((slow, {"n": 3}), "'n' the values 3; they must be a sequence"),
        ((slow, {"no name": [1]}), "names must be those"),
    ],
)
def test_unusable_arguments_are_refused(given, words):
    with pytest.raises(InvalidInput, match=words):
        bf.sweep(*given)


# A Dask cluster


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("dask.distributed")
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, env=environment
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_finds_the_same_also_while_a_worker_is_killed(serial, cluster, tmp_path):
    client = cluster
    assert difference(serial, bf.sweep(noisy, GRID, seed=7, executor=client)) is None
    pids = list(client.run(os.getpid).values())
    timer = threading.Timer(1.0, os.kill, (pids[0], signal.SIGKILL))
    timer.start()
    found = bf.sweep(slow, {"n": range(200)}, executor=client, journal=tmp_path / "journal")
    timer.join()
    assert not found.failures and found.values == tuple(slow(n) for n in range(200))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_follows_branches(cluster):
    from long_calls import explored

    assert difference(explored(), explored(executor=cluster)) is None


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_batches_give_what_single_points_give(serial, batch):
    for how in ({}, {"workers": 2}):
        found = bf.sweep(noisy_batch, GRID, seed=7, batch=batch, **how)
        assert found.done == serial.done and [str(f) for f in found.failures] == [str(f) for f in serial.failures]
        assert difference(found.array("mean"), serial.array("mean")) is None
        assert difference(found.array("both"), serial.array("both")) is None


def test_a_batch_returns_arrays_rows_or_columns():
    grid = {"r": [2.0, 2.5], "x": [0.2, 0.4, 0.6]}
    one = bf.sweep(last_state, grid)
    assert bf.sweep(last_state, grid, batch=4).values == one.values
    columns = bf.sweep(lambda r, x: {"y": r + x, "name": ["a"] * len(r)}, grid, batch=4)
    assert columns.values[5] == {"y": 3.1, "name": "a"}
    words = bf.sweep(lambda what: [each * 2 for each in what], {"what": ["a", "b"]}, batch=5)
    assert words.values == ("aa", "bb")


@pytest.mark.parametrize(
    ("function", "words"),
    [(lambda n: n[:1] if len(n) > 1 else n[:0], "0 outcomes for a batch of 1"), (lambda n: 3.0, "returned a float")],
)
def test_a_batch_of_the_wrong_length_fails_in_words(function, words):
    found = bf.sweep(function, {"n": [1, 2, 3]}, batch=3)
    assert len(found.failures) == 3 and words in str(found.failures[0])


def test_a_sweep_goes_on_with_another_batch(tmp_path):
    grid, journal, log = {"n": range(40)}, tmp_path / "journal", str(tmp_path / "log")
    square = partial(counting_batch, log=log)
    with pytest.raises(InvalidInput, match="batch"):
        bf.sweep(square, grid, batch=0)
    bf.sweep(square, grid, batch=7, journal=journal)
    again = bf.sweep(square, grid, batch=3, journal=journal)
    assert again.values == tuple(n * n for n in range(40)) and all(again.done)
    assert sorted(map(int, (tmp_path / "log").read_text().split())) == list(range(40))  # nothing was computed twice
