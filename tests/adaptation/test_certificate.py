"""What is proved of orbits, against the orbits: no certificate is ever violated."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from network_cases import draw, near, plain

from bifurcate.adaptation import Network, ring
from bifurcate.adaptation.certificate import Rest, largest_region
from bifurcate.errors import InvalidInput

DATA = Path(__file__).parents[1] / "data"


def random_network(rng, n=None):
    """β ≤ 0, α over three decades: about half of them stable."""
    n = n or int(rng.integers(1, 9))
    r, r0 = rng.uniform(0.05, 1.5, (2, n))
    if n > 1 and rng.random() < 0.15:
        r[rng.integers(n)] = 0.0
    beta = float(rng.choice([0.0, -1.0, -1.0]) * 10 ** rng.uniform(-2, 0.2))
    return Network(r, r0, alpha=float(10 ** rng.uniform(-2, 1)), beta=beta, sigma=float(rng.uniform(0.2, 1.0)))


class Plain:
    """y⁺, and E − E* in its readable form, of many states at once, from the network's numbers alone."""

    def __init__(self, net):
        on = net.drive > 0
        self.r, self.n, self.alpha, self.beta, self.floor = net.drive[on], net.size, net.alpha, net.beta, net.sigma**2
        self.Cr = (net.target() @ net.drive)[on]
        self.u = (self.floor + net.verdict().state)[on]  # at rest: equilibria have tests of their own

    def step(self, y):
        R = self.r / (self.floor + y)
        total = (R @ self.r)[..., None]
        return (1 + self.beta) * y + self.alpha / self.n * total * R - (self.alpha + self.beta) / self.n * self.Cr

    def excess(self, y):
        """(α/n) S*² [KL(p‖q) + (Q² − 1)/2 − ln Q] − β Σ r u* (x − 1 − ln x), x = u/u*."""
        u = self.floor + y
        S, at_rest = (self.r**2 / u).sum(-1), (self.r**2 / self.u).sum()
        p, q, x = self.r**2 / self.u / at_rest, self.r**2 / u / S[..., None], u / self.u
        Q = S / at_rest
        shape = (p * np.log(p / q)).sum(-1)
        decay = (self.r * self.u * (x - 1 - np.log(x))).sum(-1)
        return self.alpha / self.n * at_rest**2 * (shape + (Q**2 - 1) / 2 - np.log(Q)) - self.beta * decay

    def distance(self, y):
        """D(z*, z) = Σ r (u ln(u/u*) − u + u*), without the cancellation of its terms near rest."""
        x = (self.floor + y - self.u) / self.u
        return (self.r * self.u * np.where(np.abs(x) < 1e-3, x**2 / 2 - x**3 / 6, (1 + x) * np.log1p(x) - x)).sum(-1)


def test_readable_form_is_the_energy(rng):
    for _ in range(300):
        net = random_network(rng)
        E, on = net.energy("y"), net.drive > 0
        y = np.zeros(net.size)
        y[on] = (net.sigma**2 + net.verdict().state)[on] * np.exp(rng.normal(0, 0.7, on.sum())) - net.sigma**2
        assert Plain(net).excess(y[on]) == pytest.approx(E(y) - E.least, rel=1e-9, abs=1e-11 * max(1, abs(E.least)))


def test_what_is_bounded_on_a_region_stays_within(rng):
    """Random states of no more energy have δ within its bounds and the relative Hessian between m and L."""
    for _ in range(200):
        net = random_network(rng)
        rest, on = Rest.of(net), net.drive > 0
        y = np.zeros((40, net.size))
        u = (net.sigma**2 + net.verdict().state)[on]
        y[:, on] = u * np.exp(rng.normal(0, 10 ** rng.uniform(-3, 0.3), (40, on.sum()))) - net.sigma**2
        level = np.median(Plain(net).excess(y[:, on]))
        region, mirror = rest.region(level), net.mirror()
        for each in y[Plain(net).excess(y[:, on]) <= level]:
            delta = -np.log((net.sigma**2 + each[on]) / u)
            assert (region.lower <= delta).all() and (delta <= region.upper).all()
            least, most = mirror.moduli(mirror.mirrored(each))
            assert region.convexity <= least * (1 + 1e-12) and most <= region.smoothness * (1 + 1e-12)
        assert 0 < region.lopsidedness < 1


