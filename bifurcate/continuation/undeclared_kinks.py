"""Kinks of a map that its borders do not declare: where its derivatives from the two sides differ.

Difference quotients smear a kink over their steps. Within such a layer multipliers run from the one side's values to
the other side's, and pass the unit circle at a flip or fold that is none. A step over which the Jacobian changes far
faster than over the last one is searched by bisection for the place of the change: where f is smooth its Jacobians at
the ends of the bracket come together, at a kink they do not.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.errors import MapFailed
from bifurcate.linalg.operators import dense

__all__ = ["KinkWatch", "kink_ahead"]

Array = NDArray[np.float64]

FASTER = 8.0  # times the rate of the last step by which a Jacobian must change to be looked into: bends are slower
LEAST_CHANGE = 0.02  # ... and the least change over a step, in units of the Jacobian or 1, that is worth the calls
STEP = 1e-6  # of differences, in units of the state: rounding leaves 2e-10 of f over it, and a kink is met nowhere else
BRACKET = 1e-5  # length, in units of the state, to which a change is bracketed: some steps of the differences
HALVINGS = 30  # of the bracket at the most
LEFT = 0.25  # part of the change that is left over the bracket at a kink: of a smooth one, the bracket's part
LEAST_JUMP = 1e-3  # jump, in units of the Jacobian or 1, that is told
# Distance from a kink, in the metric, within which points are its own: twice the reach of difference quotients
LAYER = 5e-3
NEARER = 0.5  # part of the distance from the domain's edge: over a longer way there a pole changes derivatives, too
# Steps in such a layer after which the branch counts as stuck there: where it goes on few lead through.
MOST_STEPS = 100
AHEAD = 1e-2  # distance ahead of a point at which a branch ends in which a kink is looked for, in the metric
LARGEST_CHECKED = 60  # size limit: unknowns up to which kinks are looked for: each place costs twice as many calls of f


@dataclass(eq=False)
class KinkWatch:
    """What a continuation knows of the last undeclared kink that it met.

    Attributes
    ----------
    words : str
        What is said of it; "" if none was met.
    place : float
        Its arclength.
    steps : int
        Steps that began or ended in its layer.
    """

    words: str = ""
    place: float = -np.inf
    steps: int = 0

    def look(
        self, run: ContinuationProblem, before: CurvePoint, here: CurvePoint, new: CurvePoint, events: StepEvents
    ) -> tuple[StepEvents, bool]:
        """The events of a step, without those of a kink's layer and with a doubt that says so; and if it is in one.

        Parameters
        ----------
        run : ContinuationProblem
            The curve with its metric.
        before, here, new : CurvePoint
            The last three points.
        events : StepEvents
            What was found between the last two.
        """
        if not _is_checked(run.curve):
            return events, False
        doubts: list[str] = []
        if here.arclength > self.place + LAYER:
            is_fast = _changes_fast(before, here, new) and not _nears_edge(here, new)
            found = _find_beside(run, here, new) if is_fast else None
            if found is None:
                return events, False
            part, jump, u = found
            self.place = here.arclength - LAYER + part * (new.arclength - here.arclength + 2.0 * LAYER)
            self.words, self.steps = _words(run.curve, u, jump), 0
            doubts = [self.words]
        self.steps += 1
        kept = [
            each
            for each in events.points
            if not each.kind_row.is_bifurcation or abs(each.arclength - self.place) > LAYER
        ]
        return dataclasses.replace(events, points=kept, doubts=doubts), True

    @property
    def is_stuck(self) -> bool:
        """True if so many steps did not lead out of a layer: the branch turns back at the kink, at a sharp corner."""
        return self.steps > MOST_STEPS


def _find_beside(run: ContinuationProblem, here: CurvePoint, new: CurvePoint) -> tuple[float, float, Array] | None:
    # Either end may lie in the layer already, and the kink a little beyond it.
    return _find_kink(run, here.u - LAYER * here.tangent, new.u + LAYER * new.tangent)


def kink_ahead(run: ContinuationProblem, here: CurvePoint) -> str:
    """In words, that an undeclared kink lies a little ahead of the point at which a branch ends; "" if none does."""
    if not _is_checked(run.curve):
        return ""
    with np.errstate(all="ignore"):
        beyond = run.curve.equations.evaluate(here.u + AHEAD * here.tangent)
    if beyond.margin < NEARER * here.at.margin:
        return ""  # the edge of the domain is near: a pole, maybe
    found = _find_kink(run, here.u - LAYER * here.tangent, here.u + AHEAD * here.tangent)
    return "" if found is None else _words(run.curve, found[2], found[1])


def _words(curve: Curve, u: Array, jump: float) -> str:
    where = ", ".join(f"{name} = {value:.3g}" for name, value in zip(curve.free, u[curve.size :].tolist()))
    return (
        f"the derivative from the two sides differs by {jump:.2g} near {where}: {curve.iterate.map.name} has a kink "
        "there; declare it: Map(borders=…)"
    )


def _is_checked(curve: Curve) -> bool:
    iterate = curve.iterate
    is_plain = curve.codimension == 0 and iterate.shape == iterate.state_shape and curve.size <= LARGEST_CHECKED
    return is_plain and iterate.map.borders is None and not iterate.map.precision.is_noisy


def _nears_edge(here: CurvePoint, new: CurvePoint) -> bool:
    """True if a step leads so far towards the edge of the map's domain that derivatives may grow as beside a pole."""
    return new.at.margin < NEARER * here.at.margin


