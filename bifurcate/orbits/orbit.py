"""One orbit: iteration that says why it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.deprecation import old_parameters, old_positions
from bifurcate.errors import MapFailed
from bifurcate.maps.calls import REAL_KINDS, call
from bifurcate.maps.checks import check_parameters
from bifurcate.maps.map import Map
from bifurcate.orbits.compiled_loops import CompiledRule, iterate_compiled
from bifurcate.printing import notebook_html, short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.pickling import Portable
from bifurcate.storage.tables import Columns, state_columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_count, check_instance

__all__ = [
    "DIVERGED",
    "Iteration",
    "IterationRule",
    "Orbit",
    "OrbitEnd",
    "iterate",
    "next_state",
    "next_states",
    "orbit",
    "with_values",
]

State = NDArray[np.float64]
OrbitEnd = Literal["steps", "domain", "diverged", "failed", "interrupted"]

# A state beyond this many of the map's scales has diverged: bounded dynamics stays within a few scales, and an orbit
# that has left it by twelve orders of magnitude keeps no digit of where it would come back to.
DIVERGED = 1e12

# States that are computed before one looks whether the orbit has ended among them, and their numbers: a look costs as
# much as a step of a small map. For large ones, whose steps are dear, blocks are short.
LONGEST_BLOCK = 128
NUMBERS_PER_BLOCK = 2**13


@dataclass(frozen=True, eq=False)
class Orbit(Tabular):
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
    next_verbs: ClassVar[str] = "bf.plot.phase_portrait(orbits=orbit), bf.attractor_of(map, orbit.states[-1])"
    _repr_html_ = notebook_html

    def table(self) -> Columns:
        """One row a state: after how many iterations, and its numbers."""
        first = self.steps - len(self.states) + 1
        return {"step": list(range(first, self.steps + 1)), **state_columns(self.states)}

    def table_attributes(self) -> dict[str, Any]:
        """How the orbit ended."""
        return {"end": self.end, "detail": self.detail}


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
    periods : ndarray or None
        Of the coordinates, inf for those without one; None if none has one.
    """

    f: Callable[..., Any]
    domain: Callable[..., Any] | None
    scale: float
    periods: NDArray[np.float64] | None = field(default=None, compare=False)

    @staticmethod
    def of(map: Map) -> IterationRule:
        """The rule of a map."""
        return IterationRule(map.f, map.domain, map.scale, map.periods)

    def end(self, x: State, p: Mapping[str, float]) -> OrbitEnd:
        """Why an orbit cannot go on from a state, as in :class:`Orbit`; "steps" if it can."""
        if not np.abs(x).max() < DIVERGED * self.scale:
            return "diverged"
        if self.domain is not None and not np.min(self.domain(x, **p)) > 0:
            return "domain"
        return "steps"

    def first_end(self, states: State, p: Mapping[str, float]) -> tuple[int, OrbitEnd] | None:
        """The number of the first of some states from which an orbit cannot go on, and why; None if there is none."""
        count, end = len(states), None
        inside = (
            np.abs(states.reshape(count, states[0].size if count else 1)).max(axis=1, initial=0.0)
            < DIVERGED * self.scale
        )
        if not inside.all():
            count = int(np.argmin(inside))
            end = count, "diverged"
        if self.domain is not None:
            for i, x in enumerate(states[:count]):
                if not np.min(self.domain(x, **p)) > 0:
                    return i, "domain"
        return end  # type: ignore[return-value]


class Iteration(NamedTuple):
    """The result of :func:`iterate`.

    Attributes
    ----------
    states : ndarray, shape (at most last - transient + 1, *state's shape)
        The states after the transient.
    steps : int
        Iterations done.
    end : {"steps", "domain", "diverged", "failed", "interrupted"}
        As in :class:`Orbit`.
    detail : str
        As in :class:`Orbit`.
    """

    states: State
    steps: int
    end: OrbitEnd
    detail: str = ""


