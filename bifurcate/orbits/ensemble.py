"""Many orbits at once: in batches where f broadcasts, else one by one or on an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.deprecation import old_parameters, old_positions
from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.orbits.batched_iteration import (
    LAYOUTS,
    BatchResult,
    BatchRows,
    can_broadcast,
    iterate_batch,
    iterate_one_by_one,
)
from bifurcate.orbits.orbit import IterationRule, check_counts
from bifurcate.validation import check_instance

__all__ = ["LARGE", "Ensemble", "ensemble"]

BLOCK = 2**15  # numbers in one batch: it stays in the processor's cache
LARGE = 2**12  # numbers in a state from which on a call of f costs so much that batches gain nothing
TASKS = 64  # into which rows are cut for an executor


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Orbits of one map from many states, or at many values of its parameters.

    Attributes
    ----------
    states : ndarray, shape (m, kept, *state's shape)
        The states after the transient; NaN from where an orbit ended.
    steps : ndarray of int, shape (m,)
        Iterations done, the transient's included.
    ends : tuple of str
        How each orbit ended, as in :class:`Orbit`; one that starts outside the domain ends there after 0 steps.
    layout : str
        How f was called: "trailing" for batches of shape (*state's shape, m), "leading" for (m, *state's shape), or
        "single".
    """

    states: np.ndarray
    steps: np.ndarray
    ends: tuple[str, ...]
    layout: str

    def __len__(self) -> int:
        return len(self.states)


