"""NetworkTheorem: what was proved of the adaptation network under its stimulus."""

from __future__ import annotations

from dataclasses import dataclass

import flint

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria.equilibrium import at_rest
from bifurcate.adaptation.maps.plain_formulas import plain_drive, plain_factor
from bifurcate.adaptation.stimuli.target import Target
from bifurcate.errors import NotProved
from bifurcate.proofs.balls import Ball, Enclosure, ball, lower_bound, precision, upper_bound
from bifurcate.proofs.convergence_region import ConvergenceRegion, entering_update, find_region
from bifurcate.proofs.evaluation import BallMap
from bifurcate.proofs.jets import Jet
from bifurcate.proofs.multiplier_discs import Disc, multiplier_discs
from bifurcate.proofs.point_theorem import PointTheorem
from bifurcate.proofs.points import PointClaim, prove_cycle

__all__ = ["NetworkTheorem", "prove_network"]

REDUCED = (
    "under one constant stimulus y = W r/n obeys the reduced map, and the n² multipliers of the update of W are those "
    "of the reduced map and 1 + β, n(n − 1) times (an identity: the rule sees W through W r/n alone)"
)
DESCENT = "the update is mirror descent on E (an identity), so that the descent lemma holds on convex sublevel sets"


@dataclass(frozen=True, eq=False)
class NetworkTheorem:
    """A theorem about the network's equilibrium, all of its n² multipliers, and a region from which it settles.

    Attributes
    ----------
    network : Model
    equilibrium : PointTheorem
        Of y = W r/n, in the reduced map.
    kind : str
        As ``net.verdict().kind``: "weights settle", "neutral manifold", "flips" or "saddle"; "" if not decided.
    others : Enclosure
        1 + β: the multiplier that n(n − 1) modes of the weights share.
    margins : dict of str to Enclosure
        1 + λ_min ("flip"), 1 − λ_max ("fold") of the reduced map, 1 − |1 + β| ("weights").
    largest_alpha : Enclosure or None
        For β = 0: α* = 2n/μ_max(R₀), up to which the manifold of equilibria attracts.
    region : ConvergenceRegion or None
    hypotheses, gaps : tuple of str
    """

    network: Model
    equilibrium: PointTheorem
    kind: str
    others: Enclosure
    margins: dict[str, Enclosure]
    largest_alpha: Enclosure | None
    region: ConvergenceRegion | None
    hypotheses: tuple[str, ...]
    gaps: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """True if nothing is left open."""
        return not self.gaps

    def __str__(self) -> str:
        n = self.network.size
        outside = self.equilibrium.outside
        lines = [
            f"{self.network!r}: {self.kind or 'not decided'}.",
            f"The reduced map has an equilibrium within {self.equilibrium.radius:.1e} of the one computed, and no "
            "other "
            f"within {self.equilibrium.unique_within:.2g} of it; {outside} of its {n} multipliers lie outside the "
            f"circle, and {n * (n - 1)} more of the weights equal 1 + β = {self.others}.",
            "Margins: " + ", ".join(f"{name} {value}" for name, value in self.margins.items()) + ".",
        ]
        if self.largest_alpha is not None:
            lines.append(f"It attracts up to α* = {self.largest_alpha}.")
        if self.region is not None:
            lines.append(f"The region {self.region}.")
        lines += [f"Assumed: {each}." for each in self.hypotheses]
        return "\n".join([*lines, *(f"Not proved: {gap}." for gap in self.gaps)])

    def __repr__(self) -> str:
        return f"NetworkTheorem({self.network!r}, {self.kind or 'not decided'})"


