"""The two answers against direct iteration of all weights, which is classified by rules of its own."""

from collections import Counter

import numpy as np
import pytest
from network_cases import dense_jacobian, draw, near

import bifurcate as bf
from bifurcate.adaptation import Network, ring
from bifurcate.errors import InvalidInput

# Direct iteration


class Direct:
    """Orbits of whole weight matrices of many networks at once, from W₀ = 1, and what they look like in the end."""

    LARGE = 1e8  # growing weights beyond which W r/n has lost the digits that say where the outputs go
    KEEP = 384

    def __init__(self, nets, nudge=0.0):
        self.r = np.array([net.drive for net in nets])
        r0 = np.array([net.baseline_drive for net in nets])
        self.alpha, self.beta, self.sigma = (np.array([getattr(net, a) for net in nets]) for a in RATES)
        R0 = r0 / (self.sigma[:, None] ** 2 + r0.mean(axis=1, keepdims=True))
        self.C = R0[:, :, None] * R0[:, None, :]
        self.W = np.ones_like(self.C) * (1 + nudge)
        self.n = self.r.shape[1]
        self.silent = self.r == 0

    def step(self, on):
        W, r = self.W[on], self.r[on]
        y = (W @ r[:, :, None])[:, :, 0] / self.n
        R = np.where(r > 0, r / np.where(r > 0, self.sigma[on, None] ** 2 + y, 1.0), 0.0)
        a, b = self.alpha[on, None, None], self.beta[on, None, None]
        self.W[on] = W + a * (R[:, :, None] * R[:, None, :] - self.C[on]) + b * (W - self.C[on])
        return W, y, R

    def classify(self, steps):
        """(kind, outputs, weights) of each, None for what the orbit does not tell."""
        out = [None] * len(self.W)
        on = np.arange(len(self.W))
        with np.errstate(all="ignore"):
            for limit in steps:
                rows = []
                for t in range(limit):
                    row = self.step(on)
                    if t % 64 == 0 and t < limit - self.KEEP:
                        rows = []
                    rows.append(row)
                    if t % 64 == 63 and t < limit - self.KEEP:
                        large = (self.beta[on] > 0) & ~(np.abs(self.W[on]).max(axis=(1, 2)) < self.LARGE)
                        for j in np.flatnonzero(large):
                            out[on[j]] = self.grown([np.array([row[k][j] for row in rows]) for k in range(3)], on[j])
                        on, rows = on[~large], []
                for j, i in enumerate(on):
                    out[i] = self.seen([np.array([row[k][j] for row in rows]) for k in range(3)], i)
                on = np.array([i for i in on if out[i] is None], dtype=int)
            for i, parted in zip(on, self.sensitive(on), strict=True):
                if parted:
                    out[i] = "chaos", "chaos", "chaos" if self.beta[i] < 0 else None
        return out

    def grown(self, rows, i):
        """Weights have exploded within the last 64 steps: with the y of a driven neuron, or beside it."""
        W, Y, R = rows
        used = np.abs(W).max(axis=(1, 2)) < 100 * self.LARGE
        Y, R, driven = Y[used], R[used], ~self.silent[i]
        if not used.any():
            return None, None, "diverge"
        growth = (1 + self.beta[i]) ** (len(Y) - 1)
        if (np.abs(Y[-1]) > 0.7 * growth * np.abs(Y[0]))[driven & (np.abs(Y[-1]) > 1e3)].any():
            return "diverges", None, "diverge"
        moved = np.abs(np.diff(R, axis=0)).max(axis=1) / np.abs(R).max()
        settled = len(moved) > 10 and moved[-1] < 1e-6 and moved[-1] <= moved[0] + 1e-7
        return ("settles" if settled else None), ("settle" if settled else None), "diverge"

    def seen(self, rows, i):
        """The last states, looked at for a period, and for neurons that march off at β = 0."""
        W, Y, R = rows
        scale, driven, half = np.abs(R).max(), ~self.silent[i], len(R) // 2
        steps = np.diff(Y[half:], axis=0)[:, driven]
        beyond = (self.sigma[i] ** 2 + Y[-1] < 0)[driven]
        if self.beta[i] == 0 and ((steps < 0).all(axis=0) & (steps.max(axis=0) < -1e-4) & beyond).any():
            return "diverges", None, "drift"
        if self.beta[i] > 0:
            growth = Y[-1] / np.where(Y[half] == 0, np.inf, Y[half]) / (1 + self.beta[i]) ** (len(Y) - 1 - half)
            if (np.abs(growth - 1) < 0.05)[driven].any():
                return "diverges", None, "diverge"
        largest = 0.0
        for p in range(1, 129):
            lag = np.abs(R[p:] - R[:-p])[-half:].max()
            largest = max(largest, lag)
            if lag > 1e-9 * scale or (p > 1 and lag > 1e-3 * largest):
                continue
            outputs = "settle" if p == 1 else "cycle"
            kind = "cycle" if p > 1 else "settles beyond a pole" if beyond.any() else "settles"
            weights = outputs
            if np.abs(W[-1] - W[-1 - p]).max() > 1e-7 * np.abs(W).max():
                weights = "drift" if self.beta[i] == 0 else "diverge"
            return kind, outputs, weights
        return None

    def sensitive(self, on):
        """Two orbits a billionth apart: do they part?"""
        start, paths = self.W[on].copy(), []
        for nudge in (0.0, 1e-9):
            self.W[on] = start * (1 + nudge)
            paths.append(np.array([self.step(on)[2] for _ in range(1500)]))
        gap = np.abs(paths[0] - paths[1]).max(axis=2) / np.abs(paths[0]).max(axis=(0, 2))
        return gap.max(axis=0) > 1e-3


