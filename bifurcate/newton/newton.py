"""Newton's method with the full Jacobian: its settings, and its step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.bordered_system import bordered
from bifurcate.linalg.operators import Operator, shifted
from bifurcate.validation import check_count, check_positive

__all__ = ["Newton", "newton_step"]

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Newton:
    """Newton's method with the full Jacobian, for small or structured maps.

    Attributes
    ----------
    tolerance : float
        Stop when ‖f^k(x) − x‖_∞ ≤ tolerance · max(scale, ‖x‖_∞).
    max_iterations : int
        Newton steps after which the guess counts as failed.
    max_halvings : int
        How often one step may be halved until the residual falls and the state stays in the map's domain.

    Raises
    ------
    InvalidInput
        If a value is unusable.
    """

    tolerance: float = 1e-11
    max_iterations: int = 50
    max_halvings: int = 30

    def __post_init__(self) -> None:
        check_positive("tolerance", self.tolerance)
        check_count("max_iterations", self.max_iterations)
        check_count("max_halvings", self.max_halvings, least=0)


def newton_step(jacobian: Operator, residual: Vector) -> Vector:
    """The solution δ of (J − I) δ = −F, as the structure of J allows.

    Parameters
    ----------
    jacobian : Operator
        J, the Jacobian of f^k, shape (n, n).
    residual : ndarray, shape (n,)
        F = f^k(x) − x.

    Raises
    ------
    SingularSystem
        If J − I is singular.
    NotIsolated
        If its structure shows that the solutions form a manifold.

    Examples
    --------
    >>> newton_step(np.array([[0.5]]), np.array([1.0]))
    array([2.])
    """
    n = len(residual)
    # A bordered system without borders: there every kind of Jacobian is factored as its structure allows.
    system = bordered(shifted(jacobian, 1.0), np.zeros((n, 0)), np.zeros((0, n)), np.zeros((0, 0)))
    return system.solve(-residual, np.zeros(0))[0]
