"""Equilibria, spectra and both meanings of stability, against iteration, differences and dense eigenvalues."""

import numpy as np
import pytest
from network_cases import dense_jacobian, draw, draw_ring, near
from scipy.optimize import fsolve

from bifurcate.adaptation import Network, last_beta, literal, ring
from bifurcate.errors import InvalidInput


def bracket(r, R):
    """(R·r) diag(R²/r) + R (R²)ᵀ."""
    return (R @ r) * np.diag(R**2 / r) + np.outer(R, R**2)


def eigenvalues(matrix):
    return np.sort_complex(np.linalg.eigvals(matrix))


# Spectra


def test_full_spectrum_with_its_multiplicity(rng):
    for _ in range(60):
        net, r, _, p = draw(rng, n=int(rng.integers(1, 5)), silent=True)
        n = len(r)
        W = rng.uniform(0.5, 2.0, (n, n))
        found = net.spectrum(W)
        assert found.multiplicity.sum() == found.size == n * n
        trivial = np.abs(found.values - (1 + p["beta"])) < 1e-12
        assert found.multiplicity[trivial].sum() >= n * (n - 1)
        listed = np.sort_complex(np.repeat(found.values, found.multiplicity))
        # n(n−1) equal eigenvalues of a matrix of differences are spread by rounding more than its entries are
        expected = eigenvalues(dense_jacobian(net.update, W))
        assert np.abs(listed - expected).max() < 1e-6
        assert near(net.spectrum(net.project(W)).values, found.values, 1e-12)


def test_multipliers_are_real_interlace_and_match_the_core(rng):
    for _ in range(150):
        net, r, _, p = draw(rng, n=int(rng.integers(2, 8)))
        n = len(r)
        y = rng.uniform(0.1, 2.0, n)
        R = r / (p["sigma"] ** 2 + y)
        J = dense_jacobian(net.reduced, y)
        assert near(J, (1 + p["beta"]) * np.eye(n) - p["alpha"] / n * bracket(r, R), 1e-7)
        mu = np.linalg.eigvals(bracket(r, R))
        assert np.abs(mu.imag).max() < 1e-10
        mu, d = np.sort(mu.real), np.sort((R @ r) * R**2 / r)
        assert (mu > 0).all()
        assert (d <= mu + 1e-12).all() and (mu[:-1] <= d[1:] + 1e-12).all()
        values = net.spectrum(y).values
        assert np.abs(values.imag).max() == 0.0
        inner = np.sort(1 + p["beta"] - p["alpha"] * mu / n)
        assert all(np.abs(values.real - each).min() < 1e-10 for each in inner)


def test_without_adaptation_every_multiplier_is_one_plus_beta(rng):
    net = draw(rng, n=3)[0]
    net = net.replace(alpha=0.0, beta=-0.3)
    assert near(dense_jacobian(net.update, np.ones((3, 3))), 0.7 * np.eye(9), 1e-9)
    assert near(net.spectrum(np.ones((3, 3))).values.real, np.full(4, 0.7), 1e-14)
    assert near(net.equilibrium(), net.target(), 1e-13)


# Equilibria, β < 0


def test_exactly_one_positive_equilibrium_where_weights_decay(rng):
    reached = 0
    for case in range(10):
        net, _r, _, p = draw(rng, n=int(rng.integers(1, 6)), beta=float(-rng.uniform(0.02, 1.95)))
        y = net.reduced_equilibrium()
        assert (net.response(y) > 0).all()
        assert near(net.reduced(y), y, 1e-14)
        for _ in range(20):
            start = y * rng.uniform(0.2, 5.0, len(y)) + rng.uniform(0.0, 0.3, len(y))
            end, _, status, _ = fsolve(lambda z, net=net: net.reduced(z) - z, start, full_output=True, xtol=1e-13)
            if status == 1 and (end + p["sigma"] ** 2 > 0).all():
                assert near(end, y, 1e-7), case
                reached += 1
    assert reached > 80


