"""Phase portraits: cycles, the directions of their multipliers, and orbits, in the plane of two components."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bifurcate.attractors.basins import Basins
from bifurcate.errors import InvalidInput
from bifurcate.linalg.operators import dense
from bifurcate.manifolds.invariant_curve import InvariantCurve
from bifurcate.manifolds.manifold import Manifold
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.periodic_coordinates import reduced, whole_periods
from bifurcate.newton.solve import Solution
from bifurcate.orbits.ensemble import Ensemble
from bifurcate.orbits.orbit import Orbit
from bifurcate.plot.arguments import (
    axes,
    checked,
    finite_array,
    flag,
    flag_or,
    instance,
    instances,
    line_style,
    names,
    optional,
    text,
)
from bifurcate.plot.basin_map import shade_basins
from bifurcate.plot.drawing import PERIOD_COLOURS, SQUARE_SIZE, draw_legend, finish_axes, ink, new_axes
from bifurcate.validation import check_array, check_sequence, check_text

__all__ = ["phase_portrait"]

STABLE_MARK: dict[str, Any] = {"marker": "o", "ms": 5.0, "mew": 1.0}
SADDLE_MARK: dict[str, Any] = {"marker": "X", "ms": 5.5, "mew": 0.6}
UNSTABLE_MARK: dict[str, Any] = {"marker": "o", "ms": 5.0, "mew": 1.0, "mfc": "white"}
DIRECTION_LENGTH = 18.0  # points, of each arm of a direction
STABLE_COLOUR, UNSTABLE_COLOUR = "#1a5fa0", "#c2571a"
LEAST_DRAWN, DRAWN_PER_MODE = 256, 8  # points of a closed curve that are joined by straight lines
REAL = 1e-9  # |Im λ| up to this part of |λ| counts as real


@checked(
    solutions=instances(Solution, "solve makes one"),
    components=finite_array,
    curves=optional(instance(Mapping, "names and arrays, as {'unstable': [points]}")),
    directions=flag,
    lines=flag,
    manifolds=instances(Manifold, "bf.manifold makes one"),
    invariant_curves=instances(InvariantCurve, "bf.invariant_curve makes one"),
    basins=optional(instance(Basins, "bf.basins(map, plane) makes one")),
    ax=axes,
    xlabel=text,
    ylabel=text,
    labels=names,
    legend=flag_or("inside"),
    stable=line_style,
    unstable=line_style,
)
def phase_portrait(
    solutions: Solution | Iterable[Solution] = (),
    *,
    orbits: Orbit | Ensemble | Iterable[Orbit | NDArray[np.float64]] = (),
    components: tuple[int, int] = (0, 1),
    curves: Mapping[str, Sequence[NDArray[np.float64]]] | None = None,
    directions: bool = True,
    lines: bool = False,
    manifolds: Manifold | Iterable[Manifold] = (),
    invariant_curves: InvariantCurve | Iterable[InvariantCurve] = (),
    basins: Basins | None = None,
    ax: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "",
    labels: Mapping[str, str] | None = None,
    legend: bool | str = True,
    stable: Mapping[str, Any] | None = None,
    unstable: Mapping[str, Any] | None = None,
) -> Axes:
    """Draw fixed points and cycles, the directions of their real multipliers, and orbits, in the plane.

    Stable cycles are filled circles, saddles crosses, cycles of which all multipliers lie outside open circles. A line
    through a state is along the eigenvector of a real multiplier: solid with |λ| > 1, dotted with |λ| < 1.

    Parameters
    ----------
    solutions : Solution or iterable of Solution
        From :func:`bifurcate.solve` or :func:`bifurcate.deflate`.
    orbits : Orbit, Ensemble or iterable of Orbit and ndarray
        Drawn as dots, each in a colour of its own.
    components : (int, int)
        Of the flattened state, for the two axes.
    curves : mapping of str to sequence of ndarray, shape (points, 2), optional
        Further curves in the same plane, by their name in the legend, as invariant manifolds or borders of basins.
    directions : bool
        Draw the directions of real multipliers; of large states that takes all eigenvectors.
    lines : bool
        Join the states of an orbit, one after the other.
    manifolds : Manifold or iterable of Manifold
        From :func:`bifurcate.manifold`: unstable ones solid, stable ones dashed.
    invariant_curves : InvariantCurve or iterable of InvariantCurve
        From :func:`bifurcate.invariant_curve`: stable ones solid, others dashed.
    basins : Basins, optional
        From :func:`bifurcate.basins`, of a plane along the two components: shaded underneath, and the axes end with it.
    ax, xlabel, ylabel, legend : optional
        As for :func:`diagram`.
    labels : mapping of str to str, optional
        How axes name components, as ``{"x0": "x"}``.
    stable, unstable : mapping, optional
        Matplotlib's line properties of stable and of unstable manifolds, as ``{"lw": 1.5}``.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidInput
        If the components are not two, a state has fewer, or the basins are those of another plane.

    Examples
    --------
    >>> import bifurcate as bf
    >>> henon = bf.maps.henon(a=1.4, b=0.3)
    >>> found = bf.deflate(henon, [[1.0, 0.3], [-1.0, -0.3]])
    >>> ax = bf.plot.phase_portrait(found.solutions, orbits=bf.orbit(henon, [0.1, 0.1], 2000, transient=100))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['saddle', 'multiplier outside', 'multiplier inside']
    """
    chosen = [int(each) for each in np.ravel(components)]
    if len(chosen) != 2 or min(chosen) < 0 or not np.array_equal(chosen, np.ravel(components)):
        raise InvalidInput(f"components is {components!r}; it must be two numbers of components")
    ax = new_axes(SQUARE_SIZE) if ax is None else ax
    for i, states in enumerate(_orbit_arrays(orbits)):
        flat = _plane(states.reshape(len(states), -1), chosen)
        colour = ink(PERIOD_COLOURS[i % len(PERIOD_COLOURS)])
        style: dict[str, Any] = {"marker": ".", "ms": 1.6, "mew": 0.0, "ls": "-" if lines else "", "lw": 0.5}
        ax.plot(*flat.T, color=colour, alpha=0.7, zorder=1, rasterized=len(flat) > 10**4, **style)
    entries: dict[str, Line2D] = {}
    for i, (name, parts) in enumerate((curves or {}).items()):
        colour = ink(PERIOD_COLOURS[(i + 1) % len(PERIOD_COLOURS)])
        check_text("a name in curves", name)
        for part in check_sequence("an entry of curves", parts, "arrays of points"):
            ax.plot(*check_array("an entry of curves", part, (None, 2)).T, color=colour, lw=1.0, zorder=2)
        entries[name] = Line2D([], [], color=colour, lw=1.0, label=name)
    for each in [manifolds] if isinstance(manifolds, Manifold) else manifolds:
        entries |= _draw_manifold(ax, each, chosen, (stable if each.stable else unstable) or {})
    for closed in [invariant_curves] if isinstance(invariant_curves, InvariantCurve) else invariant_curves:
        entries |= _draw_invariant_curve(ax, closed, chosen)
    for solution in [solutions] if isinstance(solutions, Solution) else solutions:
        entries |= _draw_cycle(ax, solution, chosen, directions)
    if basins is not None:
        entries |= _shade(ax, basins, chosen)
    draw_legend(ax, list(entries.values()), legend, 3, 1.8)
    across, up = ((labels or {}).get(f"x{k}", f"component {k}") for k in chosen)
    finish_axes(ax, xlabel or across, ylabel or up)
    return ax


def _shade(ax: Axes, basins: Basins, components: list[int]) -> dict[str, Line2D]:
    """Shade basins under everything else, and end the axes where they end; returns legend entries."""
    plane = basins.plane
    size = plane.across.size
    given = [np.eye(size)[k] if k < size else np.zeros(size) for k in components]
    if not all(np.array_equal(np.ravel(way), unit) for way, unit in zip((plane.across, plane.up), given)):
        raise InvalidInput(
            f"basins are those of the plane of {plane.names}; it must be that of components {components}"
        )
    keys = shade_basins(ax, basins)
    (left, right), (low, high) = plane.bounds
    ax.set(xlim=(left, right), ylim=(low, high))
    return {str(key.get_label()): key for key in keys}


def _orbit_arrays(orbits: Any) -> list[NDArray[np.float64]]:
    if isinstance(orbits, Orbit):
        return [orbits.states]
    if isinstance(orbits, Ensemble):
        return list(orbits.states)
    given = check_sequence("orbits", orbits, "orbits or arrays of states")
    arrays = [check_array("orbits", each.states if isinstance(each, Orbit) else each) for each in given]
    if any(states.ndim < 2 or not states.size for states in arrays):
        raise InvalidInput("an entry of orbits is no array of states, of shape (steps, *state's shape)")
    return arrays


def _plane(states: NDArray[np.float64], components: list[int]) -> NDArray[np.float64]:
    if states.shape[1] <= max(components):
        raise InvalidInput(f"components are {components}, but states have {states.shape[1]} numbers")
    return states[:, components]


def _draw_manifold(ax: Axes, manifold: Manifold, components: list[int], given: Mapping[str, Any]) -> dict[str, Line2D]:
    """Draw the halves of a manifold, in the house's style but for what is given; returns legend entries."""
    name = "stable manifold" if manifold.stable else "unstable manifold"
    colour = ink(STABLE_COLOUR if manifold.stable else UNSTABLE_COLOUR)
    house: dict[str, Any] = {"color": colour, "lw": 0.8, "ls": (0, (4, 1.5)) if manifold.stable else "-"}
    style = {**house, **given}
    map = manifold.solution.map
    for branch in manifold.branches:
        points = _plane(branch.points.reshape(len(branch.t), -1), components)
        if map is not None and map.periods is not None:
            points = _wrapped(points, map.periods[components])
        ax.plot(*points.T, zorder=2, rasterized=len(points) > 10**4, **style)
    return {name: Line2D([], [], label=name, **style)}


