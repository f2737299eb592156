"""Special points that a step may have missed: what multipliers tell, and warnings that a later step may take back."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents
from bifurcate.bifurcations.codimension_one.located_points import branch_point_near
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.curves.curve_point import CurvePoint

__all__ = ["DeferredWarning", "record_missed_point", "unexplained_count_change"]

SMALLEST_TURN = 0.01  # radians by which a branch may turn in passing a branch point that it runs through smoothly
NEAR_ONE = 1e-7  # a multiplier this close to +1 is as good as there: a defective pair is known to √rounding only
SEARCH_STEPS = 10.0  # a missed branch point is looked for this many steps around, and a warning waits as long


@dataclass(frozen=True)
class DeferredWarning:
    """A warning that a special point in one of the next steps would explain.

    Attributes
    ----------
    text : str
        The warning; "" if there is none.
    until : float
        The arclength up to which a special point explains it.
    """

    text: str = ""
    until: float = 0.0

    def settle(self, events: StepEvents, arclength: float, is_last: bool) -> tuple[StepEvents, DeferredWarning]:
        """The events of a step with the warning if nothing came to explain it, and the warning that still waits.

        Parameters
        ----------
        events : StepEvents
            What was found in the step.
        arclength : float
            Where the step ends.
        is_last : bool
            True if no step follows.
        """
        if not self.text or events.points:
            return events, DeferredWarning()
        if arclength < self.until and not is_last:
            return events, self
        return dataclasses.replace(events, doubts=[*events.doubts, self.text]), DeferredWarning()


def unexplained_count_change(before: CurvePoint, here: CurvePoint, new: CurvePoint, events: StepEvents) -> str:
    """Say which change of multipliers over a step only a jump to another branch, or a missed point, would explain.

    Either their counts differ and no point accounts for it; or a multiplier was heading through +1 and is back on its
    side without a point in between: so it looks when a step leaves a pitchfork's side branch, before its tip, for the
    branch that it starts from. A shorter step will tell.

    Parameters
    ----------
    before, here, new : CurvePoint
        The last three points of the branch.
    events : StepEvents
        What was found between the last two.

    Returns
    -------
    str
        In words; "" if all is explained.
    """
    if not new.spectrum.certified:
        return ""
    if events.doubts:
        return events.doubts[0]
    if events.points or here.arclength == before.arclength:
        return ""
    spectra = [point.spectrum for point in (before, here, new)]
    if len({(each.signature, each.real_count) for each in spectra}) > 1:
        return ""  # the gap lies on the other side of +1, or belongs to another multiplier
    gap_before, gap_here, gap_new = (each.gap for each in spectra)
    slope = (gap_here - gap_before) / (here.arclength - before.arclength)
    expected = gap_here + slope * (new.arclength - here.arclength)
    turned_back = expected < 0.0 and min(gap_here, gap_new) > NEAR_ONE
    return "a multiplier that headed for +1 turned back" if turned_back else ""


def record_missed_point(
    run: ContinuationProblem, here: CurvePoint, new: CurvePoint, events: StepEvents, change: str
) -> tuple[StepEvents, DeferredWarning | None]:
    """The events of a step with the branch point that it passed over, if there is one, or a warning.

    A branch point that lies ahead explains what was seen. So does one that is passed without a turn, on a branch that
    runs through it.

    Parameters
    ----------
    run : ContinuationProblem
        The curve with its metric.
    here, new : CurvePoint
        The ends of the step.
    events : StepEvents
        What was found in it.
    change : str
        What is unexplained, in words.

    Returns
    -------
    StepEvents, DeferredWarning or None
        The events, and a warning that a fold in one of the next steps would explain.
    """
    if events.doubts:
        return events, None
    reach = SEARCH_STEPS * (new.arclength - here.arclength)
    point = branch_point_near(run.curve, here, run.metric, reach, ends=(here, new))
    if point is not None and point.arclength > new.arclength:
        return events, None
    if point is not None and run.metric.dot(here.tangent, new.tangent) > math.cos(SMALLEST_TURN):
        return dataclasses.replace(events, points=[*events.points, point]), None
    warning = f"{change} near {run.curve.where(here.u)}: the branch may have gone on along another one there"
    if point is None:
        return events, DeferredWarning(warning, new.arclength + reach)
    return dataclasses.replace(events, points=[*events.points, point], doubts=[warning]), None
