"""Exact location of special points by extended systems.

Flip and fold (target τ = −1, +1), m multipliers meeting τ. Along the curve u(s), border J − τI as often as
multipliers cross:

    ┌ J − τI  W ┐ ┌ Φ ┐   ┌ 0 ┐
    │           │ │   │ = │   │        S(s), m × m, is singular exactly where J has the multiplier τ;
    └  Vᵀ     0 ┘ └ S ┘   └ I ┘        its derivative solves the same system with right-hand side (−J'Φ, 0).

Every root δ of det(S + δ S') = 0 is one multiplier's Newton step in arclength: roots that vanish together are a
multiple point, others are neighbours. (Govaerts, SIAM 2000, sections 3.3 and 4.2; Kuznetsov, Elements of Applied
Bifurcation Theory, 2004, section 10.2; a single border is singular where two multipliers meet τ together.)

A structured Jacobian is replaced by its essence, the small core with the same multipliers: only the steps along the
curve then cost passes over the state.

Neimark–Sacker: τ = e^{iθ} with θ unknown; S + S_s δ + S_θ dθ = 0, two real equations or more.

Branch point: H(u) + W μ = 0 on kernel coordinates ξ ∈ R^{m+1}; the point is where the m reduced equations have μ = 0
and ∂μ/∂ξ = 0 (Allgower, Böhmer & Mei; Kuznetsov 2004, section 10.3; Golubitsky & Schaeffer 1985, chapter I). Newton
with the second derivatives of μ is regular at transcritical, pitchfork and symmetric multiple points alike, where a
corrector on the branch itself is singular.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from bifurcate.corrector import POLISH, Failure, Metric, Node, correct
from bifurcate.curves import Curve
from bifurcate.linear import Bordered, Operator, bordered, essence, lifted, shifted, size, transposed
from bifurcate.linear.bordered import SingularSystem
from bifurcate.maps.derivatives import STEP, central
from bifurcate.special.two_parameters.reduction import near_null

__all__ = ["BranchPoint", "Critical", "locate_branch_point", "locate_pair", "locate_real"]

TOGETHER = 1e-6  # roots δ closer than this (in the metric's units) are one multiple point
MOST = 12  # borders at the most
STILL = 1e-14  # a point that moves by less, in scaled units, keeps the linear system that was made for it


@dataclass(frozen=True, eq=False)
class Critical:
    """A point of the curve where multipliers meet the unit circle."""

    node: Node
    kernel: np.ndarray  # (·, m) in the Jacobian's essence, complex for Neimark–Sacker
    multiplicity: int
    iterations: int
    step: float  # the last Newton step in arclength
    sensitivity: float  # by how much the place moves, in arclength, for a unit error of the Jacobian
    angle: float = 0.0


@dataclass(frozen=True, eq=False)
class BranchPoint:
    """A point where curves cross: u, the kernel T of the equations' derivative there, and its quadratic form."""

    u: np.ndarray
    kernel: np.ndarray  # (n + 1, m + 1)
    quadratic: np.ndarray  # (m, m + 1, m + 1): ∂²μ/∂ξ²
    unfolding: float  # max |μ|: 0 if it is a branch point
    residual: float
    iterations: int
    step: float


def _orthonormal(columns: np.ndarray) -> np.ndarray:
    return scipy.linalg.qr(columns, mode="economic", check_finite=False)[0]


def _near_null(node: Node, target: complex, m: int) -> np.ndarray:
    """An orthonormal basis of the m directions that J − target·I shrinks most (in J's essence), by bordered solves."""
    n = size(essence(node.linear.jacobian))
    V = _orthonormal(np.random.default_rng(n + m).standard_normal((n, m)))
    for _ in range(3):
        V, _ = _border(node, target, V)
        V = _orthonormal(V)
    return V


