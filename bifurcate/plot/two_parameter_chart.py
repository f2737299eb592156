"""Charts in two parameters: curves of special points, and the points of codimension two on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bifurcate.bifurcations.kinds import KINDS, kinds_where
from bifurcate.continuation.branch import Branch
from bifurcate.errors import InvalidInput
from bifurcate.plot.bifurcation_diagram import runs

__all__ = ["chart"]

LEVELS = (9.0, -9.0, 18.0, -18.0, 27.0, 36.0, 45.0, 54.0, 63.0, 72.0)  # heights of labels over their points, in points
NEUTRAL: dict[str, Any] = {"ls": (0, (1, 3)), "lw": 0.9}


def chart(
    branches: Branch | Iterable[Branch],
    x: str,
    y: str,
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
        ax = Figure(figsize=(6.4, 4.4), layout="constrained").add_subplot()
    entries: dict[tuple, Line2D] = {}
    for branch in drawn:
        kind, period = branch.curve.kind, branch.curve.period
        row = KINDS[kind]
        style: dict[str, Any] = {"ls": (0, row.line) if row.line else "-", "lw": row.line_width}
        name = row.title
        bifurcating = np.abs(branch["cosine"]) <= 1.0 if "cosine" in branch.curve.extra else np.ones(len(branch), bool)
        for start, stop in runs(bifurcating[:-1] & bifurcating[1:]):
            inside = bool(bifurcating[start] and bifurcating[start + 1])
            look = style if inside else NEUTRAL
            look = {**look, "color": row.colour, "lw": look["lw"] / (1.0 + 0.25 * np.log2(period))}
            label = f"{name}, period {period}" if inside else "neutral saddles"
            ax.plot(branch[x][start:stop], branch[y][start:stop], zorder=3 if inside else 2, **look)
            entries.setdefault((period if inside else np.inf, label), Line2D([], [], label=label, **look))
    _codimension_two(ax, drawn, x, y, kinds)
    if legend:
        handles = [entries[key] for key in sorted(entries)]
        ax.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=min(2, len(handles)), frameon=False,
            fontsize="small", borderaxespad=0.2, handlelength=2.6, columnspacing=1.2,
        )  # fmt: skip
    ax.set_xlabel(xlabel or x)
    ax.set_ylabel(ylabel or y)
    ax.margins(0.04)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _codimension_two(ax: Axes, branches: list[Branch], x: str, y: str, kinds: Sequence[str]) -> None:
    """Every point of codimension two once, with its label and, beyond 1, its period."""
    met: dict[tuple, tuple[float, float, str]] = {}
    for branch in branches:
        for point in branch.special:
            at = point.parameters[x], point.parameters[y]
            if point.kind in kinds:
                label = point.label + (f" ({point.period})" if point.period > 1 else "")
                met.setdefault((label, *np.round(at, 5)), (*at, label))
    taken: list[tuple[float, float, float]] = []  # centres and half widths of labels, in points
    ax.autoscale_view()
    for px, py, label in sorted(met.values()):
        ax.plot([px], [py], ls="", marker="o", ms=3.5, color="0.1", zorder=5)
        u, v = ax.transData.transform((px, py)) * 72.0 / ax.figure.dpi
        half = 2.6 * len(label)
        rise = next(
            (d for d in LEVELS if all(abs(u - a) > half + h or abs(v + d - b) > 8.0 for a, b, h in taken)), LEVELS[-1]
        )
        taken.append((u, v + rise, half))
        arrow = {"arrowstyle": "-", "lw": 0.4, "color": "0.5", "shrinkA": 0, "shrinkB": 2} if abs(rise) > 10 else None
        ax.annotate(
            label, (px, py), xytext=(0, rise), textcoords="offset points", fontsize="x-small", ha="center",
            va="center", zorder=6, arrowprops=arrow, bbox={"fc": "white", "ec": "none", "alpha": 0.7, "pad": 0.5},
        )  # fmt: skip
