"""Iteration of many states at once, in one batch where f broadcasts.

f is not trusted to broadcast: what it makes of a batch (:mod:`bifurcate.maps.batches`) is compared with single calls,
for up to 128 states at the first iteration, up to 32 of a batch at the last, and one in turn at every sixteenth other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from sys import getrefcount
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.batch_calls import is_image_alone
from bifurcate.maps.batches import (
    BatchLayout,
    BatchRows,
    broadcast_parameters,
    smallest_margins,
    to_batch,
    to_rows,
)
from bifurcate.maps.calls import REAL_KINDS
from bifurcate.orbits.orbit import DIVERGED, Iteration, IterationRule, OrbitEnd, iterate

__all__ = ["BatchResult", "iterate_batch", "iterate_one_by_one", "spread"]

Array = NDArray[np.float64]

# Steps between two at which one row, another one each time, is compared with a single call of f.
COMPARED_EVERY = 16
MOST_COMPARED = 128  # rows of which a trial compares a batch with single calls, spread over all of them
COMPARED_AT_LAST = 32  # rows of a batch that are compared at its last iteration
# References to an array that nothing but one variable and the call that counts them holds.
OWN_REFERENCES = 2
MOST_IN_BLAS = 2**13  # numbers of which BLAS takes the sum of squares in one thread
_FLOAT = np.dtype(float)


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
            unseen = max(transient - done - 1, 0)
            found = _next_states(rule, batch, p, layout, min(last - done, COMPARED_EVERY), unseen, len(numbers))
            turn += 1
            final = done + found.steps == last
            chosen = spread(len(numbers), COMPARED_AT_LAST) if final else np.array([turn % len(numbers)])
            before, after = to_rows(found.before, layout), to_rows(found.last, layout)
            values = rows.parameters
            if not all(is_image_alone(rule.f, before, after, values, i, rule.scale) for i in chosen.tolist()):
                return None
            for k, each in enumerate(found.between):
                result.states[which, done + 1 + unseen - transient + k] = to_rows(each, layout)
            batch, done, is_known = found.last, done + found.steps, found.is_known
    except KeyboardInterrupt:
        return result.interrupt(numbers, done)


def spread(m: int, most: int = MOST_COMPARED) -> NDArray[np.int_]:
    """The numbers of all of m rows, or of as many as are compared at most, spread over them."""
    return np.unique(np.linspace(0, m - 1, min(m, most)).astype(int))


class _NextStates(NamedTuple):
    """Some steps of all rows: the state after them, the one before that, and what is to be returned between."""

    last: Array
    before: Array
    between: list[Array]
    steps: int
    is_known: bool  # no row ends at the last state


def _next_states(
    rule: IterationRule, batch: Array, p: Mapping[str, Any], layout: BatchLayout, count: int, unseen: int, m: int
) -> _NextStates:
    """The next ``count`` states of all rows, or fewer: up to the first at which one may end, or f raises.

    The first ``unseen`` of them are not returned.
    """
    states: list[Array] = []
    f, shape, before, done = rule.f, batch.shape, batch, 0
    largest = (DIVERGED * rule.scale) ** 2
    for done in range(1, count + 1):  # what a step costs beside f is felt where f is a line of NumPy
        try:
            y = f(batch, **p)
            # An array that f keeps it may return, and change, each time: that is copied.
            if not (
                type(y) is np.ndarray
                and y.dtype is _FLOAT
                and y.shape == shape
                and y.base is None
                and getrefcount(y) <= OWN_REFERENCES
            ):
                y = _copied(y, shape)
        except Exception:  # f takes no later states in a batch, or fails for one of them
            if done == 1:
                raise
            return _NextStates(batch, before, states[:-1], done - 1, True)
        before, batch = batch, y
        if done > unseen:
            states.append(y)
        numbers = y.ravel()
        # The squares' sum bounds every number, in one pass over memory; where it says nothing one looks closer.
        if len(numbers) <= MOST_IN_BLAS:
            squares = numbers.dot(numbers)
        else:
            squares = sum(
                numbers[i : i + MOST_IN_BLAS].dot(numbers[i : i + MOST_IN_BLAS])
                for i in range(0, len(numbers), MOST_IN_BLAS)
            )
        if not squares < largest or (rule.domain is not None and _find_ends(rule, batch, p, layout, m) is not None):
            return _NextStates(batch, before, states[:-1], done, False)
    return _NextStates(batch, before, states[:-1], done, True)


def _copied(y: Any, shape: tuple[int, ...]) -> Array:
    """What f made of a batch, as a new array of floats."""
    y = np.asarray(y)
    if y.shape != shape or y.dtype.kind not in REAL_KINDS:
        raise ValueError("f does not keep the shape of a batch of real numbers")
    return np.array(y, dtype=float)


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
