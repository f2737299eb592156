"""Multiple shooting at fixed parameters: when it is used, and solutions brought to rounding and to least periods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bifurcate.linalg.bordered_system import SingularSystem
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.orbit_map import OrbitMap, calls_for_shooting, orbit_unknowns
from bifurcate.newton.line_search import Iterate, evaluate
from bifurcate.newton.newton import newton_step
from bifurcate.newton.polish import polish

__all__ = ["all_states_unknown", "polished_cycle"]

Vector = NDArray[np.float64]

# Newton steps to rounding once the tolerance is met: the first squares what is left, the second sees that it is gone.
POLISHING_STEPS = 2


def all_states_unknown(iterate: IteratedMap, start: Iterate, asked: bool | None) -> tuple[IteratedMap, Iterate]:
    """The equations of multiple shooting and their start, if these are asked for or called for; else those given."""
    map, k = iterate.map, iterate.period
    if asked is None:
        asked = calls_for_shooting(map, start.orbit, map.parameters, iterate.shape)
    if not asked or k == 1:
        return iterate, start
    equations, x = OrbitMap(map, (k, *iterate.shape), k), orbit_unknowns(map, start.orbit)
    return equations, evaluate(x, equations.orbit(x, map.parameters))


def polished_cycle(iterate: OrbitMap, here: Iterate, history: list[float]) -> tuple[IteratedMap, Iterate]:
    """The cycle at rounding, as one of its least period: large multipliers are as exact relatively as its states are.

    Residuals of the steps taken are added to the history.
    """
    p = iterate.map.parameters
    k = iterate.least_period(here.orbit)
    equations: IteratedMap = iterate
    if k < iterate.period:
        x = iterate.blocks(here.x)[:k].ravel()
        equations = OrbitMap(iterate.map, (k, *iterate.state_shape), k) if k > 1 else iterate.single
        here = evaluate(x, equations.orbit(x, p))
        history.append(here.largest)

    def step(x: Vector, residual: Vector) -> Vector | None:
        try:
            return newton_step(equations.jacobian(equations.orbit(x, p), p), residual)
        except SingularSystem:
            return None

    found = polish(here.x, lambda x: evaluate(x, equations.orbit(x, p)).residual, step, max_steps=POLISHING_STEPS)
    if len(found.history) == 1:
        return equations, here
    history += found.history[1:]
    return equations, evaluate(found.x, equations.orbit(found.x, p))
