"""HalfBranch: what is found on one side of a curve's start, and how two halves make a branch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch, BranchEnds, Point
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.continuation.stepper import Step, StepperState, continue_from
from bifurcate.curves.compact_state import compact_state
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.invariant_curve_equations import KIND as INVARIANT_CURVE
from bifurcate.errors import MapFailed, Stop
from bifurcate.interrupts import interruptible
from bifurcate.progress import Progress
from bifurcate.storage.journal import Section

__all__ = ["HalfBranch", "Keep", "branch_point_of", "follow", "join_halves"]

SEAM = 1e-4  # a branch point met again within this arclength of the last one may be the same, met from the next step
SEAM_ERRORS = 10.0  # ... if their parameters differ by no more than this many times their errors

Keep = Callable[[NDArray[np.float64]], Any]


@dataclass(eq=False)
class HalfBranch:
    """What lies on one side of the start, in the order in which it was met."""

    stop: Stop
    points: list[Point] = field(default_factory=list)
    special: list[SpecialPoint] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    notes: int = 0  # made in a journal
    noted: tuple[int, ...] = (0, 0, 0)  # points, special points and doubts that are in the journal

    def reversed(self) -> HalfBranch:
        """The same in the opposite order, with negative arclengths."""
        points = [dataclasses.replace(point, arclength=-point.arclength) for point in self.points[::-1]]
        special = [dataclasses.replace(point, arclength=-point.arclength) for point in self.special[::-1]]
        return HalfBranch(self.stop, points, special, self.doubts)


def follow(
    run: ContinuationProblem,
    start: CurvePoint,
    keep: Keep | None,
    progress: Callable[[Progress], None] | None,
    journal: Section | None = None,
) -> HalfBranch:
    """Follow a curve from a point along its tangent; an interrupt ends it and keeps what was found.

    Parameters
    ----------
    run : ContinuationProblem
        The curve with its bounds, metric and step control.
    start : CurvePoint
        The first point; its tangent is the direction.
    keep, progress : callable, optional
        As for :func:`~.trace.trace`.
    journal : Section, optional
        Where every step is noted, and where to look for those that were taken before.
    """
    half = HalfBranch(Stop("steps", str(run.control.max_steps)))
    try:
        resume = None if journal is None else _take_noted_steps(half, journal)
        if resume is not None and resume.stop is not None:
            half.stop = resume.stop
            return half
        note = None if journal is None else _notes(half, journal)
        following = continue_from(run, start, resume=None if resume is None else resume.state, note=note)
        del start  # whose factors the stepper needs for one step only
        while (step := interruptible(next, following, None)) is not None:
            _take_in(half, run, step, keep)
            if progress and step.events.period_halved is None and step.length > 0:
                last = half.points[-1]
                progress(Progress(last.parameters, len(half.points) + 1, len(half.special), 0, last))
            if step.stop is not None:
                half.stop = step.stop
        if journal is not None:
            _note_steps(half, journal, None)
    except MapFailed as error:  # after the step, as when multipliers are computed of a point that is stored
        half.stop = Stop("failed", str(error))
    except KeyboardInterrupt:
        half.stop = Stop("interrupted")
    return half


def _take_in(half: HalfBranch, run: ContinuationProblem, step: Step, keep: Keep | None) -> None:
    events = step.events
    half.special.extend(point for point in events.points if not _repeats_last(half.special, point))
    half.doubts.extend(events.doubts + events.unlocated_crossings)
    if events.period_halved is None and step.length > 0:
        here = run if step.curve.size == run.curve.size else run.with_curve(step.curve)
        half.points.append(branch_point_of(here, step.point, keep))


class _Resumed(NamedTuple):
    """Where to go on: in which state, or, if the end was reached, why it is one."""

    state: StepperState | None
    stop: Stop | None


def _notes(half: HalfBranch, journal: Section) -> Callable[[StepperState], None]:
    return lambda state: _note_steps(half, journal, state)


def _note_steps(half: HalfBranch, journal: Section, state: StepperState | None) -> None:
    """Note what came since the last note, and then the state from which to go on, or the reason for the end.

    What is found between the two notes is computed again.
    """
    parts: tuple[list[Any], ...] = half.points, half.special, half.doubts
    new = [part[begin:] for part, begin in zip(parts, half.noted)]
    journal.put(f"step {half.notes}", new)
    half.notes, half.noted = half.notes + 1, tuple(len(part) for part in parts)
    journal.put("state", {"notes": half.notes, "state": state, "stop": half.stop if state is None else None})


def _take_noted_steps(half: HalfBranch, journal: Section) -> _Resumed | None:
    """Fill a half with what was noted of it; returns where to go on, None at the start."""
    known = journal.get("state")
    if known is None:
        return None
    for number in range(known["notes"]):
        points, special, doubts = journal.get(f"step {number}")
        half.points += points
        half.special += special
        half.doubts += doubts
    half.notes, half.noted = known["notes"], (len(half.points), len(half.special), len(half.doubts))
    return _Resumed(known["state"], known["stop"])


def join_halves(
    curve: Curve, first: Point, halves: list[HalfBranch], here: list[SpecialPoint], doubts: list[str]
) -> Branch:
    """The branch made of one or two halves and the point between them, with the user's events and doubts there."""
    ahead = halves[0]
    ahead.special = [*here, *ahead.special]
    begin = Stop("origin", _birth(curve)) if len(curve.sides) == 1 else ahead.stop
    end, points, special, doubts = ahead.stop, [first, *ahead.points], ahead.special, [*doubts, *ahead.doubts]
    if len(halves) == 2:
        behind = halves[1].reversed()
        begin, points, special = behind.stop, [*behind.points, *points], [*behind.special, *special]
        doubts = doubts + behind.doubts
    if ahead.stop.reason == "closed":  # the last point is the first one, whether or not the curve was born there
        begin, titles = ahead.stop, {point.title for point in here}
        special = [p for p in special if p.title not in titles or p.arclength < points[-1].arclength - SEAM]
    unsure = [point.spectrum for point in points if point.spectrum is not None and point.spectrum.note]
    if unsure:
        doubts = [*doubts, f"multipliers at {len(unsure)} of {len(points)} points: {unsure[0].note}"]
    return Branch(curve, tuple(points), tuple(special), BranchEnds(begin, end), tuple(dict.fromkeys(doubts)))


