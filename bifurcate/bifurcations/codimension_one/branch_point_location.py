"""Exact location of branch points, where curves of cycles cross.

Branch point: H(u) + W μ = 0 on kernel coordinates ξ ∈ R^{m+1}; the point is where the m reduced equations have μ = 0
and ∂μ/∂ξ = 0 (Allgower, Böhmer & Mei; Kuznetsov 2004, section 10.3; Golubitsky & Schaeffer 1985, chapter I). Newton
with the second derivatives of μ is regular at transcritical, pitchfork and symmetric multiple points alike, where a
corrector on the branch itself is singular.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bifurcate.bifurcations.codimension_one.location import repeated, window
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.linalg.bordered_system import Bordered, SingularSystem, bordered
from bifurcate.linalg.null_space import approximate_null_space, orthonormal
from bifurcate.linalg.operators import Operator, core_operator, lift_vectors, shifted, transposed
from bifurcate.maps.derivatives import FIVE_POINT_STEP, central_difference, slope_by_three_points

__all__ = ["BranchPoint", "locate_branch_point"]


@dataclass(frozen=True, eq=False)
class BranchPoint:
    """A point where curves cross: u, the kernel T of the equations' derivative there, and its quadratic form."""

    u: np.ndarray
    kernel: np.ndarray  # (n + 1, m + 1)
    quadratic: np.ndarray  # (m, m + 1, m + 1): ∂²μ/∂ξ²
    unfolding: float  # max |μ|: 0 if it is a branch point
    residual: float
    iterations: int
    step: float  # the last Newton step, and how far apart points are that were taken for one


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
        along = iterate.jacobian_times(at.orbit, U[:n], at.parameters) - U[:n]
        return along + by_parameter[:, None] * (self.width / self.unit) * U[n:]


def locate_branch_point(
    curve: Curve, node: CurvePoint, metric: Metric, borders: int | None = None, values: np.ndarray | None = None
) -> BranchPoint | None:
    """The branch point near a node of a one-parameter curve.

    Parameters
    ----------
    node : CurvePoint
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
            m = borders or window(repeated(node) if values is None else values, 1.0)  # multipliers that meet +1 there
            V = lift_vectors(
                node.linear.jacobian, approximate_null_space(shifted(core_operator(node.linear.jacobian), 1.0), m)
            )
            found = _branch_point(curve, node, metric, V, V)
            other = transposed(node.linear.M) if found is None and m > 1 else None
            if other is not None:
                # A map that preserves areas has two multipliers +1 there but one eigenvector, which lies in J − I's
                # range: the left one is its border.
                V, W = (approximate_null_space(M, m // 2) for M in (node.linear.M, other))
                found = _branch_point(curve, node, metric, V, W)
        except (SingularSystem, np.linalg.LinAlgError, ValueError):
            return None
        return found


def _branch_point(curve: Curve, node: CurvePoint, metric: Metric, V: np.ndarray, W: np.ndarray) -> BranchPoint | None:
    m = W.shape[1]
    scaled = _Scaled(curve, metric.unit, float(metric.widths[0]))
    v, previous, growths, rough = node.u / scaled.whole(np.ones_like(node.u)), np.inf, 0, np.empty(0)
    try:
        T = _kernel_directions(scaled, v, V, W)
        system = _kernel_system(scaled, v, W, T)
        for iteration in range(1, 30):
            before = v
            v, mu, there = _project(scaled, v, W, system)
            if not there:  # the system was made too far away
                v, mu, _ = _project(scaled, before, W, _kernel_system(scaled, before, W, T))
            # The node that the search starts from is on its branch but for rounding, which needs no new system.
            if iteration > 1 or float(np.abs(v - before).max()) > 1e-9:
                system = _kernel_system(scaled, v, W, T)
            U, slopes = _split(*system.solve(np.zeros((len(v) - 1, m + 1)), np.eye(m + 1)))
            if not rough.size:
                rough = _second_derivatives(
                    scaled, v, U, system, _three_points if iteration == 1 else central_difference
                )
            xi = _newton_step(rough, slopes)
            size = float(np.abs(xi).max())
            if size < 1e-13 or (size < 1e-7 and size >= 0.5 * previous):
                second = _second_derivatives(scaled, v, U, system, central_difference)
                residual, unfolding = scaled.unit * _largest(scaled.residual(v)), _largest(mu)
                spread = _largest(slopes + second @ xi) / max(_largest(second), 1e-300)  # of points taken for one
                step = size + min(spread, 1.0)
                found = BranchPoint(scaled.whole(v), scaled.whole(U), second, unfolding, residual, iteration, step)
                return None if _is_fold(slopes, second) or float(np.abs(U).max()) > 1e6 else found
            growths += size > previous
            if not size <= 10.0 * np.sqrt(len(v)) or growths >= 3:
                return None
            T, R = np.linalg.qr(U)
            # In the new coordinates, unless Newton's method with these hardly gained.
            rough = np.empty(0) if size > 0.1 * previous else _transformed(rough, R)
            v, previous = v + U @ xi, size
    except (SingularSystem, np.linalg.LinAlgError, ValueError):
        return None
    return None


def _newton_step(second: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """ξ, where the slopes ∂μ/∂ξ vanish to first order."""
    if not (np.isfinite(second).all() and np.isfinite(slopes).all()):  # LAPACK would print
        raise np.linalg.LinAlgError
    return np.linalg.lstsq(second.reshape(-1, second.shape[-1]), -slopes.reshape(-1), rcond=1e-9)[0]


def _is_fold(slopes: np.ndarray, second: np.ndarray) -> bool:
    """Whether ∂μ/∂p does not vanish: least squares settle there, too."""
    return _largest(slopes) > 1e-7 * max(1.0, min(1e3, _largest(second)))


def _largest(x: np.ndarray) -> float:
    return float(np.abs(x).max())


def _transformed(second: np.ndarray, R: np.ndarray) -> np.ndarray:
    """Second derivatives by new coordinates ξ' = R ξ."""
    inverse = np.linalg.inv(R)
    return np.einsum("iab,aj,bk->ijk", second, inverse, inverse)


