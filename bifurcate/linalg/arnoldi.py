"""Leading multipliers of Jacobians too large for LAPACK: what Krylov methods find, and what sparse factors certify.

Symmetric sparse matrices: how many eigenvalues lie above t is the number of positive pivots of A − t I = L D Lᵀ
(Sylvester's law of inertia; Parlett, The Symmetric Eigenvalue Problem, SIAM 1998, section 3.3), exactly, however
clustered they are; the values next to ±1 come from the Lanczos method on (A ∓ I)⁻¹ with the same factors.

Other sparse matrices: Arnoldi iteration on (A ∓ I)⁻¹ and on A. Products only: Arnoldi iteration on A for largest
modulus, smallest and largest real part, so that a cluster inside the circle does not hide a multiplier near −1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, SuperLU, eigs, splu

__all__ = ["Leading", "leading_multipliers"]

SAME = 1e-7  # multipliers closer than SAME·max(1, |λ|) are one multiplier, where an iterative solver repeats itself
BESIDE = 1e-9  # eigenvalues are counted, and inverted about, this far outside the unit circle
STEPS = 30  # of the Lanczos method: so many states are kept while it runs
RELIABLE = 1e-3  # a value counts as found if its distance from ±1 is known to within this part of itself
EFFORT = 1e10  # multiplications that one Arnoldi run may cost
UNRESOLVED = "multiplicities are not resolved by Arnoldi iteration"


@dataclass(frozen=True, eq=False)
class Leading:
    """What was found.

    Attributes
    ----------
    values : ndarray of complex
        Each once.
    counts : (int, int, int), optional
        How many real ones lie above 1, below −1, and how many pairs outside the circle, where that is certain.
    certified : bool
    note : str
    vector : ndarray, shape (n,)
        The sum of their vectors: a start for a similar matrix.
    """

    values: np.ndarray
    counts: tuple[int, int, int] | None
    certified: bool
    note: str
    vector: np.ndarray = field(repr=False)


def leading_multipliers(A: sp.sparray | LinearOperator, leading: int, start: np.ndarray | None = None) -> Leading:
    """Multipliers of largest modulus and next to ±1.

    Parameters
    ----------
    A : sparse or LinearOperator
        n × n with n > leading + 1.
    leading : int
        How many of each kind.
    start : ndarray, shape (n,), optional
        A vector rich in the directions wanted, as ``vector`` is that was returned for a similar matrix.
    """
    n = A.shape[0]
    noise = np.random.default_rng(0).standard_normal(n)
    # A start in an invariant subspace, as symmetric states have them, would never see the other ones.
    first = noise if start is None or not start.any() else start / np.linalg.norm(start) + 0.1 / np.sqrt(n) * noise
    if sp.issparse(A):
        A = sp.csr_array(A)
        if abs(A - A.T).max() <= 1e-12 * abs(A).max() and (found := _symmetric(A, leading, first)) is not None:
            return found
    return _arnoldi(A, leading, first)


def _symmetric(A: sp.csr_array, leading: int, start: np.ndarray) -> Leading | None:
    counts, values, vectors = [], [], []
    for sign in (1.0, -1.0):
        factors = _inertia(A, sign * (1.0 + BESIDE))
        if factors is None:
            return None
        lu, above = factors
        counts.append(above if sign > 0 else A.shape[0] - above)
        theta, vector = _lanczos(lu, start, leading)
        near = theta[np.abs(theta) > 1.0]  # nearer to this target than to the other one
        values.append(sign * (1.0 + BESIDE) + 1.0 / near)
        vectors.append(vector)
    found = np.concatenate(values).astype(complex)
    return Leading(_distinct(found), (counts[0], counts[1], 0), True, "", np.sum(vectors, axis=0))


def _inertia(A: sp.csr_array, t: float) -> tuple[SuperLU, int] | None:
    """Factors of A − t I with diagonal pivots, and how many of these are positive; None if not to be trusted."""
    n = A.shape[0]
    shifted = sp.csc_matrix(A - t * sp.eye_array(n, format="csr"))
    try:
        lu = splu(shifted, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError:
        return None
    probe = np.random.default_rng(1).standard_normal(n)
    error = np.abs(shifted @ lu.solve(probe) - probe).max()
    if not error <= 1e-6 * np.abs(probe).max() or not np.array_equal(lu.perm_r, lu.perm_c):
        return None
    return lu, int(np.count_nonzero(lu.U.diagonal() > 0.0))


def _lanczos(lu: SuperLU, start: np.ndarray, leading: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest reliable Ritz values of the inverse, and the sum of their vectors."""
    n = len(start)
    steps = min(STEPS, n)
    Q, alpha, beta = np.empty((steps, n)), np.zeros(steps), np.zeros(steps)
    q = start / np.linalg.norm(start)
    for j in range(steps):
        Q[j] = q
        r = lu.solve(q)
        alpha[j] = q @ r
        for _ in range(2):  # orthogonal to working precision: twice is enough
            r -= (Q[: j + 1] @ r) @ Q[: j + 1]
        beta[j] = np.linalg.norm(r)
        if beta[j] <= 1e-14 * np.abs(alpha[: j + 1]).max():  # an invariant subspace: go on in another one
            beta[j], r = 0.0, np.random.default_rng(j).standard_normal(n)
            r -= (Q[: j + 1] @ r) @ Q[: j + 1]
        q = r / np.linalg.norm(r)
    theta, S = scipy.linalg.eigh_tridiagonal(alpha, beta[:-1])
    known = np.flatnonzero(np.abs(beta[-1] * S[-1]) <= RELIABLE * np.abs(theta))
    known = known[np.argsort(-np.abs(theta[known]))][:leading]
    return theta[known], S[:, known].sum(axis=1) @ Q


