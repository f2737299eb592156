"""The house's styles of figures: for paper, for talks, and without colours."""

from __future__ import annotations

from importlib.resources import files
from types import TracebackType
from typing import Any, Literal

import matplotlib

from bifurcate.validation import check_choice

__all__ = ["FigureStyle", "style"]

STYLES = ("paper", "talk", "grey")


class FigureStyle:
    """A style that is in force; ``with`` ends it at the end of its block."""

    def __init__(self, before: Any) -> None:
        self._before = before

    def __enter__(self) -> FigureStyle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Put Matplotlib's settings back to what they were."""
        matplotlib.rcParams.update(self._before)


def style(name: Literal["paper", "talk", "grey"]) -> FigureStyle:
    """Draw all further figures in one of the house's styles, or those of a ``with`` block.

    Parameters
    ----------
    name : {"paper", "talk", "grey"}
        Type and lines for a journal's column, for slides, or for a journal's column without colours.

    Returns
    -------
    FigureStyle
        ``with bf.plot.style("grey"): …`` draws what is in the block in this style; ``.end()`` ends it without a block.

    Raises
    ------
    InvalidInput
        If there is no style of this name.

    Examples
    --------
    >>> import bifurcate as bf, matplotlib
    >>> with bf.plot.style("talk"):
    ...     size = matplotlib.rcParams["font.size"]
    >>> size
    16.0
    """
    check_choice("name", name, STYLES)
    settings: Any = matplotlib.rc_params_from_file(
        str(files("bifurcate.plot") / "styles" / f"{name}.mplstyle"), use_default_template=False
    )
    before = {key: matplotlib.rcParams[key] for key in settings}
    matplotlib.rcParams.update(settings)
    return FigureStyle(before)
