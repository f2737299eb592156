"""The rate of adaptation α: from rest over doublings to chaos.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2), β = −0.1, σ = 1/6, b = 0.05;
α from 0.6 to 0.82. Target and stimulus are orthogonal, so that the neuron tuned to the baseline is driven least and
wanted most: its gain R²/r is the largest, and the first flip is almost its alone. Its response is drawn.

The equilibrium of the reduced map is continued in α; where it loses stability in a flip we switch to the doubled
cycle, and so on to period 8 (period 4 in the quick version). Further flips of the equilibrium, met where it is unstable
already, belong to its neighbours on the ring; they are marked small, and their cycles are not followed.
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

BOUNDS = (0.6, 0.82)
FULL = Sampling(longest=8, values=271, transient=600, samples=80)
QUICK = Sampling(longest=4, values=55, transient=200, samples=24)


@study
def run(out: Path = FIGURES, quick: bool = False) -> Cascade:
    """Continue, simulate, draw."""
    sampling = QUICK if quick else FULL
    net = network(alpha=BOUNDS[0])
    equilibrium = bf.trace(bf.cycles(net.reduced, "alpha", net.reduced_equilibrium()), {"alpha": BOUNDS})
    branches = trace_doublings(equilibrium, BOUNDS, sampling.longest)
    orbits = simulate(net, "alpha", BOUNDS, TO_BASELINE, sampling)
    panel = Panel(net, "alpha", TO_BASELINE, branches, orbits)
    return publish_cascade(Files("alpha", out), [panel], lambda: _draw(panel, sampling))


def _draw(panel: Panel, sampling: Sampling) -> Figure:
    rates = "β = −0.1, σ = 1/6, b = 0.05"
    drawn, (ax,) = new_cascade_figure("Faster adaptation doubles its period", rates, [sampling])
    draw_panel(panel, ax, "rate of adaptation α", "R of the neuron tuned to the baseline")
    return drawn
