"""Orbits, orbit diagrams, ensembles and Lyapunov exponents, beside what one would write by hand."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

import bifurcate as bf
from studies.benchmark.frame import Contest, Done, Row

__all__ = ["ROWS"]

KEEP = 60
BLOCK = 8192  # states of a block by hand, which stay in a core's cache

Array = NDArray[np.float64]


def _diagram(quick: bool) -> Contest:
    values, steps = np.linspace(2.5, 4.0, 50 if quick else 2000), 200 if quick else 2000
    map = bf.maps.logistic()

    def ours(layout: Literal["single"] | None, share: int) -> Done:
        some = values[::share]
        seen = bf.orbit_diagram(
            map, "r", some, [0.3], lambda x, r: x[0], transient=steps - KEEP, samples=KEEP, layout=layout
        )
        return Done(steps, (float(seen.samples[0, -1]), float(np.nanmax(seen.samples))), len(some))

    def numpy_by_hand() -> Done:
        x, kept = np.full(len(values), 0.3), []
        for k in range(steps - 1):
            if k >= steps - KEEP:
                kept.append(x)
            x = values * x * (1.0 - x)
        samples = np.array([*kept, x]).T
        return Done(steps, (float(samples[0, -1]), float(samples.max())))

    def python_by_hand() -> Done:
        samples = []
        for r in values.tolist():
            x, row = 0.3, []
            for k in range(steps - 1):
                if k >= steps - KEEP:
                    row.append(x)
                x = r * x * (1.0 - x)
            samples.append([*row, x])
        return Done(steps, (samples[0][-1], max(max(row) for row in samples)))

    ours_all = {
        "bifurcate": lambda: ours(None, 1),
        "bifurcate, one by one, every 20th": lambda: ours("single", 20),
    }
    peers = {"NumPy by hand, unchecked": numpy_by_hand, "Python by hand, a loop over values": python_by_hand}
    return Contest(len(values), ours_all, peers)


def _ensemble(quick: bool) -> Contest:
    starts, steps = np.linspace(0.1, 0.9, 500 if quick else 100_000)[:, None], 100 if quick else 1000
    map = bf.maps.logistic(r=3.9)

    def ours() -> Done:
        found = bf.ensemble(map, starts, 1, transient=steps, progress=False).states
        return Done(steps, (float(found[0, 0, 0]), float(found.mean())))

    def blocked() -> Done:
        parts = []
        for i in range(0, len(starts), BLOCK):
            x = starts[i : i + BLOCK, 0]
            for _ in range(steps):
                x = 3.9 * x * (1.0 - x)
            parts.append(x)
        whole = np.concatenate(parts)
        return Done(steps, (float(whole[0]), float(whole.mean())))

    return Contest(len(starts), {"bifurcate, ensemble": ours}, {"NumPy by hand in blocks, unchecked": blocked})


def _orbit(quick: bool) -> Contest:
    steps = 2000 if quick else 100_000
    map = bf.maps.logistic(r=3.9)
    f = map.f

    def ours() -> Done:
        return Done(steps, (float(bf.orbit(map, [0.3], steps).states[-1, 0]),))

    def bare() -> Done:
        x = np.array([0.3])
        states = [x]
        for _ in range(steps - 1):
            x = f(x, r=3.9)
            states.append(x)
        return Done(steps, (float(np.array(states)[-1, 0]),))

    return Contest(1, {"bifurcate, orbit": ours}, {"a loop over the same f, unchecked": bare})


def _exponents(quick: bool) -> Contest:
    steps = 500 if quick else 20_000
    map = bf.maps.henon()
    f, jacobian = map.f, map.jacobian
    assert jacobian is not None

    def ours() -> Done:
        found = bf.lyapunov(map, [0.1, 0.1], steps=steps, count=2)
        return Done(steps, tuple(found.values.tolist()))

    def by_qr() -> Done:
        x, Q, total, p = np.array([0.1, 0.1]), np.eye(2), np.zeros(2), dict(map.parameters)
        for k in range(steps + 1000):
            Q, R = np.linalg.qr(jacobian(x, **p) @ Q)
            x = f(x, **p)
            if k >= 1000:
                total += np.log(np.abs(np.diag(R)))
        return Done(steps, tuple((total / steps).tolist()))

    return Contest(2, {"bifurcate, lyapunov": ours}, {"a loop over QR of NumPy": by_qr})


def _few_exponents(quick: bool) -> Contest:
    steps, n = 20 if quick else 400, 100
    calls = [0]

    def f(x: Array, r: float) -> Array:
        calls[0] += x.size // n
        return np.asarray(r * x * (1.0 - x) + 0.1 * (np.roll(x, 1, axis=0) - x))

    map, start = bf.Map(f, {"r": 3.5}), np.linspace(0.2, 0.5, n)

    def ours() -> Done:
        calls[0] = 0
        found = bf.lyapunov(map, start, steps=steps, transient=20, count=5)
        return Done(steps, (float(found.values[0]), calls[0] / (steps + 20)))

    def whole() -> Done:
        x, Q, total = start.copy(), np.linalg.qr(np.random.default_rng(0).standard_normal((n, 5)))[0], np.zeros(5)
        for k in range(steps + 20):
            h = 1e-5
            J = np.array([(f(x + h * e, 3.5) - f(x - h * e, 3.5)) / (2 * h) for e in np.eye(n)]).T
            Q, R = np.linalg.qr(J @ Q)
            x = f(x, 3.5)
            if k >= 20:
                total += np.log(np.abs(np.diag(R)))
        return Done(steps, (float(total[0] / steps), 2.0 * n + 1.0))

    return Contest(n, {"bifurcate, lyapunov(count=5)": ours}, {"a Jacobian by differences, and QR": whole})


ROWS = (
    Row("orbit-diagram", "the logistic map's orbit diagram, 2000 values × 2000 iterations", "1.5 × NumPy", _diagram),
    Row("ensemble", "100,000 orbits of the logistic map, 1000 iterations", "1.5 × NumPy in blocks", _ensemble),
    Row("orbit", "an orbit of the logistic map, 100,000 iterations", "1.3 × a bare loop", _orbit),
    Row("exponents", "both exponents of the Hénon map, 20,000 iterations", "≤ 120 ms", _exponents),
    Row("few-exponents", "5 exponents of 100 coupled maps, no derivative", "≤ 11 values of f a step", _few_exponents),
)
