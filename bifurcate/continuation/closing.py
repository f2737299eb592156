"""Closed curves: when a continuation has come back to the cycle that it started from.

A cycle of period q has q points, and a closed curve of such cycles may come back to another one of them than it started
from: it is closed all the same, and going on would run through it q times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.maps.connection_map import ConnectionMap
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.orbit_map import OrbitMap

__all__ = ["Phase", "may_close", "phase_passed", "phases_of"]

Vector = NDArray[np.float64]

CLOSING_DISTANCE = 2.0  # steps within which a step must come to the start to be compared with it
CLOSING_COSINE = 0.8  # ... and the least cosine of the angle between the tangents there
CLOSING_ERROR = 1e-6  # distance up to which the point found opposite the start is the start: the same cycle
MOST_NUMBERS = 10**6  # size limit: numbers in all states of the start's cycle, beyond which only the start is compared


@dataclass(frozen=True, eq=False)
class Phase:
    """One point of the cycle at which a curve starts.

    Attributes
    ----------
    u : ndarray, shape (n + k,)
        State, free parameters, and what else is unknown.
    tangent : ndarray, shape (n + k,)
        The curve's tangent there, of length 1 in the metric.
    """

    u: Vector
    tangent: Vector


def may_close(run: ContinuationProblem, here: CurvePoint, new: CurvePoint, start: CurvePoint) -> bool:
    """True unless the step from here to new is too far from the start's parameters, which all of its points share."""
    n = run.curve.size
    far = np.abs(here.u[n:] - start.u[n:]) / run.metric.widths
    return bool(far.max() <= CLOSING_DISTANCE * (new.arclength - here.arclength))


def phases_of(run: ContinuationProblem, start: CurvePoint) -> tuple[Phase, ...]:
    """The points of a start's cycle, each with the tangent that the curve has if it is followed from there."""
    curve, n = run.curve, run.curve.size
    found = [Phase(start.u, start.tangent)]
    if n * curve.period > MOST_NUMBERS:
        return tuple(found)
    p = curve.parameters(start.u)
    x, v = start.u[:n], start.tangent[:n]
    if isinstance(curve.iterate, OrbitMap):  # all states are unknown: they change places
        turned = zip(curve.iterate.phases(x, p), curve.iterate.phases(v, p), strict=True)
        return tuple(Phase(np.concatenate([y, start.u[n:]]), np.concatenate([w, start.tangent[n:]])) for y, w in turned)
    if isinstance(curve.iterate, ConnectionMap):  # the same orbit, begun a state later or earlier
        turned = zip(curve.iterate.phases(x, p), curve.iterate.shifted_directions(v), strict=True)
        return tuple(Phase(np.concatenate([y, start.u[n:]]), np.concatenate([w, start.tangent[n:]])) for y, w in turned)
    once = IteratedMap(curve.iterate.map, curve.iterate.shape)
    for _ in range(1, curve.period):
        orbit = once.orbit(x, p)
        v = once.jvp(orbit, v, p)
        for i, name in enumerate(curve.free):
            if start.tangent[n + i]:
                v = v + start.tangent[n + i] * once.parameter_derivative(orbit, p, name)
        x = orbit[1]
        tangent = np.concatenate([v, start.tangent[n:]])
        found.append(Phase(np.concatenate([x, start.u[n:]]), tangent / run.metric.norm(tangent)))
    return tuple(found)


def phase_passed(
    run: ContinuationProblem, here: CurvePoint, new: CurvePoint, phases: tuple[Phase, ...]
) -> CurvePoint | None:
    """The point of the start's cycle through which the step from here to new runs, in the curve's own direction."""
    metric, length = run.metric, new.arclength - here.arclength
    for phase in phases:
        u = run.curve.image_near(phase.u, here.u)  # in coordinates that have a period, the nearest image
        if metric.norm(u - here.u) > CLOSING_DISTANCE * length:
            continue
        if metric.dot(new.tangent, phase.tangent) < CLOSING_COSINE:
            continue
        before, after = (metric.dot(phase.tangent, end.u - u) for end in (here, new))
        if not before < 0 <= after:
            continue
        normal = metric.dual(phase.tangent)
        guess = here.u - before / (after - before) * (new.u - here.u)
        found = correct(run.curve, guess, normal, float(normal @ u), metric, TO_ROUNDING, phase.tangent)
        if isinstance(found, CurvePoint) and metric.norm(found.u - u) < CLOSING_ERROR:
            return found
    return None
