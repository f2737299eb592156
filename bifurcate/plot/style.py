"""How things are drawn: line styles, colours and sizes of all figures, in points where they are lengths."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import KINDS

__all__ = ["figure_of", "finish_axes", "legend_above", "new_axes", "unbroken_runs"]

# By period, the shortest first.
PERIOD_COLOURS = ("#1a1a1a", "#14548a", "#1f7a45", "#a84610", "#5f3a96", "#01665e", "#c51b7d", "#7a5c00")

STABLE: dict[str, Any] = {"ls": "-", "lw": 1.2}
UNSTABLE: dict[str, Any] = {"ls": (0, (4, 2)), "lw": 0.8}
# The continuation of a curve of Neimark–Sacker points where the pair is real, with the product 1.
NEUTRAL_SADDLES: dict[str, Any] = {"ls": (0, (1, 3)), "lw": 0.9}
STABILITY_KEY = "0.1"  # grey of the two legend entries that explain solid and dashed lines
SIMULATED: dict[str, Any] = {"ls": "", "marker": "o", "ms": 2.4, "mew": 0.0, "color": "0.6"}
SIMULATED_ALPHA = 0.35  # simulated dots are translucent, so that they show how often a state is visited
ESCAPED: dict[str, Any] = {"ls": "", "marker": "|", "ms": 5.0, "mew": 0.6, "color": "#b2182b"}
CODIMENSION_TWO: dict[str, Any] = {"ls": "", "marker": "o", "ms": 3.5, "color": "0.1"}

# The kinds that are marked, in the order of the legend. Shapes and fillings tell them apart, not colours alone.
MARKED = tuple(name for name, kind in KINDS.items() if kind.marker)
HOLLOW_MARKERS = "osD"  # filled with white, so that the line shows where it passes
LARGE_MARK, LARGE_EDGE = 5.5, 1.2  # where the branch is stable on a side of the point
SMALL_MARK, SMALL_EDGE = 2.6, 0.8  # where it is unstable on both
SMALLEST_LARGE_MARK = 3.5  # marks of long cycles shrink with their number, down to this
SHRINKING = 0.5  # points by which a mark shrinks for every doubling of the period
SMALL_KEY = "0.3"  # grey of the legend entry for small marks

DIAGRAM_SIZE = (6.4, 4.2)  # inches
CHART_SIZE = (6.4, 4.4)
HEAT_MAP_SIZE = (4.4, 3.8)


def new_axes(size: tuple[float, float]) -> Axes:
    """Axes of a new figure of this size, in inches."""
    return Figure(figsize=size, layout="constrained").add_subplot()


def figure_of(ax: Axes) -> Figure:
    """The figure that holds a plot."""
    figure = ax.figure
    assert isinstance(figure, Figure)  # no plot of this package is drawn into a subfigure of its own
    return figure


def finish_axes(ax: Axes, xlabel: str, ylabel: str) -> None:
    """Label both axes, and draw only the left and the lower side of the frame."""
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.spines[["top", "right"]].set_visible(False)


def legend_above(ax: Axes, handles: Sequence[Line2D], columns: int, line_length: float) -> None:
    """Draw a legend without a frame above the axes, flush left; ``line_length`` in units of the font size."""
    ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize="small",
        borderaxespad=0.2,
        handlelength=line_length,
        columnspacing=1.2,
    )


def unbroken_runs(looks: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Ranges (first, last + 1) of a curve's points between which all lines look alike.

    Parameters
    ----------
    looks : ndarray of bool, shape (points − 1,)
        How the line between each two neighbouring points looks.

    Returns
    -------
    list of (int, int)
        Neighbouring ranges share a point, so that the curve is drawn unbroken.

    Examples
    --------
    >>> unbroken_runs(np.array([True, True, False]))
    [(0, 3), (2, 4)]
    """
    if not len(looks):
        return []
    changes = np.flatnonzero(np.diff(looks.astype(int))) + 1
    edges = [0, *changes.tolist(), len(looks)]
    return [(a, b + 1) for a, b in pairwise(edges)]