def test_iteration_arrives_at_the_equilibrium_given(rng):
    arrived = 0
    for _ in range(60):
        net = draw(rng, silent=True, beta=float(-rng.uniform(0.05, 0.9)))[0]
        net = net.replace(alpha=0.3 * net.alpha)
        W = np.array(net.initial)
        for _ in range(600):
            W = net.update(W)
        expected = net.equilibrium()
        if net.stability(expected).weights_margin > 0.03:
            arrived += 1
            assert near(W, expected, 1e-8)
            assert near(net.project(W), net.reduced_equilibrium(), 1e-8)
        assert near(net.update(expected), expected, 1e-13)
    assert arrived > 30


def test_equilibrium_of_a_large_ring_under_tiny_decay():
    for beta in (-1e-3, -1e-6, -1e-9, -1e-12):
        net = ring(60, (0.8, 0.0), (0.8, 1.05), alpha=0.3, beta=beta, sigma=1 / 6, b=0.05)
        W, y = net.equilibrium(), net.reduced_equilibrium()
        assert np.abs(net.update(W) - W).max() < 1e-14 * np.abs(W).max() * 60
        assert np.abs(net.reduced(y) - y).max() < 1e-15 * 60
        assert near(net.project(W), y, 1e-12)
        assert near(net.response(y), net.baseline_response, 1e3 * abs(beta))


def test_rounding_survives_large_gamma_of_either_sign():
    for beta in (-5.0, -1.0, -0.05, 1e-8, 5e-6):
        net = ring(24, (0.8, 0.0), (0.8, 1.05), alpha=0.05, beta=beta, sigma=1 / 6, b=0.05)
        y = net.reduced_equilibrium()
        assert np.abs(net.reduced(y) - y).max() < 1e-15 * 24
        assert (net.response(y) > 0).all()


def test_equilibrium_with_silent_neurons(rng):
    net = Network([1.0, 0.0, 0.4, 0.0], [0.5, 1.0, 0.0, 0.0], alpha=0.3, beta=-0.2, sigma=0.5)
    W = net.equilibrium()
    assert near(net.update(W), W, 1e-14)
    lam = eigenvalues(dense_jacobian(net.update, W))
    listed = net.spectrum(W)
    assert np.abs(np.sort_complex(np.repeat(listed.values, listed.multiplicity)) - lam).max() < 1e-6
    assert (np.abs(lam - 0.8) < 1e-6).sum() == 4 * 3 + 2
    stability = net.stability(W)
    assert stability.weights == stability.outputs == "stable"
    inner = dense_jacobian(net.reduced, net.project(W))[np.ix_([0, 2], [0, 2])]
    assert stability.outputs_radius == pytest.approx(np.abs(np.linalg.eigvals(inner)).max(), abs=1e-8)


def test_stability_is_lost_by_a_flip_where_the_largest_mode_says(rng):
    for _ in range(40):
        net, r, _, _ = draw(rng, n=int(rng.integers(2, 6)), beta=float(-rng.uniform(0.05, 1.5)))
        W = net.equilibrium()
        lam = np.linalg.eigvals(dense_jacobian(net.update, W))
        radius = np.abs(lam).max()
        mu = np.linalg.eigvals(bracket(r, net.response(W))).real.max()
        stability = net.stability(W)
        assert stability.weights_radius == pytest.approx(radius, abs=1e-6)
        if abs(radius - 1) > 1e-5:
            assert (radius < 1) == (net.alpha * mu / len(r) < 2 + net.beta) == (stability.weights == "stable")
        assert stability.outputs_margin == pytest.approx(1 - stability.outputs_radius)


# β = 0


