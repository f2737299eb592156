"""Sweep: what a function returned at the points of a grid, with names for its axes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.printing import notebook_html
from bifurcate.storage.tables import Columns, import_xarray
from bifurcate.storage.tabular import Tabular

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FailedPoint", "Sweep"]

VALUE = "value"  # the name of what a function returned that gave it none


@dataclass(frozen=True, eq=False)
class FailedPoint:
    """A point at which the function raised an exception.

    Attributes
    ----------
    index : int
        Of the point, in the order of the grid.
    parameters : dict
        Its parameters.
    kind : str
        The exception's type.
    error : str
        Its words.
    """

    index: int
    parameters: dict[str, Any]
    kind: str
    error: str

    def __str__(self) -> str:
        where = ", ".join(f"{name} = {value}" for name, value in self.parameters.items())
        return f"{where}: {self.kind}: {self.error}"


@dataclass(frozen=True, eq=False)
class Sweep(Tabular):
    """What :func:`sweep` found.

    Attributes
    ----------
    grid : dict of str to tuple
        Values of every parameter, in the order of the axes.
    values : tuple
        What the function returned at every point, the last parameter varying fastest; None where it failed, or was not
        called.
    failures : tuple of FailedPoint
        The points at which it raised an exception.
    done : tuple of bool
        True where it was called.
    interrupted : bool
        True if the user ended the sweep.
    """

    grid: dict[str, tuple[Any, ...]]
    values: tuple[Any, ...]
    failures: tuple[FailedPoint, ...]
    done: tuple[bool, ...]
    interrupted: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(len(values) for values in self.grid.values())

    def __len__(self) -> int:
        """Number of points."""
        return len(self.values)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of what the function returned: the keys of its dicts, or "value"."""
        names = (name for row in self._rows() if row is not None for name in row)
        return tuple(dict.fromkeys(names)) or (VALUE,)

    def _rows(self) -> list[dict[str, Any] | None]:
        failed = {failure.index for failure in self.failures}
        is_there = [done and i not in failed for i, done in enumerate(self.done)]
        return [_named(value) if there else None for value, there in zip(self.values, is_there)]

    def array(self, name: str | None = None) -> NDArray[Any]:
        """What was returned under a name, on the axes of the grid and then its own.

        Points without a value have NaN, or "" in place of text.

        Raises
        ------
        InvalidInput
            If nothing was returned under that name, or arrays of different shapes.
        """
        name = self._check_name(name)
        column = [None if row is None else row.get(name) for row in self._rows()]
        there = [each for each in column if each is not None]
        shapes = {np.shape(each) for each in there}
        if len(shapes) > 1:
            raise InvalidInput(f"{name!r} has values of shapes {sorted(shapes)}; arrays of one shape make one array")
        is_text = bool(there) and all(isinstance(each, str) for each in there)
        is_whole = len(there) == len(column) and bool(there)
        empty: Any = "" if is_text else np.full(next(iter(shapes), ()), np.nan)
        table = np.array(there if is_whole else [empty if each is None else each for each in column])
        return table.reshape(*self.shape, *next(iter(shapes), ()))

    def _check_name(self, name: str | None) -> str:
        names = self.names
        if name is None and len(names) == 1:
            return names[0]
        if name not in names:
            raise InvalidInput(f"name is {name!r}; the function returned {', '.join(names)}")
        return name

    def table(self) -> Columns:
        """One row a point: parameters, what was returned, and the error where there is one.

        Arrays are in one column as they are.
        """
        points = np.array(np.unravel_index(np.arange(len(self)), self.shape)).T.tolist()
        table: Columns = {
            name: [values[point[axis]] for point in points] for axis, (name, values) in enumerate(self.grid.items())
        }
        rows = self._rows()
        for name in self.names:
            table[name] = [np.nan if row is None else row.get(name) for row in rows]
        table["error"] = self._errors()
        table["done"] = list(self.done)
        return table

    def table_attributes(self) -> dict[str, Any]:
        """Whether the sweep was interrupted."""
        return {"interrupted": self.interrupted}

    def to_xarray(self) -> Any:
        """An xarray Dataset on the axes of the grid, with the parameters as coordinates; and "error", as text."""
        xarray = import_xarray()
        axes = tuple(self.grid)
        variables = {}
        for name in self.names:
            table = self.array(name)
            own = tuple(f"{name}_{i}" for i in range(table.ndim - len(axes)))
            variables[name] = ((*axes, *own), table)
        variables["error"] = (axes, np.array(self._errors()).reshape(self.shape))
        return xarray.Dataset(variables, {name: list(values) for name, values in self.grid.items()})

    def _errors(self) -> list[str]:
        errors = [""] * len(self)
        for failure in self.failures:
            errors[failure.index] = f"{failure.kind}: {failure.error}"
        return errors

    def plot(self, name: str | None = None, *, ax: Axes | None = None) -> Axes:
        """Draw what was returned under a name: a line over one parameter, a map over two; text as colours with a key.

        Parameters
        ----------
        name : str, optional
            Where the function returned several values.
        ax : Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        Axes
            Of Matplotlib; ``.figure.savefig(...)`` writes it.

        Raises
        ------
        InvalidInput
            If the grid has more than two axes, or values are arrays.
        """
        table = self.array(name)
        if table.ndim not in (1, 2) or table.ndim != len(self.grid):
            raise InvalidInput(f"plot draws numbers or text over one parameter or two, not shape {table.shape}")
        from bifurcate.plot.parameter_map import draw_over_parameters

        return draw_over_parameters(self.grid, table, self._check_name(name), ax)

    _repr_html_ = notebook_html

    def __str__(self) -> str:
        axes = ", ".join(f"{name} ({len(values)})" for name, values in self.grid.items())
        lines = [f"sweep over {axes}: {len(self)} points, {sum(self.done)} done, {len(self.failures)} failed"]
        lines += [f"  failed at {failure}" for failure in self.failures[:MOST_SHOWN]]
        if len(self.failures) > MOST_SHOWN:
            lines.append(f"  … and at {len(self.failures) - MOST_SHOWN} more")
        return "\n".join(lines + ["  interrupted by the user; what arrived is kept"] * self.interrupted)


MOST_SHOWN = 5  # failures that are printed


def _named(value: Any) -> dict[str, Any]:
    """A returned value as names and values."""
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "_asdict"):
        return dict(value._asdict())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    return {VALUE: value}
