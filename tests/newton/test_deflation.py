"""Deflation: its step against the deflated Jacobian, all roots from few starts, failures counted with reasons."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput


def polynomial(*roots):
    """x ↦ x + Π (x − r): its fixed points are the roots."""
    return bf.Map(lambda x: x + np.prod([x - r for r in roots], axis=0), {})


@pytest.mark.parametrize("power", [1.0, 2.0])
@pytest.mark.parametrize("shift", [1.0, 0.3])
def test_the_step_is_newtons_for_the_deflated_equations(power, shift, rng):
    n, scale = 4, 0.7
    A, known = rng.standard_normal((n, n)), [rng.standard_normal(n) for _ in range(3)]
    away = bf.Deflation(tuple(known), power, shift)

    def F(x):
        return np.tanh(A @ x) + 0.3 * x**2

    def deflated(x):
        units = [max(scale, np.sqrt(np.mean(r**2))) for r in known]
        lengths = [np.linalg.norm(x - r) / np.sqrt(n) / unit for r, unit in zip(known, units)]
        return np.prod([d**-power + shift for d in lengths]) * F(x)

    def jacobian(g, x, h=1e-6):
        return np.column_stack([(g(x + h * e) - g(x - h * e)) / (2 * h) for e in np.eye(n)])

    for _ in range(5):
        x = rng.standard_normal(n)
        plain = np.linalg.solve(jacobian(F, x), -F(x))
        whole = np.linalg.solve(jacobian(deflated, x), -deflated(x))
        assert np.abs(away.step_factor(x, plain, scale) * plain - whole).max() < 1e-6 * max(1.0, np.abs(whole).max())
        assert abs(away.log_factor(x, scale) - np.log(np.linalg.norm(deflated(x)) / np.linalg.norm(F(x)))) < 1e-12


@pytest.mark.parametrize("method", [bf.Newton(), bf.NewtonKrylov()])
def test_every_root_of_a_polynomial_from_one_start(method):
    roots = [-1.3, -0.4, 0.1, 0.9, 1.7]
    found = bf.deflate(polynomial(*roots), [[0.5]], method=method)
    assert np.abs(np.sort([float(s.state[0]) for s in found.solutions]) - roots).max() < 1e-9
    assert found.exhausted and all(attempt.known == 5 for attempt in found.failures[-1:])


def test_every_three_cycle_of_the_logistic_map():
    # f³(x) = x has degree 8: two fixed points and two cycles of three are all there is.
    map = bf.maps.logistic(r=3.84)
    found = bf.deflate(map, [[0.1], [0.6]], period=3)
    assert sorted(s.period for s in found.solutions) == [1, 1, 3, 3]
    assert [s.stable for s in found.of(1)] == [False, False] and sorted(s.stable for s in found.of(3)) == [False, True]
    cycle = [float(x[0]) for s in found.of(3) for x in bf.orbit(map, s.state, 3).states]
    assert np.min(np.abs(np.subtract.outer(cycle, cycle)) + np.eye(6)) > 1e-3
    assert len(found.failures) >= 2 and "4 solutions" in str(found) and "failed: " in str(found)


def test_known_solutions_are_not_found_again():
    found = bf.deflate(polynomial(-1.0, 0.0, 2.0), [[0.4]], known=[[0.0], [-1.0]])
    assert [round(float(s.state[0]), 9) for s in found.solutions] == [2.0]
    start_on_it = bf.deflate(polynomial(-1.0, 0.0, 2.0), [[0.0]], known=[[0.0]])
    assert np.abs(np.sort([float(s.state[0]) for s in start_on_it.solutions]) - [-1.0, 2.0]).max() < 1e-9


def test_structured_jacobians_are_deflated_as_they_are(rng):
    # x = 2 L h(P x) with y = P x a root of y = 2 (PL) h(y): three of them for a cubic h.
    n, tried = 2000, []
    P, L = rng.uniform(0.5, 1.5, (1, n)) / n, rng.uniform(0.5, 1.5, (n, 1))
    c = float((P @ L)[0, 0])

    def h(y):
        return (y - 0.5 * (y + 1.0) * y * (y - 1.5)) / (2 * c)

    def slope(y):
        return (1.0 - 0.5 * (3 * y**2 - y - 1.5)) / (2 * c)

    def jacobian(x):
        tried.append(1)
        return bf.ShiftedLowRank(0.5, L * slope(float((P @ x)[0])), P)

    map = bf.Map(lambda x: 0.5 * x + L[:, 0] * h(float((P @ x)[0])), {}, jacobian=jacobian)
    found = bf.deflate(map, [0.3 * L[:, 0] / c])
    assert np.abs(np.sort([float((P @ s.state)[0]) for s in found.solutions]) - [-1.0, 0.0, 1.5]).max() < 1e-8
    assert tried


def test_deflation_never_steps_out_of_the_domain():
    taken = []

    def jacobian(x):
        taken.append(float(x[0]))
        g = (x - 0.5) * (x - 2.0)
        return np.diag(1.0 + 0.1 * ((2 * x - 2.5) * np.log(x) + g / x))

    map = bf.Map(lambda x: x + 0.1 * (x - 0.5) * (x - 2.0) * np.log(x), {}, jacobian=jacobian, domain=lambda x: x)
    found = bf.deflate(map, [[0.7]])
    assert np.abs(np.sort([float(s.state[0]) for s in found.solutions]) - [0.5, 1.0, 2.0]).max() < 1e-9
    assert min(taken) > 0.0


def test_starts_without_a_solution_are_counted_with_their_reasons():
    found = bf.deflate(bf.Map(lambda x: x + 1.0 + x**2, {}), [[3.0], [-2.0]])
    assert len(found) == 0 and [attempt.guess for attempt in found.failures] == [0, 1]
    assert all(attempt.reason and attempt.known == 0 for attempt in found.failures)
    assert "0 solutions; 2 attempts failed" in str(found)


def test_a_double_root_ends_the_search():
    found = bf.deflate(polynomial(0.0, 0.0, 1.0), [[0.4]])
    states = np.array([float(s.state[0]) for s in found.solutions])
    assert np.min(np.abs(states - 1.0)) < 1e-9 and np.min(np.abs(states)) < 1e-5
    assert found.exhausted and len(found.solutions) <= 3


def test_infinitely_many_solutions_are_cut_off():
    found = bf.deflate(bf.maps.standard(2.0), [[0.1, 0.3], [0.2, 4.0], [0.1, -3.0]], max_solutions=3)
    assert len(found) == 3 and not found.exhausted and "largest number" in str(found)
    for solution in found.solutions:
        assert abs(np.sin(solution.state[1])) < 1e-9 and abs(solution.state[0]) < 1e-9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bf.deflate(lambda x: x, [[0.1]]), "map must be a Map"),
        (lambda: bf.deflate(bf.maps.logistic(), []), "guesses is empty"),
        (lambda: bf.deflate(bf.maps.logistic(), 3.0), "guesses must be a sequence"),
        (lambda: bf.deflate(bf.maps.logistic(), [[0.1], [0.1, 0.2]]), "one shape is asked for"),
        (lambda: bf.deflate(bf.maps.logistic(), [[0.1]], max_solutions=0), "max_solutions is 0"),
        (lambda: bf.deflate(bf.maps.logistic(), [[0.1]], period=0), "period is 0"),
        (lambda: bf.deflate(bf.maps.logistic(), [[0.1]], power=-1), "power is -1"),
        (lambda: bf.Deflation([[0.1]], shift=0), "shift is 0"),
        (lambda: bf.solve(bf.maps.logistic(), [0.1], deflation=[0.2]), "deflation must be a Deflation"),
        (lambda: bf.solve(bf.maps.logistic(), [0.1], deflation=bf.Deflation([[0.1]])), "stay away from"),
    ],
)
def test_unusable_arguments(call, words):
    with pytest.raises(InvalidInput, match=words):
        call()
