"""Bifurcations of several kinds at one place: each is located by its own system, on a branch point without a corrector.

At a branch point every linear system along one of the curves that cross is singular. A flip, or a pair of modulus 1,
that lies there is tested at the point itself, with the curve's own tangent (``location.locate_real_at`` and
``locate_pair_at``).
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

from bifurcate.bifurcations.codimension_one.crossing_estimates import nearest_pairs
from bifurcate.bifurcations.codimension_one.location import TOGETHER, Critical, locate_pair_at, locate_real_at
from bifurcate.bifurcations.kinds import KindName
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import point_with_tangent
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint

__all__ = ["find_several_kinds", "is_same_pair"]


class Search(Protocol):
    """The search of a step, as far as it is used here: what locates points of one kind in a part of the step."""

    curve: Curve

    def find_turn(self, a: CurvePoint, b: CurvePoint, up: int) -> SpecialPoint | None:
        """The fold or branch point where the parameter turns back."""

    def find_real_crossings(self, a: CurvePoint, b: CurvePoint, target: float, count: int) -> list[SpecialPoint]:
        """The flips, or branch points, of a part."""

    def find_pair_crossings(self, a: CurvePoint, b: CurvePoint, count: int) -> list[SpecialPoint]:
        """The Neimark–Sacker points of a part."""

    def crossing(self, kind: KindName, critical: Critical) -> SpecialPoint:
        """The special point at which multipliers were found to be critical."""


def find_several_kinds(
    search: Search, a: CurvePoint, b: CurvePoint, turned: bool, changes: tuple[int, int, int]
) -> list[SpecialPoint] | None:
    """The points of all kinds in a part of a step, if they account for all changes of the counts.

    Parameters
    ----------
    search : StepSearch
        The search of the step.
    a, b : CurvePoint
        The ends of the part.
    turned : bool
        True if the parameter turns back in it.
    changes : (int, int, int)
        How the counts of multipliers changed: beyond +1, beyond −1, pairs.
    """
    up, down, pairs = map(abs, changes)
    first = [search.find_turn(a, b, up)] if turned else search.find_real_crossings(a, b, 1.0, up)
    points = [point for point in first if point is not None]
    if len(points) != len(first) or sum(point.multiplicity for point in points) != max(up, int(turned)):
        return None
    crossing = next((point for point in points if point.kind == "branch point"), None)
    flips = _flips_at(search, crossing, down) or search.find_real_crossings(a, b, -1.0, down)
    rotations = _pairs_at(search, crossing, pairs) or search.find_pair_crossings(a, b, pairs)
    counts = [sum(point.multiplicity for point in each) for each in (flips, rotations)]
    return _marked_together([*points, *flips, *rotations]) if counts == [down, pairs] else None


def _flips_at(search: Search, crossing: SpecialPoint | None, count: int) -> list[SpecialPoint]:
    """The flip at a branch point, if ``count`` multipliers are −1 there."""
    if crossing is None or not count:
        return []
    critical = locate_real_at(search.curve, _node_at(search.curve, crossing), -1.0)
    return (
        [] if critical is None or critical.multiplicity != count else [_at(crossing, search.crossing("flip", critical))]
    )


def _pairs_at(search: Search, crossing: SpecialPoint | None, count: int) -> list[SpecialPoint]:
    """The Neimark–Sacker points at a branch point, if ``count`` pairs have modulus 1 there."""
    if crossing is None or not count:
        return []
    node, found = _node_at(search.curve, crossing), list[SpecialPoint]()
    for value in nearest_pairs(node):
        critical = locate_pair_at(search.curve, node, value)
        point = None if critical is None else _at(crossing, search.crossing("neimark-sacker", critical))
        if point is not None and not any(is_same_pair(point, other) for other in found):
            found.append(point)
    return found if sum(point.multiplicity for point in found) == count else []


def _at(crossing: SpecialPoint, point: SpecialPoint) -> SpecialPoint:
    """A point that was tested at a branch point: the error of that one's place is its own, too."""
    return dataclasses.replace(point, error=point.error + crossing.error)


def _node_at(curve: Curve, crossing: SpecialPoint) -> CurvePoint:
    """A branch point as a point of the curve that it was met on."""
    assert crossing.tangent is not None  # a branch point that was met on a curve has it
    return point_with_tangent(curve, crossing.u, crossing.tangent, crossing.arclength)


def _marked_together(points: list[SpecialPoint]) -> list[SpecialPoint]:
    """The points, each with the kinds of the others that lie at its place."""

    def others(point: SpecialPoint) -> tuple[KindName, ...]:
        near = (each for each in points if abs(each.arclength - point.arclength) <= TOGETHER)
        return tuple(dict.fromkeys(each.kind for each in near if each.kind != point.kind))

    tangent = next((point.tangent for point in points if point.kind == "branch point"), None)
    return [
        dataclasses.replace(point, together=others(point), tangent=tangent if point.tangent is None else point.tangent)
        for point in points
    ]


def is_same_pair(a: SpecialPoint, b: SpecialPoint) -> bool:
    """True if two Neimark–Sacker points are one that was located twice."""
    return abs(a.arclength - b.arclength) <= TOGETHER and abs(a.angle - b.angle) <= TOGETHER
