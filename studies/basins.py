"""Where does the network end up? Two neurons that double together: four cycles, their basins, and the saddles between.

Network: 16 neurons in a ring, baseline (contrast 0.8, orientation π/32), stimulus (0.8, π/2 + π/32), β = −0.1,
σ = 1/6, b = 0.05, α = 0.8. The baseline lies between the neurons 0 and 1, which are driven alike and flip almost
together: at α = 0.8 each of them is on a cycle of period 4, almost by itself. They may be 0, 1, 2 or 3 updates apart:
four cycles of period 4 attract.

(a) Which of them weights lead to, in a plane of two directions of W about its equilibrium C: W = C + s A + t B changes
the input of neuron 0 by s and that of neuron 1 by t, A = e₀ rᵀ n/(r·r), B = e₁ rᵀ n/(r·r). The weights act on outputs
through y = W r/n alone, so that the plane of W is one of y, of 16 numbers. Beyond y = −σ² lies the pole, where a
response changes its sign. Squares mark edge states: saddle cycles of period 4 to which boundaries between two cycles
lead, with one multiplier outside the unit circle. (b) How many updates it takes to settle.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

import bifurcate as bf
from studies.report import FIGURES, Files, Table, legend_title, name_axes, new_figure, publish
from studies.run_settings import study

N = 16
TURN = np.pi / 32  # half of the distance between two neurons' preferences
ALPHA, BETA, SIGMA, B = 0.8, -0.1, 1 / 6, 0.05
BOUNDS = ((-0.06, 0.30), (-0.06, 0.30))
STEPS = 800  # updates in which an orbit must settle: the slowest multiplier is 0.41 in four updates
EDGES = 4  # boundaries that are followed to their saddle, spread over the plane
CYCLE: dict[str, Any] = {"ls": "", "marker": "o", "ms": 3.2, "mfc": "black", "mec": "white", "mew": 0.6}
SADDLE: dict[str, Any] = {"ls": "", "marker": "s", "ms": 3.4, "mfc": "white", "mec": "black", "mew": 0.8}


@dataclass(frozen=True)
class Settings:
    """How fine the picture is.

    Attributes
    ----------
    cells : int
        Along each side.
    edges : int
        Boundaries that are followed.
    """

    cells: int
    edges: int


FULL, QUICK = Settings(cells=180, edges=EDGES), Settings(cells=24, edges=1)


@dataclass(frozen=True, eq=False)
class BasinsOfWeights:
    """What was found, and where it was written.

    Attributes
    ----------
    basins : Basins
    edges : tuple of EdgeState
    shifts : tuple of int
        By how many updates neuron 1 is ahead of neuron 0, on each attractor.
    files : Files
    """

    basins: bf.Basins
    edges: tuple[bf.EdgeState, ...]
    shifts: tuple[int, ...]
    files: Files


def ring(alpha: float = ALPHA) -> bf.adaptation.Network:
    """The network, with the baseline between the neurons 0 and 1."""
    baseline, stimulus = (0.8, TURN), (0.8, np.pi / 2 + TURN)
    return bf.adaptation.ring(N, baseline, stimulus, alpha=alpha, beta=BETA, sigma=SIGMA, b=B)


def reduced(net: bf.adaptation.Network) -> bf.Map:
    """The reduced rule in y = W r/n, written so that it takes many states at once, shape (m, n)."""
    rule = net.reduced
    assert rule.jacobian is not None and rule.jvp is not None
    jacobian, jvp = rule.jacobian, rule.jvp
    p = dict(net.parameters)
    r = net.stimuli.at(p).drive
    rest = np.asarray(net.reduced_equilibrium())
    # What does not depend on y follows from the equilibrium: y* = (1+β) y* + α R* (R*·r)/n − constant.
    R = r / (SIGMA**2 + rest)
    constant = BETA * rest + net.alpha * R * (R @ r) / N

    def f(y: np.ndarray) -> np.ndarray:
        R = r / (SIGMA**2 + y)
        return np.asarray((1.0 + BETA) * y + net.alpha * R * (R @ r)[..., None] / N - constant)

    return bf.Map(
        f,
        {},
        jacobian=lambda y: jacobian(y, **p),
        jvp=lambda y, v: jvp(y, v, **p),
        domain=lambda y: SIGMA**2 + y,
        scale=rule.scale,
        name="16 neurons",
    )


def weights_plane(net: bf.adaptation.Network) -> bf.Plane:
    """The plane of W about C, as one of y: along the inputs of the neurons 0 and 1."""
    r = net.stimuli.at(dict(net.parameters)).drive
    A, B = (np.outer(np.eye(N)[i], r) * N / (r @ r) for i in (0, 1))
    across, up = A @ r / N, B @ r / N
    names = ("input of neuron 0, s", "input of neuron 1, t")
    return bf.Plane(np.asarray(net.reduced_equilibrium()), across, up, BOUNDS, names)


def shift(attractor: bf.Attractor) -> int:
    """By how many updates neuron 1 is ahead of neuron 0: the rotation that makes their series most alike."""
    first, second = attractor.states[:, 0], attractor.states[:, 1]
    apart = [float(np.abs(np.roll(first, -k) - second).sum()) for k in range(attractor.period)]
    return int(np.argmin(apart))


def by_shift(found: bf.Basins) -> bf.Basins:
    """The same basins, with the attractors in the order of their shifts."""
    order = sorted(range(len(found.attractors)), key=lambda i: shift(found.attractors[i]))
    labels = found.labels.copy()
    for number, i in enumerate(order):
        labels[found.labels == i] = number
    return dataclasses.replace(found, attractors=tuple(found.attractors[i] for i in order), labels=labels)


def edges_of(found: bf.Basins, count: int) -> tuple[bf.EdgeState, ...]:
    """Edge states of boundaries between attractors, from pairs of neighbouring cells spread over the plane."""
    left, right = found.labels[:, :-1], found.labels[:, 1:]
    pairs = np.argwhere((left != right) & (left >= 0) & (right >= 0))
    chosen = pairs[np.linspace(0, len(pairs) - 1, count + 2).astype(int)[1:-1]]
    return tuple(
        bf.edge_state(
            found,
            found.plane.state(float(found.x[j]), float(found.y[i])),
            found.plane.state(float(found.x[j + 1]), float(found.y[i])),
            settle=STEPS,
        )
        for i, j in chosen.tolist()
    )


@study
def run(out: Path = FIGURES, quick: bool = False) -> BasinsOfWeights:
    """Label, follow boundaries, draw."""
    settings = QUICK if quick else FULL
    net = ring()
    found = by_shift(bf.basins(reduced(net), weights_plane(net), cells=settings.cells, steps=STEPS, progress=False))
    edges = edges_of(found, settings.edges)
    shifts = tuple(shift(each) for each in found.attractors)
    result = BasinsOfWeights(found, edges, shifts, Files("basins", out))
    columns = ["s", "t", "label", "time"]
    publish(result.files, lambda: _draw(result), Table(columns, _rows(found)))
    print(found)
    print(f"neuron 1 is ahead of neuron 0 by {', '.join(map(str, shifts))} updates")
    for edge in edges:
        largest = "" if edge.solution is None else f", multiplier {np.abs(edge.solution.multipliers).max():.4f}"
        print(f"boundary of {edge.labels[0]} and {edge.labels[1]}: {edge.kind}{largest}")
    return result


def _draw(result: BasinsOfWeights) -> Figure:
    beta = f"{BETA:g}".replace("-", "−")
    drawn = new_figure(
        "",  # the legend has the title
        f"{N} neurons, baseline between neurons 0 and 1; α = {ALPHA:g}, β = {beta}, σ = 1/6, b = {B:g}. "
        "The plane W = C + s A + t B changes\nthe inputs of two neurons. Dots: the four cycles of period 4, "
        "seen along the plane; squares: saddles on their boundaries.",
        (7.4, 4.4),
    )
    left, right = drawn.subplots(1, 2)
    bf.plot.basins(result.basins, ax=left, legend=False)
    bf.plot.basins(result.basins, ax=right, times=True)
    rest = result.basins.plane.origin
    for attractor in result.basins.attractors:
        left.plot(*(attractor.states[:, :2] - rest[:2]).T, **CYCLE)
    for edge in result.edges:
        if edge.solution is not None:
            cycle = bf.orbit(result.basins.map, edge.solution.state, edge.solution.period).states
            left.plot(*(cycle[:, :2] - rest[:2]).T, **SADDLE)
    name_axes(left, "(a) by how many updates neuron 1 is ahead")
    name_axes(right, "(b) updates until it is settled")
    _draw_legend(drawn, left, result)
    return drawn


def _draw_legend(drawn: Figure, ax: Axes, result: BasinsOfWeights) -> None:
    image: Any = ax.collections[0]
    labels = sorted(set(np.unique(result.basins.labels).tolist()), key=lambda k: (k < 0, abs(k)))
    words = {k: "beyond the pole" if k == -2 else f"{result.shifts[k]} ahead" for k in labels}
    colours = [image.cmap(image.norm(i)) for i in range(len(labels))]
    keys: list[Any] = [
        Patch(facecolor=c, edgecolor="0.4", lw=0.6, label=words[k]) for c, k in zip(colours, labels, strict=True)
    ]
    keys += [Line2D([], [], label="cycles", **CYCLE), Line2D([], [], label="saddles", **SADDLE)]
    drawn.legend(
        handles=keys,
        loc="outside upper left",
        ncols=len(keys),
        frameon=False,
        fontsize="small",
        title=legend_title("Two directions of the weights: four cycles, their basins and the saddles between them"),
        title_fontsize=11,
        alignment="left",
    )


def _rows(found: bf.Basins) -> Iterator[list[Any]]:
    for i, t in enumerate(found.y.tolist()):
        for j, s in enumerate(found.x.tolist()):
            yield [s, t, int(found.labels[i, j]), int(found.times[i, j])]
