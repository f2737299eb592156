"""Where the cycles of a curve of special points shrink onto cycles of half the period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint

__all__ = ["PeriodHalving", "detect_period_halving"]

TURNED_BACK = -0.5  # cosine between x − f^{k/2}(x) at two points below which the two states have changed places
HALVING_REACH = 2.0  # steps of the state that this difference may be long where the period halves
PARABOLA = 1e-3  # least difference of squared amplitudes, in units of the larger, from which a tip is extrapolated


@dataclass(frozen=True)
class PeriodHalving:
    """Where the cycles of a curve of special points shrink onto cycles of half the period.

    Attributes
    ----------
    description : str
        The period and the place, in words.
    fraction : float
        Of the step in which it lies.
    """

    description: str
    fraction: float

    def __str__(self) -> str:
        return self.description


def detect_period_halving(curve: Curve, a: CurvePoint, b: CurvePoint) -> PeriodHalving | None:
    """Find where, between two points of a curve, its cycles shrink onto cycles of half the period.

    There x and f^{k/2}(x) change places: their difference d passes 0 and changes sign. The place is the tip of a
    parabola in the amplitude |d| through both points: nearer to it the equations, of order |d|³, are rounding.
    """
    if curve.period % 2:
        return None
    n, j = curve.size, curve.period // 2
    before, after = (curve.iterate.difference(node.at.orbit[j], node.at.orbit[0]) for node in (a, b))
    sizes = float(before @ before), float(after @ after)
    turns = float(before @ after) < TURNED_BACK * np.sqrt(sizes[0] * sizes[1])
    if not turns or np.sqrt(min(sizes)) > HALVING_REACH * np.linalg.norm(b.u[:n] - a.u[:n]):
        return None
    near, far = (a, b) if sizes[0] < sizes[1] else (b, a)
    u = near.u + min(sizes) / max(max(sizes) - min(sizes), PARABOLA * max(sizes)) * (near.u - far.u)
    error = float(np.abs((u - near.u)[n : n + len(curve.free)]).max())
    part = float(np.sqrt(sizes[0]) / (np.sqrt(sizes[0]) + np.sqrt(sizes[1])))
    return PeriodHalving(f"period {j} at {curve.where(u)} ± {error:.0e}", part)
