"""The energy that the outputs descend: E(R), whose gradient in the metric diag(R) is the update of y = W r/n.

Derivation. Let u = σ² + y, R = r/u, S = R·r and kᵢ = ((α+β)/n) (C r)ᵢ + β σ². One update moves y by

    Gᵢ = β yᵢ + (α/n) S Rᵢ − ((α+β)/n) (C r)ᵢ = (α/n) S Rᵢ − kᵢ + β rᵢ/Rᵢ                               (1)

since y = r/R − σ². Look for E(R) with Rᵢ Gᵢ = −∂E/∂yᵢ. As ∂Rᵢ/∂yᵢ = −Rᵢ²/rᵢ and no Rᵢ depends on another y, this says
∂E/∂Rᵢ = rᵢ Gᵢ/Rᵢ = (α/n) S rᵢ − rᵢ kᵢ/Rᵢ + β rᵢ²/Rᵢ². The first term is the gradient of (α/2n) S², the others depend on
Rᵢ alone: the derivatives are symmetric, and

    E(R) = (α/2n) (r·R)² − Σ rᵢ kᵢ ln Rᵢ − β Σ rᵢ²/Rᵢ                                                  (2)

(test_update_is_minus_the_gradient_in_the_metric_of_the_responses). Of C only C r enters, so that C may have any rank;
where C = R₀R₀ᵀ, (C r)ᵢ = R₀ᵢ (R₀·r). The stimulus cannot be eliminated: r stands in every term
(test_energy_keeps_the_stimulus). A silent neuron has no term.

Along the flow ẏ = G, dE/dt = −Σ Rᵢ Gᵢ² ≤ 0 where all driven R > 0, also through the weights, Ẇ = W⁺ − W, as
ẏ = Ẇ r/n (test_energy_falls_along_the_flow_of_all_weights). Beyond a pole diag(R) is no metric, and E no energy. In
δ = ln R the second derivative is (α/n) (r∘R)(r∘R)ᵀ + diag((α/n) S r∘R − β r²/R), positive definite for β ≤ 0 and α, β
not both 0: E is convex in ln R and has at most one critical point (test_convex_in_the_logarithm). For β > 0 it is
the energy of the flow all the same, but unbounded below as Rᵢ → 0; its critical points can be minima or saddles.

At an equilibrium R* write R = R* e^δ, S* = r·R*, pᵢ = rᵢ R*ᵢ/S* (which sum to 1) and d = Σ p (e^δ − 1). Since
(α/n) S* r R* − r k + β r²/R* = 0, everything linear in δ drops out of E − E*:

    E − E* = (α/n) S*² [½ d² + Σ p (e^δ − 1 − δ)] − β Σ (rᵢ²/R*ᵢ) (e^−δ − 1 + δ)                         (3)

(test_divergence_is_the_energy_above_rest). For β ≤ 0 no term is negative, and all vanish only at δ = 0: a divergence
between present responses and those at rest, which at β = 0 are the target's, R* = R₀ whatever the stimulus is. The
bracket is then ½((Σ p e^δ)² − 1) − Σ p δ (test_divergence_at_beta_zero_as_published).

In the weights themselves, with the Euclidean metric, the update is not a gradient. With δR = −g (V r)/n, g = R²/r, the
derivative of R Rᵀ along V is δR Rᵀ + R δRᵀ, and on symmetric X and V

    ⟨X, DG V⟩ − ⟨V, DG X⟩ = −(2α/n) Σ gᵢ [(X R)ᵢ (V r)ᵢ − (V R)ᵢ (X r)ᵢ],

which vanishes for all of them only where R and r are parallel; if X need not be symmetric it never does where two
neurons or more are driven (test_weights_have_no_euclidean_energy). Nor does ¼‖R Rᵀ − C‖² always fall
(test_the_obvious_guess_can_rise).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from scipy.sparse.linalg import LinearOperator

from bifurcate.adaptation.convex_bounds import exponential_remainder
from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria import equilibrium as equilibria
from bifurcate.adaptation.maps.weight_update import Update
from bifurcate.adaptation.validation import finite, real
from bifurcate.errors import InvalidInput, NoEnergy, OutsideDomain
from bifurcate.linalg.operators import DiagonalLowRank, ShiftedLowRank, apply

__all__ = ["ResponseEnergy", "energy"]

PARALLEL = 1e-9  # sine-like |Rᵢrⱼ − Rⱼrᵢ| / (R r) of the strongest neuron up to which R and r count as parallel
VARIABLES = ("R", "log R", "y", "W")
Hessian: TypeAlias = DiagonalLowRank | ShiftedLowRank


@dataclass(frozen=True, eq=False)
class ResponseEnergy:
    """E(R) = (α/2n)(r·R)² − Σ rᵢ [((α+β)/n)(C r)ᵢ + β σ²] ln Rᵢ − β Σ rᵢ²/Rᵢ, as a function of one of four variables.

    With y the variable, diag(R) (y⁺ − y) = −∇E for every C, σ ≥ 0 and β, wherever all driven neurons have R > 0; silent
    neurons have no part in it. Along the flow, the limit of small steps, E falls until the outputs rest. Of the map
    itself, whose steps are finite, E is a Lyapunov function only near an equilibrium that has not flipped.

    Attributes
    ----------
    network : Model
    variable : {"R", "log R", "y", "W"}
        What the energy is a function of: responses (n,), their logarithms (n,), y = W r/n (n,), or the weights (n, n).

    Examples
    --------
    >>> import numpy as np
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> E = net.energy("y")
    >>> y = np.array([0.7, 0.8])
    >>> bool(np.allclose(net.response(y) * (net.reduced(y) - y), -E.gradient(y), rtol=0, atol=1e-16))
    True
    >>> bool(E(net.reduced(y)) < E(y)), E.convex
    (True, True)
    """

    network: Model
    variable: str = "R"

    def of(self, variable: str) -> ResponseEnergy:
        """The same energy as a function of another variable."""
        return energy(self.network, variable)

    @property
    def convex(self) -> bool:
        """True if E is convex in ln R, so that it has at most one critical point: β ≤ 0."""
        return self.network.beta <= 0.0

    @property
    def holds(self) -> str:
        """For which responses E is an energy, and what it says there."""
        net, silent = self.network, int((~self._driven).sum())
        words = ["E falls along the flow where all driven responses are positive, at any distance from rest"]
        words.append("every step of the map descends it only while steps are small enough")
        if silent:
            words.append(f"{silent} silent neurons have no part in it: their y follows a linear equation of its own")
        if net.beta <= 0.0:
            words.append("beta <= 0: E is convex in ln R, and an equilibrium is its only minimum")
        else:
            words.append("beta > 0: E has no lower bound, its critical points may be saddles, and W need not settle")
        if net.beta == 0.0:
            words.append("beta = 0: where E is least the outputs rest; the weights may still drift")
        return "; ".join(words)

    @cached_property
    def _driven(self) -> np.ndarray:
        return self.network.drive > 0.0

    @cached_property
    def _constants(self) -> tuple[np.ndarray, np.ndarray, float, float]:
        # r and k of driven neurons, α/n, β
        net, r = self.network, self.network.drive
        F = net.target_rule.factor(net.parameters)
        k = (net.alpha + net.beta) / len(r) * (F @ (F.T @ r)) + net.beta * net.sigma**2
        return r[self._driven], k[self._driven], net.alpha / len(r), net.beta

    def response(self, x: Any) -> np.ndarray:
        """R at a value of the variable, shape (n,).

        Raises
        ------
        OutsideDomain
            If a driven neuron's response is not positive.
        """
        net = self.network
        if self.variable in ("y", "W"):
            state = finite(self.variable, x)
            expected = (net.size,) * (2 if self.variable == "W" else 1)
            if state.shape != expected:
                raise InvalidInput(f"{self.variable} has shape {state.shape}; it must be {expected}")
            R = net.response(state)
        else:
            R = real(self.variable, x)
            if R.shape != (net.size,):
                raise InvalidInput(f"{self.variable} has shape {R.shape}; it must be {(net.size,)}")
            R = np.where(self._driven, np.exp(R) if self.variable == "log R" else R, 0.0)
        if not ((R[self._driven] > 0.0) & np.isfinite(R[self._driven])).all():
            raise OutsideDomain(
                "E is an energy where all driven responses are positive and finite; here "
                f"{int((~(R[self._driven] > 0.0)).sum())} lie beyond a pole or at 0, where diag(R) is no metric"
            )
        return R

    def __call__(self, x: Any) -> float:
        """E, without a constant."""
        R = self.response(x)[self._driven]
        r, k, a, beta = self._constants
        return float(0.5 * a * (r @ R) ** 2 - (r * k) @ np.log(R) - beta * (r * r) @ (1.0 / R))

    @cached_property
    def rest(self) -> np.ndarray:
        """R*, shape (n,): the critical point, of the responses at :meth:`Network.equilibrium`.

        Raises
        ------
        InvalidInput
            If there is no such equilibrium, in the words of :meth:`Network.equilibrium`.
        """
        return self.network.response(equilibria.at_rest(self.network))

    @cached_property
    def least(self) -> float:
        """E* = E(R*): the least value of E for β ≤ 0; a critical one, below which E can fall, for β > 0."""
        return self.of("R")(self.rest)

    def divergence(self, x: Any) -> float:
        """E − E*, from equation (3) of this module: no cancellation near rest, and no negative term for β ≤ 0.

        With R = R* e^δ, pᵢ = rᵢR*ᵢ/(r·R*) and d = Σ p (e^δ − 1) it is
        (α/n)(r·R*)² [½ d² + Σ p (e^δ − 1 − δ)] − β Σ (rᵢ²/R*ᵢ)(e^−δ − 1 + δ).

        Raises
        ------
        InvalidInput
            If there is no equilibrium.
        """
        R, rest = self.response(x)[self._driven], self.rest[self._driven]
        r, _, a, beta = self._constants
        delta = np.log1p((R - rest) / rest)
        strength = float(r @ rest)
        p = r * rest / strength
        d = float(p @ np.expm1(delta))
        bracket = 0.5 * d * d + float(p @ exponential_remainder(delta))
        return a * strength**2 * bracket - beta * float((r * r / rest) @ exponential_remainder(-delta))

    def gradient(self, x: Any) -> np.ndarray:
        """∇E with respect to the variable, of its shape; 0 in what belongs to silent neurons."""
        R = self.response(x)
        return self._chain(R, self._slope(R))

    def _slope(self, R: np.ndarray) -> np.ndarray:
        # ∂E/∂ ln R, of all neurons
        r, k, a, beta = self._constants
        out, R = np.zeros(len(R)), R[self._driven]
        out[self._driven] = a * (r @ R) * r * R - r * k + beta * r * r / R
        return out

    def _chain(self, R: np.ndarray, slope: np.ndarray) -> np.ndarray:
        r = self.network.drive
        if self.variable == "log R":
            return slope
        if self.variable == "R":
            return np.asarray(np.divide(slope, R, out=np.zeros(len(R)), where=self._driven))
        by_y = -np.divide(slope * R, r, out=np.zeros(len(R)), where=self._driven)  # ∂ ln R/∂y = −R/r
        return np.outer(by_y, r / len(r)) if self.variable == "W" else by_y

    def hessian(self, x: Any) -> Hessian:
        """The second derivative, n × n, diagonal plus rank one; as a function of W n² × n², of rank n."""
        R = self.response(x)
        on, r, n = self._driven, self.network.drive, len(R)
        _, _, a, beta = self._constants
        # In δ = ln R it is a (rR)(rR)ᵀ + diag(c). Another variable scales by its rate dδ/dx on both sides, and adds the
        # slope times its bend d²δ/dx².
        c, z, slope = np.zeros(n), r * R, self._slope(R)
        c[on] = a * (r @ R) * z[on] - beta * r[on] ** 2 / R[on]
        rate, bend = np.ones(n), np.zeros(n)
        if self.variable == "R":
            rate[on], bend[on] = 1.0 / R[on], -1.0 / R[on] ** 2
        elif self.variable != "log R":
            rate[on], bend[on] = -R[on] / r[on], (R[on] / r[on]) ** 2
        z = rate * z
        H = DiagonalLowRank(rate**2 * c + slope * bend, a * z[:, None], z[:, None])
        if self.variable != "W":
            return H
        project = self.network.stimuli.at(self.network.parameters).project
        lift = LinearOperator(
            (n * n, n),
            matvec=lambda w: project.rmatvec(apply(H, w.ravel())),
            rmatvec=lambda X: apply(H, project.matvec(X.ravel())),
            dtype=float,
        )
        s = float(r @ r) / n**2  # P Pᵀ = s I
        return ShiftedLowRank(0.0, lift, project, DiagonalLowRank(s * H.diagonal, s * H.left, H.right))

    def metric(self, x: Any) -> np.ndarray:
        """The diagonal m of the metric in which the flow is ẋ = −∇E/m: R for y, r²/R³ for R, r²/R for ln R.

        It is 0 for silent neurons, who have no flow in these variables.

        Raises
        ------
        NoEnergy
            With W the variable. The certificate is (X, V, ⟨X, DG V⟩, ⟨V, DG X⟩), two directions, symmetric unless R is
            parallel to r, and two numbers that would be equal if the update were a gradient in the Euclidean metric.
        """
        R = self.response(x)
        r = self.network.drive
        if self.variable == "W":
            raise _asymmetry(self.network, np.asarray(x, dtype=float), R)
        power = {"y": R, "R": _over(r * r, R**3), "log R": _over(r * r, R)}
        return power[self.variable]

    def flow(self, x: Any) -> np.ndarray:
        """ẋ = −∇E/m, shape (n,): with y the variable what one update adds to a driven neuron's y."""
        return -_over(self.gradient(x), self.metric(x))


