"""The fate of the orbit from W₀: what decides its long-run behaviour, and which decision is reached.

The orbit is followed in the O(n) reduction (``orbit_follower``) until what it has come close to decides.

The outputs obey y⁺ = g y + (α/n) R (R·r) − k, g = 1+β, k = ((α+β)/n) C r, and the weights are known from them alone,

    W_t = C + g^t (W₀ − C) + α Σ_{s<t} g^{t−1−s} (R_s R_sᵀ − C)                                        (1.1)

(test_weights_are_the_explicit_sum_of_what_was_answered), so that what becomes of them is read off what the outputs come
to: see :mod:`bifurcate.adaptation.long_run.weight_asymptotics`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bifurcate.adaptation.certificate import Rest
from bifurcate.adaptation.equations import Model
from bifurcate.adaptation.kernels import multiply_weights, respond
from bifurcate.adaptation.long_run.fast_reduction import CLOSED, FastReduction, ResponseCycle
from bifurcate.adaptation.long_run.orbit_findings import OrbitFindings
from bifurcate.adaptation.long_run.orbit_follower import WINDOW, OrbitFollower
from bifurcate.adaptation.long_run.orbits_together import Advance, Course, TangentGrowth, run_alone, run_together
from bifurcate.adaptation.long_run.weight_asymptotics import weights
from bifurcate.adaptation.long_run.weight_growth import WeightGrowth
from bifurcate.interrupts import protected
from bifurcate.orbits.standard_error import block_standard_error
from bifurcate.printing import short_repr

__all__ = ["OrbitFate", "fate", "fates"]

EARLY = (0, 1, 2, 4, 8, 16, 32)  # steps at which a proof is looked for before that
FIRST = 64  # steps before the first look; every look is twice as late as the one before
SHORTEST = 20_000  # steps before an orbit that has come to nothing is called chaotic
EXPONENT = 5000  # steps over which its Lyapunov exponent is measured; four times as many if it is not clear of 0
GLANCE = 1250  # steps after which it is taken as it stands if it is plainly above 0
PLAIN = 10.0  # plainly: so many standard errors, and four times PARTED, as the steps are a quarter as many
STRETCH = 10  # updates between two normalisations of its tangent vector, which stays in the range of numbers meanwhile
PARTED = 3.0 / EXPONENT  # least exponent of chaos: orbits that part like a power of t have one of about 1/steps
START_ROUNDINGS = 16.0  # roundings that one update of y makes beside those of its sum R·r
BRIEF = 2048  # steps to see whether the neurons that are left behind come to rest already
TIMES = 40  # time constants of the slowest multiplier to wait for


@dataclass(frozen=True, eq=False)
class OrbitFate:
    """What becomes of the orbit from W₀.

    Attributes
    ----------
    kind : str
        Of y = W r/n. "settles"; "settles beyond a pole" (at an equilibrium with a negative response); "cycle"; "chaos"
        (a Lyapunov exponent above 0 by three standard errors, and above 6e-4, after ``steps`` updates: a long
        transient looks the same); "diverges" (R → 0 for some driven neurons); "undecided".
    outputs : str
        "settle", "cycle", "chaos", "fade" (all R → 0) or "undecided".
    weights : str
        The first three, "drift" (a constant amount a turn), "creep" (without bound, by less and less a turn),
        "diverge" (like (1+β)^t) or "undecided". A "cycle" has twice the outputs' period where part of W changes sign,
        at β = −2.
    period : int or None
        Of the outputs, 1 where they settle.
    multiplier : float
        The largest modulus of the attractor's multipliers, over one period; NaN if there is none.
    distance : float
        max |Δy/u| between the orbit and the attractor when it was decided; NaN if there is none.
    exceptional : bool
        The orbit rests on something unstable (``multiplier`` ≥ 1, or weights that would diverge): only because it
        starts on a set, such as that of symmetric states, which disturbances leave.
    exponent, exponent_error : float
        The largest Lyapunov exponent of the outputs a step, and its standard error: ln(multiplier)/period and 0 for a
        cycle, NaN where none was measured.
    rate : float
        Where weights drift, ‖W_{t+q} − W_t‖/q (Frobenius), q a turn, or 512 updates of chaos: in the limit, that is
        without the responses of neurons which are left behind, and NaN if that is not known; |1+β| where they diverge;
        else NaN.
    proved : int or None
        The update at whose state the orbit is certified to settle (:meth:`Network.certificate`), where it is: nothing
        more was waited for. It is looked for at updates 0, 1, 2, 4, 8, …; None where the fate was only observed.
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
    proved: int | None
    crossed: int | None
    steps: int
    horizon: int
    state: np.ndarray
    responses: np.ndarray
    reason: str

    __repr__ = short_repr

    @property
    def outputs_settle(self) -> bool:
        """True if R comes to rest."""
        return self.outputs in ("settle", "fade")

    @property
    def weights_settle(self) -> bool:
        """True if W comes to rest, which the posed question asks for."""
        return self.weights == "settle"


