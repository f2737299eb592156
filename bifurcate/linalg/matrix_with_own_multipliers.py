"""A Jacobian whose multipliers are not the eigenvalues of its matrix."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MatrixWithOwnMultipliers"]

Array = NDArray[Any]


class MatrixWithOwnMultipliers:
    """What elimination and products take for its matrix, while ``multipliers`` asks for what it says of stability."""

    @property
    @abstractmethod
    def matrix(self) -> Array:
        """The matrix, shape (n, n)."""

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        n = len(self.matrix)
        return n, n

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the matrix."""
        return self.matrix.dtype

    @property
    def T(self) -> Array:
        """The transpose, as a matrix."""
        return self.matrix.T

    def __matmul__(self, x: Array) -> Array:
        return np.asarray(self.matrix @ x)
