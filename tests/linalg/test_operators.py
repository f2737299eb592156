"""Structured solves and spectra against dense NumPy ones on random operators."""

import dataclasses

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse.linalg import LinearOperator

from bifurcate.errors import InvalidInput, NotIsolated
from bifurcate.linalg.bordered_system import Krylov, SingularSystem, bordered
from bifurcate.linalg.multipliers import spectrum
from bifurcate.linalg.operators import DiagonalLowRank, ShiftedLowRank, apply, compose, dense, shifted

KINDS = ["dense", "sparse", "free", "diagonal", "shifted", "shifted-structured"]


def operator(kind, rng, n=12, m=3):
    """A random operator of a kind."""
    if kind == "dense":
        return rng.standard_normal((n, n))
    if kind == "sparse":
        return sp.csr_array(np.where(rng.random((n, n)) < 0.4, rng.random((n, n)), 0.0)) + sp.eye_array(n)
    if kind == "free":
        A = np.eye(n) + 0.1 * rng.standard_normal((n, n))
        return LinearOperator((n, n), matvec=lambda x: A @ x, dtype=float)
    if kind == "diagonal":
        return DiagonalLowRank(rng.standard_normal(n), rng.standard_normal((n, m)), rng.standard_normal((n, m)))
    lift, project = rng.standard_normal((n, m)), rng.standard_normal((m, n))
    if kind == "shifted":
        return ShiftedLowRank(0.7, lift, project)
    core = project @ lift
    left = core - np.diag(np.diag(core))
    return ShiftedLowRank(0.7, lift, project, DiagonalLowRank(np.diag(core).copy(), left, np.eye(m)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("borders", [1, 3])
@pytest.mark.parametrize("columns", [None, 2])
def test_bordered_systems_of_every_kind(kind, borders, columns, rng):
    for _ in range(20):
        M = operator(kind, rng)
        n = M.shape[0]
        B, C = rng.standard_normal((n, borders)), rng.standard_normal((borders, n))
        D = rng.standard_normal((borders, borders))
        tail = () if columns is None else (columns,)
        f, g = rng.standard_normal((n, *tail)), rng.standard_normal((borders, *tail))
        x, y = bordered(M, B, C, D, krylov=Krylov(tolerance=1e-13)).solve(f, g)
        whole = np.block([[dense(M), B], [C, D]])
        expected = np.linalg.solve(whole, np.concatenate([f, g]))
        assert np.abs(np.concatenate([x, y]) - expected).max() < 1e-9 * np.linalg.cond(whole)


@pytest.mark.parametrize("kind", ["dense", "diagonal", "shifted"])
def test_borders_make_a_singular_block_regular(kind, rng):
    A = operator(kind, rng)
    target = next(value.real for value in spectrum(A).values if abs(value.imag) < 1e-12 and abs(value - 0.7) > 1e-6)
    M = shifted(A, target)
    assert np.linalg.cond(dense(M)) > 1e11
    n = A.shape[0]
    b, c = rng.standard_normal((n, 1)), rng.standard_normal((1, n))
    phi, s = bordered(M, b, c, np.zeros((1, 1))).solve(np.zeros(n), np.ones(1))
    assert abs(s[0]) < 1e-9 and np.abs(dense(M) @ phi).max() < 1e-8 * np.abs(phi).max()


@pytest.mark.parametrize("kind", KINDS)
def test_complex_shifts(kind, rng):
    A = operator(kind, rng)
    n, tau = A.shape[0], np.exp(0.7j)
    B = rng.standard_normal((n, 1)) + 0j
    x, y = bordered(shifted(A, tau), B, B.T, np.zeros((1, 1)), krylov=Krylov(tolerance=1e-13)).solve(
        np.ones(n) + 0j, np.ones(1)
    )
    assert np.abs(dense(A) @ x - tau * x + B @ y - 1.0).max() < 1e-8


def test_a_vanishing_diagonal_is_no_obstacle(rng):
    d = rng.standard_normal(9)
    d[[1, 4, 7]] = [0.0, 1e-14, -1e-9]
    A = DiagonalLowRank(d, rng.standard_normal((9, 4)), rng.standard_normal((9, 4)))
    x, _ = bordered(A, np.zeros((9, 0)), np.zeros((0, 9)), np.zeros((0, 0))).solve(np.ones(9), np.zeros(0))
    assert np.abs(dense(A) @ x - 1.0).max() < 1e-11


@pytest.mark.parametrize("kind", KINDS)
def test_spectra_agree_with_dense_ones(kind, rng):
    for _ in range(10):
        A = operator(kind, rng)
        s = spectrum(A)
        found = np.repeat(s.values, s.multiplicity)
        exact = np.linalg.eigvals(dense(A))
        assert len(found) == len(exact) == s.size and s.certified
        gap = np.abs(np.sort_complex(found.round(7)) - np.sort_complex(exact.round(7))).max()
        assert gap < 1e-6


@given(
    d=hnp.arrays(float, 6, elements=st.floats(-2, 2)),
    u=hnp.arrays(float, 6, elements=st.floats(0, 2)),
    v=hnp.arrays(float, 6, elements=st.floats(0, 2)),
    sign=st.sampled_from([-1.0, 1.0]),
)
@settings(max_examples=100, deadline=None)
def test_rank_one_of_one_sign_has_real_multipliers(d, u, v, sign):
    A = DiagonalLowRank(d, sign * u[:, None], v[:, None])
    values = spectrum(A).values
    assert (values.imag == 0).all()
    # Trace and the trace of the square, from the matrix itself.
    M = dense(A)
    assert abs(values.real.sum() - np.trace(M)) < 1e-10
    assert abs((values.real**2).sum() - np.trace(M @ M)) < 1e-8


@pytest.mark.parametrize("kind", KINDS)
def test_products(kind, rng):
    A, B = operator(kind, rng), operator(kind, rng)
    product = compose(A, B)
    assert np.abs(dense(product) - dense(A) @ dense(B)).max() < 1e-12
    if "shifted" in kind:
        A = dataclasses.replace(A, projection_key="P")
        same = ShiftedLowRank(0.3, rng.standard_normal((12, 3)), A.project, projection_key="P")
        for outer, inner in ((A, same), (same, A)):
            product = compose(outer, inner)
            assert product.lift.shape == (12, 3)  # one projection serves both: the core does not grow
            assert np.abs(dense(product) - dense(outer) @ dense(inner)).max() < 1e-12
            assert np.abs(dense(product.T) - dense(product).T).max() < 1e-12
            exact = product.project @ np.column_stack([product.lift @ e for e in np.eye(3)])
            assert np.abs(dense(product.core) - exact).max() < 1e-12


def test_apply_takes_complex_columns(rng):
    A = operator("free", rng)
    Z = rng.standard_normal((12, 2)) + 1j * rng.standard_normal((12, 2))
    assert np.abs(apply(A, Z) - dense(A) @ Z).max() < 1e-13


def test_arnoldi_finds_a_flip_behind_a_cluster():
    # 996 multipliers at 0.98 hide one at −0.97 from a solver asked for the largest moduli only.
    d = np.full(1000, 0.98)
    d[:4] = [-0.97, 0.3, -0.5, 0.1]
    A = LinearOperator((1000, 1000), matvec=lambda x: d * x.ravel(), dtype=float)
    s = spectrum(A)
    assert np.abs(s.values + 0.97).min() < 1e-9 and np.abs(s.values - 0.98).min() < 1e-9
    assert s.stable and "multiplicities" in s.note


def test_arnoldi_says_what_it_cannot_certify():
    d = np.linspace(1.5, 3.0, 500)
    s = spectrum(LinearOperator((500, 500), matvec=lambda x: d * x.ravel(), dtype=float))
    assert not s.certified and s.note and not s.stable


def test_counts_of_a_spectrum():
    rotation = 1.2 * np.array([[0.0, -1.0], [1.0, 0.0]])
    A = np.zeros((6, 6))
    A[:2, :2], A[2, 2], A[3, 3], A[4, 4] = rotation, 1.5, -1.1, -2.0
    s = spectrum(A)
    assert s.signature == (1, 2, 1) and s.outside == 5 and not s.stable and abs(s.margin + 1.0) < 1e-12
    tied = spectrum(np.array([[-1.0, 1.0], [-1e-16, -1.0]]))  # a double multiplier that rounding splits into a pair
    assert tied.real.all() and not tied.stable


def test_refusals():
    with pytest.raises(SingularSystem, match="singular"):
        bordered(np.zeros((2, 2)), np.zeros((2, 1)), np.ones((1, 2)), np.zeros((1, 1)))
    with pytest.raises(NotIsolated, match="manifold of at least 9 dimensions"):
        A = ShiftedLowRank(1.0, np.ones((10, 1)), np.ones((1, 10)))
        bordered(shifted(A, 1.0), np.ones((10, 1)), np.ones((1, 10)), np.zeros((1, 1)))
    with pytest.raises(InvalidInput, match="must both have shape"):
        DiagonalLowRank(np.ones(3), np.ones((3, 1)), np.ones((3, 2)))
    with pytest.raises(InvalidInput, match="project has shape"):
        ShiftedLowRank(1.0, np.ones((3, 1)), np.ones((2, 3)))


@pytest.mark.parametrize("n", [1, 2, 3, 40, 60])
def test_all_eigenvalues_of_dense_matrices(n, rng):
    A = rng.standard_normal((n, n))
    skew = A - A.T
    for matrix in (A, A + A.T, skew, A + A.T + 1e-9 * np.triu(skew)):
        found, expected = spectrum(matrix).values, np.linalg.eigvals(matrix)
        apart = np.abs(found[:, None] - expected)
        assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 1e-12 * max(1.0, np.linalg.norm(matrix, 2))
        assert (np.diff(np.abs(found)) < 1e-12).all()


def test_a_matrix_that_is_symmetric_to_rounding_has_real_multipliers(rng):
    A = rng.standard_normal((60, 60))
    A = A + A.T
    A += 2e-16 * np.abs(A).max() * rng.uniform(-1.0, 1.0, A.shape)
    assert not spectrum(A).values.imag.any()
    # Of almost symmetric matrices the almost antisymmetric part counts: [[1, δ], [−δ, 1]] has 1 ± iδ.
    B = np.diag(np.linspace(1.0, 3.0, 60))
    B[:2, :2] = [[1.0, 1e-6], [-1e-6, 1.0]]
    assert abs(np.abs(spectrum(B).values.imag).max() - 1e-6) < 1e-12
