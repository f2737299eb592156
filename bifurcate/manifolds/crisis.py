"""crisis: is a tangency of manifolds a crisis, in which a chaotic attractor ends or suddenly grows?

Where the unstable manifold of a saddle on a chaotic attractor touches the stable manifold that bounds its basin, the
attractor ends in a boundary crisis; where the attractor touches a saddle inside its basin, and with it the manifolds of
that saddle each other, it grows at once in an interior crisis (Grebogi, Ott & Yorke, Physica D 7 (1983) 181). On one
side of the first kind no orbit that starts on the unstable manifold escapes, on the other almost all do; on one side of
the second kind they visit much more than on the other. That is looked at, a little to either side.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.errors import InvalidInput
from bifurcate.manifolds.manifold import manifold
from bifurcate.maps.connection_map import ConnectionMap
from bifurcate.maps.periodic_coordinates import reduced
from bifurcate.newton.solve import solve
from bifurcate.orbits.ensemble import ensemble
from bifurcate.printing import short_repr
from bifurcate.progress_line import Report, reporting
from bifurcate.validation import check_count, check_instance, check_positive

__all__ = ["Crisis", "crisis"]

Array = NDArray[np.float64]

# Of the parameter from the tangency, in units of max(1, |p|): nearer, transients grow without end.
USUAL_DISTANCE = 0.01
USUAL_STEPS = 5000  # iterations: at the usual distance transients of maps of the plane last some hundreds
LENGTH = 0.5  # of the unstable manifold on which orbits start, in units of the state
STARTS = 100  # orbits, spread along it
SAMPLES = 50  # states of each orbit, whose cells are counted
CELLS = 50  # along the range of every component
# Ratio of the visited cells beyond which an attractor has grown at once: without a crisis it does by some %.
GROWS = 1.5
ESCAPES = 0.5  # part of the orbits beyond which "almost all" escape: transients are exponentially distributed


@dataclass(frozen=True, eq=False)
class Crisis:
    """What orbits do on either side of a tangency.

    Attributes
    ----------
    name : str
        "boundary crisis" if no orbit escapes on one side and more than half of them do on the other, "interior crisis"
        if none escapes on either and on one side they visit more than 1.5 times as many cells; else "".
    parameter : str
        Which one was varied.
    values : (float, float)
        Below and above the tangency.
    escaped : (float, float)
        The parts of the orbits that diverge or leave the domain there.
    steps : int
        Iterations of each.
    cells : (int, int)
        Cells, 50 along the range of every component, that orbits visit after these.
    """

    name: str
    parameter: str
    values: tuple[float, float]
    escaped: tuple[float, float]
    steps: int
    cells: tuple[int, int] = (0, 0)

    __repr__ = short_repr

    def __str__(self) -> str:
        seen = [f"{part:.0%} at {self.parameter} = {value:.8g}" for part, value in zip(self.escaped, self.values)]
        text = f"{self.name or 'no crisis'}: of the orbits {', '.join(seen)} escape in {self.steps} iterations"
        return f"{text}, the others visit {self.cells[0]} and {self.cells[1]} cells" if max(self.cells) else text


def crisis(
    tangency: SpecialPoint,
    *,
    distance: float | None = None,
    steps: int = USUAL_STEPS,
    progress: Report | bool | None = None,
) -> Crisis:
    """Ask of a tangency of manifolds whether it is a crisis, in which an attractor ends or grows at once.

    Parameters
    ----------
    tangency : SpecialPoint
        From a branch of connecting orbits, ``branch.first("tangency")``.
    distance : float, optional
        Of the parameter from the tangency, to either side; by default 0.01 max(1, |p|). Interior crises end periodic
        windows, of which it must be a small part.
    steps : int
        Iterations of each of a hundred orbits that start on the unstable manifold.
    progress : callable, bool, optional
        As for :func:`trace`; orbits are counted.

    Returns
    -------
    Crisis
        Evidence from orbits, no proof: a longer transient than ``steps`` looks like an attractor.

    Raises
    ------
    InvalidInput
        If the point is no tangency in one parameter.

    References
    ----------
    Grebogi, Ott & Yorke, Physica D 7 (1983) 181.

    Examples
    --------
    >>> import bifurcate as bf
    >>> saddle = bf.solve(bf.maps.henon(a=1.2, b=0.3), [0.6, 0.2])
    >>> unstable, stable = bf.manifold(saddle, length=2.0), bf.manifold(saddle, stable=True, length=2.0)
    >>> branch = bf.trace(bf.connections(bf.connecting_orbits(unstable, stable).orbits[0], "a"), {"a": (1.0, 1.25)})
    >>> print(bf.crisis(branch.first("tangency"), steps=500))  # doctest: +ELLIPSIS
    no crisis: of the orbits 0% at a = 1.1420341, 0% at a = 1.1651055 escape in 500 iterations, ...
    """
    check_instance("tangency", tangency, SpecialPoint, 'bf.trace(bf.connections(orbit, free), …).first("tangency")')
    problem = tangency.curve.iterate
    if tangency.kind != "tangency" or not isinstance(problem, ConnectionMap) or len(tangency.curve.free) != 1:
        raise InvalidInput(f"{tangency} is no tangency on a branch of connecting orbits in one parameter")
    (name,) = tangency.curve.free
    count, here = check_count("steps", steps), tangency.parameters[name]
    away = USUAL_DISTANCE * max(1.0, abs(here)) if distance is None else check_positive("distance", distance)
    rows = problem.rows(tangency.u[: tangency.curve.size])
    saddle = rows[len(rows) - problem.saddle_count].reshape(problem.state_shape)
    values, parts, visited = (here - away, here + away), list[float](), list[Array]()
    with reporting(progress, f"crisis of {problem.map.name}", (name,), "orbits") as report:
        for value in values:
            map = dataclasses.replace(problem.map, parameters={**tangency.parameters, name: value}, at=None)
            unit = max(map.scale, float(np.abs(saddle).max()))
            found = manifold(solve(map, saddle, period=problem.steps), length=LENGTH * unit, progress=False)
            points = np.concatenate([branch.points[1:] for branch in found.branches])
            starts = points[np.linspace(0, len(points) - 1, min(STARTS, len(points))).astype(int)]
            orbits = ensemble(map, starts, SAMPLES, transient=count, progress=report or False)
            parts.append(float(np.mean([end in ("diverged", "domain") for end in orbits.ends])))
            stays = np.array(orbits.ends) == "steps"
            visited.append(orbits.states[stays].reshape(int(stays.sum()) * SAMPLES, saddle.size))
    cells = _cells(visited, problem.map.periods)
    kind = ""
    if min(parts) == 0.0 and max(parts) > ESCAPES:
        kind = "boundary crisis"
    elif max(parts) == 0.0 and max(cells) > GROWS * min(cells):
        kind = "interior crisis"
    return Crisis(kind, name, values, (parts[0], parts[1]), count, cells)


def _cells(visited: list[Array], periods: Array | None) -> tuple[int, int]:
    """How many cells of one grid each of two sets of states visits."""
    visited = [reduced(x, periods) for x in visited]
    together = np.vstack(visited)
    if not len(together):
        return 0, 0
    low, span = together.min(axis=0), np.maximum(np.ptp(together, axis=0), np.finfo(float).tiny)
    counts = [len(np.unique(np.floor(CELLS * (x - low) / span), axis=0)) for x in visited]
    return counts[0], counts[1]
