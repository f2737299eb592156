"""Regions in which a proved point or tube has no other solution, for exclusion in boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bifurcate.errors import NotProved
from bifurcate.proofs.balls import Ball, ball, lower_bound, upper_bound
from bifurcate.proofs.evaluation import BallMap
from bifurcate.proofs.exclusion import KnownRegion
from bifurcate.proofs.jets import Undecided
from bifurcate.proofs.point_theorem import Certificate
from bifurcate.proofs.tubes import OVERLAP, Tube, prove_tube

__all__ = ["KnownSolution", "KnownTube", "fattened"]

GROWTH = (256.0, 64.0, 16.0, 4.0)  # factors by which the radii of a tube are tried to be enlarged, the largest first
LEAST_RADIUS = 1e-4  # in units of the weights: thin tubes are tried with this radius times the factors


@dataclass(frozen=True, eq=False)
class KnownSolution(KnownRegion):
    """About one point of a solution of f^k(x) = x: the states whose first k images lie in its ball of uniqueness.

    The ball is one of k states together, for the system of period k: about a fixed point it is smaller than the ball in
    which there is no other fixed point, since it holds no cycle of length k either.

    Attributes
    ----------
    ball_map : BallMap
    ball : Certificate
    period : int
        k.
    index : int
        Number of the point, from 0 to k − 1.
    """

    ball_map: BallMap
    ball: Certificate
    period: int
    index: int

    def covers(self, box: Sequence[Ball]) -> bool:
        """True if the known one is the only solution in a box of states."""
        n, k = len(box), self.period
        state = list(box)
        for step in range(k):
            at = ((self.index + step) % k) * n
            centre, weights = (each[at : at + n].tolist() for each in (self.ball.centre, self.ball.weights))
            apart = self.ball_map.reduced([x - ball(c) for x, c in zip(state, centre)])
            if not all(bool(abs(d) <= ball(self.ball.radius) * ball(w)) for d, w in zip(apart, weights)):
                return False
            if step < k - 1:
                try:
                    state = self.ball_map.image(state)
                except Undecided:
                    return False
        return True


@dataclass(frozen=True, eq=False)
class KnownTube(KnownRegion):
    """A tube of fixed points, about which there are no others."""

    tube: Tube

    def __post_init__(self) -> None:
        span = np.array([self.tube.start, self.tube.start + self.tube.chord])
        object.__setattr__(self, "_low", span.min(axis=0) - 2.0 * self.tube.radii)
        object.__setattr__(self, "_high", span.max(axis=0) + 2.0 * self.tube.radii)

    def covers(self, box: Sequence[Ball]) -> bool:
        """True if a box of states and the parameter lies inside the tube."""
        low, high = self._low, self._high  # type: ignore[attr-defined]
        if any(upper_bound(x) < a or lower_bound(x) > b for x, a, b in zip(box, low, high)):
            return False  # far away: decided in doubles, where nothing depends on rounding
        return self.tube.holds(box, -OVERLAP, 1.0 + OVERLAP)


def fattened(tube: Tube) -> Tube:
    """The same tube with radii as large as they can be proved, among a few: then larger boxes lie inside it."""
    least = np.maximum(tube.radii, LEAST_RADIUS * tube.curve.weights)
    for factor in GROWTH:
        try:
            return prove_tube(tube.curve, tube.start, tube.chord, radii=factor * least)
        except (NotProved, Undecided):
            continue
    return tube
