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

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from bifurcate.adaptation import StimulationSchedule, average, periodic, protocols
from studies.cascade import Sampling, trace_doublings
from studies.report import BLACK, BLUE, FIGURES, GREEN, LAVENDER, ORANGE, Files, Table, finish_axes, new_figure, publish
from studies.ring import N, network
from studies.run_settings import study

CONTRAST, ALPHA = 0.8, 0.145
DECAY = 0.9  # 1 + β: what the weights' part that no stimulus sees is multiplied with in an update
ANGLES = {"unequal": (np.pi / 2, 3 * np.pi / 4), "mirrored": (3 * np.pi / 8, 5 * np.pi / 8)}
BOUNDS = {"unequal": (0.14, 0.215), "mirrored": (0.31, 0.352)}
OBSERVED = {"unequal": (1, 1), "mirrored": (0, 0)}  # stimulus and neuron: where the first instability shows
MARKS = {"flip": "o", "neimark-sacker": "D"}
SIGNS = (("real, > 0", "^", GREEN), ("real, < 0", "o", BLUE), ("complex", "D", LAVENDER))  # of multipliers
REAL = 1e-9  # a multiplier with a smaller imaginary part is drawn as real
ENDS_FROM, ENDS_TO, ONE_ENDS_TO = 0.05, 0.3, 0.7  # α in (d), and its upper end for a single orientation


@dataclass(frozen=True)
class Settings:
    """How much is computed.

    Attributes
    ----------
    sampling : Sampling
        In (a) and (b).
    dwells : int
        Up to how many updates each stimulus is presented in (c).
    orientations : int
        Up to how many in (d).
    """

    sampling: Sampling
    dwells: int
    orientations: int


