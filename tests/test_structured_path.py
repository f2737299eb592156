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
        once = step.node.iterations + 1
        if step.stop is None:
            each = ("f", "domain", "jacobian", "parameter_derivative", "lift", "lift adjoint")
            assert dict(counts) == {**dict.fromkeys(each, once), "project": 2 * once}
            _ = step.node.spectrum.signature
            assert dict(counts) == {**dict.fromkeys(each, once), "project": 2 * once}
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
    with pytest.raises(ValueError, match="copy=False"):
        np.array(bf.LowRank(np.ones((3, 1)), np.ones((3, 1))), copy=False)
