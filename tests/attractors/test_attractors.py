"""Attractors against closed forms, certified locking windows and numbers of other programs."""

import pickle

import numpy as np
import pytest
from global_reference import GLOBAL, reference_map

import bifurcate as bf
from bifurcate.errors import InvalidInput

GOLDEN = np.pi * (np.sqrt(5.0) - 1.0)


def circle(z, turn):
    """Turns by a fixed angle on the unit circle, which attracts everything but the origin."""
    x, y = z
    u, v = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
    return np.array([u, v]) * (1.5 - 0.5 * (x * x + y * y))


@pytest.mark.parametrize(
    ("r", "period"), [(2.5, 1), (2.999, 1), (3.001, 2), (3.2, 2), (3.5, 4), (3.56, 8), (3.83, 3), (3.5699, 128)]
)
def test_the_least_period_of_the_logistic_cycles(r, period):
    # The windows of periods 2^n begin at 3, 1 + √6, 3.5441, 3.5644, …; that of 3 at 1 + √8.
    found = bf.attractor_of(bf.maps.logistic(r=r), [0.3])
    assert found.period == period and found.kind == ("fixed point" if period == 1 else "cycle")
    x = found.states[:, 0]
    assert np.abs(r * x * (1 - x) - np.roll(x, -1)).max() < 1e-10  # successive states of one cycle
    assert found.exponent == pytest.approx(np.mean(np.log(np.abs(r - 2 * r * x))), abs=1e-6)  # exactly ln|λ|/k


def test_a_chaotic_orbit_has_its_exponent():
    found = bf.attractor_of(bf.maps.logistic(r=4.0), [0.3])
    assert found.kind == "chaotic set" and found.period == 0
    assert abs(found.exponent - np.log(2)) < 4 * found.error


@pytest.mark.parametrize("turn", [GOLDEN, np.sqrt(2.0), 0.1 * np.sqrt(3.0)])
def test_a_closed_curve_is_the_exact_circle(turn):
    found = bf.attractor_of(bf.Map(circle, {"turn": turn}), [0.3, 0.1])
    assert found.kind == "closed curve" and abs(found.exponent) <= 3 * found.error + 1e-9
    assert np.abs(np.linalg.norm(found.states, axis=1) - 1.0).max() < 1e-12


def test_rational_rotation_has_no_isolated_cycle():
    # By a seventh of a turn every state of the circle has period 7: the multiplier along it is 1.
    found = bf.attractor_of(bf.Map(circle, {"turn": 2 * np.pi / 7}), [0.3, 0.1])
    assert found.kind == "undecided" and found.note


def test_locking_within_the_window_of_the_delayed_logistic_map():
    low, high = GLOBAL["lock_delayed_7"]["value"]
    inside = [reference_map("lock_delayed_7").f, 0.5 * (low + high)]
    found = bf.attractor_of(bf.Map(inside[0], {"r": inside[1]}), [0.4, 0.5])
    assert found.kind == "cycle" and found.period == 7
    outside = bf.attractor_of(bf.Map(inside[0], {"r": low - 0.01}), [0.4, 0.5])
    assert outside.period != 7


@pytest.mark.parametrize(
    ("map", "start"), [(bf.maps.logistic(r=3.0), [0.3]), (bf.maps.delayed_logistic(2.0), [0.4, 0.5])]
)
def test_at_a_bifurcation_an_orbit_is_undecided(map, start):
    found = bf.attractor_of(map, start)
    assert found.kind == "undecided" and "settling slowly" in found.note and not found.is_attractor


def test_a_chaotic_interval_is_no_closed_curve():
    # Just beyond the limit of doublings, r = 3.56995: bands of almost no width, an exponent of almost 0.
    assert bf.attractor_of(bf.maps.logistic(r=3.571), [0.3]).kind in ("chaotic set", "undecided")


def test_infinity_and_poles():
    assert bf.attractor_of(bf.maps.logistic(r=5.0), [0.3]).kind == "infinity"
    inverse = bf.Map(lambda x, c: c / (x - 1.0) - 3.0, {"c": 2.0}, domain=lambda x, c: x - 1.0)
    assert bf.attractor_of(inverse, [1.5]).kind == "pole"  # the next state, 1, is on the edge of the domain

    def failing(x, r):
        if x[0] > 0.95:
            raise RuntimeError("the table ends here")
        return r * x * (1 - x)

    found = bf.attractor_of(bf.Map(failing, {"r": 4.0}), [0.3])
    assert found.kind == "pole" and "the table ends here" in found.note


