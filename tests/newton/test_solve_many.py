"""solve_many: every row is what solve finds from its guess, whatever the map gives, and failures say why."""

import dataclasses

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import BifurcateError, InvalidInput, MapFailed, NotConverged

TURN = 2.0 * np.pi


def henon(**parts):
    return bf.Map(lambda z, a, b: np.array([1.0 - a * z[0] ** 2 + z[1], b * z[0]]), {"a": 1.4, "b": 0.3}, **parts)


MIX = np.array([[0.8, -0.5, 0.1], [0.3, 0.9, -0.4], [0.2, 0.1, 1.1]])
MAPS = {
    "a jvp that broadcasts": (bf.maps.henon(), 2, "trailing"),
    "differences": (henon(), 2, "trailing"),
    "complex steps": (henon(derivative="complex"), 2, "trailing"),
    "a jacobian for one state": (
        henon(jacobian=lambda z, a, b: np.array([[-2.0 * a * z[0], 1.0], [b, 0.0]])),
        2,
        "trailing",
    ),
    "a jacobian that broadcasts": (
        henon(jacobian=lambda z, a, b: np.array([[-2 * a * z[0], 0 * z[0] + 1], [b + 0 * z[0], 0 * z[0]]])),
        2,
        "trailing",
    ),
    "rows": (bf.Map(lambda x, g: np.tanh(g * x @ MIX.T), {"g": 0.7}), 3, "leading"),
    "one number": (bf.maps.logistic(r=3.9), 1, "trailing"),
    "f of one state": (bf.Map(lambda z: np.array([1 - 1.4 * float(z[0]) ** 2 + z[1], 0.3 * z[0]]), {}), 2, "single"),
    "a domain": (bf.Map(lambda x: x + 0.1 * (x - 0.5) * np.log(x), {}, domain=lambda x: x), 1, "trailing"),
    "a circle": (bf.Map(lambda x, w: x + w + 0.9 * np.sin(x), {"w": 0.3}, periodic=TURN), 1, "trailing"),
    "a sharp bend": (bf.Map(lambda x: 2.0 / (1e-3 + x**2) ** 0.5 - 1.0, {}), 1, "trailing"),
}


def compare(found, map, guesses, **options):
    """Every row against solve; how many converged."""
    for i, guess in enumerate(guesses):
        values = {name: float(np.broadcast_to(v, len(found))[i]) for name, v in found.parameters.items()}
        try:
            alone = bf.solve(map.replace(**values), guess, **options)
        except BifurcateError:
            assert not found.converged[i] and found.reasons[i] and found.periods[i] == 0
            continue
        assert found.converged[i] and found.reasons[i] == "" and found.periods[i] == alone.period
        size = max(map.scale, np.abs(alone.state).max())
        assert np.abs(found.states[i] - alone.state).max() <= 1e-12 * size
        exact = np.repeat(alone.multipliers, alone.spectrum.multiplicity)
        assert np.abs(found.multipliers[i] - exact).max() <= 1e-9 * max(1.0, np.abs(exact).max())
        assert found.stable[i] == alone.stable
        assert found.isolated[i] == (alone.manifold is None)
        assert found.residuals[i] <= 1e-11 * size
    return int(found.converged.sum())


@pytest.mark.parametrize("period", [1, 3])
@pytest.mark.parametrize("name", MAPS)
def test_rows_are_what_solve_finds(name, period, rng):
    map, n, layout = MAPS[name]
    guesses = rng.uniform(0.05, 1.0, (24, n))
    found = bf.solve_many(map, guesses, period=period)
    assert found.layout == layout and len(found) == 24
    assert compare(found, map, guesses, period=period) >= 5


def test_parameters_vary_from_row_to_row():
    r = np.linspace(1.2, 4.0, 50)
    found = bf.solve_many(bf.maps.logistic(), [[0.6]], parameters={"r": r})
    assert found.converged.all()
    assert np.abs(found.states[:, 0] - (1.0 - 1.0 / r)).max() < 1e-11
    assert np.abs(found.multipliers[:, 0] - (2.0 - r)).max() < 1e-10
    assert (found.stable == (np.abs(2.0 - r) < 1.0)).all()


