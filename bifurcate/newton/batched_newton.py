"""Newton's method on many guesses at once: the iteration of ``solve``, row by row, in calls of f for all of them.

Unknowns are arrays of shape (m, s, n): rows, states that are unknown, numbers of a state. With one state the equations
are f^k(x) = x; with s = k those of multiple shooting, f(x_i) = x_{i+1}. Every row has its own steps, halvings and end,
by the inequalities of ``solve``: a row is what it would be alone, but for rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.interrupts import interrupted_meanwhile
from bifurcate.linalg.batched_systems import batched_product, solve_batch, solve_batched_cycles
from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.periodic_coordinates import near
from bifurcate.newton.batched_deflation import BatchedDeflation
from bifurcate.newton.line_search import ARMIJO, LEAVES_DOMAIN, NO_DESCENT, NOT_FINITE
from bifurcate.newton.newton import Newton

__all__ = [
    "ENDS",
    "INTERRUPTED",
    "SINGULAR",
    "Equations",
    "Found",
    "Place",
    "choose",
    "largest_of_rows",
    "newton_on_rows",
    "unit_of",
]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Codes = NDArray[np.int8]
Parameters = Mapping[str, Any]

SHORT = 16  # numbers of a row up to which one operation for each of them is faster than a reduction along rows

INTERRUPTED = "interrupted by the user"
# Why a row ended, by number: 0 where it converged.
ENDS = (
    "",
    "Newton's method did not converge",
    "the Jacobian became singular",
    "the Jacobian is NaN or infinite where Newton's method went",
    "the orbit of the guess leaves the domain",
    "the orbit of the guess reaches NaN or infinity",
    INTERRUPTED,
    LEAVES_DOMAIN.what,
    NOT_FINITE.what,
    NO_DESCENT.what,
)
CONVERGED, SLOW, SINGULAR, JACOBIAN_FAILS, LEAVES_AT_ONCE, NAN_AT_ONCE, STOPPED, LEAVES, FAILS, RISES = range(len(ENDS))


@dataclass(frozen=True, eq=False)
class Place:
    """Rows of unknowns, and what f makes of them.

    Attributes
    ----------
    x : ndarray, shape (m, s, n)
    images : list of ndarray, each of shape (m, s, n)
        f(x), f²(x), …: the last is moved by whole periods to where it is nearest to what it is compared with.
    residual : ndarray, shape (m, s, n)
    norm, largest : ndarray, shape (m,)
        ‖F‖₂ and ‖F‖_∞.
    margin : ndarray, shape (m,)
        The smallest domain margin along the orbit; −inf where a state is not finite.
    """

    x: Array
    images: list[Array]
    residual: Array
    norm: Array
    largest: Array
    margin: Array

    @property
    def orbit(self) -> list[Array]:
        """X, f(x), f²(x), …."""
        return [self.x, *self.images]

    def __getitem__(self, which: Any) -> Place:
        return Place(
            self.x[which],
            [y[which] for y in self.images],
            *(each[which] for each in (self.residual, self.norm, self.largest, self.margin)),
        )

    def copy(self) -> Place:
        """A copy, to be written into."""
        return self[slice(None)] if not len(self.x) else self[np.arange(len(self.x))]

    def put(self, which: Any, other: Place) -> None:
        """Put other rows into their places."""
        self.x[which] = other.x
        for mine, theirs in zip(self.images, other.images):
            mine[which] = theirs
        for name in ("residual", "norm", "largest", "margin"):
            getattr(self, name)[which] = getattr(other, name)


def choose(p: Parameters, which: Any) -> dict[str, Any]:
    """The parameters of some rows."""
    return {name: value[which] if np.ndim(value) else value for name, value in p.items()}


@dataclass(frozen=True, eq=False)
class Equations:
    """f^length(x_i) = x_{i+1} for all rows at once.

    Attributes
    ----------
    map : BatchedMap
    length : int
        Steps of f from one unknown state to the next.
    """

    map: BatchedMap
    length: int = 1

    def evaluate(self, x: Array, p: Parameters) -> Place:
        """The residuals at rows of unknowns."""
        m, s, n = x.shape
        flat, values = x.reshape(m * s, n), p
        if s > 1:
            values = {name: np.repeat(value, s) if np.ndim(value) else value for name, value in p.items()}
        margin, orbit = np.full(m * s, np.inf), [flat]
        for _ in range(self.length):
            if self.map.map.domain is not None:
                margin = np.minimum(margin, self.map.margins(orbit[-1], values))
            orbit.append(self.map.images(orbit[-1], values))
        following = x if s == 1 else np.roll(x, -1, axis=1)
        states = [y.reshape(m, s, n) for y in orbit]
        states[-1] = near(states[-1], following, self.map.periods)
        residual = states[-1] - following
        size = residual.reshape(m, s * n)
        largest = largest_of_rows(size)
        margin = np.where(np.isfinite(largest), margin if s == 1 else margin.reshape(m, s).min(axis=1), -np.inf)
        return Place(x, states[1:], residual, np.sqrt(np.einsum("ij,ij->i", size, size)), largest, margin)

    def jacobians(self, place: Place, p: Parameters) -> Array:
        """Those of f^length at the unknown states, shape (m, s, n, n)."""
        m, s, n = place.x.shape
        values = p
        if s > 1:
            values = {name: np.repeat(value, s) if np.ndim(value) else value for name, value in p.items()}
        factors = [self.map.jacobians(y.reshape(m * s, n), values) for y in place.orbit[:-1]]
        product = factors[0] if self.length == 1 else batched_product(np.stack(factors, axis=1))
        return product.reshape(m, s, n, n)

    def step(self, jacobians: Array, residual: Array) -> tuple[Array, Mask]:
        """The Newton steps, and where the system is singular."""
        if residual.shape[1] > 1:
            return solve_batched_cycles(jacobians, -residual)
        step, singular = solve_batch(jacobians[:, 0] - np.eye(residual.shape[2]), -residual[:, 0])
        return step[:, None], singular


@dataclass(eq=False)
class Found:
    """What became of rows.

    Attributes
    ----------
    place : Place
        Where each row ended.
    iterations : ndarray of int, shape (m,)
    ends : ndarray of int, shape (m,)
        Why a row ended, as a number of ENDS.
    """

    place: Place
    iterations: NDArray[np.int_]
    ends: Codes

    @property
    def converged(self) -> Mask:
        """The rows that converged."""
        return np.asarray(self.ends == CONVERGED)


def unit_of(x: Array, scale: float) -> Array:
    """Max(scale, ‖x‖_∞) of rows."""
    return np.maximum(scale, largest_of_rows(x))


def largest_of_rows(x: Array) -> Array:
    """The largest modulus in every row, NaN where there is one: NumPy's own maximum is slow along short axes."""
    flat = np.abs(x.reshape(len(x), -1))
    if flat.shape[1] > SHORT:
        return np.asarray(flat.max(axis=1))
    out = flat[:, 0].copy()
    for j in range(1, flat.shape[1]):
        np.maximum(out, flat[:, j], out=out)
    return out


