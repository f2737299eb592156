"""The audit of a diagram: everything traced again with smaller steps, and what must hold whatever the steps are.

Along a branch the sign of det(I − J) · dp/ds changes at simple branch points and, multiple ones apart, nowhere else: it
is the sign of the determinant of the branch's equations, bordered by its tangent (Kuznetsov, Elements of Applied
Bifurcation Theory, 2004, section 10.2). At a point where branches meet, the sum of the fixed-point indices
sign det(I − (f^K)') of the cycles nearby is the same on both sides of its parameter (homotopy invariance of the degree;
Krasnosel'skii 1964): a side branch that was missed leaves it unbalanced.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import networkx as nx
import numpy as np

from bifurcate.bifurcations.codimension_one.located_points import branch_point_near
from bifurcate.bifurcations.kinds import KINDS
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.continuation.branch_matching import BranchLocator, same_point
from bifurcate.diagram.branch_source import BranchSource
from bifurcate.diagram.exploration import BranchRecord, Exploration
from bifurcate.diagram.segments import Segment
from bifurcate.errors import BifurcateError
from bifurcate.linalg.multipliers import Spectrum

__all__ = ["Audit", "BranchFindings", "audit_branch", "check_balance", "check_parity"]

TOUCH = 0.2  # distance from +1 within which a multiplier may touch it between two points of an audit
TOUCH_REACH = 2.0  # steps within which the point of contact is located: it lies between a point's two neighbours
ON_BRANCH = 0.1  # steps by which the point of contact may lie off the branch: the error of the cubic through its points
ON_BOUND = 1e-9  # widths of the bounds up to which a special point lies on one of them
# Reasons for which a branch ends where its last step happened to end, not at a place of its own.
LOOSE_ENDS = ("escaped", "steps", "stalled", "domain", "failed", "not-isolated")


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found.

    Attributes
    ----------
    extra : tuple of SpecialPoint
        Points found with smaller steps only; the diagram has them and what starts there.
    gone : tuple of SpecialPoint
        Points that smaller steps did not find again; they stay in the diagram.
    touching : tuple of SpecialPoint
        Branch points at which a multiplier touches +1 without crossing it, so that no count of multipliers changes.
    parity : tuple of str
        Branches along which the index and the direction do not change at the points where they must.
    balance : tuple of str
        Points at which indices do not balance: a branch that starts there was missed.
    changed : tuple of str
        Branches that smaller steps trace differently, or not at all.
    interrupted : bool
        True if the user ended the audit: it says nothing then of what it did not come to.
    """

    extra: tuple[SpecialPoint, ...]
    gone: tuple[SpecialPoint, ...]
    touching: tuple[SpecialPoint, ...]
    parity: tuple[str, ...]
    balance: tuple[str, ...]
    changed: tuple[str, ...]
    interrupted: bool = False

    @property
    def clean(self) -> bool:
        """True if the audit came to its end and nothing was found."""
        found = (self.extra, self.gone, self.touching, self.parity, self.balance, self.changed)
        return not self.interrupted and not any(found)

    def __str__(self) -> str:
        if self.clean:
            return "audit: nothing was missed that smaller steps, parities or touching multipliers show"
        lines = ["audit, interrupted by the user:" if self.interrupted else "audit:"]
        lines += [f"  with smaller steps also {point}" for point in self.extra]
        lines += [f"  with smaller steps no longer {point}" for point in self.gone]
        lines += [f"  a multiplier touches +1 at {point}" for point in self.touching]
        lines += [f"  {words}" for words in (*self.parity, *self.balance, *self.changed)]
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class BranchFindings:
    """What tracing a branch again with smaller steps shows.

    Attributes
    ----------
    special : tuple of SpecialPoint
        The special points found with smaller steps.
    gone : tuple of SpecialPoint
        The known points of the branch that smaller steps do not find.
    touching : tuple of SpecialPoint
        Branch points at which a multiplier only touches +1.
    changed : tuple of str
        How smaller steps trace another branch, or why they fail.
    is_interrupted : bool
        True if the user ended the audit.
    """

    special: tuple[SpecialPoint, ...] = ()
    gone: tuple[SpecialPoint, ...] = ()
    touching: tuple[SpecialPoint, ...] = ()
    changed: tuple[str, ...] = ()
    is_interrupted: bool = False


