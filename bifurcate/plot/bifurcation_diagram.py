"""Bifurcation diagrams: branches of cycles against a parameter, over simulated orbits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import KINDS
from bifurcate.continuation.branch import Branch
from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput
from bifurcate.orbits.orbit_diagram import OrbitDiagram
from bifurcate.plot.observables import Observable, check_observable, observe, observe_at, stable_around
from bifurcate.plot.style import (
    DIAGRAM_SIZE,
    ESCAPED,
    HOLLOW_MARKERS,
    LARGE_EDGE,
    LARGE_MARK,
    MARKED,
    PERIOD_COLOURS,
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
    finish_axes,
    legend_above,
    new_axes,
    unbroken_runs,
)

__all__ = ["diagram"]

LEGEND_COLUMNS = 5  # at the most, so that entries stay legible at the width of a column
LEGEND_LINE = 1.6  # length of a legend's lines, in font sizes
MARGIN = 0.02  # between curves and the left and right ends of the axes, as a fraction of their width
PARABOLA_POINTS = 12  # along which a doubled cycle leaves its flip: smooth at 300 dots an inch


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
    legend: bool = True,
) -> Axes:
    """Draw a bifurcation diagram: stable parts solid, unstable parts dashed, special points marked by kind.

    Parameters
    ----------
    branches : Branch or iterable of Branch
        Every state of a cycle is drawn; every period has a colour of its own.
    parameter : str
        The parameter on the horizontal axis.
    observable : callable or int
        The vertical axis: ``observable(x, **parameters)`` → float, or the index of a component.
    orbits : OrbitDiagram, optional
        Long-run samples of the same observable, drawn faintly underneath; where an orbit escaped (left the domain
        or diverged), a tick on the lower edge says so.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    ylabel, xlabel : str
        Labels; the parameter's name if ``xlabel`` is empty.
    kinds : sequence of str
        Special points to mark: small where the branch is unstable on both sides, large elsewhere.
    legend : bool
        Explain lines and marks in a legend above the axes.

    Returns
    -------
    Axes
        ``ax.figure.savefig(...)`` writes it.

    Raises
    ------
    InvalidInput
        If there are no branches, or the observable is neither a function nor an index.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.2)})
    >>> bf.plot.diagram(branch, "r").get_xlabel()
    'r'
    """
    check_observable(observable)
    drawn = [branches] if isinstance(branches, Branch) else list(branches)
    if not drawn:
        raise InvalidInput("branches is empty; give at least one Branch")
    ax = new_axes(DIAGRAM_SIZE) if ax is None else ax
    entries = _draw_curves(ax, drawn, parameter, observable)
    entries += _draw_special_points(ax, drawn, parameter, observable, kinds)
    if orbits is not None:
        entries += _draw_orbits(ax, orbits)
    if legend:
        legend_above(ax, entries, min(LEGEND_COLUMNS, -(-len(entries) // 2)), LEGEND_LINE)
    finish_axes(ax, xlabel or parameter, ylabel or ("" if callable(observable) else f"component {observable}"))
    ax.margins(x=MARGIN)
    return ax


def _draw_orbits(ax: Axes, orbits: OrbitDiagram) -> list[Line2D]:
    samples = orbits.samples.shape[1]
    values = np.repeat(orbits.values, samples)
    # Dots are wider than the lines above them, so that they can be seen beside these.
    ax.plot(values, orbits.samples.ravel(), alpha=SIMULATED_ALPHA, zorder=1, rasterized=True, **SIMULATED)
    entries = [Line2D([], [], label="simulated orbits", **SIMULATED)]
    escaped = orbits.values[[end != "steps" for end in orbits.ends]]
    if len(escaped):
        ax.plot(escaped, np.zeros(len(escaped)), transform=ax.get_xaxis_transform(), zorder=1, **ESCAPED)
        entries.append(Line2D([], [], label="orbit escaped", **ESCAPED))
    return entries


def _draw_curves(ax: Axes, branches: list[Branch], parameter: str, observable: Observable) -> list[Line2D]:
    """Draw every branch as lines; returns legend entries for the periods and for both kinds of stability."""
    periods = sorted({branch.curve.period for branch in branches})
    colours = {period: PERIOD_COLOURS[i % len(PERIOD_COLOURS)] for i, period in enumerate(periods)}
    for branch in branches:
        curve = _drawn_curve(branch, parameter, observable)
        for begin, end in unbroken_runs(curve.stable):
            style = STABLE if curve.stable[begin] else UNSTABLE
            for column in curve.values.T:
                ax.plot(
                    curve.parameter[begin:end],
                    column[begin:end],
                    color=colours[branch.curve.period],
                    zorder=3,
                    **style,
                )
    entries = [Line2D([], [], color=colour, label=f"period {k}", **STABLE) for k, colour in sorted(colours.items())]
    if len(colours) == 1:
        entries = []
    for label, style in (("stable", STABLE), ("unstable", UNSTABLE)):
        entries.append(Line2D([], [], color=STABILITY_KEY, label=label, **style))
    return entries


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
    ax: Axes, branches: list[Branch], parameter: str, observable: Observable, kinds: Sequence[str]
) -> list[Line2D]:
    """Mark every special point; returns legend entries for the kinds that occur."""
    sizes: dict[str, set[bool]] = {}  # by kind: is a mark large?
    for branch in branches:
        for point in branch.special:
            if point.kind not in kinds:
                continue
            is_large = any(stable_around(branch, point)) or not KINDS[point.kind].is_bifurcation
            sizes.setdefault(point.kind, set()).add(is_large)
            values = observe_at(branch, point, observable)
            p = [point.parameters[parameter]] * len(values)
            ax.plot(p, values, zorder=5 if is_large else 4, **_mark(point.kind, is_large, len(values)))
    entries = [Line2D([], [], label=KINDS[kind].title, **_mark(kind, True)) for kind in MARKED if kind in sizes]
    if any(False in each for each in sizes.values()):
        small = {**_mark("flip", False), "color": SMALL_KEY}
        entries.append(Line2D([], [], label="small: stays unstable", **small))
    return entries


def _mark(kind: str, is_large: bool, period: int = 1) -> dict[str, Any]:
    marker, colour = KINDS[kind].marker, KINDS[kind].colour
    face = {"markerfacecolor": "white"} if marker in HOLLOW_MARKERS else {}
    size: dict[str, float] = {"ms": SMALL_MARK, "mew": SMALL_EDGE}
    if is_large:
        size = {"ms": max(LARGE_MARK - SHRINKING * np.log2(period), SMALLEST_LARGE_MARK), "mew": LARGE_EDGE}
    return {"ls": "", "marker": marker, "color": colour, **size, **face}
