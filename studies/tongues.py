"""Arnold tongues: where the delayed logistic map and a predator–prey map lock, and the invariant curves between.

Delayed logistic map: (x, y) ↦ (r x (1 − y) + ε, x). Predator–prey map: (x, y) ↦ (a x (1 − x) − b x y, b x y). Along a
curve of Neimark–Sacker points, r = 2/(1 + ε) and a = b/(b − 2), the critical angle passes weak resonances 2πp/q. From
each starts a tongue between two curves of folds of q-cycles, in which orbits lock to the rotation number p/q.

(a), (b) Both planes. (c) The rotation number along ε = 0, dashed in (a), by weighted averages over orbits: a plateau
where the line crosses a tongue. (d) What orbits settle on there: closed invariant curves, by Fourier collocation, and
within the tongue the 7-cycle on the curve that is locked, with the saddle cycle beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import bifurcate as bf
from studies.report import BLACK, BLUE, FIGURES, ORANGE, Files, Table, finish_axes, name_axes, new_figure, publish
from studies.run_settings import study

LOGISTIC_BOUNDS = {"r": (1.9, 2.45), "eps": (-0.19, 0.04)}
PREY_BOUNDS = {"a": (1.8, 3.2), "b": (2.8, 4.2)}
LINE = (2.005, 2.215)  # r along which rotation numbers are computed: beyond, the closed curve breaks up
CURVES = (2.03, 2.1, 2.15, 2.17)  # r of the closed curves that are drawn, from the widest tongue's side to near it
DRAWN = 400  # angles at which they are
LOCKED = 2.19  # r of the cycle that is drawn
LABEL_GAP = 2  # points between a closed curve and its r
RESONANCE = (1, 7)  # the tongue that the line crosses


@dataclass(frozen=True)
class Settings:
    """How much is computed.

    Attributes
    ----------
    denominators : tuple of int
        Of the resonances that are followed.
    values : int
        Rotation numbers along the line.
    curves : int
        Closed curves that are drawn.
    """

    denominators: tuple[int, ...]
    values: int
    curves: int


FULL = Settings(denominators=(5, 6, 7, 8, 9, 10, 11), values=127, curves=4)
QUICK = Settings(denominators=(7,), values=4, curves=2)


@dataclass(frozen=True, eq=False)
class Locking:
    """What was found, and where it was written.

    Attributes
    ----------
    curves : tuple of Branch
        The Neimark–Sacker curves of both maps.
    tongues : tuple of tuple of Tongue
        Of both maps, at every weak resonance.
    edges : tuple of dict
        Of both maps: branches of both edges, by the resonance's label.
    window : (float, float)
        r at which the line enters and leaves the 1:7 tongue.
    line : list of (float, RotationNumber)
        r, and what was found along it.
    closed : tuple of InvariantCurve
        At the r of ``CURVES``, at ε = 0.
    cycles : tuple of Solution
        The stable and the saddle 7-cycle.
    files : Files
    """

    curves: tuple[bf.Branch, bf.Branch]
    tongues: tuple[tuple[bf.Tongue, ...], tuple[bf.Tongue, ...]]
    edges: tuple[dict[str, tuple[bf.Branch, ...]], dict[str, tuple[bf.Branch, ...]]]
    window: tuple[float, float]
    line: list[tuple[float, bf.RotationNumber]]
    closed: tuple[bf.InvariantCurve, ...]
    cycles: tuple[bf.Solution, bf.Solution]
    files: Files


def predator_prey() -> bf.Map:
    """The predator–prey map, with its Jacobian."""
    return bf.Map(
        lambda z, a, b: np.array([a * z[0] * (1.0 - z[0]) - b * z[0] * z[1], b * z[0] * z[1]]),
        {"a": 2.6, "b": 3.0},
        jacobian=lambda z, a, b: np.array([[a * (1.0 - 2.0 * z[0]) - b * z[1], -b * z[0]], [b * z[1], b * z[0]]]),
        name="predator–prey",
    )


def resonances(curve: bf.Curve, bounds: dict[str, tuple[float, float]], second: str, largest: int) -> bf.Branch:
    """The Neimark–Sacker curve through the first such point of a curve of fixed points, with its weak resonances."""
    (first,) = curve.free
    fixed = bf.trace(curve, {first: bounds[first]})
    return bf.trace(bf.locus(fixed.first("neimark-sacker"), free=second), bounds, resonances=largest)


def follow(
    branch: bf.Branch, bounds: dict[str, tuple[float, float]], denominators: tuple[int, ...]
) -> tuple[tuple[bf.Tongue, ...], dict[str, tuple[bf.Branch, ...]]]:
    """The tongues at weak resonances of a branch, and their edges."""
    points = [point for point in branch.of("weak resonance") if point.resonance and point.resonance[1] in denominators]
    tongues = tuple(bf.tongue(point) for point in points)
    inside = [each for each in tongues if all(_is_inside(edge, bounds) for edge in each.edges)]
    return tongues, {each.label: tuple(bf.trace(edge, bounds, detect=False) for edge in each.edges) for each in inside}


def _is_inside(edge: bf.Curve, bounds: dict[str, tuple[float, float]]) -> bool:
    at = edge.parameters(edge.start)
    return all(low <= at[name] <= high for name, (low, high) in bounds.items())


def locked_window(tongue: bf.Tongue) -> tuple[float, float]:
    """r on both edges of a tongue of the delayed logistic map where they meet ε = 0."""
    bounds = {**LOGISTIC_BOUNDS, "eps": (LOGISTIC_BOUNDS["eps"][0], 0.0)}
    ends = [bf.trace(edge, bounds, detect=False)[-1] for edge in tongue.edges]
    low, high = sorted(end.parameters["r"] for end in ends)
    return low, high


def turning(r: float) -> bf.RotationNumber:
    """The rotation number at ε = 0."""
    return bf.rotation_number(bf.maps.delayed_logistic(r=r), [0.5, 0.45], centre=[1.0 - 1.0 / r] * 2, transient=4000)


def locked_cycles() -> tuple[bf.Solution, bf.Solution]:
    """The stable 7-cycle that orbits settle on, and the saddle beside it."""
    map = bf.maps.delayed_logistic(r=LOCKED)
    stable = bf.solve(map, bf.orbit(map, [0.5, 0.45], 1, transient=3000).states[-1], period=RESONANCE[1])
    branch = bf.trace(bf.cycles(map, "r", stable), {"r": (2.17, 2.205)})
    at = [i for i in range(len(branch) - 1) if (branch["r"][i] - LOCKED) * (branch["r"][i + 1] - LOCKED) <= 0.0]
    found = [bf.solve(map, branch[i].state, period=RESONANCE[1]) for i in at]
    return stable, next(each for each in found if not each.stable)


@study
def run(out: Path = FIGURES, quick: bool = False) -> Locking:
    """Follow resonances and tongues, average rotation numbers, draw."""
    settings = QUICK if quick else FULL
    logistic = bf.cycles(bf.maps.delayed_logistic(1.9), "r", [0.47, 0.47])
    prey = bf.cycles(predator_prey(), "b", [1.0 / 3.0, 0.2])
    curves = (
        resonances(logistic, LOGISTIC_BOUNDS, "eps", max(settings.denominators)),
        resonances(prey, PREY_BOUNDS, "a", max(settings.denominators)),
    )
    first, first_edges = follow(curves[0], LOGISTIC_BOUNDS, settings.denominators)
    second, second_edges = follow(curves[1], PREY_BOUNDS, settings.denominators)
    crossed = next(each for each in first if each.resonance == RESONANCE)
    result = Locking(
        curves=curves,
        tongues=(first, second),
        edges=(first_edges, second_edges),
        window=locked_window(crossed),
        line=[(float(r), turning(float(r))) for r in np.linspace(*LINE, settings.values)],
        closed=tuple(bf.invariant_curve(bf.maps.delayed_logistic(r), [0.5, 0.45]) for r in CURVES[: settings.curves]),
        cycles=locked_cycles(),
        files=Files("tongues", out),
    )
    publish(result.files, lambda: _draw(result), _table(result))
    print(f"delayed logistic map, ε = 0: locked to 1/7 for r from {result.window[0]:.12f} to {result.window[1]:.12f}")
    for tongue in (*first, *second):
        print(tongue)
    return result


def _draw(study: Locking) -> Figure:
    caption = (
        "(x, y) ↦ (r x (1 − y) + ε, x) in (a), (c), (d); (x, y) ↦ (a x (1 − x) − b x y, b x y) in (b).\n"
        "Dash-dotted: Neimark–Sacker points, with weak resonances; shaded: tongues, between folds of cycles.\n"
        "Dashed in (a): the line of (c). Beyond the shade in (c), orbits lock to other rationals."
    )
    drawn = new_figure("Arnold tongues at weak resonances", caption, (7.2, 7.0))
    axes = drawn.subplot_mosaic("ab;cd")
    for name, i, (x, y), labels in (("a", 0, ("r", "eps"), {"eps": "ε"}), ("b", 1, ("a", "b"), {})):
        edges = [edge for pair in study.edges[i].values() for edge in pair]
        bf.plot.chart([study.curves[i], *edges], x, y, ax=axes[name], labels=labels, legend=False)
        bounds = (LOGISTIC_BOUNDS, PREY_BOUNDS)[i]
        axes[name].set(xlim=bounds[x], ylim=bounds[y])
    axes["a"].axhline(0.0, color=BLACK, lw=0.8, ls=(0, (4, 3)))
    name_axes(axes["a"], "(a) delayed logistic map")
    name_axes(axes["b"], "(b) predator–prey map")
    _draw_rotation(axes["c"], study)
    _draw_curves(axes["d"], study)
    return drawn


def _draw_rotation(ax: Axes, study: Locking) -> None:
    ax.axvspan(*study.window, color=ORANGE, alpha=0.22, lw=0.0)
    for kind, colour, filling in (("quasi-periodic", BLUE, BLUE), ("locked", ORANGE, "white")):
        rows = np.array([(r, turns(found)) for r, found in study.line if found.kind == kind]).reshape(-1, 2)
        ax.plot(rows[:, 0], rows[:, 1], "o", ms=2.6, mew=0.9, label=kind, color=colour, mfc=filling)
    ax.axhline(1.0 / 7.0, color=BLACK, lw=0.6, ls=(0, (1, 2)))
    ax.annotate("1/7", (LINE[0], 1.0 / 7.0), xytext=(0, 3), textcoords="offset points", fontsize="small")
    ax.set(xlabel="r", ylabel="turns at a step")
    ax.legend(frameon=False, fontsize="small", loc="upper right")
    finish_axes(ax, "(c) rotation number along ε = 0")


def turns(found: bf.RotationNumber | float) -> float:
    """A rotation number in turns at a step, whichever way the orbit goes round."""
    part = float(found) % 1.0
    return min(part, 1.0 - part)


def _draw_curves(ax: Axes, study: Locking) -> None:
    for curve in study.closed:
        states = curve.states(np.linspace(0.0, 1.0, DRAWN))
        ax.plot(states[:, 0], states[:, 1], "-", color=BLUE, lw=0.8)
        is_outermost = curve is study.closed[-1]  # the others have room for their r inside only
        place: dict[str, Any] = {"ha": "center", "va": "bottom" if is_outermost else "top", "color": BLUE}
        top = states[int(np.argmax(states[:, 1]))]
        offset = (0, LABEL_GAP if is_outermost else -LABEL_GAP)
        words = f"{curve.parameters['r']:g}"
        ax.annotate(words, top, xytext=offset, textcoords="offset points", fontsize="x-small", **place)
    map = bf.maps.delayed_logistic(r=LOCKED)
    for solution, filling in zip(study.cycles, (ORANGE, "white"), strict=True):
        states = bf.orbit(map, solution.state, RESONANCE[1] - 1).states
        words = f"{'stable' if solution.stable else 'saddle'} 7-cycle, r = {LOCKED}"
        ax.plot(states[:, 0], states[:, 1], "o", ms=3.6, mew=0.9, color=ORANGE, label=words, zorder=5, mfc=filling)
    ax.set(xlabel="x", ylabel="y", ylim=(-0.2, 0.97))
    ax.legend(frameon=False, fontsize="small", loc="lower left")
    finish_axes(ax, "(d) closed curves, with r, and locked cycles")


def _table(study: Locking) -> Table:
    def rows() -> Iterator[list[Any]]:
        for name, tongues in zip(("delayed logistic", "predator–prey"), study.tongues, strict=True):
            for tongue in tongues:
                assert tongue.origin is not None
                at = [tongue.origin.parameters[each] for each in tongue.free]
                yield [f"{name}, resonance", tongue.label, *at, tongue.origin.error]
                yield [f"{name}, width in {tongue.across}", tongue.label, tongue.width, "", tongue.width_error]
        for name, edges in zip(("delayed logistic", "predator–prey"), study.edges, strict=True):
            for label, pair in edges.items():
                for edge in pair:
                    for point in edge:
                        yield [f"{name}, edge", label, *(point.parameters[each] for each in edge.curve.free), ""]
        for r, found in study.line:
            yield [f"rotation number, {found.kind}", "", r, turns(found), found.error]
        for curve in study.closed:
            number = turns(curve.rotation_number)
            yield ["rotation number of a closed curve", "", curve.parameters["r"], number, curve.rotation_error]

    return Table(("what", "resonance", "first", "second", "error"), rows())
