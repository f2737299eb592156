"""True if the derivatives that a user gives agree with differences of the map at a state.

The answer depends on the map and the state alone, not on what was asked before: a derivative that is right at the
first state may be wrong at the next one. States at which a map has passed are remembered outside it, since maps are
frozen, so that a state costs its calls of f once.
"""

from __future__ import annotations

import hashlib
import warnings
import weakref
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.derivatives import (
    FIVE_POINT_STEP,
    THREE_POINT_STEP,
    central_difference,
    parameter_slope,
    slope_by_three_points,
)

__all__ = ["AnalyticParameters", "DifferenceSlope", "PassedStates"]

# Error of a derivative, relative to its largest entry or to 1, up to which it counts as right. Differences are good to
# 1e-10 where f is smooth, and a wrong formula is rarely better than 1e-2: 1e-5 is far from both.
ALLOWED = 1e-5

# How much of the change under a ten times shorter step an error may be beyond that, where f bends strongly.
BENDS = 10.0
SHORTER = 0.1
NOISY_SHORTER = 0.5  # ... where f is noisy: its noise over a step ten times shorter would be ten times larger

# Part of ALLOWED within which three points decide that a derivative is right. Their own error is about 1e-10 for a
# smooth f; where they leave a doubt the five-point formula, which takes four times as many calls of f, is asked.
CLEARLY = 0.1

REMEMBERED = 64  # states a map: those of one continuation or a search from some guesses, in 16 bytes each

Array = NDArray[np.float64]


class DifferenceSlope:
    """g'(0) by differences, as something to compare given derivatives with.

    Parameters
    ----------
    g : callable
        Function of a number.
    step : float
        The step of the five-point formula.
    unit : float
        Magnitude below which an error counts as absolute.
    noise : float
        Size of the errors of g's values, where they are larger than rounding.
    """

    def __init__(self, g: Callable[[float], Array], step: float, unit: float = 1.0, noise: float = 0.0) -> None:
        self.g, self.step, self.unit, self.noise = g, step, unit, noise

    @cached_property
    def _by_three_points(self) -> Array:
        return slope_by_three_points(self.g, self.step * (THREE_POINT_STEP / FIVE_POINT_STEP))

    @cached_property
    def _by_five_points(self) -> tuple[Array, float]:
        """The slope, and by how much a given one may differ."""
        slope = central_difference(self.g, self.step, self.noise)
        if self.noise:
            bend = _largest(central_difference(self.g, NOISY_SHORTER * self.step, self.noise) - slope)
        else:
            bend = _largest(central_difference(self.g, SHORTER * self.step) - slope)
        return slope, self._allowed(slope) + BENDS * max(bend, self.noise / self.step)

    def _allowed(self, slope: Array) -> float:
        return ALLOWED * max(self.unit, _largest(slope))

    def find_error(self, given: Array) -> tuple[float, float] | None:
        """The error of a given derivative and the largest error that is allowed; None if the derivative is right.

        It also counts as right where f has no finite differences.

        Examples
        --------
        >>> slope = DifferenceSlope(lambda t: np.array([1.0 + 3.0 * t]), 1e-3)
        >>> slope.find_error(np.array([3.0])) is None, slope.find_error(np.array([2.0]))[0] > 0.99
        (True, True)
        """
        rough = self._by_three_points
        if not self.noise and _largest(given - rough) <= CLEARLY * self._allowed(rough):
            return None
        slope, allowed = self._by_five_points
        error = _largest(given - slope)
        return None if error <= allowed or not np.isfinite(slope).all() else (error, allowed)


class AnalyticParameters:
    """Which parameters f takes as complex or JAX numbers, as its states: found out at the first state, per function.

    A function may turn its parameters into floats, or compare them, and still be written for such states. Then it
    raises, or loses the imaginary part; differences show which.

    Examples
    --------
    >>> analytic = AnalyticParameters()
    >>> f = lambda x, a, b: a * x + abs(b)
    >>> p = {"a": 2.0, "b": 1.0}
    >>> [analytic.has(f, name, np.ones(1), p, "complex") for name in p]
    [True, False]
    """

    def __init__(self) -> None:
        self._known: weakref.WeakKeyDictionary[Any, dict[tuple[str, str], bool]] = weakref.WeakKeyDictionary()

    def knows(self, f: Callable[..., Any], name: str, method: str) -> bool:
        """True if it was found that f takes such a parameter."""
        return self._known.get(f, {}).get((name, method), False)

    def has(self, f: Callable[..., Any], name: str, x: Array, parameters: Mapping[str, float], method: str) -> bool:
        """True if f takes such a parameter; tried at x if it was not tried before."""
        known = self._known.setdefault(f, {})
        if (name, method) not in known:
            known[name, method] = _is_analytic(f, name, x, parameters, method)
        return known[name, method]


def _is_analytic(f: Callable[..., Any], name: str, x: Array, parameters: Mapping[str, float], method: str) -> bool:
    here = parameters[name]
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error")
            slope = parameter_slope(f, x, name, parameters, method)
    except Exception:  # f was not written for such parameters, and may raise anything
        return False
    differences = DifferenceSlope(
        lambda t: np.asarray(f(x, **{**parameters, name: here + t}), dtype=float), FIVE_POINT_STEP * max(1.0, abs(here))
    )
    return slope.shape == x.shape and bool(np.isfinite(slope).all()) and differences.find_error(slope) is None


class PassedStates:
    """The last states at which each map has passed the check, as long as the map lives.

    Examples
    --------
    >>> class Owner: ...
    >>> owner, passed = Owner(), PassedStates()
    >>> passed.add(owner, np.ones(2))
    >>> passed.has(owner, np.ones(2)), passed.has(owner, np.zeros(2))
    (True, False)
    """

    def __init__(self) -> None:
        self._states: weakref.WeakKeyDictionary[Any, dict[bytes, None]] = weakref.WeakKeyDictionary()

    def has(self, owner: object, x: Array) -> bool:
        """True if x is among the last states of that map."""
        known = self._states.get(owner)
        return known is not None and _digest(x) in known

    def add(self, owner: object, x: Array) -> None:
        """Remember x, and forget the oldest state if there are too many."""
        known = self._states.setdefault(owner, {})
        if len(known) >= REMEMBERED:
            known.pop(next(iter(known)), None)
        known[_digest(x)] = None


def _digest(x: Array) -> bytes:
    shape = repr(x.shape).encode()
    return hashlib.blake2b(np.ascontiguousarray(x).data, digest_size=16, key=shape[:64]).digest()


def _largest(values: Array) -> float:
    return float(np.abs(values).max(initial=0.0))
