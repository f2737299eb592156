"""Bifurcation diagrams: branches of cycles against a parameter, over simulated orbits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import KINDS
from bifurcate.continuation.branch import Branch
from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput
from bifurcate.orbits.observable import Observable, as_observable, observable_name
from bifurcate.orbits.orbit_diagram import OrbitDiagram
from bifurcate.plot.arguments import (
    axes,
    checked,
    colour_like,
    flag_or,
    instance,
    instances,
    kind_names,
    label_of_each,
    line_style,
    names,
    optional,
    text,
)
from bifurcate.plot.drawing import (
    DIAGRAM_SIZE,
    DOT_SIZE,
    ESCAPED,
    HOLLOW_MARKERS,
    LARGE_EDGE,
    LARGE_MARK,
    MARKED,
    PERIOD_COLOURS,
    PERIOD_DOTS,
    PERIOD_WIDTHS,
    SHRINKING,
    SIMULATED,
    SIMULATED_ALPHA,
    SMALL_EDGE,
    SMALL_KEY,
    SMALL_MARK,
    SMALLEST_LARGE_MARK,
    STABILITY_KEY,
    STABLE,
    UNSTABLE,
    UNSTABLE_WIDTH,
    axis_name,
    draw_legend,
    finish_axes,
    ink,
    new_axes,
    unbroken_runs,
)
from bifurcate.plot.observables import observe, observe_at, stable_around
from bifurcate.plot.point_labels import add_point_labels

__all__ = ["diagram", "draw_orbits"]

LEGEND_COLUMNS = 5  # at the most, so that entries stay legible at the width of a column
LEGEND_LINE = 2.2  # length of a legend's lines, in font sizes: a dot and both ends of the line
MARGIN = 0.02  # between curves and the left and right ends of the axes, as a fraction of their width
SAME_POINT = 1e-5  # of the axes: one point, located on two branches, differs by less; two points on a page by more
PARABOLA_POINTS = 12  # along which a doubled cycle leaves its flip: smooth at 300 dots an inch

Style = Mapping[str, Any]


class _DrawnCurve(NamedTuple):
    """A branch as it is drawn.

    Attributes
    ----------
    parameter : ndarray of float, shape (points,)
    values : ndarray of float, shape (points, period)
        The observable at every state of the cycle.
    stable : ndarray of bool, shape (points − 1,)
        Stability between each two neighbouring points.
    """

    parameter: NDArray[np.float64]
    values: NDArray[np.float64]
    stable: NDArray[np.bool_]


@old_positions("orbits", "ax", "ylabel", "xlabel", "kinds", "legend")
@checked(
    branches=instances(Branch, "trace makes one"),
    parameter=text,
    orbits=optional(instance(OrbitDiagram, "orbit_diagram makes one")),
    ax=axes,
    ylabel=text,
    xlabel=text,
    kinds=kind_names,
    legend=flag_or("inside"),
    labels=names,
    point_labels=flag_or("all"),
    color=optional(label_of_each(colour_like)),
    label=optional(label_of_each(text)),
    stable=line_style,
    unstable=line_style,
)
def diagram(
    branches: Branch | Iterable[Branch],
    parameter: str,
    observable: Observable = 0,
    *,
    orbits: OrbitDiagram | None = None,
    ax: Axes | None = None,
    ylabel: str = "",
    xlabel: str = "",
    kinds: Sequence[str] = MARKED,
    legend: bool | Literal["inside"] = True,
    labels: Mapping[str, str] | None = None,
    point_labels: bool | Literal["all"] = True,
    color: str | Sequence[str] | None = None,
    label: str | Sequence[str] | None = None,
    stable: Style | None = None,
    unstable: Style | None = None,
) -> Axes:
    """Draw a bifurcation diagram: stable parts solid, unstable parts dashed, special points marked by kind.

    Periods are told apart by colour, and in grey by weight and by the distance of the dots on their lines.

    Parameters
    ----------
    branches : Branch or iterable of Branch
        Every state of a cycle is drawn; every period has a colour of its own.
    parameter : str
        The parameter on the horizontal axis.
    observable : callable, int or "norm"
        The vertical axis: a function of the state and of all, some or none of the parameters, the index of a component,
        or the state's norm.
    orbits : OrbitDiagram, optional
        Long-run samples of the same observable, drawn faintly underneath; where an orbit escaped (left the domain
        or diverged), a tick on the lower edge says so.
    ax : Axes, optional
        Where to draw; a new figure if not given. Its scales may be logarithmic: ``ax.set_xscale("log")``.
    ylabel, xlabel : str
        Labels; the parameter's name, or its label, if ``xlabel`` is empty.
    kinds : sequence of str
        Special points to mark: small where the branch is unstable on both sides, large elsewhere.
    legend : bool or "inside"
        Explain lines and marks in a legend above the axes, or inside where there is room.
    labels : mapping of str to str, optional
        How axes name parameters, as ``{"alpha": "α"}``.
    point_labels : bool or "all"
        Write the literature's label (LP, PD, NS, BP, …) beside every large mark, or beside all of them.
    color : color or sequence of color, optional
        Of all branches, or of each of them, instead of a colour a period.
    label : str or sequence of str, optional
        Of all branches, or of each of them, in the legend, instead of their periods.
    stable, unstable : mapping, optional
        Matplotlib's line properties of stable and unstable parts, as ``{"lw": 2}``.

    Returns
    -------
    Axes
        ``ax.figure.savefig(...)`` writes it.

    Raises
    ------
    InvalidInput
        If there are no branches, or the observable is neither a function nor an index; if ``color`` or ``label`` are
        sequences of another length.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.2)})
    >>> bf.plot.diagram(branch, "r", labels={"r": "growth rate r"}).get_xlabel()
    'growth rate r'
    """
    drawn = [branches] if isinstance(branches, Branch) else list(branches)
    if not drawn:
        raise InvalidInput("branches is empty; give at least one Branch")
    as_observable(observable, drawn[0].curve.iterate.map.parameters)
    ax = new_axes(DIAGRAM_SIZE) if ax is None else ax
    looks = _looks(drawn, _one_each("color", color, drawn), _one_each("label", label, drawn))
    styles = {True: {**STABLE, **(stable or {})}, False: {**UNSTABLE, **(unstable or {})}}
    entries = _draw_curves(ax, drawn, parameter, observable, looks, styles)
    entries += _draw_special_points(ax, drawn, parameter, observable, kinds, point_labels)
    if orbits is not None:
        entries += draw_orbits(ax, orbits)
    finish_axes(ax, xlabel or axis_name(parameter, labels), ylabel or observable_name(observable))
    ax.margins(x=MARGIN)
    draw_legend(ax, entries, legend, min(LEGEND_COLUMNS, -(-len(entries) // 2)), LEGEND_LINE)
    return ax


def _one_each(name: str, given: str | Sequence[str] | None, branches: list[Branch]) -> list[str | None]:
    """One value for each branch, of one value for all of them or of a sequence."""
    if given is None or isinstance(given, str):
        return [given] * len(branches)
    if len(given) != len(branches):
        raise InvalidInput(f"{name} has {len(given)} entries for {len(branches)} branches; give one, or one for each")
    return list(given)


class _Look(NamedTuple):
    """How a branch is drawn: Matplotlib's properties, and its name in the legend."""

    line: dict[str, Any]
    name: str


