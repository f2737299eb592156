"""Fixed points of a map by damped iteration, and by Newton's method from there."""

from __future__ import annotations

import numpy as np

from bifurcate.errors import NotConverged
from bifurcate.maps.map import Map

__all__ = ["damped_iteration", "newton"]

STEPS = 4000  # iterations for each damping tried


def damped_iteration(map: Map, start: np.ndarray, tolerance: float, unit: float) -> np.ndarray:
    """A fixed point by x ← x + h (f(x) − x), until |f(x) − x| ≤ tolerance·max(|x|, unit); h = 1, ½, … 1/32.

    The fixed points are those of f for every h in (0, 1]; small h also comes to rest at points that flip under f.

    Raises
    ------
    NotConverged
        If no h leads to one without leaving the map's domain.

    Examples
    --------
    >>> flips = Map(lambda x, a: -a * x, {"a": 2.0}, domain=lambda x, a: 10.0 - abs(x))
    >>> bool(abs(damped_iteration(flips, np.ones(1), 1e-9, 1.0))[0] < 1e-9)
    True
    """
    p, x, moves = dict(map.parameters), start, list[float]()
    assert map.domain is not None
    for h in 0.5 ** np.arange(6.0):
        x, moves = start, list[float]()
        for _ in range(STEPS):
            with np.errstate(all="ignore"):
                move = np.asarray(map.f(x, **p)) - x
            moves.append(float(np.abs(move).max()))
            if moves[-1] <= tolerance * max(float(np.abs(x).max()), unit):
                return x
            x = x + h * move
            if not np.isfinite(moves[-1]) or not np.min(map.domain(x, **p)) > 0.0:
                break
    advice = "Weights may grow without bound (beta ≥ 0), or alpha be too large: continue from a smaller one."
    raise NotConverged("iteration from the initial weights did not come to rest", x, tuple(moves), advice)


def newton(map: Map, x: np.ndarray, isolated: bool = True) -> np.ndarray:
    """Newton's method on f(x) − x with a dense Jacobian, kept while the residual falls.

    Where fixed points are not isolated its steps are those of least norm.

    Examples
    --------
    >>> square = Map(lambda x, a: a * x * x, {"a": 0.5}, jacobian=lambda x, a: np.diag(2 * a * x))
    >>> newton(square, np.array([1.9]))
    array([2.])
    """
    p = dict(map.parameters)
    assert map.jacobian is not None
    move = map.f(x, **p) - x
    for _ in range(8):
        J = np.asarray(map.jacobian(x, **p)) - np.eye(x.size)
        try:
            step = np.linalg.solve(J, -move.ravel()) if isolated else np.linalg.lstsq(J, -move.ravel(), rcond=1e-10)[0]
        except np.linalg.LinAlgError:
            break
        better = x + step.reshape(x.shape)
        further = map.f(better, **p) - better
        if not np.abs(further).max() < np.abs(move).max():
            break
        x, move = better, further
    return x
