"""Multipliers of a Jacobian of any kind, with multiplicities, counts outside the unit circle, and what is certain."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from bifurcate.linalg.arnoldi import MOST_LEADING, leading_multipliers
from bifurcate.linalg.boundary_value_jacobian import BoundaryValueJacobian
from bifurcate.linalg.cyclic_product import CyclicProduct, multipliers_of_product
from bifurcate.linalg.few_numbers import FEW
from bifurcate.linalg.invariant_curve_jacobian import InvariantCurveJacobian
from bifurcate.linalg.leading_subspace import find_leading_subspace
from bifurcate.linalg.operators import DiagonalLowRank, Operator, ShiftedLowRank, apply, core_operator, dense, size
from bifurcate.linalg.rank_one_eigenvalues import RankOneUpdate
from bifurcate.linalg.threads import one_thread
from bifurcate.printing import notebook_html, short_repr

__all__ = ["EDGE", "Spectrum", "spectrum"]

# |Im λ| ≤ REAL·max(1, |λ|) counts as real, and less by as much as the edge is narrower: rounding splits a defective
# pair of real multipliers by about √ε = 1.5e-8, and noise, which widens the edge, by the root of it.
REAL = 1e-7

# Within EDGE of the unit circle a multiplier is neither inside nor outside: rounding and the corrector's tolerance move
# it by up to about so much.
EDGE = 1e-9

# size limit: sparse matrices and LinearOperators up to this size are made dense, since n products and LAPACK cost less
# there than Krylov methods, and give all multipliers.
LARGEST_DENSE = 300

# size limit: a diagonal plus rank one is made dense up to this size, since LAPACK finds all multipliers of a small
# matrix faster than the secular equation.
LARGEST_RANK_ONE_DENSE = 128

# Up to this size LAPACK's general method takes less time than the test for symmetry.
SMALLEST_SYMMETRY_TEST = 32

# size limit: of a diagonal plus rank one all multipliers are computed up to this size, and of one of higher rank by a
# dense matrix. Beyond, those near ±1 and the extreme ones are computed, and the others counted.
LARGEST_COMPLETE = 2000

# Asymmetry that counts as rounding, in units of ε times the largest entry: the backward error of the general method is
# larger.
ROUNDING_UNITS = 4.0

# Decimals of |λ| that decide the order: moduli of a conjugate pair differ by rounding.
DECIMALS = 13

# Distance inside the unit circle at which the last multiplier that products have found is not one of several that are
# critical together: those known to 1e-10 are told apart.
NOT_CRITICAL = 1e-7

_GEEV, _GEEV_LWORK = scipy.linalg.get_lapack_funcs(("geev", "geev_lwork"), dtype="d")


Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The multipliers of a solution.

    Attributes
    ----------
    values : ndarray of complex, shape (m,)
        Multipliers, by falling modulus.
    multiplicity : ndarray of int, shape (m,)
        How many times each value occurs.
    size : int
        Number of unknowns. ``multiplicity.sum() < size`` where only some multipliers were computed.
    certified : bool
        True if every multiplier outside the unit circle is among ``values`` or was counted: always for a direct solver;
        for an iterative one if it converged and the smallest modulus it was asked for lies inside the circle.
    note : str
        What is not certified, as a sentence; empty if all is.
    signature : tuple of int
        How many real multipliers are > 1 + edge, how many are < −1 − edge, and how many complex pairs have a modulus
        > 1 + edge; from ``values`` if it is not given.
    multiplicities_resolved : bool
        False if ``multiplicity`` may be too small, because an iterative solver finds every multiplier only once.
    edge : float
        Distance from the unit circle within which a multiplier is neither inside nor outside: 1e-9, and less along
        curves whose multipliers differ from 1 by little, as those of slow learning rules do.
    vector : ndarray, shape (n,) or (n, k), or None
        Where iteration may start for a similar Jacobian: the sum of the vectors that belong to ``values``, or an
        orthonormal basis of the space in which they lie. Only iterative solvers give one, and the points of a branch do
        not store it.

    Examples
    --------
    >>> import numpy as np
    >>> s = spectrum(np.diag([0.5, -1.5, 2.0]))
    >>> s.stable, s.outside, s.signature
    (False, 2, (1, 1, 0))
    """

    values: Array
    multiplicity: Array
    size: int
    certified: bool = True
    note: str = ""
    signature: tuple[int, int, int] = ()  # type: ignore[assignment]  # (): __post_init__ counts values
    multiplicities_resolved: bool = True
    edge: float = EDGE
    vector: Array | None = field(default=None, repr=False)

    __repr__ = short_repr
    _repr_html_ = notebook_html

    def __post_init__(self) -> None:
        if not self.signature:
            object.__setattr__(self, "signature", self._count())

    def without_vector(self) -> Spectrum:
        """The same multipliers without the start vector, which is as large as a state."""
        return self if self.vector is None else dataclasses.replace(self, vector=None)

    @property
    def complete(self) -> bool:
        """True if all multipliers are among ``values``."""
        return int(self.multiplicity.sum()) == self.size

    @property
    def outside(self) -> int:
        """Number of multipliers of modulus > 1 + edge, with multiplicity."""
        up, down, pairs = self.signature
        return up + down + 2 * pairs

    @property
    def stable(self) -> bool:
        """True if no multiplier is counted outside and every known one has modulus < 1 − edge; see ``certified``."""
        return not self.outside and bool((np.abs(self.values) < 1.0 - self.edge).all())

    @property
    def margin(self) -> float:
        """1 − max |λ| over ``values``: positive if stable."""
        return float(1.0 - np.abs(self.values).max()) if len(self.values) else 1.0

    @cached_property
    def real(self) -> Array:
        """Mask of ``values`` that count as real: |Im λ| ≤ 100 edge·max(1, |λ|)."""
        return _is_real(self.values, self.edge)

    @cached_property
    def real_count(self) -> int:
        """Number of real multipliers among ``values``, with multiplicity."""
        if len(self.values) <= FEW:
            return sum(
                count for count, real in zip(self.multiplicity.tolist(), self.real.tolist(), strict=True) if real
            )
        return int(self.multiplicity[self.real].sum())

    @cached_property
    def gap(self) -> float:
        """Distance of the nearest real multiplier from +1; inf if none is real."""
        if len(self.values) <= FEW:
            pairs = zip(self.values.real.tolist(), self.real.tolist(), strict=True)
            return min((abs(value - 1.0) for value, real in pairs if real), default=np.inf)
        real = self.values.real[self.real]
        return float(np.abs(real - 1.0).min()) if len(real) else np.inf

    def _count(self) -> tuple[int, int, int]:
        # (real λ > 1, real λ < −1, complex pairs outside the unit circle)
        lam, count, edge = self.values, self.multiplicity, self.edge
        if len(lam) <= FEW:
            return _count_few(lam.tolist(), count.tolist(), edge)
        if not (np.abs(lam) > 1.0 + edge).any():
            return 0, 0, 0
        real = _is_real(lam, edge)
        up = int(count[real & (lam.real > 1.0 + edge)].sum())
        down = int(count[real & (lam.real < -1.0 - edge)].sum())
        pairs = int(count[~real & (np.abs(lam) > 1.0 + edge)].sum()) // 2
        return up, down, pairs


