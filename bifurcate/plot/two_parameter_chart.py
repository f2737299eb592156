"""Charts in two parameters: curves of special points, and the points of codimension two on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import AbstractPathEffect, Normal, TickedStroke
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import KINDS, kinds_where
from bifurcate.continuation.branch import Branch
from bifurcate.curves.invariant_curve_equations import KIND as CURVES
from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput
from bifurcate.orbits.parameter_plane import ParameterPlane
from bifurcate.plot.arguments import (
    axes,
    checked,
    flag,
    flag_or,
    instance,
    instances,
    kind_names,
    names,
    optional,
    text,
)
from bifurcate.plot.drawing import (
    CHART_SIZE,
    CODIMENSION_TWO,
    NEUTRAL_SADDLES,
    axis_name,
    draw_legend,
    finish_axes,
    ink,
    new_axes,
    unbroken_runs,
)
from bifurcate.plot.period_map import parameter_plane
from bifurcate.plot.point_labels import add_point_labels
from bifurcate.plot.shaded_side import ShadedSide
from bifurcate.plot.stable_side import stability_borders
from bifurcate.plot.tongues import SHADE, shade_tongues

__all__ = ["chart"]

# How closed invariant curves of one rotation number are drawn in the plane of two parameters.
CLOSED_CURVES: dict[str, Any] = {"ls": "-", "lw": 1.0, "color": "0.35"}

LEGEND_COLUMNS = 2
LEGEND_LINE = 2.6  # length of a legend's lines, in font sizes: dash patterns need more than solid lines
MARGIN = 0.04  # between curves and axes, as a fraction of the axes

TONGUE_EDGE = 0.6  # width of the lines round a tongue, in points: many are thinner than any line
WIDTH_LOSS = 0.25  # lines of period k are thinner by the factor 1 + 0.25 log₂ k

SAME_POINT_DECIMALS = 5  # of both parameters: two curves meet at one point of codimension two, which is drawn once

# Ticks on the stable side of a curve: their spacing in points, their length in spacings, and their angle with the line.
TICK_SPACING, TICK_LENGTH, TICK_ANGLE = 6.0, 0.9, 60.0

Place = tuple[float, float, str]  # a point of codimension two: both parameters and its label


@old_positions("ax", "xlabel", "ylabel", "kinds", "legend")
@checked(
    branches=instances(Branch, "trace makes one"),
    x=text,
    y=text,
    ax=axes,
    xlabel=text,
    ylabel=text,
    kinds=kind_names,
    legend=flag_or("inside"),
    labels=names,
    point_labels=flag,
    stable_side=flag_or("ticks"),
    underneath=optional(instance(ParameterPlane, "parameter_plane makes one")),
)
def chart(
    branches: Branch | Iterable[Branch],
    x: str,
    y: str,
    *,
    ax: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "",
    kinds: Sequence[str] = kinds_where(codimension=2),
    legend: bool | Literal["inside"] = True,
    labels: Mapping[str, str] | None = None,
    point_labels: bool = True,
    stable_side: bool | Literal["ticks"] = False,
    underneath: ParameterPlane | None = None,
) -> Axes:
    """Draw curves of special points in the plane of two parameters, with their points of codimension two.

    Arnold tongues are shaded where both edges are among the branches.

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
    legend : bool or "inside"
        Explain the lines in a legend above the axes, or inside where there is room.
    labels : mapping of str to str, optional
        How axes name parameters, as ``{"alpha": "α"}``.
    point_labels : bool
        Write labels beside the points of codimension two.
    stable_side : bool or "ticks"
        Shade the side on which a cycle is stable, along curves at which its stability ends, or set ticks on it. The
        side is that into which the critical multiplier moves inwards, by the unfolding of a point of every part.
    underneath : ParameterPlane, optional
        Drawn under the curves: from :func:`bifurcate.parameter_plane`, its Lyapunov exponents if it has any, else its
        periods.

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
    if underneath is not None:
        parameter_plane(underneath, ax=ax)
    entries: dict[tuple[float, str], Line2D] = {}
    for branch in drawn:
        for (period, label), style in _draw_curve(ax, branch, x, y):
            if branch.curve.tongue is None:  # all tongues have one entry
                entries.setdefault((period, label), Line2D([], [], label=label, **style))
    handles = [entries[key] for key in sorted(entries)]
    if any(branch.curve.tongue for branch in drawn):
        shade_tongues(ax, drawn, x, y)
        tongue: dict[str, Any] = {"color": ink(KINDS["fold"].colour), "alpha": 2.0 * SHADE, "lw": 6.0}
        handles.append(Line2D([], [], label="Arnold tongues", **tongue))
    if stable_side:
        handles += _draw_stable_sides(ax, drawn, x, y, stable_side == "ticks")
    places = _places(drawn, x, y, kinds)
    for px, py, _ in places:
        ax.plot([px], [py], zorder=5, **CODIMENSION_TWO)
    if point_labels:
        add_point_labels(ax, places)
    finish_axes(ax, xlabel or axis_name(x, labels), ylabel or axis_name(y, labels))
    if underneath is None:
        ax.margins(MARGIN)
    draw_legend(ax, handles, legend, min(LEGEND_COLUMNS, len(handles)), LEGEND_LINE)
    return ax


def _draw_stable_sides(ax: Axes, branches: list[Branch], x: str, y: str, ticks: bool) -> list[Line2D]:
    """Shade the stable sides, or set ticks on them; returns the legend's entry."""

    def effect(side: int, colour: str) -> AbstractPathEffect:
        if not ticks:
            return ShadedSide(side, colour)
        return TickedStroke(spacing=TICK_SPACING, angle=side * TICK_ANGLE, length=TICK_LENGTH)

    found = False
    for branch in branches:
        if branch.curve.kind == CURVES:
            continue
        colour = ink(KINDS[branch.curve.kind].colour)
        for line, side in stability_borders(branch, x, y):
            found = True
            style: dict[str, Any] = {"color": colour, "lw": 0.7, "zorder": 2}
            ax.plot(line[:, 0], line[:, 1], path_effects=[effect(side, colour)], **style)
    words = "ticks: stable side" if ticks else "shaded: stable side"
    key = Line2D([], [], color="0.3", lw=0.7, label=words, path_effects=[effect(1, "0.3"), Normal()])
    return [key] if found else []


def _draw_curve(ax: Axes, branch: Branch, x: str, y: str) -> list[tuple[tuple[float, str], dict[str, Any]]]:
    """Draw a curve; returns the period (∞ for neutral saddles, listed last), label and style of each of its parts."""
    if branch.curve.kind == CURVES:
        name = "closed invariant curves"
        ax.plot(branch[x], branch[y], zorder=3, **CLOSED_CURVES)
        return [((branch.curve.period, name), CLOSED_CURVES)]
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
        width = TONGUE_EDGE if branch.curve.tongue else style["lw"] / (1.0 + WIDTH_LOSS * np.log2(period))
        style = {**style, "color": ink(kind.colour), "lw": width}
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
