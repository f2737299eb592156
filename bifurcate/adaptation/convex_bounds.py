"""Convex functions that distances from rest are made of, and outer bounds of their roots and of an eigenvalue."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

__all__ = [
    "ROUNDING",
    "exponential_remainder",
    "gain_bounds",
    "largest_eigenvalue_bound",
    "lopsidedness",
    "outer_root",
    "relative_entropy",
]

# Relative amount by which every bound is widened: rounding of some ten operations is 1e-15, and sums over n neurons
# leave √n times as much.
ROUNDING = 1e-11
NEWTON_STEPS = 60  # to a root from beyond it: convergence is quadratic, after a step for each unit of δ on the way
SETTLED = 1e-15  # relative change of a root that ends Newton's method: rounding
SMALL = 1e-4  # |x| below which eˣ − 1 − x is summed, its difference having lost half its digits
TINY = 1e-300  # absolute tolerance of a root, so that the relative one decides


def exponential_remainder(x: np.ndarray) -> np.ndarray:
    """eˣ − 1 − x, to a relative error of about 1e-12 and never below its value by more than that."""
    return _remainder(x, np.expm1(x))


def _remainder(x: np.ndarray, power: np.ndarray) -> np.ndarray:
    """The same, where eˣ − 1 is known."""
    is_small = np.abs(x) < SMALL
    if not is_small.any():
        return np.asarray(power - x)
    series = 0.5 * x * x * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0)))
    return np.asarray(np.where(is_small, series, power - x))


def relative_entropy(delta: np.ndarray | float) -> np.ndarray:
    """w ln w − w + 1 at w = e^−δ: e^−δ (e^δ − 1 − δ)."""
    x = np.asarray(delta, dtype=float)
    return np.asarray(np.exp(-x) * exponential_remainder(x))


def outer_root(a: np.ndarray, b: np.ndarray, level: float) -> np.ndarray:
    """An upper bound of the root t > 0 of a (e^t − 1 − t) + b (e^−t − 1 + t) = level.

    Newton's method on a convex function that rises, from beyond the root: every iterate is a bound.
    """
    by_square = np.sqrt(2.0 * level / np.where(a > 0.0, a, np.nan))
    by_power = np.log(2.0 * (1.0 + level / np.where(a > 0.0, a, np.nan)))  # e^t ≥ 2t
    by_line = 1.0 + level / np.where(b > 0.0, b, np.nan)
    t = np.fmin(np.fmin(by_square, by_power), by_line)
    # e^t − 1 − t ≥ t²/2 and e^−t − 1 + t ≥ (t²/2)/(1 + t/3), which falls short by less the smaller t is
    t = np.fmin(t, np.sqrt(2.0 * level / (a + b / (1.0 + t / 3.0))))
    has_power = a > 0.0
    is_plain = bool(has_power.all())
    for _ in range(NEWTON_STEPS):
        rising, falling = np.expm1(t), np.expm1(-t)
        left, slope = a * _remainder(t, rising), a * rising
        if not is_plain:  # 0·∞ far out
            left, slope = np.where(has_power, left, 0.0), np.where(has_power, slope, 0.0)
        left, slope = left + b * _remainder(-t, falling) - level, slope - b * falling
        move = np.where(left > 0.0, left / slope, 0.0)
        t = t - move
        if not (move > SETTLED * t).any():
            break
    return np.asarray(t * (1.0 + ROUNDING))


def gain_bounds(level: float) -> tuple[float, float]:
    """Outer bounds of the two Q with (Q² − 1)/2 − ln Q = level, by Newton's method from beyond them."""
    if not level < np.inf:
        return np.inf, 0.0
    ends = []
    for Q in (1.0 + np.sqrt(2.0 * level), max(np.exp(-level - 0.5), 1.0 - np.sqrt(level) * 10.0)):
        for _ in range(NEWTON_STEPS):
            left = 0.5 * (Q - 1.0) * (Q + 1.0) - np.log(Q) - level
            if not left > 0.0:
                break
            better = Q - left / (Q - 1.0 / Q)
            if abs(better - Q) <= SETTLED * Q:
                break
            Q = better
        ends.append(float(Q))
    return ends[0] * (1.0 + ROUNDING), ends[1] * (1.0 - ROUNDING)


def largest_eigenvalue_bound(diagonal: np.ndarray, v: np.ndarray) -> float:
    """An upper bound of the largest eigenvalue of diag(d) + v vᵀ, all entries > 0, exact to rounding.

    The root of the secular equation Σ v²/(λ − d) = 1 gives a positive vector x, and max (A x)/x bounds λ for any such x
    (Collatz, Math. Z. 48 (1942) 221).
    """
    if not (np.isfinite(diagonal).all() and np.isfinite(v).all()):
        return np.inf
    top, size = float(diagonal.max()), float(v @ v)
    if size == 0.0:
        return top

    def secular(shift: float) -> float:
        return float((v * v / (top - diagonal + shift)).sum()) - 1.0

    least = float((v * v)[diagonal == top].sum())  # of the entries at the top alone
    shift = least if not secular(least) > 0.0 else float(brentq(secular, least, size * (1.0 + ROUNDING), xtol=TINY))
    x = v / (top - diagonal + shift)
    return float(((diagonal * x + v * (v @ x)) / x).max())


def lopsidedness(width: float) -> float:
    """s at ρ = e^−width, a lower bound of D(z, z⁺)/D(z⁺, z)."""
    if not 0.0 < width < np.inf:
        return 1.0 if width <= 0.0 else 0.0
    above = float(relative_entropy(width)) if width < 1.0 else 1.0 - (1.0 + width) * float(np.exp(-width))
    return above / float(exponential_remainder(np.array(-width))) * (1.0 - ROUNDING)