RATES = ("alpha", "beta", "sigma")
STABLE = ("weights settle", "neutral manifold", "outputs settle")


def random_network(rng, n):
    """β of either sign or 0, α over two decades, a silent neuron now and then."""
    r, r0 = rng.uniform(0.05, 1.5, (2, n))
    if rng.random() < 0.1:
        r[rng.integers(n)] = 0.0
    sign = rng.choice([-1, -1, -1, 0, 1])
    beta = {-1: -(10 ** rng.uniform(-1.7, 0.28)), 0: 0.0, 1: 10 ** rng.uniform(-3.0, -1.3)}[int(sign)]
    alpha = 10 ** rng.uniform(-1.5, 0.3)
    return Network(r, r0, alpha=float(alpha), beta=float(beta), sigma=float(rng.uniform(0.2, 1.0)))


def contradicts(found, direct):
    claimed = (found.fate.kind, found.fate.outputs, found.fate.weights)
    return any(a != b for a, b in zip(claimed, direct, strict=True) if b is not None and a != "undecided")


@pytest.mark.slow
def test_fate_agrees_with_direct_iteration_of_all_weights():
    rng = np.random.default_rng(7)
    agreed, unsure, table, proved, wrong = Counter(), Counter(), Counter(), Counter(), []
    for n in (2, 3, 4):
        nets = [random_network(rng, n) for _ in range(340)]
        for net, direct in zip(nets, Direct(nets).classify((1500, 8000)), strict=True):
            found = net.outcome(longest=10_000)
            table[found.local.kind, found.fate.kind] += 1
            proved[found.local.kind] += found.fate.proved is not None
            proved["at start"] += found.fate.proved == 0
            if direct is None or found.fate.kind == "undecided":
                unsure["direct" if direct is None else "fate"] += 1
            elif contradicts(found, direct):
                # Orbits a rounding error apart may end differently after a chaotic transient: then all ends count.
                others = [Direct([net], nudge).classify((1500, 8000))[0] for nudge in np.arange(1, 9) * 1e-13]
                ends = {end for end in others if end is not None}
                unsure["sensitive"] += 1
                if len(ends | {direct}) == 1 or all(contradicts(found, end) for end in ends):
                    wrong.append((net, direct, str(found)))
            else:
                agreed[found.fate.kind] += 1
    print(dict(agreed), dict(unsure), dict(table), dict(proved))
    assert not wrong
    assert sum(table.values()) == 1020
    assert agreed.total() >= 980
    assert unsure["sensitive"] <= 10 and unsure["fate"] <= 10
    assert min(agreed[kind] for kind in ("settles", "diverges", "chaos", "cycle", "settles beyond a pole")) >= 4
    # The two answers differ, in both directions.
    assert table["weights settle", "settles"] > 400 and table["neutral manifold", "settles"] > 100
    assert table["weights settle", "chaos"] + table["weights settle", "cycle"] >= 1  # bistable
    assert table["flips", "settles beyond a pole"] >= 4 and table["flips", "settles"] == 0
    assert table["saddle", "settles"] > 30  # outputs come to rest, weights do not
    assert table["no equilibrium", "diverges"] > 80
    # Proved: nearly all that are locally stable, and nothing else.
    stable = sum(count for (local, _), count in table.items() if local in STABLE)
    assert proved["weights settle"] + proved["neutral manifold"] + proved["outputs settle"] >= 0.97 * stable
    assert set(proved) <= {*STABLE, "at start"} | {kind for kind, count in proved.items() if not count}


