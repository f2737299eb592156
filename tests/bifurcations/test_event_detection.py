"""What happens between two points of a branch is told apart, by maps whose events are known in closed form."""

import numpy as np
import pytest

import bifurcate as bf

LARGE = bf.StepControl(first=0.05, largest=0.1)  # several events fall into one step


def linear_map(matrix, p):
    """x ↦ M(p) x, with the fixed point 0 whatever p is."""
    return bf.Map(
        lambda x, p: matrix(p) @ x,
        {"p": p},
        jacobian=lambda x, p: matrix(p),
        parameter_derivative=lambda x, name, p: 0 * x,
    )


def special_of(map, guess, bounds, control=LARGE, free="p", period=1):
    branch = bf.trace(bf.cycles(map, free, guess, period=period), {free: bounds}, control=control)
    assert branch.doubts == ()
    return [(point.label, point.multiplicity, point.parameters[free]) for point in branch.special]


def test_a_real_pair_with_product_one_is_no_neimark_sacker_point():
    assert special_of(linear_map(lambda p: np.diag([2.0 + p, 0.5 + p]), -0.1), [0.0, 0.0], (-0.2, 0.2)) == []


@pytest.mark.parametrize("centre", [1.5, -1.5])
def test_multipliers_that_meet_outside_the_circle_are_no_event(centre):
    collide = linear_map(lambda p: np.array([[centre, 1.0], [-p, centre]]), -0.05)
    assert special_of(collide, [0.0, 0.0], (-0.1, 0.1)) == []


def test_two_flips_in_one_step_are_two_points():
    first, second = ((lambda x, r, d=d: (r + d) * x * (1 - x)) for d in (0.0, 1e-5))
    both = bf.Map(lambda x, r: np.array([first(x[0], r), second(x[1], r)]), {"r": 2.5})
    found = special_of(both, [0.6, 0.6], (2.4, 3.3), free="r")
    assert [(label, m) for label, m, _ in found] == [("PD", 1), ("PD", 1)]
    assert np.abs(np.array([r for _, _, r in found]) - [3.0 - 1e-5, 3.0]).max() < 1e-10


def test_a_symmetric_pair_of_flips_is_one_double_point():
    both = bf.Map(lambda x, r: r * x * (1 - x), {"r": 2.5})
    found = special_of(both, [0.6, 0.6], (2.4, 3.3), free="r")
    assert [(label, m) for label, m, _ in found] == [("PD", 2)]
    assert abs(found[0][2] - 3.0) < 1e-10


def test_a_flip_out_and_a_flip_back_in_one_branch():
    there_and_back = linear_map(lambda p: np.array([[-1.0 - 0.02 + p * p]]), -0.5)
    found = special_of(there_and_back, [0.0], (-0.6, 0.6))
    assert [(label, m) for label, m, _ in found] == [("PD", 1), ("PD", 1)]
    assert np.abs(np.array([p for _, _, p in found]) - [-np.sqrt(0.02), np.sqrt(0.02)]).max() < 1e-10 or found == []


def test_neimark_sacker_alone_and_twice_together():
    def delayed(z, r):
        return np.array([r * z[0] * (1 - z[1]), z[0]])

    one = special_of(bf.Map(delayed, {"r": 1.9}), [0.47, 0.47], (1.5, 2.5), free="r")
    assert [(label, m) for label, m, _ in one] == [("NS", 1)]
    assert abs(one[0][2] - 2.0) < 1e-10
    twice = bf.Map(lambda z, r: np.concatenate([delayed(z[:2], r), delayed(z[2:], r)]), {"r": 1.9})
    two = special_of(twice, [0.47] * 4, (1.5, 2.5), free="r")
    assert [(label, m) for label, m, _ in two] == [("NS", 2)]
    assert abs(two[0][2] - 2.0) < 1e-10


def test_flip_and_neimark_sacker_in_one_step_are_both_found():
    def mixed(p):
        rotation = (1.0 + p) * np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]])
        return np.block([[rotation, np.zeros((2, 1))], [np.zeros((1, 2)), np.array([[-1.0 - p + 1e-3]])]])

    found = special_of(linear_map(mixed, -0.1), [0.0, 0.0, 0.0], (-0.2, 0.2))
    assert [(label, m) for label, m, _ in found] == [("NS", 1), ("PD", 1)]
    assert np.abs(np.array([p for _, _, p in found]) - [0.0, 1e-3]).max() < 1e-10


