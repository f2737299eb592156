"""Bifurcation analysis of discrete maps.

One idea: a Map's fixed points and cycles are a Curve; tracing it gives a Branch with SpecialPoints on it; switching
at one gives the next Curve.

The public names stand in ``__init__.pyi``. Each is loaded when it is first used (PEP 562), so that
``import bifurcate`` costs little.
"""

import sys
from importlib import metadata
from types import ModuleType
from typing import Any

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


# Old public names, each with its new one, which works for one more version with a warning. A renaming adds a line.
_OLD_NAMES: dict[str, str] = {
    "Attempt": "FailedAttempt",
    "Continued": "DeflatedBranches",
    "Deflated": "DeflationResult",
    "Failed": "FailedCurve",
}

# Verbs that share their name with a file or a room. When that is imported, Python would put the module in the verb's
# place: the verb stays.
_VERBS_NAMED_LIKE_MODULES = ("attractors", "sweep")


class _Package(ModuleType):
    """This package, whose verbs are not replaced by modules of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _VERBS_NAMED_LIKE_MODULES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return metadata.version("bifurcate")
    if name in _OLD_NAMES:
        from bifurcate.deprecation import warn_old_name

        warn_old_name(f"bifurcate.{name}", f"bifurcate.{_OLD_NAMES[name]}")
        return _load(_OLD_NAMES[name])
    return _load(name)
