"""Arnold tongues of maps of a circle, from the map alone.

F is the lift of f, P the circle's period, Ω a parameter that pushes all states the same way. Cycles with rotation
number p/q obey F^q(x) = x + pP.

Where f is invertible they form one loop Ω(φ) over their mean phase φ = (1/q) Σ (x_j − jpP/q), of period P/q
(``phase_loop``), and the tongue is what Ω covers on it, however thin. Where f is not invertible, such cycles exist
exactly for Ω between

    the least Ω with max_x (F^q(x) − x) ≥ pP   and   the largest Ω with min_x (F^q(x) − x) ≤ pP

(Boyland, Comm. Math. Phys. 106 (1986) 353): both are found on a grid. In either case the edge is then solved for as a
fold of the cycles, with the other parameter held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from bifurcate.bifurcations.codimension_two.fold_of_cycles import fold_of_cycles
from bifurcate.bifurcations.codimension_two.phase_loop import EPS, PhaseLoop
from bifurcate.bifurcations.codimension_two.tongue import Tongue
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.errors import InvalidInput, MapFailed, NotConverged
from bifurcate.linalg.bordered_system import Krylov, SingularSystem, bordered
from bifurcate.linalg.operators import shifted
from bifurcate.maps.batched_values import BatchedValues
from bifurcate.maps.map import Map
from bifurcate.maps.orbit_map import OrbitMap

__all__ = ["circle_tongue"]

Array = NDArray[np.float64]

GRID = 256  # states on the circle at which degree, slopes and the sense of Ω are looked at
GRID_OF_EXTREMES = 64  # ... and, times q, those at which F^q is compared with x + pP
PHASES = 32  # samples of the loop: near the loss of invertibility its harmonics fall slowly
ITERATIONS = 30  # of Newton's method for a cycle at a given phase
NO_LONGER_FALLS = 0.5  # a Newton step that is not shorter than this part of the last one consists of rounding
LARGEST_LAST_STEP = 1e-8  # circumferences that the last step may be long
SHIFTS = 20  # corrections of Ω by the mean displacement: it is linear in Ω for most families
WHOLE = 1e-6  # circumferences by which a degree, or F^q(x) − x − pP, may differ from a whole number
ROUNDINGS = 4.0  # of Ω, or of a circumference per ∂f/∂Ω, to which Ω is known at the best
SEPARATED = 1e-8  # distance of the multiplier between the edges from 1 from which a fold is told from a cycle inside
BRACKETS = (0.02, 0.05, 0.1, 0.2, 0.45, 1.0, 2.0, 4.0, 8.0)  # circumferences per ∂f/∂Ω in which edges are looked for
LARGEST_OF_REDUCED = 0.5  # ... of these for an f that returns reduced states: beyond, its winding is ambiguous
EXTREME_TOLERANCE = 1e-10  # of Ω on the grid, in the same unit: the fold is solved for afterwards
AGREES = 1e-2  # circumferences per ∂f/∂Ω within which the fold must lie of what the grid tells

_BATCHES = BatchedValues()


@dataclass(frozen=True, eq=False)
class _Circle:
    """A family of maps of a circle, with what is asked of it."""

    map: Map
    free: tuple[str, str]
    p: int
    q: int

    @property
    def length(self) -> float:
        """P."""
        assert self.map.periods is not None
        return float(self.map.periods[0])

    @cached_property
    def orbits(self) -> OrbitMap:
        """The equations of the cycles."""
        return OrbitMap(self.map, (self.q, 1), self.q)

    def values(self, omega: float) -> dict[str, float]:
        """All parameters."""
        return {**self.map.parameters, self.free[0]: omega}

    def images(self, x: Array, omega: float) -> Array:
        """f at many states, as it returns them."""
        p = self.values(omega)
        found = _BATCHES.values(self.map.f, x[:, None], p, self.map.scale)
        if found is not None:
            return np.asarray(found[:, 0])
        return np.array([self.map.evaluate(np.array([each]), p)[0] for each in x])

    @cached_property
    def is_lift(self) -> bool:
        """True if f(x + P) = f(x) + P, False if f returns reduced states.

        The comparison is made at a few states: where reduced values jump most do not.
        """
        x = self.length * (0.17 + np.arange(5) / 5.0)
        omega = self.map.parameters[self.free[0]]
        turned = self.images(x + self.length, omega) - self.images(x, omega)
        return bool(np.median(np.abs(turned - self.length)) < WHOLE * self.length)

    def displacements(self, x: Array, omega: float) -> Array:
        """F(x) − x on a grid in order, continuous along it; near pP/q on the whole where f returns it reduced."""
        raw = self.images(x, omega) - x
        steps = np.diff(raw)
        smooth = raw[0] + np.concatenate([[0.0], np.cumsum(steps - self.length * np.round(steps / self.length))])
        if self.is_lift:
            return np.asarray(smooth)
        return np.asarray(
            smooth - self.length * np.round((smooth.mean() - self.p * self.length / self.q) / self.length)
        )

    def iterate(self, x: Array, omega: float) -> Array:
        """F^q(x) − x − pP on a grid of one circle."""
        grid = self.length * np.arange(GRID + 1) / GRID
        known = self.displacements(grid, omega)
        y = x.copy()
        for _ in range(self.q):
            raw = self.images(y, omega) - y
            if not self.is_lift:
                expected = np.interp(np.mod(y, self.length), grid, known)
                raw = raw + self.length * np.round((expected - raw) / self.length)
            y = y + raw
        return np.asarray(y - x - self.p * self.length)

    def slopes(self, omega: float) -> tuple[Array, Array]:
        """f' and ∂f/∂Ω on the grid."""
        single, p = self.orbits.single, self.values(omega)
        states = [np.array([each]) for each in self.length * np.arange(GRID) / GRID]
        by_state = [float(np.asarray(single.jacobian([x, x], p))[0, 0]) for x in states]
        return np.array(by_state), np.array([single.parameter_derivative([x, x], p, self.free[0])[0] for x in states])


