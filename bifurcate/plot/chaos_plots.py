"""Plots of what tangent vectors do along an orbit: how they align, and how growth over windows is distributed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from bifurcate.errors import InvalidInput
from bifurcate.orbits.alignment_indices import AlignmentIndices
from bifurcate.orbits.finite_time_exponents import FiniteTimeExponents
from bifurcate.plot.arguments import axes, checked, count, flag, instance, text
from bifurcate.plot.drawing import DIAGRAM_SIZE, finish_axes, ink, new_axes

__all__ = ["alignment_indices", "finite_time_exponents"]

# Of SALI and GALI_k, and of the exponents: apart in grey by their line styles.
COLOURS = ("#000000", "#c2571a", "#1a5fa0", "#1f7a45")
STYLES: tuple[str | tuple[int, Sequence[float]], ...] = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
BINS = 40  # of a histogram, unless another number is given


@checked(
    found=instance(AlignmentIndices, "alignment_indices(map, start) makes one"),
    ax=axes,
    loglog=flag,
    xlabel=text,
    ylabel=text,
)
def alignment_indices(
    found: AlignmentIndices,
    *,
    ax: Axes | None = None,
    loglog: bool = False,
    xlabel: str = "iterations",
    ylabel: str = "",
) -> Axes:
    """Draw SALI and GALI_3, GALI_4, … on a logarithmic scale: straight lines where an orbit is chaotic.

    Parameters
    ----------
    found : AlignmentIndices
        From :func:`bifurcate.alignment_indices`.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    loglog : bool
        The iterations on a logarithmic scale, too: powers of their number, along regular orbits, are straight lines.
    xlabel, ylabel : str

    Returns
    -------
    Axes

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.alignment_indices(bf.maps.standard(K=5.0), [0.3, 0.2], steps=20)
    >>> bf.plot.alignment_indices(found).get_yscale()
    'log'
    """
    ax = new_axes(DIAGRAM_SIZE) if ax is None else ax
    series = [("SALI", found.sali)] + [(f"GALI$_{k + 2}$", found.gali[:, k]) for k in range(1, found.gali.shape[1])]
    begin = 1 if loglog else 0
    for i, (label, values) in enumerate(series):
        shown = np.where(values > 0.0, values, np.nan)[begin:]
        style = STYLES[i % len(STYLES)]
        ax.plot(np.arange(begin, len(values)), shown, ls=style, lw=1.3, color=ink(COLOURS[i % 4]), label=label)
    ax.set_yscale("log")
    if loglog:
        ax.set_xscale("log")
    ax.legend(frameon=False, fontsize="small")
    finish_axes(ax, xlabel, ylabel)
    return ax


@checked(
    found=instance(FiniteTimeExponents, "finite_time_exponents(map, start) makes one"),
    bins=count(1, 10_000),
    ax=axes,
    xlabel=text,
    ylabel=text,
)
def finite_time_exponents(
    found: FiniteTimeExponents,
    *,
    bins: int = BINS,
    ax: Axes | None = None,
    xlabel: str = "",
    ylabel: str = "density",
) -> Axes:
    """Draw the distribution of every finite-time exponent, with its mean as a vertical line.

    Parameters
    ----------
    found : FiniteTimeExponents
        From :func:`bifurcate.finite_time_exponents`.
    bins : int
        Of the histograms. Values of −inf, of windows in which a direction was annihilated, are left out.
    ax : Axes, optional
        Where to draw; a new figure if not given.
    xlabel, ylabel : str
        By default the length of the windows is named.

    Returns
    -------
    Axes

    Raises
    ------
    InvalidInput
        If there is no finite value.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.finite_time_exponents(bf.maps.henon(), [0.1, 0.1], windows=50)
    >>> bf.plot.finite_time_exponents(found).get_xlabel()
    'exponent over 10 steps'
    """
    if not np.isfinite(found.values).any():
        raise InvalidInput("no window has a finite exponent")
    ax = new_axes(DIAGRAM_SIZE) if ax is None else ax
    for i, column in enumerate(found.values.T):
        shown = column[np.isfinite(column)]
        if not len(shown):
            continue
        colour, style = ink(COLOURS[i % 4]), STYLES[i % len(STYLES)]
        name = "λ" if found.values.shape[1] == 1 else f"λ$_{i + 1}$"
        ax.hist(shown, bins=bins, density=True, histtype="stepfilled", color=colour, alpha=0.18)
        ax.hist(shown, bins=bins, density=True, histtype="step", color=colour, ls=style, lw=1.3, label=name)
        ax.axvline(float(shown.mean()), color=colour, ls=style, lw=0.8)
    if found.values.shape[1] > 1:
        ax.legend(frameon=False, fontsize="small")
    steps = "1 step" if found.window == 1 else f"{found.window} steps"
    finish_axes(ax, xlabel or f"exponent over {steps}", ylabel)
    return ax
