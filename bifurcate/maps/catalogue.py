"""Textbook maps with exact derivatives, their references, and their bifurcations that are known in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.storage.functions import catalogued
from bifurcate.validation import check_flag, is_whole_number, shown

__all__ = [
    "delayed_logistic",
    "generalised_henon",
    "henon",
    "ikeda",
    "logistic",
    "logistic_ring",
    "lozi",
    "predator_prey",
    "ricker",
    "standard",
]

Array = NDArray[np.float64]
LARGEST_RING = 10**8  # units whose neighbours' numbers fit a machine's memory
SMALLEST_RING = 3  # units of a ring: with two, the neighbours on both sides are the same unit


@catalogued
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


@catalogued
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


@catalogued
def generalised_henon(alpha: float = -0.4, beta: float = 1.03, R: float = -0.1) -> Map:
    """The generalised Hénon map (x, y) ↦ (y, α − β x − y² + R x y) (Gonchenko, Kuznetsov & Meijer, SIADS 4 (2005) 407).

    On the fixed points x = y: Neimark–Sacker at β = 1 + R x, flip at β = 2x − 1, fold at β = 2(R − 1)x − 1.

    Examples
    --------
    >>> generalised_henon(alpha=1.0, beta=0.5, R=0.0)([2.0, 1.0])
    array([ 1., -1.])
    """

    def by_parameter(z: Array, name: str, alpha: float, beta: float, R: float) -> Array:
        return np.array([0.0, {"alpha": 1.0, "beta": -z[0], "R": z[0] * z[1]}[name]])

    return Map(
        lambda z, alpha, beta, R: np.array([z[1], alpha - beta * z[0] - z[1] ** 2 + R * z[0] * z[1]]),
        {"alpha": alpha, "beta": beta, "R": R},
        jvp=lambda z, v, alpha, beta, R: np.array([v[1], (R * z[1] - beta) * v[0] + (R * z[0] - 2.0 * z[1]) * v[1]]),
        jacobian=lambda z, alpha, beta, R: np.array([[0.0, 1.0], [R * z[1] - beta, R * z[0] - 2.0 * z[1]]]),
        parameter_derivative=by_parameter,
        name="generalised henon",
    )


@catalogued
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


@catalogued
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


@catalogued
def predator_prey(p1: float = 0.5, p2: float = 0.2, p3: float = 0.1) -> Map:
    """The predator–prey map (u, v) ↦ (p₁ u (1 − u) − p₂ u v, (1 − p₃) v + p₂ u v) of the AUTO demo dd2.

    At p₂ = 0.2, p₃ = 0.1: branch points p₁ = 1 and 2, flip p₁ = 3.

    Examples
    --------
    >>> predator_prey(p1=2.0)([0.5, 0.0])
    array([0.5, 0. ])
    """

    def by_parameter(z: Array, name: str, p1: float, p2: float, p3: float) -> Array:
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


@catalogued
def lozi(a: float = 1.4, b: float = 0.3) -> Map:
    """The Lozi map (x, y) ↦ (1 − a |x| + y, b x) (Lozi, J. Phys. Colloques 39 (1978) C5-9): Hénon's with |x| for x².

    For 0 < b < 1: the fixed point x = 1/(1 + a − b) is stable until a = 1 − b; the other one, x = 1/(1 − a − b) < 0,
    exists beyond and is a saddle. So does the 2-cycle x = (1 − b ± a)/((1 − b)² + a²), which flips at a = 1 + b.

    Not smooth at x = 0, which the map declares as its border. Supported are solutions off the border, with exact
    multipliers, their branches, and the points where a branch meets the border, reported as "border". What happens
    there (persistence, a non-smooth fold, a jump of multipliers) is not classified. The map is linear on each side, so
    that no coefficient of a flip is anything but 0: all are "degenerate". At a = 1 − b the multiplier −1 belongs to a
    segment of 2-cycles, of which only the end, on the border, continues to a > 1 − b.

    Examples
    --------
    >>> lozi(a=1.7, b=0.5)([-1.0, 0.2])
    array([-0.5, -0.5])
    """
    return Map(
        lambda z, a, b: np.array([1.0 - a * abs(z[0]) + z[1], b * z[0]]),
        {"a": a, "b": b},
        jvp=lambda z, v, a, b: np.array([-a * np.sign(z[0]) * v[0] + v[1], b * v[0]]),
        jacobian=lambda z, a, b: np.array([[-a * np.sign(z[0]), 1.0], [b, 0.0]]),
        parameter_derivative=lambda z, name, a, b: np.array([-abs(z[0]), 0.0] if name == "a" else [0.0, z[0]]),
        borders=lambda z, a, b: z[0],
        name="lozi",
    )


@catalogued
def ikeda(u: float = 0.9, a: float = 1.0, phi: float = 0.4, q: float = 6.0) -> Map:
    """The Ikeda map of a ring laser, z ↦ a + u z exp(i(φ − q/(1 + |z|²))), z = x + iy.

    (Ikeda, Opt. Commun. 30 (1979) 257; in this form Hammel, Jones & Moloney, J. Opt. Soc. Am. B 2 (1985) 552.)

    It contracts areas by u² everywhere: the two multipliers of a fixed point have the product u², so that for |u| < 1
    there are folds and flips but no Neimark–Sacker points. A fixed point with |z|² = I lies where
    I (1 + u² − 2u cos(φ − q/(1 + I))) = a²; folds are where the left side has a critical point in I.

    Examples
    --------
    >>> ikeda(u=0.0)([3.0, 4.0])
    array([1., 0.])
    """

    def turned(z: Array, phi: Any, q: Any) -> tuple[Any, Any, Any, Any, Any]:
        # Cosine and sine of the angle of rotation, the rotated state, and 1 + |z|². States may come in batches (2, m).
        size = 1.0 + z[0] * z[0] + z[1] * z[1]
        c, s = np.cos(phi - q / size), np.sin(phi - q / size)
        return c, s, c * z[0] - s * z[1], s * z[0] + c * z[1], size

    def jacobian(z: Array, u: Any, a: Any, phi: Any, q: Any) -> Array:
        c, s, x, y, size = turned(z, phi, q)
        along, across = 2.0 * q * z[0] / size**2, 2.0 * q * z[1] / size**2  # the angle's slopes
        return np.asarray(u * np.array([[c - y * along, -s - y * across], [s + x * along, c + x * across]]))

    def by_parameter(z: Array, name: str, u: Any, a: Any, phi: Any, q: Any) -> Array:
        _, _, x, y, size = turned(z, phi, q)
        if name == "a":
            return np.array([1.0 + 0.0 * x, 0.0 * y])
        if name == "u":
            return np.array([x, y])
        return np.asarray(u * (1.0 if name == "phi" else -1.0 / size) * np.array([-y, x]))

    def f(z: Array, u: Any, a: Any, phi: Any, q: Any) -> Array:
        _, _, x, y, _ = turned(z, phi, q)
        return np.array([a + u * x, u * y])

    def jvp(z: Array, v: Array, u: Any, a: Any, phi: Any, q: Any) -> Array:
        J = jacobian(z, u, a, phi, q)
        return np.array([J[0, 0] * v[0] + J[0, 1] * v[1], J[1, 0] * v[0] + J[1, 1] * v[1]])

    return Map(
        f,
        {"u": u, "a": a, "phi": phi, "q": q},
        jvp=jvp,
        jacobian=jacobian,
        parameter_derivative=by_parameter,
        name="ikeda",
    )


@catalogued
def standard(K: float = 1.0) -> Map:
    """The standard map (p, θ) ↦ (p + K sin θ, θ + p + K sin θ) (Chirikov, Phys. Rep. 52 (1979) 263), θ on the line.

    It preserves areas: multipliers come in pairs λ, 1/λ, nothing is asymptotically stable, and there are no
    Neimark–Sacker points. The fixed point (0, 0) is a saddle for K > 0; (0, π) has trace 2 − K and flips at K = 4. Its
    2-cycle is θ = π ± s, p = ±2s with K = 4s / sin s, and has a branch point at K = 2π (s = π/2).

    θ is not reduced modulo 2π, so that the map is smooth: cycles that go around, θ ↦ θ + 2πm, are no cycles here.

    Examples
    --------
    >>> standard(K=1.0)([0.5, 0.0])
    array([0.5, 0.5])
    """

    def kicked(z: Array, kick: float) -> Array:
        return np.array([z[0] + kick, z[1] + z[0] + kick])

    return Map(
        lambda z, K: kicked(z, K * np.sin(z[1])),
        {"K": K},
        jvp=lambda z, v, K: kicked(v, K * np.cos(z[1]) * v[1]),
        jacobian=lambda z, K: np.array([[1.0, K * np.cos(z[1])], [1.0, 1.0 + K * np.cos(z[1])]]),
        parameter_derivative=lambda z, name, K: np.full(2, np.sin(z[1])),
        name="standard",
    )


@catalogued
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
    if not is_whole_number(n) or not SMALLEST_RING <= n <= LARGEST_RING:
        raise InvalidInput(f"a ring has at least {SMALLEST_RING} units, got n = {shown(n)}")
    check_flag("sparse", sparse)
    i = np.arange(n)
    left, right = (i - 1) % n, (i + 1) % n
    pattern = sp.csr_array((np.ones(3 * n), (np.r_[i, i, i], np.r_[i, left, right])), shape=(n, n))
    own = pattern.indices == np.repeat(i, 3)
    halves = None if sparse else 0.5 * (pattern.toarray() - np.eye(n))

    def couple(g: Array, e: float) -> Array:
        return np.asarray((1.0 - e) * g + 0.5 * e * (g[left] + g[right]))

    def jacobian(x: Array, r: float, e: float) -> Array | sp.csr_array:
        slope = r * (1.0 - 2.0 * x)
        if halves is None:
            data = np.where(own, 1.0 - e, 0.5 * e) * slope[pattern.indices]
            return sp.csr_array((data, pattern.indices, pattern.indptr), shape=(n, n))
        J = halves * (e * slope)
        J.flat[:: n + 1] = (1.0 - e) * slope
        return J

    def by_parameter(x: Array, name: str, r: float, e: float) -> Array:
        if name == "r":
            return couple(x * (1.0 - x), e)
        g = r * x * (1.0 - x)
        return 0.5 * (g[left] + g[right]) - g

    return Map(
        lambda x, r, e: couple(r * x * (1.0 - x), e),
        {"r": r, "e": e},
        jvp=lambda x, v, r, e: couple(r * (1.0 - 2.0 * x) * v, e),
        jacobian=jacobian,
        parameter_derivative=by_parameter,
        name="logistic ring",
    )
