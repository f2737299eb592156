"""Many orbits at once: in batches where f broadcasts, else one by one or on an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.orbits.batched_iteration import LAYOUTS, Rows, Runs, broadcasts, one_by_one, together
from bifurcate.orbits.orbit import Rule, checked_counts

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


def ensemble(
    map: Map,
    starts: Any,
    steps: int,
    transient: int = 0,
    executor: Executor | None = None,
    layout: str | None = None,
    **parameters: Any,
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
    executor : concurrent.futures.Executor, optional
        Where the work is done: threads, processes (f must be picklable then), a cluster's. By default here.
    layout : {"trailing", "leading", "single"}, optional
        Do not try, but call f so; "single" for one state at a time.
    **parameters : float or array_like of shape (m,)
        Values that replace the map's own.

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
    >>> found = bf.ensemble(bf.maps.logistic(), [[0.5]], steps=1, transient=100, r=[1.0, 2.0, 5.0])
    >>> found.states[:, 0, 0].round(3), found.ends, found.layout
    (array([0.009, 0.5  ,   nan]), ('steps', 'steps', 'diverged'), 'trailing')
    """
    checked_counts(steps=(steps, 1, None), transient=(transient, 0, None))
    rule, rows = Rule.of(map), _rows(map, starts, parameters)
    if layout is not None and layout not in (*LAYOUTS, "single"):
        raise InvalidInput(f"layout is {layout!r}; allowed are trailing, leading, single, or None to try")
    last, size = transient + steps - 1, rows.states[0].size
    block = max(2, BLOCK // size)
    if layout is None:
        small = len(rows) > 1 and size < LARGE
        layout = next((each for each in LAYOUTS if small and broadcasts(rule, rows[:block], each)), "single")
    elif layout != "single" and not broadcasts(rule, rows[:block], layout):
        raise InvalidInput(f"{map.name} does not broadcast over batches in the {layout} layout")
    if layout != "single":
        runs = _joined(_spread_out(executor, _batch, _cut(rows, block), rule, layout, transient, last))
        if runs is not None:
            return Ensemble(runs.states, runs.steps, tuple(runs.ends), layout)
    pieces = _cut(rows, 1 + (len(rows) - 1) // TASKS if executor else len(rows))
    runs = _joined(_spread_out(executor, one_by_one, pieces, rule, transient, last))
    assert runs is not None
    return Ensemble(runs.states, runs.steps, tuple(runs.ends), "single")


def _rows(map: Map, starts: Any, parameters: dict[str, Any]) -> Rows:
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
        raise InvalidInput(f"starts and parameters have lengths {sorted(lengths)}; they must agree, or be 1")
    rows = Rows(
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


def _check(map: Map, rows: Rows) -> None:
    """All states must be finite, and f usable where it can be told: at the first of them where it is finite."""
    if not np.isfinite(rows.states).all():
        raise InvalidInput(f"{int((~np.isfinite(rows.states)).sum())} numbers in starts are NaN or infinite")
    rule = Rule.of(map)
    with np.errstate(all="ignore"):
        for x, p in zip(rows.states, rows.single()):
            if rule.end(x, p) == "steps" and _tells(map, x, p):
                map.replace(**p).check(x)
                return


def _tells(map: Map, x: np.ndarray, p: dict[str, float]) -> bool:
    try:
        y = np.asarray(map.f(x, **p))
    except Exception:  # which the check repeats in the map's own words
        return True
    return y.shape != x.shape or y.dtype.kind not in "fiub" or bool(np.isfinite(y).all())


def _cut(rows: Rows, length: int) -> list[Rows]:
    return [rows[i : i + length] for i in range(0, len(rows), length)]


def _spread_out(executor: Executor | None, work: Callable[..., Any], pieces: list[Rows], rule: Rule, *rest: Any) -> Any:
    """The work on every piece, here or on the executor, in order."""
    if executor is None:
        return [work(rule, piece, *rest) for piece in pieces]
    futures = [executor.submit(work, rule, piece, *rest) for piece in pieces]
    return [future.result() for future in futures]


def _batch(rule: Rule, rows: Rows, layout: str, transient: int, last: int) -> Runs | None:
    if len(rows) == 1:
        return one_by_one(rule, rows, transient, last)
    try:
        return together(rule, rows, layout, transient, last)
    except Exception:  # f took the trial's states in a batch, but not those that it came to; by themselves it may
        return None


def _joined(runs: Iterable[Runs | None]) -> Runs | None:
    found = list(runs)
    if any(each is None for each in found):
        return None
    known = [each for each in found if each is not None]
    states, steps = np.concatenate([each.states for each in known]), np.concatenate([each.steps for each in known])
    return Runs(states, steps, [end for each in known for end in each.ends])
