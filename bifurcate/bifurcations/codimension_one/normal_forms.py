"""Normal-form coefficients of points of codimension one, by directional derivatives; with an error for every number.

With A the Jacobian of f^k at the point, B and C its second and third derivatives as multilinear forms, q and p the
right and left critical eigenvectors, |q| = 1 and <p, q> = 1 (Kuznetsov & Meijer, Numerical Bifurcation Analysis of
Maps, Cambridge 2019, section 3.2; Kuznetsov, Elements of Applied Bifurcation Theory, 2004, section 5.4):

    fold            a = 1/2 <p, B(q, q)>
    flip            b = 1/6 <p, C(q, q, q) + 3 B(q, (I − A)⁻¹ B(q, q))>
    Neimark–Sacker  d = 1/2 Re e^{−iθ} <p, C(q, q, q̄) + 2 B(q, (I − A)⁻¹ B(q, q̄)) + B(q̄, h)>,
                    (e^{2iθ} I − A) h = B(q, q)
    branch point    a = 1/2 <p, B(q, q)>, and where it vanishes (pitchfork) c = 1/6 <p, C(q, q, q) + 3 B(q, h)>,
                    h the solution of (I − A) h = B(q, q) − <p, B(q, q)> q with <p, h> = 0

b > 0: the doubled cycle is stable where it is born; d < 0: so is the invariant circle. No n × n × n tensor is formed,
but for a few unknowns: every form is a directional derivative, and for a cycle the forms are composed along it,

    B(u, v) ← B_j(Au, Av) + A_j B(u, v),   C(u, v, w) ← C_j(Au, Av, Aw) + B_j(B(u, v), Aw) + … + A_j C(u, v, w).

<p, f> needs no transposed operator: it is g(f)/g(q) with g the last unknown of (A − λ) x + w g = f, v*x = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.bordered_system import SingularSystem, bordered
from bifurcate.linalg.null_space import approximate_null_space, bordered_by, fix_sign
from bifurcate.linalg.operators import Operator, shifted
from bifurcate.maps.derivatives import curvature_by_five_points, slope_by_five_points
from bifurcate.maps.higher_derivatives import higher_derivatives
from bifurcate.maps.iterated_map import IteratedMap

__all__ = [
    "coefficients",
    "critical_multiplier",
    "leading_coefficients",
    "multiplier_functional",
    "neimark_sacker_coefficient",
    "resolvent",
]

Array = NDArray[Any]

NOT_SIMPLE = 1e8  # a null vector that (A − λ) reaches with a gain above this is in its range: <p, q> is 0 to √rounding
COARSER = 2.0  # by which factor the steps of the second evaluation are longer: truncation grows at least 16-fold
# Relative error of a coefficient above which steps of half the length are tried, while that lowers it ...
LARGEST_TRUNCATION = 1e-7
FINEST = 1.0 / 256.0  # ... down to this part of the usual ones
EXACT_ROUNDING = 1e-11  # rounding of a coefficient, in its own units and those of 1, with derivatives known to rounding
QUADRATIC_ROUNDING = 1e-9  # ... of a quadratic one where A itself comes from differences: 3e-13 over a step
CUBIC_ROUNDING = 2e-8  # ... of a cubic one: 3e-13 over the square of a step


@dataclass(frozen=True, eq=False)
class _Forms:
    """B and C of f^k at the start of an orbit; ``coarser`` multiplies the difference steps."""

    iterate: IteratedMap
    orbit: list[Array]
    p: Mapping[str, float]
    coarser: float = 1.0

    def _along(self, x: Array, v: Array, step: float) -> tuple[Callable[[float], Array], float]:
        step *= self.coarser * max(self.iterate.map.scale, float(np.abs(x).max())) / float(np.abs(v).max())
        one = IteratedMap(self.iterate.map, self.iterate.shape)
        return lambda t: one.jvp([x + t * v, x], v, self.p), step

    def _quadratic(self, x: Array, v: Array) -> Array:
        if not v.any():
            return np.zeros_like(v)
        return slope_by_five_points(*self._along(x, v, self.iterate.map.precision.bend_step))

    def _cubic(self, x: Array, v: Array) -> Array:
        if not v.any():
            return np.zeros_like(v)
        return curvature_by_five_points(*self._along(x, v, self.iterate.map.precision.curvature_step))

    def _bilinear(self, x: Array, u: Array, v: Array) -> Array:
        if u is v:
            return self._quadratic(x, u)
        # Polarised on directions of one length, so that neither drowns in the other.
        a, b = float(np.abs(u).max()), float(np.abs(v).max())
        if a == 0.0 or b == 0.0:
            return np.zeros_like(u)
        return np.asarray(0.25 * a * b * (self._quadratic(x, u / a + v / b) - self._quadratic(x, u / a - v / b)))

    def B(self, u: Array, v: Array) -> Array:
        """B(u, v) of f^k, bilinear over the complex numbers."""
        if np.iscomplexobj(u) or np.iscomplexobj(v):
            if u is v:
                return self.squares(u)[0]
            a, b, c, d = np.real(u), np.imag(u), np.real(v), np.imag(v)
            return np.asarray(self.B(a, c) - self.B(b, d) + 1j * (self.B(a, d) + self.B(b, c)))
        total = np.zeros_like(u)
        for x in self.orbit[:-1]:
            total = self._bilinear(x, u, v) + self._step(x, total)
            u, v = (self._step(x, u),) * 2 if u is v else (self._step(x, u), self._step(x, v))
        return total

    def squares(self, q: Array) -> tuple[Array, Array]:
        """B(q, q) and B(q, q̄) for a complex direction a + ib, of B(a, a), B(b, b) and B(a, b)."""
        a, b = q.real.copy(), q.imag.copy()
        aa, bb = self.B(a, a), self.B(b, b)
        return np.asarray(aa - bb + 2j * self.B(a, b)), aa + bb

    def cube(self, v: Array) -> Array:
        """C(v, v, v) of f^k for a real direction."""
        third, second = np.zeros_like(v), np.zeros_like(v)
        for x in self.orbit[:-1]:
            third = self._cubic(x, v) + 3.0 * self._bilinear(x, second, v) + self._step(x, third)
            second, v = self._quadratic(x, v) + self._step(x, second), self._step(x, v)
        return third

    def _step(self, x: Array, v: Array) -> Array:
        return IteratedMap(self.iterate.map, self.iterate.shape).jvp([x, x], v, self.p) if v.any() else v

    def cube_with_conjugate(self, q: Array) -> Array:
        """C(q, q, q̄) for a complex direction a + ib: C(a,a,a) + C(a,b,b) + i (C(a,a,b) + C(b,b,b)), polarised."""
        a, b = q.real.copy(), q.imag.copy()
        plus, minus, aaa, bbb = self.cube(a + b), self.cube(a - b), self.cube(a), self.cube(b)
        aab, abb = (plus - minus - 2.0 * bbb) / 6.0, (plus + minus - 2.0 * aaa) / 6.0
        return np.asarray(aaa + abb + 1j * (aab + bbb))


@dataclass(frozen=True, eq=False)
class _Tensors:
    """B and C of f^k as tensors: see :mod:`~bifurcate.maps.higher_derivatives`."""

    second: Array
    third: Array

    def B(self, u: Array, v: Array) -> Array:
        """B(u, v), bilinear over the complex numbers."""
        return np.asarray(self.second @ v @ u)

    def squares(self, q: Array) -> tuple[Array, Array]:
        """B(q, q) and B(q, q̄)."""
        along = self.second @ q
        return along @ q, np.asarray((along @ q.conj()).real)

    def cube(self, v: Array) -> Array:
        """C(v, v, v)."""
        return np.asarray(self.third @ v @ v @ v)

    def cube_with_conjugate(self, q: Array) -> Array:
        """C(q, q, q̄)."""
        return np.asarray(self.third @ q @ q @ q.conj())


def _forms(iterate: IteratedMap, orbit: list[Array], p: Mapping[str, float], coarser: float) -> _Forms | _Tensors:
    """B and C of f^k: as tensors where states are small, else by directional derivatives."""
    found = higher_derivatives(iterate, orbit, p, coarser)
    return _Forms(iterate, orbit, p, coarser) if found is None else _Tensors(found.B, found.C)


@dataclass(frozen=True, eq=False)
class _Critical:
    """The simple critical multiplier λ of A and its eigenvectors.

    Attributes
    ----------
    A : Operator
        The Jacobian of f^k.
    q : ndarray, shape (n,)
        The right eigenvector, |q| = 1. A real one has its largest entry positive: the signs of quadratic coefficients
        depend on that.
    pair : callable
        The functional f ↦ <p, f>, with <p, q> = 1.
    complement : callable
        f ↦ the solution x of (A − λ) x = f with <p, x> = 0, for <p, f> = 0.
    """

    A: Operator
    q: Array
    pair: Callable[[Array], complex]
    complement: Callable[[Array], Array]


def _critical(A: Operator, multiplier: complex, vector: Array | None = None) -> _Critical:
    """The critical eigenvector, sought unless it is known up to a factor, and what pairs with it."""
    n = A.shape[0]
    real = np.isreal(multiplier)
    target = float(np.real(multiplier)) if real else multiplier
    M = shifted(A, target)
    q = approximate_null_space(M, 1)[:, 0] if vector is None else vector / np.linalg.norm(vector)
    q = fix_sign(q) if real else q
    system = bordered_by(M, q[:, None], q[:, None])

    def component(f: Array) -> complex:
        return complex(system.solve(f, np.zeros(1))[1][0])

    unit = component(q)
    start = np.random.default_rng(n).standard_normal((n, 1))
    x, y = system.solve(start / np.linalg.norm(start), np.zeros((1, 1)))
    if not float(np.linalg.norm(x)) + abs(complex(y[0, 0])) < NOT_SIMPLE:  # q is in the range of A − λ: <p, q> = 0
        raise SingularSystem("the critical multiplier has an eigenvector fewer than its multiplicity")

    def complement(f: Array) -> Array:
        x = system.solve(f, np.zeros(1))[0]
        return np.asarray(x - (component(x) / unit).real * q)

    return _Critical(A, q, lambda f: component(f) / unit, complement)


def resolvent(A: Operator, target: complex, f: Array) -> Array:
    """(target·I − A)⁻¹ f, where that is not singular."""
    n = len(f)
    nothing = np.zeros((n, 0)), np.zeros((0, n)), np.zeros((0, 0))
    return -bordered(shifted(A, target), *nothing).solve(f, np.zeros(0))[0]


def critical_multiplier(kind: str, angle: float) -> complex:
    """The critical multiplier of a kind: −1 of a flip, e^{iθ} of a Neimark–Sacker point, 1 of the others."""
    return complex({"flip": -1.0, "neimark-sacker": np.exp(1j * angle)}.get(kind, 1.0))


def multiplier_functional(A: Operator, multiplier: complex) -> tuple[Array, Callable[[Array], complex]]:
    """The unit eigenvector q of a simple multiplier of A, and the functional f ↦ <p, f> with <p, q> = 1.

    Raises
    ------
    SingularSystem
        If the multiplier is not simple.
    """
    at = _critical(A, multiplier)
    return at.q, at.pair


def _fold(at: _Critical, forms: _Forms | _Tensors) -> dict[str, float]:
    return {"a": 0.5 * at.pair(forms.B(at.q, at.q)).real}


def _flip(at: _Critical, forms: _Forms | _Tensors) -> dict[str, float]:
    q = at.q
    h = resolvent(at.A, 1.0, forms.B(q, q))
    return {"b": at.pair(forms.cube(q) + 3.0 * forms.B(q, h)).real / 6.0}


def _neimark_sacker(at: _Critical, forms: _Forms | _Tensors, angle: float) -> complex:
    q, turn = at.q, np.exp(1j * angle)
    square, mixed = forms.squares(q)
    flat = resolvent(at.A, 1.0, mixed)
    second = resolvent(at.A, complex(turn**2), square)
    total = forms.cube_with_conjugate(q) + 2.0 * forms.B(q, flat) + forms.B(q.conj(), second)
    return complex(0.5 * at.pair(total) / turn)


def _branch_point(at: _Critical, forms: _Forms | _Tensors) -> dict[str, float]:
    q, bend = at.q, forms.B(at.q, at.q)
    along = at.pair(bend).real
    h = -at.complement(bend - along * q)  # (I − A) h = the rest of B(q, q)
    return {"a": 0.5 * along, "c": at.pair(forms.cube(q) + 3.0 * forms.B(q, h)).real / 6.0}


def coefficients(
    kind: str, iterate: IteratedMap, orbit: list[Array], p: Mapping[str, float], angle: float = 0.0
) -> tuple[dict[str, float], dict[str, float]]:
    """The normal-form coefficients at a simple point of codimension one, and their errors.

    Parameters
    ----------
    kind : str
        "fold", "flip", "neimark-sacker" or "branch point".
    iterate : IteratedMap
        f^k with k the period of the point.
    orbit : list of ndarray, each of shape (n,)
        The state and its images under f, as :meth:`~.iterated_map.IteratedMap.orbit` gives them.
    p : mapping
        All parameters.
    angle : float
        θ of the critical multiplier e^{iθ}, for Neimark–Sacker points.

    Returns
    -------
    values, errors : dict
        By the coefficients' names. An error is the change under difference steps twice as long, plus rounding (of d as
        the real part of a complex number, whose imaginary part may be far larger); both
        dicts are empty where a linear system on the way is singular: a resonance, or a multiplier that is not simple
        though it has one eigenvector only, as in maps that preserve areas.
    """
    A = iterate.jacobian(orbit, p)
    found, coarser = _at_steps(kind, iterate, orbit, p, A, angle, (1.0, COARSER))
    values, errors = _with_errors(iterate, found, coarser, 1.0)
    steps, is_falling = 1.0, not iterate.map.precision.is_noisy
    while is_falling and _is_truncated(iterate, values, errors) and steps > FINEST:
        steps, coarser = steps / COARSER, found
        (found,) = _at_steps(kind, iterate, orbit, p, A, angle, (steps,))
        finer, finer_errors = _with_errors(iterate, found, coarser, steps)
        is_falling = all(finer_errors[name] < errors[name] for name in errors) and bool(errors)
        if is_falling:
            values, errors = finer, finer_errors
    return values, errors


def _with_errors(
    iterate: IteratedMap, found: dict[str, complex], coarser: dict[str, complex], steps: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Coefficients and their errors: the change under steps twice as long, and rounding, more for shorter steps."""
    if found.keys() != coarser.keys():
        return {}, {}
    values = {name: value.real for name, value in found.items()}
    # In units of the state a quadratic coefficient is of size 1/scale, a cubic one of 1/scale².
    powers = {name: 1 if name == "a" else 2 for name in values}
    units = {name: iterate.map.scale ** powers[name] for name in values}
    size = 1.0 + max((abs(value) * units[name] for name, value in found.items()), default=0.0)
    errors = {
        name: abs(found[name] - coarser[name]) + _rounding(iterate, name) * size / units[name] / steps ** powers[name]
        for name in values
    }
    return values, errors


