"""Equilibria under one constant stimulus through one scalar equation, for β ≠ 0.

With γ = α/β the update leaves W in place where W = (1+γ) C − γ R Rᵀ. Multiply by r/n: y = (1+γ) h − γ R s/n, with
h = C r/n and s = R·r. But y = r/R − σ² wherever r > 0. Hence, with a = σ² + (1+γ) h and κ = γ s/n, for every driven
neuron

    κ R² − a R + r = 0        and        φ(s) = Σ r R(s) − s = 0,

one scalar equation for every choice of the quadratics' roots. With t = a + sign(a) sqrt(a² − 4 r κ) the roots are
2 r/t, which stays finite as κ → 0 and is here called regular, and t/(2κ); both free of cancellation.

- β < 0: κ < 0 where s > 0, so that one root is positive, and it falls as s grows: φ falls, and there is exactly one
  positive equilibrium (test_exactly_one_positive_equilibrium_where_weights_decay).
- β > 0: near β = 0 the roots t/(2κ) ≈ h n/s continue the equilibrium of β = 0. They fall as s grows, up to the s where
  the first discriminant vanishes; there the branch passes smoothly to that neuron's regular root, and s falls again
  until φ has a double root: the branch ends in a fold (test_branch_ends_in_the_fold_that_continuation_meets,
  test_branch_past_the_collision_of_two_roots_is_still_followed).

All choices of roots give all equilibria (test_every_equilibrium_that_newton_finds_is_listed).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, minimize_scalar

__all__ = ["ScalarEquation"]

TIED = 1e-9  # discriminants that vanish within this relative distance in s vanish together (neurons equal by symmetry)
GRID = 1500  # points of s on each side of 0 in a search for all roots: roots of twelve neurons lie a hundredth apart
FALL_POINTS = 257  # points at which φ is followed as s falls from the first collision
FALL_PARTS = 16  # parts in which they are computed, so that few rows of n numbers are held at once
DECADES = 10.0  # from the largest |s| of a root to the smallest that is looked for
EXPANSION = 4.0  # factor by which a bracket is widened: it costs evaluations, not accuracy
LEAST_START = 1e-6  # s from which a bracket is widened where the target gives no size
POLISHING_STEPS = 2  # Newton steps after Brent's method: the second one finds nothing left
SMALLEST = 1e-300  # absolute tolerance of a root, so that the relative one decides
ROOT_ITERATIONS = 500  # of Brent's method, from brackets that span the range of a double
MINIMUM_TOLERANCE = 1e-12  # of z at the least φ: rounding of a square root
TOUCHING_TOLERANCE = 1e-14  # relative one of s at the least |φ| between two samples


@dataclass(frozen=True, eq=False)
class ScalarEquation:
    """The scalar equation at given parameters, for the driven neurons.

    Attributes
    ----------
    r, h : ndarray, shape (n,)
        Drives (all > 0) and C r/n.
    floor : float
        σ².
    gamma : float
        α/β.
    neurons : int
        The n by which the map divides, silent ones included.
    """

    r: np.ndarray
    h: np.ndarray
    floor: float
    gamma: float
    neurons: int

    @property
    def a(self) -> np.ndarray:
        """The linear coefficient of the quadratics."""
        return self.floor + (1.0 + self.gamma) * self.h

    def root(self, s: float | np.ndarray, other: np.ndarray) -> np.ndarray:
        """R(s), shape (…, n), with the roots t/(2κ) where ``other`` is True and the regular ones elsewhere."""
        kappa = (self.gamma / self.neurons) * np.asarray(s)[..., None]
        t = self._t(kappa)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(other, t / (2.0 * kappa), 2.0 * self.r / t)

    def _t(self, kappa: np.ndarray) -> np.ndarray:
        a = self.a
        return np.asarray(a + np.where(a < 0.0, -1.0, 1.0) * np.sqrt(np.maximum(a * a - 4.0 * self.r * kappa, 0.0)))

    def excess(self, s: float, other: np.ndarray) -> float:
        """φ(s)."""
        return float(self.root(s, other) @ self.r - s)

    def limit(self) -> float:
        """The s of γ's sign beyond which a discriminant is negative."""
        return float(np.sign(self.gamma) * self._limits().min())

    def _limits(self) -> np.ndarray:
        return self.a**2 * self.neurons / (4.0 * self.r * abs(self.gamma))

    def solve(self, low: float, high: float, other: np.ndarray) -> float:
        """The root between two s of opposite signs of φ, to rounding."""
        return float(
            brentq(
                self.excess,
                low,
                high,
                args=(other,),
                xtol=SMALLEST,
                rtol=4 * np.finfo(float).eps,
                maxiter=ROOT_ITERATIONS,
            )
        )

    def positive(self) -> np.ndarray:
        """R of the one positive equilibrium, for γ ≤ 0."""
        if self.gamma == 0.0:
            return np.asarray(self.r / self.a)
        other = self.a < 0.0
        low = high = max(float(np.sqrt(self.neurons * max(self.r @ self.h, 0.0))), LEAST_START)
        while self.excess(low, other) <= 0.0:
            low /= EXPANSION
        while self.excess(high, other) > 0.0:
            high *= EXPANSION
        return self._polish(self.solve(low, high, other) if low < high else low, other)

    def _polish(self, s: float, other: np.ndarray) -> np.ndarray:
        # Newton's method on φ: R' = γ R²/(n (a − 2κR)), from κ R² − a R + r = 0.
        R = self.root(s, other)
        for _ in range(POLISHING_STEPS):
            bend = self.a - 2.0 * self.gamma * s / self.neurons * R
            slope = float(self.r @ (self.gamma * R * R / (self.neurons * bend))) - 1.0
            better = s - (float(R @ self.r) - s) / slope
            if not abs(self.excess(better, other)) < abs(self.excess(s, other)):
                break
            s, R = better, self.root(better, other)
        return R

    def branch(self) -> np.ndarray | None:
        """R on the branch that starts at β = 0, for γ > 0; None if φ has no root there."""
        bracket = self._bracket()
        if bracket is None:
            return None
        low, high, other = bracket
        return self.root(self.solve(low, high, other) if low < high else low, other)

    def at_collision(self, gammas: np.ndarray) -> np.ndarray:
        """φ/s at those γ where the first discriminant vanishes, with all roots t/(2κ): the branch has them if ≤ 0."""
        gamma = gammas[:, None]
        a = self.floor + (1.0 + gamma) * self.h
        ends = a * a / (4.0 * self.r)
        kappa = ends.min(axis=1, keepdims=True)
        R = a * (1.0 + np.sqrt(1.0 - kappa / ends)) / (2.0 * kappa)
        return np.asarray((R @ self.r) * gammas / (self.neurons * kappa[:, 0]) - 1.0)

    def depth(self) -> float:
        """Least φ/s up to its first rise as s falls on the branch: positive where the branch has no root, for γ > 0."""
        above = float(self.at_collision(np.array([self.gamma]))[0])
        if above <= 0.0:
            return above
        top, limits = self.limit(), self._limits()
        other = limits > limits.min() * (1.0 + TIED)
        z, phi = self._falling(top, other)
        least = int(np.argmax(np.append(np.diff(phi) > 0.0, True)))
        return self._least(top, other, z, least)[1] / top

    def _bracket(self) -> tuple[float, float, np.ndarray] | None:
        if self.gamma <= 0.0 or (self.a <= 0.0).any():
            return None
        top, limits = self.limit(), self._limits()
        other = np.ones(len(self.r), dtype=bool)
        if self.excess(top, other) > 0.0:
            return self._past_first_collision(top, limits > limits.min() * (1.0 + TIED))
        low = top
        while self.excess(low, other) <= 0.0:
            low /= EXPANSION
        return low, min(EXPANSION * low, top), other

    def _past_first_collision(self, top: float, other: np.ndarray) -> tuple[float, float, np.ndarray] | None:
        # In s = top (1 − z²) the square root at the collision is a straight line. The branch is the first root that is
        # met as s falls, and only as long as φ has fallen all the way to it.
        z, phi = self._falling(top, other)
        stop = int(np.argmax((np.diff(phi) > 0.0) | (phi[1:] <= 0.0)))
        if phi[stop + 1] <= 0.0:
            return top * (1.0 - z[stop + 1] ** 2), top * (1.0 - z[stop] ** 2), other
        if not phi[stop + 1] > phi[stop]:
            return None
        lowest, least = self._least(top, other, z, stop)
        return (lowest, top * (1.0 - z[max(stop - 1, 0)] ** 2), other) if least <= 0.0 else None

    def _falling(self, top: float, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        z = np.linspace(0.0, 1.0, FALL_POINTS)[:-1]
        rows = np.split(top * (1.0 - z * z), FALL_PARTS)
        return z, np.concatenate([self.root(part, other) @ self.r - part for part in rows])

    def _least(self, top: float, other: np.ndarray, z: np.ndarray, j: int) -> tuple[float, float]:
        """The s of the least φ next to that sample, and φ."""
        found = minimize_scalar(
            lambda each: self.excess(top * (1.0 - each * each), other),
            bounds=(z[max(j - 1, 0)], z[min(j + 1, len(z) - 1)]),
            method="bounded",
            options={"xatol": MINIMUM_TOLERANCE},
        )
        return top * (1.0 - found.x * found.x), float(found.fun)

    def every(self) -> Iterator[np.ndarray]:
        """R of all equilibria, for at most a dozen driven neurons: a scan of s for each of the 2ⁿ choices of roots."""
        if self.gamma == 0.0:
            yield self.r / self.a
            return
        s = self._samples()
        regular = self.root(s, np.zeros(len(self.r), dtype=bool)) * self.r
        other = self.root(s, np.ones(len(self.r), dtype=bool)) * self.r
        through = np.flatnonzero(np.diff(np.sign(s)) != 0)
        for bits in itertools.product((False, True), repeat=len(self.r)):
            choice = np.array(bits)
            phi = np.where(choice, other, regular).sum(axis=1) - s
            change = np.sign(phi[:-1]) != np.sign(phi[1:])
            if choice.any() or (self.a == 0.0).any():
                change[through] = False  # these roots pass through infinity at s = 0
            for j in np.flatnonzero(change):
                yield self.root(self.solve(s[j], s[j + 1], choice), choice)
            yield from self._touching(s, phi, choice)

    def _touching(self, s: np.ndarray, phi: np.ndarray, choice: np.ndarray) -> Iterator[np.ndarray]:
        # Two roots between neighbouring samples: where |φ| has a least value, no larger than it bends, look closer.
        size = np.abs(phi)
        bend = size[2:] - 2.0 * size[1:-1] + size[:-2]
        same = (np.sign(phi[2:]) == np.sign(phi[1:-1])) & (np.sign(phi[:-2]) == np.sign(phi[1:-1]))
        least = (size[1:-1] <= size[2:]) & (size[1:-1] <= size[:-2]) & (size[1:-1] <= 2.0 * bend) & same
        for j in np.flatnonzero(least) + 1:
            if s[j - 1] * s[j + 1] <= 0.0 or not np.isfinite(size[j - 1 : j + 2]).all():
                continue
            sign = float(np.sign(phi[j]))
            lowest = minimize_scalar(
                lambda at, sign=sign: sign * self.excess(at, choice),
                bounds=(s[j - 1], s[j + 1]),
                method="bounded",
                options={"xatol": TOUCHING_TOLERANCE * abs(s[j])},
            )
            if lowest.fun <= 0.0:
                for end in (s[j - 1], s[j + 1]):
                    yield self.root(self.solve(end, float(lowest.x), choice), choice)

    def _samples(self) -> np.ndarray:
        # |R| ≤ |a/κ| + sqrt(r/|κ|) bounds |s| = |Σ r R| by a falling function of |s|, hence by its fixed point.
        k = abs(self.gamma) / self.neurons
        bound = 1.0
        while float(self.r @ (np.abs(self.a) / (k * bound) + np.sqrt(self.r / (k * bound)))) > bound:
            bound *= 2.0
        outward = bound * np.logspace(-DECADES, 0.0, GRID)
        top = abs(self.limit())
        inward = top * (1.0 - np.linspace(0.0, 1.0, GRID)[:-1] ** 2)
        same = np.unique(np.concatenate([outward[outward < top], inward]))
        return np.unique(np.sign(self.gamma) * np.concatenate([-outward, same]))

    def at(self, gamma: float) -> ScalarEquation:
        """The equation at another γ."""
        return dataclasses.replace(self, gamma=gamma)
