"""All n² multipliers, and the few that move: the spectrum of the whole update as α grows.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2), β = −0.1, σ = 1/6,
b = 0.05.

(a) The 256 multipliers of the Jacobian at the equilibrium, as a dense eigenvalue solver gives them, in the complex
plane for three values of α. 240 of them are 1 + β; the other 16 are real and less.

(b) These 16 against α, from the reduction: λ = 1 + β − α μ/n. One is far below the others, of the neuron tuned to the
baseline, and passes −1 at the flip; the cluster at 1 + β, of 240, stays.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import DPI, FIGURES, STYLE, N, network

SHOWN = (0.1, 0.4, 0.649427677)  # the last one at the flip
BETA = -0.1


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
    flip : Limit
        Where the least one passes −1.
    spread : float
        max |λ − (1+β)| over the 240, as the dense solver finds them.
    png, pdf, csv : Path
    """

    dense: dict[float, np.ndarray]
    alpha: np.ndarray
    inner: np.ndarray
    flip: bf.adaptation.StabilityLimit
    spread: float
    png: Path
    pdf: Path
    csv: Path


def whole(alpha: float) -> np.ndarray:
    """All n² multipliers at the equilibrium, from the n² × n² matrix."""
    net = network(alpha=alpha, beta=BETA)
    jacobian = net.update.jacobian
    assert jacobian is not None
    J = jacobian(net.equilibrium(), **net.parameters)
    return np.linalg.eigvals(bf.linalg.dense(J))


def inner(alpha: float) -> np.ndarray:
    """The n multipliers of the reduction, rising."""
    net = network(alpha=alpha, beta=BETA)
    return np.sort(bf.multipliers(net.reduced, net.reduced_equilibrium()).values.real)


def run(out: Path = FIGURES, quick: bool = False) -> Multipliers:
    """Compute, draw."""
    shown = SHOWN[-1:] if quick else SHOWN
    dense = {alpha: whole(alpha) for alpha in shown}
    alphas = np.linspace(0.0, 0.8, 17 if quick else 161)
    rows = np.array([inner(float(alpha)) for alpha in alphas])
    (flip,) = network(alpha=0.5, beta=BETA).limits("alpha", (0.0, 0.8))
    last = dense[shown[-1]]
    spread = float(np.sort(np.abs(last - (1.0 + BETA)))[: N * (N - 1)].max())

    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(6.4, 3.9), layout="constrained")
        drawn.suptitle(f"{N * N} multipliers, of which {N} move", x=0.01, ha="left", fontsize=11)
        drawn.supxlabel(
            f"{N} neurons; baseline of contrast 0.8 at 0°, stimulus of contrast 0.8 at 90°; β = −0.1, σ = 1/6, "
            "b = 0.05.",
            x=0.01, ha="left", fontsize=8, color="0.3",
        )  # fmt: skip
        left, right = drawn.subplots(1, 2)
        _plane(left, dense)
        _course(right, alphas, rows, flip)
        out.mkdir(parents=True, exist_ok=True)
        paths = [out / f"spectrum.{end}" for end in ("png", "pdf", "csv")]
        study = Multipliers(dense, alphas, rows, flip, spread, *paths)
        drawn.savefig(study.png, dpi=DPI)
        drawn.savefig(study.pdf, dpi=DPI, metadata={"CreationDate": None})
    with study.csv.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["alpha", *(f"multiplier_{j + 1}" for j in range(N))])
        table.writerows([alpha, *row] for alpha, row in zip(alphas.tolist(), rows.tolist(), strict=True))
    print(f"\nspectrum: {', '.join(map(str, paths))}")
    print(f"the least multiplier passes -1 at alpha = {flip.value:.12f} ± {flip.error:.0e}")
    print(f"a dense solver spreads the {N * (N - 1)} multipliers 1 + beta by {spread:.1e}")
    return study


def _plane(ax: Axes, dense: dict[float, np.ndarray]) -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 400)
    ax.plot(np.cos(angle), np.sin(angle), color="0.7", lw=0.8, zorder=0)
    ax.axhline(0.0, color="0.9", lw=0.8, zorder=0)
    styles = (("^", "#1b6ca8"), ("s", "#1f7a45"), ("o", "#c2571a"))
    for (alpha, values), (marker, colour) in zip(dense.items(), styles[-len(dense) :], strict=True):
        ax.plot(values.real, values.imag, marker, ms=4.0, mfc="white", color=colour, ls="", label=f"α = {alpha:.3g}")
    ax.annotate(
        f"1 + β, {N * (N - 1)} times", (1.0 + BETA, 0.0), xytext=(0.35, 0.55), fontsize="small", ha="center",
        arrowprops={"arrowstyle": "-", "color": "0.4", "lw": 0.7},
    )  # fmt: skip
    ax.set(xlabel="Re λ", ylabel="Im λ", xlim=(-1.15, 1.15), ylim=(-1.15, 1.15), aspect="equal")
    ax.set_title(f"(a) all {N * N}, by a dense solver", fontsize=9, loc="left")
    ax.legend(framealpha=1.0, edgecolor="0.8", fontsize="small", loc="center", bbox_to_anchor=(0.5, 0.27))
    ax.spines[["top", "right"]].set_visible(False)


def _course(ax: Axes, alphas: np.ndarray, rows: np.ndarray, flip: bf.adaptation.StabilityLimit) -> None:
    ax.axhspan(-2.0, -1.0, color="0.93", zorder=0)
    ax.plot(alphas, rows, color="#1a1a1a", lw=0.9)
    ax.axhline(1.0 + BETA, color="#c2571a", lw=2.0, label=f"1 + β, {N * (N - 1)} times")
    ax.plot([flip.value], [-1.0], "o", ms=5.5, mfc="white", mew=1.2, color="#1b6ca8", label="flip")
    ax.plot([], [], color="#1a1a1a", lw=0.9, label=f"1 + β − αμ/n, {N} of them")
    ax.text(0.02, -1.56, "beyond the unit circle", fontsize="small", color="0.3", va="bottom")
    ax.set(xlabel="rate of adaptation α", ylabel="multipliers λ, all real", xlim=(0.0, 0.8), ylim=(-1.6, 1.15))
    ax.set_title("(b) those of the outputs", fontsize=9, loc="left")
    ax.legend(frameon=False, fontsize="small", loc="lower left", bbox_to_anchor=(0.0, 0.23))
    ax.spines[["top", "right"]].set_visible(False)
