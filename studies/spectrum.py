"""All n² multipliers, and the few that move: the spectrum of the whole update as α grows.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2), β = −0.1, σ = 1/6,
b = 0.05.

(a) The 256 multipliers of the Jacobian at the equilibrium, as a dense eigenvalue solver gives them, in the complex
plane for three values of α. 240 of them are 1 + β; the other 16 are real and less.

(b) These 16 against α, from the reduction: λ = 1 + β − α μ/n. One is far below the others, of the neuron tuned to the
baseline, and passes −1 at the flip; the cluster at 1 + β, of 240, stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import BLACK, BLUE, FIGURES, GREEN, ORANGE, Files, Table, finish_axes, new_figure, publish
from studies.ring import N, network
from studies.run_settings import study

BETA = -0.1
RANGE = (0.0, 0.8)  # of α


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes
    ----------
    shown : tuple of float
        The α at which all multipliers are computed.
    values : int
        Of α, at which those of the reduction are.
    """

    shown: tuple[float, ...]
    values: int


FLIP = 0.649427677  # the α of the flip
FULL = Settings(shown=(0.1, 0.4, FLIP), values=161)
QUICK = Settings(shown=(FLIP,), values=65)


@dataclass(frozen=True, eq=False)
class Multipliers:
    """What was computed, and where it was written.

    Attributes
    ----------
    dense : dict of float to ndarray, shape (n²,)
        All multipliers from the dense Jacobian, by α.
    alpha : ndarray, shape (m,)
    inner : ndarray, shape (m, n)
        The multipliers beside 1 + β, rising, at every α.
    flip : StabilityLimit
        Where the least one passes −1.
    spread : float
        max |λ − (1+β)| over the 240, as the dense solver finds them.
    files : Files
    """

    dense: dict[float, np.ndarray]
    alpha: np.ndarray
    inner: np.ndarray
    flip: bf.adaptation.StabilityLimit
    spread: float
    files: Files


def all_multipliers(alpha: float) -> np.ndarray:
    """All n² multipliers at the equilibrium, from the n² × n² matrix."""
    net = network(alpha=alpha, beta=BETA)
    jacobian = net.update.jacobian
    assert jacobian is not None
    J = jacobian(net.equilibrium(), **net.parameters)
    return np.linalg.eigvals(bf.linalg.dense(J))


def reduced_multipliers(alpha: float) -> np.ndarray:
    """The n multipliers of the reduction, rising."""
    net = network(alpha=alpha, beta=BETA)
    return np.sort(bf.multipliers(net.reduced, net.reduced_equilibrium()).values.real)


@study
def run(out: Path = FIGURES, quick: bool = False) -> Multipliers:
    """Compute, draw."""
    settings = QUICK if quick else FULL
    dense = {alpha: all_multipliers(alpha) for alpha in settings.shown}
    alphas = RANGE[1] * np.linspace(0.0, 1.0, settings.values) ** 2  # denser near 0, where they bend
    (flip,) = network(alpha=0.5, beta=BETA).limits("alpha", RANGE)
    study = Multipliers(
        dense=dense,
        alpha=alphas,
        inner=np.array([reduced_multipliers(float(alpha)) for alpha in alphas]),
        flip=flip,
        spread=float(np.sort(np.abs(dense[FLIP] - (1.0 + BETA)))[: N * (N - 1)].max()),
        files=Files("spectrum", out),
    )
    columns = ["alpha", *(f"multiplier_{j + 1}" for j in range(N))]
    rows = ([alpha, *row] for alpha, row in zip(alphas.tolist(), study.inner.tolist(), strict=True))
    publish(study.files, lambda: _draw(study), Table(columns, rows))
    print(f"the least multiplier passes -1 at alpha = {flip.value:.12f} ± {flip.error:.0e}")
    print(f"a dense solver spreads the {N * (N - 1)} multipliers 1 + beta by {study.spread:.1e}")
    return study


def _draw(study: Multipliers) -> Figure:
    drawn = new_figure(
        f"{N * N} multipliers, of which {N} move",
        f"{N} neurons; baseline of contrast 0.8 at 0°, stimulus of contrast 0.8 at 90°; β = −0.1, σ = 1/6, b = 0.05.",
        (6.4, 3.9),
    )
    left, right = drawn.subplots(1, 2)
    _draw_lines(left, study.dense)
    _draw_courses(right, study)
    return drawn


def _draw_lines(ax: Axes, dense: dict[float, np.ndarray]) -> None:
    """All multipliers on the real line, a row for every α: they are real, to the rounding of a dense solver."""
    for outside in ((-1.2, -1.0), (1.0, 1.2)):
        ax.axvspan(*outside, color="0.93", zorder=0)
    ax.axvline(1.0 + BETA, color=ORANGE, lw=2.0, zorder=1)
    styles = (("^", BLUE), ("s", GREEN), ("o", BLACK))
    for row, (values, (marker, colour)) in enumerate(zip(dense.values(), styles[-len(dense) :], strict=True)):
        ax.axhline(row, color="0.85", lw=0.8, zorder=0)
        ax.plot(values.real, np.full(len(values), row), marker, ms=4.5, mew=0.9, mfc="none", color=colour, ls="")
    ax.text(1.0 + BETA - 0.03, len(dense) - 0.45, f"1 + β, {N * (N - 1)} times", ha="right", fontsize="small")
    ax.set(xlabel="multipliers λ, all real", xlim=(-1.2, 1.2), ylim=(-0.75, len(dense) - 0.25))
    ax.set_yticks(range(len(dense)), [f"α = {alpha:.3g}" for alpha in dense])
    finish_axes(ax, f"(a) all {N * N}, by a dense solver")


def _draw_courses(ax: Axes, study: Multipliers) -> None:
    for outside in ((-1.6, -1.0), (1.0, 1.15)):
        ax.axhspan(*outside, color="0.93", zorder=0)
    ax.plot(study.alpha, study.inner, color=BLACK, lw=0.9)
    ax.axhline(1.0 + BETA, color=ORANGE, lw=2.0, label=f"1 + β, {N * (N - 1)} times")
    ax.plot([study.flip.value], [-1.0], "o", ms=5.5, mfc="white", mew=1.2, color=BLUE, label="flip")
    ax.plot([], [], color=BLACK, lw=0.9, label=f"1 + β − αμ/n, {N} in pairs")
    ax.text(0.02, -1.56, "grey: outside the unit circle", fontsize="small", color="0.3", va="bottom")
    ax.set(xlabel="rate of adaptation α", ylabel="multipliers λ, all real", xlim=(0.0, 0.8), ylim=(-1.6, 1.15))
    ax.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0.0, 0.23))
    finish_axes(ax, "(b) those of the outputs")
