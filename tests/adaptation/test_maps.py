"""The update of all weights and its reduction against the formula written out plainly, and against differences."""

import numpy as np
import pytest
from network_cases import baseline_target, dense_jacobian, draw, draw_ring, near, plain, slope

from bifurcate.adaptation import Network, literal, raised_cosine, ring
from bifurcate.errors import InvalidInput
from bifurcate.linalg.operators import ShiftedLowRank, compose, dense


def test_update_is_the_formula(rng):
    for _ in range(200):
        net, r, r0, p = draw(rng, silent=True)
        W0 = np.ones((len(r), len(r)))
        C = baseline_target(r0, p["sigma"], W0)
        W = rng.uniform(0.3, 2.0, W0.shape)
        assert near(net.target(), C, 1e-13)
        assert near(net.update(W), plain(W, r, C, **p), 1e-13)
        assert near(net.update(net.initial), plain(W0, r, C, **p), 1e-13)


def test_weights_are_the_explicit_sum_of_what_was_answered(rng):
    for _ in range(100):
        net, _r, _, p = draw(rng)
        C, W, terms = net.target(), np.array(net.initial), []
        a, growth = p["alpha"], 1.0 + p["beta"]
        for t in range(12):
            total = C + growth**t * (net.initial - C)
            for s, each in enumerate(terms):
                total = total + a * growth ** (t - 1 - s) * (each - C)
            if not np.abs(W).max() < 1e6:
                break
            assert near(W, total, 1e-9)
            R = net.response(W)
            terms.append(np.outer(R, R))
            W = net.update(W)


def test_first_step_with_the_baseline_itself(rng):
    for _ in range(100):
        _, r, _, p = draw(rng)
        net = Network(r, r, **p)
        assert near(net.update(net.initial), net.initial + p["beta"] * (net.initial - net.target()), 1e-13)


def test_responses_scale_out_of_contrast_b_and_sigma(rng):
    for _ in range(100):
        s = float(rng.uniform(0.2, 5.0))
        c, c0, b, sigma = rng.uniform(0.1, 1.0, 4)
        rates = {"alpha": 0.2, "beta": -0.1}
        one = ring(8, (c0, 0.2), (c, 1.0), b=b, sigma=sigma, **rates)
        two = ring(8, (s * c0, 0.2), (s * c, 1.0), b=s * b, sigma=s * sigma, **rates)
        W = rng.uniform(0.5, 1.5, (8, 8))
        assert near(two.response(W), one.response(W), 1e-13)
        assert near(two.update(W), one.update(W), 1e-13)


def test_reduction_closes(rng):
    for _ in range(200):
        net, r, _, _ = draw(rng, silent=True)
        W = rng.uniform(0.3, 2.0, (len(r), len(r)))
        assert near(net.reduced(W @ r / len(r)), net.update(W) @ r / len(r), 1e-13)
    for k in (1, 2):
        for _ in range(50):
            net = draw_ring(rng, k)
            W = rng.uniform(0.3, 2.0, (6, 6))
            assert near(net.reduced(net.project(W)), net.project(net.update(W)), 1e-13)


def test_symmetric_weights_stay_symmetric(rng):
    net, _, _, _ = draw(rng, n=5)
    W = rng.uniform(0.5, 1.5, (5, 5))
    after = net.update(W + W.T)
    assert near(after, after.T, 1e-15)


def test_jacobian_jvp_and_differences_agree(rng):
    for _ in range(100):
        net, r, _, _ = draw(rng, silent=True)
        n = len(r)
        W, V = rng.uniform(0.5, 2.0, (n, n)), rng.standard_normal((n, n))
        J = net.update.jacobian(W, **net.parameters)
        assert isinstance(J, ShiftedLowRank)
        expected = dense_jacobian(net.update, W)
        assert near(dense(J), expected, 1e-8)
        assert near(net.update.jvp(W, V, **net.parameters).ravel(), expected @ V.ravel(), 1e-8)
        y = net.project(W)
        expected = dense_jacobian(net.reduced, y)
        assert near(dense(net.reduced.jacobian(y, **net.parameters)), expected, 1e-8)
        assert near(net.reduced.jvp(y, V[0], **net.parameters), expected @ V[0], 1e-8)
        assert near(dense(J.core) + J.shift * np.eye(n), expected, 1e-8)


