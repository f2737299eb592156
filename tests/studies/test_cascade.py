"""The four bifurcation diagrams against a model written anew here in plain NumPy, and what they leave on disk."""

import csv
import functools
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.image import imread
from scipy.optimize import brentq

NAMES = ("alpha", "beta", "sigma", "b")
N = 16


@pytest.fixture(scope="module")
def study(run_study):
    return run_study


# The model, from its equations


class Model:
    """16 neurons with raised-cosine tuning, baseline of contrast 0.8 at 0, stimulus of contrast 0.8 at π/2."""

    def __init__(self, p):
        self.alpha, self.beta, self.sigma = p["alpha"], p["beta"], p["sigma"]
        self.r, r0 = (self.drive(theta, p["b"]) for theta in (np.pi / 2, 0.0))
        self.R0 = r0 / (self.sigma**2 + r0.mean())
        self.start = np.full(N, self.r.mean())

    @staticmethod
    def drive(theta, b):
        # 0.1 above the ground, half height 30° away from the peak
        power = np.log(0.5) / np.log(np.cos(np.pi / 6))
        tuning = 0.1 + 0.9 * np.abs(np.cos(theta - np.pi * np.arange(N) / N)) ** power
        return (0.8 * tuning + b) ** 2

    def response(self, y):
        return self.r / (self.sigma**2 + y)

    def step(self, y):
        R = self.response(y)
        pull = (self.alpha + self.beta) * self.R0 * (self.R0 @ self.r)
        return (1 + self.beta) * y + (self.alpha * R * (R @ self.r) - pull) / N

    def run(self, y, steps):
        for _ in range(steps):
            y = self.step(y)
        return y

    def bracket(self, R):
        return (R @ self.r) * np.diag(R**2 / self.r) + np.outer(R, R**2)

    def jacobian(self, y):
        return (1 + self.beta) * np.eye(N) - self.alpha / N * self.bracket(self.response(y))

    def equilibrium(self):
        """β < 0: s = R·r with R(s) the positive root of (|γ| s/n) R² + a R − r = 0, by bisection."""
        gamma = self.alpha / self.beta
        a = self.sigma**2 + (1 + gamma) * self.R0 * (self.R0 @ self.r) / N

        def roots(s):
            return (-a + np.sqrt(a**2 - 4 * gamma * s * self.r / N)) / (-2 * gamma * s / N)

        s = brentq(lambda s: self.r @ roots(s) - s, 1e-6, 1e4, xtol=1e-15, rtol=1e-15)
        return self.r / roots(s) - self.sigma**2


def model_at(branch, point):
    return Model({**branch.curve.equations.fixed, **dict(zip(branch.curve.free, point.free))})


def cycle_of(model, y, period):
    states = [y]
    for _ in range(period - 1):
        states.append(model.step(states[-1]))
    return np.array(states)


# Special points


