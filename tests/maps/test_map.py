"""Conformance of every map in the catalogue, and what Map refuses."""

import jax
import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, OutsideDomain
from bifurcate.linalg.operators import apply, dense
from bifurcate.maps import IteratedMap
from bifurcate.maps.derivatives import directional_derivative

CATALOGUE = {
    "logistic": (bf.maps.logistic(r=3.3), [0.4]),
    "henon": (bf.maps.henon(), [0.3, 0.2]),
    "generalised_henon": (bf.maps.generalised_henon(), [0.3, -0.4]),
    "delayed_logistic": (bf.maps.delayed_logistic(eps=0.1), [0.4, 0.6]),
    "ricker": (bf.maps.ricker(), [0.7]),
    "predator_prey": (bf.maps.predator_prey(p1=2.5), [0.4, 0.3]),
    "logistic_ring": (bf.maps.logistic_ring(n=7, e=0.3), np.linspace(0.1, 0.8, 7)),
    "logistic_ring sparse": (bf.maps.logistic_ring(n=7, e=0.3, sparse=True), np.linspace(0.1, 0.8, 7)),
}


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("period", [1, 2, 5])
def test_derivatives_of_the_catalogue(name, period, rng):
    map, x = CATALOGUE[name]
    x = map.check(x)
    p = dict(map.parameters)
    plain = bf.Map(map.f, p)
    given, differenced = IteratedMap(map, x.shape, period), IteratedMap(plain, x.shape, period)
    orbit = given.orbit(x, p)
    J = dense(given.jacobian(orbit, p))
    scale = max(1.0, np.abs(J).max())
    assert np.abs(J - dense(differenced.jacobian(orbit, p))).max() < 1e-10 * scale
    v = rng.standard_normal(x.shape)
    assert np.abs(given.jvp(orbit, v, p) - J @ v).max() < 1e-11 * scale
    for parameter in p:
        exact = given.parameter_derivative(orbit, p, parameter)
        assert np.abs(exact - differenced.parameter_derivative(orbit, p, parameter)).max() < 1e-9 * scale


@pytest.mark.parametrize("name", ["logistic", "henon", "ricker", "delayed_logistic"])
def test_second_derivatives_along_a_direction(name, rng):
    map, x = CATALOGUE[name]
    x, p = map.check(x), dict(map.parameters)
    iterate = IteratedMap(map, x.shape, 2)
    V, dx, dp = rng.standard_normal((x.size, 2)), rng.standard_normal(x.size), {next(iter(p)): 0.7}
    h = 1e-5

    def jacobian(t):
        q = {**p, **{key: p[key] + t * rate for key, rate in dp.items()}}
        return apply(iterate.jacobian(iterate.orbit(x + t * dx, q), q), V)

    expected = (jacobian(h) - jacobian(-h)) / (2 * h)
    assert np.abs(iterate.jacobian_derivative(x, V, dx, dp, p) - expected).max() < 1e-6


def test_complex_steps_are_exact_to_rounding(rng):
    f = bf.Map(lambda x, r: x * np.exp(r * (1 - x)), {"r": 2.0}, derivative="complex")
    x, v = np.array([0.3, 1.7]), rng.standard_normal(2)
    exact = (1 - 2 * x) * np.exp(2 * (1 - x)) * v
    assert np.abs(f.tangent(x, v, f.parameters) - exact).max() < 1e-15
    branch = bf.trace(bf.cycles(bf.Map(f.f, {"r": 1.5}, derivative="complex"), "r", [1.0]), {"r": (1.0, 2.4)})
    assert abs(branch.first("flip").parameters["r"] - 2.0) < 1e-12


def test_jax_derivatives():
    jax.config.update("jax_enable_x64", True)
    f = bf.Map(lambda x, r: r * x * (1 - x), {"r": 2.5}, derivative="jax")
    branch = bf.trace(bf.cycles(f, "r", [0.6]), {"r": (2.0, 3.2)})
    assert abs(branch.first("flip").parameters["r"] - 3.0) < 1e-12


