"""Interrupts (Ctrl-C) that end a long call without losing what it has found.

While a call is protected, an interrupt that comes between two parts of its work waits for the next part that may be
interrupted; a second one is raised at once. Handlers of the user are left alone, and so are other threads.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["interrupted_meanwhile", "interruptible", "protected"]

T = TypeVar("T")


@dataclass(eq=False)
class _Waiting:
    """Whether an interrupt may be raised where the process is, and whether one waits."""

    may_raise: bool = False
    is_pending: bool = False

    def handle(self, *_: Any) -> None:
        if self.may_raise or self.is_pending:
            self.is_pending = False
            raise KeyboardInterrupt
        self.is_pending = True


# The protection that is in force, in the main thread alone: signals arrive nowhere else.
_in_force: list[_Waiting] = []


@contextmanager
def protected() -> Iterator[None]:
    """Let interrupts wait for work that runs through :func:`interruptible`; calls may be nested.

    Examples
    --------
    >>> before = signal.getsignal(signal.SIGINT)
    >>> with protected():
    ...     interruptible(len, "abc")
    3
    >>> signal.getsignal(signal.SIGINT) == before
    True
    """
    is_main = threading.current_thread() is threading.main_thread()
    if _in_force or not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    waiting = _Waiting()
    _in_force.append(waiting)
    signal.signal(signal.SIGINT, waiting.handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _in_force.clear()


def interruptible(work: Callable[..., T], *given: Any) -> T:
    """Do work that an interrupt may end: one that waits is raised before it begins."""
    if not _in_force or threading.current_thread() is not threading.main_thread():
        return work(*given)
    waiting = _in_force[0]
    if interrupted_meanwhile():
        raise KeyboardInterrupt
    before, waiting.may_raise = waiting.may_raise, True
    try:
        return work(*given)
    finally:
        waiting.may_raise = before


def interrupted_meanwhile() -> bool:
    """True if an interrupt waits; it counts as answered then."""
    if not _in_force or threading.current_thread() is not threading.main_thread():
        return False
    is_pending, _in_force[0].is_pending = _in_force[0].is_pending, False
    return is_pending
