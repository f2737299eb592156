"""Checks of what users give, once for all rooms: a message names the argument, what is wrong and what is allowed."""

from __future__ import annotations

import inspect
import math
import numbers
import reprlib
import sys
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput

__all__ = [
    "as_floats",
    "check_array",
    "check_callable",
    "check_choice",
    "check_count",
    "check_flag",
    "check_instance",
    "check_interval",
    "check_mapping",
    "check_number",
    "check_optional",
    "check_period",
    "check_positive",
    "check_seed",
    "check_sequence",
    "check_text",
    "check_values",
    "check_workers",
    "is_real_number",
    "is_whole_number",
    "shown",
]

LARGEST_COUNT = sys.maxsize  # what is larger has no place in an array, nor an end in a loop

_SHOWN = reprlib.Repr()
_SHOWN.maxstring = _SHOWN.maxother = 100  # characters: a line


def shown(value: Any) -> str:
    """A value as it is written, for a message: no more than a line of it.

    Examples
    --------
    >>> shown("abc"), shown(list(range(1000)))
    ("'abc'", '[0, 1, 2, 3, 4, 5, ...]')
    """
    try:
        return " ".join(_SHOWN.repr(value).split())
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        return "a number of thousands of digits"


def as_floats(value: Any) -> NDArray[np.float64]:
    """A copy of an array of real numbers, as floats; NaN and infinity are among them.

    Raises
    ------
    TypeError, ValueError, OverflowError
        If it is anything else: text, dates, complex or masked numbers, nested lists of different lengths.

    Examples
    --------
    >>> as_floats([1, 2])
    array([1., 2.])
    """
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise TypeError("some of its entries are masked")
    array = np.asarray(value)
    if array.dtype.kind not in "fiubO" and array.size:
        raise TypeError(f"its entries are of type {array.dtype.name}")
    if array.dtype.kind == "O" and not all(isinstance(each, numbers.Real) for each in array.flat):
        raise TypeError("its entries are no real numbers")
    return np.array(array, dtype=float)


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
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond all floats
        return False


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
    """A whole number from ``least`` to ``most``, both allowed; without ``most`` up to what the machine can count.

    Examples
    --------
    >>> check_count("steps", 3)
    3
    >>> check_count("adaptor", 5, least=0, most=3)
    Traceback (most recent call last):
        ...
    bifurcate.errors.InvalidInput: adaptor is 5; it must be a whole number from 0 to 3
    """
    if not is_whole_number(value) or value < least or value > (LARGEST_COUNT if most is None else most):
        allowed = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InvalidInput(f"{name} is {shown(value)}; it must be a whole number {allowed}")
    return int(value)


def check_workers(value: Any) -> int:
    """Processes of a call's own, 1 if none are asked for.

    Examples
    --------
    >>> check_workers(None), check_workers(4)
    (1, 4)
    """
    return 1 if value is None else check_count("workers", value)


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
        raise InvalidInput(f"{name} is {shown(value)}; it must be a finite real number{span}")
    return float(value)


def check_positive(name: str, value: Any) -> float:
    """A positive, finite real number.

    Examples
    --------
    >>> check_positive("tolerance", 1e-9)
    1e-09
    """
    if not (is_real_number(value) and value > 0):
        raise InvalidInput(f"{name} is {shown(value)}; it must be a positive, finite number")
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
        array = as_floats(np.nan if np.iscomplexobj(value) else value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"{name} is {shown(value)}; it must be made of real numbers") from error
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
    if not isinstance(value, Hashable) or value not in choices:
        allowed = ", ".join(str(choice) for choice in choices)
        raise InvalidInput(f"{name} is {shown(value)}; allowed are {allowed}")


def check_callable(name: str, value: Any, form: str) -> None:
    """Refuse what is neither callable nor None; ``form`` says how it would be called.

    Examples
    --------
    >>> check_callable("jvp", None, "jvp(x, v, **parameters)")
    """
    if value is None:
        return
    taken = [None] * (1 + form.count(",") - form.count("**"))
    if not callable(value) or not _takes(value, taken):
        raise InvalidInput(f"{name} is {shown(value)}; it must be callable as {form}, or None")


def _takes(function: Callable[..., Any], arguments: list[Any]) -> bool:
    """False if a function has a signature and cannot be called with so many arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some builtins have none
        return True
    try:
        signature.bind(*arguments)
    except TypeError:
        return False
    return True


def check_text(name: str, value: Any) -> str:
    """A text.

    Examples
    --------
    >>> check_text("name", "Hénon's map")
    "Hénon's map"
    """
    if not isinstance(value, str):
        raise InvalidInput(f"{name} is {shown(value)}; it must be a text")
    return value


def check_optional(name: str, value: Any, kind: type, advice: str) -> None:
    """Refuse what is neither None nor of a type.

    Examples
    --------
    >>> check_optional("number", None, int, "write a number")
    """
    if value is not None:
        check_instance(name, value, kind, advice)


def check_sequence(name: str, value: Any, of: str) -> list[Any]:
    """A list of what a sequence, an array or a generator holds; ``of`` says of what it must be one.

    Examples
    --------
    >>> check_sequence("known", ([0.1],), "states")
    [[0.1]]
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0:
        raise InvalidInput(f"{name} must be a sequence of {of}, got {shown(value)}")
    return list(value)


def check_values(name: str, value: Any) -> NDArray[np.float64]:
    """A sequence of finite real numbers, of any length but 0.

    Examples
    --------
    >>> check_values("values", range(3))
    array([0., 1., 2.])
    """
    values = check_array(name, value)
    if values.ndim != 1 or not len(values):
        raise InvalidInput(f"{name} must be a sequence of numbers, got shape {values.shape}")
    return values


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
        ends = as_floats(list(value))
        if ends.shape != (2,):
            raise ValueError(f"it has shape {ends.shape}")
        low, high = ends.tolist()
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(
            f"bounds of {name!r} are {shown(value)}; they must be an interval (low, high) of two numbers"
        ) from error
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InvalidInput(f"bounds of {name!r} are ({low}, {high}); low < high is needed, both finite")
    return low, high
