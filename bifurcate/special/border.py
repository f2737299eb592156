"""Points where a map has a kink: a switching function changes sign."""

from __future__ import annotations

import numpy as np

from bifurcate.corrector import POLISH, Failure, Metric, Node, along
from bifurcate.curves import Curve
from bifurcate.special.crossings import SAME
from bifurcate.special.point import SpecialPoint

__all__ = ["border_points", "pieces"]

BESIDE = 1e-4  # how far beside a border a part of a step ends, in units of the step


def border_points(curve: Curve, a: Node, b: Node, metric: Metric) -> list[SpecialPoint]:
    """Points where a switching function of the map changes sign, in their order."""
    if curve.iterate.map.borders is None:
        return []

    def functions(node: Node) -> np.ndarray:
        return curve.iterate.border_signs(node.at.orbit, node.at.parameters)

    before, after = functions(a), functions(b)
    points: list[SpecialPoint] = []
    for i in np.flatnonzero((before > 0) != (after > 0)).tolist():
        left, right, node, n = 0.0, 1.0, a, curve.size
        for _ in range(60):
            t = 0.5 * (left + right)
            tried = along(curve, a, b, t, metric, POLISH)
            # Differences across the kink let the corrector fail there: what is known of the place is the error then.
            if isinstance(tried, Failure) or right - left < 1e-13:
                break
            node = tried
            left, right = (t, right) if (functions(node)[i] > 0) == (before[i] > 0) else (left, t)
        if any(abs(node.arclength - p.arclength) < SAME for p in points):
            continue
        error = (right - left) * (b.arclength - a.arclength) * abs(float(node.tangent[n])) + node.slip(n) + 1e-15
        point = SpecialPoint(
            "border", curve, node.u, curve.period, 0, node.arclength, node.residual, 60, error,
            note=f"switching function {i} changes sign: the map has a kink here",
        )  # fmt: skip
        points.append(point)
    return sorted(points, key=lambda point: point.arclength)


def pieces(curve: Curve, a: Node, b: Node, metric: Metric, points: list[SpecialPoint]) -> list[tuple[Node, Node]]:
    """The parts of a step between its border points: multipliers jump at these, and are comparable between them."""
    ends, length = [a], b.arclength - a.arclength
    for point in points:
        sides = [
            along(curve, a, b, (point.arclength + side * BESIDE * length - a.arclength) / length, metric)
            for side in (-1.0, 1.0)
        ]
        if all(isinstance(node, Node) and a.arclength < node.arclength < b.arclength for node in sides):
            ends += [node for node in sides if isinstance(node, Node)]
    return list(zip([*ends, b][::2], [*ends, b][1::2], strict=True))
