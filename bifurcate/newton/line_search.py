"""Line search: the longest of a Newton step's halves that lowers the residual inside the map's domain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.newton.deflation_operator import Deflation

__all__ = ["FAILS_ADVICE", "Iterate", "StepFailure", "evaluate", "search_step"]

Vector = NDArray[np.float64]

# Armijo's condition asks a step t δ to lower the norm by the factor 1 − 10⁻⁴ t, the usual choice (Kelley 2003, 1.6):
# so little that every useful step passes, yet a sequence of steps cannot stop short of a solution.
ARMIJO = 1e-4


class Iterate(NamedTuple):
    """A state of Newton's iteration.

    Attributes
    ----------
    x : ndarray, shape (n,)
        The state.
    orbit : list of ndarray
        x, f(x), …, f^k(x).
    residual : ndarray, shape (n,)
        F = f^k(x) − x.
    norm : float
        ‖F‖₂.
    """

    x: Vector
    orbit: list[Vector]
    residual: Vector
    norm: float

    @property
    def largest(self) -> float:
        """‖F‖_∞."""
        return float(np.abs(self.residual).max())


@dataclass(frozen=True)
class StepFailure:
    """Why no part of a step was taken.

    Attributes
    ----------
    what : str
        What went wrong.
    advice : str
        What to try next.
    """

    what: str
    advice: str


LEAVES_DOMAIN = StepFailure(
    "every step would leave the map's domain",
    "A pole stands between the guess and where Newton wants to go: guess on the other side of it, or nearer.",
)
FAILS_ADVICE = "f fails where Newton's method wants to go: guess nearer to a solution, or declare the map's domain."
NOT_FINITE = StepFailure("f returns NaN or infinity wherever a step leads", FAILS_ADVICE)
NO_DESCENT = StepFailure(
    "no step made the residual fall",
    "The guess may sit in a valley without a solution, or the derivatives may not belong to the map: "
    "try another guess, or check jvp.",
)


def evaluate(x: Vector, orbit: list[Vector]) -> Iterate:
    """The iterate at a state whose orbit is known."""
    residual = orbit[-1] - x
    return Iterate(x, orbit, residual, math.sqrt(float(residual @ residual)))


def search_step(
    iterate: IteratedMap, here: Iterate, step: Vector, max_halvings: int, deflation: Deflation
) -> Iterate | StepFailure:
    """The first of x + δ, x + δ/2, x + δ/4, … that lies in the domain and lowers ‖M F‖₂ by Armijo's condition.

    Where the deflation is not monotone the first one in the domain is taken.

    Parameters
    ----------
    iterate : IteratedMap
        f^k.
    here : Iterate
        Where the step starts.
    step : ndarray, shape (n,)
        δ.
    max_halvings : int
        Halvings after which the step has failed.
    deflation : Deflation
        M.
    """
    if not np.isfinite(step).all():
        return NO_DESCENT
    p, scale, periods = iterate.map.parameters, iterate.map.scale, iterate.map.periods
    level = deflation.log_factor(iterate.first_state(here.x), scale, periods)
    t, failure = 1.0, NO_DESCENT
    for _ in range(max_halvings + 1):
        x = here.x + t * step
        try:
            orbit = iterate.orbit(x, p)
            margin = iterate.margin(orbit, p)
        except MapFailed as error:
            margin, failure = -np.inf, StepFailure(str(error), FAILS_ADVICE)
        else:
            failure = LEAVES_DOMAIN if iterate.map.domain is not None else NOT_FINITE
        if margin > 0:
            failure = NO_DESCENT
            weight, trial = (
                np.exp(deflation.log_factor(iterate.first_state(x), scale, periods) - level),
                evaluate(x, orbit),
            )
            if not deflation.monotone or weight * trial.norm <= (1.0 - ARMIJO * t) * here.norm:
                return trial
        t *= 0.5
    return failure