@pytest.mark.parametrize("name", NAMES)
def test_flips_of_the_equilibrium_solve_their_equation(study, name):
    flips = [row for row in study(name).special if row.point.kind == "flip" and row.point.period == 1]
    assert flips
    for row in flips:
        p = row.point.parameters
        model = Model(p)
        y = model.equilibrium()
        assert np.abs(y - row.point.state).max() < 1e-9 * np.abs(y).max()
        mu = np.sort(np.linalg.eigvals(model.bracket(model.response(y))).real)
        assert np.abs(p["alpha"] * mu / N - (2 + p["beta"])).min() < 1e-8
        assert row.multiplier == pytest.approx(-1, abs=1e-8)
        assert row.weights == pytest.approx(1 + p["beta"], abs=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_no_flip_of_the_equilibrium_is_missing_or_misjudged(study, name):
    """The number of eigenvalues beyond 2 + β, counted on a fine grid, changes at the listed values and nowhere else."""
    panel = study(name).panels[0]
    branch = panel.branches[0]
    flips = np.array([point.parameters[panel.parameter] for point in branch.of("flip")])
    grid = np.linspace(branch[panel.parameter].min(), branch[panel.parameter].max(), 400)

    def unstable(value):
        model = Model({**panel.network.parameters, panel.parameter: value})
        mu = np.linalg.eigvals(model.bracket(model.response(model.equilibrium()))).real
        return int((model.alpha * mu / N > 2 + model.beta).sum())

    counts = np.array([unstable(value) for value in grid])
    moved = np.abs(np.diff(counts))
    listed = np.histogram(flips, grid)[0]
    assert (listed == moved).all()
    stable = np.interp(grid, branch[panel.parameter], branch.stable.astype(float))
    away = np.abs(grid[:, None] - flips).min(axis=1) > 0.03 * (grid[-1] - grid[0])
    assert (stable[away] == (counts[away] == 0)).all()


@pytest.mark.parametrize("name", NAMES)
def test_flips_of_cycles_have_the_multiplier_they_claim(study, name):
    seen = set()
    for row in study(name).special:
        point = row.point
        if point.kind != "flip" or point.period == 1:
            continue
        model = Model(point.parameters)
        states = cycle_of(model, point.state, point.period)
        assert np.abs(model.step(states[-1]) - states[0]).max() < 1e-10
        J = functools.reduce(lambda total, y: model.jacobian(y) @ total, states, np.eye(N))
        assert np.abs(np.linalg.eigvals(J) + 1).min() < 1e-7
        seen.add(point.period)
    assert seen == {2, 4}


def test_growth_ends_in_a_fold(study):
    panel = study("beta").panels[1]
    fold = panel.branches[0].first("fold")
    beta = fold.parameters["beta"]
    assert 1e-3 < beta < 1e-2
    model = Model(fold.parameters)
    y = fold.state
    assert np.abs(model.step(y) - y).max() < 1e-11
    mu = np.linalg.eigvals(model.bracket(model.response(y))).real
    assert 0.2 * mu.min() / N == pytest.approx(beta, abs=1e-9)
    assert panel.branches[0]["beta"].max() <= beta
    for factor, settles in ((0.97, True), (1.03, False)):
        model = Model({**fold.parameters, "beta": factor * beta})
        y = model.run(model.start, 20000)
        assert (np.abs(model.step(y) - y).max() < 1e-9 * np.abs(y).max()) == settles


def test_where_weights_grow_outputs_are_stable_and_weights_are_not(study):
    panel = study("beta").panels[1]
    net = panel.network.replace(beta=1e-3)
    said = net.stability(net.equilibrium())
    assert (said.outputs, said.weights) == ("stable", "unstable")
    model = Model(net.parameters)
    W, C = np.ones((N, N)), np.outer(model.R0, model.R0)
    W = W + 1e-3 * np.diag(np.arange(N) - 7.5)  # off the symmetric start, too, the outputs return
    sizes, moves = [], []
    for _ in range(6000):
        R = model.response(W @ model.r / N)
        W = W + model.alpha * (np.outer(R, R) - C) + model.beta * (W - C)
        sizes.append(np.linalg.norm(W))
        moves.append(np.abs(model.response(W @ model.r / N) - R).max())
    assert moves[-1] < 1e-10
    assert sizes[-1] / sizes[-501] == pytest.approx(1.001**500, rel=0.02)


# Branches


@pytest.mark.parametrize("name", NAMES)
def test_cycles_are_what_iteration_says(study, name):
    periods = set()
    for branch in study(name).branches:
        period = branch.curve.period
        periods.add(period)
        for point in branch.points[::3]:
            model = model_at(branch, point)
            states = cycle_of(model, point.state, period)
            scale = np.abs(states).max()
            assert np.abs(model.step(states[-1]) - states[0]).max() < 1e-9 * scale
            if period > 1:  # its least period: half of it does not return
                assert np.abs(states[period // 2] - states[0]).max() > 1e-5 * scale
    assert periods == {1, 2, 4}


@pytest.mark.parametrize("name", NAMES)
def test_orbits_from_the_first_weights_reach_the_stable_branches(study, name):
    reached = 0
    for branch in study(name).branches:
        for point in branch.points[::6]:
            if np.abs(point.spectrum.values).max() > 0.97:
                continue
            model = model_at(branch, point)
            states = cycle_of(model, point.state, branch.curve.period)
            y = model.run(model.start, 3000)
            assert np.abs(states - y).max(axis=1).min() < 1e-8 * np.abs(y).max()
            reached += 1
    assert reached >= 10


def stable_values(panel, value):
    """What the stable branches say at a value of the parameter, linearly between their points."""
    found = []
    for branch in panel.branches:
        p, seen = branch[panel.parameter], []
        for point, stable in zip(branch.points, branch.stable):
            model = model_at(branch, point)
            responses = [model.response(y)[panel.neuron] for y in cycle_of(model, point.state, branch.curve.period)]
            seen.append((stable, np.array(responses)))
        for (p0, (s0, r0)), (p1, (s1, r1)) in pairwise(zip(p, seen)):
            if s0 and s1 and min(p0, p1) <= value <= max(p0, p1):
                found.extend(r0 + (value - p0) / (p1 - p0) * (r1 - r0))
    return np.array(found)


@pytest.mark.parametrize("name", NAMES)
def test_simulated_orbits_lie_on_the_stable_branches(study, name):
    compared = 0
    for panel in study(name).panels:
        width = np.ptp(panel.orbits.values)
        special = [point.parameters[panel.parameter] for branch in panel.branches for point in branch.special]
        for value, samples in list(zip(panel.orbits.values, panel.orbits.samples))[::2]:
            if np.abs(np.array(special) - value).min() < 0.04 * width:
                continue  # slow there, and curved
            expected = stable_values(panel, value)
            if len(expected):
                apart = np.abs(samples[:, None] - expected)
                assert apart.min(axis=1).max() < 5e-3 * np.nanmax(panel.orbits.samples)
                assert apart.min(axis=0).max() < 5e-3 * np.nanmax(panel.orbits.samples)
                compared += 1
    assert compared >= 8


def test_bubbles_close(study):
    """In b every cycle is born at one flip and ends at another, where its parent becomes stable again."""
    equilibrium, *cycles = study("b").branches
    for parent, cycle in pairwise([equilibrium, *cycles]):
        assert cycle.stop[1].reason == "collapsed"
        outer = [point for point in parent.of("flip") if point.period == parent.curve.period]
        assert cycle.curve.origin.parameters["b"] == outer[0].parameters["b"]
        assert cycle.special[-1].parameters["b"] == pytest.approx(outer[-1].parameters["b"], abs=1e-10)


# What is left on disk


@pytest.mark.parametrize("name", NAMES)
def test_numbers_read_back_as_they_were(study, name):
    found = study(name)
    assert found.files.png.read_bytes().startswith(b"\x89PNG")
    assert found.files.pdf.read_bytes().startswith(b"%PDF")
    with found.files.numbers.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == sum(len(branch) for branch in found.branches)
    parameter = found.panels[0].parameter
    neurons = [panel.neuron for panel in found.panels for _ in panel.branches]
    for number, branch in enumerate(found.branches):
        own = [line for line in lines if int(line["branch"]) == number]
        assert [float(line[parameter]) for line in own] == branch[parameter].tolist()
        assert [bool(int(line["stable"])) for line in own] == branch.stable.tolist()
        assert {int(line["period"]) for line in own} == {branch.curve.period}
        for line, point in list(zip(own, branch.points))[::5]:
            model = Model({key: float(line[key]) for key in ("alpha", "beta", "sigma", "b")})
            states = cycle_of(model, point.state, branch.curve.period)
            written = [float(line[f"response_{j + 1}"]) for j in range(branch.curve.period)]
            assert written == pytest.approx([model.response(y)[neurons[number]] for y in states], rel=1e-9)
            J = functools.reduce(lambda total, y, m=model: m.jacobian(y) @ total, states, np.eye(N))
            largest = np.abs(np.linalg.eigvals(J)).max()
            assert float(line["largest_multiplier"]) == pytest.approx(largest, rel=1e-7)
            weights = max(largest, abs(1 + model.beta) ** branch.curve.period)
            assert bool(int(line["weights_stable"])) == (weights < 1)


def test_figures_are_fine_enough_for_print(study):
    image = imread(study("alpha").files.png)
    assert image.shape[1] >= 6 * 200
