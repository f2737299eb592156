"""A proof that the orbit from a state settles, from E at that state alone: no waiting, no other attractor to fear.

For one constant stimulus and β ≤ 0. Stars mark rest, S = R·r, R = R* e^δ. By equation (3) of ``energy.py``

    E − E* = (α/n) S*² [(Q² − 1)/2 − ln Q + KL(p‖q)] + Σ bᵢ (e^−δᵢ − 1 + δᵢ)                              (1)

with Q = S/S*, p = rR*/S*, q = rR/S, bᵢ = −β rᵢ²/R*ᵢ; equally Σ [aᵢ (e^δᵢ − 1 − δᵢ) + bᵢ (e^−δᵢ − 1 + δᵢ)] and a square,
aᵢ = (α/n) S* rᵢ R*ᵢ. No term is negative. Hence on {E − E* ≤ ℓ} every δᵢ lies between the two roots δᵢ⁻ < 0 < δᵢ⁺ of
aᵢ (e^δ − 1 − δ) + bᵢ (e^−δ − 1 + δ) = ℓ, and Q between those of (α/n) S*² [(Q² − 1)/2 − ln Q] = ℓ.

With these bounds on R and S, matrix (2) of ``mirror_descent.py`` grows entry by entry with R and S, so its largest
eigenvalue (Perron) is at most L, that of the matrix at the upper bounds; and its least one is at least
m = (α/n) min(S⁻R⁻²/r) − β. Along the update, with D and D' the divergences D(z⁺, z) and D(z, z⁺),

    E⁺ ≤ E + ⟨∇E, z⁺ − z⟩ + L D = E − D − D' + L D,     D' ≥ s D,     s = (ρ ln ρ − ρ + 1)/(ρ − 1 − ln ρ),    (2)

ρ = exp(−max(δ⁺ − δ⁻)) ≤ u⁺/u, since D' / D is a mean of that function of u⁺/u, which rises. So if L < 1 + s the set is
invariant and E falls at every update. (The set is convex in z, as E is, which the first inequality needs; the path
y − τ∇E, 0 ≤ τ ≤ 1, cannot leave it, as E < ℓ on it where it is inside; E → ∞ at a pole.) With m-strong convexity

    D(z*, z⁺) ≤ (1 − m) D(z*, z) − (E⁺ − E*) + (L − 1) D,

and so V = D(z*, z) + (1 + c)(E − E*), c = max(L − 1, 0)/(1 + s − L), falls to κ V or below at every update,

    κ = max(1 − m, (L − 1)/s) < 1                                                                         (3)

(test_certified_orbits_contract_at_the_rate_proved). V bounds the distance of every response from rest. Also, whatever m
is, D(z*, z⁺) + (1 + c)(E⁺ − E*) ≤ D(z*, z) + c (E − E*): after t updates E − E* ≤ [D(z*, z) + c (E − E*)]/t.
As ℓ → 0, L → αμ_max/n − β and s → 1: below the flip there always is such a set.

For −2 < β < 0 the weights follow their outputs to rest, by (1.1) of ``long_run``; at β = 0 their moves α (R Rᵀ − C)
have a finite sum if R*R*ᵀ = C. Silent neurons have no part in all this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bifurcate.adaptation.convex_bounds import (
    ROUNDING,
    exponential_remainder,
    gain_bounds,
    largest_eigenvalue_bound,
    lopsidedness,
    outer_root,
    relative_entropy,
)
from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria.equilibrium import at_rest, weights_settle
from bifurcate.errors import InvalidInput

__all__ = ["DescentRegion", "Rest", "SettlingCertificate", "certificate", "largest_region"]

LOOSEST = 1e-3  # relative error of R* beyond which nothing is certified: bounds that far out would prove nothing
SMALLEST = 1e-18  # part of the largest coefficient at which a certified level is given up: δ is then rounding
# The number of updates is bounded in two stretches: E − E* ≤ V₀/t down to a part of its level, from there by (3). Parts
# SHRUNK^−1, SHRUNK^−2, … are tried.
SHRUNK, SHRINKINGS = 4.0, 60
LARGEST_COUNT = 1e15  # updates beyond which a number says nothing
NARROW = 1e-6  # relative width of the bracket to which the largest certified level is bisected


@dataclass(frozen=True, eq=False)
class Rest:
    """The responses at rest, and what the bounds on a sublevel are made of; arrays of the d driven neurons.

    Attributes
    ----------
    r, R, a, b : ndarray, shape (d,)
        Drives, R*, and the coefficients of (1).
    rate, beta, floor : float
        α/n, β, σ².
    error : float
        A bound on the relative error of R*.
    """

    r: np.ndarray
    R: np.ndarray
    rate: float
    beta: float
    floor: float
    error: float

    @classmethod
    def of(cls, net: Model, y: np.ndarray | None = None) -> Rest | None:
        """That of a network, at its equilibrium y if that is known; None where nothing can be certified."""
        if net.clip or not -2.0 < net.beta <= 0.0 or net.alpha == net.beta == 0.0:
            return None
        try:
            y = at_rest(net) if y is None else y
        except InvalidInput:
            return None
        on = net.drive > 0.0
        r, u = net.drive[on], net.sigma**2 + y[on]
        if not (u > 0.0).all():
            return None
        rest = cls(r, r / u, net.alpha / net.size, net.beta, net.sigma**2, 0.0)
        error = rest._error(net, y, on)
        return cls(r, r / u, rest.rate, rest.beta, rest.floor, error) if error <= LOOSEST else None

    def _error(self, net: Model, y: np.ndarray, on: np.ndarray) -> float:
        """Relative error of R*: the residual, with its own rounding, over the least relative curvature m."""
        F, r, R = net.target_rule.factor(net.parameters), self.r, self.R
        left = np.abs(net.reduction_rule.f(y, **net.parameters) - y)[on]
        pull = (np.abs(net.alpha) + np.abs(net.beta)) / net.size * (F @ (F.T @ net.drive))[on]
        terms = np.abs(y[on]) + self.floor + self.rate * (R @ r) * R + pull
        left = left + (4.0 + np.sqrt(len(r))) * np.finfo(float).eps * terms
        m = self.rate * float(((R @ r) * R * R / r).min()) - self.beta
        # ∇²E δz = G in the norm of ∇²φ = diag(1/R): ‖δz/√R‖ ≤ ‖√R G‖/m, and δu/u = δz/r
        return 2.0 * float((np.sqrt(R) / r).max() * np.linalg.norm(np.sqrt(R) * left)) / m + ROUNDING

    @cached_property
    def total(self) -> float:
        """S* = r·R*."""
        return float(self.r @ self.R)

    @cached_property
    def a(self) -> np.ndarray:
        """The coefficients of e^δ − 1 − δ in (1)."""
        return np.asarray(self.rate * self.total * self.r * self.R)

    @cached_property
    def b(self) -> np.ndarray:
        """The coefficients of e^−δ − 1 + δ in (1)."""
        return np.asarray(-self.beta * self.r * self.r / self.R)

    def level(self, y: np.ndarray) -> float:
        """An upper bound of E − E* at y of the driven neurons, whatever R* is within its error; ∞ beyond a pole."""
        u, e = self.floor + y, self.error
        if not (u > 0.0).all():
            return np.inf
        with np.errstate(all="ignore"):
            delta = np.log(self.r / u) - np.log(self.R)
            # convex terms are largest at an end of the interval δ ± e
            up = np.maximum(exponential_remainder(delta - e), exponential_remainder(delta + e))
            down = np.maximum(exponential_remainder(-delta - e), exponential_remainder(-delta + e))
            part = self.r * self.R
            change = abs(float(part @ np.expm1(delta))) + np.expm1(e) * float(part @ np.exp(delta))
            level = float(self.a @ up + self.b @ down) + 0.5 * self.rate * change**2
        return level * (1.0 + 8.0 * e) if np.isfinite(level) else np.inf

    def certifies(self, y: np.ndarray) -> bool:
        """True if the orbit from y of the driven neurons is proved to settle."""
        level = self.level(y)
        return bool(np.isfinite(level)) and self.region(level).descends

    def region(self, level: float) -> DescentRegion:
        """The bounds that hold where E − E* ≤ level."""
        r, R, e = self.r, self.R, self.error
        with np.errstate(all="ignore"):  # at large levels bounds overflow: nothing is certified then
            upper, lower = outer_root(self.a, self.b, level) + e, -outer_root(self.b, self.a, level) - e
            most, least = gain_bounds(level / (self.rate * self.total**2) if self.rate > 0.0 else np.inf)
            S = self.total * (1.0 + e)
            M = np.minimum(R * np.exp(upper), most * S / r)  # of r R ≤ S
            high = min(most * S, float(r @ M))
            low = max(least * self.total * (1.0 - e), float(r @ (R * np.exp(lower))))
            side = M**1.5
            smooth = self.rate * largest_eigenvalue_bound(high * M * M / r, side) - self.beta
            convex = self.rate * float((low * (R * np.exp(lower)) ** 2 / r).min()) - self.beta
            width = float((np.log(M / R) + e - lower).max())
        return DescentRegion(
            level=level,
            lower=lower,
            upper=np.log(M / R),
            smoothness=smooth * (1.0 + ROUNDING),
            convexity=convex * (1.0 - ROUNDING),
            lopsidedness=lopsidedness(width),
        )


@dataclass(frozen=True, eq=False)
class DescentRegion:
    """A set {E − E* ≤ level} on which bounds are known; if :attr:`descends` it is invariant, and E falls on it.

    Attributes
    ----------
    level : float
    lower, upper : ndarray, shape (d,)
        Bounds of δ = ln(R/R*) of the driven neurons.
    smoothness, convexity : float
        L and m: bounds of the eigenvalues of E's Hessian relative to that of φ.
    lopsidedness : float
        s ≤ D(z, z⁺)/D(z⁺, z), in (0, 1).
    """

    level: float
    lower: np.ndarray
    upper: np.ndarray
    smoothness: float
    convexity: float
    lopsidedness: float

    @property
    def largest_step(self) -> float:
        """The step h up to which the rule in steps, W⁺ = W + h [α (R Rᵀ − C) + β (W − C)], is certified on the set too.

        E of that rule is h E, on the same set, and its L is h L.
        """
        return (1.0 + self.lopsidedness) / self.smoothness

    @property
    def descends(self) -> bool:
        """True if L < 1 + s."""
        return bool(self.smoothness < (1.0 + self.lopsidedness) * (1.0 - ROUNDING)) and self.convexity > 0.0

    @property
    def gain(self) -> float:
        """c of (3)."""
        return max(self.smoothness - 1.0, 0.0) / (1.0 + self.lopsidedness - self.smoothness)

    @property
    def contraction(self) -> float:
        """κ of (3); NaN unless :attr:`descends`."""
        return 1.0 - self.loss if self.descends else np.nan

    @property
    def loss(self) -> float:
        """1 − κ, which where outputs are slow is less than the rounding of κ."""
        s = self.lopsidedness
        return min(self.convexity, (1.0 + s - self.smoothness) / s, 1.0)


@dataclass(frozen=True, eq=False)
class SettlingCertificate:
    """What is proved of the orbit from a state, up to rounding, which every bound is widened for.

    Attributes
    ----------
    settles : bool
        True if the orbit is proved to settle: E falls at every update, no pole is crossed, R → R*, and W comes to rest
        if ``weights_settle``. False proves nothing.
    level : float
        E − E* at the state.
    region : DescentRegion or None
        The set {E − E* ≤ level}; None where nothing rests, or E is no energy.
    weights_settle : bool
        True if the weights are proved to come to rest as well: for β < 0 always, at β = 0 if R* R*ᵀ = C.
    rest : Rest or None
        The responses at rest.
    excess : float
        V at the state, an upper bound; NaN if not certified.
    reason : str
        The same in words.
    """

    settles: bool
    level: float
    region: DescentRegion | None
    weights_settle: bool
    rest: Rest | None
    excess: float
    reason: str

    @property
    def contraction(self) -> float:
        """κ < 1: an update leaves at most κ V of V, which bounds the distance from rest; NaN if not certified."""
        return np.nan if self.region is None else self.region.contraction

    def updates(self, accuracy: float) -> int:
        """The number of updates after which |ln(R/R*)| ≤ accuracy for every driven neuron, as far as is proved.

        Parameters
        ----------
        accuracy : float
            In (0, 1).

        Raises
        ------
        InvalidInput
            If nothing is certified, or the accuracy lies outside (0, 1).
        """
        if not self.settles or self.rest is None or self.region is None:
            raise InvalidInput(f"nothing is certified of this state: {self.reason}")
        if not 0.0 < accuracy < 1.0:
            raise InvalidInput(f"accuracy is {accuracy!r}; it must lie in (0, 1)")
        rest = self.rest
        # r KL(u‖u*) = (r²/R*) (w ln w − w + 1) ≤ V with w = u/u* = e^−δ; the least it is at |δ| = accuracy
        enough = float(min(relative_entropy(accuracy), relative_entropy(-accuracy)) * (rest.r * rest.r / rest.R).min())
        store = self.excess - self.level  # D + c (E − E*), which E − E* ≤ store/t after t updates has been taken from
        best = _count(self.region, store + self.level, enough)
        for part in SHRUNK ** -np.arange(1.0, SHRINKINGS):
            if store >= best * part * self.level:  # the first stretch alone would take as long
                break
            start = np.ceil(store / (part * self.level))
            region = rest.region(part * self.level)
            best = min(best, start + _count(region, store + part * self.level, enough))  # c is no larger there
        if not best < LARGEST_COUNT:
            raise InvalidInput(f"the bound is above {LARGEST_COUNT:.0e} updates: ask at a later state of the orbit")
        return int(best)


def certificate(net: Model, y: np.ndarray, rest: Rest | None = None) -> SettlingCertificate:
    """What is proved of the orbit from y = W r/n; see :meth:`~.network.Network.certificate`."""
    rest = Rest.of(net) if rest is None else rest
    if rest is None:
        reason = "beta > 0: E has no lower bound" if net.beta > 0.0 else "beta <= -2: nothing settles"
        if -2.0 < net.beta <= 0.0:
            reason = "no equilibrium is known well enough to prove anything"
        return SettlingCertificate(False, np.nan, None, False, None, np.nan, reason)
    driven = y[net.drive > 0.0]
    level = rest.level(driven)
    if not np.isfinite(level):
        return SettlingCertificate(False, level, None, False, rest, np.nan, "a driven neuron stands beyond a pole")
    region = rest.region(level)
    L, s = region.smoothness, region.lopsidedness
    if not region.descends:
        reason = f"L = {L:.6g} is not below 1 + s = {1.0 + s:.6g} on the set of no more energy: nothing is proved"
        return SettlingCertificate(False, level, region, False, rest, np.nan, reason)
    weights = net.beta < 0.0 or weights_settle(net)
    delta = np.log(rest.r / ((rest.floor + driven) * rest.R))
    widest = np.maximum(relative_entropy(delta - rest.error), relative_entropy(delta + rest.error))
    excess = float((rest.r * rest.r / rest.R) @ widest) * (1.0 + 4.0 * rest.error) + (1.0 + region.gain) * level
    reason = (
        f"proved, up to rounding: E falls at every update, as L = {L:.6g} < 1 + s = {1.0 + s:.6g}; the distance from "
        f"rest contracts by {region.contraction:.6g} an update; weights {'settle' if weights else 'drift'}"
    )
    return SettlingCertificate(True, level, region, weights, rest, excess, reason)


def largest_region(net: Model) -> DescentRegion | None:
    """The largest set {E − E* ≤ ℓ} that is certified, to a millionth of ℓ; None where none is.

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 0.8], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> region = largest_region(net)
    >>> bool(region.level > net.certificate().level), round(region.largest_step, 5)
    (True, 1.0)
    """
    rest = Rest.of(net)
    if rest is None:
        return None
    low = high = float((rest.a + rest.b).min())
    while not rest.region(low).descends:
        low *= 0.25
        if low < SMALLEST * float((rest.a + rest.b).max()):
            return None
    while rest.region(high).descends:
        high *= 4.0
    while high - low > NARROW * high:
        middle = float(np.sqrt(low * high)) if high > 2.0 * low else 0.5 * (low + high)
        low, high = (middle, high) if rest.region(middle).descends else (low, middle)
    return rest.region(low)


def _count(region: DescentRegion, excess: float, enough: float) -> float:
    """The number of updates after which V has fallen from ``excess`` to ``enough`` by (3)."""
    if excess <= enough:
        return 0.0
    return 1.0 if region.loss == 1.0 else float(np.ceil(np.log(enough / excess) / np.log1p(-region.loss)))
