"""Taylor parametrisation of a saddle's 2-D invariant manifold: f(P(z)) = P(Λz), to rounding within a radius of trust.

With P(z) = Σ a_jk z₁ʲ z₂ᵏ, a₀₀ the saddle and a₁₀, a₀₁ its eigenvectors, the coefficients obey, degree by degree,

    (A − λ₁ʲ λ₂ᵏ I) a_jk = −[f(terms of lower degree)]_jk

(Haro et al., The Parameterization Method for Invariant Manifolds, Springer 2016, chapter 2). The coefficients of f
along a polynomial come from its values on a torus of complex z by a Fourier sum. With a complex pair λ₂ = λ̄₁ it is
z₂ = z̄₁, and the real parameters are the real and the imaginary part of z₁.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.manifolds.batched_step import BatchedStep
from bifurcate.maps.periodic_coordinates import shortest
from bifurcate.printing import short_repr

__all__ = ["SurfaceParametrisation", "parametrise_surface"]

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

DEGREE = 12  # of the expansion: its last terms are rounding at a third of the radius of convergence
CIRCLE = 32  # points on each circle of the torus: aliases are of degree 20 and more
FIRST_RADIUS = 0.05  # of the circles, in units of the state
RADIUS_ROUNDS = 3  # times the radius is set anew, to where the last terms are rounding
MOST_CHANGE = 20.0  # factor by which one round may change it
TRUSTED = 64.0  # units in the last place of the state times 1 + |λ| that the residual may have within the radius
TRIED_RADII = 0.85 ** np.arange(60.0)  # parts of twice the radius of the circles that are tried
AROUND = 32  # places on a circle of z at which the residual is measured
LINEAR_RADIUS = 1e-7  # in units of the state; within it the tangent plane alone has an error of rounding
# |det (A − λ₁ʲ λ₂ᵏ)| relative to the entries to the n-th power below which the multipliers resonate: no such term.
RESONANT = 1e-9
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class SurfaceParametrisation:
    """P of two real parameters t with f^k(P(t)) = P(Λt).

    Attributes
    ----------
    multipliers : tuple of complex
        λ₁ and λ₂, |λ₁| ≥ |λ₂|; a complex pair has Im λ₁ > 0.
    coefficients : ndarray of complex, shape (degree + 1, degree + 1, n)
        a_jk; zero where j + k is above the degree.
    radius : float
        Radius of trust: for |t| up to it the residual is at most ``residual``.
    residual : float
        The largest ‖f^k(P(t)) − P(Λt)‖_∞ found there.
    """

    multipliers: tuple[complex, complex]
    coefficients: ComplexArray
    radius: float
    residual: float

    __repr__ = short_repr

    @property
    def is_pair(self) -> bool:
        """True if the multipliers are a complex pair."""
        return self.multipliers[0].imag != 0.0

    def complex_parameters(self, t: Array) -> tuple[ComplexArray, ComplexArray]:
        """z₁ and z₂ of real parameters, shape (m, 2)."""
        if self.is_pair:
            z = t[:, 0] + 1j * t[:, 1]
            return z, z.conj()
        return t[:, 0].astype(complex), t[:, 1].astype(complex)

    def stretched(self, t: Array, power: float) -> Array:
        """Λ to a whole power times t, shape (m, 2)."""
        z, w = self.complex_parameters(t)
        z, w = z * self.multipliers[0] ** power, w * self.multipliers[1] ** power
        return np.column_stack([z.real, z.imag] if self.is_pair else [z.real, w.real])

    def __call__(self, t: Any) -> Array:
        """P at real parameters t, shape (m, 2); points of shape (m, n)."""
        z, w = self.complex_parameters(np.atleast_2d(np.asarray(t, dtype=float)))
        return _evaluate(self.coefficients, z, w).real


def _evaluate(a: ComplexArray, z: ComplexArray, w: ComplexArray) -> ComplexArray:
    """Σ a_jk zʲ wᵏ, shape (m, n), by Horner's rule in both."""
    total = np.zeros((len(z), a.shape[2]), dtype=complex)
    for row in a[::-1]:
        inner = np.zeros_like(total)
        for each in row[::-1]:
            inner = inner * w[:, None] + each
        total = total * z[:, None] + inner
    return total


