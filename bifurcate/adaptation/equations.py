"""The network's equations, with values for all parameters, and the maps that they define; no analysis.

    R  = r/(σ² + W r/n)                         responses, elementwise
    W⁺ = W + α (R Rᵀ − C) + β (W − C)           weights, n × n

Every analysis (equilibria, energy, long run, simulation) is a function of a Model; :class:`~.network.Network` is the
model with all of them as methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self, cast

import numpy as np

from bifurcate.adaptation.kernels import multiply_weights, respond
from bifurcate.adaptation.maps.reduction import Reduction
from bifurcate.adaptation.maps.weight_update import Update
from bifurcate.adaptation.stimuli.drive import Drives, GivenDrives, TunedDrives
from bifurcate.adaptation.stimuli.target import Target, make_target
from bifurcate.adaptation.validation import number, require_drive, weights
from bifurcate.adaptation.without_caches import WithoutCaches
from bifurcate.errors import InvalidInput
from bifurcate.linalg.low_rank import LowRank
from bifurcate.maps.map import Map

__all__ = ["Model"]

RATES = ("alpha", "beta", "sigma")
ALLOWED = {"alpha": (0.0, np.inf), "sigma": (0.0, np.inf)}


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Model(WithoutCaches):
    """The network's equations with values for all parameters.

    The arguments are those of :class:`~.network.Network`.

    Attributes
    ----------
    stimuli : Drives
        What drives the neurons: given drives, or tuning curves with contrasts and orientations.
    alpha, beta, sigma : float
        The rates, and the semi-saturation.
    initial_weights : ndarray, shape (n, n), or None
        W₀; None for all ones.
    target_rule : Target
        C.
    clip : bool
        True if weights are clipped at 0.
    allowed : mapping of str to (float, float)
        Closed intervals to which parameters are confined.
    """

    stimuli: Drives
    alpha: float
    beta: float
    sigma: float
    initial_weights: np.ndarray | None
    target_rule: Target
    clip: bool
    allowed: Mapping[str, tuple[float, float]]

    def __init__(
        self,
        drive: Any,
        baseline_drive: Any = None,
        *,
        alpha: float,
        beta: float,
        sigma: float,
        initial: Any = None,
        target: Any = "baseline",
        ensemble: Any = None,
        clip: bool = False,
        allowed: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        is_checked = isinstance(drive, GivenDrives | TunedDrives)
        stimuli = drive if is_checked else GivenDrives.checked(drive, baseline_drive, ensemble)
        allowed = {**ALLOWED, **(allowed or {})}
        rates = {name: number(name, value, allowed) for name, value in zip(RATES, (alpha, beta, sigma), strict=True)}
        for name, value in stimuli.parameters.items():
            number(name, value, allowed)
        if not isinstance(clip, bool | np.bool_):
            raise InvalidInput(f"clip is {clip!r}; it must be True or False")
        self._set(
            stimuli=stimuli, **rates, initial_weights=weights(initial, stimuli.size), clip=bool(clip), allowed=allowed
        )
        self._set(target_rule=make_target(target, stimuli, self.initial_weights, self.parameters))
        require_drive(self.drive, self.initial_weights, self.sigma)

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def size(self) -> int:
        """Number of neurons, n."""
        return self.stimuli.size

    @property
    def parameters(self) -> dict[str, float]:
        """α, β, σ and, for drives made by tuning curves, b, the contrasts and the orientations."""
        return {"alpha": self.alpha, "beta": self.beta, "sigma": self.sigma, **self.stimuli.parameters}

    @property
    def initial(self) -> np.ndarray:
        """W₀, read-only."""
        return np.broadcast_to(1.0, (self.size, self.size)) if self.initial_weights is None else self.initial_weights

    @property
    def drive(self) -> np.ndarray:
        """r, shape (n,)."""
        return self.stimuli.at(self.parameters).drive

    @property
    def baseline_drive(self) -> np.ndarray:
        """r₀, shape (n,)."""
        return np.asarray(self.stimuli.references(self.parameters, False)[0])

    @property
    def baseline_response(self) -> np.ndarray:
        """R₀ = r₀/(σ² + W₀ r₀/n), shape (n,)."""
        r = self.baseline_drive
        return respond(r, self.sigma**2 + multiply_weights(self.initial_weights, r) / self.size)

    def target(self) -> np.ndarray:
        """C, shape (n, n)."""
        F = self.target_rule.factor(self.parameters)
        return np.asarray(F @ F.T)

    @cached_property
    def update(self) -> Map:
        """W ↦ W⁺ as a Map; see :class:`~bifurcate.adaptation.maps.weight_update.Update` for what it costs."""
        rule = Update(self.stimuli, self.target_rule, self.clip)
        kinked = self.clip or isinstance(self.stimuli, TunedDrives)
        return Map.from_rule(
            rule,
            self.parameters,
            without=[*(["jacobian"] if self.clip else []), *([] if kinked else ["borders"])],
            scale=float(np.abs(self.initial[0] if self.initial_weights is None else self.initial_weights).max()) or 1.0,
            name="adaptation of weights",
            advice="At beta = 0 the equilibria of the weights form a manifold of n(n-1) dimensions: every W with the "
            "same W r/n is one. net.reduced, the map of y = W r/n, has an isolated one; or take beta different from 0.",
        )

    @cached_property
    def reduced(self) -> Map:
        """y ↦ y⁺ as a Map; see :class:`~bifurcate.adaptation.maps.reduction.Reduction`.

        Raises
        ------
        InvalidInput
            With the clip on.
        """
        if self.clip:
            raise InvalidInput(
                "there is no reduced map with clip=True: what is clipped depends on every weight, not on W r/n alone; "
                "use net.update, or net.replace(clip=False)"
            )
        rule = self.reduction_rule
        return Map.from_rule(
            rule,
            self.parameters,
            without=[] if isinstance(self.stimuli, TunedDrives) else ["borders"],
            scale=float(np.abs(multiply_weights(self.initial_weights, self.drive)).max()) / self.size or 1.0,
            name="adaptation of W r/n",
            advice="At beta = 0 the W r/n of a silent neuron is free; take beta different from 0 or a stimulus that "
            "drives all neurons.",
        )

    @cached_property
    def reduction_rule(self) -> Reduction:
        """The reduced rule itself; with the clip, that of the unclipped weights."""
        return Reduction(self.stimuli, self.target_rule)

    def project(self, W: Any) -> np.ndarray:
        """y = W r/n; of a LowRank W in O(n)."""
        W = self._state(W)
        return np.asarray(W @ self.drive / self.size if W.ndim == 2 else W)

    def response(self, state: Any) -> np.ndarray:
        """R for weights W (n, n) or for y = W r/n (n,)."""
        return respond(self.drive, self.sigma**2 + self.project(state))

    def replace(self, **changed: Any) -> Self:
        """The same network with parameters set anew, or with another initial, target, ensemble or clip.

        A frozen target stays what it was. Drives made by tuning curves follow b, contrast and orientation; given ones
        are replaced by drive and baseline_drive.

        Examples
        --------
        >>> from bifurcate.adaptation import Network
        >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
        >>> net.replace(sigma=0.2)
        Network(n=2, alpha=0.1, beta=-0.1, sigma=0.2)
        """
        parts = ("drive", "baseline_drive") if isinstance(self.stimuli, GivenDrives) else ()
        names = (*self.parameters, "initial", "target", "ensemble", "clip", *parts)
        for name in changed:
            if name not in names:
                raise InvalidInput(f"a network has no {name!r} to replace; it has {', '.join(names)}")
        rule = self.target_rule
        target = "ensemble" if rule.ensemble else "baseline" if rule.given is None else rule.given
        kept = {
            **{name: getattr(self, name) for name in RATES},
            "initial": self.initial_weights,
            "target": target,
            "clip": self.clip,
            "allowed": self.allowed,
        }
        of_stimuli = (*self.stimuli.parameters, "ensemble", *parts)
        own = {name: changed.pop(name) for name in tuple(changed) if name in of_stimuli}
        for name in self.stimuli.parameters.keys() & own.keys():
            number(name, own[name], self.allowed)
        return type(self)(self.stimuli.replace(own), **{**kept, **changed})

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:.6g}" for name, value in self.parameters.items())
        return f"{type(self).__name__}(n={self.size}, {shown})"

    def _state(self, state: Any) -> np.ndarray:
        state = state if isinstance(state, LowRank) else np.asarray(state, dtype=float)
        if state.shape not in ((self.size,), (self.size, self.size)):
            raise InvalidInput(f"a state has shape {state.shape}; it must be (n, n) or (n,) with n = {self.size}")
        return cast(np.ndarray, state)  # a LowRank multiplies and has a shape like one

    def _unclipped(self, state: Any) -> np.ndarray:
        """The state's y, where the clip does nothing."""
        state = self._state(state)
        plain = Update(self.stimuli, self.target_rule)
        if self.clip and not (state.ndim == 2 and plain.f(np.asarray(state), **self.parameters).min() > 0.0):
            raise InvalidInput("with clip=True multipliers are known only at weights (n, n) none of which is clipped")
        return self.project(state)
