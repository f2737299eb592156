"""The functions along curves of special points whose zeros are points of codimension two, with their errors.

What they are stands in ``event_detection``, which looks for their zeros.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.normal_forms import coefficients, leading_coefficients
from bifurcate.bifurcations.kinds import KINDS
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.curves.minimally_augmented.augmented_system import AugmentedEvaluation
from bifurcate.curves.step_cache import StepCache
from bifurcate.linalg.few_numbers import FEW
from bifurcate.linalg.multipliers import Spectrum
from bifurcate.linalg.operators import project_vectors

__all__ = [
    "COSINE_NOISE",
    "NOISE",
    "count_beyond",
    "critical_angle",
    "error_of",
    "is_neutral_saddle",
    "is_of_cosine",
    "other_multipliers",
    "signed_distance",
    "values_at",
]

Array = NDArray[np.float64]

NOISE = 1e-9  # error of test functions made of bordered solves: rounding times the inverse of a typical angle
COSINE_NOISE = 1e-12  # error of κ = cos θ, an unknown of the equations


def is_neutral_saddle(curve: Curve, node: CurvePoint) -> bool:
    """True if a point of a Neimark–Sacker curve is a neutral saddle, with a real pair λ, 1/λ and no bifurcation."""
    return curve.kind == "neimark-sacker" and abs(float(node.u[-1])) > 1.0


def critical_angle(curve: Curve, u: Array) -> float:
    """θ of the critical pair on a Neimark–Sacker curve, 0 elsewhere."""
    return float(np.arccos(np.clip(u[-1], -1.0, 1.0))) if curve.kind == "neimark-sacker" else 0.0


def values_at(curve: Curve, node: CurvePoint, metric: Metric, cache: StepCache) -> dict[str, float]:
    """The values of all functions of a curve's kind at a point of it, by the kind whose points are their zeros."""
    if curve.kind in ("branch point", "tangency") or not isinstance(node.at, AugmentedEvaluation):
        return {}
    if curve.kind == "neimark-sacker":
        kappa = float(node.u[-1])
        found: dict[str, float] = {kind.name: kappa - kind.cosine for kind in KINDS.values() if kind.cosine is not None}
        if abs(kappa) < 1.0 and not cache.vanishes("chenciner"):
            found["chenciner"] = _coefficient(curve, node, "chenciner")
        return found
    if node.at.Phi.shape[1] > 1:
        return {}
    defect = float(node.at.system.solve(node.at.Phi, np.zeros((1, 1)))[1][0, 0] / np.linalg.norm(node.at.Phi))
    if curve.kind == "fold":
        return {"R1": defect, "cusp": _velocity(curve, node, metric)}
    if cache.vanishes("generalised flip"):
        return {"R2": defect}
    return {"R2": defect, "generalised flip": defect * _coefficient(curve, node, "generalised flip")}


def _velocity(curve: Curve, node: CurvePoint, metric: Metric) -> float:
    """The signed speed of the parameters along a fold curve, in units of their bounds."""
    assert isinstance(node.at, AugmentedEvaluation)
    n = curve.size
    columns = project_vectors(node.at.jacobian, node.linear.B[:, :2])
    push = node.at.system.solve(columns, np.zeros((1, 2)))[1][0] * metric.widths[:2]
    speed = node.tangent[n : n + 2] / metric.widths[:2]
    return float((push[0] * speed[1] - push[1] * speed[0]) / np.linalg.norm(push))


def is_of_cosine(kind: str) -> bool:
    """True if the test function of a kind is κ less a number, which is known to rounding: at resonances."""
    return KINDS[kind].is_strong_resonance or kind == "weak resonance"


def _vanishing(kind: str) -> tuple[str, str]:
    """The kind of curve and the coefficient along it that vanishes at points of a kind."""
    found = KINDS[kind].vanishing
    assert found is not None  # asked for such kinds only
    return found


