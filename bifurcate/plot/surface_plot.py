"""Two-dimensional manifolds in three of the state's components."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LightSource, to_rgb
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Poly3DCollection
from mpl_toolkits.mplot3d.axes3d import Axes3D
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.manifolds.manifold_surface import ManifoldSurface
from bifurcate.plot.arguments import checked, colour_like, finite_array, instance, text
from bifurcate.plot.drawing import SQUARE_SIZE, ink
from bifurcate.plot.phase_space import STABLE_COLOUR, UNSTABLE_COLOUR

__all__ = ["surface"]

LIGHT = LightSource(azdeg=225, altdeg=45)
AMBIENT = 0.45  # part of the light that comes from everywhere, so that no triangle is black
SEAM = 0.2  # points by which triangles overlap, so that no light shines between them
ZOOM = 0.92  # of the drawn box, which leaves room for the names of the axes
MARGIN = 0.04  # of the surface's width, left free on every side
FARTHEST = 3.0  # ratio of the longest to the shortest side of the drawn box


@checked(
    surface=instance(ManifoldSurface, "bf.manifold_surface makes one"),
    components=finite_array,
    color=colour_like,
    xlabel=text,
    ylabel=text,
    zlabel=text,
)
def surface(
    surface: ManifoldSurface,
    *,
    components: tuple[int, int, int] = (0, 1, 2),
    ax: Axes | None = None,
    color: Any = None,
    alpha: float = 0.9,
    xlabel: str = "",
    ylabel: str = "",
    zlabel: str = "",
) -> Axes:
    """Draw a 2-D manifold in the space of three components, its triangles shaded by their slope.

    Parameters
    ----------
    surface : ManifoldSurface
        From :func:`bifurcate.manifold_surface`.
    components : (int, int, int)
        Of the flattened state, for the three axes.
    ax : Axes, optional
        Three-dimensional ones, as ``figure.add_subplot(projection="3d")`` makes; new ones by default.
    color : colour, optional
        Of the surface; blue for stable and orange for unstable ones by default.
    alpha : float
        Opacity, between 0 and 1.
    xlabel, ylabel, zlabel : str, optional
        Names of the axes.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidInput
        If the components are not three, a state has fewer, or the axes are not three-dimensional.

    Examples
    --------
    >>> import bifurcate as bf, numpy as np
    >>> f = lambda x, a: np.array([2 * x[0], 1.5 * x[1], 0.5 * x[2] + a * x[0] ** 2])
    >>> saddle = bf.solve(bf.Map(f, {"a": 1.0}), [0.0, 0.0, 0.0])
    >>> ax = bf.plot.surface(bf.manifold_surface(saddle, tolerance=0.1))
    >>> ax.name
    '3d'
    """
    chosen = [int(each) for each in np.ravel(components)]
    if len(chosen) != 3 or min(chosen) < 0 or not np.array_equal(chosen, np.ravel(components)):
        raise InvalidInput(f"components is {components!r}; it must be three numbers of components")
    if not isinstance(alpha, int | float) or not 0.0 <= alpha <= 1.0:
        raise InvalidInput(f"alpha is {alpha!r}; it must be a number between 0 and 1")
    if ax is None:
        ax = Figure(figsize=SQUARE_SIZE).add_subplot(projection="3d")
    if not isinstance(ax, Axes3D):
        raise InvalidInput('ax must be three-dimensional, as figure.add_subplot(projection="3d") makes')
    base = to_rgb(ink(STABLE_COLOUR if surface.stable else UNSTABLE_COLOUR) if color is None else color)
    drawn = []
    for sheet in surface.sheets:
        points = sheet.points.reshape(len(sheet.points), -1)
        if points.shape[1] <= max(chosen):
            raise InvalidInput(f"components are {chosen}, but states have {points.shape[1]} numbers")
        drawn.append(points[:, chosen])
        corners = points[:, chosen][sheet.triangles]
        shades = _shades(corners, base, alpha)
        faces = Poly3DCollection(corners, facecolors=shades, edgecolors=shades, lw=SEAM)
        ax.add_collection3d(faces)
    low, high = np.min([p.min(axis=0) for p in drawn], axis=0), np.max([p.max(axis=0) for p in drawn], axis=0)
    width = np.maximum(high - low, np.finfo(float).tiny)
    for limit, a, b, pad in zip((ax.set_xlim, ax.set_ylim, ax.set_zlim), low, high, MARGIN * width, strict=True):
        limit(a - pad, b + pad)
    ax.set_box_aspect(tuple(np.maximum(width, width.max() / FARTHEST)), zoom=ZOOM)
    for number, name, given in zip(chosen, "xyz", (xlabel, ylabel, zlabel), strict=True):
        getattr(ax, f"set_{name}label")(given or f"component {number}")
    drawn_on: Axes = ax
    return drawn_on


def _shades(corners: NDArray[np.float64], base: tuple[float, float, float], alpha: float) -> NDArray[np.float64]:
    """Colours of triangles by the angle between their normals, of either direction, and the light."""
    span = np.maximum(np.ptp(corners.reshape(-1, 3), axis=0), np.finfo(float).tiny)
    sides = np.diff(corners / span, axis=1)
    normals = np.cross(sides[:, 0], sides[:, 1])
    length = np.maximum(np.linalg.norm(normals, axis=1), np.finfo(float).tiny)
    light = np.abs(normals @ LIGHT.direction) / length
    bright = AMBIENT + (1.0 - AMBIENT) * light
    return np.column_stack([np.outer(bright, base), np.full(len(corners), alpha)])
