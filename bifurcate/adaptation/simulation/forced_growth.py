"""Which weights must grow at β ≥ 0, whatever is presented from now on.

Let v be orthogonal to all columns of the target's factor, C = F Fᵀ, so that C v = 0. Then for any sequence of inputs

    vᵀ W_{t+1} v = (1+β) vᵀ W_t v + α (v·R_t)²,                                                            (1)

and (1+β)^−t vᵀ W_t v never falls for β ≥ 0. With P the projection across the target, after s updates

    ‖W_t‖₂ ≥ (1+β)^t λ,   t ≥ s,     λ the largest eigenvalue of P [W₀ + α Σ_{q<s} (1+β)^{−1−q} R_q R_qᵀ] P.      (2)

For β > 0 one positive λ is a proof that the weights diverge. From W₀ = 𝟏 the first term is (P1)(P1)ᵀ with 1 the vector
of ones: unless R₀ is uniform, W diverges whatever is presented, and if it is, as soon as a response is not. So in the
box as it was posed, β > 0, weights stay bounded only where the baseline and all stimuli drive all neurons equally
(test_bounded_weights_need_uniform_drives).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.kernels import respond
from bifurcate.adaptation.simulation.simulate import Run
from bifurcate.errors import InvalidInput

__all__ = ["ForcedGrowth", "bounded"]

NOTHING = 1e-12  # λ relative to the terms it is made of up to which it counts as 0: rounding of n products of weights


@dataclass(frozen=True, eq=False)
class ForcedGrowth:
    """What of the weights is known to grow.

    Attributes
    ----------
    diverges : bool
        True if it is proved, up to rounding, that the weights diverge whatever is presented from now on. False proves
        nothing.
    cause : {"initial weights", "response", "nothing"}
        What forces them.
    update : int or None
        With cause "response" the first update, counted from 0, whose response does.
    direction : ndarray, shape (n,)
        The unit vector v across the target for which vᵀWv is largest.
    growth, rate : float
        λ and 1 + β of (2).
    reason : str
    """

    diverges: bool
    cause: str
    update: int | None
    direction: np.ndarray
    growth: float
    rate: float
    reason: str

    def bound(self, t: int) -> float:
        """A lower bound of ‖W_t‖₂ (and of vᵀW_t v) at every later update t."""
        return max(self.growth, 0.0) * self.rate**t


def bounded(subject: Model | Run) -> ForcedGrowth:
    """Can the weights stay bounded at β ≥ 0? Of a network, under its constant stimulus; of a run, after its inputs.

    Parameters
    ----------
    subject : Network or Run
        A run with its responses and of constant α. Without clip.

    Returns
    -------
    ForcedGrowth

    Raises
    ------
    InvalidInput
        For β < 0, where (1) forces nothing; with the clip; or if responses were not kept.

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5, 0.8], [1.0, 1.0, 1.0], alpha=0.1, beta=0.01, sigma=0.5)
    >>> found = bounded(net)
    >>> found.diverges, found.cause, found.update
    (True, 'response', 0)
    >>> run = net.run(drive=[net.drive] * 500)
    >>> bool(found.bound(500) <= np.linalg.norm(run.last, 2))
    True
    """
    run = subject if isinstance(subject, Run) else None
    net = subject.network if isinstance(subject, Run) else subject
    if net.clip:
        raise InvalidInput("with clip=True weights are raised to 0, which changes v^T W v: nothing is proved")
    if net.beta < 0.0:
        raise InvalidInput(f"beta is {net.beta:g}; for beta < 0 all weights decay by themselves, and nothing is forced")
    if run is None:
        responses, weights = _first_response(net), np.array([net.alpha / (1.0 + net.beta)])
        start = np.asarray(net.initial)
    else:
        if run.responses is None:
            raise InvalidInput("responses were not kept; run with keep='responses'")
        T = len(run)
        responses = run.responses.reshape(-1, net.size)
        powers = (1.0 + net.beta) ** -np.arange(1.0, T + 1.0) * run.alpha
        weights = (powers[:, None] * run.shares[run.order]).ravel()
        start = run.start
    across = scipy.linalg.null_space(net.target_rule.factor(net.parameters).T)
    return _forced(net, across.T @ (0.5 * (start + start.T)) @ across, across, responses, weights, run)


def _first_response(net: Model) -> np.ndarray:
    return respond(net.drive, net.sigma**2 + np.asarray(net.initial) @ net.drive / net.size)[None]


def _forced(
    net: Model, start: np.ndarray, across: np.ndarray, R: np.ndarray, weights: np.ndarray, run: Run | None
) -> ForcedGrowth:
    if across.shape[1] == 0:
        nowhere = "the target leaves no direction across it: nothing is proved"
        return ForcedGrowth(False, "nothing", None, np.zeros(net.size), -np.inf, 1.0 + net.beta, nowhere)
    seen = R @ across

    def after(count: int) -> tuple[float, np.ndarray, float]:
        K = start + (seen[:count].T * weights[:count]) @ seen[:count]
        values, vectors = np.linalg.eigh(K)
        size = float(np.abs(net.initial).max()) * net.size + float(weights[:count] @ (R[:count] ** 2).sum(axis=1))
        return float(values[-1]), vectors[:, -1], size

    def positive(count: int) -> bool:
        value, _, size = after(count)
        return value > NOTHING * size

    growth, vector, _ = after(len(R))
    cause, update = "nothing", None
    if positive(0):
        cause = "initial weights"
    elif positive(len(R)):  # the eigenvalue never falls: bisect for the first response that makes it positive
        low, high = 0, len(R)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if positive(middle) else (middle, high)
        cause, update = "response", low // (len(R) // len(run) if run is not None else 1)
    diverges = cause != "nothing" and net.beta > 0.0
    words = {
        "nothing": "nothing across the target has been put into the weights: nothing is proved",
        "initial weights": "the initial weights have a part across the target",
        "response": f"the response at update {update} has a part across the target",
    }[cause]
    if cause != "nothing":
        words += f": v.Wv >= {growth:.6g} (1 + beta)^t from now on, whatever is presented"
    return ForcedGrowth(diverges, cause, update, across @ vector, growth, 1.0 + net.beta, words)