def prove_network(net: Model, *, bits: int = 53) -> NetworkTheorem:
    """Prove the network's equilibrium, the verdict on it, and where it settles from.

    Parameters
    ----------
    net : Model
        Without the clip.
    bits : int
        Precision of the balls' midpoints.

    Raises
    ------
    NotProved
        If the equilibrium is not proved.
    InvalidInput
        If there is none, or with the clip.
    """
    y = at_rest(net, None)
    map = net.reduced
    equilibrium = prove_cycle(PointClaim("cycle", map, net.parameters, None, 1, y), bits=bits)
    with precision(bits):
        ball_map = BallMap(map, y.shape, net.parameters)
        r = drive_balls(net, ball_map)
        u = [ball(net.sigma) * ball(net.sigma) + each.ball for each in equilibrium.states[0]]
        others = 1 + ball(net.beta)
        gaps = list(equilibrium.gaps)
        kind = _kind(net, r, equilibrium.discs, equilibrium.outside)
        if not kind:
            gaps.append("the verdict: multipliers are not shown to lie off the circle, or weights to be at rest")
        hypotheses = [*equilibrium.hypotheses, REDUCED]
        region = None
        driven = all(bool(each > 0) for each in r)
        if driven and net.beta <= 0.0 < net.alpha and all(bool(each > 0) for each in u):
            R = [a / b for a, b in zip(r, u)]
            found = find_region(r, R, ball(net.alpha), ball(net.beta))
            if found is not None:
                region = ConvergenceRegion(*found, entered=entering_update(net, ball_map, r, R, found[0]))
                hypotheses.append(DESCENT)
        if region is None or region.entered is None:
            gaps.append("that the orbit from W0 settles: it was not shown to enter a region of convergence")
        return NetworkTheorem(
            network=net,
            equilibrium=equilibrium,
            kind=kind,
            others=Enclosure.of(others),
            margins=_margins(equilibrium.discs, others),
            largest_alpha=_largest_alpha(net, ball_map, r) if driven and net.beta == 0.0 else None,
            region=region,
            hypotheses=tuple(hypotheses),
            gaps=tuple(gaps),
        )


def drive_balls(net: Model, ball_map: BallMap) -> list[Ball]:
    """r as balls: the drive's plain formula at the parameters as they are."""
    drive = plain_drive(net.stimuli, ball_map.values())
    return [each.value if isinstance(each, Jet) else ball(float(each)) for each in drive]


def _kind(net: Model, r: list[Ball], discs: tuple[Disc, ...], outside: int | None) -> str:
    """The verdict that is proved; multipliers of the reduced map are real where r, u > 0."""
    if net.beta > 0.0 and net.size > 1:
        return "saddle"
    if outside is None or net.beta < -2.0:
        return ""
    if outside > 0:
        return "flips" if all(disc.centre.real < 0.0 for disc in discs if disc.outside) else "saddle"
    if net.beta < 0.0:
        return "weights settle" if bool(abs(1 + ball(net.beta)) < 1) else ""
    # β = 0: weights at rest have R Rᵀ = C, which holds on the manifold if C is R₀ R₀ᵀ and all neurons are driven.
    target: Target = net.target_rule
    one_column = not target.ensemble and (target.given is None or target.given.shape[1] == 1)
    return "neutral manifold" if one_column and all(bool(each > 0) for each in r) else ""


def _margins(discs: tuple[Disc, ...], others: Ball) -> dict[str, Enclosure]:
    """Distances from the circle: the extreme discs hold the extreme multipliers."""
    lows = [ball(disc.centre.real) - ball(disc.radius) for disc in discs]
    highs = [ball(disc.centre.real) + ball(disc.radius) for disc in discs]
    least = ball(min(lower_bound(x) for x in lows)).union(ball(min(upper_bound(x) for x in highs)))
    most = ball(max(lower_bound(x) for x in lows)).union(ball(max(upper_bound(x) for x in highs)))
    return {
        "flip": Enclosure.of(1 + least),
        "fold": Enclosure.of(1 - most),
        "weights": Enclosure.of(1 - abs(others)),
    }


def _largest_alpha(net: Model, ball_map: BallMap, r: list[Ball]) -> Enclosure:
    """α* = 2n/μ_max at β = 0, with μ the eigenvalues of (R₀·r) diag(R₀²/r) + R₀ (R₀²)ᵀ."""
    n = len(r)
    factor = plain_factor(net.target_rule, ball_map.values())
    if factor.shape[1] != 1:
        raise NotProved("α* has its closed form for a target of one stimulus only")
    R = [each.value if isinstance(each, Jet) else ball(float(each)) for each in factor[:, 0]]
    S = sum((a * b for a, b in zip(r, R)), flint.arb(0))
    B = flint.arb_mat(n, n, [a * b * b for a in R for b in R])
    for i in range(n):
        B[i, i] += S * R[i] * R[i] / r[i]
    discs = multiplier_discs(B)
    low = max(lower_bound(ball(disc.centre.real) - ball(disc.radius)) for disc in discs)
    high = max(upper_bound(ball(disc.centre.real) + ball(disc.radius)) for disc in discs)
    return Enclosure.of(2 * n / ball(low).union(ball(high)))
