"""The update of all n² weights under one constant stimulus, as a Map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from bifurcate.adaptation.kernels import (
    add_outer_product,
    divide_where_driven,
    multiply_weights,
    outer_product,
    respond,
    response_gain,
    stack_columns,
)
from bifurcate.adaptation.maps.plain_formulas import plain_update
from bifurcate.adaptation.stimuli.drive import Drives, Stimulus
from bifurcate.adaptation.stimuli.target import Target
from bifurcate.errors import InvalidInput
from bifurcate.linalg.operators import DiagonalLowRank, ShiftedLowRank

__all__ = ["Update", "core", "margins"]


def core(p: dict[str, float], R: np.ndarray, g: np.ndarray, r: np.ndarray) -> DiagonalLowRank:
    """What the Jacobian in y = W r/n has beside (1 + β) I: −(α/n) [(R·r) diag(g) + R (R²)ᵀ], with g = R²/r.

    From y⁺ = (1+β) y + (α/n) R (R·r) − …, where δR = −g δy and g r = R².
    """
    k = -p["alpha"] / len(r)
    return DiagonalLowRank(k * (R @ r) * g, (k * R)[:, None], (R * R)[:, None])


def margins(u: np.ndarray, r: np.ndarray) -> np.ndarray:
    """The denominators that count: those of neurons that are driven. A silent neuron's may have any sign."""
    if r.min() > 0.0:
        return u
    driven = u[r > 0.0]
    return driven if len(driven) else np.ones(1)


