"""Round a corner: a branch that meets a border at so sharp an angle that no step along its tangent leads beyond it."""

from __future__ import annotations

import numpy as np

from bifurcate.bifurcations.codimension_one.border_collision import border_just_ahead
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.curves.corrector import correct
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint

__all__ = ["round_corner"]

# Parts of the first step by which the branch is begun on the other side, tried in turn.
REACHES = (0.2, 0.02, 0.002)
ROUNDED = ("persistence", "non-smooth fold")


def round_corner(run: ContinuationProblem, here: CurvePoint) -> tuple[CurvePoint, SpecialPoint] | None:
    """The first point beyond a border just ahead, and the border point; None if there is none, or it is not classified.

    The piecewise-linear normal form tells in which direction the branch leaves the border on its other side.

    Parameters
    ----------
    run : ContinuationProblem
        The curve with its metric.
    here : CurvePoint
        The last point before the border.
    """
    curve, metric = run.curve, run.metric
    if not run.detect or curve.iterate.shape != curve.iterate.state_shape:
        return None
    point = border_just_ahead(curve, here, metric)
    if point is None or point.border is None or point.border.verdict not in ROUNDED:
        return None
    (index, _), size = point.switching or (0, 0.0), curve.size
    phase = index // max(1, len(curve.iterate.border_signs(here.at.orbit, here.at.parameters)) // curve.period)
    way = point.border.directions()[1]
    if phase:  # the direction is that of a later state: carried on to the first one
        way = np.append(_carried(run, point, way, curve.period - phase), way[-1])
    t = way / metric.norm(way)
    row = metric.dual(t)
    for reach in (part * run.control.first for part in REACHES):
        guess = point.u + reach * t
        found = correct(curve, guess, row, float(row @ guess), metric, None, t)
        if not isinstance(found, CorrectorFailure) and metric.norm(found.u[: size + 1] - guess) < reach:
            return found.placed(point.arclength + metric.norm(found.u - point.u)), point
    return None


def _carried(run: ContinuationProblem, point: SpecialPoint, way: np.ndarray, steps: int) -> np.ndarray:
    """The direction (y, μ) of a state on the border after some steps of f, on its other side."""
    iterate, p = run.curve.iterate, point.parameters
    assert point.border is not None
    reach = REACHES[-1] * run.control.first / run.metric.norm(way)
    free = run.curve.free[0]
    y, q = point.border.state + reach * way[:-1], {**p, free: p[free] + reach * float(way[-1])}
    z, step = point.border.state, iterate.step_near
    for _ in range(steps):
        y, z = step(y, q)(y), step(z, p)(z)
    return np.asarray((y - z) / reach)
