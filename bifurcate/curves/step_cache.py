"""StepCache: what was computed at points of a curve and the next step needs again. The stepper owns it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bifurcate.curves.curve_point import CurvePoint

__all__ = ["StepCache"]


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

    def __init__(self, known: Mapping[float, dict[str, float]] | None = None) -> None:
        self._values: dict[float, dict[str, float]] = dict(known or {})

    @property
    def known(self) -> dict[float, dict[str, float]]:
        """What is remembered, by arclength."""
        return dict(self._values)

    def values(self, point: CurvePoint, compute: Callable[[CurvePoint], dict[str, float]]) -> dict[str, float]:
        """The test functions at a point: computed the first time, remembered afterwards."""
        if point.arclength not in self._values:
            self._values[point.arclength] = compute(point)
        return self._values[point.arclength]

    def forget_before(self, arclength: float) -> None:
        """Forget what lies behind the stepper."""
        self._values = {place: found for place, found in self._values.items() if place >= arclength}
