"""rotation_number: how far an orbit on a closed curve goes round at a step, in turns, by weighted averages.

The increments of an angle, or of a coordinate on a circle, are averaged under a smooth weight over the last half of an
orbit, whose length is doubled until the averages over its parts agree to rounding. What does not converge so fast is
asked whether it is an orbit that settles on a cycle, whose rotation number is a fraction, or a chaotic one, which has
none. An orbit that creeps past a cycle which is just gone looks like one on it; it leaves most of the curve unvisited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.recognition import near_returns, states_of
from bifurcate.errors import BifurcateError, InvalidInput
from bifurcate.manifolds.recorded_orbit import RecordedOrbit
from bifurcate.manifolds.weighted_averages import convergents, inner_point, lifted, weighted_average, winding
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import shortest
from bifurcate.newton.newton import Newton
from bifurcate.newton.solve import Solution, solve
from bifurcate.orbits.lyapunov_exponents import lyapunov
from bifurcate.orbits.orbit import with_values
from bifurcate.printing import short_repr
from bifurcate.validation import check_array, check_count, check_period, is_whole_number

__all__ = ["RotationNumber", "rotation_number"]

Array = NDArray[np.float64]
Kind = Literal["quasi-periodic", "locked", "not quasi-periodic", "undecided"]

FIRST_STEPS = 2048  # of which the last half is averaged; doubled until averages agree
USUAL_STEPS = 2**17
USUAL_TRANSIENT = 1000
CONVERGED = 2e-13  # difference of the averages over two parts at which more steps would gain nothing
SURE = 2.0  # times that difference the error: it is one of parts half as long, and so far larger than that of the whole
ROUNDINGS = 16.0  # units in the last place of the state by which every increment may be wrong
BESIDE_FRACTION = 10.0  # errors of an average within which it may be a fraction
SAME_FRACTION = 1e-6  # distance from p/q at which an orbit may be one that creeps past a cycle of period q
LONGEST_PERIOD = 512  # of a cycle on which an orbit may have settled
UNVISITED = 0.02  # part of a turn that no state lies in: on a curve that is gone round many times none is so wide
NEAR = 0.05  # distance from a cycle, in units of the state, at which it is looked for
NEARER = 3.0  # factor by which a cycle may lie farther away than a geometric approach says
ON_CYCLE = 1e-9  # distance from a cycle, in units of the state, that is none
SLOW = 1e-7  # an average that is this unsure after all steps may be that of a chaotic orbit
EXPONENT_STEPS = 5000
EXPONENT_ERRORS = 3.0  # standard errors from which on an exponent is positive
BOUNDED_GROWTH = 10.0  # over the steps: what an exponent of zero may seem to be
# A residual r is that of a cycle, and not of the place where one is gone, if it is far less than (1 − μ)²: that is the
# square of a distance from the fold, in units of the state.
SINGULAR = 1e-2
NEWTON = Newton(max_iterations=15, tolerance=1e-13)
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class RotationNumber:
    """A rotation number, and how sure it is.

    Attributes
    ----------
    value : float
        Turns at a step; NaN where there is none.
    error : float
        Estimated absolute error; 0 of an orbit on a cycle.
    kind : {"quasi-periodic", "locked", "not quasi-periodic", "undecided"}
        "locked" on a cycle; "undecided" where averages converge slowly, or an orbit has not gone round the curve yet.
    fraction : (int, int) or None
        p and q of an orbit that is locked: p turns in q steps.
    steps : int
        Steps that were averaged over.
    centre : ndarray or None
        Of the angle, two numbers; None if a coordinate itself goes round.
    note : str
        What else is to be said.
    """

    value: float
    error: float
    kind: Kind
    fraction: tuple[int, int] | None = None
    steps: int = 0
    centre: Array | None = None
    note: str = ""

    __repr__ = short_repr

    def __float__(self) -> float:
        return self.value

    @property
    def is_beside(self) -> bool:
        """True if the curve does not go round the centre of the angle once, so that there is no number to tell."""
        return self.kind == "undecided" and self.centre is not None and bool(np.isnan(self.value))

    def __str__(self) -> str:
        if self.fraction is not None:
            words = f"rotation number {self.fraction[0]}/{self.fraction[1]}: locked"
        elif np.isnan(self.value):
            words = f"no rotation number: {self.kind}"
        else:
            words = f"rotation number {self.value:.15g} ± {self.error:.0e}, {self.kind}"
        return f"{words}; {self.note}" if self.note else words


def rotation_number(
    map: Map,
    start: Any,
    *,
    coordinate: int | None = None,
    centre: Any = None,
    plane: tuple[int, int] = (0, 1),
    period: int = 1,
    steps: int = USUAL_STEPS,
    transient: int = USUAL_TRANSIENT,
    parameters: Mapping[str, float] | None = None,
) -> RotationNumber:
    """The rotation number of an orbit on a closed curve, in turns at a step, with an estimated error.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    start : array_like, of the state's shape
        On the curve, or attracted to it.
    coordinate : int, optional
        Number, in the flattened state, of a coordinate declared ``periodic=`` that goes round. By default the only one
        that is declared, if there is one. If f returns it unreduced, f(x + period) = f(x) + period, the number counts
        whole turns, too.
    centre : array_like of two numbers, optional
        About which an angle is measured where no coordinate goes round; by default one inside the curve is learnt.
    plane : (int, int)
        Numbers of the coordinates whose angle that is. It grows from the first one's axis to the second one's.
    period : int
        k: the rotation number of f^k, for a curve that is one of k which are visited in turn.
    steps : int
        Applications of f^k at the most, at least 2048. Fewer are taken where averages agree to 2·10⁻¹³ before.
    transient : int
        Applications of f^k before.
    parameters : mapping of str to float, optional
        Values that replace the map's own.

    Returns
    -------
    RotationNumber
        An angle's is between −½ and ½, negative where the orbit goes round from the second axis to the first.

    Raises
    ------
    InvalidInput
        If the map has one dimension and no coordinate of its is declared to have a period, or an argument is unusable.
    MapFailed
        If the orbit diverges, leaves the domain, or f fails.

    References
    ----------
    Das, Saiki, Sander & Yorke, Nonlinearity 30 (2017) 4111.

    Examples
    --------
    >>> import bifurcate as bf
    >>> f = lambda x, w, K: x + w - K / (2 * np.pi) * np.sin(2 * np.pi * x)
    >>> circle = bf.Map(f, {"w": 0.2, "K": 0.5}, periodic=1.0)
    >>> found = bf.rotation_number(circle, [0.1])
    >>> round(found.value, 10), found.kind
    (0.1855276803, 'quasi-periodic')
    >>> print(bf.rotation_number(circle, [0.1], parameters={"w": 0.34}))
    rotation number 1/3: locked
    """
    map = with_values(map, parameters)
    x = map.check(start)
    coordinate = _coordinate(map, x, coordinate)
    axes = _axes(x, plane) if coordinate is None else (coordinate, coordinate)
    given = None if centre is None else check_array("centre", centre, (2,))
    if coordinate is not None and given is not None:
        raise InvalidInput("a coordinate goes round by itself; give centre only where none is declared periodic")
    check_count("steps", steps, FIRST_STEPS)
    check_count("transient", transient, 0)
    with np.errstate(all="ignore"):
        orbit = RecordedOrbit(map, x, check_period(period), coordinate)
        orbit.go_on(transient, record=False)
        count, found = FIRST_STEPS, RotationNumber(np.nan, np.nan, "undecided")
        while True:
            orbit.go_on(count - len(orbit.states) + 1)
            found = _averaged(orbit, axes, given)
            if found.error <= CONVERGED or 2 * count > steps:
                judged = _judged(orbit, axes, found)
                if given is None and judged.is_beside:
                    given = inner_point(orbit.window()[:, list(axes)])
                    if given is not None:
                        continue
                return judged
            if not found.error <= SLOW and (locked := _locked(orbit, axes, found)) is not None:
                return locked
            count *= 2


def _coordinate(map: Map, x: Array, asked: int | None) -> int | None:
    """The number of the coordinate that goes round; None where an angle is to be measured."""
    declared = [] if map.periods is None else np.flatnonzero(np.isfinite(map.periods)).tolist()
    if asked is None:
        if len(declared) > 1:
            raise InvalidInput(f"coordinates {declared} have a period; name one, as coordinate={declared[0]}")
        if not declared and x.size < 2:
            raise InvalidInput(
                "a map of one dimension has rotation numbers where its state goes round a circle: declare its period, "
                "as Map(…, periodic=1.0)"
            )
        return int(declared[0]) if declared else None
    if not is_whole_number(asked) or asked not in declared:
        known = ", ".join(str(each) for each in declared) or "none"
        raise InvalidInput(f"coordinate is {asked!r}; coordinates that are declared periodic: {known}")
    return int(asked)


def _axes(x: Array, plane: Any) -> tuple[int, int]:
    """Two numbers of coordinates, checked."""
    is_pair = isinstance(plane, tuple | list) and len(plane) == 2 and all(is_whole_number(each) for each in plane)
    if not is_pair or not 0 <= min(plane) < max(plane) < x.size or min(plane) == max(plane):
        raise InvalidInput(f"plane is {plane!r}; it must be two different numbers of coordinates below {x.size}")
    return int(plane[0]), int(plane[1])


@dataclass(frozen=True, eq=False)
class _Turning:
    """How an orbit goes round: places on the circle and increments, in turns, of the last half of an orbit."""

    places: Array
    increments: Array
    centre: Array | None
    rounding: float


def _turning(orbit: RecordedOrbit, axes: tuple[int, int], centre: Array | None) -> _Turning | None:
    """Places and increments, lifted; None if they have no continuous lift."""
    states = orbit.window()
    if orbit.coordinate is not None:
        advances = np.array(orbit.advances[-(len(states) - 1) :])
        increments = advances if orbit.is_lift else lifted(advances)
        places = states[:, orbit.coordinate] / orbit.width
        size = max(1.0, float(np.abs(advances).max()))
        return None if increments is None else _Turning(places, increments, None, ROUNDINGS * EPS * size)
    plane = states[:, list(axes)]
    at = weighted_average(plane) if centre is None else centre
    apart = plane - at
    angles = np.arctan2(apart[:, 1], apart[:, 0]) / (2.0 * np.pi)
    increments = lifted(np.diff(angles))
    nearest = float(np.hypot(*apart.T).min())
    size = float(np.abs(plane).max()) / max(nearest, EPS * float(np.abs(plane).max()), np.finfo(float).tiny)
    return None if increments is None else _Turning(angles, increments, at, ROUNDINGS * EPS * max(1.0, size))


def _averaged(orbit: RecordedOrbit, axes: tuple[int, int], centre: Array | None) -> RotationNumber:
    """The average over the last half of the orbit, with the error that its own halves tell."""
    turning = _turning(orbit, axes, centre)
    if turning is None:
        note = "its steps go round in all directions, as seen from the centre"
        return RotationNumber(np.nan, np.inf, "undecided", note=note, centre=centre)
    d = turning.increments
    value, half = float(weighted_average(d)), len(d) // 2
    parts = [float(weighted_average(part)) for part in (d[:half], d[-half:])]
    error = SURE * max(abs(part - value) for part in parts) + turning.rounding
    kind: Kind = "quasi-periodic" if error <= SLOW else "undecided"
    return RotationNumber(value, error, kind, steps=len(d), centre=turning.centre)


def _judged(orbit: RecordedOrbit, axes: tuple[int, int], found: RotationNumber) -> RotationNumber:
    """What an average is of: of a cycle, of an orbit that has gone round a closed curve, or of none."""
    if (locked := _locked(orbit, axes, found)) is not None:
        return locked
    if not found.error <= SLOW:
        return _slow(orbit, found)
    turning = _turning(orbit, axes, found.centre)
    assert turning is not None
    bound = 2.0 / len(turning.increments)
    if found.centre is not None:
        order = np.asarray(found.value * np.arange(len(turning.places)))
        is_whole = abs(found.value - round(found.value)) <= found.error  # and no order on the curve
        turns = 0.0 if is_whole else winding(turning.places, order)
        if abs(abs(turns) - 1.0) > 0.5:
            note = f"seen from the centre {found.centre.round(6).tolist()} the curve goes round {round(turns)} times: "
            note += "give another centre=, or another plane="
            return RotationNumber(np.nan, np.nan, "undecided", None, found.steps, found.centre, note)
    if _creeps(turning, found):
        note = "the orbit creeps past a place, and has not gone round the curve yet"
        return RotationNumber(found.value, bound, "undecided", None, found.steps, found.centre, note)
    return found


def _creeps(turning: _Turning, found: RotationNumber) -> bool:
    """True if an orbit advances steadily near a cycle that is not there, and leaves most of the curve unvisited."""
    places = np.sort(turning.places - np.floor(turning.places))
    if float(np.diff(np.append(places, places[0] + 1.0)).max()) < UNVISITED:
        return False
    for each in convergents(found.value, LONGEST_PERIOD):
        if abs(found.value - float(each)) > SAME_FRACTION:
            continue
        sums = np.concatenate([[0.0], np.cumsum(turning.increments - float(each))])
        drift = sums[each.denominator :: each.denominator] - sums[: -each.denominator : each.denominator]
        if (drift > 0.0).all() or (drift < 0.0).all():  # islands round a cycle go to and fro
            return True
    return False


def _slow(orbit: RecordedOrbit, found: RotationNumber) -> RotationNumber:
    """What an average is of that converges slowly."""
    try:
        exponents = lyapunov(orbit.map, orbit.here, steps=EXPONENT_STEPS, transient=0)
    except BifurcateError:
        return found
    value, error = float(exponents.values[0]), float(exponents.errors[0])
    if value > EXPONENT_ERRORS * error + BOUNDED_GROWTH / max(exponents.steps, 1):
        note = f"the orbit is chaotic: its largest exponent is {value:.3g} ± {error:.0e}"
        return RotationNumber(np.nan, np.nan, "not quasi-periodic", None, found.steps, found.centre, note)
    note = found.note or "averages converge slowly: near a fraction, near break-up of the curve, or still settling"
    return RotationNumber(found.value, found.error, "undecided", None, found.steps, found.centre, note)


def _locked(orbit: RecordedOrbit, axes: tuple[int, int], found: RotationNumber) -> RotationNumber | None:
    """The fraction of an orbit on a cycle, or settling on one; None if there is no such cycle."""
    states = orbit.window()
    periods = list[int]()
    if not np.isnan(found.value):
        allowed = BESIDE_FRACTION * found.error + EPS
        near = (each for each in convergents(found.value, LONGEST_PERIOD) if abs(found.value - each) <= allowed)
        periods = [each.denominator for each in near]
    if orbit.period == 1 and not found.error <= SLOW:
        periods += near_returns(orbit.map, states[-min(len(states), 4 * LONGEST_PERIOD) :])
    for q in sorted(set(periods)):
        if len(states) > 4 * q and (cycle := _cycle_near(orbit, states, q)) is not None:
            return _of_cycle(orbit, axes, cycle, q, found)
    return None


def _cycle_near(orbit: RecordedOrbit, states: Array, q: int) -> Solution | None:
    """The cycle of q steps that an orbit approaches, or is on; None if it approaches none."""
    periods = orbit.map.periods
    moved = [float(np.abs(shortest(states[-1 - i * q] - states[-1 - (i + 1) * q], periods)).max()) for i in range(3)]
    unit = max(orbit.map.scale, float(np.abs(states[-1]).max()))
    ratio = moved[0] / moved[1] if moved[1] > 0.0 else 0.0
    left = moved[0] * ratio / (1.0 - ratio) if ratio < 1.0 and moved[1] < moved[2] else np.inf  # of a geometric series
    if not (moved[0] <= ON_CYCLE * unit or left <= NEAR * unit):
        return None
    try:
        solution = solve(orbit.map, orbit.here, period=q * orbit.period, method=NEWTON)
    except BifurcateError:
        return None
    beside = float(np.abs(solution.multipliers - 1.0).min())
    if not solution.residual <= SINGULAR * beside**2 * unit:  # beside a fold that is just gone a residual is small, too
        return None
    apart = shortest(states_of(orbit.map, solution).reshape(solution.period, -1) - states[-1], periods)
    distance = float(np.abs(apart).max(axis=1).min())
    if distance <= ON_CYCLE * unit:
        return solution
    return solution if distance <= NEARER * left and bool(solution.stable) else None


def _of_cycle(
    orbit: RecordedOrbit, axes: tuple[int, int], cycle: Solution, q: int, found: RotationNumber
) -> RotationNumber:
    """The rotation number of an orbit that is on a cycle."""
    q = max(1, cycle.period // orbit.period)
    words = "a fixed point" if cycle.period == 1 else f"a cycle of period {cycle.period}"
    if q == 1 and orbit.coordinate is None:
        note = f"the orbit settles on {words}, and goes round nothing"
        return RotationNumber(np.nan, np.nan, "not quasi-periodic", None, found.steps, None, note)
    turning = _turning(orbit, axes, found.centre)
    p = None if turning is None else round(float(turning.increments[-q:].sum()))
    if p is not None and turning is not None and orbit.coordinate is None:
        turns = winding(turning.places[-q:], np.asarray(np.arange(q) * p / q))
        p = p if round(abs(turns)) == 1 and np.gcd(p, q) == 1 else None
    if p is None:
        note = f"the orbit settles on {words}, whose states do not go round the centre in the order of a rotation"
        return RotationNumber(np.nan, np.nan, "not quasi-periodic", None, found.steps, found.centre, note)
    return RotationNumber(p / q, 0.0, "locked", (p, q), found.steps, found.centre)
