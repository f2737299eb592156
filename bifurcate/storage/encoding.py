"""Results as JSON and arrays: dataclasses by their declared fields, every object once, long sequences as columns.

A field that a dataclass declares is stored without further ado, so that a new one needs no line here. Values are tagged
where JSON has no word for them: ``{"$tuple": [...]}``, ``{"$array": ...}``; ``{"$object": 3}`` is the fourth object.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import sys
import types
from collections import deque
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import BifurcateError, InvalidInput
from bifurcate.storage.functions import MissingFunction, catalogue_part, name_of
from bifurcate.storage.kinds_of_values import field_names, is_named_tuple, type_name

__all__ = ["ArrayStore", "Encoder", "fields_of"]

SHORTEST_TABLE = 8  # objects of one type in a sequence from which on they are stored as columns, one for each field
LARGEST_INTEGER = 2**63  # integers up to this size fit into a column

Array = NDArray[Any]


class ArrayStore(Protocol):
    """Where arrays go."""

    def add(self, array: Array, name: str) -> Any:
        """Store an array; returns what finds it again, for JSON."""

    def add_stack(self, arrays: Sequence[Array], name: str) -> Any:
        """Store arrays of one shape, type and order as one, without a copy of them all."""


def fields_of(value: Any, *, complete: bool = True) -> dict[str, Any]:
    """What is stored of a dataclass: its declared fields and, if complete, what it says is to be stored beside them.

    Examples
    --------
    >>> import bifurcate as bf
    >>> fields_of(bf.errors.Stop("bound", "r = 4"))
    {'reason': 'bound', 'detail': 'r = 4'}
    """
    kind = type(value)
    beside = _beside(kind) if complete else ()
    for name in beside:
        try:
            getattr(value, name)  # computes what is cached once it was asked for
        except (BifurcateError, ArithmeticError, np.linalg.LinAlgError):
            continue  # there is none; whoever asks a loaded copy is told so
    if hasattr(kind, "stored_state"):
        return {key: each for key, each in value.stored_state().items() if complete or key not in _beside(kind)}
    state = {name: getattr(value, name) for name in _declared(kind)}
    return {**state, **{name: value.__dict__[name] for name in beside if name in value.__dict__}}


def _beside(kind: type) -> tuple[str, ...]:
    return tuple(getattr(kind, "stored_beside_fields", ()))


def _declared(kind: type) -> tuple[str, ...]:
    """The names of a dataclass's fields."""
    return tuple(field.name for field in dataclasses.fields(kind))


