"""FoundCycles: the cycles of a period in a box, and what is known about there being no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bifurcate.continuation.branch import Branch
from bifurcate.continuation.branch_matching import BranchLocator
from bifurcate.continuation.trace import trace
from bifurcate.curves.curve import Curve
from bifurcate.curves.cycle import cycles as cycles_curve
from bifurcate.curves.metric import Metric
from bifurcate.maps.map import Map
from bifurcate.newton.solve import Solution
from bifurcate.printing import notebook_html, short_repr
from bifurcate.storage.tables import Columns, solutions_table
from bifurcate.storage.tabular import Tabular

if TYPE_CHECKING:
    from bifurcate.proofs.all_cycles import AllCycles

__all__ = ["Entropy", "FoundCycles", "SearchEvidence"]

PRINTED_CYCLES = 12  # that a table prints
PRINTED_NUMBERS = 3  # of each state


class Entropy(NamedTuple):
    """An estimate of the topological entropy.

    Attributes
    ----------
    value : float
        ln(N)/k, with N the number of fixed points of f^k that were found; NaN where there is none.
    error : float
        How far it may be off: N = c exp(h k) with a factor c that is not known, by (ln 2)/k or by as much as the
        estimate from the longest shorter period differs, whichever is more.
    """

    value: float
    error: float


@dataclass(frozen=True)
class SearchEvidence:
    """What a search for the cycles of one period did.

    Attributes
    ----------
    period : int
    starts : int
        Newton iterations begun.
    converged : int
        Those that ended at a solution of f^k(x) = x, of any least period.
    hits : int
        Those that ended at a cycle of this least period.
    distinct : int
        How many cycles these are, in the box or not.
    seen_once : int
        How many of them were met once only.
    last_new : int
        By which start the last new one was met; 0 if there is none.
    missing : float
        A lower bound, in the mean, of how many cycles the starts have not met (Chao 1984).
    stop : str
        Why the search ended.
    """

    period: int
    starts: int
    converged: int
    hits: int
    distinct: int
    seen_once: int
    last_new: int
    missing: float
    stop: str

    def __str__(self) -> str:
        return (
            f"period {self.period}: {self.distinct} distinct from {self.hits} hits of {self.starts} starts, the last "
            f"new one by start {self.last_new}; {self.seen_once} met once, about {self.missing:.2g} missing; "
            f"{self.stop}"
        )


@dataclass(frozen=True, eq=False)
class FoundCycles(Tabular):
    """The cycles of a least period in a box.

    Attributes
    ----------
    map : Map
    period : int
    box : ndarray, shape (*state's, 2)
    cycles : tuple of Solution
        Those all of whose states lie in the box, each once, begun at the state that comes first in lexicographic order.
    shorter : tuple of Solution
        The same for the proper divisors of the period.
    partly_inside : tuple of Solution
        Cycles of the period or a divisor that were met and have states in the box and outside.
    evidence : tuple of SearchEvidence
        What was done: for the period itself, then for its divisors.
    index_sum : int or None
        The sum of the indices sign det(I − Df^k) of all fixed points of f^k found in the box; None where one of them
        is degenerate.
    expected_index : int or None
        What the sum is if none is missing: in an interval, from f^k at its ends; on a whole circle or torus, from how
        often the image of each circle goes round. None where it is not known.
    theorem : AllCycles or None
        The proof that these are all, if it was asked for.
    interrupted : bool
        True if the user ended the search (Ctrl-C).
    """

    map: Map
    period: int
    box: NDArray[np.float64]
    cycles: tuple[Solution, ...]
    shorter: tuple[Solution, ...]
    partly_inside: tuple[Solution, ...]
    evidence: tuple[SearchEvidence, ...]
    index_sum: int | None
    expected_index: int | None
    theorem: AllCycles | None = None
    interrupted: bool = False

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "print(found), bf.explore(found, bounds), bf.plot.phase_portrait(found.cycles)"
    _repr_html_ = notebook_html

    def __len__(self) -> int:
        return len(self.cycles)

    @property
    def complete(self) -> bool:
        """True if it is proved that the box holds no other cycle; False where that is not known."""
        return self.theorem is not None and self.theorem.complete

    @property
    def points(self) -> int:
        """How many fixed points of f^k were found on cycles in the box, those of divisors included."""
        return sum(each.period for each in (*self.cycles, *self.shorter))

    @property
    def entropy(self) -> Entropy:
        """The topological entropy, estimated from the number of points (Bowen; Katok & Hasselblatt 1995, 18.5)."""
        if not self.points:
            return Entropy(np.nan, np.nan)
        value, k = float(np.log(self.points) / self.period), self.period
        divisors = [d for d in range(1, k) if k % d == 0]
        error = np.log(2.0) / k
        if divisors:
            d = divisors[-1]
            count = sum(each.period for each in self.shorter if d % each.period == 0)
            if count:
                error = max(error, abs(value - float(np.log(count)) / d))
        return Entropy(value, float(error))

    def curves(self, free: str) -> list[Curve]:
        """The curve in a free parameter through every cycle, as :func:`cycles` makes it.

        Raises
        ------
        InvalidInput
            If the map has no such parameter.
        """
        return [cycles_curve(self.map, free, each) for each in self.cycles]

    def trace_all(self, free: str, bounds: Any, **options: Any) -> tuple[Branch, ...]:
        """The branches through all cycles in a free parameter, each once.

        Parameters
        ----------
        free : str
            The parameter.
        bounds : mapping or (float, float)
            Its interval, or as for :func:`trace`.
        **options
            As for :func:`trace`.

        Returns
        -------
        tuple of Branch
            A cycle that lies on a branch which was traced from another one has no branch of its own.
        """
        interval = bounds if hasattr(bounds, "keys") else {free: tuple(bounds)}
        branches: list[Branch] = []
        locators: list[BranchLocator] = []
        for curve in self.curves(free):
            same_size = [each for each in locators if each.branch.curve.size == curve.size]
            if any(each.locate(curve.start) is not None for each in same_size):
                continue
            branch = trace(curve, interval, **options)
            branches.append(branch)
            width = np.ptp(np.asarray(interval[free], dtype=float))
            locators.append(BranchLocator(branch, Metric.of(branch.curve, np.array([width]))))
        return tuple(branches)

    def __str__(self) -> str:
        known = "all of them: proved" if self.complete else "completeness is not proved"
        lines = [f"{len(self)} cycles of period {self.period} in the box; {known}"]
        for each in self.cycles[:PRINTED_CYCLES]:
            state = np.array2string(each.state.ravel()[:PRINTED_NUMBERS], precision=9).strip("[]")
            more = " …" if each.state.size > PRINTED_NUMBERS else ""
            largest = abs(each.multipliers[0])
            lines.append(f"  {'stable  ' if each.stable else 'unstable'} |λ| = {largest:<10.4g} {state}{more}")
        if len(self) > PRINTED_CYCLES:
            lines.append(f"  … {len(self) - PRINTED_CYCLES} more")
        lines += [f"  searched for {each}" for each in self.evidence[:1]]
        if self.index_sum is not None:
            wanted = "" if self.expected_index is None else f", {self.expected_index} if none is missing"
            lines.append(f"  indices of the {self.points} points of f^{self.period} sum up to {self.index_sum}{wanted}")
        if self.interrupted:
            lines.append("  interrupted by the user; what was found so far is kept")
        return "\n".join(lines)

    def table(self) -> Columns:
        """One row a cycle, its first state: those of the period, of its divisors, and those partly inside the box."""
        table = solutions_table((*self.cycles, *self.shorter, *self.partly_inside))
        counts = {"inside": len(self.cycles) + len(self.shorter), "partly inside": len(self.partly_inside)}
        return {"place": [place for place, count in counts.items() for _ in range(count)], **table}

    def table_attributes(self) -> dict[str, Any]:
        """The map, the period, and whether all cycles are there."""
        return {"map": self.map.name, "period": self.period, "complete": self.complete}
