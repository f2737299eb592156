"""Orbit diagrams: what a simulation sees, to draw under branches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.deprecation import old_keywords, old_positions
from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.orbits.batched_iteration import LAYOUTS, BatchRows, agrees, broadcast_parameters, to_batch
from bifurcate.orbits.ensemble import LARGE, ensemble
from bifurcate.validation import check_instance

__all__ = ["OrbitDiagram", "orbit_diagram"]


@dataclass(frozen=True, eq=False)
class OrbitDiagram:
    """Long-run samples of an observable against a parameter.

    Attributes
    ----------
    parameter : str
    values : ndarray, shape (m,)
        The parameter's values.
    samples : ndarray, shape (m, samples)
        The observable at the last states; NaN where the orbit ended before.
    ends : tuple of str
        How every orbit ended, as in :class:`Orbit`.
    layout : str
        How f was called, as in :class:`Ensemble`.
    """

    parameter: str
    values: np.ndarray
    samples: np.ndarray
    ends: tuple[str, ...]
    layout: str = "single"


@old_keywords(keep="samples")
@old_positions("transient", "samples", "executor", "layout")
def orbit_diagram(
    map: Map,
    parameter: str,
    values: Sequence[float] | np.ndarray,
    start: Any | Callable[[float], Any],
    observable: Callable[..., float],
    *,
    transient: int = 500,
    samples: int = 60,
    executor: Executor | None = None,
    layout: str | None = None,
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
        ``observable(x, **parameters)`` → float. If it broadcasts (tried as f is) it is called once for all samples.
    transient, samples : int
        Iterations left out, and states sampled after them.
    executor, layout
        As for :func:`ensemble`, which does the work.

    Returns
    -------
    OrbitDiagram

    Raises
    ------
    InvalidInput
        If the parameter, its values, the start or the counts are unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> seen = bf.orbit_diagram(bf.maps.logistic(), "r", [2.0, 2.5], [0.3], lambda x, r: x[0], samples=2)
    >>> seen.samples.round(9)
    array([[0.5, 0.5],
           [0.6, 0.6]])
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    map.require(parameter)
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or not len(values):
        raise InvalidInput(f"values must be a sequence of numbers, got shape {values.shape}")
    starts = np.array([start(value) for value in values.tolist()] if callable(start) else [start], dtype=float)
    runs = ensemble(
        map, starts, samples, transient=transient, parameters={parameter: values}, executor=executor, layout=layout
    )
    observed = np.full((len(values), samples), np.nan)
    done = np.array(runs.ends) == "steps"
    if done.any():
        observed[done] = _observed(map, parameter, values[done], runs.states[done], observable)
    return OrbitDiagram(parameter, values, observed, runs.ends, runs.layout)


def _observed(
    map: Map, parameter: str, values: np.ndarray, states: np.ndarray, observable: Callable[..., float]
) -> np.ndarray:
    """The observable of states of shape (m, keep, *S): in one call if that yields what single calls do."""
    m, keep, *shape = states.shape
    rows = BatchRows(states.reshape(m * keep, *shape), {**map.parameters, parameter: np.repeat(values, keep)})
    some = np.union1d(np.arange(m) * keep, np.arange(m) * keep + keep - 1)  # first and last of every orbit
    expected = rows[some].each(observable)
    for layout in LAYOUTS if rows.states[0].size < LARGE else ():
        try:
            found = np.asarray(
                observable(to_batch(rows.states, layout), **broadcast_parameters(rows.parameters, len(shape), layout))
            )
        except Exception:  # whatever a function has to say of arrays that it was not written for
            continue
        if found.shape == (m * keep,) and agrees(found[some], expected):
            return found.reshape(m, keep)
    return rows.each(observable).reshape(m, keep)
