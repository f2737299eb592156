"""Equilibria of the network under its constant stimulus: whether there are any, where, and with which weights."""

from __future__ import annotations

import numpy as np

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.equilibria.branch_fold import last_ratio
from bifurcate.adaptation.equilibria.scalar_equation import ScalarEquation
from bifurcate.adaptation.kernels import add_outer_product, multiply_weights, norm_of_sum, outer_product, respond
from bifurcate.errors import InvalidInput
from bifurcate.linalg.low_rank import LowRank
from bifurcate.newton.newton import newton_step
from bifurcate.newton.polish import polish

__all__ = [
    "Unresolved",
    "at_rest",
    "equilibria",
    "equilibrium",
    "factors_at",
    "last_beta",
    "lift",
    "lift_to_factors",
    "off_target",
    "scalar_of",
    "weights_at",
    "weights_settle",
]


class Unresolved(InvalidInput):
    """There is an equilibrium, but rounding hides it."""


# |y⁺ − y| of this part of max(|y|, σ²) up to which a computed equilibrium is given out; more is lost near a pole
UNRESOLVED = 1e-7
SAME = 1e-8  # distance of this part of max(|y|, σ²) up to which two computed equilibria are one
SOLVED = 1e-9  # |y⁺ − y| of this part of max(|y|, σ²) up to which a polished root is an equilibrium: below SAME
# Distance of R Rᵀ from C, relative to |F|², up to which they are equal. R follows from F by two products and a
# division, whose rounding is some 1e-15; this leaves room for long sums, and a target that is missed is missed by far.
ON_TARGET = 1e-10
RATIOS = (1e-100, 1e100)  # α/|β| between which squares of what the scalar equation is made of are numbers
TINY = float(np.finfo(float).tiny)  # stands for the size of a target that is 0, where nothing is to be divided by
MOST = 12  # driven neurons up to which all 2ⁿ choices of roots are searched
POLISHING_STEPS = 3  # of Newton's method, from the roots of the scalar equation, which are exact but for rounding
ROUNDING = 4e-16  # |y⁺ − y| of this part of max(|y|, σ²) is rounding of y⁺: no step makes it smaller
AT_REST = 1e-8  # |y⁺ − y| ≤ AT_REST·max(|y|, σ²) counts as an equilibrium where weights are wanted for a given y


def equilibrium(net: Model) -> np.ndarray:
    """The y of the positive equilibrium (β < 0), of the manifold's (β = 0), or of the branch from β = 0 (β > 0).

    Raises
    ------
    InvalidInput
        If there is none, saying why; or if it lies so close to a pole that rounding hides it.
    """
    if net.beta == 0.0 and net.alpha > 0.0:
        _require_no_drift(net)
    return at_rest(net)


def at_rest(net: Model, reached: bool | None = None) -> np.ndarray:
    """The same where only the outputs need to rest: at β = 0 the y of silent neurons, at their start, may drift.

    ``reached`` says whether the branch from β = 0 comes as far as β > 0, where that is known and need not be searched.
    """
    y, driven = _equilibrium(net, reached), net.drive > 0.0
    with np.errstate(all="ignore"):
        left = float(np.abs(net.reduction_rule.f(y, **net.parameters) - y)[driven].max())
    if not left <= UNRESOLVED * max(float(np.abs(y[driven]).max()), net.sigma**2):
        u = float((net.sigma**2 + y)[driven].min())
        raise Unresolved(
            f"the equilibrium lies too close to a pole for double precision: a driven neuron's sigma^2 + y is {u:.1e}, "
            f"and one update moves y by {left:.1e}; a floor of the tuning or b > 0 keeps drives apart from 0"
        )
    return y


