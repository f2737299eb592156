"""Proofs of cycles and of special points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import NotProved
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.proofs.balls import Ball, Enclosure, Matrix, enclosures, magnitude, nearest_matrix, precision
from bifurcate.proofs.contraction import REACH, Zero, enclose_zero
from bifurcate.proofs.cycle_systems import CRITICAL, CycleSystem, SpecialPointSystem, unit_of_parameter, unit_of_state
from bifurcate.proofs.evaluation import BallMap, Subspace
from bifurcate.proofs.jets import Undecided
from bifurcate.proofs.multiplier_discs import Disc, count_outside, is_isolated, multiplier_discs
from bifurcate.proofs.normal_form_balls import Taylor, coefficient_balls, cycle_jacobian, numeric_null_vector
from bifurcate.proofs.point_theorem import Certificate, PointTheorem

__all__ = ["OtherPeriod", "PointClaim", "hypotheses", "prove_cycle", "prove_special_point", "region_of_solution"]

Vector = NDArray[np.float64]

AS_WRITTEN = "f is the function as it is written, its numbers the doubles that they are"
AS_GIVEN = (
    "f is the formula given as exact=, its numbers the doubles that they are; it agreed with f where they were compared"
)

# cos θ at which a pair is a root of unity of order at most 4, where the normal form of Neimark-Sacker points fails.
STRONG_RESONANCES = {"1": 1.0, "−1": -1.0, "−1/2": -0.5, "0": 0.0}


@dataclass(frozen=True, eq=False)
class PointClaim:
    """A cycle or a special point that is to be proved.

    Attributes
    ----------
    kind : str
        "cycle", or the kind of a special point of codimension one.
    map : Map
    parameters : mapping of str to float
        Values of all parameters.
    free : str or None
        The parameter that a special point determines.
    period : int
    state : ndarray
        In the map's shape.
    angle : float
        θ at Neimark–Sacker points.
    subspace : Subspace or None
        The invariant subspace that is declared; None for the whole space.
    """

    kind: str
    map: Map
    parameters: Mapping[str, float]
    free: str | None
    period: int
    state: Vector
    angle: float = 0.0
    subspace: Subspace | None = None


@dataclass(frozen=True, eq=False)
class _Start:
    """A claim with what is computed of it in doubles: the orbit and the map on balls."""

    claim: PointClaim
    ball_map: BallMap
    subspace: Subspace
    orbit: list[Vector]
    scale: float
    coordinates: Vector

    @property
    def jacobian(self) -> NDArray[np.float64]:
        """Of f^k, nearest doubles."""
        claim = self.claim
        free = flint.arb(claim.parameters[claim.free]) if claim.free is not None else None
        states = [[flint.arb(v) for v in x] for x in self.orbit]
        return nearest_matrix(cycle_jacobian(self.ball_map, states, free))


def _start(claim: PointClaim) -> _Start:
    """Evaluate and check what a proof starts from."""
    state = np.asarray(claim.state, dtype=float)
    p = dict(claim.parameters)
    ball_map = BallMap(claim.map, state.shape, p, claim.free)
    iterate = IteratedMap(claim.map, state.shape, claim.period)
    ball_map.check(state.ravel(), p)
    with np.errstate(all="ignore"):
        orbit = iterate.orbit(state.ravel(), p)[:-1]
    if not np.isfinite(orbit).all():
        raise NotProved("the orbit of the state is not finite")
    subspace = claim.subspace or Subspace.whole(state.size)
    ball_map.check_subspace(subspace, subspace.coordinates(orbit[0]), p)
    coordinates = np.concatenate([subspace.coordinates(x) for x in orbit])
    return _Start(claim, ball_map, subspace, orbit, unit_of_state(claim.map.scale, np.array(orbit)), coordinates)


def prove_cycle(claim: PointClaim, *, bits: int = 53, certificate: Certificate | None = None) -> PointTheorem:
    """Prove that a cycle exists near a state, with its least period and its multipliers.

    Parameters
    ----------
    claim : PointClaim
        Of the kind "cycle".
    bits : int
        Precision of the balls' midpoints.
    certificate : Certificate, optional
        Numbers of an earlier proof: the same statement is proved again.

    Raises
    ------
    NotProved
        If no such statement could be proved.
    """
    with precision(bits):
        start = _start(claim)
        system = CycleSystem(start.ball_map, claim.period, start.subspace, start.scale)
        zero = enclose_zero(system, start.coordinates, certificate=certificate)
        m = start.subspace.size
        points = [start.subspace.lift(zero.enclosure[i * m : (i + 1) * m]) for i in range(claim.period)]
        _require_least_period(start.ball_map, points)
        discs = multiplier_discs(cycle_jacobian(start.ball_map, points, None))
        outside = count_outside(discs)
        gaps = () if outside is not None else (_circle_gap(discs),)
        return _theorem(start, zero, points, discs, outside, gaps, bits=bits)


def region_of_solution(claim: PointClaim) -> Certificate:
    """The ball about a solution of f^k(x) = x, whatever its least period, in which it is the only one.

    It is a ball of k states, x and its images. Called with the precision of the balls set.

    Raises
    ------
    NotProved
        If no solution is proved.
    """
    start = _start(claim)
    zero = enclose_zero(CycleSystem(start.ball_map, claim.period, start.subspace, start.scale), start.coordinates)
    return Certificate(zero.centre, zero.unique_within, zero.weights, np.empty(0))


class OtherPeriod(NotProved):
    """A cycle was proved, but its least period may be smaller."""


def _require_least_period(ball_map: BallMap, points: Sequence[Sequence[Ball]]) -> None:
    """Refuse a cycle unless x₀ differs from x_{k/q} for every prime q that divides k."""
    k = len(points)
    for q in range(2, k + 1):
        if k % q or any(q % d == 0 for d in range(2, q)):
            continue
        apart = ball_map.reduced([a - b for a, b in zip(points[0], points[k // q])])
        if not any(not each.contains(0) for each in apart):
            raise OtherPeriod(f"the least period is not shown to be {k}: the state may have period {k // q}")


def _circle_gap(discs: Sequence[Disc]) -> str:
    touching = [str(disc) for disc in discs if disc.outside is None]
    return (
        f"stability: {len(touching)} multipliers are not shown to lie off the unit circle ({', '.join(touching[:3])})"
    )


def prove_special_point(
    claim: PointClaim, *, bits: int = 53, certificate: Certificate | None = None, reach: float = REACH
) -> PointTheorem:
    """Prove that a fold, flip, Neimark–Sacker or branch point exists, and its normal form.

    Parameters and errors are those of :func:`prove_cycle`; ``reach`` is how far from the claim Newton's method may go.
    """
    with precision(bits):
        start = _start(claim)
        if claim.kind == "branch point" and start.subspace.is_whole:
            raise NotProved(
                "a branch point does not persist under rounding: declare the invariant subspace or the symmetry that "
                "makes it one (invariant=, symmetry=)"
            )
        system, guess = _special_system(start, certificate)
        zero = enclose_zero(system, guess, certificate=certificate, reach=reach)
        coordinates, parameter, vectors, turn = system.split(zero.enclosure)
        points = [start.subspace.lift(each) for each in coordinates]
        _require_least_period(start.ball_map, points)
        A = cycle_jacobian(start.ball_map, points, parameter)
        discs = multiplier_discs(A)
        outside, gaps = _others(claim, discs, turn)
        coefficients, missing = _coefficients(system, points, parameter, vectors, turn, A)
        form = _form(claim.kind, coefficients, start.subspace)
        return _theorem(
            start, zero, points, discs, outside, (*gaps, *missing), bits=bits, parameter=parameter,
            coefficients=coefficients, form=form, turn=turn, functional=system.functional,
        )  # fmt: skip


def _special_system(start: _Start, certificate: Certificate | None) -> tuple[SpecialPointSystem, Vector]:
    """The system of a kind, with the functional l and a guess of all unknowns."""
    claim = start.claim
    assert claim.free is not None
    value = claim.parameters[claim.free]
    unit = unit_of_parameter(value)

    def system(functional: Any) -> SpecialPointSystem:
        return SpecialPointSystem(
            start.ball_map, claim.period, start.subspace, claim.kind, functional, start.scale, unit
        )

    if certificate is not None:
        return system(certificate.functional), certificate.centre
    J = start.jacobian
    if not np.isfinite(J).all():
        raise NotProved("the Jacobian is not finite there")
    target: complex = CRITICAL[claim.kind] if claim.kind in CRITICAL else complex(np.exp(1j * claim.angle))
    v = numeric_null_vector(J, target)
    made = system(v / float(np.sum(np.abs(v) ** 2)))
    vectors = [v]
    for x in start.orbit[:-1]:
        _, local, _ = start.ball_map.derivatives([flint.arb(each) for each in x], flint.arb(value))
        vectors.append(nearest_matrix(local) @ vectors[-1])
    flat = np.concatenate(vectors)
    parts = [flat] if claim.kind in CRITICAL else [flat.real, flat.imag, [target.real, target.imag]]
    return made, np.concatenate([start.coordinates, [value], *parts])


def _others(claim: PointClaim, discs: Sequence[Disc], turn: Sequence[Ball]) -> tuple[int | None, tuple[str, ...]]:
    """How many multipliers beside the critical ones lie outside, and what is left open of them."""
    pair = claim.kind not in CRITICAL
    critical = (
        [complex(float(turn[0].mid()), sign * float(turn[1].mid())) for sign in (1, -1)]
        if pair
        else [complex(CRITICAL[claim.kind])]
    )
    # The critical multipliers are known to be there: a disc that alone may hold one holds it, and nothing else.
    near = [[i for i, disc in enumerate(discs) if disc.contains(each) or disc.outside is None] for each in critical]
    mine = {i for each in near for i in each}
    if len(mine) != len(critical) or not all(is_isolated(discs, i) for i in mine):
        return None, ("that the critical multiplier is simple and the others lie off the unit circle",)
    outside = sum(bool(disc.outside) for i, disc in enumerate(discs) if i not in mine)
    if pair:
        for name, cosine in STRONG_RESONANCES.items():
            if turn[0].overlaps(flint.arb(cosine)):
                return outside, (f"that the pair is no strong resonance: cos θ may be {name}",)
    return outside, ()


def _coefficients(
    system: SpecialPointSystem, points: Sequence[Sequence[Ball]], parameter: Ball, vectors: Any, turn: Sequence[Ball],
    A: Matrix,
) -> tuple[dict[str, Enclosure], tuple[str, ...]]:  # fmt: skip
    taylor = Taylor(system.ball_map, system.period, points[0], parameter)
    first = [each[0] for each in vectors]
    try:
        found = coefficient_balls(system.kind, taylor, A, first[0], first[1] if system.is_pair else (), turn)
    except (NotProved, Undecided) as error:
        return {}, (f"the normal form: {error}",)
    if not all(each.is_finite() for each in found.values()):
        return {}, ("the normal form: a coefficient has no finite enclosure",)
    return {name: Enclosure.of(each) for name, each in found.items()}, ()


def _form(kind: str, coefficients: Mapping[str, Enclosure], subspace: Subspace) -> str:
    """What the signs of the coefficients prove.

    Under a symmetry R of order 2 the critical vector of a branch point, which is not fixed, has R q = −q: then
    <p, B(q, q)> is 0, and c decides.
    """
    signs = {name: each.sign for name, each in coefficients.items()}
    if kind == "fold":
        return "fold" if signs.get("a") else ""
    if kind == "flip":
        return {1: "supercritical", -1: "subcritical"}.get(signs.get("b", 0), "")
    if kind == "neimark-sacker":
        return {-1: "supercritical", 1: "subcritical"}.get(signs.get("d", 0), "")
    if subspace.is_reflected:
        return "pitchfork" if signs.get("c") else ""
    return "transcritical" if signs.get("a") else ""


def _theorem(
    start: _Start,
    zero: Zero,
    points: Sequence[Sequence[Ball]],
    discs: tuple[Disc, ...],
    outside: int | None,
    gaps: tuple[str, ...],
    *,
    bits: int,
    parameter: Ball | None = None,
    coefficients: Mapping[str, Enclosure] | None = None,
    form: str = "",
    turn: Sequence[Ball] = (),
    functional: Any = None,
) -> PointTheorem:
    claim, subspace = start.claim, start.subspace
    states = tuple(enclosures(x) for x in points)
    parameters = dict(claim.parameters)
    here = Enclosure.of(parameter) if parameter is not None else None
    index = claim.period * subspace.size
    if here is not None and claim.free is not None:
        parameters[claim.free] = here.middle
    if coefficients and not form:
        gaps = (*gaps, "the form: the coefficient is not shown to differ from 0")
    return PointTheorem(
        kind=claim.kind,
        map=claim.map,
        hypotheses=hypotheses(claim.map, subspace),
        parameters=parameters,
        free=claim.free,
        parameter=here,
        period=claim.period,
        shape=start.ball_map.shape,
        states=states,
        radius=max((each.radius for x in states for each in x), default=0.0),
        unique_within=float(np.nextafter(zero.unique_within * zero.weights[0], 0.0)) if index else 0.0,
        unique_parameter=float(np.nextafter(zero.unique_within * zero.weights[index], 0.0)) if here else 0.0,
        discs=discs,
        outside=outside,
        coefficients=dict(coefficients or {}),
        form=form,
        cosine=Enclosure.of(turn[0]) if len(turn) else None,
        gaps=gaps,
        bits=bits,
        evaluations=start.ball_map.evaluations[0],
        errors=tuple(magnitude(e - float(c)) for e, c in zip(zero.enclosure, zero.centre)),
        certificate=Certificate(
            zero.centre,
            zero.unique_within,
            zero.weights,
            np.empty(0) if functional is None else functional,
            None if subspace.is_whole else subspace.basis,
        ),
    )


def hypotheses(map: Map, subspace: Subspace) -> tuple[str, ...]:
    """What a theorem about a map assumes beside the map as it is written."""
    source = AS_WRITTEN if map.exact is None else AS_GIVEN
    return (source, subspace.reason) if subspace.reason else (source,)
