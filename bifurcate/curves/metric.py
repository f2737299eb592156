"""Lengths and angles on a curve: one metric in which states and parameters of any size weigh the same."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Curve

__all__ = ["Metric"]

Vector = NDArray[np.float64]

# A column of which less than this fraction is left after projection depends linearly on the others: twice the
# square root of rounding, up to which Gram-Schmidt's differences are noise.
LINEARLY_DEPENDENT = 1e-8


@dataclass(frozen=True, eq=False)
class Metric:
    """A scalar product on u = (x, p): ‖(x, p)‖² = ‖x‖²/(n·unit²) + Σ (pᵢ/widthᵢ)².

    The state enters with its root mean square, in units of the map's scale or of the curve's start if that is larger.
    Every parameter is measured in units of its bounds' width. So a step means the same for one unknown and for 10⁶.

    Attributes
    ----------
    n : int
        Number of unknowns in the state.
    state : float
        Weight of every number of the state, 1/(n·unit²).
    parameter : ndarray, shape (k,)
        Weights of the parameters, and of what else is unknown, 1/width².
    """

    n: int
    state: float
    parameter: Vector

    @cached_property
    def unit(self) -> float:
        """The unit of length of the state."""
        return float(1.0 / np.sqrt(self.n * self.state))

    @cached_property
    def _weight(self) -> float | None:
        # of the only parameter
        return float(self.parameter[0]) if len(self.parameter) == 1 else None

    @cached_property
    def widths(self) -> Vector:
        """The units of the parameters, shape (k,)."""
        return 1.0 / np.sqrt(self.parameter)

    @staticmethod
    def of(curve: Curve, widths: Vector) -> Metric:
        """The metric of a curve whose parameters are bounded to intervals of these widths, shape (k,)."""
        n = curve.size
        unit = max(curve.iterate.map.scale, float(np.linalg.norm(curve.start[:n])) / np.sqrt(n))
        return Metric(n, float(1.0 / (n * unit**2)), 1.0 / widths**2)

    def resized(self, n: int) -> Metric:
        """The same metric, with the same unit of length, for states of another number of unknowns."""
        return Metric(n, self.n * self.state / n, self.parameter)

    def dual(self, t: Vector) -> Vector:
        """The row vector of the linear map v ↦ ⟨t, v⟩, shape (n + k,)."""
        row = t * self.state
        row[self.n :] = t[self.n :] * self.parameter
        return row

    def dot(self, a: Vector, b: Vector) -> float:
        """The scalar product ⟨a, b⟩ of two vectors of shape (n + k,)."""
        n, weight = self.n, self._weight
        if weight is not None:
            return float(self.state * float(a[:n].dot(b[:n])) + weight * a.item(n) * b.item(n))
        return float(self.state * (a[:n] @ b[:n]) + (self.parameter * a[n:]) @ b[n:])

    def norm(self, a: Vector) -> float:
        """The length √⟨a, a⟩."""
        return math.sqrt(self.dot(a, a))

    def orthonormalise(self, columns: Vector, given: Sequence[Vector] = ()) -> list[Vector]:
        """Orthonormal vectors that span the columns' part across the given ones (Gram-Schmidt, applied twice).

        Parameters
        ----------
        columns : ndarray, shape (n + k, m)
            Columns that depend linearly on earlier ones are left out.
        given : sequence of ndarray, each of shape (n + k,)
            Unit vectors, orthogonal to each other, that the result is to be orthogonal to.
        """
        basis: list[Vector] = []
        for column in columns.T:
            rest = column / self.norm(column)
            for other in [*given, *basis] * 2:
                rest = rest - self.dot(other, rest) * other
            if self.norm(rest) > LINEARLY_DEPENDENT:
                basis.append(rest / self.norm(rest))
        return basis
