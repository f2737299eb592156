"""Bordered linear systems: the one linear problem of continuation, dispatched on the kind of Jacobian.

    ┌ M  B ┐ ┌ x ┐   ┌ f ┐        M  n × n, any kind of Operator, may be singular by up to k dimensions
    │      │ │   │ = │   │        B  n × k, C  k × n, D  k × k
    └ C  D ┘ └ y ┘   └ g ┘

The whole is regular where M alone is not (Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria,
SIAM 2000, section 3.2), so no path here ever solves with M by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.linalg import get_lapack_funcs
from scipy.sparse.linalg import LinearOperator, SuperLU, splu

from bifurcate.errors import BifurcateError, NotIsolated
from bifurcate.linalg.gmres import Workspace, gmres
from bifurcate.linalg.operators import DiagonalLowRank, Operator, ShiftedLowRank, apply, shifted, size

__all__ = ["Bordered", "Krylov", "SingularSystem", "bordered"]

FILL = 10**5  # numbers in several long borders of a sparse matrix, beyond which its factors would not fit in memory
THREADED = 200  # unknowns up to which several right-hand sides are solved for one by one
KEPT = 64  # nearly vanishing entries of a diagonal that are kept out of its elimination
_LAPACK = {kind: get_lapack_funcs(("getrf", "getrs"), dtype=kind) for kind in ("d", "D")}


class SingularSystem(BifurcateError, ArithmeticError):
    """A bordered system is singular to working precision, or GMRES did not converge on it."""


@dataclass(frozen=True)
class Krylov:
    """How GMRES solves the systems of a Jacobian that is only a LinearOperator.

    Attributes
    ----------
    tolerance : float
        GMRES stops when ‖rhs − A z‖₂ ≤ tolerance · ‖rhs‖₂.
    restart : int
        Vectors kept before a restart: memory is restart + 5 states.
    max_restarts : int
        Restarts before the solve counts as failed.
    preconditioner : callable, optional
        v ↦ approximately (J − I)⁻¹ v on states, as vectors; the borders are left as they are.
    workspace : Workspace
        Where the vectors are kept, from one solve to the next.
    """

    tolerance: float = 1e-11
    restart: int = 60
    max_restarts: int = 20
    preconditioner: Callable[[np.ndarray], np.ndarray] | None = None
    workspace: Workspace = field(default_factory=Workspace, repr=False, compare=False)


@dataclass(frozen=True)
class Bordered:
    """A factored bordered system.

    Attributes
    ----------
    solve : callable
        (f, g) ↦ (x, y) for f of shape (n,) and g of shape (k,), or (n, m) and (k, m).
    kernel : ndarray or None
        Columns of (x; y) that the rows before the last ones do not see, where they were needed for solving.
    direct : bool
        Whether a solve costs little beside the factors; not so with GMRES.
    """

    solve: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    kernel: np.ndarray | None = None
    direct: bool = True


def bordered(
    M: Operator,
    B: np.ndarray,
    C: np.ndarray,
    D: np.ndarray,
    krylov: Krylov | None = None,
    tolerance: float = 0.0,
    start: np.ndarray | None = None,
) -> Bordered:
    """Factor the bordered system of M with columns B, rows C and corner D.

    Parameters
    ----------
    M : Operator
        The n × n block: ndarray, sparse, DiagonalLowRank, ShiftedLowRank or LinearOperator.
    B, C, D : ndarray
        Shapes (n, k), (k, n) and (k, k); k may be 0 except for matrix-free M.
    krylov : Krylov, optional
        For a LinearOperator only.
    tolerance : float, optional
        Relative residual for this one system where it may be looser than ``krylov.tolerance``.
    start : ndarray, shape (n + k,), optional
        Where GMRES starts, for a LinearOperator.

    Returns
    -------
    Bordered
        With ``solve(f, g)``.

    Raises
    ------
    SingularSystem
        If the system is singular to working precision; on solving, if GMRES fails.
    NotIsolated
        If M is a shifted low-rank operator of shift 0: its kernel has as many dimensions as the operator has
        trivial unknowns.

    Examples
    --------
    >>> import numpy as np
    >>> system = bordered(np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1)), np.zeros((1, 1)))
    >>> x, y = system.solve(np.array([2.0]), np.array([3.0]))
    >>> float(x[0]), float(y[0])
    (3.0, 2.0)
    """
    if isinstance(M, ShiftedLowRank):
        return _either(_shifted_low_rank(M, B, C, D), B, C, D, np.asarray(M.shift))
    if isinstance(M, DiagonalLowRank):
        return _either(_diagonal_low_rank(M, B, C, D), B, C, D, M.diagonal)
    if isinstance(M, np.ndarray):
        return _either(_dense(M, B, C, D), B, C, D, M)
    system = _sparse(M, B, C, D) if sp.issparse(M) else _matrix_free(M, B, C, D, krylov or Krylov(), tolerance, start)
    return _either(system, B, C, D, np.empty(0, dtype=M.dtype or float))


def _either(system: Bordered, *parts: np.ndarray) -> Bordered:
    """A real system also takes complex right-hand sides, part by part."""
    if any(part.dtype.kind == "c" for part in parts):
        return system
    solve = system.solve

    def solve_both(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if f.dtype.kind != "c" and g.dtype.kind != "c":
            return solve(f, g)
        x, y = solve(f.real, g.real)
        s, t = solve(f.imag, g.imag)
        return x + 1j * s, y + 1j * t

    return Bordered(solve_both, system.kernel, system.direct)


def _dense(M: np.ndarray, B: np.ndarray, C: np.ndarray, D: np.ndarray) -> Bordered:
    n, k = B.shape
    whole = np.empty((n + k, n + k), dtype=np.result_type(M, B, C, D), order="F")
    whole[:n, :n], whole[:n, n:], whole[n:, :n], whole[n:, n:] = M, B, C, D
    # Borders come in units of their own: without scaling a small one would pass for singular.
    columns = np.abs(whole[:, n:]).max(axis=0, initial=0.0)
    columns[columns == 0.0] = 1.0
    whole[:, n:] /= columns
    rows = np.abs(whole[n:]).max(axis=1, initial=0.0)
    rows[rows == 0.0] = 1.0
    whole[n:] /= rows[:, None]
    inverse = _lu(whole)

    def solve(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        flat = g.ndim == 1
        z = inverse(np.concatenate([f, g / (rows if flat else rows[:, None])]))
        return z[:n], z[n:] / (columns if flat else columns[:, None])

    return Bordered(solve)


def _lu(A: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """f ↦ A⁻¹ f; A is overwritten if it is in Fortran's order."""
    getrf, getrs = _LAPACK["D" if A.dtype.kind == "c" else "d"]
    lu, pivots, info = getrf(A, overwrite_a=True)
    pivot = np.abs(np.diagonal(lu))
    if info != 0 or not pivot.min() > 1e-15 * pivot.max():
        raise SingularSystem(f"a dense bordered system of {len(A)} unknowns is singular")

    def solve(f: np.ndarray) -> np.ndarray:
        # Several right-hand sides wake BLAS's threads, which for a small matrix cost many times the work.
        if f.ndim == 2 and f.shape[1] > 1 and len(lu) <= THREADED:
            return np.column_stack([getrs(lu, pivots, column)[0] for column in f.T])
        return getrs(lu, pivots, f)[0]

    return solve


