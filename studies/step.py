"""Are flips an artefact of the step? The same rule taken in steps of size h: W⁺ = W + h [α (R Rᵀ − C) + β (W − C)].

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2), α = 0.5, β = −0.1, σ = 1/6,
b = 0.05; h from 0.05 to 2. This is the rule at rates h α and h β, so that γ = α/β, and with it the equilibrium, stays.

Its multipliers are 1 + h (β − α μ/n), so that it is stable for h < h* = 2/(α μ_max/n − β) and flips at h*, here 1.5034.
As h → 0 the rule becomes the flow, which descends E and never flips. The objection is right about the flow, and none to
the rule as posed: there an update is one presentation, α and β are what it changes, and h is 1.

(a) The equilibrium and its doubled cycles against h, over simulated orbits. (b) Its largest and its least multiplier:
disturbances decay fastest where both have one modulus, at h = 1.3095, not at the smallest step. (c) The update at which
the orbit from W₀ = 1 is proved to settle, by what its energy bounds from there on (net.certificate), up to h*: the
largest step that is certified is h* at rest, and falls with the energy of the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

import bifurcate as bf
from studies.cascade import Sampling, new_cascade_figure, trace_doublings
from studies.report import BLACK, BLUE, FIGURES, GREEN, ORANGE, Files, Table, finish_axes, publish
from studies.ring import TO_BASELINE, network, response
from studies.run_settings import study

ALPHA, BETA = 0.5, -0.1
BOUNDS = (0.05, 2.0)
CASCADE = 1.35  # h from which (a) is drawn: below there is nothing but the equilibrium, which does not move
PARTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)  # of h*, at which (c) looks for proofs
LONGEST_PROOF = 2000  # updates after which (c) gives up
FULL = Sampling(longest=8, values=311, transient=800, samples=80)
QUICK = Sampling(longest=4, values=53, transient=300, samples=24)


@dataclass(frozen=True, eq=False)
class Steps:
    """What was found, and where it was written.

    Attributes
    ----------
    branches : tuple of Branch
        The equilibrium in h, then its doubled cycles.
    orbits : OrbitDiagram
    rates : ndarray, shape (n,)
        α μ/n − β, the rates of the flow at the equilibrium, rising.
    flip : float
        h* = 2/max(rates).
    best : float
        2/(max + min), where the largest modulus of the multipliers is least.
    proved : ndarray, shape (steps, 2)
        h, and the update at which the orbit is proved to settle; NaN where it is not.
    files : Files
    """

    branches: tuple[bf.Branch, ...]
    orbits: bf.OrbitDiagram
    rates: np.ndarray
    flip: float
    best: float
    proved: np.ndarray
    files: Files


def stepped(net: bf.adaptation.Network) -> bf.Map:
    """The reduced rule as a map whose one parameter is the step."""
    rule = net.reduced
    assert rule.jacobian is not None and rule.jvp is not None and rule.domain is not None
    jacobian, jvp, domain = rule.jacobian, rule.jvp, rule.domain

    def at(h: float) -> dict[str, float]:
        return {**net.parameters, "alpha": h * net.alpha, "beta": h * net.beta}

    return bf.Map(
        lambda y, h: rule.f(y, **at(h)),
        {"h": 1.0},
        jvp=lambda y, v, h: jvp(y, v, **at(h)),
        jacobian=lambda y, h: jacobian(y, **at(h)),
        parameter_derivative=lambda y, name, h: rule.f(y, **at(1.0)) - y,
        domain=lambda y, h: domain(y, **at(h)),
        scale=rule.scale,
        name="adaptation in steps of h",
    )


@study
def proved_at(net: bf.adaptation.Network, h: float) -> float:
    """The first update at whose state the orbit from W₀ is proved to settle in steps of h; NaN if there is none."""
    scaled = net.replace(alpha=h * net.alpha, beta=h * net.beta)
    y, rule = scaled.project(scaled.initial), scaled.reduced
    for t in range(LONGEST_PROOF):
        if scaled.certificate(y).settles:
            return float(t)
        y = rule(y)
    return np.nan


def run(out: Path = FIGURES, quick: bool = False) -> Steps:
    """Continue, simulate, draw."""
    sampling = QUICK if quick else FULL
    net = network(alpha=ALPHA, beta=BETA)
    rule, y = stepped(net), np.asarray(net.reduced_equilibrium())
    rates = np.sort(1.0 - bf.multipliers(net.reduced, y).values.real)
    see = response(net, TO_BASELINE)

    def observable(state: np.ndarray, h: float) -> float:
        return see(state, **net.parameters)

    equilibrium = bf.trace(bf.cycles(rule.replace(h=BOUNDS[0]), "h", y), {"h": BOUNDS})
    orbits = bf.orbit_diagram(
        rule,
        "h",
        np.linspace(*BOUNDS, sampling.values),
        net.project(net.initial),
        observable,
        transient=sampling.transient,
        samples=sampling.samples,
    )
    study = Steps(
        branches=trace_doublings(equilibrium, BOUNDS, sampling.longest),
        orbits=orbits,
        rates=rates,
        flip=2.0 / rates[-1],
        best=2.0 / (rates[-1] + rates[0]),
        proved=np.array([(h, proved_at(net, h)) for h in (np.array(PARTS) * 2.0 / rates[-1]).tolist()]),
        files=Files("step", out),
    )
    publish(study.files, lambda: _draw(study, observable, sampling), _table(study, observable))
    flip, best = equilibrium.first("flip").parameters["h"], study.best
    print(f"flip at h = {flip:.12f}; 2/(alpha mu_max/n - beta) = {study.flip:.12f}")
    for h, t in study.proved.tolist():
        print(f"h = {h:.4f} ({h / study.flip:.2f} h*): proved to settle at update {t:.0f}")
    print(f"fastest at h = {best:.6f}: {-1.0 / np.log(1.0 - best * rates[0]):.3g} steps a factor e")
    return study


def _draw(study: Steps, observable: Callable[..., float], sampling: Sampling) -> Figure:
    drawn, (top, below, last) = new_cascade_figure(
        "The flip belongs to the step, and the step to the rule",
        "α = 0.5 h, β = −0.1 h, σ = 1/6, b = 0.05",
        [sampling],
        mosaic="a;b;c",
        height=9.2,
        note="\n(c): the update at which the orbit from W₀ = 1 is proved to settle.",
    )
    bf.plot.diagram(
        study.branches,
        "h",
        observable,
        orbits=study.orbits,
        ax=top,
        ylabel="R, neuron tuned to the baseline",
        xlabel="step h",
    )
    top.set_xlim(CASCADE, BOUNDS[1] + 0.01 * (BOUNDS[1] - CASCADE))
    for ax, name in ((top, "(a)"), (below, "(b)"), (last, "(c)")):
        ax.text(0.01, 0.97, name, va="top", transform=ax.transAxes)
    _draw_multipliers(below, study)
    last.semilogy(*study.proved.T, "o-", ms=4, mfc="white", lw=0.9, color=BLACK)
    last.axvline(study.flip, color=BLUE, lw=0.9, ls=":")
    last.set(xlabel="step h", ylabel="update of the proof", xlim=(0.0, 1.01 * BOUNDS[1]))
    last.text(study.flip, 0.9, " h*", color=BLUE, transform=last.get_xaxis_transform())
    last.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    last.yaxis.set_major_formatter(ScalarFormatter())
    last.yaxis.set_minor_formatter(NullFormatter())
    finish_axes(last)
    return drawn


def _draw_multipliers(ax: Axes, study: Steps) -> None:
    rates, flip, best = study.rates, study.flip, study.best
    h = np.linspace(*BOUNDS, 400)
    lam = 1.0 - np.outer(h, rates)
    ax.axhspan(-3.0, -1.0, color="0.93", zorder=0)
    ax.plot(h, lam[:, [0, -1]], color=BLACK, lw=1.1)
    ax.plot(h, np.abs(lam).max(axis=1), color=ORANGE, lw=2.2, ls=(0, (5, 2)), label="largest modulus")
    ax.plot([], [], color=BLACK, lw=1.1, label="1 + h (β − αμ/n), the largest and the least")
    ax.plot([flip], [-1.0], "o", ms=5.5, mfc="white", mew=1.2, color=BLUE, label=f"flip, h* = {flip:.4f}")
    modulus = 1.0 - best * rates[0]
    ax.plot([best], [modulus], "D", ms=4.5, mfc="white", mew=1.2, color=GREEN, label=f"fastest, h = {best:.4f}")
    ax.set(xlabel="step h", ylabel="multipliers λ", xlim=(0.0, 1.01 * BOUNDS[1]), ylim=(-1.75, 1.75))
    ax.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, borderaxespad=0.2)
    finish_axes(ax)


def _table(study: Steps, observable: Callable[..., float]) -> Table:
    longest = max(branch.curve.period for branch in study.branches)

    def rows() -> Iterator[list[Any]]:
        for number, branch in enumerate(study.branches):
            for h, stable, row in zip(branch["h"], branch.stable, bf.plot.observe(branch, observable), strict=True):
                yield [number, branch.curve.period, h, int(stable), *row]

    return Table(["branch", "period", "h", "stable", *(f"response_{j + 1}" for j in range(longest))], rows())
