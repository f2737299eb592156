"""Whole diagrams: cascades, windows, loops, symmetric points; what is met twice is one; audits that notice."""

import networkx as nx
import numpy as np
import pytest
from diagrams import edges, values_at

import bifurcate as bf
from bifurcate.continuation.branch_matching import BranchLocator
from bifurcate.curves.metric import Metric
from bifurcate.diagram import branch_source as exploration
from bifurcate.errors import InvalidInput, NotConverged
from bifurcate.executors import process_pool


def test_the_cascade_of_the_logistic_map_to_period_sixteen(reference):
    diagram = bf.explore(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.57)}, depth=5, audit=True)
    assert sorted(branch.curve.period for branch in diagram.branches) == [1, 1, 2, 4, 8, 16]
    assert sorted(diagram.generations) == [1, 2, 2, 3, 4, 5]
    known = {p["period"]: p["r"] for p in reference["logistic"] if p["kind"] == "flip" and p["period"] != 3}
    for flip in diagram.of("flip"):
        assert abs(flip.parameters["r"] - known[flip.period]) < (1e-5 if flip.period == 16 else 1e-8)
    assert sorted(flip.period for flip in diagram.of("flip")) == [1, 2, 4, 8, 16]
    assert values_at(diagram, "branch point", "r") == [1.0]
    assert [point.period for point in diagram.not_followed] == [16] and diagram.failures == () and diagram.doubts == ()
    assert diagram.audit.clean, str(diagram.audit)
    # Every stable segment is one of the cascade's; the graph is a tree.
    stable = [(data["period"]) for *_, data in diagram.graph.edges(data=True) if data["stable"]]
    assert sorted(stable) == [1, 1, 2, 4, 8, 16]
    assert nx.is_tree(nx.Graph(diagram.graph)) and all(
        data["stable"] is not None for *_, data in diagram.graph.edges(data=True)
    )


def test_period_and_depth_limit_what_is_followed():
    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    short = bf.explore(curve, {"r": (0.5, 3.56)}, period=2)
    assert {branch.curve.period for branch in short.branches} == {1, 2}
    assert [(point.label, point.period) for point in short.not_followed] == [("PD", 2)]
    one = bf.explore(curve, {"r": (0.5, 3.56)}, depth=1)
    assert len(one.branches) == 1 and len(one.not_followed) == 2 and "not followed" in str(one)
    few = bf.explore(curve, {"r": (0.5, 3.56)}, max_branches=2)
    assert len(few.branches) == 2 and few.not_followed


def test_the_window_of_period_three_from_deflation_and_from_an_orbit():
    bounds = {"r": (3.7, 3.845)}
    map = bf.maps.logistic(r=3.835)
    found = bf.deflate(map, [[0.1], [0.6]], period=3)
    orbit = bf.orbit(map, [0.5], 1, transient=2000).states[0]
    for start in (next(s.state for s in found.of(3) if s.stable), orbit):
        window = bf.explore(bf.cycles(map, "r", start, period=3), bounds, depth=2)
        assert [branch.curve.period for branch in window.branches] == [3, 6]
        assert abs(window.first("fold").parameters["r"] - (1 + np.sqrt(8))) < 1e-10
        assert min(abs(p.parameters["r"] - 3.8414990075435078) for p in window.of("flip")) < 1e-10
    # Both 3-cycles are on one branch: three starts, one branch and its doubled one.
    curves = [bf.cycles(map, "r", s.state, period=3) for s in found.of(3)]
    both = bf.explore([*curves, bf.cycles(map, "r", orbit, period=3)], bounds, depth=2)
    assert [branch.curve.period for branch in both.branches] == [3, 6]


def test_the_cascade_within_the_window():
    map = bf.maps.logistic(r=3.835)
    curve = bf.cycles(map, "r", bf.orbit(map, [0.5], 1, transient=2000).states[0], period=3)
    window = bf.explore(curve, {"r": (3.82, 3.86)}, depth=4)
    flips = np.array(sorted((p.period, p.parameters["r"]) for p in window.of("flip")))
    assert flips[:, 0].tolist() == [3, 6, 12, 24]
    ratios = np.diff(flips[:-1, 1]) / np.diff(flips[1:, 1])
    assert np.abs(ratios - 4.669).max() < 0.5 and np.diff(np.abs(ratios - 4.669)).max() < 0.0


