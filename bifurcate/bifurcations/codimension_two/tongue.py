"""Tongue: an Arnold tongue, its width and its edges, as far as doubles tell them apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.bifurcations.special_point import SpecialPoint
from bifurcate.curves.curve import Curve
from bifurcate.printing import notebook_html, number_text

__all__ = ["Tongue"]


@dataclass(frozen=True, eq=False, repr=False)
class Tongue:
    """The region of two parameters in which orbits lock to a rotation number p/q, near where it was looked at.

    Attributes
    ----------
    resonance : (int, int)
        p and q.
    free : (str, str)
        The two parameters.
    edges : tuple of Curve
        Both edges, folds of cycles of q times the period, to trace; the one with the smaller value of ``across`` first.
        Empty where doubles do not tell them apart.
    places : ndarray, shape (2, 2)
        Both parameters on either edge, in the order of ``free`` and ``edges``; where there are no edges the middle of
        the tongue, twice.
    error : float
        Of the numbers in ``places``.
    across : str
        The parameter in which the width is measured, the other one held: the one in which the tongue is thinnest, in
        units of the bounds.
    width, width_error : float
        What values of that parameter the tongue covers there, with its error. Below rounding it is extrapolated by the
        power law of its growth.
    amplitude : float
        r of the cycle's harmonic at which that was found: its points are x* + 2 Re(r v e^{2πi(jp/q)}) to first order, v
        the critical eigenvector, |v| = 1. 0 for maps of a circle.
    exponent : float
        d log(width)/d log(amplitude) there, q − 2 near a generic point; NaN where it is not known.
    origin : SpecialPoint or None
        The weak resonance at its tip; None for maps of a circle.
    note : str
        What else is to be said of it.
    """

    resonance: tuple[int, int]
    free: tuple[str, str]
    edges: tuple[Curve, ...]
    places: NDArray[np.float64]
    error: float
    across: str
    width: float
    width_error: float
    amplitude: float = 0.0
    exponent: float = float("nan")
    origin: SpecialPoint | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """p:q."""
        return f"{self.resonance[0]}:{self.resonance[1]}"

    @property
    def interval(self) -> tuple[float, float]:
        """The values of ``across`` on both edges."""
        low, high = self.places[:, self.free.index(self.across)].tolist()
        return low, high

    def __str__(self) -> str:
        texts = [
            ", ".join(f"{name} = {number_text(value, self.error)}" for name, value in zip(self.free, row))
            for row in self.places.tolist()
        ]
        where = f"edges at {texts[0]} and {texts[1]}" if self.edges else f"middle at {texts[0]}"
        width = f"{self.width:.3g} ± {self.width_error:.0e} wide in {self.across}"
        return f"{self.label} tongue: {where}; {width}" + (f"; {self.note}" if self.note else "")

    def __repr__(self) -> str:
        return f"<Tongue {self}>"

    _repr_html_ = notebook_html
