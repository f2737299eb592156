"""One line that says how far a long call has come: in terminals and notebooks, and nowhere else."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from bifurcate.errors import InvalidInput
from bifurcate.printing import values_text
from bifurcate.progress import Progress
from bifurcate.validation import is_real_number

__all__ = ["Report", "reporting"]

Report = Callable[[Progress], None]

QUIET_SECONDS = 2.0  # of a call before its line appears: shorter calls say nothing
BETWEEN_SECONDS = 0.1  # between two updates of the line: more often cannot be read
ALONG_CURVES = "points"  # what calls that follow curves count, beside special points and branches
LONGEST_LINE = 118  # characters: a line that wraps cannot be taken back


class ProgressLine:
    """The line of one call and of the calls inside it, on the error stream.

    Parameters
    ----------
    verb : str
        What the user has called.
    names : tuple of str
        The parameters whose values are shown: those that are free.
    quiet : float
        Seconds before it appears.
    unit : str
        What is counted: "points" along curves, with special points; or orbits, steps, …, with how many are left.
    """

    def __init__(self, verb: str, names: tuple[str, ...], quiet: float, unit: str = ALONG_CURVES) -> None:
        self._verb, self._names, self.unit = verb, names, unit
        self._next = time.monotonic() + quiet
        self._width = 0
        self._outer: Progress | None = None

    def __call__(self, record: Progress) -> None:
        """Take the record of the call itself."""
        self._outer = record
        self.show(record)

    def show(self, record: Progress) -> None:
        """Write the line, with the numbers of a record of this call or of one inside it."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + BETWEEN_SECONDS
        values = {name: float(p) for name, p in record.parameters.items() if name in self._names and is_real_number(p)}
        said = values_text(values)
        self._write(", ".join([*([said] if said else []), *self._counts(record)]))

    def _counts(self, record: Progress) -> list[str]:
        """The numbers that the line says."""
        if self.unit != ALONG_CURVES:
            rest = [f"{record.left} left"] if record.residual is None else [f"residual {record.residual:.1e}"]
            return [f"{record.points} {self.unit}", *rest]
        whole = self._outer or record
        words = [f"{record.points} points", f"{whole.special} special points"]
        return words if self._outer is None else [*words, f"{whole.branches} branches", f"{whole.left} to follow"]

    def close(self) -> None:
        """Take the line away."""
        if self._width:
            self._write("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _write(self, text: str) -> None:
        text = f"{self._verb}: {text}"[:LONGEST_LINE] if text else ""
        sys.stderr.write("\r" + text.ljust(self._width))
        sys.stderr.flush()
        self._width = len(text)


_CURRENT: ContextVar[ProgressLine | None] = ContextVar("progress line", default=None)
_SILENT: ContextVar[bool] = ContextVar("progress silent", default=False)


@contextmanager
def reporting(
    progress: Report | bool | None, verb: str, names: tuple[str, ...], unit: str = ALONG_CURVES
) -> Iterator[Report | None]:
    """What a verb reports to while it works: the user's function, a line, or nobody.

    Parameters
    ----------
    progress : callable, bool or None
        As users give it: a function of :class:`Progress`; True for a line at once, False for none; None for a line
        after two seconds where somebody watches: in a terminal or a notebook.
    verb : str
    names : tuple of str
        The free parameters.
    unit : str
        What is counted, as for :class:`ProgressLine`. Calls inside one that counts something else say nothing.

    Raises
    ------
    InvalidInput
        If ``progress`` is none of these.
    """
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise InvalidInput(f"progress is {progress!r}; it must be callable as progress(record), True, False or None")
    outer = _CURRENT.get()
    if callable(progress) or progress is False:
        token = _SILENT.set(True)  # calls inside this one have been answered for
        try:
            yield progress or None
        finally:
            _SILENT.reset(token)
    elif outer is not None:
        yield outer.show if outer.unit == unit else None
    elif progress is True or (not _SILENT.get() and _is_watched()):
        line = ProgressLine(verb, names, 0.0 if progress else QUIET_SECONDS, unit)
        inside = _CURRENT.set(line)
        try:
            yield line
        finally:
            _CURRENT.reset(inside)
            line.close()
    else:
        yield None


def _is_watched() -> bool:
    """True in a terminal and in a notebook, but not in a process that works for another one."""
    if multiprocessing.parent_process() is not None:
        return False
    shell: Any = sys.modules.get("IPython")
    kernel = shell is not None and getattr(shell.get_ipython(), "kernel", None) is not None
    return kernel or (sys.stderr is not None and sys.stderr.isatty())
