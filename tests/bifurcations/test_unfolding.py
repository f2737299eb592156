"""How what is born at a bifurcation grows and turns, against closed forms, differences and iteration."""

import numpy as np
import pytest

import bifurcate as bf

COARSE = bf.StepControl(largest=0.1)


def rotated(theta0=1.3, slope=0.7, turn=0.4, D=-0.5 + 0.8j, bend=0.0):
    """w ↦ e^{i(θ + turn p)} w (1 + slope p + D |w|²) as a map of the plane, hidden by (x, y) ↦ (x, y + bend x²)."""

    def f(z, p):
        x, y = z[0], z[1] - bend * z[0] ** 2
        w = x + 1j * y
        w = np.exp(1j * (theta0 + turn * p)) * w * (1 + slope * p + D * abs(w) ** 2)
        return np.array([w.real, w.imag + bend * w.real**2])

    return bf.Map(f, {"p": -0.1})


@pytest.mark.parametrize("bend", [0.0, 0.3])
@pytest.mark.parametrize(("slope", "turn", "D"), [(0.7, 0.4, -0.5 + 0.8j), (-1.2, 0.3, 0.6 - 0.2j)])
def test_a_neimark_sacker_point_unfolds_as_its_normal_form(slope, turn, D, bend):
    map = rotated(slope=slope, turn=turn, D=D, bend=bend)
    branch = bf.trace(bf.cycles(map, "p", [0.0, 0.0]), {"p": (-0.2, 0.2)}, control=COARSE)
    point = branch.first("neimark-sacker")
    # |q| = 1 with q = (1, ∓i)/√2: x = 2 Re(w q), so that the plane's own w is √2 times the normal form's.
    sign = 1.0  # θ is in (0, π), as 1.3 is
    value, error = point.complex_coefficient
    assert abs(value - 2.0 * D) <= max(error, 1e-9) and value.real == pytest.approx(point.coefficients["d"], abs=1e-9)
    found = point.unfolding
    expected = {
        "rate": slope,
        "angle_rate": sign * turn,
        "radius": np.sqrt(abs(slope / (2.0 * D.real))),
        "rotation": turn - slope * D.imag / D.real,
    }
    for name, exact in expected.items():
        assert abs(getattr(found, name) - exact) <= found.errors[name] < 1e-4
    assert found.side == (1 if slope * D.real < 0 else -1)
    assert point.criticality == point.form == ("supercritical" if D.real < 0 else "subcritical")


def test_the_born_curve_has_the_radius_and_rotation_foretold():
    # The delayed logistic map x ↦ (r x (1 − y), x): Neimark–Sacker at r = 2, supercritical.
    def f(z, r):
        return np.array([r * z[0] * (1 - z[1]), z[0]])

    map = bf.Map(f, {"r": 1.9})
    point = bf.trace(bf.cycles(map, "r", [0.47, 0.47]), {"r": (1.8, 2.1)}).first("neimark-sacker")
    found, eps = point.unfolding, 1e-3
    assert found.side == 1
    r = 2.0 + eps
    states = bf.orbit(map, [0.52, 0.5], 40_000, transient=20_000, parameters={"r": r}).states
    fixed = 1 - 1 / r
    # In the plane of w the size is √<|w|²>, and <|x − x*|²> = 2 <|w|²> |q|² to leading order.
    size = np.sqrt(np.mean(np.sum((states - fixed) ** 2, axis=1)) / 2.0)
    assert abs(size / (found.radius * np.sqrt(eps)) - 1) < 0.02
    turned = np.unwrap(np.arctan2(*((states - fixed) @ _to_circle(point)).T))
    rotation = abs(turned[-1] - turned[0]) / (len(states) - 1)
    assert abs((rotation - point.angle) / (found.rotation * eps) - 1) < 0.05


def _to_circle(point):
    """Coordinates in which the linear part turns circles: the real and imaginary part of the critical vector."""
    values, vectors = np.linalg.eig(np.asarray(point.jacobian))
    q = vectors[:, int(np.argmax(values.imag))]
    return np.linalg.inv(np.column_stack([q.real, q.imag])).T


def test_rates_are_those_of_the_multipliers():
    henon = bf.maps.henon(a=0.1, b=0.3)
    plain = bf.Map(henon.f, {"a": 0.1, "b": 0.3})
    for map in (henon, plain):
        branch = bf.trace(bf.cycles(map, "a", [0.9, 0.3]), {"a": (-0.5, 1.0)})
        flip, fold = branch.first("flip"), branch.first("fold")

        def state(a):
            x = (-0.7 + np.sqrt(0.49 + 4 * a)) / (2 * a)
            return np.array([x, 0.3 * x])

        def smallest(a):
            return bf.multipliers(henon, state(a), parameters={"a": a}).values.real.min()

        a, h = flip.parameters["a"], 1e-4
        expected = (smallest(a + h) - smallest(a - h)) / (2 * h)
        assert abs(flip.unfolding.rate - expected) < 1e-6
        # The doubled cycle at a + ε: half the distance of its points, along the unit critical vector.
        eps = 1e-4
        u, v = (np.array([x, 0.3 * y]) for x, y in _two_cycle(a + eps))
        amplitude = 0.5 * np.linalg.norm(u - v) / np.sqrt(eps)
        assert flip.unfolding.side == 1 and abs(flip.unfolding.radius / amplitude - 1) < 2e-3
        # Two fixed points at the fold's value plus ε: half their distance.
        a0 = fold.parameters["a"]
        root = np.sqrt(0.49 + 4 * (a0 + 1e-6)) / (2 * abs(a0 + 1e-6))
        amplitude = np.linalg.norm([root, 0.3 * root]) / np.sqrt(1e-6)
        assert fold.unfolding.side == 1 and abs(fold.unfolding.radius / amplitude - 1) < 1e-3


def _two_cycle(a):
    """The points of Hénon's 2-cycle, as pairs (x, previous x): a x² − 0.7 x + 0.49/a − 1 = 0 for x."""
    d = np.sqrt(0.49 - 4 * a * (0.49 / a - 1))
    x, y = (0.7 + d) / (2 * a), (0.7 - d) / (2 * a)
    return (x, y), (y, x)


@pytest.mark.parametrize(("c", "word"), [(-1.0, "supercritical"), (2.0, "subcritical")])
def test_pitchforks_say_which_way_they_go(c, word):
    map = bf.Map(lambda x, p: (1 + p) * x + c * x**3, {"p": -0.2})
    point = bf.trace(bf.cycles(map, "p", [0.0]), {"p": (-0.3, 0.3)}).first("branch point")
    assert (point.form, point.criticality, point.unfolding) == ("pitchfork", word, None)


def test_where_there_is_no_word_there_is_none():
    branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (0.5, 3.2)})
    assert branch.first("branch point").criticality == "" and branch.first("flip").criticality == "supercritical"
    assert branch.first("flip").unfolding.rate == pytest.approx(-1.0, abs=1e-7)  # the multiplier is 2 − r
