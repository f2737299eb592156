"""Adaptation to an orientation that comes too often: tuning curves, populations and products before and after.

The setting of the published model family (Westrick, Heeger & Landy, J. Neurosci. 36 (2016) 9805), with the rule, the
ensembles and the rates of the code that accompanies Yiltiz, Heeger & Landy, Vision Res. 166 (2020) 72: 180 neurons with
raised-cosine tuning of half width 30° at half height, (1 + cos 3Δ)/2 for |Δ| ≤ 60°, scaled to unit energy Σᵢ fᵢ² = 1;
contrast 1, b = 0, σ = 1/6, β = 0, weights from 1 and clipped at 0. The target C is the mean of R Rᵀ over all 180
orientations at W = 1. Presented are ten orientations 18° apart, together in every update:

    W⁺ = max(W + α (Σ_q w_q R_q R_qᵀ − C), 0),     50 updates with α = 99 e^(−i/100) + 1, i = 1, 2, …, from 99 to 61.

The published code's weights w are (5, 1, …, 1), five for the adaptor, and in its unbiased ensemble (1, …, 1). They
do not sum to 1 but to 14 and 10, while C is a mean: products are driven to a fourteenth and a tenth of the target. That
is the averaged rule of this package at the rates 14 α and 10 α with the targets C/14 and C/10. Four cases:

- "biased, as published": w of sum 14; - "unbiased, as published": w of sum 10; - "biased, sum 1": w/14, a true mean;
- "biased, as published, 300 updates": α falling evenly from 100 to 1.

Their numbers are those that the published code itself gives (tests/data/published_code.json), which is all that is
claimed here: nothing is compared with measurements.

(a) Tuning curves of neurons beside the adaptor. (b) Shift of preferred orientation away from it, as the tuning curve's
centre of mass on the circle and as its peak, as published and with weights of sum 1; (c) ratio of peaks, both against
the neurons' distance from the adaptor. (d) Mean response of the population under the ensembles. (e), (f) What drives
the weights, Σ w R Rᵀ − C, before and after, each in colours of its own: what is left lies where weights are clipped.
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
from bifurcate.plot.point_labels import add_point_labels
from studies.report import BLACK, FIGURES, ORANGE, VIOLET, Files, Table, finish_axes, name_axes, new_figure, publish
from studies.run_settings import study

NEURONS = 180
ADAPTOR = NEURONS // 2  # the neuron tuned to the adaptor, at 90°
DISTANCE = np.arange(NEURONS) - ADAPTOR  # of neurons' preferred orientations from the adaptor, in degrees
WIDTH = np.deg2rad(60.0)  # from the peak of a tuning curve to 0
ORIENTATIONS, OFTEN = 10, 5.0  # how many, and how much more often the adaptor is presented than each other one
SHOWN_NEURONS = ((-40, VIOLET), (-10, "#14548a"), (0, BLACK), (10, "#14548a"), (40, VIOLET))  # degrees, colours
BESIDE = 10  # degrees from the adaptor, where the shift of preferences is printed
SHORT, LONG = 99.0 * np.exp(-np.arange(1, 51) / 100.0) + 1.0, np.linspace(100.0, 1.0, 300)  # α of every update
BIASED, UNBIASED = np.array([OFTEN, *np.ones(ORIENTATIONS - 1)]), np.ones(ORIENTATIONS)  # the adaptor first


def tuning(orientation: np.ndarray, preferred: np.ndarray) -> np.ndarray:
    """Raised cosines of unit energy over the neurons, which are evenly spaced."""
    apart = np.abs(np.mod(np.subtract.outer(orientation, preferred) + np.pi / 2, np.pi) - np.pi / 2)
    f = 0.5 * (1.0 + np.cos(np.pi * np.minimum(apart, WIDTH) / WIDTH))
    return np.asarray(f / np.sqrt((f**2).sum(axis=-1, keepdims=True)))


def every_orientation() -> list[tuple[float, float]]:
    """The uniform ensemble: contrast 1 at the preference of every neuron."""
    return [(1.0, float(theta)) for theta in np.arange(NEURONS) * np.pi / NEURONS]


@dataclass(frozen=True, eq=False)
class Case:
    """What is presented in every update, and at which rates.

    Attributes
    ----------
    weights : ndarray, shape (10,)
        w of the ten orientations, the adaptor first; of any sum.
    alpha : ndarray, shape (T,)
    """

    weights: np.ndarray
    alpha: np.ndarray


PUBLISHED, NORMALISED = "biased, as published", "biased, sum 1"
CASES = {
    PUBLISHED: Case(BIASED, SHORT),
    "unbiased, as published": Case(UNBIASED, SHORT),
    NORMALISED: Case(BIASED / BIASED.sum(), SHORT),
    "biased, as published, 300 updates": Case(BIASED, LONG),
}


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


def ensemble(weights: np.ndarray) -> bf.adaptation.StimulusEnsemble:
    """Ten orientations from the adaptor's 90° on, with probabilities in proportion to the weights."""
    angles = np.mod(np.pi / 2 + np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS, np.pi)
    stimuli = [(1.0, float(theta)) for theta in angles]
    return bf.adaptation.StimulusEnsemble.of(stimuli, weights / weights.sum(), adaptor=0)


