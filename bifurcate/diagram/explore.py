"""explore: the whole diagram by itself, every branch from every switch."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from bifurcate.attractors.found_cycles import FoundCycles
from bifurcate.bifurcations.codimension_one.user_events import check_events
from bifurcate.bifurcations.codimension_two.weak_resonances import check_resonances
from bifurcate.continuation.step_control import StepControl
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.event import Events, as_events
from bifurcate.deprecation import old_keywords, old_positions
from bifurcate.diagram.branch_source import BranchSource
from bifurcate.diagram.diagram import Diagram
from bifurcate.diagram.exploration import Exploration
from bifurcate.diagram.explorer import Explorer
from bifurcate.diagram.proved import with_theorem
from bifurcate.errors import InvalidInput
from bifurcate.executors import as_executor
from bifurcate.interrupts import interrupted_meanwhile, protected
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.journal import open_journal
from bifurcate.validation import check_count, check_flag, check_interval, check_optional, check_period

__all__ = ["explore"]


@old_keywords(most="max_branches")
@old_positions("depth", "period", "audit", "control", "progress", "max_branches")
def explore(
    curve: Curve | Iterable[Curve] | FoundCycles,
    bounds: Mapping[str, tuple[float, float]],
    *,
    depth: int = 4,
    period: int | None = None,
    audit: bool = False,
    control: StepControl | None = None,
    corrector: Corrector | None = None,
    events: Events | None = None,
    resonances: int = 0,
    progress: Report | bool | None = None,
    max_branches: int = 200,
    executor: Any = None,
    journal: str | os.PathLike[str] | None = None,
    prove: bool = False,
) -> Diagram:
    """Find every branch: trace, switch at every special point, trace what starts there, and so on.

    No branch is traced twice: a curve that starts on a known branch, at whichever point of its cycle and in whichever
    direction, is matched with it. So loops close, and a doubled cycle between two flips is one edge of the graph.

    Parameters
    ----------
    curve : Curve, iterable of Curve, or FoundCycles
        Where to begin, from :func:`cycles` or :func:`switch`; several if the diagram has parts that are not connected;
        or all cycles that :func:`find_cycles` found, followed in the first of the bounds.
    bounds : mapping of str to (float, float)
        Interval of every free parameter; and of a second parameter of the map, if the curves of folds, flips,
        Neimark–Sacker and branch points are to be followed in both, and what starts at their points of codimension two.
    depth : int
        Generations of branches: 1 for the given curves alone, 2 for the branches that start on these, too, and so on.
    period : int, optional
        Largest period that is followed; by default there is no limit but the depth.
    audit : bool
        Trace everything again with smaller steps, check the fixed-point index along branches and at points, and locate
        multipliers that touch +1; what is found is added, explored, and reported in ``diagram.audit``.
    control, corrector, events : optional
        As for :func:`trace`; events are looked for on every branch.
    resonances : int
        Largest denominator of the weak resonances p:q that are looked for on curves of Neimark–Sacker points, and the
        edges of whose tongues are followed; 0: none.
    progress : callable, bool, optional
        Called with a :class:`Progress` after every new branch; or True for a line that says how far the call has come,
        False for none. If it is not given, a line appears after two seconds in terminals and notebooks.
    max_branches : int
        Largest number of branches.
    executor : Executor or dask Client, optional
        Where independent branches are followed at the same time; the diagram is the same, to the bit.
    journal : str or path-like, optional
        A file in which every step is noted. After an interrupt, or when the process was killed, the same call with the
        same journal goes on where it stopped, to the same diagram, to the bit.
    prove : bool
        Prove branches and special points in ball arithmetic: ``diagram.theorem``, marked in table and figure.

    Returns
    -------
    Diagram
        Curves that could not be followed are in ``diagram.failures``, points beyond the limits in
        ``diagram.not_followed``. An interrupt (Ctrl-C) ends the exploration; the diagram has what was found until then.

    Raises
    ------
    InvalidInput
        If an argument is unusable.
    NotConverged, NotIsolated
        If the only curve given cannot be started; of several, those that cannot are among the failures, and the first
        error is raised if none can.

    Examples
    --------
    >>> import bifurcate as bf
    >>> diagram = bf.explore(bf.cycles(bf.maps.logistic(), "r", [0.6]), bounds={"r": (0.5, 3.5)}, depth=2)
    >>> [(point.label, round(point.parameters["r"], 9)) for point in diagram.special]
    [('BP', 1.0), ('PD', 3.0), ('PD', 3.449489743)]
    >>> sorted(branch.curve.period for branch in diagram.branches)
    [1, 1, 2]
    """
    if isinstance(curve, FoundCycles) and isinstance(bounds, Mapping):
        curve = [each for name in list(bounds)[:1] for each in curve.curves(name)]
    curves = [curve] if isinstance(curve, Curve) else list(curve) if isinstance(curve, list | tuple) else []
    if not curves or not all(isinstance(each, Curve) for each in curves):
        raise InvalidInput("curve must be a Curve (cycles and switch make them) or a list of them, at least one")
    check_count("depth", depth)
    check_count("max_branches", max_branches)
    check_optional("control", control, StepControl, "write StepControl(...)")
    check_flag("audit", audit)
    check_flag("prove", prove)
    _check_bounds(curves, bounds)
    largest = None if period is None else check_period(period)
    call = {"curve": curves, "bounds": dict(bounds), "depth": depth, "period": largest, "audit": audit}
    call |= {"control": control, "corrector": corrector, "max_branches": max_branches}
    asked = () if events is None else check_events(curves[0].replace(events=as_events(events))).events
    call |= {"events": asked} if asked else {}
    call |= {"resonances": resonances} if check_resonances(resonances) else {}
    with (
        open_journal(journal, call) as notes,
        protected(),
        np.errstate(all="ignore"),
        reporting(progress, f"explore {curves[0].iterate.map.name}", tuple(bounds)) as report_to,
    ):
        explorer = Explorer(
            state=Exploration(dict(bounds)),
            depth=depth,
            largest_period=largest,
            source=BranchSource(
                dict(bounds), control or StepControl(), corrector, notes, asked, as_executor(executor), resonances
            ),
            progress=report_to,
            max_branches=max_branches,
        )
        explorer.follow_given(curves)
        explorer.follow_queue()
        explorer.follow_loci()
        report = explorer.run_audit() if audit and not explorer.is_interrupted else None
        explorer.source.close()
        explorer.is_interrupted |= interrupted_meanwhile()
        diagram = explorer.to_diagram(report)
    return with_theorem(diagram) if prove else diagram


def _check_bounds(curves: list[Curve], bounds: object) -> None:
    """Refuse bounds that lack a free parameter, name more than two, or do not contain the start."""
    if not isinstance(bounds, Mapping):
        raise InvalidInput(f"bounds must be a dict of intervals, as {{'r': (low, high)}}, got {bounds!r}")
    for curve in curves:
        for name in curve.free:
            if name not in bounds:
                raise InvalidInput(f"bounds must give an interval for {name!r}, as {{{name!r}: (low, high)}}")
        others = [name for name in bounds if name not in curve.free]
        if others and len(curve.free) + len(others) > 2:
            raise InvalidInput(
                f"bounds name {', '.join(map(str, bounds))}; a diagram has one parameter or two, of which the curve "
                f"given has {', '.join(curve.free)}"
            )
        for name in others:
            curve.iterate.map.require(name)
            low, high = check_interval(name, bounds[name])
            if not low <= curve.equations.fixed[name] <= high:
                raise InvalidInput(
                    f"the start has {name} = {curve.equations.fixed[name]:.6g}, outside its bounds ({low:g}, {high:g})"
                )
