"""Which types a file may hold, and how one is found by its name: those of the package, none of anybody else."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from bifurcate.errors import BifurcateError, InvalidInput
from bifurcate.storage.functions import find_by_name, name_of

__all__ = ["DamagedFile", "field_names", "find_in_package", "find_type", "is_named_tuple", "type_name"]

# A file names types and functions of these packages only: reading one runs no code that came with it.
PACKAGES = ("bifurcate", "studies")
NAME = re.compile(rf"({'|'.join(PACKAGES)})(\.[a-z_0-9]+)*:[A-Za-z_0-9.]+")

# Types by the names under which earlier versions wrote them. A type that moves adds a line.
MOVED: dict[str, str] = {
    "bifurcate.newton.deflation:FailedAttempt": "bifurcate.newton.deflated_search:FailedAttempt",
}


class DamagedFile(InvalidInput):
    """A file of results cannot be read: it is no such file, or was changed or cut off after it was written."""


def is_named_tuple(kind: type) -> bool:
    """True for the classes that NamedTuple makes."""
    return issubclass(kind, tuple) and hasattr(kind, "_fields")


def field_names(kind: type) -> tuple[str, ...]:
    """The names of a named tuple's fields."""
    return tuple(getattr(kind, "_fields", ()))


def type_name(kind: type) -> str | None:
    """ "module:name" of a dataclass, named tuple or exception of the package; None for any other type.

    Examples
    --------
    >>> import bifurcate as bf
    >>> type_name(bf.StepControl), type_name(dict)
    ('bifurcate.continuation.step_control:StepControl', None)
    """
    name = name_of(kind)
    return name if name is not None and NAME.fullmatch(name) and _is_data(kind) else None


def find_type(name: Any) -> type:
    """The type of a name that :func:`type_name` gives.

    Raises
    ------
    DamagedFile
        If there is none.
    """
    name = MOVED.get(name, name) if isinstance(name, str) else name
    found = find_in_package(name)
    if not (isinstance(found, type) and _is_data(found)):
        raise DamagedFile(f"the file names the type {name!r}, which holds no results")
    return found


def find_in_package(name: Any) -> Any:
    """What a file names in the package; nothing else is imported.

    Raises
    ------
    DamagedFile
        If there is no such thing.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name) or "__main__" in name:
        raise DamagedFile(f"the file names {name!r}, which is no part of the package")
    try:
        return find_by_name(name)
    except (ImportError, AttributeError) as error:
        raise DamagedFile(
            f"the file names {name!r}, which this version does not have: it was written by another one"
        ) from error


def _is_data(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or is_named_tuple(kind) or issubclass(kind, BifurcateError)
