"""Where two curves of special points cross: the place is interpolated, since the corrector is singular there."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.corrector import correct_between
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint, hermite_point
from bifurcate.curves.metric import Metric

__all__ = ["interpolate_crossing"]

Array = NDArray[np.float64]
NOISE = 1e-9  # error of test functions made of bordered solves: rounding times the inverse of a typical angle
INTERPOLATIONS = 6  # points from which a place where curves cross is interpolated
INTERPOLATION_SIDE = 0.05  # ... each this far to one side of the last estimate, since the corrector is singular on it
OTHER_CURVE = 0.005  # values below this part of those at the ends belong to a point on the other curve
BENT = 0.1  # steps by which a cubic may differ from the chord beside a singular point, where tangents are poor


def interpolate_crossing(
    curve: Curve, a: CurvePoint, b: CurvePoint, value: Callable[[CurvePoint], float], metric: Metric
) -> tuple[Array, float, float, CurvePoint]:
    """Interpolate where a function vanishes in a step, from points ever nearer to the place but not on it.

    Returns the unknowns, the arclength, the interpolation's error (the square of the distance of the last two points)
    and the nearer one of these.
    """
    left, right = (a, value(a)), (b, value(b))
    part = _secant(left[1], right[1])
    for side in (-INTERPOLATION_SIDE, INTERPOLATION_SIDE) * (INTERPOLATIONS // 2):
        node = correct_between(curve, left[0], right[0], min(max(part + side, 0.0), 1.0), metric)
        if isinstance(node, CurvePoint) and abs(f := value(node)) > OTHER_CURVE * abs(
            left[1] - right[1]
        ):  # else on the other curve
            left, right = ((node, f), right) if (f > 0) == (left[1] > 0) else (left, (node, f))
            part = _secant(left[1], right[1])
    h = right[0].arclength - left[0].arclength
    u, straight = hermite_point(left[0], right[0], part, metric), left[0].u + part * (right[0].u - left[0].u)
    if metric.norm(u - straight) > BENT * h:  # tangents, too, are poor beside a singular point
        u = straight
    return u, left[0].arclength + part * h, h**2 + NOISE, left[0] if part < 0.5 else right[0]


def _secant(f: float, g: float) -> float:
    """Where on [0, 1] the line through f and g vanishes; if they have one sign, the end with the smaller value."""
    if (f > 0) == (g > 0):
        return 0.0 if abs(f) < abs(g) else 1.0
    return f / (f - g)