def _arnoldi(A: sp.csr_array | LinearOperator, leading: int, start: np.ndarray) -> Leading:
    n = A.shape[0]
    complaints: list[str] = []
    vectors: list[np.ndarray] = []

    def run(which: str, k: int, target: float | None = None) -> np.ndarray:
        k = min(k, n - 2)
        ncv = min(n, max(2 * k + 1, 20))
        options: dict[str, Any] = {"which": which, "v0": start, "ncv": ncv, "tol": 1e-10}
        options["maxiter"] = int(np.clip(EFFORT / (4.0 * n * ncv**2), 10, 300))
        if target is not None:
            shifted = sp.csc_matrix(A - target * sp.eye_array(n, format="csr"))
            options |= {"sigma": target, "OPinv": LinearOperator((n, n), matvec=splu(shifted).solve, dtype=float)}
        try:
            values, columns = eigs(A, k=k, **options)
        except ArpackNoConvergence as error:
            where = which if target is None else f"next to {target:.0f}"
            complaints.append(f"{where}: {len(error.eigenvalues)} of {k} multipliers converged")
            values, columns = error.eigenvalues, error.eigenvectors
        vectors.append(columns.real.sum(axis=1))
        return values

    found = run("LM", leading)
    while len(found) and np.abs(found).min() > 1.0 and leading < 40 and not complaints:
        leading *= 2
        found = run("LM", leading)
    covered = bool(len(found) and np.abs(found).min() < 1.0)
    if not covered and not complaints:
        complaints.append(f"all of the {len(found)} largest multipliers lie outside the unit circle: there may be more")
    certified = covered and not complaints
    if sp.issparse(A):
        others = [run("LM", leading, sign * (1.0 + BESIDE)) for sign in (1.0, -1.0)]
    else:
        others = [run("SR", leading), run("LR", leading)]
    values = _distinct(np.concatenate([found, *others]))
    return Leading(values, None, certified, "; ".join([*complaints, UNRESOLVED]), np.sum(vectors, axis=0))


def _distinct(values: np.ndarray) -> np.ndarray:
    values = values[np.lexsort((-values.imag, -np.abs(values).round(9)))]
    kept: list[complex] = []
    for value in values:
        conjugate = value.real - 1j * value.imag
        if all(abs(value - other) > SAME * max(1.0, abs(value)) for other in kept):
            kept.append(value)
            if abs(value.imag) > SAME and all(abs(conjugate - other) > SAME for other in kept):
                kept.append(conjugate)
    return np.array(kept, dtype=complex)