def test_pitchfork_is_a_branch_point_from_both_of_its_branches():
    fork = bf.Map(lambda x, p: x + 0.3 * (p * x - x**3), {"p": -0.5})
    trivial = bf.trace(bf.cycles(fork, "p", [0.0]), {"p": (-1.0, 1.0)})
    assert [point.label for point in trivial.special] == ["BP"]
    side = bf.trace(bf.switch(trivial.first("BP")), {"p": (-1.0, 1.0)})
    assert np.abs(side["p"] - side.states[:, 0] ** 2).max() < 1e-8
    assert side.states.min() < -0.9 and side.states.max() > 0.9
    # Its multiplier 1 − 0.6 x² only touches +1: no count changes there.
    assert [point.label for point in side.special] == ["BP"]
    assert abs(side.special[0].parameters["p"]) < 1e-10


def test_transcritical_switch_reaches_both_sides():
    cross = bf.Map(lambda x, p: x + 0.3 * (p * x - x**2), {"p": -0.5})
    trivial = bf.trace(bf.cycles(cross, "p", [0.0]), {"p": (-1.0, 1.0)})
    other = bf.trace(bf.switch(trivial.first("BP")), {"p": (-1.0, 1.0)})
    assert np.abs(other["p"] - other.states[:, 0]).max() < 1e-8
    assert sorted(other["p"][[0, -1]]) == [-1.0, 1.0]


@pytest.mark.parametrize("a", [1.0, 1e-2, 1e-3, 1e-4])
def test_a_narrow_side_branch_is_followed_through_its_tip(a):
    # x² = a p: near the tip a step easily falls onto x = 0, whose tangent and stability are the same there.
    fork = bf.Map(lambda x, p: x + 0.3 * (a * p * x - x**3) / a, {"p": -0.5})
    trivial = bf.trace(bf.cycles(fork, "p", [0.0]), {"p": (-1.0, 1.0)})
    start = bf.solve(fork.replace(p=0.9), [0.95 * np.sqrt(a)])
    side = bf.trace(bf.cycles(fork.replace(p=0.9), "p", start.state), {"p": (-1.0, 1.0)})
    assert abs(trivial.first("BP").parameters["p"]) < 1e-10
    assert np.abs(a * side["p"] - side.states[:, 0] ** 2).max() < 1e-8
    assert [point.label for point in side.special] == ["BP"]
    assert side.states.min() < -0.9 * np.sqrt(a)


@pytest.mark.parametrize("a", [1e-1, 1e-3])
def test_a_narrow_doubled_branch_ends_where_it_collapses(a):
    bubble = bf.Map(lambda x, p: -(1.0 + 0.1 - p * p) * x + x**3 / a, {"p": -0.6})
    fixed = bf.trace(bf.cycles(bubble, "p", [0.0]), {"p": (-0.6, 0.6)})
    doubled = bf.trace(bf.switch(fixed.special[0]), {"p": (-0.6, 0.6)})
    assert doubled.stop[1].reason == "collapsed"
    assert abs(doubled.special[-1].parameters["p"] - np.sqrt(0.1)) < 1e-9
    assert np.abs(doubled.states[:, 0] ** 2 - a * (0.1 - doubled["p"] ** 2)).max() < 1e-8


def test_double_branch_point_with_four_branches():
    # x⁺ = x + p x − x y, y⁺ = y + p y − x y: through 0 pass y = x = p besides the axes' families.
    both = bf.Map(lambda z, p: z + 0.2 * np.array([p * z[0] - z[0] ** 2, p * z[1] - z[1] ** 2]), {"p": -0.5})
    point = bf.trace(bf.cycles(both, "p", [0.0, 0.0]), {"p": (-1.0, 1.0)}).first("BP")
    assert point.multiplicity == 2 and abs(point.parameters["p"]) < 1e-10
    curves = bf.switches(point)
    ends = set()
    for curve in curves:
        branch = bf.trace(curve, {"p": (-1.0, 1.0)})
        end = branch.states[np.argmax(branch["p"])]
        ends.add(tuple(np.round(end, 6) + 0.0))
    assert ends == {(1.0, 0.0), (0.0, 1.0), (1.0, 1.0)}


