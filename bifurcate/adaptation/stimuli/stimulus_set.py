"""Several stimuli at once: their drives, the derivatives of these, and the projection Y = W [r¹ … rᵐ]/n."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from bifurcate.adaptation.stimuli.drive import REMEMBERED, Drives, GivenDrives, TunedDrives, components
from bifurcate.adaptation.validation import drives
from bifurcate.adaptation.without_caches import WithoutCaches
from bifurcate.errors import InvalidInput

__all__ = ["Stage", "StimulusDrives", "StimulusSet", "stack"]


@dataclass(frozen=True, eq=False)
class StimulusDrives:
    """m stimuli as the neurons meet them.

    Attributes
    ----------
    drive : ndarray, shape (m, n)
        The drives rˢ ≥ 0.
    current : ndarray, shape (m, n), or None
        The input currents with r = max(x, 0)²; None where drives were given themselves.
    project : LinearOperator, shape (m n, n²)
        W ↦ Y with rows yˢ = W rˢ/n, flattened.
    """

    drive: np.ndarray
    current: np.ndarray | None
    project: LinearOperator

    @cached_property
    def projection_key(self) -> Hashable:
        """What the projection depends on: equal for sets of equal drives, so that products of Jacobians share it."""
        return ("W r/n", self.drive.shape, self.drive.tobytes())

    @classmethod
    def of(cls, drive: np.ndarray, current: np.ndarray | None) -> StimulusDrives:
        """The stimuli of those drives."""
        m, n = drive.shape
        project = LinearOperator(
            (m * n, n * n),
            matvec=lambda W: (drive @ W.reshape(n, n).T / n).ravel(),
            rmatvec=lambda Z: (Z.reshape(m, n).T @ drive / n).ravel(),
            dtype=float,
        )
        return cls(drive, current, project)


@dataclass(frozen=True, eq=False)
class StimulusSet(WithoutCaches):
    """m stimuli with their parameters: b of all, and the contrasts and orientations of each.

    The parameters of stimulus s = 1 … m are contrast_s and orientation_s; for one of several components contrast_s_1,
    contrast_s_2, …. Given drives have none.

    Attributes
    ----------
    members : tuple of GivenDrives or TunedDrives
    """

    members: tuple[Drives, ...]

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.members[0].size

    @cached_property
    def own(self) -> tuple[dict[str, str], ...]:
        """For every stimulus its own names of parameters, and how they are called among all."""
        numbered = enumerate(self.members, 1)
        return tuple({name: _name_among_all(name, s) for name in member.parameters} for s, member in numbered)

    @cached_property
    def parameters(self) -> dict[str, float]:
        """All names and values."""
        pairs = zip(self.own, self.members, strict=True)
        return {names[name]: value for names, member in pairs for name, value in member.parameters.items()}

    def _of(self, s: int, p: Mapping[str, float]) -> dict[str, float]:
        return {name: p[called] for name, called in self.own[s].items()}

    @cached_property
    def _remembered(self) -> Callable[[tuple[float, ...]], StimulusDrives]:
        names = tuple(self.parameters)

        @lru_cache(maxsize=REMEMBERED)
        def make(key: tuple[float, ...]) -> StimulusDrives:
            p = dict(zip(names, key, strict=True))
            stimuli = [member.at(self._of(s, p)) for s, member in enumerate(self.members)]
            currents = [each.current for each in stimuli if each.current is not None]
            return StimulusDrives.of(
                np.array([each.drive for each in stimuli]), np.array(currents) if currents else None
            )

        return make

    def at(self, p: Mapping[str, float]) -> StimulusDrives:
        """The stimuli at these parameters."""
        return self._remembered(tuple(float(p[name]) for name in self.parameters))

    def rate(self, p: Mapping[str, float], name: str) -> np.ndarray:
        """∂rˢ/∂name, shape (m, n)."""
        out = np.zeros((len(self.members), self.size))
        for s, names in enumerate(self.own):
            for mine, called in names.items():
                if called == name:
                    out[s] = self.members[s].rate(self._of(s, p), mine)
        return out


def _name_among_all(name: str, s: int) -> str:
    """How stimulus number s calls a parameter of its own: b is that of all, contrast_2 becomes contrast_s_2."""
    if name == "b":
        return name
    return name.replace("_", f"_{s}_") if "_" in name else f"{name}_{s}"


def stack(own: Drives, stimuli: Any) -> StimulusSet:
    """The set of several stimuli, (contrast, orientation) pairs or drives, for a network with stimuli of its own.

    Examples
    --------
    >>> from bifurcate.adaptation import ring
    >>> net = ring(6, (1.0, 0.0), (1.0, 0.0), alpha=0.1, beta=-0.1, sigma=0.5)
    >>> list(stack(net.stimuli, [(1.0, 0.0), ([0.5, 0.5], [0.0, 1.0])]).parameters)[:4]
    ['b', 'contrast_1', 'orientation_1', 'contrast_2_1']
    """
    if not isinstance(stimuli, Sequence | np.ndarray) or len(stimuli) == 0:
        raise InvalidInput(f"stimuli is {stimuli!r}; give a list of at least one stimulus")
    if isinstance(own, TunedDrives):
        parts = [components(each, f"stimuli[{s}]") for s, each in enumerate(stimuli)]
        return StimulusSet(tuple(dataclasses.replace(own, stimulus=part) for part in parts))
    rows = [drives(f"stimuli[{s}]", each, own.size) for s, each in enumerate(stimuli)]
    return StimulusSet(tuple(GivenDrives(row, own.baseline, own.ensemble) for row in rows))


@dataclass(frozen=True, eq=False)
class Stage:
    """Which of the stimuli are shown in one update, and with which probabilities: w = base + probability · slope.

    Attributes
    ----------
    members : ndarray of int, shape (a,)
        Their numbers among all m.
    base, slope : ndarray, shape (a,)
        ``slope`` is 0 unless the probabilities have a parameter.
    """

    members: np.ndarray
    base: np.ndarray
    slope: np.ndarray

    def weights(self, p: Mapping[str, float]) -> np.ndarray:
        """The probabilities, shape (a,)."""
        return self.base + p.get("probability", 0.0) * self.slope
