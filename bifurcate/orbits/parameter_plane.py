"""Periods and Lyapunov exponents of orbits over a plane of two parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.maps.batches import BatchRows
from bifurcate.maps.map import Map
from bifurcate.orbits.ensemble import ensemble
from bifurcate.orbits.orbit import IterationRule
from bifurcate.orbits.tangent_growth import largest_exponents
from bifurcate.printing import notebook_html, short_repr
from bifurcate.progress_line import Report
from bifurcate.storage.tables import Columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_array, check_count, check_instance

__all__ = ["ParameterPlane", "parameter_plane"]

Array = NDArray[np.float64]

# States closer than this, in units of the larger of the map's scale and the state, are one: what a slow convergence
# leaves after a transient of a thousand iterations.
SAME_STATE = 1e-6


@dataclass(frozen=True, eq=False)
class ParameterPlane(Tabular):
    """What orbits from one start do over a plane of two parameters.

    Attributes
    ----------
    x, y : str
        The parameters.
    x_values, y_values : ndarray, shape (m,), (n,)
        Their values.
    periods : ndarray of int, shape (n, m)
        The least period up to ``longest`` with which the orbit returns to within 1e-6; 0 where there is none (longer
        cycles, closed curves, chaos, slow convergence); −1 where the orbit left the domain or diverged.
    longest : int
    exponents : ndarray, shape (n, m), or None
        The largest Lyapunov exponent of each orbit, where they were asked for; NaN where the orbit ended.
    """

    x: str
    y: str
    x_values: Array
    y_values: Array
    periods: NDArray[np.int_]
    longest: int
    exponents: Array | None = None

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "bf.plot.parameter_plane(plane), bf.plot.chart(branches, x, y, underneath=plane)"
    _repr_html_ = notebook_html

    def table(self) -> Columns:
        """One row a cell: both parameters, the period (0 where there is none), and the exponent where it is known."""
        across, up = (axis.ravel().tolist() for axis in np.meshgrid(self.x_values, self.y_values))
        table: Columns = {self.x: across, self.y: up, "period": self.periods.ravel().tolist()}
        return table if self.exponents is None else {**table, "exponent": self.exponents.ravel().tolist()}


def parameter_plane(
    map: Map,
    values: Mapping[str, Sequence[float] | Array],
    start: Any,
    *,
    longest: int = 16,
    transient: int = 1000,
    exponents: int = 0,
    progress: Report | bool | None = None,
) -> ParameterPlane:
    """The periods that orbits settle at, and their Lyapunov exponents, over a plane of two parameters.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    values : mapping of str to sequence of float
        The values of two parameters; the first is the horizontal one.
    start : array_like
        The first state of every orbit.
    longest : int
        The longest period that is recognised.
    transient : int
        Iterations before periods are sought.
    exponents : int
        Iterations after these over which the largest Lyapunov exponent is averaged; 0 for no exponents.
    progress : callable, bool, optional
        As for :func:`ensemble`.

    Returns
    -------
    ParameterPlane
        Periods of one start's orbits: where several attractors coexist, of one of them.

    Raises
    ------
    InvalidInput
        If not exactly two parameters are given, or values, start or counts are unusable.

    Notes
    -----
    The period is the least k ≤ longest with ‖x(t + k) − x(t)‖_∞ ≤ 1e-6 max(scale, ‖x‖_∞) at the last t. Exponents are
    means of ln ‖Df(x) v‖ along the orbit of a tangent vector, whose images are central differences (error 1e-10 of
    the derivative); a single one, with a standard error and the map's own derivatives, is :func:`lyapunov`'s.

    Examples
    --------
    >>> import bifurcate as bf
    >>> plane = bf.parameter_plane(bf.maps.henon(), {"a": [0.1, 0.5], "b": [0.2, 0.3]}, [0.1, 0.1])
    >>> plane.periods
    array([[1, 2],
           [1, 2]])
    >>> plane = bf.parameter_plane(bf.maps.logistic(), {"r": [4.0]}, [0.3])
    Traceback (most recent call last):
        ...
    bifurcate.errors.InvalidInput: values must give the values of two parameters, as {'a': [...], 'b': [...]}
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    check_count("longest", longest)
    check_count("transient", transient, least=0)
    check_count("exponents", exponents, least=0)
    if not isinstance(values, Mapping) or len(values) != 2:
        raise InvalidInput("values must give the values of two parameters, as {'a': [...], 'b': [...]}")
    (x, u), (y, v) = ((name, check_array("values", each)) for name, each in values.items())
    map.require(x)
    map.require(y)
    if u.ndim != 1 or v.ndim != 1 or not len(u) or not len(v):
        raise InvalidInput(f"values have the shapes {u.shape} and {v.shape}; they must be sequences of numbers")
    grid: dict[str, Any] = {x: np.tile(u, len(v)), y: np.repeat(v, len(u))}
    first = check_array("start", start)
    found = ensemble(map, first[None], longest + 1, transient=transient, parameters=grid, progress=progress)
    states = found.states.reshape(len(found), longest + 1, -1)
    periods = _periods(states, map.scale)
    periods[np.array(found.ends) != "steps"] = -1
    growth = None
    if exponents:
        rows = BatchRows(np.broadcast_to(first, (len(found), *first.shape)).copy(), {**map.parameters, **grid})
        growth = largest_exponents(IterationRule.of(map), rows, found.layout, transient, exponents)
    shape = (len(v), len(u))
    return ParameterPlane(
        x, y, u, v, periods.reshape(shape), longest, None if growth is None else growth.reshape(shape)
    )


def _periods(states: Array, scale: float) -> NDArray[np.int_]:
    """The least k with which each orbit, of shape (steps, n), has returned at its end; 0 if there is none."""
    last = states[:, -1]
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.maximum(scale, np.abs(last).max(axis=1))
        apart = np.abs(states[:, -2::-1] - last[:, None]).max(axis=2)  # in column k − 1, from k iterations before
        is_back = apart <= SAME_STATE * size[:, None]
    return np.where(is_back.any(axis=1), is_back.argmax(axis=1) + 1, 0)
