"""What the limit of one orbit is: a fixed point or cycle, a closed curve, a chaotic set, or something not yet decided.

1. Near returns. x(t) is compared with x(t − k); each k with smaller differences than all shorter ones, over the last
   4k iterations, is a candidate if these differences have shrunk. Newton's method from x(t) gives the cycle; it is the
   limit if it is stable and the orbit enters one of its traps (trapping.py): an orbit near another one goes on.
2. Without a cycle the largest Lyapunov exponent decides: positive by more than three standard errors, a chaotic set.
   If it is zero within them and motion is quasi-periodic on a curve, a closed curve. Quasi-periodic is what has
   averages that converge faster than any power of 1/n under a smooth weight (Das, Saiki, Sander & Yorke, Nonlinearity
   30 (2017) 4111), whereas those of chaotic and of slowly settling orbits do not; on a curve the number of states in a
   ball grows like its radius, on a surface like its square (Grassberger & Procaccia, Physica D 9 (1983) 189).
3. What is neither is undecided, in words: near a bifurcation orbits settle slower than any power of the iterations
   that anybody would wait for, and a slow one looks like a curve or a set until it has settled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import INTERRUPTED, Attractor, Kind, neighbours, state_text
from bifurcate.attractors.settling import Settled, settle
from bifurcate.attractors.trapping import MARGINAL, find_traps
from bifurcate.errors import BifurcateError
from bifurcate.maps.iterated_map import LARGEST_DENSE
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import shortest
from bifurcate.newton.newton import Newton
from bifurcate.newton.solve import Solution, solve
from bifurcate.orbits.lyapunov_exponents import Exponents, lyapunov
from bifurcate.orbits.orbit import IterationRule, OrbitEnd, iterate

__all__ = ["NotRecognised", "StaysOnSaddle", "cycle_attractor", "near_returns", "recognise", "states_of"]

Array = NDArray[np.float64]

# Iterations in which returns are sought, and the longest period that is: of it the window has four.
WINDOW = 2048
LONGEST_PERIOD = WINDOW // 4
SHORT_WINDOW = 64  # the first one: enough for what has settled on a short period
# Part of the state's size within which an orbit must return, over four periods, for its period to be a candidate.
# Newton's method needs no more, and a chaotic orbit leaves any cycle again by then.
NEAR_RETURN = 1e-2
RETURNS = 4  # periods over which it must
MOST_CANDIDATES = 4
# Part by which differences must have shrunk from the window's first half to its second, unless they are below rounding,
# a part ROUNDING of the state's size. On a closed curve they stay what they are, up to a few parts in a hundred.
SHRUNK, ROUNDING = 0.9, 1e-9
NEWTON = Newton(max_iterations=15)  # from so near it converges in a few steps, or to nothing that is near
# Iterations that an orbit is given to enter a trap of a stable cycle: multipliers up to 1 − 1e-3 settle to 1e-8 then.
PATIENCE = 20_000
# Part of the state's size within which a cycle without traps must come.
CLOSE = 1e-6
# Iterations over which exponents are averaged: the first number that decides.
EXPONENT_STEPS = (4000, 20_000)
SETTLING = 200  # of them before
SURE = 3.0  # standard errors
CHANCE = 0.5  # standard errors from which on more steps are taken to see whether an exponent is positive
# A zero exponent's average over n steps is off by ln(longest/shortest tangent vector)/n: by a factor e^5 at the most.
BOUNDED_GROWTH = 5.0
# States that stand for a set. Their mean distance to neighbours is a part 1/n, or more, of its size.
SET_STATES = 8192
# Radii of balls, as parts of a set's size, in which states are counted, around so many of them; and the dimensions that
# this gives for a curve: 1 up to the curve's bends, of which several may cross a ball, where a surface has 2.
BALLS, SOME = (0.02, 0.1), 512
CURVE_DIMENSIONS = (0.7, 1.5)
# A state counts as on a set nearer than this many times the largest distance of 8192 other states of it.
WIDER = 1.5
# Part of a set's size by which weighted averages over two halves of an orbit may differ where it is quasi-periodic:
# they do by 1e-8 and less for most rotation numbers, by 1e-3 where it is chaotic or still drifts.
SAME_AVERAGE = 1e-5


class NotRecognised(Exception):
    """No limit was recognised; the words say why."""


class StaysOnSaddle(NotRecognised):
    """The orbit stays on a cycle that is not stable: its start is on a boundary of basins, to rounding.

    Attributes
    ----------
    saddle : Attractor
        The cycle, of the kind "undecided".
    """

    def __init__(self, saddle: Attractor) -> None:
        self.saddle = saddle
        super().__init__(saddle.note)


def recognise(map: Map, start: Array) -> Attractor:
    """The attractor that an orbit settles on, from a state that it has reached after a transient.

    Raises
    ------
    NotRecognised
        If it has not settled yet, diverges after all, or the set is of no kind that is known.
    """
    doubts, window = list[str](), start[None]
    for length in (SHORT_WINDOW, WINDOW):
        window = _go_on(map, window[-1], 0, length)
        cycle = _settled_cycle(map, window, doubts)
        if cycle is not None:
            return cycle
    for steps in EXPONENT_STEPS:
        exponents, sign = _largest_exponent(map, window[-1], steps)
        if sign > 0:
            return _set_attractor(map, "chaotic set", exponents, _go_on(map, exponents.state, 0, 2 * SET_STATES - 1))
        if steps == EXPONENT_STEPS[0]:
            states = _go_on(map, exponents.state, 0, 2 * SET_STATES - 1)
            if sign == 0 and _fills_a_curve(map, states.reshape(len(states), -1)):
                return _set_attractor(map, "closed curve", exponents, states)
            cycle = _settled_cycle(map, _go_on(map, states[-1], PATIENCE, WINDOW), doubts)
            if cycle is not None:
                return cycle
        if float(exponents.values[0]) < CHANCE * float(exponents.errors[0]) + BOUNDED_GROWTH / steps:
            break  # more steps would not make it positive
    value, error = float(exponents.values[0]), float(exponents.errors[0])
    what = f"no period up to {LONGEST_PERIOD} was found" if sign < 0 else "its states fill no curve"
    raise NotRecognised(
        f"the largest exponent is {value:.2g} ± {error:.1g}, but {doubts[-1] if doubts else what}: "
        "it may be settling slowly, near a bifurcation"
    )


def _go_on(map: Map, state: Array, transient: int, more: int) -> Array:
    """The states of an orbit after a transient, shape (more + 1, *S)."""
    found = iterate(IterationRule.of(map), state, map.parameters, transient=transient, last=transient + more)
    _require_to_go_on(found.end, found.detail)
    return np.array(found.states)


def _require_to_go_on(end: OrbitEnd, detail: str) -> None:
    """Refuse an orbit that has ended."""
    if end == "interrupted":
        raise KeyboardInterrupt
    if end != "steps":
        raise NotRecognised(f"the orbit ends after all: {end} {detail}".strip())


def _settled_cycle(map: Map, window: Array, doubts: list[str]) -> Attractor | None:
    """The stable cycle on which an orbit settles, of which successive states are given; None if there is none."""
    for period in near_returns(map, window):
        is_dense = map.jacobian is not None or window[-1].size <= LARGEST_DENSE
        try:
            solution = solve(map, window[-1], period=period, method=NEWTON if is_dense else None)
        except BifurcateError as error:
            doubts.append(f"it returns after {period} iterations, where {str(error)[:160]}")
            continue
        attractor = cycle_attractor(map, solution)
        if attractor is None:
            _require_left(map, window[-1], solution)
            if float(np.abs(solution.multipliers).max()) <= 1.0 + MARGINAL:
                doubts.append(f"a multiplier of the cycle of period {solution.period} near it is of modulus 1")
            continue
        last = settle(map, window[-1:], [attractor], PATIENCE)
        if last.labels[0] == INTERRUPTED:
            raise KeyboardInterrupt
        if last.labels[0] == 0 or (attractor.traps is None and _is_close(map, last, attractor)):
            return attractor
        doubts.append(f"it has not come to the stable cycle of period {solution.period} near it yet")
    return None


def _require_left(map: Map, state: Array, solution: Solution) -> None:
    """Refuse an orbit that is on a cycle that is not stable, to rounding.

    Raises
    ------
    StaysOnSaddle
    """
    outside = int(solution.spectrum.outside or 0)
    unit = max(map.scale, float(np.abs(state).max()))
    apart = shortest((states_of(map, solution) - state).reshape(solution.period, -1), map.periods)
    if outside and float(np.abs(apart).max(axis=1).min()) <= ROUNDING * unit:
        words = "fixed point" if solution.period == 1 else f"cycle of period {solution.period}"
        note = (
            f"an orbit stays on the {words} at {state_text(solution.state)}, of which {outside} multipliers are "
            "outside the unit circle: its start is on a boundary of basins, to rounding"
        )
        states = states_of(map, solution)
        raise StaysOnSaddle(
            Attractor("undecided", states, solution.period, resolution=ROUNDING * unit, solution=solution, note=note)
        )


def states_of(map: Map, solution: Solution) -> Array:
    """All states of a cycle, shape (k, *S)."""
    if solution.cycle is not None:
        return np.array(solution.cycle, dtype=float)
    last = solution.period - 1
    return np.array(iterate(IterationRule.of(map), solution.state, map.parameters, transient=0, last=last).states)


def near_returns(map: Map, window: Array) -> list[int]:
    """Candidates for the period: each shorter by its differences than all that are shorter."""
    flat = window.reshape(len(window), -1)
    allowed = NEAR_RETURN * max(map.scale, float(np.abs(flat[-1]).max()))
    once = np.abs(shortest(flat[-1] - flat[-2::-1], map.periods)).max(axis=1)[: len(flat) // 4]
    candidates, least = list[int](), np.inf
    for period in (np.flatnonzero(once <= allowed) + 1).tolist():
        if once[period - 1] >= least:
            continue
        apart = np.abs(shortest(flat[period:] - flat[:-period], map.periods)).max(axis=1)
        is_near = float(apart[-min(RETURNS * period, len(apart)) :].max()) <= allowed
        half = len(apart) // 2
        before, after = float(apart[:half].max()), float(apart[half:].max())
        if is_near and (after <= SHRUNK * before or after <= ROUNDING * allowed / NEAR_RETURN):
            candidates.append(period)
            least = once[period - 1]
    return candidates[:MOST_CANDIDATES]


def _is_close(map: Map, last: Settled, attractor: Attractor) -> bool:
    apart = shortest((attractor.states - last.states[0]).reshape(attractor.period, -1), map.periods)
    unit = max(map.scale, float(np.abs(attractor.states).max()))
    return bool(np.abs(apart).max(axis=1).min() <= CLOSE * unit)


def cycle_attractor(map: Map, solution: Solution) -> Attractor | None:
    """A stable cycle as an attractor; None if it is not stable, or a multiplier's modulus is 1 to rounding."""
    largest = float(np.abs(solution.multipliers).max())
    if not (solution.stable and largest < 1.0 - MARGINAL):
        return None
    states = states_of(map, solution)
    with np.errstate(divide="ignore"):
        exponent = float(np.log(largest)) / solution.period
    unit = max(map.scale, float(np.abs(states).max()))
    return Attractor(
        kind="fixed point" if solution.period == 1 else "cycle",
        states=states,
        period=solution.period,
        exponent=exponent,
        error=0.0,
        resolution=CLOSE * unit,
        solution=solution,
        traps=find_traps(map, states),
    )


