"""The benchmark's rows run and do the work that they time; no time is asserted."""

import itertools
import json
import math
import types

import numpy as np
import pytest

import bifurcate as bf
from studies.benchmark import baseline, network, scale, small
from studies.benchmark.__main__ import ROWS, main
from studies.benchmark.frame import Contest, Done, Measurement, Row, Unavailable, measure, table, write


def quick(name):
    return measure(ROWS[name], quick=True)


def test_the_command_prints_the_rows_named_and_writes_them(tmp_path, capsys):
    measured = main(["equilibrium-1000", "--quick", "--out", str(tmp_path)])
    written = json.loads((tmp_path / "benchmark.json").read_text())
    assert [entry["contender"] for entry in written["measured"]] == [m.contender for m in measured]
    assert written["setting"]["numpy"] == np.__version__
    printed = capsys.readouterr().out
    assert all(m.contender in printed for m in measured) and ROWS["equilibrium-1000"].work in printed
    with pytest.raises(SystemExit):
        main(["no-such-row", "--out", str(tmp_path)])


def test_contenders_take_turns_and_the_missing_are_skipped_with_a_word():
    turns = []

    def contender(name):
        def work():
            turns.append(name)
            if name == "absent":
                raise Unavailable("it is not installed")
            return Done(2, (1.0,))

        return work

    contest = Contest(7, {"a": contender("a")}, {"b": contender("b"), "absent": contender("absent")}, repeats=2)
    row = Row("x", "nothing", "none", lambda quick: contest)
    measured = measure(row)
    # Works as short as these are repeated in their turns.
    assert [name for name, _ in itertools.groupby(turns)] == ["a", "b", "absent", "a", "b"]
    assert min(turns.count("a"), turns.count("b")) > 2 and turns.count("absent") == 1
    a, b, absent = measured
    assert a.ratio == 1.0 and b.ratio == b.seconds / a.seconds and a.ours and not b.ours
    assert (a.unknowns, a.steps, a.result) == (7, 2, (1.0,)) and a.peak_megabytes > 1.0
    assert math.isnan(absent.seconds) and "skipped: it is not installed" in table(row, measured)


def test_measurements_survive_json(tmp_path):
    line = Measurement("x", "a", True, 1, 1, math.nan, math.nan, math.nan, math.nan, math.nan, (2.0,), "absent")
    write([line], tmp_path / "deep" / "b.json")
    assert json.loads((tmp_path / "deep" / "b.json").read_text())["measured"][0]["seconds"] is None


def test_the_network_rows_do_their_work():
    (equilibrium,), (branch,) = quick("equilibrium-1000"), quick("branch-1000")
    assert equilibrium.unknowns == branch.unknowns == 3600
    assert equilibrium.result[0] < 1e-11 and branch.steps >= 50
    # The first flip: α μ_max / n = 2 + β at the equilibrium, with μ from the bracket as a matrix.
    alpha = branch.result[0]
    net = network.network(60).replace(alpha=alpha)
    R = net.response(net.equilibrium())
    r = net.drive
    bracket = (R @ r) * np.diag(R**2 / r) + np.outer(R, R**2)
    assert abs(alpha * np.linalg.eigvals(bracket).real.max() / 60 - 1.9) < 1e-8


def test_the_rows_of_scale_do_their_work():
    structured, reduced, textbook, _ = quick("branch-20")
    assert structured.unknowns == 64 and reduced.unknowns == 8 and not textbook.ours
    assert len(structured.result) >= 3
    assert np.abs(np.subtract(structured.result, textbook.result)).max() < 1e-8
    assert np.abs(np.subtract(structured.result, reduced.result)).max() < 1e-8
    (weights,), (every,) = quick("weights-1000"), quick("reduced-1000")
    assert weights.steps >= 50 and len(weights.result) == 1
    assert abs(weights.result[0] - every.result[0]) < 1e-9
    # As many flips as multipliers lie below −1 at the end.
    net = scale.network(60, alpha=scale.BOUNDS[1])
    J = net.reduced.jacobian(net.reduced_equilibrium(), **net.parameters)
    values = np.linalg.eigvals(np.diag(J.diagonal) + J.left @ J.right.T)
    assert len(every.result) == np.count_nonzero(values.real < -1)


def test_the_largest_rows_in_their_quick_forms():
    factored, materialised = quick("spectrum-10000")
    assert factored.unknowns == 300**2 and abs(factored.result[0] - materialised.result[0]) < 1e-12
    (million,) = quick("reduced-1000000")
    assert million.steps >= 100 and len(million.result) == 1
    (ring,) = quick("ring-100000")
    assert ring.steps >= 50 and abs(ring.result[0] - 3.0) < 1e-11 and ring.result[1:] == (1.0, 5.0)


@pytest.mark.parametrize(("row", "exact", "step"), [("logistic", (1.0, 3.0), 0.05), ("henon", (-0.1225, 0.3675), 0.05)])
def test_the_small_rows_find_their_points(row, exact, step):
    ours, by_hand, pacopy = quick(row)
    assert np.abs(np.subtract(ours.result, exact)).max() < 1e-12 and ours.steps >= 80
    assert np.abs(np.subtract(by_hand.result, exact)).max() < step and by_hand.steps >= 60
    assert pacopy.note or pacopy.steps


