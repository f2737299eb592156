"""Cycles from many guesses at once: which are solved by multiple shooting, their least periods and multipliers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.batched_systems import (
    batched_cycle_multipliers,
    batched_eigenvalues,
    batched_growth,
)
from bifurcate.linalg.multipliers import EDGE
from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.batches import BatchRows
from bifurcate.maps.iterated_map import SAME_STATE, IteratedMap
from bifurcate.maps.map import Map
from bifurcate.maps.orbit_map import LARGEST_GROWTH, SHORTEST_PERIOD
from bifurcate.maps.periodic_coordinates import near
from bifurcate.newton.batched_newton import (
    ENDS,
    INTERRUPTED,
    SINGULAR,
    Equations,
    Found,
    Place,
    choose,
    largest_of_rows,
    newton_on_rows,
    unit_of,
)
from bifurcate.newton.multiple_shooting import POLISHING_STEPS
from bifurcate.newton.newton import Newton
from bifurcate.newton.solution_manifold import SINGULAR as SINGULAR_VALUE
from bifurcate.newton.solution_manifold import manifold_words, tangent_of_manifold
from bifurcate.newton.solutions import Solutions
from bifurcate.newton.solve import NEARBY_CYCLE, Solution

__all__ = ["BatchAnswer", "multipliers_of_cycles", "polish_cycles", "shoot_rows", "solve_rows"]

Array = NDArray[np.float64]
Parameters = Any

WORDS = np.array(ENDS, dtype=object)


@dataclass(eq=False)
class BatchAnswer:
    """The fields of Solutions, filled in as rows are solved; states are flat.

    Attributes
    ----------
    states, residuals, iterations, periods, multipliers, isolated, reasons
        As in :class:`~bifurcate.newton.solutions.Solutions`.
    """

    states: Array
    residuals: Array
    iterations: NDArray[np.int_]
    periods: NDArray[np.int_]
    multipliers: NDArray[np.complex128]
    isolated: NDArray[np.bool_]
    reasons: NDArray[np.object_]

    @staticmethod
    def nothing(rows: BatchRows, reason: str) -> BatchAnswer:
        """An answer in which every row failed for a reason."""
        m, n = len(rows), rows.states[0].size
        return BatchAnswer(
            states=rows.states.copy(),
            residuals=np.full(m, np.nan),
            iterations=np.zeros(m, dtype=int),
            periods=np.zeros(m, dtype=int),
            multipliers=np.full((m, n), np.nan, dtype=complex),
            isolated=np.zeros(m, dtype=bool),
            reasons=np.full(m, reason, dtype=object),
        )

    @property
    def interrupted(self) -> bool:
        """True if the user ended it."""
        return bool((self.reasons == INTERRUPTED).any())

    @staticmethod
    def join(answers: Sequence[BatchAnswer]) -> BatchAnswer:
        """One answer of several parts."""
        names = [each.name for each in dataclasses.fields(BatchAnswer)]
        return BatchAnswer(*(np.concatenate([getattr(each, name) for each in answers]) for name in names))

    def put_solution(self, i: int, found: Solution) -> None:
        """Take in what ``solve`` found for a row."""
        self.states[i], self.residuals[i] = found.state, found.residual
        self.iterations[i], self.periods[i], self.reasons[i] = found.iterations, found.period, ""
        self.isolated[i] = found.manifold is None
        values = np.repeat(found.multipliers, found.spectrum.multiplicity)
        self.multipliers[i, : len(values)] = values

    def to_solutions(self, map: Map, rows: BatchRows, layout: str) -> Solutions:
        """The frozen result."""
        converged = np.asarray(self.reasons == "", dtype=bool)
        with np.errstate(invalid="ignore"):
            moduli = np.abs(self.multipliers)
            stable = converged & (np.where(np.isnan(moduli), 0.0, moduli) < 1.0 - EDGE).all(axis=1)
        return Solutions(
            states=self.states,
            parameters=dict(rows.parameters),
            periods=np.where(converged, self.periods, 0),
            residuals=self.residuals,
            iterations=self.iterations,
            converged=converged,
            multipliers=np.where(converged[:, None], self.multipliers, np.nan),
            stable=stable,
            isolated=self.isolated & converged,
            reasons=tuple(self.reasons.tolist()),
            layout=layout,
            map=map,
        )


def solve_rows(batched: BatchedMap, rows: BatchRows, period: int, method: Newton, shooting: bool | None) -> BatchAnswer:
    """What ``solve`` finds from every row.

    Raises
    ------
    DoesNotBroadcast
        If f does not.
    """
    answer = BatchAnswer.nothing(rows, "")
    x = rows.states.reshape(len(rows), 1, -1)
    if period == 1 or shooting is False:
        shot = np.zeros(len(rows), dtype=bool)
    elif shooting:
        shot = np.ones(len(rows), dtype=bool)
    else:
        shot = _call_for_shooting(batched, x, rows.parameters, period)
    for group, work in ((~shot, _iterate_rows), (shot, _shoot)):
        if group.any():
            numbers = np.flatnonzero(group)
            whole = len(numbers) == len(rows)
            work(
                batched,
                x if whole else x[numbers],
                rows.parameters if whole else choose(rows.parameters, numbers),
                period,
                method,
                answer,
                numbers,
            )
    return answer


def _call_for_shooting(batched: BatchedMap, x: Array, p: Parameters, period: int) -> NDArray[np.bool_]:
    """The rows along whose orbits small differences grow by more than 10⁶: as ``calls_for_shooting``."""
    if period < SHORTEST_PERIOD:
        return np.zeros(len(x), dtype=bool)
    y, factors = x[:, 0], []
    for _ in range(period):
        factors.append(batched.jacobians(y, p))
        y = batched.images(y, p)
    growth = batched_growth(np.stack(factors, axis=1))
    return np.asarray(np.isfinite(growth) & (growth > np.log2(LARGEST_GROWTH)))


def _iterate_rows(
    batched: BatchedMap,
    x: Array,
    p: Parameters,
    period: int,
    method: Newton,
    answer: BatchAnswer,
    numbers: NDArray[np.int_],
) -> None:
    """Rows as solutions of f^k(x) = x."""
    found = newton_on_rows(Equations(batched, period), x, p, method)
    periods = np.full(len(x), period)
    if period > 1:
        _reduce_periods(batched, found, periods, p, method)
    _fill_in(answer, numbers, found, periods, batched.shape)
    for k in np.unique(periods[found.converged]).tolist():
        of_k = np.flatnonzero(found.converged & (periods == k))
        whole = len(of_k) == len(x)
        place = found.place if whole else found.place[of_k]
        values = p if whole else choose(p, of_k)
        J = Equations(batched, k).jacobians(_orbit(place, k), values)[:, 0]
        at = numbers[of_k]
        answer.multipliers[at] = batched_eigenvalues(J)
        answer.isolated[at] = True
        for i in np.flatnonzero(_nearly_singular(J)).tolist():
            tangent = _tangent(batched, place.x[i, 0], choose(values, i), J[i], k)
            answer.isolated[at[i]] = not tangent.size
    _explain_singular(batched, found, p, period, answer, numbers)


def _orbit(place: Place, k: int) -> Place:
    """The place with its orbit cut to k steps."""
    return dataclasses.replace(place, images=place.images[:k])


def _fill_in(
    answer: BatchAnswer,
    numbers: NDArray[np.int_],
    found: Found,
    periods: NDArray[np.int_],
    shape: tuple[int, ...],
) -> None:
    answer.states[numbers] = found.place.x[:, 0].reshape(-1, *shape)
    answer.residuals[numbers], answer.iterations[numbers] = found.place.largest, found.iterations
    answer.periods[numbers], answer.reasons[numbers] = periods, WORDS[found.ends]


def _reduce_periods(
    batched: BatchedMap, found: Found, periods: NDArray[np.int_], p: Parameters, method: Newton
) -> None:
    """Bring rows to the equations of their least period, in place: as ``_at_least_period`` of solve.py."""
    place, period = found.place, int(periods.max(initial=1))
    unit, scale = unit_of(place.x, batched.map.scale), batched.map.scale
    start = place.x.copy()
    for least in [j for j in range(1, period // 2 + 1) if period % j == 0]:
        apart = largest_of_rows(batched.difference(place.orbit[least][:, 0], place.x[:, 0]))
        close = np.flatnonzero(found.converged & (periods == period) & (apart <= NEARBY_CYCLE * unit))
        if not len(close):
            continue
        values = choose(p, close)
        shorter = newton_on_rows(Equations(batched, least), start[close], values, method)
        middle = Equations(batched, period).evaluate(0.5 * (start[close] + shorter.place.x), values)
        moved = largest_of_rows(shorter.place.x - start[close])
        good = shorter.converged & (middle.largest <= method.tolerance * unit_of(start[close], scale))
        good &= moved <= NEARBY_CYCLE * unit[close]
        at = close[good]
        periods[at] = least
        found.iterations[at] += shorter.iterations[good]
        place.put(at, shorter.place[good])  # as many states of the orbit as the shorter cycle has


def _nearly_singular(J: Array) -> NDArray[np.bool_]:
    """Where J − I may have a singular value that counts as 0."""
    A = J - np.eye(J.shape[1])
    size = np.linalg.norm(A, axis=(1, 2))  # at least the largest singular value
    if J.shape[1] == 1:
        smallest = np.abs(A[:, 0, 0])
    elif J.shape[1] == 2:
        smallest = np.abs(A[:, 0, 0] * A[:, 1, 1] - A[:, 0, 1] * A[:, 1, 0]) / np.where(size > 0.0, size, 1.0)
    else:
        known = np.isfinite(A).all(axis=(1, 2))
        smallest = np.full(len(A), np.inf)
        smallest[known] = np.linalg.svd(A[known], compute_uv=False)[:, -1]
    return np.asarray(smallest <= SINGULAR_VALUE * np.maximum(1.0, size))


def _tangent(batched: BatchedMap, x: Array, p: Parameters, J: Array, period: int) -> Array:
    values = {name: float(value) for name, value in p.items()}
    return tangent_of_manifold(IteratedMap(batched.map.replace(**values), batched.shape, period), x, J)


def _explain_singular(
    batched: BatchedMap,
    found: Found,
    p: Parameters,
    period: int,
    answer: BatchAnswer,
    numbers: NDArray[np.int_],
) -> None:
    """Say of rows whose Jacobian became singular whether solutions form a manifold there."""
    rows = np.flatnonzero(found.ends == SINGULAR)
    if not len(rows):
        return
    J = Equations(batched, period).jacobians(found.place[rows], choose(p, rows))[:, 0]
    for i, row in enumerate(rows.tolist()):
        tangent = _tangent(batched, found.place.x[row, 0], choose(p, row), J[i], period)
        if tangent.size:
            answer.reasons[numbers[row]] = manifold_words(tangent)


def _shoot(
    batched: BatchedMap,
    x: Array,
    p: Parameters,
    period: int,
    method: Newton,
    answer: BatchAnswer,
    numbers: NDArray[np.int_],
) -> None:
    """Rows as solutions of the equations of multiple shooting, from the orbits of their guesses."""
    orbit = [x[:, 0]]
    for _ in range(period - 1):
        orbit.append(batched.images(orbit[-1], p))
    start = near(np.stack(orbit, axis=1), x, batched.periods)
    for found, periods, at in shoot_rows(batched, start, p, method):
        rows = numbers[at]
        _fill_in(answer, rows, found, periods, batched.shape)
        good = np.flatnonzero(found.converged)
        if len(good):
            answer.multipliers[rows[good]] = multipliers_of_cycles(batched, found.place.x[good], choose(p, at[good]))
            answer.isolated[rows[good]] = True


def shoot_rows(
    batched: BatchedMap, start: Array, p: Parameters, method: Newton
) -> list[tuple[Found, NDArray[np.int_], NDArray[np.int_]]]:
    """Cycles by multiple shooting from k states of each row, shape (m, k, n): brought to rounding and least periods.

    Returns
    -------
    list of (Found, ndarray of int, ndarray of int)
        For each least period, and first for the rows that failed: what was found, the periods, and which rows.
    """
    period = start.shape[1]
    equations = Equations(batched)
    found = newton_on_rows(equations, start, p, method)
    periods = np.where(found.converged, _least_periods(batched, found.place.x), 0)
    out = []
    for k in np.unique(periods).tolist():
        at = np.flatnonzero(periods == k)
        values = choose(p, at)
        place, iterations = found.place[at], found.iterations[at]
        if k:
            if k < period:
                place = equations.evaluate(place.x[:, :k], values)
            place, more = polish_cycles(equations, place, values)
            iterations = iterations + more
        out.append((Found(place, iterations, found.ends[at]), periods[at], at))
    return out


def polish_cycles(equations: Equations, place: Place, p: Parameters) -> tuple[Place, NDArray[np.int_]]:
    """Newton steps to rounding, taken while the largest residual falls; and how many were, row by row."""
    steps = np.zeros(len(place.x), dtype=int)
    left = np.arange(len(place.x))
    for _ in range(POLISHING_STEPS):
        here, values = place[left], choose(p, left)
        step, singular = equations.step(equations.jacobians(here, values), here.residual)
        singular |= ~np.isfinite(largest_of_rows(step))
        trial = equations.evaluate(np.where(singular[:, None, None], here.x, here.x + step), values)
        falls = ~singular & (trial.largest < here.largest)
        place.put(left[falls], trial[falls])
        left = left[falls]
        steps[left] += 1
        if not len(left):
            break
    return place, steps


def _least_periods(batched: BatchedMap, x: Array) -> NDArray[np.int_]:
    """The least period of cycles of shape (m, k, n): the smallest j | k with all x_{i+j} at x_i."""
    period = x.shape[1]
    out = np.full(len(x), period)
    unit = unit_of(x, batched.map.scale)
    for j in range(period // 2, 0, -1):
        if period % j == 0:
            apart = largest_of_rows(batched.difference(np.roll(x, -j, axis=1), x))
            out[apart < SAME_STATE * unit] = j
    return out


def multipliers_of_cycles(batched: BatchedMap, x: Array, p: Parameters) -> NDArray[np.complex128]:
    """The multipliers of cycles of which all states are known, shape (m, k, n): each to relative accuracy."""
    m, k, n = x.shape
    values = {name: np.repeat(value, k) if np.ndim(value) else value for name, value in p.items()}
    J = batched.jacobians(x.reshape(m * k, n), values).reshape(m, k, n, n)
    return batched_eigenvalues(J[:, 0]) if k == 1 else batched_cycle_multipliers(J)
