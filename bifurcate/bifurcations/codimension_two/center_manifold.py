"""The map on its centre manifold to a given order, and the polynomial normal form there.

With A the Jacobian, Q a basis of its critical space, P the dual left basis (PᵀQ = I) and Λ = PᵀAQ, the manifold is the
graph x = x₀ + Q w + h(w), Pᵀh = 0, and the map on it w ↦ G(w). Degree by degree

    A h_d(w) − h_d(Λw) = [h ∘ G]_d (of lower degrees) − (I − QPᵀ) F_d(w),        g_d = Pᵀ F_d,

F_d being the degree-d part of f along the manifold known so far (Kuznetsov & Meijer, Numerical Bifurcation Analysis of
Maps, 2019, section 3.2, where normal form and graph are found together; Beyn & Kleß, Numer. Math. 80 (1998) 1). In the
Schur basis of w ↦ monomials(Λw) each column is one bordered system with A − τI, |τ| = 1. For cycles F is composed of
the single maps' expansions, one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_two.taylor import (
    Polynomials,
    directions,
    exponents,
    monomials,
    taylor_coefficients_along,
)
from bifurcate.linalg.bordered_system import bordered
from bifurcate.linalg.null_space import approximate_null_space, fix_sign
from bifurcate.linalg.operators import Operator, quadratic, shifted, transposed
from bifurcate.maps.iterated_map import IteratedMap

__all__ = ["critical_space", "normalise", "reduce_to_manifold", "transform"]

Array = NDArray[Any]

SMALLEST = 1e-300  # keeps a division from being one by 0


def critical_space(A: Operator, real: Sequence[float], cosines: Sequence[float]) -> tuple[Array, Array]:
    """Bases Q of a Jacobian's critical space and P of its left one, PᵀQ = I, each (n, m).

    Parameters
    ----------
    A : Operator
        With a transpose.
    real : sequence of float
        Simple critical multipliers +1 and −1.
    cosines : sequence of float
        κ of each critical pair e^{±i arccos κ}; ±1 for a double multiplier ±1 with one eigenvector.
    """
    other = transposed(A)
    assert other is not None
    singular = [(shifted(A, value), shifted(other, value), 1) for value in real]
    singular += [(quadratic(A, kappa), quadratic(other, kappa), 2) for kappa in cosines]
    Q = np.column_stack(
        [
            approximate_null_space(M, j) if j > 1 else fix_sign(approximate_null_space(M, j)[:, 0])
            for M, _, j in singular
        ]
    )
    L = np.column_stack([approximate_null_space(M, j) for _, M, j in singular])
    return Q, np.linalg.solve(L.T @ Q, L.T).T


def reduce_to_manifold(
    iterate: IteratedMap,
    orbit: Sequence[Array],
    p: Mapping[str, float],
    A: Operator,
    Q: Array,
    P: Array,
    degree: int,
    samples: int,
) -> Polynomials:
    """G, the map f^k on the centre manifold of a cycle, up to a degree.

    Parameters
    ----------
    orbit : sequence of ndarray
        The cycle's states.
    Q, P : ndarray
        From :func:`critical_space`.
    degree : int
        2 to 5.
    samples : int
        Of the jets; a second run with another number tells the error.
    """
    m = Q.shape[1]
    linear = P.T @ np.column_stack([A @ q for q in Q.T])
    manifold = Polynomials(m, {1: Q})
    G = Polynomials(m, {1: linear})
    single = IteratedMap(iterate.map, iterate.shape)
    reach = max(iterate.map.scale, float(np.abs(orbit[0]).max()))

    for d in range(2, degree + 1):

        def image(path: Array, known: Polynomials = manifold) -> Array:
            x = known.along(path)
            for at in orbit[:-1]:
                x[0], step = at, single.step_near(at, p)
                length = max(float(np.abs(x[1]).max()), SMALLEST)
                x = taylor_coefficients_along(step, x, reach / length, samples)
            return x

        F = Polynomials.fitted(m, d, image).parts[d]
        g = P.T @ F
        if d < degree:
            rhs = _carried(manifold, G, d) - (F - Q @ g)
            manifold = Polynomials(m, {**manifold.parts, d: _homological(A, Q, P, linear, d, rhs)})
        G = Polynomials(m, {**G.parts, d: g})
    return G


def _carried(manifold: Polynomials, G: Polynomials, degree: int) -> Array | float:
    """The degree-d part of h(G(w)), from the lower degrees of h."""
    h = Polynomials(manifold.variables, {k: part for k, part in manifold.parts.items() if k > 1})
    if not h.parts:
        return 0.0
    return Polynomials.fitted(h.variables, degree, lambda w: h.along(G.along(w))).parts[degree]


def _powers(linear: Array, degree: int) -> Array:
    """K with monomials(Λw) = K monomials(w)."""
    w = directions(len(linear), degree)
    return np.asarray(np.linalg.lstsq(monomials(w, degree), monomials(w @ linear.T, degree), rcond=None)[0].T)


def _homological(A: Operator, Q: Array, P: Array, linear: Array, degree: int, rhs: Array) -> Array:
    """H with A H − H K = rhs and PᵀH = 0."""
    schur = scipy.linalg.schur(_powers(linear, degree), output="complex")
    T, U = np.asarray(schur[0]), np.asarray(schur[1])
    right: Array = rhs @ U
    H: Array = np.zeros_like(right)
    m = Q.shape[1]
    for j in range(right.shape[1]):
        f = right[:, j] + H[:, :j] @ T[:j, j]
        tau = complex(T[j, j])
        H[:, j] = bordered(shifted(A, tau), Q, P.T, np.zeros((m, m))).solve(f, np.zeros(m))[0]
    return np.asarray((H @ U.conj().T).real)


def transform(G: Polynomials, basis: Array) -> Polynomials:
    """The same map in coordinates z, w = basis · z."""
    inverse = np.linalg.inv(basis)
    degree = max(G.parts)
    return Polynomials.fitted(G.variables, degree, lambda path: G.along(path @ basis.T) @ inverse.T)


def normalise(G: Polynomials, resonant: Callable[[Array, int], bool], degrees: Sequence[int]) -> Polynomials:
    """The map after near-identity changes z → z + φ(z) that remove all monomials that are not resonant.

    Parameters
    ----------
    G : Polynomials
        Square, with its linear part in Jordan form.
    resonant : callable
        ``resonant(exponents, component)``: whether the monomial stays.
    degrees : sequence of int
        Those to clear, rising.
    """
    m, top = G.variables, max(G.parts)
    for d in degrees:
        nu = exponents(m, d)
        clear = np.array([[not resonant(row, j) for row in nu] for j in range(m)]).ravel()
        # φ(Λz) − Λ φ(z) = the part to clear: with φ as (m, N) flattened, I ⊗ Kᵀ − Λ ⊗ I.
        L = np.kron(np.eye(m), _powers(G.parts[1], d).T) - np.kron(G.parts[1], np.eye(len(nu)))
        phi = np.zeros(m * len(nu), dtype=complex)
        if clear.any():
            phi[clear] = np.linalg.solve(L[np.ix_(clear, clear)], G.parts[d].ravel()[clear])
        change = Polynomials(m, {d: phi.reshape(m, -1)})

        def image(path: Array, G: Polynomials = G, change: Polynomials = change) -> Array:
            y = G.along(path + change.along(path))
            v = y
            for _ in range(top):
                v = y - change.along(v)
            return v

        G = Polynomials.fitted(m, top, image)
    return G
