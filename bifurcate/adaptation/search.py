"""One long orbit of the outputs: followed, and looked at now and then for what it has come close to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bifurcate.adaptation.arithmetic import times
from bifurcate.adaptation.outputs import Cycle, Outputs

if TYPE_CHECKING:
    from bifurcate.adaptation.network import Network

__all__ = ["Growing", "Search"]

WINDOW = 512  # last states remembered, and longest period but one that is looked for
CAUGHT = (
    1e-3  # max |Δy/u| from a stable cycle, or 0.05 (1 − radius) if that is less, at which the orbit counts as caught
)
STILL = 1e-13  # max |Δy/u| between turns that counts as none
NEGLIGIBLE = 0.01  # of the linear part of a step, below which a neuron's push no longer holds it back
PROBES = 3  # random vectors to which L is applied


@dataclass(eq=False)
class Search:
    """An orbit that is followed until it is decided; what it has seen so far."""

    rule: Outputs
    y: np.ndarray
    t: int = 0
    crossed: int | None = None
    kept: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    growing: Growing | None = None

    def advance(self, until: int) -> None:
        """Iterate, remembering the last states."""
        rule, y, kept = self.rule, self.y, []
        with np.errstate(all="ignore"):
            for t in range(self.t, until):
                if self.growing is not None:
                    self.growing.add(rule, y)
                y = rule.step(y)
                if self.crossed is None and not (rule.floor + y).min() > 0.0:
                    self.crossed = t + 1
                if t >= until - WINDOW:
                    kept.append(y)
        known = np.vstack([self.kept, kept]) if self.kept.size else np.array(kept)
        self.y, self.t, self.kept = y, until, known[-WINDOW:]

    def attractor(self) -> tuple[Cycle, float, bool] | None:
        """The cycle that has caught the orbit, its distance and whether it is unstable and the orbit yet at rest."""
        last = self.kept[-1]
        lags = self.rule.apart(self.kept[-2::-1], last)  # lags[p−1]: how far from where it was p steps ago
        records, least = [], 0.1
        for p, lag in enumerate(lags.tolist(), start=1):
            if lag < 0.5 * least:
                records.append(p)
                least = lag
        for p in records[:5]:
            found = self.rule.cycle(last, p)
            distance = np.inf if found is None else float(self.rule.apart(last, found.states[0]))
            if found is None or distance > CAUGHT:
                continue
            if found.radius < 1.0 and distance <= 0.05 * (1.0 - found.radius):
                turns = max((len(self.kept) - 1) // (2 * p), 1)
                before = self.rule.apart(self.kept[-1 - turns * p], found.states[0])
                if distance <= STILL or distance < before:
                    return found, distance, False
            elif len(self.kept) == WINDOW and self.still(p):
                return found, distance, True
        return None

    def still(self, period: int) -> bool:
        """Whether the orbit repeats itself to rounding, as far back as it is remembered."""
        return bool(self.rule.apart(self.kept[period:], self.kept[:-period]).max() <= STILL)

    def escaped(self) -> np.ndarray:
        """Which neurons leave for ever: the linear part of a step drives them outward, and nothing holds them back.

        Where |g| > 1 that is so once (|g| − 1) |y| exceeds twice everything else; at g = 1 once the constant −k drives
        a neuron beyond its pole further out, or k = 0 and nothing drives it back.
        """
        rule, y = self.rule, self.y
        if abs(rule.growth) < 1.0 or not np.isfinite(y).all():
            return ~np.isfinite(y)
        R = rule.r / (rule.floor + y)
        push = rule.rate * (R @ rule.r) * R
        if rule.growth == 1.0:
            outward = (np.sign(push - rule.k) == np.sign(rule.floor + y)) & (push != rule.k)
            return outward & ((np.abs(push) <= NEGLIGIBLE * np.abs(rule.k)) | (rule.k == 0.0))
        spare = (abs(rule.growth) - 1.0) * np.abs(y)
        return (spare > 2.0 * (np.abs(push) + np.abs(rule.k))) & (np.abs(y) > 4.0 * rule.floor)


@dataclass(eq=False)
class Growing:
    """L v for random vectors v, summed along the orbit: what of W grows like g^t."""

    net: Network
    probes: np.ndarray
    total: np.ndarray
    size: np.ndarray
    weight: float

    @classmethod
    def of(cls, net: Network) -> Growing:
        """Before the first step."""
        V = np.random.default_rng(0).standard_normal((net.size, PROBES))
        start, target = times(net.start, V), cls._target(net, V)
        return cls(net, V, start - target, np.abs(start) + np.abs(target), 1.0 / (1.0 + net.beta))

    @staticmethod
    def _target(net: Network, V: np.ndarray) -> np.ndarray:
        F = net.aim.factor(net.parameters)
        return F @ (F.T @ V)

    def add(self, rule: Outputs, y: np.ndarray) -> None:
        """One term of the sum."""
        if abs(self.weight) < 1e-18:
            return
        term = self._term(rule, y, self.weight)
        self.total += term
        self.size += np.abs(term)
        self.weight /= rule.growth

    def limit(self, rule: Outputs, states: np.ndarray, exact: bool) -> tuple[float, float]:
        """The size of L, and its error, where the orbit goes on around these states for ever.

        If they are not ``exact``, all that is to come counts as error.
        """
        g, weight = rule.growth, self.weight
        tail, size = np.zeros_like(self.total), self.size.copy()
        for y in states:  # every turn to come is the first, g^−q times smaller
            term = self._term(rule, y, weight / (1.0 - g ** -len(states)))
            tail, size, weight = tail + term, size + np.abs(term), weight / g
        everything = self.net.alpha / (g - 1.0) * self._target(self.net, self.probes)  # Σ_s g^{−1−s} = 1/(g − 1)
        error = 1e-11 * float((size + np.abs(everything)).max()) + (0.0 if exact else float(np.abs(tail).max()))
        return float(np.abs(self.total + tail - everything).max()), error

    def _term(self, rule: Outputs, y: np.ndarray, weight: float) -> np.ndarray:
        # α weight R (R·v) for all v
        R, term = rule.r / (rule.floor + y), np.zeros_like(self.total)
        term[rule.driven] = np.outer(self.net.alpha * weight * R, R @ self.probes[rule.driven])
        return term
