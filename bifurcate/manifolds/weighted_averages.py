"""Averages along orbits under a smooth weight, and the lift of what goes round a circle.

The mean of a smooth function along a quasi-periodic orbit converges like 1/n. Under the weight
w(t) = exp(−1/(t(1 − t))) it converges faster than any power of 1/n where the rotation number is Diophantine (Das,
Saiki, Sander & Yorke, Nonlinearity 30 (2017) 4111; Das & Yorke, Nonlinearity 31 (2018) 491).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.trigonometric import smooth_weights

__all__ = ["convergents", "inner_point", "lifted", "weighted_average", "winding"]

Array = NDArray[np.float64]

LEAST_GAP = 0.01  # part of a turn that increments must leave out: a continuous lift of them is unique then
PADDED = 8  # times as many frequencies as states among which the largest mode is looked for
SMALLEST_REMAINDER = 1e-14  # of a continued fraction: below, the next partial quotient is rounding


def weighted_average(values: NDArray[Any]) -> Any:
    """The average of the first axis of an array under smooth weights."""
    return smooth_weights(len(values)) @ values


def lifted(turns: Array) -> Array | None:
    """Increments, known up to whole turns, as a continuous function on a circle has them; None if that is not unique.

    The values that occur leave out an interval, which is where they are cut. Their mean is between −½ and ½.

    Examples
    --------
    >>> lifted(np.array([0.9, 0.1, 0.95]))
    array([-0.1 ,  0.1 , -0.05])
    """
    reduced = turns - np.floor(turns)
    ordered = np.sort(reduced)
    gaps = np.diff(np.append(ordered, ordered[0] + 1.0))
    widest = int(np.argmax(gaps))
    if gaps[widest] < LEAST_GAP:
        return None
    cut = ordered[widest] + 0.5 * gaps[widest]
    found = np.where(reduced > cut, reduced - 1.0, reduced)
    return np.asarray(found - np.round(float(np.mean(found))))


def winding(angles: Array, order: Array) -> float:
    """How often a closed polygon goes round its centre: from angles in turns, and where its corners lie on a circle."""
    ordered = angles[np.argsort(order - np.floor(order), kind="stable")]
    steps = np.diff(np.append(ordered, ordered[0]))
    return float(np.sum(steps - np.round(steps)))


def inner_point(states: Array) -> Array | None:
    """A point inside the closed curve in the plane that a quasi-periodic orbit fills; None if none is found.

    The frequency of the largest mode orders the states along the curve, unless another mode than the first is the
    largest; between the first two points at which a horizontal line meets the polygon, the curve is on both sides.

    Parameters
    ----------
    states : ndarray, shape (m, 2)
        Successive ones.
    """
    w, m = smooth_weights(len(states)), len(states)
    z = states @ np.array([1.0, 1j])
    sizes = np.abs(np.fft.fft(w * (z - w @ z), n=PADDED * m))
    k = int(np.argmax(sizes))
    left, here, right = (np.log(max(float(sizes[(k + i) % len(sizes)]), 1e-300)) for i in (-1, 0, 1))
    bend = left - 2.0 * here + right
    frequency = (k + (0.5 * (left - right) / bend if bend < 0.0 else 0.0)) / len(sizes)
    order = frequency * np.arange(m)
    x, y = states[np.argsort(order - np.floor(order), kind="stable")].T
    level = float(np.median(y))
    after, above = np.roll(np.arange(m), -1), y > level
    i = np.flatnonzero(above != above[after])
    if len(i) < 2:
        return None
    places = np.sort(x[i] + (level - y[i]) / (y[after[i]] - y[i]) * (x[after[i]] - x[i]))
    widths = places[1::2] - places[: len(places) // 2 * 2 : 2]
    widest = int(np.argmax(widths))
    return np.array([places[2 * widest] + 0.5 * widths[widest], level])


def convergents(value: float, largest: int) -> list[Fraction]:
    """The convergents p/q of a number's continued fraction with q ≤ largest.

    Examples
    --------
    >>> [str(each) for each in convergents(0.3819660112501051, 20)]
    ['0', '1/2', '1/3', '2/5', '3/8', '5/13']
    """
    found, (p, q), (before_p, before_q), left = list[Fraction](), (1, 0), (0, 1), value
    while True:
        whole = int(np.floor(left))
        (p, q), (before_p, before_q) = (whole * p + before_p, whole * q + before_q), (p, q)
        if q > largest:
            return found
        found.append(Fraction(p, q))
        if left - whole < SMALLEST_REMAINDER * q * q:
            return found
        left = 1.0 / (left - whole)