def circle_tongue(map: Map, p: int, q: int, free: tuple[str, str]) -> Tongue:
    """The p:q tongue of a map of a circle at the map's own value of the second free parameter.

    Raises
    ------
    InvalidInput
        If the map does not turn the circle once, or the first parameter does not push all states the same way.
    NotConverged
        If the edges are not found.
    """
    circle = _Circle(map, free, p, q)
    omega, rate = _start(circle)
    by_state, _ = circle.slopes(omega)
    found = None
    if by_state.min() > 0.0:
        found = _from_loop(circle, omega, rate)
    if found is None:
        found = _from_extremes(circle, omega, rate)
    return found


def _start(circle: _Circle) -> tuple[float, float]:
    """The Ω at which the mean displacement is pP/q, and ∂f/∂Ω there."""
    map, P, name = circle.map, circle.length, circle.free[0]
    omega = float(map.parameters[name])
    grid = P * np.arange(GRID + 1) / GRID
    displacement = circle.displacements(grid, omega)
    degree = (displacement[-1] - displacement[0]) / P
    if not abs(degree) < WHOLE:
        raise InvalidInput(
            f"{map.name} takes one turn of the circle to {1 + round(degree) if np.isfinite(degree) else degree} turns; "
            "maps with tongues take it to one"
        )
    rate = 0.0
    for _ in range(SHIFTS):
        pushes = circle.slopes(omega)[1]
        if pushes.min() * pushes.max() <= 0.0:
            raise InvalidInput(f"{name!r} must push all states of the circle the same way, as Ω in x + Ω + g(x) does")
        rate = float(pushes.mean())
        step = (circle.p * P / circle.q - float(circle.displacements(grid, omega)[:-1].mean())) / rate
        omega += step
        if abs(step * rate) < WHOLE * P:
            break
    return omega, rate


# Invertible maps


@dataclass(frozen=True, eq=False)
class _LockedCycle:
    states: Array  # (q,), in the lift
    omega: float
    along: Array  # derivative of the states by the phase, (q,)
    step: float


