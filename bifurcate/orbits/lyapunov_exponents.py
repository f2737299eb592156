"""Lyapunov exponents along one orbit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bifurcate.deprecation import old_parameters, old_positions
from bifurcate.linalg.operators import apply
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.orbits.orbit import IterationRule, check_counts, with_values
from bifurcate.validation import check_count

__all__ = ["Exponents", "block_standard_error", "lyapunov"]


FEWEST_BLOCKS = 16  # a standard error from fewer block means is not known to a fifth of itself
SURE_ERRORS = 3.0  # standard errors by which an exponent must exceed 0 to count as positive: once in 700 by chance


@dataclass(frozen=True, eq=False)
class Exponents:
    """Lyapunov exponents along one orbit, in natural logarithms a step.

    Attributes
    ----------
    values : ndarray, shape (count,)
        By falling size; −inf where a direction was annihilated.
    errors : ndarray, shape (count,)
        One standard error of each, from the scatter of block means: of the finite orbit, not of rounding. NaN where the
        exponent is infinite or fewer than 16 steps were done.
    steps : int
        Steps over which they are averages.
    state : ndarray
        The last state.
    end : str
        As in :class:`Orbit`.
    """

    values: np.ndarray
    errors: np.ndarray
    steps: int
    state: np.ndarray
    end: str

    @property
    def chaotic(self) -> bool:
        """True if the largest exponent is positive by more than three standard errors."""
        return bool(self.values[0] > SURE_ERRORS * self.errors[0])


@old_parameters
@old_positions("steps", "transient", "count")
def lyapunov(
    map: Map,
    start: Any,
    *,
    steps: int = 10_000,
    transient: int = 1000,
    count: int = 1,
    parameters: Mapping[str, float] | None = None,
    seed: int = 0,
) -> Exponents:
    """The leading Lyapunov exponents of an orbit, with error estimates.

    ``count`` tangent vectors are carried along and made orthonormal anew at every step, by a QR factorisation; the
    exponents are the means of ln |diag R| (Benettin, Galgani, Giorgilli & Strelcyn, Meccanica 15 (1980) 9; Eckmann &
    Ruelle, Rev. Mod. Phys. 57 (1985) 617, section V.C). Successive terms are correlated, so that their error is that of
    the means of blocks: the largest found as blocks are doubled from 1 step until 16 are left (Flyvbjerg & Petersen,
    J. Chem. Phys. 91 (1989) 461).

    Parameters
    ----------
    map : Map
        What is iterated. Its own derivatives are used: the Jacobian for several exponents, else directional ones.
    start : array_like
        The first state.
    steps : int
        Steps to average over, at least 1.
    transient : int
        Steps before that, in which the orbit settles and the tangent vectors align.
    count : int
        Number of exponents, from 1 to the number of unknowns.
    parameters : mapping of str to float, optional
        Values that replace the map's own.
    seed : int
        Of the first tangent vectors, which are random.

    Returns
    -------
    Exponents
        Averages over the steps done: fewer if the orbit left the domain or diverged, see ``end``.

    Raises
    ------
    InvalidInput
        If the start, the counts or a parameter's name are unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.lyapunov(bf.maps.logistic(), [0.3], parameters={"r": 4.0})
    >>> bool(abs(found.values[0] - np.log(2)) < 3 * found.errors[0])
    True
    """
    map = with_values(map, parameters)
    x = map.check(start)
    check_counts(steps=(steps, 1, None), transient=(transient, 0, None), count=(count, 1, x.size))
    p, iterate = dict(map.parameters), IteratedMap(map, x.shape)
    frame = np.linalg.qr(np.random.default_rng(check_count("seed", seed, 0)).standard_normal((x.size, count)))[0]
    rows, end = np.empty((steps, count)), "steps"
    rule, done = IterationRule.of(map), -transient
    with np.errstate(all="ignore"):
        while done < steps:
            following = np.asarray(map.f(x, **p), dtype=float)
            end = rule.end(following, p)
            if end != "steps":
                break
            frame, stretch = _carry(iterate, x, following, frame, p)
            if done >= 0:
                rows[done] = np.log(stretch)
            x, done = following, done + 1
    rows = rows[: max(done, 0)]
    values = rows.mean(axis=0) if len(rows) else np.full(count, np.nan)
    return Exponents(values, block_standard_error(rows), len(rows), x, end)


def _carry(
    iterate: IteratedMap, x: np.ndarray, following: np.ndarray, frame: np.ndarray, p: dict[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """The frame one step later, orthonormal, and by how much it was stretched."""
    if frame.shape[1] == 1:
        moved = iterate.jvp([x.ravel(), following.ravel()], frame[:, 0], p)[:, None]
        length = np.linalg.norm(moved, axis=0)
        return (moved / length if length[0] > 0.0 else frame), length
    J = iterate.jacobian([x.ravel(), following.ravel()], p)
    frame, upper = np.linalg.qr(apply(J, frame))
    return frame, np.abs(np.diag(upper))


def block_standard_error(rows: np.ndarray) -> np.ndarray:
    """The largest standard error of the mean over blocks of 1, 2, 4, … rows, down to 16 blocks."""
    errors = np.full(rows.shape[1], np.nan if len(rows) < FEWEST_BLOCKS else 0.0)
    errors[~np.isfinite(rows).all(axis=0)] = np.nan
    known = np.isfinite(errors)
    blocks = rows[:, known]
    while len(blocks) >= FEWEST_BLOCKS:
        errors[known] = np.maximum(errors[known], blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks)))
        even = len(blocks) // 2 * 2
        blocks = 0.5 * (blocks[0:even:2] + blocks[1:even:2])
    return errors
