"""Many orbits at once: in batches where f broadcasts, else one by one or on an executor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.deprecation import old_parameters, old_positions
from bifurcate.errors import InvalidInput, MapFailed
from bifurcate.executors import as_executor
from bifurcate.interrupts import interrupted_meanwhile, interruptible, protected
from bifurcate.maps.batches import HOW_TO_BROADCAST, LAYOUTS, BatchLayout, BatchRows, can_broadcast, make_rows
from bifurcate.maps.map import Map
from bifurcate.orbits.batched_iteration import BatchResult, iterate_batch, iterate_one_by_one, spread
from bifurcate.orbits.compiled_loops import CompiledRule, iterate_rows_compiled, rows_at_once
from bifurcate.orbits.orbit import DIVERGED, IterationRule, OrbitEnd
from bifurcate.printing import notebook_html, short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns, state_columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_choice, check_count

__all__ = ["LARGEST_BATCHED", "Ensemble", "Layout", "ensemble"]

T = TypeVar("T")
Layout = Literal["trailing", "leading", "single", "compiled"]

# Numbers in one batch: 128 KiB, which stay in a core's own cache with what f makes of them. In smaller batches the
# overhead of NumPy's calls is felt.
NUMBERS_PER_BATCH = 2**14
# Numbers in a state from which on f is called for one state at a time: one call costs so much then that the overhead
# of a call, all that a batch saves, is lost in it.
LARGEST_BATCHED = 2**12
# Parts into which rows are cut for an executor: some for each of a machine's cores, so that none waits long at the end.
EXECUTOR_TASKS = 64


@dataclass(frozen=True, eq=False)
class Ensemble(Tabular):
    """Orbits of one map from many states, or at many values of its parameters.

    Attributes
    ----------
    states : ndarray, shape (m, steps, *state's shape)
        The states after the transient; NaN from where an orbit ended.
    steps : ndarray of int, shape (m,)
        Iterations done, those of the transient included.
    ends : tuple of {"steps", "domain", "diverged", "failed", "interrupted"}
        How each orbit ended, as in :class:`Orbit`; one that starts outside the domain ends there after 0 steps.
    details : tuple of str
        What f raised or returned, where it failed.
    layout : {"trailing", "leading", "single", "compiled"}
        How f was called: for batches of shape (*state's shape, m), for batches of shape (m, *state's shape), for one
        state at a time, or compiled with the loop (an accelerated map).
    """

    states: NDArray[np.float64]
    steps: NDArray[np.int_]
    ends: tuple[OrbitEnd, ...]
    layout: Layout
    details: tuple[str, ...] = field(default=(), repr=False)

    _repr_html_ = notebook_html

    def __repr__(self) -> str:
        hint = f"\nhint: {HOW_TO_BROADCAST}" if self.layout == "single" and len(self) > 1 else ""
        return short_repr(self) + hint

    def __len__(self) -> int:
        return len(self.states)

    def table(self) -> Columns:
        """One row an orbit: iterations done, how it ended, and its last state, NaN where it ended before."""
        last = {} if not self.states.shape[1] else state_columns(self.states[:, -1])
        return {"orbit": list(range(len(self))), "steps": self.steps.tolist(), "end": list(self.ends), **last}


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
    layout: Layout | None = None,
    progress: Report | bool | None = None,
) -> Ensemble:
    """Iterate a map from many states, or at many values of its parameters, at once.

    Where one call of f can iterate a whole batch, it does. Two layouts are tried: batches of shape (*S, m) with
    parameters of shape (m,), in which ``z[0]`` is the first component of every state; and (m, *S) with parameters of
    shape (m, 1, …, 1), in which ``x @ A.T`` acts on every state. The trial compares one call for up to 128 rows, spread
    over all, with a call for each; the last iteration of a batch does so for up to 32, and at every sixteenth iteration
    one row is compared. Numbers must agree to 10⁻¹² · max(scale, |value|), otherwise all rows are iterated one by one.
    Sums, products and quotients of entries agree bit for bit. Where numbers do not (powers, exponentials, sums over an
    axis), a chaotic orbit differs after some fifty iterations, as it does from one computer to the next.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    starts : array_like, shape (m, *S)
        The first states; of length 1 if only parameters vary.
    steps : int
        States to return of each orbit after the transient, at least 1.
    transient : int
        Iterations whose states are not returned.
    parameters : mapping of str to float or array_like of shape (m,), optional
        Values that replace the map's own.
    executor : concurrent.futures.Executor or dask Client, optional
        Where the work is done: threads, processes (f must be picklable then), a cluster's. By default here.
    layout : {"trailing", "leading", "single"}, optional
        Do not try, but call f so; "single" for one state at a time.
    progress : callable, bool, optional
        Called with a :class:`Progress`; or True for a line that says how far the call has come, False for none. If it
        is not given, a line appears after two seconds in terminals and notebooks.

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
    check_count("steps", steps)
    check_count("transient", transient, least=0)
    if layout is not None:
        check_choice("layout", layout, (*LAYOUTS, "single"))
    rows = make_rows(map, starts, {} if parameters is None else parameters)
    _check_states(map, rows)
    rule, last, size = IterationRule.of(map), transient + steps - 1, rows.states[0].size
    batch_length = max(2, NUMBERS_PER_BATCH // size)
    tried = rows[spread(len(rows))]
    compiled = CompiledRule.of(rule, DIVERGED)
    if layout is None and compiled is not None:
        return _ensemble_compiled(map, compiled, rows, transient, last, executor, progress)
    if layout is None:
        layout = _find_layout(rule, tried)
    elif layout in LAYOUTS and not can_broadcast(rule, tried, layout):
        raise InvalidInput(f"{map.name} does not broadcast over batches in the {layout} layout")
    with reporting(progress, f"ensemble {map.name}", (), "orbits") as report:
        if layout != "single":
            parts = _split(rows, batch_length)
            batched = _call_on_each(executor, report, _iterate_batch_safely, parts, rule, layout, transient, last)
            if None not in batched:
                return _join(batched, layout)
        parts = _split(rows, 1 + (len(rows) - 1) // EXECUTOR_TASKS)
        return _join(_call_on_each(executor, report, iterate_one_by_one, parts, rule, transient, last), "single")


def _ensemble_compiled(
    map: Map,
    rule: CompiledRule,
    rows: BatchRows,
    transient: int,
    last: int,
    executor: Executor | None,
    progress: Report | bool | None,
) -> Ensemble:
    """All rows in compiled loops, as many at a time as one program is made for."""
    length = min(len(rows), rows_at_once(rows.states[0].size))
    with reporting(progress, f"ensemble {map.name}", (), "orbits") as report:
        parts = _split(rows, length)
        found = _call_on_each(executor, report, _iterate_compiled, parts, rule, length, transient, last)
        return _join(found, "compiled")


def _iterate_compiled(rule: CompiledRule, rows: BatchRows, length: int, transient: int, last: int) -> BatchResult:
    states, steps, ends = iterate_rows_compiled(rule, rows, transient, last, length)
    return BatchResult(states, steps, ends, [""] * len(rows))


def _check_states(map: Map, rows: BatchRows) -> None:
    """Refuse states that are not finite, and check the map at the first state where it can be; one there must be."""
    if not np.isfinite(rows.states).all():
        raise InvalidInput(f"{int((~np.isfinite(rows.states)).sum())} numbers in starts are NaN or infinite")
    rule = IterationRule.of(map)
    failed: MapFailed | None = None
    with np.errstate(all="ignore"):
        for i, x in enumerate(rows.states):
            (p,) = rows[i : i + 1].parameters_of_rows()
            if rule.end(x, p) == "steps" and _is_finite_or_raises(map, x, p):
                try:
                    map.replace(**p).check(x)
                except MapFailed as error:  # the orbit from there ends at once; others may not
                    failed = failed or error
                else:
                    return
    if failed is not None:
        raise failed


def _is_finite_or_raises(map: Map, x: NDArray[np.float64], p: dict[str, float]) -> bool:
    try:
        y = np.asarray(map.f(x, **p))
    except Exception:  # the check calls f again, and reports what is wrong in the map's own words
        return True
    return y.shape != x.shape or y.dtype.kind not in "fiub" or bool(np.isfinite(y).all())


def _find_layout(rule: IterationRule, rows: BatchRows) -> Layout:
    """The first layout of a batch that passes the trial; "single" if none does, or batches gain nothing."""
    if len(rows) > 1 and rows.states[0].size < LARGEST_BATCHED:
        for layout in LAYOUTS:
            if can_broadcast(rule, rows, layout):
                return layout
    return "single"


def _split(rows: BatchRows, length: int) -> list[BatchRows]:
    return [rows[i : i + length] for i in range(0, len(rows), length)]


def _call_on_each(
    executor: Executor | None,
    report: Report | None,
    work: Callable[..., BatchResult | None],
    parts: list[BatchRows],
    rule: Any,
    *settings: Any,
) -> list[BatchResult | None]:
    """``work(rule, part, *settings)`` for every part, here or on the executor, in order.

    The last two settings are the numbers of the first state and of the last. Once the user has interrupted a part, no
    other one is begun.
    """
    done: list[BatchResult | None] = []
    submitted = as_executor(executor)
    futures = [] if submitted is None else [submitted.submit(work, rule, part, *settings) for part in parts]
    with protected():
        try:
            for i, part in enumerate(parts):
                found = interruptible(work, rule, part, *settings) if not futures else interruptible(futures[i].result)
                done.append(found)
                if report is not None:
                    count = sum(len(each) for each in parts[: i + 1])
                    report(Progress({}, count, left=sum(map(len, parts)) - count))
                if interrupted_meanwhile() or (found is not None and "interrupted" in found.ends):
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            for future in futures:
                future.cancel()
    rest = [BatchResult.empty(part, *settings[-2:]) for part in parts[len(done) :]]
    return done + [each.interrupt(np.arange(len(each.ends)), 0) for each in rest]


def _iterate_batch_safely(
    rule: IterationRule, rows: BatchRows, layout: BatchLayout, transient: int, last: int
) -> BatchResult | None:
    if len(rows) == 1:
        return iterate_one_by_one(rule, rows, transient, last)
    try:
        with np.errstate(all="ignore"):
            return iterate_batch(rule, rows, layout, transient, last)
    except Exception:  # f took a batch of the first states, but not one of later states; one by one it may take them
        return None


def _join(results: Sequence[BatchResult | None], layout: Layout) -> Ensemble:
    found = [each for each in results if each is not None]
    return Ensemble(
        states=found[0].states if len(found) == 1 else np.concatenate([each.states for each in found]),
        steps=np.concatenate([each.steps for each in found]),
        ends=tuple(chain.from_iterable(each.ends for each in found)),
        layout=layout,
        details=tuple(chain.from_iterable(each.details for each in found)),
    )