@pytest.mark.parametrize("period", [6, 12])
def test_least_periods_are_found(period):
    # All solutions of f^k(x) = x at r = 4 are sin²: least periods are those of θ → 2θ.
    map, guesses = bf.maps.logistic(r=4.0), np.random.default_rng(3).uniform(0.0, 1.0, (300, 1))
    found = bf.solve_many(map, guesses, period=period)
    good = np.flatnonzero(found.converged)
    assert len(good) > 200 and set(found.periods[good]) <= {k for k in range(1, period + 1) if period % k == 0}
    for i in good:
        k, x = found.periods[i], found.states[i, 0]
        # f^k(sin² θ) = sin²(2^k θ), with multiplier ±2^k, and 4^k at 0.
        size = 4.0**k if abs(x) < 1e-9 else 2.0**k
        assert abs(abs(found.multipliers[i, 0]) / size - 1.0) < 1e-4
        angle = np.arcsin(np.sqrt(np.clip(x, 0.0, 1.0))) / np.pi
        turns = angle * (2**k - 1), angle * (2**k + 1)
        assert min(abs(t - round(t)) for t in turns) < 1e-4


def test_long_cycles_are_solved_by_multiple_shooting_to_rounding():
    map = bf.maps.logistic(r=4.0)
    starts = bf.orbit(map, [0.3], 100, transient=50).states
    found = bf.solve_many(map, starts, period=40)
    good = np.flatnonzero(found.converged & (found.periods == 40))
    assert len(good) > 20
    # ±2⁴⁰: nothing would be left of it in double precision if f⁴⁰ were differentiated as an iterate that has drifted.
    assert np.abs(np.abs(found.multipliers[good, 0]) / 2.0**40 - 1.0).max() < 1e-9
    assert found.residuals[good].max() < 1e-15


def test_multiple_shooting_is_decided_row_by_row():
    # At a = 0.3 the orbit of the guess is attracted, at a = 1.4 small differences grow.
    map, guess = bf.maps.logistic(), [0.3]
    found = bf.solve_many(map, [guess], period=24, parameters={"r": [2.5, 4.0]})
    low = bf.solve(map.replace(r=2.5), guess, period=24)
    assert low.cycle is None and found.periods[0] == 1 and found.states[0, 0] == low.state[0]
    high = bf.solve(map.replace(r=4.0), guess, period=24)
    assert high.cycle is not None and abs(found.states[1, 0] - high.state[0]) < 1e-14
    guesses, map = [[0.3], [0.4]], map.replace(r=3.7)
    both = [bf.solve_many(map, guesses, period=4, multiple_shooting=each) for each in (True, False)]
    assert np.abs(both[0].states - both[1].states).max() < 1e-10


def test_failures_say_why_and_leave_the_others_alone():
    def f(x):
        return np.where(x > 5.0, np.nan, x + 1.0 + (x - 2.0) ** 2 * (x > 0) - 1.0 * (x > 0))

    found = bf.solve_many(bf.Map(f, {}), [[2.5], [9.0], [-3.0]])
    assert found.converged.tolist() == [True, False, False]
    assert "NaN or infinity" in found.reasons[1] and found.reasons[2]
    assert np.isnan(found.multipliers[1:]).all() and not found.stable[1:].any()
    assert "3 guesses: 1 converged" in str(found) and "failed: 1 × " in str(found)


def test_solutions_of_a_manifold_are_marked():
    map = bf.Map(lambda z: np.array([z[0] + 0.1 * (1 - z[0] - z[1]), z[1] + 0.3 * (1 - z[0] - z[1])]), {})
    guesses = np.array([[0.3, 0.7], [0.1, 0.9]])  # already solutions
    found = bf.solve_many(map, guesses)
    assert found.converged.all() and not found.isolated.any()
    one = bf.solve_many(map, [[0.3, 0.2], [0.1, 0.4]])
    for i, guess in enumerate([[0.3, 0.2], [0.1, 0.4]]):
        if not one.converged[i]:
            with pytest.raises(BifurcateError):
                bf.solve(map, guess)


def test_states_of_any_shape(rng):
    map = bf.Map(lambda x, c: 0.5 * x + c * np.cos(x), {"c": 0.4})
    guesses = rng.uniform(0.0, 1.0, (6, 2, 3))
    found = bf.solve_many(map, guesses)
    assert found.states.shape == (6, 2, 3) and found.multipliers.shape == (6, 6)
    assert compare(found, map, guesses) == 6


def test_an_f_that_stops_to_broadcast_is_called_one_by_one():
    def f(x):
        if np.ndim(x) > 1 and (x > 0.55).any():
            raise RuntimeError("only one such state at a time")
        return 2.5 * x * (1.0 - x)

    found = bf.solve_many(bf.Map(f, {}), [[0.5], [0.45]])
    assert found.layout == "single" and np.abs(found.states - 0.6).max() < 1e-11


def test_an_f_that_mixes_the_states_of_a_batch_is_caught():
    def f(x):  # right for one state, and for the first ones of a batch
        y = 2.5 * x * (1.0 - x)
        return np.where(x > 0.58, y - 1e-3 * (np.size(x) > 1), y)

    found = bf.solve_many(bf.Map(f, {}), [[0.5], [0.45], [0.52]])
    assert found.layout == "single" and np.abs(found.states - 0.6).max() < 1e-11