def test_manifold_at_beta_zero(rng):
    for _ in range(60):
        net, r, _, p = draw(rng, n=int(rng.integers(1, 6)), beta=0.0)
        if p["alpha"] < 1e-3:
            continue
        n, W = len(r), net.equilibrium()
        R0 = net.baseline_response
        assert near(net.update(W), W, 1e-12)
        assert near(W @ r / n, r / R0 - p["sigma"] ** 2, 1e-12)
        assert near(W, W.T, 1e-12)
        free = rng.standard_normal((n, n))
        free -= np.outer(free @ r, r) / (r @ r)  # annihilates r: a move along the manifold
        assert near(net.update(W + free), W + free, 1e-11)
        mu = np.linalg.eigvals(bracket(r, R0)).real
        stability = net.stability(W)
        assert stability.outputs_radius == pytest.approx(np.abs(1 - p["alpha"] * mu / n).max(), abs=1e-9)
        attracting = p["alpha"] * mu.max() / n < 2
        assert stability.outputs == ("stable" if attracting else "unstable")
        assert stability.weights == ("unstable" if not attracting else "neutral" if n > 1 else "stable")
        assert (np.abs(net.spectrum(W).values - 1) < 1e-12).any() == (n > 1)


def test_nearest_point_of_the_manifold_is_the_symmetric_change_of_least_norm(rng):
    net, r, _, _ = draw(rng, n=4, beta=0.0)
    W, W0 = net.equilibrium(), np.ones((4, 4))
    for _ in range(20):
        other = rng.standard_normal((4, 4))
        P = np.eye(4) - np.outer(r, r) / (r @ r)
        other = P @ (other + other.T) @ P  # symmetric and annihilates r
        assert np.linalg.norm(W + 0.1 * other - W0) > np.linalg.norm(W - W0)


def test_flip_of_the_manifold_lies_at_two_n_over_mu(rng):
    net, r, _, _ = draw(rng, n=4, beta=0.0)
    mu = np.linalg.eigvals(bracket(r, net.baseline_response)).real.max()
    for factor, verdict in ((0.999, "stable"), (1.001, "unstable")):
        there = net.replace(alpha=factor * 2 * 4 / mu)
        assert there.stability(there.equilibrium()).outputs == verdict


def test_baseline_itself_is_at_rest_at_the_start(rng):
    r = rng.uniform(0.1, 1.0, 5)
    net = Network(r, r, alpha=0.3, beta=0.0, sigma=0.4)
    assert near(net.update(net.initial), net.initial, 1e-15)
    assert near(net.equilibrium(), net.initial, 1e-14)


def test_weights_drift_where_a_silent_neuron_has_a_target(rng):
    net = Network([1.0, 0.5, 0.0], [0.8, 0.6, 0.7], alpha=0.1, beta=0.0, sigma=0.5)
    for ask in (net.equilibrium, net.reduced_equilibrium):
        with pytest.raises(InvalidInput, match="silent under the stimulus but not in the target"):
            ask()
    W = np.array(net.initial)
    for _ in range(2000):
        W = net.update(W)
    settled, later = net.response(W), net.update(W)
    assert near(net.response(later), settled, 1e-12)
    step = np.abs(later - W).max()
    assert step > 1e-3
    assert np.abs(net.update(later) - later).max() == pytest.approx(step, rel=1e-9)  # without bound
    stability = net.stability(W)
    assert (stability.outputs, stability.weights) == ("stable", "unstable")
    assert "without bound" in stability.reason


def test_driven_neuron_without_a_target_has_no_equilibrium_at_beta_zero():
    net = Network([1.0, 0.5, 0.2], [0.8, 0.6, 0.0], alpha=0.1, beta=0.0, sigma=0.5)
    with pytest.raises(InvalidInput, match="its target response is 0"):
        net.equilibrium()


def test_target_of_higher_rank_lets_outputs_rest_but_not_weights(rng):
    many = rng.uniform(0.2, 1.0, (3, 4))
    net = Network(rng.uniform(0.2, 1, 4), many[0], alpha=0.1, beta=0.0, sigma=0.5, target="ensemble", ensemble=many)
    y = net.reduced_equilibrium()
    assert near(net.reduced(y), y, 1e-14)
    with pytest.raises(InvalidInput, match="the weights have none"):
        net.equilibrium()
    assert net.stability(y).weights == "unstable"
    W = net.lift(y)
    assert near(net.project(net.update(W)), y, 1e-13)
    assert np.abs(net.update(W) - W).max() > 1e-4


