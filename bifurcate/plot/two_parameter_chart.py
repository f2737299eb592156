"""Charts in two parameters: curves of special points, and the points of codimension two on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import KINDS, kinds_where
from bifurcate.continuation.branch import Branch
from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput
from bifurcate.plot.style import (
    CHART_SIZE,
    CODIMENSION_TWO,
    NEUTRAL_SADDLES,
    finish_axes,
    legend_above,
    new_axes,
    unbroken_runs,
)

__all__ = ["chart"]

LEGEND_COLUMNS = 2
LEGEND_LINE = 2.6  # length of a legend's lines, in font sizes: dash patterns need more than solid lines
MARGIN = 0.04  # between curves and axes, as a fraction of the axes

WIDTH_LOSS = 0.25  # lines of period k are thinner by the factor 1 + 0.25 log₂ k

SAME_POINT_DECIMALS = 5  # of both parameters: two curves meet at one point of codimension two, which is drawn once

# Where labels are put, in points (1/72 inch): the first height over or under the point at which no other label is.
LABEL_HEIGHTS = (9.0, -9.0, 18.0, -18.0, 27.0, 36.0, 45.0, 54.0, 63.0, 72.0)
LETTER_HALF_WIDTH = 2.6  # of extra small type
LINE_HEIGHT = 8.0  # two labels closer than this overlap
ARROW_FROM = 10.0  # a label farther from its point than this is joined to it by a line
POINTS_PER_INCH = 72.0

Place = tuple[float, float, str]  # a point of codimension two: both parameters and its label


@old_positions("ax", "xlabel", "ylabel", "kinds", "legend")
def chart(
    branches: Branch | Iterable[Branch],
    x: str,
    y: str,
    *,
    ax: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "",
    kinds: Sequence[str] = kinds_where(codimension=2),
    legend: bool = True,
) -> Axes:
    """Draw curves of special points in the plane of two parameters, with their points of codimension two.

    Parameters
    ----------
    branches : Branch or iterable of Branch
        Those with both parameters free are drawn, others are passed over.
    x, y : str
        The parameters on the horizontal and on the vertical axis.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    xlabel, ylabel : str
        Labels; the parameters' names if empty.
    kinds : sequence of str
        The kinds of points of codimension two that are marked.
    legend : bool
        Explain the lines in a legend above the axes.

    Returns
    -------
    Axes
        ``ax.figure.savefig(...)`` writes it.

    Raises
    ------
    InvalidInput
        If none of the branches has both parameters free.

    Examples
    --------
    >>> import bifurcate as bf
    >>> fixed = bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (-1, 2)})
    >>> flips = bf.trace(bf.locus(fixed.first("flip"), free="b"), {"a": (-2, 5), "b": (-0.9, 0.9)})
    >>> bf.plot.chart(flips, "a", "b").get_ylabel()
    'b'
    """
    given = [branches] if isinstance(branches, Branch) else list(branches or ())
    drawn = [branch for branch in given if {x, y} <= set(branch.curve.free)]
    if not drawn:
        raise InvalidInput(f"none of the {len(given)} branches has both {x!r} and {y!r} free; locus makes such curves")
    ax = new_axes(CHART_SIZE) if ax is None else ax
    entries: dict[tuple[float, str], Line2D] = {}
    for branch in drawn:
        for (period, label), style in _draw_curve(ax, branch, x, y):
            entries.setdefault((period, label), Line2D([], [], label=label, **style))
    _draw_points(ax, _places(drawn, x, y, kinds))
    if legend:
        handles = [entries[key] for key in sorted(entries)]
        legend_above(ax, handles, min(LEGEND_COLUMNS, len(handles)), LEGEND_LINE)
    finish_axes(ax, xlabel or x, ylabel or y)
    ax.margins(MARGIN)
    return ax


def _draw_curve(ax: Axes, branch: Branch, x: str, y: str) -> list[tuple[tuple[float, str], dict[str, Any]]]:
    """Draw a curve; returns the period (∞ for neutral saddles, listed last), label and style of each of its parts."""
    period, kind = branch.curve.period, KINDS[branch.curve.kind]
    bifurcating = _is_bifurcating(branch)
    parts: list[tuple[tuple[float, str], dict[str, Any]]] = []
    for begin, end in unbroken_runs(bifurcating[:-1] & bifurcating[1:]):
        is_inside = bool(bifurcating[begin] and bifurcating[begin + 1])
        style = NEUTRAL_SADDLES
        key = (np.inf, "neutral saddles")
        if is_inside:
            style = {"ls": (0, kind.line) if kind.line else "-", "lw": kind.line_width}
            key = (period, f"{kind.title}, period {period}")
        style = {**style, "color": kind.colour, "lw": style["lw"] / (1.0 + WIDTH_LOSS * np.log2(period))}
        ax.plot(branch[x][begin:end], branch[y][begin:end], zorder=3 if is_inside else 2, **style)
        parts.append((key, style))
    return parts


def _is_bifurcating(branch: Branch) -> NDArray[np.bool_]:
    """True where the critical pair of a curve of Neimark–Sacker points is complex, and on every other curve."""
    if "cosine" not in branch.curve.extra:
        return np.ones(len(branch), bool)
    return np.abs(branch["cosine"]) <= 1.0


def _places(branches: list[Branch], x: str, y: str, kinds: Sequence[str]) -> list[Place]:
    """Every point of codimension two once, with its label and, beyond 1, its period."""
    met: dict[tuple[str, float, float], Place] = {}
    for branch in branches:
        for point in branch.special:
            if point.kind in kinds:
                px, py = point.parameters[x], point.parameters[y]
                label = point.label + (f" ({point.period})" if point.period > 1 else "")
                near = np.round((px, py), SAME_POINT_DECIMALS).tolist()
                met.setdefault((label, near[0], near[1]), (px, py, label))
    return sorted(met.values())


def _draw_points(ax: Axes, places: list[Place]) -> None:
    """Mark points, with labels at heights at which they do not overlap."""
    taken: list[tuple[float, float, float]] = []  # centres and half widths of labels, in points
    ax.autoscale_view()
    for px, py, label in places:
        ax.plot([px], [py], zorder=5, **CODIMENSION_TWO)
        u, v = ax.transData.transform((px, py)) * POINTS_PER_INCH / ax.figure.dpi
        half = LETTER_HALF_WIDTH * len(label)
        height = next(
            (
                d
                for d in LABEL_HEIGHTS
                if all(abs(u - a) > half + h or abs(v + d - b) > LINE_HEIGHT for a, b, h in taken)
            ),
            LABEL_HEIGHTS[-1],
        )
        taken.append((u, v + height, half))
        arrow = {"arrowstyle": "-", "lw": 0.4, "color": "0.5", "shrinkA": 0, "shrinkB": 2}
        ax.annotate(
            label,
            (px, py),
            xytext=(0, height),
            textcoords="offset points",
            fontsize="x-small",
            ha="center",
            va="center",
            zorder=6,
            arrowprops=arrow if abs(height) > ARROW_FROM else None,
            bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.5},
        )
