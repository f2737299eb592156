"""Adaptation in the published setting, against that model written anew."""

import csv
import functools
import importlib

import numpy as np
import pytest


@pytest.fixture(scope="module")
def study(run_study):
    return run_study("adaptation")


@functools.cache
def published(steps):
    """Drives F[s, i] of neuron i by orientation s (degrees), weights after that many updates, and C."""
    n, sigma = 180, 1 / 6
    apart = np.abs((np.subtract.outer(np.arange(n), np.arange(n)) + 90) % 180 - 90)
    f = np.where(apart < 60, (1 + np.cos(3 * np.deg2rad(apart))) / 2, 0.0)
    r = f**2 / (f**2).sum(axis=1, keepdims=True)
    W = np.ones((n, n))
    R = r / (sigma**2 + r @ W.T / n)
    C = sum(np.outer(each, each) for each in R) / n
    shown, p = r[np.arange(0, 180, 18)], np.ones(10)  # 90° is the sixth of them
    p[5] = 5
    p /= p.sum()
    for i in range(1, steps + 1):
        R = shown / (sigma**2 + shown @ W.T / n)
        Q = sum(w * np.outer(each, each) for w, each in zip(p, R))
        W = np.maximum(W + (99 * np.exp(-i / 100) + 1) * (Q - C), 0.0)
    return r, W, C, p


@pytest.mark.slow
def test_adaptation_is_the_published_rule(study):
    r, W, C, p = published(50)
    each = study.after["short"]
    assert np.abs(each.weights - W).max() < 1e-9 * W.max()
    before, after = (r / (1 / 36 + r @ V.T / 180) for V in (np.ones((180, 180)), W))
    assert np.abs(study.before.curves - before).max() < 1e-13
    assert np.abs(each.curves - after).max() < 1e-10
    R = after[np.arange(0, 180, 18)]
    assert np.abs(each.mean - p @ R).max() < 1e-10
    assert np.abs(each.drive - ((R.T * p) @ R - C)).max() < 1e-10
    assert (each.weights == 0.0).sum() == (W == 0.0).sum() == 13124


def test_adaptation_reports_these_figures(study):
    old, each = study.before, study.after["short"]
    assert old.curves[90, 90] == pytest.approx(2 / 3, abs=1e-12)  # 4/180 over 1/36 + 1/180
    assert each.curves[90, 90] == pytest.approx(0.4294, abs=1e-4)
    for beside in (80, 100):
        assert each.centre[beside] == pytest.approx(4.204, abs=1e-3)
        assert each.peak[beside] == pytest.approx(7.216, abs=1e-3)
    assert each.ratio[90] == pytest.approx(0.6440, abs=1e-4)
    assert each.ratio[0] == pytest.approx(1.18, abs=0.01)
    spread = [x.max() / x.min() for x in (study.uniform, old.mean, each.mean)]
    assert spread == pytest.approx([1.0004, 2.6007, 1.5005], abs=1e-4)
    assert np.abs(old.drive).max() == pytest.approx(0.1038, abs=1e-4)
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
    assert float(lines[90]["curve at the adaptor, 50 updates"]) == study.after["short"].curves[90, 90]
