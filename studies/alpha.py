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

import numpy as np

import bifurcate as bf
from studies.report import FIGURES, TO_BASELINE, Panel, Study, doublings, draw, figure, network, publish, simulate

BOUNDS = (0.6, 0.82)


def run(out: Path = FIGURES, quick: bool = False) -> Study:
    """Continue, simulate, draw."""
    net = network(alpha=BOUNDS[0])

    equilibrium = bf.trace(bf.cycles(net.reduced, "alpha", net.reduced_equilibrium()), {"alpha": BOUNDS})
    branches = doublings(equilibrium, BOUNDS, to=4 if quick else 8)

    values, transient, keep = (np.linspace(*BOUNDS, 55), 200, 24) if quick else (np.linspace(*BOUNDS, 271), 600, 80)
    orbits = simulate(net, "alpha", values, TO_BASELINE, transient, keep)

    panel = Panel(net, "alpha", TO_BASELINE, branches, orbits)
    drawn, (ax,) = figure(
        "Faster adaptation doubles its period",
        "β = −0.1, σ = 1/6, b = 0.05",
    )
    draw(panel, ax, "rate of adaptation α", "R of the neuron tuned to the baseline")
    return publish("alpha", drawn, [panel], out)