@old_parameters
@old_positions("transient", "executor", "layout")
def ensemble(
    map: Map,
    starts: Any,
    steps: int,
    *,
    transient: int = 0,
    parameters: Mapping[str, Any] | None = None,
    executor: Executor | None = None,
    layout: str | None = None,
) -> Ensemble:
    """Iterate a map from many states, or at many values of its parameters, at once.

    Where one call of f can iterate a whole batch it does. Two layouts are tried: batches of shape (*S, m) with
    parameters of shape (m,), in which ``z[0]`` is every orbit's first component; and (m, *S) with parameters of shape
    (m, 1, …, 1), in which ``x @ A.T`` acts on every state. The trial compares one call for all rows with a call for
    each; so does the last iteration, and every other for one row in turn. Numbers must agree to
    10⁻¹² · max(scale, |value|), otherwise all is done one by one. What is only added, multiplied and divided agrees
    bit for bit; where numbers do not (powers, exponentials, sums), a chaotic orbit differs after some fifty iterations,
    as it does from one computer to the next.

    Parameters
    ----------
    map : Map
    starts : array_like, shape (m, *S)
        The first states; of length 1 if only parameters vary.
    steps : int
        States to keep of each orbit after the transient, at least 1.
    transient : int
        Iterations before that.
    parameters : mapping of str to float or array_like of shape (m,), optional
        Values that replace the map's own.
    executor : concurrent.futures.Executor, optional
        Where the work is done: threads, processes (f must be picklable then), a cluster's. By default here.
    layout : {"trailing", "leading", "single"}, optional
        Do not try, but call f so; "single" for one state at a time.

    Returns
    -------
    Ensemble

    Raises
    ------
    InvalidInput
        If starts, counts or parameters are unusable, or f does not broadcast in the layout asked for.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.ensemble(bf.maps.logistic(), [[0.5]], steps=1, transient=100, parameters={"r": [1.0, 2.0, 5.0]})
    >>> found.states[:, 0, 0].round(3), found.ends, found.layout
    (array([0.009, 0.5  ,   nan]), ('steps', 'steps', 'diverged'), 'trailing')
    """
    check_counts(steps=(steps, 1, None), transient=(transient, 0, None))
    rows = _rows(map, starts, {} if parameters is None else parameters)
    rule = IterationRule.of(map)
    if layout is not None and layout not in (*LAYOUTS, "single"):
        raise InvalidInput(f"layout is {layout!r}; allowed are trailing, leading, single, or None to try")
    last, size = transient + steps - 1, rows.states[0].size
    block = max(2, BLOCK // size)
    if layout is None:
        small = len(rows) > 1 and size < LARGE
        layout = next((each for each in LAYOUTS if small and can_broadcast(rule, rows[:block], each)), "single")
    elif layout != "single" and not can_broadcast(rule, rows[:block], layout):
        raise InvalidInput(f"{map.name} does not broadcast over batches in the {layout} layout")
    if layout != "single":
        runs = _join(_map_over(executor, _batch, _split(rows, block), rule, layout, transient, last))
        if runs is not None:
            return Ensemble(runs.states, runs.steps, tuple(runs.ends), layout)
    pieces = _split(rows, 1 + (len(rows) - 1) // TASKS if executor else len(rows))
    runs = _join(_map_over(executor, iterate_one_by_one, pieces, rule, transient, last))
    assert runs is not None
    return Ensemble(runs.states, runs.steps, tuple(runs.ends), "single")


def _rows(map: Map, starts: Any, parameters: Mapping[str, Any]) -> BatchRows:
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    if not isinstance(parameters, Mapping):
        raise InvalidInput(f"parameters must be a dict of names and values, got {parameters!r}")
    try:
        states = np.array(starts, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidInput("starts must be an array of states, of shape (m, *state's shape)") from error
    if states.ndim == 0 or states.size == 0:
        raise InvalidInput(f"starts must have shape (m, *state's shape), got {states.shape}; for one orbit see orbit")
    values: dict[str, Any] = dict(map.parameters)
    for name, given in parameters.items():
        map.require(name)
        values[name] = _values(name, given)
    lengths = {len(states)} | {len(value) for value in values.values() if np.ndim(value)}
    m = max(lengths)
    if not lengths <= {1, m}:
        raise InvalidInput(f"starts and parameters have lengths {sorted(lengths)}; they must agrees, or be 1")
    rows = BatchRows(
        np.ascontiguousarray(np.broadcast_to(states, (m, *states.shape[1:]))),
        {name: np.broadcast_to(value, m).copy() if np.ndim(value) else value for name, value in values.items()},
    )
    _check(map, rows)
    return rows


def _values(name: str, given: Any) -> float | np.ndarray:
    try:
        values = np.asarray(given)
    except ValueError:
        values = np.empty(0)
    if values.dtype.kind not in "fiu" or values.ndim > 1 or not np.isfinite(values).all() or values.size == 0:
        raise InvalidInput(f"parameter {name!r} must be a finite real number or a sequence of them")
    return values.astype(float) if values.ndim else float(values)


def _check(map: Map, rows: BatchRows) -> None:
    """All states must be finite, and f usable where it can be told: at the first of them where it is finite."""
    if not np.isfinite(rows.states).all():
        raise InvalidInput(f"{int((~np.isfinite(rows.states)).sum())} numbers in starts are NaN or infinite")
    rule = IterationRule.of(map)
    with np.errstate(all="ignore"):
        for x, p in zip(rows.states, rows.single()):
            if rule.end(x, p) == "steps" and _is_telling(map, x, p):
                map.replace(**p).check(x)
                return


def _is_telling(map: Map, x: np.ndarray, p: dict[str, float]) -> bool:
    try:
        y = np.asarray(map.f(x, **p))
    except Exception:  # which the check repeats in the map's own words
        return True
    return y.shape != x.shape or y.dtype.kind not in "fiub" or bool(np.isfinite(y).all())


def _split(rows: BatchRows, length: int) -> list[BatchRows]:
    return [rows[i : i + length] for i in range(0, len(rows), length)]


def _map_over(
    executor: Executor | None, work: Callable[..., Any], pieces: list[BatchRows], rule: IterationRule, *rest: Any
) -> Any:
    """The work on every piece, here or on the executor, in order."""
    if executor is None:
        return [work(rule, piece, *rest) for piece in pieces]
    futures = [executor.submit(work, rule, piece, *rest) for piece in pieces]
    return [future.result() for future in futures]


def _batch(rule: IterationRule, rows: BatchRows, layout: str, transient: int, last: int) -> BatchResult | None:
    if len(rows) == 1:
        return iterate_one_by_one(rule, rows, transient, last)
    try:
        return iterate_batch(rule, rows, layout, transient, last)
    except Exception:  # f took the trial's states in a batch, but not those that it came to; by themselves it may
        return None


def _join(runs: Iterable[BatchResult | None]) -> BatchResult | None:
    found = list(runs)
    if any(each is None for each in found):
        return None
    known = [each for each in found if each is not None]
    states, steps = np.concatenate([each.states for each in known]), np.concatenate([each.steps for each in known])
    return BatchResult(states, steps, [end for each in known for end in each.ends])
