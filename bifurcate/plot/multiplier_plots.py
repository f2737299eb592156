"""Plots of multipliers: in the complex plane, along a branch, and animated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch, Point
from bifurcate.errors import InvalidInput
from bifurcate.linalg.multipliers import Spectrum
from bifurcate.newton.solve import Solution
from bifurcate.plot.arguments import axes, checked, count, flag, instance, names, text
from bifurcate.plot.drawing import (
    DIAGRAM_SIZE,
    SQUARE_SIZE,
    axis_name,
    draw_legend,
    figure_of,
    finish_axes,
    ink,
    new_axes,
)
from bifurcate.plot.point_labels import add_point_labels

__all__ = ["animate_multipliers", "multipliers", "multipliers_along"]

INSIDE_COLOUR, OUTSIDE_COLOUR = "#1a5fa0", "#c2571a"
CIRCLE_POINTS = 361
MARGIN = 0.15  # between the unit circle, or the outermost multiplier, and the axes
REAL = 1e-9  # |Im λ| up to this counts as real, in units of the larger of 1 and |λ|


@checked(ax=axes, legend=flag)
def multipliers(
    of: Spectrum | Solution | Point | SpecialPoint | NDArray[Any],
    *,
    ax: Axes | None = None,
    legend: bool = True,
) -> Axes:
    """Draw multipliers in the complex plane, with the unit circle: filled inside, open outside.

    Parameters
    ----------
    of : Spectrum, Solution, Point, SpecialPoint or array_like of complex
        Whose multipliers; those that occur several times have their number beside them.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    legend : bool

    Returns
    -------
    Axes

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.solve(bf.maps.henon(a=1.4, b=0.3), [0.6, 0.2])
    >>> ax = bf.plot.multipliers(found)
    >>> [len(line.get_xdata()) for line in ax.lines[1:]]  # one inside, one outside
    [1, 1]
    """
    values, counts = _values(of)
    ax = new_axes(SQUARE_SIZE) if ax is None else ax
    circle = np.exp(2j * np.pi * np.linspace(0.0, 1.0, CIRCLE_POINTS))
    ax.plot(circle.real, circle.imag, color="0.6", lw=0.8, zorder=1)
    is_outside = np.abs(values) > 1.0
    entries = [
        ax.plot(part.real, part.imag, **style)[0]
        for part, style in ((values[~is_outside], _mark(False)), (values[is_outside], _mark(True)))
        if len(part)
    ]
    several = [(z.real, z.imag, f"×{n}") for z, n in zip(values, counts, strict=True) if n > 1]
    add_point_labels(ax, [(float(u), float(v), text) for u, v, text in several])
    _frame(ax, values)
    draw_legend(ax, entries, legend, 2, 1.0)
    return ax


def _mark(is_outside: bool) -> dict[str, Any]:
    colour = ink(OUTSIDE_COLOUR if is_outside else INSIDE_COLOUR)
    face = "white" if is_outside else colour
    name = "outside the unit circle" if is_outside else "inside the unit circle"
    return {"ls": "", "marker": "o", "ms": 4.5, "mew": 1.1, "color": colour, "mfc": face, "zorder": 3, "label": name}


def _values(of: Any) -> tuple[NDArray[np.complex128], NDArray[np.int_]]:
    found = of if isinstance(of, Spectrum) else getattr(of, "spectrum", None)
    if isinstance(found, Spectrum):
        return np.asarray(found.values, complex), np.asarray(found.multiplicity)
    try:
        values = np.atleast_1d(np.asarray(of, dtype=complex))
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"{type(of).__name__} has no multipliers; give a spectrum, a solution or a point") from None
    return values, np.ones(len(values), int)


def _frame(ax: Axes, values: NDArray[np.complex128]) -> None:
    known = values[np.isfinite(values)]
    low = min(-1.0, float(known.real.min(initial=-1.0)))
    high = max(1.0, float(known.real.max(initial=1.0)))
    tall = max(1.0, float(np.abs(known.imag).max(initial=1.0)))
    ax.set(xlim=(low - MARGIN, high + MARGIN), ylim=(-tall - MARGIN, tall + MARGIN))
    ax.set_aspect("equal", adjustable="box")
    finish_axes(ax, "Re λ", "Im λ")


@checked(branch=instance(Branch, "trace makes one"), parameter=text, most=count(1), ax=axes, labels=names, legend=flag)
def multipliers_along(
    branch: Branch,
    parameter: str,
    *,
    most: int = 12,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the multipliers along a branch, against a parameter: real ones by value, complex pairs by ±modulus.

    Parameters
    ----------
    branch : Branch
    parameter : str
        On the horizontal axis.
    most : int
        Multipliers at a point that are drawn at the most, the largest in modulus.
    ax, labels, legend : optional
        As for :func:`diagram`.

    Returns
    -------
    Axes
        With the lines +1 and −1, at which real multipliers are critical, and the special points at theirs.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.5)})
    >>> ax = bf.plot.multipliers_along(branch, "r")  # λ = 2 − r
    >>> bool(np.allclose(ax.lines[2].get_ydata(), 2.0 - ax.lines[2].get_xdata()))
    True
    """
    table = branch.multipliers[:, :most]
    p = np.repeat(branch[parameter], table.shape[1])
    values = table.ravel()
    is_real = np.abs(values.imag) <= REAL * np.maximum(1.0, np.abs(values))
    ax = new_axes(DIAGRAM_SIZE) if ax is None else ax
    for level in (1.0, -1.0):
        ax.axhline(level, color="0.6", lw=0.8, zorder=1)
    entries: list[Line2D] = []
    dots: dict[str, Any] = {"ls": "", "marker": "o", "ms": 2.2, "mew": 0.0, "color": ink(INSIDE_COLOUR)}
    pairs: dict[str, Any] = {**dots, "marker": "D", "ms": 2.6, "mew": 0.6, "mfc": "white", "color": ink(OUTSIDE_COLOUR)}
    if table.shape[1] == 1 and is_real.all():
        dots |= {"ls": "-", "lw": 1.2}
    if is_real.any():
        entries += ax.plot(p[is_real], values[is_real].real, label="real", **dots)
    pair = ~is_real & np.isfinite(values)
    if pair.any():
        modulus = np.abs(values[pair]) * np.where(values[pair].real < 0.0, -1.0, 1.0)
        entries += ax.plot(p[pair], modulus, label="pair: modulus, with the sign of Re λ", **pairs)
    places = [(each.parameters[parameter], _critical(each), each.label) for each in branch.special]
    add_point_labels(ax, [place for place in places if place[1]])
    finish_axes(ax, axis_name(parameter, labels), "multipliers λ")
    draw_legend(ax, entries, legend, 2, 1.0)
    return ax


