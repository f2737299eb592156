"""Orbits: iteration with a reason for the end, and orbit diagrams, what a simulation sees, to draw under branches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput
from bifurcate.maps import Map

__all__ = ["Orbit", "OrbitDiagram", "orbit", "orbit_diagram"]

FAR = 1e12  # in units of the map's scale: an orbit beyond it has diverged


@dataclass(frozen=True, eq=False)
class Orbit:
    """Successive states of a map.

    Attributes
    ----------
    states : ndarray, shape (kept, *state's shape)
        The states after the transient; the last one is the last that was reached.
    steps : int
        Iterations done, the transient's included.
    end : str
        "steps" if all were done; "domain" if the orbit left the map's declared domain (crossed a pole);
        "diverged" if a state grew beyond 10¹² scales or stopped being finite.
    """

    states: np.ndarray
    steps: int
    end: str


@dataclass(frozen=True, eq=False)
class OrbitDiagram:
    """Long-run samples of an observable against a parameter.

    Attributes
    ----------
    parameter : str
    values : ndarray, shape (m,)
        The parameter's values.
    samples : ndarray, shape (m, keep)
        The observable at the last states; NaN from where the orbit ended.
    ends : tuple of str
        How every orbit ended, as in :class:`Orbit`.
    """

    parameter: str
    values: np.ndarray
    samples: np.ndarray
    ends: tuple[str, ...]


def orbit(map: Map, start: Any, steps: int, transient: int = 0, **parameters: float) -> Orbit:
    """Iterate a map.

    Parameters
    ----------
    map : Map
    start : array_like
        The first state.
    steps : int
        States to keep after the transient, at least 1. Without a transient the first kept one is the start.
    transient : int
        Iterations before that.
    **parameters : float
        Values that replace the map's own.

    Returns
    -------
    Orbit

    Raises
    ------
    InvalidInput
        If the start, the counts or a parameter's name are unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> bf.orbit(bf.maps.logistic(), [0.5], 3, r=2.0).states.ravel()
    array([0.5, 0.5, 0.5])
    """
    for name, value, least in (("steps", steps, 1), ("transient", transient, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InvalidInput(f"{name} is {value!r}; it must be a whole number, at least {least}")
    map = map.replace(**parameters) if parameters else map
    x = map.check(start)
    p = dict(map.parameters)
    kept = []
    with np.errstate(all="ignore"):
        for done in range(transient + steps):
            if done >= transient:
                kept.append(x)
            if done == transient + steps - 1:
                break
            following = np.asarray(map.f(x, **p), dtype=float)
            if not np.abs(following).max() < FAR * map.scale:
                return Orbit(np.array(kept or [x]), done, "diverged")
            if map.domain is not None and not np.min(map.domain(following, **p)) > 0:
                return Orbit(np.array(kept or [x]), done, "domain")
            x = following
    return Orbit(np.array(kept), transient + steps - 1, "steps")


def orbit_diagram(
    map: Map,
    parameter: str,
    values: Sequence[float] | np.ndarray,
    start: Any | Callable[[float], Any],
    observable: Callable[..., float],
    transient: int = 500,
    keep: int = 60,
) -> OrbitDiagram:
    """Where orbits of a map end up, for each value of a parameter.

    Parameters
    ----------
    map : Map
    parameter : str
        The parameter that varies.
    values : sequence of float
        Its values.
    start : array_like or callable
        The first state of every orbit, or ``start(value)``.
    observable : callable
        ``observable(x, **parameters)`` → float.
    transient, keep : int
        Iterations left out, and states sampled after them.

    Returns
    -------
    OrbitDiagram

    Examples
    --------
    >>> import bifurcate as bf
    >>> seen = bf.orbit_diagram(bf.maps.logistic(), "r", [2.0, 2.5], [0.3], lambda x, r: x[0], keep=2)
    >>> seen.samples.round(9)
    array([[0.5, 0.5],
           [0.6, 0.6]])
    """
    map.require(parameter)
    values = np.asarray(values, dtype=float)
    samples = np.full((len(values), keep), np.nan)
    ends = []
    for row, value in zip(samples, values.tolist()):
        here = map.replace(**{parameter: value})
        run = orbit(here, start(value) if callable(start) else start, keep, transient)
        if run.end == "steps":
            row[:] = [observable(x, **here.parameters) for x in run.states]
        ends.append(run.end)
    return OrbitDiagram(parameter, values, samples, tuple(ends))
