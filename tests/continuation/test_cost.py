"""What a continuation step costs in calls of the user's functions: counted, not timed."""

from collections import Counter

import numpy as np
import pytest

import bifurcate as bf

STEPS = bf.StepControl(first=0.01, largest=0.01)


def counting(calls, name, function):
    def call(*args, **parameters):
        calls[name] += 1
        return function(*args, **parameters)

    return call


def counted(map, given):
    """The map with every function given counted, and the others left away."""
    calls = Counter()
    functions = {name: counting(calls, name, getattr(map, name)) for name in given}
    return calls, bf.Map(functions.pop("f"), dict(map.parameters), **functions)


def walked(map, free, start, bounds, calls, steps=12):
    """For every step: Newton steps of the corrector, and the calls made in it."""
    walk = bf.steps(bf.cycles(map, free, start), {free: bounds}, control=STEPS)
    next(walk)
    found = []
    for _ in range(steps):
        calls.clear()
        step = next(walk)
        assert step.events.points == [] and step.stop is None and step.point.spectrum.complete
        found.append((step.point.iterations, dict(calls)))
    return found


@pytest.mark.parametrize(
    ("map", "free", "start", "bounds"),
    [
        (bf.maps.logistic(r=1.5), "r", [1 / 3], (1.2, 2.8)),
        (bf.maps.henon(a=0.0, b=0.3), "a", [1 / 0.7, 0.3 / 0.7], (-0.05, 0.3)),
        (bf.maps.logistic_ring(n=10, r=1.5, e=0.1), "r", np.full(10, 1 / 3), (1.2, 2.8)),
    ],
)
def test_a_step_with_all_derivatives_given(map, free, start, bounds):
    """One call of each function a Newton step and one more at the new point, stability and detection included."""
    calls, watched = counted(map, ("f", "jvp", "jacobian", "parameter_derivative"))
    for iterations, made in walked(watched, free, start, bounds, calls):
        assert 1 <= iterations <= 3
        assert made == {name: iterations + 1 for name in ("f", "jacobian", "parameter_derivative")}


@pytest.mark.parametrize("given", [("f",), ("f", "jvp")])
def test_a_step_with_differences(given):
    n = 4
    calls, watched = counted(bf.maps.logistic_ring(n=n, r=1.5, e=0.1), given)
    for iterations, made in walked(watched, "r", np.full(n, 1 / 3), (1.2, 2.8), calls):
        # Five-point differences take four values: of the parameter, and of every unknown where no jvp is given.
        by_state = {"f": 0, "jvp": n} if "jvp" in given else {"f": 4 * n}
        assert made["f"] == (iterations + 1) * (1 + 4 + by_state["f"])
        assert made.get("jvp", 0) == (iterations + 1) * by_state.get("jvp", 0)


def test_a_cycle_of_period_k_costs_k_times_as_much():
    calls, watched = counted(bf.maps.logistic(r=3.2), ("f", "jvp", "jacobian", "parameter_derivative"))
    x = (4.2 + np.sqrt(4.2 * 0.2)) / 6.4  # r x = ((r + 1) ± √((r + 1)(r − 3)))/2
    walk = bf.steps(bf.cycles(watched, "r", [x], period=2), {"r": (3.1, 3.4)}, control=STEPS)
    next(walk)
    for _ in range(5):
        calls.clear()
        step = next(walk)
        k = 2 * (step.point.iterations + 1)
        # The parameter derivative of f² is f_x f_r + f_r: one jvp beside two calls of f_r.
        assert dict(calls) == {"f": k, "jacobian": k, "parameter_derivative": k, "jvp": k // 2}


def test_an_equilibrium_costs_one_jacobian_a_newton_step():
    calls, watched = counted(bf.maps.henon(a=0.2, b=0.3), ("f", "jvp", "jacobian", "parameter_derivative"))
    bf.solve(watched, [1.0, 0.3])  # the map is checked once
    calls.clear()
    found = bf.solve(watched, [1.0, 0.3])
    assert calls["jacobian"] == found.iterations + 1 and calls["jvp"] == calls["parameter_derivative"] == 0
    assert calls["f"] == found.iterations + 2  # the guess is tried once, to refuse what is no state
