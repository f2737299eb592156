"""explore: the whole diagram by itself, every branch from every switch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from bifurcate.bifurcations.codimension_one.branch_switching import switches
from bifurcate.bifurcations.codimension_two.loci import locus
from bifurcate.bifurcations.kinds import CURVE_KINDS, KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.progress import Progress
from bifurcate.continuation.step_control import StepControl
from bifurcate.continuation.trace import trace
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.cycle import CycleEquations
from bifurcate.deprecation import old_keywords, old_positions
from bifurcate.diagram.audit import Audit, audit_branch, check_balance, check_parity
from bifurcate.diagram.diagram import Diagram, FailedCurve
from bifurcate.diagram.exploration import Exploration, Meeting
from bifurcate.diagram.graph import build_graph
from bifurcate.errors import BifurcateError, InvalidInput
from bifurcate.validation import check_callable, check_count, check_interval, check_period

__all__ = ["explore"]

# Amplitudes of first points on new branches, tried in turn while these lie out of bounds; the first is that of switch.
# All are above 1e-6, since a point nearer to the special point would be matched with the branch that is known.
AMPLITUDES = (None, 1e-3, 1e-4, 1e-5)


@old_keywords(most="max_branches")
@old_positions("depth", "period", "audit", "control", "progress", "max_branches")
def explore(
    curve: Curve | Iterable[Curve],
    bounds: Mapping[str, tuple[float, float]],
    *,
    depth: int = 4,
    period: int | None = None,
    audit: bool = False,
    control: StepControl | None = None,
    corrector: Corrector | None = None,
    progress: Callable[[Progress], None] | None = None,
    max_branches: int = 200,
) -> Diagram:
    """Find every branch: trace, switch at every special point, trace what starts there, and so on.

    No branch is traced twice: a curve that starts on a known branch, at whichever point of its cycle and in whichever
    direction, is matched with it. So loops close, and a doubled cycle between two flips is one edge of the graph.

    Parameters
    ----------
    curve : Curve or iterable of Curve
        Where to begin, from :func:`cycles` or :func:`switch`; several if the diagram has parts that are not connected.
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
    control, corrector : optional
        As for :func:`trace`.
    progress : callable, optional
        Called with a :class:`Progress` after every new branch.
    max_branches : int
        Largest number of branches.

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
    curves = [curve] if isinstance(curve, Curve) else list(curve) if isinstance(curve, list | tuple) else []
    if not curves or not all(isinstance(each, Curve) for each in curves):
        raise InvalidInput("curve must be a Curve (cycles and switch make them) or a list of them, at least one")
    check_count("depth", depth)
    check_count("max_branches", max_branches)
    check_callable("progress", progress, "progress(record)")
    _check_bounds(curves, bounds)
    largest = None if period is None else check_period(period)
    explorer = Explorer(
        state=Exploration(dict(bounds)),
        depth=depth,
        largest_period=largest,
        control=control or StepControl(),
        corrector=corrector,
        progress=progress,
        max_branches=max_branches,
    )
    with np.errstate(all="ignore"):
        explorer.follow_given(curves)
        explorer.follow_queue()
        explorer.follow_loci()
        report = explorer.run_audit() if audit and not explorer.is_interrupted else None
        return explorer.to_diagram(report)


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


