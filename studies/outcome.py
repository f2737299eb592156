"""When does the rule settle? The fate of orbits from W₀ = 1, and the exact limits of the verdict drawn over it.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2).

(a) α and β < 0, with σ = 1/6 and b = 0.05. (b) α and σ, with β = −0.1 and b = 0.05: σ/c is what matters, as R does not
change when contrasts, b and σ are scaled together. (c) α and β about 0, with σ = 1/6 and b = 0.5: below 0 weights
settle, at 0 they are neutral, above 0 outputs can settle and weights cannot; beyond the fold nothing does.

Every cell is one orbit, followed by net.outcome(); lines are net.limits("alpha") of every row and, in (c), the fold at
one ratio α/β. Dots mark orbits that are proved to settle (net.certificate). The table that is printed counts where the
two answers differ: a verdict is about the neighbourhood of the equilibrium, and where it flips in a subcritical way or
another attractor is near an orbit need not respect it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

import bifurcate as bf
from studies.report import FIGURES, Files, Table, legend_title, name_axes, new_figure, publish
from studies.ring import N, network
from studies.run_settings import study, sweep_of_study

# From light to dark, so that grey tells them apart as well.
KINDS = {
    "outputs and weights settle": "#f4f6ee",
    "outputs settle, weights do not": "#d9e2a6",
    "cycle": "#93bfe6",
    "settles beyond a pole": "#dd8435",
    "diverges": "#b85c48",
    "chaos": "#38456b",
    "undecided": "#000000",
}
CASED = [withStroke(linewidth=3.2, foreground="white")]  # so that lines show over dark cells
FLIP_LINE: dict[str, Any] = {"color": "#0b3d91", "lw": 1.6, "path_effects": CASED}
FOLD_LINE: dict[str, Any] = {"color": "#7a1020", "lw": 1.6, "ls": (0, (5, 1.5)), "path_effects": CASED}
NEUTRAL_LINE: dict[str, Any] = {"color": "k", "lw": 1.2, "ls": ":", "path_effects": CASED}  # β = 0
PROVED: dict[str, Any] = {"color": "0.35", "marker": ".", "ms": 1.2, "mew": 0.0, "ls": ""}
CELLS_TOGETHER = 40  # whose orbits are followed together: a journal of the quick form has several parts, too
FLIPS_DRAWN = 3  # of every row, the first ones in α
BEYOND = 1.2  # flips are looked for up to this multiple of the largest α, so that their lines leave the chart
SAMPLES = 60  # values of α between which net.limits looks for flips
FOLD_REACH = 10.0  # the fold is looked for up to this multiple of the largest β

Span = tuple[float, float]


@dataclass(frozen=True)
class Settings:
    """How fine the charts are, and how long orbits are followed.

    Attributes
    ----------
    decay_cells, growth_cells : (int, int)
        Cells in α and in the other parameter, in (a) and (b) and in (c).
    decay_updates, growth_updates : int
        Updates of an orbit at the most, likewise.
    rows : int
        At which limits are sought: lines through fewer than 41 have visible corners.
    """

    decay_cells: tuple[int, int]
    growth_cells: tuple[int, int]
    decay_updates: int
    growth_updates: int
    rows: int


FULL = Settings(decay_cells=(48, 40), growth_cells=(36, 24), decay_updates=3000, growth_updates=20_000, rows=81)
QUICK = Settings(decay_cells=(10, 8), growth_cells=(8, 6), decay_updates=2000, growth_updates=5000, rows=17)


@dataclass(frozen=True, eq=False)
class Chart:
    """One plane of parameters.

    Attributes
    ----------
    name : str
        Of the second parameter, "beta" or "sigma"; the first is "alpha".
    fixed : dict of str to float
    alpha, other : ndarray
        Centres of the cells.
    local, fate, seen : ndarray of str, shape (other, alpha)
        Kind of the verdict, kind of the fate, and what is drawn.
    proved : ndarray of bool, shape (other, alpha)
        Whether the orbit is certified to settle.
    flips : ndarray, shape (m, 2)
        (α, other) at which outputs flip, exactly.
    fold : float
        β/α at the fold; NaN if there is none in the plane.
    """

    name: str
    fixed: dict[str, float]
    alpha: np.ndarray
    other: np.ndarray
    local: np.ndarray
    fate: np.ndarray
    seen: np.ndarray
    proved: np.ndarray
    flips: np.ndarray
    fold: float


@dataclass(frozen=True, eq=False)
class Charts:
    """What was found, and where it was written.

    Attributes
    ----------
    charts : tuple of Chart
    counts : Counter
        Cells by (kind of verdict, kind of fate), over all charts.
    files : Files
    """

    charts: tuple[Chart, ...]
    counts: Counter[tuple[str, str]]
    files: Files


def seen(fate: bf.adaptation.OrbitFate) -> str:
    """What is drawn of a fate."""
    if fate.kind == "settles":
        return "outputs and weights settle" if fate.weights_settle else "outputs settle, weights do not"
    return fate.kind


Fixed = tuple[tuple[str, float], ...]  # parameters, in a form that other processes can be sent


def cells_together(
    alpha: np.ndarray, other: np.ndarray, *, name: str, fixed: Fixed, updates: int
) -> list[dict[str, str]]:
    """What becomes of the orbits in several cells."""
    pairs = zip(alpha.tolist(), other.tolist(), strict=True)
    nets = [network(**dict(fixed), **{name: value}, alpha=rate) for rate, value in pairs]
    return [
        {
            "local": found.local.kind,
            "fate": found.fate.kind,
            "seen": seen(found.fate),
            "proved": "no" if found.fate.proved is None else "yes",
        }
        for found in bf.adaptation.outcomes(nets, longest=updates)
    ]


def flips_of_row(other: float, *, name: str, fixed: Fixed, top: float) -> list[float]:
    """The values of α at which outputs flip, for one value of the other parameter."""
    net = network(**dict(fixed), **{name: other}, alpha=top)
    limits = net.limits("alpha", (0.0, BEYOND * top), samples=SAMPLES)
    return [limit.value for limit in limits if limit.kind == "flip"]


def rows_of_limits(name: str, other: Span, count: int) -> np.ndarray:
    """The values of the other parameter at which limits are sought: of a decay most near 0, where flips run steeply."""
    if name == "beta" and other[1] <= 0.0:
        return other[1] - (other[1] - other[0]) * np.linspace(1.0, 0.0, count) ** 3
    return np.linspace(*other, count)


def chart(
    out: Path,
    name: str,
    fixed: dict[str, float],
    alpha: Span,
    other: Span,
    cells: tuple[int, int],
    updates: int,
    rows: int,
) -> Chart:
    """Follow an orbit in every cell; find the limits in α for every row, and for rows between.

    Parameters
    ----------
    out : Path
        Where sweeps note what arrives.
    name : str
        Of the second parameter.
    fixed : dict of str to float
        The parameters that do not vary.
    alpha, other : (float, float)
        The chart's edges.
    cells : (int, int)
        Cells in α and in the other parameter.
    updates : int
        Of every orbit, at the most.
    rows : int
        Values of the other parameter at which limits are sought.
    """

    def centres(span: tuple[float, float], count: int) -> np.ndarray:
        edges = np.linspace(*span, count + 1)
        return 0.5 * (edges[:-1] + edges[1:])

    a, b = centres(alpha, cells[0]), centres(other, cells[1])
    part = f"{name}-{fixed['b']:g}"
    given: dict[str, Any] = {"name": name, "fixed": tuple(fixed.items())}
    orbits = partial(cells_together, **given, updates=updates)
    found = sweep_of_study(out, "outcome", part, orbits, {"other": b, "alpha": a}, batch=CELLS_TOGETHER)
    at = rows_of_limits(name, other, rows)
    flips_at = partial(flips_of_row, **given, top=alpha[1])
    limits = sweep_of_study(out, "outcome", f"{part}-flips", flips_at, {"other": at})
    flips = [(value, y) for y, values in zip(at.tolist(), limits.values, strict=True) for value in values]
    fold = np.nan
    if other[1] > 0.0 and name == "beta":
        fold = bf.adaptation.last_beta(network(**fixed, beta=0.0, alpha=alpha[1]), other[1] * FOLD_REACH) / alpha[1]

    return Chart(
        name=name,
        fixed=fixed,
        alpha=a,
        other=b,
        local=found.array("local"),
        fate=found.array("fate"),
        seen=found.array("seen"),
        proved=found.array("proved") == "yes",
        flips=np.array(flips).reshape(-1, 2),
        fold=float(fold),
    )


@study
def run(out: Path = FIGURES, quick: bool = False) -> Charts:
    """Follow, draw, count."""
    settings = QUICK if quick else FULL
    cells, updates = settings.decay_cells, settings.decay_updates
    charts = (
        chart(out, "beta", {"sigma": 1 / 6, "b": 0.05}, (0.0, 1.2), (-0.4, -0.001), cells, updates, settings.rows),
        chart(out, "sigma", {"beta": -0.1, "b": 0.05}, (0.0, 1.2), (0.02, 0.5), cells, updates, settings.rows),
        chart(
            out,
            "beta",
            {"sigma": 1 / 6, "b": 0.5},
            (0.0, 0.6),
            (-0.0015, 0.006),
            settings.growth_cells,
            settings.growth_updates,
            settings.rows,
        ),
    )
    counts = Counter(
        pair for each in charts for pair in zip(each.local.ravel().tolist(), each.fate.ravel().tolist(), strict=True)
    )
    study = Charts(charts, counts, Files("outcome", out))
    columns = ["chart", "alpha", "parameter", "value", "verdict", "fate", "seen"]
    publish(study.files, lambda: _draw(charts), Table(columns, _rows(charts)))
    print("verdict at the equilibrium / fate from W0 = 1: cells")
    for (local, fate), count in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"{local:18} / {fate:22} {count:6d}")
    print(f"proved to settle: {sum(int(each.proved.sum()) for each in charts)} cells")
    return study


def _draw(charts: tuple[Chart, ...]) -> Figure:
    drawn = new_figure(
        "",  # the legend has the title
        f"{N} neurons; baseline of contrast 0.8 at 0°, stimulus of contrast 0.8 at 90°.\n"
        "Cells: the orbit from W₀ = 1. Lines: where the exact spectrum at the equilibrium changes its verdict.",
        (6.4, 7.2),
    )
    axes = drawn.subplot_mosaic("ab;cc", height_ratios=[1.25, 1.0])
    titles = ("(a) σ = 1/6, b = 0.05", "(b) β = −0.1, b = 0.05", "(c) σ = 1/6, b = 0.5")
    for ax, each, title in zip(axes.values(), charts, titles, strict=True):
        _draw_cells(ax, each)
        _draw_limits(ax, each)
        name_axes(ax, title)
    _draw_legend(drawn, {kind for each in charts for kind in np.unique(each.seen).tolist()})
    return drawn


def _draw_cells(ax: Axes, each: Chart) -> None:
    codes = np.array([[list(KINDS).index(kind) for kind in row] for row in each.seen.tolist()])
    colours = ListedColormap(list(KINDS.values()))
    norm = BoundaryNorm(np.arange(len(KINDS) + 1) - 0.5, len(KINDS))
    ax.pcolormesh(each.alpha, each.other, codes, cmap=colours, norm=norm, rasterized=True)
    rows, columns = np.nonzero(each.proved)
    ax.plot(each.alpha[columns], each.other[rows], **PROVED)


def _draw_limits(ax: Axes, each: Chart) -> None:
    low, high = _outer(each.other)
    right = _outer(each.alpha)[1]
    for rank in range(FLIPS_DRAWN):  # the first, second, … flip of every row, where it has so many
        rows = [np.sort(each.flips[each.flips[:, 1] == y, 0]) for y in np.unique(each.flips[:, 1])]
        line = [(row[rank], y) for row, y in zip(rows, np.unique(each.flips[:, 1]), strict=True) if len(row) > rank]
        if line:
            ax.plot(*np.array(line).T, **FLIP_LINE)
    if np.isfinite(each.fold):
        ax.plot([0.0, right], [0.0, each.fold * right], **FOLD_LINE)
        ax.axhline(0.0, **NEUTRAL_LINE)
    ax.set(xlim=(0.0, right), ylim=(low, high), xlabel="rate of adaptation α")
    ax.set_ylabel("semi-saturation σ" if each.name == "sigma" else "decay (< 0) or growth β")


def _outer(centres: np.ndarray) -> tuple[float, float]:
    half = 0.5 * (centres[1] - centres[0])
    return float(centres[0] - half), float(centres[-1] + half)


def _draw_legend(drawn: Figure, kinds: set[str]) -> None:
    handles: list[Any] = [
        Patch(facecolor=colour, edgecolor="0.4", lw=0.6, label=kind) for kind, colour in KINDS.items() if kind in kinds
    ]
    handles += [
        Line2D([], [], label="proved to settle", **{**PROVED, "ms": 4}),
        Line2D([], [], label="flip, αμ/n = 2 + β", **FLIP_LINE),
        Line2D([], [], label="fold, αμ/n = β", **FOLD_LINE),
        Line2D([], [], label="β = 0", **NEUTRAL_LINE),
    ]
    drawn.legend(
        handles=handles,
        loc="outside upper left",
        ncols=3,
        frameon=False,
        fontsize="small",
        title=legend_title("When does the rule settle?"),
        title_fontsize=11,
        alignment="left",
    )


def _rows(charts: tuple[Chart, ...]) -> Iterator[list[Any]]:
    for number, each in enumerate(charts):
        for i, y in enumerate(each.other.tolist()):
            for j, x in enumerate(each.alpha.tolist()):
                yield [number, x, each.name, y, each.local[i, j], each.fate[i, j], each.seen[i, j]]
        yield from ([number, x, each.name, y, "flip", "", ""] for x, y in each.flips.tolist())
