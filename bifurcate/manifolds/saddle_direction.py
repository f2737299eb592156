"""The one direction of a saddle along which its stable or unstable manifold leaves, at every point of a cycle."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.linalg.multipliers import EDGE
from bifurcate.linalg.null_space import fix_sign
from bifurcate.linalg.operators import dense
from bifurcate.maps.iterated_map import LARGEST_DENSE, IteratedMap
from bifurcate.maps.map import Map
from bifurcate.newton.solve import Solution
from bifurcate.storage.functions import MissingFunction
from bifurcate.validation import check_instance

__all__ = ["SaddleDirection", "points_to_rounding", "saddle_directions", "saddle_map"]

Array = NDArray[np.float64]

# |Im λ| up to this part of |λ| counts as real: rounding of a simple real eigenvalue is far smaller, and a pair that is
# nearer turns by less than a billionth of a radian an iterate.
REAL = 1e-9
# Part of the largest entry of the Jacobian up to which a multiplier is 0, its rounding: by preimages nothing is larger.
ANNIHILATED = 8 * float(np.finfo(float).eps)
POLISHING = 4  # Newton steps at the most that bring a solution to rounding: it starts with five digits or more


@dataclass(frozen=True, eq=False)
class SaddleDirection:
    """A point of a saddle cycle with the eigenvector of the one multiplier that its manifold belongs to.

    Attributes
    ----------
    iterate : IteratedMap
        f^k, of which the point is a fixed point.
    state : ndarray, shape (n,)
        The point.
    jacobian : ndarray, shape (n, n)
        Of f^k.
    multiplier : float
        The multiplier.
    vector : ndarray, shape (n,)
        Its eigenvector, of length 1 and with its largest entry positive.
    phase : int
        Which point of the cycle it is: f^phase of the solution's state.
    """

    iterate: IteratedMap
    state: Array
    jacobian: Array
    multiplier: float
    vector: Array
    phase: int


def saddle_map(solution: Solution) -> Map:
    """The map of a solution, at the solution's parameters.

    Raises
    ------
    InvalidInput
        If ``solution`` is none, or has lost its map in a file.
    """
    check_instance("solution", solution, Solution, "bf.solve(map, guess) and bf.deflate(map, guesses) give them")
    if solution.map is None or isinstance(solution.map.f, MissingFunction):
        raise InvalidInput("the solution comes without its map: load it with bf.load(path, map=…)")
    return dataclasses.replace(solution.map, parameters=dict(solution.parameters), at=None)


def saddle_directions(solution: Solution, *, stable: bool) -> list[SaddleDirection]:
    """The direction of the 1-D stable or unstable manifold at every point of a saddle cycle.

    Raises
    ------
    InvalidInput
        If the solution has no such manifold, or one of another dimension.
    """
    map = saddle_map(solution)
    n, k = solution.state.size, solution.period
    if n > LARGEST_DENSE:
        raise InvalidInput(f"manifolds take all eigenvectors: {map.name} has {n} unknowns; at most {LARGEST_DENSE}")
    iterate = IteratedMap(map, solution.state.shape, k)
    _check_dimension(np.asarray(solution.multipliers), n, stable)
    found = []
    for phase, point in enumerate(points_to_rounding(solution, iterate)):
        A = dense(iterate.jacobian(iterate.orbit(point, map.parameters), map.parameters))
        values, vectors = np.linalg.eig(A)
        chosen = int(np.argmin(np.abs(values)) if stable else np.argmax(np.abs(values)))
        if abs(values[chosen]) <= ANNIHILATED * np.abs(A).max():
            raise InvalidInput(
                "the multiplier inside is 0 to rounding: f takes a whole curve to the saddle at once, and nothing near "
                "the saddle tells which one"
            )
        vector = fix_sign(vectors[:, chosen].real / np.linalg.norm(vectors[:, chosen].real))
        found.append(SaddleDirection(iterate, point, A, float(values[chosen].real), vector, phase))
    return found


def points_to_rounding(solution: Solution, iterate: IteratedMap) -> list[Array]:
    """All points of a cycle, each brought to rounding."""
    x = solution.state.reshape(-1)
    points = [x] if solution.period == 1 else _cycle(solution, iterate, x)
    return [_to_rounding(iterate, each) for each in points]


def _to_rounding(iterate: IteratedMap, x: Array) -> Array:
    """A solution brought to rounding: its manifold is to be known far better than Newton's usual tolerance."""
    p, best, least = iterate.map.parameters, x, np.inf
    for _ in range(POLISHING):
        orbit = iterate.orbit(x, p)
        residual = orbit[-1] - x
        if not float(np.abs(residual).max()) < least:
            break
        best, least = x, float(np.abs(residual).max())
        x = x - np.linalg.solve(dense(iterate.jacobian(orbit, p)) - np.eye(len(x)), residual)
    return best


def _cycle(solution: Solution, iterate: IteratedMap, x: Array) -> list[Array]:
    if solution.cycle is not None:
        return [each.reshape(-1) for each in solution.cycle]
    return list(iterate.orbit(x, iterate.map.parameters)[:-1])


def _check_dimension(values: NDArray[np.complex128], n: int, stable: bool) -> None:
    """Refuse a solution whose manifold is not a curve, and say what it is instead."""
    which, side = ("stable", "inside") if stable else ("unstable", "outside")
    shown = ", ".join(f"{value.real:.4g}{value.imag:+.4g}i" if value.imag else f"{value.real:.4g}" for value in values)
    critical = np.abs(np.abs(values) - 1.0) <= EDGE
    if critical.any():
        raise InvalidInput(
            f"the solution is not hyperbolic: a multiplier lies on the unit circle (multipliers {shown})"
        )
    mine = np.abs(values) < 1.0 if stable else np.abs(values) > 1.0
    count = int(np.count_nonzero(mine))
    if count == 0:
        what = "stable" if not stable else "a repeller"
        raise InvalidInput(
            f"the solution is {what}: no multiplier lies {side}, so it has no {which} manifold ({shown})"
        )
    if count == 1:
        (value,) = values[mine]
        if abs(value.imag) <= REAL * abs(value):
            return
    if count == n:
        basin = "its basin: sample it with bf.ensemble" if stable else "an open set of states, no curve"
        kind = "focus" if (np.abs(values.imag) > REAL * np.abs(values)).any() else "node"
        raise InvalidInput(
            f"the solution is a {kind}, no saddle: its {which} manifold is {basin} (multipliers {shown})"
        )
    pair = " (a complex pair among them)" if (np.abs(values[mine].imag) > REAL * np.abs(values[mine])).any() else ""
    raise InvalidInput(
        f"{count} multipliers lie {side} the unit circle{pair}: the {which} manifold has dimension {count}, and only "
        f"curves are grown here (multipliers {shown})"
    )
