"""ContinuationProblem: what stays the same while a curve is followed."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.continuation.step_control import StepControl
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.metric import Metric

__all__ = ["ContinuationProblem"]

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ContinuationProblem:
    """What stays the same while a curve is followed; only the borders of its equations are renewed from step to step.

    Attributes
    ----------
    curve : Curve
        The curve.
    lower, upper : ndarray, shape (k,)
        Bounds of the free parameters.
    metric : Metric
        In which lengths and angles are measured.
    control : StepControl
        How long the steps are.
    detect : bool
        True if special points are looked for.
    """

    curve: Curve
    lower: Vector
    upper: Vector
    metric: Metric
    control: StepControl
    detect: bool

    @property
    def free(self) -> slice:
        """Where the free parameters stand among the unknowns."""
        return slice(self.curve.size, self.curve.size + len(self.lower))

    @property
    def widths(self) -> Vector:
        """Widths of the bounds, shape (k,)."""
        return self.upper - self.lower

    def with_curve(self, curve: Curve) -> ContinuationProblem:
        """The same run on a curve with other borders, or with other numbers of values for the same states."""
        if curve.size == self.metric.n:
            return dataclasses.replace(self, curve=curve)
        return dataclasses.replace(self, curve=curve, metric=self.metric.resized(curve.size))

    def state_size(self, point: CurvePoint) -> float:
        """Root mean square of a point's state, in units of the metric or of the start, whichever is larger."""
        n = self.curve.size
        x, start = point.u[:n], self.curve.start[:n]
        return math.sqrt(float(x @ x) / max(1.0 / self.metric.state, float(start @ start)))
