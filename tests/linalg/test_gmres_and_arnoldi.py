"""Krylov methods and sparse factors: against dense algebra, and on rings whose every multiplier is known."""

import copy
import pickle
import threading

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import LinearOperator

import bifurcate as bf
from bifurcate.errors import InvalidInput
from bifurcate.linalg import arnoldi
from bifurcate.linalg.gmres import Workspace, gmres
from bifurcate.linalg.matrix_free import workspace_of
from bifurcate.linalg.multipliers import spectrum
from bifurcate.linalg.operators import dense


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("restart", [15, 60])
def test_gmres_solves_from_any_start_in_one_workspace(kind, restart, rng):
    space = Workspace()
    for n in (1, 7, 60, 60):
        A = np.eye(n) + 0.4 * rng.standard_normal((n, n)) / np.sqrt(n)
        if kind is complex:
            A = A + 0.2j * rng.standard_normal((n, n)) / np.sqrt(n)
        b = rng.standard_normal(n).astype(kind)
        exact = np.linalg.solve(A, b)
        for start in (None, exact, 1e6 * rng.standard_normal(n)):
            x, left = gmres(
                lambda v, A=A: A @ v,
                b,
                start=start,
                tolerance=1e-12,
                restart=min(restart, n),
                max_restarts=40,
                precondition=lambda v: 0.8 * v,
                workspace=space,
            )
            assert np.abs(x - exact).max() < 1e-9
            assert left == pytest.approx(np.linalg.norm(b - A @ x) / np.linalg.norm(b), rel=1e-6)
    assert len(space.rows(1, 60, kind).base) <= min(restart, 60) + 1  # no more vectors than one run needs


def test_a_good_start_saves_products(rng):
    n, calls = 400, []
    d = 1.0 + rng.random(n)

    def matvec(v):
        calls.append(1)
        return d * v

    b, space = rng.standard_normal(n), Workspace()
    how = {"tolerance": 1e-10, "restart": 60, "max_restarts": 5, "precondition": lambda v: v, "workspace": space}
    gmres(matvec, b, start=None, **how)
    cold = len(calls)
    gmres(matvec, b, start=b / d * (1.0 + 1e-6), **how)
    assert len(calls) - cold < 0.75 * cold


def test_every_thread_has_its_own_workspace():
    space, seen = Workspace(), []
    mine = space.rows(2, 3, float).base
    thread = threading.Thread(target=lambda: seen.append(space.rows(2, 3, float).base is not mine))
    thread.start()
    thread.join()
    assert seen == [True] and space.rows(1, 3, float).base is mine
    assert isinstance(pickle.loads(pickle.dumps(space)), Workspace)
    assert copy.deepcopy(bf.Krylov(restart=7)).restart == 7


def test_a_setting_is_a_value_and_its_memory_is_elsewhere():
    krylov = bf.Krylov(restart=7)
    assert krylov == bf.Krylov(restart=7) and vars(krylov).keys() == {
        "tolerance",
        "restart",
        "max_restarts",
        "preconditioner",
    }
    assert workspace_of(krylov) is workspace_of(krylov)

    class Unhashable(list):
        def __call__(self, v):
            return v

    assert isinstance(workspace_of(bf.Krylov(preconditioner=Unhashable())), Workspace)
    for wrong in ({"tolerance": 0.0}, {"restart": 0}, {"max_restarts": 1.5}, {"preconditioner": 3}):
        with pytest.raises(InvalidInput, match=next(iter(wrong))):
            bf.Krylov(**wrong)


def test_a_solve_inside_a_solve_has_memory_of_its_own(rng):
    n, space = 12, Workspace()
    A = np.eye(n) + 0.1 * rng.standard_normal((n, n))
    b = rng.standard_normal(n)
    how = {"start": None, "tolerance": 1e-13, "restart": n, "max_restarts": 5, "workspace": space}

    def inner(v):
        return gmres(lambda w: A @ w, v, precondition=lambda w: w, **how)[0]

    x, _ = gmres(inner, b, precondition=lambda v: v, **how)  # A⁻¹ x = b
    assert np.abs(x - A @ b).max() < 1e-11 and not space.in_use


def ring(n, e=0.1, r=2.5):
    return bf.maps.logistic_ring(n, r=r, e=e, sparse=True)


@pytest.mark.parametrize("r", [0.7, 2.5, 2.99999, 3.05, 3.24])
@pytest.mark.parametrize("n", [301, 1000])
def test_symmetric_sparse_matrices_are_counted_exactly(n, r):
    map = ring(n, r=r)
    exact = (2 - r) * (0.9 + 0.1 * np.cos(2 * np.pi * np.arange(n) / n))
    s = spectrum(map.jacobian(np.full(n, 1 - 1 / r), **map.parameters))
    assert s.signature == (np.count_nonzero(exact > 1), np.count_nonzero(exact < -1), 0) and s.certified
    assert s.stable == (np.abs(exact).max() < 1)
    for value in s.values:
        target = np.sign(value.real)
        assert np.abs(exact - value).min() <= 1.1e-3 * abs(value - target) + 1e-12


