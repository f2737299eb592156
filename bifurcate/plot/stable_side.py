"""On which side of a curve of bifurcations a cycle is stable: that towards which the critical multiplier moves inwards.

Along a direction n in the plane of both parameters, with the rates of
:mod:`~bifurcate.bifurcations.codimension_one.unfolding`, a cycle is stable towards n

    flip            where dλ/dn > 0, from −1 inwards
    Neimark–Sacker  where d|λ|/dn < 0
    fold            where <p, f_n> a < 0: there are two cycles, and one of them is stable

if all other multipliers lie inside the unit circle. No cycle beside the curve is solved for, so that no other cycle can
be taken for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.normal_forms import coefficients
from bifurcate.bifurcations.codimension_one.unfolding import unfold
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch

__all__ = ["stability_borders"]

# How far the multipliers that are not critical must lie inside the unit circle for the curve to be a border.
INSIDE = 1e-6
# Points of a part of the curve, as fractions of its length on the chart, at which the side is sought until it is sure
# at one. Steps may crowd at an end, beside a pole, where rounding decides.
TRIED = (0.5, 0.3, 0.7, 0.15, 0.85)
# The gradient stands across the curve; where its part along it is larger than this, one of both is wrong.
ALONG = 0.2
SURE = 2.0  # in errors of the rate at which the multiplier moves: below, the side is not known

Plane = NDArray[np.float64]


def stability_borders(branch: Branch, x: str, y: str) -> Iterator[tuple[Plane, int]]:
    """The parts of a curve of special points on one side of which the cycle that bifurcates is stable.

    Parameters
    ----------
    branch : Branch
        A curve of folds, flips or Neimark–Sacker points.
    x, y : str
        The two parameters of the chart.

    Yields
    ------
    line : ndarray, shape (m, 2)
        Both parameters along the part, from one point of codimension two to the next.
    side : int
        +1 if the stable side is to the left of the line, −1 if to the right.
    """
    if branch.curve.kind not in ("fold", "flip", "neimark-sacker") or len(branch) < 2:
        return
    plane = np.column_stack([branch[x], branch[y]])
    is_border = [_is_border(branch, i) for i in range(len(branch))]
    ends = [(point.arclength, point.parameters[x], point.parameters[y]) for point in branch.special]
    ends = [(-np.inf, *plane[0]), *sorted(ends), (np.inf, *plane[-1])]
    for (begin, *first), (end, *last) in pairwise(ends):
        between = np.flatnonzero((branch.arclength > begin) & (branch.arclength < end)).tolist()
        for is_part, run in groupby(between, key=is_border.__getitem__):
            if not is_part:
                continue
            part = list(run)
            side = _stable_side(branch, part, plane, x, y)
            if side:
                before = [first] if part[0] == between[0] else []
                after = [last] if part[-1] == between[-1] else []
                yield np.array([*before, *plane[part].tolist(), *after]), side


def _is_border(branch: Branch, i: int) -> bool:
    """True if a pair of multipliers on the unit circle is complex, and all that are not critical lie inside it."""
    point = branch.points[i]
    spectrum = point.spectrum
    if spectrum is None:
        return False
    if "cosine" in branch.curve.extra and abs(point.free[len(branch.curve.free)]) > 1.0:
        return False
    moduli = np.sort(np.repeat(np.abs(spectrum.values), spectrum.multiplicity))[::-1]
    critical = 2 if branch.curve.kind == "neimark-sacker" else 1
    return bool((moduli[critical:] < 1.0 - INSIDE).all())


def _stable_side(branch: Branch, part: list[int], plane: Plane, x: str, y: str) -> int:
    """+1 if cycles are stable to the left of the points of a part, −1 if to the right, 0 if it is not known."""
    width = np.ptp(plane, axis=0)
    width[width == 0.0] = 1.0
    length = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(plane[part] / width, axis=0), axis=1)))
    for i in dict.fromkeys(part[int(np.searchsorted(length, fraction * length[-1]))] for fraction in TRIED):
        tangent = plane[min(i + 1, len(plane) - 1)] - plane[max(i - 1, 0)]
        inwards = _inwards(branch.as_special_point(i), x, y)
        if inwards is not None:
            gradient, error = inwards
            left = np.array([-tangent[1], tangent[0]])
            sizes = float(np.linalg.norm(gradient * width) * np.linalg.norm(tangent / width))
            if abs(gradient @ tangent) < ALONG * sizes and abs(left @ gradient) > SURE * np.abs(left) @ error:
                return 1 if left @ gradient > 0.0 else -1
    return 0


def _inwards(point: SpecialPoint, x: str, y: str) -> tuple[Plane, Plane] | None:
    """A gradient in the plane of both parameters that shows to the stable side, and its error; None at degeneracies."""
    orbit = [state.reshape(-1) for state in point.cycle_states()]
    orbit.append(orbit[0])
    given = point.kind, point.iterate, orbit, point.parameters
    sign = {"flip": 1.0, "neimark-sacker": -1.0}.get(point.kind, 0.0)
    with np.errstate(all="ignore"):
        if point.kind == "fold":
            values, errors = coefficients(*given)
            if not values or abs(values["a"]) <= SURE * errors["a"]:
                return None
            sign = -float(np.sign(values["a"]))
        slopes = [unfold(*given, name, point.angle, (np.nan, 0.0)) for name in (x, y)]
    rates = [(slope.rate, slope.errors["rate"]) for slope in slopes if slope is not None]
    if len(rates) < 2 or not np.isfinite(rates).all():
        return None
    gradient, error = np.transpose(rates)
    return sign * gradient, error
