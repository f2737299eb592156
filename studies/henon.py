"""The Hénon map's homoclinic tangle, the tangency in which it is born, and the crisis in which its attractor ends.

Map: (x, y) ↦ (1 − a x² + y, b x). Its fixed point with x > 0 is a saddle on the attractor, the one with x < 0 lies on
the edge of the attractor's basin.

(a) The tangle at a = 1.4, b = 0.3: unstable and stable manifold of the saddle with x > 0, and their first
intersections. (b) The same where the manifolds first touch as a grows, in a homoclinic tangency: below it the saddle
has no homoclinic orbit, above it two. (c) Where they do so in the plane of a and b, and where the unstable manifold of
the saddle with x > 0 touches the stable one of the saddle with x < 0: there the attractor touches the edge of its basin
and ends, in a boundary crisis. As b → 0 the crisis comes to that of x ↦ 1 − a x², at a = 2. (d, e) Before and after the
crisis at b = 0.1: how long orbits stay, from every state of the plane. The edge of the basin is the stable manifold of
the saddle with x < 0; after the crisis the unstable manifold of the other saddle reaches across it, and every orbit
leaves in the end.
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

B = 0.3
TANGLE = 1.4  # a of the tangle
CRISIS_START = (1.85, 0.1)  # a and b at which the curve of crises is entered: beyond the crisis
BESIDE = 0.02  # in a, from the crisis to the panels before and after it
PLANE = ((-1.6, 1.6), (-0.9, 0.9))  # of x and y, in which these panels' orbits start
INSIDE = [(-50.0, 50.0), (-50.0, 50.0)]  # orbits that leave this box do not come back


@dataclass(frozen=True)
class Settings:
    """How much is computed.

    Attributes
    ----------
    length : float
        Arclength of the drawn halves.
    tolerance : float
        Of the manifolds.
    least_b : float
        Down to which the curves of tangencies are followed.
    cells : (int, int)
        Starts along x and along y, whose times of escape are drawn.
    steps : int
        Iterations after which an orbit counts as one that stays.
    """

    length: float
    tolerance: float
    least_b: float
    cells: tuple[int, int]
    steps: int


FULL = Settings(length=25.0, tolerance=1e-4, least_b=0.005, cells=(400, 300), steps=5000)
QUICK = Settings(length=9.0, tolerance=1e-3, least_b=0.09, cells=(80, 60), steps=2000)


@dataclass(frozen=True, eq=False)
class Escapes:
    """How long orbits stay, at one value of a.

    Attributes
    ----------
    a : float
    x, y : ndarray
        Centres of the cells in which orbits start.
    times : ndarray of int, shape (y, x)
        Iterations after which they have left; −1 for those that stay.
    manifolds : tuple of Manifold
        Unstable one of the saddle with x > 0, stable one of the saddle with x < 0.
    """

    a: float
    x: np.ndarray
    y: np.ndarray
    times: np.ndarray
    manifolds: tuple[bf.Manifold, bf.Manifold]


@dataclass(frozen=True, eq=False)
class Tangle:
    """What was found, and where it was written.

    Attributes
    ----------
    manifolds : tuple of Manifold
        Unstable and stable, at a = 1.4.
    homoclinic : ConnectingOrbits
        Their intersections.
    touching : tuple of Manifold
        The same at the tangency.
    tangency, crisis : SpecialPoint
        The homoclinic tangency at b = 0.3, and the heteroclinic one at b = 0.1.
    curves : tuple of Branch
        Both in the plane of a and b.
    escapes : tuple of Escapes
        Before and after the crisis.
    files : Files
    """

    manifolds: tuple[bf.Manifold, bf.Manifold]
    homoclinic: bf.ConnectingOrbits
    touching: tuple[bf.Manifold, bf.Manifold]
    tangency: bf.SpecialPoint
    crisis: bf.SpecialPoint
    curves: tuple[bf.Branch, bf.Branch]
    escapes: tuple[Escapes, Escapes]
    files: Files


def saddle(a: float, b: float, side: float) -> bf.Solution:
    """The fixed point with x > 0 or x < 0."""
    x = (-(1.0 - b) + side * np.sqrt((1.0 - b) ** 2 + 4.0 * a)) / (2.0 * a)
    return bf.solve(bf.maps.henon(a=a, b=b), [x, b * x])


def manifolds(of: bf.Solution, to: bf.Solution, length: float, tolerance: float) -> tuple[bf.Manifold, bf.Manifold]:
    """The unstable manifold of one saddle, and the stable one of another."""
    unstable = bf.manifold(of, length=length, tolerance=tolerance)
    return unstable, bf.manifold(to, stable=True, length=length, tolerance=tolerance)


def first_tangency(orbit: bf.ConnectingOrbit, bounds: tuple[float, float]) -> bf.SpecialPoint:
    """The tangency in which a connecting orbit is born as a grows."""
    found = bf.trace(bf.connections(orbit, "a"), {"a": bounds}).of("tangency")
    return min(found, key=lambda point: point.parameters["a"])


def escapes(a: float, b: float, settings: Settings) -> Escapes:
    """Follow an orbit from every cell of the plane, and grow the manifolds that bound what it does."""
    edges = [np.linspace(*span, count + 1) for span, count in zip(PLANE, settings.cells)]
    x, y = (0.5 * (each[1:] + each[:-1]) for each in edges)
    starts = np.column_stack([np.tile(x, len(y)), np.repeat(y, len(x))])
    found = bf.escape_times(bf.maps.henon(a=a, b=b), starts, INSIDE, steps=settings.steps)
    inner, outer = saddle(a, b, 1.0), saddle(a, b, -1.0)
    box = [(2.0 * low, 2.0 * high) for low, high in PLANE]
    unstable = bf.manifold(inner, length=6.0, tolerance=settings.tolerance)
    stable = bf.manifold(outer, stable=True, length=settings.length, tolerance=settings.tolerance, box=box)
    return Escapes(a, x, y, found.times.reshape(len(y), len(x)), (unstable, stable))


@study
def run(out: Path = FIGURES, quick: bool = False) -> Tangle:
    """Grow manifolds, find where they cross and touch, follow that, draw."""
    settings = QUICK if quick else FULL
    inner = saddle(TANGLE, B, 1.0)
    drawn = manifolds(inner, inner, settings.length, settings.tolerance)
    found = bf.connecting_orbits(*manifolds(inner, inner, 3.0, 1e-3))
    tangency = first_tangency(found.orbits[0], (0.8, 1.45))
    touching = saddle(tangency.parameters["a"], B, 1.0)
    a, b = CRISIS_START
    outwards = bf.connecting_orbits(*manifolds(saddle(a, b, 1.0), saddle(a, b, -1.0), 6.0, 1e-3))
    crisis = first_tangency(outwards.orbits[0], (1.75, 1.9))
    bounds = {"a": (0.5, 2.2), "b": (settings.least_b, B)}
    curves = bf.trace(bf.locus(tangency, "b"), bounds), bf.trace(bf.locus(crisis, "b"), bounds)
    before, after = (escapes(crisis.parameters["a"] + away, b, settings) for away in (-BESIDE, BESIDE))
    result = Tangle(
        manifolds=drawn,
        homoclinic=found,
        touching=manifolds(touching, touching, settings.length, settings.tolerance),
        tangency=tangency,
        crisis=crisis,
        curves=curves,
        escapes=(before, after),
        files=Files("henon", out),
    )
    publish(result.files, lambda: _draw(result), _table(result))
    print(found)
    print(f"b = {B}: the manifolds of the saddle with x > 0 touch first at {tangency}")
    print(f"b = {b}: the attractor ends at {crisis}")
    return result


def _draw(study: Tangle) -> Figure:
    caption = (
        "(x, y) ↦ (1 − a x² + y, b x). Manifolds of the saddle (cross). Circles: in (a) homoclinic points,\n"
        "in (b) the orbit on which the manifolds touch. Triangles in (c): the tangencies from which its curves start.\n"
        "(d, e) White: orbits stay; the darker the sooner they leave. Thick: the stable manifold of the other saddle."
    )
    drawn = new_figure("The Hénon map: tangle, first tangency, crisis, basins", caption, (7.2, 10.0))
    axes = drawn.subplot_mosaic("ab;cc;de", height_ratios=(1.2, 1.0, 1.2))
    for name, pair, a in (("a", study.manifolds, TANGLE), ("b", study.touching, study.tangency.parameters["a"])):
        ax = axes[name]
        bf.plot.phase_portrait(
            pair[0].solution, manifolds=pair, directions=False, ax=ax, xlabel="x", ylabel="y", legend=False
        )
        ax.set(xlim=(-1.6, 1.6), ylim=(-0.75, 0.75))
        name_axes(ax, f"({name}) a = {a:.7g}, b = {B}")
    for text, place, colour in (("unstable", (-0.4, 0.42), ORANGE), ("stable", (0.9, 0.6), BLUE)):
        axes["a"].text(*place, text, color=colour, fontsize="small")
    points = np.array([point.point for point in study.homoclinic])
    axes["a"].plot(*points.T, "o", ms=4.5, mfc="white", mew=1.1, color=BLACK, zorder=6)
    touch = study.tangency.cycle_states()
    axes["b"].plot(*np.array(touch).T, "o", ms=4.0, mfc="white", mew=1.1, color=BLACK, zorder=6)
    _draw_curves(axes["c"], study)
    for name, each in zip("de", study.escapes, strict=True):
        _draw_escapes(axes[name], each)
        which = "before" if name == "d" else "after"
        name_axes(axes[name], f"({name}) {which} the crisis: a = {each.a:.4f}, b = {CRISIS_START[1]}")
    return drawn


def _draw_escapes(ax: Axes, each: Escapes) -> None:
    shades = np.where(each.times < 0, np.nan, np.log(np.maximum(each.times, 1)))
    ax.pcolormesh(each.x, each.y, shades, cmap="gray", vmin=0.0, vmax=np.log(60.0), alpha=0.75, rasterized=True)
    unstable, stable = each.manifolds
    for manifold, colour, width in ((unstable, ORANGE, 0.7), (stable, BLUE, 1.8)):
        for branch in manifold.branches:
            ax.plot(*branch.points.T, color=colour, lw=width)
    ax.plot(*unstable.solution.state, "x", ms=6, color=BLACK)
    ax.plot(*stable.solution.state, "x", ms=6, color=BLACK)
    ax.set(xlim=PLANE[0], ylim=PLANE[1], xlabel="x", ylabel="y")


def _draw_curves(ax: Axes, study: Tangle) -> None:
    first, last = study.curves
    ax.plot(first["a"], first["b"], color=BLUE, lw=1.4, label="homoclinic tangency: the tangle is born")
    ax.plot(last["a"], last["b"], color=ORANGE, lw=1.4, ls=(0, (5, 2)), label="heteroclinic tangency: boundary crisis")
    for point, colour in ((study.tangency, BLUE), (study.crisis, ORANGE)):
        ax.plot(point.parameters["a"], point.parameters["b"], "^", ms=6, mfc="white", mew=1.2, color=colour)
    ax.plot([TANGLE], [B], "x", ms=6, color=BLACK)
    ax.annotate(
        "(a)", (TANGLE, B), xytext=(-6, 0), textcoords="offset points", ha="right", va="center", fontsize="small"
    )
    ax.set(xlabel="a", ylabel="b", ylim=(0.0, 1.05 * B))
    ax.legend(frameon=False, fontsize="small", loc="lower left")
    finish_axes(ax, "(c) where manifolds touch")


def _table(study: Tangle) -> Table:
    def rows() -> Iterator[list[Any]]:
        for orbit in study.homoclinic:
            yield ["homoclinic point", TANGLE, B, *orbit.point, orbit.error, orbit.angle]
        for name, special in (("homoclinic tangency", study.tangency), ("crisis", study.crisis)):
            yield [name, special.parameters["a"], special.parameters["b"], *special.state, special.error, 0.0]
        for name, curve in zip(("homoclinic tangency", "crisis"), study.curves, strict=True):
            for point in curve:
                yield [f"{name}, curve", point.parameters["a"], point.parameters["b"], *point.state, "", 0.0]
        for each in study.escapes:
            yield ["part of the plane that stays", each.a, CRISIS_START[1], float((each.times < 0).mean()), "", "", ""]

    return Table(("what", "a", "b", "x", "y", "error", "angle"), rows())
