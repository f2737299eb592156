"""Iteration of many states at once, in one batch where f broadcasts.

f is not trusted to broadcast: what it makes of a batch (:mod:`bifurcate.maps.batches`) is compared with single calls,
for up to 128 states at the first iteration and at the last, and for one state in turn at every sixteenth other.
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

__all__ = ["BatchResult", "iterate_batch", "iterate_one_by_one", "spread"]

Array = NDArray[np.float64]

# States of all rows that are computed before one looks whether a row has ended, and their numbers: these stay in a
# cache of the core. In every block one row, another one each time, is compared with a single call of f.
LONGEST_BLOCK = 16
NUMBERS_PER_BLOCK = 2**16
MOST_COMPARED = 128  # rows that are compared with single calls at the last iteration, spread over all of them


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
    p = broadcast_parameters(rows.parameters, rank, layout)
    batch, done, is_known, turn = to_batch(rows.states, layout), 0, False, 0
    buffer: Array | None = None
    try:
        while True:
            ends = None if is_known else _find_ends(rule, batch, p, layout, len(numbers))
            if ends is not None:
                goes_on = ends == "steps"
                for i, end in zip(numbers[~goes_on].tolist(), ends[~goes_on].tolist()):
                    result.steps[i], result.ends[i] = max(done - 1, 0), end
                numbers, rows = numbers[goes_on], rows[goes_on]
                p = broadcast_parameters(rows.parameters, rank, layout)
                batch = _select(batch, goes_on, layout)
            if len(numbers) < 2:
                for i, x in zip(numbers.tolist(), to_rows(batch, layout)):
                    alone = iterate(rule, x, rows.parameters_of_rows()[0], transient=transient, last=last, done=done)
                    result.fill_in(i, alone, max(done - transient, 0))
                return result
            which = slice(None) if len(numbers) == len(result.states) else numbers
            if done >= transient:
                result.states[which, done - transient] = to_rows(batch, layout)
            if done == last:
                result.steps[numbers] = last
                return result
            length = min(last - done, max(1, min(LONGEST_BLOCK, NUMBERS_PER_BLOCK // batch.size)))
            if buffer is None or buffer.shape[1:] != batch.shape:
                buffer = np.empty((length, *batch.shape))
            block, is_known = _next_block(rule, batch, p, layout, buffer[:length], len(numbers))
            turn += 1
            final = done + len(block) == last
            chosen = spread(len(numbers)) if final else np.array([turn % len(numbers)])
            before = batch if len(block) == 1 else block[-2]
            if not _is_single(rule, to_rows(before, layout), to_rows(block[-1], layout), rows, chosen):
                return None
            for k in range(max(transient - done - 1, 0), len(block) - 1):
                result.states[which, done + k + 1 - transient] = to_rows(block[k], layout)
            batch, done = block[-1].copy(), done + len(block)
    except KeyboardInterrupt:
        return result.interrupt(numbers, done)


def spread(m: int) -> NDArray[np.int_]:
    """The numbers of all of m rows, or of as many as are compared at most, spread over them."""
    return np.unique(np.linspace(0, m - 1, min(m, MOST_COMPARED)).astype(int))


def _is_single(rule: IterationRule, before: Array, after: Array, rows: BatchRows, chosen: NDArray[np.int_]) -> bool:
    """True if f of some rows by themselves is what the batch has there."""
    singles = rows[chosen].parameters_of_rows()
    expected = np.array([np.array(rule.f(x, **q)) for x, q in zip(before[chosen], singles, strict=True)])
    found = after[chosen]
    return np.array_equal(found, expected) or agrees(found, expected, rule.scale)


def _next_block(
    rule: IterationRule, batch: Array, p: Mapping[str, Any], layout: BatchLayout, block: Array, m: int
) -> tuple[Array, bool]:
    """The next states of all rows, put into ``block``: as much of it as goes up to the first at which one ends.

    Whether a row ends is looked up for all states at once. f may be called for states of ended rows; where it raises
    for them the block is shorter.

    Returns
    -------
    block : ndarray
    is_known : bool
        True if no row ends at the last of them.
    """
    for k in range(len(block)):
        try:
            following = rule.f(batch, **p)
            if (following.shape if isinstance(following, np.ndarray) else np.shape(following)) != batch.shape:
                raise ValueError("f does not keep the shape of a batch")
            block[k] = following  # f may return the same array each time
        except Exception:
            if k == 0:
                raise
            block = block[:k]
            break
        batch = block[k]
    limit = DIVERGED * rule.scale
    is_bounded = block.max() < limit and block.min() > -limit
    if is_bounded and rule.domain is None:
        return block, True
    for k, each in enumerate(block):
        if _find_ends(rule, each, p, layout, m) is not None:
            return block[: k + 1], False
    return block, True


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
