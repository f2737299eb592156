"""Balls: real numbers known up to a radius, and the ways from them to floats, each with its rounding direction.

A ball [m ± r] of Arb holds every real number that a computation can mean. Arithmetic on balls is outward: the result
holds f(x) for every x in the arguments, whatever the working precision. What leaves the balls as a float is rounded in
the direction that its use needs, and only by a function of this file:

    upper_bound(x)   ≥ every number in x        lower_bound(x)   ≤ every number in x
    magnitude(x)     ≥ |every number in x|      mignitude(x)     ≤ |every number in x|
    Enclosure.of(x)  holds every number in x    nearest(x)       no bound: for approximations that are proved later

Arb's conversion to a float rounds to the nearest one, so that one step of ``nextafter`` in the right direction makes a
bound of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput

try:
    import flint
except ImportError as error:  # pragma: no cover - depends on the installation
    raise ImportError('proofs need python-flint: pip install "bifurcate[proofs]"') from error

__all__ = [
    "Ball",
    "Enclosure",
    "Matrix",
    "ball",
    "column",
    "hull",
    "lower_bound",
    "magnitude",
    "matrix",
    "middle",
    "mignitude",
    "nearest",
    "nearest_matrix",
    "precision",
    "upper_bound",
    "widened",
]

Ball = Any  # flint.arb: an extension type without annotations
Matrix = Any  # flint.arb_mat or flint.acb_mat

LEAST_BITS = 53  # below, the balls of doubles would be wider than the doubles' own spacing
MOST_DIGITS = 17  # that a double has
MOST_BITS = 10_000  # beyond, one product takes longer than a whole proof at 53 bits


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Work with balls whose midpoints have so many bits; the precision before is restored.

    Raises
    ------
    InvalidInput
        If ``bits`` is no whole number from 53 to 10,000.
    """
    if isinstance(bits, bool) or not isinstance(bits, int | np.integer) or not LEAST_BITS <= bits <= MOST_BITS:
        raise InvalidInput(f"bits is {bits!r}; it must be a whole number from {LEAST_BITS} to {MOST_BITS:,}")
    before = flint.ctx.prec
    flint.ctx.prec = int(bits)
    try:
        yield
    finally:
        flint.ctx.prec = before


def ball(middle: float, radius: float = 0.0) -> Ball:
    """The ball of a double (taken exactly) and a radius (rounded up)."""
    return flint.arb(float(middle), float(radius)) if radius else flint.arb(float(middle))


def middle(x: Ball) -> Ball:
    """The midpoint, as a ball of radius 0."""
    return x.mid()


def widened(x: Ball, radius: float) -> Ball:
    """The ball that holds every number within a radius of one in x."""
    return x + flint.arb(0.0, radius)


def hull(a: Ball, b: Ball) -> Ball:
    """A ball that holds both."""
    return a.union(b)


def nearest(x: Ball) -> float:
    """The double nearest the midpoint. It is no bound: for approximations that are proved later."""
    return float(x.mid())


def upper_bound(x: Ball) -> float:
    """A double that is at least every number in x; NaN where x is not finite. Rounded up."""
    return math.nextafter(float(x.upper()), math.inf) if x.is_finite() else math.nan


def lower_bound(x: Ball) -> float:
    """A double that is at most every number in x; NaN where x is not finite. Rounded down."""
    return math.nextafter(float(x.lower()), -math.inf) if x.is_finite() else math.nan


def magnitude(x: Ball) -> float:
    """A double that is at least the modulus of every number in x; NaN where x is not finite. Rounded up."""
    if x.is_zero():
        return 0.0
    return math.nextafter(float(x.abs_upper()), math.inf) if x.is_finite() else math.nan


def mignitude(x: Ball) -> float:
    """A double ≥ 0 that is at most the modulus of every number in x; NaN where x is not finite. Rounded down."""
    return max(0.0, math.nextafter(float(x.abs_lower()), -math.inf)) if x.is_finite() else math.nan


