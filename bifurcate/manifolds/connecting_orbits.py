"""connecting_orbits: homoclinic and heteroclinic points, where an unstable and a stable manifold cross in the plane."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, product
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Curve
from bifurcate.curves.cycle import CycleEquations
from bifurcate.errors import InvalidInput
from bifurcate.manifolds.connecting_orbit import ConnectingOrbit, End, Half, connect, saddle_of
from bifurcate.manifolds.manifold import Manifold
from bifurcate.manifolds.polygon_meetings import Meeting, meetings
from bifurcate.manifolds.saddle_direction import SaddleDirection, saddle_directions
from bifurcate.manifolds.saddle_passage import BESIDE, passages
from bifurcate.maps.connection_map import ConnectionMap
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.periodic_coordinates import shortest
from bifurcate.newton.solve import Solution
from bifurcate.printing import grouped, short_repr
from bifurcate.progress import Progress
from bifurcate.progress_line import Report, reporting
from bifurcate.storage.functions import MissingFunction
from bifurcate.storage.tables import Columns, state_columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import check_instance, shown

__all__ = ["ConnectingOrbits", "connecting_orbits", "connections"]

PRINTED_POINTS = 12  # that a table prints
Array = NDArray[np.float64]

# Distance, in units of the state, up to which two refined points are one: far above their errors, and far below the
# distance of different intersections that polygons tell apart.
SAME_POINT = 1e-8
SAME_PARAMETER = 1e-3  # part by which its parameters may differ: they come from the ends of orbits, to a millionth
NEAR_TOLERANCES = 2.0  # tolerances of both polygons within which curves may cross though the polygons do not
BESIDE_SADDLE = 1e-3  # in units of the state: both manifolds begin at a saddle of their own, and meet there anyhow
# An intersection may lie this many times the tolerances away from where the polygons meet, along either one.
FARTHEST = 1e3


@dataclass(frozen=True, eq=False)
class ConnectingOrbits(Tabular):
    """The intersections of an unstable and a stable manifold.

    Attributes
    ----------
    unstable, stable : Manifold or Solution
        The manifolds; a saddle for one that is no curve.
    points : tuple of ConnectingOrbit
        Each intersection once, by arclength on the unstable manifold.
    doubts : tuple of str
        Places where the polygons cross, or come within their tolerances, and no intersection was found.
    """

    unstable: Manifold | Solution
    stable: Manifold | Solution
    points: tuple[ConnectingOrbit, ...]
    doubts: tuple[str, ...] = ()

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "print(found), bf.connections(found.points[0], free)"

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[ConnectingOrbit]:
        return iter(self.points)

    @property
    def orbits(self) -> tuple[ConnectingOrbit, ...]:
        """One point of every orbit: the one for which both arclengths together are shortest."""
        numbers = dict.fromkeys(point.number for point in self.points)
        groups = [[point for point in self.points if point.number == number] for number in numbers]
        return tuple(min(group, key=lambda point: sum(map(abs, point.arclengths))) for group in groups)

    def __str__(self) -> str:
        kind = "homoclinic" if self.points and self.points[0].is_homoclinic else "connecting"
        lines = [f"{len(self.points)} {kind} points of {len(self.orbits)} orbits"]
        lines += [f"  {point}" for point in self.points[:PRINTED_POINTS]]
        lines += [f"  … {len(self.points) - PRINTED_POINTS} more"] * (len(self.points) > PRINTED_POINTS)
        lines += [f"  in doubt: {doubt}" for doubt in grouped(self.doubts)]
        return "\n".join(lines)

    def table(self) -> Columns:
        """One row a connecting point: its orbit's number, t and s on both manifolds, angle, error, and the state."""
        names = ("number", "t", "s", "angle", "error", "residual")
        return {
            **{name: [getattr(each, name) for each in self.points] for name in names},
            **state_columns([each.point for each in self.points]),
        }


