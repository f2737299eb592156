"""Rows of the optional accelerator: the package with JAX and without, numba by hand, and pynamicalsys.

Every contender's first call compiles. ``compile_seconds`` measures it in a process's first use; the rows themselves
compare what a call costs from then on. Peers that are not installed are skipped with a word.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import bifurcate as bf
from studies.benchmark.frame import Contender, Contest, Done, Row, Unavailable

__all__ = ["ROWS", "fast_henon", "fast_logistic", "fast_ring", "first_and_best"]


def _jax() -> Any:
    try:
        import jax
    except ImportError as error:
        raise Unavailable("JAX is not installed (bifurcate[jax])") from error
    return jax


def _numba() -> Any:
    try:
        import numba
    except ImportError as error:
        raise Unavailable("numba is not installed (bifurcate[peers])") from error
    return numba


def fast_henon() -> bf.Map:
    """The Hénon map, written for the accelerator."""
    jnp = _jax().numpy
    parameters = {"a": 1.4, "b": 0.3}
    return bf.Map(lambda z, a, b: jnp.stack([1.0 - a * z[0] ** 2 + z[1], b * z[0]]), parameters, accelerate=True)


def fast_logistic() -> bf.Map:
    """The logistic map, which needs nothing of JAX."""
    return bf.Map(lambda x, r: r * x * (1.0 - x), {"r": 3.9}, accelerate=True)


def fast_ring(r: float) -> bf.Map:
    """A ring of logistic units."""
    jnp = _jax().numpy

    def f(x: Any, r: Any) -> Any:
        g = r * x * (1.0 - x)
        return 0.9 * g + 0.05 * (jnp.roll(g, 1) + jnp.roll(g, -1))

    return bf.Map(f, {"r": r}, accelerate=True)


def first_and_best(work: Callable[[], object], repeats: int = 3) -> tuple[float, float]:
    """Processor time of the first call, which compiles, and of the fastest later one."""
    times = []
    for _ in range(repeats + 1):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return times[0], min(times[1:])


@cache
def _numba_orbit() -> Any:
    numba = _numba()

    @numba.njit  # type: ignore[untyped-decorator]
    def orbit(x: float, r: float, steps: int) -> Any:
        out = np.empty(steps)
        for i in range(steps):
            out[i] = x
            x = r * x * (1.0 - x)
        return out

    return orbit


@cache
def _numba_orbit_of_arrays() -> Any:
    numba = _numba()
    f = numba.njit(lambda x, r: r * x * (1.0 - x))

    @numba.njit  # type: ignore[untyped-decorator]
    def orbit(x: Any, r: float, steps: int) -> Any:
        out = np.empty((steps, 1))
        for i in range(steps):
            out[i] = x
            x = f(x, r)
        return out

    return orbit


def _orbit(quick: bool) -> Contest:
    steps, fast, plain = 1000 if quick else 10**5, cache(fast_logistic), bf.maps.logistic(3.9)

    def ours(make: Callable[[], bf.Map]) -> Contender:
        def work() -> Done:
            _jax()
            return Done(steps, (float(bf.orbit(make(), [0.3], steps).states[10, 0]),))

        return work

    peers = {
        "numba, f on arrays, by hand": lambda: Done(
            steps, (float(_numba_orbit_of_arrays()(np.array([0.3]), 3.9, steps)[10, 0]),)
        ),
        "numba, floats, by hand": lambda: Done(steps, (float(_numba_orbit()(0.3, 3.9, steps)[10]),)),
    }
    both = {"bifurcate, accelerated": ours(fast), "bifurcate": ours(lambda: plain)}
    return Contest(1, both, {} if quick else peers)  # numba takes seconds to compile


def _exponents(quick: bool) -> Contest:
    steps, fast, plain = 500 if quick else 20_000, cache(fast_henon), bf.maps.henon()

    def ours(make: Callable[[], bf.Map]) -> Contender:
        def work() -> Done:
            found = bf.lyapunov(make(), [0.1, 0.1], steps=steps, count=2)
            return Done(steps, tuple(found.values.tolist()))

        return work

    @cache
    def system() -> Any:
        try:
            import pynamicalsys
        except ImportError as error:
            raise Unavailable("pynamicalsys is not installed (bifurcate[peers])") from error
        return pynamicalsys.DiscreteDynamicalSystem(model="henon map")

    def peer() -> Done:
        if quick:
            raise Unavailable("it compiles for twenty seconds")
        values = system().lyapunov([0.1, 0.1], steps, parameters=[1.4, 0.3])
        return Done(steps, tuple(float(value) for value in values))

    both = {"bifurcate, accelerated": ours(fast), "bifurcate": ours(lambda: plain)}
    return Contest(2, both, {"pynamicalsys (numba)": peer})


def _ensemble(quick: bool) -> Contest:
    m, steps = (100, 20) if quick else (10**5, 1000)
    starts = np.random.default_rng(0).uniform(0.1, 0.2, (m, 1))
    fast, plain = cache(fast_logistic), bf.maps.logistic(3.9)

    def ours(make: Callable[[], bf.Map]) -> Contender:
        def work() -> Done:
            _jax()
            found = bf.ensemble(make(), starts, 1, transient=steps - 1)
            return Done(steps, (float(found.states.mean()),))

        return work

    def by_hand() -> Done:
        total = 0.0
        for i in range(0, m, 2**14):
            x = starts[i : i + 2**14, 0].copy()
            for _ in range(steps - 1):
                x = 3.9 * x * (1.0 - x)
            total += x.sum()
        return Done(steps, (total / m,))

    both = {"bifurcate, accelerated": ours(fast), "bifurcate": ours(lambda: plain)}
    return Contest(m, both, {"NumPy by hand, in blocks": by_hand}, repeats=3)


def _many(quick: bool) -> Contest:
    count = 100 if quick else 10_000
    guesses = np.array([0.63, 0.19]) + np.random.default_rng(0).uniform(-0.1, 0.1, (count, 2))
    fast, plain = cache(fast_henon), bf.maps.henon()

    def ours(make: Callable[[], bf.Map]) -> Contender:
        def work() -> Done:
            found = bf.solve_many(make(), guesses)
            return Done(int(found.iterations.sum()), (float(found.residuals.max()),))

        return work

    return Contest(2, {"bifurcate, accelerated": ours(fast), "bifurcate": ours(lambda: plain)})


def _branches(quick: bool) -> Contest:
    count, fast, plain = 4 if quick else 10_000, cache(fast_henon), bf.maps.henon()
    b: Any = {"a": 0.1, "b": np.linspace(0.1, 0.5, count)}

    def ours(make: Callable[[], bf.Map]) -> Contender:
        def work() -> Done:
            found = bf.trace_many(make(), "a", [[0.6, 0.2]], {"a": (0.0, 1.0)}, parameters=b, progress=False)
            error = np.abs(found.special.of("flip").values - 0.75 * (1 - b["b"]) ** 2).max()
            return Done(len(found.values), (float(len(found.special)), float(error)))

        return work

    def one_by_one() -> Done:
        share, points = max(1, count // 20), 0
        for value in np.asarray(b["b"])[::share].tolist():
            map = bf.maps.henon(a=0.1, b=value)
            points += len(bf.trace(bf.cycles(map, "a", [0.6, 0.2]), {"a": (0.0, 1.0)}, progress=False))
        return Done(points, (float(points),))

    both = {"bifurcate, trace_many": ours(lambda: plain), "bifurcate, trace_many, accelerated": ours(fast)}
    return Contest(2, {**both, "bifurcate, trace, twenty of them": one_by_one}, repeats=2)


def _ring(quick: bool) -> Contest:
    n, bounds = (8, {"r": (1.5, 1.7)}) if quick else (50, {"r": (0.5, 3.2)})
    start, fast = np.full(n, 1 - 1 / bounds["r"][0]), cache(lambda: fast_ring(bounds["r"][0]))
    plain = cache(lambda: bf.maps.logistic_ring(n=n, r=bounds["r"][0], e=0.1))

    def ours(make: Callable[[], bf.Map]) -> Contender:
        def work() -> Done:
            branch = bf.trace(bf.cycles(make(), "r", start), bounds, progress=False)
            return Done(len(branch), (float(len(branch.special)),))

        return work

    return Contest(n, {"bifurcate, accelerated": ours(fast), "bifurcate, Jacobian given": ours(plain)}, repeats=2)


ROWS = (
    Row("fast-orbit", "an orbit of 10⁵ steps of a scalar map", "≤ 3 × numba", _orbit),
    Row("fast-exponents", "both exponents of the Hénon map, 20,000 steps", "≤ 2 × pynamicalsys", _exponents),
    Row("fast-ensemble", "10⁵ orbits of 1000 steps", "≤ 1.5 × NumPy in blocks", _ensemble),
    Row("fast-many", "10,000 Newton solves of the Hénon map", "≤ 30 ms", _many),
    Row("fast-branches", "10,000 branches of the Hénon map over b, stability, flips", "≥ 10 × one by one", _branches),
    Row("fast-ring", "a ring of 50 units, all special points", "as with a Jacobian", _ring),
)
