"""Ratios of mutual couplings at one state, log(Jᵢⱼ/Jⱼᵢ): are they differences of logarithms of a metric?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from bifurcate.gradient.field import EPS, SURE, Field, worst_of

__all__ = ["Coupling", "Cycle", "Ratios", "potentials", "ratios", "worst_coupling", "worst_cycle"]

LOPSIDED = 1e6  # mutual couplings whose quotient exceeds this are one coupling without its counterpart


@dataclass(frozen=True, eq=False)
class Coupling:
    """Two coordinates whose mutual couplings no positive diagonal metric can make equal, mᵢ Jᵢⱼ = mⱼ Jⱼᵢ.

    Attributes
    ----------
    state : ndarray
    i, j : int
        Coordinates of the flattened state.
    forward, backward : float
        Jᵢⱼ and Jⱼᵢ: of opposite signs, or one of them 0 within its error while the other is a million times larger.
    error : float
        Of either.
    """

    state: np.ndarray
    i: int
    j: int
    forward: float
    backward: float
    error: float

    def __str__(self) -> str:
        i, j = self.i, self.j
        return (
            f"J[{i},{j}] = {self.forward:.6g} but J[{j},{i}] = {self.backward:.6g} (error of either {self.error:.1e})"
        )


@dataclass(frozen=True, eq=False)
class Cycle:
    """A cycle of coordinates whose products of couplings differ between the two ways round.

    Attributes
    ----------
    state : ndarray
    indices : tuple of int
        i, j, k, … of the flattened state.
    forward, backward : float
        Jᵢⱼ Jⱼₖ ⋯ and Jᵢ… ⋯ Jₖⱼ Jⱼᵢ: equal where a diagonal metric makes J symmetric.
    error : float
        Bound on the error of their difference.
    """

    state: np.ndarray
    indices: tuple[int, ...]
    forward: float
    backward: float
    error: float

    def __str__(self) -> str:
        i, j, *rest = self.indices
        way = " → ".join(str(each) for each in (i, j, *rest, i))
        return (
            f"the couplings round {way} multiply to {self.forward:.6g} one way and {self.backward:.6g} the other "
            f"(error {self.error:.1e})"
        )


@dataclass(frozen=True, eq=False)
class Ratios:
    """What a state says of a diagonal metric.

    Attributes
    ----------
    state : ndarray, shape (n,)
    J : ndarray, shape (n, n)
    noise : float
        Error of an entry of J.
    log : ndarray, shape (n, n)
        log(Jᵢⱼ/Jⱼᵢ), which has to be log mⱼ − log mᵢ; 0 where it is not known.
    error : ndarray, shape (n, n)
        Its error; infinite where it is not known.
    """

    state: np.ndarray
    J: np.ndarray
    noise: float
    log: np.ndarray
    error: np.ndarray


def ratios(field: Field, x: np.ndarray, rng: np.random.Generator) -> Ratios:
    """The ratios at x."""
    J = field.jacobian(x)
    noise = field.error(x, np.eye(field.size), J, rng)
    log, error = logarithms(J, J.T, noise)
    np.fill_diagonal(error, np.inf)
    np.fill_diagonal(log, 0.0)
    return Ratios(x, J, noise, log, error)


def logarithms(forward: np.ndarray, backward: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray]:
    """log(forward/backward) and its error where both exceed ten times their noise and have one sign."""
    least = np.minimum(np.abs(forward), np.abs(backward))
    known = (least > SURE * noise) & (forward * backward > 0.0)
    log, error = np.zeros(forward.shape), np.full(forward.shape, np.inf)
    a, b = np.abs(forward[known]), np.abs(backward[known])
    log[known] = np.log(a / b)
    error[known] = noise * (1.0 / a + 1.0 / b) + 8.0 * EPS
    return log, error


def worst_coupling(field: Field, found: Ratios) -> Coupling | None:
    """The pair of couplings that contradicts most clearly, if one does."""
    clear = _contradiction(found.J, found.noise)
    i, j = worst_of(clear, np.ones(clear.shape))
    noise = _noise(field, found, [i, j])
    if not _contradiction(found.J, noise)[i, j] > 0.0:
        return None
    return Coupling(found.state.reshape(field.shape), i, j, float(found.J[i, j]), float(found.J[j, i]), noise)


def _contradiction(J: np.ndarray, noise: float) -> np.ndarray:
    """Size of couplings of opposite signs and of couplings without their counterpart; 0 where there is neither."""
    a, b = np.abs(J), np.abs(J.T)
    opposite = (J * J.T < 0.0) & (np.minimum(a, b) > SURE * noise)
    alone = (b <= SURE * noise) & (a > LOPSIDED * (b + noise))
    clear = np.where(opposite, np.minimum(a, b), np.where(alone, a, 0.0))
    np.fill_diagonal(clear, 0.0)
    return clear


def _noise(field: Field, found: Ratios, indices: list[int]) -> float:
    """The error of couplings among a few coordinates, once more against differences, each column by itself."""
    unit, worst = np.eye(field.size), found.noise
    for k in indices:
        apart = np.abs(found.J[:, k] - field.differenced(found.state, unit[k]))[indices]
        worst = max(worst, float(np.delete(apart, indices.index(k)).max(initial=0.0)))
    return worst


def potentials(log: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Numbers θ with log[i, j] = θⱼ − θᵢ along the edges of least accumulated error.

    Returns
    -------
    theta : ndarray, shape (n,)
        0 at the root of every component.
    doubt : ndarray, shape (n,)
        Errors accumulated from the root.
    before : ndarray of int, shape (n,)
        The previous coordinate on the way from the root; negative at a root.
    label : ndarray of int, shape (n,)
        The component.
    """
    n = len(log)
    edges = csr_array(np.where(np.isfinite(error), error, 0.0))
    number, label = connected_components(edges, directed=False)
    theta, doubt, before = np.zeros(n), np.zeros(n), np.full(n, -1)
    degree = np.isfinite(error).sum(axis=1)
    for each in range(number):
        members = np.flatnonzero(label == each)
        root = members[np.argmax(degree[members])]
        distance, previous = dijkstra(edges, directed=False, indices=root, return_predecessors=True)
        doubt[members], before[members] = distance[members], previous[members]
        for j in members[np.argsort(distance[members], kind="stable")]:
            if before[j] >= 0:
                theta[j] = theta[before[j]] + log[before[j], j]
    return theta, doubt, before, label


