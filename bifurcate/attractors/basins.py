"""basins: on which attractor each state of a plane settles, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import INTERRUPTED, Attractor
from bifurcate.attractors.attractors import Attractors, check_map_somewhere
from bifurcate.attractors.discovery import refuse_conservative, settle_all, settling_report
from bifurcate.attractors.fractions import Fraction, fractions_of, fractions_table
from bifurcate.attractors.plane import Plane, as_plane, grid_size
from bifurcate.errors import InvalidInput
from bifurcate.executors import workplace
from bifurcate.maps.map import Map
from bifurcate.orbits.orbit import with_values
from bifurcate.printing import short_repr, values_text
from bifurcate.progress import Progress
from bifurcate.progress_line import reporting
from bifurcate.storage.tables import Columns, import_xarray
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_count, check_seed, check_workers

__all__ = ["Basins", "basins", "known_attractors"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Basins(Tabular):
    """Basins of attraction in a plane.

    Attributes
    ----------
    map : Map
    plane : Plane
    attractors : tuple of Attractor
        Those that were given, then those that were found.
    x, y : ndarray, shape (nx,), (ny,)
        The centres of the cells, in the plane's coordinates s and t.
    labels : ndarray of int, shape (ny, nx)
        On which attractor the centre of each cell settles; −1 infinity, −2 pole, −4 undecided, −5 interrupted.
    times : ndarray of int, shape (ny, nx)
        Iterations until then: 0 for a state that is on the attractor, or next to it.
    steps : int
        Iterations after which orbits that had not settled were recognised.
    notes : tuple of str
        Why some are undecided.
    """

    map: Map
    plane: Plane
    attractors: tuple[Attractor, ...]
    x: Array
    y: Array
    labels: NDArray[np.int_]
    times: NDArray[np.int_]
    steps: int
    notes: tuple[str, ...] = field(default=(), repr=False)

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "bf.plot.basins(basins), bf.basin_entropy(basins), bf.uncertainty_exponent(basins)"

    @property
    def fractions(self) -> dict[int, Fraction]:
        """The fractions of cells by label, with Wilson's 95% intervals."""
        return fractions_of(self.labels, self.attractors)

    @property
    def interrupted(self) -> bool:
        """True if the user ended the call: cells that were not reached are labelled −5."""
        return bool((self.labels == INTERRUPTED).any())

    def __str__(self) -> str:
        values = values_text(self.map.parameters)
        head = f"{self.map.name}{f' at {values}' if values else ''}: basins on {len(self.x)} × {len(self.y)} cells"
        lines = [head, "fraction  95% interval", *fractions_table(self.fractions, self.attractors)]
        return "\n".join([*lines, *self.notes])

    def to_xarray(self) -> Any:
        """An xarray Dataset of "label" and "time" over the plane's coordinates."""
        across, up = self.plane.names
        variables = {"label": ((up, across), self.labels), "time": ((up, across), self.times)}
        return import_xarray().Dataset(variables, {across: self.x, up: self.y}, {"map": self.map.name})

    def table(self) -> Columns:
        """One row a cell: its coordinates, the label of what it settles on, and when it does."""
        across, up = (axis.ravel().tolist() for axis in np.meshgrid(self.x, self.y))
        one, two = self.plane.names
        return {one: across, two: up, "label": self.labels.ravel().tolist(), "time": self.times.ravel().tolist()}

    def table_attributes(self) -> dict[str, Any]:
        """The map's name."""
        return {"map": self.map.name}


