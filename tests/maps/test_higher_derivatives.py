"""Second and third derivatives of iterates, against differences of f^k in arithmetic of 60 digits."""

import mpmath
import numpy as np
import pytest

import bifurcate as bf
from bifurcate.maps.higher_derivatives import higher_derivatives
from bifurcate.maps.iterated_map import IteratedMap


def step(x, lib):
    return [lib.sin(x[0] * x[1]) + x[1] / 3, lib.exp(x[0]) * x[1] ** 2 / 4 - x[0]]


def jacobian(x):
    c = np.cos(x[0] * x[1])
    return np.array(
        [[x[1] * c, x[0] * c + 1 / 3], [np.exp(x[0]) * x[1] ** 2 / 4 - 1.0, np.exp(x[0]) * x[1] / 2]], dtype=float
    )


def waves(**parts):
    return bf.Map(lambda x: np.array(step(x, np)), {}, jacobian=jacobian, **parts)


def by_mpmath(period, x, orders):
    """∂^m f^k/∂x^m, m the orders of the two components: shape (2,)."""

    def component(i):
        def value(*z):
            for _ in range(period):
                z = step(z, mpmath)
            return z[i]

        return float(mpmath.diff(value, tuple(x), orders))

    with mpmath.workdps(60):
        return np.array([component(0), component(1)])


@pytest.mark.parametrize("period", [1, 3])
def test_derivatives_of_an_iterate(period):
    x, iterate = [0.7, 0.4], IteratedMap(waves(), (2,), period)
    found = higher_derivatives(iterate, iterate.orbit(np.array(x), {}), {})
    for j in range(2):
        for i in range(2):
            exact = by_mpmath(period, x, (2 - j - i, j + i))
            assert np.abs(found.B[:, j, i] - exact).max() < 1e-10 * max(1.0, np.abs(exact).max())
            for m in range(2):
                exact = by_mpmath(period, x, (3 - j - i - m, j + i + m))
                assert np.abs(found.C[:, j, i, m] - exact).max() < 1e-8 * max(1.0, np.abs(exact).max())


def test_three_unknowns_take_differences_along_pairs_of_axes():
    ring = bf.maps.logistic_ring(n=3, r=3.1, e=0.1)
    iterate, p = IteratedMap(ring, (3,), 2), dict(ring.parameters)
    x, h = np.array([0.3, 0.5, 0.6]), 1e-3
    found = higher_derivatives(iterate, iterate.orbit(x, p), p)

    def f(*moves):
        return iterate.orbit(x + np.array(moves), p)[-1]

    # ∂³f/∂x∂y∂z by the eight corners of a cube: f² is a polynomial of degree 4, so that the error is of order h²
    corners = sum(a * b * c * f(a * h, b * h, c * h) for a in (1, -1) for b in (1, -1) for c in (1, -1)) / (8 * h**3)
    assert np.abs(found.C[:, 0, 1, 2] - corners).max() < 1e-3
    assert np.abs(found.C - found.C.transpose(0, 2, 1, 3)).max() < 1e-12


def test_left_to_directional_derivatives():
    plain = bf.Map(lambda x: np.array(step(x, np)), {})
    narrow = bf.Map(lambda x: np.sqrt(x), {}, jacobian=lambda x: 0.5 / np.sqrt(x).reshape(1, 1))
    x = np.array([1e-7])
    with np.errstate(all="ignore"):
        assert higher_derivatives(IteratedMap(plain, (2,)), [x, x], {}) is None  # not exact
        assert higher_derivatives(IteratedMap(narrow, (1,)), [x, np.sqrt(x)], {}) is None  # no value beside x
    assert higher_derivatives(IteratedMap(waves(noise=1e-6), (2,)), [x, x], {}) is None
