"""Heat maps: what is drawn where."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import bifurcate as bf
from bifurcate.errors import InvalidInput


def test_colours_have_their_middle_at_zero_and_rows_rise():
    matrix = np.array([[0.0, 2.0], [-4.0, 0.0]])
    ax = bf.plot.heatmap(matrix, coordinates=[-10.0, 10.0], label="change")
    image = ax.images[0]
    assert image.get_clim() == (-4.0, 4.0)
    assert image.origin == "lower"
    assert image.get_extent() == [-20.0, 20.0, -20.0, 20.0]
    zero, high, low = (image.cmap(image.norm(value))[:3] for value in (0.0, 4.0, -4.0))
    assert min(zero) > 0.95
    assert high[0] > high[2] and low[2] > low[0]
    assert ax.figure.axes[-1].get_ylabel() == "change"


def test_contours_are_solid_above_zero_and_dashed_below():
    x = np.linspace(-1, 1, 21)
    ax = bf.plot.heatmap(np.add.outer(x, x), levels=3)
    contours = next(each for each in ax.collections if hasattr(each, "levels"))
    assert contours.levels == pytest.approx([-1.5, -1.0, -0.5, 0.5, 1.0, 1.5])
    solid = [style[1] is None for style in contours.get_linestyle()]
    assert solid == [False] * 3 + [True] * 3
    assert tuple(contours.get_edgecolor()[0][:3]) == pytest.approx(to_rgb("0.15"))
    assert not [each for each in bf.plot.heatmap(np.eye(3), levels=0).collections if hasattr(each, "levels")]


@pytest.mark.parametrize("matrix", [np.zeros(3), np.zeros((0, 2)), np.full((2, 2), np.nan)])
def test_refused(matrix):
    with pytest.raises(InvalidInput, match=r"matrix has (shape|entries)"):
        bf.plot.heatmap(matrix)
    with pytest.raises(InvalidInput, match="3 coordinates are given for a matrix of shape"):
        bf.plot.heatmap(np.eye(2), coordinates=[1.0, 2.0, 3.0])
