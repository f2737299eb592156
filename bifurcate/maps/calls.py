"""Calls of a user's functions in the midst of a computation: guarded against what they may do there.

What a function may do: raise; return another shape, complex numbers or text; write into the state that it is given;
return the same array at every call, so that an earlier result changes. Each but the last, against which results are
copied, ends the computation with the function's own words, in :class:`~bifurcate.errors.MapFailed`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import BifurcateError, InvalidInput, MapFailed, MapMissing
from bifurcate.linalg.few_numbers import FEW
from bifurcate.printing import values_text

__all__ = ["REAL_KINDS", "call", "evaluate", "shape_hint", "vector_hint"]

Array = NDArray[np.float64]

REAL_KINDS = "fiub"  # NumPy's kinds of real numbers
NO_VECTOR = (
    "not subscriptable",
    "non-iterable",
    "must be an iterable",
    "invalid index to scalar",
)  # of a number taken for one
FLOATS = np.dtype(np.float64)


def call(function: Callable[..., Any], what: str, /, *arguments: Any, **parameters: Any) -> Any:
    """The value of a user's function, or MapFailed with the words of what it raised.

    Parameters
    ----------
    function : callable
        ``function(*arguments, **parameters)``.
    what : str
        Its name, for the message.

    Raises
    ------
    MapFailed
        If it raises anything but an error of this package that is not about its input.

    Examples
    --------
    >>> call(lambda x, r: 1 / r, "f of map", 0.5, r=0)
    Traceback (most recent call last):
        ...
    bifurcate.errors.MapFailed: f of map failed at r = 0: ZeroDivisionError: division by zero
    """
    try:
        return function(*arguments, **parameters)
    except (MapFailed, MapMissing):
        raise
    except BifurcateError as error:
        if isinstance(error, InvalidInput):
            raise MapFailed(_failure(what, parameters, str(error))) from error
        raise
    except Exception as error:
        raise MapFailed(_failure(what, parameters, f"{type(error).__name__}: {error}")) from error


def evaluate(function: Callable[..., Any], what: str, x: Array, parameters: Mapping[str, Any]) -> Array:
    """The value of f at a state, as a new array of floats of the state's shape.

    Parameters
    ----------
    function : callable
        ``function(x, **parameters)``.
    what : str
        Its name, for the message.
    x : ndarray
        The state; f gets a copy of it.
    parameters : mapping of str to float
        All parameters.

    Raises
    ------
    MapFailed
        If it raises, writes into its state, or returns another shape or other things than real numbers.

    Examples
    --------
    >>> buffer = np.zeros(1)
    >>> double = lambda x: np.multiply(x, 2.0, out=buffer)
    >>> first, second = evaluate(double, "f", np.array([1.0]), {}), evaluate(double, "f", np.array([2.0]), {})
    >>> first, second
    (array([2.]), array([4.]))
    """
    given = np.array(x)  # contiguous, as the comparison below needs it
    value = call(function, what, given, **parameters)
    is_plain = type(value) is np.ndarray and value.dtype is FLOATS and value.shape == x.shape and x.size <= FEW
    if is_plain and given.tobytes() == x.tobytes():  # the usual case, with as few calls as it takes
        return np.array(value)
    raw = np.asarray(value)
    if raw.shape != x.shape:
        words = f"it changed the state's shape from {x.shape} to {raw.shape}"
        words += shape_hint(raw.shape, x.shape)
    elif raw.dtype.kind not in REAL_KINDS:
        words = f"it returned {'complex numbers' if raw.dtype.kind == 'c' else f'{raw.dtype.name} values'}"
    elif not _is_bitwise_equal(given, x):
        words = "it changed the state that it was given; it must return a new array"
    else:
        return np.array(raw, dtype=float)
    raise MapFailed(_failure(what, parameters, words))


def shape_hint(found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """What to do where f returns a number for a state of one component; "" elsewhere."""
    if found != () or wanted != (1,):
        return ""
    return "; x holds one number in an array: compute with x, not with x[0], or return np.array([…])"


def vector_hint(error: Exception) -> str:
    """What to do where f looks for several parameters in one, as p[0]; "" elsewhere."""
    if not isinstance(error, TypeError | IndexError) or not any(words in str(error) for words in NO_VECTOR):
        return ""
    return "; a parameter is one number with a name, not a vector: write f(x, a, b) in place of f(x, p) with p[0], p[1]"


def _is_bitwise_equal(a: Array, b: Array) -> bool:
    """True if all bits agree: NaN equals itself then."""
    if a.dtype != np.float64 or b.dtype != np.float64:
        return bool((a == b).all())
    if a.size <= FEW:
        return a.tobytes() == b.tobytes()
    return bool((a.reshape(-1).view(np.int64) == b.reshape(-1).view(np.int64)).all())


def _failure(what: str, parameters: Mapping[str, Any], words: str) -> str:
    where = values_text({name: value for name, value in parameters.items() if np.ndim(value) == 0})
    return f"{what} failed{f' at {where}' if where else ''}: {words}"
