"""Sequences of any stimuli under strong decay: one response that attracts everything, proved.

For 0 ≤ α ≤ −β ≤ 1 the update of all weights keeps W ≥ W̲ = (1 + α/β) C ≥ 0, entry by entry, whatever is shown:
(1+β) W̲ − (α+β) C = W̲, and R Rᵀ ≥ 0 where W ≥ 0; and every W ≥ 0 approaches that set like (1+β)^t. There u ≥ u̲ = σ² +
W̲ r/n, so that R ≤ r/u̲, and δR = −(r/u²)(δW r)/n gives, in Frobenius' norm,

    ‖δ(R Rᵀ)‖ ≤ 2 ‖R‖ ‖δR‖ ≤ ℓ ‖δW‖,     ℓ = (2/n) ‖r/u̲‖ max(r/u̲²) ‖r‖.                                 (1)

So an update contracts by 1 + β + α ℓ at least (test_updates_contract_as_is_proved). Where the product over a period is
less than 1, Banach's theorem gives one weight matrix that comes back after a period, and all others approach it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifurcate.adaptation.equations import Model

__all__ = ["Contraction", "contraction"]


@dataclass(frozen=True, eq=False)
class Contraction:
    """What is proved of a sequence of inputs from the contraction of every update.

    Attributes
    ----------
    factors : ndarray, shape (M,)
        Bounds 1 + β + α ℓ of the stages' contraction of all n² weights; NaN where 0 ≤ α ≤ −β ≤ 1 does not hold.
    reason : str
        What follows, in words.
    """

    factors: np.ndarray
    reason: str

    @property
    def period(self) -> float:
        """The product of the factors: what a period leaves of every distance, at the most."""
        return float(np.prod(self.factors))

    @property
    def one_periodic_response(self) -> bool:
        """True if the stages in this order, over and over, have one response that attracts every W₀ ≥ 0: proved."""
        return self.period < 1.0

    @property
    def every_order(self) -> bool:
        """True if W₀ ≥ 0 is forgotten whatever the order of the stages: every factor is below 1."""
        return bool((self.factors < 1.0).all())


def contraction(net: Model, drives: np.ndarray, stages: list[tuple[np.ndarray, np.ndarray]]) -> Contraction:
    """The contraction of every stage.

    Parameters
    ----------
    net : Model
    drives : ndarray, shape (m, n)
    stages : list of (ndarray of int, ndarray)
        Numbers of the stimuli that a stage averages, and their weights.
    """
    alpha, beta, n = net.alpha, net.beta, net.size
    if not 0.0 <= alpha <= -beta <= 1.0:
        return Contraction(
            np.full(len(stages), np.nan),
            f"alpha = {alpha:g}, beta = {beta:g}: weights stay positive by themselves only for alpha <= -beta <= 1; "
            "nothing is proved",
        )
    F = net.target_rule.factor(net.parameters)
    if (F < 0.0).any():
        return Contraction(np.full(len(stages), np.nan), "the target has negative responses; nothing is proved")
    least = net.sigma**2 + ((1.0 + alpha / beta) / n * (drives @ F) @ F.T if beta else 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        R = np.where(drives > 0.0, drives / least, 0.0)
        gain = np.where(drives > 0.0, drives / least**2, 0.0).max(axis=1)
    rates = 2.0 / n * np.linalg.norm(R, axis=1) * gain * np.linalg.norm(drives, axis=1)
    factors = np.array([1.0 + beta + alpha * float(weights @ rates[members]) for members, weights in stages])
    found = Contraction(factors, "")
    if found.every_order:
        reason = f"every sequence of these stages forgets W0 >= 0, by {factors.max():.6g} an update or faster"
    elif found.one_periodic_response:
        reason = "single updates may not contract, but the period does"
    else:
        return Contraction(factors, f"the bound of a period is {found.period:.6g}, not below 1: nothing is proved")
    return Contraction(factors, f"{reason}; in this order, over and over, there is one globally attracting response")
