"""Compositions of maps, and maps under a periodic force: closed forms, and what is refused."""

import pickle

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput
from bifurcate.linalg.operators import dense
from bifurcate.maps import IteratedMap
from bifurcate.maps.composition import compose, forced


def test_a_composition_with_itself_is_the_second_iterate(rng):
    henon = bf.maps.henon(a=1.2)
    twice, x, p = compose(henon, henon), np.array([0.3, 0.1]), {"a": 1.2, "b": 0.3}
    iterate, whole = IteratedMap(henon, (2,), 2), IteratedMap(twice, (2,))
    orbit = iterate.orbit(x, p)
    assert np.array_equal(whole.orbit(x, p)[-1], orbit[-1])
    assert np.abs(dense(whole.jacobian([x, x], p)) - dense(iterate.jacobian(orbit, p))).max() < 1e-14
    for name in p:
        expected = iterate.parameter_derivative(orbit, p, name)
        assert np.abs(whole.parameter_derivative([x, x], p, name) - expected).max() < 1e-13


def test_the_first_map_acts_first_and_parameters_of_one_name_are_one():
    double = bf.Map(lambda x, a: a * x, {"a": 2.0}, jvp=lambda x, v, a: a * v)
    power = bf.Map(lambda x, a: x**a, {"a": 2.0}, jvp=lambda x, v, a: a * x ** (a - 1) * v)
    assert compose(double, power)([3.0]) == 36.0 and compose(power, double)([3.0]) == 18.0
    found = bf.multipliers(compose(double, power), [0.25])  # (2x)² has the fixed point 1/4 with the multiplier 2
    assert abs(found.values[0] - 2.0) < 1e-12


@pytest.mark.parametrize("derivative", ["central", "complex"])
def test_derivatives_that_are_not_given(derivative):
    first = bf.Map(lambda x, a: np.sin(a * x), {"a": 0.7}, derivative=derivative)
    second = bf.Map(lambda x, b: x + b * x**3, {"b": 0.2}, derivative=derivative)
    both = compose(first, second)
    assert both.derivative == derivative
    x, p = np.array([0.4]), {"a": 0.7, "b": 0.2}
    J = float(IteratedMap(both, (1,)).jacobian([x, x], p)[0, 0])
    y = np.sin(0.7 * 0.4)
    assert abs(J - (1 + 0.6 * y * y) * 0.7 * np.cos(0.28)) < 1e-12


def test_domains_and_borders_on_the_way():
    root = bf.Map(lambda x: np.sqrt(x), {}, domain=lambda x: x)
    shift = bf.Map(lambda x, c: x - c, {"c": 0.5}, borders=lambda x, c: x - 2.0)
    both = compose(shift, root)
    assert both.domain(np.array([0.7]), c=0.5) == pytest.approx([0.2])
    assert both.borders(np.array([0.7]), c=0.5) == pytest.approx([-1.3])
    with pytest.raises(bf.errors.OutsideDomain):
        both.check([0.4])


def test_the_flip_of_an_alternating_logistic_map_has_its_closed_form():
    # At x ↦ r₂ r₁ x (1 − x) (1 − r₁ x (1 − x)) with r₁ = r + s, r₂ = r − s, the state 0 has the multiplier r₁ r₂.
    swing = forced(
        bf.maps.logistic(),
        {"r": lambda phase, mean, swing: mean + swing * (-1) ** phase},
        period=2,
        parameters={"mean": 0.9, "swing": 0.3},
    )
    branch = bf.trace(bf.cycles(swing, "mean", [0.0]), {"mean": (0.8, 1.5)})
    assert abs(branch.first("branch point").parameters["mean"] - np.sqrt(1 + 0.3**2)) < 1e-9


def test_a_force_given_by_its_values():
    seasons = forced(bf.maps.ricker(r=2.0), {"r": [1.5, 2.0, 2.5]})
    x = np.array([0.6])
    for r in (1.5, 2.0, 2.5):
        x = bf.maps.ricker(r=r)(x)
    assert np.array_equal(seasons([0.6]), x)
    branch = bf.trace(bf.cycles(seasons, "r_3", bf.solve(seasons, [0.6])), {"r_3": (2.0, 3.2)})
    flip = branch.first("flip")
    # Ricker's multiplier at x is (1 − r x) e^{r (1 − x)} in the catalogue's units x ↦ x e^{r (1 − x)}.
    product, x = 1.0, flip.state
    for r in (1.5, 2.0, flip.parameters["r_3"]):
        product *= float((1 - r * x[0]) * np.exp(r * (1 - x[0])))
        x = bf.maps.ricker(r=r)(x)
    assert abs(product + 1.0) < 1e-9 and abs(x[0] - flip.state[0]) < 1e-9


def test_compositions_pickle():
    seasons = forced(bf.maps.logistic(), {"r": [3.0, 3.4]})
    assert np.array_equal(pickle.loads(pickle.dumps(seasons))([0.3]), seasons([0.3]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: compose(), "one map or more"),
        (lambda m: compose(m, 3.0), "Map"),
        (lambda m: compose(m, m.replace(r=3.0)), "one parameter"),
        (lambda m: forced(m, {}), "no parameter"),
        (lambda m: forced(m, {"q": [1.0]}), "no parameter 'q'"),
        (lambda m: forced(m, {"r": []}), "at least 1"),
        (lambda m: forced(m, {"r": "ab"}), "sequence of numbers"),
        (lambda m: forced(m, {"r": [1.0, None]}), "sequence of numbers"),
        (lambda m: forced(m, {"r": [1.0, 2.0]}, period=3), "one number of steps"),
        (lambda m: forced(m, {"r": lambda phase, c: c}, period=3), "depend on c"),
        (lambda m: forced(m, {"r": lambda phase: 1.0}), "none is given"),
        (lambda m: forced(m, {"r": [1.0]}, parameters={"c": 1.0}), "no callable"),
    ],
)
def test_what_is_refused(call, words):
    with pytest.raises(InvalidInput, match=words):
        call(bf.maps.logistic(r=2.5))
