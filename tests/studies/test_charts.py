"""The charts in two parameters: against the closed form of the spectrum, on the reduction and on all weights."""

import contextlib

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.adaptation.equilibria import equilibrium as equilibria
from bifurcate.plot.stable_side import stability_borders


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("charts")


def test_every_curve_is_one_of_the_closed_form(study):
    for chart in study.charts:
        curve = chart.curves[0]
        net = chart.network
        for point in curve.points[:: max(1, len(curve) // 10)]:
            here = net.replace(**dict(zip(curve.curve.free, point.free)))
            target = {"flip": -1.0, "fold": 1.0}[curve.curve.kind]
            assert np.abs(here.spectrum(point.state).values - target).min() < 1e-9


def test_weights_without_a_matrix_lie_on_the_same_curves(study):
    for chart in study.charts:
        assert chart.weights is not None and len(chart.weights) == 5
        assert chart.weights.points[0].state.shape == (32, 32)
        assert chart.error < 1e-10


def test_the_fold_is_where_the_scalar_equation_loses_its_root(study):
    chart = study.charts[2]
    (curve,) = chart.curves
    for point in curve.points[:: max(1, len(curve) // 5)]:
        beta, alpha = point.free
        net = chart.network.replace(alpha=alpha)
        assert abs(equilibria.last_beta(net, 1.0) - beta) < 1e-8
    assert {point.kind for point in chart.special} == {"fold-flip"} and len(chart.special) >= 3
    for point in chart.special:
        values = (
            chart.network.replace(**{name: point.parameters[name] for name in ("alpha", "beta")})
            .spectrum(point.state)
            .values
        )
        assert np.abs(values - 1.0).min() < 1e-7 and np.abs(values + 1.0).min() < 1e-7


def test_one_generalised_flip_and_none_elsewhere(study):
    a, b, _, d = study.charts
    point = b.curves[0].first("GPD")
    assert abs(point.parameters["alpha"] - 0.0349169) < 1e-6 and abs(point.parameters["beta"] + 1.0979275) < 1e-6
    assert point.form == "generic"
    low, high = b.ranges[0]
    assert low < 0 < high
    folds = next(curve for curve in b.curves if curve.curve.period == 2)
    assert folds.curve.kind == "fold" and folds.curve.origin.kind == "generalised flip"
    for chart in (a, d):
        assert not chart.special and all(low > 0 for low, _ in chart.ranges)


def test_the_doubled_cycle_folds_where_the_chart_says(study):
    folds = next(curve for curve in study.charts[1].curves if curve.curve.period == 2)
    # The point that is farthest from the poles u = 0, beside which rounding is multiplied.
    point = max(folds.points, key=lambda each: (study.charts[1].network.sigma ** 2 + each.state).min())
    p = {**study.charts[1].network.parameters, **dict(zip(folds.curve.free, point.free))}
    net = study.charts[1].network.replace(alpha=p["alpha"], beta=p["beta"])
    found = bf.solve(net.reduced, point.state, period=2)
    assert np.abs(found.state - point.state).max() < 1e-6
    assert np.abs(found.multipliers - 1.0).min() < 1e-5


def test_the_doubled_cycle_is_stable_on_the_side_that_is_shaded(study):
    chart = study.charts[1]
    folds = next(curve for curve in chart.curves if curve.curve.period == 2)
    ((line, side),) = stability_borders(folds, "alpha", "beta")  # though most points crowd at the pole, its end
    i = int(np.argmin(np.abs(line[:, 0] - 0.4)))
    assert side * (line[i + 1] - line[i - 1])[0] > 0.0  # above the curve
    point = folds.points[int(np.argmin(np.abs(folds["alpha"] - line[i, 0])))]
    stable = []
    for step in (1e-5, -1e-5):
        p = {**chart.network.parameters, **point.parameters}
        map = chart.network.replace(alpha=p["alpha"], beta=p["beta"] + step).reduced
        J = np.asarray(folds.curve.iterate.jacobian(folds.curve.iterate.orbit(point.state, p), p) @ np.eye(32))
        critical = np.linalg.svd(J - np.eye(32))[2][-1]
        found = []
        for reach in (-0.01, 0.01):
            with contextlib.suppress(bf.errors.NotConverged):
                found.append(bf.solve(map, point.state + reach * critical, period=2))
        stable.append(any(each.stable and each.period == 2 for each in found))
    assert stable == [True, False]


def test_pictures_and_numbers_are_written(study):
    assert study.files.png.stat().st_size > 20_000 and study.files.pdf.stat().st_size > 5_000
    assert study.files.numbers.stat().st_size > 500