def parametrise_surface(
    state: Array,
    jacobian: Array,
    multipliers: tuple[complex, complex],
    vectors: ComplexArray,
    step: BatchedStep,
    unit: float,
    periods: Array | None,
) -> SurfaceParametrisation:
    """The parametrisation of the manifold along two eigenvectors, with its radius of trust.

    Parameters
    ----------
    state : ndarray, shape (n,)
        The saddle.
    jacobian : ndarray, shape (n, n)
        Of the map that stretches the manifold.
    multipliers, vectors : (complex, complex), ndarray of shape (n, 2)
        λ₁, λ₂ and their eigenvectors of length 1.
    step : BatchedStep
        That map.
    unit : float
        The unit of the state.
    periods : ndarray or None
        Of the coordinates.

    Returns
    -------
    SurfaceParametrisation
        The tangent plane, within 10⁻⁷ units, where f takes no complex states.
    """
    linear = np.zeros((2, 2, len(state)), dtype=complex)
    linear[0, 0], linear[1, 0], linear[0, 1] = state, vectors[:, 0], vectors[:, 1]
    if multipliers[0].imag:  # x = state + Re(v z): half of it in each of two conjugate terms
        linear[1, 0], linear[0, 1] = 0.5 * vectors[:, 0], 0.5 * vectors[:, 0].conj()
    best, radius = SurfaceParametrisation(multipliers, linear, LINEAR_RADIUS * unit, 0.0), FIRST_RADIUS * unit
    for _ in range(RADIUS_ROUNDS):
        try:
            a = _expand(jacobian, multipliers, linear, step, radius)
        except (MapFailed, TypeError, ValueError, np.linalg.LinAlgError):
            a = np.full_like(linear, np.nan)
        if not np.isfinite(a).all():
            radius /= MOST_CHANGE
            continue
        found = _trusted(SurfaceParametrisation(multipliers, a, radius, 0.0), step, unit, periods)
        if found.radius > best.radius:
            best = found
        sizes = [max(float(np.abs(a[j, d - j]).max()) for j in range(d + 1)) ** (1.0 / d) for d in (DEGREE - 1, DEGREE)]
        wished = (EPS * unit) ** (1.0 / DEGREE) / max(*sizes, 1.0 / (MOST_CHANGE * radius))
        radius = min(max(wished, radius / MOST_CHANGE), radius * MOST_CHANGE)
    return best


def _expand(
    A: Array, multipliers: tuple[complex, complex], linear: ComplexArray, step: BatchedStep, radius: float
) -> ComplexArray:
    """The coefficients, computed in units of the radius of the circles."""
    n = len(A)
    scaled = np.zeros((DEGREE + 1, DEGREE + 1, n), dtype=complex)
    scaled[0, 0], scaled[1, 0], scaled[0, 1] = linear[0, 0], radius * linear[1, 0], radius * linear[0, 1]
    turn = np.exp(2j * np.pi * np.arange(CIRCLE) / CIRCLE)
    z, w = (each.ravel() for each in np.meshgrid(turn, turn, indexing="ij"))
    scale = float(np.abs(A).max()) ** n
    for degree in range(2, DEGREE + 1):
        values = step.on_complex(_evaluate(scaled, z, w)).reshape(CIRCLE, CIRCLE, n)
        image = np.fft.fft2(values, axes=(0, 1)) / CIRCLE**2
        for j in range(degree + 1):
            k = degree - j
            factor = multipliers[0] ** j * multipliers[1] ** k
            system = A - factor * np.eye(n)
            if abs(np.linalg.det(system)) > RESONANT * max(scale, abs(factor) ** n):
                scaled[j, k] = np.linalg.solve(system, -image[j, k])
    noise = 4.0 * EPS * np.abs(scaled[0, 0]).max(initial=radius)
    scaled[(np.abs(scaled) <= noise)] = 0.0
    scaled[0, 0] = linear[0, 0]
    powers = np.add.outer(np.arange(DEGREE + 1.0), np.arange(DEGREE + 1.0))
    return np.asarray(scaled / radius ** powers[:, :, None])


def _trusted(
    P: SurfaceParametrisation, step: BatchedStep, unit: float, periods: Array | None
) -> SurfaceParametrisation:
    """The same with the largest radius within which its residual is rounding."""
    angle = 2.0 * np.pi * np.arange(AROUND) / AROUND
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    allowed = TRUSTED * EPS * unit * (1.0 + abs(P.multipliers[0]))
    for part in TRIED_RADII:
        radius = 2.0 * P.radius * float(part)
        image = radius * circle
        residual = shortest(step(P(P.stretched(image, -1.0))) - P(image), periods)
        size = float(np.abs(residual).max()) if np.isfinite(residual).all() else np.inf
        if size <= allowed:
            return SurfaceParametrisation(P.multipliers, P.coefficients, radius, size)
    return SurfaceParametrisation(P.multipliers, P.coefficients, 0.0, np.inf)
