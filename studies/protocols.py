"""Stimuli in turn: the periodic regime, followed as a fixed point of the map composed over a period.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), β = −0.1, σ = 1/6, b = 0.05; stimuli of contrast
0.8. A period shows M stimuli, one an update; Y = W [r¹ … rᵐ]/n of the m distinct ones is followed, and its regime is at
rest when it comes back after a period. The response drawn is that of the neuron tuned to the baseline, to the first
stimulus.

(a) Two orientations, at 90° and 135° from the baseline. Under one constant stimulus all multipliers are real, so that
stability is lost in a flip: so it is here. The doubled regime repeats every two periods.

(b) Two orientations that mirror each other about 90°, at 67.5° and 112.5°. With the reflection g of the ring the second
half of a period repeats the first, F = (g f₁)²: −1 is no simple multiplier of a square, and stability is lost at a
Neimark–Sacker point, in the neuron tuned to the baseline. The point is supercritical, the circle born there small; from
W₀ orbits go elsewhere, to larger cycles of few points that coexist with it, and with the stable regime a little below.

(c) The pair of (a) at α = 0.145, each shown for M/2 updates: multipliers of the composed map against the period M, as
|λ|^(1/M), what a disturbance is multiplied with in one update. The trivial multiplier (1+β)^M lies at 1+β for every M;
negative ones appear and leave the circle as each stimulus is given more time to act against the other.

(d) Where stability is lost: m orientations π/m apart, the first at 90°, in turn and averaged in every update. Showing
them in turn is less stable, and may end in either kind of point; the average has ended in flips in all cases.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from bifurcate.adaptation import StimulationSchedule, average, periodic, protocols
from studies.report import DPI, FIGURES, STYLE, N, doublings, network

CONTRAST, ALPHA = 0.8, 0.145
ANGLES = {"unequal": (np.pi / 2, 3 * np.pi / 4), "mirrored": (3 * np.pi / 8, 5 * np.pi / 8)}
BOUNDS = {"unequal": (0.14, 0.215), "mirrored": (0.31, 0.352)}
OBSERVED = {"unequal": (1, 1), "mirrored": (0, 0)}  # stimulus and neuron: where the first instability shows
MARKS = {"flip": "o", "neimark-sacker": "D"}


@dataclass(frozen=True, eq=False)
class Protocols:
    """What was found, and where it was written.

    Attributes
    ----------
    branches : dict of str to tuple of Branch
        "unequal": the regime and the doubled one; "mirrored": the regime.
    orbits : dict of str to OrbitDiagram
        Of the same.
    multipliers : dict of int to ndarray
        All n m multipliers of the reduced composed map, by the period M.
    ends : dict of (str, int) to SpecialPoint
        The first loss of stability, by "in turn" or "average" and the number of orientations.
    png, pdf, csv : Path
    """

    branches: dict[str, tuple[bf.Branch, ...]]
    orbits: dict[str, bf.OrbitDiagram]
    multipliers: dict[int, np.ndarray]
    ends: dict[tuple[str, int], bf.SpecialPoint]
    png: Path
    pdf: Path
    csv: Path


def alternating(angles: tuple[float, ...], alpha: float, dwell: int = 1) -> StimulationSchedule:
    """Orientations in turn, each for ``dwell`` updates."""
    shown = [(CONTRAST, theta) for theta in angles]
    return protocols.alternation(shown, dwell=dwell).periodic(network(alpha=alpha))


def regime(shown: StimulationSchedule, bounds: tuple[float, float], **control: Any) -> bf.Branch:
    """The branch of what repeats with the period."""
    curve = bf.cycles(shown.reduced, "alpha", shown.reduced_equilibrium())
    return bf.trace(curve, {"alpha": bounds}, **control)


def response(name: str) -> Callable[..., float]:
    """The observable: the response of one neuron to one of the stimuli."""
    shown = alternating(ANGLES[name], BOUNDS[name][0])
    r, floor, at = float(shown.drives[OBSERVED[name]]), shown.network.sigma**2, OBSERVED[name]

    def observable(Y: np.ndarray, **p: float) -> float:
        return r / (floor + float(Y.reshape(shown.drives.shape)[at]))

    return observable


def cascade(name: str, quick: bool) -> tuple[tuple[bf.Branch, ...], bf.OrbitDiagram]:
    """(a), (b): branches, and orbits from W₀ = 1."""
    bounds = BOUNDS[name]
    shown = alternating(ANGLES[name], bounds[0])
    branches = doublings(regime(shown, bounds), bounds, to=2)
    values, transient, keep = (np.linspace(*bounds, 25), 300, 16) if quick else (np.linspace(*bounds, 113), 500, 40)
    start = shown.project(shown.network.initial)
    return branches, bf.orbit_diagram(
        shown.reduced, "alpha", values, start, response(name), transient=transient, samples=keep
    )


def first_end(shown: StimulationSchedule, bounds: tuple[float, float]) -> bf.SpecialPoint:
    """Where the regime first loses its stability."""
    branch = regime(shown, bounds)
    assert branch.stable[0]
    return branch.special[0]


def run(out: Path = FIGURES, quick: bool = False) -> Protocols:
    """Continue, simulate, draw."""
    branches, orbits = {}, {}
    for name in ANGLES:
        branches[name], orbits[name] = cascade(name, quick)
    multipliers = {}
    for dwell in range(1, 4 if quick else 7):
        shown = alternating(ANGLES["unequal"], ALPHA, dwell)
        J = shown.reduced.jacobian(shown.reduced_equilibrium(), **shown.parameters)  # type: ignore[misc]
        values = np.linalg.eigvals(J)
        multipliers[2 * dwell] = values[np.argsort(-np.abs(values))]
    ends = {}
    for m in range(1, 4 if quick else 6):
        evenly = [(CONTRAST, np.pi / 2 + np.pi * j / m) for j in range(m)]
        bounds = (0.05, 0.7 if m == 1 else 0.3)
        for name, make in (("in turn", periodic), ("average", average)):
            ends[name, m] = first_end(make(network(alpha=bounds[0]), evenly), bounds)
    out.mkdir(parents=True, exist_ok=True)
    paths = (out / f"protocols.{end}" for end in ("png", "pdf", "csv"))
    study = Protocols(branches, orbits, multipliers, ends, *paths)
    with matplotlib.rc_context(STYLE):
        drawn = _figure(study)
        drawn.savefig(study.png, dpi=DPI)
        drawn.savefig(study.pdf, dpi=DPI, metadata={"CreationDate": None})
    _write(study)
    _print(study)
    return study


def _figure(study: Protocols) -> Figure:
    drawn = Figure(figsize=(6.4, 9.0), layout="constrained")
    drawn.suptitle("Stimuli in turn: flips, and Neimark–Sacker points", x=0.01, ha="left", fontsize=11)
    drawn.supxlabel(
        f"{N} neurons; baseline of contrast 0.8 at 0°, stimuli of contrast 0.8; β = −0.1, σ = 1/6, b = 0.05.\n"
        "Grey: simulated orbits of the same maps from W₀ = 1, one point a period. In (b) they end on far cycles,\n"
        "which coexist with the stable regime a little below the point, and with the small circle born at it.",
        x=0.01, ha="left", fontsize=8, color="0.3",
    )  # fmt: skip
    axes = drawn.subplot_mosaic("aa;bb;cd")
    for key, name, words in (("a", "unequal", "90° and 135°"), ("b", "mirrored", "67.5° and 112.5°")):
        stimulus, neuron = OBSERVED[name]
        shown = f"{np.rad2deg(ANGLES[name][stimulus]):g}°"
        label = f"R (neuron at {180 * neuron / N:g}°, shown {shown})"
        bf.plot.diagram(
            study.branches[name],
            "alpha",
            response(name),
            orbits=study.orbits[name],
            ax=axes[key],
            ylabel=label,
            xlabel="rate of adaptation α",
        )
        _named(axes[key], f"({key}) {words} in turn")
    _multipliers(axes["c"], study.multipliers)
    _ends(axes["d"], study.ends)
    return drawn


def _named(ax: Axes, words: str) -> None:
    ax.text(0.02, 0.98, words, transform=ax.transAxes, va="top", fontsize=9)


def _titled(ax: Axes, words: str) -> None:
    ax.set_title(words, fontsize=9, loc="left")


def _multipliers(ax: Axes, multipliers: dict[int, np.ndarray]) -> None:
    ax.axhline(1.0, color="0.6", lw=0.8, ls=":", zorder=0)
    ax.axhline(0.9, color="0.6", lw=0.8, zorder=0)
    kinds = (("real, > 0", "^", "#1f7a45"), ("real, < 0", "o", "#1b6ca8"), ("complex", "D", "#7570b3"))
    for M, values in multipliers.items():
        real = np.abs(values.imag) <= 1e-9
        size = np.abs(values) ** (1.0 / M)
        for (_, marker, colour), chosen in zip(
            kinds, (real & (values.real > 0), real & (values.real <= 0), ~real), strict=True
        ):
            ax.plot(np.full(chosen.sum(), M), size[chosen], marker, ls="", ms=4, mfc="white", color=colour)
    for label, marker, colour in kinds:
        if label != "complex" or any((np.abs(v.imag) > 1e-9).any() for v in multipliers.values()):
            ax.plot([], [], marker, ls="", ms=4, mfc="white", color=colour, label=label)
    ax.text(1.4, 0.903, "1 + β", va="bottom", fontsize="small", color="0.3")
    ax.set(
        xlabel="period M (updates)", ylabel="|λ|^(1/M)", xticks=list(multipliers), xlim=(1.3, None), ylim=(0.6, 1.25)
    )
    ax.legend(frameon=False, fontsize="small", loc="upper left")
    _titled(ax, f"(c) the pair of (a) at α = {ALPHA}")
    ax.spines[["top", "right"]].set_visible(False)


def _ends(ax: Axes, ends: dict[tuple[str, int], bf.SpecialPoint]) -> None:
    for name, colour, style in (("in turn", "#1a1a1a", "-"), ("average", "#c2571a", "--")):
        chosen = {m: point for (each, m), point in ends.items() if each == name}
        alphas = [point.parameters["alpha"] for point in chosen.values()]
        ax.plot(list(chosen), alphas, color=colour, ls=style, lw=1.0, label=name)
        for m, end in chosen.items():
            ax.plot(m, end.parameters["alpha"], MARKS[end.kind], color=colour, mfc="white", ms=5.5)
    for kind, marker in MARKS.items():
        ax.plot([], [], marker, ls="", color="0.2", mfc="white", label={"flip": "flip"}.get(kind, "Neimark–Sacker"))
    ax.set(xlabel="number of orientations m", ylabel="α where stability is lost", ylim=(0, None))
    ax.set_xticks(sorted({m for _, m in ends}))
    ax.legend(frameon=False, fontsize="small", loc="upper right")
    _titled(ax, "(d) m orientations, π/m apart")
    ax.spines[["top", "right"]].set_visible(False)


def _rows(study: Protocols) -> Iterator[list[Any]]:
    for name, branches in study.branches.items():
        observable = response(name)
        for branch in branches:
            for point, alpha, stable in zip(branch.points, branch["alpha"], branch.stable, strict=True):
                what = f"{name}, every {branch.curve.period} periods"
                yield [what, alpha, observable(point.state), "", int(stable)]
    for M, values in study.multipliers.items():
        yield from (["multiplier", M, value.real, value.imag, ""] for value in values)
    for (name, m), end in study.ends.items():
        yield [f"end of stability, {name}", m, end.parameters["alpha"], end.label, ""]


def _write(study: Protocols) -> None:
    with study.csv.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["what", "x", "value", "imaginary part or kind", "stable"])
        table.writerows(_rows(study))


def _print(study: Protocols) -> None:
    print(f"\nprotocols: {', '.join(str(path) for path in (study.png, study.pdf, study.csv))}")
    for name, branches in study.branches.items():
        for branch in branches:
            for point in branch.special:
                print(f"{name}, every {branch.curve.period} periods: {point}")
    for M, values in study.multipliers.items():
        leading = ", ".join(f"{value:.6g}" for value in values[:3])
        print(f"period {M}: leading multipliers {leading}; trivial {0.9**M:.6g}")
    for (name, m), point in study.ends.items():
        alpha, error = point.parameters["alpha"], point.errors["parameter"]
        print(f"{m} orientations, {name}: {point.label} at alpha = {alpha:.10f} ± {error:.0e}, {point.form}")