def _at_phase(circle: _Circle, phase: float, states: Array, omega: float) -> _LockedCycle | None:
    """The cycle of a mean phase by Newton's method; None where it fails."""
    P, q, orbits = circle.length, circle.q, circle.orbits
    x, last = states.copy(), np.inf
    row = np.full((1, q), 1.0 / q)
    turns = np.arange(q) * circle.p * P / q
    for _ in range(ITERATIONS):
        p = circle.values(omega)
        try:
            orbit = orbits.orbit(x, p)
            B = orbits.parameter_derivative(orbit, p, circle.free[0])[:, None]
            system = bordered(shifted(orbits.jacobian(orbit, p), 1.0), B, row, np.zeros((1, 1)))
        except (SingularSystem, MapFailed):
            return None
        dx, step = system.solve(x - orbit[1], np.array([phase - float((x - turns).mean())]))
        x, omega = x + dx, omega + float(step[0])
        size = max(float(np.abs(dx).max()), float(np.abs(B).max() * np.abs(step).max()))
        if not np.isfinite(size) or size > P:
            return None
        if size <= EPS * P or (size > NO_LONGER_FALLS * last and size < LARGEST_LAST_STEP * P):
            along, _ = system.solve(np.zeros((q, 1)), np.ones((1, 1)))
            return _LockedCycle(x, omega, along[:, 0], abs(float(step[0])))
        last = size
    return None


def _from_loop(circle: _Circle, omega: float, rate: float) -> Tongue | None:
    """The tongue by the loop over the mean phase; None where a cycle of it is not found."""
    P, q = circle.length, circle.q
    turns = np.arange(q) * circle.p * P / q
    cycles: list[_LockedCycle] = []
    for j in range(PHASES):
        phase = P * j / (q * PHASES)
        guess = (phase + turns, omega) if not cycles else (cycles[-1].states + P / (q * PHASES), cycles[-1].omega)
        cycle = _at_phase(circle, phase, *guess)
        if cycle is None or not _turns_as_asked(circle, cycle):
            return None
        cycles.append(cycle)
    values = np.array([cycle.omega for cycle in cycles])
    rounding = ROUNDINGS * EPS * max(float(np.abs(values).max()), P / abs(rate))
    noise = max(float(np.median([c.step for c in cycles])), rounding)
    loop = PhaseLoop(values, noise)
    extremes = []
    for angle in loop.extremes():
        known = cycles[int(angle * PHASES / (2.0 * np.pi)) % PHASES]
        cycle = _at_phase(circle, angle * P / (2.0 * np.pi * q), known.states, known.omega)
        if cycle is None:
            return None
        extremes.append(cycle)
    edges = [_edge(circle, c.states, c.omega, c.along) for c in extremes] if _separation(circle, cycles, loop) else []
    if not edges or None in edges:
        middle = float(loop.coefficients[0].real)
        note = "doubles do not tell its edges apart" if loop.is_resolved else "its width is rounding"
        return _tongue(circle, (), (middle, middle), loop.width, loop.width_error, noise, note)
    folds = [curve for curve in edges if curve is not None]
    return _of_edges(circle, folds, noise)


def _turns_as_asked(circle: _Circle, cycle: _LockedCycle) -> bool:
    """True if the cycle goes round p times, rather than another number of times in as many steps."""
    left = circle.iterate(cycle.states[:1], cycle.omega)[0] if circle.is_lift else 0.0
    return bool(abs(left) < WHOLE * circle.length)


def _separation(circle: _Circle, cycles: list[_LockedCycle], loop: PhaseLoop) -> bool:
    """True if the multiplier between the edges differs from 1 by enough for a fold to be told from a cycle inside."""
    largest = 0.0
    for cycle in cycles:
        factors = circle.orbits.jacobian([cycle.states, cycle.states], circle.values(cycle.omega)).factors
        largest = max(largest, abs(float(np.prod([A[0, 0] for A in factors])) - 1.0))
    return loop.is_resolved and largest > SEPARATED


# Maps that are not invertible