def _is_truncated(iterate: IteratedMap, values: dict[str, float], errors: dict[str, float]) -> bool:
    """True if an error is far more than rounding: f bends over lengths much shorter than the size of the state."""
    return any(
        error > LARGEST_TRUNCATION * max(abs(values[name]), iterate.map.scale ** -(1 if name == "a" else 2))
        for name, error in errors.items()
    )


def _rounding(iterate: IteratedMap, name: str) -> float:
    """The rounding error of a coefficient: larger where the map's derivatives are differences themselves.

    Their error, 3e-13, is divided by a step's length for "a" and by its square for the cubic ones.
    """
    levels = iterate.map.precision
    noise = levels.bend_error if name == "a" else levels.curvature_error  # 0 where f is exact to rounding
    if iterate.exact:
        return max(EXACT_ROUNDING, noise)
    return max(QUADRATIC_ROUNDING if name == "a" else CUBIC_ROUNDING, noise)


def neimark_sacker_coefficient(
    iterate: IteratedMap, orbit: list[Array], p: Mapping[str, float], angle: float
) -> tuple[complex, float] | None:
    """D = d + i Im D of the normal form w ↦ e^{iθ} w (1 + D |w|²), and the error of either part.

    None where a linear system on the way is singular.
    """
    try:
        at = _critical(iterate.jacobian(orbit, p), complex(np.exp(1j * angle)))
        value, coarser = (_neimark_sacker(at, _forms(iterate, orbit, p, steps), angle) for steps in (1.0, COARSER))
    except SingularSystem:
        return None
    return value, abs(value - coarser) + _rounding(iterate, "d") * (1.0 + abs(value))


