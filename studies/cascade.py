"""What the bifurcation diagrams of the studies share: an equilibrium, its period doublings, and simulated orbits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import Files, Table, new_figure, publish
from studies.ring import N, response

__all__ = [
    "Cascade",
    "Panel",
    "Sampling",
    "StabilityChange",
    "draw_panel",
    "new_cascade_figure",
    "publish_cascade",
    "simulate",
    "trace_doublings",
]

SHORT_STEPS = bf.StepControl(first=0.002, largest=0.01)  # so short that drawn curves look smooth
WIDTH, HEIGHT = 6.4, 4.7  # of a figure, in inches
PARAMETERS = ("alpha", "beta", "sigma", "b")  # in the file of numbers
CRITICAL_MULTIPLIER = {"flip": -1.0}  # +1 at other kinds


@dataclass(frozen=True)
class Sampling:
    """How much of a cascade is followed and simulated.

    Attributes
    ----------
    longest : int
        Period to which doublings are followed.
    values : int
        Of the parameter, at which orbits are simulated.
    transient : int
        Iterations before samples are taken.
    samples : int
        Of every orbit.
    """

    longest: int
    values: int
    transient: int
    samples: int


@dataclass(frozen=True, eq=False)
class Panel:
    """One bifurcation diagram: what was continued and what was simulated, seen through one neuron.

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
class StabilityChange:
    """A special point, with what changes there.

    Attributes
    ----------
    branch : int
        Number of its branch in the study.
    point : SpecialPoint
    multiplier : float
        The one that crosses the unit circle.
    before, after : bool
        True if the outputs are stable on that side, in the order of the branch.
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
class Cascade:
    """What a study found, and where it was written.

    Attributes
    ----------
    panels : tuple of Panel
    special : tuple of StabilityChange
    files : Files
    """

    panels: tuple[Panel, ...]
    special: tuple[StabilityChange, ...]
    files: Files

    @property
    def branches(self) -> tuple[bf.Branch, ...]:
        """The branches of all panels; a branch's index is its number."""
        return tuple(branch for panel in self.panels for branch in panel.branches)


def trace_doublings(equilibrium: bf.Branch, bounds: tuple[float, float], longest: int) -> tuple[bf.Branch, ...]:
    """The equilibrium and its cycles of period 2, 4, … ``longest``, each from the first flip that ends stability."""
    branches = [equilibrium]
    while branches[-1].curve.period < longest:
        last = branches[-1]
        own = [point for point in last.of("flip") if point.period == last.curve.period]
        flips = [point for point in own if bf.plot.stable_around(last, point).changes]
        if not flips:
            break
        branches.append(bf.trace(bf.switch(flips[0]), {last.curve.free[0]: bounds}, control=SHORT_STEPS))
    return tuple(branches)


def simulate(
    net: bf.adaptation.Network, parameter: str, bounds: tuple[float, float], neuron: int, sampling: Sampling
) -> bf.OrbitDiagram:
    """Long-run orbits of the reduced map from W₀ = 1, at evenly spaced values of the parameter."""

    def start(value: float) -> np.ndarray:
        here = net.replace(**{parameter: value})
        return here.project(here.initial)

    return bf.orbit_diagram(
        net.reduced,
        parameter,
        np.linspace(*bounds, sampling.values),
        start,
        response(net, neuron),
        transient=sampling.transient,
        samples=sampling.samples,
    )


def new_cascade_figure(
    title: str, rates: str, samplings: Sequence[Sampling], *, mosaic: str = "a", height: float = HEIGHT, note: str = ""
) -> tuple[Figure, tuple[Axes, ...]]:
    """An empty figure with a title, a caption that states parameters and samples, and axes by their letters."""
    counts = "; ".join(f"{each.samples} samples after {each.transient} iterations" for each in samplings)
    drawn = new_figure(
        title,
        f"{N} neurons; baseline of contrast 0.8 at 0°, stimulus of contrast 0.8 at 90°; {rates}.\n"
        f"Grey: orbits of the same map from W₀ = 1, {counts}.{note}",
        (WIDTH, height),
    )
    return drawn, tuple(drawn.subplot_mosaic(mosaic).values())


