"""Is this cycle on that branch? Told by distance along the branch, whichever of its points a cycle starts at.

A branch's points are too far apart to compare with directly. The cubic through them gives a place near the cycle in
question; the corrector then finds the branch's own point on the hyperplane through that cycle, across the branch. The
two are one if they agree to rounding: two branches that pass close to each other stay two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bifurcate.branch import Branch
from bifurcate.corrector import POLISH, Metric, Node, correct
from bifurcate.special import SpecialPoint

__all__ = ["Track", "same_point"]

SAME = 1e-6  # cycles closer than this, in the metric's units, are one
NEAR = 0.25  # how far from a chord its arc may lie, in chords: steps turn the tangent by far less


@dataclass(frozen=True, eq=False)
class Track:
    """A branch prepared for asking what lies on it.

    Parameters
    ----------
    branch : Branch
        With its states kept whole.
    metric : Metric
        In which distances are measured.
    """

    branch: Branch
    metric: Metric

    @cached_property
    def _rows(self) -> np.ndarray:
        # Every point as the vector (x, p), in coordinates in which the metric is Euclid's.
        states = self.branch.states.reshape(len(self.branch), -1)
        return self._scaled(np.hstack([states, [point.free for point in self.branch.points]]))

    def _scaled(self, v: np.ndarray) -> np.ndarray:
        n, k = self.branch.curve.size, len(self.branch.curve.free)
        return v * np.concatenate([np.full(n, np.sqrt(self.metric.state)), np.sqrt(self.metric.parameter[:k])])

    def place(self, u: np.ndarray, tolerance: float = SAME) -> float | None:
        """Where on the branch the cycle through u lies, as an arclength; None if it does not.

        Parameters
        ----------
        u : ndarray
            State and free parameters, on a curve of the branch's own period and free parameters.
        tolerance : float
            Largest distance at which two cycles are one, in the metric's units.
        """
        curve = self.branch.curve
        n, k = curve.size, len(curve.free)
        orbit = curve.iterate.orbit(u[:n], curve.parameters(u))
        for x in orbit[:-1]:
            s = self._at(np.concatenate([x, u[n : n + k]]), tolerance)
            if s is not None:
                return s
        return None

    def nearest(self, u: np.ndarray) -> tuple[float, float]:
        """Arclength of the point of the polyline that is nearest to u, and its distance."""
        i, t, distance = self._foot(self._scaled(u[: self.branch.curve.size + len(self.branch.curve.free)]))
        at = self.branch.arclength
        j = int(np.argmin(distance))
        if not len(i):
            return float(at[0]), float(np.linalg.norm(self._rows[0] - self._scaled(u)))
        return float(at[i[j]] + t[j] * (at[i[j] + 1] - at[i[j]])), float(distance[j])

    def _foot(self, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For every chord its number, the fraction at which it is nearest to v, and the distance there."""
        a, chords = self._rows[:-1], np.diff(self._rows, axis=0)
        square = np.maximum(np.einsum("ij,ij->i", chords, chords), 1e-300)
        t = np.clip(np.einsum("ij,ij->i", v - a, chords) / square, 0.0, 1.0)
        return np.arange(len(a)), t, np.linalg.norm(a + t[:, None] * chords - v, axis=1)

    def _at(self, v: np.ndarray, tolerance: float) -> float | None:
        w = self._scaled(v)
        if len(self.branch) == 1:
            return float(self.branch.arclength[0]) if np.linalg.norm(self._rows[0] - w) < tolerance else None
        number, fraction, distance = self._foot(w)
        lengths = np.linalg.norm(np.diff(self._rows, axis=0), axis=1)
        close = np.flatnonzero(distance <= NEAR * lengths + tolerance)
        for i in close[np.argsort(distance[close])][:4].tolist():
            t = float(fraction[i])
            if self._agrees(i, t, v, w, tolerance):
                at = self.branch.arclength
                return float(at[number[i]] + t * (at[number[i] + 1] - at[number[i]]))
        return None

    def _agrees(self, i: int, t: float, v: np.ndarray, w: np.ndarray, tolerance: float) -> bool:
        curve, scale = self.branch.curve, self._scaled(np.ones(len(v)))
        guess = self._cubic(i, t)
        length = float(np.linalg.norm(self._rows[i + 1] - self._rows[i]))
        if len(curve.start) != len(v):  # curves with further unknowns: the cubic has to do
            return float(np.linalg.norm(guess - w)) <= max(0.01 * length, tolerance)
        chord = (self._rows[i + 1] - self._rows[i]) / scale
        row = self.metric.dual(chord / self.metric.norm(chord))
        with np.errstate(all="ignore"):
            found = correct(curve, guess / scale, row, float(row @ v), self.metric, POLISH, chord)
        if not isinstance(found, Node):  # on a special point the corrector is singular
            return float(np.linalg.norm(guess - w)) <= tolerance
        return self.metric.norm(found.u - v) <= tolerance

    def _cubic(self, i: int, t: float) -> np.ndarray:
        """The cubic of Catmull & Rom through the i-th chord's ends, for chords of unequal lengths."""
        rows, at = self._rows, self.branch.arclength
        h = at[i + 1] - at[i]
        chord = rows[i + 1] - rows[i]

        def slope(j: int) -> np.ndarray:
            if j == 0 or j == len(rows) - 1 or at[j + 1] <= at[j] or at[j] <= at[j - 1]:
                return chord
            before, after = at[j] - at[j - 1], at[j + 1] - at[j]
            left, right = (rows[j] - rows[j - 1]) / before, (rows[j + 1] - rows[j]) / after
            return h * (left * after + right * before) / (before + after)

        f = t
        return rows[i] + (3 - 2 * f) * f**2 * chord + f * (1 - f) ** 2 * slope(i) - f**2 * (1 - f) * slope(i + 1)


def same_point(a: SpecialPoint, b: SpecialPoint, widths: dict[str, float]) -> bool:
    """Whether two special points are one, found twice: of one kind and period, and nearer than their errors.

    Parameters
    ----------
    widths : dict
        Widths of the parameters' bounds, the units of their distances.
    """
    if a.kind != b.kind or a.period != b.period or a.curve.size != b.curve.size:
        return False
    p, q = a.parameters, b.parameters
    slack = SAME + 10.0 * (a.error + b.error) / min(widths.values())
    if any(abs(p[name] - q[name]) > slack * widths.get(name, 1.0) for name in p):
        return False
    x, y = a.state.reshape(-1), b.state.reshape(-1)
    unit = max(a.curve.iterate.map.scale, float(np.sqrt(np.mean(x**2))))
    # Where a branch turns, the state moves like the root of the parameter's error.
    reach = (1e-4 + np.sqrt(a.error + b.error)) * unit
    orbit = b.iterate.orbit(y, q)
    return any(float(np.sqrt(np.mean((z - x) ** 2))) <= reach for z in orbit[:-1])
