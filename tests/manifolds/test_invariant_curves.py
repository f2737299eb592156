"""Closed invariant curves against exact circles hidden by changes of coordinates, and against reference values."""

import dataclasses
import pickle

import numpy as np
import pytest
from global_reference import GLOBAL, reference_map

import bifurcate as bf
from bifurcate.curves.invariant_curve_equations import InvariantCurveEquations
from bifurcate.linalg.invariant_curve_jacobian import InvariantCurveJacobian
from bifurcate.linalg.trigonometric import at_angles, resampled, shifted_values
from bifurcate.maps.invariant_curve_map import InvariantCurveMap

GOLDEN = 0.5 * (np.sqrt(5.0) - 1.0)
TURN = 2 * np.pi


def circles(x, mu, w, k, q):
    """r² ↦ r²(1 + μ + r² − q r⁴)², angle + w + k r² in (u, v); x = u + .3v², y = v + .4x². Circles: μ + r² = q r⁴."""
    v = x[1] - 0.4 * x[0] ** 2
    u = x[0] - 0.3 * v**2
    s = u * u + v * v
    g, a = 1 + mu + s - q * s * s, w + k * s
    u, v = g * (u * np.cos(a) - v * np.sin(a)), g * (u * np.sin(a) + v * np.cos(a))
    first = u + 0.3 * v**2
    return np.array([first, v + 0.4 * first**2])


def square_radius(x):
    v = x[..., 1] - 0.4 * x[..., 0] ** 2
    return (x[..., 0] - 0.3 * v**2) ** 2 + v**2


def hidden():
    return bf.Map(
        reference_map("curve_hidden_circle").f, {"mu": 0.09, "omega": np.pi * GOLDEN, "k": 0.7, "c": 0.3, "d": 0.4}
    )


def neimark_sacker(map, free, guess, bounds, period=1):
    return bf.trace(bf.cycles(map, free, guess, period=period), {free: bounds}).first("NS")


@pytest.fixture(scope="module")
def subcritical():
    """The branch of the circles μ = q r⁴ − r²: unstable from μ = 0 down to the fold at μ = −1/4, r² = 1/2, q = 1."""
    point = neimark_sacker(bf.Map(circles, {"mu": -0.1, "w": 1.3, "k": 0.5, "q": 1.0}), "mu", [0.0, 0.0], (-0.3, 0.3))
    return bf.trace(bf.switch(point), {"mu": (-0.3, -1e-3)})


@pytest.fixture(scope="module")
def delayed():
    point = neimark_sacker(bf.maps.delayed_logistic(1.9), "r", [0.48, 0.48], (1.5, 2.5))
    return bf.trace(bf.switch(point), {"r": (1.5, 2.13)})


@pytest.mark.parametrize("name", ["curve_delayed_2.1", "curve_gh3"])
def test_reference_values(name):
    map, value = reference_map(name), GLOBAL[name]["value"]
    curve = bf.invariant_curve(map, [0.6] * (3 if name == "curve_gh3" else 2), parameters=GLOBAL[name]["parameters"])
    low, high = curve.extremes
    found = np.array([curve.rotation_number, high[0], low[0]])
    assert np.abs(found - value).max() < 1e-11
    assert curve.stable and curve.error < 1e-12 and curve.residual < 1e-12 and curve.rotation_error < 1e-12


def test_a_hidden_circle_to_rounding():
    curve = bf.invariant_curve(hidden(), [0.2, 0.1])
    low, high = curve.extremes
    found = [curve.rotation_number, high[0], low[0], high[1], low[1], curve.length, curve.multipliers[0].real]
    expected = np.delete(GLOBAL["curve_hidden_circle"]["value"], 1)
    assert np.abs(np.array(found) - expected).max() < 2e-12
    assert np.abs(np.sqrt(square_radius(curve.states(np.linspace(0, 1, 40)))) - 0.3).max() < 1e-12
    assert abs(curve.rotation_number - 0.5 * GOLDEN) <= curve.rotation_error < 1e-12
    assert curve.strip > 0.3 and curve.modes < 20


def test_values_between_the_angles_agree_with_f():
    curve = bf.invariant_curve(bf.maps.delayed_logistic(2.1), [0.6, 0.6])
    theta = np.random.default_rng(0).uniform(0.0, 1.0, 20)
    images = np.array([curve.map(x) for x in curve.states(theta)])
    assert np.abs(images - curve.states(theta + curve.rotation_number)).max() < 10 * curve.error


