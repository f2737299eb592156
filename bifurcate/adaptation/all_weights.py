"""All n² weights at once: coordinates in which the part that the stimulus does not see is linear, and an energy of W.

Under one constant stimulus W is y = W r/n and W P, with P = I − r rᵀ/r·r the projection across r. Since

    (W P)⁺ = (1+β) W P + F(R),     F(R) = α R (P R)ᵀ − (α+β) C P,                                         (1)

hears only of y, on the basin of an equilibrium y* with responses R* the sum over the orbit y_0 = y, y_1, …

    Ψ(y) = W⊥ − Σ_t (1+β)^{−1−t} [F(R_t) − F(R*)],     W⊥ = −F(R*)/β,                                     (2)

obeys Ψ(y⁺) = (1+β) Ψ(y) + F(R): so Z = W P − Ψ(W r/n) obeys Z⁺ = (1+β) Z exactly (test_hidden_part_is_linear). At
β = 0, where F(R*) = 0 and W⊥ is 0, Z are n(n−1) conserved quantities: they say at which point of the manifold of
equilibria an orbit arrives, W P = Z, W r/n = y*. For the flow Ẇ = W⁺ − W the same holds with ∫ e^{−βt} … dt in place of
the sum, Ż = β Z, and the flow of all weights is the gradient flow of

    E(R) − (β/2) ‖Z‖²                                                                                      (3)

in the metric that (y, Z) ↦ diag(R) ⊕ I induces on the weights (test_all_weights_descend_the_full_energy). It is not the
Euclidean one, in which there is no energy. The terms of the sum fall like (λ/(1+β))^t, λ the multipliers of the
outputs: Ψ exists where |λ| < |1+β|, as it always does in the flow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from bifurcate.adaptation.energy import energy
from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria.equilibrium import at_rest
from bifurcate.adaptation.equilibria.local_stability import inner_multipliers
from bifurcate.adaptation.validation import finite
from bifurcate.errors import InvalidInput, NotConverged

__all__ = ["HiddenPart", "WeightCoordinates", "coordinates"]

MOST_UPDATES = 200_000  # of a sum: orbits with multipliers up to 0.9998 of 1 + β end within
LEFT = 1e-14  # a term of the sum, relative to the sum of all sizes, at which what is left counts as a geometric series
ROUNDINGS = 16.0  # of a term and of its sum, taken for each as one of the sum of all sizes
TOLERANCES = (1e-11, 1e-9)  # relative ones of two integrations whose difference is the error
GONE = 1e-6  # part of its start to which η must have fallen at the end: above the tolerances, below any other attractor


@dataclass(frozen=True, eq=False)
class HiddenPart:
    """Z at some weights.

    Attributes
    ----------
    Z : ndarray, shape (n, n)
    error : float
        A bound on the norm of its error: what is left of the sum, and rounding; or the difference of two integrations.
    """

    Z: np.ndarray
    error: float


@dataclass(frozen=True, eq=False)
class WeightCoordinates:
    """(y, Z) of the weights, of the rule's updates or of its flow; made by :func:`coordinates`.

    Attributes
    ----------
    network : Model
    flow : bool
        True for the flow Ẇ = W⁺ − W, the limit of small steps.

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [0.8, 1.0], alpha=0.1, beta=0.0, sigma=0.5)
    >>> predicted, W = coordinates(net).rest(net.initial), np.array(net.initial)
    >>> for _ in range(4000):
    ...     W = net.update(W)
    >>> bool(abs(W - predicted).max() < 1e-12)
    True
    """

    network: Model
    flow: bool = False

    @cached_property
    def _rest(self) -> tuple[np.ndarray, np.ndarray]:
        y = at_rest(self.network)
        return y, self.network.response(y)

    @cached_property
    def _across(self) -> np.ndarray:
        r = self.network.drive
        return np.asarray(np.eye(len(r)) - np.outer(r, r) / (r @ r))

    @cached_property
    def _settled(self) -> np.ndarray:
        # W⊥ of (2)
        net, R, P = self.network, self._rest[1], self._across
        if net.beta == 0.0:
            return np.zeros_like(P)
        forcing = net.alpha * np.outer(R, P @ R) - (net.alpha + net.beta) * net.target() @ P
        return np.asarray(-forcing / net.beta)

    def hidden(self, W: Any) -> HiddenPart:
        """Z = W P − Ψ(W r/n).

        Raises
        ------
        NotConverged
            If the orbit or the flow from W does not come to rest at the equilibrium, or too slowly.
        """
        W = self._weights(W)
        total, error = self._integral(self.network.project(W)) if self.flow else self._sum(self.network.project(W))
        return HiddenPart(W @ self._across - self._settled + total, error)

    def energy(self, W: Any) -> float:
        """The value (3): E(R) − (β/2) ‖Z‖², which the flow of all weights descends.

        Raises
        ------
        InvalidInput
            For the coordinates of updates, of which (3) is no energy.
        """
        if not self.flow:
            raise InvalidInput("E(R) - (beta/2) |Z|^2 is the energy of the flow; take coordinates(net, flow=True)")
        Z = self.hidden(W).Z
        return float(energy(self.network, "W")(self._weights(W))) - 0.5 * self.network.beta * float((Z * Z).sum())

    def inner_product(self, W: Any, one: Any, two: Any, step: float = 1e-5) -> float:
        """The metric at W of two directions, Σ R (V r/n)(V' r/n) + ⟨DZ V, DZ V'⟩, with DZ by central differences."""
        W, sides = self._weights(W), [self._weights(V) for V in (one, two)]
        R = self.network.response(W)
        y = [self.network.project(V) for V in sides]
        Z = [(self.hidden(W + step * V).Z - self.hidden(W - step * V).Z) / (2.0 * step) for V in sides]
        return float((R * y[0]) @ y[1] + (Z[0] * Z[1]).sum())

    def rest(self, W: Any) -> np.ndarray:
        """The weights at which the orbit from W comes to rest, W P = W⊥ + Z at β = 0 and W⊥ for β < 0, W r/n = y*.

        Raises
        ------
        InvalidInput
            For β > 0, where weights are at rest only at Z = 0; or where R* R*ᵀ ≠ C at β = 0, so that weights drift.
        NotConverged
            As :meth:`hidden`.
        """
        net, r, (y, R) = self.network, self.network.drive, self._rest
        if not -2.0 < net.beta <= 0.0:
            raise InvalidInput(f"beta is {net.beta:g}; weights come to rest for -2 < beta <= 0 only")
        if net.beta == 0.0 and not np.allclose(np.outer(R, R), net.target(), rtol=1e-9, atol=1e-12):
            raise InvalidInput("at beta = 0 the weights drift here: R R^T at rest is not the target")
        hidden = self.hidden(W).Z if net.beta == 0.0 else 0.0
        return np.asarray(self._settled + hidden + net.size * np.outer(y, r) / (r @ r))

    def _weights(self, W: Any) -> np.ndarray:
        weights, n = finite("W", W), self.network.size
        if weights.shape != (n, n):
            raise InvalidInput(f"W has shape {weights.shape}; it must be {(n, n)}")
        return weights

    def _moves(self, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What an update adds to d = y − y* beside β d, and F(R) − F(R*), both without cancellation as d → 0."""
        net, P, (y, rest) = self.network, self._across, self._rest
        r, u = net.drive, net.sigma**2 + y
        change = np.divide(-rest * d, u + d, out=np.zeros(len(r)), where=r > 0.0)  # R − R*
        R = rest + change
        push = net.alpha / net.size * (change * (R @ r) + rest * (change @ r))
        return push, net.alpha * (np.outer(change, P @ R) + np.outer(rest, P @ change))

    def _deviation(self, y: np.ndarray) -> np.ndarray:
        on = self.network.drive > 0.0
        d = np.where(on, y - self._rest[0], 0.0)  # a silent neuron's y is not answered
        if not (self.network.sigma**2 + y[on] > 0.0).all():
            raise NotConverged("a driven neuron stands beyond a pole", y, (), "Start where all responses are positive.")
        return d

    def _sum(self, y: np.ndarray) -> tuple[np.ndarray, float]:
        net, growth, d = self.network, 1.0 + self.network.beta, self._deviation(y)
        ratio = float(np.abs(inner_multipliers(net, self._rest[0])).max()) / abs(growth) if growth else np.inf
        if not ratio < 1.0:
            raise NotConverged("the sum over the orbit has no limit", y, (), "Take another beta.")
        total, size, weight = np.zeros((net.size,) * 2), 0.0, 1.0 / growth
        with np.errstate(all="ignore"):
            for _ in range(MOST_UPDATES):
                push, excess = self._moves(d)
                length = abs(weight) * float(np.linalg.norm(excess))
                total, size = total + weight * excess, size + length
                if length <= LEFT * size:
                    return total, length / (1.0 - ratio) + ROUNDINGS * np.finfo(float).eps * size
                if not np.isfinite(length):
                    break
                d, weight = growth * d + push, weight / growth
        raise NotConverged("the orbit does not come to rest at the equilibrium", y, (), "Start nearer to it.")

    def _integral(self, y: np.ndarray) -> tuple[np.ndarray, float]:
        # in η = e^−βt d, which falls at the rates αμ/n of what is integrated: at β < 0 d falls faster
        net, n, beta = self.network, self.network.size, self.network.beta
        slowest = float(1.0 + beta - inner_multipliers(net, self._rest[0]).real.max())
        if not slowest > 0.0:
            raise NotConverged("the integral over the flow has no limit", y, (), "Take another stimulus.")

        def rate(t: float, x: np.ndarray) -> np.ndarray:
            weight = np.exp(-beta * t)
            push, excess = self._moves(x[:n] / weight)
            return np.concatenate([weight * push, (weight * excess).ravel()])

        start, found, left = np.concatenate([self._deviation(y), np.zeros(n * n)]), [], np.inf
        for tolerance in TOLERANCES:
            end = -np.log(tolerance) / slowest
            ran = solve_ivp(rate, (0.0, end), start, method="DOP853", rtol=tolerance, atol=1e-3 * tolerance)
            if not ran.success or not float(np.abs(ran.y[:n, -1]).max()) <= GONE * max(float(np.abs(start).max()), 1.0):
                raise NotConverged("the flow does not come to rest at the equilibrium", y, (), "Start nearer to it.")
            left = min(left, float(np.linalg.norm(rate(end, ran.y[:, -1])[n:])) / slowest)
            found.append(ran.y[n:, -1].reshape(n, n))
        return found[0], float(np.linalg.norm(found[0] - found[1])) + left


def coordinates(net: Model, *, flow: bool = False) -> WeightCoordinates:
    """The coordinates (y, Z) of all weights of a network under its constant stimulus, for few neurons.

    Raises
    ------
    InvalidInput
        With the clip.
    """
    if net.clip:
        raise InvalidInput("with clip=True no part of the weights is linear")
    return WeightCoordinates(net, flow)
