"""Special points exactly on a bound, where a branch ends before it shows them.

A branch that arrives on its bound has a multiplier on the unit circle there, and none that has crossed it. A short step
beyond the bound shows which kind of point it is. On a branch point the last step cannot be corrected at all.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from bifurcate.bifurcations.codimension_one.event_detection import detect_events
from bifurcate.bifurcations.codimension_one.located_points import branch_point_near
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.curves.corrector import correct, point_with_tangent
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.step_cache import StepCache
from bifurcate.errors import Stop

__all__ = ["arrival_on_branch_point", "points_on_bound"]

# Distance of a multiplier from the unit circle at the bound up to which the step beyond is taken. At a fold it is the
# root of the rounding of the parameter.
NEAR_CIRCLE = 1e-4
ON_BOUND = 1e-9  # widths of the bounds within which a point lies on one, beside its own error
BEYOND = 0.1  # first steps by which the curve is followed beyond the bound
REACH = 4.0  # last steps within which a branch point on the bound is looked for


def points_on_bound(run: ContinuationProblem, new: CurvePoint, known: list[SpecialPoint]) -> list[SpecialPoint]:
    """The special points at the end of a branch of cycles that lie on the bound on which it ends.

    Parameters
    ----------
    run : ContinuationProblem
        The curve, with its bounds.
    new : CurvePoint
        The last point, on a bound.
    known : list of SpecialPoint
        What was found in the last step.
    """
    values = new.spectrum.values
    if not len(values) or np.abs(np.abs(values) - 1.0).min() > NEAR_CIRCLE:
        return []
    length = BEYOND * run.control.first
    normal = run.metric.dual(new.tangent)
    guess = new.u + length * new.tangent
    found = correct(run.curve, guess, normal, float(normal @ guess), run.metric, TO_ROUNDING, new.tangent)
    if isinstance(found, CorrectorFailure):
        return []
    beyond = found.placed(new.arclength + length)
    points = detect_events(run.curve, new, beyond, run.metric, StepCache()).points
    return [point for point in points if _is_on_bound(run, point) and not _is_known(point, known)]


def _is_on_bound(run: ContinuationProblem, point: SpecialPoint) -> bool:
    p, edge = point.parameters[run.curve.free[0]], point.error + ON_BOUND * float(run.widths[0])
    return bool(min(abs(p - run.lower[0]), abs(p - run.upper[0])) <= edge)


def _is_known(point: SpecialPoint, known: list[SpecialPoint]) -> bool:
    free = point.curve.free[0]
    return any(
        point.kind == each.kind and abs(point.parameters[free] - each.parameters[free]) <= point.error + each.error
        for each in known
    )


def arrival_on_branch_point(
    run: ContinuationProblem, before: CurvePoint, here: CurvePoint
) -> tuple[CurvePoint, SpecialPoint, Stop] | None:
    """The branch point on a bound at which a last step failed, as the branch's last point; None if there is none.

    Parameters
    ----------
    run : ContinuationProblem
        The curve, with its bounds.
    before, here : CurvePoint
        The last two points.
    """
    if run.curve.codimension > 0 or not run.detect:
        return None
    reach = REACH * max(here.arclength - before.arclength, run.control.first)
    ends = (before, here) if here.arclength > before.arclength else None
    point = branch_point_near(run.curve, here, run.metric, reach, ends=ends)
    if point is None or point.tangent is None or not _is_on_bound(run, point):
        return None
    name = run.curve.free[0]
    p = point.parameters[name]
    bound = float(min(run.lower[0], run.upper[0], key=lambda edge: abs(edge - p)))
    last = point_with_tangent(run.curve, _moved(run, point.u, bound), point.tangent, point.arclength)
    return last, dataclasses.replace(point, arclength=point.arclength), Stop("bound", f"{name} = {bound:.10g}")


def _moved(run: ContinuationProblem, u: np.ndarray, bound: float) -> np.ndarray:
    out = u.copy()
    out[run.curve.size] = bound
    return out
