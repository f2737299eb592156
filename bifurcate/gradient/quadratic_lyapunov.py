"""The quadratic Lyapunov function of a map near a stable equilibrium."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from bifurcate.gradient.field import Field

__all__ = ["QuadraticLyapunov", "quadratic"]

FIRST_STEP = 1e-4  # of the state's size: where the search for the largest level begins, well inside what is linear
SAMPLES = 64  # states on every level that is tried
GROWTH, TRIES = 1.5, 80


@dataclass(frozen=True, eq=False)
class QuadraticLyapunov:
    """V(x) = (x − x*)ᵀ P (x − x*), which decreases along orbits near x*.

    Attributes
    ----------
    center : ndarray
        x*.
    P : ndarray, shape (n, n)
        Symmetric, positive definite.
    decrease : float
        Least eigenvalue of P − AᵀPA, which was asked to be I: positive, so that V decreases for the linear map.
    level : float
        V(f(x)) < V(x) at 64 random states on every level V = const that was tried up to this one, a factor 1.5² apart.
        Sampled, not proved.
    """

    center: np.ndarray
    P: np.ndarray
    decrease: float
    level: float

    def __call__(self, x: Any) -> float:
        """V at x."""
        d = (np.asarray(x, dtype=float) - self.center).reshape(-1)
        return float(d @ self.P @ d)


def quadratic(field: Field, x: np.ndarray, A: np.ndarray, rng: np.random.Generator) -> QuadraticLyapunov | None:
    """V at the equilibrium x of Jacobian A, or None if A is not stable or P fails its check."""
    if not np.abs(np.linalg.eigvals(A)).max() < 1.0:
        return None
    P = scipy.linalg.solve_discrete_lyapunov(A.T, np.eye(len(A)))
    P = 0.5 * (P + P.T)
    decrease = float(np.linalg.eigvalsh(P - A.T @ P @ A)[0])
    if not (decrease > 0.0 and np.linalg.eigvalsh(P)[0] > 0.0):
        return None
    return QuadraticLyapunov(x.reshape(field.shape), P, decrease, _level(field, x, P, rng))


def _level(field: Field, x: np.ndarray, P: np.ndarray, rng: np.random.Generator) -> float:
    # Directions d with dᵀPd = 1: P = LLᵀ and d = L⁻ᵀ z for unit vectors z.
    z = rng.standard_normal((len(x), SAMPLES))
    d = scipy.linalg.solve_triangular(np.linalg.cholesky(P).T, z / np.linalg.norm(z, axis=0)).T

    def falls(s: float) -> bool:
        for each in d:
            if not field.inside(x + s * each):
                return False
            change = field.image(x + s * each) - x
            if not change @ P @ change < s * s:
                return False
        return True

    s = FIRST_STEP * max(field.scale, float(np.abs(x).max())) / float(np.abs(d).max())
    if not falls(s):
        return 0.0
    for _ in range(TRIES):
        if not falls(GROWTH * s):
            break
        s *= GROWTH
    return s * s
