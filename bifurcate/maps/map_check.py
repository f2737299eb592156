"""The check of a map at a state: f is tried there, and what the user says of it is compared with it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput, MapFailed, OutsideDomain
from bifurcate.maps.calls import call, shape_hint, vector_hint
from bifurcate.maps.checks import check_state
from bifurcate.maps.derivative_check import PassedStates
from bifurcate.maps.given_parts import CheckedMap, check_given_derivatives, check_whole_periods
from bifurcate.validation import shown

__all__ = ["check_at"]

Array = NDArray[np.float64]

# Numbers in a state up to which given derivatives are compared with differences: beyond, the dozen evaluations of f
# that this takes would be felt beside the work that follows.
LARGEST_CHECKED = 10**7

# Part of max(scale, |value|) by which two calls of f at one state may differ: sums in threads, whose order changes,
# differ by 1e-15 to 1e-13. What differs by more is random to the solvers, which ask for residuals of 1e-11.
SAME_VALUE = 1e-12

# Times the noise that was declared by which they may differ: two values that are each wrong by a few times as much.
ALLOWED_NOISE = 10.0

_PASSED = PassedStates()


def check_at(map: CheckedMap, x: Any) -> Array:
    """Try f at x, and compare the derivatives that were given with differences of f there; see ``Map.check``.

    Parameters
    ----------
    map : Map
        What is checked.
    x : array_like
        A state.

    Returns
    -------
    ndarray
        x as a new array of floats.

    Raises
    ------
    InvalidInput, MapFailed, OutsideDomain
        As ``Map.check`` says.
    """
    state = check_state(x)
    with np.errstate(all="ignore"):
        y = _try(map, state)
        _check_domain(map, state)
        if not np.isfinite(y).all():
            raise MapFailed(f"{map.name} returns NaN or infinity at the first state given")
        check_whole_periods(map, state, y)
        if state.size <= LARGEST_CHECKED and not _PASSED.has(map, state):
            _check_repeats(map, state, y)
            check_given_derivatives(map, state)
            _PASSED.add(map, state)
    return state


def _try(map: CheckedMap, x: Array) -> Array:
    """A copy of f(x), or MapFailed in the words of what went wrong."""
    trial = x.copy()
    try:
        y = np.asarray(map.f(trial, **map.parameters))
    except InvalidInput:  # f says itself what is wrong
        raise
    except Exception as error:
        words = f"{map.name} failed on a state of shape {x.shape}: {type(error).__name__}: {error}"
        raise MapFailed(words + vector_hint(error)) from error
    if y.shape != x.shape:
        hint = shape_hint(y.shape, x.shape)
        raise MapFailed(f"{map.name} maps a state of shape {x.shape} to shape {y.shape}; they must agree{hint}")
    if not np.array_equal(trial, x):
        raise MapFailed(f"{map.name} changes the state that it is given; it must return a new array")
    if y.dtype.kind not in "fiubc":
        raise MapFailed(f"{map.name} returns {y.dtype.name} values; numbers are asked for")
    if np.iscomplexobj(y):
        raise MapFailed(f"{map.name} returns complex numbers; states are real (stack real and imaginary parts)")
    return np.array(y, dtype=float)


def _check_domain(map: CheckedMap, x: Array) -> None:
    if map.domain is None:
        return
    margins = call(map.domain, f"the domain of {map.name}", x, **map.parameters)
    try:
        margin = float(np.min(margins))
    except (TypeError, ValueError) as error:
        raise MapFailed(f"the domain of {map.name} returns {shown(margins)}; margins are numbers") from error
    if not margin > 0:
        raise OutsideDomain(f"the state given is outside the domain of {map.name}: its smallest margin is {margin:.3g}")


def _check_repeats(map: CheckedMap, x: Array, y: Array) -> None:
    """Refuse an f that returns something else when it is called again: it is random, or remembers."""
    again = _try(map, x)
    apart = float(np.abs(again - y).max())
    allowed = max(SAME_VALUE, ALLOWED_NOISE * map.precision.noise)
    if not apart <= allowed * max(map.scale, float(np.abs(y).max())):
        raise MapFailed(
            f"{map.name} returns other numbers when it is called again at the same state (they differ by {apart:.1e}): "
            "it is random, or remembers earlier calls; draw its noise once, and keep it fixed"
        )
