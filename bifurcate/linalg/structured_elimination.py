"""Bordered systems of low-rank operators: what is diagonal is eliminated, what remains is small and dense."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bifurcate.errors import NotIsolated
from bifurcate.linalg.dense_elimination import factor_dense, factor_matrix
from bifurcate.linalg.factored_system import Array, Bordered, accept_complex, solve_by_columns
from bifurcate.linalg.operators import DiagonalLowRank, ShiftedLowRank, apply, shifted

__all__ = ["factor_diagonal_low_rank", "factor_shifted_low_rank"]

# Shift at which the many trivial multipliers count as the one in question. Multipliers are of size 1, so that this is a
# few hundred units of rounding: below it the equations determine nothing along the manifold of solutions.
NO_SHIFT = 1e-13

# Part of the largest diagonal entry below which no entry is divided by: that would multiply rounding by its inverse.
SMALL = 1e-4
TINY = float(np.finfo(float).tiny)  # stands for the size of a diagonal of zeros

# size limit: small diagonal entries that stay among the unknowns of the dense matrix; of more, only the smallest ones
# do, and one step of iterative refinement makes up for the others.
MOST_SMALL = 64


def factor_shifted_low_rank(M: ShiftedLowRank, B: Array, C: Array, D: Array) -> Bordered:
    """Factor the bordered system of M = s I + L P.

    With w = P x, the first row gives x = (f − L w − B y)/s, and what remains is the bordered core, K = P L:

        ┌ s + K      P B    ┐ ┌ w ┐   ┌ P f       ┐
        │                   │ │   │ = │           │
        └ −C L    s D − C B ┘ └ y ┘   └ s g − C f ┘

    Raises
    ------
    NotIsolated
        If s = 0 to rounding.
    """
    s, lift, project, core = M.shift, M.lift, M.project, M.core
    assert core is not None  # __post_init__ sets it
    if abs(s) < NO_SHIFT:
        free = M.shape[0] - lift.shape[1]
        raise NotIsolated(
            f"the Jacobian has the multiplier in question {free} times over: the solutions form a manifold of at "
            f"least {free} dimensions, along which nothing is determined"
        )
    rows = np.array([-lift.rmatvec(row) for row in C]) if len(C) else np.zeros((0, lift.shape[1]))
    inner = _factor_core(shifted(core, -s), apply(project, B), rows, s * D - C @ B if len(C) else D)

    def solve_one(f: Array, g: Array) -> tuple[Array, Array]:
        w, y = inner.solve(project.matvec(f), s * g - C @ f if len(C) else g)
        x = f - lift.matvec(w)
        if len(C):
            x -= np.dot(B, y)  # in place, since a state may be large; matmul is slower than dot on one column
        x /= s
        return x, y

    return Bordered(solve_by_columns(solve_one))


def _factor_core(K: Array | DiagonalLowRank, B: Array, C: Array, D: Array) -> Bordered:
    if isinstance(K, DiagonalLowRank):
        return accept_complex(factor_diagonal_low_rank(K, B, C, D), B, C, D, K.diagonal)
    return accept_complex(factor_dense(K, B, C, D), B, C, D, K)


def factor_diagonal_low_rank(M: DiagonalLowRank, B: Array, C: Array, D: Array) -> Bordered:
    """Factor the bordered system of M = diag(d) + U Vᵀ.

    The first row gives x = (f − U w − B y)/d with w = Vᵀ x. What remains is small and dense, with the unknowns w and y.
    An entry of d that is (nearly) 0 says nothing about the rank of M: its x stays among the unknowns.
    """
    d, m, k = M.diagonal, M.left.shape[1], B.shape[1]
    sizes = np.abs(d)
    small = np.flatnonzero(sizes < SMALL * max(float(sizes.max()), TINY))
    crowded = len(small) > MOST_SMALL
    if crowded:
        small = small[np.argpartition(sizes[small], MOST_SMALL)[:MOST_SMALL]]
    columns = np.concatenate([M.left, B], axis=1) if k else M.left
    rows = np.concatenate([M.right.T, C]) if k else M.right.T
    inverse, schur = _eliminate_diagonal(d, columns, rows, D, small)

    def solve_once(f: Array, g: Array) -> tuple[Array, Array]:
        by = inverse if f.ndim == 1 else inverse[:, None]
        middle = -(rows @ (f * by))
        if k:
            middle = np.concatenate([middle[:m], middle[m:] + g])
        z = schur(np.concatenate([middle, f[small]]) if len(small) else middle)
        x = (f - columns @ z[: m + k]) * by
        if len(small):
            x[small] = z[m + k :]
        return x, z[m : m + k]

    def solve_refined(f: Array, g: Array) -> tuple[Array, Array]:
        x, y = solve_once(f, g)
        dx, dy = solve_once(f - M @ x - B @ y, g - C @ x - D @ y)
        return x + dx, y + dy

    return Bordered(solve_refined if crowded else solve_once)


def _eliminate_diagonal(
    d: Array, columns: Array, rows: Array, D: Array, small: Array
) -> tuple[Array, Callable[[Array], Array]]:
    """Eliminate the unknowns of all but the small entries of the diagonal.

    Parameters
    ----------
    d : ndarray, shape (n,)
    columns, rows : ndarray, shapes (n, m + k) and (m + k, n)
        [U B] and [Vᵀ; C].
    D : ndarray, shape (k, k)
    small : ndarray of int
        Indices of the small entries.

    Returns
    -------
    inverse : ndarray, shape (n,)
        1/d, and 0 at the small entries.
    schur : callable
        Solves for w, y and the unknowns of the small entries.
    """
    r, m = len(rows), len(rows) - len(D)
    if not len(small):
        inverse = 1.0 / d
        core = -(rows * inverse) @ columns
    else:
        with np.errstate(divide="ignore"):
            inverse = 1.0 / d
        inverse[small] = 0.0
        core = np.zeros((r + len(small),) * 2, dtype=np.result_type(d, columns, rows, D))
        core[:r, :r] = -(rows * inverse) @ columns
        core[:r, r:], core[r:, :r] = rows[:, small], columns[small]
        core[range(r, len(core)), range(r, len(core))] = d[small]
    if len(D):
        core = core.astype(np.result_type(core, D), copy=False)
        core[m:r, m:r] += D
    core.flat[: m * (len(core) + 1) : len(core) + 1] -= 1.0
    return inverse, factor_matrix(core)
