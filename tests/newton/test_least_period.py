"""A solution is returned with its least period, whatever period was asked for."""

import numpy as np
import pytest

import bifurcate as bf


def doubled_pair(r):
    """The 2-cycle of the logistic map, from r x = ((r + 1) ± √((r + 1)(r − 3)))/2."""
    return sorted((r + 1 + sign * np.sqrt((r + 1) * (r - 3))) / (2 * r) for sign in (1, -1))


@pytest.mark.parametrize("period", [2, 3, 4, 6, 12])
@pytest.mark.parametrize("method", [None, bf.NewtonKrylov()])
def test_a_fixed_point_is_one_whatever_was_asked_for(period, method):
    found = bf.solve(bf.maps.logistic(r=2.5), [0.55], period=period, method=method)
    assert found.period == 1 and abs(found.state[0] - 0.6) < 1e-11
    assert abs(found.multipliers[0] + 0.5) < 1e-9  # 2 − r, of f and not of f^period
    assert f"period {period} was asked for; the least period is 1" in found.note
    assert found.residual <= 1e-11 and found.history[-1] == found.residual


def test_a_cycle_of_a_divisor_has_its_own_period():
    for r in (3.1, 3.2, 3.44):
        found = bf.solve(bf.maps.logistic(r=r), [doubled_pair(r)[1] + 1e-3], period=8)
        assert found.period == 2 and min(abs(found.state[0] - x) for x in doubled_pair(r)) < 1e-9
        assert abs(found.multipliers[0] - (4 + 2 * r - r * r)) < 1e-8


@pytest.mark.parametrize("excess", [10.0**-k for k in range(1, 13)])
def test_beside_a_flip_the_two_periods_are_told_apart_or_the_shorter_one_is_named(excess):
    r = 3.0 + excess
    found = bf.solve(bf.maps.logistic(r=r), [doubled_pair(r)[0]], period=2)
    if found.period == 2:
        assert found.note == "" and min(abs(found.state[0] - x) for x in doubled_pair(r)) < 1e-6
    else:
        assert excess < 1e-6 and abs(found.state[0] - (1 - 1 / r)) < 1e-9  # the equations hold from one to the other


def test_at_a_flip_the_solution_of_the_doubled_equations_is_the_fixed_point():
    found = bf.solve(bf.maps.logistic(r=3.0), [0.66], period=2)
    assert found.period == 1 and abs(found.state[0] - 2 / 3) < 1e-11


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_in_any_unit(scale):
    map = bf.Map(lambda x, r: r * x * (1 - x / scale), {"r": 3.2}, scale=scale)
    assert bf.solve(map, [scale * 0.69], period=4).period == 1
    assert bf.solve(map, [scale * 0.5], period=4).period == 2


def test_deflation_returns_least_periods():
    found = bf.deflate(bf.maps.logistic(r=3.84), [[0.1], [0.6]], period=3)
    assert sorted(s.period for s in found.solutions) == [1, 1, 3, 3]
    assert {s.note for s in found.of(1)} == {"period 3 was asked for; the least period is 1"}
