"""f at many states in one call, where f broadcasts: found out by trial, per function, and checked at every call.

A batch of m states of shape S is an array of shape (*S, m), as f(x) with x[0], x[1] takes it, or (m, *S), as x @ A.T
does. Functions that work entry by entry take both. f is not trusted to broadcast: at first some of what it makes of a
batch is compared with single calls, and one state in turn at every call after that.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.calls import REAL_KINDS

__all__ = ["BatchedValues"]

Array = NDArray[np.float64]

# States of the first batch that are compared with single calls, spread over it. The states beside one point, which
# differences take, differ in one number each: a function that mixes them up is wrong at every one.
COMPARED_AT_FIRST = 16

# Part of max(scale, |value|) by which a batch may differ from a single call: sums in another order and vectorised
# functions differ by some units in the last place. Differences are taken within one batch, which adds no more.
SAME_VALUE = 1e-12


class BatchedValues:
    """How functions take many states in one call, as long as they live.

    Examples
    --------
    >>> batches = BatchedValues()
    >>> states = np.arange(20.0).reshape(10, 2)
    >>> batches.values(lambda x, r: r * x, states, {"r": 2.0}).tolist() == (2.0 * states).tolist()
    True
    >>> batches.values(lambda x, r: np.array([r * float(x[0]), 0.0]), states, {"r": 2.0}) is None
    True
    """

    def __init__(self) -> None:
        self._axes: weakref.WeakKeyDictionary[Any, int | None] = weakref.WeakKeyDictionary()
        self._calls: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def values(
        self, f: Callable[..., Any], states: Array, parameters: Mapping[str, float], scale: float = 1.0
    ) -> Array | None:
        """f at every state, shape (m, *S); None if f does not take them in one call, or fails at one of them.

        Parameters
        ----------
        f : callable
            ``f(x, **parameters)``.
        states : ndarray, shape (m, *S)
        parameters : mapping of str to float
        scale : float
            A typical magnitude of the state.
        """
        try:
            if f in self._axes:
                axis = self._axes[f]
                return None if axis is None else self._checked(f, states, parameters, scale, axis)
        except TypeError:  # it cannot be remembered: it is called for every state
            return None
        chosen = np.unique(np.linspace(0, len(states) - 1, COMPARED_AT_FIRST).astype(int))
        for axis in (-1, 0):
            found = _in_one_call(f, states, parameters, axis)
            if found is not None and _agrees(f, states, found, parameters, scale, chosen):
                self._axes[f], self._calls[f] = axis, 0
                return found
        self._axes[f] = None
        return None

    def _checked(
        self, f: Callable[..., Any], states: Array, parameters: Mapping[str, float], scale: float, axis: int
    ) -> Array | None:
        found = _in_one_call(f, states, parameters, axis)
        self._calls[f] += 1
        row = np.array([self._calls[f] % len(states)])
        if found is not None and _agrees(f, states, found, parameters, scale, row):
            return found
        if found is not None and np.isfinite(found).all():  # it does not broadcast after all
            self._axes[f] = None
        return None


def _in_one_call(f: Callable[..., Any], states: Array, parameters: Mapping[str, float], axis: int) -> Array | None:
    batch = np.array(states) if axis == 0 else np.ascontiguousarray(np.moveaxis(states, 0, -1))
    try:
        with np.errstate(all="ignore"):
            found = np.asarray(f(batch, **parameters))
    except Exception:  # f was not written for such arrays, and may raise anything
        return None
    if found.shape != batch.shape or found.dtype.kind not in REAL_KINDS:
        return None
    return np.array(found if axis == 0 else np.moveaxis(found, -1, 0), dtype=float)


def _agrees(
    f: Callable[..., Any],
    states: Array,
    found: Array,
    parameters: Mapping[str, float],
    scale: float,
    rows: NDArray[np.int_],
) -> bool:
    """True if single calls at some rows yield what the batch has there."""
    for row in rows.tolist():
        try:
            with np.errstate(all="ignore"):
                alone = np.asarray(f(states[row].copy(), **parameters))
        except Exception:
            return False
        if alone.shape != found[row].shape or alone.dtype.kind not in REAL_KINDS:
            return False
        allowed = SAME_VALUE * np.maximum(scale, np.abs(alone))
        if not (np.abs(found[row] - alone) <= allowed).all():
            return False
    return True
