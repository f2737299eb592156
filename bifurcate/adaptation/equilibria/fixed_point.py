"""Fixed points of a map by damped iteration, and by Newton's method from there."""

from __future__ import annotations

import numpy as np

from bifurcate.errors import NotConverged
from bifurcate.maps.map import Map
from bifurcate.newton.polish import polish

__all__ = ["damped_iteration", "newton"]

STEPS = 4000  # iterations for each damping tried
NEWTON_STEPS = 8  # convergence is quadratic: from where the damped iteration ends three or four reach rounding
ZERO_SINGULAR_VALUE = 1e-10  # part of the largest below which a singular value is 0: the fixed points form a manifold


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
    """Newton's method on f(x) − x with a dense Jacobian, as long as the residual falls.

    Where fixed points are not isolated its steps are those of least norm.

    Examples
    --------
    >>> square = Map(lambda x, a: a * x * x, {"a": 0.5}, jacobian=lambda x, a: np.diag(2 * a * x))
    >>> newton(square, np.array([1.9]))
    array([2.])
    """
    p, jacobian = dict(map.parameters), map.jacobian
    assert jacobian is not None

    def step(x: np.ndarray, residual: np.ndarray) -> np.ndarray | None:
        M, r = np.asarray(jacobian(x, **p)) - np.eye(x.size), -residual.ravel()
        try:
            found = np.linalg.solve(M, r) if isolated else np.linalg.lstsq(M, r, rcond=ZERO_SINGULAR_VALUE)[0]
        except np.linalg.LinAlgError:
            return None
        return np.asarray(found.reshape(x.shape))

    return polish(x, lambda x: np.asarray(map.f(x, **p) - x), step, max_steps=NEWTON_STEPS).x
