"""Textbook maps with exact derivatives, their references, and what is known of them exactly."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map

__all__ = [
    "delayed_logistic",
    "generalised_henon",
    "henon",
    "logistic",
    "logistic_ring",
    "predator_prey",
    "ricker",
]


def logistic(r: float = 2.5) -> Map:
    """The logistic map x ↦ r x (1 − x) (May, Nature 261 (1976) 459).

    Branch point r = 1 at x = 0; flips at r = 3, 1 + √6, 3.5440903595519…; the 3-cycle's fold at r = 1 + √8.

    Examples
    --------
    >>> logistic(r=2.0)([0.5])
    array([0.5])
    """
    return Map(
        lambda x, r: r * x * (1.0 - x),
        {"r": r},
        jvp=lambda x, v, r: r * (1.0 - 2.0 * x) * v,
        jacobian=lambda x, r: np.diag(np.ravel(r * (1.0 - 2.0 * x))),
        parameter_derivative=lambda x, name, r: x * (1.0 - x),
        name="logistic",
    )


def henon(a: float = 1.4, b: float = 0.3) -> Map:
    """The Hénon map (x, y) ↦ (1 − a x² + y, b x) (Hénon, Comm. Math. Phys. 50 (1976) 69).

    Fold at a = −(1 − b)²/4, flip at a = 3(1 − b)²/4; at b = 0.3 the 2-cycle flips at a = 0.9125.

    Examples
    --------
    >>> henon(a=1.0, b=0.5)([1.0, 2.0])
    array([2. , 0.5])
    """
    return Map(
        lambda z, a, b: np.array([1.0 - a * z[0] ** 2 + z[1], b * z[0]]),
        {"a": a, "b": b},
        jvp=lambda z, v, a, b: np.array([-2.0 * a * z[0] * v[0] + v[1], b * v[0]]),
        jacobian=lambda z, a, b: np.array([[-2.0 * a * z[0], 1.0], [b, 0.0]]),
        parameter_derivative=lambda z, name, a, b: np.array([-(z[0] ** 2), 0.0] if name == "a" else [0.0, z[0]]),
        name="henon",
    )


def generalised_henon(alpha: float = -0.4, beta: float = 1.03, R: float = -0.1) -> Map:
    """The generalised Hénon map (x, y) ↦ (y, α − β x − y² + R x y) (Gonchenko, Kuznetsov & Meijer, SIADS 4 (2005) 407).

    On the fixed points x = y: Neimark–Sacker at β = 1 + R x, flip at β = 2x − 1, fold at β = 2(R − 1)x − 1.

    Examples
    --------
    >>> generalised_henon(alpha=1.0, beta=0.5, R=0.0)([2.0, 1.0])
    array([ 1., -1.])
    """

    def by_parameter(z: np.ndarray, name: str, alpha: float, beta: float, R: float) -> np.ndarray:
        return np.array([0.0, {"alpha": 1.0, "beta": -z[0], "R": z[0] * z[1]}[name]])

    return Map(
        lambda z, alpha, beta, R: np.array([z[1], alpha - beta * z[0] - z[1] ** 2 + R * z[0] * z[1]]),
        {"alpha": alpha, "beta": beta, "R": R},
        jvp=lambda z, v, alpha, beta, R: np.array([v[1], (R * z[1] - beta) * v[0] + (R * z[0] - 2.0 * z[1]) * v[1]]),
        jacobian=lambda z, alpha, beta, R: np.array([[0.0, 1.0], [R * z[1] - beta, R * z[0] - 2.0 * z[1]]]),
        parameter_derivative=by_parameter,
        name="generalised henon",
    )


def delayed_logistic(r: float = 1.9, eps: float = 0.0) -> Map:
    """The delayed logistic map (x, y) ↦ (r x (1 − y) + ε, x) (Maynard Smith 1968; Kuznetsov 2004, example 4.2).

    At ε = 0: Neimark–Sacker at r = 2, x = 1/2, with multipliers exp(±iπ/3).

    Examples
    --------
    >>> delayed_logistic(r=2.0)([0.5, 0.5])
    array([0.5, 0.5])
    """
    return Map(
        lambda z, r, eps: np.array([r * z[0] * (1.0 - z[1]) + eps, z[0]]),
        {"r": r, "eps": eps},
        jvp=lambda z, v, r, eps: np.array([r * (v[0] * (1.0 - z[1]) - z[0] * v[1]), v[0]]),
        jacobian=lambda z, r, eps: np.array([[r * (1.0 - z[1]), -r * z[0]], [1.0, 0.0]]),
        parameter_derivative=lambda z, name, r, eps: np.array([z[0] * (1.0 - z[1]) if name == "r" else 1.0, 0.0]),
        name="delayed logistic",
    )


def ricker(r: float = 1.5) -> Map:
    """The Ricker map x ↦ x exp(r (1 − x)) (Ricker, J. Fish. Res. Board Can. 11 (1954) 559).

    Flips at r = 2 (x = 1), 2.5264677258538…, 2.6563532651571…

    Examples
    --------
    >>> ricker()([1.0])
    array([1.])
    """
    return Map(
        lambda x, r: x * np.exp(r * (1.0 - x)),
        {"r": r},
        jvp=lambda x, v, r: (1.0 - r * x) * np.exp(r * (1.0 - x)) * v,
        jacobian=lambda x, r: np.diag(np.ravel((1.0 - r * x) * np.exp(r * (1.0 - x)))),
        parameter_derivative=lambda x, name, r: x * (1.0 - x) * np.exp(r * (1.0 - x)),
        name="ricker",
    )


def predator_prey(p1: float = 0.5, p2: float = 0.2, p3: float = 0.1) -> Map:
    """The predator–prey map (u, v) ↦ (p₁ u (1 − u) − p₂ u v, (1 − p₃) v + p₂ u v) of the AUTO demo dd2.

    At p₂ = 0.2, p₃ = 0.1: branch points p₁ = 1 and 2, flip p₁ = 3.

    Examples
    --------
    >>> predator_prey(p1=2.0)([0.5, 0.0])
    array([0.5, 0. ])
    """

    def by_parameter(z: np.ndarray, name: str, p1: float, p2: float, p3: float) -> np.ndarray:
        u, v = z
        return np.array({"p1": [u * (1.0 - u), 0.0], "p2": [-u * v, u * v], "p3": [0.0, -v]}[name])

    return Map(
        lambda z, p1, p2, p3: np.array(
            [p1 * z[0] * (1.0 - z[0]) - p2 * z[0] * z[1], (1.0 - p3) * z[1] + p2 * z[0] * z[1]]
        ),
        {"p1": p1, "p2": p2, "p3": p3},
        jacobian=lambda z, p1, p2, p3: np.array(
            [[p1 * (1.0 - 2.0 * z[0]) - p2 * z[1], -p2 * z[0]], [p2 * z[1], 1.0 - p3 + p2 * z[0]]]
        ),
        parameter_derivative=by_parameter,
        name="predator-prey",
    )


def logistic_ring(n: int = 200, r: float = 2.5, e: float = 0.5, sparse: bool = False) -> Map:
    """A ring of n coupled logistic units, xᵢ ↦ (1 − e) f(xᵢ) + (e/2)(f(xᵢ₋₁) + f(xᵢ₊₁)).

    Kaneko, Prog. Theor. Phys. 72 (1984) 480.

    With λₖ = 1 − e + e cos(2πk/n) the homogeneous state x = 1 − 1/r has the multipliers λₖ (2 − r): flips at
    r = 2 + 1/λₖ and branch points at r = 2 − 1/λₖ, double unless k = 0 or n/2.

    Parameters
    ----------
    n : int
        Number of units, at least 3.
    r, e : float
        Parameter of the units and strength of the coupling.
    sparse : bool
        Give the Jacobian as a sparse matrix rather than as an ndarray.

    Examples
    --------
    >>> logistic_ring(n=3, r=2.0)([0.5, 0.5, 0.5])
    array([0.5, 0.5, 0.5])
    """
    if n < 3:
        raise InvalidInput(f"a ring has at least 3 units, got n = {n}")
    i = np.arange(n)
    around = sp.csr_array((np.full(2 * n, 0.5), (np.r_[i, i], np.r_[(i - 1) % n, (i + 1) % n])), shape=(n, n))
    every = sp.eye_array(n, format="csr")

    def couple(g: np.ndarray, e: float) -> np.ndarray:
        return (1.0 - e) * g + 0.5 * e * (np.roll(g, 1) + np.roll(g, -1))

    def jacobian(x: np.ndarray, r: float, e: float) -> np.ndarray | sp.csr_array:
        J = ((1.0 - e) * every + e * around) @ sp.diags_array(r * (1.0 - 2.0 * x))
        return J if sparse else J.toarray()

    def by_parameter(x: np.ndarray, name: str, r: float, e: float) -> np.ndarray:
        if name == "r":
            return couple(x * (1.0 - x), e)
        g = r * x * (1.0 - x)
        return 0.5 * (np.roll(g, 1) + np.roll(g, -1)) - g

    return Map(
        lambda x, r, e: couple(r * x * (1.0 - x), e),
        {"r": r, "e": e},
        jvp=lambda x, v, r, e: couple(r * (1.0 - 2.0 * x) * v, e),
        jacobian=jacobian,
        parameter_derivative=by_parameter,
        name="logistic ring",
    )
