"""Unfolding: how fast the critical multiplier moves with the parameter, and what that makes of the normal form.

With λ(p) the multiplier along the branch, |λ| = 1 at the point, q and <p, ·> its eigenvector and functional as in
:mod:`~bifurcate.bifurcations.codimension_one.normal_forms`, and x' = (I − A)⁻¹ f_p the branch's slope,

    λ' = <p, (A_p + B(x', ·)) q>,   (d|λ|/dp, dθ/dp) = (Re λ̄λ', Im λ̄λ')

(Kuznetsov & Meijer, Numerical Bifurcation Analysis of Maps, Cambridge 2019, sections 2.1 and 3.2). The normal forms

    Neimark–Sacker  w ↦ e^{i(θ + θ'Δp)} (1 + |λ|'Δp + D |w|²) w,   x = x* + 2 Re(w q)
    flip            ξ ↦ (−1 + λ'Δp) ξ + b ξ³,                       x = x* + ξ q
    fold            ξ ↦ ξ + <p, f_p>Δp + a ξ²,                       x = x* + ξ q

then say what is born: |w| = √(−|λ|'Δp/Re D), turning by θ + (θ' − |λ|' Im D/Re D) Δp at each iteration;
ξ = ±√(−λ'Δp/b); ξ = ±√(−<p, f_p>Δp/a).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.normal_forms import critical_multiplier, multiplier_functional, resolvent
from bifurcate.linalg.bordered_system import SingularSystem
from bifurcate.maps.iterated_map import IteratedMap

__all__ = ["Unfolding", "unfold"]

Array = NDArray[Any]

EXACT_ERROR = 1e-8  # of λ', in units of its largest term: three-point differences of exact Jacobians, 1e-10, and bends
DIFFERENCE_ERROR = 1e-6  # ... of Jacobians that are differences themselves, 3e-13 over a step, times bends


@dataclass(frozen=True)
class Unfolding:
    """What happens beside a fold, flip or Neimark–Sacker point as the free parameter moves by Δp.

    Attributes
    ----------
    rate : float
        d|λ|/dp at a Neimark–Sacker point, dλ/dp at a flip; at a fold <p, ∂f/∂p>, since no branch passes it along p.
    angle_rate : float
        dθ/dp at a Neimark–Sacker point, θ the angle of λ in radians; 0 elsewhere.
    side : int
        +1 or −1: the sign of the Δp for which the other solutions exist; 0 where the normal form is degenerate.
    radius : float
        r of the amplitude r √|Δp|: of the invariant curve in the plane of w, of the doubled cycle, of the two cycles of
        a fold, along the unit critical vector.
    rotation : float
        ω of the angle θ + ω Δp by which the born invariant curve turns at each iteration; 0 elsewhere.
    errors : dict of str to float
        Estimated absolute errors of ``rate``, ``angle_rate``, ``radius`` and ``rotation``.
    """

    rate: float
    angle_rate: float
    side: int
    radius: float
    rotation: float
    errors: Mapping[str, float]


def unfold(
    kind: str,
    iterate: IteratedMap,
    orbit: list[Array],
    p: Mapping[str, float],
    free: str,
    angle: float,
    cubic: tuple[complex, float],
) -> Unfolding | None:
    """The unfolding of a simple fold, flip or Neimark–Sacker point; None where a linear system on the way is singular.

    Parameters
    ----------
    kind, iterate, orbit, p, angle
        As for :func:`~.normal_forms.coefficients`.
    free : str
        The parameter that moves.
    cubic : (complex, float)
        The normal form's coefficient: a of a fold, b of a flip, D of a Neimark–Sacker point; and its error.
    """
    A, f_p = iterate.jacobian(orbit, p), iterate.parameter_derivative(orbit, p, free)
    try:
        q, pair = multiplier_functional(A, critical_multiplier(kind, angle))
        if kind == "fold":
            slope, size = pair(f_p), float(np.abs(f_p).max())
        else:
            slope_of_branch = resolvent(A, 1.0, f_p)
            columns = np.asarray(q)[:, None]
            moved = iterate.jacobian_derivative(orbit[0], columns, slope_of_branch, {free: 1.0}, p)[:, 0]
            slope, size = pair(moved), float(np.abs(moved).max())
    except SingularSystem:
        return None
    least = EXACT_ERROR if iterate.exact else DIFFERENCE_ERROR
    error = max(least, iterate.map.precision.bend_error) * max(size, abs(slope))
    if kind == "neimark-sacker":
        slope *= np.exp(-1j * angle)
    return _born(kind, complex(slope), error, *cubic)


def _born(kind: str, slope: complex, error: float, cubic: complex, cubic_error: float) -> Unfolding:
    rate, turn = slope.real, slope.imag if kind == "neimark-sacker" else 0.0
    leading = cubic.real
    is_sure = abs(leading) > 2.0 * cubic_error and abs(rate) > 2.0 * error
    if not is_sure:
        errors = {"rate": error, "angle_rate": error if turn else 0.0, "radius": math.inf, "rotation": math.inf}
        return Unfolding(rate, turn, 0, math.nan, math.nan, errors)
    radius = math.sqrt(abs(rate / leading))
    relative = error / abs(rate) + cubic_error / abs(leading)
    is_pair = kind == "neimark-sacker"
    ratio = cubic.imag / leading if is_pair else 0.0
    rotation = turn - rate * ratio if is_pair else 0.0
    rotation_error = error + abs(rate * ratio) * relative + abs(rate) * cubic_error / abs(leading)
    errors = {
        "rate": error,
        "angle_rate": error if is_pair else 0.0,
        "radius": 0.5 * radius * relative,
        "rotation": rotation_error if is_pair else 0.0,
    }
    return Unfolding(rate, turn, 1 if rate * leading < 0.0 else -1, radius, rotation, errors)
