"""How things are drawn: line styles, colours and sizes of all figures, in points where they are lengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import font_scalings
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import KINDS

__all__ = ["axis_name", "draw_legend", "figure_of", "finish_axes", "ink", "is_grey", "new_axes", "unbroken_runs"]

# By period, the shortest first: colours that get lighter, so that they differ in grey; weights; and the distances of
# the dots that are set on lines, as fractions of the axes' diagonal (0: no dots).
PERIOD_COLOURS = ("#000000", "#1a5fa0", "#35a35c", "#e08a2a", "#8060b0", "#4aa5a0", "#d070a0", "#a09030")
PERIOD_WIDTHS = (1.9, 1.4, 1.1, 0.9, 0.8, 0.7)
PERIOD_DOTS = (0.0, 0.11, 0.055, 0.03, 0.02, 0.015)
DOT_SIZE = 1.5  # of these dots, in widths of their line, plus one point

STABLE: dict[str, Any] = {"ls": "-"}
UNSTABLE: dict[str, Any] = {"ls": (0, (3.2, 1.8))}
UNSTABLE_WIDTH = 0.7  # of the width of the stable line
# The continuation of a curve of Neimark–Sacker points where the pair is real, with the product 1.
NEUTRAL_SADDLES: dict[str, Any] = {"ls": (0, (1, 3)), "lw": 0.9}
STABILITY_KEY = "0.35"  # grey of the legend entries that explain solid and dashed lines
# Dots are smaller than lines are wide, so that they hide beneath stable branches and show where there are none.
SIMULATED: dict[str, Any] = {"ls": "", "marker": "o", "ms": 1.2, "mew": 0.0, "color": "0.4"}
SIMULATED_ALPHA = 0.7  # simulated dots are translucent, so that they show how often a state is visited
ESCAPED: dict[str, Any] = {"ls": "", "marker": 2, "ms": 7.0, "mew": 0.9, "color": "#b2182b"}  # a tick upwards
CODIMENSION_TWO: dict[str, Any] = {"ls": "", "marker": "o", "ms": 3.5, "color": "0.1"}

# The kinds that are marked, in the order of the legend. Shapes and fillings tell them apart, not colours alone.
MARKED = tuple(name for name, kind in KINDS.items() if kind.marker)
HOLLOW_MARKERS = "osD"  # filled with white, so that the line shows where it passes
LARGE_MARK, LARGE_EDGE = 5.0, 1.1  # where the branch is stable on a side of the point
SMALL_MARK, SMALL_EDGE = 2.4, 0.7  # where it is unstable on both
SMALLEST_LARGE_MARK = 3.2  # marks of long cycles shrink with their number, down to this
SHRINKING = 0.6  # points by which a mark shrinks for every doubling of the period
SMALL_KEY = "0.3"  # grey of the legend entry for small marks

DIAGRAM_SIZE = (6.4, 4.2)  # inches
CHART_SIZE = (6.4, 4.4)
HEAT_MAP_SIZE = (4.4, 3.8)
SQUARE_SIZE = (4.2, 4.0)

LETTER_WIDTH = 0.52  # of a legend's type, as a fraction of its size: an average over letters
COLUMN_SPACING, HANDLE_SPACE = 1.2, 0.8  # of a legend, in font sizes
POINTS_PER_INCH = 72.0
GREYS = "gray_r"  # the colour map of the style "grey", by which it is recognised


def is_grey() -> bool:
    """True while the style "grey" is in force."""
    return bool(matplotlib.rcParams["image.cmap"] == GREYS)


def ink(colour: str) -> str:
    """A colour, as the style that is in force draws it: its own grey in the style "grey"."""
    if not is_grey():
        return colour
    red, green, blue = to_rgb(colour)
    return str(round(0.299 * red + 0.587 * green + 0.114 * blue, 3))  # luma, as eyes weigh the three


def axis_name(name: str, labels: Mapping[str, str] | None) -> str:
    """How an axis names a parameter: by the user's label if there is one."""
    return (labels or {}).get(name, name)


def new_axes(size: tuple[float, float]) -> Axes:
    """Axes of a new figure of this size, in inches."""
    return Figure(figsize=size, layout="constrained").add_subplot()


def figure_of(ax: Axes) -> Figure:
    """The figure that holds a plot."""
    figure: Figure = ax.figure.canvas.figure  # of a subfigure, too
    return figure


def finish_axes(ax: Axes, xlabel: str, ylabel: str) -> None:
    """Label both axes, and draw only the left and the lower side of the frame."""
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    ax.spines[["top", "right"]].set_visible(False)


def draw_legend(
    ax: Axes, handles: Sequence[Line2D], place: bool | str, columns: int, line_length: float, title: str = ""
) -> None:
    """Explain lines and marks: without a frame above the axes, flush left and no wider than they are; or inside.

    Parameters
    ----------
    ax : Axes
    handles : sequence of Line2D
        The entries.
    place : bool or "inside"
        Where; False for no legend.
    columns : int
        At the most; fewer where the axes are narrow.
    line_length : float
        Of the entries' lines, in font sizes.
    title : str
    """
    if not place or not handles:
        return
    shared: Any = {"handles": handles, "frameon": False, "fontsize": "small", "handlelength": line_length}
    shared.update(title=title or None, title_fontsize="small", alignment="left")
    if place == "inside":
        ax.legend(loc="best", **shared)
        return
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=_columns_that_fit(ax, [str(handle.get_label()) for handle in handles], columns, line_length),
        borderaxespad=0.2,
        columnspacing=COLUMN_SPACING,
        **shared,
    )


def _columns_that_fit(ax: Axes, words: Sequence[str], most: int, line_length: float) -> int:
    """How many columns of a legend fit the width that the axes have before the layout; entries go down columns."""
    figure = figure_of(ax)
    size = font_scalings["small"] * float(matplotlib.rcParams["font.size"])
    room = ax.get_position().width * figure.get_size_inches()[0] * POINTS_PER_INCH / size  # in font sizes
    for columns in range(min(most, len(words)), 1, -1):
        rows = -(-len(words) // columns)
        widest = [max(len(word) for word in words[k : k + rows]) for k in range(0, len(words), rows)]
        total = sum(LETTER_WIDTH * w + line_length + HANDLE_SPACE for w in widest) + COLUMN_SPACING * (len(widest) - 1)
        if total <= room:
            return columns
    return 1


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