def connecting_orbits(
    unstable: Manifold | Solution, stable: Manifold | Solution, *, progress: Report | bool | None = None
) -> ConnectingOrbits:
    """Homoclinic and heteroclinic points: the intersections of an unstable and a stable manifold.

    Where the polygons of two manifolds in the plane cross, or come near each other without crossing, Newton's method on
    a boundary value problem finds the orbit through the intersection, from one saddle to the other. In more dimensions
    one of the manifolds is a curve; the other one, of one dimension less than the state, is given by its saddle, and
    the curve is searched for places where it crosses its tangent space within a tenth of a unit of that saddle.

    Parameters
    ----------
    unstable, stable : Manifold or Solution
        From :func:`manifold`, at the same parameters. Their lengths decide how many intersections there are to find,
        their tolerances which are told apart. Instead of one of them the saddle itself, from :func:`solve`, whose
        (un)stable manifold has codimension one: with one multiplier outside the unit circle for ``stable``, with one
        inside it for ``unstable``.
    progress : callable, bool, optional
        As for :func:`trace`; places where the manifolds meet are counted.

    Returns
    -------
    ConnectingOrbits
        Every point satisfies ‖G‖_∞ ≤ 10⁻¹¹ units, as a rule rounding, and has an estimated error and the angle between
        the manifolds. Points of one orbit have one number.

    Raises
    ------
    InvalidInput
        If these are no such manifolds, of other maps or parameters, or two curves that are not in the plane.

    References
    ----------
    Beyn & Kleinkauf, SIAM J. Numer. Anal. 34 (1997) 1207; Khoshsiar Ghaziani, Govaerts, Kuznetsov & Meijer, J.
    Difference Equ. Appl. 15 (2009) 849.

    Examples
    --------
    >>> import bifurcate as bf
    >>> saddle = bf.solve(bf.maps.henon(a=1.4, b=0.3), [0.6, 0.2])
    >>> found = bf.connecting_orbits(
    ...     bf.manifold(saddle, length=2.0), bf.manifold(saddle, stable=True, length=2.0)
    ... )
    >>> found.orbits[0].point.round(6), found.orbits[0].is_homoclinic
    (array([ 0.338853, -0.255113]), True)
    """
    first, second = _ends(unstable, stable)
    saddles = [saddle_of(end) for end in (*first, *second)]
    map = saddles[0].iterate.map
    unit = max(map.scale, *(float(np.abs(at.state).max()) for at in saddles))
    reach = NEAR_TOLERANCES * sum(each.tolerance for each in (unstable, stable) if isinstance(each, Manifold))
    points, doubts = list[ConnectingOrbit](), list[str]()
    named = f"connecting orbits of {map.name}"
    with np.errstate(all="ignore"), reporting(progress, named, (), "meetings") as report:
        done = 0
        for one, other in product(first, second):
            apart = shortest(saddle_of(one).state - saddle_of(other).state, map.periods)
            is_homoclinic = bool(np.abs(apart).max() <= SAME_POINT * unit)
            found = _all_meetings(one, other, reach, unit, is_homoclinic)
            for number, meeting in enumerate(found, 1):
                _take_in(points, doubts, (one, other), meeting, is_homoclinic, unit, reach)
                done += 1
                if report is not None:
                    report(Progress(dict(map.parameters), done, left=len(found) - number))
    points.sort(key=lambda point: (point.unstable_half, abs(point.s if math.isnan(point.t) else point.t)))
    return ConnectingOrbits(unstable, stable, tuple(_numbered(points, unit)), tuple(dict.fromkeys(doubts)))


def _ends(unstable: Manifold | Solution, stable: Manifold | Solution) -> tuple[list[End], list[End]]:
    """The halves of the curves, and the saddles that stand for what is no curve; refuses what does not fit."""
    pairs = (("unstable", unstable, False), ("stable", stable, True))
    for name, given, is_stable in pairs:
        if isinstance(given, Solution):
            continue
        check_instance(name, given, Manifold, "bf.manifold(solution, stable=…) makes one")
        if given.stable != is_stable:
            raise InvalidInput(f"{name} is the {'stable' if given.stable else 'unstable'} manifold of its saddle")
    solutions = [given.solution if isinstance(given, Manifold) else given for given in (unstable, stable)]
    curves = [(name, given) for name, given, _ in pairs if isinstance(given, Manifold)]
    if not curves:
        raise InvalidInput("two saddles are given; one of them must be a curve from bf.manifold(solution, stable=…)")
    if solutions[0].state.shape != solutions[1].state.shape:
        raise InvalidInput(f"the states have shapes {solutions[0].state.shape} and {solutions[1].state.shape}")
    if len(curves) == 2 and solutions[0].state.size != 2:
        raise InvalidInput(
            f"both manifolds are curves among states of {solutions[0].state.size} numbers; curves cross in the plane "
            "only: give the saddle itself for the one that has a dimension less than the state"
        )
    if dict(solutions[0].parameters) != dict(solutions[1].parameters):
        raise InvalidInput("the manifolds belong to different parameters")
    found = list[list[End]]()
    for name, given, is_stable in pairs:
        if isinstance(given, Manifold):
            directions = {at.phase: at for at in saddle_directions(given.solution, stable=given.stable)}
            found.append([Half.of(given, branch, directions[branch.phase]) for branch in given.branches])
        else:
            _check_codimension(name, given, is_stable)
            found.append([*saddle_directions(given, stable=not is_stable)])
    return found[0], found[1]


