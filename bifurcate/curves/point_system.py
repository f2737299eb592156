"""The bordered system of a curve's point: its linearised equations and one more row, factored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Curve, Linearisation
from bifurcate.linalg.bordered_system import Bordered, SingularSystem, bordered

__all__ = ["system_with_row"]

Vector = NDArray[np.float64]


def system_with_row(
    curve: Curve, linear: Linearisation, row: Vector, tolerance: float = 0.0, start: Vector | None = None
) -> Bordered:
    """The square bordered system of a linearisation and one more row."""
    n = curve.size
    C, D = row[None, :n], row[None, n:]
    if len(linear.C):
        C, D = np.vstack([linear.C, C]), np.vstack([linear.D, D])
    system = bordered(linear.M, linear.B, C, D, krylov=curve.krylov, tolerance=tolerance, start=start)
    return system if linear.slopes is None else _with_slopes(system, linear.slopes, n, len(linear.C))


def _with_slopes(system: Bordered, slopes: Callable[[Vector], Vector], n: int, j: int) -> Bordered:
    """Exchange j placeholder rows for equations of which only the slopes along given directions are known.

    With Z the solutions for unit right-hand sides in the placeholder rows, every z = z₀ + Z c obeys all other rows; c
    is what makes the slopes right. No gradient is formed, so that no transposed derivative is needed.
    """
    k = j + 1
    X, Y = system.solve(np.zeros((n, j)), np.eye(k, j))
    Z = np.vstack([X, Y])
    matrix = np.column_stack([slopes(z) for z in Z.T])

    def solve(f: Vector, g: Vector) -> tuple[Vector, Vector]:
        x, y = system.solve(f, np.append(np.zeros(j), g[j:]))
        z = np.concatenate([x, y])
        try:
            z += Z @ np.linalg.solve(matrix, g[:j] - slopes(z))
        except np.linalg.LinAlgError as error:
            raise SingularSystem("the equations of the special point have a singular derivative") from error
        return z[:n], z[n:]

    return Bordered(solve, Z, system.direct)
