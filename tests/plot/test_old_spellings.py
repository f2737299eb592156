"""Old spellings of what draws: each warns, and draws the same."""

import numpy as np
import pytest

import bifurcate as bf

BOX = {"r": (2.5, 3.2)}


def drawn(ax):
    return [(ax.get_xlabel(), ax.get_ylabel()), *(np.array(line.get_data()).tolist() for line in ax.lines)]


def test_options_of_diagram_by_position():
    branch = bf.trace(bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6]), BOX)
    with pytest.warns(DeprecationWarning, match="orbits=…, ax=…, ylabel=…, xlabel=…"):
        old = bf.plot.diagram(branch, "r", 0, None, None, "x", "growth")
    assert drawn(old) == drawn(bf.plot.diagram(branch, "r", observable=0, ylabel="x", xlabel="growth"))


def test_options_of_chart_by_position():
    fixed = bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (-1, 2)})
    flips = bf.trace(bf.locus(fixed.first("flip"), free="b"), {"a": (-2, 5), "b": (-0.5, 0.5)})
    with pytest.warns(DeprecationWarning, match="ax=…, xlabel=…"):
        old = bf.plot.chart(flips, "a", "b", None, "first")
    assert drawn(old) == drawn(bf.plot.chart(flips, "a", "b", xlabel="first"))


def test_options_of_heatmap_by_position():
    with pytest.warns(DeprecationWarning, match="coordinates=…"):
        old = bf.plot.heatmap(np.eye(2), [1.0, 2.0])
    assert old.images[0].get_extent() == bf.plot.heatmap(np.eye(2), coordinates=[1.0, 2.0]).images[0].get_extent()
