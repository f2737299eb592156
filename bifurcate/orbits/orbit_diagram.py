"""Orbit diagrams: where orbits are in the long run, against a parameter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bifurcate.deprecation import old_keywords, old_positions
from bifurcate.errors import InvalidInput
from bifurcate.maps.batches import LAYOUTS, BatchRows, agrees, broadcast_parameters, to_batch
from bifurcate.maps.calls import call
from bifurcate.maps.map import Map
from bifurcate.orbits.batched_iteration import spread
from bifurcate.orbits.ensemble import LARGEST_BATCHED, Ensemble, Layout, ensemble
from bifurcate.orbits.observable import Observable, as_observable
from bifurcate.orbits.orbit import OrbitEnd
from bifurcate.printing import notebook_html, short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns, import_xarray
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import (
    check_array,
    check_choice,
    check_count,
    check_flag,
    check_instance,
    check_values,
    is_whole_number,
)

__all__ = ["OrbitDiagram", "orbit_diagram"]

Array = NDArray[np.float64]

# Orbits for whose first and last state the observable is called by itself, to see whether it takes all states at once.
OBSERVED_ALONE = 32


@dataclass(frozen=True, eq=False)
class OrbitDiagram(Tabular):
    """Long-run samples of an observable against a parameter.

    Attributes
    ----------
    parameter : str
        The parameter's name.
    values : ndarray, shape (m,)
        Its values.
    samples : ndarray, shape (m, samples)
        The observable at the last states; NaN where the orbit ended before.
    ends : tuple of {"steps", "domain", "diverged", "failed", "interrupted"}
        How each orbit ended, as in :class:`Orbit`.
    details : tuple of str
        What f raised or returned, where it failed.
    layout : {"trailing", "leading", "single"}
        How f was called, as in :class:`Ensemble`.
    """

    parameter: str
    values: Array
    samples: Array
    ends: tuple[OrbitEnd, ...]
    layout: Layout = "single"
    details: tuple[str, ...] = field(default=(), repr=False)

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "bf.plot.orbit_diagram(orbits), bf.plot.diagram(branches, parameter, orbits=orbits)"
    _repr_html_ = notebook_html

    def table(self) -> Columns:
        """One row a sample: the parameter, the sample's number, its value, the orbit's end."""
        m, samples = self.samples.shape
        table: Columns = {
            self.parameter: np.repeat(self.values, samples).tolist(),
            "sample": list(range(samples)) * m,
            "value": self.samples.ravel().tolist(),
            "end": [end for end in self.ends for _ in range(samples)],
        }
        return table

    def table_attributes(self) -> dict[str, Any]:
        """How f was called."""
        return {"layout": self.layout}

    def to_xarray(self) -> Any:
        """An xarray Dataset of "value" and "end", along the parameter and "sample"."""
        xarray = import_xarray()
        variables = {"value": ((self.parameter, "sample"), self.samples), "end": (self.parameter, list(self.ends))}
        return xarray.Dataset(variables, {self.parameter: self.values}, {"layout": self.layout})


@old_keywords(keep="samples")
@old_positions("transient", "samples", "executor", "layout")
def orbit_diagram(
    map: Map,
    parameter: str,
    values: Sequence[float] | Array,
    start: Any | Callable[[float], Any],
    observable: Observable,
    *,
    transient: int = 500,
    samples: int = 60,
    carry: bool | Literal["both ways"] = False,
    executor: Executor | None = None,
    layout: Layout | None = None,
    progress: Report | bool | None = None,
) -> OrbitDiagram:
    """Where orbits of a map end up, for each value of a parameter.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    parameter : str
        The parameter that varies.
    values : sequence of float
        Its values.
    start : array_like or callable
        The first state of every orbit, or ``start(value)``.
    observable : callable, int or "norm"
        A function of x and of all, some or none of the parameters → float, the number of a component, or the norm. If
        it broadcasts, which is tried as for f, it is called once for all samples.
    transient : int
        Iterations before the first sample.
    samples : int
        States sampled after them, one an iteration.
    carry : bool or "both ways"
        True to begin each orbit where that of the value before has ended, so that it stays on its attractor as long as
        there is one: values are visited in their order, and hysteresis shows where a sweep up and one down differ. With
        "both ways" the values are visited in their order and back, and the result has them twice. Where an orbit ends,
        the next one begins at ``start`` again.
    executor, layout : optional
        As for :func:`ensemble`, which does the work; not with ``carry``, by which orbits depend on one another.
    progress : callable, bool, optional
        As for :func:`ensemble`.

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
    >>> fold = bf.Map(lambda x, p: x + 0.5 * (p + x - x**3), {"p": 0.0})
    >>> swept = bf.orbit_diagram(fold, "p", [-1.0, 0.0, 1.0], [0.0], 0, samples=1, carry="both ways")
    >>> swept.samples[[1, 4], 0].round(6)  # at p = 0, upwards and back
    array([-1.,  1.])
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    map.require(parameter)
    look = as_observable(observable, map.parameters)
    values = check_values("values", values)
    _check_carry(carry, executor, layout)
    if carry == "both ways":
        values = np.concatenate([values, values[::-1]])
    given = [call(start, "start", value) for value in values.tolist()] if callable(start) else [start]
    starts = check_array("start", given)
    if carry:
        with reporting(progress, f"orbit diagram of {map.name}", (parameter,), "orbits") as report:
            found = _carried(map, parameter, values, starts, samples, transient, report)
    else:
        parameters = {parameter: values}
        how: dict[str, Any] = {"executor": executor, "layout": layout, "progress": progress}
        found = ensemble(map, starts, samples, transient=transient, parameters=parameters, **how)
    ended = [end != "steps" for end in found.ends]
    if not any(ended):
        observed = _observe(map, parameter, values, found.states, observable, look)
    else:
        observed, is_done = np.full((len(values), samples), np.nan), ~np.array(ended)
        if is_done.any():
            observed[is_done] = _observe(map, parameter, values[is_done], found.states[is_done], observable, look)
    return OrbitDiagram(parameter, values, observed, found.ends, found.layout, found.details)


