"""Branches on which naive tools jump, stall or see what is not there; every answer is known in closed form."""

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg

import bifurcate as bf
from bifurcate.continuation.branch_jump_guard import parameter_is_stationary


def traced(f, p, guess, bounds=(-1.0, 1.0), **given):
    return bf.trace(bf.cycles(bf.Map(f, {"p": p}, **given), "p", guess), {"p": bounds})


def reasons(branch):
    return [stop.reason for stop in branch.stop]


@pytest.mark.parametrize("d", [1e-1, 1e-2, 1e-3])
def test_a_branch_between_two_neighbours_is_kept(d):
    # Fixed points on c and c ± d; on the middle one the multiplier is 3/2.
    def c(p):
        return np.sin(5.0 * p)

    branch = traced(
        lambda x, p: x - 0.5 * (x - c(p)) * (((x - c(p)) / d) ** 2 - 1.0), 0.0, [0.0],
        jacobian=lambda x, p: np.array([[1.0 - 0.5 * (3.0 * ((x[0] - c(p)) / d) ** 2 - 1.0)]]),
    )  # fmt: skip
    assert reasons(branch) == ["bound", "bound"] and not branch.special and not branch.doubts
    assert np.abs(np.array(branch.states)[:, 0] - c(branch["p"])).max() < 1e-9


@pytest.mark.parametrize("d", [1e-3, 1e-5])
def test_the_last_point_stays_on_its_branch(d):
    def c(p):
        return np.sin(5.0 * p)

    branch = traced(
        lambda x, p: x - 0.5 * (x - c(p)) * (((x - c(p)) / d) ** 2 - 1.0), 0.0, [d],
        jacobian=lambda x, p: np.array([[1.0 - 0.5 * (3.0 * ((x[0] - c(p)) / d) ** 2 - 1.0)]]),
    )  # fmt: skip
    assert reasons(branch) == ["bound", "bound"]
    assert np.abs(np.array(branch.states)[:, 0] - c(branch["p"]) - d).max() < 1e-3 * d


@pytest.mark.parametrize("k", [4, 6, 8])
def test_flat_folds_are_passed_and_doubted(k):
    branch = traced(lambda x, p: x + 0.1 * (p - x**k), 0.5, [0.5 ** (1 / k)], (-0.5, 1.0))
    assert reasons(branch) == ["bound", "bound"]
    assert np.array(branch.states).min() < -0.9 < 0.9 < np.array(branch.states).max()
    assert branch.special or any("seems to turn near p" in doubt for doubt in branch.doubts)


def test_the_side_branch_of_a_degenerate_pitchfork():
    branch = traced(lambda x, p: x + 0.3 * (p * x - x**5), 0.7, [0.7**0.25])
    assert reasons(branch) == ["bound", "bound"] and branch.states[0][0] * branch.states[-1][0] < 0
    assert branch.special or any("seems to turn near p" in doubt for doubt in branch.doubts)
    for point in branch.special:
        assert point.label == "BP" and abs(point.parameters["p"]) < 1e-10


@pytest.mark.parametrize("amplitude", [3e-2, 1e-2, 3e-3])
def test_a_narrow_pitchfork_is_turned_round(amplitude):
    branch = traced(lambda x, p: x + 0.3 * (p * x - x * (x / amplitude) ** 2), 0.5, [amplitude * np.sqrt(0.5)])
    (point,) = branch.special
    assert point.label == "BP" and abs(point.parameters["p"]) < 1e-10 and not branch.doubts
    assert branch["p"].min() > -1e-6 and branch.states[0][0] * branch.states[-1][0] < 0


@pytest.mark.parametrize("amplitude", [1e-3, 1e-4])
def test_one_too_narrow_for_the_steps_is_said_to_be_passed_over(amplitude):
    branch = traced(lambda x, p: x + 0.3 * (p * x - x * (x / amplitude) ** 2), 0.5, [amplitude * np.sqrt(0.5)])
    (point,), (doubt,) = branch.special, branch.doubts
    assert point.label == "BP" and abs(point.parameters["p"]) < 1e-10
    assert "the branch may have gone on along another one" in doubt