def test_lift_and_project_have_true_adjoints(rng):
    for _ in range(50):
        net, r, _, _ = draw(rng, silent=True)
        n = len(r)
        J = net.update.jacobian(rng.uniform(0.5, 2.0, (n, n)), **net.parameters)
        X, w = rng.standard_normal(n * n), rng.standard_normal(n)
        assert (J.lift @ w) @ X == pytest.approx(w @ J.lift.rmatvec(X), rel=1e-11, abs=1e-13)
        assert (J.project @ X) @ w == pytest.approx(X @ J.project.rmatvec(w), rel=1e-11, abs=1e-13)
        assert near(dense(J.T), dense(J).T, 1e-12)
        z = X + 1j * rng.standard_normal(n * n)
        assert near(J.project @ z, (J.project @ z.real) + 1j * (J.project @ z.imag), 1e-12)
        c = w + 1j * rng.standard_normal(n)
        assert near(J.lift @ c, (J.lift @ c.real) + 1j * (J.lift @ c.imag), 1e-12)


@pytest.mark.parametrize("kind", ["drive", "ring"])
def test_product_of_jacobians_keeps_its_core(rng, kind):
    for _ in range(30):
        net = draw(rng, n=4)[0] if kind == "drive" else draw_ring(rng, n=4)
        W = rng.uniform(0.5, 2.0, (4, 4))
        orbit = [W, net.update(W)]
        if net.update.domain(orbit[1], **net.parameters).min() < 0.1:
            continue  # too close to a pole for differences
        first, second = (net.update.jacobian(x, **net.parameters) for x in orbit)
        assert first.projection_key == second.projection_key
        both = compose(second, first)
        assert both.core.shape == (4, 4)
        assert near(dense(both), dense(second) @ dense(first), 1e-12)
        assert near(dense(both), dense_jacobian(lambda x, net=net: net.update(net.update(x)), W), 1e-6)


def test_projections_of_different_stimuli_differ():
    net = ring(4, (0.8, 0.0), (0.8, 1.0), alpha=0.1, beta=-0.1, sigma=0.5)
    p = net.parameters
    W = np.array(net.initial)
    one, two = net.update.jacobian(W, **p), net.update.jacobian(W, **{**p, "contrast": 0.7})
    assert one.projection_key != two.projection_key
    assert one.projection_key == net.update.jacobian(W, **{**p, "alpha": 0.7}).projection_key


@pytest.mark.parametrize("target", ["baseline", "frozen", "ensemble"])
@pytest.mark.parametrize("dense_start", [False, True])
def test_parameter_derivatives(rng, target, dense_start):
    for k in (1, 2):
        for _ in range(8):
            start = rng.uniform(0.5, 1.5, (6, 6)) if dense_start else None
            net = draw_ring(rng, k, target=target, ensemble=[(0.5, 0.1), (0.9, 1.4)], initial=start)
            W = rng.uniform(0.5, 1.5, (6, 6))
            p = net.parameters
            if np.abs(net.update.borders(W, **p)).min() < 1e-3:
                continue  # differences would straddle a current's zero, where the drive has a bend
            for name, value in p.items():
                for map_, x in ((net.update, W), (net.reduced, net.project(W))):
                    found = map_.parameter_derivative(x, name, **p)
                    expected = slope(lambda t, m=map_, x=x, n=name, v=value: m(x, **{n: v + t}))
                    assert near(found, expected, 1e-7), (name, k)


def test_parameter_derivatives_from_drives(rng):
    for _ in range(30):
        net, r, _, p = draw(rng, silent=True)
        W = rng.uniform(0.5, 1.5, (len(r), len(r)))
        assert set(net.parameters) == {"alpha", "beta", "sigma"}
        for name in p:
            found = net.update.parameter_derivative(W, name, **p)
            assert near(found, slope(lambda t, n=name, u=net.update, x=W, v=p[name]: u(x, **{n: v + t})), 1e-8)


def test_maps_pass_their_own_check_of_derivatives(rng):
    for net in (draw(rng)[0], draw_ring(rng), draw_ring(rng, 2, clip=True)):
        net.update.check(net.initial)
        if not net.clip:
            net.reduced.check(net.project(net.initial))


def test_maps_are_made_once(rng):
    net = draw_ring(rng)
    assert net.update is net.update
    assert net.reduced is net.reduced


