"""Points of codimension two: against other tools' numbers, and against normal forms in hidden coordinates."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.bifurcations.codimension_two.taylor import Polynomials, taylor_coefficients_along

BOUNDS = {"beta": (-2.0, 3.0), "alpha": (-5.0, 8.0)}


def fixed_points(map, free, guess, bounds):
    return bf.trace(bf.cycles(map, free, guess), {free: bounds})


def generalised(R):
    by_beta = fixed_points(bf.maps.generalised_henon(2.0, 0.5, R), "beta", [0.9, 0.9], (-0.9, 1.2))
    by_alpha = fixed_points(bf.maps.generalised_henon(0.9, 0.5, R), "alpha", [0.5, 0.5], (-5.0, 3.0))
    return {
        "neimark-sacker": bf.trace(bf.locus(by_beta.first("NS"), "alpha"), BOUNDS),
        "flip": bf.trace(bf.locus(by_beta.first("PD"), "alpha"), BOUNDS),
        "fold": bf.trace(bf.locus(by_alpha.first("LP"), "beta"), BOUNDS),
    }


def assert_close(found, expected, error=1e-6):
    assert np.abs(np.subtract(found, expected)).max() < error


def test_generalised_henon_dissipative(reference):
    curves = generalised(-0.5)
    labels = {kind: sorted(point.label for point in curve.special) for kind, curve in curves.items()}
    assert labels == {"neimark-sacker": ["R1", "R2", "R3", "R4"], "flip": ["LPPD", "R2"], "fold": ["LPPD", "R1"]}
    table = {point["kind"]: point for point in reference["generalised henon, R=-0.5"]}
    for curve in curves.values():
        assert not curve.doubts
        for point in curve.special:
            x = {"R4": 0.0, "R3": 0.4, "R2": 0.8, "R1": -0.8, "fold-flip": 0.0}[point.kind]
            place = (1.0 - 0.5 * x, 2.0 * x + x**2) if point.kind != "fold-flip" else (-1.0, 0.0)
            found = point.parameters["beta"], point.parameters["alpha"]
            assert np.abs(np.subtract(found, place)).max() < min(1e-8, max(10.0 * point.error, 1e-12))
            c, known = point.coefficients, table[point.kind]
            if point.kind == "R4":
                assert_close([c["A.real"], c["A.imag"]], known["A"])
            elif point.kind == "R3":
                assert_close(c["a"], known["coefficient"])
            elif point.kind == "R2":
                assert_close([c["c"], c["d"]], known["c_d"])
            elif point.kind == "R1":
                assert c["s"] == known["s"]
            else:
                assert_close([c["a/e"], c["be"]], known["a_over_e_and_be"])
            assert point.form == "generic"


def test_generalised_henon_conservative(reference):
    curves = generalised(0.0)
    found = {point.kind: point for curve in curves.values() for point in curve.special}
    for known in reference["generalised henon, R=0"]:
        if known["kind"] in found:
            assert_close(
                [found[known["kind"]].parameters[name] for name in ("alpha", "beta")],
                [known["alpha"], known["beta"]],
                1e-8,
            )
    assert set(found) == {"R1", "R2", "R3", "R4", "fold-flip"}
    # d is rounding noise all along: said once, and no point is made of it.
    turning = curves["neimark-sacker"]
    assert sorted(point.label for point in turning.special) == ["R1", "R2", "R3", "R4"]
    assert len(turning.doubts) == 1 and "degenerate" in turning.doubts[0] and "chenciner" in turning.doubts[0]
    assert all(point.form == "degenerate" for point in turning.special)


def test_delayed_logistic(reference):
    branch = fixed_points(bf.maps.delayed_logistic(1.9, 0.01), "r", [0.48, 0.48], (1.5, 2.5))
    curve = bf.trace(bf.locus(branch.first("NS"), "eps"), {"r": (0.5, 4.0), "eps": (-0.5, 2.0)})
    for known in reference["delayed logistic"]:
        if known["kind"] in ("R1", "R4"):
            point = curve.first(known["kind"])
            assert_close([point.parameters["eps"], point.parameters["r"]], [known["eps"], known["r"]], 1e-7)
            c = point.coefficients
            if known["kind"] == "R4":
                assert_close([c["A.real"], c["A.imag"]], known["A"])
            else:
                assert c["s"] == known["s"]


# Normal forms with unfoldings p, q, hidden: x = L Φ(w) with L linear and Φ made of shears, whose inverses are exact.


def shears(w):
    w = w.copy()
    for i in range(len(w)):
        w[i] = w[i] + 0.2 * sum((0.5 + 0.3 * j) * w[j] ** 2 for j in range(len(w)) if j != i)
    return w


def unshears(w):
    w = w.copy()
    for i in reversed(range(len(w))):
        w[i] = w[i] - 0.2 * sum((0.5 + 0.3 * j) * w[j] ** 2 for j in range(len(w)) if j != i)
    return w


def hidden(normal, n, p=0.0, q=0.0):
    """The map with that normal form, one more stable direction, and the lengths that it gives the unit vectors."""
    L = np.eye(n + 1) + 0.3 * np.random.default_rng(n).standard_normal((n + 1, n + 1))

    def f(x, p, q):
        w = unshears(np.linalg.solve(L, x))
        return L @ shears(np.append(normal(w[:-1], p, q), 0.3 * w[-1] + 0.2 * w[0] ** 2))

    return bf.Map(f, {"p": p, "q": q}), L


def only(map, first, guess, kinds, p=(-0.3, 0.3), q=(-0.3, 0.3)):
    """The one point of a kind on the curve, in both parameters, of the special points first met on a branch in p."""
    bounds = {"p": p, "q": q}
    long = bf.StepControl(first=0.02, largest=0.06)
    branch = bf.trace(bf.cycles(map, "p", guess), {"p": p}, control=long)
    curve = bf.trace(bf.locus(branch.first(first), "q"), bounds, control=long)
    assert sorted(point.label for point in curve.special) == sorted(kinds)
    return curve


def complex_normal(g):
    def normal(w, p, q):
        z = g(complex(w[0], w[1]), p, q)
        return np.array([z.real, z.imag])

    return normal


def test_cusp():
    map, L = hidden(lambda w, p, q: w + p + (q - 0.1) * w + 0.7 * w**3, 1, p=-0.2, q=-0.2)
    start = bf.solve(map, L @ shears(np.array([0.87, 0.2]))).state
    curve = only(map, "fold", start, ["CP"])
    cusp = curve.special[0]
    assert_close([cusp.parameters["p"], cusp.parameters["q"]], [0.0, 0.1], 1e-7)
    assert_close(cusp.coefficients["c"], 0.7 / (L[:, 0] @ L[:, 0]), 1e-5)
    # 0 = p + (q − 0.1) w + 0.7 w³ and its derivative: 27·0.7 p² = −4 (q − 0.1)³.
    assert np.abs(27 * 0.7 * curve["p"] ** 2 + 4 * (curve["q"] - 0.1) ** 3).max() < 1e-9


def test_generalised_flip_and_the_folds_that_start_there():
    map, L = hidden(lambda w, p, q: -(1.0 + p) * w + (q - 0.1) * w**3 - 1.3 * w**5, 1, p=-0.2, q=-0.2)
    curve = only(map, "flip", np.zeros(2), ["GPD"])
    point = curve.special[0]
    assert_close([point.parameters["p"], point.parameters["q"]], [0.0, 0.1], 1e-6)
    assert_close(point.coefficients["c"], -1.3 / (L[:, 0] @ L[:, 0]) ** 2, 1e-4)
    (folds,) = bf.switches(point)
    assert folds.kind == "fold" and folds.period == 2
    found = bf.trace(folds, {"p": (-0.3, 0.3), "q": (-0.3, 0.9)})
    # w ↦ −w: p = (q − 0.1) w² − 1.3 w⁴, folded where q − 0.1 = 2.6 w².
    assert np.abs(found["p"] - (found["q"] - 0.1) ** 2 / 5.2).max() < 1e-9 and found["p"].max() > 0.05


def test_chenciner():
    turn = np.exp(1.1j)

    def g(z, p, q):
        r = abs(z) ** 2
        return turn * z * (1.0 + p + (q - 0.1 + 0.4j) * r + (-0.8 + 0.3j) * r**2)

    map, L = hidden(complex_normal(g), 2, p=-0.2, q=-0.2)
    point = only(map, "neimark-sacker", np.zeros(3), ["CH"]).special[0]
    assert_close([point.parameters["p"], point.parameters["q"]], [0.0, 0.1], 1e-6)
    # z q + z̄ q̄ with |q| = 1, where x = L w and w = (Re z, Im z): q = L (1, −i)/2 over its length.
    length = np.linalg.norm(L[:, :2] @ [0.5, -0.5j])
    assert_close(point.coefficients["L2"], (-0.8 + 0.5 * 0.4**2) / length**4, 1e-3)


def test_fold_with_another_pair():
    turn = np.exp(1.1j)

    def normal(w, p, q):
        z = complex(w[1], w[2])
        r = abs(z) ** 2
        new = turn * z * (1.0 + q - 0.1 + 0.6 * w[0] + 0.1 * r)
        return np.array([w[0] + p + 0.5 * w[0] ** 2 - 0.4 * r, new.real, new.imag])

    map, _ = hidden(normal, 3, p=-0.1, q=-0.2)
    start = bf.solve(map, [-0.3, 0.0, 0.0, 0.0]).state
    point = only(map, "fold", start, ["LPNS"]).special[0]
    assert_close([point.parameters["p"], point.parameters["q"]], [0.0, 0.1], 1e-8)
    assert point.coefficients["s"] == -1.0
    assert_close(point.coefficients["theta"], 0.6 / 0.5, 1e-5)
    assert abs(point.angle) < 1e-9  # the fold's own; the pair's is in its spectrum
    assert {curve.kind for curve in bf.switches(point)} == {"neimark-sacker"}


@pytest.mark.slow
def test_flip_with_a_pair_and_the_torus_of_the_doubled_cycle():
    turn = np.exp(1.1j)

    def normal(w, p, q):
        z = complex(w[1], w[2])
        r, s = abs(z) ** 2, w[0] ** 2
        new = turn * z * (1.0 + q - 0.1 + 0.6 * s - 0.3 * r)
        return np.array([-w[0] * (1.0 + p - 0.5 * s + 0.2 * r), new.real, new.imag])

    map, L = hidden(normal, 3, p=-0.2, q=-0.2)
    point = only(map, "flip", np.zeros(4), ["PDNS"]).special[0]
    assert_close([point.parameters["p"], point.parameters["q"]], [0.0, 0.1], 1e-8)
    flip, pair = np.linalg.norm(L[:, 0]), np.linalg.norm(L[:, 1:3] @ [0.5, -0.5j])
    c = point.coefficients
    assert_close(
        [c["p11"], c["p12"], c["p21"], c["p22"]], [-0.5 / flip**2, 0.2 / pair**2, 0.6 / flip**2, -0.3 / pair**2], 1e-5
    )
    turned, doubled = bf.switches(point)
    assert (turned.kind, turned.period, doubled.kind, doubled.period) == ("neimark-sacker", 1, "neimark-sacker", 2)
    found = bf.trace(doubled, {"p": (-0.3, 0.3), "q": (-0.3, 0.3)}, control=bf.StepControl(first=0.02, largest=0.06))
    # w² = p/0.5, and the pair of the doubled cycle is neutral where q − 0.1 + 0.6 w² = 0.
    assert np.abs(found["q"] - 0.1 + 1.2 * found["p"]).max() < 1e-8 and found["p"].max() > 0.1


@pytest.mark.slow
def test_two_pairs():
    one, two = np.exp(1.1j), np.exp(2.0j)

    def normal(w, p, q):
        z, y = complex(w[0], w[1]), complex(w[2], w[3])
        r, s = abs(z) ** 2, abs(y) ** 2
        new = one * z * (1.0 + p - 0.5 * r + 0.2 * s), two * y * (1.0 + q - 0.1 + 0.6 * r - 0.3 * s)
        return np.array([new[0].real, new[0].imag, new[1].real, new[1].imag])

    map, L = hidden(normal, 4, p=-0.2, q=-0.2)
    point = only(map, "neimark-sacker", np.zeros(5), ["NSNS"]).special[0]
    assert_close([point.parameters["p"], point.parameters["q"]], [0.0, 0.1], 1e-8)
    a, b = (np.linalg.norm(L[:, i : i + 2] @ [0.5, -0.5j]) for i in (0, 2))
    c = point.coefficients
    assert_close([c["p11"], c["p12"], c["p21"], c["p22"]], [-0.5 / a**2, 0.2 / b**2, 0.6 / a**2, -0.3 / b**2], 1e-5)


def test_parts_that_do_not_touch_meet_in_points_of_two_eigenvectors():
    map = bf.Map(lambda z, r, q: np.array([r, q]) * z * (1.0 - z), {"r": 2.5, "q": 2.6})
    flip = fixed_points(map, "r", [0.6, 0.6], (2.2, 3.4)).first("flip")
    curve = bf.trace(bf.locus(flip, "q"), {"r": (2.0, 4.0), "q": (1.5, 3.4)})
    (both,) = curve.special
    assert both.label == "PDPD" and both.coefficients == {} and not curve.doubts
    assert_close([both.parameters["r"], both.parameters["q"]], [3.0, 3.0], 1e-9)


@pytest.mark.slow
def test_two_resonances_in_one_step_and_a_second_sampling():
    # R3 and R4 of the map z ↦ e^{i(2 + q)} z (1 + p − |z|²) + 0.2 z̄² + 0.1 z̄³, at q = 2π/3 − 2 and −2 + π/2.
    def g(z, p, q):
        return (
            np.exp(1j * (2.0 + q)) * z * (1.0 + p - abs(z) ** 2) + 0.2 * z.conjugate() ** 2 + 0.1 * z.conjugate() ** 3
        )

    map, _ = hidden(complex_normal(g), 2, p=-0.2, q=-0.2)
    curve = only(map, "neimark-sacker", np.zeros(3), ["R3", "R4"], q=(-0.6, 0.3))
    three, four = curve.first("R3"), curve.first("R4")
    assert_close([three.parameters["q"], four.parameters["q"]], [2 * np.pi / 3 - 2, np.pi / 2 - 2], 1e-9)
    # R3: a = (Re e^{−iθ}c/|b|² − 1)/3 with b = 0.2 and, at this point, e^{−iθ} c = −1 (no quadratic terms but z̄²,
    # whose square is resonant): lengths cancel.
    assert_close(three.coefficients["a"], (-1.0 / 0.2**2 - 1.0) / 3.0, 1e-4)


@pytest.mark.parametrize("R", [-0.5, 0.3])
def test_longer_cycles_born_at_resonances(R):
    branch = fixed_points(bf.maps.generalised_henon(2.0, 0.9, R), "beta", [0.75, 0.75], (-0.9, 2.5))
    turning = bf.trace(bf.locus(branch.first("NS"), "alpha"), BOUNDS)
    seen = 0
    for label, period, kinds in (
        ("R2", 2, {"neimark-sacker"}),
        ("R3", 3, {"neimark-sacker"}),
        ("R4", 4, {"neimark-sacker", "fold"}),
    ):
        for point in turning.of(label):
            longer = [curve for curve in bf.switches(point) if curve.period > 1]
            assert {curve.kind for curve in longer} <= kinds and {curve.period for curve in longer} <= {period}
            for curve in longer:
                found = bf.trace(curve, BOUNDS, control=bf.StepControl(max_steps=12))
                seen += 1
                for node in found.points[:: len(found) // 4 or 1]:
                    check_born(R, found, node, period)
    assert seen >= 4


def check_born(R, branch, node, period):
    """The cycle and its multipliers by composing the map itself: a fold's +1, or a product 1 with the sum 2κ."""
    beta, alpha = node.free[:2]
    z, J = node.state, np.eye(2)
    for _ in range(period):
        J = np.array([[0.0, 1.0], [R * z[1] - beta, R * z[0] - 2.0 * z[1]]]) @ J
        z = np.array([z[1], alpha - beta * z[0] - z[1] ** 2 + R * z[0] * z[1]])
    assert np.abs(z - node.state).max() < 1e-9 and np.abs(node.state[0] - node.state[1]) > 1e-6
    if branch.curve.kind == "fold":
        assert abs(np.linalg.det(J - np.eye(2))) < 1e-8
    else:
        assert abs(np.linalg.det(J) - 1.0) < 1e-8 and abs(np.trace(J) - 2.0 * node.free[2]) < 1e-8


