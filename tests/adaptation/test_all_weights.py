"""All n² weights in coordinates that are linear where the stimulus does not look, against runs of all weights."""

import numpy as np
import pytest
from network_cases import near, plain
from scipy.integrate import solve_ivp

from bifurcate.adaptation import Network
from bifurcate.adaptation.all_weights import coordinates
from bifurcate.errors import InvalidInput, NotConverged


def case(rng, n, beta):
    r, r0 = rng.uniform(0.3, 1.2, (2, n))
    return Network(r, r0, alpha=float(rng.uniform(0.2, 0.6)), beta=beta, sigma=float(rng.uniform(0.5, 0.9)))


def updated(net, W):
    return plain(W, net.drive, net.target(), net.alpha, net.beta, net.sigma)


def random_weights(rng, net):
    return rng.uniform(0.6, 1.6, (net.size, net.size))


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("beta", [-0.15, 0.0, 0.003])
def test_hidden_part_is_linear(rng, n, beta):
    """Z⁺ = (1+β) Z along updates of all weights, within the error that is given."""
    met = 0
    for _ in range(25):
        net = case(rng, n, beta)
        verdict = net.verdict()
        if not verdict.outputs_settle or verdict.margins["flip"] < 0.3 or verdict.margins["fold"] < 0.01:
            continue
        W = random_weights(rng, net)
        try:
            before = coordinates(net).hidden(W)
            for _ in range(5):
                W = updated(net, W)
            after = coordinates(net).hidden(W)
        except NotConverged:
            continue  # it went elsewhere
        met += 1
        error = (1 + beta) ** 5 * before.error + after.error + 1e-13
        assert np.linalg.norm(after.Z - (1 + beta) ** 5 * before.Z) <= 10 * error
        assert np.linalg.norm(before.Z) > 1e3 * error and error < 1e-8
        assert near(before.Z @ net.drive, np.zeros(n), 1e-10)
    assert met >= 8


@pytest.mark.parametrize("n", [2, 3, 4])
def test_the_point_of_the_manifold_is_predicted(rng, n):
    """β = 0: where W comes to rest, before it is run; also from weights that are not symmetric."""
    met = 0
    for _ in range(12):
        net = case(rng, n, 0.0)
        for W in (np.array(net.initial), random_weights(rng, net)):
            found = net.certificate(W)
            if not found.settles or found.updates(1e-12) > 6000:
                continue
            met += 1
            predicted, steps = coordinates(net).rest(W), found.updates(1e-12)
            for _ in range(steps):
                W = updated(net, W)
            assert near(W, predicted, 1e-10)
    assert met > 5


def test_below_zero_the_weights_at_rest_do_not_depend_on_where_they_start(rng):
    for _ in range(20):
        net = case(rng, 3, -0.2)
        assert near(coordinates(net).rest(random_weights(rng, net)), net.equilibrium(), 1e-11)


def test_rank_and_signs_of_weights_at_rest(rng):
    """β < 0: rank two, positive semidefinite iff α ≤ −β. β = 0: symmetric from W₀ = 1, of full rank in general."""
    for _ in range(60):
        net = case(rng, 4, -float(rng.uniform(0.05, 1.0)))
        values = np.linalg.eigvalsh(coordinates(net).rest(net.initial))
        scale = np.abs(values).max()
        assert (np.abs(values) > 1e-10 * scale).sum() == 2
        assert (values.min() > -1e-10 * scale) == (net.alpha <= -net.beta)
    net = Network([1.0, 0.5, 0.8], [0.6, 1.0, 0.4], alpha=0.1, beta=0.0, sigma=0.5)
    W = coordinates(net).rest(net.initial)
    assert near(W, W.T, 1e-12) and np.linalg.matrix_rank(W, tol=1e-4) == 3


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("beta", [-0.15, 0.0, 0.003])
def test_all_weights_descend_the_full_energy(rng, n, beta):
    """Along the integrated flow Ż = βZ; and ⟨Ẇ, V⟩ = −dE[V] in the metric, by differences of E alone."""
    net = case(rng, n, beta)
    while not (net.verdict().outputs_settle and net.verdict().margins["fold"] > 0.02 + abs(beta)):
        net = case(rng, n, beta)  # not too slow a flow
    frame, W = coordinates(net, flow=True), random_weights(rng, net)

    def velocity(W):
        return updated(net, W) - W

    ran = solve_ivp(
        lambda t, x: velocity(x.reshape(n, n)).ravel(), (0, 3.0), W.ravel(), method="DOP853", rtol=1e-12, atol=1e-13
    )
    later = ran.y[:, -1].reshape(n, n)
    one, two = frame.hidden(W), frame.hidden(later)
    assert np.linalg.norm(two.Z - np.exp(3.0 * beta) * one.Z) <= 10 * (one.error + two.error) + 1e-9
    assert one.error < 1e-6
    assert frame.energy(later) < frame.energy(W)
    for _ in range(2):
        V, h = rng.standard_normal((n, n)), 1e-4
        slope = (frame.energy(W + h * V) - frame.energy(W - h * V)) / (2 * h)
        assert frame.inner_product(W, velocity(W), V, 1e-4) == pytest.approx(-slope, rel=2e-5, abs=2e-7)


def test_an_orbit_that_goes_elsewhere_has_no_coordinates():
    net = Network([1.0, 0.5], [1.0, 1.0], alpha=90.0, beta=-0.1, sigma=0.5)
    with pytest.raises(NotConverged):
        coordinates(net).hidden(net.initial)


def test_refusals(rng):
    net = case(rng, 2, 0.01)
    with pytest.raises(InvalidInput, match="-2 < beta <= 0"):
        coordinates(net).rest(net.initial)
    with pytest.raises(InvalidInput, match="energy of the flow"):
        coordinates(net).energy(net.initial)
    with pytest.raises(InvalidInput, match="W has shape"):
        coordinates(net).hidden([1.0, 1.0])
    with pytest.raises(InvalidInput, match="clip=True"):
        coordinates(net.replace(clip=True))
    drifting = Network([1.0, 0.5, 0.0], [0.8, 0.6, 0.7], alpha=0.1, beta=0.0, sigma=0.5)
    with pytest.raises(InvalidInput, match="the weights drift"):
        coordinates(drifting).rest(drifting.initial)
