"""What a nearly singular operator shrinks most."""

from __future__ import annotations

import numpy as np
import scipy.linalg

from bifurcate.linalg.bordered_system import Bordered, Krylov, bordered
from bifurcate.linalg.operators import Operator, size

__all__ = ["approximate_null_space", "bordered_by", "fix_sign", "orthonormal", "polar_factor"]


def orthonormal(columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis of the columns' range, real or complex."""
    return np.asarray(np.linalg.qr(columns)[0])


def polar_factor(columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis, in directions as near to the columns as one can be (their polar factor)."""
    if columns.shape[1] == 1:
        return columns / np.linalg.norm(columns)
    left, _, right = scipy.linalg.svd(columns, full_matrices=False, check_finite=False)
    return left @ right


def fix_sign(q: np.ndarray) -> np.ndarray:
    """A real vector with the sign that makes its largest entry positive, the first of those equal to 1e-6.

    Examples
    --------
    >>> fix_sign(np.array([0.1, -2.0, 2.0]))
    array([-0.1,  2. , -2. ])
    """
    size = np.abs(q)
    return q if q[int(np.argmax(size > (1.0 - 1e-6) * size.max()))] >= 0.0 else -q


def bordered_by(M: Operator, W: np.ndarray, V: np.ndarray, krylov: Krylov | None = None) -> Bordered:
    """The system of M with columns W and rows Vᴴ."""
    return bordered(M, W, V.conj().T, np.zeros((W.shape[1],) * 2), krylov)


def approximate_null_space(M: Operator, m: int, krylov: Krylov | None = None) -> np.ndarray:
    """An orthonormal basis of the m directions that M shrinks most.

    Inverse iteration with one bordered matrix, regular where M is not, from seeded random borders: with
    M Φ + W S = 0, VᴴΦ = I and M X + W Y = U, VᴴX = 0, M⁻¹U = X − Φ S⁻¹ Y has the same range as X Y⁻¹ S − Φ.

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
    for _ in range(2):
        X, Y = system.solve(U, np.zeros((m, m)))
        P, d, Q = np.linalg.svd(Y)
        if d[-1] > 1e-8 * d[0]:
            U = orthonormal(X @ (Q.conj().T * (d[-1] / d)) @ (P.conj().T @ S) - d[-1] * Phi)
        else:  # Y is singular where eigenvalues that meet share an eigenvector: borders that fit better do the same
            system = bordered_by(M, W, U, krylov)
            Phi, S = system.solve(np.zeros((n, m)), np.eye(m))
            U = orthonormal(Phi)
    return U