def test_nothing_adapts_where_both_rates_are_zero(rng):
    net = draw(rng, n=3, beta=0.0)[0].replace(alpha=0.0)
    assert near(net.equilibrium(), net.initial, 0.0)
    assert near(net.reduced_equilibrium(), net.drive.sum() / 3 * np.ones(3), 1e-15)
    assert net.stability(net.initial).outputs == "neutral"


# β > 0


def test_branch_for_growing_weights_is_a_saddle(rng):
    found = 0
    for _ in range(40):
        net = draw(rng, n=int(rng.integers(2, 6)), beta=1e-4)[0]
        net = net.replace(alpha=max(net.alpha, 0.2))
        try:
            W = net.equilibrium()
        except InvalidInput:
            continue
        found += 1
        assert near(net.update(W), W, 1e-12)
        assert near(net.response(W), net.baseline_response, 0.1)
        stability = net.stability(W)
        assert stability.weights == "unstable"
        assert stability.weights_radius >= 1 + 1e-4
    assert found > 15


def follow(net, r, highest):
    """The β at which the branch from β = 0 folds, by Newton's method in (y, β) along its arc."""
    from numpy.linalg import norm, solve

    n = len(r)

    def residual(z):
        return net.reduced(z[:n], beta=z[n]) - z[:n]

    z, previous = np.append(r / net.baseline_response - net.sigma**2, 0.0), None
    direction = np.append(np.zeros(n), 1.0)
    for _ in range(4000):
        D = dense_jacobian_rectangular(residual, z)
        tangent = solve(np.vstack([D, direction]), np.append(np.zeros(n), 1.0))
        tangent /= norm(tangent)
        if previous is not None and tangent[n] <= 0:
            return z[n], previous[n]
        previous, direction = z.copy(), tangent
        z = z + 5e-3 * tangent
        for _ in range(4):
            z = z - solve(np.vstack([dense_jacobian_rectangular(residual, z), direction]), np.append(residual(z), 0.0))
        if z[n] > highest:
            return None
    return None


def dense_jacobian_rectangular(f, z, step=1e-5):
    return np.array([(f(z + step * e) - f(z - step * e)) / (2 * step) for e in np.eye(len(z))]).T


def test_branch_ends_in_the_fold_that_continuation_meets(rng):
    met = 0
    for _ in range(7):
        net, r, _, _ = draw(rng, n=3, beta=0.0)
        net = net.replace(alpha=float(rng.uniform(0.1, 0.4)))
        found = follow(net, r, 0.2)
        if found is None:
            continue
        met += 1
        end = last_beta(net)
        assert end == pytest.approx(found[0], rel=2e-3)
        there = net.replace(beta=end * (1 - 1e-9))
        mu = np.linalg.eigvals(bracket(r, there.response(there.reduced_equilibrium()))).real.min()
        assert net.alpha * mu / 3 == pytest.approx(end, rel=1e-3)  # α μ_min/n = β
        with pytest.raises(InvalidInput, match=f"ends in a fold at beta = {end:.10g}"):
            net.replace(beta=end * 1.001).equilibrium()
    assert met >= 5


def test_branch_past_the_collision_of_two_roots_is_still_followed():
    """Between the first vanishing discriminant and the fold one neuron has the regular root."""
    net = Network([1.0, 0.2], [1.0, 0.9], alpha=0.3, beta=0.0, sigma=0.5)
    end = last_beta(net)
    y = None
    for beta in np.linspace(end / 200, end * (1 - 1e-6), 60):
        there = net.replace(beta=float(beta))
        now = there.reduced_equilibrium()
        assert near(there.reduced(now), now, 1e-12)
        if y is not None:
            guess = fsolve(lambda z, there=there: there.reduced(z) - z, y, full_output=True, xtol=1e-13)[0]
            assert np.abs(guess - now).max() < 1e-4  # the same branch that Newton's method keeps
        y = now
    D = there.alpha * (there.response(y) @ net.drive) * there.response(y) ** 2 / net.drive / 2
    assert D.min() < there.beta < D.max()