def test_a_doubled_cycle_that_returns_to_a_flip_ends_there():
    bubble = bf.Map(lambda x, p: -(1.0 + 0.1 - p * p) * x + x**3, {"p": -0.6})
    fixed = bf.trace(bf.cycles(bubble, "p", [0.0]), {"p": (-0.6, 0.6)})
    assert [point.label for point in fixed.special] == ["PD", "PD"]
    doubled = bf.trace(bf.switch(fixed.special[0]), {"p": (-0.6, 0.6)})
    assert doubled.stop[1].reason == "collapsed"
    end = doubled.special[-1]
    assert (end.kind, end.period) == ("flip", 1)
    assert abs(end.parameters["p"] - np.sqrt(0.1)) < 1e-9
    assert np.abs(doubled.states[:, 0] ** 2 - (0.1 - doubled["p"] ** 2)).max() < 1e-8


def test_fold_of_a_cycle_born_by_a_subcritical_flip():
    # 2-cycles of −(1 + p) x − x³ + x⁵ obey p = −x² + x⁴: a fold at x² = 1/2, p = −1/4.
    map = bf.Map(lambda x, p: -(1.0 + p) * x - x**3 + x**5, {"p": -0.3})
    flip = bf.trace(bf.cycles(map, "p", [0.0]), {"p": (-0.4, 0.3)}).first("PD")
    doubled = bf.trace(bf.switch(flip), {"p": (-0.4, 0.3)})
    fold = doubled.first("fold")
    assert abs(fold.parameters["p"] + 0.25) < 1e-10
    assert abs(fold.state[0] ** 2 - 0.5) < 1e-8


def test_a_border_is_located_where_the_map_has_its_kink():
    kinked = bf.Map(lambda x, p: p - 0.1 - 0.5 * x + 0.3 * np.abs(x), {"p": -0.5}, borders=lambda x, p: x)
    found = special_of(kinked, [-0.3], (-1.0, 1.0))
    assert [label for label, _, _ in found] == ["BORDER"]
    assert abs(found[0][2] - 0.1) < 1e-10


def test_a_pole_ends_the_branch():
    polar = bf.Map(
        lambda x, p: x + 0.1 * (p / x - 1.0),
        {"p": 0.5},
        jvp=lambda x, v, p: (1 - 0.1 * p / x**2) * v,
        domain=lambda x, p: x,
    )
    branch = bf.trace(bf.cycles(polar, "p", [0.5]), {"p": (-1.0, 1.0)})
    assert branch.stop[0].reason == "domain"
    assert [point.label for point in branch.special] == ["POLE", "PD"]
    assert abs(branch.first("pole").parameters["p"]) < branch.first("pole").errors["parameter"] < 1e-7
    assert branch.doubts == ()
    assert abs(branch.first("flip").parameters["p"] - 0.05) < 1e-10
    assert branch.states.min() > 0


def test_switch_refuses_what_starts_no_cycle():
    circle = bf.Map(lambda x, p: x + 0.1 * (x**2 + p**2 - 1.0), {"p": 0.0})
    fold = bf.trace(bf.cycles(circle, "p", [-1.0]), {"p": (-2.0, 2.0)}).first("fold")
    with pytest.raises(bf.errors.InvalidInput, match="no curve of cycles branches off at a fold"):
        bf.switch(fold)
    with pytest.raises(bf.errors.InvalidInput, match="which is 3"):
        flip = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.5, 3.2)}).first("PD")
        bf.switch(flip, which=3)


@pytest.mark.parametrize("wrap", ["given", "differences"])
def test_a_fold_in_an_additive_parameter_is_no_branch_point(wrap):
    # ∂f/∂p = 1 everywhere: the second derivatives of the reduced equation know nothing of p.
    given = {"jvp": lambda x, v, p: (1.0 - 2.0 * x) * v} if wrap == "given" else {}
    found = special_of(bf.Map(lambda x, p: x + p - x**2, {"p": 0.25}, **given), [0.5], (-1.0, 2.0))
    assert sorted(label for label, _, _ in found) == ["LP", "PD"]
    assert np.abs(np.sort([p for _, _, p in found]) - [0.0, 1.0]).max() < 1e-10


@pytest.mark.parametrize("d", [1e-2, 1e-3, 1e-4])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_fold_and_a_branch_point_side_by_side(d, sign):
    # The fold's multiplier 1 − 2x and the other, 1 ± (x − d)/2, cross +1 within d, in opposite or in equal directions.
    map = bf.Map(
        lambda z, p: np.array([z[0] + p - z[0] ** 2, z[1] * (1 + sign * 0.5 * (z[0] - d)) - z[1] ** 3]), {"p": 0.25}
    )
    found = special_of(map, [0.5, 0.0], (-1.0, 0.9), control=bf.StepControl())
    assert sorted((label, round(p, 10)) for label, _, p in found) == [("BP", round(d * d, 10)), ("LP", 0.0)]


