"""Many half branches, a step at a time: predictor, corrector, step control and stops of :func:`trace`, row by row.

A row goes from its start along its tangent, with a step length of its own, until it meets a bound, leaves the domain,
runs away, closes, or its step becomes too short. Steps are refused where Newton's method fails, where the tangent turns
by too much, and where the multipliers change in a way that no single special point explains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bifurcate.continuation.batched_curve import Corrected, RowCurves, norms_of_rows
from bifurcate.continuation.batched_events import Changes, changes_between
from bifurcate.continuation.step_control import GREATEST_CUT, GREATEST_GROWTH, LEAST_PARAMETER_SHARE, StepControl
from bifurcate.interrupts import interrupted_meanwhile

__all__ = ["REASONS", "HalfBranches", "follow_rows"]

Array = NDArray[np.float64]
Numbers = NDArray[np.int_]

# Why a half branch ends, by number: the reasons of `errors.Stop`.
REASONS = ("", "bound", "domain", "failed", "stalled", "escaped", "closed", "steps", "interrupted")
GOES_ON, BOUND, DOMAIN, FAILED, STALLED, ESCAPED, CLOSED, STEPS, INTERRUPTED = range(len(REASONS))

UNEXPLAINED = 0.25  # part of its length with which a step is repeated whose changes of multipliers are not explained
CLOSED_WITHIN = 0.75  # of the last step within which of its start, and in its direction, a branch has closed
FEWEST_TO_CLOSE = 5  # steps before that


@dataclass(eq=False)
class HalfBranches:
    """The points of half branches, in the order in which they were made, and the steps with special points.

    Attributes
    ----------
    rows : list of ndarray of int
        Of each pass: which half branches took a step.
    points : list of Corrected
        Their new points.
    lengths : list of ndarray
        Arclengths there.
    changes : list of Changes
        What happened in the steps of a pass.
    ends : ndarray of int
        Why each half branch ended, as a number of REASONS.
    """

    rows: list[Numbers] = field(default_factory=list)
    points: list[Corrected] = field(default_factory=list)
    lengths: list[Array] = field(default_factory=list)
    changes: list[Changes] = field(default_factory=list)
    ends: Numbers = field(default_factory=lambda: np.zeros(0, dtype=int))


def follow_rows(
    curves: RowCurves,
    start: Corrected,
    bounds: tuple[float, float],
    control: StepControl,
    report: Callable[[int, int], None] | None = None,
) -> HalfBranches:
    """Follow every row from its start, along its tangent.

    Parameters
    ----------
    curves : RowCurves
    start : Corrected
        First points, with the tangents along which they go.
    bounds : (float, float)
        Of the free parameter.
    control : StepControl
    report : callable, optional
        Called with the number of passes and of rows that go on.
    """
    m = len(start.u)
    here = start[np.arange(m)]
    h, s, steps = np.full(m, control.first), np.zeros(m), np.zeros(m, dtype=int)
    out = HalfBranches(ends=np.zeros(m, dtype=int))
    n, unit = start.u.shape[1] - 1, 1.0 / np.sqrt(start.u.shape[1] - 1) / np.sqrt(curves.weights[:, 0])
    outside = ~((start.u[:, -1] >= bounds[0]) & (start.u[:, -1] <= bounds[1]))
    at_bound = np.where(start.tangent[:, -1] > 0, start.u[:, -1] >= bounds[1], start.u[:, -1] <= bounds[0])
    out.ends[outside | at_bound] = BOUND
    rows = np.flatnonzero(out.ends == GOES_ON)
    passes = 0
    while len(rows):
        if interrupted_meanwhile():
            out.ends[rows] = INTERRUPTED
            break
        some, at = curves[rows], here[rows]
        guess, row, arrives, length = _predict(some, at, h[rows], bounds)
        new = some.correct(guess, row)
        new.tangent[...] *= np.where(np.einsum("ij,ij->i", some.dual(at.tangent), new.tangent) < 0, -1.0, 1.0)[:, None]
        turned = np.arccos(np.clip(np.einsum("ij,ij->i", some.dual(at.tangent), new.tangent), -1.0, 1.0))
        inside = (new.u[:, -1] >= bounds[0]) & (new.u[:, -1] <= bounds[1])
        good = new.good & (turned <= control.largest_angle) & inside
        changes = changes_between(at, new, rows)
        unclear = good & changes.unclear & (length > control.surest)
        taken = good & ~unclear
        done = rows[taken]
        moved = norms_of_rows(new.u - at.u, some.weights)
        s[done] += moved[taken]
        steps[done] += 1
        out.rows.append(done)
        out.points.append(new[taken])
        out.lengths.append(s[done].copy())
        out.changes.append(changes.choose(taken, s[rows]))
        here.put(done, new[taken])
        h[rows] = _next_lengths(control, new, curves.weights[rows], turned, length, taken, unclear)
        far = norms_of_rows(new.u[:, :n], np.full((len(rows), n), 1.0 / n)) > control.farthest * unit[rows]
        closed = _closes(some, start[rows], new, moved) & (steps[rows] >= FEWEST_TO_CLOSE)
        fails = np.where(new.margin > 0, STALLED, np.where(np.isneginf(new.margin), FAILED, DOMAIN))
        codes = np.select(
            [taken & arrives, taken & far, taken & closed, taken & (steps[rows] >= control.max_steps),
             ~taken & (h[rows] < control.smallest)],
            [np.full(len(rows), each) for each in (BOUND, ESCAPED, CLOSED, STEPS)] + [fails],
            GOES_ON,
        )  # fmt: skip
        out.ends[rows] = codes
        rows = rows[codes == GOES_ON]
        passes += 1
        if report is not None:
            report(passes, len(rows))
    return out


def _predict(
    curves: RowCurves, at: Corrected, h: Array, bounds: tuple[float, float]
) -> tuple[Array, Array, NDArray[np.bool_], Array]:
    """Points on the tangents or on a bound, the rows across which they are corrected, which arrive, and lengths."""
    t = at.tangent
    with np.errstate(divide="ignore", invalid="ignore"):
        to_bound = np.where(t[:, -1] > 0, bounds[1] - at.u[:, -1], bounds[0] - at.u[:, -1]) / t[:, -1]
    arrives = np.isfinite(to_bound) & (to_bound <= h)
    length = np.where(arrives, to_bound, h)
    guess, row = at.u + length[:, None] * t, curves.dual(t)
    guess[arrives, -1] = np.where(t[arrives, -1] > 0, bounds[1], bounds[0])
    row[arrives] = 0.0
    row[arrives, -1] = np.sqrt(curves.weights[arrives, -1])
    return guess, row, arrives, h


def _next_lengths(
    control: StepControl, new: Corrected, weights: Array, turned: Array, h: Array, taken: Any, unclear: Any
) -> Array:
    """Lengths of the next steps, as ``next_length``: from the angle and the Newton steps; halves where one failed."""
    by_angle = control.angle / np.maximum(turned, 1e-3 * control.angle)
    by_work = 2.0 ** ((control.iterations - new.iterations) / 2.0)
    share = np.sqrt(weights[:, -1]) * np.abs(new.tangent[:, -1])
    longest = control.largest / np.maximum(share, LEAST_PARAMETER_SHARE)
    factor = np.clip(np.minimum(by_angle, by_work), GREATEST_CUT, GREATEST_GROWTH)
    following = np.maximum(np.minimum(control.smallest, h), np.minimum(longest, h * factor))
    return np.where(taken, following, np.where(unclear, UNEXPLAINED, 0.5) * h)


def _closes(curves: RowCurves, start: Corrected, new: Corrected, moved: Array) -> NDArray[np.bool_]:
    """Where a row is back at its start, and goes on as it began."""
    between = new.u - start.u
    between[:, :-1] = curves.batched.difference(new.u[:, :-1], start.u[:, :-1])
    apart = norms_of_rows(between, curves.weights)
    same = np.einsum("ij,ij->i", curves.dual(start.tangent), new.tangent) > 0.9
    return np.asarray((apart <= CLOSED_WITHIN * moved) & same)
