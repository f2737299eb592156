"""1-D invariant manifolds: hidden linear saddles, quadrature, Taylor coefficients, and what cannot be grown."""

import json
import pathlib

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

import bifurcate as bf
from bifurcate.errors import InvalidInput

VALUES = {
    each["name"]: each
    for each in json.loads((pathlib.Path(__file__).parents[1] / "data/global.json").read_text())["entries"]
}


def hidden(x, lam, mu, c, d):
    """The saddle (u, v) ↦ (λu, μv) in coordinates x = u + c v², y = v + d x²."""
    v = x[1] - d * x[0] ** 2
    u = x[0] - c * v**2
    u, v = lam * u, mu * v
    X = u + c * v**2
    return np.array([X, v + d * X**2])


def one_at_a_time(x, lam, mu, c, d):
    """The same for single states only, real ones."""
    a, b = float(x[0]), float(x[1])
    return hidden(np.array([a, b]), lam, mu, c, d)


def saddle(f=hidden, lam=2.0, mu=0.4):
    return bf.solve(bf.Map(f, {"lam": lam, "mu": mu, "c": 0.3, "d": 0.4}), [0.01, 0.01])


def henon_saddle(a=1.4, b=0.3, guess=(0.6, 0.2)):
    return bf.solve(bf.maps.henon(a=a, b=b), list(guess))


@pytest.mark.parametrize(
    ("f", "lam", "mu"),
    [(hidden, 2.0, 0.4), (hidden, -1.5, 0.6), (hidden, 3.0, -0.3), (hidden, -1.2, -0.9), (one_at_a_time, 2.0, -0.4)],
)
def test_manifolds_of_a_hidden_linear_saddle(f, lam, mu):
    found = saddle(f, lam, mu)
    for branch in bf.manifold(found, length=2.0, tolerance=1e-3).branches:
        x, y = branch.points.T
        assert branch.reason == "length" and np.abs(y - 0.4 * x**2).max() < 1e-8 and branch.side * x[-1] > 1.0
    for branch in bf.manifold(found, stable=True, length=2.0, tolerance=1e-3).branches:
        x, y = branch.points.T
        v = y - 0.4 * x**2
        assert branch.reason == "length" and np.abs(x - 0.3 * v**2).max() < 1e-8 and branch.side * v[-1] > 1.0


def test_arclength_of_a_hidden_linear_saddle():
    case = VALUES["manifold_linear_saddle"]
    right = bf.manifold(saddle(), length=1.5, tolerance=1e-6, side=1).branches[0]
    # The graph (s, d s²) up to s = 1; with a₁ = (1, 0) the parameter t is s.
    assert abs(PchipInterpolator(right.t, right.arclength)(1.0) - case["value"]) < max(1e-8, right.error)
    up = bf.manifold(saddle(), stable=True, length=1.5, tolerance=1e-6, side=1).branches[0]
    assert abs(PchipInterpolator(up.t, up.arclength)(1.0) - 1.08976527215724) < max(1e-8, up.error)


def test_the_parameter_is_the_one_of_the_linear_map():
    branch = bf.manifold(saddle(), length=3.0, side=1).branches[0]
    assert np.abs(branch.t - branch.points[:, 0]).max() < 1e-9
    assert branch.parametrisation.radius > 0.5 and branch.parametrisation.residual < 1e-13
    assert np.abs(branch.parametrisation.coefficients[2] - [0.0, 0.4]).max() < 1e-12


def test_lengths_of_iterated_arcs_of_the_henon_map():
    value, t0 = VALUES["length_henon"]["value"], 0.01
    found = bf.manifold(henon_saddle(), side=1, length=150.0, tolerance=1e-6)
    branch = found.branches[0]
    length = PchipInterpolator(branch.t, branch.arclength)
    for n in (0, 2, 4, 6, 8, 10, 12, 14):
        ends = t0 * found.multiplier**n, t0 * found.multiplier ** (n + 2)
        error = abs(length(ends[1]) - length(ends[0]) - value[str(n)])
        assert error < 1e-7 * max(1.0, value[str(n)]) + branch.error, n
    assert branch.error < 1e-4


def test_every_point_lies_on_a_manifold_that_is_invariant():
    found = henon_saddle()
    for stable in (False, True):
        for branch in bf.manifold(found, stable=stable, length=5.0).branches:
            x, multiplier = branch.points, branch.parametrisation.multiplier
            image = np.array([found.map(z) for z in x])
            # f takes t to λt: within the radius of trust that point is known from the Taylor part alone.
            inside = np.abs(branch.t * multiplier) <= branch.parametrisation.radius
            expected = branch.parametrisation(branch.t[inside] * multiplier)
            assert inside.sum() > 3 and np.abs(image[inside] - expected).max() < 1e-13


