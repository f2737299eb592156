"""Return, escape and survival times: how long orbits are outside a set, and how long they stay in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import UNDECIDED
from bifurcate.attractors.attractors import check_box, check_map_somewhere
from bifurcate.attractors.discovery import Box
from bifurcate.attractors.fractions import wilson_interval
from bifurcate.attractors.stepper import Stepper, find_layout
from bifurcate.errors import InvalidInput
from bifurcate.maps.calls import call
from bifurcate.maps.map import Map
from bifurcate.orbits.orbit import IterationRule, OrbitEnd, iterate, with_values
from bifurcate.orbits.standard_error import block_standard_error
from bifurcate.printing import short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns, state_columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_array, check_count, check_flag

__all__ = ["EscapeTimes", "ReturnTimes", "escape_times", "return_times"]

Array = NDArray[np.float64]
Times = NDArray[np.int_]


@dataclass(frozen=True, eq=False)
class ReturnTimes:
    """When one orbit is in a set.

    Attributes
    ----------
    entries, exits : ndarray of int
        Iterations at which the orbit is in the set and was not just before, and the other way round.
    visits : ndarray of int
        All iterations at which it is in the set; 0 is the start.
    stays, absences : ndarray of int
        Lengths of complete visits, from an entry to an exit, and of complete times outside, from an exit to an entry.
    returns : ndarray of int
        Iterations from one state in the set to the next one.
    mean, error : float
        The mean of ``returns``, and its standard error from block means. By Kac's lemma it is 1 over the set's
        invariant measure. NaN without returns; an error needs 16 of them.
    steps : int
        Iterations done.
    end : {"steps", "domain", "diverged", "failed", "interrupted"}
        How the orbit ended, as in :class:`Orbit`.
    """

    entries: Times
    exits: Times
    visits: Times
    stays: Times
    absences: Times
    returns: Times
    mean: float
    error: float
    steps: int
    end: OrbitEnd

    __repr__ = short_repr


def return_times(
    map: Map,
    start: Any,
    inside: Any,
    *,
    steps: int = 10_000,
    transient: int = 0,
    parameters: Mapping[str, float] | None = None,
    progress: Report | bool | None = None,
) -> ReturnTimes:
    """When an orbit enters and leaves a set, and how long it takes to come back.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    start : array_like, of the state's shape
        The first state, in the set or not.
    inside : callable, or sequence of (low, high)
        ``inside(x)`` → True for states in the set; or a box, an interval for every coordinate.
    steps : int
        Iterations, after the transient.
    transient : int
        Iterations before the first state that counts.
    parameters : mapping of str to float, optional
        Values that replace the map's own.
    progress : callable, bool, optional
        Called with a :class:`Progress` whenever some iterations are done; or True for a line that says how far the call
        has come, False for none. If it is not given, a line appears after two seconds in terminals and notebooks.

    Returns
    -------
    ReturnTimes

    Raises
    ------
    InvalidInput
        If the start, the set or a count is unusable.

    References
    ----------
    Kac, Bull. Amer. Math. Soc. 53 (1947) 1002.

    Examples
    --------
    >>> import bifurcate as bf
    >>> rotation = bf.Map(lambda x, w: (x + w) % 1.0, {"w": 0.25})
    >>> found = bf.return_times(rotation, [0.1], [(0.0, 0.5)], steps=100)
    >>> set(found.stays.tolist()), set(found.absences.tolist()), found.mean  # measure 1/2
    ({2}, {2}, 2.0)
    """
    map = with_values(map, parameters)
    x = map.check(start)
    check_count("steps", steps)
    check_count("transient", transient, least=0)
    holds = _membership(inside, map, x)
    rule, last = IterationRule.of(map), transient + steps
    with reporting(progress, f"return_times {map.name}", (), "iterations") as report:
        found = iterate(rule, x, map.parameters, transient=transient, last=last, report=report)
    states = found.states if len(found.states) else x[None]
    is_in = holds(states)
    change = np.diff(is_in.astype(int))
    entries, exits = np.flatnonzero(change == 1) + 1, np.flatnonzero(change == -1) + 1
    visits = np.flatnonzero(is_in)
    returns = np.diff(visits)
    error = float(block_standard_error(returns[:, None].astype(float))[0]) if len(returns) else np.nan
    begins = np.concatenate([[0], entries]) if is_in[0] else entries  # of visits
    left = exits if is_in[0] else np.concatenate([[0], exits])  # beginnings of times outside
    stays, absences = exits - begins[: len(exits)], entries - left[: len(entries)]
    return ReturnTimes(
        entries=entries,
        exits=exits,
        visits=visits,
        stays=stays if not is_in[0] else stays[1:],
        absences=absences if is_in[0] else absences[1:],
        returns=returns,
        mean=float(returns.mean()) if len(returns) else np.nan,
        error=error,
        steps=max(found.steps - transient, 0),
        end=found.end,
    )


@dataclass(frozen=True, eq=False)
class EscapeTimes(Tabular):
    """How long orbits stay in a set.

    Attributes
    ----------
    times : ndarray of int, shape (m,)
        The iteration at which each orbit is outside for the first time, 0 for a start that is; −1 for those that have
        not escaped.
    states : ndarray, shape (m, *S)
        The last states: outside, or after all steps.
    steps : int
        Iterations done with those that have not escaped.
    interrupted : bool
        True if the user ended the call: with those that had not escaped by then fewer steps were done.
    """

    times: Times
    states: Array
    steps: int
    interrupted: bool = False

    __repr__ = short_repr

    def survival(self) -> tuple[Times, Array, Array, Array]:
        """The part of orbits that are still in the set after t iterations, with Wilson's 95% interval.

        Returns
        -------
        t : ndarray of int
            0, 1, …, ``steps``.
        part, low, high : ndarray
        """
        t = np.arange(self.steps + 1)
        escaped = np.sort(self.times[self.times >= 0])
        left = len(self.times) - np.searchsorted(escaped, t, side="right")
        low, high = zip(*(wilson_interval(count, len(self.times)) for count in left.tolist()))
        return t, left / len(self.times), np.array(low), np.array(high)

    def rate(self, first: int = 0, last: int | None = None) -> tuple[float, float]:
        """The escape rate κ of a decay like exp(−κt), and its standard error.

        Of the orbits that are in the set after t iterations, for first ≤ t < last, a part p escapes at the next one:
        κ = −ln(1 − p), of which p counts all escapes and all chances together (maximum likelihood).

        Parameters
        ----------
        first, last : int
            The window; by default all steps. Begin it where the decay has become exponential.

        Returns
        -------
        (float, float)
            NaN if nothing was left to escape in the window; κ = inf if everything did at once.

        Raises
        ------
        InvalidInput
            If the window is empty.
        """
        check_count("first", first, least=0)
        end = self.steps if last is None else check_count("last", last, least=1, most=self.steps)
        if not first < end:
            raise InvalidInput(f"the window from {first} to {end} is empty")
        t = np.where(self.times < 0, self.steps + 1, self.times)
        chances = int(np.clip(np.minimum(t - 1, end - 1) - first + 1, 0, None).sum())
        escapes = int(((t > first) & (t <= end)).sum())
        if not chances:
            return np.nan, np.nan
        p = escapes / chances
        if p == 1.0:
            return np.inf, np.nan
        return float(-np.log1p(-p)), float(np.sqrt(p / (chances * (1.0 - p))))

    def table(self) -> Columns:
        """One row a start: after how many steps it left, and its last state."""
        return {"start": list(range(len(self.times))), "time": self.times.tolist(), **state_columns(self.states)}


def escape_times(
    map: Map,
    starts: Any,
    inside: Any,
    *,
    steps: int = 1000,
    entering: bool = False,
    parameters: Mapping[str, float] | None = None,
    progress: Report | bool | None = None,
) -> EscapeTimes:
    """How many iterations orbits take to leave a set, or to enter it.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    starts : array_like, shape (m, *S)
        The first states.
    inside : callable, or sequence of (low, high)
        ``inside(x)`` → True for states in the set; or a box, an interval for every coordinate.
    steps : int
        Iterations at the most.
    entering : bool
        Wait until the set is entered: then all that is not in it is the set that orbits escape from.
    parameters : mapping of str to float, optional
        Values that replace the map's own.
    progress : callable, bool, optional
        As for :func:`trace`; iterations are counted.

    Returns
    -------
    EscapeTimes
        Orbits that diverge, meet a pole or at which f fails have left every set, and enter none.

    Raises
    ------
    InvalidInput
        If starts, the set or a count are unusable.

    Examples
    --------
    >>> import bifurcate as bf, numpy as np
    >>> tent = bf.Map(lambda x, s: s * np.minimum(x, 1 - x), {"s": 3.0})
    >>> found = bf.escape_times(tent, np.linspace(0.0005, 0.9995, 1000)[:, None], [(0, 1)], steps=3)
    >>> found.survival()[1].round(2)  # (2/3)^t
    array([1.  , 0.67, 0.44, 0.3 ])
    """
    map = with_values(map, parameters)
    given = check_array("starts", starts)
    if given.ndim < 2 or not len(given):
        raise InvalidInput(f"starts must have shape (m, *state's shape), got {given.shape}")
    check_count("steps", steps)
    check_flag("entering", entering)
    check_map_somewhere(map, given)
    holds = _membership(inside, map, given[0])
    stepper = Stepper(map, find_layout(map, given))
    times, last = np.full(len(given), -1), given.copy()
    rows, states, done = np.arange(len(given)), given, 0
    named = f"escape times of {map.name}"
    with np.errstate(all="ignore"), reporting(progress, named, (), "iterations") as report:
        try:
            ends = stepper.ends(states, states)
            while True:
                if report is not None:
                    report(Progress(dict(map.parameters), done, left=steps - done))
                is_over = ends != UNDECIDED
                is_out = np.where(
                    is_over, not entering, holds(np.where(_wide(is_over, states), 0.0, states)) == entering
                )
                times[rows[is_out]], last[rows] = done, states
                goes_on = ~(is_out | is_over)
                rows, states = rows[goes_on], states[goes_on]
                if done == steps or not len(rows):
                    return EscapeTimes(times, last, steps)
                following = stepper.step(states, done)
                if following is None:  # f does not yield for a batch what it does for one state: go on one by one
                    stepper = Stepper(map, None)
                    following = stepper.step(states, done)
                assert following is not None
                ends, states, done = stepper.ends(following, states), following, done + 1
        except KeyboardInterrupt:
            return EscapeTimes(times, last, done, interrupted=True)


def _wide(rows: NDArray[np.bool_], states: Array) -> NDArray[np.bool_]:
    return rows.reshape(-1, *(1,) * (states.ndim - 1))


def _membership(inside: Any, map: Map, state: Array) -> Callable[[Array], NDArray[np.bool_]]:
    """A function that says which of some states, shape (m, *S), are in a set."""
    if callable(inside):

        def holds(states: Array) -> NDArray[np.bool_]:
            found = [np.asarray(call(inside, "inside", x.copy())) for x in states]
            if any(each.shape != () or each.dtype.kind != "b" for each in found):
                raise InvalidInput("inside(x) must return True or False")
            return np.array(found, dtype=bool)

        return holds
    low, high = check_box(inside)
    if low.shape != state.shape:
        raise InvalidInput(f"inside is a box of states of shape {low.shape}; states have shape {state.shape}")
    box = Box(low, high)
    return lambda states: box.holds(states, map.periods)
