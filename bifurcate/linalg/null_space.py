"""Approximate null spaces of nearly singular operators, and orthonormal bases."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.bordered_system import Bordered, Krylov, bordered
from bifurcate.linalg.operators import Operator, size
from bifurcate.linalg.threads import one_thread

__all__ = ["approximate_null_space", "bordered_by", "fix_sign", "orthonormal", "polar_factor"]

Array = NDArray[Any]  # real or complex

# Relative difference up to which two entries of a vector count as equally large, so that rounding does not choose the
# sign of a vector whose symmetry makes several entries equal.
EQUALLY_LARGE = 1e-6

# Ratio of the smallest singular value of Y to its largest one at which Y counts as singular: dividing by less than the
# square root of rounding would leave fewer than half of the digits.
SINGULAR = 1e-8

# Steps of inverse iteration. Each multiplies the error by the ratio of the singular values that are kept apart, which
# is small where M is nearly singular; two also make up for a random start.
ITERATIONS = 2


def orthonormal(columns: Array) -> Array:
    """An orthonormal basis of the columns' range, real or complex.

    Examples
    --------
    >>> abs(orthonormal(np.array([[3.0], [4.0]]))).ravel().round(12)
    array([0.6, 0.8])
    """
    with one_thread(len(columns)):
        return np.asarray(np.linalg.qr(columns)[0])


def polar_factor(columns: Array) -> Array:
    """The orthonormal basis of the columns' range that is nearest to the columns: their polar factor.

    (Higham, Functions of Matrices, SIAM 2008, theorem 8.4.)

    Examples
    --------
    >>> polar_factor(np.array([[2.0, 0.0], [0.0, 3.0]])).round(12)
    array([[1., 0.],
           [0., 1.]])
    """
    if columns.shape[1] == 1:
        return np.asarray(columns / np.linalg.norm(columns))
    left, _, right = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left @ right)


def fix_sign(q: Array) -> Array:
    """The real vector q or −q, such that its largest entry is positive.

    Of several entries that are equally large to 1e-6 the first one decides.

    Examples
    --------
    >>> fix_sign(np.array([0.1, -2.0, 2.0]))
    array([-0.1,  2. , -2. ])
    """
    size = np.abs(q)
    return q if q[int(np.argmax(size > (1.0 - EQUALLY_LARGE) * size.max()))] >= 0.0 else -q


def bordered_by(M: Operator, W: Array, V: Array, krylov: Krylov | None = None) -> Bordered:
    """Factor the bordered system of M with columns W, rows Vᴴ and corner 0."""
    return bordered(M, W, V.conj().T, np.zeros((W.shape[1],) * 2), krylov=krylov)


def approximate_null_space(M: Operator, m: int, krylov: Krylov | None = None) -> Array:
    """An orthonormal basis of the m directions that M shrinks most.

    By inverse iteration with one bordered matrix, regular where M is not, from seeded random borders V and W. With

        ┌ M   W ┐ ┌ Φ  X ┐   ┌ 0  U ┐
        │       │ │      │ = │      │        M⁻¹U = X − Φ S⁻¹ Y  has the range of  X Y⁻¹ S − Φ
        └ Vᴴ  0 ┘ └ S  Y ┘   └ I  0 ┘

    and the latter stays finite as M becomes singular.

    Parameters
    ----------
    M : Operator
        On n unknowns.
    m : int
        Number of directions.
    krylov : Krylov, optional
        For a LinearOperator M.

    Returns
    -------
    ndarray, shape (n, m)

    Raises
    ------
    SingularSystem
        If M has more than m directions that it takes to 0.

    Examples
    --------
    >>> import numpy as np
    >>> abs(approximate_null_space(np.diag([2.0, 1e-9, -1.0]), 1)).round(6).ravel()
    array([0., 1., 0.])
    """
    n = size(M)
    rng = np.random.default_rng(n + m)
    V, W = (orthonormal(rng.standard_normal((n, m))) for _ in range(2))
    system = bordered_by(M, W, V, krylov)
    Phi, S = system.solve(np.zeros((n, m)), np.eye(m))
    U = orthonormal(Phi)
    for _ in range(ITERATIONS):
        X, Y = system.solve(U, np.zeros((m, m)))
        P, d, Q = np.linalg.svd(Y)
        if d[-1] > SINGULAR * d[0]:
            U = orthonormal(X @ (Q.conj().T * (d[-1] / d)) @ (P.conj().T @ S) - d[-1] * Phi)
        else:  # Y is singular where eigenvalues that meet share an eigenvector: new borders take its place
            system = bordered_by(M, W, U, krylov)
            Phi, S = system.solve(np.zeros((n, m)), np.eye(m))
            U = orthonormal(Phi)
    return U
