"""Points of an invariant manifold at given parameters: P(Λt) = g(P(t)), with g a map that stretches it by Λ.

For an unstable manifold g is f^k. For a stable one it is the inverse: the one that is given, or the one that Newton's
method finds, f^k(x) = y, from a point beside x on the manifold (Krauskopf, Osinga & Doedel, in Int. J. Bifurcation and
Chaos 15 (2005) 763, call it the search for preimages). Either way a point at the parameter t comes from the Taylor part
at t/Λᴺ by N steps. Errors across the manifold shrink from step to step, so that points lie on it to rounding, and those
along it do no more than move t.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bifurcate.manifolds.batched_step import BatchedStep
from bifurcate.manifolds.parametrisation import Parametrisation
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["ImplicitSampler", "KnownPart", "Sampler", "SteppedSampler"]

Array = NDArray[np.float64]

NEWTON_STEPS = 12  # for a preimage; from a point beside it four are enough
CONVERGED = 1e-13  # residual of a preimage, in units of the state, that is rounding
STAGNATED = 1e-10  # ... and one that is accepted where it no longer falls: rounding times a stretching of up to 1000
# Step of central differences of f, in units of the state: their error slows Newton's method, and is in no result.
DIFFERENCE_STEP = 6e-6
# Part of the state's unit by which a preimage may lie away from where it is expected, for each unit of that guess's own
# uncertainty: farther ones are on another inverse branch.
FARTHEST = 0.5


@dataclass(frozen=True, eq=False)
class KnownPart:
    """What is known of a branch: parameters in rising |t|, and points (m, n)."""

    t: Array
    points: Array

    def between(self, t: Array) -> Array:
        """Points near given parameters, by linear interpolation."""
        order = 1.0 if self.t[-1] >= 0.0 else -1.0
        return np.column_stack([np.interp(order * t, order * self.t, column) for column in self.points.T])


class Sampler(Protocol):
    """Gives points of a manifold."""

    @property
    def parametrisation(self) -> Parametrisation:
        """The Taylor part."""

    @property
    def factor(self) -> float:
        """Λ, |Λ| > 1."""

    def at(self, t: Array, guesses: Array, known: KnownPart) -> Array:
        """The points at parameters t, shape (m, n); NaN where there is none.

        ``guesses`` are points near them, and ``known`` is what is known of this side of the manifold, or of the other
        one where Λ is negative.
        """


@dataclass(frozen=True, eq=False)
class SteppedSampler:
    """A manifold that is stretched by a map that can be evaluated.

    Attributes
    ----------
    parametrisation : Parametrisation
        The Taylor part.
    factor : float
        Λ.
    step : BatchedStep
        g.
    """

    parametrisation: Parametrisation
    factor: float
    step: BatchedStep

    def at(self, t: Array, guesses: Array, known: KnownPart) -> Array:
        """The points at parameters t; ``guesses`` and ``known`` are not used."""
        counts = steps_from_taylor(t, self.parametrisation.radius, self.factor)
        points = self.parametrisation(t / self.factor**counts)
        for number in range(int(counts.max(initial=0))):
            rows = counts > number
            points[rows] = self.step(points[rows])
        return points


@dataclass(frozen=True, eq=False)
class ImplicitSampler:
    """A stable manifold of a map of which no inverse is given.

    Attributes
    ----------
    parametrisation : Parametrisation
        The Taylor part.
    factor : float
        Λ = 1/μ.
    step : BatchedStep
        f^k.
    periods : ndarray or None
        Of the coordinates.
    unit : float
        The unit of the state.
    """

    parametrisation: Parametrisation
    factor: float
    step: BatchedStep
    periods: Array | None
    unit: float

    def at(self, t: Array, guesses: Array, known: KnownPart) -> Array:
        """The points at parameters t, by preimages of points of the Taylor part."""
        counts = steps_from_taylor(t, self.parametrisation.radius, self.factor)
        points = self.parametrisation(t / self.factor**counts)
        for number in range(int(counts.max(initial=0))):
            rows = counts > number
            left = counts[rows] - number - 1
            expected = known.between(t[rows] / self.factor**left)
            expected[left == 0] = guesses[rows][left == 0]
            points[rows] = self.preimages(points[rows], expected)
        return points

    def preimages(self, targets: Array, guesses: Array) -> Array:
        """Solutions x of f^k(x) = y near guesses, by Newton's method for all rows at once; NaN where it fails."""
        x, best = guesses.copy(), guesses.copy()
        least = np.full(len(x), np.inf)
        working = np.arange(len(x))
        for _ in range(NEWTON_STEPS):
            residual = shortest(self.step(x[working]) - targets[working], self.periods)
            size = np.abs(residual).max(axis=1) / self.unit
            better = size < least[working]
            best[working[better]], least[working[better]] = x[working[better]], size[better]
            going = better & (size > CONVERGED)
            working, residual = working[going], residual[going]
            if not len(working):
                break
            try:
                x[working] -= np.linalg.solve(self._jacobians(x[working]), residual[..., None])[..., 0]
            except np.linalg.LinAlgError:
                break
        best[~(least <= STAGNATED)] = np.nan
        return best

    def _jacobians(self, x: Array) -> Array:
        m, n = x.shape
        h = DIFFERENCE_STEP * self.unit
        moved = x[:, None, :] + h * np.concatenate([np.eye(n), -np.eye(n)])
        images = self.step(moved.reshape(-1, n)).reshape(m, 2, n, n)
        slopes = shortest((images[:, 0] - images[:, 1]).reshape(-1, n), self.periods).reshape(m, n, n)
        return np.swapaxes(slopes / (2.0 * h), 1, 2)


def steps_from_taylor(t: Array, radius: float, factor: float) -> NDArray[np.int_]:
    """N for every t: the least one with |t| ≤ radius · |Λ|ᴺ."""
    with np.errstate(divide="ignore"):
        wanted = np.ceil(np.log(np.abs(t) / radius) / np.log(abs(factor)) - ROUNDING_OF_LOG)
    return np.asarray(np.maximum(wanted, 0.0), dtype=int)


ROUNDING_OF_LOG = 1e-12  # by which a t on the edge of the radius may seem to lie beyond it
