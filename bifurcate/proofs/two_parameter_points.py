"""Theorems about points of codimension two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import flint
import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import NotProved
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.proofs.balls import Ball, Enclosure, Matrix, ball, enclosures, nearest_matrix, precision
from bifurcate.proofs.contraction import REACH, Zero, enclose_zero
from bifurcate.proofs.cycle_systems import unit_of_parameter, unit_of_state
from bifurcate.proofs.duals import Dual
from bifurcate.proofs.evaluation import BallMap, Subspace
from bifurcate.proofs.jets import Jet, Undecided
from bifurcate.proofs.multiplier_discs import Disc, multiplier_discs
from bifurcate.proofs.normal_form_balls import numeric_null_vector, pairing, solved
from bifurcate.proofs.point_theorem import Certificate
from bifurcate.proofs.points import hypotheses
from bifurcate.proofs.two_parameter_systems import TWO_PARAMETER_KINDS, TwoParameterSystem

__all__ = ["TwoParameterClaim", "TwoParameterTheorem", "prove_two_parameter_point"]

Vector = NDArray[np.float64]

FEW = 3  # numbers of a state that a sentence shows

# Singular values of J ∓ I below this part of the largest one count as 0 where the guess of a Jordan block is made: a
# located point has the defective multiplier to the square root of its error.
JORDAN_CUT = 1e-4

# The critical multipliers, for the count of the others: nearest doubles.
CRITICAL: dict[str, tuple[complex, ...]] = {
    "cusp": (1.0,),
    "generalised flip": (-1.0,),
    "R1": (1.0, 1.0),
    "R2": (-1.0, -1.0),
    "R3": (complex(-0.5, np.sqrt(0.75)), complex(-0.5, -np.sqrt(0.75))),
    "R4": (1j, -1j),
    "fold-flip": (1.0, -1.0),
}


@dataclass(frozen=True, eq=False)
class TwoParameterClaim:
    """A point of codimension two that is to be proved.

    Attributes
    ----------
    kind : str
        One of "cusp", "generalised flip", "R1" to "R4" and "fold-flip".
    map : Map
    parameters : mapping of str to float
    free : (str, str)
    period : int
    state : ndarray
        In the map's shape.
    """

    kind: str
    map: Map
    parameters: Mapping[str, float]
    free: tuple[str, str]
    period: int
    state: Vector


@dataclass(frozen=True, eq=False)
class TwoParameterTheorem:
    """A theorem about a point of codimension two; ``str(theorem)`` is its statement.

    Attributes
    ----------
    kind : str
    map : Map
    hypotheses : tuple of str
    parameters : mapping of str to float
        Of the free ones the doubles nearest the point's.
    free : (str, str)
    values : (Enclosure, Enclosure)
        The free parameters.
    period : int
    shape : tuple of int
        Of a state.
    states : tuple of tuple of Enclosure
        The points of the cycle, k × n.
    unique_within : float
        Every entry of the states may be this far from the centre: there is no other such point with parameters within
        ``unique_parameters`` and critical vectors near its own. Rounded down.
    unique_parameters : (float, float)
    discs : tuple of Disc
    outside : int or None
        Multipliers outside the circle, the critical ones not counted; None if that is not decided.
    coefficients : mapping of str to Enclosure
        "c" of cusps and generalised flips; of the others none.
    gaps : tuple of str
    bits, evaluations : int
    certificate : Certificate
    """

    kind: str
    map: Map
    hypotheses: tuple[str, ...]
    parameters: Mapping[str, float]
    free: tuple[str, str]
    values: tuple[Enclosure, Enclosure]
    period: int
    shape: tuple[int, ...]
    states: tuple[tuple[Enclosure, ...], ...]
    unique_within: float
    unique_parameters: tuple[float, float]
    discs: tuple[Disc, ...]
    outside: int | None
    coefficients: Mapping[str, Enclosure]
    gaps: tuple[str, ...]
    bits: int
    evaluations: int
    certificate: Certificate

    @property
    def form(self) -> str:
        """Nothing: what the coefficients of such a point say is not part of the theorem."""
        return ""

    @property
    def complete(self) -> bool:
        """True if nothing is left open."""
        return not self.gaps

    def __str__(self) -> str:
        what = "fixed point" if self.period == 1 else f"cycle of period {self.period}"
        where = ", ".join(f"{name} = {value}" for name, value in zip(self.free, self.values))
        entries = self.states[0]
        state = ", ".join(str(each) for each in entries[:FEW])
        more = f", … ({len(entries)} numbers)" if len(entries) > FEW else ""
        lines = [
            f"{self.map.name} has a point of the kind {self.kind} of a {what} at {where}, x = {state}{more}; no other "
            f"one within {self.unique_within:.2g} of its states."
        ]
        if self.outside is not None:
            others = len(self.discs) - TWO_PARAMETER_KINDS[self.kind].multiplicity
            lines.append(f"Of the other {others} multipliers {self.outside} lie outside the circle, the rest inside.")
        if self.coefficients:
            lines.append("Normal form: " + ", ".join(f"{k} = {v}" for k, v in self.coefficients.items()) + ".")
        lines += [f"Assumed: {each}." for each in self.hypotheses]
        return "\n".join([*lines, *(f"Not proved: {gap}." for gap in self.gaps)])

    def __repr__(self) -> str:
        where = ", ".join(f"{name} = {value}" for name, value in zip(self.free, self.values))
        return f"TwoParameterTheorem({self.kind} at {where}, period {self.period})"


def prove_two_parameter_point(
    claim: TwoParameterClaim, *, bits: int = 53, certificate: Certificate | None = None
) -> TwoParameterTheorem:
    """Prove that a point of codimension two exists.

    Parameters
    ----------
    claim : TwoParameterClaim
    bits : int
        Precision of the balls' midpoints.
    certificate : Certificate, optional
        Numbers of an earlier proof: the same statement is proved again.

    Raises
    ------
    NotProved
        If no such statement could be proved.
    """
    if claim.kind not in TWO_PARAMETER_KINDS:
        raise NotProved(f"there is no proof for points of the kind {claim.kind!r}")
    with precision(bits):
        system, guess = _system(claim, certificate)
        zero = enclose_zero(system, guess, certificate=certificate, reach=np.inf)
        known = claim.period * system.ball_map.size + 2
        moved = np.abs(zero.centre[:known] - guess[:known]) / system.weights[:known]
        if not float(moved.max()) <= REACH:
            raise NotProved(f"no such point lies within {REACH:.0e} of the place claimed: it is {moved.max():.1e} away")
        points, parameters, blocks = system.split(zero.enclosure)
        J = _jacobian(system, points, parameters)
        discs = multiplier_discs(J)
        outside = _others(claim.kind, discs)
        gaps = () if outside is not None else ("that the other multipliers lie off the unit circle",)
        coefficients: dict[str, Enclosure] = {}
        if claim.kind in ("cusp", "generalised flip"):
            try:
                coefficients["c"] = Enclosure.of(_coefficient(system, points, parameters, blocks, J))
            except (NotProved, Undecided) as error:
                gaps = (*gaps, f"the normal form: {error}")
        return _theorem(claim, system, zero, points, parameters, discs, outside, coefficients, gaps, bits)


def _system(claim: TwoParameterClaim, certificate: Certificate | None) -> tuple[TwoParameterSystem, Vector]:
    state = np.asarray(claim.state, dtype=float)
    p = dict(claim.parameters)
    ball_map = BallMap(claim.map, state.shape, p)
    ball_map.check(state.ravel(), p)
    with np.errstate(all="ignore"):
        orbit = IteratedMap(claim.map, state.shape, claim.period).orbit(state.ravel(), p)[:-1]
    if not np.isfinite(orbit).all():
        raise NotProved("the orbit of the state is not finite")
    scales = [unit_of_parameter(p[name]) for name in claim.free]

    def system(functionals: Vector) -> TwoParameterSystem:
        scale = unit_of_state(claim.map.scale, np.array(orbit))
        return TwoParameterSystem(
            ball_map, claim.free, claim.period, claim.kind, functionals, scale, (scales[0], scales[1])
        )

    if certificate is not None:
        return system(np.real(certificate.functional).reshape(2, -1)), certificate.centre
    local = [nearest_matrix(ball_map.derivatives([ball(v) for v in x])[1]) for x in orbit]
    J = np.linalg.multi_dot(local[::-1]) if len(local) > 1 else local[0]
    first, second, rows = _vectors(claim.kind, J)
    blocks = [first, second, np.zeros_like(first)][: TWO_PARAMETER_KINDS[claim.kind].blocks]
    columns = []
    for block in blocks:
        around = [block]
        for A in local[:-1]:
            around.append(A @ around[-1])
        columns += around
    values = [p[name] for name in claim.free]
    return system(rows), np.concatenate([*orbit, values, *columns])


def _vectors(kind: str, J: Vector) -> tuple[Vector, Vector, Vector]:
    """Guesses of the first two vectors, and the functionals that normalise them."""
    critical = CRITICAL[kind]
    v = numeric_null_vector(J, critical[0] if np.imag(critical[0]) else float(np.real(critical[0])))
    if np.iscomplexobj(v):
        size = float(np.sum(np.abs(v) ** 2))
        return v.real, v.imag, np.array([v.real, v.imag]) / size
    if kind == "fold-flip":
        w = numeric_null_vector(J, -1.0)
        return v, w, np.array([v, w])
    if kind in ("R1", "R2"):  # (J ∓ I) w = v
        w = np.linalg.lstsq(J - float(np.real(critical[0])) * np.eye(len(J)), v, rcond=JORDAN_CUT)[0]
        return v, w - (w @ v) * v, np.array([v, v])
    return v, np.zeros_like(v), np.array([v, v])


def _jacobian(system: TwoParameterSystem, points: Sequence[Sequence[Ball]], parameters: Sequence[Ball]) -> Matrix:
    n = system.ball_map.size
    p = system.ball_map.values({name: Jet(((value, {}),)) for name, value in zip(system.free, parameters)})
    total = None
    for x in points:
        image = system.ball_map([Jet(((value, {i: flint.arb(1)}),)) for i, value in enumerate(x)], p)
        J = flint.arb_mat(n, n)
        for i, each in enumerate(image):
            for j, slope in each.c[0][1].items():
                J[i, j] = slope
        total = J if total is None else J * total
    return total


def _others(kind: str, discs: Sequence[Disc]) -> int | None:
    """How many multipliers beside the critical ones lie outside; None if that is not decided."""
    critical = [d for d in discs if d.outside is None or any(map(d.contains, CRITICAL[kind]))]
    clusters = {disc.cluster for disc in critical}
    # A double multiplier lies in the union of its discs, maybe not in each of them.
    rest = [disc for disc in discs if disc.cluster not in clusters]
    if len(discs) - len(rest) != len(CRITICAL[kind]):
        return None
    return sum(bool(disc.outside) for disc in rest)


def _coefficient(
    system: TwoParameterSystem,
    points: Sequence[Sequence[Ball]],
    parameters: Sequence[Ball],
    blocks: Sequence[Sequence[Sequence[Ball]]],
    J: Matrix,
) -> Ball:
    """c = <p, [t^m] f^k(X(t))>, m = 3 for cusps and 5 for generalised flips, with v of length 1."""
    n, zero = system.ball_map.size, flint.arb(0)
    sign = 1 if system.kind == "cusp" else -1
    v = blocks[0][0]
    length = sum((x * x for x in v), zero).sqrt()
    # t is measured so that v has length 1: the coefficient of t^j is divided by |v|^j.
    orders, factorial = [list(points[0])], flint.arb(1)
    for j, block in enumerate(blocks, start=1):
        factorial = factorial / (j * length)
        orders.append([x * factorial for x in block[0]])
    if sign < 0:
        fourth = _order(system, orders, parameters, 4)
        M = flint.arb_mat(n, n, [(1 if i == j else 0) - J[i, j] for i in range(n) for j in range(n)])
        x = solved(M, flint.arb_mat(n, 1, fourth))
        orders.append([x[i, 0] for i in range(n)])
    last = _order(system, orders, parameters, len(orders))
    pair = pairing(J, flint.arb(sign), orders[1])
    return pair(last)


def _order(
    system: TwoParameterSystem, orders: Sequence[Sequence[Ball]], parameters: Sequence[Ball], order: int
) -> list[Ball]:
    """[t^order] of f^k on the series, whose own coefficient there is 0."""
    n, zero = system.ball_map.size, flint.arb(0)
    p = system.ball_map.values({name: Jet(((value, {}),)) for name, value in zip(system.free, parameters)})
    series: list[Jet] = []
    for a in range(n):
        terms: list[Dual] = [(each[a], {}) for each in orders]
        series.append(Jet(terms + [(zero, {})] * (order + 1 - len(terms))))
    for _ in range(system.period):
        series = system.ball_map(series, p)
    return [each.coefficient(order)[0] for each in series]


def _theorem(
    claim: TwoParameterClaim,
    system: TwoParameterSystem,
    zero: Zero,
    points: Sequence[Sequence[Ball]],
    parameters: Sequence[Ball],
    discs: tuple[Disc, ...],
    outside: int | None,
    coefficients: Mapping[str, Enclosure],
    gaps: tuple[str, ...],
    bits: int,
) -> TwoParameterTheorem:
    first, second = enclosures(parameters)
    known = dict(zip(claim.free, (first.middle, second.middle)))
    within = zero.unique_within
    return TwoParameterTheorem(
        kind=claim.kind,
        map=claim.map,
        hypotheses=hypotheses(claim.map, Subspace.whole(system.ball_map.size)),
        parameters={**claim.parameters, **known},
        free=claim.free,
        values=(first, second),
        period=claim.period,
        shape=system.ball_map.shape,
        states=tuple(enclosures(x) for x in points),
        unique_within=float(np.nextafter(within * zero.weights[0], 0.0)),
        unique_parameters=(
            float(np.nextafter(within * system.parameter_scales[0], 0.0)),
            float(np.nextafter(within * system.parameter_scales[1], 0.0)),
        ),
        discs=discs,
        outside=outside,
        coefficients=dict(coefficients),
        gaps=gaps,
        bits=bits,
        evaluations=system.ball_map.evaluations[0],
        certificate=Certificate(zero.centre, zero.unique_within, zero.weights, system.functionals.ravel()),
    )
