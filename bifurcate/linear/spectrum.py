"""Multipliers with their multiplicities, and how much of the whole spectrum they are known to cover."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

from bifurcate.linear.operators import DiagonalLowRank, Operator, ShiftedLowRank, apply, dense, size

__all__ = ["EDGE", "Spectrum", "spectrum"]

REAL = 1e-7  # |Im λ| ≤ REAL·max(1, |λ|) counts as real: a defective pair splits by about √eps ≈ 1.5e-8
EDGE = 1e-9  # within EDGE of the unit circle a multiplier is neither inside nor outside: rounding moves it
SAME = 1e-7  # multipliers closer than SAME·max(1, |λ|) are one multiplier, where an iterative solver repeats itself
DENSE = 300  # operators up to this size are made dense: n products cost less there than three Arnoldi runs


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The multipliers of a solution.

    Attributes
    ----------
    values : ndarray of complex, shape (m,)
        Multipliers, by falling modulus.
    multiplicity : ndarray of int, shape (m,)
        How many times each counts.
    size : int
        Number of unknowns. ``multiplicity.sum() < size`` where only the leading multipliers were computed.
    certified : bool
        True if every multiplier outside the unit circle is among ``values``: always for a direct solver; for an
        iterative one if it converged and the smallest modulus it was asked for lies inside the circle.
    note : str
        What is not certified, in words.

    Examples
    --------
    >>> import numpy as np
    >>> s = spectrum(np.diag([0.5, -1.5, 2.0]))
    >>> s.stable, s.outside, s.signature
    (False, 2, (1, 1, 0))
    """

    values: np.ndarray
    multiplicity: np.ndarray
    size: int
    certified: bool = True
    note: str = ""
    signature: tuple[int, int, int] = field(init=False, default=(0, 0, 0))

    def __post_init__(self) -> None:
        object.__setattr__(self, "signature", self._count())

    @property
    def outside(self) -> int:
        """Number of multipliers of modulus > 1 + 1e-9, with multiplicity."""
        return int(self.multiplicity[np.abs(self.values) > 1.0 + EDGE].sum())

    @property
    def stable(self) -> bool:
        """True if every known multiplier has modulus < 1 − 1e-9; see ``certified``."""
        return bool((np.abs(self.values) < 1.0 - EDGE).all())

    @property
    def margin(self) -> float:
        """1 − max |λ|: positive if stable."""
        return float(1.0 - np.abs(self.values).max()) if len(self.values) else 1.0

    @property
    def real(self) -> np.ndarray:
        """Mask of ``values`` that count as real: |Im λ| ≤ 1e-7·max(1, |λ|)."""
        return _is_real(self.values)

    def _count(self) -> tuple[int, int, int]:
        # (real λ > 1, real λ < −1, complex pairs outside the unit circle)
        lam, count = self.values, self.multiplicity
        real = _is_real(lam)
        up = int(count[real & (lam.real > 1.0 + EDGE)].sum())
        down = int(count[real & (lam.real < -1.0 - EDGE)].sum())
        pairs = int(count[~real & (np.abs(lam) > 1.0 + EDGE)].sum()) // 2
        return up, down, pairs


def _is_real(values: np.ndarray) -> np.ndarray:
    return np.abs(values.imag) <= REAL * np.maximum(1.0, np.abs(values))


def spectrum(A: Operator, leading: int = 6) -> Spectrum:
    """Multipliers of a Jacobian of any kind.

    Parameters
    ----------
    A : Operator
        ndarray (all multipliers, LAPACK), DiagonalLowRank (all; through a symmetric matrix where a diagonal
        similarity makes it one, so that they are exactly real), ShiftedLowRank (all, through the core),
        sparse or LinearOperator (made dense up to 300 unknowns; beyond, the leading ones by Arnoldi iteration, asked
        for largest modulus, smallest and largest real part, so that a cluster inside the circle does not hide
        a multiplier near −1).
    leading : int
        How many multipliers each Arnoldi run is asked for.

    Returns
    -------
    Spectrum
        Its ``certified`` says whether every multiplier outside the unit circle is in it.

    Examples
    --------
    >>> import numpy as np
    >>> spectrum(np.array([[0.0, 2.0], [-0.5, 0.0]])).values.round(12).tolist()
    [1j, -1j]
    """
    n = size(A)
    if isinstance(A, np.ndarray):
        return _complete(scipy.linalg.eigvals(A, check_finite=False) if n > 1 else A.ravel().astype(complex))
    if isinstance(A, DiagonalLowRank):
        return _complete(_diagonal_low_rank(A))
    if isinstance(A, ShiftedLowRank):
        return _shifted_low_rank(A)
    if n <= DENSE:
        return _complete(scipy.linalg.eigvals(dense(A), check_finite=False))
    return _arnoldi(A if sp.issparse(A) else _single(A), n, leading)


def _complete(values: np.ndarray) -> Spectrum:
    values = values[np.lexsort((-values.imag, -np.abs(values).round(13)))].astype(complex)
    return Spectrum(values, np.ones(len(values), dtype=int), len(values))


def _diagonal_low_rank(A: DiagonalLowRank) -> np.ndarray:
    if A.left.shape[1] == 1:
        product = (A.left * A.right).ravel()
        sign = 1.0 if product.sum() >= 0 else -1.0
        if (sign * product >= 0).all():
            z = np.sqrt(np.abs(product))
            return scipy.linalg.eigvalsh(np.diag(A.diagonal) + sign * np.outer(z, z), check_finite=False)
    return scipy.linalg.eigvals(dense(A), check_finite=False)


def _shifted_low_rank(A: ShiftedLowRank) -> Spectrum:
    core = A.core
    small = _diagonal_low_rank(core) if isinstance(core, DiagonalLowRank) else scipy.linalg.eigvals(core)
    values = np.append(A.shift + small.astype(complex), A.shift)
    count = np.append(np.ones(len(small), dtype=int), A.shape[0] - len(small))
    order = np.lexsort((-values.imag, -np.abs(values).round(13)))
    keep = order[count[order] > 0]
    return Spectrum(values[keep], count[keep], A.shape[0])


def _single(A: Operator) -> LinearOperator:
    n = size(A)
    return LinearOperator((n, n), matvec=lambda x: apply(A, x.ravel()), dtype=float)


def _arnoldi(A: LinearOperator, n: int, leading: int) -> Spectrum:
    start = np.random.default_rng(0).standard_normal(n)
    complaints = []

    def run(which: str, k: int) -> np.ndarray:
        try:
            return eigs(A, k=min(k, n - 2), which=which, v0=start, ncv=min(n, max(2 * k + 1, 20)), maxiter=300,
                        tol=1e-10, return_eigenvectors=False)  # fmt: skip
        except ArpackNoConvergence as error:
            complaints.append(f"{which}: {len(error.eigenvalues)} of {k} multipliers converged")
            return error.eigenvalues

    found = run("LM", leading)
    while len(found) and np.abs(found).min() > 1.0 and leading < 40 and not complaints:
        leading *= 2
        found = run("LM", leading)
    covered = bool(len(found) and np.abs(found).min() < 1.0)
    if not covered and not complaints:
        complaints.append(f"all of the {len(found)} largest multipliers lie outside the unit circle: there may be more")
    values = _distinct(np.concatenate([found, run("SR", leading), run("LR", leading)]))
    note = "; ".join(complaints) + ("; " if complaints else "") + "multiplicities are not resolved by Arnoldi iteration"
    return Spectrum(values, np.ones(len(values), dtype=int), n, covered and not complaints, note)


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
