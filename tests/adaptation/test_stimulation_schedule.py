"""Several stimuli, averaged or in turn, against the rule written out plainly, differences and direct iteration."""

import pickle
import re

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.adaptation import Network, average, periodic, ring
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.linalg.operators import ShiftedLowRank, dense


def respond(r, W, sigma):
    u = sigma**2 + W @ r / len(r)
    return np.where(r > 0, r / np.where(r > 0, u, 1.0), 0.0)


def plain(W, drives, weights, C, alpha, beta, sigma):
    """One update averaged over stimuli, with every matrix formed."""
    Q = sum(w * np.outer(*[respond(r, W, sigma)] * 2) for w, r in zip(weights, drives, strict=True))
    return W + alpha * (Q - C) + beta * (W - C)


def made(rng, n=4, m=2, beta=None, silent=False):
    drives = rng.uniform(0.1, 1.5, (m, n))
    if silent:
        drives[0, 0] = 0.0
    net = Network(
        drives[0], rng.uniform(0.1, 1.0, n), alpha=float(rng.uniform(0.05, 0.4)),
        beta=float(rng.uniform(-0.6, -0.05)) if beta is None else beta, sigma=float(rng.uniform(0.4, 1.0)),
    )  # fmt: skip
    return net, drives


def rates(net):
    return {"alpha": net.alpha, "beta": net.beta, "sigma": net.sigma}


def slope(f, step=1e-4):
    return (8 * (f(step) - f(-step)) - (f(2 * step) - f(-2 * step))) / (12 * step)


def dense_jacobian(f, x):
    return np.array([slope(lambda t, e=e: f(x + t * e.reshape(x.shape)).ravel()) for e in np.eye(x.size)]).T