@dataclass(frozen=True, eq=False)
class Update:
    """W⁺ = (1+β) W + α R Rᵀ − (α+β) C, with R = r/(σ² + W r/n) and C = F Fᵀ, and all its derivatives.

    One update costs one reading of W (for W r) and two more passes over n² numbers: W⁺ is filled with (1+β) W, then all
    products are added to it in place by one call to BLAS. A directional derivative costs one reading more.

    A continuation step of q Newton iterations asks q + 1 times for W⁺ (3 passes), the domain's margins (1), the
    Jacobian (1), the derivative by α (2), two products with P (1 each), one with L (1) and one with Lᵀ (2):
    12 (q + 1) passes, the tangent included, and one more product with P and one with L tell how exact the new point is.
    Multipliers and their counts cost none.

    The derivative in the direction V is (1+β) V + α (δR Rᵀ + R δRᵀ) with δR = −g (V r/n) and g = r/u². It sees V only
    through P V = V r/n, so that the Jacobian is (1+β) I + L P with the lift L δy = −α [(g δy) Rᵀ + R (g δy)ᵀ]
    (test_jacobian_jvp_and_differences_agree). Its multipliers are 1+β, n(n−1) times, and those of (1+β) I + P L, which
    is n × n and diagonal plus rank one (test_full_spectrum_with_its_multiplicity). On symmetric weights, which stay
    symmetric, 1+β counts n(n−1)/2 times (test_multiplicity_on_symmetric_weights).

    With the clip, W⁺ = max(·, 0) entry by entry: nothing moves where an entry is clipped, and the Jacobian has no
    structure left.

    Attributes
    ----------
    stimuli : GivenDrives or TunedDrives
    target_rule : Target
    clip : bool
    """

    stimuli: Drives
    target_rule: Target
    clip: bool = False

    def _response(self, W: np.ndarray, p: dict[str, float]) -> tuple[Stimulus, np.ndarray, np.ndarray]:
        stimulus = self.stimuli.at(p)
        u = p["sigma"] ** 2 + W @ stimulus.drive / len(W)
        return stimulus, u, respond(stimulus.drive, u)

    def _unclipped(self, W: np.ndarray, p: dict[str, float]) -> np.ndarray:
        _, _, R = self._response(W, p)
        F = self.target_rule.factor(p)
        out = np.multiply(W, 1.0 + p["beta"], order="C")
        add_outer_product(out, stack_columns(p["alpha"] * R, -(p["alpha"] + p["beta"]) * F), stack_columns(R, F))
        return np.asarray(out)

    def _clipped_away(self, W: np.ndarray, out: np.ndarray, p: dict[str, float]) -> np.ndarray:
        if self.clip:
            out[self._unclipped(W, p) <= 0.0] = 0.0
        return out

    def f(self, W: np.ndarray, **p: float) -> np.ndarray:
        """W⁺."""
        n = self.stimuli.size
        if W.shape != (n, n):
            raise InvalidInput(f"the state has shape {W.shape}; weights have shape {(n, n)}")
        out = self._unclipped(W, p)
        return np.maximum(out, 0.0, out=out) if self.clip else out

    def exact(self, W: np.ndarray, **p: Any) -> np.ndarray:
        """W⁺ as a plain formula on numbers of any kind, for proofs."""
        return plain_update(self.stimuli, self.target_rule, self.clip, W, p)

    def jvp(self, W: np.ndarray, V: np.ndarray, **p: float) -> np.ndarray:
        """The derivative of W⁺ in the direction V."""
        stimulus, u, R = self._response(W, p)
        dR = -response_gain(stimulus.drive, u) * (V @ stimulus.drive) / len(W)
        out = np.multiply(V, 1.0 + p["beta"], order="C")
        add_outer_product(out, p["alpha"] * stack_columns(dR, R), stack_columns(R, dR))
        return self._clipped_away(W, out, p)

    def jacobian(self, W: np.ndarray, **p: float) -> ShiftedLowRank:
        """(1+β) I + L P, on flattened weights; one reading of W."""
        return self.jacobian_at(W @ self.stimuli.at(p).drive / len(W), p)

    def jacobian_at(self, y: np.ndarray, p: dict[str, float]) -> ShiftedLowRank:
        """The same from y = W r/n, through which alone it depends on W."""
        stimulus, n, alpha = self.stimuli.at(p), len(y), p["alpha"]
        u = p["sigma"] ** 2 + y
        R = respond(stimulus.drive, u)
        g = divide_where_driven(R, u, stimulus.drive)

        def lift(dy: np.ndarray) -> np.ndarray:
            q = -alpha * g * dy.ravel()
            return outer_product(stack_columns(q, R), stack_columns(R, q)).ravel()

        def lift_adjoint(X: np.ndarray) -> np.ndarray:
            X = X.reshape(n, n)
            return np.asarray(-alpha * g * (X @ R + R @ X))

        L = LinearOperator((n * n, n), matvec=lift, rmatvec=lift_adjoint, dtype=float)
        return ShiftedLowRank(
            1.0 + p["beta"], L, stimulus.project, core(p, R, g, stimulus.drive), stimulus.projection_key
        )

    def parameter_derivative(self, W: np.ndarray, name: str, **p: float) -> np.ndarray:
        """∂W⁺/∂name.

        α gives R Rᵀ − C and β gives W − C. Every other parameter acts through R and F: on σ, dR = −2σ g; on a parameter
        of the stimulus, dR = (dr − R W dr/n)/u.
        """
        stimulus, u, R = self._response(W, p)
        F = self.target_rule.factor(p)
        if name == "alpha":
            return self._clipped_away(W, outer_product(stack_columns(R, -F), stack_columns(R, F)), p)
        if name == "beta":
            return self._clipped_away(W, W - outer_product(F, F), p)
        if name == "sigma":
            dR = -2.0 * p["sigma"] * response_gain(stimulus.drive, u)
        else:
            dr = self.stimuli.rate(p, name)
            dR = divide_where_driven(dr - R * (W @ dr) / len(W), u, stimulus.drive)
        dF = self.target_rule.rate(p, name)
        F = F[:, : dF.shape[1]]
        down = -(p["alpha"] + p["beta"])
        left = stack_columns(p["alpha"] * dR, p["alpha"] * R, down * dF, down * F)
        return self._clipped_away(W, outer_product(left, stack_columns(R, dR, F, dF)), p)

    def domain(self, W: np.ndarray, **p: float) -> np.ndarray:
        """The denominators of driven neurons: W⁺ has a pole where one is 0."""
        drive = self.stimuli.at(p).drive
        return margins(p["sigma"] ** 2 + multiply_weights(W, drive) / len(W), drive)

    def borders(self, W: np.ndarray, **p: float) -> np.ndarray:
        """The input currents, since the drive has a bend where one is 0; with the clip, also the least entry of W⁺."""
        x = self.stimuli.at(p).current
        parts = [x] if x is not None else []
        return np.concatenate([*parts, [self._unclipped(W, p).min()]] if self.clip else parts)
