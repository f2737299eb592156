"""The branch-jump guard: is a corrected step still on its branch?

A prediction that falls onto another branch lies far from where it was sent, or its tangent is another one (Allgower &
Georg, Numerical Continuation Methods, SIAM 2003, chapter 6). Where only multipliers tell, see ``missed_points``.
"""

from __future__ import annotations

import math

from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.continuation.predictor import Prediction
from bifurcate.curves.corrector import correct, correct_between
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric

__all__ = [
    "crosses_switching_manifold",
    "detect_branch_jump",
    "parameter_is_stationary",
    "parameter_stays_stationary",
]

# Lengths are in the metric, where not said otherwise.
UNEXPLAINED_MISS = 0.02  # part of a step by which its prediction may miss beyond half the angle that the tangent turned
ALLOWED_MISS = 1e-5  # what a prediction may miss by in any case: beside a singular point the corrector is no more exact
LONGEST_CORRECTION = 0.5  # part of a step that its correction may be as long as; longer, and another branch is as near
ROUNDING_OF_CORRECTION = 1e-9  # ... and what is added for steps so short that rounding moves the point as far
UNEXPLAINED_CHORD = 1e-5  # part by which a chord may differ from the mean of its tangents beside half their angle
CHORD_OF_A_HALF = 0.6  # ... and of that part what a half of the step may leave: a fourth on a smooth curve, a jump all
HEADING_STEP = 1e-6  # step along a tangent that shows whether it leads back to a border: far above rounding
STATIONARY_LENGTH = 1e-4  # shorter steps do not tell whether the parameter moves: at a fold it moves like their square
STATIONARY_TANGENT = 1e-9  # widths of the bounds by which the parameter may change per unit of arclength, to rounding
STATIONARY_PARAMETER = 1e-12  # widths of the bounds by which it may change over a step, to rounding
STATIONARY_LENGTHS = (0.3, 0.1)  # a fold p ∝ x⁸ is flat to rounding over 0.03, but not over these


def detect_branch_jump(
    run: ContinuationProblem, here: CurvePoint, new: CurvePoint, prediction: Prediction
) -> CorrectorFailure | None:
    """Say why a corrected step seems to have fallen onto another branch; None if it seems to be on its own.

    Along a smooth curve a prediction on the tangent misses by half the angle by which that turns, in units of the step,
    and a cubic one by far less: what misses by more is on a neighbouring branch, whose tangent may be the same.

    Parameters
    ----------
    run : ContinuationProblem
        The curve with its metric and step control.
    here, new : CurvePoint
        The last point and the corrected one.
    prediction : Prediction
        What was corrected.
    """
    metric, length = run.metric, prediction.length
    miss = metric.norm(new.u - prediction.u)
    cosine = metric.dot(here.tangent, new.tangent)
    iterate = run.curve.iterate
    noise = max(iterate.map.precision.shortest_length, iterate.map.precision.blurred_length)
    is_shorter_cycle = iterate.least_period(new.at.orbit) < iterate.least_period(here.at.orbit)
    if crosses_switching_manifold(run, here, new):
        if is_shorter_cycle or cosine <= 0.0 or miss > length or _heads_back(run, here, new):
            return CorrectorFailure("diverged", "the branch does not go on beyond a border")
        return None
    if cosine < math.cos(run.control.largest_angle):
        return CorrectorFailure("diverged", f"the tangent turned by {math.acos(max(-1.0, cosine)):.2f} rad in one step")
    if is_shorter_cycle and length > run.control.surest:
        return CorrectorFailure("diverged", "the step fell onto a cycle of a smaller period")
    if miss > LONGEST_CORRECTION * length + max(ROUNDING_OF_CORRECTION, noise):
        return CorrectorFailure("diverged", f"the correction ({miss:.1e}) was longer than half the step ({length:.1e})")
    turned = 0.0 if prediction.is_cubic else math.acos(min(1.0, cosine))
    if miss > max(ALLOWED_MISS, noise, length * (UNEXPLAINED_MISS + turned)):
        return CorrectorFailure("diverged", f"the correction ({miss:.1e}) was longer than the curve's bend explains")
    return _detect_crooked_chord(run, here, new)


