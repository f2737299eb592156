"""ConnectingOrbit: an orbit that leaves one saddle and comes to another, or to the same one, with its certificate."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.manifolds.manifold import Manifold, ManifoldBranch, sampler_of
from bifurcate.manifolds.parametrisation import Parametrisation
from bifurcate.manifolds.saddle_direction import SaddleDirection
from bifurcate.manifolds.sampling import KnownPart, Sampler
from bifurcate.maps.connection_map import ConnectionMap
from bifurcate.maps.periodic_coordinates import shortest
from bifurcate.printing import short_repr

__all__ = ["ConnectingOrbit", "Half", "connect"]

Array = NDArray[np.float64]

# Distance of an orbit's ends from the saddles, in units of the state. What it makes wrong is far less than its square.
END = 1e-6
FURTHER = 100.0  # factor by which the ends of the orbit lie nearer to the saddles that its error is estimated from
NEWTON_STEPS = 15  # from two polygons that cross four are enough
CONVERGED = 1e-14  # residual in units of the state that is rounding
ACCEPTED = 1e-11  # ... and one that is accepted where it no longer falls
PROJECTIONS = 3  # onto the manifold beside the saddle, where each gains six digits
ROUNDINGS = 4.0  # units in the last place of the state by which f is rounded
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class ConnectingOrbit:
    """A homoclinic or heteroclinic orbit, one of whose points is an intersection of two manifolds.

    Attributes
    ----------
    problem : ConnectionMap
        The boundary value problem that it solves.
    unknowns : ndarray, shape (rows, *state's shape)
        Its states, and after them the saddles.
    parameters : mapping of str to float
        All parameters.
    unstable_half, stable_half : (int, int)
        Phase and side of the halves of the manifolds that meet at ``point``.
    t, s : float
        The point's parameters on them.
    arclengths : (float, float)
        Of the point from the saddles, along the unstable and the stable manifold; as exact as their meshes.
    angle : float
        Between the tangent spaces of the manifolds, in radians; 0 at a tangency.
    error : float
        Estimated error of the point: from the orbit with ends a hundred times nearer to the saddles, and rounding.
    residual : float
        ‖G‖_∞ of the boundary value problem.
    number : int
        Points of the same orbit have the same number.
    """

    problem: ConnectionMap
    unknowns: Array
    parameters: Mapping[str, float]
    unstable_half: tuple[int, int]
    stable_half: tuple[int, int]
    t: float
    s: float
    arclengths: tuple[float, float]
    angle: float
    error: float
    residual: float
    number: int = 0

    __repr__ = short_repr

    @property
    def states(self) -> Array:
        """The orbit's states under f^k, from beside one saddle to beside the other, shape (N + 1, *state's)."""
        return self.unknowns[: len(self.unknowns) - self.problem.saddle_count]

    @property
    def saddles(self) -> tuple[Array, Array]:
        """The saddle that it leaves, and the one it comes to."""
        return self.unknowns[len(self.unknowns) - self.problem.saddle_count], self.unknowns[-1]

    @property
    def point(self) -> Array:
        """The intersection of the manifolds."""
        return np.asarray(self.unknowns[self.problem.middle])

    @property
    def is_homoclinic(self) -> bool:
        """True if it comes back to the saddle that it leaves."""
        return self.problem.is_homoclinic

    def wrong_residual(self) -> str:
        """How the residual differs from what is stored; "" if it does not."""
        return self.problem.excess_residual(self.unknowns.reshape(-1), self.parameters, self.residual)

    def __str__(self) -> str:
        what = "homoclinic" if self.is_homoclinic else "heteroclinic"
        place = ", ".join(f"{value:.10g}" for value in self.point.reshape(-1))
        lengths = f"arclengths {self.arclengths[0]:.6g} and {self.arclengths[1]:.6g}"
        return f"{what} point ({place}) ± {self.error:.0e}, orbit {self.number}, {lengths}, angle {self.angle:.4g}"


@dataclass(frozen=True, eq=False)
class Half:
    """One half of a manifold with what gives its points anew."""

    at: SaddleDirection
    branch: ManifoldBranch
    sampler: Sampler

    @staticmethod
    def of(manifold: Manifold, branch: ManifoldBranch, at: SaddleDirection) -> Half:
        """The half of a manifold at a saddle's direction."""
        sampler, _ = sampler_of(at, stable=manifold.stable, parametrisation=branch.parametrisation)
        return Half(at, branch, sampler)

    def parameter_at(self, place: float) -> float:
        """The parameter at a place on the polygon: number of the segment, and part of it."""
        i = min(int(place), len(self.branch.t) - 2)
        return float(self.branch.t[i] + (place - i) * (self.branch.t[i + 1] - self.branch.t[i]))

    def arclength_at(self, t: float) -> float:
        """The arclength from the saddle, by a cubic through four points of the mesh; with the sign of the side."""
        order = self.branch.side * self.branch.t
        i = int(np.clip(np.searchsorted(order, self.branch.side * t) - 2, 0, len(order) - 4))
        x, y = order[i : i + 4], self.branch.arclength[i : i + 4]
        unit = x[-1] - x[0]
        curve = np.polynomial.Polynomial(np.linalg.solve(np.vander((x - x[0]) / unit, increasing=True), y))
        return self.branch.side * float(curve((self.branch.side * t - x[0]) / unit))