def leading_coefficients(
    kind: str,
    iterate: IteratedMap,
    orbit: list[Array],
    p: Mapping[str, float],
    A: Operator,
    angle: float = 0.0,
    vector: Array | None = None,
) -> dict[str, float]:
    """The values of :func:`coefficients` without errors, at less than half the cost.

    Orbit and Jacobian are known, and perhaps the critical eigenvector up to a factor.
    """
    found = _at_steps(kind, iterate, orbit, p, A, angle, (1.0,), vector)[0]
    return {name: value.real for name, value in found.items()}


def _at_steps(
    kind: str,
    iterate: IteratedMap,
    orbit: list[Array],
    p: Mapping[str, float],
    A: Operator,
    angle: float,
    steps: tuple[float, ...],
    vector: Array | None = None,
) -> list[dict[str, complex]]:
    """The coefficients for each length of the difference steps; empty where a linear system on the way is singular."""
    try:
        at = _critical(A, critical_multiplier(kind, angle), vector)
        found = [_of(kind, at, _forms(iterate, orbit, p, coarser), angle) for coarser in steps]
        return [{name: complex(value) for name, value in each.items()} for each in found]
    except SingularSystem:
        return [{} for _ in steps]


def _of(kind: str, at: _Critical, forms: _Forms | _Tensors, angle: float) -> Mapping[str, complex]:
    if kind == "fold":
        return _fold(at, forms)
    if kind == "flip":
        return _flip(at, forms)
    if kind == "neimark-sacker":
        return {"d": _neimark_sacker(at, forms, angle)}
    return _branch_point(at, forms)
