"""The rows of the accelerator, and what runs on a GPU, on the CPU: both paths do the same work."""

import numpy as np
import pytest

from studies.benchmark import gpu
from studies.benchmark.__main__ import ROWS
from studies.benchmark.frame import measure

jax = pytest.importorskip("jax")


def test_without_a_gpu_it_says_so(capsys):
    if gpu.devices("gpu"):
        pytest.skip("there is a GPU")
    gpu.main([])
    assert capsys.readouterr().out == "no GPU\n"


def test_what_runs_on_a_gpu_runs_on_the_cpu():
    found = gpu.measure_on(gpu.devices("cpu")[0], quick=True)
    assert list(found) == ["ensemble", "solve_many", "matrix-free lattice"]
    r, a, b = 3.2, 1.4, 0.3
    cycle = (r + 1 + np.sqrt((r + 1) * (r - 3))) / (2 * r)
    assert abs(found["ensemble"][2] - cycle) < 1e-3  # after 20 steps
    assert abs(found["solve_many"][2] - (b - 1 + np.sqrt((1 - b) ** 2 + 4 * a)) / (2 * a)) < 1e-10
    assert abs(found["matrix-free lattice"][2] - 0.6) < 1e-9


@pytest.mark.parametrize("name", ["fast-orbit", "fast-exponents", "fast-many", "fast-branches", "fast-ring"])
def test_the_rows_do_their_work(name):
    measured = [each for each in measure(ROWS[name], quick=True) if not each.note]
    fast, plain = measured[:2]
    assert fast.steps > 0
    # The sum of both exponents; the counts of special points; a state, a residual.
    a, b = (sum(each.result) if name == "fast-exponents" else each.result[0] for each in (fast, plain))
    assert abs(a - b) < 1e-9
