"""Segments between states of different basins, divided until their ends are as near as asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import INTERRUPTED, Attractor
from bifurcate.attractors.settling import settle
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["bisect", "difference", "labels_of"]

Array = NDArray[np.float64]

# States that divide a segment at a time where there is one: the cost of a batch hardly depends on their number.
SECTIONS = 16
# Rounds at the most: 2⁻⁶⁰ of a segment's length is below rounding.
ROUNDS = 60


def labels_of(map: Map, states: Array, known: Sequence[Attractor], steps: int) -> NDArray[np.int_]:
    """Where states, shape (m, *S), settle among known attractors."""
    found = settle(map, states, known, steps).labels
    if (found == INTERRUPTED).any():
        raise KeyboardInterrupt
    return found


def difference(map: Map, a: Array, b: Array) -> Array:
    """b − a, the shortest one round coordinates with a period; of the states' shape."""
    return shortest((b - a).reshape(*a.shape[: a.ndim - b.ndim], -1), map.periods).reshape((b - a).shape)


def bisect(
    map: Map,
    inside: Array,
    apart: Array,
    labels: NDArray[np.int_],
    known: Sequence[Attractor],
    steps: int,
    length: float,
) -> tuple[Array, Array]:
    """Shorten segments from a state of a basin to one that is in another, at which the first basin is left.

    Parameters
    ----------
    map : Map
    inside : ndarray, shape (m, *S)
        States in the basins.
    apart : ndarray, shape (m, *S)
        Differences to states that are not in them.
    labels : ndarray of int, shape (m,)
        Of the states inside.
    known : sequence of Attractor
    steps : int
        Iterations in which states must settle; those that do not are not in the basin.
    length : float
        ‖difference‖_∞ at which a segment is short enough.

    Returns
    -------
    inside, apart : ndarray
    """
    inside, apart = inside.copy(), apart.copy()
    parts = max(2, SECTIONS // len(inside))
    for _ in range(ROUNDS):
        longest = np.abs(apart.reshape(len(apart), -1)).max(axis=1)
        rows = np.flatnonzero(longest > length)
        if not len(rows):
            break
        t = np.arange(1, parts) / parts
        shaped = t.reshape(-1, *(1,) * (inside.ndim - 1))
        between = np.concatenate([inside[i] + shaped * apart[i] for i in rows])
        found = labels_of(map, between, known, steps).reshape(len(rows), parts - 1)
        is_in = found == labels[rows, None]
        first_out = np.where(is_in.all(axis=1), parts - 1, is_in.argmin(axis=1))
        moved = (first_out / parts).reshape(-1, *(1,) * (inside.ndim - 1))
        inside[rows] += moved * apart[rows]
        apart[rows] /= parts
    return inside, apart
