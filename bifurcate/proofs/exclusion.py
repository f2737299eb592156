"""Nothing else: boxes in which every cycle is one that is known.

A box of states and parameters is halved until every part is decided. A part holds no solution of f^k(x) = x if, with
h = f^k − x evaluated on it,

    h(box)  or  h(m) + Dh(box) (box − m)  or  A h(m) + A Dh(box) (box − m),    m the middle, A ≈ Dh(m)⁻¹,

has an entry that does not hold 0; it holds only known ones if it lies inside the region in which a proved point or a
proved tube has no other solution. Parts that reach neither within the limit are reported. (Moore, Kearfott & Cloud,
Introduction to Interval Analysis, SIAM 2009, chapter 8.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import flint
import numpy as np
from numpy.typing import NDArray

from bifurcate.proofs.balls import Ball, Matrix, ball, matrix, nearest_matrix
from bifurcate.proofs.evaluation import BallMap, seed
from bifurcate.proofs.jets import Jet, Undecided

__all__ = ["Exclusion", "KnownRegion", "exclude"]

Vector = NDArray[np.float64]

MOST_BOXES = 200_000  # parts that are examined: about half a minute
MOST_UNDECIDED = 200  # small undecided parts after which the rest is not examined: a whole curve is unknown there
SMALLEST = 1e-6  # least width of a part, relative to the box: what is not decided there is at a singular solution
SHOWN = 3  # undecided parts that a sentence shows
MOST_UNKNOWNS = 3  # beyond, halving meets too many parts


class KnownRegion:
    """A region in which the only solutions are known ones."""

    def covers(self, box: Sequence[Ball]) -> bool:
        """True if a box of states and, if it is free, the parameter lies inside."""
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Exclusion:
    """What was proved about a box.

    Attributes
    ----------
    period : int
        k: solutions of f^k(x) = x were looked for.
    low, high : ndarray
        Corners of the box: states, then the free parameter if there is one.
    boxes : int
        Parts that were examined.
    undecided : tuple of (ndarray, ndarray)
        Corners of the parts that were not decided.
    """

    period: int
    low: Vector
    high: Vector
    boxes: int
    undecided: tuple[tuple[Vector, Vector], ...]

    @property
    def complete(self) -> bool:
        """True if every solution in the box is a known one."""
        return not self.undecided

    def __str__(self) -> str:
        sides = " × ".join(f"[{a:.6g}, {b:.6g}]" for a, b in zip(self.low, self.high))
        what = "fixed point" if self.period == 1 else f"solution of f^{self.period}(x) = x"
        if self.complete:
            return f"There is no other {what} in {sides} ({self.boxes:,} boxes)."
        where = "; ".join(" × ".join(f"[{a:.6g}, {b:.6g}]" for a, b in zip(*part)) for part in self.undecided[:SHOWN])
        return (
            f"There is no other {what} in {sides}, except perhaps in {len(self.undecided)} of {self.boxes:,} boxes, as "
            f"{where}."
        )


def exclude(
    ball_map: BallMap,
    low: Vector,
    high: Vector,
    *,
    period: int = 1,
    known: Sequence[KnownRegion] = (),
    most_boxes: int = MOST_BOXES,
) -> Exclusion:
    """Show that a box holds no cycle but the known ones.

    Parameters
    ----------
    ball_map : BallMap
    low, high : ndarray, shape (n,) or (n + 1,)
        Corners: of the state, and of the free parameter if there is one.
    period : int
    known : sequence of KnownRegion
    most_boxes : int
        Parts that are examined at most; what is left then is undecided.
    """
    widths = high - low
    waiting: list[tuple[Vector, Vector]] = [(low, high)]
    undecided: list[tuple[Vector, Vector]] = []
    boxes = 0
    while waiting:
        if boxes >= most_boxes or len(undecided) > MOST_UNDECIDED:
            undecided += waiting
            break
        a, b = waiting.pop()
        boxes += 1
        box = [ball(x).union(ball(y)) for x, y in zip(a, b)]
        if any(region.covers(box) for region in known) or _has_no_solution(ball_map, box, period):
            continue
        relative = (b - a) / np.where(widths > 0.0, widths, 1.0)
        i = int(np.argmax(relative))
        if relative[i] < SMALLEST:
            undecided.append((a, b))
            continue
        middle = 0.5 * (a[i] + b[i])
        left, right = b.copy(), a.copy()
        left[i], right[i] = middle, middle
        waiting += [(a, left), (right, b)]
    return Exclusion(period, low, high, boxes, tuple(undecided))


def _has_no_solution(ball_map: BallMap, box: Sequence[Ball], period: int) -> bool:
    n = ball_map.size
    try:
        value, derivative = _evaluate(ball_map, box, period)
        periods = ball_map.map.periods
        if _misses_zero(value, periods):
            return True
        centre = [x.mid() for x in box]
        at_centre, _ = _evaluate(ball_map, centre, period, slopes=False)
    except Undecided:
        return False
    apart = flint.arb_mat(len(box), 1, [x - c for x, c in zip(box, centre)])
    h = flint.arb_mat(n, 1, at_centre)
    change = derivative * apart
    if _misses_zero([h[i, 0] + change[i, 0] for i in range(n)], periods):
        return True
    if periods is not None:
        return False
    square = nearest_matrix(derivative)[:, :n]
    if n == 1 or not np.isfinite(square).all() or abs(np.linalg.det(square)) == 0.0:
        return False
    A = matrix(np.linalg.inv(square))
    left, right = A * h, (A * derivative) * apart
    return _misses_zero([left[i, 0] + right[i, 0] for i in range(n)])


def _misses_zero(values: Sequence[Ball], periods: Vector | None = None) -> bool:
    """True if an entry holds neither 0 nor, on a circle, a multiple of its period."""
    if periods is None:
        return any(x.is_finite() and not x.contains(0) for x in values)
    lengths = [ball(each) if np.isfinite(each) else None for each in periods.tolist()]
    return any(
        x.is_finite() and not (x.contains(0) if length is None else (x / length).contains_integer())
        for x, length in zip(values, lengths)
    )


def _evaluate(ball_map: BallMap, box: Sequence[Ball], period: int, slopes: bool = True) -> tuple[list[Ball], Matrix]:
    """f^k(x) − x on a box, and its derivative by all unknowns."""
    n = ball_map.size
    state: list[Jet] = [seed(x, i) if slopes else Jet(((x, {}),)) for i, x in enumerate(box[:n])]
    free = None
    if ball_map.free is not None:
        free = seed(box[n], n) if slopes else Jet(((box[n], {}),))
    p = ball_map.values(free)
    image = state
    for _ in range(period):
        image = ball_map(image, p)
    difference = [y - x for x, y in zip(state, image)]
    D = flint.arb_mat(n, len(box))
    for i, each in enumerate(difference):
        for j, slope in each.c[0][1].items():
            D[i, j] = slope
    return [each.value for each in difference], D
