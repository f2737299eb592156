"""Rows of small and middling maps with dense Jacobians: a branch with the stability and special points of all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import scipy.linalg

import bifurcate as bf
import bifurcate.linalg.dense_elimination as elimination
import bifurcate.linalg.multipliers as spectra
from studies.benchmark.baseline import Problem, changes, pacopy, textbook
from studies.benchmark.frame import Contender, Contest, Done, Row

__all__ = ["ROWS", "ring_points"]


def _contest(
    map: bf.Map, free: str, start: Any, bounds: tuple[float, float], points: int, step: float, sign: float = 1.0
) -> Contest:
    """The contest of following a branch from its first point.

    Parameters
    ----------
    map : Map
    free : str
        The parameter.
    start : array_like
        The first fixed point.
    bounds : (float, float)
    points : int
        About as many points does our branch have.
    step : float
        The textbook's, in (x, p), for about as many points.
    sign : float
        ±1: whether the parameter rises or falls first.
    """
    curve, box = bf.cycles(map, free, start).replace(sides=(int(sign),)), {free: bounds}
    control = bf.StepControl(first=1.0 / points, largest=1.0 / points)
    problem, x, p = Problem.of(map, free), np.asarray(start, dtype=float), map.parameters[free]

    def ours() -> Done:
        branch = bf.trace(curve, box, control=control)
        return Done(len(branch), tuple(sorted(point.parameters[free] for point in branch.special)))

    def by_hand() -> Done:
        path = list(textbook(problem, x, p, bounds, step, sign))
        return Done(len(path), changes(path))

    def by_pacopy() -> Done:
        path = pacopy(problem, x, p, bounds)
        return Done(len(path), changes(path))

    return Contest(x.size, {"bifurcate": ours}, {"textbook, plain NumPy": by_hand, "pacopy": by_pacopy}, repeats=9)


def _logistic(quick: bool) -> Contest:
    points = 80 if quick else 200
    return _contest(bf.maps.logistic(r=0.5), "r", [-1.0], (0.5, 3.5), points, 3.8 / points)


def _henon(quick: bool) -> Contest:
    points = 80 if quick else 200
    return _contest(bf.maps.henon(a=-0.1, b=0.3), "a", [5.0, 1.5], (-0.2, 2.0), points, 5.8 / points, sign=-1.0)


def _ten(quick: bool) -> Contest:
    points, ring = 80 if quick else 200, bf.maps.logistic_ring(n=10, r=1.2, e=0.1)
    return _contest(ring, "r", np.full(10, 1 / 6), (1.2, 2.8), points, 2.2 / points)


RING = (0.5, 3.2)  # r
FLOOR = (
    "every point is located by itself, with some eight factorisations and about 2 ms of NumPy's calls around them; and "
    "the ring's Jacobian is symmetric, which makes its eigenvalues the cheapest there are"
)
RING_STEPS = 57


def ring_points(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The exact branch points r = 2 − 1/λₖ and flips r = 2 + 1/λₖ, λₖ = 0.9 + 0.1 cos(2πk/n), each once."""
    every = 1.0 / (0.9 + 0.1 * np.cos(2 * np.pi * np.arange(n // 2 + 1) / n))
    return np.sort(2.0 - every[2.0 - every > RING[0]]), np.sort(2.0 + every[2.0 + every < RING[1]])


def _ring(n: int) -> Contest:
    map = bf.maps.logistic_ring(n=n, r=RING[0], e=0.1)
    start = np.full(n, 1 - 1 / RING[0])
    curve, box, problem = bf.cycles(map, "r", start), {"r": RING}, Problem.of(map, "r")

    def ours() -> Done:
        branch = bf.trace(curve, box)
        branch_points, flips = (np.array([q.parameters["r"] for q in branch.of(kind)]) for kind in ("BP", "PD"))
        exact = ring_points(n)
        found = len(branch_points), len(flips)
        right = found == (len(exact[0]), len(exact[1]))
        error = (
            max(abs(np.sort(branch_points) - exact[0]).max(), abs(np.sort(flips) - exact[1]).max()) if right else 1.0
        )
        return Done(len(branch), (*map_float(found), float(error)))

    def only_steps() -> Done:
        steps = list(bf.steps(curve, box, detect=False))
        outside = [step.point.spectrum.outside for step in steps]
        return Done(len(steps), (float(outside[0]), float(outside[-1])))

    def by_hand() -> Done:
        path = list(textbook(problem, start, RING[0], RING, 2.6 * np.sqrt(n) / RING_STEPS))
        return Done(len(path), changes(path))

    def by_pacopy() -> Done:
        path = pacopy(problem, start, RING[0], RING)
        return Done(len(path), changes(path))

    calls = {"its LU and eigenvalue calls alone": own_calls(ours), "… with general eigenvalues": own_calls(ours, True)}
    ours_too = {"bifurcate": ours, "bifurcate, apart from locating": only_steps, **calls}
    return Contest(n, ours_too, {"textbook, plain NumPy": by_hand, "pacopy": by_pacopy}, repeats=5)


def map_float(numbers: tuple[int, ...]) -> tuple[float, ...]:
    """Whole numbers as floats."""
    return tuple(float(number) for number in numbers)


def own_calls(work: Callable[[], Done], general: bool = False) -> Contender:
    """The LAPACK calls that a piece of work makes, and nothing else: as many of each kind and size, on a sample.

    With ``general``, eigenvalues are computed as of matrices that are not symmetric, whatever they are.
    """
    factor, back = elimination.LAPACK["d"]
    eigenvalues = spectra.eigenvalues
    counted: Counter[tuple[Any, ...]] = Counter()
    samples: dict[tuple[Any, ...], tuple[Callable[..., Any], tuple[Any, ...]]] = {}

    def watched(name: str, routine: Callable[..., Any]) -> Callable[..., Any]:
        def call(matrix: np.ndarray, *rest: Any, **options: Any) -> Any:
            key = name, *(np.shape(each) for each in (matrix, *rest))
            if not counted[key]:
                samples[key] = routine, (matrix.copy(order="A"), *rest)
            counted[key] += 1
            return routine(matrix, *rest, **options)

        return call

    real = watched("factor", factor), watched("back", back)
    with (
        mock.patch.dict(elimination.LAPACK, d=real),
        mock.patch.object(spectra, "eigenvalues", watched("eigenvalues", eigenvalues)),
    ):
        work()

    def alone() -> Done:
        for key, count in counted.items():
            routine, arguments = samples[key]
            if general and key[0] == "eigenvalues":
                routine = scipy.linalg.eigvals
            for _ in range(count):
                routine(*arguments)
        kinds = {kind: sum(c for key, c in counted.items() if key[0] == kind) for kind in ("factor", "eigenvalues")}
        return Done(sum(kinds.values()), map_float((kinds["factor"], kinds["eigenvalues"])))

    return alone


ROWS = (
    Row("logistic", "fixed points of the logistic map, 200 points, located", "≤ 2 × the textbook", _logistic),
    Row("henon", "fixed points of the Hénon map round their fold, 200 points, located", "≤ 2 × the textbook", _henon),
    Row("dense-10", "a ring of 10 logistic units, 200 points with stability", "≤ 1 ms a step", _ten),
    Row(
        "ring-50",
        "a ring of 50 units, all 26 + 19 points",
        "≤ 1.3 × own calls",
        lambda q: _ring(10 if q else 50),
        FLOOR,
    ),
    Row(
        "ring-200",
        "a ring of 200 units, all 101 + 74 points",
        "≤ 1.3 × own calls; ≤ 12 ms a step apart from locating",
        lambda q: _ring(12 if q else 200),
        FLOOR,
    ),
)
