"""Borders of minimally augmented systems: near the critical vectors, and renewed as these turn along a curve."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.bordered_system import Krylov, bordered
from bifurcate.linalg.null_space import polar_factor
from bifurcate.linalg.operators import Operator, transposed

__all__ = ["adapted_borders", "placeholder_rows"]

Matrix = NDArray[np.float64]

PROBES = 3  # random right-hand sides that turn a left border where A has no transpose: one more than the null vectors
# Inverse iterations for the left vectors: each multiplies the error by the ratio of singular values
LEFT_ITERATIONS = 2


def adapted_borders(A: Operator, V: Matrix, krylov: Krylov, W: Matrix | None = None) -> tuple[Matrix, Matrix]:
    """Borders V, W that are orthonormal bases of A's nearly singular right and left vectors.

    Parameters
    ----------
    A : Operator
        The nearly singular operator, n × n.
    V : ndarray, shape (n, j)
        A basis near the right vectors.
    W : ndarray, shape (n, j), optional
        The left border in use; seeded random vectors without one. Where A has no transpose it is turned towards the
        left vectors by what solves with A alone tell of them.
    krylov : Krylov
        How systems of matrix-free operators are solved.

    Returns
    -------
    V, W : ndarray, shape (n, j)
    """
    V = polar_factor(V)
    if W is None:
        W = polar_factor(np.random.default_rng(len(V)).standard_normal(V.shape))
    other, nothing = transposed(A), np.zeros((V.shape[1],) * 2)
    if other is None:
        # ΨᵀW = I of the left vectors Ψ; with Y = ΨᵀG for random G, Ψᵀ(W + G Yᵀ) = I + Y Yᵀ is farther from singular.
        G = np.random.default_rng(zlib.crc32(W.tobytes())).standard_normal((len(V), PROBES)) / np.sqrt(len(V))
        Y = bordered(A, W, V.T, nothing, krylov=krylov).solve(G, np.zeros((V.shape[1], PROBES)))[1]
        return V, polar_factor(W + G @ Y.T)
    for _ in range(LEFT_ITERATIONS):
        W = polar_factor(bordered(other, V, W.T, nothing, krylov=krylov).solve(np.zeros_like(V), np.eye(V.shape[1]))[0])
    return V, W


def placeholder_rows(count: int, u: Matrix, n: int, scale: float) -> Matrix:
    """Random rows that stand for further equations until the first adapted ones are known.

    Each unknown of u = (x, p, …) is weighed in its own size, so that none drowns another.

    Parameters
    ----------
    count : int
        How many rows.
    u : ndarray, shape (n + k,)
        The unknowns.
    n : int
        How many of them are the state.
    scale : float
        The map's scale, the least unit of the state.
    """
    units = np.append(np.full(n, max(scale, float(np.abs(u[:n]).max()))), np.maximum(1.0, np.abs(u[n:])))
    rows: Matrix = np.random.default_rng(n).standard_normal((count, len(u))) / (np.sqrt(n) * units)
    return rows
