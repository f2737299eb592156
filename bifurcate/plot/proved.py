"""What is proved of a diagram, drawn under its curves: bands along proved arcs, rings about proved points."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bifurcate.orbits.observable import Observable, as_observable

if TYPE_CHECKING:
    from bifurcate.proofs.branch_theorem import BranchTheorem
    from bifurcate.proofs.diagram_theorem import DiagramTheorem

__all__ = ["draw_proved", "proved_arcs"]

BAND: dict[str, Any] = {"color": "#bcd7ea", "lw": 5.0, "zorder": 0.8, "solid_capstyle": "butt"}
RING: dict[str, Any] = {"ls": "", "marker": "o", "ms": 8.5, "mew": 0.9, "color": "#14548a", "zorder": 6}
RING |= {"mfc": "none", "clip_on": False}  # hollow, and whole where a point lies at the end of the axes
KEY_SIZE = 7.0  # points of a ring in the legend


def draw_proved(
    ax: Axes,
    theorem: DiagramTheorem | BranchTheorem,
    parameter: str,
    observable: Observable = 0,
    *,
    legend: bool = False,
) -> list[Line2D]:
    """Draw what a theorem covers under the curves of a bifurcation diagram.

    Parameters
    ----------
    ax : Axes
        On which :func:`bifurcate.plot.diagram` has drawn.
    theorem : DiagramTheorem or BranchTheorem
    parameter : str
        The parameter on the horizontal axis; branches in another one are left out.
    observable : callable, int or "norm"
        The vertical axis, as for :func:`bifurcate.plot.diagram`.
    legend : bool
        Explain bands and rings in a legend of their own, in the axes.

    Returns
    -------
    list of Line2D
        Entries for a legend.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.2)})
    >>> [entry.get_label() for entry in draw_proved(bf.plot.diagram(branch, "r"), bf.prove(branch), "r")]
    ['arc proved', 'special point proved']
    """
    branches = theorem.branches if hasattr(theorem, "branches") else (theorem,)
    points = theorem.points if hasattr(theorem, "points") else theorem.special
    for branch in branches:
        if branch is not None and branch.free == parameter:
            _draw_arcs(ax, branch, observable)
    for point in points:
        if point is not None and point.free == parameter:  # points of two parameters lie in a plane of their own
            _draw_ring(ax, point, observable)
    entries = [
        Line2D([], [], label="arc proved", **BAND),
        Line2D([], [], label="special point proved", **{**RING, "ms": KEY_SIZE}),
    ]
    if legend:
        first = ax.get_legend()
        ax.legend(handles=entries, loc="best", frameon=False, fontsize="small")
        if first is not None:
            ax.add_artist(first)
    return entries


def _draw_arcs(ax: Axes, branch: BranchTheorem, observable: Observable) -> None:
    for at, values in proved_arcs(branch, observable):
        ax.plot(at, np.array(values), **BAND)


def proved_arcs(branch: BranchTheorem, observable: Observable) -> Iterator[tuple[list[float], list[list[float]]]]:
    """The free parameter at the nodes of every proved arc, and the observable at the states of the cycle there."""
    for piece in branch.pieces:
        nodes = [tube.start for tube in piece.tubes]
        nodes.append(piece.tubes[-1].start + piece.tubes[-1].chord)
        curve = piece.tubes[0].curve
        values = []
        for node in nodes:
            p = {**branch.parameters, branch.free: float(node[-1])}
            states = curve.cycle_states(node)
            values.append([_observed(x.reshape(curve.ball_map.shape), p, observable) for x in states])
        yield [float(node[-1]) for node in nodes], values


def _draw_ring(ax: Axes, point: Any, observable: Observable) -> None:
    states = [np.array([each.middle for each in x]).reshape(point.shape) for x in point.states]
    values = [_observed(x, dict(point.parameters), observable) for x in states]
    ax.plot([point.parameters[point.free]] * len(values), values, **RING)


def _observed(x: Any, p: dict[str, float], observable: Observable) -> float:
    return float(as_observable(observable, p)(x, **p))
