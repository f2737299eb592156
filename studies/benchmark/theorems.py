"""Rows of theorems: what a proof in ball arithmetic costs. No peer proves a diagram from a user's own function."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import bifurcate as bf
from studies.benchmark.frame import Contest, Done, Row

__all__ = ["ROWS"]

RING: Any = {"baseline": (0.8, 0.0), "stimulus": (0.8, 1.05), "beta": -0.1, "sigma": 1 / 6, "b": 0.05}


def _points(*makers: tuple[str, Callable[[], Any]]) -> Contest:
    """Contenders that prove a point each; the result is its parameter or state, and the radius."""

    def contender(make: Callable[[], Any]) -> Callable[[], Done]:
        made = cache(make)

        def work() -> Done:
            theorem = bf.prove(made())
            where = theorem.parameter or theorem.states[0][0]
            return Done(1, (where.middle, where.radius), unknowns=len(theorem.certificate.centre))

        return work

    return Contest(1, {name: contender(make) for name, make in makers}, repeats=5)


def _special(map: bf.Map, kind: str, free: str, guess: Any, period: int = 1) -> Callable[[], Any]:
    return lambda: bf.special_point(map, kind, free=free, guess=guess, period=period)


def _small(quick: bool) -> Contest:
    return _points(
        ("logistic flip r = 3", _special(bf.maps.logistic(2.9), "flip", "r", [0.66])),
        ("logistic flip 1 + √6", _special(bf.maps.logistic(3.44), "flip", "r", [0.85], 2)),
        ("logistic fold 1 + √8", _special(bf.maps.logistic(3.83), "fold", "r", [0.515], 3)),
        ("Hénon flip", _special(bf.maps.henon(a=0.36), "flip", "a", [0.9, 0.3])),
        ("Hénon 2-cycle", lambda: bf.solve(bf.maps.henon(a=0.5), guess=[1.3, 0.0], period=2)),
        ("delayed logistic NS", _special(bf.maps.delayed_logistic(1.95), "neimark-sacker", "r", [0.49, 0.49])),
        ("20-cycle of r = 4", lambda: bf.solve(bf.maps.logistic(4.0), _cycle_of_four(), period=20)),
    )


def _cycle_of_four() -> np.ndarray:
    """A point of period 20 of x ↦ 4 x (1 − x)."""
    return np.sin(np.pi * np.array([12345.0]) / (2**20 - 1)) ** 2


def _network(quick: bool) -> Contest:
    sizes = (4,) if quick else (4, 8)

    def ring(n: int, alpha: float) -> bf.adaptation.Network:
        return bf.adaptation.ring(n, alpha=alpha, **RING)

    def all_weights(n: int) -> Callable[[], Any]:
        return lambda: bf.solve(ring(n, 0.05).update, ring(n, 0.05).equilibrium())

    def flip(n: int, full: bool) -> Callable[[], Any]:
        net = ring(n, 0.34)
        map, guess = (net.update, net.equilibrium()) if full else (net.reduced, net.reduced_equilibrium())
        return lambda: bf.special_point(map, "flip", free="alpha", guess=guess, reach=3.0)

    rows: list[tuple[str, Callable[[], Any]]] = []
    for n in sizes:
        rows += [(f"all {n * n} weights, equilibrium", all_weights(n)), (f"all {n * n} weights, flip", flip(n, True))]
    n = 8 if quick else 50
    units = bf.maps.logistic_ring(n, r=3.25, e=0.1)
    rows.append((f"ring of {n} logistic units, flip", _special(units, "flip", "r", np.full(n, 1.0 - 1.0 / 3.25))))
    n = 8 if quick else 180
    rows.append((f"reduced, {n}: equilibrium", lambda: _reduced_rest(ring(n, 0.05))))
    rows.append((f"reduced, {n}: flip", flip(n, False)))
    return _points(*rows)


def _reduced_rest(net: bf.adaptation.Network) -> Any:
    return bf.solve(net.reduced, net.reduced_equilibrium())


def _branches(quick: bool) -> Contest:
    def contender(map: bf.Map, free: str, guess: Any, bounds: tuple[float, float], period: int = 1) -> Any:
        traced = cache(lambda: bf.trace(bf.cycles(map, free, guess, period=period), {free: bounds}))

        def work() -> Done:
            theorem = bf.prove(traced())
            return Done(theorem.tubes, (float(len(theorem.special)), float(len(theorem.gaps))))

        return work

    ours = {
        "logistic [1.199, 3.40]": contender(bf.maps.logistic(2.5), "r", [0.6], (1.199, 3.4)),
        "Hénon through fold and flip": contender(bf.maps.henon(a=0.1), "a", [1.0, 0.3], (-0.3, 1.0)),
        "window of period 3": contender(bf.maps.logistic(3.84), "r", [0.15], (3.7, 3.85), 3),
        "delayed logistic through NS": contender(bf.maps.delayed_logistic(1.9), "r", [0.47, 0.47], (1.5, 2.3)),
    }
    for n in (4,) if quick else (4, 8, 16, 32):
        net = bf.adaptation.ring(n, alpha=0.05, **RING)
        name = f"network, {n} neurons, α in [0.01, 0.8]"
        ours[name] = contender(net.reduced, "alpha", net.reduced_equilibrium(), (0.01, 0.8))
    return Contest(1, ours, repeats=3)


def _together(quick: bool) -> Contest:
    """Many claims in one go: unstable cycles, special points of diagrams, a box. Proved, and claimed."""
    cycles = 5 if quick else 50

    def long_cycles() -> Done:
        angles = np.pi * np.random.default_rng(0).integers(1, 2**19, cycles) / (2**20 - 1)
        found = [bf.solve(bf.maps.logistic(4.0), [x], period=20) for x in np.sin(angles) ** 2]
        theorems = [bf.prove(each) for each in found if each.period == 20]
        return Done(len(theorems), (float(len(theorems)), float(len(found))))

    @cache
    def special() -> list[bf.SpecialPoint]:
        curves: tuple[tuple[bf.Map, str, Any, tuple[float, float]], ...] = (
            (bf.maps.logistic(2.5), "r", [0.6], (2.0, 3.5)),
            (bf.maps.henon(a=0.1), "a", [1.0, 0.3], (-0.3, 1.0)),
            (bf.maps.ricker(1.5), "r", [1.0], (1.0, 2.6)),
            (bf.maps.ikeda(0.6), "u", [0.6, 0.1], (0.3, 0.95)),
        )
        diagrams = [bf.explore(bf.cycles(m, free, guess), {free: bounds}, depth=2) for m, free, guess, bounds in curves]
        return [point for d in diagrams for point in d.special if point.kind in ("fold", "flip")]

    def special_points() -> Done:
        proved = [bf.prove(point) for point in special()]
        return Done(len(proved), (float(len(proved)), float(len(special()))))

    explored = cache(lambda: bf.explore(bf.cycles(bf.maps.logistic(2.5), "r", [0.6]), {"r": (1.2, 3.4)}, depth=1))

    def box() -> Done:
        found = bf.prove(explored(), box=[(0.01, 2.0), (1.2, 3.4)]).exclusion
        assert found is not None
        return Done(found.boxes, (float(found.complete), 1.0))

    ours = {f"{cycles} 20-cycles": long_cycles, "folds and flips of four diagrams": special_points, "a box": box}
    return Contest(1, ours, repeats=1 if quick else 3)


ROWS = (
    Row("theorems-points", "one solution or special point proved", "≤ 5 ms; ≤ 25 ms a 20-cycle", _small),
    Row("theorems-network", "the network's equilibria and flips proved", "≤ 0.3 s; ≤ 7 s at n = 180", _network),
    Row(
        "theorems-together",
        "many claims: proved, and claimed",
        "≤ 25 ms a cycle, 10 ms a point, 0.1 ms a box",
        _together,
    ),
    Row(
        "theorems-branches",
        "a branch proved: tubes, special points, gaps",
        "≤ 0.1 s; ≤ 5 s at n = 32",
        _branches,
        "a tube of n unknowns takes some n² products of jets in Python, 1 µs each, and there are 89 at n = 32",
    ),
)
