"""Bifurcation diagrams: branches of cycles against a parameter, with special points and simulated orbits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bifurcate.bifurcations.kinds import KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.orbits.orbit_diagram import OrbitDiagram
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
    legend_above,
    new_axes,
)

__all__ = ["StableAround", "diagram", "observe", "stable_around"]

Observable = Callable[..., float] | int

LEGEND_COLUMNS = 5  # at the most, so that entries stay legible at the width of a column
ROUNDED_POINTS = 12  # points of the parabola along which a doubled cycle leaves its flip


class StableAround(NamedTuple):
    """Whether a branch is stable just before and just after a special point; None where it ends there."""

    before: bool | None
    after: bool | None


def observe(branch: Branch, observable: Observable = 0) -> np.ndarray:
    """The observable at every state of every cycle on a branch.

    Parameters
    ----------
    branch : Branch
        Traced with all of every state stored.
    observable : callable or int
        ``observable(x, **parameters)`` → float, or the index of a component.

    Returns
    -------
    ndarray, shape (points, period)

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 2.9)})
    >>> bf.plot.observe(branch)[0].round(9)
    array([0.5])
    """
    free = branch.curve.free
    rows = [
        _along_cycle(branch, point.state, dict(zip(free, point.free)), branch.curve.period, observable)
        for point in branch.points
    ]
    return np.array(rows)


def _along_cycle(
    branch: Branch, state: np.ndarray, free: dict[str, float], period: int, observable: Observable
) -> list[float]:
    iterate = IteratedMap(branch.curve.iterate.map, branch.curve.iterate.shape, period)
    p = {**branch.curve.equations.fixed, **free}
    orbit = iterate.orbit(state.reshape(-1), p)
    return [_value(observable, x.reshape(iterate.shape), p) for x in orbit[:-1]]


def _value(observable: Observable, x: np.ndarray, p: dict[str, float]) -> float:
    return float(x.reshape(-1)[observable]) if isinstance(observable, int) else float(observable(x, **p))


def stable_around(branch: Branch, point: SpecialPoint) -> StableAround:
    """True if a branch is stable just before and just after a special point of its own; None where it ends there.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.2)})
    >>> bf.plot.stable_around(branch, branch.first("flip"))
    StableAround(before=True, after=False)
    """
    after = int(np.searchsorted(branch.arclength, point.arclength))
    stable = branch.stable.tolist()
    return StableAround(stable[after - 1] if after > 0 else None, stable[after] if after < len(stable) else None)


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
        The horizontal axis.
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

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.2)})
    >>> bf.plot.diagram(branch, "r").get_xlabel()
    'r'
    """
    if not (callable(observable) or isinstance(observable, int | np.integer)):
        raise InvalidInput(f"observable is {observable!r}; a function of (x, **parameters) or a component's number")
    branches = [branches] if isinstance(branches, Branch) else list(branches)
    if not branches:
        raise InvalidInput("branches is empty; give at least one Branch")
    if ax is None:
        ax = new_axes(DIAGRAM_SIZE)
    entries = _draw_lines(ax, branches, parameter, observable) + _draw_points(
        ax, branches, parameter, observable, kinds
    )
    if orbits is not None:
        entries += _draw_orbits(ax, orbits)
    if legend:
        legend_above(ax, entries, columns=min(LEGEND_COLUMNS, -(-len(entries) // 2)), handle_length=1.6)
    ax.set_xlabel(xlabel or parameter)
    ax.set_ylabel(ylabel or (f"component {observable}" if isinstance(observable, int) else ""))
    ax.margins(x=0.02)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _draw_orbits(ax: Axes, orbits: OrbitDiagram) -> list[Line2D]:
    """Simulated samples, wider than the lines above them so that they show beside these; legend entries."""
    values = np.repeat(orbits.values, orbits.samples.shape[1])
    ax.plot(values, orbits.samples.ravel(), alpha=SIMULATED_ALPHA, zorder=1, rasterized=True, **SIMULATED)
    entries = [Line2D([], [], label="simulated orbits", **SIMULATED)]
    left = orbits.values[[end != "steps" for end in orbits.ends]]
    if len(left):
        ax.plot(left, np.zeros(len(left)), transform=ax.get_xaxis_transform(), zorder=1, **ESCAPED)
        entries.append(Line2D([], [], label="orbit escaped", **ESCAPED))
    return entries


def _draw_lines(ax: Axes, branches: list[Branch], parameter: str, observable: Observable) -> list[Line2D]:
    """Every branch as lines; legend entries for the periods and for both kinds of stability."""
    periods = sorted({branch.curve.period for branch in branches})
    colours = {period: PERIOD_COLOURS[i % len(PERIOD_COLOURS)] for i, period in enumerate(periods)}
    for branch in branches:
        period = branch.curve.period
        p, values, parts = _with_special(branch, parameter, observable)
        for start, stop in unbroken_runs(parts):
            style = STABLE if parts[start] else UNSTABLE
            for column in values.T:
                ax.plot(p[start:stop], column[start:stop], color=colours[period], zorder=3, **style)
    entries = [Line2D([], [], color=colour, label=f"period {k}", **STABLE) for k, colour in sorted(colours.items())]
    if len(colours) == 1:
        entries = []
    for label, style in (("stable", STABLE), ("unstable", UNSTABLE)):
        entries.append(Line2D([], [], color=STABILITY_KEY, label=label, **style))
    return entries


def _with_special(branch: Branch, parameter: str, observable: Observable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameter and observable along a branch, and the stability of every part between two of these points.

    Beside the branch's own points they are those where stability changes, the cycle is born, or it collapses.
    """
    ends = [point for point in branch.special if len(set(stable_around(branch, point))) == 2]
    born = branch.curve.origin if len(branch.curve.sides) == 1 else None
    at = np.concatenate([branch.arclength, [point.arclength for point in ends], [-np.inf] * (born is not None)])
    order = np.argsort(at, kind="stable")
    ends = ends if born is None else [*ends, born]
    p = np.append(branch[parameter], [point.parameters[parameter] for point in ends])[order]
    values = np.vstack([observe(branch, observable), *(_cycle_at(branch, point, observable) for point in ends)])[order]
    regular = (np.arange(len(at)) < len(branch))[order]
    stable = np.append(branch.stable, [False] * len(ends))[order]
    # A part is as stable as the branch's own point at either end of it.
    parts = np.where(regular[:-1], stable[:-1], stable[1:])
    if born is not None:
        p, values, parts = _rounded(p, values, parts)
    if branch.special and branch.special[-1].period < branch.curve.period:
        p, values, parts = (part[::-1] for part in _rounded(p[::-1], values[::-1], parts[::-1]))
    return p, values, parts


def _rounded(p: np.ndarray, values: np.ndarray, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first part of a doubled branch with points along a parabola in between."""
    # A doubled cycle leaves its flip like a parabola, p − p₀ ∝ s² and x − x₀ ∝ s: a chord would draw it as a wedge.
    s = np.linspace(0.0, 1.0, ROUNDED_POINTS, endpoint=False)[:, None]
    return (
        np.append((p[0] + (p[1] - p[0]) * s**2).ravel(), p[1:]),
        np.vstack([values[0] + (values[1] - values[0]) * s, values[1:]]),
        np.append(np.repeat(parts[0], len(s) - 1), parts),
    )


def _cycle_at(branch: Branch, point: SpecialPoint, observable: Observable) -> list[float]:
    free = {name: point.parameters[name] for name in branch.curve.free}
    return _along_cycle(branch, point.state, free, branch.curve.period, observable)


def unbroken_runs(parts: np.ndarray) -> list[tuple[int, int]]:
    """Ranges of points between which all parts are equally stable; neighbours share a point, so lines are unbroken."""
    if not len(parts):
        return []
    changes = np.flatnonzero(np.diff(parts.astype(int))) + 1
    edges = [0, *changes.tolist(), len(parts)]
    return [(a, b + 1) for a, b in pairwise(edges)]


def _draw_points(
    ax: Axes, branches: list[Branch], parameter: str, observable: Observable, kinds: Sequence[str]
) -> list[Line2D]:
    """Every special point; legend entries for the kinds that occur."""
    shown: dict[str, set[bool]] = {}
    for branch in branches:
        for point in branch.special:
            if point.kind not in kinds:
                continue
            before, after = stable_around(branch, point)
            large = bool(before or after) or not KINDS[point.kind].is_bifurcation
            shown.setdefault(point.kind, set()).add(large)
            values = _cycle_at(branch, point, observable)
            p = [point.parameters[parameter]] * len(values)
            ax.plot(p, values, zorder=5 if large else 4, **_mark(point.kind, large, len(values)))
    entries = [Line2D([], [], label=KINDS[kind].title, **_mark(kind, True)) for kind in MARKED if kind in shown]
    if any(False in sizes for sizes in shown.values()):
        small = {**_mark("flip", False), "color": SMALL_KEY}
        entries.append(Line2D([], [], label="small: stays unstable", **small))
    return entries


def _mark(kind: str, large: bool, number: int = 1) -> dict[str, Any]:
    """The style of a mark: its kind, whether the branch is stable beside it, and how many of them a cycle has."""
    marker, colour = KINDS[kind].marker, KINDS[kind].colour
    face = {"markerfacecolor": "white"} if marker in HOLLOW_MARKERS else {}
    if large:
        size = {"ms": max(LARGE_MARK - SHRINKING * np.log2(number), SMALLEST_LARGE_MARK), "mew": LARGE_EDGE}
    else:
        size = {"ms": SMALL_MARK, "mew": SMALL_EDGE}
    return {"ls": "", "marker": marker, "color": colour, **size, **face}
