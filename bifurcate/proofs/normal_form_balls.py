"""Normal-form coefficients of proved points, as balls.

The formulas and the normalisation are those of ``bifurcations/codimension_one/normal_forms.py`` (Kuznetsov & Meijer,
Numerical Bifurcation Analysis of Maps, Cambridge 2019, section 3.2). The forms B and C of f^k come from f^k on power
series, so that no difference is taken: with h = (I − A)⁻¹ B(q, q)

    [t²] f^k(x + t q)              = B(q, q)/2
    [t³] f^k(x + t q + t² h/2)     = (C(q, q, q) + 3 B(q, h))/6

and <p, f> is g(f)/g(q) with g the last unknown of (A − λ) x + w g = f, v*x = 0, solved on balls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from bifurcate.errors import NotProved
from bifurcate.proofs.balls import Ball, Matrix, column, nearest
from bifurcate.proofs.evaluation import BallMap
from bifurcate.proofs.jets import Jet

__all__ = ["Taylor", "coefficient_balls", "cycle_jacobian", "pairing", "unit_vector"]

Balls = Sequence[Ball]


def cycle_jacobian(ball_map: BallMap, points: Sequence[Balls], free: Ball | None) -> Matrix:
    """J_{k−1} ⋯ J₀ along a cycle of states of balls (n each)."""
    total: Matrix | None = None
    for x in points:
        _, J, _ = ball_map.derivatives(x, free)
        total = J if total is None else J * total
    return total


@dataclass(frozen=True, eq=False)
class Taylor:
    """f^k on power series at one point of a cycle.

    Attributes
    ----------
    ball_map : BallMap
    period : int
    state : sequence of balls, shape (n,)
    free : ball or None
    """

    ball_map: BallMap
    period: int
    state: Balls
    free: Ball | None

    def coefficient(self, order: int, *directions: Balls) -> list[Ball]:
        """[t^order] of f^k(x + t d₁ + t² d₂ + …)."""
        zero = flint.arb(0)
        series: list[Jet] = []
        for a, x in enumerate(self.state):
            terms = [direction[a] for direction in directions][:order]
            terms += [zero] * (order - len(terms))
            series.append(Jet([(x, {}), *((term, {}) for term in terms)]))
        p = self.ball_map.values(self.free)
        for _ in range(self.period):
            series = self.ball_map(series, p)
        return [each.coefficient(order)[0] for each in series]

    def quadratic(self, d: Balls) -> list[Ball]:
        """B(d, d)."""
        return [2 * each for each in self.coefficient(2, d)]

    def bilinear(self, u: Balls, v: Balls) -> list[Ball]:
        """B(u, v) = [B(u + v, u + v) − B(u − v, u − v)]/4."""
        plus = self.quadratic([a + b for a, b in zip(u, v)])
        minus = self.quadratic([a - b for a, b in zip(u, v)])
        return [(a - b) / 4 for a, b in zip(plus, minus)]

    def cubic(self, d: Balls) -> list[Ball]:
        """C(d, d, d)."""
        return [6 * each for each in self.coefficient(3, d)]


def unit_vector(v: Balls) -> list[Ball]:
    """v with length 1 and its largest entry positive, as the sign of quadratic coefficients asks for."""
    length = sum((x * x for x in v), flint.arb(0)).sqrt()
    largest = max(range(len(v)), key=lambda i: abs(nearest(v[i])))
    sign = 1 if nearest(v[largest]) > 0.0 else -1
    return [sign * x / length for x in v]


def solved(M: Matrix, right: Matrix) -> Matrix:
    """The solution of M x = right on balls.

    Raises
    ------
    NotProved
        If M is not shown to be regular.
    """
    try:
        return M.solve(right)
    except ZeroDivisionError as error:
        raise NotProved(
            "a linear system of the normal form is not shown to be regular: a multiplier is not simple, or a resonance "
            "is too near"
        ) from error


def pairing(A: Matrix, target: Any, q: Sequence[Any]) -> Callable[[Sequence[Any]], Any]:
    """The functional f ↦ <p, f> with p the left eigenvector of A at a simple multiplier, <p, q> = 1.

    Parameters
    ----------
    A : arb_mat, shape (n, n)
    target : arb or acb
        The multiplier λ.
    q : sequence of arb or acb
        The right eigenvector.
    """
    n = A.nrows()
    is_complex = isinstance(target, flint.acb)
    kind = flint.acb_mat if is_complex else flint.arb_mat
    M = kind(n + 1, n + 1)
    for i in range(n):
        for j in range(n):
            M[i, j] = A[i, j] - (target if i == j else 0)
        M[i, n] = _middle(q[i])
        M[n, i] = _middle(q[i]).conjugate() if is_complex else _middle(q[i])
    # g(f) is linear: its row is the last one of the inverse.
    last = kind(n + 1, 1)
    last[n, 0] = 1
    row = solved(M.transpose(), last)

    def component(f: Sequence[Any]) -> Any:
        return sum((row[i, 0] * f[i] for i in range(n)), 0 * target)

    unit = component(q)
    return lambda f: component(f) / unit


def _middle(x: Any) -> Any:
    return flint.acb(x.real.mid(), x.imag.mid()) if isinstance(x, flint.acb) else x.mid()


def _resolvent(A: Matrix, target: Any, f: Sequence[Any]) -> list[Any]:
    """(target · I − A)⁻¹ f."""
    n = A.nrows()
    is_complex = isinstance(target, flint.acb)
    kind = flint.acb_mat if is_complex else flint.arb_mat
    M = kind(n, n)
    for i in range(n):
        for j in range(n):
            M[i, j] = (target if i == j else 0) - A[i, j]
    x = solved(M, kind(n, 1, list(f)))
    return [x[i, 0] for i in range(n)]


def coefficient_balls(
    kind: str, taylor: Taylor, A: Matrix, vector: Balls, imaginary: Balls = (), turn: Balls = ()
) -> dict[str, Ball]:
    """The normal-form coefficients at a proved point.

    Parameters
    ----------
    kind : str
        "fold", "flip", "neimark-sacker" or "branch point".
    taylor : Taylor
        f^k at the point.
    A : Matrix
        Its Jacobian.
    vector, imaginary : sequences of balls, shape (n,)
        The critical vector, and its imaginary part.
    turn : (ball, ball)
        cos θ and sin θ at Neimark–Sacker points.
    """
    if kind == "neimark-sacker":
        return _neimark_sacker(taylor, A, vector, imaginary, turn)
    q = unit_vector(vector)
    pair = pairing(A, flint.arb(-1 if kind == "flip" else 1), q)
    bend = taylor.quadratic(q)
    if kind == "fold":
        return {"a": pair(bend) / 2}
    if kind == "flip":
        h = _resolvent(A, flint.arb(1), bend)
        return {"b": pair(taylor.coefficient(3, q, [x / 2 for x in h]))}
    along = pair(bend)
    h = _complement(A, q, [b - along * x for b, x in zip(bend, q)], pair)
    return {"a": along / 2, "c": pair(taylor.coefficient(3, q, [x / 2 for x in h]))}


def _complement(A: Matrix, q: Balls, f: Balls, pair: Callable[[Balls], Ball]) -> list[Ball]:
    """h with (I − A) h = f and <p, h> = 0, for <p, f> = 0: from the system bordered by q."""
    n = A.nrows()
    M = flint.arb_mat(n + 1, n + 1)
    for i in range(n):
        for j in range(n):
            M[i, j] = (1 if i == j else 0) - A[i, j]
        M[i, n] = q[i]
        M[n, i] = q[i].mid()
    x = solved(M, column([*f, flint.arb(0)]))
    h = [x[i, 0] for i in range(n)]
    along = pair(h)
    return [each - along * b for each, b in zip(h, q)]


def _neimark_sacker(taylor: Taylor, A: Matrix, a: Balls, b: Balls, turn: Balls) -> dict[str, Ball]:
    """d = ½ Re e^{−iθ} <p, C(q, q, q̄) + 2 B(q, (I − A)⁻¹ B(q, q̄)) + B(q̄, h)>, (e^{2iθ} I − A) h = B(q, q)."""
    length = sum((x * x + y * y for x, y in zip(a, b)), flint.arb(0)).sqrt()
    a, b = [x / length for x in a], [y / length for y in b]
    q = [flint.acb(x, y) for x, y in zip(a, b)]
    target = flint.acb(turn[0], turn[1])
    aa, bb, ab = taylor.quadratic(a), taylor.quadratic(b), taylor.bilinear(a, b)
    flat = _resolvent(A, flint.arb(1), [x + y for x, y in zip(aa, bb)])
    second = _resolvent(A, target * target, [flint.acb(x - y, 2 * z) for x, y, z in zip(aa, bb, ab)])
    # B(q, flat), flat real; B(q̄, h) with h = u + iv: B(a, u) + B(b, v) + i (B(a, v) − B(b, u)).
    with_flat = [flint.acb(x, y) for x, y in zip(taylor.bilinear(a, flat), taylor.bilinear(b, flat))]
    u, v = [x.real for x in second], [x.imag for x in second]
    au, bv, av, bu = taylor.bilinear(a, u), taylor.bilinear(b, v), taylor.bilinear(a, v), taylor.bilinear(b, u)
    with_second = [flint.acb(w + x, y - z) for w, x, y, z in zip(au, bv, av, bu)]
    # C(q, q, q̄) = C(a,a,a) + C(a,b,b) + i (C(a,a,b) + C(b,b,b)), polarised.
    plus = taylor.cubic([x + y for x, y in zip(a, b)])
    minus = taylor.cubic([x - y for x, y in zip(a, b)])
    aaa, bbb = taylor.cubic(a), taylor.cubic(b)
    cube = [flint.acb(w + (p + m - 2 * w) / 6, z + (p - m - 2 * z) / 6) for p, m, w, z in zip(plus, minus, aaa, bbb)]
    total = [x + 2 * y + z for x, y, z in zip(cube, with_flat, with_second)]
    return {"d": (pairing(A, target, q)(total) / target).real / 2}


def numeric_null_vector(J: np.ndarray, target: complex) -> np.ndarray:
    """The unit vector that J − target shortens most, in doubles: an approximation that is proved later."""
    _, _, V = np.linalg.svd(J - target * np.eye(len(J)))
    v = V[-1].conj()
    v = v * (abs(v[np.argmax(np.abs(v))]) / v[np.argmax(np.abs(v))])
    return np.asarray(v.real if np.isreal(target) else v)
