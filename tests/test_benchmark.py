"""The benchmark's rows run and do the work that they time; no time is asserted."""

import json
import math

import numpy as np
import pytest

from studies.benchmark import network, scale
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
    assert turns == ["a", "b", "absent", "a", "b"]
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
    structured, reduced, textbook = quick("branch-20")
    assert structured.unknowns == 64 and reduced.unknowns == 8 and not textbook.ours
    assert len(structured.result) >= 3
    assert np.abs(np.subtract(structured.result, textbook.result)).max() < 1e-8
    assert np.abs(np.subtract(structured.result, reduced.result)).max() < 1e-8
    (weights,), (every,) = quick("weights-1000"), quick("reduced-1000")
    assert weights.steps >= 50 and len(weights.result) == 1
    assert abs(weights.result[0] - every.result[0]) < 1e-9
    # As many flips as multipliers lie below −1 at the end.
    net = scale.network(60, alpha=scale.BOUNDS[1])
    J = net.reduced.jacobian(net.equilibrium(reduced=True), **net.parameters)
    values = np.linalg.eigvals(np.diag(J.diagonal) + J.left @ J.right.T)
    assert len(every.result) == np.count_nonzero(values.real < -1)


def test_the_largest_rows_in_their_quick_forms():
    factored, materialised = quick("spectrum-10000")
    assert factored.unknowns == 300**2 and abs(factored.result[0] - materialised.result[0]) < 1e-12
    (million,) = quick("reduced-1000000")
    assert million.steps >= 100 and len(million.result) == 1
    (ring,) = quick("ring-100000")
    assert ring.steps >= 50 and abs(ring.result[0] - 3.0) < 1e-11 and ring.result[1:] == (1.0, 5.0)
