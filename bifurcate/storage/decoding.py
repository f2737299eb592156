"""Results from JSON and arrays, as :mod:`~bifurcate.storage.encoding` wrote them.

All objects are made first and filled then, since they refer to each other. No code of a file is run: types and
functions are found by name in the package.
"""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bifurcate.storage.functions import CataloguePart, MissingFunction
from bifurcate.storage.kinds_of_values import DamagedFile, find_in_package, find_type

__all__ = ["ArraySource", "Decoder"]

MOST_OBJECTS = 10**8  # rows of a table: more do not fit into memory, so that the number must be wrong

Array = NDArray[Any]


class ArraySource(Protocol):
    """Where arrays come from."""

    def get(self, key: Any) -> Array:
        """The array that a key finds."""


class Decoder:
    """Decodes the objects of a file and the values that refer to them.

    Parameters
    ----------
    source : ArraySource
        Where arrays come from.
    known : sequence, optional
        Objects that the writer referred to without writing them again; their numbers come first.
    functions : mapping of str to callable, optional
        Functions under the names that stand for them.

    Attributes
    ----------
    objects : list
        All objects, by number.
    """

    def __init__(
        self, source: ArraySource, known: Sequence[Any] = (), functions: Mapping[str, Any] | None = None
    ) -> None:
        self.source = source
        self.objects: list[Any] = list(known)
        self._functions = dict(functions or {})
        self._own = len(known)
        self._states: dict[int, dict[str, Any]] = {}

    def load(self, entries: Sequence[Any], root: Any, finish: Callable[[Any], None] | None = None) -> Any:
        """Make and fill the objects of a file, and return the value that refers to them.

        Parameters
        ----------
        entries : list
            The objects, as the encoder left them.
        root : object
            The value, as JSON.
        finish : callable, optional
            Called with every object once its fields are there, and before those that compute from their fields.
        """
        numbered = []
        for entry in entries:
            kind, rows = find_type(entry["type"]), _whole(entry.get("rows", 1))
            if not dataclasses.is_dataclass(kind) or rows > MOST_OBJECTS:
                raise DamagedFile(f"the file holds {rows} objects of the type {entry['type']!r}")
            numbered.append((len(self.objects), entry))
            self.objects += [object.__new__(kind) for _ in range(rows)]
        for number, entry in numbered:
            if "fields" in entry:
                self._fill(number, {key: self.decode(each) for key, each in entry["fields"].items()})
        value, made = self.decode(root), self.objects[self._own :]
        if not all(map(self._is_filled, range(self._own, len(self.objects)))):
            raise DamagedFile("the file refers to an object that it does not hold")
        if finish is not None:
            for each in made:
                finish(each)
        for number, state in self._states.items():
            self.objects[number].load_state(state)
        return value

    def _is_filled(self, number: int) -> bool:
        value = self.objects[number]
        return bool(value.__dict__) or number in self._states or not dataclasses.fields(type(value))

    def _fill(self, number: int, fields: dict[str, Any]) -> None:
        value = self.objects[number]
        kind = type(value)
        if hasattr(kind, "load_state"):
            self._states[number] = fields
            return
        self._check_fields(kind, fields)
        for key, each in fields.items():
            object.__setattr__(value, key, each)

    def _check_fields(self, kind: type, fields: dict[str, Any]) -> None:
        """Give fields that are new since the file was written their default; refuse what this version does not have."""
        declared = {field.name: field for field in dataclasses.fields(kind)}
        for key in fields:
            if key not in declared and key not in getattr(kind, "stored_beside_fields", ()):
                raise DamagedFile(f"the file gives {kind.__name__} a field {key!r}, which this version does not have")
        for key, field in declared.items():
            if key not in fields:
                if field.default is not dataclasses.MISSING:
                    fields[key] = field.default
                elif field.default_factory is not dataclasses.MISSING:
                    fields[key] = field.default_factory()
                else:
                    raise DamagedFile(f"the file has a {kind.__name__} without its field {key!r}")

    def decode(self, value: Any) -> Any:
        """A value from JSON."""
        if not isinstance(value, dict):
            if value is None or isinstance(value, bool | int | float | str):
                return value
            raise DamagedFile(f"the file holds a {type(value).__name__} where a value should be")
        tag = next(iter(value), "")
        reader = _READERS.get(tag)
        if reader is None:
            raise DamagedFile(f"the file holds a value of an unknown kind, {tag!r}")
        return reader(self, value)

    def _object(self, value: Mapping[str, Any]) -> Any:
        return self.objects[_whole(value["$object"], len(self.objects))]

    def _mapping(self, value: Mapping[str, Any]) -> Any:
        (content,) = value.values()
        if isinstance(content, dict):
            found = {key: self.decode(each) for key, each in content.items()}
        else:
            found = {self.decode(key): self.decode(each) for key, each in content}
        return types.MappingProxyType(found) if "$read-only" in value else found

    def _named(self, value: Mapping[str, Any]) -> Any:
        return find_type(value["$named"])(*[self.decode(each) for each in value["values"]])

    def _error(self, value: Mapping[str, Any]) -> Any:
        error = find_type(value["$error"])(*self.decode(value["values"]))
        for state in self.decode(value["state"]):
            error.__dict__.update(state)
        return error

    def _function(self, value: Mapping[str, Any]) -> Any:
        function = value["$function"]
        if "missing" in function:
            name = str(function["missing"])  # a file runs no code but the package's, though this may be found by name
            return self._functions.get(name, MissingFunction(name))
        if "method" in function:
            return getattr(self.decode(function["of"]), function["method"])
        if "partial" in function:
            inner, given, named = (self.decode(each) for each in function["partial"])
            return functools.partial(inner, *given, **named)
        if "part" in function:
            find_in_package(function["maker"])
            settings = tuple(self.decode(function["settings"]).items())
            return CataloguePart(function["maker"], settings, function["part"]).function()
        name = function["named"]
        found = find_in_package(name)
        if not isinstance(found, types.FunctionType | type):
            raise DamagedFile(f"the file names the function {name!r}, which is none")
        return found

    def _sparse(self, value: Mapping[str, Any]) -> Any:
        import scipy.sparse as sp

        allowed = ("csr_array", "csc_array", "csr_matrix", "csc_matrix")
        if value["$sparse"] not in allowed:
            raise DamagedFile(f"the file holds a sparse matrix of an unknown kind, {value['$sparse']!r}")
        parts = tuple(self.decode(each) for each in value["parts"])
        return getattr(sp, value["$sparse"])(parts, shape=tuple(value["shape"]))

    def _matrix(self, value: Mapping[str, Any]) -> Any:
        from scipy.sparse.linalg import aslinearoperator

        return aslinearoperator(self.decode(value["$matrix operator"]))

    def _graph(self, value: Mapping[str, Any]) -> Any:
        import networkx as nx

        if value["$graph"] not in ("Graph", "MultiGraph"):
            raise DamagedFile(f"the file holds a graph of an unknown kind, {value['$graph']!r}")
        graph = getattr(nx, value["$graph"])()
        graph.add_nodes_from(self.decode(each) for each in value["nodes"])
        for a, b, key, data in (self.decode(each) for each in value["edges"]):
            graph.add_edge(a, b, **({} if key is None else {"key": key}), **data)
        return graph

    def column(self, value: Mapping[str, Any]) -> list[Any]:
        """The values of a column."""
        tag = next(iter(value))
        if tag == "$same":
            return [self.decode(value[tag])] * _whole(value["length"])
        if tag == "$where":
            rest = iter(self.column(value["values"]))
            return [next(rest) if there else None for there in self.decode(value[tag]).tolist()]
        if tag == "$values":
            return [self.decode(each) for each in value[tag]]
        if tag == "$numbers":
            return list(self.decode(value[tag]).tolist())
        if tag == "$words":
            return [value[tag][i] for i in self.decode(value["which"]).tolist()]
        if tag == "$stack":
            return list(self.source.get(value[tag]))
        if tag == "$pieces":
            return np.split(self.decode(value[tag]), np.cumsum(self.decode(value["lengths"]))[:-1])
        if tag == "$tuples":
            return list(zip(*[self.column(part) for part in value[tag]], strict=True))
        if tag == "$named tuples":
            kind = find_type(value[tag])
            return [kind(*parts) for parts in zip(*[self.column(part) for part in value["columns"]], strict=True)]
        if tag == "$table":
            return self._table(value)
        raise DamagedFile(f"the file holds a column of an unknown kind, {tag!r}")

    def _table(self, value: Mapping[str, Any]) -> list[Any]:
        kind, first, length = find_type(value["$table"]), _whole(value["first"]), _whole(value["length"])
        numbers = range(first, first + length)
        if not self._own <= first <= first + length <= len(self.objects):
            raise DamagedFile("a table of the file refers to objects that it does not have")
        if any(type(self.objects[number]) is not kind for number in numbers):
            raise DamagedFile("a table of the file holds objects of another type than its own")
        columns = {key: self.column(each) for key, each in value["columns"].items()}
        if any(len(column) != length for column in columns.values()):
            raise DamagedFile("a table of the file has columns of different lengths")
        made = self.objects[first : first + length]
        if hasattr(kind, "load_state") or not length:
            for i, number in enumerate(numbers):
                self._fill(number, {key: column[i] for key, column in columns.items()})
            return made
        new: dict[str, Any] = dict.fromkeys(columns)
        self._check_fields(kind, new)  # once for all rows, which share what fields that are new since then begin with
        defaults = {key: each for key, each in new.items() if key not in columns}
        for each, row in zip(made, zip(*columns.values(), strict=True), strict=True):
            each.__dict__.update(zip(columns, row), **defaults)
        return made


