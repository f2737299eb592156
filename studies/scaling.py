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

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.benchmark.scale import network
from studies.report import FIGURES, Files, Table, publish
from studies.run_settings import study
from studies.step_cost import cost_figure, draw_cost, measured_bandwidth, measured_lines, peak_megabytes, timed

__all__ = ["Line", "Scaling", "run"]

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
STEPS = 4  # that are timed
STYLE = {
    "dense": ("s", "0.0"),
    "matrix-free": ("^", "#b45f06"),
    "structured": ("o", "#1b6ca8"),
    "reduced": ("D", "#2e7d32"),
}


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
        What Python's arrays take at most while steps are made, in 10⁶ bytes: both points and all in between.
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
    files : Files
    missing : str
        What was not measured, if the study was ended before it was done.
    """

    lines: tuple[Line, ...]
    bandwidth: float
    files: Files
    missing: str = ""

    def of(self, path: str) -> tuple[Line, ...]:
        """The lines of one path, by growing size."""
        return tuple(line for line in self.lines if line.path == path)


def _map(net: bf.adaptation.Network, path: str) -> bf.Map:
    update, p = net.update, dict(net.update.parameters)
    products = bf.Map.from_rule(update, p, without=("jacobian", "borders"))
    structured: Any = update.jacobian
    if path == "dense":
        return replace(products, jacobian=lambda W, **q: bf.linalg.dense(structured(W, **q)))
    if path == "matrix-free":
        return products
    return update if path == "structured" else net.reduced


def _steps(net: bf.adaptation.Network, path: str) -> Iterator[bf.Step]:
    curve = bf.cycles(_map(net, path), "alpha", net.reduced_equilibrium() if path == "reduced" else net.equilibrium())
    control = bf.StepControl(first=0.01, largest=0.01)
    return bf.steps(curve, {"alpha": (START, 3.0)}, control=control)


def _measure(path: str, n: int) -> Line:
    net = network(n, alpha=START)
    seconds, step = timed(_steps(net, path), STEPS)
    alpha, unknowns = float(step.point.u[-1]), len(step.point.u) - 1
    # Along a branch of products alone multipliers are sharp near the circle only: here they are computed to rounding.
    map = _map(net, path)
    state = step.point.u[:-1].reshape((n,) if path == "reduced" else (n, n))
    least = float(bf.multipliers(map, state, parameters={"alpha": alpha}).values.real.min())
    del step
    return Line(
        path=path,
        neurons=n,
        weights=n * n,
        unknowns=unknowns,
        seconds=seconds,
        megabytes=peak_megabytes(lambda: _steps(net, path)),
        alpha=alpha,
        least=least,
    )


@study
def run(out: Path = FIGURES, quick: bool = False) -> Scaling:
    """Measure, print, draw ``scaling.png`` and ``scaling.pdf``, and write ``scaling.csv``."""
    rate, files = measured_bandwidth(quick), Files("scaling", out)
    lines = measured_lines(
        QUICK if quick else SIZES,
        _measure,
        _say,
        lambda lines, missing: _publish(Scaling(lines, rate, files, missing)),
        unit=" neurons",
    )
    study = Scaling(lines, rate, files)
    _publish(study)
    return study


def _say(line: Line) -> None:
    cost = f"{line.seconds:10.4f} s {line.megabytes:10.1f} MB"
    print(f"{line.path:12} {line.neurons:8d} neurons {line.weights:14d} weights {cost}", flush=True)


def _publish(study: Scaling) -> None:
    table = Table([field.name for field in fields(Line)], [astuple(line) for line in study.lines])
    publish(study.files, lambda: _draw(study), table, study.missing)


def _draw(study: Scaling) -> Figure:
    return cost_figure(
        f"Grey: memory passes the state once (16 bytes a number at {study.bandwidth / 1e9:.1f} GB/s, measured), "
        "and one state in memory;\ndashed for n² weights, dotted for the n unknowns of the reduction. "
        "Of more than 2000 neurons only the multipliers\nnext to ±1 and the extreme ones are computed, "
        "and those outside the circle counted." + _not_measured(study),
        lambda left, right: _draw_panels(left, right, study),
        4,
    )


def _not_measured(study: Scaling) -> str:
    """What the footer says of a study that was ended before it was done."""
    return "\n" + fill(f"INTERRUPTED, and incomplete: not measured are {study.missing}.", 110) if study.missing else ""


def _draw_panels(left: Axes, right: Axes, study: Scaling) -> None:
    weights = np.array([1e2, 1e12])
    for ax, each in ((left, 16.0 / study.bandwidth), (right, 8e-6)):
        ax.plot(weights, each * weights, "--", color="0.6", lw=1)
        ax.plot(weights, each * np.sqrt(weights), ":", color="0.6", lw=1.2)
    panels = (
        (left, "seconds", "processor time of a step / s", (1e-4, 1e2)),
        (right, "megabytes", "memory of a step / MB", (1e-2, 1e4)),
    )
    for ax, value, label, limits in panels:
        draw_cost(ax, study.lines, ("weights", value), STYLE)
        ax.set(xlabel="weights n²", ylabel=label, xlim=(50, 3e12), ylim=limits)
        ax.set_xticks([1e2, 1e4, 1e6, 1e8, 1e10, 1e12])
