"""The search of one step: a change of counts that has more than one reading is halved until each half has one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bifurcate.bifurcations.codimension_one.coincident_points import find_several_kinds, is_same_pair
from bifurcate.bifurcations.codimension_one.crossing_estimates import (
    SAME,
    estimate_crossings,
    estimate_pair_crossings,
    interpolate_multipliers,
    nearest_pairs,
)
from bifurcate.bifurcations.codimension_one.located_points import branch_point_near, derivative_noise, point_of
from bifurcate.bifurcations.codimension_one.location import (
    MOST_BORDERS,
    TOGETHER,
    Critical,
    locate_pair,
    locate_real,
)
from bifurcate.bifurcations.codimension_one.step_bisection import bisect_step
from bifurcate.bifurcations.kinds import KindName
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct_between
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.linalg.multipliers import EDGE
from bifurcate.linalg.operators import ShiftedLowRank

__all__ = ["StepSearch"]

# Lengths are in the metric.
MOST_LOCATED_EACH = 200  # crossings in one step that are still located one by one: more cost minutes and tell no more
MOST_HALVINGS_DEEP = 40  # halvings of one part of a step: it is then 10⁻¹² of the step, and rounding moves its ends
MOST_HALVINGS = 150  # halvings of all parts of a step together: if more are needed, the counts are noise
NOISY_HALVINGS = 12  # ... where the map is noisy: shorter parts tell of its noise
SHORTEST_PART = 1e-9  # a part this short is not halved: points of a curve are known no better, if the map is exact
GRAZING = 1e-8  # multipliers this near the unit circle at both ends of a part are critical to within their error
COLLISION_HALVINGS = 6  # halvings after which a change of counts without a crossing counts as multipliers that collide
COLLISION_REACH = 10.0  # lengths of a part from the circle within which colliding multipliers may hide a crossing
POINT_SIZE = 1e-6  # a part this short with more crossings than a point can have holds a manifold of solutions, no point
SLACK = 8.0  # edges by which a multiplier may lie beyond the circle, on a straight line, when it is counted
TURN_SLACK = 1e-5  # how far outside a part a branch point may be met where the parameter seems to turn in it
TURN_REACH = 1e-4  # how far from the turn of the parameter a branch point lies that is met from its side branch
BESIDE = 3e-3  # parts of a step by which a point is moved aside where the corrector is singular
TORN = 2.0  # how many times farther apart than the curve between them is long two points of one curve can lie
# Numbers of halvings after which crossings of several kinds are tried as one point: most pairs are parted before.
COINCIDENCE_DEPTHS = (4, 12, 20, 26)


def _distance_to_circle(node: CurvePoint) -> float:
    return float(np.abs(np.abs(node.spectrum.values) - 1.0).min(initial=np.inf))


def _is_multiplicity_ambiguous(a: CurvePoint, b: CurvePoint) -> bool:
    """True if multiplicities are not resolved, in a part that is long enough for several points."""
    return not a.spectrum.multiplicities_resolved and b.arclength - a.arclength > POINT_SIZE


def _direction(node: CurvePoint, n: int) -> float:
    return 1.0 if node.tangent[n] >= 0 else -1.0


def _parameter_turns_twice(a: CurvePoint, b: CurvePoint, n: int, metric: Metric) -> bool:
    """True if the parameter's cubic Hermite interpolant turns twice between two points: two folds in one part."""
    h = metric.norm(b.u - a.u)
    if h < POINT_SIZE or max(abs(float(a.tangent[n])), abs(float(b.tangent[n]))) < POINT_SIZE * float(metric.widths[0]):
        return False  # the parameter changes by rounding only
    s, t, rise = float(a.tangent[n]), float(b.tangent[n]), float(b.u[n] - a.u[n]) / h
    # p'(θ)/h = s + 2 (3 rise − 2s − t) θ + 3 (s + t − 2 rise) θ²
    linear, square = 2.0 * (3.0 * rise - 2.0 * s - t), 3.0 * (s + t - 2.0 * rise)
    lowest = -linear / (2.0 * square) if square else 0.0
    return bool(s * t > 0 and 0 < lowest < 1 and (s + linear * lowest + square * lowest**2) * s < 0)


