"""The charts of outcomes, against iteration and the exact spectrum of the model written anew."""

import csv

import numpy as np
import pytest
from ring_model import RingModel

from studies import outcome


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("outcome")


def test_a_small_chart_has_the_fates_and_the_flips_of_its_cells(tmp_path):
    found = outcome.chart(tmp_path, "beta", {"sigma": 1 / 6, "b": 0.05}, (0.2, 1.0), (-0.4, -0.2), (2, 1), 300, 9)
    assert found.alpha.tolist() == pytest.approx([0.4, 0.8]) and found.other.tolist() == pytest.approx([-0.3])
    assert found.seen.shape == found.proved.shape == (1, 2) and np.isnan(found.fold)
    stable = [np.abs(1 - model.rates(model.rest())).max() < 1 for model in (RingModel(a, -0.3) for a in found.alpha)]
    assert [kind == "weights settle" for kind in found.local[0]] == stable
    assert len(found.flips) >= 3
    for alpha, beta in found.flips:
        model = RingModel(float(alpha), float(beta))
        assert np.abs(model.rates(model.rest()) - 2.0).min() < 1e-6


@pytest.mark.slow
def test_outcome_lines_are_exact(study):
    for chart in study.charts:
        assert len(chart.flips) > 3
        for alpha, other in chart.flips[:: max(1, len(chart.flips) // 4)]:
            if chart.name == "beta" and other > -0.02:
                continue  # damped iteration would take long
            model = RingModel(float(alpha), **{**chart.fixed, chart.name: float(other)})
            rates = model.rates(model.rest())
            assert rates.max() == pytest.approx(2.0, abs=1e-6)


@pytest.mark.slow
def test_outcome_cells_are_what_iteration_does(study):
    compared = 0
    for chart in study.charts[:2]:
        for i, other in enumerate(chart.other):
            for j, alpha in list(enumerate(chart.alpha))[i % 4 :: 4]:
                model = RingModel(float(alpha), **{**chart.fixed, chart.name: float(other)})
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


@pytest.mark.slow
def test_outcome_counts_its_cells(study):
    cells = sum(chart.fate.size for chart in study.charts)
    assert study.counts.total() == cells == 2 * 80 + 48
    assert study.counts["weights settle", "settles"] > 80
    assert study.counts["flips", "settles"] == 0
    assert sum(count for (_, fate), count in study.counts.items() if fate == "undecided") < 8
    growth = study.charts[2]
    above = growth.other > 0
    assert set(np.unique(growth.local[above])) <= {"saddle", "no equilibrium"}
    ends = growth.fold * growth.alpha[None, :] < growth.other[:, None]
    assert ((growth.local == "no equilibrium") == ends)[above].all()
    assert not (growth.seen[above] == "outputs and weights settle").any()


@pytest.mark.slow
def test_files_are_left(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG") and study.files.pdf.read_bytes().startswith(b"%PDF")
    with study.files.numbers.open(newline="") as file:
        assert len(list(csv.DictReader(file))) > 10
