"""Orbit diagrams, portraits, multipliers, cobwebs, convergence, charts of periods, and styles: what is drawn where."""

from itertools import pairwise

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import bifurcate as bf
from bifurcate.errors import InvalidInput


@pytest.fixture(scope="module")
def cascade():
    return bf.explore(bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6]), {"r": (2.5, 3.55)}, depth=3)


def test_plots_take_and_return_axes_side_by_side(cascade):
    panels = Figure(figsize=(7.0, 3.0), layout="constrained").subplots(1, 3)
    for ax in panels:
        assert cascade.plot("r", ax=ax) is ax
    panels[0].figure.draw_without_rendering()
    legends = [ax.get_legend().get_window_extent() for ax in panels]
    assert not any(a.overlaps(b) for a, b in pairwise(legends))
    assert min(ax.get_position().height for ax in panels) > 0.25


def test_the_figure_can_still_be_saved_by_the_old_spelling(cascade, tmp_path):
    with pytest.warns(DeprecationWarning, match="figure.savefig"):
        cascade.plot("r").savefig(tmp_path / "old.png")
    assert (tmp_path / "old.png").stat().st_size > 5000


def test_no_two_lines_of_a_legend_look_alike(cascade):
    handles = cascade.plot("r").get_legend().legend_handles
    looks = {(h.get_color(), h.get_linestyle(), h.get_marker(), h.get_linewidth()) for h in handles}
    assert len(looks) == len(handles)


def test_periods_differ_in_grey_by_lightness_weight_and_dots(cascade):
    ax = cascade.plot("r")
    by_period = {text.get_text(): h for text, h in zip(ax.get_legend().get_texts(), ax.get_legend().legend_handles)}
    lines = [by_period[f"period {k}"] for k in (1, 2, 4)]
    weights = np.array([0.299, 0.587, 0.114])
    greys = [float(weights @ to_rgb(line.get_color())) for line in lines]
    assert greys[0] + 0.2 < greys[1] < greys[2] - 0.1
    assert lines[0].get_linewidth() > lines[1].get_linewidth() > lines[2].get_linewidth()
    drawn = {line.get_color(): line.get_markevery() for line in ax.lines if line.get_zorder() == 3}
    dots = [drawn[line.get_color()] for line in lines]
    assert dots[0] is None and dots[1] > dots[2] > 0.0


def test_users_choose_colours_names_lines_and_words(cascade):
    first, second = cascade.branches[:2]
    ax = bf.plot.diagram(
        [first, second], "r", "norm", color=["C1", "C2"], label=["mine", "yours"], stable={"lw": 3}, labels={"r": "ρ"}
    )
    assert ax.get_xlabel() == "ρ" and ax.get_ylabel() == "‖x‖"
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words[:2] == ["mine", "yours"]
    assert {line.get_color() for line in ax.lines if line.get_zorder() == 3} == {"C1", "C2"}
    assert 3 in {line.get_linewidth() for line in ax.lines}
    ax.set_xscale("log")
    with pytest.raises(InvalidInput, match="color has 3 entries for 2 branches"):
        bf.plot.diagram([first, second], "r", color=["C1", "C2", "C3"])


def test_observables_take_the_parameters_they_name(cascade):
    branch = cascade.branches[0]
    for observable in (lambda x: x[0], lambda x, r: x[0], lambda x, **p: x[0], 0, "norm"):
        assert np.allclose(bf.plot.observe(branch, observable), branch.states)
    seen = bf.orbit_diagram(bf.maps.logistic(), "r", [2.0, 2.5], [0.3], lambda x: x[0], samples=2)
    assert np.allclose(seen.samples, [[0.5, 0.5], [0.6, 0.6]])
    with pytest.raises(InvalidInput, match="observable takes q, but the map's parameters are r"):
        bf.plot.observe(branch, lambda x, q: x[0])
    with pytest.raises(InvalidInput, match="observable is 'first'"):
        bf.plot.diagram(branch, "r", "first")


