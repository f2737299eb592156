"""Switching at border collisions: to the doubled cycle that is born there, and to the other side of the border."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure
from bifurcate.curves.cycle import CycleEquations
from bifurcate.curves.metric import Metric
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.maps.iterated_map import IteratedMap

__all__ = ["switches_at_border"]

Array = NDArray[np.float64]

FARTHEST = 1.0  # reaches by which a corrected point may differ from where the piecewise-linear normal form puts it


def switches_at_border(point: SpecialPoint, reaches: Iterable[float]) -> tuple[Curve, ...]:
    """The curves of cycles that start at a border collision: doubled cycles first, then those on its other side.

    Parameters
    ----------
    point : SpecialPoint
        Of kind "border".
    reaches : iterable of float
        Distances of the curves' first points, in the metric, that are tried in turn.

    Raises
    ------
    InvalidInput
        If the point could not be classified, or is no kink.
    NotConverged
        If no curve was reached.
    """
    found = point.border
    if found is None or found.verdict in ("smooth", "jump"):
        why = "" if found is None else {"smooth": "f is smooth there", "jump": "f jumps there"}[found.verdict]
        raise InvalidInput(f"no curve of cycles starts at {point}" + (f": {why}" if why else ""))
    reaches = tuple(reaches)
    ways = []
    if found.side and (doubled := found.doubled_direction()) is not None:
        ways.append((2, doubled))
    if found.verdict != "degenerate":
        ways.append((1, found.directions()[1]))
    tried = [_first(point, multiple, way, reaches) for multiple, way in ways]
    curves = tuple(curve for curve in tried if curve is not None)
    if not curves:
        raise NotConverged(
            f"no branch was reached from {point}", point.state, (point.residual,), "Try another amplitude."
        )
    return curves


def _first(point: SpecialPoint, multiple: int, way: Array, reaches: Iterable[float]) -> Curve | None:
    """The curve of cycles of a multiple of the period that leaves the border in a direction (y, μ)."""
    old, found = point.curve, point.border
    assert found is not None
    iterate = IteratedMap(old.iterate.map, old.iterate.state_shape, multiple * point.period, old.iterate.widths)
    centre = np.append(found.state, point.parameters[old.free[0]])
    equations = CycleEquations(iterate, old.equations.fixed, old.free)
    curve = Curve(equations, centre, sides=(1,), origin=point, krylov=old.krylov)
    metric = Metric.of(curve, np.ones(1) if point.widths is None else point.widths)
    t = way / metric.norm(way)
    row = metric.dual(t)
    for reach in reaches:
        guess = centre + reach * t
        node = correct(curve, guess, row, float(row @ guess), metric, TO_ROUNDING, t)
        if isinstance(node, CorrectorFailure) or metric.norm(node.u - guess) > FARTHEST * reach:
            continue
        if iterate.least_period(node.at.orbit) == iterate.period:
            return curve.replace(start=node.u, direction=node.tangent)
    return None