def near(x, expected, tolerance=1e-12):
    x, expected = np.asarray(x), np.asarray(expected)
    return x.shape == expected.shape and np.abs(x - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


def test_the_average_is_the_formula_and_closes_in_what_the_stimuli_see(rng):
    for _ in range(150):
        n = int(rng.integers(2, 7))
        m = int(rng.integers(1, n + 1))
        net, drives = made(rng, n, m, silent=True, beta=float(rng.uniform(-0.6, 0.2)))
        p = rng.dirichlet(np.ones(m))
        many = average(net, drives, p)
        W = rng.uniform(0.3, 2.0, (n, n))
        expected = plain(W, drives, p, net.target(), **rates(net))
        assert near(many.update(W), expected)
        assert near(many.reduced(many.project(W)), np.array([expected @ r / n for r in drives]))
        assert near(many.response(W), [respond(r, W, net.sigma) for r in drives])


def test_in_turn_is_the_rule_applied_to_one_stimulus_after_another(rng):
    for _ in range(100):
        n, m = int(rng.integers(2, 6)), 2
        net, drives = made(rng, n, m)
        order = [0, 1, *rng.integers(0, m, int(rng.integers(0, 4))).tolist()]
        turns = periodic(net, drives, order)
        W = after = rng.uniform(0.5, 2.0, (n, n))
        for s in order:
            after = net.replace(drive=drives[s]).update(after)
        assert near(turns.update(W), after)
        assert near(turns.reduced(turns.project(W)), np.array([after @ r / n for r in drives]))


def test_one_stimulus_is_the_network_itself(rng):
    net, drives = made(rng, 5, 1)
    W = rng.uniform(0.5, 1.5, (5, 5))
    for one in (average(net, drives), periodic(net, drives)):
        assert near(one.update(W), net.update(W))
        assert near(one.equilibrium(), net.equilibrium(), 1e-11)
        assert one.trivial == (1 + net.beta, 20)


@pytest.mark.parametrize("kind", ["average", "in turn"])
def test_derivatives_agree_with_differences(rng, kind):
    done = 0
    for _ in range(25):
        n, m = 4, int(rng.integers(1, 4))
        net, drives = made(rng, n, m, silent=True)
        many = average(net, drives, rng.dirichlet(np.ones(m))) if kind == "average" else periodic(net, drives)
        W, V = rng.uniform(0.7, 2.0, (n, n)), rng.standard_normal((n, n))
        Y = many.project(W)
        if many.update.domain(W, **many.parameters).min() < 0.3:
            continue  # too close to a pole for differences
        done += 1
        for map_, x, v in ((many.update, W, V), (many.reduced, Y, V[:m])):
            expected = dense_jacobian(map_, x)
            J = map_.jacobian(x, **map_.parameters)
            assert isinstance(J, ShiftedLowRank) == (map_ is many.update)
            assert near(dense(J), expected, 1e-7)
            assert near(map_.jvp(x, v, **map_.parameters).ravel(), expected @ v.ravel(), 1e-7)
            for name, value in map_.parameters.items():
                found = map_.parameter_derivative(x, name, **map_.parameters)
                assert near(found, slope(lambda t, m=map_, x=x, a=name, b=value: m(x, **{a: b + t})), 1e-7), name
    assert done >= 15


@pytest.mark.parametrize("target", ["baseline", "ensemble"])
def test_parameters_of_rings(rng, target):
    """b, and every stimulus' contrast and orientation, one of them a plaid; the adaptor's probability."""
    stimuli = [(0.8, 0.2), ([0.5, 0.4], [0.9, 2.0]), (0.6, 2.5)]
    net = ring(6, (0.7, 0.1), (0.7, 0.1), alpha=0.2, beta=-0.2, sigma=0.5, b=0.1, target=target,
               ensemble=[(0.5, 0.1), (0.9, 1.4)])  # fmt: skip
    many = average(net, stimuli, [0.5, 0.3, 0.2], adaptor=1)
    names = (
        "b contrast_1 orientation_1 contrast_2_1 contrast_2_2 orientation_2_1 orientation_2_2 contrast_3 orientation_3"
    )
    assert list(many.parameters) == ["alpha", "beta", "sigma", *names.split(), "probability"]
    assert many.parameters["probability"] == 0.3
    turns = periodic(net, stimuli, [0, 1, 0, 2])
    for each in (many, turns):
        W = rng.uniform(0.7, 1.5, (6, 6))
        for map_, x in ((each.update, W), (each.reduced, each.project(W))):
            map_.check(x)
            for name, value in map_.parameters.items():
                found = map_.parameter_derivative(x, name, **map_.parameters)
                assert near(found, slope(lambda t, m=map_, x=x, a=name, b=value: m(x, **{a: b + t})), 1e-7), name
    # the others share what the adaptor leaves, in their own proportions
    expected = average(net, stimuli, [0.5 / 0.7 * 0.4, 0.6, 0.2 / 0.7 * 0.4])
    assert near(many.update(W, probability=0.6), expected.update(W))
    assert near(many.replace(probability=0.6).update(W), expected.update(W))
    moved = [(0.8, 0.2), ([0.5, 0.9], [0.9, 2.0]), (0.6, 2.5)]
    assert near(turns.update(W, contrast_2_2=0.9), periodic(net, moved, [0, 1, 0, 2]).update(W))
    assert near(turns.replace(b=0.3, alpha=0.1).update(W), turns.update(W, b=0.3, alpha=0.1))
    assert near(
        turns.replace(contrast_2_2=0.9, orientation_3=0.3).update(W),
        turns.update(W, contrast_2_2=0.9, orientation_3=0.3),
    )
    assert near(pickle.loads(pickle.dumps(turns)).update(W), turns.update(W), 0.0)


def test_the_trivial_multiplier_and_its_multiplicity(rng):
    """All n² multipliers by differences of the map: (1+β)^M at least n(n−m) + m(m−1)/2 times, the rest as claimed."""
    done = 0
    for kind in ("average", "in turn"):
        for _ in range(12):
            n = int(rng.integers(2, 6))
            m = int(rng.integers(1, n + 1))
            net, drives = made(rng, n, m)
            many = average(net, drives) if kind == "average" else periodic(net, drives)
            try:
                W = many.equilibrium()
            except NotConverged:
                continue
            assert near(many.update(W), W, 1e-11)
            if many.update.domain(W, **many.parameters).min() < 0.1:
                continue
            done += 1
            value, count = many.trivial
            assert count == n * (n - m) + m * (m - 1) // 2
            assert value == pytest.approx((1 + net.beta) ** (1 if kind == "average" else m), rel=1e-13)
            J = dense_jacobian(many.update, W)
            # semisimple: that many dimensions are mapped to multiples of themselves
            assert (np.linalg.svd(J - value * np.eye(n * n), compute_uv=False)[n * n - count :] < 1e-7).all()
            found = many.spectrum(W)
            assert found.multiplicity.sum() == n * n
            listed = np.repeat(found.values, found.multiplicity)
            expected = np.linalg.eigvals(J)
            assert near(np.sort(listed.real), np.sort(expected.real), 1e-5)
            assert near(np.sort(listed.imag), np.sort(expected.imag), 1e-5)
            same = many.reduced_spectrum(many.project(W))
            assert near(same.values, found.values, 1e-9)
    assert done >= 16


def test_equilibria_are_what_iteration_reaches(rng):
    for kind in (average, periodic):
        for _ in range(5):
            net, drives = made(rng, 4, 3, beta=float(rng.uniform(-0.6, -0.2)))
            many = kind(net.replace(alpha=0.02), drives)
            W, Y = many.equilibrium(), many.reduced_equilibrium()
            assert near(many.update(W), W)
            assert near(many.project(W), Y, 1e-11)
            x = np.ones((4, 4))
            for _ in range(400):
                x = many.update(x)
            assert near(x, W, 1e-10)


def test_averages_of_two_stimuli_can_have_complex_multipliers():
    """At an equilibrium with all denominators positive; the same pair from differences of the full map."""
    drives = [[0.146, 0.198, 1.484, 0.05], [0.248, 0.248, 2.995, 17.353]]
    net = Network(drives[0], [0.664, 0.84, 0.137, 0.864], alpha=0.127, beta=-0.046, sigma=0.09)
    many = average(net, drives)
    W = many.equilibrium()
    assert near(many.update(W), W)
    assert near(W, W.T)
    assert many.update.domain(W, **many.parameters).min() > 0.05
    values = many.spectrum(W).values
    pair = values[np.argmax(values.imag)]
    assert pair.imag > 4e-3
    assert np.abs(np.linalg.eigvals(dense_jacobian(many.update, W)) - pair).min() < 1e-6


def test_at_beta_zero_weights_come_to_rest_by_iteration(rng):
    net, drives = made(rng, 4, 2, beta=0.0)
    many = average(net.replace(target="ensemble", ensemble=drives), drives)
    W = many.equilibrium()
    assert near(W, np.ones((4, 4)))  # the target's ensemble at the initial weights: already at rest
    biased = average(net.replace(target="ensemble", ensemble=drives), drives, [0.7, 0.3])
    Y = biased.reduced_equilibrium()
    assert near(biased.reduced(Y), Y, 1e-11)
    with pytest.raises(InvalidInput, match="not determined by W r/n"):
        biased.lift(Y)


def test_more_stimuli_than_neurons(rng):
    net, drives = made(rng, 3, 5)
    many = average(net, drives)
    with pytest.raises(
        InvalidInput, match="5 stimuli for 3 neurons: n m = 15 unknowns would be more than the n\\^2 = 9"
    ):
        _ = many.reduced
    W = many.equilibrium()
    assert near(many.update(W), W, 1e-10)
    assert many.update.jacobian is None
    assert many.trivial == (1 + net.beta, 3)
    branch = bf.trace(bf.cycles(many.update, "alpha", W), {"alpha": (net.alpha - 0.02, net.alpha + 0.02)})
    assert {end.reason for end in branch.stop} == {"bound"}
    listed = branch.spectra[0].values
    assert (np.abs(listed - (1 + net.beta)) < 1e-7).sum() >= 3


def test_clip(rng):
    net, drives = made(rng, 4, 2, beta=-0.7)
    clipped = net.replace(clip=True)
    p = [0.8, 0.2]
    for many, turn in ((average(clipped, drives, p), False), (periodic(clipped, drives), True)):
        for _ in range(20):
            W, V = rng.uniform(0.0, 0.6, (4, 4)), rng.standard_normal((4, 4))
            if turn:
                after = W
                for r in drives:
                    after = np.maximum(plain(after, [r], [1.0], net.target(), **rates(net)), 0.0)
            else:
                after = np.maximum(plain(W, drives, p, net.target(), **rates(net)), 0.0)
            assert near(many.update(W), after)
            x = many.update.borders(W, **many.parameters)
            assert x.shape == ((2,) if turn else (1,))
            found = many.update.jvp(W, V, **many.parameters)
            assert (
                near(found, slope(lambda t, m=many, W=W, V=V: m.update(W + t * V), 1e-6), 1e-5)
                or np.abs(x).min() < 1e-3
            )
    with pytest.raises(InvalidInput, match="no reduced map with clip=True"):
        _ = many.reduced


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda net: average(net, []), "give a list of at least one stimulus"),
        (lambda net: average(net, [[1.0, 1.0, 1.0]]), "stimuli[0] has shape (3,); it must be (2,)"),
        (lambda net: average(net, np.eye(2), [0.5, 0.6]), "probabilities sum to 1.1"),
        (lambda net: average(net, np.eye(2), [1.5, -0.5]), "the least is -0.5"),
        (lambda net: average(net, np.eye(2), [1.0]), "probabilities has shape (1,); it must be (2,)"),
        (lambda net: average(net, np.eye(2), adaptor=2), "adaptor is 2; it must be the number of a stimulus, 0 to 1"),
        (lambda net: average(net, np.eye(2)[:1], adaptor=0), "an ensemble of one stimulus has no probability"),
        (lambda net: periodic(net, np.eye(2), []), "order is empty"),
        (lambda net: periodic(net, np.eye(2), [0, 2]), "order has the entry 2"),
        (lambda net: periodic(net, np.eye(2), [0, 0]), "order never shows stimulus 1"),
        (lambda net: average(net, np.eye(2)).replace(probability=0.5), "has no 'probability' to replace; it has alpha"),
        (lambda net: average(net, np.eye(2), adaptor=0).replace(probability=1.5), "probability is 1.5"),
        (lambda net: average(net, np.eye(2)).project(np.ones(2)), "weights have shape (2,)"),
        (lambda net: average(net, np.eye(2)).reduced_response(np.ones(2)), "Y has shape (2,)"),
        (lambda net: average(net, np.eye(2)).lift(np.ones((2, 2))), "Y is not at rest"),
    ],
)
def test_refused(call, words):
    net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    with pytest.raises(InvalidInput, match=re.escape(words)):
        call(net)