def _looks(branches: list[Branch], colours: list[str | None], names: list[str | None]) -> list[_Look]:
    """The look of every branch: by its period, where the user has not said otherwise."""
    periods = sorted({branch.curve.period for branch in branches})
    looks = []
    for branch, colour, name in zip(branches, colours, names, strict=True):
        i = periods.index(branch.curve.period)
        width, gap = (table[min(i, len(table) - 1)] for table in (PERIOD_WIDTHS, PERIOD_DOTS))
        line: dict[str, Any] = {"color": colour or ink(PERIOD_COLOURS[i % len(PERIOD_COLOURS)]), "lw": width}
        if gap:
            line |= {"marker": "o", "ms": DOT_SIZE * width + 1.0, "mew": 0.0, "markevery": gap}
        looks.append(_Look(line, name or f"period {branch.curve.period}"))
    return looks


def draw_orbits(ax: Axes, orbits: OrbitDiagram) -> list[Line2D]:
    """Draw simulated samples, and ticks where orbits escaped; returns legend entries."""
    samples = orbits.samples.shape[1]
    values = np.repeat(orbits.values, samples)
    ax.plot(values, orbits.samples.ravel(), alpha=SIMULATED_ALPHA, zorder=1, rasterized=True, **SIMULATED)
    entries = [Line2D([], [], label="simulated orbits", **{**SIMULATED, "ms": 3.0})]
    escaped = orbits.values[[end != "steps" for end in orbits.ends]]
    if len(escaped):
        style = {**ESCAPED, "color": ink(ESCAPED["color"])}
        ax.plot(escaped, np.zeros(len(escaped)), transform=ax.get_xaxis_transform(), zorder=4, clip_on=False, **style)
        entries.append(Line2D([], [], label="orbit escaped", **{**style, "marker": "|"}))
    return entries