@protected()
def fate(net: Model, slowest: float, longest: int, equilibrium: np.ndarray | None = None) -> OrbitFate:
    """The fate of the orbit from W₀; see :meth:`Network.outcome`.

    Parameters
    ----------
    net : Model
    slowest : float
        The time constant, in steps, of the slowest multiplier.
    longest : int
        Updates to follow at the most.
    equilibrium : ndarray, shape (n,), optional
        y at rest; nothing is proved without it.
    """
    return run_alone(_course(net, slowest, longest, equilibrium))


@protected()
def fates(
    nets: Sequence[Model], slowest: Sequence[float], longest: int, equilibria: Sequence[np.ndarray | None]
) -> list[OrbitFate]:
    """What :func:`fate` gives for each of several networks, to the bit; their orbits are followed together."""
    return run_together([_course(net, slow, longest, y) for net, slow, y in zip(nets, slowest, equilibria)])


def _course(net: Model, slowest: float, longest: int, equilibrium: np.ndarray | None) -> Course[OrbitFate]:
    """All that is done for the fate of one orbit."""
    rule = FastReduction.of(net)
    horizon = int(min(longest, max(SHORTEST, TIMES * slowest)))
    growing = WeightGrowth.of(net) if abs(rule.growth) >= 1.0 and rule.growth != 1.0 else None
    search = OrbitFollower(rule, rule.start, growing=growing)
    course = _start(rule)
    if course is None:
        proof = None if equilibrium is None else Rest.of(net, equilibrium)
        course = yield from _follow(search, horizon, longest, proof)
        if course.cycle is not None and search.growing is not None:
            course = yield from _wait(search, course, horizon)
    return _describe(net, search, course, horizon)


def _start(rule: FastReduction) -> OrbitFindings | None:
    """The orbit that rests at its start: one update moves y by no more than the rounding of what moves it.

    Followed in numbers that are rounded it would leave an equilibrium that repels, though the orbit does not.
    """
    y, few = rule.start, (START_ROUNDINGS + np.sqrt(len(rule.r))) * np.finfo(float).eps
    with np.errstate(all="ignore"):
        after, u = rule.step(y), rule.floor + y
        R = np.abs(rule.r / u)
        push = rule.rate * (R @ rule.r) * R * (1.0 + 2.0 * (rule.floor + np.abs(y)) / np.abs(u))
        rounding = few * (np.abs(rule.growth * y) + push + np.abs(rule.k))
        # beside a pole rounding is as large as the responses themselves, and says nothing
        if not (np.abs(after - y) <= np.minimum(rounding, CLOSED * np.abs(u))).all():
            return None
        distance = float(rule.apart(after, y))
    return _caught(rule, ResponseCycle(y[None], rule.jacobian(y), distance), distance)


def _follow(search: OrbitFollower, horizon: int, longest: int, proof: Rest | None = None) -> Course[OrbitFindings]:
    """Look at 64, 128, 256, … steps, until something is decided or the horizon reached.

    An orbit that contracts on average may go on to ``longest``. If that is less than the horizon, nothing is measured.
    With ``proof`` it is looked for from the start whether the orbit is certified to settle.
    """
    rule, t, before = search.rule, FIRST, np.zeros(len(search.y), dtype=bool)
    proof, early = _first_proof(rule, proof)
    if proof is not None and early is not None:
        yield Advance(search, early)
        if search.broken is None:
            return _settled(search, proof)
    unknown = OrbitFindings("undecided", rule, np.empty((0, len(rule.r))))
    while True:
        yield Advance(search, min(t, horizon))
        if search.broken == "interrupted":
            return unknown
        proved = _proved(search, proof)
        if proved is not None:
            return proved
        left = np.zeros_like(before) if search.broken == "pole" else search.escaped()
        late = search.t >= min(horizon, SHORTEST) or search.broken is not None
        if left.any() and (late or left.all() or (left == before).all()):
            course = yield from _left(search, left, late)
            if course is not None:
                return course
        if search.broken is not None:
            return unknown
        found = None if left.any() else search.attractor()
        if found is not None:
            return _caught(rule, *found)
        if search.t >= horizon:
            if horizon > longest or left.any():
                return unknown
            value, error = yield from _exponent(search)
            if not value < -3.0 * error or horizon >= longest:
                if value > max(3.0 * error, PARTED):
                    return OrbitFindings("chaos", rule, search.kept, exponent=value, error=error)
                return replace(unknown, exponent=value, error=error)
            horizon = longest  # it contracts: a long cycle, or a slow one
        before = left
        t *= 2


