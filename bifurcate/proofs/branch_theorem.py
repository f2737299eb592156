"""BranchTheorem: what was proved of a branch, piece by piece, with its special points and its gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bifurcate.maps.map import Map
from bifurcate.proofs.balls import Enclosure
from bifurcate.proofs.point_theorem import PointTheorem
from bifurcate.proofs.tubes import Tube

__all__ = ["BranchTheorem", "Gap", "ProvedPiece"]


@dataclass(frozen=True)
class Gap:
    """A part of a branch of which something was not proved.

    Attributes
    ----------
    low, high : float
        Least and largest value of the free parameter there (of the nodes; no bounds).
    reason : str
        What was not proved, and why.
    """

    low: float
    high: float
    reason: str

    def __str__(self) -> str:
        return f"from {self.low:.10g} to {self.high:.10g}: {self.reason}"


@dataclass(frozen=True, eq=False)
class ProvedPiece:
    """One arc without gaps: tubes glued end to end.

    Attributes
    ----------
    tubes : tuple of Tube
    first, last : Enclosure
        The free parameter at its ends.
    low, high : float
        Bounds of the free parameter on the arc; ``low`` is rounded down and ``high`` up.
    special : tuple of PointTheorem
        In order along the arc: exactly these special points lie on it.
    outside : tuple of int
        Multipliers outside the circle before the first special point, between the first and the second, …
    """

    tubes: tuple[Tube, ...]
    first: Enclosure
    last: Enclosure
    low: float
    high: float
    special: tuple[PointTheorem, ...]
    outside: tuple[int, ...]

    def __str__(self) -> str:
        count = {0: "no special point", 1: "exactly one special point"}.get(
            len(self.special), f"exactly {len(self.special)} special points"
        )
        return f"from {self.first} to {self.last}: {count}"


@dataclass(frozen=True, eq=False)
class BranchTheorem:
    """A theorem about a branch; ``str(theorem)`` is its statement.

    Attributes
    ----------
    map : Map
        The map that it is about.
    parameters : mapping of str to float
        Values of the fixed ones; that of the free one is of no account.
    free : str
    period : int
        Of the cycles; their least period is not part of the statement.
    hypotheses : tuple of str
    pieces : tuple of ProvedPiece
    gaps : tuple of Gap
        Everything between the ends of the branch that no piece covers, with reasons.
    bits : int
    evaluations : int
        Evaluations of f on balls.
    """

    map: Map
    parameters: Mapping[str, float]
    free: str
    period: int
    hypotheses: tuple[str, ...]
    pieces: tuple[ProvedPiece, ...]
    gaps: tuple[Gap, ...]
    bits: int
    evaluations: int

    @property
    def special(self) -> tuple[PointTheorem, ...]:
        """All special points that were proved, in order."""
        return tuple(point for piece in self.pieces for point in piece.special)

    @property
    def complete(self) -> bool:
        """True if nothing between the ends of the branch is left open."""
        return not self.gaps and len(self.pieces) == 1

    @property
    def tubes(self) -> int:
        """How many tubes cover the branch."""
        return sum(len(piece.tubes) for piece in self.pieces)

    def __str__(self) -> str:
        what = "fixed points" if self.period == 1 else f"cycles of f^{self.period}"
        lines = [f"{self.map.name}: a branch of {what} in {self.free}, proved by {self.tubes} tubes."]
        for piece in self.pieces:
            lines.append(f"On the arc {piece}.")
            lines.append(
                "  Multipliers outside the unit circle along it: " + ", then ".join(map(str, piece.outside)) + "."
            )
            for point in piece.special:
                form = f"{point.form} " if point.form and point.form != point.kind else ""
                lines.append(f"  {form}{point.kind} at {self.free} = {point.parameter}")
        lines += [f"Assumed: {each}." for each in self.hypotheses]
        lines += [f"Not proved, {gap}." for gap in self.gaps]
        return "\n".join(lines)

    def __repr__(self) -> str:
        found = f"{len(self.pieces)} pieces, {len(self.special)} special points, {len(self.gaps)} gaps"
        return f"BranchTheorem({self.map.name}, period {self.period}: {found})"
