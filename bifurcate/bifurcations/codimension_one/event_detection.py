"""Event detection: the special points between two neighbouring points of a curve, from multipliers or test functions.

On curves of cycles three counts are watched (real multipliers beyond +1, real ones beyond −1, complex pairs outside
the unit circle), the sign of the tangent's parameter component, and the map's switching functions. The sign of a
determinant would miss two multipliers that cross together; a product of two multipliers would take a real pair λ, 1/λ
for a Neimark–Sacker point. A change that has more than one reading is halved until each half has one (``step_search``).
Curves of special points have test functions, in ``codimension_two/event_detection.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bifurcate.bifurcations.codimension_one.border_collision import locate_border_collisions, smooth_parts
from bifurcate.bifurcations.codimension_one.closed_curve_events import changes_of_closed_curves
from bifurcate.bifurcations.codimension_one.located_points import without_shadows
from bifurcate.bifurcations.codimension_one.step_search import StepSearch
from bifurcate.bifurcations.codimension_two.event_detection import detect_codimension_two
from bifurcate.bifurcations.codimension_two.period_halving import detect_period_halving
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.corrector import correct_between
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.invariant_curve_equations import KIND
from bifurcate.curves.metric import Metric
from bifurcate.curves.minimally_augmented.augmented_system import AugmentedEvaluation
from bifurcate.curves.step_cache import StepCache

__all__ = ["StepEvents", "detect_events"]

PERIOD_HALVING_MARGIN = 0.8  # part of the way to where the period halves up to which other events are looked for
UNFOLDED = 1e-8  # unfolding, in units of the state, up to which a branch point is one: above it none is left
UNFOLDED_REASON = (
    "no symmetry and no invariant subspace holds the branch point as a second parameter varies: it is isolated, or "
    "part of a curve in three parameters; name two further ones in locus(point, free=(…, …))"
)
PARTED_REASON = "multipliers that crossed together by a symmetry part here, so that none of them is critical any more"


@dataclass(frozen=True)
class StepEvents:
    """The events between two neighbouring points of a curve.

    Attributes
    ----------
    points : list of SpecialPoint
        In the order of the branch.
    period_halved : SpecialPoint or str or None
        Where the cycle shrank onto one of a smaller period; the branch ends there.
    doubts : list of str
        Changes of the counts that no located point explains.
    non_isolated : str
        Why the solutions stop being isolated, so that the branch cannot go on to the second point; "" if they do not.
    unlocated_crossings : list of str
        Crossings of too many multipliers to locate each of them; shorter steps would not tell more.
    """

    points: list[SpecialPoint] = field(default_factory=list)
    period_halved: SpecialPoint | str | None = None
    doubts: list[str] = field(default_factory=list)
    non_isolated: str = ""
    unlocated_crossings: list[str] = field(default_factory=list)


def detect_events(curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric, cache: StepCache) -> StepEvents:
    """Find and locate every special point between two neighbouring points of a curve.

    Parameters
    ----------
    curve : Curve
        The curve. Its codimension says how: 0, by counts of multipliers; 1, by test functions.
    a, b : CurvePoint
        The points.
    metric : Metric
        In which lengths are measured.
    cache : StepCache
        Where test functions are remembered for the next step.
    """
    if curve.kind == KIND:
        return StepEvents(doubts=changes_of_closed_curves(curve, a, b))
    collisions = locate_border_collisions(curve, a, b, metric)
    detect = _detect_on_cycles if curve.codimension == 0 else _detect_on_special_points
    return detect(curve, a, b, metric, cache, collisions)


def _detect_on_cycles(
    curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric, _: StepCache, collisions: list[SpecialPoint]
) -> StepEvents:
    search = StepSearch(curve, metric, a, b)
    for left, right in smooth_parts(curve, a, b, metric, collisions):
        search.search_smooth_part(left, right)
    found = without_shadows(search.points) if curve.iterate.map.precision.is_noisy else search.points
    points = sorted(collisions + found, key=lambda point: point.arclength)
    halved = next((point for point in points if point.period < curve.period), None)
    if halved is not None:
        points = points[: points.index(halved) + 1]
    return StepEvents(
        points=points,
        period_halved=halved,
        doubts=search.remaining_doubts(),
        non_isolated="" if halved else search.non_isolated,
        unlocated_crossings=search.unlocated_crossings,
    )


def _detect_on_special_points(
    curve: Curve, a: CurvePoint, b: CurvePoint, metric: Metric, cache: StepCache, collisions: list[SpecialPoint]
) -> StepEvents:
    halved = detect_period_halving(curve, a, b)
    if halved is not None:
        before = correct_between(curve, a, b, PERIOD_HALVING_MARGIN * halved.fraction, metric)
        if not isinstance(before, CurvePoint):
            return StepEvents(collisions, str(halved))
        points, doubts = detect_codimension_two(curve, a, before, metric, cache)
        return StepEvents(collisions + points, str(halved), doubts)
    if not _is_special(curve, b):
        reason = PARTED_REASON if isinstance(b.at, AugmentedEvaluation) else UNFOLDED_REASON
        return StepEvents(collisions, non_isolated=reason)
    points, doubts = detect_codimension_two(curve, a, b, metric, cache)
    return StepEvents(sorted(collisions + points, key=lambda point: point.arclength), None, doubts)


def _is_special(curve: Curve, point: CurvePoint) -> bool:
    """True if a point of a curve of special points is one, beyond the equations that were solved."""
    if isinstance(point.at, AugmentedEvaluation):
        return point.at.defect_vanishes
    return not curve.extra or abs(float(point.u[-1])) <= UNFOLDED * curve.iterate.map.scale
