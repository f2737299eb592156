"""Sequences of inputs and protocols, against the rule iterated plainly and the explicit solution of the weights."""

import functools
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifurcate.adaptation import Network, average, periodic, protocols, raised_cosine, ring
from bifurcate.errors import InvalidInput


def respond(r, W, sigma):
    u = sigma**2 + W @ r / len(r)
    return np.where(r > 0, r / np.where(r > 0, u, 1.0), 0.0)


def plain(W, rows, C, alphas, beta, sigma, clip=False):
    """All weights and responses under a sequence of drives, every matrix formed."""
    weights, responses = [W], []
    for r, alpha in zip(rows, alphas, strict=True):
        R = respond(r, W, sigma)
        W = W + alpha * (np.outer(R, R) - C) + beta * (W - C)
        W = np.maximum(W, 0.0) if clip else W
        weights.append(W)
        responses.append(R)
    return np.array(weights), np.array(responses)


def made(rng, n=4, beta=None, **extra):
    beta = float(rng.uniform(-1.2, 0.05)) if beta is None else beta
    r = rng.uniform(0.1, 1.5, n)
    rates = {"alpha": float(rng.uniform(0.01, 0.3)), "beta": beta, "sigma": float(rng.uniform(0.4, 1.0))}
    return Network(r, rng.uniform(0.1, 1.0, n), **rates, **extra)


