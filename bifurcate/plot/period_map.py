"""Periods and Lyapunov exponents over a plane of two parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap, ListedColormap, TwoSlopeNorm

from bifurcate.errors import InvalidInput
from bifurcate.orbits.parameter_plane import ParameterPlane
from bifurcate.plot.arguments import axes, checked, choice, colour_map, instance, names, optional
from bifurcate.plot.drawing import CHART_SIZE, GREYS, axis_name, finish_axes, ink, is_grey, new_axes

__all__ = ["parameter_plane"]

ESCAPED_COLOUR, APERIODIC_COLOUR = "#ffffff", "#4a4a4a"
LIGHTEST, DARKEST = 0.04, 0.75  # of the colour_like map's range, for the periods: curves stay visible over all of them
SPREAD = 0.5  # exponent that sets the short periods, of which there is most, farther apart


# Of Lyapunov exponents: order from light to pale, chaos from pale to dark, so that the border at 0 survives in grey.
EXPONENTS = ((0.0, "#b3cfe4"), (0.5, "#eaf2f8"), (0.5, "#fdd49e"), (0.75, "#d7301f"), (1.0, "#3f0000"))
EXPONENTS_IN_GREY = ((0.0, "0.8"), (0.5, "0.95"), (0.5, "0.7"), (1.0, "0.0"))
LOWEST_PART = 5.0  # percentile of the negative exponents from which on the colours vary: superstable cycles have −∞
LEAST_EXPONENT = 1e-3  # half of the range of colours at the least: below it all is called 0


@checked(
    plane=instance(ParameterPlane, "parameter_plane makes one"),
    shows=optional(choice("period", "exponent")),
    ax=axes,
    labels=names,
    cmap=colour_map,
)
def parameter_plane(
    plane: ParameterPlane,
    *,
    shows: str | None = None,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
    cmap: str | None = None,
) -> Axes:
    """Draw the periods of orbits, or their largest Lyapunov exponents, over a plane of two parameters.

    Periods: the longer, the darker; dark grey where none was found. Exponents: pale where they are negative, dark where
    orbits are chaotic. White where orbits escape.

    Parameters
    ----------
    plane : ParameterPlane
    shows : {"period", "exponent"}, optional
        Exponents if not given and there are any.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    labels : mapping of str to str, optional
        How axes name parameters, as ``{"alpha": "α"}``.
    cmap : str, optional
        Matplotlib's colour map, instead of the house's.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidInput
        If exponents are asked for that were not computed.

    Examples
    --------
    >>> import bifurcate as bf
    >>> plane = bf.parameter_plane(bf.maps.henon(), {"a": [0.1, 0.5], "b": [0.2, 0.3]}, [0.1, 0.1])
    >>> bf.plot.parameter_plane(plane).get_xlabel()
    'a'
    """
    if shows == "exponent" and plane.exponents is None:
        raise InvalidInput("the plane has no exponents: bf.parameter_plane(…, exponents=500) computes them")
    ax = new_axes(CHART_SIZE) if ax is None else ax
    if plane.exponents is not None and shows != "period":
        _draw_exponents(ax, plane, cmap)
    else:
        _draw_periods(ax, plane, cmap)
    finish_axes(ax, axis_name(plane.x, labels), axis_name(plane.y, labels))
    return ax


def _draw_exponents(ax: Axes, plane: ParameterPlane, cmap: str | None) -> None:
    assert plane.exponents is not None
    known = plane.exponents[np.isfinite(plane.exponents)]
    low = float(np.percentile(known[known < 0], LOWEST_PART)) if (known < 0).any() else 0.0
    norm = TwoSlopeNorm(0.0, min(low, -LEAST_EXPONENT), max(float(known.max(initial=0.0)), LEAST_EXPONENT))
    stops: Any = EXPONENTS_IN_GREY if is_grey() else EXPONENTS
    colours = colormaps[cmap] if cmap else LinearSegmentedColormap.from_list("exponents", stops)
    image = _draw(ax, plane, plane.exponents, cmap=colours, norm=norm)
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02, extend="min")
    bar.set_label("largest Lyapunov exponent (white: escaped)")


def _draw_periods(ax: Axes, plane: ParameterPlane, cmap: str | None) -> None:
    kinds = sorted(set(plane.periods.ravel().tolist()), key=lambda k: (k <= 0, -k if k <= 0 else k))
    periods = [k for k in kinds if k > 0]
    spread = np.linspace(0.0, 1.0, max(len(periods), 1)) ** SPREAD
    shades = colormaps[cmap or (GREYS if is_grey() else "YlGnBu")](LIGHTEST + (DARKEST - LIGHTEST) * spread)
    colours = {k: shades[i] for i, k in enumerate(periods)} | {0: ink(APERIODIC_COLOUR), -1: ESCAPED_COLOUR}
    index = np.array([kinds.index(k) for k in plane.periods.ravel().tolist()]).reshape(plane.periods.shape)
    norm = BoundaryNorm(np.arange(len(kinds) + 1) - 0.5, len(kinds))
    image = _draw(ax, plane, index, cmap=ListedColormap([colours[k] for k in kinds]), norm=norm)
    bar = ax.figure.colorbar(image, ax=ax, ticks=range(len(kinds)), pad=0.02)
    words = {0: "none", -1: "escaped"}
    bar.ax.set_yticklabels([words.get(k, str(k)) for k in kinds], fontsize="small")
    bar.set_label(f"period, up to {plane.longest}")
    bar.ax.tick_params(length=0)


def _draw(ax: Axes, plane: ParameterPlane, values: Any, **style: Any) -> QuadMesh:
    draw: Callable[..., QuadMesh] = ax.pcolormesh
    return draw(plane.x_values, plane.y_values, values, shading="nearest", rasterized=True, zorder=0, **style)
