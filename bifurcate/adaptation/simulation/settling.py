"""When weights can come to rest while inputs change: every statement as a check that can be called.

With P_t = α (Q_t − C), Q_t = R_t R_tᵀ, one update is ΔW_t = P_t + β (W_t − C), so that for every sequence of inputs

    ΔW_{t+1} = (1+β) ΔW_t + α (Q_{t+1} − Q_t).                                                            (5.1)

Hence α‖Q_{t+1} − Q_t‖ ≤ ‖ΔW_{t+1}‖ + |1+β| ‖ΔW_t‖: weights at rest have products at rest; and, for −2 < β < 0, moves
come down to at most α sup‖Q_{t+1} − Q_t‖/(1 − |1+β|): products at rest bring the weights to rest, at
W* = C − (α/β)(Q − C). Where R_t rests at R* and W_t at W*, drives must solve (I − diag(R*) W*/n) r = σ² R*: one does,
unless that matrix is singular. So the weights settle only if the drive does, but for such exceptions. For σ > 0 and
symmetric W all drives that one R answers have one total: for two of them r'·(r/R) = σ² Σ r' + r'·W r/n is symmetric in
r and r'. At β = 0 there is such a W for every total (:func:`universal`); at β < 0, W = (1+γ) C − γRRᵀ with γ = α/β can
be one for γ < −1, with negative entries (test_weights_can_rest_under_changing_drives_at_decay). Not with W ≥ 0: then
diag(R) W r/n = r − σ²R < r for r > 0, so that the Perron root of diag(R) W/n is below 1 and the matrix regular.

The exception at β = 0 is W* = n (diag(1/R₀) − (σ²/S) 𝟏𝟏ᵀ), at which that matrix is (σ²/S) R₀𝟏ᵀ and every drive of total
S has the response R₀. There vᵀΔW v = α (v·R)² ≥ 0 for every v ⊥ R₀, whatever is shown: vᵀWv never falls. Such weights
can be reached from below only, by a quadratic approach like 1/t, and an orbit that steps past them leaves for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.linalg

from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.simulation.forced_growth import ForcedGrowth, bounded
from bifurcate.adaptation.simulation.simulate import Run
from bifurcate.adaptation.validation import finite, number
from bifurcate.errors import InvalidInput
from bifurcate.validation import check_count

__all__ = [
    "Approach",
    "Drives",
    "ForcedGrowth",
    "Rest",
    "approach",
    "bounded",
    "drive_for_both",
    "drives_with_response",
    "headroom",
    "products_moves",
    "rest",
    "universal",
    "weights_at_rest",
]

REST_TOLERANCE = 1e-9  # ‖ΔW‖/‖W‖ of weights at rest, by default: a million times rounding, which sums over n² weights
SHORTEST_WINDOW, WINDOW_PART = 20, 10  # updates over which rest is judged, by default: the last tenth, 20 at the least
RESPONSE_TOLERANCE = 1e-10  # relative error of the response that drives are asked to give, by default
FALLEN = 0.9  # a distance that has not fallen to this part over the last third of the blocks approaches nothing
SAME_TOTAL = 1e-9  # relative difference up to which two totals of the drives are one
LEAST_STEPS = 200  # from which a power law can be measured: BLOCKS blocks of time, the last of them some 40 steps long
BLOCKS = 24  # logarithmic blocks of time over which distances are averaged


@dataclass(frozen=True)
class Rest:
    """True if the weights came to rest over the last steps of a run, and why they could or could not.

    Attributes
    ----------
    weights : bool
        The largest ‖ΔW‖ of the window is at most tolerance · ‖W‖.
    products : bool
        α‖Q_{t+1} − Q_t‖ is at most 2 · tolerance · ‖W‖ throughout: necessary for ``weights``.
    moves, changes : float
        The largest ‖ΔW‖ and α‖Q_{t+1} − Q_t‖ of the window.
    floor : float
        The largest (α‖Q_{t+1} − Q_t‖)/(1 + |1+β|): ‖ΔW‖ was at least that somewhere in the window.
    ceiling : float
        max α‖Q_{t+1} − Q_t‖/(1 − |1+β|), to which moves must come down if changes stay as they were; inf unless
        −2 < β < 0.
    reason : str
    """

    weights: bool
    products: bool
    moves: float
    changes: float
    floor: float
    ceiling: float
    reason: str


def products_moves(run: Run) -> np.ndarray:
    """‖Q_{t+1} − Q_t‖ (Frobenius) for t = 0 … T−2.

    Free of cancellation: Q' − Q = ½ Σ w (d sᵀ + s dᵀ) with d = R' − R and s = R' + R.

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> R = (run := net.run(drive=[[1.0, 0.5], [0.5, 1.0]])).responses
    >>> bool(abs(products_moves(run)[0] - np.linalg.norm(np.outer(R[1], R[1]) - np.outer(R[0], R[0]))) < 1e-15)
    True
    """
    R = _responses(run)
    w = run.shares[run.order]
    if R.shape[1] > 1 and not (w == w[0]).all():
        raise InvalidInput("products of averages can be compared only where all updates average alike")
    if R.shape[1] == 1:
        d, s = np.diff(R[:, 0], axis=0), R[1:, 0] + R[:-1, 0]
        return np.asarray(np.sqrt(0.5 * ((d * d).sum(1) * (s * s).sum(1) + (d * s).sum(1) ** 2)))
    half = ((0.5 * (b - a).T * w[0]) @ (b + a) for a, b in pairwise(R))
    return np.array([np.linalg.norm(M + M.T) for M in half])


def _responses(run: Run) -> np.ndarray:
    if run.network.clip:
        raise InvalidInput("the weights are clipped: equation (5.1), on which this rests, does not hold for them")
    if run.responses is None:
        raise InvalidInput("responses were not kept; run with keep='responses'")
    return run.responses.reshape(len(run), -1, run.network.size)


def rest(run: Run, window: int | None = None, tolerance: float = REST_TOLERANCE) -> Rest:
    """True if weights and products rest over the last ``window`` steps, with the two bounds that tie them together.

    Parameters
    ----------
    run : Run
        With its responses, of constant α > 0 over the window, without clip.
    window : int, optional
        At least 2; the last tenth of the run, at least 20 steps, if not given. Should span a period of the inputs.
    tolerance : float
        Relative to ‖W_T‖.

    Returns
    -------
    Rest

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> rest(net.run(drive=[[1.0, 0.5]] * 400)).weights, rest(net.run(drive=[[1.0, 0.5], [0.5, 1.0]] * 200)).weights
    (True, False)
    """
    T, beta = len(run), run.network.beta
    window = min(max(SHORTEST_WINDOW, T // WINDOW_PART), T) if window is None else check_count("window", window, 2)
    if not 2 <= window <= T:
        raise InvalidInput(f"window is {window}; the run has {T} steps, and at least 2 are asked for")
    alpha = run.alpha[T - window :]
    if not ((alpha == alpha[0]).all() and alpha[0] > 0.0):
        raise InvalidInput("alpha must be constant and positive over the window")
    moves = float(run.moves[T - window :].max())
    changes = float(alpha[0] * products_moves(run)[-(window - 1) :].max())
    unit, contraction = tolerance * float(np.linalg.norm(run.last)), abs(1.0 + beta)
    weights, products = moves <= unit, changes <= (1.0 + contraction) * unit
    ceiling = changes / (1.0 - contraction) if contraction < 1.0 else np.inf
    floor = changes / (1.0 + contraction)
    if weights:
        reason = f"weights move by at most {moves:.2e} a step, and products by {changes:.2e}: both rest"
    elif not products:
        reason = f"products R R^T keep changing by up to {changes:.2e} a step: weights must move by {floor:.2e} or more"
    elif contraction < 1.0:
        reason = f"products rest (to {changes:.2e} a step) and weights, still moving by {moves:.2e}, must follow"
    else:
        reason = f"products rest but weights move by {moves:.2e} a step: |1 + beta| >= 1 does not let them follow"
    return Rest(weights, products, moves, changes, floor, ceiling, reason)


def weights_at_rest(net: Model, response: Any) -> np.ndarray:
    """W* = C − (α/β)(R Rᵀ − C): where weights come to rest if responses do, for −2 < β < 0.

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=-0.1, sigma=0.5)
    >>> W = net.equilibrium()
    >>> bool(abs(weights_at_rest(net, net.response(W)) - W).max() < 1e-14)
    True
    """
    if not -2.0 < net.beta < 0.0:
        raise InvalidInput(f"beta is {net.beta:g}; weights follow their products to rest only for -2 < beta < 0")
    R, C = _vector("response", response, net.size), net.target()
    return np.asarray(C - (net.alpha / net.beta) * (np.outer(R, R) - C))


def _vector(name: str, value: Any, n: int) -> np.ndarray:
    v = finite(name, value)
    if v.shape != (n,):
        raise InvalidInput(f"{name} has shape {v.shape}; it must be {(n,)}")
    return v


@dataclass(frozen=True, eq=False)
class Drives:
    """All drives with a given response at given weights: particular + kernel @ any coefficients, where that is ≥ 0.

    Attributes
    ----------
    particular : ndarray, shape (n,)
        The solution of least norm.
    kernel : ndarray, shape (n, d)
        Orthonormal; d = 0 where the drive is the only one.
    condition : float
        Ratio of the largest singular value to the least that does not count as zero.
    residual : float
        max |(I − diag(R) W/n) r − σ² R|: 0 to rounding where there is a solution at all.
    """

    particular: np.ndarray
    kernel: np.ndarray
    condition: float
    residual: float


def drives_with_response(W: Any, response: Any, sigma: float, tolerance: float = RESPONSE_TOLERANCE) -> Drives:
    """The drives r with r/(σ² + W r/n) = R: solutions of (I − diag(R) W/n) r = σ² R.

    Singular values of at most tolerance times the matrix' size, max(1, its largest), count as zero.

    Examples
    --------
    >>> found = drives_with_response(np.ones((2, 2)), np.array([1.0, 0.5]) / 1.0, sigma=0.5)
    >>> (found.particular / (0.25 + found.particular.mean())).round(12), found.kernel.shape
    (array([1. , 0.5]), (2, 0))
    """
    W = finite("W", W)
    if W.ndim != 2 or W.shape[0] != W.shape[1]:
        raise InvalidInput(f"W has shape {W.shape}; it must be (n, n)")
    R = _vector("response", response, len(W))
    n, right = len(W), number("sigma", sigma, {"sigma": (0.0, np.inf)}) ** 2 * R
    A = np.eye(n) - R[:, None] * W / n
    U, s, Vt = scipy.linalg.svd(A)
    rank = int((s > tolerance * max(1.0, s[0])).sum())
    r = Vt[:rank].T @ ((U[:, :rank].T @ right) / s[:rank])
    condition = float(s[0] / s[rank - 1]) if rank else np.inf
    return Drives(r, Vt[rank:].T, condition, float(np.abs(A @ r - right).max()))


def universal(net: Model, total: float) -> np.ndarray:
    """W* = n (diag(1/R₀) − (σ²/S) 𝟏𝟏ᵀ): R = R₀ for every drive of total S = Σ rᵢ.

    At β = 0 these weights rest under any sequence of such drives. Whether they are approached is another question:
    see :func:`headroom` and :func:`approach`. Their entries off the diagonal are negative, so that a clip forbids them.

    Raises
    ------
    InvalidInput
        Unless β = 0, the target is one positive response R₀ R₀ᵀ, and S > 0.

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=0.0, sigma=0.5)
    >>> W = universal(net, 1.5)
    >>> [bool(abs(net.replace(drive=r).update(W) - W).max() < 1e-15) for r in ([1.0, 0.5], [0.2, 1.3])]
    [True, True]
    """
    R0 = _single_target(net)
    S = number("total", total, {"total": (np.finfo(float).tiny, np.inf)})
    n = net.size
    return n * (np.diag(1.0 / R0) - net.sigma**2 / S)


def _single_target(net: Model) -> np.ndarray:
    F = net.target_rule.factor(net.parameters)
    if net.beta != 0.0:
        raise InvalidInput(f"beta is {net.beta:g}; only at beta = 0 do weights rest where R R^T = C and W is not C")
    R0 = F[:, 0] * np.sign(F[:, 0].sum() or 1.0)
    if F.shape[1] != 1 or not (R0 > 0.0).all():
        raise InvalidInput("the target must be R0 R0^T with all R0 > 0: one baseline that drives every neuron")
    return np.asarray(R0)


def headroom(net: Model, total: float, weights: Any = None) -> float:
    """How far weights lie below the universal ones: the least eigenvalue of W* − W across R₀, on v ⊥ R₀.

    Since vᵀWv never falls at β = 0, whatever is shown, no sequence of inputs leads to W* from where this is negative.
    (Nor does one from weights that are not symmetric: W − Wᵀ stays as it is.) From W₀ = 𝟏 it is positive if S is the
    baseline's own total: by Cauchy and Schwarz (Σv)² < ΣR₀ Σv²/R₀ unless v is parallel to R₀.

    Parameters
    ----------
    net : Model
        With β = 0 and one baseline that drives every neuron.
    total : float
        S.
    weights : array_like, shape (n, n), optional
        W; the initial ones if not given. Only their symmetric part counts.

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [1.0, 1.0], alpha=0.1, beta=0.0, sigma=0.5)
    >>> bool(headroom(net, 2.0) > 0.0), round(headroom(net, 2.0, universal(net, 2.0)), 12) == 0.0
    (True, True)
    """
    R0 = _single_target(net)
    W = net.initial if weights is None else finite("weights", weights)
    X = universal(net, total) - W
    across = scipy.linalg.null_space(R0[None])
    if across.shape[1] == 0:
        return np.inf
    return float(scipy.linalg.eigvalsh(across.T @ (0.5 * (X + X.T)) @ across)[0])


@dataclass(frozen=True)
class Approach:
    """How responses of a run approached R₀, as measured.

    Attributes
    ----------
    times, distances : ndarray
        Middles of logarithmic blocks of steps, and the root mean square of max |R − R₀| over each.
    power, error : float
        p of distance ∝ t^p over the last third of the blocks, by least squares, and its standard error.
    rate : float
        λ of distance ∝ λ^t over the same.
    law : str
        "power" or "exponential", whichever leaves the smaller scatter in the logarithm; "none" if the distance did not
        fall by a tenth over these blocks, or is 0 in one of them: the rest is NaN then.
    headroom : float
        :func:`headroom` at the end: negative where the orbit has stepped past W* and cannot return.
    """

    times: np.ndarray
    distances: np.ndarray
    power: float
    error: float
    rate: float
    law: str
    headroom: float


def approach(run: Run, total: float) -> Approach:
    """Measure how a run at β = 0 under drives of one total approached the universal weights, and by which law.

    Raises
    ------
    InvalidInput
        As :func:`universal`; if the run has fewer than 200 steps; or if drives of another total were shown.
    """
    R0 = _single_target(run.network)
    R, T = _responses(run), len(run)
    if T < LEAST_STEPS:
        raise InvalidInput(f"the run has {T} steps; at least {LEAST_STEPS} are needed to measure a law")
    totals = run.drives.sum(axis=-1)
    if not np.allclose(totals, total, rtol=SAME_TOTAL, atol=0.0):
        raise InvalidInput(f"drives have totals from {totals.min():.6g} to {totals.max():.6g}; all must be {total:.6g}")
    distance = np.abs(R - R0).max(axis=(1, 2))
    edges = np.unique(np.geomspace(1, T, BLOCKS + 1).astype(int))
    times = np.sqrt(edges[:-1] * edges[1:].astype(float))
    rms = np.array([np.sqrt(np.mean(distance[a:b] ** 2)) for a, b in pairwise(edges)])
    late = slice(2 * len(rms) // 3, None)
    left = headroom(run.network, total, run.last)
    if not (rms[late] > 0.0).all():
        return Approach(times, rms, np.nan, np.nan, np.nan, "none", left)
    y = np.log(rms[late])
    (power, error, scatter), (rate, _, other) = _line(np.log(times[late]), y), _line(times[late], y)
    law = "none" if y[-1] > y[0] + np.log(FALLEN) else "power" if scatter <= other else "exponential"
    return Approach(times, rms, power, error, float(np.exp(rate)), law, left)


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Slope of a straight line by least squares, its standard error, and the scatter about it."""
    slope, level = np.polyfit(x, y, 1)
    left = y - slope * x - level
    scatter = float(np.sqrt((left**2).sum() / max(len(x) - 2, 1)))
    return float(slope), scatter / float(np.sqrt(((x - x.mean()) ** 2).sum())), scatter