def _first_proof(rule: FastReduction, proof: Rest | None) -> tuple[Rest | None, int | None]:
    """The proof, None if nothing can be certified, and the first early look at which the orbit is."""
    if proof is None or proof.certifies(rule.start):
        return proof, None if proof is None else EARLY[0]
    if not proof.certifies(proof.r / proof.R - proof.floor):
        return None, None  # L grows and s falls with the level: what fails at rest holds nowhere
    y, states = rule.start, list[np.ndarray]()
    with np.errstate(all="ignore"):
        for t in range(1, EARLY[-1] + 1):
            y = rule.step(y)
            if t in EARLY:
                states.append(y)
        # once it is certified it stays so, as E falls at every update from there on
        looks = bisect_left(states, True, key=proof.certifies) + 1
    return proof, EARLY[looks] if looks < len(EARLY) else None


def _proved(search: OrbitFollower, proof: Rest | None) -> OrbitFindings | None:
    """The findings at a state from which the orbit is certified to settle; None if it is not."""
    if proof is None or search.broken is not None or not proof.certifies(search.y):
        return None
    return _settled(search, proof)


def _settled(search: OrbitFollower, proof: Rest) -> OrbitFindings:
    """The findings at a state that is certified."""
    rule, y = search.rule, proof.r / proof.R - proof.floor
    residual = float(rule.apart(rule.step(y), y))
    cycle = ResponseCycle(y[None], rule.jacobian(y), residual)
    return replace(_caught(rule, cycle, float(rule.apart(search.y, y))), proved=search.t)


def _left(search: OrbitFollower, left: np.ndarray, late: bool) -> Course[OrbitFindings | None]:
    """The course of an orbit that leaves these neurons behind; None if they may yet come back."""
    rule, rest = search.rule, search.rule.only(~left, search.y)
    if left.all():
        end = OrbitFindings("fades", rest, np.empty((1, 0)))
    else:
        inner = OrbitFollower(rest, rest.start)
        end = yield from _follow(inner, *((SHORTEST, SHORTEST) if late else (BRIEF, 0)))
        if inner.broken == "interrupted":
            search.broken = inner.broken
            return None
        if not late and end.cycle is None:
            return None
        if search.broken is not None and end.outputs == "undecided":
            return None
    if rule.growth == 1.0 and (rule.k[left] == 0.0).any() and end.end.states.size:
        # Such a neuron is driven by its own response r/u alone: u² grows by 2 a r (R·r) a step, R of all the others.
        kept, states = end.end.rule, end.end.states
        if not (respond(kept.r, kept.floor + states) @ kept.r).mean() > 0.0:
            return None
    return OrbitFindings("diverges", rule, search.y[None], rest=end)


def _exponent(search: OrbitFollower) -> Course[tuple[float, float]]:
    """The largest Lyapunov exponent of what follows, and its standard error; NaN where the orbit breaks off.

    By the rule's own derivative: differences, which a Map is checked by, tell nothing beside a pole.
    """
    rule, y, logs = search.rule, search.y, np.empty(0)
    v = np.random.default_rng(0).standard_normal(len(y))
    glance, enough = GLANCE // STRETCH, EXPONENT // STRETCH
    for count in (glance, enough, 4 * enough):
        y, v, more = yield TangentGrowth(rule, y, v, count - len(logs), STRETCH)
        logs = np.append(logs, more / (2 * STRETCH))
        with np.errstate(all="ignore"):
            value, error = float(logs.mean()), float(block_standard_error(logs[:, None])[0])
        if value > max(PLAIN * error, 4.0 * PARTED) or (count > glance and not abs(value) <= 3.0 * error):
            break
    return value, error


def _caught(rule: FastReduction, cycle: ResponseCycle, distance: float) -> OrbitFindings:
    period, beyond = len(cycle.states), bool((rule.floor + cycle.states <= 0.0).any())
    kind = "cycle" if period > 1 else "settles beyond a pole" if beyond else "settles"
    with np.errstate(divide="ignore"):
        exponent = float(np.log(cycle.radius)) / period
    return OrbitFindings(kind, rule, cycle.states, cycle, distance, exponent, 0.0)