@old_parameters
@old_positions("transient")
def orbit(
    map: Map,
    start: Any,
    steps: int,
    *,
    transient: int = 0,
    parameters: Mapping[str, float] | None = None,
    progress: Report | bool | None = None,
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
    progress : callable, bool, optional
        Called with a :class:`Progress` whenever some iterations are done; or True for a line that says how far the call
        has come, False for none. If it is not given, a line appears after two seconds in terminals and notebooks.

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
    with reporting(progress, f"orbit {map.name}", (), "iterations") as report:
        found = iterate(rule, x, map.parameters, transient=transient, last=last, report=report)
    return Orbit(found.states if len(found.states) else x[None].copy(), found.steps, found.end, found.detail)


def next_state(rule: IterationRule, x: State, p: Mapping[str, float]) -> State:
    """f of a state, as a new array: f may return the same one each time, or write into the one that it is given.

    Raises
    ------
    MapFailed
        If f raises, or returns anything but real numbers of the state's shape.
    """
    return _as_state(call(rule.f, "f", x.copy(), **p), x.shape)


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
    rule: IterationRule,
    x: State,
    p: Mapping[str, float],
    *,
    transient: int,
    last: int,
    done: int = 0,
    report: Report | None = None,
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
    report : callable, optional
        Told of every block of iterations.
    """
    p, length = dict(p), 1
    blocks = [x[None] if done >= transient else np.empty((0, *x.shape))]
    end: OrbitEnd = "steps"
    detail = ""
    with np.errstate(all="ignore"):
        while done < last and end == "steps":
            length = min(2 * length, LONGEST_BLOCK, max(1, NUMBERS_PER_BLOCK // max(x.size, 1)))
            block, end, detail = next_states(rule, x, p, min(length, last - done))
            if done + len(block) >= transient:
                blocks.append(block[max(transient - done - 1, 0) :])
            done, x = done + len(block), block[-1] if len(block) else x
            if report is not None:
                report(Progress(p, done, left=last - done))
    return Iteration(np.concatenate(blocks), done, end, detail)


def next_states(rule: IterationRule, x: State, p: Mapping[str, float], count: int) -> tuple[State, OrbitEnd, str]:
    """The next states of an orbit: up to ``count``, fewer where it ends. Overflows are the caller's to silence.

    f may be called for states beyond the one where the orbit ends: whether it does is looked up for all states at once.

    Parameters
    ----------
    rule : IterationRule
    x : ndarray
        The state before them.
    p : mapping of str to float
        All parameters.
    count : int

    Returns
    -------
    states : ndarray, shape (at most count, *state's shape)
    end : {"steps", "domain", "diverged", "failed", "interrupted"}
    detail : str
        What f raised or returned, where it failed.
    """
    states, f, shape = np.empty((count, *x.shape)), rule.f, x.shape
    end: OrbitEnd = "steps"
    done, detail, at = 0, "", x
    try:
        at = x.copy()  # f may write into the state that it is given, and return the same array each time
        for done in range(count):
            y = f(at, **p)
            if type(y) is not np.ndarray or y.dtype is not _FLOAT or y.shape != shape:
                y = _as_state(y, shape)
            states[done] = y
            at = y.copy()
        done = count
    except KeyboardInterrupt:
        end = "interrupted"
    except Exception as raised:  # once more, for f's own words
        end, detail = "failed", f"f failed once: {type(raised).__name__}: {raised}"
        try:
            next_state(rule, states[done - 1] if done else x, p)
        except MapFailed as error:
            detail = str(error)
    first = rule.first_end(states[:done], p)
    return (states[:done], end, detail) if first is None else (states[: first[0]], first[1], "")


_FLOAT = np.dtype(float)


def _as_state(y: Any, shape: tuple[int, ...]) -> State:
    """What f returned, as an array of floats of the state's shape."""
    y = np.asarray(y)
    if y.shape != shape or y.dtype.kind not in REAL_KINDS:
        what = f"shape {y.shape}" if y.shape != shape else f"{y.dtype.name} values"
        raise MapFailed(f"f returned {what} for a state of shape {shape}")
    return np.array(y, dtype=float)