FULL = Settings(Sampling(longest=2, values=113, transient=500, samples=40), dwells=6, orientations=5)
QUICK = Settings(Sampling(longest=2, values=25, transient=300, samples=16), dwells=3, orientations=3)


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
    files : Files
    """

    branches: dict[str, tuple[bf.Branch, ...]]
    orbits: dict[str, bf.OrbitDiagram]
    multipliers: dict[int, np.ndarray]
    ends: dict[tuple[str, int], bf.SpecialPoint]
    files: Files


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


def cascade(name: str, sampling: Sampling) -> tuple[tuple[bf.Branch, ...], bf.OrbitDiagram]:
    """(a), (b): branches, and orbits from W₀ = 1."""
    bounds = BOUNDS[name]
    shown = alternating(ANGLES[name], bounds[0])
    branches = trace_doublings(regime(shown, bounds), bounds, sampling.longest)
    orbits = bf.orbit_diagram(
        shown.reduced,
        "alpha",
        np.linspace(*bounds, sampling.values),
        shown.project(shown.network.initial),
        response(name),
        transient=sampling.transient,
        samples=sampling.samples,
    )
    return branches, orbits


def first_end(shown: StimulationSchedule, bounds: tuple[float, float]) -> bf.SpecialPoint:
    """Where the regime first loses its stability."""
    branch = regime(shown, bounds)
    assert branch.stable[0]
    return branch.special[0]


def composed_multipliers(dwell: int) -> np.ndarray:
    """(c): all multipliers of the map composed over a period, by falling modulus."""
    shown = alternating(ANGLES["unequal"], ALPHA, dwell)
    jacobian = shown.reduced.jacobian
    assert jacobian is not None
    values = np.linalg.eigvals(np.asarray(jacobian(shown.reduced_equilibrium(), **shown.parameters)))
    return np.asarray(values[np.argsort(-np.abs(values))])


@study
def run(out: Path = FIGURES, quick: bool = False) -> Protocols:
    """Continue, simulate, draw."""
    settings = QUICK if quick else FULL
    branches, orbits = {}, {}
    for name in ANGLES:
        branches[name], orbits[name] = cascade(name, settings.sampling)
    multipliers = {2 * dwell: composed_multipliers(dwell) for dwell in range(1, settings.dwells + 1)}
    ends = {}
    for m in range(1, settings.orientations + 1):
        evenly = [(CONTRAST, np.pi / 2 + np.pi * j / m) for j in range(m)]
        bounds = (ENDS_FROM, ONE_ENDS_TO if m == 1 else ENDS_TO)
        for name, make in (("in turn", periodic), ("average", average)):
            ends[name, m] = first_end(make(network(alpha=bounds[0]), evenly), bounds)
    study = Protocols(branches, orbits, multipliers, ends, Files("protocols", out))
    columns = ["what", "x", "value", "imaginary part or kind", "stable"]
    publish(study.files, lambda: _draw(study), Table(columns, _rows(study)))
    _print(study)
    return study


def _draw(study: Protocols) -> Figure:
    drawn = new_figure(
        "Stimuli in turn: flips, and Neimark–Sacker points",
        f"{N} neurons; baseline of contrast 0.8 at 0°, stimuli of contrast 0.8; β = −0.1, σ = 1/6, b = 0.05.\n"
        "Grey: simulated orbits of the same maps from W₀ = 1, one point a period. In (b) they end on far cycles,\n"
        "which coexist with the stable regime a little below the point, and with the small circle born at it.\n"
        "(d): dots lead the eye between integers.",
        (6.4, 9.0),
    )
    axes = drawn.subplot_mosaic("aa;bb;cd")
    for key, name, words in (("a", "unequal", "90° and 135°"), ("b", "mirrored", "67.5° and 112.5°")):
        stimulus, neuron = OBSERVED[name]
        shown = f"{np.rad2deg(ANGLES[name][stimulus]):g}°"
        bf.plot.diagram(
            study.branches[name],
            "alpha",
            response(name),
            orbits=study.orbits[name],
            ax=axes[key],
            ylabel=f"R of neuron {180 * neuron / N:g}° at {shown}",
            xlabel="rate of adaptation α",
        )
        axes[key].text(0.02, 0.98, f"({key}) {words} in turn", transform=axes[key].transAxes, va="top", fontsize=9)
    _draw_multipliers(axes["c"], study.multipliers)
    _draw_ends(axes["d"], study.ends)
    return drawn


def _draw_multipliers(ax: Axes, multipliers: dict[int, np.ndarray]) -> None:
    ax.axhline(1.0, color="0.6", lw=0.8, ls=":", zorder=0)
    ax.axhline(DECAY, color="0.6", lw=0.8, zorder=0)
    for M, values in multipliers.items():
        real = np.abs(values.imag) <= REAL
        size = np.abs(values) ** (1.0 / M)
        for (_, marker, colour), chosen in zip(
            SIGNS, (real & (values.real > 0), real & (values.real <= 0), ~real), strict=True
        ):
            ax.plot(np.full(chosen.sum(), M), size[chosen], marker, ls="", ms=4, mfc="white", color=colour)
    for label, marker, colour in SIGNS:
        if label != "complex" or any((np.abs(v.imag) > REAL).any() for v in multipliers.values()):
            ax.plot([], [], marker, ls="", ms=4, mfc="white", color=colour, label=label)
    ax.text(3.0, DECAY + 0.003, "1 + β", va="bottom", ha="center", fontsize="small", color="0.3")  # between columns
    ax.set(
        xlabel="period M (updates)",
        ylabel=r"$|\lambda|^{1/M}$",
        xticks=list(multipliers),
        xlim=(1.3, None),
        ylim=(0.0, 1.4),
    )
    ax.legend(frameon=False, fontsize="small", loc="upper left")
    finish_axes(ax, f"(c) the pair of (a) at α = {ALPHA}")


def _draw_ends(ax: Axes, ends: dict[tuple[str, int], bf.SpecialPoint]) -> None:
    for name, colour, face in (("in turn", BLACK, ""), ("average", ORANGE, "white")):
        chosen = {m: point for (each, m), point in ends.items() if each == name}
        alphas = [point.parameters["alpha"] for point in chosen.values()]
        # Numbers of orientations are integers: thin dots lead the eye, and no value lies between.
        ax.plot(list(chosen), alphas, color=colour, ls=(0, (1, 3)), lw=0.7)
        ax.plot([], [], color=colour, ls="", marker=MARKS["flip"], mfc=face or colour, ms=5.5, label=name)
        for m, end in chosen.items():
            ax.plot(m, end.parameters["alpha"], MARKS[end.kind], color=colour, mfc=face or colour, ms=5.5)
    for kind, marker in MARKS.items():
        ax.plot([], [], marker, ls="", color="0.2", mfc="white", label={"flip": "flip"}.get(kind, "Neimark–Sacker"))
    ax.set(xlabel="number of orientations m", ylabel="α where stability is lost", ylim=(0, None))
    ax.set_xticks(sorted({m for _, m in ends}))
    ax.legend(frameon=False, fontsize="small", loc="upper right")
    finish_axes(ax, "(d) m orientations, π/m apart")


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


def _print(study: Protocols) -> None:
    for name, branches in study.branches.items():
        for branch in branches:
            for point in branch.special:
                print(f"{name}, every {branch.curve.period} periods: {point}")
    for M, values in study.multipliers.items():
        leading = ", ".join(f"{value:.6g}" for value in values[:3])
        print(f"period {M}: leading multipliers {leading}; trivial {DECAY**M:.6g}")
    for (name, m), point in study.ends.items():
        alpha, error = point.parameters["alpha"], point.errors["parameter"]
        print(f"{m} orientations, {name}: {point.label} at alpha = {alpha:.10f} ± {error:.0e}, {point.form}")
