"""The zero of a test function that is known up to noise only, from a robust line through samples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["zero_of_noisy"]

SAMPLES = 15  # evenly spaced values through which the line is laid: half of them may be wrong
LARGEST = 2.0  # times the larger end value, which a sample exceeds at a pole
SCATTER = 0.1  # part of the change over the step up to which the median distance from the line is noise, not a jump
NARROWER = 0.1  # on either side of the first zero, the part of the step through which a second line is laid
DEVIATIONS = 4.0  # median distances from the line that the zero is known to


def zero_of_noisy(value: Callable[[float], float], ends: tuple[float, float]) -> tuple[float, float] | None:
    """Where a function on [0, 1] with values of two signs at the ends vanishes, and how well that is known.

    The line has the median of all slopes between two samples, and the median of all heights (Sen, J. Am. Stat.
    Assoc. 63 (1968) 1379).

    Returns
    -------
    (float, float) or None
        None at a pole, at a jump, or where the line has no zero inside: the sign changes, but there is no zero.

    Examples
    --------
    >>> found, error = zero_of_noisy(lambda t: t - 0.3 + 0.02 * np.sin(1e3 * t), (-0.3, 0.7))
    >>> abs(found - 0.3) < error < 0.2
    True
    >>> zero_of_noisy(lambda t: 1 / (t - 0.31), (-3.2, 1.4)), zero_of_noisy(lambda t: -1.0 if t < 0.3 else 2.0, (-1, 2))
    (None, None)
    """
    found = _zero_of_line(value, 0.0, 1.0, ends)
    if found is None:
        return None
    low, high = max(found[0] - NARROWER, 0.0), min(found[0] + NARROWER, 1.0)
    near = value(low), value(high)  # where a curved function is nearer to its line, if noise allows
    better = _zero_of_line(value, low, high, near) if near[0] * near[1] < 0.0 else None
    return found if better is None else better


def _zero_of_line(
    value: Callable[[float], float], low: float, high: float, ends: tuple[float, float]
) -> tuple[float, float] | None:
    t = np.linspace(low, high, SAMPLES)
    v = np.array([ends[0], *(value(float(each)) for each in t[1:-1]), ends[1]])
    if not np.isfinite(v).all() or np.abs(v).max() > LARGEST * max(abs(ends[0]), abs(ends[1])):
        return None
    i, j = np.triu_indices(SAMPLES, 1)
    slope = float(np.median((v[j] - v[i]) / (t[j] - t[i])))
    height = float(np.median(v - slope * t))
    scatter = float(np.median(np.abs(v - slope * t - height)))
    change = ends[1] - ends[0]
    if slope * change <= 0.0 or scatter > SCATTER * abs(change) or not low < -height / slope < high:
        return None
    return -height / slope, DEVIATIONS * scatter / abs(slope)
