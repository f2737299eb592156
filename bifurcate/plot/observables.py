"""What a bifurcation diagram shows of a branch: an observable along its cycles, and stability around its points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch, Point
from bifurcate.curves.invariant_curve_equations import KIND
from bifurcate.maps.invariant_curve_map import InvariantCurveMap
from bifurcate.orbits.observable import Observable, as_observable
from bifurcate.plot.arguments import checked, instance

__all__ = ["StableAround", "observe", "observe_at", "stable_around"]


# Times as many angles as a closed curve has at which its extremes are looked for: what is missed between two of them is
# a few parts in a hundred of its highest modes.
FINE = 4


class StableAround(NamedTuple):
    """Stability of a branch on both sides of a special point, in the order of the branch.

    Attributes
    ----------
    before, after : bool or None
        True if the branch is stable there; None if it ends at the point.
    """

    before: bool | None
    after: bool | None

    @property
    def changes(self) -> bool:
        """True if the two sides differ."""
        return self.before != self.after


@checked(branch=instance(Branch, "trace makes one"))
def observe(branch: Branch, observable: Observable = 0) -> NDArray[np.float64]:
    """Evaluate an observable at every state of every cycle on a branch; on closed curves, its extremes.

    Parameters
    ----------
    branch : Branch
        Traced without ``keep``, so that its points hold full states.
    observable : callable, int or "norm"
        A function of x and of all, some or none of the parameters → float, the index of a component, or the norm.

    Returns
    -------
    ndarray of float, shape (points, period)
        Of closed invariant curves, shape (points, 2): the least and the largest value on each.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 2.9)})
    >>> bf.plot.observe(branch)[0].round(9)
    array([0.5])
    """
    if branch.curve.kind == KIND:
        return np.array([_extremes(point, observable) for point in branch.points])
    cycles = ((branch.cycle_states(i), point.parameters) for i, point in enumerate(branch.points))
    return np.array([_observe_cycle(branch, states, parameters, observable) for states, parameters in cycles])


def _extremes(point: Point, observable: Observable) -> list[float]:
    """The least and the largest value of an observable on a closed invariant curve, at many times its angles."""
    curve = point.curve
    assert isinstance(curve.iterate, InvariantCurveMap)
    m = FINE * curve.iterate.shape[0] + 1
    finer = curve.iterate.resized(m)
    states = finer.rows(curve.iterate.resampled(np.ravel(point.unknowns), m))
    look = as_observable(observable, point.parameters)
    values = [float(look(x.reshape(finer.state_shape), **point.parameters)) for x in states]
    return [min(values), max(values)]


def observe_at(branch: Branch, point: SpecialPoint, observable: Observable) -> list[float]:
    """Evaluate an observable at every state of the branch's cycle at a special point, shape (period,)."""
    states = point.cycle_states()
    if branch.curve.kind == KIND:  # where closed curves are born, around the cycle's first state
        look = as_observable(observable, point.parameters)
        return [float(look(point.state, **point.parameters))] * 2
    # The point may have been found on a cycle of half the period: it is met twice on the way around.
    return _observe_cycle(branch, states * (branch.curve.period // len(states) or 1), point.parameters, observable)


def _observe_cycle(
    branch: Branch, states: list[NDArray[np.float64]], parameters: Mapping[str, float], observable: Observable
) -> list[float]:
    curve = branch.curve
    p = {**curve.equations.fixed, **{name: parameters[name] for name in curve.free}}
    states = states[: curve.period]
    look = as_observable(observable, p)
    return [float(look(x.reshape(curve.iterate.state_shape), **p)) for x in states]


@checked(branch=instance(Branch, "trace makes one"), point=instance(SpecialPoint, "branch.first(kind) is one"))
def stable_around(branch: Branch, point: SpecialPoint) -> StableAround:
    """Say whether a branch is stable just before and just after a special point of its own.

    Parameters
    ----------
    branch : Branch
    point : SpecialPoint
        One of ``branch.special``.

    Returns
    -------
    StableAround
        A named tuple (before, after) of True, False, or None where the branch ends at the point.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.0, 3.2)})
    >>> bf.plot.stable_around(branch, branch.first("flip"))
    StableAround(before=True, after=False)
    """
    after = int(np.searchsorted(branch.arclength, point.arclength))
    stable: list[bool] = branch.stable.tolist()
    return StableAround(stable[after - 1] if after > 0 else None, stable[after] if after < len(stable) else None)
