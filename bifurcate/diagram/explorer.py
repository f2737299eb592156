"""Explorer: what explore does with the branches and special points that it meets, one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from bifurcate.bifurcations.kinds import CURVE_KINDS, KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.curve import Curve
from bifurcate.diagram.audit import Audit, audit_branch, check_balance, check_parity
from bifurcate.diagram.branch_source import BranchSource
from bifurcate.diagram.diagram import Diagram, FailedCurve
from bifurcate.diagram.exploration import Exploration, Meeting
from bifurcate.diagram.graph import build_graph
from bifurcate.errors import BifurcateError, InvalidInput, MapFailed
from bifurcate.progress import Progress
from bifurcate.progress_line import Report

__all__ = ["Explorer", "is_switching_point"]


@dataclass(eq=False)
class Explorer:
    """Follows the branches of one diagram.

    Attributes
    ----------
    state : Exploration
        What is known.
    source : BranchSource
        Where branches come from.
    depth, largest_period, progress, max_branches
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
    source: BranchSource
    progress: Report | None
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
            except BifurcateError as error:
                if isinstance(error, InvalidInput) and not isinstance(error, MapFailed):
                    raise
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
                self._follow_ahead()
                self.follow_from(*self.queue.popleft())
        except KeyboardInterrupt:
            self.is_interrupted = True

    def _follow_ahead(self) -> None:
        """Let the branches of all points in the queue be followed at the same time, where there is an executor."""
        for number, generation in self.queue:
            if not self._is_beyond(number, generation):
                self.source.follow_ahead(number, self.state.points[number].point, self.largest_period)

    def follow_loci(self) -> None:
        """Follow the curves of special points in two parameters, if a second one has bounds, and what starts on them.

        Their generations are counted from 1.
        """
        names = {name for record in self.state.branches for name in record.branch.curve.free}
        second = [name for name in self.state.bounds if name not in names]
        if not second or self.is_interrupted:
            return
        points = [record.point for record in self.state.points]
        points = [point for point in points if point.curve.codimension == 0 and point.kind in CURVE_KINDS]
        try:
            for point in points:
                if self.is_interrupted or self.is_full():
                    return
                self._follow_locus(point, second[0])
                self.follow_queue()
        except KeyboardInterrupt:
            self.is_interrupted = True

    def _follow_locus(self, point: SpecialPoint, second: str) -> None:
        try:
            curve = self.source.locus(point, second)
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
        if self._is_beyond(number, generation):
            return
        point = self.state.points[number].point
        self.state.mark_followed(number)
        try:
            curves = self.source.curves_from(number, point)
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

    def _is_beyond(self, number: int, generation: int) -> bool:
        """True if a point's branches are beyond the limits, or were followed before."""
        record = self.state.points[number]
        doubles = self.largest_period is not None and record.point.kind == "flip"
        too_long = doubles and 2 * record.point.period > (self.largest_period or 0)
        return record.is_followed or generation >= self.depth or too_long or self.is_full()

    def follow(self, curve: Curve, generation: int, origin: SpecialPoint | None) -> None:
        """Trace a curve and add the branch, unless it was traced before."""
        branch = self.source.trace(curve)
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
            found, left = len(self.state.points), sum(not self._is_beyond(*each) for each in self.queue)
            self.progress(Progress(last.parameters, len(branch), found, count, last, branch, left))

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
        try:
            done = 0
            while done < len(self.state.branches) and not self.is_interrupted:
                for number in range(done, len(self.state.branches)):
                    self.source.trace_finer_ahead(number, self.state.branches[number].branch.curve)
                found = audit_branch(self.state, done, self.source)
                self.is_interrupted |= found.is_interrupted
                changed += found.changed
                gone += found.gone
                extra += self._connect_new(found.special, done)
                touching += self._connect_new(found.touching, done)
                done += 1
                if done == len(self.state.branches):
                    self.follow_queue()
        except KeyboardInterrupt:
            self.is_interrupted = True
        parity, balance = self._check_indices()
        return Audit(
            extra=tuple(extra),
            gone=tuple(gone),
            touching=tuple(touching),
            parity=parity,
            balance=balance,
            changed=tuple(changed),
            interrupted=self.is_interrupted,
        )

    def _check_indices(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Where indices along branches, and about points, are not what they must be, in words."""
        graph, segments = build_graph(self.state)
        failed = [failure.point for failure in self.failures if failure.point is not None]
        return tuple(check_parity(self.state, segments)), tuple(check_balance(self.state, graph, failed))

    def _connect_new(self, points: Iterable[SpecialPoint], branch: int) -> list[SpecialPoint]:
        """Add points to a branch; returns those that are new."""
        return [point for point in points if self.connect(point, branch)]

    def to_diagram(self, report: Audit | None = None) -> Diagram:
        """What was found so far, as a Diagram."""
        state = self.state
        not_followed = [r.point for r in state.points if is_switching_point(r.point) and not r.is_followed]
        doubts = [f"branch {i}: {doubt}" for i, record in enumerate(state.branches) for doubt in record.branch.doubts]
        if report is None and not self.is_interrupted:  # an audit says it itself
            doubts += [words for found in self._check_indices() for words in found]
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
