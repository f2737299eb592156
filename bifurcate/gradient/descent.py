"""An energy of the flow is not yet one of the map: how long may a step be?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.deprecation import old_positions
from bifurcate.errors import InvalidInput, OutsideDomain
from bifurcate.gradient.field import EPS, Field, above, checked
from bifurcate.gradient.line_integrals import LineIntegralEnergy
from bifurcate.maps.map import Map
from bifurcate.validation import check_callable

__all__ = ["LargestStep", "largest_step"]

LONGEST_LIMIT = 2.0**500  # steps that are tried at the most: longer ones leave the range of numbers
FIRST, PER_OCTAVE = 2.0**-10, 8  # the shortest step tried, and how densely longer ones are
AT_REST = 1e-9  # |G| up to this part of max(scale, |x|) counts as rest: a step from there shows rounding, no descent
FINE = 1e-9  # relative width to which the step is bisected


@dataclass(frozen=True, eq=False)
class LargestStep:
    """Up to which step h the update x + h G(x) decreases an energy.

    Attributes
    ----------
    step : float
        E(x + h G(x)) < E(x) for all h tried in (0, step), at every state tested; h = 1 is the map itself. 0 if the
        shortest step tried, 2⁻¹⁰, increases E somewhere.
    state : ndarray or None
        Where it stops to decrease first; None if it does nowhere up to ``step``, which then is the limit of the test.
    reason : str
        "increases" or "domain" (E is not known beyond), or "limit".
    tested : int
        States tested; left out are those at rest, |G| ≤ 1e-9 · max(scale, |x|), and those so near it that rounding
        hides every change of E.
    """

    step: float
    state: np.ndarray | None
    reason: str
    tested: int

    def __str__(self) -> str:
        return f"E decreases for steps h < {self.step:.6g} at {self.tested} states ({self.reason})"


@old_positions("limit")
def largest_step(map: Map, energy: Callable[[Any], float], states: Any, *, limit: float = 16.0) -> LargestStep:
    """The largest step for which an energy of the flow ẋ = G(x) still decreases along x ↦ x + h G(x), measured.

    At every state h runs over a grid of eight values an octave from 2⁻¹⁰; where E first fails to decrease, h is found
    to a relative 1e-9 by bisection. An increase that begins and ends between two values of the grid is not seen.

    Parameters
    ----------
    map : Map
        x ↦ x + G(x).
    energy : callable
        E; one that was reconstructed here is integrated over the step alone, any other is evaluated at both ends.
    states : sequence of array_like
        Where to test: points of an orbit, or a sample.
    limit : float
        The longest step that is tried, > 2⁻¹⁰.

    Returns
    -------
    LargestStep

    Raises
    ------
    InvalidInput
        If an argument is unusable or all states are at rest.

    Examples
    --------
    >>> found = largest_step(Map(lambda x: 0.5 * x, {}), lambda x: float(x @ x), [[1.0], [2.0]])
    >>> round(found.step, 6), found.reason  # |1 − h/2| < 1
    (4.0, 'increases')
    """
    field, X = checked(map, states)
    if not callable(energy):
        raise InvalidInput(f"energy must be callable as energy(x), got {type(energy).__name__}")
    check_callable("energy", energy, "energy(x)")
    limit = min(above("limit", limit, FIRST), LONGEST_LIMIT)
    moving = [x for x in X if np.abs(field(x)).max() > AT_REST * max(field.scale, float(np.abs(x).max()))]
    if not moving:
        raise InvalidInput("states are all equilibria, where no step changes anything; give states that move")
    step, state, reason, tested = limit, None, "limit", 0
    grid = FIRST * 2.0 ** (np.arange(PER_OCTAVE * np.log2(limit / FIRST)) / PER_OCTAVE)
    for x in moving:
        found, why = _first_rise(field, energy, x, [*grid[grid < step].tolist(), step])
        tested += why != "unclear"
        if found < step:
            step, state, reason = found, x.reshape(field.shape), why
        if step == 0.0:
            break
    if tested == 0:
        raise InvalidInput("states are all so near rest that rounding hides every change of the energy")
    return LargestStep(step, state, reason, tested)


def _first_rise(field: Field, energy: Callable[[Any], float], x: np.ndarray, steps: list[float]) -> tuple[float, str]:
    """The first h up to the last of ``steps`` at which E does not fall, and why; "unclear" if rounding hides all."""
    G, start = field(x), x.reshape(field.shape)
    here = 0.0 if isinstance(energy, LineIntegralEnergy) else _value(energy, start)

    def change(h: float) -> tuple[float, str]:
        """By how much E clearly changes: 0 where rounding hides it."""
        y = x + h * G
        try:
            if not field.inside(y):
                return np.inf, "domain"
            if isinstance(energy, LineIntegralEnergy):
                value, error = energy.change(start, y)
            else:
                there = _value(energy, y.reshape(field.shape))
                value, error = there - here, 8.0 * EPS * (abs(there) + abs(here))
        except OutsideDomain:
            return np.inf, "domain"
        if not np.isfinite(value):
            return np.inf, "domain"
        return (value if abs(value) > error else 0.0), "increases"

    low, clear = 0.0, False
    for h in steps:
        value, why = change(h)
        if value > 0.0:
            break
        low, clear = h, clear or value < 0.0
    else:
        return low, "limit" if clear else "unclear"
    while h - low > FINE * h and low > 0.0:
        middle = 0.5 * (low + h)
        value, reason = change(middle)
        low, h, why = (low, middle, reason) if value > 0.0 else (middle, h, why)
    return low, why


def _value(energy: Callable[[Any], float], x: np.ndarray) -> float:
    value = energy(x)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        shape = f" of shape {np.shape(value)}" if np.ndim(value) else ""
        raise InvalidInput(f"energy must return a number, got {type(value).__name__}{shape}") from error
