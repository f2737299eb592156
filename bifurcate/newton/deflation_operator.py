"""The deflation operator: known solutions that Newton's method stays away from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.periodic_coordinates import shortest
from bifurcate.validation import check_array, check_flag, check_positive, check_sequence

__all__ = ["Deflation"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Deflation:
    """Known solutions r that Newton's method is to stay away from.

    Newton's method is applied to M(x) F(x) with M(x) = Π (d(x, r)^−power + shift). Here d is the root mean square of
    x − r, in units of the map's scale, or of r's size if that is larger. M F does not vanish at a simple solution r if
    power ≥ 1, and is F far from all of them if shift = 1 (Farrell, Birkisson & Funke, SIAM J. Sci. Comput. 37 (2015)
    A2026, equation 3.6).

    Its Newton step is the undeflated one, J δ = −F, times a number: in (M J + F ∇Mᵀ) s = −M F put s = τ δ, then

        −τ M F + τ (∇M·δ) F = −M F,        τ = 1 / (1 − ∇M·δ / M),

    so that every kind of Jacobian is solved with as before.

    Attributes
    ----------
    known : tuple of ndarray
        The solutions; of a cycle, every point.
    power : float
        How strongly the solutions repel.
    shift : float
        The value of M far from them, per solution.
    monotone : bool
        If True, a step must lower ‖M F‖ (Armijo's condition), as it must without deflation. If False, it must only
        stay in the map's domain: such iterations are longer, and end elsewhere.

    Raises
    ------
    InvalidInput
        If a value is unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> away = bf.Deflation([[0.6]])
    >>> bf.solve(bf.maps.logistic(r=2.5), guess=[0.5], deflation=away).state.round(9)
    array([0.])
    """

    known: Any
    power: float = 2.0
    shift: float = 1.0
    monotone: bool = True

    def __post_init__(self) -> None:
        for name in ("power", "shift"):
            check_positive(name, getattr(self, name))
        check_flag("monotone", self.monotone)
        object.__setattr__(
            self, "known", tuple(check_array("known", r) for r in check_sequence("known", self.known, "states"))
        )

    @cached_property
    def rows(self) -> Vector:
        """The solutions, one a row, shape (r, n)."""
        return np.array([r.reshape(-1) for r in self.known])

    @cached_property
    def sizes(self) -> Vector:
        """The root mean square of each, shape (r,)."""
        return np.array([np.sqrt(np.mean(r**2)) for r in self.known])

    def _differences(self, x: Vector, scale: float, periods: Vector | None) -> tuple[Vector, Vector]:
        # Rows (x − r)/(unit² n), whose product with a step is the derivative of d²/2 along it, and d², one per r.
        units = np.maximum(scale, self.sizes)[:, None] * np.sqrt(len(x))
        rows = shortest(x - self.rows, periods) / units
        return rows / units, np.einsum("ij,ij->i", rows, rows)

    def log_factor(self, x: Vector, scale: float, periods: Vector | None = None) -> float:
        """Log M at a flattened state of a map with this scale; +inf at a known solution."""
        if not self.known:
            return 0.0
        return float(np.log(self._differences(x, scale, periods)[1] ** (-0.5 * self.power) + self.shift).sum())

    def step_factor(self, x: Vector, step: Vector, scale: float, periods: Vector | None = None) -> float:
        """The number τ by which the undeflated Newton step at a flattened state is multiplied."""
        if not self.known:
            return 1.0
        rows, square = self._differences(x, scale, periods)
        # ∇ log m = −power d^(−power − 2) (x − r)/unit² / (d^−power + shift)
        slope = -self.power * (rows @ step) / (square * (1.0 + self.shift * square ** (0.5 * self.power)))
        return float(1.0 / (1.0 - slope.sum()))
