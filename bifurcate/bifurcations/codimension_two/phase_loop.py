"""Locked cycles over their phase: a loop in the parameters, whose extremes are the edges of a tongue.

Cycles with rotation number p/q are solved for with their phase φ given and a parameter free in its place. What is free
is then a function s(φ) of period 2π/q, however thin the tongue is: the equations are regular, and no fold is met. Its
largest and smallest values are the tongue's edges. s is known to rounding; a tongue whose width s_max − s_min is
less has no edges in doubles, and that is what is said.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["PHASES", "PhaseLoop"]

Array = NDArray[np.float64]

# Samples a loop: three harmonics, of which those of thin tongues fall by the tongue's width from each to the next.
PHASES = 8
FINE = 720  # angles at which extremes of the interpolant are looked for: half a degree changes an extreme value by 1e-5
EPS = float(np.finfo(float).eps)
SURE = 10.0  # errors that a width must exceed to be more than rounding


@dataclass(frozen=True, eq=False)
class PhaseLoop:
    """A function of the phase, sampled at equally spaced phases of one period.

    Attributes
    ----------
    values : ndarray, shape (N,)
        s at φ = 2πj/(qN).
    noise : float
        Size of the error of a value.
    """

    values: Array
    noise: float

    @property
    def coefficients(self) -> NDArray[np.complex128]:
        """Of the trigonometric interpolant Σ c_j e^{ijqφ}, j = 0, 1, …, without the ambiguous last one."""
        return np.asarray(np.fft.rfft(self.values)[: (len(self.values) + 1) // 2] / len(self.values))

    def extremes(self) -> tuple[float, float]:
        """The angles qφ of the smallest and the largest value."""
        angles = 2.0 * np.pi * np.arange(FINE) / FINE
        values = self.at(angles)
        return float(angles[int(np.argmin(values))]), float(angles[int(np.argmax(values))])

    def at(self, angles: Array) -> Array:
        """The interpolant at angles qφ."""
        c = self.coefficients
        waves = np.exp(1j * np.outer(np.atleast_1d(angles), np.arange(1, len(c))))
        return np.asarray(c[0].real + 2.0 * (waves @ c[1:]).real)

    @property
    def width(self) -> float:
        """The largest value less the smallest one."""
        low, high = self.at(np.array(self.extremes())).tolist()
        return float(high - low)

    @property
    def width_error(self) -> float:
        """What the width is wrong by: noise, and the last harmonics that the interpolant holds."""
        c = np.abs(self.coefficients)
        return 2.0 * self.noise + 2.0 * float(c[-1])

    @property
    def is_resolved(self) -> bool:
        """True if the width is more than rounding."""
        return self.width > SURE * self.noise