def test_structured_jacobians_are_solved_one_by_one():
    L, P = np.array([[1.0], [0.5], [0.2]]), np.array([[0.3, 0.1, 0.2]])
    map = bf.Map(
        lambda x: 0.5 * x + L[:, 0] * np.cos(P @ x)[0],
        {},
        jacobian=lambda x: bf.ShiftedLowRank(0.5, -L * np.sin(P @ x)[0], P),
    )
    guesses = np.array([[0.3, 0.2, 0.1], [1.0, 1.0, 1.0]])
    found = bf.solve_many(map, guesses)
    assert found.layout == "single" and compare(found, map, guesses) == 2


def test_a_row_becomes_a_solution():
    found = bf.solve_many(bf.maps.henon(), [[0.6, 0.2], [0.6, 0.2]], parameters={"a": [0.2, 1.4]})
    solution = found[1]
    assert isinstance(solution, bf.Solution) and solution.parameters["a"] == 1.4 and not solution.stable
    assert np.abs(solution.state - found.states[1]).max() < 1e-12
    failed = bf.solve_many(bf.Map(lambda x: x + 1.0 + x**2, {}), [[1.0], [2.0]])
    with pytest.raises(NotConverged):
        failed[0]


@pytest.mark.parametrize("name", ["differences", "f of one state"])
def test_progress_counts_the_guesses(name):
    reports, (map, n, _) = [], MAPS[name]
    bf.solve_many(map, np.full((3, n), 0.3), progress=reports.append)
    assert reports[-1].points == 3 and reports[-1].left == 0


def test_results_are_saved(tmp_path):
    map = bf.maps.henon()
    found = bf.solve_many(map, [[0.6, 0.2], [-1.1, -0.3]])
    bf.save(found, tmp_path / "many.npz")
    again = bf.load(tmp_path / "many.npz")
    assert np.array_equal(again.states, found.states) and again.reasons == found.reasons
    assert np.array_equal(again.multipliers, found.multipliers) and str(again) == str(found)
    assert np.abs(again[0].state - found.states[0]).max() < 1e-12


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bf.solve_many(lambda x: x, [[0.1]]), "map must be a Map"),
        (lambda: bf.solve_many(bf.maps.logistic(), 0.5), "guesses must have shape"),
        (lambda: bf.solve_many(bf.maps.logistic(), []), "guesses must have shape"),
        (lambda: bf.solve_many(bf.maps.logistic(), [[np.nan]]), "1 numbers in guesses are NaN"),
        (lambda: bf.solve_many(bf.maps.logistic(), [[0.1]], period=0), "period is 0"),
        (lambda: bf.solve_many(bf.maps.logistic(), [[0.1]], parameters={"q": 1.0}), "no parameter 'q'"),
        (lambda: bf.solve_many(bf.maps.logistic(), [[0.1]] * 3, parameters={"r": [1.0, 2.0]}), "lengths"),
        (lambda: bf.solve_many(bf.maps.logistic(), [[0.1]], method="newton"), "method must be"),
        (lambda: bf.solve_many(bf.maps.logistic(), [[0.1]], multiple_shooting=1), "multiple_shooting is 1"),
    ],
)
def test_unusable_arguments(call, words):
    with pytest.raises(InvalidInput, match=words):
        call()


def test_an_f_that_fails_everywhere_is_refused_in_its_own_words():
    def f(x):
        raise ValueError("no such state")

    with pytest.raises(MapFailed, match="no such state"):
        bf.solve_many(bf.Map(f, {}), [[0.1], [0.2]])


def test_deflation_finds_ahead_what_it_would_find_in_turn():
    # A second map that does not broadcast is solved in turn: the same solutions in the same order, the same failures.
    map = bf.maps.logistic(r=4.0)
    alone = dataclasses.replace(map, f=lambda x, r: np.array([r * float(x[0]) * (1.0 - float(x[0]))]))
    guesses = np.linspace(0.03, 0.97, 9)[:, None]
    ahead, in_turn = (bf.deflate(each, guesses, period=4) for each in (map, alone))
    assert [s.period for s in ahead.solutions] == [s.period for s in in_turn.solutions]
    states = [np.array([s.state[0] for s in each.solutions]) for each in (ahead, in_turn)]
    assert np.abs(states[0] - states[1]).max() < 1e-9
    assert ahead.failures == in_turn.failures
    # 2⁴ points of f⁴: 2 fixed, one cycle of two, three of four.
    assert sorted(s.period for s in ahead.solutions) == [1, 1, 2, 4, 4, 4]
