"""On which side of a curve of bifurcations a cycle is stable."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bifurcate.continuation.branch import Branch
from bifurcate.errors import BifurcateError
from bifurcate.linalg.operators import dense
from bifurcate.newton.solve import solve

__all__ = ["stability_borders"]

# Distance from the curve, in widths of the chart, at which a cycle is solved: far enough for its critical multiplier to
# be told from 1, near enough for the other side of nothing else to be met.
BESIDE = 3e-3
# How far the multipliers that are not critical must lie inside the unit circle for the curve to be a border.
INSIDE = 1e-6
# size limit: of a state beyond which the direction of a fold, from a dense singular value decomposition, is not sought.
LARGEST_DENSE = 400
# Distances of guesses from the state on the curve, in the map's scale, along the critical direction: a cycle beside a
# fold lies at the square root of the distance from it.
REACHES = (0.0, 0.02, -0.02, 0.1, -0.1)


def stability_borders(branch: Branch, x: str, y: str) -> Iterator[tuple[int, int, int]]:
    """The parts of a curve of special points on one side of which the cycle that bifurcates is stable.

    Parameters
    ----------
    branch : Branch
        A curve of folds, flips or Neimark–Sacker points.
    x, y : str
        The two parameters of the chart.

    Yields
    ------
    first, end : int
        Points first to end − 1 of the branch.
    side : int
        +1 if the stable side is to the left of the curve, as it is drawn from its first point on; −1 if to the right.
    """
    if branch.curve.kind not in ("fold", "flip", "neimark-sacker") or len(branch) < 2:
        return
    plane = np.column_stack([branch[x], branch[y]])
    width = np.ptp(plane, axis=0)
    width[width == 0.0] = 1.0
    is_border = np.array([_is_border(branch, i) for i in range(len(branch))])
    cuts = {0, len(branch) - 1, *np.flatnonzero(np.diff(is_border.astype(int))).tolist()}
    cuts |= {int(np.searchsorted(branch.arclength, point.arclength)) for point in branch.special}
    edges = sorted(cut for cut in cuts if cut < len(branch))
    for first, last in pairwise(edges):
        middle = (first + last) // 2
        if last - first < 2 or not is_border[middle]:
            continue
        tangent = (plane[middle + 1] - plane[middle - 1]) / width
        normal = np.array([-tangent[1], tangent[0]]) / (np.linalg.norm(tangent) or 1.0)
        left, right = (_is_stable_beside(branch, middle, x, y, way * BESIDE * width * normal) for way in (1, -1))
        if left != right:
            yield first, last + 1, 1 if left else -1


def _is_border(branch: Branch, i: int) -> bool:
    """True if all multipliers but the critical ones lie inside the unit circle."""
    spectrum = branch.points[i].spectrum
    if spectrum is None:
        return False
    moduli = np.sort(np.repeat(np.abs(spectrum.values), spectrum.multiplicity))[::-1]
    critical = 2 if branch.curve.kind == "neimark-sacker" else 1
    return bool((moduli[critical:] < 1.0 - INSIDE).all())


def _is_stable_beside(branch: Branch, i: int, x: str, y: str, shift: NDArray[np.float64]) -> bool:
    """True if a stable cycle is found at a place beside the curve."""
    point = branch.points[i]
    p = {**point.parameters, x: point.parameters[x] + float(shift[0]), y: point.parameters[y] + float(shift[1])}
    map = branch.curve.iterate.map
    there = map.replace(**p)
    critical = np.zeros(point.state.size)
    if branch.curve.kind == "fold":
        if point.state.size > LARGEST_DENSE:
            return False
        J = dense(branch.as_special_point(i).jacobian)
        critical = np.linalg.svd(J - np.eye(len(J)))[2][-1]
    for reach in REACHES if branch.curve.kind == "fold" else (0.0,):
        guess = point.state + (reach * map.scale * critical).reshape(point.state.shape)
        try:
            if solve(there, guess, period=branch.curve.period).stable:
                return True
        except BifurcateError:
            continue
    return False
