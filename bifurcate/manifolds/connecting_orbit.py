"""ConnectingOrbit: an orbit that leaves one saddle and comes to another, or to the same one, with its certificate."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import MapFailed
from bifurcate.manifolds.manifold import Manifold, ManifoldBranch, sampler_of
from bifurcate.manifolds.saddle_direction import SaddleDirection
from bifurcate.manifolds.saddle_passage import Step, follow, preimages
from bifurcate.manifolds.sampling import KnownPart, Sampler
from bifurcate.maps.connection_map import ConnectionMap
from bifurcate.maps.periodic_coordinates import reduced, shortest
from bifurcate.printing import short_repr
from bifurcate.storage.tables import Columns, state_columns
from bifurcate.storage.tabular import Tabular

__all__ = ["ConnectingOrbit", "End", "Half", "connect", "saddle_of"]

Array = NDArray[np.float64]

# Distance of an orbit's ends from the saddles, in units of the state. What it makes wrong is far less than its square.
END = 1e-6
FURTHER = 100.0  # factor by which the ends of the orbit lie nearer to the saddles that its error is estimated from
NEWTON_STEPS = 15  # from two polygons that cross four are enough
CONVERGED = 1e-14  # residual in units of the state that is rounding
ACCEPTED = 1e-11  # ... and one that is accepted where it no longer falls
PROJECTIONS = 3  # onto the manifold beside the saddle, where each gains six digits
MOST_UNKNOWNS = 3000  # of a dense boundary value problem: 72 MB
ROUNDINGS = 4.0  # units in the last place of the state by which f is rounded
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class ConnectingOrbit(Tabular):
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
        Phase and side of the halves of the manifolds that meet at ``point``; side 0 for a manifold that is no curve.
    t, s : float
        The point's parameters on them; NaN on a manifold that is no curve.
    arclengths : (float, float)
        Of the point from the saddles, along the unstable and the stable manifold; as exact as their meshes, NaN on a
        manifold that is no curve.
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
    next_verbs: ClassVar[str] = "bf.connections(orbit, free), orbit.states"

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
        curves = [f"{length:.6g}" for length in self.arclengths if not math.isnan(length)]
        lengths = f"arclength{'s' if len(curves) > 1 else ''} {' and '.join(curves)}"
        return f"{what} point ({place}) ± {self.error:.0e}, orbit {self.number}, {lengths}, angle {self.angle:.4g}"

    def table(self) -> Columns:
        """One row a state, from beside the saddle that the orbit leaves to beside the one it comes to."""
        return {"step": list(range(len(self.states))), **state_columns(self.states)}


@dataclass(frozen=True, eq=False)
class Half:
    """One half of a manifold with what gives its points anew."""

    at: SaddleDirection
    branch: ManifoldBranch
    sampler: Sampler
    is_stable: bool

    @staticmethod
    def of(manifold: Manifold, branch: ManifoldBranch, at: SaddleDirection) -> Half:
        """The half of a manifold at a saddle's direction."""
        sampler, _ = sampler_of(at, stable=manifold.stable, parametrisation=branch.parametrisation)
        return Half(at, branch, sampler, manifold.stable)

    def parameter_at(self, place: float) -> float:
        """The parameter at a place on the polygon: number of the segment, and part of it."""
        i = min(int(place), len(self.branch.t) - 2)
        return float(self.branch.t[i] + (place - i) * (self.branch.t[i + 1] - self.branch.t[i]))

    def arclength_at(self, t: float) -> float:
        """The arclength from the saddle, by a cubic through four points of the mesh; with the sign of the side.

        A half that is straight to the tolerance may have fewer points: the polynomial goes through them all then.
        """
        order = self.branch.side * self.branch.t
        i = int(np.clip(np.searchsorted(order, self.branch.side * t) - 2, 0, max(len(order) - 4, 0)))
        x, y = order[i : i + 4], self.branch.arclength[i : i + 4]
        unit = x[-1] - x[0]
        curve = np.polynomial.Polynomial(np.linalg.solve(np.vander((x - x[0]) / unit, increasing=True), y))
        return self.branch.side * float(curve((self.branch.side * t - x[0]) / unit))