def _sparse(M: sp.sparray, B: np.ndarray, C: np.ndarray, D: np.ndarray) -> Bordered:
    # Long borders would fill the factors. Bordered by unit vectors E and Eᵀ instead, where B and C are largest, M stays
    # sparse: from  M x + E w = f − B y,  Eᵀx = e  and  C x + D y = g  with w = 0 there remain y and e, 2k unknowns.
    n, k = B.shape
    kind = np.result_type(M.dtype, B, C, D)
    if k == 0:
        alone = _factors(M, kind)
        return Bordered(lambda f, g: (alone.solve(f.astype(kind)), g))
    E = sp.csc_array((np.ones(k), (_largest_rows(B, C), range(k))), shape=(n, k))
    try:
        lu = _factors(sp.block_array([[M, E], [E.T, None]]), kind)
        T = lu.solve(np.block([[B, np.zeros((n, k))], [np.zeros((k, k)), np.eye(k)]]).astype(kind))
        by_y, by_e = T[:n, :k], T[:n, k:]
        core = np.block([[-T[n:, :k], T[n:, k:]], [D - C @ by_y, C @ by_e]])
        small = _dense(np.zeros((0, 0)), np.zeros((0, 2 * k)), np.zeros((2 * k, 0)), core)  # as borders: scaled
    except SingularSystem:
        return _filled(M, B, C, D, kind)

    def once(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = lu.solve(np.concatenate([f, np.zeros_like(g)]).astype(kind))
        _, t = small.solve(g[:0], np.concatenate([-z[n:], g - C @ z[:n]]))
        return z[:n] - by_y @ t[:k] + by_e @ t[k:], t[:k]

    def solve(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x, y = once(f, g)
        dx, dy = once(f - M @ x - B @ y, g - C @ x - D @ y)  # what unit vectors that fit badly have lost
        return x + dx, y + dy

    # The solution for the column (B; D) is known. Where the unit vectors do not fit at all it is missed.
    x, y = solve(B, D)
    missed = max(float(np.abs(x).max()), float(np.abs(y - np.eye(k)).max()))
    return Bordered(solve) if missed <= 1e-6 else _filled(M, B, C, D, kind)


def _largest_rows(B: np.ndarray, C: np.ndarray) -> np.ndarray:
    """Where both borders are large: of a local operator one column and one row far apart know nothing of each other."""
    if B.shape[1] == 1:
        return np.array([np.argmax(np.abs(B[:, 0] * C[0]))])
    both = [scipy.linalg.qr(A, mode="economic", check_finite=False)[0] for A in (B, C.conj().T)]
    return scipy.linalg.qr(np.hstack(both).T, mode="r", pivoting=True, check_finite=False)[1][: B.shape[1]]


def _filled(M: sp.sparray, B: np.ndarray, C: np.ndarray, D: np.ndarray, kind: np.dtype) -> Bordered:
    n, k = B.shape
    if k > 1 and n * k > FILL:
        raise SingularSystem(f"a sparse system of {n} unknowns is singular, or {k} borders do not make it regular")
    lu = _factors(sp.block_array([[M, sp.csc_array(B)], [sp.csc_array(C), sp.csc_array(D)]]), kind)

    def solve(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = lu.solve(np.concatenate([f, g]).astype(kind))
        return z[:n], z[n:]

    return Bordered(solve)


def _factors(A: sp.sparray, kind: np.dtype) -> SuperLU:
    try:
        return splu(sp.csc_matrix(A, dtype=kind))
    except RuntimeError as error:
        raise SingularSystem(f"a sparse bordered system of {A.shape[0]} unknowns is singular") from error


def _shifted_low_rank(M: ShiftedLowRank, B: np.ndarray, C: np.ndarray, D: np.ndarray) -> Bordered:
    # With w = P x:  x = (f − L w − B y)/s, and what remains is the bordered core
    #   ┌ s + K      P B    ┐ ┌ w ┐   ┌ P f     ┐
    #   └ −C L    s D − C B ┘ └ y ┘ = └ s g − C f ┘
    s, lift, project, core = M.shift, M.lift, M.project, M.core
    assert core is not None  # set when M was made
    if abs(s) < 1e-13:
        free = M.shape[0] - lift.shape[1]
        raise NotIsolated(
            f"the Jacobian has the multiplier in question {free} times over: the solutions form a manifold of at "
            f"least {free} dimensions, along which nothing is determined"
        )
    rows = np.array([-lift.rmatvec(row) for row in C]) if len(C) else np.zeros((0, lift.shape[1]))
    inner = bordered(shifted(core, -s), apply(project, B), rows, s * D - C @ B if len(C) else D)

    def solve_one(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        w, y = inner.solve(project.matvec(f), s * g - C @ f if len(C) else g)
        x = f - lift.matvec(w)
        if len(C):
            x -= np.dot(B, y)  # in place: a state may be large; matmul is slower on one column
        x /= s
        return x, y

    return Bordered(_by_columns(solve_one))


def _diagonal_low_rank(M: DiagonalLowRank, B: np.ndarray, C: np.ndarray, D: np.ndarray) -> Bordered:
    # Eliminate x = (f − U w − B y)/d; what remains is small and dense, with unknowns w = Vᵀx and y. An entry of d that
    # is (nearly) 0 says nothing about M's rank: its x stays among the unknowns.
    d, m, k = M.diagonal, M.left.shape[1], B.shape[1]
    by_size = np.abs(d)
    small = np.flatnonzero(by_size < 1e-4 * max(float(by_size.max()), 1e-300))
    crowded = len(small) > KEPT
    if crowded:
        small = small[np.argpartition(by_size[small], KEPT)[:KEPT]]
    columns = np.concatenate([M.left, B], axis=1) if k else M.left
    rows = np.concatenate([M.right.T, C]) if k else M.right.T
    inverse, schur = _eliminated(d, columns, rows, D, small)

    def once(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        by = inverse if f.ndim == 1 else inverse[:, None]
        middle = -(rows @ (f * by))
        if k:
            middle = np.concatenate([middle[:m], middle[m:] + g])
        z = schur(np.concatenate([middle, f[small]]) if len(small) else middle)
        x = (f - columns @ z[: m + k]) * by
        if len(small):
            x[small] = z[m + k :]
        return x, z[m : m + k]

    def refined(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        # Small entries that could not be kept magnify rounding: one step of iterative refinement makes up for it.
        x, y = once(f, g)
        dx, dy = once(f - M @ x - B @ y, g - C @ x - D @ y)
        return x + dx, y + dy

    return Bordered(refined if crowded else once)


def _eliminated(
    d: np.ndarray, columns: np.ndarray, rows: np.ndarray, D: np.ndarray, small: np.ndarray
) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """1/d, 0 at the small entries, and the inverse of what is left when the other unknowns are gone."""
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
    return inverse, _lu(core)


def _matrix_free(
    M: LinearOperator,
    B: np.ndarray,
    C: np.ndarray,
    D: np.ndarray,
    krylov: Krylov,
    tolerance: float,
    start: np.ndarray | None,
) -> Bordered:
    n, k = size(M), B.shape[1]
    kind = np.result_type(M.dtype or float, B, C, D)
    inverse = krylov.preconditioner
    rtol = max(tolerance, krylov.tolerance)

    def matvec(z: np.ndarray) -> np.ndarray:
        x, y = z[:n], z[n:]
        return np.concatenate([apply(M, x) + np.dot(B, y), C @ x + D @ y])

    def precondition(z: np.ndarray) -> np.ndarray:
        return z if inverse is None else np.concatenate([inverse(z[:n]), z[n:]])

    def solve_one(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rhs = np.concatenate([f, g]).astype(np.result_type(kind, f))
        restart = min(krylov.restart, n + k)
        z, left = gmres(
            matvec, rhs, start, rtol, restart, krylov.max_restarts, precondition, krylov.workspace
        )  # fmt: skip
        # The asked-for residual may lie below what rounding allows; accept what is as good as it gets.
        if not left <= max(1e3 * rtol, 1e-8):
            raise SingularSystem(
                f"GMRES({restart}) left a relative residual of {left:.1e} on {n + k} unknowns. The system may be "
                "nearly singular; a larger Krylov.restart or a preconditioner are the likely cures"
            )
        return z[:n], z[n:]

    return Bordered(_by_columns(solve_one), direct=False)


def _by_columns(
    solve_one: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    def solve(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if f.ndim == 1:
            return solve_one(f, g)
        pairs = [solve_one(f[:, j], g[:, j]) for j in range(f.shape[1])]
        return np.column_stack([x for x, _ in pairs]), np.column_stack([y for _, y in pairs])

    return solve
