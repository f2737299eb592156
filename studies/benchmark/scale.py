"""Rows of the adaptation network and of a ring of maps, from 400 unknowns to 10¹² weights."""

from __future__ import annotations

import numpy as np

import bifurcate as bf
from studies.benchmark.baseline import Problem, changes, flips, pacopy, textbook
from studies.benchmark.frame import Contest, Done, Row

__all__ = ["ROWS", "network"]

BOUNDS = (0.05, 3.0)
LENGTH = 57.6  # of the branch of 400 weights in (W, α)
FIRST = 1.7797  # just beyond the first flip of many neurons, 1.77961437
EVERY = bf.StepControl(first=0.01, largest=0.02)
FIFTY = bf.StepControl(first=0.02, largest=0.02)
HUNDRED = bf.StepControl(first=0.01, largest=0.01)


def network(n: int, alpha: float = BOUNDS[0]) -> bf.adaptation.Network:
    """Drives rᵢ = (0.3 + 0.7 cos²(πi/n))² and r₀ᵢ = (0.3 + 0.7 sin²(πi/n))²; β = −1/2, σ = 1/2."""
    angle = np.pi * np.arange(n) / n
    drive, baseline = (0.3 + 0.7 * np.cos(angle) ** 2) ** 2, (0.3 + 0.7 * np.sin(angle) ** 2) ** 2
    return bf.adaptation.Network(drive, baseline, alpha=alpha, beta=-0.5, sigma=0.5)


def _flips(branch: bf.Branch) -> tuple[float, ...]:
    return tuple(point.parameters["alpha"] for point in branch.of("flip"))


def _weights(net: bf.adaptation.Network, bounds: tuple[float, float], control: bf.StepControl) -> Done:
    branch = bf.trace(bf.cycles(net.update, "alpha", net.equilibrium()), {"alpha": bounds}, control=control)
    return Done(len(branch), _flips(branch))


def _reduced(net: bf.adaptation.Network, bounds: tuple[float, float], control: bf.StepControl) -> Done:
    curve = bf.cycles(net.reduced, "alpha", net.reduced_equilibrium())
    branch = bf.trace(curve, {"alpha": bounds}, control=control, keep=lambda y: y[:: max(1, len(y) // 1000)])
    return Done(len(branch), _flips(branch), net.size)


def _branch_20(quick: bool) -> Contest:
    net = network(8 if quick else 20)

    problem, start = (
        Problem.weights(net.drive, net.target(), net.beta, net.sigma),
        np.asarray(net.equilibrium()).ravel(),
    )

    def by_hand() -> Done:
        path = list(textbook(problem, start, BOUNDS[0], BOUNDS, LENGTH / 50))
        return Done(len(path), flips(problem, path))

    def by_pacopy() -> Done:
        path = pacopy(problem, start, BOUNDS[0], BOUNDS)
        return Done(len(path), changes(path))

    ours = {
        "bifurcate, structured": lambda: _weights(net, BOUNDS, EVERY),
        "bifurcate, reduced": lambda: _reduced(net, BOUNDS, EVERY),
    }
    return Contest(net.size**2, ours, {"textbook, plain NumPy": by_hand, "pacopy": by_pacopy})


def _branch_million(quick: bool) -> Contest:
    net = network(60 if quick else 1000)
    return Contest(net.size**2, {"bifurcate, structured": lambda: _weights(net, (0.05, FIRST), FIFTY)}, repeats=1)


def _every_flip(quick: bool) -> Contest:
    net = network(60 if quick else 1000)
    return Contest(net.size, {"bifurcate, reduced": lambda: _reduced(net, BOUNDS, FIFTY)}, repeats=1)


def _equilibrium_10000(quick: bool) -> Contest:
    net = network(300 if quick else 10_000, alpha=FIRST)

    def found(factored: bool) -> Done:
        W = net.factored_equilibrium() if factored else net.equilibrium()
        s = net.spectrum(W)
        return Done(1, (float(s.values[0].real), float(s.signature[1])))

    ours = {"bifurcate, factored": lambda: found(True), "bifurcate, materialised": lambda: found(False)}
    return Contest(net.size**2, ours, repeats=2)


def _reduced_million(quick: bool) -> Contest:
    net = network(3000 if quick else 10**6)
    return Contest(net.size, {"bifurcate, reduced": lambda: _reduced(net, (0.05, FIRST), HUNDRED)}, repeats=1)


def _ring(quick: bool) -> Contest:
    n = 1000 if quick else 10**5
    start, bounds = np.full(n, 1.0 - 1.0 / 1.5), {"r": (1.5, 3.00001 if quick else 3.02)}

    def sparse() -> Done:
        ring = bf.maps.logistic_ring(n, r=1.5, e=0.1, sparse=True)
        branch = bf.trace(bf.cycles(ring, "r", start), bounds, control=FIFTY, keep=lambda x: x[:10])
        first = branch.first("flip")
        return Done(len(branch), (first.parameters["r"], float(first.multiplicity), float(branch.spectra[-1].outside)))

    return Contest(n, {"bifurcate, sparse": sparse}, repeats=1)


ROWS = (
    Row(
        "branch-20",
        "400 weights, α from 0.05 to 3, β = −0.5: every flip",
        "≤ 0.1 s, ≥ 50 × the textbook",
        _branch_20,
        "a step is the overhead of NumPy's calls, hardly more for 400 weights than for 20 outputs; and LAPACK splits "
        "off the n(n − 1) equal multipliers, so that the textbook's eigvals takes a sixth of its usual time",
    ),
    Row(
        "weights-1000",
        "10⁶ weights, 50 points in α, with stability, to the first flip",
        "≤ 20 s, ≤ 300 MB",
        _branch_million,
    ),
    Row("reduced-1000", "1000 neurons, α from 0.05 to 3: every flip", "", _every_flip),
    Row(
        "spectrum-10000",
        "one equilibrium of 10⁸ weights and its multipliers",
        "≤ 2 s; ≤ 60 s, ≤ 6 GB",
        _equilibrium_10000,
    ),
    Row("reduced-1000000", "10⁶ neurons, 100 points in α, with stability", "≤ 60 s, ≤ 1 GB", _reduced_million),
    Row("ring-100000", "10⁵ coupled logistic maps, 50 points, the first flips", "≤ 120 s", _ring),
)
