"""Tubes: pieces of a curve of cycles, proved around a chord.

The unknowns are U = (x₀, …, x_{k−1}, p). Along the chord ū(s) = a + s d, s ∈ S = [−δ, 1 + δ], consider

    G(u; s) = ( F(u),  t·(u − ū(s)) ) = 0,        T(u) = u − A G(u; s),

with t the chord's direction and A an approximate inverse of DG in the middle, both of doubles. If, entry by entry,

    Yᵢ + Σⱼ Eᵢⱼ rⱼ < rᵢ,    Yᵢ ≥ sup over s |A (F(ū(s)), 0)|ᵢ,    E ≥ sup |I − A DG(u)| on all boxes ū(s) ± r,

then T contracts the box ū(s) ± r for each s, uniformly: for each s there is exactly one solution u(s) in it, it depends
smoothly on s, and DG is regular there. So the curve in the tube is one arc without branch points, on which t·u grows.
Y uses the second derivative along the chord: F(ū(s)) differs from the interpolant of its ends by at most
max |s(s − 1)|/2 · sup |F''[d, d]|. (Contraction uniform in s: Breden, Lessard & Vanicat, Acta Appl. Math. 128 (2013)
113; van den Berg, Lessard & Mischaikow, Math. Comp. 79 (2010) 1565.)

Y and E are rounded up, the inequality is decided on balls, and a, d, t, A, r are doubles taken as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import flint
import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import NotProved
from bifurcate.proofs.balls import Ball, Matrix, ball, column, magnitude, matrix, nearest, nearest_matrix
from bifurcate.proofs.evaluation import BallMap, Subspace
from bifurcate.proofs.jets import Jet, Undecided

__all__ = ["CycleCurve", "Tube", "corrected", "prove_tube", "section"]

Vector = NDArray[np.float64]

OVERLAP = 1e-3  # δ: far more than two chords' planes through one node are apart, too little to cost contraction
ROUNDS = 4  # radii that are tried: each is the image of the last one, enlarged
ENLARGED = 1.5  # by which factor
FLOOR = 1e-13  # least radius in units of the weights: above the rounding of a node, so that the next tube holds its end
SECTION_STEPS = 3  # Krawczyk steps at an end: each squares the radius
CORRECTIONS = 4  # Newton steps that bring a node onto the curve, in doubles


@dataclass(frozen=True, eq=False)
class CycleCurve:
    """F(U) = (f(x_i; p) − x_{i+1}): k m equations in k m + 1 unknowns.

    Attributes
    ----------
    ball_map : BallMap
        With the free parameter.
    period : int
    subspace : Subspace
    scale, parameter_scale : float
        Units of state and parameter.
    """

    ball_map: BallMap
    period: int
    subspace: Subspace
    scale: float
    parameter_scale: float

    @property
    def size(self) -> int:
        """k m."""
        return self.period * self.subspace.size

    @cached_property
    def weights(self) -> Vector:
        """Units of the unknowns, shape (k m + 1,)."""
        return np.append(np.full(self.size, self.scale), self.parameter_scale)

    def points(self, u: Sequence[Ball]) -> list[list[Ball]]:
        """The points of the cycle, k × n."""
        m = self.subspace.size
        return [self.subspace.lift(u[i * m : (i + 1) * m]) for i in range(self.period)]

    def cycle_states(self, node: Vector) -> Vector:
        """The points of the cycle at a node in doubles, shape (k, n): nearest doubles, for drawing."""
        rows = node[:-1].reshape(self.period, self.subspace.size)
        return np.asarray(rows if self.subspace.is_whole else rows @ self.subspace.basis.T)

    def _difference(self, image: Sequence[Ball], u: Sequence[Ball], i: int) -> list[Ball]:
        m, j = self.subspace.size, (i + 1) % self.period
        following = self.subspace.lift(u[j * m : (j + 1) * m])
        difference = self.ball_map.reduced([a - b for a, b in zip(image, following)])
        return [difference[r] for r in self.subspace.rows]

    def residual(self, u: Sequence[Ball]) -> list[Ball]:
        """F."""
        out: list[Ball] = []
        for i, x in enumerate(self.points(u)):
            out += self._difference(self.ball_map.image(x, u[-1]), u, i)
        return out

    def derivative(self, u: Sequence[Ball]) -> Matrix:
        """DF, (k m) × (k m + 1)."""
        m, k = self.subspace.size, self.period
        DF = flint.arb_mat(k * m, k * m + 1)
        for i in range(k):
            _, J, slope = self.ball_map.derivatives(u[i * m : (i + 1) * m], u[-1], self.subspace)
            j = (i + 1) % k
            for a, r in enumerate(self.subspace.rows):
                for b in range(m):
                    DF[i * m + a, i * m + b] += J[r, b]
                    DF[i * m + a, j * m + b] -= float(self.subspace.basis[r, b])
                DF[i * m + a, k * m] = slope[r]
        return DF

    def curvature(self, u: Sequence[Ball], d: Sequence[Ball]) -> list[Ball]:
        """F''[d, d] on a box."""
        m, out = self.subspace.size, []
        directions = self.points(d)
        p = Jet(((u[-1], {}), (d[-1], {}), (flint.arb(0), {})))
        values = self.ball_map.values(p)
        for i, x in enumerate(self.points(u)):
            series = [Jet(((v, {}), (e, {}), (flint.arb(0), {}))) for v, e in zip(x, directions[i])]
            image = self.ball_map(series, values)
            out += [2 * image[r].coefficient(2)[0] for r in self.subspace.rows]
        assert len(out) == self.period * m
        return out


@dataclass(frozen=True, eq=False)
class Tube:
    """A proved piece of a curve.

    Attributes
    ----------
    curve : CycleCurve
    start, chord : ndarray, shape (N,)
        a and d.
    normal : ndarray, shape (N,)
        t.
    radii : ndarray, shape (N,)
        r: the box in which the curve's point is the only solution.
    within : ndarray, shape (N,)
        The curve's point lies this near the chord. Rounded up.
    """

    curve: CycleCurve
    start: Vector
    chord: Vector
    normal: Vector
    radii: Vector
    within: Vector

    def box(self, low: float = -OVERLAP, high: float = 1.0 + OVERLAP) -> list[Ball]:
        """A box that holds the curve for s from ``low`` to ``high``, within [−δ, 1 + δ]."""
        s = _interval(low, high)
        return [ball(a) + s * ball(d) + flint.arb(0, r) for a, d, r in zip(self.start, self.chord, self.within)]

    def place(self, u: Sequence[Ball]) -> Ball:
        """The s at which the plane of the tube through u stands."""
        across = sum((ball(t) * (x - ball(a)) for t, x, a in zip(self.normal, u, self.start)), flint.arb(0))
        return across / sum((ball(t) * ball(d) for t, d in zip(self.normal, self.chord)), flint.arb(0))

    def holds(self, u: Sequence[Ball], low: float = -OVERLAP, high: float = 1.0 + OVERLAP) -> bool:
        """True if a solution of F in the box u is a point of the tube's curve, with s between the bounds given."""
        s = self.place(u)
        if not (bool(s >= low) and bool(s <= high)):
            return False
        return all(
            bool(abs(x - ball(a) - s * ball(d)) <= ball(r)) for x, a, d, r in zip(u, self.start, self.chord, self.radii)
        )