def test_both_attractors_of_ikedas_map():
    found = bf.attractors(reference_map("lyapunov_ikeda"), [(-10, 10)] * 2, starts=100)
    assert [each.kind for each in found] == ["fixed point", "chaotic set"]
    # The fixed point to the digits of the reference; the exponent within its errors.
    assert np.abs(found[0].states[0] - [2.97213161791, 4.14594642140]).max() < 1e-10
    value = GLOBAL["lyapunov_ikeda"]["value"][0][0]
    assert abs(found[1].exponent - value) < 4 * found[1].error
    assert sum(each.value for each in found.fractions.values()) == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_result():
    map = bf.maps.henon()
    first, second = (bf.attractors(map, [(-2, 2)] * 2, starts=50, seed=3) for _ in range(2))
    assert np.array_equal(first.starts, second.starts) and np.array_equal(first.labels, second.labels)
    assert np.array_equal(first.times, second.times) and np.array_equal(first[0].states, second[0].states)
    assert first[0].exponent == second[0].exponent
    other = bf.attractors(map, [(-2, 2)] * 2, starts=50, seed=4)
    assert not np.array_equal(first.starts, other.starts)


def test_an_angle_is_compared_round_its_circle():
    # x ↦ x + Ω − K sin(x) is locked for |Ω| < K: one attracting fixed point, sin x = Ω/K, in the lift at every turn.
    locked = bf.Map(lambda x, W, K: x + W - K * np.sin(x), {"W": 0.1, "K": 0.5}, periodic=2 * np.pi)
    found = bf.attractors(locked, [(0, 2 * np.pi)], starts=60)
    assert len(found) == 1 and found.fractions[0].value == 1.0
    assert np.sin(found[0].states[0, 0]) == pytest.approx(0.2, abs=1e-9)


def test_a_map_that_does_not_broadcast_gives_the_same():
    def single(z, a, b):
        return np.array([1 - a * z[0] ** 2 + z[1] if abs(z[0]) < 1e3 else z[0] ** 2, b * z[0]])

    box = [(-2, 2), (-1, 1)]
    found = bf.attractors(bf.Map(single, {"a": 0.9, "b": 0.3}), box, starts=60)
    batched = bf.attractors(bf.maps.henon(a=0.9), box, starts=60)
    assert np.array_equal(found.labels, batched.labels)
    assert [each.period for each in found] == [each.period for each in batched] == [2]


def test_what_leaves_the_box_and_what_is_outside():
    drift = bf.Map(lambda x, v: x + v + 0.1 * np.sin(x), {"v": 0.3})  # to the right, for ever
    assert set(bf.attractors(drift, [(0.0, 1.0)], starts=20, steps=300).labels) == {-3}
    # 2 attracts all x > 0, −2 all x < 0; of them the box holds the first alone.
    two = bf.Map(lambda x: x + 0.2 * x * (4 - x * x) / (1 + x * x), {})
    found = bf.attractors(two, [(-1.0, 3.0)], starts=200)
    assert len(found) == 1 and found[0].states[0, 0] == pytest.approx(2.0)
    assert set(found.labels) == {0, -3} and ((found.labels == 0) == (found.starts[:, 0] > 0)).all()


def test_a_box_without_an_attractor_is_said():
    found = bf.attractors(bf.maps.logistic(r=5.0), [(0.0, 1.0)], starts=100)
    assert len(found) == 0 and "no attractor from 100 starts" in str(found)
    assert found.fractions[-1].value == 1.0


@pytest.mark.parametrize("map", [bf.maps.standard(), bf.maps.henon(a=0.2, b=-1.0)])
def test_a_conservative_map_is_refused(map):
    with pytest.raises(InvalidInput, match=r"keeps volumes.*conservative"):
        bf.attractors(map, [(0.0, 1.0)] * 2)
    with pytest.raises(InvalidInput, match="conservative"):
        bf.basins(map, {0: (0, 1), 1: (0, 1)}, cells=4)


@pytest.mark.parametrize("box", [[(1.0, 0.0)], [0.0, 1.0], [], [(0.0, 1.0, 2.0)], [(np.nan, 1.0)]])
def test_boxes_that_are_none(box):
    with pytest.raises(InvalidInput, match="box"):
        bf.attractors(bf.maps.logistic(), box)


def test_wilsons_interval_covers_what_it_should():
    from bifurcate.attractors.fractions import wilson_interval

    # Its ends solve (p̂ − p)² = z² p (1 − p)/n.
    for count, total in ((3, 10), (0, 20), (50, 50), (431, 1000)):
        for p in wilson_interval(count, total):
            assert (count / total - p) ** 2 == pytest.approx(1.959963984540054**2 * p * (1 - p) / total, abs=1e-15)


def test_a_result_lasts(tmp_path):
    found = bf.attractors(bf.maps.logistic(r=3.5), [(-0.2, 1.2)], starts=30)
    bf.save(found, tmp_path / "attractors.npz")
    for again in (bf.load(tmp_path / "attractors.npz"), pickle.loads(pickle.dumps(found))):
        assert str(again) == str(found) and np.array_equal(again.labels, found.labels)
        assert np.array_equal(again[0].traps.radii, found[0].traps.radii)
    table = found.to_dataframe()
    assert table["period"].tolist() == [4, 0] and table["kind"].tolist() == ["cycle", "infinity"]


def test_the_verb_is_not_hidden_by_its_room():
    import bifurcate.attractors.attractors  # noqa: F401

    assert callable(bf.attractors) and bf.attractors.__name__ == "attractors"
