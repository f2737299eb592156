"""sweep: one function over many parameters: here, on processes, on any executor, on a cluster; and never twice."""

from __future__ import annotations

import functools
import hashlib
import inspect
import math
import os
import pickle
import time
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.executors import AHEAD, UNKNOWN_WORKERS, as_executor, process_pool, stop_pool
from bifurcate.interrupts import interrupted_meanwhile, interruptible, protected
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.functions import pack
from bifurcate.storage.journal import Section, open_journal
from bifurcate.sweep_calls import Outcome, Work, call_at, call_packed, failure, seed_of
from bifurcate.sweep_result import FailedPoint, Sweep
from bifurcate.validation import check_count, check_mapping, check_seed, check_workers

__all__ = ["sweep"]

CHUNK_SECONDS = 0.25  # work that is sent at a time: enough that sending costs little, too little to lose much of it
LONGEST_CHUNK = 1000  # points in it at the most, however fast they are
MOST_DEATHS = 3  # processes that may die over one point, alone at the end, before it counts as failed
SHORTEST = 1e-9  # seconds that a chunk counts as at the least: clocks have no finer ticks


def sweep(
    function: Callable[..., Any],
    grid: Mapping[str, Sequence[Any] | NDArray[Any]],
    *,
    executor: Any = None,
    workers: int | None = None,
    batch: int | None = None,
    journal: str | os.PathLike[str] | None = None,
    seed: int = 0,
    progress: Report | bool | None = None,
) -> Sweep:
    """Call a function at every point of a grid of parameters.

    Parameters
    ----------
    function : callable
        ``function(**parameters)`` → a number, text or array; or a dict, named tuple or dataclass of such. If it has an
        argument ``seed`` that is not in the grid, it is given a whole number of its own at every point, which depends
        on ``seed`` and the point's index alone. To be called in other processes it must be at the top level of a
        module, or cloudpickle installed.
    grid : mapping of str to sequence
        Values of every parameter; their products are the points, the last parameter varying fastest.
    executor : Executor or dask Client, optional
        Where the function is called: an executor of concurrent.futures, or a Dask cluster.
    workers : int, optional
        Processes of this call's own, if no executor is given; by default the function is called here. A script that
        asks for processes must do so under ``if __name__ == "__main__":``, since each of them reads it.
    batch : int, optional
        Points that the function is called for at a time, where it can do many at once faster than one by one: every
        parameter is then an array of their values (a list, of what are not numbers of one type), ``seed`` an array of
        their seeds, and what it returns an array or sequence of one outcome for each, an exception among them being a
        failure; or a dict of such. What it returns for a point must not depend on the others in its batch. Where a
        call fails, it is made for each half of its points again, so that none fails but those that fail alone.
    journal : str or path-like, optional
        A file in which results are noted as they arrive. The same call with the same journal computes only what is
        missing, also with another executor or batch.
    seed : int
        Of all random numbers.
    progress : callable, bool, optional
        Called with a :class:`Progress`; or True for a line that says how far the call has come, False for none. If it
        is not given, a line appears after two seconds in terminals and notebooks.

    Returns
    -------
    Sweep
        The same numbers whatever the executor, the batch, the order and interruptions. A point at which the function
        raises an exception is an outcome with its error. An interrupt (Ctrl-C) ends the sweep and keeps what arrived.

    Raises
    ------
    InvalidInput
        If the grid or the function is unusable, or the journal belongs to another call.

    Examples
    --------
    >>> def last_state(r, x):
    ...     for _ in range(100):
    ...         x = r * x * (1 - x)
    ...     return x
    >>> found = sweep(last_state, {"r": [2.0, 2.5], "x": [0.2, 0.4, 0.6]})
    >>> found.shape, found.array().round(6).tolist()
    ((2, 3), [[0.5, 0.5, 0.5], [0.6, 0.6, 0.6]])

    The same function takes arrays as well, and so many points at a time:

    >>> sweep(last_state, {"r": [2.0, 2.5], "x": [0.2, 0.4, 0.6]}, batch=4).values == found.values
    True
    """
    if not callable(function):
        raise InvalidInput(f"function is {function!r}; it must be callable as function(**parameters)")
    axes = _check_grid(grid)
    check_seed(seed)
    workers = check_workers(workers)
    if batch is not None:
        check_count("batch", batch)
    call = {"function": function, "code": _code_of(function), "grid": axes, "seed": seed}
    work = _Sweeping(function, axes, seed if _takes_seed(function, axes) else None, batch)
    named = f"sweep {getattr(function, '__name__', 'of a function')}"
    with (
        open_journal(journal, call) as notes,
        protected(),
        reporting(progress, named, tuple(axes), "points of the grid") as work.report,
    ):
        work.take_noted(notes)
        missing = work.missing()
        try:
            if missing and (executor is not None or workers > 1):
                work.run_elsewhere(missing, as_executor(executor), workers, notes)
            else:
                work.run_here(missing, notes)
        except KeyboardInterrupt:
            work.is_interrupted = True
        work.is_interrupted |= interrupted_meanwhile()
    return work.result()


