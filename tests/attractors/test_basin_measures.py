"""Measures of boundaries against straight lines, closed forms and published values."""

import dataclasses

import numpy as np
import pytest
from global_reference import GLOBAL, reference_map

import bifurcate as bf
from bifurcate.errors import InvalidInput

SQUARE = {0: (-1.0, 1.0), 1: (-1.0, 1.0)}


def cubic(x, a):
    return a * x - x**3


@pytest.fixture(scope="module")
def quadrants():
    return bf.basins(bf.Map(cubic, {"a": 1.5}), {0: (-1.0, 1.1), 1: (-1.0, 1.2)}, cells=40)


@pytest.fixture(scope="module")
def newton():
    return bf.basins(reference_map("basin_newton"), {0: (-2, 2), 1: (-2, 2)}, cells=200)


def relabelled(found, labels):
    return dataclasses.replace(found, labels=labels, x=np.arange(labels.shape[1]), y=np.arange(labels.shape[0]))


def test_entropy_of_boxes_that_are_known(quadrants):
    # Boxes of 2 × 2: one of four labels (ln 4), one of two and two (ln 2), one of three and one, one of one.
    labels = np.array([[0, 1, 0, 0], [2, 3, 1, 1], [0, 0, 2, 2], [0, 1, 2, 2]])
    found = bf.basin_entropy(relabelled(quadrants, labels), cells=2)
    uneven = -0.75 * np.log(0.75) - 0.25 * np.log(0.25)
    total = np.log(4) + np.log(2) + uneven
    assert found.entropy == pytest.approx(total / 4) and found.boundary_entropy == pytest.approx(total / 3)
    assert (found.boxes, found.boundary_boxes) == (4, 3) and found.exceeds_ln2


def test_random_labels_have_the_largest_entropy(quadrants):
    labels = np.random.default_rng(0).integers(0, 3, (300, 300))
    found = bf.basin_entropy(relabelled(quadrants, labels), cells=30)
    # The mean of the plug-in entropy is ln 3 − (3 − 1)/(2 · 900) (Miller & Madow).
    assert found.entropy == pytest.approx(np.log(3) - 1 / 900, abs=5 * found.error)
    assert found.entropy == found.boundary_entropy


def test_a_straight_boundary_is_smooth_at_any_angle(quadrants):
    x, y = np.meshgrid(np.arange(330), np.arange(330))
    for angle in (0.1, 0.8, 2.0):
        labels = (np.cos(angle) * (x - 160.3) + np.sin(angle) * (y - 170.1) > 0).astype(int)
        assert bf.boundary_kind(relabelled(quadrants, labels)).kind == "smooth"
    ring = (np.hypot(x - 160.3, y - 170.1) > 120).astype(int)
    found = bf.boundary_kind(relabelled(quadrants, ring))
    assert found.kind == "smooth"
    # Of fine discs the mean over straight lines is ∫ H(p(d)) dd = 0.4395 (Puy et al.); some lines miss all centres.
    fine = bf.boundary_kind(relabelled(quadrants, ring), radius=20).straight
    assert fine == pytest.approx(0.4395, abs=0.015)


def test_newtons_boundary_is_fractal_and_one_label_has_none(newton, quadrants):
    assert bf.boundary_kind(newton).kind == "fractal"
    assert bf.boundary_kind(relabelled(quadrants, np.zeros((60, 60), dtype=int))).kind == "none"


def test_uncertainty_of_a_straight_boundary_in_closed_form(quadrants):
    # Only x = 0 is crossed by horizontal shifts: f = 2ε/2.1, exactly; the edges x = ±√1.5 lie outside.
    found = bf.uncertainty_exponent(quadrants, epsilons=[0.01, 0.02, 0.04, 0.08], points=20_000, seed=1)
    p = 2 * found.epsilons / 2.1
    assert (np.abs(found.fractions - p) < 4.5 * np.sqrt(p * (1 - p) / found.points)).all()
    assert abs(found.value - 1.0) < 4 * found.error and found.error < 0.1


@pytest.mark.slow
def test_uncertainty_of_newtons_map(newton):
    entry = GLOBAL["uncertainty_newton"]
    found = bf.uncertainty_exponent(newton, epsilons=2.0 ** -np.arange(9.0, 15.0), points=150_000)
    assert found.error < 0.015
    assert abs(found.value - entry["value"]) <= entry["error"] + found.error


def test_boundary_points_lie_on_the_lines():
    found = bf.basins(reference_map("basin_cubic"), {0: (-0.8, 0.8), 1: (-0.8, 0.8)}, cells=(20, 19))
    edge = bf.boundary_points(found)
    x, y = edge.points.T  # one line crosses every column, the other one every row
    apart = np.minimum(np.abs(x - 0.3 * y), np.abs(y - 0.2 * x))
    assert len(edge.points) >= 20 + 19 and apart.max() < 2e-9 and edge.error < 1e-9
    assert (edge.labels[:, 0] != edge.labels[:, 1]).all()
    assert len(bf.boundary_points(found, most=7).points) == 7
    assert np.array_equal(bf.boundary_points(found, most=7).points, bf.boundary_points(found, most=7).points)


