"""Polishing: Newton steps as long as the residual falls, and none that raises it."""

import numpy as np

from bifurcate.newton.polish import polish


def test_it_ends_at_rounding():
    found = polish(np.array([1.5]), lambda x: x**2 - 2.0, lambda x, r: -r / (2.0 * x), max_steps=20)
    assert abs(found.x[0] - np.sqrt(2.0)) <= 1e-15 and len(found.history) < 8
    assert all(after < before for before, after in zip(found.history, found.history[1:]))


def test_a_step_that_raises_the_residual_is_halved_or_refused():
    def step(x, r):
        return np.array([8.0 - x[0]])  # aims at 8, where the residual is larger than at 1

    def residual(x):
        return x - 2.0

    assert polish(np.array([1.0]), residual, step, max_steps=1).x[0] == 1.0
    assert polish(np.array([1.0]), residual, step, max_steps=1, max_halvings=3).x[0] == 2.75


def test_it_ends_where_there_is_no_step_and_never_where_the_residual_is_infinite():
    assert polish(np.ones(2), lambda x: x, lambda x, r: None, max_steps=3).history == [1.0]

    def residual(x):
        return x if x[0] > 0.5 else np.full(1, np.inf)

    assert polish(np.ones(1), residual, lambda x, r: -r, max_steps=3, max_halvings=0).x[0] == 1.0
