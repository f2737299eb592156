"""attractor_continuation: attractors and their basins' fractions as a parameter changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import INTERRUPTED, OUTCOMES, UNDECIDED, Attractor, neighbours
from bifurcate.attractors.attractors import Attractors, attractors, check_box
from bifurcate.attractors.branches_through import branches_through
from bifurcate.attractors.discovery import Box, settle_all
from bifurcate.attractors.fractions import wilson_interval
from bifurcate.continuation.branch import Branch
from bifurcate.errors import InvalidInput
from bifurcate.executors import call_in_order, workplace
from bifurcate.maps.map import Map
from bifurcate.printing import short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import reporting
from bifurcate.storage.tables import Columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_count, check_flag, check_instance, check_seed, check_values, check_workers

__all__ = ["AttractorContinuation", "AttractorEvent", "attractor_continuation"]

Array = NDArray[np.float64]

# Part of a state's size by which states of an attractor are moved before they are followed to the next value: an orbit
# that starts exactly on what has become a saddle would stay there. Above rounding, and below every basin that matters.
KICK = 1e-6
# States of an attractor that are followed to the next value.
FOLLOWED = 4
# An attractor that vanishes has merged with the one its orbits go to if it is no farther from that one's states than
# this many times what another attractor has moved to become it.
BESIDE = 3.0

EventKind = Literal["birth", "death", "merger", "split", "change"]


@dataclass(frozen=True)
class AttractorEvent:
    """What happens to attractors between two values of the parameter.

    Attributes
    ----------
    kind : {"birth", "death", "merger", "split", "change"}
        "merger" and "split" where an attractor goes over into another one that is next to it; "change" of its kind or
        period.
    between : (float, float)
        The two values.
    id : int
        The attractor that is born, vanishes or changes.
    other : int or None
        The one with which it merges, from which it splits, or to which its orbits go; a negative label says what else
        becomes of them.
    note : str
    """

    kind: EventKind
    between: tuple[float, float]
    id: int
    other: int | None
    note: str

    def __str__(self) -> str:
        low, high = self.between
        return f"{self.kind} between {low:.6g} and {high:.6g}: {self.note}"


@dataclass(frozen=True, eq=False)
class AttractorContinuation(Tabular):
    """Attractors at values of a parameter, each with one number wherever it exists.

    Attributes
    ----------
    map : Map
    parameter : str
    values : ndarray, shape (m,)
    attractors : tuple of dict of int to Attractor
        At each value, by number.
    fractions : dict of int to ndarray, shape (m,)
        Fractions of the starts by number, and by negative labels as in :class:`Attractors`; 0 where there are none.
    starts : int
        Starts at each value: the same ones at all values.
    events : tuple of AttractorEvent
        Births, deaths, mergers, splits, and changes of kind or period.
    branches : tuple of Branch
        Through all fixed points and cycles, where that was asked for.
    interrupted : bool
        True if the user ended the call; values that were not reached are left out.
    notes : tuple of str
        Why some orbits are undecided, with the value.
    """

    map: Map
    parameter: str
    values: Array
    attractors: tuple[dict[int, Attractor], ...]
    fractions: dict[int, Array]
    starts: int
    events: tuple[AttractorEvent, ...]
    branches: tuple[Branch, ...] = field(default=(), repr=False)
    interrupted: bool = False
    notes: tuple[str, ...] = field(default=(), repr=False)

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "print(found), found.branches, found.to_dataframe()"

    def interval(self, number: int) -> tuple[Array, Array]:
        """Wilson's 95% interval of a fraction at every value."""
        if number not in self.fractions:
            raise InvalidInput(f"there is no attractor {number!r}; numbers are {sorted(self.fractions)}")
        counts = np.round(self.fractions[number] * self.starts).astype(int).tolist()
        low, high = zip(*(wilson_interval(count, self.starts) for count in counts))
        return np.array(low), np.array(high)

    def __str__(self) -> str:
        head = (
            f"{self.map.name}: attractors at {len(self.values)} values of {self.parameter}, {self.starts} starts each"
        )
        lines = [f"{head}; interrupted" if self.interrupted else head]
        for number, fractions in self.fractions.items():
            where = np.flatnonzero(fractions > 0.0) if number < 0 else self._where(number)
            if len(where):
                first, last = self.values[where[[0, -1]]]
                name = OUTCOMES[number] if number < 0 else f"{number}: {_kinds(self.attractors, number)}"
                shown = f"fraction {fractions[where].min():.3f} to {fractions[where].max():.3f}"
                lines.append(f"  {name}; {self.parameter} from {first:.6g} to {last:.6g}, {shown}")
        return "\n".join([*lines, *(f"  {event}" for event in self.events)])

    def _where(self, number: int) -> NDArray[np.int_]:
        return np.array([i for i, each in enumerate(self.attractors) if number in each], dtype=int)

    def table(self) -> Columns:
        """One row for each value and number: kind, period, exponent, fraction."""
        table: Columns = {name: [] for name in (self.parameter, "number", "kind", "period", "exponent", "fraction")}
        for i, value in enumerate(self.values.tolist()):
            for number, fractions in self.fractions.items():
                known = self.attractors[i].get(number)
                if known is None and (number >= 0 or not fractions[i]):
                    continue
                found = Attractor(OUTCOMES[number], np.empty(0)) if known is None else known
                row = (value, number, found.kind, found.period, found.exponent, float(fractions[i]))
                for column, entry in zip(table.values(), row):
                    column.append(entry)
        return table

    def table_attributes(self) -> dict[str, Any]:
        """The map's name."""
        return {"map": self.map.name}


