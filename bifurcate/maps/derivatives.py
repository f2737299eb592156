"""Derivatives by differences, complex steps and JAX: every difference formula of the package.

On samples g(±h), g(±2h) and g(0) of a function of one variable (Fornberg, Math. Comp. 51 (1988) 699, table 1):

    three points, first derivative     [g(h) − g(−h)] / 2h                                        error h² g‴/6
    five points, first derivative      [8 (g(h) − g(−h)) − (g(2h) − g(−2h))] / 12h                error h⁴ g⁽⁵⁾/30
    five points, second derivative     [16 (g(h) + g(−h)) − (g(2h) + g(−2h)) − 30 g(0)] / 12h²    error h⁴ g⁽⁶⁾/90

Rounding adds ε|g|/h to a first derivative and ε|g|/h² to a second one. Each named step balances the two errors for a
function whose value and derivatives are of size 1; callers multiply it with the size of their variable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from bifurcate.errors import InvalidInput, MapFailed

__all__ = [
    "CURVATURE_STEP",
    "DIFFERENCE_CALLS",
    "FIVE_POINT_STEP",
    "METHODS",
    "THREE_POINT_STEP",
    "central_difference",
    "central_difference_columns",
    "curvature_by_five_points",
    "directional_derivative",
    "parameter_slope",
    "recorded_samples",
    "slope_by_five_points",
    "slope_by_three_points",
]

DIFFERENCE_CALLS = 4  # of f in a five-point difference of first order, whose middle point has no weight
METHODS = ("central", "complex", "jax")  # ways in which a map's derivatives are taken where the user gives none

_EPS = float(np.finfo(float).eps)

# ε/h = h²: both errors are about 4e-11.
THREE_POINT_STEP: float = _EPS ** (1 / 3)

# ε/h = h⁴: both errors are about 3e-13.
FIVE_POINT_STEP: float = _EPS**0.2

# ε/h² = h⁴: both errors are about 4e-11.
CURVATURE_STEP: float = _EPS ** (1 / 6)

# Relative disagreement of the three- and five-point formulas up to which a step counts as short enough. Truncation is
# then about the square of it, 1e-10: more than rounding, but less than Newton's method notices in a derivative.
AGREEMENT = 1e-5

# Factor by which a step that is too long is reduced: five-point truncation falls by 8⁴, rounding grows by 8.
SHORTER = 8.0

# Attempts at a shorter step. The last one is 8⁴ = 4096 times shorter than the first: then rounding reaches 1e-9.
ATTEMPTS = 5

# Relative rounding error of one value of f, as the choice between step lengths weighs it against truncation.
ROUNDING = 1e-16

# Where values are noisy the noise of a slope, over a step h, is all of its difference to the three-point slope up to 1
# noise/h (it is 0.26 in the mean), and a truncation of so many times the noise is as good.
NOISE_SHARE = 10.0
NOISY_SHORTER = 2.5  # factor by which a step that is too long is reduced then: noise grows as fast as it falls

# Relative length of a complex step (Squire & Trapp, SIAM Review 40 (1998) 110): nothing cancels, so that the step may
# be so short that its truncation h² is far below rounding; 1e-30 also keeps h² above the smallest double.
COMPLEX_STEP = 1e-30

Array = NDArray[np.float64]
Value = TypeVar("Value", float, Array)

_RECORD: ContextVar[list[Array] | None] = ContextVar("_RECORD", default=None)


@contextmanager
def recorded_samples() -> Iterator[list[Array]]:
    """What every call of :func:`central_difference_columns` in the block sees of g: a list that grows with each.

    Its arrays have the shape (n, 4, m): the values at h, −h, 2h and −2h for every column.

    Examples
    --------
    >>> with recorded_samples() as samples:
    ...     _ = central_difference_columns(lambda j, t: np.array([t]), np.array([0.5]))
    >>> samples[0].ravel()
    array([ 0.5, -0.5,  1. , -1. ])
    """
    samples: list[Array] = []
    token = _RECORD.set(samples)
    try:
        yield samples
    finally:
        _RECORD.reset(token)


def slope_by_three_points(g: Callable[[Any], Value], step: Any) -> Value:
    """g'(0) by the three-point central difference; exact for quadratic polynomials.

    Parameters
    ----------
    g : callable
        Function of a number, or of an array of numbers one of which belongs to each of its values.
    step : float or ndarray
        h > 0; an array takes each value's derivative with a step of its own.

    Returns
    -------
    float or ndarray
        Of the shape of g's values.

    Examples
    --------
    >>> slope_by_three_points(lambda t: 3.0 * t + t * t, 0.5)
    3.0
    """
    slope: Value = (g(step) - g(-step)) / (2.0 * step)
    return slope


def slope_by_five_points(g: Callable[[Any], Value], step: Any) -> Value:
    """g'(0) by the five-point central difference; exact for quartic polynomials.

    Parameters and result are those of :func:`slope_by_three_points`. :func:`central_difference` chooses a shorter step
    by itself where g bends strongly.

    Examples
    --------
    >>> slope_by_five_points(lambda t: 3.0 * t + t**3, 0.5)
    3.0
    """
    slope: Value = (8.0 * (g(step) - g(-step)) - (g(2.0 * step) - g(-2.0 * step))) / (12.0 * step)
    return slope


def curvature_by_five_points(g: Callable[[Any], Value], step: Any) -> Value:
    """g''(0) by the five-point central difference; exact for polynomials of degree five.

    Parameters and result are those of :func:`slope_by_three_points`.

    Examples
    --------
    >>> curvature_by_five_points(lambda t: 1.0 + t**2 + t**4, 0.5)
    2.0
    """
    near, far = g(step) + g(-step), g(2.0 * step) + g(-2.0 * step)
    curvature: Value = (16.0 * near - far - 30.0 * g(0.0)) / (12.0 * step * step)
    return curvature


def central_difference(g: Callable[[float], Array], step: float, noise: float = 0.0) -> Array:
    """g'(0) by five-point central differences, with a shorter step where g bends strongly.

    A step is accepted where the three-point formula on the same samples agrees with the five-point one to 10⁻⁵ of the
    largest entry of the slope. Otherwise (g bends strongly, or a sample fell over the edge of its domain) the step is
    reduced by eight, four times at most, and the step with the least estimate of truncation plus rounding is taken.

    Parameters
    ----------
    g : callable
        Function of a number, with values of any one shape.
    step : float
        The longest step h that is tried; g is asked for at ±h and ±2h.
    noise : float
        Size of the errors of g's values, where they are larger than rounding: disagreement that it explains is none.

    Returns
    -------
    ndarray
        Of the shape of g's values. NaN where no step gives finite values.

    Raises
    ------
    MapFailed
        If g raises it at every step.

    Examples
    --------
    >>> import numpy as np
    >>> bool(abs(central_difference(np.sin, 1e-3) - 1.0) < 1e-12)
    True
    >>> bool(abs(central_difference(lambda t: 1.0 / (1e-3 + t), 1.1e-3) / -1e6 - 1.0) < 1e-8)
    True
    """
    least, best = np.inf, None
    failed: MapFailed | None = None
    shorter = NOISY_SHORTER if noise else SHORTER
    for _ in range(ATTEMPTS):
        try:
            near, far = g(step) - g(-step), g(2 * step) - g(-2 * step)
        except MapFailed as raised:  # a sample fell over an edge beyond which f raises
            failed = raised
            step /= shorter
            continue
        slope: Array = (8.0 * near - far) / (12.0 * step)
        size = float(np.abs(slope).max(initial=0.0))
        bend = float(np.abs(slope - near / (2.0 * step)).max(initial=0.0))
        if bend <= AGREEMENT * size or size == 0.0 or (noise and _is_noise(bend, size, noise / step)):
            return slope
        error = (bend / size) ** 2 + max(ROUNDING, noise / size) / step
        if np.isfinite(error) and error < least:
            least, best = error, slope
        step /= shorter
    if best is not None:
        return best
    if failed is not None:
        raise failed
    return slope


def _is_noise(bend: Any, size: Any, noise: Any) -> Any:
    """True where the three- and five-point slopes differ by noise, or the error of the latter is less than that."""
    return (bend <= noise) | (bend * bend <= NOISE_SHARE * noise * size)


def central_difference_columns(
    g: Callable[[int, float], Array],
    steps: Array,
    batch: Callable[[Array, Array], Array | None] | None = None,
    noise: float = 0.0,
) -> Array:
    """The matrix with the columns d/dt g(j, t) at t = 0, each by :func:`central_difference` with a step of its own.

    Parameters
    ----------
    g : callable
        ``g(j, t)``, with values of shape (m,).
    steps : ndarray, shape (n,)
    batch : callable, optional
        ``batch(j, t)`` for arrays of numbers: the values of g one a row, or None where only single calls yield them.
    noise : float
        As for :func:`central_difference`.

    Returns
    -------
    ndarray, shape (m, n)

    Examples
    --------
    >>> import numpy as np
    >>> g = lambda j, t: np.array([[np.sin(t), t], [2.0, 3.0 * t]])[j]
    >>> central_difference_columns(g, np.array([1e-3, 1e-3])).round(9)
    array([[1., 0.],
           [1., 3.]])
    """
    h = steps[:, None]
    try:
        samples = None if batch is None else _samples_in_one_call(batch, steps)
        if samples is None:
            samples = np.array(
                [[g(j, step), g(j, -step), g(j, 2 * step), g(j, -2 * step)] for j, step in enumerate(steps)]
            )
    except MapFailed:  # near an edge beyond which f raises
        alone = [central_difference(lambda t: g(j, t), step, noise) for j, step in enumerate(steps)]  # noqa: B023
        return np.column_stack(alone)
    if (record := _RECORD.get()) is not None:
        record.append(samples)
    near, far = samples[:, 0] - samples[:, 1], samples[:, 2] - samples[:, 3]
    slopes: Array = (8.0 * near - far) / (12.0 * h)
    bend = np.abs(slopes - near / (2.0 * h)).max(axis=1, initial=0.0)
    size = np.abs(slopes).max(axis=1, initial=0.0)
    accepted = (bend <= AGREEMENT * size) | (size == 0.0)
    if noise:
        accepted |= _is_noise(bend, size, noise / steps)
    for j in np.flatnonzero(~accepted).tolist():
        slopes[j] = central_difference(lambda t: g(j, t), steps[j], noise)  # noqa: B023
    return slopes.T


def _samples_in_one_call(batch: Callable[[Array, Array], Array | None], steps: Array) -> Array | None:
    n = len(steps)
    found = batch(np.repeat(np.arange(n), 4), np.outer(steps, [1.0, -1.0, 2.0, -2.0]).ravel())
    return None if found is None else found.reshape(n, 4, -1)


def directional_derivative(
    f: Callable[..., Any],
    x: Array,
    v: Array,
    parameters: Mapping[str, float],
    method: str,
    scale: float,
    step: float = FIVE_POINT_STEP,
    noise: float = 0.0,
    longest: float = np.inf,
) -> Array:
    """d/dt f(x + t v) at t = 0.

    Parameters
    ----------
    f : callable
        ``f(x, **parameters)``.
    x, v : ndarray
        The state and the direction, of one shape.
    parameters : mapping of str to float
    method : {"central", "complex", "jax"}
        Central differences with a step of ε^(1/5) · max(scale, |x|) / |v| in the maximum norm; a complex step; JAX.
    scale : float
        A typical magnitude of the state.
    step : float
        In place of ε^(1/5).
    noise : float
        Size of the errors of f's values, in units of max(scale, |x|), where they are larger than rounding.
    longest : float
        In place of max(scale, |x|) where it is less: the period of a coordinate that goes round.

    Returns
    -------
    ndarray
        Of x's shape.

    Raises
    ------
    InvalidInput
        If JAX is asked for and is not installed, or not set to double precision.

    Examples
    --------
    >>> import numpy as np
    >>> f = lambda x, r: r * x * (1 - x)
    >>> directional_derivative(f, np.array([0.25]), np.array([1.0]), {"r": 2.0}, "complex", 1.0)
    array([1.])
    """
    if method == "jax":
        return _jax(f, x, v, parameters)
    length = float(np.abs(v).max(initial=0.0))
    if length == 0.0:
        return np.zeros_like(x)
    if method == "complex":
        h = COMPLEX_STEP / length
        slope: Array = np.asarray(f(x + 1j * h * v, **parameters)).imag / h
        return slope
    size = max(scale, float(np.abs(x).max(initial=0.0)))
    return central_difference(
        lambda t: np.asarray(f(x + t * v, **parameters), dtype=float), step * min(size, longest) / length, noise * size
    )


def parameter_slope(f: Callable[..., Any], x: Array, name: str, parameters: Mapping[str, float], method: str) -> Array:
    """∂f/∂name at x by a complex step, or by JAX: exact to rounding where f takes such parameters.

    Parameters
    ----------
    f : callable
        ``f(x, **parameters)``.
    x : ndarray
        The state.
    name : str
        The parameter.
    parameters : mapping of str to float
        All parameters.
    method : {"complex", "jax"}
        What f is written for.

    Returns
    -------
    ndarray
        Of x's shape.

    Raises
    ------
    Exception
        Whatever f raises for a parameter that is no float.

    Examples
    --------
    >>> parameter_slope(lambda x, r: r**2 * x, np.array([0.25]), "r", {"r": 2.0}, "complex")
    array([1.])
    """
    here = parameters[name]
    if method == "complex":
        slope: Array = np.asarray(f(x, **{**parameters, name: here + 1j * COMPLEX_STEP})).imag / COMPLEX_STEP
        return slope
    import jax

    along = jax.jvp(lambda value: f(x, **{**parameters, name: value}), (here,), (1.0,))[1]
    return np.asarray(along, dtype=float)


def _jax(f: Callable[..., Any], x: Array, v: Array, parameters: Mapping[str, float]) -> Array:
    try:
        import jax
    except ImportError as error:
        raise InvalidInput('derivative="jax" needs JAX: pip install "bifurcate[jax]"') from error
    if not jax.config.jax_enable_x64:
        raise InvalidInput('derivative="jax" needs double precision: jax.config.update("jax_enable_x64", True) first')
    return np.asarray(jax.jvp(lambda y: f(y, **parameters), (x,), (v,))[1], dtype=float)
