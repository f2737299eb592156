"""Pieces of a branch from its tubes: what is glued, and the special points in it, each proved by its own system."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import NotProved
from bifurcate.maps.map import Map
from bifurcate.proofs.balls import Ball, Enclosure, ball, lower_bound, nearest, nearest_matrix, upper_bound
from bifurcate.proofs.branch_theorem import Gap, ProvedPiece
from bifurcate.proofs.evaluation import Subspace
from bifurcate.proofs.jets import Undecided
from bifurcate.proofs.multiplier_discs import count_outside, multiplier_discs
from bifurcate.proofs.normal_form_balls import cycle_jacobian
from bifurcate.proofs.point_theorem import PointTheorem
from bifurcate.proofs.points import PointClaim, prove_special_point
from bifurcate.proofs.tube_multipliers import Crossing, TubeMultipliers
from bifurcate.proofs.tubes import OVERLAP, CycleCurve, Tube, corrected, section

__all__ = ["BranchClaim", "DecidedTube", "assemble", "glued_runs"]

Vector = NDArray[np.float64]

BISECTIONS = 8  # halvings of a tube in search of a critical multiplier: Newton's method goes on from there


@dataclass(frozen=True, eq=False)
class BranchClaim:
    """A branch that is to be proved.

    Attributes
    ----------
    map : Map
    parameters : mapping of str to float
    free : str
    period : int
    states : ndarray, shape (points, *state's shape)
    values : ndarray, shape (points,)
        Of the free parameter.
    subspace : Subspace or None
    """

    map: Map
    parameters: dict[str, float]
    free: str
    period: int
    states: Vector
    values: Vector
    subspace: Subspace | None = None


@dataclass(frozen=True, eq=False)
class DecidedTube:
    """A tube with its multipliers and with a narrow enclosure of its end."""

    tube: Tube
    multipliers: TubeMultipliers
    last: list[Ball]

    @cached_property
    def first(self) -> list[Ball]:
        """A narrow enclosure of its beginning; asked for where an arc begins."""
        return section(self.tube, 0.0)


def glued_runs(proved: Sequence[DecidedTube | Gap], gaps: list[Gap]) -> list[list[DecidedTube]]:
    """Lists of tubes that are glued end to end; gaps go to the list given."""
    runs: list[list[DecidedTube]] = []
    previous: DecidedTube | None = None
    for each in proved:
        if isinstance(each, Gap):
            gaps.append(each)
            previous = None
            continue
        if previous is not None and each.tube.holds(previous.last, -OVERLAP, OVERLAP):
            runs[-1].append(each)
        else:
            if previous is not None:
                at = float(each.tube.start[-1])
                gaps.append(Gap(at, at, "two neighbouring tubes are not shown to hold one arc"))
            runs.append([each])
        previous = each
    return runs


def _count_at(curve: CycleCurve, u: Sequence[Ball]) -> int | None:
    """How many multipliers lie outside the circle at a point of the curve."""
    return count_outside(multiplier_discs(cycle_jacobian(curve.ball_map, curve.points(u), u[-1])))


def assemble(
    claim: BranchClaim,
    curve: CycleCurve,
    run: Sequence[DecidedTube],
    pieces: list[ProvedPiece],
    gaps: list[Gap],
    bits: int,
) -> None:
    """Find the special points of a run of glued tubes; cut it into pieces where one cannot be proved.

    Parameters
    ----------
    claim : BranchClaim
    curve : CycleCurve
    run : sequence of DecidedTube
    pieces, gaps : list
        To which what is found is added.
    bits : int
    """
    tubes: list[DecidedTube] = []
    special: list[PointTheorem] = []
    before = run[0].multipliers.outside if run[0].multipliers.outside is not None else _count_at(curve, run[0].first)
    outside: list[int] = [] if before is None else [before]

    def close() -> None:
        if tubes and outside:
            pieces.append(_piece(tubes, special, outside))
        for each in (tubes, special, outside):
            each.clear()

    for each in run:
        now = each.multipliers.outside if each.multipliers.outside is not None else _count_at(curve, each.last)
        crossing = each.multipliers.crossing
        reason = "" if before is not None and now is not None else "a multiplier is on the circle where two tubes meet"
        point: PointTheorem | None = None
        if not reason and crossing is not None and now != before:
            found = _special_point(claim, curve, each, crossing, bits)
            point, reason = (found, "") if isinstance(found, PointTheorem) else (None, found)
        if reason:
            low, high = sorted((float(each.tube.start[-1]), float((each.tube.start + each.tube.chord)[-1])))
            gaps.append(Gap(low, high, reason))
            close()
            outside[:] = [] if now is None else [now]
        else:
            tubes.append(each)
            if point is not None and now is not None:
                special.append(point)
                outside.append(now)
        before = now
    close()


def _piece(tubes: Sequence[DecidedTube], special: Sequence[PointTheorem], outside: Sequence[int]) -> ProvedPiece:
    values = [each.tube.box()[-1] for each in tubes]
    return ProvedPiece(
        tubes=tuple(each.tube for each in tubes),
        first=Enclosure.of(tubes[0].first[-1]),
        last=Enclosure.of(tubes[-1].last[-1]),
        low=min(lower_bound(each) for each in values),
        high=max(upper_bound(each) for each in values),
        special=tuple(special),
        outside=tuple(outside),
    )


def _special_point(
    claim: BranchClaim, curve: CycleCurve, each: DecidedTube, crossing: Crossing, bits: int
) -> PointTheorem | str:
    """The special point at which a multiplier crosses in a tube, or why it is not proved."""
    u, multiplier = _estimate(curve, each, crossing)
    n = curve.ball_map.size
    state = np.array([nearest(x) for x in curve.points([ball(v) for v in u])[0]])
    kind = crossing.kind
    if kind == "fold" and not curve.subspace.is_whole:
        kind = "branch point" if _leaves(curve, u) else "fold"
    point = PointClaim(
        kind=kind,
        map=claim.map,
        parameters={**claim.parameters, claim.free: float(u[-1])},
        free=claim.free,
        period=claim.period,
        state=state.reshape(curve.ball_map.shape) if n else state,
        angle=abs(float(np.angle(multiplier))),
        subspace=claim.subspace,
    )
    try:
        theorem = prove_special_point(point, bits=bits, reach=np.inf)
    except (NotProved, Undecided) as error:
        return f"a {crossing.kind} is met, but not proved by its own system: {error}"
    size = curve.size
    zero = theorem.certificate
    box = [ball(c, e) for c, e in zip(zero.centre[: size + 1], theorem.errors)]
    if not each.tube.holds(box):
        return f"a multiplier crosses the circle, and the {kind} that was proved is not shown to be the place"
    return theorem


def _estimate(curve: CycleCurve, each: DecidedTube, crossing: Crossing) -> tuple[Vector, complex]:
    """Where in a tube a multiplier is critical: regula falsi on its modulus, in doubles."""
    tube = each.tube
    low, high = 0.0, 1.0
    here, multiplier = tube.start, crossing.multiplier
    target = multiplier

    def at(s: float) -> tuple[Vector, complex]:
        u = corrected(curve, tube.start + s * tube.chord, tube.normal)
        points = curve.points([ball(v) for v in u])
        J = np.array(
            [[nearest(x) for x in row] for row in cycle_jacobian(curve.ball_map, points, ball(u[-1])).tolist()]
        )
        values = np.linalg.eigvals(J)
        return u, complex(values[np.argmin(np.abs(values - target))])

    for _ in range(BISECTIONS):
        s = 0.5 * (low + high)
        here, multiplier = at(s)
        if (abs(multiplier) > 1.0) == crossing.outwards:
            high = s
        else:
            low = s
    return here, multiplier


def _leaves(curve: CycleCurve, u: Vector) -> bool:
    """True if the critical vector at u does not belong to the subspace: +1 is a branch point's then, and no fold's."""
    points = curve.points([ball(v) for v in u])
    J = nearest_matrix(cycle_jacobian(curve.ball_map, points, ball(u[-1])))
    _, _, V = np.linalg.svd(J - np.eye(len(J)))
    S = curve.subspace.basis
    v = V[-1]
    inside = S @ np.linalg.lstsq(S, v, rcond=None)[0] if S.shape[1] else np.zeros_like(v)
    return bool(np.linalg.norm(v - inside) > 0.5)
