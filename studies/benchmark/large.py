"""Rows of maps without a dense Jacobian: a plain f, small sparse matrices, products only; and of BLAS's threads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import threadpoolctl

import bifurcate as bf
from studies.benchmark.frame import Contender, Contest, Done, Row

__all__ = ["ROWS", "lattice", "plain_ring"]

RING = (0.5, 3.2)  # r
COUPLING = 0.1


def plain_ring(r: float, calls: list[int]) -> bf.Map:
    """A ring of logistic units of which nothing but f is given; ``calls`` counts how often it is called."""

    def f(x: np.ndarray, r: float) -> np.ndarray:
        calls[0] += 1
        g = r * x * (1 - x)
        around = np.roll(g, 1, axis=0) + np.roll(g, -1, axis=0)
        return np.asarray((1 - COUPLING) * g + COUPLING / 2 * around)

    return bf.Map(f, {"r": r})


def lattice(N: int, r: float, products: list[int]) -> bf.Map:
    """N × N logistic units, each coupled to its neighbours, known by products; ``products`` counts them."""

    def couple(g: np.ndarray) -> np.ndarray:
        around = np.roll(g, 1, 0) + np.roll(g, -1, 0) + np.roll(g, 1, 1) + np.roll(g, -1, 1)
        return np.asarray((1 - COUPLING) * g + COUPLING / 4 * around)

    def jvp(x: np.ndarray, v: np.ndarray, r: float) -> np.ndarray:
        products[0] += 1
        return couple(r * (1 - 2 * x) * v)

    return bf.Map(
        lambda x, r: couple(r * x * (1 - x)),
        {"r": r},
        jvp=jvp,
        parameter_derivative=lambda x, name, r: couple(x * (1 - x)),
    )


def _ring_branch(
    make: Callable[[], bf.Map], n: int, bounds: tuple[float, float], calls: list[int] | None = None
) -> Contender:
    start = np.full(n, 1 - 1 / bounds[0])

    def work() -> Done:
        if calls is not None:
            calls[0] = 0
        branch = bf.trace(bf.cycles(make(), "r", start), {"r": bounds})
        counted = () if calls is None else (float(calls[0]),)
        return Done(len(branch), (*counted, *(point.parameters["r"] for point in branch.special)))

    return work


def _given(n: int, sparse: bool) -> Callable[[], bf.Map]:
    return lambda: bf.maps.logistic_ring(n=n, r=RING[0], e=COUPLING, sparse=sparse)


def _plain(quick: bool) -> Contest:
    n, calls = 10 if quick else 50, [0]
    ours = {
        "bifurcate, f alone": _ring_branch(lambda: plain_ring(RING[0], calls), n, RING, calls),
        "bifurcate, dense Jacobian": _ring_branch(_given(n, False), n, RING),
    }
    return Contest(n, ours, repeats=3)


def _sparse(quick: bool) -> Contest:
    n = 10 if quick else 50
    ours = {"bifurcate, sparse": _ring_branch(_given(n, True), n, RING)}
    return Contest(n, {**ours, "bifurcate, dense": _ring_branch(_given(n, False), n, RING)}, repeats=5)


def _products(quick: bool) -> Contest:
    N, first, products = 20 if quick else 100, 2.99, [0]
    bound, start = 3.0001 if not quick else 3.001, np.full((N, N), 1 - 1 / first)

    def work() -> Done:
        products[0] = 0
        branch = bf.trace(bf.cycles(lattice(N, first, products), "r", start), {"r": (first, bound)})
        flips = [(point.parameters["r"], float(point.multiplicity)) for point in branch.of("flip")]
        return Done(len(branch), (float(products[0]), *(number for flip in flips for number in flip)))

    return Contest(N * N, {"bifurcate, products only": work}, repeats=1)


def _plain_large(quick: bool) -> Contest:
    n, calls = 320 if quick else 1024, [0]  # more than are made dense
    bounds = (1.5, 1.8 if quick else 2.6)
    return Contest(n, {"bifurcate, f alone": _ring_branch(lambda: plain_ring(1.5, calls), n, bounds, calls)}, repeats=3)


def _steps_by_products(quick: bool) -> Contest:
    N, products, control = 20 if quick else 512, [0], bf.StepControl(first=0.05, largest=0.05)
    start, bounds = np.full((N, N), 1 - 1 / 1.5), {"r": (1.5, 1.9)}

    def only_steps() -> Done:
        products[0] = 0
        steps = list(bf.steps(bf.cycles(lattice(N, 1.5, products), "r", start), bounds, detect=False, control=control))
        return Done(len(steps), (products[0] / len(steps),))

    def with_multipliers() -> Done:
        products[0] = 0
        branch = bf.trace(bf.cycles(lattice(N, 1.5, products), "r", start), bounds, control=control)
        return Done(len(branch), (products[0] / len(branch),))

    ours = {"bifurcate": with_multipliers, "bifurcate, without multipliers": only_steps}
    return Contest(N * N, ours, repeats=1)


def _threads(quick: bool) -> Contest:
    n = 20 if quick else 200
    work = _ring_branch(_given(n, False), n, (RING[0], 1.5))

    def in_one() -> Done:
        with threadpoolctl.threadpool_limits(1, user_api="blas"):
            return work()

    return Contest(n, {"bifurcate": work, "bifurcate, all in one thread": in_one}, repeats=3)


ROWS = (
    Row("plain-50", "a ring of 50 units, f alone (calls of f, special points)", "≤ 2 × the dense Jacobian", _plain),
    Row("sparse-50", "a ring of 50 units with a sparse Jacobian", "≤ 1.1 × dense", _sparse),
    Row(
        "products-10000",
        "a lattice of 100 × 100 units by products, flips at 3 and 3.0000987 (products, flips, multiplicities)",
        "≤ 150 products a point",
        _products,
    ),
    Row("plain-1024", "a ring of 1024 units, f alone (calls of f)", "≤ 150 calls a point", _plain_large),
    Row(
        "products-262144",
        "20 points on a lattice of 512 × 512 units by products (products a point)",
        "≤ 2 min; ≤ 12 products a point without multipliers",
        _steps_by_products,
    ),
    Row("threads-200", "a ring of 200 units with the process's threads", "≤ 1.1 × one thread", _threads),
)