def test_differences_are_exact_for_quartics(rng):
    x, v = rng.standard_normal(3), rng.standard_normal(3)
    slope = directional_derivative(lambda y: y**4 - y, x, v, {}, "central", 1.0)
    assert np.abs(slope - (4 * x**3 - 1) * v).max() < 1e-11


def test_parameters_by_name():
    map = bf.maps.henon(a=1.0, b=0.5)
    assert np.array_equal(map([1.0, 2.0], a=0.0), [3.0, 0.5])
    assert dict(map.replace(a=2.0).parameters) == {"a": 2.0, "b": 0.5}
    with pytest.raises(InvalidInput, match="henon has no parameter 'c'; it has a, b"):
        map.replace(c=1.0)
    with pytest.raises(TypeError):
        map.parameters["a"] = 3.0


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: bf.Map(3, {}), "must be callable"),
        (lambda: bf.Map(lambda x, r: x, {"q": 1.0, "r": 1.0}), "'q' is not an argument of f, which takes r"),
        (lambda: bf.Map(lambda x, r, s: x, {"r": 1.0}), "'s' for which no value is given"),
        (lambda: bf.Map(lambda x, r: x, {"r": np.nan}), "'r' is nan; it must be a finite real number"),
        (lambda: bf.Map(lambda x, r: x, {"r": "1"}), "'r' is '1'"),
        (lambda: bf.Map(lambda x, r: x, {"r": 1.0}, derivative="forward"), "allowed are central, complex, jax"),
        (lambda: bf.Map(lambda x, r: x, {"r": 1.0}, scale=0.0), "positive, finite"),
        (lambda: bf.Map(lambda x, r: np.append(x, r), {"r": 1.0}, at=[1.0]), r"shape \(1,\) to shape \(2,\)"),
        (lambda: bf.Map(lambda x, r: x + 1j, {"r": 1.0}, at=[1.0]), "complex"),
        (lambda: bf.Map(lambda x, r: x / 0.0, {"r": 1.0}, at=[1.0]), "NaN or infinity"),
        (lambda: bf.Map(lambda x, r: x[7], {"r": 1.0}, at=[1.0]), "IndexError"),
        (lambda: bf.Map(lambda x, r: x, {"r": 1.0}, at=[]), "empty array"),
        (lambda: bf.Map(lambda x, r: x, {"r": 1.0}, at=[np.inf]), "1 entries that are NaN"),
        (lambda: bf.Map(lambda x, r: x, {"r": 1.0}, at=["a"]), "array of real numbers"),
        (lambda: bf.Map(lambda x, r: r * x, {"r": 2.0}, jvp=lambda x, v, r: v, at=[1.0]), "the jvp of map differs"),
        (
            lambda: bf.Map(lambda x, r: r * x, {"r": 2.0}, jacobian=lambda x, r: np.eye(2), at=[1.0, 2.0]),
            "the jacobian of map differs",
        ),
    ],
)
def test_what_a_map_refuses(build, words):
    with pytest.raises(InvalidInput, match=words):
        build()


def test_a_state_outside_the_domain_is_refused():
    root = bf.Map(lambda x, p: p * np.sqrt(x), {"p": 1.0}, domain=lambda x, p: x)
    with pytest.raises(OutsideDomain, match="smallest margin is -1"):
        root.check([-1.0])