def _count_few(values: list[complex], count: list[int], edge: float) -> tuple[int, int, int]:
    # The same in Python, for few numbers.
    up = down = others = 0
    part = _imaginary_part(edge)
    for value, times in zip(values, count):
        size = abs(value)
        if not size > 1.0 + edge:
            continue
        if not abs(value.imag) <= part * max(1.0, size):
            others += times
        elif value.real > 1.0 + edge:
            up += times
        elif value.real < -1.0 - edge:
            down += times
    return up, down, others // 2


def _imaginary_part(edge: float) -> float:
    """Up to which imaginary part, in units of max(1, |λ|), a multiplier counts as real."""
    return REAL * (edge / EDGE) if edge <= EDGE else max(REAL, math.sqrt(edge))


def _is_real(values: Array, edge: float) -> Array:
    part = _imaginary_part(edge)
    if len(values) <= FEW:
        return np.array([abs(value.imag) <= part * max(1.0, abs(value)) for value in values.tolist()], dtype=bool)
    return np.asarray(np.abs(values.imag) <= part * np.maximum(1.0, np.abs(values)))


def spectrum(
    A: Operator, leading: int = 6, start: Array | None = None, edge: float = EDGE, *, sharp: bool = True
) -> Spectrum:
    """The multipliers of a Jacobian of any kind: all of them where that is cheap, else those that decide stability.

    Parameters
    ----------
    A : Operator
        The Jacobian; the method depends on its kind, see below.
    leading : int
        How many multipliers each Arnoldi run is asked for; twice as many as are found on either side of ±1. With
        ``leading >= n`` the secular equation is solved for all.
    start : ndarray, shape (n,) or (n, k), optional
        Where iteration starts: the ``vector`` of a similar Jacobian's spectrum.
    edge : float
        Distance from the unit circle within which a multiplier is neither inside nor outside, where LAPACK computes all
        of them. Elsewhere it is 1e-9, the error of iterations.
    sharp : bool
        False if multipliers found by products alone need to be known to a hundredth of their distance from the unit
        circle only, which is enough to count them.

    Returns
    -------
    Spectrum
        Its ``certified`` says whether every multiplier outside the unit circle is in it or counted.

    Notes
    -----
    ndarray
        All multipliers, by LAPACK.
    ShiftedLowRank
        The shift, and the multipliers of its core by the method of the core's kind.
    DiagonalLowRank
        If it is of rank one and a diagonal similarity makes it symmetric, its multipliers are real and found from its
        secular equation: all of them up to 2000 unknowns, in O(n²); beyond, the two extreme ones and those nearest ±1,
        in O(n) each, with those outside the unit circle counted exactly. Any other one: LAPACK, or Arnoldi iteration
        beyond 2000 unknowns.
    BoundaryValueJacobian
        The one that says where the problem is singular.
    InvariantCurveJacobian
        The normal multipliers of the curve.
    CyclicProduct
        All multipliers of the product, by periodic orthogonal iteration.
    sparse
        Up to 300 unknowns made dense. Beyond, of a symmetric matrix (to 1e-12) those outside the circle are counted
        exactly, from the signs of its pivots, and some next to ±1 are computed. Any other one: Arnoldi iteration for
        the largest moduli and, on the inverse, for those next to ±1.
    LinearOperator
        Up to 300 unknowns made dense. Beyond, one subspace for the largest modulus and for the smallest and the largest
        real part: a block Krylov method, which begins with the vectors found at the last point of a branch.

    Examples
    --------
    >>> import numpy as np
    >>> spectrum(np.array([[0.0, 2.0], [-0.5, 0.0]])).values.round(12).tolist()
    [1j, -1j]
    """
    n = size(A)
    if isinstance(A, np.ndarray):
        return _complete(eigenvalues(A), edge)
    if isinstance(A, CyclicProduct):
        return _complete(multipliers_of_product(A.factors), edge)
    if isinstance(A, BoundaryValueJacobian):
        return _complete(np.array([A.multiplier]), edge)
    if isinstance(A, InvariantCurveJacobian):
        return _complete(A.normal_multipliers, edge)
    if isinstance(A, DiagonalLowRank):
        return _diagonal_low_rank(A, leading, start)
    if isinstance(A, ShiftedLowRank):
        inner = core_operator(A)
        assert isinstance(inner, np.ndarray | DiagonalLowRank)
        return _with_shift(spectrum(inner, leading), A)  # a start vector is one of A, not of its core
    if n <= LARGEST_DENSE:
        return _complete(eigenvalues(dense(A)), edge)
    return _iterative(A, leading, start) if sp.issparse(A) else _by_products(A, leading, start, sharp)