def connect(first: Half, second: Half, t: float, s: float, is_homoclinic: bool) -> ConnectingOrbit | str:
    """The orbit through two points that are nearly one, refined as a boundary value problem; or why there is none.

    Parameters
    ----------
    first, second : Half
        Of an unstable and of a stable manifold.
    t, s : float
        Parameters on them.
    is_homoclinic : bool
        True if both belong to one and the same point.
    """
    try:
        found = _solved(first, second, t, s, is_homoclinic, END)
        if isinstance(found, str):
            return found
        longer = _solved(first, second, found.t, found.s, is_homoclinic, END / FURTHER)
    except (MapFailed, np.linalg.LinAlgError) as error:
        return str(error)
    if isinstance(longer, str):
        return longer
    moved = float(np.abs(found.problem.single.difference(found.point.ravel(), longer.point.ravel())).max())
    return dataclasses.replace(found, error=found.error + moved)


def _solved(first: Half, second: Half, t: float, s: float, is_homoclinic: bool, end: float) -> ConnectingOrbit | str:
    problem, x, steps = _problem(first, second, t, s, is_homoclinic, end)
    p = dict(first.at.iterate.map.parameters)
    unit = max(problem.map.scale, float(np.abs(first.at.state).max()))
    x, residual = _newton(problem, x, p, unit)
    if not residual <= ACCEPTED * unit:
        return f"Newton's method left a residual of {residual:.1e}"
    rows = problem.rows(x)
    apart = [float(np.abs(rows[problem.middle] - saddle).max()) for saddle in (first.at.state, second.at.state)]
    if min(apart) <= 10.0 * END * unit:
        return "it came down to the saddle itself"
    G = problem.derivative(x, p)
    weakest = float(np.linalg.svd(G, compute_uv=False)[-1])
    count = len(rows) - problem.saddle_count
    t = _parameter(first.branch.parametrisation, rows[0], problem.map.periods) * _power(first, problem) ** steps[0]
    s = _parameter(second.branch.parametrisation, rows[count - 1], problem.map.periods) * _power(second, problem) ** (
        -steps[1]
    )
    if np.sign(t) != first.branch.side or np.sign(s) != second.branch.side:
        return "it came down to another half of a manifold"
    return ConnectingOrbit(
        problem=problem,
        unknowns=x.reshape(problem.shape),
        parameters=p,
        unstable_half=(first.branch.phase, first.branch.side),
        stable_half=(second.branch.phase, second.branch.side),
        t=t,
        s=s,
        arclengths=(first.arclength_at(t), second.arclength_at(s)),
        angle=_transversality(problem, rows, p),
        error=ROUNDINGS * EPS * unit / max(weakest, EPS),
        residual=residual,
    )


