"""Where two curves in the plane, given as polygons, cross, and where they come near each other without crossing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Meeting", "meetings"]

Array = NDArray[np.float64]

CHUNK = 256  # segments of one curve whose boxes are compared at once with those of the other
SLACK = 1e-9  # part of a segment by which a crossing may seem to lie beyond its end: it is found on the next one, too
BESIDE = 3  # segments from a crossing within which nearness is no news


@dataclass(frozen=True)
class Meeting:
    """A place where two polygons cross, or come near each other.

    Attributes
    ----------
    first, second : float
        Place on either one: number of the segment, and part of it.
    distance : float
        0 where they cross.
    """

    first: float
    second: float
    distance: float


def meetings(a: Array, b: Array, reach: float) -> list[Meeting]:
    """Crossings of two polygons of shapes (m, 2) and (k, 2), and where else they come within ``reach``.

    A stretch along which they are near each other yields its two ends and its nearest place.
    """
    crossings: list[Meeting] = []
    near: list[tuple[int, int, float, float, float]] = []
    low_b, high_b = np.minimum(b[:-1], b[1:]) - reach, np.maximum(b[:-1], b[1:]) + reach
    for begin in range(0, len(a) - 1, CHUNK):
        part = a[begin : begin + CHUNK + 1]
        low, high = np.minimum(part[:-1], part[1:]), np.maximum(part[:-1], part[1:])
        touch = np.ones((len(low), len(low_b)), dtype=bool)
        for axis in (0, 1):
            touch &= (low[:, None, axis] <= high_b[None, :, axis]) & (high[:, None, axis] >= low_b[None, :, axis])
        i, j = np.nonzero(touch)
        if len(i):
            crossing, alpha, beta = _cross(part[i], part[i + 1], b[j], b[j + 1])
            crossings += [
                Meeting(float(begin + i[k] + alpha[k]), float(j[k] + beta[k]), 0.0) for k in np.flatnonzero(crossing)
            ]
            gap, at, on = _gap(part[i], part[i + 1], b[j], b[j + 1])
            near += [
                (int(begin + i[k]), int(j[k]), float(at[k]), float(on[k]), float(gap[k]))
                for k in np.flatnonzero(~crossing & (gap <= reach))
            ]
    return crossings + _stretches(near, crossings)


def _cross(a: Array, b: Array, c: Array, d: Array) -> tuple[NDArray[np.bool_], Array, Array]:
    """True where segments ab and cd cross, with the parts of them at which they do."""
    u, v, w = b - a, d - c, c - a
    with np.errstate(all="ignore"):
        across = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
        alpha = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / across
        beta = (w[:, 0] * u[:, 1] - w[:, 1] * u[:, 0]) / across
    inside = (alpha >= -SLACK) & (alpha <= 1.0 + SLACK) & (beta >= -SLACK) & (beta <= 1.0 + SLACK)
    return inside, alpha, beta


def _gap(a: Array, b: Array, c: Array, d: Array) -> tuple[Array, Array, Array]:
    """The distance of segments that do not cross, and the parts of them where it is reached."""
    best = np.full(len(a), np.inf)
    at, on = np.zeros(len(a)), np.zeros(len(a))
    for p, q, r, is_first, end in (
        (a, c, d, True, 0.0),
        (b, c, d, True, 1.0),
        (c, a, b, False, 0.0),
        (d, a, b, False, 1.0),
    ):
        way = r - q
        square = np.maximum(np.einsum("ij,ij->i", way, way), np.finfo(float).tiny)
        part = np.clip(np.einsum("ij,ij->i", p - q, way) / square, 0.0, 1.0)
        gap = np.linalg.norm(q + part[:, None] * way - p, axis=1)
        nearer = gap < best
        best = np.where(nearer, gap, best)
        at = np.where(nearer, end if is_first else part, at)
        on = np.where(nearer, part if is_first else end, on)
    return best, at, on


def _stretches(near: list[tuple[int, int, float, float, float]], crossings: list[Meeting]) -> list[Meeting]:
    """Of neighbouring pairs of segments that are near each other the two ends and the nearest, not beside crossings."""
    known = np.array([[each.first, each.second] for each in crossings]).reshape(-1, 2)
    groups: list[list[tuple[int, int, float, float, float]]] = []
    for pair in sorted(near):
        if len(known) and (np.abs(known - [pair[0], pair[1]]).max(axis=1) <= BESIDE + 1).any():
            continue
        mine = next((g for g in groups if abs(pair[0] - g[-1][0]) <= 2 and abs(pair[1] - g[-1][1]) <= 2), None)
        if mine is None:
            groups.append([pair])
        else:
            mine.append(pair)
    found = []
    for group in groups:
        nearest = min(group, key=lambda pair: pair[4])
        found += [Meeting(i + at, j + on, gap) for i, j, at, on, gap in dict.fromkeys((nearest, group[0], group[-1]))]
    return found
