"""Minimally augmented systems for curves of Neimark–Sacker points: J² − 2κJ + I singular, κ = cos θ.

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
from bifurcate.linalg.operators import apply, core_operator, quadratic
from bifurcate.maps.jacobian_slopes import JacobianSlopes

__all__ = ["MinimallyAugmentedNeimarkSacker"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MinimallyAugmentedNeimarkSacker(AugmentedEquations):
    """Cycles with a pair of multipliers of product 1 and sum 2κ, in two parameters: n + 2 equations, n + 3 unknowns."""

    extra: tuple[str, ...] = ("cosine",)
    combine: Vector | None = None  # (2, 4): the two combinations of S's entries

    def evaluate(self, u: Vector) -> Evaluation:
        """Residual and domain margin at u = (x, p, κ): k evaluations of f, one Jacobian, one bordered solve."""
        at = self._evaluate(u, 2)
        if not at.margin > 0:
            return at
        J, chain = self._jacobian(at)
        kappa = float(u[-1])
        # Along neutral saddles J² grows as κ² does, and S, with its rounding, as J².
        augmented = self._augmented(at, J, quadratic(core_operator(J), kappa), self.W, chain, max(1.0, kappa**2))
        augmented.residual[-2:] = self._weight(augmented) * (self._combine @ augmented.S.ravel())
        return augmented

    def _weight(self, at: AugmentedEvaluation) -> float:
        """What makes residuals of S, in units of the state."""
        return self.iterate.map.scale / at.unit

    @property
    def _combine(self) -> Vector:
        if self.combine is not None:
            return self.combine
        return np.linalg.qr(np.random.default_rng(0).standard_normal((4, 2)))[0].T

    def linearise(self, at: Evaluation) -> Linearisation:
        """Derivative at an evaluated u."""
        assert isinstance(at, AugmentedEvaluation)

        def slopes(z: Vector) -> Vector:
            return np.asarray(self._weight(at) * (self._combine @ self._rate(at, z)))

        return self._linearisation(at, [np.zeros(self.iterate.size)], slopes, 2)

    def _rate(self, at: AugmentedEvaluation, z: Vector) -> Vector:
        """S' along z = (dx, dp, dκ), from (J² − 2κJ + I)'Φ = J'(JΦ) + J(J'Φ) − 2κ J'Φ − 2κ' JΦ."""
        E, kappa = core_operator(at.jacobian), float(at.u[-1])
        through = apply(E, at.Phi)
        bend = self._moved(at, np.hstack([at.Phi, through]), z)
        rate = bend[:, 2:] + apply(E, bend[:, :2]) - 2.0 * kappa * bend[:, :2] - 2.0 * z[-1] * through
        return at.system.solve(-rate, np.zeros((2, 2)))[1].ravel()

    def _gradients(self, at: AugmentedEvaluation, bends: JacobianSlopes) -> Vector:
        return np.asarray(self._weight(at) * (self._combine @ self._rates(at, bends)))

    def _rates(self, at: AugmentedEvaluation, bends: JacobianSlopes) -> Vector:
        """S' along every unknown, shape (4, n + 3); see :meth:`_rate`."""
        J, kappa = core_operator(at.jacobian), float(at.u[-1])
        through = apply(J, at.Phi)
        first, second = bends.along @ at.Phi, bends.along @ through
        changes = second + apply(J, first) - 2.0 * kappa * first
        return self._slopes_of_S(at, np.concatenate([changes, -2.0 * through[None]])).reshape(-1, 4).T

    def adapted(self, at: Evaluation, kernel: Vector, rows: Vector) -> MinimallyAugmentedNeimarkSacker:
        """The same equations with borders, placeholder rows and combinations of S taken from u."""
        assert isinstance(at, AugmentedEvaluation)
        A = quadratic(core_operator(at.jacobian), float(at.u[-1]))
        V, W = adapted_borders(A, at.Phi, self.krylov, self.W)
        moved = dataclasses.replace(self, V=V, W=W, rows=rows)
        again = moved._augmented(at, at.jacobian, A, W, None, at.unit)
        if at.bends is not None:
            slopes = moved._rates(again, at.bends) @ kernel
        else:
            slopes = np.column_stack([moved._rate(again, z) for z in kernel.T])
        left = np.linalg.svd(slopes)[0]
        return dataclasses.replace(moved, combine=left[:, :2].T)