def _power(half: Half, problem: ConnectionMap) -> float:
    """The multiplier of g that belongs to a manifold: its own to the power by which the saddle's period is less."""
    return float(half.branch.parametrisation.multiplier ** (problem.steps // half.at.iterate.period))


def _problem(
    first: Half, second: Half, t: float, s: float, is_homoclinic: bool, end: float
) -> tuple[ConnectionMap, Array, tuple[int, int]]:
    """The boundary value problem with its first guess, and how many steps the point is from either end."""
    one = first.at.iterate
    k = math.lcm(one.period, second.at.iterate.period)
    empty = ConnectionMap(one.map, (1, *one.shape), 1, steps=k, is_homoclinic=is_homoclinic)
    growth, decay = _power(first, empty), _power(second, empty)
    unit = max(one.map.scale, float(np.abs(first.at.state).max()))
    before = max(1, math.ceil(math.log(abs(t) / (end * unit)) / math.log(abs(growth))))
    after = max(1, math.ceil(math.log(abs(s) / (end * unit)) / -math.log(abs(decay))))
    known = KnownPart(first.branch.t, first.branch.points.reshape(len(first.branch.t), -1))
    times = t * growth ** -np.arange(before, -1.0, -1.0)
    come = first.sampler.at(times, np.zeros((len(times), len(first.at.state))), known)
    P, going, x = second.branch.parametrisation, [], come[-1]
    for j in range(1, after + 1):
        here = s * decay**j
        x = P(here) if abs(here) <= P.radius else empty.image(x, one.map.parameters)
        going.append(x)
    states = np.vstack([come, *going])
    saddles = [first.at.state] if is_homoclinic else [first.at.state, second.at.state]
    rows = np.vstack([states, *saddles])
    if one.map.periods is not None:
        rows = _near_each_other(rows, one.map.periods)
    shape = (len(rows), *one.shape)
    free = ConnectionMap(one.map, shape, 1, steps=k, is_homoclinic=is_homoclinic, middle=before, unstable=1)
    p = one.map.parameters
    ends = (first.at.state, second.at.state)
    references = tuple(free.subspace_rows(free.block(saddle, p), i) for i, saddle in enumerate(ends))
    return dataclasses.replace(free, references=references), rows.ravel(), (before, after)


def _near_each_other(rows: Array, periods: Array) -> Array:
    """States moved by whole periods to between 0 and one period."""
    finite = np.isfinite(periods)
    widths = np.where(finite, periods, 1.0)
    return np.asarray(rows - np.where(finite, np.floor(rows / widths) * widths, 0.0))


def _newton(problem: ConnectionMap, x: Array, p: dict[str, float], unit: float) -> tuple[Array, float]:
    """A solution as exact as rounding allows, and its residual."""
    best, least = x, np.inf
    for _ in range(NEWTON_STEPS):
        residual = problem.orbit(x, p)[-1] - x
        size = float(np.abs(residual).max())
        if size < least:
            best, least = x, size
        no_longer_falls = best is not x
        if not np.isfinite(size) or size <= CONVERGED * unit or (least <= ACCEPTED * unit and no_longer_falls):
            break
        x = x - np.linalg.solve(problem.derivative(x, p), residual)
    return best, least


def _parameter(P: Parametrisation, x: Array, periods: Array | None) -> float:
    """t with P(t) nearest to a state beside the saddle."""
    a = P.coefficients
    t = float(a[1] @ shortest(x - a[0], periods))
    for _ in range(PROJECTIONS):
        t += float(a[1] @ shortest(x - P(t), periods))
    return t


def _transversality(problem: ConnectionMap, rows: Array, p: Mapping[str, float]) -> float:
    """The angle between the tangent spaces of both manifolds at the middle state.

    The unstable one is carried forward from the first saddle; of the stable one the normal rows, backward from the
    second: both grow on the way, and so converge.
    """
    count = len(rows) - problem.saddle_count
    a, b = rows[count], rows[-1]
    normals = problem.subspace_rows(problem.block(a, p), 0)
    n = rows.shape[1]
    tangents = np.linalg.svd(normals)[2][len(normals) :].T if len(normals) else np.eye(n)
    for state in rows[: problem.middle]:
        tangents = np.linalg.qr(problem.block(state, p) @ tangents)[0]
    across = problem.subspace_rows(problem.block(b, p), 1)
    for state in rows[problem.middle : count - 1][::-1]:
        across = np.linalg.qr((across @ problem.block(state, p)).T)[0].T
    sines = np.linalg.svd(across @ tangents, compute_uv=False)
    return float(np.arcsin(min(1.0, sines[-1])))
