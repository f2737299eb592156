"""Rows of the adaptation network: many weights, one equilibrium and one branch. Nothing of size n² × n² is formed."""

from __future__ import annotations

import numpy as np

import bifurcate as bf
from studies.benchmark.frame import Contest, Done, Row

__all__ = ["ROWS", "network"]

BOUNDS = (0.02, 1.06)  # the first flips lie just below the upper end
POINTS = 50


def network(n: int) -> bf.adaptation.Network:
    """Drives rᵢ = (0.3 + 0.7 cos²(πi/n))² and r₀ᵢ = (0.3 + 0.7 sin²(πi/n))²; α = 0.02, β = −0.1, σ = 1/2."""
    i = np.arange(n)
    drive = (0.3 + 0.7 * np.cos(np.pi * i / n) ** 2) ** 2
    baseline = (0.3 + 0.7 * np.sin(np.pi * i / n) ** 2) ** 2
    return bf.adaptation.Network(drive, baseline, alpha=BOUNDS[0], beta=-0.1, sigma=0.5)


def _equilibrium(quick: bool) -> Contest:
    net = network(60 if quick else 1000)

    def krylov() -> Done:
        found = bf.solve(net.update, net.initial, method=bf.NewtonKrylov())
        return Done(found.iterations, (found.residual,))

    return Contest(net.drive.size**2, {"bifurcate, Newton–Krylov": krylov}, repeats=1)


def _branch(quick: bool) -> Contest:
    net = network(60 if quick else 1000)
    start = net.equilibrium()
    control = bf.StepControl(first=1.0 / POINTS, largest=1.0 / POINTS, max_steps=2 * POINTS)

    def trace() -> Done:
        branch = bf.trace(bf.cycles(net.update, "alpha", start), {"alpha": BOUNDS}, control=control)
        return Done(len(branch), (branch.first("flip").parameters["alpha"],))

    return Contest(net.drive.size**2, {"bifurcate, structured": trace}, repeats=1)


ROWS = (
    Row("equilibrium-1000", "one equilibrium of 10⁶ weights from W₀ = 1, β = −0.1", "", _equilibrium),
    Row("branch-1000", "a branch of 50 points in α of 10⁶ weights, with stability", "≤ 20 s, ≤ 500 MB", _branch),
)
