"""Special points of textbook maps against closed forms and the numbers that other tools printed."""

import numpy as np
import pytest

import bifurcate as bf

EXACT = 1e-8


def traced(map, free, guess, bounds, period=1, **options):
    return bf.trace(bf.cycles(map, free=free, guess=guess, period=period), bounds={free: bounds}, **options)


def doubling(branch, bounds, times):
    """The first flip of a branch and of the cycles that double from it, as (period, point)."""
    found = []
    for _ in range(times + 1):
        point = branch.first("flip")
        found.append((branch.curve.period, point))
        branch = bf.trace(bf.switch(point), bounds=bounds)
    return found


def digits(value):
    """Half a unit of the last digit that a source gives."""
    text = repr(value)
    return 0.5 * 10.0 ** -len(text.split(".")[1]) if "." in text else 0.5


def flips_of(reference, name):
    return {p.get("period", 1): p for p in reference[name] if p["kind"] == "flip"}


def test_logistic_branch_point_and_cascade(reference):
    branch = traced(bf.maps.logistic(), "r", [0.6], (0.5, 3.6))
    assert [point.label for point in branch.special] == ["BP", "PD"]
    assert abs(branch.first("BP").parameters["r"] - 1.0) < EXACT
    assert np.abs(branch.first("BP").state).max() < EXACT
    known = flips_of(reference, "logistic")
    cascade = doubling(branch, {"r": (0.5, 3.6)}, 5)
    assert [period for period, _ in cascade] == [1, 2, 4, 8, 16, 32]
    for period, point in cascade:
        allowed = EXACT if "AUTO" not in known[period]["source"] else digits(known[period]["r"])
        assert abs(point.parameters["r"] - known[period]["r"]) < allowed
        assert point.errors["parameter"] < 1e-10
    assert np.abs(cascade[0][1].state - 2.0 / 3.0).max() < EXACT


def test_logistic_three_cycle(reference):
    branch = traced(bf.maps.logistic(r=3.84), "r", [0.488], (3.7, 3.95), period=3)
    fold = next(p for p in reference["logistic"] if p["kind"] == "fold")
    flip = next(p for p in reference["logistic"] if p["kind"] == "flip" and p["period"] == 3)
    assert [point.label for point in branch.special].count("LP") == 1
    assert abs(branch.first("fold").parameters["r"] - fold["r"]) < EXACT
    assert abs(branch.first("flip").parameters["r"] - flip["r"]) < EXACT


def test_henon(reference):
    branch = traced(bf.maps.henon(a=0.1, b=0.3), "a", [1.0, 0.3], (-0.5, 1.2))
    known = reference["henon"]
    assert abs(branch.first("fold").parameters["a"] - known[0]["a"]) < EXACT
    for period, point in doubling(branch, {"a": (-0.5, 1.2)}, 2):
        value = next(p["a"] for p in known if p["kind"] == "flip" and p["period"] == period)
        assert abs(point.parameters["a"] - value) < EXACT
    near = np.sort(branch.first("flip").multipliers.real)
    assert np.abs(near - [-1.0, 0.3]).max() < EXACT


@pytest.mark.parametrize("b", np.linspace(-0.8, 0.8, 9))
def test_henon_curves(b):
    branch = traced(bf.maps.henon(a=0.05 - 0.05 * b, b=b), "a", [1.0 / (1.0 - b) * 0.9, b * 0.9], (-1.0, 2.9))
    assert abs(branch.first("flip").parameters["a"] - 0.75 * (1 - b) ** 2) < EXACT
    assert abs(branch.first("fold").parameters["a"] + 0.25 * (1 - b) ** 2) < EXACT


def test_generalised_henon(reference):
    conservative = traced(bf.maps.generalised_henon(2.0, 0.8, 0.0), "beta", [0.8, 0.8], (-0.9, 1.2))
    assert abs(conservative.first("flip").parameters["beta"] - 0.632993) < 5e-7
    assert [point.label for point in conservative.special] == ["PD", "NS"]
    assert abs(conservative.first("NS").parameters["beta"] - 1.0) < EXACT
    half = traced(bf.maps.generalised_henon(1.0, 0.5, 0.0), "alpha", [0.5, 0.5], (-2.0, 3.0))
    for point in reference["generalised henon, R=0"]:
        if point["kind"] in ("flip", "fold") and point["beta"] == 0.5:
            assert abs(half.first(point["kind"]).parameters["alpha"] - point["alpha"]) < EXACT
            found = np.sort(half.first(point["kind"]).multipliers.real)
            assert np.abs(found - np.sort(point["multipliers"])).max() < EXACT
    dissipative = traced(bf.maps.generalised_henon(2.0, 0.5, -0.5), "beta", [0.9, 0.9], (-0.9, 1.2))
    for point in reference["generalised henon, R=-0.5"]:
        if point["kind"] in ("flip", "neimark-sacker") and "beta" in point:
            found = dissipative.first(point["kind"])
            assert abs(found.parameters["beta"] - point["beta"]) < 1e-7
            x = found.state[0]  # the source's digits, and the closed form to ours
            exact = 2 * x - 1 if point["kind"] == "flip" else 1 - 0.5 * x
            assert abs(found.parameters["beta"] - exact) < EXACT


