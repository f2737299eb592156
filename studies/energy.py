"""The energy that the outputs descend: its contours, its course along orbits, and the step at which the descent ends.

(a) Two neurons, preferring 0 and π/2, so that a plane shows all of E: baseline (contrast 0.8, orientation 0), stimulus
(0.8, π/2), β = −0.1, σ = 1/6, b = 0.05. Contours of E − E*, equally spaced in their logarithm, over ln R₁ and ln R₂;
from W₀ = 1 a tenth of a step, whole steps below the flip, and steps past it, which end in a 2-cycle across the valley.
Green: the largest set that is certified at a tenth of h* (net.certificate): from within it E falls at every update.

The rest is the network of 16 neurons of the other studies, α = 0.5, in steps of h:
W⁺ = W + h [α (R Rᵀ − C) + β (W − C)].

(b) E − E* along orbits from W₀ = 1, below and past the flip at h*. Where a step raises E it is marked. (c) At β = 0 the
divergence form, (α/n)(r·R₀)² [½ d² + Σ p (e^δ − 1 − δ)], and its two parts, against the difference of two values of E,
which rounding stops. (d) The largest step at which E falls at every update of the orbit from W₀ = 1, measured, against
the step h* = 2/(α μ_max/n − β) at which the equilibrium flips, for β from −0.4 to −0.025. Near rest the two are one;
far from rest E can rise earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import (
    BLACK,
    BLUE,
    FIGURES,
    GREEN,
    ORANGE,
    Files,
    Table,
    finish_axes,
    name_axes,
    new_figure,
    publish,
)
from studies.ring import BASELINE, STIMULUS, network
from studies.run_settings import study

ALPHA, BETA = 0.5, -0.1
CONVERGED = 1e-28  # E − E* below which an orbit counts as converged: its square root is the rounding of y
ROUNDING = 1e-9  # relative increase of E − E* that counts as one: above the rounding of a value, near convergence too
BISECTED = 1e-4  # relative width to which the largest step of descent is bisected
COLOURS = (BLACK, BLUE, ORANGE)  # of the orbits, from small steps to large ones


@dataclass(frozen=True)
class Settings:
    """How much is computed.

    Attributes
    ----------
    divergence_steps : int
        Updates in (c).
    rates : int
        Values of β in (d).
    steps : int
        Updates of every orbit in (d).
    grid : int
        Step sizes that are scanned for every β.
    """

    divergence_steps: int
    rates: int
    steps: int
    grid: int


FULL = Settings(divergence_steps=1600, rates=16, steps=1500, grid=40)
QUICK = Settings(divergence_steps=400, rates=3, steps=400, grid=12)
PLANE = ((0.1, 400), (0.9, 200), (1.04, 60))  # (a): steps as fractions of h*, and updates
ALONG = (0.5, 0.97, 1.05)  # (b): steps as fractions of h*
ALONG_STEPS = 150
CERTIFIED = 0.1  # (a): step of the certified set, as a fraction of h*
RATES = (-0.4, -0.025)  # of decay in (d)
MARKED = 7  # (a): updates of an orbit that have marks; later ones would lie on each other at rest
RAISED_EVERY = 5  # (b): of the updates that raised E, which are marked
FLIP_POINTS = 60  # of the closed form in (d), at which the curve is drawn
SCANNED = 1.02  # fraction of h* up to which (d) scans


@dataclass(frozen=True, eq=False)
class Descent:
    """An orbit in steps of h, and the energy along it.

    Attributes
    ----------
    h : float
    y : ndarray, shape (steps + 1, n)
    excess : ndarray, shape (steps + 1,)
        E − E*, by its divergence form.
    """

    h: float
    y: np.ndarray
    excess: np.ndarray

    @property
    def raised(self) -> np.ndarray:
        """Indices of the states that have more energy than the one before, by more than rounding."""
        before, after = self.excess[:-1], self.excess[1:]
        return np.flatnonzero((after > before * (1.0 + ROUNDING)) & (before > CONVERGED)) + 1


@dataclass(frozen=True, eq=False)
class Energies:
    """What was found, and where it was written.

    Attributes
    ----------
    plane : tuple of Descent
        (a).
    courses : tuple of Descent
        (b).
    subtracted, divergence, parts : ndarray
        (c): E(t) − E* in both ways, and the two parts of the second, shape (steps, 2).
    beta, flip, largest : ndarray
        (d): h* and the largest step at which E always falls.
    files : Files
    """

    plane: tuple[Descent, ...]
    courses: tuple[Descent, ...]
    subtracted: np.ndarray
    divergence: np.ndarray
    parts: np.ndarray
    beta: np.ndarray
    flip: np.ndarray
    largest: np.ndarray
    files: Files


def descend(net: bf.adaptation.Network, h: float, steps: int) -> Descent:
    """The orbit from W₀, until it has converged or is beyond a pole."""
    E = net.energy("y")
    y = net.project(net.initial)
    states, excess = [y], [E.divergence(y)]
    for _ in range(steps):
        y = y + h * (net.reduced(y) - y)
        if not (net.sigma**2 + y > 0.0).all():
            break
        states.append(y)
        excess.append(E.divergence(y))
        if excess[-1] < CONVERGED:
            break
    return Descent(h, np.array(states), np.array(excess))


def flip_step(net: bf.adaptation.Network) -> float:
    """h* = 2/(α μ_max/n − β): the multipliers of a step h are 1 + h (λ − 1)."""
    lam = bf.multipliers(net.reduced, net.reduced_equilibrium()).values.real
    return float(2.0 / (1.0 - lam.min()))


def largest_step(net: bf.adaptation.Network, most: float, steps: int, grid: int) -> float:
    """The least h at which some update of the orbit raises E, from a scan up to ``most`` and bisection."""

    def rises(h: float) -> bool:
        course = descend(net, h, steps)
        return len(course.raised) > 0 or not (net.sigma**2 + course.y[-1] > 0.0).all()

    below = 0.0
    for h in np.linspace(0.0, most, grid + 1)[1:].tolist():
        if rises(h):
            above = h
            break
        below = h
    else:
        return np.nan
    while above - below > BISECTED * above:
        middle = 0.5 * (below + above)
        below, above = (below, middle) if rises(middle) else (middle, above)
    return float(0.5 * (below + above))


def pair_of_neurons() -> bf.adaptation.Network:
    """The network of (a): two neurons, tuned to the baseline and to the stimulus."""
    return bf.adaptation.ring(2, BASELINE, STIMULUS, alpha=ALPHA, beta=BETA, sigma=1 / 6, b=0.05)


@study
def run(out: Path = FIGURES, quick: bool = False) -> Energies:
    """Descend, measure, draw."""
    settings = QUICK if quick else FULL
    pair, net = pair_of_neurons(), network(alpha=ALPHA, beta=BETA)
    subtracted, divergence, parts = divergence_along(network(alpha=0.2, beta=0.0, b=0.8), settings.divergence_steps)
    beta = np.linspace(*RATES, settings.rates)
    nets = [network(alpha=ALPHA, beta=float(each)) for each in beta]
    flips = [flip_step(each) for each in nets]
    largest = [
        largest_step(each, SCANNED * h, settings.steps, settings.grid) for each, h in zip(nets, flips, strict=True)
    ]
    study = Energies(
        plane=tuple(descend(pair, part * flip_step(pair), steps) for part, steps in PLANE),
        courses=tuple(descend(net, part * flip_step(net), ALONG_STEPS) for part in ALONG),
        subtracted=subtracted,
        divergence=divergence,
        parts=parts,
        beta=beta,
        flip=np.array(flips),
        largest=np.array(largest),
        files=Files("energy", out),
    )
    publish(study.files, lambda: _draw(study), Table(["what", "h or beta", "t", "value", "other"], _rows(study)))
    for course in study.courses:
        print(f"h = {course.h:.6f}: {len(course.raised)} of {len(course.excess) - 1} updates raise E")
    for each, h, most in zip(beta, flips, largest, strict=True):
        print(f"beta = {each:+.4f}: flip at h = {h:.6f}; E falls at every update of the orbit for h < {most:.4f}")
    return study


def _draw(study: Energies) -> Figure:
    drawn = new_figure(
        "The energy that the outputs descend",
        "Baseline of contrast 0.8 at 0°, stimulus of contrast 0.8 at 90°; σ = 1/6, b = 0.05. (a) 2 neurons, "
        "the rest 16; α = 0.5 h,\n"
        "β = −0.1 h in (a) and (b), α = 0.2, β = 0, b = 0.8 in (c). All orbits start at W₀ = 1. In (b) E − E* is\n"
        "computed by its divergence form, not by subtraction, and keeps its relative accuracy down to 10⁻²⁴. In (c)\n"
        "it levels off where an update no longer changes the state, to rounding.",
        (6.9, 6.8),
    )
    axes = drawn.subplot_mosaic("ab;cd")
    pair = pair_of_neurons()
    _draw_plane(axes["a"], pair, study.plane, flip_step(pair))
    _draw_courses(axes["b"], study.courses, flip_step(network(alpha=ALPHA, beta=BETA)))
    _draw_forms(axes["c"], study)
    _draw_largest_steps(axes["d"], study)
    return drawn


def divergence_along(net: bf.adaptation.Network, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(c): E − E* as a difference and as a divergence, and the latter's two parts."""
    E, r, rest = net.energy("y"), net.drive, net.energy().rest
    p, strength = r * rest / (r @ rest), net.alpha / net.size * (r @ rest) ** 2
    y = net.project(net.initial)
    rows = []
    for _ in range(steps):
        R = net.response(y)
        d = float(p @ ((R - rest) / rest))
        total = E.divergence(y)
        rows.append((E(y) - E.least, total, 0.5 * strength * d * d, total - 0.5 * strength * d * d))
        y = net.reduced(y)
    table = np.array(rows)
    return table[:, 0], table[:, 1], table[:, 2:]


