"""Noise: what an error in the values of f makes of derivatives, and the difference steps that keep it small.

Values of f that are wrong by η, in units of the state's size S (an ODE solved to 1e-8, float32, a simulation), make the
five-point slope over a step h wrong by about η/h, beside its truncation h⁴. Both are equal at

    h = η^{1/5},  first derivatives wrong by η^{4/5}

and what is differenced once more, or twice, from slopes that are wrong by ν is best taken over ν^{1/5} and ν^{1/6}
(Moré & Wild, ACM Trans. Math. Software 38 (2012) 19; the same balance as for rounding, in ``derivatives``).
For an f that is exact to rounding, η = 0, every step is that of ``derivatives`` and every error here is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from bifurcate.maps.derivatives import CURVATURE_STEP, FIVE_POINT_STEP, THREE_POINT_STEP

__all__ = ["EXACT", "Precision"]

# How many times the noise an error is taken to be at most: of normal noise 1 value in 16,000 is larger.
DEVIATIONS = 4.0
AMPLIFIED = 1e3  # times the noise up to which a residual that no longer falls is noise: it is multiplied along a cycle
# Times the noise below which lengths along a branch are its chance: neighbouring points differ by it in any direction.
INDISTINCT = 100.0

# Longest steps, in units of the state: farther away f is another function, whatever its noise.
LONGEST_SLOPE_STEP = 0.1
LONGEST_BEND_STEP = 0.15
LONGEST_CURVATURE_STEP = 0.2


def _root(x: float, n: int) -> float:
    return float(x ** (1.0 / n))


@dataclass(frozen=True)
class Precision:
    """The errors of a map's values and derivatives beyond rounding, and the difference steps that go with them.

    Attributes
    ----------
    noise : float
        Size of the errors of f's values, in units of max(scale, ‖x‖_∞); 0 if they are rounding alone.
    is_exact : bool
        True if derivatives are not differences of f: their errors are those of f's values then.
    """

    noise: float = 0.0
    is_exact: bool = False

    @property
    def is_noisy(self) -> bool:
        """True if the values of f are wrong by more than rounding."""
        return self.noise > 0.0

    @property
    def value_error(self) -> float:
        """What a value of f is wrong by at most, in units of the state's size."""
        return DEVIATIONS * self.noise

    @property
    def residual_error(self) -> float:
        """Up to which size a residual that no longer falls is noise, amplified along a cycle; in the same units."""
        return AMPLIFIED * self.noise

    @property
    def shortest_length(self) -> float:
        """Lengths along a branch, in units of the state, below which two points differ by noise."""
        return INDISTINCT * self.noise

    @cached_property
    def blurred_length(self) -> float:
        """The distance from a branch point, in units of the state, below which noise decides where the curve runs.

        There the equations are quadratic: what is wrong by η in them is wrong by √η in place.
        """
        return math.sqrt(self.noise)

    @cached_property
    def slope_step(self) -> float:
        """Step of five-point slopes of f, in units of its variable."""
        return max(FIVE_POINT_STEP, min(_root(self.noise, 5), LONGEST_SLOPE_STEP)) if self.noise else FIVE_POINT_STEP

    @cached_property
    def slope_error(self) -> float:
        """What an entry of a Jacobian is wrong by at most, in units of 1."""
        return self.value_error if self.is_exact else self.value_error / self.slope_step

    @cached_property
    def bend_step(self) -> float:
        """Step of five-point slopes of slopes."""
        if not self.noise:
            return FIVE_POINT_STEP
        return max(FIVE_POINT_STEP, min(_root(self.slope_error, 5), LONGEST_BEND_STEP))

    @cached_property
    def short_bend_step(self) -> float:
        """Step of three-point slopes of slopes that are no differences."""
        if not self.noise:
            return THREE_POINT_STEP
        return max(THREE_POINT_STEP, min(_root(self.slope_error, 3), LONGEST_BEND_STEP))

    @cached_property
    def bend_error(self) -> float:
        """What an entry of a second derivative is wrong by at most, in units of 1 over those of the state."""
        return self.slope_error / self.bend_step

    @cached_property
    def curvature_step(self) -> float:
        """Step of five-point second derivatives of slopes."""
        if not self.noise:
            return CURVATURE_STEP
        return max(CURVATURE_STEP, min(_root(self.slope_error, 6), LONGEST_CURVATURE_STEP))

    @cached_property
    def curvature_error(self) -> float:
        """What a third derivative is wrong by at most, in units of 1 over the square of those of the state."""
        return self.slope_error / self.curvature_step**2


EXACT = Precision()
