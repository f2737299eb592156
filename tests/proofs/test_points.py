"""Theorems about points against closed forms, and claims that must not be proved."""

import copy
import dataclasses
from fractions import Fraction

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput, NotProved
from bifurcate.proofs.balls import Enclosure
from bifurcate.proofs.check import check_theorem
from bifurcate.proofs.jets import NotEvaluable


def located(map, kind, free, guess, period=1):
    return bf.special_point(map, kind, free=free, guess=guess, period=period)


KNOWN = [
    # map, kind, free, guess, period, value, form, coefficient
    (bf.maps.logistic(2.9), "flip", "r", [0.66], 1, 3.0, "supercritical", ("b", 9.0)),
    (bf.maps.logistic(3.44), "flip", "r", [0.85], 2, 1 + 6**0.5, "supercritical", None),
    (bf.maps.logistic(3.83), "fold", "r", [0.515], 3, 1 + 8**0.5, "fold", None),
    (bf.maps.henon(a=0.36, b=0.5), "flip", "a", [1.3, 0.6], 1, 0.1875, "supercritical", None),
    (bf.maps.henon(a=-0.06, b=0.5), "fold", "a", [4.0, 2.0], 1, -0.0625, "fold", None),
    (bf.maps.ricker(1.9), "flip", "r", [1.0], 1, 2.0, "supercritical", ("b", 2.0 / 3.0)),
    (bf.maps.delayed_logistic(1.95), "neimark-sacker", "r", [0.49, 0.49], 1, 2.0, "supercritical", None),
]


@pytest.mark.parametrize("map, kind, free, guess, period, value, form, coefficient", KNOWN)
def test_closed_forms_lie_inside(map, kind, free, guess, period, value, form, coefficient):
    theorem = bf.prove(located(map, kind, free, guess, period))
    assert theorem.complete and theorem.kind == kind and theorem.period == period and theorem.form == form
    # The closed form itself is rounded: 2 units in the last place.
    assert theorem.parameter.overlaps(Enclosure(value, 4e-16 * abs(value)))
    assert theorem.parameter.radius < 5e-14 * max(1.0, abs(value))
    assert theorem.unique_within > 1e-4 and theorem.unique_parameter > 1e-4
    if coefficient is not None:
        name, number = coefficient
        assert theorem.coefficients[name].overlaps(Enclosure(number, 1e-15 * number))
    check_theorem(theorem, map)


def test_cosine_of_the_delayed_logistic_pair():
    theorem = bf.prove(located(bf.maps.delayed_logistic(1.95), "neimark-sacker", "r", [0.49, 0.49]))
    assert theorem.cosine.contains(0.5)
    assert theorem.outside == 0


def test_the_same_theorem_with_more_bits_is_narrower_and_inside():
    for map, kind, free, guess, period, *_ in KNOWN:
        point = located(map, kind, free, guess, period)
        rough, fine = bf.prove(point), bf.prove(point, bits=128)
        assert (rough.period, rough.outside, rough.form) == (
            fine.period,
            fine.outside,
            fine.form,
        )
        assert rough.parameter.overlaps(fine.parameter)
        assert fine.coefficients.keys() == rough.coefficients.keys()
        for name, coefficient in fine.coefficients.items():
            assert rough.coefficients[name].holds(coefficient)


def test_normal_forms_agree_with_those_of_continuation():
    for map, kind, free, guess, period, *_ in KNOWN:
        point = located(map, kind, free, guess, period)
        theorem = bf.prove(point)
        for name, value in point.coefficients.items():
            assert abs(theorem.coefficients[name].middle - value) <= 5.0 * point.errors[name] + 1e-9 * abs(value)


