"""The rate of decay β: doublings where weights decay slowly, and a fold where they grow.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2), σ = 1/6, b = 0.5.

(a) α = 0.5, β from −0.25 to −0.06, the neuron tuned to the baseline. Decay holds the equilibrium stable; as it weakens
the equilibrium flips, and the doubled cycles are followed to period 8 (4 in the quick version).

(b) α = 0.2, β from −0.001 through 0 into growth, the neuron tuned to the stimulus. In y = W r/n the branch passes β = 0
smoothly. At β = α μ_min/n, of order 10⁻³, it folds, with μ_min the least eigenvalue of (R·r) diag(R²/r) + R (R²)ᵀ;
beyond there is no equilibrium to settle at. Up to the fold the outputs are stable. The weights are not: 1 + β > 1 is a
multiplier of theirs 240 times.

(c) What that means, on all 256 weights from W₀ = 1 and at half the fold's β: the outputs converge to twelve
digits, the weights grow like (1 + β)ᵗ. What grows is their part that does not act on this stimulus, W⊥ r = 0; it shows
only once its rounding errors do.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.cascade import (
    Cascade,
    Panel,
    Sampling,
    draw_panel,
    new_cascade_figure,
    publish_cascade,
    simulate,
    trace_doublings,
)
from studies.report import BLACK, FIGURES, ORANGE, Files, finish_axes
from studies.ring import TO_BASELINE, TO_STIMULUS, N, network, response
from studies.run_settings import study

DECAY = (-0.25, -0.06)
GROWTH = (-0.001, 0.004)
FAR = bf.StepControl(farthest=60.0)  # past the fold the branch returns to β = 0 with y → ∞
UPDATES = 4001  # of all weights, in (c)


@dataclass(frozen=True)
class Settings:
    """How much is followed and simulated in (a) and in (b)."""

    decay: Sampling
    growth: Sampling


# Convergence slows down towards the fold, so that transients are long in (b).
FULL = Settings(
    decay=Sampling(longest=8, values=229, transient=600, samples=80),
    growth=Sampling(longest=1, values=41, transient=6000, samples=4),
)
QUICK = Settings(
    decay=Sampling(longest=4, values=39, transient=200, samples=24),
    growth=Sampling(longest=1, values=11, transient=2000, samples=4),
)


class Distances(NamedTuple):
    """(c) Distances from the equilibrium along an orbit of the full map.

    Attributes
    ----------
    beta : float
    outputs, weights : ndarray, shape (updates,)
        max |R − R*| and ‖W − W*‖.
    """

    beta: float
    outputs: np.ndarray
    weights: np.ndarray


def trace_decay(sampling: Sampling) -> Panel:
    """(a) The cascade."""
    net = network(alpha=0.5, beta=DECAY[0], b=0.5)
    equilibrium = bf.trace(bf.cycles(net.reduced, "beta", net.reduced_equilibrium()), {"beta": DECAY})
    branches = trace_doublings(equilibrium, DECAY, sampling.longest)
    return Panel(net, "beta", TO_BASELINE, branches, simulate(net, "beta", DECAY, TO_BASELINE, sampling))


def trace_growth(sampling: Sampling) -> Panel:
    """(b) The fold."""
    net = network(alpha=0.2, beta=GROWTH[0], b=0.5)
    equilibrium = bf.trace(bf.cycles(net.reduced, "beta", net.reduced_equilibrium()), {"beta": GROWTH}, control=FAR)
    fold = equilibrium.first("fold").parameters["beta"]
    # Beyond the fold outputs fall towards 0 for ever: what an orbit has reached there is no long-run state.
    orbits = simulate(net, "beta", (GROWTH[0], fold), TO_STIMULUS, sampling)
    return Panel(net, "beta", TO_STIMULUS, (equilibrium,), orbits)


def measure_distances(net: bf.adaptation.Network) -> Distances:
    """(c) How far outputs and weights are from the equilibrium along the orbit of W₀."""
    equilibrium = net.equilibrium()
    weights = bf.orbit(net.update, net.initial, UPDATES).states
    outputs = net.drive / (net.sigma**2 + weights @ net.drive / N)
    return Distances(
        beta=net.beta,
        outputs=np.abs(outputs - net.response(equilibrium)).max(axis=1),
        weights=np.linalg.norm(weights - equilibrium, axis=(1, 2)),
    )


@study
def run(out: Path = FIGURES, quick: bool = False) -> Cascade:
    """Continue, simulate, draw."""
    settings = QUICK if quick else FULL
    panels = [trace_decay(settings.decay), trace_growth(settings.growth)]
    fold = panels[1].branches[0].first("fold").parameters["beta"]
    net = panels[1].network.replace(beta=0.5 * fold)
    distances = measure_distances(net)
    study = publish_cascade(Files("beta", out), panels, lambda: _draw(panels, distances, settings))
    print(f"at beta = {net.beta:.6g}, half the fold's: {net.stability(net.equilibrium()).reason}")
    return study


def _draw(panels: list[Panel], distances: Distances, settings: Settings) -> Figure:
    drawn, (top, left, right) = new_cascade_figure(
        "Slower decay doubles the period; growth ends in a fold",
        "σ = 1/6, b = 0.5",
        [settings.decay, settings.growth],
        note=f"\n(b): the branch is followed until y has grown by {FAR.farthest:.0f} scales, orbits up to the fold.",
        mosaic="aa;bc",
        height=7.6,
    )
    draw_panel(panels[0], top, "rate of decay, β < 0", "R of the neuron tuned to the baseline")
    draw_panel(panels[1], left, "rate of decay or growth, β", "R of the neuron tuned to the stimulus", legend=False)
    _explain_growth(left, panels[1])
    _draw_distances(right, distances)
    _name_panel(top, "(a) α = 0.5", 0.02, "left")
    _name_panel(left, "(b) α = 0.2", 0.02, "left")
    _name_panel(right, f"(c) α = 0.2, β = {distances.beta:.2g}", 0.02, "left")
    return drawn


def _name_panel(ax: Axes, words: str, x: float, side: Literal["left", "right"]) -> None:
    ax.text(x, 0.98, words, ha=side, va="top", transform=ax.transAxes)


def _explain_growth(ax: Axes, panel: Panel) -> None:
    """(b): the region of growth, what solid and dashed mean in it, and where the branch ends."""
    (branch,) = panel.branches
    ax.axvspan(0.0, GROWTH[1], color="0.93", zorder=0)
    ax.set_ylim(top=1.42 * float(ax.get_ylim()[1]))
    words = f"β > 0, solid: outputs stable,\nweights not (1 + β, {N * (N - 1)} times)"
    ax.text(0.98, 0.88, words, ha="right", va="top", fontsize="small", transform=ax.transAxes)
    end = branch.points[-1]
    R = response(panel.network, panel.neuron)(end.state, **end.parameters)
    ax.annotate("R → 0", (end.parameters["beta"], R), (-4, 4), textcoords="offset points", fontsize="small", ha="right")


def _draw_distances(ax: Axes, distances: Distances) -> None:
    beta, outputs, weights = distances
    t = np.arange(len(outputs))
    ax.semilogy(t, weights, color=ORANGE, lw=1.5, label="weights, ‖W − W*‖")
    ax.semilogy(t, weights[-1] * (1.0 + beta) ** (t - t[-1]), color="0.2", ls=":", lw=1.5, label="∝ (1 + β)ᵗ")
    ax.semilogy(t, outputs, color=BLACK, lw=1.2, label="outputs, max |R − R*|")
    ax.set(xlabel="steps t of the full map", ylabel="distance from rest", ylim=(1e-14, 1e7))
    ax.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
    finish_axes(ax)