def test_errors_are_honest_at_a_defective_pair():
    # Area-preserving: two multipliers meet at −1 in one Jordan block.
    map = bf.Map(lambda z, a: np.array([1 - a * z[0] ** 2 + z[1], -z[0]]), {"a": 0.5})
    flip = bf.trace(bf.cycles(map, "a", [0.4, -0.4]), {"a": (0.1, 4.0)}).first("flip")
    assert abs(flip.parameters["a"] - 3.0) < flip.errors["parameter"] < 1e-6


def test_an_identity_has_no_isolated_solutions():
    with pytest.raises(bf.errors.NotIsolated, match="not isolated"):
        bf.trace(bf.cycles(bf.Map(lambda x, p: x + 0 * p, {"p": 0.5}), "p", [0.3]), {"p": (-1.0, 1.0)})


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e3, 1e6])
def test_units_of_the_parameter_do_not_matter(unit):
    scaled = bf.Map(
        lambda x, r: r / unit * x * (1 - x), {"r": 2.5 * unit}, jvp=lambda x, v, r: r / unit * (1 - 2 * x) * v
    )
    bounds = {"r": (0.5 * unit, 3.4 * unit)}
    branch = bf.trace(bf.cycles(scaled, "r", [0.6]), bounds)
    assert [point.label for point in branch.special] == ["BP", "PD"]
    for point, exact in zip(branch.special, (1.0, 3.0)):
        assert abs(point.parameters["r"] / unit - exact) < 1e-10
    zero = bf.trace(bf.switch(branch.first("BP")), bounds)
    assert np.abs(zero.states).max() < 1e-9
    assert bf.switch(branch.first("PD")).period == 2


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e3, 1e6])
def test_units_of_the_state_do_not_matter_where_scale_tells_them(unit):
    scaled = bf.Map(
        lambda x, r: r * x * (1 - x / unit), {"r": 2.5}, jvp=lambda x, v, r: r * (1 - 2 * x / unit) * v, scale=unit
    )
    branch = bf.trace(bf.cycles(scaled, "r", [0.6 * unit]), {"r": (0.5, 3.4)})
    assert [point.label for point in branch.special] == ["BP", "PD"]
    for point, exact in zip(branch.special, (1.0, 3.0)):
        assert abs(point.parameters["r"] - exact) < 1e-10
    zero = bf.trace(bf.switch(branch.first("BP")), {"r": (0.5, 3.4)})
    assert np.abs(zero.states).max() < 1e-9 * unit


@pytest.mark.parametrize("c", [0.1, 1e-2, 1e-3])
def test_two_folds_in_one_step(c):
    map = bf.Map(lambda x, p: p + (1 + c) * x - x**3, {"p": -0.5})
    found = special_of(map, [-0.8], (-1.0, 1.0), control=bf.StepControl())
    fold = 2 * (c / 3) ** 1.5
    assert [label for label, _, _ in found].count("LP") == 2
    assert np.abs(np.sort([p for label, _, p in found if label == "LP"]) - [-fold, fold]).max() < 1e-10


@pytest.mark.parametrize("e", [1e-6, 1e-8])
def test_an_imperfect_pitchfork_has_no_branch_point(e):
    map = bf.Map(lambda x, p: x + p * x - x**3 + e, {"p": -0.5}, jvp=lambda x, v, p: (1 + p - 3 * x**2) * v)
    upper = bf.trace(bf.cycles(map, "p", [0.0]), {"p": (-1.0, 1.0)})
    assert "BP" not in [point.label for point in upper.special] and upper.states[-1, 0] > 0.9
    lower = bf.trace(bf.cycles(map.replace(p=0.5), "p", [-0.7]), {"p": (-1.0, 1.0)})
    folds = [point.parameters["p"] for point in lower.special if point.label == "LP"]
    assert len(folds) == 1 and abs(folds[0] - 3 * (e / 2) ** (2 / 3)) < 1e-9