def draw_panel(panel: Panel, ax: Axes, xlabel: str, ylabel: str, **options: Any) -> None:
    """Draw branches over simulated orbits; options as for the package's diagram."""
    observable = response(panel.network, panel.neuron)
    bf.plot.diagram(
        panel.branches,
        panel.parameter,
        observable,
        orbits=panel.orbits,
        ax=ax,
        ylabel=ylabel,
        xlabel=xlabel,
        **options,
    )


def publish_cascade(files: Files, panels: Sequence[Panel], draw: Callable[[], Figure]) -> Cascade:
    """Write the figure and the numbers, and print the table of special points.

    A line of the numbers is a point of a branch: the branch's number and period, α, β, σ and b, the neuron and its
    responses around the cycle, whether outputs and weights are stable, and the outputs' largest multiplier in modulus.
    """
    study = Cascade(tuple(panels), tuple(_stability_changes(panels)), files)
    longest = max(branch.curve.period for branch in study.branches)
    responses = [f"response_{j + 1}" for j in range(longest)]
    columns = ["branch", "period", *PARAMETERS, "neuron", *responses, "stable", "weights_stable", "largest_multiplier"]
    publish(files, draw, Table(columns, _rows(study, longest)))
    _print_special_points(study)
    _print_branches(study)
    return study


def _stability_changes(panels: Sequence[Panel]) -> Iterator[StabilityChange]:
    """Every special point once: where a cycle collapses, its shorter parent has listed the flip already."""
    for number, branch in enumerate(branch for panel in panels for branch in panel.branches):
        for point in branch.special:
            if point.period < branch.curve.period:
                continue
            around = bf.plot.stable_around(branch, point)
            critical = CRITICAL_MULTIPLIER.get(point.kind, 1.0)
            crossing = float(point.multipliers.real[np.argmin(np.abs(point.multipliers - critical))])
            weights = (1.0 + point.parameters["beta"]) ** point.period
            yield StabilityChange(
                branch=number,
                point=point,
                multiplier=crossing,
                before=bool(around.before),
                after=bool(around.after),
                weights=weights,
            )


def _rows(study: Cascade, longest: int) -> Iterator[list[Any]]:
    """The lines of the numbers, with responses up to the longest period; those beyond a branch's own are empty."""
    number = 0
    for panel in study.panels:
        for branch in panel.branches:
            k = branch.curve.period
            values = bf.plot.observe(branch, response(panel.network, panel.neuron)).tolist()
            for point, row, spectrum in zip(branch.points, values, branch.spectra, strict=True):
                p = {**panel.network.parameters, **dict(zip(branch.curve.free, point.free, strict=True))}
                weights_stable = spectrum.stable and abs(1.0 + p["beta"]) < 1.0
                largest = float(np.abs(spectrum.values).max())
                responses = [*row, *[""] * (longest - k)]
                stable = int(spectrum.stable), int(weights_stable)
                yield [number, k, *(p[name] for name in PARAMETERS), panel.neuron, *responses, *stable, largest]
            number += 1


def _print_special_points(study: Cascade) -> None:
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


def _print_branches(study: Cascade) -> None:
    number = 0
    for panel in study.panels:
        for branch in panel.branches:
            low, high = branch[panel.parameter].min(), branch[panel.parameter].max()
            print(
                f"branch {number}: period {branch.curve.period}, {len(branch)} points, {panel.parameter} in "
                f"[{low:.6g}, {high:.6g}]; ends: {branch.stop.last.reason}"
            )
            number += 1
        escaped = panel.orbits.values[[end != "steps" for end in panel.orbits.ends]]
        where = f", {len(escaped)} escaped ({escaped.min():.4g} to {escaped.max():.4g})" if len(escaped) else ""
        print(f"simulated from W0 = 1: {len(panel.orbits.values)} values of {panel.parameter}{where}")
