"""How the Jacobian of f^k changes with every unknown, where states are small and derivatives are exact.

With Dᵢ the derivative of xᵢ = fⁱ(x; p) by all unknowns (x, p), Mᵢ = (fⁱ)' and Gᵢ its derivative along each unknown,

    Dᵢ₊₁ = Jᵢ Dᵢ + [0, f_p],   Gᵢ₊₁ = Jᵢ Gᵢ + (∂J Dᵢ + ∂_p J) Mᵢ,   Mᵢ₊₁ = Jᵢ Mᵢ,

∂J the slopes of the Jacobian of f at xᵢ: three-point differences, all of which come from one batch of Jacobians.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.maps.batched_map import (
    BatchedMap,
    DoesNotBroadcast,
    JacobianBy,
    batched_map,
    given_jacobians,
    looped_map,
)
from bifurcate.maps.batches import BatchLayout, BatchRows
from bifurcate.maps.iterated_map import IteratedMap

__all__ = ["JacobianSlopes", "has_jacobian_slopes", "jacobian_slopes", "jacobians", "takes_batches"]

Array = NDArray[np.float64]

# size limit: unknowns up to which slopes along all of them cost less than those along the few directions in which
# equations of special points ask for them
MOST_UNKNOWNS = 4


@dataclass(frozen=True, eq=False)
class JacobianSlopes:
    """The derivative of f^k by parameters, and how its Jacobian changes.

    Attributes
    ----------
    by_parameters : ndarray, shape (n, m)
        ∂f^k/∂p.
    along : ndarray, shape (n + m, n, n)
        The derivative of (f^k)' by each unknown of the state and by each parameter.
    """

    by_parameters: Array
    along: Array


class _Way(NamedTuple):
    """How a function takes a batch."""

    layout: BatchLayout
    by: JacobianBy


# By the function that gives derivatives, as long as it lives, and the shape of states: how it takes batches.
_WAYS: weakref.WeakKeyDictionary[Callable[..., Any], dict[tuple[int, ...], _Way]] = weakref.WeakKeyDictionary()


def has_jacobian_slopes(iterate: IteratedMap) -> bool:
    """True if the Jacobian's slopes along all unknowns are worth their cost: few unknowns, exact derivatives."""
    return type(iterate) is IteratedMap and iterate.size <= MOST_UNKNOWNS and iterate.exact


def jacobian_slopes(
    iterate: IteratedMap, orbit: Sequence[Array], p: Mapping[str, float], free: Sequence[str]
) -> JacobianSlopes:
    """The derivative of f^k by parameters, and of its Jacobian by the state and by parameters.

    Parameters
    ----------
    iterate : IteratedMap
        f^k.
    orbit : sequence of ndarray, each of shape (n,)
        The state and its images.
    p : mapping of str to float
        All parameters.
    free : sequence of str
        The parameters that vary, m of them.

    Examples
    --------
    >>> from bifurcate.maps.catalogue import logistic
    >>> twice, p = IteratedMap(logistic(), (1,), 2), {"r": 3.0}
    >>> found = jacobian_slopes(twice, twice.orbit(np.array([0.5]), p), p, ["r"])
    >>> found.by_parameters.round(6), found.along.ravel().round(6)
    (array([[-0.1875]]), array([9., 0.]))
    """
    n, m = iterate.size, len(free)
    J, slopes = _along_orbit(iterate, np.array(orbit[:-1]), p, free)
    D, M, G = np.eye(n + m), np.eye(n), np.zeros((n + m, n, n))
    for i, x in enumerate(orbit[:-1]):
        change = (D.T @ slopes[i].reshape(n + m, n * n)).reshape(n + m, n, n)
        G, M = J[i] @ G + change @ M, J[i] @ M
        D[:n] = J[i] @ D[:n]
        for j, name in enumerate(free, n):
            D[:n, j] += iterate._by_parameter(x, p, name)
    return JacobianSlopes(D[:n, n:], G)


def _along_orbit(
    iterate: IteratedMap, states: Array, p: Mapping[str, float], free: Sequence[str]
) -> tuple[Array, Array]:
    """The Jacobian of f at every state, (k, n, n), and its slopes by each unknown, (k, n + m, n, n)."""
    k, n = states.shape
    m, map = len(free), iterate.map
    h = np.empty((k, n + m))
    h[:, :n] = np.maximum(np.abs(states).max(axis=1), map.scale)[:, None]
    h[:, n:] = [iterate.parameter_unit(name, p[name]) for name in free]
    h *= map.precision.short_bend_step
    # A state, and two beside it in every direction.
    moves = np.concatenate([np.zeros((k, 1, n + m)), sides := h[:, :, None] * np.eye(n + m), -sides], axis=1)
    rows = (states[:, None] + moves[:, :, :n]).reshape(-1, n)
    moved = moves[:, :, n:].reshape(-1, m).T
    parameters = {**p, **{name: p[name] + by for name, by in zip(free, moved)}}
    J = jacobians(iterate, rows, parameters).reshape(k, -1, n, n)
    return J[:, 0], (J[:, 1 : 1 + n + m] - J[:, 1 + n + m :]) / (2.0 * h[:, :, None, None])


def takes_batches(iterate: IteratedMap, states: Array, p: Mapping[str, Any]) -> bool:
    """True if the Jacobians at many states, one a row, come from one call."""
    given = iterate.map.jvp if iterate.map.jacobian is None else iterate.map.jacobian
    way = _way(iterate.map.f if given is None else given, iterate, BatchRows(states.reshape(-1, *iterate.shape), p))
    return way is not None and way.by != "one by one"


def jacobians(iterate: IteratedMap, states: Array, p: Mapping[str, Any]) -> Array:
    """The Jacobian of f at every row, shape (rows, n, n), in one call where that works.

    Parameters
    ----------
    iterate : IteratedMap
        Of the map f.
    states : ndarray, shape (rows, n)
    p : mapping of str to float or ndarray of shape (rows,)
        All parameters.

    Raises
    ------
    MapFailed
        If one is NaN or infinity.
    """
    map, shape = iterate.map, iterate.shape
    given = map.jvp if map.jacobian is None else map.jacobian
    rows = BatchRows(states.reshape(-1, *shape), p)
    way = _way(map.f if given is None else given, iterate, rows)
    J = None
    if way is not None and way.by != "one by one":
        try:
            if way.by in ("jacobian", "jvp"):
                J = given_jacobians(map, way.layout, way.by, rows)
            else:
                J = BatchedMap(map, shape, way.layout, way.by).jacobians(states, p)
        except DoesNotBroadcast:
            J = None
    if J is None:
        J = looped_map(map, shape).jacobians(states, p)
    if not np.isfinite(J).all():
        raise MapFailed(f"the Jacobian of {map.name} is NaN or infinity beside a point of its curve")
    return J


def _way(given: Callable[..., Any], iterate: IteratedMap, rows: BatchRows) -> _Way | None:
    """How derivatives take batches, found out once for each function; None if they do not."""
    known = _WAYS.setdefault(given, {})
    if iterate.shape not in known:
        batched = batched_map(iterate.map, rows)
        known[iterate.shape] = _Way("leading", "one by one") if batched is None else _Way(batched.layout, batched.by)
    return known[iterate.shape]