def test_inertia_agrees_with_lapack_on_random_sparse_matrices(rng):
    for _ in range(3):
        n = 320
        A = sp.csr_array(np.where(rng.random((n, n)) < 0.004, rng.random((n, n)), 0.0))
        A = (A + A.T) * 0.6 + sp.diags_array(rng.uniform(-1.3, 1.3, n))
        values = np.linalg.eigvalsh(A.toarray())
        assert spectrum(A).signature == (np.count_nonzero(values > 1), np.count_nonzero(values < -1), 0)


def test_unsymmetric_sparse_matrices_next_to_both_targets(rng):
    n = 600
    d = rng.uniform(0.3, 0.6, n)  # a cluster in the middle; what matters is next to ±1 and on a complex pair
    d[:4] = [-0.999, 0.998, -1.2, 0.9]
    A = sp.lil_array(sp.diags_array(d) + sp.diags_array(0.1 * rng.random(n - 1), offsets=1))
    A[n - 2 :, n - 2 :] = 1.05 * np.array([[0.6, -0.8], [0.8, 0.6]])
    s = spectrum(sp.csr_array(A))
    for value in (-0.999, 0.998, -1.2, 1.05 * (0.6 + 0.8j), 1.05 * (0.6 - 0.8j)):
        assert np.abs(s.values - value).min() < 1e-8
    assert s.signature == (0, 1, 1) and s.certified and "multiplicities" in s.note
    again = spectrum(sp.csr_array(A), start=s.vector)
    assert again.signature == s.signature and again.vector.shape == (n,)


def test_flips_of_a_sparse_ring_with_their_multiplicities():
    n = 400
    curve = bf.cycles(ring(n), "r", np.full(n, 1 - 1 / 2.5))
    branch = bf.trace(curve, {"r": (2.5, 3.0002)}, control=bf.StepControl(first=0.02, largest=0.05))
    k = np.arange(12)
    exact = 2 + 1 / (0.9 + 0.1 * np.cos(2 * np.pi * k / n))
    exact = exact[exact < 3.0002]
    assert [point.multiplicity for point in branch.special] == [1] + [2] * (len(exact) - 1) and len(exact) > 3
    assert np.abs(np.array([p.parameters["r"] for p in branch.special]) - exact).max() < 1e-11
    assert {point.kind for point in branch.special} == {"flip"} and branch.doubts == ()
    assert all(spectrum.vector is None for spectrum in branch.spectra)


def test_neighbouring_double_flips_within_one_step_are_told_apart():
    n = 1000
    curve = bf.cycles(ring(n, r=2.99), "r", np.full(n, 1 - 1 / 2.99))
    branch = bf.trace(curve, {"r": (2.99, 3.00001)}, control=bf.StepControl(first=0.5, largest=0.5))
    exact = 2 + 1 / (0.9 + 0.1 * np.cos(2 * np.pi * np.arange(3) / n))
    assert [point.multiplicity for point in branch.special] == [1, 2, 2]
    assert np.abs(np.array([p.parameters["r"] for p in branch.special]) - exact).max() < 1e-11


@pytest.mark.slow
def test_branch_points_of_a_sparse_ring():
    n = 400
    branch = bf.trace(bf.cycles(ring(n, r=1.2), "r", np.full(n, 1 - 1 / 1.2)), {"r": (0.9994, 1.2)})
    exact = 2 - 1 / (0.9 + 0.1 * np.cos(2 * np.pi * np.arange(9) / n))
    exact = exact[exact > 0.9994][::-1]
    assert [point.label for point in branch.special] == ["BP"] * len(exact)
    assert [point.multiplicity for point in branch.special] == [2] * (len(exact) - 1) + [1]
    assert np.abs(np.array([p.parameters["r"] for p in branch.special]) - exact).max() < 1e-9


def test_of_a_crowd_the_first_flips_are_located_and_the_others_counted():
    n = 4000
    curve = bf.cycles(ring(n, r=2.9), "r", np.full(n, 1 - 1 / 2.9))
    branch = bf.trace(curve, {"r": (2.9, 3.2)}, control=bf.StepControl(first=0.1, largest=0.1))
    exact = 2 + 1 / (0.9 + 0.1 * np.cos(2 * np.pi * np.arange(n) / n))
    assert branch.special and {point.kind for point in branch.special} == {"flip"}
    few = sum(point.multiplicity for point in branch.special)
    for point in branch.special:
        assert np.abs(exact - point.parameters["r"]).min() <= point.errors["parameter"] + 1e-9
    assert f"of which the first {few} located" in " ".join(branch.doubts)
    total = sum(int(doubt.split()[0]) for doubt in branch.doubts)
    assert total == branch.spectra[-1].signature[1] == np.count_nonzero(exact < 3.2)


