"""ManyBranches: branches that were traced together, as arrays of all their points."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import find_kind
from bifurcate.continuation.branch import Branch
from bifurcate.continuation.step_control import StepControl
from bifurcate.continuation.trace import trace
from bifurcate.curves.cycle import cycles
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.maps.map import Map
from bifurcate.printing import count_labels, notebook_html, range_text, short_repr
from bifurcate.storage.tables import Columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import is_whole_number, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["FAILED", "ManyBranches", "SpecialPoints"]

Array = NDArray[np.float64]

FAILED = "no start"  # both ends of a branch whose guess led to no solution


@dataclass(frozen=True, eq=False)
class SpecialPoints:
    """Special points of many branches, by branch and along it.

    Attributes
    ----------
    branches : ndarray of int, shape (e,)
        On which branch each one lies.
    kinds : tuple of str
        "fold", "flip", "neimark-sacker" or "branch point".
    values : ndarray, shape (e,)
        The free parameter.
    errors : ndarray, shape (e,)
        Its error.
    states : ndarray, shape (e, *S)
    multipliers : ndarray of complex, shape (e, n)
    multiplicities : ndarray of int, shape (e,)
        How many multipliers, or pairs of them, cross the unit circle there at once.
    """

    branches: NDArray[np.int_]
    kinds: tuple[str, ...]
    values: Array
    errors: Array
    states: Array
    multipliers: NDArray[np.complex128]
    multiplicities: NDArray[np.int_]

    __repr__ = short_repr

    def __len__(self) -> int:
        return len(self.values)

    def of(self, kind: str) -> SpecialPoints:
        """Those of one kind, by its name or its label.

        Raises
        ------
        InvalidInput
            If there is no such kind.
        """
        name = find_kind(kind).name
        return self._choose(np.array([each == name for each in self.kinds], dtype=bool))

    def on(self, branch: int) -> SpecialPoints:
        """Those of one branch."""
        return self._choose(self.branches == branch)

    def _choose(self, which: NDArray[np.bool_]) -> SpecialPoints:
        kinds = tuple(kind for kind, chosen in zip(self.kinds, which.tolist()) if chosen)
        return SpecialPoints(
            branches=self.branches[which],
            kinds=kinds,
            values=self.values[which],
            errors=self.errors[which],
            states=self.states[which],
            multipliers=self.multipliers[which],
            multiplicities=self.multiplicities[which],
        )


@dataclass(frozen=True, eq=False)
class ManyBranches(Tabular):
    """Branches of cycles of one map in one free parameter, traced together.

    The points of branch i are ``slice(offsets[i], offsets[i + 1])`` of the arrays over all points; none where its guess
    led to no solution.

    Attributes
    ----------
    free : str
        The parameter along which they run.
    bounds : (float, float)
    parameters : mapping of str to (float or ndarray of shape (N,))
        All other parameters.
    period : int
    offsets : ndarray of int, shape (N + 1,)
    values : ndarray, shape (P,)
        The free parameter at all points.
    states : ndarray, shape (P, *S)
    multipliers : ndarray of complex, shape (P, n)
        By falling modulus.
    stable : ndarray of bool, shape (P,)
        True where all multipliers lie inside the unit circle.
    arclength : ndarray, shape (P,)
        Along each branch, 0 at its start.
    special : SpecialPoints
        Of all branches.
    stops : tuple of (str, str)
        Why each branch ends at its first and at its last point, with the words of ``errors.StopReason``.
    reasons : tuple of str
        Why a guess led to no branch; "" where it did.
    doubts : ndarray of int, shape (N,)
        Steps of each branch in which multipliers changed and no special point explains it.
    starts : ndarray, shape (N, *S)
        Where branches started.
    start_values : ndarray, shape (N,)
        The free parameter there.
    control : StepControl
    map : Map or None

    Examples
    --------
    >>> import bifurcate as bf
    >>> b = np.linspace(0.1, 0.5, 5)
    >>> print(bf.trace_many(bf.maps.henon(a=0.1), "a", [[0.6, 0.2]], {"a": (-1.0, 1.0)}, parameters={"b": b}))
    ... # doctest: +ELLIPSIS
    5 branches of henon, period 1: ... points, a from ... to 1
      5 LP, 5 PD
      ends: 5 × bound, 5 × escaped
    """

    free: str
    bounds: tuple[float, float]
    parameters: Mapping[str, Any]
    period: int
    offsets: NDArray[np.int_]
    values: Array
    states: Array
    multipliers: NDArray[np.complex128]
    stable: NDArray[np.bool_]
    arclength: Array
    special: SpecialPoints
    stops: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    doubts: NDArray[np.int_]
    starts: Array
    start_values: Array
    control: StepControl
    map: Map | None = None

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "print(branches), bf.plot.many_branches(branches), branches.branch(0)"
    _repr_html_ = notebook_html

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def points_of(self, number: int) -> slice:
        """Where the points of a branch are in the arrays over all points.

        Raises
        ------
        InvalidInput, IndexError
            If there is no such branch.
        """
        if not is_whole_number(number):
            raise InvalidInput(f"a branch is asked for by its number, got {shown(number)}")
        if not -len(self) <= number < len(self):
            raise IndexError(f"there are {len(self)} branches, no branch {number}")
        i = number % len(self)
        return slice(int(self.offsets[i]), int(self.offsets[i + 1]))

    def parameters_of(self, number: int) -> dict[str, float]:
        """The other parameters of a branch."""
        self.points_of(number)
        return {name: float(np.broadcast_to(value, len(self))[number]) for name, value in self.parameters.items()}

    def branch(self, number: int) -> Branch:
        """One branch by itself, as :func:`trace` follows it from the same start: with all special points and curves.

        Raises
        ------
        NotConverged
            If its guess led to no solution.
        """
        points = self.points_of(number)
        if points.start == points.stop:
            raise NotConverged(self.reasons[number], self.starts[number], (float("nan"),), "")
        if self.map is None:
            raise InvalidInput("the map is not known: load the file with map=")
        map = self.map.replace(**self.parameters_of(number), **{self.free: float(self.start_values[number])})
        curve = cycles(map, self.free, self.starts[number], period=self.period)
        return trace(curve, {self.free: self.bounds}, control=self.control, progress=False)

    def table(self) -> Columns:
        """One row a point: its branch, all parameters, state, largest multiplier, stability."""
        counts = np.diff(self.offsets)
        table: Columns = {"branch": np.repeat(np.arange(len(self)), counts).tolist()}
        for name, value in self.parameters.items():
            table[name] = np.repeat(np.broadcast_to(value, len(self)), counts).tolist()
        table[self.free] = self.values.tolist()
        for i, column in enumerate(self.states.reshape(len(self.values), -1).T):
            table[f"x{i}"] = column.tolist()
        table["largest multiplier"] = np.abs(self.multipliers).max(axis=1, initial=0.0).tolist()
        table["stable"] = self.stable.tolist()
        return table

    def table_attributes(self) -> dict[str, Any]:
        """The free parameter and the period."""
        return {"free": self.free, "period": self.period}

    def plot(self, observable: int = 0, *, ax: Axes | None = None) -> Axes:
        """Draw all branches, by :func:`bifurcate.plot.many_branches`."""
        drawn: Axes = importlib.import_module("bifurcate.plot.branches_together").many_branches(self, observable, ax=ax)
        return drawn

    def __str__(self) -> str:
        name = "a map" if self.map is None else self.map.name
        head = f"{len(self)} branches of {name}, period {self.period}: {len(self.values)} points"
        lines = [head + (f", {range_text(self.free, self.values)}" if len(self.values) else "")]
        if len(self.special):
            lines.append(f"  {count_labels(find_kind(kind).label for kind in self.special.kinds)}")
        ends = Counter(end for pair in self.stops for end in pair if end != FAILED)
        lines.append("  ends: " + ", ".join(f"{count} × {end}" for end, count in sorted(ends.items())))
        lines += [f"  no branch: {count} × {reason}" for reason, count in Counter(filter(None, self.reasons)).items()]
        if self.doubts.any():
            lines.append(f"  {int(self.doubts.sum())} steps in which multipliers changed unexplained")
        return "\n".join(lines)
