"""The curves of longer cycles that start at points of codimension two.

    generalised flip  folds of the doubled cycle
    R2                Neimark–Sacker points of the doubled cycle
    R3                Neimark–Sacker points or neutral saddles of the tripled cycle
    R4                Neimark–Sacker points and folds of the fourfold cycle
    fold-flip         Neimark–Sacker points of the doubled cycle
    flip-ns           Neimark–Sacker points of the doubled cycle

(Kuznetsov & Meijer, Numerical Bifurcation Analysis of Maps, 2019, sections 3.3, 3.4 and 5.4). Every one is a curve of
folds or Neimark–Sacker points of a longer cycle that shrinks onto the point. Its first point is solved for with the
cycle's amplitude pinned along a critical direction q:

    the equations of the curve,   <q, x − x₀> = ε:

at fixed amplitude the parameters enter linearly, to leading order, so that Newton's method reaches them from the
point's own without any asymptotics, where such a curve exists.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_two.loci import locus_of
from bifurcate.bifurcations.kinds import KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.curves.minimally_augmented.augmented_system import AugmentedEvaluation
from bifurcate.linalg.null_space import approximate_null_space
from bifurcate.linalg.operators import Operator, apply, core_operator, lift_vectors, quadratic, shifted, transposed
from bifurcate.maps.iterated_map import IteratedMap

__all__ = ["curves_of_longer_cycles"]

Array = NDArray[np.float64]

# For starts beside a point of codimension two, where the corrector comes to rounding slowly.
PATIENT = Corrector(tolerance=1e-14, max_iterations=30)
ANGLES = 12  # directions tried in the plane of a critical pair: every arm of a resonance lies within 15 degrees of one
DISTINCT = 0.1  # radians between the directions in the parameters of two curves: starts on one curve agree far better
AMPLITUDES = (3e-2, 1e-2, 3e-3)  # tried in turn: the largest leaves the point fastest
PART = 1.0 / 3.0  # part of the amplitude at which a start is confirmed
PART_OF_WAY = 0.6  # ... and the part of the way in the parameters that it must be within: they scale at least linearly
LEFT = 30.0  # amplitudes from the point beyond which a start belongs to something else
SHORTER_CYCLE = 0.1  # amplitudes within which two points of a start's cycle are one, so that its period is shorter
COSINE_WIDTH = 2.0  # κ = cos θ runs from −1 to 1


def curves_of_longer_cycles(point: SpecialPoint, amplitude: float | None = None) -> list[Curve]:
    """Every curve of longer cycles that was found to start at a point of codimension two; empty where there is none.

    A start counts if the same start with a third of the amplitude does, in the same direction of the parameters: what
    is not a curve through the point does not scale.
    """
    row = KINDS[point.kind]
    if row.born is None or point.multiplicity > 1:
        return []
    times, kinds = row.born
    iterate = IteratedMap(point.iterate.map, point.iterate.shape, times * point.period)
    found: list[Curve] = []
    for kind in kinds:
        candidates = _candidates(kind, point, iterate)
        for reach in (amplitude,) if amplitude is not None else AMPLITUDES:
            started = _distinct([_find_start(curve, q, reach, point) for curve, q in candidates], point)
            if started:
                found += [
                    curve.replace(start=node.u, direction=_pointing_outward(node, point), sides=(1,))
                    for curve, node in started
                ]
                break
    return found


def _candidates(kind: str, point: SpecialPoint, iterate: IteratedMap) -> list[tuple[Curve, Array]]:
    """Curves, which differ in their borders, with critical directions along which the longer cycle may open."""
    J, krylov, names = point.jacobian, point.curve.krylov, point.curve.free
    E = core_operator(J)
    cosine = KINDS[point.kind].cosine
    if cosine is None or cosine == -1.0:  # the critical vector is real
        q = lift_vectors(J, approximate_null_space(shifted(E, -1.0), 1, krylov))[:, 0]
        return [(locus_of(kind, point, iterate, names), q)]
    basis = approximate_null_space(quadratic(E, cosine), 2, krylov)
    plane, angles = lift_vectors(J, basis), 2.0 * np.pi * np.arange(ANGLES) / ANGLES
    ways = [np.array([np.cos(t), np.sin(t)]) for t in angles]
    if kind == "neimark-sacker":
        curve = locus_of(kind, point, iterate, names)
        return [(curve, plane @ way) for way in ways]
    # The fold's own critical vector lies somewhere in the plane, on all of which f^4 is the identity to first order.
    other = transposed(E)
    left = basis if other is None else approximate_null_space(quadratic(other, 0.0), 2, krylov)
    tries = [(basis @ v[:, None], left @ w[:, None]) for v in ways[:6:2] for w in ways[1:7:2]]
    curves = [locus_of(kind, point, iterate, names, pair) for pair in tries]
    sector = _directions_in_a_sector(J, plane, iterate.period // point.period)
    return [(curve, q) for curve in curves for q in sector]


def _directions_in_a_sector(J: Operator, plane: Array, order: int) -> list[Array]:
    """Directions in the plane of a critical pair e^{±2πi/order}, in the sector that the map turns onto the next one.

    The map takes a cycle from one of its points to the next, and with borders in so many directions a fold is found
    from each of them. With z the eigenvector, J takes Re e^{is} z to Re e^{i(s + θ)} z.
    """
    values, vectors = np.linalg.eig(plane.T @ apply(J, plane))
    z = vectors[:, int(np.argmax(values.imag))]
    z = z * np.exp(-1j * np.angle(z[0]))
    ways = [(np.exp(2j * np.pi * i / ANGLES) * z).real for i in range(ANGLES // order)]
    return [plane @ (way / np.linalg.norm(way)) for way in ways]


def _metric(curve: Curve, point: SpecialPoint) -> Metric:
    widths = np.ones(2) if point.widths is None else point.widths[:2]
    return Metric.of(curve, np.append(widths, np.full(len(curve.extra), COSINE_WIDTH)))


def _find_start(curve: Curve, q: Array, reach: float, point: SpecialPoint) -> tuple[Curve, CurvePoint] | None:
    """A point of the curve at a cycle of the full period whose amplitude along q is ``reach``."""
    metric = _metric(curve, point)
    t = np.zeros(len(curve.start))
    t[: curve.size] = q
    t /= metric.norm(t)
    row = metric.dual(t)
    node = _at_amplitude(curve, curve.start + reach * t, row, reach, metric)
    if node is None:
        return None
    again = _at_amplitude(curve, curve.start + PART * (node.u - curve.start), row, PART * reach, metric)
    if again is None:
        return None
    far, near = (_parameter_direction(each, point, metric) for each in (node, again))
    lengths = float(np.linalg.norm(far)), float(np.linalg.norm(near))
    if not 0.0 < lengths[1] < PART_OF_WAY * lengths[0] or far @ near < np.cos(2.0 * DISTINCT) * lengths[0] * lengths[1]:
        return None
    return curve, node


def _at_amplitude(curve: Curve, guess: Array, row: Array, reach: float, metric: Metric) -> CurvePoint | None:
    """The point of the curve at an amplitude, if it is a special point of a cycle of the full period near the start."""
    try:
        node = correct(curve, guess, row, float(row @ curve.start) + reach, metric, PATIENT, guess - curve.start)
    except np.linalg.LinAlgError:
        return None
    if not isinstance(node, CurvePoint) or metric.norm(node.u - curve.start) > LEFT * reach:
        return None
    if not (isinstance(node.at, AugmentedEvaluation) and node.at.defect_vanishes):
        return None
    return node if curve.iterate.least_period(node.at.orbit, SHORTER_CYCLE * reach) == curve.period else None


def _parameter_direction(node: CurvePoint, point: SpecialPoint, metric: Metric) -> Array:
    """The parameters' way from the point, in units of their bounds."""
    n = point.curve.size
    return np.asarray((node.u[n : n + 2] - point.u[n : n + 2]) / metric.widths[:2])


def _distinct(started: list[tuple[Curve, CurvePoint] | None], point: SpecialPoint) -> list[tuple[Curve, CurvePoint]]:
    """One start of each curve: those on one curve leave the point in one direction of the parameters."""
    kept: list[tuple[Curve, CurvePoint]] = []
    ways: list[Array] = []
    for each in started:
        if each is None:
            continue
        way = _parameter_direction(each[1], point, _metric(each[0], point))
        way /= np.linalg.norm(way)
        if all(way @ other < np.cos(DISTINCT) for other in ways):
            ways.append(way)
            kept.append(each)
    return kept


def _pointing_outward(node: CurvePoint, point: SpecialPoint) -> Array:
    """The tangent of a point, in the sense that leads away from the special point."""
    n = point.curve.size
    return node.tangent if float(node.tangent[:n] @ (node.u[:n] - point.u[:n])) >= 0 else -node.tangent
