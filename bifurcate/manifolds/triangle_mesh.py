"""A triangulated surface t ↦ x(t), refined by halving edges until chords and angles are as small as asked.

Whether an edge is halved depends on the edge alone, so that triangles on both its sides agree and no point hangs on an
edge: a triangle with one, two or three halved edges becomes two, three or four.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from bifurcate.manifolds.refinement import halves
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["TriangleMesh", "clipped", "distances", "refined"]

Array = NDArray[np.float64]
Indices = NDArray[np.int_]

FINEST = 16.0  # units in the last place of t between the ends of an edge that is halved no more
MOST_ROUNDS = 100  # of halving: a double holds fewer
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class TriangleMesh:
    """A part of a surface.

    Attributes
    ----------
    t : ndarray, shape (m, 2)
        Parameters.
    points : ndarray, shape (m, n)
        x(t).
    triangles : ndarray of int, shape (k, 3)
        Numbers of their corners.
    front : ndarray of int, shape (j, 2)
        The edges at which the surface goes on.
    torn : int
        Edges that could not be halved any more though they are long.
    """

    t: Array
    points: Array
    triangles: Indices
    front: Indices
    torn: int = 0


def refined(
    mesh: TriangleMesh,
    at: Callable[[Array], Array],
    tolerance: float,
    periods: Array | None,
    most: int,
) -> tuple[TriangleMesh, bool]:
    """A mesh with edges as fine as asked, and True unless it took too many points.

    Parameters
    ----------
    mesh : TriangleMesh
        The mesh to begin with.
    at : callable
        Parameters (m, 2) to points (m, n).
    tolerance : float
        Largest distance of the surface from an edge at its middle.
    periods : ndarray or None
        Of the coordinates.
    most : int
        Points at the most.
    """
    open_ones, done = mesh.triangles, [np.empty((0, 3), dtype=int)]
    t, points, front, torn = mesh.t, mesh.points, mesh.front, 0
    fine = np.empty((0, 2), dtype=int)
    for _ in range(MOST_ROUNDS):
        edges = _new_edges(open_ones, fine)
        if not len(edges) or len(t) > most:
            break
        middle = 0.5 * (t[edges[:, 0]] + t[edges[:, 1]])
        x = at(middle)
        accepted = halves(points[edges[:, 0]], x, points[edges[:, 1]], tolerance, periods).is_fine
        apart = np.abs(t[edges[:, 0]] - t[edges[:, 1]]).max(axis=1)
        stuck = ~accepted & ((apart <= FINEST * EPS * np.abs(middle).max(axis=1)) | ~np.isfinite(x).all(axis=1))
        torn += int(np.count_nonzero(stuck))
        halved = ~accepted & ~stuck
        numbers = len(t) + np.arange(np.count_nonzero(halved))
        t, points = np.vstack([t, middle[halved]]), np.vstack([points, x[halved]])
        table = {tuple(edge): int(number) for edge, number in zip(np.sort(edges[halved], axis=1), numbers)}
        fine = np.vstack([fine, np.sort(edges[~halved], axis=1)])
        whole, open_ones = _split(open_ones, table)
        done.append(whole)
        front = _split_edges(front, table)
    left = len(_new_edges(open_ones, fine))
    return TriangleMesh(t, points, np.vstack([*done, open_ones]), front, torn), not left


def _new_edges(triangles: Indices, fine: Indices) -> Indices:
    """The edges of triangles, each once, that are not known to be fine."""
    if not len(triangles):
        return np.empty((0, 2), dtype=int)
    edges = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    edges = np.unique(edges, axis=0)
    if not len(fine):
        return edges
    size = int(max(edges.max(), fine.max())) + 1
    return edges[~np.isin(edges[:, 0] * size + edges[:, 1], fine[:, 0] * size + fine[:, 1])]


def _split(triangles: Indices, table: dict[tuple[int, ...], int]) -> tuple[Indices, Indices]:
    """The triangles none of whose edges is halved, and what becomes of the others."""
    whole, parts = list[tuple[int, ...]](), list[tuple[int, int, int]]()
    for a, b, c in triangles.tolist():
        p, q, r = (table.get((min(i, j), max(i, j))) for i, j in ((a, b), (b, c), (c, a)))
        if p is None and q is None and r is None:
            whole.append((a, b, c))
        else:
            parts += _parts(a, b, c, p, q, r)
    shaped: Callable[[list[tuple[int, ...]]], Indices] = lambda rows: np.array(rows, dtype=int).reshape(-1, 3)  # noqa: E731
    return shaped(whole), shaped([*parts])


def _parts(a: int, b: int, c: int, p: int | None, q: int | None, r: int | None) -> list[tuple[int, int, int]]:
    """A triangle abc cut at the middles p of ab, q of bc, r of ca, as far as there are such."""
    if p is not None and q is not None and r is not None:
        return [(a, p, r), (p, b, q), (r, q, c), (p, q, r)]
    for _ in range(3):  # turned until the edge ab is halved, and ca is not
        if p is not None and r is None:
            break
        a, b, c, p, q, r = b, c, a, q, r, p
    assert p is not None
    if q is None:
        return [(a, p, c), (p, b, c)]
    return [(p, b, q), (a, p, c), (p, q, c)]


def _split_edges(edges: Indices, table: dict[tuple[int, ...], int]) -> Indices:
    rows = list[tuple[int, int]]()
    for a, b in edges.tolist():
        middle = table.get((min(a, b), max(a, b)))
        rows += [(a, b)] if middle is None else [(a, middle), (middle, b)]
    return np.array(rows, dtype=int).reshape(-1, 2)


def clipped(
    mesh: TriangleMesh, levels: Array, carried: Array, at: Callable[[Array], Array]
) -> tuple[TriangleMesh, Array]:
    """The part of a mesh where a function, given at its points, is at most 0: triangles across its outline are cut.

    Parameters
    ----------
    mesh : TriangleMesh
        The mesh.
    levels : ndarray, shape (m,)
        The function; along edges it is taken to be linear in the parameters.
    carried : ndarray, shape (m,)
        Another one, whose values at the new points are returned with the old ones.
    at : callable
        Parameters (m, 2) to points (m, n).
    """
    inside = levels <= 0.0
    corners = inside[mesh.triangles].sum(axis=1)
    across = mesh.triangles[(corners > 0) & (corners < 3)]
    edges = _new_edges(across, np.empty((0, 2), dtype=int))
    edges = edges[inside[edges[:, 0]] != inside[edges[:, 1]]]
    low, high = levels[edges[:, 0]], levels[edges[:, 1]]
    part = (low / (low - high))[:, None]
    t = (1.0 - part) * mesh.t[edges[:, 0]] + part * mesh.t[edges[:, 1]]
    cut = {(a, b): len(mesh.t) + i for i, (a, b) in enumerate(edges.tolist())}
    parts = list[tuple[int, int, int]]()
    for row in across.tolist():
        odd = next(i for i in range(3) if [bool(inside[j]) for j in row].count(bool(inside[row[i]])) == 1)
        a, b, c = row[odd:] + row[:odd]  # a lies on one side, b and c on the other
        p, q = cut[min(a, b), max(a, b)], cut[min(a, c), max(a, c)]
        parts += [(a, p, q)] if inside[a] else [(p, b, c), (p, c, q)]
    triangles = np.vstack([mesh.triangles[corners == 3], np.array(parts, dtype=int).reshape(-1, 3)])
    points, part = np.vstack([mesh.points, at(t)]), part[:, 0]
    carried = np.append(carried, (1.0 - part) * carried[edges[:, 0]] + part * carried[edges[:, 1]])
    return TriangleMesh(np.vstack([mesh.t, t]), points, triangles, mesh.front, mesh.torn), carried


def distances(points: Array, triangles: Indices, periods: Array | None) -> Array:
    """The length of the shortest way along edges from the first point to every other; inf where there is none."""
    if not len(triangles):
        return np.where(np.arange(len(points)) == 0, 0.0, np.inf)
    edges = _new_edges(triangles, np.empty((0, 2), dtype=int))
    lengths = np.linalg.norm(shortest(points[edges[:, 0]] - points[edges[:, 1]], periods), axis=1)
    graph = coo_matrix((lengths, edges.T), shape=(len(points), len(points))).tocsr()
    return np.asarray(dijkstra(graph, directed=False, indices=0))
