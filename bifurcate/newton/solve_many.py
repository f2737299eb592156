"""solve_many: fixed points or cycles from many guesses, at many values of parameters, in calls of f for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import BifurcateError, InvalidInput, MapFailed, NotConverged, NotIsolated, OutsideDomain
from bifurcate.interrupts import interruptible, protected
from bifurcate.maps.accelerated_batches import batch_map
from bifurcate.maps.batch_calls import DoesNotBroadcast
from bifurcate.maps.batched_map import BatchedMap
from bifurcate.maps.batches import BatchRows, make_rows
from bifurcate.maps.map import Map
from bifurcate.maps.orbit_map import check_shooting
from bifurcate.newton.batched_cycles import BatchAnswer, solve_rows
from bifurcate.newton.batched_newton import INTERRUPTED
from bifurcate.newton.newton import Newton
from bifurcate.newton.newton_krylov import NewtonKrylov
from bifurcate.newton.solutions import Solutions
from bifurcate.newton.solve import DEFAULT_NEWTON, solve
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.validation import check_period

__all__ = ["solve_many"]

Array = NDArray[np.float64]

# Numbers of all states of a batch's cycles: some of the arrays over them are n times larger, and should stay in a
# core's cache; and a user who interrupts waits for one batch at the most.
NUMBERS_PER_BATCH = 2**15


def solve_many(
    map: Map,
    guesses: Any,
    *,
    parameters: Mapping[str, Any] | None = None,
    period: int = 1,
    method: Newton | NewtonKrylov | None = None,
    multiple_shooting: bool | None = None,
    progress: Report | bool | None = None,
) -> Solutions:
    """Find fixed points of f^period from many guesses, or at many values of parameters, at once.

    Where f takes many states in one call, as :func:`ensemble` describes, all guesses are iterated together, each with
    steps, halvings and an end of its own: a row is what :func:`solve` finds from its guess, to rounding. A batch is
    compared with single calls, for some rows when it begins and for one row in turn afterwards. Where f does not take
    batches, :func:`solve` is called for one guess after another.

    Parameters
    ----------
    map : Map
        x ↦ f(x, **parameters).
    guesses : array_like, shape (N, *state's shape)
        Where Newton's method starts; of length 1 if only parameters vary.
    parameters : mapping of str to float or array_like of shape (N,), optional
        Values that replace the map's own.
    period : int
        k ≥ 1. What is found may have a smaller period that divides k, and is returned with that.
    method : Newton or NewtonKrylov, optional
        As for :func:`solve`; with NewtonKrylov guesses are solved one by one.
    multiple_shooting : bool, optional
        As for :func:`solve`: by default decided for every row by itself.
    progress : callable, bool, optional
        As for :func:`trace`; ``points`` counts the guesses.

    Returns
    -------
    Solutions
        A row has converged when ‖f^k(x) − x‖_∞ ≤ tolerance · max(scale, ‖x‖_∞); in multiple shooting when that holds
        for every f(x_i) − x_{i+1}. Where a guess failed, or f at it, ``reasons`` says why; so it does for the rows left
        when the user interrupted (Ctrl-C).

    Raises
    ------
    InvalidInput
        If an argument is unusable.
    MapFailed, OutsideDomain
        If f fails at every guess.

    References
    ----------
    Kelley, Solving Nonlinear Equations with Newton's Method, SIAM 2003, chapter 1. Multiple shooting is solved by
    structured orthogonal factorisation (Wright, SIAM J. Sci. Stat. Comput. 13 (1992) 742).

    Examples
    --------
    >>> import bifurcate as bf
    >>> found = bf.solve_many(bf.maps.logistic(), [[0.6]], parameters={"r": [2.0, 2.5, 4.0]})
    >>> found.states.ravel().round(12), found.stable
    (array([0.5 , 0.6 , 0.75]), array([ True,  True, False]))
    """
    rows = make_rows(map, guesses, {} if parameters is None else parameters, "guesses")
    k = check_period(period)
    if not np.isfinite(rows.states).all():
        raise InvalidInput(f"{int((~np.isfinite(rows.states)).sum())} numbers in guesses are NaN or infinite")
    check_shooting(multiple_shooting, map, rows.states[0])
    if method is not None and not isinstance(method, Newton | NewtonKrylov):
        raise InvalidInput(f"method must be Newton(...) or NewtonKrylov(...), got {method!r}")
    _check_one(map, rows)
    batched = None if isinstance(method, NewtonKrylov) else batch_map(map, rows)
    with np.errstate(all="ignore"), reporting(progress, f"solve_many {map.name}", (), "guesses") as report:
        if batched is not None:
            newton = method if isinstance(method, Newton) else DEFAULT_NEWTON
            answer = _in_batches(batched, rows, k, newton, multiple_shooting, report)
            if answer is not None:
                return answer.to_solutions(map, rows, batched.layout)
        return _one_by_one(map, rows, k, method, multiple_shooting, report).to_solutions(map, rows, "single")


def _check_one(map: Map, rows: BatchRows) -> None:
    """Check the map at the first guess at which it can be evaluated; at one it must be."""
    first: BifurcateError | None = None
    for i in range(len(rows)):
        (values,) = rows[i : i + 1].parameters_of_rows()
        try:
            map.replace(**values).check(rows.states[i])
        except (MapFailed, OutsideDomain) as error:
            first = first or error
        else:
            return
    if first is not None:
        raise first


def _in_batches(
    batched: BatchedMap, rows: BatchRows, period: int, method: Newton, shooting: bool | None, report: Report | None
) -> BatchAnswer | None:
    """The rows, some thousands at a time; None where f turns out not to broadcast."""
    size = max(2, NUMBERS_PER_BATCH // (rows.states[0].size * period))
    answers: list[BatchAnswer] = []
    with protected():
        for i in range(0, len(rows), size):
            part = rows[i : i + size]
            try:
                answers.append(
                    BatchAnswer.nothing(part, INTERRUPTED)
                    if answers and answers[-1].interrupted
                    else interruptible(solve_rows, batched, part, period, method, shooting)
                )
            except DoesNotBroadcast:
                return None
            except KeyboardInterrupt:
                answers.append(BatchAnswer.nothing(part, INTERRUPTED))
            if report:
                done = min(i + size, len(rows))
                report(Progress(dict(batched.map.parameters), done, left=len(rows) - done))
    return BatchAnswer.join(answers)


def _one_by_one(
    map: Map,
    rows: BatchRows,
    period: int,
    method: Newton | NewtonKrylov | None,
    shooting: bool | None,
    report: Report | None,
) -> BatchAnswer:
    """The same by ``solve``, one row after another."""
    answer = BatchAnswer.nothing(rows, INTERRUPTED)
    with protected():
        for i, (x, p) in enumerate(zip(rows.states, rows.parameters_of_rows())):
            try:
                found = interruptible(_solve, map.replace(**p), x, period, method, shooting)
            except KeyboardInterrupt:
                return answer
            except NotConverged as error:
                answer.residuals[i] = error.history[-1]
                answer.iterations[i], answer.states[i] = len(error.history) - 1, error.last
                answer.reasons[i] = error.what
            except (NotIsolated, MapFailed, OutsideDomain) as error:
                answer.reasons[i] = str(error)
            else:
                answer.put_solution(i, found)
            if report:
                report(Progress(p, i + 1, left=len(rows) - i - 1))
    return answer


def _solve(map: Map, x: Array, period: int, method: Any, shooting: bool | None) -> Any:
    return solve(map, x, period=period, method=method, multiple_shooting=shooting)
