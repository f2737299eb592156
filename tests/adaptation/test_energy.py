"""The energy against the map itself: differences of E, updates of all weights, and places where there is none."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_cases import dense_jacobian, draw, draw_ring, near, plain, slope

from bifurcate.adaptation import Network, ring
from bifurcate.errors import InvalidInput, NoEnergy, OutsideDomain
from bifurcate.linalg.operators import dense

VARIABLES = ("R", "log R", "y", "W")


def some(rng, **made):
    """A network with β of either sign and a target of any rank, and weights at which all responses are positive."""
    net, r, _, _ = draw(rng, silent=bool(rng.integers(2)), **made)
    if rng.integers(2):
        net = net.replace(target=rng.uniform(0.1, 1.0, (len(r), 2)))
    return net, r, rng.uniform(0.3, 2.0, (len(r), len(r)))


def variable_at(net, W):
    R = net.response(W)
    with np.errstate(divide="ignore"):
        return {"R": R, "log R": np.where(R > 0, np.log(R), 0.0), "y": net.project(W), "W": W}


def by_differences(E, x):
    """∇E, one component at a time."""
    parts = []
    for j in range(x.size):
        e = np.zeros(x.size)
        e[j] = 1.0
        parts.append(slope(lambda t, e=e: E(x + t * e.reshape(x.shape)), 1e-3 * max(np.abs(x).max(), 0.1)))
    return np.reshape(parts, x.shape)


def written_out(net, R):
    """E with C r formed from the matrix C, term by term."""
    n, r, Cr = net.size, net.drive, net.target() @ net.drive
    total = net.alpha / (2 * n) * float(r @ R) ** 2
    for i in range(n):
        if r[i] > 0:
            k = (net.alpha + net.beta) / n * Cr[i] + net.beta * net.sigma**2
            total -= r[i] * k * np.log(R[i]) + net.beta * r[i] ** 2 / R[i]
    return total


def test_energy_is_the_formula(rng):
    for _ in range(100):
        net, _, W = some(rng)
        for variable, x in variable_at(net, W).items():
            assert net.energy(variable)(x) == pytest.approx(written_out(net, net.response(W)), rel=1e-12, abs=1e-13)


def test_update_is_minus_the_gradient_in_the_metric_of_the_responses(rng):
    """R ∘ (y⁺ − y) against differences of E, with y⁺ from the update of all weights."""
    cases = 0
    for _ in range(300):
        net, r, W = some(rng)
        C = net.target()
        after = plain(W, r, C, net.alpha, net.beta, net.sigma) @ r / len(r)
        y, R = net.project(W), net.response(W)
        E = net.energy("y")
        expected = R * (after - y)
        assert near(-by_differences(E, y), expected, 1e-7)
        assert near(-E.gradient(y), expected, 1e-12)
        assert near(E.flow(y)[r > 0], (after - y)[r > 0], 1e-11)
        cases += 1
    assert cases == 300


def test_derivatives_in_every_variable(rng):
    for _ in range(40):
        net, _, W = some(rng, n=int(rng.integers(2, 5)))
        for variable, x in variable_at(net, W).items():
            E = net.energy(variable)
            assert near(E.gradient(x), by_differences(E, x), 1e-6), variable
            assert near(dense(E.hessian(x)), dense_jacobian(E.gradient, x), 1e-6), variable


def test_hessian_in_the_weights_has_a_true_core(rng):
    for _ in range(20):
        net, _, W = some(rng, n=3)
        H = net.energy("W").hessian(W)
        M = dense(H)
        assert near(M, M.T, 1e-13)
        assert near(np.array([H.project @ (H.lift @ e) for e in np.eye(3)]).T, dense(H.core), 1e-13)
        w, X = rng.standard_normal(3), rng.standard_normal(9)
        assert (H.lift @ w) @ X == pytest.approx(w @ H.lift.rmatvec(X), rel=1e-11, abs=1e-12)


def test_metric_in_every_variable_gives_one_flow(rng):
    """The flow of R and of ln R is that of y through R = r/(σ² + y), by differences."""
    for _ in range(100):
        net, r, W = some(rng)
        x = variable_at(net, W)
        on = r > 0
        G = (net.update(W) - W) @ r / len(r)
        for variable in ("R", "log R"):

            def moved(t, variable=variable, y=x["y"], G=G, net=net, on=on):
                R = net.response(y + t * G)
                return np.log(R[on]) if variable == "log R" else R[on]

            found = net.energy(variable).flow(x[variable])
            step = 1e-3 / max(1.0, np.abs(G / (net.sigma**2 + x["y"]))[on].max())
            assert near(found[on], slope(moved, step), 1e-8), variable
            assert (found[~on] == 0).all()


def test_energy_falls_along_the_flow_of_all_weights(rng):
    """Tiny steps of the whole update, W + h (W⁺ − W), at β of either sign."""
    for _ in range(100):
        net, r, W = some(rng)
        E, h = net.energy("W"), 2e-4
        speed = float(net.response(W) @ ((net.update(W) - W) @ r / len(r)) ** 2)
        before = E(W)
        for _ in range(5):
            move = net.update(W) - W
            rate = E(W + h * move) - E(W - h * move)
            assert rate < 0 or speed < 1e-10
            W = W + h * move
        assert E(W) < before or speed < 1e-10
        assert np.sum(E.gradient(W) * (net.update(W) - W)) == pytest.approx(
            -float(net.response(W) @ ((net.update(W) - W) @ r / len(r)) ** 2), rel=1e-10, abs=1e-14
        )


def test_convex_in_the_logarithm(rng):
    for _ in range(200):
        net, r, W = some(rng, beta=float(rng.choice([0.0, -rng.uniform(0.0, 1.9)])))
        if net.alpha == 0.0:
            continue
        E = net.energy("log R")
        assert E.convex
        on = r > 0
        one, two = (variable_at(net, rng.uniform(0.1, 3.0, W.shape))["log R"] for _ in range(2))
        assert E((one + two) / 2) <= (E(one) + E(two)) / 2 + 1e-12
        H = dense(E.hessian(one))[np.ix_(on, on)]
        assert np.linalg.eigvalsh(H).min() > 0
    assert not net.replace(beta=0.1).energy().convex


def test_growth_makes_saddles_and_no_lower_bound(rng):
    """β > 0: past the fold of a symmetric mode the critical point of E is a saddle; and E → −∞ as R → 0."""
    net = Network([1.0, 1.0], [1.0, 1.0], alpha=0.1, beta=0.0, sigma=1.0)
    net = net.replace(beta=0.0075)
    E = net.energy("y")
    y = net.reduced_equilibrium()
    assert np.abs(E.gradient(y)).max() < 1e-15
    lam = np.linalg.eigvals(dense_jacobian(net.reduced, y)).real
    signs = np.linalg.eigvalsh(dense(E.hessian(y)))
    assert (signs > 0).sum() == (lam < 1).sum()
    small = net.energy()
    assert small([1e-6, 1e-6]) < small([1e-4, 1e-4]) < small([1e-2, 1e-2]) - 1


def test_divergence_is_the_energy_above_rest(rng):
    cases = 0
    for _ in range(200):
        net, r, W = some(rng, beta=float(rng.choice([-1.0, -1.0, 0.0, 0.0, 1.0]) * 10 ** rng.uniform(-3, 0)))
        if net.beta > 0:
            net = net.replace(beta=1e-3)
        if net.alpha < 0.05:
            continue
        E = net.energy("W")
        try:
            rest = E.rest
        except InvalidInput:
            assert net.beta > 0
            continue
        cases += 1
        y = np.where(r > 0, r / np.where(r > 0, rest, 1.0) - net.sigma**2, 0.0)
        assert near(net.reduced(y)[r > 0], y[r > 0], 1e-10)
        assert E.divergence(W) == pytest.approx(E(W) - E.least, rel=1e-9, abs=1e-11 * max(1.0, abs(E.least)))
        assert E.of("R").divergence(rest) == pytest.approx(0.0, abs=1e-28)
        if net.beta <= 0:
            assert E.divergence(W) > 0
            near_rest = rest * np.exp(1e-9 * rng.standard_normal(len(r)))
            assert 0 < E.of("R").divergence(near_rest) < 1e-15  # E − E* itself would be rounding
    assert cases > 120


def test_divergence_near_rest_is_the_quadratic_form_of_the_hessian(rng):
    for _ in range(50):
        net, r, _ = some(rng, beta=float(-rng.uniform(0.0, 1.0)))
        E = net.energy("log R")
        rest = np.where(r > 0, np.log(np.where(r > 0, E.rest, 1.0)), 0.0)
        d = np.where(r > 0, rng.standard_normal(len(r)), 0.0)
        for size in (1e-6, 3e-5, 3e-4):
            form = 0.5 * size**2 * d @ dense(E.hessian(rest)) @ d
            assert E.divergence(rest + size * d) == pytest.approx(form, rel=10 * size + 1e-9)


def test_divergence_at_beta_zero_as_published(rng):
    """(α/n)(r·R₀)² [½((Σ p e^δ)² − 1) − Σ p δ], with p = r R₀/(r·R₀), is 0 at the target's responses alone."""
    for _ in range(100):
        net, r, r0, p = draw(rng, beta=0.0)
        n = len(r)
        R0 = r0 / (p["sigma"] ** 2 + r0.mean())
        E = net.energy()
        if p["alpha"] < 1e-3:
            continue
        assert near(E.rest, R0, 1e-12)
        d = rng.standard_normal(n)
        weight = r * R0 / (r @ R0)
        expected = p["alpha"] / n * (r @ R0) ** 2 * (0.5 * ((weight @ np.exp(d)) ** 2 - 1) - weight @ d)
        assert E.divergence(R0 * np.exp(d)) == pytest.approx(expected, rel=1e-9)
        assert expected > 0


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.05, 2), st.floats(0.05, 2), st.floats(-3, 3)), min_size=1, max_size=6),
    st.floats(0.01, 2),
    st.one_of(st.just(0.0), st.floats(-1.9, -1e-9)),
    st.floats(0, 1),
)
def test_divergence_is_never_negative(neurons, alpha, beta, sigma):
    r, r0, d = np.array(neurons).T
    net = Network(r, r0, alpha=alpha, beta=beta, sigma=sigma)
    E = net.energy()
    assert E.divergence(E.rest * np.exp(d)) >= 0
    assert E.divergence(E.rest) == 0


