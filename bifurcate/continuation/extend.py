"""extend: a branch followed further, from the ends that it has."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch, BranchEnds
from bifurcate.continuation.continuation_problem import ContinuationProblem
from bifurcate.continuation.half_branch import HalfBranch, Keep, follow
from bifurcate.continuation.starting_point import prepare_run
from bifurcate.continuation.step_control import StepControl
from bifurcate.curves.corrector import adapt_equations, correct
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.curve_point import CurvePoint
from bifurcate.curves.event import Events
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.interrupts import interruptible, protected
from bifurcate.maps.invariant_curve_map import InvariantCurveMap
from bifurcate.progress_line import Report, reporting
from bifurcate.validation import check_callable, check_flag, check_instance, check_interval

__all__ = ["extend"]

Vector = NDArray[np.float64]

# Reasons for which a branch ends where it could go on: with other bounds, other settings, or another try.
LOOSE_ENDS = ("bound", "event", "steps", "interrupted", "escaped", "stalled")
SAME_PLACE = 1e-6  # arclength within which a special point next to an end is the one that the branch has there


def extend(
    branch: Branch,
    bounds: Mapping[str, tuple[float, float]],
    *,
    control: StepControl | None = None,
    corrector: Corrector | None = None,
    detect: bool | None = None,
    keep: Keep | None = None,
    events: Events | None = None,
    progress: Report | bool | None = None,
) -> Branch:
    """Follow a branch further, from both of its ends.

    An end goes on where the branch had met a bound, had taken the steps asked for, was interrupted, ran away or
    stalled, or was ended at an event; ends of any other kind stay what they are. A closed branch is returned as it is.

    Parameters
    ----------
    branch : Branch
        From :func:`trace`, or read by :func:`load`; traced without ``keep``.
    bounds : mapping of str to (float, float)
        New intervals of the free parameters, which contain the branch.
    control, corrector, keep, progress : optional
        As for :func:`trace`.
    detect : bool, optional
        As for :func:`trace`; by default as the branch was traced.
    events : optional
        As for :func:`trace`; by default those of the branch. Of a branch that was loaded from a file, functions that
        have no place in a module are to be given again.

    Returns
    -------
    Branch
        The points of the old one, and the new ones before and after them. Arclength is measured on in the units of the
        new bounds.

    Raises
    ------
    InvalidInput
        If bounds do not contain the branch, or its states were not kept.
    NotConverged
        If an end cannot be corrected onto the curve.

    Examples
    --------
    >>> import bifurcate as bf
    >>> first = bf.trace(bf.cycles(bf.maps.logistic(), free="r", guess=[0.6]), {"r": (2.0, 2.9)})
    >>> longer = bf.extend(first, {"r": (1.5, 3.2)})
    >>> longer["r"][[0, -1]], [point.label for point in longer.special]
    (array([1.5, 3.2]), ['PD'])
    """
    check_instance("branch", branch, Branch, "trace makes them")
    check_callable("keep", keep, "keep(state)")
    if branch.points[0].kept.shape != branch.points[0].curve.iterate.shape:
        raise InvalidInput("the branch was traced with keep=…; its states are not there to go on from")
    found = branch.points[0].spectrum is not None if detect is None else check_flag("detect", detect)
    _check_contained(branch, bounds)
    extended = branch
    named = f"extend {branch.curve.iterate.map.name}"
    with protected(), np.errstate(all="ignore"), reporting(progress, named, branch.curve.free) as report:
        for end in (-1, 0):
            run = prepare_run(_curve_at(branch, end), bounds, control, corrector, found, events)
            if branch.stop[end].reason in LOOSE_ENDS:
                start = interruptible(_end_point, branch, run, end)
                run = run.with_curve(adapt_equations(run.curve, start, run.metric))
                extended = _join(extended, follow(run, start, keep, report), end)
    return extended


def _check_contained(branch: Branch, bounds: Mapping[str, tuple[float, float]]) -> None:
    for name in branch.curve.free:
        values = branch[name]
        if isinstance(bounds, Mapping) and name in bounds:
            low, high = check_interval(name, bounds[name])
            if not low <= values.min() <= values.max() <= high:
                raise InvalidInput(
                    f"bounds of {name!r} are ({low:g}, {high:g}), which do not contain the branch: it runs from "
                    f"{values.min():g} to {values.max():g}"
                )


def _vector(branch: Branch, i: int) -> Vector:
    return np.append(np.ravel(branch.points[i].unknowns), branch.points[i].free)


def _curve_at(branch: Branch, end: int) -> Curve:
    """The curve with its start at an end of the branch, and the way out of it as its direction."""
    curve = branch.points[end].curve
    at, inner = _vector(branch, end), _vector(branch, 1 if end == 0 else -2) if len(branch) > 1 else None
    before = branch.points[1 if end == 0 else -2].curve if len(branch) > 1 else curve
    if inner is not None and isinstance(before.iterate, InvariantCurveMap):  # which may have other modes
        values = before.iterate.resampled(inner[: before.size], curve.iterate.shape[0])
        inner = np.concatenate([values, inner[before.size :]])
    if inner is not None:
        return curve.replace(start=at, direction=at - inner)
    direction = np.zeros(len(at)) if curve.direction is None else np.array(curve.direction)
    if curve.direction is None:
        direction[curve.size] = 1.0
    return curve.replace(start=at, direction=-direction if end == 0 else direction)


def _end_point(branch: Branch, run: ContinuationProblem, end: int) -> CurvePoint:
    """The end of the branch as a point of its curve, with its tangent out of the branch."""
    curve, metric = run.curve, run.metric
    assert curve.direction is not None
    out = curve.direction / metric.norm(curve.direction)
    normal = metric.dual(out)
    patient = dataclasses.replace(curve.corrector, max_iterations=max(30, curve.corrector.max_iterations))
    found = correct(curve, curve.start, normal, float(normal @ curve.start), metric, patient, out)
    if not isinstance(found, CurvePoint):
        raise NotConverged(
            f"the end of the branch could not be corrected onto its curve ({found.reason}: {found.detail})",
            curve.state(curve.start),
            (branch.points[end].residual,),
            "It may lie on a special point: trace the branch again with wider bounds.",
        )
    arclength = branch.points[end].arclength
    return found.placed(-arclength if end == 0 else arclength)


def _join(branch: Branch, half: HalfBranch, end: int) -> Branch:
    """The branch with what was found beyond one of its ends."""
    at = branch.points[end].arclength
    near = [point for point in branch.special if abs(point.arclength - at) < SAME_PLACE]
    if end == 0:
        half = half.reversed()
    special = [point for point in half.special if not _is_among(point, near, at)]
    points, doubts = tuple(half.points), tuple(dict.fromkeys([*branch.doubts, *half.doubts]))
    if end == 0:
        stop = BranchEnds(half.stop, branch.stop.last)
        return Branch(branch.curve, points + branch.points, (*special, *branch.special), stop, doubts)
    stop = BranchEnds(half.stop if half.stop.reason == "closed" else branch.stop.first, half.stop)
    return Branch(branch.curve, branch.points + points, (*branch.special, *special), stop, doubts)


def _is_among(point: SpecialPoint, known: list[SpecialPoint], at: float) -> bool:
    return abs(point.arclength - at) < SAME_PLACE and any(point.kind == other.kind for other in known)
