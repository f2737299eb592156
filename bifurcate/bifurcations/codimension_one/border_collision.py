"""Border collisions: points of a branch where a switching function of the map changes sign, so that it has a kink."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.crossing_estimates import SAME
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct_between
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.errors import MapFailed

__all__ = ["border_just_ahead", "locate_border_collisions", "smooth_parts"]

Array = NDArray[np.float64]

BISECTIONS = 60  # halvings of a step: more than the digits of a double
BRACKETED = 1e-13  # part of a step to which the point is bracketed: rounding
ROUNDING = 1e-15  # the least error that is claimed, in units of the parameter
EPS = 4.0 * float(np.finfo(float).eps)  # of a value of f or of a switching function: some roundings
SLOPE_STEP = 1e-6  # of differences of switching functions, in units of the state and of the bounds, for Newton's method
POLISHING_STEPS = 3  # Newton steps for the point: the first squares what bisection leaves, the last is the error
LARGEST_POLISHED = 200  # size limit: unknowns up to which its system is solved as a dense matrix
FARTHEST_POLISHED = 1e-4  # distance in the metric that these steps may lead: farther, they lead to another point
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
        together = [k for k, point in enumerate(points) if abs(node.arclength - point.arclength) < SAME]
        for k in together:  # the normal form is that of one border
            note = f"{points[k].note}; switching function {i} does at the same place"
            points[k] = dataclasses.replace(points[k], switching=None, note=note)
        if together:
            continue
        error = (
            (right - left) * (b.arclength - a.arclength) * abs(float(node.tangent[n]))
            + node.remaining_error(n)
            + ROUNDING
        )
        u, error = _polished(curve, node, i, metric) or (node.u, error)
        points.append(_border_point(curve, node, u, error, i, float(before[i]), metric))
    return sorted(points, key=lambda point: point.arclength)


def _border_point(
    curve: Curve, node: CurvePoint, u: Array, error: float, i: int, before: float, metric: Metric
) -> SpecialPoint:
    """The special point at u, near a point of the curve, where function i vanishes; ``before`` is its value before."""
    return SpecialPoint(
        kind="border",
        curve=curve,
        unknowns=u,
        period=curve.period,
        multiplicity=0,
        arclength=node.arclength,
        residual=node.residual,
        iterations=BISECTIONS,
        error=error,
        note=f"switching function {i} changes sign: the map has a kink here",
        widths=metric.widths,
        switching=(i, 1.0 if before > 0 else -1.0),
    )


def border_just_ahead(curve: Curve, here: CurvePoint, metric: Metric) -> SpecialPoint | None:
    """The border point a little ahead of a point of a curve that no step passes; None if there is none."""
    if curve.iterate.map.borders is None or curve.codimension > 0:
        return None

    def functions(step: float) -> Array:
        at = curve.equations.evaluate(here.u + step * here.tangent)
        return curve.iterate.border_signs(at.orbit, at.parameters)

    try:
        values, slopes = functions(0.0), (functions(SLOPE_STEP) - functions(-SLOPE_STEP)) / (2.0 * SLOPE_STEP)
    except MapFailed:
        return None
    with np.errstate(all="ignore"):
        ahead = -values / slopes
    ahead = np.where(np.abs(ahead) < FARTHEST_POLISHED, np.abs(ahead), np.inf)
    i = int(np.argmin(ahead))
    found = _polished(curve, here, i, metric) if np.isfinite(ahead[i]) else None
    if found is None:
        return None
    place = here.placed(here.arclength + metric.norm(found[0] - here.u))
    return _border_point(curve, place, *found, i, float(values[i]), metric)


def _polished(curve: Curve, node: CurvePoint, i: int, metric: Metric) -> tuple[Array, float] | None:
    """The point where the equations and a switching function vanish, by Newton's method, and the parameter's error.

    Each Jacobian is that of one side or of the other: the point solves the equations of both. None if it is not dense,
    or the steps lead away.
    """
    n, u, step = curve.size, node.u, np.zeros(len(node.u))
    if curve.codimension > 0 or n > LARGEST_POLISHED:
        return None
    lengths = SLOPE_STEP * np.append(np.full(n, metric.unit), metric.widths)

    def function(v: Array) -> float:
        at = curve.equations.evaluate(v)
        return float(curve.iterate.border_signs(at.orbit, at.parameters)[i])

    try:
        for _ in range(POLISHING_STEPS):
            at = curve.equations.evaluate(u)
            linear = curve.equations.linearise(at)
            moves = np.diag(lengths)
            slopes = [(function(u + move) - function(u - move)) / (2.0 * h) for h, move in zip(lengths, moves)]
            matrix = np.vstack([np.hstack([np.asarray(linear.M @ np.eye(n)), linear.B]), slopes])
            inverse = np.linalg.inv(matrix)
            step = -inverse @ np.append(at.residual, function(u))
            u = u + step
    except (MapFailed, np.linalg.LinAlgError):
        return None
    if not metric.norm(u - node.u) < FARTHEST_POLISHED:
        return None
    size = max(curve.iterate.map.scale, float(np.abs(u[:n]).max()))
    wrong = max(EPS, curve.iterate.map.precision.value_error) * size * np.ones(n + 1)
    wrong[n] = EPS * float(np.abs(slopes) @ np.append(np.full(n, size), abs(u[n])))
    return u, float(abs(step[n]) + np.abs(inverse[n]) @ wrong + EPS * abs(u[n]))


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
