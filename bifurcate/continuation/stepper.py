"""The stepper: predict, correct, accept, detect, next length; a loop of these five along a curve.

What the branch-jump guard refuses is tried again with half the step (Allgower & Georg, Numerical Continuation Methods,
SIAM 2003, chapter 6; Deuflhard, Fiedler & Kunkel, SIAM J. Numer. Anal. 24 (1987) 912).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents, detect_events
from bifurcate.bifurcations.codimension_one.user_events import find_user_events
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.blurred_zone import LEAP_GROWTH, LONGEST_LEAP, is_blurred
from bifurcate.continuation.border_corner import round_corner
from bifurcate.continuation.bound_arrival import arrival_on_branch_point, points_on_bound
from bifurcate.continuation.branch_jump_guard import (
    crosses_switching_manifold,
    detect_branch_jump,
    parameter_is_stationary,
    parameter_stays_stationary,
)
from bifurcate.continuation.closing import may_close, phase_passed, phases_of
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.continuation.curve_resolution import has_modes, in_enough_modes
from bifurcate.continuation.event_stops import end_at_event, end_at_kind, with_user_events
from bifurcate.continuation.missed_points import DeferredWarning, record_missed_point, unexplained_count_change
from bifurcate.continuation.predictor import Prediction, predict, predict_on_bound_passed
from bifurcate.continuation.step_control import next_length
from bifurcate.continuation.taken_step import TakenStep
from bifurcate.continuation.undeclared_kinks import KinkWatch, kink_ahead
from bifurcate.curves.corrector import adapt_equations, correct
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.step_cache import StepCache
from bifurcate.deprecation import warn_old_name
from bifurcate.errors import MapFailed, Stop, StopReason
from bifurcate.linalg.threads import one_thread_for
from bifurcate.printing import short_repr

__all__ = ["Step", "StepperState", "continue_from"]

# Widths of the bounds up to which a start counts as lying on one: rounding of a bound that was reached
ON_BOUND = 1e-12
STEEPEST_MARGIN = 4.0  # power of the distance from the edge of the domain with which a margin goes to 0, at the most
NEAR_POLE = 1e-3  # part of the start's domain margin below which a failed step counts as the domain's edge
SAME_POINT = 1e-6  # distance from the start up to which the point at which a curve closes is the start itself
# A step that is refused because the curve bends, perhaps out of the corrector's reach, may fall to this: a fold is as
# sharp as the units of the state make it.
FINEST = 1e-11
SHORTER = 0.5  # a step that was refused is repeated with this part of its length
# ... and one in which multipliers changed without a reason, which may have jumped over a narrow tip
MUCH_SHORTER = 0.25
FIRST_CLOSING_STEP = 3  # the first steps leave the start and cannot come back to it


@dataclass(frozen=True, eq=False)
class Step:
    """One accepted step.

    Attributes
    ----------
    curve : Curve
        The curve that is followed.
    point : CurvePoint
        The new point, with tangent, linearisation and multipliers.
    length : float
        Arclength from the previous point.
    events : StepEvents
        Special points between the previous point and this one.
    stop : Stop or None
        Why the branch ends here, if it does.
    """

    curve: Curve
    point: CurvePoint
    length: float
    events: StepEvents
    stop: Stop | None = None

    __repr__ = short_repr

    @property
    def state(self) -> NDArray[np.float64]:
        """The state, in the map's shape."""
        return self.curve.state(self.point.u)

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters of the map."""
        return self.curve.parameters(self.point.u)

    @property
    def node(self) -> CurvePoint:
        """Old name of ``point``."""
        warn_old_name("Step.node", "Step.point")
        return self.point

    @property
    def finding(self) -> StepEvents:
        """Old name of ``events``."""
        warn_old_name("Step.finding", "Step.events")
        return self.events

    @property
    def special(self) -> tuple[SpecialPoint, ...]:
        """Special points between the previous point and this one."""
        return tuple(self.events.points)


@dataclass(frozen=True, eq=False)
class StepperState:
    """Where a continuation is between two steps: it goes on from here to the bit.

    Attributes
    ----------
    curve : Curve
        With the borders that fit here.
    before, here : CurvePoint
        The last two points.
    length : float
        Of the next step.
    number : int
        Steps tried so far.
    warning : DeferredWarning
        What a later step may explain.
    tests : dict
        Test functions at points that are needed again, by arclength.
    looked_at : dict
        Over how many steps a test function was looked at, and over how many it was 0, by its name.
    """

    curve: Curve
    before: CurvePoint
    here: CurvePoint
    length: float
    number: int
    warning: DeferredWarning
    tests: dict[float, dict[str, float]]
    looked_at: dict[str, tuple[int, int]] = dataclasses.field(default_factory=dict)


def continue_from(
    run: ContinuationProblem,
    start: CurvePoint,
    *,
    resume: StepperState | None = None,
    note: Callable[[StepperState], None] | None = None,
) -> Iterator[Step]:
    """Accepted steps from a point along its tangent; the last one carries the reason for the end.

    Parameters
    ----------
    run : ContinuationProblem
        The curve with its bounds, metric and step control.
    start : CurvePoint
        The first point; its tangent is the direction.
    resume : StepperState, optional
        Where to go on.
    note : callable, optional
        Called with the state before every step but the first.
    """
    if resume is None and (stop := _leaves_at_once(run, start)) is not None:
        yield Step(run.curve, start, 0.0, StepEvents(), stop)
        return
    control, cache, warning, kinks = run.control, StepCache(), DeferredWarning(), KinkWatch()
    before = here = start
    length, first = run.control.first, 0
    if resume is not None:
        run, cache, warning = run.with_curve(resume.curve), StepCache(resume.tests, resume.looked_at), resume.warning
        before, here, length, first = resume.before, resume.here, resume.length, resume.number
    counts_are_watched = run.detect and run.curve.codimension == 0 and not has_modes(run)
    for number in range(first, control.max_steps):
        seam = start if number >= FIRST_CLOSING_STEP and not has_modes(run) else None
        with one_thread_for(here.linear.jacobian):  # f and what looks for events, too
            taken = _take_step_and_detect(run, (before, here), length, cache, seam)
        run, before, here, taken = in_enough_modes(run, before, here, length, taken)
        if isinstance(taken, CorrectorFailure | Stop):
            yield _end(run, taken, before, here, start)
            return
        new, stop, length, events = taken
        events, has_kink = kinks.look(run, before, here, new, events) if counts_are_watched else (events, False)
        if has_kink and kinks.is_stuck:
            yield _last_step(run, here, "stalled", kinks.words)
            return
        if counts_are_watched and not has_kink and (change := unexplained_count_change(before, here, new, events)):
            if MUCH_SHORTER * length >= control.surest:
                length *= MUCH_SHORTER
                continue
            events, deferred = record_missed_point(run, here, new, events, change)
            warning = deferred or warning
        if events.non_isolated:
            reason: StopReason = "not-isolated" if run.curve.codimension == 0 else "unfolded"
            yield _last_step(run, here, reason, events.non_isolated)
            return
        if (ended := end_at_kind(run, (here, new), events, start.arclength)) is not None:
            new, events, stop = ended
        stop = _reason_to_stop(run, new, events, stop, is_last=number == control.max_steps - 1)
        if counts_are_watched and stop is not None and stop.reason == "bound":
            events = dataclasses.replace(events, points=[*events.points, *points_on_bound(run, new, events.points)])
        events, warning = warning.settle(events, new.arclength, stop is not None)
        stored = new.without_factors()  # whoever keeps the steps does not keep a factored system of each
        yield Step(run.curve, stored, new.arclength - here.arclength, events, stop)
        if stop is not None:
            return
        length = next_length(control, here, new, run.metric, len(run.curve.free))
        # Beyond a border the branch bends: the next prediction is on the tangent, not on a cubic through the corner.
        before = stored if has_kink or crosses_switching_manifold(run, here, new) else here.without_factors()
        here, start = new, start.without_factors()
        cache.forget_before(here.arclength)
        if here.kernel is not None:
            run = run.with_curve(adapt_equations(run.curve, here, run.metric))
        if note is not None:
            note(StepperState(run.curve, before, here, length, number + 1, warning, cache.known, cache.steps))


def _take_step_and_detect(
    run: ContinuationProblem,
    points: tuple[CurvePoint, CurvePoint],
    length: float,
    cache: StepCache,
    start: CurvePoint | None,
) -> TakenStep | Stop | CorrectorFailure:
    """The next accepted point with the events up to it; half the length as often as the map fails on the way.

    Parameters
    ----------
    run : ContinuationProblem
        The curve with its bounds, metric and step control.
    points : (CurvePoint, CurvePoint)
        The last two points.
    length : float
        Length of the first try, in the metric.
    cache : StepCache
        Where test functions are remembered for the next step.
    start : CurvePoint or None
        The start, if the step may run through it.
    """
    before, here = points
    while True:
        try:
            taken, length = _take_clear_step(run, before, here, length)
            if isinstance(taken, CorrectorFailure):
                beyond = round_corner(run, here)
                return taken if beyond is None else TakenStep(beyond[0], None, length, StepEvents([beyond[1]]))
            new, stop = taken
            if parameter_is_stationary(run, here, new) and parameter_stays_stationary(run, here):
                return Stop("not-isolated", "cycles at one and the same parameter value form a curve")
            if start is not None and (last := _closing_point(run, here, new, start)) is not None:
                new, stop = last, Stop("closed")
            asked = find_user_events(run.curve, here, new, run.metric) if run.curve.events else []
            new, stop, asked = end_at_event(new, stop, asked)
            events = detect_events(run.curve, here, new, run.metric, cache) if run.detect else StepEvents()
            return TakenStep(new, stop, length, with_user_events(events, asked))
        except MapFailed as error:
            if SHORTER * length < run.control.smallest:
                return CorrectorFailure("failed", str(error))
            length *= SHORTER


def _leaves_at_once(run: ContinuationProblem, start: CurvePoint) -> Stop | None:
    """The reason to stop where a start lies on a bound and its tangent leads out of it."""
    p, t = start.u[run.free], start.tangent[run.free]
    for i, name in enumerate(run.curve.free):
        edge = ON_BOUND * run.widths[i]
        if (p[i] <= run.lower[i] + edge and t[i] < 0) or (p[i] >= run.upper[i] - edge and t[i] > 0):
            return Stop("bound", f"{name} = {p[i]:.10g}")
    return None


def _take_clear_step(
    run: ContinuationProblem, before: CurvePoint, here: CurvePoint, length: float
) -> tuple[tuple[CurvePoint, Stop | None] | CorrectorFailure, float]:
    """As :func:`_take_step`; where noise of the map decides where that ends, a longer one that leaps such a zone."""
    first = taken, used = _take_step(run, before, here, length)
    if not run.curve.iterate.map.precision.is_noisy:
        return first
    asked = max(length, used)
    while isinstance(taken, CorrectorFailure) or used < asked or is_blurred(run, taken[0]):
        asked *= LEAP_GROWTH
        if asked > LONGEST_LEAP or (not isinstance(taken, CorrectorFailure) and taken[1] is not None):
            return first
        if not isinstance(first[0], CorrectorFailure) and not is_blurred(run, first[0][0]):
            return first
        taken, used = _take_step(run, before, here, asked)
    return taken, used


def _take_step(
    run: ContinuationProblem, before: CurvePoint, here: CurvePoint, length: float
) -> tuple[tuple[CurvePoint, Stop | None] | CorrectorFailure, float]:
    """The next accepted point, with half the length as often as a step is refused, and the length that it took.

    Parameters
    ----------
    run : ContinuationProblem
        The curve with its bounds, metric and step control.
    before, here : CurvePoint
        The last two points.
    length : float
        Length of the first try, in the metric.
    """
    while True:
        prediction: Prediction | None = predict(run, before, here, length)
        while prediction is not None:
            new = _correct(run, here, prediction)
            if isinstance(new, CorrectorFailure):
                break
            passed = None if prediction.bound else predict_on_bound_passed(run, here, new, length)
            if passed is None:
                return _accept(run, here, new, prediction), length
            prediction = passed  # the curve bends over the bound: arrive on it from the chord
        may_be_short = cast(CorrectorFailure, new).reason == "diverged"
        finest = max(FINEST, run.curve.corrector.tolerance, run.curve.iterate.map.precision.shortest_length)
        if SHORTER * length < (min(finest, run.control.smallest) if may_be_short else run.control.smallest):
            return cast(CorrectorFailure, new), length
        length *= SHORTER


def _correct(run: ContinuationProblem, here: CurvePoint, prediction: Prediction) -> CurvePoint | CorrectorFailure:
    """The curve's point on the prediction's hyperplane, unless that seems to lie on another branch."""
    new = correct(run.curve, prediction.u, prediction.normal, prediction.offset, run.metric, None, here.tangent)
    if isinstance(new, CorrectorFailure):
        return new
    return detect_branch_jump(run, here, new, prediction) or new


def _accept(
    run: ContinuationProblem, here: CurvePoint, new: CurvePoint, prediction: Prediction
) -> tuple[CurvePoint, Stop | None]:
    """The point placed on the curve, exactly on its bound if it was sent to one, and the reason to stop there."""
    stop = None
    if prediction.bound is not None:
        i, bound = prediction.bound
        u = new.u.copy()
        u[run.curve.size + i] = bound
        new = dataclasses.replace(new, u=u)
        stop = Stop("bound", f"{run.curve.free[i]} = {bound:.10g}")
    new = new.placed(here.arclength + run.metric.norm(new.u - here.u))
    return new.following(here), stop


def _closing_point(run: ContinuationProblem, here: CurvePoint, new: CurvePoint, start: CurvePoint) -> CurvePoint | None:
    """The point at which the curve closes in the step from here to new; None if it does not."""
    if not may_close(run, here, new, start):
        return None
    found = phase_passed(run, here, new, phases_of(run, start))
    if found is None:
        return None
    last = start if run.metric.norm(found.u - start.u) < SAME_POINT else found
    return last.placed(here.arclength + run.metric.norm(last.u - here.u))


def _reason_to_stop(
    run: ContinuationProblem, new: CurvePoint, events: StepEvents, stop: Stop | None, is_last: bool
) -> Stop | None:
    """Why the branch ends at a new point, if it does; ``stop`` is the reason that the step itself had."""
    if events.period_halved is not None:
        return Stop("collapsed", str(events.period_halved))
    size = run.state_size(new)
    if stop is None and size > run.control.farthest:
        return Stop("escaped", f"at {run.curve.where(new.u)} its root mean square is {size:.0f} units")
    if stop is None and is_last:
        return Stop("steps", str(run.control.max_steps))
    return stop


def _end(
    run: ContinuationProblem, taken: CorrectorFailure | Stop, before: CurvePoint, here: CurvePoint, start: CurvePoint
) -> Step:
    """The last step of a branch on which no further one could be taken."""
    if isinstance(taken, Stop):
        return _last_step(run, here, taken.reason, taken.detail, before)
    failed = _reason_of_failure(run, taken, here, start)
    return _arrive_on_branch_point(run, before, here) or _last_step(run, here, *failed, before)


def _reason_of_failure(
    run: ContinuationProblem, failure: CorrectorFailure, here: CurvePoint, start: CurvePoint
) -> tuple[StopReason, str]:
    """Why a branch ends where the smallest step failed, and in which numbers."""
    if here.at.margin < NEAR_POLE * start.at.margin < np.inf:  # beside the edge of the domain, whatever was met
        return "domain", f"smallest margin {here.at.margin:.1e}"
    if failure.reason != "diverged":
        return failure.reason, failure.detail
    kink = kink_ahead(run, here)
    return "stalled", f"{failure.detail}; {kink}" if kink else failure.detail


def _arrive_on_branch_point(run: ContinuationProblem, before: CurvePoint, here: CurvePoint) -> Step | None:
    """The last step onto a branch point that lies on the bound; None if the step failed for another reason."""
    arrival = arrival_on_branch_point(run, before, here)
    if arrival is None:
        return None
    last, point, stop = arrival
    return Step(run.curve, last, last.arclength - here.arclength, StepEvents([point]), stop)


def _last_step(
    run: ContinuationProblem, here: CurvePoint, reason: StopReason, detail: str, before: CurvePoint | None = None
) -> Step:
    """A step of length 0 that says why the branch cannot go on."""
    advice = run.curve.iterate.map.advice if reason == "not-isolated" else ""
    words = f"at {run.curve.where(here.u)}: {detail}" + (f". {advice}" if advice else "")
    events = _pole(run, here, before) if reason == "domain" else StepEvents()
    return Step(run.curve, here, 0.0, events, Stop(reason, words))


def _distance_from_edge(run: ContinuationProblem, here: CurvePoint, before: CurvePoint | None) -> float:
    """How far the first free parameter may be from the edge of the domain at the last point.

    The margin goes to 0 like a power of the distance, which two points do not tell: it is taken to be the highest that
    is usual. Nearer than a few smallest steps nothing is known.
    """
    least = 2.0 * run.control.smallest * float(run.widths[0])
    if before is None or not 0.0 < here.at.margin < before.at.margin < np.inf:
        return least
    moved = abs(float(here.u[run.curve.size] - before.u[run.curve.size]))
    ratio = (before.at.margin / here.at.margin) ** (1.0 / STEEPEST_MARGIN)
    return max(least, moved / (ratio - 1.0)) if ratio > 1.0 else max(least, moved)


def _pole(run: ContinuationProblem, here: CurvePoint, before: CurvePoint | None) -> StepEvents:
    """A special point "pole" where the branch ran up to the edge of the map's domain."""
    point = SpecialPoint(
        kind="pole",
        curve=run.curve,
        unknowns=here.u,
        period=run.curve.period,
        multiplicity=0,
        arclength=here.arclength,
        residual=here.residual,
        iterations=0,
        error=_distance_from_edge(run, here, before),
        note=f"the last point before the edge of the domain, at margin {here.at.margin:.1e}",
    )
    return StepEvents([point])