@dataclass
class StepSearch:
    """The search for special points of one step along a curve of cycles.

    Attributes
    ----------
    curve : Curve
        The curve.
    metric : Metric
        In which lengths are measured.
    start, end : CurvePoint
        The ends of the step, or of its smooth part that is searched.
    points : list of SpecialPoint
        What was located so far.
    doubts : list of (float, str)
        Changes of the counts that no located point explains, with the arclengths where they were seen.
    non_isolated : str
        Why the solutions stop being isolated within the step; "" if they do not.
    unlocated_crossings : list of str
        Crossings of too many multipliers to locate each of them.
    halvings : int
        How often parts of the step were halved.
    """

    curve: Curve
    metric: Metric
    start: CurvePoint
    end: CurvePoint
    points: list[SpecialPoint] = field(default_factory=list)
    doubts: list[tuple[float, str]] = field(default_factory=list)
    non_isolated: str = ""
    unlocated_crossings: list[str] = field(default_factory=list)
    halvings: int = 0

    @cached_property
    def noise(self) -> float:
        """The error of the Jacobian's entries."""
        return derivative_noise(self.curve, self.start)

    @property
    def slack(self) -> float:
        """Arclength by which a crossing may lie before the place where it is counted, a little outside the circle."""
        moved = _distance_to_circle(self.start) + _distance_to_circle(self.end)
        length = self.end.arclength - self.start.arclength
        return length * min(1.0, SLACK * self.curve.edge / max(moved, self.curve.edge))

    def search_smooth_part(self, a: CurvePoint, b: CurvePoint) -> None:
        """Search a part of the step within which the map is smooth."""
        self.start, self.end = a, b
        self.search(a, b, 0)

    def search(self, a: CurvePoint, b: CurvePoint, depth: int) -> None:
        """Find what happens between two points of the curve, from how the counts of multipliers changed.

        Parameters
        ----------
        a, b : CurvePoint
            The ends of a part of the step.
        depth : int
            How often the step was halved to come to this part.
        """
        up, down, pairs = (after - before for before, after in zip(a.spectrum.signature, b.spectrum.signature))
        turned = _direction(a, self.curve.size) != _direction(b, self.curve.size)
        if not (up or down or pairs or turned):
            if _parameter_turns_twice(a, b, self.curve.size, self.metric):
                self.halve(a, b, depth)
            return
        # Two real multipliers that meet lie on one side: one of each side changes by crossings.
        collision = up + down + 2 * pairs == 0 and up % 2 == 0 and not turned
        kinds = (bool(up) or turned) + bool(down) + bool(pairs)
        if collision:
            # Two real multipliers met and left the axis, or came back to it, outside the circle: no point lies there,
            # unless crossings hide behind each other. Smaller parts tell.
            near = min(_distance_to_circle(node) for node in (a, b)) / self.curve.slowness
            may_hide = near < COLLISION_REACH * (b.arclength - a.arclength) and depth < MOST_HALVINGS_DEEP // 2
            if depth < COLLISION_HALVINGS or may_hide:
                self.halve(a, b, depth)
            return
        if max(abs(up), abs(down)) > MOST_LOCATED_EACH and not turned and not _trivial_multiplier_crosses(a, b):
            self.locate_first_of_many(a, b, depth, 0 if abs(up) > MOST_LOCATED_EACH else 1)
        elif kinds > 1 or (turned and abs(up) > 1):
            self.locate_several_kinds(a, b, depth, turned, (up, down, pairs))
        elif max(abs(up), abs(down)) > 2 and _is_multiplicity_ambiguous(a, b):
            self.halve(a, b, depth)
        elif down:
            self.locate_real_crossings(a, b, depth, -1.0, abs(down))
        elif pairs:
            self.locate_pair_crossings(a, b, depth, abs(pairs))
        elif turned:
            self.locate_turn(a, b, depth, up)
        elif _trivial_multiplier_crosses(a, b) or (abs(up) > MOST_BORDERS and b.arclength - a.arclength < POINT_SIZE):
            self.non_isolated = f"{abs(up)} multipliers pass +1 together before {self.curve.where(b.u)}"
        elif abs(up) > MOST_BORDERS:
            self.halve(a, b, depth)
        else:
            self.locate_real_crossings(a, b, depth, 1.0, abs(up))

    def point_near(self, a: CurvePoint, b: CurvePoint, fraction: float) -> CurvePoint | CorrectorFailure:
        """The point of the curve at a fraction of a part, or beside it: on a branch point the corrector is singular."""
        node: CurvePoint | CorrectorFailure = CorrectorFailure("singular")
        for aside in (0.0, BESIDE, -BESIDE):
            node = correct_between(self.curve, a, b, min(max(fraction + aside, 0.0), 1.0), self.metric)
            if isinstance(node, CurvePoint):
                break
        return node

    def halve(self, a: CurvePoint, b: CurvePoint, depth: int) -> None:
        """Search both halves of a part, or note a doubt where halving will not tell more."""
        length = b.arclength - a.arclength
        # Points farther apart than the curve between them is long lie on two curves.
        torn = self.metric.norm(b.u - a.u) > TORN * length + SHORTEST_PART
        turned = _direction(a, self.curve.size) != _direction(b, self.curve.size)
        nearest = max(_distance_to_circle(a), _distance_to_circle(b))
        grazing = depth >= COLLISION_HALVINGS and not turned and nearest < GRAZING * self.curve.slowness
        self.halvings += 1
        most = NOISY_HALVINGS if self.curve.iterate.map.precision.is_noisy else MOST_HALVINGS
        deeper = (
            depth < MOST_HALVINGS_DEEP
            and length > max(SHORTEST_PART, self.curve.iterate.map.precision.slope_error)
            and self.halvings <= most
            and not (torn or grazing)
        )
        middle = self.point_near(a, b, 0.5) if deeper else None
        if isinstance(middle, CurvePoint):
            self.search(a, middle, depth + 1)
            self.search(middle, b, depth + 1)
            return
        if self.halvings > most + 1:  # one doubt stands for all
            return
        self.doubts.append(
            (b.arclength, self.doubt(a, b) + (f": {middle.detail}" if isinstance(middle, CorrectorFailure) else ""))
        )

    def doubt(self, a: CurvePoint, b: CurvePoint) -> str:
        """What was seen between two points, in words."""
        before, after, where = a.spectrum.signature, b.spectrum.signature, self.curve.where(b.u)
        if before == after:
            return f"the parameter seems to turn near {where}, where no fold or branch point could be located"
        nearest = min(_distance_to_circle(a), _distance_to_circle(b))
        change = f"counts of multipliers went from {before} to {after} near {where}"
        return f"{change}; the nearest multiplier is {nearest:.1e} from the unit circle"

    def remaining_doubts(self) -> list[str]:
        """Doubts, but for those beside a branch point: the corrector is nearly singular there, and counts are noise."""
        singular = [p.arclength for p in self.points if p.kind == "branch point" or p.period < self.curve.period]
        return [doubt for s, doubt in self.doubts if all(abs(s - other) > TURN_REACH for other in singular)]

    def locate_first_of_many(self, a: CurvePoint, b: CurvePoint, depth: int, which: int) -> None:
        """Of very many crossings locate the first few, if none came before.

        Parameters
        ----------
        a, b : CurvePoint
            The ends of a part of the step.
        depth : int
            How often the step was halved to come to this part.
        which : {0, 1}
            Which count of the signature changed: of multipliers beyond +1, or beyond −1.
        """
        before, after = (node.spectrum.signature[which] for node in (a, b))
        low, high, few = a, b, abs(after - before)
        if max(before, after) - few <= MOST_BORDERS:
            for _ in range(MOST_HALVINGS_DEEP):
                middle = (
                    self.point_near(low, high, 0.5)
                    if few > MOST_BORDERS and high.arclength - low.arclength > SHORTEST_PART
                    else None
                )
                if not isinstance(middle, CurvePoint):
                    break
                crossed = abs(middle.spectrum.signature[which] - before)
                low, high, few = (low, middle, crossed) if crossed else (middle, high, few)
        if few <= MOST_BORDERS:
            self.search(low, high, depth + 1)
        target, where = (1, -1)[which], f"between {self.curve.where(a.u)} and {self.curve.where(b.u)}"
        some = f"the first {few}" if few <= MOST_BORDERS else "none"
        self.unlocated_crossings.append(
            f"{abs(after - before)} multipliers pass {target:+d} {where}, of which {some} located"
        )

    def locate_real_crossings(self, a: CurvePoint, b: CurvePoint, depth: int, target: float, count: int) -> None:
        """Locate flips, or branch points, where ``count`` real multipliers cross −1 or +1."""
        found = self.find_real_crossings(a, b, target, count)
        if sum(point.multiplicity for point in found) == count or any(p.period < self.curve.period for p in found):
            self.points.extend(found)
        else:
            self.halve(a, b, depth)

    def find_real_crossings(self, a: CurvePoint, b: CurvePoint, target: float, count: int) -> list[SpecialPoint]:
        """The flips, or branch points, that are found near where ``count`` real multipliers seem to cross −1 or +1."""
        found: list[SpecialPoint] = []
        if not count:
            return found
        for fraction in estimate_crossings(a, b, target, count):
            node = self.point_near(a, b, fraction)
            values = interpolate_multipliers(a, b, fraction)
            point = self.locate_near(node, a, b, target, count, values) if isinstance(node, CurvePoint) else None
            if point is not None and all(abs(point.arclength - other.arclength) > TOGETHER for other in found):
                found.append(point)
        return found

    def locate_near(
        self, node: CurvePoint, a: CurvePoint, b: CurvePoint, target: float, count: int, values: np.ndarray | None
    ) -> SpecialPoint | None:
        """The flip or branch point nearest to a point between a and b, if it lies between them."""
        # Where multiplicities are not resolved as many multipliers are looked for as cross.
        borders = None if a.spectrum.multiplicities_resolved else min(count, MOST_BORDERS)
        if target < 0:
            reach = b.arclength - a.arclength + self.slack
            critical = locate_real(self.curve, node, target, self.metric, reach, values, borders)
            inside = critical is not None and _is_inside(critical.node.arclength, a, b, self.slack)
            return self.crossing("flip", critical) if critical is not None and inside else None
        # No fold: the parameter would have turned. If this is no branch point either, the step jumped past an
        # imperfect one, and the stepper learns that from the doubt that remains.
        return self.branch_point(node, a, b, borders=borders, values=values)

    def locate_pair_crossings(self, a: CurvePoint, b: CurvePoint, depth: int, count: int) -> None:
        """Locate Neimark–Sacker points, where ``count`` complex pairs cross the unit circle."""
        found = self.find_pair_crossings(a, b, count)
        if sum(point.multiplicity for point in found) == count:
            self.points.extend(found)
        else:
            self.halve(a, b, depth)

    def find_pair_crossings(self, a: CurvePoint, b: CurvePoint, count: int) -> list[SpecialPoint]:
        """The Neimark–Sacker points that are found near where ``count`` pairs seem to cross the unit circle."""
        found: list[SpecialPoint] = []
        if not count:
            return found
        for fraction in estimate_pair_crossings(a, b, count):
            node = self.point_near(a, b, fraction)
            if isinstance(node, CorrectorFailure):
                continue
            for value in nearest_pairs(node):
                reach = b.arclength - a.arclength + self.slack
                critical = locate_pair(self.curve, node, value, self.metric, reach)
                if critical is None or not _is_inside(critical.node.arclength, a, b, self.slack):
                    continue
                point = self.crossing("neimark-sacker", critical)
                if not any(is_same_pair(point, other) for other in found):
                    found.append(point)
        return found

    def locate_turn(self, a: CurvePoint, b: CurvePoint, depth: int, up: int) -> None:
        """Locate the fold at which the parameter turns back, or the branch point that a side branch touches there."""
        point = self.find_turn(a, b, up)
        if point is None:
            self.halve(a, b, depth)
        else:
            self.points.append(point)

    def find_turn(self, a: CurvePoint, b: CurvePoint, up: int) -> SpecialPoint | None:
        """The fold or the branch point that is found where the parameter turns back."""
        node = bisect_step(self.curve, a, b, self.metric, lambda x: float(x.tangent[self.curve.size]))
        if node is None:
            return None
        # Near the tip of a side branch the corrector's tolerance hides on which side of it a point lies.
        point = self.branch_point(node, a, b, TURN_SLACK)
        if point is not None and abs(point.arclength - node.arclength) < TURN_REACH:
            return point
        # At a fold one multiplier crosses +1: if the counts agree all the same, a branch point hides beside it.
        critical = locate_real(self.curve, node, 1.0, self.metric, b.arclength - a.arclength) if up else None
        inside = critical is not None and _is_inside(critical.node.arclength, a, b)
        return self.crossing("fold", critical) if critical is not None and inside else None

    def locate_several_kinds(
        self, a: CurvePoint, b: CurvePoint, depth: int, turned: bool, changes: tuple[int, int, int]
    ) -> None:
        """Part the crossings of several kinds by halving; now and then look whether they lie at one point.

        Parameters
        ----------
        a, b : CurvePoint
            The ends of a part of the step.
        depth : int
            How often the step was halved to come to this part.
        turned : bool
            True if the parameter turns back in it.
        changes : (int, int, int)
            How the counts of multipliers changed: beyond +1, beyond −1, pairs.
        """
        found = find_several_kinds(self, a, b, turned, changes) if depth in COINCIDENCE_DEPTHS else None
        if found is None:
            self.halve(a, b, depth)
        else:
            self.points.extend(found)

    def crossing(self, kind: KindName, critical: Critical) -> SpecialPoint:
        """The special point at which multipliers were found to be critical."""
        return point_of(self.curve, kind, critical, self.noise, self.metric)

    def branch_point(
        self,
        node: CurvePoint,
        a: CurvePoint,
        b: CurvePoint,
        slack: float = 0.0,
        borders: int | None = None,
        values: np.ndarray | None = None,
    ) -> SpecialPoint | None:
        """The branch point nearest to a point between a and b, if it lies between them, or within the slack."""
        slack += self.slack
        reach = b.arclength - a.arclength + SAME + slack
        point = branch_point_near(
            self.curve, node, self.metric, reach, self.noise, borders, values, (self.start, self.end)
        )
        return point if point is not None and _is_inside(point.arclength, a, b, slack) else None


def _is_inside(s: float, a: CurvePoint, b: CurvePoint, slack: float = 0.0) -> bool:
    return a.arclength - SAME - slack <= s <= b.arclength + SAME + slack


def _trivial_multiplier_crosses(a: CurvePoint, b: CurvePoint) -> bool:
    """True if a structured Jacobian's trivial multiplier passes +1."""
    before, after = a.linear.jacobian, b.linear.jacobian
    if isinstance(before, ShiftedLowRank) and isinstance(after, ShiftedLowRank):
        return bool((before.shift.real > 1.0 + EDGE) != (after.shift.real > 1.0 + EDGE))
    return False
