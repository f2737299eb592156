"""explore: the whole diagram by itself, every branch from every switch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import networkx as nx
import numpy as np

from bifurcate.bifurcations.codimension_one.branch_switching import switches
from bifurcate.bifurcations.codimension_two.loci import locus
from bifurcate.bifurcations.kinds import CURVE_KINDS, KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.continuation.branch_matching import BranchLocator, same_point
from bifurcate.continuation.step_control import StepControl
from bifurcate.continuation.trace import trace
from bifurcate.curves.curve import Curve
from bifurcate.curves.cycle import CycleEquations
from bifurcate.curves.metric import Metric
from bifurcate.diagram.audit import Audit, audit_findings
from bifurcate.diagram.graph import Diagram, Failed, build
from bifurcate.diagram.segments import Segment
from bifurcate.errors import BifurcateError, InvalidInput
from bifurcate.newton.solve import check_period
from bifurcate.validation import check_interval

__all__ = ["Explorer", "explore"]

AMPLITUDES = (None, 1e-3, 1e-4, 1e-5)  # of first points on new branches, the later ones if these lie out of bounds
SEAM = 1e-4  # one point met twice within this arclength was met once


def explore(
    curve: Curve | Iterable[Curve],
    bounds: Mapping[str, tuple[float, float]],
    depth: int = 4,
    period: int | None = None,
    audit: bool = False,
    control: StepControl | None = None,
    progress: Callable[[Branch], None] | None = None,
    most: int = 200,
) -> Diagram:
    """Draw the whole diagram: trace, switch at every special point, trace what starts there, and so on.

    A branch that is already known is not traced twice: it is recognised by distance along the known branches,
    whichever point of its cycle it starts at and in whichever direction it would be followed. So loops close, and a
    doubled cycle between two flips is one edge of the graph.

    Parameters
    ----------
    curve : Curve or iterable of Curve
        Where to begin, from :func:`cycles` or :func:`switch`; several if the diagram has parts that are not connected.
    bounds : mapping of str to (float, float)
        Interval of every free parameter; and of a second parameter of the map, if the curves of folds, flips,
        Neimark–Sacker and branch points are to be followed in both, and what starts at their points of codimension two.
    depth : int
        Generations of branches: 1 for the curves given alone, 2 for those that start on them too, ….
    period : int, optional
        Largest period that is followed; by default there is no limit but the depth.
    audit : bool
        Trace everything again with smaller steps, check parities of the fixed-point index along branches and at points,
        and look for multipliers that touch +1; what is found is added, explored, and reported in ``diagram.audit``.
    control : StepControl, optional
        As for :func:`trace`.
    progress : callable, optional
        Called with every new Branch.
    most : int
        Branches at the most.

    Returns
    -------
    Diagram
        What could not be followed is in ``diagram.failures`` and ``diagram.left``. An interrupt (Ctrl-C) ends the
        exploration and keeps what was found.

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
    for name, value in (("depth", depth), ("most", most)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InvalidInput(f"{name} is {value!r}; it must be a whole number, at least 1")
    if progress is not None and not callable(progress):
        raise InvalidInput(f"progress is {progress!r}; it must be callable with a Branch, or None")
    _check_bounds(curves, bounds)
    largest = None if period is None else check_period(period)
    explorer = Explorer(dict(bounds), depth, largest, control or StepControl(), progress, most)
    with np.errstate(all="ignore"):
        explorer.begin(curves)
        explorer.run()
        explorer.widen()
        report = audit_findings(explorer) if audit and not explorer.interrupted else None
        return explorer.diagram(report)


def _check_bounds(curves: list[Curve], bounds: object) -> None:
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
    """The diagram while it grows; points wait in ``queue`` for their branches to be followed."""

    bounds: dict[str, tuple[float, float]]
    depth: int
    largest: int | None
    control: StepControl
    progress: Callable[[Branch], None] | None
    most: int
    tracks: list[BranchLocator] = field(default_factory=list)
    generations: list[int] = field(default_factory=list)
    points: list[SpecialPoint] = field(default_factory=list)
    on: list[list[tuple[int, float]]] = field(default_factory=list)
    followed: list[bool] = field(default_factory=list)
    queue: deque[tuple[int, int]] = field(default_factory=deque)
    failures: list[Failed] = field(default_factory=list)
    interrupted: bool = False

    @property
    def widths(self) -> dict[str, float]:
        """Widths of the bounds, the units of distances."""
        return {name: float(high) - float(low) for name, (low, high) in self.bounds.items()}

    def begin(self, curves: list[Curve]) -> None:
        """Follow the curves given; one that cannot be started is a failure, but not if all of them are.

        A curve from a switch brings the branch with it that it branches off from.
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
                self.failures.append(Failed(None, str(error)))
            except KeyboardInterrupt:
                self.interrupted = True
                return
        if errors and not self.tracks:
            raise errors[0]

    def run(self) -> None:
        """Follow the branches of every waiting point, the older generations first."""
        try:
            while self.queue and not self.interrupted:
                self.leave(*self.queue.popleft())
        except KeyboardInterrupt:
            self.interrupted = True

    def widen(self) -> None:
        """Where a second parameter has bounds, follow the curves of special points in both, and what starts on them.

        Generations are counted anew.
        """
        names = {name for track in self.tracks for name in track.branch.curve.free}
        second = [name for name in self.bounds if name not in names]
        if not second or self.interrupted:
            return
        points = [p for p in self.points if p.curve.codimension == 0 and p.kind in CURVE_KINDS]
        try:
            for point in points:
                if self.interrupted or len(self.tracks) >= self.most:
                    return
                self._follow_locus(point, second[0])
                self.run()
        except KeyboardInterrupt:
            self.interrupted = True

    def _follow_locus(self, point: SpecialPoint, second: str) -> None:
        try:
            curve = locus(point, free=second)
            number = self.known_as(curve, None)
            if number is None:
                self.follow(curve, 1, point)
            else:
                self.touch(point, number)
        except BifurcateError as error:
            self.failures.append(Failed(point, str(error)))

    def metric(self, curve: Curve) -> Metric:
        """In which distances on a curve are measured."""
        return Metric.of(curve, np.array([self.widths[name] for name in curve.free]))

    def leave(self, number: int, generation: int) -> None:
        """Follow every branch that starts at a point, as far as depth, period and number allow."""
        point = self.points[number]
        too_long = self.largest is not None and point.kind == "flip" and 2 * point.period > self.largest
        if self.followed[number] or generation >= self.depth or too_long or len(self.tracks) >= self.most:
            return
        self.followed[number] = True
        try:
            curves = self._starts(point)
        except BifurcateError as error:
            self.failures.append(Failed(point, str(error)))
            return
        for curve in curves:
            if self.largest is not None and curve.period > self.largest:
                continue
            known = self.known_as(curve, point)
            if known is not None:
                self.touch(point, known)
                continue
            if len(self.tracks) >= self.most:
                self.followed[number] = False
                return
            try:
                self.follow(curve, generation + 1, point)
            except BifurcateError as error:
                self.failures.append(Failed(point, str(error)))

    def _starts(self, point: SpecialPoint) -> list[Curve]:
        """First points of the curves that start at a special point, nearer ones if those are out of bounds."""
        if KINDS[point.kind].codimension == 2:
            return [curve for curve in switches(point) if self._within(curve)]
        if point.curve.period != point.period:  # met from its doubled cycle: the other branch is the undoubled one
            return [_undoubled(point)]
        curves: tuple[Curve, ...] = ()
        for amplitude in AMPLITUDES:
            curves = switches(point, amplitude)
            if all(self._within(curve) for curve in curves):
                break
        return list(curves)

    def _within(self, curve: Curve) -> bool:
        values = curve.parameters(curve.start)
        return all(self.bounds[name][0] <= values[name] <= self.bounds[name][1] for name in curve.free)

    def known_as(self, curve: Curve, origin: SpecialPoint | None) -> int | None:
        """The number of the branch on which a curve starts; None if it is on none that was traced."""
        for number, track in self._alike(curve):
            apart = np.inf if origin is None else track.distance(curve.start, origin)
            if track.place(curve.start, apart if apart > 0.0 else np.inf) is not None:
                return number
        return None

    def _alike(self, curve: Curve) -> list[tuple[int, BranchLocator]]:
        def key(each: Curve) -> tuple:
            return each.kind, each.period, each.free, each.size

        return [(i, track) for i, track in enumerate(self.tracks) if key(track.branch.curve) == key(curve)]

    def follow(self, curve: Curve, generation: int, origin: SpecialPoint | None) -> None:
        """Trace a curve and take it in, unless it turns out to be one that is known."""
        branch = trace(curve, {name: self.bounds[name] for name in curve.free}, control=self.control)
        self.interrupted |= any(stop.reason == "interrupted" for stop in branch.stop)
        known = self._traced_before(branch)
        if known is not None:
            if origin is not None:
                self.touch(origin, known)
            return
        self.tracks.append(BranchLocator(branch, self.metric(curve)))
        self.generations.append(generation)
        number = len(self.tracks) - 1
        for point in branch.special:
            self.meet(point, number, point.arclength, generation)
        if isinstance(curve.origin, SpecialPoint):
            self.touch(curve.origin, number)
        if origin is not None:
            self.touch(origin, number)
        if self.progress:
            self.progress(branch)

    def _traced_before(self, branch: Branch) -> int | None:
        """The number of the branch that holds most of a few points inside another one; None if none does."""
        inside = [branch.points[i] for i in {len(branch) // 4, len(branch) // 2, (3 * len(branch)) // 4}]
        for number, track in self._alike(branch.curve):
            held = [track.place(np.append(p.state.reshape(-1), p.free)) is not None for p in inside]
            if sum(held) > len(held) / 2:
                return number
        return None

    def meet(self, point: SpecialPoint, branch: int, s: float, generation: int) -> int:
        """Take in a special point of a branch; the number under which it is known."""
        for number, known in enumerate(self.points):
            if same_point(known, point, self.widths):
                if all(b != branch or not self._is_near(s, at, b) for b, at in self.on[number]):
                    self.on[number].append((branch, s))
                alike = (self.tracks[branch].branch.curve.codimension == 0) == (known.curve.codimension == 0)
                if starts(known) and alike and not self.followed[number]:
                    self.queue.append((number, generation))  # it may lie nearer to the beginning than it seemed
                return number
        self.points.append(point)
        self.on.append([(branch, s)])
        self.followed.append(False)
        if starts(point):
            self.queue.append((len(self.points) - 1, generation))
        return len(self.points) - 1

    def _is_near(self, s: float, at: float, branch: int) -> bool:
        track = self.tracks[branch]
        length = float(track.arclength[-1] - track.arclength[0])
        loop = track.branch.stop[1].reason == "closed"
        return abs(s - at) < SEAM or (loop and abs(abs(s - at) - length) < SEAM)

    def touch(self, point: SpecialPoint, number: int) -> None:
        """A branch meets a point, whether or not tracing it noticed: the graph says so, once."""
        for known, on in zip(self.points, self.on):
            if (known is point or same_point(known, point, self.widths)) and any(branch == number for branch, _ in on):
                return
        self.meet(point, number, self.tracks[number].nearest(point)[0], self.generations[number])

    def met(self, branch: int, s: float) -> list[SpecialPoint]:
        """The special points at an arclength of a branch."""
        return [p for p, on in zip(self.points, self.on) if any(b == branch and abs(at - s) < 1e-9 for b, at in on)]

    def graph(self) -> tuple[nx.MultiGraph, list[Segment]]:
        """The graph of what was found, and its pieces."""
        return build(self.tracks, self.points, self.on)

    def diagram(self, report: Audit | None = None) -> Diagram:
        """What was found, as it stands."""
        left = [p for p, done in zip(self.points, self.followed) if starts(p) and not done]
        doubts = [f"branch {i}: {doubt}" for i, track in enumerate(self.tracks) for doubt in track.branch.doubts]
        return Diagram(
            tuple(track.branch for track in self.tracks), tuple(self.generations), tuple(self.points),
            self.graph()[0], tuple(self.failures), tuple(left), tuple(doubts),
            report, self.interrupted,
        )  # fmt: skip


def starts(point: SpecialPoint) -> bool:
    """Whether other curves start at a point: branches of cycles, or curves of special points."""
    return KINDS[point.kind].codimension == 2 or (point.curve.codimension == 0 and KINDS[point.kind].is_switchable)


def _undoubled(point: SpecialPoint) -> Curve:
    """The branch of cycles of half the period through a flip: regular there, so that it is continued as it is."""
    old = point.curve
    return Curve(CycleEquations(point.iterate, old.equations.fixed, old.free), point.u, krylov=old.krylov)