def rotation(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def linear(A):
    return traced(lambda x, p: A(p) @ x, -0.3, np.zeros(4), (-0.5, 0.5), jacobian=lambda x, p: A(p))


def test_two_neimark_sacker_points_in_one_place():
    both = scipy.linalg.block_diag(rotation(1.0), rotation(1.3))
    points = linear(lambda p: (1.0 + p) * both).special
    assert [point.label for point in points] == ["NS", "NS"] and not any(point.multiplicity > 1 for point in points)
    assert sorted(round(point.angle, 9) for point in points) == [1.0, 1.3]
    assert max(abs(point.parameters["p"]) for point in points) < 1e-13


@pytest.mark.parametrize("apart", [1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
def test_pairs_of_one_angle_that_cross_close_together(apart):
    branch = linear(lambda p: scipy.linalg.block_diag((1.0 + p) * rotation(1.0), (1.0 + p - apart) * rotation(1.0)))
    assert sum(point.multiplicity for point in branch.special) == 2 and not branch.doubts
    for true in (0.0, apart):
        assert min(abs(point.parameters["p"] - true) - 1.01 * point.error for point in branch.special) <= 0.0


@pytest.mark.parametrize("apart", [1e-5, 1e-6, 1e-7, 1e-8])
def test_flips_close_together(apart):
    def D(p):
        return np.diag(-1.0 - p + apart * np.array([0.0, 1.0, 2.7]))

    branch = traced(
        lambda x, p: D(p) @ x + 0.1 * x**3, -0.5, np.zeros(3), jacobian=lambda x, p: D(p) + np.diag(0.3 * x**2)
    )
    assert sum(point.multiplicity for point in branch.of("flip")) == 3 and not branch.doubts
    for true in apart * np.array([0.0, 1.0, 2.7]):
        assert min(abs(point.parameters["p"] - true) - 1.01 * point.error for point in branch.special) <= 0.0


@pytest.mark.parametrize("exact", [True, False])
def test_a_corner_is_passed(exact):
    slopes = {"jacobian": lambda x, p: np.array([[0.3 if x[0] < 0 else -2.0]])} if exact else {}
    branch = traced(
        lambda x, p: np.where(x < 0, 0.3 * x, -2.0 * x) + p, -0.5, [-0.5 / 0.7], borders=lambda x, p: x, **slopes
    )
    (point,) = branch.special
    assert point.label == "BORDER" and abs(point.parameters["p"]) <= point.error and not branch.doubts
    assert reasons(branch) == ["bound", "bound"] and abs(branch.states[-1][0] - 1.0 / 3.0) < 1e-9


def test_a_fold_is_as_exact_as_it_says():
    # (p² + x²)² − (p² − x²) + 1e-8 = 0: near the origin one oval comes close to the other.
    def f(x, p):
        return x + 0.2 * ((p * p + x * x) ** 2 - (p * p - x * x) + 1e-8)

    start = np.sqrt((-1.5 + np.sqrt(2.25 - 4.0 * (0.0625 - 0.25 + 1e-8))) / 2.0)
    branch = traced(
        f, 0.5, [start], (-2.0, 2.0),
        jacobian=lambda x, p: np.array([[1.0 + 0.2 * (4.0 * x[0] * (p * p + x[0] ** 2) + 2.0 * x[0])]]),
    )  # fmt: skip
    # At x = 0: p⁴ − p² + 1e-8 = 0.
    square = 0.5 + np.sqrt(0.25 - 1e-8)
    known = np.sqrt(1e-8 / square), np.sqrt(square)
    for point, true in zip(sorted(branch.special, key=lambda q: q.parameters["p"]), known, strict=True):
        assert abs(point.parameters["p"] - true) <= 2.0 * point.error


@pytest.mark.slow
def test_side_branches_of_three_identical_units():
    # S₃ × Z₂: beside the double branch point a transverse multiplier is as near to 1 as the distance's fourth power.
    def f(x, p):
        return x + 0.3 * (p * x - x**3) + 0.2 * (x.mean() - x)

    def J(x, p):
        return np.diag(1.0 + 0.3 * (p - 3.0 * x**2) - 0.2) + 0.2 / 3.0 * np.ones((3, 3))

    trivial = traced(f, -0.5, np.zeros(3), (-1.0, 1.5), jacobian=J)
    assert [(point.label, point.multiplicity) for point in trivial.special] == [("BP", 1), ("BP", 2)]
    through = [bf.trace(curve, {"p": (-1.0, 1.5)}) for curve in bf.switches(trivial.special[1])]
    pairs = [branch for branch in through if min(np.abs(branch.states[-1])) < 1e-9]  # of the type (1, −1, 0)
    assert pairs and all(
        abs(branch.states[-1]).max() == pytest.approx(np.sqrt(2.5 / 3.0), abs=1e-9) for branch in pairs
    )
    passed = [branch for branch in through if reasons(branch) == ["bound", "bound"]]
    assert len(passed) >= 2
    for branch in passed:
        (point,) = branch.of("branch point")
        assert point.multiplicity == 2 and abs(point.parameters["p"] - 2.0 / 3.0) < 1e-12


def test_a_cycle_that_ends_at_a_corner_is_not_followed_onto_shorter_ones():
    # Two points of the 4-cycle reach the corner together at b = −0.6, where a segment of 2-cycles stands.
    curve = bf.cycles(bf.maps.lozi(1.6, 0.3), "b", [0.46154679816302474, -0.15545199615264774], period=4)
    branch = bf.trace(curve, {"b": (-1.2, 0.3)})
    assert not branch.special and branch.stop[0].reason == "stalled" and abs(branch["b"][0] + 0.6) < 1e-6


@pytest.mark.parametrize(("moves", "is_still"), [((0.0, 0.0), True), ((0.0, 1e-6), False), ((1e-6, 0.0), False)])
def test_a_step_is_stationary_where_no_parameter_moves(moves, is_still):
    run = SimpleNamespace(curve=SimpleNamespace(size=1), widths=np.array([1.0, 2.0]))
    tangent = np.array([1.0, *moves])
    ends = (SimpleNamespace(arclength=t, u=np.array([t, 3.0, 4.0]) + t * tangent, tangent=tangent) for t in (0.0, 0.1))
    assert parameter_is_stationary(run, *ends) == is_still
