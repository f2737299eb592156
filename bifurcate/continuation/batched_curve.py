"""Points of many curves of cycles at once: Newton's method across a direction, tangents and multipliers, row by row.

A row is u = (x, λ) with f^k(x; λ) − x = 0. All rows are corrected on the bordered systems

    [ f^k_x − I   f^k_λ ] [dx]     [ f^k(x; λ) − x ]
    [     row of n + 1  ] [dλ] = − [ row · (u − û) ]

of which the row is that of the tangent (pseudo-arclength), of a chord, or e_λ (a fixed parameter).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.batched_systems import batched_cycle_multipliers, batched_eigenvalues, solve_batch
from bifurcate.maps.accelerated_batches import AcceleratedMap
from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.derivatives import FIVE_POINT_STEP
from bifurcate.maps.periodic_coordinates import near
from bifurcate.newton.batched_newton import choose, largest_of_rows, unit_of

__all__ = ["Corrected", "RowCurves", "norms_of_rows"]

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Residuals, as parts of max(scale, ‖x‖_∞), at which Newton's method ends; one more step, whose matrix is needed for the
# tangent anyway, brings the point to rounding.
TOLERANCE = 1e-11
# Part of max(scale, ‖x‖_∞) by which that step may move a point without its multipliers being computed again.
SHARP = 1e-13
MOST_ITERATIONS = 8  # Newton steps after which a prediction has failed: those of `trace`
FEW_UNKNOWNS = 8  # up to which elimination on whole vectors is faster than LAPACK called for each row


@dataclass(frozen=True, eq=False)
class Corrected:
    """Rows on their curves.

    Attributes
    ----------
    u : ndarray, shape (m, n + 1)
    tangent : ndarray, shape (m, n + 1)
        Unit vectors in the metric, along the row of the bordered system.
    jacobian : ndarray, shape (m, n, n)
        Of f^k.
    multipliers : ndarray of complex, shape (m, n)
        By falling modulus.
    iterations : ndarray of int, shape (m,)
    good : ndarray of bool, shape (m,)
        False where Newton's method failed, or f.
    margin : ndarray, shape (m,)
        The smallest domain margin along the last orbit that Newton's method looked at; −inf where f is not finite.
    """

    u: Array
    tangent: Array
    jacobian: Array
    multipliers: NDArray[np.complex128]
    iterations: NDArray[np.int_]
    good: Mask
    margin: Array

    @staticmethod
    def join(parts: Sequence[Corrected], n: int) -> Corrected:
        """The rows of all parts; none of n unknowns where there are no parts."""
        nothing = Corrected(
            np.zeros((0, n + 1)), np.zeros((0, n + 1)), np.zeros((0, n, n)), np.zeros((0, n), dtype=complex),
            np.zeros(0, dtype=int), np.zeros(0, dtype=bool), np.zeros(0),
        )  # fmt: skip
        names = [each.name for each in dataclasses.fields(Corrected)]
        return Corrected(*(np.concatenate([getattr(each, name) for each in (nothing, *parts)]) for name in names))

    def __getitem__(self, which: Any) -> Corrected:
        names = ("u", "tangent", "jacobian", "multipliers", "iterations", "good", "margin")
        return Corrected(*(getattr(self, name)[which] for name in names))

    def put(self, which: Any, other: Corrected) -> None:
        """Put other rows into their places."""
        for name in ("u", "tangent", "jacobian", "multipliers", "iterations", "good", "margin"):
            getattr(self, name)[which] = getattr(other, name)


def norms_of_rows(a: Array, weights: Array) -> Array:
    """√Σ wᵢ aᵢ² of rows."""
    return np.asarray(np.sqrt(np.einsum("ij,ij,ij->i", a, a, weights)))


@dataclass(frozen=True, eq=False)
class RowCurves:
    """The curves of rows: a map, its parameters and the metric, in which lengths are measured as in :class:`Metric`.

    Attributes
    ----------
    batched : BatchedMap
    free : str
        The parameter λ.
    period : int
    parameters : mapping of str to (float or ndarray of shape (m,))
    weights : ndarray, shape (m, n + 1)
    """

    batched: BatchedMap
    free: str
    period: int
    parameters: Mapping[str, Any]
    weights: Array

    def __getitem__(self, which: Any) -> RowCurves:
        p = choose(self.parameters, which)
        return RowCurves(self.batched, self.free, self.period, p, self.weights[which])

    def _residual(self, u: Array) -> tuple[list[Array], Array, Array]:
        """Orbits, f^k(x) − x, and the smallest margin along the orbit: −inf where a number is not finite."""
        x, p = u[:, :-1], {**self.parameters, self.free: u[:, -1].copy()}
        orbit, margin = [np.ascontiguousarray(x)], np.full(len(u), np.inf)
        for _ in range(self.period):
            if self.batched.map.domain is not None:
                margin = np.minimum(margin, self.batched.margins(orbit[-1], p))
            orbit.append(self.batched.images(orbit[-1], p))
        residual = near(orbit[-1], x, self.batched.periods) - x
        return orbit, residual, np.where(np.isfinite(largest_of_rows(residual)), margin, -np.inf)

    def _linearised(self, orbit: list[Array], values: Array) -> tuple[Array, Array, list[Array]]:
        """The Jacobian of f^k, ∂f^k/∂λ, and the Jacobians along the orbit."""
        p = {**self.parameters, self.free: values}
        factors = [self.batched.jacobians(x, p) for x in orbit[:-1]]
        J, slope = factors[0], self._slope(orbit[0], p)
        for x, A in zip(orbit[1:-1], factors[1:]):
            J = A @ J
            slope = np.einsum("mij,mj->mi", A, slope) + self._slope(x, p)
        return J, slope, factors

    def _slope(self, x: Array, p: Mapping[str, Any]) -> Array:
        """∂f/∂λ: by JAX, else by five points, whose errors leave the curve where it is."""
        if isinstance(self.batched, AcceleratedMap):
            return self.batched.slopes(x, p, self.free)
        here = p[self.free]
        h = FIVE_POINT_STEP * np.maximum(1.0, np.abs(here))
        m = len(x)
        moved = {name: np.tile(value, 4) if np.ndim(value) else value for name, value in p.items()}
        moved[self.free] = np.concatenate([here + h, here - h, here + 2 * h, here - 2 * h])
        y = self.batched.images(np.tile(x, (4, 1)), moved)
        if self.batched.periods is not None:
            y = near(y, np.tile(y[:m], (4, 1)), self.batched.periods)
        a, b, c, d = y.reshape(4, m, -1)
        return np.asarray((8.0 * (a - b) - (c - d)) / (12.0 * h[:, None]))

    def dual(self, t: Array) -> Array:
        """The rows of the linear maps v ↦ ⟨t, v⟩."""
        return t * self.weights

    def correct(self, guess: Array, row: Array, sharp: float = SHARP) -> Corrected:
        """Bring guesses onto the curves, across rows of borders, and compute tangents and multipliers there."""
        m, n = len(guess), guess.shape[1] - 1
        u, scale = guess.copy(), self.batched.map.scale
        iterations, good = np.zeros(m, dtype=int), np.ones(m, dtype=bool)
        margins = np.full(m, np.inf)
        active = np.arange(m)
        for done in range(MOST_ITERATIONS + 1):
            some = self[active]
            orbit, residual, margin = some._residual(u[active])
            met = largest_of_rows(residual) <= TOLERANCE * unit_of(u[active, :n], scale)
            failed = ~(margin > 0) | (~met & (done == MOST_ITERATIONS))
            good[active[failed]], margins[active] = False, margin
            left = np.flatnonzero(~met & ~failed)
            if not len(left):
                break
            rest, active = some[left], active[left]
            J, slope, _ = rest._linearised([x[left] for x in orbit], u[active, -1])
            step, singular = _solve(
                _bordered(J, slope, row[active]), _right(-residual[left], row[active], u, guess, active)
            )
            good[active[singular]] = False
            margins[active[_unknown(J)]] = self._beyond
            u[active[~singular]] += step[~singular]
            active = active[~singular]
            iterations[active] += 1
            if not len(active):
                break
        found = self._finish(u, row, iterations, good, margins)
        moved = largest_of_rows(found.u - u) > sharp * unit_of(found.u[:, :n], scale)
        rough = np.flatnonzero(found.good & moved)
        if len(rough):  # multipliers there are those of a point beside
            some = self[rough]
            found.put(rough, some._finish(found.u[rough], row[rough], iterations[rough], good[rough], margins[rough]))
        return found

    def _finish(self, u: Array, row: Array, iterations: NDArray[np.int_], good: Mask, margins: Array) -> Corrected:
        """The last Newton step, tangents and multipliers, of the rows that are good."""
        m, n = len(u), u.shape[1] - 1
        out = Corrected(
            u.copy(), np.full((m, n + 1), np.nan), np.full((m, n, n), np.nan),
            np.full((m, n), np.nan, dtype=complex), iterations, good.copy(), margins,
        )  # fmt: skip
        at = np.flatnonzero(good)
        if not len(at):
            return out
        some = self[at]
        orbit, residual, _ = some._residual(u[at])
        J, slope, factors = some._linearised(orbit, u[at, -1].copy())
        matrix = _bordered(J, slope, row[at])
        step, singular = _solve(matrix, np.concatenate([-residual, np.zeros((len(at), 1))], axis=1))
        along, _ = _solve(matrix, np.concatenate([np.zeros((len(at), n)), np.ones((len(at), 1))], axis=1))
        length = norms_of_rows(along, some.weights)
        good = ~singular & np.isfinite(length) & (length > 0)
        out.u[at] += np.where(good[:, None], step, 0.0)
        out.tangent[at] = along / np.where(good, length, 1.0)[:, None]
        out.jacobian[at], out.good[at] = J, good
        out.margin[at[_unknown(J)]] = self._beyond
        known = np.flatnonzero(good & np.isfinite(J).all(axis=(1, 2)))
        if self.period == 1:
            out.multipliers[at[known]] = batched_eigenvalues(J[known])
        else:
            out.multipliers[at[known]] = batched_cycle_multipliers(np.stack(factors, axis=1)[known])
        return out

    @property
    def _beyond(self) -> float:
        """The margin where differences of f reach beyond what it is defined for, so that its Jacobian is not known."""
        return -np.inf if self.batched.map.domain is None else 0.0

    def first_tangents(self, u: Array) -> Array:
        """Unit tangents at points of the curves, towards growing λ: the null vectors of [f^k_x − I, f^k_λ]."""
        orbit, _, _ = self._residual(u)
        J, slope, _ = self._linearised(orbit, u[:, -1].copy())
        n = u.shape[1] - 1
        units = 1.0 / np.sqrt(self.weights)
        matrix = np.concatenate([J - np.eye(n), slope[:, :, None]], axis=2) * units[:, None, :]
        matrix[~np.isfinite(matrix).all(axis=(1, 2))] = 0.0
        t = np.linalg.svd(matrix)[2][:, -1] * units
        return np.asarray(t * np.where(t[:, -1:] < 0.0, -1.0, 1.0))


def _unknown(J: Array) -> Mask:
    return np.asarray(~np.isfinite(J).all(axis=(1, 2)))


def _bordered(J: Array, slope: Array, row: Array) -> Array:
    m, n = slope.shape
    matrix = np.empty((m, n + 1, n + 1))
    matrix[:, :n, :n], matrix[:, :n, n], matrix[:, n] = J - np.eye(n), slope, row
    return matrix


def _right(residual: Array, row: Array, u: Array, guess: Array, active: NDArray[np.int_]) -> Array:
    beside = -np.einsum("ij,ij->i", row, u[active] - guess[active])
    return np.concatenate([residual, beside[:, None]], axis=1)


def _solve(A: Array, b: Array) -> tuple[Array, Mask]:
    """The solutions of small systems, and where they are singular."""
    if A.shape[1] <= FEW_UNKNOWNS:
        return solve_batch(A, b)
    finite: Mask = np.asarray(np.isfinite(A).all(axis=(1, 2)) & np.isfinite(b).all(axis=1))
    x = np.zeros_like(b)
    try:
        x[finite] = np.linalg.solve(A[finite], b[finite][:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:  # one of them is singular to the bit
        return solve_batch(A, b)
    return x, ~finite
