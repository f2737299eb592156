"""Curves of branch points in two or three parameters.

At a branch point [H_x H_p], p the first free parameter, has a kernel of two dimensions. With borders T near that kernel
and W near the left null vector,

    ┌ H_x  H_p  W ┐ ┌ U ┐   ┌ 0 ┐
    │             │ │   │ = │   │        H(x; p) + W μ = 0 and m = 0, n + 2 equations
    └  Tₓᵀ  Tₚᵀ 0 ┘ └ m ┘   └ I ┘

(Kuznetsov, Elements of Applied Bifurcation Theory, 2004, section 10.3; Govaerts 2000, section 4.3.4). Branch points
of a map without symmetry are isolated in two parameters: μ, the unfolding, is the unknown that keeps the system
regular, and the points are the map's only as long as it is 0, which is where a symmetry or an invariant subspace holds
them. With a third free parameter it is left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Evaluation, Linearisation
from bifurcate.curves.minimally_augmented.borders import adapted_borders, placeholder_rows
from bifurcate.linalg.bordered_system import Bordered, Krylov, bordered
from bifurcate.linalg.null_space import polar_factor
from bifurcate.linalg.operators import Operator, shifted
from bifurcate.maps.iterated_map import IteratedMap

__all__ = ["MinimallyAugmentedBranchPoint"]


@dataclass(frozen=True, eq=False)
class _Crossing(Evaluation):
    jacobian: Operator
    system: Bordered
    U: NDArray[np.float64]  # (n + 1, 2)


@dataclass(frozen=True, eq=False)
class MinimallyAugmentedBranchPoint:
    """Branch points with respect to the first free parameter: n + 2 equations, n + 3 unknowns."""

    iterate: IteratedMap
    fixed: Mapping[str, float]
    free: tuple[str, ...]
    T: NDArray[np.float64]
    W: NDArray[np.float64]
    rows: NDArray[np.float64] | None = None
    krylov: Krylov = field(default_factory=Krylov)

    @property
    def extra(self) -> tuple[str, ...]:
        """The unfolding, unless there are three free parameters."""
        return ("unfolding",) if len(self.free) == 2 else ()

    @property
    def codimension(self) -> int:
        """1: the points of the curve are special points."""
        return 1

    @property
    def hold_everywhere(self) -> bool:
        """False: the borders fit near one point only."""
        return False

    def evaluate(self, u: NDArray[np.float64]) -> Evaluation:
        """Residual and domain margin at u = (x, p, μ): k evaluations of f, one Jacobian, one bordered solve."""
        n = self.iterate.size
        p = {**self.fixed, **dict(zip(self.free, u[n:].tolist()))}
        orbit = self.iterate.orbit(u[:n], p)
        margin = self.iterate.margin(orbit, p)
        H = orbit[-1] - u[:n] + (self.W[:, 0] * u[-1] if self.extra else 0.0)
        if not margin > 0:
            return Evaluation(u, orbit, p, np.append(H, [np.nan, np.nan]), margin)
        J = self.iterate.jacobian(orbit, p)
        push = self.iterate.parameter_derivative(orbit, p, self.free[0])
        D = np.hstack([self.T[n:].T, np.zeros((2, 1))])
        system = bordered(shifted(J, 1.0), np.column_stack([push, self.W]), self.T[:n].T, D, krylov=self.krylov)
        x, y = system.solve(np.zeros((n, 2)), np.eye(2))
        residual = np.concatenate([H, self.iterate.map.scale * y[1]])
        return _Crossing(u, orbit, p, residual, margin, J, system, np.vstack([x, y[:1]]))

    def linearise(self, at: Evaluation) -> Linearisation:
        """Derivative at an evaluated u; every slope costs one difference of Jacobians and of parameter derivatives."""
        assert isinstance(at, _Crossing)
        n = self.iterate.size
        columns = [self.iterate.parameter_derivative(at.orbit, at.parameters, name) for name in self.free]
        B = np.column_stack(columns + ([self.W[:, 0]] if self.extra else []))
        rows = self.rows
        if rows is None:
            rows = placeholder_rows(2, at.u, n, self.iterate.map.scale)

        def slopes(z: NDArray[np.float64]) -> NDArray[np.float64]:
            dp = dict(zip(self.free, z[n:].tolist()))
            change = self.iterate.jacobian_derivative(
                at.u[:n], at.U[:n], z[:n], dp, at.parameters, (self.free[0], at.U[n])
            )
            slope: NDArray[np.float64] = self.iterate.map.scale * at.system.solve(-change, np.zeros((2, 2)))[1][1]
            return slope

        return Linearisation(at.jacobian, shifted(at.jacobian, 1.0), B, rows[:, :n], rows[:, n:], slopes)

    def adapted(
        self, at: Evaluation, kernel: NDArray[np.float64], rows: NDArray[np.float64]
    ) -> MinimallyAugmentedBranchPoint:
        """The same equations with borders and placeholder rows taken from u."""
        assert isinstance(at, _Crossing)
        n = self.iterate.size
        straight = np.linalg.svd(at.U[n:])[2][-1]  # the combination that leaves the parameter alone
        _, W = adapted_borders(shifted(at.jacobian, 1.0), at.U[:n] @ straight[:, None], self.krylov, self.W)
        return dataclasses.replace(self, T=polar_factor(at.U), W=W, rows=rows)
