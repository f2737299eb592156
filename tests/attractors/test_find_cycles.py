"""find_cycles against counts that are known: complete solutions of the equations, formulas, other programs."""

import json
import pathlib
import pickle

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.attractors.cycle_collection import unseen
from bifurcate.attractors.fixed_point_index import index_of_cycle
from bifurcate.errors import InvalidInput, MapFailed

ENTRIES = json.loads((pathlib.Path(__file__).parents[1] / "data/global.json").read_text())["entries"]
KNOWN = {entry["name"]: entry for entry in ENTRIES}
TURN = 2.0 * np.pi

# Cycles of least period 1, …, 12 in the attractor of the Hénon map at (1.4, 0.3) (Davidchack & Lai, Phys. Rev. E 60
# (1999) 6172; Galias, Int. J. Bifurcation Chaos 11 (2001) 2427). A second fixed point lies outside the attractor.
HENON = dict(enumerate([1, 1, 0, 1, 0, 2, 4, 7, 6, 10, 14, 19], start=1))


def ikeda(x, u):
    t = 0.4 - 6 / (1 + x[0] ** 2 + x[1] ** 2)
    c, s = np.cos(t), np.sin(t)
    return np.array([1 + u * (x[0] * c - x[1] * s), u * (x[0] * s + x[1] * c)])


def coupled(x, r, eps):
    g = r * x * (1 - x)
    return np.array([(1 - eps) * g[0] + eps * g[1], (1 - eps) * g[1] + eps * g[0]])


def logistic_cycles(k):
    """How many cycles of least period k the logistic map has at r = 4: those of 2^k points (Möbius inversion)."""
    points = {}
    for j in range(1, k + 1):
        if k % j == 0:
            points[j] = 2**j - sum(points[i] for i in points if j % i == 0)
    return points[k] // k


def check_cycles(found):
    """Every solution is a cycle of its least period, begun at its first state, and no two are one."""
    for each in (*found.cycles, *found.shorter):
        orbit = bf.orbit(found.map, each.state, each.period + 1).states.reshape(each.period + 1, -1)
        size = max(1.0, np.abs(orbit).max())
        growth = max(1.0, abs(each.multipliers[0]))
        apart = orbit[-1] - orbit[0]
        if found.map.periods is not None:
            apart -= found.map.periods * np.round(apart / found.map.periods)
        assert np.abs(apart).max() < 1e-13 * growth * size
        for j in range(1, each.period):
            assert np.abs(orbit[j] - orbit[0]).max() > 1e-6
    states = [each.state.ravel() for each in found.cycles]
    for i, x in enumerate(states):
        assert all(np.abs(x - y).max() > 1e-6 for y in states[:i])


@pytest.mark.parametrize("period", [7, 8, 10, 12])
def test_cycles_of_the_henon_map(period):
    found = bf.find_cycles(bf.maps.henon(), period, [(-2.0, 2.0), (-1.0, 1.0)])
    assert len(found) == HENON[period] and not found.complete
    shorter = [each.period for each in found.shorter]
    for divisor in (d for d in range(1, period) if period % d == 0):
        assert shorter.count(divisor) == HENON[divisor] + (divisor == 1)
    # Products of the multipliers: the determinant of Df is −b.
    for each in found.cycles:
        assert abs(np.prod(each.multipliers) / (-0.3) ** period - 1.0) < 1e-9 and not each.stable
    check_cycles(found)


@pytest.mark.slow
@pytest.mark.parametrize("period", [3, 5, 9, 11])
def test_more_cycles_of_the_henon_map(period):
    assert len(bf.find_cycles(bf.maps.henon(), period, [(-2.0, 2.0), (-1.0, 1.0)])) == HENON[period]


@pytest.mark.parametrize("period", [8, 10])
def test_saddles_of_the_henon_map_in_the_whole_plane(period):
    found = bf.find_cycles(bf.maps.henon(a=1.2), period, [(-10.0, 10.0), (-4.0, 4.0)])
    counts = KNOWN["cycles_henon_1.2"]["value"]
    assert len(found) == counts[str(period)]
    periods = [each.period for each in found.shorter]
    assert all(periods.count(d) == counts[str(d)] for d in range(1, period) if period % d == 0)


