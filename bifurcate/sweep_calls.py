"""The calls of a sweep's function, here or in another process: point by point, or a batch of points at a time."""

from __future__ import annotations

import functools
import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bifurcate.storage.functions import unpack

__all__ = ["Outcome", "Work", "call_at", "call_packed", "failure", "seed_of"]

Work = list[tuple[int, dict[str, Any], int | None]]  # index, parameters and seed of each point
Outcome = dict[str, Any]


def seed_of(seed: int, index: int) -> int:
    """The seed of a point: a whole number below 2⁶³, from the sweep's seed and the point's index.

    Examples
    --------
    >>> seed_of(0, 1) != seed_of(0, 2), seed_of(3, 7) == seed_of(3, 7)
    (True, True)
    """
    return int(np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)[0] >> np.uint64(1))


@functools.lru_cache(maxsize=4)
def _unpacked(content: bytes) -> Callable[..., Any]:
    return unpack(pickle.loads(content))  # type: ignore[no-any-return]


def call_packed(content: bytes, work: Work, batch: int | None) -> tuple[dict[int, Outcome], float]:
    """The outcomes of points, and how many seconds they took."""
    began = time.perf_counter()
    found = call_at(_unpacked(content), work, batch)
    return found, time.perf_counter() - began


def call_at(function: Callable[..., Any], work: Work, batch: int | None = None) -> dict[int, Outcome]:
    """The outcomes of points, by index: a value, or the kind and the words of an error.

    With a batch the function is called for so many points at a time.
    """
    found: dict[int, Outcome] = {}
    if batch is not None:
        for at in range(0, len(work), batch):
            found |= _call_for_all(function, work[at : at + batch])
        return found
    for index, parameters, seed in work:
        try:
            found[index] = {"value": function(**parameters) if seed is None else function(**parameters, seed=seed)}
        except Exception as error:  # a point that fails is an outcome
            found[index] = failure(error)
    return found


def _call_for_all(function: Callable[..., Any], work: Work) -> dict[int, Outcome]:
    """The outcomes of one batch; where it fails, of each half of it, so that only points fail that fail alone."""
    first = work[0]
    given = {name: _column([parameters[name] for _, parameters, _ in work]) for name in first[1]}
    if first[2] is not None:
        given["seed"] = _column([seed for *_, seed in work])
    try:
        values = _one_for_each(function(**given), len(work))
    except Exception as error:
        if len(work) == 1:
            return {first[0]: failure(error)}
        half = len(work) // 2
        return _call_for_all(function, work[:half]) | _call_for_all(function, work[half:])
    return {
        index: failure(value) if isinstance(value, Exception) else {"value": value}
        for (index, *_), value in zip(work, values)
    }


def _column(values: list[Any]) -> Any:
    """Values as an array, or as they are if they are no numbers of one type."""
    kinds = {type(each) for each in values}
    return np.array(values) if len(kinds) == 1 and kinds <= {float, int, bool, complex} else values


def _one_for_each(found: Any, count: int) -> list[Any]:
    """What a function returned for a batch, point by point."""
    if isinstance(found, Mapping):
        columns = {name: _one_for_each(column, count) for name, column in found.items()}
        return [{name: column[i] for name, column in columns.items()} for i in range(count)]
    is_array = isinstance(found, np.ndarray) and found.ndim > 0
    if not is_array and (isinstance(found, str | bytes) or not isinstance(found, Sequence)):
        raise TypeError(f"it returned a {type(found).__name__} for a batch of points, not one outcome for each")
    if len(found) != count:
        raise ValueError(f"it returned {len(found)} outcomes for a batch of {count} points")
    if isinstance(found, np.ndarray):
        return found.tolist() if found.ndim == 1 else [row.copy() for row in found]
    return list(found)


def failure(error: Exception) -> Outcome:
    """The outcome of a point that failed."""
    return {"kind": type(error).__name__, "error": str(error)}
