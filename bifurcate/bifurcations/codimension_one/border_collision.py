"""Border collisions: points of a branch where a switching function of the map changes sign, so that it has a kink."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.crossing_estimates import SAME
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct_between
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric

__all__ = ["locate_border_collisions", "smooth_parts"]

Array = NDArray[np.float64]

BISECTIONS = 60  # halvings of a step: more than the digits of a double
BRACKETED = 1e-13  # part of a step to which the point is bracketed: rounding
ROUNDING = 1e-15  # the least error that is claimed, in units of the parameter
BESIDE = 1e-4  # part of a step by which its smooth parts end before a border: differences must not reach across


def locate_border_collisions(curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric) -> list[SpecialPoint]:
    """Locate the points between a and b where a switching function changes sign, by bisection, in their order."""
    if curve.iterate.map.borders is None:
        return []

    def functions(node: CurvePoint) -> Array:
        return curve.iterate.border_signs(node.at.orbit, node.at.parameters)

    before, after = functions(a), functions(b)
    points: list[SpecialPoint] = []
    for i in np.flatnonzero((before > 0) != (after > 0)).tolist():
        left, right, node, n = 0.0, 1.0, a, curve.size
        for _ in range(BISECTIONS):
            t = 0.5 * (left + right)
            tried = correct_between(curve, a, b, t, metric, TO_ROUNDING)
            # Differences across the kink let the corrector fail there: what is known of the place is the error then.
            if isinstance(tried, CorrectorFailure) or right - left < BRACKETED:
                break
            node = tried
            left, right = (t, right) if (functions(node)[i] > 0) == (before[i] > 0) else (left, t)
        if any(abs(node.arclength - p.arclength) < SAME for p in points):
            continue
        error = (
            (right - left) * (b.arclength - a.arclength) * abs(float(node.tangent[n]))
            + node.remaining_error(n)
            + ROUNDING
        )
        point = SpecialPoint(
            kind="border",
            curve=curve,
            unknowns=node.u,
            period=curve.period,
            multiplicity=0,
            arclength=node.arclength,
            residual=node.residual,
            iterations=BISECTIONS,
            error=error,
            note=f"switching function {i} changes sign: the map has a kink here",
        )
        points.append(point)
    return sorted(points, key=lambda point: point.arclength)


def smooth_parts(
    curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric, points: list[SpecialPoint]
) -> list[tuple[CurvePoint, CurvePoint]]:
    """The parts of a step between its border points. Multipliers jump at these, and can be compared between them."""
    ends, length = [a], b.arclength - a.arclength
    for point in points:
        sides = [
            correct_between(curve, a, b, (point.arclength + side * BESIDE * length - a.arclength) / length, metric)
            for side in (-1.0, 1.0)
        ]
        if all(isinstance(node, CurvePoint) and a.arclength < node.arclength < b.arclength for node in sides):
            ends += [node for node in sides if isinstance(node, CurvePoint)]
    return list(zip([*ends, b][::2], [*ends, b][1::2], strict=True))
