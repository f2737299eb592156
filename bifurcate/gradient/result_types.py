"""What can be said about a map, as frozen values: verdicts, the tests behind them, and certificates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

import numpy as np

from bifurcate.gradient.certificates import Certificate
from bifurcate.gradient.line_integrals import LineIntegralEnergy
from bifurcate.gradient.metric_on_a_box import DiagonalMetric

__all__ = ["Check", "Consistent", "Reconstructed", "Refuted", "TestResult"]


@dataclass(frozen=True)
class Check:
    """One kind of test that was done.

    Attributes
    ----------
    what : str
        What has to vanish, and relative to what.
    number : int
        How many were tested.
    worst : float
        The largest that was found.
    resolution : float
        What could have been told from 0: nothing smaller is excluded.
    """

    what: str
    number: int
    worst: float
    resolution: float

    def __str__(self) -> str:
        return f"{self.what}: {self.number} tested, at most {self.worst:.1e} (resolution {self.resolution:.1e})"


def _no_truth(self: object) -> NoReturn:
    raise TypeError("a verdict is one of three, not true or false: look at its kind, or match on its class")


def _said(head: str, checks: tuple[Check, ...], note: str) -> str:
    return "\n".join([head, *(f"  {check}" for check in checks), *([f"  {note}"] if note else [])])


@dataclass(frozen=True, eq=False)
class Refuted:
    """The claim is false, and the certificate shows it.

    Attributes
    ----------
    claim : str
    certificate : Asymmetry, Loop, Coupling, CouplingCycle, Separability or ComplexPair
        Numbers that would have to be equal if the claim held, with their error; they differ by more than ten times
        the error.
    checks : tuple of Check
        What else was tested.
    """

    claim: str
    certificate: Certificate
    checks: tuple[Check, ...] = ()
    kind = "refuted"
    __bool__: Callable[..., bool] = _no_truth

    def __str__(self) -> str:
        return _said(f"refuted: {self.claim}\n  {self.certificate}", self.checks, "")


@dataclass(frozen=True, eq=False)
class Consistent:
    """Nothing that was tested contradicts the claim; no more is known.

    Attributes
    ----------
    claim : str
    checks : tuple of Check
        What was tested, and how finely.
    note : str
        Why there is no energy.
    """

    claim: str
    checks: tuple[Check, ...]
    note: str = ""
    kind = "consistent"
    __bool__: Callable[..., bool] = _no_truth

    def __str__(self) -> str:
        return _said(f"consistent: {self.claim}", self.checks, self.note)


@dataclass(frozen=True, eq=False)
class Reconstructed:
    """An energy was found whose gradient is −M G, up to a residual, where it was tested.

    Attributes
    ----------
    claim : str
    energy : LineIntegralEnergy
        E, up to a constant: ``energy(x)``.
    metric : DiagonalMetric or None
        M = diag(m₁(x₁), …), up to a factor for every group of coupled coordinates: ``metric(x)`` is its diagonal.
        None in the Euclidean metric.
    residual : float
        The larger of the relative circulation of M G around closed paths and the relative difference of ∇E and −M G.
    checks : tuple of Check
    """

    claim: str
    energy: LineIntegralEnergy
    metric: DiagonalMetric | None
    residual: float
    checks: tuple[Check, ...]
    kind = "reconstructed"
    __bool__: Callable[..., bool] = _no_truth

    def __str__(self) -> str:
        return _said(f"reconstructed: {self.claim}; residual {self.residual:.1e}", self.checks, "")


TestResult: TypeAlias = Refuted | Consistent | Reconstructed


def relative(value: float, size: float) -> float:
    """value/size, 0 where both vanish."""
    return float(value / size) if size > 0.0 else float(np.sign(value))
