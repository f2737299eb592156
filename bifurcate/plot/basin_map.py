"""Basins of attraction in a plane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.lines import Line2D

from bifurcate.attractors.attractor import INFINITY, INTERRUPTED, LEFT_THE_BOX, POLE, UNDECIDED, Attractor
from bifurcate.attractors.basins import Basins
from bifurcate.attractors.fractions import label_name
from bifurcate.plot.arguments import axes, checked, colour_map, flag, flag_or, instance, names, text
from bifurcate.plot.drawing import (
    CHART_SIZE,
    GREYS,
    axis_name,
    draw_legend,
    figure_of,
    finish_axes,
    ink,
    is_grey,
    new_axes,
)

__all__ = ["basins", "shade_basins"]

# From light to dark, by steps that grey shows as well; more attractors begin again.
BASIN_COLOURS = ("#f3dd9c", "#9ccbe8", "#e39a5e", "#5f9e7a", "#7d6bb0", "#2f4a73")
OUTCOME_COLOURS = {
    INFINITY: "#ffffff",
    POLE: "#1a1a1a",
    LEFT_THE_BOX: "#e6e6e6",
    UNDECIDED: "#8b1a1a",
    INTERRUPTED: "#c9c9c9",
}
LIGHTEST, DARKEST = 0.9, 0.35  # greys of the first and the last attractor, so that black dots show on all
# An attractor is drawn where it lies in the plane to this part of the plane's size: a point beside it would mislead.
IN_THE_PLANE = 1e-6
CYCLE_MARK: dict[str, Any] = {"ls": "", "marker": "o", "ms": 4.5, "mfc": "#000000", "mec": "#ffffff", "mew": 0.9}
SET_MARK: dict[str, Any] = {"ls": "", "marker": "o", "ms": 0.8, "mew": 0.0, "color": "#000000"}
KEY: dict[str, Any] = {"ls": "", "marker": "s", "ms": 8.0, "mew": 0.6, "mec": "0.4"}
COLUMNS, KEY_LENGTH = 4, 1.0  # of the legend, at the most, and of its entries in font sizes


@checked(
    result=instance(Basins, "basins(map, plane) makes one"),
    ax=axes,
    labels=names,
    times=flag,
    mark=flag,
    legend=flag_or("inside"),
    cmap=colour_map,
    xlabel=text,
    ylabel=text,
)
def basins(
    result: Basins,
    *,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
    times: bool = False,
    mark: bool = True,
    legend: bool | str = True,
    cmap: str | None = None,
    xlabel: str = "",
    ylabel: str = "",
) -> Axes:
    """Draw basins of attraction, one colour an attractor, and the attractors in the plane; or times to settle.

    Parameters
    ----------
    result : Basins
    ax : Axes, optional
        Where to draw; a new figure if not given.
    labels : mapping of str to str, optional
        How axes name the plane's coordinates, as ``{"x0": "x"}``.
    times : bool
        Draw how many iterations each cell takes to settle, on a logarithmic scale, instead of where it does.
    mark : bool
        Draw the attractors that lie in the plane.
    legend : bool or "inside"
    cmap : str, optional
        Matplotlib's colour map of times, instead of the house's.
    xlabel, ylabel : str, optional
        Labels of the axes, instead of the names of the plane's coordinates.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.basins(bf.maps.henon(a=0.5), {0: (-2, 2), 1: (-2, 2)}, cells=20)
    >>> bf.plot.basins(found, labels={"x0": "x"}).get_xlabel()
    'x'
    """
    ax = new_axes(CHART_SIZE) if ax is None else ax
    if times:
        image = ax.pcolormesh(
            result.x,
            result.y,
            np.log10(1.0 + result.times),
            cmap=cmap or (GREYS if is_grey() else "viridis"),
            shading="nearest",
            rasterized=True,
        )
        bar = figure_of(ax).colorbar(image, ax=ax, pad=0.02)
        ticks = [t for t in (0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 100_000) if t <= result.times.max()]
        bar.set_ticks([float(np.log10(1.0 + t)) for t in ticks], labels=[str(t) for t in ticks])
        bar.set_label("iterations to settle")
        bar.ax.tick_params(length=0)
    else:
        draw_legend(ax, shade_basins(ax, result), legend, COLUMNS, KEY_LENGTH)
    if mark:
        _draw_attractors(ax, result)
    (left, right), (low, high) = result.plane.bounds
    ax.set(xlim=(left, right), ylim=(low, high))
    across, up = result.plane.names
    finish_axes(ax, xlabel or axis_name(across, labels), ylabel or axis_name(up, labels))
    return ax


def _colour_of(label: int, count: int) -> str:
    """The colour of a label; in the style "grey" shades as far apart as so many attractors allow."""
    if label < 0:
        return ink(OUTCOME_COLOURS[label])
    if is_grey() and 1 < count <= len(BASIN_COLOURS):
        return str(LIGHTEST + (DARKEST - LIGHTEST) * label / (count - 1))
    return ink(BASIN_COLOURS[label % len(BASIN_COLOURS)])


def shade_basins(ax: Axes, result: Basins) -> list[Line2D]:
    """Fill every cell with the colour of the attractor to which it belongs; returns legend entries."""
    present = np.unique(result.labels)
    order = [*present[present >= 0].tolist(), *present[present < 0][::-1].tolist()]
    colours = [_colour_of(label, len(result.attractors)) for label in order]
    index = np.array([order.index(label) for label in result.labels.ravel().tolist()])
    ax.pcolormesh(
        result.x,
        result.y,
        index.reshape(result.labels.shape),
        cmap=ListedColormap(colours),
        norm=BoundaryNorm(np.arange(len(order) + 1) - 0.5, len(order)) if len(order) > 1 else None,
        shading="nearest",
        rasterized=True,
        zorder=0,
    )
    return [Line2D([], [], label=label_name(k, result.attractors), mfc=c, **KEY) for k, c in zip(order, colours)]


def _draw_attractors(ax: Axes, result: Basins) -> None:
    for attractor in result.attractors:
        points = _in_the_plane(result, attractor)
        if len(points):
            ax.plot(*points.T, **(CYCLE_MARK if attractor.period else SET_MARK), rasterized=not attractor.period)


def _in_the_plane(result: Basins, attractor: Attractor) -> Any:
    """Coordinates of an attractor's states that lie in the plane, shape (m, 2)."""
    plane = result.plane
    points = plane.coordinates(attractor.states)
    apart = np.abs((plane.states(points) - attractor.states).reshape(len(points), -1)).max(axis=1)
    (left, right), (low, high) = plane.bounds
    size = max((right - left) * float(np.abs(plane.across).max()), (high - low) * float(np.abs(plane.up).max()))
    return points[apart <= IN_THE_PLANE * size]
