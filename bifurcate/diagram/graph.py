"""Diagram: branches and special points as a graph that prints, plots and can be asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import networkx as nx
import numpy as np

from bifurcate.bifurcations.special_point import SpecialPoint, first_of_kind, points_of_kind
from bifurcate.continuation.branch import Branch
from bifurcate.continuation.branch_matching import BranchLocator
from bifurcate.diagram.audit import Audit
from bifurcate.diagram.segments import ON_CUT, Segment, cut_into_segments
from bifurcate.diagram.state import Exploration
from bifurcate.errors import InvalidInput, Stop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Diagram", "Failed", "build_graph"]


@dataclass(frozen=True, eq=False)
class Failed:
    """A curve that could not be followed.

    Attributes
    ----------
    point : SpecialPoint or None
        Where it starts; None if it was given by the user.
    reason : str
        In words.
    """

    point: SpecialPoint | None
    reason: str

    def __str__(self) -> str:
        where = f"from {self.point}" if self.point is not None else "a curve that was given"
        return f"{where}: {self.reason}"


@dataclass(frozen=True, eq=False)
class Diagram:
    """What :func:`explore` found.

    Attributes
    ----------
    branches : tuple of Branch
        Every branch once, in the order in which they were traced.
    generations : tuple of int
        Of each branch: 1 if it was given, 2 if it starts at a point of such a branch, ….
    special : tuple of SpecialPoint
        Every special point once, in the order in which they were met.
    graph : networkx.MultiGraph
        Nodes are the special points, under their index in ``special``, and then the ends of branches; with ``kind``
        and ``label`` ("end" and "EP" for ends), ``parameters``, ``state``, ``period``, ``point`` (the SpecialPoint, or
        None) and ``text``. Edges are the pieces of branches between them, with ``branch`` (index into ``branches``),
        ``kind`` (of its curve), ``period``, ``stable`` (None if not known, and on curves of special points),
        ``outside`` (number of multipliers outside the unit circle) and ``piece``.
    failures : tuple of Failed
        Curves that could not be followed, with the reason.
    left : tuple of SpecialPoint
        Points at which curves start that were not followed: beyond ``depth``, ``period`` or ``max_branches``.
    doubts : tuple of str
        What the branches say of themselves: changes that no located point explains.
    audit : Audit or None
        What the audit found, if it was asked for.
    interrupted : bool
        Whether the user ended the exploration.
    """

    branches: tuple[Branch, ...]
    generations: tuple[int, ...]
    special: tuple[SpecialPoint, ...]
    graph: nx.MultiGraph
    failures: tuple[Failed, ...]
    left: tuple[SpecialPoint, ...]
    doubts: tuple[str, ...]
    audit: Audit | None = None
    interrupted: bool = False

    def of(self, kind: str) -> tuple[SpecialPoint, ...]:
        """The special points of a kind ("flip") or label ("PD")."""
        return points_of_kind(self.special, kind)

    def first(self, kind: str) -> SpecialPoint:
        """The first special point of a kind or label.

        Raises
        ------
        NoSuchPoint
            If there is none.
        """
        return first_of_kind(self.special, kind, f"in this diagram of {len(self.branches)} branches")

    def branches_at(self, point: SpecialPoint) -> tuple[Branch, ...]:
        """The branches that meet at a special point of this diagram."""
        node = next((i for i, known in enumerate(self.special) if _is_copy(known, point)), None)
        if node is None:
            raise InvalidInput("point is none of this diagram's special points")
        return tuple(self.branches[i] for i in self._branches_at(node))

    def _branches_at(self, node: int) -> list[int]:
        return sorted({data["branch"] for *_, data in self.graph.edges(node, data=True)})

    def plot(self, parameter: str, observable: Callable[..., float] | int = 0, **options: Any) -> Figure:
        """Draw all branches of cycles against a parameter: stable solid, unstable dashed, points marked by kind.

        Parameters
        ----------
        parameter : str
            The parameter on the horizontal axis.
        observable : callable or int
            The vertical axis: ``observable(x, **parameters)`` → float, or the index of a component.
        **options
            As for :func:`bifurcate.plot.diagram`.

        Returns
        -------
        Figure
            Of Matplotlib; ``.savefig(...)`` writes it.
        """
        drawn = [branch for branch in self.branches if branch.curve.codimension == 0]
        # Matplotlib is loaded when something is drawn, not with this file.
        from bifurcate.plot.bifurcation_diagram import diagram
        from bifurcate.plot.style import figure_of

        return figure_of(diagram(drawn, parameter, observable, **options))

    def chart(self, x: str, y: str, **options: Any) -> Figure:
        """Draw the curves of special points in the plane of two parameters, with their points of codimension two.

        Parameters
        ----------
        x, y : str
            The parameters on the horizontal and on the vertical axis.
        **options
            As for :func:`bifurcate.plot.chart`.

        Returns
        -------
        Figure
            Of Matplotlib; ``.savefig(...)`` writes it.
        """
        from bifurcate.plot.style import figure_of
        from bifurcate.plot.two_parameter_chart import chart

        return figure_of(chart(self.branches, x, y, **options))

    def __str__(self) -> str:
        name = self.branches[0].curve.iterate.map.name if self.branches else "map"
        lines = [f"diagram of {name}: {len(self.branches)} branches, {len(self.special)} special points"]
        rows: list[tuple[str, ...]] = [("branch", "period", "from", "to", "points", "starts at", "stable")]
        rows += [self._row(i, branch) for i, branch in enumerate(self.branches)]
        widths = [max(len(row[j]) for row in rows) for j in range(len(rows[0]))]
        lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        for i, point in enumerate(self.special):
            form = f", {point.form}" if point.form else ""
            lines.append(f"  {point}{form}; on branch {', '.join(map(str, self._branches_at(i)))}")
        lines += [f"  failed {failure}" for failure in self.failures]
        lines += [f"  not followed, beyond the depth, period or number asked for: {point}" for point in self.left]
        lines += [f"  in doubt: {doubt}" for doubt in self.doubts]
        lines += ["  interrupted by the user; all that was found so far is kept"] * self.interrupted
        return "\n".join(lines + ([str(self.audit)] if self.audit is not None else []))

    def _row(self, i: int, branch: Branch) -> tuple[str, ...]:
        free = branch.curve.free
        span = [", ".join(f"{name} = {value:.6g}" for name, value in zip(free, branch.points[j].free)) for j in (0, -1)]
        origin = branch.curve.origin
        start = f"{origin.label} {origin.curve.where(origin.u)}" if isinstance(origin, SpecialPoint) else "given"
        stable = f"{np.mean(branch.stable):.0%}" if branch.curve.codimension == 0 else ""
        return str(i), str(branch.curve.period), *span, str(len(branch)), start, stable


def _is_copy(a: SpecialPoint, b: SpecialPoint) -> bool:
    """True if two special points hold the same numbers, as a point and its copy do."""
    return (a.kind, a.period, a.curve.free) == (b.kind, b.period, b.curve.free) and np.array_equal(a.u, b.u)


def build_graph(state: Exploration) -> tuple[nx.MultiGraph, list[Segment]]:
    """The graph of branches cut at special points, and its segments in the order of branches and arclength."""
    graph = nx.MultiGraph()
    for node, known in enumerate(state.points):
        point = known.point
        graph.add_node(
            node,
            kind=point.kind,
            label=point.label,
            parameters=point.parameters,
            state=point.state,
            period=point.period,
            point=point,
            text=str(point),
        )
    segments = []
    for number, record in enumerate(state.branches):
        locator = record.locator
        cuts = sorted(
            (meeting.arclength, node)
            for node, met in enumerate(state.points)
            for meeting in met.meetings
            if meeting.branch == number
        )
        is_ring = bool(cuts) and locator.branch.stop.last.reason == "closed"
        if not is_ring:
            cuts = _with_ends(graph, locator, cuts)
        nodes = [node for _, node in cuts]
        own = cut_into_segments(number, locator, [s for s, _ in cuts], is_ring)
        for segment, a, b in zip(own, nodes, [*nodes[1:], *nodes[:1]], strict=False):
            segments.append(segment)
            graph.add_edge(
                a,
                b,
                branch=number,
                kind=segment.kind,
                period=segment.period,
                stable=segment.stable,
                outside=segment.outside,
                piece=segment,
            )
    return graph, segments


def _with_ends(graph: nx.MultiGraph, locator: BranchLocator, cuts: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """The cuts of a branch with nodes for its ends, where no special point is the end."""
    at, stop = locator.arclength, locator.branch.stop
    first, last = float(at[0]), float(at[-1])
    if stop.last.reason == "closed":  # a loop without special points hangs on its first point
        node = _end(graph, locator, 0, stop.last)
        return [(first, node), (last, node)]
    if not cuts or cuts[0][0] > first + ON_CUT:
        cuts = [(first, _end(graph, locator, 0, stop.first)), *cuts]
    if cuts[-1][0] < last - ON_CUT or len(cuts) == 1:
        cuts = [*cuts, (last, _end(graph, locator, -1, stop.last))]
    return cuts


def _end(graph: nx.MultiGraph, locator: BranchLocator, which: int, stop: Stop) -> int:
    branch = locator.branch
    point = branch.points[which]
    node: int = graph.number_of_nodes()
    graph.add_node(
        node,
        kind="end",
        label="EP",
        parameters=point.parameters,
        state=point.state,
        period=branch.curve.period,
        point=None,
        text=str(stop),
    )
    return node
