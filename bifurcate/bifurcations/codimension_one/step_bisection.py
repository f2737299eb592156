"""Bisection of a step: where a function on the curve changes its sign."""

from __future__ import annotations

from collections.abc import Callable

from bifurcate.curves.corrector import correct_between
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric

__all__ = ["bisect_step"]

BISECTIONS = 60  # steps of the Illinois method: it gains a digit in three on the worst functions
BISECTION_WIDTH = 1e-6  # part of a step to which a sign change is bracketed; what follows converges from there
BISECTION_VALUE = 1e-9  # values of the tangent's component that are 0 to its rounding, or to the noise of slopes


def bisect_step(
    curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric, value: Callable[[CurvePoint], float]
) -> CurvePoint | None:
    """A point near the sign change of a function on the curve, by the Illinois method to 1e-6 of the part.

    (Dowell & Jarratt, BIT 11 (1971) 168.)
    """
    left, right, f, g = 0.0, 1.0, value(a), value(b)
    zero = max(BISECTION_VALUE, curve.iterate.map.precision.slope_error)
    node: CurvePoint | None = a if abs(f) < abs(g) else b
    for _ in range(BISECTIONS):
        if right - left < BISECTION_WIDTH or f == g:
            break
        t = (left * g - right * f) / (g - f)
        found = correct_between(curve, a, b, t, metric)
        if isinstance(found, CorrectorFailure):
            return None
        node, h = found, value(found)
        if h == 0.0 or abs(h) < zero:
            break
        if h * g < 0:
            left, f = right, g
        else:
            f *= 0.5
        right, g = t, h
        if left > right:
            left, right, f, g = right, left, g, f
    return node
