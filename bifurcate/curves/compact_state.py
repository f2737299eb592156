"""Large matrix states of a curve, kept as thin factors: what a branch holds of its points need not fill the memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifurcate.linalg.low_rank import LowRank

__all__ = ["FactoredUnknowns", "compact_state", "compact_unknowns"]

SMALLEST_FACTORED = 10**4  # size limit: entries from which on a matrix state is worth the search for its thin factors


@dataclass(frozen=True, eq=False)
class FactoredUnknowns:
    """The unknowns (x, parameters) of a curve's point, with a matrix state x as thin factors.

    Attributes
    ----------
    matrix : LowRank
        The state.
    rest : ndarray, shape (k,)
        The free parameters.
    """

    matrix: LowRank
    rest: np.ndarray

    def dense(self) -> np.ndarray:
        """The vector, shape (n + k,)."""
        return np.concatenate([self.matrix.dense().ravel(), self.rest])


def compact_state(state: np.ndarray) -> np.ndarray | LowRank:
    """A state, as thin factors where it is a large matrix that these reproduce to rounding."""
    thin = LowRank.of(state) if state.ndim == 2 and state.size >= SMALLEST_FACTORED else None
    return state if thin is None else thin


def compact_unknowns(u: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | FactoredUnknowns:
    """The unknowns (x, parameters), with x of the given shape as thin factors where that is possible.

    Examples
    --------
    >>> import numpy as np
    >>> compact_unknowns(np.array([0.5, 0.3, 1.4]), (2,))
    array([0.5, 0.3, 1.4])
    >>> compact_unknowns(np.append(np.ones(10**4), 1.4), (100, 100)).matrix
    LowRank(shape=(100, 100), rank=1)
    """
    size = int(np.prod(shape))
    state = compact_state(u[:size].reshape(shape))
    return FactoredUnknowns(state, u[size:].copy()) if isinstance(state, LowRank) else u
