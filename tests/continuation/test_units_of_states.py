"""States in units of their own: far from 0, with features far smaller than they are, with components of other sizes."""

import numpy as np
import pytest

import bifurcate as bf

FOLD = 2 / np.sqrt(27)


@pytest.mark.parametrize(("offset", "unit"), [(0.0, 1.0), (288.0, 0.05), (101325.0, 5.0), (-4e4, 0.3), (1e6, 1.0)])
def test_an_s_curve_far_from_zero_has_its_two_folds(offset, unit):
    # With y = (x − offset)/unit: y + 0.3 (p + y − y³); folds at p = ±2/√27.
    map = bf.Map(lambda x, p: x + 0.3 * unit * (p + (x - offset) / unit - ((x - offset) / unit) ** 3), {"p": -1.0})
    start = offset + unit * np.roots([1, 0, -1, 1]).real.min()
    branch = bf.trace(bf.cycles(map, "p", [start]), {"p": (-2.0, 2.0)})
    folds = branch.of("LP")
    assert [stop.reason for stop in branch.stop] == ["bound", "bound"] and not branch.doubts
    assert [point.label for point in branch.special] == ["LP", "LP"]
    for point, exact in zip(folds, (FOLD, -FOLD), strict=True):
        assert abs(point.parameters["p"] - exact) <= point.error <= 1e-7


@pytest.mark.parametrize(("period", "n"), [(6, 63), (8, 255)])
def test_windows_that_open_next_to_r_4(period, n):
    curve = bf.cycles(bf.maps.logistic(r=4.0), "r", [np.sin(np.pi / n) ** 2], period=period)
    branch = bf.trace(curve, {"r": (3.99, 4.0)})
    assert sorted(point.label for point in branch.special) == ["LP", "PD"]
    assert [stop.reason for stop in branch.stop] == ["bound", "bound"]
    fold, flip = branch.first("LP"), branch.first("PD")
    # Beside the fold two cycles of this period, with multipliers on both sides of 1; at the flip one of −1.
    for point, target in ((fold, 1.0), (flip, -1.0)):
        derivative = 1.0
        x = float(point.state[0])
        for _ in range(period):
            derivative *= point.parameters["r"] * (1 - 2 * x)
            x = point.parameters["r"] * x * (1 - x)
        assert abs(derivative - target) < 1e-5 and abs(x - float(point.state[0])) < 1e-9


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6])
def test_a_parabola_far_from_zero_has_one_fold_and_nothing_else(offset):
    map = bf.Map(lambda x, p: x + 0.5 * (p - (x - offset) ** 2), {"p": 0.5})
    (point,) = bf.trace(bf.cycles(map, "p", [offset + np.sqrt(0.5)]), {"p": (-1.0, 0.9)}).special
    assert point.label == "LP" and abs(point.parameters["p"]) <= point.error <= 1e-7


@pytest.mark.parametrize(("first", "second"), [(1.0, 1.0), (1.0, 1e-6), (1e3, 1e-3)])
def test_henon_with_components_in_units_of_their_own(first, second):
    def f(z, a):
        x, y = z[0] / first, z[1] / second
        return np.array([first * (1 - a * x * x + y), second * 0.3 * x])

    x = (-0.7 + np.sqrt(0.49 + 0.8)) / 0.4
    branch = bf.trace(bf.cycles(bf.Map(f, {"a": 0.2}), "a", [first * x, second * 0.3 * x]), {"a": (-0.5, 1.0)})
    assert abs(branch.first("LP").parameters["a"] + 0.1225) <= branch.first("LP").error <= 1e-9
    assert abs(branch.first("PD").parameters["a"] - 0.3675) <= branch.first("PD").error <= 1e-9


def test_a_population_of_a_milliard_beside_a_fraction():
    map = bf.Map(
        lambda z, p: np.array([z[0] + 0.1 * z[0] * (1 - z[0] / 1e9), z[1] + 0.3 * z[1] * (p * z[0] / 1e9 - 1 - z[1])]),
        {"p": 0.5},
    )
    (point,) = bf.trace(bf.cycles(map, "p", [1e9, 0.0]), {"p": (0.1, 2.0)}).special
    assert point.form == "transcritical" and abs(point.parameters["p"] - 1.0) <= point.error <= 1e-8


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4, 1e12])
def test_normal_forms_are_judged_in_units_of_the_state(scale):
    ricker = bf.Map(lambda x, r: x * np.exp(r * (1 - x / scale)), {"r": 1.5}, scale=scale)
    flip = bf.trace(bf.cycles(ricker, "r", [scale]), {"r": (1.0, 2.3)}).first("PD")
    # x e^{r (1 − x)} at r = 2: b = 2/3 in units of 1/K².
    assert flip.form == "supercritical"
    assert flip.coefficients["b"] * scale**2 == pytest.approx(2 / 3, rel=1e-4)
    crossing = bf.Map(lambda x, p: x + p * x - x * x / scale, {"p": -0.5}, scale=scale)
    assert bf.trace(bf.cycles(crossing, "p", [0.0]), {"p": (-1.0, 0.9)}).first("BP").form == "transcritical"