def test_energy_keeps_the_stimulus(rng):
    """Two stimuli with the same target: no function of the responses alone is an energy of both."""
    r0 = np.array([1.0, 0.8])
    made = {"alpha": 0.2, "beta": 0.0, "sigma": 0.4}
    one, two = Network([1.0, 0.5], r0, **made), Network([0.3, 0.9], r0, **made)
    assert near(one.energy().rest, two.energy().rest, 1e-14)  # at β = 0 the stimulus is erased from the responses
    assert near(one.energy().rest, one.baseline_response, 1e-14)
    R = np.array([0.7, 0.6])
    first, second = one.energy().gradient(R), two.energy().gradient(R)
    assert abs(first[0] * second[1] - first[1] * second[0]) > 1e-3  # not even their directions agree


def test_energy_is_a_lyapunov_function_of_the_map_up_to_its_flip(rng):
    """Near rest, y⁺ from y* + small: E falls in every direction below the flip, rises in one above it."""
    for _ in range(30):
        net, r, _, _ = draw(rng, n=4, beta=float(-rng.uniform(0.0, 0.5)))
        R = net.energy().rest
        mu = np.linalg.eigvals((R @ r) * np.diag(R**2 / r) + np.outer(R, R**2))
        # as β and α keep their ratio the equilibrium stays and the step h scales both: flip at h (α μ/n − β) = 2
        h = 2.0 / (net.alpha * mu.real.max() / 4 - net.beta)
        for factor in (0.98, 1.02):
            here = net.replace(alpha=factor * h * net.alpha, beta=factor * h * net.beta)
            E = here.energy("y")
            y = here.reduced_equilibrium()
            assert near(here.response(y), R, 1e-9)
            vectors = np.linalg.eig(dense_jacobian(here.reduced, y))[1].real.T
            u = here.sigma**2 + y
            changes = [
                E.divergence(here.reduced(y + 1e-5 * v * u.min())) - E.divergence(y + 1e-5 * v * u.min())
                for v in vectors
            ]
            assert (max(changes) > 0) == (factor > 1)


