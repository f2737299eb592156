"""Adaptation to an orientation that comes too often: tuning curves, populations and products before and after.

The setting of the published model family (Westrick, Heeger & Landy, J. Neurosci. 36 (2016) 9805), with the rule, the
ensemble and the rates of the code that accompanies Yiltiz, Heeger & Landy, Vision Res. 166 (2020) 72: 180 neurons with
raised-cosine tuning of half width 30° at half height, (1 + cos 3Δ)/2 for |Δ| ≤ 60°, scaled to unit energy Σᵢ fᵢ² = 1;
contrast 1, b = 0, σ = 1/6, β = 0, weights from 1 and clipped at 0. The target C is the mean of R Rᵀ over all 180
orientations at W = 1. Shown are ten orientations 18° apart, one of them five times as often as each other one (its
probability is 5/14), averaged in every update: 50 updates with α = 99 e^(−i/100) + 1 for i = 1, 2, …, from 99 to 61,
as in that code; and 300 updates with α falling evenly from 100 to 1.

(a) Tuning curves of neurons beside the adaptor fall and lean away from it. (b) Shift of preferred orientation, as the
tuning curve's centre of mass on the circle and as its peak; (c) ratio of peaks, both against the neurons' distance from
the adaptor. (d) Mean response of the population: flat under the uniform ensemble, with a bump under the biased one, and
flatter once the weights have adapted to that (compare Benucci, Saleem & Carandini, Nat. Neurosci. 16 (2013) 724). Not
flat: the target is one of products. (e), (f) What drives the weights, the mean of R Rᵀ − C, before and after, each in
colours of its own: what is left lies where weights are clipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import BLACK, FIGURES, ORANGE, VIOLET, Files, Table, finish_axes, name_axes, new_figure, publish
from studies.run_settings import study

NEURONS = 180
ADAPTOR = NEURONS // 2  # the neuron tuned to the adaptor, at 90°
DISTANCE = np.arange(NEURONS) - ADAPTOR  # of neurons' preferred orientations from the adaptor, in degrees
WIDTH = np.deg2rad(60.0)  # from the peak of a tuning curve to 0
ORIENTATIONS, OFTEN = 10, 5.0  # how many, and how much more often the adaptor is presented than each other one
SHOWN_NEURONS = ((-40, VIOLET), (-10, "#14548a"), (0, BLACK), (10, "#14548a"), (40, VIOLET))  # degrees, colours
BESIDE = 10  # degrees from the adaptor, where the shift of preferences is printed
RATES = {"short": 99.0 * np.exp(-np.arange(1, 51) / 100.0) + 1.0, "long": np.linspace(100.0, 1.0, 300)}  # α


def tuning(orientation: np.ndarray, preferred: np.ndarray) -> np.ndarray:
    """Raised cosines of unit energy over the neurons, which are evenly spaced."""
    apart = np.abs(np.mod(np.subtract.outer(orientation, preferred) + np.pi / 2, np.pi) - np.pi / 2)
    f = 0.5 * (1.0 + np.cos(np.pi * np.minimum(apart, WIDTH) / WIDTH))
    return np.asarray(f / np.sqrt((f**2).sum(axis=-1, keepdims=True)))


def every_orientation() -> list[tuple[float, float]]:
    """The uniform ensemble: contrast 1 at the preference of every neuron."""
    return [(1.0, float(theta)) for theta in np.arange(NEURONS) * np.pi / NEURONS]


def network() -> bf.adaptation.Network:
    """The published setting; its target is the uniform ensemble's."""
    return bf.adaptation.ring(
        NEURONS,
        (1.0, np.pi / 2),
        (1.0, np.pi / 2),
        alpha=100.0,
        beta=0.0,
        sigma=1 / 6,
        tuning=tuning,
        target="ensemble",
        ensemble=every_orientation(),
        clip=True,
    )


def ensemble() -> bf.adaptation.StimulusEnsemble:
    """Ten orientations, the adaptor at 90° five times as often as the others."""
    return bf.adaptation.protocols.biased(ORIENTATIONS, OFTEN / (OFTEN + ORIENTATIONS - 1), adaptor=np.pi / 2)


@dataclass(frozen=True, eq=False)
class State:
    """Responses at some weights.

    Attributes
    ----------
    curves : ndarray, shape (180, 180)
        curves[s, i]: the response of neuron i to the orientation that neuron s prefers.
    centre, peak : ndarray, shape (180,)
        Preferred orientations relative to those at W = 1, in degrees away from (> 0) or towards (< 0) the adaptor: as
        circular centre of mass of the tuning curve, and as its peak, by a parabola through three points.
    ratio : ndarray, shape (180,)
        Of the tuning curves' peaks to those at W = 1.
    mean : ndarray, shape (180,)
        Mean responses under the biased ensemble.
    drive : ndarray, shape (180, 180)
        The mean of R Rᵀ − C under the biased ensemble.
    weights : ndarray, shape (180, 180)
    """

    curves: np.ndarray
    centre: np.ndarray
    peak: np.ndarray
    ratio: np.ndarray
    mean: np.ndarray
    drive: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class Adaptation:
    """What was found, and where it was written.

    Attributes
    ----------
    before : State
    after : dict of str to State
        By "short" and, unless quick, "long".
    uniform : ndarray, shape (180,)
        Mean responses under the uniform ensemble at W = 1.
    files : Files
    """

    before: State
    after: dict[str, State]
    uniform: np.ndarray
    files: Files


