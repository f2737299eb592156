"""Trigonometric interpolation at an odd number m = 2M + 1 of equidistant nodes j/m of a circle of length 1.

Values x_j at the nodes stand for x(θ) = Σ c_k e^{2πikθ}, |k| ≤ M. What is done to such functions, shifts, derivatives,
values elsewhere, is exact, by fast Fourier transforms along the first axis.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "at_angles",
    "coefficients",
    "resampled",
    "shift_matrix",
    "shifted_values",
    "slopes",
    "smooth_weights",
    "tail",
]

Array = NDArray[np.float64]

ROUNDINGS = 2.0  # units in the last place of the values, up to which a mode is rounding
TAIL_PART = 0.25  # part of the modes, the highest, that is the tail of a spectrum


def _frequencies(values: NDArray[Any]) -> NDArray[Any]:
    return np.arange(len(values) // 2 + 1).reshape(-1, *(1 for _ in values.shape[1:]))


def coefficients(values: NDArray[Any]) -> NDArray[np.complex128]:
    """c_0, …, c_M of real values; c_{−k} is the conjugate of c_k.

    Examples
    --------
    >>> np.abs(coefficients(np.cos(2 * np.pi * np.arange(5) / 5))).round(12)
    array([0. , 0.5, 0. ])
    """
    return np.asarray(np.fft.rfft(values, axis=0) / len(values))


def shifted_values(values: Array, shift: float) -> Array:
    """x(θ + shift) at the nodes."""
    turned = np.fft.rfft(values, axis=0) * np.exp(2j * np.pi * shift * _frequencies(values))
    return np.asarray(np.fft.irfft(turned, n=len(values), axis=0))


def slopes(values: Array) -> Array:
    """dx/dθ at the nodes."""
    turned = np.fft.rfft(values, axis=0) * (2j * np.pi * _frequencies(values))
    return np.asarray(np.fft.irfft(turned, n=len(values), axis=0))


def shift_matrix(m: int, shift: float) -> Array:
    """The m × m matrix, a circulant one, that takes values at the nodes to those of x(θ + shift).

    Examples
    --------
    >>> x = np.cos(2 * np.pi * np.arange(5) / 5)
    >>> bool(np.abs(shift_matrix(5, 0.3) @ x - shifted_values(x, 0.3)).max() < 1e-14)
    True
    """
    unit = np.zeros(m)
    unit[0] = 1.0
    column = shifted_values(unit, shift)
    j = np.arange(m)
    return np.asarray(column[(j[:, None] - j[None, :]) % m])


def resampled(values: Array, m: int) -> Array:
    """The same function at another odd number of nodes: exact at more of them, without its highest modes at fewer.

    Examples
    --------
    >>> np.abs(resampled(resampled(np.arange(3.0), 7), 3)).round(12)
    array([0., 1., 2.])
    """
    known = np.fft.rfft(values, axis=0) * (m / len(values))
    padded = np.zeros((m // 2 + 1, *values.shape[1:]), dtype=complex)
    count = min(len(known), len(padded))
    padded[:count] = known[:count]
    return np.asarray(np.fft.irfft(padded, n=m, axis=0))


def at_angles(values: Array, angles: Array) -> Array:
    """x(θ) at any angles, in turns, shape (*angles', *values' without the first axis)."""
    c = coefficients(values)
    waves = np.exp(2j * np.pi * np.multiply.outer(angles, np.arange(len(c))))
    waves[..., 1:] *= 2.0
    return np.asarray(np.tensordot(waves, c, axes=1).real)


def tail(values: Array, unit: float = 0.0) -> float:
    """The size of the highest quarter of the modes beyond rounding, in units of the largest mode; 0 of a constant.

    Parameters
    ----------
    values : ndarray
    unit : float
        A size that is one of the function itself, beside its modes: of a curve that goes round, a whole turn.

    Examples
    --------
    >>> tail(np.cos(2 * np.pi * np.arange(9) / 9)), tail(np.array([1.0, 0.0, 0.0]))
    (0.0, 1.0)
    """
    sizes = np.abs(coefficients(values)).reshape(len(values) // 2 + 1, -1).max(axis=1)
    modes = sizes[1:]
    largest = max(unit, float(modes.max(initial=0.0)))
    if not largest > 0.0:
        return 0.0
    highest = float(modes[-max(1, round(TAIL_PART * len(modes))) :].max())
    rounding = ROUNDINGS * float(np.finfo(float).eps) * float(np.abs(values).max())
    return highest / largest if highest > rounding else 0.0


def smooth_weights(count: int) -> Array:
    """The weights exp(−1/(t(1 − t))) at t = 1/(count + 1), …, count/(count + 1), of sum 1.

    Averages of a smooth function along a quasi-periodic orbit converge under them faster than any power of 1/count (Das
    & Yorke, Nonlinearity 31 (2018) 491).

    Examples
    --------
    >>> smooth_weights(3).round(3)
    array([0.173, 0.655, 0.173])
    """
    t = np.arange(1.0, count + 1.0) / (count + 1.0)
    found = np.exp(-1.0 / (t * (1.0 - t)))
    return np.asarray(found / found.sum())
