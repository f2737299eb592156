"""Directional derivatives where the user gives none: central differences, complex steps, JAX."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bifurcate.errors import InvalidInput

__all__ = ["METHODS", "central", "central_columns", "directional"]

METHODS = ("central", "complex", "jax")

# Fourth-order central differences with error ε/h + h⁴ f⁗⁠: the best h is ε^(1/5), the error then about 3e-13.
STEP = float(np.finfo(float).eps) ** 0.2


def central(g: Callable[[float], np.ndarray], step: float) -> np.ndarray:
    """g'(0) by the five-point central difference (Fornberg, Math. Comp. 51 (1988) 699, table 1).

    Exact for quartic polynomials. Where the three-point formula on the same samples disagrees by more than
    10⁻⁵ of the slope (g bends strongly, or a sample fell over the edge of its domain), the step is reduced by eight, as
    long as that gains more in truncation than it loses in rounding.

    Examples
    --------
    >>> import numpy as np
    >>> bool(abs(central(np.sin, 1e-3) - 1.0) < 1e-12)
    True
    >>> bool(abs(central(lambda t: 1.0 / (1e-3 + t), 1.1e-3) / -1e6 - 1.0) < 1e-8)
    True
    """
    best, slope = np.inf, None
    for _ in range(5):
        near, far = g(step) - g(-step), g(2 * step) - g(-2 * step)
        fourth = (8.0 * near - far) / (12.0 * step)
        size = float(np.abs(fourth).max(initial=0.0))
        bend = float(np.abs(fourth - near / (2.0 * step)).max(initial=0.0))
        if bend <= 1e-5 * size or size == 0.0:
            return fourth
        error = (bend / size) ** 2 + 1e-16 / step
        if np.isfinite(error) and error < best:
            best, slope = error, fourth
        step /= 8.0
    return fourth if slope is None else slope


def central_columns(g: Callable[[int, float], np.ndarray], steps: np.ndarray) -> np.ndarray:
    """The matrix with the columns d/dt g(j, t) at t = 0, each by the five-point central difference of its own step.

    Examples
    --------
    >>> import numpy as np
    >>> central_columns(lambda j, t: np.array([[np.sin(t), t], [2.0, 3.0 * t]])[j], np.array([1e-3, 1e-3])).round(9)
    array([[1., 0.],
           [1., 3.]])
    """
    h = steps[:, None]
    samples = np.array([[g(j, step), g(j, -step), g(j, 2 * step), g(j, -2 * step)] for j, step in enumerate(steps)])
    near, far = samples[:, 0] - samples[:, 1], samples[:, 2] - samples[:, 3]
    fourth = (8.0 * near - far) / (12.0 * h)
    bend = np.abs(fourth - near / (2.0 * h)).max(axis=1, initial=0.0)
    size = np.abs(fourth).max(axis=1, initial=0.0)
    trusted = (bend <= 1e-5 * size) | (size == 0.0)
    for j in np.flatnonzero(~trusted).tolist():
        fourth[j] = central(lambda t: g(j, t), steps[j])  # noqa: B023
    return fourth.T


def directional(
    f: Callable[..., Any], x: np.ndarray, v: np.ndarray, parameters: Mapping[str, float], method: str, scale: float
) -> np.ndarray:
    """d/dt f(x + t v) at t = 0, by the method named ("central", "complex" or "jax")."""
    if method == "jax":
        return _jax(f, x, v, parameters)
    length = float(np.abs(v).max(initial=0.0))
    if length == 0.0:
        return np.zeros_like(x)
    if method == "complex":
        # Squire & Trapp, SIAM Review 40 (1998) 110: no cancellation, so that the step may be tiny.
        h = 1e-30 / length
        return np.asarray(f(x + 1j * h * v, **parameters)).imag / h
    h = STEP * max(scale, float(np.abs(x).max(initial=0.0))) / length
    return central(lambda t: np.asarray(f(x + t * v, **parameters), dtype=float), h)


def _jax(f: Callable[..., Any], x: np.ndarray, v: np.ndarray, parameters: Mapping[str, float]) -> np.ndarray:
    try:
        import jax
    except ImportError as error:
        raise InvalidInput('derivative="jax" needs JAX: pip install "bifurcate[jax]"') from error
    if not jax.config.jax_enable_x64:
        raise InvalidInput('derivative="jax" needs double precision: jax.config.update("jax_enable_x64", True) first')
    return np.asarray(jax.jvp(lambda y: f(y, **parameters), (x,), (v,))[1], dtype=float)
