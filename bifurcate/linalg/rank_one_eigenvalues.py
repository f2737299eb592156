"""Eigenvalues of diag(d) + s z zᵀ, s = ±1, from its secular equation: O(n) for each, without a matrix.

λ is an eigenvalue of D + z zᵀ exactly where

    w(λ) = 1 + Σᵢ zᵢ²/(dᵢ − λ) = 0,

apart from the deflated ones: a dᵢ with zᵢ = 0, and all but one of several equal dᵢ. w rises from −∞ to +∞ between
neighbouring poles, and from −∞ to 1 beyond the last, so that the roots interlace with the poles,

    d₁ < λ₁ < d₂ < λ₂ < … < dₘ < λₘ ≤ dₘ + ‖z‖²

(Golub, SIAM Review 15 (1973) 318, section 5). By the inertia of the matrix bordered with z and −1 (Sylvester's law;
Haynsworth, Linear Algebra Appl. 1 (1968) 73) as many eigenvalues lie above t as poles do, and one more if w(t) < 0:
counting needs no eigenvalue.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["RankOneUpdate"]

Array = NDArray[Any]
EPS = float(np.finfo(float).eps)

# Numbers in one block of d − λ: 1 MiB, which stays in the cache of a core.
BLOCK = 2**17

# Iterations for one root. Each at least halves its bracket, or converges quadratically: 80 halvings are more than the
# bits of a number.
MOST_ITERATIONS = 80

# Size of a matrix that counts as 0: the quotients of smaller numbers with squares of rounding errors would overflow.
TINY = 1e-75

# Distance, in units of ε‖A‖, up to which two poles are one.
ONE_POLE = 2.0

# Part of rounding that the next step may be long for an iterate to count as converged.
NEXT_STEP = 0.1


@dataclass(frozen=True, eq=False)
class RankOneUpdate:
    """diag(d) + s z zᵀ.

    Parameters
    ----------
    d : ndarray, shape (n,)
        The diagonal, in any order.
    square : ndarray, shape (n,)
        zᵢ² ≥ 0.
    sign : {1.0, -1.0}
        s.

    Examples
    --------
    >>> import numpy as np
    >>> A = RankOneUpdate(np.array([1.0, 2.0]), np.array([1.0, 1.0]), 1.0)
    >>> A.find_all().round(12)
    array([1.38196601, 3.61803399])
    >>> A.count_above(2.0), A.count_above(0.0)
    (1, 2)
    """

    d: Array
    square: Array
    sign: float

    @cached_property
    def _size(self) -> float:
        return max(float(np.abs(self.d).max(initial=0.0)), float(self.square.sum()), TINY)

    @cached_property
    def _parts(self) -> tuple[Array, Array, Array]:
        """The distinct poles with their squares, and the deflated eigenvalues, all of s·A and by rising value."""
        d = self.sign * self.d
        order = np.argsort(d)
        d, w = d[order], self.square[order]
        # Deflation: entries with |zᵢ|·‖z‖ ≤ ε‖A‖ and poles as close as that move no eigenvalue by more than rounding.
        moving = w > EPS**2 * self._size
        deflated, d, w = d[~moving], d[moving], w[moving]
        first = np.diff(d, prepend=-np.inf) > ONE_POLE * EPS * self._size
        if first.all():
            return d, w, deflated
        return d[first], np.add.reduceat(w, np.flatnonzero(first)), np.sort(np.concatenate([deflated, d[~first]]))

    def count_above(self, t: float) -> int:
        """The number of eigenvalues > t: exactly that of a matrix which differs from this one by rounding."""
        if self.sign < 0:
            return self._roots_up_to(np.nextafter(-t, -np.inf)) + int(np.searchsorted(self._parts[2], -t))
        up_to = self._roots_up_to(t) + int(np.searchsorted(self._parts[2], t, side="right"))
        return len(self.d) - up_to

    def _roots_up_to(self, t: float) -> int:
        d, w, _ = self._parts
        poles = int(np.searchsorted(d, t, side="right"))
        if poles == 0 or d[poles - 1] == t:
            return max(poles - 1, 0)
        return poles - int(1.0 + float(np.sum(w / (d - t))) < 0.0)

    def find_all(self) -> Array:
        """All eigenvalues, by rising value; O(n²)."""
        d, _, deflated = self._parts
        return self._in_order(np.concatenate([self._roots(np.arange(len(d))), deflated]))

    def find_near(self, targets: Sequence[float], each: int) -> Array:
        """The two extreme eigenvalues and up to ``each`` on either side of every target.

        By rising value; O(n) for each of them.
        """
        d, _, deflated = self._parts
        roots = _around([self._roots_up_to(self.sign * t) for t in targets], each, len(d))
        others = _around([int(np.searchsorted(deflated, self.sign * t)) for t in targets], each, len(deflated))
        return self._in_order(np.concatenate([self._roots(roots), deflated[others]]))

    def _in_order(self, values: Array) -> Array:
        return np.sort(self.sign * values)

    def _roots(self, which: Array) -> Array:
        """The roots with the given numbers, counted from 0, of s·A."""
        d, w, _ = self._parts
        rows = max(1, BLOCK // max(len(d), 1))
        found = [_solve(d, w, which[i : i + rows], EPS * self._size) for i in range(0, len(which), rows)]
        return np.concatenate([*found, np.empty(0)])


def _around(middles: Sequence[int], each: int, n: int) -> Array:
    """The numbers from 0 to n − 1 within ``each`` of the middles, and both ends."""
    wanted = {0, n - 1}.union(*(range(middle - each, middle + each) for middle in middles))
    return np.array(sorted(k for k in wanted if 0 <= k < n), dtype=int)


@dataclass(frozen=True, eq=False)
class _Brackets:
    """Brackets of roots: each between two poles, or beyond the last one, where ``right`` is a bound."""

    last: Array
    left: Array
    right: Array
    p: Array  # squares at the two poles
    q: Array
    low: Array
    high: Array
    at: Array

    def select(self, mask: Array) -> _Brackets:
        return _Brackets(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


def _solve(d: Array, w: Array, k: Array, rounding: float) -> Array:
    """Find the roots λₖ of the secular equation by rational interpolation, all at once, each in its bracket.

    Between two poles w is replaced by c + p/(d_k − λ) + q/(d_{k+1} − λ), which agrees with w and w' at the iterate, the
    nearer pole with its true weight (the fixed-weight method of Li, LAPACK Working Note 89, 1993); beyond the last pole
    by c + p/(d_m − λ) (Bunch, Nielsen & Sorensen, Numer. Math. 31 (1978) 31). Both converge quadratically; a step that
    leaves the bracket is replaced by the bracket's middle.
    """
    found, todo, m = np.empty(len(k)), np.arange(len(k)), len(d)
    after = np.minimum(k + 1, m - 1)
    right = np.where(k == m - 1, d[-1] + w.sum() + rounding, d[after])
    b = _Brackets(k == m - 1, d[k], right, w[k], w[after], d[k], right, 0.5 * (d[k] + right))
    for _ in range(MOST_ITERATIONS):
        gap = d - b.at[:, None]
        gap[gap == 0.0] = rounding**2  # where a bracket is as narrow as rounding
        part = w / gap
        value = 1.0 + part.sum(axis=1)
        part /= gap
        slope = part.sum(axis=1)
        below = value < 0.0
        low, high = np.where(below, b.at, b.low), np.where(below, b.high, b.at)
        step = _step(b, value, slope)
        new = b.at + step
        inside = (new > low) & (new < high)
        converged = np.abs(step) <= rounding
        new = np.where(inside | converged, new, 0.5 * (low + high))
        near = np.minimum(new - b.left, np.where(b.last, np.inf, b.right - new))
        # The next step would be about step²/near long.
        done = converged | (inside & (step**2 <= NEXT_STEP * rounding * near)) | (high - low <= rounding)
        found[todo] = new
        if done.all():
            break
        b = dataclasses.replace(b, low=low, high=high, at=new).select(~done)
        todo = todo[~done]
    return found


def _step(b: _Brackets, value: Array, slope: Array) -> Array:
    """The step from the iterate to the interpolant's root."""
    with np.errstate(all="ignore"):
        one, two = b.left - b.at, b.right - b.at
        beyond = np.where(b.last, one + slope * one**2 / (value - slope * one), 0.0)
        nearer = -one <= two
        c = value - np.where(
            nearer,
            two * slope + b.p / one**2 * (b.left - b.right),
            one * slope + b.q / two**2 * (b.right - b.left),
        )
        a, e = (one + two) * value - one * two * slope, one * two * value
        root = np.sqrt(np.maximum(a * a - 4.0 * e * c, 0.0))
        between = np.where(a <= 0.0, (a - root) / (2.0 * c), 2.0 * e / (a + root))
    return np.where(b.last, beyond, between)
