"""Bordered systems of an operator that is known by its products alone: GMRES."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from bifurcate.linalg.factored_system import Array, Bordered, SingularSystem, solve_by_columns
from bifurcate.linalg.gmres import Workspace, gmres
from bifurcate.linalg.operators import apply, size
from bifurcate.storage.pickling import Portable
from bifurcate.validation import check_callable, check_count, check_positive

__all__ = ["Krylov", "solve_by_gmres", "workspace_of"]

# Relative residual beyond which GMRES counts as failed. What is asked for may lie below what rounding allows, so that
# 1e3 times as much is taken, and 1e-8 always: Newton's method, which solves again, needs no more.
MISSED = 1e3
GOOD_ENOUGH = 1e-8


@dataclass(frozen=True)
class Krylov(Portable):
    """How GMRES solves linear systems with a Jacobian J that is only a LinearOperator.

    GMRES stops when ‖rhs − A z‖₂ ≤ tolerance · ‖rhs‖₂, where A is J − I bordered by a row and a column or more (Saad &
    Schultz, SIAM J. Sci. Stat. Comput. 7 (1986) 856). It fails, and the step that asked with it, if it leaves more than
    max(10³ tolerance, 10⁻⁸) of ‖rhs‖₂ after ``max_restarts`` runs or where a run no longer reduces the residual by a
    thousandth.

    Parameters
    ----------
    tolerance : float
        Relative residual at which GMRES stops.
    restart : int
        Steps before a restart. Memory is up to restart + 5 states.
    max_restarts : int
        Runs of ``restart`` steps at the most.
    preconditioner : callable, optional
        v ↦ approximately (J − I)⁻¹ v on vectors of shape (n,); the borders are not preconditioned.

    Raises
    ------
    InvalidInput
        If a number is not positive, or the preconditioner not callable.

    Examples
    --------
    >>> Krylov(restart=20).restart
    20
    """

    tolerance: float = 1e-11
    restart: int = 60
    max_restarts: int = 20
    preconditioner: Callable[[Array], Array] | None = None

    def __post_init__(self) -> None:
        check_positive("tolerance", self.tolerance)
        check_count("restart", self.restart)
        check_count("max_restarts", self.max_restarts)
        check_callable("preconditioner", self.preconditioner, "preconditioner(v)")


# Owns the workspaces: one for each setting, as long as the setting lives. Settings themselves are values.
_WORKSPACES: weakref.WeakKeyDictionary[Any, Workspace] = weakref.WeakKeyDictionary()


def workspace_of(krylov: Krylov) -> Workspace:
    """Where GMRES stores its vectors under this setting, from one solve to the next.

    Examples
    --------
    >>> krylov = Krylov()
    >>> workspace_of(krylov) is workspace_of(krylov)
    True
    """
    try:
        return _WORKSPACES.setdefault(krylov, Workspace())
    except TypeError:  # a preconditioner that cannot be hashed: memory is allocated anew for each system
        return Workspace()


def solve_by_gmres(
    M: LinearOperator,
    B: Array,
    C: Array,
    D: Array,
    *,
    krylov: Krylov,
    tolerance: float,
    start: Array | None,
) -> Bordered:
    """The bordered system of a LinearOperator, whose every solve is a run of GMRES.

    Parameters
    ----------
    M, B, C, D
        As for :func:`~bifurcate.linalg.bordered`.
    krylov : Krylov
    tolerance : float
        Relative residual for this one system, where it may be larger than ``krylov.tolerance``.
    start : ndarray, shape (n + k,), or None
        Where GMRES starts.
    """
    n, k = size(M), B.shape[1]
    kind = np.result_type(M.dtype or float, B, C, D)
    inverse, workspace = krylov.preconditioner, workspace_of(krylov)
    rtol = max(tolerance, krylov.tolerance)
    restart = min(krylov.restart, n + k)

    def matvec(z: Array) -> Array:
        x, y = z[:n], z[n:]
        return np.concatenate([apply(M, x) + np.dot(B, y), C @ x + D @ y])

    def precondition(z: Array) -> Array:
        return z if inverse is None else np.concatenate([inverse(z[:n]), z[n:]])

    def solve_one(f: Array, g: Array) -> tuple[Array, Array]:
        rhs = np.concatenate([f, g]).astype(np.result_type(kind, f))
        z, left = gmres(
            matvec,
            rhs,
            start=start,
            tolerance=rtol,
            restart=restart,
            max_restarts=krylov.max_restarts,
            precondition=precondition,
            workspace=workspace,
        )
        if not left <= max(MISSED * rtol, GOOD_ENOUGH):
            raise SingularSystem(
                f"GMRES({restart}) left a relative residual of {left:.1e} on {n + k} unknowns. The system may be "
                "nearly singular; a larger Krylov.restart or a preconditioner are the likely cures"
            )
        return z[:n], z[n:]

    return Bordered(solve_by_columns(solve_one), direct=False)