def test_jets_of_a_pole_and_of_a_polynomial(rng):
    path = np.array([[0.2], [1.0], [0.5], [-0.3], [0.1], [0.0]])
    t = np.polynomial.Polynomial(path[:, 0])
    exact = (t**3).coef[:6]
    assert_close(taylor_coefficients_along(lambda x: x**3, path, 4.0).ravel(), exact, 1e-10)
    # 1/(1 + x) by the recursion of its series.
    inverse = np.zeros(6)
    inverse[0] = 1.0 / 1.2
    for k in range(1, 6):
        inverse[k] = -(path[1 : k + 1, 0] @ inverse[k - 1 :: -1][:k]) / 1.2
    # Rounding of the samples over ρ = 1/8 amounts to 2.7e-8 in the fifth coefficient at the most.
    assert_close(taylor_coefficients_along(lambda x: 1.0 / (1.0 + x), path, 8.0).ravel(), inverse, 3e-8)


def test_polynomials_in_several_variables(rng):
    parts = {1: rng.standard_normal((2, 3)), 2: rng.standard_normal((2, 6)), 3: rng.standard_normal((2, 10))}
    G = Polynomials(3, parts)
    again = Polynomials.fitted(3, 3, G.along)
    for degree, part in parts.items():
        assert_close(again.parts[degree], part, 1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("state, parameter", [(1e-4, 1e3), (1e5, 1e-3)])
def test_units_change_nothing(state, parameter):
    def f(z, beta, alpha):
        z = z / state
        return state * np.array([z[1], (alpha - beta * z[0]) / parameter - z[1] ** 2 - 0.5 * z[0] * z[1]])

    map = bf.Map(f, {"beta": 0.5 * parameter, "alpha": 2.0 * parameter}, scale=state)
    branch = fixed_points(map, "beta", np.full(2, 0.9 * state), (-0.9 * parameter, 1.2 * parameter))
    bounds = {name: (low * parameter, high * parameter) for name, (low, high) in BOUNDS.items()}
    curve = bf.trace(bf.locus(branch.first("NS"), "alpha"), bounds)
    assert [stop.reason for stop in curve.stop] == ["bound", "bound"] and not curve.doubts
    found = {p.label: (p.parameters["beta"] / parameter, p.parameters["alpha"] / parameter) for p in curve.special}
    for label, place in {"R2": (0.6, 2.24), "R3": (0.8, 0.96), "R4": (1.0, 0.0), "R1": (1.4, -0.96)}.items():
        assert_close(found[label], place, 1e-9)
    assert_close(curve.first("R3").coefficients["a"], -1.0 / 6.0, 1e-5)
    assert len(bf.switches(curve.first("R4"))) == 3


def cubic_shift(M1, M2, B):
    """A map of three unknowns whose fixed points z = x₁ = x₂ = x₃ obey M₁ = z − B z − M₂ z + z²."""
    return bf.Map(
        lambda x, M1, M2, B: np.array([x[1], x[2], M1 + B * x[0] + M2 * x[1] - x[2] ** 2]), {"M1": M1, "M2": M2, "B": B}
    )


@pytest.mark.parametrize("B", [-0.5, 0.2, 0.65])
def test_a_pole_of_a_coefficient_at_the_start_is_no_point(B):
    M1 = 0.1 - 0.1 * B + 0.05 + 0.01
    branch = fixed_points(cubic_shift(M1, -0.5, B), "M1", [0.1] * 3, (-3.0, 3.0))
    folds = bf.trace(bf.locus(branch.first("fold"), "M2"), {"M1": (-5.0, 8.0), "M2": (-5.0, 5.0)})
    # R1 at z = −(B + 2)/2, whose multiplier meets another one within the same step; fold-flip at z = B/2, M₂ = 1.
    assert [point.label for point in folds.special] == ["R1", "LPPD"] and not folds.doubts
    flips = bf.trace(bf.locus(folds.first("LPPD"), kind="flip"), {"M1": (-3.0, 4.0), "M2": (-1.0, 2.0)})
    assert {point.label for point in flips.special} <= {"LPPD", "R2"} and not flips.doubts
    for point in flips.of("R2"):
        assert_close(point.state, np.full(3, (2.0 - B) / 2.0), 1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("kind, a", [("R1", -1.0), ("R2", 3.0)])
def test_a_resonance_at_which_a_curve_starts_is_met_once(kind, a):
    # The start lies on the resonance or a little beside it: the side of the second multiplier is noise there.
    branch = fixed_points(bf.maps.henon(a=0.1), "a", [1.0, 0.3], (-0.5, 2.0))
    bounds = {"a": (-2.0, 4.0), "b": (-1.2, 0.9)}
    resonance = bf.trace(bf.locus(branch.first("fold" if kind == "R1" else "flip"), "b"), bounds).first(kind)
    turning = bf.trace(next(c for c in bf.switches(resonance) if c.kind == "neimark-sacker" and c.period == 1), bounds)
    curve = next(c for c in bf.switches(turning.first(kind)) if c.kind in ("fold", "flip") and c.period == 1)
    directions = np.random.default_rng(0).standard_normal((12, 2))
    for size, direction in zip(np.logspace(-16, -5, 12), directions):
        start = curve.start.copy()
        start[2:] += size * direction
        found = bf.trace(curve.replace(start=start), bounds)
        (point,) = found.special
        assert point.kind == kind and not found.doubts
        assert max(abs(point.parameters["a"] - a), abs(point.parameters["b"] + 1.0)) <= point.error < 1e-8


def test_chenciner_from_a_resonance_and_from_afar_agree():
    B, M2 = 0.5, -0.51
    z = (M2 + 1.0 - B * B) / (2.0 * B)
    bounds = {"M1": (-3.0, 4.0), "M2": (-1.0, 2.0)}
    M1 = z - B * z - M2 * z + z * z
    branch = fixed_points(cubic_shift(M1 - 0.05, M2, B), "M1", [z] * 3, (-1.0, 1.0))
    far = bf.trace(bf.locus(branch.first("NS"), "M2"), bounds)
    near = bf.trace(bf.locus(far.first("R3"), kind="neimark-sacker"), bounds)
    assert len(near.of("CH")) == len(far.of("CH")) == 1
    for name in bounds:
        a, b = near.first("CH"), far.first("CH")
        assert abs(a.parameters[name] - b.parameters[name]) < a.error + b.error


def test_a_resonance_is_generic_where_its_sign_is_sure():
    map = bf.Map(lambda z, p, q: z + np.array([p, q]) - z**2 + 0.1 * np.array([z[1], -z[0]]), {"p": 0.5, "q": 0.3})
    branch = fixed_points(map, "p", bf.solve(map, [0.7, 0.5]).state, (-1.0, 1.0))
    (point,) = bf.trace(bf.locus(branch.first("fold"), "q"), {"p": (-1.0, 1.0), "q": (-1.0, 1.0)}).special
    assert point.label == "R1" and point.form == "generic" and point.coefficients["s"] == -1.0
    # With q = (1, −1)/√2, the first of two equal entries positive.
    assert_close([point.coefficients["a"], point.coefficients["b"]], [-0.1 * np.sqrt(2.0), 0.0], 1e-9)
