"""What a user says of a map, compared with the map itself: derivatives that are given, and periods of coordinates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator

from bifurcate.errors import InvalidInput, MapFailed
from bifurcate.linalg.operators import DiagonalLowRank, ShiftedLowRank, apply
from bifurcate.maps.calls import REAL_KINDS, call
from bifurcate.maps.derivative_check import DifferenceSlope
from bifurcate.maps.noise import Precision
from bifurcate.maps.rule import Rule
from bifurcate.validation import shown

__all__ = ["CheckedMap", "check_given_derivatives", "check_whole_periods", "multiply_jacobian"]

Array = NDArray[np.float64]

# Step by which a parameter of size 1 is changed in the comparison: near the best step of five points, 7e-4.
PARAMETER_STEP = 1e-3

# Part of max(scale, |f|) by which f may change under a whole period of a coordinate: rounding of the angle times slopes
# up to 10⁷. A coordinate that is no angle changes f by orders of magnitude more.
PERIOD_ERROR = 1e-8


class CheckedMap(Rule, Protocol):
    """A map, as far as it is looked at here: see :class:`~bifurcate.Map`."""

    @property
    def parameters(self) -> Mapping[str, float]:
        """Names and values."""

    @property
    def derivative(self) -> str:
        """How derivatives are taken that are not given."""

    @property
    def scale(self) -> float:
        """A typical magnitude of the state."""

    @property
    def name(self) -> str:
        """In error messages."""

    @property
    def periodic(self) -> Any:
        """The periods, as they were given."""

    @property
    def periods(self) -> Array | None:
        """The periods of the state's numbers."""

    @property
    def precision(self) -> Precision:
        """The errors of f's values beyond rounding."""

    def tangent(self, x: Array, v: Array, parameters: Mapping[str, float]) -> Array:
        """The derivative of f in a direction."""

    def image_near(self, y: Any, reference: Any) -> Array:
        """An image, moved by whole periods."""


def check_whole_periods(map: CheckedMap, x: Array, y: Array) -> None:
    """Refuse periods with which f(x + periods) is not f(x) plus whole periods; y is f(x)."""
    if map.periods is None:
        return
    if len(map.periods) != x.size:
        raise InvalidInput(f"periodic has {len(map.periods)} entries for a state of {x.size} numbers")
    moved = x + np.where(np.isfinite(map.periods), map.periods, 0.0).reshape(x.shape)
    error = map.image_near(call(map.f, map.name, moved, **map.parameters), y) - y
    unit = max(map.scale, float(np.abs(y).max()), float(np.abs(moved).max()))
    if not np.abs(error).max() <= max(PERIOD_ERROR, map.precision.value_error) * unit:
        raise InvalidInput(
            f"{map.name} is not periodic with periods {map.periodic}: a state and the same state one period on "
            f"have images that differ by {np.abs(error).max():.2e} beyond whole periods"
        )


def check_given_derivatives(map: CheckedMap, x: Array) -> None:
    """Compare the derivatives that were given with differences of f at a state.

    Raises
    ------
    InvalidInput
        If one differs, or has another shape.
    """
    _check_derivative(map, x)
    _check_parameter_derivative(map, x)


def _check_derivative(map: CheckedMap, x: Array) -> None:
    p = map.parameters
    v = np.random.default_rng(0).standard_normal(x.shape)
    ways: list[tuple[str, Callable[[], Array]]] = []
    if map.jvp is not None:
        jvp = map.jvp
        ways.append(("jvp", lambda: _as_floats(map, "jvp", call(jvp, f"the jvp of {map.name}", x, v, **p))))
    if map.jacobian is not None:
        jacobian = map.jacobian
        ways.append(("jacobian", lambda: multiply_jacobian(call(jacobian, f"the jacobian of {map.name}", x, **p), v)))
    if map.derivative == "complex" and not ways:
        ways.append(("complex-step derivative", lambda: map.tangent(x, v, p)))
    size = max(map.scale, float(np.abs(x).max()))
    step = map.precision.slope_step * size / float(np.abs(v).max())
    here = map.f(x, **p) if map.periodic else None
    slope = DifferenceSlope(lambda t: _image(map, x + t * v, p, here), step, noise=map.precision.noise * size)
    for label, way in ways:
        given = way()
        if given.shape != x.shape:
            raise InvalidInput(f"the {label} of {map.name} returns shape {given.shape} for a state of shape {x.shape}")
        wrong = slope.find_error(given)
        if wrong and not _has_border_between(map, (x - 2.0 * step * v, p), (x, p), (x + 2.0 * step * v, p)):
            error, allowed = wrong
            raise InvalidInput(
                f"the {label} of {map.name} differs from differences of f by {error:.2e} (allowed {allowed:.1e})"
            )


