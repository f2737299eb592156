"""Branch: the points of a traced curve, its special points, and why it ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bifurcate.bifurcations.special_point import SpecialPoint, points_of_kind
from bifurcate.curves.curve import Curve
from bifurcate.errors import InvalidInput, NoSuchPoint, Stop
from bifurcate.linalg.low_rank import LowRank
from bifurcate.linalg.multipliers import Spectrum

__all__ = ["Branch", "Point"]


@dataclass(frozen=True, eq=False)
class Point:
    """One regular point of a branch.

    Attributes
    ----------
    kept : ndarray or LowRank
        The state, or what ``keep`` made of it. Matrices of at least 10⁴ entries are kept as factors where these
        reproduce every entry to 1e-14 of the largest.
    free : tuple of float
        Values of the free parameters.
    spectrum : Spectrum or None
        The multipliers.
    residual : float
        ‖f^k(x) − x‖_∞.
    iterations : int
        Newton steps of the corrector.
    arclength : float
        From the start, in the metric of the branch.
    """

    kept: np.ndarray | LowRank
    free: tuple[float, ...]
    spectrum: Spectrum | None
    residual: float
    iterations: int
    arclength: float

    @property
    def state(self) -> np.ndarray:
        """The state, or what ``keep`` made of it, as an array; formed from its factors if that is how it is kept."""
        return np.asarray(self.kept)


@dataclass(frozen=True, eq=False)
class Branch:
    """A traced curve.

    ``branch["r"]`` is the array of a free parameter's values along it.

    Attributes
    ----------
    curve : Curve
        What was traced.
    points : tuple of Point
        In order; arclength grows.
    special : tuple of SpecialPoint
        In the same order.
    stop : (Stop, Stop)
        Why it ends at its first and at its last point.
    doubts : tuple of str
        Changes in the multipliers that were noticed but could not be located.
    """

    curve: Curve
    points: tuple[Point, ...]
    special: tuple[SpecialPoint, ...]
    stop: tuple[Stop, Stop]
    doubts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, name: str) -> np.ndarray:
        names = (*self.curve.free, *self.curve.extra)
        if name not in names:
            raise InvalidInput(f"{name!r} does not vary on this branch; it has {', '.join(names)}")
        i = names.index(name)
        return np.array([point.free[i] for point in self.points])

    @property
    def states(self) -> np.ndarray:
        """The states, shape (points, *state's shape)."""
        return np.array([point.state for point in self.points])

    @property
    def arclength(self) -> np.ndarray:
        """Arclength from the start, shape (points,)."""
        return np.array([point.arclength for point in self.points])

    @property
    def spectra(self) -> tuple[Spectrum, ...]:
        """The spectrum at every point."""
        return tuple(self._spectrum(point) for point in self.points)

    @property
    def multipliers(self) -> np.ndarray:
        """The multipliers, shape (points, most at one point), by falling modulus; NaN where a point has fewer."""
        rows = [spectrum.values for spectrum in self.spectra]
        table = np.full((len(rows), max(len(row) for row in rows)), np.nan, dtype=complex)
        for i, row in enumerate(rows):
            table[i, : len(row)] = row
        return table

    @property
    def stable(self) -> np.ndarray:
        """Whether every known multiplier lies inside the unit circle, shape (points,) of bool."""
        return np.array([self._spectrum(point).stable for point in self.points])

    def of(self, kind: str) -> tuple[SpecialPoint, ...]:
        """The special points of a kind ("flip") or label ("PD"), in order."""
        return points_of_kind(self.special, kind)

    def first(self, kind: str) -> SpecialPoint:
        """The first special point of a kind or label.

        Raises
        ------
        NoSuchPoint
            If there is none; the message quotes why the branch ended.
        """
        points = self.of(kind)
        if not points:
            others = ", ".join(point.label for point in self.special) or "none"
            raise NoSuchPoint(
                f"no {kind} on this branch of {len(self)} points (special points: {others}). "
                f"At its first point {self.stop[0]}; at its last {self.stop[1]}."
            )
        return points[0]

    def _spectrum(self, point: Point) -> Spectrum:
        if point.spectrum is None:
            raise InvalidInput("this branch was traced with detect=False; its multipliers are unknown")
        return point.spectrum

    def __str__(self) -> str:
        ranges = ", ".join(f"{name} from {self[name][0]:.6g} to {self[name][-1]:.6g}" for name in self.curve.free)
        lines = [f"branch of {self.curve.iterate.map.name}, period {self.curve.period}: {len(self)} points, {ranges}"]
        lines += [f"  {point}" for point in self.special]
        lines += [f"  first point: {self.stop[0]}", f"  last point: {self.stop[1]}"]
        lines += [f"  in doubt: {doubt}" for doubt in self.doubts]
        return "\n".join(lines)
