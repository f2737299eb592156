"""What a continuation step costs against the number of unknowns, on each path that a user's map can take.

Rings of logistic units x_i ↦ (1 − e) g_i + e (g_{i−1} + g_{i+1})/2, g = r x (1 − x), of which are given

    f alone           derivatives by differences, in one call of f for many states; beyond 200 unknowns products by them
    dense             the Jacobian as an ndarray: LU and all eigenvalues
    sparse            the Jacobian as a sparse matrix: sparse LU, Lanczos iteration and inertia
    products          `jvp`: GMRES, and the leading multipliers from one subspace
    low rank          units coupled to their mean instead, diagonal plus rank one: elimination and the secular equation

A step goes from a corrected point to the next one, with the multipliers that detection needs. On the uniform state they
are known: 2 − r is the least. The floor is the time in which memory passes the state once, measured by copying; lines
have the exponents of their last sizes. The paths of the network, up to 10¹² weights, are in the study `scaling`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import FIGURES, Files, Table, publish
from studies.run_settings import study
from studies.step_cost import cost_figure, draw_cost, measured_bandwidth, measured_lines, peak_megabytes, timed

__all__ = ["Line", "Paths", "run"]

START, END, COUPLING = 2.5, 2.9, 0.1
SIZES: Mapping[str, tuple[int, ...]] = {
    "f alone": (10, 30, 100, 200, 1000, 10_000, 100_000),
    "dense": (10, 30, 100, 300, 1000),
    "sparse": (100, 1000, 10_000, 100_000),
    "products": (100, 1000, 10_000, 100_000),
    "low rank": (10, 100, 1000, 10_000, 100_000, 1_000_000),
}
QUICK: Mapping[str, tuple[int, ...]] = {
    "f alone": (10, 30),
    "dense": (10, 30),
    "sparse": (400,),
    "products": (300,),
    "low rank": (10, 1000),
}
STEPS = 3  # that are timed
LAST = 3  # sizes through whose times an exponent is fitted
STYLE = {
    "f alone": ("v", "#7b3294"),
    "dense": ("s", "0.0"),
    "sparse": ("o", "#1b6ca8"),
    "products": ("^", "#b45f06"),
    "low rank": ("D", "#2e7d32"),
}


@dataclass(frozen=True)
class Line:
    """One path at one size.

    Attributes
    ----------
    path : str
    unknowns : int
    seconds : float
        Processor time of the fastest of a few steps.
    megabytes : float
        What Python's arrays take at most while steps are made, in 10⁶ bytes.
    r, least : float
        The last point and its least multiplier, which is 2 − r: the proof that all paths agree.
    """

    path: str
    unknowns: int
    seconds: float
    megabytes: float
    r: float
    least: float


@dataclass(frozen=True, eq=False)
class Paths:
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

    def exponent(self, path: str, value: str = "seconds") -> float:
        """The slope of a path's time, or of its memory, in logarithms over its last sizes; NaN of a single one."""
        last = self.of(path)[-LAST:]
        if len(last) < 2:
            return float("nan")
        x, y = (np.log([getattr(line, name) for line in last]) for name in ("unknowns", value))
        return float(np.polyfit(x, y, 1)[0])


def _around(g: np.ndarray) -> np.ndarray:
    """Each unit with its neighbours; on the first axis, so that f takes many states in one call."""
    return np.asarray((1 - COUPLING) * g + COUPLING / 2 * (np.roll(g, 1, axis=0) + np.roll(g, -1, axis=0)))


def _map(path: str, n: int) -> bf.Map:
    if path in ("dense", "sparse"):
        return bf.maps.logistic_ring(n=n, r=START, e=COUPLING, sparse=path == "sparse")
    p = {"r": START}
    if path == "low rank":
        return bf.Map(_mean_field, p, jacobian=_mean_field_jacobian, parameter_derivative=_mean_field_slope)

    def f(x: np.ndarray, r: float) -> np.ndarray:
        return _around(r * x * (1 - x))

    if path == "f alone":
        return bf.Map(f, p)
    return bf.Map(
        f,
        p,
        jvp=lambda x, v, r: _around(r * (1 - 2 * x) * v),
        parameter_derivative=lambda x, name, r: _around(x * (1 - x)),
    )


