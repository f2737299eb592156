"""The start of a continuation: arguments checked, the first point corrected onto the curve, singular starts refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import scipy.linalg

from bifurcate.bifurcations.codimension_one.located_points import derivative_noise
from bifurcate.bifurcations.codimension_one.user_events import check_events
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.continuation.special_start import is_critical, regular_point_beside
from bifurcate.continuation.step_control import StepControl, above_noise
from bifurcate.curves.corrector import FAR_FROM_ZERO, correct
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint, Multipliers
from bifurcate.curves.event import as_events
from bifurcate.curves.invariant_curve_equations import KIND
from bifurcate.curves.metric import Metric
from bifurcate.errors import BifurcateError, InvalidInput, MapFailed, NotConverged, NotIsolated
from bifurcate.linalg.multipliers import EDGE
from bifurcate.linalg.null_space import fix_sign
from bifurcate.linalg.threads import one_thread
from bifurcate.maps.iterated_map import NARROW, WIDE, IteratedMap
from bifurcate.newton.solution_manifold import manifold_words, tangent_of_manifold
from bifurcate.newton.solve import ISOLATE
from bifurcate.validation import check_flag, check_instance, check_interval

__all__ = ["first_point", "measure_edge", "prepare_run"]

# Combinations of free parameters that may be held fixed at the start of a curve: a fold may stand still in either.
FIXED_COMBINATIONS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.7, 0.7, 0.1), (0.7, -0.7, 0.1), (0.1, 0.1, 0.9))
START_ITERATIONS = 30  # Newton steps for the first point: a guess may be far from the curve, a prediction is not
SQUARE_ENOUGH = 0.3  # a hyperplane is taken at once if the curve meets it at more than this sine of an angle
SOLUTION = 1e-6  # residual, in units of the state, up to which a start that cannot be corrected is a solution itself
NEUTRAL = 1e-14  # distance of a multiplier from the unit circle, in units of the largest one, up to which it lies on it
AWAY = 0.1  # arclength from the start at which multipliers are looked at again, in the metric
SLOW = 1e-3  # distance of the nearest multiplier from the circle below which distances are measured in its units
EIGENVALUE_ROUNDING = 4e-15  # error of an eigenvalue, in units of the largest: what multipliers are counted to at least
OFFSET = 100.0  # scales of the map that a state must be large to be thought of as lying far from 0
LEAST_VARIATION = 1e-8  # part of such a state that counts as its variation at least
TIE = 1e-9  # weight of the second parameter in the orientation of a start, where the first one stands still
LARGEST_CHECKED = 500  # size limit: unknowns up to which the rank of the equations at the start is found by an SVD
RANK_TOLERANCE = 1e-11  # a singular value below this part of the largest is 0: the error of differenced Jacobians
EXTRA_WIDTH = 2.0  # width of what else is unknown: a cosine runs from −1 to 1


def prepare_run(
    curve: Curve,
    bounds: Mapping[str, tuple[float, float]],
    control: StepControl | None,
    corrector: Corrector | None,
    detect: bool,
    events: Any = None,
) -> ContinuationProblem:
    """Check the arguments of :func:`~.trace.trace` and gather them.

    Raises
    ------
    InvalidInput
        If bounds are missing, empty, of unknown parameters, or do not hold the start.
    """
    check_instance("curve", curve, Curve, "cycles, switch and locus make them")
    check_flag("detect", detect)
    control = StepControl() if control is None else control
    check_instance("control", control, StepControl, "write StepControl(...)")
    if corrector is not None:
        check_instance("corrector", corrector, Corrector, "write Corrector(...)")
        curve = curve.replace(corrector=corrector)
    if events is not None or curve.events:
        curve = check_events(curve.replace(events=as_events(curve.events if events is None else events)))
    if not isinstance(bounds, Mapping):
        raise InvalidInput(f"bounds must be a dict of intervals, as {{{curve.free[0]!r}: (low, high)}}, got {bounds!r}")
    for name in bounds:
        if name not in curve.free:
            raise InvalidInput(f"bounds name {name!r}, which is not free on this curve; free: {', '.join(curve.free)}")
    lower, upper = [], []
    for name in curve.free:
        if name not in bounds:
            raise InvalidInput(f"bounds must give an interval for {name!r}, as {{{name!r}: (low, high)}}")
        least, most = check_interval(name, bounds[name])
        here = curve.parameters(curve.start)[name]
        if not least <= here <= most:
            raise InvalidInput(f"the start has {name} = {here:.6g}, outside its bounds ({least:g}, {most:g})")
        lower.append(least)
        upper.append(most)
    low, high = np.array(lower), np.array(upper)
    curve = _with_widths(curve, high - low)
    widths = np.append(high - low, np.full(len(curve.extra), EXTRA_WIDTH))
    control = above_noise(control, curve.iterate.map.precision)
    return ContinuationProblem(curve, low, high, _learnt(curve, Metric.of(curve, widths)), control, detect)


def _learnt(curve: Curve, metric: Metric) -> Metric:
    """The metric with the unit of a state that lies far from 0, as a temperature in kelvin: what it varies by.

    To first order that is |∂x/∂p| times the width of the bounds.
    """
    if curve.codimension > 0 or curve.size > LARGEST_CHECKED or metric.unit < OFFSET * curve.iterate.map.scale:
        return metric
    at = curve.equations.evaluate(curve.start)
    if not at.margin > 0.0:
        return metric
    linear = curve.equations.linearise(at)
    with one_thread(curve.size):
        slope = np.linalg.lstsq(linear.M @ np.eye(curve.size), -linear.B[:, 0] * metric.widths[0], rcond=None)[0]
    varies = float(np.linalg.norm(slope)) / np.sqrt(curve.size)
    unit = max(varies, curve.iterate.map.scale, LEAST_VARIATION * metric.unit)
    if not unit < FAR_FROM_ZERO * metric.unit:
        return metric
    return dataclasses.replace(metric, state=metric.state * (metric.unit / unit) ** 2)


def _with_widths(curve: Curve, widths: np.ndarray) -> Curve:
    """The curve with what its parameters' difference steps are to follow, where bounds are far from 1 wide."""
    if all(NARROW <= width <= WIDE for width in widths.tolist()):
        return curve
    iterate = dataclasses.replace(curve.iterate, widths=tuple(zip(curve.free, widths.tolist(), strict=True)))
    return curve.replace(equations=dataclasses.replace(cast(Any, curve.equations), iterate=iterate))