def test_a_cycle_with_its_multipliers():
    map = bf.maps.henon(a=0.5, b=0.3)
    solution = bf.solve(map, guess=[1.3, 0.0], period=2)
    theorem = bf.prove(solution, map)
    assert theorem.period == 2 and theorem.stable is True and theorem.outside == 0
    # x + y of the 2-cycle's first entries is (1 − b)/a, their product ((1 − b)² − a)/a² (May's formulas for Hénon).
    x, y = (theorem.states[i][0] for i in range(2))
    assert Enclosure(x.middle + y.middle, x.radius + y.radius + 1e-15).contains(1.4)
    product = 4.0 * (0.49 - 0.5)
    assert abs(x.middle * y.middle - product) < 1e-14
    # The determinant of the product of two Jacobians is b².
    assert abs(np.prod([disc.centre for disc in theorem.discs]) - 0.09) < 1e-14
    assert "asymptotically stable" in str(theorem)
    check_theorem(theorem, map)


def test_the_least_period_is_proved_not_the_one_asked_for():
    map = bf.maps.logistic(2.5)
    solution = dataclasses.replace(bf.solve(map, guess=[0.55]), period=2)
    theorem = bf.prove(solution, map)
    assert theorem.period == 1 and "fixed point" in str(theorem)


def test_long_unstable_cycles():
    # r = 4: x = sin²(π j/(2^k − 1)) has period k, and its multiplier is ±2^k.
    map, proved = bf.maps.logistic(4.0), 0
    for j in range(1, 12):
        k = 16
        states = np.sin(np.pi * j * 2.0 ** np.arange(k) / (2**k - 1)) ** 2
        solution = bf.solve(map, guess=states[:1], period=k)
        if abs(solution.state[0] - states[0]) > 1e-9:
            continue
        theorem = bf.prove(solution, map)
        assert theorem.outside == 1 and theorem.period == k
        assert theorem.discs[0].contains(2.0**k) or theorem.discs[0].contains(-(2.0**k))
        assert theorem.states[0][0].overlaps(Enclosure(states[0], 1e-15))
        proved += 1
    assert proved >= 8


def test_a_thousand_fixed_points_of_random_quadratic_maps():
    # x ↦ p + q x + s x² with rational coefficients has the fixed point (1 − q − √((1 − q)² − 4 p s))/(2 s).
    generator = np.random.default_rng(2)
    proved = 0
    for _ in range(1000):
        s, q = generator.uniform(0.2, 2.0), generator.uniform(-3.0, 3.0)
        root = generator.uniform(-2.0, 2.0)
        p = float(root - q * root - s * root**2)  # rounded: the exact root of these doubles is computed below
        map = bf.Map(lambda x, p, q, s: p + x * (q + s * x), {"p": p, "q": q, "s": s})
        if abs(1 - q - 2 * s * root) < 1e-2:
            continue
        theorem = bf.prove(bf.solve(map, guess=[root]), map)
        (x,) = theorem.states[0]
        # Exact check in rational numbers: g(x) = p + (q − 1) x + s x² changes sign within the enclosure.
        a, b, c = Fraction(s), Fraction(q) - 1, Fraction(p)
        low, high = (Fraction(v) for v in (x.lower, x.upper))
        assert (c + b * low + a * low**2) * (c + b * high + a * high**2) <= 0
        slope = q + 2 * s * root
        assert theorem.outside == (abs(slope) > 1) or abs(abs(slope) - 1) < 1e-9
        proved += 1
    assert proved > 950


def test_flips_of_six_hundred_random_henon_maps():
    # The flip is at a = 3(1 − b)²/4 exactly.
    generator = np.random.default_rng(3)
    for _ in range(600):
        b = float(generator.uniform(-0.9, 0.8))
        a = 0.75 * (1 - b) ** 2
        x = 2.0 / (3.0 * (1.0 - b))
        point = point_at(bf.maps.henon(a=a, b=b), "flip", "a", [x, b * x])
        theorem = bf.prove(point)
        exact = Fraction(3, 4) * (1 - Fraction(b)) ** 2
        assert Fraction(theorem.parameter.lower) <= exact <= Fraction(theorem.parameter.upper)
        assert theorem.outside == 0


