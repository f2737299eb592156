"""Deflation: several fixed points or cycles from few guesses, by Newton's method kept away from those already found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.deprecation import old_keywords, old_positions
from bifurcate.errors import InvalidInput, MapFailed, OutsideDomain
from bifurcate.interrupts import interrupted_meanwhile, interruptible, protected
from bifurcate.maps.checks import check_state
from bifurcate.maps.map import Map
from bifurcate.newton.attempts_ahead import AttemptsAhead
from bifurcate.newton.deflated_search import DeflatedSearch, FailedAttempt
from bifurcate.newton.newton import Newton
from bifurcate.newton.newton_krylov import NewtonKrylov
from bifurcate.newton.solve import Solution
from bifurcate.printing import notebook_html, short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns, solutions_table
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_count, check_instance, check_period, check_sequence

__all__ = ["DeflationResult", "check_guesses", "deflate"]

Vector = NDArray[np.float64]

PRINTED_NUMBERS = 4  # numbers of each state that a result prints


@dataclass(frozen=True, eq=False)
class DeflationResult(Tabular):
    """What deflation found.

    Attributes
    ----------
    solutions : tuple of Solution
        In the order in which they were found, every cycle once, each with its least period, which may be a divisor of
        the period asked for. Of solutions that form a manifold one, with its ``manifold``.
    failures : tuple of FailedAttempt
        One for every attempt that brought no new solution.
    exhausted : bool
        True if every guess failed with all of the solutions deflated; False if ``max_solutions``, or the user, ended
        the search.
    interrupted : bool
        True if the user ended the search (Ctrl-C).
    """

    solutions: tuple[Solution, ...]
    failures: tuple[FailedAttempt, ...]
    exhausted: bool
    interrupted: bool = False

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "print(result), bf.cycles(map, free, result.solutions[0])"
    _repr_html_ = notebook_html

    def of(self, period: int) -> tuple[Solution, ...]:
        """The solutions of a least period."""
        return tuple(solution for solution in self.solutions if solution.period == period)

    def __len__(self) -> int:
        return len(self.solutions)

    def __str__(self) -> str:
        lines = [f"{len(self.solutions)} solutions; {len(self.failures)} attempts failed"]
        for solution in self.solutions:
            state = np.array2string(solution.state.ravel()[:PRINTED_NUMBERS], precision=9).strip("[]")
            more = " …" if solution.state.size > PRINTED_NUMBERS else ""
            kind = "stable" if solution.stable else "unstable"
            lines.append(f"  period {solution.period}, {kind}: {state}{more}")
        counts = Counter(attempt.reason for attempt in self.failures)
        lines += [f"  failed: {number} × {reason}" for reason, number in counts.items()]
        if self.interrupted:
            lines.append("  interrupted by the user; all that was found so far is kept")
        elif not self.exhausted:
            lines.append("  the search was ended by the largest number of solutions asked for")
        return "\n".join(lines)

    def table(self) -> Columns:
        """One row a solution: state, period, stability, residual."""
        return solutions_table(self.solutions)


@old_keywords(most="max_solutions")
@old_positions("period", "known", "method", "power", "max_solutions")
def deflate(
    map: Map,
    guesses: Sequence[Any],
    *,
    period: int = 1,
    known: Iterable[Any] = (),
    method: Newton | NewtonKrylov | None = None,
    power: float = 2.0,
    max_solutions: int = 50,
    progress: Report | bool | None = None,
) -> DeflationResult:
    """Find several fixed points of f^period from few guesses, by Newton's method kept away from those already found.

    From every guess Newton's method is run again and again until it finds nothing new; each solution found is deflated
    for the next run, at all points of its cycle (see :class:`Deflation`). Rounds over all guesses are repeated as long
    as the last round found something. An attempt is two runs: one whose steps lower the deflated residual and, should
    it fail, one whose steps need only stay in the map's domain.

    Parameters
    ----------
    map : Map
        The equations are solved at its own ``parameters``.
    guesses : sequence of array_like
        Where Newton's method starts: one state or more, of one shape.
    period : int
        k ≥ 1. Cycles whose period divides k are solutions too: they are found, returned with their own period, and
        deflated like the others.
    known : iterable of array_like or Solution
        Solutions to stay away from from the beginning, one point of each cycle; they are not returned.
    method : Newton or NewtonKrylov, optional
        As for :func:`solve`.
    power : float
        How strongly solutions repel.
    max_solutions : int
        Stop at so many solutions: a map may have infinitely many.
    progress : callable, bool, optional
        As for :func:`trace`; runs of Newton's method are counted.

    Returns
    -------
    DeflationResult

    Raises
    ------
    InvalidInput
        If an argument is unusable. A guess that fails, or at which f fails, is no error: it is counted, with its
        reason; the first error is raised if f fails at all of them.

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
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    check_count("max_solutions", max_solutions)
    states, failures = check_guesses(map, guesses)
    shape = next(iter(states.values())).shape
    search = DeflatedSearch(map, shape, check_period(period), method, power)
    for given in check_sequence("known", known, "states or solutions"):
        state = map.check(given.state if isinstance(given, Solution) else given)
        if state.shape != shape:
            raise InvalidInput(f"known has a state of shape {state.shape}; the guesses have shape {shape}")
        search.add(state)
    ahead = AttemptsAhead(search, states)
    solutions: list[Solution] = []
    found_some, interrupted = True, False
    with protected(), reporting(progress, f"deflate {map.name}", (), "attempts") as report:
        try:
            while found_some:
                found_some = False
                for number, guess in states.items():
                    while len(solutions) < max_solutions and number not in search.unusable:
                        found = interruptible(ahead.find, guess, number)
                        if report is not None:
                            report(Progress(dict(map.parameters), len(solutions) + len(failures) + 1))
                        if isinstance(found, FailedAttempt):
                            failures.append(found)
                            break
                        solutions.append(found)
                        found_some = True
        except KeyboardInterrupt:
            interrupted = True
        interrupted |= interrupted_meanwhile()
    exhausted = len(solutions) < max_solutions and not interrupted
    return DeflationResult(tuple(solutions), tuple(failures), exhausted, interrupted)


def check_guesses(map: Map, guesses: Any) -> tuple[dict[int, Vector], list[FailedAttempt]]:
    """The guesses at which the map can be evaluated, by number, and why the others cannot be used.

    Raises
    ------
    InvalidInput
        If there is none, or their shapes differ.
    """
    given = [check_state(guess) for guess in check_sequence("guesses", guesses, "states")]
    if not given:
        raise InvalidInput("guesses is empty; give at least one state")
    if len({state.shape for state in given}) > 1:
        raise InvalidInput(f"the guesses have shapes {[state.shape for state in given]}; one shape is asked for")
    states: dict[int, Vector] = {}
    errors: dict[int, InvalidInput] = {}
    for number, guess in enumerate(given):
        try:
            states[number] = map.check(guess)
        except (MapFailed, OutsideDomain) as error:
            errors[number] = error
    if not states:
        raise errors[0]
    return states, [FailedAttempt(number, 0, str(error)) for number, error in errors.items()]
