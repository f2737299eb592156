"""Adaptation in the published setting, against that model written anew."""

import csv
import functools
import importlib
import json
import pathlib

import numpy as np
import pytest

import bifurcate as bf


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("adaptation")


ROWS = json.loads((pathlib.Path(__file__).parents[1] / "data/published_code.json").read_text())
NAMES = {  # of the study, of the published code's own output
    "biased, as published": "biased, as published (sum 14)",
    "unbiased, as published": "unbiased, as published (sum 10)",
    "biased, sum 1": "biased, weights normalised to sum 1",
}


@functools.cache
def published(weights, steps):
    """Drives r[s, i] of neuron i by orientation s (degrees), weights after that many updates, and C."""
    n, sigma = 180, 1 / 6
    apart = np.abs((np.subtract.outer(np.arange(n), np.arange(n)) + 90) % 180 - 90)
    f = np.where(apart < 60, (1 + np.cos(3 * np.deg2rad(apart))) / 2, 0.0)
    r = f**2 / (f**2).sum(axis=1, keepdims=True)
    W = np.ones((n, n))
    R = r / (sigma**2 + r @ W.T / n)
    C = sum(np.outer(each, each) for each in R) / n
    shown = r[np.arange(90, 270, 18) % 180]  # the adaptor first
    for i in range(1, steps + 1):
        R = shown / (sigma**2 + shown @ W.T / n)
        Q = sum(w * np.outer(each, each) for w, each in zip(weights, R))
        W = np.maximum(W + (99 * np.exp(-i / 100) + 1) * (Q - C), 0.0)
    return r, W, C


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_adaptation_is_the_published_rule(study, name):
    weights = {"b": [5.0] + [1.0] * 9, "u": [1.0] * 10}[name[0]]
    weights = tuple(w / 14 if name.endswith("sum 1") else w for w in weights)
    r, W, C = published(weights, 50)
    each = study.after[name]
    assert np.abs(each.weights - W).max() < 1e-9 * W.max()
    before, after = (r / (1 / 36 + r @ V.T / 180) for V in (np.ones((180, 180)), W))
    assert np.abs(study.before.curves - before).max() < 1e-13
    assert np.abs(each.curves - after).max() < 1e-10
    R = after[np.arange(90, 270, 18) % 180]
    assert np.abs(each.mean - np.array(weights) @ R / sum(weights)).max() < 1e-10
    assert np.abs(each.drive - ((R.T * weights) @ R - C)).max() < 1e-10
    assert (each.weights == 0.0).sum() == (W == 0.0).sum()


@pytest.mark.parametrize("name", NAMES)
def test_adaptation_reports_what_the_published_code_gives(study, name):
    row = next(case for case in ROWS["cases"] if case["name"] == NAMES[name])
    old, each = study.before, study.after[name]
    assert old.curves[90, 90] == pytest.approx(ROWS["response at the adaptor, neuron tuned to it, W = 1"], abs=5e-7)
    assert old.curves[90].mean() == pytest.approx(ROWS["mean population response at the adaptor, W = 1"], abs=5e-7)
    assert each.curves[90, 90] == pytest.approx(row["response at the adaptor"], abs=6e-10)
    assert each.curves[90].mean() == pytest.approx(row["mean population response"], abs=6e-10)
    assert each.curves.mean() == pytest.approx(row["grand mean"], abs=6e-7)
    if name.startswith("unbiased"):
        assert np.abs(each.centre[[80, 100]]).max() < 1e-3
        return
    for beside in (80, 100):
        assert each.centre[beside] == pytest.approx(row["shift at +-10 deg, centre of mass"], abs=6e-7)
        assert each.peak[beside] == pytest.approx(row["shift at +-10 deg, peak"], abs=6e-7)
    if "clipped entries of W" in row:
        assert (each.weights == 0.0).sum() == row["clipped entries of W"]


@pytest.mark.slow
def test_the_long_run_is_the_published_one():
    module = importlib.import_module("studies.adaptation")
    net, case = module.network(), module.CASES["biased, as published, 300 updates"]
    W = module.adapt(net, case)
    curve = bf.adaptation.average(net, module.every_orientation()).response(W)
    assert curve[90, 90] == pytest.approx(ROWS["cases"][3]["response at the adaptor"], abs=5e-5)


def test_adaptation_reports_these_figures(study):
    old, each = study.before, study.after["biased, sum 1"]
    assert old.curves[90, 90] == pytest.approx(2 / 3, abs=1e-12)  # 4/180 over 1/36 + 1/180
    assert each.ratio[90] == pytest.approx(0.6440, abs=1e-4)
    assert each.ratio[0] == pytest.approx(1.18, abs=0.01)
    spread = [x.max() / x.min() for x in (study.uniform, old.mean, each.mean)]
    assert spread == pytest.approx([1.0004, 2.6007, 1.5005], abs=1e-4)
    assert np.abs(each.drive).max() == pytest.approx(5.218e-3, abs=1e-6)


def test_preferences_are_measured_right(study):
    """Centres of mass and peaks of shifted copies of one curve are the shifts."""
    module = importlib.import_module("studies.adaptation")
    first = study.before.curves
    turned = np.roll(first, 7, axis=0)
    assert module._centres(turned) - module._centres(first) == pytest.approx(np.full(180, 7.0), abs=1e-9)
    assert module._peaks(turned) - module._peaks(first) == pytest.approx(np.full(180, 7.0), abs=1e-9)


def test_adaptation_leaves_its_numbers(study):
    assert study.files.png.read_bytes().startswith(b"\x89PNG")
    with study.files.numbers.open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == 180
    assert float(lines[90]["curve at the adaptor: biased, sum 1"]) == study.after["biased, sum 1"].curves[90, 90]