def _check_grid(grid: Any) -> dict[str, list[Any]]:
    axes = {}
    for name, values in check_mapping("grid", grid, "names and sequences of values").items():
        if not isinstance(name, str) or not name.isidentifier():
            raise InvalidInput(f"grid has the name {name!r}; names must be those of function's arguments")
        listed = np.asarray(values).tolist() if hasattr(values, "__array__") else values
        if isinstance(listed, str) or not isinstance(listed, Iterable):
            raise InvalidInput(f"grid gives {name!r} the values {values!r}; they must be a sequence")
        axes[name] = list(listed)
        if not axes[name]:
            raise InvalidInput(f"grid gives {name!r} no values")
    if not axes:
        raise InvalidInput("grid is empty; give at least one parameter with its values")
    return axes


def _takes_seed(function: Callable[..., Any], axes: Mapping[str, Any]) -> bool:
    try:
        taken = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
    return "seed" in taken and "seed" not in axes


def _code_of(function: Any) -> str:
    """A digest of what a function does: a journal of another function of the same name is refused."""
    if isinstance(function, functools.partial):
        return _code_of(function.func)
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return "" if code is None else hashlib.blake2b(_told(code).encode(), digest_size=12).hexdigest()


def _told(code: types.CodeType) -> str:
    constants = [_told(each) if isinstance(each, types.CodeType) else repr(each) for each in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {constants}"


@dataclass(eq=False)
class _Sweeping:
    """A sweep under way.

    Attributes
    ----------
    function : callable
    axes : dict of str to list
        The grid.
    seed : int or None
        None if the function takes none.
    batch : int or None
        Points of one call, if the function takes several.
    outcomes : dict
        What arrived, by index.
    """

    function: Callable[..., Any]
    axes: dict[str, list[Any]]
    seed: int | None
    batch: int | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    is_interrupted: bool = False
    report: Report | None = None

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(len(values) for values in self.axes.values())

    def point(self, index: int) -> dict[str, Any]:
        """The parameters of a point."""
        shape = [len(values) for values in self.axes.values()]
        places = np.unravel_index(index, shape)
        return {name: values[int(i)] for (name, values), i in zip(self.axes.items(), places)}

    def work_at(self, indices: Iterable[int]) -> Work:
        """What is sent for points."""
        return [(i, self.point(i), None if self.seed is None else seed_of(self.seed, i)) for i in indices]

    def take_noted(self, notes: Section | None) -> None:
        """Take what a journal has."""
        for key in [] if notes is None else notes.keys():
            if key.startswith("chunk "):
                self.outcomes.update(notes.get(key))  # type: ignore[union-attr]

    def missing(self) -> list[int]:
        """Indices of the points that are to be computed."""
        return [i for i in range(self.size) if i not in self.outcomes]

    def note(self, found: dict[int, Outcome], notes: Section | None) -> None:
        """Keep what arrived."""
        if notes is not None and found:
            notes.put(f"chunk {min(found)}", found)
        self.outcomes.update(found)
        if self.report is not None and found:
            done = len(self.outcomes)
            self.report(Progress(self.point(max(found)), done, left=self.size - done))

    def run_here(self, missing: list[int], notes: Section | None) -> None:
        """Call the function in this process."""
        arrived: dict[int, Outcome] = {}
        began = time.monotonic()
        try:
            for at in range(0, len(missing), self.batch or 1):
                work = self.work_at(missing[at : at + (self.batch or 1)])
                arrived |= interruptible(call_at, self.function, work, self.batch)
                if time.monotonic() - began > CHUNK_SECONDS / 5 or len(arrived) >= LONGEST_CHUNK:
                    self.note(arrived, notes)
                    arrived, began = {}, time.monotonic()
        finally:
            self.note(arrived, notes)

    def run_elsewhere(self, missing: list[int], given: Executor | None, workers: int, notes: Section | None) -> None:
        """Call the function on an executor, or on processes of this call's own, which are replaced if they die."""
        content = pickle.dumps(pack(self.function, "function"))
        chunks = _Chunks(missing, batch=self.batch or 1, length=self.batch or 1)
        pool: Executor | None = given
        is_done = False
        try:
            while not is_done:
                pool = process_pool(workers) if given is None else given
                try:
                    self._feed(pool, content, chunks, _count_workers(pool, workers), notes)
                    is_done = True
                except BrokenProcessPool:
                    if given is not None:
                        raise
                    self.note(chunks.give_up(), notes)
                finally:
                    if isinstance(pool, ProcessPoolExecutor) and given is None:
                        stop_pool(pool)
        except BrokenExecutor as error:
            raise InvalidInput(f"the executor given broke down ({error}); what arrived is in the journal") from error

    def _feed(self, pool: Executor, content: bytes, chunks: _Chunks, workers: int, notes: Section | None) -> None:
        running: dict[Future[Any], list[int]] = {}
        try:
            while running or chunks.are_left:
                while chunks.may_send(len(running), AHEAD * workers):
                    indices = chunks.next()
                    try:
                        future = pool.submit(call_packed, content, self.work_at(indices), self.batch)
                    except BrokenExecutor:  # it broke after the last look at it: these points were not under way
                        chunks.take_back(indices)
                        raise
                    running[future] = indices
                for future in interruptible(_wait, running):
                    found, seconds = _result(future, running[future])
                    self.note(found, notes)
                    chunks.is_done(running.pop(future), seconds)
        finally:
            for future, indices in running.items():
                future.cancel()
                if future.done() and not future.cancelled() and future.exception() is None:
                    self.note(future.result()[0], notes)
                    chunks.is_done(indices, CHUNK_SECONDS)
                else:
                    chunks.put_back(indices)

    def result(self) -> Sweep:
        """What arrived, in the order of the grid."""
        values, failures = [], []
        for i in range(self.size):
            outcome = self.outcomes.get(i)
            values.append(None if outcome is None else outcome.get("value"))
            if outcome is not None and "error" in outcome:
                failures.append(FailedPoint(i, self.point(i), outcome["kind"], outcome["error"]))
        done = tuple(i in self.outcomes for i in range(self.size))
        axes = {name: tuple(listed) for name, listed in self.axes.items()}
        return Sweep(axes, tuple(values), tuple(failures), done, self.is_interrupted)


@dataclass(eq=False)
class _Chunks:
    """The points that are to be sent, in chunks of whole batches that take a worker about a quarter of a second.

    Points that were under way when a process died are sent again alone, one after the other: so it comes out which of
    them it was.
    """

    waiting: list[int]
    batch: int = 1
    length: int = 1
    suspected: list[int] = field(default_factory=list)
    deaths: dict[int, int] = field(default_factory=dict)

    @property
    def are_left(self) -> bool:
        """True if points are still to be sent."""
        return bool(self.waiting or self.suspected)

    def may_send(self, running: int, most: int) -> bool:
        """True if another chunk may be sent beside those that are under way."""
        return running == 0 if self.suspected else bool(self.waiting) and running < most

    def next(self) -> list[int]:
        """The next chunk."""
        if self.suspected:
            return [self.suspected.pop(0)]
        chunk, self.waiting = self.waiting[: self.length], self.waiting[self.length :]
        return chunk

    def is_done(self, indices: list[int], seconds: float) -> None:
        """Take in how long a chunk took."""
        wanted = len(indices) * CHUNK_SECONDS / max(seconds, SHORTEST)
        points = int(min(LONGEST_CHUNK, 2 * self.length, max(1.0, wanted)))
        self.length = max(points // self.batch, 1) * self.batch

    def put_back(self, indices: list[int]) -> None:
        """Send a chunk once more, since the process that had it died."""
        if len(indices) == 1:
            self.deaths[indices[0]] = self.deaths.get(indices[0], 0) + 1
        self.suspected = sorted([*indices, *self.suspected])

    def take_back(self, indices: list[int]) -> None:
        """Send a chunk that could not be sent later, as if nothing had been tried."""
        if len(indices) == 1 and indices[0] in self.deaths:
            self.suspected = sorted([*indices, *self.suspected])
        else:
            self.waiting = [*indices, *self.waiting]

    def give_up(self) -> dict[int, Outcome]:
        """The outcomes of points over which processes died again and again."""
        lost = [i for i in self.suspected if self.deaths.get(i, 0) >= MOST_DEATHS]
        self.suspected = [i for i in self.suspected if i not in lost]
        return {i: {"kind": "BrokenProcessPool", "error": f"{MOST_DEATHS} processes died over it"} for i in lost}


def _wait(running: Mapping[Future[Any], Any]) -> Iterator[Future[Any]]:
    # A wait without a limit is not interrupted on every system.
    while not (done := wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done):
        pass
    return iter(done)


def _result(future: Future[Any], indices: list[int]) -> tuple[dict[int, Outcome], float]:
    """What a chunk brought; where it could not be computed at all, its error at each of its points."""
    try:
        return future.result()  # type: ignore[no-any-return]
    except BrokenExecutor:
        raise
    except Exception as error:  # whatever an executor raises, as a cluster does whose workers died over the chunk
        return {i: failure(error) for i in indices}, CHUNK_SECONDS


def _count_workers(pool: Executor, workers: int) -> int:
    return int(getattr(pool, "_max_workers", 0) or max(workers, UNKNOWN_WORKERS))
