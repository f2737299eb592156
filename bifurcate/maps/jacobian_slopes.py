"""How the Jacobian of f^k changes with every unknown, where states are small and derivatives are exact.

With Dᵢ = [Mᵢ qᵢ] the derivative of xᵢ = fⁱ(x; p) by the state and by parameters, Mᵢ₊₁ = Jᵢ Mᵢ, qᵢ₊₁ = Jᵢ qᵢ + f_p, and
Pᵢ = J₍ₖ₋₁₎ … Jᵢ₊₁ the derivative of f^k by xᵢ₊₁, the Jacobian Mₖ changes along each unknown by

    G = Σᵢ Pᵢ (∂J Dᵢ + ∂_p J) Mᵢ,

∂J the slopes of the Jacobian of f at xᵢ: three-point differences, all of which come from one batch of Jacobians.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.maps.batch_calls import DoesNotBroadcast
from bifurcate.maps.batched_map import (
    BatchedMap,
    JacobianBy,
    batched_map,
    given_jacobians,
    looped_map,
)
from bifurcate.maps.batches import LAYOUTS, BatchLayout, BatchRows, agrees, broadcast_parameters, to_batch, to_rows
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.periodic_coordinates import common_size

__all__ = [
    "JacobianChain",
    "JacobianSlopes",
    "has_jacobian_slopes",
    "jacobian_chain",
    "jacobian_slopes",
    "jacobians",
    "takes_batches",
]

Array = NDArray[np.float64]

# size limit: unknowns up to which slopes along all of them cost less than those along the few directions in which
# equations of special points ask for them
MOST_UNKNOWNS = 4

# States of an orbit from which on derivatives at all of them are asked for in one call, where that works: the calls of
# NumPy around a batch take as long as three of a map.
SMALLEST_BATCH = 4


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


class JacobianChain(NamedTuple):
    """The Jacobians along an orbit.

    Attributes
    ----------
    singles : list of ndarray, each of shape (n, n)
        Of f at every state.
    products : list of ndarray, each of shape (n, n)
        Mᵢ, of fⁱ at the first state, for i = 0, …, k.
    """

    singles: list[Array]
    products: list[Array]


class _Way(NamedTuple):
    """How a function takes a batch."""

    layout: BatchLayout
    by: JacobianBy


# By the function that gives derivatives, as long as it lives; by the shape of states and the names of what varies
# beside them: how it takes batches.
_WAYS: weakref.WeakKeyDictionary[Callable[..., Any], dict[tuple[Any, ...], _Way]] = weakref.WeakKeyDictionary()


def has_jacobian_slopes(iterate: IteratedMap) -> bool:
    """True if the Jacobian's slopes along all unknowns are worth their cost: few unknowns, exact derivatives."""
    return type(iterate) is IteratedMap and iterate.size <= MOST_UNKNOWNS and iterate.exact


def jacobian_chain(iterate: IteratedMap, orbit: Sequence[Array], p: Mapping[str, float]) -> JacobianChain | None:
    """The Jacobians along an orbit, for a map that :func:`has_jacobian_slopes`; None if they are no ndarrays.

    Examples
    --------
    >>> from bifurcate.maps.catalogue import logistic
    >>> twice, p = IteratedMap(logistic(), (1,), 2), {"r": 3.0}
    >>> [each.item() for each in jacobian_chain(twice, twice.orbit(np.array([0.0]), p), p).products]
    [1.0, 3.0, 9.0]
    """
    states = orbit[:-1]
    singles: list[Array] = []
    if len(states) < SMALLEST_BATCH:
        for x in states:
            J = iterate._single(x, p)
            if not isinstance(J, np.ndarray):
                return None
            singles.append(J)
    else:
        singles.extend(jacobians(iterate, np.array(states), p))
    product = singles[0]
    products = [_identity(len(product)), product]
    for single in singles[1:]:
        product = single @ product
        products.append(product)
    return JacobianChain(singles, products)


@cache
def _identity(n: int) -> Array:
    found = np.eye(n)
    found.flags.writeable = False
    return found