def _interval(low: float, high: float) -> Ball:
    return ball(low).union(ball(high))


def prove_tube(curve: CycleCurve, a: Vector, d: Vector, *, radii: Vector | None = None) -> Tube:
    """Prove the piece of a curve along a chord.

    Parameters
    ----------
    curve : CycleCurve
    a, d : ndarray, shape (N,)
        A node on the curve or near it, and the chord from there to the next one.
    radii : ndarray, shape (N,), optional
        The box that is to be tried; by default one is found.

    Raises
    ------
    NotProved
        If the contraction is not shown.
    """
    t = d / curve.weights**2
    t = t / float(np.max(np.abs(t)))
    A, exact = _inverse(curve, a + 0.5 * d, t)
    Y = _defect(curve, A, a, d)
    r = 2.0 * Y + FLOOR * curve.weights if radii is None else radii
    s = _interval(-OVERLAP, 1.0 + OVERLAP)
    for _ in range(ROUNDS if radii is None else 1):
        box = [ball(x) + s * ball(e) + flint.arb(0, float(w)) for x, e, w in zip(a, d, r)]
        E = _variation(curve, exact, box, t)
        if E is None:
            raise NotProved("f cannot be evaluated on the tube: a pole, or a kink, or too long a step")
        image = _image(Y, E, r)
        if bool(np.all(image < r)):
            return Tube(curve, a, d, t, r, image)
        if not np.isfinite(image).all() or float(np.max(image / r)) > 1e3:
            break
        r = ENLARGED * np.maximum(image, r / ENLARGED)
    raise NotProved("Newton's method along the chord could not be shown to contract")


def _inverse(curve: CycleCurve, u: Vector, t: Vector) -> tuple[Matrix, Matrix]:
    """An approximate inverse of DG at u: its first N − 1 columns, and all of it."""
    DF = nearest_matrix(curve.derivative([ball(x) for x in u]))
    DG = np.vstack([DF.reshape(curve.size, curve.size + 1), t])
    if not np.isfinite(DG).all():
        raise NotProved("the derivative is not finite: a pole of the map, or an overflow")
    try:
        A = np.linalg.inv(DG)
    except np.linalg.LinAlgError as error:
        raise NotProved("the curve is singular there") from error
    if not np.isfinite(A).all():
        raise NotProved("the curve is singular there")
    return matrix(A[:, :-1]), matrix(A)


