"""What continuation steps cost: the studies `scaling` and `paths` measure, publish and draw it with this."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import finish_axes, legend_title, new_figure
from studies.run_settings import Interrupted

__all__ = ["CostLine", "cost_figure", "draw_cost", "measured_bandwidth", "measured_lines", "peak_megabytes", "timed"]

UNTIMED = 2  # first steps of every branch, which find caches cold
COPIED, QUICK_COPIED = 4 * 10**7, 10**6  # numbers of the arrays by which the bandwidth is measured: 320 MB, and 8
COPIES = 5  # of which the fastest counts


class CostLine(Protocol):
    """What a line of such a study has: one path at one size."""

    @property
    def path(self) -> str:
        """The name of the path."""
        ...


L = TypeVar("L", bound=CostLine)


def measured_bandwidth(quick: bool) -> float:
    """Bytes a second that ``copyto`` reads and writes, on arrays too long for the cache (unless quick); printed."""
    numbers = QUICK_COPIED if quick else COPIED
    a, b = np.ones(numbers), np.empty(numbers)
    best = np.inf
    for _ in range(COPIES):
        begin = time.process_time()
        np.copyto(b, a)
        best = min(best, time.process_time() - begin)
    rate = 16.0 * numbers / best
    print(f"copying passes {rate / 1e9:.1f} GB/s")
    return rate


def timed(steps: Iterator[bf.Step], count: int) -> tuple[float, bf.Step]:
    """Processor time of the fastest of a few steps after the first ones, and the last of them."""
    for _ in islice(steps, UNTIMED):
        pass
    times = []
    for _ in range(count):
        begin = time.process_time()
        step = next(steps)
        times.append(time.process_time() - begin)
    return min(times), step


def peak_megabytes(begin: Callable[[], Iterator[bf.Step]]) -> float:
    """What Python's arrays take at most while a branch makes its first steps, in 10⁶ bytes: points and all between."""
    tracemalloc.start()
    try:
        for _ in islice(begin(), UNTIMED + 1):
            pass
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def measured_lines(
    sizes: Mapping[str, Sequence[int]],
    measure: Callable[[str, int], L],
    say: Callable[[L], None],
    publish: Callable[[tuple[L, ...], str], None],
    unit: str = "",
) -> tuple[L, ...]:
    """The lines of all paths and sizes.

    Parameters
    ----------
    sizes : mapping of str to sequence of int
        By path.
    measure : callable
        The line of a path and a size.
    say : callable
        Called with every line.
    publish : callable
        Called with the lines that are there, and with what is not, if the study is ended before it is done.
    unit : str
        Of sizes, in words.
    """
    asked, lines = [(path, n) for path, all_sizes in sizes.items() for n in all_sizes], list[L]()
    try:
        for path, n in asked:
            lines.append(measure(path, n))
            say(lines[-1])
    except Interrupted as end:
        if lines:
            missing = ", ".join(f"{path} at {n}{unit}" for path, n in asked[len(lines) :])
            publish(tuple(lines), missing)
            end.published = f"what was measured is published, marked as incomplete; not measured: {missing}"
        raise
    return tuple(lines)


def draw_cost(
    ax: Axes,
    lines: Iterable[CostLine],
    values: tuple[str, str],
    style: Mapping[str, tuple[str, str]],
    name: Callable[[str], str] = str,
) -> None:
    """Every path against its size, on logarithmic axes.

    Parameters
    ----------
    ax : Axes
    lines : iterable of CostLine
    values : (str, str)
        The attributes of lines that are the size and the cost.
    style : mapping of str to (str, str)
        Marker and colour of a path.
    name : callable
        What the legend calls a path.
    """
    by_path: dict[str, list[CostLine]] = {path: [] for path in style}
    for line in lines:
        by_path[line.path].append(line)
    for path, (marker, colour) in style.items():
        x, y = ([getattr(line, value) for line in by_path[path]] for value in values)
        ax.plot(x, y, marker=marker, color=colour, ms=4.5, lw=1, label=name(path))
    ax.set(xscale="log", yscale="log")
    finish_axes(ax)


def cost_figure(caption: str, draw: Callable[[Axes, Axes], None], columns: int) -> Figure:
    """The figure of time (a) and memory (b), under one legend, which has the title."""
    drawn = new_figure("", caption, (6.8, 3.9))
    left, right = drawn.subplots(1, 2)
    draw(left, right)
    heading: Any = {"title": legend_title("One continuation step with its multipliers"), "alignment": "left"}
    heading |= {"title_fontsize": 11}
    handles, names = left.get_legend_handles_labels()
    drawn.legend(handles, names, loc="outside upper left", ncols=columns, frameon=False, fontsize="small", **heading)
    for ax, letter in ((left, "(a)"), (right, "(b)")):
        ax.text(0.02, 0.98, letter, va="top", transform=ax.transAxes)
    return drawn
