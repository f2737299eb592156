"""Attractors as sets of states: what they are, how far a state is from one, and where orbits cannot leave one again."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from bifurcate.newton.solve import Solution
from bifurcate.printing import number_text, short_repr

__all__ = [
    "INFINITY",
    "INTERRUPTED",
    "LEFT_THE_BOX",
    "OUTCOMES",
    "POLE",
    "UNDECIDED",
    "Attractor",
    "Kind",
    "Traps",
    "neighbours",
    "state_text",
]

Array = NDArray[np.float64]
Kind = Literal[
    "fixed point",
    "cycle",
    "closed curve",
    "chaotic set",
    "infinity",
    "pole",
    "left the box",
    "undecided",
    "interrupted",
]

# What becomes of an orbit that settles on no attractor; attractors are numbered from 0.
INFINITY, POLE, LEFT_THE_BOX, UNDECIDED, INTERRUPTED = -1, -2, -3, -4, -5
OUTCOMES: dict[int, Kind] = {
    INFINITY: "infinity",
    POLE: "pole",
    LEFT_THE_BOX: "left the box",
    UNDECIDED: "undecided",
    INTERRUPTED: "interrupted",
}


@dataclass(frozen=True, eq=False)
class Traps:
    """Ellipsoids around the states of a cycle, (x − c)ᵀ FᵀF (x − c) ≤ r², into which f^period maps them again.

    Attributes
    ----------
    centres : ndarray, shape (m, n)
    factors : ndarray, shape (m, n, n)
        F of each.
    radii : ndarray, shape (m,)
    """

    centres: Array
    factors: Array
    radii: Array

    __repr__ = short_repr

    @cached_property
    def inner(self) -> Array:
        """The radii of the largest balls inside, shape (m,)."""
        return np.asarray(self.radii / np.linalg.norm(self.factors, 2, axis=(1, 2)))


@dataclass(frozen=True, eq=False)
class Attractor:
    """What orbits settle on, or what else becomes of one.

    Attributes
    ----------
    kind : str
        "fixed point", "cycle", "closed curve" (or several that are visited in turn) or "chaotic set"; and, of one
        orbit that settles on nothing, "infinity", "pole", "left the box", "undecided" or "interrupted".
    states : ndarray, shape (m, *S)
        The states of the cycle, in their order; of other sets, successive states of one orbit on it.
    period : int
        The least period of a fixed point or cycle; 0 of anything else.
    exponent, error : float
        The largest Lyapunov exponent, per iteration, and its standard error: of cycles from their multipliers.
    resolution : float
        A distance: nearer than this a state counts as on the set.
    solution : Solution or None
        The fixed point or cycle, from Newton's method.
    note : str
        What is known beyond that, or why nothing is.
    traps : Traps or None
        Where orbits cannot leave a cycle again, as sampling has shown.
    """

    kind: Kind
    states: Array
    period: int = 0
    exponent: float = np.nan
    error: float = np.nan
    resolution: float = 0.0
    solution: Solution | None = None
    note: str = ""
    traps: Traps | None = field(default=None, repr=False)

    __repr__ = short_repr

    @property
    def is_attractor(self) -> bool:
        """False if it is no set of states, but says what else became of an orbit."""
        return self.kind in ("fixed point", "cycle", "closed curve", "chaotic set")

    def __str__(self) -> str:
        if not self.is_attractor:
            return f"{self.kind}: {self.note}" if self.note else self.kind
        words = f"cycle of period {self.period}" if self.kind == "cycle" else self.kind
        words += f" at {state_text(self.states[0])}" if self.period else f" of {len(self.states)} states"
        words += f", exponent {number_text(self.exponent, digits=4)}"
        words += "" if self.period else f" ± {self.error:.1g}"
        return f"{words}; {self.note}" if self.note else words


def state_text(state: NDArray[Any]) -> str:
    """A state's numbers, the first three of them.

    Examples
    --------
    >>> state_text(np.array([0.5, 1 / 3])), state_text(np.zeros((2, 2)))
    ('(0.5, 0.333333)', '(0, 0, 0, …)')
    """
    numbers = [f"{each:.6g}" for each in np.ravel(state)[:3]]
    return f"({', '.join(numbers)}{', …' if np.size(state) > len(numbers) else ''})"


def neighbours(states: Array, periods: Array | None) -> cKDTree:
    """A tree that finds the nearest of some states, shape (m, n); coordinates with a period go round."""
    if periods is None:
        return cKDTree(states)
    is_round = np.isfinite(periods)
    wrapped = np.where(is_round, np.mod(states, np.where(is_round, periods, 1.0)), states)
    return cKDTree(np.where(is_round & (wrapped >= periods), 0.0, wrapped), boxsize=np.where(is_round, periods, 0.0))