def _check_codimension(name: str, saddle: Solution, is_stable: bool) -> None:
    """Refuse a saddle that stands for a manifold of another codimension than one: nothing isolated meets a curve."""
    sizes = np.abs(np.asarray(saddle.multipliers))
    count = int(np.count_nonzero(sizes > 1.0 if is_stable else sizes < 1.0))
    if count != 1:
        side = "outside" if is_stable else "inside"
        raise InvalidInput(
            f"{name} is a solution with {count} multipliers {side} the unit circle; a curve meets the manifold of a "
            "saddle with exactly one in isolated points"
        )


def _all_meetings(one: End, other: End, reach: float, unit: float, is_homoclinic: bool) -> list[Meeting]:
    """Where a curve meets another one, or the manifold of a saddle."""
    if isinstance(one, Half) and isinstance(other, Half):
        return _polygon_meetings(one, other, reach, one.at.iterate.map.periods)
    half, saddle, end = (one, other, 1) if isinstance(one, Half) else (other, one, 0)
    assert isinstance(half, Half) and isinstance(saddle, SaddleDirection)
    n, iterate = len(saddle.state), saddle.iterate
    unstable = 1 if end == 1 else n - 1
    row = ConnectionMap(iterate.map, (1, *iterate.shape), 1, unstable=unstable).subspace_rows(saddle.jacobian, end)[0]
    # A curve begins at its own saddle, and is its tangent there.
    local = half.branch.parametrisation.radius if is_homoclinic else 0.0
    begin = int(np.searchsorted(np.abs(half.branch.t), local))
    found = passages(half.branch.points.reshape(-1, n), saddle, row, unit, begin)
    return [Meeting(each.first, np.nan, 0.0) if end == 1 else Meeting(np.nan, each.first, 0.0) for each in found]


def _polygon_meetings(one: Half, other: Half, reach: float, periods: Array | None) -> list[Meeting]:
    """Where two polygons meet, in any of their images under whole periods."""
    a, b = (half.branch.points.reshape(-1, 2) for half in (one, other))
    if periods is None:
        return meetings(a, b, reach)
    finite = np.isfinite(periods)
    widths = np.where(finite, periods, 1.0)
    low = np.where(finite, np.floor((a.min(axis=0) - b.max(axis=0) - reach) / widths), 0.0).astype(int)
    high = np.where(finite, np.ceil((a.max(axis=0) - b.min(axis=0) + reach) / widths), 0.0).astype(int)
    shifts = product(*(range(x, y + 1) for x, y in zip(low.tolist(), high.tolist(), strict=True)))
    moved = [b + np.array(shift) * np.where(finite, periods, 0.0) for shift in shifts]
    return [each for image in moved for each in meetings(a, image, reach)]


def _take_in(
    points: list[ConnectingOrbit],
    doubts: list[str],
    ends: tuple[End, End],
    meeting: Meeting,
    is_homoclinic: bool,
    unit: float,
    reach: float,
) -> None:
    """Refine one meeting: a new point, one that is known, or a doubt."""
    t, s = (
        end.parameter_at(at) if isinstance(end, Half) else math.nan
        for end, at in zip(ends, (meeting.first, meeting.second), strict=True)
    )
    halves = [end for end in ends if isinstance(end, Half)]
    parameters = [each for each in (t, s) if not math.isnan(each)]
    if 0.0 in parameters or _is_at_saddle(halves, parameters, is_homoclinic, unit):
        return
    found = connect(*ends, t, s, is_homoclinic)
    if isinstance(found, str):
        if meeting.distance == 0.0:
            points_of = halves[0].branch.points.reshape(len(halves[0].branch.t), -1)
            at = int(meeting.first if isinstance(ends[0], Half) else meeting.second)
            where = ", ".join(f"{value:.6g}" for value in points_of[min(at + 1, len(points_of) - 1)])
            doubts.append(f"the manifolds cross near ({where}), where no orbit was found: {found}")
        return
    is_half = [isinstance(end, Half) for end in ends]
    now, lengths = (list(compress(pair, is_half)) for pair in ((found.t, found.s), found.arclengths))
    moved = [
        abs(length - half.arclength_at(was)) for half, length, was in zip(halves, lengths, parameters, strict=True)
    ]
    allowed = FARTHEST * reach if len(ends) == len(halves) else BESIDE * unit
    is_beyond = any(abs(at) > abs(half.branch.t[-1]) for half, at in zip(halves, now, strict=True))
    if meeting.distance == 0.0 and max(moved) > allowed:
        doubts.append(f"the manifolds cross, but Newton's method went to {found}")
    elif not is_beyond and not any(_is_same(found, known, unit) for known in points):
        points.append(found)


