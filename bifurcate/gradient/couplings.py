"""Ratios of mutual couplings at one state, log(Jᵢⱼ/Jⱼᵢ): are they differences of logarithms of a metric?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from bifurcate.gradient.certificates import Coupling, CouplingCycle
from bifurcate.gradient.derivative_errors import TINY, entries, probed, still
from bifurcate.gradient.field import EPS, SURE, Field, worst_of

__all__ = [
    "Ratios",
    "logarithms",
    "potentials",
    "ratios",
    "unresolved",
    "worst_coupling",
    "worst_cycle",
]

# A coupling counts as one-way if its counterpart changes no bit and a metric's entries, in units of the states' sizes,
# would have to differ by more than this: doubles resolve 1e16.
LOPSIDED = 1e10
TRIES = 4  # pairs of couplings that are looked at closely, of either kind


@dataclass(frozen=True, eq=False)
class Ratios:
    """What a state says of a diagonal metric.

    Attributes
    ----------
    state : ndarray, shape (n,)
    J : ndarray, shape (n, n)
    noise : ndarray, shape (n, n)
        Errors of the entries of J.
    log : ndarray, shape (n, n)
        log(Jᵢⱼ/Jⱼᵢ), which has to be log mⱼ − log mᵢ; 0 where it is not known.
    error : ndarray, shape (n, n)
        Its error; infinite where it is not known.
    size : ndarray, shape (n,)
        Typical magnitudes of the coordinates.
    """

    state: np.ndarray
    J: np.ndarray
    noise: np.ndarray
    log: np.ndarray
    error: np.ndarray
    size: np.ndarray


def ratios(field: Field, x: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> Ratios:
    """The ratios at x."""
    J = field.jacobian(x)
    noise = probed(field, x, J, size, rng)
    log, error = logarithms(J, J.T, noise, noise.T)
    np.fill_diagonal(error, np.inf)
    np.fill_diagonal(log, 0.0)
    return Ratios(x, J, noise, log, error, size)


def logarithms(
    forward: np.ndarray, backward: np.ndarray, noise: np.ndarray, back: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """log(forward/backward) and its error where both exceed ten times their noise and have one sign."""
    known = (np.abs(forward) > SURE * noise) & (np.abs(backward) > SURE * back)
    known &= np.sign(forward) == np.sign(backward)
    log, error = np.zeros(forward.shape), np.full(forward.shape, np.inf)
    a, b = np.abs(forward[known]), np.abs(backward[known])
    log[known] = np.log(a) - np.log(b)
    error[known] = noise[known] / a + back[known] / b + 8.0 * EPS
    return log, error


def worst_coupling(field: Field, found: Ratios) -> Coupling | None:
    """The pair of couplings that contradicts most clearly, if one does."""
    beyond = _beyond(found)
    opposite = np.where(np.sign(found.J) * np.sign(found.J.T) < 0.0, np.minimum(beyond, beyond.T), 0.0)
    one_way = np.where(found.J.T == 0.0, beyond, 0.0)
    for clear, certified in ((np.triu(opposite, 1), _opposite), (one_way, _one_way)):
        for at in np.argsort(-clear, axis=None, kind="stable")[:TRIES]:
            i, j = (int(k) for k in np.unravel_index(at, clear.shape))
            if clear[i, j] > SURE and (shown := certified(field, found, i, j)) is not None:
                return shown
    return None


def _beyond(found: Ratios) -> np.ndarray:
    """By how many times their noise the couplings differ from 0."""
    with np.errstate(over="ignore"):
        beyond = np.abs(found.J) / np.maximum(found.noise, TINY)
    np.fill_diagonal(beyond, 0.0)
    return np.asarray(np.nan_to_num(beyond, nan=0.0))


def _opposite(field: Field, found: Ratios, i: int, j: int) -> Coupling | None:
    error = _errors(field, found, [i, j])
    pair = Coupling(
        found.state.reshape(field.shape), i, j, *_both(found.J, i, j), float(error[0, 1]), float(error[1, 0])
    )
    return pair if pair.clear > SURE else None


def _one_way(field: Field, found: Ratios, i: int, j: int) -> Coupling | None:
    """Certified if Jⱼᵢ, were it not 0, would be negligible beside Jᵢⱼ and beside what else moves xⱼ.

    The latter tells a coordinate that does not feel another from one that hardly moves at all, as in a steep metric.
    """
    bound, size = still(field, found.state, found.J, j, i, found.size), found.size
    moved = np.where(np.abs(found.J[j]) > SURE * found.noise[j], np.abs(found.J[j]) * size, 0.0)
    forward = abs(found.J[i, j]) * (size[j] / size[i]) * size[j]
    if not min(forward, moved.max()) > LOPSIDED * bound * size[i]:
        return None
    error = float(_errors(field, found, [i, j])[0, 1])
    pair = Coupling(found.state.reshape(field.shape), i, j, *_both(found.J, i, j), error, bound)
    return pair if pair.clear > SURE else None


def _both(J: np.ndarray, i: int, j: int) -> tuple[float, float]:
    return float(J[i, j]), float(J[j, i])


def _errors(field: Field, found: Ratios, which: list[int]) -> np.ndarray:
    """The errors of couplings among a few coordinates, once more and each by itself."""
    return np.asarray(
        np.maximum(found.noise[np.ix_(which, which)], entries(field, found.state, found.J, which, found.size)) + TINY
    )


def unresolved(found: list[Ratios], group: np.ndarray) -> str:
    """What cannot be said of groups of coordinates because a coupling is known and its counterpart is nowhere."""
    never = ~np.any([np.isfinite(each.error) for each in found], axis=0) & (group[:, None] != group[None, :])
    clear = [np.where(never & (_beyond(each).T <= SURE), _beyond(each), 0.0) for each in found]
    s, i, j = np.unravel_index(int(np.argmax(clear)), np.shape(clear))
    if not clear[s][i, j] > SURE:
        return ""
    forward, least = abs(float(found[s].J[i, j])), SURE * float(found[s].noise[j, i])
    quotient = f": a metric there has m[{j}]/m[{i}] > {forward / least:.1e}" if 0.0 < least < np.inf else ""
    return f"J[{i},{j}] = {found[s].J[i, j]:.3g} but J[{j},{i}] could not be resolved (below {least:.1e}){quotient}"


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


def worst_cycle(field: Field, found: Ratios) -> tuple[CouplingCycle | None, int, float, float]:
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
    doubt = _errors(field, found, way)
    at = [(way.index(a), way.index(b)) for a, b in steps]
    each = [doubt[a, b] / abs(found.J[way[a], way[b]]) + doubt[b, a] / abs(found.J[way[b], way[a]]) for a, b in at]
    bound = float(max(error[i, j], np.sum(each))) * max(abs(forward), abs(backward))
    if not abs(forward - backward) > SURE * bound:
        return None, number, worst, resolution
    return (
        CouplingCycle(found.state.reshape(field.shape), tuple(way), forward, backward, bound),
        number,
        worst,
        resolution,
    )


def _between(before: np.ndarray, i: int, j: int) -> list[int]:
    """The way from i to j in the tree."""
    up = [i]
    while before[up[-1]] >= 0:
        up.append(int(before[up[-1]]))
    down = [j]
    while down[-1] not in up:
        down.append(int(before[down[-1]]))
    return up[: up.index(down[-1]) + 1] + down[-2::-1]
