"""Leading multipliers by products alone, from one subspace: largest modulus, smallest and largest real part.

A subspace is projected onto (Rayleigh and Ritz), widened by the residuals of the Ritz vectors that are not yet known
well enough, and cut back to the wanted vectors where it grows too large: a block Krylov method with thick restarts
(Stewart, SIAM J. Matrix Anal. Appl. 23 (2001) 601; Saad, Numerical Methods for Large Eigenvalue Problems, SIAM 2011,
chapters 6 and 7). Along a branch it starts from the vectors of the last point, which hardly turn, so that most points
cost little more than one product for each of them. Of a symmetric operator several residuals are taken at a time, so
that multiple multipliers are found as often as they occur; of any other one a residual and its images, whose
polynomials are of a higher degree, which multipliers that fill a disc need. What lies far from the unit circle need not
be known well to be counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

__all__ = ["LeadingSubspace", "find_leading_subspace"]

Array = NDArray[np.float64]
Values = NDArray[np.complex128]

# Random vectors from which the subspace grows, and residuals by which that of a symmetric operator is widened at once.
# Multipliers of up to this multiplicity are found from nothing; of higher ones, the random vector that every point
# begins with finds one more.
BLOCK = 4

# Images of a residual by which the subspace of any other operator is widened, too.
CHAIN = 5

# Asymmetry of the first projection, relative to its largest entry, up to which an operator counts as symmetric: what
# differences make of one.
SYMMETRIC = 1e-6

# Vectors beyond the wanted ones that outlive a cut: those next in line become wanted as the parameter changes.
SPARE = 12

# Vectors of the subspace, in units of the wanted ones, at which it is cut back; and at the least.
LARGEST_BASIS, SMALLEST_LARGEST = 4, 80

# Products after which the search ends, with what is not known said.
MOST_PRODUCTS = 1500

# Residual, relative to max(1, |λ|), at which a multiplier is known: that of a critical one must be far below the
# distance within which it counts as on the circle.
SHARP = 1e-10

# Part of its distance from the unit circle that a multiplier's residual may be where only counts are asked for.
ROUGH = 1e-2

# Part of a vector that is left across the subspace at which it is in it: rounding.
INSIDE = 1e-10


@dataclass(frozen=True, eq=False)
class LeadingSubspace:
    """What was found.

    Attributes
    ----------
    values : ndarray of complex, shape (m,)
        Wanted multipliers, each as often as it was found.
    vectors : ndarray, shape (n, k)
        An orthonormal basis of a space in which their vectors lie: a start for a similar operator.
    residual : float
        The largest ‖A v − λ v‖ of the wanted ones, v of length 1, in units of what it may be.
    products : int
        How many were taken.
    is_symmetric : bool
        True if the operator seems to be symmetric: then multiple multipliers were looked for.
    """

    values: Values
    vectors: Array
    residual: float
    products: int
    is_symmetric: bool


class _Subspace:
    """An orthonormal basis Q, its image A Q, and the projection QᵀA Q."""

    def __init__(self, product: Callable[[Array], Array], n: int) -> None:
        self.product, self.products = product, 0
        self.Q, self.AQ = np.empty((n, 0), order="F"), np.empty((n, 0), order="F")
        self.H = np.empty((0, 0))

    def widen(self, columns: Array) -> int:
        """Take in what of the columns lies across the space; how many directions these are."""
        rest = columns
        for _ in range(2):  # twice is enough for orthogonality to working precision
            rest = rest - self.Q @ (self.Q.T @ rest)
        sizes = np.linalg.norm(columns, axis=0)
        rest = rest[:, np.linalg.norm(rest, axis=0) > INSIDE * np.where(sizes > 0.0, sizes, np.inf)]
        if not rest.shape[1]:
            return 0
        new, triangle = np.linalg.qr(rest / np.linalg.norm(rest, axis=0))
        new = new[:, np.abs(np.diagonal(triangle)) > INSIDE]
        new -= self.Q @ (self.Q.T @ new)
        image = np.column_stack([self.product(np.ascontiguousarray(column)) for column in new.T])
        self.products += new.shape[1]
        side, below = self.Q.T @ image, new.T @ self.AQ
        self.H = np.block([[self.H, side], [below, new.T @ image]])
        self.Q, self.AQ = np.hstack([self.Q, new]), np.hstack([self.AQ, image])
        return int(new.shape[1])

    def cut(self, Z: Array) -> None:
        """Keep the combinations Z of the basis, orthonormal columns."""
        self.Q, self.AQ, self.H = self.Q @ Z, self.AQ @ Z, Z.T @ self.H @ Z


def find_leading_subspace(
    product: Callable[[Array], Array], n: int, leading: int, start: Array | None = None, sharp: bool = True
) -> LeadingSubspace:
    """Find the multipliers of largest modulus, of smallest and of largest real part.

    Parameters
    ----------
    product : callable
        v ↦ A v, for vectors of shape (n,).
    n : int
    leading : int
        How many of each.
    start : ndarray, shape (n, k), optional
        The ``vectors`` that were found for a similar operator.
    sharp : bool
        True if each is to be known to 1e-10; False if to a hundredth of its distance from the unit circle.

    Returns
    -------
    LeadingSubspace

    Examples
    --------
    >>> d = np.r_[np.linspace(-0.5, 0.5, 500), 1.5, 1.5, -1.25]
    >>> found = find_leading_subspace(lambda v: d * v, 503, 3)
    >>> np.sort(found.values.real)[[0, -2, -1]].round(9)
    array([-1.25,  1.5 ,  1.5 ])
    """
    rng = np.random.default_rng(n)
    space = _Subspace(product, n)
    if start is not None and start.size:
        space.widen(np.column_stack([start, rng.standard_normal(n)]))
    else:
        space.widen(rng.standard_normal((n, BLOCK)))
    is_symmetric = bool(np.abs(space.H - space.H.T).max() <= SYMMETRIC * np.abs(space.H).max())
    while True:
        theta, Y = scipy.linalg.eig(space.H, check_finite=False)
        wanted = _wanted(theta, leading)
        R = space.AQ @ Y[:, wanted] - (space.Q @ Y[:, wanted]) * theta[wanted]
        left = np.linalg.norm(R, axis=0) / _allowed(theta[wanted], sharp)
        is_large_enough = space.Q.shape[1] >= min(n, 3 * leading)
        if (is_large_enough and not (left > 1.0).any()) or space.products >= MOST_PRODUCTS:
            break
        if space.Q.shape[1] + 2 * BLOCK > min(max(SMALLEST_LARGEST, LARGEST_BASIS * len(wanted)), n):
            space.cut(_basis_of(Y[:, _wanted(theta, leading + SPARE)]))
        if not _widen(space, theta[wanted], R, left, is_symmetric) and not space.widen(rng.standard_normal((n, 1))):
            break
    return LeadingSubspace(
        values=theta[wanted],
        vectors=space.Q @ _basis_of(Y[:, wanted]),
        residual=float(left.max(initial=0.0)),
        products=space.products,
        is_symmetric=is_symmetric,
    )


def _widen(space: _Subspace, theta: Values, R: NDArray[np.complex128], left: Array, is_symmetric: bool) -> int:
    """Widen the space by residuals of wanted vectors; by how many directions."""
    if is_symmetric:
        # of those that are not known the nearest to the circle first: they decide
        order = np.lexsort((np.abs(np.abs(theta) - 1.0), left <= 1.0))[:BLOCK]
        columns = np.column_stack([R[:, order].real, R[:, order].imag])
        return space.widen(columns[:, np.linalg.norm(columns, axis=0) > 0.0])
    worst = R[:, int(np.argmax(left))]
    is_real = np.linalg.norm(worst.real) >= np.linalg.norm(worst.imag)
    found = space.widen((worst.real if is_real else worst.imag)[:, None])
    for _ in range(CHAIN if found else 0):
        if not space.widen(space.AQ[:, -1:]):
            break
        found += 1
    return found


def _allowed(theta: Values, sharp: bool) -> Array:
    size = np.maximum(1.0, np.abs(theta))
    if sharp:
        return SHARP * size
    return np.maximum(SHARP * size, ROUGH * np.abs(np.abs(theta) - 1.0))


def _wanted(theta: Values, leading: int) -> NDArray[np.int_]:
    """Numbers of the wanted values, with the other one of every conjugate pair."""
    orders = (np.argsort(-np.abs(theta)), np.argsort(theta.real), np.argsort(-theta.real))
    chosen = {int(i) for order in orders for i in order[:leading]}
    chosen |= {int(np.argmin(np.abs(theta - theta[i].conj()))) for i in chosen if theta[i].imag}
    return np.array(sorted(chosen))


def _basis_of(Y: NDArray[np.complex128]) -> Array:
    """An orthonormal basis of the real vectors in which complex ones and their conjugates lie."""
    left, sizes, _ = scipy.linalg.svd(np.hstack([Y.real, Y.imag]), full_matrices=False, check_finite=False)
    return np.asarray(left[:, sizes > INSIDE * sizes[0]])