def energy(net: Model, variable: str) -> ResponseEnergy:
    """See :meth:`Network.energy`."""
    if variable not in VARIABLES:
        raise InvalidInput(f"variable is {variable!r}; allowed are {', '.join(VARIABLES)}")
    if net.clip:
        raise NoEnergy(
            "with clip=True the responses do not determine how they move, as what is clipped depends on every weight: "
            "no function of the responses is an energy. Where nothing is clipped net.replace(clip=False) has one",
            _not_closed(net),
        )
    if net.alpha == 0.0 and net.beta == 0.0:
        raise NoEnergy("nothing adapts at alpha = beta = 0: there is no motion to integrate, every state is at rest")
    return ResponseEnergy(net, variable)


def _not_closed(net: Model) -> tuple[np.ndarray, np.ndarray] | None:
    """Two weight matrices with the same W r whose clipped updates have different ones; None if n or β forbids them."""
    r, n, W = net.drive, net.size, np.array(net.initial)
    driven = np.flatnonzero(r > 0.0)
    if len(driven) < 2 or net.beta == -1.0:
        return None
    i, j = driven[:2]
    z = np.zeros(n)
    z[i], z[j] = r[j], -r[i]
    step = np.abs(net.replace(clip=False).update(W)).max() + 1.0
    other = W.copy()
    other[i] += 2.0 * step / (abs(1.0 + net.beta) * min(r[i], r[j])) * z  # one of its entries turns negative
    return W, other


