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

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import BLACK, BLUE, FIGURES, ORANGE, VIOLET, Files, Table, finish_axes, new_figure, publish
from studies.ring import N, network
from studies.run_settings import study

ALPHA, BETA = 0.1, -0.01
CONTRASTS = (0.2, 1.0)  # of random stimuli
STIMULI = 3
SIZES = np.logspace(-4, -1.5, 11)  # of ellipses
REAL = 1e-9  # a multiplier with a smaller imaginary part is drawn as real: pairs have 1e-4 and more
LOOPS = (
    ("weights W, Euclidean", ORANGE, "o"),
    ("three stimuli, diag(R¹, R², R³)", VIOLET, "s"),
    ("y = W r/n, Euclidean", BLUE, "^"),
    ("y = W r/n, diag(R)", BLACK, "D"),
)


@dataclass(frozen=True)
class Settings:
    """How much is searched.

    Attributes
    ----------
    tries : int
        Random draws for every number of stimuli.
    most : int
        Largest number of stimuli.
    """

    tries: int
    most: int


FULL = Settings(tries=60, most=5)
QUICK = Settings(tries=26, most=STIMULI)


@dataclass(frozen=True, eq=False)
class NotGradient:
    """What was found, and where it was written.

    Attributes
    ----------
    searches : dict of int to SearchResult
        By the number of stimuli.
    pair : ComplexPair
        The widest under three stimuli.
    circulations : dict of str to tuple of Loop
        By what is drawn in (c), one for each radius.
    files : Files
    """

    searches: dict[int, bf.gradient.SearchResult]
    pair: bf.gradient.ComplexPair
    circulations: dict[str, tuple[bf.gradient.Loop, ...]]
    files: Files


def presentation(rng: np.random.Generator, stimuli: int) -> bf.adaptation.StimulationSchedule:
    """The network under the average of random stimuli."""
    contrast, orientation = rng.uniform(*CONTRASTS, stimuli), rng.uniform(0.0, np.pi, stimuli)
    shown = list(zip(contrast.tolist(), orientation.tolist(), strict=True))
    return bf.adaptation.average(network(alpha=ALPHA, beta=BETA), shown)


def draw_for(stimuli: int) -> Callable[[np.random.Generator], tuple[bf.Map, np.ndarray]]:
    """What the search draws."""

    def draw(rng: np.random.Generator) -> tuple[bf.Map, np.ndarray]:
        shown = presentation(rng, stimuli)
        return shown.reduced, shown.project(shown.network.initial)

    return draw


def circulations(pair: bf.gradient.ComplexPair, several: bf.adaptation.StimulationSchedule) -> dict[str, Any]:
    """(c): by what is drawn, the circulations around ellipses of all sizes."""
    net = network(alpha=ALPHA, beta=BETA)
    shown = bf.gradient.asymmetry(net.update, net.initial)  # two directions that do not commute, from random probes
    W, U, V = net.initial, shown.u, shown.v
    jacobian = several.reduced.jacobian
    assert jacobian is not None
    A = np.asarray(jacobian(pair.state, **several.parameters))
    values, vectors = np.linalg.eig(A)
    vector = vectors[:, np.argmin(np.abs(values - pair.multiplier))].reshape(pair.state.shape)
    y, u, v = (net.project(X) for X in (W, U, V))

    def around(map: bf.Map, c: np.ndarray, a: np.ndarray, b: np.ndarray, metric: Any = None) -> Any:
        ellipses = [bf.gradient.Ellipse(c, size * a, size * b) for size in SIZES]
        return tuple(bf.gradient.circulation(map, each, metric) for each in ellipses)

    loops = (
        around(net.update, W, U, V),
        around(several.reduced, pair.state, vector.real, vector.imag, lambda Y: several.reduced_response(Y)),
        around(net.reduced, y, u, v),
        around(net.reduced, y, u, v, net.response),
    )
    return dict(zip([name for name, *_ in LOOPS], loops, strict=True))


@study
def run(out: Path = FIGURES, quick: bool = False) -> NotGradient:
    """Search, certify, integrate, draw."""
    settings = QUICK if quick else FULL
    searches = {m: bf.gradient.search(draw_for(m), tries=settings.tries) for m in range(1, settings.most + 1)}
    found = searches[STIMULI]
    assert found.best is not None and found.number is not None
    pair = found.best.certificate
    assert isinstance(pair, bf.gradient.ComplexPair)
    several = presentation(np.random.default_rng([0, found.number]), STIMULI)
    study = NotGradient(searches, pair, circulations(pair, several), Files("not_gradient", out))
    publish(study.files, lambda: _draw(study, settings.tries), Table(["what", "x", "value", "error"], _rows(study)))
    _print(study)
    return study


