"""Bordered systems of a dense matrix: LU with row and column scaling of the borders."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import get_lapack_funcs

from bifurcate.linalg.factored_system import Array, Bordered, SingularSystem, accept_complex
from bifurcate.linalg.few_numbers import FEW
from bifurcate.linalg.threads import one_thread

__all__ = ["LAPACK", "factor_dense", "factor_matrix"]

# Unknowns up to which several right-hand sides are solved for one by one: BLAS solves for several at once in threads,
# and to start these takes longer than the work itself. Measured on two and on 16 cores.
ONE_BY_ONE = 200

# Ratio of the smallest pivot to the largest at which a matrix counts as singular: a few units of rounding.
SINGULAR = 1e-15

# The routines for real and complex matrices, in one table so that the benchmark can count their calls.
LAPACK = {kind: get_lapack_funcs(("getrf", "getrs"), dtype=kind) for kind in ("d", "D")}


def factor_dense(M: Array, B: Array, C: Array, D: Array) -> Bordered:
    """Factor the bordered system of an ndarray M; a real one takes complex right-hand sides, too."""
    n, k = B.shape
    if n + k <= FEW and M.dtype == B.dtype == C.dtype == D.dtype == np.float64:
        return _factor_few(M, B, C, D)
    matrix = np.empty((n + k, n + k), dtype=np.result_type(M, B, C, D), order="F")
    matrix[:n, :n], matrix[:n, n:], matrix[n:, :n], matrix[n:, n:] = M, B, C, D
    # Borders have units of their own: without scaling a system with small borders would pass for singular.
    columns = np.abs(matrix[:, n:]).max(axis=0, initial=0.0)
    columns[columns == 0.0] = 1.0
    matrix[:, n:] /= columns
    rows = np.abs(matrix[n:]).max(axis=1, initial=0.0)
    rows[rows == 0.0] = 1.0
    matrix[n:] /= rows[:, None]
    inverse = factor_matrix(matrix)

    def solve(f: Array, g: Array) -> tuple[Array, Array]:
        flat = g.ndim == 1
        z = inverse(np.concatenate([f, g / (rows if flat else rows[:, None])]))
        return z[:n], z[n:] / (columns if flat else columns[:, None])

    return accept_complex(Bordered(solve), B, C, D, M)


def _factor_few(M: Array, B: Array, C: Array, D: Array) -> Bordered:
    # The same, number for number, without NumPy's calls on a few numbers.
    n, k = B.shape
    matrix = np.empty((n + k, n + k), order="F")
    matrix[:n, :n], matrix[:n, n:], matrix[n:, :n], matrix[n:, n:] = M, B, C, D
    columns = [max(map(abs, column)) or 1.0 for column in matrix.T[n:].tolist()]
    for j, unit in enumerate(columns, n):
        matrix[:, j] /= unit
    rows = [max(map(abs, row)) or 1.0 for row in matrix[n:].tolist()]
    for i, unit in enumerate(rows, n):
        matrix[i] /= unit
    getrf, getrs = LAPACK["d"]
    lu, pivots, info = getrf(matrix, overwrite_a=True)
    sizes = [abs(pivot) for pivot in lu.diagonal().tolist()]
    least = SINGULAR * max(sizes, default=1.0)
    if info != 0 or not all(size > least for size in sizes):
        raise SingularSystem(f"a dense bordered system of {n + k} unknowns is singular")

    def solve(f: Array, g: Array) -> tuple[Array, Array]:
        if f.dtype.kind == "c" or g.dtype.kind == "c":
            (x, y), (s, t) = solve(f.real, g.real), solve(f.imag, g.imag)
            return x + 1j * s, y + 1j * t
        z = np.empty((n + k, *f.shape[1:]), order="F")
        z[:n] = f
        for i, unit in enumerate(rows):
            z[n + i] = g[i] / unit
        z = getrs(lu, pivots, z, overwrite_b=True)[0]
        for i, unit in enumerate(columns, n):
            z[i] /= unit
        return z[:n], z[n:]

    return Bordered(solve)


def factor_matrix(A: Array) -> Callable[[Array], Array]:
    """f ↦ A⁻¹ f by LU with partial pivoting; A is overwritten if it is stored by columns.

    Raises
    ------
    SingularSystem
        If the smallest pivot is not larger than 1e-15 of the largest one.
    """
    getrf, getrs = LAPACK["D" if A.dtype.kind == "c" else "d"]
    with one_thread(len(A)):
        lu, pivots, info = getrf(A, overwrite_a=True)
    sizes = np.abs(np.diagonal(lu))
    if info != 0 or not sizes.min() > SINGULAR * sizes.max():
        raise SingularSystem(f"a dense bordered system of {len(A)} unknowns is singular")

    def solve(f: Array) -> Array:
        if f.ndim == 2 and f.shape[1] > 1 and len(lu) <= ONE_BY_ONE:
            return np.column_stack([getrs(lu, pivots, column)[0] for column in f.T])
        with one_thread(len(lu)):
            solution: Array = getrs(lu, pivots, f)[0]
        return solution

    return solve
