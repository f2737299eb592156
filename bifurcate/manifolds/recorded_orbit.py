"""RecordedOrbit: an orbit that can go on, with what a coordinate on a circle advances by."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput, MapFailed
from bifurcate.maps.map import Map
from bifurcate.orbits.orbit import DIVERGED, IterationRule, next_state

__all__ = ["RecordedOrbit"]

Array = NDArray[np.float64]

CHECKED_EVERY = 256  # steps after which an orbit is looked at: has it diverged?


class RecordedOrbit:
    """An orbit of f^k that can go on, with what a coordinate on a circle advances by at every step.

    Parameters
    ----------
    map : Map
    x : ndarray
        The first state.
    period : int
        k.
    coordinate : int or None
        Of the one that goes round; it is reduced to its period after every step, where f then does the same.
    """

    def __init__(self, map: Map, x: Array, period: int, coordinate: int | None) -> None:
        self.map, self.period, self.coordinate = map, period, coordinate
        self.rule, self.p = IterationRule.of(map), dict(map.parameters)
        self.here = x
        self.states, self.advances = [x], list[float]()
        self.width = 1.0 if coordinate is None or map.periods is None else float(map.periods[coordinate])
        self.is_lift = coordinate is not None and self._degree() == 1

    def _degree(self) -> int:
        """By how many periods the image moves with one period of the coordinate: 1 of a lift, 0 of reduced images."""
        assert self.coordinate is not None
        moved = self.here.ravel().copy()
        moved[self.coordinate] += self.width
        apart = (self._image(moved.reshape(self.here.shape)) - self._image(self.here)).ravel()
        degree = round(float(apart[self.coordinate]) / self.width)
        if degree not in (0, 1):
            raise InvalidInput(
                f"coordinate {self.coordinate} goes round {degree} times while its state goes round once: "
                "such a map has no rotation numbers"
            )
        return degree

    def _image(self, x: Array) -> Array:
        for _ in range(self.period):
            y = next_state(self.rule, x, self.p)
            end = self.rule.end(y, self.p)
            if end != "steps":
                what = "diverges" if end == "diverged" else "leaves the domain"
                raise MapFailed(f"the orbit {what} at {np.ravel(y)[:3].tolist()}: it goes round no closed curve")
            x = y
        return x

    def _image_unchecked(self, x: Array) -> Array:
        """The same of a state that is known to be one: whatever goes wrong is said by :meth:`_image`."""
        f, p = self.map.f, self.p
        for _ in range(self.period):
            x = np.array(f(x.copy(), **p), dtype=float)
        return x

    def go_on(self, count: int, record: bool = True) -> None:
        """Take so many steps."""
        step = self._image_unchecked if self.map.domain is None else self._image
        for number in range(count):
            before = self.here
            try:
                image = step(before)
                is_usual = image.shape == before.shape and (number % CHECKED_EVERY > 0 or _is_finite(image, self.map))
            except Exception:  # f may raise anything
                is_usual = False
            image = image if is_usual else self._image(before)
            if self.coordinate is not None:
                flat = image.reshape(-1)
                advance = (flat.item(self.coordinate) - before.reshape(-1).item(self.coordinate)) / self.width
                if self.is_lift:
                    flat[self.coordinate] -= self.width * math.floor(flat.item(self.coordinate) / self.width)
                if record:
                    self.advances.append(advance)
            self.here = image
            if record:
                self.states.append(image)
        if count and not _is_finite(self.here, self.map):
            self._image(self.here)
        if not record:
            self.states = [self.here]

    def window(self) -> Array:
        """The last half of the states, flattened, shape (m, n)."""
        last = self.states[len(self.states) // 2 :]
        return np.array(last).reshape(len(last), -1)


def _is_finite(x: Array, map: Map) -> bool:
    return bool(np.abs(x).max() < DIVERGED * map.scale)
