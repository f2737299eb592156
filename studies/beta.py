"""The rate of decay β: doublings where weights decay slowly, and a fold where they grow.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2), σ = 1/6, b = 0.5.

(a) α = 0.5, β from −0.25 to −0.06, the neuron tuned to the baseline. Decay holds the equilibrium stable; as it weakens
the equilibrium flips, and the doubled cycles are followed to period 8 (4 in the quick version).

(b) α = 0.2, β from −0.001 through 0 into growth, the neuron tuned to the stimulus. In y = W r/n the branch passes β = 0
smoothly. At β = α μ_min/n, of order 10⁻³, it folds, with μ_min the least eigenvalue of (R·r) diag(R²/r) + R (R²)ᵀ;
beyond there is no equilibrium to settle at. Up to the fold the outputs are stable. The weights are not: 1 + β > 1 is a
multiplier of theirs 240 times.

(c) What that means, on all 256 weights from W₀ = 1 and at half the fold's β: the outputs come to rest to twelve
digits, the weights leave like (1 + β)ᵗ. What grows is their part that does not act on this stimulus, W⊥ r = 0; it shows
only once its rounding errors do.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes

import bifurcate as bf
from studies.report import (
    FIGURES,
    TO_BASELINE,
    TO_STIMULUS,
    N,
    Panel,
    Study,
    doublings,
    draw,
    figure,
    network,
    publish,
    simulate,
)

DECAY = (-0.25, -0.06)
GROWTH = (-0.001, 0.004)
FAR = bf.StepControl(farthest=60.0)  # past the fold the branch returns to β = 0 with y → ∞


def decay(quick: bool) -> Panel:
    """(a) The cascade."""
    net = network(alpha=0.5, beta=DECAY[0], b=0.5)
    equilibrium = bf.trace(bf.cycles(net.reduced, "beta", net.reduced_equilibrium()), {"beta": DECAY})
    branches = doublings(equilibrium, DECAY, to=4 if quick else 8)
    values, transient, keep = (np.linspace(*DECAY, 39), 200, 24) if quick else (np.linspace(*DECAY, 229), 600, 80)
    return Panel(net, "beta", TO_BASELINE, branches, simulate(net, "beta", values, TO_BASELINE, transient, keep))


def growth(quick: bool) -> Panel:
    """(b) The fold; convergence slows down towards it, so that transients are long."""
    net = network(alpha=0.2, beta=GROWTH[0], b=0.5)
    equilibrium = bf.trace(bf.cycles(net.reduced, "beta", net.reduced_equilibrium()), {"beta": GROWTH}, control=FAR)
    values, transient = (np.linspace(*GROWTH, 11), 2000) if quick else (np.linspace(*GROWTH, 41), 6000)
    return Panel(net, "beta", TO_STIMULUS, (equilibrium,), simulate(net, "beta", values, TO_STIMULUS, transient, 4))


def leave(net: bf.adaptation.Network, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """(c) Distances of outputs and of weights from rest along an orbit of the full map from W₀."""
    rest = net.equilibrium()
    weights = bf.orbit(net.update, net.initial, steps).states
    outputs = net.drive / (net.sigma**2 + weights @ net.drive / N)
    return np.abs(outputs - net.response(rest)).max(axis=1), np.linalg.norm(weights - rest, axis=(1, 2))


def run(out: Path = FIGURES, quick: bool = False) -> Study:
    """Continue, simulate, draw."""
    panels = [decay(quick), growth(quick)]
    fold = panels[1].branches[0].first("fold").parameters["beta"]
    net = panels[1].network.replace(beta=0.5 * fold)
    outputs, weights = leave(net, 4001)

    drawn, (top, left, right) = figure(
        "Slower decay doubles the period; growth ends in a fold",
        "σ = 1/6, b = 0.5",
        mosaic="aa;bc",
        height=7.6,
    )
    draw(panels[0], top, "rate of decay, β < 0", "R of the neuron tuned to the baseline")
    draw(panels[1], left, "rate of decay or growth, β", "R of the neuron tuned to the stimulus")
    _shade(left)
    _courses(right, outputs, weights, net.beta)
    _name(top, "(a) α = 0.5", 0.02, "left")
    _name(left, "(b) α = 0.2", 0.98, "right")
    _name(right, f"(c) α = 0.2, β = {net.beta:.2g}", 0.02, "left")
    study = publish("beta", drawn, panels, out)
    print(f"at beta = {net.beta:.6g}, half the fold's: {net.stability(net.equilibrium()).reason}")
    return study


def _name(ax: Axes, words: str, x: float, side: Literal["left", "right"]) -> None:
    ax.text(x, 0.98, words, ha=side, va="top", transform=ax.transAxes)


def _shade(ax: Axes) -> None:
    ax.axvspan(0.0, GROWTH[1], color="0.93", zorder=0)
    words = f"β > 0: outputs\nstable on the solid line,\nweights unstable\n(1 + β, {N * (N - 1)} times)"
    ax.text(0.0013, 0.24, words, ha="center", va="center", fontsize="small")
    ax.text(GROWTH[1], 0.02, "R → 0", ha="right", fontsize="small")


def _courses(ax: Axes, outputs: np.ndarray, weights: np.ndarray, beta: float) -> None:
    t = np.arange(len(outputs))
    ax.semilogy(t, weights, color="#c2571a", lw=1.5, label="weights, ‖W − W*‖")
    ax.semilogy(t, weights[-1] * (1.0 + beta) ** (t - t[-1]), color="0.2", ls=":", lw=1.5, label="∝ (1 + β)ᵗ")
    ax.semilogy(t, outputs, color="#1a1a1a", lw=1.2, label="outputs, max |R − R*|")
    ax.set(xlabel="steps t of the full map", ylabel="distance from rest", ylim=(1e-14, 1e7))
    ax.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
    ax.spines[["top", "right"]].set_visible(False)
