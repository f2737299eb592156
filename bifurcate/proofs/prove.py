"""prove: a theorem from a result of the package."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol, overload, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from bifurcate.adaptation.equations import Model
from bifurcate.bifurcations.kinds import CURVE_KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.errors import InvalidInput, NotProved
from bifurcate.maps.map import Map
from bifurcate.newton.solve import Solution
from bifurcate.progress_line import Report, reporting
from bifurcate.proofs.branch_theorem import BranchTheorem
from bifurcate.proofs.branches import prove_branch
from bifurcate.proofs.diagram_theorem import DiagramTheorem
from bifurcate.proofs.diagrams import prove_diagram
from bifurcate.proofs.evaluation import Subspace
from bifurcate.proofs.network_theorem import NetworkTheorem, prove_network
from bifurcate.proofs.pieces import BranchClaim
from bifurcate.proofs.point_theorem import PointTheorem
from bifurcate.proofs.points import OtherPeriod, PointClaim, prove_cycle, prove_special_point
from bifurcate.proofs.two_parameter_points import TwoParameterClaim, TwoParameterTheorem, prove_two_parameter_point
from bifurcate.proofs.two_parameter_systems import TWO_PARAMETER_KINDS

__all__ = ["ExploredDiagram", "prove"]

BOTH = 2  # free parameters of a curve on which a point of codimension two is met


@runtime_checkable
class ExploredDiagram(Protocol):
    """What is proved of a diagram: a :class:`~bifurcate.Diagram`, known by what it has."""

    @property
    def branches(self) -> tuple[Branch, ...]:
        """Every branch once."""

    @property
    def special(self) -> tuple[SpecialPoint, ...]:
        """Every special point once."""

    @property
    def not_followed(self) -> tuple[SpecialPoint, ...]:
        """Points whose branches were not followed."""


@overload
def prove(
    result: Solution, map: Map | None = None, *, invariant: Any = None, symmetry: Any = None, box: Any = None,
    bits: int = 53, progress: Report | bool | None = None,
) -> PointTheorem: ...  # fmt: skip
@overload
def prove(
    result: SpecialPoint, map: Map | None = None, *, invariant: Any = None, symmetry: Any = None, box: Any = None,
    bits: int = 53, progress: Report | bool | None = None,
) -> Any: ...  # fmt: skip
@overload
def prove(
    result: Branch, map: Map | None = None, *, invariant: Any = None, symmetry: Any = None, box: Any = None,
    bits: int = 53, progress: Report | bool | None = None,
) -> BranchTheorem: ...  # fmt: skip
@overload
def prove(
    result: Model, map: Map | None = None, *, invariant: Any = None, symmetry: Any = None, box: Any = None,
    bits: int = 53, progress: Report | bool | None = None,
) -> NetworkTheorem: ...  # fmt: skip
@overload
def prove(
    result: ExploredDiagram, map: Map | None = None, *, invariant: Any = None, symmetry: Any = None, box: Any = None,
    bits: int = 53, progress: Report | bool | None = None,
) -> DiagramTheorem: ...  # fmt: skip
def prove(
    result: Solution | SpecialPoint | Branch | ExploredDiagram | Model,
    map: Map | None = None,
    *,
    invariant: Any = None,
    symmetry: Any = None,
    box: Any = None,
    bits: int = 53,
    progress: Report | bool | None = None,
) -> PointTheorem | TwoParameterTheorem | BranchTheorem | DiagramTheorem | NetworkTheorem:
    """Prove a solution, a special point, a branch or a diagram from the map's own function, in ball arithmetic.

    f is evaluated on arrays of objects, numbers with their errors and derivatives, so that it must be written in plain
    NumPy arithmetic; otherwise ``Map(…, exact=plain_f)`` gives such a formula beside it. What f does not allow is
    refused by name.

    Parameters
    ----------
    result : Solution, SpecialPoint, Branch, Diagram or Network
    map : Map, optional
        The map, for a Solution that does not hold it.
    invariant : array_like, shape (n, m), optional
        Basis of a subspace that f leaves invariant for all parameters: a hypothesis, which makes branch points in it
        provable. An (n, 0) array stands for the state 0.
    symmetry : array_like, shape (n, n), optional
        A matrix R with R R = I and f(R x) = R f(x): the same for the states with R x = x; branch points where the
        symmetry is lost are pitchforks.
    box : array_like, shape (n + 1, 2), optional
        For diagrams of maps with up to three unknowns: intervals of the state's entries and of the free parameter in
        which it is to be shown that there is no other fixed point.
    bits : int
        Precision of the balls' midpoints.
    progress : callable, bool, optional
        As for :func:`trace`, of branches and diagrams; tubes are counted.

    Returns
    -------
    PointTheorem, TwoParameterTheorem, BranchTheorem, DiagramTheorem or NetworkTheorem
        It prints as a sentence. What is not proved of a branch or a diagram is listed in its ``gaps``.

    Raises
    ------
    NotProved
        If a solution or a special point is not proved; the message says which inequality failed.
    NotEvaluable
        If f uses what balls do not have.
    InvalidInput
        If an argument is unusable.

    References
    ----------
    Tucker, Validated Numerics, Princeton 2011. Johansson, IEEE Trans. Computers 66 (2017) 1281.

    Examples
    --------
    >>> import bifurcate as bf
    >>> logistic = bf.Map(lambda x, r: r * x * (1 - x), {"r": 2.5})
    >>> branch = bf.trace(bf.cycles(logistic, free="r", guess=[0.6]), {"r": (1.2, 3.4)})
    >>> theorem = bf.prove(branch)
    >>> theorem.complete, [(point.form, point.kind) for point in theorem.special]
    (True, [('supercritical', 'flip')])
    >>> theorem.special[0].parameter.contains(3.0), theorem.special[0].coefficients["b"].contains(9.0)
    (True, True)
    """
    if isinstance(result, Solution):
        return _prove_solution(result, map, invariant, symmetry, bits)
    if isinstance(result, SpecialPoint):
        return _prove_point(result, invariant, symmetry, bits)
    if isinstance(result, Branch):
        claim = branch_claim(result, _subspace(result.curve.size, invariant, symmetry))
        with reporting(progress, f"prove a branch of {claim.map.name}", (claim.free,), "tubes") as report:
            return prove_branch(claim, bits=bits, report=report)
    if isinstance(result, Model):
        return prove_network(result, bits=bits)
    if isinstance(result, ExploredDiagram):
        with reporting(progress, "prove a diagram", (), "tubes") as report:
            return _prove_diagram(result, invariant, symmetry, box, bits, report)
    raise InvalidInput(
        f"result is a {type(result).__name__}; a Solution, SpecialPoint, Branch, Diagram or Network can be proved"
    )


def _subspace(n: int, invariant: Any, symmetry: Any) -> Subspace | None:
    if invariant is not None and symmetry is not None:
        raise InvalidInput("give invariant or symmetry, not both")
    if symmetry is not None:
        return Subspace.fixed_by(symmetry, n)
    if invariant is not None:
        return Subspace.spanned(invariant, n, "f leaves the declared subspace invariant")
    return None


def _prove_solution(result: Solution, map: Map | None, invariant: Any, symmetry: Any, bits: int) -> PointTheorem:
    found = map if map is not None else result.map
    if not isinstance(found, Map):
        raise InvalidInput("this Solution does not hold its map: prove(solution, map)")
    state = np.asarray(result.state, dtype=float)
    claim = PointClaim(
        kind="cycle",
        map=found,
        parameters=dict(result.parameters),
        free=None,
        period=result.period,
        state=state,
        subspace=_subspace(state.size, invariant, symmetry),
    )
    for divisor in range(1, result.period + 1):
        if result.period % divisor == 0:
            try:
                return prove_cycle(dataclasses.replace(claim, period=result.period // divisor), bits=bits)
            except OtherPeriod as error:
                reason = error
    raise reason


def point_claim(point: SpecialPoint, subspace: Subspace | None) -> PointClaim | TwoParameterClaim:
    """What a special point claims.

    Raises
    ------
    NotProved
        If its kind has no system for a proof.
    """
    if point.kind in TWO_PARAMETER_KINDS and len(point.curve.free) >= BOTH:
        first, second = point.curve.free[:2]
        return TwoParameterClaim(
            point.kind, point.curve.iterate.map, point.parameters, (first, second), point.period, point.state
        )
    if point.kind not in CURVE_KINDS or point.curve.codimension > 0:
        raise NotProved(f"there is no proof for points of the kind {point.kind!r} on such a curve")
    return PointClaim(
        kind=point.kind,
        map=point.curve.iterate.map,
        parameters=point.parameters,
        free=point.curve.free[0],
        period=point.period,
        state=point.state,
        angle=point.angle,
        subspace=subspace,
    )


def _prove_point(point: SpecialPoint, invariant: Any, symmetry: Any, bits: int) -> PointTheorem | TwoParameterTheorem:
    claim = point_claim(point, _subspace(point.curve.size, invariant, symmetry))
    if isinstance(claim, TwoParameterClaim):
        return prove_two_parameter_point(claim, bits=bits)
    return prove_special_point(claim, bits=bits)


def branch_claim(branch: Branch, subspace: Subspace | None) -> BranchClaim:
    """What a branch claims.

    Raises
    ------
    InvalidInput
        If it consists of special points, or does not hold its states.
    """
    if branch.curve.codimension > 0:
        raise InvalidInput("the points of this branch are special points; branches of cycles can be proved")
    states: NDArray[np.float64] = np.asarray(branch.states, dtype=float)
    if states.shape[1:] != branch.curve.iterate.shape:
        raise InvalidInput("this branch does not hold its states: it was traced with keep=")
    return BranchClaim(
        map=branch.curve.iterate.map,
        parameters=branch[0].parameters,
        free=branch.curve.free[0],
        period=branch.curve.period,
        states=states,
        values=branch[branch.curve.free[0]],
        subspace=subspace,
    )


def _prove_diagram(
    diagram: ExploredDiagram, invariant: Any, symmetry: Any, box: Any, bits: int, report: Report | None
) -> DiagramTheorem:
    subspace = None
    if diagram.branches:
        subspace = _subspace(diagram.branches[0].curve.size, invariant, symmetry)
    claims: list[BranchClaim | None] = []
    for branch in diagram.branches:
        claims.append(None if branch.curve.codimension > 0 else branch_claim(branch, subspace))
    points: list[PointClaim | TwoParameterClaim | str] = []
    for point in diagram.special:
        try:
            points.append(point_claim(point, subspace))
        except NotProved as error:
            points.append(str(error))
    names = [str(point) for point in diagram.special]
    return prove_diagram(claims, points, names, births=_births(diagram), box=box, bits=bits, report=report)


def _births(diagram: ExploredDiagram) -> dict[int, str]:
    """The branches that are followed from a first point near the special point where they start."""
    found = {}
    for i, branch in enumerate(diagram.branches):
        ends = (branch.stop.first.reason, branch[0]), (branch.stop.last.reason, branch[-1])
        for reason, point in ends:
            if reason in ("origin", "collapsed") and branch.curve.codimension == 0:
                name, value = branch.curve.free[0], point.free[0]
                found[i] = f"the cycle from where it is born up to {name} = {value:.10g}, its first point"
    return found
