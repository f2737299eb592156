"""What users give, checked: every message names the argument, what was wrong with it and what is allowed."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from bifurcate.adaptation.kernels import multiply_weights
from bifurcate.errors import InvalidInput

__all__ = ["angles", "drives", "finite", "number", "real", "require_drive", "weights"]

Limits = Mapping[str, tuple[float, float]]


def finite(name: str, value: Any) -> np.ndarray:
    """An array of its own, of finite floats.

    Examples
    --------
    >>> finite("drive", [1, 2])
    array([1., 2.])
    """
    array = real(name, value)
    if not np.isfinite(array).all():
        raise InvalidInput(f"{name} has entries that are NaN, infinite or complex; they must be finite real numbers")
    return array


def real(name: str, value: Any) -> np.ndarray:
    """An array of its own, of floats that need not be finite.

    Examples
    --------
    >>> real("R", [1, np.inf])
    array([ 1., inf])
    """
    try:
        return np.array(np.nan if np.iscomplexobj(value) else value, dtype=float)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} is {value!r}; it must be made of real numbers") from error


def angles(name: str, value: np.ndarray) -> np.ndarray:
    """Orientations in [−2π, 2π]; they have period π, and beyond twice that they were hardly meant in radians.

    Examples
    --------
    >>> angles("orientation", np.array([0.5]))
    array([0.5])
    """
    far = np.abs(value) > 2.0 * np.pi
    if far.any():
        raise InvalidInput(
            f"{name} has the entry {value[far].flat[0]:g}; orientations are in radians, of period pi, and must lie in "
            "[-2 pi, 2 pi]: np.deg2rad turns degrees into them"
        )
    return value


def number(name: str, value: Any, limits: Limits) -> float:
    """A finite real number within the closed interval that limits may have for that name.

    Examples
    --------
    >>> number("alpha", 1, {"alpha": (0.0, 1.0)})
    1.0
    """
    low, high = limits.get(name, (-np.inf, np.inf))
    if not isinstance(value, numbers.Real) or not np.isfinite(float(value)) or not low <= float(value) <= high:
        span = "a finite real number"
        if low > -np.inf:
            span += f" of at least {low:g}" if high == np.inf else f" in [{low:g}, {high:g}]"
        raise InvalidInput(f"{name} is {value!r}; it must be {span}")
    return float(value)


def drives(name: str, value: Any, n: int | None = None) -> np.ndarray:
    """Drives of all neurons, read-only."""
    drive = finite(name, value)
    if drive.ndim != 1 or len(drive) == 0 or (n is not None and len(drive) != n):
        raise InvalidInput(f"{name} has shape {drive.shape}; it must be {(n,) if n else '(n,) with n ≥ 1'}")
    if (drive < 0).any():
        raise InvalidInput(f"{name} has negative entries; a drive is at least 0")
    drive.flags.writeable = False
    return drive


def weights(initial: Any, n: int) -> np.ndarray | None:
    """Initial weights, C-contiguous and read-only; None for all ones."""
    if initial is None:
        return None
    W = np.ascontiguousarray(finite("initial", initial))
    if W.shape != (n, n):
        raise InvalidInput(f"initial has shape {W.shape}; it must be {(n, n)}")
    W.flags.writeable = False
    return W


def require_drive(drive: np.ndarray, initial: np.ndarray | None, sigma: float) -> None:
    """Refuse a stimulus that drives no neuron, and σ = 0 where a driven neuron's W₀ r/n is not positive."""
    if not (drive > 0.0).any():
        raise InvalidInput("the stimulus leaves all neurons silent; at least one drive must be positive")
    if sigma == 0.0 and not (multiply_weights(initial, drive)[drive > 0.0] > 0.0).all():
        raise InvalidInput(
            "sigma is 0 where W r/n of a driven neuron is not positive at the initial weights; take sigma > 0"
        )
