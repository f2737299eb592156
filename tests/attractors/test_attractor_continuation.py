"""Attractors along a parameter against bifurcations that are known, and sweeps with hysteresis."""

import pickle

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput


def cubic(x, a):
    return a * x - x**3


def bistable(x, p):
    """x + (p + x − x³)/2: two stable equilibria for |p| < 2/√27, one beyond."""
    return x + 0.5 * (p + x - x**3)


FOLD = 2.0 / np.sqrt(27.0)


@pytest.fixture(scope="module")
def fold():
    # Values to both sides of the folds, none of them on one.
    values = np.linspace(-0.6, 0.6, 13) + 0.007
    return bf.attractor_continuation(bf.Map(bistable, {"p": 0.0}), "p", values, [(-2, 2)], starts=60, branches=True)


def test_births_and_deaths_are_at_the_folds(fold):
    assert [event.kind for event in fold.events] == ["birth", "death"]
    for event, exact in zip(fold.events, (-FOLD, FOLD), strict=True):
        assert event.between[0] < exact < event.between[1]
    born, dead = fold.events
    assert (born.id, dead.id, dead.other) == (1, 0, 1)
    for value, known in zip(fold.values, fold.attractors, strict=True):
        assert len(known) == (2 if abs(value) < FOLD else 1)
        for number, attractor in known.items():
            x = attractor.states[0, 0]
            assert abs(value + x - x**3) < 1e-10 and (x > 0) == (number == 1)


def test_fractions_are_those_of_the_starts(fold):
    # Counted by plain iteration of the same starts.
    starts = -2 + 4 * np.random.default_rng(0).random((60, 1))
    for i, value in enumerate(fold.values):
        ends = bf.ensemble(bf.Map(bistable, {"p": float(value)}), starts, 1, transient=4000).states[:, 0, 0]
        total = sum(fold.fractions[k][i] for k in fold.fractions)
        assert total == pytest.approx(1.0)
        for number, attractor in fold.attractors[i].items():
            mine = np.abs(ends - attractor.states[0, 0]) < 1e-3
            assert fold.fractions[number][i] == pytest.approx(mine.mean())
    low, high = fold.interval(1)
    assert (low <= fold.fractions[1]).all() and (fold.fractions[1] <= high).all()


def test_one_branch_runs_through_both_attractors(fold):
    assert len(fold.branches) == 1  # the two sheets are joined by the folds
    folds = sorted(point.parameters["p"] for point in fold.branches[0].of("fold"))
    assert folds == pytest.approx([-FOLD, FOLD], abs=1e-9)


def test_a_pitchfork_splits_and_a_doubling_changes_the_period():
    values = [0.8, 0.95, 1.05, 1.2, 1.9, 2.1]
    found = bf.attractor_continuation(bf.Map(cubic, {"a": 1.0}), "a", values, [(-1.2, 1.2)], starts=40)
    kinds = [(event.kind, event.between) for event in found.events]
    assert kinds[0] == ("split", (0.95, 1.05))
    assert kinds[1:] == [("change", (1.9, 2.1))] * 2
    assert found.events[1].note.endswith("fixed point → cycle of period 2")
    back = bf.attractor_continuation(bf.Map(cubic, {"a": 1.0}), "a", values[:4][::-1], [(-1.2, 1.2)], starts=40)
    assert [event.kind for event in back.events] == ["merger"]


@pytest.mark.slow
def test_two_chaotic_attractors_merge():
    # Of x ↦ ax − x³ at a = 3√3/2, where the image of each one's largest state reaches 0.
    crisis = 1.5 * np.sqrt(3.0)
    values = [crisis - 0.06, crisis - 0.02, crisis + 0.02]
    found = bf.attractor_continuation(bf.Map(cubic, {"a": 2.5}), "a", values, [(-1.2, 1.2)], starts=30)
    assert [len(each) for each in found.attractors] == [2, 2, 1]
    assert found.events[-1].kind == "merger" and found.events[-1].between == pytest.approx(values[1:])


def test_orbits_of_a_dying_attractor_go_to_infinity():
    # The logistic map's chaotic set ends at r = 4.
    found = bf.attractor_continuation(bf.maps.logistic(), "r", [3.95, 4.05], [(0.05, 0.95)], starts=20)
    (event,) = found.events
    assert event.kind == "death" and event.other == -1 and "infinity" in str(event)
    assert found.fractions[-1].tolist() == [0.0, 1.0]


def test_the_same_seed_gives_the_same_result_and_it_lasts(fold, tmp_path):
    again = bf.attractor_continuation(fold.map, "p", fold.values, [(-2, 2)], starts=60)
    assert all(np.array_equal(again.fractions[k], fold.fractions[k]) for k in fold.fractions)
    assert again.events == fold.events and str(again) == str(fold)
    bf.save(fold, tmp_path / "continuation.npz")
    for other in (bf.load(tmp_path / "continuation.npz"), pickle.loads(pickle.dumps(fold))):
        assert str(other) == str(fold) and other.events == fold.events
    assert len(fold.to_dataframe()) == sum(len(each) for each in fold.attractors)


def test_an_interrupt_keeps_the_values_that_were_reached():
    def stop(record):
        if record.points == 2:
            raise KeyboardInterrupt

    found = bf.attractor_continuation(bf.maps.logistic(), "r", [2.5, 2.6, 2.7], [(0.1, 0.9)], starts=5, progress=stop)
    assert found.interrupted and found.values.tolist() == [2.5, 2.6] and "interrupted" in str(found)


def test_sweeps_up_and_down_show_hysteresis():
    values = np.linspace(-0.6, 0.6, 25)
    swept = bf.orbit_diagram(bf.Map(bistable, {"p": 0.0}), "p", values, [-1.3], 0, samples=1, carry="both ways")
    up, down = swept.samples[:25, 0], swept.samples[25:, 0][::-1]
    assert np.array_equal(swept.values[:25], values) and np.array_equal(swept.values[25:], values[::-1])
    # Upwards the lower equilibrium is kept until it ends at +2/√27; downwards the upper one until −2/√27.
    inside = np.abs(values) < FOLD - 0.02
    assert (up[inside] < 0).all() and (down[inside] > 0).all()
    assert np.array_equal(up < 0, values < FOLD) and np.array_equal(down > 0, values > -FOLD)
    once = bf.orbit_diagram(bf.Map(bistable, {"p": 0.0}), "p", values, [-1.3], 0, samples=1, carry=True)
    assert np.array_equal(once.samples[:, 0], up)


def test_a_carried_orbit_that_ends_begins_anew():
    seen = bf.orbit_diagram(bf.maps.logistic(), "r", [2.0, 5.0, 2.5], [0.3], 0, samples=1, carry=True)
    assert seen.ends == ("steps", "diverged", "steps")
    assert seen.samples[[0, 2], 0] == pytest.approx([0.5, 0.6]) and np.isnan(seen.samples[1, 0])


@pytest.mark.parametrize("given", [{"carry": "down"}, {"carry": 2}, {"carry": True, "layout": "trailing"}])
def test_what_cannot_be_carried(given):
    with pytest.raises(InvalidInput):
        bf.orbit_diagram(bf.maps.logistic(), "r", [2.0, 2.5], [0.3], 0, **given)


def test_a_value_at_which_volumes_are_kept_is_named():
    with pytest.raises(InvalidInput, match="at b = 1: henon keeps volumes"):
        bf.attractor_continuation(bf.maps.henon(), "b", [0.9, 1.0], [(-0.1, 0.1)] * 2, starts=3)
