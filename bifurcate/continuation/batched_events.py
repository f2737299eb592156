"""Special points of many curves of cycles at once: noticed by counting multipliers, located by secants in one batch.

Between two points of a row three numbers are compared: of real multipliers above 1, of real ones below −1, and of all
outside the unit circle. A pair that meets on the real axis changes the first two by two and not the last, so that

    an odd change above 1                  a fold if the tangent's parameter part changes sign, else a branch point
    an odd change below −1                 a flip
    two more or two less outside, beside   a Neimark–Sacker point
    the tangent's part alone               a branch point: the branch turns round, as the outer one of a pitchfork does

Anything else has more than one cause; the step is repeated with a quarter of its length.

Each point is the zero of a function along the chord of its step: of the tangent's part (fold, and the last one), of
μ + 1, of |μ|² − 1, of μ − 1. Branch points, at which Newton's method is singular, are zeros of a cubic through four
points beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.continuation.batched_curve import Corrected, RowCurves

__all__ = ["KINDS", "Changes", "Located", "changes_between", "locate_rows"]

Array = NDArray[np.float64]
Numbers = NDArray[np.int_]

KINDS = ("fold", "flip", "neimark-sacker", "branch point")
FOLD, FLIP, NEIMARK_SACKER, BRANCH_POINT, TURN = range(5)  # a TURN is a branch point as well
BLURRED = (BRANCH_POINT, TURN)  # where the corrector is singular at the point itself

# Imaginary part, as a part of the modulus, up to which a multiplier counts as real: double ones, as symmetric maps have
# them, come out as pairs with the root of rounding.
REAL = 1e-7
# Distance from the unit circle within which a multiplier counts as on it, and not outside: those of an area-preserving
# map stay on it, but for rounding and, at ±1, its root.
CIRCLE = 1e-7
# Evaluations at the most, and how many of them by secants: eight suffice for a smooth function, the rest halve the
# bracket where it is not, as where two multipliers of an area-preserving map meet.
MOST_SECANTS, SECANTS = 60, 12
# Length of the bracket, as a part of the step, at which a zero is known to rounding.
SHARPEST = 2e-15
# Distances from a branch point, as parts of the step, of the points through which the cubic goes: nearer ones lose to
# the singular matrix what they gain, eps/distance against distance⁴.
BESIDE = np.array([-2.0, -1.0, 1.0, 2.0])
NEAR_BRANCH_POINT = 2e-3
# Distances of two such sets of points, in units of the one above: what their cubics differ by is the error.
NEARER, FARTHER = 8.0, 16.0
# Part of a multiplier's error below which a test function is zero: the next secant would be rounding alone.
ZERO_ENOUGH = 0.02
# Errors of multipliers and of corrected points, in units of rounding times the norm of the Jacobian.
ROUNDING_ERRORS = 50.0 * np.finfo(float).eps


@dataclass(eq=False)
class Changes:
    """What happened to multipliers in one step of several rows.

    Attributes
    ----------
    rows : ndarray of int, shape (e,)
        Numbers of the rows in which one special point was noticed.
    kinds : ndarray of int, shape (e,)
    before, after : Corrected
        The ends of their steps.
    lengths : ndarray, shape (e,)
        Arclength at the end.
    multiplicities : ndarray of int, shape (e,)
        How many multipliers cross at once.
    ranks : ndarray of int, shape (e,)
        The place of the one that crosses, from 0, among real ones from below (flip) or above (branch point), or among
        pairs by falling modulus: others that come near the circle are not taken for it.
    unclear : ndarray of bool
        Rows of the step whose changes no single point explains.
    doubted : ndarray of int
        Numbers of the rows among them whose step was taken all the same, since it was too short to be repeated.
    """

    rows: Numbers
    kinds: Numbers
    before: Corrected
    after: Corrected
    lengths: Array
    multiplicities: Numbers
    ranks: Numbers
    unclear: NDArray[np.bool_]
    doubted: Numbers
    _all: Numbers

    @staticmethod
    def join(parts: Sequence[Changes], n: int) -> Changes:
        """Those of all steps."""

        def joined(name: str, kind: Any) -> Any:
            return np.concatenate([np.zeros(0, dtype=kind), *(getattr(each, name) for each in parts)])

        return Changes(
            joined("rows", int), joined("kinds", int), Corrected.join([each.before for each in parts], n),
            Corrected.join([each.after for each in parts], n), joined("lengths", float),
            joined("multiplicities", int), joined("ranks", int), np.zeros(0, dtype=bool), joined("doubted", int),
            np.zeros(0, dtype=int),
        )  # fmt: skip

    def choose(self, taken: NDArray[np.bool_], s: Array) -> Changes:
        """Those of the steps that were taken, with arclengths."""
        at = np.flatnonzero(taken & (self.kinds >= 0))
        return Changes(
            self.rows[at], self.kinds[at], self.before[at], self.after[at], s[at],
            self.multiplicities[at], self.ranks[at], self.unclear,
            self._all[taken & self.unclear & (self.kinds < 0)], self._all,
        )  # fmt: skip


def _is_real(mu: NDArray[np.complex128]) -> NDArray[np.bool_]:
    return np.asarray(np.abs(mu.imag) <= REAL * np.abs(mu))


def _counts(mu: NDArray[np.complex128]) -> tuple[Numbers, Numbers, Numbers]:
    real = _is_real(mu)
    outside = np.abs(mu) > 1.0 + CIRCLE
    return (
        (real & (mu.real > 1.0)).sum(axis=1),
        (real & (mu.real < -1.0)).sum(axis=1),
        outside.sum(axis=1),
    )


def changes_between(before: Corrected, after: Corrected, rows: Numbers) -> Changes:
    """What the multipliers at the ends of steps say of special points between them."""
    with np.errstate(invalid="ignore"):
        (a, b, c), (d, e, f) = _counts(before.multipliers), _counts(after.multipliers)
        turns = before.tangent[:, -1] * after.tangent[:, -1] < 0.0
    above, below, outside = d - a, e - b, f - c
    odd_above, odd_below = above % 2 != 0, below % 2 != 0
    pairs = outside - np.where(odd_above, np.sign(above), 0) - np.where(odd_below, np.sign(below), 0)
    has_pair = pairs != 0
    # Two at once, of a symmetric map: taken as such where the step is too short to part them.
    two_below = (np.abs(below) == 2) & (outside == below) & ~odd_above & ~turns
    two_above = (np.abs(above) == 2) & (outside == above) & ~odd_below & ~turns
    kinds = np.select(
        [odd_above & turns, odd_above, turns, odd_below, has_pair],
        [FOLD, BRANCH_POINT, TURN, FLIP, NEIMARK_SACKER],
        -1,
    )
    causes = (odd_above | turns).astype(int) + odd_below + has_pair
    unclear = (causes > 1) | (np.abs(pairs) > 2)
    kinds = np.where(unclear, -1, kinds)
    kinds = np.where(two_below, FLIP, np.where(two_above, BRANCH_POINT, kinds))
    unclear |= two_below | two_above
    pairs_outside = [
        ((mu.imag > 0) & ~_is_real(mu) & (np.abs(mu) > 1.0 + CIRCLE)).sum(axis=1)
        for mu in (before.multipliers, after.multipliers)
    ]
    ranks = np.select(
        [kinds == FLIP, kinds == BRANCH_POINT, kinds == NEIMARK_SACKER],
        [np.maximum(b, e) - 1, np.maximum(a, d) - 1, np.maximum(*pairs_outside) - 1],
        0,
    )
    many = np.where(two_below | two_above, 2, 1)
    nothing = np.zeros(0, dtype=int)
    return Changes(rows, kinds, before, after, np.zeros(len(rows)), many, ranks, unclear, nothing, rows)


@dataclass(frozen=True, eq=False)
class Located:
    """Special points of rows.

    Attributes
    ----------
    points : Corrected
    errors : ndarray, shape (e,)
        Of the parameter; half of the step where ``found`` is False.
    share : ndarray, shape (e,)
        Where in its step each one lies, from 0 to 1.
    found : ndarray of bool, shape (e,)
        False where the function has no zero of that kind in the step: what changed the multipliers stays unexplained.
    """

    points: Corrected
    errors: Array
    share: Array
    found: NDArray[np.bool_]


def _test_values(kinds: Numbers, ranks: Numbers, points: Corrected) -> Array:
    """The functions whose zeros special points are, by kind; NaN where there is no such multiplier."""
    mu = points.multipliers
    out = points.tangent[:, -1].copy()
    real = _is_real(mu) | (np.abs(np.abs(mu) - 1.0) <= CIRCLE)  # on the circle, until two meet at ±1 and part
    for kind, target, sign in ((FLIP, -1.0, 1.0), (BRANCH_POINT, 1.0, -1.0)):
        at = np.flatnonzero(kinds == kind)
        if len(at):
            out[at] = sign * _at_rank(np.where(real[at], sign * mu[at].real, np.nan), ranks[at]) - target
    at = np.flatnonzero(kinds == NEIMARK_SACKER)
    if len(at):
        pair = (mu[at].imag > 0.0) & ~_is_real(mu[at])
        out[at] = 1.0 + _at_rank(np.where(pair, -(np.abs(mu[at]) ** 2), np.nan), ranks[at])
    return out


def _at_rank(values: Array, ranks: Numbers) -> Array:
    """Of every row the number at a place in growing order, NaN last."""
    return np.asarray(np.sort(values, axis=1)[np.arange(len(values)), ranks])


@np.errstate(all="ignore")
def locate_rows(curves: RowCurves, changes: Changes) -> Located:
    """The zeros in the steps in which special points were noticed, by regula falsi (Illinois) in one batch.

    Parameters
    ----------
    curves : RowCurves
        Of the rows of ``changes``.
    changes : Changes
    """
    a, b, kinds, ranks = changes.before, changes.after, changes.kinds, changes.ranks
    if not len(kinds):
        return Located(a, np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool))
    chord = b.u - a.u
    row = curves.dual(chord)

    def at(share: Array, which: Any = slice(None)) -> Corrected:
        # The cubic along the chord from both tangents: an error of fourth order.
        length = np.sqrt(np.einsum("ij,ij->i", row, chord))[which][:, None]
        t = share[:, None]
        d0, d1 = length * a.tangent[which], length * b.tangent[which]
        u0, u1 = a.u[which], b.u[which]
        guess = (
            (1 + 2 * t) * (1 - t) ** 2 * u0 + t * (1 - t) ** 2 * d0 + t * t * (3 - 2 * t) * u1 + t * t * (t - 1) * d1
        )
        return curves[which].correct(guess, row[which], SHARPEST)

    best, share, slope, failed = _zeros(at, kinds, ranks)
    blurred = np.isin(kinds, BLURRED)
    good = ~failed
    noise = ROUNDING_ERRORS * _sizes(best)
    spread = np.minimum(1.0, noise / np.maximum(slope, 1e-300) + SHARPEST)
    errors = np.abs(chord[:, -1]) * spread
    errors = np.where(kinds == FOLD, 0.0, errors) + noise * np.maximum(1.0, np.abs(best.u[:, -1]))
    beside = np.flatnonzero(good & blurred)
    if len(beside):
        u, sure, wrong = _beside_branch_points(at, kinds, ranks, share, beside)
        best.u[beside], errors[beside] = u, np.maximum(errors[beside], wrong)
        good[beside] = sure
    errors = np.where(good, errors, 0.5 * np.abs(chord[:, -1]))
    return Located(best, errors, share, good)


def _zeros(at: Any, kinds: Numbers, ranks: Numbers) -> tuple[Corrected, Array, Array, NDArray[np.bool_]]:
    """Regula falsi on every row: the points nearest to zeros, where in the step, mean slopes, and which rows failed."""
    m = len(kinds)
    low, high = np.zeros(m), np.ones(m)
    g_low, g_high = _test_values(kinds, ranks, at(low)), _test_values(kinds, ranks, at(high))
    f_low, f_high = g_low.copy(), g_high.copy()  # what Illinois halves
    best, side = at(np.full(m, 0.5)), np.zeros(m, dtype=int)
    share, slope = np.full(m, 0.5), np.abs(g_high - g_low)
    failed = ~(g_low * g_high < 0)
    sharpest = np.where(np.isin(kinds, BLURRED), NEAR_BRANCH_POINT, SHARPEST)
    left = np.flatnonzero(~failed)
    for done in range(MOST_SECANTS):
        if not len(left):
            break
        x = high[left] - f_high[left] * (high[left] - low[left]) / (f_high[left] - f_low[left])
        usable = np.isfinite(x) & (x >= low[left]) & (x <= high[left]) & (done < SECANTS)
        x = np.where(usable, x, 0.5 * (low[left] + high[left]))
        new = at(x, left)
        g = _test_values(kinds[left], ranks[left], new)
        lost = ~new.good | ~np.isfinite(g)
        failed[left[lost]] = True
        moved = np.abs(x - share[left])
        best.put(left[~lost], new[~lost])
        share[left[~lost]] = x[~lost]
        up = g * g_high[left] > 0
        for where, end, values, halved, sign in ((up, high, f_high, f_low, 1), (~up, low, f_low, f_high, -1)):
            rows = left[where]
            end[rows], values[rows] = x[where], g[where]
            halved[rows] *= np.where(side[rows] == sign, 0.5, 1.0)
            side[rows] = sign
        noise = ROUNDING_ERRORS * _sizes(new)
        settled = (
            (high[left] - low[left] <= sharpest[left])
            | ((moved <= sharpest[left]) & (done < SECANTS))
            | (np.abs(g) <= ZERO_ENOUGH * noise)
        )
        left = left[~(settled | lost)]
    return best, share, slope, failed


def _sizes(points: Corrected) -> Array:
    """The norms of Jacobians, at least 1."""
    norm = np.sqrt(np.einsum("mij,mij->m", points.jacobian, points.jacobian))
    return np.asarray(np.maximum(1.0, np.where(np.isfinite(norm), norm, 1.0)))


def _beside_branch_points(
    at: Any, kinds: Numbers, ranks: Numbers, share: Array, which: Numbers
) -> tuple[Array, Any, Array]:
    """Branch points from cubics through points beside them, which are sure, and what two cubics differ by."""
    found = []
    for distance in (NEARER * NEAR_BRANCH_POINT, FARTHER * NEAR_BRANCH_POINT):
        t = distance * BESIDE
        points = [at(share[which] + each, which) for each in t]
        g = np.array([_test_values(kinds[which], ranks[which], each) for each in points])
        u = np.array([each.u for each in points])
        powers = np.linalg.inv(np.vander(t, increasing=True))
        c = powers @ g  # coefficients of the cubic in t
        z = np.zeros(g.shape[1])
        for _ in range(8):  # Newton's method from the middle
            value = c[0] + z * (c[1] + z * (c[2] + z * c[3]))
            z = z - value / (c[1] + z * (2 * c[2] + 3 * z * c[3]))
        d = np.einsum("ij,jmk->imk", powers, u)
        zc = z[:, None]
        place = d[0] + zc * (d[1] + zc * (d[2] + zc * d[3]))
        sure = np.isfinite(place).all(axis=1) & (np.abs(z) <= distance)
        found.append((place, sure))
    (near, sure), (far, also) = found
    wrong = np.abs(near[:, -1] - far[:, -1]) / 8.0  # of fourth order: the nearer one errs by a sixteenth
    return near, sure & also, wrong