def test_the_predator_prey_map_of_auto():
    diagram = bf.explore(bf.cycles(bf.maps.predator_prey(), "p1", [0.0, 0.0]), {"p1": (0.5, 3.6)}, depth=5, audit=True)
    assert values_at(diagram, "BP", "p1") == [1.0, 2.0]
    flips = {point.period: point.parameters["p1"] for point in diagram.of("PD")}
    assert np.abs(np.array([flips[k] for k in (1, 2, 4)]) - [3.0, 1 + np.sqrt(6), 3.5440903595519]).max() < 1e-8
    assert sorted(branch.curve.period for branch in diagram.branches) == [1, 1, 1, 2, 4, 8]
    coexistence = [branch for branch in diagram.branches if branch.states[:, 1].max() > 0.1]
    assert len(coexistence) == 1 and coexistence[0] in diagram.branches_at(diagram.of("BP")[1])
    assert diagram.audit.clean, str(diagram.audit)


def test_a_curve_from_a_switch_brings_the_branch_it_starts_on():
    bounds = {"r": (2.5, 3.5)}
    fixed = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), bounds)
    diagram = bf.explore(bf.switch(fixed.first("flip")), bounds, depth=2, audit=True)
    assert [branch.curve.period for branch in diagram.branches] == [2, 1, 4] and diagram.audit.clean
    assert sorted(point.period for point in diagram.of("flip")) == [1, 2]
    alone = bf.explore(bf.switch(fixed.first("flip")), bounds, depth=1)
    assert [branch.curve.period for branch in alone.branches] == [2]
    assert edges(alone) == [("EP", "PD", 2, False), ("PD", "PD", 2, True)]


def test_the_network_and_its_reduction_have_one_diagram():
    drive, baseline = np.linspace(0.3, 1.0, 6) ** 2, np.linspace(1.0, 0.4, 6) ** 2
    net = bf.adaptation.Network(drive=drive, baseline_drive=baseline, alpha=0.1, beta=-0.5, sigma=0.5)
    found = []
    for map, start in ((net.update, net.equilibrium()), (net.reduced, net.reduced_equilibrium())):
        diagram = bf.explore(bf.cycles(map, "alpha", start), {"alpha": (0.05, 2.5)}, depth=2)
        found.append(sorted((p.label, p.period, p.parameters["alpha"]) for p in diagram.special))
        assert diagram.failures == () and diagram.doubts == ()
    assert [row[:2] for row in found[0]] == [row[:2] for row in found[1]] and len(found[0]) > 2
    assert np.abs(np.array([row[2] for row in found[0]]) - [row[2] for row in found[1]]).max() < 1e-9


def test_starts_on_one_branch_in_either_direction_are_one():
    map = bf.maps.henon(a=0.3)
    start = bf.solve(map, [0.6, 0.2]).state
    other = bf.solve(map.replace(a=0.1), [0.9, 0.3]).state
    curve, there = bf.cycles(map, "a", start), bf.cycles(map.replace(a=0.1), "a", other)
    backwards = there.replace(direction=np.array([0.0, 0.0, -1.0]))
    assert len(bf.explore([curve, there, backwards], {"a": (0.0, 1.0)}, depth=1).branches) == 1


def test_a_cycle_is_known_from_any_of_its_points():
    map = bf.maps.ricker(r=2.3)
    x = bf.solve(map, [0.4], period=2).state
    curves = [bf.cycles(map, "r", state, period=2) for state in (x, map(x))]
    assert len(bf.explore(curves, {"r": (2.1, 2.4)}).branches) == 1


def test_two_branches_that_run_close_to_each_other_stay_two():
    gap = 1e-5
    map = bf.Map(lambda x, p: x + 0.3 * (x - p) * (x - p - gap) * (x - 2.0), {"p": 0.0})
    curves = [bf.cycles(map, "p", [0.0]), bf.cycles(map, "p", [gap])]
    assert len(bf.explore(curves, {"p": (-0.5, 0.5)}, depth=1).branches) == 2


def test_every_branch_of_a_symmetric_point():
    # Three units with the symmetry of a triangle: at a double branch point three branches cross the homogeneous one,
    # at a double flip three doubled cycles of either kind start (Golubitsky, Stewart & Schaeffer 1988, XIII.5).
    diagram = bf.explore(bf.cycles(bf.maps.logistic_ring(3, 2.5, 0.1), "r", [0.6] * 3), {"r": (0.6, 3.4)}, depth=2)
    lam = 1 - 0.1 * 1.5
    branch_point = min(diagram.of("BP"), key=lambda p: p.parameters["r"])
    assert abs(branch_point.parameters["r"] - (2 - 1 / lam)) < 1e-10 and branch_point.multiplicity == 2
    assert len(diagram.branches_at(branch_point)) == 4
    flip = next(p for p in diagram.of("PD") if p.multiplicity == 2)
    assert abs(flip.parameters["r"] - (2 + 1 / lam)) < 1e-10
    doubled = [branch for branch in diagram.branches_at(flip) if branch.curve.period == 2]
    assert len(doubled) == 6 and diagram.failures == ()


