"""The audit of a diagram: everything traced again with smaller steps, and what must hold whatever the steps are.

Along a branch the sign of det(I − J) · dp/ds changes at simple branch points and, multiple ones apart, nowhere else: it
is the sign of the determinant of the branch's equations, bordered by its tangent (Kuznetsov, Elements of Applied
Bifurcation Theory, 2004, section 10.2). At a point where branches meet, the sum of the fixed-point indices
sign det(I − (f^K)') of the cycles nearby is the same on both sides of its parameter (homotopy invariance of the degree;
Krasnosel'skii 1964): a side branch that was missed leaves it unbalanced.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import networkx as nx
import numpy as np

from bifurcate.bifurcations.codimension_one.event_detection import branch_point_near
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.continuation.branch_matching import BranchLocator, same_point
from bifurcate.continuation.step_control import StepControl
from bifurcate.continuation.trace import trace
from bifurcate.diagram.segments import Segment
from bifurcate.errors import BifurcateError
from bifurcate.linalg.multipliers import Spectrum

if TYPE_CHECKING:
    from bifurcate.diagram.explore import Explorer

__all__ = ["Audit", "audit_findings"]

FINER = 3  # by how much the steps of the audit are shorter
TOUCH = 0.2  # a multiplier this close to +1 at its nearest is looked at


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found.

    Attributes
    ----------
    extra : tuple of SpecialPoint
        Points found with smaller steps only; the diagram holds them and what starts there.
    gone : tuple of SpecialPoint
        Points that smaller steps did not find again; they stay in the diagram.
    touching : tuple of SpecialPoint
        Branch points at which a multiplier touches +1 without crossing it, so that no count tells of them.
    parity : tuple of str
        Branches whose multipliers beyond +1 and direction do not fit the points on them.
    balance : tuple of str
        Points at which indices do not add up: a branch that starts there was missed.
    changed : tuple of str
        Branches that smaller steps trace differently, or not at all.
    """

    extra: tuple[SpecialPoint, ...]
    gone: tuple[SpecialPoint, ...]
    touching: tuple[SpecialPoint, ...]
    parity: tuple[str, ...]
    balance: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """True if nothing was found."""
        return not any((self.extra, self.gone, self.touching, self.parity, self.balance, self.changed))

    def __str__(self) -> str:
        lines = [f"audit: {'nothing was missed that smaller steps, parities or touching multipliers show'}"]
        if not self.clean:
            lines = ["audit:"]
        lines += [f"  with smaller steps also {point}" for point in self.extra]
        lines += [f"  with smaller steps no longer {point}" for point in self.gone]
        lines += [f"  a multiplier touches +1 at {point}" for point in self.touching]
        lines += [f"  {words}" for words in (*self.parity, *self.balance, *self.changed)]
        return "\n".join(lines)


def audit_findings(explorer: Explorer) -> Audit:
    """Audit a diagram that was explored; what is found is added to it and explored in turn."""
    extra: list[SpecialPoint] = []
    gone: list[SpecialPoint] = []
    touching: list[SpecialPoint] = []
    changed: list[str] = []
    done = 0
    while done < len(explorer.tracks) and not explorer.interrupted:
        again = _again(explorer, done)
        if isinstance(again, str):
            changed.append(again)
        else:
            kind = again.curve.codimension == 0
            met = [p for p, on in zip(explorer.points, explorer.on) if any(b == done for b, _ in on)]
            known = [p for p in met if (p.curve.codimension == 0) == kind]  # of what tracing such a curve reports
            gone += [p for p in known if not _among(p, [*again.special, again.curve.origin], explorer)]
            extra += _new(explorer, done, again.special)
            touching += _new(explorer, done, _touching(again, explorer.tracks[done]))
        done += 1
        if done == len(explorer.tracks):
            explorer.run()
    graph, pieces = explorer.graph()
    return Audit(
        tuple(extra), tuple(gone), tuple(touching), tuple(_parity(explorer, pieces)),
        tuple(_balance(explorer, graph)), tuple(changed),
    )  # fmt: skip


def _new(explorer: Explorer, number: int, points: Iterable[SpecialPoint]) -> list[SpecialPoint]:
    """Those of the points on a branch that were not known; from now on they are."""
    before = len(explorer.points)
    for point in points:
        explorer.touch(point, number)
    return explorer.points[before:]


def _among(point: SpecialPoint, known: list, explorer: Explorer) -> bool:
    return any(isinstance(each, SpecialPoint) and same_point(point, each, explorer.widths) for each in known)


def _finer(control: StepControl) -> StepControl:
    first = max(control.first / FINER, control.smallest)
    return dataclasses.replace(
        control, first=first, largest=max(control.largest / FINER, first), angle=control.angle / FINER,
        max_steps=FINER * control.max_steps,
    )  # fmt: skip


