"""Many orbits at once until each has settled: on an attractor that is known, at infinity, at a pole, or not in time.

All orbits of a batch go one step in one call of f. Those that have settled leave it, so that the cost is the sum of
the times to settle. An orbit has settled on

* a cycle, once it is in one of the cycle's traps;
* another set, once its states were nearer than the set's resolution at eight checks in a row, seven iterations apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from bifurcate.attractors.attractor import INTERRUPTED, UNDECIDED, Attractor, Traps, neighbours
from bifurcate.attractors.stepper import Stepper, find_layout
from bifurcate.executors import call_in_order
from bifurcate.maps.batches import BatchLayout
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import shortest
from bifurcate.orbits.ensemble import NUMBERS_PER_BATCH

__all__ = ["Settled", "settle"]

Array = NDArray[np.float64]

# Iterations between two checks whether states are near a set that is no cycle, and checks in a row that must say so.
# An orbit that only passes by is near for a few iterations; 7 and 8 have no factor in common with short periods.
BETWEEN_CHECKS, CHECKS = 7, 8
# Traps from which on the nearest centre is looked up in a tree, instead of every trap being tried.
MANY_TRAPS = 9
# Nearest centres that are tried in a tree: traps of different sizes overlap.
TREE_NEIGHBOURS = 3
SINGLE_PARTS = 50  # parts in which orbits are iterated that go one state at a time


@dataclass(eq=False)
class Settled:
    """Where orbits have settled, and when.

    Attributes
    ----------
    labels : ndarray of int, shape (m,)
        Numbers of attractors, or what else became of an orbit.
    times : ndarray of int, shape (m,)
        Iterations until then; those done, of orbits that have not.
    states : ndarray, shape (m, *S)
        The last states.
    details : dict of int to str
        What f raised, by row.
    """

    labels: NDArray[np.int_]
    times: NDArray[np.int_]
    states: Array
    details: dict[int, str] = field(default_factory=dict)

    @staticmethod
    def nowhere(starts: Array) -> Settled:
        """Starts that have not settled."""
        return Settled(np.full(len(starts), UNDECIDED), np.zeros(len(starts), dtype=int), starts.copy())

    @staticmethod
    def join(parts: Sequence[Settled]) -> Settled:
        """One record of several parts, in their order."""
        details, first = dict[int, str](), 0
        for each in parts:
            details |= {first + row: words for row, words in each.details.items()}
            first += len(each.labels)
        labels, times, states = ([getattr(each, name) for each in parts] for name in ("labels", "times", "states"))
        return Settled(np.concatenate(labels), np.concatenate(times), np.concatenate(states), details)


def settle(
    map: Map,
    starts: Array,
    known: Sequence[Attractor],
    steps: int,
    report: Callable[[int], None] | None = None,
    pool: Executor | None = None,
) -> Settled:
    """Iterate starts, shape (m, *S), until each has settled on an attractor that is known, or for so many steps.

    Where f takes batches, the whole of a batch is iterated by single calls instead as soon as f does not yield for
    one state in a batch what it yields for it alone. Batches are the same wherever they are iterated, here or in a
    pool.
    """
    m, size = len(starts), starts[0].size
    targets, layout = _Targets.of(map, known), find_layout(map, starts)
    length = 1 + (m - 1) // SINGLE_PARTS if layout is None else max(1, NUMBERS_PER_BATCH // size)
    parts = [starts[first : first + length] for first in range(0, m, length)]
    done: list[Settled] = []
    try:
        calls = ((map, part, targets, steps, layout) for part in parts)
        for found in call_in_order(pool if len(parts) > 1 else None, _settle_part, calls):
            done.append(found)
            if report is not None:
                report(len(found.labels))
            if (found.labels == INTERRUPTED).any():
                break
    except KeyboardInterrupt:  # while a pool was at work
        pass
    rest = starts[sum(len(each.labels) for each in done) :]
    return Settled.join([*done, Settled(np.full(len(rest), INTERRUPTED), np.zeros(len(rest), dtype=int), rest.copy())])


def _settle_part(map: Map, starts: Array, targets: _Targets, steps: int, layout: BatchLayout | None) -> Settled:
    """Where the starts of one batch settle."""
    found, m = Settled.nowhere(starts), len(starts)
    with np.errstate(all="ignore"):
        if layout is None or not _settle_batch(map, found, np.arange(m), targets, steps, layout):
            found = Settled.nowhere(starts)
            _settle_batch(map, found, np.arange(m), targets, steps, None)
    return found


@dataclass(frozen=True, eq=False)
class _Targets:
    """What orbits may settle on, in the form in which a batch is compared with it."""

    periods: Array | None
    trapping: tuple[tuple[int, Traps], ...]
    tree: tuple[cKDTree, Array, Array] | None  # all centres, their inner radii, the number of each one's attractor
    sets: tuple[tuple[int, cKDTree, float], ...]

    @staticmethod
    def of(map: Map, known: Sequence[Attractor]) -> _Targets:
        trapping = tuple((i, each.traps) for i, each in enumerate(known) if each.traps is not None)
        tree = None
        if sum(len(traps.radii) for _, traps in trapping) >= MANY_TRAPS:
            centres = np.concatenate([traps.centres for _, traps in trapping])
            inner = np.concatenate([traps.inner for _, traps in trapping])
            owners = np.repeat([i for i, _ in trapping], [len(traps.radii) for _, traps in trapping])
            tree = neighbours(centres, map.periods), inner, owners
        sets = tuple(
            (i, neighbours(each.states.reshape(len(each.states), -1), map.periods), each.resolution)
            for i, each in enumerate(known)
            if each.traps is None
        )
        return _Targets(map.periods, trapping, tree, sets)

    def trapped(self, states: Array) -> NDArray[np.int_]:
        """The attractor in whose traps each state is, of shape (m, n); UNDECIDED where it is in none."""
        labels = np.full(len(states), UNDECIDED)
        if self.tree is not None:
            tree, inner, owners = self.tree
            count = min(TREE_NEIGHBOURS, len(inner))
            apart, nearest = tree.query(states, count)
            apart, nearest = apart.reshape(len(states), -1), nearest.reshape(len(states), -1)
            is_in = apart <= inner[nearest]
            column = is_in.argmax(axis=1)
            return np.where(is_in.any(axis=1), owners[nearest[np.arange(len(states)), column]], UNDECIDED)
        for i, traps in self.trapping:
            for c, F, r in zip(traps.centres, traps.factors, traps.radii):
                apart = shortest(states - c, self.periods)
                near = np.square(apart @ F.T).sum(axis=1) <= r * r
                labels[near] = i
        return labels

    def near(self, states: Array) -> NDArray[np.int_]:
        """The set to which each state is nearer than the set's resolution; UNDECIDED where it is to none."""
        labels, least = np.full(len(states), UNDECIDED), np.full(len(states), np.inf)
        for i, tree, resolution in self.sets:
            apart = tree.query(states, distance_upper_bound=resolution)[0]
            is_nearer = apart < least
            labels[is_nearer], least[is_nearer] = i, apart[is_nearer]
        return labels