def state(net: bf.adaptation.Network, weights: np.ndarray, first: np.ndarray) -> State:
    """Responses at these weights; ``first`` are the curves at W = 1."""
    stimuli = ensemble()
    every = bf.adaptation.average(net, every_orientation())
    curves = every.response(weights)
    R, p = stimuli.average(net).response(weights), stimuli.probabilities
    away = np.where(DISTANCE == 0, 1, np.sign(DISTANCE))
    drive = (R.T * p) @ R - net.target()
    return State(
        curves=curves,
        centre=away * (_centres(curves) - _centres(first)),
        peak=away * (_peaks(curves) - _peaks(first)),
        ratio=curves.max(axis=0) / first.max(axis=0),
        mean=p @ R,
        drive=drive,
        weights=weights,
    )


def _centres(curves: np.ndarray) -> np.ndarray:
    """Centres of mass of the columns relative to the neurons' own orientations, in degrees."""
    angles = np.arange(NEURONS) * np.pi / NEURONS
    z = np.exp(2j * (angles[:, None] - angles))
    return np.asarray(np.rad2deg(np.angle((curves * z).sum(axis=0))) / 2.0)


def _peaks(curves: np.ndarray) -> np.ndarray:
    """Peaks of the columns relative to the neurons' own orientations, in degrees: of parabolas through three points."""
    top, neurons = curves.argmax(axis=0), np.arange(NEURONS)
    left, middle, right = (curves[(top + j) % NEURONS, neurons] for j in (-1, 0, 1))
    at = top + 0.5 * (left - right) / (left - 2.0 * middle + right)
    return np.asarray(np.mod(at - neurons + NEURONS / 2, NEURONS) - NEURONS / 2)


@study
def run(out: Path = FIGURES, quick: bool = False) -> Adaptation:
    """Adapt, measure, draw."""
    net = network()
    ones = np.array(net.initial)
    every = bf.adaptation.average(net, every_orientation())
    first = every.response(ones)
    before = state(net, ones, first)
    after = {}
    for name, alpha in RATES.items():
        if quick and name == "long":
            continue
        adapted = ensemble().average(net).run(len(alpha), alpha=alpha, keep="last")
        after[name] = state(net, adapted.last, first)
    uniform = bf.adaptation.protocols.biased(ORIENTATIONS, adaptor=np.pi / 2)
    mean = uniform.probabilities @ uniform.average(net).response(ones)
    study = Adaptation(before, after, mean, Files("adaptation", out))
    publish(study.files, lambda: _draw(study), _table(study))
    _print(study)
    return study


def _draw(study: Adaptation) -> Figure:
    name = list(study.after)[-1]
    after, alpha = study.after[name], RATES[name]
    drawn = new_figure(
        f"After {len(alpha)} updates: weaker at the adaptor, repelled beside it",
        f"{NEURONS} neurons, raised cosines of unit energy, half width 30°; contrast 1, b = 0, σ = 1/6, β = 0, W ≥ 0.\n"
        f"{ORIENTATIONS} orientations 18° apart, the one at 0° with probability 5/14, averaged in every update;\n"
        f"α from {alpha[0]:.0f} to {alpha[-1]:.0f}. Target: the uniform ensemble's products.",
        (6.9, 8.0),
    )
    upper, lower = np.asarray(drawn.subfigures(2, 1, height_ratios=[1.9, 1.0])).tolist()
    axes = upper.subplot_mosaic("ab;cd")
    _draw_curves(axes["a"], study.before, after)
    _draw_shifts(axes["b"], after)
    _draw_ratios(axes["c"], study.after)
    _draw_populations(axes["d"], study, after)
    for ax, title, each in zip(lower.subplots(1, 2), ("(e) before", "(f) after"), (study.before, after), strict=True):
        bf.plot.heatmap(
            1e3 * each.drive,
            coordinates=DISTANCE,
            ax=ax,
            label="⟨R Rᵀ⟩ − C, × 10³",
            levels=4,
            xlabel="neuron's preference (°)",
            ylabel="neuron's preference (°)",
        )
        name_axes(ax, f"{title}: at most {1e3 * np.abs(each.drive).max():.3g} × 10⁻³")
        ax.set(xticks=(-90, -45, 0, 45), yticks=(-90, -45, 0, 45))
    return drawn


def _finish(ax: Axes, title: str, **labels: Any) -> None:
    finish_axes(ax, title)
    ax.set(xticks=(-90, -45, 0, 45, 90), **labels)
    ax.axvline(0.0, color="0.7", lw=0.8, ls=":", zorder=0)


