"""The corrector: Newton's method that brings a prediction onto a curve, and the tangent there.

For a row vector t and an offset c it solves

    ┌ M   B  ┐ ┌ δx ┐   ┌ −H(u)      ┐
    │ C   D  │ │    │ = │ −g(u)      │        pseudo-arclength: t the last tangent, c = ⟨t, prediction⟩;
    └ tₓ  tₚ ┘ └ δp ┘   └ c − ⟨t, u⟩ ┘        t = eₚ, c = a bound: exact arrival on it

(Keller, in Applications of Bifurcation Theory, Academic Press 1977, 359). The same matrix with right-hand side
(0, 0, 1) yields the new tangent.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator

from bifurcate.curves.corrector_settings import TO_ROUNDING, Corrector
from bifurcate.curves.curve import Curve, Evaluation, Linearisation
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint, Multipliers, hermite_point, newton_step
from bifurcate.curves.metric import Metric
from bifurcate.curves.point_system import system_with_row
from bifurcate.errors import MapFailed, NotIsolated
from bifurcate.linalg.bordered_system import Bordered, SingularSystem
from bifurcate.linalg.few_numbers import largest

__all__ = ["adapt_equations", "correct", "correct_between", "point_with_tangent", "step_along_tangent"]

Vector = NDArray[np.float64]

# Bounds on errors; lengths are in the metric, residuals in units of max(scale, ‖x‖_∞).
# A state that varies by less than this part of itself lies far from 0: its rounding is that of its size.
FAR_FROM_ZERO = 0.01
OFFSET_ROUNDING = 1e-4  # part of such a state that is added to the unit of residuals: rounding over the tolerance
STATE_ROUNDINGS = 16.0  # roundings of a state that a Newton step consists of at the least
EPS = float(np.finfo(float).eps)
SHORTEST_STEP = 1e-13  # a Newton step this short moves the point by rounding only: more steps gain nothing
# A point whose next Newton step would be longer is not one yet: so it is beside singular points
LONGEST_NEXT_STEP = 1e-10
NEXT_STEP_TOLERANCES = 10.0  # ... or this many tolerances, where a loose one was asked for
STAGNATED = 1e-10  # a residual that no longer falls is accepted up to this size: rounding times multipliers up to 10⁵
STAGNATION_RATIO = 0.5  # a residual that falls by less than this factor in a step no longer falls
DIVERGENCE_RATIO = 4.0  # a residual that grows by more than this factor, after the third step, tells of divergence
FREE_STEPS = 2  # the first steps may raise the residual: far from the curve Newton's method overshoots once or twice
FORCING = 1e-5  # GMRES is not asked for a smaller relative residual while Newton's method still gains digits
SMALLEST_DAMPING = 1e-2  # a Newton step out of the domain is halved down to this part of it
CHORD_CONVERGED = 1e-15  # a chord iteration at this residual has reached rounding
CHORD_ACCEPTED = 1e-13  # ... and a residual of this size at its end is accepted: rounding times multipliers up to 10²
CHORD_RATIO = 0.1  # a chord iteration goes on while every step lowers the residual by this factor
CHORD_STEPS = 8  # steps of a chord iteration at the most: each gains a digit at the least, and there are 16


def correct(
    curve: Curve,
    guess: Vector,
    normal: Vector,
    offset: float,
    metric: Metric,
    corrector: Corrector | None = None,
    orientation: Vector | None = None,
) -> CurvePoint | CorrectorFailure:
    """Bring a guess onto the curve, on the hyperplane normal · u = offset.

    Parameters
    ----------
    curve : Curve
        What is followed.
    guess : ndarray, shape (n + k,)
        The prediction.
    normal : ndarray, shape (n + k,)
        Normal of the hyperplane, as a row vector (a dual vector of the metric).
    offset : float
        Where the hyperplane lies along its normal.
    metric : Metric
        In which the tangent has length 1 and steps are measured.
    corrector : Corrector, optional
        Tolerance and iterations; the curve's own if not given.
    orientation : ndarray, shape (n + k,), optional
        The tangent returned makes an acute angle with it; with ``normal`` if not given.

    Returns
    -------
    CurvePoint or CorrectorFailure
        A CurvePoint when ‖H‖_∞ ≤ tolerance · max(scale, ‖x‖_∞) and, unless another solve takes GMRES, the next step
        would be no longer than max(1e-10, 10 · tolerance) in the metric; with ``until="stagnation"`` when the residual
        no longer falls, too. Where f is noisy, four times its noise is the least tolerance.
    """
    corrector = curve.corrector if corrector is None else corrector
    to_rounding = corrector.until == "stagnation"
    previous, moved, n, levels = np.inf, np.inf, curve.size, curve.iterate.map.precision
    tolerance, noise_level = max(corrector.tolerance, levels.value_error), max(STAGNATED, levels.residual_error)
    best: tuple[float, Evaluation] | None = None
    scale = curve.iterate.map.scale
    try:
        at = curve.equations.evaluate(guess)
        for iteration in range(corrector.max_iterations + 1):
            size = largest(at.residual) if at.margin > 0 else np.inf
            if not math.isfinite(size):
                return _outside(curve, at)
            if best is None or size < best[0]:
                best = (size, at)
            unit = _unit(metric, scale, largest(at.u[:n]))
            falls = size < STAGNATION_RATIO * previous
            converged = iteration > 0 and (size <= tolerance * unit or moved <= SHORTEST_STEP)
            stagnated = (to_rounding or levels.is_noisy) and best[0] <= noise_level * unit and not falls
            if converged or stagnated or (iteration > 0 and to_rounding and size == 0.0):
                point = _point(curve, best[1] if stagnated else at, normal, metric, best[0], iteration, orientation)
                is_last = stagnated or iteration == corrector.max_iterations or not falls
                step = None if is_last else point.correction
                longest = max(LONGEST_NEXT_STEP, NEXT_STEP_TOLERANCES * tolerance) * _size_of_extra(curve, at.u)
                if step is None or metric.norm(step) <= longest + _rounding(metric, at.u[:n]):
                    return point
            else:
                diverges = iteration > FREE_STEPS and size > DIVERGENCE_RATIO * previous
                if iteration == corrector.max_iterations or diverges:
                    break
                linear = curve.equations.linearise(at)
                system = system_with_row(curve, linear, normal, 0.0 if to_rounding else FORCING)
                step = newton_step(system, at, offset - float(normal @ at.u))
            at, previous, moved = _step_inside(curve, at.u, step), size, metric.norm(step)
    except SingularSystem as error:
        return CorrectorFailure("singular", str(error))
    except NotIsolated as error:
        return CorrectorFailure("not-isolated", str(error))
    except MapFailed as error:
        return CorrectorFailure("failed", str(error))
    if best is not None and to_rounding and best[0] <= noise_level * _unit(metric, scale, largest(best[1].u[:n])):
        return _point(curve, best[1], normal, metric, best[0], corrector.max_iterations, orientation)
    return CorrectorFailure("diverged", f"residual {previous:.1e} after {corrector.max_iterations} iterations")


def _outside(curve: Curve, at: Evaluation) -> CorrectorFailure:
    """The failure at a state where the equations have no value: outside the domain, or f is not finite there."""
    map = curve.iterate.map
    if np.isfinite(at.orbit[-1]).all() or map.domain is not None:
        return CorrectorFailure("domain", f"smallest margin {at.margin:.3g}")
    return CorrectorFailure("failed", f"{map.name} returns NaN or infinity at {curve.where(at.u)}")


def _unit(metric: Metric, scale: float, largest: float) -> float:
    """The unit of residuals: the size of the state, or where that varies by far less, what it varies by."""
    size = max(scale, largest)
    return size if metric.unit > FAR_FROM_ZERO * size else metric.unit + OFFSET_ROUNDING * size


def _rounding(metric: Metric, x: Vector) -> float:
    """Length of the steps that rounding of a state leaves, in the metric; 0 unless the state varies by far less."""
    size = largest(x)
    return 0.0 if metric.unit > FAR_FROM_ZERO * size else STATE_ROUNDINGS * EPS * size / metric.unit


def _size_of_extra(curve: Curve, u: Vector) -> float:
    """The size, or 1, of what is unknown beside state and parameters: the cosine of neutral saddles is not bounded."""
    return max(1.0, largest(u[curve.size + len(curve.free) :])) if curve.extra else 1.0


def _step_inside(curve: Curve, u: Vector, step: Vector) -> Evaluation:
    # A full Newton step, or the largest of its halves that stays where f has values: a pole is never stepped over.
    part, map = 1.0, curve.iterate.map
    while True:
        is_last = part <= SMALLEST_DAMPING
        try:
            at = curve.equations.evaluate(u + part * step)
            if at.margin > 0 or map.domain is None or is_last:
                return at
        except MapFailed:  # f may raise beyond the edge of its domain
            if is_last:
                raise
        part *= 0.5


def _point(
    curve: Curve,
    at: Evaluation,
    normal: Vector,
    metric: Metric,
    residual: float,
    iterations: int,
    orientation: Vector | None,
) -> CurvePoint:
    """The point at a converged evaluation: linearise, factor, and solve for the tangent."""
    n = curve.size
    linear = curve.equations.linearise(at)
    unit_last = np.zeros(len(normal))
    unit_last[-1] = 1.0
    # GMRES starts from the last tangent.
    start = None
    if orientation is not None and isinstance(linear.M, LinearOperator):
        start = orientation / float(normal @ orientation)
    system = system_with_row(curve, linear, normal, start=start)
    t = np.concatenate(system.solve(unit_last[:n], unit_last[n:]))
    t /= metric.norm(t)
    if orientation is not None and metric.dot(orientation, t) < 0:
        t = -t
    multipliers = Multipliers(linear.jacobian, t[:n], curve.edge)
    return CurvePoint(
        u=at.u,
        tangent=t,
        at=at,
        linear=linear,
        residual=residual,
        iterations=iterations,
        multipliers=multipliers,
        kernel=_kernel(system, linear) if system.kernel is None else system.kernel,
        system=system,
        curve=curve,
        row=normal,
        guess=start,
    )


def _kernel(system: Bordered, linear: Linearisation) -> Vector | None:
    """The vectors on which all equations vanish but the further ones, and a point's hyperplane; None without these."""
    j, n = linear.C.shape
    return np.vstack(system.solve(np.zeros((n, j)), np.eye(j + 1, j))) if j else None


