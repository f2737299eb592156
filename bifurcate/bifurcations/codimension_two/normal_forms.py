"""Normal-form coefficients of the points of codimension two.

Of the map on the centre manifold, in coordinates in which critical eigenvectors have length 1 (real ones with their
largest entry positive; complex ones q with |q| = 1, x = z q + z̄ q̄), after removal of what a change of coordinates can
remove (Kuznetsov & Meijer, Numerical Bifurcation Analysis of Maps, Cambridge 2019, chapters 3 and 4; Kuznetsov,
Elements of Applied Bifurcation Theory, 2004, chapter 9):

    cusp              w ↦ w + c w³                                        c
    generalised flip  w ↦ −w + c w⁵                                       c (> 0: outside the fold, the doubled cycle is
                                                                          stable)
    chenciner         z ↦ e^{iθ} z + c₁ z|z|² + c₂ z|z|⁴                  L2 = Re(e^{−iθ} c₂) + ½ (Im e^{−iθ} c₁)²
    R1                (x, y) ↦ (x + y, y + a x² + b x y)                  a, b, s = sign a (b − 2a)
    R2                (x, y) ↦ (−x + y, −y + C x³ + D x² y)               c = 4C, d = −2D − 6C
    R3                z ↦ e^{2πi/3} z + b z̄² + c z|z|²                    a = (Re(e^{−2πi/3} c)/|b|² − 1)/3
    R4                z ↦ i z + c z|z|² + d z̄³                            A = −i c/|d|, as A.real and A.imag
    weak resonance    z ↦ e^{iθ} z (1 + D |z|² + …) + C z̄^{q−1}, θ = 2πp/q   d = Re D, c = |C|; of q > 16 d alone
    fold-flip         (x, y) ↦ (x + a x² + b y² + …, −y + e x y + …)      a/e and b e
    fold-ns           (x, z) ↦ (x + a x² + b |z|², e^{iθ} z + c x z)      a, b, s = sign a b, theta = Re(e^{−iθ} c)/a
    flip-ns, ns-ns    moduli grow by 1 + p₁₁ ρ₁² + p₁₂ ρ₂², 1 + p₂₁ ρ₁² + p₂₂ ρ₂²   p11, p12, p21, p22 (flip, or the
                                                                          pair of the smaller angle, first)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from bifurcate.bifurcations.codimension_two.center_manifold import (
    critical_space,
    normalise,
    reduce_to_manifold,
    transform,
)
from bifurcate.bifurcations.codimension_two.taylor import Polynomials, exponents
from bifurcate.bifurcations.kinds import KINDS
from bifurcate.linalg.bordered_system import SingularSystem
from bifurcate.linalg.multipliers import Spectrum
from bifurcate.linalg.null_space import fix_sign
from bifurcate.linalg.operators import Operator, dense, transposed
from bifurcate.maps.iterated_map import IteratedMap

__all__ = ["two_parameter_coefficients"]

# Size limit: operators without a transpose are made dense up to here, and have no normal form beyond
LARGEST_DENSE = 3000
SAMPLES = (17, 13)  # points of a path from which Taylor coefficients are fitted; the second set gives their error
CUBIC = 3  # degree of the term that decides about the invariant curve of a Neimark–Sacker point
LARGEST_DENOMINATOR = 16  # q up to which the resonant term of degree q − 1 is computed: it takes seconds there
FIFTH_DEGREE = 5  # of the expansion for generalised flips and Chenciner points
ROUNDING = 1e-11  # relative rounding of a coefficient
# ... of one of fifth degree, whose values are divided by the fifth power of a path's length
FIFTH_DEGREE_ROUNDING = 1e-9
SURE_POLE = 10.0  # errors by which the coefficient in a denominator must exceed 0
SURE_ERRORS = 2.0  # errors by which a coefficient must exceed 0 for its sign to count
DEFECTIVE = 1e-6  # relative singular values that are 0 for a Jordan block: √rounding


def two_parameter_coefficients(
    kind: str,
    iterate: IteratedMap,
    x: np.ndarray,
    p: Mapping[str, float],
    spectrum: Spectrum,
    resonance: tuple[int, int] | None = None,
) -> tuple[dict[str, float], dict[str, float]]:
    """The coefficients of a simple point of codimension two, and their errors, by name.

    Parameters
    ----------
    kind : str
        The name of a kind of codimension two that has a normal form.
    iterate : IteratedMap
        f^k with k the period of the point.
    x : ndarray, shape (n,)
        The state.
    p : mapping
        All parameters.
    spectrum : Spectrum
        The multipliers there.
    resonance : (int, int), optional
        p and q of a weak resonance.

    Returns
    -------
    values, errors : dict
        An error is the change between expansions from two samplings, plus rounding. Both are empty where the Jacobian
        has no transpose and more than 3000 unknowns, or a linear system on the way is singular.
    """
    orbit = iterate.orbit(x, p)
    A = iterate.jacobian(orbit, p)
    if transposed(A) is None:
        if len(x) > LARGEST_DENSE:
            return {}, {}
        A = dense(A)
    row = KINDS[kind]
    if resonance is not None:
        return _weak_resonance(iterate, orbit, p, A, resonance)
    degree = row.degree
    cosines = _cosines(spectrum, row.pairs) if row.cosine is None else [row.cosine]
    try:
        Q, P = critical_space(A, row.real, cosines)
        runs = [
            _of(kind, reduce_to_manifold(iterate, orbit, p, A, Q, P, degree, count), Q, cosines) for count in SAMPLES
        ]
    except (SingularSystem, np.linalg.LinAlgError):
        return {}, {}
    values = runs[0]
    size = (ROUNDING if degree < FIFTH_DEGREE else FIFTH_DEGREE_ROUNDING) * (
        1.0 + max(abs(value) for value in values.values())
    )
    errors = {name: abs(value - runs[1][name]) + size for name, value in values.items()}
    if kind == "fold-flip":
        return _fold_flip(values, errors)
    return _with_sign(kind, values, errors)


def _weak_resonance(
    iterate: IteratedMap, orbit: Sequence[np.ndarray], p: Mapping[str, float], A: Operator, resonance: tuple[int, int]
) -> tuple[dict[str, float], dict[str, float]]:
    """d and c, from the expansion to degree q − 1.

    An error is the change between two samplings, plus rounding relative to the coefficient and, for c, to what it is
    where the map is another function at amplitudes of 1/√|d|.
    """
    numerator, q = resonance
    cosine = float(np.cos(2.0 * np.pi * numerator / q))
    degree = q - 1 if q <= LARGEST_DENOMINATOR else CUBIC
    phases = [(numerator, q), (-numerator, q)]
    runs = []
    try:
        Q, P = critical_space(A, (), [cosine])
        for count in SAMPLES:
            samples = count + max(degree - FIFTH_DEGREE, 0)
            G = reduce_to_manifold(iterate, orbit, p, A, Q, P, degree, samples)
            z = _in_eigenvectors(G, Q, 0)
            g = _normal(z, phases, tuple(range(2, max(degree, CUBIC))))
            d = (np.exp(-1j * np.arccos(cosine)) * _coefficient(g, 0, (2, 1))).real
            runs.append({"d": float(d), **({"c": abs(_coefficient(g, 0, (0, degree)))} if degree > CUBIC else {})})
    except (SingularSystem, np.linalg.LinAlgError):
        return {}, {}
    values = runs[0]
    sizes = {"d": 0.0, "c": abs(values["d"]) ** (0.5 * (q - 2))}
    errors = {
        name: abs(value - runs[1][name]) + FIFTH_DEGREE_ROUNDING * (abs(value) + sizes[name])
        for name, value in values.items()
    }
    return values, errors


def _ratio(a: float, b: float, da: float, db: float) -> tuple[float, float]:
    """a/b and its error; NaN and infinity where b may be 0."""
    if not abs(b) > SURE_POLE * db:
        return np.nan, np.inf
    return a / b, (da + abs(a / b) * db) / abs(b)


def _fold_flip(values: dict[str, float], errors: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    a, b, e, da, db, de = (table[name] for table in (values, errors) for name in ("a", "b", "e"))
    ratio, error = _ratio(a, e, da, de)
    return {"a/e": ratio, "be": b * e}, {"a/e": error, "be": abs(b) * de + abs(e) * db}


def _with_sign(
    kind: str, values: dict[str, float], errors: dict[str, float]
) -> tuple[dict[str, float], dict[str, float]]:
    """The coefficients with the sign s that decides, where there is one: 0 if it is not certain."""
    if kind not in ("R1", "fold-ns"):
        return values, errors
    a, b, da, db = values["a"], values["b"], errors["a"], errors["b"]
    other, uncertain = (b - 2.0 * a, db + 2.0 * da) if kind == "R1" else (b, db)
    sure = abs(a) > SURE_ERRORS * da and abs(other) > SURE_ERRORS * uncertain
    if kind == "fold-ns":
        theta, error = _ratio(values["c"], a, errors["c"], da)
        values, errors = {"a": a, "b": b, "theta": theta}, {"a": da, "b": db, "theta": error}
    return {**values, "s": float(np.sign(a * other)) if sure else 0.0}, {**errors, "s": 0.0 if sure else 1.0}


def _cosines(spectrum: Spectrum, count: int) -> list[float]:
    """κ of the complex pairs nearest the unit circle, by growing angle."""
    upper = spectrum.values[~spectrum.real & (spectrum.values.imag > 0)]
    nearest = upper[np.argsort(np.abs(np.abs(upper) - 1.0))[:count]]
    return sorted((float(value.real / abs(value)) for value in nearest), reverse=True)


def _of(kind: str, G: Polynomials, Q: np.ndarray, cosines: list[float]) -> dict[str, float]:
    if kind == "cusp":
        return {"c": _coefficient(G, 0, (3,)).real}
    if kind == "generalised flip":
        return {"c": _coefficient(_normal(G, [(1, 2)], (2, 3, 4)), 0, (5,)).real}
    if kind in ("R1", "R2"):
        return _defective(kind, transform(G, _jordan(G.parts[1], Q, cosines[0])))
    if kind == "fold-flip":
        g = _normal(G, [(0, 2), (1, 2)], (2,))
        a, b, e = (_coefficient(g, i, nu) for i, nu in ((0, (2, 0)), (0, (0, 2)), (1, (1, 1))))
        return {"a": a.real, "b": b.real, "e": e.real}
    return _with_pairs(kind, G, Q, cosines)


def _coefficient(G: Polynomials, component: int, exponent: tuple[int, ...]) -> complex:
    degree = sum(exponent)
    column = int(np.flatnonzero((exponents(G.variables, degree) == exponent).all(axis=1))[0])
    return complex(G.parts[degree][component, column])


def _normal(G: Polynomials, phases: list[tuple[int, int]], degrees: tuple[int, ...]) -> Polynomials:
    """G without what is not resonant; a phase (a, m) is e^{2πi a/m}, with m = 0 a multiple of an angle of its own."""

    def resonant(nu: np.ndarray, component: int) -> bool:
        for modulus in {m for _, m in phases}:
            total = sum(int(k) * a for k, (a, m) in zip(nu, phases, strict=True) if m == modulus)
            total -= phases[component][0] if phases[component][1] == modulus else 0
            if total % modulus if modulus > 0 else total:
                return False
        return True

    return normalise(G, resonant, degrees)


def _jordan(linear: np.ndarray, Q: np.ndarray, value: float) -> np.ndarray:
    """Columns q₀, q₁ with Λq₀ = λq₀, Λq₁ = λq₁ + q₀, |Q q₀| = 1 with its largest entry positive, and q₁ ⟂ q₀."""
    N = linear - value * np.eye(2)
    q0 = np.linalg.svd(N)[2][-1]
    whole = Q @ q0
    q0 = q0 * np.sign(whole @ fix_sign(whole)) / np.linalg.norm(whole)
    return np.column_stack([q0, np.linalg.lstsq(N, q0, rcond=DEFECTIVE)[0]])


def _defective(kind: str, G: Polynomials) -> dict[str, float]:
    if kind == "R1":
        a20, b20, b11 = 2 * _coefficient(G, 0, (2, 0)), 2 * _coefficient(G, 1, (2, 0)), _coefficient(G, 1, (1, 1))
        a, b = (0.5 * b20).real, (b11 + a20).real
        return {"a": a, "b": b}
    exact = Polynomials(2, {**G.parts, 1: np.array([[-1.0, 1.0], [0.0, -1.0]])})
    g = normalise(exact, lambda nu, component: False, (2,))
    C = _coefficient(g, 1, (3, 0)).real
    D = (_coefficient(g, 1, (2, 1)) + 3.0 * _coefficient(g, 0, (3, 0))).real
    return {"c": 4.0 * C, "d": -2.0 * D - 6.0 * C}


def _diagonal(linear: np.ndarray, Q: np.ndarray, reals: int) -> np.ndarray:
    """Real eigenvectors as they are, and q, q̄ of every pair with |Q q| = 1."""
    columns = list(np.eye(len(linear))[:reals].astype(complex))
    for j in range(reals, len(linear), 2):
        values, vectors = np.linalg.eig(linear[j : j + 2, j : j + 2])
        q = np.zeros(len(linear), dtype=complex)
        q[j : j + 2] = vectors[:, int(np.argmax(values.imag))]
        q = q / np.linalg.norm(Q @ q)
        columns += [q, q.conj()]
    return np.column_stack(columns)


def _in_eigenvectors(G: Polynomials, Q: np.ndarray, reals: int) -> Polynomials:
    """The map in the coordinates of :func:`_diagonal`, with its linear part diagonal to the bit."""
    z = transform(G, _diagonal(G.parts[1], Q, reals))
    return Polynomials(z.variables, {**z.parts, 1: np.diag(np.diag(z.parts[1]))})


def _with_pairs(kind: str, G: Polynomials, Q: np.ndarray, cosines: list[float]) -> dict[str, float]:
    reals = len(KINDS[kind].real)
    z = _in_eigenvectors(G, Q, reals)
    back = [np.exp(-1j * np.arccos(kappa)) for kappa in cosines]
    pick: Callable[[Polynomials, int, tuple[int, ...]], complex] = _coefficient
    if kind == "chenciner":
        g = _normal(z, [(1, 0), (-1, 0)], (2, 3, 4))
        c1, c2 = (pick(g, 0, nu) * back[0] for nu in ((2, 1), (3, 2)))
        return {"L2": c2.real + 0.5 * c1.imag**2}
    if kind == "R3":
        g = _normal(z, [(1, 3), (-1, 3)], (2,))
        b, c = pick(g, 0, (0, 2)), pick(g, 0, (2, 1))
        return {"a": float((back[0] * c).real / abs(b) ** 2 - 1.0) / 3.0}
    if kind == "R4":
        g = _normal(z, [(1, 4), (-1, 4)], (2,))
        A = -1j * pick(g, 0, (2, 1)) / abs(pick(g, 0, (0, 3)))
        return {"A.real": A.real, "A.imag": A.imag}
    if kind == "fold-ns":
        g = _normal(z, [(0, 2), (1, 0), (-1, 0)], (2,))
        a, b, c = pick(g, 0, (2, 0, 0)), pick(g, 0, (0, 1, 1)), pick(g, 1, (1, 1, 0))
        return {"a": a.real, "b": b.real, "c": (back[0] * c).real}
    return _moduli(kind, z, back)


def _moduli(kind: str, z: Polynomials, back: list[complex]) -> dict[str, float]:
    if kind == "flip-ns":
        g = _normal(z, [(1, 2), (1, 0), (-1, 0)], (2,))
        first = [-_coefficient(g, 0, nu).real for nu in ((3, 0, 0), (1, 1, 1))]
        second = [(back[0] * _coefficient(g, 1, nu)).real for nu in ((2, 1, 0), (0, 2, 1))]
    else:
        g = _two_angles(z)
        first = [(back[0] * _coefficient(g, 0, nu)).real for nu in ((2, 1, 0, 0), (1, 0, 1, 1))]
        second = [(back[1] * _coefficient(g, 2, nu)).real for nu in ((1, 1, 1, 0), (0, 0, 2, 1))]
    return dict(zip(("p11", "p12", "p21", "p22"), first + second))


def _two_angles(z: Polynomials) -> Polynomials:
    steps = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])  # multiples of the two angles
    return normalise(z, lambda nu, component: bool((nu @ steps == steps[component]).all()), (2,))
