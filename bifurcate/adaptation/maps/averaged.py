"""One update averaged over stimuli, of all weights and in its exact reduction to the products that these stimuli see.

With members q of a stage, weights w_q and Y = W [r¹ … rᵐ]/n of rows yˢ,

    R^q = r^q/(σ² + y^q)
    W⁺  = (1+β) W  + α Σ_q w_q R^q R^qᵀ − (α+β) C
    yˢ⁺ = (1+β) yˢ + (α/n) Σ_q w_q R^q (R^q·rˢ) − ((α+β)/n) C rˢ

W enters the sum through the y^q alone, so that Y closes: n m unknowns for n². One stimulus of weight 1 is the rule
itself, which is how a protocol that shows its stimuli in turn is put together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import LinearOperator

from bifurcate.adaptation.kernels import add_outer_product, divide_where_driven, respond, response_gain
from bifurcate.adaptation.maps.weight_update import margins
from bifurcate.adaptation.stimuli.stimulus_set import Stage, StimulusDrives, StimulusSet
from bifurcate.adaptation.stimuli.target import Target
from bifurcate.linalg.operators import ShiftedLowRank, shifted

__all__ = ["AveragedReduction", "AveragedUpdate"]


@dataclass(frozen=True, eq=False)
class AveragedReduction:
    """Y ↦ Y⁺ on (m, n), and all its derivatives; O(n m²) without the Jacobian, which is dense.

    With δR^q = −g^q δy^q and g = r/u², the block (s, q) of the Jacobian is

        (1+β) δ_sq I − (α w_q/n) [(R^q·rˢ) diag(g^q) + R^q (rˢ g^q)ᵀ].

    Attributes
    ----------
    stimuli : StimulusSet
    target_rule : Target
    stage : Stage
    """

    stimuli: StimulusSet
    target_rule: Target
    stage: Stage

    def _response(
        self, Y: np.ndarray, p: dict[str, float]
    ) -> tuple[StimulusDrives, np.ndarray, np.ndarray, np.ndarray]:
        every, members = self.stimuli.at(p), self.stage.members
        u = p["sigma"] ** 2 + Y[members]
        return every, every.drive[members], u, respond(every.drive[members], u)

    def f(self, Y: np.ndarray, **p: float) -> np.ndarray:
        """Y⁺."""
        every, _, _, R = self._response(Y, p)
        r, F, n = every.drive, self.target_rule.factor(p), Y.shape[1]
        push = (r @ R.T) * self.stage.weights(p) @ R
        return np.asarray((1.0 + p["beta"]) * Y + (p["alpha"] * push - (p["alpha"] + p["beta"]) * (r @ F) @ F.T) / n)

    def jvp(self, Y: np.ndarray, V: np.ndarray, **p: float) -> np.ndarray:
        """The derivative of Y⁺ in the direction V."""
        every, presented, u, R = self._response(Y, p)
        r, w = every.drive, self.stage.weights(p)
        dR = -response_gain(presented, u) * V[self.stage.members]
        push = (r @ dR.T) * w @ R + (r @ R.T) * w @ dR
        return np.asarray((1.0 + p["beta"]) * V + (p["alpha"] / Y.shape[1]) * push)

    def jacobian(self, Y: np.ndarray, **p: float) -> np.ndarray:
        """The dense Jacobian on the flattened state, (m n, m n)."""
        every, presented, u, R = self._response(Y, p)
        r, w, g = every.drive, self.stage.weights(p), response_gain(presented, u)
        m, n = r.shape
        J = np.zeros((m, n, m, n))
        diagonal = np.arange(n)
        for j, q in enumerate(self.stage.members):
            k = -p["alpha"] * w[j] / n
            J[:, :, q, :] = k * R[j][None, :, None] * (r * g[j])[:, None, :]
            J[:, diagonal, q, diagonal] += k * np.multiply.outer(r @ R[j], g[j])
        J.reshape(-1)[:: m * n + 1] += 1.0 + p["beta"]
        return J.reshape(m * n, m * n)

    def parameter_derivative(self, Y: np.ndarray, name: str, **p: float) -> np.ndarray:
        """∂Y⁺/∂name at fixed Y."""
        every, presented, u, R = self._response(Y, p)
        r, F, n, w = every.drive, self.target_rule.factor(p), Y.shape[1], self.stage.weights(p)
        if name == "alpha":
            return np.asarray(((r @ R.T) * w @ R - (r @ F) @ F.T) / n)
        if name == "beta":
            return np.asarray(Y - (r @ F) @ F.T / n)
        if name == "probability":
            return np.asarray((p["alpha"] / n) * ((r @ R.T) * self.stage.slope @ R))
        dr = self.stimuli.rate(p, name)
        dR = divide_where_driven(dr[self.stage.members], u, presented)
        if name == "sigma":
            dR = -2.0 * p["sigma"] * response_gain(presented, u)
        dF = self.target_rule.rate(p, name)
        moved = F[:, : dF.shape[1]]
        push = (dr @ R.T + r @ dR.T) * w @ R + (r @ R.T) * w @ dR
        pull = (dr @ F) @ F.T + (r @ dF) @ moved.T + (r @ moved) @ dF.T
        return np.asarray((p["alpha"] * push - (p["alpha"] + p["beta"]) * pull) / n)

    def domain(self, Y: np.ndarray, **p: float) -> np.ndarray:
        """The denominators of neurons that the stage's stimuli drive."""
        _, presented, u, _ = self._response(Y, p)
        return margins(u.ravel(), presented.ravel())

    def borders(self, Y: np.ndarray, **p: float) -> np.ndarray:
        """The input currents of the stage's stimuli: drives are once differentiable where one is 0."""
        x = self.stimuli.at(p).current
        return np.empty(0) if x is None else x[self.stage.members].ravel()


