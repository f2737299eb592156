"""Where the update is no gradient: complex multipliers under several stimuli, and circulations that do not vanish.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), α = 0.1, β = −0.01, σ = 1/6, b = 0.05.

(a) Averaged over three stimuli, drawn at random, the update of Y = W [r¹ r² r³]/n has a complex pair of multipliers at
its equilibrium: the draw whose pair lies farthest from the real axis. Energies with a metric that is continuous and
positive definite there would make all multipliers real, so that there is none. The equilibrium is stable all the same,
and has a quadratic Lyapunov function: the rule settles, but not down any such energy's gradient.

(b) How often that happens: contrasts uniform in [0.2, 1], orientations in [0, π], by the number of stimuli. Never with
one, for which there is an energy; with two already.

(c) One stimulus. The circulation of the update around ellipses in the weights, about W₀ = 1, grows like their area: no
Euclidean gradient. Its image in y = W r/n does not have one either; with the metric diag(R) it vanishes to rounding.
Three stimuli with the metric that would generalise this, diag(R¹, R², R³): it does not vanish.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import DPI, FIGURES, STYLE, N, network

STIMULI = 3
RADII = np.logspace(-4, -1.5, 11)
LOOPS = (
    ("weights W, Euclidean", "#c2571a", "o"),
    ("three stimuli, diag(R¹, R², R³)", "#5f3a96", "s"),
    ("y = W r/n, Euclidean", "#1b6ca8", "^"),
    ("y = W r/n, diag(R)", "#1a1a1a", "D"),
)


@dataclass(frozen=True, eq=False)
class NotGradient:
    """What was found, and where it was written.

    Attributes
    ----------
    searches : dict of int to Search
        By the number of stimuli.
    pair : Pair
        The widest under three stimuli.
    circulations : dict of str to tuple of Loop
        By what is drawn in (c), one for each radius.
    png, pdf, csv : Path
    """

    searches: dict[int, bf.gradient.SearchResult]
    pair: bf.gradient.ComplexPair
    circulations: dict[str, tuple[bf.gradient.Loop, ...]]
    png: Path
    pdf: Path
    csv: Path


def presentation(rng: np.random.Generator, stimuli: int) -> bf.adaptation.StimulationSchedule:
    """The network under the average of random stimuli."""
    contrast, orientation = rng.uniform(0.2, 1.0, stimuli), rng.uniform(0.0, np.pi, stimuli)
    shown = list(zip(contrast.tolist(), orientation.tolist(), strict=True))
    return bf.adaptation.average(network(alpha=0.1, beta=-0.01), shown)


def draw_for(stimuli: int) -> Callable[[np.random.Generator], tuple[bf.Map, np.ndarray]]:
    """What the search draws."""

    def draw(rng: np.random.Generator) -> tuple[bf.Map, np.ndarray]:
        shown = presentation(rng, stimuli)
        return shown.reduced, shown.project(shown.network.initial)

    return draw


def circulations(pair: bf.gradient.ComplexPair, several: bf.adaptation.StimulationSchedule) -> dict[str, Any]:
    """(c)."""
    net = network(alpha=0.1, beta=-0.01)
    shown = bf.gradient.asymmetry(net.update, net.initial)  # two directions that do not commute, from random probes
    W, U, V = net.initial, shown.u, shown.v
    A = several.reduced.jacobian(pair.state, **several.parameters)  # type: ignore[misc]
    values, vectors = np.linalg.eig(A)
    vector = vectors[:, np.argmin(np.abs(values - pair.multiplier))].reshape(pair.state.shape)
    y, u, v = (net.project(X) for X in (W, U, V))

    def around(map: bf.Map, c: np.ndarray, a: np.ndarray, b: np.ndarray, metric: Any = None) -> Any:
        ellipses = [bf.gradient.Ellipse(c, size * a, size * b) for size in RADII]
        return tuple(bf.gradient.circulation(map, each, metric) for each in ellipses)

    loops = (
        around(net.update, W, U, V),
        around(several.reduced, pair.state, vector.real, vector.imag, lambda Y: several.response(Y, reduced=True)),
        around(net.reduced, y, u, v),
        around(net.reduced, y, u, v, net.response),
    )
    return dict(zip([name for name, *_ in LOOPS], loops, strict=True))


def run(out: Path = FIGURES, quick: bool = False) -> NotGradient:
    """Search, certify, integrate, draw."""
    tries, most = (26, STIMULI) if quick else (60, 5)
    searches = {m: bf.gradient.search(draw_for(m), tries) for m in range(1, most + 1)}
    found = searches[STIMULI]
    assert found.best is not None and found.number is not None
    pair = found.best.certificate
    assert isinstance(pair, bf.gradient.ComplexPair)
    several = presentation(np.random.default_rng([0, found.number]), STIMULI)
    loops = circulations(pair, several)

    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(6.4, 6.6), layout="constrained")
        drawn.suptitle("Where the update is no gradient", x=0.01, ha="left", fontsize=11)
        drawn.supxlabel(
            f"{N} neurons; baseline of contrast 0.8 at 0°; α = 0.1, β = −0.01, σ = 1/6, b = 0.05.\n"
            f"(a), (b): the average of random stimuli, {tries} draws for each number of them. (c): stimulus at 90°.",
            x=0.01, ha="left", fontsize=8, color="0.3",
        )  # fmt: skip
        axes = drawn.subplot_mosaic("aa;bc", height_ratios=[1.0, 1.15])
        _spectrum(axes["a"], pair)
        _shares(axes["b"], searches)
        _circulations(axes["c"], loops)
        out.mkdir(parents=True, exist_ok=True)
        study = NotGradient(searches, pair, loops, *(out / f"not_gradient.{end}" for end in ("png", "pdf", "csv")))
        drawn.savefig(study.png, dpi=DPI)
        drawn.savefig(study.pdf, dpi=DPI, metadata={"CreationDate": None})
    _write(study)
    _print(study)
    return study


def _spectrum(ax: Axes, pair: bf.gradient.ComplexPair) -> None:
    values = pair.multipliers
    real = np.abs(values.imag) <= 1e-9
    ax.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    ax.axvline(1.0, color="0.6", lw=0.8, ls=":", zorder=0)
    ax.text(
        1.005, 0.02, "unit circle", rotation=90, fontsize="x-small", color="0.4", transform=ax.get_xaxis_transform()
    )
    ax.plot(values.real[real], 1e3 * values.imag[real], "o", mfc="white", color="0.2", ms=4.5, label="real")
    ax.plot(values.real[~real], 1e3 * values.imag[~real], "D", color="#c2571a", ms=5.5, label="complex")
    ax.annotate(
        f"{pair.multiplier.real:.6f} ± {pair.multiplier.imag:.6f} i\n(each within {pair.error:.0e})",
        (pair.multiplier.real, 1e3 * pair.multiplier.imag),
        xytext=(-12, -4), textcoords="offset points", ha="right", va="top", fontsize="small",
    )  # fmt: skip
    ax.set(xlabel="real part of the multipliers", ylabel="imaginary part × 10³")
    ax.set_title(f"(a) {STIMULI} stimuli, {len(values)} unknowns, at the equilibrium", fontsize=9, loc="left")
    ax.margins(y=0.25)
    ax.legend(frameon=False, fontsize="small", loc="lower left")
    ax.spines[["top", "right"]].set_visible(False)


def _shares(ax: Axes, searches: dict[int, bf.gradient.SearchResult]) -> None:
    number = np.array(list(searches))
    share = np.array([found.refuted / found.solved for found in searches.values()])
    # Wilson's interval of one standard error, which 0 of few has, too (J. Amer. Statist. Assoc. 22 (1927) 209).
    solved = np.array([found.solved for found in searches.values()])
    centre = (share + 0.5 / solved) / (1.0 + 1.0 / solved)
    half = np.sqrt(share * (1.0 - share) / solved + 0.25 / solved**2) / (1.0 + 1.0 / solved)
    spread = np.array([share - (centre - half), centre + half - share])
    ax.bar(number, share, color="0.8", edgecolor="0.2", width=0.65)
    ax.errorbar(number, share, spread, fmt="none", ecolor="0.2", capsize=3, lw=1)
    for m, top, found in zip(number, share + spread[1], searches.values(), strict=True):
        ax.text(m, top + 0.015, f"{found.refuted}/{found.solved}", ha="center", fontsize="small", color="0.3")
    ax.set(xlabel="number of stimuli averaged", ylabel="share of equilibria with a complex pair", xticks=number)
    ax.set_ylim(0.0, 1.15 * max(0.1, float((share + spread[1]).max())))
    ax.set_title("(b) share, ± one standard error", fontsize=9, loc="left")
    ax.spines[["top", "right"]].set_visible(False)


def _circulations(ax: Axes, loops: dict[str, tuple[bf.gradient.Loop, ...]]) -> None:
    for name, colour, marker in LOOPS:
        clear = np.array([loop.significant for loop in loops[name]])
        value = np.array([abs(loop.value) for loop in loops[name]])
        error = np.array([loop.error for loop in loops[name]])
        if clear.any():
            ax.loglog(RADII[clear], value[clear], marker, ms=3.5, ls="-", lw=0.8, color=colour, label=name)
        else:
            ax.loglog(RADII, error, "_", ms=6, ls="", color=colour, label=f"{name}: 0 to within")
    ax.loglog(RADII, 3e-2 * RADII**2, ls=":", color="0.4", lw=1.0, label="∝ size²")
    ax.set(xlabel="size of the ellipse", ylabel="circulation |∮ M G·dx|", ylim=(1e-21, 1e1))
    ax.set_title("(c) around ellipses", fontsize=9, loc="left")
    ax.legend(frameon=False, fontsize="x-small", loc="upper left", borderaxespad=0.1)
    ax.spines[["top", "right"]].set_visible(False)


def _write(study: NotGradient) -> None:
    with study.csv.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["what", "x", "value", "error"])
        for value in study.pair.multipliers:
            table.writerow(["multiplier", value.real, value.imag, ""])
        for m, found in study.searches.items():
            table.writerow([f"complex pairs in {found.solved} equilibria", m, found.refuted, ""])
        for name, loops in study.circulations.items():
            table.writerows([name, size, loop.value, loop.error] for size, loop in zip(RADII, loops, strict=True))


def _print(study: NotGradient) -> None:
    print(f"\nnot_gradient: {', '.join(str(path) for path in (study.png, study.pdf, study.csv))}")
    for m, found in study.searches.items():
        print(f"{m} stimuli: {str(found).splitlines()[0]}")
    print(study.pair)
    if study.pair.lyapunov is not None:
        print(f"V decreases up to the level {study.pair.lyapunov.level:.3g}, as far as was sampled")
    for name, loops in study.circulations.items():
        print(f"{name}: circulation {loops[-1].value:.6g} ± {loops[-1].error:.1e} at size {RADII[-1]:.3g}")