def _draw_invariant_curve(ax: Axes, curve: InvariantCurve, components: list[int]) -> dict[str, Line2D]:
    """Draw a closed curve; returns its legend entry."""
    name = "invariant curve" if curve.stable else "unstable invariant curve"
    style: dict[str, Any] = {"color": ink(PERIOD_COLOURS[0]), "lw": 1.2, "ls": "-" if curve.stable else (0, (4, 1.5))}
    count = max(LEAST_DRAWN, DRAWN_PER_MODE * curve.modes)
    points = _plane(curve.states(np.linspace(0.0, 1.0, count + 1)).reshape(count + 1, -1), components)
    if curve.map.periods is not None:
        points = _wrapped(points, curve.map.periods[components])
    ax.plot(*points.T, zorder=3, **style)
    return {name: Line2D([], [], label=name, **style)}


def _wrapped(points: NDArray[np.float64], periods: NDArray[np.float64]) -> NDArray[np.float64]:
    """A curve in coordinates reduced to [0, period), interrupted where it comes back on the other side."""
    jumps = np.flatnonzero((np.diff(whole_periods(points, periods), axis=0) != 0.0).any(axis=1)) + 1
    return np.insert(reduced(points, periods), jumps, np.nan, axis=0)


def _draw_cycle(ax: Axes, solution: Solution, components: list[int], directions: bool) -> dict[str, Line2D]:
    """Mark the states of a cycle, with the directions of its real multipliers; returns legend entries."""
    x = np.ravel(solution.state)
    states = [x]
    if solution.map is not None:
        iterate = IteratedMap(solution.map, np.shape(solution.state), solution.period)
        states = iterate.orbit(x, solution.parameters)[:-1]
    outside = solution.spectrum.outside
    name = "stable" if solution.stable else "unstable" if outside == len(x) else "saddle"
    mark = {"stable": STABLE_MARK, "saddle": SADDLE_MARK, "unstable": UNSTABLE_MARK}[name]
    points = _plane(np.array(states), components)
    style = {"ls": "", "color": ink("#000000"), **mark}
    ax.plot(*points.T, zorder=5, **style)
    entries = {name: Line2D([], [], label=name, **style)}
    if directions and solution.map is not None:
        for state in states:
            at = iterate.orbit(state, solution.parameters)
            values, vectors = np.linalg.eig(dense(iterate.jacobian(at, solution.parameters)))
            for value, vector in zip(values, vectors.T, strict=True):
                if abs(value.imag) <= REAL * abs(value):
                    entries |= _draw_direction(ax, state, vector.real, float(value.real), components)
    return entries