def test_a_plane_of_periods_has_its_borders_at_the_flips():
    a, b = np.linspace(0.0, 1.4, 29), np.array([0.2, 0.3])
    plane = bf.parameter_plane(bf.maps.henon(), {"a": a, "b": b}, [0.1, 0.1], transient=3000)
    for row, value in zip(plane.periods, b):
        flip = 0.75 * (1 - value) ** 2  # and of the 2-cycle at (1 − b)² + (1 + b)²/4
        second = (1 - value) ** 2 + 0.25 * (1 + value) ** 2
        apart = np.minimum(abs(a - flip), abs(a - second)) > 0.03
        assert (row[apart & (a < flip)] == 1).all()
        assert (row[apart & (a > flip) & (a < second)] == 2).all()
    bounded = bf.parameter_plane(bf.maps.henon(), {"a": [3.0], "b": [0.3]}, [0.1, 0.1], transient=100)
    assert bounded.periods.tolist() == [[-1]]
    assert bf.plot.parameter_plane(plane).get_ylabel() == "b"
    with pytest.raises(InvalidInput, match="two parameters"):
        bf.parameter_plane(bf.maps.henon(), {"a": a}, [0.1, 0.1])


def test_exponents_over_a_plane_are_those_of_single_orbits_and_of_closed_forms():
    r = [2.0, 3.2, 4.0, 5.0]
    shifted = bf.Map(lambda x, r, c: r * x * (1 - x) + c, {"r": 4.0, "c": 0.0})
    plane = bf.parameter_plane(shifted, {"r": r, "c": [0.0, 1e-3]}, [0.3], exponents=4000)
    # r = 4: ln 2; r = 3.2: ln |(4 + 2r − r²)|/2 of the 2-cycle; r = 2: superstable, −∞ but for rounding; r = 5 escapes.
    assert abs(plane.exponents[0, 2] - np.log(2)) < 0.02 and np.isnan(plane.exponents[0, 3])
    assert abs(plane.exponents[0, 1] - np.log(abs(4 + 6.4 - 3.2**2)) / 2) < 1e-6 and plane.exponents[0, 0] < -30
    single = bf.lyapunov(shifted, [0.3], steps=4000, parameters={"r": 3.2, "c": 1e-3}).values[0]
    assert abs(plane.exponents[1, 1] - single) < 1e-6
    ax = bf.plot.parameter_plane(plane)
    assert ax.collections[0].get_array().shape == (2, 4)
    assert bf.plot.parameter_plane(plane, shows="period").collections[0].get_array().max() > 1
    with pytest.raises(InvalidInput, match="no exponents"):
        bf.plot.parameter_plane(bf.parameter_plane(shifted, {"r": r, "c": [0.0]}, [0.3]), shows="exponent")


def test_exponents_of_maps_that_broadcast_in_other_ways_agree():
    A = np.array([[0.9, 0.4], [0.0, 0.5]])
    values = {"s": [0.5, 1.0, 1.1], "t": [1.0, 0.5]}  # the exponent is ln (0.9 s t), where that is larger
    rows = bf.Map(lambda x, s, t: s * t * (x @ A.T) / (1 + 0 * t), {"s": 1.0, "t": 1.0})
    alone = bf.Map(lambda x, s, t: float(s) * float(t) * (A @ x), {"s": 1.0, "t": 1.0})
    for map in (rows, alone):
        found = bf.parameter_plane(map, values, [0.1, 0.2], transient=50, exponents=10).exponents
        assert np.allclose(found, np.log(0.9 * np.outer([1.0, 0.5], [0.5, 1.0, 1.1])), rtol=0, atol=1e-8)


def test_the_stable_side_is_shaded_and_nothing_else():
    henon = bf.maps.henon(a=0.1, b=0.3)
    fixed = bf.trace(bf.cycles(henon, "a", [1.0, 0.3]), {"a": (-1, 2)})
    flips = bf.trace(bf.locus(fixed.first("flip"), free="b"), {"a": (0.1, 2), "b": (-0.6, 0.6)})
    ax = bf.plot.chart(flips, "a", "b", stable_side=True, legend=False, point_labels=False)
    canvas = FigureCanvasAgg(ax.figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].astype(float)

    def shade(a, b):
        column, row = ax.transData.transform((a, b))
        return pixels[len(pixels) - 1 - round(row), round(column)].mean()

    for b in (-0.3, 0.0, 0.3):  # the fixed point is stable where a < 3 (1 − b)²/4
        a = 0.75 * (1 - b) ** 2
        assert shade(a - 0.03, b) < 245 and shade(a + 0.05, b) == 255


@pytest.mark.parametrize("start", [[1.0, 0.3], [0.9, 0.28]])
def test_ticks_stand_on_the_stable_side(start):
    from bifurcate.plot.stable_side import stability_borders

    henon = bf.maps.henon(a=0.1, b=0.3)
    fixed = bf.trace(bf.cycles(henon, "a", start), {"a": (-1, 2)})
    for kind, sign in (("flip", -1.0), ("fold", 1.0)):  # stable below the flips' a, and above the folds'
        locus = bf.trace(bf.locus(fixed.first(kind), free="b"), {"a": (-1, 2), "b": (-0.5, 0.8)})
        found = list(stability_borders(locus, "a", "b"))
        assert found
        for line, side in found:
            i = len(line) // 2
            tangent = line[i + 1] - line[i - 1]
            towards = side * np.array([-tangent[1], tangent[0]])
            assert np.sign(towards[0]) == sign, kind


