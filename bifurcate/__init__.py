"""Bifurcation analysis of discrete maps.

One idea: a Map's fixed points and cycles are a Curve; tracing it gives a Branch with SpecialPoints on it; switching
at one gives the next Curve.

The public names stand in ``__init__.pyi``. Each is loaded when it is first used (PEP 562), so that
``import bifurcate`` costs little.
"""

from importlib import metadata
from typing import Any

import lazy_loader

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    return metadata.version("bifurcate") if name == "__version__" else _load(name)