def _draw_direction(
    ax: Axes, state: NDArray[np.float64], vector: NDArray[np.float64], multiplier: float, components: list[int]
) -> dict[str, Line2D]:
    is_outside = abs(multiplier) > 1.0
    name = "multiplier outside" if is_outside else "multiplier inside"
    colour = ink(UNSTABLE_COLOUR if is_outside else STABLE_COLOUR)
    style: dict[str, Any] = {"color": colour, "lw": 1.2, "ls": "-" if is_outside else (0, (1, 1.2))}
    point, way = state[components], vector[components]
    if not np.abs(way).max() > 0.0:
        return {}
    for sign in (1.0, -1.0):
        arms = _Arm(point, sign * way, style)
        ax.add_line(arms)
    return {name: Line2D([], [], label=name, **style)}


class _Arm(Line2D):
    """A segment of fixed length on the page, along a direction in the plane of the data."""

    def __init__(self, point: NDArray[np.float64], way: NDArray[np.float64], style: dict[str, Any]) -> None:
        super().__init__([point[0]], [point[1]], zorder=4, **style)
        self._point, self._way = point, way

    def draw(self, renderer: Any) -> None:
        """Find the segment's end for the limits that axes have now, and draw it."""
        ax = self.axes
        if ax is None:
            return
        width = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
        step = 1e-3 * self._way / np.abs(self._way / width).max()
        start, beside = ax.transData.transform([self._point, self._point + step])
        length = DIRECTION_LENGTH * ax.figure.dpi / 72.0
        end = start + (beside - start) * length / np.linalg.norm(beside - start)
        ends = ax.transData.inverted().transform([start, end])
        self.set_data(ends[:, 0], ends[:, 1])
        super().draw(renderer)
