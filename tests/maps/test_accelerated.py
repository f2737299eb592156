"""Accelerated maps: the same results as without, in double precision, with no setting of the process changed."""

import dataclasses
import pickle

import numpy as np
import pytest

import bifurcate as bf

jax = pytest.importorskip("jax")
jnp = jax.numpy


def henon(x, a, b):
    return jnp.stack([1 - a * x[0] ** 2 + x[1], b * x[0]])


def logistic(x, r):
    return r * x * (1 - x)


def ring(x, r):
    g = r * x * (1 - x)
    return 0.9 * g + 0.05 * (jnp.roll(g, 1) + jnp.roll(g, -1))


HENON = bf.Map(henon, {"a": 1.4, "b": 0.3}, accelerate=True)
LOGISTIC = bf.Map(logistic, {"r": 3.2}, accelerate=True)
PLAIN = bf.maps.logistic(3.2)


@pytest.fixture(autouse=True)
def no_setting_changes():
    before = jax.config.jax_enable_x64
    yield
    assert jax.config.jax_enable_x64 == before
    assert jnp.ones(1).dtype == (np.float64 if before else np.float32)


def test_values_and_derivatives_are_exact_in_double_precision(rng):
    x, v, p = rng.standard_normal(2), rng.standard_normal(2), {"a": 1.4, "b": 0.3}
    J = np.array([[-2 * 1.4 * x[0], 1.0], [0.3, 0.0]])
    assert HENON(x).dtype == np.float64
    assert np.abs(HENON(x) - [1 - 1.4 * x[0] ** 2 + x[1], 0.3 * x[0]]).max() < 1e-15
    assert np.abs(HENON.tangent(x, v, p) - J @ v).max() < 1e-14
    assert np.abs(HENON.parameter_derivative(x, "a", **p) - [-(x[0] ** 2), 0.0]).max() < 1e-15
    assert (
        np.abs(bf.multipliers(HENON, x).values - np.linalg.eigvals(J)[np.argsort(-abs(np.linalg.eigvals(J)))]).max()
        < 1e-13
    )


def test_branches_have_the_special_points_of_closed_forms():
    branch = bf.trace(bf.cycles(HENON, "a", [0.6, 0.2]), {"a": (-1.0, 2.0)})
    assert abs(branch.first("fold").parameters["a"] + 0.7**2 / 4) < 1e-12
    assert abs(branch.first("flip").parameters["a"] - 3 * 0.7**2 / 4) < 1e-12


@pytest.mark.parametrize(("r", "start"), [(3.2, 0.3), (4.2, 0.3), (1.0, 3.0)])
def test_orbits_are_those_without(r, start):
    for transient in (0, 7, 200):
        found = bf.orbit(LOGISTIC, [start], 70, transient=transient, parameters={"r": r})
        plain = bf.orbit(PLAIN, [start], 70, transient=transient, parameters={"r": r})
        assert (found.end, found.steps) == (plain.end, plain.steps)
        assert found.states.shape == plain.states.shape
        assert np.abs(found.states / plain.states - 1).max() < 1e-12


def test_long_orbits_fill_several_arrays():
    found = bf.orbit(LOGISTIC, [0.3], 5000)
    assert found.states.shape == (5000, 1)
    assert np.abs(found.states - bf.orbit(PLAIN, [0.3], 5000).states).max() < 1e-12


def test_orbits_end_at_the_domain():
    def shrink(x, c):
        return x - c

    plain = bf.Map(shrink, {"c": 0.3}, domain=lambda x, c: x)
    fast = dataclasses.replace(plain, accelerate=True)
    for steps in (3, 20):
        a, b = bf.orbit(fast, [1.0], steps), bf.orbit(plain, [1.0], steps)
        assert (a.end, a.steps) == (b.end, b.steps)
    a = bf.ensemble(fast, [[1.0], [0.5], [-1.0], [100.0]], 3, transient=30)
    b = bf.ensemble(plain, [[1.0], [0.5], [-1.0], [100.0]], 3, transient=30)
    assert a.ends == b.ends == ("domain", "domain", "domain", "steps")
    assert a.steps.tolist() == b.steps.tolist()


def test_ensembles_are_those_without():
    values = {"r": np.linspace(0.5, 4.5, 101)}
    found = bf.ensemble(LOGISTIC, [[0.3]], 5, transient=40, parameters=values)
    plain = bf.ensemble(PLAIN, [[0.3]], 5, transient=40, parameters=values)
    assert found.layout == "compiled"
    assert found.ends == plain.ends
    assert found.steps.tolist() == plain.steps.tolist()
    regular = values["r"] < 3.5
    assert np.abs(found.states - plain.states)[regular].max() < 1e-12
    assert (np.isnan(found.states) == np.isnan(plain.states)).all()


def test_orbit_diagrams_and_planes_are_those_without():
    r = np.linspace(2.5, 3.5, 30)
    found, plain = (bf.orbit_diagram(m, "r", r, [0.3], 0, transient=200, samples=4) for m in (LOGISTIC, PLAIN))
    assert np.abs(found.samples - plain.samples).max() < 1e-12
    grid = {"a": [0.1, 0.5], "b": [0.2, 0.3]}
    fast, slow = (
        bf.parameter_plane(m, grid, [0.1, 0.1], transient=300, exponents=20) for m in (HENON, bf.maps.henon())
    )
    assert (fast.periods == slow.periods).all()
    assert np.abs(fast.exponents - slow.exponents).max() < 1e-8  # of central differences, both