def point_with_tangent(curve: Curve, u: Vector, tangent: Vector, arclength: float) -> CurvePoint:
    """A point of a curve whose tangent is known otherwise: of a branch point, where no linear system tells it."""
    at = curve.equations.evaluate(u)
    linear = curve.equations.linearise(at)
    return CurvePoint(
        u=u,
        tangent=tangent,
        at=at,
        linear=linear,
        residual=largest(at.residual),
        iterations=0,
        multipliers=Multipliers(linear.jacobian, tangent[: curve.size], curve.edge),
        arclength=arclength,
    )


def step_along_tangent(curve: Curve, point: CurvePoint, step: float, metric: Metric) -> CurvePoint | CorrectorFailure:
    """The point of the curve a short step along the tangent from another one, as exact as rounding allows."""
    guess, normal = point.u + step * point.tangent, metric.dual(point.tangent)
    found: CurvePoint | CorrectorFailure | None = _chord(curve, point, guess, normal, metric)
    if found is None:
        found = correct(curve, guess, normal, float(normal @ guess), metric, TO_ROUNDING, point.tangent)
    return found if isinstance(found, CorrectorFailure) else found.placed(point.arclength + step)


def _chord(curve: Curve, point: CurvePoint, guess: Vector, normal: Vector, metric: Metric) -> CurvePoint | None:
    """Newton's method with the factored matrix of a point nearby: over a distance δ it converges by factors of O(δ).

    None unless the residual came down to 1e-13 · max(scale, ‖x‖_∞), each time by a factor of 10 at the least.
    """
    if point.system is None:
        return None
    n, best, at, u = curve.size, np.inf, point.at, guess
    unit, noise = max(curve.iterate.map.scale, largest(guess[:n])), curve.iterate.map.precision.value_error
    for iteration in range(CHORD_STEPS):
        new = curve.equations.evaluate(u)
        size = largest(new.residual) / unit if new.margin > 0 else np.inf
        gained = size < CHORD_RATIO * best
        if size < best:
            best, at = size, new
        if best <= max(CHORD_CONVERGED, noise) or not gained:
            if best > max(CHORD_ACCEPTED, noise):
                return None
            return _point(curve, at, normal, metric, best * unit, iteration, point.tangent)
        u = u + newton_step(point.system, new)
    return None


