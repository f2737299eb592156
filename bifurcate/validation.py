"""Checks of what users give, once for all rooms: a message names the argument, what is wrong and what is allowed."""

from __future__ import annotations

import math
import numbers
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput

__all__ = [
    "check_array",
    "check_callable",
    "check_choice",
    "check_count",
    "check_flag",
    "check_instance",
    "check_interval",
    "check_mapping",
    "check_number",
    "check_period",
    "check_positive",
    "check_seed",
    "is_real_number",
    "is_whole_number",
]


def is_whole_number(value: Any) -> bool:
    """True for Python's and NumPy's integers; True and False are not numbers here.

    Examples
    --------
    >>> is_whole_number(3), is_whole_number(3.0), is_whole_number(True)
    (True, False, False)
    """
    value = _entry(value)
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_real_number(value: Any) -> bool:
    """True for a finite real number of any type; True and False are not numbers here.

    Examples
    --------
    >>> is_real_number(0.5), is_real_number(float("inf")), is_real_number("0.5"), is_real_number(True)
    (True, False, False, False)
    """
    value = _entry(value)
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _entry(value: Any) -> Any:
    """The number in an array without axes, of whichever library, as one is read from a file; all else as it is."""
    is_array = not isinstance(value, np.generic) and getattr(value, "ndim", None) == 0
    return np.asarray(value)[()] if is_array else value


def check_mapping(name: str, value: Any, of: str) -> dict[Any, Any]:
    """A copy of a dict, or of what is like one, as a row of a pandas table; ``of`` says of what.

    Examples
    --------
    >>> check_mapping("parameters", {"r": 2.5}, "names and values")
    {'r': 2.5}
    """
    if not (isinstance(value, Mapping) or all(hasattr(value, part) for part in ("keys", "items", "__getitem__"))):
        raise InvalidInput(f"{name} must be a dict of {of}, got {value!r}")
    return {key: each for key, each in value.items()}


def check_count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """A whole number from ``least`` to ``most``, both allowed; without ``most`` it has no upper limit.

    Examples
    --------
    >>> check_count("steps", 3)
    3
    >>> check_count("adaptor", 5, least=0, most=3)
    Traceback (most recent call last):
        ...
    bifurcate.errors.InvalidInput: adaptor is 5; it must be a whole number from 0 to 3
    """
    if not is_whole_number(value) or value < least or (most is not None and value > most):
        allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InvalidInput(f"{name} is {value!r}; it must be a whole number {allowed}")
    return int(value)


def check_period(value: Any) -> int:
    """A cycle's period: a whole number of at least 1.

    Examples
    --------
    >>> check_period(2)
    2
    """
    return check_count("period", value)


def check_seed(value: Any) -> int:
    """The seed of a random generator: a whole number of at least 0.

    Examples
    --------
    >>> check_seed(0)
    0
    """
    return check_count("seed", value, least=0)


def check_number(name: str, value: Any, low: float = -np.inf, high: float = np.inf) -> float:
    """A finite real number with low ≤ value ≤ high.

    Examples
    --------
    >>> check_number("alpha", 1, 0.0, 1.0)
    1.0
    >>> check_number("alpha", 2.0, 0.0, 1.0)
    Traceback (most recent call last):
        ...
    bifurcate.errors.InvalidInput: alpha is 2.0; it must be a finite real number in [0, 1]
    """
    if not is_real_number(value) or not low <= float(value) <= high:
        span = ""
        if low > -np.inf:
            span = f" of at least {low:g}" if high == np.inf else f" in [{low:g}, {high:g}]"
        elif high < np.inf:
            span = f" of at most {high:g}"
        raise InvalidInput(f"{name} is {value!r}; it must be a finite real number{span}")
    return float(value)


def check_positive(name: str, value: Any) -> float:
    """A positive, finite real number.

    Examples
    --------
    >>> check_positive("tolerance", 1e-9)
    1e-09
    """
    if not (is_real_number(value) and value > 0):
        raise InvalidInput(f"{name} is {value!r}; it must be a positive, finite number")
    return float(value)


def check_array(name: str, value: Any, shape: tuple[int | None, ...] | None = None) -> NDArray[np.float64]:
    """A copy of an array of finite real numbers, as floats.

    Parameters
    ----------
    name : str
        The argument's name, for the message.
    value : array_like
        What was given.
    shape : tuple of int or None, optional
        The shape that is asked for; None in it stands for any length.

    Returns
    -------
    ndarray of float

    Raises
    ------
    InvalidInput
        If an entry is complex, NaN, infinite or no number, or the shape is another one.

    Examples
    --------
    >>> check_array("drive", [1, 2], (None,))
    array([1., 2.])
    """
    try:
        array = np.array(np.nan if np.iscomplexobj(value) else value, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} is {value!r}; it must be made of real numbers") from error
    if not np.isfinite(array).all():
        raise InvalidInput(f"{name} has entries that are NaN, infinite or complex; they must be finite real numbers")
    if shape is not None:
        fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape))
        if not fits:
            wanted = str(tuple("any" if length is None else length for length in shape)).replace("'", "")
            raise InvalidInput(f"{name} has shape {array.shape}; it must be {wanted}")
    return array


def check_flag(name: str, value: Any) -> bool:
    """True or False, and nothing that is merely true or false in a condition.

    Examples
    --------
    >>> check_flag("clip", True)
    True
    """
    if not isinstance(value, bool | np.bool_):
        raise InvalidInput(f"{name} is {value!r}; it must be True or False")
    return bool(value)


def check_choice(name: str, value: Any, choices: Collection[Any]) -> None:
    """Refuse what is none of the choices.

    Examples
    --------
    >>> check_choice("layout", "trailing", ("trailing", "leading"))
    """
    if value not in choices:
        allowed = ", ".join(str(choice) for choice in choices)
        raise InvalidInput(f"{name} is {value!r}; allowed are {allowed}")


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
