"""What happens between two neighbouring points of a branch: noticed from multipliers with their multiplicities.

Watched are the three counts of a spectrum's signature (real multipliers beyond +1, real ones beyond −1, complex pairs
outside the unit circle), the sign of the tangent's parameter component, and the map's switching functions. A
determinant's sign would miss two multipliers that cross together; a product of two multipliers would take a real pair
λ, 1/λ for a Neimark–Sacker point. A change that has more than one reading is halved until each half has one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bifurcate.bifurcations.codimension_one.border_collision import locate_border_collisions, smooth_parts
from bifurcate.bifurcations.codimension_one.branch_point_location import BranchPoint, locate_branch_point
from bifurcate.bifurcations.codimension_one.crossing_estimates import (
    SAME,
    estimate_crossings,
    estimate_pair_crossings,
    interpolate_multipliers,
    nearest_pairs,
)
from bifurcate.bifurcations.codimension_one.location import MOST, TOGETHER, Critical, locate_pair, locate_real
from bifurcate.bifurcations.codimension_two.event_detection import detect_codimension_two, detect_period_halving
from bifurcate.bifurcations.kinds import KindName
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct_between
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.curves.minimally_augmented.augmented_system import AugmentedEvaluation
from bifurcate.curves.step_cache import StepCache
from bifurcate.linalg.multipliers import EDGE

__all__ = ["StepEvents", "branch_point_near", "derivative_noise", "detect_events", "point_of"]

CROWD = 200  # crossings in one step that are still located one by one
DEPTH = 40  # halvings of a step before an event is reported as an interval
HALVINGS = 150  # ... and halvings of all its parts: more, and the counts are noise
SMALLEST = 1e-9  # ... or an interval of this length, in the metric's units
GRAZING = 1e-8  # multipliers this close to the unit circle at both ends will not tell more in smaller pieces
COLLISION = 6  # halvings before a change of counts without a crossing is taken for a collision of multipliers
PERFECT = 1e-11  # what a branch point's reduced equations may leave, in the metric's units; more is imperfect
TINY = 1e-6  # more multipliers than a point can have, within such a length: a manifold of solutions, not a point
BESIDE = 1e-5  # ... and may be met this far outside the step in which the parameter seems to turn
NEAR = 1e-4  # a branch point seen from its side branch lies this close to where the parameter turns
UNFOLDED = 1e-8  # what a branch point's unfolding may be, in units of the state: more, and it is none

_UNFOLDED = (
    "no symmetry and no invariant subspace holds the branch point as a second parameter varies: it is isolated, or "
    "part of a curve in three parameters; name two further ones in locus(point, free=(…, …))"
)
_PARTED = "multipliers that crossed together by a symmetry part here, so that none of them is critical any more"


@dataclass(frozen=True)
class StepEvents:
    """What examine returns: special points in the order of the branch, where the branch ends early, and doubts.

    Attributes
    ----------
    points : list of SpecialPoint
    collapsed : SpecialPoint or str or None
        Where the cycle shrank onto one of a smaller period; the branch ends there.
    doubts : list of str
        Changes of the counts that could not be explained by a point.
    crowds : list of str
        Crossings of too many multipliers to locate each of them; shorter steps would not tell more.
    barrier : str
        Not empty if the solutions stop being isolated between the two nodes: the branch cannot go on to the second one.
    """

    points: list[SpecialPoint] = field(default_factory=list)
    collapsed: SpecialPoint | str | None = None
    doubts: list[str] = field(default_factory=list)
    barrier: str = ""
    crowds: list[str] = field(default_factory=list)


def detect_events(curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric, cache: StepCache) -> StepEvents:
    """Find and locate every special point between two neighbouring nodes of a curve."""
    found = StepEvents(points=locate_border_collisions(curve, a, b, metric))
    if curve.codimension > 0:
        shrunk = detect_period_halving(curve, a, b)
        if shrunk is not None:
            before = correct_between(curve, a, b, 0.8 * shrunk[1], metric)
            points, doubts = (
                detect_codimension_two(curve, a, before, metric, cache) if isinstance(before, CurvePoint) else ([], [])
            )
            return StepEvents(found.points + points, shrunk[0], doubts)
        if not _persists(curve, b):
            return StepEvents(found.points, barrier=_PARTED if isinstance(b.at, AugmentedEvaluation) else _UNFOLDED)
        points, doubts = detect_codimension_two(curve, a, b, metric, cache)
        return StepEvents(sorted(found.points + points, key=lambda point: point.arclength), None, doubts)
    search = _Search(curve, metric, a)
    for left, right in smooth_parts(curve, a, b, metric, found.points):
        search.between(left, right, 0)
    points = sorted(found.points + search.points, key=lambda point: point.arclength)
    collapsed = next((point for point in points if point.period < curve.period), None)
    if collapsed is not None:
        points = points[: points.index(collapsed) + 1]
    return StepEvents(points, collapsed, search.unexplained(), "" if collapsed else search.barrier, search.crowds)


def _persists(curve: Curve, node: CurvePoint) -> bool:
    """Whether a node of a curve of special points is one, beyond the equations that were solved."""
    if isinstance(node.at, AugmentedEvaluation):
        return node.at.defect_vanishes
    return not curve.extra or abs(float(node.u[-1])) <= UNFOLDED * curve.iterate.map.scale


def _to_circle(node: CurvePoint) -> float:
    return float(np.abs(np.abs(node.spectrum.values) - 1.0).min(initial=np.inf))


def _blurred(a: CurvePoint, b: CurvePoint) -> bool:
    """Whether multiplicities are not resolved, in a step that is long enough for several points."""
    return not a.spectrum.multiplicities_resolved and b.arclength - a.arclength > TINY


def _turn(node: CurvePoint, n: int) -> float:
    return 1.0 if node.tangent[n] >= 0 else -1.0


def _bends_back(a: CurvePoint, b: CurvePoint, n: int, metric: Metric) -> bool:
    """Whether the parameter's cubic Hermite interpolant turns twice between two nodes: two folds in one step."""
    h = metric.norm(b.u - a.u)
    if h < TINY or max(abs(float(a.tangent[n])), abs(float(b.tangent[n]))) < TINY * float(metric.widths[0]):
        return False  # noise
    s, t, rise = float(a.tangent[n]), float(b.tangent[n]), float(b.u[n] - a.u[n]) / h
    # p'(θ)/h = s + 2 (3 rise − 2s − t) θ + 3 (s + t − 2 rise) θ²
    linear, square = 2.0 * (3.0 * rise - 2.0 * s - t), 3.0 * (s + t - 2.0 * rise)
    lowest = -linear / (2.0 * square) if square else 0.0
    return bool(s * t > 0 and 0 < lowest < 1 and (s + linear * lowest + square * lowest**2) * s < 0)


