"""Curves of special points in two parameters, as minimally augmented systems.

To f^k(x; p) − x = 0 come equations that hold where J = (f^k)' has critical multipliers. With borders V and W that are
near its right and left critical vectors,

    ┌ J − τI  W ┐ ┌ Φ ┐   ┌ 0 ┐
    │           │ │   │ = │   │        fold τ = +1, flip τ = −1: S = 0, one equation
    └  Vᵀ     0 ┘ └ S ┘   └ I ┘

    ┌ J² − 2κJ + I  W ┐ ┌ Φ ┐   ┌ 0 ┐
    │                 │ │   │ = │   │  Neimark–Sacker, κ = cos θ one more unknown: S = 0, 2 × 2, of which two
    └  Vᵀ           0 ┘ └ S ┘   └ I ┘  combinations are independent

and along any direction S' solves the same system with right-hand side (−A'Φ, 0): no determinant is differenced, no
bialternate product formed, no gradient by the state needed (Govaerts, Numerical Methods for Bifurcations of Dynamical
Equilibria, SIAM 2000, sections 4.1 to 4.3; Kuznetsov & Meijer, Numerical Bifurcation Analysis of Maps, Cambridge 2019,
section 5.3). Both are regular at cusps and strong resonances; where |κ| > 1 the points are neutral saddles, with a
real pair λ, 1/λ, and no bifurcation. A structured Jacobian is replaced by its core operator, which has the same
multipliers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Evaluation, Linearisation
from bifurcate.curves.minimally_augmented.borders import placeholder_rows
from bifurcate.linalg.bordered_system import Bordered, Krylov, bordered
from bifurcate.linalg.operators import Operator, shifted
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.jacobian_slopes import (
    JacobianChain,
    JacobianSlopes,
    has_jacobian_slopes,
    jacobian_chain,
    jacobian_slopes,
)

__all__ = ["AugmentedEquations", "AugmentedEvaluation"]

Vector = NDArray[np.float64]
Slopes = Callable[[Vector], Vector]

VANISHES = 1e-7  # what an entry of S may be on the curve: a defective pair of multipliers is known to √rounding only


@dataclass(frozen=True, eq=False)
class AugmentedEvaluation(Evaluation):
    """The equations of a curve of special points, evaluated, with what was computed on the way.

    Attributes
    ----------
    jacobian : Operator
        J, the Jacobian of f^k.
    system : Bordered
        Of J − τI or J² − 2κJ + I.
    Phi : ndarray, shape (m, j)
        The near-critical vectors, in the coordinates of J's core operator.
    S : ndarray, shape (j, j)
    unit : float
        What S is measured in: larger than 1 where its matrix is large.
    slopes : callable, optional
        The derivatives of J by all unknowns, where the map is so small that they are worth their cost.
    """

    jacobian: Operator
    system: Bordered
    Phi: Vector
    S: Vector
    unit: float = 1.0
    slopes: Callable[[], JacobianSlopes] | None = None

    @cached_property
    def bends(self) -> JacobianSlopes | None:
        """The derivatives of J by all unknowns, computed once; None where only those along few directions are known."""
        return None if self.slopes is None else self.slopes()

    @property
    def defect_vanishes(self) -> bool:
        """True if all of S vanishes (to 1e-7 of its unit), not only the combinations that are solved for."""
        return len(self.S) == 1 or bool(np.abs(self.S).max() <= VANISHES * self.unit)


@dataclass(frozen=True, eq=False)
class AugmentedEquations:
    """What minimally augmented systems share.

    Attributes
    ----------
    iterate : IteratedMap
        f^k.
    fixed : mapping of str to float
        The parameters that are not free.
    free : tuple of str
        Names of the two free ones.
    V, W : ndarray, shape (m, j)
        Borders near the right and left critical vectors, in the coordinates of J's core operator.
    rows : ndarray, shape (j, n + k), or None
        Placeholders for the further equations; random ones until the first adapted ones are known.
    krylov : Krylov
        How systems of matrix-free operators are solved.
    """

    iterate: IteratedMap
    fixed: Mapping[str, float]
    free: tuple[str, ...]
    V: Vector
    W: Vector
    rows: Vector | None = None
    krylov: Krylov = field(default_factory=Krylov)

    @property
    def codimension(self) -> int:
        """1: the points of the curve are special points."""
        return 1

    @property
    def hold_everywhere(self) -> bool:
        """False: the borders fit near one point only."""
        return False

    def _linearisation(self, at: AugmentedEvaluation, beside: list[Vector], slopes: Slopes, more: int) -> Linearisation:
        n = self.iterate.size
        if at.bends is not None:
            gradients, B = self._gradients(at, at.bends), np.column_stack([at.bends.by_parameters, *beside])
            return Linearisation(at.jacobian, shifted(at.jacobian, 1.0), B, gradients[:, :n], gradients[:, n:])
        columns = [self.iterate.parameter_derivative(at.orbit, at.parameters, name) for name in self.free]
        B = np.column_stack(columns + beside)
        rows = self.rows
        if rows is None:
            rows = placeholder_rows(more, at.u, n, self.iterate.map.scale)
        return Linearisation(at.jacobian, shifted(at.jacobian, 1.0), B, rows[:, :n], rows[:, n:], slopes)

    def _gradients(self, at: AugmentedEvaluation, bends: JacobianSlopes) -> Vector:
        """The derivatives of the further equations by all unknowns, shape (k − 1, n + k)."""
        raise NotImplementedError

    def _slopes_of_S(self, at: AugmentedEvaluation, changes: Vector) -> Vector:
        """S' for changes A'Φ along several directions, shape (d, n, j): all of them by one solve; shape (d, j, j)."""
        d, n, j = changes.shape
        _, S = at.system.solve(-changes.transpose(1, 0, 2).reshape(n, d * j), np.zeros((j, d * j)))
        return S.reshape(j, d, j).transpose(1, 0, 2)

    def _moved(self, at: AugmentedEvaluation, columns: Vector, z: Vector) -> Vector:
        """How J's core operator applied to columns changes along z."""
        n = self.iterate.size
        dp = dict(zip(self.free, z[n:].tolist()))
        return self.iterate.jacobian_derivative(at.u[:n], columns, z[:n], dp, at.parameters)

    def _evaluate(self, u: Vector, equations: int) -> Evaluation:
        """The equations of the cycle; what comes further is NaN so far."""
        n = self.iterate.size
        p = {**self.fixed, **dict(zip(self.free, u[n:].tolist()))}
        orbit = self.iterate.orbit(u[:n], p)
        residual = np.append(orbit[-1] - u[:n], np.full(equations, np.nan))
        return Evaluation(u, orbit, p, residual, self.iterate.margin(orbit, p))

    def _jacobian(self, at: Evaluation) -> tuple[Operator, JacobianChain | None]:
        """The Jacobian of f^k, and those along the orbit where their slopes will be asked for."""
        is_small = has_jacobian_slopes(self.iterate)
        chain = jacobian_chain(self.iterate, at.orbit, at.parameters) if is_small else None
        if chain is None:
            return self.iterate.jacobian(at.orbit, at.parameters), None
        return chain.products[-1], chain

    def _augmented(
        self,
        plain: Evaluation,
        jacobian: Operator,
        A: Operator,
        W: Vector,
        chain: JacobianChain | None,
        unit: float = 1.0,
    ) -> AugmentedEvaluation:
        j, slopes = self.V.shape[1], None
        if chain is not None:
            slopes = partial(jacobian_slopes, self.iterate, plain.orbit, plain.parameters, self.free, chain)
        system = bordered(A, W, self.V.T, np.zeros((j, j)), krylov=self.krylov)
        Phi, S = system.solve(np.zeros_like(self.V), np.eye(j))
        return AugmentedEvaluation(
            plain.u, plain.orbit, plain.parameters, plain.residual, plain.margin, jacobian, system, Phi, S, unit, slopes
        )