# The fate, against closed forms and direct iteration


def unit(a):
    """One neuron with R₀ = 1: v = u/u₀ obeys v⁺ = v + a (v⁻² − 1), here from v = 2."""
    return Network([1.0], [1.0], alpha=a, beta=0.0, sigma=0.1, initial=[[1.99]], target=[1.0])


def test_doublings_of_the_uniform_slice():
    """Flip at a = 1, doublings near 1.258, 1.320, 1.334; the pole at a = (27/4)^½."""
    periods = {0.7: 1, 0.99: 1, 1.02: 2, 1.25: 2, 1.266: 4, 1.315: 4, 1.323: 8, 1.332: 8, 1.3352: 16}
    for a, period in periods.items():
        net = unit(a)
        found = net.outcome().fate
        assert (found.kind, found.period) == ("settles" if period == 1 else "cycle", period), a
        v = net.response(found.state)[0] ** -1.0
        slope, w = 1.0, v
        for _ in range(period):
            slope *= 1 - 2 * a * w**-3
            w += a * (w**-2 - 1)
        assert w == pytest.approx(v, abs=1e-9)
        assert abs(slope) == pytest.approx(found.multiplier, abs=1e-6)
    for a, safe in ((np.sqrt(27 / 4) - 0.01, True), (np.sqrt(27 / 4) + 0.01, False)):
        v = (2 * a) ** (1 / 3)  # where v⁺ is least
        assert (0.01 + unit(a).reduced([v - 0.01])[0] > 0) == safe


def test_lyapunov_exponent_of_chaos_is_that_of_the_scalar_map():
    for a in (1.6, 2.2):
        found = unit(a).outcome()
        assert (found.local.kind, found.fate.kind, found.fate.outputs) == ("flips", "chaos", "chaos")
        v, total = 1.7, []
        for t in range(60_000):
            if t >= 1000:
                total.append(np.log(abs(1 - 2 * a * v**-3)))
            v += a * (v**-2 - 1)
        error = np.hypot(found.fate.exponent_error, np.std(np.mean(np.reshape(total, (59, -1)), axis=1)) / 59**0.5)
        assert abs(found.fate.exponent - np.mean(total)) < 4 * error
        assert found.fate.exponent_error < 0.05