def point_at(map, kind, free, state, period=1):
    """A special point as it is claimed, without a search."""
    curve = bf.cycles(map, free, state, period=period)
    from bifurcate.bifurcations.special_point import SpecialPoint

    return SpecialPoint(kind, curve, curve.start, period)


def moved(enclosure, by):
    """An enclosure that does not hold the number any more: moved by more than twice its radius."""
    beyond = float(np.copysign(2.5 * enclosure.radius, by))
    return dataclasses.replace(enclosure, middle=enclosure.middle + beyond + by)


OTHER_FORM = {"supercritical": "subcritical"}
FALSE = {
    "shifted parameter": lambda t, g: dataclasses.replace(t, parameter=moved(t.parameter, shift(g))),
    "shifted state": lambda t, g: dataclasses.replace(
        t, states=((moved(t.states[0][0], shift(g)), *t.states[0][1:]), *t.states[1:])
    ),
    "shifted centre": lambda t, g: dataclasses.replace(
        t, certificate=dataclasses.replace(t.certificate, centre=t.certificate.centre + far(g, t))
    ),
    "wrong count": lambda t, g: dataclasses.replace(t, outside=t.outside + int(g.choice([1, 2]))),
    "wrong form": lambda t, g: dataclasses.replace(t, form=OTHER_FORM.get(t.form, "supercritical")),
    "shifted coefficient": lambda t, g: dataclasses.replace(
        t, coefficients={name: moved(c, shift(g)) for name, c in t.coefficients.items()}
    ),
    "too large a ball": lambda t, g: dataclasses.replace(
        t, certificate=dataclasses.replace(t.certificate, radius=t.certificate.radius * g.uniform(20.0, 1e4))
    ),
    "unique farther than proved": lambda t, g: dataclasses.replace(
        t, unique_within=t.unique_within * g.uniform(1.01, 10.0)
    ),
    "another kind": lambda t, g: dataclasses.replace(t, kind={"flip": "fold", "fold": "flip"}[t.kind]),
    "twice the period": lambda t, g: dataclasses.replace(t, period=2 * t.period),
}


def shift(g):
    return float(g.choice([-1, 1]) * 10.0 ** g.uniform(-11, -1))


def far(g, t):
    """A shift of one unknown beyond the ball in which uniqueness is proved, or to where the ball is no more centred."""
    d = np.zeros(len(t.certificate.centre))
    i = g.integers(len(d))
    d[i] = g.choice([-1, 1]) * t.certificate.weights[i] * t.certificate.radius * g.uniform(2.0, 5.0)
    return d


def false_claims(count, seed):
    """How many perturbed theorems were refused; any that passed fails the test.

    Each perturbed statement is false: a number is moved out of its enclosure, or is one that was not proved.
    """
    generator = np.random.default_rng(seed)
    cases = [(case[0], bf.prove(located(*case[:5]))) for case in KNOWN if case[1] != "neimark-sacker"]
    refused = 0
    for i in range(count):
        map, theorem = cases[i % len(cases)]
        name = list(FALSE)[generator.integers(len(FALSE))]
        claim = FALSE[name](theorem, generator)
        with pytest.raises((NotProved, InvalidInput, NotEvaluable)):
            check_theorem(claim, map)
        refused += 1
    return refused


def test_false_claims_are_refused():
    assert false_claims(600, seed=5) == 600


@pytest.mark.slow
def test_ten_thousand_false_claims_are_refused():
    assert false_claims(10_000, seed=6) == 10_000


