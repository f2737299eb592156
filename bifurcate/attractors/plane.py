"""Planes through a state space, as grids of states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.printing import short_repr
from bifurcate.validation import (
    check_array,
    check_count,
    check_interval,
    check_sequence,
    check_text,
    is_whole_number,
    shown,
)

__all__ = ["Plane", "as_plane", "grid_size"]

Array = NDArray[np.float64]

# Sine of the angle between two directions below which they are one: coordinates along them would have lost twelve of
# their sixteen digits.
DEPENDENT = 1e-12


@dataclass(frozen=True, eq=False)
class Plane:
    """A rectangle in a plane of a state space: origin + s · across + t · up.

    Attributes
    ----------
    origin : ndarray, of the state's shape S
        The state at s = t = 0.
    across, up : ndarray, of the same shape
        Two directions, which must not be parallel. Their lengths are the units of s and t.
    bounds : ((float, float), (float, float))
        Of s and of t; by default from −1 to 1.
    names : (str, str)
        Of s and t, for axes.

    Raises
    ------
    InvalidInput
        If shapes differ, or the directions are dependent.

    Examples
    --------
    >>> plane = Plane([0.0, 0.0, 1.0], across=[1.0, 1.0, 0.0], up=[0.0, 0.0, 1.0], bounds=((0, 2), (-1, 1)))
    >>> plane.state(2.0, 1.0)
    array([2., 2., 2.])
    >>> Plane([0.0, 0.0], across=[1.0, 1.0], up=[2.0, 2.0])
    Traceback (most recent call last):
        ...
    bifurcate.errors.InvalidInput: across and up are dependent: they span a line, not a plane
    """

    origin: Array
    across: Array
    up: Array
    bounds: tuple[tuple[float, float], tuple[float, float]] = ((-1.0, 1.0), (-1.0, 1.0))
    names: tuple[str, str] = ("s", "t")

    def __post_init__(self) -> None:
        for name in ("origin", "across", "up"):
            object.__setattr__(self, name, check_array(name, getattr(self, name)))
        if not self.origin.ndim or not self.origin.shape == self.across.shape == self.up.shape:
            shapes = f"{self.origin.shape}, {self.across.shape} and {self.up.shape}"
            raise InvalidInput(f"origin, across and up have the shapes {shapes}; all must be those of a state")
        pairs = check_sequence("bounds", self.bounds, "two intervals (low, high)")
        names = check_sequence("names", self.names, "two texts")
        if len(pairs) != 2 or len(names) != 2:
            raise InvalidInput(f"bounds and names must be pairs, got {shown(self.bounds)} and {shown(self.names)}")
        bounds = tuple(check_interval(name, pair) for name, pair in zip(("s", "t"), pairs))
        object.__setattr__(self, "bounds", bounds)
        object.__setattr__(self, "names", tuple(check_text("names", each) for each in names))
        u, v = self.across.ravel(), self.up.ravel()
        lengths = np.linalg.norm(u) * np.linalg.norm(v)
        if not lengths > 0.0 or not np.isfinite(lengths):
            raise InvalidInput("across and up must be finite directions other than 0")
        if not np.linalg.norm(v - (u @ v) / (u @ u) * u) > DEPENDENT * np.linalg.norm(v):
            raise InvalidInput("across and up are dependent: they span a line, not a plane")

    __repr__ = short_repr

    def state(self, s: float, t: float) -> Array:
        """The state at coordinates in the plane."""
        return np.asarray(self.origin + s * self.across + t * self.up)

    def states(self, points: Array) -> Array:
        """The states at many coordinates, shape (m, 2) → (m, *S)."""
        flat = self.origin.ravel() + points @ np.array([self.across.ravel(), self.up.ravel()])
        return np.asarray(flat.reshape(len(points), *self.origin.shape))

    def coordinates(self, states: Array) -> Array:
        """Coordinates of the nearest points of the plane, shape (m, *S) → (m, 2)."""
        directions = np.array([self.across.ravel(), self.up.ravel()]).T
        apart = (states - self.origin).reshape(len(states), -1)
        return np.asarray(np.linalg.lstsq(directions, apart.T, rcond=None)[0].T)

    def cells(self, nx: int, ny: int) -> tuple[Array, Array]:
        """The centres of nx cells in s and of ny in t."""
        (left, right), (low, high) = self.bounds
        x = left + (np.arange(nx) + 0.5) * ((right - left) / nx)
        y = low + (np.arange(ny) + 0.5) * ((high - low) / ny)
        return np.asarray(x, dtype=float), np.asarray(y, dtype=float)

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Random coordinates, uniform in the rectangle, shape (count, 2)."""
        (left, right), (low, high) = self.bounds
        return np.asarray(np.array([left, low]) + np.array([right - left, high - low]) * rng.random((count, 2)))


def as_plane(plane: Any, origin: Any) -> Plane:
    """A plane, from one, or from two coordinates' intervals and the state in which all others are held.

    Raises
    ------
    InvalidInput
        If it is neither.
    """
    if isinstance(plane, Plane):
        if origin is not None:
            raise InvalidInput("origin is a part of the Plane that is given; leave it out")
        return plane
    if not isinstance(plane, Mapping) or len(plane) != 2 or not all(map(is_whole_number, plane)):
        raise InvalidInput(
            f"plane is {shown(plane)}; it must be a Plane(origin, across, up), or the intervals of two coordinates by "
            "their numbers, as {0: (-2, 2), 1: (-2, 2)}"
        )
    (i, first), (j, second) = plane.items()
    least = max(check_count("a coordinate", each, least=0) for each in (i, j)) + 1
    if origin is None and least > 2:
        raise InvalidInput(f"plane names coordinate {least - 1}: give origin=, the state that holds the other ones")
    state = np.zeros(2) if origin is None else check_array("origin", origin)
    if i == j or state.size < least:
        raise InvalidInput(f"plane names the coordinates {i} and {j} of a state of {state.size} numbers")
    bounds = (check_interval(f"coordinate {i}", first), check_interval(f"coordinate {j}", second))
    units = np.zeros((2, state.size))
    units[0, i] = units[1, j] = 1.0
    held = state.ravel().copy()
    held[[i, j]] = 0.0
    shape = state.shape or (1,)
    return Plane(held.reshape(shape), units[0].reshape(shape), units[1].reshape(shape), bounds, (f"x{i}", f"x{j}"))


def grid_size(cells: Any) -> tuple[int, int]:
    """Numbers of cells across and up, from one number or two."""
    if is_whole_number(cells):
        return check_count("cells", cells), check_count("cells", cells)
    given = check_sequence("cells", cells, "two whole numbers")
    if len(given) != 2:
        raise InvalidInput(f"cells is {shown(cells)}; it must be a whole number or two")
    return check_count("cells", given[0]), check_count("cells", given[1])