def _equilibrium(net: Model, reached: bool | None) -> np.ndarray:
    beta, alpha = net.beta, net.alpha
    if beta == 0.0 and alpha == 0.0:
        return _start(net)
    if beta == 0.0:
        return _at_beta_zero(net, 1.0)
    scalar = scalar_of(net)
    if alpha == 0.0 or beta < 0.0:
        if alpha == 0.0 and not (scalar.a > 0.0).all():
            raise InvalidInput("the equilibrium W = C of alpha = 0 lies at or beyond a pole of the response")
        return _state(net, scalar.positive())
    if reached is False:
        raise InvalidInput(f"at beta = {beta:g}, alpha = {alpha:g} the branch from beta = 0 has ended in a fold")
    R = scalar.branch()
    ratio = None if reached else last_ratio(scalar)
    if R is None or ratio is not None:
        where = "none starts there, the target has zero responses"
        if ratio is None or np.isfinite(ratio):
            where = f"it ends in a fold at beta = {alpha / (ratio or scalar.gamma):.10g}"
        raise InvalidInput(
            f"at beta = {beta:g}, alpha = {alpha:g} there is no equilibrium on the branch from beta = 0: {where}; "
            f"lower beta, or ask net.equilibria(patterns='all') for others (up to {MOST} neurons)"
        )
    return _polish(net, _state(net, R))


def last_beta(net: Model, highest: float = 1.0) -> float:
    """The β up to which the branch of equilibria that starts at β = 0 exists: its fold, or ``highest``.

    There α μ/n = β for an eigenvalue μ of (R·r) diag(R²/r) + R (R²)ᵀ: the least one, unless neurons equal by symmetry
    have modes of their own, to which the branch, which keeps the symmetry, is blind.

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 1.0], [1.0, 1.0], alpha=0.1, beta=0.0, sigma=1.0)
    >>> float(round(last_beta(net), 6))
    0.007947
    """
    if not highest > 0.0 or net.alpha == 0.0:
        raise InvalidInput("highest and alpha must be positive: without adaptation the equilibrium W = C has no fold")
    ratio = last_ratio(scalar_of(net, gamma=max(net.alpha / highest, RATIOS[0])))
    return highest if ratio is None else net.alpha / ratio


def equilibria(net: Model, patterns: str) -> list[np.ndarray]:
    """All y at rest; see :meth:`Network.equilibria`."""
    if patterns not in ("positive", "all"):
        raise InvalidInput(f"patterns is {patterns!r}; allowed are 'positive' and 'all'")
    if net.beta == 0.0:
        if net.alpha == 0.0:
            return [_start(net)]
        return [equilibrium(net)] if patterns == "positive" else [equilibrium(net), _at_beta_zero(net, -1.0)]
    scalar = scalar_of(net)
    if patterns == "positive" and (net.beta < 0.0 or net.alpha == 0.0):
        return [equilibrium(net)]
    if len(scalar.r) > MOST:
        raise InvalidInput(
            f"{len(scalar.r)} neurons are driven, which makes 2^{len(scalar.r)} choices of roots to search; at most "
            f"{MOST} are allowed"
        )
    found: list[np.ndarray] = []
    for R in scalar.every():
        if patterns == "positive" and not (R > 0.0).all():
            continue
        y = _polish(net, _state(net, R))
        scale = max(float(np.abs(y).max()), net.sigma**2)
        known = bool(found) and float(np.abs(np.array(found) - y).max(axis=1).min()) <= SAME * scale
        if not known and _residual(net, y) <= SOLVED * scale:
            found.append(y)
    return found


def weights_at(net: Model, y: np.ndarray) -> np.ndarray:
    """Weights at an equilibrium whose W r/n is y.

    Raises
    ------
    InvalidInput
        If the weights drift there, or clipping forbids them.
    """
    if net.beta == 0.0 and net.alpha == 0.0:
        return np.array(net.initial, order="C")
    _require_equilibrium_of_weights(net)
    W = lift(net, y)
    _require_unclipped(net, float(W.min()) if net.clip else 0.0)
    return W


