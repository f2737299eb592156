"""The nearest rule that is a gradient in the weights themselves, for any ensemble of stimuli: R rᵀ in place of R Rᵀ.

With u^q = σ² + W r^q/n and w_q the probabilities of the stimuli, ∂/∂W_ij of n Σ w_q r^q·ln u^q is Σ w_q R_i^q r_j^q. So

    W⁺ = W + α (Σ_q w_q R^q r^qᵀ − C̃) + β (W − C),     C̃ the mean of R₀ r₀ᵀ over the target's stimuli,

is a step of Euclidean ascent of J(W) = α (n Σ w_q r^q·ln u^q − ⟨C̃, W⟩) + (β/2) ‖W − C‖², concave for β ≤ 0. The
adaptation rule has R rᵀ diag(1/u) in place of R rᵀ: it divides by the u of the second neuron, too. As there,
Y = W [r¹ … rᵐ]/n moves by itself:

    yˢ⁺ = (1+β) yˢ + (α/n) Σ_q w_q (r^q·rˢ) R^q − (α C̃ + β C) rˢ/n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifurcate.adaptation.kernels import divide_where_driven, respond, response_gain
from bifurcate.adaptation.maps.weight_update import margins
from bifurcate.adaptation.stimuli.stimulus_set import Stage, StimulusSet
from bifurcate.adaptation.stimuli.target import Target

__all__ = ["GradientReduction", "GradientUpdate", "cross_target"]


def cross_target(target: Target, p: dict[str, float]) -> np.ndarray:
    """C̃ = mean of R₀ r₀ᵀ over the stimuli that make the target, shape (n, n)."""
    r, u = target.denominators(p)
    return np.asarray(respond(r, u) @ r.T / r.shape[1])


def _cross_target_rate(target: Target, p: dict[str, float], name: str) -> np.ndarray:
    r, u = target.denominators(p)
    m = r.shape[1]
    if name not in ("sigma", "b"):
        return np.zeros((len(r), len(r)))
    dR = target.rate(p, name) * np.sqrt(m)
    if name == "sigma":
        return np.asarray(dR @ r.T / m)
    dr = target.stimuli.reference_rate(p, target.ensemble).T
    return np.asarray((dR @ r.T + respond(r, u) @ dr.T) / m)


@dataclass(frozen=True, eq=False)
class GradientUpdate:
    """W ↦ W⁺ on (n, n), with its derivatives; dense products of n × n matrices throughout.

    Attributes
    ----------
    stimuli : StimulusSet
    target_rule : Target
        Made by reference stimuli, not given as a factor.
    stage : Stage
    """

    stimuli: StimulusSet
    target_rule: Target
    stage: Stage

    def _response(self, W: np.ndarray, p: dict[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        r = self.stimuli.at(p).drive[self.stage.members]
        u = p["sigma"] ** 2 + r @ W.T / len(W)
        return r, u, respond(r, u)

    def f(self, W: np.ndarray, **p: float) -> np.ndarray:
        """W⁺."""
        r, _, R = self._response(W, p)
        F = self.target_rule.factor(p)
        push = (R.T * self.stage.weights(p)) @ r - cross_target(self.target_rule, p)
        return np.asarray((1.0 + p["beta"]) * W + p["alpha"] * push - p["beta"] * (F @ F.T))

    def jvp(self, W: np.ndarray, V: np.ndarray, **p: float) -> np.ndarray:
        """The derivative of W⁺ in the direction V; a symmetric operator."""
        r, u, _ = self._response(W, p)
        dR = -response_gain(r, u) * (r @ V.T) / len(W)
        return np.asarray((1.0 + p["beta"]) * V + p["alpha"] * (dR.T * self.stage.weights(p)) @ r)

    def jacobian(self, W: np.ndarray, **p: float) -> np.ndarray:
        """The dense Jacobian on the flattened weights, (n², n²), for few neurons; symmetric."""
        r, u, _ = self._response(W, p)
        n, w = len(W), self.stage.weights(p)
        J = np.zeros((n, n, n, n))
        neurons = np.arange(n)
        J[neurons, :, neurons, :] = -(p["alpha"] / n) * np.einsum("q,qi,qj,qk->ijk", w, response_gain(r, u), r, r)
        J.reshape(-1)[:: n * n + 1] += 1.0 + p["beta"]
        return J.reshape(n * n, n * n)

    def parameter_derivative(self, W: np.ndarray, name: str, **p: float) -> np.ndarray:
        """∂W⁺/∂name."""
        r, u, R = self._response(W, p)
        F, w = self.target_rule.factor(p), self.stage.weights(p)
        if name == "alpha":
            return np.asarray((R.T * w) @ r - cross_target(self.target_rule, p))
        if name == "beta":
            return np.asarray(W - F @ F.T)
        if name == "probability":
            return np.asarray(p["alpha"] * (R.T * self.stage.slope) @ r)
        dr = self.stimuli.rate(p, name)[self.stage.members]
        dR = divide_where_driven(dr - R * (dr @ W.T) / len(W), u, r)
        if name == "sigma":
            dR = -2.0 * p["sigma"] * response_gain(r, u)
        dF = self.target_rule.rate(p, name)
        moved = F[:, : dF.shape[1]] @ dF.T
        push = (dR.T * w) @ r + (R.T * w) @ dr - _cross_target_rate(self.target_rule, p, name)
        return np.asarray(p["alpha"] * push - p["beta"] * (moved + moved.T))

    def domain(self, W: np.ndarray, **p: float) -> np.ndarray:
        """The denominators of neurons that the stimuli drive."""
        r, u, _ = self._response(W, p)
        return margins(u.ravel(), r.ravel())

    def borders(self, W: np.ndarray, **p: float) -> np.ndarray:
        """The input currents of the stimuli: drives are once differentiable where one is 0."""
        x = self.stimuli.at(p).current
        return np.empty(0) if x is None else x[self.stage.members].ravel()


@dataclass(frozen=True, eq=False)
class GradientReduction:
    """Y ↦ Y⁺ on (m, n), with its derivatives.

    The block (s, q) of the Jacobian is (1+β) δ_sq I − (α w_q/n) (r^q·rˢ) diag(g^q), g = r/u². Scaling by √(w_q g^q)
    makes it similar to a symmetric matrix where all responses are positive: all multipliers are real.

    Attributes
    ----------
    stimuli : StimulusSet
    target_rule : Target
    stage : Stage
        Of all stimuli.
    """

    stimuli: StimulusSet
    target_rule: Target
    stage: Stage

    def _response(self, Y: np.ndarray, p: dict[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        r = self.stimuli.at(p).drive
        u = p["sigma"] ** 2 + Y
        return r, u, respond(r, u)

    def f(self, Y: np.ndarray, **p: float) -> np.ndarray:
        """Y⁺."""
        r, _, R = self._response(Y, p)
        F, n = self.target_rule.factor(p), Y.shape[1]
        pull = p["alpha"] * (r @ cross_target(self.target_rule, p).T) + p["beta"] * (r @ F) @ F.T
        return np.asarray((1.0 + p["beta"]) * Y + (p["alpha"] * ((r @ r.T) * self.stage.weights(p)) @ R - pull) / n)

    def jvp(self, Y: np.ndarray, V: np.ndarray, **p: float) -> np.ndarray:
        """The derivative of Y⁺ in the direction V."""
        r, u, _ = self._response(Y, p)
        pushed = ((r @ r.T) * self.stage.weights(p)) @ (response_gain(r, u) * V)
        return np.asarray((1.0 + p["beta"]) * V - (p["alpha"] / Y.shape[1]) * pushed)

    def jacobian(self, Y: np.ndarray, **p: float) -> np.ndarray:
        """The dense Jacobian on the flattened state, (m n, m n)."""
        r, u, _ = self._response(Y, p)
        m, n = r.shape
        J, neurons = np.zeros((m, n, m, n)), np.arange(n)
        gram = (r @ r.T) * self.stage.weights(p)
        J[:, neurons, :, neurons] = -(p["alpha"] / n) * gram * response_gain(r, u).T[:, None, :]
        J.reshape(-1)[:: m * n + 1] += 1.0 + p["beta"]
        return J.reshape(m * n, m * n)

    def parameter_derivative(self, Y: np.ndarray, name: str, **p: float) -> np.ndarray:
        """∂Y⁺/∂name at fixed Y."""
        r, u, R = self._response(Y, p)
        F, n, w = self.target_rule.factor(p), Y.shape[1], self.stage.weights(p)
        cross = cross_target(self.target_rule, p)
        if name == "alpha":
            return np.asarray((((r @ r.T) * w) @ R - r @ cross.T) / n)
        if name == "beta":
            return np.asarray(Y - (r @ F) @ F.T / n)
        if name == "probability":
            return np.asarray((p["alpha"] / n) * ((r @ r.T) * self.stage.slope) @ R)
        dr = self.stimuli.rate(p, name)
        dR = divide_where_driven(dr, u, r)
        if name == "sigma":
            dR = -2.0 * p["sigma"] * response_gain(r, u)
        dF = self.target_rule.rate(p, name)
        moved = F[:, : dF.shape[1]] @ dF.T
        push = ((dr @ r.T + r @ dr.T) * w) @ R + ((r @ r.T) * w) @ dR
        push -= dr @ cross.T + r @ _cross_target_rate(self.target_rule, p, name).T
        return np.asarray((p["alpha"] * push - p["beta"] * (dr @ F @ F.T + r @ (moved + moved.T))) / n)

    def domain(self, Y: np.ndarray, **p: float) -> np.ndarray:
        """The denominators of neurons that the stimuli drive."""
        r, u, _ = self._response(Y, p)
        return margins(u.ravel(), r.ravel())

    def borders(self, Y: np.ndarray, **p: float) -> np.ndarray:
        """The input currents of the stimuli: drives are once differentiable where one is 0."""
        x = self.stimuli.at(p).current
        return np.empty(0) if x is None else x.ravel()
