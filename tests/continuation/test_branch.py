"""What a branch and its points tell: by number, by parameter, by name; and a corrector of one's own."""

import dataclasses

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.metric import Metric


@pytest.fixture(scope="module")
def branch():
    return bf.trace(bf.cycles(bf.maps.henon(a=0.1, b=0.3), "a", [1.0, 0.3]), {"a": (-1.0, 1.0)})


def test_points_by_number(branch):
    assert branch[3] is branch.points[3]
    assert branch[-1].parameters == {"a": 1.0, "b": 0.3}
    assert branch[2:5] == branch.points[2:5]
    assert [point.residual for point in branch] == [point.residual for point in branch.points]


def test_fixed_parameters_by_name(branch):
    assert np.array_equal(branch["b"], np.full(len(branch), 0.3))
    with pytest.raises(bf.errors.InvalidInput, match="no parameter 'q'; it has a, b"):
        branch["q"]


def test_points_know_their_stability(branch):
    flip = branch.first("flip")
    for point in branch:
        x = point.state[0]
        trace, determinant = -2 * point.parameters["a"] * x, -0.3
        stable = abs(trace) < 1 + determinant and determinant > -1 and abs(determinant) < 1
        near = min(abs(point.parameters["a"] - p.parameters["a"]) for p in branch.special)
        assert point.stable == stable or near < 1e-6
    assert flip.parameters["a"] == pytest.approx(0.75 * 0.7**2, abs=1e-9)


def test_ends_have_names(branch):
    assert branch.stop.first is branch.stop[0] and branch.stop.last is branch.stop[1]
    assert {branch.stop.first.reason, branch.stop.last.reason} == {"bound", "escaped"}


def test_the_tolerance_of_a_branch_can_be_chosen():
    calls = 0

    def f(x, p):
        nonlocal calls
        calls += 1
        return x + 0.1 * (p - x - x**3)

    def traced(corrector):
        nonlocal calls
        map, calls = bf.Map(f, {"p": 0.5}), 0
        return bf.trace(bf.cycles(map, "p", [0.4]), {"p": (0.1, 2.0)}, corrector=corrector, detect=False), calls

    rough, few = traced(bf.Corrector(tolerance=1e-4))
    sharp, many = traced(None)
    assert max(point.residual for point in rough) <= 1e-4
    assert max(point.residual for point in sharp) <= 1e-11 < max(point.residual for point in rough)
    assert few < many


@pytest.mark.parametrize("wrong", ["sharp", bf.StepControl()])
def test_what_is_no_corrector_is_refused(wrong):
    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    with pytest.raises(bf.errors.InvalidInput, match="corrector must be a Corrector"):
        bf.trace(curve, {"r": (2.0, 3.0)}, corrector=wrong)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tolerance": 0.0}, "tolerance is 0.0"),
        ({"tolerance": np.inf}, "tolerance is inf"),
        ({"max_iterations": 0}, "max_iterations is 0"),
        ({"until": "bored"}, "until is 'bored'"),
    ],
)
def test_unusable_correctors(fields, words):
    with pytest.raises(bf.errors.InvalidInput, match=words):
        bf.Corrector(**fields)


def test_a_copy_of_a_corrector_takes_the_same_path():
    # Beside a singular point the residual stalls at rounding, where one way to end accepts and the other does not.
    twin = dataclasses.replace(TO_ROUNDING)
    assert twin == TO_ROUNDING and twin is not TO_ROUNDING
    curve = bf.cycles(bf.Map(lambda x, p: x + 0.3 * (p * x - x**3), {"p": 0.0}), "p", [1e-3])
    metric, normal = Metric.of(curve, np.array([1.0])), np.array([0.0, 1.0])
    for start in np.geomspace(1e-4, 1e-1, 20):
        guess = np.array([start, 0.0])
        found = [correct(curve, guess, normal, 0.0, metric, each) for each in (TO_ROUNDING, twin)]
        assert type(found[0]) is type(found[1])
        if isinstance(found[0], CurvePoint):
            assert np.array_equal(found[0].u, found[1].u)


def test_progress_is_told_the_same_everywhere():
    heard = []
    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    branch = bf.trace(curve, {"r": (2.0, 3.2)}, progress=heard.append)
    assert all(isinstance(each, bf.Progress) for each in heard)
    assert len(heard) == len(branch)
    assert {each.parameters["r"] for each in heard} == set(branch["r"].tolist())
    heard.clear()
    diagram = bf.explore(curve, {"r": (2.0, 3.2)}, depth=2, progress=heard.append)
    assert [each.branch for each in heard] == list(diagram.branches)
    assert [each.branches for each in heard] == [1, 2]


def test_steps_leave_floating_point_warnings_as_they_were():
    before = np.geterr()
    one, two = (bf.steps(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.2)}) for _ in range(2))
    for _ in range(3):
        next(one), next(two)
        assert np.geterr() == before
    one.close(), two.close()
    assert np.geterr() == before
