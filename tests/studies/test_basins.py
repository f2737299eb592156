"""The basins of weights, against the update of all 256 weights and the mirror between the two neurons."""

import csv

import numpy as np
import pytest

import bifurcate as bf
from studies import basins


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("basins")


def test_the_written_map_is_the_networks(study):
    net = basins.ring()
    rng = np.random.default_rng(0)
    y = study.basins.plane.origin + rng.uniform(-0.01, 0.3, (5, basins.N))
    many = study.basins.map.f(y)
    for one, found in zip(y, many, strict=True):
        assert np.abs(net.reduced(one) - found).max() < 1e-14


def test_four_cycles_share_the_plane(study):
    found = study.basins
    assert [each.period for each in found.attractors] == [4] * 4
    assert sorted(study.shifts) == [0, 1, 2, 3]
    # Only the cells that begin beyond the pole are beyond it: all others settle.
    x, y = np.meshgrid(found.x, found.y)
    start = found.plane.origin[:2]
    beyond = np.minimum(x + start[0], y + start[1]) < -(basins.SIGMA**2)
    assert np.array_equal(found.labels == -2, beyond) and set(np.unique(found.labels)) == {-2, 0, 1, 2, 3}


def test_the_two_neurons_may_be_exchanged(study):
    # The mirror of the ring exchanges them, s with t, and a shift with its negative.
    labels = study.basins.labels
    shifts = np.where(labels >= 0, np.array(study.shifts)[np.maximum(labels, 0)], -1)
    mirrored = np.where(shifts.T >= 0, -shifts.T % 4, -1)
    assert np.array_equal(shifts, mirrored)


def test_labels_are_where_the_weights_go(study):
    # The rule on all weights, from W = C + s A + t B: the shift between the inputs of both neurons, W r/n, decides.
    net, found = basins.ring(), study.basins
    r = net.stimuli.at(dict(net.parameters)).drive
    C = np.asarray(net.equilibrium())
    A, B = (np.outer(np.eye(basins.N)[i], r) * basins.N / (r @ r) for i in (0, 1))
    compared = 0
    for i, j in ((3, 5), (5, 20), (10, 10), (15, 7), (20, 22), (8, 18)):
        if found.labels[i, j] < 0:
            continue
        W = C + found.x[j] * A + found.y[i] * B
        for _ in range(1200):
            W = net.update(W)
        outputs = []
        for _ in range(4):
            outputs.append((W @ r / basins.N)[:2])
            W = net.update(W)
        first, second = np.array(outputs).T
        apart = [np.abs(np.roll(first, -k) - second).sum() for k in range(4)]
        assert int(np.argmin(apart)) == study.shifts[found.labels[i, j]]
        compared += 1
    assert compared >= 4


def test_edge_states_are_saddles_of_the_networks_map(study):
    net = basins.ring()
    assert study.edges
    for edge in study.edges:
        assert edge.kind == "cycle" and edge.solution.period == 4
        x = edge.solution.state
        y = x
        for _ in range(4):
            y = net.reduced(y)
        assert np.abs(y - x).max() < 1e-10
        moduli = np.abs(bf.multipliers(net.reduced, x, period=4).values)
        assert (moduli > 1).sum() == 1


def test_files_are_left(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG") and study.files.pdf.read_bytes().startswith(b"%PDF")
    with study.files.numbers.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == study.basins.labels.size
