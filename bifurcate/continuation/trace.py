"""Continuation: steps, a generator for those who drive it themselves, and trace, which returns a Branch."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch, Point
from bifurcate.continuation.step_control import ContinuationRun, StepControl
from bifurcate.continuation.stepper import Step, continue_from
from bifurcate.curves.corrector import Corrector, CorrectorFailure, CurvePoint, Metric, adapt_equations, correct
from bifurcate.curves.curve import Curve
from bifurcate.errors import BifurcateError, InvalidInput, NotConverged, NotIsolated, Stop
from bifurcate.linalg.low_rank import LowRank
from bifurcate.linalg.multipliers import Spectrum

__all__ = ["check_interval", "steps", "trace"]

LARGE = 10**4  # entries from which on a matrix is worth the search for its factors

# Combinations of free parameters that may be held fixed at the start of a curve: a fold may stand still in either.
_PLANES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.7, 0.7, 0.1), (0.7, -0.7, 0.1), (0.1, 0.1, 0.9))


def steps(
    curve: Curve,
    bounds: Mapping[str, tuple[float, float]],
    direction: int = 1,
    control: StepControl | None = None,
    detect: bool = True,
) -> Iterator[Step]:
    """Walk along a curve in one direction, a step at a time.

    The first item is the corrected start (length 0). The last one carries its ``stop``.

    Parameters
    ----------
    curve, bounds, control, detect
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
    >>> walk = bf.steps(curve, {"r": (2.0, 3.2)})
    >>> next(walk).node.u.round(6)
    array([0.6, 2.5])
    """
    walk = _prepare(curve, bounds, StepControl() if control is None else control, detect)
    with np.errstate(all="ignore"):
        start = _start(walk)
        walk = dataclasses.replace(walk, curve=adapt_equations(walk.curve, start, walk.metric))
        sign = 1.0 if direction >= 0 else -1.0
        yield Step(start, 0.0, StepEvents())
        yield from continue_from(walk, dataclasses.replace(start, tangent=sign * start.tangent))


def trace(
    curve: Curve,
    bounds: Mapping[str, tuple[float, float]],
    control: StepControl | None = None,
    detect: bool = True,
    keep: Callable[[np.ndarray], Any] | None = None,
    progress: Callable[[Point], None] | None = None,
) -> Branch:
    """Follow a curve in both directions until it leaves its bounds, closes, or cannot be followed further.

    Parameters
    ----------
    curve : Curve
        From :func:`cycles`, :func:`switch`, ….
    bounds : mapping of str to (float, float)
        Interval of every free parameter. The branch ends exactly on it.
    control : StepControl, optional
        Lengths of steps.
    detect : bool
        Compute the multipliers at every point, and find and locate special points.
    keep : callable, optional
        What to store of a state, ``keep(state)`` → array; by default all of it, large matrices as thin factors where
        that is exact to rounding (see :class:`Point`).
    progress : callable, optional
        Called with every new Point.

    Returns
    -------
    Branch
        Each point satisfies ‖f^k(x) − x‖_∞ ≤ 1e-11 · max(scale, ‖x‖_∞), or Newton's last step there was shorter than
        1e-13 in the branch's metric. ``branch.stop`` tells why either end is an end. An
        interrupt (Ctrl-C) ends the branch and keeps it.

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
    walk = _prepare(curve, bounds, StepControl() if control is None else control, detect)
    halves: list[tuple[list[Point], list[SpecialPoint], list[str], Stop]] = []
    with np.errstate(all="ignore"):
        start = _start(walk)
        walk = dataclasses.replace(walk, curve=adapt_equations(walk.curve, start, walk.metric))
        first = _point(walk, start, keep)
        if progress:
            progress(first)
        for side in curve.sides:
            half = _follow(walk, dataclasses.replace(start, tangent=side * start.tangent), keep, progress)
            halves.append(half)
            if half[3].reason in ("closed", "interrupted"):
                break
    return _join(curve, first, halves)


