"""Segments: the parts of a branch between two neighbouring special points, or between one of these and an end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bifurcate.continuation.branch import Branch
from bifurcate.continuation.branch_matching import BranchLocator
from bifurcate.linalg.multipliers import Spectrum

__all__ = ["Segment", "cut_into_segments"]


ON_CUT = 1e-9  # a branch's point within this arclength of a cut is the special point itself: rounding of arclengths


@dataclass(frozen=True, eq=False)
class Segment:
    """A part of a branch without special points inside.

    Attributes
    ----------
    branch : int
        Which branch of the diagram.
    kind : str
        Of its curve: "cycle", or that of the special points on it.
    period : int
        Of its cycles.
    begin, end : float
        Arclengths of its two ends on the branch; ``end < begin`` where it runs through the seam of a loop.
    points : tuple of int
        Indices of the branch's points inside, in order. Their curve has no special point between them.
    stable : bool or None
        Whether its cycles are stable; None if that differs along it (the branch is in doubt) or is not known.
    outside : int or None
        Number of multipliers outside the unit circle, likewise.
    middle : Spectrum or None
        The multipliers at a point well inside.
    parameter : float
        The first free parameter there.
    """

    branch: int
    kind: str
    period: int
    begin: float
    end: float
    points: tuple[int, ...]
    stable: bool | None
    outside: int | None
    middle: Spectrum | None
    parameter: float


def cut_into_segments(number: int, locator: BranchLocator, at: list[float], closed: bool) -> list[Segment]:
    """The segments of a branch cut at arclengths in order, which include its ends unless it is closed."""
    branch = locator.branch
    cuts = list(pairwise(at))
    if closed and at:
        cuts.append((at[-1], at[0]))
    return [_segment(number, locator, branch, begin, end) for begin, end in cuts]


def _segment(number: int, locator: BranchLocator, branch: Branch, begin: float, end: float) -> Segment:
    s = branch.arclength
    after, before = s > begin + ON_CUT, s < end - ON_CUT
    if end <= begin:
        points = np.concatenate([np.flatnonzero(after), np.flatnonzero(before)])
    else:
        points = np.flatnonzero(after & before)
    spectra = [branch.points[i].spectrum for i in points.tolist()]
    known = [spectrum for spectrum in spectra if spectrum is not None]
    middle, parameter = (known[len(known) // 2] if known else None), float(branch[branch.curve.free[0]][0])
    if len(points):
        parameter = branch.points[int(points[len(points) // 2])].free[0]
    elif (node := locator.point_near(0.5 * (begin + end))) is not None:
        middle, parameter = node.spectrum, float(node.u[branch.curve.size])
        known = [middle]
    if branch.curve.codimension > 0:
        known = []  # on a curve of special points no cycle is stable or unstable by its multipliers alone
    stable, outside = {each.stable for each in known}, {each.outside for each in known}
    return Segment(
        branch=number,
        kind=branch.curve.kind,
        period=branch.curve.period,
        begin=begin,
        end=end,
        points=tuple(points.tolist()),
        stable=stable.pop() if len(stable) == 1 else None,
        outside=outside.pop() if len(outside) == 1 else None,
        middle=middle,
        parameter=parameter,
    )
