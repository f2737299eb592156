"""Minimally augmented systems for curves of folds and of flips: J − τI singular, τ = +1 or −1.

The systems are drawn in ``augmented_system``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Evaluation, Linearisation
from bifurcate.curves.minimally_augmented.augmented_system import AugmentedEquations, AugmentedEvaluation
from bifurcate.curves.minimally_augmented.borders import adapted_borders
from bifurcate.linalg.operators import core_operator, shifted
from bifurcate.maps.jacobian_slopes import JacobianSlopes

__all__ = ["MinimallyAugmentedFoldFlip"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MinimallyAugmentedFoldFlip(AugmentedEquations):
    """Cycles with the multiplier +1 (folds) or −1 (flips), in two parameters: n + 1 equations, n + 2 unknowns.

    Where j multipliers meet the target together by a symmetry that the curve keeps, S is a multiple of WᵀV, and that
    multiple the one equation.
    """

    target: float = 1.0
    extra: tuple[str, ...] = ()

    def evaluate(self, u: Vector) -> Evaluation:
        """Residual and domain margin at u: k evaluations of f, one Jacobian, one bordered solve."""
        at = self._evaluate(u, 1)
        if not at.margin > 0:
            return at
        J, chain = self._jacobian(at)
        augmented = self._augmented(at, J, shifted(core_operator(J), self.target), self.W, chain)
        augmented.residual[-1] = self._equation(augmented.S)
        return augmented

    def _equation(self, S: Vector) -> float:
        j = len(S)
        multiple = S[0, 0] if j == 1 else np.trace(np.linalg.solve(self.W.T @ self.V, S)) / j
        return float(self.iterate.map.scale * multiple)

    def linearise(self, at: Evaluation) -> Linearisation:
        """Derivative at an evaluated u; every slope costs one difference of Jacobians along its direction."""
        assert isinstance(at, AugmentedEvaluation)
        j = len(at.S)

        def slopes(z: Vector) -> Vector:
            _, S = at.system.solve(-self._moved(at, at.Phi, z), np.zeros((j, j)))
            return np.array([self._equation(S)])

        return self._linearisation(at, [], slopes, 1)

    def _gradients(self, at: AugmentedEvaluation, bends: JacobianSlopes) -> Vector:
        return np.array([[self._equation(S) for S in self._slopes_of_S(at, bends.along @ at.Phi)]])

    def adapted(self, at: Evaluation, kernel: Vector, rows: Vector) -> MinimallyAugmentedFoldFlip:
        """The same equations with borders and placeholder rows taken from u."""
        assert isinstance(at, AugmentedEvaluation)
        V, W = adapted_borders(shifted(core_operator(at.jacobian), self.target), at.Phi, self.krylov, self.W)
        return dataclasses.replace(self, V=V, W=W, rows=rows)
