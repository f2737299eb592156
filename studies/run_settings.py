"""How the studies are run: quickly or in full, on how many processes, in which formats; and sweeps that go on."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import bifurcate as bf

__all__ = ["FORMATS", "Interrupted", "RunSettings", "current", "journals", "study", "sweep_of_study", "use"]

T = TypeVar("T")

FORMATS = ("png", "pdf", "svg")


class Interrupted(BaseException):
    """The user ended a study (Ctrl-C): nothing that it found in part is published, unless it is marked so.

    It is no KeyboardInterrupt, which the package answers with what it has found.
    """

    published: str = "nothing of this study was published; --resume goes on with its sweeps"


@dataclass(frozen=True)
class RunSettings:
    """How a study is run.

    Attributes
    ----------
    quick : bool
        True for the coarse form.
    workers : int
        Processes at the most.
    formats : tuple of str
        Of figures.
    keeps_journals : bool
        True if sweeps note what arrives beside the figures, until these are published.
    resumes : bool
        True if what was noted by a run that was ended is taken.
    titles, footers : bool
        False where figures are drawn without their titles or footers: journals want these in the caption.
    """

    quick: bool = False
    workers: int = 1
    formats: tuple[str, ...] = ("png", "pdf")
    keeps_journals: bool = False
    resumes: bool = False
    titles: bool = True
    footers: bool = True


_CURRENT: ContextVar[RunSettings] = ContextVar("run settings")


def current() -> RunSettings:
    """The settings in force."""
    return _CURRENT.get(RunSettings())


@contextmanager
def use(settings: RunSettings) -> Iterator[None]:
    """Put settings in force for a while."""
    before = _CURRENT.set(settings)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def study(run: Callable[..., T]) -> Callable[..., T]:
    """Let a study's ``run(out, quick)`` put in force whether it is quick."""

    @functools.wraps(run)
    def running(out: Path = Path("figures"), quick: bool = False) -> T:
        with use(dataclasses.replace(current(), quick=quick)):
            return run(out, quick)

    return running


def journals(folder: Path, name: str) -> list[Path]:
    """The journals of a study that was ended."""
    return sorted(folder.glob(f".{name}-*.journal"))


def sweep_of_study(
    folder: Path,
    name: str,
    part: str,
    function: Callable[..., Any],
    grid: Mapping[str, Any],
    batch: int | None = None,
) -> bf.Sweep:
    """A sweep on as many processes as the settings say, noted where they say so.

    Parameters
    ----------
    folder : Path
        Of the figures.
    name, part : str
        The study, and which of its sweeps this is.
    function, grid, batch
        As for :func:`bifurcate.sweep`; every point must succeed.
    """
    settings, path = current(), None
    if settings.keeps_journals:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f".{name}-{part}.journal"
        if not settings.resumes:
            path.unlink(missing_ok=True)
    found = bf.sweep(function, grid, workers=settings.workers, batch=batch, journal=path)
    if found.interrupted:
        raise Interrupted
    if found.failures:
        raise RuntimeError(f"{name}: {found.failures[0]}")
    return found
