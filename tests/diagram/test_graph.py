"""The graph of a diagram: loops close, and what is met twice is one node or one edge."""

import numpy as np
import pytest
from diagrams import bubble, edges, pitchfork, values_at

import bifurcate as bf


def test_a_sphere_has_one_loop_of_cycles_and_one_of_folds():
    # x² + a² + b² = 1: a loop of fixed points for each b, whose folds form the circle a² + b² = 1.
    map = bf.Map(lambda x, a, b: x + 0.1 * (x**2 + a**2 + b**2 - 1.0), {"a": 0.0, "b": 0.3})
    curve = bf.cycles(map, "a", [-0.95])
    diagram = bf.explore(curve, {"a": (-1.5, 1.5), "b": (-1.5, 1.5)}, audit=True)
    assert [branch.curve.kind for branch in diagram.branches] == ["cycle", "fold"]
    assert all(branch.stop[1].reason == "closed" for branch in diagram.branches)
    folds = diagram.branches[1]
    assert np.abs(folds["a"] ** 2 + folds["b"] ** 2 - 1.0).max() < 1e-9
    assert diagram.graph.number_of_nodes() == 2 and diagram.graph.number_of_edges() == 4
    assert edges(diagram) == [("LP", "LP", 1, False), ("LP", "LP", 1, True)]
    assert diagram.audit.clean, str(diagram.audit)


def test_a_loop_without_special_points_hangs_on_its_first_point():
    map = bf.Map(lambda x, a, b: x + 0.1 * (x**2 + a**2 + b**2 - 1.0), {"a": 0.0, "b": 0.3})
    fixed = bf.trace(bf.cycles(map, "a", [-0.95]), {"a": (-1.5, 1.5)})
    curve = bf.locus(fixed.first("fold"), free="b").replace(origin=None)
    diagram = bf.explore(curve, {"a": (-1.5, 1.5), "b": (-1.5, 1.5)})
    assert diagram.special == () and list(diagram.graph.edges()) == [(0, 0)]


def test_a_pitchfork_is_one_point_with_four_arms():
    diagram = bf.explore(bf.cycles(pitchfork(), "p", [0.0]), {"p": (-1.0, 1.0)}, audit=True)
    assert [point.form for point in diagram.special] == ["pitchfork"] and len(diagram.branches) == 2
    assert edges(diagram) == [("BP", "EP", 1, False)] + [("BP", "EP", 1, True)] * 3
    assert diagram.graph.degree(0) == 4 and diagram.audit.clean


def test_a_loop_that_crosses_a_line_twice_is_traced_once():
    map = bf.Map(lambda x, p: x + 0.2 * x * (x**2 + p**2 - 0.25), {"p": -0.9})
    diagram = bf.explore(bf.cycles(map, "p", [0.0]), {"p": (-1.0, 1.0)}, audit=True)
    assert values_at(diagram, "BP", "p") == [-0.5, 0.5] and len(diagram.branches) == 2
    assert edges(diagram) == [("BP", "BP", 1, False)] * 2 + [("BP", "BP", 1, True)] + [("BP", "EP", 1, False)] * 2
    assert diagram.audit.clean


@pytest.mark.parametrize("start", ["fixed point", "doubled cycle"])
def test_a_doubled_cycle_between_two_flips_is_one_edge(start):
    map = bubble().replace(p=0.0)
    if start == "fixed point":
        curve = bf.cycles(map, "p", [0.0])
    else:
        curve = bf.cycles(map, "p", bf.solve(map, [0.3], period=2).state, period=2)
    diagram = bf.explore(curve, {"p": (-0.6, 0.6)}, audit=True)
    assert np.abs(np.array(values_at(diagram, "flip", "p")) - [-np.sqrt(0.1), np.sqrt(0.1)]).max() < 1e-8
    assert edges(diagram) == [("EP", "PD", 1, True)] * 2 + [("PD", "PD", 1, False), ("PD", "PD", 2, True)]
    assert len(diagram.branches) == 2 and diagram.audit.clean
