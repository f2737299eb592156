"""Numbers or kinds over one parameter or two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray

from bifurcate.plot.drawing import CHART_SIZE, PERIOD_COLOURS, figure_of, finish_axes, ink, new_axes

__all__ = ["draw_over_parameters"]


def draw_over_parameters(
    grid: Mapping[str, tuple[Any, ...]], table: NDArray[Any], label: str, ax: Axes | None = None
) -> Axes:
    """Draw a table over the parameters of its axes: the first along the horizontal axis, the second along the vertical.

    Parameters
    ----------
    grid : mapping of str to tuple
        One parameter or two, with their values.
    table : ndarray
        Numbers, or text that names kinds; on the axes of the grid.
    label : str
        What the numbers are.
    ax : Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes
    """
    ax = new_axes(CHART_SIZE) if ax is None else ax
    kinds = sorted({str(each) for each in table.ravel().tolist()} - {""}) if table.dtype.kind == "U" else []
    numbers = np.searchsorted(kinds, table).astype(float) if kinds else table.astype(float)
    if kinds:
        numbers[table == ""] = np.nan
    x, *rest = grid
    if not rest:
        ax.plot(grid[x], numbers, marker=".", lw=0.0 if kinds else 1.0, color=ink(PERIOD_COLOURS[0]))
        finish_axes(ax, x, label)
        if kinds:
            ax.set_yticks(range(len(kinds)), kinds)
        return ax
    (y,) = rest
    if not kinds:
        drawn = ax.pcolormesh(grid[x], grid[y], numbers.T, cmap="viridis", rasterized=True)
        figure_of(ax).colorbar(drawn, ax=ax, label=label)
    else:
        colours = [ink(PERIOD_COLOURS[i % len(PERIOD_COLOURS)]) for i in range(len(kinds))]
        edges = BoundaryNorm(np.arange(len(kinds) + 1) - 0.5, len(kinds))
        ax.pcolormesh(grid[x], grid[y], numbers.T, cmap=ListedColormap(colours), norm=edges, rasterized=True)
        key = [Patch(color=colour, label=kind) for colour, kind in zip(colours, kinds)]
        figure_of(ax).legend(handles=key, loc="outside upper left", ncols=3, frameon=False)
    ax.set(xlabel=x, ylabel=y)
    return ax
