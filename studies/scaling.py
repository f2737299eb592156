"""What a continuation step costs, from 10² to 10¹² weights, on the four paths, with the floor that memory sets.

The network is the benchmark's: rᵢ = (0.3 + 0.7 cos²(πi/n))², r₀ᵢ = (0.3 + 0.7 sin²(πi/n))², β = −1/2, σ = 1/2. A step
goes from a corrected point to the next one, with the multipliers that detection needs:

    dense         the n² weights with an n² × n² matrix: LU and all eigenvalues
    matrix-free   the n² weights through products only: GMRES and Arnoldi iteration
    structured    the n² weights with the Jacobian (1+β) I + L P
    reduced       the n unknowns y = W r/n

The floor is the time in which memory passes the state once, at the rate that copying a long array reaches in this run.
Times are processor times, since they suffer less from what else a machine does.
"""

from __future__ import annotations

import csv
import dataclasses
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.benchmark.scale import network
from studies.report import FIGURES

__all__ = ["Line", "Scaling", "bandwidth", "run"]

START = 0.5  # α; far below the first flip
SIZES: Mapping[str, tuple[int, ...]] = {
    "dense": (10, 14, 20, 28),
    "matrix-free": (18, 32, 100, 200),
    "structured": (10, 32, 100, 316, 1000, 2000),
    "reduced": (10, 100, 1000, 10**4, 10**5, 10**6),
}
QUICK: Mapping[str, tuple[int, ...]] = {
    "dense": (10,),
    "matrix-free": (18,),
    "structured": (10, 32),
    "reduced": (10, 32, 3000),
}
STEPS = 4  # that are timed; the first one of a walk is not
STYLE = {"dense": ("s", "0.0"), "matrix-free": ("^", "#b45f06"), "structured": ("o", "C0"), "reduced": ("D", "#2e7d32")}


@dataclass(frozen=True)
class Line:
    """One path at one size.

    Attributes
    ----------
    path : str
    neurons, weights, unknowns : int
    seconds : float
        Processor time of the fastest of a few steps.
    megabytes : float
        What Python's arrays take at most while steps are made, in 10⁶ bytes: the nodes at both ends and all in between.
    alpha, least : float
        The last point and its least multiplier, the next one to pass −1: the proof that all paths agree.
    """

    path: str
    neurons: int
    weights: int
    unknowns: int
    seconds: float
    megabytes: float
    alpha: float
    least: float


@dataclass(frozen=True, eq=False)
class Scaling:
    """What the study found, and where it was written.

    Attributes
    ----------
    lines : tuple of Line
    bandwidth : float
        Bytes a second that copying reads and writes.
    png, pdf, csv : Path
    """

    lines: tuple[Line, ...]
    bandwidth: float
    png: Path
    pdf: Path
    csv: Path

    def of(self, path: str) -> tuple[Line, ...]:
        """The lines of one path, by growing size."""
        return tuple(line for line in self.lines if line.path == path)


def bandwidth(numbers: int = 4 * 10**7) -> float:
    """Bytes a second that ``copyto`` reads and writes, on arrays too long for the cache (two of 320 MB)."""
    a, b = np.ones(numbers), np.empty(numbers)
    best = np.inf
    for _ in range(5):
        begin = time.process_time()
        np.copyto(b, a)
        best = min(best, time.process_time() - begin)
    return 16.0 * numbers / best


def _map(net: bf.adaptation.Network, path: str) -> bf.Map:
    update, p = net.update, dict(net.update.parameters)
    products = bf.Map.from_rule(update, p, without=("jacobian", "borders"))
    structured: Any = update.jacobian
    if path == "dense":
        return dataclasses.replace(products, jacobian=lambda W, **q: bf.linalg.dense(structured(W, **q)))
    if path == "matrix-free":
        return products
    return update if path == "structured" else net.reduced


def _walk(net: bf.adaptation.Network, path: str) -> Iterator[bf.Step]:
    curve = bf.cycles(_map(net, path), "alpha", net.reduced_equilibrium() if path == "reduced" else net.equilibrium())
    control = bf.StepControl(first=0.01, largest=0.01)
    return bf.steps(curve, {"alpha": (START, 3.0)}, control=control)


