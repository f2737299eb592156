"""One sheet of a 2-D invariant manifold, grown from its Taylor part until it reaches as far as asked.

Beyond the edge of what is known the parameters t are stretched by the moduli of the multipliers, edge by edge; between
the old and the new edge lies a strip of triangles, which are refined. A point at t is P(Λ⁻ᴺt) carried N times by f^k.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bifurcate.interrupts import interruptible
from bifurcate.manifolds.batched_step import BatchedStep
from bifurcate.manifolds.growth_limits import GrowthLimits
from bifurcate.manifolds.surface_parametrisation import SurfaceParametrisation
from bifurcate.manifolds.triangle_mesh import TriangleMesh, clipped, distances, refined
from bifurcate.orbits.orbit import DIVERGED

__all__ = ["MOST_POINTS", "SurfaceStop", "grow_surface"]

Array = NDArray[np.float64]

MOST_POINTS = 300_000  # of a sheet: 100 MB with its triangles
FIRST_CORNERS = 16  # of the disc on which the Taylor expansion is trusted
ROUNDING_OF_RADIUS = 1e-12  # part of the radius by which a point on its edge may seem to lie beyond it

SurfaceStop = Literal["radius", "iterates", "box", "pole", "torn", "points", "interrupted"]


def grow_surface(
    f: BatchedStep, P: SurfaceParametrisation, limits: GrowthLimits, report: Callable[[int], None]
) -> tuple[TriangleMesh, Array, tuple[SurfaceStop, ...]]:
    """The triangles of a sheet, the saddle first, distances from it along their edges, and why the sheet ends.

    Parameters
    ----------
    f : BatchedStep
        The map that stretches the manifold.
    P : SurfaceParametrisation
        Its Taylor part.
    limits : GrowthLimits
        Until where.
    report : callable
        Called with the number of points after every strip.
    """
    at = _sampler(f, P)
    angle = 2.0 * np.pi * np.arange(FIRST_CORNERS) / FIRST_CORNERS
    t = np.vstack([np.zeros((1, 2)), P.radius * np.column_stack([np.cos(angle), np.sin(angle)])])
    corners, following = 1 + np.arange(FIRST_CORNERS), 1 + (np.arange(FIRST_CORNERS) + 1) % FIRST_CORNERS
    fan = np.column_stack([np.zeros(FIRST_CORNERS, dtype=int), corners, following])
    mesh = TriangleMesh(t, at(t), fan, np.column_stack([corners, following]))
    reasons, count, new = set[SurfaceStop](), 0, len(fan)
    try:
        mesh = interruptible(_grown, mesh, new, at, f, limits, reasons)
        while len(mesh.front):
            if count >= limits.iterates:
                reasons.add("iterates")
                break
            longer, new = _with_strip(mesh, P, at)
            mesh = interruptible(_grown, longer, new, at, f, limits, reasons)
            count += 1
            report(len(mesh.t))
    except KeyboardInterrupt:
        reasons.add("interrupted")
    mesh, distance = _without_unused(*_within(mesh, limits, at))
    return mesh, distance, tuple(each for each in get_args(SurfaceStop) if each in reasons)


def _without_unused(mesh: TriangleMesh, distance: Array) -> tuple[TriangleMesh, Array]:
    """The mesh without points that belong to no triangle, apart from the first."""
    used = np.unique(np.append(0, mesh.triangles))
    number = np.zeros(len(mesh.t), dtype=int)
    number[used] = np.arange(len(used))
    return TriangleMesh(mesh.t[used], mesh.points[used], number[mesh.triangles], mesh.front[:0]), distance[used]


def _sampler(f: BatchedStep, P: SurfaceParametrisation) -> Callable[[Array], Array]:
    """Parameters to points: f^k as often as it takes to come from the Taylor part."""

    def at(t: Array) -> Array:
        counts, there = np.zeros(len(t), dtype=int), t.copy()
        beyond = np.linalg.norm(there, axis=1) > P.radius * (1.0 + ROUNDING_OF_RADIUS)
        while beyond.any():
            there[beyond] = P.stretched(there[beyond], -1.0)
            counts[beyond] += 1
            beyond = np.linalg.norm(there, axis=1) > P.radius * (1.0 + ROUNDING_OF_RADIUS)
        points = P(there)
        for number in range(int(counts.max(initial=0))):
            rows = counts > number
            points[rows] = f(points[rows])
        return points

    return at


def _with_strip(
    mesh: TriangleMesh, P: SurfaceParametrisation, at: Callable[[Array], Array]
) -> tuple[TriangleMesh, int]:
    """The mesh with a strip of triangles beyond its front, and their number; they come last."""
    moduli = np.abs(np.array([P.multipliers[0], P.multipliers[0] if P.is_pair else P.multipliers[1]]))
    inner = np.unique(mesh.front)
    outer = len(mesh.t) + np.searchsorted(inner, mesh.front)
    t = mesh.t[inner] * moduli
    (a, b), (c, d) = mesh.front.T, outer.T
    strip = np.vstack([np.column_stack([a, c, d]), np.column_stack([a, d, b])])
    triangles = np.vstack([mesh.triangles, strip])
    return TriangleMesh(np.vstack([mesh.t, t]), np.vstack([mesh.points, at(t)]), triangles, outer), len(strip)


def _grown(
    mesh: TriangleMesh,
    new: int,
    at: Callable[[Array], Array],
    f: BatchedStep,
    limits: GrowthLimits,
    reasons: set[SurfaceStop],
) -> TriangleMesh:
    """The mesh with its newest triangles refined and cut where they leave what is asked for."""
    old = mesh.triangles[: len(mesh.triangles) - new]
    fresh = dataclasses.replace(mesh, triangles=mesh.triangles[len(mesh.triangles) - new :])
    fresh, front = _kept(fresh, limits, f, reasons, distance=None)
    fresh = dataclasses.replace(fresh, front=front)
    part, is_whole = refined(fresh, at, limits.tolerance, limits.periods, MOST_POINTS)
    if part.torn:
        reasons.add("torn")
    joined = np.vstack([old, part.triangles])
    distance = distances(part.points, joined, limits.periods) if np.isfinite(limits.farthest) else None
    part, front = _kept(part, limits, f, reasons, distance)
    if not is_whole:
        reasons.add("points")
        front = front[:0]
    return TriangleMesh(part.t, part.points, np.vstack([old, part.triangles]), front)


def _within(mesh: TriangleMesh, limits: GrowthLimits, at: Callable[[Array], Array]) -> tuple[TriangleMesh, Array]:
    """The mesh cut at the radius and at the sides of the box, and distances from the saddle."""
    distance = distances(mesh.points, mesh.triangles, limits.periods)
    if np.isfinite(limits.farthest):
        mesh, distance = clipped(mesh, distance - limits.farthest, distance, at)
    if limits.box is not None:
        half = 0.5 * np.ptp(limits.box, axis=0)
        levels = (np.abs(mesh.points - limits.box.mean(axis=0)) / half).max(axis=1) - 1.0
        mesh, distance = clipped(mesh, levels, distance, at)
    return mesh, distance


def _kept(
    mesh: TriangleMesh, limits: GrowthLimits, f: BatchedStep, reasons: set[SurfaceStop], distance: Array | None
) -> tuple[TriangleMesh, NDArray[np.int_]]:
    """The triangles with at least one corner inside of everything and none at infinity, and the front they have."""
    used = np.unique(mesh.triangles)
    is_finite = np.zeros(len(mesh.t), dtype=bool)
    is_finite[used] = (np.abs(mesh.points[used]) < DIVERGED * limits.unit).all(axis=1)
    if f.rule.domain is not None:
        is_finite[used] &= f.margins(mesh.points[used]) > 0.0
    triangles, front = mesh.triangles, mesh.front
    wrong = ~is_finite[triangles].all(axis=1)
    if wrong.any():
        reasons.add("pole")
        triangles = triangles[~wrong]
    tests: list[tuple[SurfaceStop, NDArray[np.bool_]]] = []
    if limits.box is not None:
        tests.append(("box", ((mesh.points >= limits.box[0]) & (mesh.points <= limits.box[1])).all(axis=1)))
    if distance is not None:
        tests.append(("radius", distance <= limits.farthest))
    for reason, is_inside in tests:
        outside = ~is_inside[triangles].any(axis=1)
        ended = ~is_inside[front].any(axis=1)
        if outside.any() or ended.any():
            reasons.add(reason)
        triangles, front = triangles[~outside], front[~ended]
    corners = np.zeros(len(mesh.t), dtype=bool)
    corners[triangles] = True
    return dataclasses.replace(mesh, triangles=triangles), front[corners[front].all(axis=1)]