def adapt_equations(curve: Curve, point: CurvePoint, metric: Metric) -> Curve:
    """The curve with equations whose borders fit one of its points; unchanged where no border fits there."""
    if point.kernel is None:
        return curve
    kernel = metric.orthonormalise(point.kernel, [point.tangent])
    if len(kernel) < point.kernel.shape[1]:  # the tangent lies in their span: the curve is singular here
        return curve
    rows = np.array([metric.dual(z) for z in kernel])
    try:
        return curve.replace(equations=curve.equations.adapted(point.at, np.column_stack(kernel), rows))
    except SingularSystem:
        return curve


def correct_between(
    curve: Curve, a: CurvePoint, b: CurvePoint, fraction: float, metric: Metric, corrector: Corrector | None = None
) -> CurvePoint | CorrectorFailure:
    """The point of the curve at a fraction of the way from a to b: cubic Hermite prediction, then correction."""
    chord = b.u - a.u
    guess = hermite_point(a, b, fraction, metric)
    normal = metric.dual(chord / metric.norm(chord))
    found = correct(curve, guess, normal, float(normal @ guess), metric, corrector, chord)
    if isinstance(found, CorrectorFailure):
        return found
    return found.placed(a.arclength + fraction * (b.arclength - a.arclength)).following(a)
