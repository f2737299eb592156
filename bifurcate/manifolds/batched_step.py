"""f^k, or the inverse that a user gives, applied to many states at once where the function broadcasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.maps.batch_calls import DoesNotBroadcast, images_at_once, images_one_by_one
from bifurcate.maps.batches import BatchLayout, BatchRows, first_layout
from bifurcate.maps.calls import call
from bifurcate.maps.map import Map
from bifurcate.orbits.orbit import IterationRule, next_state

__all__ = ["BatchedStep", "batched_step"]

Array = NDArray[np.float64]

TRIED = 4  # states of the trial that finds out whether f broadcasts


@dataclass(frozen=True, eq=False)
class BatchedStep:
    """The step x ↦ g(x), g = f^k, on the rows of an array.

    Attributes
    ----------
    rule : IterationRule
        f, with its domain.
    parameters : mapping of str to float
        All parameters.
    shape : tuple of int
        The shape of a state.
    times : int
        k.
    layout : {"trailing", "leading"} or None
        How f takes a batch; None if it takes single states only.
    """

    rule: IterationRule
    parameters: Mapping[str, float]
    shape: tuple[int, ...]
    times: int
    layout: BatchLayout | None

    def __call__(self, rows: Array) -> Array:
        """g of every row, shape (m, n); NaN where f fails."""
        for _ in range(self.times):
            rows = self._once(rows)
        return rows

    def _once(self, rows: Array) -> Array:
        if not len(rows):
            return rows
        states = rows.reshape(-1, *self.shape)
        with np.errstate(all="ignore"):
            if self.layout is not None:
                try:
                    return self._flat(
                        images_at_once(self.rule.f, states, self.parameters, self.layout, self.rule.scale)
                    )
                except DoesNotBroadcast:  # one state may spoil the batch: they are taken one by one then
                    pass
            return self._flat(images_one_by_one(self.rule.f, states, self.parameters))

    @staticmethod
    def _flat(states: Array) -> Array:
        return np.ascontiguousarray(states).reshape(len(states), -1)

    def on_complex(self, rows: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """g of complex states, shape (m, n), as long as f takes them.

        Raises
        ------
        MapFailed
            If f raises.
        """
        states, name = rows.reshape(-1, *self.shape), "f"
        for _ in range(self.times):
            if self.layout == "trailing":
                batch = np.ascontiguousarray(np.moveaxis(states, 0, -1))
                states = np.moveaxis(np.asarray(call(self.rule.f, name, batch, **self.parameters)), -1, 0)
            elif self.layout == "leading":
                states = np.asarray(call(self.rule.f, name, states, **self.parameters))
            else:
                states = np.array([np.array(call(self.rule.f, name, z.copy(), **self.parameters)) for z in states])
        return states.reshape(len(rows), -1).astype(complex)

    def words_of_failure(self, x: Array) -> str:
        """What f raises at a state, or "" if it raises nothing."""
        state = x.reshape(self.shape)
        try:
            with np.errstate(all="ignore"):
                for _ in range(self.times):
                    state = next_state(self.rule, state, self.parameters)
        except MapFailed as error:
            return str(error)
        return ""

    def margins(self, rows: Array) -> Array:
        """The smallest domain margin at every row; inf where no domain is declared."""
        if self.rule.domain is None:
            return np.full(len(rows), np.inf)
        domain = self.rule.domain
        with np.errstate(all="ignore"):
            return np.array([float(np.min(domain(x.reshape(self.shape), **self.parameters))) for x in rows])


def batched_step(map: Map, shape: tuple[int, ...], times: int, states: Array) -> BatchedStep:
    """The step f^k of a map, with the layout in which f takes batches found by a trial.

    Parameters
    ----------
    map : Map
        f, with its parameters.
    shape : tuple of int
        The shape of a state.
    times : int
        k.
    states : ndarray, shape (m, n)
        States for the trial.
    """
    rule, p = IterationRule.of(map), dict(map.parameters)
    rows = BatchRows(states[:TRIED].reshape(-1, *shape), p)
    bare = IterationRule(rule.f, None, rule.scale)
    try:
        layout = first_layout(bare, rows)
    except MapFailed:
        layout = None
    return BatchedStep(rule, p, shape, times, layout)
