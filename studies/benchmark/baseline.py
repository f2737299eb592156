"""What a user would otherwise write, or run: the textbook's continuation in plain NumPy, and pacopy."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bifurcate import Map
from studies.benchmark.frame import Unavailable

__all__ = ["Path", "Problem", "changes", "pacopy", "textbook"]

Path: TypeAlias = list[tuple[np.ndarray, float, np.ndarray]]  # states, parameters and multipliers


@dataclass(frozen=True, eq=False)
class Problem:
    """The fixed points of a map in one parameter, as vectors and matrices.

    Attributes
    ----------
    map : Map
        With its Jacobian (an ndarray) and its parameter derivative.
    free : str
    """

    map: Map
    free: str

    def _parameters(self, p: float) -> dict[str, float]:
        return {**self.map.parameters, self.free: float(p)}

    def residual(self, x: np.ndarray, p: float) -> np.ndarray:
        """f(x) − x."""
        return np.asarray(self.map.f(x, **self._parameters(p))) - x

    def jacobian(self, x: np.ndarray, p: float) -> np.ndarray:
        """The map's own Jacobian."""
        assert self.map.jacobian is not None
        return np.asarray(self.map.jacobian(x, **self._parameters(p)))

    def slope(self, x: np.ndarray, p: float) -> np.ndarray:
        """∂f/∂p."""
        assert self.map.parameter_derivative is not None
        return np.asarray(self.map.parameter_derivative(x, self.free, **self._parameters(p)))


def textbook(
    problem: Problem, x: np.ndarray, p: float, bounds: tuple[float, float], step: float, sign: float = 1.0
) -> Iterator[tuple[np.ndarray, float, np.ndarray]]:
    """Keller's pseudo-arclength continuation with steps of one length, a dense Jacobian, and eigvals at every point.

    Newton's method to a residual of 10⁻¹¹ on the bordered matrix by numpy.linalg.solve; a step that fails is halved.
    Yields states, parameters and multipliers until the parameter leaves its bounds.
    """
    n = len(x)
    bordered, rhs = np.empty((n + 1, n + 1)), np.append(np.zeros(n), 1.0)
    u, row, h = np.append(x, p), np.append(np.zeros(n), sign), 0.0
    while True:
        guess = u + h * row
        for _ in range(8):
            J = problem.jacobian(guess[:n], guess[n])
            bordered[:n, :n] = J - np.eye(n)
            bordered[:n, n] = problem.slope(guess[:n], guess[n])
            bordered[n] = row
            residual = problem.residual(guess[:n], guess[n])
            if np.abs(residual).max() <= 1e-11:
                break
            guess -= np.linalg.solve(bordered, np.append(residual, 0.0))
        else:
            h *= 0.5
            if h < 1e-8:
                return
            continue
        if not bounds[0] - 1e-9 <= guess[n] <= bounds[1] + 1e-9:
            return
        u = guess
        yield u[:n], float(u[n]), np.linalg.eigvals(J)
        tangent = np.linalg.solve(bordered, rhs)
        row, h = tangent / np.linalg.norm(tangent), step


def changes(path: Path) -> tuple[float, ...]:
    """Parameters at which the number of multipliers outside the unit circle changes, halfway through the step.

    It is all that the textbook's method says of special points, at no further cost.
    """
    outside = [int(np.count_nonzero(np.abs(values) > 1.0)) for _, _, values in path]
    return tuple(0.5 * (path[i][1] + path[i + 1][1]) for i in range(len(path) - 1) if outside[i] != outside[i + 1])


class _ForPacopy:
    """The problem as pacopy asks for it."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    def inner(self, a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b)

    def norm2_r(self, a: np.ndarray) -> float:
        return float(a @ a)

    def f(self, u: np.ndarray, p: float) -> np.ndarray:
        return self.problem.residual(u, p)

    def df_dlmbda(self, u: np.ndarray, p: float) -> np.ndarray:
        return self.problem.slope(u, p)

    def jacobian_solver(self, u: np.ndarray, p: float, rhs: np.ndarray) -> np.ndarray:
        return np.linalg.solve(self.problem.jacobian(u, p) - np.eye(len(u)), rhs)


class _Enough(Exception):
    """Stops pacopy at the bound."""


def pacopy(problem: Problem, x: np.ndarray, p: float, bounds: tuple[float, float]) -> Path:
    """The same branch by pacopy's Euler–Newton method and its own steps, with eigvals at every point.

    Raises
    ------
    Unavailable
        If pacopy is not installed, or refuses to start without a licence.
    """
    try:
        tool = importlib.import_module("pacopy")
    except ImportError as error:
        raise Unavailable("pacopy is not installed") from error
    except Exception as error:
        raise Unavailable(f"pacopy does not start: {' '.join(str(error).split())}") from error
    path: Path = []

    def keep(k: int, value: float, u: Any) -> None:
        if not bounds[0] <= value <= bounds[1]:
            raise _Enough
        path.append((np.array(u), float(value), np.linalg.eigvals(problem.jacobian(u, value))))

    with contextlib.suppress(_Enough):
        tool.euler_newton(_ForPacopy(problem), x, p, keep, max_steps=10_000, newton_tol=1e-11, verbose=False)
    return path
