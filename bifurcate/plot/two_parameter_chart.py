"""Charts in two parameters: curves of special points, and the points of codimension two on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bifurcate.bifurcations.kinds import KINDS, kinds_where
from bifurcate.continuation.branch import Branch
from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput
from bifurcate.plot.bifurcation_diagram import unbroken_runs
from bifurcate.plot.style import CHART_SIZE, CODIMENSION_TWO, NEUTRAL_SADDLES, legend_above, new_axes

__all__ = ["chart"]

# Lengths in points.
LEVELS = (9.0, -9.0, 18.0, -18.0, 27.0, 36.0, 45.0, 54.0, 63.0, 72.0)  # heights of labels over their points, in turn
HALF_LETTER = 2.6  # half the width of a letter of a label
LABEL_HEIGHT = 8.0  # two labels whose heights differ by less may overlap
LONGEST_WITHOUT_ARROW = 10.0  # a label farther from its point is joined with it by a line
POINTS_PER_INCH = 72.0
SAME_PLACE = 5  # decimals to which two points of codimension two agree that are labelled once
THINNING = 0.25  # by which part lines of twice the period are thinner
LEGEND_COLUMNS = 2


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
        The horizontal and the vertical axis.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    xlabel, ylabel : str
        Labels; the parameters' names if empty.
    kinds : sequence of str
        Points of codimension two to show.
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
    branches = [branches] if isinstance(branches, Branch) else list(branches or ())
    drawn = [branch for branch in branches if {x, y} <= set(branch.curve.free)]
    if not drawn:
        raise InvalidInput(
            f"none of the {len(branches)} branches has both {x!r} and {y!r} free; locus makes such curves"
        )
    if ax is None:
        ax = new_axes(CHART_SIZE)
    entries: dict[tuple[float, str], Line2D] = {}
    for branch in drawn:
        kind, period = branch.curve.kind, branch.curve.period
        row = KINDS[kind]
        style: dict[str, Any] = {"ls": (0, row.line) if row.line else "-", "lw": row.line_width}
        name = row.title
        bifurcating = np.abs(branch["cosine"]) <= 1.0 if "cosine" in branch.curve.extra else np.ones(len(branch), bool)
        for start, stop in unbroken_runs(bifurcating[:-1] & bifurcating[1:]):
            inside = bool(bifurcating[start] and bifurcating[start + 1])
            look = style if inside else NEUTRAL_SADDLES
            look = {**look, "color": row.colour, "lw": look["lw"] / (1.0 + THINNING * np.log2(period))}
            label = f"{name}, period {period}" if inside else "neutral saddles"
            ax.plot(branch[x][start:stop], branch[y][start:stop], zorder=3 if inside else 2, **look)
            entries.setdefault((period if inside else np.inf, label), Line2D([], [], label=label, **look))
    _draw_codimension_two(ax, drawn, x, y, kinds)
    if legend:
        handles = [entries[key] for key in sorted(entries)]
        legend_above(ax, handles, columns=min(LEGEND_COLUMNS, len(handles)), handle_length=2.6)
    ax.set_xlabel(xlabel or x)
    ax.set_ylabel(ylabel or y)
    ax.margins(0.04)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _draw_codimension_two(ax: Axes, branches: list[Branch], x: str, y: str, kinds: Sequence[str]) -> None:
    """Draw every point of codimension two once, with its label and, beyond 1, its period."""
    met: dict[tuple[Any, ...], tuple[float, float, str]] = {}
    for branch in branches:
        for point in branch.special:
            at = point.parameters[x], point.parameters[y]
            if point.kind in kinds:
                label = point.label + (f" ({point.period})" if point.period > 1 else "")
                met.setdefault((label, *np.round(at, SAME_PLACE)), (*at, label))
    taken: list[tuple[float, float, float]] = []  # centres and half widths of labels, in points
    ax.autoscale_view()
    for px, py, label in sorted(met.values()):
        ax.plot([px], [py], zorder=5, **CODIMENSION_TWO)
        u, v = ax.transData.transform((px, py)) * POINTS_PER_INCH / ax.figure.dpi
        half = HALF_LETTER * len(label)
        free = (d for d in LEVELS if all(abs(u - a) > half + h or abs(v + d - b) > LABEL_HEIGHT for a, b, h in taken))
        rise = next(free, LEVELS[-1])
        taken.append((u, v + rise, half))
        arrow: dict[str, Any] | None = None
        if abs(rise) > LONGEST_WITHOUT_ARROW:
            arrow = {"arrowstyle": "-", "lw": 0.4, "color": "0.5", "shrinkA": 0, "shrinkB": 2}
        ax.annotate(
            label,
            (px, py),
            xytext=(0, rise),
            textcoords="offset points",
            fontsize="x-small",
            ha="center",
            va="center",
            zorder=6,
            arrowprops=arrow,
            bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.5},
        )
