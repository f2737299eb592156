"""SpecialPoint: a bifurcation, or another event on a branch, with the certificate of its location."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bifurcate.curves import Curve
from bifurcate.linear import Spectrum

__all__ = ["LABELS", "SpecialPoint"]

LABELS = {
    "fold": "LP",
    "flip": "PD",
    "neimark-sacker": "NS",
    "branch point": "BP",
    "pole": "POLE",
    "border": "BORDER",
}


@dataclass(frozen=True, eq=False)
class SpecialPoint:
    """A special point on a branch.

    Attributes
    ----------
    kind : str
        "fold", "flip", "neimark-sacker", "branch point", "pole" or "border".
    parameters : dict
        All parameters of the map there.
    state : ndarray
        In the map's shape.
    period : int
        Of the cycle that bifurcates.
    spectrum : Spectrum
        Its multipliers.
    multiplicity : int
        How many multipliers cross there together (pairs, for Neimark–Sacker).
    arclength : float
        Where on its branch.
    residual : float
        ‖f^k(x) − x‖_∞ at the state.
    iterations : int
        Steps of the extended system's Newton iteration.
    errors : dict
        Estimated absolute errors: of "parameter" (the free one), and of every coefficient of the same name.
    coefficients : dict
        Normal-form coefficients, where they have been computed.
    certified : bool
        False if the location is only an interval of width ``errors["parameter"]``.
    note : str
        What else is to be said of it.
    """

    kind: str
    parameters: Mapping[str, float]
    state: np.ndarray
    period: int
    spectrum: Spectrum
    curve: Curve = field(repr=False)
    u: np.ndarray = field(repr=False)
    tangent: np.ndarray = field(repr=False)
    kernel: np.ndarray = field(repr=False)
    multiplicity: int = 1
    arclength: float = 0.0
    residual: float = 0.0
    iterations: int = 0
    errors: Mapping[str, float] = field(default_factory=dict)
    coefficients: Mapping[str, float] = field(default_factory=dict)
    certified: bool = True
    note: str = ""

    @property
    def label(self) -> str:
        """The literature's abbreviation: LP, PD, NS, BP; POLE and BORDER."""
        return LABELS[self.kind]

    @property
    def multipliers(self) -> np.ndarray:
        """The multipliers, by falling modulus."""
        return self.spectrum.values

    def __str__(self) -> str:
        free = ", ".join(f"{name} = {self.parameters[name]:.10g}" for name in self.curve.free)
        times = f" ×{self.multiplicity}" if self.multiplicity > 1 else ""
        doubt = "" if self.certified else " (not certified)"
        return f"{self.label}{times} at {free} ± {self.errors.get('parameter', 0.0):.0e}, period {self.period}{doubt}"