def newton_on_rows(
    equations: Equations, x: Array, p: Parameters, method: Newton, away: BatchedDeflation | None = None
) -> Found:
    """Newton steps until ‖F‖_∞ ≤ tolerance · max(scale, ‖x‖_∞), for every row.

    Parameters
    ----------
    equations : Equations
    x : ndarray, shape (m, s, n)
        The guesses.
    p : mapping of str to float or ndarray of shape (m,)
    method : Newton
    away : BatchedDeflation, optional
        Solutions to stay away from, with one unknown state.
    """
    scale, m = equations.map.map.scale, len(x)
    here = equations.evaluate(np.array(x), p)
    out = Found(here.copy(), np.zeros(m, dtype=int), np.zeros(m, dtype=np.int8))
    numbers, done = np.arange(m), 0

    def keep(codes: Codes, going: Mask) -> None:
        """Write down the rows that end, with their codes: only the others go on."""
        nonlocal numbers, here, p, away
        if going.all():
            return
        ended = ~going
        out.place.put(numbers[ended], here[ended])
        out.iterations[numbers[ended]], out.ends[numbers[ended]] = done, codes[ended]
        numbers, here, p = numbers[going], here[going], choose(p, going)
        away = None if away is None else away.rows(going)

    codes = np.where(np.isfinite(here.largest), LEAVES_AT_ONCE, NAN_AT_ONCE)
    keep(codes, here.margin > 0)
    while len(numbers):
        met = here.largest <= method.tolerance * unit_of(here.x, scale)
        stop = STOPPED if interrupted_meanwhile() else SLOW if done >= method.max_iterations else CONVERGED
        keep(np.where(met, CONVERGED, stop), ~met & (stop == CONVERGED))
        if not len(numbers):
            break
        jacobians = equations.jacobians(here, p)
        step, singular = equations.step(jacobians, here.residual)
        known = np.isfinite(largest_of_rows(jacobians))
        going = known & ~singular
        keep(np.where(known, SINGULAR, JACOBIAN_FAILS), going)
        if not len(numbers):
            break
        here, codes = search_on_rows(equations, here, p, step if going.all() else step[going], method, away)
        keep(codes, codes == CONVERGED)
        done += 1
    return out