def test_a_branch_that_reaches_the_clip_meets_a_border():
    """Rising α, an average with W ≥ 0: the border is where the least weight of the unclipped equilibrium becomes 0."""
    drives = [[1.2, 0.5, 0.2, 0.4], [0.3, 0.4, 1.1, 0.6]]
    net = Network(drives[0], [0.2, 1.0, 0.2, 1.0], alpha=0.01, beta=-0.2, sigma=0.6)
    free, clipped = average(net, drives), average(net.replace(clip=True), drives)
    bounds = {"alpha": (0.01, 0.6)}
    branch = bf.trace(bf.cycles(clipped.update, "alpha", clipped.equilibrium()), bounds)
    border = branch.first("border")
    at = border.parameters["alpha"]
    assert 0.3 < at < 0.4
    least = [free.replace(alpha=alpha).equilibrium().min() for alpha in (at - 1e-6, at, at + 1e-6)]
    assert least[0] > 0.0 > least[2]
    assert abs(least[1]) < 1e-9
    # before it the clipped branch is the unclipped one, beyond it not: it stays at 0 and is at rest all the same
    below, beyond = (branch.points[int(np.argmin(np.abs(branch["alpha"] - alpha)))] for alpha in (0.5 * at, 0.59))
    assert near(below.state, free.replace(alpha=below.free[0]).equilibrium(), 1e-9)
    assert (beyond.state >= 0.0).all() and (np.abs(beyond.state) < 1e-12).any()
    assert near(clipped.update(beyond.state, alpha=beyond.free[0]), beyond.state, 1e-9)
    assert np.abs(beyond.state - free.replace(alpha=beyond.free[0]).equilibrium()).max() > 1e-4


