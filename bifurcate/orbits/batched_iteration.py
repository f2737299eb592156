"""Iteration of many states at once, in one batch where f broadcasts.

f is not trusted to broadcast: what it makes of a batch (:mod:`bifurcate.maps.batches`) is compared with single calls,
for all states at the first iteration and at the last, and for one state in turn at every other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.batches import (
    BatchLayout,
    BatchRows,
    agrees,
    broadcast_parameters,
    smallest_margins,
    to_batch,
    to_rows,
)
from bifurcate.orbits.orbit import DIVERGED, Iteration, IterationRule, OrbitEnd, iterate

__all__ = ["BatchResult", "iterate_batch", "iterate_one_by_one"]

Array = NDArray[np.float64]


@dataclass(eq=False)
class BatchResult:
    """The orbits of rows, filled in as they end.

    Attributes
    ----------
    states : ndarray, shape (m, steps, *S)
        The states after the transient; NaN from where an orbit ended.
    steps : ndarray of int, shape (m,)
        Iterations done.
    ends : list of {"steps", "domain", "diverged", "failed", "interrupted"}
        How each orbit ended, as in :class:`Orbit`.
    details : list of str
        What f raised or returned, where it failed.
    """

    states: Array
    steps: NDArray[np.int_]
    ends: list[OrbitEnd]
    details: list[str]

    def interrupt(self, numbers: NDArray[np.int_], steps: int) -> BatchResult:
        """Note that the user ended some rows after so many steps."""
        self.steps[numbers] = steps
        for i in numbers.tolist():
            self.ends[i] = "interrupted"
        return self

    @staticmethod
    def empty(rows: BatchRows, transient: int, last: int) -> BatchResult:
        """A result without states, to be filled in."""
        m, *shape = rows.states.shape
        states = np.full((m, last - transient + 1, *shape), np.nan)
        return BatchResult(states, np.zeros(m, dtype=int), ["steps"] * m, [""] * m)

    def fill_in(self, i: int, found: Iteration, first: int) -> None:
        """Take in what became of row i; ``first`` is the place of its first state on the second axis of ``states``."""
        self.steps[i], self.ends[i], self.details[i] = found.steps, found.end, found.detail
        if len(found.states):
            self.states[i, first : first + len(found.states)] = found.states


def iterate_batch(
    rule: IterationRule, rows: BatchRows, layout: BatchLayout, transient: int, last: int
) -> BatchResult | None:
    """Iterate all rows in one batch; None if the batch does not yield what single calls do.

    A row whose orbit ends leaves the batch; the last row left is iterated by itself. Overflows are the caller's to
    silence.

    Parameters
    ----------
    rule : IterationRule
        What is iterated.
    rows : BatchRows
        The first states, and their parameters.
    layout : {"trailing", "leading"}
        Of the batch.
    transient, last : int
        As for :func:`iterate`.
    """
    result, rank, numbers = BatchResult.empty(rows, transient, last), rows.states.ndim - 1, np.arange(len(rows))
    p, singles = broadcast_parameters(rows.parameters, rank, layout), rows.parameters_of_rows()
    batch, done = to_batch(rows.states, layout), 0
    try:
        while True:
            if (ends := _find_ends(rule, batch, p, layout, len(numbers))) is not None:
                goes_on = ends == "steps"
                for i, end in zip(numbers[~goes_on].tolist(), ends[~goes_on].tolist()):
                    result.steps[i], result.ends[i] = max(done - 1, 0), end
                numbers, rows = numbers[goes_on], rows[goes_on]
                p, singles = broadcast_parameters(rows.parameters, rank, layout), rows.parameters_of_rows()
                batch = _select(batch, goes_on, layout)
            if len(numbers) < 2:
                for i, x in zip(numbers.tolist(), to_rows(batch, layout)):
                    alone = iterate(rule, x, singles[0], transient=transient, last=last, done=done)
                    result.fill_in(i, alone, max(done - transient, 0))
                return result
            if done >= transient:
                result.states[numbers, done - transient] = to_rows(batch, layout)
            if done == last:
                result.steps[numbers] = last
                return result
            following = np.array(rule.f(batch, **p), dtype=float)  # f may return the same array each time
            before, after, i = to_rows(batch, layout), to_rows(following, layout), done % len(numbers)
            compared = slice(None) if done == last - 1 else slice(i, i + 1)
            expected = np.array([np.array(rule.f(x, **q)) for x, q in zip(before[compared], singles[compared])])
            if not (np.array_equal(after[compared], expected) or agrees(after[compared], expected, rule.scale)):
                return None
            batch, done = following, done + 1
    except KeyboardInterrupt:
        return result.interrupt(numbers, done)


def _select(batch: Array, which: NDArray[np.bool_], layout: BatchLayout) -> Array:
    return batch[which] if layout == "leading" else np.ascontiguousarray(batch[..., which])


def _find_ends(
    rule: IterationRule, batch: Array, p: Mapping[str, Any], layout: BatchLayout, m: int
) -> NDArray[np.str_] | None:
    """Why each row ends at the batch's state, "steps" where it does not; None if none of the m rows ends."""
    limit = DIVERGED * rule.scale
    inside = None if rule.domain is None else smallest_margins(rule.domain(batch, **p), layout, m) > 0
    if np.abs(batch).max() < limit and (inside is None or inside.all()):
        return None
    bounded = np.abs(to_rows(batch, layout).reshape(m, -1)).max(axis=1) < limit
    return np.where(bounded, "steps" if inside is None else np.where(inside, "steps", "domain"), "diverged")


def iterate_one_by_one(rule: IterationRule, rows: BatchRows, transient: int, last: int) -> BatchResult:
    """Iterate every row by itself; ``transient`` and ``last`` as for :func:`iterate`."""
    result = BatchResult.empty(rows, transient, last)
    with np.errstate(all="ignore"):
        for i, (x, p) in enumerate(zip(rows.states, rows.parameters_of_rows())):
            if (end := rule.end(x, p)) != "steps":
                result.ends[i] = end
            else:
                result.fill_in(i, iterate(rule, x, p, transient=transient, last=last), 0)
            if result.ends[i] == "interrupted":
                return result.interrupt(np.arange(i + 1, len(rows)), 0)
    return result
