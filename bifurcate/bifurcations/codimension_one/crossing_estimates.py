"""Estimates of where within a step multipliers cross the unit circle, from the multipliers at its two ends."""

from __future__ import annotations

import numpy as np

from bifurcate.curves.curve_point import CurvePoint
from bifurcate.linalg.multipliers import EDGE

__all__ = ["SAME", "estimate_crossings", "estimate_pair_crossings", "interpolate_multipliers", "nearest_pairs"]

SAME_DISTANCE = 1e-6  # multipliers whose distances from the circle differ by less cross together, to their error
NEAREST_RATIO = 3.0  # multipliers up to this many times farther from the circle than the nearest one may cross, too
SAME = 1e-7  # arclength up to which two locations are one: a defective pair is located to √rounding only
SAME_FRACTION = 1e-6  # fractions of a step that differ by less are one estimate: of a symmetric pair
SMALLEST_CHANGE = 1e-300  # keeps a division by the change of a multiplier from being one by 0


def estimate_crossings(a: CurvePoint, b: CurvePoint, target: float, count: int) -> list[float]:
    """Estimate, as fractions of the step from a to b, where ``count`` real multipliers cross the target (±1)."""

    def side(node: CurvePoint, beyond: bool) -> np.ndarray:
        s = node.spectrum
        outward = np.repeat(target * s.values.real[s.real], s.multiplicity[s.real])
        kept = np.sort(outward[outward > 1.0 + s.edge] if beyond else outward[outward <= 1.0 + s.edge])
        return kept[:count] if beyond else kept[-count:]

    grows = np.count_nonzero(side(b, True)) > np.count_nonzero(side(a, True)) or _beyond(b, target) > _beyond(a, target)
    low, high = (side(a, False), side(b, True)) if grows else (side(b, False), side(a, True))
    m = min(len(low), len(high))
    if m == 0:
        return [0.5]
    low, high = low[-m:], high[:m]
    part = (1.0 - low) / np.maximum(high - low, SMALLEST_CHANGE)
    part = part if grows else 1.0 - part
    return _merge(part)


def interpolate_multipliers(a: CurvePoint, b: CurvePoint, fraction: float) -> np.ndarray | None:
    """The multipliers at a fraction of the step, interpolated in order; None unless all are known and real."""
    s, t = a.spectrum, b.spectrum
    if (
        not (s.complete and t.complete)
        or s.values.imag.any()
        or t.values.imag.any()
        or not np.array_equal(np.sort(s.multiplicity), np.sort(t.multiplicity))
    ):
        return None
    few, less = s.values.real[s.multiplicity == 1], t.values.real[t.multiplicity == 1]
    return (1.0 - fraction) * np.sort(few) + fraction * np.sort(less)


def _beyond(node: CurvePoint, target: float) -> int:
    return node.spectrum.signature[0 if target > 0 else 1]


def estimate_pair_crossings(a: CurvePoint, b: CurvePoint, count: int) -> list[float]:
    """Estimate, as fractions of the step from a to b, where ``count`` complex pairs cross the unit circle."""

    def moduli(node: CurvePoint, outside: bool) -> np.ndarray:
        s = node.spectrum
        kept = ~s.real & (s.values.imag > 0)
        r = np.sort(np.repeat(np.abs(s.values[kept]), s.multiplicity[kept]))
        return r[r > 1.0 + s.edge][:count] if outside else r[r <= 1.0 + s.edge][-count:]

    grows = b.spectrum.signature[2] > a.spectrum.signature[2]
    low, high = (moduli(a, False), moduli(b, True)) if grows else (moduli(b, False), moduli(a, True))
    m = min(len(low), len(high))
    if m == 0:
        return [0.5]
    part = (1.0 - low[-m:]) / np.maximum(high[:m] - low[-m:], SMALLEST_CHANGE)
    return _merge(part if grows else 1.0 - part)


def nearest_pairs(node: CurvePoint) -> np.ndarray:
    """The complex multipliers about as near to the unit circle as the nearest one, of each pair the upper one."""
    values = node.spectrum.values
    upper = values[~node.spectrum.real & (values.imag > 0)]
    distance = np.abs(np.abs(upper) - 1.0)
    edge = node.spectrum.edge
    same = SAME_DISTANCE * edge / EDGE if edge <= EDGE else max(SAME_DISTANCE, edge)
    return np.asarray(upper[distance <= NEAREST_RATIO * distance.min(initial=np.inf) + same])


def _merge(fractions: np.ndarray) -> list[float]:
    """Fractions in order, with those that nearly agree (a symmetric pair) given once."""
    kept: list[float] = []
    for f in np.clip(np.sort(fractions), 0.0, 1.0).tolist():
        if not kept or f - kept[-1] > SAME_FRACTION:
            kept.append(f)
    return kept
