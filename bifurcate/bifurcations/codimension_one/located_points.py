"""Special points made from what their extended systems have found, with the errors of their parameters."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.branch_point_location import BranchPoint, locate_branch_point
from bifurcate.bifurcations.codimension_one.location import Critical
from bifurcate.bifurcations.kinds import KindName
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint, tangent_between
from bifurcate.curves.metric import Metric
from bifurcate.linalg.cyclic_product import CyclicProduct

__all__ = ["branch_point_near", "derivative_noise", "moved_by_rounding", "point_of", "without_shadows"]

PERFECT = 1e-11  # unfolding, in the metric's units, up to which curves cross; above it an imperfection parts them
UNFOLDED = 4.0  # ... or this many errors of a noisy map's values: noise hides such an imperfection
ROUNDINGS = 4.0  # units in the last place of the parameter that every claimed error contains
# Part of the state's size up to which two points of a cycle at a branch point are one: √ of its error
SAME_CYCLE = 1e-6
# Difference of two cosines below which the tangents of two curves that cross are as near to an estimate, or are one
INDISTINCT = 1e-6
# Distance from a branch point, in the metric, beyond which a curve's point knows its own tangent: the error of its
# place over this distance is that of the tangent.
KNOWN_TANGENT = 1e-7
SIGNS_AT_ONCE = 10**5  # rows of random signs that are drawn together: it takes eight times the memory that they do
NOISY_DRAWS = 12  # solutions with random errors whose root mean square tells how far noise moves a point, to a fifth
EXACT_NOISE = 1e-15  # error of a Jacobian's entries that are known to rounding, in units of the largest multiplier
DIFFERENCE_NOISE = 1e-11  # ... and of those that come from differences
FINER = 32.0  # a noise so many times smaller asks for difference steps of half the length


def point_of(curve: Curve, kind: KindName, critical: Critical, noise: float, metric: Metric) -> SpecialPoint:
    """The special point at which multipliers were found to be critical, with the error of its parameter.

    Parameters
    ----------
    curve : Curve
        On which it lies.
    kind : str
        "fold", "flip" or "neimark-sacker".
    critical : Critical
        What its extended system has found.
    noise : float
        Error of the Jacobian's entries.
    metric : Metric
        In which arclength is measured.
    """
    node, n = critical.node, curve.size
    moved = moved_by_rounding(node, metric)
    # The Jacobian's entries change with the state by about as much as they are large over a unit of length.
    largest = max(1.0, float(np.abs(node.spectrum.values).max(initial=0.0)))
    entries = noise + metric.norm(moved) * largest * curve.slowness
    uncertain = critical.step + entries * critical.sensitivity
    error = uncertain * abs(float(node.tangent[n])) + uncertain**2 + node.remaining_error(n) + abs(float(moved[n]))
    error += ROUNDINGS * float(np.finfo(float).eps) * _parameter_size(curve, node)
    return SpecialPoint(
        kind="tangency" if kind == "fold" and curve.kind == "connecting orbit" else kind,
        curve=curve,
        unknowns=node.u,
        period=curve.period,
        multiplicity=critical.multiplicity,
        arclength=node.arclength,
        residual=node.residual,
        iterations=critical.iterations,
        error=float(error),
        angle=critical.angle,
        null=critical.kernel,
        widths=metric.widths,
        tangent=node.tangent if critical.multiplicity > 1 else None,
    )


def _parameter_size(curve: Curve, node: CurvePoint) -> float:
    """What the rounding of the free parameter is relative to."""
    free = curve.free[0]
    here = node.at.parameters[free]
    return max(curve.iterate.parameter_unit(free, here), abs(here))


def moved_by_rounding(node: CurvePoint, metric: Metric) -> np.ndarray:
    """How far a point of the curve may move because f is rounded: the largest of three solutions with such errors.

    Where f is noisy, the root mean square of twelve solutions with errors of that size.
    """
    noise = 0.0 if node.curve is None else node.curve.iterate.map.precision.value_error
    n, moved = metric.n, np.zeros(len(node.u))
    if node.system is None or not node.system.direct:
        return moved
    size = ROUNDINGS * float(np.finfo(float).eps) * np.abs(node.at.orbit[0])
    rng = np.random.default_rng(0)
    if noise:
        size = np.maximum(size, noise * max(metric.unit, float(np.abs(node.at.orbit[0]).max())))
    signs = _random_signs(rng, n, NOISY_DRAWS if noise else 3)
    for column in signs.T:  # one by one: a state may be large
        step = np.concatenate(node.system.solve(size * column, np.zeros(len(node.u) - n)))
        moved = moved + step**2 if noise else np.maximum(moved, np.abs(step))
    return np.sqrt(moved / signs.shape[1]) if noise else moved


def _random_signs(rng: np.random.Generator, n: int, count: int) -> NDArray[np.int8]:
    """Random signs, shape (n, count), in little memory."""
    signs = np.empty((n, count), dtype=np.int8)
    for begin in range(0, n, SIGNS_AT_ONCE):
        part = signs[begin : begin + SIGNS_AT_ONCE]
        part[:] = 2 * rng.integers(0, 2, part.shape) - 1
    return signs


def branch_point_near(
    curve: Curve,
    node: CurvePoint,
    metric: Metric,
    reach: float,
    noise: float | None = None,
    borders: int | None = None,
    values: np.ndarray | None = None,
    ends: tuple[CurvePoint, CurvePoint] | None = None,
) -> SpecialPoint | None:
    """Locate the branch point near a point of a curve, whether multipliers cross +1 there or only touch it.

    Parameters
    ----------
    curve : Curve
        A curve of cycles.
    node : CurvePoint
        The start.
    metric : Metric
        In which lengths are measured.
    reach : float
        How far from the start it may lie.
    noise : float, optional
        Error of the Jacobian's entries, where it is known already.
    borders, values : optional
        As for :func:`~.branch_point_location.locate_branch_point`.
    ends : (CurvePoint, CurvePoint), optional
        Two points of the curve, in its order, between which or beside which the branch point lies. They tell the
        curve's own tangent there, which ``node`` does not if it is the branch point itself.
    """
    noise = derivative_noise(curve, node) if noise is None else noise
    found = locate_branch_point(curve, node, metric, borders, values, noise)
    levels = curve.iterate.map.precision
    if (
        found is None
        or found.unfolding > max(PERFECT, UNFOLDED * levels.value_error)
        or metric.norm(found.u - node.u) > reach
    ):
        return None
    point = _branch_point(curve, found, node, noise, metric)
    tangent = _own_tangent(point, node.tangent if ends is None else tangent_between(*ends, found.u, metric), metric)
    along = node.tangent if metric.norm(found.u - node.u) > KNOWN_TANGENT else tangent
    arclength = node.arclength + metric.dot(along, found.u - node.u)
    return dataclasses.replace(point, tangent=tangent, arclength=arclength)


def _own_tangent(point: SpecialPoint, estimate: np.ndarray, metric: Metric) -> np.ndarray:
    """The tangent of the branch on which a branch point was met: of the two that cross, the one nearer an estimate."""
    ways = [way / metric.norm(way) for way in point.tangents.T]
    cosines = [metric.dot(way, estimate) for way in ways]
    if not ways or not np.isfinite(cosines).all() or abs(abs(cosines[0]) - abs(cosines[1])) < INDISTINCT:
        return estimate
    nearest = int(np.argmax(np.abs(cosines)))
    return np.asarray(np.copysign(1.0, cosines[nearest]) * ways[nearest])


def _branch_point(curve: Curve, found: BranchPoint, node: CurvePoint, noise: float, metric: Metric) -> SpecialPoint:
    n, free = curve.size, curve.free[0]
    p = curve.parameters(found.u)
    is_exact, levels = curve.iterate.is_exact_by(free), curve.iterate.map.precision
    by_parameter = EXACT_NOISE if is_exact else max(DIFFERENCE_NOISE, levels.slope_error)
    slopes = noise + by_parameter * max(1.0, found.slope_scale)
    error = (found.step + found.gain * slopes * found.is_sure) * float(metric.widths[0])
    error += ROUNDINGS * float(np.finfo(float).eps) * abs(p[free])
    orbit = curve.iterate.orbit(found.u[:n], p)
    shorter = curve.iterate.least_period(orbit, max(SAME_CYCLE, levels.residual_error))
    return SpecialPoint(
        kind="flip" if 2 * shorter == curve.period else "branch point",
        curve=curve,
        unknowns=found.u,
        period=shorter,
        multiplicity=found.kernel.shape[1] - 1,
        residual=found.residual,
        iterations=found.iterations,
        error=error,
        null=found.kernel,
        widths=metric.widths,
        is_sure=found.is_sure,
        quadratic=found.quadratic[0] if len(found.quadratic) == 1 else None,
    )


def without_shadows(points: list[SpecialPoint]) -> list[SpecialPoint]:
    """The points of a noisy map's step without the folds that are branch points, to within their errors.

    Noise parts the curves that cross at a branch point, by less than it moves them: then each turns back there.
    """

    def is_shadow(fold: SpecialPoint) -> bool:
        free = fold.curve.free[0]
        return any(
            abs(fold.parameters[free] - point.parameters[free]) <= fold.error + point.error
            for point in points
            if point.kind == "branch point"
        )

    return [point for point in points if point.kind != "fold" or not is_shadow(point)]


def derivative_noise(curve: Curve, node: CurvePoint) -> float:
    """The error to be expected of a Jacobian's entries: rounding, and truncation where they are differences."""
    J = node.linear.jacobian
    size = J.largest if isinstance(J, CyclicProduct) else float(np.abs(node.spectrum.values).max(initial=0.0))
    least = EXACT_NOISE if curve.iterate.exact else DIFFERENCE_NOISE
    return max(least * max(1.0, size), _noise_of_entries(curve, node, max(1.0, size)))


def _noise_of_entries(curve: Curve, node: CurvePoint, size: float) -> float:
    """The error of a Jacobian's entries where f is noisy; 0 where it is not.

    What the noise makes of them, and for differences their change under steps of half the length: f may bend so
    strongly over the long steps that noise asks for, that their truncation is larger than the noise.
    """
    map, x = curve.iterate.map, np.abs(node.u[: curve.size])
    levels = map.precision
    if not levels.is_noisy:
        return 0.0
    spread = max(map.scale, float(x.max())) / max(map.scale, float(x.min()))  # of the units of the steps
    error = levels.slope_error * size * spread * math.sqrt(curve.size) * curve.period
    J = node.linear.jacobian
    if levels.is_exact or not isinstance(J, np.ndarray):
        return error
    finer = dataclasses.replace(curve.iterate, map=dataclasses.replace(map, noise=levels.noise / FINER))
    other = finer.jacobian(node.at.orbit, node.at.parameters)
    return max(error, float(np.abs(other - J).max())) if isinstance(other, np.ndarray) else error
