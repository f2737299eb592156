"""Curve: a residual with one more unknown than equations, its derivative, and a first point.

Unknowns are u = (x, p): the flattened state and the free parameters. Every kind of curve is a function that returns a
Curve; one corrector, one step control and one tracer serve them all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from bifurcate.curves.corrector_settings import Corrector
from bifurcate.curves.event import Event
from bifurcate.linalg.bordered_system import Krylov
from bifurcate.linalg.multipliers import EDGE
from bifurcate.linalg.operators import Operator
from bifurcate.maps.derivatives import DIFFERENCE_CALLS
from bifurcate.maps.iterated_map import LARGEST_DENSE, IteratedMap
from bifurcate.maps.periodic_coordinates import near
from bifurcate.printing import number_text

__all__ = ["Curve", "Equations", "Evaluation", "Linearisation"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The equations evaluated at u: what was computed on the way is kept for the derivative.

    Attributes
    ----------
    u : ndarray, shape (n + k,)
        State, free parameters, and what else is unknown.
    orbit : list of ndarray
        The cycle's states, k + 1 of them.
    parameters : dict
        All parameters.
    residual : ndarray, shape (n + k − 1,)
        What is to vanish.
    margin : float
        The smallest domain margin along the orbit.
    """

    u: np.ndarray
    orbit: list[np.ndarray]
    parameters: Mapping[str, float]
    residual: np.ndarray
    margin: float


@dataclass(frozen=True, eq=False)
class Linearisation:
    """The derivative of a curve's equations, as the upper rows of a bordered matrix.

    ::

        ┌ M  B ┐  M = J − I, n × n, of the Jacobian's own kind;  B  n × k: by the unknowns beside the state
        └ C  D ┘  further equations, k − 1 of them (none for cycles)

    Attributes
    ----------
    jacobian : Operator
        J, the Jacobian of f^k.
    slopes : callable, optional
        z ↦ the derivative of the further equations along z, (k − 1,), where that is how it is known. C and D are
        stand-ins then, whose only duty is to make the whole regular together with one more row.
    """

    jacobian: Operator
    M: Operator
    B: np.ndarray
    C: np.ndarray
    D: np.ndarray
    slopes: Callable[[np.ndarray], np.ndarray] | None = None


