"""Plots of orbits: against a parameter, as a cobweb, and how fast they converge."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.orbits.orbit import Orbit, orbit, with_values
from bifurcate.orbits.orbit_diagram import OrbitDiagram
from bifurcate.plot.arguments import amount, axes, checked, colour_like, finite_array, instance, names, optional, text
from bifurcate.plot.bifurcation_diagram import draw_orbits
from bifurcate.plot.drawing import DIAGRAM_SIZE, SQUARE_SIZE, axis_name, finish_axes, ink, new_axes
from bifurcate.validation import check_array, check_count, check_instance, check_interval

__all__ = ["cobweb", "convergence", "orbit_diagram"]

GRAPH_POINTS = 400  # of the graph of f: smooth at 300 dots an inch
GRAPH_COLOUR, ORBIT_COLOUR, DIAGONAL_GREY = "#1a5fa0", "#c2571a", "0.6"


@checked(
    orbits=instance(OrbitDiagram, "orbit_diagram makes one"),
    ax=axes,
    labels=names,
    ylabel=text,
    size=amount(0.0),
    alpha=amount(0.0, 1.0),
    color=colour_like,
)
def orbit_diagram(
    orbits: OrbitDiagram,
    *,
    ax: Axes | None = None,
    labels: Mapping[str, str] | None = None,
    ylabel: str = "",
    size: float = 0.6,
    alpha: float = 0.35,
    color: str = "#000000",
) -> Axes:
    """Draw an orbit diagram alone: where orbits are in the long run, against a parameter.

    Parameters
    ----------
    orbits : OrbitDiagram
        From :func:`bifurcate.orbit_diagram`.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    labels : mapping of str to str, optional
        How axes name parameters, as ``{"alpha": "α"}``.
    ylabel : str
    size, alpha, color : float, float, color
        Of the dots: their diameter in points, opacity and colour.

    Returns
    -------
    Axes

    Examples
    --------
    >>> import bifurcate as bf
    >>> seen = bf.orbit_diagram(bf.maps.logistic(), "r", np.linspace(2.8, 4.0, 50), [0.3], lambda x: x[0])
    >>> bf.plot.orbit_diagram(seen, labels={"r": "growth rate"}).get_xlabel()
    'growth rate'
    """
    check_instance("orbits", orbits, OrbitDiagram, "orbit_diagram(map, …) gives one")
    ax = new_axes(DIAGRAM_SIZE) if ax is None else ax
    draw_orbits(ax, orbits)
    ax.lines[0].set(markersize=size, alpha=alpha, color=ink(color))
    finish_axes(ax, axis_name(orbits.parameter, labels), ylabel)
    ax.margins(x=0.01)
    return ax


@checked(
    map=instance(Map, "wrap the function: Map(f, parameters)"),
    start=finite_array,
    interval=optional(finite_array),
    ax=axes,
    xlabel=text,
    ylabel=text,
)
def cobweb(
    map: Map,
    start: Any,
    steps: int = 50,
    *,
    parameters: Mapping[str, float] | None = None,
    interval: tuple[float, float] | None = None,
    ax: Axes | None = None,
    xlabel: str = "x",
    ylabel: str = "f(x)",
) -> Axes:
    """Draw the cobweb of an orbit of a one-dimensional map: its graph, the diagonal, and the orbit between them.

    Parameters
    ----------
    map : Map
        On states of one number.
    start : float or array_like
        The first state.
    steps : int
        Iterations that are drawn.
    parameters : mapping of str to float, optional
        Values that replace the map's own.
    interval : (float, float), optional
        Of x; what the orbit visits, with a margin, if not given.
    ax, xlabel, ylabel : optional
        As for :func:`diagram`.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidInput
        If a state has more than one number.

    Examples
    --------
    >>> import bifurcate as bf
    >>> ax = bf.plot.cobweb(bf.maps.logistic(r=3.2), 0.1, 30)
    >>> x, y = ax.lines[-1].get_data()  # (x₀, x₀), (x₀, x₁), (x₁, x₁), …
    >>> bool(np.isclose(y[1], 3.2 * 0.1 * 0.9))
    True
    """
    check_count("steps", steps)
    first = np.asarray(start, dtype=float)
    if first.size != 1:
        raise InvalidInput(f"start has {first.size} numbers; a cobweb is drawn for maps of one")
    there = with_values(map, parameters)
    shape = first.shape or (1,)
    visited = orbit(there, first.reshape(shape), steps + 1).states.ravel()
    low, high = (
        check_interval("interval", interval) if interval is not None else (float(visited.min()), float(visited.max()))
    )
    if interval is None:
        margin = 0.08 * (high - low) or 0.5 * there.scale
        low, high = low - margin, high + margin
    ax = new_axes(SQUARE_SIZE) if ax is None else ax
    x = np.linspace(low, high, GRAPH_POINTS)
    values = [np.asarray(there(np.full(shape, each)), dtype=float).item() for each in x.tolist()]
    ax.plot(x, x, color=DIAGONAL_GREY, lw=0.8)
    ax.plot(x, values, color=ink(GRAPH_COLOUR), lw=1.5)
    corners = np.repeat(visited, 2)
    ax.plot(corners[:-1], np.append(corners[0], corners[2:]), color=ink(ORBIT_COLOUR), lw=0.8)
    ax.set(xlim=(low, high))
    finish_axes(ax, xlabel, ylabel)
    return ax


@checked(
    to=finite_array, ax=axes, label=text, color=optional(colour_like), rate=optional(amount()), xlabel=text, ylabel=text
)
def convergence(
    orbit: Orbit | NDArray[np.float64],
    to: Any,
    *,
    ax: Axes | None = None,
    label: str = "",
    color: str | None = None,
    rate: float | None = None,
    xlabel: str = "iterations",
    ylabel: str = "distance",
) -> Axes:
    """Draw an orbit's distance from a solution, on a logarithmic scale: a straight line where convergence is linear.

    Parameters
    ----------
    orbit : Orbit or ndarray, shape (steps, *state's shape)
    to : array_like or list of array_like
        The solution's state; of a cycle its states, ``[x₀, x₁, …]``, of which the nearest one counts.
    ax, xlabel, ylabel : optional
        As for :func:`diagram`.
    label, color : str, color, optional
        Of the line.
    rate : float, optional
        A multiplier: a dotted line of this slope is drawn beside, to compare with.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidInput
        If the solution has another shape than the orbit's states.

    Examples
    --------
    >>> import bifurcate as bf
    >>> run = bf.orbit(bf.maps.logistic(r=2.5), [0.3], 30)
    >>> ax = bf.plot.convergence(run, [0.6], rate=-0.5)
    >>> d = ax.lines[0].get_ydata()
    >>> bool(abs(d[20] / d[19] - 0.5) < 1e-3)
    True
    """
    states = check_array("orbit", orbit.states if isinstance(orbit, Orbit) else orbit)
    if not states.ndim or not states.size:
        raise InvalidInput(f"orbit has shape {states.shape}; it must hold at least one state")
    targets = np.asarray(to)
    if targets.shape == states.shape[1:]:
        targets = targets[None]
    if targets.shape[1:] != states.shape[1:]:
        raise InvalidInput(f"to has shape {targets.shape}, but the orbit's states have shape {states.shape[1:]}")
    flat, goals = states.reshape(len(states), -1), targets.reshape(len(targets), -1)
    distance = np.min([np.linalg.norm(flat - goal, axis=1) for goal in goals], axis=0)
    ax = new_axes(DIAGRAM_SIZE) if ax is None else ax
    t = np.arange(len(distance))
    shown = np.where(distance > 0.0, distance, np.nan)
    (line,) = ax.plot(t, shown, lw=1.3, label=label or None, color=color or ink("#000000"))
    if rate is not None and np.isfinite(shown).any():
        begin = int(np.flatnonzero(np.isfinite(shown))[0])
        guide = shown[begin] * np.abs(rate) ** (t - begin)
        kept = guide >= np.nanmin(shown)
        ax.plot(t[kept], guide[kept], ls=":", lw=1.2, color=line.get_color(), label=f"∝ {abs(rate):.4g}ᵗ")
    ax.set_yscale("log")
    if label or rate is not None:
        ax.legend(frameon=False, fontsize="small")
    finish_axes(ax, xlabel, ylabel)
    return ax
