"""Second and third derivatives of f^k as tensors, where states are small and derivatives are exact.

With A, B, C the derivatives of fⁱ at the start of an orbit and Aᵢ, Bᵢ, Cᵢ those of f at its state number i,

    C ← Cᵢ(A·, A·, A·) + Bᵢ(B(·, ·), A·) in its three orders + Aᵢ C,   B ← Bᵢ(A·, A·) + Aᵢ B,   A ← Aᵢ A.

Bᵢ are five-point slopes of the Jacobian of f along the axes, Cᵢ its five-point second derivatives along the axes and
along their sums and differences by pairs. All of them come from one batch of Jacobians.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.jacobian_slopes import has_jacobian_slopes, jacobians, takes_batches
from bifurcate.maps.periodic_coordinates import common_size

__all__ = ["HigherDerivatives", "higher_derivatives"]

Array = NDArray[np.float64]

# size limit: unknowns up to which the samples for all of B and C are few even where each takes a call of its own:
# n = 2 takes 25 of them, n = 3 takes 49, n = 4 takes 81
FEW_ALONE = 2


class HigherDerivatives(NamedTuple):
    """The derivatives of f^k at a state.

    Attributes
    ----------
    A : ndarray, shape (n, n)
    B : ndarray, shape (n, n, n)
        B[i, j, m] = ∂²fᵢ/∂xⱼ∂xₘ.
    C : ndarray, shape (n, n, n, n)
    """

    A: Array
    B: Array
    C: Array


def higher_derivatives(
    iterate: IteratedMap, orbit: Sequence[Array], p: Mapping[str, float], coarser: float = 1.0
) -> HigherDerivatives | None:
    """All derivatives of f^k up to the third; None where directional ones cost less, or f has none beside the orbit.

    Parameters
    ----------
    iterate : IteratedMap
        f^k.
    orbit : sequence of ndarray, each of shape (n,)
        The state and its images.
    p : mapping of str to float
        All parameters.
    coarser : float
        Multiplies the difference steps.

    Examples
    --------
    >>> from bifurcate.maps.catalogue import logistic
    >>> twice, p = IteratedMap(logistic(), (1,), 2), {"r": 3.0}
    >>> found = higher_derivatives(twice, twice.orbit(np.array([0.0]), p), p)
    >>> found.B.ravel().round(6), found.C.ravel().round(4)
    (array([-72.]), array([324.]))
    """
    if not has_jacobian_slopes(iterate) or iterate.map.precision.is_noisy:
        return None
    try:
        singles = _along_orbit(iterate, np.array(orbit[:-1]), p, coarser)
    except MapFailed:
        return None
    if not singles:
        return None
    found = singles[0]
    for single in singles[1:]:
        found = _composed(single, found)
    return found


def _composed(outer: HigherDerivatives, inner: HigherDerivatives) -> HigherDerivatives:
    """The derivatives of g ∘ f, from those of g at f(x) and those of f at x."""
    A, B, C = inner
    n = len(A)
    # Bᵢ(B(j, l), A m), as [i, m, j, l]
    mixed = A.T @ (outer.B @ B.reshape(n, n * n))
    mixed = mixed.reshape(n, n, n, n)
    third = A.T @ (A.T @ outer.C @ A).reshape(n, n, n * n)
    third = third.reshape(n, n, n, n) + (outer.A @ C.reshape(n, n**3)).reshape(n, n, n, n)
    third += mixed
    third += mixed.transpose(0, 2, 1, 3)
    third += mixed.transpose(0, 2, 3, 1)
    second = A.T @ outer.B @ A + (outer.A @ B.reshape(n, n * n)).reshape(n, n, n)
    return HigherDerivatives(outer.A @ A, second, third)


def _along_orbit(
    iterate: IteratedMap, states: Array, p: Mapping[str, float], coarser: float
) -> list[HigherDerivatives]:
    """The derivatives of f at every state, from one batch of its Jacobians; none where that would be many calls."""
    k, n = states.shape
    levels, sizes = iterate.map.precision, common_size(states, iterate.map.scale, iterate.map.periods)
    short, long = coarser * levels.bend_step * sizes, coarser * levels.curvature_step * sizes
    slopes, bends = _directions(n)
    moves = np.concatenate([short[:, None, None] * slopes, long[:, None, None] * bends, np.zeros((k, 1, n))], axis=1)
    rows = (states[:, None] + moves).reshape(-1, n)
    if n > FEW_ALONE and not takes_batches(iterate, rows, p):
        return []
    J = jacobians(iterate, rows, p).reshape(k, -1, n, n)
    first, here = J[:, : len(slopes)].reshape(k, n, 4, n, n), J[:, -1]
    second = J[:, len(slopes) : -1].reshape(k, n * n, 4, n, n)
    # B[:, :, j, m] from the slope along axis m, and the mean of both orders
    B = 8.0 * (first[:, :, 0] - first[:, :, 1]) - (first[:, :, 2] - first[:, :, 3])
    B = B.transpose(0, 2, 3, 1) / (12.0 * short[:, None, None, None])
    B = 0.5 * (B + B.transpose(0, 1, 3, 2))
    along = 16.0 * (second[:, :, 0] + second[:, :, 1]) - (second[:, :, 2] + second[:, :, 3]) - 30.0 * here[:, None]
    along /= 12.0 * (long * long)[:, None, None, None]
    C = np.empty((k, n, n, n, n))
    for j in range(n):
        C[..., j, j] = along[:, j]
    for number, (j, m) in enumerate(itertools.combinations(range(n), 2)):
        pair = n + 2 * number
        C[..., j, m] = C[..., m, j] = 0.25 * (along[:, pair] - along[:, pair + 1])
    C = (C + C.transpose(0, 1, 3, 2, 4) + C.transpose(0, 1, 4, 3, 2)) / 3.0
    return [HigherDerivatives(*each) for each in zip(here, B, C, strict=True)]


@cache
def _directions(n: int) -> tuple[Array, Array]:
    """What samples are taken along: ±e, ±2e for every axis e; and for every axis, e ± e' of every pair of them, too."""
    axes = np.eye(n)
    pairs = [axes[j] + sign * axes[i] for j, i in itertools.combinations(range(n), 2) for sign in (1.0, -1.0)]
    sides = np.array([1.0, -1.0, 2.0, -2.0])[:, None]
    slopes, bends = ((sides * each[:, None, :]).reshape(-1, n) for each in (axes, np.array([*axes, *pairs])))
    return slopes, bends
