"""The rule with R rᵀ: its objective by differences, what it shares with the adaptation rule and what it does not."""

import functools

import numpy as np
import pytest
from network_cases import dense_jacobian, draw_ring, near, slope

from bifurcate import gradient
from bifurcate.adaptation import Network, average, gradient_rule, ring
from bifurcate.adaptation.maps.gradient_update import GradientUpdate
from bifurcate.errors import InvalidInput, NoEnergy, OutsideDomain


def case(rng, beta=None):
    """An ensemble of one to four stimuli; β of either sign."""
    n, m = int(rng.integers(2, 6)), int(rng.integers(1, 5))
    r, r0, stimuli = rng.uniform(0.05, 1.5, n), rng.uniform(0.05, 1.5, n), rng.uniform(0.05, 1.5, (m, n))
    stimuli[0, 0] *= rng.integers(2)
    beta = float(rng.uniform(-0.8, 0.2)) if beta is None else beta
    net = Network(r, r0, alpha=float(rng.uniform(0.02, 0.5)), beta=beta, sigma=float(rng.uniform(0.4, 1.0)))
    p = rng.dirichlet(np.ones(m))
    return net, stimuli, p, gradient_rule(net, list(stimuli), p)


def objective(net, stimuli, p, W):
    """J, written out."""
    n, total = net.size, 0.0
    for w, r in zip(p, stimuli, strict=True):
        for i in range(n):
            if r[i] > 0:
                total += n * w * r[i] * np.log(net.sigma**2 + W[i] @ r / n)
    cross = np.outer(net.baseline_response, net.baseline_drive)
    return net.alpha * (total - np.sum(cross * W)) + net.beta / 2 * np.sum((W - net.target()) ** 2)


def test_update_is_a_step_of_ascent_of_the_objective(rng):
    """W⁺ − W = ∇J(W), by differences of J written out; 200 settings."""
    for _ in range(200):
        net, stimuli, p, rule = case(rng)
        W = rng.uniform(0.5, 2.0, (net.size, net.size))
        assert rule.objective(W) == pytest.approx(objective(net, stimuli, p, W), rel=1e-12, abs=1e-12)
        expected = entries_of_slope(functools.partial(objective, net, stimuli, p), W)
        assert near(rule.gradient(W).ravel(), expected, 1e-9)
        R = np.where(stimuli > 0, stimuli / (net.sigma**2 + stimuli @ W.T / net.size), 0)
        push = sum(w * np.outer(a, r) for w, a, r in zip(p, R, stimuli)) - np.outer(
            net.baseline_response, net.baseline_drive
        )
        assert near(rule.update(W), W + net.alpha * push + net.beta * (W - net.target()), 1e-12)


def entries_of_slope(f, W):
    return [slope(lambda t, V=V: f(W + t * V), 1e-3) for V in np.eye(W.size).reshape(-1, *W.shape)]


def test_objective_is_concave_where_weights_decay(rng):
    for _ in range(100):
        net, _, _, rule = case(rng, beta=-float(rng.uniform(0, 1)))
        one, two = rng.uniform(0.1, 3.0, (2, net.size, net.size))
        assert rule.objective((one + two) / 2) >= (rule.objective(one) + rule.objective(two)) / 2 - 1e-12


def test_derivative_is_symmetric_and_every_metric_test_agrees(rng):
    for _ in range(25):
        net, _, _, rule = case(rng, beta=-0.2)
        W = rng.uniform(0.5, 2.0, (net.size, net.size))
        J = dense_jacobian(rule.update, W)
        assert near(J, J.T, 1e-8)
        exact = GradientUpdate(rule.schedule.stimuli, net.target_rule, rule.schedule.stages[0])
        assert near(exact.jacobian(W, **rule.schedule.parameters), J, 1e-7)
    said = gradient.verdict(rule.update, rng.uniform(0.5, 2.0, (4, net.size, net.size)))
    assert said.euclidean.kind == "reconstructed"


