"""Spectra, covariant vectors, alignment, the 0–1 test and expansion entropy against closed forms and other programs."""

import numpy as np
import pytest
from global_reference import GLOBAL, reference_map

import bifurcate as bf
from bifurcate.errors import InvalidInput
from bifurcate.orbits.lyapunov_exponents import kaplan_yorke

CAT = np.array([[2.0, 1.0], [1.0, 1.0]])
GOLDEN = np.log((3 + np.sqrt(5)) / 2)


def cat_map():
    return bf.Map(lambda u: np.mod(np.array([2 * u[0] + u[1], u[0] + u[1]]), 1.0), {}, jacobian=lambda u: CAT)


def twist(k):
    """The standard map with its Jacobian, (angle, momentum) on the plane."""
    jvp = lambda x, v, k: np.array([v[0] + v[1] + k * np.cos(x[0]) * v[0], v[1] + k * np.cos(x[0]) * v[0]])  # noqa: E731
    return reference_map("gali_chaotic_std", jvp=jvp).replace(k=k)


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("lyapunov_ikeda", [0.5, 0.5]),
        ("lyapunov_coupled", [0.3, 0.4]),
        ("lyapunov_delayed2.27", [0.5, 0.6]),
        ("lyapunov_henon", [0.1, 0.1]),
    ],
)
def test_spectra_and_dimensions_of_long_computations(name, start):
    entry = GLOBAL[name]
    m = reference_map(name).replace(**entry["parameters"])
    found = bf.lyapunov(m, start, steps=20_000, count=2)
    values, dimension = entry["value"]
    allowed = 3 * found.errors + 3 * np.array(entry["error"]["exponents"])
    assert (np.abs(found.values - values) < allowed).all(), (found, values)
    assert (found.errors < 0.05).all()
    assert abs(found.kaplan_yorke - dimension) < 3 * found.kaplan_yorke_error + entry["error"]["KY"]
    assert found.kaplan_yorke_error < 0.02


def test_the_dimension_knows_what_its_exponents_have_in_common():
    # λ₁ and λ₂ whose sum never varies: D = 1 + λ₁/|λ₂| has the error of λ₁ times (1/|λ₂| + λ₁/λ₂²), with the sign of
    # what λ₂ adds; independent errors would give another one.
    rng = np.random.default_rng(0)
    first = 0.4 + 0.3 * rng.standard_normal(4096)
    rates = np.column_stack([first, -1.2 - first])
    value, error = kaplan_yorke(rates, 2, np.zeros(2))
    mean = first.mean()
    assert value == pytest.approx(1 + mean / (1.2 + mean), rel=1e-12)
    slope = 1.2 / (1.2 + mean) ** 2
    assert error == pytest.approx(slope * 0.3 / np.sqrt(4096), rel=0.25)
    scatter = np.std([1 + x / (1.2 + x) for x in first.reshape(64, 64).mean(axis=1)]) / 8
    assert error == pytest.approx(scatter, rel=0.4)


def test_the_dimension_of_the_simplest_sets():
    assert bf.lyapunov(bf.maps.henon(a=0.1), [0.1, 0.1], steps=100, count=2).kaplan_yorke == 0.0
    assert bf.lyapunov(cat_map(), [0.1, 0.2], steps=100, count=2).kaplan_yorke == pytest.approx(2.0, abs=1e-12)
    assert np.isnan(bf.lyapunov(bf.maps.henon(), [0.1, 0.1], steps=100).kaplan_yorke)  # λ₂ decides it
    # On a circle λ₁ = 0: rounding decides on which side it is, and so does the error say.
    turning = bf.Map(lambda x: np.array([[np.cos(1.0), -np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]]) @ x, {})
    assert bf.lyapunov(turning, [0.1, 0.2], steps=64, count=1).kaplan_yorke_error != 0.0


@pytest.mark.parametrize("r", [2.0, 1 + np.sqrt(5), 3.8318740552833155])
def test_superstable_cycles_have_minus_infinity(r):
    # At r = 2, 1 + √5 and 3.83187… the critical point 1/2 is on a cycle of period 1, 2, 3.
    plain = bf.Map(bf.maps.logistic().f, {"r": r})
    for m in (bf.maps.logistic(r=r), plain):
        found = bf.lyapunov(m, [0.3], steps=200, transient=300)
        assert found.values[0] == -np.inf and np.isnan(found.errors[0])


def test_what_is_small_but_known_is_not_taken_for_rounding():
    m = bf.maps.henon(a=1.4, b=1e-12)
    found = bf.lyapunov(m, [0.1, 0.1], steps=200, count=2)
    assert found.values.sum() == pytest.approx(np.log(1e-12), abs=1e-10)
    tiny = bf.Map(lambda x: 1e-16 * x, {}, jacobian=lambda x: np.array([[1e-16]]))
    assert bf.lyapunov(tiny, [1e-3], steps=5, transient=0).values[0] == pytest.approx(np.log(1e-16))


