"""What every study leaves behind: a figure as PNG and PDF, its numbers as CSV or JSON, and where they are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bifurcate.storage.atomic import written_atomically
from studies.provenance import facts, figure_metadata, write_provenance
from studies.run_settings import current, journals

__all__ = [
    "FIGURES",
    "Files",
    "Numbers",
    "Records",
    "Table",
    "finish_axes",
    "legend_title",
    "name_axes",
    "new_figure",
    "publish",
]

FIGURES = Path("figures")  # the folder, unless another one is asked for
DOTS_PER_INCH = 300  # of the PNG: fine enough for print
STYLE: Any = {"font.size": 9}  # of all text without a size of its own, in points
TITLE_SIZE, CAPTION_SIZE, AXES_TITLE_SIZE = 11, 8, 9

# The colours of the studies: all dark enough for thin lines on white, and distinct in grey with their line styles.
BLACK, ORANGE, BLUE, GREEN, VIOLET, LAVENDER = "#1a1a1a", "#c2571a", "#1b6ca8", "#1f7a45", "#5f3a96", "#7570b3"


@dataclass(frozen=True)
class Files:
    """Where a study's figure and numbers are written.

    Attributes
    ----------
    name : str
        The study's.
    folder : Path
    ending : str
        Of the file of numbers: "csv" or "json".
    """

    name: str
    folder: Path
    ending: str = "csv"

    @property
    def png(self) -> Path:
        """The figure, as dots."""
        return self.figure("png")

    @property
    def pdf(self) -> Path:
        """The figure, as lines."""
        return self.figure("pdf")

    def figure(self, form: str) -> Path:
        """The figure in a format."""
        return self.folder / f"{self.name}.{form}"

    @property
    def numbers(self) -> Path:
        """The numbers."""
        return self.folder / f"{self.name}.{self.ending}"

    def __str__(self) -> str:
        figures = ", ".join(str(self.figure(form)) for form in current().formats)
        return f"{self.name}: {figures}, {self.numbers}"


class Numbers(Protocol):
    """What can be written to the file of numbers."""

    def text(self) -> str:
        """The file's content."""


@dataclass(frozen=True)
class Table:
    """Numbers as lines of a CSV file.

    Attributes
    ----------
    columns : sequence of str
    rows : iterable of sequence
        One value a column.
    """

    columns: Sequence[str]
    rows: Iterable[Sequence[Any]] = field(repr=False)

    def text(self) -> str:
        """Names of columns, and rows."""
        out = io.StringIO(newline="")
        table = csv.writer(out)
        table.writerow(self.columns)
        table.writerows(self.rows)
        return out.getvalue()


@dataclass(frozen=True)
class Records:
    """Numbers as a list of nested records, for JSON.

    Attributes
    ----------
    entries : list of dict
    """

    entries: list[dict[str, Any]] = field(repr=False)

    def text(self) -> str:
        """They as JSON."""
        return json.dumps(self.entries, indent=1)


def publish(files: Files, draw: Callable[[], Figure], numbers: Numbers, interrupted: str = "") -> None:
    """Draw and write a study's figure, write its numbers and where they come from, and print where they are.

    Every file takes the place of an old one once it is whole; the one that says where they come from is the last.

    Parameters
    ----------
    files : Files
        Where to write; the folder is made if it does not exist.
    draw : callable
        ``draw()`` → Figure; called in the studies' style.
    numbers : Table or Records
        What the figure shows.
    interrupted : str
        What is missing, if the study was ended before it was done: noted with where the files come from.
    """
    about, outputs = {**facts(files.name), **({"interrupted": interrupted} if interrupted else {})}, []
    files.folder.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": files.name}):
        drawn = draw()
        for form in current().formats:
            with written_atomically(files.figure(form)) as file:
                drawn.savefig(file, format=form, dpi=DOTS_PER_INCH, metadata=figure_metadata(about, form))
            outputs.append(files.figure(form))
    with written_atomically(files.numbers) as file:
        file.write(numbers.text().encode())
    write_provenance(files.folder, about, [*outputs, files.numbers])
    for path in journals(files.folder, files.name):
        path.unlink()
    print(f"\n{files}")


def legend_title(title: str) -> str | None:
    """The title of a legend that stands where the figure's title would; None if titles are left out."""
    return title if current().titles else None


def new_figure(title: str, caption: str, size: tuple[float, float]) -> Figure:
    """An empty figure with a title above, unless it is empty, and a caption below; size in inches."""
    drawn = Figure(figsize=size, layout="constrained")
    if title and current().titles:
        drawn.suptitle(title, x=0.01, ha="left", fontsize=TITLE_SIZE)
    if current().footers:
        drawn.supxlabel(caption, x=0.01, ha="left", fontsize=CAPTION_SIZE, color="0.3")
    return drawn


def name_axes(ax: Axes, title: str) -> None:
    """Put a title over the left end of axes."""
    ax.set_title(title, fontsize=AXES_TITLE_SIZE, loc="left")


def finish_axes(ax: Axes, title: str = "") -> None:
    """Draw only the left and the lower side of the frame, with a title over the left end unless it is empty."""
    if title:
        name_axes(ax, title)
    ax.spines[["top", "right"]].set_visible(False)
