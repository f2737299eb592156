"""Two-dimensional manifolds, against surfaces that are known."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput


def hidden(B, rate, bend=0.3, back=None):
    """(u, v, w) ↦ (B(u, v), rate w) in the coordinates x = u + bend w², y = v, z = w + u² + .5 u v: surface w = 0."""
    B = np.array(B)

    def apart(x):
        # z = w + u² + .5uv with u = x − bend w²: solved by Newton's method from w = z − x² − .5xy, exact at w = 0.
        w = x[2] - x[0] ** 2 - 0.5 * x[0] * x[1]
        for _ in range(30):
            u = x[0] - bend * w**2
            value = w + u**2 + 0.5 * u * x[1] - x[2]
            slope = 1.0 - (2.0 * u + 0.5 * x[1]) * 2.0 * bend * w
            w = w - value / slope
        return np.array([x[0] - bend * w**2, x[1], w])

    def f(x, rate):
        u, v, w = apart(x)
        p, q, s = B[0, 0] * u + B[0, 1] * v, B[1, 0] * u + B[1, 1] * v, rate * w
        return np.array([p + bend * s**2, q, s + p**2 + 0.5 * p * q])

    return bf.Map(f, {"rate": rate})


TURN = 1.3 * np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
KINDS = {
    "two real": np.diag([2.0, 1.5]),
    "far apart": np.diag([3.0, 1.2]),
    "one negative": np.diag([-2.0, 1.5]),
    "both negative": np.diag([-1.5, -1.4]),
    "resonant": np.diag([2.25, 1.5]),  # 2.25 = 1.5²
    "equal": np.diag([1.5, 1.5]),
    "oblique": np.array([[2.0, 0.4], [0.0, 1.5]]),
    "a pair": TURN,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_surface_that_is_known(kind):
    saddle = bf.solve(hidden(KINDS[kind], 0.4), [0.0, 0.0, 0.0])
    surface = bf.manifold_surface(saddle, radius=1.0, tolerance=0.05)
    (sheet,) = surface.sheets
    x, y, z = sheet.points.T
    assert np.abs(z - x**2 - 0.5 * x * y).max() < 1e-11
    assert sheet.reasons == ("radius",) and len(sheet.t) < 5000
    assert sheet.distance.max() == pytest.approx(1.0, abs=0.03)
    # The whole disc is there: of every direction in the plane some point, as far as asked.
    angles = np.sort(np.arctan2(y, x)[sheet.distance > 0.8])
    assert np.diff(np.append(angles, angles[0] + 2.0 * np.pi)).max() < 0.6


def test_no_point_hangs_on_an_edge_and_the_area_is_right():
    saddle = bf.solve(hidden(np.diag([2.0, 1.5]), 0.4), [0.0, 0.0, 0.0])
    (sheet,) = bf.manifold_surface(saddle, iterates=3, tolerance=2e-3).sheets
    edges = np.sort(
        np.vstack([sheet.triangles[:, [0, 1]], sheet.triangles[:, [1, 2]], sheet.triangles[:, [2, 0]]]), axis=1
    )
    kinds, counts = np.unique(edges, axis=0, return_counts=True)
    assert counts.max() == 2  # each edge has triangles on both sides, or lies on the outline, which is one closed curve
    outline = kinds[counts == 1]
    assert (np.unique(outline, return_counts=True)[1] == 2).all()
    assert len(sheet.t) - len(kinds) + len(sheet.triangles) == 1  # Euler's number of a disc
    # Area of the graph z = x² + xy/2 over the triangles' own shadows: midpoint rule on a much finer cut of each.
    corners = sheet.points[sheet.triangles][:, :, :2]
    (p, q, r), cut = np.moveaxis(corners, 1, 0), 6
    shadow = 0.5 * np.abs((q - p)[:, 0] * (r - p)[:, 1] - (q - p)[:, 1] * (r - p)[:, 0])
    total = 0.0
    for i in range(cut):
        for j in range(cut - i):
            for third in ((1.0 / 3.0, 1.0 / 3.0), (2.0 / 3.0, 2.0 / 3.0)):
                if third[0] > 0.5 and i + j + 1 >= cut:
                    continue
                x, y = (p + (q - p) * (i + third[0]) / cut + (r - p) * (j + third[1]) / cut).T
                total += float((shadow / cut**2 * np.sqrt(1.0 + (2.0 * x + 0.5 * y) ** 2 + 0.25 * x**2)).sum())
    assert sheet.area == pytest.approx(total, rel=2e-3)


def test_images_of_points_are_where_their_parameters_say():
    f = lambda x, a, b: np.array([a - x[1] ** 2 - b * x[2], x[0], x[1]])  # noqa: E731
    m = bf.Map(f, {"a": 3.0, "b": 1.8})
    saddle = bf.solve(m, [0.8, 0.8, 0.8])
    outside = np.abs(saddle.multipliers) > 1.0
    assert outside.sum() == 2
    (sheet,) = bf.manifold_surface(saddle, iterates=6, tolerance=0.05).sheets
    P = sheet.parametrisation
    again = bf.manifold_surface(saddle, iterates=7, tolerance=0.05).sheets[0]
    for number in range(1, len(sheet.t), max(1, len(sheet.t) // 20)):
        image, t = m(sheet.points[number]), P.stretched(sheet.t[number : number + 1], 1.0)[0]
        apart = np.abs(again.t - t).max(axis=1)
        if apart.min() < 1e-9 * np.abs(t).max():
            assert np.abs(again.points[apart.argmin()] - image).max() < 1e-9
    assert P.residual < 1e-13 and P.radius > 1e-3


def test_a_stable_surface_is_grown_by_the_inverse():
    m = hidden(np.diag([2.0, 1.5]), 0.4)
    inverse = bf.Map(lambda x, rate: hidden(np.diag([0.5, 1.0 / 1.5]), 1.0 / rate).f(x, 1.0 / rate), {"rate": 0.4})
    saddle = bf.solve(inverse, [0.0, 0.0, 0.0])
    surface = bf.manifold_surface(saddle, stable=True, inverse=m.f, radius=0.8)
    x, y, z = surface.sheets[0].points.T
    assert surface.stable and np.abs(z - x**2 - 0.5 * x * y).max() < 1e-11
    assert surface.multipliers == pytest.approx((2.0, 1.5))
    with pytest.raises(InvalidInput, match="no inverse of the map"):
        bf.manifold_surface(saddle, stable=True, inverse=lambda x, rate: 0.5 * x)
    with pytest.raises(InvalidInput, match="give inverse="):
        bf.manifold_surface(saddle, stable=True)
    with pytest.raises(InvalidInput, match="by the map itself"):
        bf.manifold_surface(bf.solve(m, [0.0, 0.0, 0.0]), inverse=m.f)


def test_cycles_have_a_sheet_at_every_point():
    # x ↦ −x + x³-like pairs: the 2-cycle of u ↦ −2u + u³ at u² = 1 has the multiplier 1 of −2 + 3 = 1 … shifted by v.
    f = lambda x, a: np.array([-x[0] * (a - x[0] ** 2), 1.5 * x[1], 0.3 * x[2] + x[0] ** 2])  # noqa: E731
    m = bf.Map(f, {"a": 2.5})
    cycle = bf.solve(m, [1.2247, 0.0, 2.0], period=2)
    assert cycle.period == 2 and np.count_nonzero(np.abs(cycle.multipliers) > 1.0) == 2
    surface = bf.manifold_surface(cycle, radius=0.4)
    assert [sheet.phase for sheet in surface.sheets] == [0, 1]
    assert np.abs(m(surface.sheets[0].points[0]) - surface.sheets[1].points[0]).max() < 1e-12
    assert "2-cycle" in str(surface) and "point 1" in str(surface)


def test_why_it_ends():
    saddle = bf.solve(hidden(np.diag([2.0, 1.5]), 0.4), [0.0, 0.0, 0.0])
    box = [(-0.5, 0.5), (-0.5, 0.5), (-2.0, 2.0)]
    boxed = bf.manifold_surface(saddle, radius=5.0, box=box).sheets[0]
    assert boxed.reasons == ("box",) and np.abs(boxed.points[:, :2]).max() == pytest.approx(0.5, abs=0.02)
    assert bf.manifold_surface(saddle, iterates=2).sheets[0].reasons == ("iterates",)
    f = lambda x, a: np.array([2.0 * x[0], 1.5 * x[1] / (1.0 - x[0]), a * x[2]])  # noqa: E731
    m = bf.Map(f, {"a": 0.5}, domain=lambda x, a: 0.8 - x[0])
    assert "pole" in bf.manifold_surface(bf.solve(m, [0.0, 0.0, 0.0]), radius=3.0).sheets[0].reasons


def test_a_map_that_takes_no_complex_states_begins_with_its_tangent_plane():
    def f(x, a):
        return np.array([2.0 * x[0], 1.5 * x[1], 0.5 * x[2] + a * x[0] ** 2 + 0.0 * np.floor(x[0])])

    (sheet,) = bf.manifold_surface(bf.solve(bf.Map(f, {"a": 1.0}), [0.0, 0.0, 0.0]), tolerance=0.1).sheets
    x, _, z = sheet.points.T
    assert sheet.parametrisation.radius < 1e-6 and np.abs(z - x**2 / 3.5).max() < 1e-9


@pytest.mark.parametrize("words", ["is a curve", "an open set", "unit circle", "of dimension 3", "one eigenvector"])
def test_what_has_no_surface_is_refused(words):
    rates = {
        "is a curve": np.diag([2.0, 0.5, 0.3]),
        "an open set": np.diag([2.0, 1.5, 1.3]),
        "unit circle": np.diag([2.0, 1.5, 1.0]),
        "of dimension 3": np.diag([2.0, 1.5, 1.3, 0.5]),
        "one eigenvector": np.array([[1.5, 1.0, 0.0], [0.0, 1.5, 0.0], [0.0, 0.0, 0.5]]),
    }[words]
    m = bf.Map(lambda x, a: rates @ x + a * x * x, {"a": 0.1})
    saddle = bf.solve(m, np.zeros(len(rates)))
    with pytest.raises(InvalidInput, match=words):
        bf.manifold_surface(saddle)


def test_it_is_kept_in_a_file(tmp_path):
    surface = bf.manifold_surface(bf.solve(hidden(np.diag([2.0, 1.5]), 0.4), [0.0, 0.0, 0.0]), radius=0.5)
    bf.save(surface, tmp_path / "surface.npz")
    again = bf.load(tmp_path / "surface.npz")
    assert np.array_equal(again.sheets[0].triangles, surface.sheets[0].triangles) and str(again) == str(surface)
