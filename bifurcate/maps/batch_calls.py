"""f at many states: in one call, compared with single calls, or in one call each.

f is not trusted to broadcast. What it makes of a batch is compared with f of single states, of which the caller names
the rows; where they differ, or f fails on the batch, :class:`DoesNotBroadcast` says that it has to be called for one
state at a time. There a state at which f fails has NaN for its image, and, where the caller asks, f's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import BifurcateError
from bifurcate.maps.batches import BatchLayout, BatchRows, agrees, broadcast_parameters, to_rows
from bifurcate.maps.calls import REAL_KINDS, evaluate

__all__ = ["DoesNotBroadcast", "call_on_batch", "images_at_once", "images_one_by_one", "is_image_alone"]

Array = NDArray[np.float64]


class DoesNotBroadcast(Exception):
    """A batch was not taken, or yields something else than single calls: f has to be called for one state at a time."""


def call_on_batch(
    f: Callable[..., Any], states: NDArray[Any], p: Mapping[str, Any], layout: BatchLayout, kinds: str = REAL_KINDS
) -> NDArray[Any]:
    """f at states of shape (m, *S), from one call, as an array of that shape.

    Parameters
    ----------
    f : callable
        ``f(x, **parameters)``.
    states : ndarray, shape (m, *S)
        f gets a copy of them.
    p : mapping of str to (float or ndarray of shape (m,))
        All parameters.
    layout : {"trailing", "leading"}
    kinds : str
        NumPy's kinds of numbers that f may return.

    Raises
    ------
    DoesNotBroadcast
        If f fails on the batch, or returns another shape or other things than such numbers.

    Examples
    --------
    >>> call_on_batch(lambda x, r: r * x, np.array([[1.0], [2.0]]), {"r": np.array([2.0, 3.0])}, "trailing").ravel()
    array([2., 6.])
    """
    if layout == "leading":
        batch = states.copy()
    else:
        batch = np.array(states.T if states.ndim == 2 else np.moveaxis(states, 0, -1), order="C")
    try:
        found = np.array(f(batch, **broadcast_parameters(p, states.ndim - 1, layout)))  # f may keep what it returns
    except Exception as error:  # f was not written for such arrays, and may raise anything
        raise DoesNotBroadcast from error
    if found.shape != batch.shape or found.dtype.kind not in kinds:
        raise DoesNotBroadcast
    return to_rows(found if found.dtype.kind == "c" else np.asarray(found, dtype=float), layout)


def images_at_once(
    f: Callable[..., Any],
    states: Array,
    p: Mapping[str, Any],
    layout: BatchLayout,
    scale: float = 1.0,
    compared: Iterable[int] = (0,),
) -> Array:
    """f at states of shape (m, *S), from one call, compared with f of single states at some rows.

    Parameters
    ----------
    f, states, p, layout
        As for :func:`call_on_batch`.
    scale : float
        A typical magnitude of the state.
    compared : iterable of int
        The rows.

    Raises
    ------
    DoesNotBroadcast
        As :func:`call_on_batch` says; or if f of one of these rows by itself fails, or is another state, or one beyond
        rounding: :func:`~bifurcate.maps.batches.agrees`.

    Examples
    --------
    >>> images_at_once(lambda x, r: r * x.max() + 0 * x, np.eye(2), {"r": 2.0}, "leading", compared=[0, 1])
    array([[2., 2.],
           [2., 2.]])
    """
    found = call_on_batch(f, states, p, layout)
    if not all(is_image_alone(f, states, found, p, i, scale) for i in compared):
        raise DoesNotBroadcast
    return found


def is_image_alone(
    f: Callable[..., Any], states: Array, found: Array, p: Mapping[str, Any], row: int, scale: float
) -> bool:
    """True if f of one state by itself is what was found for its row in a batch, up to rounding."""
    values = {name: float(value[row]) if np.ndim(value) else value for name, value in p.items()}
    try:
        alone = np.asarray(f(states[row].copy(), **values))
    except Exception:  # f is the user's, and may raise anything
        return False
    if alone.dtype.kind not in REAL_KINDS:
        return False
    image = found[row]
    return (alone.dtype == image.dtype and alone.tobytes() == image.tobytes()) or agrees(image, alone, scale)


def images_one_by_one(
    f: Callable[..., Any],
    states: Array,
    p: Mapping[str, Any],
    what: str = "f",
    failures: dict[int, str] | None = None,
) -> Array:
    """f at states of shape (m, *S), from one call each; NaN where it fails.

    Parameters
    ----------
    f, states, p
        As for :func:`call_on_batch`.
    what : str
        The name of f, for its words.
    failures : dict of int to str, optional
        Gets f's own words, by row, where it fails.

    Examples
    --------
    >>> words = {}
    >>> images_one_by_one(lambda x, r: x / r if x > 1 else [], np.array([[1.0], [2.0]]), {"r": 2.0}, failures=words)
    array([[nan],
           [ 1.]])
    >>> words
    {0: "f failed at r = 2: it changed the state's shape from (1,) to (0,)"}
    """
    out = np.full(states.shape, np.nan)
    for i, (x, values) in enumerate(zip(states, BatchRows(states, p).parameters_of_rows())):
        try:
            out[i] = evaluate(f, what, x, values)
        except BifurcateError as error:
            if failures is not None:
                failures[i] = str(error)
    return out
