"""Nothing in the package changes the state of the process beyond a call."""

import os
import random
import signal
import subprocess
import sys
import warnings

import matplotlib
import numpy as np
import pytest
import scipy.special  # noqa: F401  its import adds filters of warnings
from threadpoolctl import threadpool_info

import bifurcate as bf


def blas_threads():
    return sorted((lib["filepath"], lib["num_threads"]) for lib in threadpool_info() if lib["user_api"] == "blas")


def process_state():
    return {
        "floating-point warnings": np.geterr(),
        "printing": np.get_printoptions(),
        "warnings": list(warnings.filters),
        "NumPy's random numbers": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "random numbers": random.getstate(),
        "signals": signal.getsignal(signal.SIGINT),
        "environment": dict(os.environ),
        "figures' settings": dict(matplotlib.rcParams),
        "folder": os.getcwd(),
        "threads of BLAS": blas_threads(),
    }


def curve(**changed):
    return bf.cycles(bf.maps.logistic(), "r", [0.6], **changed)


def network():
    return bf.adaptation.ring(6, (0.8, 0.0), (0.8, 1.0), alpha=0.05, beta=-0.1, sigma=1 / 6)


def walk_in_turn(tmp_path):
    first, second = (bf.steps(curve(), {"r": (2.0, 3.5)}) for _ in range(2))
    for _ in range(5):
        next(first), next(second)
        assert np.geterr()["divide"] == "warn"  # between the steps, too
    first.close()


CALLS = [
    walk_in_turn,
    lambda tmp_path: bf.explore(curve(), {"r": (0.5, 3.5)}, depth=2, audit=True, journal=tmp_path / "journal"),
    lambda tmp_path: bf.save(bf.trace(curve(), {"r": (2.0, 3.5)}), tmp_path / "it.npz"),
    lambda tmp_path: bf.load((bf.save(bf.StepControl(), tmp_path / "it.npz"), tmp_path / "it.npz")[1]),
    lambda tmp_path: bf.trace(curve(), {"r": (2.0, 3.5)}).to_csv(tmp_path / "it.csv"),
    lambda tmp_path: bf.plot.diagram(bf.trace(curve(), {"r": (2.0, 3.5)}), "r"),
    lambda tmp_path: bf.lyapunov(bf.maps.henon(), [0.1, 0.1], steps=100),
    lambda tmp_path: bf.deflate(bf.maps.logistic(r=3.9), [[0.1]], period=2),
    lambda tmp_path: bf.orbit_diagram(bf.maps.logistic(), "r", [3.0, 5.0], [0.3], lambda x, r: x[0]),
    lambda tmp_path: bf.gradient.verdict(bf.Map(lambda x: 0.9 * x, {}), np.eye(2)),
    lambda tmp_path: bf.adaptation.ring(6, (0.8, 0.0), (0.8, 1.0), alpha=0.05, beta=-0.1, sigma=1 / 6).outcome(
        longest=50
    ),
]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_leaves_the_process_as_it_was(call, tmp_path):
    before = process_state()
    call(tmp_path)
    for name, value in process_state().items():
        assert value == before[name], name


def test_a_call_that_fails_leaves_the_process_as_it_was():
    before = process_state()
    for fails in (
        lambda: bf.trace(bf.cycles(bf.Map(lambda x, r: r + x, {"r": 1.0}), "r", [0.0]), {"r": (0.0, 2.0)}),
        lambda: bf.solve(bf.Map(lambda x: x + 1.0 + x**2, {}), [3.0]),
        lambda: next(bf.steps(curve(), {"r": (3.0, 3.5)})),
    ):
        with pytest.raises(bf.errors.BifurcateError):
            fails()
    assert process_state() == before


def test_importing_everything_leaves_the_process_as_it_was():
    code = (
        "import numpy as np, warnings, signal, os\n"
        "def state(): return np.geterr(), list(warnings.filters), signal.getsignal(signal.SIGINT), dict(os.environ)\n"
        "import matplotlib.pyplot, scipy.sparse.linalg, scipy.special, scipy.optimize, networkx\n"
        "before = state()\n"
        "import bifurcate as bf\n"
        "[getattr(bf, name) for name in bf.__all__]\n"
        "assert state() == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