def _measure(path: str, n: int) -> Line:
    net = network(n, alpha=START)
    walk = _walk(net, path)
    for _ in islice(walk, 2):
        pass
    times = []
    for _ in range(STEPS):
        begin = time.process_time()
        step = next(walk)
        times.append(time.process_time() - begin)
    least = float(step.point.spectrum.values.real.min())
    alpha, unknowns = float(step.point.u[-1]), len(step.point.u) - 1
    del walk, step
    return Line(path, n, n * n, unknowns, min(times), _peak(net, path), alpha, least)


def _peak(net: bf.adaptation.Network, path: str) -> float:
    tracemalloc.start()
    try:
        for _ in islice(_walk(net, path), 3):
            pass
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def run(out: Path = FIGURES, quick: bool = False) -> Scaling:
    """Measure, print, draw ``scaling.png`` and ``scaling.pdf``, and write ``scaling.csv``."""
    out.mkdir(parents=True, exist_ok=True)
    rate = bandwidth(10**6 if quick else 4 * 10**7)
    print(f"copying passes {rate / 1e9:.1f} GB/s")
    lines = []
    for path, sizes in (QUICK if quick else SIZES).items():
        for n in sizes:
            lines.append(_measure(path, n))
            line = lines[-1]
            cost = f"{line.seconds:10.4f} s {line.megabytes:10.1f} MB"
            print(f"{path:12} {n:8d} neurons {line.weights:14d} weights {cost}", flush=True)
    study = Scaling(tuple(lines), rate, *(out / f"scaling.{end}" for end in ("png", "pdf", "csv")))
    drawn = _draw(study)
    drawn.savefig(study.png, dpi=300)
    drawn.savefig(study.pdf, metadata={"CreationDate": None})
    with study.csv.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["path", "neurons", "weights", "unknowns", "seconds", "megabytes", "alpha", "least"])
        table.writerows(line.__dict__.values() for line in lines)
    return study


def _draw(study: Scaling) -> Figure:
    with matplotlib.rc_context({"font.size": 9}):
        drawn = Figure(figsize=(6.8, 3.9), layout="constrained")
        drawn.suptitle("One continuation step with its multipliers", x=0.01, ha="left", fontsize=11)
        drawn.supxlabel(
            f"Grey: memory passes the state once (16 bytes a number at {study.bandwidth / 1e9:.1f} GB/s, measured), "
            "and one state in memory;\ndashed for n² weights, dotted for the n unknowns of the reduction. "
            "Of more than 2000 neurons only the multipliers\nnext to ±1 and the extreme ones are computed, "
            "and those outside the circle counted.",
            x=0.01, ha="left", fontsize=8, color="0.3",
        )  # fmt: skip
        left, right = drawn.subplots(1, 2)
        weights = np.array([1e2, 1e12])
        for ax, each in ((left, 16.0 / study.bandwidth), (right, 8e-6)):
            ax.plot(weights, each * weights, "--", color="0.6", lw=1)
            ax.plot(weights, each * np.sqrt(weights), ":", color="0.6", lw=1.2)
        _panel(left, study, "seconds", "processor time of a step / s", (1e-4, 1e2), named=True)
        _panel(right, study, "megabytes", "memory of a step / MB", (1e-2, 1e4))
        return drawn


def _panel(ax: Axes, study: Scaling, value: str, label: str, limits: tuple[float, float], named: bool = False) -> None:
    for path, (marker, colour) in STYLE.items():
        lines = study.of(path)
        ax.plot(
            [line.weights for line in lines], [getattr(line, value) for line in lines], marker=marker, color=colour,
            ms=4.5, lw=1,
        )  # fmt: skip
        if named:
            place = "right" if path in ("matrix-free", "reduced") else "center"
            beside = (lines[-1].weights, getattr(lines[-1], value))
            ax.annotate(path, beside, (0, 7), textcoords="offset points", ha=place, fontsize=8, color=colour)
    ax.set(xscale="log", yscale="log", xlabel="weights n²", ylabel=label, xlim=(50, 3e12), ylim=limits)
    ax.set_xticks([1e2, 1e4, 1e6, 1e8, 1e10, 1e12])
    ax.spines[["top", "right"]].set_visible(False)