def _check_carry(carry: Any, executor: Any, layout: Any) -> None:
    """Refuse what is neither True nor False nor "both ways", or is asked for together with an executor or a layout."""
    if isinstance(carry, str):
        check_choice("carry", carry, ("both ways",))
    else:
        check_flag("carry", carry)
    if carry and not (executor is None and layout in (None, "single")):
        raise InvalidInput("with carry each orbit waits for the one before: leave executor and layout out")


def _carried(
    map: Map, parameter: str, values: Array, starts: Array, samples: int, transient: int, report: Report | None
) -> Ensemble:
    """Orbits one after the other, each from the last state of the one before."""
    check_count("samples", samples)
    check_count("transient", transient, least=0)
    parts: list[Ensemble] = []
    for i, value in enumerate(values.tolist()):
        start = starts[min(i, len(starts) - 1)]
        if parts and parts[-1].ends[0] == "interrupted":
            parts.append(Ensemble(np.full_like(parts[-1].states, np.nan), np.zeros(1, int), ("interrupted",), "single"))
            continue
        if parts and parts[-1].ends[0] == "steps":
            start = parts[-1].states[0, -1]
        there = {parameter: value}
        how: dict[str, Any] = {"layout": "single", "progress": False}
        parts.append(ensemble(map, start[None], samples, transient=transient, parameters=there, **how))
        if report is not None:
            report(Progress({**map.parameters, **there}, len(parts), left=len(values) - len(parts)))
    return Ensemble(
        np.concatenate([each.states for each in parts]),
        np.concatenate([each.steps for each in parts]),
        tuple(each.ends[0] for each in parts),
        "single",
        tuple(each.details[0] if each.details else "" for each in parts),
    )


def _observe(
    map: Map, parameter: str, values: Array, states: Array, given: Observable, observable: Callable[..., float]
) -> Array:
    """The observable, as the user gave it and as a function, of states of shape (m, samples, *S): shape (m, samples).

    It is called once for all states if that yields what single calls do at the first and the last state of some orbits.
    """
    m, samples, *shape = states.shape
    if is_whole_number(given) and -states[0, 0].size <= int(given) < states[0, 0].size:  # type: ignore[arg-type]
        component: Array = np.take(states.reshape(m, samples, -1), int(given), axis=2)  # type: ignore[arg-type]
        return component
    rows = BatchRows(states.reshape(m * samples, *shape), {**map.parameters, parameter: np.repeat(values, samples)})
    some = spread(m, OBSERVED_ALONE)
    compared = np.union1d(some * samples, some * samples + samples - 1)
    expected = rows[compared].call_each(observable)
    if expected.ndim != 1:
        raise InvalidInput(f"the observable returns shape {expected.shape[1:]} for a state; a number is asked for")
    for layout in LAYOUTS if rows.states[0].size < LARGEST_BATCHED else ():
        p = broadcast_parameters(rows.parameters, len(shape), layout)
        try:
            found = np.asarray(observable(to_batch(rows.states, layout), **p))
        except Exception:  # the observable was not written for such arrays, and may raise anything
            continue
        if found.shape == (m * samples,) and agrees(found[compared], expected):
            return found.reshape(m, samples)
    return rows.call_each(observable).reshape(m, samples)
