"""Indices of fixed points of f^k, and what they sum up to where that is known.

The index of an isolated fixed point is sign det(I − Df^k). In an interval whose ends are not fixed, the sum is
(sign(b − f^k(b)) − sign(a − f^k(a)))/2; on a whole torus it is det(I − A^k), where A_ij says how often the i-th
coordinate of f goes round when the j-th one of x does once (Lefschetz's fixed point theorem; Katok & Hasselblatt,
Introduction to the Modern Theory of Dynamical Systems, 1995, section 8.6).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["expected_index", "index_of_cycle"]

Array = NDArray[np.float64]

DEGENERATE = 1e-9  # distance of a multiplier from 1, relative to its size, below which an index is not known
MOST_CIRCLES = 6  # of a torus: the determinant by its rows takes n! products
WHOLE = 1e-6  # by which a number of turns may differ from a whole number: rounding
ROUND = 4096  # points of a circle between which its image must not go half round


def index_of_cycle(multipliers: NDArray[Any], repeats: int) -> int | None:
    """The index of each point of a cycle as a fixed point of f^(period · repeats); None where it is degenerate.

    Examples
    --------
    >>> index_of_cycle(np.array([-2.0]), 1), index_of_cycle(np.array([-2.0]), 2), index_of_cycle(np.array([1.0]), 1)
    (1, -1, None)
    """
    sign = 1
    for value in np.asarray(multipliers, dtype=complex):
        if not np.isfinite(value):
            return None
        is_real = abs(value.imag) <= DEGENERATE * max(1.0, abs(value))
        # The power itself may be too large for a double: of a real multiplier its sign and its size beside 1 suffice.
        if is_real:
            positive = value.real > 0 or repeats % 2 == 0
            if positive and abs(abs(value.real) - 1.0) <= DEGENERATE:
                return None
            if positive and abs(value.real) > 1.0:
                sign = -sign
        elif abs(abs(value) - 1.0) <= DEGENERATE and abs(value**repeats - 1.0) <= DEGENERATE * repeats:
            return None
    return sign


def expected_index(batched: BatchedMap, period: int, low: Array, high: Array) -> int | None:
    """The sum of the indices of all fixed points of f^k in an interval, or on a torus; None where it is not known."""
    p = dict(batched.map.parameters)
    if batched.periods is not None:
        return _on_torus(batched, period, low, high)
    if len(low) != 1:
        return None
    y = np.array([low, high])
    for _ in range(period):
        y = batched.images(y, p)
    left, right = np.array([low, high])[:, 0] - y[:, 0]
    edge = DEGENERATE * max(batched.map.scale, float(np.abs([low, high]).max()))
    if np.isnan([left, right]).any() or min(abs(left), abs(right)) <= edge:
        return None
    return int(np.sign(right) - np.sign(left)) // 2


def _on_torus(batched: BatchedMap, period: int, low: Array, high: Array) -> int | None:
    """Det(I − A^k), if the box is a whole torus; None otherwise, and where a circle's image goes round too fast."""
    turns = batched.periods
    if turns is None or not np.isfinite(turns).all() or (np.abs(high - low - turns) > DEGENERATE * turns).any():
        return None
    n = len(low)
    if n > MOST_CIRCLES:
        return None
    A = np.zeros((n, n), dtype=object)  # whole numbers of any size
    for j in range(n):
        x = np.tile(low, (ROUND + 1, 1))
        x[:, j] += turns[j] * np.arange(ROUND + 1) / ROUND
        steps = shortest(np.diff(batched.images(x, dict(batched.map.parameters)), axis=0), turns)
        winding = steps.sum(axis=0) / turns
        if not (np.abs(steps) < 0.25 * turns).all() or (np.abs(winding - np.round(winding)) > WHOLE).any():
            return None
        A[:, j] = [round(float(each)) for each in winding]
    power = np.array([[int(i == j) for j in range(n)] for i in range(n)], dtype=object)
    for _ in range(period):
        power = power @ A
    return _determinant([[int(i == j) - power[i, j] for j in range(n)] for i in range(n)])


def _determinant(rows: list[list[int]]) -> int:
    """The determinant of a matrix of whole numbers, exactly, by its first row."""
    if not rows:
        return 1
    rest = [[row[:j] + row[j + 1 :] for row in rows[1:]] for j in range(len(rows))]
    return sum((-1) ** j * rows[0][j] * _determinant(rest[j]) for j in range(len(rows)) if rows[0][j])
