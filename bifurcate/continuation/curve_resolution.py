"""How many modes the closed curves on a branch have, and leaps over where no number of them resolves a curve.

A closed invariant curve that is nearly locked to a cycle, or nearly breaks up, has modes that decay ever more slowly.
Where no number of modes that is allowed resolves it, steps several times as long are tried: beyond the interval of
locking the curve goes on. If none succeeds the branch ends, and says what the last curve was like.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents, detect_events
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.continuation.taken_step import TakenStep
from bifurcate.curves.corrector import correct
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.invariant_curve_equations import KIND, LARGEST_CURVE, InvariantCurveEquations
from bifurcate.curves.step_cache import StepCache
from bifurcate.errors import Stop

__all__ = ["has_modes", "in_enough_modes"]

Array = NDArray[np.float64]

LEAPS = 10  # longer and longer steps that are tried
LEAP_GROWTH = 1.4  # by which each is longer than the one before
LARGEST_MISS = 0.5  # part of a leap that its correction may be as long as
LEAST_SHARE = 0.02  # of the parameter, in widths of its bounds, in the tangent: less, and the curve is at a fold
# 1/q² times the first of these is how near a rotation number is to p/q where that is named, the second at the most
NEAR_FRACTION, NEAREST = 0.2, 0.01
# Along closed curves: part of a step's length below which a shorter one was taken because something was in its way; the
# shortest leap, in the metric; and how many times as many angles a curve may need beyond one.
REFUSED, FINEST_LEAP, MORE_ANGLES = 0.75, 1e-3, 1.7
LARGEST_DENOMINATOR = 40  # of a fraction that is named: intervals of locking fall exponentially with it


class _Resolved(NamedTuple):
    """A run with the number of modes that a new point needs, and the last points in these."""

    run: ContinuationProblem
    before: CurvePoint
    here: CurvePoint
    new: CurvePoint


def has_modes(run: ContinuationProblem) -> bool:
    """True if the points of the curve that is followed are closed curves."""
    return run.curve.kind == KIND


def in_enough_modes(
    run: ContinuationProblem,
    before: CurvePoint,
    here: CurvePoint,
    length: float,
    taken: TakenStep | Stop | CorrectorFailure,
) -> tuple[ContinuationProblem, CurvePoint, CurvePoint, TakenStep | Stop | CorrectorFailure]:
    """A step along closed curves in as many modes as its new point needs, or over a resonance in its way.

    Steps along other curves, and their last two points, are returned as they are.
    """
    if not has_modes(run):
        return run, before, here, taken
    m, most = run.curve.iterate.shape[0], LARGEST_CURVE // math.prod(run.curve.iterate.state_shape)
    found = None
    if isinstance(taken, TakenStep):
        found = _resolve(run, before, here, taken.point)
        is_refused = taken.stop is None and taken.length < REFUSED * length
        if found is not None and not (is_refused and length > FINEST_LEAP):
            return found.run, found.before, found.here, taken._replace(point=found.new)
        most = most if found is None else min(most, int(MORE_ANGLES * m))
    elif isinstance(taken, Stop) or taken.reason not in ("diverged", "singular"):
        return run, before, here, taken
    leap = _leap_over(run, before, here, max(length, FINEST_LEAP), most)
    if leap is not None:
        new = leap.new
        events = StepEvents()
        if run.detect:
            events = detect_events(leap.run.curve, leap.here, new, leap.run.metric, StepCache())
        words = _words_on_leap(leap)
        events = dataclasses.replace(events, doubts=[*events.doubts, words] if words else events.doubts)
        return leap.run, leap.before, leap.here, TakenStep(new, None, new.arclength - here.arclength, events)
    if found is not None and isinstance(taken, TakenStep):
        return found.run, found.before, found.here, taken._replace(point=found.new)
    return run, before, here, Stop("unresolved", _words_on_modes(run, here))


def _resolve(run: ContinuationProblem, before: CurvePoint, here: CurvePoint, new: CurvePoint) -> _Resolved | None:
    """The same step in as many modes as its new point needs; None if more would be needed than is allowed.

    Parameters
    ----------
    run : ContinuationProblem
        A curve of closed curves.
    before, here, new : CurvePoint
        The last two points, and the one to which the step led.
    """
    found = _Resolved(run, before, here, new)
    while True:
        equations = _equations(found.run)
        m = equations.angles_wanted(found.new.u)
        if m == equations.iterate.shape[0]:
            return found
        if m * equations.iterate.dimension > LARGEST_CURVE:
            return None
        resized = _resized(found, m)
        if resized is None:
            return None
        if m < equations.iterate.shape[0]:
            return resized
        found = resized


def _equations(run: ContinuationProblem) -> InvariantCurveEquations:
    return cast(InvariantCurveEquations, run.curve.equations)


def _resized(found: _Resolved, m: int) -> _Resolved | None:
    """The same with m angles, the new point being corrected there; None if Newton's method fails."""
    old = _equations(found.run)
    equations, u = old.resized(found.new.u, m)
    start = np.concatenate(
        [old.iterate.resampled(found.run.curve.start[: old.iterate.size], m), u[equations.iterate.size :]]
    )
    start[equations.iterate.size :] = found.run.curve.start[old.iterate.size :]
    curve = found.run.curve.replace(equations=equations, start=start, direction=None)
    run = found.run.with_curve(curve)
    before, here = (_moved(point, old, m) for point in (found.before, found.here))
    normal = _of_constant_parameter(run, here)
    new = correct(curve, u, normal, float(normal @ u), run.metric, None, here.tangent)
    return _Resolved(run, before, here, new.placed(found.new.arclength)) if isinstance(new, CurvePoint) else None


