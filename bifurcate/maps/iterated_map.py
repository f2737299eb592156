"""IteratedMap: the k-th iterate of a map on vectors, with the derivatives that solvers ask for."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator

from bifurcate.errors import MapFailed
from bifurcate.linalg.few_numbers import all_finite
from bifurcate.linalg.operators import DiagonalLowRank, Operator, ShiftedLowRank, apply, compose, core_operator, dense
from bifurcate.maps.accelerated import CompiledProduct
from bifurcate.maps.batched_values import BatchedValues
from bifurcate.maps.border_sides import continued, inward_step
from bifurcate.maps.calls import FLOATS, call, evaluate
from bifurcate.maps.derivative_check import AnalyticParameters
from bifurcate.maps.derivatives import (
    central_difference,
    central_difference_columns,
    parameter_slope,
    slope_by_three_points,
)
from bifurcate.maps.map import Map
from bifurcate.maps.periodic_coordinates import common_size, near, shortest, sizes
from bifurcate.printing import short_repr, values_text

__all__ = ["IteratedMap"]

# size limit: where the map gives no Jacobian, states up to this size get a dense one from n directional derivatives.
# Beyond, J is only multiplied with vectors: n products would cost more than a solve by Krylov methods.
LARGEST_DENSE = 200

# size limit: sparse Jacobians up to this size are made dense. All multipliers are computed by LAPACK there anyhow, and
# take longer than an LU does; for few unknowns SciPy's calls on sparse matrices take four times as long as both.
LARGEST_SPARSE_MADE_DENSE = 300

# Distance, relative to the state's size, up to which two states of an orbit are the same one: far above what Newton's
# method leaves, far below the distance of the points of a cycle that has just doubled.
SAME_STATE = 1e-8

# Stands for a change of 0, by which nothing is to be divided: far from both ends of the range of a double.
TINY = 1e-300

# Widths of a parameter's bounds between which its unit is 1: differences over 1e-3 of that show what varies over them.
NARROW, WIDE = 0.1, 100.0
LEAST_PART = 1e-6  # part of a parameter's value below which its unit is not taken: differences over less are rounding
WIDE_PART = 0.01  # part of very wide bounds that is a parameter's unit

# Part of the state's size by which a residual may exceed the one that was stored: another computer rounds differently,
# times multipliers of up to 10⁶. Another map exceeds it by orders of magnitude.
SAME_RESIDUAL = 1e-9

# Unknowns from which on differences are taken in one call of f, where it broadcasts: below, they take few calls.
SMALLEST_BATCHED = 8

# Columns, as a part of the unknowns, up to which products along them cost less than a Jacobian by differences.
FEW_COLUMNS = 2

_ANALYTIC = AnalyticParameters()
_BATCHES = BatchedValues()

Parameters = Mapping[str, float]
Array = NDArray[Any]  # real; complex where a method says so


@dataclass(frozen=True, eq=False)
class IteratedMap:
    """The map f^k on flattened states.

    Methods take the orbit (x₀, f(x₀), …, f^k(x₀)) as an argument, so that f is evaluated once for all of them.

    Parameters
    ----------
    map : Map
        f.
    shape : tuple of int
        The shape in which f wants its states.
    period : int
        k ≥ 1.
    widths : tuple of (str, float)
        How far parameters vary, where it is known: the widths of the bounds of a continuation. Difference steps follow
        them where they are far from 1.
    """

    map: Map
    shape: tuple[int, ...]
    period: int = 1
    widths: tuple[tuple[str, float], ...] = ()

    __repr__ = short_repr

    @cached_property
    def exact(self) -> bool:
        """True if the map's derivatives are exact to rounding; False if they are differences."""
        return self.map.jvp is not None or self.map.jacobian is not None or self.map.derivative != "central"

    @cached_property
    def _names(self) -> tuple[str, str]:
        """What error messages call the map's Jacobian and its derivative by a parameter."""
        return f"the jacobian of {self.map.name}", f"the parameter_derivative of {self.map.name}"

    def noise_at(self, x: Array) -> float:
        """The size of the errors of f's values near a state, in its unit; 0 where they are rounding."""
        noise = self.map.precision.noise
        return noise * max(self.map.scale, float(np.abs(x).max(initial=0.0))) if noise else 0.0

    def parameter_unit(self, name: str, value: float) -> float:
        """The unit of a parameter in difference steps: max(1, |value|) unless its bounds are far narrower or wider."""
        width = dict(self.widths).get(name, 1.0)
        if width < NARROW:
            return max(width, LEAST_PART * abs(value))
        return max(1.0, abs(value), WIDE_PART * width if width > WIDE else 0.0)

    def is_exact_by(self, name: str) -> bool:
        """True if the derivative by a parameter is exact to rounding; False if it is a difference, or not yet known."""
        return self.map.parameter_derivative is not None or _ANALYTIC.knows(self.map.f, name, self.map.derivative)

    @cached_property
    def size(self) -> int:
        """Number of unknowns."""
        return math.prod(self.shape)

    def orbit(self, x: Array, p: Parameters) -> list[Array]:
        """[x, f(x), …, f^k(x)] as vectors: k evaluations of f.

        In coordinates that have a period the last one is moved by whole periods to where it is nearest to x.
        """
        states, map = [x], self.map
        if len(self.shape) == 1:  # as _step does, without what one axis does not need
            for _ in range(self.period):
                states.append(evaluate(map.f, map.name, states[-1], p))
        else:
            for _ in range(self.period):
                states.append(self._step(states[-1], p))
        if map.periods is not None:
            states[-1] = near(states[-1], x, map.periods)
        return states

    @property
    def state_shape(self) -> tuple[int, ...]:
        """The shape of one state of the map."""
        return self.shape

    @property
    def periods(self) -> Array | None:
        """The periods of the coordinates, inf for those without one; None if none has one."""
        return self.map.periods

    def difference(self, x: Array, y: Array) -> Array:
        """x − y, the shortest one in coordinates that have a period."""
        return shortest(x - y, self.periods)

    def iterate_orbit(self, orbit: list[Array]) -> list[Array]:
        """The orbit itself; see :class:`~.orbit_map.OrbitMap`, whose unknowns are all of its states."""
        return orbit

    def first_state(self, x: Array) -> Array:
        """The state in a vector of unknowns: all of it."""
        return x

    def phases(self, x: Array, p: Parameters) -> list[Array]:
        """The same cycle begun at each of its states."""
        return self.orbit(x, p)[:-1]

    def half_way(self, orbit: list[Array]) -> Array:
        """The same cycle begun half a period later."""
        return orbit[self.period // 2]

    def of_multiple(self, multiple: int) -> IteratedMap:
        """The iterate whose fixed points are cycles of a multiple of the period."""
        return dataclasses.replace(self, period=multiple * self.period)

    def repeated(self, v: Array, factors: Sequence[float]) -> Array:
        """A vector of unknowns for a multiple of the period: the first factor times this one."""
        return v if factors[0] == 1.0 else factors[0] * v

    def step_near(self, reference: Array, p: Parameters) -> Callable[[Array], Array]:
        """The map y ↦ f(y) near a state, continuous where f returns a coordinate reduced to its period."""
        if self.map.periods is None:
            return lambda y: self._step(y, p)
        image = self._step(reference, p)
        return lambda y: near(self._step(y, p), image, self.map.periods)

    def _step(self, x: Array, p: Parameters) -> Array:
        return self.map.evaluate(x.reshape(self.shape), p).reshape(-1)

    def later_states(self, x: Array, p: Parameters) -> list[Array]:
        """[f(x), …, f^(k−1)(x)] in the map's shape: the other points of a cycle, from k − 1 evaluations of f."""
        shorter = dataclasses.replace(self, period=self.period - 1) if self.period > 1 else None
        states = [] if shorter is None else shorter.orbit(x, p)[1:]
        return [state.reshape(self.shape) for state in states]

    def excess_residual(self, x: Array, p: Parameters, residual: float) -> str:
        """In which numbers ‖f^k(x) − x‖_∞ exceeds what is said of it, beyond rounding; "" if it does not."""
        found = float(np.abs(self.orbit(x, p)[-1] - x).max())
        if found <= residual + SAME_RESIDUAL * max(self.map.scale, float(np.abs(x).max())):
            return ""
        return f"at {', '.join(f'{name} = {value:.6g}' for name, value in p.items())} it leaves {found:.1e}"

    def least_period(self, orbit: Sequence[Array], tolerance: float = SAME_STATE) -> int:
        """The least period: the smallest divisor j of k with ‖f^j(x) − x‖_∞ < tolerance · max(scale, ‖x‖_∞).

        The tolerance is at least a hundred times the map's noise.
        """
        if self.period == 1:
            return 1
        scale, tolerance = (
            max(self.map.scale, float(np.abs(orbit[0]).max())),
            max(tolerance, self.map.precision.shortest_length),
        )
        for j in range(1, self.period // 2 + 1):
            if self.period % j == 0 and float(np.abs(self.difference(orbit[j], orbit[0])).max()) < tolerance * scale:
                return j
        return self.period

    def margin(self, orbit: Sequence[Array], p: Parameters) -> float:
        """The smallest domain margin along the orbit; +inf if no domain is declared, −inf if a state is not finite."""
        if not all_finite(orbit[-1]):
            return -np.inf
        if self.map.domain is None:
            return np.inf
        domain, what = self.map.domain, f"the domain of {self.map.name}"
        margins = [np.asarray(call(domain, what, x.reshape(self.shape), **p)).min() for x in orbit[:-1]]
        smallest = float(margins[0] if len(margins) == 1 else np.min(margins))
        return smallest if np.isfinite(smallest) else -np.inf

    def border_signs(self, orbit: Sequence[Array], p: Parameters) -> Array:
        """The switching functions along the orbit, as one vector; empty if none are declared."""
        if self.map.borders is None:
            return np.empty(0)
        borders, what = self.map.borders, f"the borders of {self.map.name}"
        return np.concatenate([np.ravel(call(borders, what, x.reshape(self.shape), **p)) for x in orbit[:-1]])

    def jacobian(self, orbit: Sequence[Array], p: Parameters) -> Operator:
        """Jacobian of f^k at orbit[0]: the product of those along the orbit, of their own kind."""
        if self.period == 1:
            return self._single(orbit[0], p)
        factors = [self._single(x, p) for x in orbit[:-1]]
        return functools.reduce(lambda inner, outer: compose(outer, inner), factors)

    def _single(self, x: Array, p: Parameters) -> Operator:
        n = len(x)
        given = self.map.jacobian
        if given is not None:
            J = call(given, self._names[0], x.reshape(self.shape), **p)
            if type(J) is np.ndarray and J.dtype is FLOATS and J.shape == (n, n):
                return self._finite(J.copy(), "Jacobian", p)
            if sp.issparse(J) and n <= LARGEST_SPARSE_MADE_DENSE:
                J = dense(J)
            if isinstance(J, LinearOperator | ShiftedLowRank | DiagonalLowRank) or sp.issparse(J):
                return J
            return self._finite(self._real(J, "jacobian", n * n).reshape(n, n), "Jacobian", p)
        if n <= LARGEST_DENSE:
            return self._finite(self._dense(x, p), "Jacobian", p)
        return LinearOperator((n, n), matvec=lambda v: self._jvp(x, v.ravel(), p), dtype=float)

    def _dense(self, x: Array, p: Parameters) -> Array:
        if isinstance(self.map.jvp, CompiledProduct):
            return self.map.jvp.f.jacobian(x.reshape(self.shape), p)
        if self.map.jvp is not None or self.map.derivative != "central":
            return np.array([self._jvp(x, e, p) for e in np.eye(len(x))]).T
        # A step of its own for every component, since they may differ in scale.
        steps = self.map.precision.slope_step * sizes(x, self.map.scale, self.map.periods)
        if self.map.borders is not None:
            move = inward_step(lambda y: self.border_signs([y, y], p), x, steps)
            if move is not None:
                return continued(lambda y: self._quotients(y, p, steps), x, move)
        return self._quotients(x, p, steps)

    def _quotients(self, x: Array, p: Parameters, steps: Array) -> Array:
        step = self.step_near(x, p)

        def along(j: int, t: float) -> Array:
            y = x.copy()
            y[j] += t
            return step(y)

        def batch(j: Array, t: Array) -> Array | None:
            states = np.tile(x, (len(j), 1))
            states[np.arange(len(j)), j] += t
            found = _BATCHES.values(self.map.f, states.reshape(-1, *self.shape), p, self.map.scale)
            return None if found is None else found.reshape(len(j), -1)

        is_tried = len(x) >= SMALLEST_BATCHED and self.map.periods is None
        return central_difference_columns(along, steps, batch if is_tried else None, self.noise_at(x))

    def _jvp(self, x: Array, v: Array, p: Parameters) -> Array:
        return self.map.tangent(x.reshape(self.shape), v.reshape(self.shape), p).reshape(-1)

    def _real(self, value: Any, part: str, size: int) -> Array:
        """A copy of what a given derivative returned, as a vector of floats of the size asked for."""
        if type(value) is np.ndarray and value.dtype is FLOATS and value.size == size:
            return value.reshape(-1).copy()
        if np.iscomplexobj(value) or np.size(value) != size:
            kind = "complex numbers" if np.iscomplexobj(value) else f"shape {np.shape(value)}"
            raise MapFailed(f"the {part} of {self.map.name} returned {kind} for a state of shape {self.shape}")
        return np.array(value, dtype=float).reshape(-1)

    def _finite(self, value: Array, what: str, p: Parameters) -> Array:
        """A derivative as it is, refused where f, or the derivative given, returned NaN or infinity."""
        if not all_finite(value):
            raise MapFailed(f"the {what} of {self.map.name} is NaN or infinity at {values_text(p)}")
        return value

    def jvp(self, orbit: Sequence[Array], v: Array, p: Parameters) -> Array:
        """Derivative of f^k at orbit[0] in the direction v: k directional derivatives of f, no matrix."""
        for x in orbit[:-1]:
            v = self._jvp(x, v, p)
        return v

    def jacobian_times(self, orbit: Sequence[Array], columns: Array, p: Parameters) -> Array:
        """J times columns: by directional derivatives where the map gives them, else by the Jacobian of f^k."""
        if columns.shape[1] >= self.size or not (self.map.jvp is not None or self._is_product_cheaper(columns)):
            return apply(self.jacobian(orbit, p), columns)
        return self._products(orbit, columns, p)

    def _is_product_cheaper(self, columns: Array) -> bool:
        """True if a few directional derivatives take fewer calls of f than a Jacobian, which is not given."""
        parts = 2 if columns.dtype.kind == "c" else 1
        return self.map.jacobian is None and FEW_COLUMNS * parts * columns.shape[1] <= self.size

    def _products(self, orbit: Sequence[Array], columns: Array, p: Parameters) -> Array:
        """J times columns, one directional derivative for each, or two where it is complex."""
        if columns.dtype.kind == "c":
            return self._products(orbit, columns.real, p) + 1j * self._products(orbit, columns.imag, p)
        return np.column_stack([self.jvp(orbit, column, p) for column in columns.T])

    def parameter_derivative(self, orbit: Sequence[Array], p: Parameters, name: str) -> Array:
        """∂f^k/∂name at orbit[0], by the recursion d ← f_x d + f_name along the orbit."""
        d = self._by_parameter(orbit[0], p, name)
        for x in orbit[1:-1]:
            d = self._jvp(x, d, p) + self._by_parameter(x, p, name)
        return d

    def _by_parameter(self, x: Array, p: Parameters, name: str) -> Array:
        if self.map.parameter_derivative is not None:
            slope = call(self.map.parameter_derivative, self._names[1], x.reshape(self.shape), name, **p)
            return self._real(slope, "parameter_derivative", self.size)
        here, f, method = p[name], self.map.f, self.map.derivative
        if method != "central" and _ANALYTIC.has(f, name, x.reshape(self.shape), p, method):
            guarded = functools.partial(call, f, self.map.name)
            return parameter_slope(guarded, x.reshape(self.shape), name, p, method).reshape(-1)
        image = None if self.map.periods is None else self._step(x, p)

        def along(t: float) -> Array:
            y = self._step(x, {**p, name: here + t})
            return y if image is None else near(y, image, self.map.periods)

        step, noise = self.map.precision.slope_step * self.parameter_unit(name, here), self.noise_at(x)
        move = None
        if self.map.borders is not None:
            at = np.array([here])
            move = inward_step(lambda q: self.border_signs([x, x], {**p, name: float(q[0])}), at, np.array([step]))
        if move is None:
            slope = central_difference(along, step, noise)
        else:  # on this side of a border that the parameter moves
            slope = continued(lambda t: central_difference(lambda s: along(s + t[0]), step, noise), np.zeros(1), move)
        return self._finite(slope, f"derivative by {name}", p)

    def jacobian_derivative(
        self,
        x: Array,
        columns: Array,
        dx: Array,
        dp: Parameters,
        p: Parameters,
        beside: tuple[str, Array] | None = None,
    ) -> Array:
        """The change of (f^k)' V along (dx, dp): d/dt J(x + t dx, p + t dp) V at t = 0.

        Parameters
        ----------
        x, dx : ndarray, shape (n,)
            The state, and its change.
        columns : ndarray, shape (m, j)
            V, may be complex; m = n, or the size of J's core operator where J is structured.
        dp, p : mapping of str to float
            The changes of the parameters that change, and all parameters.
        beside : (str, ndarray of shape (j,)), optional
            A parameter and factors c: the change of (∂f^k/∂name) cᵀ is added. Then m = n.

        Returns
        -------
        ndarray, shape (m, j)
        """
        # The longest t that changes neither the state by more than its size nor a parameter by more than its own.
        moved = float(np.abs(dx).max(initial=0.0)) / float(common_size(x, self.map.scale, self.map.periods))
        longest = 1.0 / max(moved, *(abs(rate) / self.parameter_unit(name, p[name]) for name, rate in dp.items()), TINY)

        def along(t: float) -> Array:
            shifted = {**p, **{name: p[name] + t * rate for name, rate in dp.items()}}
            return self._jacobian_along(x + t * dx, shifted, columns, beside)

        levels = self.map.precision
        if self.exact:
            return slope_by_three_points(along, levels.short_bend_step * longest)  # errors of 1e-10 suffice
        return central_difference(along, levels.bend_step * longest, levels.slope_error * float(np.abs(columns).max()))

    def _jacobian_along(self, x: Array, p: Parameters, columns: Array, beside: tuple[str, Array] | None) -> Array:
        """J V at a state, and beside it (∂f^k/∂name) cᵀ."""
        orbit = [x]
        for _ in range(self.period - 1):
            orbit.append(self._step(orbit[-1], p))
        orbit.append(orbit[-1])  # stands for f^k(x), which the Jacobian of f^k does not depend on
        if self._is_product_cheaper(columns):
            product = self._products(orbit, columns, p)
            return (
                product
                if beside is None
                else product + np.outer(self.parameter_derivative(orbit, p, beside[0]), beside[1])
            )
        J = self.jacobian(orbit, p)
        if beside is None:
            return apply(core_operator(J), columns)
        by_parameter = self.parameter_derivative(orbit, p, beside[0])
        return np.asarray(apply(J, columns) + np.outer(by_parameter, beside[1]))