def test_the_cascade_of_a_map_that_preserves_areas():
    # Of the standard map's 2-cycle θ = π ± s: K = 4s / sin s, and a pitchfork at K = 2π; its arms double, and double.
    diagram = bf.explore(bf.cycles(bf.maps.standard(1.0), "K", [0.0, np.pi]), {"K": (0.5, 7.0)}, depth=5, audit=True)
    assert values_at(diagram, "BP", "K") == [round(2 * np.pi, 9)] and diagram.of("fold") == ()
    flips = np.array(sorted({(p.period, round(p.parameters["K"], 9)) for p in diagram.of("PD")}))
    assert flips[:, 0].tolist() == [1, 2, 4, 8] and flips[0, 1] == 4.0
    # From the pitchfork on, intervals shrink by 8.721 (Greene, MacKay, Vivaldi & Feigenbaum, Physica 3D (1981) 468).
    intervals = np.diff(np.append(2 * np.pi, flips[1:, 1]))
    assert np.abs(intervals[:-1] / intervals[1:] - 8.721).max() < 0.3
    assert {p.form for p in diagram.special} == {"degenerate"} and diagram.audit.clean, str(diagram.audit)


def test_a_square_of_units_has_two_kinds_of_side_branches():
    diagram = bf.explore(
        bf.cycles(bf.maps.logistic_ring(4, 2.5, 0.2), "r", [0.6] * 4), {"r": (0.6, 2.9)}, depth=2, audit=True
    )
    first = min(diagram.of("BP"), key=lambda p: p.parameters["r"])
    assert abs(first.parameters["r"] - 0.75) < 1e-10 and first.multiplicity == 2
    assert len(diagram.branches_at(first)) == 5 and diagram.audit.clean, str(diagram.audit)


def loci_of(diagram):
    return sorted(
        (branch.curve.kind, branch.curve.period) for branch in diagram.branches if branch.curve.kind != "cycle"
    )


def test_two_bounds_draw_the_curves_of_both_parameters():
    curve = bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3])
    diagram = bf.explore(curve, {"a": (-0.4, 2.0), "b": (-0.2, 0.8)}, depth=2)
    assert loci_of(diagram) == [("flip", 1), ("flip", 2), ("fold", 1)] and diagram.failures == ()
    assert [branch.curve.period for branch in diagram.branches if branch.curve.kind == "cycle"] == [1, 2]
    exact = {
        ("fold", 1): lambda b: -0.25 * (1 - b) ** 2,
        ("flip", 1): lambda b: 0.75 * (1 - b) ** 2,
        ("flip", 2): lambda b: (5 * (1 + b**2) - 6 * b) / 4,
    }
    for number, branch in enumerate(diagram.branches):
        if branch.curve.kind == "cycle":
            continue
        assert np.abs(branch["a"] - exact[branch.curve.kind, branch.curve.period](branch["b"])).max() < 1e-9
        # The point of the one-parameter branch from which it starts is a node of it, between two of its segments.
        node = diagram.special.index(branch.curve.origin)
        segments = [data for *_, data in diagram.graph.edges(node, data=True) if data["branch"] == number]
        assert len(segments) == 2 and {data["kind"] for data in segments} == {branch.curve.kind}
    text = bf.plot.chart(diagram.branches, "a", "b").get_legend().get_texts()
    assert {each.get_text() for each in text} == {"fold (LP), period 1", "flip (PD), period 1", "flip (PD), period 2"}


