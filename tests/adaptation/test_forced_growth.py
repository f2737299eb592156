"""What must grow at β ≥ 0, against runs under any inputs."""

import re

import numpy as np
import pytest

from bifurcate.adaptation import Network, average, literal, settling
from bifurcate.errors import InvalidInput


def case(rng, uniform=False, **extra):
    n = int(rng.integers(2, 6))
    r0 = np.full(n, rng.uniform(0.3, 1.0)) if uniform else rng.uniform(0.1, 1.0, n)
    made = {"alpha": float(rng.uniform(0.01, 0.3)), "beta": float(10 ** rng.uniform(-3, -1)), "sigma": 0.6, **extra}
    return Network(rng.uniform(0.1, 1.0, n), r0, **made)


def test_what_is_said_to_grow_never_falls(rng):
    """(1+β)^−t vᵀW_t v of every v across the target, along random sequences; and the bound holds at every update."""
    for _ in range(200):
        net = case(rng, beta=float(rng.choice([0.0, 0.01, 0.1])))
        run = net.run(drive=rng.uniform(0.0, 1.0, (40, net.size)), keep="all")
        found = settling.bounded(run)
        v = rng.standard_normal(net.size)
        R0 = net.baseline_response
        v -= (v @ R0) / (R0 @ R0) * R0
        values = [(1 + net.beta) ** -t * (v @ run.weights(t) @ v) for t in range(41)]
        assert (np.diff(values) >= -1e-10 * max(1, np.abs(values).max())).all()
        assert abs(found.direction @ R0) < 1e-12 and np.linalg.norm(found.direction) == pytest.approx(1)
        assert found.direction @ run.last @ found.direction == pytest.approx(found.bound(40), rel=1e-9)
        later = net.run(drive=rng.uniform(0.0, 1.0, (30, net.size)), start=run.last)
        assert np.linalg.norm(later.last, 2) >= found.bound(70) * (1 - 1e-9)
        alone, early = net.run(drive=[net.drive] * 40, keep="all"), settling.bounded(net)
        assert all(np.linalg.norm(alone.weights(t), 2) >= early.bound(t) * (1 - 1e-9) for t in range(1, 41))


def test_bounded_weights_need_uniform_drives(rng):
    """β > 0, W₀ = 𝟏: by a baseline that is not uniform, or else the first response that is not, weights diverge."""
    for _ in range(100):
        net = case(rng)
        found = settling.bounded(net)
        assert found.diverges and found.cause == "initial weights"
        R0 = net.baseline_response
        across = np.linalg.norm(np.ones(net.size) - R0.sum() / (R0 @ R0) * R0)
        assert found.growth >= across**2 * (1 - 1e-12)  # the part of 1 across R₀
        net = case(rng, uniform=True)
        found = settling.bounded(net)
        assert found.diverges and (found.cause, found.update) == ("response", 0)
        W = np.array(net.initial)
        steps = int(12 / np.log1p(net.beta))
        if found.growth > 1e-6:
            for _ in range(steps):
                W = net.update(W)
                if not np.isfinite(W).all():
                    break
            assert not np.linalg.norm(W, 2) < found.bound(steps) * (1 - 1e-9)


def test_the_response_that_forces_growth_is_named(rng):
    for _ in range(40):
        net = case(rng, uniform=True)
        first = int(rng.integers(1, 20))
        drives = np.full((25, net.size), 0.5)
        drives[first:] = rng.uniform(0.1, 1.0, (25 - first, net.size))
        run = net.run(drive=drives)
        found = settling.bounded(run)
        assert found.diverges and (found.cause, found.update) == ("response", first)
        same = settling.bounded(net.run(drive=drives[:first]))
        assert not same.diverges and same.cause == "nothing" and "nothing is proved" in same.reason
        assert np.ptp(net.run(drive=drives[:first]).last) < 1e-12  # all weights stay equal


def test_uniform_drives_can_stay_bounded(rng):
    """The one exception: on the line of uniform weights the rule is that of one neuron, and settles."""
    net = Network(np.full(3, 0.8), np.full(3, 0.5), alpha=0.1, beta=0.001, sigma=1.0)
    found = settling.bounded(net)
    assert not found.diverges
    assert net.outcome().fate.weights == "settle"


def test_at_beta_zero_nothing_diverges_but_the_bound_holds(rng):
    net = case(rng, beta=0.0)
    found = settling.bounded(net.run(drive=rng.uniform(0, 1, (50, net.size))))
    assert not found.diverges and found.growth > 0 and found.rate == 1.0


def test_averages_and_full_rank_targets(rng):
    net = case(rng, beta=0.05)
    stimuli = list(rng.uniform(0, 1, (3, net.size)))
    run = average(net, stimuli).run(30)
    found = settling.bounded(run)
    assert found.direction @ run.last @ found.direction == pytest.approx(found.bound(30), rel=1e-9)
    full = net.replace(target=np.eye(net.size))
    assert "no direction across" in settling.bounded(full).reason and not settling.bounded(full).diverges


def test_refusals(rng):
    net = case(rng)
    for wrong, words in (
        (net.replace(beta=-0.1), "for beta < 0 all weights decay"),
        (net.replace(clip=True), "clip=True"),
        (net.run(drive=[net.drive] * 3, keep="last"), "responses were not kept"),
    ):
        with pytest.raises(InvalidInput, match=words):
            settling.bounded(wrong)


def test_the_posed_preset_holds_tuning_to_its_interval():
    def deep(orientation, preferred):
        return np.cos(np.subtract.outer(orientation, preferred)) ** 2

    made = {"alpha": 0.1, "beta": 0.0, "sigma": 0.2, "b": 0.1}
    net = literal(8, (1.0, 0.0), (1.0, 0.5), tuning=deep, **made)
    assert net.drive.shape == (8,)
    with pytest.raises(InvalidInput, match=re.escape("the question asks for [0.1, 1]")):
        literal(8, (1.0, 0.0), (1.0, 0.0), tuning=deep, floor=0.1, **made)
    with pytest.raises(InvalidInput, match=re.escape("the question asks for [0, 1]")):
        literal(8, (1.0, 0.0), (1.0, 0.5), tuning=lambda o, p: 2 * deep(o, p), **made)
    with pytest.raises(InvalidInput, match="tuning has values from"):  # at another orientation, too
        grown = literal(8, (1.0, 0.0), (1.0, 0.0), tuning=lambda o, p: (0.5 + o[:, None]) * deep(o, p), **made)
        _ = grown.replace(orientation=1.0).drive
