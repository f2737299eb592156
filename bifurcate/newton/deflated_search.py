"""A search for solutions at fixed parameters, each attempt of which stays away from those that are known."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bifurcate.deprecation import warn_old_name
from bifurcate.errors import MapFailed, NotConverged, NotIsolated, OutsideDomain
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import shortest
from bifurcate.newton.deflation_operator import Deflation
from bifurcate.newton.newton import Newton
from bifurcate.newton.newton_krylov import NewtonKrylov
from bifurcate.newton.solve import Solution, solve

__all__ = ["DeflatedSearch", "FailedAttempt"]

Vector = NDArray[np.float64]

# Solutions closer than this (root mean square, in units of their size) are one: far above what Newton's method leaves
# at a simple solution (1e-11), and about what it leaves at a double one.
SAME_SOLUTION = 1e-6
# A guess that is a known solution is moved by this much, in the same units: there the deflated equations are undefined.
MOVED_GUESS = 1e-2


@dataclass(frozen=True)
class FailedAttempt:
    """A deflated solve that ended without a new solution.

    Attributes
    ----------
    guess : int
        Which of the guesses, counted from 0.
    known : int
        How many solutions were deflated.
    reason : str
        Why it ended, in words.
    where : str
        At which parameter value, in a deflated continuation.
    """

    guess: int
    known: int
    reason: str
    where: str = ""

    @property
    def start(self) -> int:
        """Old name of ``guess``."""
        warn_old_name("FailedAttempt.start", "FailedAttempt.guess")
        return self.guess


@dataclass(eq=False)
class DeflatedSearch:
    """A search for solutions at fixed parameters, which grows its list of known solutions as it finds them.

    Attributes
    ----------
    map : Map
        f, with its parameters.
    shape : tuple of int
        The state's shape.
    period : int
        k of f^k(x) = x.
    method : Newton or NewtonKrylov or None
        As for :func:`solve`.
    power : float
        How strongly solutions repel.
    known : list of ndarray
        All points of the cycles found so far.
    cycles : int
        How many cycles these are.
    unusable : set of int
        Numbers of guesses from which no attempt can begin.
    has_manifold : bool
        True once a solution was found that is one of a manifold: no other one of such is returned.
    """

    map: Map
    shape: tuple[int, ...]
    period: int
    method: Newton | NewtonKrylov | None
    power: float
    known: list[Vector] = field(default_factory=list)
    cycles: int = 0
    unusable: set[int] = field(default_factory=set)
    has_manifold: bool = False
    _away: tuple[Deflation, Deflation] | None = None

    def add(self, x: Vector) -> None:
        """Add all points of the cycle through a state to the known ones."""
        orbit, least = self._cycle(x)
        self.known += [y.reshape(self.shape) for y in orbit[:least]]
        self.cycles += 1

    def is_known(self, x: Vector) -> bool:
        """True if a state is one of the known points."""
        if not self.known:
            return False
        away = self.away(True)
        apart = shortest(x.reshape(-1) - away.rows, self.map.periods)
        sizes = np.sqrt(np.mean(apart**2, axis=1))
        return bool((sizes < SAME_SOLUTION * np.maximum(self.map.scale, away.sizes)).any())

    def away(self, monotone: bool) -> Deflation:
        """What attempts stay away from; the same object until another solution is known."""
        if self._away is None or len(self._away[0].known) != len(self.known):
            first = Deflation(tuple(self.known), self.power)
            self._away = first, dataclasses.replace(first, monotone=False)
        return self._away[0 if monotone else 1]

    def moved(self, guess: Vector) -> Vector:
        """A guess at which the deflated equations are defined: moved a little if it is a known solution."""
        if not self.is_known(guess):
            return guess
        direction = np.random.default_rng(len(self.known)).standard_normal(self.shape)
        return guess + MOVED_GUESS * self._unit(guess) * direction

    def find(self, guess: Vector, number: int) -> Solution | FailedAttempt:
        """A new solution, which is added to the known ones, or why there is none from guess ``number``."""
        found, state = self.search(guess, number)
        if state is not None:
            self.add(state)
        return found

    def search(self, guess: Vector, number: int) -> tuple[Solution | FailedAttempt, Vector | None]:
        """A new solution and the state to add to the known ones, or why there is none from guess ``number``."""
        guess = self.moved(guess)
        reason = ""
        for monotone in (True, False):
            try:
                found = solve(self.map, guess, period=self.period, method=self.method, deflation=self.away(monotone))
            except NotConverged as error:
                reason = reason or error.what
                continue
            except NotIsolated as error:
                return FailedAttempt(number, self.cycles, str(error)), None
            except (MapFailed, OutsideDomain) as error:  # at the guess itself: another attempt would end likewise
                self.unusable.add(number)
                return FailedAttempt(number, self.cycles, str(error)), None
            if found.manifold is not None:
                if self.has_manifold:
                    words = f"another solution of a manifold was found: {found.note}"
                    return FailedAttempt(number, self.cycles, words), None
                self.has_manifold = True
            if self.is_known(found.state):
                reason = "Newton's method came back to a known solution, which must be a multiple one"
                continue
            return found, found.state
        return FailedAttempt(number, self.cycles, reason), None

    def _unit(self, r: Vector) -> float:
        return max(self.map.scale, float(np.sqrt(np.mean(r**2))))

    def _cycle(self, x: Vector) -> tuple[list[Vector], int]:
        """The orbit x, f(x), …, f^k(x) of a solution, and its least period."""
        iterate = IteratedMap(self.map, self.shape, self.period)
        orbit = iterate.orbit(x.reshape(-1), self.map.parameters)
        return orbit, iterate.least_period(orbit, SAME_SOLUTION)