@pytest.mark.parametrize("period", [6, 7, 8])
def test_cycles_of_the_logistic_map(period):
    found = bf.find_cycles(bf.maps.logistic(r=3.9), period, [(-0.1, 1.1)])
    counts = KNOWN["cycles_logistic_3.9"]["value"]
    assert len(found) == counts[str(period)]
    assert found.index_sum == found.expected_index == 0
    check_cycles(found)


@pytest.mark.parametrize("period", [6, 10])
def test_all_points_of_the_full_logistic_map(period):
    found = bf.find_cycles(bf.maps.logistic(r=4.0), period, [(0.0, 1.0)])
    assert len(found) == logistic_cycles(period) and found.points == 2**period
    assert abs(found.entropy.value - np.log(2.0)) < 1e-12
    for each in found.cycles:
        assert abs(abs(each.multipliers[0]) / 2.0**period - 1.0) < 1e-10


@pytest.mark.parametrize("period", [1, 4, 5])
def test_cycles_of_the_ikeda_map(period):
    found = bf.find_cycles(bf.Map(ikeda, {"u": 0.9}), period, [(-10.0, 10.0), (-10.0, 10.0)])
    assert len(found) == KNOWN["cycles_ikeda"]["value"][str(period)]
    assert found.index_sum == 1  # Lefschetz's number, by interval arithmetic
    if period == 1:
        states = np.array([each.state for each in found.cycles])
        assert np.abs(states - KNOWN["ikeda_fixed_points"]["value"]).max() < 1e-11


@pytest.mark.parametrize("period", [1, 2, 3, 4])
def test_cycles_of_coupled_maps(period):
    found = bf.find_cycles(bf.Map(coupled, {"r": 3.6, "eps": 0.1}), period, [(0.0, 1.0), (0.0, 1.0)])
    assert len(found) == KNOWN["cycles_coupled"]["value"][str(period)]


@pytest.mark.parametrize("period", [1, 3, 5])
def test_cycles_that_wind_round_a_circle(period):
    # x ↦ 2x + 0.2 sin x expands everywhere and is conjugate to doubling: 2^k − 1 fixed points of f^k.
    map = bf.Map(lambda x: 2.0 * x + 0.2 * np.sin(x), {}, periodic=TURN)
    found = bf.find_cycles(map, period, [(0.0, TURN)])
    assert found.points == 2**period - 1
    assert found.index_sum == found.expected_index == 1 - 2**period
    check_cycles(found)


@pytest.mark.parametrize("period", [2, 3])
def test_cycles_of_the_cat_map_on_the_torus(period):
    A = np.array([[2, 1], [1, 1]])
    map = bf.Map(lambda z: np.array([2 * z[0] + z[1], z[0] + z[1]]), {}, periodic=(TURN, TURN))
    found = bf.find_cycles(map, period, [(0.0, TURN), (0.0, TURN)])
    lefschetz = round(float(np.linalg.det(np.eye(2) - np.linalg.matrix_power(A, period))))
    assert found.points == abs(lefschetz) and found.index_sum == found.expected_index == lefschetz


def test_what_is_found_is_proved_to_be_all():
    pytest.importorskip("flint")
    found = bf.find_cycles(bf.maps.logistic(r=3.2), 2, [(-0.5, 1.5)], prove=True)
    assert found.complete and found.theorem.complete and "proved" in str(found)
    assert [len(found), len(found.shorter)] == [1, 2]


def test_entropy_has_an_error_that_holds():
    found = bf.find_cycles(bf.maps.henon(), 11, [(-2.0, 2.0), (-1.0, 1.0)])
    exact = KNOWN["entropy_henon"]
    assert abs(found.entropy.value - exact["value"]) < found.entropy.error + exact["error"]


def test_a_map_of_one_state_at_a_time_has_the_same_cycles():
    def f(x, r):
        return np.array([r * float(x[0]) * (1.0 - float(x[0]))])

    found = bf.find_cycles(bf.Map(f, {"r": 3.9}), 3, [(0.0, 1.0)], max_starts=600)
    assert len(found) == 2 and len(found.shorter) == 2


def test_more_than_three_dimensions_without_cells():
    map = bf.maps.logistic_ring(n=5, r=2.0, e=0.1)
    found = bf.find_cycles(map, 1, [(-0.2, 0.9)] * 5, max_starts=800)
    assert any(np.abs(each.state - 0.5).max() < 1e-9 for each in found.cycles)
    assert any(np.abs(each.state).max() < 1e-9 for each in found.cycles)