def _wait(search: OrbitFollower, course: OrbitFindings, horizon: int) -> Course[OrbitFindings]:
    """Go on until the orbit is at rest on its cycle: a sum over its future is then known to rounding."""
    assert course.cycle is not None
    period = len(course.cycle.states)
    while not search.still(period) and search.t < horizon and search.broken is None:
        yield Advance(search, min(2 * search.t, horizon))
    cycle = search.rule.cycle(search.y, period)
    if cycle is None:
        return course
    distance = float(search.rule.apart(search.y, cycle.states[0]))
    return replace(course, cycle=cycle, states=cycle.states, distance=distance)


def _describe(net: Model, search: OrbitFollower, course: OrbitFindings, horizon: int) -> OrbitFate:
    rule, cycle = search.rule, course.cycle
    around = search.y[None] if cycle is None else cycle.states
    does, rate, special = weights(net, search, course)
    state = _silent(net, search.t)
    state[rule.driven] = around[0]
    responses = np.zeros((len(around), net.size))
    responses[:, rule.driven] = respond(rule.r, rule.floor + around)
    return OrbitFate(
        kind=course.kind,
        outputs=course.outputs,
        weights=does,
        period=None if cycle is None else len(cycle.states),
        multiplier=np.nan if cycle is None else cycle.radius,
        distance=course.distance,
        exceptional=course.exceptional or special,
        exponent=course.exponent,
        exponent_error=course.error,
        rate=rate,
        proved=course.proved,
        crossed=search.crossed,
        steps=search.t,
        horizon=horizon,
        state=state,
        responses=responses,
        reason=_reason(search, course, does, rate, special),
    )


def _silent(net: Model, t: int) -> np.ndarray:
    """y after t steps where nothing is answered: g^t (y₀ − e) + e with e = k/(g − 1), or y₀ − k t at g = 1."""
    r, F, g = net.drive, net.target_rule.factor(net.parameters), 1.0 + net.beta
    k = (net.alpha + net.beta) / net.size * (F @ (F.T @ r))
    start = multiply_weights(net.initial_weights, r) / net.size
    if g == 1.0:
        return np.asarray(start - k * t)
    rest = k / (g - 1.0)
    with np.errstate(over="ignore", invalid="ignore"):  # weights that diverge may leave the range of numbers
        return np.asarray(np.where(start == rest, rest, np.float64(g) ** t * (start - rest) + rest))


def _reason(search: OrbitFollower, course: OrbitFindings, weights: str, rate: float, special: bool) -> str:
    words = [_seen(search, course)]
    if course.proved is not None:
        words.append("proved to settle there, up to rounding: E falls at every update to come")
    if search.crossed is not None:
        words.append(f"it crossed a pole at update {search.crossed}")
    if course.exceptional:
        words.append("it stays there only because disturbances that grow are absent from where it started")
    outputs, end = course.outputs, course.end
    words.append(f"outputs {outputs}, weights {weights}")
    if weights == "drift" and not np.isnan(rate):
        over = f", mean of {len(end.states)} updates" if end.kind == "chaos" else ""
        words.append(f"by {rate:.3g} an update (Frobenius{over})")
    if weights == "creep":
        words.append("they grow without bound, ever more slowly")
    if weights == "diverge":
        words.append(f"like {rate:.6g}^t")
    if weights == "cycle" and outputs == "settle":
        words.append("with period 2, as a part of W changes sign at every update")
    if special:
        words.append("W stays bounded only because it starts on a special set, which rounding leaves")
    return "; ".join(words)


def _seen(search: OrbitFollower, course: OrbitFindings) -> str:
    cycle, t = course.cycle, search.t
    if cycle is not None:
        what = "an equilibrium" if len(cycle.states) == 1 else f"a cycle of period {len(cycle.states)}"
        return (
            f"after {t} updates the orbit is within {course.distance:.1e} of {what} whose largest multiplier is "
            f"{cycle.radius:.6g} in modulus"
        )
    if course.kind == "diverges":
        gone, of = int(course.left.sum()), len(course.left)
        return f"after {t} updates {gone} of {of} driven neurons move away for ever: R → 0"
    if search.broken == "pole":
        return f"after {t} updates the orbit met a pole exactly, where there is no next state"
    if search.broken == "interrupted":
        return f"interrupted by the user after {t} updates, undecided until then"
    if search.broken == "range":
        return f"after {t} updates the next state has no floating-point numbers: too large, or too near a pole"
    return (
        f"after {t} updates the orbit has come to no cycle of period up to {WINDOW // 2}; its largest Lyapunov "
        f"exponent is {course.exponent:.3g} ± {course.error:.1g}"
    )
