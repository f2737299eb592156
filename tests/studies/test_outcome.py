"""The studies of outcome, energy, spectrum and step: their numbers against the model written anew in plain numpy."""

import csv
import functools
import importlib
import pathlib
import sys

import numpy as np
import pytest

import bifurcate as bf

ROOT = pathlib.Path(bf.__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the studies are no part of the installed package

pytestmark = pytest.mark.slow
N = 16


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    out = tmp_path_factory.mktemp("figures")
    return functools.cache(lambda name: importlib.import_module(f"studies.{name}").run(out, quick=True))


class Model:
    """n neurons with raised-cosine tuning, baseline of contrast 0.8 at 0, stimulus of contrast 0.8 at π/2."""

    def __init__(self, alpha, beta, sigma=1 / 6, b=0.05, n=N):
        self.alpha, self.beta, self.sigma, self.n = alpha, beta, sigma, n
        power = np.log(0.5) / np.log(np.cos(np.pi / 6))
        self.r, r0 = (
            (0.8 * (0.1 + 0.9 * np.abs(np.cos(theta - np.pi * np.arange(n) / n)) ** power) + b) ** 2
            for theta in (np.pi / 2, 0.0)
        )
        self.R0 = r0 / (sigma**2 + r0.mean())
        self.start = np.full(n, self.r.mean())

    def response(self, y):
        return self.r / (self.sigma**2 + y)

    def move(self, y):
        R = self.response(y)
        pull = (self.alpha + self.beta) * self.R0 * (self.R0 @ self.r)
        return self.beta * y + (self.alpha * R * (R @ self.r) - pull) / self.n

    def run(self, steps, h=1.0):
        states = [self.start]
        for _ in range(steps):
            states.append(states[-1] + h * self.move(states[-1]))
        return np.array(states)

    def energy(self, y):
        R, r, n = self.response(y), self.r, self.n
        k = (self.alpha + self.beta) / n * self.R0 * (self.R0 @ r) + self.beta * self.sigma**2
        return self.alpha / (2 * n) * (r @ R) ** 2 - r * k @ np.log(R) - self.beta * (r**2 / R).sum()

    def rest(self):
        """By damped iteration: half steps and less, far below the flip."""
        y, h = self.start, 0.2 / max(1.0, self.alpha)
        for _ in range(60_000):
            step = h * self.move(y)
            y = y + step
            if np.abs(step).max() < 1e-16:
                break
        return y

    def rates(self, y):
        R = self.response(y)
        bracket = (R @ self.r) * np.diag(R**2 / self.r) + np.outer(R, R**2)
        return np.sort(np.linalg.eigvals(self.alpha / self.n * bracket).real) - self.beta


# Spectrum


def test_spectrum_has_its_cluster_and_its_few(study):
    found = study("spectrum")
    (alpha,) = found.dense
    values = found.dense[alpha]
    assert len(values) == N * N
    model = Model(alpha, -0.1)
    inner = 1 - model.rates(model.rest())
    assert (np.abs(values - 0.9) < 1e-7).sum() >= N * (N - 1)
    assert found.spread < 1e-7
    assert all(np.abs(values - each).min() < 1e-7 for each in inner)
    assert values.real.min() == pytest.approx(-1.0, abs=1e-7)  # this α is that of the flip
    assert found.flip.value == pytest.approx(alpha, abs=1e-9)
    for j in (4, 12):
        model = Model(float(found.alpha[j]), -0.1)
        assert np.abs(np.sort(1 - model.rates(model.rest())) - found.inner[j]).max() < 1e-7


# Step


def test_step_flips_where_two_over_the_largest_rate_is(study):
    found = study("step")
    model = Model(0.5, -0.1)
    rates = model.rates(model.rest())
    assert np.abs(rates - found.rates).max() < 1e-7
    flip = found.branches[0].first("flip")
    assert flip.parameters["h"] == pytest.approx(2 / rates.max(), abs=1e-6)
    assert found.flip == pytest.approx(flip.parameters["h"], abs=1e-11)
    worst = [np.abs(1 - h * rates).max() for h in (found.best * 0.99, found.best, found.best * 1.01)]
    assert worst[1] < min(worst[0], worst[2])
    assert {branch.curve.period for branch in found.branches} >= {1, 2}


def test_step_cycles_are_cycles_of_the_stepped_rule(study):
    model = Model(0.5, -0.1)
    branch = study("step").branches[1]
    for point, h in list(zip(branch.points, branch["h"]))[::4]:
        y = point.state
        once = y + h * model.move(y)
        assert np.abs(once + h * model.move(once) - y).max() < 1e-9
        assert np.abs(once - y).max() > 1e-6
    equilibrium = study("step").branches[0]
    assert np.ptp([point.state for point in equilibrium.points], axis=0).max() < 1e-9  # it does not move with h


def test_step_orbits_settle_below_the_flip_only(study):
    found = study("step")
    spread = np.ptp(found.orbits.samples, axis=1)
    away = (np.abs(found.orbits.values - found.flip) > 0.05) & (found.orbits.values > 0.4)  # elsewhere they are slow
    assert ((spread < 1e-6) == (found.orbits.values < found.flip))[away].all()


# Energy


def test_energy_courses_are_differences_of_the_energy_written_out(study):
    model = Model(0.5, -0.1)
    lowest = model.energy(model.rest())
    for course in study("energy").courses:
        assert np.abs(model.run(20, course.h) - course.y[:21]).max() < 1e-10
        for y, excess in list(zip(course.y, course.excess))[:60:7]:
            assert model.energy(y) - lowest == pytest.approx(excess, rel=1e-7, abs=1e-13)


def test_energy_rises_past_the_flip_only(study):
    below, close, past = study("energy").courses
    assert len(below.raised) == len(close.raised) == 0
    assert len(past.raised) > 30
    model = Model(0.5, -0.1)
    values = [model.energy(y) for y in past.y[50:100]]
    assert (np.diff(values) > 0).sum() >= 20


def test_energy_divergence_is_the_difference(study):
    found = study("energy")
    assert np.abs(found.subtracted - found.divergence).max() < 1e-12
    assert np.abs(found.parts.sum(axis=1) - found.divergence).max() < 1e-15
    assert (found.parts >= -1e-300).all()
    assert (np.diff(found.divergence) < 0).all()
    model = Model(0.2, 0.0, b=0.8)
    R, rest = model.response(model.run(3)[3]), model.R0  # at β = 0 the stimulus is erased
    p, delta = model.r * rest / (model.r @ rest), np.log(R / rest)
    published = 0.2 / N * (model.r @ rest) ** 2 * (0.5 * ((p @ np.exp(delta)) ** 2 - 1) - p @ delta)
    assert found.divergence[3] == pytest.approx(published, rel=1e-10)


def test_largest_step_of_descent_is_where_the_energy_first_rises(study):
    found = study("energy")
    assert (found.largest <= found.flip * 1.001).all()
    assert found.largest[0] < 0.9 * found.flip[0]  # far from rest E rises before the equilibrium flips
    for beta, largest in list(zip(found.beta, found.largest))[:2]:
        model = Model(0.5, float(beta))
        for factor, rises in ((0.998, False), (1.002, True)):
            states = model.run(300, factor * largest)
            values = np.array([model.energy(y) for y in states])
            assert (np.diff(values) > 1e-12).any() == rises


def test_energy_in_the_plane_of_two_neurons(study):
    slow, below, past = study("energy").plane
    model = Model(0.5, -0.1, n=2)
    assert np.abs(model.run(10, below.h) - below.y[:11]).max() < 1e-12
    assert len(slow.raised) == 0 and len(past.raised) > 0
    assert np.abs(past.y[-1] - past.y[-3]).max() < 1e-2 < np.abs(past.y[-1] - past.y[-2]).max() * 10


# Outcome


def test_outcome_lines_are_exact(study):
    for chart in study("outcome").charts:
        assert len(chart.flips) > 3
        for alpha, other in chart.flips[:: max(1, len(chart.flips) // 4)]:
            if chart.name == "beta" and other > -0.02:
                continue  # damped iteration would take long
            model = Model(float(alpha), **{**chart.fixed, chart.name: float(other)})
            rates = model.rates(model.rest())
            assert rates.max() == pytest.approx(2.0, abs=1e-6)


def test_outcome_cells_are_what_iteration_does(study):
    compared = 0
    for chart in study("outcome").charts[:2]:
        for i, other in enumerate(chart.other):
            for j, alpha in list(enumerate(chart.alpha))[i % 4 :: 4]:
                model = Model(float(alpha), **{**chart.fixed, chart.name: float(other)})
                beta = model.beta
                verdict = 1 - model.rates(model.rest())
                assert (chart.local[i, j] == "weights settle") == (np.abs(verdict).max() < 1)
                if abs(1 - np.abs(verdict).max()) < 0.01 or beta > -0.02:
                    continue
                with np.errstate(all="ignore"):
                    y = model.run(3000)[-3:]
                R = model.response(y)
                still = np.abs(R[-1] - R[-2]).max() < 1e-6
                if chart.fate[i, j] in ("settles", "settles beyond a pole"):
                    assert still and (R[-1].min() > 0) == (chart.fate[i, j] == "settles")
                elif chart.fate[i, j] in ("cycle", "chaos"):
                    assert not still
                compared += 1
    assert compared > 15


def test_outcome_counts_its_cells(study):
    found = study("outcome")
    cells = sum(chart.fate.size for chart in found.charts)
    assert found.counts.total() == cells == 2 * 80 + 48
    assert found.counts["weights settle", "settles"] > 80
    assert found.counts["flips", "settles"] == 0
    assert sum(count for (_, fate), count in found.counts.items() if fate == "undecided") < 8
    growth = found.charts[2]
    above = growth.other > 0
    assert set(np.unique(growth.local[above])) <= {"saddle", "no equilibrium"}
    ends = growth.fold * growth.alpha[None, :] < growth.other[:, None]
    assert ((growth.local == "no equilibrium") == ends)[above].all()
    assert not (growth.seen[above] == "outputs and weights settle").any()


@pytest.mark.parametrize("name", ["outcome", "energy", "spectrum", "step"])
def test_files_are_left(study, name):
    found = study(name)
    assert found.files.png.read_bytes().startswith(b"\x89PNG") and found.files.pdf.read_bytes().startswith(b"%PDF")
    with found.files.numbers.open(newline="") as file:
        assert len(list(csv.DictReader(file))) > 10


def test_they_are_asked_for_by_name_only():
    main = importlib.import_module("studies.__main__")
    assert {"outcome", "energy", "spectrum", "step"} <= main.STUDIES.keys() - main.DIAGRAMS.keys()
