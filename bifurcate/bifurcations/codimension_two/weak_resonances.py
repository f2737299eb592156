"""Weak resonances on curves of Neimark–Sacker points: where the critical pair is a root of unity of order five or more.

At θ = 2πp/q, q ≥ 5, the invariant curve that is born has a rotation number p/q at its tip. On the curve κ = cos θ is an
unknown, so that the test function κ − cos(2πp/q) is known to rounding (Kuznetsov, Elements of Applied Bifurcation
Theory, 2004, section 9.5; Kuznetsov & Meijer, Numerical Bifurcation Analysis of Maps, Cambridge 2019, section 7.4).
"""

from __future__ import annotations

from functools import cache
from math import cos, gcd, pi

from bifurcate.curves.curve import Curve
from bifurcate.errors import InvalidInput
from bifurcate.validation import check_count

__all__ = ["asked_for_resonances", "check_resonances", "resonances_between"]

SMALLEST_DENOMINATOR = 5  # the resonances of order up to 4 are strong, and kinds of their own
LARGEST_DENOMINATOR = 200  # 6000 fractions, which are compared with every step


@cache
def _fractions(largest: int) -> tuple[tuple[int, int, float], ...]:
    """(p, q, cos 2πp/q) of every fraction below 1/2 in lowest terms, 5 ≤ q ≤ largest."""
    return tuple(
        (p, q, cos(2.0 * pi * p / q))
        for q in range(SMALLEST_DENOMINATOR, largest + 1)
        for p in range(1, (q + 1) // 2)
        if gcd(p, q) == 1
    )


def resonances_between(first: float, last: float, largest: int) -> list[tuple[int, int, float]]:
    """The weak resonances that lie between two cosines of the critical angle, in order.

    Parameters
    ----------
    first, last : float
        cos θ at two points.
    largest : int
        The largest denominator.

    Returns
    -------
    list of (int, int, float)
        p, q and cos(2πp/q). One that is met at a point belongs to one of the two steps that share it.

    Examples
    --------
    >>> [(p, q) for p, q, _ in resonances_between(0.55, 0.9, 9)]
    [(1, 7), (1, 8), (1, 9)]
    """
    found = [each for each in _fractions(largest) if (first > each[2]) != (last > each[2])]
    return sorted(found, key=lambda each: each[2], reverse=first > last)


def check_resonances(largest: int) -> int:
    """The largest denominator that is asked for, or 0 for none.

    Raises
    ------
    InvalidInput
        If it is neither 0 nor a whole number from 5 to 200.
    """
    if check_count("resonances", largest, 0, LARGEST_DENOMINATOR) == 0:
        return 0
    return check_count("resonances", largest, SMALLEST_DENOMINATOR, LARGEST_DENOMINATOR)


def asked_for_resonances(curve: Curve, largest: int) -> Curve:
    """The curve with weak resonances up to a denominator reported along it.

    Raises
    ------
    InvalidInput
        If the denominator is no whole number from 5 on, or the curve is none of Neimark–Sacker points.
    """
    if check_resonances(largest) == 0:
        return curve
    if curve.kind != "neimark-sacker":
        what = "cycles" if curve.codimension == 0 else f"{curve.kind} points"
        raise InvalidInput(
            f"resonances are points of curves of Neimark–Sacker points, and this is a curve of {what}: trace "
            "locus(neimark_sacker_point, free=…) with them"
        )
    return curve.replace(resonances=largest)
