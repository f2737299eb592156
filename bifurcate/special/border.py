"""Points where a map has a kink: a switching function changes sign."""

from __future__ import annotations

import numpy as np

from bifurcate.corrector import Failure, Metric, Node, along
from bifurcate.curves import Curve
from bifurcate.special.crossings import SAME
from bifurcate.special.point import SpecialPoint

__all__ = ["border_points"]


def border_points(curve: Curve, a: Node, b: Node, metric: Metric) -> list[SpecialPoint]:
    """Points where a switching function of the map changes sign."""
    if curve.iterate.map.borders is None:
        return []

    def functions(node: Node) -> np.ndarray:
        return curve.iterate.border_signs(node.at.orbit, node.at.parameters)

    before, after = functions(a), functions(b)
    points: list[SpecialPoint] = []
    for i in np.flatnonzero((before > 0) != (after > 0)).tolist():
        left, right = (0.0, before[i]), (1.0, after[i])
        node: Node | Failure = a
        for _ in range(60):
            t = 0.5 * (left[0] + right[0])
            node = along(curve, a, b, t, metric)
            if isinstance(node, Failure) or right[0] - left[0] < 1e-13:
                break
            value = functions(node)[i]
            left, right = ((t, value), right) if (value > 0) == (left[1] > 0) else (left, (t, value))
        if isinstance(node, Failure) or any(abs(node.arclength - p.arclength) < SAME for p in points):
            continue
        n = curve.size
        error = (right[0] - left[0]) * (b.arclength - a.arclength) * abs(float(node.tangent[n])) + 1e-15
        point = SpecialPoint(
            "border", curve, node.u, curve.period, 0, node.arclength, node.residual, 60, error,
            note=f"switching function {i} changes sign: the map has a kink here",
        )  # fmt: skip
        points.append(point)
    return points
