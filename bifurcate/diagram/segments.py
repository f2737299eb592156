"""Segments: the parts of a branch between two neighbouring special points, or between one of these and an end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bifurcate.continuation.branch_matching import BranchLocator
from bifurcate.linalg.multipliers import Spectrum

__all__ = ["Segment", "cut_into_segments"]


# Arclength up to which special points of two kinds lie at one place: where one is met by its parameter, from a branch
# that turns back there, it is known to the root of rounding only
SAME_PLACE = 2e-5
ON_CUT = 1e-9  # a branch's point within this arclength of a cut is the special point: the rounding of a sum of steps
# ... and within this one it does not tell on which side of the circle its multipliers are: where one touches the circle
# it is as near as rounding, 1e-9, up to the root of that.
BESIDE_CUT = 1e-4


@dataclass(frozen=True, eq=False)
class Segment:
    """A part of a branch without special points inside.

    Attributes
    ----------
    branch : int
        Number of the branch in the diagram.
    kind : str
        Kind of its curve: "cycle", or that of the special points of which it consists.
    period : int
        Period of its cycles.
    begin, end : float
        Arclengths of its two ends on the branch; ``end < begin`` where it runs through the seam of a loop.
    points : tuple of int
        Indices of the branch's points inside, in order.
    stable : bool or None
        True if its cycles are stable; None if that differs along it (the branch is in doubt) or is not known.
    outside : int or None
        Number of multipliers outside the unit circle; None if that differs along it or is not known.
    middle : Spectrum or None
        The multipliers at a point well inside.
    parameter : float
        The first free parameter at that point.
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

    @property
    def is_empty(self) -> bool:
        """True between two special points of different kinds that lie at one place."""
        return not self.points and 0.0 <= self.end - self.begin <= SAME_PLACE


def cut_into_segments(number: int, locator: BranchLocator, at: list[float], is_ring: bool) -> list[Segment]:
    """Cut a branch into segments.

    Parameters
    ----------
    number : int
        Number of the branch in the diagram.
    locator : BranchLocator
        The branch.
    at : list of float
        Arclengths of the cuts, rising; they include the branch's ends unless ``is_ring``.
    is_ring : bool
        True if the last cut is joined to the first, through the seam of a loop.

    Returns
    -------
    list of Segment
        In the order of arclength.
    """
    cuts = list(pairwise(at))
    if is_ring and at:
        cuts.append((at[-1], at[0]))
    return [_segment(number, locator, begin, end) for begin, end in cuts]


def _segment(number: int, locator: BranchLocator, begin: float, end: float) -> Segment:
    branch = locator.branch
    s = branch.arclength
    after, before = s > begin + ON_CUT, s < end - ON_CUT
    if 0.0 <= end - begin <= SAME_PLACE:
        return Segment(
            branch=number,
            kind=branch.curve.kind,
            period=branch.curve.period,
            begin=begin,
            end=end,
            points=(),
            stable=None,
            outside=None,
            middle=None,
            parameter=float(np.interp(begin, s, branch[branch.curve.free[0]])),
        )
    if end <= begin:
        points = np.concatenate([np.flatnonzero(after), np.flatnonzero(before)])
    else:
        points = np.flatnonzero(after & before)
    apart = points[(np.abs(s[points] - begin) > BESIDE_CUT) & (np.abs(s[points] - end) > BESIDE_CUT)]
    spectra = [branch.points[i].spectrum for i in (apart if len(apart) else points).tolist()]
    known = [spectrum for spectrum in spectra if spectrum is not None]
    middle, parameter = (known[len(known) // 2] if known else None), float(branch[branch.curve.free[0]][0])
    if len(points):
        parameter = branch.points[int(points[len(points) // 2])].free[0]
    elif (point := locator.point_near(0.5 * (begin + end))) is not None:
        middle, parameter = point.spectrum, float(point.u[branch.curve.size])
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
