"""Polishing: Newton steps from an approximate solution, taken only while the residual falls."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Polished", "polish"]

Array = NDArray[np.float64]


class Polished(NamedTuple):
    """A polished solution.

    Attributes
    ----------
    x : ndarray
        The state of the smallest residual.
    history : list of float
        The residual's maximum norm at every state, the first being that of the approximate solution.
    """

    x: Array
    history: list[float]


def polish(
    x: Array,
    residual: Callable[[Array], Array],
    newton_step: Callable[[Array, Array], Array | None],
    *,
    max_steps: int,
    max_halvings: int = 0,
) -> Polished:
    """Newton steps from an approximate solution, taken while the residual's maximum norm falls.

    This has no tolerance: it ends where the next step gains nothing, at rounding or where Newton's method fails. The
    caller judges what is left.

    Parameters
    ----------
    x : ndarray
        The approximate solution.
    residual : callable
        ``residual(x)`` → array of x's shape; infinite or NaN where a step must not end.
    newton_step : callable
        ``newton_step(x, residual(x))`` → the step, in x's shape, or None to end.
    max_steps : int
        Steps at the most.
    max_halvings : int
        How often a step may be halved until the residual falls.

    Returns
    -------
    Polished

    Examples
    --------
    >>> root = polish(np.array([1.5]), lambda x: x**2 - 2.0, lambda x, r: -r / (2.0 * x), max_steps=8)
    >>> round(float(root.x[0]), 12)
    1.414213562373
    """
    here = residual(x)
    history = [_size(here)]
    for _ in range(max_steps):
        step = newton_step(x, here)
        if step is None:
            break
        for halving in range(max_halvings + 1):
            trial = x + 0.5**halving * step
            there = residual(trial)
            if _size(there) < history[-1]:
                break
        else:
            break
        x, here = trial, there
        history.append(_size(here))
    return Polished(x, history)


def _size(residual: Array) -> float:
    return float(np.abs(residual).max())