def eigenvalues(A: Array) -> Array:
    """All eigenvalues by LAPACK, called directly: for two unknowns scipy takes ten times as long."""
    if len(A) == 1:
        return A.ravel()
    with one_thread(len(A)):
        return _eigenvalues(A)


def _eigenvalues(A: Array) -> Array:
    n = len(A)
    if np.iscomplexobj(A):
        return np.asarray(scipy.linalg.eigvals(A, check_finite=False))
    # Symmetric to rounding is as good as symmetric: geev's own backward error is larger than what eigvalsh ignores.
    if n > SMALLEST_SYMMETRY_TEST and _is_symmetric(A):
        return np.linalg.eigvalsh(A)
    real, imag, _, _, info = _GEEV(A, compute_vl=0, compute_vr=0, lwork=_workspace(n))
    if info:
        raise np.linalg.LinAlgError(f"LAPACK found the last {n - info} of {n} eigenvalues only")
    return np.asarray(real + 1j * imag)


@cache
def _workspace(n: int) -> int:
    # numbers that LAPACK wants to work with
    return int(_GEEV_LWORK(n, compute_vl=0, compute_vr=0)[0])


def _is_symmetric(A: Array) -> bool:
    allowed = ROUNDING_UNITS * float(np.finfo(float).eps) * max(float(A.max()), -float(A.min()))
    if not (np.abs(A[0] - A[:, 0]) <= allowed).all():
        return False
    skew = A - A.T
    return bool(max(float(skew.max()), -float(skew.min())) <= allowed)