def _coefficient(curve: Curve, node: CurvePoint, kind: str) -> float:
    form, name = _vanishing(kind)
    at, angle = node.at, critical_angle(curve, node.u)
    J = node.linear.jacobian
    found = leading_coefficients(
        form, curve.iterate, at.orbit, at.parameters, J, angle, _critical_vector(curve, node, angle)
    )
    return found.get(name, np.nan)


def _critical_vector(curve: Curve, node: CurvePoint, angle: float) -> NDArray[Any] | None:
    """The critical eigenvector up to a factor, from what the equations solved; None where that is a part of it only.

    J Φ = Φ R with the multipliers e^{±iθ} of R, so that (J − e^{−iθ}) φ is the eigenvector of e^{iθ}.
    """
    at = node.at
    if not isinstance(at, AugmentedEvaluation) or not isinstance(at.jacobian, np.ndarray):
        return None
    phi = at.Phi[:, 0]
    return at.jacobian @ phi - np.exp(-1j * angle) * phi if curve.kind == "neimark-sacker" else phi


def error_of(curve: Curve, node: CurvePoint, kind: str) -> float:
    """What the function of a kind may be off by, rounding and the errors of derivatives."""
    if curve.kind == "neimark-sacker" and is_of_cosine(kind):
        return COSINE_NOISE
    if KINDS[kind].vanishing is None:
        return NOISE
    form, name = _vanishing(kind)
    x, p = node.u[: curve.size], node.at.parameters
    return coefficients(form, curve.iterate, curve.iterate.orbit(x, p), p, critical_angle(curve, node.u))[1].get(
        name, np.inf
    )


def other_multipliers(curve: Curve, node: CurvePoint) -> Spectrum:
    """The spectrum without the multipliers that are critical all along the curve."""
    s = node.spectrum
    if curve.kind == "neimark-sacker":
        kappa = float(node.u[-1])
        root = cmath.sqrt(kappa * kappa - 1.0)
        gone = [kappa + root, kappa - root]
    else:
        columns = node.at.Phi.shape[1] if isinstance(node.at, AugmentedEvaluation) else 1
        gone = [-1.0 if curve.kind == "flip" else 1.0] * columns
    if len(s.values) <= FEW:
        return _without(s, gone)
    count = s.multiplicity.copy()
    for value in gone:
        count[np.argmin(np.where(count > 0, np.abs(s.values - value), np.inf))] -= 1
    kept = count > 0
    return Spectrum(s.values[kept], count[kept], s.size - len(gone), s.certified, s.note)


def _without(s: Spectrum, gone: Sequence[complex]) -> Spectrum:
    # The same in Python, for few numbers.
    values, count = s.values.tolist(), s.multiplicity.tolist()
    for value in gone:
        count[min((i for i, times in enumerate(count) if times), key=lambda i: abs(values[i] - value))] -= 1
    kept = [i for i, times in enumerate(count) if times]
    left = np.array([values[i] for i in kept], dtype=complex), np.array([count[i] for i in kept], dtype=int)
    return Spectrum(*left, s.size - len(gone), s.certified, s.note)


def count_beyond(rest: Spectrum, which: int) -> int:
    """How many multipliers lie beyond +1, −1 or the circle, without the margin that counts of stability have."""
    if which == 2:
        return int(rest.multiplicity[~rest.real & (np.abs(rest.values) > 1.0)].sum())
    return int(rest.multiplicity[rest.real & (rest.values.real * (1.0, -1.0)[which] > 1.0)].sum())


def signed_distance(curve: Curve, which: int, middle: float) -> Callable[[CurvePoint], float]:
    """The distance of the multiplier that crosses from +1, −1 or the circle, negative where fewer lie beyond."""

    def value(node: CurvePoint) -> float:
        rest = other_multipliers(curve, node)
        if which == 2:
            distance = np.abs(np.abs(rest.values[~rest.real]) - 1.0)
        else:
            distance = np.abs(rest.values[rest.real].real - (1.0, -1.0)[which])
        return float(distance.min(initial=np.inf)) * (1.0 if count_beyond(rest, which) > middle else -1.0)

    return value
