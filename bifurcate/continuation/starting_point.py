"""The start of a continuation: arguments checked, the first point corrected onto the curve, singular starts refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.continuation.special_start import is_critical, regular_point_beside
from bifurcate.continuation.step_control import StepControl
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.errors import BifurcateError, InvalidInput, MapFailed, NotConverged, NotIsolated
from bifurcate.validation import check_instance, check_interval

__all__ = ["first_point", "prepare_run"]

# Combinations of free parameters that may be held fixed at the start of a curve: a fold may stand still in either.
FIXED_COMBINATIONS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.7, 0.7, 0.1), (0.7, -0.7, 0.1), (0.1, 0.1, 0.9))
START_ITERATIONS = 30  # Newton steps for the first point: a guess may be far from the curve, a prediction is not
SQUARE_ENOUGH = 0.3  # a hyperplane is taken at once if the curve meets it at more than this sine of an angle
SOLUTION = 1e-6  # residual, in units of the state, up to which a start that cannot be corrected is a solution itself
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
) -> ContinuationProblem:
    """Check the arguments of :func:`~.trace.trace` and gather them.

    Raises
    ------
    InvalidInput
        If bounds are missing, empty, of unknown parameters, or do not hold the start.
    """
    check_instance("curve", curve, Curve, "cycles, switch and locus make them")
    control = StepControl() if control is None else control
    check_instance("control", control, StepControl, "write StepControl(...)")
    if corrector is not None:
        check_instance("corrector", corrector, Corrector, "write Corrector(...)")
        curve = curve.replace(corrector=corrector)
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
    widths = np.append(high - low, np.full(len(curve.extra), EXTRA_WIDTH))
    return ContinuationProblem(curve, low, high, Metric.of(curve, widths), control, detect)


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
    if curve.direction is None and run.detect:
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
        if _is_singular(found, run.metric):
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


def _is_solution(curve: Curve) -> bool:
    """True if the start solves the equations, to the accuracy with which special points are found by others."""
    at = curve.equations.evaluate(curve.start)
    unit = max(curve.iterate.map.scale, float(np.abs(curve.start[: curve.size]).max()))
    return bool(np.abs(at.residual).max() <= SOLUTION * unit)


def _correct_start(run: ContinuationProblem) -> CurvePoint | CorrectorFailure:
    """The start corrected on the hyperplane that the curve meets most squarely.

    That is the one across the curve's direction where this is known, else one of a fixed combination of parameters.
    """
    curve, metric, n = run.curve, run.metric, run.curve.size
    start = curve.start
    patient = dataclasses.replace(curve.corrector, max_iterations=max(START_ITERATIONS, curve.corrector.max_iterations))
    if curve.direction is not None:
        normal = metric.dual(curve.direction)
        return correct(curve, start, normal, float(normal @ start), metric, patient, curve.direction)
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
    return best


def _is_singular(point: CurvePoint, metric: Metric) -> bool:
    """True if the derivative of a dense curve's equations has lower than full rank, to the accuracy of differences."""
    M = point.linear.M
    if not isinstance(M, np.ndarray) or len(M) > LARGEST_CHECKED:
        return False
    upper = np.vstack([np.hstack([M, point.linear.B]), np.hstack([point.linear.C, point.linear.D])])
    upper *= np.append(np.full(len(M), metric.unit), metric.widths)
    upper[: len(M)] /= metric.unit
    values = np.linalg.svd(upper, compute_uv=False)
    return bool(values[-1] <= RANK_TOLERANCE * max(values[0], 1.0))


def _singular_start(curve: Curve, found: CorrectorFailure) -> BifurcateError:
    """The error that says what a singular start may be, and what to try."""
    at = curve.equations.evaluate(curve.start)
    return NotConverged(
        f"the equations are singular at the start ({found.detail})",
        curve.state(curve.start),
        (float(np.abs(at.residual).max()),),
        "It sits on a fold or branch point, or its solutions are not isolated: start at a slightly different "
        "parameter. " + curve.iterate.map.advice,
    )
