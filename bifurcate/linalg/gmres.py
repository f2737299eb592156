"""Restarted GMRES with right preconditioning, in memory that outlives the solve.

Along a branch thousands of systems of one size are solved one after the other. The Krylov basis is by far the largest
array of the matrix-free path: it is allocated once, with as many vectors as the longest solve took, and used again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Workspace", "gmres"]

Array = NDArray[Any]  # real or complex
Apply = Callable[[Array], Array]

# Vectors for which there is memory at first. Well preconditioned solves take fewer steps; for others it is doubled.
FIRST_VECTORS = 8

# Part of the residual that a run has to leave behind for another one to be worth its cost: what is left is rounding, or
# the restart is too short.
STALLED = 0.999

# Length of a new Krylov vector, relative to its matrix column, at which the Krylov space is invariant: the solution
# lies in it, and the vector is rounding.
INVARIANT = 1e-15


class Workspace(threading.local):
    """Rows of one array, preserved between solves; every thread has its own.

    Examples
    --------
    >>> space = Workspace()
    >>> first = space.rows(3, 100, float)
    >>> space.rows(2, 100, float).base is first.base
    True
    """

    def __init__(self) -> None:
        self._array: Array = np.empty((0, 0))
        self.in_use = False

    def rows(self, count: int, n: int, kind: np.dtype | type, used: int = 0) -> Array:
        """An array of shape (count, n), of which the first ``used`` rows still have their numbers."""
        if self._array.shape[1] != n or self._array.dtype != kind or len(self._array) < count:
            larger = np.empty((count, n), dtype=kind)
            if used:
                larger[:used] = self._array[:used]
            self._array = larger
        return self._array[:count]

    def __deepcopy__(self, memo: dict[int, Any]) -> Workspace:
        return Workspace()

    def __reduce__(self) -> tuple[type[Workspace], tuple[()]]:
        return Workspace, ()


def gmres(
    matvec: Apply,
    rhs: Array,
    *,
    start: Array | None,
    tolerance: float,
    restart: int,
    max_restarts: int,
    precondition: Apply,
    workspace: Workspace,
) -> tuple[Array, float]:
    """Solve A x = rhs to ‖rhs − A x‖₂ ≤ tolerance·‖rhs‖₂ if rounding and the number of steps allow it.

    With right preconditioning the residual that is minimised is the true one (Saad & Schultz, SIAM J. Sci. Stat.
    Comput. 7 (1986) 856; Saad, Iterative Methods for Sparse Linear Systems, SIAM 2003, section 9.3.2).

    Parameters
    ----------
    matvec, precondition : callable
        v ↦ A v and v ↦ approximately A⁻¹ v.
    rhs : ndarray, shape (n,)
    start : ndarray, shape (n,), or None
        The first x; 0 if None, or if its residual is larger than that of 0.
    tolerance : float
        The relative residual at which the method stops.
    restart, max_restarts : int
        Steps between restarts, and the largest number of runs of so many steps.
    workspace : Workspace
        Memory for restart + 1 vectors. If a solve is inside another one (in its products or its preconditioner), it
        allocates memory of its own.

    Returns
    -------
    x : ndarray, shape (n,)
    residual : float
        ‖rhs − A x‖₂/‖rhs‖₂.

    Examples
    --------
    >>> import numpy as np
    >>> A, same = np.array([[2.0, 1.0], [0.0, 3.0]]), lambda v: v
    >>> how = {"tolerance": 1e-12, "restart": 2, "max_restarts": 1, "precondition": same, "workspace": Workspace()}
    >>> x, left = gmres(lambda v: A @ v, np.array([3.0, 3.0]), start=None, **how)
    >>> x.round(12), left < 1e-12
    (array([1., 1.]), True)
    """
    size = float(np.linalg.norm(rhs))
    if size == 0.0:
        return np.zeros_like(rhs), 0.0
    kind = rhs.dtype
    x = np.zeros_like(rhs) if start is None else start.astype(kind)
    r = rhs - matvec(x) if x.any() else rhs.copy()
    left = float(np.linalg.norm(r))
    if not left <= size:  # the start is worse than 0
        x, r, left = np.zeros_like(rhs), rhs.copy(), size
    space = Workspace() if workspace.in_use else workspace
    space.in_use = True
    try:
        for _ in range(max_restarts):
            if left <= tolerance * size:
                break
            x = x + precondition(_run(matvec, r, left, tolerance * size, restart, precondition, space))
            r = rhs - matvec(x)
            before, left = left, float(np.linalg.norm(r))
            if not left < STALLED * before:
                break
    finally:
        space.in_use = False
    return x, left / size


def _run(
    matvec: Apply, r: Array, size: float, goal: float, restart: int, precondition: Apply, workspace: Workspace
) -> Array:
    """One run: Arnoldi's method (Gram–Schmidt, done twice), and Givens rotations that make its matrix triangular.

    Parameters
    ----------
    r : ndarray, shape (n,)
        The residual, of norm ``size``.
    goal : float
        The norm of the residual at which the run stops.

    Returns
    -------
    ndarray, shape (n,)
        What the preconditioner turns into the correction of x.
    """
    n, kind = len(r), r.dtype
    H = np.zeros((restart + 1, restart), dtype=kind)
    turns = np.zeros((restart, 2), dtype=kind)
    g = np.zeros(restart + 1, dtype=kind)
    g[0] = size
    V = workspace.rows(min(FIRST_VECTORS, restart) + 1, n, kind)
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
        if abs(g[j + 1]) <= goal or tall <= INVARIANT * length or steps == restart:
            break
        if steps + 1 > len(V):
            V = workspace.rows(min(2 * len(V), restart + 1), n, kind, steps)
        np.divide(w, tall, out=V[steps])
    y = np.linalg.solve(H[:steps, :steps], g[:steps]) if steps else np.zeros(0, dtype=kind)
    return y @ V[:steps]