class Equations(Protocol):
    """What defines a kind of curve."""

    @property
    def iterate(self) -> IteratedMap:
        """The map's iterate."""

    @property
    def fixed(self) -> Mapping[str, float]:
        """The parameters that are not free, with their values."""

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the free ones."""

    @property
    def codimension(self) -> int:
        """Conditions that hold beside f^k(x) = x: 0 for cycles, 1 for special points.

        It decides how events on the curve are detected: by counts of multipliers, or by test functions.
        """

    @property
    def hold_everywhere(self) -> bool:
        """True if these equations hold along all of the curve, False if their borders fit near one point only.

        It decides how points are matched with the curve: by the corrector, or by distance from its interpolant.
        """

    @property
    def extra(self) -> tuple[str, ...]:
        """Names of the unknowns beside state and parameters."""

    def evaluate(self, u: np.ndarray) -> Evaluation:
        """Residual and domain margin at u."""

    def linearise(self, at: Evaluation) -> Linearisation:
        """Derivative at an evaluated u."""

    def adapted(self, at: Evaluation, kernel: np.ndarray, rows: np.ndarray) -> Equations:
        """The same equations with borders fit for the neighbourhood of u.

        ``kernel`` and the tangent span what [M B] does not see; ``rows`` are the dual vectors of its columns.
        """


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve to trace.

    Attributes
    ----------
    equations : Equations
        Residual and derivative.
    start : ndarray, shape (n + k,)
        A point on the curve or near it: the flattened state, the free parameters, and what else is unknown.
    kind : str
        "cycle", "connecting orbit", or the special point's kind for curves of such points.
    direction : ndarray, optional
        A tangent at the start where it is known; otherwise the direction of a growing first parameter.
    sides : tuple of int
        +1 and −1: the directions in which it is worth following.
    origin : object, optional
        The special point where the curve was born.
    krylov : Krylov
        How the systems of matrix-free Jacobians are solved.
    corrector : Corrector
        How points are brought onto the curve.
    edge : float
        Distance from the unit circle within which a multiplier is neither inside nor outside: 1e-9, or less where the
        multipliers at the start differ from 1 by little, or what noise of the map moves them by.
    events : tuple of Event
        What the user wants reported along it.
    resonances : int
        Largest denominator of the weak resonances that are reported along a curve of Neimark–Sacker points; 0: none.
    tongue : (int, int) or None
        p and q of the Arnold tongue whose edge this is.
    """

    equations: Equations
    start: np.ndarray
    kind: str = "cycle"
    direction: np.ndarray | None = None
    sides: tuple[int, ...] = (1, -1)
    origin: Any = None
    krylov: Krylov = dataclasses.field(default_factory=Krylov)
    corrector: Corrector = dataclasses.field(default_factory=Corrector)
    edge: float = EDGE
    events: tuple[Event, ...] = ()
    resonances: int = 0
    tongue: tuple[int, int] | None = None

    @property
    def slowness(self) -> float:
        """By how much less multipliers vary along the curve than usual, from 0 to 1."""
        return min(self.edge / EDGE, 1.0)

    @property
    def iterate(self) -> IteratedMap:
        """The map's iterate whose solutions these are."""
        return self.equations.iterate

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the free parameters."""
        return self.equations.free

    @property
    def extra(self) -> tuple[str, ...]:
        """Names of the unknowns beside state and parameters."""
        return self.equations.extra

    @property
    def event_names(self) -> tuple[str, ...]:
        """Names of the user's events that have points of their own."""
        return tuple(event.name for event in self.events if not event.is_kind)

    @property
    def codimension(self) -> int:
        """Codimension of the curve's points: 0 if they are cycles, 1 if they are special points."""
        return self.equations.codimension

    @property
    def period(self) -> int:
        """Period of the cycles on the curve."""
        return self.iterate.period

    @cached_property
    def size(self) -> int:
        """Number n of unknowns in the state."""
        return self.iterate.size

    def parameters(self, u: np.ndarray) -> dict[str, float]:
        """All parameters at u."""
        return {**self.equations.fixed, **dict(zip(self.free, u[self.size :].tolist()))}

    def where(self, u: np.ndarray, error: float = 0.0) -> str:
        """The free parameters at u in words, as "r = 3"; a value smaller than its error is 0."""
        return ", ".join(f"{name} = {number_text(value, error)}" for name, value in zip(self.free, u[self.size :]))

    def state(self, u: np.ndarray) -> np.ndarray:
        """The state at u, in the map's shape."""
        return self.iterate.first_state(u[: self.size]).reshape(self.iterate.state_shape)

    def unknowns(self, u: np.ndarray) -> np.ndarray:
        """All that is unknown of the cycle at u: its state, or in multiple shooting its states, shape (k, *state's)."""
        return u[: self.size].reshape(self.iterate.shape)

    def __repr__(self) -> str:
        free = ", ".join(self.free)
        what = f"cycles of period {self.period}" if self.codimension == 0 else f"{self.kind}, period {self.period}"
        if self.kind in ("connecting orbit", "tangency"):
            what = f"{self.kind} of {self.iterate.shape[0]} states"
        if self.kind == "invariant curve":
            what = f"closed invariant curves of {self.iterate.shape[0] // 2} modes"
        return (
            f"<Curve of {self.iterate.map.name}: {what}, free {free}, from {self.where(self.start)}{self._saving()}>\n"
            f"next: bf.trace(curve, {{{', '.join(f'{name!r}: (low, high)' for name in self.free)}}})"
        )

    def _saving(self) -> str:
        """What a jvp would save, in words, where products with the Jacobian are taken by differences; "" elsewhere."""
        map = self.iterate.map
        if map.jvp is not None or map.jacobian is not None or map.derivative != "central" or self.size <= LARGEST_DENSE:
            return ""
        return f"; without jvp: {DIFFERENCE_CALLS} calls of f a product"

    def image_near(self, u: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """u with its state moved by whole periods, where coordinates have one, to where it is nearest to another point.

        u itself where nothing is moved.
        """
        periods = self.iterate.periods
        if periods is None:
            return u
        n = self.size
        moved = near(u[:n], reference[:n], periods)
        return u if np.array_equal(moved, u[:n]) else np.concatenate([moved, u[n:]])

    def replace(self, **changes: Any) -> Curve:
        """The same curve with fields changed."""
        return dataclasses.replace(self, **changes)