def _defect(curve: CycleCurve, A: Matrix, a: Vector, d: Vector) -> Vector:
    """Y: sup over the chord of |A (F, 0)|, rounded up."""
    if curve.size == 0:
        return np.zeros(1)
    start, chord = [ball(x) for x in a], [ball(x) for x in d]
    s = _interval(-OVERLAP, 1.0 + OVERLAP)
    along = [x + s * e for x, e in zip(start, chord)]
    first = A * column(curve.residual(start))
    last = A * column(curve.residual([x + e for x, e in zip(start, chord)]))
    bend = A * column(curve.curvature(along, chord))
    # |1 − s| + |s| ≤ 1 + 2δ, and |s(s − 1)|/2 ≤ 1/8 on S since δ(1 + δ) < 1/4.
    stretch = 1 + 2 * ball(OVERLAP)
    found = []
    for i in range(len(a)):
        ends = max(magnitude(first[i, 0]), magnitude(last[i, 0]))
        found.append(magnitude(stretch * ball(ends) + abs(bend[i, 0]) / 8) if np.isfinite(ends) else np.nan)
    if not np.isfinite(found).all():
        raise NotProved("f is not finite along the chord")
    return np.array(found)


def _variation(curve: CycleCurve, A: Matrix, box: Sequence[Ball], t: Vector) -> list[list[Ball]] | None:
    """E: sup of |I − A DG| on a box, entry by entry, as balls of which the upper ends count."""
    n = curve.size + 1
    try:
        DF = curve.derivative(box)
    except Undecided:
        return None
    entries = [*DF.entries(), *(ball(x) for x in t)]
    product = A * flint.arb_mat(n, n, entries)
    return [[abs((1 if i == j else 0) - product[i, j]) for j in range(n)] for i in range(n)]


def _image(Y: Vector, E: list[list[Ball]], r: Vector) -> Vector:
    """Y + E r, rounded up."""
    radii = [ball(x) for x in r]
    return np.array([magnitude(sum((e * x for e, x in zip(row, radii)), ball(y))) for y, row in zip(Y.tolist(), E)])


def section(tube: Tube, at: float) -> list[Ball]:
    """A narrow enclosure of the curve's point at s = 0 or 1, by Krawczyk's operator in the plane there."""
    curve, t = tube.curve, tube.normal
    origin = [ball(x) + ball(at) * ball(e) for x, e in zip(tube.start, tube.chord)]
    box = [x + flint.arb(0, float(r)) for x, r in zip(origin, tube.within)]
    try:
        _, A = _inverse(curve, np.array([nearest(x) for x in box]), t)
    except NotProved:
        return box
    normal = [ball(x) for x in t]
    n = curve.size + 1
    for _ in range(SECTION_STEPS):
        centre = [x.mid() for x in box]
        try:
            DG = flint.arb_mat(n, n, [*curve.derivative(box).entries(), *normal])
            plane = sum((x * (c - o) for x, c, o in zip(normal, centre, origin)), flint.arb(0))
            move = A * column([*curve.residual(centre), plane])
        except Undecided:
            return box
        apart = [x - c for x, c in zip(box, centre)]
        product = A * DG
        new = []
        for i, x in enumerate(box):
            spread = sum((((1 if i == j else 0) - product[i, j]) * apart[j] for j in range(n)), flint.arb(0))
            image = centre[i] - move[i, 0] + spread
            new.append(x.intersection(image) if image.is_finite() else x)
        shrinks = any(float(y.rad()) < 0.5 * float(x.rad()) for x, y in zip(box, new))
        box = new
        if not shrinks:
            break
    return box


def corrected(curve: CycleCurve, u: Vector, t: Vector | None = None) -> Vector:
    """A node brought onto the curve by Newton's method in doubles, across t, or by the shortest steps."""
    for _ in range(CORRECTIONS):
        here = [ball(x) for x in u]
        F = np.array([nearest(x) for x in curve.residual(here)])
        DF = nearest_matrix(curve.derivative(here)).reshape(curve.size, curve.size + 1)
        if not (np.isfinite(F).all() and np.isfinite(DF).all()):
            return u
        if curve.size == 0:
            return u
        scaled = DF * curve.weights
        if t is None:
            step = curve.weights * np.linalg.lstsq(scaled, F, rcond=None)[0]
        else:
            try:
                step = np.linalg.solve(np.vstack([DF, t]), np.append(F, 0.0))
            except np.linalg.LinAlgError:
                return u
        u = u - step
        if float(np.max(np.abs(step) / curve.weights)) < 1e-15:
            break
    return u
