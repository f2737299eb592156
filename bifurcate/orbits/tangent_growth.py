"""Largest Lyapunov exponents of many orbits at once: a tangent vector mapped along each, in batches of f's layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.accelerated import CompiledFunction
from bifurcate.maps.accelerated_batches import batch_images
from bifurcate.maps.batches import BatchRows, broadcast_parameters, smallest_margins, to_batch
from bifurcate.maps.periodic_coordinates import common_size, shortest
from bifurcate.orbits.ensemble import Layout
from bifurcate.orbits.orbit import DIVERGED, IterationRule

__all__ = ["largest_exponents"]

Array = NDArray[np.float64]

# Step of central differences along the tangent vector, in units of max(scale, ‖x‖_∞): the third root of rounding.
STEP = 6e-6
LEAST_GROWTH = 1e-16  # a factor by which a vector shrinks in one iteration that counts as this: it is 0 to rounding
ROWS_PER_BATCH = 4096  # whose few numbers each stay in a core's cache


def largest_exponents(
    rule: IterationRule, rows: BatchRows, layout: Layout, transient: int, steps: int, seed: int = 0
) -> Array:
    """The largest Lyapunov exponent of the orbit of every row; NaN where it leaves the domain or diverges.

    Parameters
    ----------
    rule : IterationRule
        What is iterated.
    rows : BatchRows
        The first states, and their parameters.
    layout : {"trailing", "leading", "single"}
        In which f was found to take batches of these rows.
    transient, steps : int
        Iterations before the average, and in it.
    seed : int
        Of the first tangent vector.
    """
    vector = np.random.default_rng(seed).standard_normal(rows.states.shape[1:])
    vector /= np.linalg.norm(vector)
    parts = [rows[i : i + ROWS_PER_BATCH] for i in range(0, len(rows), ROWS_PER_BATCH)]
    with np.errstate(all="ignore"):
        return np.concatenate([_of_part(rule, part, layout, vector, transient, steps) for part in parts])


def _of_part(rule: IterationRule, rows: BatchRows, layout: Layout, vector: Array, transient: int, steps: int) -> Array:
    try:
        return _of_batch(rule, rows, layout, vector, transient, steps)
    except Exception:  # f took batches along the orbits, but not beside them; one by one it may
        if layout == "single":
            raise
        return _of_batch(rule, rows, "single", vector, transient, steps)


def _of_batch(rule: IterationRule, rows: BatchRows, layout: Layout, vector: Array, transient: int, steps: int) -> Array:
    f = _on_rows(rule.f, rows, layout)
    margins = None if rule.domain is None else _margins(rule.domain, rows, layout)
    x, m, rank = rows.states, len(rows), rows.states.ndim - 1
    v, total = np.broadcast_to(vector, x.shape), np.zeros(m)
    ones = (m,) + (1,) * rank
    is_lost = np.zeros(m, dtype=bool)
    for done in range(transient + steps):
        size = np.abs(x).reshape(m, -1).max(axis=1)
        is_lost |= ~(size < DIVERGED * rule.scale)
        if margins is not None:
            is_lost |= ~(margins(x) > 0)
        if is_lost.all():
            break
        step = (STEP * common_size(x.reshape(m, -1), rule.scale, rule.periods)).reshape(ones)
        apart = (f(x + step * v) - f(x - step * v)).reshape(m, -1)
        image = shortest(apart, rule.periods).reshape(x.shape) / (2.0 * step)
        growth = np.maximum(np.linalg.norm(image.reshape(m, -1), axis=1), LEAST_GROWTH)
        x, v = f(x), image / growth.reshape(ones)
        if done >= transient:
            total += np.log(growth)
    return np.where(is_lost, np.nan, total / steps)


def _on_rows(f: Callable[..., Any], rows: BatchRows, layout: Layout) -> Callable[[Array], Array]:
    """f on states one a row, in a batch of the layout or one by one."""
    if layout == "single":
        each = rows.parameters_of_rows()
        return lambda x: np.array([_or_nan(f, state, p) for state, p in zip(x, each)])
    if layout == "compiled":
        assert isinstance(f, CompiledFunction)
        shape = rows.states.shape
        return lambda x: batch_images(f, x.reshape(shape[0], -1), rows.parameters, shape[1:]).reshape(shape)
    p: Mapping[str, Any] = broadcast_parameters(rows.parameters, rows.states.ndim - 1, layout)
    if layout == "leading":
        return lambda x: np.array(f(x, **p), dtype=float)
    return lambda x: np.moveaxis(np.array(f(to_batch(x, layout), **p), dtype=float), -1, 0)


def _margins(domain: Callable[..., Any], rows: BatchRows, layout: Layout) -> Callable[[Array], Array]:
    """The smallest margin of every row."""
    if layout == "single" or layout == "compiled":
        each = rows.parameters_of_rows()
        return lambda x: np.array([np.min(_or_nan(domain, state, p)) for state, p in zip(x, each)])
    p = broadcast_parameters(rows.parameters, rows.states.ndim - 1, layout)
    return lambda x: np.asarray(smallest_margins(domain(to_batch(x, layout), **p), layout, len(rows)))


def _or_nan(f: Callable[..., Any], x: Array, p: Mapping[str, float]) -> Array:
    """f at one state; NaN where it raises, or the orbit has ended."""
    try:
        return np.array(f(x, **p), dtype=float)
    except Exception:  # a user's function may raise anything; the orbit has no exponent then
        return np.full(x.shape, np.nan)
