"""Thousands of fixed points at once, against one Newton solve after another and NumPy by hand."""

from __future__ import annotations

import numpy as np

import bifurcate as bf
from studies.benchmark.frame import Contest, Done, Row

__all__ = ["ROWS"]

TOLERANCE = 1e-11  # of the residual, for everybody


def _many(quick: bool) -> Contest:
    count = 200 if quick else 10_000
    map, a, b = bf.maps.henon(a=1.4, b=0.3), 1.4, 0.3
    guesses = np.array([0.63, 0.19]) + np.random.default_rng(0).uniform(-0.1, 0.1, (count, 2))

    def ours() -> Done:
        found = bf.solve_many(map, guesses)
        return Done(int(found.iterations.sum()), (float(found.residuals.max()), float(found.converged.mean())))

    def one_by_one(share: int) -> Done:
        found = [bf.solve(map, guess) for guess in guesses[::share]]
        return Done(sum(each.iterations for each in found), (max(each.residual for each in found),))

    def numpy_by_hand() -> Done:
        x, y, steps = guesses[:, 0], guesses[:, 1], 0
        while True:
            u, v = 1.0 - a * x * x + y - x, b * x - y
            if max(np.abs(u).max(), np.abs(v).max()) <= TOLERANCE:
                return Done(steps * count, (float(max(np.abs(u).max(), np.abs(v).max())),))
            determinant = 1.0 + 2.0 * a * x - b
            x, y, steps = x + (u + v) / determinant, y + (b * u + (1.0 + 2.0 * a * x) * v) / determinant, steps + 1

    ours_all = {"bifurcate, solve_many": ours, "bifurcate, solve, every 20th": lambda: one_by_one(20)}
    return Contest(2, ours_all, {"NumPy by hand, no multipliers": numpy_by_hand})


ROWS = (Row("many", "10,000 Newton solves of the Hénon map, with multipliers", "≤ 30 ms", _many),)