End = Half | SaddleDirection  # of an orbit: on a curve, or beside a saddle whose manifold has codimension one


def connect(first: End, second: End, t: float, s: float, is_homoclinic: bool) -> ConnectingOrbit | str:
    """The orbit through two points that are nearly one, refined as a boundary value problem; or why there is none.

    Parameters
    ----------
    first, second : Half or SaddleDirection
        Halves of an unstable and of a stable manifold. A manifold that is no curve is given by its saddle with the one
        direction across it: the point lies beside that saddle then.
    t, s : float
        Parameters on the curves.
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


def saddle_of(end: End) -> SaddleDirection:
    """The saddle at an end of a connecting orbit."""
    return end.at if isinstance(end, Half) else end


def _solved(first: End, second: End, t: float, s: float, is_homoclinic: bool, end: float) -> ConnectingOrbit | str:
    one, two = saddle_of(first), saddle_of(second)
    problem, x, steps = _problem(first, second, t, s, is_homoclinic, end)
    if x.size > MOST_UNKNOWNS:
        return f"the orbit has {len(x) // len(one.state)} states from one saddle to the other, too many to solve for"
    p = dict(one.iterate.map.parameters)
    unit = max(problem.map.scale, float(np.abs(one.state).max()))
    x, residual = _newton(problem, x, p, unit)
    if not residual <= ACCEPTED * unit:
        return f"Newton's method left a residual of {residual:.1e}"
    rows = problem.rows(x)
    apart = [float(np.abs(rows[problem.middle] - saddle).max()) for saddle in (one.state, two.state)]
    if min(apart) <= 10.0 * END * unit:
        return "it came down to the saddle itself"
    G = problem.derivative(x, p)
    weakest = float(np.linalg.svd(G, compute_uv=False)[-1])
    count = len(rows) - problem.saddle_count
    t, s = _parameter(first, problem, rows[0], steps[0]), _parameter(second, problem, rows[count - 1], -steps[1])
    if any(isinstance(half, Half) and np.sign(at) != half.branch.side for half, at in ((first, t), (second, s))):
        return "it came down to another half of a manifold"
    return ConnectingOrbit(
        problem=problem,
        unknowns=x.reshape(problem.shape),
        parameters=p,
        unstable_half=(one.phase, first.branch.side if isinstance(first, Half) else 0),
        stable_half=(two.phase, second.branch.side if isinstance(second, Half) else 0),
        t=t,
        s=s,
        arclengths=(_arclength(first, t), _arclength(second, s)),
        angle=_transversality(problem, rows, p),
        error=ROUNDINGS * EPS * unit / max(weakest, EPS),
        residual=residual,
    )


def _power(half: Half, problem: ConnectionMap) -> float:
    """The multiplier of g that belongs to a manifold: its own to the power by which the saddle's period is less."""
    return float(half.branch.parametrisation.multiplier ** (problem.steps // half.at.iterate.period))


def _arclength(end: End, t: float) -> float:
    return end.arclength_at(t) if isinstance(end, Half) else math.nan


def _problem(
    first: End, second: End, t: float, s: float, is_homoclinic: bool, end: float
) -> tuple[ConnectionMap, Array, tuple[int, int]]:
    """The boundary value problem with its first guess, and how many steps the point is from either end."""
    saddles = [saddle_of(first), saddle_of(second)]
    one, p = saddles[0].iterate, saddles[0].iterate.map.parameters
    k = math.lcm(one.period, saddles[1].iterate.period)
    # A manifold that is given by its saddle has one dimension less than there are.
    unstable = 1 if isinstance(first, Half) else len(saddles[0].state) - 1
    empty = ConnectionMap(one.map, (1, *one.shape), 1, steps=k, is_homoclinic=is_homoclinic, unstable=unstable)
    reach = end * max(one.map.scale, float(np.abs(saddles[0].state).max()))
    if isinstance(first, Half) and isinstance(second, Half):
        come = _along_unstable(first, empty, t, reach)
        going = _along_stable(second, empty, s, reach, come[-1])
    elif isinstance(first, Half):
        t, going = _to_saddle(first, saddles[1], empty, t, end)
        come, going = _along_unstable(first, empty, t, reach), going[1:]
    elif isinstance(second, Half):
        s, before = _to_saddle(second, saddles[0], empty, s, end)
        come, going = before[::-1], _along_stable(second, empty, s, reach, before[0])
    ends = [saddles[0].state] if is_homoclinic else [each.state for each in saddles]
    rows = np.vstack([come, going, *ends])
    if one.map.periods is not None:
        rows = reduced(rows, one.map.periods)
    problem = dataclasses.replace(empty, shape=(len(rows), *one.shape), middle=len(come) - 1)
    references = tuple(problem.subspace_rows(problem.block(at.state, p), i) for i, at in enumerate(saddles))
    return dataclasses.replace(problem, references=references), rows.ravel(), (len(come) - 1, len(going))


def _along_unstable(half: Half, problem: ConnectionMap, t: float, reach: float) -> Array:
    """The states from beside the saddle to the point at t."""
    growth = _power(half, problem)
    count = max(1, math.ceil(math.log(abs(t) / reach) / math.log(abs(growth))))
    known = KnownPart(half.branch.t, half.branch.points.reshape(len(half.branch.t), -1))
    times = t * growth ** -np.arange(count, -1.0, -1.0)
    return half.sampler.at(times, np.zeros((len(times), len(half.at.state))), known)


def _along_stable(half: Half, problem: ConnectionMap, s: float, reach: float, x: Array) -> Array:
    """The states after the point x at s, to beside the saddle."""
    decay, P, states = _power(half, problem), half.branch.parametrisation, []
    for j in range(1, max(1, math.ceil(math.log(abs(s) / reach) / -math.log(abs(decay)))) + 1):
        here = s * decay**j
        x = P(here) if abs(here) <= P.radius else problem.image(x, half.at.iterate.map.parameters)
        states.append(x)
    return np.array(states)


def _to_saddle(
    half: Half, saddle: SaddleDirection, problem: ConnectionMap, t: float, end: float
) -> tuple[float, Array]:
    """From a point of a curve to beside a saddle whose manifold it crosses there: forward, or by preimages."""
    p, branch = half.at.iterate.map.parameters, half.branch
    known = KnownPart(branch.t, branch.points.reshape(len(branch.t), -1))
    is_forward = not half.is_stable
    row = problem.subspace_rows(problem.block(saddle.state, p), 1 if is_forward else 0)[0]
    images: Step = lambda rows: np.array([problem.image(x, p) for x in rows])  # noqa: E731
    step = images if is_forward else preimages(saddle, problem.steps, half.sampler)
    at: Step = lambda times: half.sampler.at(times, known.between(times), known)  # noqa: E731
    i = int(np.clip(np.searchsorted(np.abs(branch.t), abs(t)), 1, len(branch.t) - 1))
    unit = max(problem.map.scale, float(np.abs(half.at.state).max()))
    return follow(saddle, row, step, at, (float(branch.t[i - 1]), float(branch.t[i])), unit, end * unit)


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


def _parameter(end: End, problem: ConnectionMap, x: Array, steps: int) -> float:
    """The parameter of the state that lies so many steps after a state beside the saddle; NaN on what is no curve."""
    if not isinstance(end, Half):
        return math.nan
    P, periods = end.branch.parametrisation, problem.map.periods
    a = P.coefficients
    t = float(a[1] @ shortest(x - a[0], periods))
    for _ in range(PROJECTIONS):  # P(t) is the point nearest to x
        t += float(a[1] @ shortest(x - P(t), periods))
    return float(t * _power(end, problem) ** steps)


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
