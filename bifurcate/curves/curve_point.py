"""CurvePoint: a corrected point of a curve with its tangent, its multipliers and its factored linear system."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from bifurcate.curves.curve import Curve, Evaluation, Linearisation
from bifurcate.curves.metric import Metric
from bifurcate.curves.point_system import system_with_row
from bifurcate.linalg.bordered_system import Bordered
from bifurcate.linalg.multipliers import EDGE, Spectrum, spectrum
from bifurcate.linalg.operators import Operator

__all__ = [
    "CorrectorFailure",
    "CurvePoint",
    "FailureReason",
    "Multipliers",
    "hermite_point",
    "newton_step",
    "tangent_between",
]

Vector = NDArray[np.float64]
FailureReason = Literal["diverged", "domain", "failed", "singular", "not-isolated"]

LEAST_SHARE = 0.05  # of a step: a chord that is shorter says less of a tangent than the tangent at the far end does
# size limit: unknowns beyond which a point that was passed keeps its place and its tangent only: what its equations
# hold there, as large as several states, is computed again if it is asked for
LARGEST_KEPT = 10**5
LEADING = 6  # multipliers that iteration for a spectrum looks for: enough for all that cross in most steps


class Multipliers:
    """The multipliers of one point, computed when they are first asked for and then remembered.

    Parameters
    ----------
    jacobian : Operator
        J, the Jacobian of f^k.
    start : ndarray, shape (n,) or (n, k)
        The vector, or the columns, from which iteration starts.
    edge : float
        Distance from the unit circle within which a multiplier is neither inside nor outside.
    """

    def __init__(self, jacobian: Operator, start: Vector, edge: float = EDGE) -> None:
        self._jacobian = jacobian
        self._start = start
        self._edge = edge
        self._found: Spectrum | None = None

    @property
    def spectrum(self) -> Spectrum:
        """The multipliers."""
        if self._found is None:
            self._found = spectrum(self._jacobian, LEADING, self._start, self._edge, sharp=False)
        return self._found

    @property
    def stored(self) -> tuple[Vector, Spectrum | None]:
        """Where iteration starts, and what was found: with the Jacobian, all that there is to know."""
        return self._start, self._found

    @classmethod
    def restored(cls, jacobian: Operator, stored: tuple[Vector, Spectrum | None]) -> Multipliers:
        """The multipliers of a point from what :attr:`stored` holds of them."""
        made = cls(jacobian, stored[0])
        made._found = stored[1]
        return made

    def following(self, other: Multipliers) -> Multipliers:
        """The same multipliers, not yet computed, for which iteration starts from what was found at another point."""
        start = other._start if other._found is None else other._found.vector
        return self if start is None or self._found is not None else Multipliers(self._jacobian, start, self._edge)


@dataclass(frozen=True, eq=False)
class CurvePoint:
    """A corrected point of a curve.

    Attributes
    ----------
    u : ndarray, shape (n + k,)
        State, free parameters, and what else is unknown.
    tangent : ndarray, shape (n + k,)
        The curve's tangent, of length 1 in the metric.
    at : Evaluation
        The equations evaluated there.
    linear : Linearisation
        Their derivative there.
    residual : float
        ‖H(u)‖_∞.
    iterations : int
        Newton steps that the corrector took.
    multipliers : Multipliers
        Of the cycle.
    arclength : float
        Place on the curve, in the metric.
    kernel : ndarray, shape (n + k, j), or None
        On curves of special points the vectors that, with the tangent, span the kernel of [M B].
    system : Bordered or None
        The bordered matrix of the last Newton step, factored; None once the stepper has passed the point, since it may
        be several states large.
    curve : Curve
        The curve that it lies on, with the equations that were evaluated.
    row : ndarray, shape (n + k,), or None
        The last row of ``system``; None without it.
    guess : ndarray, shape (n + k,), or None
        Where GMRES started for the tangent; None with a direct solver, and without ``system``.
    """

    u: Vector
    tangent: Vector
    at: Evaluation
    linear: Linearisation
    residual: float
    iterations: int
    multipliers: Multipliers = field(repr=False)
    arclength: float = 0.0
    kernel: Vector | None = None
    system: Bordered | None = field(default=None, repr=False)
    curve: Curve | None = field(default=None, repr=False)
    row: Vector | None = field(default=None, repr=False)
    guess: Vector | None = field(default=None, repr=False)

    def stored_state(self) -> dict[str, Any]:
        """What pickle and files hold: all but what the curve's equations give again, to the bit."""
        computed = ("at", "linear", "system", "multipliers")
        kept = {each.name: getattr(self, each.name) for each in dataclasses.fields(self) if each.name not in computed}
        evaluated = self.__dict__["at"].u if "at" in self.__dict__ else self.__dict__["evaluated"]
        return {**kept, "evaluated": evaluated, "multipliers": self.multipliers.stored}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take in what :meth:`stored_state` holds: f is evaluated again, and the system factored."""
        state = dict(state)
        curve, row = state["curve"], state["row"]
        with np.errstate(all="ignore"):
            at = curve.equations.evaluate(state.pop("evaluated"))
            linear = curve.equations.linearise(at)
            system = None if row is None else system_with_row(curve, linear, row, start=state["guess"])
        multipliers = Multipliers.restored(linear.jacobian, state.pop("multipliers"))
        for name, value in {**state, "at": at, "linear": linear, "system": system, "multipliers": multipliers}.items():
            object.__setattr__(self, name, value)

    __getstate__ = stored_state
    __setstate__ = load_state

    @cached_property
    def correction(self) -> Vector | None:
        """The Newton step that would follow, shape (n + k,); None where another solve would be costly."""
        if self.system is None or not self.system.direct:
            return None
        return newton_step(self.system, self.at)

    def remaining_error(self, i: int) -> float:
        """The error of unknown number i that the remaining residual amounts to; 0 where it is not known."""
        return 0.0 if self.correction is None else abs(float(self.correction[i]))

    @property
    def spectrum(self) -> Spectrum:
        """Multipliers of the cycle."""
        return self.multipliers.spectrum

    def placed(self, arclength: float) -> CurvePoint:
        """The same point at a place along the curve."""
        return self._with(arclength=arclength)

    def facing(self, side: float) -> CurvePoint:
        """The same point with its tangent reversed where ``side`` is −1."""
        return self if side == 1.0 else self._with(tangent=side * self.tangent)

    def following(self, other: CurvePoint) -> CurvePoint:
        """The same point, for whose multipliers iteration starts from the vectors found at another one."""
        multipliers = self.multipliers.following(other.multipliers)
        return self if multipliers is self.multipliers else self._with(multipliers=multipliers)

    def without_factors(self) -> CurvePoint:
        """The same point without its factored system; a large one without all that its equations give again."""
        made = self._with(system=None, row=None, guess=None)
        if len(self.u) > LARGEST_KEPT and self.curve is not None:
            made.__dict__["evaluated"] = made.__dict__.get("evaluated", self.at.u)
            made.__dict__.pop("at", None)
            made.__dict__.pop("linear", None)
        return made

    def with_factors(self, row: Vector | None, guess: Vector | None) -> CurvePoint:
        """The same point with its system factored again, to the bit: the reverse of :meth:`without_factors`."""
        if row is None or self.curve is None:
            return self
        at = self.at
        linear = self.__dict__["linear"] if "linear" in self.__dict__ else self.curve.equations.linearise(at)
        system = system_with_row(self.curve, linear, row, start=guess)
        return self._with(at=at, linear=linear, system=system, row=row, guess=guess)

    def __getattr__(self, name: str) -> Any:
        # Only what is not there is looked for here: the equations at a large point that was passed.
        evaluated = self.__dict__.get("evaluated")
        if evaluated is None or name not in ("at", "linear"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        equations = self.__dict__["curve"].equations
        with np.errstate(all="ignore"):
            at = equations.evaluate(evaluated)
            return at if name == "at" else equations.linearise(at)

    def _with(self, **changes: Any) -> CurvePoint:
        # dataclasses.replace, at a third of its time: a step makes three such copies.
        made = object.__new__(CurvePoint)
        made.__dict__.update(self.__dict__)
        made.__dict__.pop("correction", None)
        made.__dict__.update(changes)
        return made


@dataclass(frozen=True)
class CorrectorFailure:
    """Why no point was found.

    Attributes
    ----------
    reason : {"diverged", "domain", "failed", "singular", "not-isolated"}
    detail : str
        The numbers that belong to it, in words.
    """

    reason: FailureReason
    detail: str = ""


def newton_step(system: Bordered, at: Evaluation, offset: float = 0.0) -> Vector:
    """The Newton step (δx, δp) for the residual at a point and for the distance to the hyperplane."""
    n, rhs = len(at.orbit[0]), np.empty(len(at.residual) + 1)
    np.negative(at.residual, out=rhs[:-1])
    rhs[-1] = offset
    return np.concatenate(system.solve(rhs[:n], rhs[n:]))


def tangent_between(a: CurvePoint, b: CurvePoint, u: Vector, metric: Metric) -> Vector:
    """The unit tangent at u, a point of the curve between a and b or near them, from where the points lie.

    At a branch point no linear system has the tangent for its only solution; positions know it to second order.
    """
    before, after = u - a.u, b.u - u
    to_a, to_b = metric.norm(before), metric.norm(after)
    is_between = metric.dot(before, after) > 0.0
    if is_between and min(to_a, to_b) > LEAST_SHARE * (
        to_a + to_b
    ):  # the slope of the parabola through the three points
        t = (to_b / to_a) * before + (to_a / to_b) * after
    elif to_a >= to_b:  # beside b, or beyond it: of the parabola through a, with the tangent there
        t = (2.0 / to_a) * before - a.tangent
    else:
        t = (2.0 / to_b) * after - b.tangent
    return t / metric.norm(t)


def hermite_point(a: CurvePoint, b: CurvePoint, fraction: float, metric: Metric) -> Vector:
    """The cubic Hermite interpolant of two points at a fraction of the way from a to b; beyond 1 it extrapolates."""
    f, h = fraction, metric.norm(b.u - a.u)
    return (
        (1 + 2 * f) * (1 - f) ** 2 * a.u
        + f**2 * (3 - 2 * f) * b.u
        + h * (f * (1 - f) ** 2 * a.tangent - f**2 * (1 - f) * b.tangent)
    )
