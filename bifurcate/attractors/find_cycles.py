"""find_cycles: every cycle of a period in a box, from many starts at once, with what speaks for there being no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.attractors.attractors import check_box, check_map_somewhere
from bifurcate.attractors.cycle_collection import CycleCollection, unseen
from bifurcate.attractors.cycle_starts import StartMaker
from bifurcate.attractors.fixed_point_index import expected_index, index_of_cycle
from bifurcate.attractors.found_cycles import FoundCycles, SearchEvidence
from bifurcate.errors import InvalidInput
from bifurcate.interrupts import interrupted_meanwhile, interruptible, protected
from bifurcate.linalg.cyclic_product import CyclicProduct
from bifurcate.maps.accelerated_batches import MapOnRows
from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.batches import BatchRows
from bifurcate.maps.iterated_map import LARGEST_DENSE
from bifurcate.maps.map import Map
from bifurcate.newton.batched_cycles import shoot_rows
from bifurcate.newton.newton import Newton
from bifurcate.newton.solve import Solution
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.validation import check_count, check_flag, check_instance, check_period, check_seed

__all__ = ["find_cycles"]

Array = NDArray[np.float64]

STARTS_PER_ROUND = 256  # starts that are iterated together
FEWEST_ROUNDS = 3
QUIET_ROUNDS = 2  # rounds without a new cycle after which a search may end
# Cycles that may be missing, in the mean, where a search ends: less than one half is none.
FEW_MISSING = 0.5
EMPTY_ROUNDS = 6  # rounds after which a search that has met nothing ends

# Newton's method from a start that is none of the near ones wanders; what converges does so in some ten steps.
METHOD = Newton(max_iterations=20, max_halvings=6)

# Part of the box's widths by which a state may lie outside it: rounding, where a fixed point lies on its edge.
EDGE = 1e-9


def find_cycles(
    map: Map,
    period: int,
    box: Any,
    *,
    seed: int = 0,
    max_starts: int = 20_000,
    prove: bool = False,
    progress: Report | bool | None = None,
) -> FoundCycles:
    """Find every cycle of a least period in a box.

    Newton's method on the equations of multiple shooting is run from hundreds of starts at once: closed walks through a
    graph of cells (in up to three dimensions), pieces of orbits that nearly close, and points of the box. The search
    ends when the last two rounds of 256 starts have met no new cycle, and less than one half of a cycle is missing by
    Chao's estimate f₁(f₁ − 1)/2(f₂ + 1), with f₁ and f₂ the numbers of cycles that were met once and twice; or after
    ``max_starts``. That is evidence, not proof: a cycle that hardly any start leads to may be missed.

    Parameters
    ----------
    map : Map
        At its own parameters.
    period : int
        k ≥ 1, the least period; cycles of its divisors are found, too, as ``shorter``.
    box : array_like, shape (*state's shape, 2)
        (low, high) for every coordinate of a state. A coordinate that lives on a circle is reduced to [low, low + P).
    seed : int
        Of the random choices.
    max_starts : int
        Starts for each period at the most.
    prove : bool
        Prove in ball arithmetic that nothing is missing, with :mod:`bifurcate.proofs`: for up to three unknowns, of an
        f that is a formula. It takes seconds for short periods, and long periods are beyond it: then ``theorem`` says
        what is left.
    progress : callable, bool, optional
        As for :func:`trace`; ``points`` counts the starts.

    Returns
    -------
    FoundCycles

    Raises
    ------
    InvalidInput
        If an argument is unusable, the map has more than 200 unknowns, or f fails at all points of the box tried.

    References
    ----------
    Dellnitz & Hohmann, Numer. Math. 75 (1997) 293, for graphs of cells; Davidchack & Lai, Phys. Rev. E 60 (1999) 6172,
    for the cycles of the Hénon map. Chao, Scand. J. Stat. 11 (1984) 265.

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.find_cycles(bf.maps.logistic(r=4.0), 3, [(0.0, 1.0)])
    >>> len(found), len(found.shorter), found.points  # 2³ points of f³
    (2, 2, 8)
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    k = check_period(period)
    low, high = check_box(box)
    if low.size > LARGEST_DENSE:
        raise InvalidInput(f"a box has at most {LARGEST_DENSE} coordinates; this one has {low.size}")
    rng = np.random.default_rng(check_seed(seed))
    check_count("max_starts", max_starts)
    check_flag("prove", prove)
    trials = low + rng.uniform(0.05, 0.95, (20, *low.shape)) * (high - low)
    check_map_somewhere(map, trials)
    with (
        np.errstate(all="ignore"),
        protected(),
        reporting(progress, f"find_cycles {map.name}", (), "starts") as report,
    ):
        several = MapOnRows(map, BatchRows(trials, dict(map.parameters)))
        search = several.run(lambda step: _search(step, k, low, high, seed, max_starts, report))
        return search.to_result(np.stack([low, high], axis=-1), prove)


@dataclass(eq=False)
class _Search:
    """A search under way.

    Attributes
    ----------
    map : BatchedMap
    period : int
    maker : StartMaker
    found : dict of int to CycleCollection
        By least period, for all divisors.
    evidence : list of SearchEvidence
    interrupted : bool
    """

    map: BatchedMap
    period: int
    maker: StartMaker
    found: dict[int, CycleCollection]
    evidence: list[SearchEvidence]
    interrupted: bool = False

    def run(self, period: int, max_starts: int, report: Callable[[Progress], None] | None) -> None:
        """Search for the cycles of one period until the rule says that the last starts have brought nothing new."""
        own = self.found[period]
        starts = converged = last_new = rounds = quiet = 0
        stop = "the largest number of starts was reached"
        while starts < max_starts and not self.interrupted:
            before = len(own)
            try:
                converged += interruptible(self.round, period, min(STARTS_PER_ROUND, max_starts - starts))
            except KeyboardInterrupt:
                self.interrupted = True
            starts, rounds = starts + STARTS_PER_ROUND, rounds + 1
            last_new = starts if len(own) > before else last_new
            quiet = 0 if len(own) > before else quiet + 1
            if report:
                values = dict(self.map.map.parameters)
                report(Progress(values, starts, branches=len(own), left=max(max_starts - starts, 0)))
            if rounds >= FEWEST_ROUNDS and quiet >= QUIET_ROUNDS and unseen(own.hits) < FEW_MISSING and len(own):
                stop = f"the last {quiet} rounds of starts met no new one"
                break
            if rounds >= EMPTY_ROUNDS and not len(own):
                stop = f"{rounds} rounds of starts met none"
                break
        if self.interrupted:
            stop = "interrupted by the user"
        self.evidence.append(
            SearchEvidence(
                period=period,
                starts=min(starts, max_starts),
                converged=converged,
                hits=sum(own.hits),
                distinct=len(own),
                seen_once=own.hits.count(1),
                last_new=last_new,
                missing=unseen(own.hits),
                stop=stop,
            )
        )

    def round(self, period: int, count: int) -> int:
        """Some hundred starts; how many converged."""
        x, converged = self.maker.make(period, count), 0
        if not len(x):
            return 0
        parameters = dict(self.map.map.parameters)
        for found, periods, _ in shoot_rows(self.map, x, parameters, METHOD):
            for states, residual, least, good in zip(
                found.place.x, found.place.largest, periods, found.converged, strict=True
            ):
                if good and least:
                    converged += 1
                    states = self.maker.reduced(states)
                    if self.is_inside(states).any():
                        self.found[int(least)].add(states, float(residual))
        return converged

    def is_inside(self, states: Array) -> NDArray[np.bool_]:
        """Which states lie in the box."""
        low, high = self.maker.low, self.maker.high
        slack = EDGE * (high - low)
        return np.asarray(((states >= low - slack) & (states <= high + slack)).all(axis=1))

    def to_result(self, box: Array, prove: bool) -> FoundCycles:
        """The frozen result."""
        whole: dict[int, list[Solution]] = {}
        partly: list[Solution] = []
        index: int | None = 0
        for least, collection in self.found.items():
            order = sorted(range(len(collection)), key=lambda i: tuple(collection.cycles[i][0]))
            for i in order:
                states = collection.cycles[i]
                solution = _solution(self.map, states, collection.residuals[i])
                inside = self.is_inside(states)
                of_one = index_of_cycle(solution.multipliers, self.period // least)
                index = None if index is None or of_one is None else index + int(inside.sum()) * of_one
                (whole.setdefault(least, []) if inside.all() else partly).append(solution)
        shorter = [each for least in whole if least != self.period for each in whole[least]]
        cycles = whole.get(self.period, [])
        theorem = None
        if prove and not self.interrupted:
            from bifurcate.proofs.all_cycles import prove_all_cycles  # loads python-flint, which not everybody has

            every = [each.state for each in (*cycles, *shorter, *partly)]
            theorem = prove_all_cycles(self.map.map, self.period, box.reshape(-1, 2), every)
        return FoundCycles(
            map=self.map.map,
            period=self.period,
            box=box,
            cycles=tuple(cycles),
            shorter=tuple(shorter),
            partly_inside=tuple(partly),
            evidence=tuple(reversed(self.evidence)),
            index_sum=index,
            expected_index=expected_index(self.map, self.period, self.maker.low, self.maker.high),
            theorem=theorem,
            interrupted=self.interrupted,
        )


def _search(
    batched: BatchedMap, period: int, low: Array, high: Array, seed: int, max_starts: int, report: Any
) -> _Search:
    """Search for the cycles of every divisor of the period, the shortest first."""
    maker = StartMaker(batched, low.ravel(), high.ravel(), np.random.default_rng(seed))
    divisors = [d for d in range(1, period + 1) if period % d == 0]
    found = {d: CycleCollection(batched.periods, batched.map.scale) for d in divisors}
    search = _Search(batched, period, maker, found, [])
    for d in divisors:
        if not search.interrupted:
            search.run(d, max_starts, report)
    search.interrupted |= interrupted_meanwhile()
    return search


def _solution(batched: BatchedMap, states: Array, residual: float) -> Solution:
    """A cycle as a solution of the equations of multiple shooting."""
    map, k, p = batched.map, len(states), dict(batched.map.parameters)
    J = batched.jacobians(states, p)
    return Solution(
        state=states[0].reshape(batched.shape),
        parameters=p,
        period=k,
        residual=residual,
        iterations=0,
        history=(residual,),
        jacobian=J[0] if k == 1 else CyclicProduct(tuple(J)),
        map=map,
        cycle=states.reshape(k, *batched.shape) if k > 1 else None,
    )
