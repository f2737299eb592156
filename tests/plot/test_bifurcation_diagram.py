"""Bifurcation diagrams: where lines change, and what the legend says."""

import numpy as np

import bifurcate as bf


def logistic():
    bounds = {"r": (2.5, 3.5)}
    fixed = bf.trace(bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6]), bounds)
    return fixed, bf.trace(bf.switch(fixed.first("flip")), bounds)


def test_lines_change_style_exactly_at_special_points():
    fixed, doubled = logistic()
    ax = bf.plot.diagram([fixed, doubled], "r")
    edges = {float(end) for line in ax.lines for end in np.asarray(line.get_xdata())[[0, -1]]}
    flips = 3.0, 1 + np.sqrt(6)
    for flip in flips:
        assert min(abs(edge - flip) for edge in edges) < 1e-9
    assert bf.plot.stable_around(fixed, fixed.first("flip")) == (True, False)
    # next to its flip the doubled cycle is drawn as the parabola that it is, not as a chord
    r, x = max((np.array(line.get_data()) for line in ax.lines if abs(line.get_xdata()[0] - 3) < 1e-9
                and len(line.get_xdata()) > 2 and line.get_color() != ax.lines[0].get_color()),
               key=lambda data: data[1].max())  # fmt: skip
    exact = (1 + r + np.sqrt((r - 3) * (r + 1))) / (2 * r)
    assert np.abs(x - exact).max() < 3e-3


def test_escaped_orbits_are_shown_as_such():
    fixed, _ = logistic()
    values = np.array([3.9, 4.5])
    seen = bf.orbit_diagram(bf.maps.logistic(), "r", values, [0.3], lambda x, r: x[0], transient=300, samples=5)
    assert seen.ends == ("steps", "diverged")
    words = [text.get_text() for text in bf.plot.diagram(fixed, "r", orbits=seen).get_legend().get_texts()]
    assert {"stable", "unstable", "flip (PD)", "simulated orbits", "orbit escaped"} <= set(words)
    assert bf.plot.diagram(fixed, "r", legend=False).get_legend() is None
