"""BatchedMap: f, its Jacobian and its domain at many states in one call each, where f broadcasts.

The Jacobian comes from what the map gives, if that broadcasts: its ``jacobian``, else its ``jvp`` along the n unit
vectors. A ``jacobian`` that does not is called for one state at a time. Where the map gives neither, it is taken by
complex steps or by differences, of all states in one call.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import BifurcateError, MapFailed
from bifurcate.maps.batch_calls import DoesNotBroadcast, call_on_batch, images_at_once, images_one_by_one
from bifurcate.maps.batches import (
    LAYOUTS,
    BatchLayout,
    BatchRows,
    agrees,
    broadcast_parameters,
    can_broadcast,
    smallest_margins,
    to_batch,
    to_rows,
)
from bifurcate.maps.calls import REAL_KINDS, call
from bifurcate.maps.derivatives import AGREEMENT, ATTEMPTS, COMPLEX_STEP, FIVE_POINT_STEP, ROUNDING, SHORTER
from bifurcate.maps.iterated_map import LARGEST_DENSE, IteratedMap
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import near, shortest, sizes

__all__ = ["BatchedMap", "JacobianBy", "LoopedMap", "batched_map", "given_jacobians", "looped_map"]

Array = NDArray[np.float64]
Parameters = Mapping[str, Any]
JacobianBy = Literal["jacobian", "jvp", "one by one", "complex", "differences"]

# Rows of the trial in which a batch is compared with single calls; one row in turn is compared in every later call.
TRIED = 32

# Numbers up to which products with all unit vectors are taken in one call: beyond, a call takes longer than what is
# around it.
FEW_PRODUCTS = 4096


class _Turns:
    """Counts calls, as itertools.count does, which from Python 3.14 on is neither pickled nor copied."""

    def __init__(self) -> None:
        self.last = -1

    def __next__(self) -> int:
        self.last += 1
        return self.last


@dataclass(frozen=True, eq=False)
class BatchedMap:
    """A map on rows of flattened states.

    Attributes
    ----------
    map : Map
    shape : tuple of int
        Of one state.
    layout : {"trailing", "leading"}
        How f takes a batch.
    by : {"jacobian", "jvp", "one by one", "complex", "differences"}
        How Jacobians are taken.
    """

    map: Map
    shape: tuple[int, ...]
    layout: BatchLayout
    by: JacobianBy
    _turn: Any = field(default_factory=_Turns, repr=False)

    @property
    def periods(self) -> Array | None:
        """The periods of the coordinates, inf for those without one; None if none has one."""
        return self.map.periods

    def difference(self, x: Array, y: Array) -> Array:
        """x − y, the shortest one in coordinates that have a period."""
        return shortest(x - y, self.periods)

    def images(self, x: Array, p: Parameters) -> Array:
        """f at the rows of x, shape (m, n); p holds numbers, or arrays of shape (m,).

        Raises
        ------
        DoesNotBroadcast
            If f fails on the batch, or yields something else than it does for one row by itself.
        """
        if not len(x):
            return x.copy()
        i = next(self._turn) % len(x)
        states = x.reshape(-1, *self.shape)
        return images_at_once(self.map.f, states, p, self.layout, self.map.scale, (i,)).reshape(x.shape)

    def margins(self, x: Array, p: Parameters) -> Array:
        """The smallest domain margin of every row, shape (m,): inf where no domain is declared, −inf for NaN."""
        if self.map.domain is None or not len(x):
            return np.full(len(x), np.inf)
        rows = BatchRows(x.reshape(-1, *self.shape), p)
        try:
            given = self.map.domain(to_batch(rows.states, self.layout), **self._broadcast(p))
            found = smallest_margins(given, self.layout, len(x))
        except Exception as error:
            raise DoesNotBroadcast from error
        if found.shape != (len(x),):
            raise DoesNotBroadcast
        return np.where(np.isnan(found), -np.inf, found)

    def jacobians(self, x: Array, p: Parameters) -> Array:
        """The Jacobian of f at the rows of x, shape (m, n, n); NaN where a given one fails."""
        if self.by == "differences":
            return self._by_differences(x, p)
        if self.by == "complex":
            return self._by_complex_steps(x, p)
        if self.by == "one by one":
            return self._one_by_one(x, p)
        return given_jacobians(self.map, self.layout, self.by, BatchRows(x.reshape(-1, *self.shape), p))

    def _broadcast(self, p: Parameters) -> dict[str, Any]:
        return broadcast_parameters(p, len(self.shape), self.layout)

    def _one_by_one(self, x: Array, p: Parameters) -> Array:
        single, n = IteratedMap(self.map, self.shape), x.shape[1]
        out = np.full((len(x), n, n), np.nan)
        for i, (state, values) in enumerate(zip(x, BatchRows(x, p).parameters_of_rows())):
            try:
                J = single._single(state, values)
            except MapFailed:
                continue
            if not isinstance(J, np.ndarray):
                raise DoesNotBroadcast
            out[i] = J
        return out

    def _by_complex_steps(self, x: Array, p: Parameters) -> Array:
        m, n = x.shape
        out = np.empty((m, n, n))
        for j in range(n):
            y = x.astype(complex)
            y[:, j] += 1j * COMPLEX_STEP
            images = call_on_batch(self.map.f, y.reshape(-1, *self.shape), p, self.layout, "fc")
            out[:, :, j] = images.reshape(x.shape).imag / COMPLEX_STEP
        return out

    def _by_differences(self, x: Array, p: Parameters) -> Array:
        """Five-point differences, with shorter steps where f bends strongly: see ``central_difference``."""
        m, n = x.shape
        here = None if self.periods is None else self.images(x, p)
        row, column = np.repeat(np.arange(m), n), np.tile(np.arange(n), m)
        step = FIVE_POINT_STEP * sizes(x, self.map.scale, self.periods).ravel()
        out = np.full((m * n, n), np.nan)
        least = np.full(m * n, np.inf)
        left = np.arange(m * n)
        for _ in range(ATTEMPTS):
            if not len(left):
                break
            h = step[left]
            slope, plain = self._slopes(x, p, here, row[left], column[left], h)
            size, bend = np.abs(slope).max(axis=1), np.abs(slope - plain).max(axis=1)
            accepted = (bend <= AGREEMENT * size) | (size == 0.0)
            error = np.where(accepted, 0.0, (bend / size) ** 2 + ROUNDING / h)
            better = error < least[left]
            out[left[better]], least[left[better]] = slope[better], error[better]
            left = left[~accepted]
            step[left] /= SHORTER
        return out.reshape(m, n, n).transpose(0, 2, 1)

    def _slopes(
        self, x: Array, p: Parameters, here: Array | None, row: Any, column: Any, h: Array
    ) -> tuple[Array, Array]:
        """∂f/∂x_j by five points and by three, for pairs of a row and a column j with a step of its own."""
        count = len(row)
        several = np.tile(x[row], (4, 1))
        for part, factor in enumerate((1.0, -1.0, 2.0, -2.0)):
            several[part * count + np.arange(count), column] += factor * h
        values = {name: np.tile(value[row], 4) if np.ndim(value) else value for name, value in p.items()}
        y = self.images(several, values)
        if here is not None:
            y = near(y, np.tile(here[row], (4, 1)), self.periods)
        a, b, c, d = y.reshape(4, count, -1)
        near_by, far = a - b, c - d
        return (8.0 * near_by - far) / (12.0 * h[:, None]), near_by / (2.0 * h[:, None])


def given_jacobians(map: Map, layout: BatchLayout, by: str, rows: BatchRows) -> Array:
    """Jacobians by the ``jacobian`` or the ``jvp`` that the map gives, for all rows at once.

    Raises
    ------
    DoesNotBroadcast
        If it does not take the batch.
    """
    m, n, batch = len(rows), math.prod(rows.states.shape[1:]), to_batch(rows.states, layout)
    p = broadcast_parameters(rows.parameters, rows.states.ndim - 1, layout)
    try:
        if by == "jacobian":
            assert map.jacobian is not None
            found = np.array(map.jacobian(batch, **p))
            wanted = (n, n, m) if layout == "trailing" else (m, n, n)
            if found.shape != wanted or found.dtype.kind not in REAL_KINDS:
                raise DoesNotBroadcast
            return np.array(found if layout == "leading" else np.moveaxis(found, -1, 0), dtype=float)
        if n > 1 and n * n * m <= FEW_PRODUCTS:
            return _by_all_products(map, layout, rows)
        assert map.jvp is not None
        out = np.empty((m, n, n))
        for j in range(n):
            v = np.zeros((m, n))
            v[:, j] = 1.0
            slope = np.asarray(map.jvp(batch, to_batch(v.reshape(rows.states.shape), layout), **p))
            if slope.shape != batch.shape or slope.dtype.kind not in REAL_KINDS:
                raise DoesNotBroadcast
            out[:, :, j] = to_rows(slope, layout).reshape(m, n)
    except DoesNotBroadcast:
        raise
    except Exception as error:
        raise DoesNotBroadcast from error
    return out


@lru_cache(maxsize=64)
def _unit_directions(m: int, shape: tuple[int, ...], layout: BatchLayout) -> Array:
    """A batch of every unit vector, m times each."""
    n = math.prod(shape)
    return to_batch(np.repeat(np.eye(n), m, axis=0).reshape(n * m, *shape), layout)


def _by_all_products(map: Map, layout: BatchLayout, rows: BatchRows) -> Array:
    """The same by the ``jvp``, for all rows and all unit vectors in one call."""
    assert map.jvp is not None
    m, shape = len(rows), rows.states.shape[1:]
    n = math.prod(shape)
    states = np.concatenate([rows.states] * n)
    p = {
        name: np.concatenate([value] * n) if isinstance(value, np.ndarray) else value
        for name, value in rows.parameters.items()
    }
    batch, directions = to_batch(states, layout), _unit_directions(m, shape, layout).copy()
    slope = np.asarray(map.jvp(batch, directions, **broadcast_parameters(p, len(shape), layout)))
    if slope.shape != batch.shape or slope.dtype.kind not in REAL_KINDS:
        raise DoesNotBroadcast
    return np.array(to_rows(slope, layout).reshape(n, m, n).transpose(1, 2, 0), dtype=float)


def batched_map(map: Map, rows: BatchRows) -> BatchedMap | None:
    """The map on rows like these; None where f does not broadcast or is noisy, or its Jacobian is no small matrix.

    What a batch yields is compared with single calls, for some rows spread over all of them.

    Parameters
    ----------
    map : Map
    rows : BatchRows
        States, and values of the parameters.
    """
    n = math.prod(rows.states.shape[1:])
    if len(rows) < 2 or n > LARGEST_DENSE or map.derivative == "jax" or map.precision.noise:
        return None
    sample = rows[np.unique(np.linspace(0, len(rows) - 1, TRIED).round().astype(int))]
    with np.errstate(all="ignore"):
        for layout in LAYOUTS:
            if can_broadcast(map, sample, layout):
                by = _jacobian_by(map, layout, sample, rows.states.shape[1:])
                return None if by is None else BatchedMap(map, rows.states.shape[1:], layout, by)
    return None


def _jacobian_by(map: Map, layout: BatchLayout, sample: BatchRows, shape: tuple[int, ...]) -> JacobianBy | None:
    """How Jacobians are taken of batches; None if they are no matrices."""
    single = IteratedMap(map, shape)
    if map.jacobian is None and map.jvp is None:
        if map.derivative != "complex":
            return "differences"
        trial = BatchedMap(map, shape, layout, "complex")
        try:
            trial.jacobians(sample.states.reshape(len(sample), -1), sample.parameters)
        except DoesNotBroadcast:
            return None
        return "complex"
    expected = np.full((len(sample), single.size, single.size), np.nan)
    for i, (x, p) in enumerate(zip(sample.states, sample.parameters_of_rows())):
        try:
            J = single._single(x.ravel(), p)
        except BifurcateError:  # f, or the Jacobian, fails there
            continue
        if not isinstance(J, np.ndarray):
            return None
        expected[i] = J
    known = np.isfinite(expected).all(axis=(1, 2))
    if not known.any():
        return "one by one"
    candidates: tuple[JacobianBy, ...] = ("jacobian", "jvp")
    for by in candidates:
        if getattr(map, by) is None:
            continue
        try:
            found = given_jacobians(map, layout, by, sample)
        except DoesNotBroadcast:
            continue
        if agrees(found[known], expected[known], float(np.abs(expected[known]).max(initial=1.0))):
            return by
    return "one by one"


@dataclass(frozen=True, eq=False)
class LoopedMap(BatchedMap):
    """The same of a map that takes one state at a time: slower, and NaN where f fails."""

    def images(self, x: Array, p: Parameters) -> Array:
        """f at the rows of x, one after another."""
        states = x.reshape(-1, *self.shape)
        return images_one_by_one(self.map.f, states, p, self.map.name).reshape(x.shape)

    def margins(self, x: Array, p: Parameters) -> Array:
        """The smallest domain margin of every row; −inf where the domain fails."""
        if self.map.domain is None:
            return np.full(len(x), np.inf)
        out = np.full(len(x), -np.inf)
        for i, (state, values) in enumerate(zip(x, BatchRows(x, p).parameters_of_rows())):
            try:
                margin = np.min(call(self.map.domain, "the domain", state.reshape(self.shape), **values))
            except MapFailed:
                continue
            out[i] = -np.inf if np.isnan(margin) else margin
        return out


def looped_map(map: Map, shape: tuple[int, ...]) -> LoopedMap:
    """A map on rows of states that are taken one by one."""
    return LoopedMap(map, shape, "leading", "one by one")
