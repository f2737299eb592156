"""Border collisions classified: what becomes of a cycle that meets a border on which its map has a kink.

Near the border point f^k is, to first order and with the parameter measured from there,

    y ↦ A y + a μ  where g·y + h μ has one sign,   y ↦ B y + b μ  where it has the other.

With σ⁺ the number of real multipliers of A and of B together that exceed +1, and σ⁻ of those below −1 (Feigin; di
Bernardo, Budd, Champneys & Kowalczyk, Piecewise-smooth Dynamical Systems, Springer 2008, sections 3.1 and 3.2):

    σ⁺ even    persistence: one cycle, on one side before and on the other after
    σ⁺ odd     non-smooth fold: two cycles, one on each side, that meet and are gone
    σ⁻ odd     a cycle of twice the period, with a point on each side, is born

σ⁺ is even where det(I − A) and det(I − B) have one sign, σ⁻ where det(I + A) and det(I + B) have (Nusse & Yorke,
Physica D 57 (1992) 39, for two unknowns). Where one of these determinants may vanish, to the error of the derivatives,
it is "degenerate".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.operators import dense
from bifurcate.maps.iterated_map import IteratedMap

__all__ = ["BorderCollision", "classify_collision"]

Array = NDArray[Any]

BESIDE = 1e-7  # units of the state by which a place is moved to its one side, once and twice, and back by a line
DIFFERENCE_ERROR = 1e-9  # of an entry of a one-sided Jacobian, in its units: differences that are continued to a border
EXACT_ERROR = 1e-11  # ... of one that is given: what the line leaves
SURE = 4.0  # such errors, times the number of unknowns, that a singular value must exceed to count as not 0
KINK = 10.0  # such errors by which the two sides must differ to be two
JUMP = 100.0  # moves by which images of the two sides may differ, times the largest derivative: more is a jump


@dataclass(frozen=True, eq=False)
class BorderCollision:
    """A cycle's collision with a border, as the piecewise-linear normal form tells it.

    Attributes
    ----------
    before, after : ndarray, shape (n, n)
        The Jacobians of f^k on the side from which the branch came, and on the other one, at the state on the border.
    parameter_slopes : ndarray, shape (2, n)
        ∂f^k/∂p on the two sides.
    border : ndarray, shape (n + 1,)
        The gradient of the switching function by state and parameter, positive towards the side of ``before``.
    state : ndarray, shape (n,)
        The state on the border: that point of the cycle at which the switching function vanishes.
    error : float
        Error of the entries of the Jacobians.
    verdict : str
        "persistence", "non-smooth fold", "smooth" (an event, no kink), "jump" (f is not continuous) or "degenerate".
    doubling : str
        "period doubling" if a cycle of twice the period is born, "" if not, or "degenerate".
    side : int
        +1 or −1: for growing or falling parameters the doubled cycle exists; 0 without one.
    """

    before: Array
    after: Array
    parameter_slopes: Array
    border: Array
    state: Array
    error: float
    verdict: str
    doubling: str = ""
    side: int = 0

    @property
    def multipliers(self) -> tuple[Array, Array]:
        """The multipliers on the two sides, by falling modulus."""
        found = [np.linalg.eigvals(J).astype(complex) for J in (self.before, self.after)]
        return tuple(values[np.argsort(-np.abs(values), kind="stable")] for values in found)  # type: ignore[return-value]

    @property
    def doubled_multipliers(self) -> Array:
        """The multipliers of the doubled cycle where it is born: those of B A; empty without one."""
        return np.linalg.eigvals(self.after @ self.before).astype(complex) if self.side else np.zeros(0, dtype=complex)

    @property
    def form(self) -> str:
        """The verdict in words, as "persistence with period doubling"."""
        if not self.doubling or self.verdict not in ("persistence", "non-smooth fold"):
            return self.verdict
        what = self.doubling if self.doubling != "degenerate" else "perhaps period doubling"
        return f"{self.verdict} with {what}"

    def doubled_direction(self) -> Array | None:
        """(y, μ): where the doubled cycle's point on the side of ``before`` lies, for μ = ±1; None without one."""
        J, K, (a, b) = self.before, self.after, self.parameter_slopes
        y = np.linalg.solve(np.eye(len(J)) - K @ J, K @ a + b)
        z = J @ y + a
        g, h = self.border[:-1], self.border[-1]
        here, there = float(g @ y + h), float(g @ z + h)
        return None if not here * there < 0.0 else np.append(y, 1.0) * np.sign(here)

    def directions(self) -> tuple[Array, Array]:
        """(y, μ) of the cycles of the period itself on the two sides, each leading away from the border on its side."""
        found = []
        for J, slope, side in zip((self.before, self.after), self.parameter_slopes, (1.0, -1.0), strict=True):
            y = np.append(np.linalg.solve(np.eye(len(J)) - J, slope), 1.0)
            found.append(y * side * np.sign(float(self.border @ y)))
        return found[0], found[1]