@pytest.mark.slow
def test_the_plane_of_the_henon_map_with_its_resonances(tmp_path):
    # On b = −1 the map preserves areas; the trace of a fixed point is −2ax, of the 2-cycle 4a² x₁x₂ + 2b.
    curve = bf.cycles(bf.maps.henon(a=0.1), "a", [1.0, 0.3])
    diagram = bf.explore(curve, {"a": (-2.0, 5.0), "b": (-1.1, 0.95)}, depth=3, period=2)
    expected = {
        ("R1", 1): -1.0, ("R4", 1): 0.0, ("R3", 1): 1.25, ("R2", 1): 3.0,
        ("R4", 2): 3.5, ("R3", 2): 3.75, ("R2", 2): 4.0,
    }  # fmt: skip
    found = {(p.label, p.period): p for p in diagram.special if p.label in ("R1", "R2", "R3", "R4")}
    assert set(found) == set(expected)
    for key, a in expected.items():
        assert abs(found[key].parameters["a"] - a) < 1e-8 and abs(found[key].parameters["b"] + 1.0) < 1e-8
    assert {("fold", 1), ("flip", 1), ("flip", 2), ("neimark-sacker", 1), ("neimark-sacker", 2)} == set(
        loci_of(diagram)
    )
    assert len(loci_of(diagram)) == 5
    diagram.chart("a", "b").figure.savefig(tmp_path / "henon.png")
    assert (tmp_path / "henon.png").stat().st_size > 5000


@pytest.mark.slow
def test_the_plane_of_the_generalised_henon_map():
    map = bf.maps.generalised_henon(alpha=2.0, beta=0.55, R=-0.5)
    curve = bf.cycles(map, "beta", bf.solve(map, [0.9, 0.9]).state)
    diagram = bf.explore(curve, {"beta": (-2.0, 3.0), "alpha": (-5.0, 8.0)}, depth=2, period=2)
    x = {"R4": 0.0, "R3": 1 / 2.5, "R2": 2 / 2.5, "R1": -2 / 2.5}
    for label, at in x.items():
        (point,) = [p for p in diagram.of(label) if p.period == 1]
        assert abs(point.parameters["beta"] - (1 - 0.5 * at)) < 1e-8
        assert abs(point.parameters["alpha"] - (2 * at + at**2)) < 1e-8 and point.form == "generic"
    (corner,) = diagram.of("fold-flip")
    assert abs(corner.parameters["beta"] + 1) < 1e-8 and abs(corner.parameters["alpha"]) < 1e-8
    # One Neimark–Sacker curve, met from R1, from R2 and from the point on the one-parameter branch: one branch.
    assert loci_of(diagram).count(("neimark-sacker", 1)) == 1
    (ns,) = [point for point in diagram.of("NS")]
    assert {branch.curve.kind for branch in diagram.branches_at(ns)} == {"cycle", "neimark-sacker"}


@pytest.mark.slow
def test_every_root_of_random_quintics_lies_on_one_branch(rng):
    # x + 0.2 q(x; p) with q of degree 5 in x and 2 in p: numpy's roots of q at fixed p are the independent check.
    values = np.linspace(-0.8, 0.8, 9)
    for _ in range(4):
        table = rng.uniform(-1.0, 1.0, (6, 3))
        table[0] = [rng.choice([-0.5, 0.5]), 0.0, 0.0]

        def q(p, table=table):
            return table @ [1.0, p, p * p]

        def roots(p, q=q):
            return [r.real for r in np.roots(q(p)) if abs(r.imag) < 1e-9]

        map = bf.Map(lambda x, p, q=q: x + 0.2 * np.polyval(q(p), x), {"p": 0.0})
        bounds = {"p": (-1.0, 1.0)}
        diagram = bf.explore(bf.cycles(map, "p", roots(0.0)[:1]), bounds, period=1, audit=True)
        assert diagram.audit.clean and diagram.failures == () and diagram.doubts == ()
        more = bf.deflated_continuation(diagram.branches, bounds, values=values, guesses=[[-1.5], [0.0], [1.5]])
        tracks = [BranchLocator(b, Metric.of(b.curve, np.array([2.0]))) for b in (*diagram.branches, *more.branches)]
        for p in values:
            found = np.sort([float(x[0]) for track in tracks for x in track.states_at(float(p))])
            assert len(found) == len(roots(p)) and np.abs(found - np.sort(roots(p))).max() < 1e-8


def test_failures_are_kept_and_the_rest_goes_on(monkeypatch):
    whole = exploration.switches

    def failing(point, amplitude=None):
        if point.kind == "branch point":
            raise NotConverged("no branch was reached", point.state, (0.0,), "")
        return whole(point, amplitude=amplitude)

    monkeypatch.setattr(exploration, "switches", failing)
    diagram = bf.explore(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.3)}, depth=2)
    assert [failure.point.label for failure in diagram.failures] == ["BP"] and "no branch was reached" in str(diagram)
    assert sorted(branch.curve.period for branch in diagram.branches) == [1, 2]


