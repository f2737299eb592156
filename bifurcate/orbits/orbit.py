"""One orbit: iteration that says why it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.deprecation import old_parameters, old_positions
from bifurcate.errors import MapFailed
from bifurcate.maps.calls import REAL_KINDS, call
from bifurcate.maps.checks import check_parameters
from bifurcate.maps.map import Map
from bifurcate.orbits.compiled_loops import CompiledRule, iterate_compiled
from bifurcate.printing import notebook_html, short_repr
from bifurcate.storage.pickling import Portable
from bifurcate.validation import check_count, check_instance

__all__ = [
    "DIVERGED",
    "Iteration",
    "IterationRule",
    "Orbit",
    "OrbitEnd",
    "iterate",
    "next_state",
    "orbit",
    "with_values",
]

State = NDArray[np.float64]
OrbitEnd = Literal["steps", "domain", "diverged", "failed", "interrupted"]

# A state beyond this many of the map's scales has diverged: bounded dynamics stays within a few scales, and an orbit
# that has left it by twelve orders of magnitude keeps no digit of where it would come back to.
DIVERGED = 1e12


@dataclass(frozen=True, eq=False)
class Orbit:
    """Successive states of a map.

    Attributes
    ----------
    states : ndarray, shape (at most steps, *state's shape)
        The states after the transient; the last one is the last that was reached.
    steps : int
        Iterations done, those of the transient included.
    end : {"steps", "domain", "diverged", "failed", "interrupted"}
        "steps" if all were done; "domain" if the orbit left the map's declared domain (crossed a pole);
        "diverged" if a state grew beyond 10¹² scales or stopped being finite; "failed" if f raised, or returned what is
        no state; "interrupted" if the user ended it.
    detail : str
        What f raised or returned, where it failed.
    """

    states: State
    steps: int
    end: OrbitEnd
    detail: str = field(default="", repr=False)

    __repr__ = short_repr
    _repr_html_ = notebook_html


@dataclass(frozen=True, eq=False)
class IterationRule(Portable):
    """What iteration needs of a map. If f and the domain can be pickled, it can be sent to another process.

    Attributes
    ----------
    f : callable
        ``f(x, **parameters)`` → the next state.
    domain : callable or None
        ``domain(x, **parameters)`` → margins, all positive inside the domain.
    scale : float
        A typical magnitude of the state.
    """

    f: Callable[..., Any]
    domain: Callable[..., Any] | None
    scale: float

    @staticmethod
    def of(map: Map) -> IterationRule:
        """The rule of a map."""
        return IterationRule(map.f, map.domain, map.scale)

    def end(self, x: State, p: Mapping[str, float]) -> OrbitEnd:
        """Why an orbit cannot go on from a state, as in :class:`Orbit`; "steps" if it can."""
        if not np.abs(x).max() < DIVERGED * self.scale:
            return "diverged"
        if self.domain is not None and not np.min(self.domain(x, **p)) > 0:
            return "domain"
        return "steps"


class Iteration(NamedTuple):
    """The result of :func:`iterate`.

    Attributes
    ----------
    states : list of ndarray
        The states after the transient.
    steps : int
        Iterations done.
    end : {"steps", "domain", "diverged", "failed", "interrupted"}
        As in :class:`Orbit`.
    detail : str
        As in :class:`Orbit`.
    """

    states: list[State]
    steps: int
    end: OrbitEnd
    detail: str = ""


@old_parameters
@old_positions("transient")
def orbit(
    map: Map, start: Any, steps: int, *, transient: int = 0, parameters: Mapping[str, float] | None = None
) -> Orbit:
    """Iterate a map from one state.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    start : array_like, of the state's shape
        The first state.
    steps : int
        States to return after the transient, at least 1. Without a transient the first of them is the start.
    transient : int
        Iterations whose states are not returned.
    parameters : mapping of str to float, optional
        Values that replace the map's own.

    Returns
    -------
    Orbit
        With fewer states where the orbit left the domain or diverged, or f failed: see ``end`` and ``detail``.

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
    check_count("steps", steps)
    check_count("transient", transient, least=0)
    map = with_values(map, parameters)
    x = map.check(start)
    rule, last = IterationRule.of(map), transient + steps - 1
    if (compiled := CompiledRule.of(rule, DIVERGED)) is not None:
        states, done, end = iterate_compiled(compiled, x, map.parameters, transient=transient, last=last)
        return Orbit(states if len(states) else x[None], done, end)
    found = iterate(rule, x, map.parameters, transient=transient, last=last)
    return Orbit(np.array(found.states or [x]), found.steps, found.end, found.detail)


def next_state(rule: IterationRule, x: State, p: Mapping[str, float]) -> State:
    """f of a state, as a new array: f may return the same one each time, or write into the one that it is given.

    Raises
    ------
    MapFailed
        If f raises, or returns anything but real numbers of the state's shape.
    """
    y = np.asarray(call(rule.f, "f", x.copy(), **p))
    if y.shape != x.shape or y.dtype.kind not in REAL_KINDS:
        what = f"shape {y.shape}" if y.shape != x.shape else f"{y.dtype.name} values"
        raise MapFailed(f"f returned {what} for a state of shape {x.shape}")
    return np.array(y, dtype=float)


def with_values(map: Map, parameters: Mapping[str, float] | None) -> Map:
    """The map with some of its parameters replaced.

    Raises
    ------
    InvalidInput
        If ``map`` is no Map, or ``parameters`` is no mapping of the map's parameters to numbers.
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    if parameters is None:
        return map
    return map.replace(**check_parameters(parameters))


def iterate(
    rule: IterationRule, x: State, p: Mapping[str, float], *, transient: int, last: int, done: int = 0
) -> Iteration:
    """Iterate one state until ``last`` iterations are done, or the orbit ends before.

    Parameters
    ----------
    rule : IterationRule
        What is iterated.
    x : ndarray
        The state after ``done`` iterations.
    p : mapping of str to float
        All parameters.
    transient : int
        Number of the iteration whose state is the first one returned.
    last : int
        Number of the last iteration.
    done : int
        Iterations done already.
    """
    p, states = dict(p), list[State]()
    with np.errstate(all="ignore"):
        try:
            while True:
                if done >= transient:
                    states.append(x)
                if done == last:
                    return Iteration(states, done, "steps")
                following = next_state(rule, x, p)
                end = rule.end(following, p)
                if end != "steps":
                    return Iteration(states, done, end)
                x, done = following, done + 1
        except MapFailed as error:
            return Iteration(states, done, "failed", str(error))
        except KeyboardInterrupt:
            if len(states) == done - transient:  # it came between a state and its place in the list
                states.append(x)
            return Iteration(states, done, "interrupted")
