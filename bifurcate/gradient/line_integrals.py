"""Integrals of G along paths: circulations around closed ones, and the energy along straight lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput, OutsideDomain
from bifurcate.gradient.certificates import Ellipse, Loop
from bifurcate.gradient.field import EPS, Field, checked
from bifurcate.gradient.metric_on_a_box import DiagonalMetric
from bifurcate.maps.map import Map
from bifurcate.validation import check_array, check_callable

__all__ = ["LineIntegralEnergy", "circulation", "flat", "polygon", "work"]

FEWEST, MOST = 8, 256  # quadrature nodes on a segment or an ellipse
TINY = float(np.finfo(float).tiny)  # where G = 0 rounding has no size
STUCK = 0.2  # two doublings that lower the change to no less than this part of it meet noise, or a kink
RULES_REMEMBERED = 16  # Gauss rules, one for each number of nodes
ENOUGH = 1e-13  # doubling stops at this change, relative to ∫ |M G| |dx|

Weight = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class LineIntegralEnergy:
    """E(x) = −∫ M G·dx along the straight line from a base point to x.

    Attributes
    ----------
    field : Field
    base : ndarray, shape (n,)
        Where E = 0.
    metric : DiagonalMetric or None
        M; None for the identity.

    Examples
    --------
    >>> from bifurcate.gradient import euclidean
    >>> E = euclidean(Map(lambda x: 0.9 * x, {}), [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]).energy
    >>> round(E([2.0, 0.0]), 12)
    0.2
    """

    field: Field
    base: np.ndarray
    metric: DiagonalMetric | None

    def __call__(self, x: Any) -> float:
        """E at x; raises OutsideDomain if the line to x leaves the map's domain, or x the metric's."""
        return self.change(self.base, x)[0]

    def change(self, start: Any, end: Any) -> tuple[float, float]:
        """E(end) − E(start), along the line between them rather than by two long ways, and its error."""
        a, b = (np.asarray(x, dtype=float).reshape(-1) for x in (start, end))
        if len(a) != self.field.size or len(b) != self.field.size:
            raise InvalidInput(
                f"a state of {len(b)} numbers was given to an energy of states of shape {self.field.shape}"
            )
        value, error, _ = work(self.field, a, b, flat(self.metric, self.field))
        return -value, error


def circulation(map: Map, path: Any, metric: Weight | None = None) -> Loop:
    """∮ G·dx around a closed path, which is 0 if G is a gradient; or ∮ M G·dx with a diagonal metric.

    On polygons every edge by Gauss–Legendre quadrature; on ellipses the trapezoidal rule, as good on closed curves.
    The number of nodes is doubled from 8 until the value changes by ≤ 1e-13 ∮ |M G·dx|, or two doublings change it no
    less than a fifth as much as those before, or to 256.

    Parameters
    ----------
    map : Map
        x ↦ x + G(x).
    path : array_like of shape (k, *state's shape) with k ≥ 3, or Ellipse
        Vertices of a closed polygon, or an ellipse.
    metric : callable, optional
        x ↦ the diagonal of M at x, in the state's shape.

    Returns
    -------
    Loop

    Raises
    ------
    InvalidInput
        If the path is unusable.
    OutsideDomain
        If the path leaves the map's domain.

    Examples
    --------
    >>> import numpy as np
    >>> turn = Map(lambda x: x + 0.1 * np.array([-x[1], x[0]]), {})
    >>> around = circulation(turn, Ellipse([0.0, 0.0], [1.0, 0.0], [0.0, 1.0]))
    >>> bool(abs(around.value - 0.2 * np.pi) < 1e-12)
    True
    """
    if isinstance(path, Ellipse):
        field, (c, u, v) = checked(map, [path.center])[0], (np.ravel(x) for x in (path.center, path.u, path.v))
        if not len(c) == len(u) == len(v) or not np.isfinite([*u, *v]).all():
            raise InvalidInput("u and v of an ellipse must be finite and of the shape of its center")
        return _ellipse(field, path, c.astype(float), u.astype(float), v.astype(float), flat(metric, field))
    field, X = checked(map, path)
    if len(X) < 3:
        raise InvalidInput(f"path has {len(X)} vertices; a closed polygon has at least 3")
    return polygon(field, X, flat(metric, field))


def flat(metric: Weight | None, field: Field) -> Weight | None:
    """The metric on flattened states."""
    check_callable("metric", metric, "metric(x)")
    if metric is None:
        return None
    return lambda x: check_array("metric", metric(x.reshape(field.shape))).reshape(-1)


def polygon(field: Field, X: np.ndarray, metric: Weight | None) -> Loop:
    """Around a closed polygon."""
    parts = [work(field, a, b, metric) for a, b in pairwise([*X, X[0]])]
    value, error, size = np.sum(parts, axis=0)
    return Loop(X.reshape(-1, *field.shape), float(value), float(error) + TINY, float(size))


def work(field: Field, a: np.ndarray, b: np.ndarray, metric: Weight | None) -> tuple[float, float, float]:
    """∫ M G·dx from a to b, its error, and ∫ |M G·dx|."""

    def sums(nodes: int) -> np.ndarray:
        t, w = _gauss(nodes)
        return np.asarray(np.array([_terms(field, a + s * (b - a), b - a, metric) for s in t]).T @ w)

    return _doubled(sums)


def _ellipse(field: Field, path: Ellipse, c: np.ndarray, u: np.ndarray, v: np.ndarray, metric: Weight | None) -> Loop:
    def sums(nodes: int) -> np.ndarray:
        angles = 2.0 * np.pi * np.arange(nodes) / nodes
        points = [
            _terms(field, c + u * np.cos(t) + v * np.sin(t), v * np.cos(t) - u * np.sin(t), metric) for t in angles
        ]
        return np.asarray(np.sum(points, axis=0) * 2.0 * np.pi / nodes)

    value, error, size = _doubled(sums)
    return Loop(path, value, error + TINY, size)


def _terms(field: Field, x: np.ndarray, dx: np.ndarray, metric: Weight | None) -> tuple[float, float, float]:
    """M G·dx, the rounding in it, and its modulus, at one node."""
    if not field.inside(x):
        raise OutsideDomain(f"the path leaves the domain of {field.map.name}")
    y = field.image(x)
    m = np.ones_like(x) if metric is None else metric(x)
    value = float(m @ ((y - x) * dx))
    rounding = EPS * float(m @ ((np.abs(x) + np.abs(y)) * np.abs(dx)))
    return value, rounding, abs(value)


def _doubled(sums: Callable[[int], np.ndarray]) -> tuple[float, float, float]:
    nodes, last = FEWEST, sums(FEWEST)
    changes: list[float] = []
    while True:
        nodes *= 2
        now = sums(nodes)
        changes.append(float(abs(now[0] - last[0])))
        if changes[-1] <= ENOUGH * now[2]:
            return float(now[0]), changes[-1] + float(now[1]), float(now[2])
        stuck = len(changes) > 3 and changes[-1] > STUCK * changes[-3]
        if stuck or nodes >= MOST:  # on noise any one change may be small by chance
            return float(now[0]), max(changes[-3:]) + float(now[1]), float(now[2])
        last = now


@lru_cache(maxsize=RULES_REMEMBERED)
def _gauss(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    t, w = np.polynomial.legendre.leggauss(nodes)
    return 0.5 * (1.0 + t), 0.5 * w
