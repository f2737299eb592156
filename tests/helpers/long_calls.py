"""Calls that take a while, each with a journal: what is interrupted and killed in the tests, and goes on afterwards."""

import numpy as np

import bifurcate as bf


def bubble(x, p):
    # Flips at p = ±√c: f' = −1 there.
    return -x * (1 + (p**2 - 0.05)) + x**3


def two_lines(x, p):
    return x + 0.1 * (x - p) * (x**2 - 2.0 - p**2)


def traced(journal=None):
    curve = bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3])
    return bf.trace(curve, {"a": (-1.0, 2.0)}, control=bf.StepControl(largest=0.005, first=0.005), journal=journal)


def locus(journal=None):
    flip = bf.special_point(bf.maps.henon(a=0.4, b=0.3), "flip", free="a", guess=[0.9, 0.3])
    control = bf.StepControl(largest=0.005, first=0.005)
    return bf.trace(bf.locus(flip, "b"), {"a": (-2.0, 5.0), "b": (-0.9, 0.9)}, control=control, journal=journal)


def explored(journal=None, executor=None):
    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    return bf.explore(curve, {"r": (0.5, 3.56)}, audit=True, depth=4, journal=journal, executor=executor)


def explored_in_two_parameters(journal=None, executor=None):
    curve = bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3])
    bounds = {"a": (-0.5, 0.95), "b": (-0.5, 0.9)}
    return bf.explore(curve, bounds, depth=2, journal=journal, executor=executor)


def deflated(journal=None):
    first = bf.trace(bf.cycles(bf.Map(two_lines, {"p": 0.5}), "p", [0.5]), {"p": (0.0, 1.0)})
    return bf.deflated_continuation(first, {"p": (0.0, 1.0)}, values=5, guesses=[[-2.0], [2.0]], journal=journal)


CALLS = {
    "trace": traced,
    "locus": locus,
    "explore": explored,
    "explore in two parameters": explored_in_two_parameters,
    "deflated continuation": deflated,
}


def without_journal():
    """Long calls that keep no journal: what they return when they are interrupted is marked."""
    map = bf.maps.henon()
    yield "orbit", lambda: bf.orbit(map, [0.1, 0.1], 10**6).end == "interrupted"
    yield "lyapunov", lambda: bf.lyapunov(map, [0.1, 0.1], steps=10**6).end == "interrupted"
    yield "ensemble", lambda: "interrupted" in bf.ensemble(map, np.full((50, 2), 0.1), 10**5).ends
    yield (
        "orbit diagram",
        lambda: (
            "interrupted"
            in bf.orbit_diagram(
                bf.maps.logistic(), "r", np.linspace(3, 4, 500), [0.3], lambda x, r: x[0], transient=10**5
            ).ends
        ),
    )
    guesses = np.random.default_rng(0).uniform(0, 1, (200, 1))
    yield "deflation", lambda: bf.deflate(bf.maps.logistic(r=3.9), guesses, period=6).interrupted
