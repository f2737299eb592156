"""Edge tracking: the orbit on a boundary of basins, and the saddle to which it leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import OUTCOMES, UNDECIDED
from bifurcate.attractors.basins import known_attractors
from bifurcate.attractors.bisection import bisect, difference, labels_of
from bifurcate.attractors.discovery import settle_all
from bifurcate.attractors.recognition import near_returns, states_of
from bifurcate.errors import BifurcateError, InvalidInput, NotConverged
from bifurcate.maps.map import Map
from bifurcate.newton.solve import Solution, solve
from bifurcate.orbits.orbit import IterationRule, next_state
from bifurcate.printing import short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.validation import check_array, check_count

__all__ = ["EdgeState", "edge_state"]

Array = NDArray[np.float64]

# Parts of the states' size: the distance to which a segment across the boundary is shortened, and that at which it is
# again. Between the two the segment grows along the boundary's unstable direction; both are far above rounding.
SHORT, LONG = 1e-10, 1e-7
# Part of the states' size to which a segment shorter than LONG grows in one iteration where f is not continuous in it:
# by a factor of 10⁵.
TORN = 1e-2
# Length below which rounding decides on which side of the boundary its ends are, and the first one to which it is
# lengthened then: LONG, so that it is divided anew.
LOST, LONGER = 1e-13, 1.1e-7
VANISHED = "the two states have come together: the boundary is lost in rounding"
TORN_NOTE = (
    "f is not continuous here: the boundary is a pole or a border, or a preimage of one, not a saddle's manifold"
)
# Part of the states' size within which the orbit on the boundary must come to the saddle.
ARRIVED = 1e-4
# Iterations between two looks for a saddle.
BETWEEN_LOOKS = 16


@dataclass(frozen=True, eq=False)
class EdgeState:
    """Where orbits on a boundary of basins go.

    Attributes
    ----------
    kind : {"fixed point", "cycle", "discontinuity", "undecided", "interrupted"}
        "discontinuity" if f tears the segment: then the boundary comes to a pole or border of f, and to no saddle.
        "undecided" if the orbit has come to no cycle: the edge state may be a chaotic set, of which ``states`` are a
        part.
    solution : Solution or None
        The saddle, from Newton's method.
    states : ndarray, shape (m, *S)
        The orbit on the boundary, to ``width``.
    labels : (int, int)
        On the two sides of it.
    width : float
        The largest distance between the two states that enclosed it.
    note : str
    """

    kind: Literal["fixed point", "cycle", "discontinuity", "undecided", "interrupted"]
    solution: Solution | None
    states: Array
    labels: tuple[int, int]
    width: float
    note: str = field(default="")

    __repr__ = short_repr


def edge_state(
    map_or_attractors: Any,
    inside: Any,
    outside: Any,
    *,
    steps: int = 500,
    settle: int = 2000,
    parameters: Mapping[str, float] | None = None,
    progress: Report | bool | None = None,
) -> EdgeState:
    """Follow the boundary of a basin to the saddle on it, from two states on its two sides.

    The segment between them is divided until its ends, on both sides of the boundary, are nearer than 10⁻¹⁰ of the
    states' size. Both are iterated, and the segment divided anew whenever it is longer than 10⁻⁷. What lies between is
    an orbit on the boundary, which is attracted by the boundary's own attractor, the edge state. Where it returns near
    to itself, Newton's method gives the saddle.

    Parameters
    ----------
    map_or_attractors : Map, Attractors or Basins
        A map, or a result that has its attractors.
    inside, outside : array_like, of the state's shape
        Two states that settle differently.
    steps : int
        Iterations of the orbit on the boundary, at the most.
    settle : int
        Iterations in which a state must settle; what does not counts as on the other side.
    parameters : mapping of str to float, optional
        Values that replace the map's own; only for a map.
    progress : callable, bool, optional
        As for :func:`trace`; iterations are counted.

    Returns
    -------
    EdgeState
        With a solution when the orbit is nearer to it than 10⁻⁴ of the states' size.

    Raises
    ------
    InvalidInput
        If both states settle on one attractor, or the first one does on nothing.

    References
    ----------
    Skufca, Yorke & Eckhardt, Phys. Rev. Lett. 96 (2006) 174101.

    Examples
    --------
    >>> import bifurcate as bf
    >>> cubic = bf.Map(lambda x, a: a * x - x**3, {"a": 1.5})
    >>> found = bf.edge_state(cubic, [0.9], [-0.4])
    >>> found.kind, bool(abs(found.solution.state[0]) < 1e-12), abs(found.solution.multipliers).round(9)
    ('fixed point', True, array([1.5]))
    """
    map, known = known_attractors(map_or_attractors, parameters)
    check_count("steps", steps)
    check_count("settle", settle)
    first_state = map.check(inside)
    ends = np.array([first_state, _other_state(outside, first_state)])
    limits = settle_all(map, ends, known, settle, 0)
    first, second = limits.settled.labels.tolist()
    if first in (second, UNDECIDED):
        what = OUTCOMES[first] if first < 0 else str(limits.attractors[first])
        why = f"both settle on {what}" if first == second else "the first one has not settled"
        raise InvalidInput(f"inside and outside must be states of different basins; {why}")
    track = _Track(map, limits.attractors, first, settle, ends[0], difference(map, ends[0], ends[1]))
    with reporting(progress, f"edge state of {map.name}", (), "iterations") as report:
        return track.follow(steps, second, report)


def _other_state(given: Any, like: Array) -> Array:
    """A state, which may lie beyond the map's domain: that is another basin, too."""
    state = check_array("outside", given)
    if state.shape != like.shape:
        raise InvalidInput(f"outside has shape {state.shape}, inside {like.shape}")
    return state