def _changes_fast(before: CurvePoint, here: CurvePoint, new: CurvePoint) -> bool:
    """True if the Jacobian changes far faster over the last step than over the one before it."""
    last, this = here.arclength - before.arclength, new.arclength - here.arclength
    J = [each for point in (before, here, new) if isinstance(each := point.linear.jacobian, np.ndarray)]
    if not (last > 0.0 and this > 0.0 and len(J) == 3):
        return False
    changed = float(np.abs(J[2] - J[1]).max())
    least = LEAST_CHANGE * max(1.0, float(np.abs(J[1]).max()))
    return changed > least and changed / this > FASTER * float(np.abs(J[1] - J[0]).max()) / last


def _find_kink(run: ContinuationProblem, start: Array, end: Array) -> tuple[float, float, Array] | None:
    """Where between two points the Jacobian jumps: part of the way, jump, and place; None if it does not."""
    curve, low, high = run.curve, 0.0, 1.0
    try:
        left, right = _slopes(curve, start), _slopes(curve, end)
        whole, length = float(np.abs(right - left).max()), run.metric.norm(end - start)
        for _ in range(HALVINGS):
            if (high - low) * length < BRACKET:
                break
            middle = 0.5 * (low + high)
            between = _slopes(curve, start + middle * (end - start))
            if float(np.abs(between - left).max()) > float(np.abs(right - between).max()):
                high, right = middle, between
            else:
                low, left = middle, between
    except MapFailed:
        return None
    jump = float(np.abs(right - left).max())
    if not jump > max(LEFT * whole, LEAST_JUMP * max(1.0, float(np.abs(left).max()))):
        return None
    part = 0.5 * (low + high)
    return part, jump, start + part * (end - start)


def _slopes(curve: Curve, u: Array) -> Array:
    """The Jacobian of f^k at a point, by short differences unless the map gives it."""
    iterate, x, p = curve.iterate, u[: curve.size], curve.parameters(u)
    orbit = iterate.orbit(x, p)
    if iterate.exact:
        return np.asarray(dense(iterate.jacobian(orbit, p)))
    steps = STEP * np.maximum(iterate.map.scale, np.abs(x))
    columns = []
    for j, h in enumerate(steps):
        ends = [x.copy(), x.copy()]
        ends[0][j], ends[1][j] = x[j] + h, x[j] - h
        ahead, behind = (iterate.orbit(each, p)[-1] for each in ends)
        columns.append(iterate.difference(ahead, behind) / (2.0 * h))
    return np.column_stack(columns)
