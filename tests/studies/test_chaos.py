"""The study of chaos, against the network's own update, closed forms and multipliers."""

import csv

import numpy as np
import pytest

import bifurcate as bf
from studies import basins, chaos
from studies.ring import TO_BASELINE, network


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("chaos")


def test_the_written_map_is_the_networks():
    net = network(alpha=chaos.FIRST)
    map, rng = chaos.in_batches(net), np.random.default_rng(0)
    y = rng.uniform(0.0, 0.3, (4, chaos.N))
    alphas = np.array([0.6, 0.7, 0.8, 0.9])
    many, slopes = map.f(y, alphas[:, None]), map.jacobian(y, alphas[:, None])
    for one, alpha, found, slope in zip(y, alphas, many, slopes, strict=True):
        there = net.replace(alpha=alpha)
        assert np.abs(there.reduced(one) - found).max() < 1e-14
        v = rng.standard_normal(chaos.N)
        assert np.abs(there.reduced.jvp(one, v, **there.reduced.parameters) - slope @ v).max() < 1e-11


def test_the_cascade_is_the_one_of_the_study_of_alpha(study):
    # β = −0.1: the first flip where α μ_max/n = 2 + β, μ_max of the bracket in (2.2), and 0 is the exponent there.
    flip = study.branches[0].first("flip").parameters["alpha"]
    net = network(alpha=flip)
    multipliers = bf.multipliers(net.reduced, net.reduced_equilibrium()).values
    assert min(multipliers.real) == pytest.approx(-1.0, abs=1e-9)
    assert [branch.curve.period for branch in study.branches] == [1, 2, 4]
    before = study.orbits.values < flip - 0.02
    for alpha, mean in zip(study.orbits.values[before], study.exponents[before], strict=True):
        net = network(alpha=alpha)
        largest = np.abs(bf.multipliers(net.reduced, net.reduced_equilibrium()).values).max()
        assert mean[0] == pytest.approx(np.log(largest), abs=1e-3)


def test_chaos_comes_after_the_doublings_and_ends_at_the_pole(study):
    values, (first, second) = study.orbits.values, study.exponents.T
    last = study.branches[-1].first("flip").parameters["alpha"]
    sure = first > 3 * study.errors[:, 0]
    assert sure.sum() > 10 and values[sure].min() > last - 0.01
    assert (second[values < 0.9] < 0).all()  # one direction is chaotic; later on the neighbour's doublings join in
    low, high = study.crisis
    assert high - low <= 1e-4
    assert study.meets == pytest.approx(low, rel=0.01) and low < study.meets  # the neighbours move, too
    ended = np.array(study.orbits.ends) != "steps"
    assert (values[ended] > low).all() and (values[~ended] < high).all()
    # The network's own update of all weights leaves on one side and stays on the other.
    assert study.orbits.samples[~ended].min() > 0


def test_the_lone_neuron_meets_its_pole_where_its_map_has_the_minimum_zero(study):
    net = network(alpha=study.meets)
    y = np.asarray(net.reduced_equilibrium()).copy()
    u = np.linspace(0.02, 0.3, 4001)
    images = []
    for each in u:
        y[TO_BASELINE] = each - (1 / 6) ** 2
        images.append(net.reduced(y)[TO_BASELINE] + (1 / 6) ** 2)
    assert min(images) == pytest.approx(0.0, abs=1e-5)


def test_w0_chooses_among_four_attractors(study):
    assert set(study.shifts.tolist()) == {0, 1, 2, 3}
    map, plane = basins.reduced(basins.ring()), basins.weights_plane(basins.ring())
    for shift in range(4):  # by growth along the orbit: two directions are almost alike, so that it settles slowly
        i = int(np.flatnonzero(study.shifts == shift)[0])
        start = plane.state(study.s[i], chaos.HEIGHT)
        mean = bf.lyapunov(map, start, steps=400, transient=basins.STEPS).values[0]
        assert study.start_exponents[i, 0] == pytest.approx(mean, abs=3e-3)
    ahead = [study.start_exponents[study.shifts == shift, 0].mean() for shift in range(4)]
    assert ahead[1] == pytest.approx(ahead[3], abs=1e-6)  # mirror images


def test_files_are_left(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG") and study.files.pdf.read_bytes().startswith(b"%PDF")
    with study.files.numbers.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(study.orbits.values) + len(study.s)
