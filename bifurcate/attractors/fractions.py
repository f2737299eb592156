"""Fractions of starts by where they settle, with intervals of confidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import OUTCOMES, Attractor

__all__ = ["Fraction", "fractions_of", "fractions_table", "label_name", "wilson_interval"]

# Standard deviations of a normal distribution that hold 95% of it.
NINETY_FIVE_PERCENT = 1.959963984540054


class Fraction(NamedTuple):
    """The fraction of starts that settle on one attractor, or end in one way.

    Attributes
    ----------
    name : str
        Of the attractor, with its number, or of what else becomes of orbits.
    starts : int
        How many.
    value : float
    low, high : float
        Wilson's interval, which holds the fraction of all starts with 95% if these are independent and uniform. The
        cells of a grid are not: there the error is smaller where the boundary is smooth.
    """

    name: str
    starts: int
    value: float
    low: float
    high: float


def wilson_interval(count: int, total: int) -> tuple[float, float]:
    """The 95% interval of a fraction of which ``count`` of ``total`` were seen (Wilson, JASA 22 (1927) 209).

    Examples
    --------
    >>> low, high = wilson_interval(5, 10)
    >>> round(low, 4), round(high, 4)
    (0.2366, 0.7634)
    """
    z, n = NINETY_FIVE_PERCENT, float(total)
    if total == 0:
        return 0.0, 1.0
    centre = (count + 0.5 * z * z) / (n + z * z)
    half = z / (n + z * z) * float(np.sqrt(count * (n - count) / n + 0.25 * z * z))
    # At the ends exactly 0 and 1, which rounding would miss.
    return 0.0 if count == 0 else centre - half, 1.0 if count == total else centre + half


def label_name(label: int, attractors: Sequence[Attractor]) -> str:
    """What a label stands for."""
    if label < 0:
        return OUTCOMES[label]
    found = attractors[label]
    return f"{label}: cycle of period {found.period}" if found.kind == "cycle" else f"{label}: {found.kind}"


def fractions_of(labels: NDArray[np.int_], attractors: Sequence[Attractor]) -> dict[int, Fraction]:
    """The fractions by label: every attractor's, and those of other outcomes that occur."""
    present = set(np.unique(labels).tolist())
    found = {}
    for label in [*range(len(attractors)), *(each for each in OUTCOMES if each in present)]:
        count = int((labels == label).sum())
        low, high = wilson_interval(count, labels.size)
        found[label] = Fraction(label_name(label, attractors), count, count / max(labels.size, 1), low, high)
    return found


def fractions_table(fractions: dict[int, Fraction], attractors: Sequence[Attractor]) -> list[str]:
    """Lines of a table: fractions, their intervals, and the attractors."""
    lines = []
    for label, each in fractions.items():
        what = f"{label}: {attractors[label]}" if label >= 0 else each.name
        lines.append(f"{each.value:8.4f}  [{each.low:.4f}, {each.high:.4f}]  {what}")
    return lines