def first_point(run: ContinuationProblem) -> CurvePoint:
    """The start corrected onto the curve, with its tangent.

    Raises
    ------
    InvalidInput
        If the start is a cycle of a smaller period than the curve's.
    NotConverged
        If the corrector fails, or the equations are singular there.
    NotIsolated
        If the solutions at the start form a manifold.
    MapFailed
        If the map fails there.
    """
    curve = run.curve
    found = _correct_start(run)
    # A curve that was begun at a fold knows its direction there, and still has the fold at its very start.
    if (curve.direction is None or (curve.origin is None and len(curve.sides) > 1)) and run.detect:
        if isinstance(found, CurvePoint):
            found = (regular_point_beside(run, found.u) if is_critical(found) else None) or found
        elif _is_solution(curve):
            found = regular_point_beside(run, curve.start) or found
    if isinstance(found, CurvePoint):
        shorter = curve.iterate.least_period(found.at.orbit)
        if shorter < curve.period:
            raise InvalidInput(
                f"period is {curve.period}, but the start is a cycle of period {shorter}: continue it with "
                f"period={shorter}, or guess a point of a cycle of period {curve.period}"
            )
        if _is_singular(found, run.metric, curve.iterate.map.precision.slope_error):
            raise _singular_start(
                curve, CorrectorFailure("singular", "its derivative has a kernel of more than one dimension")
            )
        return found
    if found.reason == "not-isolated":
        raise NotIsolated(f"{found.detail}. {curve.iterate.map.advice}".strip())
    if found.reason == "failed":
        raise MapFailed(f"the start could not be corrected onto the curve: {found.detail}")
    if found.reason == "singular":
        raise _singular_start(curve, found)
    raise NotConverged(
        f"the start could not be corrected onto the curve ({found.reason}: {found.detail})",
        curve.state(curve.start),
        (float(np.abs(curve.equations.evaluate(curve.start).residual).max()),),
        "Start from a solution of solve(...) or from a longer orbit of the map.",
    )


