"""Many small linear systems and spectra at once, entry by entry along a batch: no call of LAPACK for each.

Cycles of multiple shooting, in which A_i v_i − v_{i+1} = r_i with v_k = v₀, are reduced by orthogonal transformations:
two neighbouring equations

    G_i v_i + E_i v_{i+1} = h_i,    G_{i+1} v_{i+1} + E_{i+1} v_{i+2} = h_{i+1}

are multiplied by the Qᵀ of [E_i; G_{i+1}] = Q [R; 0], which leaves one equation without v_{i+1} and one that gives it;
log₂ k such rounds leave (G + E) v₀ = h (Wright, SIAM J. Sci. Stat. Comput. 13 (1992) 742: structured orthogonal
factorisation). No product of the A_i is formed, so that it is as stable as QR, whatever the multipliers are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.cyclic_product import multipliers_of_product
from bifurcate.linalg.multipliers import DECIMALS

__all__ = [
    "batched_cycle_multipliers",
    "batched_eigenvalues",
    "batched_growth",
    "batched_product",
    "solve_batch",
    "solve_batched_cycles",
]

Array = NDArray[np.float64]

# Ratio of the smallest pivot to the largest at which a matrix counts as singular: that of dense_elimination.py.
SINGULAR = 1e-15

# Passes of periodic orthogonal iteration for a whole batch: multipliers whose moduli differ by a factor of ten are
# parted to rounding. Cycles whose multipliers lie nearer are done one by one.
PASSES = 17
INVARIANT = 1e-15  # turn of an invariant subspace in one pass, as in cyclic_product.py


@np.errstate(all="ignore")  # singular systems are named, and their solutions not used
def solve_batch(A: Array, b: Array) -> tuple[Array, NDArray[np.bool_]]:
    """The solutions of A x = b, shapes (m, n, n) and (m, n), by Gaussian elimination with row pivoting.

    Returns
    -------
    ndarray, shape (m, n)
        The solutions; what they are where A is singular is undefined.
    ndarray of bool, shape (m,)
        Where A is singular: the smallest pivot is not larger than 1e-15 of the largest one, or an entry is NaN.

    Examples
    --------
    >>> x, singular = solve_batch(np.array([[[0.0, 2.0], [1.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]]), np.ones((2, 2)))
    >>> x[0], singular
    (array([1. , 0.5]), array([False,  True]))
    """
    m, n = b.shape
    M = np.empty((n, n + 1, m))  # the batch last: every operation below is one of whole vectors
    M[:, :n], M[:, n] = A.transpose(1, 2, 0), b.T
    pivots = np.empty((n, m))
    every = np.arange(m)
    for j in range(n):
        if j < n - 1:
            best = np.abs(M[j:, j]).argmax(axis=0) + j
            if (best != j).any():
                upper = M[j].copy()
                M[j] = M[best, :, every].T
                M[best, :, every] = upper.T
        pivots[j] = M[j, j]
        for i in range(j + 1, n):
            M[i, j + 1 :] -= M[i, j] / pivots[j] * M[j, j + 1 :]
    x = np.empty((n, m))
    for j in range(n - 1, -1, -1):
        x[j] = M[j, n]
        for i in range(j + 1, n):
            x[j] -= M[j, i] * x[i]
        x[j] /= pivots[j]
    sizes = np.abs(pivots)
    return x.T, ~(sizes.min(axis=0) > SINGULAR * sizes.max(axis=0))


@np.errstate(all="ignore")
def solve_batched_cycles(A: Array, r: Array) -> tuple[Array, NDArray[np.bool_]]:
    """The solutions of A_i v_i − v_{i+1} = r_i, v_k = v₀: shapes (m, k, n, n) and (m, k, n).

    Returns
    -------
    ndarray, shape (m, k, n)
    ndarray of bool, shape (m,)
        Where the system is singular: the product of the A_i has the multiplier 1.

    Examples
    --------
    >>> A, r = np.array([2.0, 3.0]).reshape(1, 2, 1, 1), np.ones((1, 2, 1))
    >>> solve_batched_cycles(A, r)[0].ravel().round(12).tolist()  # 2 · 0.8 − 0.6 = 1,  3 · 0.6 − 0.8 = 1
    [0.8, 0.6]
    """
    m, n = len(r), r.shape[2]
    G, E, h = A, np.broadcast_to(-np.eye(n), A.shape), r
    levels = []
    while G.shape[1] > 1:
        K = G.shape[1] // 2
        M = np.zeros((m, K, 2 * n, 3 * n + 1))
        left, right = slice(0, 2 * K, 2), slice(1, 2 * K, 2)
        M[:, :, :n, :n], M[:, :, n:, :n] = E[:, left], G[:, right]
        M[:, :, :n, n : 2 * n], M[:, :, n:, 2 * n : 3 * n] = G[:, left], E[:, right]
        M[:, :, :n, 3 * n], M[:, :, n:, 3 * n] = h[:, left], h[:, right]
        _triangularise(M, n)
        levels.append((M[:, :, :n], G.shape[1]))
        rest = slice(2 * K, None)  # of an odd number the last one waits for the next round
        G = np.concatenate([M[:, :, n:, n : 2 * n], G[:, rest]], axis=1)
        E = np.concatenate([M[:, :, n:, 2 * n : 3 * n], E[:, rest]], axis=1)
        h = np.concatenate([M[:, :, n:, 3 * n], h[:, rest]], axis=1)
    first, singular = solve_batch(G[:, 0] + E[:, 0], h[:, 0])
    v = first[:, None]
    for upper, count in reversed(levels):
        v = _between(upper, v, count, n)
    return v, singular | ~np.isfinite(v).all(axis=(1, 2))


def _triangularise(M: Array, n: int) -> None:
    """Householder reflections that make the first n columns of matrices upper triangular, in place."""
    for j in range(n):
        column = M[..., j:, j]
        length = np.sqrt(np.einsum("...i,...i->...", column, column))
        v = column.copy()
        v[..., 0] += np.where(v[..., 0] < 0.0, -length, length)
        square = np.einsum("...i,...i->...", v, v)
        factor = 2.0 / np.where(square > 0.0, square, 1.0)
        w = np.einsum("...i,...ij->...j", v, M[..., j:, j:]) * factor[..., None]
        M[..., j:, j:] -= v[..., :, None] * w[..., None, :]


def _between(upper: Array, v: Array, count: int, n: int) -> Array:
    """The vectors of a round from those of the next one, with those that were eliminated put between them."""
    m, K = upper.shape[:2]
    out = np.empty((m, count, n))
    out[:, 0 : 2 * K : 2] = v[:, :K]
    if count % 2:
        out[:, -1] = v[:, -1]
    after = out[:, 2 : 2 * K + 1 : 2] if count > 2 * K else np.concatenate([out[:, 2 : 2 * K : 2], out[:, :1]], axis=1)
    b = upper[..., 3 * n] - np.einsum("mkij,mkj->mki", upper[..., n : 2 * n], v[:, :K])
    b -= np.einsum("mkij,mkj->mki", upper[..., 2 * n : 3 * n], after)
    for j in range(n - 1, -1, -1):
        b[..., j] -= np.einsum("mki,mki->mk", upper[..., j, j + 1 : n], b[..., j + 1 :])
        b[..., j] /= upper[..., j, j]
    out[:, 1 : 2 * K : 2] = b
    return out


def batched_eigenvalues(J: Array) -> NDArray[np.complex128]:
    """All eigenvalues of matrices of shape (m, n, n), by falling modulus; NaN where an entry is NaN or infinite.

    Examples
    --------
    >>> batched_eigenvalues(np.array([[[0.0, 2.0], [-0.5, 0.0]], [[3.0, 1.0], [0.0, 0.5]]])).imag.tolist()
    [[1.0, -1.0], [0.0, 0.0]]
    """
    n = J.shape[1]
    if n == 1:
        return J[:, :, 0].astype(complex)
    if n == 2:
        return _two(J)  # in this order already
    out = np.full(J.shape[:2], np.nan, dtype=complex)
    known = np.isfinite(J).all(axis=(1, 2))
    if known.any():
        out[known] = np.linalg.eigvals(J[known])
    order = np.lexsort((-out.imag, -np.abs(out).round(DECIMALS)), axis=-1)
    return np.take_along_axis(out, order, axis=-1)


def _two(J: Array) -> NDArray[np.complex128]:
    """Eigenvalues of 2 × 2 matrices; the smaller real one from the determinant where that loses fewer digits."""
    a, b, c, d = (J[:, i, j] for i in range(2) for j in range(2))
    middle, half = 0.5 * (a + d), 0.5 * (a - d)
    radicand = half * half + b * c
    root = np.sqrt(np.abs(radicand))
    far = middle + np.where(middle < 0.0, -root, root)
    near = 2.0 * middle - far
    by_determinant = (np.abs(a * d) + np.abs(b * c)) < np.abs(far) * np.maximum(np.abs(far), np.abs(a) + np.abs(d))
    near = np.where(by_determinant & (far != 0.0), (a * d - b * c) / np.where(far == 0.0, 1.0, far), near)
    out = np.empty((len(J), 2), dtype=complex)
    is_real = radicand >= 0.0
    out[:, 0] = np.where(is_real, far, middle) + 1j * np.where(is_real, 0.0, root)
    out[:, 1] = np.where(is_real, near, middle) - 1j * np.where(is_real, 0.0, root)
    return out


def batched_product(A: Array) -> Array:
    """The products A_{k−1} ⋯ A₀ of factors of shape (m, k, n, n)."""
    product = A[:, 0]
    for i in range(1, A.shape[1]):
        product = A[:, i] @ product
    return product


@np.errstate(all="ignore")
def batched_growth(A: Array) -> Array:
    """Log₂ of the Frobenius norms of the products A_{k−1} ⋯ A₀, which may exceed all doubles: shape (m,)."""
    product = np.broadcast_to(np.eye(A.shape[2]), A[:, 0].shape)
    exponent = np.zeros(len(A))
    for i in range(A.shape[1]):
        product = A[:, i] @ product
        power = np.frexp(np.abs(product).max(axis=(1, 2)))[1]
        product, exponent = np.ldexp(product, -power[:, None, None]), exponent + power
    norm = np.linalg.norm(product, axis=(1, 2))
    return np.asarray(np.log2(norm) + exponent)


def batched_cycle_multipliers(A: Array) -> NDArray[np.complex128]:
    """All multipliers of A_{k−1} ⋯ A₀, each to the relative accuracy of the factors, of shape (m, k, n, n).

    Periodic orthogonal iteration, as in :func:`~bifurcate.linalg.cyclic_product.multipliers_of_product`, on all cycles
    at once; those whose multipliers do not part in 17 passes are left to that function.

    Examples
    --------
    >>> A = np.array([[np.diag([1e8, 1.0]), np.diag([1e8, -1e-9])]])
    >>> batched_cycle_multipliers(A).real.tolist()
    [[1e+16, -1e-09]]
    """
    m, k, n = A.shape[:3]
    out = np.full((m, n), np.nan, dtype=complex)
    left = np.flatnonzero(np.isfinite(A).all(axis=(1, 2, 3)))
    if n == 1:
        out[left, 0] = batched_product(A[left])[:, 0, 0]
        return out
    start = np.linalg.qr(np.random.default_rng(n).standard_normal((n, n)))[0]
    basis = np.broadcast_to(start, (len(left), n, n))
    for _ in range(PASSES):
        if not len(left):
            break
        Q, values = basis, np.ones((len(left), n))
        for i in range(k):
            Q, R = np.linalg.qr(A[left, i] @ Q)
            values = values * np.diagonal(R, axis1=1, axis2=2)
        turn = basis.transpose(0, 2, 1) @ Q
        turns = np.array([np.linalg.norm(turn[:, j:, :j], axis=(1, 2)) for j in range(1, n)])
        done = (turns <= INVARIANT * np.sqrt(n) * np.sqrt(k)).all(axis=0)
        values = values * np.diagonal(turn, axis1=1, axis2=2)
        out[left[done]] = values[done]
        left, basis = left[~done], Q[~done]
    for i in left.tolist():
        out[i] = multipliers_of_product(list(A[i]))
    order = np.argsort(-np.abs(out), axis=1, kind="stable")
    return np.take_along_axis(out, order, axis=1)