@dataclass(eq=False)
class Explorer:
    """Follows the branches of one diagram.

    Attributes
    ----------
    state : Exploration
        What is known.
    depth, largest_period, control, corrector, progress, max_branches
        As for :func:`explore`.
    queue : deque of (int, int)
        Numbers of special points whose branches are to be followed, each with the generation of its own branch.
    failures : list of FailedCurve
    is_interrupted : bool
        True once the user has ended the exploration.
    """

    state: Exploration
    depth: int
    largest_period: int | None
    control: StepControl
    corrector: Corrector | None
    progress: Callable[[Progress], None] | None
    max_branches: int
    queue: deque[tuple[int, int]] = field(default_factory=deque)
    failures: list[FailedCurve] = field(default_factory=list)
    is_interrupted: bool = False

    def follow_given(self, curves: list[Curve]) -> None:
        """Follow the given curves, and the branches from which those of them that come from a switch start.

        A curve that cannot be started is a failure; if none can, the first error is raised.
        """
        errors: list[BifurcateError] = []
        parents = [(curve.origin.curve, 2) for curve in curves if isinstance(curve.origin, SpecialPoint)]
        for curve, generation in [*((curve, 1) for curve in curves), *(parents if self.depth > 1 else [])]:
            try:
                self.follow(curve, generation, None)
            except InvalidInput:
                raise
            except BifurcateError as error:
                errors.append(error)
                self.failures.append(FailedCurve(None, str(error)))
            except KeyboardInterrupt:
                self.is_interrupted = True
                return
        if errors and not self.state.branches:
            raise errors[0]

    def follow_queue(self) -> None:
        """Follow the branches of every point in the queue, first in, first out."""
        try:
            while self.queue and not self.is_interrupted:
                self.follow_from(*self.queue.popleft())
        except KeyboardInterrupt:
            self.is_interrupted = True

    def follow_loci(self) -> None:
        """Follow the curves of special points in two parameters, if a second one has bounds, and what starts on them.

        Their generations are counted from 1.
        """
        names = {name for record in self.state.branches for name in record.branch.curve.free}
        second = [name for name in self.state.bounds if name not in names]
        if not second or self.is_interrupted:
            return
        points = [record.point for record in self.state.points]
        try:
            for point in points:
                if point.curve.codimension > 0 or point.kind not in CURVE_KINDS:
                    continue
                if self.is_interrupted or self.is_full():
                    return
                self._follow_locus(point, second[0])
                self.follow_queue()
        except KeyboardInterrupt:
            self.is_interrupted = True

    def _follow_locus(self, point: SpecialPoint, second: str) -> None:
        try:
            curve = locus(point, free=second)
            number = self.state.branch_through_start(curve, None)
            if number is None:
                self.follow(curve, 1, point)
            else:
                self.connect(point, number)
        except BifurcateError as error:
            self.failures.append(FailedCurve(point, str(error)))

    def is_full(self) -> bool:
        """True if no more branches may be followed."""
        return len(self.state.branches) >= self.max_branches

    def follow_from(self, number: int, generation: int) -> None:
        """Follow every branch that starts at a point, within the limits of depth, period and number."""
        record = self.state.points[number]
        point = record.point
        doubles = self.largest_period is not None and point.kind == "flip"
        too_long = doubles and 2 * point.period > (self.largest_period or 0)
        if record.is_followed or generation >= self.depth or too_long or self.is_full():
            return
        self.state.mark_followed(number)
        try:
            curves = self._curves_from(point)
        except BifurcateError as error:
            self.failures.append(FailedCurve(point, str(error)))
            return
        for curve in curves:
            if self.largest_period is not None and curve.period > self.largest_period:
                continue
            known = self.state.branch_through_start(curve, point)
            if known is not None:
                self.connect(point, known)
                continue
            if self.is_full():
                self.state.mark_followed(number, False)
                return
            try:
                self.follow(curve, generation + 1, point)
            except BifurcateError as error:
                self.failures.append(FailedCurve(point, str(error)))

    def _curves_from(self, point: SpecialPoint) -> list[Curve]:
        """The curves that start at a special point, with first points that lie within the bounds if there are such."""
        if KINDS[point.kind].codimension == 2:
            return [curve for curve in switches(point) if self.state.contains_start(curve)]
        if point.curve.period != point.period:  # found on the doubled cycle: the other branch has half the period
            return [_undoubled(point)]
        curves: tuple[Curve, ...] = ()
        for amplitude in AMPLITUDES:
            curves = switches(point, amplitude=amplitude)
            if all(self.state.contains_start(curve) for curve in curves):
                break
        return list(curves)

    def follow(self, curve: Curve, generation: int, origin: SpecialPoint | None) -> None:
        """Trace a curve and add the branch, unless it was traced before."""
        branch = trace(curve, self.state.bounds_of(curve), control=self.control, corrector=self.corrector)
        self.is_interrupted |= any(stop.reason == "interrupted" for stop in branch.stop)
        known = self.state.branch_traced_before(branch)
        if known is not None:
            if origin is not None:
                self.connect(origin, known)
            return
        number = self.state.add_branch(branch, generation)
        for point in branch.special:
            self.add_point(point, Meeting(number, point.arclength), generation)
        if isinstance(curve.origin, SpecialPoint):
            self.connect(curve.origin, number)
        if origin is not None:
            self.connect(origin, number)
        if self.progress:
            last = branch.points[-1]
            count = len(self.state.branches)
            self.progress(Progress(last.parameters, len(branch), len(self.state.points), count, last, branch))

    def add_point(self, point: SpecialPoint, meeting: Meeting, generation: int) -> bool:
        """Add a special point that lies on a branch, and queue it if curves start there; True if the point is new."""
        number, is_new = self.state.add_meeting(point, meeting)
        record = self.state.points[number]
        on_cycles = self.state.branches[meeting.branch].branch.curve.codimension == 0
        is_alike = on_cycles == (record.point.curve.codimension == 0)
        # A known point is queued again, since its generation may be lower on this branch.
        if is_switching_point(record.point) and (is_new or (is_alike and not record.is_followed)):
            self.queue.append((number, generation))
        return is_new

    def connect(self, point: SpecialPoint, branch: int) -> bool:
        """Add a special point to a branch at the nearest arclength, unless it is there; True if the point is new."""
        if self.state.lies_on(point, branch):
            return False
        record = self.state.branches[branch]
        return self.add_point(point, Meeting(branch, record.locator.nearest(point)[0]), record.generation)

    def run_audit(self) -> Audit:
        """Audit every branch, add and explore what is found, and check the indices of the whole at the end."""
        extra: list[SpecialPoint] = []
        gone: list[SpecialPoint] = []
        touching: list[SpecialPoint] = []
        changed: list[str] = []
        done = 0
        while done < len(self.state.branches) and not self.is_interrupted:
            found = audit_branch(self.state, done, self.control, self.corrector)
            self.is_interrupted |= found.is_interrupted
            changed += found.changed
            gone += found.gone
            extra += self._connect_new(found.special, done)
            touching += self._connect_new(found.touching, done)
            done += 1
            if done == len(self.state.branches):
                self.follow_queue()
        graph, segments = build_graph(self.state)
        failed = [failure.point for failure in self.failures if failure.point is not None]
        return Audit(
            extra=tuple(extra),
            gone=tuple(gone),
            touching=tuple(touching),
            parity=tuple(check_parity(self.state, segments)),
            balance=tuple(check_balance(self.state, graph, failed)),
            changed=tuple(changed),
        )

    def _connect_new(self, points: Iterable[SpecialPoint], branch: int) -> list[SpecialPoint]:
        """Add points to a branch; returns those that are new."""
        return [point for point in points if self.connect(point, branch)]

    def to_diagram(self, report: Audit | None = None) -> Diagram:
        """What was found so far, as a Diagram."""
        state = self.state
        not_followed = [r.point for r in state.points if is_switching_point(r.point) and not r.is_followed]
        doubts = [f"branch {i}: {doubt}" for i, record in enumerate(state.branches) for doubt in record.branch.doubts]
        return Diagram(
            branches=tuple(record.branch for record in state.branches),
            generations=tuple(record.generation for record in state.branches),
            special=tuple(record.point for record in state.points),
            graph=build_graph(state)[0],
            failures=tuple(self.failures),
            not_followed=tuple(not_followed),
            doubts=tuple(doubts),
            audit=report,
            interrupted=self.is_interrupted,
        )


def is_switching_point(point: SpecialPoint) -> bool:
    """True if other curves start at a point: branches of cycles, or curves of special points."""
    kind = KINDS[point.kind]
    return kind.codimension == 2 or (point.curve.codimension == 0 and kind.is_switchable)


def _undoubled(point: SpecialPoint) -> Curve:
    """The branch of cycles of half the period through a flip: regular there, so that it is continued as it is."""
    old = point.curve
    return Curve(CycleEquations(point.iterate, old.equations.fixed, old.free), point.u, krylov=old.krylov)
