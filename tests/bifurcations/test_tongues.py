"""Weak resonances and Arnold tongues, against closed forms and the reference values of global analysis."""

import functools

import numpy as np
import pytest
from scipy.optimize import brentq

import bifurcate as bf
from bifurcate.errors import InvalidInput, NoSuchPoint, NotConverged
from tests.helpers.global_reference import GLOBAL, reference_map

TURN = 2.0 * np.pi


def predator_prey_jacobian(x, a, b):
    return np.array([[a - 2.0 * a * x[0] - b * x[1], -b * x[0]], [b * x[1], b * x[0]]])


@functools.cache
def predator_prey_resonances():
    """The Neimark–Sacker curve a = b/(b − 2) of the reference's predator–prey map, with its weak resonances."""
    map = bf.Map(
        reference_map("resonance_pp_1_7").f, {"a": 2.6, "b": 3.0}, jacobian=predator_prey_jacobian, name="predator–prey"
    )
    fixed = bf.trace(bf.cycles(map, "b", [1.0 / 3.0, 0.2]), {"b": (2.9, 3.5)})
    curve = bf.locus(fixed.first("NS"), free="a")
    return bf.trace(curve, {"a": (1.9, 3.6), "b": (2.5, 4.2)}, resonances=11)


def exact_resonance(p, q):
    b = 2.0 + 1.0 / (2.0 - 2.0 * np.cos(TURN * p / q))
    return [b, b / (b - 2.0)]


def ends_at(edge, bounds, names):
    """Where an edge ends on a bound."""
    end = bf.trace(edge, bounds, detect=False)[-1]
    return [end.parameters[name] for name in names]


def test_weak_resonances_of_the_predator_prey_map():
    branch = predator_prey_resonances()
    found = branch.of("weak resonance")
    assert [point.label for point in found] == [
        point.label for point in sorted(found, key=lambda point: point.arclength)
    ]
    angles = {f"{p}:{q}" for q in range(5, 12) for p in range(1, q) if np.gcd(p, q) == 1 and 2 * p < q}
    places = {label: exact_resonance(*map(int, label.split(":"))) for label in angles}
    inside = {label for label, (b, a) in places.items() if 2.5 < b < 4.2 and 1.9 < a < 3.6}
    assert {point.label for point in found} == inside and len(found) == len(inside)
    for point in found:
        p, q = point.resonance
        known = exact_resonance(p, q)
        at = [point.parameters[name] for name in ("b", "a")]
        assert np.abs(np.subtract(at, known)).max() <= point.error < 1e-10
        assert point.angle == pytest.approx(TURN * p / q, abs=1e-12)
        assert point.form == "generic" and point.kind_row.codimension == 2
    for name, label in (("resonance_pp_1_7", "1:7"), ("resonance_pp_1_8", "1:8")):
        at = [branch.first(label).parameters[parameter] for parameter in ("b", "a")]
        assert np.abs(np.subtract(at, GLOBAL[name]["value"])).max() < 1e-12


def test_resonances_are_asked_for_and_said():
    branch = predator_prey_resonances()
    plain = bf.trace(branch.curve.replace(resonances=0), {"a": (1.9, 3.6), "b": (2.5, 4.2)})
    assert not plain.of("weak resonance") and len(plain) == len(branch)
    assert np.array_equal(plain["b"], branch["b"])
    with pytest.raises(NoSuchPoint, match="no 1:50 on this branch"):
        branch.first("1:50")
    with pytest.raises(InvalidInput, match="from 5 to 200"):
        bf.trace(branch.curve, {"a": (1.9, 3.6), "b": (2.5, 4.2)}, resonances=4)
    cycle = bf.cycles(bf.maps.logistic(), "r", [0.6])
    with pytest.raises(InvalidInput, match="this is a curve of cycles"):
        bf.trace(cycle, {"r": (2.0, 3.0)}, resonances=7)


