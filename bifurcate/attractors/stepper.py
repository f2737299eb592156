"""One step of many states: in one call of f where it takes batches, else in one call each, with what ends orbits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractor import INFINITY, POLE, UNDECIDED
from bifurcate.maps.batch_calls import DoesNotBroadcast, images_at_once, images_one_by_one
from bifurcate.maps.batches import BatchLayout, BatchRows, first_layout, smallest_margins, to_batch
from bifurcate.maps.map import Map
from bifurcate.orbits.ensemble import LARGEST_BATCHED
from bifurcate.orbits.orbit import DIVERGED, IterationRule

__all__ = ["Stepper", "find_layout", "image"]

Array = NDArray[np.float64]

# States of which the trial asks whether f broadcasts. After it one state of a batch, another one each time, is compared
# with f of it alone: at the first steps, and at every eighth one from then on, as such a call may cost a batch's time.
TRIED = 64
FIRST_COMPARED, THEN_COMPARED = 8, 8
# Part of the limit of divergence, as a power: a state below this that is followed by an infinite one has met a pole.
SUDDEN = 0.5


def find_layout(map: Map, starts: Array) -> BatchLayout | None:
    """The layout in which f takes a batch; None if it takes one state at a time."""
    if len(starts) < 2 or starts[0].size >= LARGEST_BATCHED:
        return None
    rows = BatchRows(starts[:: -(-len(starts) // TRIED)], dict(map.parameters))
    return first_layout(IterationRule.of(map), rows)


class Stepper:
    """One step of many states, in one call of f or one call each."""

    def __init__(self, map: Map, layout: BatchLayout | None) -> None:
        self.rule, self.p, self.layout = IterationRule.of(map), dict(map.parameters), layout
        self.failures: dict[int, str] = {}

    def step(self, states: Array, done: int) -> Array | None:
        """f of all states; None if f, given a batch, fails, or differs for one state from f of it alone."""
        self.failures = {}
        f, p = self.rule.f, self.p
        if self.layout is None or len(states) == 1:
            return images_one_by_one(f, states, p, failures=self.failures)
        is_compared = done < FIRST_COMPARED or done % THEN_COMPARED == 0
        compared = (done % len(states),) if is_compared else ()
        try:
            return np.ascontiguousarray(images_at_once(f, states, p, self.layout, self.rule.scale, compared))
        except DoesNotBroadcast:  # f took the batch of the trial but not this one: one by one it may
            return None

    def ends(self, states: Array, before: Array) -> NDArray[np.int_]:
        """INFINITY or POLE where an orbit cannot go on from a state, UNDECIDED where it can."""
        m, limit = len(states), DIVERGED * self.rule.scale
        ends = np.full(m, UNDECIDED)
        if not np.abs(states).max() < limit:
            flat, previous = np.abs(states.reshape(m, -1)), np.abs(before.reshape(m, -1)).max(axis=1)
            is_finite, largest = np.isfinite(flat).all(axis=1), flat.max(axis=1)
            is_sudden = ~is_finite & (np.isnan(largest) | (previous < self.rule.scale * DIVERGED**SUDDEN))
            ends[~(largest < limit)] = INFINITY
            ends[is_sudden] = POLE
        if self.rule.domain is not None:
            ends[(ends == UNDECIDED) & ~(self._margins(states) > 0)] = POLE
        return ends

    def _margins(self, states: Array) -> Any:
        if self.layout is not None and len(states) > 1:
            return smallest_margins(
                self.rule.domain(to_batch(states, self.layout), **self.p),  # type: ignore[misc]
                self.layout,
                len(states),
            )
        return np.array([np.min(self.rule.domain(x, **self.p)) for x in states])  # type: ignore[misc]


def image(map: Map, states: Array, times: int) -> Array:
    """f^times of many states, shape (m, *S); NaN where an orbit ends before."""
    layout = find_layout(map, states)
    for each in (layout, None):
        stepper, found, is_done = Stepper(map, each), states, True
        is_over = stepper.ends(found, found) != UNDECIDED
        for done in range(times):
            following = stepper.step(found, done)
            if following is None:
                is_done = False
                break
            is_over |= stepper.ends(following, found) != UNDECIDED
            found = following
        if is_done:
            break
    found = found.copy()
    found[is_over] = np.nan
    return found
