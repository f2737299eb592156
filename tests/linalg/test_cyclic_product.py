"""Products along a cycle, never multiplied out: multipliers against mpmath, systems against NumPy."""

import mpmath
import numpy as np
import pytest

from bifurcate.linalg import spectrum
from bifurcate.linalg.bordered_system import bordered
from bifurcate.linalg.cyclic_product import CyclicProduct, multipliers_of_product
from bifurcate.linalg.operators import dense, shifted, transposed


def exact_multipliers(factors):
    """Eigenvalues of the product in 100 digits."""
    with mpmath.workdps(100):
        product = mpmath.eye(len(factors[0]))
        for A in factors:
            product = mpmath.matrix(A.tolist()) * product
        if product.rows == 1:
            return [complex(product[0, 0])]  # older versions of mpmath.eig give a nested list
        return [complex(value) for value in mpmath.eig(product, left=False, right=False)]


def largest_relative_error(found, expected):
    left, errors = list(found), []
    for value in expected:
        nearest = min(range(len(left)), key=lambda j: abs(left[j] - value))
        errors.append(abs(left.pop(nearest) - value) / abs(value))
    return max(errors)


def turned(blocks, k, rng):
    """Factors with given diagonal blocks, in random orthogonal coordinates of their own at every state."""
    n = len(blocks)
    bases = [np.linalg.qr(rng.standard_normal((n, n)))[0] for _ in range(k)]
    return [bases[(i + 1) % k] @ blocks @ bases[i].T for i in range(k)]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("k", [1, 7, 30])
def test_multipliers_that_span_24_orders(n, k, rng):
    factors = turned(np.diag(10.0 ** np.linspace(12 / k, -12 / k, n)), k, rng)
    if k > 1:
        assert largest_relative_error(multipliers_of_product(factors), exact_multipliers(factors)) < 1e-12


@pytest.mark.parametrize("turn", [0.3, 1.5, 3.1])
def test_a_large_complex_pair_beside_a_small_multiplier(turn, rng):
    k = 20
    c, s = np.cos(turn), np.sin(turn)
    blocks = np.zeros((3, 3))
    blocks[:2, :2] = 10 ** (12 / k) * np.array([[c, -s], [s, c]])
    blocks[2, 2] = 10 ** (-12 / k)
    factors = turned(blocks, k, rng)
    found = multipliers_of_product(factors)
    assert largest_relative_error(found, exact_multipliers(factors)) < 1e-12


@pytest.mark.parametrize("n", [2, 4])
def test_products_of_random_matrices(n, rng):
    for _ in range(10):
        factors = [rng.standard_normal((n, n)) for _ in range(12)]
        expected = exact_multipliers(factors)
        # A factor that is nearly singular loses its own condition number.
        allowed = 1e-14 * max(np.linalg.cond(A) for A in factors)
        assert largest_relative_error(multipliers_of_product(factors), expected) < max(1e-12, allowed)


def test_multipliers_beyond_the_range_of_a_double_and_superstable_cycles():
    assert np.isinf(multipliers_of_product([np.diag([1e200, 1.0])] * 2)[0])
    assert multipliers_of_product([np.diag([0.0, 2.0]), np.eye(2)]).tolist() == [2.0, 0.0]


@pytest.mark.parametrize("target", [0.0, 1.0, -1.0, np.exp(0.7j)])
def test_systems_and_singularity(target, rng):
    factors = tuple(rng.standard_normal((2, 2)) for _ in range(4))
    A = shifted(CyclicProduct(factors), target)
    product = factors[3] @ factors[2] @ factors[1] @ factors[0]
    # Elimination of v₁, v₂, v₃ leaves the product less the target.
    assert np.isclose(abs(np.linalg.det(dense(A))), abs(np.linalg.det(product - target * np.eye(2))))
    assert np.allclose(transposed(A).toarray(), dense(A).T)
    B, C, D = rng.standard_normal((8, 1)), rng.standard_normal((1, 8)), np.zeros((1, 1))
    f, g = rng.standard_normal(8), rng.standard_normal(1)
    x, y = bordered(A, B, C, D).solve(f, g)
    assert np.allclose(A @ x + B @ y, f) and np.allclose(C @ x, g)


def test_the_spectrum_is_that_of_the_product(rng):
    factors = tuple(rng.standard_normal((3, 3)) for _ in range(4))
    product = factors[3] @ factors[2] @ factors[1] @ factors[0]
    found = spectrum(CyclicProduct(factors))
    assert found.complete and largest_relative_error(found.values, np.linalg.eigvals(product)) < 1e-10