@pytest.mark.parametrize(
    ("name", "label", "distance"),
    [("tongue_pp_1_7_0.02", "1:7", 0.02), ("tongue_pp_1_7_0.03", "1:7", 0.03), ("tongue_pp_2_11_0.1", "2:11", 0.1)],
)
def test_edges_of_the_predator_prey_map(name, label, distance):
    point = predator_prey_resonances().first(label)
    edges = bf.switches(point)
    assert [(edge.kind, edge.period, edge.tongue) for edge in edges] == [
        ("fold", point.resonance[1], point.resonance)
    ] * 2
    bounds = {"a": (1.9, GLOBAL[name]["parameters"]["a"]), "b": (2.5, 4.2)}
    born = bf.trace(edges[0], bounds, detect=False).stop.first
    assert born.reason == "origin" and "the other is the other edge of this tongue" in str(born)
    found = sorted(ends_at(edge, bounds, ["b"])[0] for edge in edges)
    assert np.abs(np.subtract(found, GLOBAL[name]["value"])).max() < 1e-12


def test_widths_from_a_rounding_to_where_edges_are_curves():
    point = predator_prey_resonances().first("1:7")
    widths = []
    for amplitude in (1e-3, 2e-3, 1e-2, 2e-2):
        found = bf.tongue(point, amplitude=amplitude)
        assert found.amplitude == amplitude and found.across == "b"
        widths.append((found.width, found.width_error))
        assert bool(found.edges) == (amplitude >= 1e-2) and bool(found.note) != bool(found.edges)
    # Width ~ amplitude^(q − 2), from 5e-13 on.
    for (thin, error), part in zip(widths, (20.0, 10.0, 2.0)):
        assert abs(thin * part**5 / widths[-1][0] - 1.0) < 0.03 + error * part**5 / widths[-1][0]


# Normal forms with a resonant term, behind a change of coordinates and in other units. In w = e^{−2πinp/q} z the cycles
# are the fixed points of w ↦ e^{iν}(1 + μ + A |w|²) w + c w̄^{q−1}, w = r e^{iφ}:
#     e^{iν} (1 + μ + A r²) = 1 − c r^{q−2} e^{−iqφ} =: R,
# so that ν and μ are explicit functions of r and φ, and edges are where their Jacobian vanishes.


def explicit_parameters(r, psi, q, A, c):
    """(ν, μ) at an amplitude and qφ = ψ, and their derivatives by both as columns."""
    resonant = c * r ** (q - 2) * np.exp(-1j * psi)
    R, changes = 1.0 - resonant, (-(q - 2) / r * resonant, 1j * resonant)
    size, left = abs(R), np.sqrt(abs(R) ** 2 - A.imag**2 * r**4)
    slopes = []
    for change, by_r in zip(changes, (1.0, 0.0)):
        growth = (change * R.conjugate()).real / size
        by_sine = (2.0 * A.imag * r * by_r - A.imag * r**2 * growth / size) / left
        by_mu = (size * growth - 2.0 * A.imag**2 * r**3 * by_r) / left - 2.0 * A.real * r * by_r
        slopes.append(((change / R).imag - by_sine, by_mu))
    return (np.angle(R) - np.arcsin(A.imag * r**2 / size), left - 1.0 - A.real * r**2), np.array(slopes).T


def explicit_edges(r, q, A, c):
    """(ν, μ) on both edges at an amplitude, where the determinant of the derivatives vanishes."""

    def determinant(psi):
        return np.linalg.det(explicit_parameters(r, psi, q, A, c)[1])

    grid = np.linspace(0.1, 0.1 + TURN, 25)
    values = [determinant(psi) for psi in grid]
    between = zip(grid, grid[1:], values, values[1:])
    roots = [brentq(determinant, a, b, xtol=1e-14) for a, b, f, g in between if f * g < 0]
    assert len(roots) == 2
    return [explicit_parameters(r, psi, q, A, c)[0] for psi in roots]


def edge_at(mu, which, q, A, c):
    """ν on an edge at a μ."""
    r = brentq(lambda r: explicit_edges(r, q, A, c)[which][1] - mu, 1e-3, 0.5, xtol=1e-14)
    return explicit_edges(r, q, A, c)[which][0]


