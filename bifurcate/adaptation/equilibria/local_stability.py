"""Stability in its two meanings: of the outputs R, which are what is seen, and of the weights W, which do the work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria.equilibrium import weights_settle
from bifurcate.adaptation.kernels import respond
from bifurcate.errors import InvalidInput
from bifurcate.linalg.multipliers import spectrum
from bifurcate.linalg.operators import DiagonalLowRank

__all__ = ["NEUTRAL", "Stability", "inner_multipliers", "stability"]

REAL = 1e-12  # imaginary part below which a multiplier near the circle is written as a real number
AT_REST = 1e-6  # |y⁺ − y| ≤ AT_REST·max(|y|, σ²) over the driven neurons counts as outputs at rest
NEUTRAL = 1e-9  # a modulus within this distance of 1 counts as 1


@dataclass(frozen=True)
class Stability:
    """What a small disturbance does at an equilibrium.

    The outputs of driven neurons follow the n × n core of the Jacobian; the weights have the multiplier 1 + β beside
    it, n(n−1) times and once more for each silent neuron. The two can disagree: where 1 + β > 1 outputs can return
    while weights leave, and at β = 0 weights stay where they were put, along a manifold of equilibria.

    Attributes
    ----------
    outputs, weights : {"stable", "neutral", "unstable"}
        "neutral" where the largest modulus is 1 to within 1e-9: nothing decays and nothing grows to first order.
    outputs_radius, weights_radius : float
        The largest modulus of the multipliers that count.
    outputs_margin, weights_margin : float
        1 − radius: positive where stable.
    reason : str
        The same in words.
    """

    outputs: str
    weights: str
    outputs_radius: float
    weights_radius: float
    outputs_margin: float
    weights_margin: float
    reason: str


def stability(net: Model, y: np.ndarray, inner: np.ndarray | None = None) -> Stability:
    """See :meth:`Network.stability`; ``inner`` are the multipliers of the outputs, where they are known."""
    p, r, n = net.parameters, net.drive, len(net.drive)
    driven = r > 0.0
    move = np.abs(net.reduction_rule.f(y, **p) - y)[driven].max()
    if not move <= AT_REST * max(float(np.abs(y[driven]).max()), net.sigma**2):
        raise InvalidInput(
            f"the state given is no equilibrium: one update moves W r/n by {move:.2e}; net.spectrum takes any state"
        )
    inner = inner_multipliers(net, y) if inner is None else inner
    trivial, count = 1.0 + p["beta"], n * (n - 1) + int((~driven).sum())
    outputs = float(np.abs(inner).max())
    weights = max(outputs, abs(trivial)) if count else outputs
    drifts = p["beta"] == 0.0 and p["alpha"] > 0.0 and not weights_settle(net)
    words = [f"outputs: the largest of {int(driven.sum())} multipliers is {_shown(inner)}"]
    words.append(f"weights: also the multiplier 1 + beta = {trivial:.10g}, {count} times")
    if p["beta"] == 0.0:
        words.append("at beta = 0 the equilibria form a manifold of that many dimensions, along which nothing decays")
    if drifts:
        R = respond(r, net.sigma**2 + y)
        words.append(
            f"the outputs rest but the weights do not: R R^T differs from the target, and W grows by alpha (R R^T - C) "
            f"every step without bound (largest response {np.abs(R).max():.3g})"
        )
    return Stability(
        _verdict(outputs),
        "unstable" if drifts else _verdict(weights),
        outputs,
        weights,
        1.0 - outputs,
        1.0 - weights,
        "; ".join(words),
    )


def inner_multipliers(net: Model, y: np.ndarray) -> np.ndarray:
    """Multipliers of the driven neurons' outputs by modulus; of very many, the extremes and those next to ±1."""
    driven, J = net.drive > 0.0, net.reduction_rule.jacobian(y, **net.parameters)
    return spectrum(DiagonalLowRank(J.diagonal[driven], J.left[driven], J.right[driven])).values


def _verdict(radius: float) -> str:
    if abs(radius - 1.0) <= NEUTRAL:
        return "neutral"
    return "stable" if radius < 1.0 else "unstable"


def _shown(values: np.ndarray) -> str:
    largest = values[np.argmax(np.abs(values))]
    return f"{largest.real:.10g}" if abs(largest.imag) < REAL else f"{largest:.10g}"
