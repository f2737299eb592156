"""The product of the Jacobians along a cycle, never multiplied out: its linear systems and its multipliers.

Unknowns are vectors v₀, …, v_{k−1} at all states of the cycle. For a target τ the matrix

    ┌ −τ I             A_{k−1} ┐ ┌ v₀      ┐
    │  A₀   −I                 │ │ v₁      │        is singular exactly where A_{k−1} ⋯ A₀ has the multiplier τ, and its
    │        A₁  −I            │ │ …       │        null vectors are the critical vector carried along the cycle.
    └            …   −I        ┘ └ v_{k−1} ┘

With τ = 1 it is the derivative of the residuals f(x_{i−1}) − x_i of multiple shooting (Ascher, Mattheij & Russell,
Numerical Solution of Boundary Value Problems, SIAM 1995, chapter 4). Sparse LU with row pivoting solves with it at a
cost linear in k; the product may have multipliers of any size, as long as its factors do not.

Multipliers come from periodic orthogonal iteration, the unshifted QR method on the product (Bojanczyk, Golub & Van
Dooren, Proc. SPIE 1770 (1992) 31): A_i Q_i = Q_{i+1} R_i round the cycle until Q_k spans what Q_0 does. Products of the
diagonal entries are multipliers, with the relative accuracy that the factors have, however far apart they lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

__all__ = ["CyclicProduct", "multipliers_of_product"]

Array = NDArray[Any]

# Passes round the cycle. Multipliers whose moduli differ by the factor g separate to rounding in 37/ln g passes: 60
# part those that differ by a factor of two. Nearer ones are found together from one small product, to rounding times
# their ratio.
MOST_PASSES = 60

# A basis spans an invariant subspace where the next pass turns it by no more than this, times the root of the number of
# vectors: rounding of one pass.
INVARIANT = 1e-15

# A pass that lowers no turn below this part of the last one gains nothing: conjugate pairs never part.
STALLED = 0.9
FEWEST_PASSES = 4  # passes before that is judged: the first ones turn a random basis anyhow


@dataclass(frozen=True, eq=False)
class CyclicProduct:
    """The product A_{k−1} ⋯ A₀, less ``target`` times the identity, in the unknowns v₀, …, v_{k−1}.

    Attributes
    ----------
    factors : tuple of ndarray, each of shape (n, n)
        A₀, …, A_{k−1}, in the order in which they act.
    target : complex
        τ.

    Examples
    --------
    >>> A = CyclicProduct((np.diag([1e8, 1.0]), np.diag([1e8, -1e-9])))
    >>> multipliers_of_product(A.factors)
    array([ 1.e+16+0.j, -1.e-09+0.j])
    """

    factors: tuple[Array, ...]
    target: complex = 0.0

    @property
    def shape(self) -> tuple[int, int]:
        """(k n, k n)."""
        size = len(self.factors) * len(self.factors[0])
        return size, size

    @property
    def dtype(self) -> np.dtype[Any]:
        """Real for a real target."""
        return np.result_type(float, type(self.target))

    @cached_property
    def matrix(self) -> sp.csc_array:
        """The matrix drawn above."""
        k, n = len(self.factors), len(self.factors[0])
        if k == 1:
            return sp.csc_array(self.factors[0] - self.target * np.eye(n))
        rows = np.arange(n)[:, None] + np.zeros((1, n), dtype=int)
        columns = rows.T
        entries = [np.asarray(A, dtype=self.dtype) for A in self.factors]
        blocks = [((i + 1) % k * n + rows, i * n + columns) for i in range(k)]
        diagonal = np.arange(k * n)
        shift = np.where(diagonal < n, -self.target, -1.0).astype(self.dtype)
        data = np.concatenate([*(A.ravel() for A in entries), shift])
        i = np.concatenate([*(at[0].ravel() for at in blocks), diagonal])
        j = np.concatenate([*(at[1].ravel() for at in blocks), diagonal])
        return sp.csc_array((data, (i, j)), shape=self.shape)

    @property
    def largest(self) -> float:
        """The largest entry of all factors."""
        return max(float(np.abs(A).max(initial=0.0)) for A in self.factors)

    def shifted(self, target: complex) -> CyclicProduct:
        """The product less another multiple of the identity."""
        return CyclicProduct(self.factors, self.target + target)

    def target_part(self, columns: Array) -> Array:
        """What multiplies −τ in a product with columns: their parts at the first state."""
        part = np.zeros_like(columns)
        n = len(self.factors[0])
        part[:n] = columns[:n]
        return part

    def __matmul__(self, x: Array) -> Array:
        return np.asarray(self.matrix @ x)


def multipliers_of_product(factors: Sequence[Array]) -> Array:
    """All multipliers of A_{k−1} ⋯ A₀, each to the relative accuracy of the factors.

    Parameters
    ----------
    factors : sequence of ndarray, each of shape (n, n)
        A₀, …, A_{k−1}, in the order in which they act.

    Returns
    -------
    ndarray of complex, shape (n,)
        By falling modulus; ±inf or 0 where one is too large or too small for a double.

    Notes
    -----
    Multipliers whose moduli differ by less than a factor of two, conjugate pairs among them, are eigenvalues of one
    small product that is formed with its size taken out: their error is rounding times the ratio of their moduli.
    """
    n = len(factors[0])
    if n == 1:
        return _scaled_product([A.reshape(1, 1) for A in factors], np.eye(1)).astype(complex)
    if not all(np.isfinite(A).all() for A in factors):
        return np.full(n, np.nan, dtype=complex)
    basis = np.linalg.qr(np.random.default_rng(n).standard_normal((n, n)))[0]
    turns, triangles, turn = np.full(n - 1, np.inf), list[Array](), np.eye(n)
    for count in range(1, MOST_PASSES + 1):
        Q, triangles = basis, []
        for A in factors:
            Q, R = np.linalg.qr(A @ Q)
            triangles.append(R)
        turn = basis.T @ Q
        before, turns = turns, np.array([float(np.linalg.norm(turn[j:, :j])) for j in range(1, n)])
        open_ones = turns > INVARIANT * np.sqrt(n) * np.sqrt(len(factors))
        if not open_ones.any() or (count >= FEWEST_PASSES and not (turns < STALLED * before)[open_ones].any()):
            break
        basis = Q
    cuts = [0, *(np.flatnonzero(turns <= INVARIANT * np.sqrt(n) * np.sqrt(len(factors))) + 1).tolist(), n]
    parts = [_scaled_product([R[a:b, a:b] for R in triangles], turn[a:b, a:b]) for a, b in pairwise(cuts)]
    values = np.concatenate(parts).astype(complex)
    return values[np.argsort(-np.abs(values), kind="stable")]


def _scaled_product(triangles: Sequence[Array], turn: Array) -> Array:
    """The eigenvalues of turn · R_{k−1} ⋯ R₀, which is formed with its size taken out."""
    product, exponent = np.eye(len(turn)), 0
    for R in triangles:
        product = R @ product
        size = float(np.abs(product).max(initial=0.0))
        if size == 0.0:
            return np.zeros(len(turn))
        power = int(np.frexp(size)[1])
        product, exponent = np.ldexp(product, -power), exponent + power
    values = scipy.linalg.eigvals(turn @ product, check_finite=False) if len(turn) > 1 else (turn @ product).ravel()
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(np.ldexp(values.real, exponent) + 1j * np.ldexp(values.imag, exponent))
