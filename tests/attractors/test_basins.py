"""Basins against exact sectors, symmetry, and fractions counted by other programs."""

import pickle

import numpy as np
import pytest
from global_reference import GLOBAL, reference_map

import bifurcate as bf
from bifurcate.errors import InvalidInput

SQUARE = {0: (-2, 2), 1: (-2, 2)}


def coupled(x, a, e):
    y = a * x - x**3
    return y + e * (x[::-1] - x)


def by_place(found, places):
    """Fractions of the attractors whose first states are nearest to some places."""
    states = np.array([each.states[0] for each in found.attractors])
    return [found.fractions[int(np.abs(states - place).sum(axis=1).argmin())].value for place in places]


ROOTS = [[1.0, 0.0], [-0.5, np.sqrt(0.75)], [-0.5, -np.sqrt(0.75)]]


@pytest.mark.parametrize(("cells", "expected"), [(100, [0.3576, 0.3212, 0.3212]), (400, [0.35315, 0.323425, 0.323425])])
def test_newtons_fractions_to_the_cell(cells, expected):
    # Counted by the reference on the same grids.
    found = bf.basins(reference_map("basin_newton"), SQUARE, cells=cells)
    assert by_place(found, ROOTS) == pytest.approx(expected, abs=1e-12)
    mirrored = found.labels[::-1]
    swapped = {0: 0, 1: 1, 2: 2} | {
        found.labels[cells // 8, cells // 8]: found.labels[-cells // 8, cells // 8],
        found.labels[-cells // 8, cells // 8]: found.labels[cells // 8, cells // 8],
    }
    assert np.array_equal(np.vectorize(swapped.get)(mirrored), found.labels)  # complex conjugation


@pytest.mark.slow
def test_newtons_fractions_on_the_finest_grid():
    entry = GLOBAL["basin_newton"]
    found = bf.basins(reference_map("basin_newton"), SQUARE, cells=1600)
    assert np.abs(np.array(by_place(found, ROOTS)) - entry["value"]).max() <= entry["error"]


def sectors(s):
    """Attractors u, v = ±√½ of the cubic map, by the signs of (u, v)."""
    h = np.sqrt(0.5)
    return [[u + 0.3 * v, v + 0.2 * u] for u in (-h, h) for v in (-h, h)]


def test_the_cubic_maps_sectors_cell_by_cell():
    # Odd and even numbers of cells: no centre lies on the lines x = .3y and y = .2x.
    found = bf.basins(reference_map("basin_cubic"), {0: (-0.8, 0.8), 1: (-0.8, 0.8)}, cells=(200, 199))
    x, y = np.meshgrid(found.x, found.y)
    right, up = x > 0.3 * y, y > 0.2 * x
    assert len(found.attractors) == 4
    places = np.array(sectors(1))
    for number, attractor in enumerate(found.attractors):
        sector = int(np.abs(places - attractor.states[0]).sum(axis=1).argmin())
        assert np.array_equal(found.labels == number, (right == (sector // 2 == 1)) & (up == (sector % 2 == 1)))


@pytest.mark.slow
def test_the_cubic_maps_fractions():
    entry = GLOBAL["basin_cubic"]
    found = bf.basins(reference_map("basin_cubic"), {0: (-0.8, 0.8), 1: (-0.8, 0.8)}, cells=1000)
    ambiguous = found.fractions[-4].value if -4 in found.fractions else 0.0  # cells whose centres lie on a line
    assert np.abs(np.array(by_place(found, sectors(1))) - entry["value"]).max() <= entry["error"] + ambiguous
    assert ambiguous < 1e-4


def test_starts_on_a_boundary_are_said():
    # x ↦ 1.5x − x³ in both coordinates; the centres of the middle column have x = 0, which stays.
    found = bf.basins(bf.Map(coupled, {"a": 1.5, "e": 0.0}), {0: (-0.8, 0.8), 1: (-0.8, 0.8)}, cells=(21, 20))
    assert len(found.attractors) == 4
    assert np.array_equal(found.labels == -4, np.broadcast_to(found.x == 0.0, (20, 21)))
    assert any("stays on the fixed point" in note for note in found.notes)


@pytest.mark.slow
def test_the_forced_pendulums_fractions():
    entry = GLOBAL["basin_pendulum"]
    map = reference_map("basin_pendulum", periodic=(2 * np.pi, None))
    found = bf.basins(map, {0: (-np.pi, np.pi), 1: (-2, 4)}, cells=100)
    values = by_place(found, [[-0.473, 2.037], [-0.478, -0.608]])
    assert np.abs(np.array(values) - entry["value"]).max() <= entry["error"]


def test_times_to_settle_count_iterations():
    # x ↦ x/2: the trap is an interval |x| ≤ r, reached after ⌈log₂(|x|/r)⌉ iterations.
    half = bf.Map(lambda x: 0.5 * x, {})
    found = bf.basins(half, {0: (-50, 50), 1: (-50, 50)}, cells=9)
    radius = found.attractors[0].traps.radii[0]
    x, y = np.meshgrid(found.x, found.y)
    scale = found.attractors[0].traps.factors[0][0, 0]  # the norm is a multiple of the Euclidean one
    expected = np.ceil(np.maximum(0.0, np.log2(scale * np.hypot(x, y) / radius + 1e-300)))
    assert np.array_equal(found.times, expected)


def test_known_attractors_keep_their_numbers():
    map = reference_map("basin_newton")
    first = bf.attractors(map, [(-2, 2)] * 2, starts=40)
    found = bf.basins(first, SQUARE, cells=30)
    assert found.attractors == first.attractors
    alone = bf.Attractors(map, first.attractors[:1], first.starts, first.labels, first.times)
    more = bf.basins(alone, SQUARE, cells=30)  # the two others are found
    assert more.attractors[0] is first.attractors[0] and len(more.attractors) == 3
    assert np.array_equal(more.labels == 0, found.labels == 0)


def test_a_plane_along_any_directions():
    # At e = 0 the three coordinates are one map each, with sign x as the basin: on the plane x = (s + t, s − t, ½)
    # basins are the quadrants between its diagonals.
    map = bf.Map(coupled, {"a": 1.5, "e": 0.0})
    plane = bf.Plane([0.0, 0.0, 0.5], [1.0, 1.0, 0.0], [1.0, -1.0, 0.0], ((-0.5, 0.5), (-0.4, 0.4)))
    found = bf.basins(map, plane, cells=(20, 21))
    assert len(found.attractors) == 4
    s, t = np.meshgrid(found.x, found.y)
    for number, attractor in enumerate(found.attractors):
        signs = np.sign(attractor.states[0])
        assert signs[2] == 1
        expected = (np.sign(s + t) == signs[0]) & (np.sign(s - t) == signs[1])
        off = np.abs(np.abs(s) - np.abs(t)) > 1e-12
        assert np.array_equal((found.labels == number)[off], expected[off])
    same = bf.basins(map, {0: (-0.5, 0.5), 1: (-0.5, 0.5)}, origin=[9.0, 9.0, 0.5], cells=8)
    assert len(same.attractors) == 4 and same.plane.names == ("x0", "x1")


def test_states_of_any_shape():
    map = bf.Map(lambda W, a: a * W - W**3, {"a": 1.5})
    E = np.eye(2)
    found = bf.basins(map, bf.Plane(0.3 * np.ones((2, 2)), E, E[::-1], ((-1, 1), (-1, 1))), cells=10)
    assert found.labels.shape == (10, 10) and found.attractors[0].states.shape[1:] == (2, 2)
    s, t = np.meshgrid(found.x, found.y)
    signs = np.array([np.sign(each.states[0])[0] for each in found.attractors])
    assert np.array_equal(signs[found.labels][..., 0], np.sign(0.3 + s))
    assert np.array_equal(signs[found.labels][..., 1], np.sign(0.3 + t))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({0: (0, 1)}, "two coordinates"),
        ({0: (0, 1), "x": (0, 1)}, "two coordinates"),
        ({0: (1, 0), 1: (0, 1)}, "low < high"),
        ({0: (0, 1), 2: (0, 1)}, "give origin="),
        (3, "plane is 3"),
    ],
)
def test_planes_that_are_none(given, words):
    with pytest.raises(InvalidInput, match=words):
        bf.basins(bf.maps.henon(), given)


def test_dependent_directions_are_refused():
    with pytest.raises(InvalidInput, match="dependent"):
        bf.Plane([0.0, 0.0, 0.0], [1.0, 2.0, 3.0], [-2.0, -4.0, -6.0])
    with pytest.raises(InvalidInput, match="other than 0"):
        bf.Plane([0.0, 0.0], [1.0, 0.0], [0.0, 0.0])


def test_a_plane_of_other_states_is_refused():
    found = bf.attractors(bf.maps.logistic(r=2.5), [(0.1, 0.9)], starts=5)
    with pytest.raises(InvalidInput, match="shape"):
        bf.basins(found, SQUARE, cells=3)


def test_basins_last_and_are_drawn(tmp_path):
    found = bf.basins(bf.maps.henon(a=0.9), SQUARE, cells=(24, 16))
    bf.save(found, tmp_path / "basins.npz")
    for again in (bf.load(tmp_path / "basins.npz"), pickle.loads(pickle.dumps(found))):
        assert np.array_equal(again.labels, found.labels) and np.array_equal(again.times, found.times)
        assert str(again) == str(found)
        ax = bf.plot.basins(again)
        names = [text.get_text() for text in ax.get_legend().get_texts()]
        assert names == ["0: cycle of period 2", "infinity"]
        assert ax.get_xlim() == (-2.0, 2.0)
        # The attractor's two states are drawn where they are.
        points = np.array(ax.lines[0].get_data()).T
        assert np.abs(points - found.attractors[0].states).max() < 1e-12
    assert bf.plot.basins(found, times=True, mark=False).collections
    assert found.to_xarray()["label"].shape == (16, 24)


@pytest.mark.parametrize("at", [200, 3000, 8000])
def test_an_interrupt_keeps_what_there_is(at):
    calls = [0]

    def f(z, a):
        calls[0] += 1
        if calls[0] == at:
            raise KeyboardInterrupt
        return np.array([a * z[0], a * z[1]]) if z[0] > -9 else z

    found = bf.basins(bf.Map(f, {"a": 0.5}), {0: (0.1, 1e4), 1: (0.1, 1e4)}, cells=12)
    assert found.interrupted and (found.labels == -5).any()


def test_phases_of_uncoupled_cycles_among_many_unknowns():
    # Two logistic maps at r = 3.5, each on its cycle of period 4, and ten unknowns that follow. Four cycles attract;
    # which one is decided by the phases of the two alone. Traps must see what acts in two of twelve directions.
    def f(x):
        rest = 0.25 * x[2:] + 0.01 * x[0]
        return np.concatenate([[3.5 * x[0] * (1 - x[0]), 3.5 * x[1] * (1 - x[1])], rest])

    x = np.linspace(0.03, 0.97, 14)[:, None]
    ends = bf.ensemble(bf.maps.logistic(r=3.5), x, 1, transient=4000).states[:, 0, 0]
    cycle = bf.attractor_of(bf.maps.logistic(r=3.5), [0.3]).states[:, 0]
    phase = np.abs(ends[:, None] - cycle).argmin(axis=1)
    step = x[1, 0] - x[0, 0]
    bounds = (x[0, 0] - 0.5 * step, x[-1, 0] + 0.5 * step)
    found = bf.basins(bf.Map(f, {}), {0: bounds, 1: bounds}, origin=np.zeros(12), cells=14)
    assert len(found.attractors) == 4
    shift = (phase[:, None] - phase[None, :]) % 4
    for number, attractor in enumerate(found.attractors):
        first, second = (np.abs(attractor.states[0, k] - cycle).argmin() for k in (0, 1))
        assert np.array_equal(found.labels == number, shift == (second - first) % 4)