def test_exponents_are_those_without_and_sum_to_the_determinant():
    found = bf.lyapunov(HENON, [0.1, 0.1], steps=5000, count=2)
    assert abs(found.values.sum() - np.log(0.3)) < 1e-12
    settled, plain = (
        bf.lyapunov(m, [0.3, 0.1], steps=50, transient=20, count=2, parameters={"a": 0.5})
        for m in (HENON, bf.maps.henon())
    )
    assert np.abs(settled.values - plain.values).max() < 1e-12
    annihilated = bf.Map(lambda x: jnp.stack([0.5 * x[0], 0.0 * x[1]]), {}, accelerate=True)
    values = bf.lyapunov(annihilated, [0.3, 0.1], steps=20, count=2).values
    assert abs(values[0] - np.log(0.5)) < 1e-12
    assert values[1] == -np.inf


def test_many_exponents_are_those_without():
    def by_numpy(x, r):
        g = r * x * (1 - x)
        return 0.9 * g + 0.05 * (np.roll(g, 1) + np.roll(g, -1))

    start, maps = np.linspace(0.2, 0.6, 10), (bf.Map(ring, {"r": 2.5}, accelerate=True), bf.Map(by_numpy, {"r": 2.5}))
    found, plain = (bf.lyapunov(map, start, steps=20, transient=10, count=9).values for map in maps)
    assert np.abs(found - plain).max() < 1e-9  # of the differences without


def test_solve_many_is_that_without():
    guesses = np.array([0.63, 0.19]) + np.random.default_rng(0).uniform(-0.1, 0.1, (50, 2))
    p = {"a": np.linspace(0.5, 1.4, 50)}
    found, plain = (bf.solve_many(m, guesses, parameters=p) for m in (HENON, bf.maps.henon()))
    assert found.converged.all()
    assert np.abs(found.states - plain.states).max() < 1e-12
    assert np.abs(found.multipliers - plain.multipliers).max() < 1e-12
    cycles, others = (bf.solve_many(m, [[0.4], [0.8]], period=2) for m in (LOGISTIC, PLAIN))
    assert np.abs(cycles.states - others.states).max() < 1e-12


def test_products_alone_serve_large_states():
    n = 300
    units = bf.Map(ring, {"r": 2.5}, accelerate=True)
    found = bf.solve(units, np.full(n, 0.55))
    assert np.abs(found.state - 0.6).max() < 1e-10
    assert np.abs(found.multipliers[0] + 0.5) < 1e-9


def test_what_cannot_be_compiled_is_said_in_a_sentence():
    def branches(x, a):
        return x if x[0] > 0 else -a * x

    def calls_float(x, a):
        return np.array([a * float(x[0])])

    for f in (branches, calls_float):
        with pytest.raises(
            bf.errors.InvalidInput, match=rf"^{f.__name__} cannot be compiled by JAX \(.*jax\.numpy"
        ) as error:
            bf.solve(bf.Map(f, {"a": 0.5}, accelerate=True), [0.3])
        assert error.value.__cause__ is None
        assert "\n" not in str(error.value)
    with pytest.raises(bf.errors.InvalidInput, match="maps a state of shape"):
        bf.solve(bf.Map(lambda x, a: a * x[0], {"a": 0.5}, accelerate=True), [0.3])


def test_single_precision_is_refused():
    constants = jnp.array([0.1, 0.3], dtype=jnp.float32)
    for f in (lambda x, a: a * constants * x, lambda x, a: (a * x).astype(jnp.float32)):
        with pytest.raises(bf.errors.InvalidInput, match="single precision"):
            bf.solve(bf.Map(f, {"a": 0.5}, accelerate=True), [0.3, 0.2])


def test_pickling_and_replacing_keep_what_the_user_wrote(tmp_path):
    again = pickle.loads(pickle.dumps(HENON))
    assert np.array_equal(again([0.1, 0.2]), HENON([0.1, 0.2]))
    assert again.accelerate
    assert HENON.replace(a=1.0).f is HENON.f
    slow = dataclasses.replace(HENON, accelerate=False)
    assert slow.f is henon
    assert slow.jvp is None
    branch = bf.trace(bf.cycles(LOGISTIC, "r", [0.6]), {"r": (2.5, 3.3)})
    bf.save(branch, tmp_path / "branch.npz")
    loaded = bf.load(tmp_path / "branch.npz", map=LOGISTIC)
    assert np.array_equal(loaded.states, branch.states)
    assert abs(loaded.first("flip").parameters["r"] - 3.0) < 1e-12


def test_other_parts_are_called_in_double_precision():
    seen = []

    def domain(x, r):
        seen.append(jnp.asarray(x).dtype)
        return x + 1.0

    bf.solve(bf.Map(logistic, {"r": 2.5}, accelerate=True, domain=domain), [0.55])
    assert {str(each) for each in seen} == {"float64"}


def test_proofs_take_the_function_as_it_is():
    pytest.importorskip("flint")
    theorem = bf.prove(bf.solve(bf.Map(logistic, {"r": 2.5}, accelerate=True), [0.55]))
    assert abs(theorem.states[0][0].middle - 0.6) < 1e-12


def test_a_map_says_that_it_is_compiled():
    assert "compiled by JAX" in repr(HENON)
    with pytest.raises(bf.errors.InvalidInput, match="accelerate is 'yes'"):
        bf.Map(logistic, {"r": 2.5}, accelerate="yes")
