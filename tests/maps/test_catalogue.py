"""Every map of the catalogue: derivatives against differences at random states, and the exact results it quotes."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput
from bifurcate.linalg.operators import dense
from bifurcate.maps import IteratedMap

SIZES = {
    "logistic": 1,
    "henon": 2,
    "generalised_henon": 2,
    "delayed_logistic": 2,
    "ricker": 1,
    "predator_prey": 2,
    "logistic_ring": 5,
    "lozi": 2,
    "ikeda": 2,
    "standard": 2,
}


def build(name):
    return bf.maps.logistic_ring(n=5) if name == "logistic_ring" else getattr(bf.maps, name)()


def branch_of(map, free, guess, bounds, period=1):
    found = bf.trace(bf.cycles(map, free, guess, period=period), {free: bounds})
    assert found.doubts == ()
    return found


def test_no_map_is_left_out():
    assert set(SIZES) == set(bf.maps.__all__) - {"IteratedMap", "Map", "Rule"}


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("period", [1, 2, 5])
def test_derivatives_at_random_states_and_parameters(name, period, rng):
    tried = 0
    while tried < 4:
        map = build(name)
        map = map.replace(**{key: value * rng.uniform(0.8, 1.2) for key, value in map.parameters.items()})
        # Five steps of a map differenced must stay within what five-point differences resolve: small states.
        x = rng.uniform(0.1, 0.9, SIZES[name])
        p = dict(map.parameters)
        given, differenced = IteratedMap(map, x.shape, period), IteratedMap(bf.Map(map.f, p), x.shape, period)
        orbit = given.orbit(x, p)
        if map.borders is not None and np.abs(given.border_signs(orbit, p)).min() < 0.02:
            continue
        tried += 1
        J = dense(given.jacobian(orbit, p))
        scale = max(1.0, np.abs(J).max())
        assert np.abs(J - dense(differenced.jacobian(orbit, p))).max() < 1e-9 * scale
        v = rng.standard_normal(x.shape)
        assert np.abs(given.jvp(orbit, v, p) - J @ v).max() < 1e-11 * scale
        for parameter in p:
            exact = given.parameter_derivative(orbit, p, parameter)
            assert np.abs(exact - differenced.parameter_derivative(orbit, p, parameter)).max() < 1e-8 * scale


def test_logistic_and_its_window_of_period_three():
    fixed = branch_of(bf.maps.logistic(), "r", [0.6], (0.5, 3.2))
    assert np.abs(fixed.states[:, 0] - (1 - 1 / fixed["r"])).max() < 1e-9
    third = branch_of(bf.maps.logistic(3.835), "r", [0.15], (3.7, 3.845), period=3)
    assert abs(third.first("fold").parameters["r"] - (1 + np.sqrt(8))) < 1e-11
    assert abs(third.first("flip").parameters["r"] - 3.8414990075435078) < 1e-11


@pytest.mark.parametrize("b", [0.3, -0.4])
def test_henon(b):
    fixed = branch_of(bf.maps.henon(0.1, b), "a", [1.0, b], (-1.0, 2.0))
    assert abs(fixed.first("fold").parameters["a"] + (1 - b) ** 2 / 4) < 1e-11
    assert abs(fixed.first("flip").parameters["a"] - 3 * (1 - b) ** 2 / 4) < 1e-11


def test_generalised_henon():
    R, x = -0.1, 0.4
    map = bf.maps.generalised_henon(alpha=2 * x + (1 - R) * x**2, beta=1.0, R=R)
    fixed = branch_of(map, "beta", [x, x], (-2.0, 2.0))
    for kind, line in (("neimark-sacker", lambda x: 1 + R * x), ("flip", lambda x: 2 * x - 1)):
        for point in fixed.of(kind):
            assert abs(point.parameters["beta"] - line(point.state[0])) < 1e-10
    assert {point.kind for point in fixed.special} >= {"neimark-sacker", "flip"}


def test_delayed_logistic_and_ricker():
    point = branch_of(bf.maps.delayed_logistic(), "r", [0.47, 0.47], (1.5, 2.5)).first("neimark-sacker")
    assert abs(point.parameters["r"] - 2) < 1e-11 and abs(point.angle - np.pi / 3) < 1e-10
    assert abs(branch_of(bf.maps.ricker(), "r", [1.0], (1.0, 2.5)).first("flip").parameters["r"] - 2) < 1e-11


def test_predator_prey():
    zero = branch_of(bf.maps.predator_prey(), "p1", [0.0, 0.0], (0.5, 3.6))
    assert [round(point.parameters["p1"], 9) for point in zero.of("BP")] == [1.0]
    prey = bf.solve(bf.maps.predator_prey(p1=2.5), [0.6, 0.0])
    branch = branch_of(bf.maps.predator_prey(p1=2.5), "p1", prey.state, (1.5, 3.6))
    assert abs(branch.first("BP").parameters["p1"] - 2) < 1e-10 and abs(branch.first("PD").parameters["p1"] - 3) < 1e-10


def test_lozi_off_its_border():
    b = 0.3
    right = branch_of(bf.maps.lozi(0.2, b), "a", [0.9, 0.3], (0.0, 2.0))
    assert np.abs(right.states[:, 0] - 1 / (1 + right["a"] - b)).max() < 1e-10
    flip = right.first("flip")
    assert abs(flip.parameters["a"] - (1 - b)) < 1e-11 and flip.form == "degenerate"
    left = branch_of(bf.maps.lozi(1.5, b), "a", [-1.2, -0.4], (1.0, 2.0))
    assert np.abs(left.states[:, 0] - 1 / (1 - left["a"] - b)).max() < 1e-9 and not left.stable.any()
    start = np.array([1 - b + 1.0, b * (1 - b - 1.0)]) / ((1 - b) ** 2 + 1.0)
    doubled = branch_of(bf.maps.lozi(1.0, b), "a", start, (0.71, 1.6), period=2)
    size = (1 - b) ** 2 + doubled["a"] ** 2
    assert np.abs(doubled.states[:, 0] - (1 - b + doubled["a"]) / size).max() < 1e-9
    assert [(p.label, round(p.parameters["a"], 10)) for p in doubled.special] == [("PD", 1 + b)]


def test_lozi_at_its_border_ends_with_a_reason():
    # At a = 1 − b the doubled cycles are a segment at one parameter value; the 2-cycle's branch ends on the border.
    b = 0.3
    flip = branch_of(bf.maps.lozi(0.2, b), "a", [0.9, 0.3], (0.0, 2.0)).first("flip")
    segment = bf.trace(bf.switch(flip), {"a": (0.0, 2.0)})
    assert segment.stop[1].reason == "not-isolated" and "one and the same parameter value" in str(segment.stop[1])
    start = np.array([1 - b + 1.0, b * (1 - b - 1.0)]) / ((1 - b) ** 2 + 1.0)
    doubled = bf.trace(bf.cycles(bf.maps.lozi(1.0, b), "a", start, period=2), {"a": (0.2, 1.6)})
    assert abs(doubled["a"][0] - (1 - b)) < 1e-6 and "non-smooth" in str(doubled.stop[0])


def test_a_branch_that_crosses_the_border_of_lozi_reports_it():
    # x = 1 − a |x| + b x moves through 0 if the constant is a parameter: the border-collision normal form.
    lozi = bf.maps.lozi(0.4, 0.3)
    shifted = bf.Map(
        lambda z, mu, a, b: lozi.f(z, a=a, b=b) + np.array([mu - 1.0, 0.0]),
        {"mu": 0.5, "a": 0.4, "b": 0.3},
        borders=lambda z, mu, a, b: z[0],
    )
    branch = bf.trace(bf.cycles(shifted, "mu", [0.45, 0.1]), {"mu": (-1.0, 1.0)})
    assert [point.label for point in branch.special] == ["BORDER"]
    assert abs(branch.special[0].parameters["mu"]) < 1e-9
    mu = branch["mu"]
    assert np.abs(branch.states[:, 0] - np.where(mu > 0, mu / 1.1, mu / 0.3)).max() < 1e-9


def test_ikeda_contracts_areas_by_the_square_of_u():
    start = bf.solve(bf.maps.ikeda(u=0.2), [1.0, 0.0])
    branch = branch_of(bf.maps.ikeda(u=0.2), "u", start.state, (0.0, 0.95))
    assert np.abs(np.prod(branch.multipliers, axis=1) - branch["u"] ** 2).max() < 1e-12
    size, u = (branch.states**2).sum(axis=1), branch["u"]
    assert np.abs(size * (1 + u**2 - 2 * u * np.cos(0.4 - 6 / (1 + size))) - 1.0).max() < 1e-9
    flip = branch.first("flip")
    assert np.abs(np.sort(flip.multipliers.real) - np.sort([-1.0, -(flip.parameters["u"] ** 2)])).max() < 1e-9
    assert branch.of("neimark-sacker") == ()


def test_ikeda_folds_where_its_scalar_equation_has_a_critical_point():
    u = 0.9

    def level(size):
        return size * (1 + u**2 - 2 * u * np.cos(0.4 - 6 / (1 + size)))

    start = bf.solve(bf.maps.ikeda(u=u), [0.5, -0.2])
    branch = branch_of(bf.maps.ikeda(u=u), "a", start.state, (0.01, 3.0))
    folds = branch.of("fold")
    for fold in folds:
        size, h = fold.state @ fold.state, 1e-6
        assert abs(level(size) - fold.parameters["a"] ** 2) < 1e-9
        assert abs(level(size + h) - level(size - h)) / (2 * h) < 1e-6
    assert len(folds) >= 2


def test_standard_map_flips_at_four_and_branches_at_two_pi():
    fixed = branch_of(bf.maps.standard(1.0), "K", [0.0, np.pi], (0.5, 7.0))
    assert [(p.label, round(p.parameters["K"], 10)) for p in fixed.special] == [("PD", 4.0)]
    assert not fixed.stable.any()
    doubled = bf.trace(bf.switch(fixed.first("PD")), {"K": (0.5, 7.0)})
    s = doubled.states[:, 1] - np.pi
    assert np.abs(doubled["K"] - 4 * s / np.sin(s)).max() < 1e-7
    assert np.abs(np.abs(doubled.states[:, 0]) - 2 * np.abs(s)).max() < 1e-7
    assert [point.label for point in doubled.special] == ["BP"] and doubled.doubts == ()
    assert abs(doubled.special[0].parameters["K"] - 2 * np.pi) < 1e-10
    assert doubled.special[0].form == "degenerate"


@pytest.mark.parametrize("n", [3, 6])
def test_logistic_ring(n):
    e = 0.1
    ring = branch_of(bf.maps.logistic_ring(n=n, e=e), "r", np.full(n, 0.6), (0.5, 3.2))
    lam = 1 - e + e * np.cos(2 * np.pi * np.arange(n // 2 + 1) / n)
    for kind, exact in (("BP", np.sort(2 - 1 / lam)), ("PD", np.sort(2 + 1 / lam))):
        exact = exact[(exact > 0.5) & (exact < 3.2)]
        assert np.abs(np.array([point.parameters["r"] for point in ring.of(kind)]) - exact).max() < 1e-9
    with pytest.raises(InvalidInput, match="at least 3 units"):
        bf.maps.logistic_ring(n=2)