def _draw_plane(ax: Axes, net: bf.adaptation.Network, orbits: tuple[Descent, ...], edge: float) -> None:
    E = net.energy("log R")
    logs = [np.log(net.drive / (net.sigma**2 + each.y)) for each in orbits]
    every = np.vstack(logs)
    low, high = every.min(axis=0), every.max(axis=0)
    margin = 0.12 * (high - low)
    x, z = (np.linspace(a, b, 90) for a, b in zip(low - margin, high + margin, strict=True))
    levels = np.array([[E.divergence(np.array([a, b])) for a in x.tolist()] for b in z.tolist()])
    ax.contour(x, z, np.log10(levels), np.arange(-5.0, 2.0, 0.25), colors="0.7", linewidths=0.7, linestyles="solid")
    small = CERTIFIED * edge
    region = bf.adaptation.largest_region(net.replace(alpha=small * net.alpha, beta=small * net.beta))
    if region is not None:
        rest = np.log(E.rest)
        near = [np.linspace(a, b, 90) for a, b in zip(rest + region.lower, rest + region.upper, strict=True)]
        inside = np.array([[E.divergence(np.array([a, b])) for a in near[0].tolist()] for b in near[1].tolist()])
        ax.contour(*near, inside, [region.level / small], colors=GREEN, linewidths=1.4)
        ax.plot([], [], color=GREEN, lw=1.4, label=f"certified, h = {CERTIFIED:g} h*")
    marks = ("", "o", "s")
    for each, path, colour, mark in zip(orbits, logs, COLOURS, marks, strict=True):
        label = f"h = {each.h / edge:.2f} h*"
        style: dict[str, Any] = {"lw": 1.3 if not mark else 0.7, "marker": mark, "ms": 2.6, "mfc": "white"}
        ax.plot(*path.T, color=colour, markevery=range(min(MARKED, len(path))), label=label, **style)
    ax.plot(*np.log(E.rest), "*", ms=9, color="k", zorder=5, label="rest")
    ax.plot(*logs[0][0], "x", ms=6, color="k", zorder=5, label="W₀")
    ax.set(xlabel="ln R, neuron tuned to the baseline", ylabel="ln R, neuron tuned to the stimulus")
    name_axes(ax, "(a) contours of E − E*, two neurons")
    ax.legend(frameon=True, framealpha=0.9, edgecolor="none", fontsize="x-small", loc="best")


