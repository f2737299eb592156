"""Curves of special points that come near to each other: a step stays on the curve that it is on."""

import numpy as np
import pytest
from scipy.optimize import brentq

import bifurcate as bf


@pytest.mark.parametrize(
    ("rate", "ripple", "phase"), [(0.1, 1e-4, 0.7), (0.1, 1e-5, 0.7), (0.1, 1e-6, 0.3), (0.01, 1e-5, 0.7)]
)
def test_the_fold_curve_of_a_nearly_identical_map_stays_between_its_neighbours(
    rate: float, ripple: float, phase: float
) -> None:
    """x + rate (a + b cos x + ripple cos(2x + phase)) has folds at b = −2 ripple sin(2x + phase)/sin x.

    That has poles at every multiple of π, and one extremum, a cusp, between two of them.
    """

    def step(x, a, b):
        return x + rate * (a + b * np.cos(x) + ripple * np.cos(2.0 * x + phase))

    bounds = {"a": (-2.0, 2.0), "b": (-2.0, 2.0)}
    branch = bf.trace(bf.cycles(bf.Map(step, {"a": -0.2, "b": 1.0}), "a", [1.2]), {"a": bounds["a"]})
    fold = min(branch.special, key=lambda point: abs(float(point.state[0])))
    curve = bf.trace(bf.locus(fold, free=("a", "b")), bounds)

    x = np.array([point.state[0] for point in curve.points])
    assert np.floor(x / np.pi).min() == np.floor(x / np.pi).max()
    assert {curve.stop.first.reason, curve.stop.last.reason} == {"bound"}
    assert not curve.doubts
    left = np.pi * np.floor(x[0] / np.pi)

    def slope(x: float) -> float:
        return float(2.0 * np.cos(2.0 * x + phase) * np.sin(x) - np.sin(2.0 * x + phase) * np.cos(x))

    at = brentq(slope, left + 0.01, left + np.pi - 0.01)
    b = -2.0 * ripple * np.sin(2.0 * at + phase) / np.sin(at)
    a = -b * np.cos(at) - ripple * np.cos(2.0 * at + phase)
    (cusp,) = curve.special
    assert cusp.kind == "cusp"
    # f is differenced: with a noise of 1e-13 in f' and a rate of 0.01 parameters are known to 1e-11 at best.
    off = np.abs(np.subtract([cusp.parameters["a"], cusp.parameters["b"]], [a, b])).max()
    assert off <= cusp.error and off < 1e-10 + 1e-5 * max(abs(a), abs(b))