def test_ten_unknowns_are_traced_by_both():
    ours, by_hand, _ = quick("dense-10")
    assert ours.result == by_hand.result == () and min(ours.steps, by_hand.steps) >= 80


@pytest.mark.parametrize(("row", "n"), [("ring-50", 10), ("ring-200", 12)])
def test_the_ring_rows_find_every_point(row, n):
    ours, walk, own, general, by_hand, _ = quick(row)
    branch_points, flips = small.ring_points(n)
    assert ours.result[:2] == (len(branch_points), len(flips)) and ours.result[2] < 1e-10
    # At r = 0.5 all multipliers are outside, at 3.2 those that have flipped, double but for the first.
    assert walk.steps >= 50 and walk.result == (n, 2 * len(flips) - 1)
    assert own.result == general.result and own.result[0] > ours.steps and own.result[1] >= ours.steps
    assert len(by_hand.result) > 0


def test_the_rings_have_as_many_points_as_they_should():
    assert [tuple(len(each) for each in small.ring_points(n)) for n in (50, 200)] == [(26, 19), (101, 74)]


def test_orbit_diagrams_agree_bit_for_bit():
    ours, _, by_numpy, by_python = quick("orbit-diagram")
    assert ours.result == by_numpy.result == by_python.result and ours.unknowns == 50


def test_everybody_solves_for_the_same_equilibrium():
    measured = quick("equilibrium-100")
    assert len(measured) == 6 and all(m.result[0] <= 1e-11 and not m.note for m in measured)


def test_pacopy_is_asked_in_its_own_terms(monkeypatch):
    def euler_newton(problem, u, value, callback, max_steps, newton_tol, verbose):
        for k in range(max_steps):
            while problem.norm2_r(problem.f(u, value)) > newton_tol**2:
                u = u - problem.jacobian_solver(u, value, problem.f(u, value))
            callback(k, value, u)
            slope = -problem.jacobian_solver(u, value, problem.df_dlmbda(u, value))
            assert problem.inner(slope, slope) > 0
            u, value = u + 0.1 * slope, value + 0.1

    monkeypatch.setattr(
        baseline.importlib, "import_module", lambda name: types.SimpleNamespace(euler_newton=euler_newton)
    )
    problem = baseline.Problem.of(bf.maps.logistic(r=1.5), "r")
    path = baseline.pacopy(problem, np.array([1 / 3]), 1.5, (1.5, 3.45))
    assert len(path) == 20 and max(abs(x[0] - (1 - 1 / r)) for x, r, _ in path) < 1e-9
    assert max(abs(values[0] - (2 - r)) for _, r, values in path) < 1e-9
    assert np.abs(np.subtract(baseline.changes(path), (3.0,))).max() < 0.11

    def refuse(name):
        raise RuntimeError("no licence")

    monkeypatch.setattr(baseline.importlib, "import_module", refuse)
    with pytest.raises(Unavailable, match="no licence"):
        baseline.pacopy(problem, np.array([1 / 3]), 1.5, (1.5, 3.45))


def test_curves_in_two_parameters_meet_their_resonances():
    flips, folds, turning = (np.sort(line.result) for line in quick("loci"))
    assert np.abs(turning - [-0.96, 0.0, 0.96, 2.24]).max() < 1e-9
    assert np.abs(flips - [0.0, 2.24]).max() < 1e-8 and np.abs(folds - [-0.96, 0.0]).max() < 1e-8


def test_the_rows_without_dense_jacobians_do_their_work():
    plain, dense = quick("plain-50")
    assert np.abs(np.subtract(plain.result[1:], dense.result)).max() < 1e-8 and plain.result[0] > 0
    sparse, dense = quick("sparse-50")
    assert np.abs(np.subtract(sparse.result, dense.result)).max() < 1e-10
    (products,) = quick("products-10000")
    assert products.result[0] < 150 * products.steps and abs(products.result[1] - 3.0) < 1e-10
    own, one = quick("threads-200")
    assert own.steps == one.steps and np.abs(np.subtract(own.result, one.result)).max(initial=0.0) < 1e-10


def test_the_rows_in_two_parameters_find_what_is_known():
    (resonance,) = quick("resonance")
    assert resonance.steps == 3 and all(abs(beta - 1.0) < 1e-2 for beta in resonance.result)
    (diagram,) = quick("explore-henon")
    assert diagram.result[0] == 4.0 and diagram.steps > 100  # the fixed points, their 2-cycles, folds and flips


def test_the_rows_without_matrices_count_what_they_call():
    (plain,) = quick("plain-1024")
    assert 4.0 < plain.result[0] / plain.steps < 150.0
    both, only = quick("products-262144")
    assert only.steps > 10 and 1.0 < only.result[0] < 12.0 and only.result[0] < both.result[0] < 150.0