def _draw_courses(ax: Axes, courses: tuple[Descent, ...], edge: float) -> None:
    for each, colour, style in zip(courses, COLOURS, ("-", (0, (5, 1.5)), "-."), strict=True):
        ax.semilogy(each.excess, color=colour, lw=1.1, ls=style, label=f"h = {each.h / edge:.2f} h*")
        shown = each.raised[::RAISED_EVERY]
        ax.semilogy(shown, each.excess[shown], "v", ms=3.5, mfc="white", color=colour)
    ax.plot([], [], "v", ms=4, mfc="white", color="0.3", ls="", label=f"E rose (each {RAISED_EVERY}th)")
    ax.set(xlabel="updates t", ylabel="E − E*", ylim=(1e-24, 1e2))
    ax.legend(frameon=False, fontsize="x-small", loc="upper right", ncols=2)
    finish_axes(ax, f"(b) along orbits, h* = {edge:.4f}")


def _draw_forms(ax: Axes, study: Energies) -> None:
    t = np.arange(len(study.divergence))
    above = np.where(study.subtracted > 0.0, study.subtracted, np.nan)
    ax.semilogy(t, above, color="0.65", lw=2.6, label="E(t) − E*, subtracted")
    ax.semilogy(t, study.divergence, color=COLOURS[0], lw=1.2, label="the divergence")
    curved = r"its $\Sigma\,p\,(e^{\delta} - 1 - \delta)$"
    ax.semilogy(t, study.parts[:, 1], color=COLOURS[1], lw=1.0, ls="--", label=curved)
    ax.semilogy(t, study.parts[:, 0], color=COLOURS[2], lw=1.0, ls=":", label="its ½ d²")
    ax.set(xlabel="updates t", ylabel="E − E* at β = 0")
    ax.legend(frameon=False, fontsize="x-small", loc="best")
    finish_axes(ax, "(c) the divergence form")