def _detect_crooked_chord(run: ContinuationProblem, here: CurvePoint, new: CurvePoint) -> CorrectorFailure | None:
    """On curves in several parameters: refuse a step whose chord, after halving, still points away from its tangents.

    Where a map is nearly the identity, curves of folds come so near to each other, in parameters, that a step from one
    to the next misses its prediction by little and turns by little; but its chord points to the other curve. On a
    smooth curve a chord differs from the mean of its tangents by h² u'''/12, a fourth of that over half the step.
    """
    if len(run.curve.free) < 2:
        return None
    metric = run.metric
    length = metric.norm(new.u - here.u)
    miss = _chord_miss(metric, here, new)
    if length < ALLOWED_MISS or miss < UNEXPLAINED_CHORD + 0.5 * metric.norm(new.tangent - here.tangent):
        return None
    middle = correct_between(run.curve, here, new.placed(here.arclength + length), 0.5, metric)
    if isinstance(middle, CurvePoint):
        left = max(_chord_miss(metric, here, middle), _chord_miss(metric, middle, new))
        if left < CHORD_OF_A_HALF * miss:
            return None
    return CorrectorFailure("diverged", f"the chord differs by {miss:.1e} from the mean of its tangents")


def _chord_miss(metric: Metric, here: CurvePoint, new: CurvePoint) -> float:
    """By how much the unit chord between two points differs from the mean of the tangents at them."""
    chord = new.u - here.u
    return metric.norm(chord / metric.norm(chord) - 0.5 * (here.tangent + new.tangent))


def crosses_switching_manifold(run: ContinuationProblem, here: CurvePoint, new: CurvePoint) -> bool:
    """True if a switching function of the map changes sign between two points."""
    iterate = run.curve.iterate
    if iterate.map.borders is None:
        return False
    before, after = (iterate.border_signs(point.at.orbit, point.at.parameters) > 0 for point in (here, new))
    return bool((before != after).any())


def _heads_back(run: ContinuationProblem, here: CurvePoint, new: CurvePoint) -> bool:
    """True if the tangent beyond a border leads back to it: its sense is wrong then, as the corner is sharp."""
    iterate = run.curve.iterate
    before, after = (iterate.border_signs(point.at.orbit, point.at.parameters) for point in (here, new))
    ahead = run.curve.equations.evaluate(new.u + HEADING_STEP * new.tangent)
    rises = iterate.border_signs(ahead.orbit, ahead.parameters) - after
    return bool((((before > 0) != (after > 0)) & (rises * after < 0.0)).any())


def parameter_is_stationary(run: ContinuationProblem, here: CurvePoint, new: CurvePoint) -> bool:
    """True if a step left all parameters where they were, to rounding, as at a flip or branch point of a linear map.

    At a fold, too, the parameter component of the tangent vanishes, but at one point and not all along a step; at a
    cusp both components do.
    """
    if new.arclength - here.arclength < STATIONARY_LENGTH:
        return False
    n = run.curve.size
    for i, width in enumerate(run.widths.tolist(), n):
        if not max(abs(here.tangent.item(i)), abs(new.tangent.item(i))) < STATIONARY_TANGENT * width:
            return False
        if not abs(new.u.item(i) - here.u.item(i)) < STATIONARY_PARAMETER * width:
            return False
    return True


def parameter_stays_stationary(run: ContinuationProblem, here: CurvePoint) -> bool:
    """True if the parameter stays constant over an arclength of 0.3, or over 0.1 where no step of 0.3 succeeds."""
    normal = run.metric.dual(here.tangent)
    for length in STATIONARY_LENGTHS:
        guess = here.u + length * here.tangent
        far = correct(run.curve, guess, normal, float(normal @ guess), run.metric, None, here.tangent)
        if isinstance(far, CurvePoint):
            return parameter_is_stationary(run, here, far.placed(here.arclength + length))
    return True
