"""The input current b: a cascade, and the same cascade backwards.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2), α = 0.52, β = −0.1, σ = 1/6;
b over the whole of [0, 1]. Drives r = (cᵀ f + b)² and the target move with b. The response drawn is that of the neuron
tuned to the baseline.

With b the neurons that the stimulus leaves almost silent wake up; with more of it all drives become alike. The largest
eigenvalue of (R·r) diag(R²/r) + R (R²)ᵀ, which flips the equilibrium where α μ/n = 2 + β, rises from μ/n = 1.4 at b = 0
to 4.9 at b = 0.3 and falls to 3.3 at b = 1. So every cycle of the cascade is born in one flip and ends in another: its
branch is a closed bubble, and continuation stops where the cycle shrinks onto the one it came from. Followed to
period 8 (4 in the quick version); small marks are flips of branches that are unstable already, whose cycles are not
followed.
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

BOUNDS = (0.0, 1.0)
FULL = Sampling(longest=8, values=301, transient=600, samples=80)
QUICK = Sampling(longest=4, values=61, transient=200, samples=24)


@study
def run(out: Path = FIGURES, quick: bool = False) -> Cascade:
    """Continue, simulate, draw."""
    sampling = QUICK if quick else FULL
    net = network(alpha=0.52, b=BOUNDS[0])
    equilibrium = bf.trace(bf.cycles(net.reduced, "b", net.reduced_equilibrium()), {"b": BOUNDS})
    branches = trace_doublings(equilibrium, BOUNDS, sampling.longest)
    orbits = simulate(net, "b", BOUNDS, TO_BASELINE, sampling)
    panel = Panel(net, "b", TO_BASELINE, branches, orbits)
    return publish_cascade(Files("b", out), [panel], lambda: _draw(panel, sampling))


def _draw(panel: Panel, sampling: Sampling) -> Figure:
    drawn, (ax,) = new_cascade_figure(
        "Input current: a cascade there and back", "α = 0.52, β = −0.1, σ = 1/6", [sampling]
    )
    draw_panel(panel, ax, "input current without a stimulus, b", "R of the neuron tuned to the baseline")
    return drawn