class Encoder:
    """Encodes values; what it has encoded once is referred to afterwards.

    Parameters
    ----------
    store : ArrayStore
        Where arrays go.
    known : Encoder, optional
        An encoder whose objects are known to the reader already.
    complete : bool
        Store, beside the fields, what can be computed from them with the map at hand.

    Attributes
    ----------
    objects : list
        The objects encoded, in order of their numbers, as JSON: one entry each, and one for all rows of a table.
    values : list
        The objects themselves, by number, those of ``known`` included.
    functions : dict of str to callable
        Functions that are not found by name, under the names that stand for them.
    """

    def __init__(self, store: ArrayStore, known: Encoder | None = None, *, complete: bool = True) -> None:
        self.store = store
        self.objects: list[Any] = []
        self.complete = complete
        self.values: list[Any] = [] if known is None else list(known.values)  # held: an id is unique while it lives
        self.functions: dict[str, Any] = {} if known is None else dict(known.functions)
        self._numbers: dict[int, int] = {id(each): number for number, each in enumerate(self.values)}

    def encode(self, value: Any, name: str) -> Any:
        """A value as JSON; ``name`` says where it is, for arrays and messages."""
        kind = type(value)
        if value is None or kind in (bool, int, str):
            return value
        if kind is float:
            return value if math.isfinite(value) else {"$float": str(value)}
        if kind is complex:
            return {"$complex": [self.encode(value.real, name), self.encode(value.imag, name)]}
        if kind is np.ndarray:
            return {"$array": self.store.add(_checked(value, name), name)}
        if isinstance(value, np.generic):
            return {"$scalar": self.store.add(_checked(np.asarray(value), name), name)}
        if kind in (list, tuple):
            return self._sequence(value, name)
        if kind is dict or kind is types.MappingProxyType:
            return self._mapping(value, name)
        if kind in (set, frozenset):
            return {f"${kind.__name__}": [self.encode(each, name) for each in sorted(value, key=repr)]}
        return self._object(value, name)

    def _object(self, value: Any, name: str) -> Any:
        kind = type(value)
        if id(value) in self._numbers:
            return {"$object": self._numbers[id(value)]}
        if dataclasses.is_dataclass(kind) and (title := type_name(kind)) is not None:
            number, entry = self._number(value), dict[str, Any](type=title)
            self.objects.append(entry)
            entry["fields"] = {key: self.encode(each, f"{name}.{key}") for key, each in self._fields(value).items()}
            return {"$object": number}
        if is_named_tuple(kind) and (title := type_name(kind)) is not None:
            parts = [self.encode(part, f"{name}.{key}") for key, part in zip(field_names(kind), value)]
            return {"$named": title, "values": parts}
        if isinstance(value, BifurcateError) and (title := type_name(kind)) is not None:
            arguments, *state = tuple(value.__reduce__())[1:]
            return {"$error": title, "values": self.encode(arguments, name), "state": self.encode([*state], name)}
        if type(value).__name__ == "MatrixLinearOperator":
            return {"$matrix operator": self.encode(value.A, name)}
        if callable(value):
            return {"$function": self._function(value, name)}
        return self._from_library(value, name)

    def _number(self, value: Any) -> int:
        self._numbers[id(value)] = len(self.values)
        self.values.append(value)
        return len(self.values) - 1

    def _fields(self, value: Any) -> dict[str, Any]:
        return fields_of(value, complete=self.complete)

    def _function(self, value: Any, name: str) -> Any:
        part = catalogue_part(value)
        if part is not None:
            return {"part": part.part, "maker": part.maker, "settings": self.encode(dict(part.settings), name)}
        if isinstance(value, types.MethodType) and type_name(type(value.__self__)) is not None:
            return {"method": value.__name__, "of": self.encode(value.__self__, name)}
        if isinstance(value, functools.partial):
            inside = [value.func, value.args, value.keywords]
            return {"partial": [self.encode(each, name) for each in inside]}
        if isinstance(value, MissingFunction):
            return {"missing": value.name}
        title = name_of(value)
        if title is not None and title.startswith("bifurcate."):
            return {"named": title}
        return {"missing": self._name_function(value, title or f"{name.rpartition('.')[2]} ({shown_name(value)})")}

    def _name_function(self, value: Any, name: str) -> str:
        """A name for a function that a file does not hold: one of its own if another function has it already."""
        number, own = 1, name
        while self.functions.setdefault(own, value) is not value:
            number += 1
            own = f"{name} #{number}"
        return own

    def _from_library(self, value: Any, name: str) -> Any:
        sparse, networkx = sys.modules.get("scipy.sparse"), sys.modules.get("networkx")
        if sparse is not None and sparse.issparse(value):
            form = value if value.format in ("csr", "csc") else value.tocsr()
            parts = [self.encode(each, name) for each in (form.data, form.indices, form.indptr)]
            return {"$sparse": type(form).__name__, "parts": parts, "shape": list(form.shape)}
        if networkx is not None and isinstance(value, networkx.Graph):
            nodes = [self.encode((node, dict(data)), name) for node, data in value.nodes(data=True)]
            edges = [self.encode(edge, name) for edge in _edges_in_order(value)]
            return {"$graph": type(value).__name__, "nodes": nodes, "edges": edges}
        raise InvalidInput(
            f"{name} is a {type(value).__name__}; stored are numbers, text, arrays, lists, dicts and results of the "
            "package"
        )

    def _mapping(self, value: Mapping[Any, Any], name: str) -> Any:
        tag = "$dict" if type(value) is dict else "$read-only"
        if all(type(key) is str for key in value):
            return {tag: {key: self.encode(each, f"{name}.{key}") for key, each in value.items()}}
        return {tag: [[self.encode(key, name), self.encode(each, name)] for key, each in value.items()]}

    def _sequence(self, value: Sequence[Any], name: str) -> Any:
        tag = "$tuple" if type(value) is tuple else "$list"
        kinds = set(map(type, value))
        if len(value) < SHORTEST_TABLE or len(kinds) != 1:
            return {tag: [self.encode(each, name) for each in value]}
        (kind,) = kinds
        if kind in (float, int, bool) or self._is_table(kind, value):
            return {f"{tag} of": self.column(value, name)}
        return {tag: [self.encode(each, name) for each in value]}

    def _is_table(self, kind: type, value: Sequence[Any]) -> bool:
        """True for dataclasses none of which is known yet: each gets a number, their fields are stored as columns."""
        if not dataclasses.is_dataclass(kind) or hasattr(kind, "stored_state") or type_name(kind) is None:
            return False
        identities = set(map(id, value))
        return len(identities) == len(value) and self._numbers.keys().isdisjoint(identities)

    def column(self, values: Sequence[Any], name: str) -> Any:
        """Values that follow each other, as arrays where they are alike."""
        first, kinds = values[0], set(map(type, values))
        if all(each is first for each in values) and type(first) is not float:
            return {"$same": self.encode(first, name), "length": len(values)}
        if len(kinds) == 2 and type(None) in kinds:
            there = [each is not None for each in values]
            return {
                "$where": self.encode(np.array(there), name),
                "values": self.column([each for each in values if each is not None], name),
            }
        kind = kinds.pop() if len(kinds) == 1 else object
        found = self._column_of(kind, values, name)
        return {"$values": [self.encode(each, name) for each in values]} if found is None else found

    def _column_of(self, kind: type, values: Sequence[Any], name: str) -> Any:
        """A column of values of one type; None if they are stored one by one."""
        if kind in (float, bool) or (
            kind is int and all(-LARGEST_INTEGER <= each < LARGEST_INTEGER for each in values)
        ):
            return {"$numbers": self.encode(np.array(values), name)}
        if kind is np.ndarray:
            return self._arrays(values, name)
        if kind is str:
            words = list(dict.fromkeys(values))
            numbers = {word: i for i, word in enumerate(words)}
            return {"$words": words, "which": self.encode(np.array([numbers[each] for each in values]), name)}
        if kind is tuple and len({len(each) for each in values}) == 1 and len(values[0]):
            return {"$tuples": [self.column(part, f"{name}[{i}]") for i, part in enumerate(zip(*values))]}
        if is_named_tuple(kind) and (title := type_name(kind)) is not None:
            parts = [self.column(part, f"{name}.{key}") for key, part in zip(field_names(kind), zip(*values))]
            return {"$named tuples": title, "columns": parts}
        if self._is_table(kind, values):
            return self._table(kind, values, name)
        return None

    def _table(self, kind: type, values: Sequence[Any], name: str) -> Any:
        fields = self._columns(kind, values)
        if fields is None:
            return None
        first = len(self.values)
        self._numbers.update(zip(map(id, values), range(first, first + len(values))))
        self.values.extend(values)
        self.objects.append({"type": type_name(kind), "rows": len(values)})
        columns = {key: self.column(each, f"{name}.{key}") for key, each in fields.items()}
        return {"$table": type_name(kind), "first": first, "length": len(values), "columns": columns}

    def _columns(self, kind: type, values: Sequence[Any]) -> dict[str, list[Any]] | None:
        """What is stored of objects, field by field; None if it is not the same fields of all."""
        if not (self.complete and _beside(kind)):  # without a dict for each of a million
            return {key: list(map(attrgetter(key), values)) for key in _declared(kind)}
        rows = [self._fields(each) for each in values]
        if any(row.keys() != rows[0].keys() for row in rows):
            return None
        return {key: [row[key] for row in rows] for key in rows[0]}

    def _arrays(self, values: Sequence[Array], name: str) -> Any:
        kinds, shapes = set(map(attrgetter("dtype"), values)), set(map(attrgetter("shape"), values))
        for kind in kinds:
            _check_kind(kind, name)
        is_flat = all(len(shape) < 2 for shape in shapes)  # so that there is no order to be kept
        if len(kinds) == len(shapes) == 1 and (is_flat or len(set(map(_is_column_major, values))) == 1):
            return {"$stack": self.store.add_stack(values, name)}
        if len(kinds) == 1 and all(len(shape) == 1 for shape in shapes):
            joined = self.encode(np.concatenate(values), name)
            return {"$pieces": joined, "lengths": self.encode(np.array([len(each) for each in values]), name)}
        return None


