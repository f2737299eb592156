"""Stimuli in turn: the composed map, against iteration of all weights written anew."""

import csv
import importlib

import numpy as np
import pytest

import bifurcate as bf


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("protocols")


class Model:
    """16 neurons, baseline (0.8, 0), stimuli of contrast 0.8 in turn; all weights."""

    def __init__(self, alpha, angles, beta=-0.1, sigma=1 / 6):
        power = np.log(0.5) / np.log(np.cos(np.pi / 6))
        drive = [
            (0.8 * (0.1 + 0.9 * np.abs(np.cos(t - np.pi * np.arange(16) / 16)) ** power) + 0.05) ** 2
            for t in (0.0, *angles)
        ]
        self.alpha, self.beta, self.sigma, self.r = alpha, beta, sigma, np.array(drive[1:])
        R0 = drive[0] / (sigma**2 + drive[0].mean())
        self.C = np.outer(R0, R0)

    def step(self, W, r):
        R = r / (self.sigma**2 + W @ r / 16)
        return W + self.alpha * (np.outer(R, R) - self.C) + self.beta * (W - self.C)

    def period(self, W):
        for r in self.r:
            W = self.step(W, r)
        return W

    def settled(self):
        """Where W comes back, by a damped iteration that flips and turns do not keep from it."""
        W = np.ones((16, 16))
        for _ in range(3000):
            W = W + 0.25 * (self.period(W) - W)
        return W

    def multipliers(self, W):
        """Of the composed map on the symmetric weights, by differences."""
        pairs = np.transpose(np.triu_indices(16))

        def column(t, i, j):
            V = W.copy()
            V[i, j] += t
            V[j, i] = V[i, j]
            return self.period(V)[pairs[:, 0], pairs[:, 1]]

        h = 1e-5
        J = [(8 * (column(h, *q) - column(-h, *q)) - column(2 * h, *q) + column(-2 * h, *q)) / (12 * h) for q in pairs]
        return np.linalg.eigvals(np.array(J).T)


@pytest.mark.slow
def test_ends_of_stability_are_those_of_all_weights(study):
    """There the largest multipliers of the full map lie on the unit circle, one at −1 or a pair elsewhere."""
    for (name, m), point in study.ends.items():
        if name != "in turn":
            continue
        model = Model(point.parameters["alpha"], [np.pi / 2 + np.pi * j / m for j in range(m)])
        W = model.settled()
        assert np.abs(model.period(W) - W).max() < 1e-11
        assert point.state.reshape(m, 16) == pytest.approx(model.r @ W.T / 16, abs=1e-9)
        values = model.multipliers(W)
        sizes = np.sort(np.abs(values))[::-1]
        if point.kind == "flip":
            assert np.abs(values + 1.0).min() < 1e-6
            assert sizes[0] == pytest.approx(1.0, abs=1e-6) and sizes[1] < 0.999
        else:
            assert sizes[:2] == pytest.approx([1.0, 1.0], abs=1e-6) and sizes[2] < 0.999
            assert np.abs(values[np.abs(values) > 0.999].imag).min() > 0.05


def test_kinds_of_ends(study):
    kinds = {key: point.kind for key, point in study.ends.items()}
    assert kinds == {
        ("in turn", 1): "flip",
        ("average", 1): "flip",
        ("in turn", 2): "flip",
        ("average", 2): "flip",
        ("in turn", 3): "neimark-sacker",
        ("average", 3): "flip",
    }
    alpha = {key: point.parameters["alpha"] for key, point in study.ends.items()}
    assert alpha["in turn", 1] == pytest.approx(alpha["average", 1], abs=1e-10)  # one stimulus: the same map
    assert alpha["in turn", 1] == pytest.approx(0.6494276770, abs=1e-8)
    assert all(alpha["in turn", m] < alpha["average", m] for m in (2, 3))
    unequal, doubled = study.branches["unequal"]
    assert [point.kind for point in unequal.special] == ["flip"] * 3
    assert doubled.curve.period == 2
    assert {point.kind for point in study.branches["mirrored"][0].special} == {"neimark-sacker"}


