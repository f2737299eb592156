"""OrbitFollower: iterates one long orbit of the outputs and looks now and then what it has come close to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bifurcate.adaptation.long_run.fast_reduction import FastReduction, ResponseCycle
from bifurcate.adaptation.long_run.weight_growth import WeightGrowth
from bifurcate.interrupts import interrupted_meanwhile

__all__ = ["OrbitFollower"]

WINDOW = 512  # last states remembered, and longest period but one that is looked for
RETURNED = 0.1  # max |Δy/u| between two states from which on the orbit has not come back at all
CLOSER = 0.5  # part of the nearest return so far that a longer period must come to, to be tried as well
MOST_PERIODS = 5  # periods tried at a look, the shortest first: a longer one is found at a later look
# Max |Δy/u| from a stable cycle, or CAUGHT_MARGIN (1 − radius) if that is less, at which the orbit counts as caught:
# the linear part of the return then outweighs the quadratic one, which is of the size of the distance, by twenty.
CAUGHT = 1e-3
CAUGHT_MARGIN = 0.05
# Times the last turn's move that the next one may move an orbit that is caught, which comes closer turn by turn, though
# not in every norm at each of them. A near return of chaos is carried away by as much as nearby orbits part in a turn.
FIRST_TURN = 10.0
# Times CAUGHT that Newton's first step may be long on its way to a cycle within CAUGHT: as the quadratic part of the
# return is a twentieth of the linear one there, the step is the distance but for a few hundredths of it.
FIRST_STEP = 10.0
SAME = 1e-6  # max |Δy/u| between the parts of a cycle up to which it is a shorter one, gone round several times
NEUTRAL = 1e-9  # distance of a multiplier from 1 up to which rest may be slowness: at β = −2 orbits leave like t^¼
BETWEEN = 64  # updates between two looks whether the user has interrupted: less than a millisecond
STILL = 1e-13  # max |Δy/u| between turns that counts as none
NEGLIGIBLE = 0.01  # of the linear part of a step, below which a neuron's push no longer holds it back


@dataclass(eq=False)
class OrbitFollower:
    """An orbit that is followed until it is decided; what it has seen so far.

    ``broken`` says why there is no state after y: "pole", "range" where the next one is no floating-point number, or
    "interrupted" by the user.
    """

    rule: FastReduction
    y: np.ndarray
    t: int = 0
    crossed: int | None = None
    kept: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    growing: WeightGrowth | None = None
    broken: str | None = None

    def advance(self, until: int) -> None:
        """Iterate up to a time and remember the last states."""
        if until <= self.t or self.broken is not None:
            return
        rule, y, kept = self.rule, self.y, []
        with np.errstate(all="ignore"):
            for t in range(self.t, until):
                if self.growing is not None:
                    self.growing.add(rule, y)
                y = rule.step(y)
                if self.crossed is None and not (rule.floor + y).min() > 0.0:
                    self.crossed = t + 1
                if t >= until - WINDOW:
                    kept.append(y)
                if t % BETWEEN == 0 and interrupted_meanwhile():
                    until, self.broken = t + 1, "interrupted"
                    break
        self.arrive(until, np.array(kept or [y]))

    def arrive(self, t: int, last: np.ndarray) -> None:
        """Take the last of the states up to a time; or, where they end before that, see why."""
        if not np.isfinite(last[-1]).all():
            self._stop()
            return
        known = np.vstack([self.kept, last]) if self.kept.size else last
        self.y, self.t, self.kept = last[-1], t, known[-WINDOW:]

    def _stop(self) -> None:
        """Go to the last finite state, and see why it is the last."""
        rule, before, y = self.rule, self.y, self.y
        with np.errstate(all="ignore"):
            while np.isfinite(after := rule.step(y)).all():
                before, y, self.t = y, after, self.t + 1
            R = np.abs(rule.r / (rule.floor + before))
            terms = np.abs(rule.growth * before) + rule.rate * (R @ rule.r) * R + np.abs(rule.k)
        at = rule.floor + y == 0.0
        # u = 0 with terms that are no normal numbers is a u too small for one, not a pole
        lost = at & (terms < np.finfo(float).tiny) if self.t else np.zeros_like(at)
        self.y, self.broken = y, "pole" if (at & ~lost).any() else "range"
        if self.crossed is not None and (self.crossed > self.t or (at[at] & lost[at]).any()):
            self.crossed = None

    def attractor(self) -> tuple[ResponseCycle, float] | None:
        """The cycle that has caught the orbit, or on which it rests, and its distance."""
        last = self.kept[-1]
        lags = self.rule.apart(self.kept[-2::-1], last)  # lags[p−1]: how far from where it was p steps ago
        records, least = [], RETURNED
        for p, lag in enumerate(lags.tolist(), start=1):
            if lag < CLOSER * least:
                records.append(p)
                least = lag
        for p in records[:MOST_PERIODS]:
            near = dict[str, float]()
            if lags[p - 1] > STILL:  # at rest to rounding a step may be of any length: the system may be singular
                near = {"first_turn": FIRST_TURN * float(lags[p - 1]), "first_step": FIRST_STEP * CAUGHT}
            found = self.rule.cycle(last, p, **near)
            distance = np.inf if found is None else float(self.rule.apart(last, found.states[0]))
            if found is None or distance > CAUGHT or self._repeats(found):
                continue
            if abs(found.radius - 1.0) <= NEUTRAL and self.rule.rate > 0.0:
                continue
            if found.radius < 1.0 and distance <= CAUGHT_MARGIN * (1.0 - found.radius):
                turns = max((len(self.kept) - 1) // (2 * p), 1)
                before = self.rule.apart(self.kept[-1 - turns * p], found.states[0])
                if distance <= STILL or distance < before:
                    return found, distance
            elif len(self.kept) == WINDOW and self.still(p):
                return found, distance
        return None

    def _repeats(self, cycle: ResponseCycle) -> bool:
        """True if a cycle is a shorter one: twice an equilibrium of multiplier −0.99 contracts faster than once."""
        states, period = cycle.states, len(cycle.states)
        parts = (d for d in range(1, period // 2 + 1) if period % d == 0)
        return any(self.rule.apart(states[d:], states[:-d]).max() <= SAME for d in parts)

    def still(self, period: int) -> bool:
        """True if the orbit repeats itself to rounding, as far back as it is remembered."""
        return bool(self.rule.apart(self.kept[period:], self.kept[:-period]).max() <= STILL)

    def escaped(self) -> np.ndarray:
        """Which neurons leave for ever: the linear part of a step drives them outward, and nothing holds them back.

        Where |g| > 1 that is so once (|g| − 1) |y| exceeds twice everything else; at g = 1 once the constant −k drives
        a neuron beyond its pole further out, or k = 0 and nothing drives it back.
        """
        rule, y = self.rule, self.y
        if abs(rule.growth) < 1.0:
            return np.zeros(len(y), dtype=bool)
        with np.errstate(all="ignore"):
            R = rule.r / (rule.floor + y)
            push = rule.rate * (R @ rule.r) * R
        if rule.growth == 1.0:
            outward = (np.sign(push - rule.k) == np.sign(rule.floor + y)) & (push != rule.k)
            return np.asarray(outward & ((np.abs(push) <= NEGLIGIBLE * np.abs(rule.k)) | (rule.k == 0.0)))
        with np.errstate(over="ignore"):
            spare = (abs(rule.growth) - 1.0) * np.abs(y)
        return np.asarray((spare > 2.0 * (np.abs(push) + np.abs(rule.k))) & (np.abs(y) > 4.0 * rule.floor))
