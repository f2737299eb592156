"""How long the main job takes on many weights, and how much memory: ``python -m studies.benchmark [--quick]``.

One equilibrium of the full weights by Newton–Krylov from W₀ = 1, then a branch of 50 points in α with the stability of
every point. Drives rᵢ = (0.3 + 0.7 cos²(πi/n))² and r₀ᵢ = (0.3 + 0.7 sin²(πi/n))²; α = 0.02, β = −0.1, σ = 1/2; at
n = 1000 the state has 10⁶ unknowns. Nothing of size n² × n² is ever formed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import bifurcate as bf

BOUNDS = (0.02, 1.06)  # the first flips lie just below the upper end


@dataclass(frozen=True)
class Row:
    """One measured piece of work.

    Attributes
    ----------
    work : str
    unknowns : int
    steps : int
        Newton steps, or points of a branch.
    seconds : float
    peak_megabytes : float
        Largest memory of the whole process so far; NaN where the system does not tell.
    result : float
        A number that shows that the work was done: the residual, or the first flip's α.
    """

    work: str
    unknowns: int
    steps: int
    seconds: float
    peak_megabytes: float
    result: float


def network(n: int) -> bf.adaptation.Network:
    """The benchmark's network of n neurons."""
    i = np.arange(n)
    drive = (0.3 + 0.7 * np.cos(np.pi * i / n) ** 2) ** 2
    baseline = (0.3 + 0.7 * np.sin(np.pi * i / n) ** 2) ** 2
    return bf.adaptation.Network(drive, baseline, alpha=BOUNDS[0], beta=-0.1, sigma=0.5)


def run(n: int = 1000, points: int = 50) -> list[Row]:
    """Measure both pieces of work on n² weights."""
    net = network(n)
    begin = time.perf_counter()
    found = bf.solve(net.update, net.initial, method=bf.NewtonKrylov())
    rows = [Row("equilibrium by Newton–Krylov", n * n, found.iterations, *_since(begin), found.residual)]
    begin = time.perf_counter()
    control = bf.StepControl(first=1.0 / points, largest=1.0 / points, max_steps=2 * points)
    branch = bf.trace(bf.cycles(net.update, "alpha", found.state), {"alpha": BOUNDS}, control=control)
    flip = branch.first("flip").parameters["alpha"]
    rows.append(Row("branch in α with stability", n * n, len(branch), *_since(begin), flip))
    return rows


def _since(begin: float) -> tuple[float, float]:
    return time.perf_counter() - begin, _peak_megabytes()


def _peak_megabytes() -> float:
    try:
        import resource
    except ImportError:
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def main(arguments: list[str] | None = None) -> list[Row]:
    """Run, print and write ``benchmark.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="n = 60 instead of 1000")
    parser.add_argument("--out", type=Path, default=Path("figures"), help="folder of benchmark.json")
    chosen = parser.parse_args(arguments)
    rows = run(60 if chosen.quick else 1000)
    print(f"{'work':32} {'unknowns':>10} {'steps':>6} {'seconds':>9} {'peak MB':>9}   result")
    for row in rows:
        numbers = f"{row.unknowns:10d} {row.steps:6d} {row.seconds:9.3f} {row.peak_megabytes:9.0f}"
        print(f"{row.work:32} {numbers}   {row.result:.10g}")
    chosen.out.mkdir(parents=True, exist_ok=True)
    (chosen.out / "benchmark.json").write_text(json.dumps([asdict(row) for row in rows], indent=1))
    return rows


if __name__ == "__main__":
    main()
