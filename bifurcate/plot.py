"""Figures: bifurcation diagrams. The only room that knows matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bifurcate.branch import Branch
from bifurcate.errors import InvalidInput
from bifurcate.maps import Iterate
from bifurcate.orbits import OrbitDiagram
from bifurcate.special import SpecialPoint

__all__ = ["diagram", "observe"]

Observable = Callable[..., float] | int

# Shapes and fillings, not colours alone, tell kinds apart: figures stay readable in grey.
MARKERS = {
    "fold": ("s", "#d95f02", "fold (LP)"),
    "flip": ("o", "#1b6ca8", "flip (PD)"),
    "neimark-sacker": ("D", "#7570b3", "Neimark–Sacker (NS)"),
    "branch point": ("X", "#1a1a1a", "branch point (BP)"),
    "pole": ("v", "#b2182b", "pole"),
    "border": ("|", "#4d4d4d", "border"),
}
COLOURS = ("#1a1a1a", "#1b6ca8", "#2a9d5c", "#c2571a", "#7a4fb5")  # by number of doublings


def observe(branch: Branch, observable: Observable = 0) -> np.ndarray:
    """The observable at every state of every cycle on a branch.

    Parameters
    ----------
    branch : Branch
        With its states kept whole.
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
    iterate = Iterate(branch.curve.iterate.map, branch.curve.iterate.shape, period)
    p = {**branch.curve.equations.fixed, **free}
    orbit = iterate.orbit(state.reshape(-1), p)
    return [_value(observable, x.reshape(iterate.shape), p) for x in orbit[:-1]]


def _value(observable: Observable, x: np.ndarray, p: dict[str, float]) -> float:
    return float(x.reshape(-1)[observable]) if isinstance(observable, int) else float(observable(x, **p))


def diagram(
    branches: Branch | Iterable[Branch],
    parameter: str,
    observable: Observable = 0,
    orbits: OrbitDiagram | None = None,
    ax: Axes | None = None,
    ylabel: str = "",
    xlabel: str = "",
    kinds: Sequence[str] = tuple(MARKERS),
) -> Axes:
    """Draw a bifurcation diagram: stable parts solid, unstable parts dashed, special points marked by kind.

    Parameters
    ----------
    branches : Branch or iterable of Branch
        Every state of a cycle is drawn; doublings have colours of their own.
    parameter : str
        The horizontal axis.
    observable : callable or int
        The vertical axis: ``observable(x, **parameters)`` → float, or the index of a component.
    orbits : OrbitDiagram, optional
        Long-run samples of the same observable, drawn faintly underneath.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    ylabel, xlabel : str
        Labels; the parameter's name if ``xlabel`` is empty.
    kinds : sequence of str
        Special points to mark.

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
    branches = [branches] if isinstance(branches, Branch) else list(branches)
    if not branches:
        raise InvalidInput("branches is empty; give at least one Branch")
    if ax is None:
        ax = Figure(figsize=(6.4, 4.2), layout="constrained").add_subplot()
    if orbits is not None:
        m, keep = orbits.samples.shape
        ax.plot(
            np.repeat(orbits.values, keep), orbits.samples.ravel(), ",", color="0.72", rasterized=True, zorder=1
        )  # fmt: skip
    base = min(branch.curve.period for branch in branches)
    for branch in branches:
        _lines(ax, branch, parameter, observable, COLOURS[_doublings(branch.curve.period, base) % len(COLOURS)])
    shown = _points(ax, branches, parameter, observable, kinds)
    _legend(ax, shown, orbits is not None)
    ax.set_xlabel(xlabel or parameter)
    ax.set_ylabel(ylabel or (f"component {observable}" if isinstance(observable, int) else ""))
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def _doublings(period: int, base: int) -> int:
    return int(round(np.log2(period / base)))


def _lines(ax: Axes, branch: Branch, parameter: str, observable: Observable, colour: str) -> None:
    p, values = branch[parameter], observe(branch, observable)
    origin = branch.curve.origin
    stable = branch.stable
    if origin is not None and len(branch.curve.sides) == 1:  # the doubled cycle starts at its flip
        first = _along_cycle(branch, origin.state, _free(branch, origin), branch.curve.period, observable)
        p, values = np.append(origin.parameters[parameter], p), np.vstack([_nearest(first, values[0]), values])
        stable = np.append(stable[0], stable)
    for start, stop in _runs(stable):
        style = {"ls": "-", "lw": 1.6} if stable[start] else {"ls": (0, (4, 2)), "lw": 1.0}
        for column in values.T:
            ax.plot(p[start:stop], column[start:stop], color=colour, zorder=3, **style)


def _nearest(first: list[float], after: np.ndarray) -> np.ndarray:
    # At the flip the doubled cycle's states coincide in pairs; order them as the next point's are.
    order = np.empty(len(first))
    order[np.argsort(after)] = np.sort(first)
    return order


def _free(branch: Branch, point: SpecialPoint) -> dict[str, float]:
    return {name: point.parameters[name] for name in branch.curve.free}


def _runs(stable: np.ndarray) -> list[tuple[int, int]]:
    """Index ranges of equal stability, each one overlapping the next by a point so that the line is unbroken."""
    changes = np.flatnonzero(np.diff(stable.astype(int))) + 1
    edges = [0, *changes.tolist(), len(stable)]
    return [(a, min(b + 1, len(stable))) for a, b in zip(edges[:-1], edges[1:])]


def _points(
    ax: Axes, branches: list[Branch], parameter: str, observable: Observable, kinds: Sequence[str]
) -> list[str]:
    shown: list[str] = []
    for branch in branches:
        for point in branch.special:
            if point.kind not in kinds:
                continue
            values = _along_cycle(branch, point.state, _free(branch, point), point.period, observable)
            marker, colour, _ = MARKERS[point.kind]
            face = {"markerfacecolor": "white"} if marker in "osD" else {}
            p = [point.parameters[parameter]] * len(values)
            ax.plot(p, values, marker, color=colour, ms=5.5, mew=1.3, zorder=5, **face)
            if point.kind not in shown:
                shown.append(point.kind)
    return shown


def _legend(ax: Axes, shown: list[str], orbits: bool) -> None:
    lines: list[Any] = [
        Line2D([], [], color="0.1", lw=1.6, label="stable"),
        Line2D([], [], color="0.1", lw=1.0, ls=(0, (4, 2)), label="unstable"),
    ]
    for kind in shown:
        marker, colour, words = MARKERS[kind]
        face = {"markerfacecolor": "white"} if marker in "osD" else {}
        lines.append(Line2D([], [], ls="", marker=marker, color=colour, ms=5.5, mew=1.3, label=words, **face))
    if orbits:
        lines.append(Line2D([], [], ls="", marker=".", color="0.72", ms=5, label="simulated orbits"))
    ax.legend(handles=lines, frameon=False, fontsize=8)
