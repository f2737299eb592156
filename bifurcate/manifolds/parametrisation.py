"""Taylor parametrisation of a saddle's 1-D invariant manifold: f(P(t)) = P(λt), to rounding within a radius of trust.

With P(t) = Σ aₖ tᵏ, a₀ the saddle and a₁ its unit eigenvector, the coefficients obey, order by order,

    (A − λᵏ I) aₖ = −[f(a₀ + a₁ t + … + aₖ₋₁ tᵏ⁻¹)]ₖ

(the parametrisation method: Cabré, Fontich & de la Llave, J. Differential Equations 218 (2005) 444; Haro et al., The
Parameterization Method for Invariant Manifolds, Springer 2016, chapter 2). The k-th coefficient of f along a polynomial
comes from values on a circle of complex t by a Fourier sum, where f takes complex states, and from values at Chebyshev
points of real t otherwise. Where the parametrisation is trusted is measured: by its residual.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.manifolds.batched_step import BatchedStep
from bifurcate.manifolds.saddle_direction import SaddleDirection
from bifurcate.maps.periodic_coordinates import near
from bifurcate.printing import short_repr

__all__ = ["Parametrisation", "parametrise"]

Array = NDArray[np.float64]

COMPLEX_ORDER = 24  # of the expansion where f takes complex states: Fourier sums know every coefficient to rounding
REAL_ORDER = 8  # ... and from real values: a change from Chebyshev to power basis multiplies rounding by about 100
CIRCLE = 64  # points of t on the circle: aliases are of order 64 and more, beyond rounding where the last terms are
FIRST_RADIUS = 0.05  # of the first circle, in units of the state
RADIUS_ROUNDS = 4  # times the radius is set anew: to where the last coefficient's term is rounding
SAME_RADIUS = 1.5  # factor by which a radius that is set anew must change to be worth another expansion
MOST_CHANGE = 20.0  # factor by which one round may change the radius: extrapolated coefficients tell no more
SMALLEST_RADIUS = 1e-7  # in units of the state; within it the tangent alone has an error of rounding
# What the residual may be within the radius of trust, in units in the last place of the state times 1 + |λ|: an
# evaluation of f costs a few.
TRUSTED = 32.0
TRIED_RADII = 0.85 ** np.arange(60.0)  # parts of twice the radius of the circle that are tried, from the largest down
SAMPLES = np.linspace(-1.0, 1.0, 25)  # places of t, in units of a radius, at which the residual is measured

# Roundings of the state up to which a term on the circle is noise, which a wider circle would magnify: it is left out.
NOISE = 4.0
# Part of the largest entry by which a Jacobian from complex states may differ from the one that is known: more, and f
# does not depend on complex states as an analytic function does.
SAME_JACOBIAN = 1e-6

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Parametrisation:
    """P(t) = Σ aₖ tᵏ with f^k(P(t)) = P(λt), a fixed point's (or a cycle's point's) local invariant manifold.

    Attributes
    ----------
    multiplier : float
        λ.
    coefficients : ndarray, shape (order + 1, n)
        aₖ; a₁ has length 1, so that t is arclength near the saddle.
    radius : float
        Radius of trust: for |t| up to it the residual is at most ``residual``.
    residual : float
        The largest ‖f^k(P(t)) − P(λt)‖_∞ found with t and λt within the radius.
    """

    multiplier: float
    coefficients: Array
    radius: float
    residual: float

    __repr__ = short_repr

    def __call__(self, t: Any) -> Array:
        """P at t, shape (*t's shape, n), by Horner's rule.

        Examples
        --------
        >>> import bifurcate as bf
        >>> W = bf.manifold(bf.solve(bf.maps.henon(), [0.6, 0.2]), length=0.1)
        >>> W.branches[0].parametrisation(0.0).round(9)
        array([0.63135448, 0.18940634])
        """
        t = np.asarray(t, dtype=float)[..., None]
        value = np.zeros_like(t) + self.coefficients[-1]
        for a in self.coefficients[-2::-1]:
            value = value * t + a
        return np.asarray(value)


def parametrise(at: SaddleDirection, step: BatchedStep) -> Parametrisation:
    """The Taylor parametrisation of the manifold along a direction, with its radius of trust.

    Parameters
    ----------
    at : SaddleDirection
        The saddle and its direction.
    step : BatchedStep
        f^k.
    """
    unit = max(at.iterate.map.scale, float(np.abs(at.state).max()))
    with np.errstate(all="ignore"):
        at = _sharpened(at, step, unit)
        found = [_best(at, step, unit, _coefficients_on_circle(step), COMPLEX_ORDER)]
        if found[0] is None or not found[0].radius > SMALLEST_RADIUS * unit:
            found.append(_best(at, step, unit, _coefficients_on_interval(at, step), REAL_ORDER))
    usable = [each for each in found if each is not None]
    if usable:
        return max(usable, key=lambda each: each.radius)
    line = np.array([at.state, at.vector])
    return Parametrisation(
        at.multiplier, line, SMALLEST_RADIUS * unit, _residual(at, step, line, SMALLEST_RADIUS * unit)
    )


def _sharpened(at: SaddleDirection, step: BatchedStep, unit: float) -> SaddleDirection:
    """The direction with a Jacobian known to rounding, where f takes complex states: differences lose three digits."""
    n, radius = len(at.state), FIRST_RADIUS * unit
    turned = radius * np.exp(2j * np.pi * np.arange(CIRCLE) / CIRCLE)
    try:
        values = [step.on_complex(at.state + turned[:, None] * e) for e in np.eye(n)]
    except (MapFailed, TypeError, ValueError):
        return at
    A = np.array([np.fft.fft(each, axis=0)[1].real for each in values]).T / (CIRCLE * radius)
    if not np.abs(A - at.jacobian).max() <= SAME_JACOBIAN * np.abs(at.jacobian).max():
        return at
    eigenvalues, vectors = np.linalg.eig(A)
    chosen = int(np.argmin(np.abs(eigenvalues - at.multiplier)))
    vector = vectors[:, chosen].real / np.linalg.norm(vectors[:, chosen].real)
    vector *= np.copysign(1.0, vector @ at.vector)
    return dataclasses.replace(at, jacobian=A, multiplier=float(eigenvalues[chosen].real), vector=vector)


CoefficientsOf = Callable[[Array, float], Array]


def _coefficients_on_circle(step: BatchedStep) -> CoefficientsOf:
    """(scaled coefficients, radius) → the scaled coefficients of f along that polynomial, from complex t."""
    roots = np.exp(2j * np.pi * np.arange(CIRCLE) / CIRCLE)

    def coefficients(scaled: Array, radius: float) -> Array:
        powers = roots[:, None] ** np.arange(len(scaled))
        try:
            values = step.on_complex(powers @ scaled)
        except (TypeError, ValueError) as error:  # what f returns is no array of complex states
            raise MapFailed(str(error)) from error
        return np.asarray(np.fft.fft(values, axis=0).real / CIRCLE)

    return coefficients


def _coefficients_on_interval(at: SaddleDirection, step: BatchedStep) -> CoefficientsOf:
    """The same from real t, for f that take no complex states."""
    nodes = np.cos(np.pi * (np.arange(4 * REAL_ORDER) + 0.5) / (4 * REAL_ORDER))

    def coefficients(scaled: Array, radius: float) -> Array:
        states = nodes[:, None] ** np.arange(len(scaled)) @ scaled
        images = near(step(states), at.state, at.iterate.periods)
        fitted = chebyshev.chebfit(nodes, images, 2 * REAL_ORDER)
        powers = [chebyshev.cheb2poly(column) for column in fitted.T]  # without the zeros at their ends
        return np.array([np.pad(each, (0, len(fitted) - len(each))) for each in powers]).T

    return coefficients


def _best(
    at: SaddleDirection, step: BatchedStep, unit: float, of: CoefficientsOf, order: int
) -> Parametrisation | None:
    """The expansion whose circle is as wide as its last term allows; None if f takes no such states."""
    radius, best = FIRST_RADIUS * unit, None
    for _ in range(RADIUS_ROUNDS):
        try:
            a = _expand(at, of, order, radius)
        except (MapFailed, np.linalg.LinAlgError):
            a = None
        if a is None or not np.isfinite(a).all():
            radius /= MOST_CHANGE
            continue
        trusted = _trusted(at, step, a, radius, unit)
        if trusted is not None and (best is None or trusted.radius > best.radius):
            best = trusted
        last = max(float(np.abs(a[k]).max()) ** (1.0 / k) for k in (order - 2, order - 1, order))
        wished = (EPS * unit) ** (1.0 / order) / max(last, 1.0 / (MOST_CHANGE * radius))
        before, radius = radius, min(max(wished, radius / MOST_CHANGE), radius * MOST_CHANGE)
        if before / SAME_RADIUS < radius < SAME_RADIUS * before:
            break
    return best


def _expand(at: SaddleDirection, of: CoefficientsOf, order: int, radius: float) -> Array:
    """The coefficients a₀ … of the expansion, computed in units of the radius."""
    n = len(at.state)
    scaled = np.zeros((order + 1, n))
    scaled[0], scaled[1] = at.state, radius * at.vector
    for k in range(2, order + 1):
        image = of(scaled[:k], radius)[k]
        scaled[k] = np.linalg.solve(at.jacobian - at.multiplier**k * np.eye(n), -image)
    scaled[np.abs(scaled) <= NOISE * EPS * np.abs(scaled[0]).max(initial=radius)] = 0.0
    scaled[0] = at.state
    return np.asarray(scaled / radius ** np.arange(order + 1.0)[:, None])


def _trusted(at: SaddleDirection, step: BatchedStep, a: Array, radius: float, unit: float) -> Parametrisation | None:
    """The expansion with the largest radius within which its residual is rounding."""
    allowed = TRUSTED * EPS * unit * (1.0 + abs(at.multiplier))
    for part in TRIED_RADII:
        tried = 2.0 * radius * float(part)
        residual = _residual(at, step, a, tried)
        if residual <= allowed:
            return Parametrisation(at.multiplier, a, tried, residual)
    return None


def _residual(at: SaddleDirection, step: BatchedStep, a: Array, radius: float) -> float:
    """The largest ‖f^k(P(t)) − P(λt)‖_∞ with t and λt within a radius; inf where f fails."""
    P = Parametrisation(at.multiplier, a, radius, 0.0)
    t = radius / max(1.0, abs(at.multiplier)) * SAMPLES
    left = at.iterate.difference(step(P(t)), P(at.multiplier * t))
    return float(np.abs(left).max()) if np.isfinite(left).all() else float("inf")