@pytest.mark.parametrize("d", [1e-3, 1e-4, 1e-5])
def test_crossings_that_cancel_in_the_count(d):
    map = bf.Map(lambda z, p: np.array([z[0] * (1 + p) - z[0] ** 2, z[1] * (-1 + p - d) + z[1] ** 3]), {"p": -0.5})
    found = special_of(map, [0.0, 0.0], (-1.0, 1.0), control=bf.StepControl())
    assert [label for label, _, _ in found] == ["BP", "PD"]
    assert np.abs(np.array([p for _, _, p in found]) - [0.0, d]).max() < 1e-10


def test_a_fixed_point_is_not_traced_as_a_cycle():
    with pytest.raises(bf.errors.InvalidInput, match="continue it with period=1"):
        bf.trace(bf.cycles(bf.maps.logistic(r=2.5), "r", [0.6], period=2), {"r": (0.5, 3.5)})


def test_a_narrow_tip_among_many_unknowns_is_no_fold():
    # One of 1000 components forks: in the root mean square its side branch turns within 10⁻⁵.
    n = 1000

    def f(x, r):
        y = 0.5 * x + 5.0
        y[0] = r * x[0] - x[0] ** 3
        return y

    def jacobian(x, r):
        d = np.full(n, 0.5)
        d[0] = r - 3 * x[0] ** 2
        return bf.DiagonalLowRank(d, np.zeros((n, 1)), np.zeros((n, 1)))

    x = np.full(n, 10.0)
    x[0] = np.sqrt(0.5)
    found = special_of(bf.Map(f, {"r": 1.5}, jacobian=jacobian), x, (0.5, 1.8), control=bf.StepControl(), free="r")
    assert [label for label, _, _ in found] == ["BP"] and abs(found[0][2] - 1.0) < 1e-10


def test_a_structured_side_branch_meets_its_branch_point(rng):
    for _ in range(8):
        a = rng.standard_normal(12)
        a /= np.linalg.norm(a)
        fork = bf.Map(
            lambda x, p, a=a: 0.3 * x + p * np.sin(a @ x) * a,
            {"p": 0.1},
            jacobian=lambda x, p, a=a: bf.ShiftedLowRank(0.3, (p * np.cos(a @ x) * a)[:, None], a[None]),
        )
        trivial = bf.trace(bf.cycles(fork, "p", np.zeros(12)), {"p": (-2.0, 2.0)})
        side = bf.trace(bf.switch(trivial.first("BP")), {"p": (-2.0, 2.0)})
        for branch in (trivial, side):
            assert abs(branch.first("BP").parameters["p"] - 0.7) < 1e-10
        assert [point.label for point in side.special] == ["BP"]


def test_every_doubled_cycle_of_a_triangle_is_found_and_only_once():
    # The double flip has the symmetry of a hexagon: three doubled cycles of either kind, one orbit each.
    ring = bf.trace(bf.cycles(bf.maps.logistic_ring(3, 3.1, 0.1), "r", [0.67] * 3), {"r": (3.05, 3.2)})
    flip = ring.first("flip")
    assert flip.multiplicity == 2
    curves = bf.switches(flip)
    directions = np.array([(curve.start - flip.u)[:3] for curve in curves])
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    assert len(curves) == 6
    angles = np.arccos(np.clip(np.abs(directions @ directions.T), 0.0, 1.0)) + 10 * np.eye(6)
    assert np.abs(np.degrees(angles.min(axis=1)) - 30.0).max() < 3.0


def test_a_doubled_cycle_starts_at_its_own_flip():
    # In a narrow window the first amplitude tried reaches cycles that other flips bear.
    bounds = {"r": (3.84, 3.86)}
    map = bf.maps.logistic(3.8485)
    curve = bf.cycles(map, "r", bf.orbit(map, [0.5], 1, transient=5000).states[0], period=12)
    branch = bf.trace(curve, bounds)
    birth, flip = branch.of("flip")
    assert (birth.period, flip.period) == (6, 12) and branch.stop[0].reason == "collapsed" and not branch.doubts
    six = bf.cycles(
        bf.maps.logistic(3.8475), "r", bf.orbit(bf.maps.logistic(3.8475), [0.5], 1, transient=5000).states[0], period=6
    )
    known = bf.trace(six, bounds).of("flip")[1]
    assert abs(birth.parameters["r"] - known.parameters["r"]) < 1e-13
    doubled = bf.trace(bf.switch(flip), {"r": (3.8, 3.9)})
    assert flip.form == "supercritical" and doubled.stable[0]
    assert 0 < doubled["r"][0] - flip.parameters["r"] < 2e-4