def test_weights_come_to_rest_where_the_formula_says(rng):
    """−2 < β < 0: W → (1+γ) C − γ R Rᵀ, with the R of the fate; iterated directly."""
    settled = 0
    for _ in range(60):
        net, r, _, p = draw(rng, silent=True, beta=float(-rng.uniform(0.1, 1.2)))
        found = net.outcome().fate
        if found.kind != "settles" or found.multiplier > 0.95 or p["alpha"] < 0.01:
            continue
        settled += 1
        assert found.outputs_settle and found.weights_settle
        W = np.array(net.initial)
        for _ in range(900):
            W = net.update(W)
        R, gamma = found.responses[0], p["alpha"] / p["beta"]
        assert near(net.response(W), R, 1e-9)
        assert near(W, (1 + gamma) * net.target() - gamma * np.outer(R, R), 1e-8)
        assert near(net.reduced(found.state)[r > 0], found.state[r > 0], 1e-9)
    assert settled > 30


def test_at_beta_zero_weights_drift_where_outputs_cycle(rng):
    """Past the flip at β = 0 the outputs return after a turn, the weights do not: by D with D r = 0."""
    met = 0
    for _ in range(40):
        net, r, _, _ = draw(rng, n=3, beta=0.0)
        mu = np.linalg.eigvals(net.alpha / 3 * bracket(r, net.baseline_response)).real.max()
        net = net.replace(alpha=float(net.alpha * 2.1 / mu))
        found = net.outcome().fate
        if found.kind != "cycle" or found.multiplier > 0.98:
            continue
        met += 1
        W, q = np.array(net.initial), found.period
        for _ in range(4000):
            W = net.update(W)
        after = W
        for _ in range(q):
            after = net.update(after)
        assert found.weights == "drift" and found.outputs == "cycle" and not found.weights_settle
        assert np.abs((after - W) @ r).max() < 1e-8 < 1e-5 < found.rate
        assert np.linalg.norm(after - W) / q == pytest.approx(found.rate, rel=1e-5)
    assert met >= 10


def bracket(r, R):
    return (R @ r) * np.diag(R**2 / r) + np.outer(R, R**2)


def test_at_beta_zero_weights_stay_bounded_on_the_uniform_slice():
    found = unit(1.1).outcome().fate
    assert (found.kind, found.period, found.weights) == ("cycle", 2, "cycle")


def test_outputs_settle_and_weights_drift_with_a_silent_neuron():
    net = Network([1.0, 0.5, 0.0], [0.8, 0.6, 0.7], alpha=0.1, beta=0.0, sigma=0.5)
    found = net.outcome()
    assert found.local.kind == "outputs settle" and found.local.outputs_settle and not found.local.weights_settle
    assert (found.fate.kind, found.fate.outputs, found.fate.weights) == ("settles", "settle", "drift")
    W = np.array(net.initial)
    for _ in range(3000):
        W = net.update(W)
    assert np.linalg.norm(net.update(W) - W) == pytest.approx(found.fate.rate, rel=1e-9)


def test_ensemble_target_lets_outputs_settle_and_weights_drift(rng):
    many = rng.uniform(0.2, 1.0, (3, 4))
    net = Network(rng.uniform(0.2, 1, 4), many[0], alpha=0.1, beta=0.0, sigma=0.5, target="ensemble", ensemble=many)
    found = net.outcome()
    assert (found.local.kind, found.fate.kind, found.fate.weights) == ("outputs settle", "settles", "drift")
    W = np.array(net.initial)
    for _ in range(3000):
        W = net.update(W)
    assert np.linalg.norm(net.update(W) - W) == pytest.approx(found.fate.rate, rel=1e-8)