def basins(
    map_or_attractors: Map | Attractors,
    plane: Any,
    *,
    origin: Any = None,
    cells: Any = 200,
    steps: int = 2000,
    parameters: Mapping[str, float] | None = None,
    seed: int = 0,
    executor: Any = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | bool | None = None,
) -> Basins:
    """On which attractor each state of a plane settles, and when.

    Parameters
    ----------
    map_or_attractors : Map or Attractors
        A map, whose attractors are found on the way; or those that :func:`attractors` found, whose numbers are kept.
    plane : Plane or mapping of int to (float, float)
        ``Plane(origin, across, up, bounds)``, with two directions in any state space; or the intervals of two
        coordinates by their numbers in the flattened state, as ``{0: (-2, 2), 1: (-2, 2)}``.
    origin : array_like, optional
        With two coordinates: the state in which all others are held. Not needed for states of two numbers.
    cells : int or (int, int)
        Cells of the grid across and up; orbits start at their centres.
    steps : int
        Iterations after which orbits that have not settled are recognised, as by :func:`attractors`.
    parameters : mapping of str to float, optional
        Values that replace the map's own; only for a map.
    seed : int
        Of the cells in which attractors are sought first.
    executor : Executor or dask Client, optional
        Where batches of orbits are iterated: an executor of concurrent.futures, or a Dask
        cluster. The result is the same, to the bit.
    workers : int, optional
        Processes of this call's own, if no executor is given; by default all is done here. A script that asks for
        processes must do so under ``if __name__ == "__main__":``, since each of them reads it.
    progress : callable, bool or None
        As for :func:`trace`: called with a :class:`Progress` whose ``points`` are cells.

    Returns
    -------
    Basins
        An interrupt (Ctrl-C) ends the call and keeps the cells that were reached.

    Raises
    ------
    InvalidInput
        If the plane's directions are dependent, its states have another shape than the attractors', counts are
        unusable, or the map keeps volumes.

    Notes
    -----
    When an orbit has settled is as in :func:`attractors`. The grid is iterated in batches, which orbits leave when they
    have settled. Chaotic transients that last longer than ``steps`` and are bounded count as attractors.

    Examples
    --------
    >>> import bifurcate as bf, numpy as np
    >>> cubic = bf.Map(lambda x, a: a * x - x**3, {"a": 1.5})
    >>> found = bf.basins(cubic, {0: (-1, 1), 1: (-1, 1)}, cells=20)
    >>> len(found.attractors), {each.value for each in found.fractions.values()}
    (4, {0.25})
    """
    map, known = known_attractors(map_or_attractors, parameters)
    plane = as_plane(plane, origin)
    nx, ny = grid_size(cells)
    check_count("steps", steps)
    hands = check_workers(workers)
    check_seed(seed)
    if known and known[0].states.shape[1:] != plane.origin.shape:
        shapes = f"{plane.origin.shape}, the attractors' of shape {known[0].states.shape[1:]}"
        raise InvalidInput(f"states of the plane have shape {shapes}")
    x, y = plane.cells(nx, ny)
    points = np.column_stack([np.tile(x, ny), np.repeat(y, nx)])
    starts = plane.states(points)
    check_map_somewhere(map, starts)
    refuse_conservative(map, starts[:: max(1, len(starts) // 8)])
    with workplace(executor, hands) as pool, reporting(progress, f"basins of {map.name}", (), "starts") as report:
        tell = settling_report(report, map, len(starts))
        limits = settle_all(map, starts, known, steps, seed, report=tell, pool=pool)
    return Basins(
        map=map,
        plane=plane,
        attractors=tuple(limits.attractors),
        x=x,
        y=y,
        labels=limits.settled.labels.reshape(ny, nx),
        times=limits.settled.times.reshape(ny, nx),
        steps=steps,
        notes=tuple(limits.notes),
    )


def known_attractors(
    map_or_attractors: Any, parameters: Mapping[str, float] | None = None
) -> tuple[Map, tuple[Attractor, ...]]:
    """The map, and its attractors as far as they are given.

    Raises
    ------
    InvalidInput
        If it is neither a Map nor what has a map and attractors; if values of parameters are given with the latter.
    """
    if isinstance(map_or_attractors, Attractors | Basins):
        if parameters is not None:
            raise InvalidInput("attractors belong to their map's parameters: give the map to have others")
        return map_or_attractors.map, map_or_attractors.attractors
    if not isinstance(map_or_attractors, Map):
        raise InvalidInput(f"give a Map, or what attractors(map, box) returns; got {type(map_or_attractors).__name__}")
    return with_values(map_or_attractors, parameters), ()
