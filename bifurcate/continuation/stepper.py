"""One step along a curve, and the walk made of them.

A step predicts, on the tangent first and then on the cubic Hermite polynomial through the last two points, and corrects
on the hyperplane across the tangent. What ``staying`` finds suspicious is tried again with half the step (Allgower &
Georg, Numerical Continuation Methods, SIAM 2003, chapter 6; Deuflhard, Fiedler & Kunkel, SIAM J. Numer. Anal. 24 (1987)
912).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents, detect_events
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch_jump_guard import (
    DeferredWarning,
    crosses_switching_manifold,
    detect_branch_jump,
    parameter_is_stationary,
    parameter_stays_stationary,
    record_missed_point,
    unexplained_count_change,
)
from bifurcate.continuation.step_control import ContinuationRun, StepControl
from bifurcate.curves.corrector import (
    POLISH,
    CorrectorFailure,
    CurvePoint,
    Metric,
    adapt_equations,
    correct,
    hermite_point,
)
from bifurcate.errors import Stop

__all__ = ["Step", "continue_from"]


@dataclass(frozen=True, eq=False)
class Step:
    """One accepted step.

    Attributes
    ----------
    node : CurvePoint
        The new point, with tangent, linearisation and spectrum.
    length : float
        Arclength from the previous one.
    finding : Finding
        Special points between the previous point and this one.
    stop : Stop or None
        Why the walk ends here, if it does.
    """

    node: CurvePoint
    length: float
    finding: StepEvents
    stop: Stop | None = None


def continue_from(walk: ContinuationRun, node: CurvePoint) -> Iterator[Step]:
    """Accepted steps from a node along its tangent; the last one carries the reason for the end."""
    control, start, before = walk.control, node, node
    h, pending = control.first, DeferredWarning()
    if (stop := _leaves_at_once(walk, node)) is not None:
        yield Step(node, 0.0, StepEvents(), stop)
        return
    for number in range(control.max_steps):
        tried = _step(walk, before, node, h)
        while isinstance(tried, CorrectorFailure) and 0.5 * h >= control.smallest:
            h *= 0.5
            tried = _step(walk, before, node, h)
        if isinstance(tried, CorrectorFailure):
            if node.at.margin < 1e-3 * start.at.margin < np.inf:
                tried = CorrectorFailure("domain", f"smallest margin {node.at.margin:.1e}")
            yield Step(node, 0.0, _pole(walk, node, tried), _why(tried, node, walk))
            return
        new, stop = tried[0].after(node), tried[1]
        if parameter_is_stationary(walk, node, new) and parameter_stays_stationary(walk, node):
            standing = CorrectorFailure("not-isolated", "cycles at one and the same parameter value form a curve")
            yield Step(node, 0.0, StepEvents(), _why(standing, node, walk))
            return
        if number > 2 and _passes(walk, node, new, start):
            new, stop = _closing(walk, node, start), Stop("closed")
        finding = detect_events(walk.curve, node, new, walk.metric) if walk.detect else StepEvents()
        watched = walk.detect and walk.curve.kind == "cycle"
        if watched and (why := unexplained_count_change(before, node, new, finding)):
            if 0.25 * h >= control.surest:
                h *= 0.25
                continue
            finding = record_missed_point(walk, node, new, finding, why, pending)
        if finding.barrier:
            reason = "not-isolated" if walk.curve.kind == "cycle" else "unfolded"
            yield Step(node, 0.0, StepEvents(), _why(CorrectorFailure(reason, finding.barrier), node, walk))
            return
        if finding.collapsed is not None:
            stop = Stop("collapsed", str(finding.collapsed))
        if stop is None and _size(walk, new) > control.farthest:
            stop = Stop("escaped", f"at {walk.curve.where(new.u)} its root mean square is {_size(walk, new):.0f} units")
        if number == control.max_steps - 1 and stop is None:
            stop = Stop("steps", str(control.max_steps))
        yield Step(new, new.arclength - node.arclength, pending.joined(finding, new, stop), stop)
        if stop is not None:
            return
        h = _next_length(control, node, new, walk.metric)
        before, node = new if crosses_switching_manifold(walk, node, new) else node.light(), new
        if node.kernel is not None:
            walk = dataclasses.replace(walk, curve=adapt_equations(walk.curve, node, walk.metric))


def _leaves_at_once(walk: ContinuationRun, node: CurvePoint) -> Stop | None:
    p, t = node.u[walk.free], node.tangent[walk.free]
    for i, name in enumerate(walk.curve.free):
        edge = 1e-12 * (walk.upper[i] - walk.lower[i])
        if (p[i] <= walk.lower[i] + edge and t[i] < 0) or (p[i] >= walk.upper[i] - edge and t[i] > 0):
            return Stop("bound", f"{name} = {p[i]:.10g}")
    return None


def _step(
    walk: ContinuationRun, before: CurvePoint, node: CurvePoint, h: float
) -> tuple[CurvePoint, Stop | None] | CorrectorFailure:
    """One prediction and correction of length h, or onto the bound if that comes first."""
    curve, metric = walk.curve, walk.metric
    n = curve.size
    p, t = node.u[walk.free], node.tangent[walk.free]
    sides = zip(p.tolist(), t.tolist(), walk.lower.tolist(), walk.upper.tolist())
    room = [((upper if rate > 0 else lower) - here) / rate if rate else math.inf for here, rate, lower, upper in sides]
    i = room.index(min(room))
    if room[i] <= h:
        length, bound = room[i], walk.upper[i] if t[i] > 0 else walk.lower[i]
        for _ in range(3):  # the cubic comes to the bound elsewhere than the tangent does
            guess, smooth = _predicted(before, node, length, metric)
            length = min(max(0.0, length + float(bound - guess[n + i]) / float(t[i])), 2.0 * h)
        return _onto_bound(walk, node, i, length, guess, smooth)
    guess, smooth = _predicted(before, node, h, metric)
    row = metric.dual(node.tangent)
    new = correct(curve, guess, row, float(row @ guess), metric, None, node.tangent)
    if isinstance(new, CorrectorFailure):
        return new
    if (refusal := detect_branch_jump(walk, node, new, guess, h, smooth)) is not None:
        return refusal
    outside = np.maximum(walk.lower - new.u[walk.free], new.u[walk.free] - walk.upper)
    if (outside > 0).any():
        # The curve bends over the bound: arrive on it from the chord between the two.
        i = int(np.argmax(outside / (walk.upper - walk.lower)))
        bound = walk.upper[i] if new.u[n + i] > walk.upper[i] else walk.lower[i]
        part = (bound - node.u[n + i]) / (new.u[n + i] - node.u[n + i])
        return _onto_bound(walk, node, i, h * float(part), node.u + part * (new.u - node.u))
    return new.placed(node.arclength + metric.norm(new.u - node.u)), None


def _predicted(before: CurvePoint, node: CurvePoint, h: float, metric: Metric) -> tuple[np.ndarray, bool]:
    """A step of length h from a node, on the cubic through the last two (True) or, where one is far, on the tangent."""
    last = node.arclength - before.arclength
    if not 0.5 * h <= last:
        return node.u + h * node.tangent, False
    return hermite_point(before, node, 1.0 + h / last, metric), True


def _onto_bound(
    walk: ContinuationRun, node: CurvePoint, i: int, h: float, guess: np.ndarray, smooth: bool = False
) -> tuple[CurvePoint, Stop | None] | CorrectorFailure:
    n = walk.curve.size
    bound = walk.upper[i] if node.tangent[n + i] > 0 else walk.lower[i]
    guess = guess.copy()
    guess[n + i] = bound
    row = np.zeros(len(guess))
    row[n + i] = 1.0 / (walk.upper[i] - walk.lower[i])
    new = correct(walk.curve, guess, row, float(row @ guess), walk.metric, None, node.tangent)
    if isinstance(new, CorrectorFailure):
        return new
    if (refusal := detect_branch_jump(walk, node, new, guess, max(h, 1e-12), smooth)) is not None:
        return refusal
    new.u[n + i] = bound
    new = new.placed(node.arclength + walk.metric.norm(new.u - node.u))
    return new, Stop("bound", f"{walk.curve.free[i]} = {bound:.10g}")


def _next_length(control: StepControl, node: CurvePoint, new: CurvePoint, metric: Metric) -> float:
    length = new.arclength - node.arclength
    turned = math.acos(min(1.0, max(-1.0, metric.dot(node.tangent, new.tangent))))
    by_angle = control.angle / max(turned, 1e-3 * control.angle)
    by_work = 2.0 ** ((control.iterations - new.iterations) / 2.0)
    t = new.tangent[metric.n :]
    longest = control.largest / max(math.sqrt((metric.parameter * t) @ t), 0.1)
    return max(control.smallest, min(longest, length * max(0.3, min(2.0, by_angle, by_work))))


def _passes(walk: ContinuationRun, node: CurvePoint, new: CurvePoint, start: CurvePoint) -> bool:
    """Whether the step from node to new runs through the start, in the start's own direction."""
    metric = walk.metric
    h = new.arclength - node.arclength
    if metric.norm(start.u - node.u) > 2.0 * h or metric.dot(new.tangent, start.tangent) < 0.8:
        return False
    before, after = (metric.dot(start.tangent, end.u - start.u) for end in (node, new))
    if not before < 0 <= after:
        return False
    row = metric.dual(start.tangent)
    part = -before / (after - before)
    guess = node.u + part * (new.u - node.u)
    found = correct(walk.curve, guess, row, float(row @ start.u), metric, POLISH, start.tangent)
    return isinstance(found, CurvePoint) and metric.norm(found.u - start.u) < 1e-6


