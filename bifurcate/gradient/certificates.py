"""Certificates: numbers that would be equal if a claim held, each with its error, to be checked by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bifurcate.gradient.field import SURE
from bifurcate.gradient.quadratic_lyapunov import QuadraticLyapunov

__all__ = [
    "Asymmetry",
    "Certificate",
    "ComplexPair",
    "Coupling",
    "CouplingCycle",
    "Ellipse",
    "Loop",
    "Separability",
]


@dataclass(frozen=True, eq=False)
class Asymmetry:
    """How far the Jacobian of G is from symmetric at a state, and the pair of directions that shows it best.

    Attributes
    ----------
    state : ndarray
    estimate : float
        ‖J − Jᵀ‖_F / ‖J‖_F, between 0 and 2, J = DG.
    standard_error : float
        Of the estimate, from the random choice of directions: 0 if they span the whole space.
    u, v : ndarray
        Orthonormal directions, in the state's shape.
    forward, backward : float
        uᵀ J v and vᵀ J u. They are equal if J is symmetric.
    error : float
        Bound on the error of their difference: of the derivatives, measured against differences of the map itself.
    size : float
        √(‖J v‖² + ‖J u‖²), to compare the difference with.
    """

    state: np.ndarray
    estimate: float
    standard_error: float
    u: np.ndarray
    v: np.ndarray
    forward: float
    backward: float
    error: float
    size: float

    @property
    def significant(self) -> bool:
        """|uᵀJv − vᵀJu| > 10 · error."""
        return abs(self.forward - self.backward) > SURE * self.error

    def __str__(self) -> str:
        return (
            f"u·Jv = {self.forward:.9g} but v·Ju = {self.backward:.9g} (error of the difference {self.error:.1e}); "
            f"|J − Jᵀ|/|J| = {self.estimate:.3g} ± {self.standard_error:.1g} there"
        )


@dataclass(frozen=True, eq=False)
class Ellipse:
    """The closed path center + u cos t + v sin t.

    Attributes
    ----------
    center, u, v : array_like
        In the state's shape.
    """

    center: Any
    u: Any
    v: Any


@dataclass(frozen=True, eq=False)
class Loop:
    """The circulation ∮ M G·dx around a closed path.

    Attributes
    ----------
    path : ndarray or Ellipse
        The vertices of a polygon, shape (k, *state's shape), or the ellipse.
    value : float
    error : float
        Change by the last doubling of the nodes (the largest of the last three where these did not settle), plus
        rounding of f − x; with a metric that was found, plus its error.
    size : float
        ∮ |M G·dx|, to compare the value with.
    """

    path: np.ndarray | Ellipse
    value: float
    error: float
    size: float

    @property
    def significant(self) -> bool:
        """|value| > 10 · error."""
        return abs(self.value) > SURE * self.error

    def __str__(self) -> str:
        name = "an ellipse" if isinstance(self.path, Ellipse) else f"a polygon of {len(self.path)} vertices"
        return f"the circulation around {name} is {self.value:.9g} ± {self.error:.1e}, not 0"


@dataclass(frozen=True, eq=False)
class Coupling:
    """Two coordinates whose mutual couplings no positive diagonal metric can make equal, mᵢ Jᵢⱼ = mⱼ Jⱼᵢ.

    Attributes
    ----------
    state : ndarray
    i, j : int
        Coordinates of the flattened state.
    forward, backward : float
        Jᵢⱼ and Jⱼᵢ: of opposite signs, each beyond ten times its error; or Jⱼᵢ = 0, no bit of the image's xⱼ depending
        on xᵢ.
    forward_error, backward_error : float
        Of a Jⱼᵢ = 0, what no bit shows (about 0 if a derivative that was given is 0, too). Then the claim is refuted
        for metrics with mⱼ/mᵢ < |Jᵢⱼ|/backward_error, which is at least 1e10 in units of the states' sizes; xⱼ has
        other couplings 1e10 times that error.
    """

    state: np.ndarray
    i: int
    j: int
    forward: float
    backward: float
    forward_error: float
    backward_error: float

    @property
    def clear(self) -> float:
        """By how many times its error the less certain coupling (of one-way ones, the one) differs from 0."""
        forward = abs(self.forward) / self.forward_error
        return forward if self.backward == 0.0 else min(forward, abs(self.backward) / self.backward_error)

    def __str__(self) -> str:
        i, j = self.i, self.j
        said = (
            f"J[{i},{j}] = {self.forward:.6g} ± {self.forward_error:.1e} "
            f"but J[{j},{i}] = {self.backward:.6g} ± {self.backward_error:.1e}"
        )
        if self.backward != 0.0:
            return said
        return f"{said}: a metric has m[{j}]/m[{i}] > {abs(self.forward) / self.backward_error:.1e} or is none"


@dataclass(frozen=True, eq=False)
class CouplingCycle:
    """A cycle of coordinates whose products of couplings differ between the two ways round.

    Attributes
    ----------
    state : ndarray
    indices : tuple of int
        i, j, k, … of the flattened state.
    forward, backward : float
        Jᵢⱼ Jⱼₖ ⋯ and Jᵢ… ⋯ Jₖⱼ Jⱼᵢ: equal where a diagonal metric makes J symmetric.
    error : float
        Bound on the error of their difference.
    """

    state: np.ndarray
    indices: tuple[int, ...]
    forward: float
    backward: float
    error: float

    def __str__(self) -> str:
        i, j, *rest = self.indices
        way = " → ".join(str(each) for each in (i, j, *rest, i))
        return (
            f"the couplings round {way} multiply to {self.forward:.6g} one way and {self.backward:.6g} the other "
            f"(error {self.error:.1e})"
        )


@dataclass(frozen=True, eq=False)
class Separability:
    """Four states at which log(Jᵢⱼ/Jⱼᵢ) is no difference of a function of xⱼ and a function of xᵢ.

    Attributes
    ----------
    states : ndarray, shape (4, *state's shape)
        x, the base point with xᵢ in place of its own i, the same with xⱼ, the base point.
    i, j : int
        Coordinates of the flattened state.
    logarithms : ndarray, shape (4,)
        log(Jᵢⱼ/Jⱼᵢ) there; with signs +, −, −, + they sum to 0 if it is log mⱼ(xⱼ) − log mᵢ(xᵢ).
    error : float
        Bound on the error of that sum.
    """

    states: np.ndarray
    i: int
    j: int
    logarithms: np.ndarray
    error: float

    @property
    def defect(self) -> float:
        """The sum that has to be 0."""
        return float(self.logarithms @ [1.0, -1.0, -1.0, 1.0])

    def __str__(self) -> str:
        i, j = self.i, self.j
        return (
            f"log(J[{i},{j}]/J[{j},{i}]) is no sum of functions of x[{i}] and x[{j}]: over four states it fails by "
            f"{self.defect:.6g} ± {self.error:.1e}"
        )


@dataclass(frozen=True, eq=False)
class ComplexPair:
    """A complex pair of multipliers at an equilibrium.

    Attributes
    ----------
    state : ndarray
        The equilibrium.
    residual : float
        max |G| there.
    multiplier : complex
        The one of positive imaginary part.
    error : float
        Radius of a disc about it, less than a tenth of its distance from the real axis, that holds a multiplier of
        every matrix within ``matrix_error`` of the Jacobian.
    matrix_error : float
        Bound on the error of the Jacobian in the spectral norm: derivatives, measured against differences of the map in
        random directions, and the distance from the exact equilibrium.
    multipliers : ndarray of complex, shape (n,)
        All of them, by falling modulus.
    lyapunov : QuadraticLyapunov or None
        A Lyapunov function of the map near the equilibrium, where that is stable.
    """

    state: np.ndarray
    residual: float
    multiplier: complex
    error: float
    matrix_error: float
    multipliers: np.ndarray
    lyapunov: QuadraticLyapunov | None

    def __str__(self) -> str:
        rest = "" if self.lyapunov is None else "; a Lyapunov function exists all the same: a quadratic one is given"
        pair = self.multiplier
        return (
            f"the equilibrium has the multipliers {pair.real:.9g} ± {pair.imag:.6g}i, each within {self.error:.1e} "
            f"(residual {self.residual:.1e}){rest}"
        )


Certificate: TypeAlias = Asymmetry | Loop | Coupling | CouplingCycle | Separability | ComplexPair
