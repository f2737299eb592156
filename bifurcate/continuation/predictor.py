"""The predictor: where the next point of the curve is expected, and on which hyperplane the corrector looks for it.

The first step is predicted on the tangent, later ones on the cubic Hermite polynomial through the last two points
(Allgower & Georg, Numerical Continuation Methods, SIAM 2003, chapter 6). Towards a bound the step is as long as the
prediction needs to arrive on it, and the hyperplane is the bound itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.curves.curve_point import CurvePoint, hermite_point

__all__ = ["Prediction", "predict", "predict_on_bound_passed"]

Vector = NDArray[np.float64]

LONGEST_EXTRAPOLATION = 2.0  # a cubic is trusted up to this many lengths of the last step; beyond it the tangent is
BOUND_STEPS = 3  # secant steps that bring the prediction onto a bound: the cubic arrives elsewhere than the tangent
LONGEST_TO_BOUND = 2.0  # ... which may not make the step longer than this many times its length
SHORTEST_TO_BOUND = 1e-12  # a step onto a bound counts as this long at least: rounding of what lies on it already


@dataclass(frozen=True, eq=False)
class Prediction:
    """A prediction and the hyperplane normal · u = offset on which it is corrected.

    Attributes
    ----------
    u : ndarray, shape (n + k,)
        The prediction.
    normal : ndarray, shape (n + k,)
        The hyperplane's normal, as a row vector.
    length : float
        Length of the step, in the metric.
    is_cubic : bool
        True if it lies on the cubic through the last two points, False if on the tangent or on a chord.
    bound : (int, float) or None
        Number and value of the parameter that arrives on a bound.
    """

    u: Vector
    normal: Vector
    length: float
    is_cubic: bool
    bound: tuple[int, float] | None = None

    @property
    def offset(self) -> float:
        """Where the hyperplane lies along its normal."""
        return float(self.normal @ self.u)


def predict(run: ContinuationProblem, before: CurvePoint, here: CurvePoint, length: float) -> Prediction:
    """A step of this length from a point, or onto a bound if the tangent comes to that first.

    Parameters
    ----------
    run : ContinuationProblem
        The curve with its bounds and metric.
    before, here : CurvePoint
        The last two points; the same one twice at the start.
    length : float
        In the metric.
    """
    n = run.curve.size
    p, t = here.u[run.free], here.tangent[run.free]
    sides = zip(p.tolist(), t.tolist(), run.lower.tolist(), run.upper.tolist(), strict=True)
    room = [((high if rate > 0 else low) - value) / rate if rate else math.inf for value, rate, low, high in sides]
    i = room.index(min(room))
    if room[i] > length:
        u, is_cubic = _extrapolate(run, before, here, length)
        return Prediction(u, run.metric.dual(here.tangent), length, is_cubic)
    bound = float(run.upper[i] if t[i] > 0 else run.lower[i])
    reach = room[i]
    for _ in range(BOUND_STEPS):
        u, is_cubic = _extrapolate(run, before, here, reach)
        reach = min(max(0.0, reach + (bound - float(u[n + i])) / float(t[i])), LONGEST_TO_BOUND * length)
    return _on_bound(run, i, bound, u, reach, is_cubic)


def predict_on_bound_passed(
    run: ContinuationProblem, here: CurvePoint, new: CurvePoint, length: float
) -> Prediction | None:
    """The point of the chord between two points that lies on the bound between them; None if both are inside."""
    outside = np.maximum(run.lower - new.u[run.free], new.u[run.free] - run.upper)
    if not (outside > 0).any():
        return None
    n, i = run.curve.size, int(np.argmax(outside / run.widths))
    bound = float(run.upper[i] if new.u[n + i] > run.upper[i] else run.lower[i])
    part = float((bound - here.u[n + i]) / (new.u[n + i] - here.u[n + i]))
    towards = float(run.upper[i] if here.tangent[n + i] > 0 else run.lower[i])
    return _on_bound(run, i, towards, here.u + part * (new.u - here.u), length * part, False)


def _on_bound(run: ContinuationProblem, i: int, bound: float, u: Vector, length: float, is_cubic: bool) -> Prediction:
    n = run.curve.size
    u = u.copy()
    u[n + i] = bound
    normal = np.zeros(len(u))
    normal[n + i] = 1.0 / (run.upper[i] - run.lower[i])
    return Prediction(u, normal, max(length, SHORTEST_TO_BOUND), is_cubic, (i, bound))


def _extrapolate(run: ContinuationProblem, before: CurvePoint, here: CurvePoint, length: float) -> tuple[Vector, bool]:
    """The point at this length on the cubic through the last two points (True), or on the tangent."""
    last = here.arclength - before.arclength
    if not length / LONGEST_EXTRAPOLATION <= last:
        return here.u + length * here.tangent, False
    return hermite_point(before, here, 1.0 + length / last, run.metric), True