def matrix(values: NDArray[Any]) -> Matrix:
    """A matrix of doubles or complex doubles, taken exactly, as a matrix of balls."""
    values = np.asarray(values)
    if np.iscomplexobj(values):
        real, imaginary = matrix(values.real), matrix(values.imag)
        return flint.acb_mat(real) + flint.acb_mat(imaginary) * flint.acb(0, 1)
    return flint.arb_mat(values.shape[0], values.shape[1], values.ravel().tolist())


def column(entries: Iterable[Ball]) -> Matrix:
    """The n × 1 matrix of some balls."""
    entries = list(entries)
    return flint.arb_mat(len(entries), 1, entries)


def nearest_matrix(M: Matrix) -> NDArray[Any]:
    """The doubles nearest the midpoints. They are no bounds: for approximations that are proved later."""
    kind = complex if isinstance(M, flint.acb_mat) else float
    values = np.array([kind(entry) for entry in M.entries()], dtype=kind)
    return values.reshape(M.nrows(), M.ncols())


@dataclass(frozen=True)
class Enclosure:
    """A real number known to lie within ``radius`` of ``middle``, with the radius rounded up.

    Attributes
    ----------
    middle, radius : float

    Examples
    --------
    >>> third = Enclosure.of(ball(1.0) / 3.0)
    >>> third.middle, third.radius < 2e-16, third.contains(1 / 3)
    (0.3333333333333333, True, True)
    """

    middle: float
    radius: float

    @staticmethod
    def of(x: Ball) -> Enclosure:
        """The doubles of a ball: the radius holds the rounding of the midpoint, too."""
        centre = nearest(x)
        return Enclosure(centre, magnitude(x - centre))

    @property
    def ball(self) -> Ball:
        """The same as a ball."""
        return ball(self.middle, self.radius)

    @property
    def lower(self) -> float:
        """A double that is at most the number. Rounded down."""
        return math.nextafter(self.middle - self.radius, -math.inf)

    @property
    def upper(self) -> float:
        """A double that is at least the number. Rounded up."""
        return math.nextafter(self.middle + self.radius, math.inf)

    @property
    def sign(self) -> int:
        """+1 or −1 where that is proved, 0 otherwise."""
        return 1 if self.lower > 0.0 else -1 if self.upper < 0.0 else 0

    def contains(self, value: float) -> bool:
        """True if a double lies inside."""
        return bool(self.lower <= value <= self.upper)

    def holds(self, other: Enclosure) -> bool:
        """True if another enclosure lies inside."""
        return self.lower <= other.lower and other.upper <= self.upper

    def overlaps(self, other: Enclosure) -> bool:
        """True if the two have a number in common."""
        return self.lower <= other.upper and other.lower <= self.upper

    def __str__(self) -> str:
        shortest = repr(self.middle)
        digits = _digits(self.middle, self.radius)
        text = shortest if digits >= MOST_DIGITS else f"{self.middle:.{digits}g}"
        if not math.isfinite(self.middle) or not math.isfinite(self.radius):
            return f"{text} ± {self.radius}"
        # What is printed holds the number, too: the radius, and what the digits leave out, rounded up to two digits.
        left_out = abs(Fraction(text) - Fraction(self.middle))
        return f"{text} ± {_rounded_up(left_out + Fraction(self.radius))}"


def _digits(value: float, radius: float) -> int:
    if not radius > 0.0 or value == 0.0 or not math.isfinite(radius):
        return MOST_DIGITS
    exponent = math.log10(abs(value)) - math.log10(radius)
    return int(min(MOST_DIGITS, max(3, math.ceil(exponent) + 2)))


def _rounded_up(radius: Fraction) -> str:
    """A fraction with two digits, not smaller than it is."""
    if radius == 0:
        return "0"
    exponent = math.floor(math.log10(radius.numerator) - math.log10(radius.denominator))
    mantissa = math.ceil(radius / Fraction(10) ** exponent * 10)
    return f"{mantissa / 10:.1f}e{exponent:+03d}"


def enclosures(balls: Sequence[Ball]) -> tuple[Enclosure, ...]:
    """The doubles of several balls."""
    return tuple(Enclosure.of(x) for x in balls)
