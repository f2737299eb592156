"""Jets: what a user's function is evaluated on, in place of floats: balls with derivatives.

A jet is a truncated power series c₀ + c₁ t + … + c_K t^K whose coefficients are balls, each with its gradient by some
unknowns. With K = 0 the gradient gives the Jacobian; with a direction as c₁ the coefficients give the derivatives
along it, and their gradients the derivatives of these, as extended systems need them.

NumPy takes arrays of jets as arrays of objects: arithmetic, ``np.exp`` and its like, ``np.where`` on comparisons,
``@``, ``np.roll``, … work as they are. What would lose the enclosure is refused: conversions to float or complex, and
comparisons that balls cannot decide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import flint
import numpy as np

from bifurcate.errors import BifurcateError
from bifurcate.proofs.balls import Ball, lower_bound, upper_bound
from bifurcate.proofs.duals import Dual, negative, plus, product, quotient, scaled, times
from bifurcate.proofs.taylor_series import (
    binomial_series,
    cyclic_series,
    exponential_series,
    power_series,
    riccati_series,
    series_of_arb,
)

__all__ = ["Jet", "NotEvaluable", "Undecided", "constant"]


class Undecided(BifurcateError):
    """A comparison that a ball does not decide: f may have a kink or a jump inside the ball."""


class NotEvaluable(BifurcateError, TypeError):
    """An operation that cannot be evaluated on balls without losing the enclosure."""


class Jet:
    """A power series of balls with gradients; see the head of the file."""

    __slots__ = ("c",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, coefficients: Sequence[Dual]) -> None:
        self.c = coefficients if type(coefficients) is tuple else tuple(coefficients)

    @property
    def value(self) -> Ball:
        """c₀."""
        return self.c[0][0]

    def coefficient(self, order: int) -> Dual:
        """c of an order, with its gradient; 0 beyond the last."""
        return self.c[order] if order < len(self.c) else (flint.arb(0), {})

    # Arithmetic.

    def __add__(self, other: Any) -> Any:
        if type(other) is Jet and len(self.c) == 1 == len(other.c):
            return Jet((plus(self.c[0], other.c[0]),))
        y = _lifted(other)
        if y is None:
            return NotImplemented
        if isinstance(y, Jet):
            long, short = (self.c, y.c) if len(self.c) >= len(y.c) else (y.c, self.c)
            return Jet([*(plus(a, b) for a, b in zip(long, short)), *long[len(short) :]])
        return Jet(((self.c[0][0] + y, self.c[0][1]), *self.c[1:]))

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return Jet([negative(x) for x in self.c])

    def __pos__(self) -> Jet:
        return self

    def __sub__(self, other: Any) -> Any:
        y = _lifted(other)
        return NotImplemented if y is None else self + (-y)

    def __rsub__(self, other: Any) -> Any:
        y = _lifted(other)
        return NotImplemented if y is None else (-self) + y

    def __mul__(self, other: Any) -> Any:
        if type(other) is Jet and len(self.c) == 1 == len(other.c):
            return Jet((times(self.c[0], other.c[0]),))
        y = _lifted(other)
        if y is None:
            return NotImplemented
        if not isinstance(y, Jet):
            return Jet([scaled(x, y) for x in self.c])
        return Jet(product(self.c, y.c, max(len(self.c), len(y.c))))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        y = _lifted(other)
        if y is None:
            return NotImplemented
        return self * y.reciprocal() if isinstance(y, Jet) else Jet([quotient(x, y) for x in self.c])

    def __rtruediv__(self, other: Any) -> Any:
        y = _lifted(other)
        return NotImplemented if y is None else self.reciprocal() * y

    def __pow__(self, exponent: Any) -> Any:
        y = _lifted(exponent)
        if y is None:
            return NotImplemented
        if isinstance(y, Jet):
            if any(gradient or i for i, (_, gradient) in enumerate(y.c)) or not y.value.is_exact():
                return (self.log() * y).exp()
            y = y.value
        whole = y.unique_fmpz() if y.is_exact() else None
        if whole is not None:
            return self._whole_power(int(whole))
        return self.sqrt() if y == flint.arb(0.5) else self._compose(power_series(self.value, y, len(self.c) + 1))

    def __rpow__(self, base: Any) -> Any:
        y = _lifted(base)
        return NotImplemented if y is None else (self * y.log()).exp()

    def _whole_power(self, n: int) -> Jet:
        if n < 0:
            return self._whole_power(-n).reciprocal()
        result, square = constant(1.0), self
        while n:
            if n & 1:
                result = square if len(result.c) == 1 and result.value == 1 and not result.c[0][1] else result * square
            n >>= 1
            if n:
                square = square * square
        return result

    def __floordiv__(self, other: Any) -> Any:
        return (self / other).floor()

    def __mod__(self, other: Any) -> Any:
        return self - other * (self / other).floor()

    def __rmod__(self, other: Any) -> Any:
        return other - self * (other / self).floor()

    # Comparisons: True or False where every number in the balls says so.

    def __lt__(self, other: Any) -> Any:
        return _compare(self, other, "<")

    def __le__(self, other: Any) -> Any:
        return _compare(self, other, "<=")

    def __gt__(self, other: Any) -> Any:
        return _compare(self, other, ">")

    def __ge__(self, other: Any) -> Any:
        return _compare(self, other, ">=")

    def __eq__(self, other: object) -> Any:
        return _compare(self, other, "==")

    def __ne__(self, other: object) -> Any:
        equal = _compare(self, other, "==")
        return equal if equal is NotImplemented else not equal

    def __abs__(self) -> Jet:
        return self if self >= 0.0 else -self

    def floor(self) -> float:
        """The largest whole number below, where it is one and the same for all numbers in the ball."""
        low, high = np.floor(lower_bound(self.value)), np.floor(upper_bound(self.value))
        if not low == high:
            raise Undecided("a ball contains a jump of floor or of %")
        return float(low)

    def sign(self) -> float:
        """The sign, where the ball decides it."""
        return 1.0 if self > 0.0 else -1.0

    fabs = __abs__

    # Conversions, all refused.

    def __bool__(self) -> bool:
        raise NotEvaluable("the truth of a number; compare it with 0")

    def __float__(self) -> float:
        raise NotEvaluable("a conversion to float (float(x), math.*, astype(float), or assignment into np.zeros(n))")

    def __complex__(self) -> complex:
        raise NotEvaluable("a conversion to complex numbers")

    def __int__(self) -> int:
        raise NotEvaluable("a conversion to int")

    __index__ = __int__

    # Real numbers in NumPy's words.

    @property
    def real(self) -> Jet:
        """The jet itself: jets are real."""
        return self

    def conjugate(self) -> Jet:
        """The jet itself: jets are real."""
        return self

    # Elementary functions.

    def _compose(self, series: Sequence[Ball]) -> Jet:
        """g(self) from the Taylor coefficients g₀, …, g_{K+1} of g at c₀, by Horner's rule in the part without c₀."""
        inner = self.c[0][1]
        last = len(self.c) - 1

        def at(j: int) -> Dual:
            slope = (j + 1) * series[j + 1]
            return series[j], {i: slope * e for i, e in inner.items()}

        total: list[Dual] = [at(last)]
        for j in range(last - 1, -1, -1):
            shifted = product(total, self.c[1:], last - j)
            total = [at(j), *shifted]
        return Jet(total)

    def reciprocal(self) -> Jet:
        """1/x."""
        inverse = 1 / self.value
        terms = [inverse]
        for _ in self.c:
            terms.append(-terms[-1] * inverse)
        return self._compose(terms)

    def exp(self) -> Jet:
        """e^x."""
        return self._compose(exponential_series(self.value.exp(), len(self.c) + 1))

    def log(self) -> Jet:
        """The natural logarithm."""
        x = self.value
        power, terms = flint.arb(1), [x.log()]
        for j in range(1, len(self.c) + 1):
            power = power / x
            terms.append(power / (j if j % 2 else -j))
        return self._compose(terms)

    def sqrt(self) -> Jet:
        """The square root."""
        return self._compose(binomial_series(self.value.sqrt(), self.value, flint.arb(0.5), len(self.c) + 1))

    def sin(self) -> Jet:
        """The sine."""
        s, c = self.value.sin(), self.value.cos()
        return self._compose(cyclic_series((s, c, -s, -c), len(self.c) + 1))

    def cos(self) -> Jet:
        """The cosine."""
        s, c = self.value.sin(), self.value.cos()
        return self._compose(cyclic_series((c, -s, -c, s), len(self.c) + 1))

    def sinh(self) -> Jet:
        """The hyperbolic sine."""
        return self._compose(cyclic_series((self.value.sinh(), self.value.cosh()), len(self.c) + 1))

    def cosh(self) -> Jet:
        """The hyperbolic cosine."""
        return self._compose(cyclic_series((self.value.cosh(), self.value.sinh()), len(self.c) + 1))

    def tan(self) -> Jet:
        """The tangent."""
        return self._compose(riccati_series(self.value.tan(), 1, len(self.c) + 1))

    def tanh(self) -> Jet:
        """The hyperbolic tangent."""
        return self._compose(riccati_series(self.value.tanh(), -1, len(self.c) + 1))

    def arctan(self) -> Jet:
        """The inverse tangent."""
        return self._compose(series_of_arb(self.value, "atan", len(self.c) + 1))

    def arcsin(self) -> Jet:
        """The inverse sine."""
        return self._compose(series_of_arb(self.value, "asin", len(self.c) + 1))

    def arccos(self) -> Jet:
        """The inverse cosine."""
        return self._compose(series_of_arb(self.value, "acos", len(self.c) + 1))

    def arctanh(self) -> Any:
        """The inverse hyperbolic tangent."""
        return ((1.0 + self) / (1.0 - self)).log() * 0.5

    def arcsinh(self) -> Any:
        """The inverse hyperbolic sine."""
        return (self + (self * self + 1.0).sqrt()).log()

    def arccosh(self) -> Any:
        """The inverse hyperbolic cosine."""
        return (self + (self * self - 1.0).sqrt()).log()

    def expm1(self) -> Jet:
        """e^x − 1."""
        terms = exponential_series(self.value.exp(), len(self.c) + 1)
        return self._compose([self.value.expm1(), *terms[1:]])

    def log1p(self) -> Any:
        """The logarithm of 1 + x."""
        return (1.0 + self).log()

    def log2(self) -> Any:
        """The logarithm to base 2."""
        return self.log() / flint.arb(2).log()

    def log10(self) -> Any:
        """The logarithm to base 10."""
        return self.log() / flint.arb(10).log()

    def exp2(self) -> Any:
        """2^x."""
        return (self * flint.arb(2).log()).exp()

    def square(self) -> Any:
        """x²."""
        return self * self

    def cbrt(self) -> Jet:
        """The cube root."""
        if self < 0.0:
            return -((-self).cbrt())
        return self._compose(power_series(self.value, flint.arb(1) / 3, len(self.c) + 1))

    def radians(self) -> Any:
        """Degrees in radians."""
        return self * (flint.arb.pi() / 180)

    def degrees(self) -> Any:
        """Radians in degrees."""
        return self * (180 / flint.arb.pi())

    deg2rad, rad2deg = radians, degrees

    def hypot(self, other: Any) -> Any:
        """√(x² + y²)."""
        return (self * self + other * other).sqrt()

    def __repr__(self) -> str:
        return f"Jet({self.value})"


