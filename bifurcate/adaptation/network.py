"""The network: divisive normalisation whose weights adapt until responses meet a target."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from bifurcate.adaptation.energy import Energy, energy
from bifurcate.adaptation.equilibria import equilibrium as _equilibria
from bifurcate.adaptation.equilibria.local_stability import Stability, stability
from bifurcate.adaptation.long_run.long_run_outcome import Outcome, Verdict, outcome, verdict
from bifurcate.adaptation.long_run.stability_limits import Limit, limits
from bifurcate.adaptation.maps.kernels import multiply_weights, respond
from bifurcate.adaptation.maps.reduction import Reduction
from bifurcate.adaptation.maps.weight_update import Update
from bifurcate.adaptation.simulation.simulate import Run
from bifurcate.adaptation.simulation.simulate import run as _run
from bifurcate.adaptation.stimuli.drive import Given, Stimuli, Tuned
from bifurcate.adaptation.stimuli.target import Target, make_target
from bifurcate.adaptation.validation import number, require_drive, weights
from bifurcate.errors import InvalidInput
from bifurcate.linalg.low_rank import LowRank
from bifurcate.linalg.multipliers import Spectrum, spectrum
from bifurcate.maps.map import Map

__all__ = ["Network"]

RATES = ("alpha", "beta", "sigma")
ALLOWED = {"alpha": (0.0, np.inf), "sigma": (0.0, np.inf)}


@dataclass(frozen=True, eq=False, repr=False, init=False)
class Network:
    """n neurons that divide their drives by a weighted sum of drives, and adapt the weights.

        R  = r/(σ² + W r/n)                         responses, elementwise
        W⁺ = W + α (R Rᵀ − C) + β (W − C)           weights, n × n

    Parameters
    ----------
    drive : array_like, shape (n,)
        r ≥ 0, not all 0. A neuron whose drive is 0 is silent: R = 0 whatever its weights. (:func:`ring` makes drives
        from tuning curves; the parameters of the stimulus are then parameters of the maps, too.)
    baseline_drive : array_like, shape (n,)
        r₀ ≥ 0, the drive of the stimulus whose responses are the target.
    alpha, beta, sigma : float
        α ≥ 0 and β, the rates; σ ≥ 0, the semi-saturation. β < 0 is decay towards C, β > 0 growth away from it;
        σ = 0 is allowed where all driven neurons' denominators are positive at the initial weights.
    initial : array_like, shape (n, n), optional
        W₀; all ones if not given.
    target : {"baseline", "frozen", "ensemble"} or array_like of shape (n,) or (n, m)
        C. "baseline": R₀ R₀ᵀ with R₀ = r₀/(σ² + W₀ r₀/n), which moves with σ and with b. "frozen": the same, held at
        what it is now. "ensemble": the mean of R Rᵀ over the ensemble at W₀. An array F: C = F Fᵀ.
    ensemble : array_like, shape (m, n), optional
        Drives for target="ensemble".
    clip : bool
        Clip the weights, W⁺ = max(·, 0). There is then no reduced map, and no structure in the Jacobian.
    allowed : mapping of str to (float, float), optional
        Closed intervals to which parameters are confined, here and in :meth:`replace`.

    Attributes
    ----------
    update : Map
        W ↦ W⁺ on (n, n), with exact derivatives and a structured Jacobian.
    reduced : Map
        y ↦ y⁺ on (n,) for y = W r/n, with exact derivatives.

    Examples
    --------
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> W = net.equilibrium()
    >>> bool(abs(net.update(W) - W).max() < 1e-15)
    True
    >>> net.stability(W).weights
    'stable'
    """

    stimuli: Stimuli
    alpha: float
    beta: float
    sigma: float
    start: np.ndarray | None
    aim: Target
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
        stimuli = drive if isinstance(drive, Given | Tuned) else Given.checked(drive, baseline_drive, ensemble)
        allowed = {**ALLOWED, **(allowed or {})}
        rates = {name: number(name, value, allowed) for name, value in zip(RATES, (alpha, beta, sigma), strict=True)}
        for name, value in stimuli.parameters.items():
            number(name, value, allowed)
        if not isinstance(clip, bool | np.bool_):
            raise InvalidInput(f"clip is {clip!r}; it must be True or False")
        self._set(stimuli=stimuli, **rates, start=weights(initial, stimuli.size), clip=bool(clip), allowed=allowed)
        self._set(aim=make_target(target, stimuli, self.start, self.parameters))
        require_drive(self.drive, self.start, self.sigma)

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
        return np.broadcast_to(1.0, (self.size, self.size)) if self.start is None else self.start

    @property
    def drive(self) -> np.ndarray:
        """r, shape (n,)."""
        return self.stimuli.at(self.parameters).drive

    @property
    def baseline_drive(self) -> np.ndarray:
        """r₀, shape (n,)."""
        return self.stimuli.references(self.parameters, False)[0]

    @property
    def baseline_response(self) -> np.ndarray:
        """R₀ = r₀/(σ² + W₀ r₀/n), shape (n,)."""
        r = self.baseline_drive
        return respond(r, self.sigma**2 + multiply_weights(self.start, r) / self.size)

    def target(self) -> np.ndarray:
        """C, shape (n, n)."""
        F = self.aim.factor(self.parameters)
        return F @ F.T

    @cached_property
    def update(self) -> Map:
        """W ↦ W⁺ as a Map; see :class:`~bifurcate.adaptation.update.Update` for what it costs."""
        rule = Update(self.stimuli, self.aim, self.clip)
        kinked = self.clip or isinstance(self.stimuli, Tuned)
        return Map(
            rule.f,
            self.parameters,
            jvp=rule.jvp,
            jacobian=None if self.clip else rule.jacobian,
            parameter_derivative=rule.parameter_derivative,
            domain=rule.domain,
            borders=rule.borders if kinked else None,
            scale=float(np.abs(self.initial[0] if self.start is None else self.start).max()) or 1.0,
            name="adaptation of weights",
            advice="At beta = 0 the equilibria of the weights form a manifold of n(n-1) dimensions: every W with the "
            "same W r/n is one. net.reduced, the map of y = W r/n, has an isolated one; or take beta different from 0.",
        )

    @cached_property
    def reduced(self) -> Map:
        """y ↦ y⁺ as a Map; see :class:`~bifurcate.adaptation.reduction.Reduction`.

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
        rule = self.aim_reduction
        return Map(
            rule.f,
            self.parameters,
            jvp=rule.jvp,
            jacobian=rule.jacobian,
            parameter_derivative=rule.parameter_derivative,
            domain=rule.domain,
            borders=rule.borders if isinstance(self.stimuli, Tuned) else None,
            scale=float(np.abs(multiply_weights(self.start, self.drive)).max()) / self.size or 1.0,
            name="adaptation of W r/n",
            advice="At beta = 0 the W r/n of a silent neuron is free; take beta different from 0 or a stimulus that "
            "drives all neurons.",
        )

    @cached_property
    def aim_reduction(self) -> Reduction:
        """The reduced rule itself; with the clip, that of the unclipped weights."""
        return Reduction(self.stimuli, self.aim)

    def project(self, W: Any) -> np.ndarray:
        """y = W r/n; of a LowRank W in O(n)."""
        W = self._state(W)
        return W @ self.drive / self.size if W.ndim == 2 else W

    def response(self, state: Any) -> np.ndarray:
        """R for weights W (n, n) or for y = W r/n (n,)."""
        return respond(self.drive, self.sigma**2 + self.project(state))

    def lift(self, y: Any, factored: bool = False) -> np.ndarray | LowRank:
        """Weights W with W r/n = y.

        At an equilibrium with β ≠ 0 those at rest, W = (1+γ) C − γ R Rᵀ with γ = α/β. Otherwise W₀ and the symmetric
        change of least Frobenius norm, (d rᵀ + r dᵀ)/(r·r) − (r·d) r rᵀ/(r·r)² with d = n y − W₀ r. With ``factored``
        as thin factors, in O(n): not if weights start from a matrix that was given.

        Examples
        --------
        >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=0.0, sigma=0.5)
        >>> W = net.lift([0.6, 0.8])
        >>> net.project(W).round(12)
        array([0.6, 0.8])
        """
        y = self._state(y)
        if y.ndim != 1:
            raise InvalidInput(f"y has shape {y.shape}; it must be {(self.size,)}")
        return _equilibria.lift(self, y, factored)

    def equilibrium(self, reduced: bool = False, factored: bool = False) -> np.ndarray | LowRank:
        """Weights at rest, or with ``reduced`` their y = W r/n, or with ``factored`` their thin factors, both in O(n).

        β < 0: the one positive equilibrium. β = 0: the point of the manifold W r/n = r/R* − σ² that is nearest W₀
        among symmetric changes, where R* = R₀ for the baseline's target. β > 0: the branch that starts at β = 0.

        Raises
        ------
        InvalidInput
            If there is no such equilibrium; the message says why and, for β > 0, at which β the branch ends.
        """
        y = _equilibria.equilibrium(self)
        if reduced:
            _ = self.reduced
            return y
        return _equilibria.weights_at(self, y, factored)

    def equilibria(self, patterns: str = "positive", reduced: bool = False) -> list[np.ndarray]:
        """All equilibria: those of positive responses, or with patterns="all" of responses of any sign.

        For β ≠ 0 by a scan of the scalar equation to which they reduce, for each of the 2ⁿ choices of roots (at most
        12 driven neurons, unless the positive one is known to be unique); each is checked against the map. At β = 0
        one point of each manifold. With ``reduced`` as y = W r/n.
        """
        found = _equilibria.equilibria(self, patterns)
        if reduced:
            _ = self.reduced
            return found
        return [np.asarray(_equilibria.weights_at(self, y)) for y in found]

    def spectrum(self, state: Any, every: bool = True) -> Spectrum:
        """All n² multipliers at W (n, n) or y (n,), with their multiplicities.

        In O(n²) for the n of the core; with ``every=False`` and more than 2000 neurons the extreme ones and those
        nearest ±1 only, and how many lie outside the unit circle, in O(n).
        """
        J = Update(self.stimuli, self.aim).jacobian_at(self._unclipped(state), self.parameters)
        return spectrum(J, self.size) if every else spectrum(J)

    def stability(self, state: Any) -> Stability:
        """Stability of the outputs and of the weights at an equilibrium W (n, n) or y (n,).

        Raises
        ------
        InvalidInput
            If the outputs are not at rest there.
        """
        return stability(self, self._unclipped(state))

    def _unclipped(self, state: Any) -> np.ndarray:
        """The state's y, where the clip does nothing."""
        state = self._state(state)
        plain = Update(self.stimuli, self.aim)
        if self.clip and not (state.ndim == 2 and plain.f(np.asarray(state), **self.parameters).min() > 0.0):
            raise InvalidInput("with clip=True multipliers are known only at weights (n, n) none of which is clipped")
        return self.project(state)

    def energy(self, variable: str = "R") -> Energy:
        """E(R), which the outputs descend; ``variable`` "R", "log R", "y" or "W" says as a function of what.

        Raises
        ------
        NoEnergy
            With the clip on, where no function of the responses can be one (the certificate: two weight matrices of
            equal responses whose updates have different ones), and at α = β = 0, where nothing moves.
        """
        return energy(self, variable)

    def verdict(self) -> Verdict:
        """The local half of :meth:`outcome`: what the exact spectrum says of the equilibrium."""
        return verdict(self)

    def limits(self, name: str, bounds: Any = None, samples: int = 120) -> tuple[Limit, ...]:
        """All values of a parameter within bounds at which :meth:`verdict` changes, with errors.

        Every change between two of ``samples`` even steps, or of half as many towards bounds and exact limits, is
        bracketed: a pair closer than these is met only if |1 ± λ| has a minimum there.
        Without bounds alpha, sigma ≤ 10, −3 ≤ beta ≤ 1, 0 ≤ b, contrast ≤ 1, orientation ≤ π.

        Examples
        --------
        >>> net = Network([1.0, 1.0], [1.0, 1.0], alpha=0.1, beta=0.0, sigma=1.0)  # R₀ = ½: a flip at α R₀³ = 1
        >>> [(limit.kind, round(limit.value, 9), limit.below) for limit in net.limits("alpha")]
        [('flip', 8.0, 'neutral manifold')]
        """
        return limits(self, name, bounds, samples)

    def outcome(self, longest: int = 200_000) -> Outcome:
        """Whether the rule settles, twice: locally from the exact spectrum, and along the orbit from W₀.

        The orbit is followed in y until it is decided: where it comes to no cycle, for 40 time constants of the
        slowest exact multiplier, at least 20,000 and at most ``longest`` updates.

        Raises
        ------
        InvalidInput
            With the clip on: iterate net.update.

        Examples
        --------
        >>> found = Network([1.0, 0.5], [1.0, 0.6], alpha=0.1, beta=0.001, sigma=0.5).outcome()
        >>> found.local.kind, found.fate.outputs, found.fate.weights
        ('saddle', 'settle', 'diverge')
        """
        return outcome(self, longest)

    def run(self, contrast: Any = None, orientation: Any = None, *, drive: Any = None, alpha: Any = None,
            start: Any = None, keep: Any = "responses") -> Run:  # fmt: skip
        """Any sequence of inputs: contrast and orientation (T, k), or drive (T, n); see :func:`~.running.run`."""
        return _run(self, contrast, orientation, drive=drive, alpha=alpha, start=start, keep=keep)

    def replace(self, **changed: Any) -> Network:
        """The same network with parameters set anew, or with another initial, target, ensemble or clip.

        A frozen target stays what it was. Drives made by tuning curves follow b, contrast and orientation; given ones
        are replaced by drive and baseline_drive.

        Examples
        --------
        >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
        >>> net.replace(sigma=0.2)
        Network(n=2, alpha=0.1, beta=-0.1, sigma=0.2)
        """
        parts = ("drive", "baseline_drive") if isinstance(self.stimuli, Given) else ()
        names = (*self.parameters, "initial", "target", "ensemble", "clip", *parts)
        for name in changed:
            if name not in names:
                raise InvalidInput(f"a network has no {name!r} to replace; it has {', '.join(names)}")
        target = "ensemble" if self.aim.ensemble else "baseline" if self.aim.given is None else self.aim.given
        kept = {
            **{name: getattr(self, name) for name in RATES},
            "initial": self.start,
            "target": target,
            "clip": self.clip,
            "allowed": self.allowed,
        }
        of_stimuli = (*self.stimuli.parameters, "ensemble", *parts)
        own = {name: changed.pop(name) for name in tuple(changed) if name in of_stimuli}
        for name in self.stimuli.parameters.keys() & own.keys():
            number(name, own[name], self.allowed)
        return Network(self.stimuli.replace(own), **{**kept, **changed})

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value:.6g}" for name, value in self.parameters.items())
        return f"Network(n={self.size}, {shown})"

    def __getstate__(self) -> dict[str, Any]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    def _state(self, state: Any) -> np.ndarray:
        state = state if isinstance(state, LowRank) else np.asarray(state, dtype=float)
        if state.shape not in ((self.size,), (self.size, self.size)):
            raise InvalidInput(f"a state has shape {state.shape}; it must be (n, n) or (n,) with n = {self.size}")
        return state
