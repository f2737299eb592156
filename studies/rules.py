"""Two rules side by side: the adaptation rule, ⟨R Rᵀ⟩, and the nearest one that is a gradient, ⟨R rᵀ⟩.

    W⁺ = W + α (⟨R Rᵀ⟩ − C) + β (W − C),            C = R₀R₀ᵀ        the adaptation rule
    W⁺ = W + α (⟨R rᵀ⟩ − C̃) + β (W − C),            C̃ = R₀r₀ᵀ        ascent of J(W), concave for β ≤ 0

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), β = −0.1, σ = 1/2, b = 0.05; averaged over eight
orientations 22.5° apart at contrast 0.8, of which the one at 90° comes five times as often.

(a) Responses to the adaptor at rest under both rules, and at W = 1: the adaptation rule weakens the neurons tuned to
it, the gradient rule does not, as its fixed point is another one: it is no model of adaptation. (b) Largest modulus of
the multipliers at rest against α, and where each rule flips. (c) J along both orbits from W₀ = 1: the gradient rule
raises it at every update below its flip, up to its maximum; the adaptation rule goes elsewhere. (d) Three neurons and
two stimuli at whose equilibrium the adaptation rule has a complex pair of multipliers, and so no energy in any metric;
those of the gradient rule are real.
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
from studies.report import BLACK, FIGURES, ORANGE, Files, Table, finish_axes, new_figure, publish
from studies.ring import BASELINE, STIMULUS, N

ORIENTATIONS, OFTEN = 8, 5.0
BETA, SIGMA, B = -0.1, 0.5, 0.05
ALPHA = 0.2  # of (a) and (c)
ALPHAS = (0.05, 2.0)  # of (b)
COURSE = 120  # updates of (c)
SEED, TRIES, CLEAR = 5, 500, 1e-4  # of (d): the first draw whose pair has an imaginary part above CLEAR
MAGNIFIED = 1e3  # by which factor imaginary parts are drawn larger
RULES = {"adaptation, R Rᵀ": BLACK, "gradient, R rᵀ": ORANGE}


@dataclass(frozen=True)
class Settings:
    """How much is computed.

    Attributes
    ----------
    alphas : int
        Values of α in (b).
    """

    alphas: int


FULL, QUICK = Settings(40), Settings(14)


@dataclass(frozen=True, eq=False)
class Rules:
    """What was found, and where it was written.

    Attributes
    ----------
    before : ndarray, shape (16,)
        Responses to the adaptor at W = 1.
    after : dict of str to ndarray, shape (16,)
        By rule, at rest.
    alpha : ndarray, shape (alphas,)
    radius : dict of str to ndarray, shape (alphas,)
        Largest modulus of the multipliers of Y at rest.
    objective : dict of str to ndarray, shape (121,)
        J along the orbits.
    top : float
        The maximum of J.
    multipliers : dict of str to ndarray
        (d).
    files : Files
    """

    before: np.ndarray
    after: dict[str, np.ndarray]
    alpha: np.ndarray
    radius: dict[str, np.ndarray]
    objective: dict[str, np.ndarray]
    top: float
    multipliers: dict[str, np.ndarray]
    files: Files


def ensemble() -> tuple[list[tuple[float, float]], np.ndarray]:
    """Orientations from the adaptor's on, and their probabilities."""
    angles = np.mod(STIMULUS[1] + np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS, np.pi)
    weights = np.array([OFTEN, *np.ones(ORIENTATIONS - 1)])
    return [(STIMULUS[0], float(theta)) for theta in angles], weights / weights.sum()


def both_rules(alpha: float) -> tuple[bf.adaptation.StimulationSchedule, bf.adaptation.GradientRule]:
    """The adaptation rule's average and the gradient rule, at that α."""
    net = bf.adaptation.ring(N, BASELINE, STIMULUS, alpha=alpha, beta=BETA, sigma=SIGMA, b=B)
    stimuli, p = ensemble()
    return bf.adaptation.average(net, stimuli, p), bf.adaptation.gradient_rule(net, stimuli, p)


def multipliers(rule: bf.adaptation.StimulationSchedule | bf.adaptation.GradientRule) -> np.ndarray:
    """The multipliers of Y at rest."""
    jacobian = rule.reduced.jacobian
    assert jacobian is not None
    return np.linalg.eigvals(np.asarray(jacobian(rule.reduced_equilibrium(), **rule.reduced.parameters)))


def turning() -> tuple[bf.adaptation.StimulationSchedule, bf.adaptation.GradientRule]:
    """(d): the first of a seeded sequence of ensembles at whose equilibrium the adaptation rule has a complex pair."""
    rng = np.random.default_rng(SEED)
    for _ in range(TRIES):
        r, r0 = rng.uniform(0.05, 1.5, (2, 3))
        stimuli = list(rng.uniform(0.02, 1.5, (2, 3)))
        alpha, sigma = float(rng.uniform(0.05, 0.5)), float(rng.uniform(0.3, 1.0))
        net = bf.adaptation.Network(r, r0, alpha=alpha, beta=-0.05, sigma=sigma)
        schedule = bf.adaptation.average(net, stimuli)
        try:
            values = multipliers(schedule)
        except bf.errors.NotConverged:
            continue
        if np.abs(values.imag).max() > CLEAR:
            return schedule, bf.adaptation.gradient_rule(net, stimuli)
    raise RuntimeError("no ensemble of the sequence has a complex pair")


