"""Kinks that a map does not declare: said to be there, and never taken for a bifurcation."""

import numpy as np
import pytest

import bifurcate as bf


def skew(left, right):
    return lambda x, p: p + np.where(x < 0, left * x, right * x)


def normal_form(z, p, tl, dl, tr, dr):
    """The two-dimensional normal form of border collisions, with traces and determinants of the two sides."""
    t, d = (tl, dl) if z[0] <= 0 else (tr, dr)
    return np.array([t * z[0] + z[1] + p, -d * z[0]])


def lozi(z, p, a, b):
    return np.array([p - a * abs(z[0]) + z[1], b * z[0]])


def has_words(branch):
    said = [*branch.doubts, branch.stop.first.detail, branch.stop.last.detail]
    return any("derivative from the two sides differs by" in words and "Map(borders=" in words for words in said)


# Multipliers on the two sides of x = 0, and what kind the jump between them looks like: a flip, a fold, nothing.
PAIRS = [(0.5, -1.5), (0.5, 1.5), (0.5, 3.0), (0.5, -0.5), (-0.6, -1.9), (-0.6, 1.2)]


@pytest.mark.parametrize(("left", "right"), PAIRS)
@pytest.mark.parametrize(("unit", "width"), [(1.0, 1.0), (1e3, 10.0), (1e-4, 1e-2)])
def test_a_kink_in_one_dimension_is_no_flip_and_no_fold(left, right, unit, width):
    f = skew(left, right)
    map = bf.Map(lambda x, p: unit * f(x / unit, p / width), {"p": -0.5 * width}, scale=unit)
    branch = bf.trace(bf.cycles(map, "p", [-0.5 * unit / (1 - left)]), {"p": (-width, width)})
    assert has_words(branch)
    assert branch.special == ()


@pytest.mark.parametrize("sides", [(0.5, 0.3, -1.6, 0.4), (0.5, 0.3, 1.6, 0.4), (0.3, 0.4, -0.4, 0.5)])
def test_a_kink_in_two_dimensions_is_no_flip_and_no_fold(sides):
    tl, dl, tr, dr = sides
    map = bf.Map(normal_form, {"p": -0.5, "tl": tl, "dl": dl, "tr": tr, "dr": dr})
    start = np.array([-0.5, 0.5 * dl]) / (1 - tl + dl)
    branch = bf.trace(bf.cycles(map, "p", start), {"p": (-1.0, 1.0)})
    assert has_words(branch) and branch.special == ()


def test_the_tent_map_has_no_flip_where_its_fixed_point_reaches_the_top():
    tent = bf.Map(lambda x, r: r * np.minimum(x, 1 - x), {"r": 1.5})
    branch = bf.trace(bf.cycles(tent, "r", [0.6]), {"r": (0.5, 1.9)})
    assert branch.special == () and has_words(branch)
    assert branch["r"].min() == pytest.approx(1.0, abs=1e-3)


def test_a_real_flip_beside_a_kink_is_reported():
    # Lozi's fixed point has the multiplier −1 at a = 1 − b, far from its kink.
    branch = bf.trace(bf.cycles(bf.Map(lozi, {"p": 1.0, "a": 0.3, "b": 0.3}), "a", [1.0, 0.3]), {"a": (-0.2, 2.0)})
    (flip,) = branch.special
    assert flip.kind == "flip" and abs(flip.parameters["a"] - 0.7) <= flip.error
    assert not has_words(branch)


def test_a_relu_network_is_said_to_have_kinks():
    rng = np.random.default_rng(3)
    into, out, bias = rng.standard_normal((6, 3)), 0.5 * rng.standard_normal((3, 6)), rng.standard_normal(6)
    map = bf.Map(lambda x, g: 0.2 * g + g * out @ np.maximum(into @ x + bias, 0.0), {"g": 0.1})
    branch = bf.trace(bf.cycles(map, "g", np.zeros(3)), {"g": (0.0, 1.5)})
    assert has_words(branch)
    assert branch.special == ()


@pytest.mark.parametrize("gain", [3.0, 30.0, 300.0])
def test_a_steep_but_smooth_map_has_no_kink(gain):
    map = bf.Map(lambda x, p: p + 0.4 * np.tanh(gain * x) / gain + 0.2 * x, {"p": -0.5})
    branch = bf.trace(bf.cycles(map, "p", [-0.6]), {"p": (-1.0, 1.0)})
    assert not has_words(branch) and branch.doubts == ()
