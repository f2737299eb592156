"""Newton–Krylov: inexact Newton steps by GMRES, with nothing but Jacobian–vector products.

The GMRES is SciPy's: a single solve needs no bordered system and no memory kept between solves, for which
``linalg/gmres.py`` is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from bifurcate.errors import InvalidInput
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.storage.pickling import Portable
from bifurcate.validation import check_callable, check_count, check_positive

__all__ = ["NewtonKrylov", "newton_krylov_step", "next_forcing_term"]

Vector = NDArray[np.float64]

# Eisenstat & Walker's choice 2, η = γ (‖F‖/‖F_previous‖)^α, with their γ = 0.9 and α = 2: convergence of order 2.
FORCING_FACTOR = 0.9
FORCING_EXPONENT = 2
# Their safeguard holds η above γ η_previous^α while this is above 0.1, so that one lucky step, from an iterate where
# the linear model still fits badly, does not make the next system be solved more accurately than the model is.
SAFEGUARDED = 0.1
# No system is solved more accurately than this: one more Newton step at the end costs less than such a solve.
SMALLEST_FORCING = 1e-8


@dataclass(frozen=True)
class NewtonKrylov(Portable):
    """Inexact Newton steps by GMRES, with nothing but Jacobian–vector products.

    Each linear system (J − I) δ = −F is solved only to ‖F + (J − I) δ‖₂ ≤ η ‖F‖₂, with the forcing term
    η = 0.9 (‖F‖/‖F_previous‖)² of Eisenstat & Walker, SIAM J. Sci. Comput. 17 (1996) 16, choice 2 with its safeguard.

    Attributes
    ----------
    tolerance : float
        Stop when ‖f^k(x) − x‖_∞ ≤ tolerance · max(scale, ‖x‖_∞).
    max_iterations : int
        Newton steps after which the guess counts as failed.
    max_halvings : int
        How often one step may be halved until the residual falls and the state stays in the map's domain.
    forcing : float
        The first η, and the largest; below 1.
    restart : int
        Vectors that GMRES stores: memory is restart + 5 states.
    max_restarts : int
        Restarts of GMRES in one Newton step.
    preconditioner : callable, optional
        v ↦ approximately (J − I)⁻¹ v, on vectors.

    Raises
    ------
    InvalidInput
        If a value is unusable.
    """

    tolerance: float = 1e-11
    max_iterations: int = 100
    max_halvings: int = 30
    forcing: float = 0.5
    restart: int = 40
    max_restarts: int = 10
    preconditioner: Callable[[Vector], Vector] | None = None

    def __post_init__(self) -> None:
        for name in ("tolerance", "forcing"):
            check_positive(name, getattr(self, name))
        if self.forcing >= 1.0:
            raise InvalidInput(f"forcing is {self.forcing!r}; it must be below 1, or steps reduce nothing")
        for name in ("max_iterations", "restart", "max_restarts"):
            check_count(name, getattr(self, name))
        check_count("max_halvings", self.max_halvings, least=0)
        check_callable("preconditioner", self.preconditioner, "preconditioner(v)")


def newton_krylov_step(
    method: NewtonKrylov, iterate: IteratedMap, orbit: list[Vector], residual: Vector, forcing: float
) -> Vector:
    """An approximate solution δ of (J − I) δ = −F, with ‖F + (J − I) δ‖₂ ≤ forcing · ‖F‖₂.

    If GMRES has used up its restarts before, its last approximation is returned: the line search will judge it.
    """
    n, p = len(residual), iterate.map.parameters
    A = LinearOperator((n, n), matvec=lambda v: iterate.jvp(orbit, v.ravel(), p) - v.ravel(), dtype=float)
    M = None
    if method.preconditioner is not None:
        M = LinearOperator((n, n), matvec=method.preconditioner, dtype=float)
    restart = min(method.restart, n)
    step: Vector
    step, _ = gmres(A, -residual, rtol=forcing, atol=0.0, restart=restart, maxiter=method.max_restarts, M=M)
    return step


def next_forcing_term(largest: float, last: float, ratio: float) -> float:
    """The forcing term of the next step.

    Parameters
    ----------
    largest : float
        The largest that is allowed.
    last : float
        That of the last step.
    ratio : float
        ‖F‖₂ after the last step over that before it.

    Examples
    --------
    >>> round(next_forcing_term(0.5, 0.5, 0.1), 6), round(next_forcing_term(0.5, 0.01, 0.1), 6)
    (0.225, 0.009)
    """
    wanted, safeguard = FORCING_FACTOR * ratio**FORCING_EXPONENT, FORCING_FACTOR * last**FORCING_EXPONENT
    return min(largest, max(wanted, safeguard if safeguard > SAFEGUARDED else 0.0, SMALLEST_FORCING))
