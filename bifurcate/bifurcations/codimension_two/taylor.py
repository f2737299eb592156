"""Taylor coefficients by sampling along paths: of a map along a polynomial path, and of polynomials in a few variables.

A polynomial map of degree d in m variables is known from its univariate coefficients along enough directions; so all
that is ever expanded, composed or inverted here is a polynomial in one variable t, truncated behind t^D.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.polynomial import chebyshev

__all__ = ["Polynomials", "directions", "exponents", "monomials", "taylor_coefficients_along"]

UNIT_ROUNDING = 1e-16  # the least relative error of a value, from which the error of a coefficient is estimated

SAMPLES = 17  # Chebyshev points on a path: exact to degree 16, three times what any normal form asks for
HALVINGS = 14  # of the length of a path, to 1e-4 of the longest: shorter ones divide rounding by too little

RESOLVED = 1e-14  # of the values: what the last Chebyshev coefficients may be where a sample resolves the function


@cache
def _fit(count: int, degree: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chebyshev points on [−1, 1], and the matrices from values to Taylor and to Chebyshev coefficients."""
    t = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    to_chebyshev = np.linalg.inv(chebyshev.chebvander(t, count - 1))
    to_power = np.column_stack(
        [np.pad(p := chebyshev.cheb2poly(row), (0, count - len(p))) for row in np.eye(count)]
    )  # fmt: skip
    return t, (to_power @ to_chebyshev)[: degree + 1], to_chebyshev


def taylor_coefficients_along(
    f: Callable[[np.ndarray], np.ndarray], path: np.ndarray, reach: float, count: int = SAMPLES
) -> np.ndarray:
    """The Taylor coefficients of f(x(t)), from those of the path x(t).

    f is interpolated in Chebyshev points on |t| ≤ ρ, with the longest of the lengths reach, reach/2, … on which the
    last coefficients of the interpolant are rounding: then truncation is too, and a long ρ divides rounding least
    (Trefethen, Approximation Theory and Approximation Practice, SIAM 2013, chapters 7 and 8).

    Parameters
    ----------
    f : callable
        From states (n,) to states.
    path : ndarray, shape (D + 1, n)
        x(t) = Σ path[d] t^d.
    reach : float
        The longest ρ to try.
    count : int
        Samples, at least D + 3.

    Returns
    -------
    ndarray, shape (D + 1, n)

    Examples
    --------
    >>> taylor_coefficients_along(np.exp, np.array([[0.0], [1.0], [0.0], [0.0]]), 1.0).ravel().round(10)
    array([1.        , 1.        , 0.5       , 0.16666667])
    """
    degree = len(path) - 1
    points, fit, to_chebyshev = _fit(count, degree)
    best, found = np.inf, np.full_like(path, np.nan)
    for halvings in range(HALVINGS):
        rho = reach * 0.5**halvings
        powers = (rho * points)[:, None] ** np.arange(degree + 1)
        values = np.array([f(x) for x in powers @ path])
        if not np.isfinite(values).all():
            continue
        size = float(np.abs(values).max()) or 1.0
        tail = float(np.abs((to_chebyshev @ values)[-2:]).max()) / size
        error = max(tail, UNIT_ROUNDING) / rho**degree
        if error < best:
            best, found = error, (fit @ values) / rho ** np.arange(degree + 1)[:, None]
        if tail <= RESOLVED:
            break
    return found


@cache
def exponents(variables: int, degree: int) -> np.ndarray:
    """Exponents of all monomials of a degree, shape (N, variables).

    Examples
    --------
    >>> exponents(2, 2).tolist()
    [[2, 0], [1, 1], [0, 2]]
    """
    rows = [
        [chosen.count(j) for j in range(variables)]
        for chosen in itertools.combinations_with_replacement(range(variables), degree)
    ]
    return np.array(rows)


def monomials(w: np.ndarray, degree: int) -> np.ndarray:
    """The monomials of a degree at points w of shape (…, variables), shape (…, N)."""
    return np.asarray(np.prod(w[..., None, :] ** exponents(w.shape[-1], degree), axis=-1))


@cache
def directions(variables: int, degree: int) -> np.ndarray:
    """Directions that determine every polynomial map of at most that degree, shape (M, variables)."""
    if variables == 1:
        return np.ones((1, 1))
    count = len(exponents(variables, degree)) + 4
    if variables == 2:
        angle = np.pi * (np.arange(count) + 0.25) / count
        return np.column_stack([np.cos(angle), np.sin(angle)])
    w = np.random.default_rng(variables).standard_normal((3 * count, variables))
    return np.asarray(w / np.linalg.norm(w, axis=1)[:, None])


def _times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of two polynomials in t of equal length, truncated to it."""
    return np.convolve(a, b)[: len(a)]


@dataclass(frozen=True, eq=False)
class Polynomials:
    """A polynomial map w ↦ Σ_d parts[d] · monomials(w, d), for d ≥ 1, with values in R^n or C^n.

    Attributes
    ----------
    variables : int
    parts : dict of int to ndarray
        For every degree the coefficients, shape (n, N_d).
    """

    variables: int
    parts: dict[int, np.ndarray]

    def along(self, path: np.ndarray) -> np.ndarray:
        """Coefficients in t of the map along a path w(t), shape (D + 1, variables) with w(0) = 0: (D + 1, n)."""
        length = len(path)
        powers: dict[tuple[int, int], np.ndarray] = {}
        for j in range(self.variables):
            powers[j, 0] = np.eye(1, length)[0]
            for k in range(1, max(self.parts) + 1):
                powers[j, k] = _times(powers[j, k - 1], path[:, j])
        n = next(iter(self.parts.values())).shape[0]
        total = np.zeros((length, n), dtype=np.result_type(path, *self.parts.values()))
        for degree, part in self.parts.items():
            for column, nu in zip(part.T, exponents(self.variables, degree), strict=True):
                term = powers[0, int(nu[0])]
                for j in range(1, self.variables):
                    term = _times(term, powers[j, int(nu[j])])
                total = total + term[:, None] * column
        return total

    @staticmethod
    def fitted(variables: int, degree: int, image: Callable[[np.ndarray], np.ndarray]) -> Polynomials:
        """The map whose coefficients in t along the straight path t ω are image(path), path of shape (D + 1, m)."""
        omega = directions(variables, degree)
        rows = []
        for w in omega:
            path = np.zeros((degree + 1, variables))
            path[1] = w
            rows.append(image(path))
        values = np.array(rows)
        parts = {
            d: np.linalg.lstsq(monomials(omega, d), values[:, d], rcond=None)[0].T for d in range(1, degree + 1)
        }  # fmt: skip
        return Polynomials(variables, parts)