def shown_name(function: Any) -> str:
    """The name of a function in its module, or the type of an object that is called like one."""
    return str(getattr(function, "__qualname__", type(function).__name__))


def _is_column_major(array: Array) -> bool:
    return bool(array.flags.f_contiguous and not array.flags.c_contiguous)


def _checked(array: Array, name: str) -> Array:
    _check_kind(array.dtype, name)
    return array


def _check_kind(kind: np.dtype[Any], name: str) -> None:
    if kind.kind not in "biufcUS":
        raise InvalidInput(f"{name} is an array of {kind}; stored are arrays of numbers and text")


def _edges_in_order(graph: Any) -> list[tuple[Any, ...]]:
    """The edges in an order that, when they are added in it, gives every node its neighbours in the same order.

    Every node lists its neighbours in the order in which they were joined to it: an edge comes next where it is the
    next one at both of its ends.
    """
    waiting = {node: deque(frozenset((node, other)) for other in graph.adj[node]) for node in graph}
    out, free = list[tuple[Any, ...]](), deque(graph)
    while free:
        node = free.popleft()
        while waiting[node]:
            pair = waiting[node][0]
            ends = list(pair) * (3 - len(pair))
            if any(waiting[end][0] != pair for end in ends):
                break  # the other end comes back to it
            for end in pair:
                waiting[end].popleft()
                free.append(end)
            data = graph.get_edge_data(*ends)
            edges = data if graph.is_multigraph() else {None: data}
            out += [(*ends, key, dict(each)) for key, each in edges.items()]
    return out
