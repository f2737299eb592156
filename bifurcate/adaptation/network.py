"""The network: divisive normalisation whose weights adapt until responses meet a target, with all of its analyses."""

from __future__ import annotations

from typing import Any

import numpy as np

from bifurcate.adaptation.certificate import SettlingCertificate, certificate
from bifurcate.adaptation.energy import ResponseEnergy, energy
from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria import equilibrium as _equilibria
from bifurcate.adaptation.equilibria.local_stability import Stability, stability
from bifurcate.adaptation.long_run.stability_limits import StabilityLimit, limits
from bifurcate.adaptation.long_run.stability_verdict import Outcome, StabilityVerdict, outcome, verdict
from bifurcate.adaptation.maps.weight_update import Update
from bifurcate.adaptation.mirror_descent import MirrorDescent
from bifurcate.adaptation.simulation.simulate import Run
from bifurcate.adaptation.simulation.simulate import run as _run
from bifurcate.deprecation import old_flags, old_positions
from bifurcate.errors import InvalidInput
from bifurcate.linalg.low_rank import LowRank
from bifurcate.linalg.multipliers import Spectrum, spectrum

__all__ = ["Network"]


class Network(Model):
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

    @old_flags(factored="factored_lift")
    def lift(self, y: Any) -> np.ndarray:
        """Weights W with W r/n = y, shape (n, n).

        At an equilibrium with β ≠ 0 those at rest, W = (1+γ) C − γ R Rᵀ with γ = α/β. Otherwise W₀ and the symmetric
        change of least Frobenius norm, (d rᵀ + r dᵀ)/(r·r) − (r·d) r rᵀ/(r·r)² with d = n y − W₀ r.

        Examples
        --------
        >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=0.0, sigma=0.5)
        >>> W = net.lift([0.6, 0.8])
        >>> net.project(W).round(12)
        array([0.6, 0.8])
        """
        return _equilibria.lift(self, self._reduced_state(y))

    def factored_lift(self, y: Any) -> LowRank:
        """The weights of :meth:`lift` as thin factors, in O(n).

        Raises
        ------
        InvalidInput
            If weights start from a matrix that was given.
        """
        return _equilibria.lift_to_factors(self, self._reduced_state(y))

    def _reduced_state(self, y: Any) -> np.ndarray:
        y = self._state(y)
        if y.ndim != 1:
            raise InvalidInput(f"y has shape {y.shape}; it must be {(self.size,)}")
        return np.asarray(y)

    @old_flags(reduced="reduced_equilibrium", factored="factored_equilibrium")
    def equilibrium(self) -> np.ndarray:
        """The weights at an equilibrium, shape (n, n).

        β < 0: the one positive equilibrium. β = 0: the point of the manifold W r/n = r/R* − σ² that is nearest W₀
        among symmetric changes, where R* = R₀ for the baseline's target. β > 0: the branch that starts at β = 0.

        Raises
        ------
        InvalidInput
            If there is no such equilibrium; the message says why and, for β > 0, at which β the branch ends.
        """
        return _equilibria.weights_at(self, _equilibria.equilibrium(self))

    def reduced_equilibrium(self) -> np.ndarray:
        """y = W r/n at the equilibrium of :meth:`equilibrium`, shape (n,), in O(n).

        Raises
        ------
        InvalidInput
            As :meth:`equilibrium`, and with the clip, where there is no reduced map.

        Examples
        --------
        >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
        >>> y = net.reduced_equilibrium()
        >>> bool(abs(net.reduced(y) - y).max() < 1e-15)
        True
        """
        y = _equilibria.equilibrium(self)
        self._require_reduced()
        return y

    def factored_equilibrium(self) -> LowRank:
        """The weights of :meth:`equilibrium` as thin factors, in O(n).

        Raises
        ------
        InvalidInput
            As :meth:`equilibrium`, and if weights start from a matrix that was given.
        """
        return _equilibria.factors_at(self, _equilibria.equilibrium(self))

    @old_flags(reduced="reduced_equilibria")
    def equilibria(self, patterns: str = "positive") -> list[np.ndarray]:
        """The weights at all equilibria: those of positive responses, or with patterns="all" of responses of any sign.

        For β ≠ 0 by a scan of the scalar equation to which they reduce, for each of the 2ⁿ choices of roots (at most
        12 driven neurons, unless the positive one is known to be unique); each is checked against the map. At β = 0
        one point of each manifold.
        """
        return [_equilibria.weights_at(self, y) for y in _equilibria.equilibria(self, patterns)]

    def reduced_equilibria(self, patterns: str = "positive") -> list[np.ndarray]:
        """y = W r/n at all equilibria; see :meth:`equilibria`."""
        found = _equilibria.equilibria(self, patterns)
        self._require_reduced()
        return found

    def _require_reduced(self) -> None:
        _ = self.reduced  # it refuses the clip

    @old_positions("every")
    def spectrum(self, state: Any, *, every: bool = True) -> Spectrum:
        """All n² multipliers at W (n, n) or y (n,), with their multiplicities.

        In O(n²) for the n of the core; with ``every=False`` and more than 2000 neurons the extreme ones and those
        nearest ±1 only, and how many lie outside the unit circle, in O(n).
        """
        J = Update(self.stimuli, self.target_rule).jacobian_at(self._unclipped(state), self.parameters)
        return spectrum(J, self.size) if every else spectrum(J)

    def stability(self, state: Any) -> Stability:
        """Stability of the outputs and of the weights at an equilibrium W (n, n) or y (n,).

        Raises
        ------
        InvalidInput
            If the outputs are not at rest there.
        """
        return stability(self, self._unclipped(state))

    def energy(self, variable: str = "R") -> ResponseEnergy:
        """E(R), which the outputs descend; ``variable`` "R", "log R", "y" or "W" says as a function of what.

        Raises
        ------
        NoEnergy
            With the clip on, where no function of the responses can be one (the certificate: two weight matrices of
            equal responses whose updates have different ones), and at α = β = 0, where nothing moves.
        """
        return energy(self, variable)

    def mirror(self) -> MirrorDescent:
        """The same energy in the variable z = r ln(σ² + y), in which the update is its mirror descent, at every step.

        Raises
        ------
        NoEnergy
            As :meth:`energy`.
        """
        return MirrorDescent(energy(self, "log R"))

    def certificate(self, state: Any = None) -> SettlingCertificate:
        """What is proved of the orbit from W (n, n) or y (n,), from W₀ if not given: that it settles, and how fast.

        For β ≤ 0. No orbit is followed: E at the state bounds everything that can come. Up to rounding, which every
        bound is widened for.

        Examples
        --------
        >>> found = Network([1.0, 0.5], [1.0, 0.8], alpha=0.1, beta=-0.1, sigma=0.5).certificate()
        >>> found.settles, found.weights_settle, round(found.contraction, 3), found.updates(1e-6)
        (True, True, 0.873, 191)
        """
        y = self.project(self.initial) if state is None else self._unclipped(state)
        _ = self.reduced  # it refuses the clip
        return certificate(self, np.asarray(y))

    def verdict(self) -> StabilityVerdict:
        """The local half of :meth:`outcome`: what the exact spectrum says of the equilibrium."""
        return verdict(self)

    @old_positions("samples")
    def limits(self, name: str, bounds: Any = None, *, samples: int = 120) -> tuple[StabilityLimit, ...]:
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

    @old_positions("longest")
    def outcome(self, *, longest: int = 200_000) -> Outcome:
        """True if the rule settles, twice: locally from the exact spectrum, and along the orbit from W₀.

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

    def run(
        self,
        contrast: Any = None,
        orientation: Any = None,
        *,
        drive: Any = None,
        alpha: Any = None,
        start: Any = None,
        keep: Any = "responses",
    ) -> Run:
        """Run the rule through any sequence of inputs: contrast and orientation (T, k), or drive (T, n).

        All arguments are those of :func:`bifurcate.adaptation.simulation.simulate.run`.
        """
        return _run(self, contrast, orientation, drive=drive, alpha=alpha, start=start, keep=keep)