def stable_fixed_points(alpha, beta, R=-0.1):
    """Which x of the generalised Hénon map's fixed points (x, x) are stable, from trace and determinant."""
    roots = np.roots([1.0 - R, 1.0 + beta, -alpha])
    x = roots[np.abs(roots.imag) == 0.0].real
    det, trace = beta - R * x, (R - 2.0) * x
    return x[(np.abs(trace) < 1.0 + det) & (det < 1.0)]


def test_the_stable_side_is_known_from_one_point_of_codimension_two_to_the_next():
    from bifurcate.plot.stable_side import stability_borders

    map = bf.maps.generalised_henon(alpha=-0.3, beta=0.8)
    along = {"alpha": (-2.0, 3.0)}, {"beta": (-2.0, 2.5)}
    branches = [bf.trace(bf.cycles(map, *each, [-0.17, -0.17]), each) for each in along]
    bounds = {"alpha": (-2.0, 4.0), "beta": (-2.0, 2.5)}
    met = set()
    for kind in ("fold", "flip", "neimark-sacker"):
        start = next(point for branch in branches for point in branch.of(kind))
        other = "beta" if start.curve.free == ("alpha",) else "alpha"
        locus = bf.trace(bf.locus(start, free=other), bounds)
        met |= {point.label for point in locus.special}
        parts = list(stability_borders(locus, "alpha", "beta"))
        for i in range(1, len(locus) - 1):
            at = np.array([locus["alpha"][i], locus["beta"][i]])
            tangent = np.array([locus[name][i + 1] - locus[name][i - 1] for name in ("alpha", "beta")])
            left = 1e-6 * np.array([-tangent[1], tangent[0]]) / np.linalg.norm(tangent)
            x, near = locus.points[i].state[0], 1e-2
            is_stable = [(np.abs(stable_fixed_points(*(at + s * left)) - x) < near).any() for s in (1, -1)]
            said = [side for line, side in parts if (line == at).all(axis=1).any()]
            assert said == ([] if is_stable[0] == is_stable[1] else [1 if is_stable[0] else -1]), (kind, at)
    assert {"R1", "R2"} <= met


def test_the_stable_side_is_known_where_the_state_is_large_beside_the_chart():
    from bifurcate.plot.stable_side import stability_borders

    fixed = bf.trace(bf.cycles(bf.maps.henon(a=0.1, b=0.3), "a", [1.0, 0.3]), {"a": (-1, 4)})
    for kind in ("fold", "flip"):  # x grows without bound as b goes to 1
        locus = bf.trace(bf.locus(fixed.first(kind), free="b"), {"a": (-1, 4), "b": (-0.9, 1.2)})
        ((line, _),) = stability_borders(locus, "a", "b")
        assert len(line) >= len(locus)


def test_a_portrait_has_cycles_with_their_directions():
    henon = bf.maps.henon(a=1.4, b=0.3)
    saddle = bf.solve(henon, [0.6, 0.2])
    ax = bf.plot.phase_portrait([saddle], orbits=bf.orbit(henon, [0.1, 0.1], 500, transient=100))
    ax.figure.draw_without_rendering()
    arms = [line for line in ax.lines if type(line).__name__ == "_Arm"]
    assert len(arms) == 4
    J = np.array([[-2 * 1.4 * saddle.state[0], 1.0], [0.3, 0.0]])
    slopes = sorted(v[1] / v[0] for v in np.linalg.eig(J)[1].T)
    drawn = sorted({round(float(np.diff(a.get_ydata())[0] / np.diff(a.get_xdata())[0]), 5) for a in arms})
    assert drawn == pytest.approx(slopes, abs=1e-4)


@pytest.fixture(scope="module")
def tangle():
    henon = bf.maps.henon(a=1.2, b=0.3)
    saddle = bf.solve(henon, [-1.25, -0.4])
    stable = bf.manifold(saddle, stable=True, length=3.0, tolerance=0.05)
    return saddle, stable, bf.basins(henon, {0: (-2, 2), 1: (-1.5, 1)}, cells=8)


