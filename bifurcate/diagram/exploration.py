"""What exploration knows: one record for each branch and each special point, and how known ones are matched."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.continuation.branch_matching import BranchLocator, same_point
from bifurcate.curves.curve import Curve
from bifurcate.curves.metric import Metric

__all__ = ["BranchRecord", "Exploration", "Meeting", "PointRecord"]

SEAM = 1e-4  # a point met twice within this arclength was met once, from two neighbouring steps or at a loop's seam
PARTS = 4  # a branch was traced before if two of its points at one, two and three quarters lie on another branch
SAME_PLACE = 1e-9  # arclengths that differ by less are one place on a branch: rounding of a sum of steps


class Meeting(NamedTuple):
    """Where a special point lies on a branch."""

    branch: int
    arclength: float


@dataclass(frozen=True, eq=False)
class BranchRecord:
    """A branch that was traced.

    Attributes
    ----------
    locator : BranchLocator
        The branch, prepared for finding what lies on it.
    generation : int
        1 if its curve was given, 2 if it starts at a point of such a branch, and so on.
    """

    locator: BranchLocator
    generation: int

    @property
    def branch(self) -> Branch:
        """The branch."""
        return self.locator.branch

    @property
    def is_loop(self) -> bool:
        """True if the branch closes."""
        return self.branch.stop.last.reason == "closed"


@dataclass(frozen=True, eq=False)
class PointRecord:
    """A special point.

    Attributes
    ----------
    point : SpecialPoint
        As it was located first.
    meetings : tuple of Meeting
        Where it lies on branches.
    is_followed : bool
        True if the curves that start there were computed.
    """

    point: SpecialPoint
    meetings: tuple[Meeting, ...]
    is_followed: bool = False

    def lies_on(self, branch: int) -> bool:
        """True if it lies on a branch, as far as is known."""
        return any(meeting.branch == branch for meeting in self.meetings)


@dataclass(eq=False)
class Exploration:
    """What exploration knows, and the only owner of it; branches and points are numbered in the order of discovery.

    Attributes
    ----------
    bounds : dict of str to (float, float)
        Intervals of the parameters.
    branches : list of BranchRecord
    points : list of PointRecord
    """

    bounds: dict[str, tuple[float, float]]
    branches: list[BranchRecord] = field(default_factory=list)
    points: list[PointRecord] = field(default_factory=list)

    @property
    def widths(self) -> dict[str, float]:
        """Widths of the bounds, in which distances are measured."""
        return {name: float(high) - float(low) for name, (low, high) in self.bounds.items()}

    def metric(self, curve: Curve) -> Metric:
        """The metric in which distances on a curve are measured."""
        return Metric.of(curve, np.array([self.widths[name] for name in curve.free]))

    def bounds_of(self, curve: Curve) -> dict[str, tuple[float, float]]:
        """Intervals of a curve's free parameters."""
        return {name: self.bounds[name] for name in curve.free}

    def branch_through_start(self, curve: Curve, origin: SpecialPoint | None) -> int | None:
        """The number of the branch on which a curve starts; None if it is on none that was traced.

        Parameters
        ----------
        curve : Curve
            The curve.
        origin : SpecialPoint or None
            The point at which the curve starts, if there is one: branches that cross there are matched more strictly.
        """
        for number, locator in self._alike(curve):
            apart = np.inf if origin is None else locator.distance(curve.start, origin)
            if locator.locate(curve.start, apart if apart > 0.0 else np.inf) is not None:
                return number
        return None

    def branch_traced_before(self, branch: Branch) -> int | None:
        """The number of the branch on which most of a few points inside another one lie; None if there is none."""
        inside = [branch.points[i] for i in {len(branch) * part // PARTS for part in range(1, PARTS)}]
        for number, locator in self._alike(branch.curve):
            held = [locator.locate(np.append(np.ravel(p.unknowns), p.free)) is not None for p in inside]
            if sum(held) > len(held) / 2:
                return number
        return None

    def _alike(self, curve: Curve) -> Iterator[tuple[int, BranchLocator]]:
        """The branches on which a curve may lie: those of its kind, period, free parameters and size."""

        def key(each: Curve) -> tuple[object, ...]:
            return each.kind, each.period, each.free, each.size

        for number, record in enumerate(self.branches):
            if key(record.branch.curve) == key(curve):
                yield number, record.locator

    def add_branch(self, branch: Branch, generation: int) -> int:
        """Add a branch; returns its number."""
        self.branches.append(BranchRecord(BranchLocator(branch, self.metric(branch.curve)), generation))
        return len(self.branches) - 1

    def find_point(self, point: SpecialPoint) -> int | None:
        """The number of a special point; None if it is new."""
        for number, record in enumerate(self.points):
            if same_point(record.point, point, self.widths):
                return number
        return None

    def add_meeting(self, point: SpecialPoint, meeting: Meeting) -> tuple[int, bool]:
        """Note that a special point lies on a branch; returns the point's number, and True if the point is new."""
        number = self.find_point(point)
        if number is None:
            self.points.append(PointRecord(point, (meeting,)))
            return len(self.points) - 1, True
        known = self.points[number]
        if not any(self._is_same_place(meeting, other) for other in known.meetings):
            self.points[number] = dataclasses.replace(known, meetings=(*known.meetings, meeting))
        return number, False

    def _is_same_place(self, one: Meeting, other: Meeting) -> bool:
        """True if two meetings are one: nearby on one branch, or on both sides of a loop's seam."""
        if one.branch != other.branch:
            return False
        record = self.branches[one.branch]
        apart = abs(one.arclength - other.arclength)
        length = float(record.locator.arclength[-1] - record.locator.arclength[0])
        return apart < SEAM or (record.is_loop and abs(apart - length) < SEAM)

    def lies_on(self, point: SpecialPoint, branch: int) -> bool:
        """True if it is known that a special point lies on a branch."""
        return any(same_point(record.point, point, self.widths) and record.lies_on(branch) for record in self.points)

    def mark_followed(self, number: int, is_followed: bool = True) -> None:
        """Note whether the curves that start at a point were asked for."""
        self.points[number] = dataclasses.replace(self.points[number], is_followed=is_followed)

    def points_on(self, branch: int) -> list[SpecialPoint]:
        """The special points of a branch, in the order in which they were found."""
        return [record.point for record in self.points if record.lies_on(branch)]

    def points_at(self, branch: int, arclength: float) -> list[SpecialPoint]:
        """The special points at an arclength of a branch."""

        def is_there(meeting: Meeting) -> bool:
            return meeting.branch == branch and abs(meeting.arclength - arclength) < SAME_PLACE

        return [record.point for record in self.points if any(map(is_there, record.meetings))]
