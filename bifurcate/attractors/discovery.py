"""Every start's limit: starts settle on the attractors that are known, and what does not is recognised and added."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import INTERRUPTED, LEFT_THE_BOX, UNDECIDED, Attractor, neighbours
from bifurcate.attractors.recognition import NotRecognised, StaysOnSaddle, recognise
from bifurcate.attractors.settling import Settled, settle
from bifurcate.errors import BifurcateError, InvalidInput
from bifurcate.linalg.operators import dense
from bifurcate.maps.iterated_map import LARGEST_DENSE, IteratedMap
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import near, shortest
from bifurcate.orbits.ensemble import ensemble
from bifurcate.progress import Progress
from bifurcate.progress_line import Report

__all__ = ["Box", "Limits", "is_same", "refuse_conservative", "settle_all", "settling_report"]

Array = NDArray[np.float64]

# Starts of which limits are recognised before all others are asked which of these is theirs.
SAMPLE = 32
EARLY = 200  # iterations after which these are recognised; recognition goes on with an orbit as long as it must
# Orbits whose limit may not be recognised before the others that have not settled are left undecided.
MOST_FAILURES = 2
# Attractors, at the most: of more, each start has its own, as where solutions form a manifold.
MOST_ATTRACTORS = 64
# Iterations for which an orbit must be outside to have left the box: an attractor that comes back is seen by then.
OUTSIDE = 64
# States at which volumes are compared with those of their images, and the logarithm of a factor that counts as 0:
# differences of f give it to 1e-9.
VOLUMES, KEPT_VOLUME = 8, 1e-6
# Part of the states of a set that must be near another one's for both to be one: the rest are its rarest states.
SAME_SET = 0.99
# Part of the size of states within which two polished cycles are one: both are exact to 1e-9 of it.
SAME_CYCLE = 1e-6
# States of a set at the most: sets that orbits fill slowly grow when another part of them is seen.
LARGEST_SET = 4 * 8192
UNSEEN = "were not examined"  # said of orbits after so many failures


@dataclass(frozen=True, eq=False)
class Box:
    """Intervals of all coordinates.

    Attributes
    ----------
    low, high : ndarray, of the state's shape
    """

    low: Array
    high: Array

    def holds(self, states: Array, periods: Array | None) -> NDArray[np.bool_]:
        """True for states, shape (m, *S), inside; coordinates with a period are moved to the box first."""
        low, high = self.low.ravel(), self.high.ravel()
        flat = near(states.reshape(len(states), -1), 0.5 * (low + high), periods)
        return np.asarray(((flat >= low) & (flat <= high)).all(axis=1))


@dataclass(eq=False)
class Limits:
    """Attractors found so far, where starts have settled, and why some have not.

    Attributes
    ----------
    attractors : list of Attractor
    settled : Settled
    notes : list of str
    hints : list of str
        Of orbits that stay on a boundary of basins, which hide no attractor.
    """

    attractors: list[Attractor]
    settled: Settled
    notes: list[str] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)


def settling_report(report: Report | None, map: Map, total: int) -> Callable[[int], None]:
    """What :func:`settle_all` calls with the number of starts that have settled: a record of all of them so far."""
    done = [0]

    def tell(count: int) -> None:
        done[0] += count
        if report is not None:
            report(Progress(dict(map.parameters), min(done[0], total), left=max(total - done[0], 0)))

    return tell


def settle_all(
    map: Map,
    starts: Array,
    known: Sequence[Attractor],
    steps: int,
    seed: int,
    box: Box | None = None,
    report: Callable[[int], None] | None = None,
    pool: Executor | None = None,
) -> Limits:
    """The limits of all starts, shape (m, *S): of those known already, and of new ones, which are added.

    Attractors that have no state in the box do not count: what settles on them has left it. Orbits are iterated in the
    pool, if there is one, and recognised here.
    """
    attractors, notes = list(known), list[str]()
    try:
        found = _sample_then_all(map, starts, attractors, notes, steps, seed, box, report, pool)
    except KeyboardInterrupt:
        m = len(starts)
        found = Limits(attractors, Settled(np.full(m, INTERRUPTED), np.zeros(m, dtype=int), starts.copy()))
    return found if box is None else _without_outsiders(map, found, len(known), box)


def _sample_then_all(
    map: Map,
    starts: Array,
    attractors: list[Attractor],
    notes: list[str],
    steps: int,
    seed: int,
    box: Box | None,
    report: Callable[[int], None] | None,
    pool: Executor | None,
) -> Limits:
    if len(starts) > SAMPLE:
        chosen = np.sort(np.random.default_rng(seed).choice(len(starts), SAMPLE, replace=False))
        first = _discover(map, starts[chosen], attractors, notes, min(steps, EARLY), box, None, pool)
        if (first.settled.labels == INTERRUPTED).any():
            raise KeyboardInterrupt
        attractors, notes = first.attractors, [each for each in first.notes if not each.endswith(UNSEEN)]
    found = _discover(map, starts, attractors, notes, steps, box, report, pool)
    return Limits(found.attractors, found.settled, [*found.notes, *dict.fromkeys(found.hints)])


def _discover(
    map: Map,
    starts: Array,
    known: list[Attractor],
    failures: list[str],
    steps: int,
    box: Box | None,
    report: Callable[[int], None] | None,
    pool: Executor | None,
) -> Limits:
    attractors, saddles, notes, hints = list(known), list[Attractor](), list(failures), list[str]()
    settled = settle(map, starts, attractors, steps, report, pool)
    examined = np.zeros(len(starts), dtype=bool)
    is_open = settled.labels == UNDECIDED
    if box is not None and is_open.any():
        settled.labels[np.flatnonzero(is_open)[_is_outside(map, settled.states[is_open], box)]] = LEFT_THE_BOX
    while len(notes) < MOST_FAILURES and len(attractors) < MOST_ATTRACTORS:
        rest = np.flatnonzero((settled.labels == UNDECIDED) & ~examined)
        if not len(rest):
            break
        examined[rest[0]] = True
        number = UNDECIDED
        try:
            number = _add(map, attractors, recognise(map, settled.states[rest[0]]))
        except StaysOnSaddle as error:
            saddles.append(error.saddle)
            hints.append(str(error))
        except NotRecognised as error:
            notes.append(str(error))
            continue
        except KeyboardInterrupt:
            settled.labels[settled.labels == UNDECIDED] = INTERRUPTED
            break
        again = settle(map, starts[rest], [*attractors, *saddles], steps, pool=pool)
        examined[rest[again.labels >= len(attractors)]] = True
        again.labels[again.labels >= len(attractors)] = UNDECIDED
        settled.labels[rest], settled.times[rest], settled.states[rest] = again.labels, again.times, again.states
        if settled.labels[rest[0]] == UNDECIDED:
            settled.labels[rest[0]] = number
    left = int(((settled.labels == UNDECIDED) & ~examined).sum())
    if left:
        why = (
            UNSEEN if len(notes) >= MOST_FAILURES else f"came after {MOST_ATTRACTORS} attractors: each may have its own"
        )
        notes.append(f"{left} more orbits that have not settled {why}")
    return Limits(attractors, settled, list(dict.fromkeys(notes)), hints)


def _is_outside(map: Map, states: Array, box: Box) -> NDArray[np.bool_]:
    """True for states whose orbits are outside the box for a while."""
    followed = ensemble(map, states, OUTSIDE).states
    inside = box.holds(followed.reshape(-1, *states.shape[1:]), map.periods)
    return np.asarray(~inside.reshape(len(states), OUTSIDE).any(axis=1))


def _add(map: Map, attractors: list[Attractor], new: Attractor) -> int:
    """The number of an attractor, which is added if it is new; a set that is known takes in what was seen of it."""
    for i, old in enumerate(attractors):
        if is_same(map, old, new):
            if not old.period and len(old.states) < LARGEST_SET:
                states = np.concatenate([old.states, new.states])
                attractors[i] = dataclasses.replace(old, states=states, resolution=max(old.resolution, new.resolution))
            return i
    attractors.append(new)
    return len(attractors) - 1


def is_same(map: Map, a: Attractor, b: Attractor) -> bool:
    """True if two attractors are one: cycles state by state, sets if nearly all states of each are on the other."""
    if a.period != b.period or a.states.shape[1:] != b.states.shape[1:]:
        return False
    first, second = a.states.reshape(len(a.states), -1), b.states.reshape(len(b.states), -1)
    if a.period:
        unit = max(map.scale, float(np.abs(first).max()))
        apart = np.abs(shortest(first - second[0], map.periods)).max(axis=1)
        return bool(apart.min() <= SAME_CYCLE * unit)
    resolution = max(a.resolution, b.resolution)
    parts = [
        float((neighbours(one, map.periods).query(other)[0] <= resolution).mean())
        for one, other in ((first, second), (second, first))
    ]
    return min(parts) >= SAME_SET


def _without_outsiders(map: Map, found: Limits, known: int, box: Box) -> Limits:
    """The limits, in which attractors beyond the first ones that have no state in the box no longer count."""
    kept = [i for i, each in enumerate(found.attractors) if i < known or box.holds(each.states, map.periods).any()]
    labels = found.settled.labels
    renamed = np.where(labels >= 0, LEFT_THE_BOX, labels)
    for number, i in enumerate(kept):
        renamed[labels == i] = number
    found.settled.labels = renamed
    return Limits([found.attractors[i] for i in kept], found.settled, found.notes)


def refuse_conservative(map: Map, states: Array) -> None:
    """Refuse a map that keeps every volume: orbits come back to where they were, and settle on nothing (Poincaré).

    Raises
    ------
    InvalidInput
        If |det J| is 1 at the first eight of these states, shape (m, *S), and at those that follow them.
    """
    if states[0].size > LARGEST_DENSE:
        return
    iterate = IteratedMap(map, states[0].shape, 2)
    logarithms = []
    with np.errstate(all="ignore"):
        for state in states[:VOLUMES]:
            try:
                orbit = iterate.orbit(state.ravel(), map.parameters)
                J = dense(iterate.jacobian(orbit, map.parameters))
            except (BifurcateError, np.linalg.LinAlgError):
                continue
            logarithms.append(float(np.linalg.slogdet(J)[1]))
    known = [each for each in logarithms if not np.isnan(each)]
    if known and max(abs(each) for each in known) <= KEPT_VOLUME:
        raise InvalidInput(
            f"{map.name} keeps volumes (|det J| = 1 at {len(known)} states and their images): it is conservative, and "
            "such a map has no attractors; see bf.lyapunov and bf.find_cycles for what it has"
        )
