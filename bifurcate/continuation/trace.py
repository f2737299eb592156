"""Continuation: ``steps``, a generator for those who drive it themselves, and ``trace``, which returns a Branch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import numpy as np

from bifurcate.bifurcations.codimension_one.event_detection import StepEvents
from bifurcate.bifurcations.codimension_one.user_events import events_at_start
from bifurcate.bifurcations.codimension_two.weak_resonances import asked_for_resonances
from bifurcate.continuation.branch import Branch
from bifurcate.continuation.half_branch import HalfBranch, Keep, branch_point_of, follow, join_halves
from bifurcate.continuation.noise_at_start import start_of
from bifurcate.continuation.starting_point import measure_edge, prepare_run
from bifurcate.continuation.step_control import StepControl
from bifurcate.continuation.stepper import Step, continue_from
from bifurcate.curves.corrector import adapt_equations
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.event import Events
from bifurcate.deprecation import old_positions
from bifurcate.errors import Stop
from bifurcate.interrupts import interrupted_meanwhile, protected
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.journal import Section, open_journal
from bifurcate.validation import check_callable, check_number

__all__ = ["steps", "trace"]


@old_positions("direction", "control", "detect")
def steps(
    curve: Curve,
    bounds: Mapping[str, tuple[float, float]],
    *,
    direction: int = 1,
    control: StepControl | None = None,
    corrector: Corrector | None = None,
    detect: bool = True,
    events: Events | None = None,
) -> Iterator[Step]:
    """Follow a curve in one direction, a step at a time.

    The first item is the corrected start (length 0). The last one carries its ``stop``.

    Parameters
    ----------
    curve, bounds, control, corrector, detect, events
        As for :func:`trace`.
    direction : {1, -1}
        Towards growing or falling values of the first free parameter; with a ``curve.direction``, along or against it.

    Yields
    ------
    Step

    Examples
    --------
    >>> import bifurcate as bf
    >>> curve = bf.cycles(bf.maps.logistic(), free="r", guess=[0.6])
    >>> following = bf.steps(curve, {"r": (2.0, 3.2)})
    >>> next(following).parameters, next(following).parameters["r"] > 2.5
    ({'r': 2.5}, True)
    """
    check_number("direction", direction)
    run = prepare_run(curve, bounds, control, corrector, detect, events)
    with np.errstate(all="ignore"):
        run, start, noise = start_of(run)
        run, start = measure_edge(run, start)
        run = run.with_curve(adapt_equations(run.curve, start, run.metric))
        here = events_at_start(run.curve, start, run.metric)
    yield Step(run.curve, start, 0.0, StepEvents(here, doubts=[noise] if noise else []))
    following = continue_from(run, start.facing(1.0 if direction >= 0 else -1.0))
    while True:
        with np.errstate(all="ignore"):  # entered anew at every step: nothing outside is changed between them
            step = next(following, None)
        if step is None:
            return
        yield step


@old_positions("control", "detect", "keep", "progress")
def trace(
    curve: Curve,
    bounds: Mapping[str, tuple[float, float]],
    *,
    control: StepControl | None = None,
    corrector: Corrector | None = None,
    detect: bool = True,
    keep: Keep | None = None,
    events: Events | None = None,
    resonances: int = 0,
    progress: Report | bool | None = None,
    journal: str | os.PathLike[str] | Section | None = None,
) -> Branch:
    """Follow a curve in both directions until it leaves its bounds, closes, or cannot be followed further.

    Parameters
    ----------
    curve : Curve
        From :func:`cycles`, :func:`switch`, :func:`locus`.
    bounds : mapping of str to (float, float)
        Interval of every free parameter. The branch ends exactly on it.
    control : StepControl, optional
        Lengths of steps.
    corrector : Corrector, optional
        Tolerance and Newton steps with which predictions are brought onto the curve; the curve's own if not given.
    detect : bool
        Compute the multipliers at every point, and find and locate special points.
    keep : callable, optional
        What to store of a state, ``keep(state)`` → array; by default all of it, large matrices as thin factors where
        that is exact to rounding (see :class:`Point`).
    events : Event, list of Event, or mapping, optional
        Functions of state and parameters whose zeros or other values are reported, and where the branch is to end for
        one; or, as a mapping, ``{"name": function}``, ``{"r": (3.2, 3.3)}`` for values of a parameter, and ``{"PD":
        "stop"}``. Those of the curve if not given. They are special points of kind "event"; see :class:`Event`.
    resonances : int
        On a curve of Neimark–Sacker points: the largest denominator q ≥ 5 of the weak resonances p:q, where θ = 2πp/q,
        that are reported. 0: those that the curve asks for itself, which is none unless it was traced so.
    progress : callable, bool, optional
        Called with a :class:`Progress` after every new point; or True for a line that says how far the call has come,
        False for none. If it is not given, a line appears after two seconds in terminals and notebooks.
    journal : str or path-like, optional
        A file in which every step is noted. After an interrupt, or when the process was killed, the same call with the
        same journal goes on where it stopped, to the same branch, to the bit.

    Returns
    -------
    Branch
        Each point satisfies ‖f^k(x) − x‖_∞ ≤ tolerance · max(scale, ‖x‖_∞), with the corrector's tolerance (1e-11), or
        Newton's last step there was shorter than 1e-13 in the branch's metric. ``branch.stop`` tells why either end is
        an end. An interrupt (Ctrl-C) ends the branch and keeps it.

    Raises
    ------
    InvalidInput
        If bounds are missing, empty, of unknown parameters, or do not hold the start.
    NotConverged
        If the start cannot be corrected onto the curve.
    NotIsolated
        If the solutions at the start form a manifold.

    Examples
    --------
    >>> import bifurcate as bf
    >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), free="r", guess=[0.6]), bounds={"r": (0.5, 3.2)})
    >>> [(point.label, round(point.parameters["r"], 9)) for point in branch.special]
    [('BP', 1.0), ('PD', 3.0)]
    """
    run = prepare_run(curve, bounds, control, corrector, detect, events)
    check_callable("keep", keep, "keep(state)")
    curve = curve.replace(events=run.curve.events)
    curve = asked_for_resonances(curve, resonances)
    run = run.with_curve(run.curve.replace(resonances=curve.resonances))
    call = {"curve": curve, "bounds": dict(bounds), "control": run.control, "corrector": corrector, "detect": detect}
    call["keep"] = keep
    halves: list[HalfBranch] = []
    with (
        open_journal(journal, call) as notes,
        protected(),
        np.errstate(all="ignore"),
        reporting(progress, f"trace {curve.iterate.map.name}", curve.free) as report,
    ):
        run, start, noise = start_of(run)
        curve = run.curve if noise else curve
        run, start = measure_edge(run, start)
        run = run.with_curve(adapt_equations(run.curve, start, run.metric))
        if notes is not None:
            notes.share(run.curve)
        first = branch_point_of(run, start, keep)
        here = events_at_start(run.curve, start, run.metric)
        if report is not None:
            report(Progress(first.parameters, 1, 0, 0, first))
        waiting, last = start.without_factors(), (start.row, start.guess)
        del start  # its factors: each half has them for its first step only
        for number, side in enumerate(curve.sides):
            begin = [waiting.with_factors(*last).facing(side)]
            half = follow(run, begin.pop(), keep, report, notes and notes.section(f"half {number}"))
            halves.append(half)
            if half.stop.reason in ("closed", "interrupted"):
                break
        if interrupted_meanwhile():
            halves[-1].stop = Stop("interrupted")
        return join_halves(curve, first, halves, here, [noise] if noise else [])
