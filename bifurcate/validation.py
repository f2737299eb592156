"""What users give, checked once for all rooms: a message names the argument, what was wrong and what is allowed."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput

__all__ = ["check_callable", "check_count", "check_instance", "check_interval", "check_period", "check_positive"]


def check_count(name: str, value: Any, least: int = 1) -> int:
    """A whole number of at least ``least``; True and False are none.

    Examples
    --------
    >>> check_count("steps", 3)
    3
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidInput(f"{name} is {value!r}; it must be a whole number of at least {least}")
    return int(value)


def check_period(value: Any) -> int:
    """A cycle's period: a whole number of at least 1.

    Examples
    --------
    >>> check_period(2)
    2
    """
    return check_count("period", value)


def check_positive(name: str, value: Any) -> float:
    """A positive, finite real number.

    Examples
    --------
    >>> check_positive("tolerance", 1e-9)
    1e-09
    """
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not (number and np.isfinite(float(value)) and value > 0):
        raise InvalidInput(f"{name} is {value!r}; it must be a positive, finite number")
    return float(value)


def check_callable(name: str, value: Any, form: str) -> None:
    """Refuse what is neither callable nor None; ``form`` says how it would be called.

    Examples
    --------
    >>> check_callable("jvp", None, "jvp(x, v, **parameters)")
    """
    if value is not None and not callable(value):
        raise InvalidInput(f"{name} is {value!r}; it must be callable as {form}, or None")


def check_instance(name: str, value: Any, kind: type, advice: str) -> None:
    """Refuse what is not of a type; ``advice`` says how one of that type is made.

    Examples
    --------
    >>> check_instance("map", 3, int, "write a number")
    """
    if not isinstance(value, kind):
        raise InvalidInput(f"{name} must be a {kind.__name__}, got {type(value).__name__}: {advice}")


def check_interval(name: str, value: Any) -> tuple[float, float]:
    """The bounds (low, high) of a parameter: two finite numbers with low < high.

    Examples
    --------
    >>> check_interval("r", (0, 4))
    (0.0, 4.0)
    """
    try:
        low, high = (float(end) for end in value)
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"bounds of {name!r} are {value!r}; they must be an interval (low, high) of two numbers"
        ) from error
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InvalidInput(f"bounds of {name!r} are ({low}, {high}); low < high is needed, both finite")
    return low, high
