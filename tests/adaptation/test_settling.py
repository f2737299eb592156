"""When weights rest under changing inputs: every statement against the map itself, at random parameters."""

import re
from itertools import pairwise

import numpy as np
import pytest

from bifurcate.adaptation import Network, periodic, protocols, ring, settling
from bifurcate.errors import InvalidInput


def made(rng, n=None, beta=None, **extra):
    n = n or int(rng.integers(2, 6))
    rates = {
        "alpha": float(rng.uniform(0.02, 0.3)),
        "beta": float(rng.uniform(-1.9, -0.1)) if beta is None else beta,
        "sigma": float(rng.uniform(0.5, 1.0)),
    }
    return Network(rng.uniform(0.1, 1.5, n), rng.uniform(0.2, 1.2, n), **{**rates, **extra})


def near(x, expected, tolerance=1e-12):
    x, expected = np.asarray(x), np.asarray(expected)
    return x.shape == expected.shape and np.abs(x - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


def plain(net, rows):
    """All weights and products of the rule iterated as it stands."""
    W, weights, products = np.array(net.initial), [np.array(net.initial)], []
    for r in rows:
        here = net.replace(drive=r)
        R = here.response(W)
        W = here.update(W)
        weights.append(W)
        products.append(np.outer(R, R))
    return np.array(weights), np.array(products)


def test_changes_of_products_bound_the_moves_of_weights_from_below(rng):
    """α‖Q_{t+1} − Q_t‖ ≤ ‖ΔW_{t+1}‖ + |1+β|‖ΔW_t‖ for any inputs, any β."""
    for _ in range(150):
        net = made(rng, beta=float(rng.uniform(-2.5, 0.3)))
        T = int(rng.integers(3, 12))
        rows = rng.uniform(0.0, 1.5, (T, net.size))
        weights, products = plain(net, rows)
        if not np.abs(weights).max() < 1e4:
            continue
        run = net.run(drive=rows)
        changes = np.linalg.norm(np.diff(products, axis=0), axis=(1, 2))
        moves = np.linalg.norm(np.diff(weights, axis=0), axis=(1, 2))
        assert near(settling.products_moves(run), changes, 1e-9)
        bound = moves[1:] + abs(1 + net.beta) * moves[:-1]
        assert (net.alpha * changes <= bound * (1 + 1e-9) + 1e-12).all()
        found = settling.rest(run, window=T)
        assert found.floor <= moves.max() * (1 + 1e-9)
        assert found.moves == pytest.approx(moves.max(), rel=1e-9)


def test_weights_follow_products_to_rest_and_to_where_it_is_said(rng):
    """Inputs that converge: at first anything, then closer and closer to one drive."""
    for _ in range(40):
        net = made(rng, alpha=0.05, beta=float(rng.uniform(-1.2, -0.1)))
        n = net.size
        end = rng.uniform(0.1, 1.0, n)
        T = 60 + round(60 / (1 - abs(1 + net.beta)))
        rows = end * np.exp(rng.standard_normal((T, n)) * (0.8 ** np.arange(T))[:, None])
        run = net.run(drive=rows)
        found = settling.rest(run, window=5)
        assert found.weights and found.products, (net, found)
        assert "both rest" in found.reason
        R = net.replace(drive=end).response(run.last)
        assert near(settling.weights_at_rest(net, R), run.last, 1e-7)
        assert near(net.replace(drive=end).equilibrium(), run.last, 1e-7)


def test_weights_move_as_long_as_the_drive_does(rng):
    """β in (−2, 0), two drives in turn: moves stay above the floor and, where changes recur, below the ceiling."""
    repeats = 0
    for _ in range(60):
        net = made(rng, alpha=0.05)
        rows = rng.uniform(0.1, 1.5, (2, net.size))
        T = 40 + round(40 / (1 - abs(1 + net.beta)))
        run = net.run(drive=np.tile(rows, (T, 1)))
        found = settling.rest(run, window=6)
        assert not found.weights and not found.products
        assert 0 < found.floor <= found.moves * (1 + 1e-9)
        bound, k = run.moves[0], abs(1 + net.beta)
        for move, change in zip(run.moves[1:], net.alpha * settling.products_moves(run), strict=True):
            bound = k * bound + change
            assert move <= bound * (1 + 1e-9)
        if near(periodic(net, rows).update(run.last), run.last, 1e-8):
            assert found.moves <= found.ceiling * (1 + 1e-6)
            repeats += 1
    assert repeats >= 30


def test_one_drive_has_a_given_response(rng):
    """At random weights the response determines the drive; what is found is the drive that made it."""
    for _ in range(200):
        net = made(rng)
        W = rng.uniform(0.2, 2.0, (net.size, net.size))
        R = net.response(W)
        found = settling.drives_with_response(W, R, net.sigma)
        assert found.kernel.shape == (net.size, 0)
        assert near(found.particular, net.drive, 1e-8 * found.condition)
        assert found.residual < 1e-10


def test_rest_at_two_drives_needs_an_exception(rng):
    """Where weights rest under one drive, another one moves them."""
    for _ in range(100):
        net = made(rng)
        W = net.equilibrium()
        assert near(net.update(W), W, 1e-9)
        other = net.replace(drive=rng.uniform(0.1, 1.5, net.size))
        assert np.abs(other.update(W) - W).max() > 1e-6


def test_weights_can_rest_under_changing_drives_at_decay():
    # n = 2, g = α/|β| = 101 and R = (x, y): W = g RRᵀ − (g−1) R₀R₀ᵀ, R₀ such that W₁₂ = W₂₂ − 2/y = W₁₁ − 2/x.
    g, beta, sigma, R = 101.0, -0.001, 0.5, np.array([1.2, 0.4])
    apart = R[0] - R[1]
    e = np.sqrt((g * apart**2 - 2 / R[0] - 2 / R[1]) / (g - 1))
    q = (2 / R[1] + g * R[1] * apart) / ((g - 1) * e)
    p = (g * R[0] * apart - 2 / R[0]) / ((g - 1) * e)
    R0 = np.array([p, q])
    r0 = R0 * sigma**2 / (1 - R0.mean())
    W = (1 - g) * np.outer(R0, R0) + g * np.outer(R, R)
    total = sigma**2 / (1 / R[0] - W[0, 0] / 2)
    net = Network([0.5, 0.5], np.abs(r0), alpha=-g * beta, beta=beta, sigma=sigma)
    assert R0.mean() < 1.0 and W.min() < 0.0 and np.allclose(net.baseline_response, R0, rtol=1e-13)
    for part in (0.2, 0.5, 0.8):
        shown = net.replace(drive=total * np.array([part, 1 - part]))
        assert np.allclose(shown.response(W @ shown.drive / 2), R, rtol=1e-10)
        assert np.abs(shown.update(W) - W).max() < 1e-10
    found = settling.drives_with_response(W, R, sigma)
    assert found.kernel.shape == (2, 1) and abs(found.kernel.sum()) < 1e-6  # all drives of one total


def test_universal_weights_rest_under_every_drive_of_their_total(rng):
    for _ in range(150):
        net = made(rng, beta=0.0)
        n, S = net.size, float(rng.uniform(0.5, 4.0))
        W = settling.universal(net, S)
        R0 = net.baseline_response
        for _ in range(4):
            shown = net.replace(drive=rng.dirichlet(np.ones(n)) * S)
            assert near(shown.response(W), R0, 1e-10)
            assert near(shown.update(W), W, 1e-10)
        assert np.abs(shown.replace(drive=1.01 * shown.drive).update(W) - W).max() > 1e-7
        found = settling.drives_with_response(W, R0, net.sigma)
        assert found.kernel.shape == (n, n - 1)
        assert np.abs(found.kernel.sum(axis=0)).max() < 1e-9
        assert found.particular.sum() == pytest.approx(S, rel=1e-9)


def test_across_the_target_weights_never_fall_whatever_is_shown(rng):
    """β = 0: vᵀW v grows by α (v·R)² for v ⊥ R₀."""
    for _ in range(150):
        net = made(rng, beta=0.0, alpha=0.05)
        R0 = net.baseline_response
        v = rng.standard_normal(net.size)
        v -= (v @ R0) / (R0 @ R0) * R0
        weights, _ = plain(net, rng.uniform(0.0, 1.5, (8, net.size)))
        along = np.einsum("i,tij,j->t", v, weights, v)
        assert (np.diff(along) >= -1e-12 * np.abs(along).max()).all()


def test_headroom(rng):
    for _ in range(100):
        net = made(rng, beta=0.0)
        S = float(net.baseline_drive.sum())
        assert settling.headroom(net, S) > 0.0  # Cauchy and Schwarz
        R0, W = net.baseline_response, rng.uniform(0.5, 1.5, (net.size, net.size))
        found = settling.headroom(net, S, W)
        X = settling.universal(net, S) - W
        quotients = []
        for _ in range(200):
            v = rng.standard_normal(net.size)
            v -= (v @ R0) / (R0 @ R0) * R0
            quotients.append(v @ X @ v / (v @ v))
        assert found <= min(quotients) + 1e-9
        if net.size == 2:
            assert found == pytest.approx(quotients[0], rel=1e-9)
    small = Network([1.0, 1.0], [1.0, 0.2], alpha=0.1, beta=0.0, sigma=1.0)
    assert settling.headroom(small, 0.05) < 0.0 < settling.headroom(small, 1.2)
    assert settling.headroom(Network([1.0], [1.0], alpha=0.1, beta=0.0, sigma=1.0), 1.0) == np.inf


@pytest.mark.slow
def test_the_approach_to_universal_weights_is_like_one_over_t_and_not_assured():
    """Random order, drives of one total: runs that keep below W* approach like 1/t, those that step past it leave."""
    approached, left = [], []
    for concentration in (8.0, 20.0):
        for seed in range(6):
            rng = np.random.default_rng(seed)
            n, S, T = 4, 2.4, 20000
            net = Network(*[rng.dirichlet(np.full(n, 20.0)) * S] * 2, alpha=1.0, beta=0.0, sigma=0.5)
            assert settling.headroom(net, S) > 1.0
            found = settling.approach(net.run(drive=rng.dirichlet(np.full(n, concentration), T) * S), S)
            (left if found.headroom < 0.0 else approached).append(found)
    assert (len(approached), len(left)) == (7, 5)
    for found in approached:
        assert found.law == "power"
        assert found.power == pytest.approx(-1.0, abs=0.1)
        assert found.distances[-1] < 0.004
    assert min(found.distances[-1] for found in left) > 0.006
    assert sum(found.distances[-1] > 0.5 for found in left) == 4  # the fifth has stepped past and lingers


def test_a_law_is_told_from_another():
    net = Network([1.0, 0.5], [1.0, 0.5], alpha=0.1, beta=0.0, sigma=0.5)
    geometric = net.run(drive=np.tile([0.9, 0.6], (400, 1)))
    found = settling.approach(geometric, 1.5)
    assert found.law == "exponential"
    # one constant drive: the multipliers of its reduction are the rates
    slowest = np.abs(net.replace(drive=[0.9, 0.6]).spectrum(geometric.last).values)
    assert found.rate == pytest.approx(np.sort(slowest[slowest < 1 - 1e-9])[-1], abs=2e-3)


def test_one_drive_puts_both_parts_at_rest(rng):
    done = refused = 0
    for _ in range(200):
        net = made(rng, beta=float(rng.uniform(-1.5, 0.5)), sigma=float(rng.uniform(0.05, 1.5)))
        R0 = net.baseline_response
        if np.mean(R0**3) < 1.0:
            C, r = net.target(), settling.drive_for_both(net)
            shown = net.replace(drive=r)
            assert near(shown.response(C), R0, 1e-9)
            assert near(shown.update(C), C, 1e-9)
            assert near(shown.replace(alpha=0.77, beta=0.3).update(C), C, 1e-9)
            done += 1
        else:
            with pytest.raises(InvalidInput, match="only for mean\\(R0\\^3\\) < 1"):
                settling.drive_for_both(net)
            # and indeed no drive does: by R₀·r = σ²‖R₀‖² + mean(R₀³)(R₀·r) it would have R₀·r < 0
            refused += 1
    assert done >= 50 and refused >= 20


def test_averages_and_sequences_are_judged_alike(rng):
    net = ring(6, (0.7, 0.0), (0.7, 0.0), alpha=0.05, beta=-0.3, sigma=0.5, b=0.1)
    many = protocols.biased(3, 0.5).average(net)
    run = many.run(300)
    assert settling.rest(run).weights
    Q = [(R.T * [0.5, 0.25, 0.25]) @ R for R in run.responses]
    expected = [np.linalg.norm(b - a) for a, b in pairwise(Q)]
    assert near(settling.products_moves(run), expected, 1e-12)


def test_there_is_no_law_where_there_is_no_distance():
    net = Network([1.0, 0.5], [1.0, 0.5], alpha=0.05, beta=0.0, sigma=0.5)
    found = settling.approach(net.run(drive=[[1.0, 0.5]] * 300), 1.5)
    assert found.law == "none" and np.isnan(found.power) and not found.distances.any()


NET = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
ZERO = NET.replace(beta=0.0)
RUN = NET.run(drive=np.ones((300, 2)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: settling.rest(RUN, window=1), "window is 1; it must be a whole number of at least 2"),
        (lambda: settling.rest(RUN, window=301), "window is 301; the run has 300 steps"),
        (lambda: settling.rest(NET.run(drive=np.ones((9, 2)), keep="last")), "responses were not kept"),
        (lambda: settling.rest(NET.replace(clip=True).run(drive=np.ones((9, 2)))), "the weights are clipped"),
        (lambda: settling.rest(NET.run(drive=np.ones((3, 2)), alpha=[0.1, 0.2, 0.1])), "alpha must be constant"),
        (lambda: settling.rest(NET.replace(alpha=0.0).run(drive=np.ones((3, 2)))), "constant and positive"),
        (lambda: settling.weights_at_rest(ZERO, [1.0, 1.0]), "beta is 0; weights follow"),
        (lambda: settling.weights_at_rest(NET, [1.0]), "response has shape (1,)"),
        (lambda: settling.drives_with_response(np.ones(3), np.ones(3), 0.1), "W has shape (3,)"),
        (lambda: settling.universal(NET, 1.0), "beta is -0.1; only at beta = 0"),
        (lambda: settling.universal(ZERO, 0.0), "total is 0.0"),
        (lambda: settling.universal(ZERO.replace(target=np.eye(2)), 1.0), "the target must be R0 R0^T"),
        (lambda: settling.universal(ZERO.replace(baseline_drive=[1.0, 0.0]), 1.0), "the target must be R0 R0^T"),
        (lambda: settling.approach(ZERO.run(drive=np.ones((50, 2))), 2.0), "the run has 50 steps"),
        (lambda: settling.approach(ZERO.run(drive=np.ones((300, 2))), 1.0), "drives have totals from 2 to 2"),
        (lambda: settling.drive_for_both(NET.replace(target=np.eye(2))), "a higher rank"),
        (lambda: settling.drive_for_both(NET.replace(sigma=0.0)), "and sigma > 0"),
    ],
)
def test_refused(call, words):
    with pytest.raises(InvalidInput, match=re.escape(words)):
        call()
