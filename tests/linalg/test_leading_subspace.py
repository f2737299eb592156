"""Leading multipliers by products alone, against LAPACK and closed forms; flips of a lattice with multiplicities."""

import numpy as np
import pytest

import bifurcate as bf
from bifurcate.linalg.leading_subspace import find_leading_subspace

COUPLING = 0.1


def counted(A):
    def product(v):
        product.calls += 1
        return A @ v

    product.calls = 0
    return product


def leading_of(values, k):
    """The wanted ones, from all."""
    return values[np.argsort(-np.abs(values))[:k]], np.sort(values.real)[:k], np.sort(values.real)[-k:]


@pytest.mark.parametrize("seed", range(3))
def test_matrices_that_are_not_normal(seed):
    rng = np.random.default_rng(seed)
    A = (rng.standard_normal((150, 150)) + np.triu(rng.standard_normal((150, 150)), 1)) / 30
    exact = np.linalg.eigvals(A)
    found = find_leading_subspace(counted(A), 150, 4)
    assert found.residual <= 1.0
    for expected in leading_of(exact, 4):
        for value in expected:
            parts = found.values if np.iscomplexobj(expected) else found.values.real
            assert np.abs(parts - value).min() < 1e-7


def test_multiple_multipliers_are_found_as_often_as_they_occur():
    d = np.concatenate([np.full(4, -1.2), np.full(3, 1.1), np.linspace(-0.9, 0.9, 400)])
    found = find_leading_subspace(counted(np.diag(d)), len(d), 6)
    assert np.count_nonzero(np.abs(found.values + 1.2) < 1e-9) == 4
    assert np.count_nonzero(np.abs(found.values - 1.1) < 1e-9) == 3


def test_the_vectors_of_a_similar_operator_save_products():
    rng = np.random.default_rng(5)
    Q = np.linalg.qr(rng.standard_normal((400, 400)))[0]
    d = np.linspace(-0.95, 0.9, 400)
    first = counted((Q * d) @ Q.T)
    found = find_leading_subspace(first, 400, 4, sharp=False)
    again = counted((Q * (1.01 * d)) @ Q.T)
    moved = find_leading_subspace(again, 400, 4, found.vectors, sharp=False)
    assert again.calls == moved.products < first.calls / 2
    assert abs(np.sort(moved.values.real)[0] + 1.01 * 0.95) < 1e-3


def test_rough_values_are_as_near_as_they_promise():
    d = np.linspace(-0.99, 0.8, 600)
    found = find_leading_subspace(counted(np.diag(d)), 600, 5, sharp=False)
    for value in found.values.real:  # of a symmetric matrix the error is below the residual
        assert np.abs(d - value).min() <= 0.01 * abs(abs(value) - 1.0)


def lattice(N, products):
    """N × N logistic maps, each coupled to its neighbours."""

    def couple(g):
        around = np.roll(g, 1, 0) + np.roll(g, -1, 0) + np.roll(g, 1, 1) + np.roll(g, -1, 1)
        return (1 - COUPLING) * g + COUPLING / 4 * around

    def jvp(x, v, r):
        products.append(r)
        return couple(r * (1 - 2 * x) * v)

    return bf.Map(
        lambda x, r: couple(r * x * (1 - x)),
        {"r": 2.9},
        jvp=jvp,
        parameter_derivative=lambda x, name, r: couple(x * (1 - x)),
    )


def test_flips_of_a_lattice_with_their_multiplicities():
    N, products = 24, []
    curve = bf.cycles(lattice(N, products), "r", np.full((N, N), 1 - 1 / 2.9))
    branch = bf.trace(curve, {"r": (2.9, 3.0025)})
    # multipliers (2 − r)(1 − ε + ε (cos a + cos b)/2): −1 once at r = 3, then at a shell of four modes
    shell = 2 + 1 / (1 - COUPLING * (1 - np.cos(2 * np.pi / N)) / 2)
    flips = branch.of("PD")
    assert [point.multiplicity for point in flips] == [1, 4]
    assert np.abs(np.array([point.parameters["r"] for point in flips]) - [3.0, shell]).max() < 1e-10
    assert all(abs(p.parameters["r"] - at) <= p.error + 1e-15 for p, at in zip(flips, (3.0, shell), strict=True))
    assert [s.outside for s in branch.spectra][-1] == 5
    assert len(products) < 150 * len(branch)
