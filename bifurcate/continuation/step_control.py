"""Step-size control: how long the steps of a continuation are."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.errors import InvalidInput
from bifurcate.maps.noise import Precision
from bifurcate.validation import check_count, check_positive

__all__ = ["StepControl", "above_noise", "next_length"]

# A step is at most this many times as long as the last one: its prediction extrapolates no farther
GREATEST_GROWTH = 2.0
GREATEST_CUT = 0.3  # ... and at least this part of it: Newton's method took more steps, but the step was accepted
STRAIGHTEST = 1e-3  # angles below this part of the one aimed at count as this: no division by 0 on a straight branch
# The longest step is at least as many times the length over which noise decides where a curve runs.
BLURRED_LENGTHS = 4.0
# Beyond 1 the cosine may change by so many times more over a step, in parts of what it exceeds 1 by: no event is there.
NEUTRAL_PARTS = 5.0
LEAST_PARAMETER_SHARE = 0.1  # a step is as long as its parameters allow, at most this reciprocal where they stand still


@dataclass(frozen=True)
class StepControl:
    """How long the steps are. Lengths are in the metric of the curve: a parameter's bounds have width 1.

    Attributes
    ----------
    first : float
        Length of the first step.
    smallest : float
        A step that fails at this length ends the branch.
    surest : float
        A step in which multipliers changed without a point that explains it is repeated with a quarter of its length
        while that is longer than this: it may have jumped past an imperfect bifurcation.
    largest : float
        No step changes the parameters by more than this, nor is ten times as long.
    farthest : float
        A state whose root mean square exceeds this many times the metric's unit (the map's scale, or the size of the
        start if that is larger) ends the branch.
    max_steps : int
        Steps in each direction.
    iterations : int
        Newton steps that are aimed at: fewer lengthen the next step, more shorten it.
    angle : float
        Angle between neighbouring tangents that is aimed at, in radians.
    largest_angle : float
        A step that turns the tangent by more is repeated at half its length.

    Raises
    ------
    InvalidInput
        If a value is unusable.

    Examples
    --------
    >>> StepControl(largest=0.01).largest
    0.01
    """

    first: float = 0.005
    smallest: float = 1e-8
    surest: float = 1e-5
    largest: float = 0.02
    farthest: float = 50.0
    max_steps: int = 1000
    iterations: int = 3
    angle: float = 0.15
    largest_angle: float = 0.5

    def __post_init__(self) -> None:
        for name in ("first", "smallest", "surest", "largest", "farthest", "angle", "largest_angle"):
            check_positive(name, getattr(self, name))
        if not 0 < self.smallest <= self.first <= self.largest:
            raise InvalidInput(
                f"steps must obey 0 < smallest ≤ first ≤ largest, got {self.smallest}, {self.first}, {self.largest}"
            )
        for name in ("max_steps", "iterations"):
            check_count(name, getattr(self, name))


def above_noise(control: StepControl, levels: Precision) -> StepControl:
    """The settings with steps so long that a map's noise does not decide where they lead; the same for an exact map."""
    if not levels.is_noisy:
        return control
    first, smallest = max(control.first, levels.blurred_length), max(control.smallest, levels.shortest_length)
    return dataclasses.replace(
        control,
        first=max(first, smallest),
        smallest=smallest,
        surest=max(control.surest, levels.shortest_length),
        largest=max(control.largest, smallest, BLURRED_LENGTHS * levels.blurred_length),
    )


def next_length(control: StepControl, here: CurvePoint, new: CurvePoint, metric: Metric, free: int) -> float:
    """The length of the next step, from the angle and the Newton steps of the last one.

    Parameters
    ----------
    control : StepControl
        Lengths and angles aimed at.
    here, new : CurvePoint
        The ends of the last step.
    metric : Metric
        In which lengths are measured.
    free : int
        How many of the unknowns beside the state are parameters.
    """
    length = new.arclength - here.arclength
    turned = math.acos(min(1.0, max(-1.0, metric.dot(here.tangent, new.tangent))))
    by_angle = control.angle / max(turned, STRAIGHTEST * control.angle)
    by_work = 2.0 ** ((control.iterations - new.iterations) / 2.0)
    longest = control.largest / _share_of_parameters(new, metric, free)
    factor = max(GREATEST_CUT, min(GREATEST_GROWTH, by_angle, by_work))
    return float(max(min(control.smallest, length), min(longest, length * factor)))


def _share_of_parameters(new: CurvePoint, metric: Metric, free: int) -> float:
    """How fast the parameters change along the curve, or a tenth of how fast all does if that is more.

    The cosine of neutral saddles is not bounded, and tells nothing more: beyond 1 its changes count in parts of itself.
    """
    t = new.tangent[metric.n :]
    squares = metric.parameter * t * t
    if len(t) == free:
        return max(math.sqrt(squares.sum()), LEAST_PARAMETER_SHARE)
    beyond = np.maximum(np.abs(new.u[metric.n + free :]) - 1.0, 0.0)
    counted = squares / np.append(np.ones(free), 1.0 + NEUTRAL_PARTS * beyond) ** 2
    speed = math.sqrt(max(1.0 - float((squares - counted).sum()), 0.0))
    return max(math.sqrt(counted.sum()), LEAST_PARAMETER_SHARE * speed)
