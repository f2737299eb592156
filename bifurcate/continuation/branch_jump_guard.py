"""Whether a step is still on its branch: beside other branches, at corners, and where nothing moves.

A prediction that falls onto another branch lies far from where it was sent, or its tangent is another one, or
multipliers have changed there without a special point that explains it (Allgower & Georg, Numerical Continuation
Methods, SIAM 2003, chapter 6).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents, branch_point_near
from bifurcate.continuation.step_control import ContinuationRun
from bifurcate.curves.corrector import CorrectorFailure, CurvePoint, correct
from bifurcate.errors import Stop

__all__ = [
    "DeferredWarning",
    "crosses_switching_manifold",
    "detect_branch_jump",
    "parameter_is_stationary",
    "parameter_stays_stationary",
    "record_missed_point",
    "unexplained_count_change",
]

STRAY = 0.02  # by how much of the step's length a prediction may miss beyond what the tangent's turning explains
TIP = 1e-5  # ... and what it may miss by in any case
STRAIGHT = 0.01  # radians by which a branch may turn in passing a branch point that it runs through
NOISE = 1e-7  # a multiplier this close to +1 is as good as there


def detect_branch_jump(
    walk: ContinuationRun, node: CurvePoint, new: CurvePoint, guess: np.ndarray, h: float, smooth: bool
) -> CorrectorFailure | None:
    """A prediction that fell onto another branch: far from where it was sent, or with another tangent.

    Along a smooth curve a prediction on the tangent misses by half the angle by which that turns, in units of the step,
    and a cubic one by far less: what misses by more is on a neighbouring branch, whose tangent may be the same. Misses
    that are shorter than ``TIP`` tell nothing, since beside a singular point the corrector is no more exact.
    """
    metric = walk.metric
    off = metric.norm(new.u - guess)
    cosine = metric.dot(node.tangent, new.tangent)
    iterate = walk.curve.iterate
    shorter = iterate.least_period(new.at.orbit) < iterate.least_period(node.at.orbit)
    if crosses_switching_manifold(walk, node, new):
        bad = shorter or cosine <= 0.0 or off > h
        return CorrectorFailure("diverged", "the branch does not go on beyond a border") if bad else None
    if cosine < math.cos(walk.control.largest_angle):
        return CorrectorFailure("diverged", f"the tangent turned by {math.acos(max(-1.0, cosine)):.2f} rad in one step")
    if shorter and h > walk.control.surest:
        return CorrectorFailure("diverged", "the step fell onto a cycle of a smaller period")
    if off > 0.5 * h + 1e-9:
        return CorrectorFailure("diverged", f"the correction ({off:.1e}) was longer than half the step ({h:.1e})")
    if off > max(TIP, h * (STRAY if smooth else STRAY + math.acos(min(1.0, cosine)))):
        return CorrectorFailure("diverged", f"the correction ({off:.1e}) was longer than the curve's bend explains")
    return None


def crosses_switching_manifold(walk: ContinuationRun, node: CurvePoint, new: CurvePoint) -> bool:
    """Whether a switching function of the map changes sign in a step."""
    iterate = walk.curve.iterate
    if iterate.map.borders is None:
        return False
    signs = [iterate.border_signs(each.at.orbit, each.at.parameters) > 0 for each in (node, new)]
    return bool((signs[0] != signs[1]).any())


@dataclass(eq=False)
class DeferredWarning:
    """A doubt that a special point in one of the next steps would explain."""

    doubt: str = ""
    until: float = 0.0

    def joined(self, finding: StepEvents, new: CurvePoint, stop: Stop | None) -> StepEvents:
        """What was found in a step, with the doubt if nothing has come to explain it."""
        if finding.points:
            self.doubt = ""
        if not self.doubt or (new.arclength < self.until and stop is None):
            return finding
        doubt, self.doubt = self.doubt, ""
        return dataclasses.replace(finding, doubts=[*finding.doubts, doubt])


def record_missed_point(
    walk: ContinuationRun, node: CurvePoint, new: CurvePoint, finding: StepEvents, why: str, pending: DeferredWarning
) -> StepEvents:
    """What was found, with the branch point that the step passed over, if there is one, and a doubt.

    A branch point that lies ahead explains what was seen; so does one that is passed without a turn, on a branch that
    runs through it.
    """
    if finding.doubts:
        return finding
    point = branch_point_near(walk.curve, node, walk.metric, 10.0 * (new.arclength - node.arclength))
    if point is not None and point.arclength > new.arclength:
        return finding
    if point is not None and walk.metric.dot(node.tangent, new.tangent) > math.cos(STRAIGHT):
        return dataclasses.replace(finding, points=[*finding.points, point])
    doubt = f"{why} near {walk.curve.where(node.u)}: the branch may have gone on along another one there"
    if point is None:  # a fold that is near will do
        pending.doubt, pending.until = doubt, new.arclength + 10.0 * (new.arclength - node.arclength)
        return finding
    return dataclasses.replace(finding, points=[*finding.points, point], doubts=[doubt])


def unexplained_count_change(before: CurvePoint, node: CurvePoint, new: CurvePoint, finding: StepEvents) -> str:
    """Why multipliers changed over a step as only a jump to another branch, or a point not found, would explain.

    Either their counts differ and no point accounts for it; or a multiplier was heading through +1 and is back on its
    side without a point in between: so it looks when a step leaves a pitchfork's side branch, before its tip, for the
    branch that it starts from. A shorter step will tell.
    """
    if not new.spectrum.certified:
        return ""
    if finding.doubts:
        return finding.doubts[0]
    if finding.points or node.arclength == before.arclength:
        return ""
    spectra = [each.spectrum for each in (before, node, new)]
    if len({(each.signature, int(each.multiplicity[each.real].sum())) for each in spectra}) > 1:
        return ""  # the gap lies on the other side of +1, or is another multiplier's
    past, here, there = (each.gap for each in spectra)
    slope = (here - past) / (node.arclength - before.arclength)
    ahead = here + slope * (new.arclength - node.arclength)
    heads = ahead < 0.0 and min(here, there) > NOISE
    return "a multiplier that headed for +1 turned back" if heads else ""


def parameter_is_stationary(walk: ContinuationRun, node: CurvePoint, new: CurvePoint) -> bool:
    """Whether a step left the only parameter where it was, to rounding: a flip or branch point of a linear map does so.

    At a fold, too, the tangent's parameter component vanishes, but at one point and not all along a step.
    """
    n = walk.curve.size
    if len(walk.curve.free) > 1 or new.arclength - node.arclength < 1e-4:
        return False
    width = float((walk.upper - walk.lower)[0])
    flat = max(abs(float(node.tangent[n])), abs(float(new.tangent[n]))) < 1e-9 * width
    return flat and abs(float(new.u[n] - node.u[n])) < 1e-12 * width


def parameter_stays_stationary(walk: ContinuationRun, node: CurvePoint) -> bool:
    """Whether it does so over a length of 0.3: a fold p ∝ x⁸, say, is as flat as that over 0.03."""
    row = walk.metric.dual(node.tangent)
    for length in (0.3, 0.1):
        guess = node.u + length * node.tangent
        far = correct(walk.curve, guess, row, float(row @ guess), walk.metric, None, node.tangent)
        if isinstance(far, CurvePoint):
            return parameter_is_stationary(walk, node, far.placed(node.arclength + length))
    return True
