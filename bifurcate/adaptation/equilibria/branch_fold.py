"""Where the branch of equilibria from β = 0 ends at β > 0: at one ratio γ = α/β, whatever α and β are apart.

The branch is followed from γ = ∞ down. With a = σ² + (1+γ) h and κ = min a²/(4r), where the first two roots collide,
it has all roots t/(2κ) (scalar.py) as long as φ ≤ 0 there, and surely where γ Σ r a ≤ n κ². Once γ h ≥ σ² + h, each
a⁴/(γ Σ r a) rises with γ: where both hold for all neurons, they hold at all larger γ. From there down to where the
second holds for good, the depth of :meth:`~bifurcate.adaptation.scalar.Scalar.depth`, which is positive where there is
no root, is sampled by equal factors of γ. A largest sample next to 0 is looked at closely, since two folds may lie
between neighbours (test_a_narrow_gap_between_two_folds_is_met).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from bifurcate.adaptation.equilibria.scalar_equation import ScalarEquation

__all__ = ["last_ratio", "reaches"]

NEAR = 1e-2  # relative width of the bracket of the fold from which Brent's method takes over from halving
SMALLEST = 1e-300  # absolute width asked of Brent's method: none, so that the relative one decides at every size
FACTOR = 2.0 ** (-1 / 3)  # between neighbouring samples of γ
BLOCK = 20_000  # numbers at a time


def reaches(scalar: ScalarEquation) -> bool:
    """True if the branch from β = 0 comes as far as the scalar equation's own γ > 0."""
    return bool((scalar.h > 0.0).all()) and _gap(scalar) is None


def last_ratio(scalar: ScalarEquation) -> float | None:
    """The γ at which the branch ends, if it does before the scalar equation's own; ∞ where none starts.

    Examples
    --------
    >>> equal = ScalarEquation(np.ones(1), np.ones(1) / 4, 1.0, 1.0, 1)  # (5 + γ)³ = 432 γ
    >>> round(last_ratio(equal), 6)
    12.582722
    >>> last_ratio(equal.at(13.0)) is None
    True
    """
    if not (scalar.h > 0.0).all():
        return np.inf
    gap = _gap(scalar)
    return None if gap is None else _between(scalar, *gap)


def _between(scalar: ScalarEquation, there: float, missing: float) -> float:
    def depth(gamma: float) -> float:
        return scalar.at(gamma).depth()

    while there - missing > NEAR * there:
        middle = 0.5 * (there + missing)
        there, missing = (middle, missing) if depth(middle) <= 0.0 else (there, middle)
    return float(brentq(depth, missing, there, xtol=SMALLEST, rtol=4 * np.finfo(float).eps))


def _gap(scalar: ScalarEquation) -> tuple[float, float] | None:
    """A γ at which the branch is and a smaller one at which it is not, not below the equation's own; or None."""
    seen: list[tuple[float, float]] = []
    for gamma, depth in _samples(scalar):
        seen = [*seen[-2:], (gamma, depth)]
        if depth > 0.0:
            return (seen[-2][0] if len(seen) > 1 else gamma / FACTOR), gamma
        between = _summit(scalar, seen) if len(seen) == 3 else None
        if between is not None:
            return seen[0][0], between
    return None


def _summit(scalar: ScalarEquation, seen: list[tuple[float, float]]) -> float | None:
    """A γ of positive depth near the middle one of three samples, if that is the largest."""
    (high, before), (_, here), (low, after) = seen
    bend = before - 2.0 * here + after
    if not (here >= before and here >= after and here + 0.5 * abs(bend) > 0.0):
        return None
    found = minimize_scalar(lambda gamma: -scalar.at(gamma).depth(), bounds=(low, high), method="bounded")
    return float(found.x) if found.fun < 0.0 else None


def _samples(scalar: ScalarEquation) -> Iterator[tuple[float, float]]:
    """γ and depth, from where the branch surely is down to the equation's own γ, or to where no end can be below."""
    start, stop = _sure(scalar), max(scalar.gamma, _sure_below(scalar))
    if not stop < start:
        return
    number = int(np.ceil(np.log(stop / start) / np.log(FACTOR)))
    gammas = np.append(start * FACTOR ** np.arange(number), stop)
    rows = max(1, BLOCK // len(scalar.r))
    for block in np.split(gammas, range(rows, len(gammas), rows)):
        for gamma, at_collision in zip(block.tolist(), scalar.at_collision(block).tolist(), strict=True):
            yield gamma, at_collision if at_collision <= 0.0 else scalar.at(gamma).depth()


def _sure(scalar: ScalarEquation) -> float:
    """A γ from which on γ Σ r a ≤ n κ²."""
    r, h, floor = scalar.r, scalar.h, scalar.floor
    gamma = float((1.0 + floor / h).max())
    while np.isfinite(gamma):
        a = floor + (1.0 + gamma) * h
        if gamma * float(r @ a) <= scalar.neurons * float((a * a / (4.0 * r)).min()) ** 2:
            break
        gamma *= 2.0
    return gamma


def _sure_below(scalar: ScalarEquation) -> float:
    """A γ up to which γ Σ r a ≤ n κ²: the left side is bounded by its value there, κ by its value at γ = 0."""
    r, h = scalar.r, scalar.h
    least = scalar.floor + h
    room = scalar.neurons * float((least * least / (4.0 * r)).min()) ** 2
    gamma = 1.0
    while gamma * float(r @ (least + gamma * h)) > room:
        gamma *= 0.5
    return gamma
