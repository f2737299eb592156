"""What can go wrong, in the words that help: exception types, and the reasons for which a branch ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "BifurcateError",
    "InvalidInput",
    "NoEnergy",
    "NoSuchPoint",
    "NotConverged",
    "NotIsolated",
    "OutsideDomain",
    "Stop",
]


class BifurcateError(Exception):
    """Base of every exception that the package raises on purpose."""


class InvalidInput(BifurcateError, ValueError):
    """An argument is unusable; the message names it, says what was wrong and what is allowed."""


class OutsideDomain(InvalidInput):
    """A state lies outside the domain that its map declares (for the adaptation network: beyond a pole)."""


class NoSuchPoint(BifurcateError, LookupError):
    """A branch has no special point of the kind asked for; the message quotes why the branch ended."""


class NoEnergy(BifurcateError, ValueError):
    """A rule descends no energy of the kind asked for.

    Attributes
    ----------
    reason : str
        Why not.
    certificate : object
        What shows it, to be checked without trusting this package; None where the reason says all.
    """

    def __init__(self, reason: str, certificate: Any = None) -> None:
        self.reason = reason
        self.certificate = certificate
        super().__init__(reason)


class NotIsolated(BifurcateError, RuntimeError):
    """The solutions form a manifold, so that no single one can be found or continued by Newton's method."""


class NotConverged(BifurcateError, RuntimeError):
    """Newton's method did not reach its stopping inequality.

    Attributes
    ----------
    last : ndarray
        The last iterate, in the shape of the state.
    history : tuple of float
        The residual's maximum norm at every iterate, the start's first.
    advice : str
        What to try next.
    """

    def __init__(self, what: str, last: np.ndarray, history: tuple[float, ...], advice: str) -> None:
        self.last = last
        self.history = tuple(history)
        self.advice = advice
        trail = ", ".join(f"{r:.2e}" for r in self.history[-6:])
        super().__init__(f"{what} after {max(len(self.history) - 1, 0)} iterations (last residuals {trail}). {advice}")


_ADVICE = {
    "bound": "the branch reached the bound {detail} exactly",
    "closed": "the branch closed on its first point: it is a loop",
    "steps": "the number of steps asked for was taken ({detail}); raise StepControl.max_steps to go on",
    "stalled": "the corrector failed even at the smallest step ({detail}); a non-smooth point, a branch that ends, or "
    "derivatives that do not belong to the map are the likely causes. Try a smaller StepControl.smallest, "
    "check the map's jvp, or declare its domain",
    "domain": "the branch left the domain that the map declares ({detail})",
    "not-isolated": "the solutions stop being isolated here ({detail})",
    "escaped": "the state ran away ({detail}); raise StepControl.farthest to follow it further",
    "collapsed": "the cycle shrank onto a solution of a smaller period ({detail}); beyond it lies the same cycle, "
    "traversed half a period later",
    "interrupted": "interrupted by the user; all that was found so far is kept",
    "origin": "the branch was born here ({detail}) and is followed to one side only: the other is the same cycle, "
    "started at another of its points",
    "unfolded": "the points of this kind end here ({detail})",
    "singular": "the linear system could not be solved ({detail})",
}


@dataclass(frozen=True)
class Stop:
    """Why a branch ends, as data.

    Attributes
    ----------
    reason : str
        One word: "bound", "closed", "steps", "stalled", "domain", "not-isolated", "escaped", "collapsed",
        "interrupted", "origin", "unfolded" or "singular".
    detail : str
        The numbers that belong to it.
    """

    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return _ADVICE[self.reason].format(detail=self.detail)
