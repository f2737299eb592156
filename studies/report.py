"""What the studies share: the network, its cascades and simulations, and the table, figure and numbers that they leave.

The network is a ring of 16 neurons that prefer 0, π/16, …; adapted to a baseline of contrast 0.8 at 0 and shown a
stimulus of contrast 0.8 at π/2. Its n² = 256 weights are followed through the exact reduction to y = W r/n.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf

__all__ = [
    "BASELINE",
    "FIGURES",
    "STIMULUS",
    "TO_BASELINE",
    "TO_STIMULUS",
    "N",
    "Panel",
    "Row",
    "Study",
    "doublings",
    "draw",
    "figure",
    "network",
    "publish",
    "simulate",
]

N = 16
BASELINE = (0.8, 0.0)  # contrast, orientation
STIMULUS = (0.8, np.pi / 2)
TO_BASELINE, TO_STIMULUS = 0, N // 2  # the neurons tuned to them
FIGURES = Path("figures")
DPI = 300
SHORT = bf.StepControl(first=0.002, largest=0.01)  # steps so short that drawn curves look smooth
STYLE: Any = {"font.size": 9}


@dataclass(frozen=True, eq=False)
class Panel:
    """One diagram: what was continued and what was simulated, seen through one neuron.

    Attributes
    ----------
    network : Network
    parameter : str
        The one that varies.
    neuron : int
        The one whose response is drawn.
    branches : tuple of Branch
        The equilibrium first, then its doubled cycles.
    orbits : OrbitDiagram
        Long-run orbits from W₀ = 1.
    """

    network: bf.adaptation.Network
    parameter: str
    neuron: int
    branches: tuple[bf.Branch, ...]
    orbits: bf.OrbitDiagram


@dataclass(frozen=True, eq=False)
class Row:
    """A special point, with what changes there.

    Attributes
    ----------
    branch : int
        Number of its branch in the study.
    point : SpecialPoint
    multiplier : float
        The one that crosses the unit circle.
    before, after : bool
        Whether the outputs are stable on either side, in the order of the branch.
    weights : float
        The multiplier (1 + β)^period, which the weights have beside those of the outputs.
    """

    branch: int
    point: bf.SpecialPoint
    multiplier: float
    before: bool
    after: bool
    weights: float


@dataclass(frozen=True, eq=False)
class Study:
    """What a study found, and where it was written.

    Attributes
    ----------
    name : str
    panels : tuple of Panel
    special : tuple of Row
    png, pdf, csv : Path
    """

    name: str
    panels: tuple[Panel, ...]
    special: tuple[Row, ...]
    png: Path
    pdf: Path
    csv: Path

    @property
    def branches(self) -> tuple[bf.Branch, ...]:
        """Of all panels; their index is the branch's number."""
        return tuple(branch for panel in self.panels for branch in panel.branches)


def network(*, alpha: float, beta: float = -0.1, sigma: float = 1 / 6, b: float = 0.05) -> bf.adaptation.Network:
    """The network of the studies."""
    return bf.adaptation.ring(N, BASELINE, STIMULUS, alpha=alpha, beta=beta, sigma=sigma, b=b)


def response(net: bf.adaptation.Network, neuron: int) -> Callable[..., float]:
    """The observable R = r/(σ² + y) of one neuron: r follows b, and σ is the one of the moment."""

    def observable(y: np.ndarray, **p: float) -> float:
        return float(net.stimuli.at(p).drive[neuron] / (p["sigma"] ** 2 + y[neuron]))

    return observable


def doublings(equilibrium: bf.Branch, bounds: tuple[float, float], to: int) -> tuple[bf.Branch, ...]:
    """The equilibrium and the cycles of period 2, 4, … ``to``, each from the first flip that bounds stable parts."""
    branches = [equilibrium]
    while branches[-1].curve.period < to:
        last = branches[-1]
        own = [point for point in last.of("flip") if point.period == last.curve.period]
        flips = [point for point in own if bf.plot.stable_around(last, point).changes]
        if not flips:
            break
        branches.append(bf.trace(bf.switch(flips[0]), {last.curve.free[0]: bounds}, control=SHORT))
    return tuple(branches)


def simulate(
    net: bf.adaptation.Network, parameter: str, values: np.ndarray, neuron: int, transient: int, keep: int
) -> bf.OrbitDiagram:
    """Long-run orbits of the same map from W₀ = 1, one for each value of the parameter."""

    def start(value: float) -> np.ndarray:
        here = net.replace(**{parameter: value})
        return here.project(here.initial)

    return bf.orbit_diagram(
        net.reduced, parameter, values, start, response(net, neuron), transient=transient, samples=keep
    )


def figure(title: str, rates: str, mosaic: str = "a", height: float = 4.7) -> tuple[Figure, list[Axes]]:
    """An empty figure with a title, a caption that states the parameters, and axes."""
    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(6.4, height), layout="constrained")
        drawn.suptitle(title, x=0.01, ha="left", fontsize=11)
        drawn.supxlabel(
            f"{N} neurons; baseline of contrast 0.8 at 0°, stimulus of contrast 0.8 at 90°; {rates}.\n"
            "Grey: simulated orbits of the same map from W₀ = 1, after their transients.",
            x=0.01, ha="left", fontsize=8, color="0.3",
        )  # fmt: skip
        return drawn, list(drawn.subplot_mosaic(mosaic).values())


