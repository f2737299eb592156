"""Lyapunov exponents along one orbit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.deprecation import old_parameters, old_positions
from bifurcate.errors import InvalidInput, MapFailed
from bifurcate.linalg.operators import apply
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.map import Map
from bifurcate.orbits.compiled_exponents import exponents_loop
from bifurcate.orbits.compiled_loops import CompiledRule
from bifurcate.orbits.orbit import DIVERGED, IterationRule, OrbitEnd, next_state, with_values
from bifurcate.printing import notebook_html
from bifurcate.validation import check_count, check_seed

__all__ = ["Exponents", "block_standard_error", "lyapunov"]

Array = NDArray[np.float64]

# Blocks of which a standard error is taken, at the least: from fewer it would itself be wrong by more than 1/√(2·15),
# about a fifth.
FEWEST_BLOCKS = 16
# Standard errors by which an exponent must exceed 0 to count as positive: by chance that happens once in 700 times.
SURE_ERRORS = 3.0


@dataclass(frozen=True, eq=False)
class Exponents:
    """Lyapunov exponents along one orbit: growth rates per iteration, in natural logarithms.

    Attributes
    ----------
    values : ndarray, shape (count,)
        The exponents, by falling size; −inf where a direction was annihilated.
    errors : ndarray, shape (count,)
        The standard error of each, from the scatter of block means: that of the finite orbit, not of rounding. NaN
        where the exponent is infinite or fewer than 16 steps were done.
    steps : int
        Iterations over which they are averages.
    state : ndarray
        The last state.
    end : {"steps", "domain", "diverged", "failed", "interrupted"}
        How the orbit ended, as in :class:`Orbit`.
    detail : str
        What f raised or returned, where it failed.
    """

    values: Array
    errors: Array
    steps: int
    state: Array
    end: OrbitEnd
    detail: str = ""

    _repr_html_ = notebook_html

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

    ``count`` tangent vectors are mapped along the orbit and made orthonormal again after every step, by a QR
    factorisation; the exponents are the means of ln |diag R| (Benettin, Galgani, Giorgilli & Strelcyn, Meccanica 15
    (1980) 9; Eckmann & Ruelle, Rev. Mod. Phys. 57 (1985) 617, section V.C). Successive terms are correlated. The error
    is therefore that of block means: the largest one as the blocks are doubled from 1 step on until 16 are left
    (Flyvbjerg & Petersen, J. Chem. Phys. 91 (1989) 461).

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters). Its own derivatives are used: the Jacobian for several exponents, else directional ones.
    start : array_like
        The first state.
    steps : int
        Iterations to average over, at least 1.
    transient : int
        Iterations before that, in which the orbit settles and the tangent vectors align.
    count : int
        Number of exponents, from 1 to the number of unknowns.
    parameters : mapping of str to float, optional
        Values that replace the map's own.
    seed : int
        Of the random first tangent vectors.

    Returns
    -------
    Exponents
        Averages over the steps done: fewer if the orbit left the domain or diverged, or f failed; see ``end``.

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
    check_count("steps", steps)
    check_count("transient", transient, least=0)
    check_count("count", count)
    map = with_values(map, parameters)
    x = map.check(start)
    if count > x.size:
        raise InvalidInput(f"count is {count}; it must be at most the number of unknowns, {x.size}")
    p, iterate, rule = dict(map.parameters), IteratedMap(map, x.shape), IterationRule.of(map)
    vectors = np.linalg.qr(np.random.default_rng(check_seed(seed)).standard_normal((x.size, count)))[0]
    if (compiled := CompiledRule.of(rule, DIVERGED)) is not None:
        return _compiled(compiled, x, vectors, p, transient, steps)
    rates, done = np.empty((steps, count)), -transient
    end: OrbitEnd = "steps"
    detail = ""
    with np.errstate(all="ignore"):
        try:
            while done < steps:
                following = next_state(rule, x, p)
                end = rule.end(following, p)
                if end != "steps":
                    break
                vectors, growth = _map_vectors(iterate, x, following, vectors, p)
                if done >= 0:
                    rates[done] = np.log(growth)
                x, done = following, done + 1
        except MapFailed as error:
            end, detail = "failed", str(error)
        except KeyboardInterrupt:
            end = "interrupted"
    rates = rates[: max(done, 0)]
    return Exponents(
        values=rates.mean(axis=0) if len(rates) else np.full(count, np.nan),
        errors=block_standard_error(rates),
        steps=len(rates),
        state=x,
        end=end,
        detail=detail,
    )


def _compiled(
    rule: CompiledRule, x: Array, vectors: Array, p: dict[str, float], transient: int, steps: int
) -> Exponents:
    """The exponents of an accelerated map, by compiled loops."""
    x, vectors, _, _, end = exponents_loop(rule, x, vectors, p, transient)
    growth = np.empty((0, vectors.shape[1]))
    if end == "steps":
        x, _, growth, _, end = exponents_loop(rule, x, vectors, p, steps)
    with np.errstate(all="ignore"):
        rates = np.log(growth)
        values = rates.mean(axis=0) if len(rates) else np.full(vectors.shape[1], np.nan)
        return Exponents(values, block_standard_error(rates), len(rates), x, end)


def _map_vectors(
    iterate: IteratedMap, x: Array, following: Array, vectors: Array, p: dict[str, float]
) -> tuple[Array, Array]:
    """The tangent vectors one step later, made orthonormal, and the factors by which they grew, |diag R|.

    Parameters
    ----------
    iterate : IteratedMap
        f, iterated once.
    x, following : ndarray, of the state's shape
        The state, and f of it.
    vectors : ndarray, shape (n, count)
        Orthonormal tangent vectors at x.
    p : dict
        All parameters.
    """
    orbit = [x.ravel(), following.ravel()]
    if vectors.shape[1] == 1:
        image = iterate.jvp(orbit, vectors[:, 0], p)[:, None]
        length = np.linalg.norm(image, axis=0)
        return (image / length if length[0] > 0.0 else vectors), length
    Q, R = np.linalg.qr(apply(iterate.jacobian(orbit, p), vectors))
    return Q, np.abs(np.diag(R))


def block_standard_error(rows: Array) -> Array:
    """The largest standard error of the mean, over blocks of 1, 2, 4, … rows, as long as there are 16 blocks.

    Parameters
    ----------
    rows : ndarray, shape (steps, count)
        One series a column.

    Returns
    -------
    ndarray, shape (count,)
        NaN for a column that is not finite, and for all of them if there are fewer than 16 rows.
    """
    errors = np.full(rows.shape[1], np.nan if len(rows) < FEWEST_BLOCKS else 0.0)
    errors[~np.isfinite(rows).all(axis=0)] = np.nan
    known = np.isfinite(errors)
    blocks = rows[:, known]
    while len(blocks) >= FEWEST_BLOCKS:
        errors[known] = np.maximum(errors[known], blocks.std(axis=0, ddof=1) / np.sqrt(len(blocks)))
        even = len(blocks) // 2 * 2
        blocks = 0.5 * (blocks[0:even:2] + blocks[1:even:2])
    return errors
