"""Theorems about points of codimension two, against closed forms."""

import dataclasses

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import NotProved
from bifurcate.proofs.balls import Enclosure
from bifurcate.proofs.check import check_theorem


def claimed(map, kind, free, state, period=1):
    """A point as it is claimed, without a search."""
    from bifurcate.proofs.two_parameter_points import TwoParameterClaim

    return TwoParameterClaim(kind, map, dict(map.parameters), free, period, np.asarray(state, dtype=float))


def prove(map, kind, free, state, period=1, bits=53):
    from bifurcate.proofs.two_parameter_points import prove_two_parameter_point

    return prove_two_parameter_point(claimed(map, kind, free, state, period), bits=bits)


def holds(values, known):
    return all(each.overlaps(Enclosure(number, 4e-16 * max(abs(number), 1e-3))) for each, number in zip(values, known))


def test_a_cusp_with_its_coefficient():
    map = bf.Map(lambda x, p, q: x + p + q * x - x**3 + 0.2 * x**4, {"p": 1e-9, "q": -1e-9})
    theorem = prove(map, "cusp", ("p", "q"), [1e-9])
    assert holds(theorem.values, (0.0, 0.0)) and theorem.complete
    assert theorem.coefficients["c"].overlaps(Enclosure(-1.0, 1e-15))
    check_theorem(theorem)


def test_a_generalised_flip_with_its_coefficient():
    # ξ ↦ −(1 + p) ξ + q ξ³ + c ξ⁵ in the coordinate x = ξ + 0.4 ξ² has c unchanged: the coordinate is tangent to ξ.
    def f(x, p, q):
        xi = (np.sqrt(1.0 + 1.6 * x) - 1.0) / 0.8
        y = -(1.0 + p) * xi + q * xi**3 + 0.7 * xi**5
        return y + 0.4 * y**2

    theorem = prove(bf.Map(f, {"p": 1e-9, "q": 1e-9}), "generalised flip", ("p", "q"), [1e-9])
    assert holds(theorem.values, (0.0, 0.0))
    assert theorem.coefficients["c"].overlaps(Enclosure(0.7, 1e-14)) and theorem.coefficients["c"].radius < 1e-10
    check_theorem(theorem)


GENERALISED_HENON = [
    # On the fixed points x = y: R1 where fold and Neimark-Sacker meet, 1 + R x = 2(R − 1)x − 1, and so on.
    ("R1", lambda R: 2.0 / (R - 2.0)),
    ("R2", lambda R: 2.0 / (2.0 - R)),
    ("R3", lambda R: 1.0 / (2.0 - R)),
    ("R4", lambda R: 0.0),
]


@pytest.mark.parametrize("kind, place", GENERALISED_HENON)
@pytest.mark.parametrize("R", [-0.125, 0.25])
def test_resonances_of_the_generalised_henon_map(kind, place, R):
    # J = (0, 1; R x − β, R x − 2x): determinant 1 at β = 1 + R x; trace (R − 2) x = 2, −2, −1 or 0.
    x = place(R)
    beta = 1.0 + R * x
    alpha = x * (1.0 + beta) + x**2 * (1.0 - R)
    map = bf.maps.generalised_henon(alpha=alpha + 1e-7, beta=beta - 1e-7, R=R)
    theorem = prove(map, kind, ("alpha", "beta"), [x + 1e-8, x - 1e-8])
    assert holds(theorem.values, (alpha, beta))
    assert all(each.radius < 1e-13 for each in theorem.values)
    check_theorem(theorem)


def test_a_fold_flip():
    # Both multipliers of the generalised Hénon map are real there: trace 0, determinant −1, at x = 0 and β = −1.
    map = bf.maps.generalised_henon(alpha=1e-8, beta=-1.0 + 1e-8, R=-0.1)
    theorem = prove(map, "fold-flip", ("alpha", "beta"), [1e-8, 1e-8])
    assert holds(theorem.values, (0.0, -1.0))


def test_prove_takes_them_from_loci():
    flip = bf.special_point(bf.maps.henon(a=0.36, b=0.3), "flip", free="a", guess=[0.9, 0.3])
    flips = bf.trace(bf.locus(flip, free="b"), {"a": (0.1, 4.0), "b": (-1.1, 0.5)})
    theorem = bf.prove(flips.first("R2"))
    assert holds(theorem.values, (3.0, -1.0)) and "R2" in str(theorem)
    fine = bf.prove(flips.first("R2"), bits=128)
    assert all(rough.overlaps(narrow) for rough, narrow in zip(theorem.values, fine.values))


def test_false_claims_are_refused():
    map = bf.Map(lambda x, p, q: x + p + q * x - x**3 + 0.2 * x**4, {"p": 1e-9, "q": -1e-9})
    theorem = prove(map, "cusp", ("p", "q"), [1e-9])
    p, q = theorem.values
    false = [
        dataclasses.replace(theorem, values=(p, dataclasses.replace(q, middle=1e-9))),
        dataclasses.replace(theorem, outside=1),
        dataclasses.replace(theorem, coefficients={"c": Enclosure(1.0, 1e-9)}),
        dataclasses.replace(theorem, kind="generalised flip"),
        dataclasses.replace(theorem, unique_within=10.0),
        dataclasses.replace(theorem, period=2),
    ]
    for claim in false:
        with pytest.raises(NotProved):
            check_theorem(claim)


@pytest.mark.parametrize(
    "f, kind",
    [
        (lambda x, p, q: x + p + q * x - x**5, "cusp"),  # no cubic term
        (lambda x, p, q: x + p + q * x - x**3, "generalised flip"),
        (lambda x, p, q: -(1 + p) * x + q * x**3 + x**5, "cusp"),
        (lambda x, p, q: x + p + (p - p) * q - x**3, "cusp"),  # the second parameter does nothing
    ],
)
def test_what_is_degenerate_is_not_proved(f, kind):
    with pytest.raises(NotProved):
        prove(bf.Map(f, {"p": 0.0, "q": 0.0}), kind, ("p", "q"), [0.0])


def test_a_diagram_in_two_parameters():
    curve = bf.cycles(bf.maps.henon(a=0.36, b=0.3), free="a", guess=[0.9, 0.3])
    diagram = bf.explore(curve, {"a": (0.1, 3.5), "b": (-1.1, 0.5)}, depth=1, prove=True)
    proved = {point.label for point, theorem in zip(diagram.special, diagram.theorem.points) if theorem is not None}
    assert {"PD", "R2"} <= proved
    assert "curves of special points are not proved" in "".join(diagram.theorem.gaps)
    check_theorem(diagram.theorem)


def test_exploring_keeps_the_diagram_of_a_map_that_cannot_be_evaluated():
    import math

    map = bf.Map(lambda x, r: np.array([r * math.sin(x[0])]), {"r": 2.0})
    diagram = bf.explore(bf.cycles(map, "r", [1.9]), {"r": (1.8, 2.3)}, depth=1, prove=True)
    assert len(diagram.special) == 1 and diagram.theorem.points == (None,)
    assert all("exact=" in gap for gap in diagram.theorem.gaps)
