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
real pair λ, 1/λ, and no bifurcation. A structured Jacobian is replaced by its essence, as the multipliers are the same.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import scipy.linalg

from bifurcate.curves.curve import Evaluation, Linearisation
from bifurcate.linalg.bordered_system import Bordered, Krylov, bordered
from bifurcate.linalg.operators import Operator, apply, core_operator, quadratic, shifted, transposed
from bifurcate.maps.iterated_map import IteratedMap

__all__ = [
    "AugmentedEvaluation",
    "MinimallyAugmentedFoldFlip",
    "MinimallyAugmentedNeimarkSacker",
    "adapted_borders",
    "polar_factor",
]

Slopes = Callable[[np.ndarray], np.ndarray]

WHOLE = 1e-7  # what an entry of S may be on the curve


@dataclass(frozen=True, eq=False)
class AugmentedEvaluation(Evaluation):
    """The equations of a locus evaluated: J's essence and its bordered system with them.

    Attributes
    ----------
    jacobian : Operator
        J, the Jacobian of f^k.
    system : Bordered
        Of J − τI or J² − 2κJ + I.
    Phi : ndarray, shape (m, j)
        The near-critical vectors, in the coordinates of J's essence.
    S : ndarray, shape (j, j)
    """

    jacobian: Operator
    system: Bordered
    Phi: np.ndarray
    S: np.ndarray

    @property
    def whole(self) -> bool:
        """Whether all of S vanishes (to 1e-7), not only the combinations that are solved for."""
        return len(self.S) == 1 or bool(np.abs(self.S).max() <= WHOLE)


