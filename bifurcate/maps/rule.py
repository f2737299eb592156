"""Rule: an object that carries a map's function and its derivatives as methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["PARTS", "Rule"]

PARTS = ("jvp", "jacobian", "parameter_derivative", "domain", "borders")  # what a map may have beside f


class Rule(Protocol):
    """A map's function and what belongs to it, each with the signature that :class:`~bifurcate.Map` asks for.

    A part that a rule does not have is None. Every :class:`~bifurcate.Map` is a rule itself.
    """

    @property
    def f(self) -> Callable[..., Any]:
        """``f(x, **parameters)``: the map."""

    @property
    def jvp(self) -> Callable[..., Any] | None:
        """``jvp(x, v, **parameters)``: its derivative at x in the direction v."""

    @property
    def jacobian(self) -> Callable[..., Any] | None:
        """``jacobian(x, **parameters)``: its Jacobian on the flattened state."""

    @property
    def parameter_derivative(self) -> Callable[..., Any] | None:
        """``parameter_derivative(x, name, **parameters)``: its derivative by a parameter."""

    @property
    def domain(self) -> Callable[..., Any] | None:
        """``domain(x, **parameters)``: margins that are positive where the map is defined."""

    @property
    def borders(self) -> Callable[..., Any] | None:
        """``borders(x, **parameters)``: switching functions whose zeros are kinks of the map."""