def _join(curve: Curve, first: Point, halves: list[tuple[list[Point], list[SpecialPoint], list[str], Stop]]) -> Branch:
    points, special, doubts, end = halves[0]
    begin = Stop("origin", str(curve.origin)) if len(curve.sides) == 1 else end
    back: list[Point] = []
    if len(halves) == 2:
        back, reverse, more, begin = halves[1]
        back = [dataclasses.replace(point, arclength=-point.arclength) for point in back[::-1]]
        special = [dataclasses.replace(point, arclength=-point.arclength) for point in reverse[::-1]] + special
        doubts = doubts + more
    if curve.sides[0] < 0:
        begin, end = end, begin
    every = tuple([*back, first, *points])
    unsure = [point.spectrum for point in every if point.spectrum is not None and point.spectrum.note]
    if unsure:
        doubts = [*doubts, f"multipliers at {len(unsure)} of {len(every)} points: {unsure[0].note}"]
    return Branch(curve, every, tuple(special), (begin, end), tuple(dict.fromkeys(doubts)))


def _prepare(
    curve: Curve, bounds: Mapping[str, tuple[float, float]], control: StepControl, detect: bool
) -> ContinuationRun:
    if not isinstance(curve, Curve):
        raise InvalidInput(f"curve must be a Curve (cycles and switch make them), got {type(curve).__name__}")
    if not isinstance(control, StepControl):
        raise InvalidInput(f"control must be a StepControl(...), got {control!r}")
    if not isinstance(bounds, Mapping):
        raise InvalidInput(f"bounds must be a dict of intervals, as {{{curve.free[0]!r}: (low, high)}}, got {bounds!r}")
    for name in bounds:
        if name not in curve.free:
            raise InvalidInput(f"bounds name {name!r}, which is not free on this curve; free: {', '.join(curve.free)}")
    lower, upper = [], []
    for name in curve.free:
        if name not in bounds:
            raise InvalidInput(f"bounds must give an interval for {name!r}, as {{{name!r}: (low, high)}}")
        low, high = check_interval(name, bounds[name])
        here = curve.parameters(curve.start)[name]
        if not low <= here <= high:
            raise InvalidInput(f"the start has {name} = {here:.6g}, outside its bounds ({low:g}, {high:g})")
        lower.append(low)
        upper.append(high)
    low_high = np.array(lower), np.array(upper)
    widths = np.append(low_high[1] - low_high[0], np.full(len(curve.extra), 2.0))
    return ContinuationRun(curve, *low_high, Metric.of(curve, widths), control, detect)


def check_interval(name: str, given: Any) -> tuple[float, float]:
    """A parameter's bounds as two finite floats, or InvalidInput."""
    try:
        low, high = (float(value) for value in given)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"bounds of {name!r} are {given!r}; an interval (low, high) of two numbers is asked for"
        ) from error
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InvalidInput(f"bounds of {name!r} are ({low}, {high}); low < high, both finite, is asked for")
    return low, high


def _start(walk: ContinuationRun) -> CurvePoint:
    """The start corrected onto the curve, with its tangent."""
    curve = walk.curve
    found = _first_node(walk)
    if isinstance(found, CurvePoint):
        shorter = curve.iterate.least_period(found.at.orbit)
        if shorter < curve.period:
            raise InvalidInput(
                f"period is {curve.period}, but the start is a cycle of period {shorter}: continue it with "
                f"period={shorter}, or guess a point of a cycle of period {curve.period}"
            )
        if _is_singular(found, walk.metric):
            raise _singular_start(
                curve, CorrectorFailure("singular", "its derivative has a kernel of more than one dimension")
            )
        return found
    if found.reason == "not-isolated":
        raise NotIsolated(f"{found.detail}. {curve.iterate.map.advice}".strip())
    if found.reason == "singular":
        raise _singular_start(curve, found)
    raise NotConverged(
        f"the start could not be corrected onto the curve ({found.reason}: {found.detail})",
        curve.state(curve.start),
        (float(np.abs(curve.equations.evaluate(curve.start).residual).max()),),
        "Start from a solution of solve(...) or from a longer orbit of the map.",
    )


