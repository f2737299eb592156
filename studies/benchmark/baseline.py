"""What a user would otherwise write, or run: the textbook's continuation in plain NumPy, and pacopy."""

from __future__ import annotations

import contextlib
import importlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bifurcate import Map
from studies.benchmark.frame import Unavailable

__all__ = ["Path", "Problem", "changes", "flips", "pacopy", "textbook"]

Path: TypeAlias = list[tuple[np.ndarray, float, np.ndarray]]  # states, parameters and multipliers

TOLERANCE = 1e-11  # of the largest residual, for everybody: what our corrector reaches on these maps
NEWTON_STEPS = 8  # after which Newton's method has failed, as in textbooks' programs
SHORTEST_STEP = 1e-8  # of arclength, below which the textbook's continuation gives up
BOUND_SLACK = 1e-9  # by which a parameter may pass its bound: the rounding of the last step
FLIP_STEPS = 60  # of the Illinois method, which needs some ten
FLIP_TOLERANCE = 1e-10  # of the multiplier from −1
PACOPY_STEPS = 10_000  # more than any branch here has


@dataclass(frozen=True, eq=False)
class Problem:
    """The fixed points of a map f in one parameter p, x a vector; all functions are of (x, p).

    Attributes
    ----------
    residual : callable
        f(x) − x, shape (n,).
    jacobian : callable
        ∂f/∂x, shape (n, n).
    slope : callable
        ∂f/∂p, shape (n,).
    """

    residual: Callable[[np.ndarray, float], np.ndarray]
    jacobian: Callable[[np.ndarray, float], np.ndarray]
    slope: Callable[[np.ndarray, float], np.ndarray]

    @classmethod
    def of(cls, map: Map, free: str) -> Problem:
        """The problem of a map that gives its Jacobian, as an ndarray, and its parameter derivative."""
        f, jacobian, slope = map.f, map.jacobian, map.parameter_derivative
        assert jacobian is not None and slope is not None

        def all_of(p: float) -> dict[str, float]:
            return {**map.parameters, free: float(p)}

        return cls(
            lambda x, p: np.asarray(f(x, **all_of(p))) - x,
            lambda x, p: np.asarray(jacobian(x, **all_of(p))),
            lambda x, p: np.asarray(slope(x, free, **all_of(p))),
        )

    @classmethod
    def weights(cls, drive: np.ndarray, target: np.ndarray, beta: float, sigma: float) -> Problem:
        """The problem of the adaptation network's n² weights in α, with the Jacobian from its entries."""
        n = len(drive)

        def response(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            u = sigma**2 + x.reshape(n, n) @ drive / n
            return drive / u, drive / u**2

        def residual(x: np.ndarray, alpha: float) -> np.ndarray:
            R = response(x)[0]
            return np.asarray((alpha * (np.outer(R, R) - target) + beta * (x.reshape(n, n) - target)).ravel())

        def jacobian(x: np.ndarray, alpha: float) -> np.ndarray:
            R, g = response(x)
            parts = np.zeros((n, n, n, n))
            for i in range(n):
                part = -(alpha * g[i] / n) * np.outer(R, drive)
                parts[i, :, i, :] += part
                parts[:, i, i, :] += part
            J = parts.reshape(n * n, n * n)
            J[np.diag_indices(n * n)] += 1.0 + beta
            return J

        def slope(x: np.ndarray, alpha: float) -> np.ndarray:
            R = response(x)[0]
            return np.asarray((np.outer(R, R) - target).ravel())

        return cls(residual, jacobian, slope)


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
        for _ in range(NEWTON_STEPS):
            J = problem.jacobian(guess[:n], guess[n])
            bordered[:n, :n] = J - np.eye(n)
            bordered[:n, n] = problem.slope(guess[:n], guess[n])
            bordered[n] = row
            residual = problem.residual(guess[:n], guess[n])
            if np.abs(residual).max() <= TOLERANCE:
                break
            guess -= np.linalg.solve(bordered, np.append(residual, 0.0))
        else:
            h *= 0.5
            if h < SHORTEST_STEP:
                return
            continue
        if not bounds[0] - BOUND_SLACK <= guess[n] <= bounds[1] + BOUND_SLACK:
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


def flips(problem: Problem, path: Path) -> tuple[float, ...]:
    """Where multipliers pass −1 between neighbouring points, one by one in their order, all of them real."""
    found: list[float] = []
    for (x, p, before), (y, q, after) in itertools.pairwise(path):
        low, high = np.sort(before.real), np.sort(after.real)
        for j in range(np.count_nonzero(low < -1.0), np.count_nonzero(high < -1.0)):
            found.append(_flip(problem, (x, p, low[j] + 1.0), (y, q, high[j] + 1.0), j))
    return tuple(found)


def _flip(
    problem: Problem, left: tuple[np.ndarray, float, float], right: tuple[np.ndarray, float, float], j: int
) -> float:
    """The parameter at which 1 + the multiplier of number j vanishes, by the Illinois method."""
    (x, p, f), (y, q, g) = left, right
    for _ in range(FLIP_STEPS):
        part = f / (f - g)
        middle, z = p + part * (q - p), x + part * (y - x)
        for _ in range(NEWTON_STEPS):
            J, residual = problem.jacobian(z, middle), problem.residual(z, middle)
            if np.abs(residual).max() <= TOLERANCE:
                break
            z = z - np.linalg.solve(J - np.eye(len(z)), residual)
        value = float(np.sort(np.linalg.eigvals(J).real)[j]) + 1.0
        if abs(value) < FLIP_TOLERANCE:
            break
        if value * g < 0.0:
            x, p, f = y, q, g
        else:
            f *= 0.5
        y, q, g = z, middle, value
    return middle


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
        tool.euler_newton(_ForPacopy(problem), x, p, keep, max_steps=PACOPY_STEPS, newton_tol=TOLERANCE, verbose=False)
    return path
