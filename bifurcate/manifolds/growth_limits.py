"""Until where a manifold of any dimension is grown, how finely, and by which inverse a stable one is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.manifolds.batched_step import BatchedStep, batched_step
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.validation import check_array, check_count, check_positive, shown

__all__ = ["GrowthLimits", "check_inverse", "growth_limits", "inverse_step", "states_beside"]

Array = NDArray[np.float64]

# What f(inverse(x)) − x may be at the saddle, in units of the state: the inverse of another map is off by far more.
INVERSE_ERROR = 1e-8
# In scales of the map: states of the trials, where any f is defined that has the saddle within its domain.
BESIDE = 1e-3


@dataclass(frozen=True, eq=False)
class GrowthLimits:
    """Until where a manifold is grown, and how finely.

    Attributes
    ----------
    farthest : float
        From the saddle: arclength of a curve, distance along edges of a surface's triangles; inf for any.
    iterates : float
        N: up to the parameter ΛᴺR with R the radius of trust of the Taylor part; inf for any.
    tolerance : float
        Distance of the manifold from the chords between its points.
    box : ndarray, shape (2, n), or None
        Least and largest components.
    unit : float
        The unit of the state.
    periods : ndarray or None
        Of the coordinates.
    """

    farthest: float
    iterates: float
    tolerance: float
    box: Array | None
    unit: float
    periods: Array | None


def growth_limits(
    saddle: Array,
    unit: float,
    periods: Array | None,
    *,
    farthest: tuple[str, float | None, float],
    iterates: int | None,
    tolerance: float | None,
    usual: float,
    finest: float,
    box: Any,
) -> GrowthLimits:
    """What is asked for, checked, with the usual values where nothing is.

    Parameters
    ----------
    saddle : ndarray, shape (n,)
        The saddle.
    unit : float
        The unit of the state.
    periods : ndarray or None
        Of the coordinates.
    farthest : tuple of str, float or None, float
        The name of the argument that says how far, its value, and the usual one, in units, where ``iterates`` says
        nothing either.
    iterates, tolerance, box
        As the caller was given them.
    usual, finest : float
        The usual tolerance and the least that is allowed, in units.

    Raises
    ------
    InvalidInput
        If one of them is unusable.
    """
    name, asked, most = farthest
    longest = np.inf if asked is None else check_positive(name, asked)
    count = np.inf if iterates is None else check_count("iterates", iterates, least=0)
    if asked is None and iterates is None:
        longest = most * unit
    chord = usual * unit if tolerance is None else check_positive("tolerance", tolerance)
    if chord < finest * unit:
        raise InvalidInput(f"tolerance is {chord:.3g}; it must be at least {finest * unit:.3g}")
    edges = None
    if box is not None:
        edges = check_array("box", box, (len(saddle), 2)).T
        if not (edges[0] < edges[1]).all():
            raise InvalidInput("box has an interval that is empty; write (low, high) for every number of the state")
        if not ((edges[0] <= saddle) & (saddle <= edges[1])).all():
            raise InvalidInput("the saddle lies outside the box")
    return GrowthLimits(longest, count, chord, edges, unit, periods)


def check_inverse(inverse: Callable[..., Any] | None, stable: bool) -> None:
    """Refuse what is no function, and one for a manifold that does not take it.

    Raises
    ------
    InvalidInput
        In both cases.
    """
    if inverse is not None and not callable(inverse):
        raise InvalidInput(f"inverse is {shown(inverse)}; it must be callable as inverse(x, **parameters), or None")
    if inverse is not None and not stable:
        raise InvalidInput("inverse is for stable manifolds; an unstable one is grown by the map itself")


def states_beside(iterate: IteratedMap, saddle: Array, directions: Array) -> Array:
    """The saddle, and states beside it along the rows of ``directions``: for trials of f and of its inverse."""
    there: Array = saddle + BESIDE * iterate.map.scale * np.vstack([np.zeros(len(saddle)), directions])
    return there


def inverse_step(
    iterate: IteratedMap, inverse: Callable[..., Any], f: BatchedStep, beside: Array, unit: float
) -> BatchedStep:
    """The step back, x ↦ f⁻ᵏ(x), of a user's inverse.

    Raises
    ------
    InvalidInput
        If it is none of the map: f^k of it is off by more than ``INVERSE_ERROR`` units at one of the states beside.
    """
    backward = dataclasses.replace(iterate.map, f=inverse, domain=None, at=None)
    step = batched_step(backward, iterate.shape, iterate.period, beside)
    off = iterate.difference(f(step(beside)), beside)
    if not float(np.abs(off).max()) <= INVERSE_ERROR * unit:
        raise InvalidInput("inverse is no inverse of the map: f(inverse(x)) differs from x beside the saddle")
    return step