def test_of_several_starts_those_that_fail_are_named():
    map = bf.Map(lambda x, p: x - 0.5 * np.arctan(x - 2.0 + p), {"p": 0.0})
    good, bad = bf.cycles(map, "p", [1.9]), bf.cycles(map, "p", [10.0])
    diagram = bf.explore([bad, good], {"p": (-0.5, 0.5)})
    assert len(diagram.branches) == 1 and len(diagram.failures) == 1 and diagram.failures[0].point is None
    assert "start" in diagram.failures[0].reason and "a curve that was given" in str(diagram)
    with pytest.raises(NotConverged, match="start"):
        bf.explore(bad, {"p": (-0.5, 0.5)})


def test_a_degenerate_flip_ends_with_its_reason():
    # Of a linear map: all cycles are at one parameter value.
    diagram = bf.explore(bf.cycles(bf.Map(lambda x, p: -p * x, {"p": 0.5}), "p", [0.0]), {"p": (0.2, 1.5)})
    assert values_at(diagram, "flip", "p") == [1.0] and diagram.special[0].form == "degenerate"
    (segment,) = [branch for branch in diagram.branches if branch.curve.period == 2]
    assert segment.stop[1].reason == "not-isolated"


def test_a_branch_that_leaves_the_domain_keeps_what_was_found():
    map = bf.Map(lambda x, p: x + 0.5 * (p - np.sqrt(x)), {"p": 0.8}, domain=lambda x, p: x)
    diagram = bf.explore(bf.cycles(map, "p", [0.64]), {"p": (-0.5, 1.0)})
    # At p = 1/8 the map is |√x − 1/4|², and all of its 2-cycles stand side by side, up to the edge.
    poles = [point for point in diagram.special if point.kind == "pole"]
    assert [(point.period, round(point.parameters["p"], 9)) for point in poles if point.period == 2] == [(2, 0.125)]
    assert any(stop.reason == "domain" for branch in diagram.branches for stop in branch.stop)
    ends = [n for n, data in diagram.graph.nodes(data=True) if data["kind"] == "pole"]
    assert len(ends) == 2 and all(diagram.graph.degree(end) == 1 for end in ends)


def test_an_interrupt_keeps_what_was_found():
    seen = []

    def impatient(branch):
        seen.append(branch)
        if len(seen) == 2:
            raise KeyboardInterrupt

    curve = bf.cycles(bf.maps.logistic(), "r", [0.6])
    diagram = bf.explore(curve, {"r": (0.5, 3.56)}, progress=impatient, audit=True)
    assert diagram.interrupted and len(diagram.branches) == 2 and "interrupted" in str(diagram)
    assert diagram.audit is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: bf.explore([], {"r": (2, 3)}), "at least one"),
        (lambda c: bf.explore([c, 3], {"r": (2, 3)}), "must be a Curve"),
        (lambda c: bf.explore(c, {"q": (2, 3)}), "bounds must give an interval for 'r'"),
        (lambda c: bf.explore(c, {"r": (3, 2)}), "low < high"),
        (lambda c: bf.explore(c, {"r": (2, 3), "q": (0, 1)}), "has no parameter 'q'"),
        (lambda c: bf.explore(c, {"r": (2, 3), "q": (0, 1), "s": (0, 1)}), "one parameter or two"),
        (
            lambda c: bf.explore(bf.cycles(bf.maps.henon(a=0.1), "a", [1, 0.3]), {"a": (0, 1), "b": (0.5, 1)}),
            r"the start has b = 0\.3, outside its bounds",
        ),
        (lambda c: bf.explore(c, 3.0), "bounds must be a dict"),
        (lambda c: bf.explore(c, {"r": (2, 3)}, depth=0), "depth is 0"),
        (lambda c: bf.explore(c, {"r": (2, 3)}, period=1.5), "period is 1.5"),
        (lambda c: bf.explore(c, {"r": (2, 3)}, max_branches=True), "max_branches is True"),
    ],
)
def test_unusable_arguments(call, words):
    with pytest.raises(InvalidInput, match=words):
        call(bf.cycles(bf.maps.logistic(), "r", [0.6]))


def test_an_executor_finds_the_same_diagram():
    from concurrent.futures import ThreadPoolExecutor

    from long_calls import explored, explored_in_two_parameters
    from same import difference

    with ThreadPoolExecutor(2) as threads:
        assert difference(explored(), explored(executor=threads)) is None
        assert difference(explored_in_two_parameters(), explored_in_two_parameters(executor=threads)) is None
    with process_pool(2) as processes:
        assert difference(explored(), explored(executor=processes)) is None
    with pytest.raises(InvalidInput, match="executor is 3; it must be an Executor"):
        explored(executor=3)
