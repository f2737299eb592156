"""trace_many: branches from many guesses, at many values of other parameters, in calls of f for all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.continuation.batched_curve import Corrected, RowCurves, norms_of_rows
from bifurcate.continuation.batched_events import KINDS, Changes, Located, locate_rows
from bifurcate.continuation.batched_stepper import REASONS, HalfBranches, follow_rows
from bifurcate.continuation.many_branches import FAILED, ManyBranches, SpecialPoints
from bifurcate.continuation.step_control import StepControl
from bifurcate.errors import InvalidInput
from bifurcate.interrupts import interruptible, protected
from bifurcate.linalg.multipliers import EDGE
from bifurcate.maps.accelerated_batches import MapOnRows
from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.batches import BatchRows, make_rows
from bifurcate.maps.iterated_map import LARGEST_DENSE, SAME_STATE
from bifurcate.maps.map import Map
from bifurcate.newton.batched_newton import choose, largest_of_rows, unit_of
from bifurcate.newton.solve_many import solve_many
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.validation import check_instance, check_interval, check_period

__all__ = ["trace_many"]

Array = NDArray[np.float64]

# Numbers of the bordered systems of one batch: some arrays of that length stay in a core's cache, and a user who
# interrupts waits for one step of a batch.
NUMBERS_PER_BATCH = 2**17
FEWEST_ROWS = 64  # of a batch, whatever its systems' size
TURNS, COLLAPSED = "branch point", "collapsed"


def trace_many(
    map: Map,
    free: str,
    guesses: Any,
    bounds: Mapping[str, tuple[float, float]],
    *,
    parameters: Mapping[str, Any] | None = None,
    period: int = 1,
    control: StepControl | None = None,
    progress: Report | bool | None = None,
) -> ManyBranches:
    """Follow branches of cycles from many guesses, or at many values of other parameters, at once.

    Each branch is what :func:`trace` follows: by pseudo-arclength, in both directions, with steps, stability, special
    points and ends of its own. All take their steps together, in calls of f for all of them, where f takes batches as
    :func:`ensemble` describes, or is accelerated; elsewhere f is called for one state at a time, and nothing is gained.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters), of at most 200 unknowns.
    free : str
        The parameter along which branches run.
    guesses : array_like, shape (N, *state's shape)
        Where Newton's method starts; of length 1 if only parameters vary.
    bounds : mapping of str to (float, float)
        Interval of the free parameter, as ``{"a": (0.0, 2.0)}``: the same for all.
    parameters : mapping of str to float or array_like of shape (N,), optional
        Values that replace the map's own; that of ``free`` is where branches start.
    period : int
        k ≥ 1: cycles of this period are followed.
    control : StepControl, optional
        As for :func:`trace`.
    progress : callable, bool, optional
        As for :func:`trace`; ``points`` counts the branches.

    Returns
    -------
    ManyBranches
        Points on a branch have ‖f^k(x) − x‖_∞ ≤ 10⁻¹¹ · max(scale, ‖x‖_∞) before a last Newton step, which leaves
        rounding. ``.branch(i)`` traces one by itself, with all that a :class:`Branch` has.

    Raises
    ------
    InvalidInput
        If an argument is unusable, or the map has more than 200 unknowns.
    MapFailed, OutsideDomain
        If f fails at every guess.

    Notes
    -----
    Folds, flips, Neimark–Sacker and branch points are noticed by the numbers of multipliers above 1, below −1 and
    outside the unit circle, and located by secants; a step in which these change in a way that one point does not
    explain is repeated with a quarter of its length down to ``control.surest``, and counted in ``doubts`` there.
    Borders, the user's events and resonances are not looked for; branches do not stop beside noise. Two special points
    of one kind within a step (0.02 of the bounds) leave no trace in these numbers and are missed, as two folds are
    where a branch turns twice within less than ``control.angle``.

    References
    ----------
    Allgower & Georg, Introduction to Numerical Continuation Methods, SIAM 2003, chapters 6 and 9.

    Examples
    --------
    >>> import bifurcate as bf
    >>> b = np.array([0.1, 0.3, 0.5])
    >>> found = bf.trace_many(bf.maps.henon(a=0.1), "a", [[0.6, 0.2]], {"a": (-1.0, 1.0)}, parameters={"b": b})
    >>> found.special.of("flip").values.round(9), (3 * (1 - b) ** 2 / 4).round(9)
    (array([0.6075, 0.3675, 0.1875]), array([0.6075, 0.3675, 0.1875]))
    """
    check_instance("map", map, Map, "wrap the function: Map(f, parameters)")
    map.require(free)
    if not isinstance(bounds, Mapping) or set(bounds) != {free}:
        raise InvalidInput(f"bounds must give an interval for {free!r} alone, as {{{free!r}: (low, high)}}")
    interval = check_interval(free, bounds[free])
    k, control = check_period(period), StepControl() if control is None else control
    check_instance("control", control, StepControl, "write bf.StepControl(largest=0.01)")
    rows = make_rows(map, guesses, {} if parameters is None else parameters, "guesses")
    size = rows.states[0].size
    if size > LARGEST_DENSE:
        raise InvalidInput(
            f"the map has {size} unknowns; above {LARGEST_DENSE} branches are traced one by one, by trace"
        )
    if map.precision.noise:
        raise InvalidInput("the map is noisy: its branches are traced one by one, by trace, which follows its noise")
    with np.errstate(all="ignore"):
        return _traced(map, free, rows, interval, k, control, progress)


def _traced(
    map: Map,
    free: str,
    rows: BatchRows,
    interval: tuple[float, float],
    period: int,
    control: StepControl,
    progress: Report | bool | None,
) -> ManyBranches:
    """The branches, some thousands at a time."""
    solved = solve_many(map, rows.states, parameters=rows.parameters, period=period, progress=False)
    reasons = [
        reason if reason else "" if solved.periods[i] == period else f"the guess leads to period {solved.periods[i]}"
        for i, reason in enumerate(solved.reasons)
    ]
    for i in np.flatnonzero(~solved.isolated).tolist():
        reasons[i] = reasons[i] or "the solution is one of a manifold of them"
    rows = BatchRows(solved.states, {**rows.parameters, free: np.broadcast_to(rows.parameters[free], len(rows)).copy()})
    length = max(FEWEST_ROWS, NUMBERS_PER_BATCH // (rows.states[0].size + 1) ** 2)
    good = np.flatnonzero([not reason for reason in reasons])
    several = MapOnRows(map, rows)
    parts: list[_Part] = []
    with protected(), reporting(progress, f"trace_many {map.name}", (free,)) as report:
        for i in range(0, len(good), length):
            numbers = good[i : i + length]
            work = partial(_trace_part, free, rows[numbers], interval, period, control, numbers)
            try:
                parts.append(interruptible(several.run, work))
            except KeyboardInterrupt:
                for each in good[i:].tolist():
                    reasons[each] = "interrupted by the user"
                break
            if report:
                done = min(i + length, len(good))
                report(Progress({free: interval[1]}, done, left=len(good) - done))
    return _assemble(map, free, rows, interval, period, control, reasons, parts)


@dataclasses.dataclass(eq=False)
class _Part:
    """What one batch gives: points, special points, ends and doubts of the branches with these numbers."""

    numbers: NDArray[np.int_]
    owner: NDArray[np.int_]
    s: Array
    points: Corrected
    special: Any
    ends: list[tuple[str, str]]
    doubts: NDArray[np.int_]


def _trace_part(
    free: str,
    rows: BatchRows,
    interval: tuple[float, float],
    period: int,
    control: StepControl,
    numbers: NDArray[np.int_],
    batched: BatchedMap,
) -> _Part:
    x = rows.states.reshape(len(rows), -1)
    m, n = x.shape
    unit = np.maximum(batched.map.scale, np.linalg.norm(x, axis=1) / np.sqrt(n))
    weights = np.empty((m, n + 1))
    weights[:, :n], weights[:, n] = (1.0 / (n * unit**2))[:, None], 1.0 / (interval[1] - interval[0]) ** 2
    curves = RowCurves(batched, free, period, rows.parameters, weights)
    u = np.column_stack([x, rows.parameters[free]])
    start = curves.correct(u, curves.dual(curves.first_tangents(u)))
    both = np.tile(np.arange(m), 2)
    doubled, sign = start[both], np.repeat([1.0, -1.0], m)
    doubled.tangent[...] *= sign[:, None]
    doubled.u[:, n] = np.tile(u[:, n], 2)
    halves = follow_rows(curves[both], doubled, interval, control)
    changes = Changes.join(halves.changes, n)
    located = locate_rows(curves[both[changes.rows]], changes)
    return _joined(curves, start, halves, changes, located, numbers, period)


def _joined(
    curves: RowCurves,
    start: Corrected,
    halves: HalfBranches,
    changes: Changes,
    located: Located,
    numbers: NDArray[np.int_],
    period: int,
) -> _Part:
    """Both halves of every branch as one, by growing arclength; ends that special points give."""
    m = len(numbers)
    ends = np.array([REASONS[each] for each in halves.ends], dtype=object)
    half = np.concatenate([np.zeros(0, dtype=int), *halves.rows])
    s = np.concatenate([np.zeros(0), *halves.lengths])
    last = np.full(2 * m, np.inf)
    closed = ends[:m] == "closed"
    last[m:][closed] = -1.0  # the loop is in the first half already
    ends[m:][closed] = "closed"
    rows, points, found = changes.rows, located.points, located.found
    kinds = np.array([*KINDS, TURNS], dtype=object)[changes.kinds]
    chord = changes.after.u - changes.before.u
    at = changes.lengths - (1.0 - located.share) * norms_of_rows(chord, curves.weights[rows % m])
    if period > 1 and len(rows):
        shrunk = _has_smaller_period(curves[rows % m], points, period) & found & (kinds == TURNS)
        for i in np.flatnonzero(shrunk).tolist():
            if at[i] < last[rows[i]]:
                last[rows[i]], ends[rows[i]] = at[i], COLLAPSED
    kept = s <= last[half]
    joined = Corrected.join([start, *halves.points], start.u.shape[1] - 1)
    owner = np.concatenate([np.arange(m), half % m])
    signed = np.concatenate([np.zeros(m), np.where(half < m, s, -s)])
    keep = np.concatenate([np.ones(m, dtype=bool), kept])
    order = np.lexsort((signed[keep], owner[keep]))
    which = np.flatnonzero(keep)[order]
    shown = found & (at <= last[rows])
    doubts = np.bincount(np.concatenate([changes.doubted, rows[~found]]) % m, minlength=m)
    special: Any = (
        numbers[rows % m],
        kinds,
        np.where(rows < m, at, -at),
        points,
        located.errors,
        changes.multiplicities,
    )
    special = tuple(each[shown] for each in special)
    pairs = list(zip(ends[m:].tolist(), ends[:m].tolist()))
    return _Part(numbers, numbers[owner[which]], signed[which], joined[which], special, pairs, doubts)


def _has_smaller_period(curves: RowCurves, points: Corrected, period: int) -> NDArray[np.bool_]:
    """Where f^j(x) = x for a divisor j of the period: there a cycle shrinks onto another."""
    x, p = points.u[:, :-1].copy(), {**curves.parameters, curves.free: points.u[:, -1].copy()}
    found, y = np.zeros(len(x), dtype=bool), x
    for j in range(1, period // 2 + 1):
        y = curves.batched.images(y, p)
        if period % j == 0:
            apart = largest_of_rows(curves.batched.difference(y, x))
            found |= apart < SAME_STATE * unit_of(x, curves.batched.map.scale)
    return found


def _assemble(
    map: Map,
    free: str,
    rows: BatchRows,
    interval: tuple[float, float],
    period: int,
    control: StepControl,
    reasons: list[str],
    parts: list[_Part],
) -> ManyBranches:
    """The frozen result."""
    m, shape = len(rows), rows.states.shape[1:]
    n = rows.states[0].size
    points = Corrected.join([each.points for each in parts], n)
    u, multipliers = points.u, points.multipliers
    owner = np.concatenate([np.zeros(0, dtype=int), *(each.owner for each in parts)])
    stops, doubts = [(FAILED, FAILED)] * m, np.zeros(m, dtype=int)
    for part in parts:
        for i, (number, pair) in enumerate(zip(part.numbers.tolist(), part.ends)):
            stops[number], doubts[number] = pair, part.doubts[i]
    special = [each.special for each in parts]
    found = Corrected.join([each[3] for each in special], n)
    at = np.concatenate([np.zeros(0, dtype=int), *(each[0] for each in special)])
    arc = np.concatenate([np.zeros(0), *(each[2] for each in special)])
    order = np.lexsort((arc, at))
    place = found.u[order]
    moduli = np.abs(multipliers)
    fixed = {name: value for name, value in rows.parameters.items() if name != free}
    return ManyBranches(
        free=free,
        bounds=interval,
        parameters=choose(fixed, slice(None)),
        period=period,
        offsets=np.searchsorted(owner, np.arange(m + 1)),
        values=u[:, -1].copy(),
        states=u[:, :-1].reshape(-1, *shape),
        multipliers=multipliers,
        stable=np.asarray((np.where(np.isnan(moduli), np.inf, moduli) < 1.0 - EDGE).all(axis=1)),
        arclength=np.concatenate([np.zeros(0), *(each.s for each in parts)]),
        special=SpecialPoints(
            branches=at[order],
            kinds=tuple(np.concatenate([np.zeros(0, dtype=object), *(each[1] for each in special)])[order].tolist()),
            values=place[:, -1].copy(),
            errors=np.concatenate([np.zeros(0), *(each[4] for each in special)])[order],
            states=place[:, :-1].reshape(-1, *shape),
            multipliers=found.multipliers[order],
            multiplicities=np.concatenate([np.zeros(0, dtype=int), *(each[5] for each in special)])[order],
        ),
        stops=tuple(stops),
        reasons=tuple(reasons),
        doubts=doubts,
        starts=rows.states,
        start_values=np.broadcast_to(rows.parameters[free], m).copy(),
        control=control,
        map=map,
    )
