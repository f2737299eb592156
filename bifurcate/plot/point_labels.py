"""Labels beside points that overlap neither each other nor lines: placed when the figure is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.text import Annotation, Text
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

__all__ = ["PointLabels", "add_point_labels"]

# Where a label may stand: directions from its point, in the order in which they are preferred, and distances in points
# (1/72 inch) between the point and the label's nearer edge.
DIRECTIONS = np.deg2rad([45.0, 135.0, -45.0, -135.0, 90.0, -90.0, 0.0, 180.0])
DISTANCES = (4.0, 9.0, 16.0, 25.0, 36.0, 50.0, 66.0)
LEADER_FROM = 9.0  # a label farther from its point than this is joined to it by a line
USUAL_RADIUS = 4.0  # of a mark, in points: distances are meant for these
SAME_PLACE = 3.0  # points closer than this, in points (1/72 inch), are one to the eye, and share one label

# What a place costs, in points of distance: labels and marks that overlap cannot be read, a line under a label can.
COST_OF_LABEL, COST_OF_MARK, COST_OF_LINE, COST_OUTSIDE = 400.0, 60.0, 2.0, 1000.0
SAMPLE = 3.0  # pixels between the samples of a line
MOST_SAMPLES = 40_000  # of all lines: so many are compared with a few hundred boxes in a fraction of a second


class _Placed(NamedTuple):
    box: Bbox
    shift: tuple[float, float]  # of the label's centre from its point, in points
    distance: float


def add_point_labels(ax: Axes, places: Sequence[tuple[float, float, str]]) -> PointLabels:
    """Write a label beside each of several points.

    Parameters
    ----------
    ax : Axes
    places : sequence of (float, float, str)
        Both coordinates, and the label.

    Returns
    -------
    PointLabels
        The artist that moves them when the figure is drawn, after axes have found their sizes and limits.
    """
    labels = PointLabels(ax, places)
    ax.add_artist(labels)
    return labels


class PointLabels(Artist):
    """Labels of points, which look for their places whenever the figure is drawn.

    Each label takes the place of least cost around its point: nearest, but not over another label, a marked point or
    a line. Labels of points that coincide are joined, as "2 GPD" or "CP, R1".
    """

    def __init__(self, ax: Axes, places: Sequence[tuple[float, float, str]]) -> None:
        super().__init__()
        self.set_in_layout(False)
        self.set_zorder(0.0)  # drawn, so that places are found, before the labels are
        self._texts = [text for *_, text in places]
        arrow = {"arrowstyle": "-", "lw": 0.4, "color": "0.45", "shrinkA": 0.0, "shrinkB": 2.0}
        self._labels: list[Annotation] = []
        for x, y, text in places:
            label = ax.annotate(
                text,
                (x, y),
                xytext=(6.0, 6.0),
                textcoords="offset points",
                fontsize="x-small",
                ha="center",
                va="center",
                zorder=7,
                arrowprops=arrow,
            )
            label.set_in_layout(False)
            self._labels.append(label)

    def draw(self, renderer: RendererBase) -> None:
        """Place every label; the labels draw themselves later."""
        ax = self.axes
        if ax is None or not self._labels:
            return
        unit = ax.figure.dpi / 72.0
        points = np.array([ax.transData.transform(label.xy) for label in self._labels])
        kept = self._join(points, unit)
        inside = [i for i in kept if ax.bbox.contains(*points[i])]
        lines = _samples_of_lines(ax)
        taken: list[Bbox] = []
        radii = _radii_of_marks(ax, points, unit)
        for i in inside:
            label = self._labels[i]
            size = Text.get_window_extent(label, renderer)
            others = np.delete(points, i, axis=0)
            best = _best_place(points[i], size, unit, taken, others, lines, ax.bbox, max(radii[i] - USUAL_RADIUS, 0.0))
            taken.append(best.box)
            label.set_position(best.shift)
            if label.arrow_patch is not None:
                label.arrow_patch.set_visible(best.distance > LEADER_FROM)

    def _join(self, points: NDArray[np.float64], unit: float) -> list[int]:
        """Join the labels of points that coincide on the page; returns the numbers of those that stay."""
        groups: list[list[int]] = []
        for i, point in enumerate(points):
            near = (g for g in groups if np.abs(points[g[0]] - point).max() < SAME_PLACE * unit)
            group = next(near, None)
            if group is None:
                groups.append([i])
            else:
                group.append(i)
        for group in groups:
            texts = [self._texts[i] for i in group]
            counts = {text: texts.count(text) for text in texts}
            words = [f"{count} {text}" if count > 1 else text for text, count in counts.items()]
            self._labels[group[0]].set_text(", ".join(words))
            for i in group:
                self._labels[i].set_visible(i == group[0])
        return [group[0] for group in groups]


def _best_place(
    point: NDArray[np.float64],
    size: Bbox,
    unit: float,
    taken: list[Bbox],
    marks: NDArray[np.float64],
    lines: NDArray[np.float64],
    frame: Bbox,
    wider: float,
) -> _Placed:
    """The place of least cost for a label of this size.

    All is in pixels but ``unit``, pixels a point, and ``wider``, by how many points the mark is wider than usual.
    """
    best, least = None, np.inf
    half = 0.5 * np.array([size.width, size.height])
    for distance in DISTANCES:
        if distance >= least:
            break  # every place beyond costs more
        for angle in DIRECTIONS:
            way = np.array([np.cos(angle), np.sin(angle)])
            reach = np.abs(way) * half * 1.1 + (distance + wider) * unit * np.abs(way)
            centre = point + np.sign(np.round(way, 9)) * reach
            low, high = centre - half, centre + half
            box = Bbox([low, high])
            cost = distance
            cost += COST_OF_LABEL * sum(box.overlaps(each) for each in taken)
            cost += COST_OF_MARK * _count_inside(marks, low - unit, high + unit)
            cost += COST_OF_LINE * SAMPLE * _count_inside(lines, low, high) / unit
            cost += COST_OUTSIDE * (not (frame.contains(*low) and frame.contains(*high)))
            if cost < least:
                shift = (centre - point) / unit
                best, least = _Placed(box, (float(shift[0]), float(shift[1])), distance), cost
    assert best is not None  # the first place costs less than infinity
    return best


def _radii_of_marks(ax: Any, points: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    """The radius of the largest mark at each point, in points (1/72 inch); 0 where there is none."""
    radii = np.zeros(len(points))
    for line in ax.lines:
        if line.get_marker() in ("None", "", " ", None) or line.get_transform() != ax.transData:
            continue
        marked = ax.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float))
        near = np.abs(marked[:, None] - points).max(axis=2) < unit
        radii[near.any(axis=0)] = np.maximum(radii[near.any(axis=0)], 0.5 * line.get_markersize())
    return radii


def _count_inside(points: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]) -> int:
    return int(((points > low) & (points < high)).all(axis=1).sum()) if len(points) else 0


def _samples_of_lines(ax: Any) -> NDArray[np.float64]:
    """Points on all lines of the axes, a few pixels apart."""
    samples = [np.empty((0, 2))]
    for line in ax.lines:
        if line.get_linestyle() in ("None", "", " ") or line.get_transform() != ax.transData:
            continue
        vertices = ax.transData.transform(np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float))
        vertices = vertices[np.isfinite(vertices).all(axis=1)]
        if len(vertices) < 2:
            continue
        along = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(vertices, axis=0), axis=1)))
        count = int(min(along[-1] / SAMPLE, MOST_SAMPLES)) + 2
        at = np.linspace(0.0, along[-1], count)
        samples.append(np.column_stack([np.interp(at, along, vertices[:, k]) for k in (0, 1)]))
    found = np.vstack(samples)
    return found[:: -(-len(found) // MOST_SAMPLES) or 1]
