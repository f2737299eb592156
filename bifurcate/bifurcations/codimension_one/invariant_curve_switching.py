"""From a Neimark–Sacker point to the closed invariant curves that are born there.

With q the critical eigenvector the curve of amplitude ε is x(θ) = x* + 2 ε Re(q e^{2πiθ}) + O(ε²), its rotation number
and parameter those of the point up to O(ε²), of which the unfolding knows the leading terms. Newton's method on the
equations of invariant curves, across this direction, makes it exact: it takes no attraction, so that curves on the
unstable side of a subcritical point are found like others.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.normal_forms import critical_multiplier, multiplier_functional
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.invariant_curve_equations import FEWEST_ANGLES, KIND, LARGEST_CURVE, InvariantCurveEquations
from bifurcate.curves.metric import Metric
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.linalg.bordered_system import SingularSystem
from bifurcate.maps.invariant_curve_map import InvariantCurveMap

__all__ = ["curve_from_neimark_sacker"]

Array = NDArray[np.float64]

AMPLITUDES = (3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5)  # tried in turn: the largest leaves the point fastest
ROTATION_WIDTH = 2.0  # width of the rotation number in the metric: so that parameters decide how long steps are
STRONG = 1e-4  # distance of a power of the multiplier up to the fourth from 1 that is a strong resonance
NEAR = 0.5  # part of the amplitude by which the curve may differ from its first approximation
QUADRATIC = 0.5  # part by which the parameter may differ from growing with the square of the amplitude
QUADRATIC_ROUNDING = 1e-9  # ... and its rounding, in widths of the bounds
RESIZED = 4  # times that the number of modes may change before the start is left


def curve_from_neimark_sacker(point: SpecialPoint, amplitude: float | None = None) -> Curve:
    """The curve of closed invariant curves that starts at a Neimark–Sacker point.

    Parameters
    ----------
    point : SpecialPoint
        On a branch of cycles in one parameter.
    amplitude : float, optional
        Root mean square distance of the first curve from the cycle, in units of the state.

    Raises
    ------
    InvalidInput
        If the point is of another kind, several pairs cross there, or it lies at a strong resonance.
    NotConverged
        If no curve was found.
    """
    _check(point)
    with np.errstate(all="ignore"):
        for reach in AMPLITUDES if amplitude is None else (amplitude,):
            found = _born(point, reach)
            if found is not None:
                return found
    raise NotConverged(
        f"no closed invariant curve was reached from {point}",
        point.state,
        (point.residual,),
        "Near a resonance there is none beside the point: try another amplitude.",
    )


def _check(point: SpecialPoint) -> None:
    if point.kind != "neimark-sacker" or point.curve.codimension > 0:
        raise InvalidInput(f"closed invariant curves are born at Neimark–Sacker points on branches; {point} is none")
    if point.multiplicity > 1:
        raise InvalidInput(f"several pairs of multipliers cross at {point}: what is born there is no single curve")
    for q in (1, 2, 3, 4):
        if abs(np.exp(1j * q * point.angle) - 1.0) < STRONG:
            raise InvalidInput(
                f"{point} lies at a 1:{q} resonance (its multiplier's angle is {point.angle:.6g}): no closed invariant "
                "curve need be born there; vary another parameter"
            )
    if FEWEST_ANGLES * point.iterate.size > LARGEST_CURVE:
        raise InvalidInput(
            f"the state has {point.iterate.size} numbers; invariant curves are followed in few dimensions"
        )


def _equations(point: SpecialPoint, m: int, direction: Array) -> InvariantCurveEquations:
    """The equations with m angles; the phase is fixed by the first mode."""
    old = point.curve
    shape = (m, *point.iterate.state_shape)
    iterate = InvariantCurveMap(old.iterate.map, shape, 1, widths=old.iterate.widths, steps=point.period)
    return InvariantCurveEquations(iterate, old.equations.fixed, old.free, direction)


def _first_mode(point: SpecialPoint, m: int) -> Array:
    """2 Re(q e^{2πiθ}) at m angles, shape (m, n)."""
    q, _ = multiplier_functional(point.jacobian, critical_multiplier(point.kind, point.angle))
    q = np.asarray(q).ravel()
    turns = np.exp(2j * np.pi * np.arange(m) / m)
    return np.asarray(2.0 * (turns[:, None] * (q / np.linalg.norm(q))[None, :]).real)


def _born(point: SpecialPoint, reach: float) -> Curve | None:
    """The curve with its start at an amplitude; None if there is none there."""
    m = FEWEST_ANGLES
    for _ in range(RESIZED):
        try:
            mode = _first_mode(point, m)
        except SingularSystem:
            return None
        curve, metric, t = _curve(point, m, mode)
        node = _corrected(curve, metric, t, point, reach)
        if node is None:
            return None
        wanted = curve.equations.angles_wanted(node.u)  # type: ignore[attr-defined]
        if wanted <= m:
            half = _corrected(curve, metric, t, point, 0.5 * reach)
            is_born = half is not None and _grows_quadratically(curve, metric, node, half)
            return curve.replace(start=node.u, direction=node.tangent) if is_born else None
        if wanted * point.iterate.size > LARGEST_CURVE:
            return None
        m = wanted
    return None


def _curve(point: SpecialPoint, m: int, mode: Array) -> tuple[Curve, Metric, Array]:
    """The equations with the point itself, a curve of no extent, as start; their metric, and the direction away."""
    equations = _equations(point, m, mode)
    size, states = equations.iterate.size, np.tile(point.state.ravel(), m)
    start = np.concatenate([states, [point.parameters[point.curve.free[0]], point.angle / (2.0 * np.pi)]])
    curve = Curve(equations, start, kind=KIND, sides=(1,), origin=point, krylov=point.curve.krylov)
    width = 1.0 if point.widths is None else float(point.widths[0])
    metric = Metric.of(curve, np.array([width, ROTATION_WIDTH]))
    t = np.zeros(len(start))
    t[:size] = mode.ravel()
    return curve, metric, t / metric.norm(t)


def _corrected(curve: Curve, metric: Metric, t: Array, point: SpecialPoint, reach: float) -> CurvePoint | None:
    """The curve at an amplitude, on the hyperplane across the first mode; None if there is none near its prediction."""
    guess = curve.start + reach * t
    unfolding = point.unfolding
    if unfolding is not None and unfolding.side:
        size = float(np.abs(guess[: curve.size] - curve.start[: curve.size]).reshape(curve.iterate.shape[0], -1).max())
        q_size = float(np.abs(_first_mode(point, curve.iterate.shape[0])).max())
        change = unfolding.side * (size / q_size / unfolding.radius) ** 2
        guess[curve.size] += change
        guess[curve.size + 1] += unfolding.rotation * change / (2.0 * np.pi)
    row = metric.dual(t)
    node = correct(curve, guess, row, float(row @ curve.start) + reach, metric, TO_ROUNDING, t)
    if not isinstance(node, CurvePoint):
        return None
    apart = metric.norm(node.u - guess)
    return node if apart < NEAR * reach else None


def _grows_quadratically(curve: Curve, metric: Metric, node: CurvePoint, half: CurvePoint) -> bool:
    """True if the parameter, measured from the point, is four times as far at an amplitude as at half of it."""
    n = curve.size
    whole, part = (float(each.u[n] - curve.start[n]) / float(metric.widths[0]) for each in (node, half))
    return abs(4.0 * part - whole) <= QUADRATIC * abs(whole) + QUADRATIC_ROUNDING
