"""OrbitFindings: what an orbit of the outputs was found to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifurcate.adaptation.long_run.fast_reduction import FastReduction, ResponseCycle

__all__ = ["OrbitFindings"]

OUTPUTS = {"settles": "settle", "settles beyond a pole": "settle", "cycle": "cycle", "chaos": "chaos", "fades": "fade"}


@dataclass(frozen=True, eq=False)
class OrbitFindings:
    """What an orbit of the outputs was found to do.

    Attributes
    ----------
    kind : str
        As in OrbitFate; "fades" of no neurons, when all have been left behind.
    rule : FastReduction
    states : ndarray, shape (m, d)
        Around the cycle, or the last ones of chaos; none where it is not known what the orbit does.
    cycle, distance, exponent, error
        As in OrbitFate.
    rest : OrbitFindings or None
        Of the neurons that were not left behind, where some were, in the limit in which those no longer answer.
    proved : int or None
        As in OrbitFate.
    """

    kind: str
    rule: FastReduction
    states: np.ndarray
    cycle: ResponseCycle | None = None
    distance: float = np.nan
    exponent: float = np.nan
    error: float = np.nan
    rest: OrbitFindings | None = None
    proved: int | None = None

    @property
    def end(self) -> OrbitFindings:
        """That of the neurons which are never left behind."""
        return self if self.rest is None else self.rest.end

    @property
    def exceptional(self) -> bool:
        """True if the orbit rests on what does not attract."""
        return self.cycle is not None and not self.cycle.radius < 1.0

    @property
    def outputs(self) -> str:
        """As in OrbitFate."""
        return OUTPUTS.get(self.end.kind, "undecided")

    @property
    def left(self) -> np.ndarray:
        """Which neurons are left behind."""
        return ~np.isin(self.rule.driven, self.end.rule.driven)
