"""A theorem proved again from its numbers: on another machine, at another precision, or to find that it is false.

Nothing is searched for. The ball of a point, the chords and radii of tubes are taken from the theorem; every inequality
is decided anew, with more bits than before, and what is proved then must lie within what the theorem says. The discs of
multipliers are computed afresh: their counts are compared, and each must meet the theorem's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput, NotProved
from bifurcate.maps.map import Map
from bifurcate.proofs.all_cycles import AllCycles, prove_all_cycles
from bifurcate.proofs.balls import Enclosure, lower_bound, precision, upper_bound
from bifurcate.proofs.branch_theorem import BranchTheorem, Gap, ProvedPiece
from bifurcate.proofs.branches import decided
from bifurcate.proofs.cycle_systems import CRITICAL
from bifurcate.proofs.diagram_theorem import DiagramTheorem
from bifurcate.proofs.diagrams import exclude_beside
from bifurcate.proofs.evaluation import BallMap, Subspace
from bifurcate.proofs.exclusion import Exclusion
from bifurcate.proofs.jets import Undecided
from bifurcate.proofs.multiplier_discs import Disc
from bifurcate.proofs.network_theorem import NetworkTheorem
from bifurcate.proofs.pieces import BranchClaim, assemble, glued_runs
from bifurcate.proofs.point_theorem import PointTheorem
from bifurcate.proofs.points import PointClaim, prove_cycle, prove_special_point
from bifurcate.proofs.tubes import CycleCurve, prove_tube
from bifurcate.proofs.two_parameter_points import TwoParameterClaim, TwoParameterTheorem, prove_two_parameter_point
from bifurcate.proofs.two_parameter_systems import TWO_PARAMETER_KINDS

__all__ = ["check_theorem", "theorems_in"]

# Bits beyond the theorem's: then the new enclosures are far narrower than the stated ones, and a true statement is not
# refused for the last digit.
MORE_BITS = 64


def check_theorem(
    theorem: PointTheorem | TwoParameterTheorem | BranchTheorem | DiagramTheorem | AllCycles, map: Map | None = None
) -> None:
    """Prove a theorem again, as it is stated.

    Parameters
    ----------
    theorem : PointTheorem, TwoParameterTheorem, BranchTheorem, DiagramTheorem or AllCycles
        Of a diagram and of all cycles in a box, every part is proved again, and the box is halved anew.
    map : Map, optional
        The map that it is about, where it is not the one that the theorem holds.

    Raises
    ------
    NotProved
        If a part of the statement is not proved; the message names it.

    Examples
    --------
    >>> import bifurcate as bf
    >>> logistic = bf.Map(lambda x, r: r * x * (1 - x), {"r": 2.9})
    >>> theorem = bf.prove(bf.special_point(logistic, "flip", free="r", guess=[0.66]))
    >>> check_theorem(theorem, logistic)
    >>> check_theorem(theorem, bf.Map(lambda x, r: r * x * (1 - x) + 1e-9, {"r": 2.9}))
    Traceback (most recent call last):
    bifurcate.errors.NotProved: the theorem's parameter is not proved again: 3.0 ± 1.8e-15
    """
    if isinstance(theorem, TwoParameterTheorem):
        _check_two_parameter_point(theorem, theorem.map if map is None else map)
    elif isinstance(theorem, PointTheorem):
        _check_point(theorem, theorem.map if map is None else map)
    elif isinstance(theorem, BranchTheorem):
        with precision(theorem.bits + MORE_BITS):
            for piece in theorem.pieces:
                _check_piece(theorem, piece, theorem.map if map is None else map)
    elif isinstance(theorem, DiagramTheorem):
        _check_diagram(theorem, map)
    elif isinstance(theorem, AllCycles):
        _check_all_cycles(theorem, theorem.map if map is None else map)
    else:
        raise InvalidInput(f"theorem is a {type(theorem).__name__}; theorems can be checked")


def theorems_in(result: Any) -> list[PointTheorem | TwoParameterTheorem | BranchTheorem | DiagramTheorem | AllCycles]:
    """The theorems that a result is or holds, those inside lists, tuples and dicts included.

    Examples
    --------
    >>> import bifurcate as bf
    >>> flip = bf.special_point(bf.maps.logistic(r=2.9), "flip", free="r", guess=[0.66])
    >>> len(theorems_in([bf.prove(flip), flip])), theorems_in(flip)
    (1, [])
    """
    if isinstance(result, PointTheorem | TwoParameterTheorem | BranchTheorem | DiagramTheorem | AllCycles):
        return [result]
    if isinstance(result, NetworkTheorem):
        return [result.equilibrium]
    if isinstance(result, dict):
        return theorems_in(list(result.values()))
    if isinstance(result, list | tuple):
        return [theorem for each in result for theorem in theorems_in(each)]
    inner = getattr(result, "theorem", None)  # of a diagram that was explored with prove=True
    return theorems_in(inner) if inner is not None else []


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise NotProved(f"the theorem's {what} not proved again")


def _declared(basis: Any, n: int, reasons: Sequence[str]) -> Subspace | None:
    if basis is None:
        return None
    found = Subspace.spanned(basis, n, reasons[-1])
    return dataclasses.replace(found, is_reflected="symmetry" in reasons[-1])


def _check_point(theorem: PointTheorem, map: Map) -> None:
    claim = PointClaim(
        kind=theorem.kind,
        map=map,
        parameters=dict(theorem.parameters),
        free=theorem.free,
        period=theorem.period,
        state=theorem.state.reshape(theorem.shape),
        subspace=_declared(theorem.certificate.basis, theorem.state.size, theorem.hypotheses),
    )
    prove = prove_cycle if theorem.kind == "cycle" else prove_special_point
    sizes = _unknowns(theorem)
    _require(len(theorem.certificate.centre) == len(theorem.certificate.weights) == sizes, "number of unknowns is")
    new = prove(claim, bits=theorem.bits + MORE_BITS, certificate=theorem.certificate)
    if theorem.parameter is not None and new.parameter is not None:
        _require_held(theorem.parameter, new.parameter, "parameter")
    _require(len(new.states) == len(theorem.states), "number of states is")
    for old_state, new_state in zip(theorem.states, new.states):
        for old, narrow in zip(old_state, new_state):
            _require_held(old, narrow, "state")
    _require(theorem.radius >= max(e.radius for x in theorem.states for e in x), "radius is")
    _require(theorem.unique_within <= new.unique_within, "radius of uniqueness is")
    _require(theorem.unique_parameter <= new.unique_parameter, "radius of uniqueness is")
    _require_same_multipliers(theorem, new)
    _require(theorem.form in ("", new.form), "form is")
    for name, old in theorem.coefficients.items():
        _require(name in new.coefficients, f"coefficient {name} is")
        _require_held(old, new.coefficients[name], f"coefficient {name}")
    if theorem.cosine is not None:
        _require(new.cosine is not None, "cosine is")
        _require_held(theorem.cosine, new.cosine or theorem.cosine, "cosine")


def _check_two_parameter_point(theorem: TwoParameterTheorem, map: Map) -> None:
    state = np.array([each.middle for each in theorem.states[0]]).reshape(theorem.shape)
    claim = TwoParameterClaim(theorem.kind, map, dict(theorem.parameters), theorem.free, theorem.period, state)
    kind = TWO_PARAMETER_KINDS.get(theorem.kind)
    _require(kind is not None, "kind is")
    n, k = state.size, theorem.period
    sizes = k * n + 2 + (kind.blocks if kind is not None else 0) * k * n
    _require(len(theorem.certificate.centre) == len(theorem.certificate.weights) == sizes, "number of unknowns is")
    new = prove_two_parameter_point(claim, bits=theorem.bits + MORE_BITS, certificate=theorem.certificate)
    for old, narrow in zip(theorem.values, new.values):
        _require_held(old, narrow, "parameter")
    for old_state, new_state in zip(theorem.states, new.states):
        for old, narrow in zip(old_state, new_state):
            _require_held(old, narrow, "state")
    _require(theorem.unique_within <= new.unique_within, "radius of uniqueness is")
    _require(theorem.outside in (None, new.outside), "number of multipliers outside is")
    for name, old in theorem.coefficients.items():
        _require(name in new.coefficients, f"coefficient {name} is")
        _require_held(old, new.coefficients[name], f"coefficient {name}")


def _unknowns(theorem: PointTheorem) -> int:
    n, k = theorem.state.size, theorem.period
    m = n if theorem.certificate.basis is None else theorem.certificate.basis.shape[1]
    if theorem.kind == "cycle":
        return k * m
    return k * m + 1 + (k * n if theorem.kind in CRITICAL else 2 * k * n + 2)


def _require_held(old: Enclosure, new: Enclosure, what: str) -> None:
    if not old.holds(new):
        raise NotProved(f"the theorem's {what} is not proved again: {old}")


def _require_same_multipliers(theorem: PointTheorem, new: PointTheorem) -> None:
    _require(theorem.outside is None or theorem.outside == new.outside, "number of multipliers outside is")
    _require(len(theorem.discs) == len(new.discs), "number of multipliers is")
    for disc in new.discs:
        _require(any(_meet(disc, old) for old in theorem.discs), "multipliers are")
    for disc in theorem.discs:
        _require(any(_meet(disc, other) for other in new.discs), "multipliers are")


def _meet(a: Disc, b: Disc) -> bool:
    return bool(abs(a.centre - b.centre) <= (a.radius + b.radius) * (1.0 + 1e-9))


def _check_piece(theorem: BranchTheorem, piece: ProvedPiece, map: Map) -> None:
    first = piece.tubes[0].curve
    ball_map = BallMap(map, first.ball_map.shape, dict(theorem.parameters), theorem.free)
    curve = CycleCurve(ball_map, theorem.period, first.subspace, first.scale, first.parameter_scale)
    start = piece.tubes[0].start
    m = curve.subspace.size
    state = np.array([float(x) for x in curve.subspace.lift([float(v) for v in start[:m]])])
    ball_map.check(state, {**theorem.parameters, theorem.free: float(start[-1])})
    proved = []
    for tube in piece.tubes:
        try:
            again = prove_tube(curve, tube.start, tube.chord, radii=tube.radii)
        except Undecided as error:
            raise NotProved(str(error)) from error
        found = decided(again)
        if isinstance(found, str):
            raise NotProved(f"a tube is not proved again: {found}")
        proved.append(found)
    gaps: list[Gap] = []
    runs = glued_runs(proved, gaps)
    _require(len(runs) == 1 and not gaps, "arc is")
    claim = BranchClaim(
        map, dict(theorem.parameters), theorem.free, theorem.period,
        state.reshape((1, *ball_map.shape)), start[-1:], None if curve.subspace.is_whole else curve.subspace,
    )  # fmt: skip
    pieces: list[ProvedPiece] = []
    assemble(claim, curve, runs[0], pieces, gaps, theorem.bits + MORE_BITS)
    _require(len(pieces) == 1 and not gaps, "special points are")
    _require_same_piece(piece, pieces[0])


def _require_same_piece(piece: ProvedPiece, new: ProvedPiece) -> None:
    _require(piece.outside == new.outside, "numbers of multipliers outside are")
    _require(len(piece.special) == len(new.special), "number of special points is")
    for old, found in zip(piece.special, new.special):
        _require((old.kind, old.period, old.outside) == (found.kind, found.period, found.outside), "special points are")
        _require(old.form in ("", found.form), "form of a special point is")
        if old.parameter is not None and found.parameter is not None:
            _require_held(old.parameter, found.parameter, "parameter")
    _require_held(piece.first, new.first, "first point")
    _require_held(piece.last, new.last, "last point")
    values = [tube.box()[-1] for tube in new.tubes]
    _require(_widened(piece.low) <= min(lower_bound(each) for each in values), "range of the parameter is")
    _require(max(upper_bound(each) for each in values) <= -_widened(-piece.high), "range of the parameter is")


def _check_diagram(theorem: DiagramTheorem, map: Map | None) -> None:
    for each in (*theorem.branches, *theorem.points):
        if each is not None:
            check_theorem(each, map)
    branches = [each for each in theorem.branches if each is not None]
    whole = len(branches) == len(theorem.branches) and None not in theorem.points and all(b.complete for b in branches)
    _require(not theorem.complete or whole, "completeness is")
    box = theorem.exclusion
    if box is None:
        return
    known = next((branch for branch in branches if branch.pieces), None)
    if known is None:
        raise NotProved("the theorem's box is not proved again: no branch is proved")
    shape = known.pieces[0].tubes[0].curve.ball_map.shape
    ball_map = BallMap(known.map if map is None else map, shape, dict(known.parameters), known.free)
    bits = known.bits + MORE_BITS
    _require_same_box(box, exclude_beside(branches, ball_map, np.column_stack([box.low, box.high]), bits))


def _check_all_cycles(theorem: AllCycles, map: Map) -> None:
    for each in theorem.theorems:
        check_theorem(each, map)
        _require(theorem.exclusion.period % each.period == 0, "period is")
    box, known = theorem.exclusion, [each.state.reshape(each.shape) for each in theorem.theorems]
    corners = np.column_stack([box.low, box.high])
    new = prove_all_cycles(map, box.period, corners, known, bits=theorem.bits + MORE_BITS)
    _require_same_box(box, new.exclusion)
    _require(not theorem.complete or box.complete, "completeness is")


def _require_same_box(old: Exclusion, new: Exclusion) -> None:
    """Every part that is left open now must have been left open before."""
    for low, high in new.undecided:
        held = any(bool((a <= low).all() and (high <= b).all()) for a, b in old.undecided)
        _require(held, "box is")


def _widened(low: float) -> float:
    """A bound as a proof at another precision may find it: a few roundings lower."""
    return low - 1e-12 * abs(low)
