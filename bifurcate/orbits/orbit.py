"""One orbit: iteration with a reason for its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map

__all__ = ["FAR", "Orbit", "Rule", "alone", "checked_counts", "orbit"]

FAR = 1e12  # in units of the map's scale: an orbit beyond it has diverged


@dataclass(frozen=True, eq=False)
class Orbit:
    """Successive states of a map.

    Attributes
    ----------
    states : ndarray, shape (kept, *state's shape)
        The states after the transient; the last one is the last that was reached.
    steps : int
        Iterations done, the transient's included.
    end : str
        "steps" if all were done; "domain" if the orbit left the map's declared domain (crossed a pole);
        "diverged" if a state grew beyond 10¹² scales or stopped being finite.
    """

    states: np.ndarray
    steps: int
    end: str


@dataclass(frozen=True, eq=False)
class Rule:
    """What iteration needs of a map: with f (and domain) that can be pickled, it can be sent to another process."""

    f: Callable[..., Any]
    domain: Callable[..., Any] | None
    scale: float

    @staticmethod
    def of(map: Map) -> Rule:
        """The rule of a map."""
        return Rule(map.f, map.domain, map.scale)

    def end(self, x: np.ndarray, p: Mapping[str, float]) -> str:
        """Why an orbit cannot go on from a state, as in :class:`Orbit`; "steps" if it can."""
        if not np.abs(x).max() < FAR * self.scale:
            return "diverged"
        if self.domain is not None and not np.min(self.domain(x, **p)) > 0:
            return "domain"
        return "steps"


def orbit(map: Map, start: Any, steps: int, transient: int = 0, **parameters: float) -> Orbit:
    """Iterate a map.

    Parameters
    ----------
    map : Map
    start : array_like
        The first state.
    steps : int
        States to keep after the transient, at least 1. Without a transient the first kept one is the start.
    transient : int
        Iterations before that.
    **parameters : float
        Values that replace the map's own.

    Returns
    -------
    Orbit

    Raises
    ------
    InvalidInput
        If the start, the counts or a parameter's name are unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> bf.orbit(bf.maps.logistic(), [0.5], 3, r=2.0).states.ravel()
    array([0.5, 0.5, 0.5])
    """
    checked_counts(steps=(steps, 1, None), transient=(transient, 0, None))
    map = map.replace(**parameters) if parameters else map
    x = map.check(start)
    kept, done, end = alone(Rule.of(map), x, dict(map.parameters), 0, transient, transient + steps - 1)
    return Orbit(np.array(kept or [x]), done, end)


def checked_counts(**given: tuple[Any, int, int | None]) -> None:
    """Raise InvalidInput unless every count is a whole number between its bounds."""
    for name, (value, least, most) in given.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InvalidInput(f"{name} is {value!r}; it must be a whole number, at least {least}")
        if most is not None and value > most:
            raise InvalidInput(f"{name} is {value!r}; it must be at most the number of unknowns, {most}")


def alone(
    rule: Rule, x: np.ndarray, p: Mapping[str, float], done: int, transient: int, last: int
) -> tuple[list[np.ndarray], int, str]:
    """One orbit from its state after ``done`` iterations to that after ``last``: states kept, iterations, its end."""
    kept = []
    with np.errstate(all="ignore"):
        while True:
            if done >= transient:
                kept.append(x)
            if done == last:
                return kept, done, "steps"
            following = np.asarray(rule.f(x, **p), dtype=float)
            end = rule.end(following, p)
            if end != "steps":
                return kept, done, end
            x, done = following, done + 1