def _draw(study: NotGradient, tries: int) -> Figure:
    drawn = new_figure(
        "Where the update is no gradient",
        f"{N} neurons; baseline of contrast 0.8 at 0°; α = 0.1, β = −0.01, σ = 1/6, b = 0.05.\n"
        f"(a), (b): the average of random stimuli, {tries} draws for each number of them. (c): stimulus at 90°.",
        (6.4, 6.6),
    )
    axes = drawn.subplot_mosaic("aa;bc", height_ratios=[1.0, 1.15])
    _draw_multipliers(axes["a"], study.pair)
    _draw_shares(axes["b"], study.searches)
    _draw_circulations(axes["c"], study.circulations)
    return drawn


def _power(value: float) -> str:
    """A positive number to one digit, with its power of ten typeset."""
    digit, exponent = f"{value:.0e}".split("e")
    return rf"${digit}\times 10^{{{int(exponent)}}}$"


def _draw_multipliers(ax: Axes, pair: bf.gradient.ComplexPair) -> None:
    values = pair.multipliers
    real = np.abs(values.imag) <= REAL
    ax.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    ax.axvline(1.0, color="0.6", lw=0.8, ls=":", zorder=0)
    ax.text(
        1.005, 0.02, "unit circle", rotation=90, fontsize="x-small", color="0.4", transform=ax.get_xaxis_transform()
    )
    ax.plot(values.real[real], 1e3 * values.imag[real], "o", mfc="white", color="0.2", ms=4.5, label="real")
    ax.plot(values.real[~real], 1e3 * values.imag[~real], "D", color=ORANGE, ms=5.5, label="complex")
    ax.annotate(
        f"{pair.multiplier.real:.6f} ± {pair.multiplier.imag:.6f} i\n(each within {_power(pair.error)})",
        (pair.multiplier.real, 1e3 * pair.multiplier.imag),
        xytext=(-12, -4),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize="small",
    )
    ax.set(xlabel="real part of the multipliers", ylabel="imaginary part × 10³")
    ax.margins(y=0.25)
    ax.legend(frameon=False, fontsize="small", loc="lower left")
    finish_axes(ax, f"(a) {STIMULI} stimuli, {len(values)} unknowns, at the equilibrium")


def _draw_shares(ax: Axes, searches: dict[int, bf.gradient.SearchResult]) -> None:
    number = np.array(list(searches))
    share = np.array([found.refuted / found.solved for found in searches.values()])
    # Wilson's interval of confidence 68 %, which 0 of few has, too (J. Amer. Statist. Assoc. 22 (1927) 209).
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
    finish_axes(ax, "(b) share, with Wilson's 68 % intervals")


def _draw_circulations(ax: Axes, loops: dict[str, tuple[bf.gradient.Loop, ...]]) -> None:
    for name, colour, marker in LOOPS:
        clear = np.array([loop.significant for loop in loops[name]])
        value = np.array([abs(loop.value) for loop in loops[name]])
        error = np.array([loop.error for loop in loops[name]])
        if clear.any():
            ax.loglog(SIZES[clear], value[clear], marker, ms=3.5, ls="-", lw=0.8, color=colour, label=name)
        else:
            ax.loglog(SIZES, error, "_", ms=6, ls="", color=colour, label=f"{name}: 0, with this error")
    ax.loglog(SIZES, 3e-2 * SIZES**2, ls=":", color="0.4", lw=1.0, label="∝ size²")
    ax.set(xlabel="size of the ellipse", ylabel="circulation |∮ M G·dx|", ylim=(1e-21, 1e1))
    ax.legend(frameon=False, fontsize="x-small", loc="upper left", borderaxespad=0.1)
    finish_axes(ax, "(c) around ellipses")


def _rows(study: NotGradient) -> Iterator[list[Any]]:
    for value in study.pair.multipliers:
        yield ["multiplier", value.real, value.imag, ""]
    for m, found in study.searches.items():
        yield [f"complex pairs in {found.solved} equilibria", m, found.refuted, ""]
    for name, loops in study.circulations.items():
        yield from ([name, size, loop.value, loop.error] for size, loop in zip(SIZES, loops, strict=True))


def _print(study: NotGradient) -> None:
    for m, found in study.searches.items():
        print(f"{m} stimuli: {str(found).splitlines()[0]}")
    print(study.pair)
    if study.pair.lyapunov is not None:
        print(f"V decreases up to the level {study.pair.lyapunov.level:.3g}, as far as was sampled")
    for name, loops in study.circulations.items():
        print(f"{name}: circulation {loops[-1].value:.6g} ± {loops[-1].error:.1e} at size {SIZES[-1]:.3g}")
