"""The secular equation of diagonal plus rank one against LAPACK, traces, and the spectra built on it."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import bifurcate as bf
from bifurcate.linalg.multipliers import spectrum
from bifurcate.linalg.operators import DiagonalLowRank, ShiftedLowRank
from bifurcate.linalg.rank_one_eigenvalues import RankOneUpdate


def exact(d, square, sign):
    z = np.sqrt(square)
    return scipy.linalg.eigvalsh(np.diag(d) + sign * np.outer(z, z))


def hard(rng, n, kind):
    """Diagonals and squares with ties, zeros, tiny gaps and scales far apart."""
    if kind == "plain":
        return rng.standard_normal(n), rng.random(n) / n
    if kind == "ties":
        return rng.integers(-3, 4, n).astype(float), rng.random(n) * (rng.random(n) < 0.6)
    if kind == "weights over 50 decades":
        return rng.standard_normal(n), 10.0 ** rng.uniform(-50, 2, n)
    return rng.integers(-2, 3, n) + 1e-14 * rng.standard_normal(n), rng.random(n)


@pytest.mark.parametrize("kind", ["plain", "ties", "weights over 50 decades", "clusters"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("n", [1, 2, 3, 17, 300])
def test_eigenvalues_and_counts_agree_with_lapack(kind, sign, n, rng):
    d, square = hard(rng, n, kind)
    A, values = RankOneUpdate(d, square, sign), exact(d, square, sign)
    size = np.abs(values).max() + 1e-300
    assert np.abs(A.find_all() - values).max() <= 3e-14 * size
    between = 0.5 * (values[1:] + values[:-1])[np.diff(values) > 1e-12 * size]
    for t in [*between, values[0] - 1.0, values[-1] + 1.0]:
        assert A.count_above(t) == np.count_nonzero(values > t)
    target = float(rng.uniform(values[0], values[-1]))
    chosen = A.find_near((target,), 2)
    assert max(np.abs(values - value).min() for value in chosen) <= 3e-14 * size
    wanted = [values[0], values[-1], *values[values > target][:2], *values[values <= target][-2:]]
    assert max(np.abs(chosen - value).min() for value in wanted) <= 3e-14 * size


@given(
    d=hnp.arrays(float, 7, elements=st.floats(-2, 2)),
    square=hnp.arrays(float, 7, elements=st.floats(0, 4)),
    sign=st.sampled_from([-1.0, 1.0]),
)
@example(d=np.zeros(7), square=np.full(7, 5e-324), sign=-1.0)
@example(d=np.zeros(7), square=np.full(7, 1e-80), sign=1.0)
@example(d=np.array([0.0, 1.0, -1.0, 2e-75, 3e-75, 0.0, 0.5]), square=np.full(7, 1e-75), sign=1.0)
@settings(max_examples=150, deadline=None)
def test_traces_and_interlacing(d, square, sign):
    A = RankOneUpdate(d, square, sign)
    values, z = A.find_all(), np.sqrt(square)
    M = np.diag(d) + sign * np.outer(z, z)
    assert abs(values.sum() - np.trace(M)) < 1e-12
    assert abs((values**2).sum() - np.trace(M @ M)) < 1e-11
    poles, shift = np.sort(d), 1e-13
    inner = values[:-1] if sign > 0 else values[1:]
    assert (inner >= poles[:-1] - shift).all() and (inner <= poles[1:] + shift).all()
    assert all(A.count_above(v + 1e-9) <= np.count_nonzero(values > v) for v in values)


def big(rng, n=2300):
    d = rng.uniform(-1.8, 1.6, n)
    return DiagonalLowRank(d, -rng.random((n, 1)) / n, rng.random((n, 1)))


def test_large_spectra_hold_a_few_values_and_exact_counts(rng):
    A = big(rng)
    n = len(A.diagonal)
    values = exact(A.diagonal, -(A.left * A.right).ravel(), -1.0)
    few, every = spectrum(A), spectrum(A, leading=n)
    assert len(few.values) < 20 and not few.complete and few.certified
    assert every.complete and np.abs(np.sort(every.values.real) - values).max() < 1e-13
    counts = (np.count_nonzero(values > 1), np.count_nonzero(values < -1), 0)
    assert few.signature == every.signature == counts and few.outside == every.outside == sum(counts)
    assert few.margin == pytest.approx(1.0 - np.abs(values).max(), abs=1e-13) and not few.stable
    for target in (1.0, -1.0):
        for side in (values[values > target][:3], values[values < target][-3:]):
            assert max(np.abs(few.values - value).min() for value in side) < 1e-13


def test_the_shift_of_a_structured_operator_counts_too(rng):
    inner = big(rng)
    n = len(inner.diagonal)
    core = DiagonalLowRank(inner.diagonal + 1.2, inner.left, inner.right)
    lift = np.vstack([np.eye(n), np.zeros((50, n))])
    project = np.hstack([np.diag(core.diagonal) + core.left @ core.right.T, np.zeros((n, 50))])
    A = ShiftedLowRank(-1.2, lift, project, core)
    up, down, pairs = spectrum(inner).signature
    s = spectrum(A)
    assert s.size == n + 50 and s.signature == (up, down + 50, pairs)
    assert s.multiplicity[np.abs(s.values + 1.2) < 1e-12].sum() == 50


def test_flips_of_a_branch_on_which_only_some_multipliers_are_known():
    n = 2200
    angle = np.pi * np.arange(n) / n
    drive, baseline = (0.3 + 0.7 * np.cos(angle) ** 2) ** 2, (0.3 + 0.7 * np.sin(angle) ** 2) ** 2
    net = bf.adaptation.Network(drive, baseline, alpha=1.75, beta=-0.5, sigma=0.5)
    bounds = {"alpha": (1.75, 1.7891)}
    branch = bf.trace(bf.cycles(net.reduced, "alpha", net.reduced_equilibrium()), bounds)
    last = net.replace(alpha=1.7891)
    J = last.reduced.jacobian(last.reduced_equilibrium(), **last.parameters)
    expected = exact(J.diagonal, -(J.left * J.right).ravel(), -1.0)
    assert 1 < np.count_nonzero(expected < -1) == sum(point.multiplicity for point in branch.of("flip")) < 20
    assert branch.doubts == () and len(branch.special) == len(branch.of("flip"))
    for point in branch.special:
        # α μ/n = 2 + β for a root μ of 1 + Σ R³/(p − μ), p = (R·r) R²/r, the secular equation of the bracket itself, or
        # for a p that two neurons equal by symmetry share: their difference is a mode of its own.
        here = net.replace(alpha=point.parameters["alpha"])
        R = here.response(here.reduced_equilibrium())
        mu, poles = 1.5 * n / here.alpha, (R @ drive) * R**2 / drive
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = (1.0 + np.sum(R**3 / (poles - mu))) / np.sum(R**3 / (poles - mu) ** 2)
        on_pole = np.count_nonzero(np.abs(poles - mu) < 1e-9 * mu) == 2
        assert on_pole or abs(newton) < 1e-9 * mu
