"""Location of folds and flips where the Jacobian is symmetric and known by its products alone.

Beside a cluster of multipliers bordered systems of J − τI are nearly singular, and GMRES takes a thousand steps for
each. The subspace in which a point's multipliers were found is a better means: carried from point to point it knows
those next to τ to rounding, and with them where they pass it. The root of a multiplier, counted from the outermost one,
is found by the secant method; its first slope is vᵀ J' v (Saad, Numerical Methods for Large
Eigenvalue Problems, SIAM 2011, section 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator

from bifurcate.curves.corrector import step_along_tangent
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.linalg.operators import apply

__all__ = ["CriticalVectors", "find_critical_vectors", "has_subspace"]

Array = NDArray[Any]

STEPS = 12  # of the secant method, which needs five
CONVERGED = 1e-12  # a step this short is the error of multipliers that are known to 1e-10 and better
STAGNATED = 1e-8  # a step that no longer halves counts as converged below this
TOGETHER = 1e-6  # multipliers that pass within this arclength of each other are one multiple point
FLAT = 1e-8  # slope, by arclength, below which a multiplier does not pass


@dataclass(frozen=True, eq=False)
class CriticalVectors:
    """A point at which real multipliers meet τ.

    Attributes
    ----------
    node : CurvePoint
        The point.
    vectors : ndarray, shape (n, m)
        An orthonormal basis of the critical vectors.
    iterations : int
        Steps of the secant method.
    apart : float
        Arclength between the roots that were taken for one point, and by which their residuals may move it.
    sensitivity : float
        How far the point moves for an error of 1 in the Jacobian.
    """

    node: CurvePoint
    vectors: Array
    iterations: int
    apart: float
    sensitivity: float


@dataclass(frozen=True, eq=False)
class _Projected:
    """Real multipliers of the projected Jacobian by their distance beyond τ, the outermost first, and their vectors."""

    values: Array
    vectors: Array
    residuals: Array


def has_subspace(node: CurvePoint) -> bool:
    """True if the multipliers of a point were found by products, in a subspace, and the Jacobian is symmetric.

    Of any other one the left vectors are needed, too, to say how far the point moves with an error of the Jacobian.
    """
    if not isinstance(node.linear.jacobian, LinearOperator) or not node.spectrum.multiplicities_resolved:
        return False
    return node.spectrum.vector is not None and node.spectrum.vector.ndim == 2


def find_critical_vectors(
    curve: Curve, node: CurvePoint, target: float, metric: Metric, reach: float
) -> CriticalVectors | None:
    """The point of the curve next to another one at which the multiplier nearest to the target meets it.

    Parameters
    ----------
    curve : Curve
    node : CurvePoint
        The start; :func:`has_subspace` holds there.
    target : {1.0, −1.0}
    metric : Metric
        In which arclength is measured.
    reach : float
        How far along the curve the point may lie.

    Returns
    -------
    CriticalVectors or None
        When a step is shorter than 1e-12, or no longer halves below 1e-8.
    """
    here = _project(node, target)
    if not len(here.values):
        return None
    number, travelled, previous = int(np.argmin(np.abs(here.values))), 0.0, np.inf
    slope = target * _slope(curve, node, here.vectors[:, number])
    for iteration in range(1, STEPS):
        if number >= len(here.values) or abs(slope) < FLAT:
            return None
        step = -float(here.values[number]) / slope
        is_done = abs(step) < CONVERGED or (iteration > 1 and previous / 2.0 <= abs(step) < STAGNATED)
        if is_done:
            return _together(node, here, number, slope, iteration)
        travelled += step
        if abs(travelled) > reach:
            return None
        moved = step_along_tangent(curve, node, step, metric)
        if isinstance(moved, CorrectorFailure):
            return None
        before, node = here, moved.following(node)
        here = _project(node, target)
        if number < len(here.values) and abs(step) > STAGNATED:
            slope = float(here.values[number] - before.values[number]) / step
        previous = abs(step)
    return None


def _project(node: CurvePoint, target: float) -> _Projected:
    Q = node.spectrum.vector
    assert Q is not None  # has_subspace
    image = apply(node.linear.jacobian, Q)
    theta, Y = np.linalg.eig(Q.T @ image)
    real = np.abs(theta.imag) <= TOGETHER * np.maximum(1.0, np.abs(theta))
    values = target * theta.real[real] - 1.0
    order = np.argsort(-values)
    Z = Y.real[:, real][:, order]
    Z = Z / np.linalg.norm(Z, axis=0)
    vectors = Q @ Z
    residuals = np.linalg.norm(image @ Z - vectors * theta.real[real][order], axis=0)
    return _Projected(values[order], vectors, residuals)


def _slope(curve: Curve, node: CurvePoint, v: Array) -> float:
    """dλ/ds of a simple multiplier of a symmetric Jacobian, vᵀ J' v."""
    n = curve.size
    dp = dict(zip(curve.free, node.tangent[n:].tolist()))
    moved = curve.iterate.jacobian_derivative(node.u[:n], v[:, None], node.tangent[:n], dp, node.at.parameters)
    return float(v @ moved[:, 0])


def _together(node: CurvePoint, here: _Projected, number: int, slope: float, iteration: int) -> CriticalVectors:
    away = np.abs(here.values - here.values[number]) / abs(slope)
    chosen = away <= TOGETHER
    apart = float(away[chosen].max()) + float(here.residuals[chosen].max()) / abs(slope)
    vectors = np.linalg.qr(here.vectors[:, chosen])[0]
    return CriticalVectors(node, vectors, iteration, apart, 1.0 / abs(slope))
