"""One solution at fixed parameters: both methods, line search, domains, and failures that say what to do."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, NotConverged, NotIsolated

METHODS = [bf.Newton(), bf.NewtonKrylov()]


@pytest.mark.parametrize("method", METHODS)
def test_both_methods_find_the_solution(method, rng):
    n = 40
    M = 0.3 * rng.standard_normal((n, n)) / np.sqrt(n)
    map = bf.Map(lambda x, g: np.tanh(g * (M @ x) + 0.5), {"g": 1.5})
    found = bf.solve(map, np.zeros(n), method=method)
    assert np.abs(map(found.state) - found.state).max() <= 1e-11
    assert found.residual == found.history[-1] <= 1e-11 and found.iterations == len(found.history) - 1
    x = np.zeros(n)
    for _ in range(500):
        x = map(x)
    assert np.abs(found.state - x).max() < 1e-10
    assert found.stable


def test_cycles_and_their_multipliers():
    r = 3.3
    found = bf.solve(bf.maps.logistic(r), [0.48], period=2)
    x = np.sort([found.state[0], r * found.state[0] * (1 - found.state[0])])
    exact = (r + 1 + np.array([-1, 1]) * np.sqrt((r - 3) * (r + 1))) / (2 * r)
    assert np.abs(x - exact).max() < 1e-12
    assert abs(found.multipliers[0] - (4 + 2 * r - r * r)) < 1e-10


def test_forcing_terms_give_fast_convergence(rng):
    n = 500
    M = 0.5 * rng.standard_normal((n, n)) / np.sqrt(n)
    calls = []

    def f(x):
        calls.append(1)
        return np.tanh(M @ x + 1.0)

    def jvp(x, v):
        return (1 - np.tanh(M @ x + 1.0) ** 2) * (M @ v)

    found = bf.solve(bf.Map(f, {}, jvp=jvp), np.zeros(n), method=bf.NewtonKrylov())
    assert found.iterations <= 12 and found.residual <= 1e-11
    ratios = np.log(found.history[-1]) / np.log(found.history[-2])
    assert ratios > 1.2  # faster than linear


def test_a_pole_is_never_stepped_across():
    # x⁺ = x − 0.4 (1/x − 1/2): from 0.3 a full Newton step for the fixed point 2 goes far to the negative side.
    tried = []

    def f(x, a):
        tried.append(float(x[0]))
        return x + 0.4 * (1 / x - a)

    map = bf.Map(f, {"a": 0.5}, domain=lambda x, a: x)
    found = bf.solve(map, [5.5])
    assert abs(found.state[0] - 2.0) < 1e-9
    with pytest.raises(NotConverged, match="every step would leave the map's domain") as caught:
        bf.solve(bf.Map(lambda x: x + x + 1.0, {}, domain=lambda x: x), [0.5], method=bf.Newton(max_halvings=0))
    assert "pole" in caught.value.advice


def test_a_start_that_fails_says_so_with_history_and_advice():
    nothing = bf.Map(lambda x: x + 1.0 + x**2, {})
    for method in METHODS:
        with pytest.raises(NotConverged) as caught:
            bf.solve(nothing, [3.0], method=method)
        assert caught.value.last.shape == (1,) and len(caught.value.history) > 1 and caught.value.advice
        assert "last residuals" in str(caught.value)


def test_a_singular_start_is_named():
    with pytest.raises(NotConverged, match="singular"):
        bf.solve(bf.Map(lambda x: x + x**2 - 1.0, {}, jvp=lambda x, v: v + 2 * x * v), [0.0], method=bf.Newton())


def test_a_manifold_of_solutions_is_refused():
    project = np.array([[1.0, 0.0, 0.0]])

    def jacobian(x):
        return bf.ShiftedLowRank(1.0, np.array([[-0.5], [0.0], [0.0]]), project)

    def f(x):
        return x + np.array([0.5 * (1 - x[0]), 0.0, 0.0])

    with pytest.raises(NotIsolated, match=r"at least 2 dimensions.*look elsewhere"):
        bf.solve(bf.Map(f, {}, jacobian=jacobian, advice="look elsewhere"), [0.0, 0.0, 0.0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"guess": [np.nan]}, "NaN"),
        ({"guess": [0.5], "period": 1.5}, "whole number"),
        ({"guess": [0.5], "period": True}, "whole number"),
        ({"guess": [0.5], "method": "newton"}, r"must be Newton\(...\) or NewtonKrylov"),
    ],
)
def test_unusable_arguments(arguments, words):
    with pytest.raises(InvalidInput, match=words):
        bf.solve(bf.maps.logistic(), **arguments)


@pytest.mark.parametrize("method", METHODS)
def test_structured_jacobians_are_solved_with(method, rng):
    net = bf.adaptation.Network(rng.uniform(0.2, 1, 8), rng.uniform(0.2, 1, 8), alpha=0.1, beta=-0.3, sigma=0.5)
    weights = bf.solve(net.update, net.initial, method=method)
    assert np.abs(weights.state - net.equilibrium()).max() < 1e-9
    reduced = bf.solve(net.reduced, net.project(net.initial), method=method)
    assert np.abs(reduced.state - net.reduced_equilibrium()).max() < 1e-9


@pytest.mark.parametrize("period", [7, 14, 20, 30])
def test_multipliers_far_inside_the_circle_have_all_their_digits(period):
    # Their product is (−b)^k whatever the cycle.
    map = bf.maps.henon(1.4, 0.3)
    states = bf.orbit(map, [0.1, 0.1], steps=20000).states[500:]
    nearest = np.argmin(np.linalg.norm(states[period:] - states[:-period], axis=1))
    found = bf.solve(map, states[nearest], period=period)
    for values in (found.multipliers, bf.multipliers(map, found.state, period=found.period).values):
        assert abs(np.prod(values) / (-0.3) ** found.period - 1.0) < 1e-12
