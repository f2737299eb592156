"""What exploration knows: points and branches are matched, and records are replaced, not edited."""

import pytest

import bifurcate as bf
from bifurcate.diagram.exploration import Exploration, Meeting


@pytest.fixture
def branch():
    return bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.3)})


def test_a_point_that_is_met_twice_is_one(branch):
    state = Exploration({"r": (0.5, 3.3)})
    number = state.add_branch(branch, 1)
    flip = branch.first("flip")
    assert state.add_meeting(flip, Meeting(number, flip.arclength)) == (0, True)
    before = state.points[0]
    assert state.add_meeting(flip, Meeting(number, flip.arclength + 1e-5)) == (0, False)
    assert state.points[0].meetings == before.meetings == (Meeting(0, flip.arclength),)
    state.mark_followed(0)
    assert state.points[0].is_followed and not before.is_followed
    assert state.points_at(0, flip.arclength) == [flip] and state.points_at(0, 0.0) == []


def test_a_branch_is_known_by_its_start_and_by_its_points(branch):
    state = Exploration({"r": (0.5, 3.3)})
    state.add_branch(branch, 1)
    assert state.branch_through_start(bf.cycles(bf.maps.logistic(r=3.0), "r", [2 / 3]), None) == 0
    assert state.branch_traced_before(branch) == 0
    doubled = bf.switch(branch.first("flip"))
    assert state.branch_through_start(doubled, branch.first("flip")) is None
    assert state.branch_traced_before(bf.trace(doubled, {"r": (0.5, 3.3)})) is None