class _Track:
    """A short segment across a boundary, which follows it."""

    def __init__(self, map: Map, known: list[Any], label: int, settle: int, inside: Array, apart: Array) -> None:
        self.map, self.known, self.label, self.settle = map, known, label, settle
        self.inside, self.apart = inside, apart
        self.rule = IterationRule.of(map)
        self.unit = max(map.scale, float(np.abs(inside).max()))
        self.width = 0.0

    def follow(self, steps: int, other: int, report: Report | None) -> EdgeState:
        states, note = list[Array](), ""
        try:
            for done in range(steps + 1):
                if report is not None:
                    report(Progress(dict(self.map.parameters), done, left=steps - done))
                self.shorten()
                states.append(self.inside + 0.5 * self.apart)
                if (done and done % BETWEEN_LOOKS == 0) or done == steps:
                    saddle = self.saddle(np.array(states))
                    if saddle is not None:
                        kind: Any = "fixed point" if saddle.period == 1 else "cycle"
                        return EdgeState(kind, saddle, np.array(states), (self.label, other), self.width)
                if self.is_torn():
                    return EdgeState(
                        "discontinuity", None, np.array(states), (self.label, other), self.width, TORN_NOTE
                    )
            note = f"no saddle was reached in {steps} iterations: the edge state may be a chaotic set"
        except KeyboardInterrupt:
            return EdgeState("interrupted", None, np.array(states), (self.label, other), self.width)
        except BifurcateError as error:
            note = f"the orbit on the boundary ends after {len(states)} iterations: {error}"
        return EdgeState("undecided", None, np.array(states), (self.label, other), self.width, note)

    def is_torn(self) -> bool:
        """Map the segment; True if its ends come so far apart at once that f is not continuous between them."""
        after = next_state(self.rule, self.inside, self.map.parameters)
        beyond = self.inside + self.apart
        if self.rule.end(beyond, self.map.parameters) != "steps":
            return True
        apart = difference(self.map, after, next_state(self.rule, beyond, self.map.parameters))
        is_torn = not np.isfinite(apart).all() or float(np.abs(apart).max()) > TORN * self.unit
        self.inside, self.apart = after, apart
        return is_torn

    def shorten(self) -> None:
        """Divide the segment if it is long; lengthen it, across the boundary, if it is lost in rounding."""
        self.unit = max(self.map.scale, float(np.abs(self.inside).max()))
        if float(np.abs(self.apart).max()) < LOST * self.unit:
            self.lengthen()
        if float(np.abs(self.apart).max()) > LONG * self.unit:
            labels = np.array([self.label])
            inside, apart = bisect(
                self.map, self.inside[None], self.apart[None], labels, self.known, self.settle, SHORT * self.unit
            )
            self.inside, self.apart = inside[0], apart[0]
        self.width = max(self.width, float(np.abs(self.apart).max()))

    def lengthen(self) -> None:
        """Lengthen the segment about its middle until its ends settle differently again."""
        size = float(np.abs(self.apart).max())
        if not size > 0.0:
            raise NotConverged(VANISHED, self.inside, (), "Try two other states.")
        middle = self.inside + 0.5 * self.apart
        lengths = LONGER * self.unit * np.array([1.0, 10.0, 100.0, 1000.0])
        halves = 0.5 * (lengths / size).reshape(-1, *(1,) * self.apart.ndim) * self.apart
        labels = labels_of(self.map, np.concatenate([middle - halves, middle + halves]), self.known, self.settle)
        first, second = labels[: len(lengths)], labels[len(lengths) :]
        for half, one, two in zip(halves, first.tolist(), second.tolist()):
            if (one == self.label) != (two == self.label):
                sign = 1.0 if one == self.label else -1.0
                self.inside, self.apart = middle - sign * half, 2.0 * sign * half
                return
        raise NotConverged(VANISHED, self.inside, (), "Try two other states.")

    def saddle(self, states: Array) -> Solution | None:
        """The cycle near which the orbit on the boundary returns, if one multiplier alone is outside: across it."""
        for period in near_returns(self.map, states):
            try:
                found = solve(self.map, states[-1], period=period)
            except BifurcateError:
                continue
            apart = difference(self.map, states_of(self.map, found), states[-1]).reshape(found.period, -1)
            if found.spectrum.outside == 1 and float(np.abs(apart).max(axis=1).min()) <= ARRIVED * self.unit:
                return found
        return None
