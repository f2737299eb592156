"""Any metric: at an equilibrium of a gradient flow all multipliers are real. A complex pair is a certificate."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from bifurcate.deprecation import old_positions
from bifurcate.errors import NotConverged
from bifurcate.gradient.certificates import ComplexPair
from bifurcate.gradient.field import EPS, SURE, Field, checked, generator
from bifurcate.gradient.quadratic_lyapunov import QuadraticLyapunov, quadratic
from bifurcate.gradient.result_types import Check, Consistent, Refuted
from bifurcate.maps.map import Map
from bifurcate.newton.polish import polish

__all__ = ["any_metric", "lyapunov"]

CLAIM = "M G = −∇E in a metric M that is continuous and positive definite at the equilibrium, E twice differentiable"
STEPS = 40  # of Newton's method
HALVINGS = 11  # of one step, to 1/2048: where none of these lowers the residual, the step is no direction of descent
ZERO_SINGULAR_VALUE = 1e-13  # part of the largest below which a singular value of DG is 0, on a manifold of equilibria
AT_REST = 1e-9  # |G| ≤ AT_REST · max(scale, |x|) counts as an equilibrium


@old_positions("seed")
def any_metric(map: Map, guess: Any, *, seed: int = 0) -> Refuted | Consistent:
    """Is G = f − id, near an equilibrium, a gradient in any metric at all?

    If M G = −∇E with E twice differentiable and M continuous and positive definite at the equilibrium x, then
    M(x) DG(x) = −∇²E(x) is symmetric, and DG(x) similar to a symmetric matrix: its eigenvalues are real. A complex pair
    refutes all such metrics at once. The converse does not hold: real multipliers only pass this one test.

    The pair's error is a bound for all matrices within ε of the Jacobian in the spectral norm, by their resolvents on a
    circle about the multiplier (Kato, Perturbation Theory for Linear Operators, 1995, chapter I.5, for the expansion).
    ε itself is measured, not proved.

    Parameters
    ----------
    map : Map
        x ↦ x + G(x), of at most 1500 unknowns.
    guess : array_like
        Near an equilibrium; Newton's method with halved steps goes on from there.
    seed : int
        Of the directions in which derivatives are checked.

    Returns
    -------
    Refuted (its certificate a :class:`Pair`) or Consistent

    Raises
    ------
    NotConverged
        If Newton's method ends where |G| > 1e-9 · max(map.scale, |x|).
    InvalidInput
        If the guess is unusable, or has more than 1500 numbers.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[0.5, 0.3], [-0.3, 0.5]])
    >>> found = any_metric(Map(lambda x: A @ x, {}), [0.1, 0.0])
    >>> found.kind, complex(np.round(found.certificate.multiplier, 9)), found.certificate.lyapunov is None
    ('refuted', (0.5+0.3j), False)
    """
    return examine(map, guess, seed)


def examine(map: Map, guess: Any, seed: int, bowl: bool = True) -> Refuted | Consistent:
    """:func:`any_metric`, without a Lyapunov function unless one is wanted."""
    field, X = checked(map, [guess])
    x = at_rest(field, X[0])
    rng = generator(seed)
    A, doubt = _linearised(field, x, rng)
    values, left, right = scipy.linalg.eig(A, left=True, right=True)
    condition = 1.0 / np.maximum(np.abs(np.einsum("ij,ij->j", left.conj(), right)), EPS)  # of unit eigenvectors
    upper = np.flatnonzero(values.imag > 0.0)
    upper = upper[np.argsort(-(values.imag / condition)[upper], kind="stable")]
    for k in upper[:3]:
        radius = _disc(A, complex(values[k]), right[:, k], left[:, k], doubt)
        if radius is not None:
            ordered = values[np.argsort(-np.abs(values), kind="stable")]
            residual = float(np.abs(field(x)).max())
            V = quadratic(field, x, A, rng) if bowl else None
            pair = ComplexPair(x.reshape(field.shape), residual, complex(values[k]), radius, doubt, ordered, V)
            return Refuted(CLAIM, pair)
    largest = float(np.abs(values.imag).max())
    resolution = float((np.minimum(condition, 1.0 / EPS) * doubt).max())
    note = "there are complex multipliers, but not clearly off the real axis" if largest > 0.0 else ""
    return Consistent(CLAIM, (Check("|Im| of multipliers", len(values), largest, SURE * resolution),), note)


@old_positions("seed")
def lyapunov(map: Map, guess: Any, *, seed: int = 0) -> QuadraticLyapunov | None:
    """The quadratic Lyapunov function of a map near a stable equilibrium; None where it is not stable.

    V(x) = (x − x*)ᵀ P (x − x*) with Aᵀ P A − P = −I, A = Df(x*) (LaSalle, The Stability and Control of Discrete
    Processes, 1986), by :func:`scipy.linalg.solve_discrete_lyapunov`, and verified. Parameters and exceptions are those
    of :func:`any_metric`.

    Examples
    --------
    >>> V = lyapunov(Map(lambda x: 0.5 * x + x**2, {}), [0.1])
    >>> round(float(V.P[0, 0]), 9), round(V([0.3]), 9)
    (1.333333333, 0.12)
    >>> lyapunov(Map(lambda x: 2.0 * x, {}), [0.0]) is None
    True
    """
    field, X = checked(map, [guess])
    x = at_rest(field, X[0])
    return quadratic(field, x, _finite_jacobian(field, x) + np.eye(field.size), generator(seed))


def at_rest(field: Field, x: np.ndarray) -> np.ndarray:
    """The equilibrium to which Newton's method with halved steps leads.

    Least-squares steps, so that a manifold of equilibria is reached, too.
    """
    field.dense()

    def residual(x: np.ndarray) -> np.ndarray:
        return field(x) if field.inside(x) else np.full(field.size, np.inf)

    def step(x: np.ndarray, residual: np.ndarray) -> np.ndarray | None:
        with np.errstate(all="ignore"):  # differences may reach states where f is not finite
            J = field.jacobian(x)
        return np.asarray(np.linalg.lstsq(J, -residual, rcond=ZERO_SINGULAR_VALUE)[0]) if np.isfinite(J).all() else None

    found = polish(x, residual, step, max_steps=STEPS, max_halvings=HALVINGS)
    size = max(field.scale, float(np.abs(found.x).max()))
    if not found.history[-1] <= AT_REST * size:
        advice = "Start nearer to an equilibrium: bf.solve or a long orbit may find one."
        raise NotConverged("no equilibrium was reached", found.x.reshape(field.shape), tuple(found.history), advice)
    return found.x


def _finite_jacobian(field: Field, x: np.ndarray) -> np.ndarray:
    """DG at an equilibrium, or NotConverged where f has no derivative there, as at the edge of where it is finite."""
    with np.errstate(all="ignore"):
        J = field.jacobian(x)
    if not np.isfinite(J).all():
        advice = "Nothing can be said of an equilibrium at the edge of where f is finite; start nearer to another one."
        raise NotConverged("an equilibrium without a finite derivative was reached", x.reshape(field.shape), (), advice)
    return J


def _linearised(field: Field, x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Df at an equilibrium and a bound on its distance, in the spectral norm, from Df at the exact one."""
    n = field.size
    J = _finite_jacobian(field, x)
    derivative = np.sqrt(n) * field.error(x, np.eye(n), J, rng)
    step = np.linalg.lstsq(J, -field(x), rcond=ZERO_SINGULAR_VALUE)[0]
    away = x + 2.0 * step
    moved = float(np.linalg.norm(field.jacobian(away) - J)) if step.any() and field.inside(away) else 0.0
    A = J + np.eye(n)
    return A, float(derivative + moved + n * EPS * np.linalg.norm(A))