def _from_extremes(circle: _Circle, omega: float, rate: float) -> Tongue:
    """The tongue by the extremes of F^q(x) − x − pP over the circle, on a grid, and the folds near them."""
    P, unit = circle.length, circle.length / abs(rate)
    x = P * np.arange(GRID_OF_EXTREMES * circle.q) / (GRID_OF_EXTREMES * circle.q)
    edges = []
    for sense in (1.0, -1.0):  # the edge at the smaller displacement, and that at the larger one

        def left(value: float, sense: float = sense) -> float:
            return float((sense * circle.iterate(x, value)).max())

        at = _root(left, omega, sense * np.sign(rate) * unit, circle.is_lift)
        i = int(np.argmax(sense * circle.iterate(x, at)))
        states, along = _orbit(circle, float(x[i]), at)
        curve = _edge(circle, states, at, along)
        if curve is None or abs(curve.start[-2] - at) > AGREES * unit:
            raise _not_found(circle, f"no fold of its cycles lies near {circle.free[0]} = {at:.6g}")
        edges.append(curve)
    rounding = ROUNDINGS * EPS * max(unit, abs(omega))
    return _of_edges(circle, sorted(edges, key=lambda curve: float(curve.start[-2])), rounding)


def _root(left: Callable[[float], float], omega: float, unit: float, is_lift: bool) -> float:
    """Where a function that grows in the sense of ``unit`` vanishes."""
    here = left(omega)
    for reach in BRACKETS if is_lift else [each for each in BRACKETS if each < LARGEST_OF_REDUCED]:
        other = omega - np.sign(here) * reach * unit
        if left(other) * here <= 0.0:
            return float(brentq(left, omega, other, xtol=EXTREME_TOLERANCE * abs(unit)))
    raise NotConverged(
        f"no edge of the tongue lies within {BRACKETS[-1] * abs(unit):.3g} of {omega:.6g}",
        np.array([omega]),
        (abs(here),),
        "Begin at a smaller value of the second parameter.",
    )


def _orbit(circle: _Circle, x: float, omega: float) -> tuple[Array, Array]:
    """q states from one on, and how a small displacement of the first moves along them."""
    states, along = [x], [1.0]
    p, single = circle.values(omega), circle.orbits.single
    for _ in range(circle.q - 1):
        here = np.array([states[-1]])
        along.append(along[-1] * float(np.asarray(single.jacobian([here, here], p))[0, 0]))
        states.append(float(circle.map.evaluate(here, p)[0]))
    return np.array(states), np.array(along)


# Both


def _edge(circle: _Circle, states: Array, omega: float, along: Array) -> Curve | None:
    """The curve of folds near a cycle, its start corrected with the second parameter held; None where it fails."""
    first, second = circle.free
    fixed = {name: value for name, value in circle.map.parameters.items() if name not in circle.free}
    parameters = np.array([omega, circle.map.parameters[second]])
    curve = fold_of_cycles(circle.orbits, fixed, (first, second), states[:, None], parameters, along[:, None], Krylov())
    row = np.zeros(len(curve.start))
    row[-1] = 1.0
    node = correct(curve, curve.start, row, float(parameters[1]), Metric.of(curve, np.ones(2)), TO_ROUNDING)
    if not isinstance(node, CurvePoint):
        return None
    return curve.replace(start=node.u, tongue=(circle.p, circle.q))


def _of_edges(circle: _Circle, edges: list[Curve], noise: float) -> Tongue:
    low, high = (float(curve.start[-2]) for curve in edges)
    if low > high:
        edges, low, high = edges[::-1], high, low
    return _tongue(circle, tuple(edges), (low, high), high - low, 2.0 * noise, noise, "")


def _tongue(
    circle: _Circle,
    edges: tuple[Curve, ...],
    ends: tuple[float, float],
    width: float,
    width_error: float,
    error: float,
    note: str,
) -> Tongue:
    second = float(circle.map.parameters[circle.free[1]])
    places = np.array([[end, second] for end in ends])
    return Tongue(
        (circle.p, circle.q), circle.free, edges, places, error, circle.free[0], width, width_error, note=note
    )


def _not_found(circle: _Circle, why: str) -> NotConverged:
    return NotConverged(
        f"the {circle.p}:{circle.q} tongue of {circle.map.name} was not found: {why}",
        np.array([circle.map.parameters[circle.free[0]]]),
        (np.nan,),
        "Begin at a smaller value of the second parameter.",
    )
