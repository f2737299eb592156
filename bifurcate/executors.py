"""Executors: where independent calls run. Threads, processes, or the workers of a Dask cluster, all used alike."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, TypeVar

import threadpoolctl

from bifurcate.errors import InvalidInput

__all__ = ["as_executor", "call_in_order", "process_pool", "stop_pool", "workplace"]

T = TypeVar("T")

PARENT_SECONDS = 1.0  # how often a process looks whether the one that it works for is still there
AHEAD = 2  # calls for each worker that are under way at a time: the next is there when one is done
UNKNOWN_WORKERS = 8  # workers that an executor is taken to have if it does not say how many
WAITING_SECONDS = 1.0  # of one wait: a wait without a limit is not interrupted on every system


def as_executor(executor: Any) -> Executor | None:
    """An executor of concurrent.futures, from one or from the client of a Dask cluster; None stays None.

    Raises
    ------
    InvalidInput
        If it is neither.
    """
    if executor is None or isinstance(executor, Executor):
        return executor
    if hasattr(executor, "get_executor"):
        return executor.get_executor(pure=False)  # type: ignore[no-any-return]
    if hasattr(executor, "submit") and hasattr(executor, "map"):
        return executor  # type: ignore[no-any-return]
    raise InvalidInput(
        f"executor is {executor!r}; it must be an Executor of concurrent.futures or the client of a Dask cluster"
    )


@contextmanager
def workplace(executor: Any, workers: int) -> Iterator[Executor | None]:
    """Where independent calls run: on an executor, on processes that end with the block, or here, which is None."""
    given = as_executor(executor)
    if given is not None or workers == 1:
        yield given
        return
    pool = process_pool(workers)
    try:
        yield pool
    finally:
        stop_pool(pool)


def call_in_order(pool: Executor | None, work: Callable[..., T], calls: Iterable[tuple[Any, ...]]) -> Iterator[T]:
    """``work(*given)`` for each of some calls, in their order, as many at a time as a workplace has hands for.

    Examples
    --------
    >>> list(call_in_order(None, pow, [(2, 3), (3, 2)]))
    [8, 9]
    """
    if pool is None:
        for given in calls:
            yield work(*given)
        return
    most = AHEAD * int(getattr(pool, "_max_workers", 0) or UNKNOWN_WORKERS)
    running = deque[Future[T]]()
    try:
        for given in calls:
            running.append(pool.submit(work, *given))
            if len(running) >= most:
                yield _result(running.popleft())
        while running:
            yield _result(running.popleft())
    except BrokenExecutor as error:
        raise InvalidInput(
            f"the executor broke down, as where a process has no memory left, or cannot import f: {error}"
        ) from error
    finally:
        for future in running:
            future.cancel()


def _result(future: Future[T]) -> T:
    while not wait([future], timeout=WAITING_SECONDS).done:
        pass
    return future.result()


def process_pool(workers: int, start: Callable[..., None] | None = None, *given: Any) -> ProcessPoolExecutor:
    """A pool of processes of their own, which leave an interrupt to the one that they work for.

    They do not share the memory of this process: libraries that run threads, as JAX does, may hang in copies of it.

    Parameters
    ----------
    workers : int
        Number of processes.
    start : callable, optional
        Called with ``given`` in each of them first.
    """
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(start, given, os.getpid()))


def stop_pool(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool without waiting for what they are at."""
    processes = list((getattr(pool, "_processes", None) or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()


def _begin(start: Callable[..., None] | None, given: tuple[Any, ...], parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threadpoolctl.threadpool_limits(1)  # processes beside each other, each with threads for all cores, are slower
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if start is not None:
        start(*given)


def _end_with(parent: int) -> None:
    """End this process when the one that it works for is gone: killed, that one could not end it itself."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os._exit(1)
