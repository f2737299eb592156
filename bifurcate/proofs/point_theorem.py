"""PointTheorem: what was proved of a cycle or of a special point, as data and as a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bifurcate.maps.map import Map
from bifurcate.proofs.balls import Enclosure
from bifurcate.proofs.multiplier_discs import Disc

__all__ = ["Certificate", "PointTheorem"]

Vector = NDArray[np.float64]

FEW = 3  # numbers of a state that a sentence shows; more are counted


@dataclass(frozen=True, eq=False)
class Certificate:
    """The numbers from which a point is proved anew: doubles, taken as they are.

    Attributes
    ----------
    centre : ndarray, shape (N,)
        z̄: all unknowns of the system, as ``proofs/cycle_systems.py`` lists them.
    radius : float
        ρ, in units of the weights.
    weights : ndarray, shape (N,)
    functional : ndarray, shape (n,)
        l of l·v = 1; empty for cycles.
    basis : ndarray, shape (n, m), or None
        Basis of the invariant subspace that was declared.
    """

    centre: Vector
    radius: float
    weights: Vector
    functional: NDArray[np.complex128] | Vector
    basis: Vector | None = None


@dataclass(frozen=True, eq=False)
class PointTheorem:
    """A theorem about one cycle or one special point; ``str(theorem)`` is its statement.

    Attributes
    ----------
    kind : str
        "cycle", "fold", "flip", "neimark-sacker" or "branch point".
    map : Map
        The map that it is about.
    hypotheses : tuple of str
        What is assumed beside f as it is written.
    parameters : mapping of str to float
        Values of all parameters; of the free one the double nearest the point's.
    free : str or None
        The parameter that the point determines; None for a cycle.
    parameter : Enclosure or None
        Its value.
    period : int
        Least period, proved.
    shape : tuple of int
        The shape of a state.
    states : tuple of tuple of Enclosure
        The points of the cycle, k × n.
    radius : float
        Largest radius of a state's entry: existence is proved within it of the middles. Rounded up.
    unique_within : float
        Every entry of the state may be this far from the centre: there is no other such point. Rounded down.
    unique_parameter : float
        The same for the free parameter; 0 for a cycle, whose parameters do not vary.
    discs : tuple of Disc
        The multipliers: one disc for each.
    outside : int or None
        How many lie outside the unit circle, the critical ones not counted; None if that is not decided.
    coefficients : mapping of str to Enclosure
        Of the normal form, by the names of :attr:`SpecialPoint.coefficients`.
    form : str
        "supercritical", "subcritical", "fold", "transcritical", "pitchfork"; "" where that is not proved or has no
        meaning.
    cosine : Enclosure or None
        cos θ of the critical pair.
    gaps : tuple of str
        What was not proved, with reasons.
    bits : int
        Precision of the balls' midpoints.
    evaluations : int
        Evaluations of f on balls.
    errors : tuple of float
        Each unknown of the system lies within its error of the certificate's centre. Rounded up.
    certificate : Certificate
        The numbers from which the proof is repeated.
    """

    kind: str
    map: Map
    hypotheses: tuple[str, ...]
    parameters: Mapping[str, float]
    free: str | None
    parameter: Enclosure | None
    period: int
    shape: tuple[int, ...]
    states: tuple[tuple[Enclosure, ...], ...]
    radius: float
    unique_within: float
    unique_parameter: float
    discs: tuple[Disc, ...]
    outside: int | None
    coefficients: Mapping[str, Enclosure]
    form: str
    cosine: Enclosure | None
    gaps: tuple[str, ...]
    bits: int
    evaluations: int
    errors: tuple[float, ...]
    certificate: Certificate

    @property
    def state(self) -> Vector:
        """The middles of the first point of the cycle, shape (n,)."""
        return np.array([each.middle for each in self.states[0]])

    @property
    def stable(self) -> bool | None:
        """True if a cycle is proved to be asymptotically stable, False if unstable; None if neither."""
        if self.kind != "cycle" or self.outside is None:
            return None
        return self.outside == 0

    @property
    def complete(self) -> bool:
        """True if nothing that was to be proved is left open."""
        return not self.gaps

    def __str__(self) -> str:
        return "\n".join([self._existence(), *self._facts(), *self._conditions()])

    def _existence(self) -> str:
        what = "fixed point" if self.period == 1 else f"cycle of least period {self.period}"
        if self.kind != "cycle":
            form = f"{self.form} " if self.form and self.form != self.kind else ""
            article = "an" if (form or self.kind)[0] in "aeiou" else "a"
            what = f"{article} {form}{self.kind} of a {what}"
            where = f"{self.free} = {self.parameter}, "
        else:
            what, where = f"a {what}", ""
        entries = self.states[0]
        state = ", ".join(str(each) for each in entries[:FEW])
        more = f", … ({len(entries)} numbers)" if len(entries) > FEW else ""
        unique = f"no other one within {self.unique_within:.2g} of its states"
        if self.free is not None:
            unique += f" and {self.unique_parameter:.2g} of {self.free}, with a critical vector near its own"
        return f"{self.map.name} has {what} at {where}x = {state}{more}; {unique}."

    def _facts(self) -> list[str]:
        facts = []
        if self.stable is True:
            facts.append("It is asymptotically stable: every multiplier lies inside the unit circle.")
        elif self.stable is False:
            facts.append(
                f"It is unstable: exactly {self.outside} of {len(self.discs)} multipliers lie outside the circle."
            )
        elif self.outside is not None:
            others = len(self.discs) - (2 if self.kind == "neimark-sacker" else 1)
            critical = {"flip": "−1", "neimark-sacker": "e^{±iθ}"}.get(self.kind, "+1")
            angle = f" with cos θ = {self.cosine}" if self.cosine is not None else ""
            facts.append(
                f"The critical multiplier {critical}{angle} is simple; of the other {others}, {self.outside} lie "
                "outside the circle and the rest inside."
            )
        if self.coefficients:
            facts.append("Normal form: " + ", ".join(f"{k} = {v}" for k, v in self.coefficients.items()) + ".")
        return facts

    def _conditions(self) -> list[str]:
        lines = [f"Assumed: {each}." for each in self.hypotheses]
        return lines + [f"Not proved: {gap}." for gap in self.gaps]

    def __repr__(self) -> str:
        where = f" at {self.free} = {self.parameter}" if self.free is not None else ""
        return f"PointTheorem({self.form + ' ' if self.form else ''}{self.kind}{where}, period {self.period})"
