"""The energy that the outputs descend: its contours, its course along orbits, and the step at which the descent ends.

(a) Two neurons, preferring 0 and π/2, so that a plane shows all of E: baseline (contrast 0.8, orientation 0), stimulus
(0.8, π/2), β = −0.1, σ = 1/6, b = 0.05. Contours of E − E*, equally spaced in their logarithm, over ln R₁ and ln R₂;
from W₀ = 1 a tenth of a step, whole steps below the flip, and steps past it, which end in a 2-cycle across the valley.

The rest is the network of 16 neurons of the other studies, α = 0.5, in steps of h:
W⁺ = W + h [α (R Rᵀ − C) + β (W − C)].

(b) E − E* along orbits from W₀ = 1, below and past the flip at h*. Where a step raises E it is marked. (c) At β = 0 the
divergence form, (α/n)(r·R₀)² [½ d² + Σ p (e^δ − 1 − δ)], and its two parts, against the difference of two values of E,
which rounding stops. (d) The largest step at which E falls at every update of the orbit from W₀ = 1, measured, against
the step h* = 2/(α μ_max/n − β) at which the equilibrium flips, for β from −0.4 to −0.025. Near rest the two are one;
far from rest E can rise earlier.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import BASELINE, DPI, FIGURES, STIMULUS, STYLE, network

ALPHA = 0.5
FLOOR = 1e-28  # of E − E*, below which an orbit counts as at rest
COLOURS = ("#1a1a1a", "#1b6ca8", "#c2571a")


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
        """Numbers of the states that have more energy than the one before, by more than rounding."""
        before, after = self.excess[:-1], self.excess[1:]
        return np.flatnonzero((after > before * (1.0 + 1e-9)) & (before > FLOOR)) + 1


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
    png, pdf, csv : Path
    """

    plane: tuple[Descent, ...]
    courses: tuple[Descent, ...]
    subtracted: np.ndarray
    divergence: np.ndarray
    parts: np.ndarray
    beta: np.ndarray
    flip: np.ndarray
    largest: np.ndarray
    png: Path
    pdf: Path
    csv: Path


def descend(net: bf.adaptation.Network, h: float, steps: int) -> Descent:
    """The orbit from W₀, until it is at rest or beyond a pole."""
    E = net.energy("y")
    y = net.project(net.initial)
    states, excess = [y], [E.divergence(y)]
    for _ in range(steps):
        y = y + h * (net.reduced(y) - y)
        if not (net.sigma**2 + y > 0.0).all():
            break
        states.append(y)
        excess.append(E.divergence(y))
        if excess[-1] < FLOOR:
            break
    return Descent(h, np.array(states), np.array(excess))


def flip(net: bf.adaptation.Network) -> float:
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
    while above - below > 1e-4 * above:
        middle = 0.5 * (below + above)
        below, above = (below, middle) if rises(middle) else (middle, above)
    return float(0.5 * (below + above))


def run(out: Path = FIGURES, quick: bool = False) -> Energies:
    """Descend, measure, draw."""
    pair = bf.adaptation.ring(2, BASELINE, STIMULUS, alpha=ALPHA, beta=-0.1, sigma=1 / 6, b=0.05)
    edge = flip(pair)
    plane = tuple(descend(pair, h, steps) for h, steps in ((0.1 * edge, 400), (0.9 * edge, 200), (1.04 * edge, 60)))

    net = network(alpha=ALPHA, beta=-0.1)
    courses = tuple(descend(net, factor * flip(net), 150) for factor in (0.5, 0.97, 1.05))

    still = network(alpha=0.2, beta=0.0, b=0.8)
    subtracted, divergence, parts = divergence_along(still, 400 if quick else 1600)

    beta = np.linspace(-0.4, -0.025, 3 if quick else 16)
    nets = [network(alpha=ALPHA, beta=float(each)) for each in beta]
    steps, grid = (400, 12) if quick else (1500, 40)
    flips = np.array([flip(each) for each in nets])
    largest = np.array([largest_step(each, 1.02 * h, steps, grid) for each, h in zip(nets, flips, strict=True)])

    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(6.9, 6.8), layout="constrained")
        drawn.suptitle("The energy that the outputs descend", x=0.01, ha="left", fontsize=11)
        drawn.supxlabel(
            "Baseline of contrast 0.8 at 0°, stimulus of contrast 0.8 at 90°; σ = 1/6, b = 0.05. (a) 2 neurons, "
            "the rest 16; α = 0.5 h,\n"
            "β = −0.1 h in (a) and (b), α = 0.2, β = 0, b = 0.8 in (c). All orbits start at W₀ = 1.",
            x=0.01, ha="left", fontsize=8, color="0.3",
        )  # fmt: skip
        axes = drawn.subplot_mosaic("ab;cd")
        _plane(axes["a"], pair, plane, edge)
        _courses(axes["b"], courses, flip(net))
        _forms(axes["c"], subtracted, divergence, parts)
        _largest(axes["d"], beta, flips, largest)
        out.mkdir(parents=True, exist_ok=True)
        paths = [out / f"energy.{end}" for end in ("png", "pdf", "csv")]
        study = Energies(plane, courses, subtracted, divergence, parts, beta, flips, largest, *paths)
        drawn.savefig(study.png, dpi=DPI)
        drawn.savefig(study.pdf, dpi=DPI, metadata={"CreationDate": None})
    _write(study)
    print(f"\nenergy: {', '.join(map(str, paths))}")
    for course in courses:
        print(f"h = {course.h:.6f}: {len(course.raised)} of {len(course.excess) - 1} updates raise E")
    for each, h, most in zip(beta, flips, largest, strict=True):
        print(f"beta = {each:+.4f}: flip at h = {h:.6f}; E falls at every update of the orbit for h < {most:.4f}")
    return study


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


