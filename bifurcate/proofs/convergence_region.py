"""A region of the network's states from which the rule is proved to settle, and the update at which an orbit enters it.

For a constant stimulus with r > 0, β ≤ 0 < α, the update is mirror descent on the energy E with step 1: with z = r ln u
and ∇φ(z) = y it is ∇φ(z⁺) = ∇φ(z) − ∇E(z), and E is convex in z, with ∇²E ≤ L ∇²φ where

    L = (α/n) λ_max[(R·r) diag(R²/r) + R^{3/2} (R^{3/2})ᵀ] − β.

The descent lemma on a convex sublevel set, E(z⁺) − E(z) ≤ L D(z⁺, z) − D(z⁺, z) − D(z, z⁺) for the Bregman distance D
of φ, and D(z, z⁺) ≥ s D(z⁺, z) there, make E fall strictly wherever L < 1 + s, so that the set is invariant, no pole is
crossed, and R → R* (Bauschke, Bolte & Teboulle, Math. Oper. Res. 42 (2017) 330, for relative smoothness). With
p = r R*/S*, δ = ln(R/R*), Q = S/S* and S = r·R,

    E − E* ≥ (α/n) S*² [KL(p‖q) + (Q² − 1)/2 − ln Q] ≥ (α/n) S*² Σ p (e^δ − 1 − δ),

so that {E − E* ≤ (α/n) S*² ε} has pᵢ (e^δᵢ − 1 − δᵢ) ≤ ε and (Q² − 1)/2 − ln Q ≤ ε: bounds on R, hence on L and s.

Every bound is taken on balls, on the safe side: δ⁺, Q⁺, M and L rounded up, δ⁻, ρ and s rounded down. λ_max of a matrix
B ≥ 0 is at most max (B x)ᵢ/xᵢ for every x > 0 (Collatz & Wielandt), so that an approximate eigenvector will do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import flint
import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.proofs.balls import Ball, ball, lower_bound, nearest, precision, upper_bound
from bifurcate.proofs.evaluation import BallMap

__all__ = ["ConvergenceRegion", "entering_update", "find_region"]

LEVELS = np.geomspace(1e-24, 1e2, 105)  # ε that are tried, a quarter of a decade apart
REGION_BITS = 128  # at small levels e^δ − 1 − δ and its like lose half of the digits
FURTHEST = 400  # updates of W₀'s orbit in balls: their radii grow until then only where the map expands
ABOVE, BELOW = 1.0 + 1e-12, 1.0 - 1e-12  # by which approximate roots are moved to the safe side, and then checked


@dataclass(frozen=True)
class ConvergenceRegion:
    """A set of states from which outputs, and for β < 0 weights, are proved to come to rest.

    Attributes
    ----------
    level : float
        ε: the set is {u > 0, E − E* ≤ (α/n) S*² ε}.
    smoothness : float
        L on it. Rounded up.
    symmetry : float
        s on it. Rounded down: L < 1 + s.
    entered : int or None
        The update at which the orbit from W₀ is proved to lie in it; None if it was not met.
    """

    level: float
    smoothness: float
    symmetry: float
    entered: int | None

    def __str__(self) -> str:
        text = f"E − E* ≤ {self.level:.3g} (α/n) S*² is invariant and attracted (L ≤ {self.smoothness:.6g} < 1 + s)"
        if self.entered is not None:
            text += f"; the orbit from W0 lies in it from update {self.entered} on, hence settles"
        return text


def find_region(r: Sequence[Ball], R: Sequence[Ball], alpha: Ball, beta: Ball) -> tuple[float, float, float] | None:
    """The largest level ε of those tried for which L < 1 + s, with L and s; None if there is none.

    Parameters
    ----------
    r, R : sequences of balls, shape (n,)
        Drives, all positive, and responses at the equilibrium.
    alpha, beta : balls
    """
    with precision(REGION_BITS):
        return _largest_level(r, R, alpha, beta)


def _largest_level(r: Sequence[Ball], R: Sequence[Ball], alpha: Ball, beta: Ball) -> tuple[float, float, float] | None:
    best = None
    low, high = -1, len(LEVELS)  # what holds on a set holds on those inside it: the last level is found by bisection
    while high - low > 1:
        middle = (low + high) // 2
        found = _bounds(r, R, alpha, beta, float(LEVELS[middle]))
        if found is not None and bool(ball(found[0]) < 1 + ball(found[1])):
            low, best = middle, (float(LEVELS[middle]), *found)
        else:
            high = middle
    return best


def _bounds(r: Sequence[Ball], R: Sequence[Ball], alpha: Ball, beta: Ball, level: float) -> tuple[float, float] | None:
    """L, rounded up, and s, rounded down, on the set of a level; None where a bound is not verified."""
    n = len(r)
    S = sum((a * b for a, b in zip(r, R)), flint.arb(0))
    widest, M = 0.0, []
    Q = _beyond(lambda q: (q * q - 1) / 2 - q.log(), level, 1.0, 1.0 + 2.0 * np.sqrt(level) + 2.0 * level, above=True)
    if Q is None:
        return None
    for a, b in zip(r, R):
        p = ball(lower_bound(a * b / S))  # the least p gives the largest |δ|
        if not bool(p > 0):
            return None

        def lift(d: Ball, p: Ball = p) -> Ball:
            return p * (d.exp() - 1 - d)

        farthest = 2.0 + 2.0 * level / nearest(p) + 2.0 * np.sqrt(level / nearest(p))
        up = _beyond(lift, level, 0.0, min(farthest, 700.0), above=True)
        down = _beyond(lift, level, 0.0, -farthest, above=False)
        if up is None or down is None:
            return None
        widest = max(widest, upper_bound(ball(up) - ball(down)))
        M.append(ball(min(upper_bound(b * ball(up).exp()), upper_bound(ball(Q) * S / a))))
    total = sum((a * m for a, m in zip(r, M)), flint.arb(0))
    S_most = ball(min(upper_bound(ball(Q) * S), upper_bound(total)))
    L = alpha / n * _largest_eigenvalue(r, M, S_most) - beta
    rho = ball(lower_bound((-ball(widest)).exp()))
    s = (rho * rho.log() - rho + 1) / (rho - 1 - rho.log()) if bool(rho < 1) else flint.arb(1)
    if not (L.is_finite() and s.is_finite()):
        return None
    return upper_bound(L), lower_bound(s)


def _beyond(g: Callable[[Ball], Ball], level: float, start: float, end: float, *, above: bool) -> float | None:
    """A point at or beyond the root of g = level, away from ``start``, where g ≥ level is verified on balls."""
    low, high = start, end
    for _ in range(80):
        middle = 0.5 * (low + high)
        if nearest(g(ball(middle))) >= level:
            high = middle
        else:
            low = middle
    for _ in range(3):
        if bool(g(ball(high)) >= ball(level)):
            return float(high)
        high = start + (high - start) * ABOVE if above or start == 0.0 else high * ABOVE
    return None


def _largest_eigenvalue(r: Sequence[Ball], M: Sequence[Ball], S: Ball) -> Ball:
    """An upper bound of λ_max[S diag(M²/r) + M^{3/2} (M^{3/2})ᵀ]."""
    m = np.array([nearest(x) for x in M])
    B = np.diag(nearest(S) * m**2 / np.array([nearest(x) for x in r])) + np.outer(m**1.5, m**1.5)
    x = np.abs(np.linalg.eigh(B)[1][:, -1])
    # A floor keeps every quotient near the eigenvalue where the eigenvector is small.
    vector = [ball(v) for v in np.maximum(x, 1e-8 * x.max())]
    powers = [y * y.sqrt() for y in M]
    shared = sum((a * b for a, b in zip(powers, vector)), flint.arb(0))
    quotients = [S * y * y / a + power * shared / v for y, a, power, v in zip(M, r, powers, vector)]
    return ball(max(upper_bound(each) for each in quotients))


def entering_update(net: Model, ball_map: BallMap, r: Sequence[Ball], R: Sequence[Ball], level: float) -> int | None:
    """The first update at which W₀'s orbit is proved to lie in the region of a level; None if none is met."""
    n = net.size
    p = net.parameters
    alpha, beta, sigma = (ball(p[name]) for name in ("alpha", "beta", "sigma"))
    S = sum((a * b for a, b in zip(r, R)), flint.arb(0))
    initial = net.initial
    y = [sum((ball(w) * a for w, a in zip(row, r)), flint.arb(0)) / n for row in initial]
    rest = [a / b for a, b in zip(r, R)]
    for update in range(FURTHEST + 1):
        u = [sigma * sigma + each for each in y]
        if not all(bool(each > 0) for each in u):
            return None
        if bool(_energy_above_rest(r, R, rest, u, S, alpha / n, beta) <= alpha / n * S * S * ball(level)):
            return update
        y = ball_map.image(y)
        if not all(each.is_finite() for each in y):
            return None
    return None


def _energy_above_rest(
    r: Sequence[Ball], R: Sequence[Ball], rest: Sequence[Ball], u: Sequence[Ball], S: Ball, rate: Ball, beta: Ball
) -> Ball:
    """E − E* = (α/n) S*² [(Q² − 1)/2 − Σ p δ] − β Σ r u* IS(u/u*), δ = ln(u*/u)."""
    Q, mean, price = flint.arb(0), flint.arb(0), flint.arb(0)
    for a, response, at_rest, now in zip(r, R, rest, u):
        p, ratio = a * response / S, now / at_rest
        Q += p / ratio
        mean -= p * ratio.log()
        price += a * at_rest * (ratio - 1 - ratio.log())
    return rate * S * S * ((Q * Q - 1) / 2 - mean) - beta * price