def test_shifted_points_are_refused_or_proved_where_they_are():
    # What is claimed within Newton's reach of a flip is proved about the flip itself, r = 3; all else is refused.
    generator, refused = np.random.default_rng(8), 0
    for _ in range(300):
        r = 3.0 + float(generator.choice([-1, 1]) * 10.0 ** generator.uniform(-6, -0.3))
        x = 1.0 - 1.0 / r + float(generator.choice([-1, 1]) * 10.0 ** generator.uniform(-6, -1))
        try:
            theorem = bf.prove(point_at(bf.maps.logistic(r), "flip", "r", [x]))
            assert theorem.parameter.contains(3.0) and max(abs(r - 3.0) / 3.0, abs(x - 2.0 / 3.0)) < 2e-4
        except NotProved:
            refused += 1
            assert max(abs(r - 3.0), abs(x - 2.0 / 3.0)) > 2e-5
    assert refused > 100


def test_theorems_last_in_a_file(tmp_path):
    map = bf.maps.logistic(2.9)
    branch = bf.trace(bf.cycles(map, free="r", guess=[0.66]), {"r": (2.5, 3.2)})
    for i, result in enumerate((branch, branch.first("flip"), bf.solve(map, guess=[0.6]))):
        theorem = bf.prove(result)
        bf.save(theorem, tmp_path / f"{i}.npz")
        again = bf.load(tmp_path / f"{i}.npz")
        assert str(again) == str(theorem)
        check_theorem(again)
        assert str(copy.deepcopy(theorem)) == str(theorem)


def test_a_theorem_about_another_map_is_refused():
    theorem = bf.prove(located(bf.maps.logistic(2.9), "flip", "r", [0.66]))
    other = bf.Map(lambda x, r: r * x * (1 - x) + 1e-7 * x**3, {"r": 2.9})
    with pytest.raises(NotProved):
        check_theorem(theorem, other)


DEGENERATE = {
    "transcritical": (bf.maps.logistic(1.0), "fold", "r", [0.0]),
    "pitchfork": (bf.Map(lambda x, p: (1 + p) * x - x**3, {"p": 0.0}), "fold", "p", [0.0]),
    "degenerate fold": (bf.Map(lambda x, p: x + p - x**4, {"p": 0.0}), "fold", "p", [0.0]),
    "cusp": (bf.Map(lambda x, p: x + p - x**3, {"p": 0.0}), "fold", "p", [0.0]),
    "touching multiplier": (bf.Map(lambda x, p: -x + p * p * x - x**3, {"p": 0.0}), "flip", "p", [0.0]),
    "double flip": (bf.Map(lambda z, p: -z * (1 + p) + z**3, {"p": 0.0}), "flip", "p", [0.0, 0.0]),
    "no flip there": (bf.maps.logistic(2.7), "flip", "r", [0.62]),
    "no fold there": (bf.maps.logistic(2.5), "fold", "r", [0.6]),
    "kink": (bf.Map(lambda x, p: p - 2.0 * np.abs(x) - x, {"p": 0.0}), "flip", "p", [0.0]),
    "no pair": (bf.maps.delayed_logistic(1.8), "neimark-sacker", "r", [0.44, 0.44]),
}


@pytest.mark.parametrize("name", DEGENERATE)
def test_what_is_not_simple_is_not_proved(name):
    map, kind, free, state = DEGENERATE[name]
    with pytest.raises((NotProved, bf.errors.BifurcateError)):
        bf.prove(point_at(map, kind, free, state))


def test_a_missing_or_double_fixed_point_is_not_proved():
    from bifurcate.newton.solve import Solution

    for map, x in (
        (bf.Map(lambda x, p: x + p + x**2, {"p": 1e-12}), 0.0),  # none
        (bf.Map(lambda x, p: x + p + x**2, {"p": 0.0}), 0.0),  # a double one
        (bf.Map(lambda x, p: p * np.abs(x) + 0.5 * x, {"p": 0.5}), 0.0),  # at a kink
    ):
        claim = Solution(np.array([x]), dict(map.parameters), 1, 0.0, 1, (0.0,), np.eye(1))
        with pytest.raises(bf.errors.BifurcateError):
            bf.prove(claim, map)