def draw(panel: Panel, ax: Axes, xlabel: str, ylabel: str) -> None:
    """Branches over simulated orbits."""
    observable = response(panel.network, panel.neuron)
    with matplotlib.rc_context(STYLE):
        bf.plot.diagram(
            panel.branches, panel.parameter, observable, orbits=panel.orbits, ax=ax, ylabel=ylabel, xlabel=xlabel
        )


def publish(name: str, drawn: Figure, panels: Sequence[Panel], out: Path) -> Study:
    """Print the table of special points; write the figure and the numbers.

    A line of the numbers is a point of a branch: the branch's number and period, α, β, σ and b, the neuron and its
    responses around the cycle, whether outputs and weights are stable, and the outputs' largest multiplier in modulus.
    """
    out.mkdir(parents=True, exist_ok=True)
    study = Study(name, tuple(panels), tuple(_rows(panels)), *(out / f"{name}.{end}" for end in ("png", "pdf", "csv")))
    with matplotlib.rc_context(STYLE):
        drawn.savefig(study.png, dpi=DPI)
        drawn.savefig(study.pdf, dpi=DPI, metadata={"CreationDate": None})
    _write_numbers(study)
    _print(study)
    return study


def _rows(panels: Sequence[Panel]) -> Iterator[Row]:
    """Every special point once: where a cycle collapses, its shorter parent has listed the flip already."""
    for number, branch in enumerate(branch for panel in panels for branch in panel.branches):
        for point in branch.special:
            if point.period < branch.curve.period:
                continue
            before, after = bf.plot.stable_around(branch, point)
            target = -1.0 if point.kind == "flip" else 1.0
            crossing = float(point.multipliers.real[np.argmin(np.abs(point.multipliers - target))])
            weights = (1.0 + point.parameters["beta"]) ** point.period
            yield Row(number, point, crossing, bool(before), bool(after), weights)


def _write_numbers(study: Study) -> None:
    longest = max(branch.curve.period for branch in study.branches)
    names = ("alpha", "beta", "sigma", "b")
    with study.csv.open("w", newline="") as file:
        table = csv.writer(file)
        columns = [f"response_{j + 1}" for j in range(longest)]
        table.writerow(
            ["branch", "period", *names, "neuron", *columns, "stable", "weights_stable", "largest_multiplier"]
        )
        number = 0
        for panel in study.panels:
            for branch in panel.branches:
                table.writerows([number, *row] for row in _numbers(panel, branch, names, longest))
                number += 1


def _numbers(panel: Panel, branch: bf.Branch, names: Sequence[str], longest: int) -> Iterator[list[Any]]:
    k = branch.curve.period
    values = bf.plot.observe(branch, response(panel.network, panel.neuron)).tolist()
    for point, row, spectrum in zip(branch.points, values, branch.spectra, strict=True):
        p = {**panel.network.parameters, **dict(zip(branch.curve.free, point.free, strict=True))}
        weights = spectrum.stable and abs(1.0 + p["beta"]) < 1.0
        largest = float(np.abs(spectrum.values).max())
        responses = [*row, *[""] * (longest - k)]
        yield [k, *(p[name] for name in names), panel.neuron, *responses, int(spectrum.stable), int(weights), largest]


def _print(study: Study) -> None:
    print(f"\n{study.name}: {', '.join(str(path) for path in (study.png, study.pdf, study.csv))}")
    heads = ("branch", "kind", "period", "times", "parameter", "± error", "multiplier", "outputs", "(1+β)^period")
    print("{:>6} {:5} {:>6} {:>5}  {:24} {:>8} {:>14}  {:20} {:>12}".format(*heads))
    for row in study.special:
        point = row.point
        name = point.curve.free[0]
        outputs = " → ".join("stable" if each else "unstable" for each in (row.before, row.after))
        print(
            f"{row.branch:6d} {point.label:5} {point.period:6d} {point.multiplicity:5d}  "
            f"{f'{name} = {point.parameters[name]:.12f}':24} {point.errors['parameter']:8.0e} {row.multiplier:14.10f}  "
            f"{outputs:20} {row.weights:12.6f}"
        )
    number = 0
    for panel in study.panels:
        for branch in panel.branches:
            low, high = branch[panel.parameter].min(), branch[panel.parameter].max()
            print(
                f"branch {number}: period {branch.curve.period}, {len(branch)} points, {panel.parameter} in "
                f"[{low:.6g}, {high:.6g}]; ends: {branch.stop[1].reason}"
            )
            number += 1
        left = panel.orbits.values[[end != "steps" for end in panel.orbits.ends]]
        where = f", {len(left)} escaped ({left.min():.4g} to {left.max():.4g})" if len(left) else ""
        print(f"simulated from W0 = 1: {len(panel.orbits.values)} values of {panel.parameter}{where}")