def adapt(net: bf.adaptation.Network, case: Case) -> np.ndarray:
    """The weights after all updates of a case.

    Σ w R Rᵀ − C with w of sum s is s times the mean of R Rᵀ − C/s.
    """
    total = float(case.weights.sum())
    scaled = net.replace(target=net.target_rule.factor(net.parameters) / np.sqrt(total))
    schedule = ensemble(case.weights).average(scaled)
    return schedule.run(len(case.alpha), alpha=total * case.alpha, keep="last").last


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
        Mean responses under the ensemble, with probabilities in proportion to its weights.
    drive : ndarray, shape (180, 180)
        Σ w R Rᵀ − C under the ensemble.
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
        Of the biased ensemble, as published, at W = 1.
    after : dict of str to State
        By the name of the case, the last one unless quick.
    uniform : ndarray, shape (180,)
        Mean responses under the uniform ensemble at W = 1.
    files : Files
    """

    before: State
    after: dict[str, State]
    uniform: np.ndarray
    files: Files


def state(net: bf.adaptation.Network, case: Case, weights: np.ndarray, first: np.ndarray) -> State:
    """Responses at these weights to what is presented in a case; ``first`` are the curves at W = 1."""
    stimuli = ensemble(case.weights)
    every = bf.adaptation.average(net, every_orientation())
    curves = every.response(weights)
    R, p = stimuli.average(net).response(weights), stimuli.probabilities
    away = np.where(DISTANCE == 0, 1, np.sign(DISTANCE))
    drive = (R.T * case.weights) @ R - net.target()
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
    before = state(net, CASES[PUBLISHED], ones, first)
    after = {
        name: state(net, case, adapt(net, case), first)
        for name, case in CASES.items()
        if not (quick and case.alpha is LONG)
    }
    uniform = ensemble(UNBIASED)
    mean = uniform.probabilities @ uniform.average(net).response(ones)
    study = Adaptation(before, after, mean, Files("adaptation", out))
    publish(study.files, lambda: _draw(study), _table(study))
    _print(study)
    return study


def _draw(study: Adaptation) -> Figure:
    after, alpha = study.after[PUBLISHED], CASES[PUBLISHED].alpha
    drawn = new_figure(
        f"After {len(alpha)} updates as published: weaker at the adaptor, repelled beside it",
        f"{NEURONS} neurons, raised cosines of unit energy, half width 30°; contrast 1, b = 0, σ = 1/6, β = 0, W ≥ 0.\n"
        f"{ORIENTATIONS} orientations 18° apart in every update, of weight 5 at 0° and of weight 1 elsewhere, sum 14;\n"
        f"α falls from {alpha[0]:.0f} to {alpha[-1]:.0f} over the updates. Target: the mean of the products over all\n"
        "orientations. (e), (f): each in colours of its own; contours of negative values are dashed.",
        (6.9, 8.0),
    )
    upper, lower = np.asarray(drawn.subfigures(2, 1, height_ratios=[1.9, 1.0])).tolist()
    axes = upper.subplot_mosaic("ab;cd")
    _draw_curves(axes["a"], study.before, after)
    _draw_shifts(axes["b"], after, study.after[NORMALISED])
    _draw_ratios(axes["c"], study.after)
    _draw_populations(axes["d"], study, after)
    for ax, title, each in zip(lower.subplots(1, 2), ("(e) before", "(f) after"), (study.before, after), strict=True):
        bf.plot.heatmap(
            each.drive,
            coordinates=DISTANCE,
            ax=ax,
            label="Σ w R Rᵀ − C",
            center=0.0,
            levels=4,
            xlabel="neuron's preference (°)",
            ylabel="neuron's preference (°)",
        )
        name_axes(ax, f"{title}: at most {np.abs(each.drive).max():.3g}")
        ax.set(xticks=(-90, -45, 0, 45, 90), yticks=(-90, -45, 0, 45, 90), xlim=(-90, 90), ylim=(-90, 90))
    return drawn


def _finish(ax: Axes, title: str, **labels: Any) -> None:
    finish_axes(ax, title)
    ax.set(xticks=(-90, -45, 0, 45, 90), **labels)
    ax.axvline(0.0, color="0.7", lw=0.8, ls=":", zorder=0)


def _place_legend(ax: Axes, where: Literal["upper center", "lower center"], columns: int) -> None:
    ax.legend(frameon=False, fontsize="small", loc=where, ncols=columns, borderaxespad=0.2, columnspacing=1.2)


def _draw_curves(ax: Axes, before: State, after: State) -> None:
    tops: list[tuple[float, float, str]] = []
    for neuron, colour in SHOWN_NEURONS:
        i = ADAPTOR + neuron
        ax.plot(DISTANCE, before.curves[:, i], color=colour, lw=0.8, ls=(0, (4, 2)))
        ax.plot(DISTANCE, after.curves[:, i], color=colour, lw=1.4)
        top = int(after.curves[:, i].argmax())
        tops.append((float(DISTANCE[top]), float(after.curves[top, i]), f"{neuron}°".replace("-", "−")))
    add_point_labels(ax, tops)
    ax.plot([], [], color="0.2", lw=0.8, ls=(0, (4, 2)), label="before")
    ax.plot([], [], color="0.2", lw=1.4, label="after")
    _place_legend(ax, "upper center", 2)
    _finish(
        ax, "(a) tuning curves of five neurons", xlabel="orientation shown (°)", ylabel="response R", ylim=(0, 1.02)
    )


def _draw_shifts(ax: Axes, after: State, normalised: State) -> None:
    ax.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    ax.plot(DISTANCE, after.centre, color=BLACK, lw=1.4, label="centre of mass")
    ax.plot(DISTANCE, after.peak, color=ORANGE, lw=1.0, ls="--", label="peak")
    ax.plot(DISTANCE, normalised.centre, color="0.6", lw=1.0, label="centre, sum 1")
    ax.plot(DISTANCE, normalised.peak, color=ORANGE, lw=0.8, ls=":", label="peak, sum 1")
    _place_legend(ax, "upper center", 2)
    ax.set_ylim(-1.5, 1.45 * float(after.peak.max()))
    _finish(ax, "(b) shift away from the adaptor", xlabel="neuron's preference (°)", ylabel="shift (°)")


def _draw_ratios(ax: Axes, after: dict[str, State]) -> None:
    styles: tuple[dict[str, Any], ...] = (
        {"color": BLACK, "lw": 1.4},
        {"color": "0.6", "lw": 1.0, "ls": (0, (4, 2))},
        {"color": ORANGE, "lw": 1.2},
        {"color": VIOLET, "lw": 1.0, "ls": ":"},
    )
    for (name, each), style in zip(after.items(), styles, strict=False):
        ax.plot(DISTANCE, each.ratio, label=name, **style)
    ax.axhline(1.0, color="0.8", lw=0.8, zorder=0)
    _place_legend(ax, "upper center", 1)
    _finish(ax, "(c) peak of the tuning curve", xlabel="neuron's preference (°)", ylabel="after/before", ylim=(0, 2.1))


def _draw_populations(ax: Axes, study: Adaptation, after: State) -> None:
    ax.plot(DISTANCE, study.uniform, color="0.5", lw=1.2, ls=":", label="uniform, W = 1")
    ax.plot(DISTANCE, study.before.mean, color=ORANGE, lw=1.0, ls="--", label="biased, W = 1")
    ax.plot(DISTANCE, after.mean, color=BLACK, lw=1.4, label="biased, adapted")
    _place_legend(ax, "upper center", 1)
    ax.set_ylim(0.0, 2.0 * float(study.before.mean.max()))
    _finish(ax, "(d) mean response under ensembles", xlabel="neuron's preference (°)", ylabel="mean R")


def _table(study: Adaptation) -> Table:
    names = ("curve at the adaptor", "centre shift", "peak shift", "peak ratio", "mean response")
    columns = [f"{what}: {each}" for each in study.after for what in names]

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
        new, beside, case = each.curves[ADAPTOR, ADAPTOR], ADAPTOR + BESIDE, CASES[name]
        print(f"{name}: weights of sum {case.weights.sum():g}, {len(case.alpha)} updates")
        print(f"  response at the adaptor {old:.6f} -> {new:.9f}, ratio {new / old:.4f}")
        mean = each.curves.mean(axis=1)
        print(f"  mean population response at the adaptor {mean[ADAPTOR]:.9f}, at all orientations {mean.mean():.6f}")
        print(f"  shift at {BESIDE} degrees {each.centre[beside]:.6f} (centre of mass), {each.peak[beside]:.6f} (peak)")
        print(f"  mean response, peak over trough {_peak_over_trough(each.mean):.4f}")
        print(f"  weights up to {each.weights.max():.4g}, {int((each.weights == 0.0).sum())} at the clip")
        print(f"  products off target by up to {np.abs(each.drive).max():.3e}")


def _peak_over_trough(mean: np.ndarray) -> float:
    return float(mean.max() / mean.min())
