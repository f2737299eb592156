"""The network of the studies.

A ring of 16 neurons that prefer 0, π/16, …; adapted to a baseline of contrast 0.8 at 0, and presented with a stimulus
of contrast 0.8 at π/2. Its n² = 256 weights are followed through the exact reduction to y = W r/n.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import bifurcate as bf

__all__ = ["BASELINE", "STIMULUS", "TO_BASELINE", "TO_STIMULUS", "N", "network", "response"]

N = 16
BASELINE = (0.8, 0.0)  # contrast, orientation
STIMULUS = (0.8, np.pi / 2)
TO_BASELINE, TO_STIMULUS = 0, N // 2  # the neurons tuned to them


def network(*, alpha: float, beta: float = -0.1, sigma: float = 1 / 6, b: float = 0.05) -> bf.adaptation.Network:
    """The network at these rates, semi-saturation and input current."""
    return bf.adaptation.ring(N, BASELINE, STIMULUS, alpha=alpha, beta=beta, sigma=sigma, b=b)


def response(net: bf.adaptation.Network, neuron: int) -> Callable[..., float]:
    """The observable R = r/(σ² + y) of one neuron, whose drive r and σ follow the map's parameters."""

    def observable(y: np.ndarray, **p: float) -> float:
        return float(net.stimuli.at(p).drive[neuron] / (p["sigma"] ** 2 + y[neuron]))

    return observable