def _again(explorer: Explorer, number: int) -> Branch | str:
    """A branch traced with smaller steps, or in which way it is another one."""
    track = explorer.tracks[number]
    old = track.branch
    bounds = {name: explorer.bounds[name] for name in old.curve.free}
    try:
        again = trace(old.curve, bounds, control=_finer(explorer.control))
    except BifurcateError as error:
        return f"branch {number} could not be traced again with smaller steps: {error}"
    explorer.interrupted |= any(stop.reason == "interrupted" for stop in again.stop)
    finer = BranchLocator(again, track.metric)
    # An end that is no place of its own (the state ran away, the steps gave out) moves with the steps.
    loose = [stop.reason in ("escaped", "steps", "stalled", "domain", "not-isolated") for stop in old.stop]
    compared = old.points[loose[0] : len(old) - loose[1]]
    off = [p for p in compared if finer.place(np.append(p.state.reshape(-1), p.free)) is None]
    if off and not explorer.interrupted:
        values = ", ".join(f"{name} = {value:.6g}" for name, value in zip(old.curve.free, off[0].free))
        return f"branch {number} runs differently with smaller steps: {len(off)} of its points are off, as at {values}"
    return again


def _touching(branch: Branch, track: BranchLocator) -> list[SpecialPoint]:
    """Branch points where a real multiplier comes nearest to +1 between two points of a branch, on one side of it."""
    if branch.curve.codimension > 0:
        return []
    gaps = np.array([_gap(spectrum) for spectrum in branch.spectra])
    finer, found = BranchLocator(branch, track.metric), list[SpecialPoint]()
    for i in range(1, len(gaps) - 1):
        if gaps[i] > min(gaps[i - 1], gaps[i + 1]) or gaps[i] > TOUCH:
            continue
        node, step = finer.node(float(branch.arclength[i])), float(np.diff(branch.arclength[i - 1 : i + 2]).max())
        point = None if node is None else branch_point_near(branch.curve, node, track.metric, 2.0 * step)
        if point is not None and track.nearest(point)[1] < 0.1 * step:
            found.append(point)
    return found


def _gap(spectrum: Spectrum) -> float:
    real = spectrum.values.real[spectrum.real]
    return float(np.abs(real - 1.0).min()) if len(real) else np.inf


def _index(spectrum: Spectrum, times: int) -> int:
    """Sign det(I − J^times): −1 for every real multiplier beyond +1 and, if ``times`` is even, beyond −1."""
    up, down, _ = spectrum.signature
    return -1 if (up + (down if times % 2 == 0 else 0)) % 2 else 1


def _parity(explorer: Explorer, pieces: list[Segment]) -> list[str]:
    """Branches on which sign det(I − J) · dp/ds changes elsewhere than at simple branch points, or not at one."""
    found = []
    for number, track in enumerate(explorer.tracks):
        if track.branch.curve.codimension > 0:
            continue
        mine = [piece for piece in pieces if piece.branch == number]
        for before, after in pairwise(mine):
            a, b = _orientation(track, before), _orientation(track, after)
            met = explorer.met(number, before.end)
            if any(point.multiplicity > 1 for point in met):
                continue
            if a and b and (a != b) != any(point.kind == "branch point" for point in met):
                words = "changes" if a != b else "does not change"
                found.append(f"parity on branch {number}: the index {words} at {', '.join(map(str, met))}")
        found += [
            f"parity on branch {number}: the number of multipliers outside the unit circle changes between special "
            f"points, near {track.branch.curve.free[0]} = {piece.parameter:.6g}"
            for piece in mine
            if piece.outside is None and len(piece.points) > 1
        ]
    return found


def _orientation(track: BranchLocator, piece: Segment) -> int:
    """Sign det(I − J) · dp/ds on a piece, whose parameter is monotone; 0 if it is not known."""
    if piece.middle is None or len(piece.points) < 2:
        return 0
    p = track.branch[track.branch.curve.free[0]]
    rise = p[piece.points[-1]] - p[piece.points[0]]
    return int(np.sign(rise)) * _index(piece.middle, 1)


def _balance(explorer: Explorer, graph: nx.MultiGraph) -> list[str]:
    """Points at which the indices of the cycles on both sides of the parameter do not add up to the same number."""
    failed = [failure.point for failure in explorer.failures]
    found = []
    for number, point in enumerate(explorer.points):
        starts = point.kind in ("flip", "branch point")
        if point.curve.codimension > 0 or not (starts or point.kind in ("fold", "neimark-sacker")):
            continue
        if starts and (not explorer.followed[number] or any(point is other for other in failed)):
            continue
        sums = _indices(
            point, [data["piece"] for *_, data in graph.edges(number, data=True) if data["kind"] == "cycle"]
        )
        if sums is not None and sums[0] != sums[1]:
            found.append(
                f"balance at {point}: the indices of the cycles known add up to {sums[0]} below it and {sums[1]} "
                "above: a branch is missing"
            )
    return found


def _indices(point: SpecialPoint, pieces: list[Segment]) -> tuple[int, int] | None:
    """The indices near a point summed below and above its parameter; None if a multiplier needed is not known."""
    whole = 2 * point.period if point.kind == "flip" else point.period
    sums = [0, 0]
    for piece in pieces:
        beyond = piece.parameter - point.parameters[point.curve.free[0]]
        if piece.middle is None or beyond == 0.0 or whole % piece.period:
            return None
        # Of a doubled cycle two points lie near each point of the cycle that it doubles.
        sums[beyond > 0] += max(piece.period // point.period, 1) * _index(piece.middle, whole // piece.period)
    return sums[0], sums[1]
