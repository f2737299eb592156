"""AcceleratedMap: an accelerated f, its Jacobian and its domain at many states at once, vectorised by JAX.

f is written for one state; ``jax.vmap`` makes the batch, so that nothing is asked of how f broadcasts, and nothing has
to be compared with single calls. The states are padded to a few lengths, since every length is compiled by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.accelerated import (
    CompiledFunction,
    import_jax,
    program_of,
    run,
    slope_by,
    traced,
    user_function,
)
from bifurcate.maps.batch_calls import DoesNotBroadcast
from bifurcate.maps.batched_map import BatchedMap, batched_map, looped_map
from bifurcate.maps.batches import BatchRows
from bifurcate.maps.iterated_map import LARGEST_DENSE
from bifurcate.maps.map import Map

__all__ = ["AcceleratedMap", "MapOnRows", "batch_images", "batch_map"]

Array = NDArray[np.float64]
Parameters = Mapping[str, Any]
T = TypeVar("T")

# The least number of rows that is compiled for, and the factor from one such length to the next: three programs serve
# up to 16,384 rows, and arithmetic on rows that pad costs less than a compilation.
SHORTEST, LONGER = 32, 8


def _padded_length(m: int) -> int:
    length = SHORTEST
    while length < m:
        length *= LONGER
    return length


def _padded(x: Array, p: Parameters) -> tuple[Array, Array]:
    """Rows, and their parameters as a matrix, lengthened by copies of the last one."""
    m = len(x)
    values = np.array([np.broadcast_to(np.asarray(value, dtype=float), m) for value in p.values()]).reshape(-1, m)
    more = _padded_length(m) - m
    return np.concatenate([x, np.repeat(x[-1:], more, axis=0)]), np.pad(values, ((0, 0), (0, more)), mode="edge")


def _run_on_rows(
    function: CompiledFunction, key: Any, make: Callable[..., Any], x: Array, p: Parameters, shape: tuple[int, ...]
) -> Array:
    """``make(f)(state, parameters)`` at every row of x, in one program."""
    names, what = tuple(p), function.__name__
    states, values = _padded(x, p)

    def program() -> Callable[..., Any]:
        jax = import_jax()
        inner = make(traced(function.function, what))
        return jax.vmap(lambda y, q: inner(y.reshape(shape), dict(zip(names, q))), in_axes=(0, 1))  # type: ignore[no-any-return]

    found = run(program_of(function.function, ("rows", key, names, shape), program), what, states, values)
    return np.array(found[: len(x)])


def batch_images(f: CompiledFunction, x: Array, p: Parameters, shape: tuple[int, ...]) -> Array:
    """f at rows of flattened states, shape (m, n); p holds numbers, or arrays of shape (m,)."""
    if not len(x):
        return x.copy()
    return _run_on_rows(f, "images", lambda g: lambda y, p: g(y, p).ravel(), x, p, shape)


@dataclass(frozen=True, eq=False)
class AcceleratedMap(BatchedMap):
    """An accelerated map on rows of flattened states."""

    @property
    def f(self) -> CompiledFunction:
        """The compiled f."""
        f = self.map.f
        assert isinstance(f, CompiledFunction)
        return f

    def images(self, x: Array, p: Parameters) -> Array:
        """f at the rows of x."""
        return batch_images(self.f, x, p, self.shape)

    def jacobians(self, x: Array, p: Parameters) -> Array:
        """The Jacobian of f at the rows of x, shape (m, n, n), by forward mode."""
        n = x.shape[1]
        if not len(x):
            return np.empty((0, n, n))

        def make(g: Callable[..., Any]) -> Callable[..., Any]:
            return lambda y, p: import_jax().jacfwd(g)(y, p).reshape(n, n)

        return _run_on_rows(self.f, "jacobians", make, x, p, self.shape)

    def slopes(self, x: Array, p: Parameters, name: str) -> Array:
        """∂f/∂name at the rows of x, shape (m, n)."""
        if not len(x):
            return x.copy()

        def make(g: Callable[..., Any]) -> Callable[..., Any]:
            slope = slope_by(g, name)
            return lambda y, p: slope(y, p).ravel()

        return _run_on_rows(self.f, ("slopes", name), make, x, p, self.shape)

    def margins(self, x: Array, p: Parameters) -> Array:
        """The smallest domain margin of every row; −inf for NaN."""
        if self.map.domain is None or not len(x):
            return np.full(len(x), np.inf)
        domain, names, what = user_function(self.map.domain), tuple(p), f"the domain of {self.map.name}"
        states, values = _padded(x, p)

        def program() -> Callable[..., Any]:
            jax = import_jax()

            def margin(y: Any, q: Any) -> Any:
                return jax.numpy.min(jax.numpy.asarray(domain(y.reshape(self.shape), **dict(zip(names, q)))))

            return jax.vmap(margin, in_axes=(0, 1))  # type: ignore[no-any-return]

        found = run(program_of(domain, ("margins", names, self.shape), program), what, states, values)[: len(x)]
        return np.where(np.isnan(found), -np.inf, found)


def batch_map(map: Map, rows: BatchRows) -> BatchedMap | None:
    """The map on rows like these: vectorised by JAX if it is accelerated, else as ``batched_map`` finds it out.

    None where neither is possible: f is called for one state at a time then.
    """
    shape = rows.states.shape[1:]
    if not map.accelerate:
        return batched_map(map, rows)
    if len(rows) < 2 or rows.states[0].size > LARGEST_DENSE or map.precision.noise:
        return None
    return AcceleratedMap(map, shape, "leading", "jacobian")


class MapOnRows:
    """A map on rows of states for as long as a computation takes: in batches until f turns out not to take them.

    Parameters
    ----------
    map : Map
    rows : BatchRows
        Rows with which one tries whether f takes batches.

    Examples
    --------
    >>> from bifurcate.maps.catalogue import logistic
    >>> rows = BatchRows(np.array([[0.1], [0.5]]), {"r": 2.0})
    >>> MapOnRows(logistic(), rows).run(lambda step: step.images(rows.states, rows.parameters)).ravel()
    array([0.18, 0.5 ])
    """

    def __init__(self, map: Map, rows: BatchRows) -> None:
        self.map, self.shape = map, rows.states.shape[1:]
        self.step = batch_map(map, rows) or looped_map(map, self.shape)

    def run(self, work: Callable[[BatchedMap], T]) -> T:
        """``work(step)``; from its beginning again, one state at a time, if a batch yields what single calls do not.

        All later work has one state at a time then, too.
        """
        try:
            return work(self.step)
        except DoesNotBroadcast:
            self.step = looped_map(self.map, self.shape)
            return work(self.step)
