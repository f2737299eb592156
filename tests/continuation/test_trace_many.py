"""Branches traced together: what each is by itself, and special points of closed forms with errors that are true."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, NotConverged

B = np.linspace(0.1, 0.5, 9)
BOUNDS = {"a": (-1.0, 1.0)}


@pytest.fixture(scope="module")
def henon():
    return bf.trace_many(bf.maps.henon(a=0.1), "a", [[0.6, 0.2]], BOUNDS, parameters={"b": B})


def test_special_points_are_those_of_closed_forms(henon):
    for kind, exact in (("fold", -((1 - B) ** 2) / 4), ("flip", 3 * (1 - B) ** 2 / 4)):
        found = henon.special.of(kind)
        assert found.branches.tolist() == list(range(len(B)))
        assert np.abs(found.values - exact).max() < 1e-12
        assert (np.abs(found.values - exact) <= found.errors).all()
        target = 1.0 if kind == "fold" else -1.0
        assert np.abs(found.multipliers - target).min(axis=1).max() < 1e-6
    assert not henon.doubts.any()


def test_points_solve_the_equation_and_stability_is_theirs(henon):
    a, b = henon.values, np.repeat(B, np.diff(henon.offsets))
    x, y = henon.states.T
    assert np.abs(1 - a * x**2 + y - x).max() < 1e-12 * np.abs(x).max()
    assert np.abs(b * x - y).max() < 1e-12 * np.abs(x).max()
    root = np.sqrt((a * x) ** 2 + b)
    assert (
        np.abs(np.abs(henon.multipliers[:, 0]) - np.maximum(np.abs(-a * x + root), np.abs(-a * x - root))).max() < 1e-9
    )
    assert (henon.stable == (np.abs(henon.multipliers) < 1).all(axis=1)).all()
    assert henon.stable.any()
    assert not henon.stable.all()


def test_each_is_what_trace_follows_by_itself(henon):
    for i in (0, 5):
        alone = henon.branch(i)
        points = henon.points_of(i)
        assert henon.stops[i] == tuple(stop.reason for stop in alone.stop)
        assert abs(henon.values[points][-1] - alone.points[-1].parameters["a"]) < 1e-12
        assert np.abs(henon.states[points][-1] - alone.states[-1]).max() < 1e-12
        mine = henon.special.on(i)
        assert list(mine.kinds) == [point.kind for point in alone.special]
        for value, point in zip(mine.values, alone.special):
            assert abs(value - point.parameters["a"]) < 1e-10
    assert all(np.all(np.diff(henon.arclength[henon.points_of(i)]) > 0) for i in range(len(B)))


def test_neimark_sacker_points():
    delayed = bf.maps.delayed_logistic(1.9)
    found = bf.trace_many(delayed, "r", [[0.47, 0.47]], {"r": (1.5, 2.5)}, parameters={"r": [1.8, 1.95]})
    assert found.special.kinds == ("neimark-sacker",) * 2
    assert np.abs(found.special.values - 2.0).max() < 1e-12
    assert (np.abs(found.special.values - 2.0) <= found.special.errors).all()


def test_two_cycles_end_where_they_are_born():
    found = bf.trace_many(bf.maps.logistic(3.2), "r", [[0.8]], {"r": (2.9, 3.6)}, period=2)
    assert found.stops == (("collapsed", "bound"),)
    assert found.special.kinds == ("branch point", "flip")
    exact = np.array([3.0, 1 + np.sqrt(6)])
    assert (np.abs(found.special.values - exact) <= found.special.errors).all()
    assert found.special.errors.max() < 1e-10
    r, x = found.values, found.states[:, 0]
    assert np.abs(r**2 * x**2 - r * (r + 1) * x + r + 1).max() < 1e-11  # of both points of the cycle
    assert np.abs(found.multipliers[:, 0].real - (4 + 2 * r - r**2)).max() < 1e-10


@pytest.mark.parametrize("power", [2, 3])
def test_branch_points(power):
    normal_form = bf.Map(lambda x, p: x + 0.3 * (p * x - x**power), {"p": 1.0})
    found = bf.trace_many(normal_form, "p", [[0.9], [0.01]], {"p": (-1.0, 1.3)})
    assert found.special.kinds == ("branch point", "branch point")
    assert (np.abs(found.special.values) <= found.special.errors).all()
    assert found.special.errors.max() < 1e-9


def test_loops_close_once():
    loop = bf.Map(lambda x, p: x + 0.2 * (1 - x**2 - p**2), {"p": 0.0})
    found = bf.trace_many(loop, "p", [[1.0], [-1.0]], {"p": (-2.0, 2.0)})
    assert found.stops == (("closed", "closed"),) * 2
    assert np.abs(found.states[:, 0] ** 2 + found.values**2 - 1).max() < 1e-12
    assert sorted(found.special.of("fold").values.round(12).tolist()) == [-1.0, -1.0, 1.0, 1.0]


def test_branches_end_at_the_domain_and_where_f_fails():
    def relax(x, p):
        return x + 0.5 * (p - x) + 0.0 * np.sqrt(x)

    declared = bf.Map(relax, {"p": 1.0}, domain=lambda x, p: x)
    for map, reason in ((declared, "domain"), (bf.Map(relax, {"p": 1.0}), "failed")):
        found = bf.trace_many(map, "p", [[1.0]], {"p": (-1.0, 2.0)})
        assert found.stops[0] == (reason, "bound")
        assert 0 < found.values[0] < 3e-3  # within reach of differences of f


def test_guesses_that_fail_are_said():
    found = bf.trace_many(bf.maps.logistic(), "r", [[0.6], [1e300]], {"r": (2.0, 3.2)}, parameters={"r": 2.5})
    assert found.reasons[0] == ""
    assert found.reasons[1]
    assert len(found.values[found.points_of(1)]) == 0
    with pytest.raises(NotConverged):
        found.branch(1)
    assert found.reasons[1] in str(found)


def test_functions_that_take_one_state_at_a_time_give_the_same():
    def alone(z, a, b):
        x, y = float(z[0]), float(z[1])
        return np.array([1 - a * x * x + y, b * x])

    b = [0.2, 0.4]
    slow, fast = (
        bf.trace_many(map, "a", [[0.6, 0.2]], {"a": (0.0, 0.6)}, parameters={"b": b})
        for map in (bf.Map(alone, {"a": 0.1, "b": 0.3}), bf.maps.henon(a=0.1))
    )
    assert np.abs(slow.special.values - fast.special.values).max() < 1e-10


def test_accelerated_maps_give_the_same():
    jnp = pytest.importorskip("jax").numpy
    fast = bf.Map(
        lambda z, a, b: jnp.stack([1 - a * z[0] ** 2 + z[1], b * z[0]]), {"a": 0.1, "b": 0.3}, accelerate=True
    )
    b = np.array([0.2, 0.4])
    found = bf.trace_many(fast, "a", [[0.6, 0.2]], {"a": (0.0, 0.6)}, parameters={"b": b})
    assert found.special.kinds == ("flip",) * 2
    assert np.abs(found.special.values - 3 * (1 - b) ** 2 / 4).max() < 1e-12


def test_cycles_may_wind_round_a_circle():
    # θ ↦ θ + Ω + 0.1 sin 2πθ on the circle of length 1: fixed points wind once near Ω = 1, with folds at Ω = 1 ± 0.1.
    circle = bf.Map(lambda t, w: t + w + 0.1 * np.sin(2 * np.pi * t), {"w": 1.0}, periodic=(1.0,))
    found = bf.trace_many(circle, "w", [[0.01], [0.51]], {"w": (0.5, 1.5)})
    assert found.special.kinds == ("fold",) * len(found.special)
    assert np.abs(np.abs(found.special.values - 1.0) - 0.1).max() < 1e-12


def test_multipliers_that_stay_on_the_circle_are_no_special_points():
    # At (x, p) = (0, π) of the standard map the trace is 2 − K: on the circle for 0 < K < 4, a flip at 4.
    found = bf.trace_many(bf.maps.standard(2.0), "K", [[0.0, np.pi]], {"K": (0.5, 5.0)})
    assert found.special.kinds == ("flip",)
    assert abs(found.special.values[0] - 4.0) <= found.special.errors[0] < 1e-10
    assert not found.doubts.any()


def test_many_unknowns_are_solved_by_lapack():
    n = 10
    ring = bf.maps.logistic_ring(n=n, r=1.5, e=0.1)
    found = bf.trace_many(ring, "r", [np.full(n, 1 / 3)], {"r": (1.2, 3.05)}, parameters={"e": [0.1, 0.2]})
    # Multipliers (2 − r)(1 − e + e cos 2πj/n): simple for j = 0, double for the next ones.
    for i, e in enumerate((0.1, 0.2)):
        flips = found.special.on(i).of("flip")
        exact = 2 + 1 / (1 - e + e * np.cos(2 * np.pi * np.arange(6) / n))
        assert flips.multiplicities[flips.values.argsort()].tolist()[:2] == [1, 2]
        assert np.abs(np.sort(flips.values)[:2] - exact[:2]).max() < 1e-10


def test_the_result_tabulates_draws_and_lasts(henon, tmp_path):
    table = henon.to_dataframe()
    assert list(table.columns) == ["branch", "b", "a", "x0", "x1", "largest multiplier", "stable"]
    assert len(table) == len(henon.values)
    ax = henon.plot()
    assert len(ax.collections[0].get_paths()) >= len(B)
    assert ax.get_xlabel() == "a"
    bf.save(henon, tmp_path / "many.npz")
    again = bf.load(tmp_path / "many.npz")
    assert np.array_equal(again.values, henon.values)
    assert again.special.kinds == henon.special.kinds
    assert repr(again).startswith("ManyBranches(free='a'")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"free": "c"}, "no parameter 'c'"),
        ({"bounds": {"b": (0, 1)}}, "bounds must give an interval for 'a' alone"),
        ({"guesses": [[np.nan, 1.0]]}, "NaN"),
        ({"control": 3}, "control"),
    ],
)
def test_bad_arguments_are_refused(change, words):
    given = {"free": "a", "guesses": [[0.6, 0.2]], "bounds": BOUNDS, **change}
    with pytest.raises(InvalidInput, match=words):
        bf.trace_many(bf.maps.henon(a=0.1), **given)


def test_large_maps_are_refused():
    with pytest.raises(InvalidInput, match="201 unknowns"):
        bf.trace_many(bf.Map(lambda x, p: p * x, {"p": 0.5}), "p", [np.zeros(201)], {"p": (0.0, 0.9)})