def _draw_curves(
    ax: Axes,
    branches: list[Branch],
    parameter: str,
    observable: Observable,
    looks: list[_Look],
    styles: dict[bool, dict[str, Any]],
) -> list[Line2D]:
    """Draw every branch as lines; returns legend entries for the looks and for both kinds of stability."""
    seen: set[bool] = set()
    for branch, look in zip(branches, looks, strict=True):
        curve = _drawn_curve(branch, parameter, observable)
        for begin, end in unbroken_runs(curve.stable):
            is_stable = bool(curve.stable[begin])
            seen.add(is_stable)
            style = _with_stability(look.line, is_stable, styles)
            for column in curve.values.T:
                ax.plot(curve.parameter[begin:end], column[begin:end], zorder=3, **style)
    named = {look.name: look for look in looks}
    entries = [Line2D([], [], label=name, **_key(look.line, styles)) for name, look in named.items()]
    # Solid lines of several periods are in the legend already: another one would be the same line twice.
    explained = [True, False] if len(named) == 1 else [False]
    if len(named) == 1 and next(iter(named)).startswith("period "):
        entries = []
    for is_stable in explained:
        if is_stable in seen:
            style = {"color": STABILITY_KEY, "lw": PERIOD_WIDTHS[0]}
            style = _with_stability(style, is_stable, styles)
            entries.append(Line2D([], [], label="stable" if is_stable else "unstable", **style))
    return entries


def _with_stability(line: dict[str, Any], is_stable: bool, styles: dict[bool, dict[str, Any]]) -> dict[str, Any]:
    width = line["lw"] * (1.0 if is_stable else UNSTABLE_WIDTH)
    dots = {"ms": line["ms"] * UNSTABLE_WIDTH} if "ms" in line and not is_stable else {}
    return {**line, "lw": width, **dots, **styles[is_stable]}


def _key(line: dict[str, Any], styles: dict[bool, dict[str, Any]]) -> dict[str, Any]:
    """The properties of a legend entry: one dot on it, where the line has dots."""
    return {**line, **styles[True], **({"markevery": None} if "markevery" in line else {})}


def _drawn_curve(branch: Branch, parameter: str, observable: Observable) -> _DrawnCurve:
    """The branch's own points, with those where stability changes, the cycle is born, or it collapses put between."""
    inserted = [point for point in branch.special if stable_around(branch, point).changes]
    born = branch.curve.origin if len(branch.curve.sides) == 1 else None
    arclength = np.concatenate(
        [branch.arclength, [point.arclength for point in inserted], [-np.inf] * (born is not None)]
    )
    order = np.argsort(arclength, kind="stable")
    inserted = inserted if born is None else [*inserted, born]
    p = np.append(branch[parameter], [point.parameters[parameter] for point in inserted])
    values = np.vstack([observe(branch, observable), *(observe_at(branch, point, observable) for point in inserted)])
    is_own = (np.arange(len(arclength)) < len(branch))[order]
    stable = np.append(branch.stable, [False] * len(inserted))[order]
    # A line is as stable as the branch's own point at either end of it.
    curve = _DrawnCurve(p[order], values[order], np.where(is_own[:-1], stable[:-1], stable[1:]))
    if born is not None:
        curve = _round_start(curve)
    if branch.special and branch.special[-1].period < branch.curve.period:
        curve = _reversed(_round_start(_reversed(curve)))
    return curve


