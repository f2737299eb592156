"""InvariantCurveMap: the values of a closed curve at equidistant angles as one state, which f^k takes to another.

A curve x(θ), θ from 0 to 1, is invariant with rotation number ρ if g(x(θ)) = x(θ + ρ) for all θ, g = f^k. It is held
at m = 2M + 1 equidistant angles, as the trigonometric polynomial with M modes through these values. Where a coordinate
goes round a circle of its own, x(θ) = w P θ + a periodic part, with P its period and w whole; only the periodic part is
unknown.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.trigonometric import coefficients, resampled, shifted_values
from bifurcate.maps.accelerated_batches import MapOnRows
from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.batches import BatchRows
from bifurcate.maps.derivatives import FIVE_POINT_STEP
from bifurcate.maps.iterated_map import IteratedMap, Parameters
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["InvariantCurveMap"]

Array = NDArray[Any]

EXCESS = 1e-7  # residual, in units of the state, that a curve may leave under the map that is said to be its own
ESTIMATES = 3  # steps of Newton's method for the rotation number alone


@dataclass(frozen=True, eq=False)
class InvariantCurveMap(IteratedMap):
    """g at the values of a closed curve.

    It answers what an :class:`IteratedMap` does, with period 1.

    Parameters
    ----------
    map : Map
        f.
    shape : tuple of int
        (m, *shape of f's states).
    period : int
        1.
    steps : int
        k.
    winding : tuple of int
        w of every number of the state; () if none goes round.
    """

    steps: int = 1
    winding: tuple[int, ...] = ()

    @property
    def state_shape(self) -> tuple[int, ...]:
        """The shape of one state."""
        return self.shape[1:]

    @cached_property
    def dimension(self) -> int:
        """n, the numbers of one state."""
        return math.prod(self.state_shape)

    @cached_property
    def single(self) -> IteratedMap:
        """g."""
        return IteratedMap(self.map, self.state_shape, self.steps, self.widths)

    @cached_property
    def periods(self) -> Array | None:
        """None: whole periods are kept apart from the unknowns."""
        return None

    @cached_property
    def turn(self) -> Array:
        """By how much the state's numbers grow as θ goes round once, shape (n,)."""
        if not any(self.winding):
            return np.zeros(self.dimension)
        assert self.map.periods is not None
        return np.array(self.winding) * np.where(np.isfinite(self.map.periods), self.map.periods, 0.0)

    def rows(self, x: Array) -> Array:
        """The states at the angles, shape (m, n)."""
        values = np.asarray(x).reshape(self.shape[0], -1)
        if not any(self.winding):
            return values
        return np.asarray(values + np.arange(len(values))[:, None] / len(values) * self.turn)

    def shifted_rows(self, x: Array, shift: float) -> Array:
        """The states at the angles + shift, shape (m, n)."""
        return self.rows(shifted_values(x.reshape(self.shape[0], -1), shift)) + shift * self.turn

    def first_state(self, x: Array) -> Array:
        """The state at θ = 0."""
        return np.asarray(self.rows(x)[0])

    def resized(self, m: int) -> InvariantCurveMap:
        """The same at another number of angles."""
        return dataclasses.replace(self, shape=(m, *self.state_shape))

    def resampled(self, x: Array, m: int) -> Array:
        """A vector of values at another number of angles."""
        return resampled(np.asarray(x).reshape(self.shape[0], -1), m).ravel()

    def _several(self, rows: Array, p: Parameters) -> MapOnRows:
        known: MapOnRows | None = self.__dict__.get("_map_on_rows")
        if known is None:
            known = MapOnRows(self.map, BatchRows(rows.reshape(-1, *self.state_shape), dict(p)))
            self.__dict__["_map_on_rows"] = known
        return known

    def orbits(self, rows: Array, p: Parameters) -> list[Array]:
        """[rows, f(rows), …, g(rows)], each of shape (m, n); NaN where f fails."""

        def iterate(step: BatchedMap) -> list[Array]:
            found = [rows]
            for _ in range(self.steps):
                found.append(step.images(found[-1], p))
            return found

        return self._several(rows, p).run(iterate)

    def blocks(self, orbits: Sequence[Array], p: Parameters) -> Array:
        """g' at the rows, shape (m, n, n), from their orbits."""

        def multiply(step: BatchedMap) -> Array:
            product = step.jacobians(orbits[0], p)
            for rows in orbits[1:-1]:
                product = step.jacobians(rows, p) @ product
            return product

        return self._several(orbits[0], p).run(multiply)

    def slopes(self, orbits: Sequence[Array], p: Parameters, name: str) -> Array:
        """∂g/∂name at the rows, shape (m, n)."""
        rows = orbits[0]
        if self.map.parameter_derivative is None and self.map.derivative == "central":
            h = FIVE_POINT_STEP * self.parameter_unit(name, p[name])
            images = [self.orbits(rows, {**p, name: p[name] + part * h})[-1] for part in (1.0, -1.0, 2.0, -2.0)]
            near, far = (shortest(images[i] - images[i + 1], self.map.periods) for i in (0, 2))
            return np.asarray((8.0 * near - far) / (12.0 * h))
        one = self.single
        return np.array([one.parameter_derivative(one.orbit(state, p), p, name) for state in rows])

    def defect(self, x: Array, p: Parameters, rotation_number: float) -> Array:
        """g(x(θ)) − x(θ + ρ) at the angles, shape (m, n)."""
        return shortest(self.orbits(self.rows(x), p)[-1] - self.shifted_rows(x, rotation_number), self.map.periods)

    def orbit(self, x: Array, p: Parameters) -> list[Array]:
        """[x, the images] as vectors of states."""
        return [x, self.orbits(self.rows(x), p)[-1].ravel()]

    def iterate_orbit(self, orbit: Sequence[Array]) -> list[Array]:
        """The orbit itself."""
        return list(orbit)

    def later_states(self, x: Array, p: Parameters) -> list[Array]:
        """The states at the other angles."""
        return [row.reshape(self.state_shape) for row in self.rows(x)[1:]]

    def least_period(self, orbit: Sequence[Array], tolerance: float = 0.0) -> int:
        """1: there are no shorter ones."""
        return 1

    def phases(self, x: Array, p: Parameters) -> list[Array]:
        """The curve itself: where θ = 0 is, is fixed."""
        return [x]

    def margin(self, orbit: Sequence[Array], p: Parameters) -> float:
        """The smallest domain margin at the angles; −inf where a state or image is not finite."""
        if not all(np.isfinite(each).all() for each in orbit):
            return -np.inf
        rows = self.rows(orbit[0])
        return float(self._several(rows, p).run(lambda step: step.margins(rows, p)).min())

    def border_signs(self, orbit: Sequence[Array], p: Parameters) -> Array:
        """None are looked at: a curve across a border crosses it twice, wherever it lies."""
        return np.empty(0)

    def excess_residual(self, x: Array, p: Parameters, residual: float) -> str:
        """In which numbers the curve fails to be invariant under g, whatever its rotation number; "" if it does not."""
        values = np.asarray(x).reshape(self.shape[0], -1)
        images = self.orbits(self.rows(x), p)[-1]
        unit = max(self.map.scale, float(np.abs(values).max()))
        if np.isfinite(images).all():
            rho = self.estimated_rotation(x, images)
            found = float(np.abs(shortest(images - self.shifted_rows(x, rho), self.map.periods)).max())
            if found <= residual + EXCESS * unit:
                return ""
        return f"at {', '.join(f'{name} = {value:.6g}' for name, value in p.items())} the curve is not invariant"

    def estimated_rotation(self, x: Array, images: Array) -> float:
        """The rotation number with which images differ least from the shifted curve."""
        values = np.asarray(x).reshape(self.shape[0], -1)
        linear = np.arange(len(values))[:, None] / len(values) * self.turn
        wound = shortest(images - linear - values.mean(axis=0), self.map.periods) if any(self.winding) else images
        before, after = coefficients(values)[1], coefficients(wound - wound.mean(axis=0))[1]
        rho = float(np.angle(np.vdot(before, after))) / (2.0 * np.pi)
        if any(self.winding):  # the mean of the images moves by w P ρ
            w = np.flatnonzero(self.winding)[0]
            rho = float(shortest(images - self.rows(x), self.map.periods)[:, w].mean()) / float(self.turn[w])
        for _ in range(ESTIMATES):
            up, down = self.shifted_rows(x, rho + 1e-6), self.shifted_rows(x, rho - 1e-6)
            slope, rest = (up - down) / 2e-6, shortest(images - self.shifted_rows(x, rho), self.map.periods)
            rho += float((slope * rest).sum() / (slope * slope).sum())
        return rho
