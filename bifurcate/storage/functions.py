"""Functions as data: which of them another process can find by name, and what stands for those it cannot.

A function at the top level of a module, a method of an object of the package, and a part of a catalogue map are found
by name. A lambda or a local function is not: cloudpickle carries it where that is installed.
"""

from __future__ import annotations

import functools
import inspect
import pickle
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from bifurcate.errors import InvalidInput, MapMissing

__all__ = [
    "CataloguePart",
    "MissingFunction",
    "catalogue_part",
    "catalogued",
    "find_by_name",
    "name_of",
    "pack",
    "unpack",
]

P = ParamSpec("P")
T = TypeVar("T")

MARK = "catalogue_part"  # the attribute of a catalogue map's functions that says where they come from


@dataclass(frozen=True)
class CataloguePart:
    """A function of a map that a function of the package makes: ``maker(**dict(settings))``, of it the part named.

    Attributes
    ----------
    maker : str
        "module:name" of the function that makes the map.
    settings : tuple of (str, object)
        Its arguments beside the map's parameters.
    part : str
        The map's attribute: "f", "jvp", …
    """

    maker: str
    settings: tuple[tuple[str, Any], ...]
    part: str

    def function(self) -> Callable[..., Any]:
        """The function itself."""
        return getattr(_make(self.maker, self.settings), self.part)  # type: ignore[no-any-return]


@functools.lru_cache(maxsize=64)
def _make(maker: str, settings: tuple[tuple[str, Any], ...]) -> Any:
    return find_by_name(maker)(**dict(settings))


def catalogued(make: Callable[P, T]) -> Callable[P, T]:
    """Let the functions of the map that a function makes be found again from its name and its arguments.

    The arguments that are no parameters of the map must be hashable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> catalogue_part(bf.maps.logistic_ring(n=5).f).settings
    (('n', 5), ('sparse', False))
    """
    signature, name = inspect.signature(make), f"{make.__module__}:{make.__qualname__}"

    @functools.wraps(make)
    def made(*given: P.args, **named: P.kwargs) -> T:
        map: Any = make(*given, **named)
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        settings = tuple((key, value) for key, value in bound.arguments.items() if key not in map.parameters)
        for part in ("f", "jvp", "jacobian", "parameter_derivative", "domain", "borders", "exact"):
            function = getattr(map, part)
            if function is not None:
                setattr(function, MARK, CataloguePart(name, settings, part))
        return map  # type: ignore[no-any-return]

    return made


def catalogue_part(function: Any) -> CataloguePart | None:
    """Where a function of a catalogue map comes from; None for any other function."""
    return getattr(function, MARK, None) if isinstance(function, types.FunctionType) else None


@dataclass(frozen=True)
class MissingFunction:
    """What stands for a function that a file names and does not hold; it raises an error when it is called.

    Attributes
    ----------
    name : str
        The function's name.
    """

    name: str

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Raise MapMissing."""
        raise MapMissing(
            f"this result was loaded without its map, so that {self.name} cannot be called: load it with "
            "bf.load(path, map=...)"
        )


@dataclass(frozen=True)
class _Carried:
    """A function by value, as cloudpickle carries it."""

    content: bytes


def name_of(function: Any) -> str | None:
    """ "module:name" of a function or class at the top level of a module; None for what is found at no such place.

    Examples
    --------
    >>> name_of(pack), name_of(lambda x: x)
    ('bifurcate.storage.functions:pack', None)
    """
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or module not in sys.modules:
        return None
    found: Any = sys.modules[module]
    for part in name.split("."):
        found = getattr(found, part, None)
    return f"{module}:{name}" if found is function else None


def find_by_name(name: str) -> Any:
    """What stands at the place "module:name".

    Examples
    --------
    >>> find_by_name("bifurcate.storage.functions:pack") is pack
    True
    """
    import importlib

    module, _, inner = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in inner.split("."):
        found = getattr(found, part)
    return found


def pack(value: Any, name: str) -> Any:
    """What pickle carries in place of a value: the value itself, unless it is a function that has no place of its own.

    Parameters
    ----------
    value : object
        The value of a field.
    name : str
        What it is, for the message, as "f of the map 'logistic'".

    Raises
    ------
    InvalidInput
        If it is a lambda or a local function and cloudpickle is not installed.
    """
    part = catalogue_part(value)
    if part is not None:
        return part
    return value if _is_found_by_name(value) else _carry(value, name)


def unpack(value: Any) -> Any:
    """What :func:`pack` has packed."""
    if isinstance(value, CataloguePart):
        return value.function()
    return pickle.loads(value.content) if isinstance(value, _Carried) else value


def _is_found_by_name(value: Any) -> bool:
    if isinstance(value, types.FunctionType):
        return name_of(value) is not None
    if isinstance(value, types.MethodType):
        return _is_found_by_name(value.__func__)
    if isinstance(value, functools.partial):
        inside = [value.func, *value.args, *value.keywords.values()]
        return all(_is_found_by_name(each) for each in inside)
    operator = _closures_of(value)
    return all(_is_found_by_name(each) for each in operator.values()) if operator else True


def _closures_of(value: Any) -> Mapping[str, Any]:
    """The functions from which SciPy has made a LinearOperator."""
    own = getattr(value, "__dict__", None)
    if not isinstance(own, dict) or not hasattr(value, "matvec"):
        return {}
    return {key: each for key, each in own.items() if isinstance(each, types.FunctionType)}


def _carry(value: Any, name: str) -> _Carried:
    try:
        import cloudpickle
    except ImportError as error:
        raise InvalidInput(
            f"{name} is a lambda or a local function, which cannot be sent to another process: define it with def at "
            "the top level of a module, or install cloudpickle, which comes with bifurcate[dask]"
        ) from error
    return _Carried(cloudpickle.dumps(value))
