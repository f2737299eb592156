"""``python -m studies.benchmark.gpu``: ensembles, solve_many and a lattice by products alone, on a GPU and the CPU.

The same calls as everywhere: an accelerated map runs where JAX does by default. Without a GPU it says "no GPU".
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import bifurcate as bf
from studies.benchmark.accelerators import fast_henon, fast_logistic
from studies.benchmark.frame import Unavailable

__all__ = ["devices", "main", "measure_on"]

SIZES = {"ensemble": (10**6, 1000), "solve_many": 10**6, "lattice": 2048}
QUICK = {"ensemble": (500, 20), "solve_many": 100, "lattice": 8}
COUPLING = 0.1


def devices(kind: str) -> list[Any]:
    """JAX's devices of a kind ("gpu", "cpu"); none where JAX, or such a device, is missing."""
    try:
        import jax
    except ImportError:
        return []
    try:
        return list(jax.devices(kind))
    except RuntimeError:
        return []


def lattice(N: int) -> bf.Map:
    """N × N logistic units, each coupled to its neighbours, of which JAX gives the products."""
    import jax.numpy as jnp

    def f(x: Any, r: Any) -> Any:
        g = r * x * (1.0 - x)
        around = jnp.roll(g, 1, 0) + jnp.roll(g, -1, 0) + jnp.roll(g, 1, 1) + jnp.roll(g, -1, 1)
        return (1.0 - COUPLING) * g + COUPLING / 4.0 * around

    return bf.Map(f, {"r": 2.5}, accelerate=True, name=f"lattice {N} × {N}")


def _works(quick: bool) -> dict[str, Callable[[], float]]:
    """The pieces of work; each returns a number that is the same on every device."""
    sizes: Any = QUICK if quick else SIZES
    rng = np.random.default_rng(0)
    m, steps = sizes["ensemble"]
    starts = rng.uniform(0.1, 0.2, (m, 1))
    guesses = np.array([0.63, 0.19]) + rng.uniform(-0.1, 0.1, (sizes["solve_many"], 2))
    N = sizes["lattice"]
    disturbed = 0.6 + 1e-3 * rng.standard_normal((N, N))
    logistic, henon, units = fast_logistic().replace(r=3.2), fast_henon(), lattice(N)

    def ensemble() -> float:
        return float(bf.ensemble(logistic, starts, 1, transient=steps - 1).states.max())

    def solve_many() -> float:
        return float(bf.solve_many(henon, guesses).states[:, 0].mean())

    def products() -> float:
        return float(bf.solve(units, disturbed, method=bf.NewtonKrylov()).state.max())

    return {"ensemble": ensemble, "solve_many": solve_many, "matrix-free lattice": products}


def measure_on(device: Any, quick: bool = False) -> dict[str, tuple[float, float, float]]:
    """For every piece of work the seconds of its first call, those of its second one, and its result."""
    import jax

    found = {}
    with jax.default_device(device):
        for name, work in _works(quick).items():
            times = []
            for _ in range(2):
                begin = time.perf_counter()
                result = work()
                times.append(time.perf_counter() - begin)
            found[name] = (times[0], times[1], result)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure on the first GPU and on the CPU, and print both; "no GPU" where there is none."""
    parser = argparse.ArgumentParser(prog="python -m studies.benchmark.gpu", description="The accelerator on a GPU.")
    parser.add_argument("--quick", action="store_true", help="small forms of the work")
    chosen = parser.parse_args(arguments)
    gpus = devices("gpu")
    if not gpus:
        print("no GPU")
        return
    try:
        on_gpu, on_cpu = measure_on(gpus[0], chosen.quick), measure_on(devices("cpu")[0], chosen.quick)
    except Unavailable as reason:
        print(reason)
        return
    print(f"{gpus[0]}: seconds of the first call and of the next, and on the CPU")
    for name, (first, best, result) in on_gpu.items():
        _, cpu, expected = on_cpu[name]
        apart = abs(result - expected)
        print(f"  {name:20} {first:9.3f} {best:9.4f} {cpu:9.4f}  {cpu / best:6.1f} ×, apart by {apart:.1e}")


if __name__ == "__main__":
    main()
