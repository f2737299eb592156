"""Finite-time Lyapunov exponents: growth rates over windows of an orbit, and how they are distributed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.maps.map import Map
from bifurcate.orbits.lyapunov_exponents import first_vectors
from bifurcate.orbits.orbit import OrbitEnd, with_values
from bifurcate.orbits.standard_error import block_standard_error
from bifurcate.orbits.tangent_vectors import TangentMap, follow
from bifurcate.printing import notebook_html, number_text, short_repr
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns, state_columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_count

__all__ = ["FiniteTimeExponents", "finite_time_exponents"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FiniteTimeExponents(Tabular):
    """Lyapunov exponents over successive windows of one orbit.

    Attributes
    ----------
    window : int
        Steps of each.
    values : ndarray, shape (windows, count)
        The mean logarithmic growth rates over each window, of vectors that the steps before have aligned; −inf where
        a direction was annihilated.
    errors : ndarray, shape (count,)
        What the error of the derivative adds to them, in the mean. An exponent over a window is no estimate of another
        number, so that it has no statistical error.
    states : ndarray, shape (windows, *state's shape)
        The state at which each window begins.
    end : {"steps", "domain", "diverged", "failed", "interrupted"}
        How the orbit ended, as in :class:`Orbit`; the last window is left out if it is not whole.
    detail : str
        What f raised or returned, where it failed.
    """

    window: int
    values: Array
    errors: Array
    states: Array
    end: OrbitEnd
    detail: str = ""

    __repr__ = short_repr
    _repr_html_ = notebook_html

    def __str__(self) -> str:
        if not len(self.values):
            return f"no whole window of {self.window} iterations; ended: {self.end}"
        lines = [f"exponents over {len(self.values)} windows of {self.window} iterations"]
        columns = zip(self.values.T, self.errors.tolist(), strict=True)
        for values, error in columns:
            least, mean, most = (
                number_text(float(each), error, 4) for each in (values.min(), values.mean(), values.max())
            )
            lines.append(f"  mean {mean}, from {least} to {most}")
        return "\n".join(lines)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def means(self) -> Array:
        """The exponents of the whole orbit, shape (count,)."""
        return _of_columns(np.mean, self.values)

    @property
    def mean_errors(self) -> Array:
        """Their standard errors, from the scatter of block means; NaN from fewer than 16 windows."""
        return np.hypot(block_standard_error(self.values), self.errors)

    @property
    def spreads(self) -> Array:
        """The standard deviations of the values, shape (count,); NaN from fewer than two windows."""
        return _of_columns(lambda v, axis: v.std(axis=axis, ddof=1), self.values if len(self) > 1 else self.values[:0])

    def quantiles(self, parts: Any) -> Array:
        """The values below which some parts of all lie, shape (len(parts), count).

        Raises
        ------
        InvalidInput
            If a part is not between 0 and 1.
        """
        try:
            given = np.atleast_1d(np.asarray(parts, dtype=float))
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidInput("parts must be numbers between 0 and 1") from error
        if not given.size or not ((given >= 0.0) & (given <= 1.0)).all():
            raise InvalidInput("parts must be numbers between 0 and 1")
        return _of_columns(lambda v, axis: np.quantile(v, given, axis=axis), self.values)

    def table(self) -> Columns:
        """One row a window: its number, its exponents from the largest on, and the state after it."""
        exponents = {f"exponent_{i}": column.tolist() for i, column in enumerate(self.values.T)}
        return {"window": list(range(len(self))), **exponents, **state_columns(self.states)}


def _of_columns(function: Any, values: Array) -> Array:
    """A statistic of every column; NaN if there are no rows."""
    if not len(values):
        return np.full(values.shape[1], np.nan)
    with np.errstate(all="ignore"):
        return np.asarray(function(values, axis=0))


def finite_time_exponents(
    map: Map,
    start: Any,
    *,
    window: int = 10,
    windows: int = 1000,
    transient: int = 1000,
    count: int = 1,
    parameters: Mapping[str, float] | None = None,
    seed: int = 0,
    progress: Report | bool | None = None,
) -> FiniteTimeExponents:
    """Lyapunov exponents over successive windows of an orbit: their series, and so their distribution.

    They are those of :func:`lyapunov` with means over ``window`` steps in place of all (Grassberger, Badii & Politi,
    J. Stat. Phys. 51 (1988) 135; Ott, Chaos in Dynamical Systems (2002), section 9.4). With ``window=1`` they are the
    local exponents.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    start : array_like
        The first state.
    window, windows : int
        Steps of a window, and how many windows.
    transient : int
        Iterations before the first, in which the orbit settles and the tangent vectors align.
    count : int
        Number of exponents, from 1 to the number of unknowns.
    parameters : mapping of str to float, optional
        Values that replace the map's own.
    seed : int
        Of the random first tangent vectors.
    progress : callable, bool, optional
        Called with a :class:`Progress` whenever some iterations are done; or True for a line that says how far the call
        has come, False for none. If it is not given, a line appears after two seconds in terminals and notebooks.

    Returns
    -------
    FiniteTimeExponents

    Raises
    ------
    InvalidInput
        If the start, the counts or a parameter's name are unusable.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.finite_time_exponents(bf.maps.henon(), [0.1, 0.1], window=20, windows=100, count=2)
    >>> found.values.shape, bool(np.abs(found.values.sum(axis=1) - np.log(0.3)).max() < 1e-12)
    ((100, 2), True)
    """
    for name, value in (("window", window), ("windows", windows), ("count", count)):
        check_count(name, value)
    check_count("transient", transient, least=0)
    map = with_values(map, parameters)
    x = map.check(start)
    if count > x.size:
        raise InvalidInput(f"count is {count}; it must be at most the number of unknowns, {x.size}")
    with reporting(progress, f"finite_time_exponents {map.name}", (), "iterations") as report:
        tangent = TangentMap(map, x, dict(map.parameters), report)
        settled = follow(tangent, x, first_vectors(x.size, count, seed), transient)
        if settled.end != "steps":
            nothing = np.empty((0, count))
            return FiniteTimeExponents(window, nothing, settled.errors, x[None][:0], settled.end, settled.detail)
        rates, states, errors, done = [], [], np.zeros(count), settled
        for _ in range(windows):
            begin = done.x
            done = follow(tangent, begin, done.vectors, window)
            if len(done.growth) < window:
                break
            with np.errstate(all="ignore"):
                rates.append(np.log(done.growth).mean(axis=0))
            states.append(begin)
            errors += done.errors
        values = np.array(rates).reshape(-1, count)
        seen = np.array(states).reshape(-1, *x.shape)
        return FiniteTimeExponents(window, values, errors / max(len(values), 1), seen, done.end, done.detail)