def _reversed(curve: _DrawnCurve) -> _DrawnCurve:
    return _DrawnCurve(curve.parameter[::-1], curve.values[::-1], curve.stable[::-1])


def _round_start(curve: _DrawnCurve) -> _DrawnCurve:
    # A doubled cycle leaves its flip like a parabola, p − p₀ ∝ s² and x − x₀ ∝ s: a chord would draw it as a wedge.
    p, values, stable = curve
    s = np.linspace(0.0, 1.0, PARABOLA_POINTS, endpoint=False)[:, None]
    return _DrawnCurve(
        np.append((p[0] + (p[1] - p[0]) * s**2).ravel(), p[1:]),
        np.vstack([values[0] + (values[1] - values[0]) * s, values[1:]]),
        np.append(np.repeat(stable[0], len(s) - 1), stable),
    )


def _draw_special_points(
    ax: Axes,
    branches: list[Branch],
    parameter: str,
    observable: Observable,
    kinds: Sequence[str],
    point_labels: bool | str,
) -> list[Line2D]:
    """Mark every special point, with its label; returns legend entries for the kinds that occur."""
    sizes: dict[str, set[bool]] = {}  # by kind: is a mark large?
    places: list[tuple[float, float, str]] = []
    for branch in branches:
        for point in branch.special:
            if point.kind not in kinds:
                continue
            is_large = any(stable_around(branch, point)) or not KINDS[point.kind].is_bifurcation
            sizes.setdefault(point.kind, set()).add(is_large)
            values = observe_at(branch, point, observable)
            p = point.parameters[parameter]
            ax.plot([p] * len(values), values, zorder=5 if is_large else 4, **_mark(point.kind, is_large, len(values)))
            if point_labels == "all" or (point_labels and is_large):
                places.append((p, max(values), point.label))
    add_point_labels(ax, _each_once(places, ax))
    entries = [Line2D([], [], label=KINDS[kind].title, **_mark(kind, True)) for kind in MARKED if kind in sizes]
    if any(False in each for each in sizes.values()):
        small = {**_mark("flip", False), "color": SMALL_KEY}
        entries.append(Line2D([], [], label="small: stays unstable", **small))
    return entries


def _each_once(places: list[tuple[float, float, str]], ax: Axes) -> list[tuple[float, float, str]]:
    """Points without those that are met again: on the branch that starts there, or where two branches cross."""
    width, height = ax.dataLim.width or 1.0, ax.dataLim.height or 1.0
    kept: list[tuple[float, float, str]] = []
    for p, value, label in places:
        near = (
            abs(p - q) < SAME_POINT * width and abs(value - w) < SAME_POINT * height
            for q, w, name in kept
            if name == label
        )
        if not any(near):
            kept.append((p, value, label))
    return kept


def _mark(kind: str, is_large: bool, period: int = 1) -> dict[str, Any]:
    marker, colour = KINDS[kind].marker, ink(KINDS[kind].colour)
    face = {"markerfacecolor": "white"} if marker in HOLLOW_MARKERS else {}
    size: dict[str, float] = {"ms": SMALL_MARK, "mew": SMALL_EDGE}
    if is_large:
        size = {"ms": max(LARGE_MARK - SHRINKING * np.log2(period), SMALLEST_LARGE_MARK), "mew": LARGE_EDGE}
    return {"ls": "", "marker": marker, "color": colour, **size, **face}
