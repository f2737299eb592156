"""Weights as the state: what a step costs, how the branch keeps them, and that every path leads to the same branch."""

import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.linalg import LinearOperator

import bifurcate as bf
from bifurcate.errors import InvalidInput


def network(n, alpha=0.05, beta=-0.5):
    angle = np.pi * np.arange(n) / n
    drive, baseline = (0.3 + 0.7 * np.cos(angle) ** 2) ** 2, (0.3 + 0.7 * np.sin(angle) ** 2) ** 2
    return bf.adaptation.Network(drive, baseline, alpha=alpha, beta=beta, sigma=0.5)


def counting(map, counts):
    """The same map, whose every call and every product with its Jacobian's factors is counted."""

    def counted(name, function):
        def call(*args, **parameters):
            counts[name] += 1
            return function(*args, **parameters)

        return call

    def jacobian(W, **p):
        J = map.jacobian(W, **p)
        lift, project = (
            LinearOperator(A.shape, matvec=counted(a, A.matvec), rmatvec=counted(b, A.rmatvec), dtype=float)
            for A, a, b in ((J.lift, "lift", "lift adjoint"), (J.project, "project", "project adjoint"))
        )
        return bf.ShiftedLowRank(J.shift, lift, project, J.core)

    return bf.Map(
        counted("f", map.f),
        dict(map.parameters),
        jvp=counted("jvp", map.jvp),
        jacobian=counted("jacobian", jacobian),
        parameter_derivative=counted("parameter_derivative", map.parameter_derivative),
        domain=counted("domain", map.domain),
    )


def test_a_step_costs_a_fixed_number_of_passes_over_the_weights():
    counts = collections.Counter()
    net = network(16)
    map = counting(net.update, counts)
    seen = 0
    walk = bf.steps(bf.cycles(map, "alpha", net.equilibrium()), {"alpha": (0.05, 1.5)}, detect=False)
    next(walk)
    counts.clear()
    for step in walk:
        once = step.point.iterations + 1
        if step.stop is None:
            each = ("f", "domain", "jacobian", "parameter_derivative", "lift", "lift adjoint")
            assert dict(counts) == {**dict.fromkeys(each, once), "lift": once + 1, "project": 2 * once + 1}
            _ = step.point.spectrum.signature
            assert dict(counts) == {**dict.fromkeys(each, once), "lift": once + 1, "project": 2 * once + 1}
            seen += 1
        counts.clear()
    assert seen > 10


def test_a_branch_keeps_weights_as_their_factors():
    net = network(120)
    curve = bf.cycles(net.update, "alpha", net.equilibrium())
    branch = bf.trace(curve, {"alpha": (0.05, 1.0)})
    for point in branch.points:
        assert isinstance(point.kept, bf.LowRank) and 2 <= point.kept.rank <= 4
        exact = net.replace(alpha=point.free[0]).equilibrium()
        assert point.state.shape == (120, 120) and np.abs(point.state - exact).max() < 1e-10
    assert branch.states.shape == (len(branch), 120, 120)
    few = bf.trace(curve, {"alpha": (0.05, 0.1)}, keep=lambda W: W[:2, :3])
    assert few.states.shape == (len(few), 2, 3) and few.points[0].kept.base is None


@given(rank=st.integers(0, 5), m=st.integers(1, 30), n=st.integers(1, 30), seed=st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_factors_reproduce_the_matrix_or_are_refused(rank, m, n, seed):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((m, rank)) @ (10.0 ** rng.uniform(-9, 3, (rank, 1)) * rng.standard_normal((rank, n)))
    kept = bf.LowRank.of(A)
    if kept is None:
        assert 2 * (min(rank, m, n) + 1) * (m + n) > m * n
        return
    v = rng.standard_normal(n)
    assert np.abs(np.asarray(kept) - A).max(initial=0.0) <= 1.01e-14 * np.abs(A).max(initial=0.0)
    assert np.abs(kept @ v - A @ v).max() <= 1e-12 * (1.0 + np.abs(A).max(initial=0.0)) * n
    assert kept.T.shape == (n, m) and kept.shape == (m, n) and kept.rank <= min(m, n)


def test_factors_refuse_what_they_cannot_keep(rng):
    assert bf.LowRank.of(rng.standard_normal((200, 200))) is None
    assert bf.LowRank.of(np.full((90, 90), np.nan)) is None
    with pytest.raises(InvalidInput, match="equally many columns"):
        bf.LowRank(np.ones((3, 1)), np.ones((3, 2)))
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":  # before, copy=False asked for no more than to avoid one
        with pytest.raises(ValueError, match="copy=False"):
            np.array(bf.LowRank(np.ones((3, 1)), np.ones((3, 1))), copy=False)


@pytest.mark.parametrize("beta", [-0.5, 0.0])
def test_equilibria_in_factors_are_those_in_full(beta):
    net = network(30, alpha=0.7, beta=beta) if beta else bf.adaptation.Network(
        np.linspace(0.3, 1.0, 30), np.linspace(0.3, 1.0, 30), alpha=0.7, beta=0.0, sigma=0.5
    )  # fmt: skip
    W, thin = net.equilibrium(), net.factored_equilibrium()
    assert thin.rank <= 4 and thin.shape == (30, 30)
    assert np.abs(thin.dense() - W).max() < 1e-14 * np.abs(W).max()
    assert np.abs(net.project(thin) - net.project(W)).max() < 1e-14
    assert np.abs(net.update(thin.dense()) - thin.dense()).max() < 1e-13
    assert np.array_equal(net.spectrum(thin).values, net.spectrum(net.project(thin)).values)
    assert net.stability(thin).outputs == net.stability(W).outputs


def test_weights_that_start_from_a_given_matrix_have_no_factors(rng):
    net = network(6).replace(beta=0.0, initial=rng.random((6, 6)) + 1.0)
    with pytest.raises(InvalidInput, match="no thin factors"):
        net.factored_lift(net.reduced_equilibrium())


def test_ten_thousand_neurons_in_factored_form():
    net = network(10_000, alpha=1.78)
    W = net.factored_equilibrium()
    s = net.spectrum(W, every=False)
    assert s.size == 10**8 and s.multiplicity.max() == 10**8 - 10**4 and s.signature == (0, 1, 0)
    # Rows of the update itself, W⁺ = W + α (R Rᵀ − C) + β (W − C); the largest multiplier by power iteration.
    R, R0, rows = net.response(W), net.baseline_response, [0, 17, 5000]
    part = W.left[rows] @ W.right.T
    moved = 1.78 * (np.outer(R[rows], R) - np.outer(R0[rows], R0)) - 0.5 * (part - np.outer(R0[rows], R0))
    assert np.abs(moved).max() < 1e-12
    J, v = net.reduced.jacobian(net.project(W), **net.parameters), np.ones(10_000)
    for _ in range(2000):
        v = J @ v
        v /= np.linalg.norm(v)
    assert abs(v @ (J @ v) / (v @ v) - s.values[0].real) < 1e-9 and abs(s.values[0]) > 1
