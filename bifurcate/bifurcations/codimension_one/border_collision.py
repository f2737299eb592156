"""Points where a map has a kink: a switching function changes sign."""

from __future__ import annotations

import numpy as np

from bifurcate.bifurcations.codimension_one.crossing_estimates import SAME
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct_between
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric

__all__ = ["locate_border_collisions", "smooth_parts"]

BESIDE = 1e-4  # how far beside a border a part of a step ends, in units of the step


def locate_border_collisions(curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric) -> list[SpecialPoint]:
    """Points where a switching function of the map changes sign, in their order."""
    if curve.iterate.map.borders is None:
        return []

    def functions(node: CurvePoint) -> np.ndarray:
        return curve.iterate.border_signs(node.at.orbit, node.at.parameters)

    before, after = functions(a), functions(b)
    points: list[SpecialPoint] = []
    for i in np.flatnonzero((before > 0) != (after > 0)).tolist():
        left, right, node, n = 0.0, 1.0, a, curve.size
        for _ in range(60):
            t = 0.5 * (left + right)
            tried = correct_between(curve, a, b, t, metric, TO_ROUNDING)
            # Differences across the kink let the corrector fail there: what is known of the place is the error then.
            if isinstance(tried, CorrectorFailure) or right - left < 1e-13:
                break
            node = tried
            left, right = (t, right) if (functions(node)[i] > 0) == (before[i] > 0) else (left, t)
        if any(abs(node.arclength - p.arclength) < SAME for p in points):
            continue
        error = (
            (right - left) * (b.arclength - a.arclength) * abs(float(node.tangent[n])) + node.remaining_error(n) + 1e-15
        )
        point = SpecialPoint(
            "border", curve, node.u, curve.period, 0, node.arclength, node.residual, 60, error,
            note=f"switching function {i} changes sign: the map has a kink here",
        )  # fmt: skip
        points.append(point)
    return sorted(points, key=lambda point: point.arclength)


def smooth_parts(
    curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric, points: list[SpecialPoint]
) -> list[tuple[CurvePoint, CurvePoint]]:
    """The parts of a step between its border points: multipliers jump at these, and are comparable between them."""
    ends, length = [a], b.arclength - a.arclength
    for point in points:
        sides = [
            correct_between(curve, a, b, (point.arclength + side * BESIDE * length - a.arclength) / length, metric)
            for side in (-1.0, 1.0)
        ]
        if all(isinstance(node, CurvePoint) and a.arclength < node.arclength < b.arclength for node in sides):
            ends += [node for node in sides if isinstance(node, CurvePoint)]
    return list(zip([*ends, b][::2], [*ends, b][1::2], strict=True))
