"""Calls that take a while, each with a journal: what is interrupted and killed in the tests, and goes on afterwards."""

import functools
import os
import signal
from unittest import mock

import numpy as np

import bifurcate as bf
from bifurcate.adaptation.long_run.fast_reduction import FastReduction
from bifurcate.adaptation.simulation import simulate


def bubble(x, p):
    # Flips at p = ±√c: f' = −1 there.
    return -x * (1 + (p**2 - 0.05)) + x**3


def two_lines(x, p):
    return x + 0.1 * (x - p) * (x**2 - 2.0 - p**2)


def traced(journal=None):
    curve = bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3])
    return bf.trace(curve, {"a": (-1.0, 2.0)}, control=bf.StepControl(largest=0.005, first=0.005), journal=journal)


@functools.cache
def flip_curve():
    return bf.locus(bf.special_point(bf.maps.henon(a=0.4, b=0.3), "flip", free="a", guess=[0.9, 0.3]), "b")


def locus(journal=None):
    control = bf.StepControl(largest=0.005, first=0.005)
    return bf.trace(flip_curve(), {"a": (-2.0, 5.0), "b": (-0.9, 0.9)}, control=control, journal=journal)


def explored(journal=None, executor=None):
    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    return bf.explore(curve, {"r": (0.5, 3.56)}, audit=True, depth=4, journal=journal, executor=executor)


def explored_in_two_parameters(journal=None, executor=None):
    curve = bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3])
    bounds = {"a": (-0.5, 0.95), "b": (-0.5, 0.9)}
    return bf.explore(curve, bounds, depth=2, journal=journal, executor=executor)


@functools.cache
def first_line():
    return bf.trace(bf.cycles(bf.Map(two_lines, {"p": 0.5}), "p", [0.5]), {"p": (0.0, 1.0)})


def deflated(journal=None):
    return bf.deflated_continuation(first_line(), {"p": (0.0, 1.0)}, values=5, guesses=[[-2.0], [2.0]], journal=journal)


CALLS = {
    "trace": traced,
    "locus": locus,
    "explore": explored,
    "explore in two parameters": explored_in_two_parameters,
    "deflated continuation": deflated,
}


class Interrupting:
    """The Hénon map, which interrupts its process at one of its calls."""

    def __init__(self, at):
        self.at, self.calls = at, 0

    def __call__(self, z, a, b):
        self.calls += 1
        if self.calls == self.at:
            os.kill(os.getpid(), signal.SIGINT)
        return np.array([1.0 - a * z[0] ** 2 + z[1], b * z[0]])


def interrupting(at=1000):
    return bf.Map(Interrupting(at), {"a": 1.4, "b": 0.3})


def without_journal():
    """Calls that keep no journal, interrupted in the middle: is what they return marked, and does it hold the rest?"""

    def orbit():
        found = bf.orbit(interrupting(), [0.1, 0.1], 5000)
        return found.end == "interrupted" and len(found.states) == found.steps + 1 > 900

    def lyapunov():
        found = bf.lyapunov(interrupting(5000), [0.1, 0.1], steps=9000, transient=10)
        return found.end == "interrupted" and found.steps > 900 and np.isfinite(found.values).all()

    def ensemble(layout, at):
        found = bf.ensemble(interrupting(at), np.full((5, 2), 0.1), 1000, layout=layout)
        return "interrupted" in found.ends and found.steps.max() > 400 and np.isfinite(found.states[0, 400]).all()

    def orbit_diagram():
        values = np.linspace(0, 1, 50)
        seen = bf.orbit_diagram(interrupting(250), "a", values, [0.1, 0.1], lambda z, a, b: z[0], transient=150)
        return "interrupted" in seen.ends

    def deflation():
        guesses = np.random.default_rng(0).uniform(-1, 1, (50, 2))
        found = bf.deflate(interrupting(3000), guesses, period=4)
        return found.interrupted and not found.exhausted and "interrupted by the user" in str(found)

    def interrupting_call(owner, name, at):
        """A function of the package that interrupts its process at one of its calls."""
        function, calls = getattr(owner, name), []

        def call(*given):
            calls.append(1)
            if len(calls) == at:
                os.kill(os.getpid(), signal.SIGINT)
            return function(*given)

        return mock.patch.object(owner, name, call)

    def run():
        net = bf.adaptation.ring(16, (0.8, 0.0), (0.8, 1.5), alpha=0.1, beta=-0.1, sigma=1 / 6, b=0.05)
        with interrupting_call(simulate, "respond", 300):
            found = net.run(drive=np.tile(net.drive, (1000, 1)))
        return found.end == "interrupted" and len(found) == 300 and found.check() < 1e-12

    def outcome():
        # At β = −2 + 1e-9 the orbit takes 10⁹ updates to come to rest.
        net = bf.adaptation.ring(16, (0.8, 0.0), (0.8, 1.5), alpha=0.0, beta=1e-9 - 2.0, sigma=1 / 6, b=0.05)
        with interrupting_call(FastReduction, "step", 5000):
            found = net.outcome(longest=10**8).fate
        return found.kind == "undecided" and found.steps < 6000 and "interrupted by the user" in found.reason

    yield "run of the network", run
    yield "outcome", outcome
    yield "orbit", orbit
    yield "lyapunov", lyapunov
    yield "ensemble, one by one", lambda: ensemble("single", 3000)
    yield "ensemble, in batches", lambda: ensemble("trailing", 700)
    yield "orbit diagram", orbit_diagram
    yield "deflation", deflation
