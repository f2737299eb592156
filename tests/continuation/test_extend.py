"""A branch goes on from its ends, on what it is known to be in closed form."""

import numpy as np
import pytest
from same import difference

import bifurcate as bf
from bifurcate.errors import InvalidInput


def logistic_branch(low=2.0, high=2.9):
    return bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (low, high)})


def test_both_ends_go_on_and_meet_what_is_there():
    branch = logistic_branch()
    longer = bf.extend(branch, {"r": (0.5, 3.5)})
    assert longer["r"][0] == 0.5 and longer["r"][-1] == 3.5
    assert [point.label for point in longer.special] == ["BP", "PD"]
    assert np.allclose(longer.states[:, 0], 1 - 1 / longer["r"], rtol=0, atol=1e-9)
    assert (np.diff(longer.arclength) > 0).all() and (np.diff(longer["r"]) > 0).all()
    assert all(point in longer.points for point in branch.points)
    assert longer.stop.first.reason == longer.stop.last.reason == "bound"


def test_one_end_goes_on_where_the_other_has_no_room():
    longer = bf.extend(logistic_branch(), {"r": (2.0, 3.5)})
    assert longer["r"][0] == 2.0 and longer["r"][-1] == 3.5 and len(set(longer["r"])) == len(longer)


def test_a_branch_is_followed_around_its_folds():
    # x² + p = 0 as fixed points of x + x² + p: p = −x², a fold at 0.
    map = bf.Map(lambda x, p: x + 0.1 * (x**2 + p), {"p": -0.5})
    branch = bf.trace(bf.cycles(map, "p", [np.sqrt(0.5)]), {"p": (-0.6, -0.4)})
    longer = bf.extend(branch, {"p": (-1.0, 1.0)})
    assert [point.label for point in longer.special] == ["LP"] and abs(longer.first("fold").parameters["p"]) < 1e-9
    assert np.allclose(longer.states[:, 0] ** 2, -longer["p"], atol=1e-9)
    assert longer.stop.first.reason == longer.stop.last.reason == "bound" and longer["p"][[0, -1]].tolist() == [-1, -1]


def test_a_branch_that_was_cut_off_goes_on():
    control = bf.StepControl(max_steps=5)
    short = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.5)}, control=control)
    assert short.stop.last.reason == "steps"
    longer = bf.extend(short, {"r": (0.5, 3.5)})
    assert [point.label for point in longer.special] == ["BP", "PD"] and longer["r"][-1] == 3.5


def test_curves_of_special_points_go_on():
    flip = bf.special_point(bf.maps.henon(a=0.4, b=0.3), "flip", free="a", guess=[0.9, 0.3])
    flips = bf.trace(bf.locus(flip, free="b"), {"a": (0.1, 0.5), "b": (0.0, 0.5)})
    longer = bf.extend(flips, {"a": (0.01, 2.0), "b": (-0.5, 0.9)})
    assert len(longer) > len(flips) and np.abs(longer["a"] - 0.75 * (1 - longer["b"]) ** 2).max() < 1e-9


def test_closed_branches_and_ends_of_other_kinds_stay():
    flip = logistic_branch(high=3.2).first("flip")
    doubled = bf.trace(bf.switch(flip), {"r": (2.9, 3.3)})
    longer = bf.extend(doubled, {"r": (2.9, 3.4)})
    assert "origin" in (longer.stop.first.reason, longer.stop.last.reason)
    assert longer["r"].max() == 3.4


def test_extended_branches_last_and_go_on_to_the_bit(tmp_path):
    branch = logistic_branch()
    bf.save(branch, tmp_path / "branch.npz")
    here, there = (bf.extend(each, {"r": (0.5, 3.5)}) for each in (branch, bf.load(tmp_path / "branch.npz")))
    assert difference(here, there) is None


def test_unusable_arguments_are_refused():
    branch = logistic_branch()
    with pytest.raises(InvalidInput, match=r"do not contain the branch: it runs from 2 to 2\.9"):
        bf.extend(branch, {"r": (2.5, 3.0)})
    with pytest.raises(InvalidInput, match="branch must be a Branch"):
        bf.extend(branch.curve, {"r": (2.5, 3.0)})
    bare = bf.trace(branch.curve, {"r": (2.0, 2.9)}, keep=lambda x: np.zeros(0))
    with pytest.raises(InvalidInput, match="traced with keep"):
        bf.extend(bare, {"r": (2.0, 3.0)})