def _place_legend(ax: Axes, where: Literal["upper center", "lower center"], columns: int) -> None:
    ax.legend(frameon=False, fontsize="small", loc=where, ncols=columns, borderaxespad=0.2, columnspacing=1.2)


def _draw_curves(ax: Axes, before: State, after: State) -> None:
    for neuron, colour in SHOWN_NEURONS:
        i = ADAPTOR + neuron
        ax.plot(DISTANCE, before.curves[:, i], color=colour, lw=0.8, ls=(0, (4, 2)))
        ax.plot(DISTANCE, after.curves[:, i], color=colour, lw=1.4)
        top = int(after.curves[:, i].argmax())
        ax.annotate(
            f"{neuron}°".replace("-", "−"),
            (DISTANCE[top], after.curves[top, i]),
            xytext=(0, 2),
            fontsize="x-small",
            textcoords="offset points",
            ha="center",
            color=colour,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.8},
        )
    ax.plot([], [], color="0.2", lw=0.8, ls=(0, (4, 2)), label="before")
    ax.plot([], [], color="0.2", lw=1.4, label="after")
    _place_legend(ax, "upper center", 2)
    _finish(
        ax, "(a) tuning curves of five neurons", xlabel="orientation shown (°)", ylabel="response R", ylim=(0, 1.02)
    )


def _draw_shifts(ax: Axes, after: State) -> None:
    ax.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    ax.plot(DISTANCE, after.centre, color=BLACK, lw=1.4, label="centre of mass")
    ax.plot(DISTANCE, after.peak, color=ORANGE, lw=1.0, ls="--", label="peak")
    _place_legend(ax, "upper center", 2)
    ax.set_ylim(-0.6, 1.25 * float(after.peak.max()))
    _finish(ax, "(b) shift away from the adaptor", xlabel="neuron's preference (°)", ylabel="shift (°)")


def _draw_ratios(ax: Axes, after: dict[str, State]) -> None:
    styles: tuple[dict[str, Any], ...] = (
        {"color": ORANGE, "lw": 2.6, "alpha": 0.6},
        {"color": BLACK, "lw": 1.0},
    )
    for (name, each), style in zip(after.items(), styles, strict=False):
        ax.plot(DISTANCE, each.ratio, label=f"{len(RATES[name])} updates", **style)
    ax.axhline(1.0, color="0.8", lw=0.8, zorder=0)
    _place_legend(ax, "lower center", 2)
    _finish(ax, "(c) peak of the tuning curve", xlabel="neuron's preference (°)", ylabel="after/before", ylim=(0, 1.3))


def _draw_populations(ax: Axes, study: Adaptation, after: State) -> None:
    ax.plot(DISTANCE, study.uniform, color="0.5", lw=1.2, ls=":", label="uniform, W = 1")
    ax.plot(DISTANCE, study.before.mean, color=ORANGE, lw=1.0, ls="--", label="biased, W = 1")
    ax.plot(DISTANCE, after.mean, color=BLACK, lw=1.4, label="biased, adapted")
    _place_legend(ax, "lower center", 1)
    _finish(ax, "(d) mean response under ensembles", xlabel="neuron's preference (°)", ylabel="mean R", ylim=(0, None))


def _table(study: Adaptation) -> Table:
    names = ("curve at the adaptor", "centre shift", "peak shift", "peak ratio", "mean response")
    columns = [f"{what}, {len(RATES[each])} updates" for each in study.after for what in names]

    def rows() -> Iterator[list[Any]]:
        for i in range(NEURONS):
            row = [DISTANCE[i], study.uniform[i], study.before.mean[i]]
            for each in study.after.values():
                row += [each.curves[ADAPTOR, i], each.centre[i], each.peak[i], each.ratio[i], each.mean[i]]
            yield row

    return Table(["preference", "mean uniform", "mean biased before", *columns], rows())


def _print(study: Adaptation) -> None:
    old = study.before.curves[ADAPTOR, ADAPTOR]
    flat, biased = _peak_over_trough(study.uniform), _peak_over_trough(study.before.mean)
    print(f"mean response, peak over trough: uniform {flat:.4f}, biased {biased:.4f}")
    for name, each in study.after.items():
        new, beside, alpha = each.curves[ADAPTOR, ADAPTOR], ADAPTOR + BESIDE, RATES[name]
        print(f"{len(alpha)} updates, alpha {alpha[0]:.1f} to {alpha[-1]:.1f}:")
        print(f"  response at the adaptor {old:.4f} -> {new:.4f}, ratio {new / old:.4f}")
        print(f"  shift at {BESIDE} degrees {each.centre[beside]:.3f} (centre of mass), {each.peak[beside]:.3f} (peak)")
        print(f"  biased mean response, peak over trough {_peak_over_trough(each.mean):.4f}")
        print(f"  weights up to {each.weights.max():.4g}, {int((each.weights == 0.0).sum())} at the clip")
        print(
            f"  products off target by up to {np.abs(study.before.drive).max():.3e} -> {np.abs(each.drive).max():.3e}"
        )


def _peak_over_trough(mean: np.ndarray) -> float:
    return float(mean.max() / mean.min())
