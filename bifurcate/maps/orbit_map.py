"""OrbitMap: the equations of multiple shooting, in which all states of a cycle are unknown.

    f(x_{k−1}) − x₀ = 0,    f(x₀) − x₁ = 0,    …,    f(x_{k−2}) − x_{k−1} = 0

No iterate is formed, so that each residual is as small as one evaluation of f allows, whatever the multipliers are. In
f^k(x) − x rounding of x is multiplied by the largest of them: beyond about 10⁸ little is left to solve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.linalg.cyclic_product import CyclicProduct
from bifurcate.linalg.operators import dense
from bifurcate.maps.iterated_map import LARGEST_DENSE, SAME_STATE, IteratedMap, Parameters
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import near
from bifurcate.validation import check_flag

__all__ = ["SHORTEST_PERIOD", "OrbitMap", "calls_for_shooting", "check_shooting", "orbit_unknowns"]

Array = NDArray[Any]

# The least period at which multiple shooting is considered: below, f would have to stretch by a factor of six a step.
SHORTEST_PERIOD = 8

# Growth of small differences along the cycle beyond which f^k(x) − x loses more digits than its solvers' tolerances can
# spare, ten of sixteen.
LARGEST_GROWTH = 1e6


@dataclass(frozen=True, eq=False)
class OrbitMap(IteratedMap):
    """The map (x₀, …, x_{k−1}) ↦ (f(x_{k−1}), f(x₀), …, f(x_{k−2})): its fixed points are the cycles of period k of f.

    It answers what an :class:`IteratedMap` does. Its states have the shape (k, *f's), and the multipliers that belong
    to its Jacobian are those of f^k.

    Parameters
    ----------
    map : Map
        f.
    shape : tuple of int
        (k, *shape of f's states).
    period : int
        k.
    """

    @property
    def state_shape(self) -> tuple[int, ...]:
        """The shape of one state."""
        return self.shape[1:]

    @cached_property
    def single(self) -> IteratedMap:
        """f itself."""
        return IteratedMap(self.map, self.state_shape)

    @cached_property
    def periods(self) -> Array | None:
        """The periods of all coordinates, inf for those without one; None if none has one."""
        return None if self.map.periods is None else np.tile(self.map.periods, self.period)

    def blocks(self, x: Array) -> Array:
        """The states of a vector of unknowns, shape (k, n), or (k, n, j) for columns."""
        return x.reshape(self.period, -1, *x.shape[1:])

    def orbit(self, x: Array, p: Parameters) -> list[Array]:
        """[x, F(x)] as vectors: k evaluations of f."""
        states = self.blocks(x)
        images = np.array([self.single._step(state, p) for state in np.roll(states, 1, axis=0)])
        if self.map.periods is not None:
            images = near(images, states, self.map.periods)
        return [x, images.ravel()]

    def iterate_orbit(self, orbit: Sequence[Array]) -> list[Array]:
        """[x₀, …, x_{k−1}, f(x_{k−1})] as vectors: the orbit of x₀ under f, without the drift of iteration."""
        return [*self.blocks(orbit[0]), self.blocks(orbit[-1])[0]]

    def first_state(self, x: Array) -> Array:
        """x₀, as a vector."""
        return np.asarray(self.blocks(x)[0])

    def phases(self, x: Array, p: Parameters) -> list[Array]:
        """The same cycle begun at each of its states."""
        return [np.roll(self.blocks(x), -j, axis=0).ravel() for j in range(self.period)]

    def half_way(self, orbit: Sequence[Array]) -> Array:
        """The same cycle begun half a period later."""
        return np.roll(self.blocks(orbit[0]), -(self.period // 2), axis=0).ravel()

    def later_states(self, x: Array, p: Parameters) -> list[Array]:
        """[x₁, …, x_{k−1}] in the map's shape."""
        return [state.reshape(self.state_shape) for state in self.blocks(x)[1:]]

    def of_multiple(self, multiple: int) -> OrbitMap:
        """The equations of cycles of a multiple of the period."""
        k = multiple * self.period
        return OrbitMap(self.map, (k, *self.state_shape), k)

    def repeated(self, v: Array, factors: Sequence[float]) -> Array:
        """A vector of unknowns for a multiple of the period: this one times each factor in turn."""
        return np.concatenate([factor * v for factor in factors])

    def least_period(self, orbit: Sequence[Array], tolerance: float = SAME_STATE) -> int:
        """The least period: the smallest divisor j of k with all x_{i+j} as near to x_i as ``tolerance`` says."""
        states = self.blocks(orbit[0])
        scale = max(self.map.scale, float(np.abs(states).max()))
        for j in range(1, self.period // 2 + 1):
            if self.period % j == 0:
                apart = self.difference(np.roll(states, -j, axis=0).ravel(), orbit[0])
                if float(np.abs(apart).max()) < tolerance * scale:
                    return j
        return self.period

    def margin(self, orbit: Sequence[Array], p: Parameters) -> float:
        """The smallest domain margin of all states."""
        return self.single.margin([*self.blocks(orbit[0]), orbit[-1]], p)

    def border_signs(self, orbit: Sequence[Array], p: Parameters) -> Array:
        """The switching functions at all states, as one vector."""
        return self.single.border_signs([*self.blocks(orbit[0]), orbit[-1]], p)

    def jacobian(self, orbit: Sequence[Array], p: Parameters) -> CyclicProduct:
        """The Jacobians at all states, as a product that is not multiplied out."""
        return CyclicProduct(tuple(dense(self.single._single(state, p)) for state in self.blocks(orbit[0])))

    def jvp(self, orbit: Sequence[Array], v: Array, p: Parameters) -> Array:
        """Derivative of F in the direction v."""
        images = [self.single._jvp(x, w, p) for x, w in zip(self.blocks(orbit[0]), self.blocks(v), strict=True)]
        return np.roll(np.array(images), 1, axis=0).ravel()

    def jacobian_times(self, orbit: Sequence[Array], columns: Array, p: Parameters) -> Array:
        """The derivative of F times columns."""
        factors = self.jacobian(orbit, p).factors
        return self._carried(factors, columns)

    def _carried(self, factors: Sequence[Array], columns: Array) -> Array:
        parts = [A @ part for A, part in zip(factors, self.blocks(columns), strict=True)]
        return np.roll(np.array(parts), 1, axis=0).reshape(columns.shape)

    def parameter_derivative(self, orbit: Sequence[Array], p: Parameters, name: str) -> Array:
        """∂F/∂name."""
        parts = [self.single._by_parameter(state, p, name) for state in self.blocks(orbit[0])]
        return np.roll(np.array(parts), 1, axis=0).ravel()

    def _jacobian_along(self, x: Array, p: Parameters, columns: Array, beside: tuple[str, Array] | None) -> Array:
        product = self.jacobian_times([x, x], columns, p)
        if beside is None:
            return product
        return np.asarray(product + np.outer(self.parameter_derivative([x, x], p, beside[0]), beside[1]))


def orbit_unknowns(map: Map, orbit: Sequence[Array]) -> Array:
    """The states of an orbit but its last one, as one vector: where multiple shooting starts.

    Coordinates that have a period are moved near the first state: in the lift they may grow, and lose digits.
    """
    first = orbit[0].reshape(-1)
    return np.concatenate([near(x.reshape(-1), first, map.periods) for x in orbit[:-1]])


def check_shooting(asked: Any, map: Map, x: Array) -> None:
    """Refuse what is no answer to the question for multiple shooting, and a Jacobian that is too large for a matrix.

    Raises
    ------
    InvalidInput
        In either case.
    """
    if asked is None:
        return
    check_flag("multiple_shooting", asked)
    if asked and map.jacobian is None and x.size > LARGEST_DENSE:
        raise InvalidInput(
            f"multiple shooting takes Jacobians as matrices: {map.name} has {x.size} unknowns and gives products only"
        )


def calls_for_shooting(map: Map, orbit: Sequence[Array], p: Parameters, shape: tuple[int, ...]) -> bool:
    """True if small differences grow so much along an orbit that its period calls for multiple shooting.

    That is so where the period is at least 8, the Jacobians are matrices, and their product, whose Frobenius norm
    bounds the growth, exceeds 10⁶.
    """
    if len(orbit) - 1 < SHORTEST_PERIOD:
        return False
    single = IteratedMap(map, shape)
    growth = np.eye(single.size)
    exponent = 0
    for x in orbit[:-1]:
        A = single._single(x, p)
        if not isinstance(A, np.ndarray):
            return False
        growth = A @ growth
        power = int(np.frexp(float(np.abs(growth).max()))[1])
        growth, exponent = np.ldexp(growth, -power), exponent + power
    size: float = float(np.linalg.norm(growth))
    return bool(np.isfinite(size) and size > 0.0 and np.log2(size) + exponent > np.log2(LARGEST_GROWTH))
