"""The study of time and memory: what it measures is the same branch on every path; no time is asserted."""

import csv
import json

import numpy as np
import pytest

import bifurcate as bf
from studies import provenance, scaling
from studies.run_settings import Interrupted


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("scaling")


def test_every_path_measures_the_same_branch(study):
    assert {line.path for line in study.lines} == {"dense", "matrix-free", "structured", "reduced"}
    for line in study.lines:
        n, angle = line.neurons, np.pi * np.arange(line.neurons) / line.neurons
        r, r0 = (0.3 + 0.7 * np.cos(angle) ** 2) ** 2, (0.3 + 0.7 * np.sin(angle) ** 2) ** 2
        assert line.weights == n**2 and line.unknowns == (n if line.path == "reduced" else n**2)
        # The equilibrium from its scalar equation, and the least multiplier by bisection of the secular equation.
        net = bf.adaptation.Network(r, r0, alpha=line.alpha, beta=-0.5, sigma=0.5)
        R = net.response(net.reduced_equilibrium())
        poles, weight = (R @ r) * R**2 / r, R**3
        low, high = poles.max(), poles.max() + weight.sum()
        for _ in range(200):
            mu = 0.5 * (low + high)
            low, high = (mu, high) if 1.0 + np.sum(weight / (poles - mu)) < 0.0 else (low, mu)
        assert abs(0.5 - line.alpha * low / n - line.least) < 1e-8
        assert 0.5 < line.alpha < 1.0 and line.seconds > 0.0


def test_memory_grows_with_the_state_and_not_with_its_square(study):
    for line in study.lines:
        states = 1e6 * line.megabytes / (8.0 * line.unknowns)
        assert states > 4.0
        assert line.path == "dense" or line.unknowns < 3000 or states < 100.0
    assert study.bandwidth > 1e8


def test_the_figure_and_its_numbers_are_written(study):
    assert study.files.png.stat().st_size > 20_000 and study.files.pdf.stat().st_size > 5_000
    with study.files.numbers.open() as file:
        rows = list(csv.DictReader(file))
    assert [row["path"] for row in rows] == [line.path for line in study.lines]
    assert [float(row["least"]) for row in rows] == [line.least for line in study.lines]
    assert study.of("reduced")[-1].neurons == 3000


def test_a_run_that_was_ended_leaves_what_it_measured_marked_as_incomplete(tmp_path, monkeypatch, capsys):
    measure = scaling._measure

    def interrupting(path, n):
        if path == "structured":
            raise Interrupted
        return measure(path, n)

    monkeypatch.setattr(scaling, "_measure", interrupting)
    with pytest.raises(Interrupted) as end:
        scaling.run(tmp_path, quick=True)
    assert "marked as incomplete" in end.value.published and "structured at 10 neurons" in end.value.published
    with (tmp_path / "scaling.csv").open() as file:
        assert [row["path"] for row in csv.DictReader(file)] == ["dense", "matrix-free"]
    about = json.loads((tmp_path / "scaling.provenance.json").read_text())
    assert about["interrupted"].endswith("reduced at 3000 neurons") and set(about["outputs"]) >= {"scaling.png"}
    assert provenance.check(tmp_path, ["scaling"]) == 1 and "it was interrupted" in capsys.readouterr().out


def test_a_run_that_was_ended_before_anything_was_measured_leaves_nothing(tmp_path, monkeypatch):
    def interrupting(path, n):
        raise Interrupted

    monkeypatch.setattr(scaling, "_measure", interrupting)
    with pytest.raises(Interrupted) as end:
        scaling.run(tmp_path, quick=True)
    assert end.value.published.startswith("nothing") and not list(tmp_path.iterdir())