def test_simulated_regimes_are_the_branches(study):
    """Below the first point orbits lie on the branch, beyond a flip on the doubled one, beyond NS on neither."""
    observe = importlib.import_module("studies.protocols").response
    for name in ("unequal", "mirrored"):
        branch, seen = study.branches[name][0], study.orbits[name]
        end = branch.special[0].parameters["alpha"]
        on_branch = np.interp(seen.values, branch["alpha"], bf.plot.observe(branch, observe(name))[:, 0])
        low, high = (1.03, 1.055) if name == "unequal" else (1.01, 1.04)
        below, above = seen.values < 0.96 * end, (seen.values > low * end) & (seen.values < high * end)
        assert below.sum() >= 5 and above.sum() >= 1
        assert np.abs(seen.samples - on_branch[:, None])[below].max() < 1e-2
        if name == "unequal":
            doubled = study.branches[name][1]
            sides = np.sort(bf.plot.observe(doubled, observe(name)), axis=1)
            expected = [np.interp(seen.values[above], doubled["alpha"], side) for side in sides.T]
            for samples, low, high in zip(np.sort(seen.samples[above], axis=1), *expected):
                assert samples == pytest.approx(np.repeat([low, high], 8), abs=1e-2)
                assert high - low > 0.1
        else:
            assert np.ptp(seen.samples[above], axis=1).min() > 0.5
            assert np.abs(np.diff(seen.samples[above], axis=1)).max() > 0.5


def test_two_regimes_beyond_the_neimark_sacker_point(study):
    """A small circle around the unstable one, as the supercritical point says; far from it what is reached from W₀."""
    module = importlib.import_module("studies.protocols")
    point = study.branches["mirrored"][0].special[0]
    assert point.form == "supercritical"

    def reach(beyond, near):
        model = Model((1 + beyond) * point.parameters["alpha"], module.ANGLES["mirrored"])
        r, seen = model.r[0], []
        W = model.settled() * (1 + 1e-4 * np.diag(np.arange(16) - 7.5)) if near else np.ones((16, 16))
        for t in range(3000):
            W = model.period(W)
            if t >= 2900:
                seen.append(r[0] / (model.sigma**2 + W[0] @ r / 16))
        return np.ptp(seen)

    small, wider = reach(8e-4, True), reach(2e-3, True)
    assert 0.05 < small < 0.1
    assert (wider / small) ** 2 == pytest.approx(2.5, rel=0.1)  # like the root of the distance
    assert reach(8e-4, False) > 10 * small


def test_mirrored_stimuli_make_the_composed_map_a_square():
    """F = (g f₁)² for the reflection g, so that every multiplier of F is a square of one of g f₁."""
    angles = (3 * np.pi / 8, 5 * np.pi / 8)
    model = Model(0.3, angles)
    mirror = (-np.arange(16)) % 16

    def half(W):
        return model.step(W, model.r[0])[np.ix_(mirror, mirror)]

    V = np.random.default_rng(0).uniform(0.9, 1.1, (16, 16))
    assert np.abs(half(half(V)) - model.period(V)).max() < 1e-13


def test_multipliers_against_the_period(study):
    for M, values in study.multipliers.items():
        model = Model(0.145, np.repeat((np.pi / 2, 3 * np.pi / 4), M // 2))
        expected = model.multipliers(model.settled())
        for value in values[:6]:
            assert np.abs(expected - value).min() < 2e-7 * max(1.0, abs(value))
        assert (np.abs(values - 0.9**M) < 1e-9).sum() == 1  # m(m−1)/2


def test_protocols_leaves_its_numbers(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG")
    with study.files.numbers.open(newline="") as file:
        lines = list(csv.DictReader(file))
    ends = [line for line in lines if line["what"].startswith("end of stability")]
    assert len(ends) == len(study.ends) == 6
