"""What schedules descend, and what contracts under any of them, against the rule on all weights."""

import numpy as np
import pytest
from network_cases import dense_jacobian, near, slope

from bifurcate.adaptation import Network, average, periodic
from bifurcate.errors import InvalidInput, NoEnergy, OutsideDomain


def apart(rng):
    """Stimuli of which no two drive one neuron."""
    n, m = int(rng.integers(2, 8)), int(rng.integers(1, 4))
    owner = rng.integers(0, m, n)
    owner[: min(m, n)] = np.arange(min(m, n))
    m = owner.max() + 1
    stimuli = np.where(owner == np.arange(m)[:, None], rng.uniform(0.1, 1.5, (m, n)), 0.0)
    net = Network(
        rng.uniform(0.1, 1.0, n),
        rng.uniform(0.1, 1.5, n),
        alpha=float(rng.uniform(0.0, 0.8)),
        beta=float(rng.uniform(-1.5, 0.3)),
        sigma=float(rng.uniform(0.3, 1.0)),
    )
    return net, stimuli, rng.dirichlet(np.ones(m))


def updated(W, net, stimuli, p):
    """W⁺ of the averaged rule, written out."""
    C = np.outer(net.baseline_response, net.baseline_response)
    Q = 0.0
    for w, r in zip(p, stimuli, strict=True):
        R = np.where(r > 0, r / (net.sigma**2 + W @ r / net.size), 0.0)
        Q = Q + w * np.outer(R, R)
    return W + net.alpha * (Q - C) + net.beta * (W - C)


def test_stimuli_that_share_no_neuron_have_an_energy(rng):
    """R (Y⁺ − Y) = −∇E, with Y⁺ from all weights, and ∇E by differences of E."""
    for _ in range(150):
        net, stimuli, p = apart(rng)
        plan, W = average(net, list(stimuli), p), rng.uniform(0.5, 2.0, (net.size, net.size))
        E, Y = plan.energy(), stimuli @ W.T / net.size
        after = stimuli @ updated(W, net, stimuli, p).T / net.size
        R = np.where(stimuli > 0, stimuli / (net.sigma**2 + Y), 0.0)
        assert near(E.gradient(Y), -R * (after - Y), 1e-13)
        by_differences = [
            slope(lambda t, V=V, E=E, Y=Y: E(Y + t * V), 1e-3) for V in np.eye(Y.size).reshape(-1, *Y.shape)
        ]
        assert near(E.gradient(Y).ravel(), by_differences, 1e-8)


def test_other_schedules_have_none_that_is_known():
    net = Network([1.0, 0.5], [1.0, 0.8], alpha=0.1, beta=-0.1, sigma=0.5)
    with pytest.raises(NoEnergy, match="in no diagonal metric") as caught:
        average(net, [[1.0, 0.5], [0.5, 1.0]]).energy()
    assert caught.value.certificate is not None
    with pytest.raises(NoEnergy):
        periodic(net, [[1.0, 0.5], [0.5, 1.0]]).energy()
    with pytest.raises(NoEnergy, match="clip=True"):
        average(net.replace(clip=True), [[1.0, 0.0], [0.0, 1.0]]).energy()
    E = average(net, [[1.0, 0.0], [0.0, 1.0]]).energy()
    with pytest.raises(InvalidInput, match="Y has shape"):
        E([1.0, 1.0])
    with pytest.raises(OutsideDomain):
        E([[-1.0, 1.0], [1.0, 1.0]])


def test_rotations_of_one_stimulus_turn_in_circles(rng):
    """All rotations of one stimulus, equally often, and a uniform target: complex pairs, no energy in any metric."""
    turning = 0
    for _ in range(10):
        base, uniform = rng.uniform(0.2, 1.0, 4), np.full(4, float(rng.uniform(0.3, 1.0)))
        net = Network(
            uniform, uniform, alpha=float(rng.uniform(0.05, 0.4)), beta=-0.2, sigma=float(rng.uniform(0.3, 0.8))
        )
        plan = average(net, [np.roll(base, k) for k in range(4)])
        J = dense_jacobian(plan.reduced, plan.reduced_equilibrium())
        turning += np.abs(np.linalg.eigvals(J).imag).max() > 1e-7
        with pytest.raises(NoEnergy):
            plan.energy()
    assert turning >= 8


