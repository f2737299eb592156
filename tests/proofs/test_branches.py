"""Theorems about branches and diagrams: exactly the known special points, and no claim beyond what holds."""

import dataclasses

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, NotProved
from bifurcate.proofs.balls import Enclosure
from bifurcate.proofs.check import check_theorem


def traced(map, free, guess, bounds, period=1):
    return bf.trace(bf.cycles(map, free, guess, period=period), {free: bounds})


def logistic_branch(bounds=(1.199, 3.4)):
    return traced(bf.Map(lambda x, r: r * x * (1 - x), {"r": 2.5}), "r", [0.6], bounds)


def test_the_logistic_branch_has_exactly_one_special_point():
    theorem = bf.prove(logistic_branch())
    (piece,) = theorem.pieces
    assert theorem.complete and piece.outside == (0, 1)
    (flip,) = theorem.special
    assert flip.kind == "flip" and flip.form == "supercritical" and flip.parameter.contains(3.0)
    assert piece.first.overlaps(Enclosure(1.199, 1e-15)) and piece.last.overlaps(Enclosure(3.4, 1e-15))
    assert piece.low <= 1.199 and piece.high >= 3.4
    assert theorem.tubes < 30
    assert "exactly one special point" in str(theorem)


def test_the_branch_lies_in_its_tubes():
    theorem = bf.prove(logistic_branch())
    for r in np.linspace(1.2, 3.399, 50):
        x = 1.0 - 1.0 / r
        inside = [
            tube
            for tube in theorem.pieces[0].tubes
            if all(box.contains(value) for box, value in zip(tube.box(), (x, r)))
        ]
        assert inside, r


def test_henon_through_fold_and_flip():
    theorem = bf.prove(traced(bf.maps.henon(a=0.1, b=0.5), "a", [1.0, 0.5], (-1.0, 1.0)))
    assert theorem.complete
    assert [point.kind for point in theorem.special] == ["fold", "flip"]
    assert theorem.special[0].parameter.contains(-0.0625) and theorem.special[1].parameter.contains(0.1875)
    assert theorem.pieces[0].outside == (1, 0, 1)


def test_the_window_of_period_three():
    theorem = bf.prove(traced(bf.maps.logistic(3.835), "r", [0.15], (3.7, 3.85), period=3))
    assert theorem.complete and sorted(point.kind for point in theorem.special) == ["flip", "fold"]
    fold = next(point for point in theorem.special if point.kind == "fold")
    assert fold.parameter.overlaps(Enclosure(1 + 8**0.5, 1e-15))


def test_neimark_sacker_points_on_branches():
    theorem = bf.prove(traced(bf.maps.delayed_logistic(1.9), "r", [0.47, 0.47], (1.5, 2.3)))
    assert theorem.complete and theorem.pieces[0].outside == (0, 2)
    (point,) = theorem.special
    assert point.kind == "neimark-sacker" and point.parameter.contains(2.0) and point.cosine.contains(0.5)


def test_every_fold_and_flip_of_ikeda():
    branch = traced(bf.maps.ikeda(u=0.9), "a", [0.5, 0.3], (0.1, 1.2))
    theorem = bf.prove(branch)
    assert theorem.complete
    assert [point.kind for point in theorem.special] == [point.kind for point in branch.special]
    for proved, located in zip(theorem.special, branch.special):
        assert abs(proved.parameter.middle - located.parameters["a"]) <= 3.0 * located.error + 1e-9


@pytest.mark.parametrize("bits", [53, 128])
def test_branch_theorems_hold_when_they_are_checked(bits):
    branch = logistic_branch()
    theorem = bf.prove(branch, bits=bits)
    check_theorem(theorem, branch.curve.iterate.map)


