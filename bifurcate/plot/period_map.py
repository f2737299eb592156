"""Periods over a plane of two parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap

from bifurcate.orbits.parameter_plane import ParameterPlane
from bifurcate.plot.arguments import axes, checked, colour_map, instance, names
from bifurcate.plot.drawing import CHART_SIZE, GREYS, axis_name, finish_axes, ink, is_grey, new_axes

__all__ = ["parameter_plane"]

ESCAPED_COLOUR, APERIODIC_COLOUR = "#ffffff", "#4a4a4a"
LIGHTEST, DARKEST = 0.04, 0.75  # of the colour_like map's range, for the periods: curves stay visible over all of them
SPREAD = 0.5  # exponent that sets the short periods, of which there is most, farther apart


@checked(plane=instance(ParameterPlane, "parameter_plane makes one"), ax=axes, labels=names, cmap=colour_map)
def parameter_plane(
    plane: ParameterPlane, *, ax: Axes | None = None, labels: Mapping[str, str] | None = None, cmap: str | None = None
) -> Axes:
    """Draw the periods of orbits over a plane of two parameters: the longer, the darker; grey where none was found.

    Parameters
    ----------
    plane : ParameterPlane
    ax : Axes, optional
        Where to draw; a new figure if not given.
    labels : mapping of str to str, optional
        How axes name parameters, as ``{"alpha": "α"}``.
    cmap : str, optional
        Matplotlib's colour map of the periods, instead of the house's.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import bifurcate as bf
    >>> plane = bf.parameter_plane(bf.maps.henon(), {"a": [0.1, 0.5], "b": [0.2, 0.3]}, [0.1, 0.1])
    >>> bf.plot.parameter_plane(plane).get_xlabel()
    'a'
    """
    ax = new_axes(CHART_SIZE) if ax is None else ax
    kinds = sorted(set(plane.periods.ravel().tolist()), key=lambda k: (k <= 0, -k if k <= 0 else k))
    periods = [k for k in kinds if k > 0]
    spread = np.linspace(0.0, 1.0, max(len(periods), 1)) ** SPREAD
    shades = colormaps[cmap or (GREYS if is_grey() else "YlGnBu")](LIGHTEST + (DARKEST - LIGHTEST) * spread)
    colours = {k: shades[i] for i, k in enumerate(periods)} | {0: ink(APERIODIC_COLOUR), -1: ESCAPED_COLOUR}
    index = np.array([kinds.index(k) for k in plane.periods.ravel().tolist()])
    image = ax.pcolormesh(
        plane.x_values,
        plane.y_values,
        index.reshape(plane.periods.shape),
        cmap=ListedColormap([colours[k] for k in kinds]),
        norm=BoundaryNorm(np.arange(len(kinds) + 1) - 0.5, len(kinds)),
        shading="nearest",
        rasterized=True,
        zorder=0,
    )
    bar = ax.figure.colorbar(image, ax=ax, ticks=range(len(kinds)), pad=0.02)
    words = {0: "none", -1: "escaped"}
    bar.ax.set_yticklabels([words.get(k, str(k)) for k in kinds], fontsize="small")
    bar.set_label(f"period, up to {plane.longest}")
    bar.ax.tick_params(length=0)
    finish_axes(ax, axis_name(plane.x, labels), axis_name(plane.y, labels))
    return ax
