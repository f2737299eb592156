"""The deflation operator for many states at once: see :class:`~bifurcate.newton.deflation_operator.Deflation`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["BatchedDeflation"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class BatchedDeflation:
    """Known solutions that the rows of a batch stay away from.

    Attributes
    ----------
    known : ndarray, shape (r, n)
    units : ndarray, shape (r,)
        Of each: the map's scale, or its size if that is larger.
    power : float
    periods : ndarray, shape (n,), or None
    monotone : ndarray of bool, shape (m,)
        Whether a row's steps must lower the deflated residual.
    shift : float
    """

    known: Array
    units: Array
    power: float
    periods: Array | None
    monotone: NDArray[np.bool_]
    shift: float = 1.0

    def rows(self, which: Any) -> BatchedDeflation:
        """The same for some of the rows."""
        return replace(self, monotone=self.monotone[which])

    def _differences(self, x: Array) -> tuple[Array, Array]:
        # As Deflation._differences, shapes (m, r, n) and (m, r).
        size = np.sqrt(x.shape[1])
        apart = shortest(x[:, None] - self.known[None], self.periods) / (self.units[:, None] * size)
        return apart / (self.units[:, None] * size), np.einsum("mrj,mrj->mr", apart, apart)

    def log_factors(self, x: Array) -> Array:
        """Log M at states of shape (m, n)."""
        if not len(self.known):
            return np.zeros(len(x))
        square = self._differences(x)[1]
        return np.asarray(np.log(square ** (-0.5 * self.power) + self.shift).sum(axis=1))

    def step_factors(self, x: Array, step: Array) -> Array:
        """The numbers by which undeflated Newton steps are multiplied."""
        if not len(self.known):
            return np.ones(len(x))
        rows, square = self._differences(x)
        along = np.einsum("mrj,mj->mr", rows, step)
        slope = -self.power * along / (square * (1.0 + self.shift * square ** (0.5 * self.power)))
        return np.asarray(1.0 / (1.0 - slope.sum(axis=1)))