def four_ways(net):
    """The same update of the weights with its Jacobian as an ndarray, a sparse matrix, and products only."""
    J = net.update.jacobian
    parts = {"jvp": net.update.jvp, "parameter_derivative": net.update.parameter_derivative}
    whole = dense
    yield bf.Map(net.update.f, dict(net.update.parameters), jacobian=lambda W, **p: whole(J(W, **p)), **parts)
    yield bf.Map(
        net.update.f, dict(net.update.parameters), jacobian=lambda W, **p: sp.csr_array(whole(J(W, **p))), **parts
    )
    yield bf.Map(net.update.f, dict(net.update.parameters), **parts)
    yield net.update


@pytest.mark.slow
def test_every_path_leads_to_the_same_branch():
    n = 18  # 324 unknowns: more than are made dense
    angle = np.pi * np.arange(n) / n
    drive, baseline = (0.3 + 0.7 * np.cos(angle) ** 2) ** 2, (0.3 + 0.7 * np.sin(angle + 0.1) ** 2) ** 2
    net = bf.adaptation.Network(drive, baseline, alpha=1.5, beta=-0.5, sigma=0.5)
    bounds, control = {"alpha": (1.5, 1.85)}, bf.StepControl(first=0.1, largest=0.2)
    small = bf.trace(bf.cycles(net.reduced, "alpha", net.reduced_equilibrium()), bounds, control=control)
    flips = np.array([point.parameters["alpha"] for point in small.special])
    assert len(flips) >= 1 and {point.kind for point in small.special} == {"flip"}
    for map in four_ways(net):
        branch = bf.trace(bf.cycles(map, "alpha", net.equilibrium()), bounds, control=control)
        assert np.abs([point.parameters["alpha"] for point in branch.special] - flips).max() < 1e-9
        for point in branch.points:
            exact = net.replace(alpha=point.free[0]).equilibrium()
            assert np.abs(point.state - exact).max() < 1e-8


def test_products_only_keep_few_states():
    n = 3000
    d = np.linspace(-0.4, 0.4, n)
    map = bf.Map(lambda x, p: d * x + p - 0.1 * x**2, {"p": 0.1}, jvp=lambda x, v, p: (d - 0.2 * x) * v)
    curve = bf.cycles(map, "p", np.full(n, 0.1))
    branch = bf.trace(curve, {"p": (0.0, 0.3)}, control=bf.StepControl(first=0.1, largest=0.2), detect=False)
    x = branch.states[-1]
    assert np.abs(d * x + branch["p"][-1] - 0.1 * x**2 - x).max() < 1e-10
    assert len(workspace_of(curve.krylov).rows(1, n + 1, float).base) <= 61  # Krylov.restart + 1


def test_operators_of_multipliers_hold_a_start():
    d = np.linspace(-0.95, 0.9, 1000)
    A = LinearOperator((1000, 1000), matvec=lambda x: d * x.ravel(), dtype=float)
    s = spectrum(A)
    again = spectrum(A, start=s.vector)
    assert np.abs(np.sort(again.values.real)[0] + 0.95) < 1e-9 and again.signature == s.signature


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("end", [0.5, 0.99, -0.5, -0.99])
def test_multipliers_of_a_dense_band_are_given_to_the_digits_that_are_known(end, power):
    """They are not told apart; the nearest one is the end of the band to its last digit, along a branch, too."""
    A = sp.csr_array(sp.diags_array(end - np.copysign(0.3, end) * np.linspace(0.0, 1.0, 4000) ** power))
    start = None
    for _ in range(4):
        found = spectrum(A, start=start)
        assert found.certified and found.outside == 0 and found.stable
        nearest = found.values.real[np.argmax(np.abs(found.values))]
        decimals = len(f"{nearest:.15g}".partition(".")[2])
        assert decimals >= 1 and abs(nearest - end) <= 10.0**-decimals
        start = found.vector


def test_few_solves_find_the_multipliers_far_from_the_circle(monkeypatch):
    """Next to ±1 several are asked for; far from it one is enough, and the method stops."""
    solves = []

    def counted(lu, start, leading):
        class Counted:
            def solve(self, b):
                solves.append(1)
                return lu.solve(b)

        return lanczos(Counted(), start, leading)

    lanczos = arnoldi._lanczos
    monkeypatch.setattr(arnoldi, "_lanczos", counted)
    ring = bf.maps.logistic_ring(1000, r=2.5, e=0.1, sparse=True)
    branch = bf.trace(bf.cycles(ring, "r", np.full(1000, 0.6)), {"r": (1.7, 2.7)})
    assert not branch.special
    assert len(solves) <= 35 * len(branch)  # both targets together; 60 where each takes its longest
