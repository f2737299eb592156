"""Trapping neighbourhoods of stable cycles: where an orbit that comes so near has settled.

Around a state c of a cycle of period k with the Jacobian J of f^k there, the norm √(dᵀPd) with

    P = I + (J/θ)ᵀ P (J/θ),      θ = (1 + ρ)/2,   ρ the spectral radius of J,

shrinks under J by θ at least, however far J is from normal (a discrete Lyapunov equation). By how much f^k itself may
differ from J is sampled: the radius is halved until differences on it, and on two spheres inside, shrink.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_discrete_lyapunov

from bifurcate.attractors.attractor import Traps
from bifurcate.attractors.stepper import image
from bifurcate.errors import BifurcateError
from bifurcate.linalg.operators import dense
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["find_traps"]

Array = NDArray[np.float64]

# Size limit: unknowns up to which P is solved for, of n² numbers.
LARGEST_TRAPPED = 300
# States of a cycle around which traps are sought: an orbit on a longer one passes the first of them soon enough.
MOST_CENTRES = 32
# Directions that are sampled on each sphere. In the plane they are 6° apart.
DIRECTIONS = 60
# Of more unknowns also: eigenvectors that shrink slowest, axes, and mixtures of about a third of each.
LEADING, MOST_AXES, SPARSE, MIXTURES = 4, 64, 0.35, 30
# Spheres that are sampled, as parts of the radius, and the part of the radius that is used: what the samples miss is
# not linear, and smaller by this factor at least.
SPHERES, USED = (1.0, 0.6, 0.3), 0.5
# Halvings of the radius, at the most: from the size of the state to 1e-7 of it, within which only rounding matters.
HALVINGS = 24
# Distance of a multiplier's modulus from 1 below which differences of f do not say on which side it is.
MARGINAL = 1e-8


def find_traps(map: Map, states: Array) -> Traps | None:
    """Traps around the states of a stable cycle, shape (k, *S); None if it has too many unknowns or none was found."""
    size = states[0].size
    if size > LARGEST_TRAPPED:
        return None
    iterate = IteratedMap(map, states[0].shape, len(states))
    around: list[_Norm] = []
    with np.errstate(all="ignore"):
        for state in states[: MOST_CENTRES if len(states) <= MOST_CENTRES else 1]:
            norm = _norm_around(iterate, state.ravel())
            if norm is None:
                return None
            around.append(norm)
        radii = _radii(iterate, around)
    if radii is None:
        return None
    return Traps(np.array([each.centre for each in around]), np.array([each.factor for each in around]), USED * radii)


class _Norm(NamedTuple):
    """The norm √(dᵀPd) around a state."""

    centre: Array
    factor: Array  # F of P = Fᵀ F
    directions: Array  # differences of length 1 in it, which are sampled
    shrinking: float  # the part of its length that a difference may have after a period


def _norm_around(iterate: IteratedMap, c: Array) -> _Norm | None:
    p = iterate.map.parameters
    try:
        J = dense(iterate.jacobian(iterate.orbit(c, p), p))
        rho = float(np.abs(np.linalg.eigvals(J)).max())
        theta = 0.5 * (1.0 + rho)
        if not rho < 1.0 - MARGINAL:
            return None
        P = np.eye(c.size) if c.size == 1 else solve_discrete_lyapunov((J / theta).T, np.eye(c.size))
        F = cholesky(0.5 * (P + P.T))
    except (BifurcateError, np.linalg.LinAlgError, ValueError):
        return None
    return _Norm(c, F, _directions(J, F), 0.5 * (1.0 + theta))


def _radii(iterate: IteratedMap, around: list[_Norm]) -> Array | None:
    """The largest radius, of those halved, within which all samples shrink, for each state; None if one has none.

    What is left to be tried around all states is iterated together: f is called as often for many states as for one.
    """
    radii = np.array(
        [
            max(iterate.map.scale, float(np.abs(each.centre).max()))
            / float(np.linalg.norm(np.linalg.inv(each.factor), 2))
            for each in around
        ]
    )
    left = list(range(len(around)))
    for _ in range(HALVINGS):
        shrinking = left
        for part in SPHERES:
            shrinking = _which_shrink(iterate, around, part * radii, shrinking)
        left = [i for i in left if i not in shrinking]
        if not left:
            return radii
        radii[left] *= 0.5
    return None


def _directions(J: Array, F: Array) -> Array:
    """Differences of length 1 in the norm of F, shape (m, n): random ones and the leading eigenvectors."""
    n = len(J)
    if n == 1:
        drawn = np.array([[1.0], [-1.0]])
    elif n == 2:
        angles = np.linspace(0.0, 2.0 * np.pi, DIRECTIONS, endpoint=False)
        drawn = np.column_stack([np.cos(angles), np.sin(angles)])
    else:
        rng = np.random.default_rng(0)
        values, vectors = np.linalg.eig(J)
        leading = vectors[:, np.argsort(-np.abs(values), kind="stable")[:LEADING]]
        spans = [np.vstack([leading.real.T, leading.imag.T])]
        axes = np.eye(n)[: min(n, MOST_AXES)]
        spans += [axes, F[:0] if n > MOST_AXES else np.linalg.inv(F).T]
        drawn = np.vstack([rng.standard_normal((DIRECTIONS, n)) @ np.linalg.inv(F).T])
        for span in spans:  # what is not linear acts in few coordinates, or along what shrinks slowest
            mixed = rng.standard_normal((MIXTURES, len(span))) * (rng.random((MIXTURES, len(span))) < SPARSE)
            drawn = np.vstack([drawn, span, -span, mixed @ span])
        drawn = drawn @ F.T
    lengths = np.linalg.norm(drawn, axis=1)
    unit_sphere = drawn[lengths > 0] / lengths[lengths > 0, None]
    return np.asarray(np.linalg.solve(F, unit_sphere.T).T)


def _which_shrink(iterate: IteratedMap, around: list[_Norm], radii: Array, tried: list[int]) -> list[int]:
    """Those of the states tried, to which f^k brings every sample at their radius nearer, each in its norm."""
    if not tried:
        return []
    samples = [radii[i] * around[i].directions for i in tried]
    starts = np.concatenate([around[i].centre + each for i, each in zip(tried, samples, strict=True)])
    images = image(iterate.map, starts.reshape(-1, *iterate.state_shape), iterate.period).reshape(starts.shape)
    ends = np.split(images, np.cumsum([len(each) for each in samples])[:-1])
    found = []
    for i, before, after in zip(tried, samples, ends, strict=True):
        norm = around[i]
        apart = shortest(after - norm.centre, iterate.map.periods)
        lengths = np.linalg.norm(before @ norm.factor.T, axis=1), np.linalg.norm(apart @ norm.factor.T, axis=1)
        if (lengths[1] <= norm.shrinking * lengths[0]).all():
            found.append(i)
    return found