@pytest.mark.parametrize("eps", [0.0, 0.01])
def test_delayed_logistic(reference, eps):
    branch = traced(bf.maps.delayed_logistic(1.9, eps), "r", [0.48, 0.48], (1.5, 2.5))
    point = branch.first("neimark-sacker")
    assert [other.label for other in branch.special] == ["NS"]
    known = next(p for p in reference["delayed logistic"] if p["kind"] == "neimark-sacker" and p["eps"] == eps)
    assert abs(point.parameters["r"] - 2.0 / (1.0 + eps)) < EXACT
    assert abs(point.parameters["r"] - known["r"]) < EXACT
    if eps == 0.0:
        assert np.abs(point.state - 0.5).max() < EXACT
        assert np.abs(np.sort_complex(point.multipliers) - np.exp([-1j * np.pi / 3, 1j * np.pi / 3])).max() < EXACT


def test_ricker(reference):
    branch = traced(bf.maps.ricker(), "r", [1.0], (1.0, 2.8))
    known = flips_of(reference, "ricker")
    for period, point in doubling(branch, {"r": (1.0, 2.8)}, 2):
        assert abs(point.parameters["r"] - known[period]["r"]) < EXACT
        if "x_one_of" in known[period]:
            cycle = [float(point.state[0]), float(bf.maps.ricker()(point.state, **point.parameters)[0])]
            assert min(abs(x - known[period]["x_one_of"]) for x in cycle) < EXACT


def test_predator_prey_of_auto(reference):
    bounds = {"p1": (0.5, 3.6)}
    zero = traced(bf.maps.predator_prey(), "p1", [0.0, 0.0], bounds["p1"])
    assert [round(point.parameters["p1"], 8) for point in zero.of("BP")] == [1.0]
    prey = bf.trace(bf.switch(zero.first("BP")), bounds=bounds)
    assert sorted(round(point.parameters["p1"], 8) for point in prey.of("BP")) == [1.0, 2.0]
    both = next(point for point in prey.of("BP") if point.parameters["p1"] > 1.5)
    coexistence = bf.trace(bf.switch(both), bounds=bounds)
    assert coexistence.states[:, 1].max() > 0.1
    known = flips_of(reference, "predator-prey of AUTO demo dd2")
    for period, point in doubling(prey, bounds, 2):
        assert abs(point.parameters["p1"] - known[period]["p1"]) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 200])
def test_every_flip_of_a_ring_with_its_multiplicity(n):
    # Several multipliers cross −1 in one step, most of them in symmetric pairs: signs of determinants see almost none.
    branch = traced(bf.maps.logistic_ring(n=n, r=2.5, e=0.5), "r", np.full(n, 0.6), (2.5, 3.2))
    k = np.arange(n // 2 + 1)
    exact = 2.0 + 2.0 / (1.0 + np.cos(2 * np.pi * k[: n // 2] / n))
    exact = exact[exact < 3.2]
    assert {point.kind for point in branch.special} == {"flip"}
    found = np.array([point.parameters["r"] for point in branch.special])
    assert len(found) == len(exact)
    assert np.abs(found - exact).max() < 1e-10
    assert [point.multiplicity for point in branch.special] == [1] + [2] * (len(exact) - 1)
    assert branch.doubts == ()


@pytest.mark.slow
def test_every_point_of_a_weakly_coupled_ring():
    n, e = 50, 0.1
    branch = traced(bf.maps.logistic_ring(n=n, r=2.5, e=e), "r", np.full(n, 0.6), (0.5, 3.2))
    lam = 1 - e + e * np.cos(2 * np.pi * np.arange(n // 2 + 1) / n)
    for kind, exact in (("BP", np.sort(2 - 1 / lam)), ("PD", np.sort(2 + 1 / lam))):
        exact = exact[exact < 3.2]
        found = branch.of(kind)
        assert len(found) == len(exact) == {"BP": 26, "PD": 19}[kind]
        assert np.abs([p.parameters["r"] for p in found] - exact).max() < 1e-9
        simple = {0, n // 2}
        order = np.argsort(2 - 1 / lam if kind == "BP" else 2 + 1 / lam)[: len(exact)]
        assert [p.multiplicity for p in found] == [1 if k in simple else 2 for k in order]
