"""All cycles of a period in a box, at fixed parameters: those known are proved, and there is nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput, NotProved
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.proofs.balls import precision
from bifurcate.proofs.evaluation import BallMap
from bifurcate.proofs.exclusion import MOST_BOXES, MOST_UNKNOWNS, Exclusion, exclude
from bifurcate.proofs.jets import Undecided
from bifurcate.proofs.known_regions import KnownSolution
from bifurcate.proofs.point_theorem import PointTheorem
from bifurcate.proofs.points import PointClaim, prove_cycle, region_of_solution
from bifurcate.validation import check_instance, check_period

__all__ = ["AllCycles", "prove_all_cycles"]


@dataclass(frozen=True, eq=False)
class AllCycles:
    """What is proved about the solutions of f^k(x) = x in a box.

    Attributes
    ----------
    map : Map
    theorems : tuple of PointTheorem
        For the known cycles that were proved.
    exclusion : Exclusion
        That there is no other one, or where one may be.
    gaps : tuple of str
        Known cycles that were not proved, with reasons, and what is left of the box.
    bits : int
    """

    map: Map
    theorems: tuple[PointTheorem, ...]
    exclusion: Exclusion
    gaps: tuple[str, ...]
    bits: int = 53

    @property
    def complete(self) -> bool:
        """True if it is proved that the known cycles are all of those in the box."""
        return not self.gaps

    def __str__(self) -> str:
        return "\n".join([*map(str, self.theorems), str(self.exclusion), *(f"Not proved: {gap}." for gap in self.gaps)])


def prove_all_cycles(
    map: Map, period: int, box: Any, known: Sequence[Any], *, bits: int = 53, most_boxes: int = MOST_BOXES
) -> AllCycles:
    """Prove that the known cycles are all solutions of f^k(x) = x in a box.

    Parameters
    ----------
    map : Map
        With up to three unknowns, at its own parameters.
    period : int
        k: cycles whose least period divides k are solutions, too.
    box : array_like, shape (n, 2)
        Intervals of the state's entries.
    known : sequence of array_like
        A state of each cycle.
    bits : int
        Precision of the balls' midpoints.
    most_boxes : int
        Parts of the box that are examined at most.

    Raises
    ------
    InvalidInput
        If the box does not fit.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = prove_all_cycles(bf.maps.logistic(r=3.2), 2, [(-0.5, 1.5)], [[0.0], [0.6875], [0.513]])
    >>> found.complete, [theorem.period for theorem in found.theorems]
    (True, [1, 1, 2])
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    corners = np.asarray(box, dtype=float)
    if corners.ndim != 2 or corners.shape[1] != 2 or not (corners[:, 0] < corners[:, 1]).all():
        raise InvalidInput(f"box must hold an interval for each of the state's numbers, got {box!r}")
    if len(corners) > MOST_UNKNOWNS:
        raise InvalidInput(f"a box has at most {MOST_UNKNOWNS} unknowns; this one has {len(corners)}")
    k = check_period(period)
    theorems: list[PointTheorem] = []
    gaps: list[str] = []
    regions: list[KnownSolution] = []
    shape = np.shape(known[0]) if len(known) else (len(corners),)
    with precision(bits):
        ball_map = BallMap(map, shape, map.parameters)
        for each in known:
            state = np.asarray(each, dtype=float)
            claim = PointClaim("cycle", map, dict(map.parameters), None, k, state)
            try:
                theorems.append(_proved(claim, bits))
                region = region_of_solution(claim)
                regions += [KnownSolution(ball_map, region, k, i) for i in range(k)]
            except (NotProved, Undecided) as error:
                gaps.append(f"the known cycle at {state.ravel()}: {error}")
        exclusion = exclude(ball_map, corners[:, 0], corners[:, 1], period=k, known=regions, most_boxes=most_boxes)
    if not exclusion.complete:
        gaps.append(f"{len(exclusion.undecided)} parts of the box are not decided")
    return AllCycles(map, tuple(theorems), exclusion, tuple(gaps), bits)


def _proved(claim: PointClaim, bits: int) -> PointTheorem:
    """The theorem about a cycle of least period k or of a divisor of it."""
    shape = np.shape(claim.state)
    iterate = IteratedMap(claim.map, shape, claim.period)
    period = iterate.least_period(iterate.orbit(np.ravel(claim.state), claim.parameters))
    return prove_cycle(dataclasses.replace(claim, period=period), bits=bits)