def decaying(rng):
    n, m = int(rng.integers(2, 6)), int(rng.integers(1, 4))
    beta = -float(rng.uniform(0.05, 1.0))
    net = Network(
        rng.uniform(0.1, 1.0, n),
        rng.uniform(0.1, 1.0, n),
        alpha=float(rng.uniform(0.0, -beta)),
        beta=beta,
        sigma=float(rng.uniform(0.4, 1.2)),
    )
    stimuli = rng.uniform(0.0, 1.0, (m, n))
    return net, stimuli, rng.dirichlet(np.ones(m))


def test_updates_contract_as_is_proved(rng):
    """‖F(W) − F(V)‖ ≤ factor · ‖W − V‖ for W, V above (1 + α/β) C, where they stay; 200 settings, 20 pairs each."""
    tight = 0.0
    for _ in range(200):
        net, stimuli, p = decaying(rng)
        factor = average(net, list(stimuli), p).contraction().factors[0]
        least = (1 + net.alpha / net.beta) * net.target()
        for _ in range(20):
            W = least + rng.exponential(10 ** rng.uniform(-3, 1), least.shape) * rng.integers(2)
            V = W + rng.uniform(0, 10 ** rng.uniform(-3, 0.5), least.shape) * rng.integers(2)
            V = V + 10 ** rng.uniform(-4, 0) * np.outer(rng.uniform(0, 1, net.size), stimuli[0])
            one, two = updated(W, net, stimuli, p), updated(V, net, stimuli, p)
            assert (one >= least - 1e-13).all() and (two >= least - 1e-13).all()
            ratio = np.linalg.norm(one - two) / np.linalg.norm(W - V)
            assert ratio <= factor * (1 + 1e-9)
            tight = max(tight, (ratio - 1 - net.beta) / (factor - 1 - net.beta + 1e-12))
    assert -1 < tight <= 1


def test_one_response_attracts_all_weights_where_the_period_contracts(rng):
    met = 0
    for _ in range(60):
        net, stimuli, _ = decaying(rng)
        plan = periodic(net, list(stimuli))
        found = plan.contraction()
        if not found.one_periodic_response:
            continue
        met += 1
        ends = []
        for W in (np.zeros((net.size,) * 2), rng.exponential(3.0, (net.size,) * 2)):
            gaps = []
            for _ in range(int(np.ceil(-50 / np.log(found.period)))):
                for r in stimuli:
                    W = updated(W, net, [r], [1.0])
                gaps.append(W)
            ends.append(W)
        assert near(ends[0], ends[1], 1e-9)
        assert near(plan.update(ends[0]), ends[0], 1e-9)
        radius = np.abs(np.linalg.eigvals(dense_jacobian(plan.update, ends[0]))).max()
        assert radius <= found.period + 1e-6
    assert met > 15


def test_where_nothing_contracts_that_is_said():
    net = Network([1.0, 0.5], [1.0, 0.8], alpha=0.3, beta=-0.1, sigma=0.5)
    found = periodic(net, [[1.0, 0.5], [0.5, 1.0]]).contraction()
    assert np.isnan(found.period) and not found.one_periodic_response and "alpha <= -beta" in found.reason
    found = periodic(net.replace(alpha=0.1, sigma=0.05), [[1.0, 0.5], [0.5, 1.0]]).contraction()
    assert found.period > 1 and "nothing is proved" in found.reason
    zero = average(net.replace(alpha=0.0, beta=0.0), [[1.0, 0.5]]).contraction()
    assert zero.factors == [1.0] and not zero.one_periodic_response