def test_target_follows_sigma_and_b_unless_it_is_frozen(rng):
    made = {"alpha": 0.2, "beta": -0.1, "sigma": 0.4, "b": 0.1}
    free = ring(6, (0.8, 0.3), (0.6, 1.0), **made)
    frozen = ring(6, (0.8, 0.3), (0.6, 1.0), **made, target="frozen")
    W, ones = rng.uniform(0.5, 1.5, (6, 6)), np.ones((6, 6))
    angles = np.arange(6) * np.pi / 6
    for sigma, b in ((0.4, 0.1), (0.9, 0.1), (0.4, 0.5), (0.0, 0.2)):
        r0 = (0.8 * raised_cosine([0.3], angles)[0] + b) ** 2
        r = (0.6 * raised_cosine([1.0], angles)[0] + b) ** 2
        moving, still = baseline_target(r0, sigma, ones), frozen.target()
        assert near(free.replace(sigma=sigma, b=b).target(), moving, 1e-13)
        assert near(frozen.replace(sigma=sigma, b=b).target(), still, 0.0)
        changed = {"sigma": sigma, "b": b}
        assert near(free.update(W, **changed), plain(W, r, moving, 0.2, -0.1, sigma), 1e-13)
        assert near(frozen.update(W, **changed), plain(W, r, still, 0.2, -0.1, sigma), 1e-13)
    assert near(frozen.replace(sigma=0.9, target="baseline").target(), free.replace(sigma=0.9).target(), 0.0)


def test_ensemble_and_given_targets(rng):
    for _ in range(30):
        n, sigma = 5, 0.6
        r, r0, many = rng.uniform(0.1, 1, n), rng.uniform(0.1, 1, n), rng.uniform(0.1, 1, (4, n))
        W0 = rng.uniform(0.5, 1.5, (n, n))
        made = {"alpha": 0.2, "beta": -0.3, "sigma": sigma}
        net = Network(r, r0, **made, initial=W0, target="ensemble", ensemble=many)
        C = np.mean([baseline_target(each, sigma, W0) for each in many], axis=0)
        W = rng.uniform(0.5, 1.5, (n, n))
        assert near(net.target(), C, 1e-13)
        assert near(net.update(W), plain(W, r, C, **made), 1e-13)
        assert near(net.reduced(W @ r / n), net.update(W) @ r / n, 1e-13)
        F = rng.standard_normal((n, 3))
        assert near(net.replace(target=F).update(W), plain(W, r, F @ F.T, **made), 1e-13)


def test_other_initial_weights_make_another_target(rng):
    r, r0 = rng.uniform(0.1, 1, 4), rng.uniform(0.1, 1, 4)
    W0 = rng.uniform(0.5, 1.5, (4, 4))
    net = Network(r, r0, alpha=0.1, beta=-0.1, sigma=0.3, initial=W0)
    assert near(net.baseline_response, r0 / (0.09 + W0 @ r0 / 4), 1e-14)
    assert near(net.target(), baseline_target(r0, 0.3, W0), 1e-14)
    assert near(net.replace(initial=np.eye(4)).target(), baseline_target(r0, 0.3, np.eye(4)), 1e-14)


def test_clip(rng):
    for _ in range(50):
        net, r, _, p = draw(rng, n=4, beta=-0.8)
        clipped = net.replace(clip=True)
        W, V = rng.uniform(0.0, 1.0, (4, 4)), rng.standard_normal((4, 4))
        raw = plain(W, r, net.target() * 1.0, **p)
        assert near(clipped.update(W), np.maximum(raw, 0.0), 1e-13)
        expected = np.where(raw > 0, net.update.jvp(W, V, **p), 0.0)
        assert near(clipped.update.jvp(W, V, **p), expected, 1e-13)
        for name in p:
            expected = np.where(raw > 0, net.update.parameter_derivative(W, name, **p), 0.0)
            assert near(clipped.update.parameter_derivative(W, name, **p), expected, 1e-13)
        assert clipped.update.jacobian is None
        assert clipped.update.borders(W, **p) == pytest.approx([raw.min()], abs=1e-13)
    with pytest.raises(InvalidInput, match="no reduced map with clip=True"):
        _ = clipped.reduced
    with pytest.raises(InvalidInput, match="clip=True"):
        clipped.spectrum(np.zeros((4, 4)) - 5.0)


def test_currents_are_borders_of_a_ring_and_not_of_given_drives(rng):
    net = draw_ring(rng, 2)
    p, x = net.parameters, None
    angles = np.arange(6) * np.pi / 6
    f = raised_cosine([p["orientation_1"], p["orientation_2"]], angles)
    x = p["contrast_1"] * f[0] + p["contrast_2"] * f[1] + p["b"]
    W = np.array(net.initial)
    assert near(net.update.borders(W, **p), x, 1e-14)
    assert near(net.reduced.borders(net.project(W), **p), x, 1e-14)
    assert near(net.drive, np.maximum(x, 0.0) ** 2, 1e-14)
    least = net.replace(clip=True).update.borders(W, **p)
    assert least.shape == (7,)
    assert draw(rng)[0].update.borders is None


