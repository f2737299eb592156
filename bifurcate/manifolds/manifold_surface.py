"""manifold_surface: the 2-D stable or unstable manifold of a saddle fixed point or cycle, as a triangulated surface.

It begins as a disc on which a Taylor expansion is trusted, and is carried on by iteration (``surface_growth``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput
from bifurcate.interrupts import interrupted_meanwhile, protected
from bifurcate.linalg.multipliers import EDGE
from bifurcate.linalg.operators import dense
from bifurcate.manifolds.batched_step import BatchedStep, batched_step
from bifurcate.manifolds.growth_limits import (
    GrowthLimits,
    check_inverse,
    growth_limits,
    inverse_step,
    states_beside,
)
from bifurcate.manifolds.saddle_direction import points_to_rounding, saddle_map
from bifurcate.manifolds.surface_growth import MOST_POINTS, SurfaceStop, grow_surface
from bifurcate.manifolds.surface_parametrisation import SurfaceParametrisation, parametrise_surface
from bifurcate.maps.iterated_map import LARGEST_DENSE, IteratedMap
from bifurcate.newton.solve import Solution
from bifurcate.printing import short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.tables import Columns, stacked, state_columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_flag

__all__ = ["ManifoldSheet", "ManifoldSurface", "manifold_surface"]

Array = NDArray[np.float64]

USUAL_RADIUS, USUAL_TOLERANCE = 1.0, 1e-2  # in units of the state, where nothing else is asked for
FINEST_TOLERANCE = 1e-8  # in units of the state: a surface as fine as that has more triangles than memory
SEPARATE = 1e-6  # |sin| of the angle between two eigenvectors below which they are one: the multipliers form a block

WORDS: dict[SurfaceStop, str] = {
    "radius": "it reaches as far as asked",
    "iterates": "the iterates asked for are done",
    "box": "it leaves the box",
    "pole": "it runs to infinity, into a pole, or to the edge of the map's domain",
    "torn": "it is torn, as at a pole or a discontinuity of the map",
    "points": f"{MOST_POINTS} points were not enough; ask for less or for a larger tolerance",
    "interrupted": "interrupted by the user; what was found is kept",
}


@dataclass(frozen=True, eq=False)
class ManifoldSheet:
    """The part of a 2-D manifold about one point of the cycle.

    Attributes
    ----------
    phase : int
        It starts at f^phase of the solution's state.
    points : ndarray, shape (m, *state's shape)
        Points of the manifold, the saddle first.
    t : ndarray, shape (m, 2)
        Their parameters: f^k takes the point at t to the one at Λt. Near the saddle they are lengths along the
        eigenvectors (along the real and the imaginary part of a complex one).
    triangles : ndarray of int, shape (k, 3)
        Numbers of their corners.
    distance : ndarray, shape (m,)
        From the saddle, along edges of triangles: at most some tenths longer than the shortest way on the surface.
    reasons : tuple of str
        Why it ends, at different places maybe for different reasons: "radius", "iterates", "box", "pole", "torn",
        "points", "interrupted".
    parametrisation : SurfaceParametrisation
        Its Taylor part.
    """

    phase: int
    points: Array
    t: Array
    triangles: NDArray[np.int_]
    distance: Array
    reasons: tuple[SurfaceStop, ...]
    parametrisation: SurfaceParametrisation

    __repr__ = short_repr

    @property
    def area(self) -> float:
        """The area of all triangles."""
        corners = self.points.reshape(len(self.points), -1)[self.triangles]
        a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        aa, bb, ab = (np.einsum("ij,ij->i", x, y) for x, y in ((a, a), (b, b), (a, b)))
        return float(0.5 * np.sqrt(np.maximum(aa * bb - ab**2, 0.0)).sum())

    def __str__(self) -> str:
        size = f"{len(self.t)} points, {len(self.triangles)} triangles, area {self.area:.6g}"
        return f"{size}; ends: {'; '.join(WORDS[reason] for reason in self.reasons)}"


@dataclass(frozen=True, eq=False)
class ManifoldSurface(Tabular):
    """The 2-D stable or unstable manifold of a saddle.

    Attributes
    ----------
    solution : Solution
        The saddle.
    stable : bool
        Which of its manifolds.
    sheets : tuple of ManifoldSheet
        One about every point of the cycle.
    tolerance : float
        Distance of the manifold from the edges of triangles at their middles, in the unit of the state.
    """

    solution: Solution
    stable: bool
    sheets: tuple[ManifoldSheet, ...]
    tolerance: float

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "print(surface), bf.plot.surface(surface)"

    @property
    def multipliers(self) -> tuple[complex, complex]:
        """The two multipliers of the saddle that belong to the manifold."""
        return self.sheets[0].parametrisation.multipliers

    def __str__(self) -> str:
        which, period = "stable" if self.stable else "unstable", self.solution.period
        name = "" if self.solution.map is None else f" of {self.solution.map.name}"
        what = "fixed point" if period == 1 else f"{period}-cycle"
        values = ", ".join(f"{v.real:.6g}{v.imag:+.6g}i" if v.imag else f"{v.real:.6g}" for v in self.multipliers)
        lines = [f"2-D {which} manifold of a {what}{name}, multipliers {values}, tolerance {self.tolerance:.1g}"]
        lines += [f"  {f'point {each.phase}, ' if period > 1 else ''}{each}" for each in self.sheets]
        return "\n".join(lines)

    def table(self) -> Columns:
        """One row a vertex: the sheet's phase, the vertex's number, both parameters, the distance, the state."""
        return stacked(
            {
                "phase": [each.phase] * len(each.t),
                "vertex": list(range(len(each.t))),
                "t0": each.t[:, 0].tolist(),
                "t1": each.t[:, 1].tolist(),
                "distance": each.distance.tolist(),
                **state_columns(each.points),
            }
            for each in self.sheets
        )


def manifold_surface(
    solution: Solution,
    *,
    stable: bool = False,
    radius: float | None = None,
    iterates: int | None = None,
    tolerance: float | None = None,
    box: Any = None,
    inverse: Callable[..., Any] | None = None,
    progress: Report | bool | None = None,
) -> ManifoldSurface:
    """Grow the 2-D stable or unstable manifold of a saddle fixed point or cycle, as triangles.

    It begins with a Taylor expansion, f^k(P(t)) = P(Λt), and goes on by iteration. An edge of a triangle is halved
    until the manifold lies within the tolerance of its middle and turns by at most 0.3 radians between its halves, or
    both halves together are shorter than the tolerance.

    Parameters
    ----------
    solution : Solution
        A saddle with exactly two multipliers outside (for the unstable manifold) or inside (for the stable one) the
        unit circle, real or a complex pair.
    stable : bool
        True for the stable manifold: takes ``inverse``.
    radius : float, optional
        Distance from the saddle, along the surface. Without ``iterates``, one unit of the state (the larger of the
        map's scale and the saddle's largest component).
    iterates : int, optional
        Iterates of f^k (of its inverse) by which the Taylor part is stretched.
    tolerance : float, optional
        Largest distance of the manifold from edges at their middles; 10⁻² units by default.
    box : array_like, shape (n, 2), optional
        Least and largest values of the flattened state's components: triangles outside are left out.
    inverse : callable, optional
        ``inverse(x, **parameters)``, the inverse of f, for stable manifolds.
    progress : callable, bool, optional
        As for :func:`trace`.

    Returns
    -------
    ManifoldSurface
        Its points lie on the manifold to rounding, whatever the tolerance is. Every sheet says why it ends. An
        interrupt (Ctrl-C) ends it and keeps what was found.

    Raises
    ------
    InvalidInput
        If the solution is no saddle with a 2-D manifold of this kind, or an argument is unusable.

    References
    ----------
    Krauskopf & Osinga, J. Comput. Phys. 146 (1998) 404; Haro et al., The Parameterization Method for Invariant
    Manifolds, Springer 2016, chapter 2.

    Examples
    --------
    >>> import bifurcate as bf, numpy as np
    >>> f = lambda x, a: np.array([2 * x[0], 1.5 * x[1], 0.5 * x[2] + a * x[0] ** 2])
    >>> saddle = bf.solve(bf.Map(f, {"a": 1.0}), [0.0, 0.0, 0.0])
    >>> sheet = bf.manifold_surface(saddle).sheets[0]  # z = x²/3.5
    >>> x, y, z = sheet.points.T
    >>> bool(np.abs(z - x**2 / 3.5).max() < 1e-12)
    True
    """
    check_flag("stable", stable)
    map = saddle_map(solution)
    check_inverse(inverse, stable)
    if stable and inverse is None:
        raise InvalidInput(
            "a stable surface is grown by the inverse of the map: give inverse=, as inverse(x, **parameters)"
        )
    _check_dimension(solution, stable)
    iterate = IteratedMap(map, solution.state.shape, solution.period)
    places = points_to_rounding(solution, iterate)
    unit = max(map.scale, float(np.abs(places[0]).max()))
    limits = growth_limits(
        places[0],
        unit,
        iterate.periods,
        farthest=("radius", radius, USUAL_RADIUS),
        iterates=iterates,
        tolerance=tolerance,
        usual=USUAL_TOLERANCE,
        finest=FINEST_TOLERANCE,
        box=box,
    )
    sheets, values = list[ManifoldSheet](), dict(map.parameters)
    with protected(), np.errstate(all="ignore"), reporting(progress, f"surface of {map.name}", ()) as report:
        for phase, place in enumerate(places):
            f, P = _start(iterate, place, inverse, limits)
            known = sum(len(sheet.t) for sheet in sheets)

            def tell(count: int, known: int = known) -> None:
                if report is not None:
                    report(Progress(values, known + count, 0, 0, None))

            mesh, distance, reasons = grow_surface(f, P, limits, tell)
            points = mesh.points.reshape(-1, *iterate.shape)
            sheets.append(ManifoldSheet(phase, points, mesh.t, mesh.triangles, distance, reasons, P))
            if "interrupted" in sheets[-1].reasons or interrupted_meanwhile():
                break
    return ManifoldSurface(solution, bool(stable), tuple(sheets), limits.tolerance)


def _check_dimension(solution: Solution, stable: bool) -> None:
    """Refuse a solution whose manifold is no surface, and say what it is instead."""
    if solution.state.size > LARGEST_DENSE:
        raise InvalidInput(f"manifolds take all eigenvectors: {solution.state.size} unknowns; at most {LARGEST_DENSE}")
    sizes = np.abs(np.asarray(solution.multipliers))
    if (np.abs(sizes - 1.0) <= EDGE).any():
        raise InvalidInput("the solution is not hyperbolic: a multiplier lies on the unit circle")
    which, side = ("stable", "inside") if stable else ("unstable", "outside")
    count, n = int(np.count_nonzero(sizes < 1.0 if stable else sizes > 1.0)), solution.state.size
    if count == 1:
        raise InvalidInput(f"one multiplier lies {side} the unit circle: the {which} manifold is a curve, bf.manifold")
    if count != 2 or n == 2:
        what = "an open set of states" if count == n else f"of dimension {count}"
        raise InvalidInput(
            f"{count} multipliers lie {side} the unit circle: the {which} manifold is {what}, no surface"
        )


def _start(
    iterate: IteratedMap, place: Array, inverse: Callable[..., Any] | None, limits: GrowthLimits
) -> tuple[BatchedStep, SurfaceParametrisation]:
    """The map that stretches the manifold, and its Taylor part."""
    A = dense(iterate.jacobian(iterate.orbit(place, iterate.map.parameters), iterate.map.parameters))
    nearby = states_beside(iterate, place, np.eye(len(place)))
    f = batched_step(iterate.map, iterate.shape, iterate.period, nearby)
    step = f
    if inverse is not None:
        step, A = inverse_step(iterate, inverse, f, nearby, limits.unit), np.linalg.inv(A)
    multipliers, columns = _two_directions(A)
    P = parametrise_surface(place, A, multipliers, columns, step, limits.unit, limits.periods)
    return step, P


def _two_directions(A: Array) -> tuple[tuple[complex, complex], NDArray[np.complex128]]:
    """The two eigenvalues of largest modulus and their eigenvectors: real ones, or a pair with Im λ₁ > 0."""
    values, vectors = np.linalg.eig(A.astype(complex))
    order = np.argsort(-np.abs(values), kind="stable")[:2]
    pair, columns = values[order], vectors[:, order]
    largest = columns[np.argmax(np.abs(columns), axis=0), [0, 1]]
    columns = columns * np.exp(-1j * np.angle(largest))  # the largest entry is positive
    if abs(pair[0].imag) > EDGE * abs(pair[0]):
        up = int(np.argmax(pair.imag))
        v = columns[:, up]
        return (complex(pair[up]), complex(pair[up].conjugate())), np.column_stack([v, v.conj()])
    real = columns.real / np.linalg.norm(columns.real, axis=0)
    if 1.0 - abs(float(real[:, 0] @ real[:, 1])) < SEPARATE**2:
        raise InvalidInput("the two multipliers are equal and have one eigenvector: such surfaces are not parametrised")
    return (complex(pair[0].real), complex(pair[1].real)), real.astype(complex)
