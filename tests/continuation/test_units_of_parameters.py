"""Parameters in any unit: difference steps and claimed errors follow the width of the bounds."""

import numpy as np
import pytest

import bifurcate as bf


@pytest.mark.parametrize("unit", [1e-12, 1e-9, 1e-5, 1.0, 1e4, 1e9, 1e12])
def test_flips_are_located_in_any_unit(unit):
    # x = 3/2 − p/unit is fixed, and flips at x = 2.
    map = bf.Map(lambda x, p: x * np.exp(1.5 - p / unit - x), {"p": 0.0})
    branch = bf.trace(bf.cycles(map, "p", [1.5]), {"p": (-unit, 1.4 * unit)})
    (flip,) = branch.special
    assert flip.label == "PD" and abs(flip.parameters["p"] + 0.5 * unit) <= flip.error <= 1e-8 * unit
    assert [stop.reason for stop in branch.stop] == ["bound", "bound"]


@pytest.mark.parametrize("unit", [1e-12, 1e-9, 1e-3, 1e6])
def test_a_saturating_parameter_of_any_unit(unit):
    map = bf.Map(lambda x, g: (2.2 + g / (g + unit)) * x * (1 - x), {"g": 0.1 * unit})
    start = bf.solve(map, [0.56]).state
    (flip,) = bf.trace(bf.cycles(map, "g", start), {"g": (0.01 * unit, 10 * unit)}).special
    assert flip.label == "PD" and abs(flip.parameters["g"] - 4 * unit) <= flip.error <= 1e-8 * unit


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_folds_and_crossings_in_any_unit(unit):
    fold = bf.Map(lambda x, p: x + p / unit - x * x, {"p": 0.5 * unit})
    (point,) = bf.trace(bf.cycles(fold, "p", [np.sqrt(0.5)]), {"p": (-unit, 0.9 * unit)}).special
    assert point.label == "LP" and abs(point.parameters["p"]) <= point.error <= 1e-8 * unit
    crossing = bf.Map(lambda x, p: x + x * p / unit - x * x, {"p": -0.5 * unit})
    (point,) = bf.trace(bf.cycles(crossing, "p", [0.0]), {"p": (-unit, 0.9 * unit)}).special
    assert point.label == "BP" and abs(point.parameters["p"]) <= point.error <= 1e-8 * unit
