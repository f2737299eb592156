"""LowRank: a matrix stored as thin factors, and formed only when it is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg.blas import dger

from bifurcate.errors import InvalidInput

__all__ = ["LowRank"]

# Columns of factors up to which a matrix is stored by them. Equilibria of the network need 4; the search for more would
# cost three passes over the matrix for each.
MOST_COLUMNS = 16

# Relative error of every entry, in units of the largest one, that factors may leave: what rounding leaves of a product
# of so few columns.
ROUNDING = 1e-14


@dataclass(frozen=True, eq=False, repr=False)
class LowRank:
    """The matrix U Vᵀ, of which only U and V are stored.

    ``np.asarray`` of it, or :meth:`dense`, forms the matrix; ``@`` multiplies without doing so.

    Parameters
    ----------
    left : ndarray, shape (m, k)
    right : ndarray, shape (n, k)
        U and V.

    Examples
    --------
    >>> import numpy as np
    >>> W = LowRank(np.array([[1.0], [2.0]]), np.array([[1.0], [10.0]]))
    >>> W @ np.array([1.0, 0.1]), W.shape, W.rank
    (array([2., 4.]), (2, 2), 1)
    >>> W.dense()
    array([[ 1., 10.],
           [ 2., 20.]])
    """

    left: np.ndarray
    right: np.ndarray

    def __post_init__(self) -> None:
        if self.left.ndim != 2 or self.right.ndim != 2 or self.left.shape[1] != self.right.shape[1]:
            raise InvalidInput(
                f"left {self.left.shape} and right {self.right.shape} must be matrices with equally many columns"
            )

    @classmethod
    def of(cls, A: np.ndarray) -> LowRank | None:
        """Factors that reproduce every entry of A to 1e-14 of the largest; None if that takes more than 16 columns.

        Cross approximation with complete pivoting: the row and the column through the largest entry of what is left
        are split off until only rounding is left (Bebendorf, Hierarchical Matrices, Springer 2008,
        section 3.4). The residual is formed, so that the result is checked, not estimated. Every rank costs three
        passes over A.

        Examples
        --------
        >>> import numpy as np
        >>> u = np.arange(1.0, 7.0)
        >>> LowRank.of(np.outer(u, u)).rank, LowRank.of(np.eye(6))
        (1, None)
        """
        m, n = A.shape
        residual = np.array(A, order="F")
        allowed = ROUNDING * float(np.abs(A).max(initial=0.0))
        left: list[np.ndarray] = []
        right: list[np.ndarray] = []
        while True:
            j, i = divmod(int(np.abs(residual).T.argmax()), m)
            pivot = float(residual[i, j])
            if abs(pivot) <= allowed:
                break
            # More columns than half of what the matrix takes would save nothing.
            if len(left) >= min(MOST_COLUMNS, m * n // (2 * (m + n))) or not np.isfinite(pivot):
                return None
            left.append(residual[:, j] / pivot)
            right.append(residual[i].copy())
            dger(-1.0, left[-1], right[-1], a=residual, overwrite_a=True)
        return cls(np.array(left).reshape(-1, m).T, np.array(right).reshape(-1, n).T)

    @property
    def shape(self) -> tuple[int, int]:
        """(m, n)."""
        return (len(self.left), len(self.right))

    @property
    def ndim(self) -> int:
        """2."""
        return 2

    @property
    def rank(self) -> int:
        """The number of columns of the factors."""
        return int(self.left.shape[1])

    @property
    def T(self) -> LowRank:
        """The transpose."""
        return LowRank(self.right, self.left)

    def __matmul__(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.left @ (self.right.T @ x))

    def dense(self) -> np.ndarray:
        """The matrix."""
        return np.asarray(self.left @ self.right.T)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a LowRank matrix is formed anew whenever it is asked for: copy=False cannot be kept")
        return self.dense().astype(dtype or float, copy=False)

    def __repr__(self) -> str:
        return f"LowRank(shape={self.shape}, rank={self.rank})"
