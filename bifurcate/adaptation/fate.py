"""What becomes of the orbit from W₀: followed in the O(n) reduction, decided by what it comes close to.

The outputs obey y⁺ = g y + (α/n) R (R·r) − k, g = 1+β, k = ((α+β)/n) C r, and the weights are known from them alone,

    W_t = C + g^t (W₀ − C) + α Σ_{s<t} g^{t−1−s} (R_s R_sᵀ − C)                                        (1.1)

(test_weights_are_the_explicit_sum_of_what_was_answered). Hence, where outputs come to a cycle of period q,

- |g| < 1: so do the weights, and where outputs rest at R* they rest at W* = (1+γ) C − γ R* R*ᵀ, γ = α/β;
- g = ±1: W moves by D = α Σ g^{q−1−s} (R_s R_sᵀ − C) a turn (of even length where g = −1). D r = 0, or outputs would
  not return, but D = 0 only by exception: past the flip at β = 0 outputs cycle and weights drift
  (test_at_beta_zero_weights_drift_where_outputs_cycle);
- |g| > 1: g^{−t} W_t → L = W₀ − C + α Σ_s g^{−1−s} (R_s R_sᵀ − C). Again L r = 0, but W stays bounded only if L = 0, as
  from W₀ = 𝟏 under a uniform drive (test_uniform_drive_settles_on_a_special_line). L is applied to a few random
  vectors, which costs O(n) a step and misses L ≠ 0 with probability 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bifurcate.adaptation.arithmetic import norm_of_sum, respond, times
from bifurcate.adaptation.outputs import Cycle, Outputs
from bifurcate.adaptation.search import WINDOW, Growing, Search
from bifurcate.orbits import lyapunov

if TYPE_CHECKING:
    from bifurcate.adaptation.network import Network

__all__ = ["Fate", "fate"]

FIRST = 64  # steps before the first look; every look is twice as late as the one before
SHORTEST = 20_000  # steps before an orbit that has come to nothing is called chaotic
EXPONENT = 5000  # steps over which its Lyapunov exponent is measured; four times as many if it is not clear of 0
BRIEF = 2048  # steps to see whether the neurons that are left behind come to rest already
BLOCKS = 8  # into which the states of chaos are split to see how well their mean is known
TIMES = 40  # time constants of the slowest multiplier to wait for


@dataclass(frozen=True, eq=False)
class Fate:
    """What becomes of the orbit from W₀.

    Attributes
    ----------
    kind : str
        Of y = W r/n. "settles"; "settles beyond a pole" (at an equilibrium with a negative response); "cycle"; "chaos"
        (a Lyapunov exponent above 0 by three standard errors after ``steps`` updates: a long transient looks the
        same); "diverges"; "undecided".
    outputs : str
        "settle", "cycle", "chaos", "fade" (all R → 0) or "undecided".
    weights : str
        The first three, "drift" (a constant amount a turn), "diverge" (like (1+β)^t) or "undecided".
    period : int or None
        Of the outputs, 1 where they settle.
    multiplier : float
        The largest modulus of the attractor's multipliers, over one period; NaN if there is none.
    distance : float
        max |Δy/u| between the orbit and the attractor when it was decided; NaN if there is none.
    exceptional : bool
        The orbit rests on something unstable (``multiplier`` ≥ 1, or weights where L = 0): only because it starts on
        a set, such as that of symmetric states, which disturbances leave.
    exponent, exponent_error : float
        The largest Lyapunov exponent of the outputs a step, and its standard error: ln(multiplier)/period and 0 for a
        cycle, NaN where none was measured.
    rate : float
        ‖W_{t+1} − W_t‖ (Frobenius, mean over a turn) where weights drift; |1+β| where they diverge; else NaN.
    crossed : int or None
        The first update after which a driven neuron stood beyond a pole.
    steps, horizon : int
        Updates done before deciding, and those that would have been done at most.
    state : ndarray, shape (n,)
        y on the attractor, or at the last update where there is none. Of silent neurons, who have no attractor in
        ``responses``, at the last update.
    responses : ndarray, shape (period, n)
        R around the attractor, from ``state`` on.
    reason : str
        All this in words.
    """

    kind: str
    outputs: str
    weights: str
    period: int | None
    multiplier: float
    distance: float
    exceptional: bool
    exponent: float
    exponent_error: float
    rate: float
    crossed: int | None
    steps: int
    horizon: int
    state: np.ndarray
    responses: np.ndarray
    reason: str

    @property
    def outputs_settle(self) -> bool:
        """Whether R comes to rest."""
        return self.outputs in ("settle", "fade")

    @property
    def weights_settle(self) -> bool:
        """Whether W comes to rest, which the posed question asks for."""
        return self.weights == "settle"


@dataclass(frozen=True, eq=False)
class _Course:
    """What an orbit of the outputs was found to do: ``kind`` as in Fate, ``left`` the neurons that it left behind."""

    kind: str
    cycle: Cycle | None = None
    distance: float = np.nan
    exceptional: bool = False
    exponent: float = np.nan
    error: float = np.nan
    left: np.ndarray | None = None
    rest: _Course | None = None


def fate(net: Network, slowest: float, longest: int) -> Fate:
    """See :meth:`Network.outcome`; ``slowest`` is the time constant, in steps, of the slowest multiplier."""
    rule = Outputs.of(net)
    horizon = int(min(longest, max(SHORTEST, TIMES * slowest)))
    search = Search(rule, rule.start, growing=Growing.of(net) if abs(rule.growth) > 1.0 else None)
    course = _follow(search, horizon, longest)
    if course.cycle is not None and search.growing is not None:
        course = _wait(search, course, horizon)
    return _told(net, search, course, horizon)


def _follow(search: Search, horizon: int, longest: int) -> _Course:
    """Look at 64, 128, 256, … steps, until something is decided or the horizon reached.

    An orbit that contracts on average may go on to ``longest``. If that is less than the horizon, nothing is measured.
    """
    t, before = FIRST, np.zeros(len(search.y), dtype=bool)
    while True:
        search.advance(min(t, horizon))
        if not np.isfinite(search.y).all():
            return _Course("diverges" if abs(search.rule.growth) >= 1.0 else "undecided", left=~np.isfinite(search.y))
        left = search.escaped()
        if left.all():
            return _Course("diverges", left=left)
        if left.any():
            late = search.t >= min(horizon, SHORTEST)
            if late or (left == before).all():
                rest = Search(search.rule.only(~left, search.y), search.y[~left])
                course = _follow(rest, SHORTEST, SHORTEST) if late else _follow(rest, BRIEF, 0)
                if late or course.cycle is not None:
                    return _Course("diverges", left=left, rest=course)
        else:
            found = search.attractor()
            if found is not None:
                return _caught(search.rule, *found)
            if search.t >= horizon:
                if horizon > longest:
                    return _Course("undecided")
                value, error = _exponent(search)
                if not value < -3.0 * error or horizon >= longest:
                    return _Course("chaos" if value > 3.0 * error else "undecided", exponent=value, error=error)
                horizon = longest  # it contracts: a long cycle, or a slow one
        before = left
        t *= 2


def _exponent(search: Search) -> tuple[float, float]:
    for steps in (EXPONENT, 4 * EXPONENT):
        found = lyapunov(search.rule.map, search.y, steps, transient=0)
        value, error = float(found.values[0]), float(found.errors[0])
        if abs(value) > 3.0 * error:
            break
    return value, error


def _caught(rule: Outputs, cycle: Cycle, distance: float, exceptional: bool) -> _Course:
    period, beyond = len(cycle.states), bool((rule.floor + cycle.states <= 0.0).any())
    kind = "cycle" if period > 1 else "settles beyond a pole" if beyond else "settles"
    with np.errstate(divide="ignore"):
        exponent = float(np.log(cycle.radius)) / period
    return _Course(kind, cycle, distance, exceptional, exponent, 0.0)


def _wait(search: Search, course: _Course, horizon: int) -> _Course:
    """Go on until the orbit is at rest on its cycle: a sum over its future is then known to rounding."""
    assert course.cycle is not None
    period = len(course.cycle.states)
    while not search.still(period) and search.t < horizon:
        search.advance(min(2 * search.t, horizon))
    cycle = search.rule.cycle(search.y, period)
    if cycle is None:
        return course
    return replace(course, cycle=cycle, distance=float(search.rule.apart(search.y, cycle.states[0])))


OUTPUTS = {"settles": "settle", "settles beyond a pole": "settle", "cycle": "cycle", "chaos": "chaos"}


def _told(net: Network, search: Search, course: _Course, horizon: int) -> Fate:
    rule, cycle = search.rule, course.cycle
    outputs = _outputs(course)
    around = search.y[None] if cycle is None else cycle.states
    weights, rate, special = _weights(net, search, course, outputs)
    state = _silent(net, search.t)
    state[rule.driven] = around[0]
    responses = np.zeros((len(around), net.size))
    responses[:, rule.driven] = respond(rule.r, rule.floor + around)
    return Fate(
        kind=course.kind,
        outputs=outputs,
        weights=weights,
        period=None if cycle is None else len(cycle.states),
        multiplier=np.nan if cycle is None else cycle.radius,
        distance=course.distance,
        exceptional=course.exceptional or special,
        exponent=course.exponent,
        exponent_error=course.error,
        rate=rate,
        crossed=search.crossed,
        steps=search.t,
        horizon=horizon,
        state=state,
        responses=responses,
        reason=_reason(search, course, outputs, weights, rate, special),
    )


def _outputs(course: _Course) -> str:
    if course.kind == "diverges":
        return "fade" if course.rest is None else _outputs(course.rest)
    return OUTPUTS.get(course.kind, "undecided")


def _silent(net: Network, t: int) -> np.ndarray:
    """y after t steps where nothing is answered: g^t y₀ − k (g^t − 1)/(g − 1)."""
    r, F, g = net.drive, net.aim.factor(net.parameters), 1.0 + net.beta
    k = (net.alpha + net.beta) / net.size * (F @ (F.T @ r))
    with np.errstate(over="ignore"):
        power = float(np.float64(g) ** t)
    terms = float(t) if g == 1.0 else (power - 1.0) / (g - 1.0)
    return power * times(net.start, r) / net.size - np.where(k == 0.0, 0.0, k * terms)


def _weights(net: Network, search: Search, course: _Course, outputs: str) -> tuple[str, float, bool]:
    """What W does, by (1.1); its rate; and whether it rests only where it started on a special set."""
    g, cycle = search.rule.growth, course.cycle
    if course.kind == "diverges":
        return ("drift", _drift(net, search.rule, search.y[None])[0], False) if g == 1.0 else ("diverge", abs(g), False)
    if abs(g) < 1.0:
        return outputs, np.nan, False
    if abs(g) > 1.0:
        assert search.growing is not None
        states = search.kept[-1:] if cycle is None else cycle.states
        size, error = search.growing.limit(search.rule, states, cycle is not None)
        if size > error:
            return "diverge", abs(g), False
        return (outputs, np.nan, True) if cycle is not None else ("undecided", np.nan, False)
    if cycle is None and course.kind != "chaos":
        return "undecided", np.nan, False
    rate, error = _drift(net, search.rule, search.kept if cycle is None else cycle.states)
    if rate > error:
        return "drift", rate, False
    return (outputs if cycle is not None else "undecided"), np.nan, False


def _drift(net: Network, rule: Outputs, states: np.ndarray) -> tuple[float, float]:
    """‖D‖ a step, for g = ±1, and its error: of rounding for a cycle, of sampling for the many states of chaos."""
    if rule.growth < 0.0 and len(states) % 2:
        states = np.vstack([states, states])
    q, F = len(states), net.aim.factor(net.parameters)
    R = np.zeros((net.size, q))
    R[rule.driven] = respond(rule.r[:, None], (rule.floor + states).T)
    signs = rule.growth ** np.arange(q - 1, -1, -1.0)
    columns, weights = np.column_stack([R, F]), np.append(signs, np.full(F.shape[1], -signs.sum()))
    scale = net.alpha / q
    error = 1e-9 * scale * float((R * R).sum() + abs(signs.sum()) * (F * F).sum())
    if q >= BLOCKS**2:
        # blocks of the orbit scatter around its mean
        parts = []
        for own in np.split(np.arange(q)[: q // BLOCKS * BLOCKS], BLOCKS):
            off = -signs / q
            off[own] += signs[own] / len(own)
            parts.append(norm_of_sum(R, off))
        error = 3.0 * net.alpha * float(np.linalg.norm(parts)) / BLOCKS
    return scale * norm_of_sum(columns, weights), error


def _reason(search: Search, course: _Course, outputs: str, weights: str, rate: float, special: bool) -> str:
    cycle, words = course.cycle, []
    if cycle is not None:
        what = "an equilibrium" if len(cycle.states) == 1 else f"a cycle of period {len(cycle.states)}"
        words.append(
            f"after {search.t} updates the orbit is within {course.distance:.1e} of {what} whose largest multiplier is "
            f"{cycle.radius:.6g} in modulus"
        )
    elif course.kind == "diverges":
        gone = 0 if course.left is None else int(course.left.sum())
        words.append(
            f"after {search.t} updates {gone} of {len(search.rule.r)} driven neurons move away for ever: R → 0"
        )
    elif not np.isfinite(search.y).all():
        words.append(f"within {search.t} updates the orbit met a pole exactly, where there is no next state")
    else:
        words.append(
            f"after {search.t} updates the orbit has come to no cycle of period up to {WINDOW // 2}; its largest "
            f"Lyapunov exponent is {course.exponent:.3g} ± {course.error:.1g}"
        )
    if search.crossed is not None:
        words.append(f"it crossed a pole at update {search.crossed}")
    if course.exceptional:
        words.append("it stays there only because disturbances that grow are absent from where it started")
    words.append(f"outputs {outputs}, weights {weights}")
    if weights == "drift":
        words.append(f"by {rate:.3g} an update (Frobenius)")
    if weights == "diverge":
        words.append(f"like {rate:.6g}^t")
    if special:
        words.append("W stays bounded only because it starts on a special set, which rounding leaves")
    return "; ".join(words)