def adapted_borders(
    A: Operator, V: np.ndarray, krylov: Krylov, W: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Borders V, W that are orthonormal bases of A's nearly singular right and left vectors.

    Parameters
    ----------
    V : ndarray, shape (n, j)
        A basis near the right ones.
    W : ndarray, shape (n, j), optional
        The left border in use; seeded random vectors without one. Where A has no transpose it is turned towards the
        left vectors by what solves tell of them.
    """
    V = polar_factor(V)
    if W is None:
        W = polar_factor(np.random.default_rng(len(V)).standard_normal(V.shape))
    other, nothing = transposed(A), np.zeros((V.shape[1],) * 2)
    if other is None:
        # ΨᵀW = I of the left vectors Ψ; with Y = ΨᵀG for random G, Ψᵀ(W + G Yᵀ) = I + Y Yᵀ is farther from singular.
        G = np.random.default_rng(zlib.crc32(W.tobytes())).standard_normal((len(V), 3)) / np.sqrt(len(V))
        Y = bordered(A, W, V.T, nothing, krylov).solve(G, np.zeros((V.shape[1], 3)))[1]
        return V, polar_factor(W + G @ Y.T)
    for _ in range(2):
        W = polar_factor(bordered(other, V, W.T, nothing, krylov).solve(np.zeros_like(V), np.eye(V.shape[1]))[0])
    return V, W


def polar_factor(columns: np.ndarray) -> np.ndarray:
    """An orthonormal basis, in directions as near to the columns as one can be (their polar factor)."""
    if columns.shape[1] == 1:
        return columns / np.linalg.norm(columns)
    left, _, right = scipy.linalg.svd(columns, full_matrices=False, check_finite=False)
    return left @ right


def placeholder_rows(count: int, u: np.ndarray, n: int, scale: float) -> np.ndarray:
    """Random rows for unknowns u = (x, p, …) that weigh each in its own size, so that none drowns another."""
    units = np.append(np.full(n, max(scale, float(np.abs(u[:n]).max()))), np.maximum(1.0, np.abs(u[n:])))
    return np.random.default_rng(n).standard_normal((count, len(u))) / (np.sqrt(n) * units)


@dataclass(frozen=True, eq=False)
class _Locus:
    iterate: IteratedMap
    fixed: Mapping[str, float]
    free: tuple[str, ...]
    V: np.ndarray
    W: np.ndarray
    rows: np.ndarray | None = None  # stand-ins for the further equations, (j, n + k)
    krylov: Krylov = field(default_factory=Krylov)

    def _linearisation(
        self, at: AugmentedEvaluation, beside: list[np.ndarray], slopes: Slopes, more: int
    ) -> Linearisation:
        n = self.iterate.size
        columns = [self.iterate.parameter_derivative(at.orbit, at.parameters, name) for name in self.free]
        B = np.column_stack(columns + beside)
        rows = self.rows
        if rows is None:
            rows = placeholder_rows(more, at.u, n, self.iterate.map.scale)
        return Linearisation(at.jacobian, shifted(at.jacobian, 1.0), B, rows[:, :n], rows[:, n:], slopes)

    def _moved(self, at: AugmentedEvaluation, columns: np.ndarray, z: np.ndarray) -> np.ndarray:
        """How J's essence applied to columns changes along z."""
        n = self.iterate.size
        dp = dict(zip(self.free, z[n:].tolist()))
        return self.iterate.second(at.u[:n], columns, z[:n], dp, at.parameters)

    def _evaluate(self, u: np.ndarray, equations: int) -> Evaluation:
        """The equations of the cycle; what comes further is NaN so far."""
        n = self.iterate.size
        p = {**self.fixed, **dict(zip(self.free, u[n:].tolist()))}
        orbit = self.iterate.orbit(u[:n], p)
        residual = np.append(orbit[-1] - u[:n], np.full(equations, np.nan))
        return Evaluation(u, orbit, p, residual, self.iterate.margin(orbit, p))

    def _augmented(self, plain: Evaluation, jacobian: Operator, A: Operator, W: np.ndarray) -> AugmentedEvaluation:
        j = self.V.shape[1]
        system = bordered(A, W, self.V.T, np.zeros((j, j)), self.krylov)
        Phi, S = system.solve(np.zeros_like(self.V), np.eye(j))
        return AugmentedEvaluation(
            plain.u, plain.orbit, plain.parameters, plain.residual, plain.margin, jacobian, system, Phi, S
        )


@dataclass(frozen=True, eq=False)
class MinimallyAugmentedFoldFlip(_Locus):
    """Cycles with the multiplier +1 (folds) or −1 (flips), in two parameters: n + 1 equations, n + 2 unknowns.

    Where j multipliers meet the target together by a symmetry that the curve keeps, S is a multiple of WᵀV, and that
    multiple the one equation.
    """

    target: float = 1.0
    extra: tuple[str, ...] = ()

    def evaluate(self, u: np.ndarray) -> Evaluation:
        """Residual and domain margin at u: k evaluations of f, one Jacobian, one bordered solve."""
        at = self._evaluate(u, 1)
        if not at.margin > 0:
            return at
        J = self.iterate.jacobian(at.orbit, at.parameters)
        whole = self._augmented(at, J, shifted(core_operator(J), self.target), self.W)
        whole.residual[-1] = self._equation(whole.S)
        return whole

    def _equation(self, S: np.ndarray) -> float:
        j = len(S)
        multiple = S[0, 0] if j == 1 else np.trace(np.linalg.solve(self.W.T @ self.V, S)) / j
        return float(self.iterate.map.scale * multiple)

    def linearise(self, at: Evaluation) -> Linearisation:
        """Derivative at an evaluated u; every slope costs one difference of Jacobians along its direction."""
        assert isinstance(at, AugmentedEvaluation)
        j = len(at.S)

        def slopes(z: np.ndarray) -> np.ndarray:
            _, S = at.system.solve(-self._moved(at, at.Phi, z), np.zeros((j, j)))
            return np.array([self._equation(S)])

        return self._linearisation(at, [], slopes, 1)

    def adapted(self, at: Evaluation, kernel: np.ndarray, rows: np.ndarray) -> MinimallyAugmentedFoldFlip:
        """The same equations with borders and stand-in rows taken from u."""
        assert isinstance(at, AugmentedEvaluation)
        V, W = adapted_borders(shifted(core_operator(at.jacobian), self.target), at.Phi, self.krylov, self.W)
        return dataclasses.replace(self, V=V, W=W, rows=rows)


@dataclass(frozen=True, eq=False)
class MinimallyAugmentedNeimarkSacker(_Locus):
    """Cycles with a pair of multipliers of product 1 and sum 2κ, in two parameters: n + 2 equations, n + 3 unknowns."""

    extra: tuple[str, ...] = ("cosine",)
    combine: np.ndarray | None = None  # (2, 4): the two combinations of S's entries

    def evaluate(self, u: np.ndarray) -> Evaluation:
        """Residual and domain margin at u = (x, p, κ): k evaluations of f, one Jacobian, one bordered solve."""
        at = self._evaluate(u, 2)
        if not at.margin > 0:
            return at
        J = self.iterate.jacobian(at.orbit, at.parameters)
        whole = self._augmented(at, J, quadratic(core_operator(J), float(u[-1])), self.W)
        whole.residual[-2:] = self.iterate.map.scale * (self._combine @ whole.S.ravel())
        return whole

    @property
    def _combine(self) -> np.ndarray:
        if self.combine is not None:
            return self.combine
        return np.linalg.qr(np.random.default_rng(0).standard_normal((4, 2)))[0].T

    def linearise(self, at: Evaluation) -> Linearisation:
        """Derivative at an evaluated u."""
        assert isinstance(at, AugmentedEvaluation)

        def slopes(z: np.ndarray) -> np.ndarray:
            return self.iterate.map.scale * (self._combine @ self._rate(at, z))

        return self._linearisation(at, [np.zeros(self.iterate.size)], slopes, 2)

    def _rate(self, at: AugmentedEvaluation, z: np.ndarray) -> np.ndarray:
        """S' along z = (dx, dp, dκ), from (J² − 2κJ + I)'Φ = J'(JΦ) + J(J'Φ) − 2κ J'Φ − 2κ' JΦ."""
        E, kappa = core_operator(at.jacobian), float(at.u[-1])
        through = apply(E, at.Phi)
        bend = self._moved(at, np.hstack([at.Phi, through]), z)
        rate = bend[:, 2:] + apply(E, bend[:, :2]) - 2.0 * kappa * bend[:, :2] - 2.0 * z[-1] * through
        return at.system.solve(-rate, np.zeros((2, 2)))[1].ravel()

    def adapted(self, at: Evaluation, kernel: np.ndarray, rows: np.ndarray) -> MinimallyAugmentedNeimarkSacker:
        """The same equations with borders, stand-in rows and combinations of S taken from u."""
        assert isinstance(at, AugmentedEvaluation)
        V, W = adapted_borders(quadratic(core_operator(at.jacobian), float(at.u[-1])), at.Phi, self.krylov, self.W)
        moved = dataclasses.replace(self, V=V, W=W, rows=rows)
        again = moved.evaluate(at.u)
        assert isinstance(again, AugmentedEvaluation)
        slopes = np.column_stack([moved._rate(again, z) for z in kernel.T])
        left = np.linalg.svd(slopes)[0]
        return dataclasses.replace(moved, combine=left[:, :2].T)
