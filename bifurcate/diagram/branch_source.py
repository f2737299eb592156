"""BranchSource: where an exploration's branches come from: traced here, or elsewhere ahead of time, and noted."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from bifurcate.bifurcations.codimension_one.branch_switching import switches
from bifurcate.bifurcations.codimension_two.loci import locus
from bifurcate.bifurcations.kinds import KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.continuation.step_control import StepControl
from bifurcate.continuation.trace import trace
from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.curve import Curve
from bifurcate.curves.cycle import CycleEquations
from bifurcate.curves.event import Event
from bifurcate.errors import BifurcateError
from bifurcate.interrupts import interruptible
from bifurcate.storage.journal import Section

__all__ = ["BranchSource", "contains_start"]

T = TypeVar("T")
Bounds = dict[str, tuple[float, float]]

# Amplitudes of first points on new branches, tried in turn while these lie out of bounds; the first is that of switch.
# All are above 1e-6, since a point nearer to the special point would be matched with the branch that is known.
AMPLITUDES = (None, 1e-3, 1e-4, 1e-5)
FINER = 3  # the factor by which steps are shorter in an audit: what they miss differs then from what was missed


@dataclass(eq=False)
class BranchSource:
    """Traces curves for an exploration.

    Attributes
    ----------
    bounds : dict of str to (float, float)
        Intervals of the parameters.
    control, corrector
        As for :func:`~bifurcate.explore`.
    journal : Section or None
        Where steps are noted, and looked for.
    events : tuple of Event
        What is reported along every branch.
    executor : Executor or None
        Where branches are followed ahead of time. What comes of it is the same; what turns out to be known is dropped.
    resonances : int
        Largest denominator of the weak resonances that are looked for; 0: none.
    """

    bounds: Bounds
    control: StepControl
    corrector: Corrector | None
    journal: Section | None = None
    events: tuple[Event, ...] = ()
    executor: Executor | None = None
    resonances: int = 0
    _ahead: dict[Any, Future[Any]] = field(default_factory=dict)
    _branches: dict[int, Branch | BifurcateError | None] = field(default_factory=dict)
    _is_live: bool = True

    def __post_init__(self) -> None:
        self._is_live = self.journal is None or self.journal.is_new

    def bounds_of(self, curve: Curve) -> Bounds:
        """Intervals of a curve's free parameters."""
        return {name: self.bounds[name] for name in curve.free}

    # Ahead of time

    def _submit(self, key: Any, work: Callable[..., Any], *given: Any) -> None:
        if self.executor is not None and self._is_live and key not in self._ahead:
            self._ahead[key] = self.executor.submit(work, *given)

    def follow_ahead(self, number: int, point: SpecialPoint, largest_period: int | None) -> None:
        """Begin to follow what starts at a point; its number is the key."""
        given = self.bounds, self.control, self.corrector, self.events, self.resonances, largest_period
        self._submit(("point", number), _follow_from, point, *given)

    def trace_finer_ahead(self, number: int, curve: Curve) -> None:
        """Begin to trace a branch again with smaller steps."""
        given = self.bounds_of(curve), finer(self.control), self.corrector, self.events, self.resonances
        self._submit(("audit", number), _trace, curve, *given)

    def close(self) -> None:
        """Forget what was begun and is not needed."""
        for future in self._ahead.values():
            future.cancel()
        self._ahead.clear()

    # In order

    def curves_from(self, number: int, point: SpecialPoint) -> list[Curve]:
        """The curves that start at a point, with first points that lie within the bounds if there are such."""
        begun = self._ahead.pop(("point", number), None)
        if begun is None:
            return self._remember("switches", lambda: _curves_from(point, self.bounds))
        found = _wait(begun)
        if isinstance(found, BifurcateError):
            return self._remember("switches", lambda: _raise(found))
        curves = self._remember("switches", lambda: [curve for curve, _ in found])
        self._branches = {id(curve): branch for curve, (_, branch) in zip(curves, found, strict=True)}
        return curves

    def locus(self, point: SpecialPoint, free: str) -> Curve:
        """The curve of special points through a point, with a second parameter."""
        return self._remember("locus", lambda: locus(point, free=free))

    def trace(self, curve: Curve) -> Branch:
        """The branch of a curve."""
        return self._trace(curve, self.control, self._branches.pop(id(curve), None))

    def trace_finer(self, number: int, curve: Curve) -> Branch:
        """The branch of a curve with smaller steps, for an audit."""
        begun = self._ahead.pop(("audit", number), None)
        return self._trace(curve, finer(self.control), None if begun is None else _wait(begun))

    def _trace(self, curve: Curve, control: StepControl, done: Branch | BifurcateError | None) -> Branch:
        notes = None if self.journal is None else self.journal.numbered_section("trace")
        found: Branch | BifurcateError | None = done if notes is None else notes.get("branch") or done
        if found is None:
            self._is_live = notes is None or notes.is_new
            own, events = self.bounds_of(curve), self.events or None
            curve = _with_resonances(curve, self.resonances)
            return trace(curve, own, control=control, corrector=self.corrector, events=events, journal=notes)
        if notes is not None and found is done:
            notes.put("branch", done)
        if isinstance(found, BifurcateError):
            raise found
        return found

    def _remember(self, name: str, compute: Callable[[], T]) -> T:
        if self.journal is None:
            return interruptible(compute)
        return self.journal.remember(name, lambda: interruptible(compute))