def test_false_claims_about_a_branch_are_refused():
    branch = logistic_branch()
    map, theorem = branch.curve.iterate.map, bf.prove(branch)
    (piece,) = theorem.pieces
    shifted = dataclasses.replace(piece.special[0].parameter, middle=3.0001)
    first = piece.tubes[0]
    false = [
        dataclasses.replace(piece, special=()),
        dataclasses.replace(piece, special=piece.special * 2, outside=(0, 1, 0)),
        dataclasses.replace(piece, outside=(1, 0)),
        dataclasses.replace(piece, outside=(0, 0)),
        dataclasses.replace(piece, special=(dataclasses.replace(piece.special[0], kind="fold"),)),
        dataclasses.replace(piece, special=(dataclasses.replace(piece.special[0], form="subcritical"),)),
        dataclasses.replace(piece, special=(dataclasses.replace(piece.special[0], parameter=shifted),)),
        dataclasses.replace(piece, tubes=piece.tubes[:2] + piece.tubes[3:]),
        dataclasses.replace(piece, low=1.5),
        dataclasses.replace(piece, high=3.3),
        dataclasses.replace(piece, last=Enclosure(3.5, 1e-9)),
        dataclasses.replace(piece, tubes=(dataclasses.replace(first, start=first.start + 0.01), *piece.tubes[1:])),
        dataclasses.replace(piece, tubes=(dataclasses.replace(first, radii=first.radii * 1e-6), *piece.tubes[1:])),
        dataclasses.replace(piece, tubes=(dataclasses.replace(first, radii=first.radii * 1e9), *piece.tubes[1:])),
    ]
    for claim in false:
        with pytest.raises(NotProved):
            check_theorem(dataclasses.replace(theorem, pieces=(claim,)), map)
    other = bf.Map(lambda x, r: r * x * (1 - x) + 1e-3, {"r": 2.5})
    with pytest.raises(NotProved):
        check_theorem(theorem, other)


def test_what_is_singular_is_a_gap_with_a_reason():
    theorem = bf.prove(logistic_branch((0.5, 3.4)))  # crosses x = 0 at r = 1
    assert not theorem.complete and len(theorem.pieces) == 2
    assert [len(piece.special) for piece in theorem.pieces] == [0, 1]
    assert min(gap.low for gap in theorem.gaps) < 1.0 < max(gap.high for gap in theorem.gaps)
    assert max(gap.high for gap in theorem.gaps) - min(gap.low for gap in theorem.gaps) < 1e-3
    assert all(gap.reason for gap in theorem.gaps) and "Not proved" in str(theorem)


def test_degenerate_crossings_are_gaps():
    # The multiplier −1 + p² − … touches −1 at p = 0.
    theorem = bf.prove(traced(bf.Map(lambda x, p: -x * (1 - p**2), {"p": -0.5}), "p", [0.0], (-0.5, 0.5)))
    assert theorem.gaps and not theorem.special
    # Two equal multipliers cross −1 together.
    theorem = bf.prove(traced(bf.Map(lambda z, p: -z * (1 + p), {"p": -0.5}), "p", [0.0, 0.0], (-0.5, 0.5)))
    assert theorem.gaps and not theorem.special


def test_a_kink_is_a_gap():
    map = bf.Map(lambda x, p: p + 0.3 * x + 0.2 * np.abs(x), {"p": -0.5})
    theorem = bf.prove(traced(map, "p", [-0.6], (-0.5, 0.5)))
    assert len(theorem.pieces) == 2 and theorem.gaps
    assert all(gap.low <= 0.0 <= gap.high or abs(gap.low) < 1e-3 for gap in theorem.gaps)


def test_the_state_zero_as_a_branch_under_its_declaration():
    branch = traced(bf.maps.logistic(2.5), "r", [0.0], (0.5, 3.5))
    theorem = bf.prove(branch, invariant=np.empty((1, 0)))
    assert theorem.complete
    assert [(p.kind, p.form, p.parameter.contains(1.0)) for p in theorem.special] == [
        ("branch point", "transcritical", True)
    ]


def test_a_pitchfork_on_a_symmetric_branch():
    def f(z, p):
        return np.array([(1 + p) * z[0] - z[0] ** 3 + 0.3 * z[0] * z[1], 0.5 * z[1] + z[0] ** 2])

    branch = traced(bf.Map(f, {"p": -0.5}), "p", [0.0, 0.0], (-0.5, 0.5))
    theorem = bf.prove(branch, symmetry=[[-1, 0], [0, 1]])
    assert theorem.complete and theorem.pieces[0].outside == (0, 1)
    assert theorem.special[0].form == "pitchfork" and theorem.special[0].parameter.contains(0.0)


def test_the_first_diagram_of_the_readme():
    logistic = bf.Map(lambda x, r: r * x * (1 - x), parameters={"r": 2.5})
    diagram = bf.explore(bf.cycles(logistic, free="r", guess=[0.6]), bounds={"r": (0.5, 3.56)}, depth=3)
    theorem = bf.prove(diagram, invariant=np.empty((1, 0)))
    assert all(point is not None for point in theorem.points)
    flips = sorted(point.parameter.middle for point in theorem.points if point.kind == "flip")
    assert np.allclose(flips, [3.0, 1 + 6**0.5, 3.5440903595519], atol=1e-12)
    # What is left open: the branch point on the branch that no declaration makes one, and the births of two cycles.
    assert all("branch 0" in gap or "born" in gap for gap in theorem.gaps), theorem.gaps
    assert len(theorem.gaps) <= 6