@pytest.mark.slow
def test_certificates_hold_at_a_hundred_thousand_random_states(rng):
    """On certified regions no update raises E, leaves the region, or contracts less than is proved."""
    states = 0
    while states < 100_000:
        net = random_network(rng)
        region = largest_region(net)
        if region is None:
            continue
        model, on = Plain(net), net.drive > 0
        # shells of all radii: ratios of u to rest in random directions, scaled until E − E* meets a random level
        direction = rng.standard_normal((400, on.sum()))
        direction[:100] = np.eye(on.sum())[rng.integers(on.sum(), size=100)] * rng.choice([-1, 1], (100, 1))
        wanted = region.level * rng.uniform(0, 1, 400) ** 2
        low, high = np.zeros(400), np.full(400, 30.0)
        with np.errstate(all="ignore"):
            for _ in range(60):
                middle = (low + high) / 2
                inside = model.excess(model.u * np.exp(middle[:, None] * direction) - model.floor) < wanted
                low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        y = model.u * np.exp(low[:, None] * direction) - model.floor
        before, after = model.excess(y), model.excess(model.step(y))
        used = before > 1e-9 * region.level
        assert (model.floor + model.step(y) > 0).all()
        assert (after[used] < before[used]).all(), net
        c = max(region.smoothness - 1, 0) / (1 + region.lopsidedness - region.smoothness)
        V = [model.distance(x) + (1 + c) * model.excess(x) for x in (y, model.step(y))]
        assert (V[1][used] <= region.contraction * V[0][used] * (1 + 1e-6)).all(), net
        states += int(used.sum())


def test_certified_orbits_contract_at_the_rate_proved(rng):
    """From W₀, on all weights: V falls at least like κ, and the accuracy comes no later than was said."""
    met = 0
    for _ in range(150):
        net = random_network(rng, n=int(rng.integers(1, 5)))
        found = net.certificate()
        if not found.settles or found.updates(1e-4) > 3000:
            continue
        met += 1
        model, on, W = Plain(net), net.drive > 0, np.array(net.initial)
        region = found.region
        c = max(region.smoothness - 1, 0) / (1 + region.lopsidedness - region.smoothness)
        previous, bound = found.excess, found.updates(1e-4)
        for _ in range(bound):
            W = plain(W, net.drive, net.target(), net.alpha, net.beta, net.sigma)
            y = net.project(W)[on]
            V = model.distance(y) + (1 + c) * model.excess(y)
            assert found.contraction * previous + 1e-12 * found.excess >= V
            previous = V
        assert np.abs(np.log(model.u / (model.floor + net.project(W)[on]))).max() <= 1e-4
    assert met > 40


def test_locally_stable_networks_are_certified_from_their_start(rng):
    """Of 300 locally stable settings, by iterating from W₀ = 1; and none that is unstable ever is."""
    counts = Counter()
    while counts["stable"] < 300:
        net = random_network(rng)
        verdict = net.verdict()
        if not min(verdict.margins["flip"], verdict.margins["fold"]) > 1e-3:
            for scale in (1.0, 1e-3):
                y = verdict.state * (1 + scale * rng.uniform(-0.5, 0.5, net.size))
                assert verdict.outputs_settle or not net.certificate(y).settles
            continue
        counts["stable"] += 1
        fate = net.outcome().fate
        counts["certified"] += fate.proved is not None
        counts["at start"] += fate.proved == 0
        if fate.proved is not None:
            assert fate.kind == "settles" and fate.outputs_settle and fate.weights == found_weights(net)
    assert counts["certified"] >= 0.97 * 300
    assert counts["at start"] >= 0.25 * 300


def found_weights(net):
    """What weights do where outputs settle: at β = 0 they drift if a silent neuron has a target."""
    silent = (net.drive == 0) & (net.baseline_response > 0)
    return "drift" if net.beta == 0 and silent.any() and net.alpha > 0 else "settle"


def test_no_orbit_that_is_provably_attracted_is_undecided():
    case = json.loads((DATA / "slow_orbit.json").read_text())
    net = Network(case["drive"], case["baseline_drive"], alpha=case["alpha"], beta=0.0, sigma=case["sigma"])
    found = net.outcome()
    assert (found.fate.kind, found.fate.proved, found.fate.weights) == ("settles", 0, "settle")
    assert net.certificate().region.smoothness == pytest.approx(0.123, abs=5e-4)
    assert near(found.fate.responses[0], net.baseline_response, 1e-9)
    assert "proved to settle" in found.fate.reason


