"""Coefficients against other tools' numbers and closed forms, with errors that hold, whatever the derivatives are."""

import numpy as np
import pytest

import bifurcate as bf


def branch_of(map, free, guess, bounds, period=1):
    return bf.trace(bf.cycles(map, free, guess, period=period), {free: bounds})


def plain(map):
    """The same map without its derivatives."""
    return bf.Map(map.f, dict(map.parameters))


@pytest.mark.parametrize("wrap", [lambda map: map, plain])
def test_logistic_and_ricker_flips(reference, wrap):
    flip = branch_of(wrap(bf.maps.logistic()), "r", [0.6], (2.5, 3.2)).first("flip")
    assert abs(flip.coefficients["b"] - 9.0) < max(1e-7, flip.errors["b"]) and flip.errors["b"] < 1e-4
    assert flip.form == "supercritical"
    ricker = branch_of(wrap(bf.maps.ricker()), "r", [1.0], (1.5, 2.2)).first("flip")
    assert abs(ricker.coefficients["b"] - 2 / 3) < max(1e-7, ricker.errors["b"])


@pytest.mark.parametrize("wrap", [lambda map: map, plain])
def test_generalised_henon(reference, wrap):
    half = branch_of(wrap(bf.maps.generalised_henon(1.0, 0.5, 0.0)), "alpha", [0.5, 0.5], (-0.6, 1.8))
    assert abs(half.first("flip").coefficients["b"] - 0.6666667) < 1e-6
    assert abs(abs(half.first("fold").coefficients["a"]) - 1.4142136) < 1e-6
    # Hénon's own map in these coordinates: β = −0.3.
    equivalent = branch_of(wrap(bf.maps.generalised_henon(0.1, -0.3, 0.0)), "alpha", [0.1, 0.1], (-0.2, 0.5))
    fold, flip = (next(p for p in reference["henon"] if p["kind"] == kind) for kind in ("fold", "flip"))
    assert abs(abs(equivalent.first("fold").coefficients["a"]) - fold["abs_a"]) < 1e-6
    assert abs(equivalent.first("flip").coefficients["b"] - flip["b"]) < 1e-6
    for R, guess in ((0.0, 0.8), (-0.5, 0.9)):
        table = reference[f"generalised henon, R={R:g}"]
        branch = branch_of(wrap(bf.maps.generalised_henon(2.0, 0.8, R)), "beta", [guess, guess], (0.4, 1.1))
        flip = next(p for p in table if p["kind"] == "flip" and p["alpha"] == 2.0)
        assert abs(branch.first("flip").coefficients["b"] - flip["b"]) < 1e-5
        turning = branch.first("NS")
        expected = next(p for p in table if p["kind"] == "neimark-sacker" and p["alpha"] == 2.0)
        assert abs(turning.coefficients["d"] - expected["d"]) < max(1e-6, turning.errors["d"])
        # At R = 0 the map is conservative there: the coefficient is rounding noise, and said to be.
        assert turning.form == ("degenerate" if R == 0.0 else "supercritical")


@pytest.mark.parametrize("eps", [0.0, 0.01])
def test_delayed_logistic(reference, eps):
    point = branch_of(bf.maps.delayed_logistic(1.9, eps), "r", [0.48, 0.48], (1.5, 2.5)).first("NS")
    table = reference["delayed logistic"]
    known = next(p for p in table if p["kind"] == "neimark-sacker" and p["eps"] == eps)
    assert abs(point.coefficients["d"] - known["d"]) < 1e-6 and point.form == "supercritical"


def test_cycles_compose_their_forms():
    # b of the second iterate's flip, from f(f(x)) differentiated as one function.
    r = 1 + np.sqrt(6)
    branch = branch_of(bf.maps.logistic(3.3), "r", [0.48], (3.2, 3.5), period=2)
    flip = branch.first("flip")
    assert abs(flip.parameters["r"] - r) < 1e-10
    second = np.polynomial.Polynomial([0, r, -r])
    second = second(second)
    x = float(flip.state[0])
    d2, d3 = second.deriv(2)(x), second.deriv(3)(x)
    assert abs(flip.coefficients["b"] - (d3 / 6 + d2**2 / 4)) < 1e-6


def test_branch_points_tell_transcritical_from_pitchfork():
    cross = bf.Map(lambda x, p: x + 0.3 * (p * x - x**2), {"p": -0.5})
    fork = bf.Map(lambda x, p: x + 0.3 * (p * x - x**3), {"p": -0.5})
    first = branch_of(cross, "p", [0.0], (-1.0, 1.0)).first("BP")
    second = branch_of(fork, "p", [0.0], (-1.0, 1.0)).first("BP")
    assert first.form == "transcritical" and abs(abs(first.coefficients["a"]) - 0.3) < 1e-8
    assert second.form == "pitchfork" and abs(second.coefficients["c"] + 0.3) < 1e-7
    # The branch x = 0 and the other one, x = p or x² = p.
    for point, other in ((first, [1.0, 1.0]), (second, [1.0, 0.0])):
        expected = np.column_stack([[0.0, 1.0], other / np.linalg.norm(other)])
        found = np.abs(expected.T @ point.tangents)
        assert np.abs(np.sort(found.max(axis=0)) - 1.0).max() < 1e-9
        assert np.abs(np.linalg.det(point.tangents)) > 0.5


def test_a_hidden_pitchfork_uses_the_manifold():
    # y follows x²: the cubic coefficient is −0.2 + 0.3·(1/(1 − 0.5)) · 0.4, by elimination of y.
    map = bf.Map(
        lambda z, p: np.array([z[0] + p * z[0] - 0.2 * z[0] ** 3 + 0.3 * z[0] * z[1], 0.5 * z[1] + 0.4 * z[0] ** 2]),
        {"p": -0.2},
    )
    point = branch_of(map, "p", [0.0, 0.0], (-0.4, 0.4)).first("BP")
    assert abs(point.coefficients["c"] - (-0.2 + 0.3 * 0.8)) < 1e-8


def test_subcritical_and_degenerate_flips():
    sub = bf.Map(lambda x, p: -(1.0 + p) * x - x**3 + x**5, {"p": -0.3})
    flat = bf.Map(lambda x, p: -(1.0 + p) * x + x**5, {"p": -0.3})
    assert branch_of(sub, "p", [0.0], (-0.4, 0.3)).first("PD").form == "subcritical"
    assert branch_of(flat, "p", [0.0], (-0.4, 0.3)).first("PD").form == "degenerate"


def test_coefficients_of_the_network_do_not_depend_on_the_path(rng):
    r, r0 = rng.uniform(0.2, 1.0, 6), rng.uniform(0.2, 1.0, 6)
    net = bf.adaptation.Network(r, r0, alpha=0.3, beta=-0.4, sigma=0.5)
    small = branch_of(net.reduced, "alpha", net.reduced_equilibrium(), (0.05, 8.0)).first("flip")
    weights = branch_of(net.update, "alpha", net.equilibrium(), (0.05, 8.0)).first("flip")
    # y = W r/n: the coefficients differ by the squared ratio of the eigenvectors' lengths.
    q = weights.kernel[:, 0]
    ratio = np.linalg.norm(net.project(q.reshape(6, 6))) / np.linalg.norm(q)
    assert abs(weights.coefficients["b"] / (small.coefficients["b"] * ratio**2) - 1) < 1e-5
    assert weights.form == small.form != "degenerate"
