"""A mesh on a curve t ↦ x(t), refined until chords and angles are as small as asked.

A segment is halved in t, at m, until the point m lies within the tolerance of its chord and the curve turns by less
than 0.3 radians between the halves, or the halves together are shorter than the tolerance: so folds sharper than that
are rounded off, and nothing else is (Hobson, J. Comput. Phys. 104 (1993) 14; Krauskopf & Osinga, J. Comput. Phys. 146
(1998) 404).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["Halves", "Mesh", "halves", "refine", "without_midpoints"]

Array = NDArray[np.float64]

LARGEST_TURN = 0.3  # radians: chords of an arc that turns by so much know its length to 4e-3, extrapolated to 1e-5
LARGEST_RATIO = 6.0  # of two halves of a segment: a point far from the middle tells less than the tolerance asks
# Halvings of t after which two points are apart by rounding only, in units in the last place of t.
FINEST = 16.0
EPS = float(np.finfo(float).eps)
MOST_ROUNDS = 200  # of refinement: a double holds fewer halvings


@dataclass(frozen=True, eq=False)
class Mesh:
    """Points of a curve in order.

    Attributes
    ----------
    t : ndarray, shape (m,)
        Parameters.
    points : ndarray, shape (m, n)
        The points; neighbours in coordinates with a period may be whole periods apart.
    lengths : ndarray, shape (m − 1,)
        Arclengths between neighbours, extrapolated from chords and halves of chords (Richardson).
    error : float
        By how much the extrapolation moved their sum: far more than it is wrong by where the curve is smooth.
    torn : int or None
        Number of the first segment that cannot be halved any more though it is long; what comes after it is left out.
    """

    t: Array
    points: Array
    lengths: Array
    error: float
    torn: int | None


def refine(
    t: Array,
    points: Array,
    at: Callable[[Array, Array], Array],
    tolerance: float,
    periods: Array | None,
    most: int,
) -> Mesh:
    """Insert points between those given.

    Parameters
    ----------
    t, points : ndarray, shapes (m,) and (m, n)
        The mesh to begin with; at least two points.
    at : callable
        ``at(t, guesses)`` → points (m, n), NaN where there are none.
    tolerance : float
        Largest distance of the curve from its chords.
    periods : ndarray or None
        Of the coordinates.
    most : int
        Points at the most; more than this are not looked for, and the mesh is cut where it is not fine enough.
    """
    done = np.zeros(len(t) - 1, dtype=bool)
    lengths, gains, torn_at = np.zeros(len(t) - 1), np.zeros(len(t) - 1), np.zeros(len(t) - 1, dtype=bool)
    for _ in range(MOST_ROUNDS):
        open_ones = np.flatnonzero(~done)
        if not len(open_ones) or len(t) > most:
            break
        a, b = points[open_ones], points[open_ones + 1]
        middle_t = 0.5 * (t[open_ones] + t[open_ones + 1])
        whole = shortest(b - a, periods)
        m = at(middle_t, a + 0.5 * whole)
        parts = halves(a, m, b, tolerance, periods)
        chord, one, two, accepted = parts.chord, parts.first, parts.second, parts.is_fine
        is_narrow = np.abs(t[open_ones + 1] - t[open_ones]) <= FINEST * EPS * np.abs(t[open_ones + 1])
        tears = ~accepted & is_narrow
        length = one + two
        gain = np.where(accepted, (length - chord) / 3.0, 0.0)
        share = np.where(length > 0.0, gain / np.where(length > 0.0, length, 1.0), 0.0)
        # Each segment becomes two; those that tear stay one.
        torn_at[open_ones[tears]] = True
        done[open_ones[tears]] = True
        lengths[open_ones[tears]] = chord[tears]
        split = ~tears
        here = open_ones[split]
        t = np.insert(t, here + 1, middle_t[split])
        points = np.insert(points, here + 1, m[split], axis=0)
        done[here] = accepted[split]
        done = np.insert(done, here + 1, accepted[split])
        lengths[here] = (one * (1.0 + share))[split]
        lengths = np.insert(lengths, here + 1, (two * (1.0 + share))[split])
        gains[here] = gain[split]
        gains = np.insert(gains, here + 1, 0.0)
        torn_at = np.insert(torn_at, here + 1, False)
    torn_at |= ~done
    first_torn = int(np.argmax(torn_at)) if torn_at.any() else None
    end = len(lengths) if first_torn is None else first_torn
    return Mesh(t[: end + 1], points[: end + 1], lengths[:end], float(np.abs(gains[:end]).sum()), first_torn)


def without_midpoints(t: Array, points: Array, tolerance: float, periods: Array | None) -> tuple[Array, Array]:
    """A mesh without the points that :func:`refine` would insert and accept anyhow.

    The image of a fine mesh has as many points, on less length where the map contracts: without this their number would
    double from image to image.
    """
    for _ in range(MOST_ROUNDS):
        parts = halves(points[:-2:2], points[1:-1:2], points[2::2], tolerance, periods)
        spare = 1 + 2 * np.flatnonzero(parts.is_fine)
        if not len(spare):
            break
        t, points = np.delete(t, spare), np.delete(points, spare, axis=0)
    return t, points


@dataclass(frozen=True, eq=False)
class Halves:
    """Lengths of segments' chords and of the two halves by their middles, and which of them are fine enough."""

    chord: Array
    first: Array
    second: Array
    is_fine: NDArray[np.bool_]


def halves(a: Array, m: Array, b: Array, tolerance: float, periods: Array | None) -> Halves:
    """Segments from a to b by m, shapes (k, n); fine where m is as near to the chord as asked, and the turn small."""
    first, second = shortest(m - a, periods), shortest(b - m, periods)
    chord, one, two = (np.linalg.norm(each, axis=1) for each in (first + second, first, second))
    with np.errstate(all="ignore"):
        along = np.einsum("ij,ij->i", first, first + second) / chord
        off = np.sqrt(np.maximum(one**2 - along**2, 0.0))
        cosine = np.einsum("ij,ij->i", first, second) / (one * two)
        ratio = np.maximum(one, two) <= LARGEST_RATIO * np.minimum(one, two)
        smooth = (off <= tolerance) & (cosine >= np.cos(LARGEST_TURN)) & ratio
        short = one + two <= tolerance
    return Halves(chord, one, two, np.asarray((smooth | short) & np.isfinite(one + two)))