def search_on_rows(
    equations: Equations, here: Place, p: Parameters, step: Array, method: Newton, away: BatchedDeflation | None
) -> tuple[Place, Codes]:
    """Every row moved along its step, halved until ‖M F‖₂ falls by Armijo's condition in the domain.

    One halving is tried, then two at once, then four: the last rows of a batch would else pay for one call each.

    Returns
    -------
    Place
    ndarray of int, shape (m,)
        Why a row was not moved, as a number of ENDS; 0 where it was.
    """
    outside = FAILS if equations.map.map.domain is None else LEAVES
    level: Any = 0.0
    if away is not None:
        step = step * away.step_factors(here.x[:, 0], step[:, 0])[:, None, None]
        level = away.log_factors(here.x[:, 0])
    trial = equations.evaluate(here.x + step, p)
    accepted = _falls(here, trial, 1.0, level, away)
    if accepted.all():
        return trial, np.zeros(len(step), dtype=np.int8)
    codes = np.where(accepted, CONVERGED, np.where(trial.margin > 0, RISES, outside)).astype(np.int8)
    finite = np.isfinite(largest_of_rows(step))
    codes[~finite] = RISES
    moved = here.copy()
    moved.put(np.flatnonzero(accepted), trial[accepted])
    left, halvings, together = np.flatnonzero(~accepted & finite), 0, 1
    while len(left) and halvings < method.max_halvings:
        together = min(together, method.max_halvings - halvings)
        t = 0.5 ** np.repeat(np.arange(halvings + 1, halvings + together + 1), len(left))
        several = np.tile(left, together)
        start, some = here[several], None if away is None else away.rows(several)
        trial = equations.evaluate(start.x + t[:, None, None] * step[several], choose(p, several))
        accepted = _falls(start, trial, t, level if away is None else level[several], some).reshape(together, -1)
        first, found = accepted.argmax(axis=0), accepted.any(axis=0)  # the longest step of each row
        at = first[found] * len(left) + np.flatnonzero(found)
        moved.put(left[found], trial[at])
        codes[left] = np.where(found, CONVERGED, np.where(trial.margin[-len(left) :] > 0, RISES, outside))
        left, halvings, together = left[~found], halvings + together, 2 * together
    return moved, codes


def _falls(here: Place, trial: Place, t: Any, level: Any, away: BatchedDeflation | None) -> Mask:
    """Where a trial may be taken: in the domain, and ‖M F‖₂ has fallen by the factor 1 − 10⁻⁴ t, if it has to."""
    allowed = (1.0 - ARMIJO * t) * here.norm
    if away is None:
        return np.asarray((trial.margin > 0) & (trial.norm <= allowed))
    weight = np.exp(away.log_factors(trial.x[:, 0]) - level)
    return np.asarray((trial.margin > 0) & (~away.monotone | (weight * trial.norm <= allowed)))
