"""Proofs of branches: tubes glued end to end, halved until the multipliers in each are decided.

Two neighbouring tubes prove one arc if the narrow enclosure of the first one's end lies in the box of the second, at an
s within its overlap: by the uniqueness there it is a point of the second one's curve. A tube with no multiplier on the
circle has none of the special points. In a tube in which one multiplier may cross once, the counts at the two ends say
whether it does; the special point is then proved by its own system, and shown to be a point of the tube's curve. So
"exactly these special points" follows for every arc without gaps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import NotProved
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.progress import Progress
from bifurcate.progress_line import Report
from bifurcate.proofs.balls import precision
from bifurcate.proofs.branch_theorem import BranchTheorem, Gap, ProvedPiece
from bifurcate.proofs.cycle_systems import unit_of_state
from bifurcate.proofs.evaluation import BallMap, Subspace
from bifurcate.proofs.jets import Undecided
from bifurcate.proofs.pieces import BranchClaim, DecidedTube, assemble, glued_runs
from bifurcate.proofs.points import hypotheses
from bifurcate.proofs.tube_multipliers import multipliers_in
from bifurcate.proofs.tubes import CycleCurve, Tube, corrected, prove_tube, section

__all__ = ["decided", "prepare", "prove_branch"]

Vector = NDArray[np.float64]

# Where a piece is cut in two: off the middle, so that no cut falls on a special point of a symmetric piece for ever.
CUT = 0.48

# How often a piece between two points of the branch is cut: after 14 cuts it is 2e-5 of a step, and what is left open
# is a neighbourhood of a point where the curve is not regular.
MOST_CUTS = 14

# How far Newton's method at a fixed parameter may move a node at the end of a branch, in units of the weights: the
# corrector's tolerance. Beyond, the end lies near a fold, where the parameter cannot be kept.
END_MOVES = 1e-6

MOST_TUBES = 20_000  # of one branch: some minutes of work
LONGEST = 64  # points of the branch that one tube may pass over


@dataclass(eq=False)
class _Cover:
    """Covers a list of nodes with tubes; owns what it has found so far."""

    curve: CycleCurve
    tell: Callable[[float, int], None]
    proved: list[DecidedTube | Gap] = field(default_factory=list)
    count: int = 0

    def cover(self, nodes: Sequence[Vector]) -> None:
        """Go along the nodes with tubes as long as can be proved."""
        i, reach = 0, 1
        while i < len(nodes) - 1:
            reach = min(reach, len(nodes) - 1 - i)
            found = self._attempt(nodes[i], nodes[i + reach])
            if isinstance(found, DecidedTube):
                self.proved.append(found)
                i, reach = i + reach, min(2 * reach, LONGEST)
            elif reach > 1:
                reach = max(1, reach // 2)
            else:
                self._halve(nodes[i], nodes[i + 1], found, 0)
                i += 1

    def _attempt(self, a: Vector, b: Vector) -> DecidedTube | str:
        """A tube from a to b whose multipliers are decided, or why there is none."""
        self.count += 1
        self.tell(float(a[-1]), self.count)
        if self.count > MOST_TUBES:
            return f"the limit of {MOST_TUBES:,} tubes"
        try:
            tube = prove_tube(self.curve, a, b - a)
            return decided(tube)
        except (NotProved, Undecided) as error:
            return str(error)

    def _halve(self, a: Vector, b: Vector, reason: str, cuts: int) -> None:
        if cuts >= MOST_CUTS or self.count > MOST_TUBES:
            self._leave(a, b, reason)
            return
        t = (b - a) / self.curve.weights**2
        middle = corrected(self.curve, a + CUT * (b - a), t / float(np.max(np.abs(t))))
        s = float((t @ (middle - a)) / (t @ (b - a)))
        if not 0.1 < s < 0.9:
            self._leave(a, b, reason)
            return
        for c, d in ((a, middle), (middle, b)):
            found = self._attempt(c, d)
            if isinstance(found, DecidedTube):
                self.proved.append(found)
            else:
                self._halve(c, d, found, cuts + 1)

    def _leave(self, a: Vector, b: Vector, reason: str) -> None:
        low, high = sorted((float(a[-1]), float(b[-1])))
        last = self.proved[-1] if self.proved else None
        if isinstance(last, Gap) and last.reason == reason:
            self.proved[-1] = Gap(min(low, last.low), max(high, last.high), reason)
        else:
            self.proved.append(Gap(low, high, reason))


def decided(tube: Tube) -> DecidedTube | str:
    """A tube with its multipliers and its ends, or why the multipliers are not decided."""
    multipliers = multipliers_in(tube)
    if multipliers.reason:
        return multipliers.reason
    return DecidedTube(tube, multipliers, section(tube, 1.0))


def prove_branch(claim: BranchClaim, *, bits: int = 53, report: Report | None = None) -> BranchTheorem:
    """Prove a branch of cycles in one parameter, with all of its special points.

    Parameters
    ----------
    claim : BranchClaim
    bits : int
        Precision of the balls' midpoints.
    report : callable, optional
        Called with a record of every tube that is tried.

    Returns
    -------
    BranchTheorem
        With gaps where something was not proved; it has no piece if nothing was.
    """
    with precision(bits):
        curve, nodes = prepare(claim)

        def tell(value: float, count: int) -> None:
            if report is not None:
                report(Progress({**claim.parameters, claim.free: value}, count))

        cover = _Cover(curve, tell)
        cover.cover(nodes)
        pieces: list[ProvedPiece] = []
        gaps: list[Gap] = []
        for run in glued_runs(cover.proved, gaps):
            assemble(claim, curve, run, pieces, gaps, bits)
        return BranchTheorem(
            map=claim.map,
            parameters=claim.parameters,
            free=claim.free,
            period=claim.period,
            hypotheses=hypotheses(claim.map, curve.subspace),
            pieces=tuple(pieces),
            gaps=tuple(gaps),
            bits=bits,
            evaluations=curve.ball_map.evaluations[0],
        )


def prepare(claim: BranchClaim) -> tuple[CycleCurve, list[Vector]]:
    """The curve, and the nodes: the orbits of the branch's points, corrected."""
    shape = claim.states.shape[1:]
    ball_map = BallMap(claim.map, shape, claim.parameters, claim.free)
    subspace = claim.subspace or Subspace.whole(ball_map.size)
    iterate = IteratedMap(claim.map, shape, claim.period)
    first = {**claim.parameters, claim.free: float(claim.values[0])}
    ball_map.check(claim.states[0].ravel(), first)
    ball_map.check_subspace(subspace, subspace.coordinates(claim.states[0].ravel()), first)
    value_size = max(float(np.abs(claim.values).max()), float(np.ptp(claim.values)))
    curve = CycleCurve(
        ball_map, claim.period, subspace, unit_of_state(claim.map.scale, claim.states), value_size or 1.0
    )
    nodes: list[Vector] = []
    for state, value in zip(claim.states, claim.values.tolist()):
        with np.errstate(all="ignore"):
            orbit = iterate.orbit(state.ravel(), {**claim.parameters, claim.free: value})[:-1]
        if not np.isfinite(orbit).all():
            continue
        nodes.append(np.append(np.concatenate([subspace.coordinates(x) for x in orbit]), value))
    if len(nodes) < 2:
        raise NotProved("the branch has fewer than two points with finite orbits")
    return curve, _corrected_nodes(curve, nodes)


def _corrected_nodes(curve: CycleCurve, nodes: Sequence[Vector]) -> list[Vector]:
    """The nodes on the curve; those at the ends keep their parameter where they can: it is a bound of the branch."""
    at_parameter = np.zeros(curve.size + 1)
    at_parameter[-1] = 1.0
    found: list[Vector] = []
    for i, node in enumerate(nodes):
        is_end = i in (0, len(nodes) - 1)
        better = corrected(curve, node, at_parameter if is_end else None)
        moved = float(np.max(np.abs(better - node) / curve.weights))
        if is_end and not moved <= END_MOVES:
            better = corrected(curve, node)
        if not found or bool(np.any(better != found[-1])):
            found.append(better)
    return found
