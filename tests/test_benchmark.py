"""The benchmark runs and does the work that it times; no time is asserted."""

import json

import numpy as np

from studies import benchmark


def test_the_quick_benchmark_does_its_work(tmp_path):
    equilibrium, branch = benchmark.main(["--quick", "--out", str(tmp_path)])
    assert equilibrium.unknowns == branch.unknowns == 3600
    assert equilibrium.result < 1e-11 and branch.steps >= 50
    # The first flip: α μ_max / n = 2 + β at the equilibrium, with μ from the bracket as a matrix.
    net = benchmark.network(60).replace(alpha=branch.result)
    R = net.response(net.equilibrium())
    r = net.drive
    bracket = (R @ r) * np.diag(R**2 / r) + np.outer(R, R**2)
    assert abs(branch.result * np.linalg.eigvals(bracket).real.max() / 60 - 1.9) < 1e-8
    written = json.loads((tmp_path / "benchmark.json").read_text())
    assert [row["unknowns"] for row in written] == [3600, 3600]