def constant(value: Any) -> Jet:
    """The jet of a number, taken exactly, or of a ball."""
    lifted = _lifted(value)
    if lifted is None:
        raise NotEvaluable(f"a value of type {type(value).__name__}")
    return lifted if isinstance(lifted, Jet) else Jet(((lifted, {}),))


def _lifted(x: Any) -> Any:
    """x as a jet or a ball; None if it is an array or unknown, so that NumPy is asked."""
    kind = type(x)
    if kind is Jet or kind is flint.arb:
        return x
    if kind is float:
        return _finite(x)
    if kind is int:
        return flint.arb(x)
    if isinstance(x, np.ndarray) and x.ndim == 0:
        return _lifted(x.item())
    if isinstance(x, np.longdouble):
        raise NotEvaluable("a number of type longdouble, which balls would round")
    if isinstance(x, complex | np.complexfloating):
        raise NotEvaluable("complex numbers")
    if isinstance(x, bool | np.bool_ | int | np.integer):
        return flint.arb(int(x))
    if isinstance(x, float | np.floating):
        return _finite(float(x))
    return None


def _finite(x: float) -> Ball:
    if not math.isfinite(x):
        raise NotEvaluable("an infinite constant or NaN")
    return flint.arb(x)


def _compare(x: Jet, other: Any, relation: str) -> Any:
    y = _lifted(other)
    if y is None:
        return NotImplemented
    a, b = x.value, (y.value if isinstance(y, Jet) else y)
    below, above = bool(a < b), bool(a > b)
    if below or above:
        return {"<": below, "<=": below, ">": above, ">=": above, "==": False}[relation]
    if relation in ("<", ">=") and bool(a >= b):
        return relation == ">="
    if relation in (">", "<=") and bool(a <= b):
        return relation == "<="
    if relation == "==" and a.is_exact() and b.is_exact() and bool(a == b):
        return True
    raise Undecided(f"a comparison ({relation}) that differs within a ball: f may have a kink there")