def hidden(p, q, A, c, unit=1.0, offset=0.0, rate=1.0):
    """The normal form in coordinates offset + unit · (u, v), u = x + 0.2 y², v = y + 0.3 u − 0.1 u²; ν = rate n, …"""
    turned = np.exp(1j * (TURN * p / q))

    def change(z):
        u = z.real + 0.2 * z.imag**2
        return np.array([u, z.imag + 0.3 * u - 0.1 * u**2])

    def change_slope(z):
        u = z.real + 0.2 * z.imag**2
        first = np.array([1.0, 0.4 * z.imag])
        return np.array([first, np.array([0.0, 1.0]) + (0.3 - 0.2 * u) * first])

    def back(x):
        u, v = (x - offset) / unit
        y = v - 0.3 * u + 0.1 * u**2
        return u - 0.2 * y**2 + 1j * y

    def image(z, n, m):
        growth = np.exp(1j * rate * n) * (1.0 + rate * m + A * abs(z) ** 2)
        return turned * (growth * z + c * z.conjugate() ** (q - 1))

    def f(x, n, m):
        return offset + unit * change(image(back(x), n, m))

    def jacobian(x, n, m):
        z = back(x)
        by_z = turned * np.exp(1j * rate * n) * (1.0 + rate * m + 2.0 * A * abs(z) ** 2)
        by_conjugate = turned * (np.exp(1j * rate * n) * A * z**2 + c * (q - 1) * z.conjugate() ** (q - 2))
        columns = [by_z + by_conjugate, 1j * (by_z - by_conjugate)]
        inner = np.array([[w.real for w in columns], [w.imag for w in columns]])
        return change_slope(image(z, n, m)) @ inner @ np.linalg.inv(change_slope(z))

    start = {"n": -0.05 / rate, "m": -0.05 / rate}
    return bf.Map(f, start, jacobian=jacobian, scale=unit, name=f"hidden {p}:{q}")


def hidden_resonance(map, p, q, rate=1.0, offset=0.0):
    branch = bf.trace(bf.cycles(map, "m", np.full(2, offset)), {"m": (-0.1 / rate, 0.1 / rate)})
    curve = bf.locus(branch.first("NS"), free="n")
    bounds = {"m": (-0.2 / rate, 0.2 / rate), "n": (-0.1 / rate, 0.1 / rate)}
    return bf.trace(curve, bounds, resonances=q).first(f"{p}:{q}")


