"""Balls with gradients, and truncated power series of them: the arithmetic inside jets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flint

from bifurcate.proofs.balls import Ball

__all__ = ["Dual", "negative", "plus", "product", "quotient", "scaled", "times"]

Gradient = dict[int, Ball]  # slopes by the unknowns on which a value depends, under their numbers
Dual = tuple[Ball, Gradient]


def plus(x: Dual, y: Dual) -> Dual:
    """x + y."""
    gradient = y[1]
    if x[1]:
        gradient = dict(x[1])
        for i, e in y[1].items():
            gradient[i] = gradient[i] + e if i in gradient else e
    return x[0] + y[0], gradient


def scaled(x: Dual, factor: Any) -> Dual:
    """x times a ball or a number."""
    return x[0] * factor, {i: e * factor for i, e in x[1].items()}


def times(x: Dual, y: Dual) -> Dual:
    """x y."""
    a, b = x[0], y[0]
    if not y[1]:
        return a * b, {i: e * b for i, e in x[1].items()} if x[1] else y[1]
    gradient = {i: e * b for i, e in x[1].items()}
    for i, e in y[1].items():
        term = a * e
        gradient[i] = gradient[i] + term if i in gradient else term
    return a * b, gradient


def negative(x: Dual) -> Dual:
    """−x."""
    return -x[0], {i: -e for i, e in x[1].items()}


def quotient(x: Dual, divisor: Ball) -> Dual:
    """x divided by a ball."""
    return x[0] / divisor, {i: e / divisor for i, e in x[1].items()}


def product(x: Sequence[Dual], y: Sequence[Dual], length: int) -> list[Dual]:
    """The first coefficients of a product of series."""
    if length == 1:
        return [times(x[0], y[0])]
    total: list[Dual] = []
    for order in range(length):
        terms = [times(x[i], y[order - i]) for i in range(order + 1) if i < len(x) and order - i < len(y)]
        if not terms:
            total.append((flint.arb(0), {}))
            continue
        term = terms[0]
        for other in terms[1:]:
            term = plus(term, other)
        total.append(term)
    return total
