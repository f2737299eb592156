"""The update as mirror descent, against the update of all weights written plainly."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import dense_jacobian, draw, near, plain
from scipy.optimize import minimize

from bifurcate.adaptation import Network, ring
from bifurcate.errors import InvalidInput, NoEnergy, OutsideDomain
from bifurcate.linalg.operators import dense


def moved(net, W):
    """W⁺ r/n from the rule on all weights."""
    return plain(W, net.drive, net.target(), net.alpha, net.beta, net.sigma) @ net.drive / net.size


def several(rng, count):
    """Networks with rates of either sign, silent neurons, targets of any rank, and rings of several components."""
    for case in range(count):
        if case % 4 == 3:
            k = int(rng.integers(1, 4))
            stimulus = [(float(c), float(t)) for c, t in zip(rng.uniform(0.1, 0.6, k), rng.uniform(0, 3, k))]
            made = {"alpha": float(rng.uniform(0, 2)), "beta": float(rng.uniform(-2.5, 0.5)), "b": 0.1}
            net = ring(6, (0.8, 0.3), stimulus, sigma=0.3, **made)
        else:
            net = draw(rng, silent=bool(rng.integers(2)))[0]
        if rng.integers(2):
            net = net.replace(target=rng.uniform(0.1, 1.0, (net.size, 2)))
        yield net, rng.uniform(0.3, 2.0, (net.size, net.size))


def test_update_is_mirror_descent_at_every_sign(rng):
    """y⁺ = y − ∇E(z), y = ∇φ(z), of 400 settings, to rounding."""
    for net, W in several(rng, 400):
        mirror, y, on = net.mirror(), net.project(W), net.drive > 0
        z = mirror.mirrored(y)
        assert near(mirror.state(z)[on], y[on], 1e-14)
        after = moved(net, W)
        assert near((y - mirror.gradient(z))[on], after[on], 1e-13)
        if (net.sigma**2 + after[on] > 0).all():
            assert near(mirror.state(mirror.step(z))[on], after[on], 1e-13)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.05, 2), st.floats(0.0, 2), st.floats(0.2, 3)), min_size=1, max_size=6),
    st.floats(0, 3),
    st.floats(-3, 1),
    st.floats(0, 1),
)
def test_update_is_mirror_descent_of_whatever_is_drawn(neurons, alpha, beta, sigma):
    r, r0, u = np.array(neurons).T
    net = Network(r, r0, alpha=alpha, beta=beta, sigma=max(sigma, 0.01))
    if alpha == beta == 0:
        return
    W = np.outer(u - net.sigma**2, r) * len(r) / (r @ r)
    mirror, y = net.mirror(), net.project(W)
    after = moved(net, W)
    assert near(y - mirror.gradient(mirror.mirrored(y)), after, 1e-12)


def test_state_and_gradient_are_those_of_potential_and_energy(rng):
    """∇φ(z) = y and ∇E(z), by differences of φ and of E as functions of z; D is what it is defined to be."""
    for net, W in several(rng, 60):
        mirror, on = net.mirror(), net.drive > 0
        z = mirror.mirrored(net.project(W))
        slopes = dense_jacobian(lambda x, m=mirror: np.array([m.potential(x), m.energy(x)]), z)
        assert near(slopes[0][on], net.project(W)[on], 1e-6)
        assert near(slopes[1], mirror.gradient(z), 1e-6)
        other = mirror.mirrored(net.project(rng.uniform(0.3, 2.0, W.shape)))
        expected = mirror.potential(other) - mirror.potential(z) - mirror.state(z)[on] @ (other - z)[on]
        assert mirror.divergence(other, z) == pytest.approx(expected, rel=1e-8, abs=1e-12)
        assert mirror.divergence(other, z) >= 0 == mirror.divergence(z, z)


def test_the_next_state_is_the_minimiser(rng):
    """z⁺ = argmin ⟨∇E(z), ζ⟩ + D(ζ, z), by a general minimiser."""
    met = 0
    for _ in range(30):
        net, _, _, _ = draw(rng, n=3, beta=float(-rng.uniform(0, 1)))
        W = rng.uniform(0.5, 2.0, (3, 3))
        mirror = net.mirror()
        z = mirror.mirrored(net.project(W))
        if not (net.sigma**2 + moved(net, W) > 0.05).all():
            continue
        met += 1
        g = mirror.gradient(z)
        found = minimize(lambda x, m=mirror, g=g, z=z: g @ x + m.divergence(x, z), z, method="Nelder-Mead", tol=1e-10)
        assert near(found.x, mirror.step(z), 1e-4)
    assert met > 15


def test_moduli_at_rest_are_those_of_the_multipliers(rng):
    """1 − λ of a dense Jacobian of the reduced map; anywhere, the eigenvalues of E's Hessian relative to φ's."""
    for _ in range(60):
        net, _, _, _ = draw(rng, n=int(rng.integers(1, 6)), beta=float(-rng.uniform(0, 1.5)))
        if net.alpha < 0.05:
            continue
        mirror, y = net.mirror(), net.reduced_equilibrium()
        z = mirror.mirrored(y)
        lam = np.linalg.eigvals(dense_jacobian(net.reduced, y)).real
        assert mirror.moduli(z) == pytest.approx((1 - lam.max(), 1 - lam.min()), abs=1e-6)
        z = mirror.mirrored(y * rng.uniform(0.7, 1.4, len(y)))
        R = net.response(mirror.state(z))
        H = np.sqrt(R)[:, None] * dense_jacobian(mirror.gradient, z) * np.sqrt(R)
        assert near(dense(mirror.relative_hessian(z)), H, 1e-6)
        assert mirror.moduli(z)[0] >= -net.beta - 1e-12  # strong convexity relative to φ


def test_descent_in_the_mirror_is_the_same_in_thousand_neurons():
    net = ring(1000, (0.8, 0.0), (0.8, 1.05), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05)
    mirror, y = net.mirror(), net.project(np.array(net.initial))
    assert near(mirror.state(mirror.step(mirror.mirrored(y))), net.reduced(y), 1e-13)


def test_where_there_is_no_mirror():
    net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    with pytest.raises(OutsideDomain, match="beyond a pole"):
        net.mirror().mirrored([-1.0, 1.0])
    with pytest.raises(InvalidInput, match=re.escape("z has shape (3,); it must be (2,)")):
        net.mirror().state(np.ones(3))
    with pytest.raises(NoEnergy):
        net.replace(clip=True).mirror()
