"""Where noise decides which way a branch goes: beside a branch point, whose neighbourhood a step has to leap.

The equations are nearly singular there: the smallest singular value σ of [J − I, f_p], in units of the state and of the
bounds, grows in proportion to the distance from the branch point. What is wrong by η in f and by ν in its derivatives
turns the tangent by ν/σ, and moves the curve by η/σ, which exceeds its distance where σ < √η.
"""

from __future__ import annotations

import numpy as np

from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.curves.curve_point import CurvePoint

__all__ = ["LEAP_GROWTH", "LONGEST_LEAP", "is_blurred"]

BLURRED_SLOPES = 3.0  # errors of a Jacobian's entries up to which σ is: the tangent is wrong by 0.3 radians there
BLURRED_ROOTS = 4.0  # ... or roots of the noise: the curve is moved by a fourth of its distance from the branch point
LARGEST_CHECKED = 200  # size limit: unknowns up to which σ is found by a singular-value decomposition
LEAP_GROWTH = 1.5  # by which a leap that ends in such a zone is lengthened
LONGEST_LEAP = 0.5  # the longest one, in the metric: half of what the bounds let the parameter vary by


def is_blurred(run: ContinuationProblem, point: CurvePoint) -> bool:
    """True if noise of the map decides which way the curve goes at a point.

    Parameters
    ----------
    run : ContinuationProblem
        The curve with its metric.
    point : CurvePoint
        The point.
    """
    levels, M = run.curve.iterate.map.precision, point.linear.M
    if not levels.is_noisy or not isinstance(M, np.ndarray) or len(M) > LARGEST_CHECKED:
        return False
    upper = np.hstack([M, point.linear.B * run.metric.widths[: point.linear.B.shape[1]] / run.metric.unit])
    least = float(np.linalg.svd(upper, compute_uv=False)[-1])
    return least < max(BLURRED_SLOPES * levels.slope_error, BLURRED_ROOTS * levels.blurred_length)
