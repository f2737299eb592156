"""Location of folds, flips and Neimark-Sacker points by extended systems.

Flip and fold (target τ = −1, +1), m multipliers meeting τ. Along the curve u(s), border J − τI as often as
multipliers cross:

    ┌ J − τI  W ┐ ┌ Φ ┐   ┌ 0 ┐
    │           │ │   │ = │   │        S(s), m × m, is singular exactly where J has the multiplier τ;
    └  Vᵀ     0 ┘ └ S ┘   └ I ┘        its derivative solves the same system with right-hand side (−J'Φ, 0).

Every root δ of det(S + δ S') = 0 is one multiplier's Newton step in arclength: roots that vanish together are a
multiple point, others are neighbours. (Govaerts, SIAM 2000, sections 3.3 and 4.2; Kuznetsov, Elements of Applied
Bifurcation Theory, 2004, section 10.2; a single border is singular where two multipliers meet τ together.)

A structured Jacobian is replaced by its core operator, which is small and has the same multipliers: only the steps
along the curve then cost passes over the state.

Neimark–Sacker: τ = e^{iθ} with θ unknown; S + S_s δ + S_θ dθ = 0, two real equations or more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.location_by_products import find_critical_vectors, has_subspace
from bifurcate.curves.corrector import step_along_tangent
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.linalg.bordered_system import Bordered, SingularSystem
from bifurcate.linalg.multipliers import EDGE
from bifurcate.linalg.null_space import approximate_null_space, bordered_by, orthonormal
from bifurcate.linalg.operators import core_operator, shifted, target_part

__all__ = [
    "MOST_BORDERS",
    "TOGETHER",
    "Critical",
    "locate_pair",
    "locate_pair_at",
    "locate_real",
    "locate_real_at",
    "number_of_borders",
    "repeated_multipliers",
]

Array = NDArray[Any]

# Lengths are in the metric.
TOGETHER = 1e-6  # roots δ closer than this are one multiple point: symmetric ones agree to √rounding only
MOST_BORDERS = 12  # multipliers that one system takes: its cost grows like their cube, and symmetric sets are smaller
NEAREST_RATIO = 3.0  # multipliers up to this many times farther from the target than the nearest one get a border, too
REAL_ITERATIONS = 20  # Newton steps for a fold or flip: six where it is quadratic, linear at degenerate points
PAIR_ITERATIONS = 25  # Newton steps for a Neimark-Sacker point, where the angle converges, too
CONVERGED = 1e-13  # a Newton step this short is rounding
STAGNATED = 1e-8  # a Newton step that no longer halves counts as converged below this
# Along a slow rule a Newton step that no longer halves is converged below what such an error of the Jacobian moves.
SLOW_ROUNDING = 1e-14
STAGNATION_RATIO = 0.5  # what a step must fall by to count as falling
AT_POINT = 1e-7  # a flip or pair this near a branch point lies at it: the square of this distance is rounding
REAL_ROOT = 1e-3  # part of its real part that a root's imaginary part may have: rounding of roots that meet
REAL_ANGLE = 1e-6  # |sin θ| below which a pair is a double real multiplier, and no Neimark-Sacker point
LARGEST_TURN = 1.0  # radians by which θ may change in a step; more, and the iteration has lost its pair


@dataclass(frozen=True, eq=False)
class Critical:
    """A point of the curve where multipliers meet the unit circle.

    Attributes
    ----------
    node : CurvePoint
        The point.
    kernel : ndarray, shape (n, m)
        The critical vectors, in the coordinates of the Jacobian's core operator; complex at Neimark–Sacker points.
    multiplicity : int
        How many multipliers (pairs) are critical together.
    iterations : int
        Newton steps.
    step : float
        The last Newton step in arclength, or how far apart roots are that were taken for one point.
    sensitivity : float
        How far the point moves, in arclength, for an error of 1 in the Jacobian.
    angle : float
        θ of the critical multiplier e^{iθ}.
    """

    node: CurvePoint
    kernel: Array
    multiplicity: int
    iterations: int
    step: float
    sensitivity: float
    angle: float = 0.0


def _bordered(node: CurvePoint, target: complex, V: Array) -> tuple[Bordered, Array, Array]:
    """The system of J − target·I (of J's core operator) with the border V, and its Φ and S."""
    system = bordered_by(shifted(core_operator(node.linear.jacobian), target), V, V)
    return system, *system.solve(np.zeros_like(V), np.eye(V.shape[1], dtype=V.dtype))


def repeated_multipliers(node: CurvePoint) -> Array:
    """The multipliers of a point, each as often as it counts, but no more often than there can be borders."""
    return np.repeat(node.spectrum.values, np.minimum(node.spectrum.multiplicity, MOST_BORDERS))


def number_of_borders(values: Array, target: complex, edge: float = EDGE) -> int:
    """How many borders to use: one for each multiplier that is about as near to the target as the nearest one."""
    distance = np.sort(np.abs(values - target))
    same = TOGETHER * edge / EDGE if edge <= EDGE else max(TOGETHER, edge)  # noise moves multipliers by a wide edge
    near = int(np.count_nonzero(distance <= NEAREST_RATIO * distance.min(initial=np.inf) + same))
    return min(MOST_BORDERS, max(1, near))


def _rate(curve: Curve, node: CurvePoint, columns: Array) -> Array:
    """J' Φ: the derivative of the Jacobian's core operator, applied to the columns, along the curve's tangent."""
    n = curve.size
    dp = dict(zip(curve.free, node.tangent[n:].tolist()))
    return curve.iterate.jacobian_derivative(node.u[:n], columns, node.tangent[:n], dp, node.at.parameters)


def locate_real(
    curve: Curve,
    node: CurvePoint,
    target: float,
    metric: Metric,
    reach: float,
    values: Array | None = None,
    borders: int | None = None,
) -> Critical | None:
    """Locate the point of the curve nearest to another one at which multipliers equal ±1.

    Parameters
    ----------
    curve : Curve
        The curve.
    node : CurvePoint
        The start, near the point.
    target : {1.0, -1.0}
        +1 for folds, −1 for flips.
    metric : Metric
        In which arclength is measured.
    reach : float
        How far along the curve the point may lie; beyond it the search ends with None.
    values : ndarray, optional
        The multipliers at the start, roughly, where they are known without computing them.
    borders : int, optional
        How many multipliers are looked for, where the spectrum does not resolve multiplicities.

    Returns
    -------
    Critical or None
        When |δ| < 1e-13, or when |δ| no longer halves below 1e-8; None if Newton's method does not come to that.
    """
    if has_subspace(node):
        found = find_critical_vectors(curve, node, target, metric, reach)
        if found is not None:
            m = found.vectors.shape[1]
            return Critical(found.node, found.vectors, m, found.iterations, found.apart, found.sensitivity)
    travelled, previous = 0.0, np.inf
    try:
        m = borders or number_of_borders(repeated_multipliers(node) if values is None else values, target, curve.edge)
        V = approximate_null_space(shifted(core_operator(node.linear.jacobian), target), m)
        for iteration in range(1, REAL_ITERATIONS):
            system, Phi, S = _bordered(node, target, V)
            _, slope = system.solve(-_rate(curve, node, Phi), np.zeros_like(S))
            roots = -S[0] / slope[0] if len(S) == 1 else scipy.linalg.eigvals(-S, slope, check_finite=False)
            roots = roots[np.isfinite(roots) & (np.abs(roots.imag) <= TOGETHER + REAL_ROOT * np.abs(roots.real))].real
            if not len(roots):
                return None
            step = float(roots[np.argmin(np.abs(roots))])
            # Not at once: the start is no more exact than the corrector's tolerance.
            stagnates = iteration > 1 and abs(step) >= STAGNATION_RATIO * previous
            noise = curve.iterate.map.precision.slope_error
            if (stagnates and curve.slowness < 1.0) or noise:
                least = max(STAGNATED, max(SLOW_ROUNDING, noise) * _sensitivity(Phi, S, slope, 1))
            else:
                least = STAGNATED
            if iteration > 1 and (abs(step) < CONVERGED or ((stagnates or noise) and abs(step) < least)):
                together = int(np.count_nonzero(np.abs(roots) < TOGETHER))
                m = max(together, 1)
                kernel = _null_part(Phi, S, m)
                apart = float(np.sort(np.abs(roots))[m - 1])  # roots taken for one point
                return Critical(node, kernel, m, iteration, apart, _sensitivity(Phi, S, slope, m))
            travelled += step
            if abs(travelled) > reach:
                return None
            moved = step_along_tangent(curve, node, step, metric)
            if isinstance(moved, CorrectorFailure):
                return None
            node, previous, V = moved, abs(step), orthonormal(Phi)
    except (SingularSystem, np.linalg.LinAlgError, ValueError):
        return None
    return None


def locate_real_at(curve: Curve, node: CurvePoint, target: float) -> Critical | None:
    """The flip that lies at a given point, where curves cross so that no step along one of them can be corrected.

    Parameters
    ----------
    curve : Curve
        The curve.
    node : CurvePoint
        A branch point, with the curve's own tangent.
    target : {1.0, -1.0}
        The multiplier.

    Returns
    -------
    Critical or None
        None if the next Newton step along the tangent would be longer than 1e-7 in the metric. A shorter one is its
        ``step``: the curve is straight over such a distance, to rounding.
    """
    try:
        m = number_of_borders(repeated_multipliers(node), target, curve.edge)
        V = approximate_null_space(shifted(core_operator(node.linear.jacobian), target), m)
        system, Phi, S = _bordered(node, target, V)
        _, slope = system.solve(-_rate(curve, node, Phi), np.zeros_like(S))
        roots = np.abs(scipy.linalg.eigvals(-S, slope, check_finite=False))
        m = int(np.count_nonzero(roots < AT_POINT))
        if not m:
            return None
        kernel, apart = _null_part(Phi, S, m), float(np.sort(roots)[m - 1])
        return Critical(node, kernel, m, 1, apart, _sensitivity(Phi, S, slope, m))
    except (SingularSystem, np.linalg.LinAlgError, ValueError):
        return None


def locate_pair_at(curve: Curve, node: CurvePoint, multiplier: complex) -> Critical | None:
    """The Neimark–Sacker point that lies at a given point; as :func:`locate_real_at`, with the angle θ unknown."""
    theta = float(np.angle(multiplier))
    near = np.abs(node.spectrum.values - multiplier) <= TOGETHER * curve.slowness * abs(multiplier)
    m = int(min(MOST_BORDERS, max(1, node.spectrum.multiplicity[near].sum())))
    try:
        V = approximate_null_space(shifted(core_operator(node.linear.jacobian), np.exp(1j * theta)), m)
        for iteration in range(1, PAIR_ITERATIONS):
            Phi, S, matrix, rhs = _pair_system(curve, node, theta, V)
            step, turn = np.linalg.lstsq(matrix, rhs, rcond=None)[0].tolist()
            if not abs(step) < AT_POINT or abs(turn) > LARGEST_TURN:
                return None
            if abs(turn) < CONVERGED and abs(np.sin(theta)) >= REAL_ANGLE * curve.slowness:
                weakest = float(np.linalg.svd(matrix, compute_uv=False)[-1])
                if not weakest > 0.0:
                    return None
                sensitivity = float(np.linalg.norm(Phi)) / weakest
                return Critical(node, _null_part(Phi, S, m), m, iteration, abs(step), sensitivity, abs(theta))
            theta, V = theta + turn, orthonormal(Phi)
    except (SingularSystem, np.linalg.LinAlgError, ValueError):
        return None
    return None


def _pair_system(curve: Curve, node: CurvePoint, theta: float, V: Array) -> tuple[Array, Array, Array, Array]:
    """Φ, S, and the real equations S + S_s δ + S_θ dθ = 0 for a step δ and a turn dθ: their matrix and right side."""
    tau = np.exp(1j * theta)
    system, Phi, S = _bordered(node, tau, V)
    _, by_s = system.solve(-_rate(curve, node, Phi), np.zeros_like(S))
    turned = target_part(core_operator(node.linear.jacobian), Phi)
    _, by_theta = system.solve(1j * tau * turned, np.zeros_like(S))
    columns = np.column_stack([by_s.ravel(), by_theta.ravel()])
    matrix = np.vstack([columns.real, columns.imag])
    rhs = -np.concatenate([S.real.ravel(), S.imag.ravel()])
    if not (np.isfinite(matrix).all() and np.isfinite(rhs).all()):  # LAPACK would print
        raise np.linalg.LinAlgError
    return Phi, S, matrix, rhs


def _null_part(Phi: Array, S: Array, m: int) -> Array:
    """The kernel itself: the m directions of Φ that S annihilates."""
    right = np.linalg.svd(S)[2].conj().T[:, -m:]
    return orthonormal(Phi @ right)


def _sensitivity(Phi: Array, S: Array, slope: Array, m: int) -> float:
    """How far the root moves when J changes by 1: ‖Φr‖/|l·S'r| with l and r the null vectors of S."""
    left, _, right = np.linalg.svd(S)
    r = right.T[:, -m:]
    return float(np.linalg.norm(Phi @ r) / np.linalg.svd(left[:, -m:].T @ slope @ r, compute_uv=False)[-1])


def _noise_of_pair(curve: Curve, Phi: Array, matrix: Array) -> float:
    """A Newton step for (s, θ) that the map's noise alone would cause; 0 where the map is exact to rounding."""
    noise = curve.iterate.map.precision.slope_error
    return noise * float(np.linalg.norm(Phi)) / float(np.linalg.svd(matrix, compute_uv=False)[-1]) if noise else 0.0


def locate_pair(curve: Curve, node: CurvePoint, multiplier: complex, metric: Metric, reach: float) -> Critical | None:
    """Locate the point of the curve nearest to another one at which a complex pair of multipliers has modulus 1.

    Parameters
    ----------
    curve : Curve
        The curve.
    node : CurvePoint
        The start, near the point.
    multiplier : complex
        The multiplier of the pair at the start with positive imaginary part.
    metric : Metric
        In which arclength is measured.
    reach : float
        How far along the curve the point may lie.

    Returns
    -------
    Critical or None
        With the angle θ of the multiplier e^{iθ}; None if Newton's method does not converge, or converges to θ = 0 or
        π.
    """
    theta, travelled, previous = float(np.angle(multiplier)), 0.0, np.inf
    near = np.abs(node.spectrum.values - multiplier) <= TOGETHER * curve.slowness * abs(multiplier)
    m = int(min(MOST_BORDERS, max(1, node.spectrum.multiplicity[near].sum())))
    try:
        V = approximate_null_space(shifted(core_operator(node.linear.jacobian), np.exp(1j * theta)), m)
        for iteration in range(1, PAIR_ITERATIONS):
            Phi, S, matrix, rhs = _pair_system(curve, node, theta, V)
            step, turn = np.linalg.lstsq(matrix, rhs, rcond=None)[0].tolist()
            change = abs(step) + abs(turn)
            least = _noise_of_pair(curve, Phi, matrix)
            stagnates = change >= STAGNATION_RATIO * previous or least > STAGNATED
            if iteration > 1 and (change < CONVERGED or (change < max(STAGNATED, least) and stagnates)):
                if abs(np.sin(theta)) < REAL_ANGLE * curve.slowness:
                    return None
                weakest = float(np.linalg.svd(matrix, compute_uv=False)[-1])
                if not weakest > 0.0:  # of a rule so slow that its differences do not see the pair move
                    return None
                spread = float(np.linalg.norm(matrix @ [step, turn] - rhs)) / weakest  # of pairs taken for one
                kernel, sensitivity = _null_part(Phi, S, m), float(np.linalg.norm(Phi)) / weakest
                return Critical(node, kernel, m, iteration, abs(step) + spread, sensitivity, abs(theta))
            travelled += step
            if abs(travelled) > reach or abs(turn) > LARGEST_TURN:
                return None
            moved = step_along_tangent(curve, node, step, metric)
            if isinstance(moved, CorrectorFailure):
                return None
            node, previous, theta, V = moved, change, theta + turn, orthonormal(Phi)
    except (SingularSystem, np.linalg.LinAlgError, ValueError):
        return None
    return None
