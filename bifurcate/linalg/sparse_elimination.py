"""Bordered systems of a sparse matrix: sparse LU of the matrix bordered with unit vectors."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.linalg import SuperLU, splu

from bifurcate.linalg.dense_elimination import factor_dense
from bifurcate.linalg.factored_system import Array, Bordered, SingularSystem

__all__ = ["factor_sparse"]

# size limit: numbers in several long borders up to which they may be factored together with the sparse matrix. Each
# full row or column fills the factors with about as many numbers for each of its neighbours: beyond they would not fit
# in memory.
LARGEST_FILL = 10**5

# Error of a known solution up to which the unit vectors count as fitting. One step of refinement squares the error of a
# solve: 1e-6 leaves 1e-12.
FITS = 1e-6


def factor_sparse(M: sp.sparray, B: Array, C: Array, D: Array) -> Bordered:
    """Factor the bordered system of a sparse M.

    Long borders would fill the factors. Bordered by unit vectors E and Eᵀ instead, at the rows where B and C are
    largest, M stays sparse. From

        M x + E w = f − B y,    Eᵀ x = e,    C x + D y = g,    w = 0

    there remain 2k equations for y and e.
    """
    n, k = B.shape
    kind = np.result_type(M.dtype, B, C, D)
    if k == 0:
        alone = _factor(M, kind)
        return Bordered(lambda f, g: (alone.solve(f.astype(kind)), g))
    E = sp.csc_array((np.ones(k), (_find_largest_rows(B, C), range(k))), shape=(n, k))
    try:
        lu = _factor(sp.block_array([[M, E], [E.T, None]]), kind)
        T = lu.solve(np.block([[B, np.zeros((n, k))], [np.zeros((k, k)), np.eye(k)]]).astype(kind))
        by_y, by_e = T[:n, :k], T[:n, k:]
        core = np.block([[-T[n:, :k], T[n:, k:]], [D - C @ by_y, C @ by_e]])
        # As borders of an empty matrix, since borders are scaled.
        small = factor_dense(np.zeros((0, 0)), np.zeros((0, 2 * k)), np.zeros((2 * k, 0)), core)
    except SingularSystem:
        return _factor_filled(M, B, C, D, kind)

    def solve_once(f: Array, g: Array) -> tuple[Array, Array]:
        z = lu.solve(np.concatenate([f, np.zeros_like(g)]).astype(kind))
        _, t = small.solve(g[:0], np.concatenate([-z[n:], g - C @ z[:n]]))
        return z[:n] - by_y @ t[:k] + by_e @ t[k:], t[:k]

    def solve(f: Array, g: Array) -> tuple[Array, Array]:
        x, y = solve_once(f, g)
        # Unit vectors that fit badly lose digits: one step of iterative refinement recovers them.
        dx, dy = solve_once(f - M @ x - B @ y, g - C @ x - D @ y)
        return x + dx, y + dy

    # For the right-hand side (B; D) the solution is known: x = 0, y = I. An error tells that the vectors do not fit.
    x, y = solve(B, D)
    error = max(float(np.abs(x).max()), float(np.abs(y - np.eye(k)).max()))
    return Bordered(solve) if error <= FITS else _factor_filled(M, B, C, D, kind)


def _find_largest_rows(B: Array, C: Array) -> Array:
    """The k rows where both borders are large.

    A column of B and a row of C that are large at distant unknowns would not do: the inverse of a local operator is
    nearly zero between them.
    """
    if B.shape[1] == 1:
        return np.array([np.argmax(np.abs(B[:, 0] * C[0]))])
    both = [scipy.linalg.qr(A, mode="economic", check_finite=False)[0] for A in (B, C.conj().T)]
    order: Array = scipy.linalg.qr(np.hstack(both).T, mode="r", pivoting=True, check_finite=False)[1]
    return order[: B.shape[1]]


def _factor_filled(M: sp.sparray, B: Array, C: Array, D: Array, kind: np.dtype) -> Bordered:
    """Factor M together with its long borders."""
    n, k = B.shape
    if k > 1 and n * k > LARGEST_FILL:
        raise SingularSystem(f"a sparse system of {n} unknowns is singular, or {k} borders do not make it regular")
    lu = _factor(sp.block_array([[M, sp.csc_array(B)], [sp.csc_array(C), sp.csc_array(D)]]), kind)

    def solve(f: Array, g: Array) -> tuple[Array, Array]:
        z = lu.solve(np.concatenate([f, g]).astype(kind))
        return z[:n], z[n:]

    return Bordered(solve)


def _factor(A: sp.sparray, kind: np.dtype) -> SuperLU:
    try:
        return splu(sp.csc_matrix(A, dtype=kind))
    except RuntimeError as error:
        raise SingularSystem(f"a sparse bordered system of {A.shape[0]} unknowns is singular") from error
