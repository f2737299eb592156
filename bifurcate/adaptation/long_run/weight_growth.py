"""WeightGrowth: the part of the weights that grows along an orbit of the outputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.kernels import multiply_weights
from bifurcate.adaptation.long_run.fast_reduction import FastReduction
from bifurcate.adaptation.long_run.orbit_findings import OrbitFindings

__all__ = ["WeightGrowth"]

NO_WEIGHT = 1e-18  # |g^−s| of a term of the sum below which it is under the rounding of the first
SUM_ERROR = 1e-11  # of the sum, relative to its largest term: taken well above the rounding of its terms
PROBES = 3  # random vectors to which L is applied


@dataclass(eq=False)
class WeightGrowth:
    """L v for random vectors v, summed along the orbit: what of W goes like g^t where |g| ≥ 1, g ≠ 1."""

    net: Model
    probes: np.ndarray
    total: np.ndarray
    size: np.ndarray
    weight: float

    @classmethod
    def of(cls, net: Model) -> WeightGrowth:
        """Before the first step."""
        V = np.random.default_rng(0).standard_normal((net.size, PROBES))
        start, target = multiply_weights(net.initial_weights, V), cls._target(net, V)
        return cls(net, V, start - target, np.abs(start) + np.abs(target), 1.0 / (1.0 + net.beta))

    @staticmethod
    def _target(net: Model, V: np.ndarray) -> np.ndarray:
        F = net.target_rule.factor(net.parameters)
        return np.asarray(F @ (F.T @ V))

    def add(self, rule: FastReduction, y: np.ndarray) -> None:
        """One term of the sum."""
        if abs(self.weight) < NO_WEIGHT:
            return
        term = self._term(rule, y, self.weight)
        self.total += term
        self.size += np.abs(term)
        self.weight /= rule.growth

    def limit(self, rule: FastReduction, course: OrbitFindings, y: np.ndarray) -> tuple[float, float, float]:
        """The size of L, its error and the size of its terms, where the orbit at y goes on around a cycle for ever.

        As far as it is yet to come to that, what is to come counts as error; all of it, if there is no cycle.
        """
        g, weight = rule.growth, self.weight
        states, doubt = y[None], 1.0
        if course.cycle is not None:
            states, rate = course.states, max(1.0 - course.cycle.radius, 0.0)
            doubt = min(1.0, 4.0 * course.distance / rate) if rate else 0.0  # at rest on what is unstable
        tail, size = np.zeros_like(self.total), np.zeros_like(self.total)
        for state in states:  # every turn to come is the first, g^−q times smaller
            term = self._term(rule, state, weight / (1.0 - g ** -len(states)))
            tail, size, weight = tail + term, size + np.abs(term), weight / g
        everything = self.net.alpha / (g - 1.0) * self._target(self.net, self.probes)  # Σ_s g^{−1−s} = 1/(g − 1)
        scale = float((self.size + size + np.abs(everything)).max())
        error = SUM_ERROR * scale + doubt * float(size.max())
        return float(np.abs(self.total + tail - everything).max()), error, scale

    def _term(self, rule: FastReduction, y: np.ndarray, weight: float) -> np.ndarray:
        # α weight R (R·v) for all v
        R, term = rule.r / (rule.floor + y), np.zeros_like(self.total)
        term[rule.driven] = np.outer(self.net.alpha * weight * R, R @ self.probes[rule.driven])
        return term