def test_degenerate_coefficient_is_a_gap_not_a_form():
    # x ↦ −(1 + p) x + x⁵: b = 0.
    map = bf.Map(lambda x, p: -(1 + p) * x + x**5, {"p": 0.0})
    theorem = bf.prove(point_at(map, "flip", "p", [0.0]))
    assert theorem.form == "" and not theorem.complete
    assert "form" in theorem.gaps[0]


def test_what_f_uses_is_refused_by_name():
    import math

    map = bf.Map(lambda x, r: np.array([r * math.sin(x[0])]), {"r": 2.0})
    with pytest.raises(NotEvaluable, match="exact="):
        bf.prove(bf.solve(map, guess=[1.9]), map)


def test_a_plain_formula_beside_f():
    import math

    def f(x, r):
        return np.array([r * math.sin(x[0])])

    map = bf.Map(f, {"r": 2.0}, exact=lambda x, r: r * np.sin(x))
    theorem = bf.prove(bf.solve(map, guess=[1.9]), map)
    assert theorem.stable and "exact=" in theorem.hypotheses[0]
    wrong = bf.Map(f, {"r": 2.0}, exact=lambda x, r: r * np.sin(x) + 1e-6)
    with pytest.raises(NotEvaluable, match="not the same function"):
        bf.prove(bf.solve(wrong, guess=[1.9]), wrong)


def test_complex_detours_are_refused():
    # On arrays of objects np.exp(1j·x).imag is 0: a theorem about it would be about another map.
    map = bf.Map(lambda x, r: r * np.exp(1j * x).imag, {"r": 2.0})
    with pytest.raises(NotEvaluable):
        bf.prove(bf.solve(map, guess=[1.9]), map)


def test_branch_points_need_a_declaration():
    point = point_at(bf.maps.logistic(1.0), "branch point", "r", [0.0])
    with pytest.raises(NotProved, match="invariant"):
        bf.prove(point)
    theorem = bf.prove(point, invariant=np.empty((1, 0)))
    assert theorem.form == "transcritical" and theorem.parameter.contains(1.0)
    assert theorem.coefficients["a"].contains(-1.0)  # f = x + p x − x², at p = 0: a = −1
    assert any("invariant" in each for each in theorem.hypotheses)


def test_a_pitchfork_under_a_declared_symmetry():
    # Centre manifold y = 2x²: x ↦ x + (0.3·2 − 1) x³.
    def f(z, p):
        return np.array([(1 + p) * z[0] - z[0] ** 3 + 0.3 * z[0] * z[1], 0.5 * z[1] + z[0] ** 2])

    map = bf.Map(f, {"p": 0.0})
    theorem = bf.prove(point_at(map, "branch point", "p", [0.0, 0.0]), symmetry=[[-1, 0], [0, 1]])
    assert theorem.form == "pitchfork" and theorem.parameter.contains(0.0)
    assert theorem.coefficients["c"].contains(-0.4) or abs(theorem.coefficients["c"].middle + 0.4) < 1e-15
    with pytest.raises(InvalidInput, match="invariant"):
        bf.prove(point_at(map, "branch point", "p", [0.0, 0.0]), invariant=[[1.0], [0.0]])
    with pytest.raises(InvalidInput, match="R R = I"):
        bf.prove(point_at(map, "branch point", "p", [0.0, 0.0]), symmetry=[[2, 0], [0, 1]])


def test_arguments_are_checked():
    with pytest.raises(InvalidInput, match="does not hold its map"):
        bf.prove(dataclasses.replace(bf.solve(bf.maps.logistic(2.5), guess=[0.5]), map=None))
    with pytest.raises(InvalidInput, match="can be proved"):
        bf.prove(3.0)
    with pytest.raises(InvalidInput, match="bits"):
        bf.prove(located(bf.maps.logistic(2.9), "flip", "r", [0.66]), bits=20)
