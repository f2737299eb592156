"""Arnold tongues in charts: the region between both edges, shaded, with the rotation number at its wide end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.plot.drawing import ink

__all__ = ["SHADE", "shade_tongues"]

Array = NDArray[np.float64]

SHADE = 0.22  # opacity: tongues may overlap
INWARD = 0.06  # part of a tongue's length from its wide end at which it is named
SAME_TIP_DECIMALS = 8  # of the parameters of a tip: both edges of a tongue have one origin


def shade_tongues(ax: Axes, branches: Sequence[Branch], x: str, y: str) -> list[str]:
    """Shade between those of the branches that are both edges of a tongue; returns the tongues' labels.

    Tongues of maps of a circle, which have no tip with a label, are named at their wide end.
    """
    pairs: dict[object, list[Branch]] = {}
    for branch in branches:
        if branch.curve.tongue is not None:
            pairs.setdefault(_tongue_of(branch, x, y), []).append(branch)
    found = []
    for edges in pairs.values():
        if len(edges) != 2:
            continue
        p, q = edges[0].curve.tongue or (0, 0)
        sides = [_places(branch, x, y) for branch in edges]
        corners = _between_bounds(edges, sides, x, y)
        if corners is None:
            outline = _outline(sides)
            if outline is None:
                continue
            corners = np.vstack([outline[0], outline[1][::-1]])
            if not isinstance(edges[0].curve.origin, SpecialPoint):
                _name_tongue(ax, f"{p}:{q}", *outline)
        ax.fill(corners[:, 0], corners[:, 1], color=ink(KINDS["fold"].colour), alpha=SHADE, lw=0.0, zorder=1)
        found.append(f"{p}:{q}")
    return found


def _between_bounds(edges: list[Branch], sides: list[Array], x: str, y: str) -> Array | None:
    """The outline of a tongue with a tip, both edges of which end on bounds; None for others.

    Where they end on bounds of different parameters the corner between these belongs to it.
    """
    ends = [branch.stop.last for branch in edges]
    if any(len(branch.curve.sides) != 1 for branch in edges) or any(end.reason != "bound" for end in ends):
        return None
    met = [end.detail.split(" = ")[0] for end in ends]
    corner = np.empty((0, 2))
    if set(met) == {x, y}:
        corner = np.array([[sides[met.index(x)][-1, 0], sides[met.index(y)][-1, 1]]])
    return np.vstack([sides[0], corner, sides[1][::-1]])


def _tongue_of(branch: Branch, x: str, y: str) -> object:
    """What both edges of one tongue share: rotation number, period, and tip."""
    origin = branch.curve.origin
    tip: list[float] = []
    if isinstance(origin, SpecialPoint):
        tip = np.round([origin.parameters[name] for name in (x, y)], SAME_TIP_DECIMALS).tolist()
    return (branch.curve.tongue, branch.curve.period, branch.curve.iterate.map.name, *tip)


def _places(branch: Branch, x: str, y: str) -> Array:
    """The parameters along an edge from its tip on, shape (points, 2)."""
    places = np.column_stack([branch[x], branch[y]])
    origin = branch.curve.origin
    if isinstance(origin, SpecialPoint):
        places = np.vstack([[origin.parameters[x], origin.parameters[y]], places])
    return places


def _outline(edges: list[Array]) -> tuple[Array, Array] | None:
    """Both edges at the same values of the parameter along which the tongue runs; None where they share none."""
    best: tuple[float, tuple[Array, Array]] | None = None
    for along in (0, 1):
        runs = [_monotone_part(edge, along) for edge in edges]
        low = max(float(run[0, along]) for run in runs)
        high = min(float(run[-1, along]) for run in runs)
        spread = max(float(np.ptp(edge[:, along])) for edge in edges)
        part = (high - low) / spread if spread > 0.0 else 0.0
        if part > 0.0 and (best is None or part > best[0]):
            values = np.unique(np.concatenate([run[:, along] for run in runs]))
            values = values[(values >= low) & (values <= high)]
            sides = []
            for run in runs:
                side = np.empty((len(values), 2))
                side[:, along] = values
                side[:, 1 - along] = np.interp(values, run[:, along], run[:, 1 - along])
                sides.append(side)
            best = part, (sides[0], sides[1])
    return None if best is None else best[1]


def _monotone_part(edge: Array, along: int) -> Array:
    """The longest part on which a parameter grows, or falls, in growing order."""
    steps = np.sign(np.diff(edge[:, along]))
    ends = np.flatnonzero(np.diff(steps) != 0.0) + 1
    parts = np.split(np.arange(len(edge) - 1), ends)
    longest = max(parts, key=lambda part: abs(edge[part[-1] + 1, along] - edge[part[0], along]))
    run = edge[longest[0] : longest[-1] + 2]
    return run if run[0, along] <= run[-1, along] else run[::-1]


def _name_tongue(ax: Axes, label: str, first: Array, last: Array) -> None:
    """Write the rotation number inside a tongue, at its wide end."""
    widths = np.abs(first - last).max(axis=1)
    middle = 0.5 * (first + last)
    wide, other = (middle[0], middle[-1]) if widths[0] > widths[-1] else (middle[-1], middle[0])
    ax.annotate(label, wide + INWARD * (other - wide), ha="center", va="center", fontsize="small", zorder=6)
