"""The linear skew product along a closed invariant curve, and its normal multipliers.

On a curve f(x(θ)) = x(θ + ρ) a vector field v(θ) is taken to (T v)(θ + ρ) = f'(x(θ)) v(θ). T v = λ v has solutions of
which the multipliers of the reduced system are made: with λ and v, λ e^{−2πikρ} and e^{2πikθ} v are a solution, too
(Jorba, Nonlinearity 14 (2001) 943). One of each such class, that of the smoothest v, is a multiplier. That of x'(θ) is
1; the others are normal ones. In two dimensions it is exp ∫ ln |det f'(x(θ))| dθ, with the determinant's sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.threads import one_thread
from bifurcate.linalg.trigonometric import shift_matrix

__all__ = ["InvariantCurveJacobian"]

Array = NDArray[Any]

SAME_CLASS = 1e-5  # distance, in units of the modulus, up to which eigenvalues belong to one class
CLASS_REACH = 64  # k of λ e^{2πikρ} that are compared: a vector field of few modes has no larger ones
REAL = 1e-7  # imaginary part, in units of the modulus, of an eigenvalue that is real


@dataclass(frozen=True, eq=False)
class InvariantCurveJacobian:
    """f' along a closed invariant curve.

    Attributes
    ----------
    blocks : ndarray, shape (m, n, n)
        f' at equidistant angles.
    rotation_number : float
        ρ.

    Examples
    --------
    >>> turn = np.array([[0.0, -0.5], [0.5, 0.0]])
    >>> InvariantCurveJacobian(np.array([turn] * 5), 0.25).normal_multipliers.round(12).real
    array([0.25])
    """

    blocks: Array
    rotation_number: float

    @property
    def shape(self) -> tuple[int, int]:
        """(mn, mn)."""
        m, n = self.blocks.shape[:2]
        return m * n, m * n

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the blocks."""
        return self.blocks.dtype

    @property
    def T(self) -> Array:
        """The transpose, as a matrix."""
        return self.matrix.T

    def __matmul__(self, x: Array) -> Array:
        return np.asarray(self.matrix @ x)

    @cached_property
    def matrix(self) -> Array:
        """T on values at the nodes."""
        m, n = self.blocks.shape[:2]
        back = shift_matrix(m, -self.rotation_number)
        return np.asarray((back[:, None, :, None] * self.blocks.transpose(1, 0, 2)[None]).reshape(m * n, m * n))

    @cached_property
    def normal_multipliers(self) -> NDArray[np.complex128]:
        """The n − 1 normal multipliers, by falling modulus; NaN where f' is not finite."""
        n = self.blocks.shape[1]
        if n == 1:
            return np.zeros(0, dtype=complex)
        if not np.isfinite(self.blocks).all():
            return np.full(n - 1, np.nan, dtype=complex)
        if n == 2:
            a, b, c, d = self.blocks.reshape(-1, 4).T
            determinants = a * d - b * c
            with np.errstate(divide="ignore"):
                size = float(np.exp(np.log(np.abs(determinants)).mean()))
            return np.array([size if float(np.median(determinants)) >= 0.0 else -size], dtype=complex)
        return self._classes()

    def _classes(self) -> NDArray[np.complex128]:
        """One eigenvalue of every class but that of the tangent, whose own is nearest to 1."""
        m, n = self.blocks.shape[:2]
        with one_thread(m * n):
            values, vectors = np.linalg.eig(self.matrix)
        modes = np.fft.fft(vectors.reshape(m, n, -1), axis=0)
        weights = (np.abs(modes) ** 2).sum(axis=1)
        k = np.fft.fftfreq(m, 1.0 / m)
        roughness = (k[:, None] ** 2 * weights).sum(axis=0) / weights.sum(axis=0)
        turns = np.exp(2j * np.pi * self.rotation_number * np.arange(-CLASS_REACH, CLASS_REACH + 1))
        chosen = list[complex]()
        for i in np.argsort(roughness, kind="stable").tolist():
            value = complex(values[i])
            others = np.concatenate([each * turns for each in chosen]) if chosen else np.zeros(0)
            if len(others) and float(np.abs(others - value).min()) <= SAME_CLASS * max(abs(value), 1e-300):
                continue
            chosen.append(complex(value.real) if abs(value.imag) <= REAL * abs(value) else value)
            if len(chosen) == n:
                break
        distances = [float(np.abs(each * turns - 1.0).min()) for each in chosen]
        chosen.pop(int(np.argmin(distances)))
        return np.array(sorted(chosen, key=lambda each: (-abs(each), -each.imag)), dtype=complex)
