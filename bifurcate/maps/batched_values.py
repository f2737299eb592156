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

from bifurcate.maps.batch_calls import DoesNotBroadcast, call_on_batch, images_at_once, is_image_alone
from bifurcate.maps.batches import LAYOUTS, BatchLayout

__all__ = ["BatchedValues"]

Array = NDArray[np.float64]

# States of the first batch that are compared with single calls, spread over it. The states beside one point, which
# differences take, differ in one number each: a function that mixes them up is wrong at every one.
COMPARED_AT_FIRST = 16


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
        self._layouts: weakref.WeakKeyDictionary[Any, BatchLayout | None] = weakref.WeakKeyDictionary()
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
            known = self._layouts.get(f, LAYOUTS)
        except TypeError:  # it cannot be remembered: it is called for every state
            return None
        if isinstance(known, str):
            return self._checked(f, states, parameters, scale, known)
        rows = np.unique(np.linspace(0, len(states) - 1, COMPARED_AT_FIRST).astype(int)).tolist()
        for layout in known or ():
            try:
                with np.errstate(all="ignore"):
                    found = images_at_once(f, states, parameters, layout, scale, rows)
            except DoesNotBroadcast:
                continue
            if np.isfinite(found[rows]).all():
                self._layouts[f], self._calls[f] = layout, 0
                return found
        self._layouts[f] = None
        return None

    def _checked(
        self, f: Callable[..., Any], states: Array, parameters: Mapping[str, float], scale: float, layout: BatchLayout
    ) -> Array | None:
        self._calls[f] += 1
        row = self._calls[f] % len(states)
        try:
            with np.errstate(all="ignore"):
                found = call_on_batch(f, states, parameters, layout)
                is_same = is_image_alone(f, states, found, parameters, row, scale)
        except DoesNotBroadcast:
            return None
        if is_same and np.isfinite(found[row]).all():
            return found
        if np.isfinite(found).all():  # it does not broadcast after all
            self._layouts[f] = None
        return None
