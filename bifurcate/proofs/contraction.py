"""One zero of a square system, proved: the Newton–Kantorovich theorem in a weighted maximum norm.

With z̄ an approximate zero of F, A an approximate inverse of DF(z̄), both of doubles and taken as they are, and the norm
‖d‖ = max |dᵢ|/wᵢ, let

    Y ≥ ‖A F(z̄)‖,        Z(ρ) ≥ sup {‖I − A DF(z)‖ : ‖z − z̄‖ ≤ ρ}.

If Y + Z(ρ) ρ < ρ, then z ↦ z − A F(z) maps the ball of radius ρ into itself and contracts it: F has exactly one zero
there, it lies within Y/(1 − Z(ρ)) of z̄, and DF is regular on the ball (Kantorovich; Rump, Acta Numerica 19 (2010) 287,
section 13). Y and Z come from balls, hence hold for every rounding; both are rounded up, ρ is a double, and the
inequality is decided on balls. Then Krawczyk's operator, z̄ − A F(z̄) + (I − A DF(Z)) (Z − z̄) ∩ Z, makes the enclosure
as narrow as the precision allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import flint
import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import NotProved
from bifurcate.proofs.balls import (
    Ball,
    Matrix,
    ball,
    column,
    magnitude,
    matrix,
    nearest,
    nearest_matrix,
    upper_bound,
    widened,
)
from bifurcate.proofs.jets import Undecided

__all__ = ["REACH", "SquareSystem", "Zero", "enclose_zero", "polish", "weighted_norm"]

Vector = NDArray[np.float64]

# How far Newton's method may take the zero from where it was claimed, in the units of the weights: a point that was
# located is good to 1e-6 at worst (folds of cycles with large multipliers), and what lies farther is another claim.
REACH = 1e-4

POLISHING_STEPS = 8  # Newton steps before the proof: located points need one or two, rough guesses a few more
NARROWINGS = 4  # Krawczyk steps after it: each squares the radius, down to the precision
# First ρ, in units of the weights: the bound Z is about linear in ρ, and the next ρ follows from it.
FIRST_RADIUS = 1e-3
TRIALS = 9  # values of ρ that are tried; each costs one evaluation of DF on a ball
FILLED = 0.8  # which part of the radius at which Z would reach 1, by its slope, is tried next
LEAST_GAIN = 1.2  # a larger radius of uniqueness by less than this factor is not worth an evaluation


class SquareSystem(Protocol):
    """N equations in N unknowns."""

    @property
    def weights(self) -> Vector:
        """Units of the unknowns, shape (N,)."""

    def residual(self, z: Sequence[Ball]) -> list[Ball]:
        """F at a point or on a ball."""

    def linearise(self, z: Sequence[Ball]) -> tuple[list[Ball], Matrix]:
        """F and DF at a point or on a ball."""


@dataclass(frozen=True, eq=False)
class Zero:
    """A zero that was proved.

    Attributes
    ----------
    centre : ndarray, shape (N,)
        z̄.
    enclosure : tuple of balls
        Each unknown of the zero.
    radius : float
        The zero lies within it of z̄, in the weighted norm. Rounded up.
    unique_within : float
        ρ: there is no other zero within it of z̄.
    weights : ndarray, shape (N,)
    """

    centre: Vector
    enclosure: tuple[Ball, ...]
    radius: float
    unique_within: float
    weights: Vector

    def has_in_uniqueness_region(self, z: Sequence[Ball]) -> bool:
        """True if a box lies inside the ball in which the zero is the only one."""
        return all(
            bool(abs(each - float(c)) <= ball(self.unique_within) * float(w))
            for each, c, w in zip(z, self.centre, self.weights)
        )


def polish(system: SquareSystem, z: Vector, reach: float = REACH) -> tuple[Vector, Vector]:
    """Newton's method in doubles, with F and DF from balls of radius 0: the point, and an approximate inverse of DF.

    Raises
    ------
    NotProved
        If DF is singular, or the point moves farther than a located point can be wrong.
    """
    if not len(z):
        raise NotProved("the subspace declared is the state 0 alone: no unknown is left to prove anything of")
    start = z
    A = np.empty((0, 0))
    for _ in range(POLISHING_STEPS):
        A = _approximate_inverse(system, z)
        step = A @ np.array([nearest(v) for v in system.residual([ball(v) for v in z])])
        if not np.isfinite(step).all():
            raise NotProved("the system is singular there: the point is not simple")
        z = z - step
        moved = float(np.max(np.abs(z - start) / system.weights))
        if not moved <= reach:
            raise NotProved(
                f"no such point lies within {reach:.0e} of the place claimed, in units of state and parameter: "
                f"Newton's method goes {moved:.1e} away"
            )
        if float(np.max(np.abs(step) / system.weights)) < 1e-15:
            break
    return z, A


class ProvedBall(Protocol):
    """The ball of an earlier proof."""

    @property
    def centre(self) -> Vector:
        """z̄, shape (N,)."""

    @property
    def radius(self) -> float:
        """ρ, in units of the weights."""

    @property
    def weights(self) -> Vector:
        """Shape (N,)."""


def enclose_zero(
    system: SquareSystem, z: Vector, *, certificate: ProvedBall | None = None, reach: float = REACH
) -> Zero:
    """Prove that a system has exactly one zero near z.

    Parameters
    ----------
    system : SquareSystem
    z : ndarray, shape (N,)
        An approximate zero.
    certificate : object with centre, radius and weights, optional
        A ball in which the zero is to be proved, as it is; by default Newton's method and a search find one.
    reach : float
        How far from z Newton's method may go, in units of the weights.

    Raises
    ------
    NotProved
        With the numbers Y and Z that did not suffice.
    """
    if certificate is None:
        w = system.weights
        centre, inverse = polish(system, z, reach)
    else:
        centre, w = certificate.centre, certificate.weights
        inverse = _approximate_inverse(system, centre)
    A = matrix(inverse)
    points = [ball(v) for v in centre]
    Y = weighted_norm(A * column(system.residual(points)), w, None)
    if certificate is None:
        radius, Z = _largest_radius(system, A, centre, Y)
    else:
        radius = certificate.radius
        Z = _contraction(system, A, centre, radius, w)
        if not (Z < 1.0 and _contracts(Y, Z, radius)):
            raise NotProved(f"there is no proof on the ball given: ‖A F‖ ≤ {Y:.1e}, ‖I − A DF‖ ≤ {Z:.1e}")
    # Y/(1 − Z), rounded up.
    within = upper_bound(ball(Y) / (1 - ball(Z)))
    enclosure = _narrowed(system, A, [ball(c, _up(within * s)) for c, s in zip(centre, w)])
    # Around 0 there is no end to narrowing: nothing below the square of the precision is kept.
    least = 2.0 ** (-2 * flint.ctx.prec)
    return Zero(centre, tuple(widened(x, _up(least * s)) for x, s in zip(enclosure, w)), within, radius, w)


def _contracts(Y: float, Z: float, radius: float) -> bool:
    """True if Y + Z ρ < ρ, decided on balls."""
    return bool(ball(Y) + ball(Z) * ball(radius) < ball(radius))


def _approximate_inverse(system: SquareSystem, z: Vector) -> Vector:
    J = nearest_matrix(system.linearise([ball(v) for v in z])[1])
    if not np.isfinite(J).all():
        raise NotProved("the system's derivative is not finite there: a pole of the map, or an overflow")
    try:
        A = np.linalg.inv(J)
    except np.linalg.LinAlgError as error:
        raise NotProved("the system is singular there: the point is not simple") from error
    if not np.isfinite(A).all():
        raise NotProved("the system is singular there: the point is not simple")
    return A


def _largest_radius(system: SquareSystem, A: Matrix, centre: Vector, Y: float) -> tuple[float, float]:
    """A radius ρ that is about as large as the inequality allows, and the least Z(ρ) that was found with one."""
    best: tuple[float, float] | None = None
    least_Z = np.inf
    radius, tried = max(FIRST_RADIUS, 4.0 * Y), []
    slope = 0.0
    for _ in range(TRIALS):
        Z = _contraction(system, A, centre, radius, system.weights)
        tried.append((radius, Z))
        if Z < 1.0 and _contracts(Y, Z, radius):
            least_Z = min(least_Z, Z)
            if best is None or radius > best[0]:
                best = radius, Z
        if np.isfinite(Z) and Z > 0.0:
            slope = Z / radius
            next_radius = FILLED / slope if best is None else max(best[0] * LEAST_GAIN, FILLED / slope)
        else:
            next_radius = radius / 16.0
        failed = [r for r, z in tried if best is None or r > best[0]]
        if failed and next_radius >= min(failed):
            next_radius = min(failed) / 4.0 if best is None else float(np.sqrt(best[0] * min(failed)))
        if best is not None and next_radius < LEAST_GAIN * best[0]:
            break
        if best is None and next_radius < Y:
            break
        radius = next_radius
    if best is None:
        Z = tried[-1][1]
        raise NotProved(
            f"Newton's method could not be shown to contract: ‖A F‖ ≤ {Y:.1e} and ‖I − A DF‖ ≤ {Z:.1e} on a ball of "
            f"{tried[-1][0]:.1e}; the point is not simple, or too ill-conditioned for this precision"
        )
    return best[0], least_Z


def _contraction(system: SquareSystem, A: Matrix, centre: Vector, radius: float, weights: Vector) -> float:
    """Z(ρ), rounded up; infinite where f cannot be evaluated on so large a ball."""
    box = [ball(c, _up(radius * s)) for c, s in zip(centre, weights)]
    try:
        _, DF = system.linearise(box)
    except Undecided:
        return float("inf")
    Z = weighted_norm(_identity(len(centre)) - A * DF, weights, weights)
    return Z if np.isfinite(Z) else float("inf")


def weighted_norm(M: Matrix, rows: Vector, columns: Vector | None) -> float:
    """max over i of Σⱼ |Mᵢⱼ| cⱼ/rᵢ, rounded up: a matrix norm, or with ``columns`` None that of one column."""
    factors = np.ones(M.ncols()) if columns is None else columns
    largest = 0.0
    entries = M.entries()
    n = M.ncols()
    units = [ball(c) for c in factors]
    for i in range(M.nrows()):
        total = flint.arb(0)
        for each, unit in zip(entries[i * n : (i + 1) * n], units):
            total += abs(each) * unit
        size = magnitude(total / ball(rows[i]))
        if not np.isfinite(size):
            return float("nan")
        largest = max(largest, size)
    return largest


def _identity(n: int) -> Matrix:
    return flint.arb_mat(n, n, [1 if i == j else 0 for i in range(n) for j in range(n)])


def _up(x: float) -> float:
    """The next double: the rounding of one product, upwards."""
    return float(np.nextafter(x, np.inf))


def _narrowed(system: SquareSystem, A: Matrix, box: list[Ball]) -> list[Ball]:
    """The zero's enclosure after some steps of Krawczyk's operator: each is an intersection, hence stays one."""
    for _ in range(NARROWINGS):
        centre = [each.mid() for each in box]
        try:
            _, DF = system.linearise(box)
            E = _identity(len(box)) - A * DF
            move = A * column(system.residual(centre))
        except Undecided:
            return box
        apart = E * column([each - c for each, c in zip(box, centre)])
        narrower = []
        for i, each in enumerate(box):
            image = centre[i] - move[i, 0] + apart[i, 0]
            narrower.append(each.intersection(image) if image.is_finite() else each)
        shrunk = [float(new.rad()) <= 0.5 * float(old.rad()) for new, old in zip(narrower, box)]
        box = narrower
        if not any(shrunk):
            break
    return box
