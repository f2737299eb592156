"""Where the multipliers are: Gershgorin's discs after a numerical diagonalisation.

With V the eigenvectors of the midpoint of J, doubles taken as they are, B = V⁻¹ J V has the multipliers of J, and a
ball matrix that holds it is found by solving V B = J V on balls (which proves that V is regular, too). The multipliers
lie in the discs around B_ii of radius Σ_{j≠i} |B_ij|; m discs that meet none of the others hold exactly m of them, with
multiplicity (Gershgorin; Wilkinson, The Algebraic Eigenvalue Problem, 1965, section 2.13). Discs need no simple
eigenvalues: n(n−1) equal ones are decided like others. Where V is too ill-conditioned, the unitary V of a Schur form is
tried, graded by powers of a small number, as Wilkinson does for matrices that lack eigenvectors.

Every radius is rounded up; a disc lies outside the circle only if |centre| − radius, rounded down, is above 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import flint
import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from bifurcate.proofs.balls import Ball, Matrix, ball, lower_bound, matrix, nearest_matrix, upper_bound

__all__ = ["Disc", "count_outside", "is_isolated", "multiplier_discs"]

# Grading of the Schur form: entry (i, j) above the diagonal is reduced by its power j − i, and what rounding leaves
# below it grows by as much. At 1e-4 two ranks apart stay above the rounding of doubles.
GRADING = 1e-4

# Imaginary part of a centre, relative to its modulus, that is set to 0, at the cost of a radius so much larger:
# rounding leaves 1e-16 of it at a real multiplier. A disc about a real centre that holds one multiplier holds a real
# one.
REAL_CENTRE = 1e-13


@dataclass(frozen=True)
class Disc:
    """A disc of the complex plane that holds a multiplier.

    Attributes
    ----------
    centre : complex
    radius : float
        Rounded up; it holds the rounding of the centre, too.
    cluster : int
        Discs of one number may overlap: as many multipliers as discs lie in their union.
    """

    centre: complex
    radius: float
    cluster: int

    @property
    def outside(self) -> bool | None:
        """True if the disc lies outside the unit circle, False if inside, None if it meets it."""
        modulus = _modulus(self.centre)
        if lower_bound(modulus - self.radius) > 1.0:
            return True
        return False if upper_bound(modulus + self.radius) < 1.0 else None

    def contains(self, value: complex) -> bool:
        """True if a number may lie inside."""
        return not lower_bound(_distance(self.centre, value)) > self.radius

    def __str__(self) -> str:
        centre = f"{self.centre.real:.10g}" if self.centre.imag == 0.0 else f"{self.centre:.10g}"
        return f"{centre} ± {self.radius:.1e}"


def _modulus(value: complex) -> Ball:
    return _distance(value, 0.0)


def _distance(a: complex, b: complex) -> Ball:
    x, y = ball(a.real) - ball(b.real), ball(a.imag) - ball(b.imag)
    return (x * x + y * y).sqrt()


def multiplier_discs(J: Matrix) -> tuple[Disc, ...]:
    """Discs that hold the eigenvalues of every matrix in a ball matrix, one for each, by falling modulus of the centre.

    The best of two transformations: eigenvectors, and a graded Schur form. Radii are infinite where both fail.
    """
    middle = nearest_matrix(J)
    if middle.size == 0:
        return ()
    if not np.isfinite(middle).all():
        return _unknown(len(middle))
    values, vectors = np.linalg.eig(middle)
    best = _discs(J, vectors.real if np.isrealobj(values) or not np.any(values.imag) else vectors)
    if any(disc.outside is None for disc in best):
        _, Q = scipy.linalg.schur(middle, output="complex")
        other = _discs(J, Q * GRADING ** np.arange(len(middle)))
        if sum(disc.outside is None for disc in other) < sum(disc.outside is None for disc in best):
            best = other
    return best


def _unknown(n: int) -> tuple[Disc, ...]:
    return tuple(Disc(0.0, float("inf"), 0) for _ in range(n))


def _discs(J: Matrix, vectors: NDArray[np.complex128]) -> tuple[Disc, ...]:
    n = J.nrows()
    if not np.isfinite(vectors).all():
        return _unknown(n)
    V = matrix(vectors)
    try:
        if isinstance(V, flint.acb_mat):
            B = V.solve(flint.acb_mat(J) * V)
        else:
            B = V.solve(J * V)
    except ZeroDivisionError:
        return _unknown(n)
    entries = B.entries()
    found: list[tuple[complex, float]] = []
    for i in range(n):
        diagonal = entries[i * n + i]
        centre = complex(float(diagonal.real.mid()), float(diagonal.imag.mid()))
        if abs(centre.imag) <= REAL_CENTRE * abs(centre):  # of a real multiplier, beside complex ones
            centre = complex(centre.real)
        total = abs(diagonal - (flint.acb(centre) if centre.imag else flint.arb(centre.real)))
        for j in range(n):
            if j != i:
                total += abs(entries[i * n + j])
        radius = upper_bound(total)
        found.append((centre, radius if np.isfinite(radius) else float("inf")))
    found.sort(key=lambda each: (-abs(each[0]), -each[0].imag))
    clusters = _clusters(found)
    return tuple(Disc(centre, radius, cluster) for (centre, radius), cluster in zip(found, clusters))


def _clusters(discs: Sequence[tuple[complex, float]]) -> list[int]:
    """Numbers of the connected groups of discs; discs are apart only if balls prove it."""
    number = list(range(len(discs)))
    centres = np.array([centre for centre, _ in discs])
    radii = np.array([radius for _, radius in discs])
    # Doubles decide what is far apart, with a margin far above their rounding; balls decide the rest.
    near = np.abs(centres[:, None] - centres[None, :]) <= (radii[:, None] + radii[None, :]) * (1.0 + 1e-6) + 1e-12 * (
        1.0 + np.abs(centres)[:, None]
    )
    for i, j in zip(*np.nonzero(np.triu(near, 1))):
        if number[i] == number[j]:
            continue
        apart = _distance(complex(centres[i]), complex(centres[j]))
        if not lower_bound(apart - float(radii[i]) - float(radii[j])) > 0.0:
            old, new = number[j], number[i]
            number = [new if each == old else each for each in number]
    return number


def is_isolated(discs: Sequence[Disc], i: int) -> bool:
    """True if disc i meets no other: it holds exactly one multiplier, a simple one."""
    return sum(disc.cluster == discs[i].cluster for disc in discs) == 1


def count_outside(discs: Sequence[Disc]) -> int | None:
    """How many multipliers lie outside the unit circle; None if a disc meets it."""
    sides = [disc.outside for disc in discs]
    return None if any(side is None for side in sides) else sum(bool(side) for side in sides)