def _kinds(found: Sequence[dict[int, Attractor]], number: int) -> str:
    words = [_words(each[number]) for each in found if number in each]
    return ", ".join(dict.fromkeys(words))


def _words(attractor: Attractor) -> str:
    return f"cycle of period {attractor.period}" if attractor.kind == "cycle" else attractor.kind


def attractor_continuation(
    map: Map,
    parameter: str,
    values: Any,
    box: Any,
    *,
    starts: int = 100,
    steps: int = 2000,
    branches: bool = False,
    seed: int = 0,
    executor: Any = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | bool | None = None,
) -> AttractorContinuation:
    """Follow attractors and the fractions of their basins as a parameter changes.

    At each value the attractors are found from the same starts, and from states of those of the value before. An
    attractor is followed by its orbits: A at one value and B at the next are one if orbits that start on A settle on B
    at the new value, and those that start on B settle on A at the old one.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    parameter : str
        The parameter that changes.
    values : sequence of float
        Its values, in the order in which they are visited.
    box : sequence of (low, high), or array_like of shape (*S, 2)
        From which starts are drawn. Attractors count wherever they are, as long as one of their states is inside.
    starts : int
        Starts at each value.
    steps : int
        Iterations after which orbits that have not settled are recognised, as by :func:`attractors`.
    branches : bool
        Trace the branches of all fixed points and cycles that were found, between the least and the largest value.
    seed : int
        Of the starts.
    executor : Executor or dask Client, optional
        Where attractors are sought, at several values at a time: an executor of concurrent.futures, or a Dask
        cluster. The result is the same, to the bit.
    workers : int, optional
        Processes of this call's own, if no executor is given; by default all is done here. A script that asks for
        processes must do so under ``if __name__ == "__main__":``, since each of them reads it.
    progress : callable, bool or None
        As for :func:`trace`: called with a :class:`Progress` whose ``points`` are values, ``special`` events.

    Returns
    -------
    AttractorContinuation
        Events are located between two values. An interrupt (Ctrl-C) ends the call and keeps the values that were
        reached.

    Raises
    ------
    InvalidInput
        If the parameter, values, box or counts are unusable, or the map keeps volumes.

    Notes
    -----
    An attractor that vanishes between two values has merged with that on which its orbits settle if it is next to it:
    no farther from its states than three times what the attractor that has become it has moved. Otherwise it has died.

    Examples
    --------
    >>> import bifurcate as bf
    >>> cubic = bf.Map(lambda x, a: a * x - x**3, {"a": 0.5})
    >>> found = bf.attractor_continuation(cubic, "a", [0.8, 0.9, 1.1, 1.2], [(-1, 1)], starts=20)
    >>> [event.kind for event in found.events], [len(each) for each in found.attractors]
    (['split'], [1, 1, 2, 2])
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    map.require(parameter)
    values = check_values("values", values)
    low, high = check_box(box)
    for name, count in (("starts", starts), ("steps", steps)):
        check_count(name, count)
    check_flag("branches", branches)
    hands = check_workers(workers)
    drawn = low + (high - low) * np.random.default_rng(check_seed(seed)).random((starts, *low.shape))
    following = _Following(map, parameter, drawn, (low, high), steps, seed)
    calls = [(map, parameter, value, (low, high), drawn, steps, seed) for value in values.tolist()]
    with workplace(executor, hands) as pool, reporting(progress, "attractor_continuation", (parameter,)) as report:
        try:
            for value, here in zip(values.tolist(), call_in_order(pool, _attractors_at, calls), strict=True):
                following.go_to(value, here)
                if report is not None:
                    done, events = len(following.found), len(following.events)
                    report(Progress({**map.parameters, parameter: value}, points=done, special=events))
        except KeyboardInterrupt:
            following.interrupted = True
    return following.result(branches)


def _attractors_at(
    map: Map, parameter: str, value: float, box: tuple[Array, Array], starts: Array, steps: int, seed: int
) -> Attractors:
    """The attractors at a value of the parameter, from some starts."""
    here, ends = map.replace(**{parameter: value}), np.stack(box, axis=-1)
    try:
        return attractors(here, ends, starts=starts, steps=steps, seed=seed, progress=False)
    except InvalidInput as error:
        if type(error) is not InvalidInput:  # of f itself, which says at which state
            raise
        raise InvalidInput(f"at {parameter} = {value:.10g}: {error}") from error


class _Following:
    """Attractors at the values that were visited."""

    def __init__(
        self, map: Map, parameter: str, starts: Array, box: tuple[Array, Array], steps: int, seed: int
    ) -> None:
        self.map, self.parameter, self.starts, self.box = map, parameter, starts, box
        self.steps, self.seed = steps, seed
        self.values: list[float] = []
        self.found: list[dict[int, Attractor]] = []
        self.counts: list[dict[int, int]] = []
        self.events: list[AttractorEvent] = []
        self.notes: list[str] = []
        self.interrupted = False
        self.next_number = 0

    def go_to(self, value: float, here: Attractors) -> None:
        """Take in the attractors at a value, and say which of the last value's each of them is."""
        if here.interrupted:
            raise KeyboardInterrupt
        extra = [self._kicked(each) for each in (self.found[-1] if self.found else {}).values()]
        labels = here.labels.copy()
        is_open = labels == UNDECIDED  # an attractor that is met on the way may be theirs
        starts = np.concatenate([*extra, self.starts[is_open]])
        found, notes, went = here.attractors, here.notes, list[Any]()
        if len(starts):
            limits = settle_all(here.map, starts, found, self.steps, self.seed, Box(*self.box))
            if (limits.settled.labels == INTERRUPTED).any():
                raise KeyboardInterrupt
            *went, labels[is_open] = np.split(
                limits.settled.labels, np.cumsum([len(each) for each in extra], dtype=int)
            )
            found, notes = tuple(limits.attractors), (*notes, *limits.notes)
        numbers = self._match(value, found, [_most(each) for each in went])
        counts = {label: int((labels == label).sum()) for label in np.unique(labels).tolist()}
        self.values.append(value)
        self.found.append({numbers[i]: each for i, each in enumerate(found)})
        self.counts.append({numbers[k] if k >= 0 else k: count for k, count in counts.items()})
        self.notes += [f"{self.parameter} = {value:.6g}: {note}" for note in dict.fromkeys(notes)]

    def _kicked(self, attractor: Attractor) -> Array:
        """Some states of an attractor, moved a little."""
        states = attractor.states[:: max(1, len(attractor.states) // FOLLOWED)][:FOLLOWED]
        unit = max(self.map.scale, float(np.abs(states).max()))
        rng = np.random.default_rng([self.seed, len(self.found)])
        return np.asarray(states + KICK * unit * rng.standard_normal(states.shape))

    def _match(self, value: float, new: Sequence[Attractor], forwards: list[int]) -> list[int]:
        """Numbers for attractors at a new value: the old ones' where orbits lead from one to the other and back."""
        old = self.found[-1] if self.found else {}
        names = list(old)
        backwards = [self._back(each) for each in new]
        numbers: list[int] = [-1] * len(new)
        for k, name in enumerate(names):
            if forwards[k] >= 0 and backwards[forwards[k]] == name:
                numbers[forwards[k]] = name
        for i in range(len(new)):
            if numbers[i] < 0:
                numbers[i] = self.next_number
                self.next_number += 1
        if old:
            self._note_events((self.values[-1], value), new, numbers, forwards, backwards)
        return numbers

    def _back(self, attractor: Attractor) -> int | None:
        """The attractor of the last value on which orbits from a new one settle there."""
        if not self.found:
            return None
        there = self.map.replace(**{self.parameter: self.values[-1]})
        old = list(self.found[-1].values())
        labels = settle_all(there, self._kicked(attractor), old, self.steps, self.seed).settled.labels
        if (labels == INTERRUPTED).any():
            raise KeyboardInterrupt
        label = _most(labels)
        return list(self.found[-1])[label] if 0 <= label < len(old) else None

    def _note_events(
        self,
        between: tuple[float, float],
        new: Sequence[Attractor],
        numbers: list[int],
        forwards: list[int],
        backwards: list[int | None],
    ) -> None:
        old = self.found[-1]
        for i, number in enumerate(numbers):
            if number in old:
                before, after = _words(old[number]), _words(new[i])
                if before != after:
                    self._note("change", between, number, None, f"attractor {number}: {before} → {after}")
                continue
            source = backwards[i]
            twin = next((j for j, each in enumerate(numbers) if each == source), None)
            if source is not None and twin is not None and self._is_beside(old[source], new[i], new[twin]):
                self._note("split", between, number, source, f"{number}, a {_words(new[i])}, splits from {source}")
            else:
                self._note("birth", between, number, source, f"{number}, a {_words(new[i])}, is born")
        for k, name in enumerate(old):
            if name in numbers:
                continue
            label = forwards[k]
            if label < 0:
                self._note("death", between, name, label, f"{name} dies; its orbits: {OUTCOMES[label]}")
                continue
            target, heir = numbers[label], old.get(numbers[label])
            if heir is not None and self._is_beside(new[label], old[name], heir):
                self._note("merger", between, name, target, f"{name} merges with {target}")
            else:
                self._note("death", between, name, target, f"{name} dies; its orbits go to {target}")

    def _note(self, kind: EventKind, between: tuple[float, float], number: int, other: int | None, note: str) -> None:
        self.events.append(AttractorEvent(kind, between, number, other, note))

    def _is_beside(self, middle: Attractor, one: Attractor, twin: Attractor) -> bool:
        """True if one is no farther from the middle than a few times what its twin is."""
        near, far = self._apart(middle, twin), self._apart(middle, one)
        unit = max(self.map.scale, float(np.abs(middle.states).max()))
        return far <= BESIDE * near + max(middle.resolution, one.resolution, KICK * unit)

    def _apart(self, a: Attractor, b: Attractor) -> float:
        """The mean distance of b's states from a's."""
        first, second = a.states.reshape(len(a.states), -1), b.states.reshape(len(b.states), -1)
        return float(neighbours(first, self.map.periods).query(second)[0].mean())

    def result(self, with_branches: bool) -> AttractorContinuation:
        values, m = np.array(self.values), len(self.starts)
        names = [*range(self.next_number), *(k for k in OUTCOMES if any(k in each for each in self.counts))]
        fractions = {k: np.array([each.get(k, 0) / m for each in self.counts]) for k in names}
        traced: tuple[Branch, ...] = ()
        if with_branches and len(values) and not self.interrupted:
            traced = branches_through(self.map, self.parameter, values, self.found)
        return AttractorContinuation(
            map=self.map,
            parameter=self.parameter,
            values=values,
            attractors=tuple(self.found),
            fractions=fractions,
            starts=m,
            events=tuple(self.events),
            branches=traced,
            interrupted=self.interrupted,
            notes=tuple(dict.fromkeys(self.notes)),
        )


def _most(labels: NDArray[np.int_]) -> int:
    """The label that occurs most often; the first attractor of those that do."""
    values, counts = np.unique(labels, return_counts=True)
    order = np.lexsort((-values, -counts))
    return int(values[order[0]])
