"""The Jacobian of a boundary value problem, which has one multiplier that means anything: where it is singular.

A curve of orbits between saddles is a curve of solutions of G(X; p) = 0, written as the fixed points of X + G(X). Its
Jacobian I + G_X is a matrix whose eigenvalues say nothing of stability: they depend on how the equations are ordered.
Only the multiplier +1 means something, that G_X is singular. As its one multiplier there counts 1 + s, with |s| the
smallest singular value of G_X, and the sign of its determinant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.matrix_with_own_multipliers import MatrixWithOwnMultipliers

__all__ = ["BoundaryValueJacobian"]

Array = NDArray[Any]

LARGEST_SHIFT = 0.5  # |s| at the most: so 1 + s stays away from −1, where a flip would be seen


@dataclass(frozen=True, eq=False)
class BoundaryValueJacobian(MatrixWithOwnMultipliers):
    """I + G_X of a boundary value problem G(X) = 0.

    Attributes
    ----------
    slope : ndarray, shape (n, n)
        G_X.

    Examples
    --------
    >>> BoundaryValueJacobian(np.diag([0.5, -3.0])).multiplier  # the determinant is negative
    0.5
    """

    slope: Array

    @cached_property
    def matrix(self) -> Array:
        """I + G_X."""
        return np.asarray(np.eye(len(self.slope)) + self.slope)

    @cached_property
    def multiplier(self) -> float:
        """1 + s; NaN if the matrix is not finite."""
        if not np.isfinite(self.slope).all():
            return float("nan")
        smallest = float(np.linalg.svd(self.slope, compute_uv=False)[-1])
        return 1.0 + float(np.linalg.slogdet(self.slope)[0]) * min(smallest, LARGEST_SHIFT)