def _check_parameter_derivative(map: CheckedMap, x: Array) -> None:
    if map.parameter_derivative is None:
        return
    for name, here in map.parameters.items():

        def at(t: float, name: str = name, here: float = here) -> dict[str, float]:
            return {**map.parameters, name: here + t}

        noise = map.precision.noise * max(map.scale, float(np.abs(x).max()))
        step = (max(PARAMETER_STEP, map.precision.slope_step) if noise else PARAMETER_STEP) * max(1.0, abs(here))
        what = f"the parameter_derivative of {map.name}"
        value = call(map.parameter_derivative, what, x, name, **map.parameters)
        given = _as_floats(map, "parameter_derivative", value)
        if given.shape != x.shape:
            raise InvalidInput(f"{what} returns shape {given.shape} for a state of shape {x.shape}")
        y = map.f(x, **map.parameters) if map.periodic else None
        slope = DifferenceSlope(lambda t: _image(map, x, at(t), y), step, map.scale, noise)  # noqa: B023
        wrong = slope.find_error(given)
        if wrong and not _has_border_between(map, (x, at(-2.0 * step)), (x, at(0.0)), (x, at(2.0 * step))):
            raise InvalidInput(f"{what} by {name} differs from differences of f by {wrong[0]:.2e}")


def _image(map: CheckedMap, x: Array, p: Mapping[str, float], reference: Any) -> Array:
    """A copy of f(x) near another image; NaN where f fails, since its domain may end within reach of differences."""
    try:
        return np.array(map.image_near(map.f(x, **p), reference))
    except Exception:  # f is the user's, and may raise anything
        return np.full(x.shape, np.nan)


def _as_floats(map: CheckedMap, part: str, value: Any) -> Array:
    try:
        return np.array(value, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"the {part} of {map.name} returns {type(value).__name__}; numbers are asked for") from error


def _has_border_between(map: CheckedMap, *places: tuple[Array, Mapping[str, float]]) -> bool:
    """True if a switching function changes sign, or is 0, between the places: differences are no derivatives."""
    if map.borders is None:
        return False
    borders, what = map.borders, f"the borders of {map.name}"
    signs = np.array([np.sign(np.ravel(call(borders, what, x, **p))) for x, p in places])
    return bool((np.abs(signs.sum(axis=0)) < len(places)).any())


def multiply_jacobian(J: Any, v: Array) -> Array:
    """The product of a Jacobian on the flattened state with a direction of the state's shape."""
    if isinstance(J, np.ndarray | float | list | tuple):
        if np.size(J) != v.size**2:
            raise MapFailed(f"the jacobian has shape {np.shape(J)} for a state of shape {v.shape}")
        if np.asarray(J).dtype.kind not in REAL_KINDS:
            raise MapFailed(f"the jacobian has entries of type {np.asarray(J).dtype.name}; numbers are asked for")
        J = np.asarray(J, dtype=float).reshape(v.size, v.size)
    elif not isinstance(J, LinearOperator | ShiftedLowRank | DiagonalLowRank) and not sp.issparse(J):
        raise MapFailed(f"the jacobian is {shown(J)}; a matrix or an operator is asked for")
    return np.asarray(apply(J, v.ravel()).reshape(v.shape))