def test_chords_and_angles_are_as_fine_as_asked():
    for tolerance in (1e-2, 1e-4):
        branch = bf.manifold(henon_saddle(), length=10.0, tolerance=tolerance, side=1).branches[0]
        fine = bf.manifold(henon_saddle(), length=10.0, tolerance=tolerance / 100.0, side=1).branches[0]
        inside = (fine.t > 0.0) & (fine.t < branch.t[-1])
        i = np.searchsorted(branch.t, fine.t[inside])
        a, b, x = branch.points[i - 1], branch.points[i], fine.points[inside]
        along = np.clip(np.einsum("ij,ij->i", x - a, b - a) / np.einsum("ij,ij->i", b - a, b - a), 0.0, 1.0)
        assert np.linalg.norm(a + along[:, None] * (b - a) - x, axis=1).max() < tolerance
        assert np.linalg.norm(b - a, axis=1).max() > 5.0 * tolerance  # it is no finer than it must be


@pytest.mark.slow
def test_with_and_without_an_inverse():
    found = henon_saddle()
    inverse = lambda z, a, b: np.array([z[1] / b, z[0] - 1.0 + a * (z[1] / b) ** 2])  # noqa: E731
    given = bf.manifold(found, stable=True, length=12.0, inverse=inverse, tolerance=1e-6)
    free = bf.manifold(found, stable=True, length=12.0, tolerance=1e-6)
    for a, b in zip(given.branches, free.branches, strict=True):
        begin, way = b.points[:-1], np.diff(b.points, axis=0)
        for x in a.points[a.arclength < 11.9][::20]:  # lies within the tolerance of the other polygon
            part = np.clip(np.einsum("ij,ij->i", x - begin, way) / np.einsum("ij,ij->i", way, way), 0.0, 1.0)
            assert np.linalg.norm(begin + part[:, None] * way - x, axis=1).min() < 1e-6
        assert abs(a.t[-1] / b.t[-1] - 1.0) < 1e-5


def test_a_negative_multiplier_exchanges_the_halves():
    found = bf.manifold(henon_saddle(), length=4.0, tolerance=1e-6)
    assert found.multiplier < -1.0
    right, left = found.branches
    image = np.array([found.solution.map(z) for z in right.points[right.t <= 0.9 * left.t[-1] / found.multiplier]])
    known = PchipInterpolator(-left.t, left.points)(-found.multiplier * right.t[: len(image)])
    assert len(image) > 20 and np.abs(image - known).max() < 1e-4  # of interpolation
    assert np.median(np.abs(image - known)) < 1e-6


def test_manifolds_of_a_cycle_start_at_all_of_its_points():
    cycle = bf.solve(bf.maps.henon(a=1.4, b=0.3), [0.97, -0.14], period=2)
    found = bf.manifold(cycle, length=1.0, tolerance=1e-5)
    assert [(branch.phase, branch.side) for branch in found.branches] == [(0, 1), (0, -1), (1, 1), (1, -1)]
    # The map takes the manifold of one point into that of the other: both are pieces of the attractor's closure.
    image = np.array([cycle.map(z) for z in found.branches[0].points[:30]])
    other = np.vstack([branch.points for branch in found.branches[2:]])
    assert max(np.linalg.norm(other - z, axis=1).min() for z in image) < 0.05
    assert np.abs(found.branches[2].points[0] - cycle.map(cycle.state)).max() < 1e-12


def test_iterates_end_at_the_image_of_the_taylor_part():
    found = bf.manifold(henon_saddle(), iterates=4)
    for branch in found.branches:
        assert branch.reason == "iterates"
        assert abs(branch.t[-1]) == pytest.approx(branch.parametrisation.radius * found.multiplier**4, rel=1e-12)


def test_a_manifold_ends_where_it_leaves_a_box_or_escapes():
    outer = henon_saddle(guess=(-1.1, -0.3))
    boxed = bf.manifold(outer, box=[(-3.0, 3.0), (-3.0, 3.0)], length=100.0, side=-1).branches[0]
    assert boxed.reason == "box" and boxed.points[-1, 0] == pytest.approx(-3.0, abs=1e-9)
    away = bf.manifold(outer, iterates=30, side=-1).branches[0]
    assert away.reason == "escaped" and np.isfinite(away.points).all()


def test_a_manifold_runs_into_a_pole():
    # u ↦ 2u, v ↦ v/2 + a/(u − 1) − …: f has a pole on the line u = 1, which the unstable manifold v = 0 … crosses.
    def f(x):
        return np.array([2.0 * x[0], 0.5 * x[1] + x[0] ** 2 / (1.0 - x[0])])

    for domain in (None, lambda x: 1.0 - x[0]):
        found = bf.solve(bf.Map(f, {}, domain=domain), [0.01, 0.0])
        right, left = bf.manifold(found, length=50.0).branches
        assert left.reason == "length"
        assert right.reason in (("pole",) if domain else ("length",))
        if domain:
            assert right.points[-1, 0] == pytest.approx(1.0, abs=1e-9) and "pole" in str(right)


def test_a_function_that_fails_says_so():
    def f(x):
        if x[0] > 1.0:
            raise ValueError("no state beyond 1")
        return np.array([2.0 * x[0], 0.5 * x[1]])

    right, left = bf.manifold(bf.solve(bf.Map(f, {}), [0.01, 0.0]), length=5.0).branches
    assert left.reason == "length" and right.reason == "pole" and "no state beyond 1" in right.detail
    assert right.points[-1, 0] <= 2.0


