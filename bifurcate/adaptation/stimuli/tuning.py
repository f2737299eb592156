"""Tuning curves: how strongly a stimulus component of one orientation drives a neuron that prefers another."""

from __future__ import annotations

from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput

__all__ = ["raised_cosine"]

ROUNDED_ANGLE = 1e-12  # radians by which a half-width given in degrees may pass the limit π/4 by rounding
HALF_WIDTH = float(np.deg2rad(30.0))


def raised_cosine(orientation: Any, preferred: Any, floor: float = 0.1, half_width: float = HALF_WIDTH) -> np.ndarray:
    """c₀ + (1 − c₀) cos²(Δ)^p with Δ = orientation − preferred, orientations in radians and of period π.

    The exponent p = ln ½ / ln cos²(half_width) makes the part above the floor one half at |Δ| = half_width. The curve
    is 1 at Δ = 0 and c₀ at Δ = π/2, where it has ⌈2p⌉ − 1 ≥ 1 continuous derivatives (4 at a half width of 30°, all
    of them where p is a whole number); everywhere else it is analytic.

    Parameters
    ----------
    orientation : array_like, shape (k,)
        Of the stimulus components, in radians.
    preferred : array_like, shape (n,)
        The neurons' preferred orientations, in radians.
    floor : float
        c₀, in [0, 1].
    half_width : float
        In (0, π/4] radians: wider and the curve would have a kink, or nearly one, at Δ = π/2.

    Returns
    -------
    ndarray, shape (k, n)

    Examples
    --------
    >>> import numpy as np
    >>> raised_cosine([0.0], np.deg2rad([0.0, 30.0, 90.0, 180.0]), floor=0.2).round(12)
    array([[1. , 0.6, 0.2, 1. ]])
    """
    if not 0.0 <= floor <= 1.0:
        raise InvalidInput(f"floor is {floor!r}; it must lie in [0, 1]")
    if not 0.0 < half_width <= np.pi / 4 + ROUNDED_ANGLE:
        raise InvalidInput(f"half_width is {half_width!r}; it must lie in (0, pi/4] radians")
    angles = np.atleast_1d(orientation)
    if angles.dtype != object:  # numbers of another kind are left what they are
        angles = angles.astype(float)
    difference = np.subtract.outer(angles, np.asarray(preferred, dtype=float))
    exponent = np.log(0.5) / (2.0 * np.log(np.cos(half_width)))
    return np.asarray(floor + (1.0 - floor) * (np.cos(difference) ** 2) ** exponent)