def test_a_silent_neuron_may_stand_beyond_its_pole():
    r = np.array([1.0, 0.0, 0.5])
    net = Network(r, [1.0, 1.0, 1.0], alpha=0.1, beta=-0.2, sigma=0.5)
    W = np.ones((3, 3))
    W[1] = [-0.5, 0.0, -0.5]  # u = 0.25 − 0.25 = 0 for the silent neuron
    assert net.response(W)[1] == 0.0
    assert np.isfinite(net.update(W)).all()
    assert (net.update.domain(W, **net.parameters) > 0).all()
    assert len(net.update.domain(W, **net.parameters)) == 2
    W[0] = -1.0
    assert net.update.domain(W, **net.parameters).min() < 0
    assert net.reduced.domain(W @ r / 3, **net.parameters).min() < 0


def test_where_a_current_passes_zero_drives_bend_and_clipped_weights_break():
    """r is C¹ but not C² there; under the clip W⁺ is C⁰ only."""
    net = ring(6, (0.8, 0.0), (0.8, 0.4), alpha=0.2, beta=-0.5, sigma=0.6, b=0.1, floor=0.2)
    x = net.stimuli.at(net.parameters).current
    b0, i, h = 0.1 - x.min(), int(np.argmin(x)), 1e-4
    r = [net.replace(b=float(b0 + k * h)).drive[i] for k in range(-3, 4)]
    first, second = np.diff(r) / h, np.diff(r, 2) / h**2
    assert np.abs(first[2:4]).max() < 3 * h  # the slope is 0 on both sides
    assert second[0] == pytest.approx(0.0, abs=1e-6) and second[-1] == pytest.approx(2.0, abs=1e-6)
    clipped = net.replace(clip=True)
    W, V = np.array(net.initial), np.zeros((6, 6))
    V[0, 0] = 1.0
    entry = [net.update(W + t * V)[0, 0] for t in (0.0, 1.0)]
    assert entry[0] != entry[1]
    lower = -4.0  # far below, W⁺ is clipped; W⁺ is continuous but its derivative jumps where it leaves 0
    values = np.array([clipped.update(W + t * V)[0, 0] for t in np.linspace(lower, 1.0, 20_001)])
    slopes = np.diff(values) / (5.0 / 20_000)
    assert values.min() == 0.0 < values.max()
    assert np.abs(np.diff(values)).max() < 1e-3 and np.abs(np.diff(slopes)).max() > 0.1


def test_sigma_zero_runs(rng):
    net = Network(rng.uniform(0.1, 1, 4), rng.uniform(0.1, 1, 4), alpha=0.1, beta=-0.3, sigma=0.0)
    W = np.array(net.initial)
    for _ in range(300):
        W = net.update(W)
    assert near(W, net.equilibrium(), 1e-9)


def test_uniform_slice(rng):
    for _ in range(100):
        n, rho, sigma, alpha = int(rng.integers(1, 6)), *rng.uniform(0.1, 1.0, 3)
        net = Network(np.full(n, rho), np.full(n, rho), alpha=alpha, beta=0.0, sigma=sigma)
        u0 = sigma**2 + rho
        v, a = float(rng.uniform(0.6, 2.0)), alpha * (rho / u0) ** 3
        after = net.reduced(np.full(n, v * u0 - sigma**2))
        assert near((sigma**2 + after) / u0, np.full(n, v + a * (v**-2 - 1.0)), 1e-12)
        lam = np.linalg.eigvals(dense_jacobian(net.reduced, np.full(n, rho))).real
        assert near(np.sort(lam), np.sort([1 - 2 * a] + [1 - a] * (n - 1)), 1e-7)


def test_raised_cosine():
    half = np.deg2rad(25.0)
    f = raised_cosine([0.4, 0.4 + np.pi], [0.4, 0.4 + half, 0.4 - half, 0.4 + np.pi / 2], floor=0.2, half_width=half)
    assert near(f, [[1.0, 0.6, 0.6, 0.2]] * 2, 1e-13)
    for floor, width in ((-0.1, 0.5), (1.1, 0.5), (0.1, 0.0), (0.1, 1.0), (np.nan, 0.5)):
        with pytest.raises(InvalidInput, match="it must lie in"):
            raised_cosine([0.0], [0.0], floor, width)


def test_literal_preset_starts_from_ones_with_the_baselines_target():
    net = literal(5, (1.0, 0.0), (0.5, 1.0), alpha=0.1, beta=0.01, sigma=0.3, b=0.1)
    r0 = (raised_cosine([0.0], np.arange(5) * np.pi / 5)[0] + 0.1) ** 2
    assert near(net.target(), baseline_target(r0, 0.3, np.ones((5, 5))), 1e-14)
    assert near(net.initial, np.ones((5, 5)), 0.0)
    assert not net.clip
