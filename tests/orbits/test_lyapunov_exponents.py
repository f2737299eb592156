"""Lyapunov exponents against closed forms, and their error estimates against the scatter that they estimate."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.errors import InvalidInput


def test_fully_developed_logistic_map_has_ln_two():
    found = bf.lyapunov(bf.maps.logistic(r=4.0), [0.3], steps=20_000)
    assert 0 < found.errors[0] < 0.02
    assert abs(found.values[0] - np.log(2)) < 3 * found.errors[0]
    assert found.chaotic
    assert (found.steps, found.end) == (20_000, "steps")


def test_multiplier_of_a_cycle_is_its_exponent():
    # Logistic 2-cycle: (f²)' = 4 + 2r − r².
    r = 3.3
    found = bf.lyapunov(bf.maps.logistic(r=r), [0.4], steps=2000, transient=2000)
    assert found.values[0] == pytest.approx(0.5 * np.log(abs(4 + 2 * r - r * r)), abs=1e-12)
    assert not found.chaotic


def test_exponents_of_a_matrix_are_the_logarithms_of_its_multipliers(rng):
    lam = np.array([1.3, -0.9, 0.5, 0.1])
    V = rng.standard_normal((4, 4))
    A = V @ np.diag(lam) @ np.linalg.inv(V)
    plain = bf.Map(lambda x: A @ x, {}, jvp=lambda x, v: A @ v)
    for made in (plain, bf.Map(plain.f, {}, jacobian=lambda x: A)):
        found = bf.lyapunov(made, np.zeros(4), steps=200, transient=200, count=4)
        assert np.abs(found.values - np.log(np.abs(lam))).max() < 1e-9
        assert found.errors.max() < 1e-9
        one = bf.lyapunov(made, np.zeros(4), steps=200, transient=200)
        assert one.values[0] == pytest.approx(np.log(1.3), abs=1e-9)


def test_sum_of_exponents_is_the_mean_logarithm_of_the_determinant():
    henon = bf.maps.henon(a=1.4, b=0.3)
    found = bf.lyapunov(henon, [0.1, 0.1], steps=20_000, count=2)
    assert found.values.sum() == pytest.approx(np.log(0.3), abs=1e-12)  # |det J| = b everywhere
    assert abs(found.values[0] - 0.4192) < 4 * found.errors[0]  # Sprott, Chaos and Time-Series Analysis (2003), app. A
    assert found.errors[0] < 0.01


def test_error_estimates_cover(rng):
    """Half of the runs within 0.67 errors would be exact; correlated terms must not make them too small."""
    off = []
    for start in rng.uniform(0.1, 0.3, 30):
        found = bf.lyapunov(bf.maps.henon(a=1.4, b=0.3), [start, start], steps=1500, transient=200)
        off.append((found.values[0] - 0.41922) / found.errors[0])
    assert np.mean(np.abs(off) < 2) > 0.85
    assert np.std(off) > 0.2  # nor are they so large as to say nothing


def test_ends_are_reported():
    left = bf.Map(lambda x: x - 1.0, {}, domain=lambda x: x)
    found = bf.lyapunov(left, [5.5], steps=100, transient=0)
    assert (found.end, found.steps) == ("domain", 5)
    assert np.isnan(found.errors[0]) and found.values[0] == pytest.approx(0.0, abs=1e-9)
    assert not found.chaotic
    far = bf.lyapunov(bf.Map(lambda x: 10 * x, {}), [1.0], steps=100, transient=0)
    assert far.end == "diverged" and far.values[0] == pytest.approx(np.log(10))
    flat = bf.lyapunov(bf.Map(lambda x: 0 * x, {}, jvp=lambda x, v: 0 * v), [1.0], steps=50, transient=0)
    assert flat.values[0] == -np.inf and np.isnan(flat.errors[0]) and not flat.chaotic
    nothing = bf.lyapunov(left, [0.5], steps=10, transient=5)
    assert nothing.steps == 0 and np.isnan(nothing.values[0])


def test_refusals():
    made = bf.maps.henon()
    refused = {
        "steps is 0": {"steps": 0},
        "transient is -1": {"transient": -1},
        "count is 3; it must be at most": {"count": 3},
        "count is True": {"count": True},
    }
    for words, given in refused.items():
        with pytest.raises(InvalidInput, match=words):
            bf.lyapunov(made, [0.1, 0.1], **given)
