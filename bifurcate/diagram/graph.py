"""The graph of a diagram: branches cut at special points, with special points and ends as nodes, segments as edges."""

from __future__ import annotations

import networkx as nx

from bifurcate.continuation.branch import Branch
from bifurcate.diagram.exploration import BranchRecord, Exploration
from bifurcate.diagram.segments import ON_CUT, Segment, cut_into_segments
from bifurcate.errors import Stop

__all__ = ["build_graph"]

Cut = tuple[float, int]  # an arclength at which a branch is cut, and the node there


def build_graph(state: Exploration) -> tuple[nx.MultiGraph, list[Segment]]:
    """The graph of branches cut at special points.

    Returns
    -------
    graph : networkx.MultiGraph
        As in :class:`Diagram`: nodes are the special points, under their numbers, and then the ends of branches.
    segments : list of Segment
        Its edges, in the order of branches and arclength.
    """
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
        is_ring = bool(cuts) and record.is_loop
        if not is_ring:
            cuts = _with_ends(graph, record, cuts)
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
                segment=segment,
                piece=segment,  # the old name, for one more version
            )
    return graph, segments


def _with_ends(graph: nx.MultiGraph, record: BranchRecord, cuts: list[Cut]) -> list[Cut]:
    """The cuts of a branch and its ends; ends that are no special points are added to the graph as nodes."""
    at, stop = record.locator.arclength, record.branch.stop
    first, last = float(at[0]), float(at[-1])
    if record.is_loop:  # a loop without special points is cut at its first point
        node = _add_end(graph, record.branch, 0, stop.last)
        return [(first, node), (last, node)]
    if not cuts or cuts[0][0] > first + ON_CUT:
        cuts = [(first, _add_end(graph, record.branch, 0, stop.first)), *cuts]
    if cuts[-1][0] < last - ON_CUT or len(cuts) == 1:
        cuts = [*cuts, (last, _add_end(graph, record.branch, -1, stop.last))]
    return cuts


def _add_end(graph: nx.MultiGraph, branch: Branch, which: int, stop: Stop) -> int:
    """Add the first (0) or last (−1) point of a branch to the graph; returns its node."""
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
