"""Sizes of short vectors, by Python: for a few numbers one call of NumPy takes longer than the work itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["FEW", "all_finite", "largest"]

# Numbers up to which Python's loops take less time than one of NumPy's reductions, about two microseconds.
FEW = 16


def largest(x: NDArray[Any]) -> float:
    """‖x‖_∞ of a real array that is not empty, without a copy of a long one; NaN where a number is NaN.

    Examples
    --------
    >>> largest(np.array([1.0, -3.0, 2.0])), largest(np.array([1.0, np.nan]))
    (3.0, nan)
    """
    if x.size > FEW:
        return float(max(x.max(), -x.min()))
    values = x.ravel().tolist()
    total = sum(values)
    return max(map(abs, values)) if total == total else math.nan  # NaN differs from itself


def all_finite(x: NDArray[Any]) -> bool:
    """True if every number of a real array is finite.

    Examples
    --------
    >>> all_finite(np.array([1.0, 2.0])), all_finite(np.array([[1.0], [np.inf]]))
    (True, False)
    """
    return all(map(math.isfinite, x.ravel().tolist())) if x.size <= FEW else bool(np.isfinite(x).all())
