"""The linear skew product along a closed invariant curve, and its normal multipliers.

On a curve f(x(θ)) = x(θ + ρ) a vector field v(θ) is taken to (T v)(θ + ρ) = f'(x(θ)) v(θ). T v = λ v has solutions of
which the multipliers of the reduced system are made: with λ and v, λ e^{−2πikρ} and e^{2πikθ} v are a solution, too
(Jorba, Nonlinearity 14 (2001) 943). One of each such class, that of the smoothest v, is a multiplier. That of x'(θ) is
1; the others are normal ones. In two dimensions it is exp ∫ ln |det f'(x(θ))| dθ, with the determinant's sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.matrix_with_own_multipliers import MatrixWithOwnMultipliers
from bifurcate.linalg.threads import one_thread
from bifurcate.linalg.trigonometric import at_angles, resampled, shift_matrix, smooth_weights

__all__ = ["InvariantCurveJacobian"]

Array = NDArray[Any]

SAME_CLASS = 1e-3  # distance, in units of the modulus, up to which eigenvalues belong to one class
# Part by which the product of multipliers may differ from that of the determinants: eigenvalues of a field that is not
# resolved are wrong by far more.
AGREEMENT = 1e-5
CANDIDATES, MOST_CLASSES = 12, 8  # times n eigenvalues of smooth vector fields that are looked at; classes of these
# size limit: numbers in the values of a vector field, beyond which only its lower modes are decomposed
LARGEST_DECOMPOSED = 450
ORBIT, SETTLING = 2048, 200  # steps over which growth is averaged, and in which frames align before
CLASS_REACH = 64  # k of λ e^{2πikρ} that are compared: a vector field of few modes has no larger ones
REAL = 1e-7  # imaginary part, in units of the modulus, of an eigenvalue that is real


@dataclass(frozen=True, eq=False)
class InvariantCurveJacobian(MatrixWithOwnMultipliers):
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

    @cached_property
    def matrix(self) -> Array:
        """T on values at the nodes."""
        m, n = self.blocks.shape[:2]
        back = shift_matrix(m, -self.rotation_number)
        return np.asarray((back[:, None, :, None] * self.blocks.transpose(1, 0, 2)[None]).reshape(m * n, m * n))

    @cached_property
    def normal_multipliers(self) -> NDArray[np.complex128]:
        """The n − 1 normal multipliers, by falling modulus; NaN where f' is not finite.

        Where no vector fields are smooth enough, as near the curve's break-up, their moduli.
        """
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
        found = self._classes()
        return self._moduli().astype(complex) if found is None else found

    def _classes(self) -> NDArray[np.complex128] | None:
        """One eigenvalue of every class but that of the tangent, whose own is nearest to 1.

        None if no n classes of smooth vector fields have the product that the determinants ask for.
        """
        m, n = self.blocks.shape[:2]
        few = min(m, 2 * (LARGEST_DECOMPOSED // (2 * n)) + 1)
        reduced = self if few == m else InvariantCurveJacobian(resampled(self.blocks, few), self.rotation_number)
        with one_thread(few * n):
            values, vectors = np.linalg.eig(reduced.matrix)
        modes = np.fft.fft(vectors.reshape(few, n, -1), axis=0)
        weights = (np.abs(modes) ** 2).sum(axis=1)
        k = np.fft.fftfreq(few, 1.0 / few)
        roughness = (k[:, None] ** 2 * weights).sum(axis=0) / weights.sum(axis=0)
        turns = np.exp(2j * np.pi * self.rotation_number * np.arange(-CLASS_REACH, CLASS_REACH + 1))
        classes = list[complex]()
        for i in np.argsort(roughness, kind="stable")[: CANDIDATES * n].tolist():
            value = complex(values[i])
            others = np.concatenate([each * turns for each in classes]) if classes else np.zeros(0)
            if not len(others) or float(np.abs(others - value).min()) > SAME_CLASS * abs(value):
                classes.append(complex(value.real) if abs(value.imag) <= REAL * abs(value) else value)
        tangent = min(classes, key=lambda each: float(np.abs(each * turns - 1.0).min()))
        classes.remove(tangent)
        wanted = float(np.exp(np.log(np.abs(np.linalg.det(self.blocks))).mean()))
        for chosen in combinations(classes[:MOST_CLASSES], n - 1):
            if abs(float(np.abs(np.prod(chosen))) - wanted) <= AGREEMENT * wanted:
                return np.array(sorted(chosen, key=lambda each: (-abs(each), -each.imag)), dtype=complex)
        return None

    def _moduli(self) -> NDArray[np.float64]:
        """The moduli of the normal multipliers, by falling size: growth along an orbit on the curve, by QR.

        The weighted averages of logarithms along a quasi-periodic orbit converge to rounding where moduli differ.
        """
        n = self.blocks.shape[1]
        angles = self.rotation_number * np.arange(SETTLING + ORBIT)
        along = at_angles(self.blocks, angles - np.floor(angles))
        frame, logs = np.eye(n), np.empty((ORBIT, n))
        for j, block in enumerate(along):
            frame, R = np.linalg.qr(block @ frame)
            if j >= SETTLING:
                with np.errstate(divide="ignore"):
                    logs[j - SETTLING] = np.log(np.abs(np.diag(R)))
        moduli = np.exp(smooth_weights(ORBIT) @ logs)
        return np.sort(np.delete(moduli, np.argmin(np.abs(moduli - 1.0))))[::-1]