def _draw_largest_steps(ax: Axes, study: Energies) -> None:
    beta = np.linspace(*RATES, FLIP_POINTS)
    flips = [flip_step(network(alpha=ALPHA, beta=float(each))) for each in beta]
    ax.plot(beta, flips, color=COLOURS[0], lw=1.2, label="flip, h* = 2/(αμ/n − β)")
    ax.plot(
        study.beta,
        study.largest,
        "o",
        ms=4,
        mfc="white",
        color=COLOURS[2],
        ls="",
        label="E falls at every update",
    )
    ax.set(xlabel="rate of decay β (α = 0.5)", ylabel="step h", ylim=(0.0, None))
    ax.legend(frameon=False, fontsize="x-small", loc="best")
    finish_axes(ax, "(d) the largest step of descent")


def _rows(study: Energies) -> Iterator[list[Any]]:
    for name, orbits in (("plane", study.plane), ("course", study.courses)):
        for each in orbits:
            yield from ([name, each.h, t, value, ""] for t, value in enumerate(each.excess.tolist()))
    for t, both in enumerate(zip(study.divergence.tolist(), study.subtracted.tolist(), strict=True)):
        yield ["divergence", 0.0, t, *both]
    for beta, flip, most in zip(study.beta.tolist(), study.flip.tolist(), study.largest.tolist(), strict=True):
        yield ["flip and largest step", beta, "", flip, most]
