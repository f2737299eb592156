"""Attempts of deflation made ahead: those that fail, of many guesses at once.

Once most solutions are known, most attempts fail, and each costs some hundred evaluations of f. Where f broadcasts, the
attempts that are next in turn are made together. One that fails so is taken as failed; for any other the attempt is
made by itself, in its turn: what deflation finds, and in which order, is what it would be without.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.accelerated_batches import batch_map
from bifurcate.maps.batch_calls import DoesNotBroadcast
from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.batches import BatchRows
from bifurcate.maps.orbit_map import SHORTEST_PERIOD
from bifurcate.newton.batched_deflation import BatchedDeflation
from bifurcate.newton.batched_newton import ENDS, FAILS, LEAVES, RISES, SLOW, Equations, newton_on_rows
from bifurcate.newton.deflated_search import DeflatedSearch, FailedAttempt
from bifurcate.newton.newton import Newton
from bifurcate.newton.solve import DEFAULT_NEWTON, Solution

__all__ = ["AttemptsAhead"]

Vector = NDArray[np.float64]

# Ends of a batch's rows that are failures for sure; others are left to the attempt by itself, which finds the words.
FAILED = (SLOW, LEAVES, FAILS, RISES)

# Attempts made together at the most, two rows for each.
MOST_AHEAD = 256


class AttemptsAhead:
    """The attempts of a search, each made when it is asked for, or before.

    After every failure twice as many attempts are made together as the time before; a success, after which all would
    have to be made again, sets the number back to one.

    Parameters
    ----------
    search : DeflatedSearch
    guesses : mapping of int to ndarray
        All guesses by number, in the order in which they will be asked for.
    """

    def __init__(self, search: DeflatedSearch, guesses: Mapping[int, Vector]) -> None:
        self.search, self.guesses = search, dict(guesses)
        self.order = list(guesses)
        self.batched: BatchedMap | None = None
        if search.period < SHORTEST_PERIOD and (search.method is None or isinstance(search.method, Newton)):
            rows = BatchRows(np.array(list(guesses.values())), dict(search.map.parameters))
            self.batched = batch_map(search.map, rows)
        self.known, self.ahead = -1, 1
        self.failed: dict[int, str] = {}

    def find(self, guess: Vector, number: int) -> Solution | FailedAttempt:
        """What ``search.find`` would return."""
        if self.known != self.search.cycles:
            self.known, self.failed = self.search.cycles, {}
        if number not in self.failed and self.batched is not None and self.ahead > 1:
            self._try_ahead(self.batched, number)
        if number in self.failed:
            return FailedAttempt(number, self.search.cycles, self.failed[number])
        found = self.search.find(guess, number)
        self.ahead = min(2 * self.ahead, MOST_AHEAD) if isinstance(found, FailedAttempt) else 1
        return found

    def _try_ahead(self, batched: BatchedMap, number: int) -> None:
        """Make the attempts of this guess and of those that follow it."""
        at = self.order.index(number)
        numbers = [i for i in self.order[at : at + self.ahead] if i not in self.search.unusable]
        x = np.array([self.search.moved(self.guesses[i]).reshape(-1) for i in numbers])
        away = self.search.away(True)
        deflation = BatchedDeflation(
            away.rows if away.known else np.zeros((0, x.shape[1])),
            np.maximum(self.search.map.scale, away.sizes),
            away.power,
            batched.periods,
            np.repeat([True, False], len(x)),
        )
        method = self.search.method if isinstance(self.search.method, Newton) else DEFAULT_NEWTON
        equations = Equations(batched, self.search.period)
        try:
            with np.errstate(all="ignore"):
                rows = np.concatenate([x, x])[:, None]
                ends = newton_on_rows(equations, rows, dict(self.search.map.parameters), method, deflation).ends
        except DoesNotBroadcast:
            self.batched = None
            return
        for i, first, second in zip(numbers, *ends.reshape(2, -1).tolist()):
            if first not in FAILED or second not in FAILED:
                return  # the attempts after this one are made again, if it succeeds
            self.failed[i] = ENDS[first]
        self.ahead = min(2 * self.ahead, MOST_AHEAD)
