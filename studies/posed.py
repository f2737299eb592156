"""The box of the question as it was posed: α, β and b in [0, 1], weights from W₀ = 1. Where do weights come to rest?

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0); stimuli of one, two or three components.

β > 0: nowhere. Let v be orthogonal to R₀: then vᵀW⁺v = (1+β) vᵀWv + α (v·R)², whatever is presented, so that vᵀWv grows
like (1+β)^t from its start (v·1)² on, which is positive for some v unless the baseline drives all neurons equally
(settling.bounded). Outputs may settle all the same, up to the fold of their equilibrium, at one β/α, and the flip.
β = 0: for one constant stimulus the responses at rest are R₀ whatever is presented, and weights come to rest for

    α < α*(b, σ, stimulus) = 2n/μ_max,     μ_max the largest eigenvalue of (R₀·r) diag(R₀²/r) + R₀ (R₀²)ᵀ.

That is local: from W₀ an orbit may end elsewhere (test_an_orbit_can_leave_where_its_equilibrium_is_stable), and the
certificate says where it does not.

(a) α* against b for stimuli of one, two and three components and two σ: exact curves, and the fates of orbits from W₀
at 0.5, 0.97 and 1.03 α*. (b) The plane β = 0: fates of orbits in (α, b), over α*. (c) The plane b = 0.5 in α and β > 0:
where outputs settle, between the exact fold and flip. (d) How β → 0 is approached: updates until the weights have left
the point where they come to rest at β = 0 by as much as it is away from W₀, against the bound, which grows like 1/β.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import bifurcate as bf
from studies.report import (
    BLACK,
    BLUE,
    FIGURES,
    ORANGE,
    Files,
    Table,
    finish_axes,
    legend_title,
    name_axes,
    new_figure,
    publish,
)
from studies.ring import BASELINE, N

STIMULI: dict[str, tuple[Any, Any]] = {
    "1 component": (0.8, np.pi / 2),
    "2 components": ([0.5, 0.5], [np.pi / 2, np.pi / 4]),
    "3 components": ([0.4, 0.4, 0.4], [np.pi / 2, np.pi / 4, 3 * np.pi / 4]),
}
SIGMAS = (1 / 6, 0.5)
SIGMA, STIMULUS, B = 1 / 6, "1 component", 0.5  # of (b) to (d)
BESIDE = (0.5, 0.97, 1.03)  # parts of α* at which orbits are followed in (a)
GROWTH = 0.6  # the largest β of (c), as a part of that at which the branch of equilibria ends at α = 1
SLOW_ALPHA = 0.1  # of (d)
FAINT = 1e-4  # the least β of (d)
AT_REST = 1e-13  # largest move of a weight at which the weights of (d) count as at rest: rounding of weights of 1

COLOURS_OF_STIMULI, MARKS_OF_STIMULI = (BLACK, ORANGE, BLUE), ("o", "s", "^")
COLOURS = {
    "weights and outputs rest": "#e8f0d8",
    "outputs rest, weights diverge": "#d9d28a",
    "outputs cycle or are chaotic": "#8fb3d1",
    "outputs diverge or cross a pole": "#b8624a",
    "undecided": "#333333",
}


@dataclass(frozen=True)
class Settings:
    """How much is computed.

    Attributes
    ----------
    curve : int
        Values of b on the curves of (a).
    tested : int
        Values of b at which orbits are followed in (a).
    cells : int
        Cells a side in (b) and (c).
    updates : int
        Of every orbit, at the most.
    rates : int
        Values of β in (d).
    """

    curve: int
    tested: int
    cells: int
    updates: int
    rates: int


FULL = Settings(curve=101, tested=5, cells=16, updates=200_000, rates=13)
QUICK = Settings(curve=21, tested=2, cells=3, updates=3000, rates=3)


@dataclass(frozen=True, eq=False)
class Posed:
    """What was found, and where it was written.

    Attributes
    ----------
    b : ndarray, shape (curve,)
    limits : dict of (str, float) to ndarray
        α* against b, by stimulus and σ.
    tested : list of (str, float, float, float, bool)
        Stimulus, σ, b, α/α* and whether the weights of the orbit came to rest.
    proved : int
        How many of the orbits tested below α* are certified to settle.
    box, growth : ndarray of str, shape (cells, cells)
        What is seen in (b), rows by b, and in (c), rows by β.
    centres, beta : ndarray, shape (cells,)
        Of the cells: α in (b) and (c), and b in (b); β in (c).
    fold, flip : float, ndarray
        β/α at the fold, and the α of the flip at every β of (c).
    rates, left, bound : ndarray
        (d): β, the update at which weights have left, and the one by which they must have.
    files : Files
    """

    b: np.ndarray
    limits: dict[tuple[str, float], np.ndarray]
    tested: list[tuple[str, float, float, float, bool]]
    proved: int
    box: np.ndarray
    growth: np.ndarray
    centres: np.ndarray
    beta: np.ndarray
    fold: float
    flip: np.ndarray
    rates: np.ndarray
    left: np.ndarray
    bound: np.ndarray
    files: Files


def posed(stimulus: str, *, alpha: float, beta: float, b: float, sigma: float = SIGMA) -> bf.adaptation.Network:
    """The network as posed."""
    return bf.adaptation.literal(N, BASELINE, STIMULI[stimulus], alpha=alpha, beta=beta, b=b, sigma=sigma)


def critical_alpha(stimulus: str, b: float, sigma: float) -> float:
    """α* = 2n/μ_max at β = 0, from the least multiplier 1 − α μ_max/n at α = 1."""
    net = posed(stimulus, alpha=1.0, beta=0.0, b=b, sigma=sigma)
    least = float(bf.multipliers(net.reduced, net.reduced_equilibrium()).values.real.min())
    return 2.0 / (1.0 - least)


def seen(net: bf.adaptation.Network, updates: int) -> str:
    """The fate of the orbit from W₀, in the words of the charts."""
    fate = net.outcome(longest=updates).fate
    if fate.kind == "settles":
        return "weights and outputs rest" if fate.weights_settle else "outputs rest, weights diverge"
    if fate.kind in ("cycle", "chaos"):
        return "outputs cycle or are chaotic"
    return "undecided" if fate.kind == "undecided" else "outputs diverge or cross a pole"


def _at(stimulus: str, share: float, b: float, sigma: float) -> bf.adaptation.Network:
    """The network at β = 0 and that part of α*, wherever that is: α may lie outside the box."""
    alpha = share * critical_alpha(stimulus, b, sigma)
    return bf.adaptation.ring(N, BASELINE, STIMULI[stimulus], alpha=alpha, beta=0.0, b=b, sigma=sigma)


def leaving(beta: float, resting: np.ndarray) -> tuple[int, int]:
    """(d): when the weights have left their rest at β = 0 by its distance from W₀, and when they must have."""
    net = posed(STIMULUS, alpha=SLOW_ALPHA, beta=beta, b=B)
    away = float(np.linalg.norm(resting - net.initial))
    growth = bf.adaptation.settling.bounded(net)
    v = growth.direction
    must = int(np.ceil(np.log((away + v @ resting @ v) / growth.growth) / np.log1p(beta)))
    W, before, t = np.array(net.initial), np.inf, 0
    while t < must:
        distance = float(np.linalg.norm(W - resting))
        if distance > away and distance > before:
            break
        before, W, t = distance, net.update(W), t + 1
    return t, must


def rest_from_start() -> np.ndarray:
    """(d): the point of the manifold at which the orbit from W₀ comes to rest at β = 0, by iteration."""
    net = posed(STIMULUS, alpha=SLOW_ALPHA, beta=0.0, b=B)
    W, moved = np.array(net.initial), np.inf
    while moved > AT_REST:
        after = net.update(W)
        W, moved = after, float(np.abs(after - W).max())
    return W


def run(out: Path = FIGURES, quick: bool = False) -> Posed:
    """Compute, follow, draw."""
    settings = QUICK if quick else FULL
    b = np.linspace(0.0, 1.0, settings.curve)
    limits = {
        (name, sigma): np.array([critical_alpha(name, each, sigma) for each in b.tolist()])
        for name in STIMULI
        for sigma in SIGMAS
    }
    fates = {
        (name, sigma, each, share): _at(name, share, each, sigma).outcome(longest=settings.updates).fate
        for name in STIMULI
        for sigma in SIGMAS
        for each in np.linspace(0.05, 0.95, settings.tested).tolist()
        for share in BESIDE
    }
    centres = (np.arange(settings.cells) + 0.5) / settings.cells
    ratio = bf.adaptation.last_beta(posed(STIMULUS, alpha=1.0, beta=0.0, b=B), 1.0)
    beta = GROWTH * ratio * centres
    box = [[seen(posed(STIMULUS, alpha=x, beta=0.0, b=y), settings.updates) for x in centres.tolist()] for y in centres]
    growth = [[seen(posed(STIMULUS, alpha=x, beta=y, b=B), settings.updates) for x in centres.tolist()] for y in beta]
    rates = np.geomspace(FAINT, 1.0, settings.rates)
    resting = rest_from_start()
    left = np.array([leaving(each, resting) for each in rates.tolist()])
    study = Posed(
        b=b,
        limits=limits,
        tested=[(*where, fate.weights_settle) for where, fate in fates.items()],
        proved=sum(fate.proved is not None for fate in fates.values()),
        box=np.array(box),
        growth=np.array(growth),
        centres=centres,
        beta=beta,
        fold=ratio,
        flip=np.array([_flip(each) for each in beta.tolist()]),
        rates=rates,
        left=left[:, 0],
        bound=left[:, 1],
        files=Files("posed", out),
    )
    publish(
        study.files,
        lambda: _draw(study, settings.updates),
        Table(["what", "stimulus", "sigma", "x", "y", "value"], _rows(study)),
    )
    _print(study)
    return study


def _flip(beta: float) -> float:
    """The α in [0, 1] at which outputs flip at that β; NaN if there is none."""
    found = posed(STIMULUS, alpha=1.0, beta=beta, b=B).limits("alpha", (0.0, 1.0), samples=40)
    flips = [limit.value for limit in found if limit.kind == "flip"]
    return flips[0] if flips else np.nan


def _draw(study: Posed, updates: int) -> Figure:
    shares = f"{', '.join(f'{share:g}' for share in BESIDE[:-1])} and {BESIDE[-1]:g}"
    drawn = new_figure(
        "",  # the legend has the title
        f"{N} neurons, baseline of contrast 0.8 at 0°, W₀ = 1. (b) to (d): stimulus of contrast 0.8 at 90°, σ = 1/6;\n"
        f"(c), (d) b = {B:g}; (d) α = {SLOW_ALPHA:g}. Cells, and marks in (a) at {shares} of α*: orbits from W₀,\n"
        f"of at most {updates:,} updates. Lines: exact.",
        (6.9, 7.6),
    )
    axes = drawn.subplot_mosaic("ab;cd")
    _draw_limits(axes["a"], study)
    _draw_cells(axes["b"], study.centres, study.centres, study.box)
    axes["b"].plot(study.limits[STIMULUS, SIGMA], study.b, color="#0b3d91", lw=1.6)
    axes["b"].set(xlim=(0, 1), ylim=(0, 1), xlabel="rate of adaptation α", ylabel="input current b")
    name_axes(axes["b"], "(b) β = 0, and α*")
    _draw_cells(axes["c"], study.centres, study.beta, study.growth)
    top = 1.5 * study.beta[-1] - 0.5 * study.beta[-2]
    axes["c"].plot([0.0, 1.0], [0.0, study.fold], color="#7a1020", lw=1.6, ls=(0, (5, 1.5)))
    axes["c"].plot(study.flip, study.beta, color="#0b3d91", lw=1.6)
    axes["c"].set(xlim=(0, 1), ylim=(0, top), xlabel="rate of adaptation α", ylabel="growth β")
    flips = " and flip" if np.isfinite(study.flip).sum() > 1 else ""
    name_axes(axes["c"], f"(c) β > 0: fold (dashed){flips}")
    _draw_leaving(axes["d"], study)
    handles: list[Any] = [
        Patch(facecolor=colour, edgecolor="0.4", lw=0.6, label=kind)
        for kind, colour in COLOURS.items()
        if kind in study.box or kind in study.growth
    ]
    drawn.legend(
        handles=handles,
        loc="outside upper left",
        ncols=3,
        frameon=False,
        fontsize="small",
        title=legend_title("The box as it was posed: weights rest at β = 0 below α*, and nowhere at β > 0"),
        title_fontsize=11,
        alignment="left",
    )
    return drawn


def _draw_limits(ax: Axes, study: Posed) -> None:
    styles = dict(zip(STIMULI, zip(COLOURS_OF_STIMULI, MARKS_OF_STIMULI, strict=True), strict=True))
    for (name, sigma), values in study.limits.items():
        ax.plot(study.b, values, color=styles[name][0], lw=1.2, ls="-" if sigma == SIGMA else (0, (4, 1.5)))
    for name, sigma, b, share, rests in study.tested:
        at = share * np.interp(b, study.b, study.limits[name, sigma])
        colour, mark = styles[name]
        ax.plot([b], [at], mark, ms=2.8, color=colour, mfc=colour if rests else "white", mew=0.7)
    handles = [
        *(Line2D([], [], color=c, marker=mark, ms=3, label=name) for name, (c, mark) in styles.items()),
        *(Line2D([], [], color="0.4", ls=s, label=f"σ = {t}") for s, t in (("-", "1/6"), ((0, (4, 1.5)), "1/2"))),
        Line2D([], [], color="0.35", marker="o", ms=3, ls="", label="rests"),
        Line2D([], [], color="0.35", marker="o", ms=3, mfc="white", ls="", label="does not"),
    ]
    ax.legend(handles=handles, frameon=False, fontsize="x-small", ncols=2)
    ax.set(xlabel="input current b", ylabel="α*", xlim=(0, 1), ylim=(0, None))
    finish_axes(ax, "(a) β = 0: weights rest below α* = 2n/μ")


def _draw_cells(ax: Axes, x: np.ndarray, y: np.ndarray, kinds: np.ndarray) -> None:
    codes = np.array([[list(COLOURS).index(kind) for kind in row] for row in kinds.tolist()])
    norm = BoundaryNorm(np.arange(len(COLOURS) + 1) - 0.5, len(COLOURS))
    ax.pcolormesh(x, y, codes, cmap=ListedColormap(list(COLOURS.values())), norm=norm, rasterized=True)


def _draw_leaving(ax: Axes, study: Posed) -> None:
    ax.loglog(study.rates, study.left, "o", ms=3.5, mfc="white", color=BLACK, label="weights have left")
    ax.loglog(study.rates, study.bound, color=ORANGE, lw=1.2, label="they must have, exact bound")
    ax.loglog(study.rates, 1.0 / study.rates, color="0.6", lw=0.9, ls=":", label="1/β")
    ax.legend(frameon=False, fontsize="x-small")
    ax.set(xlabel="growth β", ylabel="updates")
    finish_axes(ax, "(d) β → 0")


def _rows(study: Posed) -> Iterator[list[Any]]:
    for (name, sigma), values in study.limits.items():
        yield from (["alpha*", name, sigma, b, "", a] for b, a in zip(study.b.tolist(), values.tolist(), strict=True))
    for name, sigma, b, share, rests in study.tested:
        yield ["orbit beside alpha*", name, sigma, b, share, "rests" if rests else "does not rest"]
    x = study.centres.tolist()
    for i, y in enumerate(x):
        yield from (["beta = 0", STIMULUS, SIGMA, a, y, study.box[i, j]] for j, a in enumerate(x))
    for i, y in enumerate(study.beta.tolist()):
        yield from (["b = 0.5", STIMULUS, SIGMA, a, y, study.growth[i, j]] for j, a in enumerate(x))
        yield ["flip", STIMULUS, SIGMA, study.flip[i], y, ""]
    for beta, left, bound in zip(study.rates.tolist(), study.left.tolist(), study.bound.tolist(), strict=True):
        yield ["leaving", STIMULUS, SIGMA, beta, left, bound]


def _print(study: Posed) -> None:
    for share in BESIDE:
        resting = [rests for *_, each, rests in study.tested if each == share]
        print(f"at {share} alpha*: weights of {sum(resting)} of {len(resting)} orbits from W0 = 1 rest")
    print(f"{study.proved} orbits are proved to settle")
    print(f"fold at beta/alpha = {study.fold:.8f}; weights rest at beta > 0 in {_resting(study.growth)} cells")


def _resting(kinds: np.ndarray) -> int:
    return int((kinds == "weights and outputs rest").sum())
