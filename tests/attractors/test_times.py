"""Return and escape times against Kac's lemma, three gaps, and exact escape rates."""

import pickle

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput

GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


def tent(x, s):
    return s * np.minimum(x, 1.0 - x)


def test_kacs_lemma_for_a_chaotic_map():
    # The logistic map's measure at r = 4: of [0, ½] a half, of [sin²(π/8), ½] a quarter.
    low = np.sin(np.pi / 8) ** 2
    found = bf.return_times(bf.maps.logistic(r=4.0), [0.3], [(low, 0.5)], steps=40_000)
    assert abs(found.mean - 4.0) < 4 * found.error and 0 < found.error < 0.1
    assert found.steps == 40_000 and found.end == "steps"
    assert len(found.returns) == len(found.visits) - 1 and found.returns.sum() == found.visits[-1] - found.visits[0]


def test_a_rotation_returns_after_three_times():
    # Slater's theorem: to an interval a rotation returns after two numbers or after these and their sum.
    found = bf.return_times(bf.Map(lambda x, w: (x + w) % 1.0, {"w": GOLDEN}), [0.05], [(0.0, 0.1)], steps=3000)
    lengths = np.unique(found.returns)
    assert len(lengths) == 3 and lengths[2] == lengths[0] + lengths[1]
    assert set(lengths.tolist()) == {5, 8, 13}  # Fibonacci numbers: |5ω − 3| and |8ω − 5| are the first ones < 0.1
    assert abs(found.mean - 10.0) < 0.05


def test_entries_exits_stays_and_absences():
    # A cycle of five states 0 … 4, of which 1 and 2 are in the set.
    step = bf.Map(lambda x: (x + 1.0) % 5.0, {})
    found = bf.return_times(step, [0.0], lambda x: 0.5 < x[0] < 2.5, steps=20)
    assert found.entries.tolist() == [1, 6, 11, 16] and found.exits.tolist() == [3, 8, 13, 18]
    assert found.stays.tolist() == [2] * 4 and found.absences.tolist() == [3] * 3
    within = bf.return_times(step, [2.0], lambda x: 0.5 < x[0] < 2.5, steps=20)
    assert within.entries.tolist() == [4, 9, 14, 19] and within.exits.tolist() == [1, 6, 11, 16]
    assert within.stays.tolist() == [2] * 3 and within.absences.tolist() == [3] * 4
    never = bf.return_times(step, [0.0], [(7.0, 8.0)], steps=20)
    assert not len(never.visits) and np.isnan(never.mean)


def test_the_tent_maps_escape_rate_is_exact():
    # Of [0, 1] a part 2/s stays at each iteration: survival (2/s)^t, κ = ln(s/2).
    s, m = 3.0, 20_000
    starts = np.random.default_rng(0).random((m, 1))
    found = bf.escape_times(bf.Map(tent, {"s": s}), starts, [(0.0, 1.0)], steps=30)
    t, part, low, high = found.survival()
    assert t.tolist() == list(range(31)) and part[0] == 1.0
    expected = (2 / s) ** t
    assert ((low[:12] <= expected[:12]) & (expected[:12] <= high[:12])).mean() > 0.7
    assert (np.abs(part - expected) < 4.5 * np.sqrt(expected * (1 - expected) / m) + 1e-12).all()
    rate, error = found.rate()
    assert abs(rate - np.log(s / 2)) < 4 * error and error < 0.01
    later, wider = found.rate(first=3, last=9)
    assert abs(later - np.log(s / 2)) < 4 * wider and wider > error


def test_entering_is_leaving_the_rest():
    # x ↦ x + 1 enters [10, 11] from k + ½ after 10 − k iterations.
    starts = np.arange(0.5, 10.0)[:, None]
    found = bf.escape_times(bf.Map(lambda x: x + 1.0, {}), starts, [(10.0, 11.0)], steps=8, entering=True)
    assert found.times.tolist() == [-1, -1, 8, 7, 6, 5, 4, 3, 2, 1]
    assert bf.escape_times(bf.maps.logistic(r=5.0), [[0.5]], [(7.0, 8.0)], entering=True).times.tolist() == [-1]


def test_single_calls_and_angles():
    def single(x, s):
        return s * min(x[0], 1.0 - x[0]) * np.ones(1)

    starts = np.random.default_rng(1).random((200, 1))
    one, many = (bf.escape_times(bf.Map(f, {"s": 3.0}), starts, [(0, 1)], steps=9) for f in (single, tent))
    assert np.array_equal(one.times, many.times) and np.array_equal(one.states, many.states)
    turn = bf.Map(lambda x, w: x + w, {"w": 0.3}, periodic=1.0)  # in the lift; the box is an arc
    assert bf.return_times(turn, [0.0], [(-0.05, 0.05)], steps=50).visits.tolist() == [0, 10, 20, 30, 40, 50]


def test_results_last(tmp_path):
    found = bf.escape_times(bf.Map(tent, {"s": 3.0}), [[0.5], [0.1]], [(0, 1)], steps=5)
    bf.save(found, tmp_path / "x.npz")
    for again in (bf.load(tmp_path / "x.npz"), pickle.loads(pickle.dumps(found))):
        assert np.array_equal(again.times, found.times) and again.rate() == found.rate()


@pytest.mark.parametrize(
    ("inside", "words"),
    [([(0, 1), (0, 1)], "shape"), (lambda x: x, "True or False"), (3, "box"), ([(1, 0)], "low < high")],
)
def test_sets_that_are_none(inside, words):
    with pytest.raises(InvalidInput, match=words):
        bf.escape_times(bf.Map(tent, {"s": 3.0}), [[0.5]], inside)
    with pytest.raises(InvalidInput, match=words):
        bf.return_times(bf.Map(tent, {"s": 3.0}), [0.5], inside)