def _first_node(walk: ContinuationRun) -> CurvePoint | CorrectorFailure:
    """The start corrected on the plane that it meets most squarely: across its direction, or of fixed parameters."""
    curve, metric, n = walk.curve, walk.metric, walk.curve.size
    generous, start = Corrector(max_iterations=30), curve.start
    if curve.direction is not None:
        row = metric.dual(curve.direction)
        return correct(curve, start, row, float(row @ start), metric, generous, curve.direction)
    best: CurvePoint | CorrectorFailure = CorrectorFailure("diverged")
    squarest = 0.0
    for parts in _PLANES[: 1 if len(walk.lower) == 1 else None]:
        row, orient = np.zeros(len(start)), np.zeros(len(start))
        row[walk.free] = np.array(parts[: len(walk.lower)]) / (walk.upper - walk.lower)
        orient[n : n + 2] = (1.0, 1e-9)[: len(orient) - n]
        found = correct(curve, start, row, float(row @ start), metric, generous, orient)
        if isinstance(found, CorrectorFailure):
            best = best if isinstance(best, CurvePoint) else found
        elif abs(row @ found.tangent) > squarest:
            best, squarest = found, abs(float(row @ found.tangent))
        if squarest > 0.3:
            break
    return best


def _is_singular(node: CurvePoint, metric: Metric) -> bool:
    """Whether the derivative of a dense curve's equations has lower than full rank, to the accuracy of differences."""
    M = node.linear.M
    if not isinstance(M, np.ndarray) or len(M) > 500:
        return False
    upper = np.vstack([np.hstack([M, node.linear.B]), np.hstack([node.linear.C, node.linear.D])])
    upper *= np.append(np.full(len(M), metric.unit), metric.widths)
    upper[: len(M)] /= metric.unit
    values = np.linalg.svd(upper, compute_uv=False)
    return bool(values[-1] <= 1e-11 * max(values[0], 1.0))


def _singular_start(curve: Curve, found: CorrectorFailure) -> BifurcateError:
    at = curve.equations.evaluate(curve.start)
    return NotConverged(
        f"the equations are singular at the start ({found.detail})",
        curve.state(curve.start),
        (float(np.abs(at.residual).max()),),
        "It sits on a fold or branch point, or its solutions are not isolated: start at a slightly different "
        "parameter. " + curve.iterate.map.advice,
    )


def _follow(
    walk: ContinuationRun, start: CurvePoint, keep: Callable | None, progress: Callable | None
) -> tuple[list[Point], list[SpecialPoint], list[str], Stop]:
    points: list[Point] = []
    special: list[SpecialPoint] = []
    doubts: list[str] = []
    stop = Stop("steps", str(walk.control.max_steps))
    try:
        for step in continue_from(walk, start):
            special.extend(point for point in step.finding.points if not _repeats(special, point))
            doubts.extend(step.finding.doubts + step.finding.crowds)
            if step.finding.collapsed is None and step.length > 0:
                points.append(_point(walk, step.node, keep))
                if progress:
                    progress(points[-1])
            if step.stop is not None:
                stop = step.stop
    except KeyboardInterrupt:
        stop = Stop("interrupted")
    return points, special, doubts, stop


def _repeats(special: list[SpecialPoint], point: SpecialPoint) -> bool:
    """Whether the last special point is this one, met again at the seam of two steps."""
    if not special or point.kind != "branch point" or special[-1].kind != point.kind:
        return False
    last, n = special[-1], point.curve.size
    apart = float(np.abs(point.u[n:] - last.u[n:]).max())
    return abs(point.arclength - last.arclength) < 1e-4 and apart <= 10.0 * (point.error + last.error)


def _point(walk: ContinuationRun, node: CurvePoint, keep: Callable | None) -> Point:
    curve = walk.curve
    state = curve.state(node.u)
    return Point(
        _kept(state) if keep is None else np.array(keep(state)),  # a view would keep the whole state alive
        tuple(node.u[curve.size :].tolist()),
        _light(node.spectrum) if walk.detect else None,
        node.residual,
        node.iterations,
        node.arclength,
    )


def _light(spectrum: Spectrum) -> Spectrum:
    return spectrum if spectrum.vector is None else dataclasses.replace(spectrum, vector=None)


def _kept(state: np.ndarray) -> np.ndarray | LowRank:
    thin = LowRank.of(state) if state.ndim == 2 and state.size >= LARGE else None
    return state if thin is None else thin
