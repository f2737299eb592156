"""Starts for a search of all cycles in a box: k states each, where multiple shooting begins.

Three kinds, which miss different cycles:

    closed walks     in few dimensions: the box is cut into cells, f is sampled in each, and closed walks of k steps are
                     drawn from the graph of cells. Every cycle in the box follows such a walk, attracting or not
    near returns     pieces of orbits whose end comes close to their beginning: cycles in attractors
    box points       the orbit of a point of the box, or k points of it that have nothing to do with each other
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import qmc

from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.periodic_coordinates import near

__all__ = ["StartMaker"]

Array = NDArray[np.float64]
Cells = NDArray[np.intp]

# Cells along an axis, and samples of f along each axis of a cell, by dimension: some ten thousand cells at the most,
# and images that lie nearer to each other than cells where f stretches by less than the number of samples.
CELLS = {1: 2000, 2: 100, 3: 22}
SAMPLES = {1: 8, 2: 4, 3: 2}

NUMBERS_OF_WALKS = 4_000_000  # numbers that say how many walks lead on from where: 32 MB
WALKS_FROM_ONE = 4  # walks that are drawn from one start
ORBITS, LENGTH, TRANSIENT = 32, 256, 64  # of orbits that are searched for near returns
CHOICE = 8  # near returns are the nearest of so many times as many
FAR = 10.0  # widths of the box from its middle beyond which a start is of no use


@dataclass(eq=False)
class StartMaker:
    """Makes starts in a box.

    Attributes
    ----------
    map : BatchedMap
    low, high : ndarray, shape (n,)
        The box.
    rng : numpy.random.Generator
    """

    map: BatchedMap
    low: Array
    high: Array
    rng: np.random.Generator

    def make(self, period: int, count: int) -> Array:
        """About so many starts, shape (m, period, n)."""
        parts = [self.near_returns(period, count // 4), self.box_points(period, count // 4)]
        walks = self.closed_walks(period, count // 2)
        return np.concatenate([walks, *parts])

    def points(self, count: int) -> Array:
        """Points of the box, spread evenly (Halton's sequence, scrambled)."""
        unit = qmc.Halton(len(self.low), seed=self.rng).random(count)
        return np.asarray(self.low + unit * (self.high - self.low))

    def box_points(self, period: int, count: int) -> Array:
        """Orbits of points of the box, and k points of it at random."""
        orbits = self._orbit(self.points(count - count // 2), period)
        free = self.rng.uniform(self.low, self.high, (count // 2, period, len(self.low)))
        return np.concatenate([self._usable(orbits), free])

    def near_returns(self, period: int, count: int) -> Array:
        """Pieces of orbits that nearly close."""
        starts = self._orbit(self.points(ORBITS), TRANSIENT)[:, -1]
        orbits = self._orbit(starts[np.isfinite(starts).all(axis=1)], LENGTH + period + 1)
        pieces = [orbits[:, i : i + period] for i in range(LENGTH)]
        gaps = [self._gap(orbits[:, i + period] - orbits[:, i]) for i in range(LENGTH)]
        if not len(orbits):
            return np.empty((0, period, len(self.low)))
        gap, piece = np.concatenate(gaps), np.concatenate(pieces)
        some = self.rng.permutation(np.flatnonzero(np.isfinite(gap)))[: CHOICE * count]
        return self._usable(piece[some[np.argsort(gap[some])[:count]]])

    def closed_walks(self, period: int, count: int) -> Array:
        """Closed walks of the graph of cells; none in more than three dimensions."""
        if len(self.low) not in CELLS or self._graph is None:
            return np.empty((0, period, len(self.low)))
        neighbours, places, A = self._graph
        cells = len(neighbours)
        at_once = max(1, min(count // WALKS_FROM_ONE, NUMBERS_OF_WALKS // (cells * (period + 1))))
        found: list[Array] = []
        for _ in range(1 + (count - 1) // (WALKS_FROM_ONE * at_once)):
            chosen = self.rng.integers(cells, size=at_once)
            ways = np.zeros((period + 1, cells, at_once))
            ways[0, chosen, np.arange(at_once)] = 1.0
            for j in range(period):
                ways[j + 1] = A @ ways[j]
                ways[j + 1] /= np.maximum(ways[j + 1].max(axis=0), 1e-300)  # only ratios are used
            closes = np.flatnonzero(ways[period, chosen, np.arange(at_once)] > 0.0)
            column = np.repeat(closes, WALKS_FROM_ONE)
            found.append(self._walk(neighbours, places, ways, chosen[column], column))
        return np.concatenate(found)

    def _walk(self, neighbours: Cells, places: Array, ways: Array, cell: Cells, column: Cells) -> Array:
        """A walk from each cell back to it, each step drawn by the number of walks that lead on from its end."""
        period, states = len(ways) - 1, []
        for j in range(period):
            following = neighbours[cell]
            weights = np.where(following >= 0, ways[period - 1 - j, following, column[:, None]], 0.0)
            total = np.cumsum(weights, axis=1)
            draw = self.rng.uniform(size=len(cell)) * total[:, -1]
            step = (total > draw[:, None]).argmax(axis=1)
            states.append(places[cell, step])
            cell = following[np.arange(len(cell)), step]
        return np.stack(states, axis=1) if states and len(cell) else np.empty((0, period, len(self.low)))

    @cached_property
    def _graph(self) -> tuple[Cells, Array, Any] | None:
        """Cells that some walk passes for ever: their followers (−1: none), a state for each, and the matrix."""
        n = len(self.low)
        each, samples = CELLS[n], SAMPLES[n]
        axes = [(np.arange(each * samples) + 0.5) / (each * samples)] * n
        unit = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, n)
        jitter = self.rng.uniform(-0.5, 0.5, unit.shape) / (each * samples)
        states = self.low + (unit + jitter) * (self.high - self.low)
        images = self.reduced(self.map.images(states, dict(self.map.map.parameters)))
        with np.errstate(invalid="ignore"):
            inside = ((images >= self.low) & (images < self.high)).all(axis=1)
        if self.map.map.domain is not None:
            inside &= self.map.margins(states, dict(self.map.map.parameters)) > 0
        states, source, target = states[inside], self._cell(states[inside]), self._cell(images[inside])
        _, first = np.unique(source * each**n + target, return_index=True)
        states, source, target = states[first], source[first], target[first]
        while len(source):
            alive = np.intersect1d(source, target)
            keep = np.isin(source, alive) & np.isin(target, alive)
            if keep.all():
                break
            states, source, target = states[keep], source[keep], target[keep]
        if not len(source):
            return None
        names, source = np.unique(source, return_inverse=True)
        target = np.searchsorted(names, target)
        order = np.argsort(source, kind="stable")
        states, source, target = states[order], source[order], target[order]
        degree = np.bincount(source, minlength=len(names))
        place = np.arange(len(source)) - np.repeat(np.cumsum(degree) - degree, degree)
        neighbours = np.full((len(names), degree.max()), -1)
        places = np.zeros((len(names), degree.max(), n))
        neighbours[source, place], places[source, place] = target, states
        matrix = sp.csr_array((np.ones(len(source)), (source, target)), shape=(len(names), len(names)))
        return neighbours, places, matrix

    def reduced(self, x: Array) -> Array:
        """States with coordinates on circles moved into the box's period."""
        periods = self.map.periods
        if periods is None:
            return x
        is_angle = np.isfinite(periods)
        with np.errstate(invalid="ignore"):
            turned = self.low + np.mod(x - self.low, np.where(is_angle, periods, 1.0))
        return np.where(is_angle, turned, x)

    def _cell(self, x: Array) -> Cells:
        each, n = CELLS[len(self.low)], len(self.low)
        place = np.floor((x - self.low) / (self.high - self.low) * each).astype(np.intp)
        weights = each ** np.arange(n)
        return np.asarray(np.clip(place, 0, each - 1) @ weights)

    def _orbit(self, x: Array, count: int) -> Array:
        """The first states of orbits, shape (m, count, n); NaN from where one has left all bounds."""
        out = np.full((len(x), count, len(self.low)), np.nan)
        alive = np.arange(len(x))
        p = dict(self.map.map.parameters)
        for j in range(count):
            out[alive, j] = x
            if j == count - 1 or not len(alive):
                break
            x = self.reduced(self.map.images(x, p))
            good = self._is_usable(x)
            if self.map.map.domain is not None:
                good[good] = self.map.margins(x[good], p) > 0
            alive, x = alive[good], x[good]
        return out

    def _is_usable(self, x: Array) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore", over="ignore"):
            apart = np.abs(x - 0.5 * (self.low + self.high)) / (self.high - self.low)
        return np.asarray((apart < FAR).all(axis=-1))

    def _usable(self, starts: Array) -> Array:
        return starts[self._is_usable(starts).all(axis=1)]

    def _gap(self, apart: Array) -> Array:
        with np.errstate(invalid="ignore", over="ignore"):
            shortest = near(apart, np.zeros(apart.shape[-1]), self.map.periods)
            return np.asarray(np.linalg.norm(shortest / (self.high - self.low), axis=-1))
