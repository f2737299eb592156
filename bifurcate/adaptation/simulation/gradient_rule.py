"""The nearest true gradient rule under an ensemble of stimuli, with its concave objective: ``maps/gradient_update``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria.fixed_point import damped_iteration, newton
from bifurcate.adaptation.maps.gradient_update import GradientReduction, GradientUpdate, cross_target
from bifurcate.adaptation.simulation.average_and_periodic import average
from bifurcate.adaptation.simulation.stimulation_schedule import ROUGH, StimulationSchedule
from bifurcate.adaptation.stimuli.drive import TunedDrives
from bifurcate.errors import InvalidInput, OutsideDomain
from bifurcate.maps.map import Map

__all__ = ["GradientRule", "gradient_rule"]


@dataclass(frozen=True, eq=False)
class GradientRule:
    """W⁺ = W + α (⟨R rᵀ⟩ − C̃) + β (W − C): Euclidean ascent of a function J of the weights, concave for β ≤ 0.

    Made by :func:`gradient_rule`.

    Attributes
    ----------
    schedule : StimulationSchedule
        The averaged adaptation rule of the same network and stimuli, W⁺ = W + α (⟨R Rᵀ⟩ − C) + β (W − C).

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> rule = gradient_rule(net, [[1.0, 0.5], [0.5, 1.0]])
    >>> W = np.ones((2, 2))
    >>> bool(np.allclose(rule.update(W) - W, rule.gradient(W), rtol=0, atol=1e-15))
    True
    >>> bool(rule.objective(rule.update(W)) > rule.objective(W))
    True
    """

    schedule: StimulationSchedule

    @property
    def network(self) -> Model:
        """Rates, target and initial weights."""
        return self.schedule.network

    @property
    def drives(self) -> np.ndarray:
        """The drives rˢ, shape (m, n)."""
        return self.schedule.drives

    @cached_property
    def update(self) -> Map:
        """W ↦ W⁺ as a Map on (n, n), with products of its Jacobian, which is symmetric."""
        kinked = isinstance(self.network.stimuli, TunedDrives)
        return Map.from_rule(
            GradientUpdate(self.schedule.stimuli, self.network.target_rule, self.schedule.stages[0]),
            self.schedule.parameters,
            without=["jacobian", *([] if kinked else ["borders"])],
            scale=float(np.abs(self.network.initial).max()) or 1.0,
            name="gradient ascent in the weights",
            advice="At beta = 0 whatever of W the stimuli do not see is free; take beta different from 0, or iterate.",
        )

    @cached_property
    def reduced(self) -> Map:
        """Y ↦ Y⁺ as a Map on (m, n), Y = W [r¹ … rᵐ]/n."""
        kinked = isinstance(self.network.stimuli, TunedDrives)
        return Map.from_rule(
            GradientReduction(self.schedule.stimuli, self.network.target_rule, self.schedule.stages[0]),
            self.schedule.parameters,
            without=[] if kinked else ["borders"],
            scale=float(np.abs(self.schedule.project(self.network.initial)).max()) or 1.0,
            name="gradient ascent, of W r/n",
            advice="Stimuli that depend on each other leave combinations of Y conserved at beta = 0; take beta < 0.",
        )

    def objective(self, W: Any) -> float:
        """J(W) = α (n ⟨r·ln u⟩ − ⟨C̃, W⟩) + (β/2) ‖W − C‖², u = σ² + W r/n.

        Raises
        ------
        OutsideDomain
            If the u of a driven neuron is not positive.
        """
        net, r, W = self.network, self.drives, np.asarray(W, dtype=float)
        u = net.sigma**2 + self.schedule.project(W)
        if not (u[r > 0.0] > 0.0).all():
            raise OutsideDomain("a driven neuron stands beyond a pole, where the objective has no value")
        logs = np.zeros_like(u)
        logs[r > 0.0] = np.log(u[r > 0.0])
        w, C = self.schedule.stages[0].weights(self.schedule.parameters), net.target()
        gain = net.size * float(w @ (r * logs).sum(axis=1)) - float((self.cross_target * W).sum())
        return net.alpha * gain + 0.5 * net.beta * float(((W - C) ** 2).sum())

    def gradient(self, W: Any) -> np.ndarray:
        """∇J(W), shape (n, n): what one update adds to W."""
        W = np.asarray(W, dtype=float)
        return np.asarray(self.update(W) - W)

    @property
    def cross_target(self) -> np.ndarray:
        """C̃, the mean of R₀ r₀ᵀ over the target's stimuli, shape (n, n)."""
        return cross_target(self.network.target_rule, self.network.parameters)

    def reduced_equilibrium(self) -> np.ndarray:
        """Y at rest, the only maximum of J for β < 0.

        Raises
        ------
        NotConverged
            If no damped iteration from W₀ leads to one without crossing a pole.
        """
        net = self.network
        start = damped_iteration(self.reduced, self.schedule.project(net.initial), ROUGH, net.sigma**2)
        return newton(self.reduced, start, net.beta != 0.0)

    def equilibrium(self) -> np.ndarray:
        """W at rest, C − (α/β) (⟨R rᵀ⟩ − C̃), for β ≠ 0.

        Raises
        ------
        InvalidInput
            At β = 0, where Y does not determine W.
        NotConverged
            As :meth:`reduced_equilibrium`.
        """
        net = self.network
        if net.beta == 0.0:
            raise InvalidInput("at beta = 0 weights at rest are not determined by W r/n; iterate .update")
        R = self.schedule.reduced_response(self.reduced_equilibrium())
        w = self.schedule.stages[0].weights(self.schedule.parameters)
        return np.asarray(net.target() - (net.alpha / net.beta) * ((R.T * w) @ self.drives - self.cross_target))


def gradient_rule(net: Model, stimuli: Any, probabilities: Any = None) -> GradientRule:
    """The rule with R rᵀ in place of R Rᵀ, averaged over an ensemble of stimuli.

    Parameters
    ----------
    net : Model
        Without the clip, and with a target made by stimuli: the baseline's or an ensemble's.
    stimuli, probabilities
        As for :func:`~bifurcate.adaptation.average`.

    Returns
    -------
    GradientRule

    Raises
    ------
    InvalidInput
        With the clip, or if the target was given as a factor or frozen.
    """
    if net.clip:
        raise InvalidInput("with clip=True the rule is no gradient; take net.replace(clip=False)")
    if net.target_rule.given is not None:
        raise InvalidInput("the target was given as a factor, which has no drives r0 to make the mean of R0 r0^T of")
    return GradientRule(average(net, stimuli, probabilities))
