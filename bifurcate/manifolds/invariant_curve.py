"""invariant_curve: a closed invariant curve by Fourier collocation, with its rotation number and what it is like."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.codimension_one.invariant_curve_switching import curve_from_neimark_sacker
from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.continuation.branch import Point
from bifurcate.curves.curve import Curve
from bifurcate.curves.invariant_curve_equations import KIND, InvariantCurveEquations
from bifurcate.errors import InvalidInput, NotIsolated
from bifurcate.linalg.trigonometric import at_angles, coefficients, resampled, slopes
from bifurcate.manifolds.invariant_curve_guess import curve_from_orbit
from bifurcate.manifolds.invariant_curve_solution import SolvedCurve, solve_curve
from bifurcate.manifolds.rotation_number import FIRST_STEPS, USUAL_STEPS, USUAL_TRANSIENT
from bifurcate.maps.invariant_curve_map import InvariantCurveMap
from bifurcate.maps.map import Map
from bifurcate.orbits.orbit import with_values
from bifurcate.printing import short_repr, values_text
from bifurcate.storage.tables import Columns, state_columns
from bifurcate.storage.tabular import Tabular
from bifurcate.validation import as_floats, check_count, check_number, check_period

__all__ = ["InvariantCurve", "invariant_curve"]

Array = NDArray[np.float64]

FINE = 8  # times as many angles as unknown ones at which extremes and the length are looked for
EXTREME_STEPS = 3  # of Newton's method for the place of an extreme
NEUTRAL = 1e-9  # distance of a modulus from 1 that tells nothing of stability
FAMILY = 1e-9  # distance of a normal multiplier's modulus from 1 at which curves of all rotation numbers may exist
FEWEST_FITTED = 6  # modes from which the decay of modes is told
ROUNDING = 1e-14  # size of modes, in units of the largest, below which they are rounding


@dataclass(frozen=True, eq=False)
class InvariantCurve(Tabular):
    """A closed curve x(θ) with f^k(x(θ)) = x(θ + ρ).

    Attributes
    ----------
    equations : InvariantCurveEquations
        What it solves.
    values : ndarray, shape (m, *S)
        Its states at the angles 0, 1/m, …, without the whole turns of coordinates that go round.
    rotation_number : float
        ρ, in turns at an application of f^k.
    rotation_error : float
        Estimated error of ρ; 0 if it was given.
    residual : float
        ‖f^k(x(θ)) − x(θ + ρ)‖_∞ between the angles.
    error : float
        Estimated error of the states.
    multipliers : ndarray
        The normal multipliers, by falling modulus: n − 1 of a map on n numbers.
    iterations : int
        Newton steps that it took.
    """

    equations: InvariantCurveEquations
    values: Array
    rotation_number: float
    rotation_error: float
    residual: float
    error: float
    multipliers: NDArray[np.complex128]
    iterations: int = 0

    __repr__ = short_repr
    next_verbs: ClassVar[str] = "bf.invariant_curves(curve, free), bf.plot.phase_portrait(invariant_curves=[curve])"

    @property
    def map(self) -> Map:
        """f, at the curve's parameters."""
        return self.equations.iterate.map

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters of the map."""
        return dict(self.equations.fixed)

    @property
    def period(self) -> int:
        """k: the curve is one of k that are visited in turn."""
        return self.equations.iterate.steps

    @property
    def modes(self) -> int:
        """The number of modes of the trigonometric polynomial."""
        return len(self.values) // 2

    @property
    def stable(self) -> bool:
        """True if every normal multiplier lies inside the unit circle."""
        return bool((np.abs(self.multipliers) < 1.0 - NEUTRAL).all())

    @cached_property
    def coefficients(self) -> NDArray[np.complex128]:
        """c_0, …, c_M of x(θ) = Σ c_k e^{2πikθ}, c_{−k} being the conjugate of c_k; shape (M + 1, *S)."""
        return coefficients(self.values)

    @property
    def strip(self) -> float:
        """Half the width of the strip of complex θ, in turns, in which x is analytic: what the decay of modes tells."""
        sizes = np.abs(self.coefficients).reshape(self.modes + 1, -1).max(axis=1)[1:]
        envelope = np.maximum.accumulate(sizes[::-1])[::-1]
        least = max(ROUNDING * float(envelope[0]), ROUNDING * float(np.abs(self.values).max()))
        known = np.flatnonzero(envelope > least)
        if len(known) < FEWEST_FITTED:
            return np.inf
        half = known[len(known) // 3 :]
        slope = np.polyfit(half.astype(float), np.log(envelope[half]), 1)[0]
        return float(-slope / (2.0 * np.pi))

    def states(self, angles: Any) -> Array:
        """x(θ), shape (*angles', *S), at angles in turns.

        Examples
        --------
        >>> import bifurcate as bf
        >>> curve = bf.invariant_curve(bf.maps.delayed_logistic(2.1), [0.6, 0.6])
        >>> apart = curve.map(curve.states(0.2)) - curve.states(0.2 + curve.rotation_number)
        >>> bool(np.abs(apart).max() < 1e-10)
        True
        """
        theta = as_floats(angles)
        found = at_angles(self.values.reshape(len(self.values), -1), theta)
        found = found + np.multiply.outer(theta, self.equations.iterate.turn)
        return np.asarray(found.reshape(*theta.shape, *self.values.shape[1:]))

    @cached_property
    def extremes(self) -> tuple[Array, Array]:
        """The least and the largest value of every number of the state, each of shape S."""
        values = self.values.reshape(len(self.values), -1)
        once, twice = slopes(values) + self.equations.iterate.turn, slopes(slopes(values))
        fine = FINE * len(values)
        at = self.states(np.arange(fine) / fine).reshape(fine, -1)
        found = []
        for pick in (np.argmin, np.argmax):
            theta = pick(at, axis=0) / fine
            for _ in range(EXTREME_STEPS):
                first = np.array([at_angles(once[:, i], each) for i, each in enumerate(theta)])
                second = np.array([at_angles(twice[:, i], each) for i, each in enumerate(theta)])
                step = np.where(second != 0.0, first / np.where(second != 0.0, second, 1.0), 0.0)
                theta = theta - np.clip(step, -1.0 / fine, 1.0 / fine)
            exact = np.array([self.states(each).ravel()[i] for i, each in enumerate(theta)])
            better = np.minimum if pick is np.argmin else np.maximum
            found.append(better(exact, at.min(axis=0) if pick is np.argmin else at.max(axis=0)))
        shape = self.values.shape[1:]
        return found[0].reshape(shape), found[1].reshape(shape)

    @cached_property
    def length(self) -> float:
        """The curve's length in the space of states."""
        fine = resampled(self.values.reshape(len(self.values), -1), FINE * len(self.values) + 1)
        return float(np.linalg.norm(slopes(fine) + self.equations.iterate.turn, axis=1).mean())

    def wrong_residual(self) -> str:
        """How the residual differs from what is stored; "" if it does not."""
        return self.equations.iterate.excess_residual(self.values.ravel(), self.parameters, self.residual)

    def __str__(self) -> str:
        words = (
            f"closed invariant curve at {values_text(self.parameters)}" if self.parameters else "closed invariant curve"
        )
        if self.period > 1:
            words += f", one of {self.period}"
        sizes = ", ".join(f"{each.real:.6g}" if each.imag == 0.0 else f"{each:.6g}" for each in self.multipliers)
        return (
            f"{words}: rotation number {self.rotation_number:.14g} ± {self.rotation_error:.0e}, {self.modes} modes, "
            f"residual {self.residual:.0e}, error {self.error:.0e}; "
            f"{'stable' if self.stable else 'not stable'}, normal multipliers {sizes or 'none'}"
        )

    def table(self) -> Columns:
        """One row a point at which the curve is known: its angle in turns, and the state."""
        count = len(self.values)
        return {"angle": (np.arange(count) / count).tolist(), **state_columns(self.values)}

    def table_attributes(self) -> dict[str, Any]:
        """The map's name, and the rotation number with its error."""
        numbers = {"rotation_number": self.rotation_number, "rotation_error": self.rotation_error}
        return {"map": self.map.name, **numbers}


def invariant_curve(
    map_or_point: Any,
    start: Any = None,
    *,
    rotation_number: float | None = None,
    coordinate: int | None = None,
    period: int = 1,
    amplitude: float | None = None,
    steps: int = USUAL_STEPS,
    transient: int = USUAL_TRANSIENT,
    parameters: Mapping[str, float] | None = None,
) -> InvariantCurve:
    """A closed invariant curve, as exact as rounding allows, with its rotation number, multipliers and errors.

    Fourier collocation: f^k(x(θ)) = x(θ + ρ) at 2M + 1 equidistant angles, for the values of x there and ρ, by Newton's
    method; M grows until the highest quarter of the modes is below 10⁻¹¹ of the largest one.

    Parameters
    ----------
    map_or_point : Map, SpecialPoint or Point
        A map; or a Neimark–Sacker point, of which the curve beside it is taken, stable or not; or a point, or event, of
        a branch of closed invariant curves.
    start : array_like, of the state's shape
        With a map: a state on the curve, or attracted to it.
    rotation_number : float, optional
        With a map whose invariant curves form families, as one that preserves areas: that of the curve looked for.
        ``start`` is to be on a curve nearby.
    coordinate, period, steps, transient
        As for :func:`bifurcate.rotation_number`.
    amplitude : float, optional
        With a Neimark–Sacker point: the curve's root mean square distance from the cycle, in units of the state. By
        default the largest of 10⁻², 3·10⁻³, … at which it can be found.
    parameters : mapping of str to float, optional
        Values that replace the map's own.

    Returns
    -------
    InvariantCurve

    Raises
    ------
    InvalidInput
        If the start's orbit fills no closed curve, but is chaotic or settles on a cycle; if the point is of another
        kind, or at a strong resonance; if an argument is unusable.
    NotIsolated
        If curves of other rotation numbers lie beside it, as under a map that preserves areas, and none was given.
    NotConverged
        If Newton's method does not converge, or the curve is not resolved by the modes allowed: near its break-up, or
        near where it is locked to a cycle.
    MapFailed
        If the orbit diverges or leaves the domain.

    References
    ----------
    Castellà & Jorba, Celest. Mech. Dyn. Astron. 76 (2000) 35; Schilder, Osinga & Vogt, SIAM J. Appl. Dyn. Syst. 4
    (2005) 459.

    Examples
    --------
    >>> import bifurcate as bf
    >>> curve = bf.invariant_curve(bf.maps.delayed_logistic(2.1), [0.6, 0.6])
    >>> round(curve.rotation_number, 10), curve.stable
    (0.1561060188, True)
    >>> low, high = curve.extremes
    >>> round(float(high[0]), 10)
    0.8062890655
    """
    if isinstance(map_or_point, SpecialPoint | Point):
        if start is not None or parameters is not None or rotation_number is not None:
            raise InvalidInput("a point has its own state, parameters and rotation number; give these with a map only")
        return _of_point(map_or_point, amplitude)
    map = with_values(map_or_point, parameters)
    if start is None:
        raise InvalidInput("start is missing: give a state on the curve, or one that is attracted to it")
    if amplitude is not None:
        raise InvalidInput("amplitude goes with a Neimark–Sacker point; a map has the curve that start is attracted to")
    x = map.check(start)
    check_count("steps", steps, FIRST_STEPS)
    check_count("transient", transient, 0)
    fixed = None if rotation_number is None else check_number("rotation_number", rotation_number)
    with np.errstate(all="ignore"):
        equations, u = curve_from_orbit(
            map, x, coordinate=coordinate, period=check_period(period), steps=steps, transient=transient, fixed=fixed
        )
        found = _result(solve_curve(equations, u))
    if found.rotation_error > FAMILY and float(np.abs(np.abs(found.multipliers) - 1.0).min(initial=1.0)) < FAMILY:
        raise NotIsolated(
            "closed invariant curves form a family here, one for each rotation number, since a normal multiplier is 1 "
            f"to {FAMILY:g}: say which, as rotation_number={found.rotation_number:.6g}"
        )
    return found


def _of_point(point: SpecialPoint | Point, amplitude: float | None) -> InvariantCurve:
    with np.errstate(all="ignore"):
        if isinstance(point, SpecialPoint) and point.curve.kind == KIND and amplitude is None:  # an event's
            return _result(_at(point.curve, point.u))
        if isinstance(point, SpecialPoint):
            curve = curve_from_neimark_sacker(point, amplitude)
            return _result(_at(curve, curve.start))
        if point.curve.kind != KIND or amplitude is not None or point.kept.shape != point.curve.iterate.shape:
            raise InvalidInput(
                "the point lies on no branch of closed invariant curves, as bf.trace(bf.switch(neimark_sacker), …) "
                "gives one, or was traced with keep=…"
            )
        return _result(_at(point.curve, np.append(np.ravel(point.unknowns), point.free)))


def _at(curve: Curve, u: Array) -> SolvedCurve:
    """The curve at u, solved at its parameters."""
    equations = curve.equations
    assert isinstance(equations, InvariantCurveEquations)
    n, values = curve.size, curve.parameters(u)
    rho = equations.rotation_at(u)
    x = u[:n]
    map = dataclasses.replace(equations.iterate.map, parameters=values, at=None)
    iterate = dataclasses.replace(equations.iterate, map=map)
    fixed = dataclasses.replace(
        equations, iterate=iterate, fixed=values, free=(), reference=equations.values(u), rotation_number=None
    )
    return solve_curve(fixed, np.append(x, rho))


def _result(solved: SolvedCurve) -> InvariantCurve:
    equations, u = solved.equations, solved.u
    linear = equations.linearise(equations.evaluate(u))
    multipliers = linear.jacobian.normal_multipliers  # type: ignore[union-attr]
    iterate: InvariantCurveMap = equations.iterate
    return InvariantCurve(
        equations=equations,
        values=u[: iterate.size].reshape(iterate.shape).copy(),
        rotation_number=equations.rotation_at(u),
        rotation_error=solved.rotation_error,
        residual=solved.residual,
        error=solved.error,
        multipliers=multipliers,
        iterations=solved.iterations,
    )
