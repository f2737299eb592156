"""Gradient or not: learning rules whose truth is derived here, each beside its evidence."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate import gradient

RATE = 0.05


def slope(E, x, h=1e-5):
    """∇E by central differences."""
    return np.array([(E(x + h * e) - E(x - h * e)) / (2 * h) for e in np.eye(len(x))])


def apart(found, expected):
    """How far an energy is from a multiple of another plus a constant, relative to its range; and the multiple."""
    fit = np.polyfit(expected, found, 1)
    return np.ptp(found - np.polyval(fit, expected)) / np.ptp(found), fit[0]


# Oja's rule, averaged: G = η (C w − (wᵀCw) w).
# Not a Euclidean gradient: J − Jᵀ = 2η (C w wᵀ − w wᵀ C), 0 only where w is an eigenvector of C. But with
# E = |w|²/2 − log(wᵀCw)/2 it is G = −η (wᵀCw) ∇E: a gradient in the metric I/(wᵀCw), a multiple of the Euclidean one,
# which is positive definite wherever wᵀCw > 0, at all its equilibria but 0.


def oja(n, seed):
    B = np.random.default_rng(seed).standard_normal((n, n))
    C = B @ B.T / n + 0.1 * np.eye(n)
    return C, bf.Map(lambda w: w + RATE * (C @ w - (w @ C @ w) * w), {})


def test_ojas_rule_is_a_gradient_in_a_multiple_of_the_euclidean_metric_only():
    C, rule = oja(4, 0)
    states = np.random.default_rng(1).standard_normal((5, 4))
    for w in states:
        downhill = -slope(lambda w: w @ w / 2 - np.log(w @ C @ w) / 2, w)
        assert np.abs(rule(w) - w - RATE * (w @ C @ w) * downhill).max() < 1e-8
    said = gradient.verdict(rule, states)
    assert (said.euclidean.kind, said.conformal.kind, said.diagonal.kind) == ("refuted", "consistent", "refuted")
    assert said.energy is None and said.any_metric.kind == "consistent"
    shown = said.euclidean.certificate
    w, u, v = shown.state, shown.u, shown.v
    expected = 2 * RATE * ((u @ C @ w) * (w @ v) - (u @ w) * (w @ C @ v))
    assert shown.forward - shown.backward == pytest.approx(expected, abs=1e-9)


def test_at_its_equilibria_ojas_rule_is_symmetric():
    C, rule = oja(4, 0)
    for e in np.linalg.eigh(C)[1].T:
        assert not gradient.asymmetry(rule, e).significant
        assert gradient.any_metric(rule, e).kind == "consistent"


def test_conformal_is_refuted_where_it_fails():
    """A field whose part across G turns: G = −∇E + c × x has uᵀJv ≠ vᵀJu for u, v ⊥ G almost everywhere."""
    c = np.array([0.3, -0.2, 0.5])
    map = bf.Map(lambda x: x - RATE * (np.array([1.0, 2.0, 3.0]) * x + np.cross(c, x)), {})
    found = gradient.conformal(map, np.random.default_rng(0).standard_normal((3, 3)))
    assert found.kind == "refuted"
    shown = found.certificate
    G = map(shown.state) - shown.state
    assert max(abs(shown.u @ G), abs(shown.v @ G)) < 1e-15
    curl = -RATE * 2 * c
    assert abs(shown.forward - shown.backward) == pytest.approx(abs(curl @ np.cross(shown.u, shown.v)), abs=1e-10)
    plane = gradient.conformal(bf.Map(lambda x: np.array([-x[1], x[0]]), {}), np.eye(2))
    assert plane.kind == "consistent" and not plane.checks and "nothing was tested" in plane.note
    still = gradient.conformal(map, [np.zeros(3)])
    assert still.kind == "consistent" and not still.checks and "at rest" in still.note


# The BCM rule, averaged over patterns, y = X w: with its threshold at once at ⟨y²⟩, G = η ⟨(y² − ⟨y²⟩ y) x⟩ is the
# Euclidean gradient of E = −η (⟨y³⟩/3 − ⟨y²⟩²/4) (Intrator & Cooper, Neural Networks 5 (1992) 3). With a threshold that
# follows, θ⁺ = θ + κ (⟨y²⟩ − θ), it is none: ∂G_w/∂θ = −η⟨y x⟩ and ∂G_θ/∂w = 2κ⟨y x⟩ have opposite signs. One pattern,
# x = 1: at w = θ = 1 the Jacobian of G is ((η, −η), (2κ, −κ)), a complex pair for κ/η between 3 − 2√2 and 3 + 2√2.


def test_bcm_with_an_instantaneous_threshold_is_a_euclidean_gradient():
    rng = np.random.default_rng(2)
    X = rng.uniform(0, 1, (6, 3))

    def f(w):
        y = X @ w
        return w + RATE * ((y**2 - (y**2).mean() * y) @ X) / len(X)

    def E(w):
        y = X @ w
        return -RATE * ((y**3).mean() / 3 - (y**2).mean() ** 2 / 4)

    states = rng.uniform(0.2, 1.5, (7, 3))
    found = gradient.euclidean(bf.Map(f, {}), states)
    assert found.kind == "reconstructed" and found.residual < 1e-8
    off, factor = apart(np.array([found.energy(w) for w in states]), np.array([E(w) for w in states]))
    assert off < 1e-9 and factor == pytest.approx(1, abs=1e-9)


def sliding(kappa, eta=0.1):
    return bf.Map(
        lambda z, kappa: np.array([z[0] + eta * (z[0] ** 2 - z[1] * z[0]), z[1] + kappa * (z[0] ** 2 - z[1])]),
        {"kappa": kappa},
    )


@pytest.mark.parametrize("quotient", [0.1, 0.18, 1.0, 2.0, 5.8, 5.9, 10.0])
def test_bcm_with_a_sliding_threshold_is_no_gradient(quotient):
    eta, kappa = 0.1, 0.1 * quotient
    map, states = sliding(kappa), np.random.default_rng(0).uniform(0.5, 1.5, (5, 2))
    found = gradient.diagonal(map, states)
    assert found.kind == "refuted" and isinstance(found.certificate, gradient.Coupling)
    assert found.certificate.forward * found.certificate.backward < 0
    at_rest = gradient.any_metric(map, [1.02, 0.99])
    turns = 3 - 2 * np.sqrt(2) < quotient < 3 + 2 * np.sqrt(2)
    assert at_rest.kind == ("refuted" if turns else "consistent")
    if turns:
        pair = at_rest.certificate
        half = np.sqrt(4 * eta * kappa - (eta - kappa) ** 2) / 2
        assert abs(pair.multiplier - (1 + (eta - kappa) / 2 + 1j * half)) < pair.error
        stable = 1 + (eta - kappa) + eta * kappa < 1  # the determinant of the map's Jacobian
        assert (pair.lyapunov is not None) == stable


# The adaptation network


def network(seed, n=5, beta=None, silent=False):
    rng = np.random.default_rng(seed)
    r, r0 = rng.uniform(0.1, 1.5, (2, n))
    if silent:
        r[1] = 0.0
    made = {"alpha": rng.uniform(0.02, 0.3), "sigma": rng.uniform(0.3, 0.9)}
    made["beta"] = -rng.uniform(0.02, 0.5) if beta is None else beta
    return bf.adaptation.Network(r, r0, **made), rng


def energy(net, y):
    """Equation (4.1), written out."""
    r, n, R0 = net.drive, net.size, net.baseline_response
    on = r > 0
    R = r[on] / (net.sigma**2 + y[on])
    pull = (net.alpha + net.beta) / n * R0 * (R0 @ r) + net.beta * net.sigma**2
    return net.alpha / (2 * n) * (r[on] @ R) ** 2 - (r * pull)[on] @ np.log(R) - net.beta * (r[on] ** 2 / R).sum()


@pytest.mark.parametrize(("seed", "beta"), [(0, None), (1, None), (2, None), (3, None), (4, 0.0), (5, 1e-3)])
def test_the_reduced_network_has_the_metric_of_its_responses_and_the_energy(seed, beta):
    net, rng = network(seed, beta=beta)
    u = net.sigma**2 + net.project(net.initial)
    states = u * rng.uniform(0.6, 1.6, (8, net.size)) - net.sigma**2
    found = gradient.diagonal(net.reduced, states)
    assert found.kind == "reconstructed" and found.residual < 1e-7
    R = net.drive / (net.sigma**2 + states)
    quotient = np.array([found.metric(y) for y in states]) / R
    assert np.ptp(quotient) < 1e-6 * quotient.mean()
    off, factor = apart(np.array([found.energy(y) for y in states]), np.array([energy(net, y) for y in states]))
    assert off < 1e-6 and factor == pytest.approx(quotient.mean(), rel=1e-6)


def test_a_silent_neuron_is_a_coordinate_on_its_own():
    net, rng = network(7, silent=True)
    states = (net.sigma**2 + net.project(net.initial)) * rng.uniform(0.6, 1.6, (6, 5)) - net.sigma**2
    found = gradient.diagonal(net.reduced, states)
    assert found.kind == "reconstructed"
    group, on = found.metric.group, net.drive > 0
    assert len(set(group[on])) == 1 and group[1] not in group[on] and found.metric(states[0])[1] == 1.0
    quotient = np.array([found.metric(y)[on] for y in states]) * (net.sigma**2 + states[:, on]) / net.drive[on]
    assert np.ptp(quotient) < 1e-6 * quotient.mean()


def symmetric_basis(n):
    """Orthonormal symmetric matrices."""
    out = []
    for i in range(n):
        for j in range(i, n):
            E = np.zeros((n, n))
            E[i, j] = E[j, i] = 1.0 if i == j else np.sqrt(0.5)
            out.append(E)
    return np.array(out)


def plain_tangent(net, W, V):
    """The derivative of α R Rᵀ + β W, R = r/(σ² + W r/n), in the direction V."""
    r, n = net.drive, net.size
    u = net.sigma**2 + W @ r / n
    R, dR = r / u, -r / u**2 * (V @ r / n)
    return net.alpha * (np.outer(dR, R) + np.outer(R, dR)) + net.beta * V


@pytest.mark.parametrize("seed", range(3))
def test_in_the_weights_the_rule_is_no_euclidean_gradient(seed):
    net, rng = network(seed)
    n = net.size
    noise = 0.2 * rng.standard_normal((3, n, n))
    states = 1.0 + noise + noise.transpose(0, 2, 1)
    found = gradient.euclidean(net.update, states)
    assert found.kind == "refuted"
    shown = found.certificate
    forward = (shown.u * plain_tangent(net, shown.state, shown.v)).sum()
    backward = (shown.v * plain_tangent(net, shown.state, shown.u)).sum()
    assert (shown.forward, shown.backward) == pytest.approx((forward, backward), abs=1e-12)
    basis = symmetric_basis(n)
    below = gradient.restrict(net.update, basis)
    coordinates = [np.tensordot(basis, W) for W in states]
    assert gradient.euclidean(below, coordinates).kind == "refuted"
    assert gradient.diagonal(net.update, states).kind == "refuted"


def test_at_equilibria_of_the_weights_all_multipliers_are_real():
    """β < 0, and β = 0 with its manifold of equilibria."""
    for beta in (None, 0.0):
        net, _ = network(1, n=4, beta=beta)
        assert gradient.any_metric(net.update, net.equilibrium()).kind == "consistent"
        assert gradient.any_metric(net.reduced, net.reduced_equilibrium()).kind == "consistent"


def test_symmetric_weights_are_symmetric_where_drive_and_response_are_proportional():
    net, _ = network(0)
    net = net.replace(drive=np.full(5, 0.7))
    basis = symmetric_basis(5)
    at_start = np.tensordot(basis, np.ones((5, 5)))
    assert not gradient.asymmetry(gradient.restrict(net.update, basis), at_start).significant
    assert gradient.asymmetry(net.update, np.ones((5, 5))).significant


def test_half_a_million_pairs_of_weights_need_no_matrix():
    net = bf.adaptation.ring(
        n=60, baseline=(0.8, 0.0), stimulus=(0.8, 1.05), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05
    )
    shown = gradient.asymmetry(net.update, net.initial)
    assert shown.significant and 0 < shown.standard_error < 0.5 * shown.estimate


# Several stimuli, averaged: y_s⁺ = (1+β) y_s + (α/(n m)) Σ_q R_q (R_q·r_s) − ((α+β)/n) C r_s


def averaged(drives, baseline, alpha, beta, sigma):
    m, n = drives.shape
    R0 = baseline / (sigma**2 + baseline.mean())
    pull = (alpha + beta) / n * np.outer(drives @ R0, R0)

    def f(Y):
        R = drives / (sigma**2 + Y)
        return (1 + beta) * Y + alpha / (n * m) * (drives @ R.T) @ R - pull

    return bf.Map(f, {}, domain=lambda Y: sigma**2 + Y)


def averaged_jacobian(Y, drives, alpha, beta, sigma):
    """Entry by entry."""
    m, n = drives.shape
    R = drives / (sigma**2 + Y)
    J = np.zeros((m, n, m, n))
    for s in range(m):
        for i in range(n):
            J[s, i, s, i] += 1 + beta
            for q in range(m):
                J[s, i, q, i] -= alpha / (n * m) * R[q, i] ** 2 / drives[q, i] * (R[q] @ drives[s])
                for k in range(n):
                    J[s, i, q, k] -= alpha / (n * m) * R[q, i] * drives[s, k] * R[q, k] ** 2 / drives[q, k]
    return J.reshape(m * n, m * n)


RATES = {"alpha": 0.1, "beta": -0.01, "sigma": 0.5}


def draw_stimuli(n, m):
    def draw(rng):
        drives, baseline = rng.uniform(0.05, 1.5, (m, n)), rng.uniform(0.05, 1.5, n)
        draw.drives = drives
        shown = bf.adaptation.average(bf.adaptation.Network(drives[0], baseline, **RATES), list(drives))
        return shown.reduced, shown.project(shown.network.initial)

    return draw


def test_the_average_is_the_formula_above():
    rng = np.random.default_rng(0)
    drives, baseline = rng.uniform(0.1, 1.5, (3, 4)), rng.uniform(0.1, 1.5, 4)
    shown = bf.adaptation.average(bf.adaptation.Network(drives[0], baseline, **RATES), list(drives))
    Y = shown.project(shown.network.initial) * rng.uniform(0.5, 1.5, (3, 4))
    assert np.abs(averaged(drives, baseline, **RATES)(Y) - shown.reduced(Y)).max() < 1e-14


@pytest.mark.parametrize(("n", "m", "least"), [(3, 1, 0), (4, 2, 1), (4, 3, 1), (6, 3, 5)])
def test_averages_of_several_stimuli_have_complex_pairs_at_stable_equilibria(n, m, least):
    """One stimulus has none, ever; two have some already."""
    draw = draw_stimuli(n, m)
    found = gradient.search(draw, tries=200 if m == 2 else 60)
    assert found.solved == found.tried and (found.refuted >= least if least else found.refuted == 0)
    if found.best is None:
        return
    pair = found.best.certificate
    draw(np.random.default_rng([0, found.number]))
    assert (RATES["sigma"] ** 2 + pair.state > 0).all()
    values = np.linalg.eigvals(averaged_jacobian(pair.state, draw.drives, **RATES))
    assert np.abs(values - pair.multiplier).min() < pair.error < 1e-3 * pair.multiplier.imag
    assert pair.multiplier.imag > 1e-4 and pair.lyapunov is not None
    assert gradient.diagonal(found.map, [pair.state, 1.1 * pair.state]).kind == "refuted"
    if n == 4:  # the weights themselves have the same pair
        baseline = np.random.default_rng([0, found.number]).uniform(0.05, 1.5, (m + 1, n))[m]
        shown = bf.adaptation.average(bf.adaptation.Network(draw.drives[0], baseline, **RATES), list(draw.drives))
        weights = gradient.any_metric(shown.update, shown.equilibrium()).certificate
        assert abs(weights.multiplier - pair.multiplier) < weights.error + pair.error


def test_two_stimuli_of_round_numbers_have_a_complex_pair():
    """Anyone can repeat this one."""
    drives = np.array([[0.06, 1.4, 0.49, 0.67], [0.2, 0.7, 1.46, 1.27]])
    baseline = np.array([0.96, 1.21, 0.23, 0.07])
    found = gradient.any_metric(averaged(drives, baseline, **RATES), np.ones((2, 4)))
    pair = found.certificate
    assert abs(pair.multiplier - (0.9852004014 + 0.0005957638j)) < 1e-9 + pair.error
    values = np.linalg.eigvals(averaged_jacobian(pair.state, drives, **RATES))
    assert np.abs(values - pair.multiplier).min() < pair.error


# The flow's energy and the map's steps


def test_the_energy_of_the_flow_falls_up_to_a_step_of_two_over_one_minus_the_multiplier():
    """Near the equilibrium, along the eigenvector of the least multiplier λ, E falls for h < 2/(1 − λ): to the flip."""
    net, _ = network(3)
    for alpha, falls in ((0.5, True), (1.5, False)):
        y0 = net.replace(alpha=1.0).reduced_equilibrium()
        unit = net.replace(alpha=1.0)
        mu = (
            1 + unit.beta - np.linalg.eigvals(bf.linalg.dense(unit.reduced.jacobian(y0, **unit.parameters))).real
        ).max()
        here = net.replace(alpha=alpha * (2 + net.beta) / mu)
        y = here.reduced_equilibrium()
        values, vectors = np.linalg.eig(bf.linalg.dense(here.reduced.jacobian(y, **here.parameters)))
        k = np.argmin(values.real)
        states = [y + 1e-5 * net.sigma**2 * vectors[:, k].real]
        found = gradient.largest_step(here.reduced, lambda z, net=here: energy(net, z), states)
        assert found.step == pytest.approx(2 / (1 - values[k].real), rel=1e-3)
        assert gradient.largest_step(here.reduced, here.energy("y"), states).step == pytest.approx(found.step, rel=1e-3)
        assert (found.step > 1) == (values[k].real > -1) == falls
