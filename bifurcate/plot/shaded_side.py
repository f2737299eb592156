"""The side of a curve, shaded: a path effect that fills bands along it, in points, however the axes are scaled."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase, RendererBase
from matplotlib.colors import to_rgba
from matplotlib.path import Path
from matplotlib.patheffects import AbstractPathEffect
from matplotlib.transforms import IdentityTransform, Transform
from numpy.typing import NDArray

__all__ = ["ShadedSide"]

BANDS = (3.0, 6.0, 9.0, 12.0)  # widths in points of bands laid over each other, so that the shade fades
OPACITY = 0.13  # of each
SHORTEST = 1e-9  # pixels: points of a path that are nearer to each other are one


class ShadedSide(AbstractPathEffect):
    """Fill bands along one side of a line.

    Parameters
    ----------
    side : {1, -1}
        +1: to the left of the line, as it is drawn; −1: to the right.
    colour : str
    """

    def __init__(self, side: int, colour: str) -> None:
        super().__init__()
        self._side, self._colour = side, colour

    def draw_path(
        self, renderer: RendererBase, gc: GraphicsContextBase, tpath: Path, affine: Transform, rgbFace: Any = None
    ) -> None:
        """Fill the bands; the line itself is another effect's."""
        line = np.asarray(affine.transform_path(tpath).vertices)
        line = line[np.isfinite(line).all(axis=1)]
        keep = np.append(True, np.linalg.norm(np.diff(line, axis=0), axis=1) > SHORTEST)
        line = line[keep]
        if len(line) < 2:
            return
        normals = self._side * _normals(line)
        own: Any = renderer.new_gc()
        own.copy_properties(gc)
        own.set_linewidth(0.0)
        own.set_alpha(OPACITY)
        colour = to_rgba(self._colour, OPACITY)
        pixel = float(np.asarray(renderer.points_to_pixels(1.0)))
        for width in BANDS:
            reach = width * pixel
            outline = np.vstack([line, (line + reach * normals)[::-1], line[:1]])
            renderer.draw_path(own, Path(outline), IdentityTransform(), colour)
        own.restore()


def _normals(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit normals to the left of a line's points, shape (m, 2)."""
    along = np.gradient(line, axis=0)
    along /= np.maximum(np.linalg.norm(along, axis=1), SHORTEST)[:, None]
    return np.column_stack([-along[:, 1], along[:, 0]])
