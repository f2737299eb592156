"""Branch: the points of a traced curve, its special points, and why it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.kinds import find_kind
from bifurcate.bifurcations.special_point import SpecialPoint, first_of_kind, points_of_kind
from bifurcate.curves.curve import Curve
from bifurcate.curves.invariant_curve_equations import KIND as CURVES
from bifurcate.errors import InvalidInput, NoSuchPoint, Stop
from bifurcate.linalg.low_rank import LowRank
from bifurcate.linalg.multipliers import Spectrum
from bifurcate.maps.iterated_map import IteratedMap
from bifurcate.printing import count_labels, grouped, notebook_html, range_text
from bifurcate.storage.tables import Columns, about, as_dataframe, as_dataset, points_table, special_table, write_csv
from bifurcate.validation import is_whole_number, shown

__all__ = ["Branch", "BranchEnds", "Point"]

LARGEST_CYCLE = 10**4  # numbers in the states of a cycle that a file holds all of, so that it can be drawn by itself
CHECKED_POINTS = 10  # of a branch from a file, at which a map given is compared with the one that it was traced with


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
    curve : Curve
        The curve on which it lies.
    """

    kept: NDArray[np.float64] | LowRank
    free: tuple[float, ...]
    spectrum: Spectrum | None
    residual: float
    iterations: int
    arclength: float
    curve: Curve

    def __repr__(self) -> str:
        known = "" if self.spectrum is None else f", {'stable' if self.spectrum.stable else 'unstable'}"
        shown = ", ".join(f"{name} = {value:.10g}" for name, value in zip(self.curve.free, self.free))
        what = f"Point of period {self.period}" if self.curve.kind != CURVES else "Closed invariant curve"
        return f"<{what} at {shown}{known}; it has state, parameters, multipliers>"

    @property
    def state(self) -> NDArray[np.float64]:
        """The state, or what ``keep`` made of it, as an array; formed from its factors if that is how it is stored."""
        iterate = self.curve.iterate
        if self.kept.shape == iterate.shape != iterate.state_shape:  # multiple shooting keeps all states of the cycle
            return np.asarray(self.unknowns[0])
        return self.unknowns

    @property
    def unknowns(self) -> NDArray[np.float64]:
        """What is stored, as an array: the state or, of a curve by multiple shooting, all states of the cycle."""
        return np.asarray(self.kept)

    @property
    def period(self) -> int:
        """Period of the cycle."""
        return self.curve.period

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters of the map there."""
        return {**self.curve.equations.fixed, **dict(zip(self.curve.free, self.free, strict=False))}

    @property
    def multipliers(self) -> NDArray[np.complex128]:
        """The multipliers, by falling modulus.

        Raises
        ------
        InvalidInput
            If the branch was traced with ``detect=False``.
        """
        return self._known_spectrum().values

    @property
    def stable(self) -> bool:
        """True if every known multiplier lies inside the unit circle.

        Raises
        ------
        InvalidInput
            If the branch was traced with ``detect=False``.
        """
        return self._known_spectrum().stable

    def _known_spectrum(self) -> Spectrum:
        if self.spectrum is None:
            raise InvalidInput("this branch was traced with detect=False; its multipliers are unknown")
        return self.spectrum


class BranchEnds(NamedTuple):
    """Why a branch ends at its first and at its last point."""

    first: Stop
    last: Stop


@dataclass(frozen=True, eq=False)
class Branch:
    """A traced curve.

    ``branch["r"]`` is the array of a parameter's values along it, ``branch[3]`` its fourth point, ``branch[2:5]`` a
    tuple of points.

    Attributes
    ----------
    curve : Curve
        What was traced.
    points : tuple of Point
        In order; arclength grows.
    special : tuple of SpecialPoint
        In the same order.
    stop : BranchEnds
        Why it ends at its ``first`` and at its ``last`` point.
    doubts : tuple of str
        Changes in the multipliers that were noticed but could not be located.
    """

    curve: Curve
    points: tuple[Point, ...]
    special: tuple[SpecialPoint, ...]
    stop: BranchEnds
    doubts: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[Point]:
        return iter(self.points)

    @overload
    def __getitem__(self, key: str) -> NDArray[np.float64]: ...
    @overload
    def __getitem__(self, key: int) -> Point: ...
    @overload
    def __getitem__(self, key: slice) -> tuple[Point, ...]: ...
    def __getitem__(self, key: str | int | slice) -> NDArray[np.float64] | Point | tuple[Point, ...]:
        """A point, several, or the values of a parameter (or of another unknown, as "cosine") along the branch.

        Examples
        --------
        >>> import bifurcate as bf
        >>> curve = bf.cycles(bf.maps.henon(a=0.1, b=0.3), free="a", guess=[1.0, 0.3])
        >>> branch = bf.trace(curve, {"a": (0.0, 0.2)})
        >>> branch[0].parameters["b"], float(branch["b"][-1]), len(branch[:3])
        (0.3, 0.3, 3)
        """
        if isinstance(key, slice):
            return self.points[key]
        if not isinstance(key, str):
            if not is_whole_number(key):
                raise InvalidInput(f"a branch has no {shown(key)}; name a parameter, or a point by its number")
            if not -len(self) <= key < len(self):
                raise IndexError(f"the branch has {len(self)} points; there is no point {shown(key)}")
            return self.points[key]
        names = (*self.curve.free, *self.curve.extra)
        if key in names:
            i = names.index(key)
            return np.array([point.free[i] for point in self.points])
        fixed = self.curve.equations.fixed
        if key not in fixed:
            raise InvalidInput(f"this branch has no parameter {key!r}; it has {', '.join((*names, *fixed))}")
        return np.full(len(self.points), fixed[key])

    @property
    def states(self) -> NDArray[np.float64]:
        """The states, shape (points, *state's shape)."""
        return np.array([point.state for point in self.points])

    @property
    def arclength(self) -> NDArray[np.float64]:
        """Arclength from the start, shape (points,)."""
        return np.array([point.arclength for point in self.points])

    @property
    def spectra(self) -> tuple[Spectrum, ...]:
        """The spectrum at every point."""
        return tuple(point._known_spectrum() for point in self.points)

    @property
    def multipliers(self) -> NDArray[np.complex128]:
        """The multipliers, shape (points, most at one point), by falling modulus; NaN where a point has fewer."""
        rows = [spectrum.values for spectrum in self.spectra]
        table = np.full((len(rows), max(len(row) for row in rows)), np.nan, dtype=complex)
        for i, row in enumerate(rows):
            table[i, : len(row)] = row
        return table

    @property
    def stable(self) -> NDArray[np.bool_]:
        """True where every known multiplier lies inside the unit circle, shape (points,)."""
        return np.array([point.stable for point in self.points])

    @cached_property
    def _later_states(self) -> list[list[NDArray[np.float64]]] | None:
        """The other points of every cycle; None if there are none, states were not kept, or k of each are too large."""
        if self.curve.period == 1:
            return None
        if any(point.kept.shape != self.curve.iterate.shape for point in self.points):
            return None
        if self.curve.size * self.curve.period > LARGEST_CYCLE:
            return None
        later = self.curve.iterate.later_states
        return [later(np.ravel(point.unknowns), point.parameters) for point in self.points]

    def cycle_states(self, i: int) -> list[NDArray[np.float64]]:
        """All points of the cycle at point number i, beginning with its state; k − 1 evaluations of f.

        A branch from a file has them with it, up to 10⁴ numbers a cycle.

        Examples
        --------
        >>> import bifurcate as bf
        >>> branch = bf.trace(bf.cycles(bf.maps.logistic(r=3.2), "r", [0.5], period=2), {"r": (3.1, 3.4)})
        >>> len(branch.cycle_states(0))
        2
        """
        point, known = self.points[i], self.__dict__.get("_later_states")
        if known is not None:
            return [point.state, *known[i]]
        return [point.state, *point.curve.iterate.later_states(np.ravel(point.unknowns), point.parameters)]

    stored_beside_fields: ClassVar = ("_later_states",)  # it takes the map to compute them

    def wrong_residual(self) -> str:
        """How f^k(x) − x at a few points differs from what is stored; "" if it does not, or states were not kept."""
        for i in np.linspace(0, len(self) - 1, min(len(self), CHECKED_POINTS)).astype(int).tolist():
            point = self.points[i]
            iterate: IteratedMap = point.curve.iterate
            if point.kept.shape == iterate.shape:
                x = np.ravel(point.unknowns)
                if words := iterate.excess_residual(x, point.parameters, point.residual):
                    return words
        return ""

    def as_special_point(self, i: int) -> SpecialPoint:
        """Point number i of a curve of special points, as a SpecialPoint.

        Raises
        ------
        InvalidInput
            If the branch consists of cycles.

        Examples
        --------
        >>> import bifurcate as bf
        >>> flip = bf.special_point(bf.maps.henon(a=0.4, b=0.3), "flip", free="a", guess=[0.9, 0.3])
        >>> flips = bf.trace(bf.locus(flip, free="b"), {"a": (0.1, 2.0), "b": (-0.5, 0.5)})
        >>> flips.as_special_point(3).form
        'supercritical'
        """
        if self.curve.codimension == 0:
            raise InvalidInput("the points of this branch are cycles; its special points are in branch.special")
        point = self.points[i]
        angle = 0.0
        if "cosine" in self.curve.extra:
            angle = float(np.arccos(np.clip(point.free[len(self.curve.free)], -1.0, 1.0)))
        return SpecialPoint(
            kind=find_kind(self.curve.kind).name,
            curve=self.curve,
            unknowns=np.append(np.ravel(point.state), point.free),
            period=self.curve.period,
            arclength=point.arclength,
            residual=point.residual,
            iterations=point.iterations,
            angle=angle,
        )

    def of(self, kind: str) -> tuple[SpecialPoint, ...]:
        """The special points of a kind ("flip"), label ("PD") or :class:`Event`, by its name, in order."""
        return points_of_kind(self.special, kind, self.curve.event_names)

    def first(self, kind: str) -> SpecialPoint:
        """The first special point of a kind, label or event.

        Raises
        ------
        NoSuchPoint
            If there is none; the message quotes why the branch ended.
        """
        try:
            place = f"on this branch of {len(self)} points"
            return first_of_kind(self.special, kind, place, self.curve.event_names)
        except NoSuchPoint as error:
            raise NoSuchPoint(f"{error}. At its first point {self.stop.first}; at its last {self.stop.last}.") from None

    _repr_html_ = notebook_html

    def __repr__(self) -> str:
        ranges = ", ".join(range_text(name, self[name], self.special) for name in self.curve.free)
        what = _of_what(self.curve)
        what += "" if self.curve.codimension == 0 else f", {self.curve.kind} points"
        found = count_labels(point.label for point in self.special) or "no special points"
        doubts = f", {len(self.doubts)} doubts" if self.doubts else ""
        return (
            f"<Branch of {self.curve.iterate.map.name}, {what}: {len(self)} points, {ranges}; {found}{doubts}>\n"
            f"next: {self._next_verbs()}"
        )

    def _next_verbs(self) -> str:
        """What can be done with it, for representations."""
        names = self.curve.free
        if self.curve.codimension:
            chart = f"bf.plot.chart(branch, {names[0]!r}, {names[1]!r})" if len(names) > 1 else ""
            double = next((point.label for point in self.special if point.kind_row.codimension == 2), "")
            switch = f"bf.switches(branch.first({double!r}))" if double else ""
            return ", ".join(word for word in ("print(branch)", chart, switch) if word)
        born = next((point.label for point in self.special if point.kind_row.is_switchable), "")
        if not born and self.curve.kind != CURVES:
            born = next((point.label for point in self.special if point.kind == "neimark-sacker"), "")
        switch = f", bf.switch(branch.first({born!r}))" if born else ""
        return f"print(branch), bf.plot.diagram(branch, {names[0]!r}){switch}"

    def to_dataframe(self, *, special: bool = False) -> Any:
        """A pandas DataFrame with one row a point: parameters, state, stability, arclength, residual.

        Parameters
        ----------
        special : bool
            The special points instead, with their coefficients and errors.

        Raises
        ------
        InvalidInput
            If pandas is not installed.

        Examples
        --------
        >>> import bifurcate as bf
        >>> branch = bf.trace(bf.cycles(bf.maps.logistic(), "r", [0.6]), {"r": (2.5, 3.2)})
        >>> list(branch.to_dataframe().columns[:4])
        ['r', 'x0', 'stable', 'multipliers_outside']
        >>> branch.to_dataframe(special=True)[["label", "form"]].values.tolist()
        [['PD', 'supercritical']]
        """
        return as_dataframe(self._table(special), self._about())

    def to_xarray(self) -> Any:
        """An xarray Dataset along "point": states, multipliers, stability; parameters and arclength as coordinates.

        Raises
        ------
        InvalidInput
            If xarray is not installed.
        """
        return as_dataset(self.points, self._about())

    def to_csv(self, path: str | os.PathLike[str], *, special: bool = False) -> None:
        """Write what :meth:`to_dataframe` shows to a CSV file; numbers read back the same.

        Raises
        ------
        InvalidInput
            If the file cannot be written there.
        """
        write_csv(self._table(special), path)

    def _table(self, special: bool) -> Columns:
        return special_table(self.special) if special else points_table(self.points)

    def _about(self) -> dict[str, Any]:
        first, last = (str(stop) for stop in self.stop)
        free = ", ".join(self.curve.free)
        return about(self.curve.iterate.map, kind=self.curve.kind, free=free, first_point=first, last_point=last)

    def __str__(self) -> str:
        ranges = ", ".join(range_text(name, self[name], self.special) for name in self.curve.free)
        what = "" if self.curve.codimension == 0 else f"{self.curve.kind} points, "
        name, cycles = self.curve.iterate.map.name, _of_what(self.curve)
        lines = [f"branch of {name}, {what}{cycles}: {len(self)} points, {ranges}"]
        lines += [f"  {point}" for point in self.special]
        lines += [f"  first point: {self.stop.first}", f"  last point: {self.stop.last}"]
        lines += [f"  in doubt: {doubt}" for doubt in grouped(self.doubts)]
        return "\n".join(lines)


def _of_what(curve: Curve) -> str:
    """What the points of a branch are, for titles."""
    return "closed invariant curves" if curve.kind == CURVES else f"period {curve.period}"
