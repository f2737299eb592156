"""Portable: frozen dataclasses that pickle and copy by their declared fields, functions included."""

from __future__ import annotations

import copy
import dataclasses
import types
from collections.abc import Callable
from typing import Any

from bifurcate.storage.functions import pack, unpack

__all__ = ["Portable"]


class Portable:
    """Base of frozen dataclasses that hold functions: they pickle by name where they have one, else by cloudpickle.

    A read-only mapping is carried as a dict. What is cached beside the fields is computed again in the other process.
    """

    def __getstate__(self) -> dict[str, Any]:
        own = getattr(self, "name", "") or type(self).__name__
        state = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            is_read_only = isinstance(value, types.MappingProxyType)
            state[field.name] = dict(value) if is_read_only else pack(value, f"{field.name} of {own!r}")
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, self._restored(name, unpack(value)))

    def _restored(self, name: str, value: Any) -> Any:
        """The value of a field, from what was carried of it."""
        return value

    def __copy__(self) -> Any:
        return self._copy(lambda value: value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        def deeply(value: Any) -> Any:
            if isinstance(value, types.MappingProxyType):
                return types.MappingProxyType(copy.deepcopy(dict(value), memo))
            return copy.deepcopy(value, memo)

        return self._copy(deeply)

    def _copy(self, each: Callable[[Any], Any]) -> Any:
        made = object.__new__(type(self))
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            object.__setattr__(made, field.name, each(getattr(self, field.name)))
        return made
