"""G(x) = f(x) − x on flattened states: its values, its derivatives, and by how much these may be wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput, MapFailed
from bifurcate.linalg.operators import dense
from bifurcate.maps.derivatives import FIVE_POINT_STEP, central_difference, directional_derivative
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.validation import check_seed, check_sequence

__all__ = ["EPS", "LARGEST_DENSE", "SURE", "TOLERANCE", "Field", "above", "checked", "generator", "worst_of"]

EPS = float(np.finfo(float).eps)
# Relative residual up to which an energy counts as reconstructed, by default: differences of E know its gradient to
# 1e-10, and the rest is room for an f that is known to single precision only.
TOLERANCE = 1e-6
SURE = 10.0  # a difference refutes only if it is this many times its error


LARGEST_DENSE = 1500  # size limit: unknowns up to which a Jacobian is made dense; beyond, only products are used


@dataclass(frozen=True, eq=False)
class Field:
    """The field G = f − id of a map.

    Attributes
    ----------
    map : Map
    shape : tuple of int
        The shape in which the map wants its states; every vector here is flat.
    """

    map: Map
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of unknowns, n."""
        return math.prod(self.shape)

    @property
    def scale(self) -> float:
        """A typical magnitude of the state, as the map says."""
        return self.map.scale

    def image(self, x: np.ndarray) -> np.ndarray:
        """f(x)."""
        return self.map.evaluate(x.reshape(self.shape), self.map.parameters).reshape(-1)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """G(x)."""
        return np.asarray(self.image(x) - x)

    def dense(self) -> None:
        """Raise InvalidInput if a dense Jacobian would be too large."""
        if self.size > LARGEST_DENSE:
            raise InvalidInput(
                f"the state has {self.size} unknowns; a dense Jacobian is formed here, up to {LARGEST_DENSE}"
            )

    def inside(self, x: np.ndarray) -> bool:
        """True if x lies in the map's declared domain and f is finite there."""
        with np.errstate(all="ignore"):
            domain = self.map.domain
            if domain is not None and not np.min(domain(x.reshape(self.shape), **self.map.parameters)) > 0.0:
                return False
            return bool(np.isfinite(self.image(x)).all())

    @property
    def differentiated(self) -> bool:
        """True if derivatives are exact up to rounding: given, or not from differences."""
        return self.map.jvp is not None or self.map.jacobian is not None or self.map.derivative != "central"

    def tangent(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """DG(x) v, as the map gives its derivative."""
        shape = self.shape
        return np.asarray(self.map.tangent(x.reshape(shape), v.reshape(shape), self.map.parameters).reshape(-1) - v)

    def differenced(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """DG(x) v by five-point differences of f, whatever derivative the map gives."""
        shape, map = self.shape, self.map
        with np.errstate(all="ignore"):
            slope = directional_derivative(
                map.f, x.reshape(shape), v.reshape(shape), map.parameters, "central", map.scale
            )
        return np.asarray(slope.reshape(-1) - v)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """DG(x), dense; NaN where f, or the Jacobian given, fails."""
        try:
            J = dense(IteratedMap(self.map, self.shape).jacobian([x, x], self.map.parameters))
        except MapFailed:  # f ends within reach of the differences
            return np.full((self.size, self.size), np.nan)
        return J - np.eye(self.size)

    def columns(self, x: np.ndarray, which: np.ndarray) -> np.ndarray:
        """Columns of DG(x), shape (n, len(which))."""
        if self.map.jacobian is not None:
            return self.jacobian(x)[:, which]
        unit = np.eye(self.size)
        if self.differentiated:
            return np.column_stack([self.tangent(x, unit[j]) for j in which])
        # A step of its own for every coordinate, as in the Jacobian.
        steps = FIVE_POINT_STEP * np.maximum(self.scale, np.abs(x))
        with np.errstate(all="ignore"):
            slopes = [central_difference(lambda t: self.image(x + t * unit[j]), steps[j]) for j in which]  # noqa: B023
        return np.column_stack(slopes) - unit[:, which]

    def error(self, x: np.ndarray, V: np.ndarray, JV: np.ndarray, rng: np.random.Generator) -> float:
        """How far ``JV`` is from DG(x) V: the largest ‖JV c − DG V c‖₂ over three random unit vectors c.

        DG V c is a difference of f along V c. Where the columns themselves are differences this is their want of
        linearity, which is their truncation and rounding; where they are derivatives that were given it shows their
        faults, too. For columns of independent errors of norm ε it is about ε.
        """
        worst = float(8.0 * EPS * np.linalg.norm(JV + V, axis=0).max(initial=1.0))
        for _ in range(3):
            c = rng.standard_normal((V.shape[1],))
            c /= np.linalg.norm(c)
            apart = float(np.linalg.norm(JV @ c - self.differenced(x, V @ c)))
            worst = max(worst, apart if np.isfinite(apart) else float("inf"))
        return worst


def checked(map: Any, states: Any) -> tuple[Field, np.ndarray]:
    """The field, and the states that the user gave as rows, shape (k, n).

    Raises
    ------
    InvalidInput
        If the map is none, no state is given, a state is unusable or the states' shapes differ.
    """
    if not isinstance(map, Map):
        raise InvalidInput(f"map must be a bifurcate Map, got {type(map).__name__}")
    rows = [map.check(state) for state in check_sequence("states", states, "states")]
    if not rows:
        raise InvalidInput("states is empty; give at least one state")
    if len({row.shape for row in rows}) > 1:
        raise InvalidInput(f"states have different shapes: {sorted({row.shape for row in rows})}")
    return Field(map, rows[0].shape), np.array([row.reshape(-1) for row in rows])


def above(name: str, value: Any, bound: float) -> float:
    """A finite number greater than a bound."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not bound < found < math.inf:
        raise InvalidInput(f"{name} is {value!r}; it must be a finite number greater than {bound:g}")
    return found


def generator(seed: Any) -> np.random.Generator:
    """A random generator with this seed, a whole number of at least 0."""
    return np.random.default_rng(check_seed(seed))


def worst_of(found: np.ndarray, error: np.ndarray) -> tuple[int, ...]:
    """Index of the entry that exceeds its error by the largest factor."""
    return tuple(int(i) for i in np.unravel_index(np.argmax(found / error), found.shape))