def test_reduction_closes_and_its_derivatives_are_right(rng):
    for _ in range(60):
        net, stimuli, _, rule = case(rng)
        W = rng.uniform(0.5, 2.0, (net.size, net.size))
        Y, project = stimuli @ W.T / net.size, rule.schedule.project
        assert near(rule.reduced(Y), project(rule.update(W)), 1e-12)
        assert near(rule.reduced.jacobian(Y, **rule.schedule.parameters), dense_jacobian(rule.reduced, Y), 1e-7)
        V = rng.standard_normal(Y.shape)
        expected = slope(lambda t, Y=Y, V=V, rule=rule: rule.reduced(Y + t * V))
        assert near(rule.reduced.jvp(Y, V, **rule.schedule.parameters), expected, 1e-8)
        values = np.linalg.eigvals(rule.reduced.jacobian(Y, **rule.schedule.parameters))
        assert np.abs(values.imag).max() < 1e-7  # real, whatever the stimuli are


def test_derivatives_by_parameters(rng):
    for _ in range(8):
        net = draw_ring(rng, k=2)
        rule = gradient_rule(net, [(0.8, 0.2), (0.5, 1.0), ([0.4, 0.5], [0.3, 2.0])])
        W = rng.uniform(0.5, 2.0, (6, 6))
        Y = rule.schedule.project(W)
        p = rule.schedule.parameters
        for map, state in ((rule.update, W), (rule.reduced, Y)):
            for name in p:
                expected = slope(lambda t, n=name, m=map, s=state, p=p: m.f(s, **{**p, n: p[n] + t}), 1e-4)
                assert near(map.parameter_derivative(state, name, **p), expected, 1e-7), name


def test_equilibrium_is_the_maximum_and_is_reached(rng):
    met = 0
    for _ in range(12):
        _, _, _, rule = case(rng, beta=-float(rng.uniform(0.1, 0.5)))
        W = rule.equilibrium()
        assert near(rule.update(W), W, 1e-10)
        top = rule.objective(W)
        assert all(rule.objective(W + 0.05 * rng.standard_normal(W.shape)) < top for _ in range(10))
        other, values = np.ones_like(W), []
        for _ in range(600):
            values.append(rule.objective(other))
            other = rule.update(other)
        if (np.diff(values) >= -1e-13 * np.abs(values[0])).all():
            met += 1
            assert near(other, W, 1e-8)
    assert met > 6


def test_where_the_adaptation_rule_turns_in_circles_this_one_does_not():
    """A seeded ensemble of three neurons at whose equilibrium the adaptation rule has a complex pair."""
    rng, found = np.random.default_rng(5), 0
    for _ in range(250):
        n, m = 3, 2
        r, stimuli = rng.uniform(0.05, 1.5, (2, n)), rng.uniform(0.02, 1.5, (m, n))
        net = Network(r[0], r[1], alpha=float(rng.uniform(0.05, 0.5)), beta=-0.05, sigma=float(rng.uniform(0.3, 1.0)))
        both = average(net, list(stimuli))
        try:
            J = both.reduced.jacobian(both.reduced_equilibrium(), **both.parameters)
        except Exception:
            continue
        if np.abs(np.linalg.eigvals(J).imag).max() < 1e-5:
            continue
        found += 1
        with pytest.raises(NoEnergy, match="complex pair") as caught:
            both.energy()
        assert abs(caught.value.certificate.multiplier.imag) > 10 * caught.value.certificate.error
        rule = gradient_rule(net, list(stimuli))
        J = rule.reduced.jacobian(rule.reduced_equilibrium(), **both.parameters)
        assert np.abs(np.linalg.eigvals(J).imag).max() < 1e-9
    assert found >= 2


def test_refusals():
    net = Network([1.0, 0.5], [1.0, 0.8], alpha=0.1, beta=0.0, sigma=0.5)
    with pytest.raises(InvalidInput, match="clip=True"):
        gradient_rule(net.replace(clip=True), [[1.0, 0.5]])
    with pytest.raises(InvalidInput, match="given as a factor"):
        gradient_rule(net.replace(target=[1.0, 0.5]), [[1.0, 0.5]])
    with pytest.raises(InvalidInput, match="at beta = 0"):
        gradient_rule(net, [[1.0, 0.5]]).equilibrium()
    with pytest.raises(OutsideDomain, match="beyond a pole"):
        gradient_rule(net, [[1.0, 0.5]]).objective(-np.ones((2, 2)))


def test_at_the_baseline_the_initial_weights_rest_under_this_rule_too():
    net = ring(8, (0.8, 0.0), (0.8, 0.0), alpha=0.05, beta=0.0, sigma=0.3, b=0.05)
    same = gradient_rule(net, [(0.8, 0.0)])
    assert near(same.update(np.ones((8, 8))), np.ones((8, 8)), 1e-14)  # at the baseline both rest at W₀
