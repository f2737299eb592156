"""The equations of closed invariant curves: g(x(θ_j)) − x(θ_j + ρ) = 0 at equidistant angles, and a phase condition.

    ┌ g'(x_j) − R_ρ   ∂g/∂p   −R_ρ x' ┐ ┌ δx ┐      R_ρ  the shift by ρ of trigonometric interpolation
    └ ⟨x̄', ·⟩/m         0         0    ┘ │ δp │      x̄    a reference curve: Σ ⟨x_j − x̄_j, x̄'_j⟩ = 0 says where θ = 0 is
                                        └ δρ ┘

(Castellà & Jorba, Celest. Mech. Dyn. Astron. 76 (2000) 35; Schilder, Osinga & Vogt, SIAM J. Appl. Dyn. Syst. 4 (2005)
459). Unknown are the values at the angles, a parameter and ρ; or, at fixed ρ, two parameters.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Evaluation, Linearisation
from bifurcate.linalg.invariant_curve_jacobian import InvariantCurveJacobian
from bifurcate.linalg.trigonometric import resampled, shift_matrix, shifted_values, slopes, tail
from bifurcate.maps.invariant_curve_map import InvariantCurveMap
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["KIND", "ROTATION", "InvariantCurveEquations"]

Array = NDArray[np.float64]

KIND = "invariant curve"  # of a Curve of them
ROTATION = "rotation number"  # the unknown beside state and parameter
# The highest quarter of the modes, in units of the largest one, up to which a curve is resolved, and below which it has
# more modes than it needs. What is left out moves the curve by about as much.
RESOLVED, WASTEFUL = 1e-11, 1e-15
GROWTH = 1.6  # by which the number of angles grows where a curve is not resolved
FEWEST_ANGLES = 17
# size limit: numbers in the values of a curve, beyond which it is not followed: factoring takes seconds
LARGEST_CURVE = 1200


@dataclass(frozen=True, eq=False)
class InvariantCurveEquations:
    """Closed invariant curves in one parameter, or at fixed rotation number in two.

    Attributes
    ----------
    iterate : InvariantCurveMap
        g at the values of a curve.
    fixed : mapping of str to float
        The parameters that are not free.
    free : tuple of str
        The names of the free ones.
    reference : ndarray, shape (m, n)
        The values of the reference curve.
    rotation_number : float or None
        ρ where it is fixed; None where it is unknown.
    """

    iterate: InvariantCurveMap
    fixed: Mapping[str, float]
    free: tuple[str, ...]
    reference: Array
    rotation_number: float | None = None

    @property
    def extra(self) -> tuple[str, ...]:
        """ρ, where it is unknown."""
        return (ROTATION,) if self.rotation_number is None else ()

    @property
    def codimension(self) -> int:
        """0: an invariant curve is met in one parameter for each of its rotation numbers."""
        return 0

    @property
    def hold_everywhere(self) -> bool:
        """True: there are no borders."""
        return True

    def rotation_at(self, u: Array) -> float:
        """ρ at u."""
        return float(u[-1]) if self.rotation_number is None else self.rotation_number

    def values(self, u: Array) -> Array:
        """The periodic part of the curve at u, shape (m, n)."""
        return u[: self.iterate.size].reshape(self.iterate.shape[0], -1)

    @property
    def phase_row(self) -> Array:
        """The row of the phase condition, shape (mn,)."""
        slope = slopes(self.reference) + self.iterate.turn
        return np.asarray(slope.ravel() / np.sqrt(len(slope) * float((slope * slope).sum())))

    def evaluate(self, u: Array) -> Evaluation:
        """Residual and domain margin at u: k evaluations of f at all angles."""
        n = self.iterate.size
        p = {**self.fixed, **dict(zip(self.free, u[n:].tolist()))}
        x = u[:n]
        orbits = self.iterate.orbits(self.iterate.rows(x), p)
        shifted = self.iterate.shifted_rows(x, self.rotation_at(u))
        apart = shortest(orbits[-1] - shifted, self.iterate.map.periods)
        phase = float(self.phase_row @ (x - self.reference.ravel()))
        found = Evaluation(u, [x, orbits[-1].ravel()], p, np.append(apart.ravel(), phase), np.inf)
        return dataclasses.replace(found, margin=self.iterate.margin(found.orbit, p))

    def linearise(self, at: Evaluation) -> Linearisation:
        """The blocks at an evaluated u."""
        iterate, u = self.iterate, at.u
        n, k, rho = iterate.size, len(self.free) + len(self.extra), self.rotation_at(u)
        m, d = iterate.shape[0], iterate.dimension
        orbits = iterate.orbits(iterate.rows(u[:n]), at.parameters)
        blocks = iterate.blocks(orbits, at.parameters)
        M = np.zeros((m, d, m, d))
        M[np.arange(m), :, np.arange(m), :] = blocks
        shift = shift_matrix(m, rho)
        for i in range(d):
            M[:, i, :, i] -= shift
        columns = [iterate.slopes(orbits, at.parameters, name).ravel() for name in self.free]
        if self.extra:
            moved = shifted_values(slopes(self.values(u)), rho) + iterate.turn
            columns.append(-moved.ravel())
        rows = self.phase_row[None, :]
        jacobian = InvariantCurveJacobian(blocks, rho)
        B = np.array(columns).T if columns else np.zeros((n, 0))
        return Linearisation(jacobian, M.reshape(n, n), B, rows, np.zeros((1, k)))

    def adapted(self, at: Evaluation, kernel: Array, rows: Array) -> InvariantCurveEquations:
        """The same equations: these have no borders."""
        return self

    def angles_wanted(self, u: Array) -> int:
        """The number of angles that resolves the curve at u: its own, or another odd one."""
        turn = float(np.abs(self.iterate.turn).max())
        m, part = self.iterate.shape[0], tail(self.values(u), turn)
        if part > RESOLVED:
            return odd(GROWTH * m)
        fewer = max(FEWEST_ANGLES, odd(m / GROWTH))
        if fewer < m and part < WASTEFUL and tail(resampled(self.values(u), fewer), turn) < WASTEFUL:
            return fewer
        return m

    def resized(self, u: Array, m: int) -> tuple[InvariantCurveEquations, Array]:
        """The same at another number of angles, with the curve at u as reference, and u there."""
        n = self.iterate.size
        moved = np.concatenate([self.iterate.resampled(u[:n], m), u[n:]])
        iterate = self.iterate.resized(m)
        made = dataclasses.replace(self, iterate=iterate, reference=moved[: iterate.size].reshape(m, -1))
        return made, moved


def odd(m: float) -> int:
    """The odd number nearest to m.

    Examples
    --------
    >>> odd(16.0), odd(27.2)
    (17, 27)
    """
    return 2 * int(m // 2) + 1