def test_a_map_that_changes_shape_later_is_caught():
    fickle = bf.Map(lambda x, r: x if abs(x[0]) < 2 else np.append(x, r), {"r": 1.0})
    with pytest.raises(InvalidInput, match="changed the state's shape"):
        IteratedMap(fickle, (1,)).orbit(np.array([3.0]), {"r": 1.0})


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: bf.Map(lambda x, r: x, [1.0]), "parameters must be a dict"),
        (lambda: bf.Map(lambda x, r: x, {"r": True}), "'r' is True"),
        (lambda: bf.Map(lambda x, r: x, {"r": 1.0}, jvp=3), "jvp must be callable or None, got int"),
        (lambda: bf.Map(lambda x, r: x, {"r": 1.0}, scale="a"), "scale is 'a'"),
        (lambda: bf.Map(lambda x, r: np.array(["a"]), {"r": 1.0}, at=[1.0]), "numbers are asked for"),
        (lambda: bf.Map(lambda x, r: np.abs(x) * r, {"r": 1.0}, derivative="complex", at=[1.0]), "complex-step"),
        (
            lambda: bf.Map(lambda x, r: r * x, {"r": 1.0}, parameter_derivative=lambda x, name, r: 2 * x, at=[1.0]),
            "the parameter_derivative of map by r differs",
        ),
    ],
)
def test_more_that_a_map_refuses(build, words):
    with pytest.raises(InvalidInput, match=words):
        build()


def test_a_map_that_changes_its_argument_is_refused():
    def in_place(x, r):
        x *= r
        return x

    with pytest.raises(InvalidInput, match="changes the state that it is given"):
        bf.Map(in_place, {"r": 2.0}, at=[1.0])


@pytest.mark.parametrize("first", [[0.0], [1.0]])
def test_a_derivative_is_refused_wherever_it_is_wrong_whatever_came_before(first):
    forgetful = bf.Map(lambda x, r: r * x + x**3, {"r": 0.5}, jvp=lambda x, v, r: r * v)  # right at 0 alone
    for x in (first, [1.0], first, [1.0]):
        if x == [0.0]:
            assert np.array_equal(forgetful.check(x), x)
        else:
            with pytest.raises(InvalidInput, match="the jvp of map differs"):
                forgetful.check(x)


def test_a_state_is_compared_with_differences_once():
    calls = []

    def f(x, r):
        calls.append(x)
        return r * x * (1.0 - x)

    watched = bf.Map(f, {"r": 2.5}, jvp=lambda x, v, r: r * (1.0 - 2.0 * x) * v)
    counts = []
    for x in ([0.6], [0.6], [0.3], [0.6]):
        calls.clear()
        watched.check(x)
        counts.append(len(calls))
    assert counts == [4, 1, 4, 1]  # tried twice, and at both ends of a difference


def test_a_derivative_is_not_compared_with_differences_over_a_declared_border():
    parts = {"jvp": lambda x, v, r: r * np.sign(x) * v, "parameter_derivative": lambda x, name, r: np.abs(x)}
    for x in (1e-9, 0.0, 1.0):
        bf.Map(lambda x, r: r * np.abs(x), {"r": 2.0}, borders=lambda x, r: x, **parts).check([x])
    with pytest.raises(InvalidInput, match="the jvp of map differs"):
        bf.Map(lambda x, r: r * np.abs(x), {"r": 2.0}, **parts).check([1e-9])


def test_parameters_may_have_any_name():
    odd = bf.Map(lambda state, self, x: self * state + x, {"self": 2.0, "x": 1.0})
    assert np.array_equal(odd([1.0], self=3.0, x=0.0), [3.0])
    assert dict(odd.replace(self=4.0).parameters) == {"self": 4.0, "x": 1.0}


def test_a_map_made_from_a_rule_leaves_out_what_it_is_told():
    henon = bf.maps.henon(a=1.0, b=0.5)
    same = bf.Map.from_rule(henon, henon.parameters, scale=2.0, name="same")
    assert same.jacobian is henon.jacobian and (same.scale, same.name) == (2.0, "same")
    products = bf.Map.from_rule(henon, henon.parameters, without=("jacobian",))
    assert products.jacobian is None and products.jvp is henon.jvp
    with pytest.raises(InvalidInput, match=r"without is .* among jvp, jacobian"):
        bf.Map.from_rule(henon, henon.parameters, without=("f",))