def test_uniform_drive_settles_on_a_special_line():
    """β > 0 and a blank: from W₀ = 1 the weights come to rest at a saddle; from next to it they leave like (1+β)^t."""
    net = Network(np.full(3, 0.8), np.full(3, 1.0), alpha=0.1, beta=1e-3, sigma=1.0)
    found = net.outcome()
    assert found.local.kind == "saddle" and found.local.outputs_settle and not found.local.weights_settle
    assert (found.fate.kind, found.fate.weights, found.fate.exceptional) == ("settles", "settle", True)
    W = np.array(net.initial)
    for _ in range(6000):
        W = net.update(W)
    assert near(net.update(W), W, 1e-11)
    nudged = net.replace(initial=net.initial + 1e-3 * np.diag([1.0, -1.0, 0.0]), target="frozen")
    other = nudged.outcome().fate
    assert (other.kind, other.outputs, other.weights, other.exceptional) == ("settles", "settle", "diverge", False)
    W, sizes = np.array(nudged.initial), []
    for t in range(15_000):
        if t % 500 == 0:
            sizes.append(np.linalg.norm(W))
        W = nudged.update(W)
    assert sizes[-1] / sizes[-2] == pytest.approx(other.rate**500, rel=1e-3)
    ring_blank = ring(8, (0.8, 0.0), (0.0, 0.3), alpha=0.1, beta=1e-3, sigma=0.5, b=0.6)
    assert ring_blank.outcome().fate.weights == "diverge"  # the target is not uniform, though the drive is


def test_growing_weights_leave_while_outputs_look_settled(rng):
    met = 0
    for _ in range(12):
        net, _, _, _ = draw(rng, n=3, beta=2e-3)
        net = net.replace(alpha=0.3)
        found = net.outcome()
        if found.local.stability is None or not found.local.outputs_settle:
            continue
        met += 1
        assert found.local.kind == "saddle"
        assert found.fate.kind == "settles" and found.fate.outputs_settle and found.fate.weights == "diverge"
        W = np.array(net.initial)
        for _ in range(5000):
            W = net.update(W)
        after = net.update(W)
        assert np.abs(net.response(after) - net.response(W)).max() < 1e-6
        assert np.linalg.norm(after) / np.linalg.norm(W) == pytest.approx(found.fate.rate, rel=1e-4)
    assert met >= 4


def test_orbit_diverges_past_the_fold():
    net = Network([1.0, 1.0], [1.0, 1.0], alpha=0.1, beta=0.02, sigma=1.0)
    found = net.outcome()
    assert found.local.kind == "no equilibrium" and found.local.margins["existence"] == pytest.approx(
        0.007947 - 0.02, abs=1e-6
    )
    assert (found.fate.kind, found.fate.outputs, found.fate.weights) == ("diverges", "fade", "diverge")
    W = np.array(net.initial)
    for _ in range(3000):
        W = net.update(W)
    assert net.response(W).max() < 1e-8


