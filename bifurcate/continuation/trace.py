"""Continuation: ``steps``, a generator for those who drive it themselves, and ``trace``, which returns a Branch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch, BranchEnds, Point
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.continuation.progress import Progress
from bifurcate.continuation.starting_point import first_point, prepare_run
from bifurcate.continuation.step_control import StepControl
from bifurcate.continuation.stepper import Step, continue_from
from bifurcate.curves.corrector import adapt_equations
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.deprecation import old_positions
from bifurcate.errors import Stop
from bifurcate.linalg.low_rank import LowRank
from bifurcate.validation import check_callable

__all__ = ["steps", "trace"]

SMALLEST_FACTORED = 10**4  # size limit: entries from which on a matrix state is worth the search for its thin factors
SEAM = 1e-4  # a branch point met again within this arclength of the last one may be the same, met from the next step
SEAM_ERRORS = 10.0  # ... if their parameters differ by no more than this many times their errors

Keep = Callable[[NDArray[np.float64]], Any]


@old_positions("direction", "control", "detect")
def steps(
    curve: Curve,
    bounds: Mapping[str, tuple[float, float]],
    *,
    direction: int = 1,
    control: StepControl | None = None,
    corrector: Corrector | None = None,
    detect: bool = True,
) -> Iterator[Step]:
    """Follow a curve in one direction, a step at a time.

    The first item is the corrected start (length 0). The last one carries its ``stop``.

    Parameters
    ----------
    curve, bounds, control, corrector, detect
        As for :func:`trace`.
    direction : {1, -1}
        Towards growing or falling values of the first free parameter; with a ``curve.direction``, along or against it.

    Yields
    ------
    Step

    Examples
    --------
    >>> import bifurcate as bf
    >>> curve = bf.cycles(bf.maps.logistic(), free="r", guess=[0.6])
    >>> following = bf.steps(curve, {"r": (2.0, 3.2)})
    >>> next(following).parameters, next(following).parameters["r"] > 2.5
    ({'r': 2.5}, True)
    """
    run = prepare_run(curve, bounds, control, corrector, detect)
    with np.errstate(all="ignore"):
        start = first_point(run)
        run = run.with_curve(adapt_equations(run.curve, start, run.metric))
    yield Step(run.curve, start, 0.0, StepEvents())
    following = continue_from(run, start.facing(1.0 if direction >= 0 else -1.0))
    while True:
        with np.errstate(all="ignore"):  # entered anew at every step: nothing outside is changed between them
            step = next(following, None)
        if step is None:
            return
        yield step


@old_positions("control", "detect", "keep", "progress")
def trace(
    curve: Curve,
    bounds: Mapping[str, tuple[float, float]],
    *,
    control: StepControl | None = None,
    corrector: Corrector | None = None,
    detect: bool = True,
    keep: Keep | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Branch:
    """Follow a curve in both directions until it leaves its bounds, closes, or cannot be followed further.

    Parameters
    ----------
    curve : Curve
        From :func:`cycles`, :func:`switch`, :func:`locus`.
    bounds : mapping of str to (float, float)
        Interval of every free parameter. The branch ends exactly on it.
    control : StepControl, optional
        Lengths of steps.
    corrector : Corrector, optional
        Tolerance and Newton steps with which predictions are brought onto the curve; the curve's own if not given.
    detect : bool
        Compute the multipliers at every point, and find and locate special points.
    keep : callable, optional
        What to store of a state, ``keep(state)`` → array; by default all of it, large matrices as thin factors where
        that is exact to rounding (see :class:`Point`).
    progress : callable, optional
        Called with a :class:`Progress` after every new point.

    Returns
    -------
    Branch
        Each point satisfies ‖f^k(x) − x‖_∞ ≤ tolerance · max(scale, ‖x‖_∞), with the corrector's tolerance (1e-11), or
        Newton's last step there was shorter than 1e-13 in the branch's metric. ``branch.stop`` tells why either end is
        an end. An interrupt (Ctrl-C) ends the branch and keeps it.

    Raises
    ------
    InvalidInput
        If bounds are missing, empty, of unknown parameters, or do not hold the start.
    NotConverged
        If the start cannot be corrected onto the curve.
    NotIsolated
        If the solutions at the start form a manifold.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), free="r", guess=[0.6]), bounds={"r": (0.5, 3.2)})
    >>> [(point.label, round(point.parameters["r"], 9)) for point in branch.special]
    [('BP', 1.0), ('PD', 3.0)]
    """
    run = prepare_run(curve, bounds, control, corrector, detect)
    check_callable("progress", progress, "progress(record)")
    check_callable("keep", keep, "keep(state)")
    halves: list[_Half] = []
    with np.errstate(all="ignore"):
        start = first_point(run)
        run = run.with_curve(adapt_equations(run.curve, start, run.metric))
        first = _branch_point_of(run, start, keep)
        if progress:
            progress(Progress(first.parameters, 1, 0, 0, first))
        for side in curve.sides:
            half = _follow(run, start.facing(side), keep, progress)
            halves.append(half)
            if half.stop.reason in ("closed", "interrupted"):
                break
    return _join(curve, first, halves)


@dataclass(eq=False)
class _Half:
    """What lies on one side of the start, in the order in which it was met."""

    stop: Stop
    points: list[Point] = field(default_factory=list)
    special: list[SpecialPoint] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def reversed(self) -> _Half:
        """The same in the opposite order, with negative arclengths."""
        points = [dataclasses.replace(point, arclength=-point.arclength) for point in self.points[::-1]]
        special = [dataclasses.replace(point, arclength=-point.arclength) for point in self.special[::-1]]
        return _Half(self.stop, points, special, self.doubts)


def _follow(
    run: ContinuationProblem, start: CurvePoint, keep: Keep | None, progress: Callable[[Progress], None] | None
) -> _Half:
    half = _Half(Stop("steps", str(run.control.max_steps)))
    try:
        for step in continue_from(run, start):
            events = step.events
            half.special.extend(point for point in events.points if not _repeats_last(half.special, point))
            half.doubts.extend(events.doubts + events.unlocated_crossings)
            if events.period_halved is None and step.length > 0:
                half.points.append(_branch_point_of(run, step.point, keep))
                if progress:
                    last = half.points[-1]
                    progress(Progress(last.parameters, len(half.points) + 1, len(half.special), 0, last))
            if step.stop is not None:
                half.stop = step.stop
    except KeyboardInterrupt:
        half.stop = Stop("interrupted")
    return half


def _join(curve: Curve, first: Point, halves: list[_Half]) -> Branch:
    """The branch made of one or two halves and the point between them."""
    ahead = halves[0]
    begin = Stop("origin", str(curve.origin)) if len(curve.sides) == 1 else ahead.stop
    end, points, special, doubts = ahead.stop, [first, *ahead.points], ahead.special, ahead.doubts
    if len(halves) == 2:
        behind = halves[1].reversed()
        begin, points, special = behind.stop, [*behind.points, *points], [*behind.special, *special]
        doubts = doubts + behind.doubts
    if curve.sides[0] < 0:
        begin, end = end, begin
    unsure = [point.spectrum for point in points if point.spectrum is not None and point.spectrum.note]
    if unsure:
        doubts = [*doubts, f"multipliers at {len(unsure)} of {len(points)} points: {unsure[0].note}"]
    return Branch(curve, tuple(points), tuple(special), BranchEnds(begin, end), tuple(dict.fromkeys(doubts)))


def _repeats_last(special: list[SpecialPoint], point: SpecialPoint) -> bool:
    """True if a branch point is the last special point met again at the seam of two steps."""
    if not special or point.kind != "branch point" or special[-1].kind != point.kind:
        return False
    last, n = special[-1], point.curve.size
    apart = float(np.abs(point.u[n:] - last.u[n:]).max())
    return abs(point.arclength - last.arclength) < SEAM and apart <= SEAM_ERRORS * (point.error + last.error)


def _branch_point_of(run: ContinuationProblem, point: CurvePoint, keep: Keep | None) -> Point:
    """What the branch stores of a point of the curve."""
    state = run.curve.state(point.u)
    return Point(
        kept=_compact(state) if keep is None else np.array(keep(state)),  # a view would keep the whole state alive
        free=tuple(point.u[run.curve.size :].tolist()),
        spectrum=point.spectrum.without_vector() if run.detect else None,
        residual=point.residual,
        iterations=point.iterations,
        arclength=point.arclength,
        curve=run.curve,
    )


def _compact(state: NDArray[np.float64]) -> NDArray[np.float64] | LowRank:
    """A state, as thin factors where it is a large matrix that these reproduce to rounding."""
    thin = LowRank.of(state) if state.ndim == 2 and state.size >= SMALLEST_FACTORED else None
    return state if thin is None else thin
