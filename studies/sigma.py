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

import numpy as np

import bifurcate as bf
from studies.report import FIGURES, TO_BASELINE, Panel, Study, doublings, draw, figure, network, publish, simulate

BOUNDS = (0.12, 0.26)


def run(out: Path = FIGURES, quick: bool = False) -> Study:
    """Continue, simulate, draw."""
    net = network(alpha=0.72, sigma=BOUNDS[1])

    equilibrium = bf.trace(bf.cycles(net.reduced, "sigma", net.reduced_equilibrium()), {"sigma": BOUNDS})
    branches = doublings(equilibrium, BOUNDS, to=4 if quick else 8)

    values, transient, keep = (np.linspace(*BOUNDS, 61), 200, 24) if quick else (np.linspace(*BOUNDS, 301), 600, 80)
    orbits = simulate(net, "sigma", values, TO_BASELINE, transient, keep)

    panel = Panel(net, "sigma", TO_BASELINE, branches, orbits)
    drawn, (ax,) = figure(
        "Less semi-saturation doubles the period",
        "α = 0.72, β = −0.1, b = 0.05",
    )
    draw(panel, ax, "semi-saturation σ", "R of the neuron tuned to the baseline")
    return publish("sigma", drawn, [panel], out)
