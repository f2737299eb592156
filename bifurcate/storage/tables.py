"""Results as tables: one row a point, for pandas, xarray and CSV; special points in a table of their own.

What is asked for is an attribute of the point (``parameters``, ``state``, ``residual``, …), so that no type is named.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import BifurcateError, InvalidInput
from bifurcate.storage.atomic import check_folder, written_atomically

__all__ = [
    "Columns",
    "about",
    "as_dataframe",
    "as_dataset",
    "import_xarray",
    "points_table",
    "solutions_table",
    "special_table",
    "stacked",
    "state_columns",
    "write_csv",
]

Columns = dict[str, list[Any]]

LARGEST_SPREAD = 64  # numbers in a state up to which each has a column; larger states are summarised in two


def state_columns(states: Sequence[NDArray[Any]] | NDArray[Any]) -> Columns:
    """States of one shape as columns: one for each number, x0, x1, …, or x0_1 for the entry (0, 1) of a matrix.

    States of more than 64 numbers have their root mean square and their largest modulus in place of these.

    Examples
    --------
    >>> state_columns([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    {'x0': [1.0, 3.0], 'x1': [2.0, 4.0]}
    """
    if not len(states):
        return {}
    if np.size(states[0]) > LARGEST_SPREAD:
        rms = [float(np.sqrt(np.mean(np.square(x)))) for x in states]
        return {"x_rms": rms, "x_max_abs": [float(np.abs(x).max()) for x in states]}
    indices = list(np.ndindex(np.shape(states[0])))
    return {f"x{'_'.join(map(str, index))}": [float(x[index]) for x in states] for index in indices}


def points_table(points: Sequence[Any]) -> Columns:
    """The points of a branch: parameters, state, multipliers in numbers, and how exact they are."""
    table: Columns = {name: [point.parameters[name] for point in points] for name in points[0].parameters}
    curve = points[0].curve
    if "rotation number" in curve.extra:  # of closed invariant curves
        i = len(curve.free) + curve.extra.index("rotation number")
        table["rotation number"] = [point.free[i] for point in points]
    table |= state_columns([np.asarray(point.state) for point in points])
    if all(point.spectrum is not None for point in points):
        table["stable"] = [point.stable for point in points]
        table["multipliers_outside"] = [point.spectrum.outside for point in points]
        table["largest_multiplier_abs"] = [float(np.abs(point.multipliers).max(initial=0.0)) for point in points]
    table["period"] = [point.period for point in points]
    table["arclength"] = [point.arclength for point in points]
    table["residual"] = [point.residual for point in points]
    table["newton_steps"] = [point.iterations for point in points]
    return table


def solutions_table(solutions: Sequence[Any]) -> Columns:
    """Solutions of one map: parameters, state, period, stability, and how exact they are."""
    names = list(dict.fromkeys(name for each in solutions for name in each.parameters))
    table: Columns = {name: [each.parameters[name] for each in solutions] for name in names}
    table |= state_columns([each.state for each in solutions])
    for name in ("period", "stable", "residual", "iterations"):
        table[name] = [getattr(each, name) for each in solutions]
    table["largest_multiplier_abs"] = [float(np.abs(each.multipliers).max(initial=0.0)) for each in solutions]
    return {**table, "note": [each.note for each in solutions]}


def special_table(points: Sequence[Any]) -> Columns:
    """Special points: kind, parameters, state, verdict, and every coefficient with its error."""
    names = list(dict.fromkeys(name for point in points for name in point.parameters))
    table: Columns = {"label": [point.label for point in points], "kind": [point.kind for point in points]}
    table |= {name: [point.parameters.get(name, np.nan) for point in points] for name in names}
    table["parameter_error"] = [point.error for point in points]
    if len({np.shape(point.state) for point in points}) == 1:
        table |= state_columns([point.state for point in points])
    for name in ("period", "multiplicity", "angle", "arclength", "residual"):
        table[name] = [getattr(point, name) for point in points]
    forms = [_normal_form(point) for point in points]
    table["form"] = [form for form, _, _ in forms]
    for name in dict.fromkeys(name for _, values, _ in forms for name in values):
        table[f"coefficient_{name}"] = [values.get(name, np.nan) for _, values, _ in forms]
        table[f"coefficient_{name}_error"] = [errors.get(name, np.nan) for _, _, errors in forms]
    table["note"] = [point.note for point in points]
    return table


def _normal_form(point: Any) -> tuple[str, Mapping[str, float], Mapping[str, float]]:
    try:
        return point.form, point.coefficients, point.errors
    except BifurcateError:  # read from a file that has none, without the map that would give it
        return "", {}, {}


def as_dataframe(table: Columns, attributes: Mapping[str, Any]) -> Any:
    """A pandas DataFrame of columns, with attributes.

    Raises
    ------
    InvalidInput
        If pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise InvalidInput(
            "tables are made by pandas, which is not installed: pip install 'bifurcate[tables]'"
        ) from error
    frame = pandas.DataFrame(table)
    frame.attrs.update(attributes)
    return frame


def write_csv(table: Columns, path: str | os.PathLike[str]) -> None:
    """Write columns to a CSV file; numbers have all of their digits, and read back the same."""
    target = check_folder("path", path)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    with written_atomically(target) as file:
        file.write(text.getvalue().encode())


def import_xarray() -> Any:
    """The library xarray, or InvalidInput with what to do if it is not installed."""
    try:
        import xarray
    except ImportError as error:
        raise InvalidInput("datasets take xarray, which is not installed: pip install 'bifurcate[tables]'") from error
    return xarray


def as_dataset(points: Sequence[Any], attributes: Mapping[str, Any], extra: Columns | None = None) -> Any:
    """An xarray Dataset of points along "point", with the parameters, the arclength and extra columns as coordinates.

    Its variables are "state" (along "point" and "x_0", "x_1", … as the state has axes), "multiplier" (by falling
    modulus; NaN where a point has fewer), "stable", "residual" and "newton_steps". Points whose states differ in shape,
    or were not kept, have no "state".

    Raises
    ------
    InvalidInput
        If xarray is not installed.
    """
    xarray = import_xarray()
    coordinates: dict[str, Any] = {name: ("point", column) for name, column in (extra or {}).items()}
    for name in dict.fromkeys(name for point in points for name in point.parameters):
        coordinates[name] = ("point", [point.parameters.get(name, np.nan) for point in points])
    coordinates["arclength"] = ("point", [point.arclength for point in points])
    coordinates["period"] = ("point", [point.period for point in points])
    variables: dict[str, Any] = {}
    if len({np.shape(point.state) for point in points}) == 1:
        states = np.array([point.state for point in points])
        variables["state"] = (("point", *(f"x_{axis}" for axis in range(states.ndim - 1))), states)
    if all(point.spectrum is not None for point in points):
        variables["multiplier"] = (("point", "multiplier_index"), _padded([point.multipliers for point in points]))
        variables["stable"] = ("point", [point.stable for point in points])
    variables["residual"] = ("point", [point.residual for point in points])
    variables["newton_steps"] = ("point", [point.iterations for point in points])
    return xarray.Dataset(variables, coordinates, dict(attributes))


def _padded(rows: Sequence[NDArray[Any]]) -> NDArray[np.complex128]:
    table = np.full((len(rows), max(map(len, rows))), np.nan, dtype=complex)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table


def about(map: Any, **more: Any) -> dict[str, Any]:
    """Attributes of a table: the map's name, the version of the package, and what else is told."""
    return {"map": map.name, "bifurcate": metadata.version("bifurcate"), **more}


def stacked(tables: Iterable[Columns]) -> Columns:
    """Tables one below the other; NaN where one lacks a column."""
    parts = list(tables)
    names = list(dict.fromkeys(name for part in parts for name in part))

    def length(part: Columns) -> int:
        return len(next(iter(part.values())))

    return {name: [each for part in parts for each in part.get(name, [np.nan] * length(part))] for name in names}