def _moved(point: CurvePoint, equations: InvariantCurveEquations, m: int) -> CurvePoint:
    """A point that was passed, with other angles: where predictions start."""
    n = equations.iterate.size
    u, t = (np.concatenate([equations.iterate.resampled(each[:n], m), each[n:]]) for each in (point.u, point.tangent))
    return dataclasses.replace(point.without_factors(), u=u, tangent=t)


def _leap_over(
    run: ContinuationProblem, before: CurvePoint, here: CurvePoint, length: float, most: int
) -> _Resolved | None:
    """A longer step along the tangent, to a fixed value of the parameter at which the curve is resolved again.

    Near a resonance the modes that belong to it bend the curve in a way that has nothing to do with how it goes on
    beyond, so that the corrector's hyperplane is one of constant parameter.

    Parameters
    ----------
    run, before, here
        The curve, and its last two points.
    length : float
        Of the first try, in the metric.
    most : int
        Angles that the curve may need there.

    Returns
    -------
    _Resolved or None
        None if none of the longer and longer steps succeeds within the bounds.
    """
    normal = _of_constant_parameter(run, here)
    if np.count_nonzero(normal) > 1:
        return None
    for number in range(LEAPS):
        guess = here.u + LEAP_GROWTH**number * length * here.tangent
        if _is_outside(run, guess):
            return None
        new = correct(run.curve, guess, normal, float(normal @ guess), run.metric, None, here.tangent)
        if not isinstance(new, CurvePoint) or _is_outside(run, new.u):
            continue
        apart = run.metric.norm(new.u - here.u)
        if run.metric.norm(new.u - guess) > LARGEST_MISS * apart or run.metric.dot(here.tangent, new.tangent) < 0.0:
            continue
        found = _resolve(run, before, here, new.placed(here.arclength + apart))
        if found is not None and _equations(found.run).iterate.shape[0] <= most:
            return found
    return None


def _of_constant_parameter(run: ContinuationProblem, here: CurvePoint) -> Array:
    """The normal of a hyperplane on which the parameter that changes most is constant; at folds that of the tangent."""
    shares = np.abs(here.tangent[run.free]) / run.widths
    i = int(np.argmax(shares))
    if shares[i] < LEAST_SHARE:
        return run.metric.dual(here.tangent)
    normal = np.zeros(len(here.u))
    normal[run.curve.size + i] = 1.0 / run.widths[i]
    return normal


def _is_outside(run: ContinuationProblem, u: Array) -> bool:
    return bool((u[run.free] < run.lower).any() or (u[run.free] > run.upper).any())


def _words_on_leap(found: _Resolved) -> str:
    """The fraction of least denominator among the rotation numbers that a leap passed; "" if that is large."""
    equations = _equations(found.run)
    ends = equations.rotation_at(found.here.u), equations.rotation_at(found.new.u)
    places = [found.run.curve.where(point.u) for point in (found.here, found.new)]
    q = 1
    while q <= LARGEST_DENOMINATOR and math.ceil(min(ends) * q) > max(ends) * q:
        q += 1
    if q > LARGEST_DENOMINATOR:
        return ""
    p, k = math.ceil(min(ends) * q), q * equations.iterate.steps
    return (
        f"between {places[0]} and {places[1]} the rotation number passes {p}/{q}: there the curve is locked to cycles "
        f"of period {k}, in an interval whose edges were not looked for"
    )


def _words_on_modes(run: ContinuationProblem, here: CurvePoint) -> str:
    """What a curve is like beyond which none is resolved: its rotation number, modes, and the fraction it is near."""
    equations = _equations(run)
    rho, modes = equations.rotation_at(here.u), equations.iterate.shape[0] // 2
    words = f"rotation number {rho:.8g}, {modes} modes"
    for q in range(1, LARGEST_DENOMINATOR + 1):
        p = round(rho * q)
        if abs(rho - p / q) < min(NEAR_FRACTION / (q * q), NEAREST):
            k = q * equations.iterate.steps
            return f"{words}; near {p}/{q}, where it is locked to a cycle of period {k}, unless it breaks up before"
    return f"{words}; it is about to lose its smoothness, or the attraction to it"