def test_errors_hold_against_more_modes():
    rough = bf.invariant_curve(bf.maps.delayed_logistic(2.12), [0.6, 0.6])
    long = bf.orbit(bf.maps.delayed_logistic(2.12), [0.6, 0.6], 8000, transient=2000).states
    theta = np.arange(2048) / 2048
    low, high = rough.extremes
    assert abs(long[:, 0].max() - high[0]) < 1e-5 and abs(long[:, 0].min() - low[0]) < 1e-5
    nearest = np.array([np.abs(rough.states(theta) - x).max(axis=1).min() for x in long[:20]])
    assert nearest.max() < 3e-3
    assert abs(bf.rotation_number(bf.maps.delayed_logistic(2.12), [0.6, 0.6]).value - rough.rotation_number) < 1e-12


def test_derivatives_of_the_equations_agree_with_differences():
    curve = bf.invariant_curve(hidden(), [0.2, 0.1])
    rng = np.random.default_rng(1)
    for free, rho in ((("mu",), None), (("mu", "k"), 0.31)):
        fixed = {name: value for name, value in curve.parameters.items() if name not in free}
        equations = InvariantCurveEquations(curve.equations.iterate, fixed, free, curve.values, rho)
        last = [curve.parameters[name] for name in free] + ([] if rho else [curve.rotation_number])
        u = np.append(curve.values.ravel(), last)
        u += 0.01 * rng.standard_normal(len(u))
        v, h = rng.standard_normal(len(u)), 1e-5
        linear = equations.linearise(equations.evaluate(u))
        full = np.block([[linear.M, linear.B], [linear.C, linear.D]])
        f = [equations.evaluate(u + part * h * v).residual for part in (1, -1, 2, -2)]
        slope = (8 * (f[0] - f[1]) - (f[2] - f[3])) / (12 * h)
        assert np.abs(full @ v - slope).max() < 1e-8


def test_two_algorithms_give_the_same_normal_multipliers():
    curve = bf.invariant_curve(bf.maps.delayed_logistic(2.05), [0.6, 0.6])
    linear = curve.equations.linearise(curve.equations.evaluate(np.append(curve.values.ravel(), curve.rotation_number)))
    by_classes = InvariantCurveJacobian(linear.jacobian.blocks, curve.rotation_number)._classes()
    assert abs(by_classes[0] - curve.multipliers[0]) < 1e-10
    exponents = bf.lyapunov(bf.maps.delayed_logistic(2.05), [0.6, 0.6], steps=4000, count=2)
    assert abs(np.log(curve.multipliers[0].real) - exponents.values.sum()) < 5e-4


@pytest.mark.parametrize("a", [0.85, 1.045])  # smooth vector fields there are, and are not
def test_normal_multipliers_in_three_dimensions_agree_with_exponents(a):
    map = bf.Map(reference_map("curve_gh3").f, {"a": a, "b": 0.3})
    curve = bf.invariant_curve(map, [0.6, 0.6, 0.6])
    assert abs(np.prod(np.abs(curve.multipliers)) - 0.3) < 1e-8  # |det f'| = b
    exponents = bf.lyapunov(map, [0.6, 0.6, 0.6], steps=3000, count=3)
    assert np.abs(np.log(np.abs(curve.multipliers)) - exponents.values[1:]).max() < 5e-3


