"""The semi-saturation σ: doublings as it falls.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2), α = 0.72, β = −0.1,
b = 0.05; σ from 0.12 to 0.26. The target C = R₀ R₀ᵀ moves with σ, since R₀ does. The response drawn is that of the
neuron tuned to the baseline.

A small σ leaves responses to be bounded by the weights alone: gains grow, and the equilibrium, continued in σ, flips as
σ falls. From there the doubled cycles are followed to period 8 (4 in the quick version). Small marks are flips of
branches that are unstable already; their cycles are not followed.
"""

from __future__ import annotations

from pathlib import Path

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
from studies.report import FIGURES, Files
from studies.ring import TO_BASELINE, network
from studies.run_settings import study

BOUNDS = (0.12, 0.26)
FULL = Sampling(longest=8, values=301, transient=600, samples=80)
QUICK = Sampling(longest=4, values=61, transient=200, samples=24)


@study
def run(out: Path = FIGURES, quick: bool = False) -> Cascade:
    """Continue, simulate, draw."""
    sampling = QUICK if quick else FULL
    net = network(alpha=0.72, sigma=BOUNDS[1])
    equilibrium = bf.trace(bf.cycles(net.reduced, "sigma", net.reduced_equilibrium()), {"sigma": BOUNDS})
    branches = trace_doublings(equilibrium, BOUNDS, sampling.longest)
    orbits = simulate(net, "sigma", BOUNDS, TO_BASELINE, sampling)
    panel = Panel(net, "sigma", TO_BASELINE, branches, orbits)
    return publish_cascade(Files("sigma", out), [panel], lambda: _draw(panel, sampling))


def _draw(panel: Panel, sampling: Sampling) -> Figure:
    drawn, (ax,) = new_cascade_figure(
        "Less semi-saturation doubles the period", "α = 0.72, β = −0.1, b = 0.05", [sampling]
    )
    draw_panel(panel, ax, "semi-saturation σ", "R of the neuron tuned to the baseline")
    return drawn
