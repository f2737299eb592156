"""Stimuli: the drive of every neuron and its derivatives, from given numbers or from tuning curves."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from bifurcate.adaptation.validation import angles, drives, finite
from bifurcate.adaptation.without_caches import WithoutCaches
from bifurcate.errors import InvalidInput
from bifurcate.maps.derivatives import FIVE_POINT_STEP, slope_by_five_points

__all__ = ["Components", "Drives", "GivenDrives", "Stimulus", "TunedDrives", "components", "stimulus_list"]

REMEMBERED = 32  # stimuli, sets of stimuli and references that are remembered by their parameters

Tuning = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Stimulus:
    """One stimulus as the neurons meet it.

    Attributes
    ----------
    drive : ndarray, shape (n,)
        r ≥ 0.
    current : ndarray, shape (n,), or None
        The input currents x with r = max(x, 0)²; None where the drive was given itself.
    project : LinearOperator, shape (n, n²)
        P: W ↦ W r/n.
    """

    drive: np.ndarray
    current: np.ndarray | None
    project: LinearOperator

    @cached_property
    def projection_key(self) -> Hashable:
        """What P depends on: equal for stimuli of equal drive, so that products of their Jacobians share P."""
        return ("W r/n", self.drive.tobytes())

    @classmethod
    def of(cls, drive: np.ndarray, current: np.ndarray | None = None) -> Stimulus:
        """The stimulus of that drive."""
        n = len(drive)
        project = LinearOperator(
            (n, n * n),
            matvec=lambda W: W.reshape(n, n) @ drive / n,
            rmatvec=lambda w: np.multiply.outer(w.ravel(), drive / n).ravel(),
            dtype=float,
        )
        return cls(drive, current, project)


@dataclass(frozen=True, eq=False)
class GivenDrives(WithoutCaches):
    """Drives given as numbers: no parameters of their own.

    Attributes
    ----------
    drive, baseline : ndarray, shape (n,)
    ensemble : ndarray, shape (m, n), or None
        Stimuli over which an ensemble target is averaged.
    """

    drive: np.ndarray
    baseline: np.ndarray
    ensemble: np.ndarray | None = None

    @classmethod
    def checked(cls, drive: Any, baseline: Any, ensemble: Any) -> GivenDrives:
        """From user input, or InvalidInput."""
        drive = drives("drive", drive)
        baseline = drives("baseline_drive", baseline, len(drive))
        rows = None
        if ensemble is not None:
            if not isinstance(ensemble, Sequence | np.ndarray) or len(ensemble) == 0:
                raise InvalidInput(f"ensemble is {ensemble!r}; give a list of at least one drive")
            rows = np.array([drives("ensemble", row, len(drive)) for row in ensemble])
        return cls(drive, baseline, rows)

    @property
    def size(self) -> int:
        """Number of neurons."""
        return len(self.drive)

    def replace(self, changed: Mapping[str, Any]) -> GivenDrives:
        """With drive, baseline_drive or ensemble set anew."""
        now = {"drive": self.drive, "baseline_drive": self.baseline, "ensemble": self.ensemble, **changed}
        return GivenDrives.checked(now["drive"], now["baseline_drive"], now["ensemble"])

    @property
    def parameters(self) -> dict[str, float]:
        """None."""
        return {}

    @cached_property
    def _stimulus(self) -> Stimulus:
        return Stimulus.of(self.drive)

    def at(self, p: Mapping[str, float]) -> Stimulus:
        """The one stimulus that there is."""
        return self._stimulus

    def rate(self, p: Mapping[str, float], name: str) -> np.ndarray:
        """∂r/∂name = 0."""
        return np.zeros(self.size)

    def references(self, p: Mapping[str, float], ensemble: bool) -> np.ndarray:
        """Drives of the stimuli that make the target, shape (m, n)."""
        return self.baseline[None] if self.ensemble is None or not ensemble else self.ensemble

    def reference_rate(self, p: Mapping[str, float], ensemble: bool) -> np.ndarray:
        """Their derivative by b, of which they know nothing."""
        return np.zeros_like(self.references(p, ensemble))


@dataclass(frozen=True, eq=False)
class Components:
    """Superposed components of one stimulus.

    Attributes
    ----------
    contrast, orientation : ndarray, shape (k,)
        Orientations in radians.
    """

    contrast: np.ndarray
    orientation: np.ndarray


def components(value: Any, argument: str) -> Components:
    """Components from (contrast, orientation), scalars or arrays of one length, or from a list of such pairs.

    Examples
    --------
    >>> components((0.8, 0.0), "stimulus").contrast
    array([0.8])
    >>> components([(0.8, 0.0), (0.4, 1.0)], "stimulus").orientation
    array([0., 1.])
    """
    if isinstance(value, Components):
        return value
    pairs = value
    if isinstance(value, list) and value and all(np.ndim(item) == 1 for item in value):
        if any(len(item) != 2 for item in value):
            raise InvalidInput(f"{argument} is a list whose entries are not all pairs (contrast, orientation)")
        pairs = tuple(zip(*value, strict=True))
    elif isinstance(value, np.ndarray) and value.ndim == 2:
        pairs = tuple(value.T)
    try:
        contrast, orientation = pairs
    except (TypeError, ValueError) as error:
        raise InvalidInput(
            f"{argument} is {value!r}; give (contrast, orientation), each a number or an array of shape (k,), or a "
            "list of such pairs of numbers"
        ) from error
    contrast, orientation = (
        np.atleast_1d(finite(f"the {kind} of {argument}", part))
        for kind, part in (("contrast", contrast), ("orientation", orientation))
    )
    if contrast.ndim != 1 or contrast.shape != orientation.shape or contrast.size == 0:
        raise InvalidInput(
            f"{argument} has contrasts of shape {contrast.shape} and orientations of shape {orientation.shape}; both "
            "must have one shape (k,) with k ≥ 1"
        )
    return Components(contrast, angles(f"the orientation of {argument}", orientation))


def stimulus_list(values: Any) -> tuple[Components, ...] | None:
    """An ensemble of stimuli, each as :func:`components` takes it."""
    if values is None:
        return None
    if not isinstance(values, Sequence) or len(values) == 0:
        raise InvalidInput(f"ensemble is {values!r}; give a list of at least one stimulus (contrast, orientation)")
    return tuple(components(value, f"ensemble[{j}]") for j, value in enumerate(values))


@dataclass(frozen=True, eq=False)
class TunedDrives(WithoutCaches):
    """Drives r = max(x, 0)² of input currents x = cᵀ f(θ) + b, made by tuning curves.

    r is once continuously differentiable in b, c and θ: its second derivative jumps where a current crosses 0.

    Attributes
    ----------
    preferred : ndarray, shape (n,)
        Preferred orientations.
    tuning : callable
        (orientation (k,), preferred (n,)) ↦ f, shape (k, n).
    stimulus, baseline : Components
    b : float
        Input current without a stimulus.
    ensemble : tuple of Components, or None
        Stimuli over which an ensemble target is averaged.
    """

    preferred: np.ndarray
    tuning: Tuning
    stimulus: Components
    baseline: Components
    b: float
    ensemble: tuple[Components, ...] | None = None

    def __post_init__(self) -> None:
        for given in (self.stimulus, self.baseline, *(self.ensemble or ())):
            f = np.asarray(self.tuning(given.orientation, self.preferred))
            expected = (len(given.orientation), self.size)
            if f.shape != expected:
                raise InvalidInput(
                    f"tuning returns shape {f.shape} for {expected[0]} orientations; it must be {expected}"
                )
            if np.iscomplexobj(f) or not np.isfinite(f.astype(float)).all():
                raise InvalidInput("tuning returns numbers that are NaN, infinite or complex")

    @property
    def size(self) -> int:
        """Number of neurons."""
        return len(self.preferred)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters: b, the contrasts, the orientations."""
        k = len(self.stimulus.contrast)
        ends = [""] if k == 1 else [f"_{j + 1}" for j in range(k)]
        return ("b", *(f"contrast{end}" for end in ends), *(f"orientation{end}" for end in ends))

    @property
    def parameters(self) -> dict[str, float]:
        """Their values."""
        values = (self.b, *self.stimulus.contrast, *self.stimulus.orientation)
        return {name: float(value) for name, value in zip(self.names, values, strict=True)}

    def replace(self, changed: Mapping[str, Any]) -> TunedDrives:
        """With parameters or the ensemble set anew."""
        p = {**self.parameters, **changed}
        contrast, orientation = self._unpack(tuple(float(p[name]) for name in self.names))
        ensemble = stimulus_list(changed["ensemble"]) if "ensemble" in changed else self.ensemble
        stimulus = Components(contrast, angles("orientation", orientation))
        return dataclasses.replace(self, b=float(p["b"]), stimulus=stimulus, ensemble=ensemble)

    def _unpack(self, key: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
        k = len(self.stimulus.contrast)
        return np.array(key[1 : k + 1]), np.array(key[k + 1 :])

    def _current(self, contrast: np.ndarray, orientation: np.ndarray, b: float) -> np.ndarray:
        return np.asarray(contrast @ np.asarray(self.tuning(orientation, self.preferred), dtype=float) + b)

    @cached_property
    def _remembered(self) -> Callable[[tuple[float, ...]], Stimulus]:
        # One orbit asks for the same stimulus many times; the tuning curves are evaluated once.
        @lru_cache(maxsize=REMEMBERED)
        def make(key: tuple[float, ...]) -> Stimulus:
            x = self._current(*self._unpack(key), key[0])
            return Stimulus.of(np.maximum(x, 0.0) ** 2, x)

        return make

    def at(self, p: Mapping[str, float]) -> Stimulus:
        """The stimulus at these parameters."""
        return self._remembered(tuple(float(p[name]) for name in self.names))

    def rate(self, p: Mapping[str, float], name: str) -> np.ndarray:
        """∂r/∂name = 2 max(x, 0) ∂x/∂name; the tuning's own slope in θ by a five-point difference."""
        if name not in self.names:
            return np.zeros(self.size)
        x = self.at(p).current
        assert x is not None
        contrast, orientation = self._unpack(tuple(p[each] for each in self.names))
        slope: Any = 1.0
        if name != "b":
            kind, _, number = name.partition("_")
            j = int(number or 1) - 1
            if kind == "contrast":
                slope = np.asarray(self.tuning(orientation, self.preferred), dtype=float)[j]
            else:
                slope = contrast[j] * self._tuning_slope(orientation, j)
        return np.asarray(2.0 * np.maximum(x, 0.0) * slope)

    def _tuning_slope(self, orientation: np.ndarray, j: int) -> np.ndarray:
        def f(t: float) -> np.ndarray:
            moved = orientation.copy()
            moved[j] += t
            return np.asarray(np.asarray(self.tuning(moved, self.preferred), dtype=float)[j])

        return slope_by_five_points(f, FIVE_POINT_STEP)

    def _reference_currents(self, b: float, ensemble: bool) -> np.ndarray:
        references = self.ensemble if ensemble and self.ensemble is not None else (self.baseline,)
        return np.array([self._current(each.contrast, each.orientation, b) for each in references])

    def references(self, p: Mapping[str, float], ensemble: bool) -> np.ndarray:
        """Drives of the stimuli that make the target, shape (m, n)."""
        return np.asarray(np.maximum(self._reference_currents(p["b"], ensemble), 0.0) ** 2)

    def reference_rate(self, p: Mapping[str, float], ensemble: bool) -> np.ndarray:
        """Their derivative by b, the only parameter that moves them."""
        return np.asarray(2.0 * np.maximum(self._reference_currents(p["b"], ensemble), 0.0))


Drives = GivenDrives | TunedDrives
