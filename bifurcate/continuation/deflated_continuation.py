"""Deflation: several solutions from few starts, and branches that are not connected to those already known."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.continuation.branch import Branch
from bifurcate.continuation.branch_matching import BranchLocator
from bifurcate.continuation.step_control import StepControl
from bifurcate.continuation.trace import trace
from bifurcate.curves.cycle import cycles
from bifurcate.curves.metric import Metric
from bifurcate.errors import BifurcateError, InvalidInput, NotConverged, NotIsolated
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.newton.solve import Deflation, Newton, NewtonKrylov, Solution, check_period, solve

__all__ = ["Attempt", "Continued", "Deflated", "deflate", "deflated_continuation"]

SAME = 1e-6  # solutions closer than this, in units of their size, are one
ASIDE = 1e-2  # a start that is a known solution is moved by this much, in the same units


@dataclass(frozen=True)
class Attempt:
    """A deflated solve that ended without a new solution.

    Attributes
    ----------
    start : int
        Which of the starts, counted from 0.
    known : int
        How many solutions were deflated.
    reason : str
        Why it ended, in words.
    where : str
        At which parameter value, in a deflated continuation.
    """

    start: int
    known: int
    reason: str
    where: str = ""


@dataclass(frozen=True, eq=False)
class Deflated:
    """What deflation found.

    Attributes
    ----------
    solutions : tuple of Solution
        In the order in which they were found, every cycle once, each with its least period, which may be a divisor of
        the period asked for.
    failures : tuple of Attempt
        One for every attempt that brought no new solution.
    exhausted : bool
        True if every start failed with all of the solutions deflated; False if ``most`` ended the search.
    """

    solutions: tuple[Solution, ...]
    failures: tuple[Attempt, ...]
    exhausted: bool

    def of(self, period: int) -> tuple[Solution, ...]:
        """The solutions of a least period."""
        return tuple(solution for solution in self.solutions if solution.period == period)

    def __len__(self) -> int:
        return len(self.solutions)

    def __str__(self) -> str:
        lines = [f"{len(self.solutions)} solutions; {len(self.failures)} attempts failed"]
        for solution in self.solutions:
            state = np.array2string(solution.state.ravel()[:4], precision=9).strip("[]")
            more = " …" if solution.state.size > 4 else ""
            kind = "stable" if solution.stable else "unstable"
            lines.append(f"  period {solution.period}, {kind}: {state}{more}")
        counts = Counter(attempt.reason for attempt in self.failures)
        lines += [f"  failed: {number} × {reason}" for reason, number in counts.items()]
        if not self.exhausted:
            lines.append("  the search was ended by the largest number of solutions asked for")
        return "\n".join(lines)


def deflate(
    map: Map,
    guesses: Sequence[Any],
    period: int = 1,
    known: Iterable[Any] = (),
    method: Newton | NewtonKrylov | None = None,
    power: float = 2.0,
    most: int = 50,
) -> Deflated:
    """Find several fixed points of f^period from few starts, by Newton's method kept away from those already found.

    From every guess Newton is run again and again, each solution found being deflated for the next run (all points of
    its cycle, see :class:`Deflation`), until it finds nothing new; and all guesses again as long as a round of them
    brought something. An attempt is two runs: one whose steps lower the deflated residual and, should it fail, one
    whose steps need only stay in the map's domain.

    Parameters
    ----------
    map : Map
        Its ``parameters`` are those at which is solved.
    guesses : sequence of array_like
        The starts, one or more.
    period : int
        k ≥ 1. Cycles whose period divides k are solutions too: they are found, returned with their own period, and
        deflated like the others.
    known : iterable of array_like or Solution
        Solutions to stay away from from the beginning, one point of each cycle; they are not returned.
    method : Newton or NewtonKrylov, optional
        As for :func:`solve`.
    power : float
        How strongly solutions repel.
    most : int
        Stop at so many solutions: a map may have infinitely many.

    Returns
    -------
    Deflated

    Raises
    ------
    InvalidInput
        If an argument is unusable. A start that fails is no error: it is counted, with its reason.

    References
    ----------
    Farrell, Birkisson & Funke, SIAM J. Sci. Comput. 37 (2015) A2026.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.deflate(bf.maps.logistic(r=3.84), [[0.1], [0.6]], period=3)
    >>> sorted((s.period, s.stable) for s in found.solutions)
    [(1, False), (1, False), (3, False), (3, True)]
    """
    if not isinstance(map, Map):
        raise InvalidInput(f"map must be a Map, got {type(map).__name__}; wrap the function: Map(f, parameters)")
    if isinstance(most, bool) or not isinstance(most, int) or most < 1:
        raise InvalidInput(f"most is {most!r}; it must be a whole number, at least 1")
    starts = _checked_guesses(map, guesses)
    hunt = _Hunt(map, starts[0].shape, check_period(period), method, power)
    for given in known:
        hunt.add(map.check(given.state if isinstance(given, Solution) else given))
    solutions: list[Solution] = []
    failures: list[Attempt] = []
    again = True
    while again:
        again = False
        for number, start in enumerate(starts):
            while len(solutions) < most:
                found = hunt.from_start(start, number)
                if isinstance(found, Attempt):
                    failures.append(found)
                    break
                solutions.append(found)
                again = True
    return Deflated(tuple(solutions), tuple(failures), len(solutions) < most)


def _checked_guesses(map: Map, guesses: Any) -> list[np.ndarray]:
    if isinstance(guesses, str) or not isinstance(guesses, Iterable):
        raise InvalidInput(f"guesses must be a sequence of states, got {type(guesses).__name__}")
    starts = [map.check(guess) for guess in guesses]
    if not starts:
        raise InvalidInput("guesses is empty; give at least one state")
    if len({start.shape for start in starts}) > 1:
        raise InvalidInput(f"the guesses have shapes {[start.shape for start in starts]}; one shape is asked for")
    return starts


@dataclass(eq=False)
class _Hunt:
    """The solutions known so far, as all the points of their cycles; grows as they are found."""

    map: Map
    shape: tuple[int, ...]
    period: int
    method: Newton | NewtonKrylov | None
    power: float
    known: list[np.ndarray] = dataclasses.field(default_factory=list)
    cycles: int = 0

    def add(self, x: np.ndarray) -> None:
        iterate = IteratedMap(self.map, self.shape, self.period)
        orbit = iterate.orbit(x.reshape(-1), self.map.parameters)
        self.known += [y.reshape(self.shape) for y in orbit[: iterate.least_period(orbit, SAME)]]
        self.cycles += 1

    def is_known(self, x: np.ndarray) -> bool:
        """Whether a state is one of the known points."""
        return any(float(np.sqrt(np.mean((x - r) ** 2))) < SAME * self._unit(r) for r in self.known)

    def _unit(self, r: np.ndarray) -> float:
        return max(self.map.scale, float(np.sqrt(np.mean(r**2))))

    def from_start(self, start: np.ndarray, number: int) -> Solution | Attempt:
        """A new solution, which is added to the known ones, or why there is none."""
        if self.is_known(start):
            direction = np.random.default_rng(len(self.known)).standard_normal(self.shape)
            start = start + ASIDE * self._unit(start) * direction
        reason = ""
        for monotone in (True, False):
            away = Deflation(tuple(self.known), self.power, monotone=monotone)
            try:
                found = solve(self.map, start, self.period, self.method, away)
            except NotConverged as error:
                reason = reason or str(error).split(" after ")[0]
                continue
            except NotIsolated as error:
                return Attempt(number, self.cycles, str(error))
            if self.is_known(found.state):
                reason = "Newton's method came back to a known solution, which must be a multiple one"
                continue
            self.add(found.state)
            return self._least(found)
        return Attempt(number, self.cycles, reason)

    def _least(self, found: Solution) -> Solution:
        iterate = IteratedMap(self.map, self.shape, self.period)
        orbit = iterate.orbit(found.state.reshape(-1), self.map.parameters)
        shorter = iterate.least_period(orbit, SAME)
        if shorter == self.period:
            return found
        try:
            return solve(self.map, found.state, shorter, self.method)
        except BifurcateError:
            return found


@dataclass(frozen=True, eq=False)
class Continued:
    """What deflated continuation found.

    Attributes
    ----------
    branches : tuple of Branch
        The new ones: none lies on a branch that was given, and none on another of them.
    failures : tuple of Attempt
        Every attempt without a new solution, and every solution whose branch could not be traced.
    """

    branches: tuple[Branch, ...]
    failures: tuple[Attempt, ...]


def deflated_continuation(
    branches: Branch | Sequence[Branch],
    bounds: Mapping[str, tuple[float, float]],
    values: Sequence[float] | int = 8,
    guesses: Sequence[Any] = (),
    period: int | None = None,
    control: StepControl | None = None,
    power: float = 2.0,
    most: int = 50,
    progress: Callable[[Branch], None] | None = None,
) -> Continued:
    """Find branches that are not connected to those known.

    At each of several values of the free parameter all solutions on the known branches are deflated, Newton is started
    from the guesses and from the solutions found at the value before, and what it finds is traced; the branch traced
    counts as known from then on.

    Parameters
    ----------
    branches : Branch or sequence of Branch
        Known branches, of one map, in one free parameter.
    bounds : mapping
        As for :func:`trace`.
    values : sequence of float or int
        Where to look, within the bounds; or at how many values, evenly spaced inside them.
    guesses : sequence of array_like
        Further starts, the same at each value.
    period : int, optional
        Period k of the solutions looked for; by default that of the first branch. Branches whose period divides k are
        deflated too.
    control : StepControl, optional
        As for :func:`trace`.
    power : float
        How strongly solutions repel.
    most : int
        New branches at the most: a map may have infinitely many solutions.
    progress : callable, optional
        Called with every new Branch.

    Returns
    -------
    Continued

    Raises
    ------
    InvalidInput
        If an argument is unusable.

    References
    ----------
    Farrell, Beentjes & Birkisson, The computation of disconnected bifurcation diagrams, arXiv:1603.00809 (2016).

    Examples
    --------
    >>> import bifurcate as bf
    >>> two = bf.Map(lambda x, p: x + 0.1 * (x - p) * (x**2 - 2.0 - p**2), {"p": 0.5})
    >>> first = bf.trace(bf.cycles(two, "p", [0.5]), {"p": (0.0, 1.0)})
    >>> more = bf.deflated_continuation(first, {"p": (0.0, 1.0)}, values=[0.5])
    >>> sorted(round(float(branch.states[0, 0]), 6) for branch in more.branches)
    [-1.414214, 1.414214]
    """
    known = [branches] if isinstance(branches, Branch) else list(branches)
    if not known or not all(isinstance(branch, Branch) for branch in known):
        raise InvalidInput("branches must be a Branch or a list of them, at least one")
    first = known[0].curve
    if len(first.free) != 1 or any(branch.curve.free != first.free for branch in known):
        raise InvalidInput("branches must be of cycles in one free parameter, the same for all")
    (free,) = first.free
    k = check_period(first.period if period is None else period)
    if not isinstance(bounds, Mapping) or free not in bounds:
        raise InvalidInput(f"bounds must give an interval for {free!r}, as {{{free!r}: (low, high)}}")
    low, high = (float(value) for value in bounds[free])
    wanted = np.linspace(low, high, values + 2)[1:-1].tolist() if isinstance(values, int) else list(values)
    for value in wanted:
        if not low <= value <= high:
            raise InvalidInput(f"values holds {free} = {value:g}, outside its bounds ({low:g}, {high:g})")
    metric = Metric.of(first, np.array([high - low]))
    base = first.iterate.map.replace(**first.parameters(first.start))
    new: list[Branch] = []
    failures: list[Attempt] = []
    last: list[np.ndarray] = []
    for value in wanted:
        map = base.replace(**{free: float(value)})
        here = [x for branch in known for x in _solutions_at(branch, float(value), k, metric)]
        starts = [*(map.check(guess) for guess in guesses), *last, *here]
        hunt = _Hunt(map, first.iterate.shape, k, None, power)
        for x in here:
            hunt.add(x)
        number = 0
        while number < len(starts) and len(new) < most:
            found = hunt.from_start(starts[number], number)
            if isinstance(found, Attempt):
                failures.append(dataclasses.replace(found, where=f"{free} = {value:.10g}"))
                number += 1
                continue
            branch = _traced(found, map, free, bounds, control)
            if isinstance(branch, Branch) and not any(_holds(other, branch, metric) for other in known):
                known.append(branch)
                new.append(branch)
                if progress:
                    progress(branch)
                for x in _solutions_at(branch, float(value), k, metric):
                    if not hunt.is_known(x):
                        hunt.add(x)
            elif not isinstance(branch, Branch):
                failures.append(Attempt(number, hunt.cycles, branch, f"{free} = {value:.10g}"))
        last = [x for branch in known for x in _solutions_at(branch, float(value), k, metric)]
    return Continued(tuple(new), tuple(failures))


def _traced(
    found: Solution, map: Map, free: str, bounds: Mapping[str, tuple[float, float]], control: StepControl | None
) -> Branch | str:
    try:
        return trace(cycles(map, free, found.state, period=found.period), bounds, control=control)
    except BifurcateError as error:
        return f"a solution was found, but its branch could not be traced: {error}"


def _holds(branch: Branch, other: Branch, metric: Metric) -> bool:
    """Whether a branch holds the start of another one."""
    if branch.curve.period != other.curve.period:
        return False
    at = int(np.argmin(np.abs(other.arclength)))
    u = np.append(other.states[at].reshape(-1), other.points[at].free)
    return BranchLocator(branch, metric).locate(u) is not None


def _solutions_at(branch: Branch, value: float, period: int, metric: Metric) -> list[np.ndarray]:
    """States of a branch at a parameter value; none if its cycles are no fixed points of f^period."""
    return BranchLocator(branch, metric).states_at(value) if period % branch.curve.period == 0 else []
