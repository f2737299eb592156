"""Executors: where independent calls run. Threads, processes, or the workers of a Dask cluster, all used alike."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

import threadpoolctl

from bifurcate.errors import InvalidInput

__all__ = ["as_executor", "process_pool", "stop_pool"]

PARENT_SECONDS = 1.0  # how often a process looks whether the one that it works for is still there


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