def test_the_edge_state_of_the_cubic_map_is_the_saddle():
    found = bf.edge_state(reference_map("basin_cubic"), [0.9, 0.8], [-0.9, 0.7])
    # v > 0 on both sides: the boundary u = 0 leads to u = 0, v = √½.
    v = np.sqrt(0.5)
    assert found.kind == "fixed point" and np.abs(found.solution.state - [0.3 * v, v]).max() < 1e-10
    assert sorted(np.abs(found.solution.multipliers)) == pytest.approx([0.0, 1.5], abs=1e-6)
    assert found.width < 1e-6


def test_the_edge_state_between_henons_attractor_and_infinity():
    # The boundary is the stable manifold of the other fixed point, x = (−(1 − b) − √((1 − b)² + 4a))/2a.
    a, b = 1.2, 0.3
    found = bf.edge_state(bf.maps.henon(a=a, b=b), [0.0, 0.0], [-2.0, 0.0])
    x = (-(1 - b) - np.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)
    assert found.kind == "fixed point" and np.abs(found.solution.state - [x, b * x]).max() < 1e-10
    assert found.solution.spectrum.outside == 1 and found.labels == (0, -1)


def test_an_edge_state_of_period_two():
    # x ↦ −(1.5x − x³) swaps the sides of 0: both states settle on one 2-cycle.
    with pytest.raises(InvalidInput, match="both settle on cycle of period 2"):
        bf.edge_state(bf.Map(lambda x, a: -(a * x - x**3), {"a": 1.5}), [0.5], [-0.4])
    # x(1.8 − x²/2) = −x at x² = 5.6: a 2-cycle that is not stable, beyond which orbits diverge.
    map = bf.Map(lambda x: x * (1.8 - 0.5 * x * x), {})
    found = bf.edge_state(map, [2.6], [0.5])  # from the side of infinity
    assert found.labels[0] == -1 and found.kind == "cycle" and found.solution.period == 2
    assert np.abs(found.solution.state[0] ** 2 - 5.6) < 1e-9


def test_a_boundary_that_is_a_discontinuity_has_no_saddle():
    jump = bf.Map(lambda x: 0.5 * x + np.where(x > 0.3, 1.0, -1.0), {})  # settles at ±2; nothing in between is a state
    found = bf.edge_state(jump, [1.0], [-1.0])
    assert found.kind == "discontinuity" and found.solution is None
    assert np.abs(found.states[0] - 0.3).max() < 1e-9
    beyond = bf.Map(lambda x: 0.5 * x, {}, domain=lambda x: x + 1.0)
    pole = bf.edge_state(beyond, [0.5], [-3.0])  # the other side is beyond the domain
    assert pole.kind == "discontinuity" and pole.labels == (0, -2) and np.abs(pole.states[0] + 1.0).max() < 1e-9


def test_the_smallest_fatal_shock_of_the_cubic_map():
    map = reference_map("basin_cubic")
    known = bf.attractors(map, [(-1, 1)] * 2, starts=60)
    # In u or v the sign changes at 0, a distance √½ away, and beyond √1.5, 0.51764 away: lines of constant u are
    # 0.94/√1.09 apart, those of constant v 0.94/√1.04.
    expected = 0.94 / np.sqrt(1.09) * (np.sqrt(1.5) - np.sqrt(0.5))
    for number in range(4):
        found = bf.fatal_shock(known, number)
        assert expected * (1 - 1e-6) <= found.size <= expected * 1.0005
        after = bf.ensemble(map, (found.state + found.shock)[None], 1, transient=60).states[0, 0]
        assert np.abs(after - known[number].states[0]).max() > 0.1
    along = bf.fatal_shock(known, 0, within=[[0.3, 1.0]])  # along v alone
    assert along.size == pytest.approx(np.hypot(0.3, 1.0) * (np.sqrt(1.5) - np.sqrt(0.5)), rel=1e-5)


def test_where_nothing_is_fatal():
    known = bf.attractors(bf.Map(lambda x: 0.5 * x, {}), [(-1, 1)], starts=5)
    found = bf.fatal_shock(known, largest=100.0, directions=3)
    assert found.size == np.inf and "no fatal shock" in str(found)


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda b: bf.basin_entropy(b, cells=100), "no square"),
        (lambda b: bf.uncertainty_exponent(b, epsilons=[0.1]), "two or more"),
        (lambda b: bf.uncertainty_exponent(b, epsilons=[-0.1, 0.1]), "positive"),
        (lambda b: bf.fatal_shock(b, 99), "no attractor 99"),
        (lambda b: bf.fatal_shock(b, within=[[0.0, 0.0]]), "other than 0"),
        (lambda b: bf.edge_state(b, [0.5, 0.5], [0.6, 0.6]), "both settle on"),
    ],
)
def test_what_is_refused(quadrants, use, words):
    with pytest.raises(InvalidInput, match=words):
        use(quadrants)
