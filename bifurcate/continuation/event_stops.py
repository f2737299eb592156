"""Ends of a curve that the user has asked for: at an event, or at the first special point of a kind."""

from __future__ import annotations

import dataclasses

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents
from bifurcate.bifurcations.codimension_one.user_events import UserEvent, kinds_to_stop_at
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.curves.corrector import point_with_tangent
from bifurcate.curves.curve_point import CurvePoint, tangent_between
from bifurcate.errors import Stop

__all__ = ["end_at_event", "end_at_kind", "with_user_events"]

SAME_PLACE = 1e-7  # arclength within which special points lie at one place: all of them are kept at the end


def _stop_at(point: SpecialPoint) -> Stop:
    return Stop("event", f"{point.label} ({point.curve.where(point.u, point.error)})")


def end_at_event(
    new: CurvePoint, stop: Stop | None, found: list[UserEvent]
) -> tuple[CurvePoint, Stop | None, list[UserEvent]]:
    """The last point of a step, the reason to stop there, and the events up to it: those of the first that stops."""
    last = next((each for each in found if each.stop), None)
    if last is None:
        return new, stop, found
    kept = [each for each in found if each.point.arclength <= last.point.arclength + SAME_PLACE]
    return last.node, _stop_at(last.point), kept


def with_user_events(events: StepEvents, found: list[UserEvent]) -> StepEvents:
    """What was found in a step, and the user's events in it, in the order of the branch."""
    if not found:
        return events
    points = [*events.points, *(each.point for each in found)]
    return dataclasses.replace(events, points=sorted(points, key=lambda point: point.arclength))


def end_at_kind(
    run: ContinuationProblem, ends: tuple[CurvePoint, CurvePoint], events: StepEvents, start: float
) -> tuple[CurvePoint, StepEvents, Stop] | None:
    """The special point at which the user wants the curve to end, as its last point; None if the step has none.

    Parameters
    ----------
    run : ContinuationProblem
        The curve, with its events.
    ends : (CurvePoint, CurvePoint)
        Of the step.
    events : StepEvents
        What was found in it.
    start : float
        Arclength at which the run began: a point there was met before.
    """
    kinds = kinds_to_stop_at(run.curve) if events.points and run.curve.events else set[str]()
    beyond = [each for each in events.points if each.arclength > start + SAME_PLACE]
    point = next((each for each in beyond if each.kind in kinds), None)
    if point is None or len(point.u) != len(ends[1].u):
        return None
    kept = [each for each in events.points if each.arclength <= point.arclength + SAME_PLACE]
    last = point_with_tangent(run.curve, point.u, tangent_between(*ends, point.u, run.metric), point.arclength)
    return last, dataclasses.replace(events, points=kept, period_halved=None), _stop_at(point)