def _plane(ax: Axes, net: bf.adaptation.Network, orbits: tuple[Descent, ...], edge: float) -> None:
    E = net.energy("log R")
    logs = [np.log(net.drive / (net.sigma**2 + each.y)) for each in orbits]
    every = np.vstack(logs)
    low, high = every.min(axis=0), every.max(axis=0)
    margin = 0.12 * (high - low)
    x, z = (np.linspace(a, b, 90) for a, b in zip(low - margin, high + margin, strict=True))
    levels = np.array([[E.divergence(np.array([a, b])) for a in x.tolist()] for b in z.tolist()])
    ax.contour(x, z, np.log10(levels), np.arange(-5.0, 2.0, 0.25), colors="0.7", linewidths=0.7, linestyles="solid")
    marks = ("", "o", "s")
    for each, path, colour, mark in zip(orbits, logs, COLOURS, marks, strict=True):
        label = f"h = {each.h / edge:.2f} h*"
        ax.plot(*path.T, color=colour, lw=1.3 if not mark else 0.7, marker=mark, ms=2.6, mfc="white", label=label)
    ax.plot(*np.log(E.rest), "*", ms=9, color="k", zorder=5, label="rest")
    ax.plot(*logs[0][0], "x", ms=6, color="k", zorder=5, label="W₀")
    ax.set(xlabel="ln R of the neuron tuned to the baseline", ylabel="ln R of the neuron tuned to the stimulus")
    ax.set_title("(a) contours of E − E*, two neurons", fontsize=9, loc="left")
    ax.legend(frameon=True, framealpha=0.9, edgecolor="none", fontsize="x-small", loc="best")


def _courses(ax: Axes, courses: tuple[Descent, ...], edge: float) -> None:
    for each, colour, style in zip(courses, COLOURS, ("-", "-", "-"), strict=True):
        ax.semilogy(each.excess, color=colour, lw=1.1, ls=style, label=f"h = {each.h / edge:.2f} h*")
        ax.semilogy(each.raised, each.excess[each.raised], "v", ms=3.5, mfc="white", color=colour)
    ax.plot([], [], "v", ms=4, mfc="white", color="0.3", ls="", label="E rose")
    ax.set(xlabel="updates t", ylabel="E − E*", ylim=(1e-24, 1e2))
    ax.set_title(f"(b) along orbits, h* = {edge:.4f}", fontsize=9, loc="left")
    ax.legend(frameon=False, fontsize="x-small", loc="upper right", ncols=2)
    ax.spines[["top", "right"]].set_visible(False)


def _forms(ax: Axes, subtracted: np.ndarray, divergence: np.ndarray, parts: np.ndarray) -> None:
    t = np.arange(len(divergence))
    above = np.where(subtracted > 0.0, subtracted, np.nan)
    ax.semilogy(t, above, color="0.65", lw=2.6, label="E(t) − E*, subtracted")
    ax.semilogy(t, divergence, color=COLOURS[0], lw=1.2, label="the divergence")
    ax.semilogy(t, parts[:, 1], color=COLOURS[1], lw=1.0, ls="--", label="its Σ p (e^δ − 1 − δ)")
    ax.semilogy(t, parts[:, 0], color=COLOURS[2], lw=1.0, ls=":", label="its ½ d²")
    ax.set(xlabel="updates t", ylabel="E − E* at β = 0")
    ax.set_title("(c) the divergence form", fontsize=9, loc="left")
    ax.legend(frameon=False, fontsize="x-small", loc="best")
    ax.spines[["top", "right"]].set_visible(False)


def _largest(ax: Axes, beta: np.ndarray, flips: np.ndarray, largest: np.ndarray) -> None:
    ax.plot(beta, flips, color=COLOURS[0], lw=1.2, label="flip, h* = 2/(αμ/n − β)")
    ax.plot(beta, largest, "o", ms=4, mfc="white", color=COLOURS[2], ls="-", lw=0.8, label="E falls at every update")
    ax.set(xlabel="rate of decay β (α = 0.5)", ylabel="step h", ylim=(0.0, None))
    ax.set_title("(d) the largest step of descent", fontsize=9, loc="left")
    ax.legend(frameon=False, fontsize="x-small", loc="best")
    ax.spines[["top", "right"]].set_visible(False)


def _write(study: Energies) -> None:
    with study.csv.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["what", "h or beta", "t", "value", "other"])
        for name, orbits in (("plane", study.plane), ("course", study.courses)):
            for each in orbits:
                table.writerows([name, each.h, t, value, ""] for t, value in enumerate(each.excess.tolist()))
        for t, both in enumerate(zip(study.divergence.tolist(), study.subtracted.tolist(), strict=True)):
            table.writerow(["divergence", 0.0, t, *both])
        for beta, flips, most in zip(study.beta.tolist(), study.flip.tolist(), study.largest.tolist(), strict=True):
            table.writerow(["flip and largest step", beta, "", flips, most])