def test_a_period_goes_through_continuation():
    """A flip of the composed map, on n² weights and on n m unknowns, and the doubled regime that is born there."""
    net = ring(8, (0.8, 0.0), (0.8, 0.0), alpha=0.15, beta=-0.1, sigma=1 / 6, b=0.05)
    turns = periodic(net, [(0.8, np.pi / 2), (0.8, 3 * np.pi / 4)])
    bounds = {"alpha": (0.15, 0.22)}
    small = bf.trace(bf.cycles(turns.reduced, "alpha", turns.reduced_equilibrium()), bounds)
    large = bf.trace(bf.cycles(turns.update, "alpha", turns.equilibrium()), bounds)
    flip, same = small.first("flip"), large.first("flip")
    assert flip.parameters["alpha"] == pytest.approx(0.1967, abs=1e-4)
    assert same.parameters["alpha"] == pytest.approx(flip.parameters["alpha"], abs=1e-9)
    assert same.spectrum.size == 64 and flip.spectrum.size == 16
    assert flip.form == same.form == "supercritical"
    there = turns.replace(alpha=same.parameters["alpha"])
    J = dense_jacobian(there.update, same.state)
    assert np.abs(np.linalg.eigvals(J) + 1.0).min() < 1e-6
    doubled = bf.trace(bf.switch(flip), bounds)
    point = doubled.points[len(doubled) // 2]
    Y = there.reduced(point.state, alpha=point.free[0])
    assert np.abs(Y - point.state).max() > 1e-3
    assert near(there.reduced(Y, alpha=point.free[0]), point.state, 1e-9)


def test_mirrored_stimuli_in_turn_lose_stability_at_a_neimark_sacker_point():
    net = ring(8, (0.8, 0.0), (0.8, 0.0), alpha=0.2, beta=-0.1, sigma=1 / 6, b=0.05)
    turns = periodic(net, [(0.8, np.pi / 3), (0.8, 2 * np.pi / 3)])
    branch = bf.trace(bf.cycles(turns.reduced, "alpha", turns.reduced_equilibrium()), {"alpha": (0.2, 0.3)})
    point = branch.special[0]
    assert point.kind == "neimark-sacker"
    J = dense_jacobian(lambda Y: turns.reduced(Y, alpha=point.parameters["alpha"]), point.state)
    values = np.linalg.eigvals(J)
    assert np.sort(np.abs(values))[-2:] == pytest.approx([1.0, 1.0], abs=1e-6)
    assert np.abs(values[np.argmax(np.abs(values))].imag) > 0.05