def test_branches_through_all_cycles_each_once():
    # The two 3-cycles at r = 3.84 lie on one branch, which turns at 1 + √8.
    found = bf.find_cycles(bf.maps.logistic(r=3.84), 3, [(0.0, 1.0)])
    assert len(found) == 2
    branches = found.trace_all("r", (3.8, 3.86))
    assert len(branches) == 1 and abs(branches[0].first("fold").parameters["r"] - (1 + np.sqrt(8))) < 1e-9
    diagram = bf.explore(found, bounds={"r": (3.8, 3.845)}, depth=1)
    assert len(diagram.branches) == 1


def test_no_cycle_is_said_and_a_seed_repeats():
    none = bf.find_cycles(bf.maps.henon(), 3, [(-2.0, 2.0), (-1.0, 1.0)])
    assert len(none) == 0 and "met none" in str(none) and "0 cycles of period 3" in str(none)
    one, two = (bf.find_cycles(bf.maps.henon(), 4, [(-2.0, 2.0), (-1.0, 1.0)], seed=3) for _ in range(2))
    assert np.array_equal(one.cycles[0].cycle, two.cycles[0].cycle) and one.evidence == two.evidence


def test_cycles_with_states_outside_the_box_are_kept_apart():
    whole = bf.find_cycles(bf.maps.logistic(r=3.9), 2, [(0.0, 1.0)])
    low, high = np.sort(whole.cycles[0].cycle.ravel())
    part = bf.find_cycles(bf.maps.logistic(r=3.9), 2, [(0.5 * (low + high), 1.0)])
    assert len(part) == 0 and [each.period for each in part.partly_inside] == [2]


def test_results_are_saved(tmp_path):
    found = bf.find_cycles(bf.maps.henon(), 4, [(-2.0, 2.0), (-1.0, 1.0)])
    bf.save(found, tmp_path / "cycles.npz")
    again = bf.load(tmp_path / "cycles.npz")
    assert np.array_equal(again.cycles[0].cycle, found.cycles[0].cycle) and str(again) == str(found)
    assert pickle.loads(pickle.dumps(found)).evidence == found.evidence


def test_indices():
    assert index_of_cycle(np.array([0.5, -3.0]), 1) == 1
    assert index_of_cycle(np.array([0.5, -3.0]), 2) == -1
    assert index_of_cycle(np.array([2.0, 3.0]), 1) == 1
    assert index_of_cycle(np.array([1j, -1j]), 1) == 1
    assert index_of_cycle(np.array([1j, -1j]), 4) is None
    assert index_of_cycle(np.array([1e200]), 12) == -1


def test_the_estimate_of_what_is_missing_holds_in_the_mean():
    # 60 kinds drawn evenly, 80 times: about 60 exp(−80/60) = 16 are not met.
    rng, errors = np.random.default_rng(0), []
    for _ in range(200):
        counts = np.bincount(rng.integers(60, size=80), minlength=60)
        errors.append(unseen(counts[counts > 0].tolist()) - int((counts == 0).sum()))
    assert abs(np.mean(errors)) < 2.0


def failing(x):
    raise ValueError("nowhere")


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m: bf.find_cycles(m, 0, [(0.0, 1.0)]), InvalidInput, "period is 0"),
        (lambda m: bf.find_cycles(m, 1, [(1.0, 0.0)]), InvalidInput, "low < high"),
        (lambda m: bf.find_cycles(m, 1, 3.0), InvalidInput, "box has shape"),
        (lambda m: bf.find_cycles(m, 1, [(0.0, 1.0)], seed=-1), InvalidInput, "seed is -1"),
        (lambda m: bf.find_cycles(m, 1, [(0.0, 1.0)], max_starts=0), InvalidInput, "max_starts is 0"),
        (lambda m: bf.find_cycles(m, 1, [(0.0, 1.0)], prove=1), InvalidInput, "prove is 1"),
        (lambda m: bf.find_cycles(3, 1, [(0.0, 1.0)]), InvalidInput, "map must be a Map"),
        (lambda m: bf.find_cycles(bf.Map(failing, {}), 1, [(0.0, 1.0)]), MapFailed, "nowhere"),
    ],
)
def test_unusable_arguments(call, error, words):
    with pytest.raises(error, match=words):
        call(bf.maps.logistic())
