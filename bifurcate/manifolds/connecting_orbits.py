"""connecting_orbits: homoclinic and heteroclinic points, where an unstable and a stable manifold cross in the plane."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Curve
from bifurcate.curves.cycle import CycleEquations
from bifurcate.errors import InvalidInput
from bifurcate.manifolds.connecting_orbit import ConnectingOrbit, Half, connect
from bifurcate.manifolds.manifold import Manifold
from bifurcate.manifolds.polygon_meetings import Meeting, meetings
from bifurcate.manifolds.saddle_direction import saddle_directions
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.maps.periodic_coordinates import shortest
from bifurcate.printing import short_repr
from bifurcate.storage.functions import MissingFunction
from bifurcate.validation import check_instance, shown

__all__ = ["ConnectingOrbits", "connecting_orbits", "connections"]

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
class ConnectingOrbits:
    """The intersections of an unstable and a stable manifold.

    Attributes
    ----------
    unstable, stable : Manifold
        The manifolds.
    points : tuple of ConnectingOrbit
        Each intersection once, by arclength on the unstable manifold.
    doubts : tuple of str
        Places where the polygons cross, or come within their tolerances, and no intersection was found.
    """

    unstable: Manifold
    stable: Manifold
    points: tuple[ConnectingOrbit, ...]
    doubts: tuple[str, ...] = ()

    __repr__ = short_repr

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
        lines += [f"  {point}" for point in self.points]
        lines += [f"  in doubt: {doubt}" for doubt in self.doubts]
        return "\n".join(lines)


def connecting_orbits(unstable: Manifold, stable: Manifold) -> ConnectingOrbits:
    """Homoclinic and heteroclinic points: the intersections of two manifolds of a map of the plane.

    Where the polygons of the manifolds cross, or come near each other without crossing, Newton's method on a boundary
    value problem finds the orbit through the intersection, from one saddle to the other.

    Parameters
    ----------
    unstable, stable : Manifold
        From :func:`manifold`, at the same parameters. Their lengths decide how many intersections there are to find,
        their tolerances which are told apart.

    Returns
    -------
    ConnectingOrbits
        Every point satisfies ‖G‖_∞ ≤ 10⁻¹¹ units, as a rule rounding, and has an estimated error and the angle between
        the manifolds. Points of one orbit have one number.

    Raises
    ------
    InvalidInput
        If these are no such manifolds, of other maps or parameters, or not in the plane.

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
    first, second = _halves(unstable, stable)
    map = first[0].at.iterate.map
    unit = max(map.scale, *(float(np.abs(half.at.state).max()) for half in (*first, *second)))
    reach = NEAR_TOLERANCES * (unstable.tolerance + stable.tolerance)
    points, doubts = list[ConnectingOrbit](), list[str]()
    with np.errstate(all="ignore"):
        for one, other in product(first, second):
            apart = shortest(one.at.state - other.at.state, map.periods)
            is_homoclinic = bool(np.abs(apart).max() <= SAME_POINT * unit)
            for meeting in _all_meetings(one, other, reach, map.periods):
                _take_in(points, doubts, (one, other), meeting, is_homoclinic, unit, reach)
    points.sort(key=lambda point: (point.unstable_half, abs(point.t)))
    return ConnectingOrbits(unstable, stable, tuple(_numbered(points, unit)), tuple(dict.fromkeys(doubts)))


def _halves(unstable: Manifold, stable: Manifold) -> tuple[list[Half], list[Half]]:
    for name, given, is_stable in (("unstable", unstable, False), ("stable", stable, True)):
        check_instance(name, given, Manifold, "bf.manifold(solution, stable=…) makes one")
        if given.stable != is_stable:
            raise InvalidInput(f"{name} is the {'stable' if given.stable else 'unstable'} manifold of its saddle")
        if given.solution.state.size != 2:
            raise InvalidInput(
                f"{name} is a curve among states of {given.solution.state.size} numbers; curves cross in the plane only"
            )
    if dict(unstable.solution.parameters) != dict(stable.solution.parameters):
        raise InvalidInput("the manifolds belong to different parameters")
    found = []
    for given in (unstable, stable):
        directions = {at.phase: at for at in saddle_directions(given.solution, stable=given.stable)}
        found.append([Half.of(given, branch, directions[branch.phase]) for branch in given.branches])
    return found[0], found[1]


def _all_meetings(one: Half, other: Half, reach: float, periods: Array | None) -> list[Meeting]:
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
    halves: tuple[Half, Half],
    meeting: Meeting,
    is_homoclinic: bool,
    unit: float,
    reach: float,
) -> None:
    """Refine one meeting of polygons: a new point, one that is known, or a doubt."""
    one, other = halves
    t, s = one.parameter_at(meeting.first), other.parameter_at(meeting.second)
    i, periods = int(meeting.first), one.at.iterate.periods
    place = one.branch.points.reshape(-1, 2)[min(i + 1, len(one.branch.t) - 1)]
    at_saddle = (
        min(
            float(np.abs(shortest(place - half.at.state, periods)).max())
            for half, parameter in ((one, t), (other, s))
            if abs(parameter) < half.branch.parametrisation.radius
        )
        if is_homoclinic and max(abs(t), abs(s)) < BESIDE_SADDLE * unit
        else np.inf
    )
    if t == 0.0 or s == 0.0 or at_saddle < np.inf:
        return
    found = connect(one, other, t, s, is_homoclinic)
    if isinstance(found, str):
        if meeting.distance == 0.0:
            where = ", ".join(f"{value:.6g}" for value in place)
            doubts.append(f"the polygons cross near ({where}), where no orbit was found: {found}")
        return
    far = max(abs(found.arclengths[0] - one.arclength_at(t)), abs(found.arclengths[1] - other.arclength_at(s)))
    is_beyond = abs(found.t) > abs(one.branch.t[-1]) or abs(found.s) > abs(other.branch.t[-1])
    if meeting.distance == 0.0 and far > FARTHEST * reach:
        doubts.append(f"the polygons cross, but Newton's method went to {found}")
    elif not is_beyond and not any(_is_same(found, known, unit) for known in points):
        points.append(found)


def _is_same(a: ConnectingOrbit, b: ConnectingOrbit, unit: float) -> bool:
    if (a.unstable_half, a.stable_half) != (b.unstable_half, b.stable_half):
        return False
    apart = shortest(a.point.ravel() - b.point.ravel(), a.problem.map.periods)
    alike = max(abs(a.t / b.t - 1.0), abs(a.s / b.s - 1.0)) < SAME_PARAMETER
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
