"""Branches at a point where several multipliers are critical: solutions on a small sphere within the kernel.

m critical multipliers leave m equations for the directions in which branches leave the point. They are solved from
seeded random starts, until nothing new comes and the fixed-point indices of all that was found balance: their sum over
the cycles near the point, sign det(I − (f^K)') each, is the same below its parameter and above (homotopy invariance of
the degree; Krasnosel'skii 1964).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.linalg.multipliers import Spectrum

__all__ = ["branches_on_sphere", "distance_between_phases", "is_next"]

Array = NDArray[np.float64]

TRIES = 24  # random directions in a row that may bring nothing new, at points of corank 2 and more
PATIENCE = 10  # times as many, while the indices of what was found do not balance: some branch is missing
# Branches that are looked for where indices are not known, of large maps, and where a continuum of them starts
MOST_BRANCHES = 8
MOST_ISOLATED = 40  # ... and elsewhere: as many as four coupled flips have, (3⁴ − 1)/2
# Distance of a multiplier from +1 at which the solutions on the sphere form a continuum: of those that a fifth-order
# term isolates it is as small as the fourth power of the radius.
CONTINUUM = 1e-10
CANDIDATES = 8  # random directions of which, every second time, the farthest from the known ones is tried
KNOWN_PART = 0.9  # what is taken out of a random direction of its part along the branch that is known
DISTINCT = 1e-3  # radians between two directions on the sphere, also of branches that touch: they are known to 1e-8
CLEARANCE = 0.3  # part of the angle between two curves that cross by which a third direction must differ from both
PARALLEL = 1e-9  # 1 − cosine up to which two directions are one
LEAST_DOUBLING = 0.05  # reaches between the two phases of a doubled cycle, below which it is one of the old period
SPHERE_STEPS = 12  # renewals of the hyperplane that stands for the sphere: each turns it by a tenth of the last turn
SPHERE_TURN = 1e-3  # a renewal that turns the direction by less ends the iteration; the corrector does the rest
LEFT = 3.0  # reaches from the point beyond which the iteration has left its neighbourhood
DEFECTIVE = 1e-6  # distance of a second multiplier from the critical value that rounding of a defective pair explains


@dataclass(eq=False)
class _Indices:
    """The sums of the fixed-point indices of the cycles near a point, below and above its parameter.

    Attributes
    ----------
    point : SpecialPoint
        The point.
    sums : list of int
        Below, and above.
    are_known : bool
        False if an index, or its side, could not be told.
    """

    point: SpecialPoint
    sums: list[int] = field(default_factory=lambda: [0, 0])
    are_known: bool = True

    @property
    def balance(self) -> bool:
        """True if the sums are known and equal."""
        return self.are_known and self.sums[0] == self.sums[1]

    def add(self, node: CurvePoint | CorrectorFailure, count: int) -> None:
        """Add ``count`` cycles with the multipliers of a point of the sphere."""
        if isinstance(node, CorrectorFailure) or not (node.spectrum.complete and node.spectrum.certified):
            self.are_known = False
            return
        n, s = self.point.curve.size, node.spectrum
        beyond = float(node.u[n] - self.point.u[n])
        if abs(beyond) <= self.point.error or s.gap < CONTINUUM:
            self.are_known = False
            return
        up = int(s.multiplicity[s.real & (s.values.real > 1.0)].sum())
        self.sums[beyond > 0.0] += -count if up % 2 else count


def branches_on_sphere(
    curve: Curve,
    point: SpecialPoint,
    kernel: Array,
    metric: Metric,
    amplitudes: tuple[float, ...],
    seed: int,
    *,
    nearest: bool = True,
    most: int | None = None,
) -> list[Curve]:
    """Curves that leave a point within the kernel directions, other than the branch that the point was met on.

    Parameters
    ----------
    curve : Curve
        The curve whose equations hold on them, begun at the point.
    point : SpecialPoint
        A flip or a branch point.
    kernel : ndarray, shape (n + 1, m + 1)
        Vectors (x, p) that span the kernel, as columns.
    metric : Metric
        In which the sphere is one.
    amplitudes : tuple of float
        Its radii, tried in turn until something is found.
    seed : int
        Of the random starts.
    nearest : bool
        True if solutions are refused that lie beyond another special point of their branch.
    most : int, optional
        Branches that are looked for; by default as many as there can be.
    """
    T = np.column_stack(metric.orthonormalise(kernel))
    assert point.tangent is not None  # points at which directions are searched for have it
    known = _coordinates(point.tangent, T, metric)
    ways = [_coordinates(way, T, metric) for way in point.tangents.T]
    crossing = [xi for xi in ways if abs(float(xi @ known)) < 1.0 - PARALLEL]
    distinct = min([DISTINCT, *(CLEARANCE * float(np.arccos(abs(float(xi @ known)))) for xi in crossing)])
    is_flip = point.kind == "flip"
    rng = np.random.default_rng(seed)
    for reach in amplitudes:
        sides = [_on_sphere(curve, point.u, T, side * known, reach, metric) for side in (1.0, -1.0)]
        directions = [known, *(_coordinates(node.u - point.u, T, metric) for node in sides if _is_found(node))]
        indices = _Indices(point)
        for node in sides:
            indices.add(node, 1)
        curves: list[Curve] = []
        idle, first = 0, [sign * xi for xi in crossing for sign in (1.0, -1.0)]
        while len(curves) < (most or (MOST_ISOLATED if indices.are_known else MOST_BRANCHES)):
            if idle >= TRIES * (PATIENCE if indices.are_known and not indices.balance and not most else 1):
                break
            idle += 1
            xi = first.pop(0) if first else _direction(rng, directions, CANDIDATES if idle % 2 else 1)
            node = _on_sphere(curve, point.u, T, xi, reach, metric)
            if isinstance(node, CorrectorFailure) or (nearest and not is_next(node, point)):
                continue
            direction = _coordinates(node.u - point.u, T, metric)
            if max(float(direction @ other) for other in directions) >= np.cos(distinct):
                continue
            idle = 0
            directions.append(direction)
            # Where old cycles cross, too, these solve the doubled equations.
            is_old = is_flip and distance_between_phases(node, metric) < LEAST_DOUBLING * reach
            if is_old:
                indices.add(node, 1)
                continue
            # The other side of the same curve, which is traced on both; at a flip the same cycle half a period later.
            back = _half_period_later(node, point, T, metric) if is_flip else -direction
            other = _on_sphere(curve, point.u, T, back, reach, metric)
            directions.append(_coordinates(other.u - point.u, T, metric) if _is_found(other) else back)
            indices.add(node, 1)
            indices.add(node if is_flip else other, 1)
            curves.append(curve.replace(start=node.u, direction=_pointing_outward(node, point.u, metric)))
        if curves:
            return curves
    return []


def _is_found(node: CurvePoint | CorrectorFailure) -> TypeGuard[CurvePoint]:
    return isinstance(node, CurvePoint)


def is_next(node: CurvePoint, point: SpecialPoint) -> bool:
    """True if no multiplier but the critical ones crossed the circle between a point and the start of its branch.

    Farther out the branch may already have passed special points, which its trace would then never see.
    """
    s = point.spectrum
    if not (s.complete and s.certified and node.spectrum.certified):
        return True
    power, target = (2, -1.0) if point.kind == "flip" else (1, 1.0)
    distance = np.where(s.multiplicity == 1, np.abs(s.values - target), np.inf)
    if point.kind == "flip" and "branch point" in point.together:
        distance = np.minimum(distance, np.where(s.multiplicity == 1, np.abs(s.values - 1.0), np.inf))
    # A map that preserves areas has two multipliers there but one eigenvector: rounding moves them by its root.
    m = max(point.multiplicity, int(np.count_nonzero(distance < DEFECTIVE)))
    rest = np.sort(np.argsort(distance)[m:])
    before = Spectrum(s.values[rest] ** power, s.multiplicity[rest], s.size).signature
    up, down, pairs = np.subtract(node.spectrum.signature, before).tolist()
    turning = int(s.multiplicity[~s.real & (np.abs(np.abs(s.values) - 1.0) < DEFECTIVE)].sum())  # pairs, two by two
    return bool(down == 0 and pairs >= 0 and 0 <= up + 2 * pairs <= m + turning)


def distance_between_phases(node: CurvePoint, metric: Metric) -> float:
    """How far a solution of the doubled equations is from itself half a period later; 0 if it has the old period."""
    assert node.curve is not None  # corrected points know their curve
    iterate, orbit = node.curve.iterate, node.at.orbit
    return metric.norm(np.append(iterate.difference(iterate.half_way(orbit), orbit[0]), 0.0))


def _coordinates(direction: Array, T: Array, metric: Metric) -> Array:
    """The coordinates of a direction on orthonormal vectors, as a unit vector."""
    xi = np.array([metric.dot(direction, t) for t in T.T])
    return np.asarray(xi / np.linalg.norm(xi))


def _direction(rng: np.random.Generator, known: list[Array], among: int) -> Array:
    """A random direction away from the first known one; of several, that which is farthest from all known ones."""
    xi = rng.standard_normal((among, len(known[0])))
    xi -= KNOWN_PART * np.outer(xi @ known[0], known[0])
    xi /= np.linalg.norm(xi, axis=1)[:, None]
    return np.asarray(xi[np.argmin(np.abs(xi @ np.array(known).T).max(axis=1))])


def _half_period_later(node: CurvePoint, point: SpecialPoint, T: Array, metric: Metric) -> Array:
    """The direction from a flip to a doubled cycle that is started half a period later."""
    n = point.curve.size
    later = point.u[:n] + point.curve.iterate.difference(node.at.orbit[point.period], point.u[:n])
    return _coordinates(np.concatenate([later, node.u[n:]]) - point.u, T, metric)


def _pointing_outward(node: CurvePoint, centre: Array, metric: Metric) -> Array:
    """The tangent of a point, in the sense that leads away from the centre."""
    return node.tangent if metric.dot(node.tangent, node.u - centre) >= 0 else -node.tangent


def _on_sphere(
    curve: Curve, centre: Array, T: Array, xi: Array, reach: float, metric: Metric
) -> CurvePoint | CorrectorFailure:
    """Solve H(u) = 0 with the kernel coordinates of u − centre at distance ``reach``.

    Linearised at ξ, the sphere is the hyperplane across ξ; the corrector solves on it, ξ is renewed, and again.
    """
    u = centre + reach * (T @ xi)
    node: CurvePoint | CorrectorFailure = CorrectorFailure("diverged")
    for _ in range(SPHERE_STEPS):
        row = metric.dual(T @ xi)
        node = correct(curve, u, row, float(row @ centre) + reach, metric, None, T @ xi)
        if isinstance(node, CorrectorFailure):
            return node
        at = np.array([metric.dot(node.u - centre, t) for t in T.T])
        size = float(np.linalg.norm(at))
        if not size < LEFT * reach:
            return CorrectorFailure("diverged", "left the neighbourhood of the point")
        if np.linalg.norm(at / size - xi) < SPHERE_TURN:
            break
        xi = at / size
        u = centre + reach * (T @ xi)
    assert isinstance(node, CurvePoint)
    row = metric.dual(T @ xi)
    return correct(curve, node.u, row, float(row @ node.u), metric, TO_ROUNDING, T @ xi)
