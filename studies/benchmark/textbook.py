"""The textbook's continuation in plain NumPy, as a baseline: a dense Jacobian, one LU a Newton step, all eigenvalues.

Pseudo-arclength steps of one length; a flip is noticed when the number of multipliers below −1 changes, and found by
the secant method on the multiplier that crosses. Nothing here knows of the package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Problem", "follow", "weights"]

TOLERANCE = 1e-11


@dataclass(frozen=True, eq=False)
class Problem:
    """G(x, p) = 0 with derivatives: G, G_x (n × n) and G_p.

    Attributes
    ----------
    residual, jacobian, by_parameter : callable
        Of (x, p).
    """

    residual: Callable[[np.ndarray, float], np.ndarray]
    jacobian: Callable[[np.ndarray, float], np.ndarray]
    by_parameter: Callable[[np.ndarray, float], np.ndarray]


def weights(drive: np.ndarray, target: np.ndarray, beta: float, sigma: float) -> Problem:
    """W⁺ − W of the adaptation network in α, the Jacobian from its entries."""
    n = len(drive)

    def response(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        u = sigma**2 + x.reshape(n, n) @ drive / n
        return drive / u, drive / u**2

    def residual(x: np.ndarray, alpha: float) -> np.ndarray:
        R = response(x)[0]
        W = x.reshape(n, n)
        return (alpha * (np.outer(R, R) - target) + beta * (W - target)).ravel()

    def jacobian(x: np.ndarray, alpha: float) -> np.ndarray:
        R, g = response(x)
        parts = np.zeros((n, n, n, n))
        for i in range(n):
            part = -(alpha * g[i] / n) * np.outer(R, drive)
            parts[i, :, i, :] += part
            parts[:, i, i, :] += part
        J = parts.reshape(n * n, n * n)
        J[np.diag_indices(n * n)] += beta
        return J

    def by_parameter(x: np.ndarray, alpha: float) -> np.ndarray:
        R = response(x)[0]
        return (np.outer(R, R) - target).ravel()

    return Problem(residual, jacobian, by_parameter)


def follow(
    problem: Problem, x: np.ndarray, bounds: tuple[float, float], points: int
) -> tuple[list[float], list[float]]:
    """The parameter's values at the points of the branch, and at its flips."""
    width = bounds[1] - bounds[0]
    u = np.append(x.ravel(), bounds[0])
    unit = np.zeros(len(u))
    unit[-1] = 1.0
    u = _correct(problem, u, unit, bounds[0])
    t = _tangent(problem, u, unit)
    values, flips = [bounds[0]], list[float]()
    below = _multipliers(problem, u)
    while values[-1] < bounds[1]:
        h = width / points / t[-1]
        row, level = (t, float(t @ u) + h) if u[-1] + h * t[-1] < bounds[1] else (unit, bounds[1])
        new = _correct(problem, u + h * t, row, level)
        after = _multipliers(problem, new)
        for j in range(np.count_nonzero(below < -1.0), np.count_nonzero(after < -1.0)):
            flips.append(_flip(problem, u, new, j, below[j], after[j]))
        t = _tangent(problem, new, t)
        u, below = new, after
        values.append(float(u[-1]))
    return values, flips


def _matrix(problem: Problem, u: np.ndarray, row: np.ndarray) -> np.ndarray:
    x, p = u[:-1], float(u[-1])
    return np.vstack([np.column_stack([problem.jacobian(x, p), problem.by_parameter(x, p)]), row])


def _correct(problem: Problem, u: np.ndarray, row: np.ndarray, level: float) -> np.ndarray:
    for _ in range(20):
        r = np.append(problem.residual(u[:-1], float(u[-1])), row @ u - level)
        if np.abs(r).max() <= TOLERANCE:
            return u
        u = u - np.linalg.solve(_matrix(problem, u, row), r)
    raise ArithmeticError("Newton's method did not converge")


def _tangent(problem: Problem, u: np.ndarray, row: np.ndarray) -> np.ndarray:
    unit = np.zeros(len(u))
    unit[-1] = 1.0
    t = np.linalg.solve(_matrix(problem, u, row), unit)
    return t / np.linalg.norm(t)


def _multipliers(problem: Problem, u: np.ndarray) -> np.ndarray:
    return np.sort(1.0 + np.linalg.eigvals(problem.jacobian(u[:-1], float(u[-1]))).real)


def _flip(problem: Problem, a: np.ndarray, b: np.ndarray, j: int, before: float, after: float) -> float:
    """Where the multiplier of number j passes −1 between two points, by the Illinois method."""
    left, right, f, g = a, b, before + 1.0, after + 1.0
    unit = np.zeros(len(a))
    unit[-1] = 1.0
    for _ in range(60):
        guess = (left * g - right * f) / (g - f)
        middle = _correct(problem, guess, unit, float(guess[-1]))
        value = _multipliers(problem, middle)[j] + 1.0
        if abs(value) < 1e-10:
            break
        if value * g < 0.0:
            left, f = right, g
        else:
            f *= 0.5
        right, g = middle, value
    return float(middle[-1])