def near(x, expected, tolerance=1e-12):
    x, expected = np.asarray(x), np.asarray(expected)
    return x.shape == expected.shape and np.abs(x - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


def drive(angle, contrast, b, n):
    return np.maximum(contrast * raised_cosine([angle], np.arange(n) * np.pi / n)[0] + b, 0.0) ** 2


def test_runs_are_the_rule_and_the_explicit_solution(rng):
    done = 0
    for case in range(120):
        n, T = int(rng.integers(1, 6)), int(rng.integers(1, 25))
        start = rng.uniform(0.5, 1.5, (n, n)) if case % 2 else None
        net = made(rng, n, beta=-1.0 if case % 10 == 0 else None, initial=rng.uniform(0.5, 1.5, (n, n)))
        rows = rng.uniform(0.0, 1.5, (T, n)) * (rng.uniform(size=(T, n)) > 0.1)
        alphas = rng.uniform(0.0, 0.3, T) if case % 3 else np.full(T, net.alpha)
        given = alphas if case % 3 else None
        W0 = net.initial if start is None else start
        weights, responses = plain(W0, rows, net.target(), alphas, net.beta, net.sigma)
        if not np.abs(weights).max() < 1e3:
            continue
        done += 1
        run = net.run(drive=rows, alpha=given, start=start, keep="all")
        assert run.end == "steps" and len(run) == T
        assert near(run.responses, responses, 1e-10)
        assert near(run.moves, np.linalg.norm(np.diff(weights, axis=0), axis=(1, 2)), 1e-10)
        assert near(run.presented, rows, 0.0)
        assert run.check() < 1e-11
        frugal = net.run(drive=rows, alpha=given, start=start)
        assert frugal.kept == (T,)
        for t in (0, T // 2, T, -1):
            assert near(run.weights(t), weights[t], 1e-10)
            assert near(frugal.weights(t), weights[t], 1e-10)
            assert near(run.explicit(t), weights[t], 1e-10)
    assert done >= 80


def test_orientations_make_the_drives_of_a_ring(rng):
    for k in (1, 2, 3):
        T, n, b = 6, 5, 0.1
        c, theta = rng.uniform(-0.3, 1.0, (T, k)), rng.uniform(-3.0, 6.0, (T, k))
        c[4:], theta[4:] = c[0], theta[0]
        net = ring(n, (0.8, 0.3), (0.5, 0.0), alpha=0.1, beta=-0.1, sigma=0.5, b=b)
        f = np.array([raised_cosine(each, np.arange(n) * np.pi / n) for each in theta])
        rows = np.maximum(np.einsum("tk,tkn->tn", c, f) + b, 0.0) ** 2
        run = net.run(c, theta)
        assert near(run.presented, rows, 1e-14)
        assert len(run.drives) == 4
        assert near(run.last, net.run(drive=rows).last, 1e-13)
        if k == 1:
            assert near(net.run(c[:, 0], theta[:, 0]).last, run.last, 0.0)


def test_what_is_kept(rng):
    net = made(rng, 3, beta=-0.2)
    rows = rng.uniform(0.1, 1.0, (10, 3))
    every = net.run(drive=rows, keep="all")
    assert every.kept == tuple(range(1, 11))
    some = net.run(drive=rows, keep=[2, 5])
    assert some.kept == (2, 5, 10)
    assert near(some.weights(5), every.weights(5), 0.0)
    last = net.run(drive=rows, keep="last")
    assert last.responses is None
    assert near(last.last, every.last, 0.0)
    with pytest.raises(InvalidInput, match="responses were not kept"):
        last.weights(3)
    with pytest.raises(InvalidInput, match="a time of the run, from 0 to"):
        every.weights(11)
    assert near(pickle.loads(pickle.dumps(every)).last, every.last, 0.0)


def test_clipped_runs(rng):
    net = made(rng, 4, beta=-0.8, clip=True)
    rows = rng.uniform(0.1, 1.5, (30, 4))
    weights, responses = plain(np.ones((4, 4)), rows, net.target() * 1.0, np.full(30, net.alpha), -0.8, net.sigma, True)
    run = net.run(drive=rows, keep="all")
    assert near(run.responses, responses)
    assert near(run.last, weights[-1])
    assert near(run.moves, np.linalg.norm(np.diff(weights, axis=0), axis=(1, 2)))
    with pytest.raises(InvalidInput, match="no explicit solution"):
        run.check()


def test_poles_and_divergence_are_said():
    net = Network([1.0, 1.0], [3.0, 3.0], alpha=4.0, beta=0.0, sigma=0.2)
    run = net.run(drive=np.ones((50, 2)))
    expected, _ = plain(np.ones((2, 2)), np.ones((50, 2)), net.target(), np.full(50, 4.0), 0.0, 0.2)
    u = [0.04 + W @ np.ones(2) / 2 for W in expected[:-1]]
    assert run.pole == next(t for t, each in enumerate(u) if each.min() <= 0)
    growing = made(np.random.default_rng(1), 3, beta=1.5)
    run = growing.run(drive=np.ones((500, 3)), keep="last")
    assert run.end == "diverged" and len(run) < 500
    assert np.abs(run.last).max() > 1e12


def test_protocols_are_what_their_names_say(rng):
    base, adaptor, test = (0.5, 0.1), (0.9, 0.7), (0.4, 1.9)
    made_of = {
        "constant": (protocols.constant(base, 3), [base] * 3),
        "recovery": (protocols.recovery(base, adaptor, 2, 3, 1), [base] * 2 + [adaptor] * 3 + [base]),
        "alternation": (protocols.alternation([base, adaptor], 2, 2), ([base] * 2 + [adaptor] * 2) * 2),
        "top-up": (protocols.top_up(adaptor, [test, base], 3, 2, 1), [adaptor] * 3 + [test] + [adaptor] * 2 + [base]),
        "contrast": (protocols.contrast_steps([0.2, 0.8], 0.3, 2), [(0.2, 0.3)] * 2 + [(0.8, 0.3)] * 2),
    }
    net = ring(6, (0.7, 0.0), (0.7, 0.0), alpha=0.1, beta=-0.1, sigma=0.5, b=0.05)
    for name, (protocol, expected) in made_of.items():
        contrast, orientation = protocol.inputs
        assert near(np.hstack([contrast, orientation]), np.array(expected), 0.0), name
        rows = np.array([drive(theta, c, 0.05, 6) for c, theta in expected])
        run = protocol.run(net)
        assert near(run.presented, rows, 1e-14)
        assert near(run.last, net.run(drive=rows).last, 1e-13)
        assert near(run.last, net.run(contrast, orientation).last, 1e-13)
    parts = made_of["recovery"][0]
    assert [parts.phase(each) for each in ("baseline", "adaptor", "recovery")] == [
        slice(0, 2),
        slice(2, 5),
        slice(5, 6),
    ]
    assert made_of["top-up"][0].phase("test 2") == slice(6, 7)
    with pytest.raises(InvalidInput, match="no phase 'test'; it has baseline, adaptor, recovery"):
        parts.phase("test")


def test_plaids_are_superpositions():
    net = ring(6, (0.7, 0.0), (0.7, 0.0), alpha=0.1, beta=-0.1, sigma=0.5)
    protocol = protocols.plaid([0.5, 0.3], [0.2, 1.6], 4) + protocols.constant((0.9, 0.4), 2)
    expected = (np.sqrt(drive(0.2, 0.5, 0.0, 6)) + np.sqrt(drive(1.6, 0.3, 0.0, 6))) ** 2
    run = protocol.run(net)
    assert near(run.presented[0], expected, 1e-14)
    assert near(run.presented[-1], drive(0.4, 0.9, 0.0, 6), 1e-14)
    assert protocol.inputs[0].shape == (6, 2)
    assert near(run.last, net.run(*protocol.inputs).last, 1e-13)


def test_protocols_of_drives(rng):
    net = made(rng, 2, beta=-0.3)
    one, two = rng.uniform(0.1, 1.0, (2, 2))
    protocol = protocols.recovery(one, two, 1, 2, 1)
    assert near(protocol.run(net).presented, np.array([one, two, two, one]), 0.0)
    with pytest.raises(InvalidInput, match="no contrasts and orientations"):
        _ = protocol.inputs
    with pytest.raises(InvalidInput, match="stimuli\\[0\\]"):
        protocol.run(made(rng, 3))


def test_a_period_of_a_protocol_is_the_composed_map(rng):
    net = ring(5, (0.7, 0.0), (0.7, 0.0), alpha=0.1, beta=-0.1, sigma=0.5, b=0.05)
    protocol = protocols.alternation([(0.5, 0.1), (0.9, 0.7)], dwell=2)
    turns = protocol.periodic(net)
    W = rng.uniform(0.5, 1.5, (5, 5))
    assert near(turns.update(W), protocol.run(net, start=W).last)
    assert turns.trivial[0] == pytest.approx(0.9**4)
    run = turns.run(3, start=W, keep="all")
    assert near(run.last, turns.update(turns.update(turns.update(W))))
    assert run.check() < 1e-14


def test_averages_run_as_their_map_does(rng):
    ensemble = protocols.biased(6, 0.4, contrast=0.8, adaptor=0.5)
    net = ring(8, (0.7, 0.0), (0.7, 0.0), alpha=0.1, beta=-0.1, sigma=0.5, b=0.05)
    many = ensemble.average(net)
    assert many.parameters["probability"] == 0.4
    run = many.run(7, keep="all")
    W = np.ones((8, 8))
    for t in range(7):
        assert near(run.responses[t], many.response(W))
        W = many.update(W)
        assert near(run.weights(t + 1), W)
    assert run.responses.shape == (7, 6, 8)
    assert run.check() < 1e-14
    alphas = np.linspace(0.2, 0.0, 7)
    run, W = many.run(7, alpha=alphas), np.ones((8, 8))
    for a in alphas:
        W = many.update(W, alpha=a)
    assert near(run.last, W)
    assert near(run.explicit(7), W)


def test_biased_ensembles(rng):
    ensemble = protocols.biased(5, 0.6, contrast=0.7, adaptor=3.0)
    angles = np.array([float(each.orientation[0]) for each in ensemble.stimuli])
    assert angles[0] == 3.0
    assert near(np.sort(np.mod(angles - 3.0, np.pi)), np.arange(5) * np.pi / 5, 1e-12)
    assert near(ensemble.probabilities, [0.6, 0.1, 0.1, 0.1, 0.1], 1e-15)
    assert near(protocols.biased(4).probabilities, np.full(4, 0.25), 0.0)
    order = ensemble.sequence(20000, seed=3).order
    counts = np.bincount(order, minlength=5) / 20000
    assert np.abs(counts - ensemble.probabilities).max() < 4 * np.sqrt(0.25 / 20000)
    assert (ensemble.sequence(50, seed=3).order == ensemble.sequence(50, seed=3).order).all()
    assert (ensemble.sequence(50, seed=3).order != ensemble.sequence(50, seed=4).order).any()


def test_random_order_with_small_rates_follows_the_average(rng):
    """Over a time 1/ε at rates ε the random order stays within O(√ε) of the average; measured, at two ε."""
    drives = rng.uniform(0.1, 1.5, (3, 4))
    apart = []
    for scale in (0.02, 0.0005):
        net = Network(drives[0], np.ones(4), alpha=0.5 * scale, beta=-0.5 * scale, sigma=0.6)
        ensemble = protocols.StimulusEnsemble.of([row.copy() for row in drives], [0.5, 0.3, 0.2])
        T = round(1.0 / scale)
        ends = [ensemble.sequence(T, seed).run(net, keep="last").last for seed in range(20)]
        mean = ensemble.average(net).run(T, keep="last").last
        apart.append(np.sqrt(np.mean([np.sum((W - mean) ** 2) for W in ends])))
    assert np.log(apart[0] / apart[1]) / np.log(40) == pytest.approx(0.5, abs=0.2)


NET = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
RING = ring(4, (1.0, 0.0), (1.0, 0.0), alpha=0.1, beta=-0.1, sigma=0.5)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: NET.run(), "give contrast and orientation, both (T, k), or drive"),
        (lambda: NET.run([0.5], [0.1]), "made from drives and knows no orientations"),
        (lambda: NET.run(drive=np.zeros((0, 2))), "drive has shape (0, 2); it must be (T, 2) with T at least 1"),
        (lambda: NET.run(drive=[1.0, 2.0]), "drive has shape (2,)"),
        (lambda: NET.run(drive=[[1.0, -2.0]]), "drive has negative entries"),
        (lambda: NET.run(drive=[[1.0, np.nan]]), "drive has entries that are NaN"),
        (lambda: RING.run([0.5], [0.1], drive=np.ones((1, 4))), "not both"),
        (lambda: RING.run([], []), "it must be (T, k) with T and k at least 1"),
        (lambda: RING.run([0.5, 0.5], [0.1, 0.2, 0.3]), "contrast has shape (2, 1), orientation (3, 1)"),
        (lambda: RING.run([0.5], [45.0]), "orientation has the entry 45; orientations are in radians"),
        (lambda: NET.run(drive=np.ones((3, 2)), alpha=[0.1, 0.1]), "alpha has shape (2,)"),
        (lambda: NET.run(drive=np.ones((1, 2)), alpha=[-0.1]), "alpha has negative entries"),
        (lambda: NET.run(drive=np.ones((1, 2)), start=np.ones(2)), "start has shape (2,); it must be (2, 2)"),
        (lambda: NET.run(drive=np.ones((1, 2)), keep="some"), "keep is 'some'; allowed are responses, all, last"),
        (lambda: NET.run(drive=np.ones((1, 2)), keep=[5]), "keep has the time 5; times are whole numbers from 0 to 1"),
        (lambda: NET.run(drive=np.ones((1, 2)), keep=3), "keep is 3"),
        (lambda: protocols.constant((0.5, 0.0), 0), "steps is 0; it must be a whole number of at least 1"),
        (lambda: protocols.constant((0.5, 90.0), 1), "the orientation of stimulus has the entry 90"),
        (lambda: protocols.recovery((0.5, 0.0), (0.5, 1.0), 1, 0, 1), "steps is 0"),
        (lambda: protocols.alternation([]), "stimuli is empty"),
        (lambda: protocols.alternation([(0.5, 0.0)], cycles=0), "cycles is 0"),
        (lambda: protocols.alternation([(0.5, 0.0)], dwell=1.5), "dwell is 1.5"),
        (lambda: protocols.top_up((0.5, 0.0), [], 1, 1), "tests is empty"),
        (lambda: protocols.contrast_steps([], 0.0, 1), "contrasts has shape (0,)"),
        (lambda: protocols.plaid([0.5], [0.0], 1), "a plaid has two of each"),
        (lambda: protocols.biased(1, 0.5), "m is 1; it must be a whole number of at least 2"),
        (lambda: protocols.biased(4, 1.2), "probability is 1.2; it must be a finite real number in [0, 1]"),
        (lambda: protocols.biased(3, [0.2, 0.3]), "probability is [0.2, 0.3]"),
        (lambda: protocols.biased(4).sequence(4, -1), "seed is -1; it must be a whole number of at least 0"),
        (lambda: protocols.biased(4).sequence(4, None), "seed is None"),
        (
            lambda: protocols.StimulusEnsemble.of([(0.5, 0.0)] * 2, adaptor=5),
            "adaptor is 5; it must name a stimulus, 0 to 1",
        ),
        (lambda: protocols.top_up((0.9, 0.0), [(0.5, 0.3)], 1, 0), "top is 0"),
        (lambda: periodic(RING, [(0.5, 0.4)], order=0), "order is 0; give a sequence"),
        (lambda: NET.run(drive=np.ones((3, 2))).weights(7), "t is 7; it must be a time of the run, from 0 to 3"),
        (lambda: NET.energy()("a"), "R is 'a'; it must be made of real numbers"),
        (lambda: protocols.biased(4, adaptor=30.0), "the orientation of stimuli[0] has the entry 30"),
        (lambda: protocols.biased(4).sequence(0, 1), "steps is 0"),
        (lambda: protocols.StimulusEnsemble.of([(0.5, 0.0)] * 2, [0.5, 0.4]), "probabilities sum to 0.9"),
        (lambda: protocols.StimulusEnsemble.of([]), "stimuli is empty"),
        (lambda: average(RING, [(0.5, 45.0)]), "the orientation of stimuli[0] has the entry 45"),
        (lambda: periodic(RING, [(0.5, 0.4)]).run(0), "periods is 0"),
    ],
)
def test_refused(call, words):
    with pytest.raises(InvalidInput, match=re.escape(words)):
        call()


STIMULI = st.tuples(st.sampled_from([0.2, 0.5, 0.8]), st.sampled_from([0.0, 0.7, 1.9]))
PIECES = st.lists(st.tuples(STIMULI, st.integers(1, 4)), min_size=1, max_size=5)


@given(PIECES, PIECES, PIECES)
def test_protocols_add_up_to_one_after_the_other(first, second, third):
    lists = first, second, third
    a, b, c = (
        functools.reduce(lambda x, y: x + y, [protocols.constant(shown, steps) for shown, steps in pieces])
        for pieces in lists
    )
    one, two = (a + b) + c, a + (b + c)
    expected = [shown for pieces in lists for shown, steps in pieces for _ in range(steps)]
    for each in (one, two):
        assert near(np.hstack(each.inputs), np.array(expected), 0.0)
        assert len(each.stimuli) == len(set(expected))
        assert each.phases == one.phases
        assert each.phases[-1][1] == len(each) == len(expected)