def test_weights_have_no_euclidean_energy(rng):
    for _ in range(100):
        net, r, W = some(rng, n=int(rng.integers(2, 5)))
        if net.alpha < 0.01 or (r > 0).sum() < 2:
            continue
        W = W + W.T
        with pytest.raises(NoEnergy, match="not a gradient") as caught:
            net.energy("W").metric(W)
        X, V, there, back = caught.value.certificate
        assert near(X, X.T, 0.0) and near(V, V.T, 0.0)  # symmetric weights do not help

        def derivative(V, net=net, W=W):
            return slope(lambda t: net.update(W + t * V) - (W + t * V), 1e-3)

        assert np.sum(X * derivative(V)) == pytest.approx(there, abs=1e-7)
        assert np.sum(V * derivative(X)) == pytest.approx(back, abs=1e-7)
        assert abs(there - back) > 1e-6 * max(abs(there), abs(back))
    with pytest.raises(NoEnergy):
        net.energy("W").flow(W)


def test_on_symmetric_weights_the_derivative_is_symmetric_only_where_responses_are_parallel_to_drives(rng):
    r = np.array([1.0, 0.4, 0.7])
    net = Network(r, r, alpha=0.3, beta=-0.1, sigma=0.5)
    flat = np.ones((3, 3))  # u is equal for all: R ∥ r
    basis = []
    for i in range(3):
        for j in range(i + 1):
            e = np.zeros((3, 3))
            e[i, j] = e[j, i] = 1.0 if i == j else np.sqrt(0.5)
            basis.append(e)
    p = net.parameters

    def gram(W):
        return np.array([[np.sum(X * net.update.jvp(W, V, **p)) for V in basis] for X in basis])

    at_flat, tilted = gram(flat), gram(flat + 0.1 * np.diag([1.0, 0.0, 0.0]))
    assert near(at_flat, at_flat.T, 1e-15)
    assert np.abs(tilted - tilted.T).max() > 1e-4
    whole = dense_jacobian(net.update, flat)
    assert np.abs(whole - whole.T).max() > 1e-2  # on all weights it is symmetric nowhere
    with pytest.raises(NoEnergy) as caught:
        net.energy("W").metric(flat)
    X, V, there, back = caught.value.certificate
    assert there != pytest.approx(back, abs=1e-3)
    assert np.sum(V * slope(lambda t: net.update(flat + t * X), 1e-3)) == pytest.approx(back, abs=1e-8)
    assert np.sum(X * slope(lambda t: net.update(flat + t * V), 1e-3)) == pytest.approx(there, abs=1e-8)


