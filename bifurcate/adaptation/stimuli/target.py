"""The target C of the weight update, kept as a factor: C = F Fᵀ with as many columns as it has stimuli."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from bifurcate.adaptation.kernels import divide_where_driven, multiply_weights, respond, response_gain
from bifurcate.adaptation.stimuli.drive import REMEMBERED, Drives
from bifurcate.adaptation.validation import finite
from bifurcate.adaptation.without_caches import WithoutCaches
from bifurcate.errors import InvalidInput

__all__ = ["Target", "make_target"]

TARGETS = ("baseline", "frozen", "ensemble")

FACTORS_REMEMBERED = 2  # of a branch in α or β there is one, of one in σ or b the present and the last


@dataclass(frozen=True, eq=False)
class Target(WithoutCaches):
    """C = F Fᵀ.

    With u₀ = σ² + W₀ r₀/n a column of F is the response r₀/u₀ to one reference stimulus at the initial weights,
    divided by √m if there are m of them. It moves with σ and b unless F was given
    (test_target_follows_sigma_and_b_unless_it_is_frozen).

    Attributes
    ----------
    stimuli : GivenDrives or TunedDrives
        Where the reference stimuli come from.
    initial_weights : ndarray, shape (n, n), or None
        W₀; None for all ones.
    ensemble : bool
        Average over the ensemble rather than take the baseline alone.
    given : ndarray, shape (n, m), or None
        A factor that never moves.
    """

    stimuli: Drives
    initial_weights: np.ndarray | None = None
    ensemble: bool = False
    given: np.ndarray | None = None

    @cached_property
    def _references(self) -> Callable[[float], tuple[np.ndarray, np.ndarray]]:
        # W₀ r₀ is a pass over n² weights, and r₀ depends on b alone.
        @lru_cache(maxsize=REMEMBERED)
        def make(b: float) -> tuple[np.ndarray, np.ndarray]:
            r = self.stimuli.references({"b": b}, self.ensemble).T
            return r, multiply_weights(self.initial_weights, r) / len(r)

        return make

    def denominators(self, p: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
        """r₀ and u₀, one column per reference stimulus."""
        r, y = self._references(float(p.get("b", 0.0)))
        return r, p["sigma"] ** 2 + y

    def factor(self, p: Mapping[str, float]) -> np.ndarray:
        """F, shape (n, m)."""
        if self.given is not None:
            return self.given
        return self._factors(p["sigma"], float(p.get("b", 0.0)))

    @cached_property
    def _factors(self) -> Callable[[float, float], np.ndarray]:
        @lru_cache(maxsize=FACTORS_REMEMBERED)
        def make(sigma: float, b: float) -> np.ndarray:
            r, u = self.denominators({"sigma": sigma, "b": b})
            F = respond(r, u) / np.sqrt(r.shape[1])
            F.flags.writeable = False
            return np.asarray(F)

        return make

    def rate(self, p: Mapping[str, float], name: str) -> np.ndarray:
        """∂F/∂name, shape (n, m), or (n, 0) where F does not depend on it."""
        if self.given is not None or name not in ("sigma", "b"):
            return np.empty((self.stimuli.size, 0))
        r, u = self.denominators(p)
        if name == "sigma":
            return np.asarray(-2.0 * p["sigma"] * response_gain(r, u) / np.sqrt(r.shape[1]))
        dr = self.stimuli.reference_rate(p, self.ensemble).T
        return np.asarray(
            divide_where_driven(dr - respond(r, u) * multiply_weights(self.initial_weights, dr) / len(r), u, r)
            / np.sqrt(r.shape[1])
        )


def make_target(
    target: Any, stimuli: Drives, initial_weights: np.ndarray | None, parameters: Mapping[str, float]
) -> Target:
    """The target that a user names ("baseline", "frozen", "ensemble") or gives as a factor F, checked."""
    if isinstance(target, str):
        if target not in TARGETS:
            raise InvalidInput(f"target is {target!r}; allowed are {', '.join(TARGETS)} or an array F with C = F F^T")
        if target == "ensemble" and stimuli.ensemble is None:
            raise InvalidInput("target is 'ensemble' but no ensemble is given")
        rule = Target(stimuli, initial_weights, ensemble=target == "ensemble")
        r0, u0 = rule.denominators(parameters)
        if not (u0[r0 > 0.0] > 0.0).all():
            raise InvalidInput(
                "initial puts the target's response beyond a pole: sigma^2 + W0 r0/n must be positive where r0 > 0"
            )
        return dataclasses.replace(rule, given=rule.factor(parameters)) if target == "frozen" else rule
    n, factor = stimuli.size, finite("target", target)
    factor = factor[:, None] if factor.ndim == 1 else factor
    if factor.ndim != 2 or len(factor) != n or factor.shape[1] == 0:
        raise InvalidInput(f"target has shape {factor.shape}; a factor has shape (n,) or (n, m), here n = {n}")
    return Target(stimuli, initial_weights, given=factor)