def _asymmetry(net: Model, W: np.ndarray, R: np.ndarray) -> NoEnergy:
    n, r, rule = len(R), net.drive, Update(net.stimuli, net.target_rule)
    driven = np.flatnonzero(r > 0.0)
    if len(driven) < 2 or net.alpha == 0.0:
        return NoEnergy("E sees weights through W r/n alone, and has no part in what else moves: it is no energy of W")
    X, V = np.zeros((n, n)), np.zeros((n, n))
    lead, other = driven[np.argsort(-r[driven], kind="stable")[:2]]
    across = np.where(r > 0.0, R * r[lead] - R[lead] * r, 0.0)
    if np.abs(across).max() > PARALLEL * R[lead] * r[lead]:  # R and r are not parallel: symmetric directions suffice
        other = int(np.argmax(np.abs(across)))
        X[lead, lead] = V[lead, other] = V[other, lead] = 1.0
    else:
        X[other, lead], X[lead, other], V[other, other] = 1.0, -1.0, 1.0
    p = net.parameters
    there, back = float(np.sum(X * rule.jvp(W, V, **p))), float(np.sum(V * rule.jvp(W, X, **p)))
    return NoEnergy(
        "in the weights, with the Euclidean metric, the update is not a gradient: its derivative is not symmetric "
        f"(<X, DG V> = {there:.6g}, <V, DG X> = {back:.6g}). As a function of W, E is a Lyapunov function of the flow",
        (X, V, there, back),
    )


def _over(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator != 0.0))
