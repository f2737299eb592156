"""Where a basin ends: points of its boundary in a plane, and the smallest shock that leads out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import OUTCOMES, UNDECIDED, Attractor
from bifurcate.attractors.basins import Basins, known_attractors
from bifurcate.attractors.bisection import bisect, labels_of
from bifurcate.attractors.discovery import settle_all
from bifurcate.attractors.fractions import label_name
from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.printing import number_text, short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import (
    check_array,
    check_count,
    check_instance,
    check_positive,
    check_seed,
    check_sequence,
)

__all__ = ["BasinBoundary", "FatalShock", "boundary_points", "fatal_shock"]

Array = NDArray[np.float64]

# Lengths of shocks that are tried along each direction, from the tolerance's to the largest one: each 1.3 times longer
# than the last, so that a hole in a basin is missed if it is thinner than a quarter of its distance.
LONGER = 1.3
SHORTEST = 1e-4  # of the largest one
# States of an attractor from which shocks are tried, spread evenly along it.
MOST_STATES = 8
# Directions that are refined at a time, how often each is turned, and by which angles (lengths of what is added to it),
# twice each; by how much shorter shocks are tried then, in squares of the angle.
BEST, TRIES, TURNS = 6, 24, (0.8, 0.4, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
SHORTER = (0.03, 0.1, 0.3, 1.0, 3.0)
# Fatal shocks of the first length at which there are some that are shortened, and the part of it to which.
MOST_SHORTENED, ROUGH = 64, 0.02
MOST_LOOKS = 4  # at what shocks lead to that settle on no attractor that is known


@dataclass(frozen=True, eq=False)
class BasinBoundary(Tabular):
    """Points of boundaries between basins in a plane.

    Attributes
    ----------
    points : ndarray, shape (m, 2)
        In the plane's coordinates s and t.
    labels : ndarray of int, shape (m, 2)
        Of the states on both sides.
    error : float
        By how much each may be off, along the edge of the grid on which it was found.
    """

    points: Array
    labels: NDArray[np.int_]
    error: float

    __repr__ = short_repr

    def table(self) -> Columns:
        """One row a point of the boundary: its coordinates in the plane, and the labels on its two sides."""
        columns = [*self.points.T.tolist(), *self.labels.T.tolist()]
        return dict(zip(("across", "up", "label_0", "label_1"), columns, strict=True))


def boundary_points(basins: Basins, *, tolerance: float = 1e-9, most: int = 2000, seed: int = 0) -> BasinBoundary:
    """Points of the boundaries between basins: where segments between neighbouring cells leave a basin.

    Parameters
    ----------
    basins : Basins
        With their map.
    tolerance : float
        Part of a cell's width to which each segment is divided.
    most : int
        Points at the most: of more pairs of neighbours of different labels, some are drawn.
    seed : int
        Of that draw.

    Returns
    -------
    BasinBoundary
        The label of the second side is that of the neighbouring cell; between may be others, where it is fractal.

    Raises
    ------
    InvalidInput
        If an argument is unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.basins(bf.Map(lambda x, a: a * x - x**3, {"a": 1.5}), {0: (-1, 1.1), 1: (-1, 1.2)}, cells=10)
    >>> edge = bf.boundary_points(found)
    >>> bool(abs(edge.points).min(axis=1).max() < 1e-9)  # the axes, exactly
    True
    """
    check_instance("basins", basins, Basins, "basins(map, plane) makes them")
    check_positive("tolerance", tolerance)
    check_count("most", most)
    rng = np.random.default_rng(check_seed(seed))
    pairs = _neighbours(basins)
    if len(pairs) > most:
        pairs = pairs[np.sort(rng.choice(len(pairs), most, replace=False))]
    if not len(pairs):
        return BasinBoundary(np.empty((0, 2)), np.empty((0, 2), dtype=int), 0.0)
    flat = basins.labels.ravel()
    centres = np.column_stack([np.tile(basins.x, len(basins.y)), np.repeat(basins.y, len(basins.x))])
    starts, apart = centres[pairs[:, 0]], centres[pairs[:, 1]] - centres[pairs[:, 0]]
    step = basins.plane.states(starts + apart) - basins.plane.states(starts)
    length = tolerance * float(np.abs(step).reshape(len(step), -1).max(axis=1).min())
    inside, left = bisect(
        basins.map,
        basins.plane.states(starts),
        step,
        flat[pairs[:, 0]],
        basins.attractors,
        basins.steps,
        length,
    )
    points = basins.plane.coordinates(inside + 0.5 * left)
    error = tolerance * float(np.abs(apart).max())
    return BasinBoundary(points, flat[pairs], error)


def _neighbours(basins: Basins) -> NDArray[np.int_]:
    """Numbers of neighbouring cells of different labels, the first of which is on an attractor or at infinity."""
    number = np.arange(basins.labels.size).reshape(basins.labels.shape)
    across = np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()])
    up = np.column_stack([number[:-1].ravel(), number[1:].ravel()])
    pairs, flat = np.vstack([across, up]), basins.labels.ravel()
    first, second = flat[pairs[:, 0]], flat[pairs[:, 1]]
    undecided = min(OUTCOMES) + 1  # neither undecided nor interrupted ones are a side
    keep = (first != second) & (first > undecided) & (second > undecided)
    return np.asarray(pairs[keep])


@dataclass(frozen=True, eq=False)
class FatalShock:
    """A small shock that takes an attractor's orbit into another basin.

    Attributes
    ----------
    size : float
        Its Euclidean length: an upper bound of the smallest one's. inf if none was found.
    shock : ndarray
        What is added to the state.
    state : ndarray
        The attractor's state to which it is added.
    label : int
        Where the orbit goes.
    to : str
        The same in words.
    tried : int
        Starts that were settled.
    """

    size: float
    shock: Array
    state: Array
    label: int
    to: str
    tried: int

    __repr__ = short_repr

    def __str__(self) -> str:
        if not np.isfinite(self.size):
            return f"no fatal shock was found among {self.tried} starts"
        return f"a shock of {number_text(self.size, digits=6)} leads to {self.to}"


def fatal_shock(
    map_or_attractors: Any,
    attractor: int = 0,
    *,
    largest: float | None = None,
    within: Any = None,
    directions: int = 100,
    steps: int = 2000,
    tolerance: float = 1e-6,
    seed: int = 0,
    progress: Report | bool | None = None,
) -> FatalShock:
    """The smallest shock found that takes an orbit off its attractor for good (Klinshov et al.; Halekotte & Feudel).

    Shocks of growing length are tried along random directions from each of the attractor's states; along the best ones
    the length is found by bisection, and these directions are turned, by less and less, as long as it gets smaller.

    Parameters
    ----------
    map_or_attractors : Attractors or Basins
        What has the attractors.
    attractor : int
        Its number.
    largest : float, optional
        The longest shock that is tried; by default ten times the size of the attractor's states and the map's scale.
    within : sequence of array_like, optional
        Directions in whose span shocks must lie; by default all are allowed.
    directions : int
        Random directions from each state, beside those along the axes (of up to 50 unknowns).
    steps : int
        Iterations in which a start must settle; one that does not is not counted as gone.
    tolerance : float
        Part of its length to which a shock is found.
    seed : int
        Of the directions.
    progress : callable, bool, optional
        Called with a :class:`Progress` whenever some shocks were tried; or True for a line that says how far the call
        has come, False for none. If it is not given, a line appears after two seconds in terminals and notebooks.

    Returns
    -------
    FatalShock
        An upper bound: thin parts of other basins may be nearer.

    Raises
    ------
    InvalidInput
        If there is no such attractor, or an argument is unusable.

    References
    ----------
    Klinshov, Nekorkin & Kurths, New J. Phys. 18 (2016) 013004; Halekotte & Feudel, Sci. Rep. 10 (2020) 11783.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.attractors(bf.Map(lambda x, a: a * x - x**3, {"a": 1.5}), [(-1, 1)], starts=20)
    >>> round(bf.fatal_shock(found).size, 5)  # from ±√½ to ±√1.5, beyond which the sign changes; 0 is farther away
    0.51764
    """
    map, known = known_attractors(map_or_attractors)
    check_count("attractor", attractor, least=0)
    if attractor >= len(known):
        raise InvalidInput(
            f"there is no attractor {attractor}; there are {len(known)}: attractors(map, box) finds them"
        )
    for name, value in (("directions", directions), ("steps", steps)):
        check_count(name, value)
    check_positive("tolerance", tolerance)
    rng = np.random.default_rng(check_seed(seed))
    states = known[attractor].states
    states = states[:: -(-len(states) // MOST_STATES)]
    unit = max(map.scale, float(np.abs(states).max()))
    reach = 10.0 * unit if largest is None else check_positive("largest", largest)
    basis = _span(within, states[0])
    with reporting(progress, f"fatal shock of {map.name}", (), "shocks") as report:
        search = _ShockSearch(map, known, attractor, steps, tolerance, basis, rng, report)
        return search.run(states, directions, reach)


def _span(within: Any, state: Array) -> Array | None:
    """An orthonormal basis of the directions that are allowed, shape (m, n); None for all."""
    if within is None:
        return None
    rows = [check_array("within", each) for each in check_sequence("within", within, "directions")]
    if not rows or any(each.shape != state.shape for each in rows):
        raise InvalidInput(f"within must hold directions of the state's shape, {state.shape}")
    _, sizes, basis = np.linalg.svd(np.array([each.ravel() for each in rows]), full_matrices=False)
    if not sizes[0] > 0.0:
        raise InvalidInput("within must hold directions other than 0")
    return np.asarray(basis[sizes > 1e-12 * sizes[0]])


class _ShockSearch:
    """Shocks that are tried, and the shortest fatal ones."""

    def __init__(
        self,
        map: Map,
        known: tuple[Attractor, ...],
        own: int,
        steps: int,
        tolerance: float,
        basis: Array | None,
        rng: np.random.Generator,
        report: Report | None,
    ) -> None:
        self.report = report
        self.map, self.known, self.own, self.steps, self.tolerance = map, known, own, steps, tolerance
        self.basis, self.rng, self.tried, self.looks = basis, rng, 0, MOST_LOOKS

    def run(self, states: Array, directions: int, reach: float) -> FatalShock:
        origins, vectors = [], []
        for state in states:
            drawn = self._directions(state.size, directions)
            origins += [state] * len(drawn)
            vectors += list(drawn)
        count = int(np.log(1.0 / SHORTEST) / np.log(LONGER)) + 2
        sizes = np.asarray(reach * SHORTEST * LONGER ** np.arange(count), dtype=float)
        found = self._first_fatal(np.array(origins), np.array(vectors), sizes)
        if not np.isfinite(found).any():
            empty = np.full(states[0].shape, np.nan)
            return FatalShock(np.inf, empty, empty, self.own, "nowhere else", self.tried)
        rows = np.flatnonzero(np.isfinite(found))[:MOST_SHORTENED]
        starts, turned = np.array(origins)[rows], np.array(vectors)[rows]
        lengths = self._shorten(starts, turned, found[rows], ROUGH)
        for angle in np.repeat(TURNS, 2).tolist():
            starts, turned, lengths = self._turn(*self._best(starts, turned, lengths), angle)
        starts, turned, lengths = self._best(starts, turned, lengths)
        lengths = self._shorten(starts, turned, lengths, self.tolerance)
        i = int(lengths.argmin())
        shock = (lengths[i] * turned[i]).reshape(states[0].shape)
        label = int(self._labels((starts[i] + shock)[None])[0])
        return FatalShock(float(lengths[i]), shock, starts[i], label, label_name(label, self.known), self.tried)

    def _directions(self, n: int, count: int) -> Array:
        """Directions of length 1, shape (m, n)."""
        basis = np.eye(n) if self.basis is None else self.basis
        drawn = self.rng.standard_normal((count, len(basis))) @ basis
        if len(basis) <= 50:
            drawn = np.vstack([basis, -basis, drawn])
        return np.asarray(drawn / np.linalg.norm(drawn, axis=1)[:, None])

    def _labels(self, states: Array) -> NDArray[np.int_]:
        self.tried += len(states)
        if self.report is not None:
            self.report(Progress(dict(self.map.parameters), self.tried))
        labels = labels_of(self.map, states, self.known, self.steps)
        rows = np.flatnonzero(labels == UNDECIDED)
        if len(rows) and self.looks:  # they may settle on attractors that are not known yet
            self.looks -= 1
            found = settle_all(self.map, states[rows], self.known, self.steps, 0)
            self.known, labels[rows] = tuple(found.attractors), found.settled.labels
        return labels

    def _is_fatal(self, origins: Array, vectors: Array, sizes: Array) -> NDArray[np.bool_]:
        shocks = (sizes[:, None] * vectors).reshape(origins.shape)
        labels = self._labels(origins + shocks)
        return np.asarray((labels != self.own) & (labels > min(OUTCOMES) + 1))

    def _first_fatal(self, origins: Array, vectors: Array, sizes: Array) -> Array:
        """The first of growing sizes at which a shock along each vector is fatal; inf if none is.

        Sizes are tried together for all vectors that are still open, up to the smallest fatal one and one more.
        """
        found = np.full(len(origins), np.inf)
        for size in sizes.tolist():
            rows = np.flatnonzero(~np.isfinite(found))
            is_fatal = self._is_fatal(origins[rows], vectors[rows], np.full(len(rows), size))
            found[rows[is_fatal]] = size
            if np.isfinite(found).sum() >= BEST:
                break
        return found

    def _shorten(self, origins: Array, vectors: Array, sizes: Array, tolerance: float) -> Array:
        """Sizes of fatal shocks to a tolerance, by bisection from shorter ones."""
        low, high = sizes / LONGER, sizes.copy()
        while float(((high - low) / high).max()) > tolerance:
            middle = 0.5 * (low + high)
            is_fatal = self._is_fatal(origins, vectors, middle)
            high, low = np.where(is_fatal, middle, high), np.where(is_fatal, low, middle)
        return high

    @staticmethod
    def _best(origins: Array, vectors: Array, lengths: Array) -> tuple[Array, Array, Array]:
        best = np.argsort(lengths, kind="stable")[:BEST]
        return origins[best], vectors[best], lengths[best]

    def _turn(self, origins: Array, vectors: Array, lengths: Array, angle: float) -> tuple[Array, Array, Array]:
        """Turn directions by random amounts, and add those along which shorter shocks are fatal.

        By an angle φ off the normal of a boundary its distance is longer by 1/cos φ: lengths are tried that are shorter
        by parts of the square of the angle.
        """
        added = angle * self._directions(vectors.shape[1], TRIES * len(vectors))[-TRIES * len(vectors) :]
        turned = np.repeat(vectors, TRIES, axis=0) + added
        turned /= np.linalg.norm(turned, axis=1)[:, None]
        there, before = np.repeat(origins, TRIES, axis=0), np.repeat(lengths, TRIES)
        factors = 1.0 / (1.0 + angle * angle * np.array(SHORTER))
        is_fatal = self._is_fatal(
            np.repeat(there, len(factors), axis=0),
            np.repeat(turned, len(factors), axis=0),
            (before[:, None] * factors).ravel(),
        ).reshape(-1, len(factors))
        rows = np.flatnonzero(is_fatal.any(axis=1))
        shortest = np.where(is_fatal[rows], before[rows, None] * factors, np.inf).min(axis=1)
        return np.concatenate([origins, there[rows]]), np.vstack([vectors, turned[rows]]), np.append(lengths, shortest)
