"""What a schedule of stimuli descends, where that is known, and the proof that it descends nothing, where that is.

Averaged over stimuli of which no two drive one neuron, every R^q·rˢ with q ≠ s vanishes: each yˢ moves on its own, by
the rule of one stimulus with the push α w_s, and the sum of the stimuli's energies is one of the whole
(test_stimuli_that_share_no_neuron_have_an_energy). Elsewhere multipliers can form complex pairs, of which one at an
equilibrium refutes every metric that is continuous and positive definite there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.kernels import respond
from bifurcate.adaptation.validation import finite
from bifurcate.errors import InvalidInput, NoEnergy, NotConverged, OutsideDomain
from bifurcate.gradient.any_metric_test import any_metric
from bifurcate.gradient.diagonal_metric import diagonal
from bifurcate.gradient.result_types import Refuted
from bifurcate.maps.map import Map

__all__ = ["ScheduleEnergy", "refute", "share_no_neuron"]

SPREAD = 0.1  # relative distance from rest of the states at which a diagonal metric is tested
STATES = 6  # how many of them: two more than a loop needs


@dataclass(frozen=True, eq=False)
class ScheduleEnergy:
    """E(Y), Y = W [r¹ … rᵐ]/n, under an average over stimuli of which no two drive one neuron: the sum of their own.

    With the metric diag(R) of every driven pair of stimulus and neuron, R (Y⁺ − Y) = −∇E.

    Attributes
    ----------
    network : Model
    drives : ndarray, shape (m, n)
    probabilities : ndarray, shape (m,)

    Examples
    --------
    >>> from bifurcate.adaptation import Network, average
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> apart = average(net, [[1.0, 0.0], [0.0, 1.0]])
    >>> E, Y = apart.energy(), apart.project(np.ones((2, 2)))
    >>> moved = apart.reduced(Y) - Y
    >>> bool(np.allclose(apart.reduced_response(Y) * moved, -E.gradient(Y), rtol=0, atol=1e-15)), E(Y + moved) < E(Y)
    (True, True)
    """

    network: Model
    drives: np.ndarray
    probabilities: np.ndarray

    def _parts(self, Y: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Which pairs are driven, their R and k, and α w/n of the stimuli."""
        net, r, Y = self.network, self.drives, finite("Y", Y)
        if Y.shape != r.shape:
            raise InvalidInput(f"Y has shape {Y.shape}; it must be {r.shape}, a row for each stimulus")
        R, on, F = respond(r, net.sigma**2 + Y), r > 0.0, net.target_rule.factor(net.parameters)
        if not (R[on] > 0.0).all():
            raise OutsideDomain("E is an energy where all driven responses are positive")
        k = (net.alpha + net.beta) / net.size * (r @ F) @ F.T + net.beta * net.sigma**2
        return on, R, k, net.alpha / net.size * self.probabilities

    def __call__(self, Y: Any) -> float:
        """E, without a constant."""
        on, R, k, rates = self._parts(Y)
        r, logs, inverse = self.drives, np.zeros_like(R), np.zeros_like(R)
        logs[on], inverse[on] = np.log(R[on]), 1.0 / R[on]
        total = 0.5 * rates @ (r * R).sum(axis=1) ** 2
        return float(total - (r * k * logs).sum() - self.network.beta * (r * r * inverse).sum())

    def gradient(self, Y: Any) -> np.ndarray:
        """∇E with respect to Y, shape (m, n); 0 where a stimulus does not drive a neuron."""
        on, R, k, rates = self._parts(Y)
        r, u = self.drives, np.zeros_like(R)
        u[on] = r[on] / R[on]
        slope = (rates * (r * R).sum(axis=1))[:, None] * R - k + self.network.beta * u
        return np.asarray(np.where(on, -R * slope, 0.0))


def share_no_neuron(drives: np.ndarray) -> bool:
    """True if no two of the stimuli drive one neuron."""
    return bool(((drives > 0.0).sum(axis=0) <= 1).all())


def refute(reduced: Map, find_rest: Callable[[], np.ndarray]) -> NoEnergy:
    """Why the map of Y is no gradient, with a certificate where there is one."""
    try:
        rest = find_rest()
        found = any_metric(reduced, rest)
    except (NotConverged, InvalidInput) as error:
        return NoEnergy(f"none is known, and none was refuted, as no equilibrium was found: {error}")
    if isinstance(found, Refuted):
        return NoEnergy(
            f"at an equilibrium multipliers form a complex pair, as no gradient has in any metric: {found.certificate}",
            found.certificate,
        )
    states = rest * (1.0 + SPREAD * np.random.default_rng(0).uniform(-1.0, 1.0, (STATES, *rest.shape)))
    try:
        tested = diagonal(reduced, states)
    except InvalidInput as error:
        return NoEnergy(f"none is known, and none was refuted: {error}")
    if isinstance(tested, Refuted):
        return NoEnergy(
            "in no diagonal metric it is a gradient; all multipliers at the equilibrium that was found are real, so "
            "that other metrics are not refuted",
            tested.certificate,
        )
    return NoEnergy("none is known, and none was refuted")
