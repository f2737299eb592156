"""One orbit: iteration with a reason for its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.deprecation import old_parameters, old_positions
from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.validation import check_count, check_instance

__all__ = ["FAR", "IterationRule", "Orbit", "check_counts", "iterate", "orbit"]

FAR = 1e12  # in units of the map's scale: a state beyond it has diverged; nothing that comes back grows so large


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
class IterationRule:
    """What iteration needs of a map: with f (and domain) that can be pickled, it can be sent to another process."""

    f: Callable[..., Any]
    domain: Callable[..., Any] | None
    scale: float

    @staticmethod
    def of(map: Map) -> IterationRule:
        """The rule of a map."""
        return IterationRule(map.f, map.domain, map.scale)

    def end(self, x: np.ndarray, p: Mapping[str, float]) -> str:
        """Why an orbit cannot go on from a state, as in :class:`Orbit`; "steps" if it can."""
        if not np.abs(x).max() < FAR * self.scale:
            return "diverged"
        if self.domain is not None and not np.min(self.domain(x, **p)) > 0:
            return "domain"
        return "steps"


@old_parameters
@old_positions("transient")
def orbit(
    map: Map, start: Any, steps: int, *, transient: int = 0, parameters: Mapping[str, float] | None = None
) -> Orbit:
    """Iterate a map.

    Parameters
    ----------
    map : Map
        What is iterated.
    start : array_like, of the state's shape
        The first state.
    steps : int
        States to keep after the transient, at least 1. Without a transient the first kept one is the start.
    transient : int
        Iterations before that.
    parameters : mapping of str to float, optional
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
    >>> bf.orbit(bf.maps.logistic(), [0.5], 3, parameters={"r": 2.0}).states.ravel()
    array([0.5, 0.5, 0.5])
    """
    check_counts(steps=(steps, 1, None), transient=(transient, 0, None))
    map = with_values(map, parameters)
    x = map.check(start)
    kept, done, end = iterate(IterationRule.of(map), x, dict(map.parameters), 0, transient, transient + steps - 1)
    return Orbit(np.array(kept or [x]), done, end)


def with_values(map: Map, parameters: Mapping[str, float] | None) -> Map:
    """The map with some of its parameters replaced; what is no Map, or no mapping of names to values, is refused."""
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    if parameters is None:
        return map
    if not isinstance(parameters, Mapping):
        raise InvalidInput(f"parameters must be a dict of names and values, got {parameters!r}")
    return map.replace(**parameters)


def check_counts(**given: tuple[Any, int, int | None]) -> None:
    """Raise InvalidInput unless every count is a whole number between its bounds (value, least, most or None)."""
    for name, (value, least, most) in given.items():
        check_count(name, value, least)
        if most is not None and value > most:
            raise InvalidInput(f"{name} is {value!r}; it must be at most the number of unknowns, {most}")


def iterate(
    rule: IterationRule, x: np.ndarray, p: Mapping[str, float], done: int, transient: int, last: int
) -> tuple[list[np.ndarray], int, str]:
    """Iterate one state from after ``done`` iterations to after ``last``.

    Parameters
    ----------
    rule : IterationRule
        What is iterated.
    x : ndarray
        The state after ``done`` iterations.
    p : mapping of str to float
        All parameters.
    done, transient, last : int
        Iterations done, left out, and done at the end.

    Returns
    -------
    list of ndarray, int, str
        The states after the transient, the iterations done, and how the orbit ended.
    """
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