def test_a_portrait_has_basins_under_manifolds_and_ends_with_them(tangle):
    saddle, stable, basins = tangle
    ax = bf.plot.phase_portrait(
        saddle, manifolds=stable, basins=basins, directions=False, labels={"x0": "x"}, stable={"linewidth": 3}
    )
    assert ax.get_xlim() == (-2.0, 2.0) and ax.get_ylim() == (-1.5, 1.0)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "component 1")
    cells = ax.collections[0]
    drawn = [line for line in ax.lines if line.get_linewidth() == 3.0]
    assert len(drawn) == len(stable.branches) and all(line.get_zorder() > cells.get_zorder() for line in drawn)
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(set(words)) == len(words) == 4 and "stable manifold" in words and "infinity" in words


def test_basins_of_another_plane_are_refused(tangle):
    saddle, _, basins = tangle
    with pytest.raises(InvalidInput, match="of components"):
        bf.plot.phase_portrait(saddle, basins=basins, components=(1, 0))
    tilted = bf.Plane([0.0, 0.0], across=[1.0, 1.0], up=[0.0, 1.0])
    with pytest.raises(InvalidInput, match="of components"):
        bf.plot.phase_portrait(basins=bf.basins(bf.maps.henon(a=0.5), tilted, cells=3))


def test_properties_of_lines_may_have_their_long_names(cascade):
    ax = bf.plot.diagram(cascade.branches[0], "r", stable={"linewidth": 3, "linestyle": ":"})
    assert (3.0, ":") in {(line.get_linewidth(), line.get_linestyle()) for line in ax.lines}


def test_multipliers_are_drawn_inside_and_outside():
    ax = bf.plot.multipliers([0.5, 2.0, 0.3 + 0.2j, 0.3 - 0.2j])
    inside, outside = ax.lines[1:]
    assert len(inside.get_xdata()) == 3 and outside.get_xdata().tolist() == [2.0]
    with pytest.raises(InvalidInput, match="has no multipliers"):
        bf.plot.multipliers("henon")


def test_a_cobweb_is_the_orbit_and_needs_one_dimension():
    ax = bf.plot.cobweb(bf.maps.logistic(r=2.0), 0.1, 5)
    x, y = ax.lines[-1].get_data()
    assert y[1] == pytest.approx(0.18) and x[2] == pytest.approx(0.18)
    with pytest.raises(InvalidInput, match="start has 2 numbers"):
        bf.plot.cobweb(bf.maps.henon(), [0.1, 0.1])


def test_distances_from_a_cycle_are_those_from_its_nearest_state():
    run = bf.orbit(bf.maps.logistic(r=3.2), [0.3], 200)
    cycle = bf.solve(bf.maps.logistic(r=3.2), [0.5], period=2)
    states = [cycle.state, np.array([3.2 * cycle.state[0] * (1 - cycle.state[0])])]
    assert np.nanmin(bf.plot.convergence(run, states).lines[0].get_ydata()[100:]) < 1e-12
    with pytest.raises(InvalidInput, match="to has shape"):
        bf.plot.convergence(run, [0.1, 0.2, 0.3])


def test_weights_have_sequential_colours_and_others_diverge_about_their_centre():
    positive = np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0]])
    ax = bf.plot.heatmap(positive, coordinates=([0.0, 1.0, 2.0], [0.0, 5.0]))
    assert ax.images[0].get_clim() == (1.0, 4.0) and ax.images[0].get_extent() == [-0.5, 2.5, -2.5, 7.5]
    assert bf.plot.heatmap(positive, center=2.0).images[0].get_clim() == (0.0, 4.0)
    assert bf.plot.heatmap(positive, vmin=0.0, cmap="magma").images[0].get_clim() == (0.0, 4.0)


@pytest.mark.parametrize("name", ["paper", "talk", "grey"])
def test_a_style_ends_with_its_block(name, cascade):
    before = dict(matplotlib.rcParams)
    with bf.plot.style(name):
        assert matplotlib.rcParams["axes.spines.right"] is False
        ax = cascade.plot("r")
    assert dict(matplotlib.rcParams) == before
    if name == "grey":
        colours = {to_rgb(line.get_color()) for line in ax.lines}
        assert all(max(colour) - min(colour) < 1e-9 for colour in colours)
    with pytest.raises(InvalidInput, match="paper, talk, grey"):
        bf.plot.style("poster")


def test_an_animation_has_a_frame_for_each_point(cascade, tmp_path):
    branch = cascade.branches[0]
    film = bf.plot.animate_multipliers(branch, "r")
    film.save(tmp_path / "film.gif", writer="pillow", dpi=20)
    assert (tmp_path / "film.gif").stat().st_size > 1000
