"""WithoutCaches: frozen dataclasses that are copied and pickled by their fields alone."""

from __future__ import annotations

from bifurcate.storage.pickling import Portable

__all__ = ["WithoutCaches"]


class WithoutCaches(Portable):
    """Base of frozen dataclasses whose cached properties are computed again after a copy, rather than carried along."""