def test_nothing_else_in_a_box():
    logistic = bf.Map(lambda x, r: r * x * (1 - x), parameters={"r": 2.5})
    diagram = bf.explore(bf.cycles(logistic, free="r", guess=[0.6]), bounds={"r": (1.2, 3.4)}, depth=1)
    theorem = bf.prove(diagram, box=[(0.01, 2.0), (1.2, 3.4)])
    assert theorem.exclusion.complete and "no other fixed point" in str(theorem)
    # With the state 0 inside, a fixed point that the diagram does not have is met.
    theorem = bf.prove(diagram, box=[(-0.1, 0.1), (1.2, 1.3)])
    assert not theorem.exclusion.complete
    assert all(low[0] <= 1e-3 and high[0] >= -1e-3 for low, high in theorem.exclusion.undecided[-20:])
    with pytest.raises(InvalidInput, match="intervals"):
        bf.prove(diagram, box=[(0.0, 1.0)])


def test_a_box_is_examined_again_when_its_theorem_is_checked(tmp_path):
    logistic = bf.maps.logistic(2.5)
    diagram = bf.explore(bf.cycles(logistic, free="r", guess=[0.6]), bounds={"r": (2.0, 2.8)}, depth=1)
    theorem = bf.prove(diagram, box=[(0.2, 0.9), (2.1, 2.7)])
    assert theorem.complete
    bf.save(theorem, tmp_path / "theorem.npz")
    check_theorem(bf.load(tmp_path / "theorem.npz"))
    # False claims: a box that holds the state 0, and a map with another pair of fixed points in the box.
    wider = dataclasses.replace(theorem.exclusion, low=np.array([-0.1, 2.1]))
    with pytest.raises(NotProved, match="box"):
        check_theorem(dataclasses.replace(theorem, exclusion=wider))
    other = bf.Map(lambda x, r: r * x * (1 - x) + np.where(x > 0.8, 30.0 * (x - 0.8) ** 2, 0.0), {"r": 2.5})
    with pytest.raises(NotProved, match="box"):
        check_theorem(theorem, other)
    # What was left open cannot be dropped from the list of gaps.
    with pytest.raises(NotProved, match="completeness"):
        check_theorem(dataclasses.replace(theorem, points=(*theorem.points, None)))


def test_curves_of_special_points_are_refused():
    flip = bf.special_point(bf.maps.henon(a=0.36, b=0.3), "flip", free="a", guess=[0.9, 0.3])
    flips = bf.trace(bf.locus(flip, free="b"), {"a": (0.1, 1.0), "b": (0.0, 0.5)})
    with pytest.raises(InvalidInput, match="special points"):
        bf.prove(flips)


def test_a_diagram_that_is_explored_with_its_theorem(tmp_path):
    logistic = bf.maps.logistic(2.5)
    diagram = bf.explore(bf.cycles(logistic, free="r", guess=[0.6]), bounds={"r": (2.0, 3.5)}, depth=2, prove=True)
    assert diagram.theorem is not None and all(point is not None for point in diagram.theorem.points)
    said = str(diagram)
    assert said.count("supercritical, proved") == 2 and "theorem: branch 0: from 2.0" in said
    figure = diagram.plot("r").figure
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["arc proved", "special point proved"]
    figure.savefig(tmp_path / "proved.png")
    bf.save(diagram, tmp_path / "diagram.npz")
    again = bf.load(tmp_path / "diagram.npz")
    assert str(again.theorem) == str(diagram.theorem)
    check_theorem(again.theorem)


def test_a_proof_decides_what_floating_point_calls_degenerate():
    # b = 1e-9 is less than the error of differences, 2e-8.
    flat = bf.Map(lambda x, p: -(1 + p) * x + 1e-9 * x**3, {"p": -0.2})
    diagram = bf.explore(bf.cycles(flat, "p", [0.0]), {"p": (-0.3, 0.3)}, depth=1, prove=True)
    assert [point.form for point in diagram.special] == ["degenerate"]
    assert "degenerate" not in str(diagram) and "supercritical, proved" in str(diagram)


def test_a_proof_agrees_with_a_coefficient_that_takes_short_differences():
    net = bf.adaptation.ring(4, (0.8, 0.0), (0.8, 1.05), alpha=0.402, beta=-0.1, sigma=1 / 6, b=0.05)
    curve = bf.cycles(net.update, "alpha", net.equilibrium())
    diagram = bf.explore(curve, {"alpha": (0.4, 0.404)}, depth=1, prove=True)
    (point,) = diagram.special
    assert point.form == "supercritical" and abs(point.coefficients["b"] - 11.97358520) <= point.errors["b"] < 1e-5
    assert "supercritical, proved" in str(diagram)