def _settle_batch(
    map: Map, found: Settled, rows: NDArray[np.int_], targets: _Targets, steps: int, layout: BatchLayout | None
) -> bool:
    """Iterate some rows until they have settled; False if f does not yield for the batch what it does for one state."""
    stepper = Stepper(map, layout)
    states = found.states[rows]
    ends = stepper.ends(states, states)
    near_since, near_to = np.zeros(len(rows), dtype=int), np.full(len(rows), UNDECIDED)
    try:
        for done in range(steps + 1):
            labels = np.where(ends == UNDECIDED, targets.trapped(states.reshape(len(rows), -1)), ends)
            times = np.full(len(rows), done)
            if targets.sets and done % BETWEEN_CHECKS == 0:
                near = targets.near(states.reshape(len(rows), -1))
                near_since[near != near_to] = done
                near_to = near
                is_on = (near != UNDECIDED) & (done - near_since >= (CHECKS - 1) * BETWEEN_CHECKS)
                is_on &= labels == UNDECIDED
                labels[is_on], times[is_on] = near[is_on], near_since[is_on]
            is_over = labels != UNDECIDED
            if is_over.any() or done == steps:
                over = rows[is_over] if done < steps else rows
                kept = is_over if done < steps else np.full(len(rows), True)
                found.labels[over], found.times[over], found.states[over] = labels[kept], times[kept], states[kept]
                goes_on = ~kept
                rows, states = rows[goes_on], states[goes_on]
                near_since, near_to = near_since[goes_on], near_to[goes_on]
                if not len(rows):
                    return True
            following = stepper.step(states, done)
            if following is None:
                return False
            ends = stepper.ends(following, states)
            for i, words in stepper.failures.items():
                found.details[int(rows[i])] = words
            states = following
    except KeyboardInterrupt:
        found.labels[rows] = INTERRUPTED
    return True