def run(out: Path = FIGURES, quick: bool = False) -> Rules:
    """Compare, draw."""
    settings = QUICK if quick else FULL
    schedule, ascent = both_rules(ALPHA)
    turning_rules = turning()
    ones = np.array(schedule.network.initial)
    at_rest = (schedule.reduced_equilibrium(), ascent.reduced_equilibrium())
    alpha = np.linspace(*ALPHAS, settings.alphas)
    radius = np.array([_radii(a) for a in alpha.tolist()])
    names = list(RULES)
    study = Rules(
        before=schedule.response(ones)[0],
        after={name: schedule.reduced_response(Y)[0] for name, Y in zip(names, at_rest, strict=True)},
        alpha=alpha,
        radius=dict(zip(names, radius.T, strict=True)),
        objective={names[0]: _course(schedule.update, ascent), names[1]: _course(ascent.update, ascent)},
        top=ascent.objective(ascent.equilibrium()),
        multipliers={names[0]: multipliers(turning_rules[0]), names[1]: multipliers(turning_rules[1])},
        files=Files("rules", out),
    )
    publish(study.files, lambda: _draw(study), Table(["what", "rule", "x", "value", "imaginary part"], _rows(study)))
    for name, values in study.multipliers.items():
        print(f"{name}: largest imaginary part of a multiplier {np.abs(values.imag).max():.3e}")
    return study


def _radii(alpha: float) -> tuple[float, float]:
    schedule, ascent = both_rules(alpha)
    return float(np.abs(multipliers(schedule)).max()), float(np.abs(multipliers(ascent)).max())


def _course(update: bf.Map, ascent: bf.adaptation.GradientRule) -> np.ndarray:
    W, values = np.array(ascent.network.initial), []
    for _ in range(COURSE + 1):
        values.append(ascent.objective(W))
        W = np.asarray(update(W))
    return np.array(values)


def _draw(study: Rules) -> Figure:
    drawn = new_figure(
        "The adaptation rule, and the nearest one that is a gradient",
        f"{N} neurons, baseline of contrast 0.8 at 0°; {ORIENTATIONS} orientations at contrast 0.8, the one at 90° "
        f"five times as often, averaged;\nβ = −{-BETA:g}, σ = {SIGMA:g}, b = {B:g}; (a), (c) α = {ALPHA:g}. "
        "(d) 3 neurons, 2 stimuli.\nJ: what the gradient rule ascends; dotted: its maximum.",
        (6.9, 6.6),
    )
    axes = drawn.subplot_mosaic("ab;cd")
    preferred = np.arange(N) * 180.0 / N
    axes["a"].plot(preferred, study.before, color="0.5", lw=1.2, ls=":", label="W = 1")
    for (name, colour), style in zip(RULES.items(), ("-", "--"), strict=True):
        axes["a"].plot(preferred, study.after[name], style, color=colour, lw=1.3, marker=".", ms=4, label=name)
        axes["b"].plot(study.alpha, study.radius[name], style, color=colour, lw=1.3, label=name)
        axes["c"].plot(study.objective[name], style, color=colour, lw=1.3, label=name)
    axes["a"].set(xlabel="neuron's preference (°)", ylabel="response to 90°", ylim=(0, None))
    axes["b"].axhline(1.0, color="0.7", lw=0.8, zorder=0)
    axes["b"].set(xlabel="rate of adaptation α", ylabel="largest modulus")
    axes["c"].axhline(study.top, color="0.7", lw=0.8, ls=":", zorder=0)
    axes["c"].set(xlabel="updates", ylabel="J")
    _draw_multipliers(axes["d"], study)
    titles = (
        "(a) responses at rest",
        "(b) multipliers at rest",
        "(c) J along orbits",
        "(d) multipliers, three neurons",
    )
    for ax, title in zip(axes.values(), titles, strict=True):
        ax.legend(frameon=False, fontsize="x-small")
        finish_axes(ax, title)
    return drawn


def _draw_multipliers(ax: Axes, study: Rules) -> None:
    ax.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    for (name, colour), mark in zip(RULES.items(), ("o", "x"), strict=True):
        values = study.multipliers[name]
        ax.plot(values.real, MAGNIFIED * values.imag, mark, ms=5, mfc="none", color=colour, label=name)
    largest = max(MAGNIFIED * float(np.abs(values.imag).max()) for values in study.multipliers.values())
    ax.set(xlabel="real part", ylabel=f"imaginary part × {MAGNIFIED:,.0f}", ylim=(-2.0 * largest, 2.0 * largest))


def _rows(study: Rules) -> Iterator[list[Any]]:
    yield from (["response before", "", i, value, ""] for i, value in enumerate(study.before.tolist()))
    for name in RULES:
        yield from (["response at rest", name, i, value, ""] for i, value in enumerate(study.after[name].tolist()))
        for a, value in zip(study.alpha.tolist(), study.radius[name].tolist(), strict=True):
            yield ["largest modulus", name, a, value, ""]
        yield from (["J", name, t, value, ""] for t, value in enumerate(study.objective[name].tolist()))
        for j, value in enumerate(study.multipliers[name].tolist()):
            yield ["multiplier", name, j, complex(value).real, complex(value).imag]