def _kernel_directions(scaled: _Scaled, v: np.ndarray, V: np.ndarray, W: np.ndarray) -> np.ndarray:
    """The kernel of [J − I, H_p] where J − I has the kernel V: (V, 0) and (h, 1) with (J − I) h = −H_p across V.

    The branch's own tangent is no substitute for (h, 1): at the tip of a side branch it lies in (V, 0).
    """
    m = W.shape[1]
    M, B = scaled.linearise(v)
    h, _ = bordered(M, W, V.T, np.zeros((m, m)), krylov=scaled.curve.krylov).solve(-B, np.zeros((m, 1)))
    return orthonormal(np.column_stack([np.vstack([h, np.ones((1, 1))]), np.vstack([V, np.zeros((1, m))])]))


def _kernel_system(scaled: _Scaled, v: np.ndarray, W: np.ndarray, T: np.ndarray) -> Bordered:
    # ┌ J − I  H_p  W ┐        unknowns: the n + 1 of u, and the unfolding μ ∈ R^m
    # └  Tₓᵀ   Tₚᵀ  0 ┘
    n, m = W.shape
    M, B = scaled.linearise(v)
    D = np.hstack([T[n:].T, np.zeros((m + 1, m))])
    return bordered(M, np.hstack([B, W]), T[:n].T, D, krylov=scaled.curve.krylov)


def _split(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.vstack([x, y[:1]]), y[1:]


def _project(scaled: _Scaled, v: np.ndarray, W: np.ndarray, system: Bordered) -> tuple[np.ndarray, np.ndarray, bool]:
    """H(u) + W μ = 0 across the kernel directions, by Newton's method with a system made nearby, and whether it is."""
    m = W.shape[1]
    mu, best = np.zeros(m), np.inf
    for _ in range(12):
        r = scaled.residual(v) + W @ mu
        size = _largest(r)
        if size == 0.0 or (size < 1e-12 and size >= 0.5 * best):
            return v, mu, True
        if not size < 1e3 * best:
            break
        best = min(best, size)
        dv, dmu = _split(*system.solve(-r[:, None], np.zeros((m + 1, 1))))
        v, mu = v + dv[:, 0], mu + dmu[:, 0]
    return v, mu, False


def _second_derivatives(
    scaled: _Scaled, v: np.ndarray, U: np.ndarray, system: Bordered, differences: Callable[..., np.ndarray]
) -> np.ndarray:
    """∂²μ/∂ξᵢ∂ξⱼ, from the system with right-hand side −D²H[Uᵢ, Uⱼ]."""
    n, k = scaled.curve.size, U.shape[1]
    second = np.empty((k - 1, k, k))
    size = max(1.0, _largest(v[:n]))
    for i in range(k):

        def derivative(t: float, i: int = i) -> np.ndarray:
            return scaled.derivative(v + t * U[:, i], U[:, i:])

        bend = differences(derivative, FIVE_POINT_STEP * size / _largest(U[:, i]))
        _, second[:, i, i:] = _split(*system.solve(-bend, np.zeros((k, k - i))))
        second[:, i:, i] = second[:, i, i:]
    return second


def _three_points(g: Callable[[float], np.ndarray], step: float) -> np.ndarray:
    """g'(0) well enough for Newton's method: of a shorter step, since iterates may bend strongly."""
    return slope_by_three_points(g, 0.01 * step)