def _critical(point: SpecialPoint) -> float:
    """The level at which a special point's multiplier is critical; 0 where none is."""
    row = point.kind_row
    if row.pairs:
        return float(np.copysign(1.0, np.cos(point.angle)))
    return row.real[0] if row.real else 0.0


@checked(branch=instance(Branch, "trace makes one"), parameter=text, ax=axes, interval=count(1), titles=flag)
def animate_multipliers(
    branch: Branch, parameter: str, *, ax: Axes | None = None, interval: int = 60, titles: bool = True
) -> FuncAnimation:
    """Animate the multipliers in the complex plane along a branch.

    Parameters
    ----------
    branch : Branch
    parameter : str
        Whose value stands above the axes.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    interval : int
        Milliseconds a frame; there is one for each point.
    titles : bool
        False for no value above the axes.

    Returns
    -------
    FuncAnimation
        ``.save("multipliers.gif", writer="pillow")`` writes it.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.5)})
    >>> film = bf.plot.animate_multipliers(branch, "r")
    >>> artists = film._init_draw()  # the first frame, as save draws it
    """
    ax = new_axes(SQUARE_SIZE) if ax is None else ax
    table = branch.multipliers
    multipliers(np.asarray(table[0]), ax=ax, legend=False)
    _frame(ax, table.ravel())
    for line in ax.lines[1:]:
        line.set_data([], [])
    inside, outside = (ax.plot([], [], **_mark(is_outside))[0] for is_outside in (False, True))
    p = branch[parameter]

    def show(i: int) -> tuple[Line2D, Line2D]:
        row = table[i][np.isfinite(table[i])]
        for line, part in ((inside, row[np.abs(row) <= 1.0]), (outside, row[np.abs(row) > 1.0])):
            line.set_data(part.real, part.imag)
        if titles:
            ax.set_title(f"{parameter} = {p[i]:.6g}", loc="left")
        return inside, outside

    return FuncAnimation(figure_of(ax), show, frames=len(branch), interval=interval, blit=False)
