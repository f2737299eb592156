"""SpecialPoint: a bifurcation, or another event on a branch, with the certificate of its location."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from bifurcate.curves import Curve
from bifurcate.linear import Operator, Spectrum, lifted, spectrum
from bifurcate.maps import Iterate

__all__ = ["LABELS", "SpecialPoint"]

LABELS = {
    "fold": "LP",
    "flip": "PD",
    "neimark-sacker": "NS",
    "branch point": "BP",
    "pole": "POLE",
    "border": "BORDER",
}


@dataclass(frozen=True, eq=False, repr=False)
class SpecialPoint:
    """A special point on a branch.

    Attributes
    ----------
    kind : str
        "fold", "flip", "neimark-sacker", "branch point", "pole" or "border".
    curve : Curve
        Where it was found.
    u : ndarray, shape (n + k,)
        State and free parameters.
    period : int
        Of the cycle that bifurcates.
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
    tangent : ndarray or None
        The branch's tangent, where the curves that start here depend on it.
    """

    kind: str
    curve: Curve
    u: np.ndarray
    period: int
    multiplicity: int = 1
    arclength: float = 0.0
    residual: float = 0.0
    iterations: int = 0
    errors: Mapping[str, float] = field(default_factory=dict)
    coefficients: Mapping[str, float] = field(default_factory=dict)
    certified: bool = True
    note: str = ""
    tangent: np.ndarray | None = None
    null: np.ndarray | None = None  # the kernel as it was found, in the coordinates of the Jacobian's essence

    @property
    def parameters(self) -> dict[str, float]:
        """All parameters of the map there."""
        return self.curve.parameters(self.u)

    @property
    def state(self) -> np.ndarray:
        """The state, in the map's shape."""
        return self.curve.state(self.u)

    @property
    def jacobian(self) -> Operator:
        """The Jacobian of f^period at the state."""
        iterate, p = Iterate(self.curve.iterate.map, self.curve.iterate.shape, self.period), self.parameters
        return iterate.jacobian(iterate.orbit(self.u[: self.curve.size], p), p)

    @cached_property
    def spectrum(self) -> Spectrum:
        """The multipliers with their multiplicities; computed when first asked for."""
        return spectrum(self.jacobian)

    @property
    def kernel(self) -> np.ndarray:
        """Critical directions as columns: (n, m); at a branch point of state and parameter, (n + 1, m + 1)."""
        if self.null is None:
            return np.zeros((self.curve.size, 0))
        J = self.jacobian if len(self.null) < self.curve.size else None
        return lifted(J, self.null) if J is not None else self.null

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

    def __repr__(self) -> str:
        return f"SpecialPoint({self})"
