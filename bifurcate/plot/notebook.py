"""What a notebook shows of a diagram: its table and its picture."""

from __future__ import annotations

import html
import io
from typing import TYPE_CHECKING, Any

from bifurcate.plot.drawing import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["table_and_picture"]

MOST_LINES = 40  # of the table that a notebook shows


def table_and_picture(diagram: Any, table: str) -> str:
    """The table of a diagram as text, and its plot as a picture, in HTML.

    Parameters
    ----------
    diagram : Diagram
    table : str
        What ``print`` shows of it.
    """
    lines = table.split("\n")
    more = [f"… {len(lines) - MOST_LINES} more lines: print(diagram)"] if len(lines) > MOST_LINES else []
    text = html.escape("\n".join(lines[:MOST_LINES] + more))
    return f"<pre>{text}</pre>\n{''.join(_picture(ax) for ax in _axes(diagram))}"


def _axes(diagram: Any) -> list[Axes]:
    branches = diagram.branches
    free = next((branch.curve.free for branch in branches if branch.curve.codimension == 0), ())
    plane = next((branch.curve.free for branch in branches if len(branch.curve.free) > 1), ())
    drawn = [diagram.plot(free[0])] if free else []
    return drawn + ([diagram.chart(*plane[:2])] if plane else [])


def _picture(ax: Axes) -> str:
    file = io.StringIO()
    figure_of(ax).savefig(file, format="svg")
    text = file.getvalue()
    return text[text.index("<svg") :]
