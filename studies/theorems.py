"""What is computed, and what is proved: three diagrams with the arcs and special points that are theorems.

(a) The logistic map x ↦ r x (1 − x), r from 0.5 to 3.56: fixed points, and cycles to period 4. f(0) = 0 is declared, so
that x = 0 is a branch without gaps and its branch point at r = 1 a transcritical one.

(b) The Hénon map at b = 0.3 through its fold, its flip and the doubled cycle.

(c) 16 neurons in a ring, baseline (contrast 0.8, orientation 0), stimulus (0.8, π/2), β = −0.1, σ = 1/6, b = 0.05: the
equilibrium of the reduced map in α with all of its flips.

Bands lie along proved arcs, rings about proved points. What has none is computed only: neighbourhoods of branch points
that nothing declares to be any, and the births of doubled cycles.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from bifurcate.orbits.observable import Observable
from bifurcate.plot.proved import draw_proved
from studies.report import FIGURES, Files, Table, finish_axes, new_figure, publish
from studies.ring import TO_BASELINE, network, response

ALPHA = (0.5, 0.82)  # of the network
SHOWN = (-1.5, 6.0)  # of x of the Hénon map, which grows without bound as a approaches 0 along the saddles
COLUMNS = ("map", "kind", "form", "period", "parameter", "value", "radius", "outside", "coefficient", "its radius")


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes
    ----------
    depth : int
        Generations of branches of the logistic map.
    alpha : (float, float)
        Range of the network's branch.
    """

    depth: int
    alpha: tuple[float, float]


FULL = Settings(depth=3, alpha=ALPHA)
QUICK = Settings(depth=2, alpha=(0.63, 0.66))


@dataclass(frozen=True, eq=False)
class Proved:
    """A diagram with its theorem.

    Attributes
    ----------
    name : str
    diagram : Diagram
    theorem : DiagramTheorem
    seconds : float
        That the proof took.
    """

    name: str
    diagram: bf.Diagram
    theorem: bf.DiagramTheorem
    seconds: float

    @property
    def proved_points(self) -> int:
        """How many of the special points are proved."""
        return sum(point is not None for point in self.theorem.points)


@dataclass(frozen=True, eq=False)
class Theorems:
    """What was proved, and where it was written.

    Attributes
    ----------
    logistic, henon, ring : Proved
    files : Files
    """

    logistic: Proved
    henon: Proved
    ring: Proved
    files: Files

    @property
    def all(self) -> tuple[Proved, Proved, Proved]:
        """The three."""
        return self.logistic, self.henon, self.ring


def prove(name: str, diagram: bf.Diagram, invariant: np.ndarray | None = None) -> Proved:
    """A diagram with its theorem, and how long that took."""
    begin = perf_counter()
    theorem = bf.prove(diagram, invariant=invariant)
    return Proved(name, diagram, theorem, perf_counter() - begin)


def run(out: Path = FIGURES, quick: bool = False) -> Theorems:
    """Explore, prove, draw."""
    settings = QUICK if quick else FULL
    logistic = bf.Map(lambda x, r: r * x * (1 - x), {"r": 2.5}, name="logistic")
    first = bf.explore(bf.cycles(logistic, "r", [0.6]), {"r": (0.5, 3.56)}, depth=settings.depth)
    henon = bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3])
    second = bf.explore(henon, {"a": (-0.2, 1.0)}, depth=2)
    net = network(alpha=settings.alpha[0])
    equilibrium = bf.cycles(net.reduced, "alpha", net.reduced_equilibrium())
    third = bf.explore(equilibrium, {"alpha": settings.alpha}, depth=1)
    study = Theorems(
        logistic=prove("logistic", first, np.empty((1, 0))),
        henon=prove("henon", second),
        ring=prove("ring of 16", third),
        files=Files("theorems", out),
    )
    publish(study.files, lambda: _draw(study), Table(COLUMNS, _rows(study)))
    for each in study.all:
        arcs = sum(len(branch.pieces) for branch in each.theorem.branches if branch is not None)
        points, gaps = len(each.theorem.points), len(each.theorem.gaps)
        found = f"{each.proved_points} of {points} special points, {arcs} arcs, {gaps} gaps"
        print(f"{each.name}: {found}, {each.seconds:.1f} s")
        for gap in each.theorem.gaps:
            print(f"  not proved, {gap}")
    return study


def _rows(study: Theorems) -> list[list[object]]:
    rows: list[list[object]] = []
    for each in study.all:
        for point in each.theorem.points:
            if not isinstance(point, bf.PointTheorem) or point.parameter is None:
                continue
            name, coefficient = next(iter(point.coefficients.items()), ("", None))
            number = ["", ""] if coefficient is None else [f"{name} = {coefficient.middle!r}", coefficient.radius]
            where = [point.free, point.parameter.middle, point.parameter.radius]
            rows.append([each.name, point.kind, point.form, point.period, *where, point.outside, *number])
    return rows


def _draw(study: Theorems) -> Figure:
    drawn = new_figure(
        "Computed, and proved",
        "Broad bands: arcs proved to be one curve with these special points and no others. Rings: points proved.\n"
        "Solid: stable; dashed: unstable. (c) 16 neurons, β = −0.1, σ = 1/6, b = 0.05.",
        (8.4, 3.4),
    )
    axes = drawn.subplots(1, 3, width_ratios=(1.3, 1.0, 0.9))
    _draw_one(axes[0], study.logistic, "r", 0, "(a) logistic map", "x")
    _draw_one(axes[1], study.henon, "a", 0, "(b) Hénon map, b = 0.3", "x")
    axes[1].set_ylim(*SHOWN)
    net = network(alpha=ALPHA[0])
    _draw_one(axes[2], study.ring, "alpha", response(net, TO_BASELINE), "(c) network", "R of one neuron")
    return drawn


def _draw_one(ax: Axes, proved: Proved, parameter: str, observable: Observable, title: str, label: str) -> None:
    branches = proved.diagram.branches
    bf.plot.diagram(branches, parameter, observable, ax=ax, ylabel=label, legend=False)
    draw_proved(ax, proved.theorem, parameter, observable)
    ax.set_xlabel({"alpha": "rate of adaptation α"}.get(parameter, parameter))
    finish_axes(ax, title)