def test_every_path_of_the_derivative_gives_one_answer():
    henon = bf.maps.henon()
    n, loops = henon.f, []
    assert n is not None

    def alone(z, a, b):
        loops.append(z.shape)
        if z.shape != (2,):
            raise TypeError("one state at a time")
        return np.array([1.0 - a * z[0] ** 2 + z[1], b * z[0]])

    exact = bf.lyapunov(henon, [0.1, 0.1], steps=300, count=2)
    paths = [
        bf.Map(alone, {"a": 1.4, "b": 0.3}, jacobian=henon.jacobian),
        bf.Map(alone, {"a": 1.4, "b": 0.3}, jvp=henon.jvp),
        bf.Map(alone, {"a": 1.4, "b": 0.3}),
        bf.Map(henon.f, {"a": 1.4, "b": 0.3}),
        bf.Map(henon.f, {"a": 1.4, "b": 0.3}, derivative="complex"),
    ]
    for m in paths:
        found = bf.lyapunov(m, [0.1, 0.1], steps=300, count=2)
        assert np.abs(found.values - exact.values).max() < 1e-8
        assert np.abs(found.state - exact.state).max() == 0.0


def test_few_exponents_of_many_unknowns_take_two_values_of_f_for_each():
    calls = []

    def ring(x, r):
        calls.append(x.size // 60)
        return r * x * (1 - x) + 0.02 * (np.roll(x, 1, axis=0) - x)

    def alone(x, r):
        assert x.shape == (60,)
        return ring(x, r)

    start = np.linspace(0.2, 0.5, 60)
    slope = lambda x, v, r: r * (1 - 2 * x) * v + 0.02 * (np.roll(v, 1, axis=0) - v)  # noqa: E731
    exact = bf.lyapunov(bf.Map(ring, {"r": 3.7}, jvp=slope), start, steps=60, transient=30, count=5)
    for f in (ring, alone):
        calls.clear()
        found = bf.lyapunov(bf.Map(f, {"r": 3.7}), start, steps=60, transient=30, count=5)
        assert np.abs(found.values - exact.values).max() < 1e-8
        # Two values a vector and f itself at each of 90 steps; trials and checks beside.
        assert sum(calls) < 90 * (2 * 5 + 1) * 1.35
        if f is ring:
            assert len(calls) < 90 * 3.5  # all of them in one call


def test_networks_have_their_trivial_exponents():
    net = bf.adaptation.ring(3, (0.8, 0.0), (0.8, 1.0), alpha=0.05, beta=-0.1, sigma=1 / 6, b=0.05)
    found = bf.lyapunov(net.update, net.initial, steps=40, transient=400, count=9)
    trivial = np.abs(found.values - np.log(0.9)) < 1e-6
    assert trivial.sum() >= 6  # of n(n − 1) = 6 directions that the rule does not see


def test_covariant_vectors_are_carried_to_one_another():
    found = bf.lyapunov(bf.maps.henon(), [0.1, 0.1], steps=60, transient=100, count=2, vectors=True)
    J = np.array([bf.maps.henon().jacobian(x, a=1.4, b=0.3) for x in found.states])
    image = np.einsum("tij,tjk->tik", J, found.vectors)[:-1]
    image /= np.linalg.norm(image, axis=1, keepdims=True)
    assert np.abs(np.abs((image * found.vectors[1:]).sum(axis=1)) - 1).max() < 1e-12
    assert found.vector_errors.max() < 1e-10 and found.vectors.shape == (60, 2, 2)
    # The map's inverse knows the second one: it is the direction that grows fastest backwards.
    v = np.array([1.0, 0.3])
    for k in range(59, -1, -1):
        v = np.linalg.solve(J[k], v)
        v /= np.linalg.norm(v)
        if k < 20:
            assert abs(abs(v @ found.vectors[k, :, 1]) - 1) < 1e-9
    cat = bf.lyapunov(cat_map(), [0.1, 0.2], steps=5, transient=40, count=2, vectors=True)
    exact = np.linalg.eigh(CAT)[1][:, ::-1]
    assert np.abs(np.abs(np.einsum("ij,tij->tj", exact, cat.vectors)) - 1).max() < 1e-12


def test_an_annihilated_direction_has_no_covariant_vectors():
    flat = bf.Map(lambda x: np.array([0.5 * x[0], 0.0]), {}, jacobian=lambda x: np.diag([0.5, 0.0]))
    found = bf.lyapunov(flat, [0.3, 0.1], steps=5, transient=5, count=2, vectors=True)
    assert np.isnan(found.vectors).all() and "annihilated" in found.detail


def test_finite_time_exponents_of_the_tent_and_of_henon():
    doubling = bf.Map(lambda x: np.mod(2.0 * x, 1.0), {}, jvp=lambda x, v: 2.0 * v)
    same = bf.finite_time_exponents(doubling, [0.1234], window=4, windows=5, transient=0)
    assert np.abs(same.values - np.log(2)).max() < 1e-14 and same.spreads[0] < 1e-14
    found = bf.finite_time_exponents(bf.maps.henon(), [0.1, 0.1], window=25, windows=160, count=2)
    whole = bf.lyapunov(bf.maps.henon(), [0.1, 0.1], steps=4000, count=2)
    assert np.abs(found.means - whole.values).max() < 1e-12  # the same orbit, the same mean
    assert np.abs(found.values.sum(axis=1) - np.log(0.3)).max() < 1e-12
    low, middle, high = found.quantiles([0.05, 0.5, 0.95])[:, 0]
    assert low < middle < high and abs(middle - 0.419) < 0.05
    assert 0.3 < found.spreads[0] / np.abs(high - low) < 0.4  # near that of a normal distribution, 1/3.29
    left = bf.finite_time_exponents(bf.Map(lambda x: x - 1.0, {}, domain=lambda x: x), [5.5], window=2, transient=0)
    assert (len(left), left.end) == (2, "domain")
    assert len(bf.finite_time_exponents(bf.maps.logistic(r=5.0), [0.5], transient=50)) == 0


def test_alignment_of_a_chaotic_orbit_is_known_beyond_rounding():
    found = bf.alignment_indices(twist(5.0), [0.3, 0.2], steps=200, vectors=np.eye(2))
    for n, values in GLOBAL["gali_chaotic_std"]["value"].items():
        t = int(n)
        # After ten steps the rounding of the orbit itself has grown by e^9.8.
        assert np.abs([found.sali[t], found.gali[t, 0]] / np.array(values) - 1).max() < (1e-11 if t < 10 else 1e-10)
    # exp(−(λ₁ − λ₂) t) with λ₂ = −λ₁, far below the smallest double's square root.
    rate = -found.log_gali[-1, 0] / 200
    exponent = bf.lyapunov(twist(5.0), [0.3, 0.2], steps=200, transient=0)
    assert rate == pytest.approx(2 * exponent.values[0], abs=0.05)
    assert found.chaotic and found.log_gali[-1, 0] < -300
    assert (found.ldi == found.gali[:, -1]).all()


def test_alignment_of_regular_orbits_falls_as_a_power():
    found = bf.alignment_indices(twist(0.5), [np.pi, 0.9], steps=4000)
    assert not found.chaotic
    # In the plane as t^−2: the mean slope between t = 40 and t = 4000.
    t = np.unique(np.geomspace(40, 4000, 60).astype(int))
    slope = np.polyfit(np.log(t), found.log_gali[t, 0], 1)[0]
    assert slope == pytest.approx(-2.0, abs=0.25)
    assert found.errors[-1, 0] < 1e-9


def test_volumes_of_a_linear_map_are_known():
    D = np.diag([3.0, 2.0, 1.5, 0.5])
    m = bf.Map(lambda x: D @ x, {}, jacobian=lambda x: D)
    W = np.linalg.qr(np.random.default_rng(3).standard_normal((4, 4)))[0][:, :3]
    found = bf.alignment_indices(m, np.zeros(4), steps=12, count=3, vectors=W)
    for t in (0, 5, 12):
        V = np.linalg.matrix_power(D, t) @ W
        V /= np.linalg.norm(V, axis=0)
        assert found.gali[t, 1] == pytest.approx(np.prod(np.linalg.svd(V, compute_uv=False)), rel=1e-10)
        assert found.gali[t, 0] == pytest.approx(np.prod(np.linalg.svd(V[:, :2], compute_uv=False)), rel=1e-10)
        v, w = V[:, 0], V[:, 1]
        assert found.sali[t] == pytest.approx(min(np.linalg.norm(v + w), np.linalg.norm(v - w)), rel=1e-10)


def test_a_stable_node_aligns_vectors_and_is_no_chaos():
    m = bf.Map(lambda x: np.array([0.9 * x[0], 0.2 * x[1]]), {}, jacobian=lambda x: np.diag([0.9, 0.2]))
    found = bf.alignment_indices(m, [0.1, 0.1], steps=100)
    assert found.power > 8 and not found.chaotic


@pytest.mark.parametrize(("r", "chaotic"), [(3.5, False), (3.83, False), (3.7, True), (4.0, True)])
def test_the_zero_one_test_of_the_logistic_map(r, chaotic):
    series = bf.orbit(bf.maps.logistic(r=r), [0.3], 1500, transient=300).states[:, 0]
    found = bf.zero_one_test(series)
    assert found.chaotic is chaotic
    assert abs(found.value - (1.0 if chaotic else 0.0)) < 0.05
    shifted = bf.zero_one_test(1e6 + 1e3 * series)  # units and an offset say nothing
    assert abs(shifted.value - found.value) < 1e-6


def test_the_zero_one_test_by_its_definition():
    phi = bf.orbit(bf.maps.henon(), [0.1, 0.1], 300).states[:, 0]
    found = bf.zero_one_test(phi, count=10)
    x = (phi - phi.mean()) / phi.std()
    for c, value in zip(found.frequencies[:3], found.values, strict=False):
        p = np.cumsum(x * np.cos(c * np.arange(1, 301)))
        q = np.cumsum(x * np.sin(c * np.arange(1, 301)))
        M = [np.mean((p[n:][:270] - p[:270]) ** 2 + (q[n:][:270] - q[:270]) ** 2) for n in range(1, 31)]
        assert value == pytest.approx(np.corrcoef(np.arange(1, 31), M)[0, 1], abs=1e-9)


def test_constant_and_quasi_periodic_series_are_regular():
    assert bf.zero_one_test(np.full(200, 0.7) + 1e-16).value == 0.0
    assert bf.zero_one_test(np.zeros(200)).chaotic is False
    assert bf.zero_one_test(np.cos(np.sqrt(2) * np.arange(1000))).chaotic is False


def test_expansion_entropy_of_known_maps():
    full = bf.expansion_entropy(bf.maps.logistic(r=4.0), [(0.0, 1.0)], steps=12, points=10_000)
    assert abs(full.value - np.log(2)) < full.error < 0.05
    open_ = bf.expansion_entropy(bf.maps.logistic(r=5.0), [(0.0, 1.0)], steps=8)
    assert abs(open_.value - np.log(2)) < open_.error < 0.2  # of what stays, a Cantor set, it is ln 2, too
    cat = bf.expansion_entropy(cat_map(), [(0.0, 1.0), (0.0, 1.0)], steps=6, points=1000)
    assert cat.value == pytest.approx(GOLDEN, abs=1e-9)
    henon = bf.expansion_entropy(bf.maps.henon(), [(-1.5, 1.5), (-0.5, 0.5)], steps=16)
    entry = GLOBAL["entropy_henon"]
    assert abs(henon.value - entry["value"]) < henon.error + entry["error"] and henon.error < 0.06
    gone = bf.expansion_entropy(bf.Map(lambda x: x + 5.0, {}), [(0.0, 1.0)], steps=5, points=1000)
    assert gone.value == -np.inf and np.isnan(gone.error)
    still = bf.expansion_entropy(bf.Map(lambda x: 0.5 * x, {}), [(-1.0, 1.0)], steps=6, points=1000)
    assert still.value == pytest.approx(0.0, abs=1e-9)


def test_refusals():
    made, series = bf.maps.henon(), np.cos(np.arange(200.0))
    refused = [
        (lambda: bf.zero_one_test([1.0, 2.0, 3.0]), "series has 3 numbers; the 0–1 test needs 100"),
        (lambda: bf.zero_one_test(np.append(series, np.nan)), "1 numbers in series are NaN"),
        (lambda: bf.zero_one_test(np.ones((200, 2))), "one axis, got shape"),
        (lambda: bf.alignment_indices(made, [0.1, 0.1], count=3), "count is 3; it must be from 2 to"),
        (lambda: bf.alignment_indices(bf.maps.logistic(), [0.1]), "to the number of unknowns, 1"),
        (lambda: bf.alignment_indices(made, [0.1, 0.1], vectors=np.ones((2, 2))), "linearly dependent"),
        (lambda: bf.alignment_indices(made, [0.1, 0.1], vectors=np.eye(3)), "must have shape"),
        (lambda: bf.finite_time_exponents(made, [0.1, 0.1], count=3), "count is 3; it must be at most"),
        (lambda: bf.finite_time_exponents(made, [0.1, 0.1], windows=3).quantiles(2.0), "between 0 and 1"),
        (lambda: bf.expansion_entropy(made, []), "box is empty"),
        (lambda: bf.expansion_entropy(made, [(1.0, 0.0), (0.0, 1.0)]), "box"),
        (lambda: bf.expansion_entropy(made, [(0.0, 1.0)] * 31), "at most 30 unknowns"),
        (lambda: bf.lyapunov(made, [0.1, 0.1], vectors="yes"), "vectors is 'yes'"),
    ]
    for call, words in refused:
        with pytest.raises(InvalidInput, match=words):
            call()
    escaped = bf.alignment_indices(bf.maps.henon(), [5.0, 5.0], steps=50)
    assert escaped.end == "diverged" and escaped.steps < 50
    assert bf.alignment_indices(bf.maps.henon(), [5.0, 5.0], steps=5, transient=50).end == "diverged"
