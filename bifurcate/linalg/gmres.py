"""Restarted GMRES with right preconditioning, in a workspace that outlives the solve.

Along a branch thousands of systems of one size are solved one after the other: the Krylov basis, which is by far the
largest array of the matrix-free path, is allocated once, as long as the longest solve asked for, and used again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

__all__ = ["Workspace", "gmres"]

Apply = Callable[[np.ndarray], np.ndarray]


class Workspace(threading.local):
    """Rows of one array, kept between solves; every thread has its own.

    Examples
    --------
    >>> space = Workspace()
    >>> first = space.rows(3, 100, float)
    >>> space.rows(2, 100, float).base is first.base
    True
    """

    def __init__(self) -> None:
        self._kept = np.empty((0, 0))

    def rows(self, count: int, n: int, kind: np.dtype | type, used: int = 0) -> np.ndarray:
        """An array of shape (count, n), of which the first ``used`` rows hold what they held."""
        if self._kept.shape[1] != n or self._kept.dtype != kind or len(self._kept) < count:
            wider = np.empty((count, n), dtype=kind)
            if used:
                wider[:used] = self._kept[:used]
            self._kept = wider
        return self._kept[:count]

    def __deepcopy__(self, memo: dict) -> Workspace:
        return Workspace()

    def __reduce__(self) -> tuple:
        return Workspace, ()


def gmres(
    matvec: Apply,
    rhs: np.ndarray,
    x: np.ndarray | None,
    rtol: float,
    restart: int,
    max_restarts: int,
    precondition: Apply,
    workspace: Workspace,
) -> tuple[np.ndarray, float]:
    """Solve A x = rhs to ‖rhs − A x‖₂ ≤ rtol·‖rhs‖₂ if that can be had.

    With right preconditioning the residual that is minimised is the true one (Saad & Schultz, SIAM J. Sci. Stat.
    Comput. 7 (1986) 856; Saad, Iterative Methods for Sparse Linear Systems, SIAM 2003, section 9.3.2).

    Parameters
    ----------
    matvec, precondition : callable
        v ↦ A v and v ↦ approximately A⁻¹ v.
    x : ndarray or None
        The start; 0 if None.
    restart, max_restarts : int
        Steps between restarts, and how many runs of so many steps are made at the most.

    Returns
    -------
    x : ndarray
    residual : float
        ‖rhs − A x‖₂/‖rhs‖₂.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[2.0, 1.0], [0.0, 3.0]])
    >>> x, left = gmres(lambda v: A @ v, np.array([3.0, 3.0]), None, 1e-12, 2, 1, lambda v: v, Workspace())
    >>> x.round(12), left < 1e-12
    (array([1., 1.]), True)
    """
    size = float(np.linalg.norm(rhs))
    if size == 0.0:
        return np.zeros_like(rhs), 0.0
    kind = rhs.dtype
    x = np.zeros_like(rhs) if x is None else x.astype(kind)
    r = rhs - matvec(x) if x.any() else rhs.copy()
    left = float(np.linalg.norm(r))
    if not left <= size:  # a start that is worse than none
        x, r, left = np.zeros_like(rhs), rhs.copy(), size
    for _ in range(max_restarts):
        if left <= rtol * size:
            break
        x = x + precondition(_cycle(matvec, r, left, rtol * size, restart, precondition, workspace))
        r = rhs - matvec(x)
        before, left = left, float(np.linalg.norm(r))
        if not left < 0.999 * before:  # rounding, or a restart that is too short
            break
    return x, left / size


def _cycle(
    matvec: Apply, r: np.ndarray, size: float, goal: float, restart: int, precondition: Apply, workspace: Workspace
) -> np.ndarray:
    """One run: Arnoldi's method (Gram–Schmidt, done twice), and Givens rotations that make its matrix triangular."""
    n, kind = len(r), r.dtype
    H = np.zeros((restart + 1, restart), dtype=kind)
    turns = np.zeros((restart, 2), dtype=kind)
    g = np.zeros(restart + 1, dtype=kind)
    g[0] = size
    V = workspace.rows(min(8, restart) + 1, n, kind)
    np.divide(r, size, out=V[0])
    steps = 0
    for j in range(restart):
        w = matvec(precondition(V[j]))
        for _ in range(2):
            h = V[: j + 1].conj() @ w
            w -= h @ V[: j + 1]
            H[: j + 1, j] += h
        tall = float(np.linalg.norm(w))
        H[j + 1, j] = tall
        for i in range(j):
            c, s = turns[i]
            H[i, j], H[i + 1, j] = c.conj() * H[i, j] + s.conj() * H[i + 1, j], c * H[i + 1, j] - s * H[i, j]
        length = np.hypot(abs(H[j, j]), tall)
        if length == 0.0:
            break
        turns[j] = H[j, j] / length, tall / length
        H[j, j], H[j + 1, j] = length, 0.0
        g[j], g[j + 1] = turns[j, 0].conj() * g[j], -turns[j, 1] * g[j]
        steps = j + 1
        if abs(g[j + 1]) <= goal or tall <= 1e-15 * length or steps == restart:
            break
        if steps + 1 > len(V):
            V = workspace.rows(min(2 * len(V), restart + 1), n, kind, steps)
        np.divide(w, tall, out=V[steps])
    y = np.linalg.solve(H[:steps, :steps], g[:steps]) if steps else np.zeros(0, dtype=kind)
    return y @ V[:steps]
