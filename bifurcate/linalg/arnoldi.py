"""Leading multipliers of Jacobians too large for LAPACK: what Krylov methods find, and what sparse factors certify.

Symmetric sparse matrices: the number of eigenvalues above t is the number of positive pivots of A − t I = L D Lᵀ
(Sylvester's law of inertia; Parlett, The Symmetric Eigenvalue Problem, SIAM 1998, section 3.3). It is exact, however
clustered they are. The values next to ±1 come from the Lanczos method on (A ∓ I)⁻¹ with the same factors.

Other sparse matrices: Arnoldi iteration on (A ∓ I)⁻¹ and on A.

LinearOperators have ``leading_subspace.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, SuperLU, eigs, splu

__all__ = ["MOST_LEADING", "Leading", "leading_multipliers"]

Array = NDArray[Any]

# Multipliers closer than SAME·max(1, |λ|) are one multiplier: an iterative solver finds a multiple one several times,
# apart by the square root of rounding.
SAME = 1e-7

# Eigenvalues are counted, and matrices inverted, about the points ±(1 + BESIDE): at ±1 itself a critical multiplier
# would make the matrix singular. The distance is that within which multipliers count as on the circle.
BESIDE = 1e-9

# Steps of the Lanczos method, each of which stores a state. The inverse separates the few multipliers next to ±1 well.
LANCZOS_STEPS = 30
FEWEST_STEPS = 6  # a multiplier of which the start holds little grows in them by its distance's share to the power
LOOKED_AT_EVERY = 3  # of these steps after which one looks what is known: a look costs no pass over a state

# Distance from ±1 beyond which one multiplier, the nearest, is enough: branches are shorter of step than this where a
# multiplier crosses, and what lies far from the circle is counted exactly.
FAR = 0.1

# Relative error of a value's distance from ±1, up to which Lanczos's value counts as found.
RELIABLE = 1e-3
# ... up to which the nearest one does, or lists would mislead: in a dense band one digit of its distance.
ROUGH = 0.1

# Vectors of an Arnoldi basis, at the least: with fewer it restarts too often, however little is asked for.
SMALLEST_BASIS = 20

# Multiplications that one Arnoldi run may cost: ten seconds on one core. Runs that need more are reported as
# not converged.
LARGEST_EFFORT = 1e10

# Iterations of ARPACK, whatever they cost and at the most.
FEWEST_ITERATIONS, MOST_ITERATIONS = 10, 300

# ARPACK's relative tolerance: a multiplier is then known better than EDGE, within which it counts as on the circle.
ARPACK_TOLERANCE = 1e-10

# Multipliers of largest modulus after which the search for one inside the circle is given up.
MOST_LEADING = 40

# Relative asymmetry up to which a sparse matrix counts as symmetric: a hundred times what rounding makes of one.
SYMMETRIC = 1e-12

# Relative residual of a trial solve beyond which diagonal pivots, and the signs that are counted, are not trusted.
TRUSTED = 1e-6

# Part of a Lanczos vector that is left when the Krylov space is invariant: rounding.
INVARIANT = 1e-14

# Weight of noise in a start vector. A start in an invariant subspace, as symmetric states have them, would never find
# the multipliers of the other ones.
NOISE = 0.1

DECIMALS = 9  # of |λ| that decide the order, fewer than converge
UNRESOLVED = "multiplicities are not resolved by Arnoldi iteration"


@dataclass(frozen=True, eq=False)
class Leading:
    """The multipliers that were found.

    Attributes
    ----------
    values : ndarray of complex
        Each multiplier once.
    counts : (int, int, int), optional
        How many real multipliers lie above 1, how many below −1, and how many pairs outside the circle; None where that
        is not certain.
    certified : bool
        True if every multiplier outside the unit circle is among the values or was counted.
    note : str
        What is not certified.
    vector : ndarray, shape (n,)
        The sum of the eigenvectors found: a start for a similar matrix.
    """

    values: Array
    counts: tuple[int, int, int] | None
    certified: bool
    note: str
    vector: Array = field(repr=False)


def leading_multipliers(A: sp.sparray, leading: int, start: Array | None = None) -> Leading:
    """Find the multipliers of largest modulus and those next to ±1.

    Parameters
    ----------
    A : sparse
        n × n with n > leading + 1.
    leading : int
        How many multipliers each run is asked for.
    start : ndarray, shape (n,), optional
        The ``vector`` that was returned for a similar matrix.

    Returns
    -------
    Leading

    Examples
    --------
    >>> found = leading_multipliers(sp.diags_array(np.linspace(-1.5, 0.9, 500)), 3)
    >>> found.counts, found.certified
    ((0, 104, 0), True)
    """
    n = A.shape[0]
    noise = np.random.default_rng(0).standard_normal(n)
    first = noise if start is None or not start.any() else start / np.linalg.norm(start) + NOISE / np.sqrt(n) * noise
    A = sp.csr_array(A)
    if abs(A - A.T).max() <= SYMMETRIC * abs(A).max() and (found := _symmetric(A, leading, first)) is not None:
        return found
    return _arnoldi(A, leading, first)


def _symmetric(A: sp.csr_array, leading: int, start: Array) -> Leading | None:
    counts, values, vectors = [], [], []
    for sign in (1.0, -1.0):
        factors = _inertia(A, sign * (1.0 + BESIDE))
        if factors is None:
            return None
        lu, above = factors
        counts.append(above if sign > 0 else A.shape[0] - above)
        theta, errors, vector = _lanczos(lu, start, leading)
        near = np.abs(theta) > 1.0  # the values nearer to this target than to the other one
        found = sign * (1.0 + BESIDE) + 1.0 / theta[near]
        values.append(_known_digits(found, errors[near] / theta[near] ** 2))
        vectors.append(vector)
    return Leading(
        _distinct(np.concatenate(values).astype(complex)), (counts[0], counts[1], 0), True, "", np.sum(vectors, axis=0)
    )


def _inertia(A: sp.csr_array, t: float) -> tuple[SuperLU, int] | None:
    """Factors of A − t I with diagonal pivots, and how many of these are positive; None if they are inexact."""
    n = A.shape[0]
    shifted = sp.csc_matrix(A - t * sp.eye_array(n, format="csr"))
    try:
        lu = splu(shifted, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError:
        return None
    probe = np.random.default_rng(1).standard_normal(n)
    error = np.abs(shifted @ lu.solve(probe) - probe).max()
    if not error <= TRUSTED * np.abs(probe).max() or not np.array_equal(lu.perm_r, lu.perm_c):
        return None
    return lu, int(np.count_nonzero(lu.U.diagonal() > 0.0))


def _known_digits(values: Array, errors: Array) -> Array:
    """The values, rounded to the decimals that their errors leave: a table prints no other ones."""
    decimals = np.floor(-np.log10(np.maximum(errors, np.finfo(float).eps))).astype(int)
    return np.array([round(float(value), int(digits)) for value, digits in zip(values, decimals)])


def _lanczos(lu: SuperLU, start: Array, leading: int) -> tuple[Array, Array, Array]:
    """The largest reliable Ritz values of the inverse, bounds of their errors, and the sum of their vectors."""
    n = len(start)
    steps = min(LANCZOS_STEPS, n)
    Q, alpha, beta = np.empty((steps, n)), np.zeros(steps), np.zeros(steps)
    q = start / np.linalg.norm(start)
    for j in range(steps):
        Q[j] = q
        r = lu.solve(q)
        alpha[j] = q @ r
        for _ in range(2):  # twice is enough for orthogonality to working precision
            r -= (Q[: j + 1] @ r) @ Q[: j + 1]
        beta[j] = np.linalg.norm(r)
        if (j + 1) % LOOKED_AT_EVERY == 0 or j + 1 == steps:
            theta, S = scipy.linalg.eigh_tridiagonal(alpha[: j + 1], beta[:j])
            residuals, order = np.abs(beta[j] * S[-1]), np.argsort(-np.abs(theta))
            is_known = residuals[order] <= RELIABLE * np.abs(theta[order])
            top = abs(theta[order[0]])
            is_enough = is_known[0] if top < 1.0 / FAR else is_known.sum() >= leading
            if j + 1 == steps or (is_enough and j + 1 >= FEWEST_STEPS):
                is_known[0] |= residuals[order[0]] <= ROUGH * top
                known = order[is_known][:leading]
                return theta[known], residuals[known], S[:, known].sum(axis=1) @ Q[: j + 1]
        if beta[j] <= INVARIANT * np.abs(alpha[: j + 1]).max():  # the space is invariant: continue in another one
            beta[j], r = 0.0, np.random.default_rng(j).standard_normal(n)
            r -= (Q[: j + 1] @ r) @ Q[: j + 1]
        q = r / np.linalg.norm(r)
    raise AssertionError  # the last step returns


def _arnoldi(A: sp.csr_array, leading: int, start: Array) -> Leading:
    n = A.shape[0]
    notes: list[str] = []
    vectors: list[Array] = []

    def run(which: str, k: int, target: float | None = None) -> Array:
        k = min(k, n - 2)
        ncv = min(n, max(2 * k + 1, SMALLEST_BASIS))
        options: dict[str, Any] = {"which": which, "v0": start, "ncv": ncv, "tol": ARPACK_TOLERANCE}
        options["maxiter"] = int(np.clip(LARGEST_EFFORT / (4.0 * n * ncv**2), FEWEST_ITERATIONS, MOST_ITERATIONS))
        if target is not None:
            shifted = sp.csc_matrix(A - target * sp.eye_array(n, format="csr"))
            options |= {"sigma": target, "OPinv": LinearOperator((n, n), matvec=splu(shifted).solve, dtype=float)}
        try:
            values, columns = eigs(A, k=k, **options)
        except ArpackNoConvergence as error:
            where = which if target is None else f"next to {target:.0f}"
            notes.append(f"{where}: {len(error.eigenvalues)} of {k} multipliers converged")
            values, columns = error.eigenvalues, error.eigenvectors
        vectors.append(columns.real.sum(axis=1))
        return np.asarray(values)

    found = run("LM", leading)
    while len(found) and np.abs(found).min() > 1.0 and leading < MOST_LEADING and not notes:
        leading *= 2
        found = run("LM", leading)
    covered = bool(len(found) and np.abs(found).min() < 1.0)
    if not covered and not notes:
        notes.append(f"all of the {len(found)} largest multipliers lie outside the unit circle: there may be more")
    certified = covered and not notes
    others = [run("LM", leading, sign * (1.0 + BESIDE)) for sign in (1.0, -1.0)]
    values = _distinct(np.concatenate([found, *others]))
    return Leading(values, None, certified, "; ".join([*notes, UNRESOLVED]), np.sum(vectors, axis=0))


def _distinct(values: Array) -> Array:
    values = values[np.lexsort((-values.imag, -np.abs(values).round(DECIMALS)))]
    kept: list[complex] = []
    for value in values:
        conjugate = value.real - 1j * value.imag
        if all(abs(value - other) > SAME * max(1.0, abs(value)) for other in kept):
            kept.append(value)
            if abs(value.imag) > SAME and all(abs(conjugate - other) > SAME for other in kept):
                kept.append(conjugate)
    return np.array(kept, dtype=complex)
