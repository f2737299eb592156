"""Attempts of deflated continuation made ahead on an executor, with the results of a search without.

An attempt depends on what is known when its turn comes. Those of the next guesses are made at the same time with what
is known now; while a branch is traced here, too. Once something else is known, what was made ahead is forgotten.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.newton.deflated_search import DeflatedSearch, FailedAttempt
from bifurcate.newton.solve import Solution

__all__ = ["AttemptsOnExecutor"]

State = NDArray[np.float64]
Result = tuple[Solution | FailedAttempt, State | None]

MOST_AHEAD = 32  # attempts in flight: more would mostly be made in vain when one of them succeeds


class AttemptsOnExecutor:
    """The attempts of a search from guesses, made in their turns or ahead.

    Parameters
    ----------
    search : DeflatedSearch
    guesses : sequence of ndarray
        By number, in the order in which they will be asked for.
    executor : Executor or None
        Where attempts are made ahead; None to make each in its turn, here.
    """

    def __init__(self, search: DeflatedSearch, guesses: Sequence[State], executor: Executor | None) -> None:
        self.search, self.guesses, self.executor = search, list(guesses), executor
        self._futures: dict[int, Future[Any]] = {}
        self._known: tuple[Any, ...] = ()

    def prepare(self, number: int) -> None:
        """Begin the attempts of this guess and of those that follow it, with what is known now."""
        if self.executor is None:
            return
        known = len(self.search.known), self.search.cycles, self.search.has_manifold
        if known != self._known:
            self.forget()
            self._known = known
        for i in range(number, min(number + MOST_AHEAD, len(self.guesses))):
            if i not in self._futures:
                copied = dataclasses.replace(self.search, known=list(self.search.known), unusable=set(), _away=None)
                self._futures[i] = self.executor.submit(_attempt, copied, self.guesses[i], i)

    def result(self, number: int) -> Result:
        """What ``search.search`` returns for a guess."""
        self.prepare(number)
        if number not in self._futures:
            return self.search.search(self.guesses[number], number)
        found, has_manifold, unusable = self._futures.pop(number).result()
        self.search.has_manifold = has_manifold
        self.search.unusable |= unusable
        return found  # type: ignore[no-any-return]

    def forget(self) -> None:
        """Cancel what has been begun and was not asked for."""
        for future in self._futures.values():
            future.cancel()
        self._futures.clear()


def _attempt(search: DeflatedSearch, guess: State, number: int) -> tuple[Result, bool, set[int]]:
    """One attempt, and what it has changed of the search."""
    with np.errstate(all="ignore"):
        found = search.search(guess, number)
    return found, search.has_manifold, search.unusable
