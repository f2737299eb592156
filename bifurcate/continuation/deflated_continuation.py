"""Deflated continuation: branches that are not connected to those already known."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.continuation.attempts_on_executor import AttemptsOnExecutor
from bifurcate.continuation.branch import Branch
from bifurcate.continuation.branch_matching import BranchLocator
from bifurcate.continuation.step_control import StepControl
from bifurcate.continuation.trace import trace
from bifurcate.curves.cycle import cycles
from bifurcate.curves.metric import Metric
from bifurcate.deprecation import old_keywords, old_positions
from bifurcate.errors import BifurcateError, InvalidInput, MapFailed, OutsideDomain
from bifurcate.executors import as_executor
from bifurcate.interrupts import interrupted_meanwhile, interruptible, protected
from bifurcate.maps.map import Map
from bifurcate.newton.deflated_search import DeflatedSearch, FailedAttempt
from bifurcate.newton.solve import Solution
from bifurcate.printing import notebook_html, short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.journal import Section, open_journal
from bifurcate.storage.tables import Columns, points_table, stacked
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_count, check_interval, check_period, check_sequence, check_values

__all__ = ["DeflatedBranches", "deflated_continuation"]

T = TypeVar("T")
State = NDArray[np.float64]
Bounds = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, eq=False)
class DeflatedBranches(Tabular):
    """What deflated continuation found.

    Attributes
    ----------
    branches : tuple of Branch
        The new ones: none lies on a branch that was given, and none on another of them.
    failures : tuple of FailedAttempt
        Every attempt without a new solution, and every solution whose branch could not be traced.
    interrupted : bool
        True if the user ended the search (Ctrl-C).
    """

    branches: tuple[Branch, ...]
    failures: tuple[FailedAttempt, ...]
    interrupted: bool = False

    __repr__ = short_repr
    _repr_html_ = notebook_html

    def table(self) -> Columns:
        """One row a point, with its branch's number; otherwise as the table of a branch."""
        return stacked(
            {"branch": [number] * len(branch), **points_table(branch.points)}
            for number, branch in enumerate(self.branches)
        )


