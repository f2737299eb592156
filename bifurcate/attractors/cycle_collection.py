"""Cycles that a search has found: each once, how often, and how many there may be that it has not found."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["CycleCollection", "unseen"]

Array = NDArray[np.float64]

# Part of max(scale, ‖x‖_∞) by which two cycles may differ and be one: far above what polished Newton steps leave.
SAME_CYCLE = 1e-8


@dataclass(eq=False)
class CycleCollection:
    """Cycles of one least period.

    Attributes
    ----------
    periods : ndarray, shape (n,), or None
        Of the coordinates.
    scale : float
        The map's.
    cycles : list of ndarray, each of shape (k, n)
        Begun at the state that comes first in lexicographic order.
    hits : list of int
        How often each was found.
    residuals : list of float
    """

    periods: Array | None
    scale: float
    cycles: list[Array] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)
    residuals: list[float] = field(default_factory=list)
    _marks: list[Array] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.cycles)

    def add(self, x: Array, residual: float) -> bool:
        """Take in a cycle, shape (k, n); True if it is new."""
        mark, unit = self._mark(x), max(self.scale, float(np.abs(x).max()))
        if self._marks:
            close = np.abs(np.array(self._marks) - mark).max(axis=1) < SAME_CYCLE * max(unit, unit**2)
            for i in np.flatnonzero(close).tolist():
                apart = np.abs(shortest(x - self.cycles[i][0], self.periods)).max(axis=1)
                if apart.min() < SAME_CYCLE * unit:
                    self.hits[i] += 1
                    return False
        first = self._first(x, unit)
        self.cycles.append(np.roll(x, -first, axis=0))
        self.hits.append(1)
        self.residuals.append(residual)
        self._marks.append(mark)
        return True

    def _first(self, x: Array, unit: float) -> int:
        """The state that comes first, by coordinates that differ by more than rounding."""
        candidates = np.arange(len(x))
        for j in range(x.shape[1]):
            least = x[candidates, j].min()
            candidates = candidates[x[candidates, j] <= least + SAME_CYCLE * unit]
        return int(candidates[0])

    def _mark(self, x: Array) -> Array:
        """Numbers that are the same at whichever state the cycle begins."""
        if self.periods is None:
            return np.concatenate([x.mean(axis=0), (x**2).mean(axis=0)])
        angle = np.isfinite(self.periods)
        turn = 2.0 * np.pi * x[:, angle] / self.periods[angle]
        rest = x[:, ~angle]
        return np.concatenate([np.cos(turn).mean(axis=0), np.sin(turn).mean(axis=0), rest.mean(axis=0)])


def unseen(hits: list[int]) -> float:
    """How many kinds there are at least, in the mean, that a sample has not met (Chao, Scand. J. Stat. 11 (1984) 265).

    f₁ (f₁ − 1) / 2 (f₂ + 1), with f₁ and f₂ the numbers of kinds that were met once and twice.

    Examples
    --------
    >>> unseen([5, 3, 4]), unseen([1, 1, 1, 2])
    (0.0, 1.5)
    """
    once, twice = hits.count(1), hits.count(2)
    return once * (once - 1) / (2.0 * (twice + 1))