def test_driven_neuron_without_a_target_goes_silent_at_beta_zero():
    net = Network([1.0, 0.5, 0.2], [0.8, 0.6, 0.0], alpha=0.1, beta=0.0, sigma=0.5)
    found = net.outcome()
    assert found.local.kind == "no equilibrium" and np.isnan(found.local.margins["existence"])
    assert (found.fate.kind, found.fate.outputs, found.fate.weights) == ("diverges", "settle", "creep")
    W = np.array(net.initial)
    sizes = []
    for _ in range(20_000):
        W = net.update(W)
        sizes.append(net.project(W)[2])
    assert sizes[-1] > 1.3 * sizes[len(sizes) // 2] > 0  # like √t


def test_start_on_an_unstable_equilibrium_stays_there():
    """The baseline itself, in numbers without rounding: at rest from the start, past a flip, at multiplier −2."""
    found = Network([1.0], [1.0], alpha=1.5, beta=0.0, sigma=0.0).outcome()
    assert found.local.kind == "flips" and found.local.margins["flip"] == pytest.approx(-1.0)
    assert (found.fate.kind, found.fate.exceptional, found.fate.distance) == ("settles", True, 0.0)
    assert found.fate.multiplier == pytest.approx(2.0)


def test_an_orbit_that_meets_a_pole_exactly_is_not_followed_beyond():
    """One neuron, σ = 0, r = α = 1, β = −½ and C = 3: from y = 1 the first update is ½ + 1 − 3/2 = 0."""
    exact = Network([1.0], [1.0], alpha=1.0, beta=-0.5, sigma=0.0, initial=[[1.0]], target=[[1.0, 1.0, 1.0]])
    assert exact.reduced([1.0])[0] == 0.0
    found = exact.outcome().fate
    assert (found.kind, found.weights) == ("undecided", "undecided")
    assert "met a pole exactly" in found.reason and found.crossed == 1


def test_horizon_is_set_by_the_slowest_multiplier():
    """λ = 1 − 10⁻³, 1 − 2·10⁻³, …: 40 time constants, no less than 20,000 updates, no more than are allowed."""
    for a, expected in ((0.0005, 40 / -np.log(0.999)), (0.0002, 40 / -np.log(0.9996)), (0.3, 20_000)):
        found = unit(a).outcome(longest=10**6).fate
        assert found.horizon == pytest.approx(expected, rel=1e-3)
        assert found.kind == "settles" and found.multiplier == pytest.approx(1 - 2 * a, abs=1e-6)
    assert unit(0.0002).outcome(longest=5000).fate.proved == 0  # no orbit is followed where it is proved to settle


def test_at_the_flip_itself_nothing_is_decided():
    net = unit(1.0)
    found = net.outcome(longest=3000)
    assert found.local.kind == "marginal"
    assert found.fate.kind == "undecided" and found.fate.horizon == found.fate.steps == 3000


@pytest.mark.slow
def test_orbits_settle_beyond_a_pole(rng):
    """β < 0: at an equilibrium with a negative response, found by the scalar equation as well."""
    met = crossed = flips = 0
    for _ in range(400):
        net = draw(rng, n=int(rng.integers(1, 4)), beta=float(-(10 ** rng.uniform(-1.3, 0))))[0]
        net = net.replace(alpha=float(rng.uniform(0.5, 3.0)))
        if net.verdict().kind != "flips":
            continue
        flips += 1
        found = net.outcome(longest=6000).fate
        crossed += found.crossed is not None
        if found.kind != "settles beyond a pole":
            continue
        met += 1
        assert found.crossed is not None
        assert (found.responses < 0).any()
        others = [net.response(y) for y in net.reduced_equilibria(patterns="all")]
        assert min(np.abs(R - found.responses[0]).max() for R in others) < 1e-6
        W = np.array(net.initial)
        for _ in range(found.steps + 500):
            W = net.update(W)
        assert (net.response(W) < 0).any()
        if met >= 8:
            break
    assert met >= 3 and crossed > met


# The verdict, kind by kind


def test_multiplicity_on_symmetric_weights(rng):
    """1 + β: n(n−1)/2 times on symmetric weights, which the update keeps."""
    for n in (2, 3, 4):
        net, _, _, p = draw(rng, n=n)
        basis = []
        for i in range(n):
            for j in range(i + 1):
                e = np.zeros((n, n))
                e[i, j] = e[j, i] = 1.0 if i == j else np.sqrt(0.5)
                basis.append(e)
        W = rng.uniform(0.5, 1.5, (n, n))
        W = W + W.T

        def coordinates(x, basis=basis, net=net):
            return np.array([np.sum(net.update(sum(c * e for c, e in zip(x, basis, strict=True))) * e) for e in basis])

        lam = np.linalg.eigvals(dense_jacobian(coordinates, np.array([np.sum(W * e) for e in basis])))
        assert (np.abs(lam - (1 + p["beta"])) < 1e-6).sum() == n * (n - 1) // 2
        inner = net.spectrum(W)
        assert len(lam) - n * (n - 1) // 2 == n
        others = inner.values[np.abs(inner.values - (1 + p["beta"])) > 1e-9]
        assert all(np.abs(lam - each).min() < 1e-6 for each in others)


def test_margins_are_distances_of_multipliers(rng):
    for _ in range(60):
        net, r, _, p = draw(rng, n=3, beta=float(-rng.uniform(0.05, 1.5)))
        found = net.verdict()
        lam = np.linalg.eigvals(dense_jacobian(net.reduced, net.reduced_equilibrium())).real
        mu = np.linalg.eigvals(bracket(r, net.response(found.state))).real
        assert found.margins["flip"] == pytest.approx(1 + lam.min(), abs=1e-7)
        assert found.margins["flip"] == pytest.approx(2 + p["beta"] - p["alpha"] * mu.max() / 3, abs=1e-10)
        assert found.margins["fold"] == pytest.approx(p["alpha"] * mu.min() / 3 - p["beta"], abs=1e-10)
        assert found.margins["weights"] == pytest.approx(1 - abs(1 + p["beta"]), abs=1e-15)
        assert found.kind == ("weights settle" if found.margins["flip"] > 0 else "flips")
        assert found.weights_settle == found.outputs_settle == (found.kind == "weights settle")


def test_kinds_of_verdict(rng):
    r, r0 = rng.uniform(0.3, 1.0, (2, 3))
    made = {"alpha": 0.1, "beta": 0.0, "sigma": 0.5}
    assert Network(r, r0, **made).verdict().kind == "neutral manifold"
    assert Network(r, r0, **made).verdict().weights_settle
    assert Network(r[:1], r0[:1], **made).verdict().kind == "weights settle"  # no room for a manifold
    assert Network(r, r0, **{**made, "beta": 1e-6}).verdict().kind == "saddle"
    assert Network(r[:1], r0[:1], **{**made, "beta": 1e-6}).verdict().kind == "weights settle"
    assert Network(r, r0, **{**made, "beta": -2.1}).verdict().kind == "flips"
    assert Network(r, r0, **{**made, "beta": -0.1}).verdict().kind == "weights settle"
    assert Network(r, r0, **{**made, "beta": 0.9}).verdict().kind == "no equilibrium"
    still = Network(r, r0, **{**made, "alpha": 0.0}).outcome()
    assert still.local.kind == "neutral manifold" and still.fate.kind == "settles"


def test_without_adaptation_weights_relax_to_their_target(rng):
    net, r, _, _ = draw(rng, n=3)
    for beta, kind in ((-0.5, "settles"), (-1.7, "settles"), (-2.3, "diverges"), (0.2, "diverges")):
        found = net.replace(alpha=0.0, beta=beta).outcome()
        assert found.fate.kind == kind, beta
        if kind == "settles":
            assert near(found.fate.state, net.target() @ r / 3, 1e-3)


# What users meet


def test_an_outcome_has_no_truth_value():
    found = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5).outcome()
    with pytest.raises(TypeError, match=r"outcome\.local\.weights_settle .* or outcome\.fate\.weights_settle"):
        bool(found)
    with pytest.raises(TypeError):
        assert found
    text = str(found)
    assert text.startswith("equilibrium  weights settle: ") and "\norbit        settles: " in text


def test_unusable_questions_are_refused():
    net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    for bad in (0, -1, 1.5, True):
        with pytest.raises(InvalidInput, match="longest is"):
            net.outcome(longest=bad)
    clipped = net.replace(clip=True)
    for question in (clipped.outcome, clipped.verdict, lambda: clipped.limits("alpha")):
        with pytest.raises(InvalidInput, match="no reduced map with clip=True"):
            question()


def test_cycle_found_is_a_cycle_of_the_reduced_map():
    net = ring(16, (0.8, 0.0), (0.8, np.pi / 2), alpha=0.72, beta=-0.1, sigma=1 / 6, b=0.05)
    found = net.outcome().fate
    assert found.kind == "cycle" and found.period == 2
    solved = bf.solve(net.reduced, found.state, period=2)
    assert near(solved.state, found.state, 1e-8)
    assert np.abs(solved.multipliers).max() == pytest.approx(found.multiplier, rel=1e-6)
    assert near(net.response(net.reduced(found.state)), found.responses[1], 1e-9)
    assert found.exponent == pytest.approx(np.log(found.multiplier) / 2)
