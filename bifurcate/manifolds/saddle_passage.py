"""Where a curve passes a saddle whose own manifold is no curve, but has one dimension less than the state.

Beside a saddle b that manifold is its tangent space: the states x with r (x − b) = 0, where the row r is the left
eigenvector of the one multiplier across it. An orbit that comes to b lies near that space as soon as it is near b, so
that a curve of states crosses the space where such an orbit begins. The crossing is then moved to where later states of
the orbit lie in the space, which is nearer and nearer to the manifold itself, and at last the orbit is followed to b,
each state brought back into the space along the eigenvector across it, along which errors grow. That is a guess for the
boundary value problem. Backward in time it is the same with preimages.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.manifolds.polygon_meetings import Meeting
from bifurcate.manifolds.saddle_direction import SaddleDirection
from bifurcate.manifolds.sampling import ImplicitSampler, Sampler
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["BESIDE", "Step", "follow", "passages", "preimages"]

Array = NDArray[np.float64]
Step = Callable[[Array], Array]  # of states, one a row

# Distance from a saddle, in units of the state, within which its manifold may be taken for its tangent space at first.
BESIDE = 0.1
# ... and within which the square of the distance is an error that Newton's method forgives.
CLOSE = 1e-3
MOST_STEPS = 2000  # of an orbit to the saddle: a multiplier of 0.99 needs 1,400
SAMPLES = 9  # parameters at a time at which a crossing is looked for
ROUNDS = 60  # of them: a double holds fewer thirds of a bracket
WIDENINGS = 4  # of a bracket, each by its own width to either side: the crossing moves by the square of the distance
SHARP = 0.02  # part of the distance from the saddle to which the crossing is known before it is moved on


def passages(points: Array, saddle: SaddleDirection, row: Array, unit: float, begin: int) -> list[Meeting]:
    """Where a polygon, from one of its points on, crosses the tangent space beside a saddle.

    Parameters
    ----------
    points : ndarray, shape (m, n)
        The polygon.
    saddle : SaddleDirection
        b.
    row : ndarray, shape (n,)
        r, of length 1.
    unit : float
        The unit of the state.
    begin : int
        Number of the first segment that counts.

    Returns
    -------
    list of Meeting
        ``first`` is the place on the polygon, ``second`` NaN.
    """
    apart = shortest(points - saddle.state, saddle.iterate.periods)
    across, distance = apart @ row, np.linalg.norm(apart, axis=1)
    is_near = np.minimum(distance[:-1], distance[1:]) <= BESIDE * unit
    # Neighbours that lie far apart are not near the saddle both, whatever periods say.
    is_near &= np.linalg.norm(np.diff(apart, axis=0), axis=1) <= 2.0 * BESIDE * unit
    crossing = is_near & (across[:-1] * across[1:] <= 0.0) & (across[:-1] != across[1:])
    places = [int(i) for i in np.flatnonzero(crossing) if i >= begin]
    return [Meeting(i + float(across[i] / (across[i] - across[i + 1])), np.nan, 0.0) for i in places]


def preimages(saddle: SaddleDirection, steps: int, sampler: Sampler) -> Step:
    """The inverse of f^steps beside a saddle: NaN where there is none."""
    assert isinstance(sampler, ImplicitSampler)
    back = dataclasses.replace(sampler, step=dataclasses.replace(sampler.step, times=steps))
    power = np.linalg.matrix_power(saddle.jacobian, steps // saddle.iterate.period)

    def step(rows: Array) -> Array:
        apart = shortest(rows - saddle.state, saddle.iterate.periods)
        return back.preimages(rows, saddle.state + np.linalg.solve(power, apart.T).T)

    return step


def follow(
    saddle: SaddleDirection,
    row: Array,
    step: Step,
    at: Step,
    bracket: tuple[float, float],
    unit: float,
    reach: float,
) -> tuple[float, Array]:
    """The parameter of an orbit on a curve that comes to a saddle, and its states, shape (m, n).

    Parameters
    ----------
    saddle : SaddleDirection
        The saddle b.
    row : ndarray, shape (n,)
        r, of length 1.
    step : callable
        g, or its inverse, on states, one a row.
    at : callable
        Parameters to points of the curve.
    bracket : (float, float)
        Parameters on both sides of the crossing.
    unit : float
        The unit of the state.
    reach : float
        Distance from b at which the orbit ends. The first state is the one on the curve.

    Raises
    ------
    MapFailed
        If no orbit comes nearer to b.
    """
    t, states = _nearest(saddle, row, step, at, bracket, unit)
    across = saddle.vector / float(row @ saddle.vector)
    orbit = list(states)
    while len(orbit) < MOST_STEPS:
        x = step(orbit[-1][None])[0]
        apart = shortest(x - saddle.state, saddle.iterate.periods)
        x = saddle.state + apart - across * float(row @ apart)
        orbit.append(x)
        distance = float(np.linalg.norm(x - saddle.state))
        if distance <= reach:
            return t, np.array(orbit)
        if not distance <= 2.0 * BESIDE * unit:
            break
    raise MapFailed(f"the orbit has not come to the saddle after {len(orbit) - 1} steps")


def _nearest(
    saddle: SaddleDirection, row: Array, step: Step, at: Step, bracket: tuple[float, float], unit: float
) -> tuple[float, Array]:
    """The crossing whose later states lie in the tangent space, as many as the parameter's digits allow."""
    low, high = bracket
    best: tuple[float, Array] | None = None
    for count in range(MOST_STEPS):
        found = _crossing(saddle, row, step, at, (low, high), count)
        if found is None:
            break
        low, high, states = found
        distance = float(np.linalg.norm(shortest(states[-1] - saddle.state, saddle.iterate.periods)))
        if best is not None and not distance <= 2.0 * BESIDE * unit:
            break
        best = 0.5 * (low + high), states
        if distance <= CLOSE * unit:
            break
    if best is None:
        raise MapFailed("the curve does not cross the saddle's manifold there")
    return best


def _crossing(
    saddle: SaddleDirection, row: Array, step: Step, at: Step, bracket: tuple[float, float], count: int
) -> tuple[float, float, Array] | None:
    """A narrower bracket of the parameter at which the state after so many steps lies in the tangent space."""
    low, high = bracket
    widenings = 0
    for _ in range(ROUNDS):
        t = np.linspace(low, high, SAMPLES)
        orbit = [at(t)]
        for _ in range(count):
            orbit.append(step(orbit[-1]))
        apart = shortest(orbit[-1] - saddle.state, saddle.iterate.periods)
        across, distance = apart @ row, np.linalg.norm(apart, axis=1)
        changes = np.flatnonzero(across[:-1] * across[1:] <= 0.0)
        if not len(changes):
            if widenings == WIDENINGS:
                return None
            low, high, widenings = low - (high - low), high + (high - low), widenings + 1
            continue
        i = int(changes[np.argmin(distance[changes])])
        ends = float(t[i]), float(t[i + 1])
        is_sharp = float(np.linalg.norm(apart[i + 1] - apart[i])) <= SHARP * float(distance[i])
        if is_sharp or ends == (low, high):
            return *ends, np.array([each[i] for each in orbit])
        low, high = ends
    return None
