"""Matrices as heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput
from bifurcate.plot.arguments import amount, axes, checked, colour_map, count, finite_array, flag, optional, text
from bifurcate.plot.drawing import HEAT_MAP_SIZE, is_grey, new_axes
from bifurcate.validation import check_sequence, check_values, is_real_number

__all__ = ["heatmap"]

LARGEST_LIMIT = 1e300  # of colours' values: their differences must be numbers
MOST_LEVELS = 1000  # contours: more would be a colour_like


@old_positions("coordinates", "ax", "label", "limit", "levels", "xlabel", "ylabel")
@checked(
    matrix=finite_array,
    ax=axes,
    label=text,
    limit=optional(amount(0.0, LARGEST_LIMIT)),
    levels=count(0, MOST_LEVELS),
    xlabel=text,
    ylabel=text,
    center=optional(amount()),
    vmin=optional(amount()),
    vmax=optional(amount()),
    cmap=colour_map,
    colorbar=flag,
)
def heatmap(
    matrix: NDArray[np.float64],
    *,
    coordinates: Sequence[Any] | np.ndarray | None = None,
    ax: Axes | None = None,
    label: str = "",
    limit: float | None = None,
    levels: int = 7,
    xlabel: str = "",
    ylabel: str = "",
    center: float | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    cmap: str | None = None,
    colorbar: bool = True,
) -> Axes:
    """Draw a matrix by colours, and by contours that survive in grey.

    A matrix with values of both signs has diverging colours with their middle, white, at 0 (or at ``center``), and
    contours that are solid above and dashed below. One without negative values, as weights, has colours that darken.
    Row 0 is at the bottom.

    Parameters
    ----------
    matrix : ndarray, shape (n, m)
        What is drawn.
    coordinates : sequence of float, or pair of sequences, optional
        Of rows and columns alike, or (of columns, of rows), evenly spaced; their numbers if not given.
    ax, xlabel, ylabel : optional
        As for :func:`diagram`; ``label`` is that of the colour bar.
    limit : float, optional
        Colours run from center − limit to center + limit; the largest distance from the centre if not given.
    levels : int
        Number of contours, of diverging colours on either side of the centre.
    center : float, optional
        Where diverging colours have their middle. If it is given, colours diverge whatever the values are.
    vmin, vmax : float, optional
        The range of colours that darken; the matrix's own if not given.
    cmap : str, optional
        Matplotlib's colour map instead of the house's.
    colorbar : bool
        Draw a colour bar beside the axes.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidInput
        If the matrix is no finite matrix, or the coordinates do not fit it.

    Examples
    --------
    >>> import bifurcate as bf
    >>> ax = bf.plot.heatmap(np.outer([1.0, -1.0, 2.0], [1.0, 2.0, 3.0]))
    >>> ax.images[0].get_clim()
    (-6.0, 6.0)
    """
    if matrix.ndim != 2 or matrix.size == 0 or not np.isfinite(matrix).all():
        raise InvalidInput(f"matrix has shape {matrix.shape}; it must be a finite (n, m) with n and m at least 1")
    x, y = (np.arange(size, dtype=float) for size in matrix.shape[::-1])
    if coordinates is not None:
        given_rows = check_sequence("coordinates", coordinates, "numbers, or a pair of such sequences")
        is_pair = len(given_rows) == 2 and not any(is_real_number(each) for each in given_rows)
        x, y = (check_values("coordinates", each) for each in (given_rows if is_pair else (given_rows, given_rows)))
        if matrix.shape != (len(y), len(x)):
            given = f"{len(x)} and {len(y)}" if is_pair else f"{len(x)}"
            wanted = "(rows, columns)" if is_pair else "square; give a pair of sequences for one that is not"
            raise InvalidInput(
                f"{given} coordinates are given for a matrix of shape {matrix.shape}; it must be {wanted}"
            )
    if ax is None:
        ax = new_axes(HEAT_MAP_SIZE)
    middle = center or 0.0
    is_diverging = center is not None or (limit is not None) or float(matrix.min()) < 0.0
    size = limit or float(np.abs(matrix - middle).max()) or 1.0
    low, high = middle - size, middle + size
    if not is_diverging:
        low = float(matrix.min()) if vmin is None else vmin
        high = float(matrix.max()) if vmax is None else vmax
        high = high if high > low else low + 1.0
    default = ("gray" if is_diverging else "gray_r") if is_grey() else ("RdBu_r" if is_diverging else "YlGnBu")
    half_x, half_y = (0.5 * (float(z[1] - z[0]) if len(z) > 1 else 1.0) for z in (x, y))
    extent = (x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y)
    image = ax.imshow(matrix, cmap=cmap or default, vmin=low, vmax=high, origin="lower", extent=extent, aspect="auto")
    if levels and min(matrix.shape) > 1:
        steps = np.linspace(0.0, size, levels + 2)[1:-1]
        values = middle + np.append(-steps[::-1], steps) if is_diverging else np.linspace(low, high, levels + 2)[1:-1]
        if drawn := [v for v in values if matrix.min() < v < matrix.max()]:
            styles = ["--" if is_diverging and v < middle else "-" for v in drawn]
            ax.contour(x, y, matrix, levels=drawn, colors="0.15", linewidths=0.5, linestyles=styles)
    if colorbar:
        ax.figure.colorbar(image, ax=ax, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax
