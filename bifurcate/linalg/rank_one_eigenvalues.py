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

import numpy as np

__all__ = ["RankOneUpdate"]

BLOCK = 2**17  # numbers in one block of d − λ, which then stays in cache
MOST = 80  # iterations for one root: each at least halves its bracket or converges quadratically
EPS = float(np.finfo(float).eps)
TINY = 1e-75  # numbers below it count as 0: their quotients with squares of rounding errors would overflow


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
    >>> A.every().round(12)
    array([1.38196601, 3.61803399])
    >>> A.above(2.0), A.above(0.0)
    (1, 2)
    """

    d: np.ndarray
    square: np.ndarray
    sign: float

    @cached_property
    def _size(self) -> float:
        return max(float(np.abs(self.d).max(initial=0.0)), float(self.square.sum()), TINY)

    @cached_property
    def _parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Poles (rising, apart) with their squares, and the deflated eigenvalues (rising), all of s·A."""
        d = self.sign * self.d
        order = np.argsort(d)
        d, w = d[order], self.square[order]
        # What moves no eigenvalue by more than rounding is left out: |zᵢ|·‖z‖ ≤ ε‖A‖, and poles as close as that.
        kept = w > EPS**2 * self._size
        loose, d, w = d[~kept], d[kept], w[kept]
        first = np.diff(d, prepend=-np.inf) > 2.0 * EPS * self._size
        if first.all():
            return d, w, loose
        return d[first], np.add.reduceat(w, np.flatnonzero(first)), np.sort(np.concatenate([loose, d[~first]]))

    def above(self, t: float) -> int:
        """How many eigenvalues are > t: exactly as many as of a matrix that rounding does not tell from this one."""
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

    def every(self) -> np.ndarray:
        """All eigenvalues, rising; O(n²)."""
        d, _, loose = self._parts
        return self._own(np.concatenate([self._roots(np.arange(len(d))), loose]))

    def selected(self, targets: Sequence[float], each: int) -> np.ndarray:
        """The least and the largest eigenvalue and up to ``each`` on either side of every target, rising; O(n) each."""
        d, _, loose = self._parts
        roots = _around([self._roots_up_to(self.sign * t) for t in targets], each, len(d))
        others = _around([int(np.searchsorted(loose, self.sign * t)) for t in targets], each, len(loose))
        return self._own(np.concatenate([self._roots(roots), loose[others]]))

    def _own(self, values: np.ndarray) -> np.ndarray:
        return np.sort(self.sign * values)

    def _roots(self, which: np.ndarray) -> np.ndarray:
        """The roots of the numbers given, from 0, of s·A."""
        d, w, _ = self._parts
        rows = max(1, BLOCK // max(len(d), 1))
        found = [_solve(d, w, which[i : i + rows], EPS * self._size) for i in range(0, len(which), rows)]
        return np.concatenate([*found, np.empty(0)])


def _around(middles: Sequence[int], each: int, n: int) -> np.ndarray:
    """The numbers from 0 to n − 1 next to the middles, and both ends."""
    wanted = {0, n - 1}.union(*(range(middle - each, middle + each) for middle in middles))
    return np.array(sorted(k for k in wanted if 0 <= k < n), dtype=int)


@dataclass(frozen=True, eq=False)
class _Brackets:
    """Roots in search of their place: each between two poles, or beyond the last one (there ``right`` is a bound)."""

    last: np.ndarray
    left: np.ndarray
    right: np.ndarray
    p: np.ndarray  # squares at the two poles
    q: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at: np.ndarray

    def kept(self, mask: np.ndarray) -> _Brackets:
        return _Brackets(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))


def _solve(d: np.ndarray, w: np.ndarray, k: np.ndarray, rounding: float) -> np.ndarray:
    """Roots λₖ of the secular equation by rational interpolation, all of them at once, each in its bracket.

    Between two poles w is replaced by c + p/(d_k − λ) + q/(d_{k+1} − λ), which agrees with w and w' at the iterate, the
    nearer pole with its true weight (the fixed-weight method of Li, LAPACK Working Note 89, 1993); beyond the last pole
    by c + p/(d_m − λ) (Bunch, Nielsen & Sorensen, Numer. Math. 31 (1978) 31). Both converge quadratically; a step that
    leaves the bracket is replaced by the bracket's middle.
    """
    found, todo, m = np.empty(len(k)), np.arange(len(k)), len(d)
    after = np.minimum(k + 1, m - 1)
    right = np.where(k == m - 1, d[-1] + w.sum() + rounding, d[after])
    b = _Brackets(k == m - 1, d[k], right, w[k], w[after], d[k], right, 0.5 * (d[k] + right))
    for _ in range(MOST):
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
        settled = np.abs(step) <= rounding
        new = np.where(inside | settled, new, 0.5 * (low + high))
        near = np.minimum(new - b.left, np.where(b.last, np.inf, b.right - new))
        # The next step would be about step²/near long.
        done = settled | (inside & (step**2 <= 0.1 * rounding * near)) | (high - low <= rounding)
        found[todo] = new
        if done.all():
            break
        b = dataclasses.replace(b, low=low, high=high, at=new).kept(~done)
        todo = todo[~done]
    return found


def _step(b: _Brackets, value: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """From the iterate to the interpolant's root."""
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
