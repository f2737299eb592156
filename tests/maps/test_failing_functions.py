"""What a user's function may do midway: whatever was found before is kept, with the function's own words."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, MapFailed

EDGE = 0.7


def raises(x, p):
    if p > EDGE:
        raise RuntimeError("the solver lost its step")
    return p + 0.5 * x


def divides_by_zero(x, p):
    return p + 0.5 * x + (0.0 if p <= EDGE else 1 // 0)


def not_a_number(x, p):
    return p + 0.5 * x if p <= EDGE else np.full_like(x, np.nan)


def another_shape(x, p):
    return p + 0.5 * x if p <= EDGE else np.append(x, p)


def complex_numbers(x, p):
    return p + 0.5 * x if p <= EDGE else x + 1j


def text(x, p):
    return p + 0.5 * x if p <= EDGE else np.array(["a"] * len(x))


def changes_its_state(x, p):
    y = p + 0.5 * x
    if p > EDGE:
        x += 1.0
    return y


WORDS = {
    raises: "RuntimeError: the solver lost its step",
    divides_by_zero: "ZeroDivisionError",
    not_a_number: "NaN or infinity",
    another_shape: r"changed the state's shape from (2,) to (3,)",
    complex_numbers: "complex numbers",
    text: "str",
    changes_its_state: "changed the state that it was given",
}
GUESS = [0.4, 0.4]


@pytest.mark.parametrize("f", WORDS)
def test_a_branch_ends_where_f_fails_and_keeps_what_was_found(f):
    branch = bf.trace(bf.cycles(bf.Map(f, {"p": 0.2}), "p", GUESS), {"p": (0.0, 1.0)})
    assert branch.stop.first.reason == "bound" and branch.stop.last.reason == "failed"
    assert WORDS[f] in str(branch.stop.last)
    assert EDGE - 1e-3 < branch["p"][-1] <= EDGE + 1e-12
    assert branch.special == () and branch.doubts == ()
    assert np.abs(branch.states - 2.0 * branch["p"][:, None]).max() < 1e-10  # x = p + x/2


@pytest.mark.parametrize("f", WORDS)
def test_a_diagram_keeps_its_branches(f):
    map = bf.Map(f, {"p": 0.2})
    diagram = bf.explore(bf.cycles(map, "p", GUESS), {"p": (0.0, 1.0)}, audit=True)
    assert len(diagram.branches) == 1 and diagram.branches[0].stop.last.reason == "failed"
    assert diagram.audit.extra == () and diagram.audit.changed == ()


@pytest.mark.parametrize(
    ("part", "given"),
    [
        ("jvp", lambda x, v, p: 0.5 * v if p < EDGE else 1 // 0),
        ("jvp", lambda x, v, p: 0.5 * v if p < EDGE else v[:1]),
        ("jacobian", lambda x, p: 0.5 * np.eye(2) if p < EDGE else 1 // 0),
        ("jacobian", lambda x, p: 0.5 * np.eye(2) if p < EDGE else np.eye(3)),
        ("jacobian", lambda x, p: 0.5 * np.eye(2) if p < EDGE else 1j * np.eye(2)),
        ("parameter_derivative", lambda x, name, p: np.ones(2) if p < EDGE else 1 // 0),
        ("parameter_derivative", lambda x, name, p: np.ones(2) if p < EDGE else np.ones(3)),
        ("domain", lambda x, p: 1.0 if p < EDGE else 1 // 0),
        ("borders", lambda x, p: x + 10.0 if p < EDGE else 1 // 0),
    ],
)
def test_a_branch_ends_where_another_function_fails(part, given):
    map = bf.Map(lambda x, p: p + 0.5 * x, {"p": 0.2}, **{part: given})
    branch = bf.trace(bf.cycles(map, "p", GUESS), {"p": (0.0, 1.0)})
    assert branch.stop.last.reason == "failed" and part in str(branch.stop.last)
    assert EDGE - 1e-3 < branch["p"][-1] <= EDGE


def test_special_points_before_the_failure_are_found():
    def f(x, r):
        if r > 3.3:
            raise ArithmeticError("beyond the model")
        return r * x * (1 - x)

    diagram = bf.explore(bf.cycles(bf.Map(f, {"r": 2.5}), "r", [0.6]), {"r": (0.5, 4.0)}, depth=3)
    found = sorted((p.label, round(p.parameters["r"], 9)) for p in diagram.special)
    assert found == [("BP", 1.0), ("PD", 3.0)]
    assert sorted(branch.curve.period for branch in diagram.branches) == [1, 1, 2]
    assert sum("beyond the model" in str(stop) for branch in diagram.branches for stop in branch.stop) >= 3


def test_an_orbit_ends_where_f_fails_and_keeps_its_states():
    def f(x, r):
        if x[0] > 0.9:
            raise ValueError("too large")
        return r * x * (1 - x)

    map = bf.Map(f, {"r": 3.7})
    plain = bf.orbit(bf.maps.logistic(r=3.7), [0.3], 100).states
    reached = int(np.argmax(plain[:, 0] > 0.9))
    found = bf.orbit(map, [0.3], 100)
    assert (found.end, found.steps) == ("failed", reached) and "ValueError: too large" in found.detail
    assert np.array_equal(found.states, plain[: reached + 1])
    exponents = bf.lyapunov(map, [0.3], transient=0)
    assert (exponents.end, exponents.steps) == ("failed", reached) and "too large" in exponents.detail
    together = bf.ensemble(map, [[0.95], [0.3], [0.2]], 5, parameters={"r": [3.7, 2.5, 3.9]})
    assert together.ends == ("failed", "steps", "failed")
    assert "too large" in together.details[0] and together.details[1] == ""
    seen = bf.orbit_diagram(map, "r", [2.5, 3.9], [0.3], lambda x, r: x[0], samples=3)
    assert seen.ends == ("steps", "failed") and "too large" in seen.details[1]
    assert np.abs(seen.samples[0] - 0.6).max() < 1e-9


@pytest.mark.parametrize("value", [1j, "a", [0.1, 0.2]])
def test_an_orbit_ends_where_f_returns_no_state(value):
    map = bf.Map(lambda x: 0.5 * x if x[0] > 0.1 else np.asarray(value), {})
    found = bf.orbit(map, [0.3], 10)
    assert found.end == "failed" and found.states.ravel().tolist() == [0.3, 0.15, 0.075] and found.detail


def test_one_bad_guess_of_several_is_one_failed_attempt():
    found = bf.deflate(bf.maps.henon(), [[0.6, 0.2], [6.0, 6.0]], period=10)
    alone = bf.deflate(bf.maps.henon(), [[0.6, 0.2]], period=10)
    assert len(found) == len(alone) == 1
    assert np.array_equal(found.solutions[0].state, alone.solutions[0].state)
    (failed,) = [attempt for attempt in found.failures if attempt.guess == 1]
    assert "NaN or infinity" in failed.reason
    with pytest.raises(MapFailed, match="too far"):
        bf.deflate(bf.Map(_fails_beyond_one, {}), [[3.0], [2.0]])
    mixed = bf.deflate(bf.Map(_fails_beyond_one, {}), [[3.0], [0.5]])
    assert [s.state.round(12).tolist() for s in mixed.solutions] == [[0.4]]
    assert "too far" in next(a.reason for a in mixed.failures if a.guess == 0)


def _fails_beyond_one(x):
    if x[0] > 1.0:
        raise ValueError("too far")
    return 0.2 + 0.5 * x


def test_newtons_method_steps_back_from_where_f_fails():
    def f(x, c):
        if x[0] <= 0.0:
            raise ValueError("logarithm of a negative number")
        return x - 0.5 * (np.log(x) - c)

    found = bf.solve(bf.Map(f, {"c": -2.0}), [1.5])  # the first full step leads to −3.6
    assert abs(found.state[0] - np.exp(-2.0)) < 1e-10


def test_a_buffer_that_f_returns_each_time_does_no_harm():
    logistic_buffer, henon_buffer, jacobian_buffer = np.zeros(1), np.zeros(2), np.zeros((1, 1))

    def logistic(x, r):
        return np.multiply(r * x, 1 - x, out=logistic_buffer)

    def slope(x, r):
        jacobian_buffer[0, 0] = r * (1 - 2 * x[0])
        return jacobian_buffer

    def henon(z, a, b):
        henon_buffer[0], henon_buffer[1] = 1 - a * z[0] ** 2 + z[1], b * z[0]
        return henon_buffer

    for extra in ({}, {"jacobian": slope}):
        map = bf.Map(logistic, {"r": 3.2}, **extra)
        found = bf.solve(map, [0.5], period=2)
        plain = bf.solve(bf.maps.logistic(r=3.2), [0.5], period=2)
        assert abs(found.state - plain.state).max() < 1e-12 and found.residual < 1e-11
        assert abs(found.multipliers - plain.multipliers).max() < 1e-9
        branch = bf.trace(bf.cycles(map.replace(r=2.5), "r", [0.6]), {"r": (0.5, 3.4)})
        assert [(p.label, round(p.parameters["r"], 9)) for p in branch.special] == [("BP", 1.0), ("PD", 3.0)]
    map, plain = bf.Map(henon, {"a": 1.4, "b": 0.3}), bf.maps.henon()
    assert np.array_equal(bf.orbit(map, [0.1, 0.1], 50).states, bf.orbit(plain, [0.1, 0.1], 50).states)
    starts = np.random.default_rng(3).uniform(0.0, 0.1, (20, 2))
    apart = bf.ensemble(map, starts, 10).states - bf.ensemble(plain, starts, 10).states
    assert np.abs(apart).max() < 1e-13


@pytest.mark.parametrize("verb", ["solve", "cycles", "orbit"])
def test_a_random_map_is_refused_by_name(verb):
    rng = np.random.default_rng(0)
    noisy = bf.Map(lambda x, p: p * x + 1e-6 * rng.standard_normal(1), {"p": 0.3})
    call = {
        "solve": lambda: bf.solve(noisy, [0.3]),
        "cycles": lambda: bf.cycles(noisy, "p", [0.3]),
        "orbit": lambda: bf.orbit(noisy, [0.3], 3),
    }[verb]
    with pytest.raises(InvalidInput, match=r"called again at the same state .* it is random"):
        call()