def test_the_branch_from_a_neimark_sacker_point(delayed):
    assert delayed.stop.first.reason == "origin" and delayed.stop.last.reason == "bound"
    assert delayed["rotation number"][0] == pytest.approx(1 / 6, abs=1e-3)
    assert delayed.stable.all() and np.all(np.diff(delayed["rotation number"]) < 0)
    for i in (5, len(delayed) // 2, -1):
        point = delayed[i]
        direct = bf.invariant_curve(bf.maps.delayed_logistic(point.parameters["r"]), [0.6, 0.6])
        again = bf.invariant_curve(point)
        assert abs(again.rotation_number - direct.rotation_number) < 1e-12
        assert np.abs(np.array(again.extremes) - direct.extremes).max() < 1e-11
        assert abs(point.free[-1] - direct.rotation_number) < 1e-9


def test_a_weak_resonance_is_stepped_over_and_named(delayed):
    crossed = [doubt for doubt in delayed.doubts if "passes 2/13" in doubt]
    assert len(crossed) == 1 and "cycles of period 13" in crossed[0]
    assert delayed["rotation number"].min() < 2 / 13 < delayed["rotation number"].max()


@pytest.mark.slow
def test_a_branch_ends_in_words_where_it_is_about_to_lock():
    curve = bf.invariant_curve(bf.maps.delayed_logistic(2.155), [0.6, 0.6])
    branch = bf.trace(bf.invariant_curves(curve, "r"), {"r": (2.1549, 2.3)})
    assert branch.stop.last.reason == "unresolved" and "near 1/7" in branch.stop.last.detail
    assert branch["r"].max() < GLOBAL["lock_delayed_7"]["value"][0]


def test_unstable_curves_of_a_subcritical_point_through_their_fold(subcritical):
    s = np.array([float(square_radius(point.unknowns).mean()) for point in subcritical])
    assert np.abs(subcritical["mu"] + s - s**2).max() < 1e-10
    assert np.abs(subcritical["rotation number"] - (1.3 + 0.5 * s) / TURN).max() < 1e-10
    multipliers = np.array([point.multipliers[0].real for point in subcritical])
    assert np.abs(multipliers - (1 + 2 * s - 4 * s**2)).max() < 1e-9
    assert s.min() < 0.01 and s.max() > 0.9
    assert [doubt.split(" between")[0] for doubt in subcritical.doubts] == ["fold of closed invariant curves"]
    assert not subcritical.stable[0] and subcritical.stable[-1]


def test_a_fixed_rotation_number_in_two_parameters(subcritical):
    curve = bf.invariant_curve(next(point for point in reversed(subcritical.points) if point.parameters["mu"] < -0.15))
    branch = bf.trace(bf.invariant_curves(curve, ("mu", "w")), {"mu": (-0.24, -0.1), "w": (0.8, 1.6)})
    s = np.array([float(square_radius(point.unknowns).mean()) for point in branch])
    assert np.abs(branch["mu"] + s - s**2).max() < 1e-10
    assert np.abs((branch["w"] + 0.5 * s) / TURN - curve.rotation_number).max() < 1e-10
    assert {stop.reason for stop in branch.stop} == {"bound"}
    ax = bf.plot.chart([branch], "mu", "w")
    assert "closed invariant curves" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_curve_of_a_two_cycle():
    # fixed points and cycles of −f have those of f with the opposite sign in turn, where f is odd
    def f(z, mu, w):
        g, c, d = 1 + mu - z[0] ** 2 - z[1] ** 2, np.cos(w), np.sin(w)
        return np.array([g * (c * z[0] - d * z[1]), g * (d * z[0] + c * z[1])])

    def exchanging(z, mu, w):
        side = np.where(z[2] > 0, 1.0, -1.0)
        u = f(z[:2] - side * np.array([2.0 + 0 * z[0], 1.0 + 0 * z[0]]), mu, w)
        return np.array([u[0] - side * 2.0, u[1] - side * 1.0, -(z[2] + 0.5 * side) / 1.5])

    map = bf.Map(exchanging, {"mu": -0.1, "w": 0.8})
    point = neimark_sacker(map, "mu", [2.0, 1.0, 1.0], (-0.2, 0.2), period=2)
    assert point.period == 2
    branch = bf.trace(bf.switch(point), {"mu": (-0.2, 0.1)})
    curve = bf.invariant_curve(branch[-1])
    assert curve.period == 2 and abs(curve.rotation_number - 2 * 0.8 / TURN) < 1e-12
    apart = curve.states(np.linspace(0, 1, 9))[:, :2] - [2.0, 1.0]
    assert np.abs(np.hypot(*apart.T) - np.sqrt(0.1)).max() < 1e-12
    assert np.abs(np.sort(np.abs(curve.multipliers)) - [1 / 1.5**2, 0.8**2]).max() < 1e-10


def tori(x, mu, w, kind):
    """A circle of radius √μ, beside which a third direction shrinks by −(0.9 + μ), or a pair by (0.95 + μ)e^{0.7i}."""
    u, v = x[0], x[1]
    g, c, d = 1 + mu - u * u - v * v, np.cos(w), np.sin(w)
    if len(x) == 3:
        return np.array([g * (c * u - d * v), g * (d * u + c * v), -(0.9 + mu) * x[2] + 0.2 * u * v * x[2] + x[2] ** 3])
    h, c7, d7 = 0.95 + mu + 0.1 * u, np.cos(0.7), np.sin(0.7)
    a, b = h * (c7 * x[2] - d7 * x[3]) - x[2] ** 3, h * (d7 * x[2] + c7 * x[3])
    return np.array([g * (c * u - d * v), g * (d * u + c * v), a, b])


@pytest.mark.parametrize(("size", "words"), [(3, "quasi-periodic flip"), (4, "quasi-periodic Neimark–Sacker")])
def test_bifurcations_of_curves_are_told(size, words):
    map = bf.Map(tori, {"mu": 0.02, "w": 1.3, "kind": 0.0})
    curve = bf.invariant_curve(map, [0.1, 0.1] + [0.0] * (size - 2))
    assert abs(min(curve.multipliers, key=lambda each: abs(each - 0.96)) - 0.96) < 1e-9
    branch = bf.trace(bf.invariant_curves(curve, "mu"), {"mu": (0.01, 0.12)})
    found = [doubt for doubt in branch.doubts if words in doubt]
    assert len(found) == 1 and len(branch.doubts) == 1
    critical = 0.1 if size == 3 else 0.05  # of the mean of the logarithm, up to the cube of the small terms
    ends = [float(part.split()[0].rstrip(":")) for part in found[0].split("mu = ")[1:]]
    assert min(ends) - 1e-3 < critical < max(ends) + 1e-3


def test_circle_maps_and_the_standard_map():
    circle = bf.Map(lambda x, w, K: x + w - K / TURN * np.sin(TURN * x), {"w": 0.2, "K": 0.5}, periodic=1.0)
    curve = bf.invariant_curve(circle, [0.1])
    assert abs(curve.rotation_number - GLOBAL["rotation_circrho_0.2_0.5"]["value"]) < 1e-12
    assert len(curve.multipliers) == 0 and abs(float(curve.states(1.3)[0] - curve.states(0.3)[0]) - 1.0) < 1e-12

    def standard(z, K):
        p = z[1] + K / TURN * np.sin(TURN * z[0])
        return np.array([z[0] + p, p])

    def slopes(z, K):
        k = K * np.cos(TURN * z[0])
        return np.array([[1 + k, 1 + 0 * k], [k, 1 + 0 * k]])

    map = bf.Map(standard, {"K": 0.5}, jacobian=slopes, periodic=(1.0, None))
    with pytest.raises(bf.errors.NotIsolated, match="rotation_number="):
        bf.invariant_curve(map, [0.1, 0.3819])
    golden = bf.invariant_curve(map, [0.0, 0.618], rotation_number=GOLDEN)
    assert golden.error < 1e-11 and abs(abs(golden.multipliers[0]) - 1.0) < 1e-12
    on_it = bf.rotation_number(map, golden.states(0.2))
    assert abs(on_it.value - GOLDEN) <= on_it.error + 1e-11


@pytest.mark.slow
def test_curves_of_golden_rotation_up_to_their_break_up():
    def sine(x, w, K):
        return x + w - K / TURN * np.sin(TURN * x)

    circle = bf.Map(sine, {"w": GOLDEN, "K": 0.0}, jacobian=lambda x, w, K: 1 - K * np.cos(TURN * x), periodic=1.0)
    start = bf.invariant_curve(circle, [0.1])
    assert np.abs(start.values - start.values.mean()).max() < 1e-12  # K = 0: x = θ
    family = bf.trace(bf.invariant_curves(start, ("K", "w")), {"K": (0.0, 1.2), "w": (0.5, 0.7)})
    assert family.stop.last.reason == "unresolved" and 0.9 < family["K"][-1] < 1.0  # it breaks up at K = 1
    assert family["w"][-1] - GLOBAL["golden_circle_K1"]["value"] == pytest.approx(0.0, abs=2e-3)
    strips = [bf.invariant_curve(family[i]).strip for i in (-16, -8, -1)]
    assert strips[0] > 2 * strips[-1] and strips == sorted(strips, reverse=True)
    point = family[-8]
    found = bf.rotation_number(circle, [0.1], parameters={"w": point.parameters["w"], "K": point.parameters["K"]})
    assert abs(found.value - GOLDEN) < 1e-9


def test_what_cannot_be_done_is_said():
    with pytest.raises(bf.errors.InvalidInput, match="chaotic"):
        bf.invariant_curve(bf.maps.henon(), [0.1, 0.1], steps=4096)
    with pytest.raises(bf.errors.InvalidInput, match="fixed point"):
        bf.invariant_curve(bf.maps.delayed_logistic(1.9), [0.5, 0.4])
    low, high = GLOBAL["lock_delayed_7"]["value"][:2]
    with pytest.raises(bf.errors.InvalidInput, match="cycle of period 7 with rotation number 1/7"):
        bf.invariant_curve(bf.maps.delayed_logistic(0.5 * (low + high)), [0.6, 0.6])
    with pytest.raises(bf.errors.InvalidInput, match="declare its period"):
        bf.invariant_curve(bf.maps.logistic(3.9), [0.5])
    with pytest.raises(bf.errors.InvalidInput, match="start is missing"):
        bf.invariant_curve(bf.maps.henon())
    flip = bf.special_point(bf.maps.logistic(r=2.9), "flip", free="r", guess=[0.66])
    with pytest.raises(bf.errors.InvalidInput, match="born at Neimark–Sacker points"):
        bf.invariant_curve(flip)
    strong = dataclasses.replace(hidden(), parameters={**hidden().parameters, "mu": -0.1, "omega": TURN / 4, "k": 0.0})
    with pytest.raises(bf.errors.InvalidInput, match="1:4 resonance"):
        bf.switch(neimark_sacker(strong, "mu", [0.0, 0.0], (-0.2, 0.2)))


def test_events_give_curves_at_values_of_the_parameter(delayed):
    again = bf.trace(delayed.curve, {"r": (1.5, 2.08)}, events={"r": (2.05,)})
    curve = bf.invariant_curve(again.special[0])
    direct = bf.invariant_curve(bf.maps.delayed_logistic(2.05), [0.6, 0.6])
    assert curve.parameters["r"] == 2.05 and abs(curve.rotation_number - direct.rotation_number) < 1e-13


def test_an_interrupted_branch_goes_on_to_the_same_bits(delayed, tmp_path):
    def interrupt(progress):
        if progress.points == 9:
            raise KeyboardInterrupt

    call = delayed.curve, {"r": (1.5, 2.13)}
    part = bf.trace(*call, journal=tmp_path / "notes", progress=interrupt)
    assert len(part) < len(delayed)
    whole = bf.trace(*call, journal=tmp_path / "notes")
    assert all(np.array_equal(a.kept, b.kept) for a, b in zip(whole, delayed, strict=True))


def test_results_last(delayed, tmp_path):
    curve = bf.invariant_curve(delayed[3])
    map = curve.map
    for made in (curve, delayed):
        bf.save(made, tmp_path / "one.npz")
        loaded = bf.load(tmp_path / "one.npz", map=map)
        assert str(loaded) == str(made)
    assert str(bf.invariant_curve(loaded[3])) == str(curve)
    again = pickle.loads(pickle.dumps(bf.invariant_curve(bf.maps.delayed_logistic(2.05), [0.6, 0.6])))
    assert str(again) == str(bf.invariant_curve(bf.maps.delayed_logistic(2.05), [0.6, 0.6]))
    assert np.array_equal(again.values, bf.invariant_curve(bf.maps.delayed_logistic(2.05), [0.6, 0.6]).values)
    longer = bf.extend(delayed, {"r": (1.5, 2.14)})
    assert longer["r"][-1] == 2.14 and "closed invariant curves" in repr(longer)


def test_pictures(delayed):
    shown = bf.plot.observe(delayed)
    last = bf.invariant_curve(delayed[-1])
    assert shown.shape == (len(delayed), 2)
    assert np.abs(shown[-1] - [each[0] for each in last.extremes]).max() < 1e-5
    ax = bf.plot.diagram(delayed, "r")
    lines = [line for line in ax.lines if len(line.get_xdata()) > 5]
    assert len(lines) == 2 and ax.get_xlim()[0] < 2.01
    assert delayed.to_dataframe()["rotation number"].iloc[-1] == delayed["rotation number"][-1]
    portrait = bf.plot.phase_portrait(invariant_curves=last)
    x, _ = portrait.lines[0].get_data()
    assert abs(max(x) - last.extremes[1][0]) < 1e-3 and x[0] == pytest.approx(x[-1])
    assert [text.get_text() for text in portrait.get_legend().get_texts()] == ["invariant curve"]


def test_trigonometric_interpolation_of_a_polynomial():
    f = lambda t: 1.0 + np.cos(TURN * t) - 0.3 * np.sin(3 * TURN * t)  # noqa: E731
    values = f(np.arange(9) / 9)[:, None]
    assert np.abs(shifted_values(values, 0.137)[:, 0] - f(np.arange(9) / 9 + 0.137)).max() < 1e-14
    assert np.abs(resampled(values, 21)[:, 0] - f(np.arange(21) / 21)).max() < 1e-14
    assert np.abs(at_angles(values, np.array([0.2, 0.7]))[:, 0] - f(np.array([0.2, 0.7]))).max() < 1e-14


def test_functions_that_take_one_state_at_a_time():
    def f(z, r):
        return np.array([r * float(z[0]) * (1.0 - float(z[1])), float(z[0])])

    slow = bf.invariant_curve(bf.Map(f, {"r": 2.02}), [0.55, 0.5])
    fast = bf.invariant_curve(bf.maps.delayed_logistic(2.02), [0.55, 0.5])
    assert abs(slow.rotation_number - fast.rotation_number) < 1e-12
    assert isinstance(slow.equations.iterate, InvariantCurveMap)