def _disc(A: np.ndarray, value: complex, right: np.ndarray, left: np.ndarray, doubt: float) -> float | None:
    """Radius of a disc about an eigenvalue in which every matrix within ``doubt`` of A has one, clear of the reals."""
    # With P the eigenvalue's projection and S its reduced resolvent, S = (A − λ)⁻¹ on the complement, for |z − λ| = ρ
    #   (A − z)⁻¹ = P/(λ − z) + S/(1 − (z − λ) S),   of norm ≤ |P|/ρ + |S|/(1 − ρ|S|).
    # Where that is < 1/ε no matrix within ε has the eigenvalue z: with ρ = 2ε|P| where 2ε|S|(1 + |P|) < 1.
    overlap = np.vdot(left, right)
    if abs(overlap) < np.sqrt(EPS):
        return None
    P = np.outer(right, left.conj()) / overlap
    shifted = A - value * np.eye(len(A))
    S = np.linalg.inv(shifted + P) - P
    epsilon = doubt + float(np.linalg.norm(shifted @ right) + np.linalg.norm(left.conj() @ shifted))
    p, s = float(np.linalg.norm(P, 2)), float(np.linalg.norm(S, 2))
    radius = 2.0 * epsilon * p
    return radius if 2.0 * epsilon * s * (1.0 + p) < 1.0 and radius < abs(value.imag) / SURE else None