def test_coordinates_with_a_period_are_continued():
    turn = 2.0 * np.pi

    def f(x, k):
        p = x[1] + k * np.sin(x[0])
        return np.mod(np.array([x[0] + p, p]), turn)

    found = bf.solve(bf.Map(f, {"k": 1.5}, periodic=(turn, turn)), [0.01, 0.01])
    branch = bf.manifold(found, length=30.0, side=1).branches[0]
    lifted = bf.Map(lambda x, k: np.array([x[0] + x[1] + k * np.sin(x[0]), x[1] + k * np.sin(x[0])]), {"k": 1.5})
    other = bf.manifold(bf.solve(lifted, [0.01, 0.01]), length=30.0, side=1).branches[0]
    assert branch.reason == "length" and np.linalg.norm(np.diff(branch.points, axis=0), axis=1).max() < 1.0
    apart = (branch.points[-1] - other.points[-1] + np.pi) % turn - np.pi
    assert np.abs(apart).max() < 2e-2  # ends of two polygons of equal length


@pytest.mark.parametrize(
    ("map", "guess", "options", "words"),
    [
        (bf.maps.henon(a=0.1, b=0.3), [0.9, 0.3], {}, "the solution is stable"),
        (bf.maps.henon(a=0.1, b=0.3), [0.9, 0.3], {"stable": True}, "basin"),
        (bf.maps.delayed_logistic(2.1), [0.5, 0.5], {}, "focus"),
        (bf.maps.delayed_logistic(2.1), [0.5, 0.5], {"stable": True}, "a repeller"),
        (bf.maps.henon(), [0.6, 0.2], {"side": 2}, "side is 2"),
        (bf.maps.henon(), [0.6, 0.2], {"tolerance": 1e-20}, "at least"),
        (bf.maps.henon(), [0.6, 0.2], {"box": [(1.0, 2.0), (0.0, 1.0)]}, "outside the box"),
        (bf.maps.henon(), [0.6, 0.2], {"inverse": lambda z, a, b: z}, "inverse is for stable"),
        (bf.maps.henon(), [0.6, 0.2], {"stable": True, "inverse": lambda z, a, b: z}, "no inverse of the map"),
        (bf.Map(lambda x: np.array([2 * x[0], 3 * x[1], 0.5 * x[2]]), {}), [0.0, 0.0, 0.0], {}, "dimension 2"),
        (bf.Map(lambda x: np.array([2 * x[0], 1.0 * x[1]]) + x**2, {}), [0.0, 0.0], {}, "not hyperbolic"),
    ],
)
def test_what_has_no_such_manifold_is_refused(map, guess, options, words):
    with pytest.raises(InvalidInput, match=words):
        bf.manifold(bf.solve(map, guess), **options)


def test_an_interrupt_keeps_what_was_found():
    calls = {"count": 0}

    def f(z, a, b):
        calls["count"] += 1
        if calls["count"] == 4000:
            raise KeyboardInterrupt
        return np.array([1.0 - a * float(z[0]) ** 2 + float(z[1]), b * float(z[0])])

    found = bf.manifold(bf.solve(bf.Map(f, {"a": 1.4, "b": 0.3}), [0.6, 0.2]), length=1e3)
    assert found.branches[-1].reason == "interrupted" and len(found.branches[-1].t) > 20
    assert "interrupted" in str(found)


def test_a_figure_shows_manifolds_and_their_saddle():
    found = henon_saddle()
    both = [bf.manifold(found, length=3.0), bf.manifold(found, length=3.0, stable=True)]
    ax = bf.plot.phase_portrait(found, manifolds=both, directions=False)
    assert [each.get_text() for each in ax.get_legend().get_texts()] == [
        "unstable manifold",
        "stable manifold",
        "saddle",
    ]
    drawn = [line.get_xydata() for line in ax.get_lines() if len(line.get_xydata()) > 10]
    assert len(drawn) == 4 and np.array_equal(drawn[0], both[0].branches[0].points)


@pytest.mark.parametrize("mu", [0.0, 1e-17])
def test_a_multiplier_of_zero_has_no_curve(mu):
    for f in (hidden, lambda x, lam, mu, c, d: np.array([lam * x[0], mu * x[1]])):
        with pytest.raises(InvalidInput, match="is 0 to rounding"):
            bf.manifold(saddle(f, 2.0, mu), stable=True, length=1.0)
        assert bf.manifold(saddle(f, 2.0, mu), length=1.0).branches[0].reason == "length"


def test_a_linear_map_of_real_states_alone():
    # Its expansion ends after the first term, whose zeros a change of basis leaves out.
    def f(x, lam, mu, c, d):
        return np.array([lam * float(x[0]), mu * float(x[1])])

    branch = bf.manifold(saddle(f), length=2.0, side=1).branches[0]
    assert abs(branch.points[-1] - [2.0, 0.0]).max() < 1e-12 and branch.reason == "length"
