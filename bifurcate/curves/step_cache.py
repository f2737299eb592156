"""StepCache: what was computed at points of a curve and the next step needs again. The stepper owns it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bifurcate.curves.curve_point import CurvePoint

__all__ = ["StepCache"]

# Steps over which a test function is 0 to within its error, and their part of all, from which on it vanishes along the
# curve: rounding changes its sign in every other step, a zero that noise blurs does so in a few steps in a row.
VANISHING_STEPS = 5
VANISHING_PART = 1.0 / 3.0


class StepCache:
    """Test functions at points of one walk along a curve, by the arclength at which a point lies.

    Arclength grows from step to step, and a step that is refused is taken again with another length: no two points of
    a walk share one.

    Examples
    --------
    >>> import bifurcate as bf
    >>> point = next(bf.steps(bf.cycles(bf.maps.logistic(), free="r", guess=[0.6]), {"r": (2.0, 3.2)})).point
    >>> cache = StepCache()
    >>> cache.values(point, lambda here: {"R1": 1.0}), cache.values(point, lambda here: {"R1": 2.0})
    ({'R1': 1.0}, {'R1': 1.0})
    """

    def __init__(
        self,
        known: Mapping[float, dict[str, float]] | None = None,
        steps: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self._values: dict[float, dict[str, float]] = dict(known or {})
        self._steps: dict[str, tuple[int, int]] = dict(steps or {})

    @property
    def known(self) -> dict[float, dict[str, float]]:
        """What is remembered, by arclength."""
        return dict(self._values)

    def values(self, point: CurvePoint, compute: Callable[[CurvePoint], dict[str, float]]) -> dict[str, float]:
        """The test functions at a point: computed the first time, remembered afterwards."""
        if point.arclength not in self._values:
            self._values[point.arclength] = compute(point)
        return self._values[point.arclength]

    @property
    def steps(self) -> dict[str, tuple[int, int]]:
        """By the name of a test function: over how many steps it was looked at, and over how many of them it was 0."""
        return dict(self._steps)

    def count_step(self, name: str, is_zero: bool) -> None:
        """Count a step over which a test function was looked at; ``is_zero`` if it is 0 there to within its error."""
        seen, zero = self._steps.get(name, (0, 0))
        self._steps[name] = seen + 1, zero + is_zero

    def vanishes(self, name: str) -> bool:
        """True if a test function is 0 to within its error along the curve, so that it need not be looked at again."""
        seen, zero = self._steps.get(name, (0, 0))
        return zero >= VANISHING_STEPS and zero >= VANISHING_PART * seen

    def forget_before(self, arclength: float) -> None:
        """Forget what lies behind the stepper."""
        self._values = {place: found for place, found in self._values.items() if place >= arclength}
