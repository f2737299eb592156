"""Differences that do not reach across a border of the map: taken on one side of it, and continued to the place."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed

__all__ = ["continued", "inward_step"]

Array = NDArray[np.float64]

REACH = 2.0  # difference steps to which five-point differences reach
CLEAR = 3.0  # difference steps by which a place is moved inward, once to four times: more than their reach
# The cubic through the values at 1, 2, 3 and 4 such moves, at 0: its error is the fourth power of a move.
WEIGHTS = (4.0, -6.0, 4.0, -1.0)


def inward_step(border: Callable[[Array], Array], x: Array, steps: Array) -> Array | None:
    """By how much a place is to be moved away from the borders in reach; None if there is none.

    Parameters
    ----------
    border : callable
        The switching functions at a place, shape (m,).
    x : ndarray, shape (n,)
        The place: a state, or a parameter.
    steps : ndarray, shape (n,)
        Difference steps of its numbers.

    Examples
    --------
    >>> inward_step(lambda x: x - 1.0, np.array([1.0001]), np.array([1e-3]))
    array([0.003])
    >>> inward_step(lambda x: x - 1.0, np.array([1.1]), np.array([1e-3])) is None
    True
    """
    here = border(x)

    def reached(place: Array) -> Array:
        try:
            return border(place)
        except MapFailed:
            return here  # nothing is known of that side; where the differences need it, they fail themselves

    ends = np.array([[reached(x + s * REACH * h * e) for s in (1.0, -1.0)] for h, e in zip(steps, np.eye(len(x)))])
    near = ((ends > 0) != (here > 0)).any(axis=(0, 1))
    if not near.any():
        return None
    slopes = (ends[:, 0] - ends[:, 1])[:, near]  # of the functions in reach, in units of the steps
    slopes /= np.maximum(np.linalg.norm(slopes, axis=0), np.finfo(float).tiny)
    direction = slopes @ np.where(here[near] > 0, 1.0, -1.0)
    size = float(np.linalg.norm(direction))
    return None if size == 0.0 else np.asarray(CLEAR * steps * direction / size)


def continued(g: Callable[[Array], Array], x: Array, move: Array) -> Array:
    """g at a place from its values at one to four moves away from it, by the cubic through them.

    Examples
    --------
    >>> continued(lambda x: x**3, np.array([1.0]), np.array([0.5])).round(12)
    array([1.])
    """
    return np.asarray(sum(weight * g(x + i * move) for i, weight in enumerate(WEIGHTS, 1)))