def test_the_obvious_guess_can_rise(rng):
    """¼‖R Rᵀ − C‖², which the rule looks like descending, rises along its flow at some weights, even at β = 0."""
    rises = 0
    for _ in range(300):
        r, R, R0 = 10 ** rng.uniform(-1.0, 0.3, (3, 3))
        net = Network(r, r, alpha=0.1, beta=0.0, sigma=0.2, target=R0)
        W, C, h = net.lift(r / R - 0.04), net.target(), 1e-6

        def guess(W, net=net, C=C):
            R = net.response(W)
            return 0.25 * np.sum((np.outer(R, R) - C) ** 2)

        move = net.update(W) - W
        scale = np.abs(move).max()
        change = guess(W + h / scale * move) - guess(W - h / scale * move)
        assert np.sum(net.energy("W").gradient(W) * move) <= 0
        rises += change > 1e-9 * guess(W)
    assert 3 < rises < 50


def test_only_c_r_matters_of_the_target(rng):
    """Targets of rank 1 and 2 with the same C r have the same energy of the same flow."""
    r = np.array([1.0, 0.5, 0.8])
    F = np.column_stack([[0.5, 0.3, 0.2], [0.1, 0.4, 0.3]])
    pull = F @ (F.T @ r)
    one = (pull / np.sqrt(r @ pull))[:, None]
    made = {"alpha": 0.2, "beta": -0.1, "sigma": 0.4}
    nets = [Network(r, r, **made, target=target) for target in (F, one)]
    assert np.abs(nets[0].target() - nets[1].target()).max() > 1e-2
    R = np.array([0.4, 0.6, 0.3])
    assert nets[0].energy()(R) == pytest.approx(nets[1].energy()(R), rel=1e-13)
    assert near(nets[0].energy().rest, nets[1].energy().rest, 1e-12)


def test_where_only_outputs_rest_there_is_a_least_energy_all_the_same():
    net = Network([1.0, 0.5, 0.0], [0.8, 0.6, 0.7], alpha=0.1, beta=0.0, sigma=0.5)
    E = net.energy()
    assert near(E.rest, [*net.baseline_response[:2], 0.0], 1e-13)
    assert "1 silent neurons" in E.holds and "weights may still drift" in E.holds
    W = np.array(net.initial)
    values = []
    for _ in range(1500):
        values.append(E.of("W")(W))
        W = net.update(W)
    assert (np.diff(values) <= 1e-16).all()
    assert values[-1] == pytest.approx(E.least, abs=1e-13)
    with pytest.raises(InvalidInput, match="its target response is 0"):
        _ = Network([1.0, 0.5, 0.2], [0.8, 0.6, 0.0], alpha=0.1, beta=0.0, sigma=0.5).energy().least


