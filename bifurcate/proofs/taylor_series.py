"""Taylor coefficients g₀, g₁, … of elementary functions at a ball: gⱼ = g^(j)(x)/j!."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flint

from bifurcate.proofs.balls import Ball

__all__ = [
    "binomial_series",
    "cyclic_series",
    "exponential_series",
    "power_series",
    "riccati_series",
    "series_of_arb",
]


def exponential_series(e: Ball, length: int) -> list[Ball]:
    """Of e^x, from its value e."""
    terms = [e]
    for j in range(1, length):
        terms.append(terms[-1] / j if j > 1 else e)
    return terms


def cyclic_series(derivatives: tuple[Ball, ...], length: int) -> list[Ball]:
    """Of a function whose derivatives repeat: sin, cos, sinh, cosh."""
    factorial, terms = 1, []
    for j in range(length):
        factorial *= max(j, 1)
        terms.append(derivatives[j % len(derivatives)] / factorial)
    return terms


def binomial_series(first: Ball, x: Ball, exponent: Ball, length: int) -> list[Ball]:
    """Of x^exponent, from its value."""
    terms = [first]
    for j in range(1, length):
        terms.append(terms[-1] * (exponent - (j - 1)) / (x * j))
    return terms


def power_series(x: Ball, exponent: Ball, length: int) -> list[Ball]:
    """Of x^exponent at x > 0."""
    return binomial_series((exponent * x.log()).exp(), x, exponent, length)


def riccati_series(first: Ball, sign: int, length: int) -> list[Ball]:
    """Taylor coefficients of the solution of g' = 1 + sign · g²: tan and tanh."""
    terms = [first]
    for j in range(length - 1):
        square = sum((terms[i] * terms[j - i] for i in range(j + 1)), flint.arb(0))
        terms.append(((1 if j == 0 else 0) + sign * square) / (j + 1))
    return terms


def series_of_arb(x: Ball, name: str, length: int) -> list[Ball]:
    """Of a function of ``flint.arb_series``."""
    before = flint.ctx.cap
    flint.ctx.cap = length
    try:
        function: Callable[[], Any] = getattr(flint.arb_series([x, 1], length), name)
        found = function()
        return [found[j] for j in range(length)]
    finally:
        flint.ctx.cap = before