def factors_at(net: Model, y: np.ndarray) -> LowRank:
    """The same as thin factors, in O(n).

    Raises
    ------
    InvalidInput
        As :func:`weights_at`, and if weights start from a matrix that was given.
    """
    if not (net.beta == 0.0 and net.alpha == 0.0):
        _require_equilibrium_of_weights(net)
    W = lift_to_factors(net, y)
    _require_unclipped(net, float(np.min(np.asarray(W))) if net.clip else 0.0)
    return W


def _require_equilibrium_of_weights(net: Model) -> None:
    if net.beta == 0.0 and not weights_settle(net):
        raise InvalidInput(
            "at beta = 0 the outputs have an equilibrium but the weights have none: they drift by "
            "alpha (R R^T - C) a step, as C has a higher rank; ask for net.reduced_equilibrium()"
        )


def _require_unclipped(net: Model, lowest: float) -> None:
    if lowest < 0.0:
        raise InvalidInput(
            f"the equilibrium of the unclipped rule has negative weights (down to {lowest:.3g}), which clip=True "
            "forbids; iterate net.update to find where the clipped weights settle"
        )


def lift(net: Model, y: np.ndarray) -> np.ndarray:
    """Weights W with W r/n = y, shape (n, n); see :meth:`~.network.Network.lift`."""
    W = _lift(net, y, factored=False)
    assert isinstance(W, np.ndarray)
    return W


def lift_to_factors(net: Model, y: np.ndarray) -> LowRank:
    """The same as thin factors, in O(n)."""
    W = _lift(net, y, factored=True)
    assert isinstance(W, LowRank)
    return W


def _lift(net: Model, y: np.ndarray, factored: bool) -> np.ndarray | LowRank:
    r, n = net.drive, len(y)
    W: np.ndarray | LowRank
    if net.beta != 0.0 and _residual(net, y) <= AT_REST * max(float(np.abs(y).max()), net.sigma**2):
        # C − γ (R Rᵀ − C). Where β is tiny, γ magnifies the rounding of its second part: the correction below, which is
        # of that size, restores W r/n = y.
        gamma, R, F = net.alpha / net.beta, respond(r, net.sigma**2 + y), net.target_rule.factor(net.parameters)
        W = LowRank(np.column_stack([(1.0 + gamma) * F, -gamma * R]), np.column_stack([F, R]))
    elif net.initial_weights is None:
        W = LowRank(np.ones((n, 1)), np.ones((n, 1)))
    elif factored:
        raise InvalidInput("weights that start from a matrix given as initial have no thin factors; ask for all of W")
    else:
        W = np.array(net.initial_weights, order="C")
    if isinstance(W, LowRank) and not factored:
        W = outer_product(W.left, W.right)
    d = n * y - W @ r
    rr = float(r @ r)
    q = d / rr - (float(r @ d) / (2.0 * rr * rr)) * r
    if isinstance(W, LowRank):
        return LowRank(np.column_stack([W.left, q, r]), np.column_stack([W.right, r, q]))
    add_outer_product(W, np.column_stack([q, r]), np.column_stack([r, q]))
    return W


def off_target(F: np.ndarray, R: np.ndarray) -> float:
    """‖C − R Rᵀ‖ (Frobenius) for C = F Fᵀ.

    Examples
    --------
    >>> off_target(np.array([[3.0], [0.0]]), np.array([0.0, 4.0])) ** 2
    337.0
    """
    return norm_of_sum(np.column_stack([F, R]), np.append(np.ones(F.shape[1]), -1.0))


