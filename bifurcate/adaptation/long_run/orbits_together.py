"""Many orbits of the outputs, each update of all of them one operation on arrays: little slower than one.

What is looked for along an orbit is a generator that yields what it wants done next, an :class:`Advance` or a
:class:`TangentGrowth`, and is sent its result; :func:`run_alone` does so for one orbit and :func:`run_together` for
many. Both do the same arithmetic in the same order: all operations are elementwise, and sums over neurons are the dot
products of BLAS, one for each orbit (a matmul of stacked rows and columns), so that no orbit depends on its neighbours
(test_orbits_followed_together_are_those_followed_alone).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeVar

import numpy as np

from bifurcate.adaptation.long_run.fast_reduction import FastReduction
from bifurcate.adaptation.long_run.orbit_follower import BETWEEN, WINDOW, OrbitFollower
from bifurcate.interrupts import interrupted_meanwhile

__all__ = ["Advance", "Request", "TangentGrowth", "run_alone", "run_together"]

MEMORY = 2**25  # bytes of the last states of orbits that are followed at a time: more do not fit into a core's caches

T = TypeVar("T")
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Advance:
    """Follow an orbit up to a time."""

    search: OrbitFollower
    until: int

    @property
    def steps(self) -> int:
        """Updates that are to be done."""
        return 0 if self.search.broken is not None else max(self.until - self.search.t, 0)

    def alone(self) -> None:
        """Do it."""
        self.search.advance(self.until)


@dataclass(frozen=True, eq=False)
class TangentGrowth:
    """Follow an orbit from y, and a tangent vector v that is normalised before every stretch of updates.

    What is sent back is y and v at the end, and ln(v·v) after every stretch, shape (count,).
    """

    rule: FastReduction
    y: Array
    v: Array
    count: int
    stretch: int

    def alone(self) -> tuple[Array, Array, Array]:
        """Do it."""
        y, v, logs = self.y, self.v, np.empty(self.count)
        with np.errstate(all="ignore"):
            for i in range(self.count):
                y, v = self.rule.linear_steps(y, v / np.sqrt(v @ v), self.stretch)
                logs[i] = np.log(v @ v)
        return y, v, logs


Request = Advance | TangentGrowth
Course = Generator[Request, Any, T]


def run_alone(course: Course[T]) -> T:
    """What a course comes to, all that it wants done being done by itself."""
    try:
        request = next(course)
        while True:
            request = course.send(request.alone())
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]


def run_together(courses: Sequence[Course[T]]) -> list[T]:
    """What courses come to, equal to the bit to what :func:`run_alone` gives; the same work of many is done at once."""
    ends: dict[int, T] = {}
    wanted: dict[int, Request] = {}

    def go_on(i: int, result: Any) -> None:
        try:
            wanted[i] = courses[i].send(result)
        except StopIteration as end:
            ends[i] = end.value

    for i in range(len(courses)):
        go_on(i, None)
    is_interrupted = False
    while wanted:
        now = dict(wanted)
        wanted.clear()
        for numbers in _alike(now):
            requests = [now[i] for i in numbers]
            searches = [each.search for each in requests if isinstance(each, Advance)]
            if is_interrupted:
                for search in searches:
                    search.broken = search.broken or "interrupted"
            results = _do(requests)
            is_interrupted |= any(search.broken == "interrupted" for search in searches)
            for i, result in zip(numbers, results, strict=True):
                go_on(i, result)
    return [ends[i] for i in range(len(courses))]


def _alike(wanted: dict[int, Request]) -> Iterator[list[int]]:
    """The numbers of requests that can be done at once."""

    def kind(i: int) -> tuple[Any, ...]:
        each = wanted[i]
        if isinstance(each, Advance):  # a sum along the orbit is kept for each of them by itself
            return ("advance", len(each.search.y), 0, 0, i if each.search.growing is not None else -1)
        return ("tangent", len(each.y), each.count, each.stretch, -1)

    for (_, size, *_), group in groupby(sorted(wanted, key=kind), key=kind):
        numbers = list(group)
        most = max(MEMORY // (8 * WINDOW * max(size, 1)), 1)
        yield from (numbers[at : at + most] for at in range(0, len(numbers), most))


def _do(requests: list[Any]) -> list[Any]:
    if len(requests) == 1:
        return [requests[0].alone()]
    return _advance(requests) if isinstance(requests[0], Advance) else _tangent_growth(requests)


@dataclass(frozen=True, eq=False)
class _Rules:
    """The constants of several rules, one row each."""

    r: Array
    k: Array
    growth: Array
    rate: Array
    floor: Array

    @classmethod
    def of(cls, rules: Sequence[FastReduction]) -> _Rules:
        scalars = (np.array([[getattr(rule, name)] for rule in rules]) for name in ("growth", "rate", "floor"))
        return cls(np.array([rule.r for rule in rules]), np.array([rule.k for rule in rules]), *scalars)

    def first(self, count: int) -> _Rules:
        """Those of the first rows."""
        return _Rules(*(each[:count] for each in (self.r, self.k, self.growth, self.rate, self.floor)))


def _dots(a: Array, b: Array) -> Array:
    """a·b of every row, shape (m, 1): one dot product of BLAS each, as ``a[i] @ b[i]`` is."""
    return np.asarray(np.matmul(a[:, None, :], b[:, :, None])[:, 0])


def _advance(requests: list[Advance]) -> list[None]:
    """As OrbitFollower.advance of each: rows are sorted by how far they go, so that those under way come first."""
    going = sorted((each for each in requests if each.steps), key=lambda each: -each.steps)
    if going:
        with np.errstate(all="ignore"):
            _advance_rows([each.search for each in going], [each.steps for each in going])
    return [None] * len(requests)


def _advance_rows(searches: list[OrbitFollower], steps: list[int]) -> None:
    rules = _Rules.of([search.rule for search in searches])
    y, begun = np.array([search.y for search in searches]), [search.t for search in searches]
    last = np.empty((min(WINDOW, steps[0]), *y.shape))  # the state after update t is in t modulo its length
    crossed = np.array([0 if search.crossed is None else -1 for search in searches])  # 0 while the orbit has not
    m, now, u = len(steps), rules, rules.floor + y
    for t in range(steps[0]):
        if steps[m - 1] <= t:
            m = sum(count > t for count in steps)
            now, y, u = rules.first(m), y[:m], u[:m]
        R = now.r / u
        total = now.rate * _dots(R, now.r)
        y = np.subtract(now.growth * y + total * R, now.k, out=last[t % len(last), :m])
        u = now.floor + y
        if not u.min() > 0.0:
            beyond = ~(u.min(axis=1) > 0.0) & (crossed[:m] == 0)
            crossed[:m][beyond] = t + 1
        if t % BETWEEN == 0 and interrupted_meanwhile():
            steps = [min(count, t + 1) for count in steps]
            for search in searches[:m]:
                search.broken = "interrupted"
            break
    for i, (search, count) in enumerate(zip(searches, steps, strict=True)):
        if crossed[i] > 0:
            search.crossed = begun[i] + int(crossed[i])
        kept = last[np.arange(max(count - len(last), 0), count) % len(last), i]
        search.arrive(begun[i] + count, kept)


def _tangent_growth(requests: list[TangentGrowth]) -> list[tuple[Array, Array, Array]]:
    """As TangentGrowth.alone of each."""
    rules, first = _Rules.of([each.rule for each in requests]), requests[0]
    y, v = np.array([each.y for each in requests]), np.array([each.v for each in requests])
    logs = np.empty((len(requests), first.count))
    r, k, growth, rate, floor = rules.r, rules.k, rules.growth, rules.rate, rules.floor
    with np.errstate(all="ignore"):
        for i in range(first.count):
            v = v / np.sqrt(_dots(v, v))
            for _ in range(first.stretch):
                u = floor + y
                R = r / u
                w = R * v
                w /= u
                total = rate * _dots(R, r)
                v = growth * v - total * w - (rate * _dots(w, r)) * R
                y = growth * y + total * R - k
            logs[:, i] = np.log(_dots(v, v))[:, 0]
    return list(zip(y.copy(), v.copy(), logs))
