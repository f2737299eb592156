"""DiagonalMetric: the diagonal of a metric, known on a box as Chebyshev series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev

from bifurcate.errors import OutsideDomain

__all__ = ["DiagonalMetric"]

ON_EDGE = 1e-9  # widths of the box by which a coordinate may lie outside of it: rounding of a path's end


@dataclass(frozen=True, eq=False)
class DiagonalMetric:
    """The diagonal of a metric, x ↦ (m₁(x₁), …, mₙ(xₙ)) > 0, known on a box.

    It is determined up to one factor for every group of coupled coordinates: here the geometric mean over a group is 1
    at the base point. A coordinate that is coupled to none has mᵢ = 1; any function of xᵢ would do.

    Attributes
    ----------
    shape : tuple of int
        The state's.
    base : ndarray, shape (n,)
    lower, upper : ndarray, shape (n,)
        The box.
    series : ndarray, shape (degree + 1, n)
        Chebyshev coefficients of log mᵢ over [lowerᵢ, upperᵢ].
    group : ndarray of int, shape (n,)
        Which coordinates are coupled.
    error : float
        Largest error of log mᵢ − log mⱼ within a group: of the series at its points, and of the ratios of couplings.
    """

    shape: tuple[int, ...]
    base: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    series: np.ndarray
    group: np.ndarray
    error: float

    def __call__(self, x: Any) -> np.ndarray:
        """The diagonal at x, in the state's shape; raises OutsideDomain outside the box."""
        x = np.asarray(x, dtype=float).reshape(-1)
        width = self.upper - self.lower
        where = np.flatnonzero((x < self.lower - ON_EDGE * width) | (x > self.upper + ON_EDGE * width))
        if len(where):
            i = int(where[0])
            known = f"[{self.lower[i]:.6g}, {self.upper[i]:.6g}]"
            raise OutsideDomain(f"the metric of coordinate {i} is known on {known}, not at {x[i]:.6g}")
        return np.asarray(np.exp(self.logarithm(x)).reshape(self.shape))

    def logarithm(self, x: np.ndarray) -> np.ndarray:
        """log mᵢ(xᵢ), shape (n,)."""
        width = np.where(self.upper > self.lower, self.upper - self.lower, 1.0)
        s = np.clip((2.0 * x - self.lower - self.upper) / width, -1.0, 1.0)
        return np.asarray(np.einsum("in,ni->n", self.series, chebyshev.chebvander(s, len(self.series) - 1)))
