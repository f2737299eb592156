"""The outputs' rule with its constants at hand: y of driven neurons under one constant stimulus, for long orbits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse.linalg import LinearOperator

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.kernels import multiply_weights
from bifurcate.linalg.multipliers import spectrum
from bifurcate.linalg.operators import DiagonalLowRank, Operator, apply, compose
from bifurcate.newton.newton import newton_step

__all__ = ["FastReduction", "ResponseCycle"]

CLOSED = 1e-9  # max |Δy/u| after one turn up to which a cycle counts as closed
MOST_TURNS = 15  # Newton steps to a cycle: quadratic convergence needs five or six, a defective one halves errors
PATIENCE = 4  # Newton steps after which the residual must be below the first one
LARGEST_DENSE = 400  # size limit: neurons up to which the Jacobian of a long cycle is made dense


@dataclass(frozen=True, eq=False)
class FastReduction:
    """y⁺ = g y + a R (R·r) − k with R = r/(σ² + y): equation (2.1) on driven neurons, who hear nothing of silent ones.

    Attributes
    ----------
    r, k : ndarray, shape (d,)
        Drives, all > 0, and ((α+β)/n) C r.
    growth, rate, floor : float
        g = 1+β, a = α/n and σ².
    start : ndarray, shape (d,)
        W₀ r/n.
    driven : ndarray of int, shape (d,)
        Their numbers in the network.
    """

    r: np.ndarray
    k: np.ndarray
    growth: float
    rate: float
    floor: float
    start: np.ndarray
    driven: np.ndarray

    @classmethod
    def of(cls, net: Model) -> FastReduction:
        """Those of a network."""
        r, n, F = net.drive, net.size, net.target_rule.factor(net.parameters)
        k = (net.alpha + net.beta) / n * (F @ (F.T @ r))
        start = multiply_weights(net.initial_weights, r) / n
        on = np.flatnonzero(r > 0.0)
        return cls(r[on], k[on], 1.0 + net.beta, net.alpha / n, net.sigma**2, start[on], on)

    def only(self, kept: np.ndarray, y: np.ndarray) -> FastReduction:
        """The rule of some of the neurons, started at y, where the responses of the others have vanished."""
        r, k, driven = self.r[kept], self.k[kept], self.driven[kept]
        return FastReduction(r, k, self.growth, self.rate, self.floor, y[kept], driven)

    def step(self, y: np.ndarray) -> np.ndarray:
        """y⁺."""
        R = self.r / (self.floor + y)
        return np.asarray(self.growth * y + (self.rate * (R @ self.r)) * R - self.k)

    def linear_steps(self, y: np.ndarray, v: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The orbit and a tangent vector after some updates: δR = −R δy/u, in one pass with R."""
        r, k, growth, rate, floor = self.r, self.k, self.growth, self.rate, self.floor
        for _ in range(count):
            u = floor + y
            R = r / u
            w = R * v
            w /= u
            total = rate * (R @ r)
            v = growth * v - total * w - (rate * (w @ r)) * R
            y = growth * y + total * R - k
        return y, v

    def jacobian(self, y: np.ndarray) -> DiagonalLowRank:
        """Diagonal plus rank one, equation (2.2)."""
        R = self.r / (self.floor + y)
        return DiagonalLowRank(self._diagonal(R), (-self.rate * R)[:, None], (R * R)[:, None])

    def _diagonal(self, R: np.ndarray) -> np.ndarray:
        return np.asarray(self.growth - self.rate * (R @ self.r)[..., None] * R * R / self.r)

    def apart(self, one: np.ndarray, two: np.ndarray) -> np.ndarray:
        """max |Δy/u| along the last axis: differences as the responses feel them."""
        with np.errstate(all="ignore"):
            return np.asarray(np.abs((one - two) / (self.floor + two)).max(axis=-1))

    def cycle(
        self, y: np.ndarray, period: int, *, first_turn: float = np.inf, first_step: float = np.inf
    ) -> ResponseCycle | None:
        """The cycle to which Newton's method goes from y, iterated until its residual no longer falls.

        None if it stays above 1e-9, is above the first one after 4 iterations, or falls for more than 15; or if the
        first turn moves y by more than ``first_turn``, or the first step by more than ``first_step``, max |Δy/u|.
        """
        first = last = np.inf
        best: tuple[np.ndarray, Operator] | None = None
        for turn in range(MOST_TURNS):
            states = self._around(y, period)
            left = float(self.apart(states[-1], y))
            first = left if turn == 0 else first
            if first > first_turn:
                return None
            if (turn >= PATIENCE and left > first) or (left >= last and last <= CLOSED):
                break
            J = self._product(states) if left < np.inf else None
            if J is None:
                break
            best, last = (states, J), left
            if left == 0.0:
                break
            try:
                y = y + newton_step(J, states[-1] - y)
            except ArithmeticError:
                break
            if turn == 0 and not self.apart(states[0], y) <= first_step:
                return None
        if best is None or not last <= CLOSED:
            return None
        return ResponseCycle(best[0][:-1], best[1], last)

    def _around(self, y: np.ndarray, period: int) -> np.ndarray:
        """The states of one turn, shape (period + 1, d)."""
        states = np.empty((period + 1, len(y)))
        states[0] = y
        r, k, growth, rate, floor = self.r, self.k, self.growth, self.rate, self.floor
        with np.errstate(all="ignore"):
            for i in range(period):  # step() without its calls, which take longer than its sums
                y = states[i]
                R = r / (floor + y)
                np.subtract(growth * y + (rate * (R @ r)) * R, k, out=states[i + 1])
        return states

    def _product(self, states: np.ndarray) -> Operator | None:
        """The Jacobian of one turn; None if it is too large or not finite."""
        period = len(states) - 1
        if period <= max(1, len(self.r) // 4):
            product: Operator = self.jacobian(states[0])
            for y in states[1:-1]:
                product = compose(self.jacobian(y), product)
            return product
        if len(self.r) > LARGEST_DENSE:
            return None
        R = self.r / (self.floor + states[:-1])
        diagonal, left, J = self._diagonal(R), -self.rate * R, np.eye(len(self.r))
        change = np.empty_like(J)
        for d, u, v in zip(diagonal[:, :, None], left[:, :, None], R * R, strict=True):
            np.multiply(u, v @ J, out=change)
            J *= d
            J += change
        return J if np.isfinite(J).all() else None


@dataclass(frozen=True, eq=False)
class ResponseCycle:
    """A cycle of the outputs' rule.

    Attributes
    ----------
    states : ndarray, shape (period, d)
    jacobian : Operator
        Of one turn.
    residual : float
        max |Δy/u| after one turn.
    """

    states: np.ndarray
    jacobian: Operator
    residual: float

    @cached_property
    def radius(self) -> float:
        """The largest modulus of the multipliers."""
        J, d = self.jacobian, self.states.shape[1]
        if (
            len(self.states) > 1 and d > LARGEST_DENSE
        ):  # a product has lost its symmetry: only Arnoldi iteration is left
            J = LinearOperator((d, d), matvec=lambda v: apply(self.jacobian, v.ravel()), dtype=float)
        return float(np.abs(spectrum(J).values).max())
