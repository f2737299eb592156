"""What happens to closed invariant curves along their branch, as words: folds, flips and Neimark–Sacker of curves.

A normal multiplier that passes +1 where the parameter turns is a fold of two curves; one that passes −1 doubles the
curve; a pair that leaves the unit circle gives birth to a torus (Vitolo, Broer & Simó, Regul. Chaotic Dyn. 16 (2011)
154). These points are told with the interval between two points of the branch, and are not located: at exact
resonances beside them the curves need not exist.
"""

from __future__ import annotations

import numpy as np

from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint

__all__ = ["changes_of_closed_curves"]

REAL = 1e-7  # imaginary part, in units of the modulus, of a multiplier that is real


def changes_of_closed_curves(curve: Curve, a: CurvePoint, b: CurvePoint) -> list[str]:
    """What happens between two points of a curve of closed invariant curves, in words.

    Parameters
    ----------
    curve : Curve
        Of kind "invariant curve".
    a, b : CurvePoint
        Neighbouring points.
    """
    n = curve.size
    found, between = list[str](), f"between {_where(a)} and {_where(b)}"
    turns = len(curve.free) == 1 and a.tangent[len(a.u) - len(curve.free) - len(curve.extra)] * b.tangent[n] < 0.0
    before, after = (_counts(point) for point in (a, b))
    if turns:
        found.append(f"fold of closed invariant curves {between}: the parameter turns")
    elif before[0] != after[0]:
        found.append(f"a real normal multiplier passes +1 {between}")
    if before[1] != after[1]:
        found.append(f"quasi-periodic flip {between}: a normal multiplier passes −1, which doubles the curve")
    if before[2] != after[2]:
        found.append(f"quasi-periodic Neimark–Sacker {between}: a pair of normal multipliers passes the unit circle")
    return found


def _where(point: CurvePoint) -> str:
    assert point.curve is not None  # corrected points know their curve
    return point.curve.where(point.u)


def _counts(point: CurvePoint) -> tuple[int, int, int]:
    """Normal multipliers beyond +1, beyond −1, and others outside the unit circle."""
    values = point.spectrum.values
    real = np.abs(values.imag) <= REAL * np.abs(values)
    outside = np.abs(values) > 1.0
    up = int(np.count_nonzero(real & (values.real > 1.0)))
    down = int(np.count_nonzero(real & (values.real < -1.0)))
    return up, down, int(np.count_nonzero(outside & ~real))
