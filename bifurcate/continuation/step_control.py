"""What stays the same during one walk along a curve: its bounds, its metric, and how long steps are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifurcate.curves.corrector import Metric
from bifurcate.curves.curve import Curve
from bifurcate.errors import InvalidInput

__all__ = ["ContinuationRun", "StepControl"]


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
        if not 0 < self.smallest <= self.first <= self.largest:
            raise InvalidInput(
                f"steps must obey 0 < smallest ≤ first ≤ largest, got {self.smallest}, {self.first}, {self.largest}"
            )
        for name in ("max_steps", "iterations"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidInput(f"{name} is {value!r}; it must be a whole number, at least 1")
        for name in ("surest", "farthest", "angle", "largest_angle"):
            value = getattr(self, name)
            if not (isinstance(value, float | int) and np.isfinite(value) and value > 0):
                raise InvalidInput(f"{name} is {value!r}; it must be a positive, finite number")


@dataclass(frozen=True, eq=False)
class ContinuationRun:
    """What stays the same during one walk along a curve."""

    curve: Curve
    lower: np.ndarray
    upper: np.ndarray
    metric: Metric
    control: StepControl
    detect: bool

    @property
    def free(self) -> slice:
        """Where the free parameters stand among the unknowns."""
        return slice(self.curve.size, self.curve.size + len(self.lower))
