"""Bordered: a factored bordered system, and what every way of factoring one shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import BifurcateError

__all__ = ["Array", "Bordered", "SingularSystem", "Solve", "accept_complex", "solve_by_columns"]

Array = NDArray[Any]  # real or complex
Solve = Callable[[Array, Array], tuple[Array, Array]]


class SingularSystem(BifurcateError, ArithmeticError):
    """A bordered system is singular to working precision, or GMRES did not converge on it."""


@dataclass(frozen=True)
class Bordered:
    """A factored bordered system.

    Attributes
    ----------
    solve : callable
        (f, g) ↦ (x, y) for f of shape (n,) and g of shape (k,), or (n, m) and (k, m).
    kernel : ndarray, shape (n + k, j), or None
        Where the last j rows were exchanged for others after factoring: vectors (x; y) on which all rows before the
        last j vanish.
    direct : bool
        True if a solve costs little compared with the factors; False for GMRES.
    """

    solve: Solve
    kernel: Array | None = None
    direct: bool = True


def accept_complex(system: Bordered, *blocks: Array) -> Bordered:
    """Let a real system take complex right-hand sides, by solving for their real and imaginary parts.

    Parameters
    ----------
    system : Bordered
    blocks : ndarray
        The system's blocks; if one is complex the system is returned as it is.
    """
    if any(block.dtype.kind == "c" for block in blocks):
        return system
    solve = system.solve

    def solve_both_parts(f: Array, g: Array) -> tuple[Array, Array]:
        if f.dtype.kind != "c" and g.dtype.kind != "c":
            return solve(f, g)
        x, y = solve(f.real, g.real)
        s, t = solve(f.imag, g.imag)
        return x + 1j * s, y + 1j * t

    return Bordered(solve_both_parts, system.kernel, system.direct)


def solve_by_columns(solve_one: Solve) -> Solve:
    """Let a function that solves for one right-hand side take several, as columns."""

    def solve(f: Array, g: Array) -> tuple[Array, Array]:
        if f.ndim == 1:
            return solve_one(f, g)
        pairs = [solve_one(f[:, j], g[:, j]) for j in range(f.shape[1])]
        return np.column_stack([x for x, _ in pairs]), np.column_stack([y for _, y in pairs])

    return solve