def audit_branch(state: Exploration, number: int, source: BranchSource) -> BranchFindings:
    """Trace a branch again with smaller steps, and compare; the state is not changed.

    Parameters
    ----------
    state : Exploration
        What is known.
    number : int
        Number of the branch.
    source : BranchSource
        Where the branch came from.

    Returns
    -------
    BranchFindings
    """
    old = state.branches[number].branch
    try:
        again = source.trace_finer(number, old.curve)
    except BifurcateError as error:
        return BranchFindings(changed=(f"branch {number} could not be traced again with smaller steps: {error}",))
    is_interrupted = any(stop.reason == "interrupted" for stop in again.stop)
    if not is_interrupted and (words := _difference(state.branches[number], number, again)):
        return BranchFindings(changed=(words,))
    # Points of cycles are located again only on branches of cycles, those of special points only on curves of these.
    is_of_cycles = again.curve.codimension == 0
    known = [point for point in state.points_on(number) if (point.curve.codimension == 0) == is_of_cycles]
    found = [*again.special, again.curve.origin]
    gone = [point for point in known if not _is_among(point, found, state)]
    touching = _touching(again, state.branches[number].locator)
    return BranchFindings(again.special, tuple(gone), tuple(touching), (), is_interrupted)


def _is_among(point: SpecialPoint, known: list[Any], state: Exploration) -> bool:
    """True if a special point is one of several, found again."""
    return any(isinstance(each, SpecialPoint) and same_point(point, each, state.widths) for each in known)


def _difference(record: BranchRecord, number: int, again: Branch) -> str:
    """How a branch traced with smaller steps differs from the one that is known; "" if it does not."""
    old = record.branch
    finer = BranchLocator(again, record.locator.metric)
    # Loose ends move with the steps and are not compared.
    loose = [stop.reason in LOOSE_ENDS for stop in old.stop]
    compared = old.points[loose[0] : len(old) - loose[1]]
    off = [p for p in compared if finer.locate(np.append(np.ravel(p.unknowns), p.free)) is None]
    if not off:
        return ""
    values = ", ".join(f"{name} = {value:.6g}" for name, value in zip(old.curve.free, off[0].free, strict=False))
    return f"branch {number} runs differently with smaller steps: {len(off)} of its points are off, as at {values}"


def _touching(branch: Branch, locator: BranchLocator) -> list[SpecialPoint]:
    """Branch points at which a real multiplier touches +1 without crossing it.

    Parameters
    ----------
    branch : Branch
        Traced with smaller steps.
    locator : BranchLocator
        Of the branch that is known; the points must lie on it.
    """
    if branch.curve.codimension > 0:
        return []
    gaps = np.array([spectrum.gap for spectrum in branch.spectra])
    finer, found = BranchLocator(branch, locator.metric), list[SpecialPoint]()
    for i in range(1, len(gaps) - 1):
        if gaps[i] > min(gaps[i - 1], gaps[i + 1]) or gaps[i] > TOUCH:
            continue
        node, step = finer.point_near(float(branch.arclength[i])), float(np.diff(branch.arclength[i - 1 : i + 2]).max())
        point = None if node is None else branch_point_near(branch.curve, node, locator.metric, TOUCH_REACH * step)
        if point is not None and locator.nearest(point)[1] < ON_BRANCH * step and not _is_one_of(point, found):
            found.append(point)
    return found


def _is_one_of(point: SpecialPoint, known: list[SpecialPoint]) -> bool:
    """True if a point is one of those known, to the errors of both."""
    free = point.curve.free[0]
    return any(abs(point.parameters[free] - each.parameters[free]) <= point.error + each.error for each in known)


def _index(spectrum: Spectrum, times: int) -> int:
    """Sign det(I − J^times): −1 for every real multiplier beyond +1 and, if ``times`` is even, beyond −1."""
    up, down, _ = spectrum.signature
    return -1 if (up + (down if times % 2 == 0 else 0)) % 2 else 1