def measure_edge(run: ContinuationProblem, start: CurvePoint) -> tuple[ContinuationProblem, CurvePoint]:
    """The curve with the distance from the unit circle at which multipliers are counted, and its start.

    Along a slow rule x + ε g(x) all multipliers differ from 1 by ε: what is near the circle is measured in units of how
    near the nearest one is at the start. Where the map is noisy, it is what its noise moves multipliers by.
    """
    curve = run.curve
    if not run.detect or curve.codimension > 0 or curve.kind == KIND or not start.spectrum.complete:
        return run, start
    if curve.iterate.map.precision.is_noisy:
        return _with_edge(run, start, max(EDGE, derivative_noise(curve, start)))
    nearest, largest = _nearest_to_circle(start)
    if nearest < SLOW:  # perhaps the start lies beside a special point only
        normal = run.metric.dual(start.tangent)
        for side in (1.0, -1.0):
            guess = start.u + side * AWAY * start.tangent
            other = correct(curve, guess, normal, float(normal @ guess), run.metric, None, start.tangent)
            if isinstance(other, CurvePoint) and other.spectrum.complete:
                nearest = max(nearest, min(_nearest_to_circle(other)[0], SLOW))
    if nearest >= SLOW:
        return run, start
    return _with_edge(run, start, max(EDGE * nearest / SLOW, EIGENVALUE_ROUNDING * largest))


def _with_edge(run: ContinuationProblem, start: CurvePoint, edge: float) -> tuple[ContinuationProblem, CurvePoint]:
    """The run, and its start, with another distance from the unit circle at which multipliers are counted."""
    multipliers = Multipliers(start.linear.jacobian, start.tangent[: run.curve.size], edge)
    return run.with_curve(run.curve.replace(edge=edge)), dataclasses.replace(start, multipliers=multipliers)


def _nearest_to_circle(point: CurvePoint) -> tuple[float, float]:
    """Distance from the unit circle of the nearest multiplier that does not lie on it, and the largest modulus, ≥ 1."""
    values = point.spectrum.values
    largest = max(1.0, float(np.abs(values).max()))
    distances = np.abs(np.abs(values) - 1.0)
    return float(distances[distances > NEUTRAL * largest].min(initial=np.inf)), largest


def _is_solution(curve: Curve) -> bool:
    """True if the start solves the equations, to the accuracy with which special points are found by others."""
    at = curve.equations.evaluate(curve.start)
    unit = max(curve.iterate.map.scale, float(np.abs(curve.start[: curve.size]).max()))
    return bool(np.abs(at.residual).max() <= SOLUTION * unit)


def _correct_start(run: ContinuationProblem) -> CurvePoint | CorrectorFailure:
    """The start corrected on the hyperplane that the curve meets most squarely.

    That is the one across the curve's direction where this is known, or can be told because the start is on a curve in
    two parameters, as a special point that another curve has found is; else one of a fixed combination of parameters.
    """
    curve, metric, n = run.curve, run.metric, run.curve.size
    start = curve.start
    patient = dataclasses.replace(curve.corrector, max_iterations=max(START_ITERATIONS, curve.corrector.max_iterations))
    if curve.direction is not None:
        normal = metric.dual(curve.direction)
        return correct(curve, start, normal, float(normal @ start), metric, patient, curve.direction)
    if curve.codimension > 0 and len(run.lower) > 1 and _is_solution(curve):
        across = _correct_across_null_vector(run, patient)
        if across is not None and curve.iterate.least_period(across.at.orbit) == curve.period:
            return across
    best: CurvePoint | CorrectorFailure = CorrectorFailure("diverged")
    squarest = 0.0
    for parts in FIXED_COMBINATIONS[: 1 if len(run.lower) == 1 else None]:
        normal, orientation = np.zeros(len(start)), np.zeros(len(start))
        normal[run.free] = np.array(parts[: len(run.lower)]) / (run.upper - run.lower)
        orientation[n : n + 2] = (1.0, TIE)[: len(orientation) - n]
        found = correct(curve, start, normal, float(normal @ start), metric, patient, orientation)
        if isinstance(found, CorrectorFailure):
            best = best if isinstance(best, CurvePoint) else found
        elif abs(normal @ found.tangent) > squarest:
            best, squarest = found, abs(float(normal @ found.tangent))
        if squarest > SQUARE_ENOUGH:
            break
    if isinstance(best, CorrectorFailure) and best.reason == "singular" and len(run.lower) > 1:
        return _correct_across_null_vector(run, patient) or best
    return best


