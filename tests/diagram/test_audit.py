"""Audits: what coarse steps, a missing branch and a touching multiplier leave unbalanced is found."""

import numpy as np
import pytest
from diagrams import bubble, pitchfork, values_at

import bifurcate as bf
from bifurcate.diagram import branch_source as exploration

COARSE = bf.StepControl(first=0.3, largest=0.6, angle=1.0, largest_angle=1.5)


def test_the_audit_finds_what_coarse_steps_missed():
    curve = bf.cycles(bubble(1e-3), "p", [0.0])
    coarse = bf.explore(curve, {"p": (-0.6, 0.6)}, control=COARSE)
    assert coarse.special == ()
    diagram = bf.explore(curve, {"p": (-0.6, 0.6)}, control=COARSE, audit=True)
    assert np.abs(np.array(values_at(diagram, "flip", "p")) - [-np.sqrt(1e-3), np.sqrt(1e-3)]).max() < 1e-8
    assert len(diagram.audit.extra) == 2 and not diagram.audit.clean and "with smaller steps also PD" in str(diagram)
    assert sorted(branch.curve.period for branch in diagram.branches) == [1, 2]


@pytest.mark.parametrize("kind", ["branch point", "flip"])
def test_the_audit_notices_a_branch_that_was_missed(kind, monkeypatch):
    # The last of the branches at every point of one kind is withheld: the indices there do not add up.
    whole = exploration.switches

    def withheld(point, amplitude=None):
        curves = whole(point, amplitude=amplitude)
        return curves[:-1] if point.kind == kind else curves

    monkeypatch.setattr(exploration, "switches", withheld)
    if kind == "branch point":
        diagram = bf.explore(bf.cycles(pitchfork(), "p", [0.0]), {"p": (-1.0, 1.0)}, audit=True)
    else:
        ring = bf.maps.logistic_ring(3, 3.1, 0.1)
        diagram = bf.explore(bf.cycles(ring, "r", [0.67] * 3), {"r": (3.05, 3.2)}, depth=2, audit=True)
    assert [words for words in diagram.audit.balance if "a branch is missing" in words]
    assert not diagram.audit.clean and "a branch is missing" in str(diagram)


def test_the_audit_finds_a_multiplier_that_only_touches():
    # A side branch of the triangle runs through its double branch point: one multiplier goes out, one comes in.
    map = bf.maps.logistic_ring(3, 2.5, 0.1)
    fixed = bf.trace(bf.cycles(map, "r", [0.6] * 3), {"r": (0.7, 2.9)})
    side = bf.trace(bf.switch(fixed.first("BP")), {"r": (0.7, 0.9)})
    start = side.points[len(side) - 4]
    curve = bf.cycles(map.replace(r=start.free[0]), "r", start.state)
    plain = bf.explore(curve, {"r": (0.7, 0.9)}, depth=2)
    assert values_at(plain, "BP", "r") == []
    diagram = bf.explore(curve, {"r": (0.7, 0.9)}, depth=2, audit=True)
    found = [*diagram.audit.extra, *diagram.audit.touching]
    assert [round(p.parameters["r"], 9) for p in found] == [round(2 - 1 / 0.85, 9)]
    assert len(diagram.branches) == 4