def _border(node: Node, target: complex, V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    m = V.shape[1]
    system = bordered(shifted(essence(node.linear.jacobian), target), V, V.conj().T, np.zeros((m, m)))
    return system.solve(np.zeros_like(V), np.eye(m, dtype=V.dtype))


def _values(node: Node) -> np.ndarray:
    return np.repeat(node.spectrum.values, np.minimum(node.spectrum.multiplicity, MOST))


def _window(values: np.ndarray, target: complex) -> int:
    """How many borders: the multipliers that are about as near to the target as the nearest one."""
    distance = np.sort(np.abs(values - target))
    near = int(np.count_nonzero(distance <= 3.0 * distance.min(initial=np.inf) + TOGETHER))
    return min(MOST, max(1, near))


def _rate(curve: Curve, node: Node, columns: np.ndarray) -> np.ndarray:
    """J' Φ: how the Jacobian's essence applied to the columns changes along the curve's tangent."""
    n = curve.size
    dp = dict(zip(curve.free, node.tangent[n:].tolist()))
    return curve.iterate.second(node.u[:n], columns, node.tangent[:n], dp, node.at.parameters)


def _advance(curve: Curve, node: Node, step: float, metric: Metric) -> Node | Failure:
    row = metric.dual(node.tangent)
    guess = node.u + step * node.tangent
    found = correct(curve, guess, row, float(row @ guess), metric, POLISH, node.tangent)
    if isinstance(found, Failure):
        return found
    return found.placed(node.arclength + step)


def locate_real(
    curve: Curve,
    node: Node,
    target: float,
    metric: Metric,
    reach: float,
    values: np.ndarray | None = None,
    borders: int | None = None,
) -> Critical | None:
    """The nearest point to a node on its curve where multipliers equal ±1.

    Parameters
    ----------
    node : Node
        The start, near the point.
    target : {1.0, -1.0}
        +1 for folds, −1 for flips.
    reach : float
        How far along the curve the point may lie; beyond it the search ends with None.
    values : ndarray, optional
        The multipliers at the node, roughly, where they are known without computing them.
    borders : int, optional
        How many multipliers are looked for, where the spectrum does not resolve multiplicities.

    Returns
    -------
    Critical or None
        When |δ| stops falling below 1e-8; None if Newton's method does not come to that.
    """
    travelled, previous = 0.0, np.inf
    try:
        V = _near_null(node, target, borders or _window(_values(node) if values is None else values, target))
        for iteration in range(1, 20):
            m = V.shape[1]
            system = bordered(shifted(essence(node.linear.jacobian), target), V, V.T, np.zeros((m, m)))
            Phi, S = system.solve(np.zeros_like(V), np.eye(m))
            _, slope = system.solve(-_rate(curve, node, Phi), np.zeros((m, m)))
            roots = scipy.linalg.eigvals(-S, slope, check_finite=False)
            roots = roots[np.isfinite(roots) & (np.abs(roots.imag) <= TOGETHER + 1e-3 * np.abs(roots.real))].real
            if not len(roots):
                return None
            step = float(roots[np.argmin(np.abs(roots))])
            if abs(step) < 1e-13 or (abs(step) < 1e-8 and abs(step) >= 0.5 * previous):
                together = int(np.count_nonzero(np.abs(roots) < TOGETHER))
                m = max(together, 1)
                kernel = _null_part(Phi, S, m)
                apart = float(np.sort(np.abs(roots))[m - 1])  # roots taken for one point
                return Critical(node, kernel, m, iteration, apart, _sensitivity(Phi, S, slope, m))
            travelled += step
            if abs(travelled) > reach:
                return None
            moved = _advance(curve, node, step, metric)
            if isinstance(moved, Failure):
                return None
            node, previous, V = moved, abs(step), _orthonormal(Phi)
    except (SingularSystem, np.linalg.LinAlgError, ValueError):
        return None
    return None


def _null_part(Phi: np.ndarray, S: np.ndarray, m: int) -> np.ndarray:
    """The kernel itself: the m directions of Φ that S annihilates."""
    right = np.linalg.svd(S)[2].conj().T[:, -m:]
    return _orthonormal(Phi @ right)


def _sensitivity(Phi: np.ndarray, S: np.ndarray, slope: np.ndarray, m: int) -> float:
    """How far the root moves when J changes by 1: ‖Φr‖/|l·S'r| with l and r the null vectors of S."""
    left, _, right = np.linalg.svd(S)
    r = right.T[:, -m:]
    return float(np.linalg.norm(Phi @ r) / np.linalg.svd(left[:, -m:].T @ slope @ r, compute_uv=False)[-1])


def locate_pair(curve: Curve, node: Node, multiplier: complex, metric: Metric, reach: float) -> Critical | None:
    """The nearest point to a node on its curve where a complex pair of multipliers has modulus 1.

    Parameters
    ----------
    node : Node
        The start, near the point.
    multiplier : complex
        The multiplier of the pair at the node with positive imaginary part.
    reach : float
        How far along the curve the point may lie.

    Returns
    -------
    Critical or None
        With the angle θ of the multiplier e^{iθ}; None if Newton's method does not converge, or converges to θ = 0 or
        π.
    """
    theta, travelled, previous = float(np.angle(multiplier)), 0.0, np.inf
    near = np.abs(node.spectrum.values - multiplier) <= TOGETHER * abs(multiplier)
    m = int(min(MOST, max(1, node.spectrum.multiplicity[near].sum())))
    try:
        V = _near_null(node, np.exp(1j * theta), m).astype(complex)
        for iteration in range(1, 25):
            tau = np.exp(1j * theta)
            system = bordered(shifted(essence(node.linear.jacobian), tau), V, V.conj().T, np.zeros((m, m)))
            Phi, S = system.solve(np.zeros_like(V), np.eye(m, dtype=complex))
            _, by_s = system.solve(-_rate(curve, node, Phi), np.zeros((m, m), dtype=complex))
            _, by_theta = system.solve(1j * tau * Phi, np.zeros((m, m), dtype=complex))
            columns = np.column_stack([by_s.ravel(), by_theta.ravel()])
            matrix = np.vstack([columns.real, columns.imag])
            rhs = -np.concatenate([S.real.ravel(), S.imag.ravel()])
            if not (np.isfinite(matrix).all() and np.isfinite(rhs).all()):
                return None
            step, turn = np.linalg.lstsq(matrix, rhs, rcond=None)[0].tolist()
            change = abs(step) + abs(turn)
            if change < 1e-13 or (change < 1e-8 and change >= 0.5 * previous):
                if abs(np.sin(theta)) < 1e-6:
                    return None
                sensitivity = float(np.linalg.norm(Phi) / np.linalg.svd(matrix, compute_uv=False)[-1])
                kernel = _null_part(Phi, S, m)
                return Critical(node, kernel, m, iteration, abs(step), sensitivity, abs(theta))
            travelled += step
            if abs(travelled) > reach or abs(turn) > 1.0:
                return None
            moved = _advance(curve, node, step, metric)
            if isinstance(moved, Failure):
                return None
            node, previous, theta, V = moved, change, theta + turn, _orthonormal(Phi)
    except (SingularSystem, np.linalg.LinAlgError, ValueError):
        return None
    return None


@dataclass(frozen=True, eq=False)
class _Scaled:
    """A curve's equations for v = (x/unit, p/width), H/unit: what is small does not depend on the user's units then."""

    curve: Curve
    unit: float
    width: float

    def whole(self, v: np.ndarray) -> np.ndarray:
        """Vectors of v, or columns of them, in the user's units."""
        u = v * self.unit
        u[self.curve.size :] = v[self.curve.size :] * self.width
        return u

    def residual(self, v: np.ndarray) -> np.ndarray:
        """H/unit."""
        return self.curve.equations.evaluate(self.whole(v)).residual / self.unit

    def linearise(self, v: np.ndarray) -> tuple[Operator, np.ndarray]:
        """J − I and ∂H/∂p, in these units."""
        linear = self.curve.equations.linearise(self.curve.equations.evaluate(self.whole(v)))
        return linear.M, linear.B * (self.width / self.unit)

    def derivative(self, v: np.ndarray, U: np.ndarray) -> np.ndarray:
        """The derivative of H/unit along the columns of U."""
        n, iterate = self.curve.size, self.curve.iterate
        at = self.curve.equations.evaluate(self.whole(v))
        by_parameter = iterate.parameter_derivative(at.orbit, at.parameters, self.curve.free[0])
        along = iterate.times(at.orbit, U[:n], at.parameters) - U[:n]
        return along + by_parameter[:, None] * (self.width / self.unit) * U[n:]


def locate_branch_point(
    curve: Curve, node: Node, metric: Metric, borders: int | None = None, values: np.ndarray | None = None
) -> BranchPoint | None:
    """The branch point near a node of a one-parameter curve.

    Parameters
    ----------
    node : Node
        The start.
    borders : int, optional
        How many multipliers are looked for, where the spectrum does not resolve multiplicities.
    values : ndarray, optional
        The multipliers at the node, roughly, where they are known without computing them.

    Returns
    -------
    BranchPoint or None
        None if Newton's method does not converge.
    """
    with np.errstate(all="ignore"):  # the iteration may run away
        try:
            m = borders or _window(_values(node) if values is None else values, 1.0)  # multipliers that meet +1 there
            V = lifted(node.linear.jacobian, _near_null(node, 1.0, m))
            found = _branch_point(curve, node, metric, V, V)
            other = transposed(node.linear.M) if found is None and m > 1 else None
            if other is not None:
                # A map that preserves areas has two multipliers +1 there but one eigenvector, which lies in J − I's
                # range: the left one is its border.
                V, W = (near_null(M, m // 2) for M in (node.linear.M, other))
                found = _branch_point(curve, node, metric, V, W)
        except (SingularSystem, np.linalg.LinAlgError, ValueError):
            return None
        return found


def _branch_point(curve: Curve, node: Node, metric: Metric, V: np.ndarray, W: np.ndarray) -> BranchPoint | None:
    n, m = W.shape
    scaled = _Scaled(curve, metric.unit, float(metric.widths[0]))
    v, previous = node.u / scaled.whole(np.ones_like(node.u)), np.inf
    try:
        T = _kernel_directions(scaled, v, V, W)
        for iteration in range(1, 30):
            before, system = v, _kernel_system(scaled, v, W, T)
            v, mu = _project(scaled, v, W, system)
            if float(np.abs(v - before).max()) > STILL:
                system = _kernel_system(scaled, v, W, T)
            U, slopes = _split(*system.solve(np.zeros((n, m + 1)), np.vstack([np.zeros((0, m + 1)), np.eye(m + 1)])))
            second = _second_derivatives(scaled, v, U, system, m)
            if not (np.isfinite(second).all() and np.isfinite(slopes).all()):  # LAPACK would print
                return None
            matrix = second.reshape(m * (m + 1), m + 1)
            xi = np.linalg.lstsq(matrix, -slopes.reshape(-1), rcond=1e-9)[0]
            size = float(np.abs(xi).max())
            if size < 1e-13 or (size < 1e-7 and size >= 0.5 * previous):
                # Least squares also settle at a fold, where ∂μ/∂p does not vanish.
                steep = float(np.abs(slopes).max()) > 1e-7 * max(1.0, min(1e3, float(np.abs(second).max())))
                if steep or float(np.abs(U).max()) > 1e6:
                    return None
                residual = scaled.unit * float(np.abs(scaled.residual(v)).max())
                unfolding = float(np.abs(mu).max())
                return BranchPoint(scaled.whole(v), scaled.whole(U), second, unfolding, residual, iteration, size)
            if not np.isfinite(size) or size > 10.0 * np.sqrt(n):
                return None
            v, previous, T = v + U @ xi, size, _orthonormal(U)
    except (SingularSystem, np.linalg.LinAlgError, ValueError):
        return None
    return None


def _kernel_directions(scaled: _Scaled, v: np.ndarray, V: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The kernel of [J − I, H_p] where J − I has the kernel V: (V, 0) and (h, 1) with (J − I) h = −H_p across V.

    The branch's own tangent is no substitute for (h, 1): at the tip of a side branch it lies in (V, 0).
    """
    m = W.shape[1]
    M, B = scaled.linearise(v)
    h, _ = bordered(M, W, V.T, np.zeros((m, m)), scaled.curve.krylov).solve(-B, np.zeros((m, 1)))
    return _orthonormal(np.column_stack([np.vstack([h, np.ones((1, 1))]), np.vstack([V, np.zeros((1, m))])]))


def _kernel_system(scaled: _Scaled, v: np.ndarray, W: np.ndarray, T: np.ndarray) -> Bordered:
    # ┌ J − I  H_p  W ┐        unknowns: the n + 1 of u, and the unfolding μ ∈ R^m
    # └  Tₓᵀ   Tₚᵀ  0 ┘
    n, m = W.shape
    M, B = scaled.linearise(v)
    D = np.hstack([T[n:].T, np.zeros((m + 1, m))])
    return bordered(M, np.hstack([B, W]), T[:n].T, D, scaled.curve.krylov)


def _split(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.vstack([x, y[:1]]), y[1:]


def _project(scaled: _Scaled, v: np.ndarray, W: np.ndarray, system: Bordered) -> tuple[np.ndarray, np.ndarray]:
    """Newton for H(u) + W μ = 0 across the kernel directions, with the system at its start: it has not far to go."""
    m = W.shape[1]
    mu = np.zeros(m)
    best = np.inf
    for _ in range(12):
        r = scaled.residual(v) + W @ mu
        size = float(np.abs(r).max())
        if size == 0.0 or (size < 1e-12 and size >= 0.5 * best) or not size < 1e3 * best:
            break
        best = min(best, size)
        dv, dmu = _split(*system.solve(-r[:, None], np.zeros((m + 1, 1))))
        v, mu = v + dv[:, 0], mu + dmu[:, 0]
    return v, mu


def _second_derivatives(scaled: _Scaled, v: np.ndarray, U: np.ndarray, system: Bordered, m: int) -> np.ndarray:
    """∂²μ/∂ξᵢ∂ξⱼ, from the system with right-hand side −D²H[Uᵢ, Uⱼ]."""
    n = scaled.curve.size
    second = np.empty((m, m + 1, m + 1))
    size = max(1.0, float(np.abs(v[:n]).max()))
    for i in range(m + 1):

        def derivative(t: float, i: int = i) -> np.ndarray:
            return scaled.derivative(v + t * U[:, i], U[:, i:])

        bend = central(derivative, STEP * size / float(np.abs(U[:, i]).max()))
        _, second[:, i, i:] = _split(*system.solve(-bend, np.zeros((m + 1, m + 1 - i))))
        second[:, i:, i] = second[:, i, i:]
    return second
