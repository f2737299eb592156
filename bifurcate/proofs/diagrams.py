"""Proofs of diagrams: every branch, every special point, and in a box that there is nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput, NotProved
from bifurcate.progress_line import Report
from bifurcate.proofs.balls import precision
from bifurcate.proofs.branch_theorem import BranchTheorem
from bifurcate.proofs.branches import prove_branch
from bifurcate.proofs.diagram_theorem import DiagramTheorem
from bifurcate.proofs.evaluation import BallMap
from bifurcate.proofs.exclusion import MOST_UNKNOWNS, Exclusion, exclude
from bifurcate.proofs.jets import NotEvaluable, Undecided
from bifurcate.proofs.known_regions import KnownTube, fattened
from bifurcate.proofs.pieces import BranchClaim
from bifurcate.proofs.point_theorem import PointTheorem
from bifurcate.proofs.points import PointClaim, prove_special_point
from bifurcate.proofs.two_parameter_points import TwoParameterClaim, TwoParameterTheorem, prove_two_parameter_point

__all__ = ["exclude_beside", "prove_diagram"]

IN_SUBSPACE = 1e-9  # distance of a state from a declared subspace, in units of its size, up to which it belongs to it


def prove_diagram(
    branches: Sequence[BranchClaim | None],
    points: Sequence[PointClaim | TwoParameterClaim | str],
    names: Sequence[str],
    *,
    births: Mapping[int, str] | None = None,
    box: Any = None,
    bits: int = 53,
    report: Report | None = None,
) -> DiagramTheorem:
    """Prove all branches and all special points of a diagram.

    Parameters
    ----------
    branches : sequence of BranchClaim or None
        None where a branch is no claim.
    points : sequence of PointClaim, TwoParameterClaim or str
        Or the reason why a point is no claim.
    names : sequence of str
        Of the points, for the list of gaps.
    births : mapping of int to str, optional
        Of branches that start at a special point: what is left open between that point and their first one.
    box : array_like, shape (n + 1, 2), optional
        In which no other fixed points are to be shown.
    bits : int
    report : callable, optional
        Called with a record of every tube that is tried.
    """
    theorems: list[BranchTheorem | None] = []
    gaps: list[str] = [f"branch {i}: {reason}" for i, reason in (births or {}).items()]
    for i, claim in enumerate(branches):
        if claim is None:
            theorems.append(None)
            gaps.append(f"branch {i}: curves of special points are not proved")
            continue
        try:
            theorem = prove_branch(_in_its_subspace(claim), bits=bits, report=report)
        except (NotProved, NotEvaluable, Undecided) as error:
            theorems.append(None)
            gaps.append(f"branch {i}: {error}")
            continue
        theorems.append(theorem)
        gaps += [f"branch {i}, {gap}" for gap in theorem.gaps]
    known = [point for theorem in theorems if theorem is not None for point in theorem.special]
    proved: list[PointTheorem | TwoParameterTheorem | None] = []
    for point, name in zip(points, names):
        found = point if isinstance(point, str) else _proved_point(point, known, bits)
        proved.append(None if isinstance(found, str) else found)
        if isinstance(found, str):
            gaps.append(f"{name}: {found}")
    exclusion = None
    if box is not None:
        claim = next((each for each in branches if each is not None), None)
        if claim is None:
            raise InvalidInput("box needs a diagram with a branch of cycles")
        ball_map = BallMap(claim.map, claim.states.shape[1:], claim.parameters, claim.free)
        exclusion = exclude_beside([each for each in theorems if each is not None], ball_map, box, bits)
        gaps += [] if exclusion.complete else [f"{len(exclusion.undecided)} boxes are not decided"]
    return DiagramTheorem(tuple(theorems), tuple(proved), tuple(gaps), exclusion)


def _in_its_subspace(claim: BranchClaim) -> BranchClaim:
    """The claim without the declared subspace, if its states lie outside it."""
    if claim.subspace is None:
        return claim
    states = claim.states.reshape(len(claim.states), -1)
    size = max(float(np.abs(states).max()), claim.map.scale)
    inside = all(claim.subspace.contains(x, IN_SUBSPACE * size) for x in states)
    return claim if inside else dataclasses.replace(claim, subspace=None)


def _proved_point(
    claim: PointClaim | TwoParameterClaim, known: Sequence[PointTheorem], bits: int
) -> PointTheorem | TwoParameterTheorem | str:
    """The theorem about a point: one that its branch has, or its own."""
    if isinstance(claim, TwoParameterClaim):
        try:
            return prove_two_parameter_point(claim, bits=bits)
        except (NotProved, NotEvaluable, Undecided) as error:
            return str(error)
    if claim.subspace is not None:
        x = np.ravel(claim.state)
        if not claim.subspace.contains(x, IN_SUBSPACE * max(float(np.abs(x).max()), claim.map.scale)):
            claim = dataclasses.replace(claim, subspace=None)
    value = claim.parameters[claim.free] if claim.free is not None else 0.0
    for theorem in known:
        if (theorem.kind, theorem.period, theorem.free) != (claim.kind, claim.period, claim.free):
            continue
        near = theorem.parameter is not None and abs(theorem.parameter.middle - value) <= theorem.unique_parameter
        points = np.array([[each.middle for each in x] for x in theorem.states])
        apart = float(np.abs(points - np.ravel(claim.state)).max(axis=1).min())
        if near and apart <= theorem.unique_within:
            return theorem
    try:
        return prove_special_point(claim, bits=bits)
    except (NotProved, NotEvaluable, Undecided) as error:
        return str(error)


def exclude_beside(theorems: Sequence[BranchTheorem], ball_map: BallMap, box: Any, bits: int) -> Exclusion:
    """Show that a box of states and the parameter holds no fixed points but those of proved branches.

    Parameters
    ----------
    theorems : sequence of BranchTheorem
        Those about branches of fixed points count; their tubes are proved again, as wide as can be.
    ball_map : BallMap
        With a free parameter.
    box : array_like, shape (n + 1, 2)
    bits : int
        Precision of the balls' midpoints.

    Raises
    ------
    InvalidInput
        If the box does not fit, or the map has more than three unknowns.
    """
    n = ball_map.size
    corners = np.asarray(box, dtype=float)
    if corners.shape != (n + 1, 2) or not np.isfinite(corners).all() or not (corners[:, 0] < corners[:, 1]).all():
        raise InvalidInput(f"box must hold the {n} intervals of the state and that of {ball_map.free}, got {box!r}")
    if n > MOST_UNKNOWNS:
        raise InvalidInput(f"a box has at most {MOST_UNKNOWNS} unknowns; this map has {n}")
    with precision(bits):
        regions = [
            KnownTube(fattened(dataclasses.replace(tube, curve=dataclasses.replace(tube.curve, ball_map=ball_map))))
            for theorem in theorems
            if theorem.period == 1
            for piece in theorem.pieces
            for tube in piece.tubes
            if tube.curve.subspace.is_whole
        ]
        return exclude(ball_map, corners[:, 0], corners[:, 1], known=regions)