@old_keywords(most="max_branches")
@old_positions("values", "guesses", "period", "control", "power", "max_branches", "progress")
def deflated_continuation(
    branches: Branch | Sequence[Branch],
    bounds: Bounds,
    *,
    values: Sequence[float] | int = 8,
    guesses: Sequence[Any] = (),
    period: int | None = None,
    control: StepControl | None = None,
    power: float = 2.0,
    max_branches: int = 50,
    executor: Any = None,
    progress: Report | bool | None = None,
    journal: str | os.PathLike[str] | None = None,
) -> DeflatedBranches:
    """Find branches that are not connected to those known.

    At each of several values of the free parameter all solutions on the known branches are deflated, and Newton's
    method is started from the guesses and from the solutions found at the value before. What it finds is traced; the
    branch traced counts as known from then on.

    Parameters
    ----------
    branches : Branch or sequence of Branch
        Known branches, of one map, in one free parameter.
    bounds : mapping of str to (float, float)
        Interval of the free parameter, as for :func:`trace`.
    values : sequence of float or int
        Where to look, within the bounds; or at how many values, evenly spaced inside them.
    guesses : sequence of array_like
        Further guesses, the same at each value.
    period : int, optional
        Period k of the solutions looked for; by default that of the first branch. Branches whose period divides k are
        deflated too.
    control : StepControl, optional
        As for :func:`trace`.
    power : float
        How strongly solutions repel, as for :class:`Deflation`.
    max_branches : int
        New branches at the most: a map may have infinitely many solutions.
    executor : concurrent.futures.Executor or dask Client, optional
        Where attempts from the next guesses are made at the same time, and while a branch is traced: threads, processes
        (f must be picklable then), a cluster's. The result is the same as without. By default each in its turn.
    progress : callable, bool, optional
        Called with a :class:`Progress` after every new branch; or True for a line that says how far the call has come,
        False for none. If it is not given, a line appears after two seconds in terminals and notebooks.
    journal : str or path-like, optional
        A file in which every attempt and every step is noted. After an interrupt, or when the process was killed, the
        same call with the same journal goes on where it stopped, to the same branches, to the bit.

    Returns
    -------
    DeflatedBranches

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
    known = _check_branches(branches)
    first = known[0].curve
    (free,) = first.free
    if not isinstance(bounds, Mapping) or free not in bounds:
        raise InvalidInput(f"bounds must give an interval for {free!r}, as {{{free!r}: (low, high)}}")
    low, high = check_interval(free, bounds[free])
    given = check_sequence("guesses", guesses, "states")
    map = first.iterate.map.replace(**first.parameters(first.start))
    call: dict[str, Any] = {
        "branches": list(known),
        "bounds": dict(bounds),
        "values": values,
        "guesses": given,
        "period": period,
    }
    call |= {"control": control, "power": power, "max_branches": max_branches}
    search = _BranchSearch(
        map=map,
        free=free,
        bounds=bounds,
        guesses=tuple(given),
        period=check_period(first.period if period is None else period),
        control=control,
        power=power,
        max_branches=check_count("max_branches", max_branches),
        executor=as_executor(executor),
        progress=None,
        metric=Metric.of(first, np.array([high - low])),
        known=known,
    )
    solutions: list[State] = []
    with (
        open_journal(journal, call) as search.journal,
        protected(),
        reporting(progress, f"deflated continuation of {map.name}", (free,)) as search.progress,
    ):
        try:
            for value in _check_values(values, free, low, high):
                solutions = search.search_at(value, solutions)
        except KeyboardInterrupt:
            search.is_interrupted = True
        search.is_interrupted |= interrupted_meanwhile()
    return DeflatedBranches(tuple(search.new), tuple(search.failures), search.is_interrupted)


def _check_branches(branches: Any) -> list[Branch]:
    known = [branches] if isinstance(branches, Branch) else check_sequence("branches", branches, "Branch objects")
    if not known or not all(isinstance(branch, Branch) for branch in known):
        raise InvalidInput("branches must be a Branch or a list of them, at least one")
    free = known[0].curve.free
    if len(free) != 1 or any(branch.curve.free != free for branch in known):
        raise InvalidInput("branches must be of cycles in one free parameter, the same for all")
    return known


def _check_values(values: Sequence[float] | int, free: str, low: float, high: float) -> list[float]:
    """The parameter values at which solutions are looked for."""
    if isinstance(values, int | np.integer):
        return [float(value) for value in np.linspace(low, high, check_count("values", values) + 2)[1:-1]]
    wanted: list[float] = check_values("values", values).tolist()
    for value in wanted:
        if not low <= value <= high:
            raise InvalidInput(f"values holds {free} = {value:g}, outside its bounds ({low:g}, {high:g})")
    return wanted


@dataclass(eq=False)
class _BranchSearch:
    """What deflated continuation was asked for, and what it has found so far: ``known``, ``new`` and ``failures``."""

    map: Map
    free: str
    bounds: Bounds
    guesses: tuple[Any, ...]
    period: int
    control: StepControl | None
    power: float
    max_branches: int
    executor: Executor | None
    progress: Report | None
    metric: Metric
    known: list[Branch]
    new: list[Branch] = field(default_factory=list)
    failures: list[FailedAttempt] = field(default_factory=list)
    journal: Section | None = None
    is_interrupted: bool = False

    def search_at(self, value: float, solutions: list[State]) -> list[State]:
        """Look for new branches at a parameter value, and return the solutions on all known branches there.

        Parameters
        ----------
        value : float
            Of the free parameter.
        solutions : list of ndarray
            Those at the value before, from which Newton's method is started, too.
        """
        map = self.map.replace(**{self.free: value})
        here, given = self._solutions_at(value), list[State]()
        for number, guess in enumerate(self.guesses):
            try:
                given.append(map.check(guess))
            except (MapFailed, OutsideDomain) as error:
                self.failures.append(FailedAttempt(number, len(here), str(error), f"{self.free} = {value:.10g}"))
        search = DeflatedSearch(map, self.known[0].curve.iterate.state_shape, self.period, None, self.power)
        for x in here:
            search.add(x)
        guesses = [*given, *solutions, *here]
        attempts = AttemptsOnExecutor(search, guesses, self.executor)
        try:
            for number in range(len(guesses)):
                self._search_from(search, attempts, number, value)
        finally:
            attempts.forget()
        return self._solutions_at(value)

    def _search_from(self, search: DeflatedSearch, attempts: AttemptsOnExecutor, number: int, value: float) -> None:
        """Trace what Newton's method finds from one guess, until it finds nothing new."""
        where = f"{self.free} = {value:.10g}"
        while len(self.new) < self.max_branches:
            found, state = self._remember("attempt", lambda: attempts.result(number))
            if state is not None:
                search.add(state)
                attempts.prepare(number)  # made while its branch is traced
            if isinstance(found, FailedAttempt):
                self.failures.append(dataclasses.replace(found, where=where))
                return
            try:
                branch = self._trace(search.map, found)
            except BifurcateError as error:
                reason = f"a solution was found, but its branch could not be traced: {error}"
                self.failures.append(FailedAttempt(number, search.cycles, reason, where))
                continue
            is_new = not any(_holds(other, branch, self.metric) for other in self.known)
            if is_new:
                self._add(branch)
            if any(stop.reason == "interrupted" for stop in branch.stop):
                raise KeyboardInterrupt
            if not is_new:
                continue
            for x in self._solutions_on(branch, value):
                if not search.is_known(x):
                    search.add(x)

    def _trace(self, map: Map, found: Solution) -> Branch:
        notes = None if self.journal is None else self.journal.numbered_section("trace")
        curve = cycles(map, self.free, found.state, period=found.period)
        return trace(curve, self.bounds, control=self.control, journal=notes)

    def _remember(self, name: str, compute: Callable[[], T]) -> T:
        if self.journal is None:
            return interruptible(compute)
        return self.journal.remember(name, lambda: interruptible(compute))

    def _add(self, branch: Branch) -> None:
        self.known.append(branch)
        self.new.append(branch)
        if self.progress is not None:
            special = sum(len(each.special) for each in self.new)
            last = branch.points[-1]
            self.progress(Progress(last.parameters, len(branch), special, len(self.new), last, branch))

    def _solutions_at(self, value: float) -> list[State]:
        return [x for branch in self.known for x in self._solutions_on(branch, value)]

    def _solutions_on(self, branch: Branch, value: float) -> list[State]:
        """States of a branch at a parameter value; none if its cycles are no fixed points of f^period."""
        if self.period % branch.curve.period != 0:
            return []
        return BranchLocator(branch, self.metric).states_at(value)


def _holds(branch: Branch, other: Branch, metric: Metric) -> bool:
    """True if the first point of another branch lies on a branch."""
    if branch.curve.period != other.curve.period or branch.curve.size != other.curve.size:
        return False
    at = int(np.argmin(np.abs(other.arclength)))
    u = np.append(np.ravel(other.points[at].unknowns), other.points[at].free)
    return BranchLocator(branch, metric).locate(u) is not None