def drive_for_both(net: Model) -> np.ndarray:
    """The drive under which R Rᵀ = C and W = C hold together: r* = σ² R₀ + R₀² p/n, p = σ² ‖R₀‖²/(1 − mean(R₀³)).

    For rest only α (R Rᵀ − C) + β (W − C) must vanish; that both parts do is more than is needed, and happens under
    this one stimulus, with W = C at rest for all α and β. Follows from R₀ (σ² + R₀ (R₀·r)/n) = r by taking the product
    with R₀.

    Raises
    ------
    InvalidInput
        Unless the target is one response R₀ R₀ᵀ, σ > 0, and mean(R₀³) < 1, without which no drive ≥ 0 does.

    Examples
    --------
    >>> from bifurcate.adaptation import Network
    >>> net = Network([1.0, 0.5], [0.5, 1.0], alpha=0.1, beta=-0.1, sigma=1.0)
    >>> both = net.replace(drive=drive_for_both(net))
    >>> bool(abs(both.update(net.target()) - net.target()).max() < 1e-15)
    True
    """
    F = net.target_rule.factor(net.parameters)
    if F.shape[1] != 1:
        raise InvalidInput("the target has a higher rank than any R R^T; it must be one response R0 R0^T")
    R0 = F[:, 0]
    cube = float(np.mean(R0**3))
    if not cube < 1.0 or net.sigma == 0.0:
        raise InvalidInput(
            f"mean(R0^3) is {cube:.6g} and sigma {net.sigma:g}; R R^T = C and W = C have a common drive only for "
            "mean(R0^3) < 1 and sigma > 0"
        )
    p = net.sigma**2 * float(R0 @ R0) / (1.0 - cube)
    return net.sigma**2 * R0 + R0**2 * p / net.size
