"""What a notebook shows of a result: what ``print`` does, and its picture."""

from __future__ import annotations

import html
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.errors import BifurcateError
from bifurcate.newton.solve import Solution
from bifurcate.orbits.orbit import Orbit
from bifurcate.orbits.orbit_diagram import OrbitDiagram
from bifurcate.orbits.parameter_plane import ParameterPlane
from bifurcate.plot.bifurcation_diagram import diagram
from bifurcate.plot.drawing import SQUARE_SIZE, figure_of, finish_axes, new_axes
from bifurcate.plot.heat_map import heatmap
from bifurcate.plot.multiplier_plots import multipliers
from bifurcate.plot.orbit_plots import orbit_diagram
from bifurcate.plot.period_map import parameter_plane
from bifurcate.plot.two_parameter_chart import chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["result_html", "table_and_picture"]

MOST_LINES = 40  # of the table that a notebook shows
MOST_COMPONENTS = 4  # of a state that the picture of an orbit shows
MOST_DRAWN = 2000  # states of an orbit that its picture shows, the last ones: more are no line any more
LARGEST_DRAWN = 200  # multipliers that a picture shows


def result_html(result: Any) -> str:
    """What ``print`` shows of a result as text, and its picture where there is one, in HTML."""
    draw: Callable[[Any], list[Axes]] | None = next(
        (each for kind, each in _PICTURES if isinstance(result, kind)), None
    )
    try:
        drawn = [] if draw is None else draw(result)
    except BifurcateError:  # read from a file without its map, or traced with keep=…: the table is there all the same
        drawn = []
    return _text(str(result)) + "".join(map(_picture, drawn))


def table_and_picture(diagram: Any, table: str) -> str:
    """The table of a diagram as text, and its plot as a picture, in HTML.

    Parameters
    ----------
    diagram : Diagram
    table : str
        What ``print`` shows of it.
    """
    return _text(table) + "".join(map(_picture, _axes_of_diagram(diagram)))


def _text(table: str) -> str:
    lines = table.split("\n")
    more = [f"… {len(lines) - MOST_LINES} more lines: print it"] if len(lines) > MOST_LINES else []
    return f"<pre>{html.escape(chr(10).join(lines[:MOST_LINES] + more))}</pre>\n"


def _axes_of_diagram(diagram: Any) -> list[Axes]:
    branches = diagram.branches
    free = next((branch.curve.free for branch in branches if branch.curve.codimension == 0), ())
    plane = next((branch.curve.free for branch in branches if len(branch.curve.free) > 1), ())
    drawn = [diagram.plot(free[0])] if free else []
    return drawn + ([diagram.chart(*plane[:2])] if plane else [])


def _axes_of_branch(branch: Branch) -> list[Axes]:
    free = branch.curve.free
    return [chart(branch, *free[:2]) if len(free) > 1 else diagram(branch, free[0])]


def _axes_of_multipliers(found: Solution | SpecialPoint) -> list[Axes]:
    spectrum = found.spectrum
    return [multipliers(spectrum)] if len(spectrum.values) <= LARGEST_DRAWN else []


def _axes_of_orbit(orbit: Orbit) -> list[Axes]:
    states = np.asarray(orbit.states)[-MOST_DRAWN:]
    if not len(states):
        return []
    if states.ndim == 3:  # a matrix is seen best as it ends
        return [heatmap(states[-1])]
    ax = new_axes(SQUARE_SIZE)
    first = orbit.steps - len(states) + 1
    for i, component in enumerate(states.reshape(len(states), -1).T[:MOST_COMPONENTS]):
        ax.plot(first + np.arange(len(states)), component, lw=0.8, marker=".", ms=3.0, label=f"component {i}")
    finish_axes(ax, "iteration", "state")
    ax.legend(frameon=False, fontsize="small")
    return [ax]


_PICTURES: tuple[tuple[Any, Callable[[Any], list[Axes]]], ...] = (
    (Branch, _axes_of_branch),
    ((Solution, SpecialPoint), _axes_of_multipliers),
    (Orbit, _axes_of_orbit),
    (OrbitDiagram, lambda found: [orbit_diagram(found)]),
    (ParameterPlane, lambda found: [parameter_plane(found)]),
)


def _picture(ax: Axes) -> str:
    file = io.StringIO()
    figure_of(ax).savefig(file, format="svg")
    text = file.getvalue()
    return text[text.index("<svg") :]
