"""When does the rule settle? Two answers: of the exact spectrum at rest, and of the orbit from W₀. They can differ.

The spectrum of the whole update at an equilibrium is 1+β, n(n−1) times and once more for every silent neuron, and

    λⱼ = 1 + β − (α/n) μⱼ,    μⱼ > 0 the eigenvalues of (R·r) diag(R²/r) + R (R²)ᵀ,

of the driven neurons (test_full_spectrum_with_its_multiplicity and
test_multipliers_are_real_interlace_and_match_the_core). All are real: there is no Neimark–Sacker point, stability is
lost in a flip, α μ_max/n = 2 + β (test_stability_is_lost_by_a_flip_where_the_largest_mode_says), or where β > 0 in a
fold, α μ_min/n = β (test_branch_ends_in_the_fold_that_continuation_meets). The orbit can go elsewhere even where the
equilibrium is stable, and come to rest where it is not: beyond a pole, or on the special line of a uniform drive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria.equilibrium import Unresolved, at_rest, last_beta
from bifurcate.adaptation.equilibria.local_stability import NEUTRAL, Stability, inner_multipliers, stability
from bifurcate.adaptation.long_run.orbit_fate import OrbitFate, fate, fates
from bifurcate.errors import InvalidInput
from bifurcate.printing import short_repr
from bifurcate.validation import check_count, shown

__all__ = ["Outcome", "StabilityVerdict", "outcome", "outcomes", "verdict"]


@dataclass(frozen=True, eq=False)
class StabilityVerdict:
    """What the exact spectrum says of the equilibrium: the one positive (β ≤ 0), or the branch's from β = 0 (β > 0).

    Attributes
    ----------
    kind : str
        "weights settle": every multiplier lies inside the unit circle. "neutral manifold": outputs settle, on a
        manifold of equilibria that attracts (β = 0). "outputs settle": they do, but weights drift, as none are at
        rest. "flips": a multiplier < −1, none > 1. "saddle": a multiplier > 1, which at β > 0 and n > 1 there always
        is, even where outputs settle. "marginal": a multiplier of the outputs within 1e-9 of the circle. "no
        equilibrium".
    margins : dict of str to float
        Distances of multipliers from the circle, negative beyond: "flip", 1 + λ_min = 2 + β − α μ_max/n; "fold",
        1 − λ_max = α μ_min/n − β; "weights", 1 − |1+β|. Without an equilibrium at β > 0: "existence", the β of the
        branch's end minus β. NaN where unknown.
    state : ndarray, shape (n,), or None
        y = W r/n of the equilibrium.
    stability : Stability or None
        Outputs and weights apart.
    reason : str
        All this in words.
    """

    kind: str
    margins: dict[str, float]
    state: np.ndarray | None
    stability: Stability | None
    reason: str

    __repr__ = short_repr

    @property
    def outputs_settle(self) -> bool:
        """True if outputs return after a small disturbance."""
        return self.stability is not None and self.stability.outputs == "stable"

    @property
    def weights_settle(self) -> bool:
        """True if weights come to rest after a small disturbance; on a neutral manifold elsewhere than before."""
        return self.kind in ("weights settle", "neutral manifold")


@dataclass(frozen=True, eq=False)
class Outcome:
    """The two answers. An outcome has no truth value: "does it settle" has two meanings of two things.

    Attributes
    ----------
    local : StabilityVerdict
        Of the equilibrium, from the exact spectrum.
    fate : OrbitFate
        Of the orbit from W₀.
    """

    local: StabilityVerdict
    fate: OrbitFate

    __repr__ = short_repr

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "an outcome has no truth value: ask outcome.local.weights_settle (does a small disturbance of the "
            "equilibrium die out?) or outcome.fate.weights_settle (does the orbit from W0 come to rest?), or of the "
            "outputs, local.outputs_settle or fate.outputs_settle"
        )

    def __str__(self) -> str:
        return f"equilibrium  {self.local.kind}: {self.local.reason}\norbit        {self.fate.kind}: {self.fate.reason}"


def outcome(net: Model, longest: int) -> Outcome:
    """Both answers, the spectrum's and the orbit's; see :meth:`~..network.Network.outcome`."""
    check_count("longest", longest)
    local = verdict(net)
    return Outcome(local, fate(net, _slowest(net, local), int(longest), local.state))


def outcomes(networks: Iterable[Model], *, longest: int = 200_000) -> list[Outcome]:
    """What :meth:`Network.outcome` gives for each of several networks, to the bit, in less time.

    Their orbits are followed together, each update of all of them being one operation on arrays: where many networks
    of the same size are chaotic, several times faster than one by one. A sweep over their parameters calls it with
    batches of points (:func:`bifurcate.sweep`).

    Parameters
    ----------
    networks : iterable of Network
        Of any sizes; those of one size are followed together.
    longest : int
        Updates of every orbit at the most.

    Returns
    -------
    list of Outcome

    Raises
    ------
    InvalidInput
        If one of them has the clip on, or is no network.

    Examples
    --------
    >>> from bifurcate.adaptation import Network, outcomes
    >>> net = Network([1.0, 0.5], [1.0, 0.6], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> [each.fate.kind for each in outcomes([net, net.replace(alpha=20.0)])]
    ['settles', 'settles beyond a pole']
    """
    check_count("longest", longest)
    if isinstance(networks, Model) or not isinstance(networks, Iterable):
        raise InvalidInput(f"networks is {shown(networks)}; it must be a sequence of networks")
    nets = list(networks)
    for number, net in enumerate(nets):
        if not isinstance(net, Model):
            raise InvalidInput(f"networks has {shown(net)} at {number}; it must be a network")
    local = [verdict(net) for net in nets]
    slowest = [_slowest(net, each) for net, each in zip(nets, local)]
    ends = fates(nets, slowest, int(longest), [each.state for each in local])
    return [Outcome(each, end) for each, end in zip(local, ends)]


def verdict(net: Model, known: bool | None = None) -> StabilityVerdict:
    """What the exact spectrum says of the equilibrium.

    Parameters
    ----------
    net : Model
        The network.
    known : bool, optional
        True if the branch from β = 0 reaches β, False if not, where that is known.
    """
    _ = net.reduced  # refuses the clip
    try:
        y = at_rest(net, known)
    except InvalidInput as error:
        search = net.beta > 0.0 and net.alpha > 0.0 and known is None and not isinstance(error, Unresolved)
        gap = last_beta(net, net.beta) - net.beta if search else np.nan
        return StabilityVerdict("no equilibrium", {"existence": gap}, None, None, str(error))
    multipliers = inner_multipliers(net, y)
    found, inner = stability(net, y, multipliers), multipliers.real
    margins = {"flip": 1.0 + inner.min(), "fold": 1.0 - inner.max(), "weights": 1.0 - abs(1.0 + net.beta)}
    beside = net.size > 1 or len(inner) < net.size  # there is a multiplier 1+β beside those of the outputs
    if inner.max() > 1.0 + NEUTRAL or (beside and net.beta > 0.0):
        kind = "saddle"
    elif inner.min() < -1.0 - NEUTRAL or (beside and net.beta < -2.0):
        kind = "flips"
    elif net.alpha == net.beta == 0.0:
        kind = "neutral manifold"
    elif found.outputs == "neutral":
        kind = "marginal"
    elif net.beta == 0.0 and found.weights == "unstable":
        kind = "outputs settle"
    else:
        kind = "neutral manifold" if net.beta == 0.0 and beside else "weights settle"
    return StabilityVerdict(kind, {name: float(value) for name, value in margins.items()}, y, found, found.reason)


def _slowest(net: Model, local: StabilityVerdict) -> float:
    """The time constant, in steps, of the outputs' multiplier nearest the circle; without equilibrium, of 1+β."""
    lam = np.array([1.0 + net.beta]) if local.state is None else inner_multipliers(net, local.state)
    with np.errstate(divide="ignore"):
        return float((1.0 / np.abs(np.log(np.abs(lam)))).max())
