"""Solutions: what became of many guesses, as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.maps.batches import HOW_TO_BROADCAST
from bifurcate.maps.map import Map
from bifurcate.newton.solve import Solution, solve
from bifurcate.printing import notebook_html, short_repr
from bifurcate.storage.tables import Columns, state_columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import is_whole_number, shown

__all__ = ["Solutions"]

PRINTED_ROWS = 8  # rows that a table prints
PRINTED_NUMBERS = 3  # numbers of each state that it prints


@dataclass(frozen=True, eq=False)
class Solutions(Tabular):
    """What Newton's method found from many guesses: one row for each.

    Attributes
    ----------
    states : ndarray, shape (N, *state's)
        One point of each fixed point or cycle; where a guess failed, where it ended.
    parameters : mapping of str to (float or ndarray of shape (N,))
        All parameters: arrays where they vary from row to row.
    periods : ndarray of int, shape (N,)
        The least period; 0 where a guess failed.
    residuals : ndarray, shape (N,)
        ‖f^k(x) − x‖_∞ at the end; in multiple shooting the largest of all ‖f(x_i) − x_{i+1}‖_∞.
    iterations : ndarray of int, shape (N,)
        Newton steps.
    converged : ndarray of bool, shape (N,)
    multipliers : ndarray of complex, shape (N, n)
        By falling modulus; NaN where a guess failed.
    stable : ndarray of bool, shape (N,)
        True where all multipliers lie inside the unit circle.
    isolated : ndarray of bool, shape (N,)
        False where a solution is one of a manifold of them, as ``Solution.manifold`` says, and where a guess failed.
    reasons : tuple of str
        Why a guess failed, in words; "" where it did not.
    layout : {"trailing", "leading", "single"}
        How f was called: in batches of shape (*state's, m) or (m, *state's), or for one state at a time.
    map : Map or None
        What they are solutions of.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.solve_many(bf.maps.logistic(), [[0.6]], parameters={"r": [2.5, 4.0]})
    >>> print(found)
    2 guesses: 2 converged, 1 of them stable
      period 1, stable  : 0.6
      period 1, unstable: 0.75
    """

    states: NDArray[np.float64]
    parameters: Mapping[str, Any]
    periods: NDArray[np.int_]
    residuals: NDArray[np.float64]
    iterations: NDArray[np.int_]
    converged: NDArray[np.bool_]
    multipliers: NDArray[np.complex128]
    stable: NDArray[np.bool_]
    isolated: NDArray[np.bool_]
    reasons: tuple[str, ...]
    layout: str
    map: Map | None = None

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "print(solutions), bf.cycles(map, free, solutions[0])"
    _repr_html_ = notebook_html

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, number: int) -> Solution:
        """The solution of a row, as :func:`solve` finds it from there.

        Raises
        ------
        InvalidInput
            If there is no such row.
        NotConverged
            If its guess failed.
        """
        if not is_whole_number(number):
            raise InvalidInput(f"a row is asked for by its number, got {shown(number)}")
        if not -len(self) <= number < len(self):
            raise IndexError(f"there are {len(self)} rows, no row {number}")
        if not self.converged[number]:
            raise NotConverged(self.reasons[number], self.states[number], (float(self.residuals[number]),), "")
        if self.map is None:
            raise InvalidInput("the map is not known: load the file with map=")
        values = {name: float(np.broadcast_to(v, len(self))[number]) for name, v in self.parameters.items()}
        return solve(self.map.replace(**values), self.states[number], period=int(self.periods[number]))

    def __str__(self) -> str:
        good = int(self.converged.sum())
        lines = [f"{len(self)} guesses: {good} converged, {int(self.stable.sum())} of them stable"]
        for i in np.flatnonzero(self.converged)[:PRINTED_ROWS].tolist():
            state = np.array2string(self.states[i].ravel()[:PRINTED_NUMBERS], precision=9).strip("[]")
            more = " …" if self.states[i].size > PRINTED_NUMBERS else ""
            lines.append(f"  period {self.periods[i]}, {'stable  ' if self.stable[i] else 'unstable'}: {state}{more}")
        if good > PRINTED_ROWS:
            lines.append(f"  … {good - PRINTED_ROWS} more")
        counts = Counter(reason for reason in self.reasons if reason)
        lines += [f"  failed: {number} × {reason}" for reason, number in counts.items()]
        if self.layout == "single" and len(self) > 1:
            lines.append(f"  hint: {HOW_TO_BROADCAST}")
        return "\n".join(lines)

    def table(self) -> Columns:
        """One row a solution: parameters, state, period, stability, residual, and why it did not converge, if so."""
        size = len(self)
        table: Columns = {name: np.broadcast_to(value, size).tolist() for name, value in self.parameters.items()}
        table |= state_columns(self.states)
        for name in ("periods", "stable", "isolated", "residuals", "iterations", "converged"):
            table[name.removesuffix("s") if name.endswith(("ods", "als")) else name] = getattr(self, name).tolist()
        table["largest_multiplier_abs"] = np.abs(self.multipliers).max(axis=1, initial=0.0).tolist()
        return {**table, "reason": list(self.reasons)}