def _correct_across_null_vector(run: ContinuationProblem, corrector: Corrector) -> CurvePoint | None:
    """The start corrected across the null vector of its equations, where no parameter moves along the curve.

    So it is where a curve of Neimark–Sacker points leaves its point R1, at which folds turn in both parameters.
    """
    curve, metric = run.curve, run.metric
    at = curve.equations.evaluate(curve.start)
    linear = curve.equations.linearise(at) if at.margin > 0 else None
    if linear is None or linear.slopes is not None or not isinstance(linear.M, np.ndarray):
        return None
    units = np.append(np.full(curve.size, metric.unit), metric.widths)
    upper = np.vstack([np.hstack([linear.M, linear.B]), np.hstack([linear.C, linear.D])]) * units
    t = fix_sign(np.linalg.svd(upper)[2][-1]) * units
    normal, t = metric.dual(t / metric.norm(t)), t / metric.norm(t)
    found = correct(curve, curve.start, normal, float(normal @ curve.start), metric, corrector, t)
    return found if isinstance(found, CurvePoint) else None


def _is_singular(point: CurvePoint, metric: Metric, noise: float) -> bool:
    """True if the derivative of a dense curve's equations has lower than full rank, to the accuracy of differences."""
    M = point.linear.M
    if not isinstance(M, np.ndarray) or len(M) > LARGEST_CHECKED:
        return False
    upper = np.vstack([np.hstack([M, point.linear.B]), np.hstack([point.linear.C, point.linear.D])])
    upper *= np.append(np.full(len(M), metric.unit), metric.widths)
    upper[: len(M)] /= metric.unit
    least = max(RANK_TOLERANCE, noise)
    if not _has_low_rank(upper, least):
        return False
    # Components of the state in units of their own make it look so, too: balance the Jacobian.
    n = len(M)
    _, (units, _) = scipy.linalg.matrix_balance(M + np.eye(n), permute=False, separate=True)
    upper[:n] /= units[:, None]
    upper[:, :n] *= units
    sizes = np.abs(upper[:, n:]).max(axis=0)
    upper[:, n:] /= np.where(sizes > 0.0, sizes, 1.0)
    return _has_low_rank(upper, least)


def _has_low_rank(matrix: np.ndarray, least: float) -> bool:
    with one_thread(len(matrix)):
        values = np.linalg.svd(matrix, compute_uv=False)
    return bool(values[-1] <= least * max(float(values[0]), 1.0))


def _singular_start(curve: Curve, found: CorrectorFailure) -> BifurcateError:
    """The error that says what a singular start may be, and what to try."""
    at = curve.equations.evaluate(curve.start)
    if curve.codimension == 0 and (words := _manifold_at_start(curve)):
        return NotIsolated(f"{words}. {curve.iterate.map.advice or ISOLATE}".strip())
    return NotConverged(
        f"the equations are singular at the start ({found.detail})",
        curve.state(curve.start),
        (float(np.abs(at.residual).max()),),
        "It sits on a fold or branch point, or its solutions are not isolated: start at a slightly different "
        "parameter. If its components have sizes far apart, give each a unit: bf.in_units. " + curve.iterate.map.advice,
    )


def _manifold_at_start(curve: Curve) -> str:
    """How the solutions at a start form a manifold, in words; "" if they do not, or the start is no solution."""
    x, values = curve.start[: curve.size], curve.parameters(curve.start)
    map = dataclasses.replace(curve.iterate.map, parameters=values, at=None)
    iterate = dataclasses.replace(curve.iterate, map=map)
    if not isinstance(iterate, IteratedMap):
        return ""
    return manifold_words(tangent_of_manifold(iterate, x, iterate.jacobian(iterate.orbit(x, values), values)))