def classify_collision(
    iterate: IteratedMap, orbit: list[Array], p: Mapping[str, float], free: str, index: int, comes_from: float
) -> BorderCollision:
    """Classify a border collision.

    Parameters
    ----------
    iterate : IteratedMap
        f^k, in one state.
    orbit : list of ndarray
        The cycle on the border: its k states.
    p : mapping of str to float
        All parameters there.
    free : str
        The one that varies.
    index : int
        Of the switching function, among those along the orbit.
    comes_from : {1.0, -1.0}
        Its sign where the branch comes from.
    """
    map, one = iterate.map, IteratedMap(iterate.map, iterate.shape, widths=iterate.widths)
    count = len(one.border_signs([orbit[0], orbit[0]], p))
    phase, which = divmod(index, count)
    states = [*orbit[phase:], *orbit[:phase]]
    x, unit = states[0], np.maximum(map.scale, np.abs(states[0]))
    parameter_unit = iterate.parameter_unit(free, p[free])
    gradient = comes_from * _gradient(one, x, p, free, which, unit, parameter_unit)
    scaled = gradient * np.append(unit, parameter_unit)
    size = float(np.linalg.norm(scaled))
    inward = scaled / size * np.append(unit, parameter_unit) if size else np.zeros(len(scaled))
    sides = [_side(one, states, p, free, sign * BESIDE * inward) for sign in (1.0, -1.0)]
    (A, a, image), (B, b, other) = sides
    largest = max(1.0, float(np.abs(A).max()), float(np.abs(B).max()))
    least = EXACT_ERROR if iterate.exact else DIFFERENCE_ERROR
    error = max(least, map.precision.slope_error) * largest * iterate.period
    verdict, doubling, side = _verdict(A, B, error), "", 0
    if float(np.abs(image - other).max()) > max(JUMP * BESIDE * largest, map.precision.value_error) * float(unit.max()):
        verdict = "jump"
    elif float(np.abs(A - B).max()) <= KINK * error and float(np.abs(a - b).max()) <= KINK * error:
        verdict = "smooth"
    else:
        doubling = {-1: "period doubling", 0: "degenerate", 1: ""}[_product_of_signs(A, B, -1.0, error)]
    found = BorderCollision(A, B, np.array([a, b]), gradient, x, error, verdict, doubling)
    if doubling != "period doubling":
        return found
    way = found.doubled_direction()
    side = 0 if way is None else int(np.sign(way[-1]))
    return BorderCollision(
        A, B, found.parameter_slopes, gradient, x, error, verdict, doubling if side else "degenerate", side
    )


def _verdict(A: Array, B: Array, error: float) -> str:
    return {1: "persistence", -1: "non-smooth fold", 0: "degenerate"}[_product_of_signs(A, B, 1.0, error)]


def _product_of_signs(A: Array, B: Array, target: float, error: float) -> int:
    """The sign of det(A − target·I) det(B − target·I); 0 where either may vanish, to the error of the entries."""
    sign = 1.0
    for J in (A, B):
        shifted = J - target * np.eye(len(J))
        if float(np.linalg.svd(shifted, compute_uv=False)[-1]) <= SURE * len(J) * error:
            return 0
        sign *= float(np.linalg.slogdet(shifted)[0])
    return int(sign)


def _gradient(
    one: IteratedMap, x: Array, p: Mapping[str, float], free: str, which: int, unit: Array, parameter_unit: float
) -> Array:
    """The gradient of a switching function by state and parameter, by central differences."""
    step = one.map.precision.slope_step

    def at(u: Array) -> float:
        return float(one.border_signs([u[:-1], u[:-1]], {**p, free: float(u[-1])})[which])

    u, lengths = np.append(x, p[free]), step * np.append(unit, parameter_unit)
    return np.array([(at(u + h * e) - at(u - h * e)) / (2.0 * h) for h, e in zip(lengths, np.eye(len(u)), strict=True)])


def _side(
    one: IteratedMap, states: list[Array], p: Mapping[str, float], free: str, move: Array
) -> tuple[Array, Array, Array]:
    """The Jacobian of f^k and its slope by the parameter on one side of a border, and the image of its first state."""

    def first(times: float) -> tuple[Array, Array, Array]:
        y, q = states[0] + times * move[:-1], {**p, free: p[free] + times * float(move[-1])}
        orbit = one.orbit(y, q)
        return np.asarray(dense(one.jacobian(orbit, q))), one.parameter_derivative(orbit, q, free), orbit[-1]

    near, far = first(1.0), first(2.0)
    J, slope = (2.0 * near[i] - far[i] for i in (0, 1))
    for x in states[1:]:
        outer = np.asarray(dense(one.jacobian([x, x], p)))
        J, slope = outer @ J, outer @ slope + one.parameter_derivative([x, x], p, free)
    return J, slope, near[2]