def test_sigma_zero_has_an_energy():
    net = Network([1.0, 0.5], [1.0, 0.8], alpha=0.1, beta=-0.1, sigma=0.0)
    y = np.array([0.7, 0.4])
    assert near(net.response(y) * (net.reduced(y) - y), -by_differences(net.energy("y"), y), 1e-9)


def test_beyond_a_pole_there_is_no_metric(rng):
    net = Network([1.0, 0.5], [1.0, 0.8], alpha=0.1, beta=-0.1, sigma=0.3)
    for variable, x in (("R", [0.5, -0.1]), ("R", [0.5, 0.0]), ("y", [0.5, -0.2]), ("W", [[1.0, 1.0], [-1.0, 0.5]])):
        for call in ("gradient", "hessian", "divergence", "metric", "__call__"):
            with pytest.raises(OutsideDomain, match="diag\\(R\\) is no metric"):
                getattr(net.energy(variable), call)(np.array(x))
    silent = Network([1.0, 0.0], [1.0, 0.8], alpha=0.1, beta=-0.1, sigma=0.3)
    assert np.isfinite(silent.energy("y")([0.5, -3.0]))  # a silent neuron has no pole


def test_no_energy_under_the_clip(rng):
    for _ in range(30):
        net = draw_ring(rng, clip=True)
        with pytest.raises(NoEnergy, match="clip=True") as caught:
            net.energy()
        one, two = caught.value.certificate
        assert near(one @ net.drive, two @ net.drive, 1e-9)
        after = [net.update(W) @ net.drive for W in (one, two)]
        assert np.abs(after[0] - after[1]).max() > 1e-3
    alone = Network([1.0, 0.0], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5, clip=True)
    with pytest.raises(NoEnergy) as caught:
        alone.energy()
    assert caught.value.certificate is None


def test_no_energy_where_nothing_moves():
    with pytest.raises(NoEnergy, match="nothing adapts") as caught:
        Network([1.0], [1.0], alpha=0.0, beta=0.0, sigma=0.5).energy()
    assert caught.value.reason == str(caught.value)


@pytest.mark.parametrize(
    ("variable", "x", "words"),
    [
        ("R", [1.0], "R has shape (1,); it must be (2,)"),
        ("y", [[1.0, 1.0], [1.0, 1.0]], "y has shape (2, 2); it must be (2,)"),
        ("W", [1.0, 1.0], "W has shape (2,); it must be (2, 2)"),
        ("y", [1.0, np.nan], "y has entries that are NaN"),
        ("u", [1.0, 1.0], "variable is 'u'; allowed are R, log R, y, W"),
    ],
)
def test_refusals(variable, x, words):
    net = Network([1.0, 0.5], [1.0, 0.8], alpha=0.1, beta=-0.1, sigma=0.3)
    with pytest.raises(InvalidInput, match=re.escape(words)):
        net.energy(variable)(x)


def test_energy_of_a_ring_costs_no_matrix():
    net = ring(2000, (0.8, 0.0), (0.8, 1.05), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05)
    E = net.energy("y")
    y = net.project(np.array(net.initial))
    H = E.hessian(y)
    assert H.left.shape == (2000, 1)
    assert E(net.reduced(y)) < E(y)


def test_the_flow_is_a_system_of_cohen_and_grossberg(rng):
    """u (y⁺ − y) = βu² − k u + Σ_j c_ij r_j/u_j with c = (α/n) r rᵀ; and W gives r back."""
    for _ in range(200):
        net, r, W = some(rng)
        on, n = r > 0, net.size
        u = net.sigma**2 + W @ r / n
        k = (net.alpha + net.beta) / n * net.target() @ r + net.beta * net.sigma**2
        moved = (plain(W, r, net.target(), net.alpha, net.beta, net.sigma) - W) @ r / n
        coupled = net.alpha / n * np.outer(r, r)[np.ix_(on, on)] @ (r[on] / u[on])
        assert near((u * moved)[on], (net.beta * u**2 - k * u)[on] + coupled, 1e-12)
        R = net.response(W)
        assert near(net.sigma**2 * np.linalg.solve(np.eye(n) - R[:, None] * W / n, R), r, 1e-9)
