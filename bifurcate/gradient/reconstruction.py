"""The energy of a claim whose Jacobian has passed: circulations around triangles, then E and its gradient."""

from __future__ import annotations

import numpy as np

from bifurcate.errors import OutsideDomain
from bifurcate.gradient.certificates import Loop
from bifurcate.gradient.field import EPS, SURE, Field
from bifurcate.gradient.line_integrals import LineIntegralEnergy, flat, polygon, work
from bifurcate.gradient.metric_on_a_box import DiagonalMetric
from bifurcate.gradient.result_types import Check, Consistent, Reconstructed, Refuted, TestResult, relative
from bifurcate.maps.derivatives import FIVE_POINT_STEP, central_difference

__all__ = ["integrate"]


def integrate(
    claim: str,
    field: Field,
    X: np.ndarray,
    metric: DiagonalMetric | None,
    checks: tuple[Check, ...],
    tolerance: float,
    loops: int,
    rng: np.random.Generator,
    apart: str = "",
) -> TestResult:
    """The verdict on M G = −∇E once its Jacobian has passed: circulations, then E and its gradient.

    ``apart`` says why the metric's groups of coordinates may be coupled all the same.
    """
    X = X[np.sort(np.unique(X, axis=0, return_index=True)[1])]
    if len(X) < 3 or loops < 1:
        return Consistent(claim, checks, "no energy was integrated: that takes three states and a loop")
    try:
        around = _triangles(field, X, metric, loops, rng)
        worst = max(around, key=lambda loop: abs(loop.value) / loop.error)
        found = [relative(abs(loop.value), loop.size) for loop in around]
        resolution = max(relative(SURE * loop.error, loop.size) for loop in around)
        checks = (*checks, Check("∮ M G·dx / ∮ |M G·dx|", len(around), max(found), resolution))
        if worst.significant and (metric is None or len(set(metric.group)) == 1):
            return Refuted(claim, worst, checks)
        if worst.significant:
            return Consistent(claim, checks, f"its groups of coordinates are coupled: {apart}")
        energy = LineIntegralEnergy(field, X[0], metric)
        slopes = [_slope(energy, x, rng) for x in X[1 : loops + 1]]
    except OutsideDomain as left:
        return Consistent(claim, checks, f"no energy was integrated: {left}")
    checks = (*checks, Check("|∇E + M G| / |M G| along a line", len(slopes), max(slopes), tolerance))
    residual = max(*found, *slopes)
    if residual <= tolerance:
        return Reconstructed(claim, energy, metric, residual, checks)
    return Consistent(claim, checks, f"an energy was integrated, but its residual {residual:.1e} exceeds {tolerance:g}")


def _triangles(
    field: Field, X: np.ndarray, metric: DiagonalMetric | None, loops: int, rng: np.random.Generator
) -> list[Loop]:
    # All through the base point of E: what is 0 around them is the difference of E along two ways.
    others = [rng.choice(np.arange(1, len(X)), 2, replace=False) for _ in range(loops)]
    around = [polygon(field, X[[0, *pair]], flat(metric, field)) for pair in others]
    doubt = 0.0 if metric is None else metric.error
    return [Loop(loop.path, loop.value, loop.error + doubt * loop.size, loop.size) for loop in around]


def _slope(energy: LineIntegralEnergy, x: np.ndarray, rng: np.random.Generator) -> float:
    """|∂E/∂v + v·M G| at x for a random v, over |M G| at x and its mean along the line from the base.

    All in units of the metric's box where there is one: coordinates of other scales would leave it along a unit vector.
    """
    field, metric = energy.field, flat(energy.metric, energy.field)
    width = np.ones_like(x) if energy.metric is None else energy.metric.upper - energy.metric.lower
    width = np.where(width > 0.0, width, 1.0)
    v = rng.standard_normal(len(x))
    v /= np.linalg.norm(v)
    length = max(float(np.linalg.norm((x - energy.base) / width)), EPS * field.scale)
    slope = float(central_difference(lambda t: np.array([energy(x + t * width * v)]), FIVE_POINT_STEP * length)[0])
    force = width * (field(x) if metric is None else metric(x) * field(x))
    mean = work(field, energy.base, x, metric)[2] / length
    return relative(abs(slope + float(v @ force)), float(np.linalg.norm(force)) + mean)