def _mean_field(x: np.ndarray, r: float) -> np.ndarray:
    g = r * x * (1 - x)
    return np.asarray((1 - COUPLING) * g + COUPLING * g.mean(axis=0))


def _mean_field_jacobian(x: np.ndarray, r: float) -> bf.DiagonalLowRank:
    slope = r * (1 - 2 * x)
    ones = np.full((len(x), 1), COUPLING / len(x))
    return bf.DiagonalLowRank((1 - COUPLING) * slope, ones, slope[:, None])


def _mean_field_slope(x: np.ndarray, name: str, r: float) -> np.ndarray:
    return _mean_field(x, 1.0)


def _steps(path: str, n: int) -> Iterator[bf.Step]:
    curve = bf.cycles(_map(path, n), "r", np.full(n, 1 - 1 / START))
    return bf.steps(curve, {"r": (START, END)}, control=bf.StepControl(first=0.01, largest=0.01))


def _measure(path: str, n: int) -> Line:
    seconds, step = timed(_steps(path, n), STEPS)
    r, least = step.parameters["r"], float(step.point.spectrum.values.real.min())
    return Line(path, n, seconds, peak_megabytes(lambda: _steps(path, n)), r, least)


def _say(line: Line) -> None:
    cost = f"{line.seconds:10.4f} s {line.megabytes:10.1f} MB"
    print(f"{line.path:9} {line.unknowns:8d} unknowns {cost}", flush=True)


@study
def run(out: Path = FIGURES, quick: bool = False) -> Paths:
    """Measure, print, draw ``paths.png`` and ``paths.pdf``, and write ``paths.csv``."""
    rate, files = measured_bandwidth(quick), Files("paths", out)
    lines = measured_lines(
        QUICK if quick else SIZES,
        _measure,
        _say,
        lambda lines, missing: _publish(Paths(lines, rate, files, missing)),
    )
    found = Paths(lines, rate, files)
    for path in STYLE:
        print(f"{path:9} time as n^{found.exponent(path):.2f}, memory as n^{found.exponent(path, 'megabytes'):.2f}")
    _publish(found)
    return found


def _publish(found: Paths) -> None:
    table = Table([field.name for field in fields(Line)], [astuple(line) for line in found.lines])
    publish(found.files, lambda: _draw(found), table, found.missing)


def _draw(found: Paths) -> Figure:
    missing = f"\nINTERRUPTED, and incomplete: not measured are {found.missing}." if found.missing else ""
    return cost_figure(
        "Rings of logistic units. Grey: memory passes the state once (16 bytes a number at "
        f"{found.bandwidth / 1e9:.1f} GB/s, measured), and one state\nin memory. Exponents of time and memory, in "
        "brackets, are those of the last three sizes." + missing,
        lambda left, right: _draw_panels(left, right, found),
        3,
    )


def _draw_panels(left: Axes, right: Axes, found: Paths) -> None:
    n = np.array([1e1, 1e6])
    left.plot(n, 16.0 / found.bandwidth * n, "--", color="0.6", lw=1)
    right.plot(n, 8e-6 * n, "--", color="0.6", lw=1)
    panels = ((left, "seconds", "processor time of a step / s"), (right, "megabytes", "memory of a step / MB"))
    for ax, value, label in panels:
        draw_cost(ax, found.lines, ("unknowns", value), STYLE, lambda path: _name(found, path))
        ax.set(xlabel="unknowns n", ylabel=label)
        ax.set_ylim(bottom=0.2 * min(getattr(line, value) for line in found.lines))


def _name(found: Paths, path: str) -> str:
    """The path with the exponents of its time and memory, as the legend has it."""
    if len(found.of(path)) < 2:
        return path
    return f"{path} ({found.exponent(path):.1f}, {found.exponent(path, 'megabytes'):.1f})"