def test_uniform_fold_is_where_the_cubic_has_a_double_root():
    # n equal neurons, r = 1, σ = 1, R₀ = ½: γ R³ − (5 + γ)/4 R + 1 = 0 has a double root where (5 + γ)³ = 432 γ.
    for n, alpha in ((1, 0.1), (4, 0.3)):
        gamma = max(np.roots([1.0, 15.0, 75.0 - 432.0, 125.0]).real)
        net = Network(np.ones(n), np.ones(n), alpha=alpha, beta=0.0, sigma=1.0)
        assert last_beta(net) == pytest.approx(alpha / gamma, rel=1e-9)


def test_as_posed_the_branch_ends_at_a_small_beta():
    net = literal(20, (0.8, 0.0), (0.8, 1.05), alpha=0.05, beta=0.0, sigma=1 / 6, b=0.05)
    end = last_beta(net)
    assert 0 < end < 0.01
    with pytest.raises(InvalidInput, match="ends in a fold"):
        net.replace(beta=0.5).equilibrium()


# All equilibria


@pytest.mark.parametrize("n", [1, 2, 3])
def test_every_equilibrium_that_newton_finds_is_listed(rng, n):
    for _ in range(6):
        beta = float(rng.choice([-0.3, -0.05, 0.02, 0.2]))
        net = draw(rng, n=n, beta=beta)[0]
        net = net.replace(alpha=float(rng.uniform(0.1, 0.6)))
        listed = net.reduced_equilibria(patterns="all")
        for y in listed:
            assert np.abs(net.reduced(y) - y).max() <= 1e-9 * max(np.abs(y).max(), net.sigma**2)
        for i, y in enumerate(listed):
            assert all(np.abs(y - other).max() > 1e-9 for other in listed[:i])
        scale = max(np.abs(listed).max(), 1.0) if listed else 1.0
        hits = 0
        for _ in range(150):
            start = rng.standard_normal(n) * scale * 10 ** rng.uniform(-2, 0) - net.sigma**2
            with np.errstate(all="ignore"):
                end, info, status, _ = fsolve(
                    lambda z, net=net: net.reduced(z) - z, start, full_output=True, xtol=1e-13
                )
            if status == 1 and np.abs(info["fvec"]).max() < 1e-11 and np.abs(end).max() < 1e6:
                hits += 1
                distance = min(np.abs(end - y).max() for y in listed)
                assert distance < 1e-5 * max(1.0, np.abs(end).max()), (beta, end)
        assert hits > 3 or not listed
        positive = net.reduced_equilibria()
        assert len(positive) == sum((net.response(y) > 0).all() for y in listed)
        if beta < 0:
            assert len(positive) == 1
        for W in net.equilibria(patterns="all"):
            assert near(net.update(W), W, 1e-8)


def test_single_neuron_against_the_roots_of_its_cubic(rng):
    # n = 1: γ r R³ − a R + r = 0 with a = σ² + (1+γ) R₀² r.
    for _ in range(100):
        net, r, _, p = draw(rng, n=1, beta=float(rng.choice([-1.0, 1.0]) * 10 ** rng.uniform(-3, 0)))
        gamma = p["alpha"] / p["beta"]
        a = p["sigma"] ** 2 + (1 + gamma) * net.baseline_response[0] ** 2 * r[0]
        roots = np.roots([gamma * r[0], 0.0, -a, r[0]])
        expected = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
        found = np.sort([net.response(y)[0] for y in net.reduced_equilibria("all")])
        assert near(found, expected, 1e-7)