def scalar_of(net: Model, gamma: float | None = None) -> ScalarEquation:
    """The scalar equation of the network, at its own γ = α/β or another.

    Raises
    ------
    Unresolved
        If α/|β| lies outside RATIOS.
    """
    ratio = net.alpha / net.beta if gamma is None else gamma
    if ratio != 0.0 and not RATIOS[0] <= abs(ratio) <= RATIOS[1]:
        raise Unresolved(
            f"alpha/beta is {ratio:.1e}: in double precision rest cannot be told from that of "
            f"{'alpha' if abs(ratio) < 1.0 else 'beta'} = 0; take that, or a ratio from {RATIOS[0]:g} to {RATIOS[1]:g}"
        )
    r, F = net.drive, net.target_rule.factor(net.parameters)
    driven = r > 0.0
    h = (F @ (F.T @ r))[driven] / len(r)
    return ScalarEquation(r[driven], h, net.sigma**2, ratio, len(r))


def _start(net: Model) -> np.ndarray:
    return multiply_weights(net.initial_weights, net.drive) / len(net.drive)


def _state(net: Model, R: np.ndarray) -> np.ndarray:
    r, F = net.drive, net.target_rule.factor(net.parameters)
    y = (1.0 + net.alpha / net.beta) * (F @ (F.T @ r)) / len(r)
    y[r > 0.0] = r[r > 0.0] / R - net.sigma**2
    return np.asarray(y)


def _at_beta_zero(net: Model, sign: float) -> np.ndarray:
    # R (R·r) = C r, hence R = ± C r/√(rᵀ C r) wherever r > 0. Elsewhere y is at rest only if C r = 0.
    r, F = net.drive, net.target_rule.factor(net.parameters)
    pull, strength = F @ (F.T @ r), float(np.linalg.norm(F.T @ r))
    driven = r > 0.0
    missing = np.flatnonzero(driven & ~(pull > 0.0))
    if len(missing):
        raise InvalidInput(
            f"at beta = 0 there is no equilibrium: neuron {missing[0]} ({len(missing)} in all) is driven but its "
            "target response is 0, so that its weights grow without bound"
        )
    y = _start(net)
    y[driven] = sign * r[driven] * strength / pull[driven] - net.sigma**2
    return y


def _require_no_drift(net: Model) -> None:
    r, F = net.drive, net.target_rule.factor(net.parameters)
    drifting = np.flatnonzero((r == 0.0) & (F @ (F.T @ r) != 0.0))
    if len(drifting):
        raise InvalidInput(
            f"at beta = 0 there is no equilibrium: neuron {drifting[0]} ({len(drifting)} in all) is silent under the "
            "stimulus but not in the target, so that its weights drift without bound, although the outputs may settle"
        )


def weights_settle(net: Model) -> bool:
    """True if R Rᵀ = C where outputs rest at β = 0: weights at rest require it beyond (R Rᵀ − C) r = 0.

    R is ± C r/√(rᵀ C r) there; from y it would carry the rounding of u = σ² + y, which can be much smaller than σ².
    """
    r, F = net.drive, net.target_rule.factor(net.parameters)
    strength = float(np.linalg.norm(F.T @ r))
    R = np.where(r > 0.0, F @ (F.T @ r), 0.0) / (strength or 1.0)
    return off_target(F, R) <= ON_TARGET * max(float(np.linalg.norm(F)) ** 2, TINY)


def _residual(net: Model, y: np.ndarray) -> float:
    return float(np.abs(net.reduction_rule.f(y, **net.parameters) - y).max())


def _polish(net: Model, y: np.ndarray) -> np.ndarray:
    """Newton's method on y⁺ − y, as long as the residual falls."""
    p, reduction = net.parameters, net.reduction_rule

    def residual(y: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):  # on a pole, where rounding left nothing of u
            return np.asarray(reduction.f(y, **p) - y)

    def step(y: np.ndarray, r: np.ndarray) -> np.ndarray | None:
        if not ROUNDING * max(float(np.abs(y).max()), net.sigma**2) < float(np.abs(r).max()) < np.inf:
            return None
        try:
            return newton_step(reduction.jacobian(y, **p), r)
        except ArithmeticError:  # on a fold, or responses of very different size: y is as good as it gets
            return None

    return polish(y, residual, step, max_steps=POLISHING_STEPS).x