def worst_cycle(field: Field, found: Ratios) -> tuple[Cycle | None, int, float, float]:
    """The fundamental cycle that fails most clearly, if one does; their number, largest defect and resolution.

    With a potential on a spanning tree every other edge closes one cycle; if the products agree around these they do
    around all cycles (Kolmogorov's criterion), those of three coordinates included.
    """
    theta, doubt, before, _ = potentials(found.log, found.error)
    closing = np.triu(np.isfinite(found.error), 1)
    for k in np.flatnonzero(before >= 0):
        closing[min(k, before[k]), max(k, before[k])] = False
    if not closing.any():
        return None, 0, 0.0, 0.0
    defect = np.where(closing, np.abs(found.log - (theta[None, :] - theta[:, None])), 0.0)
    error = np.where(closing, found.error + doubt[:, None] + doubt[None, :], np.inf)
    i, j = worst_of(defect, error)
    number, worst, resolution = int(closing.sum()), float(defect.max()), SURE * float(error[closing].max())
    if not defect[i, j] > SURE * error[i, j]:
        return None, number, worst, resolution
    way = _between(before, i, j)
    steps = list(zip(way, [*way[1:], way[0]]))
    forward = float(np.prod([found.J[a, b] for a, b in steps]))
    backward = float(np.prod([found.J[b, a] for a, b in steps]))
    again = _noise(field, found, way) / found.noise
    bound = float(error[i, j]) * again * max(abs(forward), abs(backward))
    if not abs(forward - backward) > SURE * bound:
        return None, number, worst, resolution
    return Cycle(found.state.reshape(field.shape), tuple(way), forward, backward, bound), number, worst, resolution


def _between(before: np.ndarray, i: int, j: int) -> list[int]:
    """The way from i to j in the tree."""
    up = [i]
    while before[up[-1]] >= 0:
        up.append(int(before[up[-1]]))
    down = [j]
    while down[-1] not in up:
        down.append(int(before[down[-1]]))
    return up[: up.index(down[-1]) + 1] + down[-2::-1]
