"""The frame of the benchmark: what a row is, and how it is measured, printed and written down.

A row is one piece of work done by several contenders: ours, on every path that can do it, and peers. They take turns
in one process, so that whatever else the machine does meanwhile disturbs all of them alike. To add a row, write a
function that returns a Contest and put a Row with it into the ``ROWS`` of a module named in ``__main__``.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import scipy

__all__ = ["Contest", "Done", "Measurement", "Row", "Unavailable", "measure", "table", "write"]

LONG = 10.0  # seconds after which a contender is not run again
TURN = 0.05  # seconds for which a short work is repeated in its turn
SHOWN = 3  # numbers of a result that are printed


class Unavailable(Exception):
    """A peer cannot be run here; the text says why."""


@dataclass(frozen=True)
class Done:
    """What one run of a piece of work did.

    Attributes
    ----------
    steps : int
        Newton steps, points of a branch, or iterations of a map.
    result : tuple of float
        Numbers that show that the work was done: a residual, or the parameters of the special points found.
    unknowns : int, optional
        Where it differs from the contest's.
    """

    steps: int
    result: tuple[float, ...]
    unknowns: int | None = None


Contender = Callable[[], Done]


@dataclass(frozen=True)
class Contest:
    """The contenders of a row. What is built before they are called is not timed.

    Attributes
    ----------
    unknowns : int
    ours, peers : mapping of str to callable
        Every contender runs the whole work and returns what it Done. Ratios are to the first of ours.
    repeats : int
        Runs of each; a contender that has taken 10 seconds is not run again.
    """

    unknowns: int
    ours: Mapping[str, Contender]
    peers: Mapping[str, Contender] = field(default_factory=dict)
    repeats: int = 5


@dataclass(frozen=True)
class Row:
    """A line of the benchmark.

    Attributes
    ----------
    name : str
        By which it is asked for.
    work : str
        What is done, in words.
    target : str
        What is aimed at, in words; nothing asserts it.
    contest : callable
        ``contest(quick)`` → Contest; the quick form is small enough for the tests.
    floor : str
        Where the target is missed: what stands in the way.
    """

    name: str
    work: str
    target: str
    contest: Callable[[bool], Contest]
    floor: str = ""


@dataclass(frozen=True)
class Measurement:
    """How one contender did.

    Attributes
    ----------
    row, contender : str
    ours : bool
    unknowns, steps : int
    seconds, median : float
        The fastest run and the median of all, by the clock on the wall.
    cpu : float
        The least processor time of a run, all threads together: it suffers less from what else the machine does.
    ratio : float
        ``seconds`` as a multiple of the first contender's.
    peak_megabytes : float
        The largest resident memory of the whole process during the runs (where the system does not say so, its
        largest so far; NaN where it says nothing).
    result : tuple of float
    note : str
        Why it was not run, if it was not.
    """

    row: str
    contender: str
    ours: bool
    unknowns: int
    steps: int
    seconds: float
    median: float
    cpu: float
    ratio: float
    peak_megabytes: float
    result: tuple[float, ...]
    note: str = ""


def measure(row: Row, quick: bool = False) -> list[Measurement]:
    """Run a row's contenders in turns; once each in the quick form."""
    contest = row.contest(quick)
    runs = {name: _Runs(work) for name, work in {**contest.ours, **contest.peers}.items()}
    for _ in range(1 if quick else contest.repeats):
        for each in runs.values():
            each.run_once_more(quick)
    first = next(iter(runs.values()))
    return [each.to_measurement(row.name, name, name in contest.ours, contest, first) for name, each in runs.items()]


class _Runs:
    """The runs of one contender: their times, the peak of memory, and what the last one did."""

    def __init__(self, work: Contender) -> None:
        self.work = work
        self.wall: list[float] = []
        self.cpu: list[float] = []
        self.peak = float("nan")
        self.done = Done(0, ())
        self.note = ""

    def run_once_more(self, quick: bool) -> None:
        """Take a turn: run the work, and repeat it while it is short, since the first run finds all caches cold."""
        if self.note or sum(self.wall) > LONG:
            return
        gc.collect()
        _forget_peak()
        start = time.perf_counter()
        while True:
            wall, cpu = time.perf_counter(), time.process_time()
            try:
                self.done = self.work()
            except Unavailable as reason:
                self.note = str(reason)
                return
            self.cpu.append(time.process_time() - cpu)
            self.wall.append(time.perf_counter() - wall)
            if quick or time.perf_counter() - start > TURN:
                break
        self.peak = float(np.fmax(self.peak, _peak_megabytes()))

    def to_measurement(self, row: str, name: str, ours: bool, contest: Contest, first: _Runs) -> Measurement:
        unknowns = contest.unknowns if self.done.unknowns is None else self.done.unknowns
        nothing = float("nan")
        seconds = min(self.wall, default=nothing)
        return Measurement(
            row=row,
            contender=name,
            ours=ours,
            unknowns=unknowns,
            steps=self.done.steps,
            seconds=seconds,
            median=statistics.median(self.wall or [nothing]),
            cpu=min(self.cpu, default=nothing),
            ratio=seconds / min(first.wall, default=nothing),
            peak_megabytes=self.peak,
            result=self.done.result,
            note=self.note,
        )


def _forget_peak() -> None:
    # Linux can start a process's high-water mark anew; elsewhere it only ever rises.
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak_megabytes() -> float:
    try:
        return int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) / 2**10
    except (OSError, IndexError):
        pass
    try:
        import resource
    except ImportError:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def table(row: Row, measured: Iterable[Measurement]) -> str:
    """A row's measurements as text."""
    lines = [f"{row.name}: {row.work}" + (f" (target: {row.target})" if row.target else "")]
    head = f"  {'contender':36} {'unknowns':>10} {'steps':>8} {'seconds':>10} {'median':>10} {'cpu':>10}"
    lines.append(f"{head} {'ms/step':>10} {'ratio':>9} {'peak MB':>8}  result")
    for m in measured:
        if m.note:
            lines.append(f"  {m.contender:36} skipped: {m.note}")
            continue
        per_step = 1e3 * m.seconds / m.steps if m.steps else float("nan")
        times = " ".join(f"{value:10.4f}" for value in (m.seconds, m.median, m.cpu, per_step))
        shown = ", ".join(f"{value:.9g}" for value in m.result[:SHOWN])
        rest = f", … ({len(m.result)})" if len(m.result) > SHOWN else ""
        line = f"  {m.contender:36} {m.unknowns:10d} {m.steps:8d} {times} {m.ratio:9.3g} {m.peak_megabytes:8.0f}"
        lines.append(f"{line}  {shown}{rest}")
    return "\n".join(lines + ([f"  floor: {row.floor}"] if row.floor else []))


def write(measured: Iterable[Measurement], path: Path) -> None:
    """All measurements and what they were measured with, as JSON (without NaN: null)."""
    setting = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", ""),
    }
    rows = [{key: _known(value) for key, value in asdict(m).items()} for m in measured]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"setting": setting, "measured": rows}, indent=1, allow_nan=False))


def _known(value: object) -> object:
    return None if isinstance(value, float) and not np.isfinite(value) else value