@dataclass
class _Search:
    """One step's search; ``points`` and ``doubts``, with their places, fill as it goes."""

    curve: Curve
    metric: Metric
    start: CurvePoint
    points: list[SpecialPoint] = field(default_factory=list)
    doubts: list[tuple[float, str]] = field(default_factory=list)
    barrier: str = ""
    crowds: list[str] = field(default_factory=list)
    halvings: int = 0

    @cached_property
    def noise(self) -> float:
        return derivative_noise(self.curve, self.start)

    def between(self, a: CurvePoint, b: CurvePoint, depth: int) -> None:
        up, down, pairs = (after - before for before, after in zip(a.spectrum.signature, b.spectrum.signature))
        turned = _turn(a, self.curve.size) != _turn(b, self.curve.size)
        if not (up or down or pairs or turned):
            if _bends_back(a, b, self.curve.size, self.metric):
                self.halve(a, b, depth)
            return
        collision = (up + down + 2 * pairs == 0) and not turned
        kinds = (bool(up) or turned) + bool(down) + bool(pairs)
        if collision:
            # Two real multipliers met and left the axis, or came back to it, outside the circle: nothing happened,
            # unless crossings hide behind each other. Smaller pieces tell.
            near = min(_to_circle(node) for node in (a, b))
            if depth < COLLISION or (near < 10.0 * (b.arclength - a.arclength) and depth < DEPTH // 2):
                self.halve(a, b, depth)
            return
        if max(abs(up), abs(down)) > CROWD and not turned and not _trivial(a, b):
            self.crowd(a, b, depth, 0 if abs(up) > CROWD else 1)
        elif kinds > 1 or (turned and abs(up) > 1) or (max(abs(up), abs(down)) > 2 and _blurred(a, b)):
            self.halve(a, b, depth)
        elif down:
            self.real(a, b, depth, -1.0, abs(down))
        elif pairs:
            self.pair(a, b, depth, abs(pairs))
        elif turned:
            self.turning(a, b, depth, up)
        elif _trivial(a, b) or (abs(up) > MOST and b.arclength - a.arclength < TINY):
            self.barrier = f"{abs(up)} multipliers pass +1 together before {self.curve.where(b.u)}"
        elif abs(up) > MOST:
            self.halve(a, b, depth)
        else:
            self.real(a, b, depth, 1.0, abs(up))

    def near(self, a: CurvePoint, b: CurvePoint, fraction: float) -> CurvePoint | CorrectorFailure:
        """The node at a fraction of the step, or beside it: on a branch point itself the corrector is singular."""
        node: CurvePoint | CorrectorFailure = CorrectorFailure("singular")
        for aside in (0.0, 3e-3, -3e-3):
            node = correct_between(self.curve, a, b, min(max(fraction + aside, 0.0), 1.0), self.metric)
            if isinstance(node, CurvePoint):
                break
        return node

    def halve(self, a: CurvePoint, b: CurvePoint, depth: int) -> None:
        length = b.arclength - a.arclength
        # Nodes farther apart than the curve between them is long lie on two curves.
        torn = self.metric.norm(b.u - a.u) > 2.0 * length + SMALLEST
        turned = _turn(a, self.curve.size) != _turn(b, self.curve.size)
        grazing = depth >= COLLISION and not turned and max(_to_circle(a), _to_circle(b)) < GRAZING
        self.halvings += 1
        deeper = depth < DEPTH and length > SMALLEST and self.halvings <= HALVINGS and not (torn or grazing)
        middle = self.near(a, b, 0.5) if deeper else None
        if isinstance(middle, CurvePoint):
            self.between(a, middle, depth + 1)
            self.between(middle, b, depth + 1)
            return
        if self.halvings > HALVINGS + 1:  # said once
            return
        self.doubts.append(
            (b.arclength, self.doubt(a, b) + (f": {middle.detail}" if isinstance(middle, CorrectorFailure) else ""))
        )

    def doubt(self, a: CurvePoint, b: CurvePoint) -> str:
        before, after, where = a.spectrum.signature, b.spectrum.signature, self.curve.where(b.u)
        if before == after:
            return f"the parameter seems to turn near {where}, where no fold or branch point could be located"
        nearest = min(_to_circle(a), _to_circle(b))
        change = f"counts of multipliers went from {before} to {after} near {where}"
        return f"{change}; the nearest multiplier is {nearest:.1e} from the unit circle"

    def unexplained(self) -> list[str]:
        """Doubts, but for those beside a branch point: the corrector is nearly singular there, and counts are noise."""
        singular = [p.arclength for p in self.points if p.kind == "branch point" or p.period < self.curve.period]
        return [doubt for s, doubt in self.doubts if all(abs(s - other) > NEAR for other in singular)]

    def crowd(self, a: CurvePoint, b: CurvePoint, depth: int, which: int) -> None:
        """Of very many crossings (``which``: of the signature) the first few are located, if none came before."""
        before, after = (node.spectrum.signature[which] for node in (a, b))
        low, high, few = a, b, abs(after - before)
        if max(before, after) - few <= MOST:
            for _ in range(DEPTH):
                middle = self.near(low, high, 0.5) if few > MOST and high.arclength - low.arclength > SMALLEST else None
                if not isinstance(middle, CurvePoint):
                    break
                crossed = abs(middle.spectrum.signature[which] - before)
                low, high, few = (low, middle, crossed) if crossed else (middle, high, few)
        if few <= MOST:
            self.between(low, high, depth + 1)
        target, where = (1, -1)[which], f"between {self.curve.where(a.u)} and {self.curve.where(b.u)}"
        some = f"the first {few}" if few <= MOST else "none"
        self.crowds.append(f"{abs(after - before)} multipliers pass {target:+d} {where}, of which {some} located")

    def real(self, a: CurvePoint, b: CurvePoint, depth: int, target: float, count: int) -> None:
        """Flips, or branch points, where ``count`` real multipliers cross −1 or +1."""
        found: list[SpecialPoint] = []
        for fraction in estimate_crossings(a, b, target, count):
            node = self.near(a, b, fraction)
            values = interpolate_multipliers(a, b, fraction)
            point = self.at(node, a, b, target, count, values) if isinstance(node, CurvePoint) else None
            if point is not None and all(abs(point.arclength - other.arclength) > TOGETHER for other in found):
                found.append(point)
        if sum(point.multiplicity for point in found) == count or any(p.period < self.curve.period for p in found):
            self.points.extend(found)
        else:
            self.halve(a, b, depth)

    def at(
        self, node: CurvePoint, a: CurvePoint, b: CurvePoint, target: float, count: int, values: np.ndarray | None
    ) -> SpecialPoint | None:
        # Where multiplicities are not resolved as many multipliers are looked for as cross.
        borders = None if a.spectrum.multiplicities_resolved else min(count, MOST)
        if target < 0:
            reach = b.arclength - a.arclength
            critical = locate_real(self.curve, node, target, self.metric, reach, values, borders)
            inside = critical is not None and _inside(critical.node.arclength, a, b)
            return self.crossing("flip", critical) if critical is not None and inside else None
        # No fold: the parameter would have turned. If this is no branch point either, the step jumped past an
        # imperfect one, which the walk learns from the doubt that remains.
        return self.branch_point(node, a, b, borders=borders, values=values)

    def pair(self, a: CurvePoint, b: CurvePoint, depth: int, count: int) -> None:
        """Neimark–Sacker points, where ``count`` complex pairs cross the unit circle."""
        found: list[SpecialPoint] = []
        for fraction in estimate_pair_crossings(a, b, count):
            node = self.near(a, b, fraction)
            if isinstance(node, CorrectorFailure):
                continue
            for value in nearest_pairs(node):
                critical = locate_pair(self.curve, node, value, self.metric, b.arclength - a.arclength)
                if critical is None or not _inside(critical.node.arclength, a, b):
                    continue
                point = self.crossing("neimark-sacker", critical)
                if not any(_same_pair(point, other) for other in found):
                    found.append(point)
        if sum(point.multiplicity for point in found) == count:
            self.points.extend(found)
        else:
            self.halve(a, b, depth)

    def turning(self, a: CurvePoint, b: CurvePoint, depth: int, up: int) -> None:
        """The parameter turns back: a fold, or a side branch that touches its branch point."""
        node = _bisect(self.curve, a, b, self.metric, lambda x: float(x.tangent[self.curve.size]))
        if node is None:
            self.halve(a, b, depth)
            return
        # Near the tip of a side branch the corrector's tolerance hides on which side of it a node lies.
        point = self.branch_point(node, a, b, BESIDE)
        if point is not None and abs(point.arclength - node.arclength) < NEAR:
            self.points.append(point)
            return
        # At a fold one multiplier crosses +1: if the counts agree all the same, a branch point hides beside it.
        critical = locate_real(self.curve, node, 1.0, self.metric, b.arclength - a.arclength) if up else None
        if critical is None or not _inside(critical.node.arclength, a, b):
            self.halve(a, b, depth)
            return
        self.points.append(self.crossing("fold", critical))

    def crossing(self, kind: KindName, critical: Critical) -> SpecialPoint:
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
        reach = b.arclength - a.arclength + SAME
        point = branch_point_near(self.curve, node, self.metric, reach, self.noise, borders, values)
        return point if point is not None and _inside(point.arclength, a, b, slack) else None


def point_of(curve: Curve, kind: KindName, critical: Critical, noise: float, metric: Metric) -> SpecialPoint:
    """The special point at which multipliers were found to be critical, with the error of its parameter.

    Parameters
    ----------
    curve : Curve
        On which it lies.
    kind : str
        "fold", "flip" or "neimark-sacker".
    critical : Critical
        What its extended system has found.
    noise : float
        Error of the Jacobian's entries.
    metric : Metric
        In which arclength is measured.
    """
    node, n = critical.node, curve.size
    uncertain = critical.step + noise * critical.sensitivity
    error = uncertain * abs(float(node.tangent[n])) + uncertain**2 + node.remaining_error(n)
    error += 4.0 * float(np.finfo(float).eps) * max(1.0, abs(node.at.parameters[curve.free[0]]))
    return SpecialPoint(
        kind=kind,
        curve=curve,
        u=node.u,
        period=curve.period,
        multiplicity=critical.multiplicity,
        arclength=node.arclength,
        residual=node.residual,
        iterations=critical.iterations,
        error=float(error),
        angle=critical.angle,
        null=critical.kernel,
        widths=metric.widths,
        tangent=node.tangent if critical.multiplicity > 1 else None,
    )


def branch_point_near(
    curve: Curve,
    node: CurvePoint,
    metric: Metric,
    reach: float,
    noise: float | None = None,
    borders: int | None = None,
    values: np.ndarray | None = None,
) -> SpecialPoint | None:
    """The branch point within a distance of a node, whether multipliers cross +1 there or only touch it."""
    found = locate_branch_point(curve, node, metric, borders, values)
    if found is None or found.unfolding > PERFECT or metric.norm(found.u - node.u) > reach:
        return None
    s = node.arclength + metric.dot(node.tangent, found.u - node.u)
    return _branch_point(curve, found, node, s, derivative_noise(curve, node) if noise is None else noise, metric)


def _branch_point(
    curve: Curve, found: BranchPoint, node: CurvePoint, s: float, noise: float, metric: Metric
) -> SpecialPoint:
    n, free = curve.size, curve.free[0]
    p = curve.parameters(found.u)
    error = (found.step + noise) * float(metric.widths[0]) + 4.0 * float(np.finfo(float).eps) * abs(p[free])
    orbit = curve.iterate.orbit(found.u[:n], p)
    shorter = curve.iterate.least_period(orbit, 1e-6)
    return SpecialPoint(
        kind="flip" if 2 * shorter == curve.period else "branch point",
        curve=curve,
        u=found.u,
        period=shorter,
        multiplicity=found.kernel.shape[1] - 1,
        arclength=s,
        residual=found.residual,
        iterations=found.iterations,
        error=error,
        tangent=node.tangent,
        null=found.kernel,
        widths=metric.widths,
        quadratic=found.quadratic[0] if len(found.quadratic) == 1 else None,
    )


def derivative_noise(curve: Curve, node: CurvePoint) -> float:
    """The error to be expected of a Jacobian's entries: rounding, and truncation where they are differences."""
    return (1e-15 if curve.iterate.exact else 1e-11) * max(1.0, float(np.abs(node.spectrum.values).max(initial=0.0)))


def _same_pair(a: SpecialPoint, b: SpecialPoint) -> bool:
    return abs(a.arclength - b.arclength) <= TOGETHER and abs(a.angle - b.angle) <= TOGETHER


def _inside(s: float, a: CurvePoint, b: CurvePoint, slack: float = 0.0) -> bool:
    return a.arclength - SAME - slack <= s <= b.arclength + SAME + slack


def _trivial(a: CurvePoint, b: CurvePoint) -> bool:
    """Whether a structured Jacobian's trivial multiplier passes +1."""
    shift_a, shift_b = (getattr(node.linear.jacobian, "shift", None) for node in (a, b))
    if shift_a is not None and shift_b is not None:
        return (shift_a > 1.0 + EDGE) != (shift_b > 1.0 + EDGE)
    return False


def _bisect(
    curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric, value: Callable[[CurvePoint], float]
) -> CurvePoint | None:
    """A node near the sign change of a function of nodes, by the Illinois method to 1e-6 of the step."""
    left, right, f, g = 0.0, 1.0, value(a), value(b)
    node: CurvePoint | None = a if abs(f) < abs(g) else b
    for _ in range(60):
        if right - left < 1e-6 or f == g:
            break
        t = (left * g - right * f) / (g - f)
        found = correct_between(curve, a, b, t, metric)
        if isinstance(found, CorrectorFailure):
            return None
        node, h = found, value(found)
        if h == 0.0 or abs(h) < 1e-9:
            break
        if h * g < 0:
            left, f = right, g
        else:
            f *= 0.5
        right, g = t, h
        if left > right:
            left, right, f, g = right, left, g, f
    return node