def check_parity(state: Exploration, segments: list[Segment]) -> list[str]:
    """The branches on which sign det(I − J) · dp/ds changes away from simple branch points, or does not change at one.

    Parameters
    ----------
    state : Exploration
        What is known.
    segments : list of Segment
        Of its graph, as :func:`build_graph` returns them.

    Returns
    -------
    list of str
        A sentence each.
    """
    found = []
    for number, record in enumerate(state.branches):
        branch = record.branch
        if branch.curve.codimension > 0:
            continue
        own = [segment for segment in segments if segment.branch == number and not segment.is_empty]
        for before, after in pairwise(own):
            a, b = _orientation(branch, before), _orientation(branch, after)
            met = state.points_at(number, before.end)
            if any(point.multiplicity > 1 or not point.is_sure for point in met):
                continue
            if a and b and (a != b) != any(point.kind == "branch point" for point in met):
                words = "changes" if a != b else "does not change"
                found.append(f"parity on branch {number}: the index {words} at {', '.join(map(str, met))}")
        found += [
            f"parity on branch {number}: the number of multipliers outside the unit circle changes between special "
            f"points, near {branch.curve.free[0]} = {segment.parameter:.6g}"
            for segment in own
            if segment.outside is None and len(segment.points) > 1
        ]
    return found


def _orientation(branch: Branch, segment: Segment) -> int:
    """Sign det(I − J) · dp/ds on a segment, whose parameter is monotone; 0 if it is not known."""
    if segment.middle is None or len(segment.points) < 2:
        return 0
    p = branch[branch.curve.free[0]]
    rise = p[segment.points[-1]] - p[segment.points[0]]
    return int(np.sign(rise)) * _index(segment.middle, 1)


def check_balance(state: Exploration, graph: nx.MultiGraph, failed: list[SpecialPoint]) -> list[str]:
    """The points below and above whose parameter the indices of the cycles nearby have different sums.

    Parameters
    ----------
    state : Exploration
        What is known.
    graph : networkx.MultiGraph
        Its graph.
    failed : list of SpecialPoint
        Points from which a branch could not be followed: nothing is known there.

    Returns
    -------
    list of str
        A sentence each.
    """
    found = []
    for number, record in enumerate(state.points):
        point, kind = record.point, KINDS[record.point.kind]
        if point.curve.codimension > 0 or kind.codimension != 1:
            continue
        if kind.is_switchable and (not record.is_followed or _is_among(point, list(failed), state)):
            continue
        if _is_on_bound(point, state):
            continue
        together = _nodes_at_one_place(graph, number)
        edges = [data["segment"] for *_, data in graph.edges(together, data=True) if data["kind"] == "cycle"]
        doubles = any(state.points[node].point.kind == "flip" for node in together if node < len(state.points))
        sums = _indices(point, [segment for segment in edges if not segment.is_empty], doubles)
        if sums is not None and sums[0] != sums[1]:
            found.append(
                f"balance at {point}: the indices of the cycles known add up to {sums[0]} below it and {sums[1]} "
                "above: a branch is missing"
            )
    return found


def _is_on_bound(point: SpecialPoint, state: Exploration) -> bool:
    """True if a point lies on a bound of its parameter, to its error: cycles are known on one side of it only."""
    name = point.curve.free[0]
    value, slack = point.parameters[name], point.error + ON_BOUND * state.widths[name]
    return any(abs(value - bound) <= slack for bound in state.bounds[name])


def _nodes_at_one_place(graph: nx.MultiGraph, node: int) -> list[int]:
    """A special point's node, and those of points of other kinds at the same place."""
    found, waiting = {node}, [node]
    while waiting:
        here = waiting.pop()
        joined = {other for _, other, data in graph.edges(here, data=True) if data["segment"].is_empty} - found
        found |= joined
        waiting += joined
    return sorted(found)


def _indices(point: SpecialPoint, segments: list[Segment], doubles: bool) -> tuple[int, int] | None:
    """The indices near a point summed below and above its parameter; None if a multiplier needed is not known.

    Parameters
    ----------
    point : SpecialPoint
        The point.
    segments : list of Segment
        That end there.
    doubles : bool
        True if cycles of twice its period start there.
    """
    full_period = 2 * point.period if doubles else point.period
    sums = [0, 0]
    for segment in segments:
        beyond = segment.parameter - point.parameters[point.curve.free[0]]
        if segment.middle is None or beyond == 0.0 or full_period % segment.period:
            return None
        # Of a doubled cycle two points lie near each point of the cycle that it doubles.
        sums[beyond > 0] += max(segment.period // point.period, 1) * _index(
            segment.middle, full_period // segment.period
        )
    return sums[0], sums[1]
