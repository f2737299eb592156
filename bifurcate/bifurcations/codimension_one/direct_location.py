"""special_point: a special point located directly from a guess, without a branch that leads to it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.located_points import branch_point_near, derivative_noise, point_of
from bifurcate.bifurcations.codimension_one.location import Critical, locate_pair, locate_real
from bifurcate.bifurcations.kinds import CURVE_KINDS, KINDS, KindName, find_kind
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.cycle import cycles
from bifurcate.curves.metric import Metric
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.linalg.bordered_system import Krylov, SingularSystem, bordered
from bifurcate.maps.map import Map
from bifurcate.validation import check_positive

__all__ = ["special_point"]

Vector = NDArray[np.float64]

ITERATIONS = 30  # Newton steps that bring the guess onto the curve of cycles: it may be far from there
PAIRS = 3  # complex pairs, those nearest the unit circle, from which a Neimark-Sacker point is looked for
ROUNDS = 3  # how often the search starts anew from where it came to, if multipliers were far from critical at first


def special_point(
    map: Map,
    kind: str,
    free: str,
    guess: Any,
    *,
    period: int = 1,
    reach: float | None = None,
    krylov: Krylov | None = None,
) -> SpecialPoint:
    """Locate a fold, flip, Neimark-Sacker or branch point directly, from a guess of its state and parameter.

    The guess is brought onto the curve of cycles in the free parameter; from there Newton's method on the extended
    system of the kind goes along the curve to the nearest point at which the multipliers meet its condition.

    Parameters
    ----------
    map : Map
        Its value of the free parameter is the guess of the point's.
    kind : str
        "fold", "flip", "neimark-sacker" or "branch point", or the label of one ("LP", "PD", "NS", "BP").
    free : str
        Name of the free parameter.
    guess : array_like, of the state's shape
        A state near the point.
    period : int
        Of the cycle that bifurcates.
    reach : float, optional
        How far from the map's value of the free parameter the point may lie, and the unit in which changes of the
        parameter are compared with changes of the state; by default the larger of 1 and the value's modulus.
    krylov : Krylov, optional
        Settings of GMRES, for maps with more than 200 unknowns and products with the Jacobian only.

    Returns
    -------
    SpecialPoint
        As one that was met on a branch: with normal form, error, and the curves that start there. Newton's method has
        stopped when its step along the curve no longer fell below 1e-8 of the reach.

    Raises
    ------
    InvalidInput
        If an argument is unusable.
    NotConverged
        If there is no cycle near the guess, or no such point of its branch within reach.

    References
    ----------
    Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, SIAM 2000, sections 3.3 and 4.2.

    Examples
    --------
    >>> import bifurcate as bf
    >>> flip = bf.special_point(bf.maps.logistic(r=2.9), "flip", free="r", guess=[0.66])
    >>> flip.label, round(flip.parameters["r"], 9), flip.form
    ('PD', 3.0, 'supercritical')
    """
    name = find_kind(kind).name
    if name not in CURVE_KINDS:
        raise InvalidInput(f"kind is {kind!r}; directly located are {', '.join(CURVE_KINDS)}")
    curve = cycles(map, free, guess, period=period, krylov=krylov)
    value = map.parameters[free]
    width = max(1.0, abs(value)) if reach is None else check_positive("reach", reach)
    metric = Metric.of(curve, np.array([width]))
    with np.errstate(all="ignore"):
        for start in _points_of_curve(curve, metric, name):
            found = _locate(curve, start, name, metric)
            if found is not None and abs(found.parameters[free] - value) <= width:
                return found
        residual = float(np.abs(curve.equations.evaluate(curve.start).residual).max())
    raise NotConverged(
        f"no {name} was located from {free} = {value:.6g} within {width:.3g} of it",
        curve.state(curve.start),
        (residual,),
        "Guess a state and a parameter nearer to it, or trace the branch and take branch.first(kind).",
    )


def _points_of_curve(curve: Curve, metric: Metric, kind: KindName) -> list[CurvePoint]:
    """Points of the curve of cycles near the guess: at its parameter, and across the curve's direction there.

    Near a fold there may be no cycle, or an ill-determined one, at the guess's parameter.
    """
    at_parameter = np.zeros(len(curve.start))
    at_parameter[-1] = 1.0
    across = _direction(curve, metric)
    normals = [across, at_parameter] if kind == "fold" else [at_parameter, across]
    found = [_correct_guess(curve, metric, normal) for normal in normals if normal is not None]
    return [point for point in found if isinstance(point, CurvePoint)]


def _direction(curve: Curve, metric: Metric) -> Vector | None:
    """The null vector of the linearised equations at the guess, where one is found."""
    linear = curve.equations.linearise(curve.equations.evaluate(curve.start))
    row = np.random.default_rng(curve.size).standard_normal(len(curve.start))
    C, D = row[None, :-1] * np.sqrt(metric.state), row[None, -1:] / metric.widths
    try:
        x, y = bordered(linear.M, linear.B, C, D, krylov=curve.krylov).solve(np.zeros(curve.size), np.ones(1))
    except SingularSystem:
        return None
    return np.concatenate([x, y])


def _correct_guess(curve: Curve, metric: Metric, normal: Vector) -> CurvePoint | CorrectorFailure:
    row = metric.dual(normal / metric.norm(normal))
    return correct(curve, curve.start, row, float(row @ curve.start), metric, Corrector(max_iterations=ITERATIONS))


def _locate(curve: Curve, start: CurvePoint, kind: KindName, metric: Metric) -> SpecialPoint | None:
    """The nearest point of a kind to a point of the curve, by its extended system."""
    if kind == "branch point":
        return branch_point_near(curve, start, metric, 1.0)
    critical: Critical | None = None
    here = start
    for _ in range(ROUNDS):
        critical = _nearest_crossing(curve, here, kind, metric)
        if critical is None or critical.node.arclength == here.arclength:
            break
        here = critical.node
    if critical is None:
        return None
    return point_of(curve, kind, critical, derivative_noise(curve, critical.node), metric)


def _nearest_crossing(curve: Curve, here: CurvePoint, kind: KindName, metric: Metric) -> Critical | None:
    """The nearest point along the curve where multipliers meet the kind's condition."""
    if KINDS[kind].pairs:
        spectrum = here.spectrum
        upper = spectrum.values[~spectrum.real & (spectrum.values.imag > 0)]
        order = np.argsort(np.abs(np.abs(upper) - 1.0))[:PAIRS]
        tried = [locate_pair(curve, here, complex(upper[i]), metric, 1.0) for i in order]
        found = [each for each in tried if each is not None]
        return min(found, key=lambda each: abs(each.node.arclength - here.arclength), default=None)
    (target,) = KINDS[kind].real
    return locate_real(curve, here, target, metric, 1.0)
