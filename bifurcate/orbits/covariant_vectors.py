"""Covariant Lyapunov vectors: directions that the Jacobian takes to one another along an orbit.

Orthonormal vectors Q and triangular factors R are kept on the way forth, J Q = Q⁺ R. The covariant vectors are Q C with
upper triangular C, and C⁺ D = R C for a diagonal D, so that C ∝ R⁻¹ C⁺: iterated backwards from any C, it forgets where
it began (Ginelli et al., Phys. Rev. Lett. 99 (2007) 130601; J. Phys. A 46 (2013) 254005).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from bifurcate.orbits.orbit import OrbitEnd
from bifurcate.orbits.tangent_vectors import TangentMap, TangentOrbit, follow

__all__ = ["CovariantVectors", "covariant_vectors"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CovariantVectors:
    """Covariant vectors along the middle of an orbit.

    Attributes
    ----------
    growth : ndarray, shape (steps, count)
        Of the orthonormal vectors.
    floors : ndarray, shape (count,)
        Mean relative errors of it.
    states : ndarray, shape (steps, *S)
    vectors : ndarray, shape (steps, n, count)
        NaN where a direction is annihilated later on.
    errors : ndarray, shape (steps, count)
        The sine of the angle to the vectors of the second run.
    x : ndarray
        The last state.
    end, detail : str
        As in :class:`Orbit`.
    """

    growth: Array
    floors: Array
    states: Array
    vectors: Array
    errors: Array
    x: Array
    end: OrbitEnd
    detail: str


def covariant_vectors(
    tangent: TangentMap, x: Array, first: Array, second: Array, transient: int, steps: int, seed: int
) -> CovariantVectors:
    """Covariant vectors at ``steps`` states after a transient, with as long a transient behind them.

    Parameters
    ----------
    tangent : TangentMap
    x : ndarray
        The first state.
    first, second : ndarray, shape (n, count)
        Orthonormal vectors there, with which both runs begin.
    transient, steps : int
    seed : int
        Of the coefficients with which the way back begins.
    """
    rng = np.random.default_rng(seed)
    runs = [_run(tangent, x, Q, transient, steps, rng) for Q in (first, second)]
    (orbit, vectors), (_, other) = runs
    with np.errstate(all="ignore"):
        cosines = np.sum(vectors * other, axis=1)
        sines = np.linalg.norm(vectors - cosines[:, None, :] * other, axis=1)
    growth = orbit.growth[: len(vectors)]
    states = np.array(orbit.states[: len(vectors)]).reshape(-1, *x.shape)
    detail = orbit.detail
    if np.isnan(vectors).any():
        detail = detail or "a direction is annihilated along the orbit: what comes before has no covariant vectors"
    return CovariantVectors(growth, orbit.errors, states, vectors, sines, orbit.x, orbit.end, detail)


def _run(
    tangent: TangentMap, x: Array, Q: Array, transient: int, steps: int, rng: np.random.Generator
) -> tuple[TangentOrbit, Array]:
    """There and back: the orbit after the transient, and the covariant vectors at its first states."""
    settled = follow(tangent, x, Q, transient)
    if settled.end != "steps":
        settled.growth = settled.growth[:0]
        return settled, np.empty((0, *Q.shape))
    orbit = follow(tangent, settled.x, settled.vectors, steps + transient, keeps=True)
    C = np.triu(rng.standard_normal((Q.shape[1],) * 2))
    frames = [settled.vectors, *orbit.frames]
    count = min(steps, len(orbit.growth))
    vectors = np.empty((count, *Q.shape))
    for i in range(len(orbit.growth) - 1, -1, -1):
        C = _one_back(orbit.triangles[i], C)
        if i < count:
            vectors[i] = frames[i] @ C
    return orbit, vectors


def _one_back(R: Array, C: Array) -> Array:
    """The coefficients one step earlier, each column normed; NaN where R is singular."""
    if not np.abs(np.diagonal(R)).all():
        return np.full(C.shape, np.nan)
    earlier = solve_triangular(R, C, check_finite=False)
    return np.asarray(earlier / np.linalg.norm(earlier, axis=0))
