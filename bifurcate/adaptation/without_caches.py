"""WithoutCaches: frozen dataclasses that are copied and pickled by their fields alone."""

from __future__ import annotations

import dataclasses
from typing import Any

__all__ = ["WithoutCaches"]


class WithoutCaches:
    """Base of frozen dataclasses whose cached properties are computed again after a copy, rather than carried along."""

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
