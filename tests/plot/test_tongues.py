"""Charts shade the region between both edges of an Arnold tongue."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.path import Path

import bifurcate as bf

TURN = 2.0 * np.pi


def sine(x, Omega, K):
    return x + Omega - K / TURN * np.sin(TURN * x)


def slope(x, Omega, K):
    return np.array([[1.0 - K * np.cos(TURN * x[0])]])


def test_a_tongue_is_shaded_between_its_edges_and_named():
    circle = bf.Map(sine, {"Omega": 0.1, "K": 0.5}, jacobian=slope, periodic=1.0)
    edges = bf.tongue(circle, 0, 1, free=("Omega", "K")).edges
    drawn = [bf.trace(edge, {"Omega": (-1.0, 1.0), "K": (0.2, 1.5)}, detect=False) for edge in edges]
    ax = bf.plot.chart(drawn, "Omega", "K", ax=Figure().subplots())
    (patch,) = ax.patches
    region = Path(patch.get_xy())
    for K in (0.3, 0.9, 1.4):
        inside = region.contains_points([[0.95 * K / TURN, K], [-0.95 * K / TURN, K]])
        outside = region.contains_points([[1.05 * K / TURN, K], [-1.05 * K / TURN, K]])
        assert inside.all() and not outside.any()
    assert [text.get_text() for text in ax.texts] == ["0:1"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["Arnold tongues"]
    alone = bf.plot.chart(drawn[:1], "Omega", "K", ax=Figure().subplots())
    assert not alone.patches