def _by_modulus(values: Array) -> Array:
    if len(values) == 1:
        return np.zeros(1, dtype=int)
    return np.lexsort((-values.imag, -np.abs(values).round(DECIMALS)))


def _complete(values: Array, edge: float = EDGE) -> Spectrum:
    values = values[_by_modulus(values)] if len(values) > 1 else values
    return Spectrum(values.astype(complex), np.ones(len(values), dtype=int), len(values), edge=edge)


def _diagonal_low_rank(A: DiagonalLowRank, leading: int, start: Array | None) -> Spectrum:
    n = size(A)
    similar = _symmetric(A)
    if similar is None:
        return _complete(eigenvalues(dense(A))) if n <= LARGEST_COMPLETE else _by_products(A, leading, start, True)
    if n <= LARGEST_RANK_ONE_DENSE:
        z = np.sqrt(similar.square)
        with one_thread(n):
            return _complete(np.linalg.eigvalsh(np.diag(A.diagonal) + similar.sign * np.outer(z, z)))
    if n <= max(LARGEST_COMPLETE, leading):
        return _complete(similar.find_all())
    values = similar.find_near((1.0, -1.0), (leading + 1) // 2)[::-1]
    counts = similar.count_above(1.0 + EDGE), n - similar.count_above(-1.0 - EDGE), 0
    values = values[_by_modulus(values)].astype(complex)
    return Spectrum(values, np.ones(len(values), dtype=int), n, signature=counts)


def _symmetric(A: DiagonalLowRank) -> RankOneUpdate | None:
    """The symmetric matrix to which a diagonal similarity brings D + u vᵀ with all uᵢvᵢ of one sign."""
    if A.left.shape[1] != 1:
        return None
    product = (A.left * A.right).ravel()
    sign = 1.0 if product.sum() >= 0 else -1.0
    product *= sign
    return RankOneUpdate(A.diagonal, product, sign) if product.min(initial=0.0) >= 0.0 else None


def _with_shift(inner: Spectrum, A: ShiftedLowRank) -> Spectrum:
    """The multipliers of the core and, as often as there are further unknowns, the shift."""
    further = A.shape[0] - inner.size
    if not further:
        return inner
    shift = np.array([A.shift], dtype=complex)
    values, count = np.append(inner.values, shift), np.append(inner.multiplicity, further)
    order = _by_modulus(values)
    up, down, pairs = Spectrum(shift, count[-1:], further).signature
    total = inner.signature[0] + up, inner.signature[1] + down, inner.signature[2] + pairs
    return Spectrum(
        values=values[order],
        multiplicity=count[order],
        size=A.shape[0],
        certified=inner.certified,
        note=inner.note,
        signature=total,
        multiplicities_resolved=inner.multiplicities_resolved,
    )


def _iterative(A: Operator, leading: int, start: Array | None) -> Spectrum:
    n = size(A)
    found = leading_multipliers(A, leading, start)
    values = found.values[_by_modulus(found.values)]
    return Spectrum(
        values=values,
        multiplicity=np.ones(len(values), dtype=int),
        size=n,
        certified=found.certified,
        note=found.note,
        signature=found.counts or (),  # type: ignore[arg-type]
        multiplicities_resolved=False,
        vector=found.vector,
    )


def _by_products(A: Operator, leading: int, start: Array | None, sharp: bool) -> Spectrum:
    n, columns = size(A), None if start is None else start.reshape(size(A), -1)
    while True:
        found = find_leading_subspace(lambda v: apply(A, v), n, leading, columns, sharp)
        smallest = np.sort(np.abs(found.values))[-min(leading, len(found.values))]
        is_covered, is_known = bool(smallest < 1.0 - NOT_CRITICAL), found.residual <= 1.0
        if is_covered or not is_known or leading >= MOST_LEADING:
            break
        leading, columns = 2 * leading, found.vectors
    notes = [] if is_known else [f"after {found.products} products some multipliers are not known well enough to count"]
    if is_known and not is_covered:
        notes.append(f"all of the {leading} largest multipliers lie outside the unit circle: there may be more")
    notes.append("multiplicities may be larger than products alone show")
    values = found.values[_by_modulus(found.values)]
    return Spectrum(
        values=values,
        multiplicity=np.ones(len(values), dtype=int),
        size=n,
        certified=is_covered and is_known,
        note="; ".join(notes),
        multiplicities_resolved=found.is_symmetric,
        vector=found.vectors,
    )
