"""Lyapunov exponents along one orbit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.deprecation import old_parameters, old_positions
from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.orbits.compiled_exponents import exponents_loop
from bifurcate.orbits.compiled_loops import CompiledRule
from bifurcate.orbits.covariant_vectors import covariant_vectors
from bifurcate.orbits.orbit import DIVERGED, IterationRule, OrbitEnd, with_values
from bifurcate.orbits.standard_error import block_standard_error
from bifurcate.orbits.tangent_vectors import TangentMap, follow
from bifurcate.printing import notebook_html, number_text, short_repr
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_count, check_flag, check_seed

__all__ = ["Exponents", "first_vectors", "kaplan_yorke", "lyapunov", "summarised"]

Array = NDArray[np.float64]

# Standard errors by which an exponent must exceed 0 to count as positive: by chance that happens once in 700 times.
SURE_ERRORS = 3.0


@dataclass(frozen=True, eq=False)
class Exponents(Tabular):
    """Lyapunov exponents along one orbit: growth rates per iteration, in natural logarithms.

    Attributes
    ----------
    values : ndarray, shape (count,)
        The exponents, by falling size; −inf where a direction was annihilated, to rounding of the state or of the
        derivative: along a superstable cycle.
    errors : ndarray, shape (count,)
        The standard error of each, from the scatter of block means, and what the error of the derivative adds to it.
        NaN where the exponent is infinite or fewer than 16 steps were done.
    steps : int
        Iterations over which they are averages.
    state : ndarray
        The last state.
    end : {"steps", "domain", "diverged", "failed", "interrupted"}
        How the orbit ended, as in :class:`Orbit`.
    detail : str
        What f raised or returned, where it failed.
    kaplan_yorke : float
        The Kaplan–Yorke dimension; NaN if more exponents than were asked for decide it.
    kaplan_yorke_error : float
        Its standard error; inf where it is not known on which side of 0 a sum of exponents is.
    states, vectors : ndarray or None, shapes (steps, *state's shape), (steps, n, count)
        The states over which exponents are averaged, and the covariant Lyapunov vectors there, if they were asked for:
        unit vectors, one a column, of which the Jacobian takes each to a multiple of the one at the next state.
    vector_errors : ndarray or None, shape (steps, count)
        The sine of the angle between each and the one that other first vectors lead to.
    """

    values: Array
    errors: Array
    steps: int
    state: Array
    end: OrbitEnd
    detail: str = ""
    kaplan_yorke: float = np.nan
    kaplan_yorke_error: float = np.nan
    states: Array | None = None
    vectors: Array | None = None
    vector_errors: Array | None = None

    __repr__ = short_repr
    _repr_html_ = notebook_html

    def __str__(self) -> str:
        pairs = zip(self.values.tolist(), self.errors.tolist(), strict=True)
        ended = "" if self.end == "steps" else f"; ended: {self.end}"
        lines = [f"Lyapunov exponents over {self.steps} iterations{ended}"]
        lines += [f"  {number_text(value, error, 6)} ± {error:.1g}" for value, error in pairs]
        if np.isfinite(self.kaplan_yorke):
            lines.append(f"  Kaplan–Yorke dimension {self.kaplan_yorke:.6g} ± {self.kaplan_yorke_error:.1g}")
        return "\n".join(lines + ([f"  {self.detail}"] if self.detail else []))

    @property
    def chaotic(self) -> bool:
        """True if the largest exponent is positive by more than three standard errors."""
        return bool(self.values[0] > SURE_ERRORS * self.errors[0])

    def table(self) -> Columns:
        """One row an exponent, from the largest on: its number, its value and error."""
        return {
            "number": list(range(len(self.values))),
            "exponent": self.values.tolist(),
            "exponent_error": self.errors.tolist(),
        }


@old_parameters
@old_positions("steps", "transient", "count")
def lyapunov(
    map: Map,
    start: Any,
    *,
    steps: int = 10_000,
    transient: int = 1000,
    count: int = 1,
    vectors: bool = False,
    parameters: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Report | bool | None = None,
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
    vectors : bool
        Compute the covariant Lyapunov vectors, too (Ginelli et al., Phys. Rev. Lett. 99 (2007) 130601): the orbit is
        followed for ``transient`` steps more, and coefficients in the orthonormal vectors go back along it. Everything
        is done twice, from other first vectors, and kept: 8·steps·count·(2n + count) bytes and more.
    parameters : mapping of str to float, optional
        Values that replace the map's own.
    seed : int
        Of the random first tangent vectors.
    progress : callable, bool, optional
        Called with a :class:`Progress` whenever some iterations are done; or True for a line that says how far the call
        has come, False for none. If it is not given, a line appears after two seconds in terminals and notebooks.

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
    check_flag("vectors", vectors)
    map = with_values(map, parameters)
    x = map.check(start)
    if count > x.size:
        raise InvalidInput(f"count is {count}; it must be at most the number of unknowns, {x.size}")
    p, Q = dict(map.parameters), first_vectors(x.size, count, seed)
    if not vectors and (compiled := CompiledRule.of(IterationRule.of(map), DIVERGED)) is not None:
        return _compiled(compiled, x, Q, p, transient, steps)
    with reporting(progress, f"lyapunov {map.name}", (), "iterations") as report:
        tangent = TangentMap(map, x, p, report)
        if vectors:
            return _with_vectors(tangent, x, Q, transient, steps, seed)
        found = follow(tangent, x, Q, transient)
        growth = np.empty((0, count))
        if found.end == "steps":
            found = follow(tangent, found.x, found.vectors, steps)
            growth = found.growth
    return summarised(growth, found.errors, found.x, found.end, found.detail)


def first_vectors(n: int, count: int, seed: int) -> Array:
    """Random orthonormal tangent vectors, shape (n, count)."""
    return np.asarray(np.linalg.qr(np.random.default_rng(check_seed(seed)).standard_normal((n, count)))[0])


def summarised(growth: Array, floors: Array, x: Array, end: OrbitEnd, detail: str = "", **more: Any) -> Exponents:
    """The exponents, and what follows from them, of the growth along an orbit.

    Parameters
    ----------
    growth : ndarray, shape (steps, count)
    floors : ndarray, shape (count,)
        Errors of the exponents that the derivative's cause.
    x, end, detail
        As in :class:`Exponents`.
    """
    with np.errstate(all="ignore"):
        rates = np.log(growth)
        values = rates.mean(axis=0) if len(rates) else np.full(growth.shape[1], np.nan)
        errors = np.hypot(block_standard_error(rates), floors)
        dimension = kaplan_yorke(rates, x.size, floors)
    return Exponents(values, errors, len(rates), x, end, detail, *dimension, **more)


def _with_vectors(tangent: TangentMap, x: Array, Q: Array, transient: int, steps: int, seed: int) -> Exponents:
    """Exponents with covariant vectors: from two runs whose first vectors differ, by which their error is known."""
    found = covariant_vectors(tangent, x, Q, first_vectors(x.size, Q.shape[1], seed + 1), transient, steps, seed)
    return summarised(
        found.growth, found.floors, found.x, found.end, found.detail,
        states=found.states, vectors=found.vectors, vector_errors=found.errors,
    )  # fmt: skip


def _compiled(
    rule: CompiledRule, x: Array, vectors: Array, p: dict[str, float], transient: int, steps: int
) -> Exponents:
    """The exponents of an accelerated map, by compiled loops."""
    x, vectors, _, _, end = exponents_loop(rule, x, vectors, p, transient)
    growth = np.empty((0, vectors.shape[1]))
    if end == "steps":
        x, _, growth, _, end = exponents_loop(rule, x, vectors, p, steps)
    return summarised(growth, np.zeros(vectors.shape[1]), x, end)


def kaplan_yorke(rates: Array, n: int, floors: Array) -> tuple[float, float]:
    """The Kaplan–Yorke dimension of a series of growth rates, and its standard error.

    With the largest j for which S = λ₁ + … + λ_j ≥ 0 it is j + S/|λ_{j+1}|; its error is that of the mean of the series
    to which it is linear near its value, so that what the exponents' errors have in common is taken into account.
    """
    if not len(rates):
        return np.nan, np.nan
    values = rates.mean(axis=0)
    sums = np.cumsum(values)
    j = int(np.argmax(sums < 0.0)) if (sums < 0.0).any() else len(values)
    if j == len(values):
        return (float(n), 0.0) if j == n and np.isfinite(sums).all() else (np.nan, np.nan)
    partial = np.column_stack([rates[:, : i + 1].sum(axis=1) for i in range(j + 1)])
    spread = np.hypot(block_standard_error(partial), np.sqrt(np.cumsum(floors[: j + 1] ** 2)))
    before = float(sums[j - 1]) if j else 0.0
    decided = before > SURE_ERRORS * spread[j - 1] if j else True
    known = not np.isfinite(sums[j]) or -sums[j] > SURE_ERRORS * spread[j]
    if not (decided and known):  # on the other side of 0 the dimension is another one
        dimension = j + before / abs(values[j]) if j else 0.0
        return float(dimension), np.inf
    if j == 0:
        return 0.0, 0.0
    if not np.isfinite(values[j]):
        return float(j), 0.0
    size = abs(values[j])
    linear = rates[:, :j].sum(axis=1) / size + before / size**2 * rates[:, j]
    error = float(block_standard_error(linear[:, None])[0])
    return j + before / size, float(np.hypot(error, np.abs(floors[: j + 1]).sum() / size))
