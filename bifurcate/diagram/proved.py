"""A diagram with a theorem about it, where the optional arithmetic for proofs is installed."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

__all__ = ["with_theorem"]

Explored = TypeVar("Explored", bound=Any)


def with_theorem(diagram: Explored, **options: Any) -> Explored:
    """The same diagram with its ``theorem``; the options are those of :func:`bifurcate.prove`."""
    from bifurcate.proofs.prove import prove  # python-flint is an extra

    return dataclasses.replace(diagram, theorem=prove(diagram, **options))