@pytest.mark.parametrize(
    ("p", "q", "A", "c", "units"),
    [
        (1, 5, -1.0 + 0.4j, 0.7, {}),
        pytest.param(2, 7, -0.6 - 1.0j, 2.0, {"unit": 250.0, "offset": 3000.0}, marks=pytest.mark.slow),
        pytest.param(1, 6, 1.0 + 0.5j, 0.5, {"rate": 1e-3}, marks=pytest.mark.slow),
        pytest.param(3, 8, -1.0 + 2.0j, 1.5, {"unit": 1e-4, "rate": 40.0}, marks=pytest.mark.slow),
    ],
)
def test_edges_of_a_normal_form_behind_a_change_of_coordinates(p, q, A, c, units):
    unit, rate, offset = units.get("unit", 1.0), units.get("rate", 1.0), units.get("offset", 0.0)
    point = hidden_resonance(hidden(p, q, A, c, **units), p, q, rate, offset)
    assert np.abs([point.parameters["n"], point.parameters["m"]]).max() <= point.error < 1e-9 / rate
    # x = offset + 2 Re(z v) with 2v = unit · Dh(0) (1, −i): coefficients go with powers of |v|.
    length = 0.5 * unit * np.linalg.norm(np.array([1.0, 0.3 - 1j]))
    assert point.form == "generic"
    assert point.coefficients["d"] == pytest.approx(A.real / length**2, rel=1e-6)
    assert point.coefficients["c"] == pytest.approx(c / length ** (q - 2), rel=1e-6)
    found = bf.tongue(point)
    assert len(found.edges) == 2 and abs(found.exponent - (q - 2)) < 0.05 and found.note == ""
    for edge, place in zip(found.edges, found.places):
        branch = bf.trace(edge, {"m": (-0.2 / rate, 0.2 / rate), "n": (-0.2 / rate, 0.2 / rate)}, detect=False)
        for i in (0, len(branch) // 2):
            nu, mu = rate * branch["n"][i], rate * branch["m"][i]
            exact = [edge_at(mu, which, q, A, c) for which in (0, 1)]
            error = min(abs(nu - each) for each in exact)
            assert error < 1e-9 and error < 1e-2 * abs(exact[1] - exact[0])
        assert np.abs(place - [edge.parameters(edge.start)[name] for name in found.free]).max() == 0.0


@pytest.mark.slow
def test_a_resonance_without_a_resonant_term_is_said():
    point = hidden_resonance(hidden(1, 5, -1.0 + 0.3j, 0.0), 1, 5)
    assert abs(point.coefficients["c"]) <= 2.0 * point.errors["c"] and point.form == "degenerate"
    found = bf.tongue(point)
    assert found.edges == () and "degenerate: the resonant coefficient of degree 4 is 0" in found.note
    assert found.width <= found.width_error
    with pytest.raises(NotConverged, match="no edges of the 1:5 tongue were told apart"):
        bf.switches(point)


def odd(x, n, m):
    """A map with f(−x) = −f(x), so that z̄⁴ is missing at 1:5: what locks it is 0.8 z̄⁹."""
    z = x[0] + 1j * x[1]
    image = np.exp(1j * TURN / 5) * (
        np.exp(1j * n) * (1.0 + m + (-1.0 + 0.3j) * abs(z) ** 2) * z + 0.8 * z.conjugate() ** 9
    )
    return np.array([image.real, image.imag])


@pytest.mark.slow
def test_where_a_symmetry_removes_the_resonant_term_the_next_one_locks():
    found = bf.tongue(hidden_resonance(bf.Map(odd, {"n": -0.05, "m": -0.05}), 1, 5))
    assert len(found.edges) == 2 and abs(found.exponent - 8.0) < 0.05
    assert "degenerate: the resonant coefficient of degree 4 is 0" in found.note and "the power 8.0" in found.note


@pytest.mark.parametrize("period", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_tongues_about_the_conservative_henon_map(period):
    """H⁻¹ of (a, b) is conjugate to H of (a/b², 1/b): it takes one edge to the other. At 1:5 of period 1 on b = −1,
    the trace −2ax = 2 cos 72°; of period 2 the trace is 2 − 4(a − 3)."""
    if period == 1:
        start, guess = bf.maps.henon(a=0.1, b=-0.9), [0.4, -0.4]
        a = (lambda c: c**2 - 2.0 * c)(np.cos(TURN / 5))
    else:
        start, guess = bf.maps.henon(a=3.2, b=-0.95), [0.9, 0.2]
        a = 3.0 + (1.0 - np.cos(TURN / 5)) / 2.0
        x = np.roots([start.parameters["a"] ** 2, -start.parameters["a"] * 1.95, 1.95**2 - start.parameters["a"]])
        guess = [float(x[0].real), -0.95 * float(x[1].real)]
    fixed = bf.trace(bf.cycles(start, "b", guess, period=period), {"b": (-1.06, -0.85)}, detect=True)
    bounds = {"a": (a - 0.2, a + 0.3), "b": (-1.2, -0.8)}
    near = bf.trace(bf.cycles(start, "b", fixed.first("NS").state, period=period), {"b": (-1.05, -0.9)}).first("NS")
    curve = bf.trace(
        bf.locus(near, "a"), {"a": (min(0.0, a - 0.3), max(a + 0.3, 0.4)), "b": (-1.2, -0.8)}, resonances=5
    )
    point = curve.first("1:5")
    assert abs(point.parameters["a"] - a) < 1e-9 and abs(point.parameters["b"] + 1.0) < 1e-9
    found = bf.tongue(point)
    assert [edge.period for edge in found.edges] == [5 * period] * 2 and "cubic coefficient d is 0" in found.note
    b = -1.0 - 2e-3 * period
    left = ends_at(found.edges[0], {**bounds, "b": (b, -0.8)}, ["a", "b"])
    right = ends_at(found.edges[1], {**bounds, "b": (-1.2, 1.0 / b)}, ["a", "b"])
    assert left[1] == b and right[1] == 1.0 / b
    assert abs(right[0] - left[0] / b**2) < 1e-9


def sine_circle(lift=True, **parameters):
    def f(x, Omega, K):
        image = x + Omega - K / TURN * np.sin(TURN * x)
        return image if lift else image % 1.0

    def jacobian(x, Omega, K):
        return np.array([[1.0 - K * np.cos(TURN * x[0])]])

    start = {"Omega": 0.45, "K": 0.5, **parameters}
    return bf.Map(f, start, jacobian=jacobian, periodic=1.0, name="sine circle map")


@pytest.mark.parametrize(
    ("name", "p", "q", "K"),
    [
        ("tongue_circle_2_5_0.9", 2, 5, 0.9),
        ("tongue_circle_2_5_0.5", 2, 5, 0.5),
        ("tongue_circle_1_3_0.5", 1, 3, 0.5),
        ("tongue_circle_0_1_0.5", 0, 1, 0.5),
    ],
)
def test_tongues_of_the_sine_circle_map(name, p, q, K):
    for lift in (True, False):
        found = bf.tongue(sine_circle(lift, K=K, Omega=0.45 if lift else p / q), p, q, free=("Omega", "K"))
        assert np.abs(np.subtract(found.interval, GLOBAL[name]["value"])).max() <= found.error < 2e-15
        assert [edge.period for edge in found.edges] == [q, q] and found.label == f"{p}:{q}"


def test_a_tongue_along_its_second_parameter_and_beyond_invertibility():
    bounds = {"Omega": (-1.0, 1.0), "K": (0.1, 3.0)}
    for edge, side in zip(bf.tongue(sine_circle(), 0, 1, free=("Omega", "K")).edges, (-1.0, 1.0)):
        branch = bf.trace(edge, bounds)
        assert np.abs(branch["Omega"] - side * branch["K"] / TURN).max() < 1e-12
        assert branch["K"].min() == 0.1 and branch["K"].max() == 3.0
    above = bf.tongue(sine_circle(K=2.5), 0, 1, free=("Omega", "K"))
    assert np.abs(np.subtract(above.interval, [-2.5 / TURN, 2.5 / TURN])).max() <= above.error


def test_a_tongue_of_a_map_that_is_not_invertible_by_where_its_cycles_exist():
    p, q, K = 2, 5, 1.6
    found = bf.tongue(sine_circle(K=K), p, q, free=("Omega", "K"))
    x = np.linspace(0.0, 1.0, 20_001)

    def sides(Omega):
        y = x
        for _ in range(q):
            y = y + Omega - K / TURN * np.sin(TURN * y)
        return (y - x - p).min(), (y - x - p).max()

    inside, outside = 1e-6, 1e-6
    low, high = found.interval
    assert sides(low + inside)[1] > 0.0 > sides(low - outside)[1]
    assert sides(high - inside)[0] < 0.0 < sides(high + outside)[0]


def test_thin_tongues_of_circle_maps():
    # To lowest order the 1:2 tongue of x + Ω − K/2π sin 2πx is K²/4π wide, the 1:3 tongue's width goes with K³.
    for K in (0.1, 1e-3, 1e-5):
        found = bf.tongue(sine_circle(K=K), 1, 2, free=("Omega", "K"))
        assert abs(found.width - K**2 / (4.0 * np.pi)) < 0.1 * K**4 + found.width_error
    widths = [bf.tongue(sine_circle(K=K), 1, 3, free=("Omega", "K")) for K in (1e-4, 1e-2)]
    assert widths[0].edges == () and "doubles do not tell" in widths[0].note
    assert widths[0].width == pytest.approx(1e-6 * widths[1].width, rel=2e-3)
    none = bf.tongue(sine_circle(K=0.0), 1, 3, free=("Omega", "K"))
    assert none.edges == () and "rounding" in none.note and none.width <= none.width_error


def test_the_locking_window_of_the_delayed_logistic_map():
    """The 1:7 tongue starts on the Neimark–Sacker curve r = 2/(1 + ε) at ε < 0, and at ε = 0 is the known window."""
    fixed = bf.trace(bf.cycles(bf.maps.delayed_logistic(1.9), "r", [0.47, 0.47]), {"r": (1.8, 2.2)})
    curve = bf.locus(fixed.first("NS"), free="eps")
    branch = bf.trace(curve, {"r": (1.8, 2.4), "eps": (-0.15, 0.1)}, resonances=7)
    tip = branch.first("1:7")
    assert tip.parameters["r"] == pytest.approx(1.0 + 2.0 * np.cos(TURN / 7), abs=1e-10)
    found = [ends_at(edge, {"r": (1.8, 2.4), "eps": (-0.15, 0.0)}, ["eps", "r"]) for edge in bf.switches(tip)]
    assert [each[0] for each in found] == [0.0, 0.0]
    window = sorted(each[1] for each in found)
    assert np.abs(np.subtract(window, GLOBAL["lock_delayed_7"]["value"])).max() < 1e-11


def test_edges_are_saved_and_go_on(tmp_path):
    point = predator_prey_resonances().first("1:7")
    found = bf.tongue(point)
    bf.save(found, tmp_path / "tongue.npz")
    again = bf.load(tmp_path / "tongue.npz", map=point.curve.iterate.map)
    assert str(again) == str(found) and np.array_equal(again.places, found.places)
    bounds = {"a": (1.9, 2.52), "b": (2.5, 4.2)}
    first, last = (bf.trace(each.edges[0], bounds, detect=False) for each in (found, again))
    assert np.array_equal(first["b"], last["b"])


def on_circle(f):
    return bf.Map(f, {"Omega": 0.1, "K": 0.1}, periodic=1.0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((sine_circle(), 2, 4), "not in lowest terms: write p=1, q=2"),
        ((sine_circle(), 1.5, 4), "whole number"),
        ((sine_circle(), 1, 0), "q is 0"),
        ((bf.maps.henon(), 1, 3), "has no parameter 'Omega'"),
        ((bf.Map(lambda x, Omega, K: x + Omega + K, {"Omega": 0.1, "K": 0.1}), 1, 3), "no map of a circle"),
        (("x", 1, 3), "at must be"),
        ((on_circle(lambda x, Omega, K: 2.0 * x + Omega + K), 1, 3), "to 2 turns"),
        ((on_circle(lambda x, Omega, K: x + Omega * np.sin(TURN * x) + K), 1, 3), "must push all states"),
    ],
)
def test_what_has_no_tongue_is_said(arguments, words):
    with pytest.raises(InvalidInput, match=words):
        bf.tongue(*arguments, free=("Omega", "K"))


def test_an_amplitude_without_cycles_is_said():
    found = bf.tongue(predator_prey_resonances().first("1:7"), amplitude=0.9)
    assert found.edges == () and np.isnan(found.width) and "no cycle of this amplitude" in found.note


def test_a_point_that_is_no_weak_resonance_has_no_tongue():
    point = predator_prey_resonances().first("1:7")
    flip = bf.special_point(bf.maps.logistic(r=2.9), "flip", free="r", guess=[0.66])
    with pytest.raises(InvalidInput, match="this is a flip"):
        bf.tongue(flip)
    with pytest.raises(InvalidInput, match="go with a map of a circle"):
        bf.tongue(point, 1, 7)
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        bf.tongue(point, amplitude=2.0)


@pytest.mark.slow
def test_exploring_follows_tongues_where_it_is_asked_to():
    map = predator_prey_resonances().curve.iterate.map
    curve = bf.cycles(map, "b", [1.0 / 3.0, 0.2])
    bounds = {"b": (3.0, 3.36), "a": (2.45, 2.65)}
    found = bf.explore(curve, bounds, depth=2, resonances=7)
    labels = [point.label for point in found.special]
    assert "1:7" in labels and len(found.failures) == 0
    edges = [branch for branch in found.branches if branch.curve.tongue == (1, 7)]
    assert [edge.curve.period for edge in edges] == [7, 7]
    plain = bf.explore(curve, bounds, depth=1)
    assert "1:7" not in [point.label for point in plain.special]
