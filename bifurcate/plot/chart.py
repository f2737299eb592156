"""Charts in two parameters: curves of special points, and the points of codimension two on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bifurcate.branch import Branch
from bifurcate.errors import InvalidInput
from bifurcate.special import LABELS, SpecialPoint

__all__ = ["chart"]

# Dashes as well as colours tell the kinds apart: charts stay readable in grey.
LINES: dict[str, dict[str, Any]] = {
    "fold": {"color": "#a84610", "ls": "-"},
    "flip": {"color": "#14548a", "ls": (0, (6, 2))},
    "neimark-sacker": {"color": "#5f3a96", "ls": (0, (6, 1.5, 1, 1.5))},
    "branch point": {"color": "#1a1a1a", "ls": (0, (1, 1.2))},
}
NEUTRAL: dict[str, Any] = {"color": "0.6", "ls": (0, (1, 2.5))}
NAMES = {
    "fold": "folds",
    "flip": "flips",
    "neimark-sacker": "Neimark–Sacker points",
    "branch point": "branch points",
}
MARKERS = {
    "cusp": "^",
    "generalised flip": "D",
    "chenciner": "p",
    "R1": "$1$",
    "R2": "$2$",
    "R3": "$3$",
    "R4": "$4$",
    "fold-flip": "s",
    "fold-ns": "P",
    "flip-ns": "X",
    "ns-ns": "*",
    "fold-fold": "<",
    "flip-flip": ">",
    "pole": "v",
    "border": "|",
}


def chart(
    branches: Branch | Iterable[Branch],
    x: str,
    y: str,
    ax: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "",
    kinds: Sequence[str] = tuple(MARKERS),
    legend: bool = True,
) -> Axes:
    """Draw curves of special points in the plane of two parameters.

    Every kind has dashes and a colour of its own; curves of cycles of twice the smallest period are thinner, those of
    longer ones thinner still. On Neimark–Sacker curves what is a neutral saddle, and no bifurcation, is dotted grey.

    Parameters
    ----------
    branches : Branch or iterable of Branch
        Traced from :func:`~bifurcate.locus` or from the curves that start at points of codimension two.
    x, y : str
        The parameters on the axes.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    xlabel, ylabel : str
        Labels; the parameters' names if empty.
    kinds : sequence of str
        Points of codimension two to mark.
    legend : bool
        Explain lines and marks in a legend above the axes.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidInput
        If a branch does not vary both parameters.

    Examples
    --------
    >>> import bifurcate as bf
    >>> fixed = bf.trace(bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3]), {"a": (-1, 2)})
    >>> flips = bf.trace(bf.locus(fixed.first("flip"), free="b"), {"a": (-2, 5), "b": (-1.2, 0.9)})
    >>> bf.plot.chart(flips, "a", "b").get_ylabel()
    'b'
    """
    branches = [branches] if isinstance(branches, Branch) else list(branches)
    if not branches:
        raise InvalidInput("branches is empty; give at least one Branch")
    if ax is None:
        ax = Figure(figsize=(6.4, 4.6), layout="constrained").add_subplot()
    base = min(branch.curve.period for branch in branches)
    entries: dict[str, Line2D] = {}
    for branch in branches:
        _line(ax, branch, x, y, base, entries)
    for point in (point for branch in branches for point in branch.special if point.kind in kinds):
        _mark(ax, point, x, y, entries)
    if legend:
        handles = list(entries.values())
        ax.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=min(4, -(-len(handles) // 2)),
            frameon=False, fontsize="small", borderaxespad=0.2, handlelength=2.6, columnspacing=1.2,
        )  # fmt: skip
    ax.set_xlabel(xlabel or x)
    ax.set_ylabel(ylabel or y)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _line(ax: Axes, branch: Branch, x: str, y: str, base: int, entries: dict[str, Line2D]) -> None:
    curve = branch.curve
    for name in (x, y):
        if name not in curve.free:
            raise InvalidInput(
                f"{name!r} does not vary along this curve of {curve.kind}s; free: {', '.join(curve.free)}"
            )
    if curve.kind not in LINES:
        raise InvalidInput(
            f"a chart shows curves of special points, from locus(point, free); this is one of {curve.kind}s"
        )
    width = 1.6 / (1.0 + 0.5 * np.log2(curve.period / base))
    style = {**LINES[curve.kind], "lw": width}
    name = f"{NAMES[curve.kind]}, period {curve.period}"
    p, q = branch[x], branch[y]
    if curve.kind != "neimark-sacker":
        ax.plot(p, q, zorder=3, **style)
        entries.setdefault(name, Line2D([], [], label=name, **style))
        return
    neutral = np.abs(branch["cosine"]) > 1.0
    ax.plot(np.where(neutral, np.nan, p), q, zorder=3, **style)
    if not neutral.all():
        entries.setdefault(name, Line2D([], [], label=name, **style))
    if neutral.any():
        beside = neutral | np.roll(neutral, 1) | np.roll(neutral, -1)
        ax.plot(np.where(beside, p, np.nan), q, zorder=2, lw=1.0, **NEUTRAL)
        entries.setdefault("neutral", Line2D([], [], label="neutral saddles", lw=1.0, **NEUTRAL))


def _mark(ax: Axes, point: SpecialPoint, x: str, y: str, entries: dict[str, Line2D]) -> None:
    style: dict[str, Any] = {"ls": "", "marker": MARKERS[point.kind], "color": "#1a1a1a", "ms": 6.0, "mew": 1.0}
    if not MARKERS[point.kind].startswith("$"):
        style["markerfacecolor"] = "white"
    ax.plot([point.parameters[x]], [point.parameters[y]], zorder=5, **style)
    label = LABELS[point.kind] if LABELS[point.kind] == point.kind else f"{point.kind} ({LABELS[point.kind]})"
    entries.setdefault(point.kind, Line2D([], [], label=label, **style))
