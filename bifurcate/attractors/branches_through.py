"""Branches of cycles through the stable ones that were found at values of a parameter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import Attractor
from bifurcate.continuation.branch import Branch
from bifurcate.continuation.trace import trace
from bifurcate.curves.cycle import cycles
from bifurcate.errors import BifurcateError
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["branches_through"]

# Part of the states' size within which a cycle lies on a branch, drawn straight between two of its points: its steps
# keep the angle between tangents small, so that it bends away by less.
ON_THE_BRANCH = 0.02


def branches_through(
    map: Map, parameter: str, values: NDArray[np.float64], found: Sequence[dict[int, Attractor]]
) -> tuple[Branch, ...]:
    """Trace a branch through every fixed point and cycle that is on none yet; what cannot be traced is left out.

    Parameters
    ----------
    map : Map
    parameter : str
    values : ndarray, shape (m,)
    found : sequence of dict of int to Attractor
        The attractors at each value.
    """
    low, high = float(values.min()), float(values.max())
    branches: list[Branch] = []
    if not low < high:
        return ()
    for value, known in zip(values.tolist(), found):
        for attractor in known.values():
            if attractor.solution is None or any(_passes(map, each, parameter, value, attractor) for each in branches):
                continue
            there = map.replace(**{parameter: value})
            try:
                curve = cycles(there, parameter, attractor.solution.state, period=attractor.period)
                branches.append(trace(curve, {parameter: (low, high)}, progress=False))
            except BifurcateError:
                continue
    return tuple(branches)


def _passes(map: Map, branch: Branch, parameter: str, value: float, attractor: Attractor) -> bool:
    """True if a branch passes one of the states of a cycle at a value of the parameter."""
    if branch.curve.period != attractor.period:
        return False
    along = np.asarray(branch[parameter])
    states = np.array([np.ravel(each) for each in branch.states])
    cycle = attractor.states.reshape(attractor.period, -1)
    unit = max(map.scale, float(np.abs(cycle).max()))
    ends = np.flatnonzero((along[:-1] - value) * (along[1:] - value) <= 0.0)
    for i in ends.tolist():
        width = along[i + 1] - along[i]
        t = (value - along[i]) / width if width else 0.0
        there = states[i] + t * (states[i + 1] - states[i])
        if np.abs(shortest(cycle - there, map.periods)).max(axis=1).min() <= ON_THE_BRANCH * unit:
            return True
    return False