def _birth(curve: Curve) -> str:
    """Where a curve was born that is followed to one side, and what lies on the other.

    On cycles of amplitude r and phase φ the other side is −r, or φ + π: the same points where their number is even.
    """
    origin = curve.origin if isinstance(curve.origin, SpecialPoint) else None
    if curve.tongue is not None:
        other = f"the other is {'the same' if curve.tongue[1] % 2 == 0 else 'the other'} edge of this tongue"
    elif curve.kind == INVARIANT_CURVE:
        other = "the other is the same closed curve, begun half a turn on"
    elif origin is not None and origin.border is not None:
        other = "the other lies across the border"
    elif origin is not None and (curve.period // origin.period) % 2:
        other = "the other is a curve of its own"
    else:
        other = "the other is the same cycle, started at another of its points"
    return other if origin is None else f"{origin}: {other}"


def _repeats_last(special: list[SpecialPoint], point: SpecialPoint) -> bool:
    """True if a branch point is the last special point met again at the seam of two steps."""
    if not special or point.kind != "branch point" or special[-1].kind != point.kind:
        return False
    last, n = special[-1], point.curve.size
    apart = float(np.abs(point.u[n:] - last.u[n:]).max())
    return abs(point.arclength - last.arclength) < SEAM and apart <= SEAM_ERRORS * (point.error + last.error)


def branch_point_of(run: ContinuationProblem, point: CurvePoint, keep: Keep | None) -> Point:
    """What the branch stores of a point of the curve."""
    kept = compact_state(run.curve.unknowns(point.u)) if keep is None else np.array(keep(run.curve.state(point.u)))
    return Point(
        kept=kept,  # a copy: a view would keep the whole state alive
        free=tuple(point.u[run.curve.size :].tolist()),
        spectrum=point.spectrum.without_vector() if run.detect else None,
        residual=point.residual,
        iterations=point.iterations,
        arclength=point.arclength,
        curve=run.curve,
    )