def _whole(value: Any, below: int | None = None) -> int:
    if not isinstance(value, int) or value < 0 or (below is not None and value >= below):
        raise DamagedFile(f"the file holds {value!r} where a number of at least 0 should be")
    return value


_READERS: dict[str, Callable[[Decoder, Mapping[str, Any]], Any]] = {
    "$object": Decoder._object,
    "$float": lambda self, value: float(value["$float"]),
    "$complex": lambda self, value: complex(*(self.decode(part) for part in value["$complex"])),
    "$array": lambda self, value: self.source.get(value["$array"]),
    "$scalar": lambda self, value: self.source.get(value["$scalar"])[()],
    "$list": lambda self, value: [self.decode(each) for each in value["$list"]],
    "$tuple": lambda self, value: tuple(self.decode(each) for each in value["$tuple"]),
    "$list of": lambda self, value: self.column(value["$list of"]),
    "$tuple of": lambda self, value: tuple(self.column(value["$tuple of"])),
    "$dict": Decoder._mapping,
    "$read-only": Decoder._mapping,
    "$set": lambda self, value: {self.decode(each) for each in value["$set"]},
    "$frozenset": lambda self, value: frozenset(self.decode(each) for each in value["$frozenset"]),
    "$named": Decoder._named,
    "$error": Decoder._error,
    "$function": Decoder._function,
    "$sparse": Decoder._sparse,
    "$matrix operator": Decoder._matrix,
    "$graph": Decoder._graph,
}
