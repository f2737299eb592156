"""What a network is shown again and again, as maps: several stimuli averaged in every update, or in turn."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria.fixed_point import damped_iteration, newton
from bifurcate.adaptation.kernels import respond
from bifurcate.adaptation.maps.averaged import AveragedReduction, AveragedUpdate
from bifurcate.adaptation.maps.composition import Composition
from bifurcate.adaptation.simulation.contraction import Contraction, contraction
from bifurcate.adaptation.simulation.schedule_energy import ScheduleEnergy, refute, share_no_neuron
from bifurcate.adaptation.simulation.simulate import Run, simulate
from bifurcate.adaptation.stimuli.drive import TunedDrives
from bifurcate.adaptation.stimuli.stimulus_set import Stage, StimulusSet
from bifurcate.adaptation.validation import number
from bifurcate.adaptation.without_caches import WithoutCaches
from bifurcate.deprecation import old_flags
from bifurcate.errors import InvalidInput, NoEnergy
from bifurcate.linalg.multipliers import Spectrum, spectrum
from bifurcate.linalg.operators import Operator, compose
from bifurcate.maps.map import Map
from bifurcate.validation import check_count

__all__ = ["StimulationSchedule"]

AT_REST = 1e-8  # |Y⁺ − Y| ≤ AT_REST·max(|Y|, σ²) counts as at rest where weights are wanted for a given Y
ROUGH, FINE = 1e-5, 1e-12  # where damped iteration hands over to Newton's method; where it ends without one


@dataclass(frozen=True, eq=False, repr=False)
class StimulationSchedule(WithoutCaches):
    """A network under stimuli that come again: one period is a sequence of stages, a stage an average over stimuli.

    Made by :func:`~bifurcate.adaptation.average` (one stage, all stimuli) and
    :func:`~bifurcate.adaptation.periodic` (one stimulus a stage). With M stages and m linearly independent stimuli the
    update of one period has the multiplier (1+β)^M, n(n−m) + m(m−1)/2 times, on the n² weights, whatever the stimuli
    are; all others are multipliers of the reduction to Y = W [r¹ … rᵐ]/n.

    Attributes
    ----------
    network : Model
        Rates, target, initial weights and clip; its own stimulus is not shown.
    stimuli : StimulusSet
        The m stimuli.
    stages : tuple of Stage
        Which are shown when.
    probability : float or None
        That of the adaptor, where it is a parameter.
    """

    network: Model
    stimuli: StimulusSet
    stages: tuple[Stage, ...]
    probability: float | None = None

    @property
    def parameters(self) -> dict[str, float]:
        """α, β, σ, those of the stimuli and, where the ensemble has an adaptor, its probability."""
        rates = {name: getattr(self.network, name) for name in ("alpha", "beta", "sigma")}
        chance = {} if self.probability is None else {"probability": self.probability}
        return {**rates, **self.stimuli.parameters, **chance}

    @property
    def drives(self) -> np.ndarray:
        """The drives rˢ, shape (m, n)."""
        return self.stimuli.at(self.parameters).drive

    @property
    def trivial(self) -> tuple[float, int]:
        """The multiplier that every state has on the n² weights, (1+β)^M, and how many times at least."""
        n, m = self.network.size, int(np.linalg.matrix_rank(self.drives))
        return (1.0 + self.network.beta) ** len(self.stages), n * (n - m) + m * (m - 1) // 2

    def _rule(self, rules: list[Any]) -> Any:
        return rules[0] if len(rules) == 1 else Composition(tuple(rules))

    @cached_property
    def _updates(self) -> list[AveragedUpdate]:
        net = self.network
        return [AveragedUpdate(self.stimuli, net.target_rule, stage, net.clip) for stage in self.stages]

    @cached_property
    def _reductions(self) -> list[AveragedReduction]:
        return [AveragedReduction(self.stimuli, self.network.target_rule, stage) for stage in self.stages]

    @cached_property
    def update(self) -> Map:
        """W ↦ the weights a period later, as a Map on (n, n).

        Its Jacobian is structured for m ≤ n; without structure (more stimuli than neurons, or the clip) there is its
        product with a direction. With the clip a branch that reaches it meets a border.
        """
        net, rule, m = self.network, self._rule(self._updates), len(self.stimuli.members)
        kinked = net.clip or isinstance(net.stimuli, TunedDrives)
        structured = not net.clip and m <= net.size
        return Map.from_rule(
            rule,
            self.parameters,
            without=[*([] if structured else ["jacobian"]), *([] if kinked else ["borders"])],
            scale=float(np.abs(net.initial).max()) or 1.0,
            name="adaptation of weights to several stimuli",
            advice="At beta = 0 the weights' equilibria form a manifold of n(n-m) + m(m-1)/2 dimensions or more; take "
            "beta different from 0, or iterate.",
        )

    @cached_property
    def reduced(self) -> Map:
        """Y ↦ Y a period later, as a Map on (m, n), for Y = W [r¹ … rᵐ]/n with one row for each stimulus.

        Raises
        ------
        InvalidInput
            With the clip on; or for more stimuli than neurons, where n m unknowns are more than n².
        """
        net, m = self.network, len(self.stimuli.members)
        if net.clip:
            raise InvalidInput(
                "there is no reduced map with clip=True: what is clipped depends on every weight, not on W r/n alone; "
                "use .update, or a network with clip=False"
            )
        if m > net.size:
            raise InvalidInput(
                f"{m} stimuli for {net.size} neurons: n m = {m * net.size} unknowns would be more than the "
                f"n^2 = {net.size**2} weights, so that the reduction does not shrink anything; use .update"
            )
        rule = self._rule(self._reductions)
        return Map.from_rule(
            rule,
            self.parameters,
            without=[] if isinstance(net.stimuli, TunedDrives) else ["borders"],
            scale=float(np.abs(self.project(net.initial)).max()) or 1.0,
            name="adaptation of W r/n to several stimuli",
            advice="At beta = 0 every r_s . y_q - r_q . y_s is conserved, m(m-1)/2 numbers, and W r/n of silent "
            "neurons is free; take beta different from 0, or iterate.",
        )

    def project(self, W: Any) -> np.ndarray:
        """Y = W [r¹ … rᵐ]/n, shape (m, n), of weights (n, n)."""
        W = np.asarray(W, dtype=float)
        n = self.network.size
        if W.shape != (n, n):
            raise InvalidInput(f"weights have shape {W.shape}; they must be {(n, n)}")
        return np.asarray(self.drives @ W.T / n)

    def _reduced_state(self, state: Any) -> np.ndarray:
        Y, shape = np.asarray(state, dtype=float), self.drives.shape
        if Y.shape != shape:
            raise InvalidInput(f"Y has shape {Y.shape}; it must be {shape}, a row for each stimulus")
        return Y

    @old_flags(reduced="reduced_response")
    def response(self, W: Any) -> np.ndarray:
        """The response to every stimulus, shape (m, n), at weights W (n, n)."""
        return self._respond(self.project(W))

    def reduced_response(self, Y: Any) -> np.ndarray:
        """The response to every stimulus, shape (m, n), at Y = W [r¹ … rᵐ]/n (m, n)."""
        return self._respond(self._reduced_state(Y))

    def _respond(self, Y: np.ndarray) -> np.ndarray:
        return respond(self.drives, self.network.sigma**2 + Y)

    @old_flags(reduced="reduced_spectrum")
    def spectrum(self, W: Any) -> Spectrum:
        """All n² multipliers of one period at weights W (n, n); for m ≤ n and without the clip."""
        return self._spectrum(self.project(W))

    def reduced_spectrum(self, Y: Any) -> Spectrum:
        """All n² multipliers of one period at weights of products Y (m, n); for m ≤ n and without the clip."""
        return self._spectrum(self._reduced_state(Y))

    def _spectrum(self, Y: np.ndarray) -> Spectrum:
        _ = self.reduced  # it refuses the clip, and more stimuli than neurons
        p = self.parameters
        factors: list[Operator] = []
        for update, reduction in zip(self._updates, self._reductions, strict=True):
            factors.append(update.jacobian_at(Y, p))
            Y = reduction.f(Y, **p)
        return spectrum(reduce(lambda inner, outer: compose(outer, inner), factors))

    def lift(self, Y: Any) -> np.ndarray:
        """The weights at rest whose products are Y, at the start of a period; (1+β)^M ≠ 1.

        Where Y is at rest W must be C + α Σ_s (1+β)^{M−1−s} (Q_s − C)/(1 − (1+β)^M), with Q_s the average of R Rᵀ in
        stage s = 0 … M−1.

        Raises
        ------
        InvalidInput
            If Y is not at rest: |Y⁺ − Y| ≤ 1e-8·max(|Y|, σ²) is asked for; or if (1+β)^M = 1, where Y does not
            determine the weights.
        """
        net, p, growth = self.network, self.parameters, 1.0 + self.network.beta
        integer = growth ** len(self.stages)
        if integer == 1.0:
            raise InvalidInput("with (1 + beta)^M = 1 weights at rest are not determined by W r/n; iterate .update")
        Y = start = self._reduced_state(Y)
        C = net.target()
        W = np.zeros_like(C)
        for rule in self._reductions:
            members = rule.stage.members
            R = respond(self.drives[members], net.sigma**2 + Y[members])
            W = growth * W + net.alpha * ((R.T * rule.stage.weights(p)) @ R - C)
            Y = rule.f(Y, **p)
        if not np.abs(Y - start).max() <= AT_REST * max(float(np.abs(start).max()), net.sigma**2):
            raise InvalidInput(f"Y is not at rest: a period moves it by {np.abs(Y - start).max():.2e}")
        return C + W / (1.0 - integer)

    @old_flags(reduced="reduced_equilibrium")
    def equilibrium(self) -> np.ndarray:
        """Weights that come back after a period, found from W₀.

        By the damped iteration x + h (F(x) − x), whose fixed points are those of F for every h in (0, 1], h = 1, ½, …:
        it also comes to rest at points that flip under F itself. Then by Newton's method to rounding, except with the
        clip. Which of several is found depends on W₀; stable or not, :meth:`spectrum` tells.

        Raises
        ------
        NotConverged
            If no damping leads to one without crossing a pole.
        """
        net = self.network
        has_reduction = not net.clip and len(self.stimuli.members) <= net.size
        if has_reduction and self._is_isolated():
            return self.lift(self.reduced_equilibrium())
        return damped_iteration(self.update, np.array(net.initial), FINE, net.sigma**2)

    def reduced_equilibrium(self) -> np.ndarray:
        """Y of the weights that come back after a period; see :meth:`equilibrium`.

        Raises
        ------
        NotConverged
            If no damping leads to one without crossing a pole.
        InvalidInput
            If there is no reduced map.
        """
        net = self.network
        start = damped_iteration(self.reduced, self.project(net.initial), ROUGH, net.sigma**2)
        return newton(self.reduced, start, self._is_isolated())

    def _is_isolated(self) -> bool:
        return bool((1.0 + self.network.beta) ** len(self.stages) != 1.0)

    def run(self, periods: int, *, alpha: Any = None, start: Any = None, keep: Any = "responses") -> Run:
        """Iterate, with all responses R (T, n), or (T, m, n) of an average, for T = periods · M updates.

        Parameters
        ----------
        periods : int
            At least 1.
        alpha, start, keep
            As for :func:`~bifurcate.adaptation.simulation.simulate.run`; α may differ between the T updates.
        """
        M, p = len(self.stages), self.parameters
        drives = np.array([self.drives[stage.members] for stage in self.stages])
        shares = np.array([stage.weights(p) for stage in self.stages])
        order = np.tile(np.arange(M), check_count("periods", periods))
        return simulate(self.network, drives, shares, order, alpha, start, keep)

    def energy(self) -> ScheduleEnergy:
        """E(Y) of an average over stimuli of which no two drive one neuron; of no other schedule one is known.

        Raises
        ------
        NoEnergy
            Else. The certificate is a :class:`~bifurcate.gradient.ComplexPair` where multipliers at an equilibrium form
            one, which refutes every metric; else what refutes diagonal metrics, where something does; else None.
            :func:`~bifurcate.adaptation.gradient_rule` is the nearest rule that has one.
        """
        if self.network.clip:
            raise NoEnergy("with clip=True what is clipped depends on every weight: responses do not say how they move")
        if len(self.stages) == 1 and share_no_neuron(self.drives):
            return ScheduleEnergy(self.network, self.drives, self.stages[0].weights(self.parameters))
        raise refute(self.reduced, self.reduced_equilibrium)

    def contraction(self) -> Contraction:
        """What is proved where decay is strong, 0 ≤ α ≤ −β ≤ 1: one response of the schedule that attracts all weights.

        Examples
        --------
        >>> from bifurcate.adaptation import Network, periodic
        >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.05, beta=-0.5, sigma=0.8)
        >>> found = periodic(net, [[1.0, 0.5], [0.5, 1.0]]).contraction()
        >>> found.one_periodic_response, round(found.period, 3)
        (True, 0.346)
        """
        weights = [(stage.members, stage.weights(self.parameters)) for stage in self.stages]
        return contraction(self.network, self.drives, weights)

    def replace(self, **changed: float) -> StimulationSchedule:
        """The same presentation with any of its parameters set anew."""
        for name in changed:
            if name not in self.parameters:
                raise InvalidInput(f"a presentation has no {name!r} to replace; it has {', '.join(self.parameters)}")
        values = {name: number(name, value, {"probability": (0.0, 1.0)}) for name, value in changed.items()}
        members = tuple(
            member.replace({mine: values[called] for mine, called in names.items() if called in values})
            for member, names in zip(self.stimuli.members, self.stimuli.own, strict=True)
        )
        of_network = {name: value for name, value in values.items() if name in ("alpha", "beta", "sigma", "b")}
        return dataclasses.replace(
            self,
            network=self.network.replace(**of_network),
            stimuli=StimulusSet(members),
            probability=values.get("probability", self.probability),
        )

    def __repr__(self) -> str:
        m, M = len(self.stimuli.members), len(self.stages)
        return f"Presentation(n={self.network.size}, stimuli={m}, stages={M})"
