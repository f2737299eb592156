"""The same rule in n unknowns: under one constant stimulus y = W r/n obeys a map of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.adaptation.kernels import divide_where_driven, respond, response_gain
from bifurcate.adaptation.maps.plain_formulas import plain_reduction
from bifurcate.adaptation.maps.weight_update import core, margins
from bifurcate.adaptation.stimuli.drive import Drives, Stimulus
from bifurcate.adaptation.stimuli.target import Target
from bifurcate.errors import InvalidInput
from bifurcate.linalg.operators import DiagonalLowRank, apply

__all__ = ["Reduction"]


@dataclass(frozen=True, eq=False)
class Reduction:
    """y⁺ = (1+β) y + (α/n) R (R·r) − ((α+β)/n) C r, with R = r/(σ² + y), and all its derivatives.

    Multiply W⁺ = (1+β) W + α R Rᵀ − (α+β) C by r/n from the right: R depends on W through y = W r/n alone, so the
    equation closes (test_reduction_closes). Everything here costs O(n m) for a target of m columns, C = F Fᵀ. The
    Jacobian

        (1+β) I − (α/n) [(R·r) diag(R²/r) + R (R²)ᵀ]

    is diagonal plus rank one; scaling by sqrt(R²/R) makes its bracket symmetric, and positive definite where r, R > 0:
    the multipliers are real and at most 1+β (test_multipliers_are_real_interlace_and_match_the_core).

    Attributes
    ----------
    stimuli : GivenDrives or TunedDrives
    target_rule : Target
    """

    stimuli: Drives
    target_rule: Target

    def _response(self, y: np.ndarray, p: dict[str, float]) -> tuple[Stimulus, np.ndarray, np.ndarray]:
        stimulus = self.stimuli.at(p)
        u = p["sigma"] ** 2 + y
        return stimulus, u, respond(stimulus.drive, u)

    def f(self, y: np.ndarray, **p: float) -> np.ndarray:
        """y⁺."""
        stimulus, _, R = self._response(y, p)
        if y.shape != stimulus.drive.shape:
            raise InvalidInput(f"the state has shape {y.shape}; W r/n has shape {stimulus.drive.shape}")
        r, F = stimulus.drive, self.target_rule.factor(p)
        pull = (p["alpha"] + p["beta"]) * (F @ (F.T @ r))
        return np.asarray((1.0 + p["beta"]) * y + (p["alpha"] * R * (R @ r) - pull) / len(r))

    def exact(self, y: np.ndarray, **p: Any) -> np.ndarray:
        """y⁺ as a plain formula on numbers of any kind, for proofs."""
        return plain_reduction(self.stimuli, self.target_rule, y, p)

    def jvp(self, y: np.ndarray, v: np.ndarray, **p: float) -> np.ndarray:
        """The derivative of y⁺ in the direction v."""
        return apply(self.jacobian(y, **p), v)

    def jacobian(self, y: np.ndarray, **p: float) -> DiagonalLowRank:
        """Diagonal plus rank one."""
        stimulus, u, R = self._response(y, p)
        change = core(p, R, response_gain(stimulus.drive, u), stimulus.drive)
        return DiagonalLowRank(1.0 + p["beta"] + change.diagonal, change.left, change.right)

    def parameter_derivative(self, y: np.ndarray, name: str, **p: float) -> np.ndarray:
        """∂y⁺/∂name at fixed y: dR = −2σ g for σ, dr/u for a parameter of the stimulus, and C moves with σ and b."""
        stimulus, u, R = self._response(y, p)
        r, n, F = stimulus.drive, len(y), self.target_rule.factor(p)
        if name == "alpha":
            return np.asarray((R * (R @ r) - F @ (F.T @ r)) / n)
        if name == "beta":
            return np.asarray(y - F @ (F.T @ r) / n)
        dr = np.zeros(n) if name == "sigma" else self.stimuli.rate(p, name)
        dR = -2.0 * p["sigma"] * response_gain(r, u) if name == "sigma" else divide_where_driven(dr, u, r)
        dF = self.target_rule.rate(p, name)
        moved = F[:, : dF.shape[1]]
        pull = dF @ (moved.T @ r) + moved @ (dF.T @ r) + F @ (F.T @ dr)
        push = dR * (R @ r) + R * (dR @ r + R @ dr)
        return np.asarray((p["alpha"] * push - (p["alpha"] + p["beta"]) * pull) / n)

    def domain(self, y: np.ndarray, **p: float) -> np.ndarray:
        """The denominators of driven neurons."""
        return margins(p["sigma"] ** 2 + y, self.stimuli.at(p).drive)

    def borders(self, y: np.ndarray, **p: float) -> np.ndarray:
        """The input currents: the drive is once differentiable where one is 0."""
        x = self.stimuli.at(p).current
        return np.empty(0) if x is None else x