def _closing(walk: ContinuationRun, node: CurvePoint, start: CurvePoint) -> CurvePoint:
    return start.placed(node.arclength + walk.metric.norm(start.u - node.u))


def _size(walk: ContinuationRun, node: CurvePoint) -> float:
    x = node.u[: walk.curve.size]
    return math.sqrt(walk.metric.state * float(x @ x))


def _why(failure: CorrectorFailure, node: CurvePoint, walk: ContinuationRun) -> Stop:
    reason = {"diverged": "stalled"}.get(failure.reason, failure.reason)
    advice = walk.curve.iterate.map.advice if reason == "not-isolated" else ""
    return Stop(reason, f"at {walk.curve.where(node.u)}: {failure.detail}" + (f". {advice}" if advice else ""))


def _pole(walk: ContinuationRun, node: CurvePoint, failure: CorrectorFailure) -> StepEvents:
    """A special point "pole" where the walk ran up to the edge of the map's domain."""
    if failure.reason != "domain":
        return StepEvents()
    point = SpecialPoint(
        "pole", walk.curve, node.u, walk.curve.period, 0, node.arclength, node.residual, 0,
        2.0 * walk.control.smallest * float((walk.upper - walk.lower)[0]),
        note=f"the last point before the edge of the domain, at margin {node.at.margin:.1e}",
    )  # fmt: skip
    return StepEvents([point])
