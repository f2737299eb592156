"""Matrices as heat maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput
from bifurcate.plot.style import HEAT_MAP_SIZE, new_axes

__all__ = ["heatmap"]


@old_positions("coordinates", "ax", "label", "limit", "levels", "xlabel", "ylabel")
def heatmap(
    matrix: NDArray[np.float64],
    *,
    coordinates: Sequence[float] | np.ndarray | None = None,
    ax: Axes | None = None,
    label: str = "",
    limit: float | None = None,
    levels: int = 7,
    xlabel: str = "",
    ylabel: str = "",
) -> Axes:
    """Draw a matrix by colours that have their middle, white, at 0, and by contours that survive in grey.

    Contours of positive values are solid, of negative ones dashed; row 0 is at the bottom.

    Parameters
    ----------
    matrix : ndarray, shape (n, m)
        What is drawn.
    coordinates : sequence of float, optional
        Of rows and columns alike, evenly spaced; their numbers if not given.
    ax, xlabel, ylabel : optional
        As for :func:`diagram`; ``label`` is that of the colour bar.
    limit : float, optional
        Colours run from −limit to limit; the largest modulus if not given.
    levels : int
        Number of contours on either side of 0.

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
    matrix = np.asarray(matrix, dtype=float)
    if matrix.ndim != 2 or matrix.size == 0 or not np.isfinite(matrix).all():
        raise InvalidInput(f"matrix has shape {matrix.shape}; it must be a finite (n, m) with n and m at least 1")
    x, y = (np.arange(size, dtype=float) for size in matrix.shape[::-1])
    if coordinates is not None:
        x = y = np.asarray(coordinates, dtype=float)
        if matrix.shape != (len(x), len(x)):
            raise InvalidInput(
                f"{len(x)} coordinates are given for a matrix of shape {matrix.shape}; it must be square"
            )
    if ax is None:
        ax = new_axes(HEAT_MAP_SIZE)
    size = limit or float(np.abs(matrix).max()) or 1.0
    half_x, half_y = (0.5 * (float(z[1] - z[0]) if len(z) > 1 else 1.0) for z in (x, y))
    extent = (x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y)
    image = ax.imshow(matrix, cmap="RdBu_r", vmin=-size, vmax=size, origin="lower", extent=extent, aspect="auto")
    if levels and min(matrix.shape) > 1:
        steps = np.linspace(0.0, size, levels + 2)[1:-1]
        if drawn := [v for v in (*-steps[::-1], *steps) if matrix.min() < v < matrix.max()]:
            styles = ["--" if v < 0.0 else "-" for v in drawn]
            ax.contour(x, y, matrix, levels=drawn, colors="0.15", linewidths=0.5, linestyles=styles)
    ax.figure.colorbar(image, ax=ax, label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax
