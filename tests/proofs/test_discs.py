"""Discs of multipliers against matrices whose eigenvalues are known exactly."""

import numpy as np

from bifurcate.proofs.balls import ball, matrix
from bifurcate.proofs.multiplier_discs import Disc, count_outside, is_isolated, multiplier_discs


def unimodular(n, generator):
    """An integer matrix of determinant ±1, and its integer inverse."""
    P, inverse = np.eye(n, dtype=int), np.eye(n, dtype=int)
    for _ in range(2 * n):
        i, j = generator.choice(n, 2, replace=False)
        factor = int(generator.integers(-1, 2))
        P[:, j] += factor * P[:, i]
        inverse[i] -= factor * inverse[j]
    assert (P @ inverse == np.eye(n, dtype=int)).all()
    return P, inverse


def test_counts_of_integer_matrices_are_never_wrong():
    generator, decided = np.random.default_rng(5), 0
    for trial in range(300):
        n = int(generator.integers(2, 7))
        values = generator.integers(-8, 9, n) / 4.0  # exact, some on the circle
        D = np.diag(values)
        if trial % 3 == 0 and n > 2:
            D[0, 1] = 1.0 if values[0] == values[1] else 0.0
        if trial % 3 == 1:
            D[:2, :2] = [[0.75, -0.5], [0.5, 0.75]]  # 0.75 ± 0.5i, of modulus 0.90
            values = np.append([0.75 + 0.5j, 0.75 - 0.5j], values[2:])
        P, inverse = unimodular(n, generator)
        discs = multiplier_discs(matrix(P @ D @ inverse))
        assert len(discs) == n
        for value in values:
            assert any(disc.contains(complex(value)) for disc in discs)
        count = count_outside(discs)
        if (np.abs(values) == 1.0).any():
            assert count is None
        else:
            assert count in (None, int((np.abs(values) > 1.0).sum()))
            decided += count is not None
        # A cluster of m discs holds m eigenvalues.
        for cluster in {disc.cluster for disc in discs}:
            mine = [disc for disc in discs if disc.cluster == cluster]
            inside = sum(any(disc.contains(complex(v)) for disc in mine) for v in values)
            assert inside == len(mine)
    assert decided > 120


def test_discs_hold_every_matrix_of_a_ball():
    generator = np.random.default_rng(6)
    for _ in range(100):
        n, radius = 4, 10.0 ** generator.uniform(-6, -1)
        J = generator.uniform(-1.0, 1.0, (n, n))
        balls = matrix(J)
        for i in range(n):
            for j in range(n):
                balls[i, j] = ball(J[i, j], radius)
        discs = multiplier_discs(balls)
        for _ in range(5):
            values = np.linalg.eigvals(J + radius * generator.uniform(-1.0, 1.0, (n, n)))
            assert all(any(disc.contains(complex(v)) for disc in discs) for v in values)
            count = count_outside(discs)
            assert count in (None, int((np.abs(values) > 1.0).sum()))


def test_a_jordan_block_is_decided_off_the_circle():
    J = 0.5 * np.eye(5) + np.diag(np.ones(4), 1)
    assert count_outside(multiplier_discs(matrix(J))) == 0
    assert count_outside(multiplier_discs(matrix(J + 1.5 * np.eye(5)))) == 5


def test_isolation():
    discs = multiplier_discs(matrix(np.diag([2.0, 0.5, 0.5])))
    assert is_isolated(discs, 0) and not is_isolated(discs, 1)
    assert Disc(1.0, 1e-3, 0).outside is None and Disc(1.1, 1e-3, 0).outside is True
