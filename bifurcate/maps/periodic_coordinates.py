"""Coordinates on circles: which differences of states are the shortest, and which states are one.

A coordinate of period P is an angle, a phase or a place on a ring: x and x + P are one state. Whether a map returns
such a coordinate reduced, or in the lift, makes no difference here: only differences of states are ever reduced, to
between −P/2 and P/2, so that everything is smooth along a curve, whose states may go round as often as they like.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.validation import is_real_number

__all__ = ["check_periods", "common_size", "near", "reduced", "shortest", "sizes", "whole_periods"]

Array = NDArray[Any]


def check_periods(given: Any) -> tuple[float | None, ...] | None:
    """The periods of a state's numbers, None for those that have none, as a tuple; None if none has one.

    Raises
    ------
    InvalidInput
        If a period is no positive number.

    Examples
    --------
    >>> check_periods((6.5, None)), check_periods(1.0), check_periods((None, None))
    ((6.5, None), (1.0,), None)
    """
    if given is None:
        return None
    is_sequence = isinstance(given, tuple | list) or (isinstance(given, np.ndarray) and given.ndim > 0)
    periods = tuple(given) if is_sequence else (given,)
    for each in periods:
        if each is not None and not (is_real_number(each) and each > 0):
            raise InvalidInput(
                f"periodic is {given!r}; it must hold a positive period, or None, for every number of a state"
            )
    if all(each is None for each in periods):
        return None
    return tuple(None if each is None else float(each) for each in periods)


def shortest(differences: Array, periods: Array | None) -> Array:
    """Differences of states, each coordinate with a period reduced to the shortest one.

    Parameters
    ----------
    differences : ndarray, shape (..., n)
    periods : ndarray, shape (n,), or None
        inf for coordinates without a period; None if no coordinate has one.

    Examples
    --------
    >>> shortest(np.array([0.9, 0.9]), np.array([1.0, np.inf])).round(12)
    array([-0.1,  0.9])
    """
    if periods is None:
        return differences
    turns = np.round(differences / periods)
    return np.where(turns == 0.0, differences, differences - turns * np.where(np.isfinite(periods), periods, 0.0))


def near(states: Array, reference: Array, periods: Array | None) -> Array:
    """The states moved by whole periods to where they differ least from the reference, shapes (..., n) and (n,)."""
    if periods is None:
        return states
    turns = np.round((states - reference) / periods)
    return np.where(turns == 0.0, states, states - turns * np.where(np.isfinite(periods), periods, 0.0))


def sizes(states: Array, scale: float, periods: Array | None) -> Array:
    """The size of every coordinate, by which differences are taken: no angle is larger than its period.

    Orbits in the lift go round any number of times, and f bends over a part of a period wherever they are.

    Examples
    --------
    >>> sizes(np.array([1000.0, 1000.0]), 1.0, np.array([2.0, np.inf]))
    array([   2., 1000.])
    """
    large = np.maximum(scale, np.abs(states))
    return np.asarray(large if periods is None else np.minimum(large, periods))


def common_size(states: Array, scale: float, periods: Array | None) -> Array:
    """The size of states, shape (..., n), by which differences along all their coordinates at once are taken."""
    large = np.maximum(scale, np.abs(states).max(axis=-1, initial=0.0))
    return np.asarray(large if periods is None else np.minimum(large, periods.min()))


def whole_periods(states: Array, periods: Array) -> Array:
    """How many whole periods lie below the states, shapes (..., n) and (n,); 0 for coordinates without a period."""
    return np.where(np.isfinite(periods), np.floor(states / np.where(np.isfinite(periods), periods, 1.0)), 0.0)


def reduced(states: Array, periods: Array | None) -> Array:
    """The states moved by whole periods to between 0 and one period, shape (..., n).

    Examples
    --------
    >>> reduced(np.array([-0.25, -0.25]), np.array([1.0, np.inf]))
    array([ 0.75, -0.25])
    """
    if periods is None:
        return states
    return np.asarray(states - whole_periods(states, periods) * np.where(np.isfinite(periods), periods, 0.0))