def test_both_signs_are_equilibria_of_the_outputs_at_beta_zero(rng):
    net, _, _, _ = draw(rng, n=3, beta=0.0)
    both = net.reduced_equilibria(patterns="all")
    assert len(both) == 2
    assert near(net.response(both[1]), -net.response(both[0]), 1e-12)
    for y in both:
        assert near(net.reduced(y), y, 1e-12)
    assert len(net.equilibria()) == 1


def test_lift_gives_what_projects_back(rng):
    for _ in range(50):
        net, r, _, _ = draw(rng, silent=True)
        y = rng.uniform(0.1, 1.0, len(r))
        W = net.lift(y)
        assert near(W @ r / len(r), y, 1e-13)
        assert near(W, W.T, 1e-13)


def test_equilibrium_that_the_clip_forbids_is_refused(rng):
    made = {"alpha": 0.3, "beta": -0.1, "sigma": 0.2, "b": 0.0, "floor": 0.0}
    net = ring(12, (0.9, 0.0), (0.9, 0.8), **made)
    assert net.equilibrium().min() < 0
    with pytest.raises(InvalidInput, match="negative weights"):
        net.replace(clip=True).equilibrium()
    mild = ring(12, (0.9, 0.0), (0.9, 0.05), **{**made, "floor": 0.5}, clip=True)
    W = mild.equilibrium()
    assert near(mild.update(W), W, 1e-13)
    assert mild.stability(W).weights_radius == pytest.approx(mild.replace(clip=False).stability(W).weights_radius)


def test_stability_is_of_equilibria_only(rng):
    net = draw_ring(rng, beta=-0.3)
    with pytest.raises(InvalidInput, match="no equilibrium"):
        net.stability(np.array(net.initial))
    assert net.spectrum(net.initial).size == 36


def test_first_flip_of_the_ring_of_the_contract():
    """The largest multiplier of the equilibrium passes −1 between two α, by dense eigenvalues of differences."""
    made = {"beta": -0.1, "sigma": 1 / 6, "b": 0.05}
    least = []
    for alpha in (0.34, 0.345):
        net = ring(180, baseline=(0.8, 0.0), stimulus=(0.8, 1.05), alpha=alpha, **made)
        y = net.reduced_equilibrium()
        least.append(np.linalg.eigvals(dense_jacobian(net.reduced, y)).real.min())
        assert net.stability(y).outputs == ("stable" if least[-1] > -1 else "unstable")
    assert least[0] > -1 > least[1]


def test_equilibrium_that_double_precision_cannot_hold_is_refused():
    net = ring(180, (0.8, 0.0), (0.8, 1.05), alpha=0.05, beta=0.0, sigma=1 / 6, b=0.0, floor=0.0)
    with pytest.raises(InvalidInput, match="too close to a pole for double precision"):
        net.equilibrium()


@pytest.mark.parametrize("beta", [1e308, 1e150, 1e-308, 5e-324, -1e308, -1e-308, -5e-324])
def test_rates_of_hopelessly_different_size_are_refused(beta):
    net = Network([1.0, 0.5, 0.7], [1.0, 0.8, 0.3], alpha=0.1, beta=beta, sigma=0.5)
    for ask in (net.equilibrium, net.reduced_equilibrium, net.equilibria):
        with pytest.raises(InvalidInput, match="in double precision rest cannot be told from that of"):
            ask()
    found = net.outcome(longest=100)
    assert found.local.kind == "no equilibrium" and "cannot be told" in found.local.reason


def test_rates_of_very_different_size_have_the_limits(rng):
    """α/|β| = 10⁶⁰ and 10⁻⁶⁰: R = R₀ as at β = 0, and W = C as at α = 0."""
    r, r0 = rng.uniform(0.3, 1.0, (2, 3))
    net = Network(r, r0, alpha=0.1, beta=-1e-61, sigma=0.5)
    assert near(net.response(net.reduced_equilibrium()), net.baseline_response, 1e-14)
    net = Network(r, r0, alpha=1e-61, beta=-0.1, sigma=0.5)
    assert near(net.equilibrium(), net.target(), 1e-14)