def jacobian_slopes(
    iterate: IteratedMap,
    orbit: Sequence[Array],
    p: Mapping[str, float],
    free: Sequence[str],
    chain: JacobianChain | None = None,
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
    chain : JacobianChain, optional
        The Jacobians along the orbit, where they are known.

    Examples
    --------
    >>> from bifurcate.maps.catalogue import logistic
    >>> twice, p = IteratedMap(logistic(), (1,), 2), {"r": 3.0}
    >>> found = jacobian_slopes(twice, twice.orbit(np.array([0.5]), p), p, ["r"])
    >>> found.by_parameters.round(6), found.along.ravel().round(6)
    (array([[-0.1875]]), array([9., 0.]))
    """
    states = np.array(orbit[:-1])
    slopes, pushes = _along_orbit(iterate, states, p, free), _pushes(iterate, states, p, free)
    k, n, m = pushes.shape
    if k == 1:
        return JacobianSlopes(pushes[0], slopes[0])
    found = jacobian_chain(iterate, orbit, p) if chain is None else chain
    assert found is not None  # has_jacobian_slopes: its Jacobians are ndarrays
    D, P = np.zeros((k, n + m, n + m)), np.empty((k, 1, n, n))
    M = np.array(found.products[:-1])
    D[:, :n, :n] = M
    D[:, range(n, n + m), range(n, n + m)] = 1.0
    q = pushes[0]
    for i in range(1, k):
        D[i, :n, n:] = q
        q = found.singles[i] @ q + pushes[i]
    after = P[-1, 0] = _identity(n)
    for i in range(k - 2, -1, -1):
        after = P[i, 0] = after @ found.singles[i + 1]
    changes = (D.transpose(0, 2, 1) @ slopes.reshape(k, n + m, n * n)).reshape(k, n + m, n, n)
    return JacobianSlopes(q, (P @ changes @ M[:, None]).sum(axis=0))


@cache
def _sides(unknowns: int) -> Array:
    """One unknown more, then one less, in units of its step: shape (2 unknowns, unknowns)."""
    return np.concatenate([np.eye(unknowns), -np.eye(unknowns)])


def _along_orbit(iterate: IteratedMap, states: Array, p: Mapping[str, float], free: Sequence[str]) -> Array:
    """The slopes of the Jacobian of f at every state by each unknown, shape (k, n + m, n, n)."""
    k, n = states.shape
    m, map = len(free), iterate.map
    h = np.empty((k, 1, n + m))
    h[:, 0, :n] = common_size(states, map.scale, map.periods)[:, None]
    h[:, 0, n:] = [iterate.parameter_unit(name, p[name]) for name in free]
    h *= map.precision.short_bend_step
    moves = _sides(n + m) * h  # to two places beside every state in every direction
    rows = (states[:, None] + moves[:, :, :n]).reshape(-1, n)
    moved = moves[:, :, n:].reshape(-1, m).T
    parameters = {**p, **{name: p[name] + by for name, by in zip(free, moved)}}
    J = jacobians(iterate, rows, parameters).reshape(k, 2, n + m, n * n)
    return ((J[:, 0] - J[:, 1]) / (2.0 * h).transpose(0, 2, 1)).reshape(k, n + m, n, n)


def _pushes(iterate: IteratedMap, states: Array, p: Mapping[str, float], free: Sequence[str]) -> Array:
    """The derivative of f by parameters at every state, shape (k, n, m)."""
    k, n = states.shape
    found = np.empty((k, n, len(free)))
    for j, name in enumerate(free):
        together = _pushes_together(iterate, states, p, name) if k >= SMALLEST_BATCH else None
        found[:, :, j] = [iterate._by_parameter(x, p, name) for x in states] if together is None else together
    return found


def _pushes_together(iterate: IteratedMap, states: Array, p: Mapping[str, float], name: str) -> Array | None:
    """The derivative of f by a parameter at every state, shape (k, n), from one call; None where that does not work.

    What the first call yields is compared with single ones.
    """
    given, rank, shape = iterate.map.parameter_derivative, len(iterate.shape), (len(states), *iterate.shape)
    if given is None:
        return None
    known = _WAYS.setdefault(given, {})
    way, is_new = known.get((iterate.shape, name)), (iterate.shape, name) not in known
    if way is not None and way.by == "one by one":
        return None
    for layout in LAYOUTS if way is None else (way.layout,):
        try:
            pushed = given(to_batch(states.reshape(shape), layout), name, **broadcast_parameters(p, rank, layout))
            rows = to_rows(np.array(pushed, dtype=float), layout)
        except Exception:  # it was not written for such arrays, and may raise anything
            continue
        if rows.shape != shape or not np.isfinite(rows).all():
            continue
        together = rows.reshape(states.shape)
        if not is_new or agrees(together, np.array([iterate._by_parameter(x, p, name) for x in states])):
            known[iterate.shape, name] = _Way(layout, "jacobian")
            return together
    if is_new:
        known[iterate.shape, name] = _Way("leading", "one by one")
    return None


def takes_batches(iterate: IteratedMap, states: Array, p: Mapping[str, Any]) -> bool:
    """True if the Jacobians at many states, one a row, come from one call."""
    return _way(iterate, BatchRows(states.reshape(-1, *iterate.shape), p)).by != "one by one"


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
    rows = BatchRows(states.reshape(-1, *shape), p)
    way, J = _way(iterate, rows), None
    if way.by != "one by one":
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


def _way(iterate: IteratedMap, rows: BatchRows) -> _Way:
    """How derivatives take batches, found out once for each function."""
    map = iterate.map
    given = map.jacobian or map.jvp or map.f
    known = _WAYS.setdefault(given, {})
    key = (iterate.shape, *(name for name, value in rows.parameters.items() if type(value) is np.ndarray))
    way = known.get(key)
    if way is None:
        batched = batched_map(map, rows)
        way = _Way("leading", "one by one") if batched is None else _Way(batched.layout, batched.by)
        if len(rows) > 1:  # one row alone does not tell
            known[key] = way
    return way
