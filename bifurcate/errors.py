"""Exception types, each with its data as attributes, and the reasons for which a branch ends, each with advice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BifurcateError",
    "InvalidInput",
    "MapFailed",
    "MapMissing",
    "NoEnergy",
    "NoSuchPoint",
    "NotConverged",
    "NotIsolated",
    "NotProved",
    "OutsideDomain",
    "Stop",
    "StopReason",
]


class BifurcateError(Exception):
    """Base of every exception that the package raises on purpose."""


class InvalidInput(BifurcateError, ValueError):
    """An argument is unusable; the message names the argument, what is wrong with it and what is allowed."""


class OutsideDomain(InvalidInput):
    """A state lies outside the domain that its map declares (for the adaptation network: beyond a pole)."""


class MapFailed(InvalidInput):
    """A map's function raised, or returned what no map returns; the message says at which parameters, in its words."""


class MapMissing(InvalidInput):
    """A result was loaded from a file without its map, and what was asked of it needs the map."""


class NoSuchPoint(BifurcateError, LookupError):
    """A branch has no special point of the kind asked for; the message quotes why the branch ended."""


class NoEnergy(BifurcateError, ValueError):
    """A rule descends no energy of the kind asked for.

    Attributes
    ----------
    reason : str
        Why not.
    certificate : object
        A proof that can be checked without trusting this package; None where the reason is proof enough.
    """

    def __init__(self, reason: str, certificate: Any = None) -> None:
        self.reason = reason
        self.certificate = certificate
        super().__init__(reason)


class NotProved(BifurcateError, ArithmeticError):
    """What was to be proved was not; the message says which inequality failed, and what may help."""


class NotIsolated(BifurcateError, RuntimeError):
    """The solutions form a manifold, so that no single one can be found or continued by Newton's method."""


class NotConverged(BifurcateError, RuntimeError):
    """Newton's method did not reach its stopping inequality.

    Attributes
    ----------
    what : str
        What went wrong.
    last : ndarray
        The last iterate, in the shape of the state.
    history : tuple of float
        The residual's maximum norm at every iterate, the first being that of the guess.
    advice : str
        What to try next.
    """

    def __init__(self, what: str, last: NDArray[np.float64], history: tuple[float, ...], advice: str) -> None:
        self.what = what
        self.last = last
        self.history = tuple(history)
        self.advice = advice
        trail = ", ".join(f"{r:.2e}" for r in self.history[-6:])
        super().__init__(f"{what} after {max(len(self.history) - 1, 0)} iterations (last residuals {trail}). {advice}")

    def __reduce__(self) -> tuple[Any, ...]:  # the message, which is all that Exception pickles, does not rebuild it
        return NotConverged, (self.what, self.last, self.history, self.advice)


StopReason = Literal[
    "bound",
    "closed",
    "event",
    "steps",
    "stalled",
    "domain",
    "failed",
    "not-isolated",
    "escaped",
    "collapsed",
    "interrupted",
    "origin",
    "unfolded",
    "singular",
    "unresolved",
]

# What each reason means, and what to do about it; {detail} are the numbers that belong to one branch.
_ADVICE: dict[StopReason, str] = {
    "bound": "the branch reached the bound {detail} exactly",
    "closed": "the branch closed on its first point: it is a loop",
    "event": "the branch was ended at the event {detail}, as asked for",
    "steps": "the number of steps asked for was taken ({detail}); raise StepControl.max_steps to go on",
    "stalled": "the corrector failed even at the smallest step ({detail}); a non-smooth point, a branch that ends, or "
    "derivatives that do not belong to the map are the likely causes. Try a smaller StepControl.smallest, "
    "check the map's jvp, or declare its domain",
    "domain": "the branch left the domain that the map declares ({detail})",
    "failed": "the map cannot be evaluated beyond this point ({detail}); if f has an edge there, declare the map's "
    "domain",
    "not-isolated": "the solutions stop being isolated here ({detail})",
    "escaped": "the state ran away ({detail}); raise StepControl.farthest to follow it further",
    "collapsed": "the cycle shrank onto a solution of a smaller period ({detail}); beyond it lies the same cycle, "
    "traversed half a period later",
    "interrupted": "interrupted by the user; all that was found so far is kept",
    "origin": "the branch was born here and is followed to one side only ({detail})",
    "unfolded": "the points of this kind end here ({detail})",
    "singular": "the linear system could not be solved ({detail})",
    "unresolved": "beyond this point a closed curve needs more modes than are allowed ({detail})",
}


@dataclass(frozen=True)
class Stop:
    """Why a branch ends, as data; ``str(stop)`` says it in a sentence, with advice.

    Attributes
    ----------
    reason : StopReason
        One word: "bound", "closed", "steps", "stalled", "domain", "failed", "not-isolated", "escaped",
        "collapsed", "interrupted", "origin", "unfolded", "singular" or "unresolved".
    detail : str
        The numbers that belong to it.

    Raises
    ------
    InvalidInput
        If the reason is none of these.

    Examples
    --------
    >>> print(Stop("bound", "r = 4"))
    the branch reached the bound r = 4 exactly
    """

    reason: StopReason
    detail: str = ""

    def __post_init__(self) -> None:
        if self.reason not in _ADVICE:
            raise InvalidInput(f"reason is {self.reason!r}; allowed are {', '.join(_ADVICE)}")

    def __str__(self) -> str:
        return _ADVICE[self.reason].format(detail=self.detail)
