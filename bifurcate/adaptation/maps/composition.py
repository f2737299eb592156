"""The composition of several rules applied in turn, with the derivatives of the whole by the chain rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from bifurcate.linalg.operators import Operator, compose

__all__ = ["Composition"]


@dataclass(frozen=True, eq=False)
class Composition:
    """x ↦ f_M(… f₂(f₁(x))), where the same rule may occur more than once.

    Attributes
    ----------
    rules : tuple
        In the order in which they act; each with f, jvp, jacobian, parameter_derivative, domain and borders as a Map
        takes them.
    """

    rules: tuple[Any, ...]

    def orbit(self, x: np.ndarray, p: dict[str, float]) -> list[np.ndarray]:
        """[x, f₁(x), f₂(f₁(x)), …]."""
        states = [x]
        for rule in self.rules:
            states.append(rule.f(states[-1], **p))
        return states

    def f(self, x: np.ndarray, **p: float) -> np.ndarray:
        """The last of them."""
        for rule in self.rules:
            x = rule.f(x, **p)
        return x

    def jvp(self, x: np.ndarray, v: np.ndarray, **p: float) -> np.ndarray:
        """The derivative in the direction v."""
        for rule in self.rules:
            x, v = rule.f(x, **p), rule.jvp(x, v, **p)
        return v

    def jacobian(self, x: np.ndarray, **p: float) -> Operator:
        """The product of the rules' Jacobians, of their own kind."""
        factors = [rule.jacobian(state, **p) for rule, state in zip(self.rules, self.orbit(x, p)[:-1], strict=True)]
        return reduce(lambda inner, outer: compose(outer, inner), factors)

    def parameter_derivative(self, x: np.ndarray, name: str, **p: float) -> np.ndarray:
        """∂f/∂name by the recursion d ← f_x d + f_name along the rules."""
        d = np.zeros_like(x)
        for rule in self.rules:
            d = rule.jvp(x, d, **p) + rule.parameter_derivative(x, name, **p)
            x = rule.f(x, **p)
        return d

    def domain(self, x: np.ndarray, **p: float) -> np.ndarray:
        """All margins on the way."""
        return self._on_the_way(x, p, lambda rule, state: rule.domain(state, **p))

    def borders(self, x: np.ndarray, **p: float) -> np.ndarray:
        """All switching functions on the way."""
        return self._on_the_way(x, p, lambda rule, state: rule.borders(state, **p))

    def _on_the_way(
        self, x: np.ndarray, p: dict[str, float], evaluate: Callable[[Any, np.ndarray], np.ndarray]
    ) -> np.ndarray:
        return np.concatenate(
            [evaluate(rule, state) for rule, state in zip(self.rules, self.orbit(x, p)[:-1], strict=True)]
        )
