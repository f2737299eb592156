"""Branches that were traced together: one line each, coloured by the parameter that tells them apart."""

from __future__ import annotations

import itertools

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import find_kind
from bifurcate.continuation.many_branches import ManyBranches
from bifurcate.errors import InvalidInput
from bifurcate.plot.arguments import axes, checked, colour_map, flag, instance
from bifurcate.plot.drawing import CHART_SIZE, figure_of, finish_axes, new_axes
from bifurcate.validation import is_whole_number, shown

__all__ = ["many_branches"]

COLOURS = "cividis"  # grows in lightness, so that grey and colour-blind readers see the order
LINE_WIDTH = 0.9
DASHED = (0, (3.0, 1.5))  # of unstable parts
MOST_MARKED = 400  # special points that get a mark each; more would hide the lines


@checked(
    found=instance(ManyBranches, "trace_many(map, free, guesses, bounds) makes one"),
    ax=axes,
    cmap=colour_map,
    legend=flag,
)
def many_branches(
    found: ManyBranches, component: int = 0, *, ax: Axes | None = None, cmap: str | None = None, legend: bool = True
) -> Axes:
    """Draw branches that were traced together, against their free parameter.

    Stable parts are solid and unstable ones dashed. Where one other parameter varies it gives the colour. Special
    points are marked if there are at most 400.

    Parameters
    ----------
    found : ManyBranches
        From :func:`bifurcate.trace_many`.
    component : int
        Which number of the flattened state is drawn.
    ax : Axes, optional
        Where to draw; new axes by default.
    cmap : str, optional
        A colour map of Matplotlib.
    legend : bool
        Explain the marks and the colours.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidInput
        If an argument is unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.trace_many(bf.maps.logistic(), "r", [[0.6]], {"r": (2.0, 3.2)}, parameters={"r": [2.5]})
    >>> many_branches(found).get_xlabel()
    'r'
    """
    size = found.states[0].size if len(found.states) else found.starts[0].size
    if not is_whole_number(component) or not 0 <= component < size:
        raise InvalidInput(f"component is {shown(component)}; it must be a number from 0 to {size - 1}")
    ax = new_axes(CHART_SIZE) if ax is None else ax
    colours = matplotlib.colormaps[cmap or COLOURS]
    name, values = _told_apart(found)
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    norm = matplotlib.colors.Normalize(low, high if high > low else low + 1.0)
    y = found.states.reshape(len(found.values), -1)[:, component] if len(found.values) else np.empty(0)
    for stable in (True, False):
        lines, owners = _lines(found, y, stable)
        drawn = LineCollection(
            lines,
            colors=colours(norm(values[owners])),
            linewidths=LINE_WIDTH,
            linestyles="solid" if stable else [DASHED],
        )
        ax.add_collection(drawn)
    ax.autoscale_view()
    marks = _mark(ax, found, component)
    finish_axes(ax, found.free, f"component {component}")
    if legend:
        if name:
            scale = matplotlib.cm.ScalarMappable(norm, colours)
            figure_of(ax).colorbar(scale, ax=ax, label=name)
        if marks:
            ax.legend(handles=marks, frameon=False, fontsize="small")
    return ax


def _told_apart(found: ManyBranches) -> tuple[str, NDArray[np.float64]]:
    """The only other parameter that varies, and its values; "" and numbers of branches where there is no such one."""
    varying = [name for name, value in found.parameters.items() if np.ndim(value) and np.ptp(value) > 0]
    if len(varying) == 1:
        return varying[0], np.asarray(found.parameters[varying[0]])
    return "", np.arange(float(len(found)))


def _lines(found: ManyBranches, y: NDArray[np.float64], stable: bool) -> tuple[list[NDArray[np.float64]], list[int]]:
    """Runs of points of one stability, each led to the first point of the next run, and whose branch they are of."""
    lines, owners = [], []
    for i in range(len(found)):
        points = found.points_of(i)
        place = np.column_stack([found.values[points], y[points]])
        is_stable = found.stable[points]
        ends = [0, *(np.flatnonzero(np.diff(is_stable.astype(int))) + 1).tolist(), len(place)]
        for a, b in itertools.pairwise(ends):
            if b > a and bool(is_stable[a]) is stable:
                lines.append(place[a : b + 1])
                owners.append(i)
    return lines, owners


def _mark(ax: Axes, found: ManyBranches, component: int) -> list[Line2D]:
    """Marks at special points, and what a legend shows of them."""
    special = found.special
    if not 0 < len(special) <= MOST_MARKED:
        return []
    handles = []
    for kind in dict.fromkeys(special.kinds):
        some, look = special.of(kind), find_kind(kind)
        y = some.states.reshape(len(some), -1)[:, component]
        (mark,) = ax.plot(some.values, y, ls="", marker=look.marker, ms=4.0, color=look.colour, label=look.label)
        handles.append(mark)
    return handles