def test_largest_certified_step_is_below_the_flip_and_near_it_close_to_rest(rng):
    """The rule in steps of h is the one at rates hα, hβ: flip at h* = 2/(αμ_max/n − β)."""
    met = 0
    for _ in range(60):
        net = random_network(rng)
        y = net.verdict().state
        r, R = net.drive[net.drive > 0], net.response(y)[net.drive > 0]
        mu = np.linalg.eigvals((R @ r) * np.diag(R**2 / r) + np.outer(R, R**2)).real.max()
        flip = 2 / (net.alpha * mu / net.size - net.beta)
        near_rest = net.certificate(y * (1 + 1e-7)).region.largest_step
        far = net.certificate().region.largest_step
        assert 0.99 * flip < near_rest < flip
        assert far < near_rest
        if 1e-4 < far < 1e3 and net.alpha > 0:
            met += 1
            scaled = {"alpha": far * net.alpha, "beta": far * net.beta}
            below = {name: 0.999 * value for name, value in scaled.items()}
            above = {name: 1.001 * value for name, value in scaled.items()}
            assert net.replace(**below).certificate().settles and not net.replace(**above).certificate().settles
    assert met > 30


def test_largest_region_is_the_largest(rng):
    for _ in range(40):
        net = random_network(rng)
        region = largest_region(net)
        if region is None:
            assert not net.verdict().outputs_settle or net.verdict().margins["flip"] < 1e-3
            continue
        rest = Rest.of(net)
        assert region.descends and not rest.region(1.00001 * region.level).descends


def test_without_adaptation_to_products_weights_still_decay(rng):
    """α = 0: W → C at the rate 1 + β, from any positive start."""
    for beta in (-0.1, -0.7):
        net = draw(rng, n=4, beta=beta)[0].replace(alpha=0.0)
        found = net.certificate()
        assert found.settles and found.region.smoothness == pytest.approx(-beta)
        assert found.contraction == pytest.approx(1 + beta)


@pytest.mark.parametrize(
    ("net", "words"),
    [
        (Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=0.1, sigma=0.5), "beta > 0: E has no lower bound"),
        (Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-2.0, sigma=0.5), "beta <= -2"),
        (Network([1.0, 0.5], [1.0, 1.0], alpha=90.0, beta=-0.1, sigma=0.5), "is not below 1 + s"),
        (Network([1.0, 0.5], [1.0, 0.0], alpha=0.1, beta=0.0, sigma=0.5), "no equilibrium"),
    ],
)
def test_what_is_not_certified_says_why(net, words):
    found = net.certificate()
    assert not found.settles and not found.weights_settle and words in found.reason
    with pytest.raises(InvalidInput, match=re.escape("nothing is certified of this state: ")):
        found.updates(1e-6)


def test_beyond_a_pole_nothing_is_certified():
    net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    assert "beyond a pole" in net.certificate([0.5, -0.5]).reason
    with pytest.raises(InvalidInput, match="accuracy is 2"):
        net.certificate().updates(2)
    with pytest.raises(InvalidInput, match="clip=True"):
        net.replace(clip=True).certificate()


def test_a_silent_neuron_with_a_target_drifts_while_outputs_are_proved_to_settle():
    net = Network([1.0, 0.5, 0.0], [0.8, 0.6, 0.7], alpha=0.1, beta=0.0, sigma=0.5)
    found = net.certificate()
    assert found.settles and not found.weights_settle
    assert net.outcome().fate.weights == "drift" and net.outcome().fate.proved is not None


def test_numbers_of_updates_are_bounded_or_refused_at_every_size(rng):
    """Drives and rates over ten decades: no warning, and no bound that the orbit does not keep."""
    counted = 0
    for _ in range(150):
        n = int(rng.integers(1, 8))
        r, r0 = 10 ** rng.uniform(-3, 1, (2, n))
        beta = -float(rng.integers(2)) * float(10 ** rng.uniform(-6, 0))
        net = Network(r, r0, alpha=float(10 ** rng.uniform(-6, 4)), beta=beta, sigma=float(10 ** rng.uniform(-2, 2)))
        found = net.certificate()
        if not found.settles:
            continue
        try:
            bound = found.updates(1e-2)
        except InvalidInput as refusal:
            assert "the bound is above" in str(refusal)
            continue
        counted += 1
        if bound < 2000:
            y = net.project(net.initial)
            for _ in range(bound):
                y = net.reduced(y)
            assert np.abs(np.log(net.response(y) / net.response(net.verdict().state))).max() <= 1e-2
    assert counted > 20


def test_a_certificate_of_a_ring_costs_no_matrix():
    """Each of n neurons holds a part 1/n of E: certified regions shrink with n, and orbits enter them later."""
    net = ring(3000, (0.8, 0.0), (0.8, 0.4), alpha=0.02, beta=-0.1, sigma=1 / 6, b=0.05)
    assert not net.certificate().settles
    assert net.outcome().fate.proved in (64, 128, 256)
