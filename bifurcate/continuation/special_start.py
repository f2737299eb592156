"""A start that is itself a special point: the curve is begun beside it, so that the point lies within the first step.

At a fold the corrector that holds the parameter is singular; at a branch point every one is; and where a multiplier
lies on the unit circle already, no step shows it crossing. The curve's direction there is the kernel of [J − I, H_p]:
one direction at a fold, the roots of the branching equation at a branch point.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.located_points import branch_point_near
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.curves.corrector import correct, point_with_tangent
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.linalg.threads import one_thread

__all__ = ["is_critical", "regular_point_beside"]

Vector = NDArray[np.float64]

ASIDE = 0.3  # first steps by which a start is moved: the special point then lies well inside the first step back
LARGEST_SEARCHED = 500  # size limit: unknowns up to which the kernel at a singular start is found by an SVD
# A singular value below this part of the largest counts as 0: a start that was found at a special point is off by up to
# the root of what it leaves, 1e-6.
KERNEL = 1e-5
NEAR = 1e-6  # distance of a multiplier from +1 up to which a start counts as a fold or branch point
REACH = 0.1  # how far from the start the branch point may lie at which it is thought to be, in the metric


def is_critical(point: CurvePoint) -> bool:
    """True if a start is a fold or a branch point, to the accuracy with which these are found."""
    return point.spectrum.gap < NEAR


def regular_point_beside(run: ContinuationProblem, start: Vector) -> CurvePoint | None:
    """The point of the curve a little beside a start that is a fold or a branch point; None if it is neither.

    Parameters
    ----------
    run : ContinuationProblem
        The curve of cycles, with its bounds.
    start : ndarray, shape (n + 1,)
        The start.
    """
    curve, metric = run.curve, run.metric
    if curve.codimension > 0 or curve.size > LARGEST_SEARCHED:
        return None
    kernel = _kernel(curve, start, metric)
    if kernel.shape[1] == 1:
        return _beside(run, start, kernel[:, 0])
    node = point_with_tangent(curve, start, kernel[:, 0], 0.0)
    point = branch_point_near(curve, node, metric, REACH)
    if point is None or not point.tangents.size:
        return None
    ways = [way / metric.norm(way) for way in point.tangents.T]
    ways.sort(key=lambda way: -abs(float(way[-1])))  # the branch that goes on with the parameter first
    found = (_beside(run, point.u, way) for way in ways)
    return next((each for each in found if each is not None), None)


def _beside(run: ContinuationProblem, u: Vector, tangent: Vector) -> CurvePoint | None:
    """The point of the curve a part of a step from u along its tangent, or against it if that is out of bounds."""
    metric, oriented = run.metric, tangent * (1.0 if tangent[-1] >= 0.0 else -1.0)
    t = oriented / metric.norm(oriented)
    normal = metric.dual(t)
    for side in (-1.0, 1.0):
        guess = u + side * ASIDE * run.control.first * t
        found = correct(run.curve, guess, normal, float(normal @ guess), metric, TO_ROUNDING, t)
        if isinstance(found, CorrectorFailure):
            continue
        p = found.u[run.free]
        if (run.lower <= p).all() and (p <= run.upper).all():
            return found
    return None


def _kernel(curve: Curve, u: Vector, metric: Metric) -> Vector:
    """Vectors that span the kernel of [J − I, H_p], as columns, in the user's units; at least one."""
    linear = curve.equations.linearise(curve.equations.evaluate(u))
    n, units = curve.size, np.append(np.full(curve.size, metric.unit), metric.widths)
    dense = np.hstack([linear.M @ np.eye(n), linear.B]) * units
    with one_thread(n):
        _, values, right = np.linalg.svd(dense / metric.unit)
    rank = int(np.count_nonzero(values > KERNEL * max(float(values[0]), 1.0)))
    return np.asarray(units[:, None] * right[rank:].T)
