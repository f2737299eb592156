"""The curve of folds of long cycles, begun at a cycle whose nearly critical direction is known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Curve
from bifurcate.curves.minimally_augmented.borders import adapted_borders
from bifurcate.curves.minimally_augmented.fold_and_flip_curves import MinimallyAugmentedFoldFlip
from bifurcate.linalg.bordered_system import Krylov
from bifurcate.linalg.operators import core_operator, shifted
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.orbit_map import OrbitMap, calls_for_shooting

__all__ = ["fold_of_cycles"]

Array = NDArray[np.float64]


def fold_of_cycles(
    orbits: OrbitMap,
    fixed: Mapping[str, float],
    names: tuple[str, ...],
    states: Array,
    parameters: Array,
    along: Array,
    krylov: Krylov,
) -> Curve:
    """The curve of folds near a cycle, its start not corrected; by multiple shooting where the cycle calls for it.

    Parameters
    ----------
    orbits : OrbitMap
        The equations of all states.
    fixed : mapping of str to float
        The parameters that are not free.
    names : tuple of str
        The two free ones.
    states, along : ndarray, shape (k, n)
        The cycle, and its nearly critical direction.
    parameters : ndarray, shape (2,)
        The free ones.
    krylov : Krylov
        For the curve.
    """
    map, k, shape = orbits.map, orbits.period, orbits.state_shape
    p = {**fixed, **dict(zip(names, parameters.tolist(), strict=True))}
    iterate: IteratedMap = orbits
    x, critical = states.ravel(), along.reshape(-1, 1)
    if not calls_for_shooting(map, [*states, states[0]], p, shape):
        iterate = IteratedMap(map, shape, k)
        x, critical = states[0], along[0][:, None]
    M = shifted(core_operator(iterate.jacobian(iterate.orbit(x, p), p)), 1.0)
    V, W = adapted_borders(M, critical, krylov)
    equations = MinimallyAugmentedFoldFlip(iterate=iterate, fixed=fixed, free=names, V=V, W=W, krylov=krylov)
    return Curve(equations, np.append(x, parameters), "fold", krylov=krylov)
