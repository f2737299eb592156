"""Are two results the same to the bit? A walk through their fields, whatever their types."""

import dataclasses
import functools
import types

import networkx as nx
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator

from bifurcate.storage.functions import MissingFunction

COMPUTED = ("linear", "system", "at")  # of a point of a curve: computed again, with functions of their own


def difference(a, b, name="it", seen=None):
    """Where and how two values differ; None if they do not."""
    seen = {} if seen is None else seen
    if (id(a), id(b)) in seen or a is b:
        return None
    seen[id(a), id(b)] = a, b  # held, since ids of what is gone are given again
    if isinstance(b, MissingFunction) and isinstance(a, types.FunctionType):
        return None  # read from a file without its map
    if type(a) is not type(b):
        return f"{name}: {type(a).__name__} and {type(b).__name__}"
    if isinstance(a, np.ndarray | np.generic):
        same = np.shape(a) == np.shape(b) and a.dtype == b.dtype and np.asarray(a).tobytes() == np.asarray(b).tobytes()
        return None if same else f"{name}: {a!r} and {b!r}"
    if sp.issparse(a):
        return difference((a.data, a.indices, a.indptr), (b.data, b.indices, b.indptr), name, seen)
    if isinstance(a, LinearOperator):
        return difference(a @ np.ones(a.shape[1]), b @ np.ones(b.shape[1]), name, seen)
    if isinstance(a, nx.Graph):
        return difference(plain(a), plain(b), name, seen)
    if isinstance(a, types.FunctionType):
        return None if a.__qualname__ == b.__qualname__ and a.__module__ == b.__module__ else f"{name}: {a} and {b}"
    if isinstance(a, types.MethodType):
        return difference((a.__func__, a.__self__), (b.__func__, b.__self__), name, seen)
    if isinstance(a, functools.partial):
        return difference((a.func, a.args, a.keywords), (b.func, b.args, b.keywords), name, seen)
    if isinstance(a, BaseException):
        return difference((a.args, a.__dict__), (b.args, b.__dict__), name, seen)
    if isinstance(a, dict | types.MappingProxyType):
        return difference(list(a.items()), list(b.items()), name, seen)
    if isinstance(a, list | tuple):
        if len(a) != len(b):
            return f"{name}: of length {len(a)} and {len(b)}"
        return first(difference(x, y, f"{name}[{i}]", seen) for i, (x, y) in enumerate(zip(a, b)))
    if dataclasses.is_dataclass(a):
        names = [field.name for field in dataclasses.fields(a) if field.name not in COMPUTED]
        return first(difference(getattr(a, n), getattr(b, n), f"{name}.{n}", seen) for n in names)
    if hasattr(a, "stored"):  # the multipliers of a point
        return difference(a.stored, b.stored, name, seen)
    same = a == b or (a != a and b != b)
    return None if same else f"{name}: {a!r} and {b!r}"


def plain(graph):
    neighbours = [[(other, dict(data)) for other, data in graph.adj[node].items()] for node in graph]
    return [list(graph.nodes(data=True)), neighbours]


def first(differences):
    return next((each for each in differences if each is not None), None)


def types_in(value, found=None, seen=None):
    """The types of a value and of everything in its fields."""
    found, seen = (set(), {}) if found is None else (found, seen)
    if id(value) in seen:
        return found
    seen[id(value)] = value
    found.add(type(value))
    if isinstance(value, nx.Graph):
        types_in([list(value.nodes(data=True)), list(value.edges(data=True))], found, seen)
    elif isinstance(value, dict | types.MappingProxyType):
        types_in(list(value.values()), found, seen)
    elif isinstance(value, list | tuple):
        for each in value:
            types_in(each, found, seen)
    elif dataclasses.is_dataclass(value):
        types_in([getattr(value, field.name) for field in dataclasses.fields(value)], found, seen)
    return found
