"""The Euclidean metric: is DG symmetric? Random probes that need no transpose and no matrix."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from bifurcate.deprecation import old_positions
from bifurcate.gradient.certificates import Asymmetry
from bifurcate.gradient.field import EPS, SURE, TOLERANCE, Field, above, checked, generator, worst_of
from bifurcate.gradient.reconstruction import integrate
from bifurcate.gradient.result_types import Check, Consistent, Refuted, TestResult, relative
from bifurcate.maps.map import Map
from bifurcate.validation import check_count

__all__ = ["asymmetry", "conformal", "euclidean"]

# rounding of G, relative to |G|, below which the directions across G are known well enough to test φ: four times as
# much is added to the error of the test
DIRECTION_ERROR = 1e-6
CLAIM = "G = −∇E in the Euclidean metric"
CONFORMAL = "φ G = −∇E in a metric φ(x) I that is a multiple of the Euclidean one"


@old_positions("probes", "seed")
def asymmetry(map: Map, state: Any, *, probes: int = 24, seed: int = 0) -> Asymmetry:
    """Estimate ‖J − Jᵀ‖_F / ‖J‖_F of J = DG at a state from products J v alone.

    With k random orthonormal directions V the entries of Vᵀ J V − (Vᵀ J V)ᵀ are uᵀJv − vᵀJu for all pairs of them, so
    no transposed product is needed. Over uniformly random V,

        E Σ (uᵀJv − vᵀJu)² = k(k − 1)/(n(n − 1)) ‖J − Jᵀ‖²_F,      E ‖J V‖²_F = (k/n) ‖J‖²_F,

    which is exact for k = n; the square root of the quotient is the estimate. Its standard error is the jackknife's
    over the directions (Efron & Stein, Ann. Statist. 9 (1981) 586) times √(1 − k/n), as from a finite population.

    Parameters
    ----------
    map : Map
        x ↦ x + G(x).
    state : array_like
        Where.
    probes : int
        k, at least 3; min(k, n) products J v are taken.
    seed : int
        Of the directions.

    Returns
    -------
    Asymmetry

    Raises
    ------
    InvalidInput
        If the state or the counts are unusable.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[-0.2, 0.1], [-0.1, -0.3]])
    >>> found = asymmetry(Map(lambda x: x + A @ x, {}), [1.0, 1.0])
    >>> round(found.estimate, 9), round(float(np.linalg.norm(A - A.T) / np.linalg.norm(A)), 9)
    (0.730296743, 0.730296743)
    """
    field, X = checked(map, [state])
    return probe(field, X[0], check_count("probes", probes, 3), generator(seed))


def probe(field: Field, x: np.ndarray, probes: int, rng: np.random.Generator, normal: Any = None) -> Asymmetry:
    """The asymmetry at x, of J or, with a normal, of J on the directions orthogonal to it."""
    n, fixed = field.size, np.zeros((field.size, 0)) if normal is None else normal[:, None]
    free = n - fixed.shape[1]
    V = np.linalg.qr(np.hstack([fixed, rng.standard_normal((n, min(free, probes)))]))[0][:, n - free :]
    JV = np.column_stack([field.tangent(x, v) for v in V.T])
    B = V.T @ JV
    i, j = worst_of(np.abs(B - B.T), np.ones(B.shape))
    # The same pair from differences of f alone: a fault in a derivative that was given must not refute the map.
    again = V[:, i] @ field.differenced(x, V[:, j]) - V[:, j] @ field.differenced(x, V[:, i])
    error = 2.0 * field.error(x, V, JV, rng) + abs(B[i, j] - B[j, i] - again)
    size = float(np.hypot(np.linalg.norm(JV[:, i]), np.linalg.norm(JV[:, j])))
    u, v = (V[:, at].reshape(field.shape) for at in (i, j))
    ratio = _ratio(B - B.T, JV - fixed @ (fixed.T @ JV), free)
    return Asymmetry(x.reshape(field.shape), *ratio, u, v, float(B[i, j]), float(B[j, i]), float(error), size)


def _ratio(A: np.ndarray, JV: np.ndarray, n: int) -> tuple[float, float]:
    """The estimate and its standard error from A = VᵀJV − (VᵀJV)ᵀ."""
    k = len(A)
    each, total = (A**2).sum(axis=1), (JV**2).sum(axis=0)
    if k < 2 or not total.sum() > 0.0:
        return 0.0, 0.0
    estimate = np.sqrt(each.sum() * (n - 1) / ((k - 1) * total.sum()))
    if k < 3 or k == n:
        return float(estimate), 0.0
    without = np.sqrt((each.sum() - 2.0 * each) * (n - 1) / ((k - 2) * (total.sum() - total)))
    variance = (k - 1) / k * ((without - without.mean()) ** 2).sum()
    return float(estimate), float(np.sqrt(variance * (1.0 - k / n)))


@old_positions("probes", "loops", "tolerance", "seed")
def euclidean(
    map: Map, states: Any, *, probes: int = 24, loops: int = 8, tolerance: float = TOLERANCE, seed: int = 0
) -> TestResult:
    """Is G = f − id minus a gradient, G = −∇E?

    1. :func:`asymmetry` at every state: refuted where uᵀJv and vᵀJu differ by more than ten times their error.
    2. Circulations ∮ G·dx around triangles of the states: refuted where one exceeds ten times its error (G may be free
       of curl wherever it is defined and still have no energy, around a hole of its domain).
    3. E by integration along straight lines from the first state; ∇E, by differences, is compared with −G.

    Parameters
    ----------
    map : Map
        x ↦ x + G(x).
    states : sequence of array_like
        Where to test; what is found is shown there and on the lines between them. Three at least for steps 2 and 3.
    probes : int
        Directions at every state, at least 3.
    loops : int
        Triangles.
    tolerance : float
        E counts as reconstructed if its relative residual ≤ tolerance.
    seed : int
        Of directions and triangles.

    Returns
    -------
    Refuted, Consistent or Reconstructed

    Raises
    ------
    InvalidInput
        If an argument is unusable.

    Examples
    --------
    >>> import numpy as np
    >>> states = np.random.default_rng(1).standard_normal((4, 2))
    >>> found = euclidean(Map(lambda x: x - 0.1 * x**3, {}), states)
    >>> found.kind
    'reconstructed'
    >>> x, y = states[:2]
    >>> bool(abs(found.energy(x) - found.energy(y) - 0.025 * (x**4 - y**4).sum()) < 1e-12)
    True
    """
    field, X = checked(map, states)
    rng, tolerance = generator(seed), above("tolerance", tolerance, 0.0)
    found = [probe(field, x, check_count("probes", probes, 3), rng) for x in X]
    worst, check = _summed(found, min(field.size, probes))
    if worst.significant:
        return Refuted(CLAIM, worst, (check,))
    return integrate(CLAIM, field, X, None, (check,), tolerance, check_count("loops", loops, 0), rng)


@old_positions("probes", "seed")
def conformal(map: Map, states: Any, *, probes: int = 24, seed: int = 0) -> Refuted | Consistent:
    """Is G = f − id a gradient in a multiple of the Euclidean metric, φ(x) G = −∇E with φ > 0?

    If so, uᵀJv = vᵀJu for all u, v orthogonal to G(x), J = DG: the condition of Frobenius, which is also sufficient
    near every point where G ≠ 0 (Lee, Introduction to Smooth Manifolds, 2013, chapter 19). Whether the pieces fit
    together to one E, and how φ continues into the equilibria, is not tested.

    Parameters
    ----------
    map : Map
        x ↦ x + G(x), of three unknowns at least to be refutable: in the plane every field passes.
    states : sequence of array_like
        Where to test; those where rounding leaves no direction of G are passed over.
    probes : int
        Directions at every state, at least 3.
    seed : int
        Of the directions.

    Returns
    -------
    Refuted (its certificate an :class:`Asymmetry`, u and v orthogonal to G) or Consistent

    Raises
    ------
    InvalidInput
        If an argument is unusable.

    Examples
    --------
    >>> import numpy as np
    >>> states = np.random.default_rng(1).standard_normal((4, 3))
    >>> slowed = Map(lambda x: x - 0.1 * x / (1.0 + x[0] ** 2 + x[1] ** 4), {})
    >>> euclidean(slowed, states).kind, conformal(slowed, states).kind
    ('refuted', 'consistent')
    """
    field, X = checked(map, states)
    rng = generator(seed)
    probes, n = check_count("probes", probes, 3), field.size
    if n < 3:
        return Consistent(CONFORMAL, (), "in fewer than three dimensions every field passes: nothing was tested")
    found = []
    for x in X:
        G = field(x)
        length = float(np.linalg.norm(G))
        rounding = EPS * (float(np.linalg.norm(x)) + length)
        if rounding < DIRECTION_ERROR * length:
            shown = probe(field, x, probes, rng, G / length)
            tilt = rounding / length  # by which the directions may miss being orthogonal to G
            found.append(dataclasses.replace(shown, error=shown.error + 4.0 * tilt * shown.size))
    if not found:
        return Consistent(CONFORMAL, (), "all states are at rest, where G has no direction: nothing was tested")
    worst, check = _summed(found, min(n - 1, probes))
    return Refuted(CONFORMAL, worst, (check,)) if worst.significant else Consistent(CONFORMAL, (check,))


def _summed(found: list[Asymmetry], directions: int) -> tuple[Asymmetry, Check]:
    """The state that contradicts most clearly, and all of them as one check."""
    worst = max(found, key=lambda each: abs(each.forward - each.backward) / each.error)
    return worst, Check(
        "|u·Jv − v·Ju| / |J(u, v)|",
        len(found) * directions * (directions - 1) // 2,
        max(relative(abs(each.forward - each.backward), each.size) for each in found),
        max(relative(SURE * each.error, each.size) for each in found),
    )
