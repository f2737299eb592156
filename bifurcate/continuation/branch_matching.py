"""Branch matching: does a cycle lie on a branch that is known, whichever of its points it is started at?

The points of a branch are too far apart to compare a cycle with them directly. The cubic through them gives a place
near the cycle in question; the corrector then finds the branch's own point on the hyperplane through that cycle, across
the branch. The cycle lies on the branch if the two agree to rounding, so that two branches that pass close to each
other stay two. On curves of special points the cubic alone decides: their equations have borders that fit near
one point only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Branch
from bifurcate.curves.corrector import correct
from bifurcate.curves.corrector_settings import TO_ROUNDING
from bifurcate.curves.curve_point import CorrectorFailure, CurvePoint
from bifurcate.curves.metric import Metric
from bifurcate.maps.periodic_coordinates import shortest

__all__ = ["BranchLocator", "same_point"]

Vector = NDArray[np.float64]

# Distances are in the metric, where not said otherwise.
SAME_CYCLE = 1e-6  # cycles closer than this are one: well above the error of located points, well below a step
CLOSEST_SAME = 1e-9  # ... and next to a crossing of branches closer than this, at the least: the corrector's error
CROSSING_PART = 0.01  # ... or than this part of the distance from the crossing, since branches part there like wedges
CUBIC_MISS = 0.01  # chords by which a curve of special points may lie off the cubic through its points
CROSSING_MISS = 0.1  # ... and part of the distance from a crossing by which it may
LONGEST_SAGITTA = 0.25  # chords by which an arc may lie off its chord: steps turn the tangent by far less
TRIED_CHORDS = 4  # nearest chords that are tried: neighbours of the right one, where a branch comes close to itself
SHORTEST_CHORD = 1e-300  # keeps a division by a chord's square from being one by 0
SAME_POINT_ERRORS = 10.0  # errors by which the parameters of one special point, found twice, may differ
SAME_POINT_STATE = 1e-4  # part of the state's size by which its states may differ, beside the root of its error


@dataclass(frozen=True, eq=False)
class BranchLocator:
    """A branch prepared for finding what lies on it.

    Parameters
    ----------
    branch : Branch
        Traced with all of every state stored.
    metric : Metric
        In which distances are measured.
    """

    branch: Branch
    metric: Metric

    @cached_property
    def _known(self) -> tuple[Vector, Vector]:
        """Points (x, p) in coordinates in which the metric is Euclid's, and their arclengths.

        These are the branch's own points and the ends at which its cycles are born from, or collapse onto, cycles of
        half the period.
        """
        branch = self.branch
        states = np.array([np.ravel(point.unknowns) for point in branch.points])
        free = [point.free[: len(branch.curve.free)] for point in branch.points]
        rows, at = self._scaled(np.hstack([states, free])), branch.arclength
        if isinstance(branch.curve.origin, SpecialPoint) and len(branch.curve.sides) == 1:
            born = self._scaled(self.vector(branch.curve.origin))
            rows, at = np.vstack([born, rows]), np.append(at[0] - np.linalg.norm(rows[0] - born), at)
        for end in (0, -1):
            if branch.stop[end].reason == "collapsed" and branch.curve.codimension == 0:
                point = branch.special[end]
                order = slice(None, None, -1) if end == 0 else slice(None)
                rows = np.vstack([rows[order], self._scaled(self.vector(point))])[order]
                at = np.append(at[order], point.arclength)[order]
        return rows, at

    @property
    def _rows(self) -> Vector:
        return self._known[0]

    @property
    def arclength(self) -> Vector:
        """Arclengths of the points that are compared with: the branch's, and the ends where its cycles collapse."""
        return self._known[1]

    def vector(self, point: SpecialPoint) -> Vector:
        """A special point as (x, p) with the parameters that are free on this branch."""
        values, curve = point.parameters, self.branch.curve
        x = point.state.reshape(-1)
        if curve.size > len(x):  # all states are unknown: those of the point's cycle, as often as it is met
            states = np.concatenate([state.reshape(-1) for state in point.cycle_states()[: point.period]])
            x = np.tile(states, curve.size // len(states))
        return np.append(x, [values[name] for name in curve.free])

    def _scaled(self, v: Vector) -> Vector:
        n, k = self.branch.curve.size, len(self.branch.curve.free)
        units = np.concatenate([np.full(n, np.sqrt(self.metric.state)), np.sqrt(self.metric.parameter[:k])])
        return np.asarray(v * units)

    def locate(self, u: Vector, apart: float = np.inf) -> float | None:
        """Where on the branch the cycle through u lies, as an arclength; None if it does not.

        Parameters
        ----------
        u : ndarray
            State and free parameters, on a curve of the branch's own kind, period and free parameters.
        apart : float
            Distance, in the metric's units, from a point at which other such curves may cross: near it they are close
            to each other, and are told apart more finely.
        """
        curve = self.branch.curve
        n, k = curve.size, len(curve.free)
        for x in curve.iterate.phases(u[:n], curve.parameters(u)):
            for image in self._images(x):
                s = self._at(np.concatenate([image, u[n : n + k]]), apart)
                if s is not None:
                    return s
        return None

    def _images(self, x: Vector) -> Vector:
        """A state's images by whole periods that are nearest to points of the branch, shape (m, n)."""
        periods = self.branch.curve.iterate.periods
        if periods is None:
            return x[None, :]
        n = len(x)
        states = self._rows[:, :n] / self._scaled(np.ones(self._rows.shape[1]))[:n]
        turns = np.unique(np.round((states - x) / periods), axis=0)
        return np.asarray(x + turns * np.where(np.isfinite(periods), periods, 0.0))

    def nearest(self, point: SpecialPoint) -> tuple[float, float]:
        """Arclength of the point of the polyline that is nearest to a special point, and its distance from there."""
        v, n = self.vector(point), self.branch.curve.size
        found = [self._nearest(self._scaled(np.append(image, v[n:]))) for image in self._images(v[:n])]
        return min(found, key=lambda each: each[1])

    def _nearest(self, w: Vector) -> tuple[float, float]:
        if len(self._rows) == 1:
            return float(self.arclength[0]), float(np.linalg.norm(self._rows[0] - w))
        fraction, distance = self._foot(w)
        i = int(np.argmin(distance))
        return self._along(i, float(fraction[i])), float(distance[i])

    def _along(self, i: int, t: float) -> float:
        return float(self.arclength[i] + t * (self.arclength[i + 1] - self.arclength[i]))

    def states_at(self, value: float) -> list[Vector]:
        """States of a branch of cycles at a value of its parameter, corrected, in the map's shape."""
        curve, n = self.branch.curve, self.branch.curve.size
        (free,) = curve.free
        p, row, found = self.branch[free], np.zeros(n + 1), list[Vector]()
        row[n] = 1.0 / self.metric.widths[0]
        states = np.array([np.ravel(point.unknowns) for point in self.branch.points])
        for i in np.flatnonzero((p[:-1] - value) * (p[1:] - value) <= 0).tolist():
            t = 0.0 if p[i + 1] == p[i] else (value - p[i]) / (p[i + 1] - p[i])
            guess = np.append(states[i] + t * (states[i + 1] - states[i]), value)
            with np.errstate(all="ignore"):
                node = correct(curve, guess, row, float(row @ guess), self.metric, TO_ROUNDING)
            if isinstance(node, CurvePoint) and all(
                np.abs(shortest(np.ravel(curve.state(node.u) - x), curve.iterate.map.periods)).max() > SAME_CYCLE
                for x in found
            ):
                found.append(curve.state(node.u))
        return found

    def point_near(self, s: float) -> CurvePoint | None:
        """The branch's point near an arclength, corrected; None where that fails, and on curves of special points."""
        if len(self._rows) == 1 or not self.branch.curve.equations.hold_everywhere:
            return None
        i = int(np.clip(np.searchsorted(self.arclength, s) - 1, 0, len(self.arclength) - 2))
        t = (s - self.arclength[i]) / (self.arclength[i + 1] - self.arclength[i])
        guess = self._cubic(i, float(t))
        found = self._corrected(i, guess, guess)
        return found if isinstance(found, CurvePoint) else None

    def _corrected(self, i: int, guess: Vector, through: Vector) -> CurvePoint | CorrectorFailure:
        """The branch's point near a guess on the hyperplane through a point across the i-th chord."""
        scale = self._scaled(np.ones(self._rows.shape[1]))
        chord = (self._rows[i + 1] - self._rows[i]) / scale
        row = self.metric.dual(chord / self.metric.norm(chord))
        with np.errstate(all="ignore"):
            return correct(
                self.branch.curve, guess / scale, row, float(row @ (through / scale)), self.metric, TO_ROUNDING, chord
            )

    def _foot(self, v: Vector) -> tuple[Vector, Vector]:
        """For every chord the fraction at which it is nearest to v, and the distance there."""
        a, chords = self._rows[:-1], np.diff(self._rows, axis=0)
        square = np.maximum(np.einsum("ij,ij->i", chords, chords), SHORTEST_CHORD)
        t = np.clip(np.einsum("ij,ij->i", v - a, chords) / square, 0.0, 1.0)
        return t, np.linalg.norm(a + t[:, None] * chords - v, axis=1)

    def distance(self, u: Vector, point: SpecialPoint) -> float:
        """Distance of a point of the branch's own kind from a special point, in the metric's units."""
        return float(np.linalg.norm(self._scaled(u[: self._rows.shape[1]] - self.vector(point))))

    def _at(self, v: Vector, apart: float) -> float | None:
        w, tolerance = self._scaled(v), float(np.clip(CROSSING_PART * apart, CLOSEST_SAME, SAME_CYCLE))
        if len(self._rows) == 1:
            return float(self.arclength[0]) if np.linalg.norm(self._rows[0] - w) < tolerance else None
        fraction, distance = self._foot(w)
        lengths = np.linalg.norm(np.diff(self._rows, axis=0), axis=1)
        close = np.flatnonzero(distance <= LONGEST_SAGITTA * lengths + tolerance)
        for i in close[np.argsort(distance[close])][:TRIED_CHORDS].tolist():
            if self._agrees(i, float(fraction[i]), v, w, tolerance, apart):
                return self._along(i, float(fraction[i]))
        return None

    def _agrees(self, i: int, t: float, v: Vector, w: Vector, tolerance: float, apart: float) -> bool:
        guess = self._cubic(i, t)
        if not self.branch.curve.equations.hold_everywhere:  # their equations have borders that fit near one point only
            length = float(np.linalg.norm(self._rows[i + 1] - self._rows[i]))
            return float(np.linalg.norm(guess - w)) <= max(min(CUBIC_MISS * length, CROSSING_MISS * apart), tolerance)
        found = self._corrected(i, guess, w)
        if not isinstance(found, CurvePoint):  # on a special point the corrector is singular
            return float(np.linalg.norm(guess - w)) <= tolerance
        return self.metric.norm(found.u - v) <= tolerance

    def _cubic(self, i: int, t: float) -> Vector:
        """The cubic of Catmull & Rom through the i-th chord's ends, for chords of unequal lengths."""
        rows, at = self._known
        h = at[i + 1] - at[i]
        chord = rows[i + 1] - rows[i]

        def slope(j: int) -> Vector:
            if j == 0 or j == len(rows) - 1 or at[j + 1] <= at[j] or at[j] <= at[j - 1]:
                return np.asarray(chord)
            before, after = at[j] - at[j - 1], at[j + 1] - at[j]
            left, right = (rows[j] - rows[j - 1]) / before, (rows[j + 1] - rows[j]) / after
            return np.asarray(h * (left * after + right * before) / (before + after))

        f = t
        bend = f * (1 - f) ** 2 * slope(i) - f**2 * (1 - f) * slope(i + 1)
        return np.asarray(rows[i] + (3 - 2 * f) * f**2 * chord + bend)


def same_point(a: SpecialPoint, b: SpecialPoint, widths: dict[str, float]) -> bool:
    """True if two special points are one, found twice: of one kind and period, and nearer than their errors.

    Parameters
    ----------
    widths : dict
        Widths of the parameters' bounds, the units of their distances.
    """
    if (
        (a.kind, a.title) != (b.kind, b.title)
        or a.period != b.period
        or a.curve.size != b.curve.size
        or set(a.curve.free) ^ set(b.curve.free)
    ):
        return False
    p, q = a.parameters, b.parameters
    slack = SAME_CYCLE + SAME_POINT_ERRORS * (a.error + b.error) / min(widths.values())
    if any(abs(p[name] - q[name]) > slack * widths.get(name, 1.0) for name in p):
        return False
    x = a.state.reshape(-1)
    unit = max(a.curve.iterate.map.scale, float(np.sqrt(np.mean(x**2))))
    # Where a branch turns, the state moves like the root of the parameter's error.
    reach = (SAME_POINT_STATE + np.sqrt(a.error + b.error)) * unit
    return any(
        float(np.sqrt(np.mean(b.iterate.difference(z, x) ** 2))) <= reach for z in map(np.ravel, b.cycle_states())
    )
