"""Many small systems at once against NumPy and the algorithms for one."""

import numpy as np
import pytest

from bifurcate.linalg.batched_systems import (
    batched_cycle_multipliers,
    batched_eigenvalues,
    batched_growth,
    batched_product,
    solve_batch,
    solve_batched_cycles,
)
from bifurcate.linalg.cyclic_product import multipliers_of_product


def in_order(values):
    return np.array(sorted(values, key=lambda z: (-round(abs(z), 9), -z.imag)))


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_small_systems_are_solved_with_pivoting(n, rng):
    A, b = rng.standard_normal((40, n, n)), rng.standard_normal((40, n))
    A[0, 0, 0] = 0.0 if n > 1 else 1.0  # asks for another pivot
    x, singular = solve_batch(A, b)
    expected = np.linalg.solve(A, b[..., None])[..., 0]
    assert not singular.any()
    assert np.abs(x - expected).max() < 1e-10 * np.abs(expected).max()


def test_singular_systems_are_named_and_leave_the_others_alone():
    A = np.array([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]], [[2.0, 0.0], [0.0, 4.0]], [[np.nan, 0], [0, 1]]])
    with np.errstate(all="ignore"):
        x, singular = solve_batch(A, np.ones((4, 2)))
    assert singular.tolist() == [True, True, False, True] and x[2].tolist() == [0.5, 0.25]


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5, 7, 12, 33])
def test_cycles_of_any_length_against_the_whole_matrix(n, k, rng):
    A, r = 2.0 * rng.standard_normal((4, k, n, n)), rng.standard_normal((4, k, n))
    v, singular = solve_batched_cycles(A, r)
    assert not singular.any()
    for blocks, right, found in zip(A, r, v):
        whole = np.zeros((k * n, k * n))
        for i in range(k):
            rows, after = slice(i * n, i * n + n), (i + 1) % k
            whole[rows, i * n : i * n + n] += blocks[i]
            whole[rows, after * n : after * n + n] -= np.eye(n)
        expected = np.linalg.solve(whole, right.ravel())
        assert np.abs(found.ravel() - expected).max() < 1e-10 * max(1.0, np.abs(expected).max())


def test_a_cycle_whose_multipliers_exceed_all_digits_is_solved_to_rounding(rng):
    # The product of 80 factors of size 10 is 1e80; a solution by that product would keep no digit.
    A, v = rng.uniform(5.0, 10.0, (3, 80, 1, 1)), rng.standard_normal((3, 80, 1))
    r = A[..., 0] * v - np.roll(v, -1, axis=1)
    assert np.abs(solve_batched_cycles(A, r)[0] - v).max() < 1e-14


def test_a_multiplier_one_is_singular():
    A = np.array([[2.0, 0.5], [2.0, 0.25]]).reshape(2, 2, 1, 1)
    assert solve_batched_cycles(A, np.ones((2, 2, 1)))[1].tolist() == [True, False]


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_eigenvalues_are_those_of_lapack(n, rng):
    J = rng.standard_normal((200, n, n))
    found = batched_eigenvalues(J)
    expected = np.array([in_order(np.linalg.eigvals(each)) for each in J])
    assert np.abs(np.array([in_order(row) for row in found]) - expected).max() < 1e-12
    assert (np.diff(np.abs(found), axis=1) < 1e-12).all()


def test_small_eigenvalues_of_two_by_two_matrices_keep_their_digits():
    # A companion matrix of (λ − 1)(λ + 10⁻¹²): its small eigenvalue is the determinant over the large one.
    small = 1e-12
    found = batched_eigenvalues(np.array([[[1.0 - small, small], [1.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]]))
    assert abs(found[0, 1] / -small - 1.0) < 1e-12 and found[1].tolist() == [0.0, 0.0]


def test_eigenvalues_where_an_entry_is_unknown_are_unknown():
    found = batched_eigenvalues(np.array([np.full((3, 3), np.nan), np.eye(3)]))
    assert np.isnan(found[0]).all() and found[1].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("n", [1, 2, 3])
def test_multipliers_of_cycles_are_those_of_one_cycle_at_a_time(n, rng):
    A = rng.standard_normal((12, 9, n, n)) * np.geomspace(1.0, 0.05, n)
    found = batched_cycle_multipliers(A)
    for factors, values in zip(A, found):
        expected = in_order(multipliers_of_product(list(factors)))
        assert np.abs(in_order(values) / expected - 1.0).max() < 1e-9


def test_products_and_their_growth(rng):
    A = rng.standard_normal((5, 6, 2, 2))
    product = np.array([np.linalg.multi_dot(list(each[::-1])) for each in A])
    assert np.abs(batched_product(A) - product).max() < 1e-12
    assert np.abs(2.0 ** batched_growth(A) / np.linalg.norm(product, axis=(1, 2)) - 1.0).max() < 1e-12
    assert abs(batched_growth(np.full((1, 400, 1, 1), 1e10))[0] - 4000 * np.log2(10.0)) < 1e-9