def _largest_exponent(map: Map, state: Array, steps: int) -> tuple[Exponents, int]:
    """The largest exponent and its sign, 0 if it is 0 within its error."""
    try:
        found = lyapunov(map, state, steps=steps, transient=SETTLING)
    except BifurcateError as error:
        raise NotRecognised(f"there are no exponents: {error}") from error
    _require_to_go_on(found.end, found.detail)
    value, allowed = float(found.values[0]), SURE * float(found.errors[0]) + BOUNDED_GROWTH / steps
    is_sure = value == -np.inf or abs(value) > allowed
    return found, int(np.sign(value)) if is_sure else 0


def _set_attractor(map: Map, kind: Kind, exponents: Exponents, states: Array) -> Attractor:
    """A set that is no cycle, from successive states on it: the second half says how far apart the first half is."""
    flat = states.reshape(len(states), -1)
    half = len(flat) // 2
    largest = float(neighbours(flat[:half], map.periods).query(flat[half:])[0].max())
    return Attractor(
        kind=kind,
        states=states[:half],
        exponent=float(exponents.values[0]),
        error=float(exponents.errors[0]),
        resolution=WIDER * largest,
    )


def _fills_a_curve(map: Map, flat: Array) -> bool:
    """True if states fill one or several closed curves, on which motion is quasi-periodic."""
    if flat.shape[1] == 1 and map.periods is None:
        return False
    tree, few = neighbours(flat, map.periods), neighbours(flat[:: len(flat) // SOME], map.periods)
    size = float(np.abs(shortest(flat - flat[0], map.periods)).max())
    if not size > 0.0:
        return False
    counts = few.count_neighbors(tree, [size * part for part in BALLS])
    dimension = np.log(counts[1] / counts[0]) / np.log(BALLS[1] / BALLS[0])
    return bool(CURVE_DIMENSIONS[0] <= dimension <= CURVE_DIMENSIONS[1] and _is_quasi_periodic(map, flat))


def _is_quasi_periodic(map: Map, flat: Array) -> bool:
    """True if averages over both halves of an orbit agree under the weight exp(−1/(t(1 − t))), t from 0 to 1."""
    if map.periods is not None:
        is_round = np.isfinite(map.periods)
        angles = 2.0 * np.pi * flat[:, is_round] / map.periods[is_round]
        flat = np.hstack([flat[:, ~is_round], np.cos(angles), np.sin(angles)])
    half = len(flat) // 2
    t = (np.arange(half) + 1.0) / (half + 1.0)
    weights = np.exp(-1.0 / (t * (1.0 - t)))
    averages = [weights @ part / weights.sum() for part in (flat[:half], flat[half : 2 * half])]
    size = float((flat.max(axis=0) - flat.min(axis=0)).max())
    return bool(np.abs(averages[0] - averages[1]).max() <= SAME_AVERAGE * size)
