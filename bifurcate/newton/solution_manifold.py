"""Manifolds of solutions: whether the solutions of f^k(x) = x beside one of them form a continuum, and its tangent.

A singular J − I tells of a fold or branch point as well as of a continuum. The difference is what lies beside: from
x + δ v, v in the kernel, Gauss–Newton steps of least length return to x or fail at the first, and find another solution
at about the distance δ on the second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.linalg.operators import Operator
from bifurcate.linalg.threads import one_thread
from bifurcate.maps.iterated_map import IteratedMap

__all__ = ["manifold_words", "tangent_of_manifold"]

Array = NDArray[np.float64]

SINGULAR = 1e-7  # a singular value of J − I below this, in units of max(1, the largest), is 0: √rounding of differences
FAR = 0.1  # units by which neighbours are looked for: there the residual beside a root of multiplicity m is 10⁻ᵐ
NEIGHBOUR = 1e-11  # residual at which a neighbour is a solution: what solutions are asked for
STEPS = 8  # Gauss–Newton steps: on a manifold they converge quadratically
STAYS = 0.5  # part of the distance at which a neighbour must lie to be another solution
LARGEST_DECOMPOSED = 200  # size limit: unknowns up to which this is asked, of a singular-value decomposition of J


def tangent_of_manifold(iterate: IteratedMap, x: Array, jacobian: Operator) -> Array:
    """Orthonormal tangents, shape (n, m), of the manifold of solutions through one; m = 0 where it is isolated.

    Parameters
    ----------
    iterate : IteratedMap
        f^k.
    x : ndarray, shape (n,)
        A solution.
    jacobian : Operator
        J of f^k there.
    """
    n, p = len(x), iterate.map.parameters
    nothing = np.zeros((n, 0))
    if not isinstance(jacobian, np.ndarray) or n > LARGEST_DECOMPOSED or not np.isfinite(jacobian).all():
        return nothing
    with one_thread(n):
        _, values, right = np.linalg.svd(jacobian - np.eye(n))
    kernel = right[values <= SINGULAR * max(1.0, float(values[0]))]
    unit = max(iterate.map.scale, float(np.abs(x).max()))
    found = [v for v in kernel if _has_neighbour(iterate, x, v, unit, p)]
    return np.array(found).T if found else nothing


def _has_neighbour(iterate: IteratedMap, x: Array, v: Array, unit: float, p: Any) -> bool:
    """True if there are solutions at about the distance of FAR units from x in the direction v."""
    distance = FAR * unit / float(np.abs(v).max())
    y = x + distance * v
    try:
        for _ in range(STEPS):
            orbit = iterate.orbit(y, p)
            residual = iterate.difference(orbit[-1], y)
            if not np.isfinite(residual).all():
                return False
            if float(np.abs(residual).max()) <= NEIGHBOUR * unit:
                return bool(abs(v @ (y - x)) > STAYS * distance)
            J = iterate.jacobian(orbit, p)
            if not isinstance(J, np.ndarray):
                return False
            with one_thread(len(y)):
                y = y - np.linalg.pinv(J - np.eye(len(y)), rcond=SINGULAR) @ residual
    except (MapFailed, np.linalg.LinAlgError):
        pass
    return False


def manifold_words(tangent: Array) -> str:
    """In words, how solutions beside a solution lie; "" if it is isolated."""
    m = tangent.shape[1]
    if not m:
        return ""
    shown = np.array2string(tangent[:, 0], precision=3, threshold=6, separator=", ").replace("\n", "")
    first = "along" if m == 1 else "one of its tangents is"
    return f"the solutions are not isolated: they form a manifold of dimension {m} here, {first} {shown}"
