"""Proofs of points of codimension two: cusps, generalised flips, strong resonances and fold-flips.

With X(t) = x + t v + t² u/2 + …, a truncated series of states, the conditions are those of f on series:

    cusp               f(X(t)) = X(t)  mod t³      J v = v, and J u + B(v, v) = u can be solved: <p, B(v, v)> = 0
    generalised flip   f(X(t)) = X(−t) mod t⁴      J v = −v, and at t³ the cubic coefficient b vanishes
    R1, R2             J v = ±v, J w = ±w + v      a Jordan block
    R3, R4             J (a + ib) = e^{iθ} (a + ib) with cos θ = −1/2 or 0
    fold-flip          J v = v, J w = −w

so that no left eigenvector is an unknown, and every system is square: states, two parameters, and the vectors, with as
many normalisations by fixed functionals as there are series or vectors beyond the equations. For cycles the series goes
round, by multiple shooting. The coefficient c of a cusp and of a generalised flip is <p, [t^m] f(X(t))> with m = 3 and
m = 5, in the normalisation of ``bifurcations/codimension_two/normal_forms.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from bifurcate.proofs.balls import Ball, Matrix
from bifurcate.proofs.duals import Dual, plus, scaled
from bifurcate.proofs.evaluation import BallMap
from bifurcate.proofs.jets import Jet

__all__ = ["TWO_PARAMETER_KINDS", "TwoParameterSystem"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class _Kind:
    """How the vectors of a kind close after the cycle.

    Attributes
    ----------
    blocks : int
        How many vectors there are: the orders 1, …, K of one series, or separate ones.
    order : int
        K of the series; 1 where the vectors are separate.
    signs : tuple of float
        Multipliers of the blocks, where they are real.
    multiplicity : int
        How many multipliers are critical.
    """

    blocks: int
    order: int
    signs: tuple[float, ...]
    multiplicity: int


TWO_PARAMETER_KINDS = {
    "cusp": _Kind(2, 2, (1.0,), 1),
    "generalised flip": _Kind(3, 3, (-1.0,), 1),
    "R1": _Kind(2, 1, (1.0, 1.0), 2),
    "R2": _Kind(2, 1, (-1.0, -1.0), 2),
    "R3": _Kind(2, 1, (), 2),
    "R4": _Kind(2, 1, (), 2),
    "fold-flip": _Kind(2, 1, (1.0, -1.0), 2),
}


@dataclass(frozen=True, eq=False)
class TwoParameterSystem:
    """The system of a kind; see the head of the file.

    Attributes
    ----------
    ball_map : BallMap
    free : (str, str)
    period : int
    kind : str
    functionals : ndarray, shape (2, n)
        Rows l by which vectors are normalised.
    scale : float
        Unit of the state.
    parameter_scales : (float, float)
    """

    ball_map: BallMap
    free: tuple[str, str]
    period: int
    kind: str
    functionals: Vector
    scale: float
    parameter_scales: tuple[float, float]

    @cached_property
    def weights(self) -> Vector:
        """The units of the unknowns."""
        k, n = self.period, self.ball_map.size
        blocks = TWO_PARAMETER_KINDS[self.kind].blocks
        # The orders of a series count like powers of a state's change of size 1.
        return np.concatenate([np.full(k * n, self.scale), self.parameter_scales, np.ones(blocks * k * n)])

    def split(self, z: Sequence[Any]) -> tuple[list[list[Any]], list[Any], list[list[list[Any]]]]:
        """The unknowns as points of the cycle, parameters, and blocks of vectors (block, point, entry)."""
        k, n = self.period, self.ball_map.size
        points = [list(z[i * n : (i + 1) * n]) for i in range(k)]
        at = k * n + 2
        blocks = []
        for _ in range(TWO_PARAMETER_KINDS[self.kind].blocks):
            blocks.append([list(z[at + i * n : at + (i + 1) * n]) for i in range(k)])
            at += k * n
        return points, list(z[k * n : k * n + 2]), blocks

    def residual(self, z: Sequence[Ball]) -> list[Ball]:
        """F."""
        return [value for value, _ in self._equations(z)]

    def linearise(self, z: Sequence[Ball]) -> tuple[list[Ball], Matrix]:
        """F and DF."""
        equations = self._equations(z)
        DF = flint.arb_mat(len(z), len(z))
        for i, (_, slopes) in enumerate(equations):
            for j, slope in slopes.items():
                DF[i, j] = slope
        return [value for value, _ in equations], DF

    def _equations(self, z: Sequence[Ball]) -> list[Dual]:
        one = flint.arb(1)
        points, parameters, blocks = self.split([(value, {i: one}) for i, value in enumerate(z)])
        p = self.ball_map.values({name: Jet((value,)) for name, value in zip(self.free, parameters)})
        found: list[Dual] = []
        series_count = 1 if TWO_PARAMETER_KINDS[self.kind].order > 1 else len(blocks)
        for number in range(series_count):
            found += self._series_equations(number, points, blocks, p)
        return [*found, *self._normalisations(blocks)]

    def _orders(self, number: int, i: int, points: Any, blocks: Any) -> list[list[Dual]]:
        """The coefficients of the series number at point i: [x, v, u/2, …]."""
        if TWO_PARAMETER_KINDS[self.kind].order == 1:
            return [points[i], blocks[number][i]]
        orders, factorial = [points[i]], flint.arb(1)
        for j, block in enumerate(blocks, start=1):
            factorial = factorial / j
            orders.append([scaled(x, factorial) for x in block[i]])
        return orders

    def _series_equations(self, number: int, points: Any, blocks: Any, p: Mapping[str, Jet]) -> list[Dual]:
        found: list[Dual] = []
        k, n = self.period, self.ball_map.size
        for i in range(k):
            orders = self._orders(number, i, points, blocks)
            image = self.ball_map([Jet([order[a] for order in orders]) for a in range(n)], p)
            following = self._orders(number, (i + 1) % k, points, blocks)
            if i == k - 1:
                following = self._closed(number, following, blocks)
            for j, order in enumerate(following):
                if j == 0 and number > 0:
                    continue  # the states' equations stand once
                entries = [plus(image[a].coefficient(j), scaled(order[a], -1)) for a in range(n)]
                if j == 0:
                    reduced = self.ball_map.reduced([value for value, _ in entries])
                    entries = [(value, slopes) for value, (_, slopes) in zip(reduced, entries)]
                found += entries
        return found

    def _closed(self, number: int, orders: list[list[Dual]], blocks: Any) -> list[list[Dual]]:
        """What the series must be after the cycle."""
        kind = TWO_PARAMETER_KINDS[self.kind]
        if kind.order > 1:
            sign = kind.signs[0]
            return [[scaled(x, sign**j) for x in order] for j, order in enumerate(orders)]
        first, second = blocks[0][0], blocks[1][0]
        if kind.signs:
            closed = [scaled(x, kind.signs[number]) for x in orders[1]]
            if self.kind in ("R1", "R2") and number == 1:
                closed = [plus(x, v) for x, v in zip(closed, first)]
            return [orders[0], closed]
        cosine = flint.arb(-1) / 2 if self.kind == "R3" else flint.arb(0)
        sine = (1 - cosine * cosine).sqrt()
        c, s = (cosine, -sine) if number == 0 else (sine, cosine)
        return [orders[0], [plus(scaled(a, c), scaled(b, s)) for a, b in zip(first, second)]]

    def _normalisations(self, blocks: Any) -> list[Dual]:
        """Two equations l·v = 1 or 0, by kind."""
        row, other = self.functionals.tolist()
        first = blocks[0][0]
        last = blocks[-1][0]
        minus_one: Dual = (flint.arb(-1), {})
        if TWO_PARAMETER_KINDS[self.kind].signs:
            one = plus(_dot(row, first), minus_one)
            # fold-flip has two eigenvectors, each of length 1; a series and a Jordan block leave a multiple of v open.
            return [one, plus(_dot(other, last), minus_one) if self.kind == "fold-flip" else _dot(row, last)]
        # Re and Im of (l + i m)* (a + i b) = 1.
        return [
            plus(plus(_dot(row, first), _dot(other, last)), minus_one),
            plus(_dot(row, last), scaled(_dot(other, first), -1)),
        ]


def _dot(functional: Sequence[float], vector: Sequence[Dual]) -> Dual:
    total: Dual = (flint.arb(0), {})
    for factor, x in zip(functional, vector):
        total = plus(total, scaled(x, factor))
    return total