def finer(control: StepControl) -> StepControl:
    """The same control with steps that are shorter, and as many more of them."""
    first = max(control.first / FINER, control.smallest)
    return dataclasses.replace(
        control,
        first=first,
        largest=max(control.largest / FINER, first),
        angle=control.angle / FINER,
        max_steps=FINER * control.max_steps,
    )


def contains_start(bounds: Bounds, curve: Curve) -> bool:
    """True if the start of a curve lies within bounds."""
    values = curve.parameters(curve.start)
    return all(bounds[name][0] <= values[name] <= bounds[name][1] for name in curve.free)


def _curves_from(point: SpecialPoint, bounds: Bounds) -> list[Curve]:
    if KINDS[point.kind].codimension == 2:
        return [curve for curve in switches(point) if contains_start(bounds, curve)]
    if point.curve.period != point.period:  # found on the doubled cycle: the other branch has half the period
        return [_undoubled(point)]
    curves: tuple[Curve, ...] = ()
    for amplitude in AMPLITUDES:
        curves = switches(point, amplitude=amplitude)
        if all(contains_start(bounds, curve) for curve in curves):
            break
    return list(curves)


def _undoubled(point: SpecialPoint) -> Curve:
    """The branch of cycles of half the period through a flip: regular there, so that it is continued as it is."""
    old = point.curve
    return Curve(CycleEquations(point.iterate, old.equations.fixed, old.free), point.u, krylov=old.krylov)


def _follow_from(
    point: SpecialPoint,
    bounds: Bounds,
    control: StepControl,
    corrector: Corrector | None,
    events: tuple[Event, ...],
    resonances: int,
    largest_period: int | None,
) -> list[tuple[Curve, Branch | BifurcateError | None]] | BifurcateError:
    """The curves that start at a point and their branches, or the errors that stood in their way."""
    with np.errstate(all="ignore"):
        try:
            curves = _curves_from(point, bounds)
        except BifurcateError as error:
            return error
        found = list[tuple[Curve, Branch | BifurcateError | None]]()
        for curve in curves:
            is_wanted = largest_period is None or curve.period <= largest_period
            own = {name: bounds[name] for name in curve.free}
            found.append((curve, _trace(curve, own, control, corrector, events, resonances) if is_wanted else None))
        return found


def _with_resonances(curve: Curve, largest: int) -> Curve:
    """The curve with weak resonances reported along it, if it can have any."""
    return curve.replace(resonances=largest) if largest and curve.kind == "neimark-sacker" else curve


def _trace(
    curve: Curve,
    bounds: Bounds,
    control: StepControl,
    corrector: Corrector | None,
    events: tuple[Event, ...],
    resonances: int,
) -> Branch | BifurcateError:
    curve = _with_resonances(curve, resonances)
    try:
        return trace(curve, bounds, control=control, corrector=corrector, events=events or None)
    except BifurcateError as error:
        return error


def _wait(begun: Future[T]) -> T:
    return interruptible(begun.result)


def _raise(error: BifurcateError) -> Any:
    raise error