@dataclass(frozen=True, eq=False)
class AveragedUpdate:
    """W ↦ W⁺ on (n, n), and all its derivatives.

    The derivative sees V only through P V = V [r¹ … rᵐ]/n: the Jacobian is (1+β) I + L P, and its multipliers are
    1+β, n(n−m) times, and those of the reduction. Among these 1+β counts m(m−1)/2 times more: W⁺ − W⁺ᵀ = (1+β)(W − Wᵀ),
    of which the stimuli see rˢ·y^q − r^q·yˢ. With the clip there is no structure left.

    Attributes
    ----------
    stimuli : StimulusSet
    target_rule : Target
    stage : Stage
    clip : bool
    """

    stimuli: StimulusSet
    target_rule: Target
    stage: Stage
    clip: bool = False

    def _response(self, W: np.ndarray, p: dict[str, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        r = self.stimuli.at(p).drive[self.stage.members]
        u = p["sigma"] ** 2 + r @ W.T / len(W)
        return r, u, respond(r, u)

    def _sum(self, start: np.ndarray, *pairs: tuple[float, np.ndarray, np.ndarray]) -> np.ndarray:
        """Start + Σ k U Vᵀ, for factors of shape (n, j), as one product."""
        out = np.ascontiguousarray(start)
        add_outer_product(out, np.hstack([k * U for k, U, _ in pairs]), np.hstack([V for _, _, V in pairs]))
        return out

    def unclipped(self, W: np.ndarray, p: dict[str, float]) -> np.ndarray:
        """W⁺ before the clip."""
        _, _, R = self._response(W, p)
        F, w = self.target_rule.factor(p), self.stage.weights(p)
        start = np.multiply(W, 1.0 + p["beta"], order="C")
        return self._sum(start, (p["alpha"], R.T * w, R.T), (-(p["alpha"] + p["beta"]), F, F))

    def _clipped_away(self, W: np.ndarray, out: np.ndarray, p: dict[str, float]) -> np.ndarray:
        if self.clip:
            out[self.unclipped(W, p) <= 0.0] = 0.0
        return out

    def f(self, W: np.ndarray, **p: float) -> np.ndarray:
        """W⁺."""
        out = self.unclipped(W, p)
        return np.maximum(out, 0.0, out=out) if self.clip else out

    def jvp(self, W: np.ndarray, V: np.ndarray, **p: float) -> np.ndarray:
        """The derivative of W⁺ in the direction V."""
        r, u, R = self._response(W, p)
        w = self.stage.weights(p)
        dR = -response_gain(r, u) * (r @ V.T) / len(W)
        start = np.multiply(V, 1.0 + p["beta"], order="C")
        out = self._sum(start, (p["alpha"], dR.T * w, R.T), (p["alpha"], R.T * w, dR.T))
        return self._clipped_away(W, out, p)

    def jacobian(self, W: np.ndarray, **p: float) -> ShiftedLowRank:
        """(1+β) I + L P on flattened weights."""
        return self.jacobian_at(self.stimuli.at(p).drive @ W.T / len(W), p)

    def jacobian_at(self, Y: np.ndarray, p: dict[str, float]) -> ShiftedLowRank:
        """The same from Y = W [r¹ … rᵐ]/n, through which alone it depends on W."""
        every, members, w = self.stimuli.at(p), self.stage.members, self.stage.weights(p)
        m, n = every.drive.shape
        r, u = every.drive[members], p["sigma"] ** 2 + Y[members]
        R, g = respond(r, u), response_gain(r, u)

        def lift(dY: np.ndarray) -> np.ndarray:
            q = (-p["alpha"] * w)[:, None] * g * dY.reshape(m, n)[members]
            half = q.T @ R
            return np.asarray((half + half.T).ravel())

        def lift_adjoint(X: np.ndarray) -> np.ndarray:
            X = X.reshape(n, n)
            out = np.zeros((m, n), dtype=X.dtype)
            out[members] = (-p["alpha"] * w)[:, None] * g * (R @ (X + X.T))
            return out.ravel()

        L = LinearOperator((n * n, m * n), matvec=lift, rmatvec=lift_adjoint, dtype=float)
        inner = AveragedReduction(self.stimuli, self.target_rule, self.stage).jacobian(Y, **p)
        core = np.asarray(shifted(inner, 1.0 + p["beta"]))
        return ShiftedLowRank(1.0 + p["beta"], L, every.project, core, every.projection_key)

    def parameter_derivative(self, W: np.ndarray, name: str, **p: float) -> np.ndarray:
        """∂W⁺/∂name; α gives Σ w R Rᵀ − C, β gives W − C, and all others act through R and F."""
        r, u, R = self._response(W, p)
        F, w, alpha = self.target_rule.factor(p), self.stage.weights(p), p["alpha"]
        if name == "alpha":
            out = self._sum(np.zeros_like(W), (1.0, R.T * w, R.T), (-1.0, F, F))
        elif name == "beta":
            out = self._sum(np.array(W), (-1.0, F, F))
        elif name == "probability":
            out = self._sum(np.zeros_like(W), (alpha, R.T * self.stage.slope, R.T))
        else:
            dr = self.stimuli.rate(p, name)[self.stage.members]
            dR = divide_where_driven(dr - R * (dr @ W.T) / len(W), u, r)
            if name == "sigma":
                dR = -2.0 * p["sigma"] * response_gain(r, u)
            dF = self.target_rule.rate(p, name)
            moved, down = F[:, : dF.shape[1]], -(alpha + p["beta"])
            of_responses = (alpha, dR.T * w, R.T), (alpha, R.T * w, dR.T)
            out = self._sum(np.zeros_like(W), *of_responses, (down, dF, moved), (down, moved, dF))
        return self._clipped_away(W, out, p)

    def domain(self, W: np.ndarray, **p: float) -> np.ndarray:
        """The denominators of neurons that the stage's stimuli drive."""
        r = self.stimuli.at(p).drive[self.stage.members]
        return margins((p["sigma"] ** 2 + r @ W.T / len(W)).ravel(), r.ravel())

    def borders(self, W: np.ndarray, **p: float) -> np.ndarray:
        """The input currents of the stage's stimuli; with the clip, also the least entry of W⁺ before it."""
        x = self.stimuli.at(p).current
        parts = [] if x is None else [x[self.stage.members].ravel()]
        return np.concatenate([*parts, [self.unclipped(W, p).min()]] if self.clip else [*parts, np.empty(0)])