def _is_at_saddle(halves: list[Half], parameters: list[float], is_homoclinic: bool, unit: float) -> bool:
    """True where both manifolds of one saddle begin."""
    if not is_homoclinic or max(map(abs, parameters)) >= BESIDE_SADDLE * unit:
        return False
    return any(abs(t) < half.branch.parametrisation.radius for half, t in zip(halves, parameters, strict=True))


def _is_same(a: ConnectingOrbit, b: ConnectingOrbit, unit: float) -> bool:
    if (a.unstable_half, a.stable_half) != (b.unstable_half, b.stable_half):
        return False
    apart = shortest(a.point.ravel() - b.point.ravel(), a.problem.map.periods)
    pairs = [(x, y) for x, y in ((a.t, b.t), (a.s, b.s)) if not math.isnan(x)]
    alike = all(abs(x / y - 1.0) < SAME_PARAMETER for x, y in pairs)
    return alike and float(np.abs(apart).max()) <= SAME_POINT * unit


def _numbered(points: Sequence[ConnectingOrbit], unit: float) -> list[ConnectingOrbit]:
    """The points with a number for each orbit: the point of one lies on the orbit of another."""
    numbered = list[ConnectingOrbit]()
    orbits = list[Array]()
    for point in points:
        periods = point.problem.map.periods
        number = next(
            (
                i
                for i, states in enumerate(orbits)
                if np.abs(shortest(states - point.point.ravel(), periods)).max(axis=1).min() <= SAME_POINT * unit
            ),
            len(orbits),
        )
        if number == len(orbits):
            orbits.append(_all_states(point))
        numbered.append(dataclasses.replace(point, number=number))
    return numbered


def _all_states(point: ConnectingOrbit) -> Array:
    """The states of an orbit under f itself."""
    one = IteratedMap(point.problem.map, point.problem.state_shape, point.problem.steps)
    return np.vstack([one.orbit(x.ravel(), point.parameters)[:-1] for x in point.states])


def connections(orbit: ConnectingOrbit, free: str) -> Curve:
    """The curve of connecting orbits in one free parameter; its folds are tangencies of the manifolds.

    Parameters
    ----------
    orbit : ConnectingOrbit
        From :func:`connecting_orbits`.
    free : str
        Name of the parameter.

    Returns
    -------
    Curve
        To trace: ``branch.of("tangency")`` are the tangencies, located with their errors, and
        ``bf.locus(tangency, free=…)`` the curve of tangencies in two parameters. The branch is closed where an orbit
        comes back shifted by one iterate.

    Raises
    ------
    InvalidInput
        If the orbit is none, comes without its map, or the map has no such parameter.

    References
    ----------
    Beyn & Kleinkauf, SIAM J. Numer. Anal. 34 (1997) 1207.

    Examples
    --------
    >>> import bifurcate as bf
    >>> saddle = bf.solve(bf.maps.henon(a=1.4, b=0.3), [0.6, 0.2])
    >>> unstable, stable = bf.manifold(saddle, length=2.0), bf.manifold(saddle, stable=True, length=2.0)
    >>> orbit = bf.connecting_orbits(unstable, stable).orbits[0]
    >>> branch = bf.trace(bf.connections(orbit, "a"), {"a": (1.3, 1.5)})
    >>> {type(point).__name__ for point in branch.special} <= {"SpecialPoint"}
    True
    """
    check_instance("orbit", orbit, ConnectingOrbit, "bf.connecting_orbits(unstable, stable).orbits holds them")
    map = orbit.problem.map
    if isinstance(map.f, MissingFunction):
        raise InvalidInput("the orbit comes without its map: load it with bf.load(path, map=…)")
    if not isinstance(free, str):
        raise InvalidInput(f"free is {shown(free)}; it must be the name of one parameter")
    map.require(free)
    fixed = {name: value for name, value in orbit.parameters.items() if name != free}
    start = np.append(orbit.unknowns.reshape(-1), orbit.parameters[free])
    return Curve(CycleEquations(orbit.problem, fixed, (free,)), start, kind="connecting orbit")
